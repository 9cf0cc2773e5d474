"""What a follower is told, and how it tells."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from holdfast.archive.pressure import SpoolLimits
from holdfast.values.archive import Piece, Round, RoundStatus
from holdfast.values.destination import Binding
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


class Journal(Protocol):
    """Where a round's progress is told, after it is durable in the destination. The jobs room keeps it in the catalog."""

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        """Record the round and those pieces that changed, in one transaction. Repeatable: the last call wins.

        Raises HoldfastError when it could not; the follower goes on and tells again later.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything a follower needs to know of its round when it starts.

    `round` and its `pieces` are as last told to the journal; a new round is in PREPARE with its START_SCN set.
    `timeline` (32 hex digits) names the history the engine's log belongs to: random for a new round, and read back from
    the destination for one that goes on.
    """

    cluster_name: str
    cluster_id: int
    tenant_name: str
    engine_data_version: str
    timeline: str
    round: Round
    pieces: tuple[Piece, ...] = ()
    binding: Binding
    log_dir: Path
    log_meta_dir: Path
    spool_dir: Path
    limits: SpoolLimits = field(default_factory=SpoolLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerStatus:
    """A snapshot of a follower, true at one moment. Everything up to `checkpoint_scn` is durable."""

    round_id: int
    status: RoundStatus
    comment: str
    checkpoint_scn: Scn
    start_lsn: Lsn | None
    durable_lsn: Lsn | None
    is_stalled: bool


LagTarget = Callable[[], int]
"""Return archive_lag_target in microseconds; read again for every append, so a changed parameter counts at once."""
