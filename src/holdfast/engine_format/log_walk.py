from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from holdfast.engine_format.checksum import Bytes
from holdfast.engine_format.log_group import GroupHeader
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the next group begins, and what the group before it ended with.

    `accumulated` and `log_id` are None when unknown: the first group of a walk then sets the chain. `scn` is the max
    SCN of the group before, 0 when unknown.
    """

    lsn: Lsn
    accumulated: int | None = None
    log_id: int | None = None
    scn: Scn = Scn(0)


class WalkStop(Enum):
    """Why a walk took no further group."""

    NEED_MORE = "the buffer ends inside the next group"
    BLOCK_END = "the next group lies in the next block"
    BORDER = "the next group is whole and reaches the SCN the walk was to end before"
    ZERO = "nothing is written yet"
    BROKEN = "the next bytes are no whole group, see the reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a walk took: the groups in the first `size_bytes` of its buffer, all verified.

    `first_scn` is the max SCN of the first group, None if none was taken; the last one's is `end.scn`. `reason` is a
    sentence when `stop` is BROKEN and empty otherwise.
    """

    end: Position
    size_bytes: int
    group_count: int
    first_scn: Scn | None
    stop: WalkStop
    reason: str = ""


def walk(buffer: Bytes, position: Position, *, before_scn: Scn | None = None) -> Walk:
    """Return how far `buffer`, which begins at `position.lsn`, holds whole and verified groups of one block."""
    raise NotImplementedError


def groups(buffer: Bytes, position: Position) -> Iterator[tuple[int, GroupHeader]]:
    """Yield (offset in `buffer`, header) of each verified group, as far as `walk` would go."""
    raise NotImplementedError
