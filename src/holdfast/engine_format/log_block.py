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

That is engine 1.4. Engine 1.3 writes, under the same version 1, the log stream's id (always 1) at offset 40 and the CRC,
of the 48 bytes above it, at offset 48. The checksum tells them apart: it can be right in one of the two places only.
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
_OLD_INFO: Final = Struct(">hhiqqqqqq")
_OLD_INFO_SUMMED: Final = Struct("<hhiqqqqq")
_LOG_STREAM_ID: Final = 1
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
    """What a block's file says of itself. `max_scn` is None where the engine wrote -1, which is its habit.

    `log_stream_id`: what engine 1.3 writes, None in the form of 1.4, which has no such field.
    """

    block_id: int
    min_lsn: Lsn
    min_scn: Scn
    max_scn: Scn | None = None
    log_stream_id: int | None = None


def decode_info_block(buffer: Bytes) -> InfoBlock | None:
    """Return the checked info block at the start of a log file, or None if it is not written yet (all zero).

    Shape: LOG_INFO_BYTES or more; what follows the info block is not looked at.
    Raises CorruptionError on too few bytes, a wrong magic, checksum or place, or bytes behind the fields that are not
    zero; UnknownVersionError on any version but 1, on a flag, and on a log stream other than 1.
    Source: measured on running engines, tests/golden/engine and engine_1.3.0.
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
    log_stream_id, used_bytes = None, _INFO.size
    if version == _VERSION and checksum != expected:
        if not _is_old_info(info):
            raise CorruptionError(f"log info block: checksum {checksum:#x}, expected {expected:#x}")
        log_stream_id, used_bytes = checksum, _OLD_INFO.size
    if version != _VERSION or flag or log_stream_id not in (None, _LOG_STREAM_ID):
        raise UnknownVersionError(
            f"log info block: version {version}, flag {flag:#x}, log stream {log_stream_id}; this build reads version "
            f"{_VERSION} without flags, of log stream {_LOG_STREAM_ID}",
            hint="use a Holdfast that knows this engine",
        )
    if min_lsn != first_lsn_of(block_id) or min_scn < 0 or max_scn < _SCN_UNKNOWN or any(info[used_bytes:]):
        raise CorruptionError(
            f"log info block: block {block_id}, first lsn {min_lsn} (expected {first_lsn_of(block_id)}), "
            f"min scn {min_scn}, max scn {max_scn}: not what the engine writes"
        )
    return InfoBlock(
        block_id=block_id,
        min_lsn=Lsn(min_lsn),
        min_scn=Scn(min_scn),
        max_scn=None if max_scn == _SCN_UNKNOWN else Scn(max_scn),
        log_stream_id=log_stream_id,
    )


def _is_old_info(info: bytes) -> bool:
    """Return whether the checksum is right where engine 1.3 writes it."""
    *summed, checksum = _OLD_INFO.unpack_from(info)
    return bool(checksum == raw_crc(_OLD_INFO_SUMMED.pack(*summed)))


def encode_info_block(info: InfoBlock) -> bytes:
    """Return the LOG_INFO_BYTES of an info block, as the engine writes it: 1.3 if there is a log stream id, else 1.4."""
    fields = (
        _MAGIC,
        _VERSION,
        0,
        info.min_lsn,
        info.min_scn,
        _SCN_UNKNOWN if info.max_scn is None else info.max_scn,
        info.block_id,
    )
    if info.log_stream_id is not None:
        old = (*fields, info.log_stream_id)
        return _OLD_INFO.pack(*old, raw_crc(_OLD_INFO_SUMMED.pack(*old))).ljust(LOG_INFO_BYTES, b"\0")
    return _INFO.pack(*fields, raw_crc(_INFO_SUMMED.pack(*fields))).ljust(LOG_INFO_BYTES, b"\0")
