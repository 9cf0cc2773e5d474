"""Backup jobs, their tasks, and the sets they make.

One table each holds active and ended rows; the views tell them apart by status. A job that ended never changes again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.catalog.connections import Connections, Transaction
from holdfast.catalog.parents import children_of, locked_parent, outcome_of
from holdfast.catalog.records import Record
from holdfast.catalog.sequences import last_id, next_id, raise_last_id
from holdfast.errors import ConflictError, EngineError, NotFoundError, refuse
from holdfast.values.archive import FileStatus
from holdfast.values.backup_set import BackupType, JobLevel, JobStatus, SetStatus, TaskStatus
from holdfast.values.scn import SCN_NONE, Scn

ENCRYPTION_NONE = "NONE"
ENCRYPTION_PASSWORD = "PASSWORD"
ENCRYPTION_KEY = "TRANSPARENT_ENCRYPTION"
"""OceanBase's word for what is sealed with a key of the tenant's, which nobody has to name."""
PASSWD_SHOWN = "***"
"""What PASSWD says of every set that has a password. It says nothing of which: OceanBase's SHA1(SHA1(password)) is a guesser's tool."""

_JOB_ENDS = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})
_TASK_ENDS = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELED})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupJob:
    """A row of BACKUP_JOBS. Times: microseconds since the epoch, `end_timestamp_us` None while active.

    Not in the view: `dest_id` names the destination (0 in a sys row), `owner_generation` the server that works on it
    (0: nobody yet), `attempt` counts from 1, `cancel_requested` is set by request_cancel alone.
    """

    tenant_id: int
    job_id: int
    backup_set_id: int
    initiator_tenant_id: int
    initiator_job_id: int
    executor_tenant_ids: tuple[int, ...]
    plus_archivelog: bool
    backup_type: BackupType
    job_level: JobLevel
    start_timestamp_us: int
    encryption_mode: str = ENCRYPTION_NONE
    passwd: str = ""
    end_timestamp_us: int | None = None
    status: JobStatus = JobStatus.INIT
    result: int = 0
    comment: str = ""
    description: str = ""
    path: str = ""
    dest_id: int = 0
    owner_generation: int = 0
    attempt: int = 1
    cancel_requested: bool = False

    @property
    def is_active(self) -> bool:
        return self.status not in _JOB_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupTask:
    """A row of BACKUP_TASKS. Rates and percentages are the views' own arithmetic."""

    tenant_id: int
    task_id: int
    job_id: int
    backup_set_id: int
    start_timestamp_us: int
    end_timestamp_us: int | None = None
    status: TaskStatus = TaskStatus.INIT
    start_scn: Scn = SCN_NONE
    end_scn: Scn = SCN_NONE
    user_ls_start_scn: Scn = SCN_NONE
    encryption_mode: str = ENCRYPTION_NONE
    passwd: str = ""
    input_bytes: int = 0
    output_bytes: int = 0
    extra_meta_bytes: int = 0
    tablet_count: int = 0
    finish_tablet_count: int = 0
    macro_block_count: int = 0
    finish_macro_block_count: int = 0
    file_count: int = 0
    meta_turn_id: int = 1
    data_turn_id: int = 1
    result: int = 0
    comment: str = ""
    path: str = ""
    minor_turn_id: int = 1
    major_turn_id: int = 1
    log_file_count: int = 0
    finish_log_file_count: int = 0

    @property
    def is_active(self) -> bool:
        return self.status not in _TASK_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSet:
    """A row of BACKUP_SET_FILES. `path` is the destination's root, not the set's folder."""

    tenant_id: int
    backup_set_id: int
    dest_id: int
    backup_type: BackupType
    prev_full_backup_set_id: int
    prev_inc_backup_set_id: int
    start_timestamp_us: int
    end_timestamp_us: int | None = None
    status: SetStatus = SetStatus.DOING
    file_status: FileStatus = FileStatus.COPYING
    plus_archivelog: bool = False
    start_replay_scn: Scn = SCN_NONE
    min_restore_scn: Scn = SCN_NONE
    consistent_scn: Scn = SCN_NONE
    input_bytes: int = 0
    output_bytes: int = 0
    extra_meta_bytes: int = 0
    tablet_count: int = 0
    finish_tablet_count: int = 0
    macro_block_count: int = 0
    finish_macro_block_count: int = 0
    file_count: int = 0
    meta_turn_id: int = 1
    data_turn_id: int = 1
    minor_turn_id: int = 1
    major_turn_id: int = 1
    result: int = 0
    comment: str = ""
    encryption_mode: str = ENCRYPTION_NONE
    passwd: str = ""
    tenant_compatible: str = ""
    backup_compatible: int = 1
    path: str = ""
    cluster_version: str = ""


_JOB = Record(
    "backup_job", BackupJob, key=("tenant_id", "job_id"), columns={"executor_tenant_ids": "executor_tenant_id"}
)
_TASK = Record("backup_task", BackupTask, key=("tenant_id", "task_id"))
_SET = Record("backup_set", BackupSet, key=("tenant_id", "backup_set_id"))
_ACTIVE = "status IN ('INIT', 'DOING', 'CANCELING')"


class Backups:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def next_job_id(self, tenant_id: int) -> int:
        """Return the id for a new job of the tenant (1 for sys rows), from 1 up; each call gives another one."""
        return self._next(tenant_id, "backup_job")

    def next_task_id(self, tenant_id: int) -> int:
        """Return the id for a new task, as `next_job_id`."""
        return self._next(tenant_id, "backup_task")

    def next_set_id(self, tenant_id: int) -> int:
        """Return the id for a new set, as `next_job_id`; failed and cancelled backups use theirs up."""
        return self._next(tenant_id, "backup_set")

    def last_set_id(self, tenant_id: int) -> int:
        """Return the highest id that any set of the tenant has or had, 0 before the first."""
        with self._connections.transaction() as transaction:
            given = last_id(transaction, tenant_id, "backup_set")
            row = transaction.one(
                "SELECT COALESCE(MAX(backup_set_id), 0) FROM __holdfast.backup_set WHERE tenant_id = %s", (tenant_id,)
            )
        return max(given, 0 if row is None else int(str(row[0])))

    def raise_set_id(self, tenant_id: int, least: int) -> None:
        """Give the tenant's sets only ids above `least` from now on."""
        with self._connections.transaction() as transaction:
            raise_last_id(transaction, tenant_id, "backup_set", least)

    def submit(self, jobs: Sequence[BackupJob]) -> None:
        """Record new jobs, a sys row and its children or one tenant's own, all or none.

        Refused with -9036 when a tenant of the rows (tenant 1 of a sys row included) has an active job already: of two
        statements at once, one is refused. Raises NotFoundError (-5157) when a tenant is gone.
        """
        with self._connections.transaction() as transaction:
            # The tenants' rows are the lock, taken in order of id so that two statements can not wait for each other.
            for tenant_id in sorted({job.tenant_id for job in jobs}):
                found = transaction.one(
                    "SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", (tenant_id,)
                )
                if found is None:
                    raise NotFoundError(codes.OB_TENANT_NOT_EXIST.text(tenant_id), code=codes.OB_TENANT_NOT_EXIST)
                if _JOB.one(transaction, f"WHERE tenant_id = %s AND {_ACTIVE}", (tenant_id,)) is not None:
                    raise refuse(codes.OB_BACKUP_IN_PROGRESS)
            for job in jobs:
                _JOB.insert(transaction, job)

    def update_job(self, job: BackupJob) -> BackupJob:
        """Replace an active job's row and return it as stored.

        A cancel that was requested meanwhile stays: status CANCELING is not turned back into INIT or DOING, so the answer
        tells the worker. Raises ConflictError when the job has ended, NotFoundError when it is unknown.
        """
        with self._connections.transaction() as transaction:
            return _update_job(transaction, job)

    def begin(self, job: BackupJob, task: BackupTask, backup_set: BackupSet) -> BackupJob:
        """Move a job to DOING together with its new task and set rows; returns and raises as `update_job`.

        Raises EngineError when the base of an increment is being deleted: of the two, the later one gives way. Refused with
        -9081 when the path is emptied by DELETE BACKUP ALL.
        """
        with self._connections.transaction() as transaction:
            _require_base_and_path(transaction, backup_set)
            stored = _update_job(transaction, job)
            _TASK.upsert(transaction, task)
            _SET.upsert(transaction, backup_set)
            return stored

    def insert_task(self, task: BackupTask) -> None:
        """Add a task row. Raises ConflictError when its id is taken."""
        with self._connections.transaction() as transaction:
            _TASK.insert(transaction, task)

    def insert_set(self, backup_set: BackupSet) -> None:
        """Add a set row. Raises ConflictError when its id is taken."""
        with self._connections.transaction() as transaction:
            _SET.insert(transaction, backup_set)

    def update_task(self, task: BackupTask) -> BackupTask:
        """Replace an active task's row and return it as stored; CANCELING stays, as in `update_job`."""
        with self._connections.transaction() as transaction:
            return _update_task(transaction, task)

    def update_set(self, backup_set: BackupSet) -> None:
        """Replace a set's row; no effect when it is unknown."""
        with self._connections.transaction() as transaction:
            _SET.update(transaction, backup_set)

    def finish(self, job: BackupJob, *, task: BackupTask | None = None, backup_set: BackupSet | None = None) -> None:
        """End a job, its task and its set in one transaction: their rows change view together, and with them the sys job's above.

        Raises ConflictError when the job or the task has ended already, NotFoundError when one is unknown.
        """
        assert not job.is_active, f"job {job.job_id} ends as {job.status}"
        assert job.end_timestamp_us is not None, "an ended job has an end"
        assert task is None or not task.is_active, "a job does not end before its task"
        assert task is None or task.end_timestamp_us is not None, "an ended task has an end"
        with self._connections.transaction() as transaction:
            parent = locked_parent(transaction, _JOB, job)
            _update_job(transaction, job)
            if task is not None:
                _update_task(transaction, task)
            if backup_set is not None:
                _SET.update(transaction, backup_set)
            if parent is not None:
                _end_parent(transaction, parent, job.end_timestamp_us)

    def request_cancel(self, tenant_id: int, job_id: int) -> bool:
        """Ask an active job to end: it and its task become CANCELING. Returns False when it has ended or is unknown."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", (tenant_id, job_id))
            if job is None or not job.is_active:
                return False
            _JOB.update(transaction, replace(job, status=JobStatus.CANCELING, cancel_requested=True))
            transaction.execute(
                "UPDATE __holdfast.backup_task SET status = 'CANCELING'"
                " WHERE tenant_id = %s AND job_id = %s AND end_timestamp IS NULL",
                (tenant_id, job_id),
            )
            return True

    def cancel_requested(self, tenant_id: int, job_id: int) -> bool:
        """Return whether the job was asked to end. Cheap: workers ask between chunks."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT cancel_requested FROM __holdfast.backup_job WHERE tenant_id = %s AND job_id = %s",
                (tenant_id, job_id),
            )
        return row is not None and row[0] == "ON"

    def job(self, tenant_id: int, job_id: int) -> BackupJob:
        """Return a job in whatever state. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s", (tenant_id, job_id))
        if job is None:
            raise NotFoundError(f"tenant {tenant_id} has no backup job {job_id}")
        return job

    def newest_job_id(self, tenant_id: int) -> int:
        """Return the id of the tenant's newest job, 0 before the first."""
        with self._connections.transaction() as transaction:
            row = transaction.one(
                "SELECT COALESCE(MAX(job_id), 0) FROM __holdfast.backup_job WHERE tenant_id = %s", (tenant_id,)
            )
        return 0 if row is None else int(str(row[0]))

    def active_jobs(
        self, *, tenant_id: int | None = None, initiator_tenant_id: int | None = None
    ) -> tuple[BackupJob, ...]:
        """Return active jobs, of one tenant or begun by one tenant where given, sorted by tenant and id."""
        where, args = f"WHERE {_ACTIVE}", []
        if tenant_id is not None:
            where += " AND tenant_id = %s"
            args.append(tenant_id)
        if initiator_tenant_id is not None:
            where += " AND initiator_tenant_id = %s"
            args.append(initiator_tenant_id)
        with self._connections.transaction() as transaction:
            return _JOB.select(transaction, f"{where} ORDER BY tenant_id, job_id", args)

    def orphans(self, generation: int) -> tuple[BackupJob, ...]:
        """Return active jobs whose owner is not the server of this generation: to be resumed or ended on start."""
        with self._connections.transaction() as transaction:
            return _JOB.select(
                transaction, f"WHERE {_ACTIVE} AND owner_generation <> %s ORDER BY tenant_id, job_id", (generation,)
            )

    def claim(self, tenant_id: int, job_id: int, generation: int, *, is_again: bool = False) -> BackupJob | None:
        """Make the server of this generation the owner and return the job; None when it is its own already or ended.

        Of two workers at once, one gets None. A job taken over from an earlier server counts one more attempt, and so does
        one that its worker left here: `is_again`, said by who knows that no worker has it.
        """
        with self._connections.transaction() as transaction:
            job = _JOB.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", (tenant_id, job_id))
            if job is None or not job.is_active or (job.owner_generation == generation and not is_again):
                return None
            attempt = job.attempt + 1 if job.owner_generation else job.attempt
            claimed = replace(job, owner_generation=generation, attempt=attempt)
            _JOB.update(transaction, claimed)
            return claimed

    def children(self, parent: BackupJob) -> tuple[BackupJob, ...]:
        """Return the tenants' jobs of a sys job, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return children_of(transaction, _JOB, parent)

    def tasks(self, tenant_id: int, job_id: int) -> tuple[BackupTask, ...]:
        """Return the tasks of a job, sorted by id."""
        with self._connections.transaction() as transaction:
            return _TASK.select(
                transaction, "WHERE tenant_id = %s AND job_id = %s ORDER BY task_id", (tenant_id, job_id)
            )

    def backup_set(self, tenant_id: int, backup_set_id: int) -> BackupSet:
        """Return a set in whatever state. Raises NotFoundError (-4018)."""
        with self._connections.transaction() as transaction:
            found = _SET.one(transaction, "WHERE tenant_id = %s AND backup_set_id = %s", (tenant_id, backup_set_id))
        if found is None:
            raise NotFoundError(f"tenant {tenant_id} has no backup set {backup_set_id}")
        return found

    def sets(self, tenant_id: int, dest_id: int | None = None) -> tuple[BackupSet, ...]:
        """Return the tenant's sets, at one destination or at all, sorted by id."""
        with self._connections.transaction() as transaction:
            if dest_id is None:
                return _SET.select(transaction, "WHERE tenant_id = %s ORDER BY backup_set_id", (tenant_id,))
            return _SET.select(
                transaction, "WHERE tenant_id = %s AND dest_id = %s ORDER BY backup_set_id", (tenant_id, dest_id)
            )

    def _next(self, tenant_id: int, name: str) -> int:
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, name)


def _require_base_and_path(transaction: Transaction, backup_set: BackupSet) -> None:
    # The tenant's row is the lock that a deletion takes too, before it marks a set or a path.
    key = (backup_set.tenant_id,)
    transaction.query("SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", key)
    given_up = "SELECT 1 FROM __holdfast.destination_deletion WHERE tenant_id = %s AND dest_id = %s"
    if transaction.one(given_up, (*key, backup_set.dest_id)) is not None:
        raise refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, "", hint="DELETE BACKUP ALL empties the path")
    base_id = backup_set.prev_inc_backup_set_id
    base = _SET.one(transaction, "WHERE tenant_id = %s AND backup_set_id = %s FOR UPDATE", (*key, base_id))
    if base is not None and base.file_status is not FileStatus.AVAILABLE:
        raise EngineError(f"backup set {base_id}, the base, is {base.file_status}", hint="another base is looked for")


def _end_parent(transaction: Transaction, parent: BackupJob, end_us: int) -> None:
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
        end_timestamp_us=end_us,
    )
    _JOB.update(transaction, ended)


def _update_job(transaction: Transaction, job: BackupJob) -> BackupJob:
    stored = _JOB.locked(transaction, job)
    if stored is None:
        raise NotFoundError(f"tenant {job.tenant_id} has no backup job {job.job_id}")
    if not stored.is_active:
        raise ConflictError(f"backup job {job.job_id} of tenant {job.tenant_id} ended as {stored.status}")
    if stored.cancel_requested:
        status = JobStatus.CANCELING if job.is_active else job.status
        job = replace(job, status=status, cancel_requested=True)
    _JOB.update(transaction, job)
    return job


def _update_task(transaction: Transaction, task: BackupTask) -> BackupTask:
    stored = _TASK.locked(transaction, task)
    if stored is None:
        raise NotFoundError(f"tenant {task.tenant_id} has no backup task {task.task_id}")
    if not stored.is_active:
        raise ConflictError(f"backup task {task.task_id} of tenant {task.tenant_id} ended as {stored.status}")
    if stored.status is TaskStatus.CANCELING and task.is_active:
        task = replace(task, status=TaskStatus.CANCELING)
    _TASK.update(transaction, task)
    return task
