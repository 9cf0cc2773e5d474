"""Following survives a server that goes away and comes back, and gives up on one that does not."""

import pytest

from holdfast.cli.job import Job
from holdfast.cli.outcome import Exit, Failure
from holdfast.cli.output import Output
from holdfast.cli.watch import Display, follow

AWAY = Failure(Exit.UNREACHABLE, "no server answers")
NOT_READY = Failure(Exit.REFUSED, "tenant is not ready", code=4012)
REFUSED = Failure(Exit.REFUSED, "no", code=1227)


class StepClock:
    """Time passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def now_ns(self) -> int:
        return int(self.at * 1e9)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def _follow(script: list[Failure | str]) -> tuple[int, float]:
    """Follow what `script` says each look meets; return how often it was logged in again, and for how long it looked."""
    clock, reopened, steps = StepClock(), 0, iter(script)

    def look() -> list[Job]:
        nonlocal over
        step = next(steps)
        if isinstance(step, Failure):
            raise step
        over = step == "over"
        return []

    def reopen() -> None:
        nonlocal reopened
        reopened += 1

    over = False
    with Display(Output("jobs", as_json=True), clock, silent=True) as display:
        follow(display, clock, look, lambda _: over, reopen)
    return reopened, clock.at


def test_a_server_that_comes_back_is_followed_on() -> None:
    reopened, seconds = _follow(["runs", AWAY, NOT_READY, "runs", "over"])
    assert reopened == 2
    assert seconds < 5


def test_a_server_that_stays_away_is_given_up_after_a_minute() -> None:
    with pytest.raises(Failure) as caught:
        _follow(["runs", *[AWAY] * 100])
    assert caught.value.outcome is Exit.UNREACHABLE


def test_each_absence_has_a_minute_of_its_own() -> None:
    reopened, seconds = _follow(["runs", *[AWAY] * 50, "runs", *[AWAY] * 50, "over"])
    assert reopened == 100
    assert seconds > 60


def test_a_refusal_is_not_waited_out() -> None:
    with pytest.raises(Failure) as caught:
        _follow(["runs", REFUSED])
    assert caught.value is REFUSED
