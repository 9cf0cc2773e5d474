"""What to copy, and when an image is whole: the thinking of a backup. Values in, values out.

Theory of operation. An image is a moment of four things: the super blocks, the slog (which says what every table is
made of), the blocks the slog names, and a log that reaches back to the base block. Nothing is frozen, so they are
read in an order that makes the moment provable, pass after pass, until one pass finds nothing new:

    1. the clog's meta file         (must not be newer than the slog)
    2. meta.db, etc, slog
    3. the super blocks
    4. the head of every block, compared with the head of the copy; what differs is copied, shared blocks are read again

Invariants. The slog copy of a pass is older than every block read of that pass. A block the slog names can only be
lost by being reused, and reuse changes its first 512 bytes (0 exceptions in 50,075 reads under load). So a pass in
which no head differed holds every block its slog names. Shared blocks only gain data, and are read after the slog.
The super blocks and the slog's file names are compared once more at the end, because a slog checkpoint moves both.

A pass that meets a change is not the moment, but the next one starts from its copies and has little to do. Passes are
bounded; then the engine is paused for the last one, which is then a moment by force.
Source: the project's measurements of the engine on disk, sections 4 to 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from holdfast.engine_format.macro_block import BlockKind


class Memory(Enum):
    """What the copy (or the base set) says of a block, seen from its head now."""

    NOTHING = "no copy"
    SAME = "a copy with this head"
    OTHER = "a copy with another head"


class BlockAction(Enum):
    """What a pass does with one block."""

    SKIP = "never used: not part of the image"
    KEEP = "the copy is good"
    FORGET = "the copy is of a block that is no more"
    COMPARE = "read it; store it when its content differs from the copy"
    COPY = "read and store it"


@dataclass(frozen=True, slots=True)
class BlockVerdict:
    """`is_change`: this pass can not be the moment, whatever else it finds."""

    action: BlockAction
    is_change: bool


_VERDICTS: dict[tuple[BlockKind, Memory], BlockVerdict] = {
    (BlockKind.FREE, Memory.NOTHING): BlockVerdict(BlockAction.SKIP, False),
    (BlockKind.FREE, Memory.SAME): BlockVerdict(BlockAction.FORGET, True),
    (BlockKind.FREE, Memory.OTHER): BlockVerdict(BlockAction.FORGET, True),
    (BlockKind.WRITE_ONCE, Memory.NOTHING): BlockVerdict(BlockAction.COPY, True),
    (BlockKind.WRITE_ONCE, Memory.SAME): BlockVerdict(BlockAction.KEEP, False),
    (BlockKind.WRITE_ONCE, Memory.OTHER): BlockVerdict(BlockAction.COPY, True),
    (BlockKind.SHARED, Memory.NOTHING): BlockVerdict(BlockAction.COPY, True),
    (BlockKind.SHARED, Memory.SAME): BlockVerdict(BlockAction.COMPARE, False),
    (BlockKind.SHARED, Memory.OTHER): BlockVerdict(BlockAction.COPY, True),
}


def verdict_on(kind: BlockKind, head_hash: bytes, copied_head_hash: bytes | None) -> BlockVerdict:
    """Return what to do with a block whose head is of `kind` and hashes to `head_hash`.

    `copied_head_hash` is that of the copy in this set or its base, None without one. Super blocks are not asked about:
    every pass reads them. Raises KeyError for them.
    """
    if copied_head_hash is None:
        memory = Memory.NOTHING
    else:
        memory = Memory.SAME if copied_head_hash == head_hash else Memory.OTHER
    return _VERDICTS[kind, memory]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOutcome:
    """What one pass met. `broken_count`: write-once blocks whose payload did not match its checksum."""

    changed_count: int
    broken_count: int
    are_super_blocks_same: bool
    are_slog_names_same: bool
    is_base_block_present: bool
    seconds: float

    @property
    def obstacle(self) -> str:
        """Return why this pass is not the moment of the image, or nothing when it is."""
        if self.changed_count:
            return f"{self.changed_count} blocks changed"
        if self.broken_count:
            return f"{self.broken_count} blocks failed their checksum"
        if not self.are_super_blocks_same:
            return "the super blocks changed"
        if not self.are_slog_names_same:
            return "the slog moved to another file"
        if not self.is_base_block_present:
            return "the log's base block was recycled"
        return ""


class Step(Enum):
    ACCEPT = "this pass is the image"
    PASS = "take another pass"
    PAUSE = "pause the engine for the last pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassPolicy:
    """How long to hope for a pass without a change. 23 of 23 measured backups under load needed at most 8."""

    passes_max: int = 20
    seconds_max: float = 60.0
    pauses_max: int = 5
    paused_blocks_max: int = 32
    """More changed blocks than this in a pause (64 MiB of memory, some 30 ms) end it: another pass, another pause."""


def next_step(outcomes: Sequence[PassOutcome], seconds_since_first: float, policy: PassPolicy) -> Step:
    """Return what follows the last of `outcomes` (oldest first, at least one).

    The first pass copies the bulk and may take hours, so hoping is counted from its end. A pass that still halves the
    work of the one before is progress, not hope, and the time does not end it.
    """
    if not outcomes[-1].obstacle:
        return Step.ACCEPT
    if len(outcomes) >= policy.passes_max:
        return Step.PAUSE
    is_progress = len(outcomes) < 2 or outcomes[-1].changed_count * 2 <= outcomes[-2].changed_count
    if seconds_since_first >= policy.seconds_max and not is_progress:
        return Step.PAUSE
    return Step.PASS


BROKEN_SIGHTINGS_MIN = 3
BROKEN_SECONDS_MIN = 2.0


def is_broken_for_good(sighting_count: int, seconds: float) -> bool:
    """Return whether a block with a wrong checksum is no longer one that is being written.

    The engine writes a block in one go of milliseconds; the same wrong content seen again and again over seconds is
    either rot or the torn leftover of a killed engine in a block that is free.
    """
    return sighting_count >= BROKEN_SIGHTINGS_MIN and seconds >= BROKEN_SECONDS_MIN


DEFAULT_THREADS = 2
"""Threads that copy blocks when ha_low_thread_score is 0."""
