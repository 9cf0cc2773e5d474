"""Every error row of the statements on destinations, archiving, backup and cancelling, with its code, SQLSTATE and text."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.backup_format.cluster_parameters import decode_cluster_parameters
from holdfast.engine.account import open_session
from holdfast.jobs.parameters import DEFINITIONS, DEPRECATED
from server_rig import Client, wait_doing, wait_for
from surface.surface_rig import (
    OK,
    UNKNOWN_TENANT,
    Answer,
    Cast,
    agrees,
    answer_of,
    can_not_start,
    not_allowed,
    unsupported,
    wrong_argument,
)

pytestmark = pytest.mark.live

BAD_URI = Answer(9026, "HY000", "uri is not a valid uri")
NOT_OURS = Answer(9080, "HY000", "format file does not exist, try to set a new directory.")
ANOTHERS = Answer(9081, "HY000", "format file does not match, try to set a new directory.")
UNREACHABLE = Answer(9129, "HY000", "object storage io error")
IN_PROGRESS = Answer(9036, "HY000", "Backup is in progress")
INTERNAL = Answer(4016, "HY000")
NO_RIGHT = Answer(1227, "42501")


def check(client: Client, statement: str, wanted: Answer) -> None:
    found = answer_of(client, statement)
    assert agrees(found, wanted), f"{statement}\n  wanted {wanted}\n  found {found}"


@pytest.fixture(scope="module")
def backed_up(cast: Cast) -> Cast:
    """Both tenants archive; mysql_tenant has one backup set of its own making."""
    for name, client in (("mysql_tenant", cast.mysql), ("oracle_tenant", cast.oracle)):
        client.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{cast.place}/{name}/archive'")
        client.run("ALTER SYSTEM SET archive_lag_target = '0ms'")
        client.run("ALTER SYSTEM ARCHIVELOG DESCRIPTION = 'on'")
        wait_doing(cast.sys, name)
    cast.mysql.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{cast.place}/mysql_tenant/data'")
    run_backup(cast.mysql, "ALTER SYSTEM BACKUP DATABASE DESCRIPTION = 'the first'")
    return cast


JOB = (
    "select JOB_ID, STATUS, RESULT, BACKUP_TYPE, PATH, DESCRIPTION, BACKUP_SET_ID, COMMENT from SYS.DBA_OB_BACKUP_JOB_HISTORY "
    "order by JOB_ID desc limit 1"
)


def run_backup(client: Client, statement: str) -> tuple[object, ...]:
    """Run a backup as a tenant; return BACKUP_TYPE, PATH, DESCRIPTION and BACKUP_SET_ID of its job when it is over."""
    before = client.rows(JOB)
    client.run(statement)
    row = wait_for(lambda: client.rows(JOB), lambda rows: bool(rows) and rows != before)[0]
    assert row[1:3] == ("COMPLETED", 0), row
    return tuple(row[3:7])


@contextmanager
def row_of(cast: Cast, table: str, where: str, **changed: str) -> Iterator[None]:
    """Have the catalog say something else for a while: states that last too short to meet them by chance."""
    names = list(changed)
    before = cast.sys.rows(f"select {', '.join(names)} from __holdfast.{table} where {where}")[0]
    # Not through the door, which lets nobody change the catalog.
    with open_session(cast.server.directory(1).socket, cast.server.base / "sys" / "account.json") as catalog:
        catalog.execute(
            f"update __holdfast.{table} set {', '.join(f'{name} = {value}' for name, value in changed.items())} where {where}"
        )
        try:
            yield
        finally:
            assigned = ", ".join(f"{name} = %s" for name in names)
            catalog.execute(f"update __holdfast.{table} set {assigned} where {where}", before)


# --- section 1.2 and 3: lists, destinations, before anything is set


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("SET DATA_BACKUP_DEST = 'file:///x' TENANT = nobody", UNKNOWN_TENANT),
        ("SET LOG_ARCHIVE_DEST = 'LOCATION=file:///x' TENANT = nobody", UNKNOWN_TENANT),
        ("SET ha_low_thread_score = 1 TENANT = nobody", UNKNOWN_TENANT),
        (
            "SET ha_low_thread_score = 1 TENANT = mysql_tenant, mysql_tenant",
            unsupported("duplicate tenant mysql_tenant is"),
        ),
        (
            "SET ha_low_thread_score = 1 TENANT = all_user, mysql_tenant",
            unsupported("all/all_user/all_meta in combination with other names is"),
        ),
        ("SET DATA_BACKUP_DEST = 'file:///x' TENANT = sys", unsupported("a destination for tenant sys is")),
        ("ARCHIVELOG TENANT = nobody", UNKNOWN_TENANT),
        ("ARCHIVELOG TENANT = mysql_tenant, mysql_tenant", unsupported("duplicate tenant mysql_tenant is")),
        (
            "ARCHIVELOG TENANT = all, mysql_tenant",
            unsupported("all/all_user/all_meta in combination with other names is"),
        ),
        ("ARCHIVELOG TENANT = all_user", unsupported("use all_user/all_meta in 'ALTER SYSTEM ARCHIVELOG' syntax is")),
        ("NOARCHIVELOG TENANT = all_meta", unsupported("use all_user/all_meta in 'ALTER SYSTEM ARCHIVELOG' syntax is")),
        ("BACKUP TENANT = nobody", UNKNOWN_TENANT),
        ("BACKUP TENANT = sys", INTERNAL),
        ("BACKUP TENANT = all, mysql_tenant", unsupported("all/all_user/all_meta in combination with other names is")),
        ("BACKUP TENANT = all_meta", unsupported("No valid tenant name given")),
        ("BACKUP", unsupported("No tenant name specified")),
        ("CANCEL BACKUP TENANT = nobody", UNKNOWN_TENANT),
        ("CANCEL BACKUP TENANT = sys", INTERNAL),
        ("CANCEL BACKUP TENANT = mysql_tenant, mysql_tenant", OK),
    ],
)
def test_tenant_lists_of_sys(cast: Cast, statement: str, wanted: Answer) -> None:
    check(cast.sys, f"ALTER SYSTEM {statement}", wanted)


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("SET LOG_ARCHIVE_DEST = 'BINDING=Optional'", unsupported("set archive dest without location is")),
        (
            "SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/a PIECE_SWITCH_INTERVAL=8d'",
            unsupported("invalid piece_switch_interval out of range [1d,7d] is"),
        ),
        (
            "SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/a PIECE_SWITCH_INTERVAL=1h'",
            unsupported("invalid piece_switch_interval out of range [1d,7d] is"),
        ),
        ("SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/a COLOUR=red'", Answer(1235, "0A000")),
        ("SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/a BINDING=Perhaps'", Answer(1210, "HY000")),
        ("SET LOG_ARCHIVE_DEST_2 = 'LOCATION=file://{place}/a'", unsupported("log_archive_dest_2 is")),
        ("SET LOG_ARCHIVE_DEST_STATE = 'PERHAPS'", wrong_argument("log_archive_dest_state")),
        ("SET LOG_ARCHIVE_DEST = 'LOCATION=s3://b/p?host=h&access_id=i&access_key=k'", unsupported("destination scheme s3:// is")),
        ("SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/a?encrypt_key=k'", BAD_URI),
        ("SET DATA_BACKUP_DEST = 'file://{place}/a?access_key=k'", BAD_URI),
        ("SET DATA_BACKUP_DEST = 'nfs://{place}/a'", BAD_URI),
        ("SET DATA_BACKUP_DEST = 'file://relative'", BAD_URI),
        ("SET DATA_BACKUP_DEST = 'file://{place}/../a'", BAD_URI),
        ("SET archive_lag_target = '10s'", not_allowed("log_archive_dest has not been set, set archive_lag_target is")),
        # inside the cluster, and inside another tenant's engine
        ("SET DATA_BACKUP_DEST = 'file://{base}/tenants/x'", Answer(9026, "HY000")),
        ("SET LOG_ARCHIVE_DEST = 'LOCATION=file://{base}/tenants/{other_id}/engine/files/x'", Answer(9026, "HY000")),
        ("BACKUP DATABASE TO 'file://{base}/sys/x'", can_not_start("log archive status is not doing.")),
    ],
)  # fmt: skip
def test_bad_destinations(cast: Cast, statement: str, wanted: Answer) -> None:
    places = {"place": cast.place, "base": cast.server.base, "other_id": cast.tenant_id("oracle_tenant")}
    check(cast.mysql, f"ALTER SYSTEM {statement.format(**places)}", wanted)


# --- section 4: archiving


def test_archiving_refuses_twice_and_while_it_must_not_change(backed_up: Cast) -> None:
    cast, mine = backed_up, f"tenant_id = {backed_up.tenant_id('mysql_tenant')}"
    for client, clause in ((cast.mysql, ""), (cast.sys, " TENANT = mysql_tenant")):
        check(client, f"ALTER SYSTEM ARCHIVELOG{clause}", Answer(9091, "HY000", "Already in ARCHIVELOG mode"))
        change = f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{cast.place}/other'{clause}"
        check(client, change, unsupported("change archive dest when archive is running is"))
        check(
            client,
            f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = ''{clause}",
            unsupported("change archive dest when archive is running is"),
        )
    with row_of(cast, "tenant", mine, status="'RESTORE'"):
        refusal = Answer(9023, "HY000", "cannot start log archive backup")
        check(cast.sys, "ALTER SYSTEM ARCHIVELOG TENANT = mysql_tenant", refusal)
        check(cast.mysql, "ALTER SYSTEM NOARCHIVELOG", refusal)
    # One tenant that fails does not undo the others, and among all tenants no failure is told.
    cast.oracle.run("ALTER SYSTEM NOARCHIVELOG")
    check(cast.sys, "ALTER SYSTEM ARCHIVELOG TENANT = mysql_tenant, oracle_tenant", Answer(9091, "HY000"))
    check(cast.oracle, "ALTER SYSTEM ARCHIVELOG", Answer(9091, "HY000"))
    check(cast.sys, "ALTER SYSTEM ARCHIVELOG", OK)
    wait_doing(cast.sys, "oracle_tenant")


# --- section 3.2 and 5.2: destinations of others, start checks in order


def test_destinations_of_others_and_within_others_are_refused(backed_up: Cast, tmp_path: Path) -> None:
    cast = backed_up
    (tmp_path / "somebodys.txt").write_text("keep me")
    theirs = cast.place / "mysql_tenant"
    moved = cast.place / "moved"
    moved.mkdir()
    shutil.copy(cast.place / "oracle_tenant" / "archive" / "format.obbak", moved)
    for path, wanted in (
        (tmp_path, NOT_OURS),
        (theirs, NOT_OURS),
        (theirs / "data", ANOTHERS),
        (theirs / "archive", ANOTHERS),
        (theirs / "data" / "backup_set_1_full" / "data", ANOTHERS),
        (theirs / "data" / "new", ANOTHERS),
        (theirs / "archive" / "rounds" / "new" / "deep", ANOTHERS),
        (cast.place / "oracle_tenant" / "archive", ANOTHERS),
        (moved, ANOTHERS),
    ):
        check(cast.oracle, f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{path}'", wanted)
        check(cast.oracle, f"ALTER SYSTEM BACKUP DATABASE TO 'file://{path}'", wanted)
        check(cast.sys, f"ALTER SYSTEM BACKUP TENANT = oracle_tenant TO 'file://{path}'", wanted)
    assert (tmp_path / "somebodys.txt").read_text() == "keep me"
    assert not (theirs / "data" / "new").exists()
    assert (
        cast.oracle.rows("select * from SYS.DBA_OB_BACKUP_JOBS union select * from SYS.DBA_OB_BACKUP_JOB_HISTORY") == []
    )


def test_start_checks_come_in_their_order(backed_up: Cast) -> None:
    """Each step is taken away in turn; the first that fails is told, and nothing is recorded."""
    cast, mine = backed_up, f"tenant_id = {backed_up.tenant_id('mysql_tenant')}"
    not_normal = can_not_start("tenant status is not normal.")
    not_archiving = can_not_start("log archive status is not doing.")
    no_destination = can_not_start("backup dest is not set.")
    listed, own, everyone = (
        "ALTER SYSTEM BACKUP TENANT = mysql_tenant",
        "ALTER SYSTEM BACKUP DATABASE",
        "ALTER SYSTEM BACKUP DATABASE",
    )
    jobs = "select count(*) from __holdfast.backup_job"
    count = cast.sys.one(jobs)
    # oracle_tenant has no destination and is skipped among all
    check(cast.sys, "ALTER SYSTEM BACKUP TENANT = oracle_tenant", no_destination)
    check(cast.sys, "ALTER SYSTEM BACKUP TENANT = mysql_tenant, oracle_tenant", no_destination)
    check(cast.oracle, own, no_destination)
    with row_of(cast, "archive_round", mine, status="'SUSPEND'"):
        check(cast.sys, listed, not_archiving)
        check(cast.mysql, own, not_archiving)
        check(
            cast.sys,
            everyone,
            Answer(9040, "HY000", "backup can not start, because no tenant meets the backup condition"),
        )
        with row_of(cast, "tenant", mine, status="'RESTORE'"):
            check(cast.sys, listed, not_normal)
            check(cast.mysql, own, not_normal)
    with row_of(cast, "backup_job", f"{mine} and job_id = 1", status="'DOING'", end_timestamp="NULL"):
        check(cast.sys, listed, IN_PROGRESS)
        check(cast.mysql, own, IN_PROGRESS)
        check(cast.mysql, f"ALTER SYSTEM BACKUP DATABASE TO 'file://{cast.place}/never'", IN_PROGRESS)
        check(cast.sys, everyone, Answer(9040, "HY000"))
        check(cast.mysql, "ALTER SYSTEM SET DATA_BACKUP_DEST = ''", IN_PROGRESS)
        with row_of(cast, "archive_round", mine, status="'SUSPEND'"):
            check(cast.sys, listed, not_archiving)
            check(cast.mysql, own, IN_PROGRESS)
    assert not (cast.place / "never").exists()
    assert cast.sys.one(jobs) == count


# --- section 5.4: a named path


def test_a_named_path_has_its_own_chain_and_restores(backed_up: Cast) -> None:
    """Increments are judged on the named path; DATA_BACKUP_DEST stays what it was."""
    cast, path = backed_up, backed_up.place / "named"
    check(cast.sys, f"ALTER SYSTEM BACKUP DATABASE TO 'file://{path}'", Answer(1235, "0A000"))
    check(
        cast.sys, f"ALTER SYSTEM BACKUP TENANT = mysql_tenant, oracle_tenant TO 'file://{path}'", Answer(1235, "0A000")
    )
    check(cast.mysql, "ALTER SYSTEM BACKUP DATABASE TO 'file://relative'", BAD_URI)
    check(cast.mysql, f"ALTER SYSTEM BACKUP DATABASE TO 'file://{cast.server.base}/sys/x'", Answer(9026, "HY000"))
    (cast.place / "plain").write_text("a file")
    check(cast.mysql, f"ALTER SYSTEM BACKUP DATABASE TO 'file://{cast.place}/plain/below'", UNREACHABLE)
    cast.oracle.run("create table test.kept(i int primary key)")
    cast.oracle.run("insert into test.kept values (1)")
    to = f"TO = 'file://{path}' PLUS ARCHIVELOG"
    first = run_backup(cast.oracle, f"ALTER SYSTEM BACKUP INCREMENTAL DATABASE {to} DESCRIPTION = 'named'")
    assert first == ("FULL", f"file://{path}", "named", 1)
    cast.oracle.run("insert into test.kept values (2)")
    assert run_backup(cast.oracle, f"ALTER SYSTEM BACKUP INCREMENTAL DATABASE {to}") == ("INC", f"file://{path}", "", 2)
    assert cast.oracle.rows("select * from SYS.DBA_OB_BACKUP_PARAMETER") == []
    tenant_id = cast.tenant_id("oracle_tenant")
    assert cast.oracle.rows(
        f"select TENANT_ID, DEST_TYPE from SYS.DBA_OB_BACKUP_STORAGE_INFO where PATH = 'file://{path}'"
    ) == [(tenant_id, "backup_data")]
    check(cast.mysql, f"ALTER SYSTEM BACKUP DATABASE TO 'file://{path}'", ANOTHERS)
    cast.sys.run(f"ALTER SYSTEM RESTORE from_named FROM 'file://{path}'")
    state = (
        "select STATUS, TENANT_ROLE, COMPATIBILITY_MODE from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'from_named'"
    )
    assert wait_for(lambda: cast.sys.rows(state), lambda rows: rows[0][0] == "NORMAL") == [
        ("NORMAL", "STANDBY", "ORACLE")
    ]
    with cast.server.client("sys@from_named") as restored:
        assert restored.rows("select i from test.kept order by i") == [(1,), (2,)]
        check(restored, "insert into test.kept values (3)", Answer(4688, "HY000", "standby tenant is read only"))
        restored.run("ALTER SYSTEM ACTIVATE STANDBY")
        restored.run("insert into test.kept values (3)")
    cast.sys.run("DROP TENANT from_named FORCE")


# --- section 7: cancelling


def test_cancelling_nothing_succeeds_and_cancels_nobody_else(backed_up: Cast) -> None:
    cast = backed_up
    for client in (cast.sys, cast.mysql, cast.oracle):
        check(client, "ALTER SYSTEM CANCEL BACKUP", OK)
    check(
        cast.mysql,
        "ALTER SYSTEM CANCEL BACKUP TENANT = mysql_tenant",
        unsupported("user tenant cannot specify tenant names"),
    )
    mine = f"tenant_id = {cast.tenant_id('mysql_tenant')} and job_id = 1"
    with row_of(cast, "backup_job", mine, status="'DOING'", end_timestamp="NULL", cancel_requested="'OFF'"):
        status = "select STATUS from oceanbase.DBA_OB_BACKUP_JOBS"
        check(cast.oracle, "ALTER SYSTEM CANCEL BACKUP", OK)
        check(cast.sys, "ALTER SYSTEM CANCEL BACKUP TENANT = oracle_tenant", OK)
        assert cast.mysql.rows(status) == [("DOING",)]
        check(cast.mysql, "ALTER SYSTEM CANCEL BACKUP", OK)
        assert cast.mysql.rows(status) == [("CANCELING",)]


# --- sections 3.4, 8 and 14


def test_external_storage_of_a_file_path(backed_up: Cast) -> None:
    change = f"ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST PATH = 'file://{backed_up.place}/mysql_tenant/data' SET "
    tenant = backed_up.mysql
    check(
        tenant, change + "ACCESS_INFO = 'access_id=i'", wrong_argument("reset ak/sk, access_id or access_key is null")
    )
    check(tenant, change + "ACCESS_INFO = 'access_id=i&access_key=k'", unsupported("reset ak/sk of nfs path"))
    check(tenant, change + "ATTRIBUTE = 'zone=zone7'", Answer(9133, "HY000"))
    check(tenant, change + "ATTRIBUTE = 'idc=here'", Answer(9133, "HY000"))
    check(backed_up.oracle, change + "ATTRIBUTE = 'zone=zone1'", Answer(4018, "HY000", "the path does not exist"))
    check(tenant, change + "ATTRIBUTE = 'zone=zone1'", OK)
    shown = "select EXTENSION from oceanbase.DBA_OB_BACKUP_STORAGE_INFO where DEST_TYPE = 'backup_data'"
    assert tenant.rows(shown) == [("zone=zone1",)]


def test_cluster_parameters_are_written_whole_and_beside_nothing_else(backed_up: Cast) -> None:
    cast, path = backed_up, backed_up.place / "written"
    to = f"ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{path}'"
    check(cast.sys, f"{to} ENCRYPTED BY 'pw'", unsupported("backup cluster parameters encrypted by a password is"))
    cast.sys.run("ALTER SYSTEM SET ha_high_thread_score = 77 TENANT = oracle_tenant")
    for _ in range(2):
        check(cast.sys, to, OK)
    cast.sys.run("ALTER SYSTEM RESET ha_high_thread_score TENANT = oracle_tenant")
    written = sorted(path.glob("*.obbak"))
    assert len(written) == 2
    taken = decode_cluster_parameters(written[-1].read_bytes())
    values = {tenant.tenant_name: {one.name: one.value for one in tenant.parameters} for tenant in taken.tenants}
    assert values["oracle_tenant"]["ha_high_thread_score"] == "77"
    assert values["mysql_tenant"]["ha_high_thread_score"] == "0"
    assert values["sys"]["undo_retention"] == "1800"
    assert "external_kms_info" not in values["sys"]
    check(cast.sys, f"ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{cast.place}'", NOT_OURS)
    data = cast.place / "mysql_tenant" / "data"
    check(cast.sys, f"ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{data}'", ANOTHERS)
    check(cast.sys, f"ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{cast.server.base}/x'", Answer(9026, "HY000"))
    check(cast.mysql, f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{path}'", NOT_OURS)


def test_parameters_are_checked_by_their_ranges(cast: Cast) -> None:
    """Every parameter of ours refuses what lies outside its range, and every name of V3."""
    beside = {"INT": "x", "TIME": "1x", "CAPACITY": "1", "BOOL": "perhaps", "STRING": "something"}
    for definition in DEFINITIONS:
        client = cast.sys if definition.is_cluster_wide else cast.mysql
        bad = {beside[definition.kind.name], *(("-1",) if definition.kind.name == "INT" else ())}
        if definition.most is not None and definition.kind.name == "INT":
            bad.add(str(int(definition.most) + 1))
        # What names a source is no value in a range.
        wanted = Answer(1210, "HY000") if definition.name == "backup_encryption" else Answer(4147, "HY000")
        for value in bad:
            check(client, f"ALTER SYSTEM SET {definition.name} = '{value}'", wanted)
        if definition.is_cluster_wide:
            check(cast.mysql, f"ALTER SYSTEM SET {definition.name} = '{definition.default}'", NO_RIGHT)
            shown = cast.sys.rows(f"SHOW PARAMETERS LIKE '{definition.name}'")
            assert [(row[6], row[9]) for row in shown] == [(definition.default, "CLUSTER")]
            assert cast.mysql.rows(f"SHOW PARAMETERS LIKE '{definition.name}'") == []
    check(cast.sys, "ALTER SYSTEM SET _backup_idle_time = '9s'", Answer(4147, "HY000"))
    check(cast.sys, "ALTER SYSTEM SET _backup_idle_time = '1h'", OK)
    assert cast.sys.rows("SHOW PARAMETERS LIKE '_backup_idle_time'")[0][6] == "1h"
    check(cast.sys, "ALTER SYSTEM RESET _backup_idle_time", OK)
    check(cast.sys, "ALTER SYSTEM SET _backup_idle_time = '1h' TENANT = mysql_tenant", Answer(1235, "0A000"))
    for name in (*DEPRECATED, "no_such_parameter"):
        for client, clause in ((cast.sys, ""), (cast.sys, " TENANT = mysql_tenant"), (cast.oracle, "")):
            check(client, f"ALTER SYSTEM SET {name} = '1'{clause}", Answer(5099, "42000", "System config unknown"))
