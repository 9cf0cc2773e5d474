"""Twenty thousand changed captures: whatever comes, the answer is a value or one of our errors, printable, bounded, and soon there.

More of them: `python tests/fuzz/run.py` (docs/testing.md).
"""

import pytest

from fuzz.targets import FAMILIES, cases
from fuzz.watch import Outcome, judge

SEED = 20261130
COUNTS = {"objects": 6000, "engine": 2500, "packets": 5500, "texts": 6000}


def test_twenty_thousand_cases_are_tried() -> None:
    assert sum(COUNTS.values()) == 20_000
    assert COUNTS.keys() == FAMILIES.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_captures_themselves_are_taken(family: str) -> None:
    """Else every change would be refused for a reason that has nothing to do with it."""
    for target in FAMILIES[family]:
        taken = [sample for sample in target.samples if not _is_refused(target, sample)]
        assert taken or target.name.startswith("crafted"), target.name


def _is_refused(target: object, sample: bytes) -> bool:
    from holdfast.errors import HoldfastError

    try:
        target.run(sample)  # type: ignore[attr-defined]
    except HoldfastError:
        return True
    return False


@pytest.mark.parametrize("family", FAMILIES)
def test_changed_captures_are_taken_or_refused_in_words_that_show_as_they_are(family: str) -> None:
    outcome = Outcome()
    judge(cases(FAMILIES[family], SEED, COUNTS[family]), outcome, where=f"{family}, seed {SEED}")
    assert not outcome.failures, "\n\n".join(outcome.failures.values())
    assert outcome.cases == COUNTS[family]
    assert sum(outcome.refused.values()) > outcome.cases // 10, "the changes change too little"
