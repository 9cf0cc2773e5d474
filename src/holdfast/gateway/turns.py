"""Turns: at most so many at once for each key, the others in the order they came. Used on the loop's thread only."""

import asyncio
from collections import Counter, deque
from typing import Generic, TypeVar

K = TypeVar("K")


class Turns(Generic[K]):
    """Who has a turn says `end` once; keys that nobody uses take no memory."""

    def __init__(self) -> None:
        self._taken: Counter[K] = Counter()
        self._waiting: dict[K, deque[asyncio.Future[None]]] = {}

    async def begin(self, key: K, at_once: int) -> None:
        """Return when it is this one's turn: fewer than `at_once` have one, and nobody came before."""
        if self._taken[key] < at_once and key not in self._waiting:
            self._taken[key] += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(key, turn)
            else:
                self.end(key)  # it was given at the same moment
            raise

    def end(self, key: K) -> None:
        """Give the turn back: to the next who waits, if there is one."""
        while waiting := self._waiting.get(key):
            turn = waiting[0]
            self._forget(key, turn)
            if not turn.done():
                turn.set_result(None)
                return
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]

    def _forget(self, key: K, turn: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(key)
        if waiting is not None and turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[key]
