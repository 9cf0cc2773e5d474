"""How fast a job goes and how long it will go on, from the figures seen so far. Pure: the caller says what time it is."""

from collections import deque
from dataclasses import dataclass

from holdfast.cli.job import Ending, Job

WINDOW_SECONDS = 15.0
"""The rate is that of the last 15 seconds: long enough to be calm, short enough to notice a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """None: the figures do not tell. `bytes_per_second` of what is read (backup) or laid out (restore)."""

    bytes_per_second: float | None = None
    remaining_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    done: int
    size_bytes: int


class Pace:
    """The marks of one job. The first is its beginning, by the server's clock, so even one look gives a rate: the average."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()  # bounded: one per note inside the window, and one before it

    def note(self, job: Job, now: float) -> Speed:
        """Take the figures of `job` at `now` (seconds of any clock that never goes back) and return its speed."""
        mark = _Mark(now, job.done, job.bytes_read)
        if self._marks and (mark.done < self._marks[-1].done or mark.size_bytes < self._marks[-1].size_bytes):
            # Begun again after a crash of the server: what was measured before says nothing about now.
            self._marks.clear()
            self._marks.append(mark)
            return Speed()
        if not self._marks:
            self._marks.append(_Mark(now - job.elapsed_seconds, 0, 0))
        self._marks.append(mark)
        while len(self._marks) > 2 and self._marks[1].at <= now - WINDOW_SECONDS:
            self._marks.popleft()
        return self._speed(job)

    def _speed(self, job: Job) -> Speed:
        first, last = self._marks[0], self._marks[-1]
        seconds = last.at - first.at
        if seconds <= 0:
            return Speed()
        size_bytes, done = last.size_bytes - first.size_bytes, last.done - first.done
        left = job.total - job.done
        known = job.ending is Ending.RUNNING and done > 0 and left > 0
        return Speed(
            bytes_per_second=size_bytes / seconds if last.size_bytes else None,
            remaining_seconds=left * seconds / done if known else None,
        )
