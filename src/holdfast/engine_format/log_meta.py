"""The log's own metadata: one file of 4 KiB pages, one more page for each change, the last valid one counts.

A `log_stream/meta` file is laid out like a log block: an info block, then pages, then zeros. The info block is not read:
its LSN was seen to lie a block ahead of the log, and nothing depends on it. A page, big-endian:

| offset | type | field                                                        |
| ------ | ---- | ------------------------------------------------------------ |
| 0      | i16  | magic 0x4C4D ("LM")                                          |
| 2      | i16  | version 1                                                    |
| 4      | i32  | size of the body, 4072                                       |
| 8      | i64  | checksum of the body: its raw CRC                            |
| 16     | i64  | raw CRC of the 16 bytes above, laid out little-endian        |
| 24     | ...  | the body; at offset 56 of the page: i64 base LSN             |
"""

from struct import Struct
from typing import Final

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.engine_format.log_block import LOG_DATA_BYTES, LOG_INFO_BYTES
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.lsn import Lsn

META_PAGE_BYTES: Final = 4096

_HEADER: Final = Struct(">hhiqq")
_HEADER_SUMMED: Final = Struct("<hhiq")
_BASE_LSN: Final = Struct(">q")
_BASE_LSN_OFFSET: Final = 56
_MAGIC: Final = 0x4C4D
_VERSION: Final = 1
_NO_PAGE: Final = bytes(META_PAGE_BYTES)
_BODY_BYTES: Final = META_PAGE_BYTES - _HEADER.size


def base_lsn(meta_file_bytes: Bytes) -> Lsn | None:
    """Return the base LSN in the last valid page of a `log_stream/meta` file, None if it holds no page yet.

    Shape: the file from its info block on; it may end anywhere behind its last page. The base LSN is always a block's
    first: replay starts there, so that block is the oldest one needed. It only grows.
    Pages end at the first one that is all zero. A last page that fails its checksum (caught while it was written) is
    passed over: the one before it is a safe, lower bound.
    Raises CorruptionError if a page fails its checksum with a valid page behind it, if no page is valid, or if the base
    LSN is no block's first or falls; UnknownVersionError on any page version but 1.
    """
    view = memoryview(meta_file_bytes)
    found: Lsn | None = None
    broken_at: int | None = None
    for at in range(LOG_INFO_BYTES, len(view) - META_PAGE_BYTES + 1, META_PAGE_BYTES):
        page = bytes(view[at : at + META_PAGE_BYTES])
        if page == _NO_PAGE:
            break
        if not _is_whole(page):
            broken_at = at if broken_at is None else broken_at
            continue
        if broken_at is not None:
            raise CorruptionError(f"log meta page at offset {broken_at}: wrong checksum, valid pages behind it")
        lsn = Lsn(_BASE_LSN.unpack_from(page, _BASE_LSN_OFFSET)[0])
        if lsn % LOG_DATA_BYTES or lsn < (found or 0):
            raise CorruptionError(
                f"log meta page at offset {at}: base lsn {lsn}, expected a block's first, {found} or more"
            )
        found = lsn
    if found is None and broken_at is not None:
        raise CorruptionError(f"log meta page at offset {broken_at}: wrong checksum, and no valid page before it")
    return found


def _is_whole(page: bytes) -> bool:
    fields: tuple[int, int, int, int, int] = _HEADER.unpack_from(page)
    magic, version, size, checksum, header_checksum = fields
    if magic != _MAGIC or header_checksum != raw_crc(_HEADER_SUMMED.pack(magic, version, size, checksum)):
        return False
    if version != _VERSION or size != _BODY_BYTES:
        raise UnknownVersionError(
            f"log meta page: version {version}, body of {size} bytes; this build reads version {_VERSION}, {_BODY_BYTES}",
            hint="use a Holdfast that knows this engine",
        )
    return raw_crc(memoryview(page)[_HEADER.size :]) == checksum
