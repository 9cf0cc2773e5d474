"""The super block: what `block_file` says of itself, in identical macro blocks 0 and 1.

Header, little-endian, 16 bytes; the body follows, then zeros:

| offset | type | field                        |
| ------ | ---- | ---------------------------- |
| 0      | i32  | version 1                    |
| 4      | i32  | magic 1018                   |
| 8      | i32  | size of the body             |
| 12     | u32  | raw CRC of the body          |

The body is serialised: version 1 and the size of what follows, then create time, modify time, macro block size, number
of blocks and file size as varints (7 bits a byte, lowest first), then the slog replay start as three big-endian i64
(file id, sequence, offset). What follows (the entry of the metadata list) is not read here.
Source: the fields, oceanbase/seekdb src/storage/ob_super_block_struct.cpp; the bytes, measured, tests/golden/engine.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.errors import CorruptionError, UnknownVersionError

SUPER_BLOCK_COUNT: Final = 2

_HEADER: Final = Struct("<iiiI")
_VERSION: Final = 1
_MAGIC: Final = 1018
_BODY_VERSION: Final = 1
_BODY_BYTES_MAX: Final = 65536 - _HEADER.size  # the engine's own bound for header and body together
_CURSOR: Final = Struct(">qqq")
_VARINT_BYTES_MAX: Final = 10  # 64 bits, 7 in each byte


@dataclass(frozen=True, slots=True, kw_only=True)
class SlogCursor:
    """A place in the server's slog: `offset` in bytes within file `file_id`."""

    file_id: int
    sequence: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperBlock:
    """What block_file says of itself. `slog_start`: where the engine begins to replay the server's slog."""

    create_time_us: int
    modify_time_us: int
    macro_block_size_bytes: int
    block_count: int
    file_size_bytes: int
    slog_start: SlogCursor


def decode_super_block(block: Bytes) -> SuperBlock:
    """Return the checked super block at the start of macro block 0 or 1; what lies behind its body is not looked at.

    Raises CorruptionError if bytes are missing, on a wrong magic or checksum and on a body that contradicts itself,
    UnknownVersionError on another version.
    """
    if len(block) < _HEADER.size:
        raise CorruptionError(f"super block: {len(block)} bytes, expected {_HEADER.size} or more")
    version, magic, size, checksum = _HEADER.unpack_from(block)
    if magic != _MAGIC:
        raise CorruptionError(f"super block: magic {magic}, expected {_MAGIC}")
    if version != _VERSION:
        raise _unknown(f"super block: version {version}; this build reads version {_VERSION}")
    if not 0 < size <= _BODY_BYTES_MAX or len(block) < _HEADER.size + size:
        raise CorruptionError(f"super block: body of {size} bytes in {len(block)}")
    body = bytes(memoryview(block)[_HEADER.size : _HEADER.size + size])
    found = raw_crc(body)
    if found != checksum:
        raise CorruptionError(f"super block: body checksum {found:#x}, expected {checksum:#x}")
    return _decode_body(body)


def _decode_body(body: bytes) -> SuperBlock:
    version, at = _varint(body, 0)
    if version != _BODY_VERSION:
        raise _unknown(f"super block: body version {version}; this build reads version {_BODY_VERSION}")
    size, at = _varint(body, at)
    if size != len(body) - at:
        raise CorruptionError(f"super block: body says {size} bytes follow, {len(body) - at} do")
    create_time_us, at = _varint(body, at)
    modify_time_us, at = _varint(body, at)
    macro_block_size_bytes, at = _varint(body, at)
    block_count, at = _varint(body, at)
    file_size_bytes, at = _varint(body, at)
    if len(body) - at < _CURSOR.size:
        raise CorruptionError(f"super block: {len(body) - at} bytes left for the slog replay start")
    file_id, sequence, offset = _CURSOR.unpack_from(body, at)
    if not block_count * macro_block_size_bytes == file_size_bytes > 0 or min(file_id, sequence, offset) < 0:
        raise CorruptionError(
            f"super block: {block_count} blocks of {macro_block_size_bytes} bytes in a file of {file_size_bytes}, slog "
            f"start {file_id} {sequence} {offset}"
        )
    return SuperBlock(
        create_time_us=create_time_us,
        modify_time_us=modify_time_us,
        macro_block_size_bytes=macro_block_size_bytes,
        block_count=block_count,
        file_size_bytes=file_size_bytes,
        slog_start=SlogCursor(file_id=file_id, sequence=sequence, offset=offset),
    )


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """Return the varint at `at` and the offset behind it. The engine pads sizes with empty groups of 7 bits."""
    value = 0
    for count, byte in enumerate(body[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    raise CorruptionError(f"super block: no number ends within {_VARINT_BYTES_MAX} bytes at offset {at} of the body")


def _unknown(message: str) -> UnknownVersionError:
    return UnknownVersionError(message, hint="use a Holdfast that knows this engine")
