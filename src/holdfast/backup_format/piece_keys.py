"""How the log of a piece is sealed: which data key from which LSN on, and wrapped by which master key.

A piece has a data key of its own, and a new one from the LSN on at which another master key began to count: what is written after
`backup_encryption` was set, changed or switched off follows it at once, whatever piece is open. An entry without a key says that
the log lies in the clear from there on; log before the first entry does too. So whoever exchanges a sealed frame for one in the
clear is noticed by the piece's record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast.backup_format.document import Fields, Json
from holdfast.backup_format.names import parse_piece_root
from holdfast.values.lsn import Lsn

_FIELD = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceKey:
    """The key of the log from `from_lsn` on. `key_id`: of the master key that wraps it, 32 hex digits; "": in the clear."""

    from_lsn: Lsn
    key_id: str = ""
    wrapped_key: bytes = field(default=b"", repr=False)

    @property
    def is_sealed(self) -> bool:
        return bool(self.key_id)


def encryption_mode(keys: Sequence[PieceKey], begin_lsn: Lsn, end_lsn: Lsn) -> str:
    """Return what views say of a piece's log from `begin_lsn` to `end_lsn`: TRANSPARENT_ENCRYPTION, NONE, or PARTIAL.

    `keys` rise by LSN. What counts at `begin_lsn` is the last that is not above it; before the first the log is in the clear.
    """
    at_begin = [key.is_sealed for key in keys if key.from_lsn <= begin_lsn][-1:] or [False]
    states = {*at_begin, *(key.is_sealed for key in keys if begin_lsn < key.from_lsn < end_lsn)}
    if len(states) == 2:
        return "PARTIAL"
    return "TRANSPARENT_ENCRYPTION" if True in states else "NONE"


def piece_key_place(*, cluster_id: int, tenant_id: int, root: str, timeline: str, from_lsn: Lsn) -> bytes:
    """Return the associated data of a piece's wrapped key: one that is moved to another piece or LSN does not open.

    `root`: the piece's folder, which may lie below another.
    """
    ref = parse_piece_root(root.rpartition("/")[2])
    if ref is None:
        raise ValueError(f"{root} is no piece")
    place = f"{cluster_id} {tenant_id} {ref.dest_id} {ref.round_id} {ref.piece_id} {timeline} {from_lsn.text()}"
    return f"holdfast piece key 1 {place}".encode()


def piece_key_fields(keys: Sequence[PieceKey]) -> dict[str, Json]:
    """Return the record's field, nothing for a piece that was never sealed."""
    if not keys:
        return {}
    return {
        _FIELD: [
            {"from_lsn": key.from_lsn.text(), "key_id": key.key_id, "wrapped_key": key.wrapped_key.hex()}
            for key in keys
        ]
    }


def piece_keys_of(fields: Fields) -> tuple[PieceKey, ...]:
    """Return the keys of a record. Raises CorruptionError."""
    if not fields.has(_FIELD):
        return ()
    found = []
    for item in fields.parts(_FIELD):
        key_id = item.octets("key_id", size_bytes=16 if item.text("key_id") else 0).hex()
        wrapped_key = item.octets("wrapped_key", size_bytes=60 if key_id else 0)
        found.append(PieceKey(from_lsn=item.lsn("from_lsn"), key_id=key_id, wrapped_key=wrapped_key))
    return tuple(found)
