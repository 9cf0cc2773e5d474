"""What a follower is told, and how it tells."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from holdfast.archive.pressure import SpoolLimits
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.log_frame import LogKeys
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.keys.masters import NO_MASTERS
from holdfast.store.store import Store
from holdfast.values.archive import Piece, Round, RoundStatus
from holdfast.values.destination import Binding
from holdfast.values.lsn import Lsn
from holdfast.values.owner import JobKind, Owner
from holdfast.values.scn import Scn


class Journal(Protocol):
    """Where a round's progress is told, after it is durable in the destination. The jobs room keeps it in the catalog."""

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        """Record the round and those pieces that changed, in one transaction. Repeatable: the last call wins.

        Raises HoldfastError when it could not; the follower goes on and tells again later.
        """
        ...


class Tenure(Protocol):
    """Whether this server is the one that writes a destination. All raise ForeignOwnerError when another does, under its name."""

    def owner(self, kind: JobKind, job_id: int) -> Owner:
        """Return the record for an object made now."""
        ...

    def made(self, owner: Owner | None) -> bool:
        """Return whether this server made it, in this start or an earlier one."""
        ...

    def take(self, store: Store, *, watches: bool = False) -> None:
        """Become the writer, or find to be it. `watches`: raises StoreUnavailableError until the last writer, if nothing proves
        that it ended, has been silent long enough."""
        ...

    def keep(self, store: Store) -> None:
        """Find that this server is still the writer, just before it writes; tells others now and then that it lives."""
        ...


class Sealing(Protocol):
    """How a tenant's archive is sealed. Every method is safe from any thread."""

    def key_id(self) -> str:
        """Return the id of the master key that new log is sealed with, "" for none; cheap.

        Raises RefusedError (-9047) while log is to be sealed and the key is not to be had: it then waits, and is never put in the
        clear.
        """
        ...

    def keep(self, store: Store) -> None:
        """Find now and then that the key is at hand and that the destination holds it still; put it there again if not.

        Raises as `new_key`.
        """
        ...

    def new_key(self, store: Store, *, root: str, timeline: str, from_lsn: Lsn) -> tuple[PieceKey, DataKey]:
        """Return a new key for a piece's log from an LSN on. `store` holds its master key when this returns.

        Raises as `key_id`, and StoreUnavailableError.
        """
        ...

    def log_keys(self, keys: tuple[PieceKey, ...], *, root: str, timeline: str) -> LogKeys:
        """Return what opens a piece of the tenant's. A key that is not known is marked so."""
        ...


class InTheClear:
    """Seals nothing and opens nothing."""

    def key_id(self) -> str:
        return ""

    def keep(self, store: Store) -> None:
        pass

    def new_key(self, store: Store, *, root: str, timeline: str, from_lsn: Lsn) -> tuple[PieceKey, DataKey]:
        raise AssertionError("nothing is sealed here")

    def log_keys(self, keys: tuple[PieceKey, ...], *, root: str, timeline: str) -> LogKeys:
        return NO_MASTERS.log_keys(keys, cluster_id=0, tenant_id=0, root=root, timeline=timeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything a follower needs to know of its round when it starts.

    `round` and its `pieces` are as last told to the journal; a new round is in PREPARE with its START_SCN set.
    `timeline` (32 hex digits) names the history the engine's log belongs to: random for a new round, and read back from
    the destination for one that goes on. `needs_certificate`: as in a piece's record.
    """

    cluster_name: str
    cluster_id: int
    tenant_name: str
    engine_data_version: str
    timeline: str
    round: Round
    pieces: tuple[Piece, ...] = ()
    binding: Binding
    tenure: Tenure
    log_dir: Path
    log_meta_dir: Path
    spool_dir: Path
    limits: SpoolLimits = field(default_factory=SpoolLimits)
    sealing: Sealing = field(default_factory=InTheClear)
    needs_certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerStatus:
    """A snapshot of a follower, true at one moment. Everything up to `checkpoint_scn` is durable.

    `start_lsn`, `durable_lsn`: None until the destination was read.
    """

    round_id: int
    status: RoundStatus
    comment: str
    checkpoint_scn: Scn
    start_lsn: Lsn | None
    durable_lsn: Lsn | None
    is_stalled: bool

    @property
    def is_beginning(self) -> bool:
        """Return whether it has still to find what its round holds: at first, and where a server takes up one that is DOING."""
        if self.status in {RoundStatus.PREPARE, RoundStatus.BEGINNING}:
            return True
        return self.status is RoundStatus.DOING and self.start_lsn is None


LagTarget = Callable[[], int]
"""Return archive_lag_target in microseconds; read again for every append, so a changed parameter counts at once."""
