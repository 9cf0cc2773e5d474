"""The slog: the engine's journal of its metadata. A file is a run of batches of entries, without a gap.

All big-endian. Batch header, 24 bytes:

| offset | type | field                                            |
| ------ | ---- | ------------------------------------------------ |
| 0      | u16  | magic 0xAABB                                     |
| 2      | i16  | version 1                                        |
| 4      | i16  | header size, 24                                  |
| 6      | i16  | number of entries                                |
| 8      | i32  | 0                                                |
| 12     | i32  | size of the entries                              |
| 16     | u64  | raw CRC of the entries                           |

Entry header, 48 bytes, then data:

| offset | type | field                                            |
| ------ | ---- | ------------------------------------------------ |
| 0      | u16  | magic 0xAAAA                                     |
| 2      | i16  | version 1                                        |
| 4      | i16  | header size, 48                                  |
| 6      | i16  | 0                                                |
| 8      | i32  | command; 0x10001 does nothing                    |
| 12     | i32  | size of the data                                 |
| 16     | u64  | sequence, rising; 0 in an entry that does nothing |
| 24     | i64  | time, microseconds                               |
| 32     | u64  | raw CRC of the data                              |
| 40     | u64  | raw CRC of the 40 bytes above, little-endian     |

The file's size is a multiple of 4 KiB: an entry that does nothing fills the last page, which is written anew when a
batch is appended.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.errors import CorruptionError, UnknownVersionError

_BATCH: Final = Struct(">HhhhiiQ")
_BATCH_MAGIC: Final = 0xAABB
_BATCH_VERSION: Final = 1
_ENTRY: Final = Struct(">HhhhiiQqQQ")
_ENTRY_SUMMED: Final = Struct("<HhhhiiQqQ")
_ENTRY_MAGIC: Final = 0xAAAA
_ENTRY_VERSION: Final = 1
_NOTHING: Final = 0x10001


@dataclass(frozen=True, slots=True, kw_only=True)
class SlogWalk:
    """What a slog file holds. `last_sequence` is None if no entry does anything; `end_offset` lies behind the last batch."""

    batch_count: int
    last_sequence: int | None
    end_offset: int


def walk_slog(buffer: Bytes) -> SlogWalk:
    """Return what a whole slog file holds, every batch and entry verified. Zeros behind the last batch are no part of it.

    Raises CorruptionError on anything that is not whole, which in a copy of a live file means: copy it again;
    UnknownVersionError on another version.
    Source: measured on a running engine, tests/golden/engine.
    """
    view = memoryview(buffer)
    at = batch_count = 0
    sequence: int | None = None
    while at < len(view):
        if len(view) - at < _BATCH.size or not (view[at] or view[at + 1]):
            if any(view[at:]):
                raise CorruptionError(f"slog batch at offset {at}: no header, and the bytes behind it are not zero")
            break
        end, count = _check_batch(view, at)
        sequence = _check_entries(view, at + _BATCH.size, end, count, sequence)
        at = end
        batch_count += 1
    return SlogWalk(batch_count=batch_count, last_sequence=sequence, end_offset=at)


def _check_batch(view: memoryview, at: int) -> tuple[int, int]:
    """Return the offset behind the batch at `at` and the number of its entries."""
    magic, version, header_size, count, reserved, size, checksum = _BATCH.unpack_from(view, at)
    if magic != _BATCH_MAGIC:
        raise CorruptionError(f"slog batch at offset {at}: magic {magic:#06x}, expected {_BATCH_MAGIC:#06x}")
    if version != _BATCH_VERSION or header_size != _BATCH.size:
        raise _unknown("batch", at, version, header_size)
    end = at + _BATCH.size + size
    if count <= 0 or size <= 0 or reserved or end > len(view):
        raise CorruptionError(
            f"slog batch at offset {at}: {count} entries of {size} bytes, reserved {reserved}, {len(view) - at} bytes left"
        )
    found = raw_crc(view[at + _BATCH.size : end])
    if found != checksum:
        raise CorruptionError(f"slog batch at offset {at}: checksum {found:#x}, expected {checksum:#x}")
    return end, count


def _check_entries(view: memoryview, at: int, end: int, count: int, sequence: int | None) -> int | None:
    """Check the `count` entries that must fill `view[at:end]`; return the last sequence of one that does something."""
    for _ in range(count):
        data = at + _ENTRY.size
        if data > end:
            raise CorruptionError(f"slog entry at offset {at}: {end - at} bytes left in its batch")
        *summed, checksum = _ENTRY.unpack_from(view, at)
        magic, version, header_size, reserved, command, size, entry_sequence, _, data_checksum = summed
        if magic != _ENTRY_MAGIC:
            raise CorruptionError(f"slog entry at offset {at}: magic {magic:#06x}, expected {_ENTRY_MAGIC:#06x}")
        if version != _ENTRY_VERSION or header_size != _ENTRY.size:
            raise _unknown("entry", at, version, header_size)
        found = raw_crc(_ENTRY_SUMMED.pack(*summed))
        if found != checksum or reserved or size < 0 or data + size > end:
            raise CorruptionError(
                f"slog entry at offset {at}: header checksum {found:#x}, expected {checksum:#x}; {size} bytes of data"
            )
        found = raw_crc(view[data : data + size])
        if found != data_checksum:
            raise CorruptionError(f"slog entry at offset {at}: data checksum {found:#x}, expected {data_checksum:#x}")
        if command != _NOTHING:
            if sequence is not None and entry_sequence <= sequence:
                raise CorruptionError(f"slog entry at offset {at}: sequence {entry_sequence} not above {sequence}")
            sequence = entry_sequence
        at = data + size
    if at != end:
        raise CorruptionError(f"slog batch: its entries end at offset {at}, expected {end}")
    return sequence


def _unknown(what: str, at: int, version: int, header_size: int) -> UnknownVersionError:
    return UnknownVersionError(
        f"slog {what} at offset {at}: version {version}, header of {header_size} bytes; this build reads version 1",
        hint="use a Holdfast that knows this engine",
    )
