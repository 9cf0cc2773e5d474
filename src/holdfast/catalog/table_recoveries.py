"""Table recoveries: the job (a row of sys and one of the target), its import, and a task for each table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast import codes
from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record
from holdfast.catalog.sequences import next_id
from holdfast.errors import refuse
from holdfast.values.scn import SCN_NONE, Scn
from holdfast.values.table_recovery import ImportStatus, RecoverResult, RecoverStatus, TableStatus
from holdfast.values.tenant import SYS_TENANT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverJob:
    """A row of RECOVER_TABLE_JOBS and, once it ended, of its HISTORY. Times: microseconds since the epoch.

    Not in the views: `statement` (what was asked for, to go on with), `target_tenant_id`, `aux_tenant_id`, `owner_generation`,
    `cancel_requested`.
    """

    tenant_id: int
    job_id: int
    initiator_tenant_id: int
    initiator_job_id: int
    start_timestamp_us: int
    status: RecoverStatus
    aux_tenant_name: str
    target_tenant_name: str
    statement: str
    target_tenant_id: int
    aux_tenant_id: int
    finish_timestamp_us: int | None = None
    import_all: int = 0
    db_list: str = ""
    table_list: str = ""
    restore_scn: Scn = SCN_NONE
    restore_option: str = ""
    backup_dest: str = ""
    backup_set_list: str = ""
    backup_piece_list: str = ""
    remap_db_list: str = ""
    remap_table_list: str = ""
    result: RecoverResult = RecoverResult.NONE
    comment: str = ""
    description: str = ""
    owner_generation: int = 0
    cancel_requested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """A row of IMPORT_TABLE_JOBS. `initiator_job_id`: the recovery's job in the target."""

    tenant_id: int
    job_id: int
    initiator_tenant_id: int
    initiator_job_id: int
    start_timestamp_us: int
    src_tenant_name: str
    src_tenant_id: int
    status: ImportStatus = ImportStatus.INIT
    finish_timestamp_us: int | None = None
    import_all: int = 0
    db_list: str = ""
    table_list: str = ""
    remap_db_list: str = ""
    remap_table_list: str = ""
    total_table_count: int = 0
    finished_table_count: int = 0
    failed_table_count: int = 0
    result: RecoverResult = RecoverResult.NONE
    comment: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTask:
    """One table. `target_database`, `target_table` are empty in the view when the name stays. `row_count`: rows written."""

    tenant_id: int
    task_id: int
    job_id: int
    src_tenant_id: int
    src_database: str
    src_table: str
    target_database: str
    target_table: str
    table_column: int = 0
    status: TableStatus = TableStatus.INIT
    start_timestamp_us: int | None = None
    completion_timestamp_us: int | None = None
    total_index_count: int = 0
    imported_index_count: int = 0
    failed_index_count: int = 0
    total_constraint_count: int = 0
    imported_constraint_count: int = 0
    failed_constraint_count: int = 0
    total_ref_constraint_count: int = 0
    imported_ref_constraint_count: int = 0
    failed_ref_constraint_count: int = 0
    result: RecoverResult = RecoverResult.NONE
    comment: str = ""
    row_count: int = 0


class PreviewStatus(StrEnum):
    """MISSING: there is no live table of that name. NOT_COMPARABLE: its columns are others, or can not be read exactly."""

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    MISSING = "MISSING"
    NOT_COMPARABLE = "NOT_COMPARABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePreview:
    """What a preview found of one table: its rows in the backup against the live ones."""

    tenant_id: int
    job_id: int
    database_name: str
    table_name: str
    status: PreviewStatus
    rows_only_in_backup: int = 0
    rows_only_live: int = 0
    rows_changed: int = 0
    comment: str = ""


_PREVIEW = Record("recover_table_preview", TablePreview, key=("tenant_id", "job_id", "database_name", "table_name"))
_JOB = Record("recover_table_job", RecoverJob, key=("tenant_id", "job_id"))
_IMPORT = Record("import_table_job", ImportJob, key=("tenant_id", "job_id"))
_TASK = Record("import_table_task", ImportTask, key=("tenant_id", "task_id"))
_ACTIVE = "finish_timestamp IS NULL"


class TableRecoveries:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def next_job_id(self, tenant_id: int) -> int:
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, "recover_table_job")

    def insert(self, jobs: Sequence[RecoverJob]) -> None:
        """Record the rows of a new recovery, all or none. Refused (-4179) while the target has one under way."""
        with self._connections.transaction() as transaction:
            transaction.query(
                "SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", (SYS_TENANT_ID,)
            )
            for job in jobs:
                args = (job.target_tenant_id,)
                if _JOB.one(transaction, f"WHERE target_tenant_id = %s AND {_ACTIVE}", args) is not None:
                    raise refuse(
                        codes.OB_OP_NOT_ALLOW,
                        "recover table when recover table job exists is",
                        hint=f"wait for it, or run ALTER SYSTEM CANCEL RECOVER TABLE {job.target_tenant_name}",
                    )
                break
            for job in jobs:
                _JOB.insert(transaction, job)

    def active(self) -> tuple[RecoverJob, ...]:
        """Return all rows under way, sorted by tenant and id."""
        with self._connections.transaction() as transaction:
            return _JOB.select(transaction, f"WHERE {_ACTIVE} ORDER BY tenant_id, job_id")

    def update(self, *jobs: RecoverJob) -> None:
        """Replace rows; a cancel requested meanwhile stays requested."""
        with self._connections.transaction() as transaction:
            for job in jobs:
                stored = _JOB.locked(transaction, job)
                is_cancelled = stored is not None and stored.cancel_requested
                _JOB.update(transaction, replace(job, cancel_requested=job.cancel_requested or is_cancelled))

    def request_cancel(self, target_tenant_id: int) -> bool:
        """Ask the recovery into this tenant to end. Returns False when none is under way."""
        with self._connections.transaction() as transaction:
            jobs = _JOB.select(
                transaction, f"WHERE target_tenant_id = %s AND {_ACTIVE} FOR UPDATE", (target_tenant_id,)
            )
            for job in jobs:
                status = job.status if job.tenant_id == SYS_TENANT_ID else RecoverStatus.CANCELING
                _JOB.update(transaction, replace(job, cancel_requested=True, status=status))
            return bool(jobs)

    def import_of(self, job: RecoverJob) -> ImportJob | None:
        """Return the import of a recovery, by the target's row."""
        with self._connections.transaction() as transaction:
            return _IMPORT.one(
                transaction, "WHERE tenant_id = %s AND initiator_job_id = %s", (job.tenant_id, job.job_id)
            )

    def begin_import(self, job: ImportJob, tasks: Sequence[ImportTask]) -> None:
        """Record an import with all its tasks, all or none."""
        with self._connections.transaction() as transaction:
            _IMPORT.insert(transaction, job)
            for task in tasks:
                _TASK.insert(transaction, task)

    def save_preview(self, preview: TablePreview) -> None:
        """Record what was found of a table, in the place of what an interrupted attempt found."""
        with self._connections.transaction() as transaction:
            _PREVIEW.upsert(transaction, preview)

    def next_import_ids(self, tenant_id: int, task_count: int) -> tuple[int, tuple[int, ...]]:
        """Return ids for an import and its tasks."""
        with self._connections.transaction() as transaction:
            job_id = next_id(transaction, tenant_id, "import_table_job")
            return job_id, tuple(next_id(transaction, tenant_id, "import_table_task") for _ in range(task_count))

    def tasks(self, job: ImportJob) -> tuple[ImportTask, ...]:
        """Return the tasks of an import, sorted by id."""
        with self._connections.transaction() as transaction:
            return _TASK.select(
                transaction, "WHERE tenant_id = %s AND job_id = %s ORDER BY task_id", (job.tenant_id, job.job_id)
            )

    def update_task(self, task: ImportTask) -> None:
        with self._connections.transaction() as transaction:
            _TASK.update(transaction, task)

    def update_import(self, job: ImportJob) -> None:
        with self._connections.transaction() as transaction:
            _IMPORT.update(transaction, job)
