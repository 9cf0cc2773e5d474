"""Who gets log from the service, and that nothing that goes wrong reaches the engine as an error."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from holdfast.engine import log_service
from holdfast.engine.connection import is_connection_of
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.liveness import identify
from holdfast.engine.log_service import FETCH_BYTES_MAX, LogGroup, LogService
from holdfast.engine.version import installed
from holdfast.engine_format.log_wire import FETCH_LOG, FetchRequest, encode_end, encode_group, encode_request
from holdfast.errors import ConflictError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


class Source:
    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start_lsn: Lsn, max_bytes: int) -> Iterator[LogGroup]:
        self.asked.append((start_lsn, max_bytes))
        yield LogGroup((memoryview(b"one"), start_lsn, Scn(7)))
        yield LogGroup((memoryview(b"two"), Lsn(start_lsn + 3), Scn(8)))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def service(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogService]:
    """A service whose engine is this very process."""
    monkeypatch.setattr(log_service, "find_engine", lambda directory: identify(os.getpid()))
    made = LogService(source, EngineDirectory(tmp_path, installed()))
    yield made
    made.close()


def ask(port: int, lsn: int, max_bytes: int) -> list[bytes]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_stream(FETCH_LOG)
        return list(call(encode_request(FetchRequest(start_lsn=Lsn(lsn), max_bytes=max_bytes)), timeout=10))


def test_groups_come_one_a_message_and_then_the_end(service: LogService, source: Source) -> None:
    answer = [encode_group(b"one", Lsn(9), Scn(7)), encode_group(b"two", Lsn(12), Scn(8)), encode_end(Scn(8))]
    assert ask(service.port, 9, 1 << 20) == answer
    assert ask(service.port, 9, 1 << 40) == answer
    assert source.asked == [(9, 1 << 20), (9, FETCH_BYTES_MAX)]


def test_another_process_gets_an_empty_answer(
    service: LogService, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_service, "find_engine", lambda directory: identify(os.getppid()))
    assert ask(service.port, 9, 1 << 20) == [encode_end(Scn(0))]
    monkeypatch.setattr(log_service, "find_engine", lambda directory: None)
    assert ask(service.port, 9, 1 << 20) == [encode_end(Scn(0))]
    assert source.asked == []


def test_a_message_that_is_no_request_gets_an_empty_answer(service: LogService, source: Source) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
        assert list(channel.unary_stream(FETCH_LOG)(b"\x0b", timeout=10)) == [encode_end(Scn(0))]
    assert source.asked == []


def test_a_port_has_one_service_and_can_be_opened_again(service: LogService, source: Source, tmp_path: Path) -> None:
    directory = EngineDirectory(tmp_path, installed())
    with pytest.raises(ConflictError):
        LogService(source, directory, port=service.port)
    service.close()
    again = LogService(source, directory, port=service.port)
    try:
        assert len(ask(again.port, 0, 1)) == 3
    finally:
        again.close()


def test_it_is_reached_over_the_loopback_address_only(service: LogService) -> None:
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", service.port)) != 0


def test_a_connection_belongs_to_the_process_that_holds_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        hold = "import socket,sys; s=socket.create_connection(('127.0.0.1',int(sys.argv[1]))); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", hold, str(port)], stdin=subprocess.PIPE) as other:
            try:
                accepted, (_, theirs) = server.accept()
                with accepted:
                    assert is_connection_of(other.pid, theirs, port)
                    assert not is_connection_of(os.getpid(), theirs, port)
                    assert not is_connection_of(other.pid, theirs, port + 1)
                    # Our own end is a connection too, from `port` to theirs.
                    assert is_connection_of(os.getpid(), port, theirs)
            finally:
                assert other.stdin is not None
                other.stdin.close()
    assert not is_connection_of(2**22 + 1, 1, 2)
    assert threading.active_count() >= 1
