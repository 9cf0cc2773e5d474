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

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from holdfast.backup_format.digest import DIGEST_BYTES, DataKey, header_checksum
from holdfast.backup_format.payload import (
    NO_NONCE,
    TAG_BYTES,
    Cipher,
    Codec,
    PackedPayload,
    Packer,
    StoredPayload,
    Unpacker,
    seal_body,
)
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.buffers import Buffer, ReadAt

CHUNK_HEADER_BYTES = 96
CHUNK_PAYLOAD_BYTES_MAX = 4 << 20
"""Twice a macro block: what a reader must be ready to hold, whatever a header says."""

NO_HEAD_HASH = bytes(DIGEST_BYTES)
"""The head hash of what is not a macro block."""

_MAGIC = b"HFCK"
_VERSION = 1
_LAYOUT = struct.Struct("<4sBBBBIIQQII16s16sH")
_TAIL = struct.Struct("<12s2sQ")
_ASSOCIATED_BYTES = _LAYOUT.size
_CHECKED_BYTES = CHUNK_HEADER_BYTES - 8
assert _LAYOUT.size + _TAIL.size == CHUNK_HEADER_BYTES


class ChunkKind(IntEnum):
    """What a chunk holds."""

    MACRO_BLOCK = 1
    FILE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlace:
    """Where a chunk belongs.

    `offset`: of its header in the object. `block_id`: the macro block's index in the block file; of a file, the part's
    number from 0.
    """

    set_id: int
    object_number: int
    offset: int
    block_id: int
    kind: ChunkKind = ChunkKind.MACRO_BLOCK

    def text(self) -> str:
        """Return the place in words, for messages."""
        what = "block" if self.kind is ChunkKind.MACRO_BLOCK else "file part"
        return f"{what} {self.block_id} at offset {self.offset} of object {self.object_number} of set {self.set_id}"


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
    """A chunk ready to be written: `header_bytes`, then `body`.

    `body` may alias the payload it was made from: write it before the payload's buffer is used again.
    """

    header: ChunkHeader
    header_bytes: bytes
    body: Buffer

    @property
    def size_bytes(self) -> int:
        return len(self.header_bytes) + len(self.body)


class ChunkSealer:
    """Seals chunks on one thread: it owns a compressor, which is not safe to share."""

    def __init__(self, *, key: DataKey | None = None) -> None:
        self._packer = Packer(key)
        self._key = key

    def seal(self, place: ChunkPlace, payload: Buffer, *, head_hash: bytes, block_type: int = 0) -> SealedChunk:
        """Return the chunk of `payload` at `place`.

        `pack` and then `seal_packed`, for a thread that writes its own object and so knows the offset beforehand.
        Raises ValueError for a payload of more than CHUNK_PAYLOAD_BYTES_MAX.
        """
        return self.seal_packed(place, self.pack(payload), head_hash=head_hash, block_type=block_type)

    def pack(self, payload: Buffer) -> PackedPayload:
        """Return the payload compressed and digested: the expensive part, which needs no place.

        Raises ValueError for a payload of more than CHUNK_PAYLOAD_BYTES_MAX.
        """
        if len(payload) > CHUNK_PAYLOAD_BYTES_MAX:
            raise ValueError(f"a chunk holds at most {CHUNK_PAYLOAD_BYTES_MAX} bytes, not {len(payload)}")
        return self._packer.pack(payload)

    def seal_packed(
        self, place: ChunkPlace, packed: PackedPayload, *, head_hash: bytes, block_type: int = 0
    ) -> SealedChunk:
        """Return the chunk of a payload packed before (by this sealer or another with the same key): cheap."""
        sealed = self._key is not None
        associated = _LAYOUT.pack(
            _MAGIC,
            _VERSION,
            packed.codec,
            Cipher.AES_256_GCM if sealed else Cipher.NONE,
            place.kind,
            place.set_id,
            place.object_number,
            place.offset,
            place.block_id,
            packed.payload_size_bytes,
            len(packed.body) + (TAG_BYTES if sealed else 0),
            packed.digest,
            head_hash,
            block_type,
        )
        nonce, body = seal_body(packed, associated, self._key)
        checked = associated + nonce + bytes(2)
        header_bytes = checked + header_checksum(checked).to_bytes(8, "little")
        header = decode_chunk_header(header_bytes)
        assert header is not None
        assert header.place == place
        assert header.stored_size_bytes == len(body)
        return SealedChunk(header=header, header_bytes=header_bytes, body=body)


class ChunkOpener:
    """Opens chunks on one thread: it owns a decompressor, which is not safe to share."""

    def __init__(self, *, key: DataKey | None = None) -> None:
        self._unpacker = Unpacker(key)

    def open(self, header: ChunkHeader, stored: Buffer, *, place: ChunkPlace, name: str = "chunk") -> Buffer:
        """Return the payload, which has been checked to be what the chunk's digest says. May alias `stored`.

        Shape: `stored` are exactly the `stored_size_bytes` bytes behind the header.
        Raises CorruptionError when the chunk is not the one of `place` or its bytes are wrong, RefusedError (-9047)
        when it is encrypted and no key was given.
        """
        text = self._checked(header, stored, place, name)
        return self._unpacker.unpack(_stored_payload(header), stored, name=text)

    def open_used(self, header: ChunkHeader, stored: Buffer, *, place: ChunkPlace, name: str = "chunk") -> Buffer:
        """Return the payload without some or all of the zeros at its end, for a file that is sparse anyway.

        Everything is checked as in `open`, and nothing is copied when the chunk is stored as it is.
        """
        text = self._checked(header, stored, place, name)
        return self._unpacker.unpack_used(_stored_payload(header), stored, name=text)

    def _checked(self, header: ChunkHeader, stored: Buffer, place: ChunkPlace, name: str) -> str:
        """Return what messages call the chunk, after checking that it is the one of `place` and all there."""
        if header.place != place:
            raise CorruptionError(f"{name} holds another chunk: expected {place.text()}, found {header.place.text()}")
        if len(stored) != header.stored_size_bytes:
            raise CorruptionError(
                f"{name} at offset {place.offset} is cut short: expected {header.stored_size_bytes} bytes behind its "
                f"header, found {len(stored)}"
            )
        return f"{name}: {place.text()}"


def _stored_payload(header: ChunkHeader) -> StoredPayload:
    place = header.place
    associated = b""
    if header.cipher is not Cipher.NONE:
        associated = _LAYOUT.pack(
            _MAGIC,
            _VERSION,
            header.codec,
            header.cipher,
            place.kind,
            place.set_id,
            place.object_number,
            place.offset,
            place.block_id,
            header.payload_size_bytes,
            header.stored_size_bytes,
            header.digest,
            header.head_hash,
            header.block_type,
        )
    return StoredPayload(
        codec=header.codec,
        cipher=header.cipher,
        payload_size_bytes=header.payload_size_bytes,
        digest=header.digest,
        nonce=header.nonce,
        associated=associated,
    )


def seal_chunk(
    place: ChunkPlace, payload: Buffer, *, head_hash: bytes, block_type: int = 0, key: DataKey | None = None
) -> SealedChunk:
    """Return one sealed chunk; for many use a ChunkSealer."""
    return ChunkSealer(key=key).seal(place, payload, head_hash=head_hash, block_type=block_type)


def decode_chunk_header(buffer: Buffer, *, name: str = "chunk") -> ChunkHeader | None:
    """Return the checked header at the start of `buffer`, or None if more bytes are needed.

    Raises CorruptionError on a wrong magic, checksum or field, UnknownVersionError on another version, codec, cipher
    or kind. `name` is what messages call the object.
    """
    if len(buffer) < CHUNK_HEADER_BYTES:
        return None
    raw = bytes(memoryview(buffer)[:CHUNK_HEADER_BYTES])
    nonce, reserved, checksum = _TAIL.unpack_from(raw, _LAYOUT.size)
    if raw[:4] != _MAGIC:
        raise CorruptionError(f"{name} has no chunk header: expected magic {_MAGIC!r}, found {raw[:4]!r}")
    found = header_checksum(raw[:_CHECKED_BYTES])
    if found != checksum:
        raise CorruptionError(f"{name} has a wrong header checksum: expected {checksum:016x}, found {found:016x}")
    (
        _,
        version,
        codec,
        cipher,
        kind,
        set_id,
        object_number,
        offset,
        block_id,
        size,
        stored,
        digest,
        head,
        block_type,
    ) = _LAYOUT.unpack_from(raw)
    if version != _VERSION:
        raise UnknownVersionError(f"{name} has chunk version {version}, this build reads {_VERSION}")
    if codec > Codec.ZSTD or cipher > Cipher.AES_256_GCM or kind not in (ChunkKind.MACRO_BLOCK, ChunkKind.FILE):
        raise UnknownVersionError(
            f"{name} has codec {codec}, cipher {cipher}, kind {kind}: not all known to this build"
        )
    header = ChunkHeader(
        place=ChunkPlace(
            set_id=set_id, object_number=object_number, offset=offset, block_id=block_id, kind=ChunkKind(kind)
        ),
        codec=Codec(codec),
        cipher=Cipher(cipher),
        payload_size_bytes=size,
        stored_size_bytes=stored,
        digest=digest,
        head_hash=head,
        block_type=block_type,
        nonce=nonce,
    )
    tag_bytes = 0 if header.cipher is Cipher.NONE else TAG_BYTES
    if not tag_bytes <= stored <= size + tag_bytes or size > CHUNK_PAYLOAD_BYTES_MAX:
        raise CorruptionError(f"{name} has impossible sizes: {size} bytes stored in {stored}")
    if any(reserved) or (header.cipher is Cipher.NONE and nonce != NO_NONCE):
        raise CorruptionError(f"{name} has bytes set that must be zero")
    return header


def open_chunk(
    header: ChunkHeader, stored: Buffer, *, place: ChunkPlace, key: DataKey | None = None, name: str = "chunk"
) -> Buffer:
    """Return one payload; for many use a ChunkOpener."""
    return ChunkOpener(key=key).open(header, stored, place=place, name=name)


def walk_chunks(read: ReadAt, size_bytes: int, *, set_id: int, object_number: int, name: str) -> Iterator[ChunkHeader]:
    """Yield the header of every chunk of an object of `size_bytes`, in order. Only headers are read.

    Raises CorruptionError when a header is not that of its place or the last chunk does not end with the object.
    """
    offset = 0
    while offset < size_bytes:
        header = decode_chunk_header(read(offset, CHUNK_HEADER_BYTES), name=f"{name} at offset {offset}")
        if header is None:
            raise CorruptionError(f"{name} ends inside the chunk header at offset {offset}: it has {size_bytes} bytes")
        place = header.place
        if (place.set_id, place.object_number, place.offset) != (set_id, object_number, offset):
            raise CorruptionError(
                f"{name} holds a chunk of another place at offset {offset} of object {object_number} of set {set_id}: "
                f"found {place.text()}"
            )
        offset = header.end_offset
        if offset > size_bytes:
            raise CorruptionError(f"{name} ends inside {place.text()}: it has {size_bytes} bytes, expected {offset}")
        yield header


def seal_file(set_id: int, file_number: int, content: Buffer, *, sealer: ChunkSealer) -> list[Buffer]:
    """Return the buffers of the object of one small file: its chunks of up to 4 MiB each; one empty chunk if empty."""
    whole = memoryview(content)
    buffers: list[Buffer] = []
    offset = 0
    for number, start in enumerate(range(0, max(len(whole), 1), CHUNK_PAYLOAD_BYTES_MAX)):
        place = ChunkPlace(
            set_id=set_id, object_number=file_number, offset=offset, block_id=number, kind=ChunkKind.FILE
        )
        chunk = sealer.seal(place, whole[start : start + CHUNK_PAYLOAD_BYTES_MAX], head_hash=NO_HEAD_HASH)
        buffers += [chunk.header_bytes, chunk.body]
        offset = chunk.header.end_offset
    return buffers


def open_file(stored: Buffer, *, set_id: int, file_number: int, opener: ChunkOpener, name: str) -> bytes:
    """Return the content of a small file from its object's bytes. Raises CorruptionError when anything is wrong."""
    whole = memoryview(stored)
    parts: list[Buffer] = []
    headers = walk_chunks(
        lambda offset, size_bytes: whole[offset : offset + size_bytes],
        len(whole),
        set_id=set_id,
        object_number=file_number,
        name=name,
    )
    for number, header in enumerate(headers):
        place = ChunkPlace(
            set_id=set_id,
            object_number=file_number,
            offset=header.place.offset,
            block_id=number,
            kind=ChunkKind.FILE,
        )
        body = whole[place.offset + CHUNK_HEADER_BYTES : header.end_offset]
        parts.append(opener.open(header, body, place=place, name=name))
    if not parts:
        raise CorruptionError(f"{name} is empty: expected at least one chunk")
    return b"".join(parts)
