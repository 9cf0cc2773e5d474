"""Threads that carry a list of works out, as many as the pace wants now, and what all of them share while they do."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from holdfast.values.pace import LANES_MAX, Pace

_LOOK_SECONDS = 0.25
"""How often the pace is asked how many threads it wants."""
_PACE_WAIT_SECONDS = 0.1
"""A wait for bandwidth is cut into these: the limit may change meanwhile, or the work be cancelled."""


class Abandoned(Exception):
    """Another thread failed first; its error is the one to tell."""


class Crew:
    """One task's threads. `check` is asked between two reads and may end the work by raising."""

    def __init__(self, pace: Pace, check: Callable[[], None]) -> None:
        self._pace = pace
        self._check = check
        self._stop = threading.Event()

    def spend(self, size_bytes: int) -> None:
        """Return when so many bytes may be read. Raises what `check` raises."""
        self._go_on()
        while (seconds := self._pace.try_take(size_bytes)) > 0:
            self._stop.wait(min(seconds, _PACE_WAIT_SECONDS))
            self._go_on()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Carry all works out; raise what the first that failed raised, when every thread has left."""
        left, turn = deque(works), threading.Lock()

        def carry(number: int) -> None:
            while number < self._pace.lanes():
                with turn:
                    work = left.popleft() if left else None
                if work is None:
                    return
                self._go_on()
                work()

        running: dict[Future[None], int] = {}
        errors: list[BaseException] = []
        with ThreadPoolExecutor(max_workers=LANES_MAX, thread_name_prefix="validate") as pool:
            while True:
                at_work = set(running.values())
                for number in range(min(self._pace.lanes(), LANES_MAX, len(left) + len(at_work))):
                    if number not in at_work and left and not errors:
                        running[pool.submit(carry, number)] = number
                if not running:
                    break
                done, _ = wait(running, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    error = future.exception()
                    if error is not None:
                        errors.append(error)
                        self._stop.set()
        if errors:
            raise next((error for error in errors if not isinstance(error, Abandoned)), errors[0])

    def _go_on(self) -> None:
        self._check()
        if self._stop.is_set():
            raise Abandoned
