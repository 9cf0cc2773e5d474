"""Nobody waits for another tenant's text: long ones are read on threads, a tenant's one at a time, and many short ones in turns."""

import threading
import time
from collections.abc import Iterator

import pytest
from door_rig import Door
from wire_rig import WireClient, error_of

from holdfast.gateway.connection import ClientConnection
from holdfast.mysql.conversation import WHOLE_BYTES_MAX, Command
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.framing import frame
from holdfast.mysql.response import ResponseParser, Role
from holdfast.statement import lexer

pytestmark = pytest.mark.live

VIEW = "oceanbase.DBA_OB_BACKUP_JOBS"
HEAVY = b"alter system set a=1" + b",a=1" * (WHOLE_BYTES_MAX // 4 - 10)
"""1 to 2.5 s of reading on a quiet machine."""
SECONDS_MAX = 1.0
"""The longest of some SELECT 1 beside three such: 0.04 to 0.3 s on a machine with other work, 2 to 9 s where they were read on the loop."""
HEAD_BYTES = 4096
"""The first words of a text are told by no more, on the loop too."""


def log_in(door: Door, user: str) -> WireClient:
    client = WireClient.dial(door.port)
    assert client.log_in(user).payload[0] == 0
    return client


def long(head: str, unit: str, tail: str = "") -> bytes:
    return (head + unit * (60_000 // len(unit)) + tail).encode()


LONG = {
    "parameters": long("alter system set a=1", ",a=1"),
    "a statement of ours": long("alter system archivelog", " x"),
    "a view": long(f"select * from {VIEW} where job_id in (1", ",1", ")"),
    "a script of ours": long("show tenants", "; select 'system'"),
    "a script of the engine's": long("select 'system'", "; select 'a'"),
    "a comment that is code": long("/*!40101 set @a=1 */", "/*!40101 */"),
    "an account": long("grant select on `__holdfast_` to u", ",u"),
    "what is prepared": long("prepare s from 'select 1", ",1", "'"),
    "what is stored": long("create procedure p() begin ", "set @system = 1; ", "end"),
    "a common table": long("with x as (select 1", ",1", ") select 1"),
    "a name of holdfast's": long("insert into test.own select 1 from `__holdfast`.x where 1 in (1", ",1", ")"),
    "data with semicolons": long("insert into test.nowhere values (1, 'system;')", ",(1, 'a')"),
    "a setting": long("set @a=1", ",@a=1"),
    "a table": long("create table test.long(a int", ",a int", ")"),
}


@pytest.fixture
def lexed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Whatever is lexed: the thread's name, and how much."""
    seen: list[tuple[str, int]] = []
    whole = lexer._TOKEN

    class Watching:
        def finditer(self, text: str, start: int = 0) -> Iterator[object]:
            seen.append((threading.current_thread().name, len(text) - start))
            return whole.finditer(text, start)

    monkeypatch.setattr(lexer, "_TOKEN", Watching())
    return seen


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("user", ["root@t1", "root@sys"])
def test_no_long_text_is_lexed_on_the_loop(door: Door, lexed: list[tuple[str, int]], user: str, text: bytes) -> None:
    client = log_in(door, user)
    for code in (CommandCode.QUERY, CommandCode.STMT_PREPARE):
        client.begin(code, text)
        parser = ResponseParser(code)
        while not parser.is_done:
            answered = client.socket.recv(1 << 16)
            assert answered
            parser.feed(answered)
    client.close()
    assert not [size for name, size in lexed if not name.startswith(("reader", "desk")) and size > HEAD_BYTES]
    is_read = text is LONG["parameters"]
    assert not is_read or [size for name, size in lexed if name.startswith("reader") and size > HEAD_BYTES]


def test_a_select_does_not_wait_for_another_tenants_texts(door: Door) -> None:
    is_enough = threading.Event()

    def ask_heavily(client: WireClient) -> None:
        client.socket.settimeout(120)  # they wait for each other, beside whatever else the machine does
        while not is_enough.is_set():
            assert error_of(client.ask(CommandCode.QUERY, HEAVY))
        client.close()

    heavy = [threading.Thread(target=ask_heavily, args=(log_in(door, "root@t1"),)) for _ in range(3)]
    other = log_in(door, "root@t2")
    for thread in heavy:
        thread.start()
    time.sleep(0.2)
    waited = []
    for _ in range(30):
        begun = time.monotonic()
        assert other.query("select 1")[-2].payload == b"\x011"
        waited.append(time.monotonic() - begun)
        time.sleep(0.1)
    is_enough.set()
    for thread in heavy:
        thread.join()
    other.close()
    assert max(waited) < SECONDS_MAX, waited


def test_commands_behind_a_long_text_are_answered_in_their_order(door: Door) -> None:
    client = log_in(door, "root@t1")
    texts = (
        b"select 1 from dual where '_ob_' <> '' and 1 in (1" + b",1" * 60_000 + b")",
        b"select 2",
        b"show tenants",
        b"select 3",
    )
    client.send(b"".join(frame(0, b"\x03" + text) for text in texts))
    rows: list[bytes] = []
    data = b""
    for text in texts:
        parser = ResponseParser(CommandCode.QUERY)
        while not parser.is_done:
            for one in parser.feed(data or client.socket.recv(1 << 16)):
                assert one.role is not Role.ERROR, (text[:20], one.payload)
                rows += [one.payload] if one.role is Role.ROW else []
            data = b""
        data = parser.rest()
        assert rows, text[:20]
    client.close()
    assert (rows[0], rows[1], rows[-1]) == (b"\x011", b"\x012", b"\x013")
    assert len(rows) > 4, "the tenants"


def test_kill_query_ends_the_reading_of_a_text(door: Door) -> None:
    client, killer = log_in(door, "root@t1"), log_in(door, "root@t1")
    assert client.greeting is not None
    client.begin(CommandCode.QUERY, HEAVY)
    time.sleep(0.1)
    assert killer.query(f"kill query {client.greeting.connection_id}")[-1].role is Role.OK
    assert error_of(client.end(CommandCode.QUERY))[0] == 1317
    assert client.query("select 1")[-2].payload == b"\x011"
    client.close()
    killer.close()


def test_who_leaves_while_a_text_is_read_gives_its_turn_back(door: Door) -> None:
    for _ in range(3):
        client = log_in(door, "root@t1")
        client.begin(CommandCode.QUERY, HEAVY)
        client.close()
    client = log_in(door, "root@t1")
    assert client.query("select 1 in ('_ob_'" + ",1" * 5000 + ")")[-1].ends
    client.close()


def test_many_commands_at_once_are_looked_at_in_turns(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    begin, look = ClientConnection._pump, ClientConnection._on_command

    def pump(connection: ClientConnection) -> None:
        looked_at.append(0)
        begin(connection)

    def on_command(connection: ClientConnection, command: Command) -> None:
        looked_at[-1] += len(command.raw)
        look(connection, command)

    client, other = log_in(door, "root@t1"), log_in(door, "root@t2")
    monkeypatch.setattr(ClientConnection, "_pump", pump)
    monkeypatch.setattr(ClientConnection, "_on_command", on_command)
    text = b"select 1 in (1" + b",1" * 400 + b")"
    count = 1000
    threading.Thread(target=client.send, args=(frame(0, b"\x03" + text) * count,), daemon=True).start()
    answers, data = 0, b""
    while answers < count:
        parser = ResponseParser(CommandCode.QUERY)
        while not parser.is_done:
            parser.feed(data or client.socket.recv(1 << 16))
            data = b""
        data = parser.rest()
        answers += 1
    assert other.query("select 1")[-2].payload == b"\x011"
    assert sum(looked_at) > count * len(text)
    assert max(looked_at) < 8192 + len(text) + 64
    client.close()
    other.close()
