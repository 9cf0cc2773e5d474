"""What is not ours goes to the engine and back as if nobody stood between."""

import socket
import threading
import time
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door, within
from wire_rig import WireClient, error_of

from engine_rig import running_engine
from holdfast.mysql.flags import Capability, CommandCode, Status
from holdfast.mysql.framing import frame
from holdfast.mysql.packets import decode_prepare_ok, status_of
from holdfast.mysql.response import Role

pytestmark = pytest.mark.live

_MIB = 1 << 20


@pytest.fixture
def wire(door: Door) -> "WireClient":
    client = WireClient.dial(door.port)
    assert client.log_in("root@t1", database="test").payload[0] == 0
    return client


def sessions_of_engine(engine_socket: Path) -> dict[int, str]:
    """Return what each engine session runs, by the engine's connection id."""
    with pymysql.connect(unix_socket=str(engine_socket), user="root") as root, root.cursor() as cursor:
        cursor.execute("show full processlist")
        return {row[0]: row[7] or "" for row in cursor.fetchall()}


def test_result_is_the_engines_byte_for_byte(door: Door, engine_socket: Path) -> None:
    text = "select i, v, null, 1.5, now() is not null from test.own order by i"
    answers = []
    through = WireClient.dial(door.port)
    through.log_in("root@sys")
    direct = WireClient(socket.socket(socket.AF_UNIX))
    direct.socket.connect(str(engine_socket))
    direct.greet()
    direct.send(frame(1, direct.response("root").replace(b"\x14" + b"\x01" * 20, b"\x00")))
    assert direct.packet().payload[0] == 0
    for client in (through, direct):
        answers.append(client.query(text))
        client.close()
    assert answers[0] == answers[1]


def test_multi_statements_give_one_result_each(wire: WireClient) -> None:
    received = wire.query("select 1; set @a = 2; select @a")
    ends = [status_of(packet.payload) for packet in received if packet.role in (Role.OK, Role.ROWS_END)]
    assert [bool(status & Status.MORE_RESULTS) for status in ends] == [True, True, False]
    assert received[-2].payload == b"\x012"


def test_statement_of_12_mib_streams_through(door: Door) -> None:
    with door.connect(max_allowed_packet=64 * _MIB) as connection, connection.cursor() as cursor:
        cursor.execute("replace into test.big values (1, %s)", ("x" * (12 * _MIB),))
        cursor.execute("select length(v) from test.big where i = 1")
        assert cursor.fetchone() == (12 * _MIB,)


def test_packet_of_17_mb_gets_the_engines_1153(door: Door) -> None:
    """Told after all of it was sent, as over a direct connection: the sender is not cut off."""
    client = WireClient.dial(door.port)
    client.log_in("root@t1", database="test")
    client.send(frame(0, b"\x03select '" + b"x" * 17_000_000 + b"'"))
    assert error_of(client.packet())[0] == 1153
    client.close()


def test_result_row_of_more_than_16_mb_comes_whole(door: Door) -> None:
    with door.connect(max_allowed_packet=64 * _MIB) as connection, connection.cursor() as cursor:
        cursor.execute("select repeat('x', 9000000), repeat('y', 9000000)")
        assert [len(cell) for cell in cursor.fetchone() or ()] == [9_000_000, 9_000_000]


def test_slow_reader_does_not_fill_the_gateways_memory(door: Door) -> None:
    """The engine waits for the client; the gateway keeps about one write buffer."""
    client = WireClient.dial(door.port)
    client.log_in("root@t1", database="test")
    client.begin(CommandCode.QUERY, b"select repeat('x', 4000000) from information_schema.columns limit 60")
    time.sleep(0.3)
    before = resident_bytes()
    time.sleep(1)
    assert resident_bytes() - before < 40 * _MIB
    total = 0
    while total < 200 * _MIB:
        data = client.socket.recv(1 << 20)
        if not data or b"\xfe\x00\x00\x02\x00" in data[-16:]:
            break
        total += len(data)
    assert total > 100 * _MIB
    client.close()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


# --- LOCAL INFILE


def test_local_infile_longer_than_the_sequence_count_is_one_file(door: Door, tmp_path: Path) -> None:
    """More than 256 packets: numbers wrap, and a packet numbered 0 inside a file is no command."""
    client = WireClient.dial(door.port)
    client.log_in("root@t1", database="test")
    client.query("create table if not exists test.loaded(i int primary key, v varchar(200))")
    client.query("truncate table test.loaded")
    client.begin(CommandCode.QUERY, b"load data local infile 'f' into table test.loaded fields terminated by ','")
    asked = client.packet()
    assert asked.payload == b"\xfbf"
    # The lines look like commands of ours, in case somebody reads them.
    rows = [b"%d,alter system archivelog\n" % number for number in range(600)]
    sequence = asked.sequence + 1
    for row in rows:
        client.send(frame(sequence, row))
        sequence = (sequence + 1) & 0xFF
    client.send(frame(sequence, b""))
    assert client.packet().payload[:1] == b"\x00"
    assert client.query("select count(*) from test.loaded")[-2].payload == b"\x03600"
    assert not door.desk.executed
    client.close()


def test_local_infile_of_more_than_16_mb_by_a_real_client(door: Door, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    line = "x" * 180
    source.write_text("".join(f"{number},{line}\n" for number in range(95_000)))
    assert source.stat().st_size > 17_000_000
    with door.connect(local_infile=True) as connection, connection.cursor() as cursor:
        cursor.execute("create table if not exists test.loaded(i int primary key, v varchar(200))")
        cursor.execute("truncate table test.loaded")
        cursor.execute(f"load data local infile '{source}' into table test.loaded fields terminated by ','")
        cursor.execute("select count(*), sum(length(v)) from test.loaded")
        assert [int(cell) for cell in cursor.fetchone() or ()] == [95_000, 95_000 * 180]
        cursor.execute("show tenants")
        assert len(cursor.fetchall()) == 4


def test_refused_local_infile_leaves_the_connection_usable(wire: WireClient) -> None:
    """An empty file: the client answers with the closing packet alone."""
    wire.query("create table if not exists test.loaded(i int primary key, v varchar(200))")
    wire.begin(CommandCode.QUERY, b"load data local infile 'f' into table test.loaded")
    asked = wire.packet()
    wire.send(frame(asked.sequence + 1, b""))
    wire.packet()
    assert wire.query("select 5")[-2].payload == b"\x015"


# --- prepared statements of the engine


def test_prepared_statement_of_the_engine_is_relayed(wire: WireClient) -> None:
    head = decode_prepare_ok(wire.ask(CommandCode.STMT_PREPARE, b"select v from test.own where i = ?")[0].payload)
    assert (head.parameter_count, head.column_count) == (1, 1)
    body = head.statement_id.to_bytes(4, "little") + b"\x00\x01\0\0\0" + b"\x00\x01\x08\x00" + (2).to_bytes(8, "little")
    assert wire.ask(CommandCode.STMT_EXECUTE, body)[-2].payload.endswith(b"\x03two")
    wire.begin(CommandCode.STMT_CLOSE, head.statement_id.to_bytes(4, "little"))
    assert error_of(wire.ask(CommandCode.STMT_EXECUTE, body))[0] in (1210, 1243)


def test_long_data_is_relayed_and_has_no_answer(wire: WireClient) -> None:
    head = decode_prepare_ok(wire.ask(CommandCode.STMT_PREPARE, b"select length(?)")[0].payload)
    statement = head.statement_id.to_bytes(4, "little")
    for _ in range(2):
        wire.begin(CommandCode.STMT_SEND_LONG_DATA, statement + b"\0\0" + b"x" * 500_000)
    received = wire.ask(CommandCode.STMT_EXECUTE, statement + b"\x00\x01\0\0\0" + b"\x00\x01\xfc\x00")
    assert int.from_bytes(received[-2].payload[2:10], "little") == 1_000_000


# --- leaving


def test_client_that_dies_in_a_query_ends_its_engine_session(door: Door, engine_socket: Path) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.begin(CommandCode.QUERY, b"select sleep(8), 'dies'")
    running = lambda: any("'dies'" in text for text in sessions_of_engine(engine_socket).values())  # noqa: E731
    assert within(30, running)
    client.close()
    assert within(30, lambda: not running())


def test_client_that_dies_in_a_large_result_ends_its_engine_session(door: Door, engine_socket: Path) -> None:
    """The engine is paused at that moment, because the client does not read."""
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.begin(CommandCode.QUERY, b"select repeat('d', 4000000), 'large' from information_schema.columns limit 60")
    running = lambda: any("'large'" in text for text in sessions_of_engine(engine_socket).values())  # noqa: E731
    assert within(30, running)
    time.sleep(0.3)
    client.close()
    assert within(30, lambda: not running())


def test_engine_that_dies_closes_its_clients_and_is_found_again(tmp_path: Path) -> None:
    with running_engine(tmp_path) as rig, open_door(rig.socket) as door:
        client = WireClient.dial(door.port)
        client.log_in("root@t1")
        client.begin(CommandCode.QUERY, b"select sleep(20)")
        rig.kill()
        assert client.is_hung_up(5)
        with pytest.raises(pymysql.MySQLError) as refused:
            door.connect()
        assert refused.value.args[0] == 4012
        rig.restart()
        with door.connect() as connection:
            connection.ping()


def test_quit_closes_the_connection(wire: WireClient) -> None:
    wire.begin(CommandCode.QUIT)
    assert wire.is_hung_up(3)


# --- clients that do not wait


def test_owned_statement_behind_an_unanswered_one_is_answered_second(wire: WireClient) -> None:
    """Three commands in one segment: the middle one is Holdfast's and must not overtake the first."""
    wire.send(
        frame(0, b"\x03select sleep(0.3), 'first'") + frame(0, b"\x03show tenants") + frame(0, b"\x03select 'third'")
    )
    answers = [wire.reader] and [read_result(wire) for _ in range(3)]
    assert [answer[0] for answer in answers] == [b"\x010\x05first", b"\x011\x03sys\xfb", b"\x05third"]


def test_relayed_commands_may_be_sent_ahead(wire: WireClient) -> None:
    wire.send(
        b"".join(frame(0, b"\x03select %d" % number) for number in range(100, 150)) + frame(0, b"\x03show tenants")
    )
    for number in range(100, 150):
        assert read_result(wire) == [b"\x03%d" % number]
    assert len(read_result(wire)) == 4


def test_client_that_sends_far_ahead_and_does_not_read_has_to_wait(wire: WireClient) -> None:
    """Its commands pile up in its own buffers, not here; nothing is lost."""
    count = 100_000
    ping = frame(0, b"\x0e")
    before = resident_bytes()
    sender = threading.Thread(target=wire.socket.sendall, args=(ping * count,), daemon=True)
    sender.start()
    time.sleep(1)
    assert resident_bytes() - before < 12 * _MIB  # 35 when all are accepted
    total = 0
    while total < 11 * count:
        data = wire.socket.recv(1 << 20)
        assert data
        total += len(data)
    sender.join(10)
    assert total == 11 * count
    assert wire.query("show tenants")[-1].ends


def read_result(client: WireClient) -> list[bytes]:
    """Return the rows of one result, read packet by packet: the next answer may be behind it."""
    count = client.packet().payload[0]
    for _ in range(count):
        client.packet()
    assert client.packet().payload[0] == 0xFE
    rows = []
    while (payload := client.packet().payload)[0] != 0xFE:
        rows.append(payload)
    return rows


# --- commands the gateway keeps


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (CommandCode.BINLOG_DUMP, 1235),
        (CommandCode.BINLOG_DUMP_GTID, 1235),
        (CommandCode.REGISTER_SLAVE, 1235),
        (CommandCode.SHUTDOWN, 1235),
        (0xA1, 1047),
        (0x0B, 1047),
    ],
)
def test_replication_shutdown_and_private_commands_are_refused(wire: WireClient, code: int, number: int) -> None:
    assert error_of(wire.ask(code, b"\0" * 12))[0] == number  # type: ignore[arg-type]
    assert wire.query("select 7")[-2].payload == b"\x017"


def test_long_private_command_is_refused_and_its_bytes_are_dropped(wire: WireClient) -> None:
    assert error_of(wire.ask(0xA1, b"x" * 3_000_000))[0] == 1047  # type: ignore[arg-type]
    assert wire.query("select 7")[-2].payload == b"\x017"


def test_empty_command_is_refused(wire: WireClient) -> None:
    wire.send(frame(0, b""))
    assert error_of(wire.packet())[0] == 1047


def test_small_commands_are_relayed(wire: WireClient) -> None:
    assert wire.ask(CommandCode.PING)[-1].role is Role.OK
    assert wire.ask(CommandCode.INIT_DB, b"test")[-1].role is Role.OK
    assert wire.ask(CommandCode.STATISTICS)[-1].role is Role.TEXT
    assert wire.ask(CommandCode.FIELD_LIST, b"own\0")[-1].role in (Role.ROWS_END, Role.ERROR)
    assert wire.query("select database()")[-2].payload == b"\x04test"


def test_command_sent_byte_by_byte_is_understood(wire: WireClient) -> None:
    assert wire.query("select 'slow'", slowly=True)[-2].payload == b"\x04slow"
    assert len(wire.query("show tenants", slowly=True)) == 1 + 3 + 1 + 4 + 1


def test_compression_is_not_offered_so_clients_fall_back(door: Door) -> None:
    """Those that ask what is offered; the others are refused (test_live_places)."""
    client = WireClient.dial(door.port)
    assert Capability.COMPRESS not in client.greet().capabilities
    client.close()


# --- writes held back


def test_writes_wait_while_the_archive_catches_up_and_reads_do_not(door: Door, wire: WireClient) -> None:
    door.desk.stalled.add(1002)
    assert wire.query("select 1")[-1].ends
    assert wire.query("show tenants")[-1].ends
    started = time.monotonic()
    wire.begin(CommandCode.QUERY, b"replace into test.own values (9, 'nine')")
    wire.socket.settimeout(0.4)
    with pytest.raises(TimeoutError):
        wire.socket.recv(1)
    wire.socket.settimeout(10)
    door.desk.stalled.clear()
    assert wire.packet().payload[0] == 0
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("size_bytes", [100, 3_000_000])
def test_held_write_is_interrupted_by_kill_query(door: Door, size_bytes: int) -> None:
    """Also one too long to be read whole: its remaining bytes are dropped and the connection stays usable."""
    client = WireClient.dial(door.port)
    greeting_id = (client.log_in("root@t1", database="test"), client.greeting)[1]
    assert greeting_id is not None
    door.desk.stalled.add(1002)
    client.begin(CommandCode.QUERY, b"replace into test.big values (2, '" + b"x" * size_bytes + b"')")
    with door.connect() as other, other.cursor() as cursor:
        time.sleep(0.2)
        cursor.execute(f"kill query {greeting_id.connection_id}")
    assert error_of(client.packet())[0] == 1317
    assert client.query("select 8")[-2].payload == b"\x018"
    client.close()


def test_client_that_leaves_a_held_write_is_forgotten(door: Door, engine_socket: Path) -> None:
    with door.connect() as probe, probe.cursor() as cursor:
        client = WireClient.dial(door.port)
        client.log_in("root@t1", database="test")
        engine_id = int(client.query("select connection_id()")[-2].payload[1:])
        door.desk.stalled.add(1002)
        client.begin(CommandCode.QUERY, b"insert into test.own values (99, 'never')")
        time.sleep(0.1)
        client.close()
        assert within(30, lambda: engine_id not in sessions_of_engine(engine_socket))
        door.desk.stalled.clear()
        time.sleep(0.2)
        cursor.execute("select count(*) from test.own where i = 99")
        assert cursor.fetchone() == (0,)
