"""A log block: one 64 MiB file of the log, a 4 KiB info block and then log groups without a gap.

Block N covers the LSNs [N * LOG_DATA_BYTES, (N + 1) * LOG_DATA_BYTES). Its file always has its full size: what is not
written yet is zero. A new file is first seen with an all-zero info block; within about 40 ms of the first write into
it the info block is filled, and then never changes.

The info block, big-endian, 48 bytes used, zeros behind:

| offset | type | field                                                           |
| ------ | ---- | --------------------------------------------------------------- |
| 0      | i16  | magic 0x4942 ("IB")                                             |
| 2      | i16  | version 1                                                       |
| 4      | i32  | flag, 0                                                         |
| 8      | i64  | first LSN of the block                                          |
| 16     | i64  | min SCN: no group of the block has a smaller max SCN            |
| 24     | i64  | max SCN, -1 for unknown (nothing else was ever seen)            |
| 32     | i64  | block id                                                        |
| 40     | i64  | raw CRC of the 40 bytes above, laid out little-endian           |
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

LOG_BLOCK_BYTES: Final = 64 << 20
LOG_INFO_BYTES: Final = 4096
LOG_DATA_BYTES: Final = LOG_BLOCK_BYTES - LOG_INFO_BYTES

_INFO: Final = Struct(">hhiqqqqq")
_INFO_SUMMED: Final = Struct("<hhiqqqq")
_MAGIC: Final = 0x4942
_VERSION: Final = 1
_SCN_UNKNOWN: Final = -1


def block_id_of(lsn: int) -> int:
    """Return the number of the block, and so the name of the file, that holds `lsn`."""
    return lsn // LOG_DATA_BYTES


def file_offset_of(lsn: int) -> int:
    """Return where `lsn` lies in its block's file, in bytes."""
    return lsn % LOG_DATA_BYTES + LOG_INFO_BYTES


def first_lsn_of(block_id: int) -> Lsn:
    """Return the LSN of the first group of a block."""
    return Lsn(block_id * LOG_DATA_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoBlock:
    """What a block's file says of itself. `max_scn` is None where the engine wrote -1, which is its habit."""

    block_id: int
    min_lsn: Lsn
    min_scn: Scn
    max_scn: Scn | None = None


def decode_info_block(buffer: Bytes) -> InfoBlock | None:
    """Return the checked info block at the start of a log file, or None if it is not written yet (all zero).

    Shape: LOG_INFO_BYTES or more; what follows the info block is not looked at.
    Raises CorruptionError on too few bytes, a wrong magic, checksum or place, or bytes behind the fields that are not
    zero; UnknownVersionError on any version but 1 and on a flag.
    Source: measured on a running engine, tests/golden/engine.
    """
    info = bytes(memoryview(buffer)[:LOG_INFO_BYTES])
    if len(info) < LOG_INFO_BYTES:
        raise CorruptionError(f"log info block: {len(info)} bytes, expected {LOG_INFO_BYTES}")
    if not any(info):
        return None
    magic, version, flag, min_lsn, min_scn, max_scn, block_id, checksum = _INFO.unpack_from(info)
    if magic != _MAGIC:
        raise CorruptionError(f"log info block: magic {magic & 0xFFFF:#06x}, expected {_MAGIC:#06x}")
    expected = raw_crc(_INFO_SUMMED.pack(magic, version, flag, min_lsn, min_scn, max_scn, block_id))
    if version == _VERSION and checksum != expected:
        raise CorruptionError(f"log info block: checksum {checksum:#x}, expected {expected:#x}")
    if version != _VERSION or flag:
        raise UnknownVersionError(
            f"log info block: version {version}, flag {flag:#x}; this build reads version {_VERSION} without flags",
            hint="use a Holdfast that knows this engine",
        )
    if min_lsn != first_lsn_of(block_id) or min_scn < 0 or max_scn < _SCN_UNKNOWN or any(info[_INFO.size :]):
        raise CorruptionError(
            f"log info block: block {block_id}, first lsn {min_lsn} (expected {first_lsn_of(block_id)}), "
            f"min scn {min_scn}, max scn {max_scn}: not what the engine writes"
        )
    return InfoBlock(
        block_id=block_id,
        min_lsn=Lsn(min_lsn),
        min_scn=Scn(min_scn),
        max_scn=None if max_scn == _SCN_UNKNOWN else Scn(max_scn),
    )


def encode_info_block(info: InfoBlock) -> bytes:
    """Return the LOG_INFO_BYTES of an info block, as the engine writes it."""
    fields = (
        _MAGIC,
        _VERSION,
        0,
        info.min_lsn,
        info.min_scn,
        _SCN_UNKNOWN if info.max_scn is None else info.max_scn,
        info.block_id,
    )
    return _INFO.pack(*fields, raw_crc(_INFO_SUMMED.pack(*fields))).ljust(LOG_INFO_BYTES, b"\0")
