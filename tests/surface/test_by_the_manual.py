"""The manual's examples, statement by statement, in a cluster of sys, mysql_tenant and oracle_tenant.

The sections are those of the project's statements specification and run in their order, each on what the one before left.
After every statement the views are asked. A statement whose row in `holdfast.jobs.surface` says LATER must be refused with 1235;
once its row says otherwise it is played with its checks. Nothing else switches it on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server_rig import Client, Server, wait_doing, wait_for
from surface.surface_rig import OK, Answer, agrees, answer_of, is_later, unsupported

pytestmark = pytest.mark.live

MYSQL_ID, ORACLE_ID = 1002, 1004
JOBS = (
    "select TENANT_ID, JOB_ID, BACKUP_SET_ID, INITIATOR_TENANT_ID, INITIATOR_JOB_ID, EXECUTOR_TENANT_ID, PLUS_ARCHIVELOG,"
    " BACKUP_TYPE, JOB_LEVEL, ENCRYPTION_MODE, PASSWD, STATUS, RESULT, COMMENT, DESCRIPTION, PATH from {}"
)


@dataclass
class Play:
    """`says` runs one statement as one of the cast; the rest asks the views."""

    server: Server
    place: Path
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        if who not in self.clients:
            self.clients[who] = self.server.client(who.partition("/")[0])
        return self.clients[who]

    def says(self, who: str, statement: str, wanted: Answer = OK) -> bool:
        """Run the statement and hold its answer to `wanted`. Return whether this build has it: its deeds can be looked at.

        `who` is a login; what follows a slash tells sessions of one login apart.
        """
        is_refused = is_later(statement) and wanted == OK
        if is_refused:
            wanted = Answer(1235, "0A000")
        found = answer_of(self.client(who), statement)
        assert agrees(found, wanted), f"{who}: {statement}\n  wanted {wanted}\n  found {found}"
        return not is_refused

    def leaves(self, who: str) -> None:
        self.clients.pop(who).close()

    def rows(self, who: str, sql: str) -> list[tuple[Any, ...]]:
        return self.client(who).rows(sql)

    def sees(self, who: str, sql: str, wanted: list[tuple[Any, ...]]) -> None:
        """Wait until the view says `wanted`."""
        found = wait_for(lambda: self.rows(who, sql), lambda rows: rows == wanted)
        assert found == wanted

    def backups_end(self, count: int) -> list[dict[str, Any]]:
        """Wait until sys has ended its `count`th job; return its row and its children's, sys first."""
        history = JOBS.format("oceanbase.CDB_OB_BACKUP_JOB_HISTORY")
        own = f"{history} where TENANT_ID = 1 and JOB_ID = {count}"
        parent = wait_for(lambda: self.rows("root@sys", own), bool)[0]
        children = self.rows(
            "root@sys", f"{history} where TENANT_ID > 1 and INITIATOR_TENANT_ID = 1 and INITIATOR_JOB_ID = {count}"
        )
        names = [name.strip() for name in JOBS.removeprefix("select").partition(" from ")[0].split(",")]
        return [dict(zip(names, row, strict=True)) for row in (parent, *sorted(children))]

    def own_backup_ends(self, who: str, schema: str, job_id: int) -> dict[str, Any]:
        history = JOBS.replace("TENANT_ID, JOB_ID", "JOB_ID", 1).format(f"{schema}.DBA_OB_BACKUP_JOB_HISTORY")
        row = wait_for(lambda: self.rows(who, f"{history} where JOB_ID = {job_id}"), bool)[0]
        names = [name.strip() for name in JOBS.removeprefix("select TENANT_ID,").partition(" from ")[0].split(",")]
        return dict(zip(names, row, strict=True))


SYS, MYSQL, ORACLE = "root@sys", "root@mysql_tenant", "SYS@oracle_tenant"


@pytest.fixture(scope="module")
def play(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    made = Play(server, tmp_path_factory.mktemp("data"))
    yield made
    for client in made.clients.values():
        client.close()


def test_15_resources_and_tenants(play: Play) -> None:
    play.says(
        SYS,
        "CREATE RESOURCE UNIT unit1 MAX_CPU 1, MEMORY_SIZE '1G', LOG_DISK_SIZE '2G', MIN_CPU 1, MAX_IOPS 10000, MIN_IOPS 10000",
    )
    for pool in ("mysql_pool", "oracle_pool", "restore_pool"):
        play.says(SYS, f"CREATE RESOURCE POOL {pool} UNIT = 'unit1', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
    play.says(SYS, "CREATE TENANT IF NOT EXISTS mysql_tenant CHARSET = utf8mb4, RESOURCE_POOL_LIST = ('mysql_pool')"
                   " SET ob_tcp_invited_nodes = '%'")  # fmt: skip
    play.says(SYS, "CREATE TENANT oracle_tenant PRIMARY_ZONE = 'zone1', RESOURCE_POOL_LIST = ('oracle_pool')"
                   " SET ob_tcp_invited_nodes = '%', ob_compatibility_mode = 'oracle'")  # fmt: skip
    (warning,) = play.rows(SYS, "SHOW WARNINGS")
    assert warning[1] == 1235
    assert "SQL on data stays the engine's MySQL mode" in warning[2]
    tenants = "select TENANT_ID, TENANT_NAME, TENANT_TYPE, COMPATIBILITY_MODE, STATUS, TENANT_ROLE, LOG_MODE from {}.DBA_OB_TENANTS"
    mysql = (MYSQL_ID, "mysql_tenant", "USER", "MYSQL", "NORMAL", "PRIMARY", "NOARCHIVELOG")
    oracle = (ORACLE_ID, "oracle_tenant", "USER", "ORACLE", "NORMAL", "PRIMARY", "NOARCHIVELOG")
    assert play.rows(SYS, tenants.format("oceanbase") + " where TENANT_ID > 1 order by 1") == [mysql, oracle]
    assert play.rows(MYSQL, tenants.format("oceanbase")) == [mysql]
    assert play.rows(ORACLE, tenants.format("SYS")) == [oracle]
    with play.server.client("sys@oracle_tenant#holdfast", database="SYS") as at_home:
        assert at_home.rows("select TENANT_NAME from dba_ob_tenants") == [("oracle_tenant",)]
    play.says(MYSQL, "create table test.t (i int primary key, s varchar(100))")
    play.says(MYSQL, "insert into test.t values (1, 'one')")
    play.says(ORACLE, "create table test.o (i int primary key)")
    play.says(ORACLE, "insert into test.o values (1)")


def test_3_destinations(play: Play) -> None:
    place = play.place
    items = f"LOCATION=file://{place}/mysql/sh_archive BINDING=Optional PIECE_SWITCH_INTERVAL=1d"
    play.says(SYS, f"ALTER SYSTEM SET LOG_ARCHIVE_DEST='{items}' TENANT = mysql_tenant")
    play.says(ORACLE, f'ALTER SYSTEM SET LOG_ARCHIVE_DEST="LOCATION=file://{place}/oracle/sh_archive"')
    play.says(SYS, f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/mysql/sh_databackup' TENANT = mysql_tenant")
    play.says(ORACLE, f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/oracle/sh_databackup'")
    shown = dict(play.rows(MYSQL, "select NAME, VALUE from oceanbase.DBA_OB_ARCHIVE_DEST"))
    assert shown["path"] == f"file://{place}/mysql/sh_archive"
    assert (shown["binding"], shown["piece_switch_interval"], shown["state"]) == ("OPTIONAL", "1d", "ENABLE")
    assert play.rows(ORACLE, "select NAME, VALUE from SYS.DBA_OB_BACKUP_PARAMETER") == [
        ("data_backup_dest", f"file://{place}/oracle/sh_databackup")
    ]
    assert play.rows(SYS, "select TENANT_ID, DEST_TYPE from oceanbase.CDB_OB_BACKUP_STORAGE_INFO order by 1, 2") == [
        (MYSQL_ID, "archive_log"), (MYSQL_ID, "backup_data"), (ORACLE_ID, "archive_log"), (ORACLE_ID, "backup_data"),
    ]  # fmt: skip
    assert {row[0] for row in play.rows(ORACLE, "select TENANT_ID from SYS.DBA_OB_BACKUP_STORAGE_INFO")} == {ORACLE_ID}
    play.says(ORACLE, "ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = 'DEFER'")
    play.says(ORACLE, "ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = 'ENABLE'")
    for tenant in ("mysql_tenant", "oracle_tenant"):
        play.says(SYS, f"ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = {tenant}")


def test_4_archiving(play: Play) -> None:
    play.says(SYS, "ALTER SYSTEM ARCHIVELOG")
    play.says(SYS, "ALTER SYSTEM ARCHIVELOG TENANT = ALL")
    for tenant in ("mysql_tenant", "oracle_tenant"):
        wait_doing(play.client(SYS), tenant)
    assert play.rows(ORACLE, "select LOG_MODE from SYS.DBA_OB_TENANTS") == [("ARCHIVELOG",)]
    play.says(ORACLE, "ALTER SYSTEM NOARCHIVELOG DESCRIPTION = 'off for a moment'")
    rounds = "select ROUND_ID, STATUS from SYS.DBA_OB_ARCHIVELOG_SUMMARY order by 1"
    play.sees(ORACLE, rounds, [(1, "STOP")])
    assert play.rows(MYSQL, "select ROUND_ID, STATUS from oceanbase.DBA_OB_ARCHIVELOG") == [(1, "DOING")]
    play.says(SYS, "ALTER SYSTEM ARCHIVELOG TENANT = oracle_tenant DESCRIPTION = 'on again'")
    play.sees(ORACLE, rounds, [(1, "STOP"), (2, "DOING")])
    play.says(MYSQL, "ALTER SYSTEM ARCHIVELOG", Answer(9091, "HY000", "Already in ARCHIVELOG mode"))


def test_14_parameters(play: Play) -> None:
    play.says(SYS, "ALTER SYSTEM SET ha_low_thread_score = 10 TENANT = all_user")
    play.says(SYS, "ALTER SYSTEM SET ha_low_thread_score = 10 TENANT = all")
    play.says(SYS, "ALTER SYSTEM SET ha_low_thread_score = 10 TENANT = mysql_tenant")
    play.says(ORACLE, "ALTER SYSTEM SET ha_low_thread_score = 20")
    shown = {who: play.rows(who, "SHOW PARAMETERS LIKE 'ha_low_thread_score'")[0][6] for who in (MYSQL, ORACLE)}
    assert shown == {MYSQL: "10", ORACLE: "20"}
    play.says(MYSQL, "ALTER SYSTEM SET ha_low_thread_score = 101", Answer(4147, "HY000", "Invalid config"))


def test_5_backups_of_sys(play: Play) -> None:
    play.says(SYS, "ALTER SYSTEM BACKUP DATABASE DESCRIPTION = 'all of them'")
    parent, *children = play.backups_end(1)
    assert (parent["JOB_LEVEL"], parent["BACKUP_SET_ID"], parent["INITIATOR_JOB_ID"], parent["PATH"]) == (
        "CLUSTER",
        0,
        1,
        "",
    )
    assert parent["EXECUTOR_TENANT_ID"] == f"{MYSQL_ID},{ORACLE_ID}"
    assert [child["TENANT_ID"] for child in children] == [MYSQL_ID, ORACLE_ID]
    for row in (parent, *children):
        assert (row["STATUS"], row["RESULT"], row["COMMENT"], row["BACKUP_TYPE"]) == ("COMPLETED", 0, "", "FULL")
        assert (row["INITIATOR_TENANT_ID"], row["DESCRIPTION"]) == (1, "all of them")
        assert (row["ENCRYPTION_MODE"], row["PASSWD"], row["PLUS_ARCHIVELOG"]) == ("NONE", "", "OFF")
    assert [child["PATH"] for child in children] == [
        f"file://{play.place}/{kind}/sh_databackup" for kind in ("mysql", "oracle")
    ]
    play.says(SYS, "ALTER SYSTEM BACKUP INCREMENTAL TENANT mysql_tenant, oracle_tenant, mysql_tenant PLUS ARCHIVELOG")
    parent, *children = play.backups_end(2)
    assert (parent["JOB_LEVEL"], parent["BACKUP_TYPE"], parent["PLUS_ARCHIVELOG"]) == ("SYS_TENANT", "INC", "ON")
    assert [(child["BACKUP_TYPE"], child["BACKUP_SET_ID"], child["STATUS"]) for child in children] == [
        ("INC", 2, "COMPLETED")
    ] * 2
    play.says(SYS, "ALTER SYSTEM BACKUP PLUS ARCHIVELOG TENANT = mysql_tenant")
    parent, child = play.backups_end(3)
    assert (child["TENANT_ID"], child["BACKUP_TYPE"], child["PLUS_ARCHIVELOG"]) == (MYSQL_ID, "FULL", "ON")
    sets = "select BACKUP_SET_ID, BACKUP_TYPE, PREV_FULL_BACKUP_SET_ID, PREV_INC_BACKUP_SET_ID, STATUS, FILE_STATUS, PLUS_ARCHIVELOG from"
    assert play.rows(MYSQL, f"{sets} oceanbase.DBA_OB_BACKUP_SET_FILES order by 1") == [
        (1, "FULL", 0, 0, "SUCCESS", "AVAILABLE", "OFF"),
        (2, "INC", 1, 1, "SUCCESS", "AVAILABLE", "ON"),
        (3, "FULL", 0, 0, "SUCCESS", "AVAILABLE", "ON"),
    ]
    assert play.rows(ORACLE, f"{sets} SYS.DBA_OB_BACKUP_SET_FILES order by 1") == [
        (1, "FULL", 0, 0, "SUCCESS", "AVAILABLE", "OFF"),
        (2, "INC", 1, 1, "SUCCESS", "AVAILABLE", "ON"),
    ]
    tasks = "select TASK_ID, JOB_ID, BACKUP_SET_ID, STATUS, RESULT from SYS.DBA_OB_BACKUP_TASK_HISTORY order by 1"
    assert play.rows(ORACLE, tasks) == [(1, 1, 1, "COMPLETED", 0), (2, 2, 2, "COMPLETED", 0)]
    assert play.rows(SYS, "select * from oceanbase.CDB_OB_BACKUP_JOBS") == []
    assert play.rows(MYSQL, "select * from oceanbase.DBA_OB_BACKUP_TASKS") == []


def test_5_backups_of_the_tenants_themselves(play: Play) -> None:
    """Others are untouched; the Oracle tenant's SYS says the same words."""
    for who, schema, tenant_id, job_id in ((MYSQL, "oceanbase", MYSQL_ID, 4), (ORACLE, "SYS", ORACLE_ID, 3)):
        play.says(who, "ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOG DESCRIPTION 'my own'")
        row = play.own_backup_ends(who, schema, job_id)
        assert (row["INITIATOR_TENANT_ID"], row["INITIATOR_JOB_ID"], row["JOB_LEVEL"]) == (tenant_id, 0, "USER_TENANT")
        assert (row["EXECUTOR_TENANT_ID"], row["BACKUP_TYPE"], row["STATUS"]) == (str(tenant_id), "FULL", "COMPLETED")
        assert row["DESCRIPTION"] == "my own"
        play.says(who, "ALTER SYSTEM BACKUP INCREMENTAL DATABASE")
        assert play.own_backup_ends(who, schema, job_id + 1)["BACKUP_TYPE"] == "INC"
    # To a path of its own: no full set lies there, so the increment becomes full.
    play.says(
        MYSQL, f"ALTER SYSTEM BACKUP INCREMENTAL DATABASE TO 'file://{play.place}/mysql/elsewhere' PLUS ARCHIVELOG"
    )
    row = play.own_backup_ends(MYSQL, "oceanbase", 6)
    assert (row["BACKUP_TYPE"], row["PATH"]) == ("FULL", f"file://{play.place}/mysql/elsewhere")
    shown = play.rows(MYSQL, "select VALUE from oceanbase.DBA_OB_BACKUP_PARAMETER")
    assert shown == [(f"file://{play.place}/mysql/sh_databackup",)]


def test_6_encryption(play: Play) -> None:
    """The password belongs to the session: reconnecting forgets it."""
    first = f"{SYS}/first"
    built = play.says(first, "SET ENCRYPTION ON IDENTIFIED BY 'backup_pw' ONLY")
    if built:
        play.says(
            first, f"ALTER SYSTEM BACKUP TENANT = oracle_tenant TO 'file://{play.place}/oracle/sealed' PLUS ARCHIVELOG"
        )
        parent, child = play.backups_end(4)
        for row in (parent, child):
            assert (row["ENCRYPTION_MODE"], row["PASSWD"], row["STATUS"]) == ("PASSWORD", "***", "COMPLETED")
    play.leaves(first)
    play.says(ORACLE, "SET DECRYPTION IDENTIFIED BY 'backup_pw'", unsupported("non-sys tenant set decryption is"))
    second = f"{SYS}/second"
    if built:
        restore = f"ALTER SYSTEM RESTORE sealed FROM 'file://{play.place}/oracle/sealed' WITH 'pool_list=restore_pool'"
        play.says(second, restore, Answer(9047, "HY000", "invalid password for backup"))
        assert play.says(second, "SET DECRYPTION IDENTIFIED BY 'not_it', 'backup_pw'")
        play.says(second, restore)
        play.sees(SYS, _state("sealed"), [("NORMAL", "STANDBY", "ORACLE")])
        assert play.rows("SYS@sealed", "select count(*) from test.o") == [(1,)]
        play.leaves("SYS@sealed")
        play.says(SYS, "DROP TENANT sealed FORCE")
    else:
        play.says(second, "SET DECRYPTION IDENTIFIED BY 'not_it', 'backup_pw'")
    play.leaves(second)


def test_7_cancelling(play: Play) -> None:
    """With nothing running it succeeds; of a running job each row ends in its own way."""
    for who in (SYS, MYSQL, ORACLE):
        play.says(who, "ALTER SYSTEM CANCEL BACKUP")
    play.says(SYS, "ALTER SYSTEM CANCEL BACKUP TENANT = mysql_tenant, oracle_tenant")
    play.says(MYSQL, "ALTER SYSTEM BACKUP DATABASE")
    play.says(MYSQL, "ALTER SYSTEM CANCEL BACKUP")
    row = play.own_backup_ends(MYSQL, "oceanbase", 7)
    # It may have been over before: then the cancel had nothing to do.
    assert (row["STATUS"], row["RESULT"]) in {("CANCELED", -4072), ("COMPLETED", 0)}
    ends = {"CANCELED": ("FAILED", "INCOMPLETE"), "COMPLETED": ("SUCCESS", "AVAILABLE")}
    sets = "select STATUS, FILE_STATUS from oceanbase.DBA_OB_BACKUP_SET_FILES where BACKUP_SET_ID = 7"
    found = play.rows(MYSQL, sets)
    assert found == [ends[row["STATUS"]]] or (found == [] and row["STATUS"] == "CANCELED")


def test_8_keys_and_cluster_parameters(play: Play) -> None:
    play.says(
        SYS,
        "ALTER SYSTEM BACKUP KEY TENANT = mysql_tenant TO 'file:///keys' ENCRYPTED BY 'pw'",
        unsupported("BACKUP KEY is"),
    )
    play.says(ORACLE, "ALTER SYSTEM BACKUP KEY", unsupported("BACKUP KEY is"))
    play.says(SYS, f"ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{play.place}/parameters'")
    assert len(list((play.place / "parameters").glob("cluster_parameters.*.obbak"))) == 1


def test_11_restore_and_12_activate(play: Play) -> None:
    """Sets and archive together reach any point; a set PLUS ARCHIVELOG stands alone. Mode and administrator come back."""
    data, archive = f"file://{play.place}/oracle/sh_databackup", f"file://{play.place}/oracle/sh_archive"
    play.says(ORACLE, "insert into test.o values (2)")
    point = play.rows(ORACLE, "select max(ora_rowscn) from test.o")[0][0]
    play.says(ORACLE, "delete from test.o")
    now = play.rows(ORACLE, "select current_scn()")[0][0]
    wait_for(
        lambda: play.rows(ORACLE, "select max(CHECKPOINT_SCN) from SYS.DBA_OB_ARCHIVELOG")[0][0], lambda scn: scn >= now
    )
    play.says(
        SYS,
        f"ALTER SYSTEM RESTORE restored FROM '{data},{archive}' UNTIL SCN = {point} WITH 'pool_list=restore_pool'"
        " DESCRIPTION = 'the manual'",
    )
    play.sees(SYS, _state("restored"), [("NORMAL", "STANDBY", "ORACLE")])
    history = "select STATUS, BACKUP_TENANT_NAME, RESTORE_SCN, RESTORE_OPTION, DESCRIPTION from oceanbase.CDB_OB_RESTORE_HISTORY"
    assert play.rows(SYS, f"{history} where RESTORE_TENANT_NAME = 'restored' and TENANT_ID = 1") == [
        ("SUCCESS", "oracle_tenant", point, "pool_list=restore_pool", "the manual")
    ]
    assert play.rows("sys@restored", "select i from test.o order by i") == [(1,), (2,)]
    assert play.rows("sys@restored", "select STATUS from SYS.DBA_OB_RESTORE_HISTORY") == [("SUCCESS",)]
    play.says("sys@restored", "insert into test.o values (3)", Answer(4688, "HY000", "standby tenant is read only"))
    play.says(SYS, "ALTER SYSTEM ACTIVATE STANDBY TENANT = restored")
    play.says("sys@restored", "insert into test.o values (3)")
    play.sees(SYS, _state("restored"), [("NORMAL", "PRIMARY", "ORACLE")])
    play.says(SYS, f"ALTER SYSTEM RESTORE FROM '{data},{archive}' UNTIL SCN = {point} PREVIEW")
    play.says(
        SYS,
        f"ALTER SYSTEM RESTORE restored FROM '{data}'",
        Answer(4179, "HY000", "restore tenant with existed tenant name is"),
    )
    play.leaves("sys@restored")
    play.says(SYS, "DROP TENANT restored FORCE")
    play.says(SYS, "DROP RESOURCE POOL restore_pool")
    # alone, by its own log
    play.says(SYS, f"ALTER SYSTEM RESTORE alone FROM 'file://{play.place}/mysql/elsewhere'")
    play.sees(SYS, _state("alone"), [("NORMAL", "STANDBY", "MYSQL")])
    assert play.rows("root@alone", "select * from test.t") == [(1, "one")]
    play.leaves("root@alone")
    play.says(SYS, "DROP TENANT alone FORCE")


def test_9_cleanup(play: Play) -> None:
    policy = "select POLICY_NAME, RECOVERY_WINDOW from oceanbase.DBA_OB_BACKUP_DELETE_POLICY"
    if play.says(SYS, "ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d' TENANT = mysql_tenant"):
        assert play.rows(MYSQL, policy) == [("default", "7d")]
        play.says(
            MYSQL, "ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '1d'", Answer(4017, "HY000")
        )
    if play.says(MYSQL, "ALTER SYSTEM DELETE OBSOLETE BACKUP"):
        _job_ends(play, MYSQL, "oceanbase", "DELETE OBSOLETE BACKUP", ("COMPLETED", 0))
        kept = play.rows(
            MYSQL, "select count(*) from oceanbase.DBA_OB_BACKUP_SET_FILES where FILE_STATUS = 'AVAILABLE'"
        )
        assert kept[0][0] >= 5  # all of them are younger than the window
    if play.says(MYSQL, "ALTER SYSTEM DELETE BACKUPSET 1"):
        _job_ends(play, MYSQL, "oceanbase", "DELETE BACKUP%SET", ("FAILED", -9045))
    if play.says(SYS, "ALTER SYSTEM DROP DELETE BACKUP POLICY = 'default' TENANT = mysql_tenant"):
        assert play.rows(MYSQL, policy) == []
    if play.says(ORACLE, "ALTER SYSTEM DELETE BACKUPSET 1, 2 DESCRIPTION = 'the old chain'"):
        _job_ends(play, ORACLE, "SYS", "DELETE BACKUP%SET", ("COMPLETED", 0))
        gone = "select BACKUP_SET_ID, FILE_STATUS from SYS.DBA_OB_BACKUP_SET_FILES where BACKUP_SET_ID < 3 order by 1"
        play.sees(ORACLE, gone, [(1, "DELETED"), (2, "DELETED")])
        assert not (play.place / "oracle" / "sh_databackup" / "backup_set_1_full" / "manifest.json").exists()
    if play.says(ORACLE, "ALTER SYSTEM DELETE ARCHIVELOG_PIECE 2"):
        _job_ends(play, ORACLE, "SYS", "DELETE %PIECE", ("FAILED", -9069))
    if play.says(MYSQL, f"ALTER SYSTEM DELETE BACKUP ALL DATA_BACKUP_DEST = 'file://{play.place}/mysql/elsewhere'"):
        _job_ends(play, MYSQL, "oceanbase", "DELETE BACKUP ALL", ("COMPLETED", 0))
        assert not (play.place / "mysql" / "elsewhere" / "backup_set_6_full" / "manifest.json").exists()
    play.says(SYS, "ALTER SYSTEM CANCEL DELETE BACKUP")
    play.says(ORACLE, "ALTER SYSTEM CANCEL DELETE BACKUP")


def test_10_and_13_validation_and_table_recovery(play: Play) -> None:
    active = "select count(*) from oceanbase.CDB_OB_BACKUP_VALIDATE_JOBS"
    history = "select TENANT_ID, TYPE, VALIDATE_LEVEL, STATUS, RESULT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY"
    if play.says(SYS, "ALTER SYSTEM VALIDATE BACKUP LEVEL = 'basic' TENANT = mysql_tenant, oracle_tenant"):
        play.sees(SYS, active, [(0,)])
        play.sees(
            SYS,
            f"{history} order by TENANT_ID",
            [(tenant_id, "DATABASE", "basic", "COMPLETED", 0) for tenant_id in (1, MYSQL_ID, ORACLE_ID)],
        )
    if play.says(ORACLE, "ALTER SYSTEM VALIDATE BACKUPSET = '3'"):
        play.sees(SYS, active, [(0,)])
    play.says(SYS, "ALTER SYSTEM CANCEL VALIDATE BACKUP")
    play.says(ORACLE, "ALTER SYSTEM RECOVER TABLE test.o TO TENANT = oracle_tenant FROM 'file:///a' WITH 'pool_list=p'",
              Answer(4179, "HY000", "user tenant initiate recover table is not allowed"))  # fmt: skip


def test_4_the_end_of_archiving(play: Play) -> None:
    play.says(SYS, "ALTER SYSTEM NOARCHIVELOG TENANT = ALL")
    for who, schema, last in ((MYSQL, "oceanbase", 1), (ORACLE, "SYS", 2)):
        play.sees(who, f"select STATUS from {schema}.DBA_OB_ARCHIVELOG_SUMMARY where ROUND_ID = {last}", [("STOP",)])
        assert play.rows(who, f"select * from {schema}.DBA_OB_ARCHIVELOG") == []
        play.says(who, "ALTER SYSTEM SET LOG_ARCHIVE_DEST = ''")
        play.says(who, "ALTER SYSTEM SET DATA_BACKUP_DEST = ''")
        assert play.rows(who, f"select * from {schema}.DBA_OB_ARCHIVE_DEST") == []
        play.says(
            who,
            "ALTER SYSTEM BACKUP DATABASE",
            Answer(9040, "HY000", "backup can not start, because backup dest is not set."),
        )


def _state(tenant: str) -> str:
    return (
        f"select STATUS, TENANT_ROLE, COMPATIBILITY_MODE from oceanbase.DBA_OB_TENANTS where TENANT_NAME = '{tenant}'"
    )


def _job_ends(play: Play, who: str, schema: str, kind: str, wanted: tuple[str, int]) -> None:
    """Wait for the end of the newest deletion of a kind."""
    sql = f"select STATUS, RESULT from {schema}.DBA_OB_BACKUP_DELETE_JOB_HISTORY where TYPE like '{kind}' order by JOB_ID desc limit 1"
    play.sees(who, sql, [wanted])
