"""Restorable windows, mirrored: what was last found in a tenant's destinations. The destinations are the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record
from holdfast.values.scn import SCN_NONE, Scn
from holdfast.values.window import WindowStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """One span of a tenant's time. REACHABLE: both ends included; GAP: both excluded, `end_scn` 0 where nothing follows.

    `backup_set_ids`, `restore_from`: comma separated; the latter is what RESTORE ... FROM is to name. `tenant_name`: of a dropped tenant
    the name its newest set has.
    """

    tenant_id: int
    span_id: int
    status: WindowStatus
    start_scn: Scn = SCN_NONE
    end_scn: Scn = SCN_NONE
    backup_set_ids: str = ""
    restore_from: str = ""
    cause: str = ""
    remedy: str = ""
    tenant_name: str = ""


_ROW = Record("restorable_window", WindowRow, key=("tenant_id", "span_id"))


class Windows:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def replace(self, tenant_id: int, rows: Sequence[WindowRow]) -> None:
        """Put these in the place of what was known of the tenant."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.restorable_window WHERE tenant_id = %s", (tenant_id,))
            for row in rows:
                _ROW.insert(transaction, row)

    def forget_others(self, tenant_ids: Sequence[int]) -> None:
        """Remove what was known of tenants that are gone with all their sets."""
        marks = ", ".join(["%s"] * len(tenant_ids))
        others = f" WHERE tenant_id NOT IN ({marks})" if tenant_ids else ""
        with self._connections.transaction() as transaction:
            transaction.execute(f"DELETE FROM __holdfast.restorable_window{others}", tuple(tenant_ids))

    def tenant_ids(self) -> tuple[int, ...]:
        """Return every tenant that has, or had, a complete set; dropped ones too, sorted."""
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                "SELECT DISTINCT tenant_id FROM __holdfast.backup_set WHERE status = 'SUCCESS' AND file_status = 'AVAILABLE'"
                " ORDER BY tenant_id"
            )
        return tuple(int(str(row[0])) for row in rows)
