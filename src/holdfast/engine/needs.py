"""What an engine's start takes from the machine, counted before it is started.

An engine that lacks one of these ends in the middle of its start with a code of its own (-4009 without AIO events, -4264 without
room), which says nothing of the limit and looks like damage. So each limit is looked at first, and named with its remedy.

Another start may take what was free at the look: then the engine still ends, and the next try meets the limit here.
"""

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast import codes
from holdfast.codes import Code
from holdfast.errors import RefusedError

AIO_EVENTS: Final = 1512
"""Of each engine, whatever its unit (measured on 1.4.0: `fs.aio-nr` grows by exactly so much). The kernel's default, 65,536, is used
up by 43 engines."""
MEMORY_BYTES: Final = 256 << 20
"""An engine at rest has 210 MiB resident (measured)."""
OPEN_FILES: Final = 256
"""28 at rest (measured), one for each client, some for the log it reads."""
THREADS: Final = 100
"""57 to 66 at rest (measured), more under load."""


class NeedsError(RefusedError):
    """The machine has not what an engine's start takes. Nothing was started or made."""

    default_code = codes.OB_MACHINE_RESOURCE_NOT_ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the machine has left. None: it does not say, or sets no limit."""

    aio_events: int | None
    aio_events_max: int | None
    memory_bytes: int | None
    disk_bytes: int | None
    open_files: int | None
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """One limit in the way: what it is, and the line that lifts it."""

    what: str
    remedy: str
    code: Code = codes.OB_MACHINE_RESOURCE_NOT_ENOUGH


def find_shortages(host: Host, *, disk_bytes: int) -> tuple[Shortage, ...]:
    """Return every limit that one more engine would meet. `disk_bytes`: what its directory still has to take."""
    found: list[Shortage] = []
    if host.aio_events is not None and host.aio_events < AIO_EVENTS:
        wanted = (host.aio_events_max or 0) + 64 * AIO_EVENTS
        found.append(
            Shortage(
                what=f"{host.aio_events} of the machine's AIO events are free (fs.aio-nr, fs.aio-max-nr), an engine takes {AIO_EVENTS}",
                remedy=f"sysctl -w fs.aio-max-nr={wanted}",
            )
        )
    if host.memory_bytes is not None and host.memory_bytes < MEMORY_BYTES:
        found.append(
            Shortage(
                what=f"{host.memory_bytes >> 20} MiB of memory are available, an engine at rest takes {MEMORY_BYTES >> 20} MiB",
                remedy="end what is not needed, or give the machine more memory",
            )
        )
    if host.disk_bytes is not None and host.disk_bytes < disk_bytes:
        found.append(
            Shortage(
                what=f"{host.disk_bytes >> 20} MiB of disk are free, the engine asks for {disk_bytes >> 20} MiB",
                remedy="free space below --base-dir, or choose another one",
                code=codes.OB_SERVER_OUTOF_DISK_SPACE,
            )
        )
    if host.open_files is not None and host.open_files < OPEN_FILES:
        found.append(
            Shortage(
                what=f"a process may have {host.open_files} open files, an engine takes {OPEN_FILES}",
                remedy="raise the hard limit: ulimit -Hn 65536, or LimitNOFILE= of the service",
            )
        )
    if host.threads is not None and host.threads < THREADS:
        found.append(
            Shortage(
                what=f"{host.threads} more threads may be made, an engine takes {THREADS}",
                remedy="raise kernel.threads-max, the cgroup's pids.max (TasksMax= of the service) or ulimit -u",
            )
        )
    return tuple(found)


def check_needs(folder: Path, *, disk_bytes: int) -> None:
    """Raise NeedsError, naming each limit and its remedy, when the machine can not carry one more engine in `folder`."""
    shortages = find_shortages(look_at_host(folder), disk_bytes=disk_bytes)
    if shortages:
        raise NeedsError(
            f"an engine can not be started: {'; '.join(one.what for one in shortages)}",
            hint="; ".join(one.remedy for one in shortages),
            code=shortages[0].code,
        )


def look_at_host(folder: Path) -> Host:
    """Return what is left for an engine whose directory is, or will be, `folder`. Never raises."""
    aio_max, aio = _number("/proc/sys/fs/aio-max-nr"), _number("/proc/sys/fs/aio-nr")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Host(
        aio_events=None if aio_max is None or aio is None else aio_max - aio,
        aio_events_max=aio_max,
        memory_bytes=_available_memory(),
        disk_bytes=_free_bytes(folder),
        open_files=None if hard == resource.RLIM_INFINITY else hard,
        threads=_free_threads(),
    )


def _number(path: str | Path) -> int | None:
    try:
        return int(Path(path).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _available_memory() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def _free_bytes(folder: Path) -> int | None:
    for place in (folder, *folder.parents):
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return found.f_bavail * found.f_frsize
    return None


def _free_threads() -> int | None:
    """Return how many more threads the tightest of the machine's, the cgroup's and the user's limits lets be made."""
    bounds: list[int] = []
    threads_max = _number("/proc/sys/kernel/threads-max")
    try:
        alive = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        alive = None
    if threads_max is not None and alive is not None:
        bounds.append(threads_max - alive)
    pids_max, pids = _number("/sys/fs/cgroup/pids.max"), _number("/sys/fs/cgroup/pids.current")
    if pids_max is not None and pids is not None:
        bounds.append(pids_max - pids)
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != resource.RLIM_INFINITY and os.geteuid() != 0:
        bounds.append(
            soft
        )  # how many the user has already is not counted: only a limit that is too low in any case is told
    return min(bounds, default=None)
