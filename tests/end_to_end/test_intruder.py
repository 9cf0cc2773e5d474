"""A tenant's root against the server that runs its engine: every statement it must not succeed with, in every form.

What shows itself is refused. What does not (a procedure that puts its text together) is carried out by the engine, found at the next
look and put right; here the server looks every second, not every half minute. At the end all is as it must be: parameters, account,
role, a backup, both roots' logins; nothing lies outside the tenant's place, and no secret in a log, a view or a command line.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from pymysql.constants import COMMAND

from holdfast.engine.session import connect
from holdfast.values.held_parameters import BUILT_IN
from hostile_parameters import PARAMETERS
from server_rig import Client, Server, archive, backup, wait_archived, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

LOOKING_OFTEN = (
    "from holdfast.jobs import supervisor; supervisor._DRIFT_SECONDS = 1.0;"
    "from holdfast.__main__ import main; raise SystemExit(main())"
)
TENANT_ID = 1002

ACCOUNT = (
    "drop user __holdfast",
    "drop user if exists `__holdfast`",
    "drop user '__holdfast'@'%'",
    "drop role __holdfast",
    "rename user __holdfast to other",
    "alter user __holdfast account lock",
    "alter user __holdfast identified by 'known'",
    "alter user __holdfast require ssl",
    "alter user __holdfast with max_user_connections 1",
    "set password for __holdfast = password('known')",
    "revoke all privileges, grant option from __holdfast",
    "revoke super on *.* from __holdfast",
    "create user __holdfast@'unix_' identified by 'known'",
    "delete from oceanbase.__all_user where user_name = '__holdfast'",
    "update oceanbase.__all_user set is_locked = 1",
    "update oceanbase.__all_user set passwd = '' where user_name = '__holdfast'",
)
GLOBALS = ("set global secure_file_priv = '/'", "set @@global.secure_file_priv = ''")
ROLE = "alter system switchover to standby"
NOT_SEEN = "log_restore_source"
"""The desk's own by that name: in other forms it reaches the engine, and is put right."""
KEPT = (
    *ACCOUNT,
    *(f"alter system set {name} = '{value}'" for name, value in PARAMETERS.items() if name != NOT_SEEN),
    *GLOBALS,
)
"""What the gate keeps from a tenant wherever it sees it."""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _all(client: Client, text: str) -> None:
    """Send a text and take every answer of it."""
    with client.connection.cursor() as cursor:
        cursor.execute(text)
        while cursor.nextset():
            pass


def _outcome(client: Client, send: Callable[[Client, str], None], text: str) -> int:
    """Return the number of the error that a text meets, 0 if it meets none."""
    try:
        send(client, text)
    except pymysql.MySQLError as error:
        return int(error.args[0])
    return 0


def _of_variable(client: Client, text: str) -> None:
    client.run(f"set @s = {_quoted(text)}")
    client.run("prepare p from @s")
    client.run("execute p")


def _of_literal(client: Client, text: str) -> None:
    client.run(f"prepare p from {_quoted(text)}")
    client.run("execute p")


def _of_the_protocol(client: Client, text: str) -> None:
    connection = client.connection
    connection._execute_command(COMMAND.COM_STMT_PREPARE, text)
    connection._read_packet()


def _stored(client: Client, text: str) -> None:
    client.run("drop procedure if exists test.p")
    client.run(f"create procedure test.p() begin if 1 = 1 then {text}; end if; end")
    client.run("call test.p()")


def _stored_and_prepared(client: Client, text: str) -> None:
    client.run("drop procedure if exists test.p")
    client.run(f"create procedure test.p() begin prepare p from {_quoted(text)}; execute p; end")
    client.run("call test.p()")


FORMS: dict[str, Callable[[Client, str], None]] = {
    "direct": _all,
    "upper": lambda client, text: _all(client, text.replace("alter system", "ALTER  SYSTEM")),
    "commented": lambda client, text: _all(client, "/* a */ -- b\n" + text.replace(" ", " /**/ ", 1)),
    "code in a comment": lambda client, text: _all(client, f"/*!50000 {text} */"),
    "half in a comment": lambda client, text: _all(client, f"{text.split()[0]} /*! {text.split(' ', 1)[1]} */"),
    "behind another": lambda client, text: _all(client, f"select 1; {text}"),
    "behind a long comment": lambda client, text: _all(client, f"/* {'x' * (1 << 20)} */ {text}"),
    "behind what looks open": lambda client, text: _all(client, f"select '\\'; {text}; -- '"),
    "prepared": _of_literal,
    "prepared from a variable": _of_variable,
    "prepared by the protocol": _of_the_protocol,
    "stored": _stored,
    "stored and prepared": _stored_and_prepared,
}


def together(client: Client, *texts: str) -> None:
    """Carry out texts in a form that nothing can see before: each is put together of two halves."""
    steps = "".join(
        f"set @s = concat({_quoted(text[: len(text) // 2])}, {_quoted(text[len(text) // 2 :])});"
        " prepare p from @s; execute p;"
        for text in texts
    )
    client.run("drop procedure if exists test.together")
    # What one half looks like decides nothing: a name is cut in the middle.
    client.run(
        f"create procedure test.together() begin declare continue handler for sqlexception begin end; {steps} end"
    )
    client.run("call test.together()")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("intruder") / "base", program=("-c", LOOKING_OFTEN))
    try:
        yield running.start()
    finally:
        running.end()


def log_in(server: Server, user: str = "root@t") -> Client:
    """Log in as soon as the tenant's engine is there."""

    def tried() -> Client | None:
        with contextlib.suppress(pymysql.MySQLError):
            return server.client(user, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
        return None

    found = wait_for(tried, lambda client: client is not None)
    assert isinstance(found, Client)
    return found


def drifted(server: Server) -> list[str]:
    """Return which parameters are not what they must be; the engine is asked, since the gateway's view shows no hidden ones."""
    with connect(server.directory(TENANT_ID).socket, "root", "") as root:
        rows = root.query("select name, value, default_value from oceanbase.V$OB_PARAMETERS")
    found = {str(name): (str(value), str(default)) for name, value, default in rows}
    expected = {
        **{name: found[name][1] for name in (*BUILT_IN, "memory_limit")},
        "ssl_client_authentication": "True",
        "mysql_port": "2881",
        "rpc_port": "2882",
        "enable_rpc_service": "False",
        "max_syslog_file_count": "4",
        "log_restore_source": "",
    }
    wrong = [name for name, value in expected.items() if found[name][0] != value]
    return wrong + [
        name for name in ("memory_budget", "log_disk_size") if found[name][0] not in ("1024M", "1G", "2048M", "2G")
    ]


OURS = "select user_name, host, is_locked, passwd, priv_super from oceanbase.__all_user where user_name = '__holdfast'"


def files_outside(server: Server) -> set[str]:
    base = server.base
    return {str(path.relative_to(base)) for path in base.rglob("*") if "/engine/" not in str(path.relative_to(base))}


def secrets_of(server: Server) -> list[str]:
    return [json.loads(path.read_text())["password"] for path in server.base.rglob("account.json")]


def test_an_intruder_gains_nothing_that_lasts(server: Server, tmp_path: Path) -> None:
    sys, place = server.client(), tmp_path / "place"
    sys.run("CREATE TENANT t")
    archive(sys, "t", place)
    client = log_in(server)
    client.run("create table test.rows_of_mine (id int primary key)")
    before = files_outside(server)
    whole = client.rows(OURS)
    assert [row[:3] for row in whole] == [("__holdfast", "%", 0)]

    # What shows itself is refused, in each form, and has no effect.
    passed: list[tuple[str, str, int]] = []
    for form, send in FORMS.items():
        client.run("set sql_mode = %s", ("NO_BACKSLASH_ESCAPES" if form == "behind what looks open" else "",))
        for text in KEPT:
            found = _outcome(client, send, text)
            if found not in (1227, 1235, 1295, 1064):
                passed.append((form, text, found))
    assert passed == []
    assert client.rows(OURS) == whole
    assert drifted(server) == []
    told = server.log.read_text()
    assert "put right" not in told

    # Sessions of ours are nobody's to end.
    ours = [int(row[0]) for row in client.rows("show processlist") if row[1] == "__holdfast"]
    assert ours
    for text in (f"kill {ours[0]}", f"kill query {ours[0]}", f"kill {ours[0]} + 0", f"/*! kill {ours[0]} */"):
        assert client.refused(text)[0] in (1094, 1227), text

    # What does not show itself is put right: each effect alone for the account, all at once for the parameters.
    for text in ACCOUNT:
        with contextlib.suppress(pymysql.MySQLError):
            together(client, text)
        wait_for(lambda: client.rows(OURS), lambda rows: rows == whole)
    together(client, *(f"alter system set {name} = '{value}'" for name, value in PARAMETERS.items()), *GLOBALS)
    for target in (f"{tmp_path}/stolen", "/tmp/holdfast-intruder", f"{server.base}/stolen"):
        with contextlib.suppress(pymysql.MySQLError):
            client.run(f"select 1 into outfile '{target}'")
        assert not Path(target).exists(), target
    wait_for(lambda: drifted(server), lambda wrong: wrong == [])
    wait_for(lambda: client.one("select @@global.secure_file_priv limit 1"), lambda value: value.endswith("/files"))

    # The account dropped where whoever makes it anew is tried for ever, whatever its own bound says (rpc_timeout): parameters come first.
    began = time.monotonic()
    together(client, "drop user __holdfast", "alter system set rpc_timeout = '1ms'")
    wait_for(lambda: client.rows(OURS), lambda rows: rows == whole)
    assert time.monotonic() - began < 60  # hung for 300 s
    wait_for(lambda: drifted(server), lambda wrong: wrong == [])

    # The account dropped and every session of ours ended in one breath: the next command of his lets us in again.
    ours = [int(row[0]) for row in client.rows("show processlist") if row[1] == "__holdfast"]
    together(client, "drop user __holdfast", *(f"kill {number}" for number in ours))
    wait_for(lambda: "no session of ours is in" in server.log.read_text(), bool)
    wait_for(lambda: client.rows(OURS), lambda rows: rows == whole)

    # The role: only a restart of the engine mends it.
    with contextlib.suppress(pymysql.MySQLError):
        together(client, ROLE)

    def is_writable() -> bool:
        with contextlib.suppress(pymysql.MySQLError), log_in(server) as writer:
            writer.run("replace into test.rows_of_mine values (1)")
            return True
        return False

    wait_for(is_writable, bool)

    # Logins by limits that keep everybody out.
    client = log_in(server)
    client.run("set global max_connections = 1")
    client.run("set global max_user_connections = 1")
    client.run("insert into test.rows_of_mine values (2)")
    wait_archived(sys, int(client.one("select current_scn()")))
    assert backup(sys, "t") == ("COMPLETED", 0, "")
    client.run("set global max_connections = 1000")
    client.run("set global max_user_connections = 0")
    with server.client(), log_in(server):
        pass

    engine = server.directory(TENANT_ID)
    # Nothing outside its place, and no secret where somebody reads.
    made = {name for name in files_outside(server) - before if ".pending" not in name}
    assert not any("stolen" in name for name in made)
    said = server.log.read_text() + repr(client.rows("select ddl_stmt_str from oceanbase.__all_ddl_operation"))
    for log in (engine.root / "log").rglob("*"):
        said += log.read_text(errors="replace") if log.is_file() else ""
    for process in (server.pid, int(engine.pid_file.read_text())):
        said += Path(f"/proc/{process}/cmdline").read_text()
    for secret in secrets_of(server):
        assert secret not in said
    assert "put right: account __holdfast" in said
    sys.close()
