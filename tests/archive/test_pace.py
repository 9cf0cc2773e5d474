"""When an append is due, and how long to rest."""

import pytest

from holdfast.archive.pace import (
    PENDING_BYTES_MAX,
    POLL_SECONDS_LEAST,
    POLL_SECONDS_MOST,
    Pending,
    backoff_seconds,
    is_append_due,
    next_poll_seconds,
)

LAG_US = 120_000_000


def pending(
    size_bytes: int = 1, age_seconds: float = 0.0, *, flush_asked: bool = False, at_border: bool = False
) -> Pending:
    return Pending(size_bytes=size_bytes, age_seconds=age_seconds, flush_asked=flush_asked, at_border=at_border)


@pytest.mark.parametrize(
    ("what", "lag_us", "due"),
    [
        (pending(0, 999, flush_asked=True, at_border=True), 0, False),
        (pending(), 0, True),
        (pending(), LAG_US, False),
        (pending(age_seconds=59.9), LAG_US, False),
        (pending(age_seconds=60.0), LAG_US, True),
        (pending(PENDING_BYTES_MAX - 1), LAG_US, False),
        (pending(PENDING_BYTES_MAX), LAG_US, True),
        (pending(flush_asked=True), LAG_US, True),
        (pending(at_border=True), LAG_US, True),
    ],
)
def test_an_append_is_due_by_age_size_request_or_border(what: Pending, lag_us: int, due: bool) -> None:
    assert is_append_due(what, lag_us) is due


def test_polling_slows_to_its_bound_while_idle_and_is_fast_again_at_once() -> None:
    rest = POLL_SECONDS_LEAST
    for _ in range(20):
        rest = next_poll_seconds(rest, found_log=False)
    assert rest == POLL_SECONDS_MOST
    assert next_poll_seconds(rest, found_log=True) == POLL_SECONDS_LEAST


def test_backoff_grows_and_is_bounded() -> None:
    rests = [backoff_seconds(attempt) for attempt in range(1, 200)]
    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (0.1, 5.0)
