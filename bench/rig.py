"""What the measurements share: a busy tenant of a given size, cold caches, a stopwatch, tables."""

import base64
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from server_rig import Client  # the tests' own server: a process to be started, asked and ended


def machine() -> str:
    """Return the machine in a line, for the table's foot."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return f"{os.cpu_count()} cores {model}, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def drop_caches() -> bool:
    """Write back and empty the page cache; return whether that was possible (it needs root)."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


def timed(work: Callable[[], object], *, cold: bool = True) -> float:
    """Return the seconds `work` takes, its data on the disk: the caches are dropped before, `sync` counts."""
    if cold:
        drop_caches()
    began = time.monotonic()
    work()
    os.sync()
    return time.monotonic() - began


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a peer; a failure ends the measurement."""
    subprocess.run(
        command, check=True, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def tree_bytes(folder: Path) -> int:
    """Return what the files below `folder` take on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def fill(client: Client, gib: float) -> None:
    """Grow test.big to about `gib` GiB of poorly compressible rows of 1.5 kB, then have the engine merge it to blocks."""
    client.run("set ob_query_timeout = 3000000000, ob_trx_timeout = 3000000000")
    client.run("create table if not exists test.big(id bigint primary key, grp int, v bigint, pad varchar(2000))")
    for start in range(0, 8000, 100):
        rows = ",".join(f"({i}, {i % 100}, 0, '{_noise()}')" for i in range(start, start + 100))
        client.run(f"insert into test.big values {rows}")
    count = 8000
    while count * 1500 < gib * 2**30:
        more = min(count, 100_000, int(gib * 2**30 / 1500) - count + 1)
        shift = count // 8000 % 1200
        client.run(
            f"insert /*+ append direct(true,0) enable_parallel_dml parallel(2) */ into test.big select id + {count}, grp, v, "
            f"concat(substr(pad, {shift + 2}), substr(pad, 1, {shift + 1})) from test.big where id < {more}"
        )
        count += more


def settle(pid: int) -> None:
    """Return when the engine with this pid has merged what was loaded: it is nearly idle for three seconds, or a minute has passed."""
    end = time.monotonic() + 60
    quiet = 0
    while quiet < 3 and time.monotonic() < end:
        before = _cpu_ticks(pid)
        time.sleep(1)
        quiet = quiet + 1 if _cpu_ticks(pid) - before <= 5 else 0


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _noise() -> str:
    return base64.b64encode(os.urandom(1100)).decode()


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """Yield an empty directory on the disk that TMPDIR names (never a tmpfs), removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix=f"holdfast-bench-{name}-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]], command: str) -> str:
    """Return a Markdown table with the command and the machine below it."""
    lines = [f"### {title}", "", "| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    lines += ["", f"`{command}` on {machine()}", ""]
    return "\n".join(lines)
