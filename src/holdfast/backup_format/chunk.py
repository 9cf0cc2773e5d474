"""Chunks: one macro block, or one part of a small file, sealed. A data object is a run of chunks and nothing else.

A chunk describes itself, so the chunks of a crashed backup can be found again by walking their headers. Header, 96
bytes, little-endian:

    offset  size  field
         0     4  magic "HFCK"
         4     1  version, 1
         5     1  codec: 0 as it is, 1 zstd
         6     1  cipher: 0 none, 1 AES-256-GCM
         7     1  kind: 1 macro block, 2 part of a file
         8     4  backup set id
        12     4  object number within the set: n of data/n; of a file, its number in the manifest
        16     8  offset of this header in its object
        24     8  macro block id; of a file, the part's number from 0
        32     4  payload size
        36     4  stored size: the bytes that follow this header, a cipher's tag included
        40    16  content digest of the payload
        56    16  head hash of the payload
        72     2  the engine's type of the macro block, 0 of a file
        74    12  nonce, zero without a cipher
        86     2  zero
        88     8  header checksum, XXH3-64 of the 88 bytes before

The payload is the codec's output followed by as many zeros as the payload size asks for. With a cipher the associated
data are the header's bytes 0..73, so a chunk moved to another set, object or offset does not open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.payload import Cipher, Codec
from holdfast.values.buffers import Buffer, ReadAt

CHUNK_HEADER_BYTES = 96
CHUNK_PAYLOAD_BYTES_MAX = 4 << 20
"""Twice a macro block: what a reader must be ready to hold, whatever a header says."""


class ChunkKind(IntEnum):
    MACRO_BLOCK = 1
    FILE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlace:
    """Where a chunk belongs. `block_id`: the macro block's index in the block file; of a file, the part's number."""

    set_id: int
    object_number: int
    offset: int
    block_id: int
    kind: ChunkKind = ChunkKind.MACRO_BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkHeader:
    """A checked chunk header."""

    place: ChunkPlace
    codec: Codec
    cipher: Cipher
    payload_size_bytes: int
    stored_size_bytes: int
    digest: bytes
    head_hash: bytes
    block_type: int
    nonce: bytes

    @property
    def end_offset(self) -> int:
        """Return the offset in the object behind this chunk, where the next one begins."""
        return self.place.offset + CHUNK_HEADER_BYTES + self.stored_size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedChunk:
    """A chunk ready to be written: `header_bytes`, then `body`. `body` may alias the payload it was made from."""

    header: ChunkHeader
    header_bytes: bytes
    body: Buffer

    @property
    def size_bytes(self) -> int:
        return len(self.header_bytes) + len(self.body)


class ChunkSealer:
    """Seals chunks on one thread: it owns a compressor, which is not safe to share."""

    def __init__(self, *, key: DataKey | None = None) -> None: ...

    def seal(self, place: ChunkPlace, payload: Buffer, *, head_hash: bytes, block_type: int = 0) -> SealedChunk:
        """Return the chunk of `payload` at `place`.

        `pack` and then `seal_packed`, for a thread that writes its own object and so knows the offset beforehand.
        """
        ...

    def pack(self, payload: Buffer) -> "PackedPayload":
        """Return the payload compressed and digested: the expensive part, which needs no place."""
        ...

    def seal_packed(
        self, place: ChunkPlace, packed: "PackedPayload", *, head_hash: bytes, block_type: int = 0
    ) -> SealedChunk:
        """Return the chunk of a payload packed before (by this sealer or another with the same key): cheap."""
        ...


class ChunkOpener:
    """Opens chunks on one thread: it owns a decompressor, which is not safe to share."""

    def __init__(self, *, key: DataKey | None = None) -> None: ...

    def open(self, header: ChunkHeader, stored: Buffer, *, place: ChunkPlace, name: str = "chunk") -> Buffer:
        """Return the payload, which has been checked to be what the chunk's digest says. May alias `stored`.

        Shape: `stored` are exactly the `stored_size_bytes` bytes behind the header.
        Raises CorruptionError when the chunk is not the one of `place` or its bytes are wrong, RefusedError (-9047)
        when it is encrypted and no key was given.
        """
        ...


def seal_chunk(
    place: ChunkPlace, payload: Buffer, *, head_hash: bytes, block_type: int = 0, key: DataKey | None = None
) -> SealedChunk:
    """Return one sealed chunk; for many use a ChunkSealer."""
    ...


def decode_chunk_header(buffer: Buffer, *, name: str = "chunk") -> ChunkHeader | None:
    """Return the checked header at the start of `buffer`, or None if more bytes are needed.

    Raises CorruptionError on a wrong magic, checksum or field, UnknownVersionError on another version, codec, cipher
    or kind. `name` is what messages call the object.
    """
    ...


def open_chunk(
    header: ChunkHeader, stored: Buffer, *, place: ChunkPlace, key: DataKey | None = None, name: str = "chunk"
) -> Buffer:
    """Return one payload; for many use a ChunkOpener."""
    ...


def walk_chunks(read: ReadAt, size_bytes: int, *, set_id: int, object_number: int, name: str) -> Iterator[ChunkHeader]:
    """Yield the header of every chunk of an object of `size_bytes`, in order. Only headers are read.

    Raises CorruptionError when a header is not that of its place or the last chunk does not end with the object.
    """
    ...


def seal_file(set_id: int, file_number: int, content: Buffer, *, sealer: ChunkSealer) -> list[Buffer]:
    """Return the buffers of the object of one small file: its chunks of up to 4 MiB each; one empty chunk if empty."""
    ...


def open_file(stored: Buffer, *, set_id: int, file_number: int, opener: ChunkOpener, name: str) -> bytes:
    """Return the content of a small file from its object's bytes. Raises CorruptionError when anything is wrong."""
    ...
