"""How fast a job may go: threads, depth and bandwidth, all of which may change while it runs.

A token bucket in numbers only. Tokens are bytes; they come at `rate` a second, up to a burst of a quarter of a second. Whoever
finds the bucket above zero takes all it needs, which may leave a debt that the next ones wait for: so no request is too
large, and the mean over any second is the rate, whatever the sizes.
"""

from dataclasses import dataclass
from typing import Protocol

BURST_SECONDS = 0.25
"""How much may be saved up: enough that threads need not wake on time, too little to be seen on a graph."""


class Pace(Protocol):
    """How fast one job may go now. Safe to ask from any thread; never blocks."""

    def lanes(self) -> int:
        """Return how many threads are to copy now, 1 or more."""
        ...

    def depth(self) -> int:
        """Return how many blocks each thread asks the disk for ahead of its work, 1 or more."""
        ...

    def try_take(self, size_bytes: int) -> float:
        """Take the right to move so many bytes and return 0; or take nothing and return the seconds after which to ask again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPace:
    """A pace that never changes and knows no limit of bandwidth."""

    threads: int
    blocks_ahead: int = 4

    def lanes(self) -> int:
        return self.threads

    def depth(self) -> int:
        return self.blocks_ahead

    def try_take(self, size_bytes: int) -> float:
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """The state of a bucket at one moment. `at`: seconds of a monotonic clock; `tokens` below zero is a debt."""

    at: float
    tokens: float = 0.0


def take(bucket: TokenBucket, size_bytes: int, *, now: float, rate: int) -> tuple[TokenBucket, float]:
    """Return the bucket after a request for `size_bytes` at `now`, and 0.0 when it was granted, else the seconds to wait.

    `rate`: bytes a second from now on, 0 for no limit, which forgives a debt. A changed rate counts for waiters at once: what
    they wait for is computed anew each time they ask.
    """
    if rate <= 0:
        return TokenBucket(at=now), 0.0
    tokens = min(bucket.tokens + max(now - bucket.at, 0.0) * rate, rate * BURST_SECONDS)
    if tokens <= -1:  # less than a byte is the rounding of a wait that is over
        return TokenBucket(at=now, tokens=tokens), -tokens / rate
    return TokenBucket(at=now, tokens=tokens - size_bytes), 0.0


LANES_MAX = 16
"""Threads of one job at most. Each holds some 4 MiB, and a machine of few cores gains nothing from more."""
_DEPTH_LEAST = 4
_DEPTH_MOST = 16


def lanes_of(score: int, default: int) -> int:
    """Return how many threads a thread score of [0,100] means: the score itself up to 16; 0 means `default`."""
    return min(score, LANES_MAX) or default


def depth_of(score: int) -> int:
    """Return how many blocks each thread has asked the disk for: 4 up to a score of 16, from there on in proportion, up to 16.

    So the requests a job keeps at the disk, and with them its share of it, go on rising where the threads do not:
    16 x 4 blocks at score 16, 16 x 16 at 64 and above.
    """
    return max(_DEPTH_LEAST, min(score * _DEPTH_LEAST // LANES_MAX, _DEPTH_MOST))
