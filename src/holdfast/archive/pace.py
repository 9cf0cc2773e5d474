"""When to append: the trade between lag and the number of appends."""

from dataclasses import dataclass
from typing import Final

PENDING_BYTES_MAX: Final = 4 << 20
"""One append carries at most about this much log (plus one group). Bounds memory; larger appends measured no faster."""

POLL_SECONDS_LEAST: Final = 0.020
"""How long log is let gather before the next look: looking every 5 ms took half as much processor again."""

POLL_SECONDS_MOST: Final = 0.050
"""An idle engine writes a group about every 3 to 5 s: 20 looks a second cost well under 1 % of a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What was walked and is not yet durable. `age_seconds` is that of its oldest group."""

    size_bytes: int
    age_seconds: float
    flush_asked: bool
    at_border: bool


def is_append_due(pending: Pending, lag_target_us: int) -> bool:
    """Return whether to append now.

    Half the lag target is left for the append itself and for what a busy destination adds. A border (of a block, or
    of a piece) ends an append in any case: one frame never crosses it.
    """
    if not pending.size_bytes:
        return False
    return (
        pending.flush_asked
        or pending.at_border
        or pending.size_bytes >= PENDING_BYTES_MAX
        or pending.age_seconds * 1_000_000 >= lag_target_us / 2
    )


def next_poll_seconds(previous_seconds: float, *, found_log: bool) -> float:
    """Return how long to rest before looking again: short while log flows, doubling to the bound while it does not."""
    if found_log:
        return POLL_SECONDS_LEAST
    return min(max(previous_seconds, POLL_SECONDS_LEAST) * 2, POLL_SECONDS_MOST)


def backoff_seconds(attempt: int) -> float:
    """Return the rest after the `attempt`-th failure in a row (from 1): 0.1 s doubling to 5 s.

    The bound keeps a repaired destination from waiting long; the spool keeps the log meanwhile.
    """
    return float(min(0.1 * 2 ** min(attempt - 1, 10), 5.0))
