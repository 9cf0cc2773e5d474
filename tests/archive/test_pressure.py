"""When held log outweighs its worth."""

import pytest

from holdfast.archive.pressure import SpoolFacts, SpoolLimits, SpoolVerdict, judge_spool
from holdfast.values.destination import Binding

GIB = 1 << 30
LIMITS = SpoolLimits()


@pytest.mark.parametrize(
    ("held", "free", "total", "limits", "pressed"),
    [
        (0, GIB, 100 * GIB, LIMITS, False),  # a full disk that we do not fill: giving up would free nothing
        (10 * GIB, 50 * GIB, 100 * GIB, LIMITS, False),
        (10 * GIB, 4 * GIB, 100 * GIB, LIMITS, True),  # below 5 %
        (10 * GIB, 4 * GIB, 20 * GIB, LIMITS, False),
        (10 * GIB, 1 * GIB, 20 * GIB, LIMITS, True),  # below 2 GiB
        (3 * GIB, 50 * GIB, 100 * GIB, SpoolLimits(held_bytes_max=2 * GIB), True),
        (2 * GIB, 50 * GIB, 100 * GIB, SpoolLimits(held_bytes_max=2 * GIB), False),
    ],
)
def test_pressure_is_held_log_together_with_little_space_or_a_limit(
    held: int, free: int, total: int, limits: SpoolLimits, pressed: bool
) -> None:
    facts = SpoolFacts(held_bytes=held, free_bytes=free, total_bytes=total)
    optional, reason = judge_spool(facts, limits, Binding.OPTIONAL)
    mandatory, _ = judge_spool(facts, limits, Binding.MANDATORY)
    assert optional is (SpoolVerdict.GIVE_UP if pressed else SpoolVerdict.KEEP)
    assert mandatory is (SpoolVerdict.STALL if pressed else SpoolVerdict.KEEP)
    assert bool(reason) is pressed
    if pressed:
        assert str(held) in reason
