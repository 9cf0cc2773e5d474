"""Log groups and their entries: headers decoded and checked, entries checked and listed.

A log group is what the engine writes and recovers as one: a header, then log entries that fill it exactly. Both
headers lie big-endian on the disk.

Group header, 48 bytes in version 3 (engine 1.4):

| offset | type | field                                                                      |
| ------ | ---- | -------------------------------------------------------------------------- |
| 0      | i16  | magic 0x4752 ("GR")                                                        |
| 2      | i16  | version 3                                                                  |
| 4      | i32  | size of what follows the header                                            |
| 8      | i64  | committed end LSN known when it was written, never beyond the group's LSN  |
| 16     | i64  | max SCN of the entries, which is the last one's                            |
| 24     | i64  | accumulated checksum                                                       |
| 32     | i64  | log id, one more than the group before                                     |
| 40     | i64  | flag: bit 62 padding, bit 61 raw write, low 16 bits the header's checksum  |

Version 2 (engine 1.3) has an i64 more at offset 8, the proposal id of the log's leader, and all behind it 8 bytes
further: 56 bytes. Fields, checksums and entries are the same otherwise.

Entry header, 32 bytes:

| offset | type | field                                                     |
| ------ | ---- | --------------------------------------------------------- |
| 0      | i16  | magic 0x4C48 ("LH")                                       |
| 2      | i16  | version 2                                                 |
| 4      | i32  | size of the data that follows                             |
| 8      | i64  | SCN                                                       |
| 16     | i64  | checksum of the data: its raw CRC                         |
| 24     | i64  | flag: bit 62 padding, low 16 bits the header's checksum   |

The group checksum is the raw CRC over the entries' data checksums, each as 8 bytes little-endian. The accumulated
checksum is the raw CRC of the group checksum, 8 bytes little-endian, begun at the accumulated checksum of the group
before: a chain over the whole log. A padding group fills a block to its end: one entry, of whose data only the first 16
bytes are summed and the rest is zero; its group checksum is 0.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final, TypeAlias

from crc32c import crc32c
from xxhash import xxh64_intdigest

from holdfast.engine_format.checksum import Bytes, header_checksum, raw_crc
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

GROUP_HEADER_BYTES: Final = 48
"""Of version 3, and the least of any version: with fewer bytes nothing can be said."""
GROUP_HEADER_V2_BYTES: Final = 56
ENTRY_HEADER_BYTES: Final = 32

_GROUP: Final = Struct(">hhiqqqqq")
_GROUP_SUMMED: Final = Struct("<hhiqqqqq")
_GROUP_V2: Final = Struct(">hhiqqqqqq")
_GROUP_V2_SUMMED: Final = Struct("<hhiqqqqqq")
_ENTRY: Final = Struct(">hhiqqq")
_ENTRY_SUMMED: Final = Struct("<hhiqqq")
_CHECKSUM: Final = Struct("<q")

# Bound methods, looked up once: these run on every group of the log.
_unpack_group = _GROUP.unpack_from
_pack_group = _GROUP_SUMMED.pack
_unpack_group_v2 = _GROUP_V2.unpack_from
_pack_group_v2 = _GROUP_V2_SUMMED.pack
_unpack_entry = _ENTRY.unpack_from
_pack_entry = _ENTRY_SUMMED.pack
_pack_checksum = _CHECKSUM.pack

_GROUP_MAGIC: Final = 0x4752
_GROUP_VERSION: Final = 3
_GROUP_VERSION_2: Final = 2
_ENTRY_MAGIC: Final = 0x4C48
_ENTRY_VERSION: Final = 2
_PADDING: Final = 1 << 62
_RAW_WRITE: Final = 1 << 61
_HEADER_CHECKSUM: Final = 0xFFFF
_CLEAR_CHECKSUM: Final = ~0xFFFF
_KNOWN_GROUP_FLAGS: Final = _PADDING | _RAW_WRITE | _HEADER_CHECKSUM
_UNKNOWN_GROUP_FLAGS: Final = ~_KNOWN_GROUP_FLAGS
_UNKNOWN_ENTRY_FLAGS: Final = ~(_PADDING | _HEADER_CHECKSUM)
_PADDING_SUMMED_BYTES: Final = 16
_INVERT: Final = 0xFFFFFFFF
_V2_MARK: Final = _GROUP_MAGIC.to_bytes(2) + _GROUP_VERSION_2.to_bytes(2)

GroupFields: TypeAlias = tuple[int, int, int, int, int, int, int, int]
"""A group header's fields in the order of the table above; the form the walk works on, without an object per group.

Those of version 2 are in the same order, their proposal id left out: nothing in a walk depends on it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHeader:
    """One group's header. `size_bytes` excludes the header; `accumulated` is an unsigned 32-bit value.

    `version`: 3, or 2 with its `proposal_id`, which version 3 does not have (0). `header_size_bytes` follows from it.
    """

    size_bytes: int
    committed_end_lsn: Lsn
    max_scn: Scn
    accumulated: int
    log_id: int
    is_padding: bool = False
    is_raw_write: bool = False
    version: int = _GROUP_VERSION
    proposal_id: int = 0

    @property
    def header_size_bytes(self) -> int:
        return GROUP_HEADER_V2_BYTES if self.version == _GROUP_VERSION_2 else GROUP_HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One log entry. `offset` is that of its header within the group, `size_bytes` covers header and data."""

    scn: Scn
    offset: int
    size_bytes: int
    data_checksum: int
    is_padding: bool


def decode_group_header(buffer: Bytes) -> GroupHeader | None:
    """Return the checked log group header at the start of `buffer`, or None if more bytes are needed.

    Shape: see the table above; whatever follows the header is not looked at.
    Raises CorruptionError on a wrong magic or checksum, UnknownVersionError on any other version: never guess a layout.
    Source: versions 3 and 2, measured on running engines, tests/golden/engine and engine_1.3.0; version 1 (56 bytes, with
    another header checksum), oceanbase/seekdb src/logservice/palf/log_group_entry_header.cpp, is known by name only.
    """
    if len(buffer) < GROUP_HEADER_BYTES:
        return None
    version, proposal_id = _GROUP_VERSION, 0
    if is_version_2(buffer, 0):
        if len(buffer) < GROUP_HEADER_V2_BYTES:
            return None
        fields = checked_group_v2_fields(buffer, 0)
        version, proposal_id = _GROUP_VERSION_2, _unpack_group_v2(buffer)[3]
    else:
        fields = checked_group_fields(buffer, 0)
    _, _, size, committed_end, scn, accumulated, log_id, flag = fields
    return GroupHeader(
        size_bytes=size,
        committed_end_lsn=Lsn(committed_end),
        max_scn=Scn(scn),
        accumulated=accumulated,
        log_id=log_id,
        is_padding=bool(flag & _PADDING),
        is_raw_write=bool(flag & _RAW_WRITE),
        version=version,
        proposal_id=proposal_id,
    )


def encode_group_header(header: GroupHeader) -> bytes:
    """Return the `header_size_bytes` of a header of version 3 or 2, its checksum included."""
    flag = (_PADDING if header.is_padding else 0) | (_RAW_WRITE if header.is_raw_write else 0)
    behind = (header.committed_end_lsn, header.max_scn, header.accumulated, header.log_id)
    if header.version == _GROUP_VERSION_2:
        old = (_GROUP_MAGIC, _GROUP_VERSION_2, header.size_bytes, header.proposal_id, *behind)
        return _GROUP_V2.pack(*old, flag | xxh64_intdigest(_pack_group_v2(*old, flag)) & _HEADER_CHECKSUM)
    assert header.version == _GROUP_VERSION, "only what was decoded here is encoded"
    fields = (_GROUP_MAGIC, _GROUP_VERSION, header.size_bytes, *behind)
    return _GROUP.pack(*fields, flag | xxh64_intdigest(_pack_group(*fields, flag)) & _HEADER_CHECKSUM)


def accumulate(accumulated: int, entry_checksums: Iterable[int]) -> int:
    """Return the accumulated checksum behind a group whose entries have these data checksums; `accumulated`: the one before it."""
    group = 0
    for checksum in entry_checksums:
        group = raw_crc(checksum.to_bytes(8, "little"), group)
    return raw_crc(group.to_bytes(8, "little"), accumulated)


def encode_entry(scn: Scn, data: Bytes) -> bytes:
    """Return one log entry, header and `data`, as it lies in a group."""
    fields = (_ENTRY_MAGIC, _ENTRY_VERSION, len(data), scn, raw_crc(data))
    return _ENTRY.pack(*fields, header_checksum(_pack_entry(*fields, 0))) + bytes(data)


def decode_entries(group_bytes: Bytes) -> Iterator[Entry]:
    """Yield the checked entries of one whole group, in order; `group_bytes` begins with its header.

    All entries are checked before the first is yielded.
    Raises CorruptionError if the bytes are fewer than the header says, or if any check of the header or of an entry
    fails; UnknownVersionError on an unknown version.
    """
    header = decode_group_header(group_bytes)
    begin = header.header_size_bytes if header else GROUP_HEADER_BYTES
    end = begin + header.size_bytes if header else GROUP_HEADER_BYTES
    if header is None or len(group_bytes) < end:
        raise CorruptionError(f"log group: {len(group_bytes)} bytes, expected {end}")
    check_entries(memoryview(group_bytes), begin, end, is_padding=header.is_padding)
    return _entries(group_bytes, begin, end)


def _entries(group_bytes: Bytes, at: int, end: int) -> Iterator[Entry]:
    while at < end:
        _, _, size, scn, checksum, flag = _unpack_entry(group_bytes, at)
        yield Entry(
            scn=Scn(scn),
            offset=at,
            size_bytes=ENTRY_HEADER_BYTES + size,
            data_checksum=checksum,
            is_padding=bool(flag & _PADDING),
        )
        at += ENTRY_HEADER_BYTES + size


def group_spans(verified: Bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (offset, size with its header, max SCN) of each of the groups that fill `verified`, which a walk has verified."""
    at, end = 0, len(verified)
    while at < end:
        header_bytes = GROUP_HEADER_V2_BYTES if is_version_2(verified, at) else GROUP_HEADER_BYTES
        fields = (_unpack_group_v2 if header_bytes == GROUP_HEADER_V2_BYTES else _unpack_group)(verified, at)
        size_bytes = header_bytes + fields[2]
        yield at, size_bytes, fields[5 if header_bytes == GROUP_HEADER_V2_BYTES else 4]
        at += size_bytes


def is_version_2(buffer: Bytes, at: int) -> bool:
    """Return whether a group header of version 2 begins at `at`, where GROUP_HEADER_BYTES must be.

    Its first four bytes decide, magic and version: nothing else is looked at, so the header may still be wrong.
    """
    return buffer[at + 3] == _GROUP_VERSION_2 and bytes(buffer[at : at + 4]) == _V2_MARK


def checked_group_fields(buffer: Bytes, at: int) -> GroupFields:
    """Return the fields of the version 3 header at `at`, whose 48 bytes must be there, checked on their own.

    Raises as decode_group_header does, and UnknownVersionError on version 2, which its caller has ruled out.
    """
    fields: GroupFields = _unpack_group(buffer, at)
    magic, version, size, committed_end, scn, accumulated, log_id, flag = fields
    if magic != _GROUP_MAGIC or version != _GROUP_VERSION:
        raise _no_group_header(magic, version)
    packed = _pack_group(magic, version, size, committed_end, scn, accumulated, log_id, flag & _CLEAR_CHECKSUM)
    if (xxh64_intdigest(packed) ^ flag) & _HEADER_CHECKSUM:
        raise _wrong_group_header(packed, flag)
    if flag & _UNKNOWN_GROUP_FLAGS or size <= 0:
        raise _odd_group_header(flag, size)
    return fields


def checked_group_v2_fields(buffer: Bytes, at: int) -> GroupFields:
    """Return the same of the version 2 header at `at`, whose 56 bytes must be there (see `is_version_2`).

    Raises as decode_group_header does.
    """
    fields: tuple[int, int, int, int, int, int, int, int, int] = _unpack_group_v2(buffer, at)
    magic, version, size, proposal_id, committed_end, scn, accumulated, log_id, flag = fields
    packed = _pack_group_v2(
        magic, version, size, proposal_id, committed_end, scn, accumulated, log_id, flag & _CLEAR_CHECKSUM
    )
    if (xxh64_intdigest(packed) ^ flag) & _HEADER_CHECKSUM:
        raise _wrong_group_header(packed, flag)
    if flag & _UNKNOWN_GROUP_FLAGS or size <= 0:
        raise _odd_group_header(flag, size)
    return magic, version, size, committed_end, scn, accumulated, log_id, flag


def check_entries(
    view: memoryview, at: int, end: int, *, is_padding: bool = False, floor_scn: int = 0
) -> tuple[int, int]:
    """Check all entries in `view[at:end]`, which must be there; return the group checksum and the last entry's SCN.

    No entry may have an SCN below the one before it, nor the first one below `floor_scn`, the max SCN of the group
    before: the engine gives out LSN and SCN together, and only because of that does keeping the leading entries of one
    group cut the log exactly at an SCN. (Measured true in every log seen.)
    Raises CorruptionError on the first check that fails, UnknownVersionError on an unknown entry version or flag.
    """
    if is_padding:
        return _check_padding(view, at, end, floor_scn)
    group = _INVERT  # the register is kept inverted: that is what the library takes and returns
    scn = floor_scn
    while at < end:
        data = at + ENTRY_HEADER_BYTES
        if data > end:
            raise CorruptionError(f"log entry: {end - at} bytes left in its group, a header needs {ENTRY_HEADER_BYTES}")
        magic, version, size, entry_scn, checksum, flag = _unpack_entry(view, at)
        if magic != _ENTRY_MAGIC or version != _ENTRY_VERSION:
            raise _no_entry_header(magic, version)
        packed = _pack_entry(magic, version, size, entry_scn, checksum, flag & _CLEAR_CHECKSUM)
        if (xxh64_intdigest(packed) ^ flag) & _HEADER_CHECKSUM:
            raise CorruptionError(
                f"log entry: header checksum {flag & _HEADER_CHECKSUM:#06x}, "
                f"expected {xxh64_intdigest(packed) & _HEADER_CHECKSUM:#06x}"
            )
        if flag & _CLEAR_CHECKSUM:
            raise _odd_entry_flag(flag)
        at = data + size
        if size <= 0 or at > end:
            raise CorruptionError(
                f"log entry: data size {size}, expected 1 to {end - data}: entries must fill their group"
            )
        if entry_scn < scn:
            raise CorruptionError(f"log entry: scn {entry_scn} below {scn}, that of the entry or group before it")
        scn = entry_scn
        found = crc32c(view[data:at], _INVERT) ^ _INVERT
        if found != checksum:
            raise CorruptionError(f"log entry: data checksum {found:#x}, expected {checksum:#x}")
        group = crc32c(_pack_checksum(checksum), group)
    return group ^ _INVERT, scn


def _check_padding(view: memoryview, at: int, end: int, floor_scn: int) -> tuple[int, int]:
    """Check the one entry of a padding group."""
    data = at + ENTRY_HEADER_BYTES
    if end - data < _PADDING_SUMMED_BYTES:
        raise CorruptionError(
            f"log padding: {end - at} bytes, expected {ENTRY_HEADER_BYTES + _PADDING_SUMMED_BYTES} or more"
        )
    magic, version, size, scn, checksum, flag = _unpack_entry(view, at)
    if magic != _ENTRY_MAGIC or version != _ENTRY_VERSION:
        raise _no_entry_header(magic, version)
    packed = _pack_entry(magic, version, size, scn, checksum, flag & _CLEAR_CHECKSUM)
    if (xxh64_intdigest(packed) ^ flag) & _HEADER_CHECKSUM:
        raise CorruptionError("log padding: wrong checksum of the entry header")
    if flag & _CLEAR_CHECKSUM != _PADDING:
        raise _odd_entry_flag(flag)
    if size != end - data:
        raise CorruptionError(f"log padding: data size {size}, expected {end - data}: it must fill its group")
    if scn < floor_scn:
        raise CorruptionError(f"log padding: scn {scn} below {floor_scn}, that of the group before it")
    summed = data + _PADDING_SUMMED_BYTES
    found = crc32c(view[data:summed], _INVERT) ^ _INVERT
    if found != checksum:
        raise CorruptionError(f"log padding: data checksum {found:#x}, expected {checksum:#x}")
    if bytes(view[summed:end]) != bytes(end - summed):
        # No checksum covers the filler. The engine writes zeros; anything else would be restored as archived, unseen.
        raise CorruptionError("log padding: the filler is not zero")
    return 0, scn


def _no_group_header(magic: int, version: int) -> CorruptionError | UnknownVersionError:
    if magic != _GROUP_MAGIC:
        return CorruptionError(f"log group: magic {magic & 0xFFFF:#06x}, expected {_GROUP_MAGIC:#06x}")
    if version == 0:
        # A live file can be read between the magic and the version of a header: unfinished, not from another engine.
        return CorruptionError("log group: version 0, the header is not written whole")
    known = {1: ", the 56-byte header of old engines"}.get(version, "")
    return _unknown(
        f"log group: header version {version}{known}; this build reads versions {_GROUP_VERSION_2} and {_GROUP_VERSION}"
    )


def _wrong_group_header(packed: bytes, flag: int) -> CorruptionError:
    return CorruptionError(
        f"log group: header checksum {flag & _HEADER_CHECKSUM:#06x}, "
        f"expected {xxh64_intdigest(packed) & _HEADER_CHECKSUM:#06x}"
    )


def _odd_group_header(flag: int, size: int) -> CorruptionError | UnknownVersionError:
    if flag & _UNKNOWN_GROUP_FLAGS:
        return _unknown(f"log group: unknown flag bits {flag & _UNKNOWN_GROUP_FLAGS:#x}")
    return CorruptionError(f"log group: size {size}, expected more than 0")


def _no_entry_header(magic: int, version: int) -> CorruptionError | UnknownVersionError:
    if magic != _ENTRY_MAGIC:
        return CorruptionError(f"log entry: magic {magic & 0xFFFF:#06x}, expected {_ENTRY_MAGIC:#06x}")
    if version == 0:
        return CorruptionError("log entry: version 0, the header is not written whole")
    return _unknown(f"log entry: header version {version}; this build reads version {_ENTRY_VERSION}")


def _odd_entry_flag(flag: int) -> CorruptionError | UnknownVersionError:
    if flag & _UNKNOWN_ENTRY_FLAGS:
        return _unknown(f"log entry: unknown flag bits {flag & _UNKNOWN_ENTRY_FLAGS:#x}")
    return CorruptionError(f"log entry: flag {flag:#x}; a padding entry belongs into a padding group and only there")


def _unknown(message: str) -> UnknownVersionError:
    return UnknownVersionError(message, hint="use a Holdfast that knows this engine")
