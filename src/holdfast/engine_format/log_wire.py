"""The two messages by which a standby engine pulls log: `fetch_log` of gRPC service `standbyservice.StandbyService`.

Protocol buffers, written by hand because there are two messages of six plain fields: no generated code, no runtime that must match it.

| message  | number | field        | type   | meaning                                                              |
| -------- | ------ | ------------ | ------ | -------------------------------------------------------------------- |
| request  | 1      | `start_lsn`  | uint64 | where the standby's log ends                                         |
|          | 2      | `max_bytes`  | uint64 | send no more groups once so many bytes are sent (16 MiB)             |
| response | 1      | `buf`        | bytes  | one whole log group as it lies on disk                               |
|          | 2      | `size`       | uint64 | its size                                                             |
|          | 3      | `source_lsn` | uint64 | its LSN                                                              |
|          | 4      | `end_scn`    | uint64 | its max SCN                                                          |

The answer is a stream: a message for each group, then one without a group (size and LSN 0) that ends it.

Source: oceanbase/seekdb src/oblib/grpc/standbyservice.proto; how they are used, measured on 1.4.0.
"""

from dataclasses import dataclass

from holdfast.engine_format.checksum import Bytes
from holdfast.engine_format.varint import encode_varint
from holdfast.errors import CorruptionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

FETCH_LOG = "/standbyservice.StandbyService/fetch_log"

_VARINT = 0
_LENGTH = 2
_FIXED_BYTES = {1: 8, 5: 4}
_VARINT_BYTES_MAX = 10
_U64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What a standby asks for: log from `start_lsn` on, about `max_bytes` of it."""

    start_lsn: Lsn
    max_bytes: int


def decode_request(message: Bytes) -> FetchRequest:
    """Return the request. A field that is left out is 0 and an unknown one is passed over, as protocol buffers have it.

    Raises CorruptionError for what is no such message.
    """
    found = {1: 0, 2: 0}
    view, at = memoryview(message), 0
    while at < len(view):
        key, at = _varint(view, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            if number in found:
                found[number] = value
        elif kind == _LENGTH:
            size, at = _varint(view, at)
            at += size
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
        else:
            raise CorruptionError(f"log request: field {number} of unknown kind {kind}")
    if at > len(view):
        raise CorruptionError(f"log request: {len(view)} bytes end before its last field does")
    return FetchRequest(start_lsn=Lsn(found[1]), max_bytes=found[2])


def encode_group(group: Bytes, lsn: Lsn, max_scn: Scn) -> bytes:
    """Return the response that carries one whole log group."""
    size = encode_varint(len(group))
    return b"".join((b"\x0a", size, group, b"\x10", size, b"\x18", encode_varint(lsn), b"\x20", encode_varint(max_scn)))


def encode_end(end_scn: Scn) -> bytes:
    """Return the response that ends a stream; `end_scn`: max SCN of the last group sent, 0 if none was."""
    return b"\x20" + encode_varint(end_scn)


def encode_request(request: FetchRequest) -> bytes:
    """Return the request as a standby sends it."""
    return b"\x08" + encode_varint(request.start_lsn) + b"\x10" + encode_varint(request.max_bytes)


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """Return the number at `at` and where it ends."""
    value = 0
    for place, byte in enumerate(view[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & _U64, at + place + 1
    raise CorruptionError(f"log request: the number at byte {at} does not end")
