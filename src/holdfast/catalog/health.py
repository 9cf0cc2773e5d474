"""What only the server's process knows of a tenant, mirrored when somebody looks: engine, held log, destinations it may not write."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from holdfast.catalog.connections import Connections
from holdfast.catalog.records import Record


class EngineState(StrEnum):
    """UNHEALTHY: it runs and does not greet."""

    UP = "UP"
    DOWN = "DOWN"
    UNHEALTHY = "UNHEALTHY"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """A row of TENANT_HEALTH. Comments are empty where nothing is wrong. `writes_stalled`: YES or NO.

    `engine_comment`: of an engine that is UP, how many accounts can not log in. `roots_comment`: which destinations in use lie outside
    the destination roots.
    """

    tenant_id: int
    engine_status: EngineState = EngineState.UP
    engine_comment: str = ""
    spool_bytes: int = 0
    spool_comment: str = ""
    writes_stalled: str = "NO"
    destination_comment: str = ""
    key_comment: str = ""
    roots_comment: str = ""


_ROW = Record("tenant_health", HealthRow, key=("tenant_id",))


class Health:
    """Every method is one transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def replace_all(self, rows: Sequence[HealthRow]) -> None:
        """Put these in the place of all that was known."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.tenant_health")
            for row in rows:
                _ROW.insert(transaction, row)
