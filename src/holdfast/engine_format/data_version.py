"""`etc/seekdb.data_version.bin`: the version of the engine's data, in one record.

Record header, big-endian, 32 bytes:

| offset | type | field                            |
| ------ | ---- | -------------------------------- |
| 0      | u16  | magic 0xBEDE                     |
| 2      | i16  | header size, 32                  |
| 4      | i16  | version 2, in engine 1.3: 1      |
| 6      | u16  | checksum of the header           |
| 8      | i64  | time, 0                          |
| 16     | i32  | size of the text                 |
| 20     | i32  | the same: it is not compressed   |
| 24     | i64  | raw CRC of the text              |

The text is `1.4.0.0 4295229440` and a newline (engine 1.4.0), in a record of version 1 (engine 1.3.0)
`1: 1.3.0.0 4295163904 0 0` and a newline. All 16-bit words of the header, its checksum among them,
XOR to 0xFFFF: to 0 in the engine, which first extends the negative magic to 64 bits. The number is the four numbers in one:
the first times 2^32, the others one octet each, of which the last is the lowest.
Source: oceanbase/seekdb src/common/ob_record_header.cpp; tests/golden/engine and engine_1.3.0.
"""

import re
from dataclasses import dataclass
from struct import Struct
from typing import Final

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.errors import CorruptionError, UnknownVersionError

_HEADER: Final = Struct(">HhhHqiiq")
_HEADER_WORDS: Final = Struct(">16H")
_MAGIC: Final = 0xBEDE
_VERSION: Final = 2
_VERSION_1: Final = 1
_TEXT_BYTES_MAX: Final = 4096  # the known text has 19; a bound for a size that is wrong
_SHOWN_BYTES_MAX: Final = 80  # of a text that is not known, in a message
FILE_BYTES_MAX: Final = _HEADER.size + _TEXT_BYTES_MAX
"""A longer file is no data version: read one byte more than this, and no further."""
_TEXT_OF_VERSION: Final = {
    _VERSION: re.compile(rb"(\d+\.\d+\.\d+\.\d+) (\d{1,20})\n", re.ASCII),
    _VERSION_1: re.compile(rb"1: (\d+\.\d+\.\d+\.\d+) (\d{1,20}) 0 0\n", re.ASCII),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataVersion:
    """All that the file says: four numbers such as `1.4.0.0`, the number beside them, and the version of the record."""

    text: str
    number: int
    record_version: int


def decode_data_version(buffer: Bytes) -> DataVersion:
    """Return the engine's data version from the bytes of the whole file. Whether it is known, `layout.judge` says.

    Raises CorruptionError on anything not whole, UnknownVersionError on another record version and on a text of another
    form than its record version has.
    Source: measured on running engines, tests/golden/engine and engine_1.3.0.
    """
    if len(buffer) < _HEADER.size:
        raise CorruptionError(f"data version: {len(buffer)} bytes, expected {_HEADER.size} or more")
    magic, header_size, version, _, _, size, stored_size, checksum = _HEADER.unpack_from(buffer)
    if magic != _MAGIC:
        raise CorruptionError(f"data version: magic {magic:#06x}, expected {_MAGIC:#06x}")
    known = _TEXT_OF_VERSION.get(version)
    if known is None or header_size != _HEADER.size:
        raise UnknownVersionError(
            f"data version: record version {version}, header of {header_size} bytes; this build reads versions 1 and 2",
            hint="use a Holdfast that knows this engine",
        )
    parity = 0
    for word in _HEADER_WORDS.unpack_from(buffer):
        parity ^= word
    text = bytes(memoryview(buffer)[_HEADER.size :])
    if parity != 0xFFFF or size != stored_size or size != len(text) or size > _TEXT_BYTES_MAX:
        raise CorruptionError(f"data version: header parity {parity:#06x}, text of {size} bytes, found {len(text)}")
    found = raw_crc(text)
    if found != checksum:
        raise CorruptionError(f"data version: checksum {found:#x}, expected {checksum:#x}")
    match = known.fullmatch(text)
    if match is None:
        raise UnknownVersionError(
            f"data version: unknown text {text[:_SHOWN_BYTES_MAX]!r}", hint="use a Holdfast that knows this engine"
        )
    return DataVersion(text=match[1].decode("ascii"), number=int(match[2]), record_version=version)
