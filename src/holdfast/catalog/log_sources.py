"""LOG_RESTORE_SOURCE: where a standby's log comes from."""

from dataclasses import dataclass

from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRestoreSource:
    """A row of LOG_RESTORE_SOURCE. `value`: the URI without options.

    `port`, not in the view: where this server gives the log to the tenant's engine; 0 as long as that engine was not started to
    follow.
    """

    tenant_id: int
    type: str = "LOCATION"
    value: str
    port: int = 0


_SOURCE = Record("log_restore_source", LogRestoreSource, key=("tenant_id",))


class LogRestoreSources:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def find(self, tenant_id: int) -> LogRestoreSource | None:
        """Return the tenant's source, None if it has none."""
        with self._connections.transaction() as transaction:
            return _SOURCE.one(transaction, "WHERE tenant_id = %s", (tenant_id,))

    def put(self, source: LogRestoreSource) -> None:
        """Give the tenant this source in place of the one it has."""
        with self._connections.transaction() as transaction:
            _SOURCE.upsert(transaction, source)

    def clear(self, tenant_id: int) -> None:
        """Take the tenant's source away. Repeatable."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.log_restore_source WHERE tenant_id = %s", (tenant_id,))
