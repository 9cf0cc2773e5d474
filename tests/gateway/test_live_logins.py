"""Coming in: who is led where, who is not, and what strangers can do to the door."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pymysql
import pytest
from door_rig import VIEWS_PASSWORD, Door, open_door
from wire_rig import CLIENT_CAPABILITIES, WireClient, error_of

from holdfast.errors import RefusedError
from holdfast.gateway.server import GatewayThread
from holdfast.gateway.settings import GatewaySettings
from holdfast.mysql.flags import OFFERED_CAPABILITIES, Capability, CommandCode
from holdfast.mysql.framing import PacketReader, frame
from holdfast.mysql.packets import decode_greeting
from tls_rig import client_tls

pytestmark = pytest.mark.live


def refusal(door: Door, user: str, **options: object) -> tuple[int, str]:
    with pytest.raises(pymysql.MySQLError) as refused:
        door.connect(user, **options)
    number, message = refused.value.args
    return number, message


def test_greeting_is_the_engines_but_for_compression_and_tls(door: Door, engine_socket: Path) -> None:
    """If a new engine greets otherwise, the constants of mysql.flags must follow."""
    with socket.socket(socket.AF_UNIX) as direct:
        direct.connect(str(engine_socket))
        reader = PacketReader(payload_bytes_max=1000)
        while (packet := reader.next_packet()) is None:
            reader.feed(direct.recv(1000))
    engine = decode_greeting(packet.payload)
    client = WireClient.dial(door.port)
    ours = client.greet()
    client.close()
    not_offered = Capability.COMPRESS | Capability.SSL  # the second by a door with a certificate
    assert ours.capabilities == engine.capabilities & ~not_offered == OFFERED_CAPABILITIES
    assert (ours.version, ours.charset, ours.plugin) == (engine.version, engine.charset, engine.plugin)
    assert ours.connection_id >= 0x70000001 > engine.connection_id
    assert b"\0" not in ours.scramble


@pytest.mark.parametrize(
    "user", ["root", "root@sys", "root@t1", "root@t1#holdfast", "root@t1#HOLDFAST", "root#holdfast"]
)
def test_user_tenant_and_cluster_lead_in(door: Door, user: str) -> None:
    with door.connect(user, database="test") as connection, connection.cursor() as cursor:
        cursor.execute("select user(), database()")
        name, database = cursor.fetchone() or ("", "")
        assert name.startswith("root@")
        assert database == "test"


def test_password_is_proved_to_the_engine(door: Door) -> None:
    with door.connect("plain@t1", password="secret") as connection:
        connection.ping()


def test_wrong_password_is_the_engines_1045_unchanged(door: Door, engine_socket: Path) -> None:
    with pytest.raises(pymysql.MySQLError) as direct:
        pymysql.connect(unix_socket=str(engine_socket), user="plain", password="wrong")
    assert refusal(door, "plain@t1", password="wrong") == direct.value.args


def test_unknown_user_is_the_engines_1045(door: Door) -> None:
    number, message = refusal(door, "nobody@t1", password="x")
    assert number == 1045
    assert "'nobody'@" in message


OWN_USERS = (
    "__holdfast@sys",
    "__holdfast@t1",
    "__holdfast_restore@t1",
    "__HoldFast@t1#holdfast",
    "__holdf\xe1st@t1",
    "__holdfast_@t2",
    "hf_t1002@sys",
    "HF_T1002@sys",
    "hf_nobody@sys",
)


@pytest.mark.parametrize("user", OWN_USERS)
def test_our_own_users_are_refused_before_any_engine_is_asked(door: Door, user: str) -> None:
    """The greeting's answer is the refusal: no AuthSwitch, so no password of theirs could be proved. `hf_t1002` has this one."""
    assert refusal(door, user, password=VIEWS_PASSWORD)[0] == 1045
    client = WireClient.dial(door.port)
    client.greet()
    client.send(frame(1, client.response(user)))
    assert client.packet().payload[:3] == b"\xff\x15\x04"
    client.close()
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    assert change_user(client, user, VIEWS_PASSWORD)[:3] == b"\xff\x15\x04"
    assert client.is_hung_up()


def test_unknown_database_is_the_engines_1049(door: Door) -> None:
    assert refusal(door, "root@t1", database="nowhere") == (1049, "Unknown database 'nowhere'")


def test_unknown_tenant_is_told_like_a_wrong_password(door: Door) -> None:
    wrong = refusal(door, "root@t1", password="x")
    assert wrong[0] == 1045
    for login in ("root@nobody", "root@T1"):
        assert refusal(door, login, password="x") == wrong
    assert refusal(door, "__holdfast@t1", password="x")[1] == wrong[1].replace("root", "__holdfast")


def test_tenant_without_an_engine_is_told_4012(door: Door) -> None:
    assert refusal(door, "root@gone")[0] == 4012


def test_tenant_that_is_not_ready_gets_the_desks_own_refusal(door: Door) -> None:
    assert refusal(door, "root@restoring") == (4012, "tenant is not ready")


def test_another_cluster_is_refused(door: Door) -> None:
    assert refusal(door, "root@t1#other")[0] == 4669


def test_login_sent_byte_by_byte_is_understood(door: Door) -> None:
    """Also: OceanBase's private attributes are kept from the engine, or it would change its framing."""
    client = WireClient.dial(door.port)
    assert client.log_in(slowly=True).payload[0] == 0
    assert client.query("select 1", slowly=True)[-1].ends
    client.close()


def test_command_pipelined_behind_the_login_is_answered(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.greet()
    client.send(frame(1, client.response("root@t1")))
    switch = client.packet()
    client.send(frame(switch.sequence + 1, b"") + frame(0, b"\x03select 41 + 1"))
    assert client.packet().payload[0] == 0
    assert [client.packet().payload for _ in range(5)][3] == b"\x0242"
    client.close()


def test_auth_data_with_a_long_length_is_understood(door: Door) -> None:
    """LENENC auth data is not offered, but a client that uses it anyway says so in its flags."""
    client = WireClient.dial(door.port)
    client.greet()
    flags = CLIENT_CAPABILITIES | Capability.PLUGIN_AUTH_LENENC_DATA
    payload = (
        int(flags).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23) + b"root@t1\0"
        + b"\xfc\x2c\x01" + b"p" * 300 + b"mysql_native_password\0" + b"\x00"
    )  # fmt: skip
    client.send(frame(1, payload))
    assert client.prove().payload[0] == 0
    client.close()


def test_client_without_auth_switch_is_told_1251(door: Door) -> None:
    """Its answer to the greeting's scramble proves nothing to the engine, and it cannot be asked again."""
    client = WireClient.dial(door.port)
    client.greet()
    flags = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION
    client.send(frame(1, int(flags).to_bytes(4, "little") + bytes(28) + b"root@t1\0\x00"))
    assert error_of(client.packet())[0] == 1251
    assert client.is_hung_up()


def test_client_older_than_4_1_is_told_bad_handshake(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.greet()
    client.send(frame(1, b"\x01\x00\x00\x00\x01root\0"))
    assert error_of(client.packet())[0] == 1043
    assert client.is_hung_up()


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\x00\x00\x00\x01", bytes(40)])
def test_noise_instead_of_a_login_is_hung_up_on(door: Door, noise: bytes) -> None:
    client = WireClient.dial(door.port)
    client.greet()
    client.send(noise)
    with suppress(OSError):  # hung up already
        client.socket.shutdown(socket.SHUT_WR)
    assert client.is_hung_up(5)
    with door.connect() as connection:
        connection.ping()


def test_half_open_login_times_out(engine_socket: Path) -> None:
    """At each place a client can stop: before its response, inside it, and before its answer to the switch."""
    with open_door(engine_socket, login_seconds_max=0.5) as door:
        stops: list[WireClient] = []
        for say in (b"", b"\x20\x00", None):
            client = WireClient.dial(door.port)
            client.greet()
            if say is None:
                client.send(frame(1, client.response("root@t1")))
                client.packet()
            else:
                client.send(say)
            stops.append(client)
        assert all(client.is_hung_up(3) for client in stops)


def test_a_login_that_is_not_finished_in_time_is_told_so(engine_socket: Path) -> None:
    with open_door(engine_socket, login_seconds_max=0.3) as door:
        silent, owing = WireClient.dial(door.port), WireClient.dial(door.port)
        silent.greet()
        owing.greet()
        owing.send(frame(1, owing.response("root@t1")))
        owing.packet()
        for client in (silent, owing):
            assert error_of(client.packet())[0] == 1159
            assert client.is_hung_up(3)


# --- COM_CHANGE_USER and COM_RESET_CONNECTION


def change_user(client: WireClient, user: str, password: str = "", database: str = "") -> bytes:
    body = user.encode() + b"\0\x00" + database.encode() + b"\0" + b"\x2d\x00" + b"mysql_native_password\0" + b"\x00"
    client.begin(CommandCode.CHANGE_USER, body)
    return client.prove(password).payload


def test_change_user_to_another_tenant_is_a_new_login(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.query("set @mine = 1")
    client.query("show tenants")
    assert change_user(client, "plain@t2", "secret", "test")[0] == 0
    assert client.query("show tenants")[-1].ends
    assert [session.tenant.tenant_id for session in door.desk.sessions] == [1002, 1004]
    assert [session.user for session in door.desk.sessions] == ["root", "plain"]
    rows = client.query("select database(), @mine, substring_index(user(), '@', 1)")
    assert b"test\xfb\x05plain" in rows[-2].payload
    client.close()


def test_change_user_with_a_wrong_password_ends_the_connection(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    assert change_user(client, "plain@t1", "wrong")[:3] == b"\xff\x15\x04"
    assert client.is_hung_up()


def test_reset_connection_is_relayed_and_begins_a_new_session(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.query("set @mine = 1")
    client.query("show tenants")
    assert client.ask(CommandCode.RESET_CONNECTION)[-1].payload[0] == 0
    assert client.query("select @mine")[-2].payload == b"\xfb"
    client.query("show tenants")
    assert door.desk.sessions[0] is not door.desk.sessions[1]
    client.close()


# --- TLS


def test_tls_on_and_off_on_one_port(engine_socket: Path, certificate: tuple[Path, Path]) -> None:
    with open_door(engine_socket, tls_cert=certificate[0], tls_key=certificate[1]) as door:
        for _ in range(5):
            with door.connect() as plain, door.connect(ssl=client_tls()) as secured:
                for connection in (plain, secured):
                    with connection.cursor() as cursor:
                        cursor.execute("show tenants")
                        assert len(cursor.fetchall()) == 4
                assert secured._sock.version() == "TLSv1.3"  # type: ignore[union-attr]


def test_large_result_and_backpressure_under_tls(engine_socket: Path, certificate: tuple[Path, Path]) -> None:
    with (
        open_door(engine_socket, tls_cert=certificate[0], tls_key=certificate[1]) as door,
        door.connect(ssl=client_tls()) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select repeat('x', 8000000), repeat('y', 8000000)")
        assert [len(cell) for cell in cursor.fetchone() or ()] == [8_000_000, 8_000_000]


def test_client_hello_in_the_segment_of_the_ssl_request_is_not_lost(
    engine_socket: Path, certificate: tuple[Path, Path]
) -> None:
    with open_door(engine_socket, tls_cert=certificate[0], tls_key=certificate[1]) as door:
        client = WireClient.dial(door.port)
        assert Capability.SSL in client.greet().capabilities
        flags = int(CLIENT_CAPABILITIES | Capability.SSL).to_bytes(4, "little")
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_tls().wrap_bio(into, out)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        client.send(frame(1, flags + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23)) + out.read())
        while True:
            into.write(client.socket.recv(1 << 16))
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                continue
            break
        tls.write(frame(2, client.response("root@t1", capabilities=CLIENT_CAPABILITIES | Capability.SSL)))
        client.send(out.read())
        reader = PacketReader(payload_bytes_max=1000)
        while (packet := reader.next_packet()) is None:
            into.write(client.socket.recv(1 << 16))
            try:
                reader.feed(tls.read(1000))
            except ssl.SSLWantReadError:
                continue
        assert packet.payload[0] == 0xFE
        assert packet.sequence == 3
        client.close()


def test_ssl_request_where_tls_is_not_offered_is_refused(door: Door) -> None:
    client = WireClient.dial(door.port)
    assert Capability.SSL not in client.greet().capabilities
    client.send(frame(1, int(CLIENT_CAPABILITIES | Capability.SSL).to_bytes(4, "little") + bytes(28)))
    assert error_of(client.packet())[0] == 1043


def test_tls_handshake_that_stalls_times_out(engine_socket: Path, certificate: tuple[Path, Path]) -> None:
    with open_door(engine_socket, tls_cert=certificate[0], tls_key=certificate[1], login_seconds_max=0.5) as door:
        client = WireClient.dial(door.port)
        client.greet()
        client.send(frame(1, int(CLIENT_CAPABILITIES | Capability.SSL).to_bytes(4, "little") + bytes(28)))
        assert client.is_hung_up(3)


def test_one_tls_file_without_the_other_is_refused(engine_socket: Path, certificate: tuple[Path, Path]) -> None:
    with (
        pytest.raises(RefusedError, match="found one of them"),
        open_door(engine_socket, tls_cert=certificate[0]),
    ):
        pass


def test_port_in_use_is_refused_with_its_number(door: Door) -> None:
    thread = GatewayThread(door.desk, GatewaySettings(port=door.port))
    with pytest.raises(RefusedError, match=f"port {door.port}"):
        thread.start()


# --- stopping


def test_stop_closes_idle_clients_at_once_and_lets_a_busy_one_end(engine_socket: Path) -> None:
    with open_door(engine_socket) as door:
        idle, busy = WireClient.dial(door.port), WireClient.dial(door.port)
        for client in (idle, busy):
            client.log_in()
        busy.begin(CommandCode.QUERY, b"select sleep(0.7), 'done'")
        time.sleep(0.1)
        started = time.monotonic()
        door.thread.stop(drain_seconds=5)
        assert 0.4 < time.monotonic() - started < 3
        assert busy.end(CommandCode.QUERY)[-2].payload.endswith(b"done")
        assert idle.is_hung_up(1)
        with pytest.raises(OSError):
            WireClient.dial(door.port)


def test_stop_does_not_wait_longer_than_told(engine_socket: Path) -> None:
    with open_door(engine_socket) as door:
        client = WireClient.dial(door.port)
        client.log_in()
        client.begin(CommandCode.QUERY, b"select sleep(20)")
        time.sleep(0.1)
        started = time.monotonic()
        door.thread.stop(drain_seconds=0.3)
        assert time.monotonic() - started < 2
        assert client.is_hung_up(1)


def test_handshake_rebuilt_for_the_engine_names_no_tenant(door: Door) -> None:
    """The engine shows whom it believes to talk to."""
    with door.connect("plain@t1", password="secret") as connection, connection.cursor() as cursor:
        cursor.execute("select current_user()")
        assert cursor.fetchone() == ("plain@%",)


def test_user_name_may_hold_an_at_sign(door: Door) -> None:
    """The tenant begins behind the last one."""
    assert "'we@ird'@" in refusal(door, "we@ird@t1", password="x")[1]


@pytest.fixture(scope="module")
def app_door(engine_socket: Path) -> Iterator[Door]:
    """A gateway whose logins without a tenant lead to t2; `later` is the default of none that is there yet."""
    with open_door(engine_socket, default_tenant="t2") as door:
        yield door


def _landed(door: Door, user: str) -> str:
    """Return the tenant whose session a statement of Holdfast's ran in."""
    door.desk.sessions.clear()
    with door.connect(user) as connection, connection.cursor() as cursor:
        cursor.execute("show tenants")
    return door.desk.sessions[-1].tenant.name


@pytest.mark.parametrize(
    ("user", "tenant"),
    [
        ("root", "t2"),
        ("root#holdfast", "t2"),
        ("root@", "t2"),
        ("root@#holdfast", "t2"),
        ("root@sys", "sys"),
        ("root@sys#holdfast", "sys"),
        ("root@t1", "t1"),
    ],
)
def test_a_login_without_a_tenant_leads_to_the_default_one(app_door: Door, user: str, tenant: str) -> None:
    assert _landed(app_door, user) == tenant


def test_without_the_option_a_login_without_a_tenant_leads_to_sys(door: Door) -> None:
    """As OceanBase has it."""
    assert _landed(door, "root") == "sys"


def test_changing_the_user_to_one_without_a_tenant_leads_to_the_default_one(app_door: Door) -> None:
    client = WireClient.dial(app_door.port)
    client.log_in("root@t1")
    app_door.desk.sessions.clear()
    assert change_user(client, "root")[0] == 0
    client.query("show tenants")
    client.close()
    assert app_door.desk.sessions[-1].tenant.name == "t2"


def test_a_default_tenant_that_is_not_there_is_said_and_never_is_sys(app_door: Door) -> None:
    """Before it is made, after it was dropped; explicit names go on."""
    gone = app_door.desk.tenants.pop("t2")
    try:
        number, message = refusal(app_door, "root")
        assert number == 5157
        assert "Unknown tenant 't2'" in message
        assert "--default-tenant" in message
        assert _landed(app_door, "root@sys") == "sys"
        assert refusal(app_door, "root@t2")[0] == 1045
    finally:
        app_door.desk.tenants["t2"] = gone
    assert _landed(app_door, "root") == "t2"


def test_a_default_tenant_that_is_being_restored_is_not_ready(engine_socket: Path) -> None:
    with open_door(engine_socket, default_tenant="restoring") as door:
        assert refusal(door, "root")[0] == 4012
