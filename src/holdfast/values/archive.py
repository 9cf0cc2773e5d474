"""Archive rounds and pieces."""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.values.scn import Scn


class RoundStatus(StrEnum):
    PREPARE = "PREPARE"
    BEGINNING = "BEGINNING"
    DOING = "DOING"
    INTERRUPTED = "INTERRUPTED"
    STOPPING = "STOPPING"
    STOP = "STOP"
    SUSPENDING = "SUSPENDING"
    SUSPEND = "SUSPEND"


class PieceStatus(StrEnum):
    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"


class FileStatus(StrEnum):
    COPYING = "COPYING"
    AVAILABLE = "AVAILABLE"
    INCOMPLETE = "INCOMPLETE"
    DELETING = "DELETING"
    EXPIRED = "EXPIRED"
    BROKEN = "BROKEN"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One unbroken run of archiving. `checkpoint_scn`: everything up to and including it is durable."""

    tenant_id: int
    dest_id: int
    round_id: int
    status: RoundStatus
    start_scn: Scn
    checkpoint_scn: Scn
    base_piece_id: int
    used_piece_id: int
    piece_switch_interval_us: int
    input_bytes: int
    output_bytes: int
    comment: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A round's slice of time `[start_scn, end_scn)`. `encryption_mode`: NONE, TRANSPARENT_ENCRYPTION, or PARTIAL where its log is sealed
    in part."""

    tenant_id: int
    dest_id: int
    round_id: int
    piece_id: int
    status: PieceStatus
    start_scn: Scn
    end_scn: Scn
    checkpoint_scn: Scn
    max_scn: Scn
    input_bytes: int
    output_bytes: int
    file_status: FileStatus
    path: str
    encryption_mode: str = "NONE"
