"""Every statement of the first path, through the gateway, on real engines: what it does and what it refuses."""

import os
from pathlib import Path

import pytest

from server_rig import Client, Server, archive, backup, restore, wait_archived, wait_for

pytestmark = pytest.mark.live


# --- tenants and resources


def test_a_tenant_with_a_pool_gets_its_unit_as_memory_and_log_disk(server: Server, sys_client: Client) -> None:
    sys_client.run("CREATE RESOURCE UNIT u1 MAX_CPU = 1, MEMORY_SIZE = '1G', LOG_DISK_SIZE = '3G'")
    sys_client.run("CREATE RESOURCE POOL p1 UNIT = 'u1', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
    sys_client.run("CREATE TENANT pooled RESOURCE_POOL_LIST = ('p1')")
    with server.client("root@pooled") as client:
        shown = dict(
            client.rows(
                "select name, value from oceanbase.V$OB_PARAMETERS where name in ('memory_budget', 'log_disk_size')"
            )
        )
    assert {"memory_budget", "log_disk_size"} == set(shown)
    assert shown["memory_budget"] in {"1G", "1024M"}
    assert shown["log_disk_size"] in {"3G", "3072M"}
    assert sys_client.refused("CREATE TENANT other RESOURCE_POOL_LIST = ('p1')")[0] == 4626
    assert sys_client.refused("DROP RESOURCE POOL p1")[0] == 4626
    assert sys_client.refused("DROP RESOURCE UNIT u1")[0] == 4634
    row = sys_client.rows("select TENANT_ID from oceanbase.DBA_OB_RESOURCE_POOLS where NAME = 'p1'")
    assert row == sys_client.rows("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'pooled'")
    sys_client.run("DROP TENANT pooled FORCE")
    sys_client.run("DROP RESOURCE POOL p1")
    sys_client.run("DROP RESOURCE UNIT u1")


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("CREATE RESOURCE UNIT small MAX_CPU = 1, MEMORY_SIZE = '512M'", 4659),
        ("CREATE RESOURCE UNIT small MAX_CPU = 1, MEMORY_SIZE = '1G', LOG_DISK_SIZE = '1G'", 4659),
        ("CREATE RESOURCE UNIT small MAX_CPU = 0, MEMORY_SIZE = '1G'", 4659),
        ("CREATE RESOURCE POOL p UNIT = 'nothing', UNIT_NUM = 1", 4648),
        ("CREATE TENANT t RESOURCE_POOL_LIST = ('nothing')", 4650),
        ("DROP RESOURCE POOL nothing", 4650),
        ("DROP RESOURCE UNIT nothing", 4648),
        ("CREATE TENANT mine", 5156),
        ("CREATE TENANT `../../etc`", 1210),
        ("CREATE TENANT sys2 SET ob_compatibility_mode = 'db2'", 1210),
        ("DROP TENANT nobody", 5157),
        ("DROP TENANT sys", 4179),
        ("CREATE TENANT", 1064),
    ],
)
def test_bad_tenant_and_resource_statements_have_oceanbases_codes(
    sys_client: Client, mine: Client, sql: str, number: int
) -> None:
    assert sys_client.refused(sql)[0] == number


def test_if_exists_and_if_not_exists_warn_instead(sys_client: Client, mine: Client) -> None:
    sys_client.run("CREATE TENANT IF NOT EXISTS mine")
    assert sys_client.rows("SHOW WARNINGS")[0][1] == 5156
    sys_client.run("DROP TENANT IF EXISTS nobody")
    assert sys_client.rows("SHOW WARNINGS")[0][1] == 5157


def test_a_dropped_tenants_directory_goes_away(server: Server, sys_client: Client) -> None:
    sys_client.run("CREATE TENANT gone")
    tenant_id = sys_client.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'gone'")
    assert (server.base / "tenants" / str(tenant_id)).is_dir()
    sys_client.run("DROP TENANT gone")
    assert not (server.base / "tenants" / str(tenant_id)).exists()
    assert list((server.base / "trash").iterdir()) == []
    with pytest.raises(Exception, match="Access denied"):
        server.client("root@gone")


def test_show_tenants_shows_all_to_sys_and_itself_to_a_tenant(sys_client: Client, mine: Client) -> None:
    assert {"sys", "mine"} <= {row[1] for row in sys_client.rows("SHOW TENANTS")}
    assert [row[1] for row in mine.rows("SHOW TENANTS")] == ["mine"]
    assert [row[0] for row in mine.rows("select TENANT_NAME from oceanbase.DBA_OB_TENANTS")] == ["mine"]


# --- rights


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("CREATE TENANT other", 1227),
        ("DROP TENANT mine", 1227),
        ("CREATE RESOURCE UNIT u MAX_CPU = 1, MEMORY_SIZE = '1G'", 1227),
        ("ALTER SYSTEM RESTORE t FROM 'file:///a'", 1227),
        ("ALTER SYSTEM ARCHIVELOG TENANT = mine", 1227),
        ("ALTER SYSTEM BACKUP TENANT = mine", 1235),
        ("ALTER SYSTEM SET ha_low_thread_score = 3 TENANT = mine", 1227),
        ("ALTER SYSTEM SET mysql_port = 1", None),
        ("ALTER SYSTEM SET memory_budget = '8G'", None),
        ("SET GLOBAL secure_file_priv = '/'", None),
        ("DROP USER __holdfast", None),
    ],
)
def test_a_user_tenant_may_not_step_out_of_its_place(mine: Client, sql: str, number: int | None) -> None:
    found = mine.refused(sql)[0]
    assert found == number if number else found in {1227, 1235}


def test_a_user_without_the_privilege_is_refused(server: Server, mine: Client) -> None:
    mine.run("create user weak identified by 'w'")
    with server.client("weak@mine", "w") as weak:
        assert weak.refused("ALTER SYSTEM ARCHIVELOG")[0] == 1227
        assert weak.rows("SHOW PARAMETERS LIKE 'ha_low_thread_score'")[0][6] == "0"


def test_a_user_tenant_sees_no_cdb_view_and_nobody_elses_rows(mine: Client) -> None:
    assert mine.refused("select * from oceanbase.CDB_OB_BACKUP_JOBS")[0] == 1146
    assert mine.rows("select * from oceanbase.DBA_OB_BACKUP_JOBS") == []


def test_a_view_is_no_window_on_the_sys_engines_sessions(sys_client: Client, mine: Client) -> None:
    """The engine shows its process list to everybody; a query sent there for a view must not carry it back."""
    view = "oceanbase.DBA_OB_BACKUP_JOBS"
    for sql in (
        f"select info from information_schema.processlist where (select count(*) from {view}) >= 0",
        f"select p.info from {view} v right join information_schema.`PROCESSLIST` p on 1 = 1",
        f"select 1 from {view}; kill 1",
    ):
        assert mine.refused(sql)[0] in {1227, 1064}, sql
    assert mine.rows("select count(*) from information_schema.processlist")[0][0] >= 1
    assert sys_client.one("select 1") == 1


# --- parameters


def test_parameters_of_ours_are_set_checked_and_shown(sys_client: Client, mine: Client) -> None:
    mine.run("ALTER SYSTEM SET ha_low_thread_score = 7")
    shown = mine.rows("SHOW PARAMETERS LIKE 'ha_low_thread_score'")
    assert len(shown) == 1
    assert len(shown[0]) == 14
    assert shown[0][6] == "7"
    assert sys_client.rows("SHOW PARAMETERS LIKE 'ha\\_low%' TENANT = mine")[0][6] == "7"
    assert mine.one("select value from oceanbase.GV$OB_PARAMETERS where name = 'ha_low_thread_score'") == "7"
    assert mine.refused("ALTER SYSTEM SET ha_low_thread_score = 101")[0] == 4147
    assert mine.refused("ALTER SYSTEM SET ha_low_thread_score = 'many'")[0] == 4147
    assert mine.refused("ALTER SYSTEM SET no_such_parameter = 1")[0] == 5099
    mine.run("ALTER SYSTEM RESET ha_low_thread_score")
    assert mine.rows("SHOW PARAMETERS LIKE 'ha_low_thread_score'")[0][6] == "0"


def test_the_engines_own_parameters_stand_beside_ours(sys_client: Client, mine: Client) -> None:
    sys_client.run("ALTER SYSTEM SET undo_retention = 1801 TENANT = mine")
    assert mine.rows("SHOW PARAMETERS WHERE name = 'undo_retention'")[0][6] == "1801"
    assert {row[4] for row in mine.rows("SHOW PARAMETERS")} >= {"undo_retention", "archive_lag_target", "cpu_count"}


def test_archive_lag_target_needs_a_destination(mine: Client) -> None:
    number, text = mine.refused("ALTER SYSTEM SET archive_lag_target = '10s'")
    assert number == 4179
    assert "log_archive_dest has not been set" in text


# --- destinations


def test_destinations_that_are_dirty_foreign_or_unwritable_are_refused(
    sys_client: Client, mine: Client, place: Path
) -> None:
    dirty = place / "dirty"
    dirty.mkdir(parents=True)
    (dirty / "somebodys.txt").write_text("keep me")
    assert mine.refused(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{dirty}'")[0] == 9080
    assert (dirty / "somebodys.txt").read_text() == "keep me"
    sys_client.run("CREATE TENANT IF NOT EXISTS neighbour")
    sys_client.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{place}/taken' TENANT = neighbour")
    assert mine.refused(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{place}/taken'")[0] == 9081
    assert mine.refused(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/taken'")[0] == 9081
    assert mine.refused("ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://relative'")[0] == 9026
    assert mine.refused("ALTER SYSTEM SET DATA_BACKUP_DEST = 'ftp://host/path'")[0] == 9026
    assert mine.refused("ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'BINDING=Optional'")[0] == 1235
    interval = f"'LOCATION=file://{place}/a PIECE_SWITCH_INTERVAL=8d'"
    assert mine.refused(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = {interval}")[0] == 1235
    binding = f"'LOCATION=file://{place}/a BINDING=Perhaps'"
    assert mine.refused(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = {binding}")[0] == 1210


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_destination_says_permission(mine: Client, place: Path) -> None:
    place.mkdir(mode=0o500)
    assert mine.refused(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{place}/below'")[0] == 9071


# --- archive and backup


def test_a_backup_that_can_not_start_says_why(sys_client: Client, place: Path) -> None:
    sys_client.run("CREATE TENANT fresh")
    number, text = sys_client.refused("ALTER SYSTEM BACKUP TENANT = fresh")
    assert (number, "log archive status is not doing" in text) == (9040, True)
    number, text = sys_client.refused("ALTER SYSTEM BACKUP DATABASE")
    assert number == 9040
    assert "no tenant meets the backup condition" in text
    assert sys_client.refused("ALTER SYSTEM BACKUP TENANT = nobody")[0] == 5160
    assert sys_client.refused("ALTER SYSTEM BACKUP TENANT = sys")[0] == 4016
    sys_client.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/archive' TENANT = fresh")
    sys_client.run("ALTER SYSTEM ARCHIVELOG TENANT = fresh")
    assert sys_client.refused("ALTER SYSTEM ARCHIVELOG TENANT = fresh")[0] == 9091
    sql = "select STATUS from oceanbase.CDB_OB_ARCHIVELOG where STATUS = 'DOING'"
    wait_for(lambda: sys_client.rows(sql), bool)
    number, text = sys_client.refused("ALTER SYSTEM BACKUP TENANT = fresh")
    assert (number, "backup dest is not set" in text) == (9040, True)
    change = f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{place}/other' TENANT = fresh"
    assert sys_client.refused(change)[0] == 1235
    sys_client.run("ALTER SYSTEM NOARCHIVELOG TENANT = fresh")
    assert sys_client.refused("ALTER SYSTEM NOARCHIVELOG TENANT = fresh")[0] == 9092
    sys_client.run("DROP TENANT fresh")


def test_full_backup_and_restores_to_any_moment(server: Server, sys_client: Client, place: Path) -> None:
    """The main job, with the refusals that need a backup to be refused against."""
    sys_client.run("CREATE TENANT source")
    archive(sys_client, "source", place)
    with server.client("root@source") as client:
        client.run("create table test.t(i int primary key, s varchar(100))")
        client.run("insert into test.t values (1, 'before the backup')")
        too_early = client.one("select current_scn()") - 60_000_000_000
        assert backup(sys_client, "source") == ("COMPLETED", 0, "")
        client.run("insert into test.t values (2, 'after it')")
        good = client.one("select max(ora_rowscn) from test.t")
        client.run("delete from test.t")
        later = client.one("select current_scn()")
    row = sys_client.rows(
        "select STATUS, FILE_STATUS, BACKUP_TYPE, PLUS_ARCHIVELOG, MACRO_BLOCK_COUNT = FINISH_MACRO_BLOCK_COUNT, "
        "MIN_RESTORE_SCN <= %s, START_REPLAY_SCN <= MIN_RESTORE_SCN, MIN_RESTORE_SCN_DISPLAY is not null, ENCRYPTION_MODE "
        "from oceanbase.CDB_OB_BACKUP_SET_FILES where TENANT_ID = (select TENANT_ID from oceanbase.DBA_OB_TENANTS where "
        "TENANT_NAME = 'source')",
        (good,),
    )
    assert row == [("SUCCESS", "AVAILABLE", "FULL", "OFF", 1, 1, 1, 1, "NONE")]
    wait_archived(sys_client, later)
    assert restore(sys_client, "then_", place, f"UNTIL SCN = {good}")[0] == "SUCCESS"
    with server.client("root@then_") as client:
        assert client.rows("select i from test.t order by i") == [(1,), (2,)]
        assert client.refused("insert into test.t values (3, 'no')")[0] == 4688
    assert _refusal(sys_client, "then_", place, f"UNTIL SCN = {good}")[0] == 4179
    number, text = _refusal(sys_client, "x", place, f"UNTIL SCN = {too_early}")
    assert number == 4018
    assert "reachable: SCN" in text
    number, text = _refusal(sys_client, "x", place, f"UNTIL SCN = {later + 3_600_000_000_000}")
    assert number == 4018
    assert "No enough log" in text
    assert "missing: log from LSN" in text
    assert _refusal(sys_client, "x", place, "UNTIL SCN = 0")[0] == 1210
    assert _refusal(sys_client, "x", place, "UNTIL TIME = 'yesterday'")[0] == 1525
    assert _refusal(sys_client, "x", place, "UNTIL TIME = '0001-01-01 00:00:00'")[0] == 1525
    assert _refusal(sys_client, "x", place, f"DESCRIPTION = '{'d' * 2000}'")[0] == 1210
    assert _refusal(sys_client, "x", place, f"UNTIL SCN = {good} WITH 'pool_list=nothing'")[0] == 4650
    assert _refusal(sys_client, "x", place, f"UNTIL SCN = {good} WITH 'locality=F@z1'")[0] == 1210
    assert sys_client.refused(f"ALTER SYSTEM RESTORE x FROM 'file://{place}'")[0] == 9120
    assert sys_client.refused("ALTER SYSTEM RESTORE x FROM 'file:///nowhere/at/all'")[0] == 9120
    assert [row[1] for row in sys_client.rows("SHOW TENANTS") if row[1] == "x"] == []
    sys_client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = then_")
    sys_client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = then_")
    with server.client("root@then_") as client:
        client.run("insert into test.t values (3, 'yes')")
    row = sys_client.rows("select TENANT_ROLE, STATUS from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'then_'")
    assert row == [("PRIMARY", "NORMAL")]


def _refusal(client: Client, name: str, place: Path, until: str) -> tuple[int, str]:
    return client.refused(f"ALTER SYSTEM RESTORE {name} FROM 'file://{place}/data,file://{place}/archive' {until}")


def test_several_statements_in_one_text_run_in_order(server: Server, mine: Client) -> None:
    from pymysql.constants import CLIENT

    with server.client("root@mine", client_flag=CLIENT.MULTI_STATEMENTS) as client:
        cursor = client.connection.cursor()
        cursor.execute(
            "ALTER SYSTEM SET ha_low_thread_score = 9; select 42; SHOW PARAMETERS LIKE 'ha_low_thread_score'"
        )
        results = [cursor.fetchall()]
        while cursor.nextset():
            results.append(cursor.fetchall())
    assert list(results[1]) == [(42,)]
    assert results[2][0][6] == "9"


def test_what_comes_later_says_so(sys_client: Client, mine: Client) -> None:
    for sql in (
        "ALTER SYSTEM SWITCHOVER TO PRIMARY TENANT = mine",
        "ALTER SYSTEM BACKUP BACKUPSET 1",
    ):
        assert sys_client.refused(sql)[0] == 1235


def test_a_session_that_selects_no_rows_still_runs_our_statements(server: Server) -> None:
    with server.client() as client:
        client.run("SET SESSION sql_select_limit = 0")
        assert client.rows("SHOW TENANTS")
