"""What archiving costs and how far it lags: `python -m bench.archive [--seconds 4] [--rounds 5] [--writers 4] [--dir DIR]`.

One engine, one follower with archive_lag_target 0 over a file destination on the same disk. Each load runs in turn without and
with the follower, several times, and the medians are compared, so that a machine that slows down slows both; `noise` is how far
the runs without it lie apart, and a cost below it says nothing. Lag is measured at
every append: wall clock when the frame is durable, less the SCN of its oldest group (an SCN is the engine's wall clock).
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from holdfast.archive.follower import Follower
from holdfast.archive.journal import Course
from holdfast.archive.round import Wanted
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import decode_frame_header
from holdfast.clock import SystemClock
from holdfast.engine.account import create_account, load_account
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import EngineProcess, EngineSettings, begin_founding
from holdfast.engine.session import SqlError, connect
from holdfast.engine.version import installed
from holdfast.store.file import FileStore
from holdfast.store.store import Store
from holdfast.values.archive import Piece, Round, RoundStatus
from holdfast.values.destination import Binding
from holdfast.values.owner import JobKind, Owner
from holdfast.values.scn import Scn

LOADS = ("small", "bulk")
WARM_SECONDS = 1.5


class Observed:
    """A store that notes, for every append, when it was durable and what it held."""

    def __init__(self, store: FileStore) -> None:
        self._store = store
        self.lags_seconds: list[float] = []
        self.log_bytes = 0
        self.stored_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def appender(self, name: str, size_bytes: int) -> "ObservedAppender":
        return ObservedAppender(self, self._store.appender(name, size_bytes))


class ObservedAppender:
    def __init__(self, observed: Observed, appender: Any) -> None:
        self._observed = observed
        self._appender = appender

    def append(self, *buffers: Any) -> None:
        self._appender.append(*buffers)
        header = decode_frame_header(buffers[0])
        assert header is not None
        self._observed.lags_seconds.append((time.time_ns() - header.frame.first_scn) / 1e9)
        self._observed.log_bytes += header.frame.end_lsn - header.frame.start_lsn
        self._observed.stored_bytes += header.size_bytes

    def close(self) -> None:
        self._appender.close()


class Nobody:
    """A journal that forgets: the catalog is not what is measured."""

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        pass


class Alone:
    """A tenure that nobody contests: its cost, one read of a small file a second, is not what is measured."""

    def owner(self, kind: JobKind, job_id: int) -> Owner:
        return Owner(server_id="0" * 32, generation=1, job_kind=kind, job_id=job_id, token="0" * 32, time_us=0)

    def made(self, found: Owner | None) -> bool:
        return True

    def take(self, store: Store, *, watches: bool = False) -> None:
        pass

    def keep(self, store: Store) -> None:
        pass


def begin_follower(directory: EngineDirectory, home: Path, number: int) -> tuple[Follower, Observed]:
    destination = home / f"destination{number}"
    store = Observed(FileStore(str(destination), create=True))
    store.put(names.FORMAT_FILE, b"bench")
    course = Course(
        cluster_name="bench",
        cluster_id=1,
        tenant_name="bench",
        engine_data_version=directory.version.data_version,
        timeline=f"{number:032x}",
        round=Round(
            tenant_id=1002,
            dest_id=1001,
            round_id=1,
            status=RoundStatus.PREPARE,
            start_scn=Scn(time.time_ns()),
            checkpoint_scn=Scn(0),
            base_piece_id=1,
            used_piece_id=1,
            piece_switch_interval_us=86_400_000_000,
            input_bytes=0,
            output_bytes=0,
            comment="",
            path="bench",
        ),
        binding=Binding.OPTIONAL,
        tenure=Alone(),
        log_dir=directory.log_dir,
        log_meta_dir=directory.log_meta_dir,
        spool_dir=home / "spool",
    )
    follower = Follower(
        course,
        open_store=lambda: store,  # type: ignore[arg-type,return-value]
        check_destination=lambda _: None,
        journal=Nobody(),
        lag_target_us=lambda: 0,
        clock=SystemClock(),
    )
    follower.start()
    return follower, store


def caught_up(follower: Follower) -> None:
    """Wait until what was written before now is archived: the round's start is not part of what is measured."""
    while follower.status().status is not RoundStatus.DOING:
        time.sleep(0.02)
    _, scn = follower.tail_after(timeout_seconds=120)
    while follower.checkpoint_scn() < scn:
        time.sleep(0.02)


def write(load: str, socket: str, writer: int, seconds: float) -> None:
    """One writer process: print how many transactions and payload bytes it committed after the warm-up."""
    session = connect(Path(socket), os.environ["BENCH_USER"], os.environ["BENCH_PASSWORD"])
    text = "insert into bench.small (w, pad) values (%s, repeat('x', 120))"
    size = 120
    if load == "bulk":
        text, size = "insert into bench.bulk (w, pad) values (%s, repeat('y', 1000000))", 1_000_000
    count, begin = 0, time.monotonic()
    while (now := time.monotonic()) - begin < WARM_SECONDS + seconds:
        try:
            session.execute(text, (writer,))
        except SqlError as error:
            if error.is_lost:
                raise
            continue
        count += now - begin >= WARM_SECONDS
    print(count, count * size)


def run_load(load: str, directory: EngineDirectory, environment: dict[str, str], writers: int, seconds: float) -> float:
    """Return transactions a second (small) or payload MiB a second (bulk)."""
    with connect(directory.socket, environment["BENCH_USER"], environment["BENCH_PASSWORD"]) as session:
        session.execute("create database if not exists bench")
        session.execute(f"drop table if exists bench.{load}")
        session.execute(f"create table bench.{load} (i bigint primary key auto_increment, w int, pad longtext)")
    count = writers if load == "small" else min(2, writers)
    command = [sys.executable, "-m", "bench.archive", "--write", load, "--socket", str(directory.socket)]
    processes = [
        subprocess.Popen(
            [*command, "--writer", str(writer), "--seconds", str(seconds)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        for writer in range(count)
    ]
    printed = [process.communicate()[0].split() for process in processes]
    transactions = sum(int(words[0]) for words in printed)
    payload = sum(int(words[1]) for words in printed)
    return (payload / (1 << 20) if load == "bulk" else transactions) / seconds


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def measure(home: Path, *, seconds: float, rounds: int, writers: int) -> list[tuple[str, ...]]:
    directory = EngineDirectory(home / "engine", installed())
    begin_founding(directory)
    process = EngineProcess.start(directory, EngineSettings())
    rows: list[tuple[str, ...]] = []
    try:
        with connect(directory.socket, "root", "") as root:
            create_account(root, home / "account.json")
        account = load_account(home / "account.json")
        environment = {"BENCH_USER": account.user, "BENCH_PASSWORD": account.password}
        number = 0
        for load in LOADS:
            without: list[float] = []
            archived: list[float] = []
            lags: list[float] = []
            log_bytes = stored_bytes = 0
            behind = busy_seconds = 0.0
            for turn in range(rounds * 2):
                # without, with, with, without, ...: a drift of the machine falls on both alike
                if (turn % 4) in (0, 3):
                    without.append(run_load(load, directory, environment, writers, seconds))
                    continue
                number += 1
                follower, store = begin_follower(directory, home, number)
                caught_up(follower)
                store.lags_seconds.clear()
                store.log_bytes = store.stored_bytes = 0
                used = time.process_time()
                archived.append(run_load(load, directory, environment, writers, seconds))
                ended = time.monotonic()
                caught_up(follower)
                busy_seconds += time.process_time() - used
                behind = max(behind, time.monotonic() - ended)
                lags += store.lags_seconds
                log_bytes += store.log_bytes
                stored_bytes += store.stored_bytes
                assert follower.status().status is RoundStatus.DOING, follower.status().comment
                follower.ask(Wanted.STOP)
                assert follower.wait_over(30)
                shutil.rmtree(home / f"destination{number}")
            before, after = statistics.median(without), statistics.median(archived)
            unit = "tx/s" if load == "small" else "MiB/s"
            rows.append(
                (
                    load,
                    f"{before:,.0f} {unit}",
                    f"{after:,.0f} {unit}",
                    f"{(1 - after / before) * 100:+.1f} %",
                    f"{(max(without) - min(without)) / before * 50:.0f} %",
                    f"{busy_seconds / (len(archived) * (seconds + WARM_SECONDS)) * 100:.1f} %",
                    f"{log_bytes / (1 << 20) / (len(archived) * (seconds + WARM_SECONDS)):.1f}",
                    f"{stored_bytes / log_bytes:.2f}",
                    f"{percentile(lags, 0.50) * 1000:.0f}",
                    f"{percentile(lags, 0.99) * 1000:.0f}",
                    f"{max(lags) * 1000:.0f}",
                    f"{behind:.2f}",
                )
            )
    finally:
        process.stop(gently=False)
        process.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--dir", type=Path, default=None, help="a folder on the disk to measure; not tmpfs")
    parser.add_argument("--write", choices=LOADS, help=argparse.SUPPRESS)
    parser.add_argument("--socket", help=argparse.SUPPRESS)
    parser.add_argument("--writer", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write(asked.write, asked.socket, asked.writer, asked.seconds)
        return
    home = Path(tempfile.mkdtemp(prefix="bench-archive-", dir=asked.dir))
    try:
        rows = measure(home, seconds=asked.seconds, rounds=asked.rounds, writers=asked.writers)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    head = (
        "load",
        "without",
        "archived",
        "cost",
        "noise +-",
        "of a core",
        "log MiB/s",
        "stored/log",
        "lag p50 ms",
        "p99 ms",
        "max ms",
        "catch-up s",
    )
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print(f"python -m bench.archive --seconds {asked.seconds} --rounds {asked.rounds} --writers {asked.writers}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, lag target 0")
    for row in (head, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
