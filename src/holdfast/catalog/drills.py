"""Restore drills: what was restored, when, how long it took, and what every check found."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record
from holdfast.catalog.sequences import next_id
from holdfast.catalog.validation import ValidateJob
from holdfast.values.drill import CheckResult, CheckType, DrillResult, DrillStatus
from holdfast.values.scn import Scn

KEPT_CHECKS_OF = 10
"""Drills of a tenant whose single checks are kept; the drills themselves are kept for ever: their digests are the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A row of RESTORE_DRILLS. Times: microseconds since the epoch.

    `restore_scn`: the moment, drawn from `[first_scn, last_scn]`, all that the set reaches. `restored_timestamp_us`: when the scratch
    tenant could be read. `result_digest`: SHA-256 over names, counts and checksums of all tables; equal for equal moments.
    """

    tenant_id: int
    drill_id: int
    job_id: int
    task_id: int
    backup_set_id: int
    backup_set_list: str
    first_scn: Scn
    last_scn: Scn
    restore_scn: Scn
    restore_from: str
    aux_tenant_name: str
    status: DrillStatus = DrillStatus.RESTORING
    result: DrillResult = DrillResult.NONE
    start_timestamp_us: int
    restored_timestamp_us: int | None = None
    finish_timestamp_us: int | None = None
    restored_bytes: int = 0
    table_count: int = 0
    index_count: int = 0
    assertion_count: int = 0
    row_count: int = 0
    failed_count: int = 0
    unchecked_count: int = 0
    result_digest: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillCheck:
    """A row of RESTORE_DRILL_CHECKS. `check_name`: of the index, or the text of the assertion. `checksum`: see `tables.checks`."""

    tenant_id: int
    drill_id: int
    check_id: int
    check_type: CheckType
    database_name: str = ""
    table_name: str = ""
    check_name: str = ""
    result: CheckResult
    row_count: int = 0
    checksum: str = ""
    elapsed_us: int = 0
    comment: str = ""


_DRILL = Record("restore_drill", Drill, key=("tenant_id", "drill_id"))
_CHECK = Record("restore_drill_check", DrillCheck, key=("tenant_id", "drill_id", "check_id"))


class Drills:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def next_id(self, tenant_id: int) -> int:
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, "restore_drill")

    def of_task(self, tenant_id: int, task_id: int) -> Drill | None:
        """Return the drill of a validation task, None before it has begun."""
        with self._connections.transaction() as transaction:
            return _DRILL.one(transaction, "WHERE tenant_id = %s AND task_id = %s", (tenant_id, task_id))

    def unfinished(self, job: ValidateJob | None = None) -> tuple[Drill, ...]:
        """Return the drills, of a job or of all tenants, that have a scratch tenant or may have one."""
        where: str = "WHERE finish_timestamp IS NULL"
        args: tuple[int, ...] = ()
        if job is not None:
            where, args = f"{where} AND tenant_id = %s AND job_id = %s", (job.tenant_id, job.job_id)
        with self._connections.transaction() as transaction:
            return _DRILL.select(transaction, f"{where} ORDER BY tenant_id, drill_id", args)

    def put(self, drill: Drill) -> None:
        with self._connections.transaction() as transaction:
            _DRILL.upsert(transaction, drill)

    def begin_checks(self, drill: Drill) -> None:
        """Forget checks an interrupted attempt made, and those of drills of long ago."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "DELETE FROM __holdfast.restore_drill_check WHERE tenant_id = %s AND (drill_id = %s OR drill_id <= %s)",
                (drill.tenant_id, drill.drill_id, drill.drill_id - KEPT_CHECKS_OF),
            )

    def add_checks(self, checks: Sequence[DrillCheck]) -> None:
        with self._connections.transaction() as transaction:
            for check in checks:
                _CHECK.insert(transaction, check)
