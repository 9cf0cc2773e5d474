"""A tenant and a sys whose globals are as hostile as they can be: what Holdfast says and does there is what it says and does anywhere.

One server, one story: every answer but one's own client's is the same before and after, and after a restart of the server.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pymysql
import pytest

from server_rig import Client, Server, archive, backup, restore, running_server, wait_archived, wait_doing, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

ROWS = 100
TABLES = 7
HOSTILE: Mapping[str, object] = {
    "sql_select_limit": 1,
    "sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE",
    "time_zone": "-12:59",
    "autocommit": 0,
    "tx_isolation": "SERIALIZABLE",
    "tx_read_only": 1,
    "group_concat_max_len": 4,
    "div_precision_increment": 0,
    "foreign_key_checks": 0,
    "explicit_defaults_for_timestamp": 0,
    "recyclebin": 1,
    "sql_safe_updates": 1,
    "sql_quote_show_create": 0,
    "ob_read_consistency": "WEAK",
    "ob_enable_plan_cache": 0,
    "ob_query_timeout": 1,
    "ob_trx_timeout": 1,
    "max_execution_time": 1,
    "wait_timeout": 1,
    "interactive_timeout": 1,
    "net_write_timeout": 1,
    "net_buffer_length": 1024,
    "max_allowed_packet": 1024,
    "validate_password_length": 64,
    "version": "9.9.9",
    "init_connect": "nonsense",
    "collation_connection": "utf8mb4_bin",
    "read_only": 1,
    "max_user_connections": 1,
    "max_connections": 1,
}
"""In this order: the last ones keep out whoever comes after."""
OWN_STATE = (
    "set sql_select_limit = 1000000, ob_query_timeout = 60000000, ob_trx_timeout = 60000000, max_execution_time = 0,"
    " tx_read_only = 0, tx_isolation = 'READ-COMMITTED', autocommit = 1, sql_mode = '', time_zone = '+00:00',"
    " wait_timeout = 1000, interactive_timeout = 1000, ob_read_consistency = 'STRONG'"
)
"""Of the test's own clients."""
IMPORTS = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY where TENANT_ID = 1 order by JOB_ID desc"
DRILLS = "select RESULT, TABLE_COUNT, ROW_COUNT, FAILED_COUNT, COMMENT from oceanbase.CDB_OB_RESTORE_DRILLS order by DRILL_ID desc"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("hostile") / "base") as running:
        yield running


def log_in(server: Server, user: str, tries_seconds: float = 60) -> Client:
    """Log in with a state of the test's own, as soon as there is room."""

    def tried() -> Client | None:
        with contextlib.suppress(pymysql.MySQLError):
            client = server.client(user, init_command=OWN_STATE)
            return client
        return None

    found = wait_for(tried, lambda client: client is not None, seconds=tries_seconds)
    assert isinstance(found, Client)
    return found


def make_hostile(client: Client) -> None:
    refused = {}
    for name, value in HOSTILE.items():
        try:
            client.run(f"set global {name} = %s", (value,))
        except pymysql.MySQLError as error:
            refused[name] = error.args
    assert refused == {}


def test_answers_do_not_rest_on_a_tenants_or_on_systems_globals(server: Server, tmp_path: Path) -> None:
    sys, place = server.client(), tmp_path / "place"
    sys.run("CREATE TENANT t")
    archive(sys, "t", place)
    client = log_in(server, "root@t")
    for number in range(TABLES):
        client.run(f"create table test.t{number} (id int primary key, v varchar(20), key kv (v))")
        client.run(f"insert into test.t{number} values " + ",".join(f"({n}, 'v{n}')" for n in range(ROWS)))
    assert backup(sys, "t") == ("COMPLETED", 0, "")
    moment = int(client.one("select current_scn()"))
    wait_archived(sys, moment)
    views = {
        name: client.rows(f"select * from oceanbase.{name}") for name in ("DBA_OB_BACKUP_SET_FILES", "DBA_OB_TENANTS")
    }
    for asked in (client, sys):
        make_hostile(asked)
        asked.run(OWN_STATE)

    # A copy, a comparison, a count: through sessions made after the globals were set.
    sources = f"'file://{place}/data,file://{place}/archive'"
    sys.run(
        f"ALTER SYSTEM RECOVER TABLE test.t0 TO TENANT t FROM {sources} UNTIL SCN = {moment} REMAP TABLE test.t0:test.back"
    )
    imported = wait_for(lambda: sys.rows(IMPORTS), bool)[0]
    assert imported[:2] == ("COMPLETED", "SUCCESS"), imported
    assert client.one("select count(*) from test.back") == ROWS
    client.run("drop table test.back")
    assert backup(sys, "t") == ("COMPLETED", 0, "")

    # A drill of a set that holds those globals: its scratch tenant has them from its first moment.
    sys.run("ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = t")
    drill = wait_for(lambda: sys.rows(DRILLS), lambda rows: bool(rows) and rows[0][0] != "")[0]
    assert drill == ("PASSED", TABLES, TABLES * ROWS, 0, ""), drill
    sys.run("set global sql_select_limit = 1")

    # The server starts with them, serves its tenant, goes on archiving, and says the same in its views.
    client.close()
    sys.close()
    server.kill()
    server.start()
    sys, client = log_in(server, "root@sys"), log_in(server, "root@t")
    wait_doing(sys, "t")
    scn = int(client.one("select current_scn()"))
    client.run("insert into test.t1 values (1000, 'later')")
    wait_archived(sys, scn)
    now = {name: client.rows(f"select * from oceanbase.{name}") for name in views}
    assert len(now["DBA_OB_BACKUP_SET_FILES"]) == 2
    assert now["DBA_OB_TENANTS"] == views["DBA_OB_TENANTS"]

    # What keeps our users without privileges out of sys is put right and said.
    limits = "select @@global.max_connections, @@global.max_user_connections, @@global.init_connect, @@global.max_allowed_packet limit 1"
    assert wait_for(lambda: sys.rows(limits)[0], lambda row: row[2] == "") == (1024, 1024, "", 4 << 20)
    assert "max_connections was '1', must be '1024'" in server.log.read_text()
    # What only bounds the tenant's own clients stays.
    assert client.one("select @@global.max_connections limit 1") == 1

    # A restore of that set opens: the secret of the new engine's account meets its tenant's policy.
    assert restore(sys, "again", place)[0] == "SUCCESS"
    again = log_in(server, "root@again")
    assert [again.one(f"select count(*) from test.t{n}") for n in range(TABLES)] == [
        ROWS,
        ROWS + 1,
        *[ROWS] * (TABLES - 2),
    ]
