"""One value of each of our formats, the same in every run: what the golden samples hold and the tests change."""

from hashlib import shake_128

from holdfast.backup_format.cluster_parameters import ClusterParameters, ParameterValue, TenantParameters
from holdfast.backup_format.log_frame import LogFrame, LogPosition, timeline_of
from holdfast.backup_format.manifest import Encryption, EncryptionMode, Manifest, ObjectKind, ObjectRecord
from holdfast.backup_format.owner_record import SetClaim
from holdfast.backup_format.piece_record import FormatFile, MissingRange, PieceBlock, PieceRecord, RoundRecord
from holdfast.backup_format.writer_record import WriterRecord
from holdfast.values.archive import PieceStatus, RoundStatus
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.owner import JobKind, Owner
from holdfast.values.scn import Scn
from holdfast.values.tenant import CompatibilityMode, Unit

SCN = 1_795_424_400_000_000_000
TIMELINE = timeline_of("1002 from birth")
SECRET = bytes(range(32))
BLOCK_BYTES = 2 << 20


def octets(size_bytes: int, seed: int = 1) -> bytes:
    """Return bytes that do not compress, the same for the same arguments."""
    return shake_128(seed.to_bytes(4, "big")).digest(size_bytes)


TEXT = b"".join(b"row %d of a table whose rows resemble each other\n" % number for number in range(4000))

FORMAT_FILE = FormatFile(
    cluster_name="holdfast",
    cluster_id=1,
    tenant_id=1002,
    tenant_name="mysql_tenant",
    dest_id=1001,
    kind=DestinationKind.BACKUP_DATA,
    path="file:///backup/data",
    created_us=SCN // 1000,
)

CLUSTER_PARAMETERS = ClusterParameters(
    cluster_name="holdfast",
    cluster_id=1,
    scn=Scn(SCN),
    tenants=(
        TenantParameters(
            tenant_id=1,
            tenant_name="sys",
            compatibility_mode=CompatibilityMode.MYSQL,
            parameters=(ParameterValue(name="undo_retention", value="1800", default_value="1800"),),
        ),
        TenantParameters(
            tenant_id=1004,
            tenant_name="oracle_tenant",
            compatibility_mode=CompatibilityMode.ORACLE,
            parameters=(
                ParameterValue(name="archive_lag_target", value="0ms", default_value="120s"),
                ParameterValue(name="ha_low_thread_score", value="10", default_value="0"),
            ),
        ),
    ),
)

MANIFEST = Manifest(
    cluster_name="holdfast",
    cluster_id=1,
    tenant_id=1002,
    tenant_name="mysql_tenant",
    dest_id=1001,
    backup_set_id=2,
    type=BackupType.INC,
    prev_full_backup_set_id=1,
    prev_inc_backup_set_id=1,
    chain=(1, 2),
    plus_archivelog=True,
    engine_data_version="1.4.0.0",
    engine_binary_version="1.4.0.post1",
    start_scn=Scn(SCN),
    start_replay_scn=Scn(SCN - 5),
    min_restore_scn=Scn(SCN + 7_000_000_001),
    base_lsn=Lsn(67104768),
    end_lsn=Lsn(80000000),
    timeline=TIMELINE,
    archive_dest_id=1002,
    round_id=1,
    block_size_bytes=BLOCK_BYTES,
    block_file_size_bytes=16 * BLOCK_BYTES,
    block_count=12,
    input_bytes=3 * BLOCK_BYTES,
    output_bytes=1234567,
    dead_bytes=89,
    unit=Unit(max_cpu=1.5, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30),
    encryption=Encryption(
        mode=EncryptionMode.PASSWORD,
        password_hash="*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
        scrypt_salt=octets(16),
        scrypt_n=32768,
        scrypt_r=8,
        scrypt_p=1,
        wrapped_key=octets(48, 2),
    ),
    objects=(
        ObjectRecord(
            name="data/000001",
            kind=ObjectKind.DATA,
            number=1,
            size_bytes=1234000,
            content_size_bytes=1234000,
            digest=octets(32, 3).hex(),
        ),
        ObjectRecord(
            name="index",
            kind=ObjectKind.INDEX,
            number=0,
            size_bytes=864,
            content_size_bytes=864,
            digest=octets(32, 4).hex(),
        ),
        ObjectRecord(
            name="meta/store/slog/sys/1",
            kind=ObjectKind.FILE,
            number=3,
            size_bytes=567,
            content_size_bytes=45056,
            digest=octets(32, 5).hex(),
        ),
    ),
    description='weekly, "quoted", ünïcode',
    started_us=SCN // 1000,
    ended_us=SCN // 1000 + 9_000_000,
)

BEGIN = LogPosition(lsn=Lsn(67104768), accumulated=None, log_id=None, scn=Scn(SCN - 5))
END = LogPosition(lsn=Lsn(134300000), accumulated=0xFFFFFFFF, log_id=4711, scn=Scn(SCN + 900))

PIECE = PieceRecord(
    cluster_name="holdfast",
    cluster_id=1,
    tenant_id=1002,
    tenant_name="mysql_tenant",
    dest_id=1002,
    round_id=1,
    piece_id=3,
    timeline=TIMELINE,
    status=PieceStatus.ACTIVE,
    start_scn=Scn(SCN),
    end_scn=Scn(SCN + 86_400_000_000_000),
    checkpoint_scn=Scn(SCN + 900),
    max_scn=Scn(SCN + 900),
    begin=BEGIN,
    end=END,
    input_bytes=67195232,
    output_bytes=20000000,
    engine_data_version="1.4.0.0",
    blocks=(
        PieceBlock(block_id=1, size_bytes=19000000, first_lsn=Lsn(67104768), end_lsn=Lsn(134209536)),
        PieceBlock(block_id=2, size_bytes=1000000, first_lsn=Lsn(134209536), end_lsn=Lsn(134300000)),
    ),
)

ROUND = RoundRecord(
    cluster_name="holdfast",
    cluster_id=1,
    tenant_id=1002,
    tenant_name="mysql_tenant",
    dest_id=1002,
    round_id=1,
    timeline=TIMELINE,
    status=RoundStatus.INTERRUPTED,
    start_scn=Scn(SCN),
    checkpoint_scn=Scn(SCN + 900),
    begin=BEGIN,
    base_piece_id=3,
    used_piece_id=3,
    piece_switch_interval_us=86_400_000_000,
    comment="log was recycled before it was archived",
    missing=(MissingRange(start_lsn=Lsn(134300000), end_lsn=None, start_scn=Scn(SCN + 900), end_scn=Scn(SCN + 1000)),),
)


def frame(start: int, size_bytes: int, *, log_id: int, has_info_block: bool = False) -> LogFrame:
    """Return a frame of log block 1 whose SCNs follow its log id."""
    return LogFrame(
        timeline=TIMELINE,
        block_id=1,
        start_lsn=Lsn(start),
        end_lsn=Lsn(start + size_bytes),
        first_scn=Scn(SCN + log_id * 10),
        max_scn=Scn(SCN + log_id * 10 + 9),
        accumulated=log_id * 7919 % (1 << 32),
        log_id=log_id,
        has_info_block=has_info_block,
    )


OWNER = Owner(
    server_id=octets(16, 20).hex(),
    generation=7,
    job_kind=JobKind.BACKUP,
    job_id=3,
    token=octets(16, 21).hex(),
    time_us=SCN // 1000 + 9_000_000,
)

CLAIM = SetClaim(cluster_id=1, tenant_id=1002, dest_id=1001, backup_set_id=2, type=BackupType.INC, owner=OWNER)

WRITER = WriterRecord(
    cluster_id=1,
    tenant_id=1002,
    dest_id=1001,
    owner=Owner(server_id=OWNER.server_id, generation=7, token=OWNER.token, time_us=SCN // 1000),
    predecessor=octets(16, 22).hex(),
    place=octets(16, 23).hex(),
    is_released=False,
    backup_set_id=2,
    round_id=1,
)
