"""Validation: jobs and tasks, what was proven of each object and when, and the damage that was found.

Damage stays open until a validation of at least its level has proven the whole set or piece good. While any is open the
FILE_STATUS of its set or piece is BROKEN; both change here, in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast import codes
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.connections import Connections, Transaction
from holdfast.catalog.parents import children_of, locked_parent, outcome_of
from holdfast.catalog.records import Record
from holdfast.catalog.sequences import next_id
from holdfast.errors import ConflictError, NotFoundError, refuse
from holdfast.values.archive import FileStatus, Piece
from holdfast.values.backup_set import JobStatus
from holdfast.values.scn import Scn

_JOB_ENDS = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})
JUDGED = frozenset({FileStatus.AVAILABLE, FileStatus.BROKEN})
"""What a validation looks at: OceanBase's AVAILABLE, and what an earlier validation found damaged."""


class ValidateType(StrEnum):
    """TYPE of a job and TASK_TYPE of a task, which is never DATABASE."""

    DATABASE = "DATABASE"
    BACKUPSET = "BACKUPSET"
    PIECE = "ARCHIVELOG_PIECE"


class PathType(StrEnum):
    """What a path is; of a job without a path NONE."""

    NONE = ""
    BACKUP_DEST = "BACKUP_DEST"
    BACKUP_SET_DEST = "BACKUP_SET_DEST"
    ARCHIVELOG_DEST = "ARCHIVELOG_DEST"
    ARCHIVELOG_PIECE_DEST = "ARCHIVELOG_PIECE_DEST"


class DamageStatus(StrEnum):
    OPEN = "OPEN"
    CLEARED = "CLEARED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateJob:
    """A row of BACKUP_VALIDATE_JOBS. `ids`: as given, comma separated (column ID). Times: microseconds since the epoch.

    Not in the view: `data_dest_id`, `archive_dest_id` (which destinations it reads, 0 for none or for a path that is no
    destination of the tenant), `owner_generation`, `cancel_requested` as in BackupJob.
    """

    tenant_id: int
    job_id: int
    initiator_tenant_id: int
    initiator_job_id: int
    executor_tenant_ids: tuple[int, ...]
    type: ValidateType
    path: str = ""
    path_type: PathType = PathType.NONE
    ids: str = ""
    validate_level: str
    start_timestamp_us: int
    end_timestamp_us: int | None = None
    status: JobStatus = JobStatus.INIT
    retry_count: int = 0
    task_count: int = 0
    success_task_count: int = 0
    result: int = 0
    description: str = ""
    comment: str = ""
    data_dest_id: int = 0
    archive_dest_id: int = 0
    owner_generation: int = 0
    cancel_requested: bool = False

    @property
    def is_active(self) -> bool:
        return self.status not in _JOB_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateTask:
    """A row of BACKUP_VALIDATE_TASKS. `object_id`: of the set or piece (column ID). `path`: the set's or piece's folder."""

    tenant_id: int
    task_id: int
    job_id: int
    task_type: ValidateType
    object_id: int
    path: str
    path_type: PathType
    dest_id: int
    plus_archivelog: bool = False
    initiator_task_id: int = 0
    validate_level: str
    round_id: int = 0
    start_timestamp_us: int
    end_timestamp_us: int | None = None
    status: JobStatus = JobStatus.INIT
    total_ls_count: int = 1
    finish_ls_count: int = 0
    total_bytes: int = 0
    validated_bytes: int = 0
    result: int = 0
    comment: str = ""

    @property
    def is_active(self) -> bool:
        return self.status not in _JOB_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """What a physical validation has proven of one object: these bytes were right at `proven_time_us`."""

    tenant_id: int
    dest_id: int
    name: str
    size_bytes: int
    digest: str
    validate_level: str
    proven_time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageRow:
    """A row of BACKUP_DAMAGES. `object_name`: below the destination; -1: no offset in it, no macro block.

    `tablet_id`: whose data the macro block holds, 0 when it is not known.
    """

    tenant_id: int
    damage_id: int
    dest_id: int
    object_type: ValidateType
    object_id: int
    round_id: int
    object_name: str
    object_offset: int = -1
    block_id: int = -1
    tablet_id: int = 0
    validate_level: str
    status: DamageStatus = DamageStatus.OPEN
    found_timestamp_us: int
    cleared_timestamp_us: int | None = None
    job_id: int
    task_id: int
    comment: str


_JOB = Record(
    "validate_job",
    ValidateJob,
    key=("tenant_id", "job_id"),
    columns={"executor_tenant_ids": "executor_tenant_id", "ids": "id"},
)
_TASK = Record("validate_task", ValidateTask, key=("tenant_id", "task_id"), columns={"object_id": "id"})
_PROOF = Record("validate_proof", ProofRow, key=("tenant_id", "dest_id", "name"))
_DAMAGE = Record("backup_damage", DamageRow, key=("tenant_id", "damage_id"))
_SET = Record("backup_set", BackupSet, key=("tenant_id", "backup_set_id"))
_PIECE = Record("archive_piece", Piece, key=("tenant_id", "round_id", "piece_id"))
_ACTIVE = "status IN ('INIT', 'DOING', 'CANCELING')"
_OTHERS = "creating new backup validate job when other validate jobs exist"


def damage_words(damage: DamageRow) -> str:
    """Return what is damaged and since when that is known: `backup_set_1_full/index: ..., found 2026-11-26 18:00:00.0 UTC`."""
    place = f" at offset {damage.object_offset}" if damage.object_offset >= 0 else ""
    when = Scn(damage.found_timestamp_us * 1000).display()
    tablet = f", tablet {damage.tablet_id}" if damage.tablet_id else ""
    return f"{damage.object_name}{place}{tablet}: {damage.comment}, found {when} UTC"


class Validation:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    # --- jobs

    def next_job_id(self, tenant_id: int) -> int:
        """Return the id for a new job of the tenant (1 for sys rows), from 1 up; each call gives another one."""
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, "validate_job")

    def submit(self, jobs: Sequence[ValidateJob]) -> None:
        """Record new jobs, a sys row and its children or one tenant's own, all or none.

        Refused with 1235 when a tenant of the rows has an active one already: of two statements at once, one is refused.
        """
        with self._connections.transaction() as transaction:
            for tenant_id in sorted({job.tenant_id for job in jobs}):
                _lock_tenant(transaction, tenant_id)
                if _JOB.one(transaction, f"WHERE tenant_id = %s AND {_ACTIVE}", (tenant_id,)) is not None:
                    raise refuse(codes.OB_NOT_SUPPORTED, _OTHERS, hint="wait for it, or CANCEL VALIDATE BACKUP")
            for job in jobs:
                _JOB.insert(transaction, job)

    def job(self, tenant_id: int, job_id: int) -> ValidateJob:
        """Return a job in whatever state. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s", (tenant_id, job_id))
        if job is None:
            raise NotFoundError(f"tenant {tenant_id} has no validation job {job_id}")
        return job

    def newest_job_id(self, tenant_id: int) -> int:
        """Return the id of the tenant's last job, 0 when there was none."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT COALESCE(MAX(job_id), 0) FROM __holdfast.validate_job WHERE tenant_id = %s", (tenant_id,)
            )
        return int(str(row[0])) if row is not None else 0

    def active_jobs(self) -> tuple[ValidateJob, ...]:
        """Return active jobs of all tenants, sorted by tenant and id."""
        with self._connections.transaction() as transaction:
            return _JOB.select(transaction, f"WHERE {_ACTIVE} ORDER BY tenant_id, job_id")

    def children(self, parent: ValidateJob) -> tuple[ValidateJob, ...]:
        """Return the tenants' jobs of a sys job, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return children_of(transaction, _JOB, parent)

    def claim(self, tenant_id: int, job_id: int, generation: int) -> ValidateJob | None:
        """Make the server of this generation the owner and return the job; None when it has ended.

        A job claimed before, by an earlier server, counts one more retry.
        """
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", (tenant_id, job_id))
            if job is None or not job.is_active:
                return None
            retries = job.retry_count + 1 if job.owner_generation else job.retry_count
            claimed = replace(job, owner_generation=generation, retry_count=retries)
            _JOB.update(transaction, claimed)
            return claimed

    def begin(self, job: ValidateJob, tasks: Sequence[ValidateTask]) -> ValidateJob:
        """Move a job to DOING together with all its tasks, its plan; returns and raises as `update_job`.

        Ids are given here. `initiator_task_id` of a task that is given counts the tasks from 1 and becomes an id too.
        """
        with self._connections.transaction() as transaction:
            stored = _update_job(transaction, replace(job, task_count=len(tasks)))
            ids = [next_id(transaction, job.tenant_id, "validate_task") for _ in tasks]
            for task_id, task in zip(ids, tasks, strict=True):
                parent = ids[task.initiator_task_id - 1] if task.initiator_task_id else 0
                _TASK.insert(transaction, replace(task, task_id=task_id, initiator_task_id=parent))
            return stored

    def update_job(self, job: ValidateJob) -> ValidateJob:
        """Replace an active job's row and return it as stored; CANCELING is not turned back.

        Raises ConflictError when the job has ended, NotFoundError when it is unknown.
        """
        with self._connections.transaction() as transaction:
            return _update_job(transaction, job)

    def finish(self, job: ValidateJob) -> None:
        """End a job. Tasks it did not come to end with it, as CANCELED, and the job of sys whose last it was. Raises as `update_job`."""
        assert not job.is_active, f"validation job {job.job_id} ends as {job.status}"
        assert job.end_timestamp_us is not None, "an ended job has an end"
        with self._connections.transaction() as transaction:
            parent = locked_parent(transaction, _JOB, job)
            _update_job(transaction, job)
            for task in _tasks(transaction, job):
                if task.is_active:
                    code, end_us = codes.OB_CANCELED.number, job.end_timestamp_us
                    ended = replace(task, status=JobStatus.CANCELED, end_timestamp_us=end_us, result=code)
                    _TASK.update(transaction, ended)
            if parent is not None:
                _end_parent(transaction, parent, job.end_timestamp_us)

    def request_cancel(self, tenant_id: int, job_id: int) -> bool:
        """Ask an active job to end: it becomes CANCELING. Returns False when it has ended or is unknown."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", (tenant_id, job_id))
            if job is None or not job.is_active:
                return False
            _JOB.update(transaction, replace(job, status=JobStatus.CANCELING, cancel_requested=True))
            transaction.execute(
                "UPDATE __holdfast.validate_task SET status = 'CANCELING'"
                " WHERE tenant_id = %s AND job_id = %s AND end_timestamp IS NULL",
                (tenant_id, job_id),
            )
            return True

    # --- tasks

    def tasks(self, job: ValidateJob) -> tuple[ValidateTask, ...]:
        """Return the tasks of a job in the order in which they are carried out."""
        with self._connections.transaction() as transaction:
            return _tasks(transaction, job)

    def note_task(self, task: ValidateTask) -> None:
        """Record the progress of a task that goes on. Raises ConflictError when it has ended; CANCELING stays."""
        with self._connections.transaction() as transaction:
            _update_task(transaction, task)

    def finish_task(self, task: ValidateTask) -> None:
        """End a task; of one that ended well the job counts one more success. Raises as `note_task`."""
        assert not task.is_active, f"validation task {task.task_id} ends as {task.status}"
        with self._connections.transaction() as transaction:
            _update_task(transaction, task)
            if task.status is JobStatus.COMPLETED:
                transaction.execute(
                    "UPDATE __holdfast.validate_job SET success_task_count = success_task_count + 1"
                    " WHERE tenant_id = %s AND job_id = %s",
                    (task.tenant_id, task.job_id),
                )

    # --- what was proven

    def proofs(self, tenant_id: int, dest_id: int, folder: str) -> tuple[ProofRow, ...]:
        """Return what was proven of the objects below a folder of a destination."""
        with self._connections.transaction() as transaction:
            return _PROOF.select(
                transaction,
                "WHERE tenant_id = %s AND dest_id = %s AND LEFT(name, %s) = %s ORDER BY name",
                (tenant_id, dest_id, len(folder) + 1, f"{folder}/"),
            )

    def add_proofs(self, proofs: Sequence[ProofRow]) -> None:
        with self._connections.transaction() as transaction:
            for proof in proofs:
                _PROOF.upsert(transaction, proof)

    def forget_proofs(self, tenant_id: int, dest_id: int, *, but: Sequence[str]) -> None:
        """Forget what was proven of folders of a destination that are not there any more. `but`: those that are."""
        marks = ", ".join(["%s"] * len(but))
        rest = f" AND SUBSTRING_INDEX(name, '/', 1) NOT IN ({marks})" if but else ""
        with self._connections.transaction() as transaction:
            transaction.execute(
                f"DELETE FROM __holdfast.validate_proof WHERE tenant_id = %s AND dest_id = %s{rest}",
                (tenant_id, dest_id, *but),
            )

    # --- damage

    def add_damage(self, damage: DamageRow) -> bool:
        """Record damage, once for each place, and make its set or piece BROKEN; what was proven of it is forgotten.

        Returns False, and does nothing, when the set or piece has left AVAILABLE meanwhile: it is being deleted.
        """
        with self._connections.transaction() as transaction:
            _lock_tenant(transaction, damage.tenant_id)
            if not _mark(transaction, damage, FileStatus.BROKEN):
                return False
            known = _DAMAGE.one(
                transaction,
                "WHERE tenant_id = %s AND dest_id = %s AND object_name = %s AND object_offset = %s AND status = 'OPEN'",
                (damage.tenant_id, damage.dest_id, damage.object_name, damage.object_offset),
            )
            if known is None:
                damage_id = next_id(transaction, damage.tenant_id, "backup_damage")
                _DAMAGE.insert(transaction, replace(damage, damage_id=damage_id))
            transaction.execute(
                "DELETE FROM __holdfast.validate_proof WHERE tenant_id = %s AND dest_id = %s AND name = %s",
                (damage.tenant_id, damage.dest_id, damage.object_name),
            )
            return True

    def clear_damages(self, damages: Sequence[DamageRow], now_us: int) -> None:
        """Clear open damage; a set or piece that has none left is AVAILABLE again."""
        open_ones = "tenant_id = %s AND dest_id = %s AND object_type = %s AND object_id = %s AND status = 'OPEN'"
        with self._connections.transaction() as transaction:
            for tenant_id in sorted({damage.tenant_id for damage in damages}):
                _lock_tenant(transaction, tenant_id)
            for damage in damages:
                cleared = replace(damage, status=DamageStatus.CLEARED, cleared_timestamp_us=now_us)
                _DAMAGE.update(transaction, cleared)
            for damage in damages:
                key = (damage.tenant_id, damage.dest_id, str(damage.object_type), damage.object_id)
                if _DAMAGE.one(transaction, f"WHERE {open_ones}", key) is None:
                    _mark(transaction, damage, FileStatus.AVAILABLE)

    def open_damages(self, tenant_id: int) -> tuple[DamageRow, ...]:
        """Return the damage of the tenant's sets and pieces that was not proven good since, oldest first."""
        with self._connections.transaction() as transaction:
            return _DAMAGE.select(
                transaction, "WHERE tenant_id = %s AND status = 'OPEN' ORDER BY damage_id", (tenant_id,)
            )

    def open_damages_at(self, places: Sequence[str]) -> tuple[tuple[str, DamageRow], ...]:
        """Return (path of the destination, damage) for all open damage below these paths, whoever the tenant is."""
        if not places:
            return ()
        marks = ", ".join(["%s"] * len(places))
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                f"SELECT tenant_id, dest_id, path FROM __holdfast.destination WHERE path IN ({marks})", tuple(places)
            )
            found: list[tuple[str, DamageRow]] = []
            for tenant_id, dest_id, path in rows:
                damages = _DAMAGE.select(
                    transaction,
                    "WHERE tenant_id = %s AND dest_id = %s AND status = 'OPEN' ORDER BY damage_id",
                    (tenant_id, dest_id),
                )
                found += [(str(path), damage) for damage in damages]
        return tuple(found)


def close_damages(
    transaction: Transaction, tenant_id: int, dest_id: int, kind: ValidateType, object_id: int, now_us: int
) -> None:
    """Clear the open damage of a set or piece that is deleted: nobody can prove it good any more, and nothing needs it."""
    found = _DAMAGE.select(
        transaction,
        "WHERE tenant_id = %s AND dest_id = %s AND object_type = %s AND object_id = %s AND status = 'OPEN'",
        (tenant_id, dest_id, str(kind), object_id),
    )
    for damage in found:
        _DAMAGE.update(transaction, replace(damage, status=DamageStatus.CLEARED, cleared_timestamp_us=now_us))


def _lock_tenant(transaction: Transaction, tenant_id: int) -> None:
    transaction.query("SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", (tenant_id,))


def _mark(transaction: Transaction, damage: DamageRow, status: FileStatus) -> bool:
    """Set FILE_STATUS of the set or piece; return False when it is neither AVAILABLE nor BROKEN."""
    if damage.object_type is ValidateType.BACKUPSET:
        key = (damage.tenant_id, damage.object_id)
        found = _SET.one(transaction, "WHERE tenant_id = %s AND backup_set_id = %s FOR UPDATE", key)
        if found is None or found.file_status not in JUDGED:
            return False
        _SET.update(transaction, replace(found, file_status=status))
        return True
    place = (damage.tenant_id, damage.round_id, damage.object_id)
    piece = _PIECE.one(transaction, "WHERE tenant_id = %s AND round_id = %s AND piece_id = %s FOR UPDATE", place)
    if piece is None or piece.file_status not in JUDGED:
        return False
    _PIECE.update(transaction, replace(piece, file_status=status))
    return True


def _tasks(transaction: Transaction, job: ValidateJob) -> tuple[ValidateTask, ...]:
    return _TASK.select(
        transaction, "WHERE tenant_id = %s AND job_id = %s ORDER BY task_id", (job.tenant_id, job.job_id)
    )


def _end_parent(transaction: Transaction, parent: ValidateJob, end_us: int) -> None:
    """End a job of sys, which is locked, when the last of its children has ended."""
    children = children_of(transaction, _JOB, parent)
    outcome = outcome_of(parent, children)
    if outcome is None:
        return
    ended = replace(
        parent,
        status=outcome.status,
        result=outcome.result,
        comment=outcome.comment,
        success_task_count=outcome.success_count,
        end_timestamp_us=end_us,
    )
    _JOB.update(transaction, ended)


def _update_job(transaction: Transaction, job: ValidateJob) -> ValidateJob:
    stored = _JOB.locked(transaction, job)
    if stored is None:
        raise NotFoundError(f"tenant {job.tenant_id} has no validation job {job.job_id}")
    if not stored.is_active:
        raise ConflictError(f"validation job {job.job_id} of tenant {job.tenant_id} ended as {stored.status}")
    if stored.cancel_requested:
        status = JobStatus.CANCELING if job.is_active else job.status
        job = replace(job, status=status, cancel_requested=True)
    # Tasks count their successes themselves.
    job = replace(job, success_task_count=max(stored.success_task_count, job.success_task_count))
    _JOB.update(transaction, job)
    return job


def _update_task(transaction: Transaction, task: ValidateTask) -> None:
    stored = _TASK.locked(transaction, task)
    if stored is None or not stored.is_active:
        raise ConflictError(f"validation task {task.task_id} of tenant {task.tenant_id} has ended")
    if stored.status is JobStatus.CANCELING and task.is_active:
        task = replace(task, status=JobStatus.CANCELING)
    _TASK.update(transaction, task)
