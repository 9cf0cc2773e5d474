"""The only place that reads time. Work below the daemon takes a `Clock`; tests pass a fixed one."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the rooms ask of time."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for intervals only."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
