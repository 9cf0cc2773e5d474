"""LOG_RESTORE_SOURCE: where a standby's log comes from, what keeps the standby from following, and until when log is kept for it."""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.catalog.connections import Cell, Connections, Transaction
from holdfast.catalog.records import Record, time_from_us
from holdfast.clock import Clock
from holdfast.values.outside import one_line

LEASE_SECONDS = 7 * 86400
"""How long an archive keeps the log that a standby has not taken in, from when the standby last took in some. A week: longer than a
machine is left broken, and a standby that was forgotten fills no disk for good."""
_GRACE_SECONDS = 7200
"""What is left of a lease after a start of the server, at least: its first cleanup is an hour away, and a standby takes in log at once."""


class SyncStatus(StrEnum):
    """INTERRUPTED: for any other reason than a gap. The other words are OceanBase's."""

    NORMAL = "NORMAL"
    GAP = "SOURCE HAS A GAP"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRestoreSource:
    """A row of LOG_RESTORE_SOURCE. `value`: the URI without options.

    `port`, not in the view: where this server gives the log to the tenant's engine; 0 as long as that engine was not started to
    follow. `hold_end_timestamp_us`: the end of the lease, None before `renew`. `comment`: what keeps the standby from following.
    `resolved`, not in the view: where the path led when the tenant itself set it (`Uri.resolved`).
    """

    tenant_id: int
    type: str = "LOCATION"
    value: str
    port: int = 0
    hold_end_timestamp_us: int | None = None
    sync_status: SyncStatus = SyncStatus.NORMAL
    comment: str = ""
    resolved: str = ""


_SOURCE = Record("log_restore_source", LogRestoreSource, key=("tenant_id",))
_COMMENT_CHARACTERS_MAX = 4000


class LogRestoreSources:
    """Every method is one transaction."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def find(self, tenant_id: int) -> LogRestoreSource | None:
        """Return the tenant's source, None if it has none."""
        with self._connections.transaction() as transaction:
            return _SOURCE.one(transaction, "WHERE tenant_id = %s", (tenant_id,))

    def all(self) -> tuple[LogRestoreSource, ...]:
        """Return every tenant's source, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return _SOURCE.select(transaction, "ORDER BY tenant_id")

    def put(self, source: LogRestoreSource) -> None:
        """Give the tenant this source in place of the one it has, with a new lease."""
        with self._connections.transaction() as transaction:
            _SOURCE.upsert(transaction, source)
            self._renew(transaction, source.tenant_id)

    def set_port(self, tenant_id: int, port: int) -> None:
        """Say where the tenant's engine is given its log; no effect on a tenant without a source."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.log_restore_source SET port = %s WHERE tenant_id = %s", (port, tenant_id)
            )

    def renew(self, tenant_id: int) -> None:
        """Begin the tenant's lease anew; no effect on a tenant without a source."""
        with self._connections.transaction() as transaction:
            self._renew(transaction, tenant_id)

    def extend(self, tenant_id: int) -> None:
        """Leave the tenant two hours of its lease, a whole one if it never had any: nobody takes in log while no server runs."""
        with self._connections.transaction() as transaction:
            source = _SOURCE.one(transaction, "WHERE tenant_id = %s FOR UPDATE", (tenant_id,))
            if source is None:
                return
            seconds = LEASE_SECONDS if source.hold_end_timestamp_us is None else _GRACE_SECONDS
            if self._seconds_left(source) < seconds:
                self._renew(transaction, tenant_id, seconds)

    def bound(self) -> None:
        """Let no lease end later than a whole one that begins now: one that does was given by a clock that was ahead."""
        until = self._end_after(LEASE_SECONDS)
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.log_restore_source SET hold_end_timestamp = %s WHERE hold_end_timestamp > %s",
                (until, until),
            )

    def is_lapsed(self, source: LogRestoreSource) -> bool:
        """Return whether the lease has ended."""
        return source.hold_end_timestamp_us is not None and self._seconds_left(source) <= 0

    def tell(self, tenant_id: int, status: SyncStatus, comment: str) -> None:
        """Say what keeps the tenant from following; no effect on a tenant without a source."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.log_restore_source SET sync_status = %s, comment = %s WHERE tenant_id = %s",
                (str(status), one_line(comment, _COMMENT_CHARACTERS_MAX), tenant_id),
            )

    def clear(self, tenant_id: int) -> None:
        """Take the tenant's source away. Repeatable."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.log_restore_source WHERE tenant_id = %s", (tenant_id,))

    def _seconds_left(self, source: LogRestoreSource) -> float:
        return (
            0.0
            if source.hold_end_timestamp_us is None
            else source.hold_end_timestamp_us / 1e6 - self._clock.now_ns() / 1e9
        )

    def _renew(self, transaction: Transaction, tenant_id: int, seconds: int = LEASE_SECONDS) -> None:
        transaction.execute(
            "UPDATE __holdfast.log_restore_source SET hold_end_timestamp = %s WHERE tenant_id = %s",
            (self._end_after(seconds), tenant_id),
        )

    def _end_after(self, seconds: int) -> Cell:
        return time_from_us(self._clock.now_ns() // 1000 + seconds * 1_000_000)
