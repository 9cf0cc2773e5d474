from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from holdfast.engine_format.checksum import Bytes
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

GROUP_HEADER_BYTES: Final = 48
ENTRY_HEADER_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHeader:
    """`size_bytes` excludes the header. `committed_end_lsn` never lies beyond the group's own LSN."""

    size_bytes: int
    committed_end_lsn: Lsn
    max_scn: Scn
    accumulated: int
    log_id: int
    is_padding: bool
    is_raw_write: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One log entry. `offset` is that of its header, counted from the group's header; `size_bytes` covers header and data."""

    scn: Scn
    offset: int
    size_bytes: int
    data_checksum: int
    is_padding: bool


def decode_group_header(buffer: Bytes) -> GroupHeader | None:
    """Return the checked log group header at the start of `buffer`, or None if more bytes are needed."""
    raise NotImplementedError


def encode_group_header(header: GroupHeader) -> bytes:
    """Return the 48 bytes of a header, with its checksum."""
    raise NotImplementedError


def decode_entries(group_bytes: Bytes) -> Iterator[Entry]:
    """Yield the checked entries of one whole group (`group_bytes` begins with its header)."""
    raise NotImplementedError
