"""Which process is the engine of a directory, and does it live.

The pid file survives every end of the engine and pids are reused, so neither is asked. What is asked is the kernel: a process
is the engine of a directory if its working directory *is* that folder (same inode) and its program has the engine's name;
and it is the same process as before only if its start time is the same too. A held pidfd makes signals safe against reuse.
"""

import contextlib
import os
import select
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from holdfast.engine.directory import EngineDirectory

_STAT_STATE, _STAT_UTIME, _STAT_STIME, _STAT_START_TICKS = 0, 11, 12, 19
"""Fields 3, 14, 15 and 22 of /proc/<pid>/stat, counted from behind the name (which may hold spaces and brackets)."""

_GREETING_PROTOCOL = 10
_REPLAY_THREAD = "ReplaySrv"
_PHASE_MARK = b"[server_start "
_LOG_TAIL_BYTES = 64 * 1024
_READ_STEP_BYTES = 256 << 20
"""An idle engine reads up to 0.9 MB/s of its own accord (measured); 256 MiB a minute is work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process and no later one with the same number. `start_ticks`: clock ticks after boot."""

    pid: int
    start_ticks: int


def identify(pid: int) -> ProcessIdentity | None:
    """Return the identity of a living process, None if there is none or it is a zombie."""
    fields = _stat(Path(f"/proc/{pid}/stat"))
    if fields is None or fields[_STAT_STATE] in ("Z", "X"):
        return None
    return ProcessIdentity(pid=pid, start_ticks=int(fields[_STAT_START_TICKS]))


def find_engine(directory: EngineDirectory) -> ProcessIdentity | None:
    """Return the living engine process of `directory`, whoever started it. Takes about a millisecond."""
    try:
        root = directory.root.stat()
    except FileNotFoundError:
        return None
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            where = os.stat(f"/proc/{name}/cwd")
            program = os.readlink(f"/proc/{name}/exe").removesuffix(" (deleted)")
        except OSError:
            continue  # ended meanwhile, a kernel thread, or another user's: none of them is our engine
        is_here = (where.st_dev, where.st_ino) == (root.st_dev, root.st_ino)
        if is_here and os.path.basename(program) == directory.version.program_name:
            # The engine asks `sh` for CPU features at start; those children have other programs.
            found = identify(int(name))
            if found is not None:
                return found
    return None


class ProcessHandle:
    """A claim on one process: signals reach it or nobody. Raises ProcessLookupError if it has ended already."""

    def __init__(self, identity: ProcessIdentity) -> None:
        self.identity = identity
        self.descriptor = os.pidfd_open(identity.pid)
        # The number may have been given to another between looking and opening; from here on it can not.
        if identify(identity.pid) != identity:
            os.close(self.descriptor)
            raise ProcessLookupError(f"process {identity.pid} is not the one it was")

    def is_alive(self) -> bool:
        """Return whether the process runs or is stopped; a zombie is dead."""
        return not self.wait(0.0)

    def wait(self, seconds: float) -> bool:
        """Return whether the process has ended within `seconds`."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        ended = bool(poll.poll(seconds * 1000))
        if ended:
            # Only where we are init or a subreaper (a container) is the engine our child; then it must not stay a zombie.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.identity.pid, os.WNOHANG)
        return ended

    def send(self, number: signal.Signals) -> bool:
        """Return whether the signal was delivered; False if the process has ended."""
        try:
            signal.pidfd_send_signal(self.descriptor, number)
        except ProcessLookupError:
            return False
        return True

    def is_stopped(self) -> bool:
        """Return whether every thread is stopped (SIGSTOP reaches the threads of a busy process one after another)."""
        for task in _tasks(self.identity.pid):
            fields = _stat(task / "stat")
            if fields is not None and fields[_STAT_STATE] not in ("T", "t", "Z", "X"):
                return False
        return True

    def close(self) -> None:
        """Give up the claim; the process goes on."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def has_greeting(path: Path, seconds: float) -> bool:
    """Return whether a MySQL server greets on the socket at `path` within `seconds`. Needs no account.

    A greeting means a finished start in release 1.4: a login right behind the first greeting was never refused (measured).
    Releases that greet early (`Release.greets_early`) are asked by `session.takes_logins` as well.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(seconds)
        try:
            client.connect(str(path))
            packet = client.recv(64)
        except OSError:
            return False
    # 3 bytes length, 1 byte sequence, then the protocol version; 0xff here is an error packet.
    return len(packet) > 4 and packet[4] == _GREETING_PROTOCOL


@dataclass(frozen=True, slots=True, kw_only=True)
class StartProgress:
    """How far a start is: last phase in the engine's log, CPU of the replay threads, bytes read from disk (in large steps)."""

    phase: str
    replay_ticks: int
    read_steps: int


def start_progress(directory: EngineDirectory, pid: int) -> StartProgress:
    """Return a mark that changes as long as a start gets anywhere.

    In the one kind of hang that is known, phase 8/14 stands, the replay threads sleep and another thread spins: CPU of the whole
    process is no progress, that of the replay threads is.
    """
    replay_ticks = 0
    for task in _tasks(pid):
        try:
            is_replay = _REPLAY_THREAD in (task / "comm").read_text()
        except OSError:
            continue
        fields = _stat(task / "stat") if is_replay else None
        if fields is not None:
            replay_ticks += int(fields[_STAT_UTIME]) + int(fields[_STAT_STIME])
    return StartProgress(
        phase=_phase(directory.server_log), replay_ticks=replay_ticks, read_steps=_read_bytes(pid) // _READ_STEP_BYTES
    )


def log_tail(path: Path, size_bytes: int = _LOG_TAIL_BYTES) -> bytes:
    """Return the last bytes of a text log, b"" if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size_bytes))
            return file.read(size_bytes)
    except OSError:
        return b""


def _phase(path: Path) -> str:
    tail = log_tail(path)
    at = tail.rfind(_PHASE_MARK)
    return tail[at + len(_PHASE_MARK) : at + len(_PHASE_MARK) + 5].decode(errors="replace") if at >= 0 else ""


def _read_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("read_bytes:")), 0)


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _stat(path: Path) -> list[str] | None:
    """Return the fields behind the name, None if the process or thread is gone."""
    try:
        text = path.read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()
