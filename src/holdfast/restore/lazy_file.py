"""A block file whose macro blocks arrive on first touch.

Theory of operation. The engine sees one file of its full size. Behind it lie the *overlay*, a sparse file that becomes the
engine's plain block file in the end, and the *marks*, one bit for each macro block: set when the overlay holds the block. A
block is in one of three states:

    MISSING   neither in the overlay nor marked; a touch gets it from the source
    HELD      in the overlay of this process's page cache, not yet marked
    MARKED    in the overlay for good; the source is not asked again

Invariants, whatever dies at whatever line:
- A bit is written only after the bytes of its block are durable, so a marked block is always whole.
- The engine's write is acknowledged only when its blocks are marked: else the next process would get the backup's bytes anew
  and put them over it. A HELD block may be forgotten, because nothing but the backup's bytes is in it.
- What the engine writes is durable when it is acknowledged, as its own direct writes to a plain file are.
- Blocks that the index does not name are all zero: MARKED from the beginning.

Marks, 32 bytes of header and then bits, lowest bit first:

    0   8  magic "HFARRIVE"
    8   4  version, 1
   12   4  number of blocks
   16  16  zero
"""

import errno
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from holdfast.backup_format.index import BlockTable
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import CorruptionError, HoldfastError
from holdfast.store.whole_write import write_all
from holdfast.values.buffers import Buffer

_HEADER = struct.Struct("<8sII16s")
_MAGIC = b"HFARRIVE"
_VERSION = 1


class BlockSource(Protocol):
    """Where missing blocks come from. Called from several threads at once."""

    def get_block(self, block_id: int) -> Buffer:
        """Return the block's bytes, checked, at most MACRO_BLOCK_BYTES. Raises HoldfastError when they can not be had now."""
        ...


class BlockState(IntEnum):
    MISSING = 0
    HELD = 1
    MARKED = 2


@dataclass(slots=True)
class _Arrival:
    """A block on its way: others that want it wait for `over` and share its failure."""

    source: BlockSource
    over: threading.Event = field(default_factory=threading.Event)
    error: HoldfastError | OSError | None = None


def create_lazy_files(overlay: Path, marks: Path, *, size_bytes: int, block_count: int) -> None:
    """Make an overlay with nothing in it and marks with nothing set; both are durable when this returns.

    `block_count`: of the index. Raises FileExistsError.
    """
    for path, head, length in (
        (overlay, b"", size_bytes),
        (marks, _HEADER.pack(_MAGIC, _VERSION, block_count, bytes(16)), _HEADER.size + (block_count + 7) // 8),
    ):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, length)
            write_all(descriptor, 0, (head,))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_marks(marks: Path) -> bytes:
    """Return the bits as they are now, lowest bit first. Raises CorruptionError for what is no marks file."""
    raw = marks.read_bytes()
    if len(raw) < _HEADER.size:
        raise CorruptionError(f"{marks} is too short to hold marks: {len(raw)} bytes")
    magic, version, block_count, _ = _HEADER.unpack_from(raw)
    bits = raw[_HEADER.size :]
    if (magic, version, len(bits)) != (_MAGIC, _VERSION, (block_count + 7) // 8):
        raise CorruptionError(f"{marks} is no marks file of version {_VERSION}: {magic!r}, {version}, {block_count}")
    return bits


def is_marked(bits: bytes | bytearray, block_id: int) -> bool:
    return bool(bits[block_id >> 3] & (1 << (block_id & 7)))


def marked_bytes(bits: bytes | bytearray, table: BlockTable) -> int:
    """Return the size of the blocks of `table` that are marked."""
    return sum(record.payload_size_bytes for record in table if is_marked(bits, record.block_id))


class LazyBlockFile:
    """Safe from any thread. Offsets and sizes are bytes of the block file."""

    def __init__(self, overlay: Path, marks: Path, table: BlockTable, source: BlockSource) -> None:
        """Open what `create_lazy_files` made. Raises CorruptionError when the marks are not those of `table`."""
        bits = bytearray(read_marks(marks))
        if len(bits) != (table.block_count + 7) // 8:
            raise CorruptionError(f"{marks} is not of an index of {table.block_count} blocks")
        self._source = source
        self._table = table
        self._bits = bits
        self._arrived_bytes = marked_bytes(bits, table)
        self._states = bytearray([BlockState.MARKED]) * table.block_count
        for record in table:
            if not is_marked(bits, record.block_id):
                self._states[record.block_id] = BlockState.MISSING
        self._order = tuple(
            record.block_id for record in table.in_object_order() if self._states[record.block_id] == BlockState.MISSING
        )
        self._missing_count = len(self._order)
        self._lock = threading.Lock()
        self._marking = threading.Lock()
        self._arrivals: dict[int, _Arrival] = {}
        self._held: set[int] = set()
        self._overlay = os.open(overlay, os.O_RDWR | os.O_CLOEXEC)
        # A second descriptor for what the engine writes: O_DSYNC would make every arriving block wait for the disk.
        self._written = os.open(overlay, os.O_RDWR | os.O_DSYNC | os.O_CLOEXEC)
        self._marks = os.open(marks, os.O_RDWR | os.O_CLOEXEC)

    @property
    def size_bytes(self) -> int:
        return os.fstat(self._overlay).st_size

    @property
    def overlay_descriptor(self) -> int:
        """Return a descriptor of the overlay, for what is asked of its file system. It stays this object's."""
        return self._overlay

    @property
    def missing_count(self) -> int:
        """Return how many blocks have not arrived."""
        return self._missing_count

    @property
    def arrived_bytes(self) -> int:
        """Return the size of all marked blocks of the index."""
        return self._arrived_bytes

    @property
    def is_complete(self) -> bool:
        """Return whether every block is marked: the overlay alone is the block file then."""
        return not self._missing_count and not self._held

    def missing(self) -> Iterator[int]:
        """Yield the blocks that have not arrived, in the order in which they lie in the source."""
        return (block_id for block_id in self._order if self._states[block_id] == BlockState.MISSING)

    def state(self, block_id: int) -> BlockState:
        """Return the block's state; blocks beyond the image are MARKED."""
        return BlockState(self._states[block_id]) if block_id < len(self._states) else BlockState.MARKED

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Return bytes, fewer only at the end of the file. Raises what the source raises, OSError."""
        for block_id in _blocks(offset, size_bytes):
            self.ensure(block_id)
        return os.pread(self._overlay, size_bytes, offset)

    def write(self, offset: int, data: Buffer) -> int:
        """Write all of `data`, durable and safe from being arrived over when this returns. Raises as `read`."""
        blocks = _blocks(offset, len(data))
        for block_id in blocks:
            self.ensure(block_id)
        write_all(self._written, offset, (data,))
        if any(self.state(block_id) is BlockState.HELD for block_id in blocks):
            self.sync()
        return len(data)

    def sync(self) -> None:
        """Make everything in the overlay durable and mark every block it holds."""
        with self._marking:
            with self._lock:
                held = tuple(self._held)
            os.fdatasync(self._overlay)
            if not held:
                return
            # Killed here: the blocks are there and not marked; they arrive once more, with the same bytes.
            touched = set()
            for block_id in held:
                self._bits[block_id >> 3] |= 1 << (block_id & 7)
                touched.add(block_id >> 3)
            for place in touched:
                os.pwrite(self._marks, self._bits[place : place + 1], _HEADER.size + place)
            os.fdatasync(self._marks)
            with self._lock:
                for block_id in held:
                    self._states[block_id] = BlockState.MARKED
                    record = self._table.get(block_id)
                    self._arrived_bytes += record.payload_size_bytes if record else 0
                self._held.difference_update(held)

    def grow(self, size_bytes: int) -> None:
        """Make the file at least so long. Raises OSError (EPERM) for a shorter one: an engine's block file only grows."""
        if size_bytes < self.size_bytes:
            raise OSError(errno.EPERM, "a block file does not shrink")
        os.ftruncate(self._overlay, size_bytes)

    def allocate(self, offset: int, size_bytes: int) -> None:
        """Reserve disk for a range, growing the file. What lies there stays."""
        os.posix_fallocate(self._overlay, offset, size_bytes)

    def ensure(self, block_id: int, source: BlockSource | None = None) -> bool:
        """Return once the overlay holds the block; True when this call brought it. Raises what its source raises.

        `source`: who is asked instead of the file's own source, by those who would rather fail than wait.
        """
        source = source or self._source
        while True:
            if self.state(block_id) is not BlockState.MISSING:
                return False
            with self._lock:
                if self._states[block_id] != BlockState.MISSING:
                    return False
                arrival = self._arrivals.get(block_id)
                if arrival is None:
                    mine = self._arrivals[block_id] = _Arrival(source)
                    break
            arrival.over.wait()  # bounded by its source's bound
            if arrival.error is not None and arrival.source is source:
                raise arrival.error
        self._bring(block_id, mine)
        return True

    def _bring(self, block_id: int, arrival: _Arrival) -> None:
        try:
            payload = memoryview(arrival.source.get_block(block_id))
            assert len(payload) <= MACRO_BLOCK_BYTES
            write_all(self._overlay, block_id * MACRO_BLOCK_BYTES, (payload,))
            with self._lock:
                self._states[block_id] = BlockState.HELD
                self._held.add(block_id)
                self._missing_count -= 1
        except (HoldfastError, OSError) as error:
            arrival.error = error
            raise
        except BaseException:
            arrival.error = OSError(errno.EIO, f"block {block_id} did not arrive")
            raise
        finally:
            with self._lock:
                del self._arrivals[block_id]
            arrival.over.set()

    def close(self) -> None:
        """Mark what has arrived and let go of the files."""
        self.sync()
        for descriptor in (self._overlay, self._written, self._marks):
            os.close(descriptor)


def _blocks(offset: int, size_bytes: int) -> range:
    return range(offset // MACRO_BLOCK_BYTES, -(-(offset + size_bytes) // MACRO_BLOCK_BYTES))
