"""Changed packets against a gateway with an engine behind it: it stays up, and its log has no traceback and no line a client wrote."""

import io
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest
from door_rig import Door
from wire_rig import CLIENT_CAPABILITIES, WireClient

from fuzz.captures import CONVERSATIONS, LOGINS, STATEMENTS
from fuzz.mutations import blind
from holdfast.defects import DefectFormatter
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.framing import frame
from holdfast.mysql.packets import HandshakeResponse, encode_handshake_response
from holdfast.mysql.response import Role

SEED = 20261130
LOGIN_CASES = 1200
COMMAND_CASES = 800
_SECONDS_MAX = 10
_GBK = 28


@pytest.fixture
def log_text() -> Iterator[io.StringIO]:
    """What the gateway's process logs meanwhile, as `serve` would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DefectFormatter("LINE %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def check(log_text: io.StringIO, door: Door) -> None:
    text = log_text.getvalue()
    assert "Traceback" not in text, text[-3000:]
    assert all(line.startswith("LINE ") for line in text.splitlines()), text[-3000:]
    assert not any(line.startswith("2026-11-30") for line in text.splitlines())
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchall() == ((1,),)


def drained(connection: socket.socket) -> None:
    """Say no more, and read until the gateway ends the connection. It must: whatever it waits for does not come."""
    connection.settimeout(_SECONDS_MAX)
    with suppress(ConnectionError, BrokenPipeError, OSError):
        connection.shutdown(socket.SHUT_WR)
    with suppress(ConnectionError):
        while connection.recv(1 << 16):
            pass


def test_changed_logins_leave_the_gateway_up_and_its_log_its_own(door: Door, log_text: io.StringIO) -> None:
    for number in range(LOGIN_CASES):
        random = Random(f"{SEED}/{number}")
        payload = random.choice(LOGINS)
        data = blind(frame(1, payload), random) if random.random() < 0.5 else frame(1, blind(payload, random))
        with socket.create_connection(("127.0.0.1", door.port), timeout=_SECONDS_MAX) as connection:
            with suppress(ConnectionError):
                connection.sendall(data)
            drained(connection)
    check(log_text, door)


def test_changed_commands_leave_the_gateway_up_and_its_log_its_own(door: Door, log_text: io.StringIO) -> None:
    captures = (
        *CONVERSATIONS,
        *(frame(0, b"\x03" + one) for one in STATEMENTS),
        *(frame(0, b"\x16" + one) for one in STATEMENTS),
    )
    number = 0
    while number < COMMAND_CASES:
        client = WireClient.dial(door.port)
        client.log_in()
        # Some to a connection: the second meets a gateway that the first has led astray.
        for _ in range(4):
            random = Random(f"{SEED}/commands/{number}")
            number += 1
            data = random.choice(captures)
            changed = blind(data, random) if random.random() < 0.3 else frame(0, blind(data[4:], random))
            with suppress(ConnectionError):
                client.socket.sendall(changed)
        drained(client.socket)
        client.socket.close()
    check(log_text, door)


def test_bytes_that_are_no_character_of_the_clients_charset_reach_the_engine_as_they_came(
    door: Door, log_text: io.StringIO
) -> None:
    """Found by reading for the fuzzer: U+FFFD has no form in gbk, and the script ended in a traceback."""
    client = WireClient.dial(door.port)
    client.greet()
    response = HandshakeResponse(
        capabilities=CLIENT_CAPABILITIES,
        max_packet_bytes=1 << 24,
        charset=_GBK,
        user=b"root@t1",
        auth=b"\x01" * 20,
        plugin=b"mysql_native_password",
    )
    client.send(frame(1, encode_handshake_response(response)))
    assert client.prove().payload[:1] == b"\x00"
    received = client.ask(CommandCode.QUERY, b"select hex('\xff\x80a'); show tenants")
    rows = [packet.payload for packet in received if packet.role is Role.ROW]
    assert b"FF8061" in rows[0]
    client.socket.close()
    check(log_text, door)


def test_clients_that_leave_in_the_middle_of_a_login_leave_no_traceback(door: Door, log_text: io.StringIO) -> None:
    """Found by the fuzzer: uvloop raises RuntimeError at a write to who is gone."""
    for number in range(60):
        client = WireClient.dial(door.port)
        if number % 2:
            client.greet()
        client.socket.sendall(frame(1, LOGINS[number % 4]))
        client.socket.close()
    check(log_text, door)
