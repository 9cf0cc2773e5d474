"""Restore jobs: one row of sys and one of the tenant, until both end together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.catalog.connections import Connections, Transaction
from holdfast.catalog.records import Record
from holdfast.catalog.sequences import next_id
from holdfast.errors import ConflictError, NotFoundError, refuse
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import SCN_NONE, Scn
from holdfast.values.tenant import SYS_TENANT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreJob:
    """A row of RESTORE_PROGRESS and, once it ended, of RESTORE_HISTORY. Times: microseconds since the epoch.

    The two rows of one restore share `restore_tenant_id`; the sys row has `tenant_id` 1. `backup_dest` is FROM without
    keys, the lists are full paths, comma separated. Not in the views: `consistent_scn` (where replay begins, for the progress),
    `owner_generation`, `attempt`, `cancel_requested` as in BackupJob.
    """

    tenant_id: int
    job_id: int
    restore_tenant_name: str
    restore_tenant_id: int
    backup_tenant_name: str
    backup_tenant_id: int
    backup_cluster_name: str
    backup_dest: str
    restore_option: str
    restore_scn: Scn
    status: RestoreStatus
    start_timestamp_us: int
    finish_timestamp_us: int | None = None
    backup_set_list: str = ""
    backup_piece_list: str = ""
    backup_cluster_version: int = 0
    consistent_scn: Scn = SCN_NONE
    recover_scn: Scn = SCN_NONE
    ls_count: int = 1
    finish_ls_count: int = 0
    tablet_count: int = 0
    finish_tablet_count: int = 0
    total_bytes: int = 0
    finish_bytes: int = 0
    description: str = ""
    comment: str = ""
    owner_generation: int = 0
    attempt: int = 1
    cancel_requested: bool = False

    @property
    def is_active(self) -> bool:
        return not self.status.is_end


_JOB = Record("restore_job", RestoreJob, key=("tenant_id", "job_id"))
_ACTIVE = "finish_timestamp IS NULL"


class Restores:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def next_job_id(self, tenant_id: int) -> int:
        """Return the id for a new restore row of the tenant (1: sys), from 1 up; each call gives another one."""
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, "restore_job")

    def insert(self, jobs: Sequence[RestoreJob]) -> None:
        """Record the rows of a new restore, all or none.

        Refused with -5156 when a restore under way has taken the tenant name: of two statements at once, one is refused.
        """
        with self._connections.transaction() as transaction:
            # Restores are rare; one lock for all keeps the check and the insert together.
            transaction.query(
                "SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", (SYS_TENANT_ID,)
            )
            for name in sorted({job.restore_tenant_name for job in jobs}):
                if _JOB.one(transaction, f"WHERE restore_tenant_name = %s AND {_ACTIVE}", (name,)) is not None:
                    raise refuse(codes.OB_TENANT_EXIST, name)
            for job in jobs:
                _JOB.insert(transaction, job)

    def add_row(self, job: RestoreJob) -> None:
        """Add a restore's second row (the tenant's) once it is known. Raises ConflictError when its id is taken."""
        with self._connections.transaction() as transaction:
            _JOB.insert(transaction, job)

    def update(self, *jobs: RestoreJob) -> None:
        """Replace active rows; a cancel requested meanwhile stays requested.

        Raises ConflictError when a row has ended, NotFoundError when it is unknown.
        """
        with self._connections.transaction() as transaction:
            for job in jobs:
                _update(transaction, job)

    def finish(self, *jobs: RestoreJob) -> None:
        """End the rows of a restore in one transaction: they leave RESTORE_PROGRESS for RESTORE_HISTORY.

        Raises as `update`.
        """
        for job in jobs:
            assert not job.is_active, f"restore {job.job_id} ends as {job.status}"
            assert job.finish_timestamp_us is not None, "an ended restore has an end"
        self.update(*jobs)

    def active(self) -> tuple[RestoreJob, ...]:
        """Return all rows under way, sorted by tenant and id."""
        with self._connections.transaction() as transaction:
            return _JOB.select(transaction, f"WHERE {_ACTIVE} ORDER BY tenant_id, job_id")

    def active_by_name(self, restore_tenant_name: str) -> tuple[RestoreJob, ...]:
        """Return the rows of the restore under way into this tenant name, the sys row first; empty when there is none."""
        with self._connections.transaction() as transaction:
            return _JOB.select(
                transaction,
                f"WHERE restore_tenant_name = %s AND {_ACTIVE} ORDER BY tenant_id, job_id",
                (restore_tenant_name,),
            )

    def has_succeeded(self, restore_tenant_id: int) -> bool:
        """Return whether a restore into this tenant has ended well."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(
                transaction,
                "WHERE restore_tenant_id = %s AND status = %s",
                (restore_tenant_id, str(RestoreStatus.RESTORE_SUCCESS)),
            )
        return job is not None

    def of_tenant(self, restore_tenant_id: int) -> RestoreJob:
        """Return sys's row of the restore that made this tenant, in whatever state. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(
                transaction,
                "WHERE restore_tenant_id = %s AND tenant_id = %s ORDER BY job_id DESC",
                (restore_tenant_id, SYS_TENANT_ID),
            )
        if job is None:
            raise NotFoundError(f"tenant {restore_tenant_id} was not restored")
        return job

    def orphans(self, generation: int) -> tuple[RestoreJob, ...]:
        """Return rows under way whose owner is not the server of this generation."""
        with self._connections.transaction() as transaction:
            return _JOB.select(
                transaction, f"WHERE {_ACTIVE} AND owner_generation <> %s ORDER BY tenant_id, job_id", (generation,)
            )

    def request_cancel(self, restore_tenant_name: str) -> bool:
        """Ask the restore into this tenant name to end. Returns False when none is under way."""
        with self._connections.transaction() as transaction:
            jobs = _JOB.select(
                transaction,
                f"WHERE restore_tenant_name = %s AND {_ACTIVE} ORDER BY tenant_id, job_id FOR UPDATE",
                (restore_tenant_name,),
            )
            for job in jobs:
                _JOB.update(transaction, replace(job, cancel_requested=True))
            return bool(jobs)

    def cancel_requested(self, tenant_id: int, job_id: int) -> bool:
        """Return whether the restore of this row was asked to end."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT cancel_requested FROM __holdfast.restore_job WHERE tenant_id = %s AND job_id = %s",
                (tenant_id, job_id),
            )
        return row is not None and row[0] == "ON"

    def job(self, tenant_id: int, job_id: int) -> RestoreJob:
        """Return a row in whatever state. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s", (tenant_id, job_id))
        if job is None:
            raise NotFoundError(f"tenant {tenant_id} has no restore job {job_id}")
        return job


def _update(transaction: Transaction, job: RestoreJob) -> None:
    stored = _JOB.locked(transaction, job)
    if stored is None:
        raise NotFoundError(f"tenant {job.tenant_id} has no restore job {job.job_id}")
    if not stored.is_active:
        raise ConflictError(f"restore job {job.job_id} of tenant {job.tenant_id} ended as {stored.status}")
    if stored.cancel_requested:
        job = replace(job, cancel_requested=True)
    _JOB.update(transaction, job)
