"""What the keeper does when an engine is slow to forget a session: a moment that no real one can be held in."""

from collections.abc import Sequence
from typing import Any

import pytest

from holdfast.engine.keeper import Keeper
from holdfast.engine.session import Session, SqlError


class StandbySession(Session):
    """Lets nobody set a global."""

    def __init__(self) -> None:
        self.is_closed = False

    def query(self, sql: str, args: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        return [(1, 1)]

    def execute(self, sql: str, args: Sequence[object] | None = None, *, shown: str = "") -> int:
        raise SqlError(4688, "read only", sql)

    def is_sound(self) -> bool:
        return not self.is_closed

    def close(self) -> None:
        self.is_closed = True


class Standby:
    """Has one place, and counts a closed session until it was asked `lag` times more. `refusal`: what it says then."""

    def __init__(self, lag: int, refusal: int = 1226) -> None:
        self.lag = lag
        self.refusal = refusal
        self.inside: list[StandbySession] = []

    def log_in(self) -> StandbySession:
        if self.inside and self.inside[-1].is_closed and self.lag == 0:
            self.inside.pop()
        if self.inside:
            self.lag -= self.inside[-1].is_closed
            raise SqlError(self.refusal if self.inside[-1].is_closed else 1226, "full", "login")
        self.inside.append(StandbySession())
        return self.inside[-1]


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_login_waits_until_the_session_that_made_room_is_gone(lag: int) -> None:
    standby = Standby(lag)
    keeper = Keeper(standby.log_in)
    keeper.hold()
    assert not keeper.let_in(standby.log_in).is_closed  # type: ignore[attr-defined]


def test_login_that_is_refused_for_something_else_is_not_tried_again() -> None:
    standby = Standby(5, refusal=1045)
    keeper = Keeper(standby.log_in)
    keeper.hold()
    with pytest.raises(SqlError) as refused:
        keeper.let_in(standby.log_in)
    assert (refused.value.errno, standby.lag) == (1045, 4)
