"""What to copy and when an image is whole, as tables."""

import pytest

from holdfast.backup.plan import (
    BlockAction,
    PassOutcome,
    PassPolicy,
    Step,
    is_broken_for_good,
    next_step,
    verdict_on,
)
from holdfast.engine_format.macro_block import BlockKind

HEAD = b"\x01" * 16
OTHER_HEAD = b"\x02" * 16


@pytest.mark.parametrize(
    ("kind", "copied", "action", "is_change"),
    [
        (BlockKind.FREE, None, BlockAction.SKIP, False),
        (BlockKind.FREE, HEAD, BlockAction.FORGET, True),
        (BlockKind.FREE, OTHER_HEAD, BlockAction.FORGET, True),
        (BlockKind.WRITE_ONCE, None, BlockAction.COPY, True),
        (BlockKind.WRITE_ONCE, HEAD, BlockAction.KEEP, False),
        (BlockKind.WRITE_ONCE, OTHER_HEAD, BlockAction.COPY, True),
        (BlockKind.SHARED, None, BlockAction.COPY, True),
        (BlockKind.SHARED, HEAD, BlockAction.COMPARE, False),
        (BlockKind.SHARED, OTHER_HEAD, BlockAction.COPY, True),
    ],
)
def test_verdict_on_every_pair_of_kind_and_memory(
    kind: BlockKind, copied: bytes | None, action: BlockAction, is_change: bool
) -> None:
    verdict = verdict_on(kind, HEAD, copied)
    assert (verdict.action, verdict.is_change) == (action, is_change)


def test_only_a_block_that_is_kept_or_appended_leaves_a_pass_acceptable() -> None:
    """A new block may have replaced one the slog names, so even a block without a copy is a change."""
    for kind in (BlockKind.FREE, BlockKind.WRITE_ONCE, BlockKind.SHARED):
        for copied in (None, HEAD, OTHER_HEAD):
            verdict = verdict_on(kind, HEAD, copied)
            stores_a_new_head = verdict.action in {BlockAction.COPY, BlockAction.FORGET}
            assert verdict.is_change == stores_a_new_head


def outcome(
    changed: int = 0, *, broken: int = 0, supers: bool = True, names: bool = True, base: bool = True
) -> PassOutcome:
    return PassOutcome(
        changed_count=changed,
        broken_count=broken,
        are_super_blocks_same=supers,
        are_slog_names_same=names,
        is_base_block_present=base,
        seconds=0.1,
    )


QUIET = outcome()
POLICY = PassPolicy(passes_max=5, seconds_max=60)


@pytest.mark.parametrize(
    "met",
    [outcome(1), outcome(broken=1), outcome(supers=False), outcome(names=False), outcome(base=False)],
    ids=["changed block", "broken block", "super block", "slog name", "base block"],
)
def test_every_obstacle_refuses_the_pass_and_is_named(met: PassOutcome) -> None:
    assert met.obstacle
    assert next_step([met], 0, POLICY) is Step.PASS


@pytest.mark.parametrize(
    ("outcomes", "seconds", "step"),
    [
        ([QUIET], 0, Step.ACCEPT),
        ([outcome(100), QUIET], 1e9, Step.ACCEPT),
        ([outcome(100)], 0, Step.PASS),
        ([outcome(100)], 1e9, Step.PASS),
        ([outcome(100), outcome(60)], 59, Step.PASS),
        ([outcome(100), outcome(60)], 60, Step.PAUSE),
        ([outcome(100), outcome(50)], 1e9, Step.PASS),
        ([outcome(1)] * 4, 0, Step.PASS),
        ([outcome(1)] * 5, 0, Step.PAUSE),
        ([outcome(64), outcome(32), outcome(16), outcome(8), outcome(4)], 0, Step.PAUSE),
    ],
)
def test_next_step(outcomes: list[PassOutcome], seconds: float, step: Step) -> None:
    assert next_step(outcomes, seconds, POLICY) is step


@pytest.mark.parametrize(
    ("sightings", "seconds", "verdict"), [(1, 100, False), (3, 1.9, False), (2, 2.0, False), (3, 2.0, True)]
)
def test_a_block_is_broken_for_good_only_after_several_sightings_over_seconds(
    sightings: int, seconds: float, verdict: bool
) -> None:
    assert is_broken_for_good(sightings, seconds) is verdict
