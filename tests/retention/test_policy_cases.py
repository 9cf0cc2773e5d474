"""Golden cases of the policy: a world in each file, with every verdict and its reason."""

from pathlib import Path

import pytest
from worlds import GOLDEN, load, told

from holdfast.retention.plan import judge
from holdfast.retention.verdict import Action

FILES = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_verdict_and_reason_of_the_case_is_as_written(path: Path) -> None:
    case = load(path)
    assert told(case.plan()) == case.expected, case.about


def test_there_are_cases() -> None:
    assert len(FILES) >= 20


def test_a_second_cleanup_after_the_first_finds_nothing_more() -> None:
    """What a cleanup leaves is what it would leave again."""
    for path in FILES:
        case = load(path)
        plan = case.plan()
        gone = frozenset(fact.backup_set_id for fact in plan.doomed_sets)
        pieces = frozenset((fact.round_id, fact.piece_id) for fact in plan.doomed_pieces)
        again = judge(case.estate.without(gone, pieces), case.policy, case.now_us)
        assert all(verdict.action is Action.KEEP for verdict in (*again.sets, *again.pieces)), case.name
        assert again.lost == ()
