"""Cleanup: policies, pins, deletion jobs and their tasks, and what a deletion makes of sets, pieces and paths.

A deletion is marked here before the first object goes and ended here after the last one went: FILE_STATUS turns to
DELETING, then to DELETED, never back. The tenant's row is locked by whoever begins a job, marks a set, pins one, or begins
an increment, so of a pin and a deletion, or of an increment and the deletion of its base, the second is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast import codes
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.connections import Connections, Transaction
from holdfast.catalog.parents import children_of, locked_parent, outcome_of
from holdfast.catalog.records import Record, us_from_time
from holdfast.catalog.sequences import next_id
from holdfast.catalog.validation import ValidateType, close_damages
from holdfast.errors import ConflictError, NotFoundError, RefusedError, refuse
from holdfast.values.archive import FileStatus, Piece
from holdfast.values.backup_set import JobLevel, JobStatus, SetStatus

_JOB_ENDS = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


class DeleteType(StrEnum):
    """TYPE of a deletion job."""

    OBSOLETE = "DELETE OBSOLETE BACKUP"
    BACKUPSET = "DELETE BACKUPSET"
    PIECE = "DELETE ARCHIVELOG_PIECE"
    ALL = "DELETE BACKUP ALL"


class DeleteTaskType(StrEnum):
    BACKUP_SET = "BACKUP SET"
    BACKUP_PIECE = "BACKUP PIECE"
    COMPLEMENT_LOG = "BACKUP COMPLEMENT LOG"


class DestinationState(StrEnum):
    """STATUS of a path: DELETED ones are shown in no view but the history and can not be set again."""

    NORMAL = "NORMAL"
    DELETING = "DELETING"
    DELETED = "DELETED"

    @property
    def is_final(self) -> bool:
        return self is DestinationState.DELETED


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePolicy:
    """A row of BACKUP_DELETE_POLICY. `recovery_window` as the statement wrote it, "" when it wrote none."""

    tenant_id: int
    policy_name: str
    recovery_window: str
    redundancy: int
    backup_copies: int
    create_time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedSet:
    """A row of BACKUP_PINS: a set kept for ever."""

    tenant_id: int
    backup_set_id: int
    note: str
    pin_timestamp_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteJob:
    """A row of BACKUP_DELETE_JOBS. Times: microseconds since the epoch, `end_timestamp_us` None while active.

    `parameter` is a list of ids or a DEST_ID; of an OBSOLETE job `expired_time_us` stands for it. Not in the view:
    `dest_id` (0 unless TYPE is DELETE BACKUP ALL), `owner_generation`, `attempt`, `cancel_requested` as in BackupJob.
    """

    tenant_id: int
    job_id: int
    initiator_tenant_id: int
    initiator_job_id: int
    executor_tenant_ids: tuple[int, ...]
    type: DeleteType
    parameter: str = ""
    expired_time_us: int | None = None
    job_level: JobLevel
    start_timestamp_us: int
    end_timestamp_us: int | None = None
    status: JobStatus = JobStatus.INIT
    task_count: int = 0
    success_task_count: int = 0
    result: int = 0
    comment: str = ""
    description: str = ""
    dest_id: int = 0
    owner_generation: int = 0
    attempt: int = 1
    cancel_requested: bool = False

    @property
    def is_active(self) -> bool:
        return self.status not in _JOB_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTask:
    """A row of BACKUP_DELETE_TASKS. `object_id`: of the set or piece (column ID)."""

    tenant_id: int
    task_id: int
    job_id: int
    task_type: DeleteTaskType
    object_id: int
    round_id: int = 0
    dest_id: int
    start_timestamp_us: int
    end_timestamp_us: int | None = None
    status: JobStatus = JobStatus.INIT
    total_ls_count: int = 1
    finish_ls_count: int = 0
    total_bytes: int = 0
    delete_bytes: int = 0
    total_files_count: int = 0
    delete_files_count: int = 0
    result: int = 0
    comment: str = ""
    path: str = ""

    @property
    def is_active(self) -> bool:
        return self.status not in _JOB_ENDS


_POLICY = Record("delete_policy", DeletePolicy, key=("tenant_id",))
_PIN = Record("pin", PinnedSet, key=("tenant_id", "backup_set_id"))
_JOB = Record(
    "delete_job", DeleteJob, key=("tenant_id", "job_id"), columns={"executor_tenant_ids": "executor_tenant_id"}
)
_TASK = Record("delete_task", DeleteTask, key=("tenant_id", "task_id"), columns={"object_id": "id"})
_SET = Record("backup_set", BackupSet, key=("tenant_id", "backup_set_id"))
_PIECE = Record("archive_piece", Piece, key=("tenant_id", "round_id", "piece_id"))
_ACTIVE = "status IN ('INIT', 'DOING', 'CANCELING')"


class Cleanup:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    # --- policies and pins

    def policy(self, tenant_id: int) -> DeletePolicy | None:
        with self._connections.transaction() as transaction:
            return _POLICY.one(transaction, "WHERE tenant_id = %s", (tenant_id,))

    def policies(self) -> tuple[DeletePolicy, ...]:
        """Return the policy of every tenant that has one, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return _POLICY.select(transaction, "ORDER BY tenant_id")

    def add_policy(self, policy: DeletePolicy) -> None:
        """Give the tenant its policy. Raises ConflictError (-4017) when it has one: there is no way to change it."""
        with self._connections.transaction() as transaction:
            _POLICY.insert(transaction, policy)

    def drop_policy(self, tenant_id: int, name: str) -> None:
        """Take the tenant's policy of this name away. Raises NotFoundError (-4018) when there is none."""
        with self._connections.transaction() as transaction:
            count = transaction.execute(
                "DELETE FROM __holdfast.delete_policy WHERE tenant_id = %s AND policy_name = %s", (tenant_id, name)
            )
        if not count:
            raise NotFoundError(f"there is no delete policy {name!r}")

    def pins(self, tenant_id: int) -> tuple[PinnedSet, ...]:
        with self._connections.transaction() as transaction:
            return _PIN.select(transaction, "WHERE tenant_id = %s ORDER BY backup_set_id", (tenant_id,))

    def pin(self, pin: PinnedSet, chain: Sequence[int]) -> None:
        """Keep a set and `chain`, the sets it rests on. Raises ConflictError (-4017) when it is pinned already.

        Refused with -4179 when one of them is no longer AVAILABLE, with -9044 while a deletion of the tenant is carried
        out: its plan does not know the pin.
        """
        with self._connections.transaction() as transaction:
            _lock_tenant(transaction, pin.tenant_id)
            if _JOB.one(transaction, f"WHERE tenant_id = %s AND {_ACTIVE} AND task_count > 0", (pin.tenant_id,)):
                raise refuse(codes.OB_BACKUP_DELETE_DATA_IN_PROGRESS, hint="pin again when it has ended, or cancel it")
            for set_id in (pin.backup_set_id, *chain):
                found = _set(transaction, pin.tenant_id, set_id)
                if (found.status, found.file_status) != (SetStatus.SUCCESS, FileStatus.AVAILABLE):
                    raise refuse(
                        codes.OB_OP_NOT_ALLOW,
                        "pinning a backup set that can not be restored is",
                        hint=f"set {set_id} is {found.status} and {found.file_status}",
                    )
            _PIN.insert(transaction, pin)

    def unpin(self, tenant_id: int, backup_set_id: int) -> None:
        """Let the policy have the set again. Raises NotFoundError (-4018) when it is not pinned."""
        with self._connections.transaction() as transaction:
            count = transaction.execute(
                "DELETE FROM __holdfast.pin WHERE tenant_id = %s AND backup_set_id = %s", (tenant_id, backup_set_id)
            )
        if not count:
            raise NotFoundError(f"backup set {backup_set_id} is not pinned")

    # --- jobs

    def next_job_id(self, tenant_id: int) -> int:
        """Return the id for a new job of the tenant (1 for sys rows), from 1 up; each call gives another one."""
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, "delete_job")

    def submit(self, jobs: Sequence[DeleteJob]) -> None:
        """Record new jobs, a sys row and its children or one tenant's own, all or none. A tenant's jobs queue."""
        with self._connections.transaction() as transaction:
            for job in jobs:
                _JOB.insert(transaction, job)

    def job(self, tenant_id: int, job_id: int) -> DeleteJob:
        """Return a job in whatever state. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s", (tenant_id, job_id))
        if job is None:
            raise NotFoundError(f"tenant {tenant_id} has no deletion job {job_id}")
        return job

    def active_jobs(self) -> tuple[DeleteJob, ...]:
        """Return active jobs of all tenants, sorted by tenant and id."""
        with self._connections.transaction() as transaction:
            return _JOB.select(transaction, f"WHERE {_ACTIVE} ORDER BY tenant_id, job_id")

    def children(self, parent: DeleteJob) -> tuple[DeleteJob, ...]:
        """Return the tenants' jobs of a sys job, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return children_of(transaction, _JOB, parent)

    def last_obsolete_us(self, tenant_id: int) -> int | None:
        """Return when the tenant's newest DELETE OBSOLETE BACKUP began, by hand or by itself; None before the first."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT start_timestamp FROM __holdfast.delete_job WHERE tenant_id = %s AND type = %s"
                " ORDER BY job_id DESC LIMIT 1",
                (tenant_id, str(DeleteType.OBSOLETE)),
            )
        return None if row is None else us_from_time(row[0])  # type: ignore[arg-type]

    def claim(self, tenant_id: int, job_id: int, generation: int) -> DeleteJob | None:
        """Make the server of this generation the owner and return the job; None when it has ended.

        A job claimed before, by an earlier server or by a worker that lost the catalog, counts one more attempt. That one job
        has one worker is the caller's to see to.
        """
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", (tenant_id, job_id))
            if job is None or not job.is_active:
                return None
            attempt = job.attempt + 1 if job.owner_generation else job.attempt
            claimed = replace(job, owner_generation=generation, attempt=attempt)
            _JOB.update(transaction, claimed)
            return claimed

    def begin(self, job: DeleteJob, tasks: Sequence[DeleteTask], pins: Sequence[PinnedSet]) -> DeleteJob:
        """Move a job to DOING together with all its tasks (their ids are given here): from then on the tasks are its plan.

        Returns the job as stored: CANCELING when a cancel was requested meanwhile. Refused with -4023 when the tenant's pins
        are no longer `pins`, those the plan was made with, or when the path of a DELETE BACKUP ALL is in use again: make another.
        """
        with self._connections.transaction() as transaction:
            _lock_tenant(transaction, job.tenant_id)
            where = "WHERE tenant_id = %s ORDER BY backup_set_id"
            if _PIN.select(transaction, where, (job.tenant_id,)) != tuple(pins):
                raise refuse(codes.OB_EAGAIN)
            stored = _update_job(transaction, replace(job, task_count=len(tasks)))
            for task in tasks:
                task_id = next_id(transaction, task.tenant_id, "delete_task")
                _TASK.insert(transaction, replace(task, task_id=task_id))
            if job.dest_id:
                _require_unused(transaction, job)
                _set_destination(transaction, job.tenant_id, job.dest_id, DestinationState.DELETING)
            return stored

    def update_job(self, job: DeleteJob) -> DeleteJob:
        """Replace an active job's row and return it as stored; CANCELING is not turned back.

        Raises ConflictError when the job has ended, NotFoundError when it is unknown.
        """
        with self._connections.transaction() as transaction:
            return _update_job(transaction, job)

    def finish(self, job: DeleteJob) -> None:
        """End a job. Tasks it did not come to end with it, as CANCELED, and the job of sys whose last it was. Raises as `update_job`.

        A completed DELETE BACKUP ALL makes its path DELETED; one that ended before anything was removed gives it back.
        """
        assert not job.is_active, f"deletion job {job.job_id} ends as {job.status}"
        assert job.end_timestamp_us is not None, "an ended job has an end"
        with self._connections.transaction() as transaction:
            parent = locked_parent(transaction, _JOB, job)
            _update_job(transaction, job)
            for task in _tasks(transaction, job):
                if task.is_active:
                    left = replace(
                        task,
                        status=JobStatus.CANCELED,
                        end_timestamp_us=job.end_timestamp_us,
                        result=codes.OB_CANCELED.number,
                    )
                    _TASK.update(transaction, left)
            if job.dest_id and job.status is JobStatus.COMPLETED:
                _set_destination(transaction, job.tenant_id, job.dest_id, DestinationState.DELETED)
            elif job.dest_id and not _is_anything_removed(transaction, job.tenant_id, job.dest_id):
                transaction.execute(
                    "DELETE FROM __holdfast.destination_deletion WHERE tenant_id = %s AND dest_id = %s",
                    (job.tenant_id, job.dest_id),
                )
            if parent is not None:
                _end_parent(transaction, parent, job.end_timestamp_us)

    def request_cancel(self, tenant_id: int, job_id: int) -> bool:
        """Ask an active job to end: it becomes CANCELING. Returns False when it has ended or is unknown."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", (tenant_id, job_id))
            if job is None or not job.is_active:
                return False
            _JOB.update(transaction, replace(job, status=JobStatus.CANCELING, cancel_requested=True))
            return True

    def cancel_requested(self, tenant_id: int, job_id: int) -> bool:
        """Return whether the job was asked to end. Cheap: workers ask between objects."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT cancel_requested FROM __holdfast.delete_job WHERE tenant_id = %s AND job_id = %s",
                (tenant_id, job_id),
            )
        return row is not None and row[0] == "ON"

    # --- tasks: what happens to one set or piece

    def tasks(self, job: DeleteJob) -> tuple[DeleteTask, ...]:
        """Return the tasks of a job in the order in which they are carried out."""
        with self._connections.transaction() as transaction:
            return _tasks(transaction, job)

    def begin_task(self, task: DeleteTask) -> DeleteTask:
        """Move a task to DOING and its set or piece to DELETING, before the first object goes. Repeatable.

        Refused with -9045 when the set became the base of another since the plan was made.
        """
        with self._connections.transaction() as transaction:
            _lock_tenant(transaction, task.tenant_id)
            if task.task_type is DeleteTaskType.BACKUP_PIECE:
                _mark_piece(transaction, task)
            else:
                _mark_set(transaction, task)
            begun = replace(task, status=JobStatus.DOING)
            _TASK.update(transaction, begun)
            return begun

    def note_task(self, task: DeleteTask) -> None:
        """Record the progress of a task that goes on."""
        with self._connections.transaction() as transaction:
            _TASK.update(transaction, task)

    def finish_task(self, task: DeleteTask, *, is_gone: bool, is_whole: bool = False) -> None:
        """End a task. `is_gone`: nothing of its set or piece is left, so FILE_STATUS becomes DELETED, figures follow and its
        open damage is cleared.

        `is_whole`: nothing of it was removed, so DELETING is taken back. Of a task that ended well the job counts one more success,
        in the same transaction.
        """
        assert not (is_gone and is_whole)
        assert not task.is_active, f"deletion task {task.task_id} ends as {task.status}"
        with self._connections.transaction() as transaction:
            _TASK.update(transaction, task)
            if task.status is JobStatus.COMPLETED:
                transaction.execute(
                    "UPDATE __holdfast.delete_job SET success_task_count = success_task_count + 1"
                    " WHERE tenant_id = %s AND job_id = %s",
                    (task.tenant_id, task.job_id),
                )
            if is_gone and task.task_type is DeleteTaskType.BACKUP_PIECE:
                _end_piece(transaction, task)
            elif is_gone:
                found = _set(transaction, task.tenant_id, task.object_id)
                _SET.update(transaction, replace(found, file_status=FileStatus.DELETED))
            elif is_whole:
                _take_back(transaction, task)
            if is_gone:
                assert task.end_timestamp_us is not None, "an ended task has an end"
                place = (task.tenant_id, task.dest_id, _damage_kind(task), task.object_id)
                close_damages(transaction, *place, task.end_timestamp_us)

    def still_deleting(self, job: DeleteJob) -> tuple[DeleteTask, ...]:
        """Return the job's tasks whose set or piece is DELETING, one for each."""
        with self._connections.transaction() as transaction:
            found = {
                (task.task_type is DeleteTaskType.BACKUP_PIECE, task.object_id): task
                for task in _tasks(transaction, job)
                if _file_status(transaction, task) is FileStatus.DELETING
            }
        return tuple(found.values())

    # --- paths

    def destination_state(self, tenant_id: int, dest_id: int) -> DestinationState:
        with self._connections.transaction() as transaction:
            return destination_state(transaction, tenant_id, dest_id)

    def forget_tenant(self, tenant_id: int) -> None:
        """Remove policy and pins of a tenant that is dropped: they would act on nothing. What it backed up stays."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.delete_policy WHERE tenant_id = %s", (tenant_id,))
            transaction.execute("DELETE FROM __holdfast.pin WHERE tenant_id = %s", (tenant_id,))


def destination_state(transaction: Transaction, tenant_id: int, dest_id: int) -> DestinationState:
    """Return whether a path is being emptied, or was, by DELETE BACKUP ALL."""
    row = transaction.one(
        "SELECT status FROM __holdfast.destination_deletion WHERE tenant_id = %s AND dest_id = %s", (tenant_id, dest_id)
    )
    return DestinationState.NORMAL if row is None else DestinationState(str(row[0]))


def _set_destination(transaction: Transaction, tenant_id: int, dest_id: int, state: DestinationState) -> None:
    transaction.execute(
        "REPLACE INTO __holdfast.destination_deletion (tenant_id, dest_id, status) VALUES (%s, %s, %s)",
        (tenant_id, dest_id, str(state)),
    )


def _is_anything_removed(transaction: Transaction, tenant_id: int, dest_id: int) -> bool:
    """Return whether a deletion has begun to remove, or has removed, a set or piece of the path."""
    return any(
        transaction.one(
            f"SELECT 1 FROM __holdfast.{table} WHERE tenant_id = %s AND dest_id = %s"
            " AND file_status IN ('DELETING', 'DELETED') LIMIT 1",
            (tenant_id, dest_id),
        )
        is not None
        for table in ("backup_set", "archive_piece")
    )


def _require_unused(transaction: Transaction, job: DeleteJob) -> None:
    """Refuse a path that was set, or is written to, since the plan was made."""
    where = (job.tenant_id, job.dest_id)
    used = (
        "SELECT 1 FROM __holdfast.backup_parameter WHERE tenant_id = %s AND dest_id = %s",
        "SELECT 1 FROM __holdfast.archive_dest WHERE tenant_id = %s AND name = 'dest_id' AND value = %s",
        f"SELECT 1 FROM __holdfast.backup_job WHERE tenant_id = %s AND dest_id = %s AND {_ACTIVE}",
    )
    if any(transaction.one(sql, where) is not None for sql in used):
        raise refuse(codes.OB_EAGAIN)


def _lock_tenant(transaction: Transaction, tenant_id: int) -> None:
    transaction.query("SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", (tenant_id,))


def _set(transaction: Transaction, tenant_id: int, set_id: int) -> BackupSet:
    found = _SET.one(transaction, "WHERE tenant_id = %s AND backup_set_id = %s FOR UPDATE", (tenant_id, set_id))
    if found is None:
        raise NotFoundError(f"tenant {tenant_id} has no backup set {set_id}")
    return found


def _mark_set(transaction: Transaction, task: DeleteTask) -> None:
    found = _set(transaction, task.tenant_id, task.object_id)
    if found.file_status in {FileStatus.DELETING, FileStatus.DELETED}:
        return
    resting = _SET.one(
        transaction,
        "WHERE tenant_id = %s AND (prev_inc_backup_set_id = %s OR prev_full_backup_set_id = %s)"
        " AND (status = 'DOING' OR status = 'SUCCESS' AND file_status = 'AVAILABLE') ORDER BY backup_set_id LIMIT 1",
        (task.tenant_id, task.object_id, task.object_id),
    )
    if resting is not None and found.status is SetStatus.SUCCESS:
        reason = f"id={task.object_id}(dependent by backup set id={resting.backup_set_id})"
        raise RefusedError(reason, code=codes.OB_BACKUP_DELETE_BACKUP_SET_NOT_ALLOWED)
    _SET.update(transaction, replace(found, file_status=FileStatus.DELETING))


def _mark_piece(transaction: Transaction, task: DeleteTask) -> None:
    found = _piece(transaction, task)
    if found.file_status in {FileStatus.DELETING, FileStatus.DELETED}:
        return
    _PIECE.update(transaction, replace(found, file_status=FileStatus.DELETING))


def _file_status(transaction: Transaction, task: DeleteTask) -> FileStatus:
    if task.task_type is DeleteTaskType.BACKUP_PIECE:
        return _piece(transaction, task).file_status
    return _set(transaction, task.tenant_id, task.object_id).file_status


def _damage_kind(task: DeleteTask) -> ValidateType:
    return ValidateType.PIECE if task.task_type is DeleteTaskType.BACKUP_PIECE else ValidateType.BACKUPSET


def _take_back(transaction: Transaction, task: DeleteTask) -> None:
    """Give a set or piece that is DELETING the status it has while nobody deletes it."""
    is_piece = task.task_type is DeleteTaskType.BACKUP_PIECE
    if _file_status(transaction, task) is not FileStatus.DELETING:
        return
    damage = transaction.one(
        "SELECT 1 FROM __holdfast.backup_damage WHERE tenant_id = %s AND dest_id = %s AND object_type = %s AND object_id = %s"
        " AND status = 'OPEN' LIMIT 1",
        (task.tenant_id, task.dest_id, str(_damage_kind(task)), task.object_id),
    )
    status = FileStatus.AVAILABLE if damage is None else FileStatus.BROKEN
    if is_piece:
        _PIECE.update(transaction, replace(_piece(transaction, task), file_status=status))
        return
    found = _set(transaction, task.tenant_id, task.object_id)
    _SET.update(
        transaction,
        replace(found, file_status=status if found.status is SetStatus.SUCCESS else FileStatus.INCOMPLETE),
    )


def _end_piece(transaction: Transaction, task: DeleteTask) -> None:
    found = _piece(transaction, task)
    if found.file_status is FileStatus.DELETED:
        return
    _PIECE.update(transaction, replace(found, file_status=FileStatus.DELETED))
    transaction.execute(
        "UPDATE __holdfast.archive_round SET deleted_input_bytes = deleted_input_bytes + %s,"
        " deleted_output_bytes = deleted_output_bytes + %s WHERE tenant_id = %s AND round_id = %s",
        (found.input_bytes, found.output_bytes, task.tenant_id, task.round_id),
    )


def _piece(transaction: Transaction, task: DeleteTask) -> Piece:
    found = _PIECE.one(
        transaction,
        "WHERE tenant_id = %s AND round_id = %s AND piece_id = %s FOR UPDATE",
        (task.tenant_id, task.round_id, task.object_id),
    )
    if found is None:
        raise NotFoundError(f"tenant {task.tenant_id} has no archive piece {task.object_id}")
    return found


def _tasks(transaction: Transaction, job: DeleteJob) -> tuple[DeleteTask, ...]:
    return _TASK.select(
        transaction, "WHERE tenant_id = %s AND job_id = %s ORDER BY task_id", (job.tenant_id, job.job_id)
    )


def _end_parent(transaction: Transaction, parent: DeleteJob, end_us: int) -> None:
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


def _update_job(transaction: Transaction, job: DeleteJob) -> DeleteJob:
    stored = _JOB.locked(transaction, job)
    if stored is None:
        raise NotFoundError(f"tenant {job.tenant_id} has no deletion job {job.job_id}")
    if not stored.is_active:
        raise ConflictError(f"deletion job {job.job_id} of tenant {job.tenant_id} ended as {stored.status}")
    if stored.cancel_requested:
        status = JobStatus.CANCELING if job.is_active else job.status
        job = replace(job, status=status, cancel_requested=True)
    # Tasks count their successes themselves.
    job = replace(job, success_task_count=max(stored.success_task_count, job.success_task_count))
    _JOB.update(transaction, job)
    return job
