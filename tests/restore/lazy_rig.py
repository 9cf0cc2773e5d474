"""An image of eight macro blocks without a destination, for the tests of lazily filled block files."""

import random
from pathlib import Path

from holdfast.backup_format.index import BlockTable, IndexRecord
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import HoldfastError
from holdfast.restore.lazy_file import LazyBlockFile, create_lazy_files, is_marked, read_marks
from holdfast.values.buffers import Buffer

BLOCK_COUNT = 8
INDEXED = (0, 1, 2, 4, 5, 7)
"""Blocks 3 and 6 are all zero: no index names them."""


def payload_of(block_id: int) -> bytes:
    return random.Random(block_id).randbytes(4096) * (MACRO_BLOCK_BYTES // 4096)


PAYLOADS = {block_id: payload_of(block_id) for block_id in INDEXED}


def table() -> BlockTable:
    found = BlockTable(BLOCK_COUNT)
    for number, block_id in enumerate(reversed(INDEXED)):
        found.put(
            IndexRecord(
                block_id=block_id,
                set_id=1,
                object_number=1,
                offset=number * MACRO_BLOCK_BYTES,
                stored_size_bytes=MACRO_BLOCK_BYTES,
                payload_size_bytes=MACRO_BLOCK_BYTES,
                block_type=1,
                digest=bytes(16),
                head_hash=bytes(16),
            )
        )
    return found


class Blocks:
    """A source that counts, and fails when it is told to."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.error: HoldfastError | None = None

    def get_block(self, block_id: int) -> Buffer:
        self.asked.append(block_id)
        if self.error is not None:
            raise self.error
        return PAYLOADS[block_id]


class World:
    """The files of one lazily filled block file; `open` is a new process, `kill` what a `kill -9` leaves."""

    def __init__(self, folder: Path) -> None:
        self.overlay, self.marks = folder / "block_file", folder / "arrived"
        create_lazy_files(self.overlay, self.marks, size_bytes=BLOCK_COUNT * MACRO_BLOCK_BYTES, block_count=BLOCK_COUNT)
        self.blocks = Blocks()

    def open(self) -> LazyBlockFile:
        return LazyBlockFile(self.overlay, self.marks, table(), self.blocks)

    def marked(self) -> list[int]:
        bits = read_marks(self.marks)
        return [block_id for block_id in range(BLOCK_COUNT) if is_marked(bits, block_id)]
