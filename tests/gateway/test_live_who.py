"""Who may come in from where: a tenant's list of addresses, and accounts that are bound to one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pymysql
import pytest
from door_rig import Door
from wire_rig import WireClient, error_of

from holdfast.engine.session import connect
from holdfast.engine.unusable import Reach
from holdfast.mysql.flags import CommandCode

pytestmark = pytest.mark.live

Root: TypeAlias = "pymysql.Connection[pymysql.cursors.Cursor]"


@pytest.fixture
def root(engine_socket: Path) -> Iterator[Root]:
    """The tenant's root by the Unix socket, which no list keeps out; what a test sets is put back."""
    with pymysql.connect(unix_socket=str(engine_socket), user="root", autocommit=True) as connection:
        yield connection
        with connection.cursor() as cursor:
            for name in ("ob_tcp_invited_nodes", "ob_query_timeout", "sql_select_limit"):
                cursor.execute("set @@session.ob_query_timeout = 10000000")
                cursor.execute(f"set global {name} = %s", (DEFAULTS[name],))


DEFAULTS: dict[str, object] = {
    "ob_tcp_invited_nodes": "%",
    "ob_query_timeout": 10_000_000,
    "sql_select_limit": 2**63 - 1,
}


def set_global(root: Root, name: str, value: object) -> None:
    with root.cursor() as cursor:
        cursor.execute(f"set global {name} = %s", (value,))


def refusal(door: Door, user: str, **options: object) -> tuple[int, str]:
    with pytest.raises(pymysql.MySQLError) as refused:
        door.connect(user, **options)
    number, message = refused.value.args
    return number, message


def test_client_that_is_not_invited_is_told_1227(door: Door, root: Root) -> None:
    set_global(root, "ob_tcp_invited_nodes", "10.1.2.3,127.0.0.2")
    number, message = refusal(door, "plain@t1", password="secret")
    assert number == 1227
    assert message.startswith("Access denied")
    assert "ob_tcp_invited_nodes" in message
    assert refusal(door, "plain@t1", password="wrong")[0] == 1045


@pytest.mark.parametrize("nodes", ["127.0.0.1", "10.1.2.3, 127.0.0.0/8", "127.%"])
def test_client_that_is_invited_comes_in(door: Door, root: Root, nodes: str) -> None:
    set_global(root, "ob_tcp_invited_nodes", nodes)
    with door.connect("plain@t1", password="secret") as connection:
        connection.ping()


def test_root_of_the_machine_itself_can_mend_the_list(door: Door, root: Root) -> None:
    set_global(root, "ob_tcp_invited_nodes", "10.1.2.3")
    with door.connect("root@t1") as connection, connection.cursor() as cursor:
        cursor.execute("set global ob_tcp_invited_nodes = '127.0.0.1'")
    with door.connect("plain@t1", password="secret") as connection:
        connection.ping()


def test_change_of_user_is_judged_too(door: Door, root: Root) -> None:
    client = WireClient.dial(door.port)
    assert client.log_in().payload[0] == 0
    set_global(root, "ob_tcp_invited_nodes", "10.1.2.3")
    client.begin(CommandCode.CHANGE_USER, b"plain@t1\0\x00\0\x2d\x00mysql_native_password\0\x00")
    assert error_of(client.prove("secret"))[0] == 1227
    assert client.is_hung_up()
    client.close()


@pytest.mark.parametrize(("name", "value"), [("ob_query_timeout", 1), ("sql_select_limit", 0)])
def test_list_is_read_whatever_the_tenant_has_set(door: Door, root: Root, name: str, value: int) -> None:
    set_global(root, "ob_tcp_invited_nodes", "127.0.0.1")
    set_global(root, name, value)
    door.connect("plain@t1", password="secret").close()
    set_global(root, "ob_tcp_invited_nodes", "10.1.2.3")
    assert refusal(door, "plain@t1", password="secret")[0] == 1227


def test_reading_the_list_leaves_no_trace_in_the_session(door: Door, root: Root) -> None:
    with door.connect("plain@t1", password="secret", autocommit=None) as connection, connection.cursor() as cursor:
        cursor.execute("select row_count(), last_insert_id()")
        assert cursor.fetchone() == (0, 0)
        cursor.execute("show warnings")
        assert cursor.fetchall() == ()


def test_accounts_bound_to_a_host_are_counted_and_their_tenant_says_so(
    door: Door, root: Root, engine_socket: Path
) -> None:
    def count() -> int:
        session = connect(engine_socket, "root", "")
        try:
            return Reach().count_unusable(session)
        finally:
            session.close()

    before = count()
    with root.cursor() as cursor:
        for host in ("127.0.0.1", "localhost", "u%", "%"):
            cursor.execute(f"create user bound@'{host}' identified by 'secret'")
        try:
            assert count() == before + 2
            assert refusal(door, "bound@t1", password="wrong") == refusal(door, "bound@t1", password="wrong")
            cursor.execute("drop user bound@'u%', bound@'%'")
            plain = refusal(door, "bound@t1", password="secret")
            assert "RENAME USER" not in plain[1]
            door.desk.unusable = Reach()
            number, message = refusal(door, "bound@t1", password="secret")
            assert number == plain[0] == 1045
            assert message.startswith(plain[1])
            assert "RENAME USER" in message
            assert refusal(door, "nobody@t1", password="secret")[1].endswith(message.removeprefix(plain[1]))
            cursor.execute("alter user bound@'127.0.0.1' require ssl")
            cursor.execute("create user tls identified by 'secret' require ssl")
            assert count() == before + 3
            cursor.execute("rename user bound@'localhost' to bound@'%'")
            door.connect("bound@t1", password="secret").close()
        finally:
            cursor.execute("drop user if exists tls")
            for host in ("127.0.0.1", "localhost", "u%", "%"):
                cursor.execute(f"drop user if exists bound@'{host}'")
