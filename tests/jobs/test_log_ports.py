"""The port that a standby at rest asks is nobody else's, refuses at once, and is free for our service when the standby follows."""

import socket
from collections.abc import Iterator

import pytest

from holdfast.jobs.log_ports import LogPorts

TENANT = 1002


@pytest.fixture
def ports() -> Iterator[LogPorts]:
    made = LogPorts()
    yield made
    made.let_all_go()


@pytest.mark.parametrize("is_reused", [0, 1])
def test_nobody_else_gets_a_held_port_and_who_asks_there_is_refused(ports: LogPorts, is_reused: int) -> None:
    port = ports.take(TENANT)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, is_reused)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_port_that_was_let_go_can_be_listened_on_and_held_again(ports: LogPorts) -> None:
    port = ports.take(TENANT)
    ports.let_go(TENANT)
    with socket.socket() as service:
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        service.bind(("127.0.0.1", port))
        service.listen()
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            service.accept()[0].close()  # ends on our side first: the kernel keeps the pair for a minute
    ports.hold(TENANT, port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_a_port_that_another_process_has_is_let_be(ports: LogPorts) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports.hold(TENANT, other.getsockname()[1])
        with socket.create_connection(other.getsockname(), timeout=5):
            pass


def test_a_tenant_has_one_port(ports: LogPorts) -> None:
    first, second = ports.take(TENANT), ports.take(TENANT)
    with socket.socket() as other:
        other.bind(("127.0.0.1", first if first != second else 0))
    assert second
