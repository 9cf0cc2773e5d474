"""The block index of a backup set: one record for each macro block of its image that is not all zero.

A set's index is complete: a record may name a chunk of an earlier set, and then says which. Layout: header of 64
bytes, the records sorted by block id, then 32 bytes of BLAKE3 of everything before.

    header  0  4  magic "HFIX"          record  0   4  block id
            4  2  version, 1                    4   4  id of the backup set that holds the chunk
            6  2  record size, 64               8   4  object number: data/n of that set
            8  4  backup set id                12   4  stored size of the chunk, without its header
           12  4  macro block size             16   8  offset of the chunk's header in the object
           16  8  number of records            24   4  payload size
           24  8  blocks in the block file     28   2  the engine's type of the block
           32 24  zero                         30   2  zero
           56  8  header checksum              32  16  content digest
                                               48  16  head hash
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blake3 import blake3

from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind, ChunkPlace
from holdfast.backup_format.digest import header_checksum
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.buffers import Buffer

INDEX_HEADER_BYTES = 64
INDEX_RECORD_BYTES = 64
INDEX_TRAILER_BYTES = 32

_MAGIC = b"HFIX"
_VERSION = 1
_HEADER = struct.Struct("<4sHHIIQQ24s")
_RECORD = struct.Struct("<IIIIQIH2s16s16s")
_SET_ID = struct.Struct("<I")
_ORDER = struct.Struct("<IIIIQ")
_SLICE_BYTES = 1 << 20
_CHECKED_BYTES = INDEX_HEADER_BYTES - 8
_SET_ID_OFFSET, _DIGEST_OFFSET, _HEAD_HASH_OFFSET = 4, 32, 48
BLOCK_COUNT_MAX = 1 << 24
"""32 TiB of macro blocks: a table of 1 GiB. Block ids have 32 bits, and a table of so many would not fit into any memory."""
assert _HEADER.size == _CHECKED_BYTES
assert _RECORD.size == INDEX_RECORD_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRecord:
    """Where the content of one macro block lies, and what it must be. `set_id`: of the set that holds the chunk."""

    block_id: int
    set_id: int
    object_number: int
    offset: int
    stored_size_bytes: int
    payload_size_bytes: int
    block_type: int
    digest: bytes
    head_hash: bytes

    @property
    def place(self) -> ChunkPlace:
        """Return the place the chunk must be sealed for."""
        return ChunkPlace(
            set_id=self.set_id, object_number=self.object_number, offset=self.offset, block_id=self.block_id
        )

    @property
    def end_offset(self) -> int:
        """Return the offset behind the chunk in its object."""
        return self.offset + CHUNK_HEADER_BYTES + self.stored_size_bytes


def record_of(header: ChunkHeader) -> IndexRecord:
    """Return the index record of a macro block's chunk just sealed, or found again by walking an object."""
    if header.place.kind is not ChunkKind.MACRO_BLOCK:
        raise ValueError(f"only macro blocks are indexed, not a {header.place.text()}")
    return IndexRecord(
        block_id=header.place.block_id,
        set_id=header.place.set_id,
        object_number=header.place.object_number,
        offset=header.place.offset,
        stored_size_bytes=header.stored_size_bytes,
        payload_size_bytes=header.payload_size_bytes,
        block_type=header.block_type,
        digest=header.digest,
        head_hash=header.head_hash,
    )


class BlockTable:
    """The index in memory while a backup runs or a restore reads: 64 bytes for each block of the block file.

    One call changes or reads one record at once, so threads may share a table; iteration sees each record as it is
    when its turn comes. A block without a record has an id of the holding set of 0: set ids begin at 1.
    """

    __slots__ = ("_octets",)

    def __init__(self, block_count: int = 0) -> None:
        self._octets = bytearray(block_count * INDEX_RECORD_BYTES)

    @property
    def block_count(self) -> int:
        """Return for how many block ids there is room, used or not."""
        return len(self._octets) // INDEX_RECORD_BYTES

    def __len__(self) -> int:
        """Return how many blocks have a record. Counts anew: a pass over the table."""
        return sum(1 for _ in self._used_offsets())

    def set_id(self, block_id: int) -> int:
        """Return the id of the set that holds the block's chunk, 0 without a record or beyond `block_count`."""
        if not 0 <= block_id < self.block_count:
            return 0
        return int(_SET_ID.unpack_from(self._octets, block_id * INDEX_RECORD_BYTES + _SET_ID_OFFSET)[0])

    def grow(self, block_count: int) -> None:
        """Make room for ids below `block_count` (the block file grew). Never shrinks."""
        missing = block_count - self.block_count
        if missing > 0:
            self._octets.extend(bytes(missing * INDEX_RECORD_BYTES))

    def put(self, record: IndexRecord) -> None:
        """Set the record of its block. Raises IndexError beyond `block_count`, ValueError for an impossible field."""
        if not 0 < record.set_id < 1 << 32 or len(record.digest) != 16 or len(record.head_hash) != 16:
            raise ValueError(f"not an index record: {record}")
        try:
            packed = _RECORD.pack(
                record.block_id,
                record.set_id,
                record.object_number,
                record.stored_size_bytes,
                record.offset,
                record.payload_size_bytes,
                record.block_type,
                bytes(2),
                record.digest,
                record.head_hash,
            )
        except struct.error as error:
            raise ValueError(f"not an index record: {record}") from error
        start = self._offset(record.block_id)
        self._octets[start : start + INDEX_RECORD_BYTES] = packed

    def remove(self, block_id: int) -> None:
        """Forget the block's record if there is one (the block was freed and zeroed)."""
        start = self._offset(block_id)
        self._octets[start : start + INDEX_RECORD_BYTES] = bytes(INDEX_RECORD_BYTES)

    def get(self, block_id: int) -> IndexRecord | None:
        """Return the block's record, None without one or beyond `block_count`."""
        if not 0 <= block_id < self.block_count:
            return None
        return _decode_record(self._octets[block_id * INDEX_RECORD_BYTES : (block_id + 1) * INDEX_RECORD_BYTES])

    def head_hash(self, block_id: int) -> bytes | None:
        """Return the 16 bytes of the block's head hash, None as `get`. Cheaper than `get`."""
        return self._part(block_id, _HEAD_HASH_OFFSET)

    def digest(self, block_id: int) -> bytes | None:
        """Return the 16 bytes of the block's content digest, None as `get`. Cheaper than `get`."""
        return self._part(block_id, _DIGEST_OFFSET)

    def __iter__(self) -> Iterator[IndexRecord]:
        """Yield every record by ascending block id."""
        for start in self._used_offsets():
            record = _decode_record(self._octets[start : start + INDEX_RECORD_BYTES])
            if record is not None:
                yield record

    def in_object_order(self) -> Iterator[IndexRecord]:
        """Yield every record by set, object and offset: the order in which a restore reads.

        Takes about 80 bytes a block while it runs, 80 MB for 2 TB of data.
        """

        def order(start: int) -> int:
            _, set_id, object_number, _, offset = _ORDER.unpack_from(self._octets, start)
            return int(set_id << 96 | object_number << 64 | offset)

        for start in sorted(self._used_offsets(), key=order):
            record = _decode_record(self._octets[start : start + INDEX_RECORD_BYTES])
            if record is not None:
                yield record

    def set_ids(self) -> frozenset[int]:
        """Return the ids of all sets that hold a block of this image."""
        return frozenset(_SET_ID.unpack_from(self._octets, start + _SET_ID_OFFSET)[0] for start in self._used_offsets())

    def packed_records(self) -> Iterator[bytes]:
        """Yield every record as its 64 bytes, by ascending block id."""
        for start in self._used_offsets():
            yield bytes(self._octets[start : start + INDEX_RECORD_BYTES])

    def _offset(self, block_id: int) -> int:
        if not 0 <= block_id < self.block_count:
            raise IndexError(f"block {block_id} is beyond the table's {self.block_count}")
        return block_id * INDEX_RECORD_BYTES

    def _used_offsets(self) -> Iterator[int]:
        octets = self._octets
        for start in range(0, len(octets), INDEX_RECORD_BYTES):
            if _SET_ID.unpack_from(octets, start + _SET_ID_OFFSET)[0]:
                yield start

    def _part(self, block_id: int, offset: int) -> bytes | None:
        start = block_id * INDEX_RECORD_BYTES
        record = self._octets[start : start + INDEX_RECORD_BYTES] if block_id >= 0 else b""
        if not record or not _SET_ID.unpack_from(record, _SET_ID_OFFSET)[0]:
            return None
        return bytes(record[offset : offset + 16])


def _decode_record(packed: Buffer) -> IndexRecord | None:
    block_id, set_id, number, stored, offset, size, block_type, _, digest, head_hash = _RECORD.unpack(packed)
    if not set_id:
        return None
    return IndexRecord(
        block_id=block_id,
        set_id=set_id,
        object_number=number,
        offset=offset,
        stored_size_bytes=stored,
        payload_size_bytes=size,
        block_type=block_type,
        digest=digest,
        head_hash=head_hash,
    )


def encode_index(table: BlockTable, *, set_id: int, block_size_bytes: int) -> Iterator[bytes]:
    """Yield the index object in slices of about 1 MiB. The table must not change meanwhile.

    Raises ValueError when a record names a set younger than `set_id`.
    """
    if any(holder > set_id for holder in table.set_ids()):
        raise ValueError(f"set {set_id} can not refer to a younger set: {sorted(table.set_ids())}")
    checked = _HEADER.pack(
        _MAGIC, _VERSION, INDEX_RECORD_BYTES, set_id, block_size_bytes, len(table), table.block_count, bytes(24)
    )
    hasher = blake3()
    pending = [checked, header_checksum(checked).to_bytes(8, "little")]
    pending_bytes = INDEX_HEADER_BYTES
    for record in table.packed_records():
        pending.append(record)
        pending_bytes += INDEX_RECORD_BYTES
        if pending_bytes >= _SLICE_BYTES:
            whole = b"".join(pending)
            hasher.update(whole)
            yield whole
            pending, pending_bytes = [], 0
    whole = b"".join(pending)
    yield whole + hasher.update(whole).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A decoded index. The table has been checked against the trailer as a whole."""

    set_id: int
    block_size_bytes: int
    table: BlockTable


def decode_index(slices: Iterable[Buffer], *, name: str = "index") -> Index:
    """Return the index from its object's bytes in slices of any size.

    Raises CorruptionError when a checksum, count or the order is wrong or bytes are missing or left over,
    UnknownVersionError on another version.
    """
    hasher = blake3()
    supply = _Supply(slices)
    head = supply.take(INDEX_HEADER_BYTES)
    if head is None:
        raise CorruptionError(f"{name} ends inside its header")
    hasher.update(head)
    set_id, block_size_bytes, count, block_count = _decode_header(head, name)
    table = BlockTable()
    last_id = -1
    for number in range(count):
        packed = supply.take(INDEX_RECORD_BYTES)
        if packed is None:
            raise CorruptionError(f"{name} ends inside record {number}: expected {count} records")
        hasher.update(packed)
        record = _decode_record(packed)
        if record is None or not last_id < record.block_id < block_count or record.set_id > set_id:
            raise CorruptionError(f"{name} has an impossible record {number} of {count}: {packed.hex()}")
        # The header's block count is not yet proven, so room is made only for records that came.
        table.grow(min(max(record.block_id + 1, 2 * table.block_count), block_count))
        table.put(record)
        last_id = record.block_id
    trailer = supply.take(INDEX_TRAILER_BYTES)
    if trailer is None or supply.take(1) is not None:
        raise CorruptionError(f"{name} does not end behind its {count} records and 32 bytes of digest")
    if trailer != hasher.digest():
        raise CorruptionError(
            f"{name} has a wrong digest: expected {trailer.hex()}, found {hasher.hexdigest()}",
            hint="its bytes changed after they were written; use another copy",
        )
    table.grow(block_count)
    return Index(set_id=set_id, block_size_bytes=block_size_bytes, table=table)


def _decode_header(head: bytes, name: str) -> tuple[int, int, int, int]:
    """Return set id, macro block size, record count and block count of a checked header."""
    magic, version, record_bytes, set_id, block_size_bytes, count, block_count, reserved = _HEADER.unpack_from(head)
    if magic != _MAGIC:
        raise CorruptionError(f"{name} is not a block index: expected magic {_MAGIC!r}, found {magic!r}")
    expected = int.from_bytes(head[_CHECKED_BYTES:], "little")
    found = header_checksum(head[:_CHECKED_BYTES])
    if found != expected:
        raise CorruptionError(f"{name} has a wrong header checksum: expected {expected:016x}, found {found:016x}")
    if version != _VERSION:
        raise UnknownVersionError(f"{name} has index version {version}, this build reads {_VERSION}")
    if record_bytes != INDEX_RECORD_BYTES or count > block_count or block_count > BLOCK_COUNT_MAX or any(reserved):
        raise CorruptionError(f"{name} has an impossible header: {count} records of {record_bytes} bytes")
    return set_id, block_size_bytes, count, block_count


class _Supply:
    """Hands out exact sizes from slices of any size, holding one slice and a remainder."""

    def __init__(self, slices: Iterable[Buffer]) -> None:
        self._slices = iter(slices)
        self._slice = b""
        self._offset = 0

    def take(self, size_bytes: int) -> bytes | None:
        """Return the next bytes, None when fewer are left."""
        while len(self._slice) - self._offset < size_bytes:
            more = next(self._slices, None)
            if more is None:
                return None
            self._slice = self._slice[self._offset :] + bytes(more)
            self._offset = 0
        start = self._offset
        self._offset += size_bytes
        return self._slice[start : self._offset]
