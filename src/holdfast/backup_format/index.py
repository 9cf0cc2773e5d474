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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holdfast.backup_format.chunk import ChunkHeader, ChunkPlace
from holdfast.values.buffers import Buffer

INDEX_HEADER_BYTES = 64
INDEX_RECORD_BYTES = 64
INDEX_TRAILER_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRecord:
    """Where the content of one macro block lies, and what it must be."""

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
    def place(self) -> ChunkPlace: ...

    @property
    def end_offset(self) -> int:
        """Return the offset behind the chunk in its object."""
        ...


def record_of(header: ChunkHeader) -> IndexRecord:
    """Return the index record of a chunk just sealed, or found again by walking an object."""
    ...


class BlockTable:
    """The index in memory while a backup runs or a restore reads: 64 bytes for each block of the block file.

    One call changes or reads one record at once, so threads may share a table; iteration sees each record as it is
    when its turn comes.
    """

    def __init__(self, block_count: int = 0) -> None: ...

    @property
    def block_count(self) -> int:
        """Return for how many block ids there is room, used or not."""
        ...

    def __len__(self) -> int:
        """Return how many blocks have a record."""
        ...

    def grow(self, block_count: int) -> None:
        """Make room for ids below `block_count` (the block file grew). Never shrinks."""
        ...

    def put(self, record: IndexRecord) -> None:
        """Set the record of its block. Raises IndexError beyond `block_count`."""
        ...

    def remove(self, block_id: int) -> None:
        """Forget the block's record if there is one (the block was freed and zeroed)."""
        ...

    def get(self, block_id: int) -> IndexRecord | None: ...

    def head_hash(self, block_id: int) -> bytes | None:
        """Return the 16 bytes of the block's head hash, None without a record. Cheaper than `get`."""
        ...

    def digest(self, block_id: int) -> bytes | None:
        """Return the 16 bytes of the block's content digest, None without a record. Cheaper than `get`."""
        ...

    def __iter__(self) -> Iterator[IndexRecord]:
        """Yield every record by ascending block id."""
        ...

    def in_object_order(self) -> Iterator[IndexRecord]:
        """Yield every record by set, object and offset: the order in which a restore reads. About 80 bytes a block."""
        ...

    def set_ids(self) -> frozenset[int]:
        """Return the ids of all sets that hold a block of this image."""
        ...


def encode_index(table: BlockTable, *, set_id: int, block_size_bytes: int) -> Iterator[bytes]:
    """Yield the index object in slices of at most 1 MiB. The table must not change meanwhile."""
    ...


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
    ...
