"""The walk: how far a piece of the log is whole, which is the only thing that may be archived or restored.

Theory of operation. The engine appends groups to the log without a gap, rewriting the last 4 KiB page as it fills, and
leaves no mark where the log ends. A reader of the live file sees unfinished groups; a copy taken under load may hold a
hole with newer bytes behind it; behind a torn tail may lie an older, perfectly valid group. So the end of the log is
found in one way only: from a known position, take a group if and only if everything holds:

1. header: magic, version, checksum; a size that stays within the block (no group crosses a block border);
2. place: log id is one more than before, committed end LSN not beyond the group itself;
3. entries: each header and each data checksum, filling the group exactly, SCNs never falling;
4. SCN: above the max SCN of the group before, equal to the last entry's;
5. chain: the accumulated checksum follows from that of the group before. An old group behind the tail fails here;
6. padding: if it is a padding group it ends exactly at the block's end.

Everything before the first failure is the log; what the engine itself recovers is the same (torn last group, garbage
and old groups behind the tail were all put before a real engine).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from crc32c import crc32c

from holdfast.engine_format.checksum import Bytes
from holdfast.engine_format.log_block import LOG_DATA_BYTES
from holdfast.engine_format.log_group import (
    GROUP_HEADER_BYTES,
    GROUP_HEADER_V2_BYTES,
    GroupHeader,
    check_entries,
    checked_group_fields,
    checked_group_v2_fields,
    decode_group_header,
    is_version_2,
)
from holdfast.errors import CorruptionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_PADDING: Final = 1 << 62
_INVERT: Final = 0xFFFFFFFF
_NO_GROUP_YET: Final = bytes(GROUP_HEADER_BYTES)
_SCN_UNKNOWN: Final = Scn(0)
_NO_BORDER: Final = 1 << 63  # above any SCN
_VERSION_2: Final = 2  # looked at in place, by its low byte: the common case costs one comparison
_GROUP_COUNT_MAX: Final = LOG_DATA_BYTES  # no limit: a block holds fewer groups than bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the next group begins, and what the group before it ended with.

    `accumulated` and `log_id` are None when unknown: the first group of a walk then sets the chain. `scn` is the max
    SCN of the group before, 0 when unknown.
    """

    lsn: Lsn
    accumulated: int | None = None
    log_id: int | None = None
    scn: Scn = _SCN_UNKNOWN


class WalkStop(Enum):
    """Why a walk took no further group."""

    NEED_MORE = "the buffer ends before the next group does"
    BLOCK_END = "the next group lies in the next block"
    BORDER = "the next group is whole and reaches the SCN the walk was to end before"
    ZERO = "nothing is written yet"
    BROKEN = "the next bytes are no whole group that continues this log"


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
    """Return how far `buffer`, which begins at `position.lsn`, holds whole and verified groups of one block.

    `before_scn`: take no group whose max SCN is this or more; such a group stops the walk (BORDER) only when it is
    itself whole and verified. Bytes behind the block's end are not looked at (BLOCK_END).
    A walk can be repeated from `end` with the bytes that follow, and takes the same groups however the bytes are split.
    Raises UnknownVersionError if the next header is of a version or has a flag this build does not know.
    """
    return _walk(buffer, position, before_scn, _GROUP_COUNT_MAX)


def position_behind(group: Bytes, lsn: Lsn) -> Position:
    """Return where the log goes on behind the verified group at the start of `group`, which lies at `lsn`."""
    header = decode_group_header(group)
    assert header is not None, "a group was verified, so its header is whole"
    return Position(
        lsn=Lsn(lsn + header.header_size_bytes + header.size_bytes),
        accumulated=header.accumulated,
        log_id=header.log_id,
        scn=header.max_scn,
    )


def groups(buffer: Bytes, position: Position) -> Iterator[tuple[int, GroupHeader]]:
    """Yield (offset in `buffer`, header) of each verified group, exactly as far as `walk` goes.

    One object per group: for cuts and tests, not for the stream.
    """
    view = memoryview(buffer)
    at = 0
    while (step := _walk(view[at:], position, None, 1)).group_count:
        header = decode_group_header(view[at:])
        assert header is not None, "a group was taken, so its header is whole"
        yield at, header
        position = step.end
        at += step.size_bytes
        if step.stop is WalkStop.BLOCK_END:
            return


def _walk(buffer: Bytes, position: Position, before_scn: Scn | None, group_count_max: int) -> Walk:
    view = memoryview(buffer)
    begin_lsn = int(position.lsn)
    room = LOG_DATA_BYTES - begin_lsn % LOG_DATA_BYTES
    size_bytes = len(view)
    border = _NO_BORDER if before_scn is None else int(before_scn)
    accumulated, log_id, scn = position.accumulated, position.log_id, int(position.scn)
    first_scn: Scn | None = None
    stop, reason = WalkStop.NEED_MORE, ""
    at = group_count = 0
    try:
        while group_count < group_count_max:
            if size_bytes - at < GROUP_HEADER_BYTES:
                break
            if not view[at] and view[at : at + GROUP_HEADER_BYTES] == _NO_GROUP_YET:
                stop = WalkStop.ZERO
                break
            begin = at + GROUP_HEADER_BYTES
            if view[at + 3] == _VERSION_2 and is_version_2(view, at):
                begin = at + GROUP_HEADER_V2_BYTES
                if begin > size_bytes:
                    break
                fields = checked_group_v2_fields(view, at)
            else:
                fields = checked_group_fields(view, at)
            _, _, size, committed_end, group_scn, chained, group_id, flag = fields
            end = begin + size
            if log_id is not None and group_id != log_id + 1:
                raise CorruptionError(f"log group: log id {group_id}, expected {log_id + 1}")
            if group_scn <= scn:
                raise CorruptionError(f"log group: max scn {group_scn} not above {scn}, that of the group before it")
            if committed_end > begin_lsn + at:
                raise CorruptionError(f"log group: committed end lsn {committed_end} lies beyond the group itself")
            if end > room or (flag & _PADDING and end != room):
                raise CorruptionError(f"log group: it ends {end - room} bytes from its block's end")
            if end > size_bytes:
                break
            checksum, last_scn = check_entries(view, begin, end, is_padding=bool(flag & _PADDING), floor_scn=scn)
            if last_scn != group_scn:
                raise CorruptionError(f"log group: max scn {group_scn}, but its last entry has {last_scn}")
            if accumulated is not None:
                follows = crc32c(checksum.to_bytes(8, "little"), accumulated ^ _INVERT) ^ _INVERT
                if follows != chained:
                    raise CorruptionError(f"log group: accumulated checksum {chained:#x}, expected {follows:#x}")
            if group_scn >= border:
                stop = WalkStop.BORDER
                break
            if first_scn is None:
                first_scn = Scn(group_scn)
            at, accumulated, log_id, scn = end, chained, group_id, group_scn
            group_count += 1
            if at == room:
                stop = WalkStop.BLOCK_END
                break
    except CorruptionError as error:
        stop, reason = WalkStop.BROKEN, f"at lsn {begin_lsn + at}: {error.message}"
    return Walk(
        end=Position(lsn=Lsn(begin_lsn + at), accumulated=accumulated, log_id=log_id, scn=Scn(scn)),
        size_bytes=at,
        group_count=group_count,
        first_scn=first_scn,
        stop=stop,
        reason=reason,
    )
