"""What to do when the log we hold for a destination that can not take it fills the engine's disk.

BINDING=Optional: the engine outranks the archive, the spool is given up and the round is INTERRUPTED. Mandatory: the
archive outranks the user's writes, which the gateway then holds back.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from holdfast.values.destination import Binding

HELD_BYTES_LEAST: Final = 256 << 20
"""Below four blocks the spool is not what fills a disk: giving it up would cost the archive and free nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """When held log counts as pressure. `held_bytes_max` None: only free space counts."""

    free_bytes_least: int = 2 << 30
    free_ratio_least: float = 0.05
    held_bytes_max: int | None = None
    held_bytes_least: int = HELD_BYTES_LEAST


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFacts:
    """`held_bytes`: blocks that live only by our links. `free_bytes`, `total_bytes`: of the spool's file system."""

    held_bytes: int
    free_bytes: int
    total_bytes: int


class SpoolVerdict(Enum):
    KEEP = "keep"
    GIVE_UP = "give the spool up"
    STALL = "hold the tenant's writes"


def judge_spool(facts: SpoolFacts, limits: SpoolLimits, binding: Binding) -> tuple[SpoolVerdict, str]:
    """Return the verdict and, unless it is KEEP, the reason as one sentence with the numbers."""
    reason = _pressure(facts, limits)
    if not reason:
        return SpoolVerdict.KEEP, ""
    return (SpoolVerdict.GIVE_UP if binding is Binding.OPTIONAL else SpoolVerdict.STALL), reason


def _pressure(facts: SpoolFacts, limits: SpoolLimits) -> str:
    if limits.held_bytes_max is not None and facts.held_bytes > limits.held_bytes_max:
        return f"the log held for the destination is {facts.held_bytes} bytes, at most {limits.held_bytes_max} may be"
    floor_bytes = max(limits.free_bytes_least, int(facts.total_bytes * limits.free_ratio_least))
    if facts.free_bytes < floor_bytes and facts.held_bytes >= limits.held_bytes_least:
        return (
            f"the disk of the spool has {facts.free_bytes} bytes free, below the floor of {floor_bytes},"
            f" while {facts.held_bytes} bytes of log are held for the destination"
        )
    return ""
