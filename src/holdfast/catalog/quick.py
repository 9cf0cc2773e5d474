"""Quick tenants: one row each, from the moment they open until they are dropped."""

from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record
from holdfast.values.quick import QuickStatus, QuickTenant

_QUICK = Record("quick_tenant", QuickTenant, key=("tenant_id",))


class Quick:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def all(self) -> tuple[QuickTenant, ...]:
        """Return all rows, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return _QUICK.select(transaction, "ORDER BY tenant_id")

    def find(self, tenant_id: int) -> QuickTenant | None:
        with self._connections.transaction() as transaction:
            return _QUICK.one(transaction, "WHERE tenant_id = %s", (tenant_id,))

    def put(self, row: QuickTenant) -> None:
        """Set the tenant's row."""
        with self._connections.transaction() as transaction:
            if _QUICK.locked(transaction, row) is None:
                _QUICK.insert(transaction, row)
            else:
                _QUICK.update(transaction, row)

    def update(self, row: QuickTenant) -> None:
        """Replace the tenant's row if it is there: a tenant dropped meanwhile stays dropped."""
        with self._connections.transaction() as transaction:
            if _QUICK.locked(transaction, row) is not None:
                _QUICK.update(transaction, row)

    def remove(self, tenant_id: int) -> None:
        """Forget the tenant. Repeatable."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.quick_tenant WHERE tenant_id = %s", (tenant_id,))

    def sources(self) -> frozenset[str]:
        """Return the destinations from which blocks still come."""
        return frozenset(
            source for row in self.all() if row.status is QuickStatus.HYDRATING for source in row.backup_dest.split(",")
        )
