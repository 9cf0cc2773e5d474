"""One backup, its effects in the order that keeps a crash harmless (skeleton)."""

from dataclasses import dataclass, field

from holdfast.backup.journal import Figures, Image, Journal, LogTail
from holdfast.backup.plan import DEFAULT_THREADS, PassPolicy
from holdfast.clock import Clock
from holdfast.store.store import Store
from holdfast.values.backup_set import BackupType
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from holdfast.values.tenant import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """What one backup is to make. Nothing in it changes while the backup runs, so that a crashed one can resume."""

    cluster_name: str
    cluster_id: int
    tenant_id: int
    tenant_name: str
    backup_set_id: int
    type: BackupType
    engine_data_version: str
    engine_binary_version: str
    unit: Unit
    account: bytes = field(repr=False)
    thread_count: int = DEFAULT_THREADS
    policy: PassPolicy = field(default_factory=PassPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """What a completed backup is. `pause_ns`: None when the engine was never paused."""

    start_scn: Scn
    start_replay_scn: Scn
    min_restore_scn: Scn
    base_lsn: Lsn
    end_lsn: Lsn
    figures: Figures
    pass_count: int
    pause_ns: int | None
    comment: str


def run_backup(
    plan: BackupPlan, image: Image, store: Store, tail: LogTail, journal: Journal, clock: Clock
) -> BackupResult:
    """Make the set and return what it is; when this returns, the manifest is durable.

    Repeatable: running it again with the same plan after a crash takes up what the crashed one put.
    Raises CanceledError, RefusedError (the archive), StoreUnavailableError, CorruptionError, EngineError; then no
    manifest exists, so nothing of the set is visible to a restore.
    """
    raise NotImplementedError
