"""The dictionary views on a real engine: exact types, times in the session's zone, and who may read what."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pymysql
import pytest
from catalog_rig import SysEngine
from catalog_samples import START_SCN, START_US, archive_round, backup_set, job, piece, restore, task, tenant_value

from holdfast.catalog import views
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import EngineParameter, ParameterDefinition
from holdfast.engine.session import SqlError
from holdfast.errors import StatementError
from holdfast.values.backup_set import JobStatus, TaskStatus
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import Tenant

pytestmark = pytest.mark.live

PASSWORD = "p'a\"s\\s%s"
TENANT_ERROR = 1142
WRITE_ERRORS = {1142, 1227, 1044}


@pytest.fixture(scope="module")
def viewed(catalog: Catalog) -> Tenant:
    """A tenant with views, shared by tests that leave it as it is: its DDL is the slow part."""
    made = tenant_value(catalog.tenants.next_tenant_id(), "viewed")
    catalog.tenants.add(made)
    catalog.install_tenant(made.tenant_id, PASSWORD)
    return made


@pytest.fixture
def alone(catalog: Catalog, tenant: Tenant) -> Tenant:
    """A tenant with views that the test may spoil."""
    catalog.install_tenant(tenant.tenant_id, PASSWORD)
    return tenant


def shown(
    engine: SysEngine, view: str, tenant: Tenant, columns: str = "*", zone: str = "+00:00"
) -> list[tuple[object, ...]]:
    return engine.query(f"SELECT {columns} FROM oceanbase.{view} WHERE TENANT_ID = %s", (tenant.tenant_id,), zone=zone)


def test_every_view_has_exactly_the_columns_and_types_of_the_table(engine: SysEngine, viewed: Tenant) -> None:
    placed = [*views.sys_views(), *views.tenant_views(viewed.tenant_id)]
    for view in placed:
        found = engine.query(
            "SELECT column_name, column_type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (view.schema, view.name),
        )
        assert found == [(column.name, column.type) for column in view.columns], f"{view.schema}.{view.name}"
    assert len(placed) > 50


def test_every_view_can_be_read(engine: SysEngine, viewed: Tenant) -> None:
    for view in [*views.sys_views(), *views.tenant_views(viewed.tenant_id)]:
        engine.query(f"SELECT * FROM {view.schema}.`{view.name}`")


def test_installing_twice_changes_nothing(engine: SysEngine, catalog: Catalog, viewed: Tenant) -> None:
    before = engine.query("SELECT * FROM __holdfast.installed ORDER BY name")
    catalog.install()
    catalog.install_tenant(viewed.tenant_id, PASSWORD)
    assert engine.query("SELECT * FROM __holdfast.installed ORDER BY name") == before
    assert catalog.tenants.by_id(viewed.tenant_id) == viewed


def test_a_view_of_an_older_build_is_replaced(engine: SysEngine, catalog: Catalog) -> None:
    engine.query("CREATE OR REPLACE VIEW oceanbase.CDB_OB_BACKUP_PARAMETER AS SELECT 1 AS OLD")
    engine.query("UPDATE __holdfast.installed SET value = 'older' WHERE name = 'views'")
    catalog.install()
    assert engine.query("SELECT * FROM oceanbase.CDB_OB_BACKUP_PARAMETER WHERE TENANT_ID = 0") == []


@pytest.fixture(scope="module")
def other(catalog: Catalog) -> int:
    """The id of another tenant whose views exist."""
    catalog.install_tenant(9000, "other")
    return 9000


class TestIsolation:
    """A reader of t<n> sees its own rows and nothing else, held by the engine's grants."""

    def run(self, engine: SysEngine, tenant: Tenant, sql: str) -> tuple[tuple[object, ...], ...]:
        with engine.connect(views.tenant_user(tenant.tenant_id), PASSWORD) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def test_its_views_show_its_rows_only(
        self, engine: SysEngine, catalog: Catalog, viewed: Tenant, other: int
    ) -> None:
        catalog.backups.insert_set(backup_set(viewed.tenant_id, 7))
        catalog.backups.insert_set(replace(backup_set(other, 8), backup_set_id=8))
        home = views.tenant_schema(viewed.tenant_id)
        assert self.run(engine, viewed, f"SELECT BACKUP_SET_ID FROM {home}.DBA_OB_BACKUP_SET_FILES") == ((7,),)
        assert self.run(engine, viewed, f"SELECT TENANT_ID FROM {home}.DBA_OB_TENANTS") == ((viewed.tenant_id,),)

    @pytest.mark.parametrize(
        "place",
        [
            "oceanbase.CDB_OB_BACKUP_SET_FILES",
            "oceanbase.DBA_OB_BACKUP_SET_FILES",
            "oceanbase.DBA_OB_TENANTS",
            "oceanbase.`GV$OB_PARAMETERS`",
            "__holdfast.backup_set",
            "__holdfast.SHOW_PARAMETERS",
            "t9000.DBA_OB_BACKUP_SET_FILES",
            "mysql.user",
        ],
    )
    def test_everything_else_is_refused(self, engine: SysEngine, viewed: Tenant, other: int, place: str) -> None:
        home = views.tenant_schema(viewed.tenant_id)
        for sql in (
            f"SELECT * FROM {place}",
            f"SELECT 1 FROM {home}.DBA_OB_TENANTS UNION ALL SELECT COUNT(*) FROM {place}",
        ):
            with pytest.raises(pymysql.MySQLError) as caught:
                self.run(engine, viewed, sql)
            assert caught.value.args[0] == TENANT_ERROR, sql

    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM {home}.DBA_OB_BACKUP_JOBS",
            "UPDATE {home}.DBA_OB_BACKUP_JOBS SET RESULT = 1",
            "CREATE TABLE {home}.mine (a INT)",
            "DROP VIEW {home}.DBA_OB_BACKUP_JOBS",
            "CREATE DATABASE mine",
            "GRANT SELECT ON *.* TO {user}",
            "SELECT 1 FROM {home}.DBA_OB_TENANTS INTO OUTFILE '/tmp/holdfast-never'",
            "ALTER SYSTEM SET memory_budget = '2G'",
        ],
    )
    def test_writes_are_refused(self, engine: SysEngine, viewed: Tenant, sql: str) -> None:
        user = views.tenant_user(viewed.tenant_id)
        with pytest.raises(pymysql.MySQLError) as caught:
            self.run(engine, viewed, sql.format(home=views.tenant_schema(viewed.tenant_id), user=user))
        assert caught.value.args[0] in WRITE_ERRORS

    def test_a_new_password_replaces_the_old(self, engine: SysEngine, catalog: Catalog, alone: Tenant) -> None:
        catalog.install_tenant(alone.tenant_id, "another")
        with pytest.raises(SqlError):
            engine.connect(views.tenant_user(alone.tenant_id), PASSWORD)
        engine.connect(views.tenant_user(alone.tenant_id), "another").close()

    def test_a_removed_tenant_has_neither_schema_nor_reader(
        self, engine: SysEngine, catalog: Catalog, alone: Tenant
    ) -> None:
        catalog.remove_tenant(alone.tenant_id)
        catalog.remove_tenant(alone.tenant_id)
        with pytest.raises(SqlError):
            engine.connect(views.tenant_user(alone.tenant_id), PASSWORD)
        home = views.tenant_schema(alone.tenant_id)
        assert engine.query("SELECT 1 FROM information_schema.tables WHERE table_schema = %s", (home,)) == []
        catalog.install_tenant(alone.tenant_id, PASSWORD)
        assert self.run(engine, alone, f"SELECT COUNT(*) FROM {home}.DBA_OB_BACKUP_JOBS") == ((0,),)


def test_scn_displays_follow_the_session_and_never_round_up(
    engine: SysEngine, catalog: Catalog, tenant: Tenant
) -> None:
    catalog.backups.insert_set(backup_set(tenant.tenant_id, 1))
    columns = "START_REPLAY_SCN, START_REPLAY_SCN_DISPLAY, MIN_RESTORE_SCN, MIN_RESTORE_SCN_DISPLAY, END_TIMESTAMP"
    assert shown(engine, "CDB_OB_BACKUP_SET_FILES", tenant, columns) == [
        (int(START_SCN), START_SCN.display(), 0, None, None)
    ]
    ((_, display, *_),) = shown(engine, "CDB_OB_BACKUP_SET_FILES", tenant, columns, zone="+05:30")
    assert display == "2026-11-23 14:43:18.123456"


def test_round_figures_are_shown_as_oceanbase_writes_them(engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
    catalog.rounds.save(archive_round(tenant.tenant_id, 1), [piece(tenant.tenant_id, 1, 1)])
    columns = (
        "INPUT_BYTES_DISPLAY, OUTPUT_BYTES_DISPLAY, COMPRESSION_RATIO, PIECE_SWITCH_INTERVAL, COMPRESSION,"
        " DELETED_INPUT_BYTES_DISPLAY, CAST(CHECKPOINT_SCN_DISPLAY AS CHAR)"
    )
    expected = ("3.00GB", "1.00GB", Decimal("0.33"), 86400000000, "none", "0.00MB", "2026-11-23 09:13:23.123456")
    assert shown(engine, "CDB_OB_ARCHIVELOG", tenant, columns) == [expected]
    assert shown(engine, "CDB_OB_ARCHIVELOG_SUMMARY", tenant, columns) == [expected]
    pieces = shown(engine, "CDB_OB_ARCHIVELOG_PIECE_FILES", tenant, "PIECE_ID, BASE_SCN, START_SCN, CREATE_TIMESTAMP")
    assert pieces == [(1, int(START_SCN), int(START_SCN), 1_795_425_198_080_272)]


@pytest.mark.parametrize(
    ("size", "display"),
    [
        (0, "0.00MB"),
        (5243, "0.01MB"),
        ((1 << 30) - 1, "1024.00MB"),
        (1 << 30, "1.00GB"),
        (5 << 40, "5.00TB"),
        (3 << 49, "1.50PB"),
    ],
)
def test_bytes_are_displayed_with_two_decimals_from_mb_to_pb(
    engine: SysEngine, catalog: Catalog, tenant: Tenant, size: int, display: str
) -> None:
    catalog.rounds.save(replace(archive_round(tenant.tenant_id, 1), input_bytes=size))
    assert shown(engine, "CDB_OB_ARCHIVELOG", tenant, "INPUT_BYTES_DISPLAY") == [(display,)]


def test_a_stopped_round_leaves_archivelog_and_stays_in_the_summary(
    engine: SysEngine, catalog: Catalog, tenant: Tenant
) -> None:
    stopped = archive_round(tenant.tenant_id, 1)
    catalog.rounds.save(replace(stopped, status=type(stopped.status).STOP))
    assert shown(engine, "CDB_OB_ARCHIVELOG", tenant) == []
    assert shown(engine, "CDB_OB_ARCHIVELOG_SUMMARY", tenant, "ROUND_ID, STATUS") == [(1, "STOP")]


def test_an_ended_backup_moves_to_the_history_views(engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
    tenant_id = tenant.tenant_id
    running = job(tenant_id, 1)
    catalog.backups.submit([running])
    running = replace(running, status=JobStatus.DOING)
    catalog.backups.begin(running, task(tenant_id, 1, 1), backup_set(tenant_id, 1))
    columns = "JOB_ID, END_TIMESTAMP, DESCRIPTION, EXECUTOR_TENANT_ID, PLUS_ARCHIVELOG"
    assert shown(engine, "CDB_OB_BACKUP_JOBS", tenant, columns) == [(1, None, "größer als 💾", str(tenant_id), "ON")]
    assert shown(engine, "CDB_OB_BACKUP_TASKS", tenant, "DATA_PROGRESS, LOG_PROGRESS, OUTPUT_RATE_BYTES") == [
        (Decimal("33.33"), Decimal("99.99"), Decimal("0.0000"))
    ]
    assert shown(engine, "CDB_OB_BACKUP_JOB_HISTORY", tenant) == []

    end_us = START_US + 2_500_000
    catalog.backups.finish(
        replace(running, status=JobStatus.COMPLETED, end_timestamp_us=end_us),
        task=replace(
            task(tenant_id, 1, 1), status=TaskStatus.COMPLETED, end_timestamp_us=end_us, output_bytes=1_000_000
        ),
        backup_set=replace(backup_set(tenant_id, 1), end_timestamp_us=end_us, output_bytes=1_000_000),
    )
    for view in ("CDB_OB_BACKUP_JOBS", "CDB_OB_BACKUP_TASKS"):
        assert shown(engine, view, tenant) == []
    assert shown(engine, "CDB_OB_BACKUP_JOB_HISTORY", tenant, "JOB_ID, STATUS") == [(1, "COMPLETED")]
    assert shown(engine, "CDB_OB_BACKUP_TASK_HISTORY", tenant, "TASK_ID, OUTPUT_RATE_BYTES") == [
        (1, Decimal("400000.0000"))
    ]
    assert shown(engine, "CDB_OB_BACKUP_SET_FILES", tenant, "ELAPSED_SECONDES, END_TIMESTAMP, OUTPUT_RATE_BYTES") == [
        (Decimal(3), "2026-11-23 09:13:20.623456", Decimal("400000.0000"))
    ]


def test_both_rows_of_a_restore_move_to_the_history_view(engine: SysEngine, catalog: Catalog) -> None:
    target = catalog.tenants.next_tenant_id()
    rows = [restore(1, catalog.restores.next_job_id(1), "moved", target), restore(target, 1, "moved", target)]
    rows[0] = replace(rows[0], status=RestoreStatus.CREATE_TENANT)
    catalog.restores.insert(rows)
    sql = "SELECT TENANT_ID, {} FROM oceanbase.{} WHERE RESTORE_TENANT_ID = %s ORDER BY TENANT_ID"
    columns = "STATUS, RECOVER_PROGRESS, RESTORE_PROGRESS, BACKUP_TENANT_ID, DESCRIPTION"
    assert engine.query(sql.format(columns, "CDB_OB_RESTORE_PROGRESS"), (target,)) == [
        (1, "CREATE_TENANT", Decimal("0.00"), Decimal("33.33"), "1002", "drill"),
        (target, "RESTORING", Decimal("0.00"), Decimal("33.33"), "1002", "drill"),
    ]
    replaying = replace(rows[1], status=RestoreStatus.RESTORE_WAIT_LS, recover_scn=Scn(START_SCN + 999))
    catalog.restores.update(replaying)
    progress = engine.query(sql.format("STATUS, RECOVER_PROGRESS", "CDB_OB_RESTORE_PROGRESS"), (target,))
    assert progress[1] == (target, "RESTORING", Decimal("99.90"))

    ended = {"finish_timestamp_us": START_US + 1, "status": RestoreStatus.RESTORE_SUCCESS}
    catalog.restores.finish(*(replace(row, **ended) for row in rows))
    assert engine.query(sql.format("1", "CDB_OB_RESTORE_PROGRESS"), (target,)) == []
    assert engine.query(sql.format("STATUS, BACKUP_TENANT_ID", "CDB_OB_RESTORE_HISTORY"), (target,)) == [
        (1, "SUCCESS", 1002),
        (target, "SUCCESS", 1002),
    ]


def test_dba_views_of_sys_show_tenant_1_alone(engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
    catalog.backups.submit([job(tenant.tenant_id, 1)])
    catalog.backups.submit([replace(job(1, catalog.backups.next_job_id(1)), description="of sys")])
    assert engine.query("SELECT DESCRIPTION FROM oceanbase.DBA_OB_BACKUP_JOBS") == [("of sys",)]
    (of_sys,) = catalog.backups.active_jobs(tenant_id=1)
    catalog.backups.finish(replace(of_sys, status=JobStatus.COMPLETED, end_timestamp_us=START_US))


def test_tenants_view_names_types_and_hides_scns_of_sys(engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
    columns = "TENANT_NAME, TENANT_TYPE, TENANT_ROLE, SYNC_SCN, LOG_MODE, COMPATIBLE"
    sql = f"SELECT {columns} FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_ID = %s"
    assert engine.query(sql, (1,)) == [("sys", "SYS", "PRIMARY", None, "NOARCHIVELOG", "1.4.0.0")]
    assert engine.query(sql, (tenant.tenant_id,)) == [(tenant.name, "USER", "PRIMARY", 0, "NOARCHIVELOG", "1.4.0.0")]


class TestParameters:
    DEFINITIONS = (
        ParameterDefinition(name="ha_low_thread_score", data_type="INT", default_value="0", info="Range: [0,100]"),
        ParameterDefinition(name="archive_lag_target", data_type="TIME", default_value="120s", info="lag"),
    )
    NATIVE = EngineParameter(
        name="memory_budget",
        data_type="CAPACITY",
        value="1G",
        info="the budget",
        section="OBSERVER",
        scope="CLUSTER",
        source="DEFAULT",
        edit_level="DYNAMIC_EFFECTIVE",
        default_value="0M",
        is_default=False,
    )

    @pytest.fixture(autouse=True)
    def defined(self, catalog: Catalog) -> None:
        catalog.parameters.define(self.DEFINITIONS)
        catalog.parameters.set_server("127.0.0.1", 12881)

    def test_show_prints_the_14_columns_of_ours_and_the_engines(self, catalog: Catalog, tenant: Tenant) -> None:
        catalog.parameters.mirror_engine_parameters(tenant.tenant_id, [self.NATIVE])
        catalog.parameters.set(tenant.tenant_id, "HA_Low_Thread_Score", "10")
        rows = catalog.parameters.show(tenant.tenant_id)
        assert [(row.name, row.value, row.isdefault) for row in rows] == [
            ("archive_lag_target", "120s", 1),
            ("ha_low_thread_score", "10", 0),
            ("memory_budget", "1G", 0),
        ]
        assert {(row.zone, row.svr_type, row.svr_ip, row.svr_port) for row in rows} == {
            ("zone1", "observer", "127.0.0.1", 12881)
        }
        assert [row.name for row in catalog.parameters.show(tenant.tenant_id, "HA\\_low%")] == ["ha_low_thread_score"]

    @pytest.mark.parametrize(
        ("value", "own"),
        [
            ("file:/etc/keys/shop", "file"),
            ("env:SHOP_KEY", "env"),
            ("command:/bin/vault ***", "command"),
            ("password", "password"),
            ("NONE", "NONE"),
        ],
    )
    def test_a_tenant_is_shown_the_kind_of_its_key_source(
        self, catalog: Catalog, engine: SysEngine, tenant: Tenant, value: str, own: str
    ) -> None:
        definition = replace(self.DEFINITIONS[0], name="backup_encryption", default_value="NONE", data_type="STR_LIST")
        catalog.parameters.define([*self.DEFINITIONS, definition])
        catalog.parameters.set(tenant.tenant_id, "backup_encryption", value)
        catalog.parameters.set(tenant.tenant_id, "ha_low_thread_score", "10")
        for is_asked_by_sys, wanted in ((True, value), (False, own)):
            rows = catalog.parameters.show(tenant.tenant_id, is_asked_by_sys=is_asked_by_sys)
            assert {row.name: row.value for row in rows if row.name != "archive_lag_target"} == {
                "backup_encryption": wanted,
                "ha_low_thread_score": "10",
            }
            found = catalog.parameters.show_where(
                tenant.tenant_id, "value LIKE '%/%' OR value LIKE '%SHOP%'", is_asked_by_sys=is_asked_by_sys
            )
            assert [row.value for row in found] == ([value] if is_asked_by_sys and ":" in value else [])
        for view in views.tenant_views(tenant.tenant_id):
            if "PARAMETERS" in view.name:
                (row,) = engine.query(f"{view.select} AND NAME = 'backup_encryption'")
                assert (own in row, value in row) == (True, own == value), view.name

    def test_the_mirror_follows_the_engine(self, catalog: Catalog, tenant: Tenant) -> None:
        kept, changed, gone, new = (replace(self.NATIVE, name=f"native_{n}", value=n) for n in ("a", "b", "c", "d"))
        catalog.parameters.mirror_engine_parameters(tenant.tenant_id, [kept, changed, gone])
        with ThreadPoolExecutor(4) as pool:
            after = [kept, replace(changed, value="B"), new]
            list(pool.map(lambda _: catalog.parameters.mirror_engine_parameters(tenant.tenant_id, after), range(4)))
        shown = catalog.parameters.show(tenant.tenant_id, "native%")
        assert [(row.name, row.value) for row in shown] == [("native_a", "a"), ("native_b", "B"), ("native_d", "d")]

    def test_a_name_of_ours_hides_the_engines(self, catalog: Catalog, tenant: Tenant) -> None:
        native = replace(self.NATIVE, name="ha_low_thread_score")
        catalog.parameters.mirror_engine_parameters(tenant.tenant_id, [native])
        (row,) = catalog.parameters.show(tenant.tenant_id, "ha_low_thread_score")
        assert row.data_type == "INT"

    @pytest.mark.parametrize(
        ("condition", "names"),
        [
            ("name LIKE 'ha%' AND value = '0'", ["ha_low_thread_score"]),
            ("svr_port > 12000 -- to the end", ["archive_lag_target", "ha_low_thread_score"]),
            ("data_type = 'TIME' OR info LIKE 'Range: [0,100]'", ["archive_lag_target", "ha_low_thread_score"]),
            ("isdefault = 0", []),
        ],
    )
    def test_show_where_prints_what_meets_the_condition(
        self, catalog: Catalog, tenant: Tenant, condition: str, names: list[str]
    ) -> None:
        assert [row.name for row in catalog.parameters.show_where(tenant.tenant_id, condition)] == names

    @pytest.mark.parametrize(
        "condition",
        [
            "nope = 1",
            "name = ",
            "name IN (SELECT passwd FROM __holdfast.backup_job)",
            "(SELECT COUNT(*) FROM __holdfast.SHOW_PARAMETERS) > 0",
            "1 = 1) UNION SELECT tenant_id FROM __holdfast.tenant WHERE (1 = 1",
            "1 = 1) INTO OUTFILE '/tmp/holdfast-never",
            "1 = 1); DROP DATABASE __holdfast; SELECT (1",
            "SLEEP(20) = 0",
        ],
    )
    def test_a_condition_reaches_nothing_but_its_rows(self, catalog: Catalog, tenant: Tenant, condition: str) -> None:
        with pytest.raises(StatementError):
            catalog.parameters.show_where(tenant.tenant_id, condition)

    def test_a_second_catalog_takes_the_judge_over(self, engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
        second = Catalog(engine.connect, engine.log_in)
        for each in (catalog, second, catalog):
            assert each.parameters.show_where(tenant.tenant_id, "name = 'archive_lag_target'")
        second.close()

    def test_a_tenant_reads_its_own_parameters_in_its_schema(
        self, engine: SysEngine, catalog: Catalog, viewed: Tenant
    ) -> None:
        catalog.parameters.set(viewed.tenant_id, "ha_low_thread_score", "7")
        home = views.tenant_schema(viewed.tenant_id)
        for name in ("V$OB_PARAMETERS", "GV$OB_PARAMETERS"):
            with (
                engine.connect(views.tenant_user(viewed.tenant_id), PASSWORD) as connection,
                connection.cursor() as cursor,
            ):
                cursor.execute(f"SELECT TENANT_ID, VALUE, ISDEFAULT FROM {home}.`{name}` WHERE NAME LIKE 'ha%'")
                assert cursor.fetchall() == ((viewed.tenant_id, "7", "NO"),)


def test_events_are_shown_to_sys(engine: SysEngine, catalog: Catalog) -> None:
    catalog.events.add("backup_data", "start_backup_data", [("tenant_id", 1002), ("job", 3)])
    columns = "MODULE, EVENT, NAME1, VALUE1, NAME2, VALUE2, VALUE3"
    assert engine.query(f"SELECT {columns} FROM oceanbase.DBA_OB_ROOTSERVICE_EVENT_HISTORY")[-1] == (
        ("backup_data", "start_backup_data", "tenant_id", "1002", "job", "3", "")
    )


def test_the_reference_in_docs_is_the_table_of_views() -> None:
    page = Path(__file__).parents[2] / "docs" / "views.md"
    assert page.read_text() == views.render_markdown()


def test_the_reference_names_every_view_and_column() -> None:
    page = views.render_markdown()
    for view in views.VIEWS:
        if view.name != "SHOW_PARAMETERS":
            assert f"{view.name}\n" in page
            assert all(f"| {column.name} | {column.type} |" in page for column in view.columns)
