"""What the gateway costs: `python -m bench.gateway [--queries N] [--mib N] [--addressed]`.

One engine, one gateway in a process of its own (as in production its loop shares no interpreter with a client), one client that
speaks the wire by hand so that its own cost is small. Direct is the engine's Unix socket, the gateway is TCP on loopback, as users
meet them. Both are measured in turns, so a busy machine hurts both. With `--addressed` the engine is in a network namespace of its
own and the gateway reaches it by TCP, as with `serve --client-addresses=auto`; without, by the Unix socket.
"""

import argparse
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from ssl import SSLContext

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.fence import FencePolicy
from holdfast.engine.process import EngineProcess, EngineSettings, begin_founding
from holdfast.engine.version import installed
from holdfast.gateway.server import GatewayThread
from holdfast.gateway.settings import GatewaySettings
from holdfast.jobs.door import AddressedSockets, Route, ViewsLogin
from holdfast.jobs.reply import Column, Reply
from holdfast.jobs.session import Session
from holdfast.mysql.flags import OFFERED_CAPABILITIES, Capability
from holdfast.mysql.framing import PacketReader, frame
from holdfast.mysql.packets import HandshakeResponse, decode_greeting, encode_handshake_response
from holdfast.statement.commands import Command
from holdfast.values.places import PlaceLimits
from holdfast.values.tenant import CompatibilityMode, LogMode, Tenant, TenantRole, TenantStatus, Unit

_ROW_BYTES = 500_000
_ROUNDS = 5
_TABLE = b"create table bench_rows(i int primary key, v varchar(100))"
_FILL = (
    b"insert into bench_rows select * from (with recursive n as (select 1 i union all select i + 1 from n where i < 1000)"
    b" select i, concat('value ', i) from n) x"
)


class BenchDesk:
    """Every tenant is the one engine; every statement of Holdfast's has one row."""

    cluster_name = "bench"

    def __init__(self, engine_socket: Path, addressed: AddressedSockets | None) -> None:
        self._socket = engine_socket
        self._addressed = addressed

    def route(self, tenant_name: str) -> Route:
        tenant = Tenant(
            tenant_id=1002,
            name=tenant_name,
            role=TenantRole.PRIMARY,
            status=TenantStatus.NORMAL,
            log_mode=LogMode.NOARCHIVELOG,
            mode=CompatibilityMode.MYSQL,
            unit=Unit(max_cpu=1, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30),
            create_time_us=0,
            modify_time_us=0,
            data_version="",
        )
        return Route(tenant=tenant, socket=self._socket, addressed=self._addressed)

    def tls_for(self, tenant: Tenant, user: str) -> SSLContext | None:
        return None

    def views_login(self, tenant: Tenant) -> ViewsLogin:
        return ViewsLogin(self._socket, "root", "", "test")

    def before_view(self, tenant: Tenant, view_name: str) -> None:
        """Nothing to bring up to date."""

    def execute(self, session: Session, command: Command) -> Reply:
        return Reply(columns=(Column(name="one"),), rows=(("1",),))

    def schemas_among(self, names: frozenset[str]) -> frozenset[str]:
        return frozenset()

    def place_limits(self) -> PlaceLimits:
        return PlaceLimits()

    def writes_stalled(self, tenant_id: int) -> bool:
        return False

    def is_shut_out(self, tenant_id: int) -> bool:
        return False


class Client:
    """One connection, over whichever socket `dial` opens. Answers are not decoded, only read to their end."""

    def __init__(self, dial: Callable[[], socket.socket], user: str) -> None:
        self._socket = dial()
        reader = PacketReader(payload_bytes_max=1 << 17)
        greeting = decode_greeting(self._packet(reader))
        response = HandshakeResponse(
            capabilities=OFFERED_CAPABILITIES & greeting.capabilities & ~(Capability.SSL | Capability.CONNECT_ATTRS),
            max_packet_bytes=1 << 24,
            charset=45,
            user=user.encode(),
            database=b"test",
            plugin=greeting.plugin,
        )
        self._socket.sendall(frame(1, encode_handshake_response(replace(response, auth=b""))))
        verdict = self._packet(reader)
        if verdict[0] == 0xFE:
            self._socket.sendall(frame(3, b""))
            verdict = self._packet(reader)
        if verdict[0]:
            raise RuntimeError(f"login refused: {verdict!r}")

    def _packet(self, reader: PacketReader) -> bytes:
        while (packet := reader.next_packet()) is None:
            data = self._socket.recv(1 << 16)
            if not data:
                raise RuntimeError("the server hung up")
            reader.feed(data)
        return packet.payload

    def query(self, text: bytes) -> int:
        """Return the bytes of the answer, read to the EOF that closes its rows."""
        self._socket.sendall(frame(0, b"\x03" + text))
        total = 0
        tail = b""
        while True:
            data = self._socket.recv(1 << 20)
            if not data:
                raise RuntimeError("the server hung up")
            total += len(data)
            tail = (tail + data)[-9:]
            # The columns' EOF is followed by rows or by the closing EOF in the same write; two EOFs or a row mark the end.
            if tail[:3] == b"\x05\x00\x00" and tail[4:5] == b"\xfe" and total > _HEAD_BYTES:
                return total

    def execute(self, text: bytes) -> None:
        """Run a statement that has no rows. Raises RuntimeError with the server's answer when it refuses."""
        self._socket.sendall(frame(0, b"\x03" + text))
        answer = self._packet(PacketReader(payload_bytes_max=1 << 17))
        if answer[0]:
            raise RuntimeError(f"refused: {answer!r}")

    def close(self) -> None:
        self._socket.close()


# An answer's count, one short column and the EOF behind them are below this; its end is not.
_HEAD_BYTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the engine."""

    name: str
    dial: Callable[[], socket.socket]
    user: str

    def client(self) -> Client:
        return Client(self.dial, self.user)


def _unix(path: Path) -> Callable[[], socket.socket]:
    def dial() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(path))
        return made

    return dial


def _tcp(port: int) -> Callable[[], socket.socket]:
    def dial() -> socket.socket:
        made = socket.create_connection(("127.0.0.1", port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return dial


def _times_us(work: Callable[[], object], count: int) -> list[float]:
    found = []
    for _ in range(count):
        started = time.perf_counter_ns()
        work()
        found.append((time.perf_counter_ns() - started) / 1000)
    return found


def _in_turns(ways: list[Way], measure: Callable[[Way], list[float]]) -> list[list[float]]:
    """Return the figures of each way, gathered over several rounds in turn."""
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(_ROUNDS):
        for at, way in enumerate(ways):
            found[at] += measure(way)
    return found


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _print_row(name: str, unit: str, direct: float, through: float) -> None:
    print(f"{name:<34} {direct:>10.1f} {through:>10.1f} {unit:<6} {through - direct:>+9.1f} {through / direct:>7.2f}x")


def _gateway_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _measure(ways: list[Way], gateway_pid: int, queries: int, mib: int) -> None:
    print(f"{'':<34} {'direct':>10} {'gateway':>10} {'':<6} {'added':>9} {'ratio':>8}")
    clients = {way.name: way.client() for way in ways}
    for client in clients.values():
        client.query(b"select v from bench_rows where i = 7")
    spent = 0.0

    def select(way: Way) -> list[float]:
        nonlocal spent
        before = _gateway_cpu_seconds(gateway_pid)
        found = _times_us(lambda: clients[way.name].query(b"select v from bench_rows where i = 7"), queries // _ROUNDS)
        spent += _gateway_cpu_seconds(gateway_pid) - before
        return found

    direct, through = _in_turns(ways, select)
    _print_row("point select, text, p50", "us", _percentile(direct, 0.5), _percentile(through, 0.5))
    _print_row("point select, text, p99", "us", _percentile(direct, 0.99), _percentile(through, 0.99))
    cpu_us = spent * 1e6 / len(through)

    rows = mib * (1 << 20) // _ROW_BYTES
    text = b"select repeat('x', %d) from bench_rows limit %d" % (_ROW_BYTES, rows)

    def large(way: Way) -> list[float]:
        started = time.perf_counter()
        size_bytes = clients[way.name].query(text)
        return [size_bytes / (1 << 20) / (time.perf_counter() - started)]

    direct, through = _in_turns(ways, large)
    _print_row(f"{mib} MiB result, best of {_ROUNDS}", "MiB/s", max(direct), max(through))
    _print_row(f"{mib} MiB result, median", "MiB/s", statistics.median(direct), statistics.median(through))

    def connect(way: Way) -> list[float]:
        return _times_us(lambda: way.client().close(), 40)

    direct, through = _in_turns(ways, connect)
    _print_row("connect and log in, p50", "us", _percentile(direct, 0.5), _percentile(through, 0.5))
    owned = _times_us(lambda: clients["gateway"].query(b"show tenants"), 500)
    print(f"{'a statement of Holdfast, p50':<34} {'':>10} {_percentile(owned, 0.5):>10.1f} us")
    print(f"{'gateway CPU per point select':<34} {'':>10} {cpu_us:>10.1f} us")
    print(f"{'gateway memory':<34} {'':>10} {_resident_mib(gateway_pid):>10.1f} MiB")
    for client in clients.values():
        client.close()


def _serve(engine_socket: Path, *, is_addressed: bool) -> None:
    """Run a gateway until the parent closes our standard input."""
    engine = EngineProcess.adopt(EngineDirectory(engine_socket.parents[1], installed())) if is_addressed else None
    desk = BenchDesk(engine_socket, None if engine is None else engine.sockets)
    thread = GatewayThread(desk, GatewaySettings(port=0))
    print(thread.start(), flush=True)
    sys.stdin.read()
    thread.stop(drain_seconds=0)


def main() -> None:
    parser = argparse.ArgumentParser(description="latency and throughput of the gateway beside the engine itself")
    parser.add_argument("--queries", type=int, default=20_000, help="point selects per way")
    parser.add_argument("--mib", type=int, default=190, help="size of the large result")
    parser.add_argument("--dir", type=Path, default=None, help="where the engine's files go (on disk)")
    parser.add_argument("--addressed", action="store_true", help="an engine that knows its clients' addresses")
    parser.add_argument("--serve", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        _serve(given.serve, is_addressed=given.addressed)
        return
    home = Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=given.dir))
    directory = EngineDirectory(home / "engine", installed())
    begin_founding(directory)
    process = EngineProcess.start(directory, EngineSettings(wants_space=given.addressed), FencePolicy.AUTO)
    if process.space_refusal:
        print(f"not addressed: {process.space_refusal}")
    engine_socket = EngineDirectory(home / "engine", installed()).socket
    gateway: subprocess.Popen[str] | None = None
    try:
        setup = Client(_unix(engine_socket), "root")
        for text in (_TABLE, _FILL):
            setup.execute(text)
        setup.close()
        print(f"engine at its start: {_resident_mib(process.pid):.0f} MiB")
        command = [sys.executable, "-m", "bench.gateway", "--serve", str(engine_socket)]
        command += ["--addressed"] if given.addressed else []
        gateway = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert gateway.stdout is not None
        port = int(gateway.stdout.readline())
        load = os.getloadavg()[0]
        print(
            f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, {given.queries} queries"
        )
        ways = [
            Way(name="direct", dial=_unix(engine_socket), user="root"),
            Way(name="gateway", dial=_tcp(port), user="root@bench"),
        ]
        _measure(ways, gateway.pid, given.queries, given.mib)
        print(f"engine at its end: {_resident_mib(process.pid):.0f} MiB")
    finally:
        if gateway is not None:
            gateway.communicate()
        process.stop(gently=False)
        process.close()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
