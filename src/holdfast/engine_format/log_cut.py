"""Cutting the log at an SCN, inside a group if need be.

Why inside: one commit in eight lies in a group of several entries, and then the group's max SCN is not its own. Cut at
whole groups and a restore misses transactions that were acknowledged before the target (10 of 10 targets chosen inside
such groups did); cut at entries and none of 40 did. The engine accepts a rebuilt group: the leading entries, unchanged,
behind a header with the new size, max SCN, accumulated checksum and header checksum; log id and committed end stay, and
so does the header's version: a log of an older engine is cut into what that engine reads.

What follows the cut must be zero to the block's end, and later blocks must not exist: the engine refuses to start on a
hole with valid groups behind it. But a full block must be followed by a file, even if no group of it is kept: without it
the engine refuses to start; with one that holds its info block only, or nothing but zeros, it starts and writes on
(measured, with a cut between the last group of one block and the first of the next).
"""

from dataclasses import dataclass, replace

from holdfast.engine_format.checksum import Bytes
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, file_offset_of
from holdfast.engine_format.log_group import accumulate, decode_entries, encode_group_header
from holdfast.engine_format.log_walk import Position, WalkStop, groups, walk
from holdfast.errors import CorruptionError, RefusedError
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCut:
    """How one block's file is to look: its first `keep_bytes`, then `tail` (maybe empty), then zeros to the end.

    `end` is where the engine's own log goes on. `stop`: BLOCK_END, the block is full, go on with the next; BORDER, the
    target is reached; ZERO, BROKEN (with `reason`) or NEED_MORE, the log ends here. Except after BLOCK_END, later
    blocks must not exist; after BLOCK_END the next one must, if only as LOG_BLOCK_BYTES of zeros.
    """

    keep_bytes: int
    tail: bytes
    end: Position
    stop: WalkStop
    reason: str = ""


def cut(group_bytes: Bytes, position: Position, target: Scn) -> bytes:
    """Return the group at the start of `group_bytes` rebuilt with its leading entries up to and including `target`.

    Shape: a whole group, header included; the very same bytes if all entries are kept; b"" if none is. `position` is
    where the group lies, as a walk up to it ended. Bytes behind the group are not looked at.
    Raises CorruptionError if no whole and verified group lies there, or if what is kept can not be a group; RefusedError if entries
    must be dropped and
    `position.accumulated` is unknown, for the chain then can not be continued: walk from an earlier group.
    """
    _, header = next(groups(group_bytes, position), (0, None))
    if header is None:
        why = walk(group_bytes, position).reason or "the bytes end before it does"
        raise CorruptionError(f"log group to cut at lsn {position.lsn}: no whole group: {why}")
    begin = header.header_size_bytes
    whole = memoryview(group_bytes)[: begin + header.size_bytes]
    if header.max_scn <= target:
        return bytes(whole)
    kept = [entry for entry in decode_entries(whole) if entry.scn <= target]
    if not kept:
        return b""
    if position.accumulated is None:
        raise RefusedError(
            f"log group to cut at lsn {position.lsn}: the accumulated checksum before it is unknown",
            hint="walk from an earlier group",
        )
    if kept[-1].scn <= position.scn:
        # No engine was seen to write this, and none would take what is left: a group's SCN is above that of the one before.
        raise CorruptionError(
            f"log group to cut at lsn {position.lsn}: its leading entries have SCN {kept[-1].scn}, that of the group before it",
            hint=f"choose a moment before it, or SCN {header.max_scn} or later",
        )
    end = kept[-1].offset + kept[-1].size_bytes
    rebuilt = encode_group_header(
        replace(
            header,
            size_bytes=end - begin,
            max_scn=kept[-1].scn,
            accumulated=accumulate(position.accumulated, (entry.data_checksum for entry in kept)),
        )
    ) + bytes(whole[begin:end])
    assert walk(rebuilt, position).size_bytes == len(rebuilt), "a rebuilt group must continue the log"
    return rebuilt


def cut_block(block: Bytes, position: Position, target: Scn | None = None) -> BlockCut:
    """Return how `block` is to be cut: at its valid end, or at `target` if that comes first.

    `block` is the bytes of a log file from its info block on, as many as there are; `position` lies in it, and what
    lies before `position` is kept as it is.
    Raises as `walk` and `cut` do.
    """
    view = memoryview(block)
    begin = file_offset_of(position.lsn)
    taken = walk(view[begin:], position, before_scn=None if target is None else Scn(target + 1))
    keep_bytes = begin + taken.size_bytes
    tail, end = b"", taken.end
    if target is not None and taken.stop is WalkStop.BORDER:
        tail = cut(view[keep_bytes:], taken.end, target)
        end = walk(tail, taken.end).end
    return BlockCut(keep_bytes=keep_bytes, tail=tail, end=end, stop=taken.stop, reason=taken.reason)


def rebuild_block(block: Bytes, block_cut: BlockCut) -> bytes:
    """Return the LOG_BLOCK_BYTES of the block's file as `block_cut` wants it: what is kept, the tail, zeros.

    A caller that has the file at hand does the same with less copying: write `tail` at `keep_bytes`, cut the file off
    behind it, then extend it to LOG_BLOCK_BYTES.
    """
    kept = memoryview(block)[: block_cut.keep_bytes]
    if len(kept) < block_cut.keep_bytes:
        raise CorruptionError(f"log block to rebuild: {len(kept)} bytes, expected {block_cut.keep_bytes} or more")
    return (bytes(kept) + block_cut.tail).ljust(LOG_BLOCK_BYTES, b"\0")
