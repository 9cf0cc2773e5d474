"""How long a login may keep us waiting, and which one gives way when too many do.

Only the time in which the *client* owes us something counts: its first packet, the rest of it, its proof. A login that waits for the
desk or the engine is nobody's to send away. Clients that are waited for are bounded in number (`HalfOpen`); the one that has been
waited for longest gives way to a newcomer: a login's packets take milliseconds, so that one is the least likely to be somebody.
Whoever is sent away is told why.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from holdfast.gateway import refusals
from holdfast.mysql.packets import ServerError

T = TypeVar("T")

YOUNG_SECONDS = 1.0
"""How long a login that waits for its client is taken for one of a burst: its packets take milliseconds on any network."""


class SentAwayError(Exception):
    """The client has to go, and is to be told `error`."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(error.message)
        self.error = error


class HalfOpen:
    """Clients that are waited for, in the order in which that began.

    While all of them are young it is a burst: none gives way, and no more are taken in (`is_full`) until one has answered or is no
    longer young. So there may be more than `clients_max`, by those that had been taken in and now wait for their client again.
    """

    def __init__(self, clients_max: int) -> None:
        self._clients_max = clients_max
        self._waited_for: dict[Patience, asyncio.Timeout] = {}

    @property
    def is_full(self) -> bool:
        """Return whether a newcomer has to wait: there is no room, and nobody to give way."""
        return len(self._waited_for) >= self._clients_max and self._is_young(next(iter(self._waited_for)))

    def add(self, patience: "Patience", timeout: asyncio.Timeout) -> None:
        """Wait for one more; the oldest gives way if there are too many."""
        self._waited_for[patience] = timeout
        while len(self._waited_for) > self._clients_max and not self._is_young(oldest := next(iter(self._waited_for))):
            ends = self._waited_for.pop(oldest)
            if not ends.expired():  # else it is on its way out by itself
                oldest.gives_way = True
                ends.reschedule(asyncio.get_running_loop().time())

    def remove(self, patience: "Patience") -> None:
        self._waited_for.pop(patience, None)

    def _is_young(self, patience: "Patience") -> bool:
        return asyncio.get_running_loop().time() - patience.begun < YOUNG_SECONDS


class Patience:
    """With one login. `half_open` None: it gives way to nobody (a client that has a place, and changes its user)."""

    def __init__(self, seconds_max: float, half_open: HalfOpen | None = None) -> None:
        self._seconds_left = seconds_max
        self._half_open = half_open
        self.gives_way = False
        self.begun = 0.0

    async def with_client(self, waited: Coroutine[Any, Any, T]) -> T:
        """Return what the client sends. Raises SentAwayError when its time is used up, or when it gives way to another."""
        loop = asyncio.get_running_loop()
        self.begun = begun = loop.time()
        try:
            async with asyncio.timeout(max(0.0, self._seconds_left)) as timeout:
                if self._half_open is not None:
                    self._half_open.add(self, timeout)
                return await waited
        except TimeoutError as error:
            gives_way, self.gives_way = self.gives_way, False
            raise SentAwayError(refusals.TOO_MANY_LOGINS if gives_way else refusals.TOO_SLOW) from error
        finally:
            self._seconds_left -= loop.time() - begun
            if self._half_open is not None:
                self._half_open.remove(self)
