"""A log block: one 64 MiB file of the log, a 4 KiB info block and then log groups without a gap.

Block N covers the LSNs [N * LOG_DATA_BYTES, (N + 1) * LOG_DATA_BYTES). Its file always has its full size: what is not
written yet is zero.

The info block, big-endian, 56 bytes used:

| offset | type | field                                                                |
| ------ | ---- | -------------------------------------------------------------------- |
| 0      | i16  | magic 0x4942 ("IB")                                                  |
| 2      | i16  | version 1                                                            |
| 4      | i32  | flag                                                                 |
| 8      | i64  | first LSN of the block                                               |
| 16     | i64  | SCN below which nothing in the block lies                            |
| 24     | i64  | max SCN, -1 while unknown (it was never seen to be anything else)     |
| 32     | i64  | block id                                                             |
| 40     | i64  | checksum: raw CRC of the 40 bytes above, laid out little-endian      |
"""

from dataclasses import dataclass
from typing import Final

from holdfast.engine_format.checksum import Bytes
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

LOG_BLOCK_BYTES: Final = 64 << 20
LOG_INFO_BYTES: Final = 4096
LOG_DATA_BYTES: Final = LOG_BLOCK_BYTES - LOG_INFO_BYTES


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
    max_scn: Scn | None


def decode_info_block(buffer: Bytes) -> InfoBlock | None:
    """Return the checked info block at the start of a log file, or None if it is not written yet (all zero)."""
    raise NotImplementedError
