"""The log's own metadata: one file of 4 KiB pages, one more page for each change, the last valid one counts.

A file of the log stream's `meta` folder is laid out like a log block: an info block, then pages, then zeros. The info block is not read:
its LSN was seen to lie a block ahead of the log, and nothing depends on it. A page, big-endian:

| offset | type | field                                                        |
| ------ | ---- | ------------------------------------------------------------ |
| 0      | i16  | magic 0x4C4D ("LM")                                          |
| 2      | i16  | version 1                                                    |
| 4      | i32  | size of the body, 4072                                       |
| 8      | i64  | checksum of the body: its raw CRC                            |
| 16     | i64  | raw CRC of the 16 bytes above, laid out little-endian        |
| 24     | i64  | version of the body: 4 in engine 1.4, 1 in engine 1.3        |

Version 4 has the i64 base LSN at offset 56. Version 1 has it behind lists of members, whose size varies:

    version 1, three i64 (voted for), i64                             prepare
    version 2 or 3, i64 proposal id                                   config, then twice:
        [version 3: i64 version 1]
        list, i64, member, learners, degraded learners, two i64       list and member: a byte 1, five of a size, the rest
        [version 3: four i64]                                         learners: a byte 0, there are none
    [version 2 and 3: three i64]
    version 1, four i64                                               mode
    version 2, i64 base LSN                                           snapshot

Source: the order, oceanbase/seekdb src/logservice/palf/log_meta.cpp and log_meta_info.cpp; the bytes, measured,
tests/golden/engine and engine_1.3.0.
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
_NUMBER: Final = Struct(">q")
_BODY_VERSION: Final = 4
_BASE_LSN_OFFSET: Final = 56
_OLD_BODY_VERSION: Final = 1
_OLD_SIZE_BYTES: Final = 5  # a varint of 7 bits a byte that is always written this long
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
    LSN is no block's first or falls; UnknownVersionError on any page version but 1, any body version but 4 and 1, and a
    body of version 1 that names other replicas.
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
        lsn = _base_lsn_of(page, at)
        if lsn % LOG_DATA_BYTES or lsn < (found or 0):
            raise CorruptionError(
                f"log meta page at offset {at}: base lsn {lsn}, expected a block's first, {found} or more"
            )
        found = lsn
    if found is None and broken_at is not None:
        raise CorruptionError(f"log meta page at offset {broken_at}: wrong checksum, and no valid page before it")
    return found


def _base_lsn_of(page: bytes, at: int) -> Lsn:
    version: int = _NUMBER.unpack_from(page, _HEADER.size)[0]
    if version == _BODY_VERSION:
        return Lsn(_NUMBER.unpack_from(page, _BASE_LSN_OFFSET)[0])
    if version == _OLD_BODY_VERSION:
        return _OldBody(page, at).base_lsn()
    raise _unknown(f"log meta page at offset {at}: body version {version}")


class _OldBody:
    """Reads a body of version 1 from its front; what is not as it must be raises UnknownVersionError with its place."""

    def __init__(self, page: bytes, page_at: int) -> None:
        self._page = page
        self._page_at = page_at
        self._at = _HEADER.size + _NUMBER.size

    def base_lsn(self) -> Lsn:
        self._version(1)
        self._skip_numbers(4)
        version = self._version(2, 3)
        self._skip_numbers(1)
        for _ in range(2):
            self._skip_config(version)
        self._skip_numbers(3)
        self._version(1)
        self._skip_numbers(4)
        self._version(2)
        return Lsn(self._number())

    def _skip_config(self, version: int) -> None:
        if version == 3:
            self._version(1)
        self._skip_sized()
        self._skip_numbers(1)
        self._skip_sized()
        for _ in range(2):
            if self._page[self._at : self._at + 1] != b"\0":
                raise self._strange(self._at, "learners")
            self._at += 1
        self._skip_numbers(2)
        if version == 3:
            self._version(1)
            self._skip_numbers(3)

    def _skip_sized(self) -> None:
        begin = self._at
        head = self._page[begin : begin + 1 + _OLD_SIZE_BYTES]
        if len(head) <= _OLD_SIZE_BYTES or head[0] != 1:
            raise self._strange(begin, "no list of version 1")
        size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(head[1:]))
        self._at = begin + len(head) + size

    def _version(self, *known: int) -> int:
        at = self._at
        found = self._number()
        if found not in known:
            raise self._strange(at, f"version {found}")
        return found

    def _skip_numbers(self, count: int) -> None:
        self._at += count * _NUMBER.size

    def _number(self) -> int:
        if self._at > len(self._page) - _NUMBER.size:
            raise self._strange(self._at, "its lists fill the page")
        found: int = _NUMBER.unpack_from(self._page, self._at)[0]
        self._at += _NUMBER.size
        return found

    def _strange(self, at: int, what: str) -> UnknownVersionError:
        return _unknown(f"log meta page at offset {self._page_at}: {what} at byte {at} of a body of version 1")


def _unknown(message: str) -> UnknownVersionError:
    return UnknownVersionError(
        f"{message}; this build reads body versions {_BODY_VERSION} and, of one replica, {_OLD_BODY_VERSION}",
        hint="use a Holdfast that knows this engine",
    )


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
