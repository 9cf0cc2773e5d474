"""The dictionary and the catalog are read-only for everybody else, root@sys included, in every form that reaches an engine."""

from collections.abc import Iterator

import pymysql
import pytest

from gateway.wire_rig import WireClient, error_of
from holdfast.mysql.flags import CommandCode
from server_rig import Client
from statement.test_own_objects import TOUCHING
from surface.surface_rig import Cast, answer_of

pytestmark = pytest.mark.live

DENIED = 1227
VIEW = "oceanbase.CDB_OB_BACKUP_TASKS"
DROP = f"drop view {VIEW}"


@pytest.fixture(scope="module", autouse=True)
def untouched(cast: Cast) -> Iterator[None]:
    """What is Holdfast's is the same before and after."""
    cast.mysql.rows("select * from oceanbase.DBA_OB_TENANTS")  # its schema of views is there
    cast.sys.run("create database if not exists copies")
    before = _own(cast.sys)
    yield
    assert _own(cast.sys) == before
    assert cast.mysql.rows("select * from oceanbase.DBA_OB_TENANTS")


def _own(client: Client) -> list[tuple[object, ...]]:
    return client.rows(
        "select d.database_name, t.table_name, t.schema_version from oceanbase.__all_table t join oceanbase.__all_database d"
        " on d.database_id = t.database_id where d.database_name = '__holdfast' or d.database_name like 't1___'"
        " or (d.database_name = 'oceanbase' and t.table_type = 4) order by 1, 2"
    ) + client.rows("select user_name, passwd from oceanbase.__all_user where user_name like 'hf%' order by 1")


@pytest.mark.parametrize("text", TOUCHING)
def test_no_text_of_roots_changes_what_is_holdfasts(cast: Cast, text: str) -> None:
    found = answer_of(cast.sys, text)
    assert (found.number, found.state) in {(DENIED, "42501"), (1064, "42000")}, found


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI"])
def test_no_sql_mode_hides_a_name(cast: Cast, mode: str) -> None:
    with cast.server.client() as client:
        client.run(f"set sql_mode = '{mode}'")
        for text in (
            DROP,
            'drop view "oceanbase"."CDB_OB_BACKUP_TASKS"',
            f"select \"'\"; {DROP}; -- '",
            f"select '\"'; {DROP}; -- \"'",
        ):
            found = answer_of(client, text)
            assert found.number in {DENIED, 1235, 1064}, (text, found)


def test_a_backslash_ends_no_string_that_the_engine_ends(cast: Cast) -> None:
    with cast.server.client() as client:
        client.run("set sql_mode = 'NO_BACKSLASH_ESCAPES'")
        assert answer_of(client, f"select '\\'; {DROP}; -- '").number == 1235


def test_no_character_set_hides_a_name(cast: Cast) -> None:
    """The engine knows no character set whose second bytes look like a quote or backslash; texts are read by the session's all the same."""
    with cast.server.client() as client:
        for charset in ("gbk", "gb18030", "latin1", "big5", "sjis"):
            assert answer_of(client, f"set names {charset}").number == 1115
        for charset in ("binary", "utf8mb4"):
            client.run(f"set names {charset}")
            assert answer_of(client, DROP).number == DENIED
            assert answer_of(client, "drop view oceanbase.CDB_OB_BÁCKUP_TASKS").number == DENIED
            assert answer_of(client, "drop table __holdfást.pin").number == DENIED


def test_no_prepared_statement_changes_it(cast: Cast) -> None:
    with cast.server.client() as client:
        assert answer_of(client, f"prepare p from '{DROP}'").number == DENIED
        client.run(f"set @text = '{DROP}'")
        assert answer_of(client, "prepare p from @text").number == DENIED
        client.run("set @text = concat('drop vi', 'ew oceanbase.CDB_OB_', 'BACKUP_TASKS')")
        assert answer_of(client, "prepare p from @text").number == DENIED
        assert answer_of(client, f"set @a = '{DROP}'; prepare p from @a; execute p").number == DENIED
    client = WireClient.dial(cast.server.port)
    client.log_in("root@sys")
    assert error_of(client.ask(CommandCode.STMT_PREPARE, DROP.encode()))[0] == DENIED
    assert error_of(client.ask(CommandCode.STMT_PREPARE, b"prepare p from @text"))[0] == 1295
    assert error_of(client.ask(CommandCode.INIT_DB, b"__holdfast"))[0] == DENIED
    assert client.ask(CommandCode.INIT_DB, b"copies")[-1].payload[0] == 0
    assert error_of(client.ask(CommandCode.DROP_DB, b"__holdfast"))[0] in {DENIED, 1235}
    client.close()


def test_nobody_logs_in_at_a_schema_of_holdfasts(cast: Cast) -> None:
    for name in ("__holdfast", "__HOLDFAST", f"t{cast.tenant_id('mysql_tenant')}"):
        with pytest.raises(pymysql.MySQLError) as refused:
            cast.server.client(database=name)
        assert refused.value.args[0] == DENIED


def test_no_long_text_changes_it(cast: Cast) -> None:
    """Behind a comment, behind data that is passed on unread, and in a text that is too long to be read whole."""
    cast.sys.run("create table copies.long_texts(v longtext)")
    data = "x" * (3 << 20)
    for text in (
        f"/* {'x' * (80 << 10)} */ {DROP}",
        f"insert /* {'x' * (2 << 20)} */ into __holdfast.pin values (1)",
        f"insert into __holdfast.pin values ('{data}')",
        f"insert into copies.long_texts values ('{data[: 80 << 10]}'); {DROP}",
        f"insert into copies.long_texts values ('{data}'); {DROP}",
        f"update /* {'x' * (2 << 20)} */ __holdfast.pin set note = 'x'",
    ):
        with cast.server.client() as client:
            found = answer_of(client, text)
            assert found.number in {DENIED, 1235, 2013, 1153}, (text[:40], found)
    with cast.server.client() as client:
        assert client.run(f"insert into copies.long_texts values ('{data[: 1 << 20]}')") == 1


def test_what_may_be_read_may_be_copied_and_granted(cast: Cast) -> None:
    for text in (
        "create table copies.tasks as select * from oceanbase.CDB_OB_BACKUP_TASKS",
        "insert into copies.tasks select * from oceanbase.CDB_OB_BACKUP_TASKS",
        "create view copies.tasks_view as select * from oceanbase.CDB_OB_BACKUP_TASKS limit 9223372036854775807",
        "create user auditor",
        f"grant select on {VIEW} to auditor",
        f"revoke select on {VIEW} from auditor",
        "create table copies.t1002(i int)",
        "drop table copies.t1002",
    ):
        assert answer_of(cast.sys, text).number == 0, text


def test_no_view_passes_a_write_on_to_the_catalog(cast: Cast) -> None:
    """A person's own view over a dictionary view is no way round: the engine would pass a write through both."""
    assert answer_of(cast.sys, "create view copies.pins as select * from oceanbase.CDB_OB_BACKUP_PINS").number == DENIED
    cast.sys.run("create view copies.pins as select distinct * from oceanbase.CDB_OB_BACKUP_PINS")
    for text in (
        "insert into copies.pins(TENANT_ID, BACKUP_SET_ID, NOTE) values (1002, 77, 'x')",
        "update copies.pins set NOTE = 'x'",
        "delete from copies.pins",
    ):
        assert answer_of(cast.sys, text).number != 0, text
    assert cast.sys.rows("select * from oceanbase.CDB_OB_BACKUP_PINS") == []
