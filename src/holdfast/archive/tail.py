"""Finding the end of the live log, for those who need to know what is in it by now (backups)."""

import threading
from collections.abc import Callable
from pathlib import Path

from holdfast import codes
from holdfast.archive.blocks import BlockReader, LogMissingError
from holdfast.archive.walker import LogWalker
from holdfast.clock import Clock
from holdfast.engine_format.log_block import first_lsn_of
from holdfast.engine_format.log_walk import Position, WalkStop
from holdfast.errors import RefusedError, refuse
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_ATTEMPTS_MAX = 4
"""A known place can be archived, released and recycled while a walk sets out from it; a newer one is then known."""


class LiveTail:
    """Walks the live log on the caller's thread, apart from the follower, so that nothing waits for a destination."""

    def __init__(self, log_dir: Path, spool_dir: Path, clock: Clock, known: Callable[[], Position | None]) -> None:
        """`known` returns the furthest verified position of the follower, None while it has none."""
        self._folders = (log_dir, spool_dir)
        self._clock = clock
        self._known = known
        self._lock = threading.Lock()
        self._tail: Position | None = None

    def after_now(self, timeout_seconds: float) -> tuple[Lsn, Scn]:
        """Return the LSN behind the last whole group and its max SCN, found by a walk begun after the call.

        Raises RefusedError -4012 when the end is not reached in time, LogMissingError when the log has a hole.
        """
        deadline = self._clock.monotonic() + timeout_seconds
        with self._lock:
            for attempt in range(1, _ATTEMPTS_MAX + 1):
                try:
                    return self._walked(deadline)
                except LogMissingError:
                    self._tail = None
                    if attempt == _ATTEMPTS_MAX:
                        raise
            raise AssertionError("the last attempt returns or raises")

    def _walked(self, deadline: float) -> tuple[Lsn, Scn]:
        reader = BlockReader(*self._folders)
        try:
            position = self._start(reader)
            walker = LogWalker(reader)
            while self._clock.monotonic() <= deadline:
                _, found = walker.step(position)
                position = found.end
                # What is no whole group is one being written, or the end; the follower finds out which.
                if found.stop in {WalkStop.ZERO, WalkStop.BROKEN}:
                    self._tail = position
                    return position.lsn, position.scn
            raise RefusedError(
                f"the end of the log was not reached in time, the walk is at LSN {position.lsn}", code=codes.OB_TIMEOUT
            )
        finally:
            reader.close()

    def _start(self, reader: BlockReader) -> Position:
        known = [position for position in (self._known(), self._tail) if position is not None]
        if known:
            return max(known, key=lambda position: position.lsn)
        blocks = reader.block_ids()
        if not blocks:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint="the engine has no log yet")
        return Position(lsn=first_lsn_of(blocks[0]))
