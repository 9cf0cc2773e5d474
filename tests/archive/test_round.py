"""The life of a round, row by row of the manual's table."""

import pytest

from holdfast.archive.round import TRANSITIONS, RoundEvent, follows_log, holds_log, is_over, next_status
from holdfast.values.archive import RoundStatus as S

MANUAL = [
    (S.PREPARE, RoundEvent.DESTINATION_GOOD, S.BEGINNING),
    (S.BEGINNING, RoundEvent.FIRST_DURABLE, S.DOING),
    (S.DOING, RoundEvent.LOG_LOST, S.INTERRUPTED),
    (S.DOING, RoundEvent.DEFERRED, S.SUSPENDING),
    (S.SUSPENDING, RoundEvent.RESTED, S.SUSPEND),
    (S.SUSPEND, RoundEvent.ENABLED, S.BEGINNING),
    (S.BEGINNING, RoundEvent.STOP_ASKED, S.STOPPING),
    (S.DOING, RoundEvent.STOP_ASKED, S.STOPPING),
    (S.INTERRUPTED, RoundEvent.STOP_ASKED, S.STOPPING),
    (S.SUSPENDING, RoundEvent.STOP_ASKED, S.STOPPING),
    (S.SUSPEND, RoundEvent.STOP_ASKED, S.STOPPING),
    (S.STOPPING, RoundEvent.ENDED, S.STOP),
]


@pytest.mark.parametrize(("status", "event", "expected"), MANUAL)
def test_every_change_of_the_manual_is_in_the_table(status: S, event: RoundEvent, expected: S) -> None:
    assert next_status(status, event) is expected


@pytest.mark.parametrize("status", [S.PREPARE, S.SUSPENDING, S.SUSPEND, S.INTERRUPTED, S.STOPPING])
def test_defer_acts_on_a_round_that_archives_only(status: S) -> None:
    assert next_status(status, RoundEvent.DEFERRED) is None


def test_an_interrupted_round_leaves_that_state_only_by_being_stopped() -> None:
    assert {event for status, event in TRANSITIONS if status is S.INTERRUPTED} == {RoundEvent.STOP_ASKED}


def test_nothing_leaves_stop() -> None:
    assert not [event for status, event in TRANSITIONS if status is S.STOP]
    assert is_over(S.STOP)
    assert not any(is_over(status) for status in S if status is not S.STOP)


def test_every_status_can_be_stopped_at_last() -> None:
    for start in S:
        reached = {start}
        for _ in S:
            reached |= {after for (status, _), after in TRANSITIONS.items() if status in reached}
        assert S.STOP in reached


def test_log_is_held_whenever_it_is_owed_and_never_for_a_lost_or_unbegun_round() -> None:
    assert {status for status in S if holds_log(status)} == {S.BEGINNING, S.DOING, S.SUSPENDING, S.SUSPEND}
    assert all(holds_log(status) for status in S if follows_log(status))
