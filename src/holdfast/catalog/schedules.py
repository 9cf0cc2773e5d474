"""What is known of each tenant's schedules: the words as they were last seen, and up to when their runs are made."""

from collections.abc import Collection
from dataclasses import dataclass

from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record
from holdfast.values.schedule import ScheduleType


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A row of BACKUP_SCHEDULES. Times: microseconds since the epoch, None for never.

    `done_time_us`: runs of moments up to here are made, or lie before the words. `last_due_timestamp_us`: the moment of the last run,
    `last_job_id` its job, 0 when the run was refused: `last_result` and `last_comment` then say why.
    """

    tenant_id: int
    schedule_type: ScheduleType
    schedule: str
    time_zone: str
    done_time_us: int
    next_timestamp_us: int | None = None
    last_due_timestamp_us: int | None = None
    last_begin_timestamp_us: int | None = None
    last_job_id: int = 0
    last_result: int = 0
    last_comment: str = ""


_ROW = Record("backup_schedule", ScheduleRow, key=("tenant_id", "schedule_type"))


class Schedules:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def all(self) -> tuple[ScheduleRow, ...]:
        """Return what is known of every schedule, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return _ROW.select(transaction, "ORDER BY tenant_id, schedule_type")

    def wanted(self, names: Collection[str]) -> dict[int, dict[str, str]]:
        """Return the values of these parameters, by tenant and name, where a tenant has set them to anything but ''."""
        marks = ", ".join(["%s"] * len(names))
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                "SELECT p.tenant_id, p.name, p.value FROM __holdfast.parameter p JOIN __holdfast.tenant t"
                f" ON t.tenant_id = p.tenant_id WHERE p.value <> '' AND p.name IN ({marks})",
                tuple(names),
            )
        found: dict[int, dict[str, str]] = {}
        for tenant_id, name, value in rows:
            found.setdefault(int(str(tenant_id)), {})[str(name)] = str(value)
        return found

    def put(self, row: ScheduleRow) -> None:
        with self._connections.transaction() as transaction:
            _ROW.upsert(transaction, row)

    def remove(self, row: ScheduleRow) -> None:
        with self._connections.transaction() as transaction:
            transaction.execute(
                "DELETE FROM __holdfast.backup_schedule WHERE tenant_id = %s AND schedule_type = %s",
                (row.tenant_id, str(row.schedule_type)),
            )
