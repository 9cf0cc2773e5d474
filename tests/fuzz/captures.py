"""Valid captures that no golden file holds: packets, statements, URIs, values; and records of the newest format."""

from dataclasses import replace

from statement_manual import MANUAL

from backup_format.samples import MANIFEST, OWNER, PIECE, TIMELINE
from holdfast.backup_format.key_record import KeyRecord, Protection, WrappedMaster, encode_key_record
from holdfast.backup_format.manifest import Encryption, EncryptionMode, encode_manifest
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.backup_format.piece_record import encode_piece_record
from holdfast.mysql.flags import Capability, CommandCode, Status
from holdfast.mysql.framing import frame, frame_all
from holdfast.mysql.packets import (
    Greeting,
    HandshakeResponse,
    ServerError,
    encode_eof,
    encode_error,
    encode_greeting,
    encode_handshake_response,
    encode_ok,
)

KEY_RECORD = encode_key_record(
    KeyRecord(
        cluster_id=1,
        tenant_id=1002,
        protection=Protection.FILE,
        scrypt_salt=bytes(16),
        scrypt_n=32768,
        scrypt_r=8,
        scrypt_p=1,
        keys=(WrappedMaster(key_id=TIMELINE, created_us=1, wrapped_key=bytes(60)),),
        owner=OWNER,
    )
)
SEALED_PIECE = encode_piece_record(
    replace(PIECE, keys=(PieceKey(from_lsn=PIECE.begin.lsn, key_id=TIMELINE, wrapped_key=bytes(60)),), owner=OWNER)
)
SEALED_MANIFEST = encode_manifest(
    replace(
        MANIFEST,
        encryption=Encryption(mode=EncryptionMode.KEY, key_id=TIMELINE, wrapped_key=bytes(60), mac=bytes(32)),
        owner=OWNER,
    )
)

GREETING = encode_greeting(
    Greeting(
        version="5.7.25",
        connection_id=7,
        scramble=bytes(range(1, 21)),
        capabilities=Capability(0x009FF7FF),
        charset=46,
        status=Status.AUTOCOMMIT,
    )
)
# From captures of PyMySQL 1.1 and the mariadb client 10.11 logging in, names changed.
LOGINS = (
    encode_handshake_response(
        HandshakeResponse(
            capabilities=Capability(0x00BFA28D),
            max_packet_bytes=1 << 24,
            charset=45,
            user=b"root@t1#holdfast",
            auth=bytes(20),
            database=b"test",
            plugin=b"mysql_native_password",
            attributes=((b"_client_name", b"pymysql"), (b"_pid", b"17"), (b"__proxy", b"1")),
        )
    ),
    b"\x85\xa6\xff\x20"
    b"\x00\x00\x00\x01\x21" + bytes(23) + b"root@sys\x00\x14" + bytes(20) + b"mysql_native_password\x00",
    b"\x8d\xa6\x0f\x00" + b"\x00\x00\x00\x01\x2d" + bytes(23) + b"root\x00\x00test\x00mysql_native_password\x00",
    b"\x85\xa2\x2b\x00" + b"\x00\x00\x00\x01\xff" + bytes(23) + b"u@t\x00\x03abcmysql_clear_password\x00",
    b"\x85\xae\xbf\x00\x00\x00\x00\x01\x2d" + bytes(23),
)
CHANGE_USERS = (
    b"root@t1\x00\x14" + bytes(20) + b"test\x00\x2d\x00mysql_native_password\x00\x09\x03_os\x04unix",
    b"root\x00\x00\x00",
)
_QUERIES = (
    b"select 1",
    b"kill query 17",
    b"kill 4611686018427387904",
    b"ALTER SYSTEM BACKUP TENANT = t PLUS ARCHIVELOG",
    b"/* c */ prepare p from 'drop user __holdfast'; execute p",
    b"select * from oceanbase.DBA_OB_BACKUP_JOBS",
    b"set global max_connections = 1",
)
CONVERSATIONS = (
    b"".join(frame(0, b"\x03" + query) for query in _QUERIES),
    frame(0, b"\x16select ?")
    + frame(0, b"\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00")
    + frame(0, b"\x19\x01\x00\x00\x00"),
    frame(0, b"\x03" + b"x" * 70_000) + frame(0, b"\x0e"),
    frame(0, b"\x03load data local infile 'f' into table t") + frame(2, b"a,b\n") + frame(3, b""),
    frame(0, b"\x01"),
)
_DEFINITION = b"\x03def" + bytes(20)
_RESULT = [b"\x02", _DEFINITION, _DEFINITION, encode_eof(), b"\x01a\xfb", b"\x03abc\x01b", encode_eof()]
_NO = encode_error(ServerError(1064, "42000", "no"))
ANSWERS = {
    CommandCode.QUERY: (
        frame_all(1, _RESULT),
        frame_all(1, [encode_ok(status=Status.AUTOCOMMIT | Status.MORE_RESULTS), *_RESULT]),
        frame_all(1, [_NO]),
        frame_all(1, [b"\xfbfile", encode_ok()]),
    ),
    CommandCode.STMT_EXECUTE: (frame_all(1, [b"\x01", _DEFINITION, encode_eof(status=Status.CURSOR_EXISTS)]),),
    CommandCode.STMT_PREPARE: (
        frame_all(1, [b"\x00\x01\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00", *[_DEFINITION, encode_eof()] * 2]),
    ),
    CommandCode.STMT_FETCH: (frame_all(1, [b"\x00\x00\x01a", encode_eof()]),),
    CommandCode.FIELD_LIST: (frame_all(1, [_DEFINITION, _DEFINITION, encode_eof()]),),
    CommandCode.STATISTICS: (frame_all(1, [b"Uptime: 1"]),),
    CommandCode.PING: (frame_all(1, [encode_ok()]),),
}
SHORT_ANSWERS = (
    GREETING,
    _NO,
    b"\xff\x10\x04Too many connections",
    encode_ok(affected=70_000, warning_count=3),
    encode_eof(),
    b"\xfe",
    b"\x00\x01\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00",
    b"\x03abc\xfb\x01b",
)

STATEMENTS = (
    *(text.encode() for text, _ in MANUAL),
    *_QUERIES,
    "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///backup/däta' TENANT = `t``x`".encode(),
    b"SET PERSIST max_connections = 1, @@global.secure_file_priv = '/', @x := 2",
    b"SET GLOBAL secure_file_priv = ''; set @@secure_file_priv = 1",
    b"CREATE USER __holdfast IDENTIFIED BY 'x'; GRANT ALL ON *.* TO __holdfast; DROP USER a, __holdfast@'%'",
    b"ALTER USER `__holdfast` IDENTIFIED BY 'x'; RENAME USER __holdfast TO b; SET PASSWORD FOR __holdfast = 'x'",
    b"CREATE RESOURCE UNIT u MAX_CPU 2, MIN_CPU 1, MEMORY_SIZE '4G', LOG_DISK_SIZE 6G, MAX_IOPS 10000, IOPS_WEIGHT 2",
    b"CREATE RESOURCE POOL p UNIT = u, UNIT_NUM = 1, ZONE_LIST = ('z1'), REPLICA_TYPE = 'FULL'; CREATE RESOURCE POOL q",
    b"CREATE TENANT t LOCALITY = 'F@z1' FORCE, DEFAULT CHARSET utf8mb4 SET ob_tcp_invited_nodes := '%', GLOBAL x = -1, a = b",
    b"ALTER SYSTEM RECOVER TABLE d.t, d.*, `x`.y TO TENANT t FROM 'file:///a' REMAP TABLE d.t:e.u REMAP TABLEGROUP a:b",
    b"ALTER SYSTEM SET a = 1 COMMENT 'x' SCOPE = BOTH SERVER = 's' TENANT = t, b = -5 ZONE z",
    b"ALTER SYSTEM DELETE BACKUPSET 1, 99999999999999999999; ALTER SYSTEM PIN BACKUPSET 9223372036854775808 TENANT t",
    b"SET ENCRYPTION ON IDENTIFIED BY 'swordfish' ONLY",
    b"CREATE TABLE t (a INT /*!40101 DEFAULT 1 */); INSERT INTO t VALUES (0x1f, -1.5e3, 'it''s', \"q\\\"\")",
    b"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; SELECT @@global.x, @`v`, @'w'",
    b"Duplicate entry 'secret' for key 'v'",
    b"access_id=abc&access_key=def; file:///x?host=a&encrypt_key=ghi",
)
VIEW_QUERIES = (
    b"SELECT a.JOB_ID FROM oceanbase.DBA_OB_BACKUP_JOBS a, DBA_OB_BACKUP_SET_FILES b WHERE a.x = (SELECT 1 FROM `dba_ob_backup_jobs`)",
    b"WITH c AS (SELECT * FROM DBA_OB_BACKUP_JOBS) SELECT * FROM c JOIN DBA_OB_BACKUP_JOBS USING (JOB_ID) ORDER BY 1 LIMIT 3",
    b"SHOW CREATE VIEW oceanbase.DBA_OB_BACKUP_JOBS",
    b"SHOW TABLES FROM oceanbase WHERE 1 = (SELECT 1 FROM DBA_OB_BACKUP_JOBS)",
    b"SELECT @a, found_rows(), connection_id(), user() FROM DBA_OB_BACKUP_JOBS INTO @x",
    b"SELECT CASE WHEN 1 THEN 2 END, a.b FROM (DBA_OB_BACKUP_JOBS) LEFT JOIN (SELECT 1) x ON 1, `x`.DBA_OB_BACKUP_JOBS",
    b"SHOW COLUMNS FROM DBA_OB_BACKUP_JOBS FROM oceanbase LIKE 'a%'",
    b"DESCRIBE oceanbase.DBA_OB_BACKUP_JOBS",
    b"SELECT extract(day from x), trim(both 'a' from b) FROM t, DBA_OB_BACKUP_JOBS AS DBA_OB_BACKUP_JOBS",
)
DESTINATIONS = (
    b"file:///backup/data",
    b"file:///backup/data?max_iops=100&max_bandwidth=5M",
    b"s3://bucket/path?host=h&access_id=a&access_key=k&s3_region=r",
    b"LOCATION=file:///backup/archive BINDING=Mandatory PIECE_SWITCH_INTERVAL=1d COMPRESSION=true",
    b"location=file:///backup/archive piece_switch_interval=7d",
    b"file:///backup/data,file:///backup/archive",
    b"max_iops=1000&max_bandwidth=100MB",
    b"file:////",
    b"file:///a,b",
)
RESTORE_OPTIONS = (
    b"pool_list=p1,p2&locality=F@z1&primary_zone=z1&concurrency=8",
    b"pool_list=p&method=quick&ttl=4h&kms_encrypt=true",
    b"method=full",
)
PARAMETERS = (
    b"0 2 * * SUN",
    b"*/5 1-3,7 1,15 JAN-MAR MON#2",
    b"30 1 L * *",
    b"120s",
    b"5",
    b"100M",
    b"true",
    b"+08:00",
    b"Europe/Berlin",
    b"select sum(balance) = 200000 from bank.account; with c as (select 1) select * from c",
    b"/backup,/mnt/archive",
    b"file:/etc/holdfast.key",
    b"",
)
TIMES = (
    b"2026-11-23 10:00:00.123456789",
    b"+08:00",
    b"-11:30",
    b"01795424400000000000",
    b"00000000040fff80",
    b"1d",
    b"1960-01-01 00:00:00",
    b"9999-12-31 23:59:59",
    b"9223372036854775807d",
    b"9223372036854775807P",
    b"100 ms",
    b"512G",
)
