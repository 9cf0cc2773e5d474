"""A user tenant neither sees nor touches another, by any statement, view, path or race."""

import json
import threading

import pymysql
import pytest

from gateway.wire_rig import WireClient, error_of
from holdfast.mysql.flags import CommandCode
from server_rig import Client, wait_for
from surface.surface_rig import Answer, Cast, agrees, answer_of

pytestmark = pytest.mark.live

VIEW = "oceanbase.DBA_OB_TENANTS"
DENIED = {1142, 1227, 1044, 1049, 1146, 1064}
SECRET = "the_neighbours_secret_path"
"""Part of the other tenant's destination: whoever reads it has seen what is not his."""

ACCENTS = str.maketrans("aeyot", "áèýôț")

SHAPES = (
    "select * from {table} a, {view} b",
    "select * from (select * from {table}) a, {view} b",
    "select * from {view} where exists (select 1 from {table})",
    "select (select count(*) from {table}) from {view}",
    "select 1 from {view} union all select 1 from {table}",
    "(select 1 from {view}) union (select 1 from {table})",
    "select 1 from {view} where 1 in (select 1 from {table})",
    "select * from {view} natural join {table}",
    "with x as (select * from {table}) select * from x, {view}",
    "WITH x AS (SELECT * FROM {table}), y AS (SELECT * FROM x) SELECT * FROM y, {view}",
    "with x as (select 1 a from {view} union all select 2 from {table}) select * from x",
    "with recursive x(a) as (select 1 from {view} union all select a + 1 from x, {table} where a < 2) select * from x",
    "select * from {view} where 1 < (with x as (select 1 from {table}) select count(*) from x)",
    "explain with x as (select * from {table}) select * from x, {view}",
    "with x as (select * from /*!{table}*/) select * from x, {view}",
    "with x as (select * from {spread}) select * from x, {view}",
    "/* c */ with x as (select * from {quoted}) select * from x, {view}",
    "with t1004 as (select * from {table}) select * from t1004, {view}",
    "with x as (select * from {accented}) select * from x, {view}",
    "with x as (select * from {upper}) select * from x, {view}",
)


@pytest.fixture(scope="module")
def foreign(cast: Cast) -> list[str]:
    """Tables of the sys engine that are not mysql_tenant's; the other tenant's secret lies in some of them."""
    cast.oracle.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{cast.place}/{SECRET}'")
    cast.oracle.rows("select * from SYS.DBA_OB_BACKUP_PARAMETER")  # its view schema is there
    cast.sys.run("create database ledger")
    cast.sys.run("create table ledger.books(i int)")
    cast.sys.run("insert into ledger.books values (7)")
    other = cast.tenant_id("oracle_tenant")
    return [
        f"t{other}.DBA_OB_BACKUP_PARAMETER",
        "__holdfast.backup_parameter",
        "oceanbase.CDB_OB_BACKUP_PARAMETER",
        "oceanbase.__all_user",
        "mysql.user",
        "ledger.books",
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_query_beside_a_view_reads_another_schema(cast: Cast, foreign: list[str], shape: str) -> None:
    """The grants of the views' user refuse most; within WITH seekdb 1.4.0 does not ask them, so the gateway refuses."""
    for table in foreign:
        schema, name = table.split(".")
        forms = {"table": table, "spread": f"{schema} /* */ . {name}", "quoted": f"`{schema}`.`{name}`", "view": VIEW}
        # To the engine these are the same schema.
        forms |= {"accented": f"{schema.translate(ACCENTS)}.{name}", "upper": f"{schema.upper()}.{name}"}
        found = answer_of(cast.mysql, shape.format(**forms))
        assert found.number in DENIED, f"{shape.format(**forms)}: {found}"
        assert SECRET not in found.text


def test_sql_modes_move_no_quote(cast: Cast, foreign: list[str]) -> None:
    """Under these modes the engine ends strings and names elsewhere than our lexer: such texts are refused whole."""
    table = foreign[0]
    schema, name = table.split(".")
    for mode, statement in (
        ("ANSI_QUOTES", f'with x as (select * from "{schema}"."{name}") select * from x, {VIEW}'),
        ("ANSI", f'with x as (select * from "{schema}".{name}) select * from x, {VIEW}'),
        ("NO_BACKSLASH_ESCAPES", f"with x as (select '\\' a, b.* from {table} b) select * from x, {VIEW} -- '"),
        (
            "NO_BACKSLASH_ESCAPES",
            f"select '\\', (with x as (select * from {table}) select count(*) from x) from {VIEW} -- '",
        ),
    ):
        cast.mysql.run(f"set sql_mode = '{mode}'")
        found = answer_of(cast.mysql, statement)
        assert found.number in {1235, *DENIED}, f"{mode}: {statement}: {found}"
    cast.mysql.run("set sql_mode = 'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'")
    assert cast.mysql.rows(f"select 'a' || TENANT_NAME from {VIEW}") == [("amysql_tenant",)]
    cast.mysql.run("set sql_mode = default")


def test_prepared_statements_read_no_other_schema(cast: Cast, foreign: list[str]) -> None:
    client = WireClient.dial(cast.server.port)
    client.log_in("root@mysql_tenant")
    for table in foreign:
        for shape in SHAPES[:1] + SHAPES[8:9]:
            text = shape.format(table=table, view=VIEW).encode()
            assert error_of(client.ask(CommandCode.STMT_PREPARE, text))[0] in DENIED
    client.close()
    for table in foreign[:3]:
        cast.mysql.run(f"set @text = 'with x as (select * from {table}) select * from x'")
        assert answer_of(cast.mysql, "prepare p from @text").number in DENIED  # in its own engine, where that is not


def test_common_table_expressions_over_own_views_work(cast: Cast) -> None:
    rows = cast.mysql.rows(f"with x as (select v.TENANT_NAME n from {VIEW} v) select x.n from x")
    assert rows == [("mysql_tenant",)]
    assert cast.oracle.rows("with x as (select TENANT_NAME n from DBA_OB_TENANTS) select n from x") == [
        ("oracle_tenant",)
    ]


def test_information_schema_beside_a_view_tells_nothing_of_others(cast: Cast, foreign: list[str]) -> None:
    names = cast.sys.rows("select table_name from information_schema.tables where table_schema = 'information_schema'")
    other = str(cast.tenant_id("oracle_tenant"))
    marks = ("oracle_tenant", f"hf_t{other}", f"t{other}", SECRET, "ledger")
    for (name,) in names:
        for statement in (
            f"select x.* from {VIEW} v join information_schema.{name} x",
            f"with x as (select * from information_schema.{name}) select x.* from x, {VIEW}",
        ):
            try:
                text = repr(cast.mysql.rows(statement))
            except pymysql.MySQLError as error:
                text = str(error)
            assert not [mark for mark in marks if mark in text], statement


def test_the_process_list_beside_a_view_is_refused_however_it_is_spelled(cast: Cast) -> None:
    for name in (
        "processlist",
        "PROCESSLIST",
        "`ProcessList`",
        "processlíst",
        "`procèsslist`",
        "pröcesslist",
        "procesßlist",
    ):
        for schema in ("information_schema", "INFORMATION_SCHEMA", "ínformation_schema"):
            for statement in (
                f"select x.info from {VIEW} v join {schema}.{name} x",
                f"with x as (select info from {schema} . {name}) select * from x, {VIEW}",
            ):
                found = answer_of(cast.mysql, statement)
                assert found.number in {1227, 1142}, f"{statement}: {found}"


def test_show_parameters_conditions_read_nothing_else(cast: Cast, foreign: list[str]) -> None:
    for table in (*foreign, "information_schema.processlist"):
        for condition in (
            f"exists (select 1 from {table})",
            f"name in (with x as (select * from {table}) select 1 from x)",
            f"1 = (/*! with */ x as (select count(*) c from {table}) select c > 0 from x)",
            f"1 = 1) union select 1 from {table} where (1 = 1",
            f"1 = 1; select 1 from {table}",
        ):
            found = answer_of(cast.weak, f"SHOW PARAMETERS WHERE {condition}")
            assert found.number in DENIED, condition
            assert SECRET not in found.text
    assert cast.weak.rows("SHOW PARAMETERS WHERE name in ('ha_low_thread_score', 'SELECT') and `value` = '0'")


def test_other_tenants_schemas_are_not_there(cast: Cast, foreign: list[str]) -> None:
    other = cast.tenant_id("oracle_tenant")
    for statement in (
        f"use t{other}",
        "use __holdfast",
        f"show tables from t{other}",
        f"show create view t{other}.DBA_OB_TENANTS",
        f"show variables where exists (select 1 from {VIEW})",
        f"show parameters where exists (select 1 from {VIEW})",
        f"show tables from t{other} where exists (select 1 from {VIEW})",
        f"desc t{other}.DBA_OB_TENANTS",
        f"show columns from DBA_OB_TENANTS from t{other}",
        f"select * from t{other}.DBA_OB_TENANTS",
        f"insert into {VIEW} (TENANT_ID) values (1)",
        f"update {VIEW} set STATUS = 'DROPPING'",
        f"delete from {VIEW}",
        f"create view test.v as select * from t{other}.DBA_OB_TENANTS",
        f"select * from {VIEW} for update",
        f"select * from {VIEW} into outfile 'x'",
        "select * from oceanbase.CDB_OB_BACKUP_PARAMETER",
    ):
        assert answer_of(cast.mysql, statement).number, statement
    names = {row[0] for row in cast.mysql.rows("show databases")}
    assert not {f"t{other}", "__holdfast", "ledger"} & names


def test_kill_reaches_nobody_elses_connection(cast: Cast) -> None:
    victim = WireClient.dial(cast.server.port)
    victim.log_in("sys@oracle_tenant")
    assert victim.greeting is not None
    at_sys = [row[0] for row in cast.sys.rows("select id from information_schema.processlist")]
    for connection_id in (victim.greeting.connection_id, *at_sys):
        for kind in ("", "connection ", "query "):
            answer_of(cast.mysql, f"kill {kind}{connection_id}")
    assert victim.query("select 1")[-1].ends
    assert cast.sys.one("select 1") == 1
    victim.close()


def test_a_name_given_again_is_another_tenant(cast: Cast) -> None:
    """Sessions of a dropped tenant die with it, whoever has its name now; of many at once, one creates and one drops."""
    cast.sys.run("CREATE TENANT twin")
    first = cast.tenant_id("twin")
    with cast.server.client("root@twin") as old:
        assert old.rows(f"select TENANT_ID from {VIEW}") == [(first,)]
        cast.sys.run("DROP TENANT twin")
        answers = _at_once(cast, ["CREATE TENANT twin"] * 4)
        assert sorted(answer.number for answer in answers)[0] == 0
        assert all(answer.number in {0, 4179, 5156} for answer in answers), answers
        assert [answer.number for answer in answers].count(0) == 1
        second = cast.tenant_id("twin")
        assert second != first
        for statement in (f"select * from {VIEW}", "ALTER SYSTEM ARCHIVELOG", "SHOW PARAMETERS", "select 1"):
            assert answer_of(old, statement).number, statement
    with cast.server.client("root@twin") as new:
        assert new.rows(f"select TENANT_ID from {VIEW}") == [(second,)]
        racing = _at_once(cast, ["DROP TENANT twin", "ALTER SYSTEM ARCHIVELOG TENANT = twin", "DROP TENANT twin"])
        assert 0 in {racing[0].number, racing[2].number}
        assert all(answer.number in {0, 4179, 5157, 5160, 9023} for answer in racing), racing
    wait_for(
        lambda: cast.sys.rows("select 1 from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'twin'"),
        lambda rows: not rows,
    )
    for tenant_id in (first, second):
        assert not (cast.server.base / "tenants" / str(tenant_id)).exists()
    names = json.dumps(cast.mysql.rows("select TENANT_NAME, TENANT_ID from oceanbase.DBA_OB_TENANTS"))
    assert "twin" not in names


def test_of_two_tenants_that_claim_one_path_one_gets_it(cast: Cast) -> None:
    for round_number in range(3):
        path = f"file://{cast.place}/claimed_{round_number}"
        claims = [
            f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{path}' TENANT = {name}"
            for name in ("mysql_tenant", "oracle_tenant")
        ]
        answers = sorted(answer.number for answer in _at_once(cast, claims))
        assert answers == [0, 9081], answers
        owners = "select count(*) from oceanbase.CDB_OB_BACKUP_STORAGE_INFO where PATH = %s"
        assert cast.sys.one(owners, (path,)) == 1
    for name in ("mysql_tenant", "oracle_tenant"):
        cast.sys.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '' TENANT = {name}")


def _at_once(cast: Cast, statements: list[str]) -> list[Answer]:
    """Run the statements at the same moment, each as sys on a connection of its own."""
    answers: list[Answer] = [Answer(0)] * len(statements)
    start = threading.Barrier(len(statements))

    def run(place: int, client: Client) -> None:
        start.wait()
        answers[place] = answer_of(client, statements[place])

    clients = [cast.server.client() for _ in statements]
    threads = [threading.Thread(target=run, args=(place, client)) for place, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    return answers


def test_an_oracle_tenants_root_is_shut_and_stays_so_after_a_restart(cast: Cast) -> None:
    """The engine lets nobody lock, rename or drop root, so it has a password that was told to nobody."""
    server = cast.server

    def is_refused() -> bool:
        try:
            server.client("root@oracle_tenant").close()
        except pymysql.MySQLError as error:
            return bool(error.args[0] == 1045)
        return False

    assert is_refused()
    assert not agrees(answer_of(cast.oracle, "alter user root identified by 'x'"), Answer(0))
    cast.oracle.run("alter user SYS identified by 'tiger'")
    server.kill()
    server.start()
    with server.client("Sys@oracle_tenant", "tiger") as client:
        assert client.rows("select COMPATIBILITY_MODE from SYS.DBA_OB_TENANTS") == [("ORACLE",)]
    assert is_refused()
    with pytest.raises(pymysql.MySQLError):
        server.client("SYS@oracle_tenant", "wrong")
    with pytest.raises(pymysql.MySQLError):
        server.client("SYS@mysql_tenant", "tiger")
