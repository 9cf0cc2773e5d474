"""Seeing new log blocks the moment they appear."""

import errno
import os
import select
import threading
from pathlib import Path
from types import TracebackType

import inotify_simple
from inotify_simple import flags

from holdfast.engine.hold import block_ids
from holdfast.errors import EngineError


class LogDirectoryWatch:
    """Inotify on an engine's log folder. One thread waits, any thread may `wake` it.

    Events are only a wake-up; what is reported is the difference of two listings. So a lost or merged event (the
    kernel's queue is bounded) costs nothing but time, and the caller's timeout bounds that.
    """

    def __init__(self, log_dir: Path, *, appends: bool = False) -> None:
        """Begin to watch. With `appends`, writes into blocks wake the watch too (see `wait`).

        Raises EngineError if the folder is absent: watch an engine after its first start.
        """
        self._log_dir = log_dir
        self._seen: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # A block appears by rename from N.tmp; CREATE covers an engine that stops doing so.
        mask = flags.MOVED_TO | flags.CREATE | (flags.MODIFY if appends else 0)
        try:
            self._inotify = inotify_simple.INotify()
        except OSError as error:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise EngineError(
                f"log folder {log_dir} can not be watched: {error.strerror}",
                hint="each tenant that archives takes one inotify instance: sysctl -w fs.inotify.max_user_instances=1024",
            ) from error
        try:
            self._inotify.add_watch(log_dir, mask)
        except OSError as error:
            self.close()
            hint = "sysctl -w fs.inotify.max_user_watches=65536" if error.errno == errno.ENOSPC else ""
            raise EngineError(f"log folder {log_dir} can not be watched: {error.strerror}", hint=hint) from error

    def new_blocks(self, timeout: float) -> tuple[int, ...]:
        """Return the ids of blocks that appeared since the last call, sorted; the first call returns all at once.

        Waits at most `timeout` seconds; an empty tuple means none came, or that `wake` was called. A block may be gone
        again when it is looked at.
        """
        found = self._difference()
        if not found and self.wait(timeout):
            found = self._difference()
        return found

    def wait(self, timeout: float) -> bool:
        """Return whether something happened in the folder within `timeout` seconds; False also after `wake`."""
        # poll, not select: a server with many connections has descriptors above select's 1024.
        poll = select.poll()
        poll.register(self._inotify.fileno(), select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, timeout) * 1000)}
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        if self._inotify.fileno() not in ready:
            return False
        self._inotify.read(timeout=0)
        return True

    def wake(self) -> None:
        """End a wait of another thread now, or the next one at once."""
        try:
            os.write(self._wake_write, b"w")
        except BlockingIOError:
            return  # the pipe is full of wakes: one more changes nothing

    def close(self) -> None:
        """Stop watching. Repeatable; never while another thread waits: `wake` it first."""
        self._inotify.close()
        for end in (self._wake_read, self._wake_write):
            if end >= 0:
                os.close(end)
        self._wake_read = self._wake_write = -1

    def _difference(self) -> tuple[int, ...]:
        with self._lock:
            now = frozenset(block_ids(self._log_dir))
            new = now - self._seen
            self._seen = now
        return tuple(sorted(new))

    def __enter__(self) -> "LogDirectoryWatch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
