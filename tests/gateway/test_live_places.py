"""Who gets in when many come: bursts, one tenant that fills what it can reach, and strangers at the door."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door, within
from wire_rig import CLIENT_CAPABILITIES, WireClient, error_of

from cli.cli_rig import run
from holdfast.gateway import server
from holdfast.gateway.inbox import LOGIN_PAYLOAD_BYTES_MAX, Inbox
from holdfast.mysql.flags import Capability, CommandCode
from holdfast.mysql.framing import PacketReader, frame
from holdfast.mysql.packets import decode_error
from holdfast.values.places import PlaceLimits

pytestmark = pytest.mark.live

BURST_SECONDS_MAX = 60.0
"""A burst of a thousand takes 2 to 4 s alone; three times that beside two other scenes is still far below."""
SMALL = PlaceLimits(
    connections_max=16,
    reserved_for_sys=3,
    reserved_per_tenant=2,
    per_tenant_max=100,
    tenant_ids=frozenset({1002, 1004}),
)


async def log_in(port: int, user: str, hold: list[asyncio.StreamWriter], *, proves: bool = True) -> int:
    """Log in as a plain client does, and keep the connection; return 0, or the number of the error that was told.

    -1: the connection was closed without a word. Without `proves` the proof is a wrong one.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    hold.append(writer)
    packets = PacketReader(payload_bytes_max=1 << 16)

    async def packet() -> tuple[int, bytes]:
        while (found := packets.next_packet()) is None:
            data = await reader.read(1 << 16)
            if not data:
                raise EOFError
            packets.feed(data)
        return found.sequence, found.payload

    try:
        _, payload = await packet()
        if payload[0] == 0xFF:
            return decode_error(payload).number
        writer.write(frame(1, WireClient.response(user)))
        sequence, payload = await packet()
        if payload[0] == 0xFF:
            return decode_error(payload).number
        writer.write(frame(sequence + 1, b"" if proves else b"\x01" * 20))
        _, payload = await packet()
        return decode_error(payload).number if payload[0] == 0xFF else 0
    except (EOFError, ConnectionError):
        return -1


def burst(port: int, count: int, user: str = "root@t1") -> Counter[int]:
    """Log in `count` times at once, all held until the last is answered; return how often each answer came."""

    async def come() -> Counter[int]:
        hold: list[asyncio.StreamWriter] = []
        async with asyncio.timeout(BURST_SECONDS_MAX):
            answers = await asyncio.gather(*(log_in(port, user, hold) for _ in range(count)))
        for writer in hold:
            writer.transport.abort()
        return Counter(answers)

    return asyncio.run(come())


def number_of(door: Door, user: str) -> int:
    """Return 0 if the user gets in (and out again), else the number he is told."""
    try:
        door.connect(user).close()
    except pymysql.MySQLError as error:
        return int(error.args[0])
    return 0


def fill(door: Door, stack: ExitStack, user: str) -> int:
    """Take every place the user's tenant can reach, until `stack` ends; return how many those were."""
    count = 0
    while True:
        try:
            connection = door.connect(user)
        except pymysql.MySQLError as error:
            if error.args[0] != 1040:
                raise
            return count
        stack.callback(connection.close)
        count += 1


def test_a_thousand_logins_at_once_are_all_served(engine_socket: Path) -> None:
    with open_door(engine_socket) as door:
        assert burst(door.port, 1000) == {0: 1000}


def test_of_a_burst_that_finds_too_few_places_each_is_told(engine_socket: Path) -> None:
    with open_door(engine_socket, limits=replace(SMALL, connections_max=60)) as door:
        assert burst(door.port, 200) == {0: 60 - 3 - 2, 1040: 145}
        assert within(30, lambda: number_of(door, "root@t1") == 0)


def test_a_burst_beyond_what_may_be_unfinished_waits_at_the_door(engine_socket: Path) -> None:
    """Its oldest does not give way to its youngest: a login takes milliseconds, and they wait in the listener's queue."""
    with open_door(engine_socket, unfinished_max=20) as door:
        assert burst(door.port, 300) == {0: 300}


def test_one_tenant_that_fills_all_it_can_reach_leaves_sys_and_others_theirs(engine_socket: Path) -> None:
    with open_door(engine_socket, limits=SMALL) as door, ExitStack() as stack:
        assert fill(door, stack, "root@t1") == 16 - 3 - 2
        assert fill(door, stack, "root@t2") == 2
        assert fill(door, stack, "root@sys") == 3
        assert {number_of(door, user) for user in ("root@t1", "root@t2", "root@sys")} == {1040}


def test_a_tenant_has_no_more_than_its_share_and_is_told_which_parameter_says_so(engine_socket: Path) -> None:
    with open_door(engine_socket, limits=replace(SMALL, per_tenant_max=3)) as door, ExitStack() as stack:
        assert fill(door, stack, "root@t1") == 3
        with pytest.raises(pymysql.MySQLError, match="gateway_connections_per_tenant_max"):
            door.connect("root@t1")
        assert number_of(door, "root@t2") == 0


def test_changed_limits_count_from_the_next_login_on(engine_socket: Path) -> None:
    with open_door(engine_socket, limits=SMALL) as door, ExitStack() as stack:
        fill(door, stack, "root@t1")
        door.desk.limits = replace(SMALL, connections_max=18)
        assert fill(door, stack, "root@t1") == 2
        door.desk.limits = replace(SMALL, connections_max=8)
        assert number_of(door, "root@t1") == 1040
        assert number_of(door, "root@sys") == 1040, "nobody is sent away, and nobody gets in"


def test_who_leaves_gives_his_place_back(engine_socket: Path) -> None:
    with open_door(engine_socket, limits=replace(SMALL, per_tenant_max=1)) as door:
        first = door.connect("root@t1")
        assert number_of(door, "root@t1") == 1040
        first.close()
        assert within(30, lambda: number_of(door, "root@t1") == 0)


def test_changing_the_user_takes_one_place_for_another(engine_socket: Path) -> None:
    def change_user(client: WireClient, user: str) -> bytes:
        client.begin(CommandCode.CHANGE_USER, user.encode() + b"\0\x00\0\x2d\x00mysql_native_password\0\x00")
        return client.prove().payload

    with open_door(engine_socket, limits=replace(SMALL, per_tenant_max=1)) as door:
        client = WireClient.dial(door.port)
        client.log_in("root@t1")
        assert change_user(client, "root@t1")[0] == 0, "its own place is given back for the new one"
        assert change_user(client, "root@t2")[0] == 0
        assert number_of(door, "root@t1") == 0
        assert number_of(door, "root@t2") == 1040
        with door.connect("root@t1"):
            assert change_user(client, "root@t1")[1:3] == (1040).to_bytes(2, "little")
        client.close()


def test_the_limits_of_the_engine_are_told_in_its_own_words(engine_socket: Path) -> None:
    with (
        open_door(engine_socket, limits=SMALL) as door,
        pymysql.connect(unix_socket=str(engine_socket), user="root", autocommit=True) as root,
        root.cursor() as cursor,
    ):

        def log_in(way: dict[str, object]) -> "pymysql.Connection[pymysql.cursors.Cursor]":
            return pymysql.connect(password="secret", **way)  # type: ignore[call-overload, no-any-return]

        cursor.execute("set global max_user_connections = 1")
        try:
            told = []
            through: dict[str, object] = {"host": "127.0.0.1", "port": door.port, "user": "plain@t1"}
            for way in ({"unix_socket": str(engine_socket), "user": "plain"}, through):
                held = log_in(way)
                with pytest.raises(pymysql.MySQLError) as refused:
                    log_in(way)
                told.append(refused.value.args)
                held.close()
                assert within(10, lambda: not _sessions_of(cursor, "plain"))
            assert told[0] == told[1]
        finally:
            cursor.execute("set global max_user_connections = 0")
        assert number_of(door, "root@t1") == 0


def _sessions_of(cursor: "pymysql.cursors.Cursor", user: str) -> int:
    cursor.execute("show processlist")
    return sum(row[1] == user for row in cursor.fetchall())


# --- strangers


def test_a_silent_stranger_gives_way_to_newcomers_and_is_told_1040(engine_socket: Path) -> None:
    with open_door(engine_socket, unfinished_max=3, login_step_seconds_max=120.0, login_seconds_max=120.0) as door:
        idlers = [WireClient.dial(door.port) for _ in range(3)]
        for idler in idlers:
            idler.greet()
        assert within(30, lambda: number_of(door, "root@t1") == 0)
        told = idlers[0].packet()
        assert (told.sequence, error_of(told)[0]) == (2, 1040)
        assert idlers[0].is_hung_up(5)
        for idler in idlers:
            idler.close()


def test_one_who_owes_his_proof_gives_way_and_is_told_1040(engine_socket: Path) -> None:
    with open_door(engine_socket, unfinished_max=2, login_step_seconds_max=120.0, login_seconds_max=120.0) as door:
        owing = [WireClient.dial(door.port) for _ in range(2)]
        for client in owing:
            client.greet()
            client.send(frame(1, client.response("root@sys")))
            client.packet()
        assert within(30, lambda: number_of(door, "root@sys") == 0)
        told = owing[0].packet()
        assert (told.sequence, error_of(told)[0]) == (4, 1040)
        for client in owing:
            client.close()


def test_wrong_passwords_for_root_of_sys_lock_nobody_out(engine_socket: Path) -> None:
    """Two hundred at a time name `plain@sys` with a wrong proof, twenty more owe theirs: sys finds its places all the same."""
    stop = threading.Event()
    told: Counter[int] = Counter()

    async def intrude(port: int) -> None:
        async def again() -> None:
            while not stop.is_set():
                hold: list[asyncio.StreamWriter] = []
                told[await log_in(port, "plain@sys", hold, proves=False)] += 1
                for writer in hold:
                    writer.transport.abort()

        await asyncio.gather(*(again() for _ in range(200)))

    with open_door(engine_socket, limits=replace(SMALL, connections_max=8), unfinished_max=100) as door:
        owing = [WireClient.dial(door.port) for _ in range(20)]
        for client in owing:
            client.greet()
            client.send(frame(1, client.response("root@sys")))
        intruder = threading.Thread(target=lambda: asyncio.run(intrude(door.port)))
        intruder.start()
        try:
            assert within(30, lambda: told.total() > 200)
            for _ in range(5):
                assert number_of(door, "root@sys") == 0
        finally:
            stop.set()
            intruder.join()
        assert set(told) <= {1045, 1040}, "each was told"
        assert told[1045] > 100
        for client in owing:
            client.close()


@contextmanager
def hanging_engine(place: Path) -> Iterator[None]:
    """A socket that takes every connection and never says a word."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen(1000)
        yield


def test_an_engine_that_hangs_keeps_nobody_else_out_and_its_logins_are_told(
    engine_socket: Path, tmp_path: Path
) -> None:
    """`gone` leads to `nobody.sock` beside the engine's: here to one that hangs."""
    hangs = engine_socket.with_name("nobody.sock")
    with hanging_engine(hangs), open_door(engine_socket, unfinished_max=16, login_step_seconds_max=6.0) as door:
        door.desk.limits = replace(SMALL, connections_max=16)
        waiting = [WireClient.dial(door.port) for _ in range(20)]
        for client in waiting:
            client.greet()
            client.send(frame(1, client.response("root@gone")))
        begun = time.monotonic()
        assert number_of(door, "root@t1") == 0
        assert number_of(door, "root@sys") == 0
        assert time.monotonic() - begun < 5
        numbers = Counter(error_of(client.packet())[0] for client in waiting)
        assert numbers == {4012: 12, 1040: 8}
        for client in waiting:
            client.close()
    hangs.unlink()


# --- what clients are told


@pytest.mark.parametrize("flag", [Capability.COMPRESS, Capability.ZSTD_COMPRESSION])
def test_a_client_that_would_compress_is_refused(door: Door, flag: Capability) -> None:
    """mysql-connector-python does, whatever the greeting offers; login OK, and then both sides would wait for ever."""
    client = WireClient.dial(door.port)
    verdict = client.log_in("root@t1", capabilities=CLIENT_CAPABILITIES | flag)
    number, message = error_of(verdict)
    assert number == 1043
    assert "compress" in message
    assert client.is_hung_up(5)
    client.close()


def test_the_command_line_tells_full_from_not_there(engine_socket: Path) -> None:
    with open_door(engine_socket, limits=replace(SMALL, connections_max=8)) as door, ExitStack() as stack:
        fill(door, stack, "root@sys")
        for command in (("tenants",), ("status",), ("sql", "-e", "select 1"), ("jobs",)):
            ran = run(door.port, *command)
            assert ran.code == 3, command
            assert "is full: Too many connections" in ran.err, command
            assert "holdfast serve" not in ran.err, command
        checked = run(door.port, "check")
        assert checked.code == 3
        assert checked.out.startswith("UNKNOWN: ERROR 1040 (08004): the server at ")
        assert "is full" in checked.out
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ran = run(free.getsockname()[1], "tenants")
        assert ran.code == 4
        assert "no server answers" in ran.err
        assert "holdfast serve" in ran.err


def test_beyond_every_bound_the_door_still_says_why(engine_socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MARGIN", -SMALL.connections_max - 1)
    with open_door(engine_socket, limits=SMALL, unfinished_max=1) as door:
        first, second = WireClient.dial(door.port), WireClient.dial(door.port)
        first.greet()
        told = second.packet()
        assert (told.sequence, error_of(told)[0]) == (0, 1040)
        assert second.is_hung_up(5)
        first.close()


def _pushed_bytes(client: socket.socket, seconds: float) -> int:
    """Return how many bytes a peer took that nobody asked for, in so much time."""
    client.settimeout(0.2)
    pushed, end, block = 0, time.monotonic() + seconds, bytes(1 << 20)
    while time.monotonic() < end:
        try:
            pushed += client.send(block)
        except TimeoutError:
            continue
    return pushed


def test_what_comes_while_a_login_waits_is_left_with_its_sender(door: Door) -> None:
    """Here behind a COM_CHANGE_USER that waits for an earlier answer: 3 GB of it were taken in 5 s."""
    client = WireClient.dial(door.port)
    assert client.log_in("plain@t1", "secret").payload[0] == 0
    client.begin(CommandCode.QUERY, b"select sleep(3)")
    client.begin(CommandCode.CHANGE_USER, b"plain@t1\0\x00\0\x2d\x00mysql_native_password\0\x00")
    assert _pushed_bytes(client.socket, 1.5) < 32 << 20
    client.close()


def test_inbox_holds_a_packet_and_stops_whoever_sends_more() -> None:
    async def play() -> list[bool]:
        held: list[bool] = []
        inbox = Inbox(held.append)
        inbox.feed(frame(0, bytes(LOGIN_PAYLOAD_BYTES_MAX)))
        assert held == []
        inbox.feed(b"more")
        inbox.feed(b"and more")
        assert held == [True]
        assert len((await inbox.next_packet()).payload) == LOGIN_PAYLOAD_BYTES_MAX
        assert held == [True, False]
        inbox.feed(bytes(2 * LOGIN_PAYLOAD_BYTES_MAX))
        inbox.rest()
        return held

    assert asyncio.run(play()) == [True, False, True, False]
