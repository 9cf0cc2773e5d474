"""Walking the live log: read, verify, and tell an unfinished group from a broken log."""

from dataclasses import dataclass, replace
from typing import Final

from holdfast.archive.blocks import READ_BYTES_LEAST, BlockReader
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, block_id_of, decode_info_block
from holdfast.engine_format.log_walk import Position, Walk, WalkStop, walk
from holdfast.errors import CorruptionError
from holdfast.values.scn import Scn

READ_BYTES_MOST: Final = 4 << 20
"""One read of a log that is behind. Only a larger group (padding at a block's end) makes it grow further."""

LATER_BLOCK_SECONDS: Final = 2.0
"""How long a block must stay unreadable although a later one is being written: blocks are written strictly in order."""

WRITTEN_ON_NS: Final = 10_000_000_000
"""How long an engine must have gone on writing behind a group that stays broken. An unfinished group is finished within
milliseconds, or never: then the engine is dead, writes nothing, and drops the group when it starts again."""


class LogWalker:
    """Reads and verifies the log step by step, with one buffer. One thread only."""

    def __init__(self, reader: BlockReader) -> None:
        self._reader = reader
        self._size_bytes = READ_BYTES_LEAST
        self._buffer = bytearray(READ_BYTES_LEAST)

    def step(self, position: Position, *, before_scn: Scn | None = None) -> tuple[memoryview, Walk]:
        """Return the bytes of the verified groups at `position` and what the walk says of them.

        The bytes are valid until the next step. None taken and ZERO: nothing is there yet, not even the block.
        Raises LogMissingError when the block was recycled.
        """
        if len(self._buffer) < self._size_bytes:
            self._buffer = bytearray(self._size_bytes)
        view = memoryview(self._buffer)
        count = self._reader.read_into(position.lsn, view[: self._size_bytes])
        if not count:
            return view[:0], Walk(end=position, size_bytes=0, group_count=0, first_scn=None, stop=WalkStop.ZERO)
        found = walk(view[:count], position, before_scn=before_scn)
        self._adapt(count, found)
        return view[: found.size_bytes], found

    def _adapt(self, count: int, found: Walk) -> None:
        if found.stop is WalkStop.NEED_MORE and count == self._size_bytes:
            most = LOG_BLOCK_BYTES if not found.size_bytes else READ_BYTES_MOST
            self._size_bytes = min(self._size_bytes * 4, most)
        elif found.stop in {WalkStop.ZERO, WalkStop.BROKEN} and self._size_bytes > READ_BYTES_LEAST:
            self._size_bytes = READ_BYTES_LEAST
            if len(self._buffer) > READ_BYTES_MOST:
                self._buffer = bytearray(READ_BYTES_LEAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A place where the log does not go on. `since`: monotonic seconds of the first look; `written_ns`: the block's
    modification time then; `later_since`: when a later block was first seen in use."""

    position: Position
    since: float
    written_ns: int
    later_since: float | None = None


def judge_doubt(
    doubt: Doubt | None, *, position: Position, stop: WalkStop, written_ns: int, later_block: bool, now: float
) -> tuple[Doubt, bool]:
    """Return the doubt as it stands now, and whether the log is certainly broken there.

    Certain is: a later block has been in use for a while (this one is then complete, and does not go on), or the engine
    has long gone on writing into this block behind bytes that stay no group. Everything else is a log that ends here.
    """
    if doubt is None or doubt.position != position:
        doubt = Doubt(position=position, since=now, written_ns=written_ns)
    if later_block and doubt.later_since is None:
        doubt = replace(doubt, later_since=now)
    passed_over = doubt.later_since is not None and now - doubt.later_since >= LATER_BLOCK_SECONDS
    written_on = stop is WalkStop.BROKEN and written_ns - doubt.written_ns >= WRITTEN_ON_NS
    return doubt, passed_over or written_on


def is_later_block_in_use(reader: BlockReader, lsn: int) -> bool:
    """Return whether a block behind that of `lsn` has its info block: the engine has begun to write into it."""
    for block_id in reader.block_ids():
        if block_id > block_id_of(lsn):
            try:
                info = reader.peek_info(block_id)
                if info is not None and decode_info_block(info) is not None:
                    return True
            except CorruptionError:
                continue  # being written at this moment: the next look will tell
    return False
