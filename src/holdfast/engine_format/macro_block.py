"""Macro blocks: the 2 MiB blocks of `block_file`, and how each kind lives, which decides how it is copied.

The common header, little-endian, 24 bytes:

| offset | type | field                                          |
| ------ | ---- | ---------------------------------------------- |
| 0      | i32  | header size, 24                                |
| 4      | i32  | version 1                                      |
| 8      | i32  | magic 1001                                     |
| 12     | i32  | type                                           |
| 16     | i32  | payload size, 0 for the shared types           |
| 20     | u32  | raw CRC of the payload, which begins at 24     |

Write-once blocks are written whole, and reused only with another first page: a changed block shows in its head.
Shared blocks gain data in place with an unchanged head, and have no checksum: they are copied in every pass. Blocks
0 and 1 are the super blocks. A block that was freed keeps its old header and a right checksum; only one never used is
recognisable, by its zeros.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Final, TypeAlias

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.engine_format.super_block import SUPER_BLOCK_COUNT, decode_super_block
from holdfast.errors import CorruptionError, UnknownVersionError

MACRO_BLOCK_BYTES: Final = 2 << 20
HEAD_BYTES: Final = 4096

_HEADER: Final = Struct("<iiiiiI")
_VERSION: Final = 1
_MAGIC: Final = 1001
_NO_HEAD: Final = bytes(HEAD_BYTES)
_NO_BLOCK: Final = bytes(MACRO_BLOCK_BYTES)


class BlockKind(Enum):
    """How a block lives, which decides how it is copied."""

    SUPER = "one of the first two blocks: rewritten in place, with a checksum of its own"
    FREE = "never used: all zero"
    WRITE_ONCE = "written once, with a checksum of the payload"
    SHARED = "appended in place, without a checksum"


BlockKinds: TypeAlias = Mapping[int, BlockKind]
"""What each type of an engine's macro blocks is: the same header version numbers them differently from release to release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHead:
    """One block's head. `type` is 0 for SUPER and FREE; payload size and checksum are 0 unless `kind` is WRITE_ONCE."""

    kind: BlockKind
    type: int
    payload_size_bytes: int
    payload_checksum: int


_SUPER_HEAD: Final = BlockHead(kind=BlockKind.SUPER, type=0, payload_size_bytes=0, payload_checksum=0)
_FREE_HEAD: Final = BlockHead(kind=BlockKind.FREE, type=0, payload_size_bytes=0, payload_checksum=0)


def decode_block_head(block_id: int, head: Bytes, kinds: BlockKinds) -> BlockHead:
    """Return the head of block `block_id`, whose first HEAD_BYTES (or more) are `head`, of an engine with these `kinds`.

    A block of a live file may be caught half written: on CorruptionError read it again.
    Raises CorruptionError if bytes are missing, on a wrong magic, and on a payload that can not be; UnknownVersionError
    on another header version and on a type that is not known to be safe to copy in either way.
    Source: measured on a running engine, tests/golden/engine.
    """
    if len(head) < HEAD_BYTES:
        raise CorruptionError(f"macro block {block_id}: head of {len(head)} bytes, expected {HEAD_BYTES}")
    if block_id < SUPER_BLOCK_COUNT:
        return _SUPER_HEAD
    header_size, version, magic, type_, payload_size, payload_checksum = _HEADER.unpack_from(head)
    if magic != _MAGIC:
        if bytes(memoryview(head)[:HEAD_BYTES]) == _NO_HEAD:
            return _FREE_HEAD
        raise CorruptionError(f"macro block {block_id}: magic {magic}, expected {_MAGIC}")
    kind = kinds.get(type_)
    if version != _VERSION or header_size != _HEADER.size or kind is None:
        raise UnknownVersionError(
            f"macro block {block_id}: version {version}, header of {header_size} bytes, type {type_}; this build knows "
            f"version {_VERSION}, {_HEADER.size} bytes, types 1 to {max(kinds)} in this engine",
            hint="use a Holdfast that knows this engine",
        )
    if kind is BlockKind.SHARED:
        # Their payload fields are not kept by the engine: the size is 0, the checksum is whatever was there.
        return BlockHead(kind=kind, type=type_, payload_size_bytes=0, payload_checksum=0)
    if not 0 < payload_size <= MACRO_BLOCK_BYTES - _HEADER.size:
        raise CorruptionError(
            f"macro block {block_id}: payload of {payload_size} bytes, expected 1 to {MACRO_BLOCK_BYTES - _HEADER.size}"
        )
    return BlockHead(kind=kind, type=type_, payload_size_bytes=payload_size, payload_checksum=payload_checksum)


def is_block_whole(head: BlockHead, block: Bytes) -> bool:
    """Return whether `block`, read together with `head`, carries what its kind can prove.

    Shape: MACRO_BLOCK_BYTES; a shorter one is not whole. WRITE_ONCE: the payload matches its checksum. SUPER: its own
    checksum holds. FREE: all zero. SHARED: nothing can be proved, so True.
    """
    if len(block) != MACRO_BLOCK_BYTES:
        return False
    match head.kind:
        case BlockKind.SHARED:
            return True
        case BlockKind.FREE:
            return block == _NO_BLOCK
        case BlockKind.SUPER:
            try:
                decode_super_block(block)
            except CorruptionError:
                return False
            return True
        case BlockKind.WRITE_ONCE:
            payload = memoryview(block)[_HEADER.size : _HEADER.size + head.payload_size_bytes]
            return raw_crc(payload) == head.payload_checksum
