"""The gateway before an engine that knows its clients' addresses."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door, prepare_views
from wire_rig import WireClient, error_of

from engine_rig import EngineRig, running_engine
from holdfast.engine import wallet
from holdfast.engine.account import authority_file
from holdfast.engine.space import refusal
from holdfast.engine.unusable import Reach
from holdfast.mysql.flags import CommandCode
from tls_rig import client_tls

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    place = tmp_path_factory.mktemp("addressed")
    if why := refusal(place, Path("/bin/sh")):
        pytest.skip(f"this machine gives no engine a network namespace: {why}")
    with running_engine(place, wants_space=True, speaks_tls=True) as rig:
        with pymysql.connect(unix_socket=str(rig.socket), user="root", autocommit=True) as root:
            prepare_views(root)
            with root.cursor() as cursor:
                cursor.execute("create user here@'127.0.0.9' identified by 'secret'")
        yield rig


@pytest.fixture(scope="module")
def addressed_door(rig: EngineRig) -> Iterator[Door]:
    with open_door(rig.socket) as door:
        door.desk.addressed = rig.process.sockets
        yield door


def rows(connection: "pymysql.Connection[pymysql.cursors.Cursor]", sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def refusal_of(door: Door, user: str, **options: object) -> tuple[int, str]:
    with pytest.raises(pymysql.MySQLError) as refused:
        door.connect(user, **options)
    number, message = refused.value.args
    return number, message


def test_engine_sees_the_client_as_it_is(addressed_door: Door) -> None:
    with addressed_door.connect("here@t1", password="secret", bind_address="127.0.0.9") as client:
        host, port = client._sock.getsockname()  # type: ignore[attr-defined]
        assert host == "127.0.0.9"
        assert rows(client, "select user(), current_user()") == [("here@127.0.0.9", "here@127.0.0.9")]
        assert f"127.0.0.9:{port}" in {row[2] for row in rows(client, "show processlist")}
    with addressed_door.connect() as client:
        assert rows(client, "select user()") == [("root@127.0.0.1",)]


def test_account_lets_nobody_in_from_elsewhere(addressed_door: Door) -> None:
    plain = refusal_of(addressed_door, "here@t1", password="secret")
    assert plain[0] == 1045
    assert refusal_of(addressed_door, "here@t1", password="secret", bind_address="127.0.0.10") == plain
    addressed_door.desk.unusable = Reach(is_addressed=True)
    try:
        number, message = refusal_of(addressed_door, "here@t1", password="secret")
    finally:
        addressed_door.desk.unusable = None
    assert (number, message[: len(plain[1])]) == plain
    assert "no IPv4 address" in message


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_client_of_the_other_family_keeps_the_unix_socket(rig: EngineRig) -> None:
    with open_door(rig.socket, host="::1") as door:
        door.desk.addressed = rig.process.sockets
        with pymysql.connect(host="::1", port=door.port, user="plain@t1", password="secret") as client:
            assert rows(client, "select user()") == [("plain@unix:",)]


def test_change_of_user_keeps_the_address_while_the_old_connection_has_the_port(addressed_door: Door) -> None:
    client = WireClient.dial(addressed_door.port)
    assert client.log_in().payload[0] == 0
    client.begin(CommandCode.CHANGE_USER, b"plain@t1\0\x00\0\x2d\x00mysql_native_password\0\x00")
    assert client.prove("secret").payload[0] == 0
    client.close()


def test_list_of_the_tenant_is_kept_by_the_engine(addressed_door: Door, rig: EngineRig) -> None:
    rig.sql("set global ob_tcp_invited_nodes = '127.0.0.9'")
    try:
        number, message = refusal_of(addressed_door, "plain@t1", password="secret")
        assert number == 1227
        assert "ob_tcp_invited_nodes" in message
        addressed_door.connect("plain@t1", password="secret", bind_address="127.0.0.9").close()
        client = WireClient.dial(addressed_door.port)  # root from here always may
        assert client.log_in().payload[0] == 0
        client.begin(CommandCode.CHANGE_USER, b"plain@t1\0\x00\0\x2d\x00mysql_native_password\0\x00")
        assert error_of(client.prove("secret"))[0] == 1227
        client.close()
    finally:
        rig.sql("set global ob_tcp_invited_nodes = '%'")


def test_port_that_is_taken_is_replaced(addressed_door: Door, rig: EngineRig) -> None:
    """A client may come again from a port whose last connection with the engine is not over."""
    assert rig.process.sockets is not None
    with socket.create_server(("127.0.0.11", 0)) as free:
        port = free.getsockname()[1]
    held = rig.process.sockets.take()
    held.bind(("127.0.0.11", port))  # without SO_REUSEADDR it is nobody else's
    with socket.create_connection(("127.0.0.1", addressed_door.port), source_address=("127.0.0.11", port)) as plain:
        client = pymysql.Connection(user="plain@t1", password="secret", defer_connect=True, ssl_disabled=True)
        client.connect(sock=plain)
        assert rows(client, "select user()") == [("plain@127.0.0.11",)]
        mine = {row[2] for row in rows(client, "show processlist") if str(row[2]).startswith("127.0.0.11:")}
        assert mine
        assert f"127.0.0.11:{port}" not in mine
    held.close()


def test_many_come_at_once(addressed_door: Door) -> None:
    clients = [addressed_door.connect("plain@t1", password="secret") for _ in range(100)]
    assert len(rows(clients[0], "show processlist")) >= 100
    for client in clients:
        client.close()


def test_account_that_asks_for_tls_is_known_by_its_address_too(rig: EngineRig, certificate: tuple[Path, Path]) -> None:
    rig.sql("create user safe@'127.0.0.9' identified by 'secret' require ssl")
    with open_door(rig.socket, tls_cert=certificate[0], tls_key=certificate[1]) as door:
        door.desk.addressed = rig.process.sockets
        context = wallet.server_context(authority_file(rig.account_file))
        assert context is not None
        door.desk.tls["safe"] = context
        options = {"password": "secret", "ssl": client_tls()}
        with door.connect("safe@t1", bind_address="127.0.0.9", **options) as client:
            assert rows(client, "select user()") == [("safe@127.0.0.9",)]
            assert rows(client, f"select length('{'x' * 3_000_000}')") == [(3_000_000,)]
        assert refusal_of(door, "safe@t1", **options)[0] == 1045
        in_plain = {"password": "secret", "ssl_disabled": True}
        assert refusal_of(door, "safe@t1", bind_address="127.0.0.9", **in_plain)[0] == 1045
