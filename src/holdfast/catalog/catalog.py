"""The catalog as one object: the concepts, and the installation of tables and views."""

from __future__ import annotations  # PyMySQL's Connection takes its cursor type in the stubs only

from collections.abc import Callable

from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast.catalog import installation, schema
from holdfast.catalog.backups import Backups
from holdfast.catalog.cleanup import Cleanup
from holdfast.catalog.conditions import Conditions
from holdfast.catalog.connections import CONNECTIONS_MAX, Connections
from holdfast.catalog.destinations import Destinations
from holdfast.catalog.drills import Drills
from holdfast.catalog.events import Events
from holdfast.catalog.log_sources import LogRestoreSources
from holdfast.catalog.parameters import Parameters
from holdfast.catalog.quick import Quick
from holdfast.catalog.resources import Resources
from holdfast.catalog.restores import Restores
from holdfast.catalog.rounds import Rounds
from holdfast.catalog.schedules import Schedules
from holdfast.catalog.table_recoveries import TableRecoveries
from holdfast.catalog.tenants import Tenants
from holdfast.catalog.validation import Validation
from holdfast.catalog.windows import Windows
from holdfast.clock import Clock, SystemClock
from holdfast.values.tenant import CompatibilityMode


class Catalog:
    """Everything Holdfast knows, kept in the sys tenant's engine. Safe to call from any thread.

    `connect` returns a new connection as the engine's administrator; it is called again after the engine restarted.
    """

    def __init__(
        self,
        connect: Callable[[], Connection[Cursor]],
        *,
        clock: Clock | None = None,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        moment = clock or SystemClock()
        self._connections = Connections(connect, limit=connections_max)
        self.tenants = Tenants(self._connections, moment)
        self.resources = Resources(self._connections, moment)
        self.destinations = Destinations(self._connections, moment)
        self.log_sources = LogRestoreSources(self._connections)
        self.rounds = Rounds(self._connections, moment)
        self.backups = Backups(self._connections)
        self.cleanup = Cleanup(self._connections)
        self.validation = Validation(self._connections)
        self.drills = Drills(self._connections)
        self.schedules = Schedules(self._connections)
        self.restores = Restores(self._connections)
        self.quick = Quick(self._connections)
        self.table_recoveries = TableRecoveries(self._connections)
        self.windows = Windows(self._connections)
        self.parameters = Parameters(self._connections, Conditions(self._connections, connect))
        self.events = Events(self._connections, moment)

    def install(self) -> None:
        """Create tables and views that are missing or of an older build. Repeatable.

        Raises UnknownVersionError when a newer build has written the catalog.
        """
        schema.install(self._connections)
        installation.install(self._connections)

    def install_tenant(self, tenant_id: int, password: str, mode: CompatibilityMode = CompatibilityMode.MYSQL) -> None:
        """Create the view schema `t<tenant_id>` and its user, and give the user this password. Repeatable."""
        installation.install_tenant(self._connections, tenant_id, password, mode)

    def schemas_among(self, names: frozenset[str]) -> frozenset[str]:
        """Return the schemas of the sys engine, as they are called there, that these names may mean.

        The engine compares: to it `__holdfást` is `__holdfast`, and `grün` is `GRUN` (measured on 1.4.0).
        """
        if not names:
            return frozenset()
        marks = ", ".join(["%s"] * len(names))
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                "SELECT schema_name FROM information_schema.schemata"
                f" WHERE schema_name COLLATE utf8mb4_general_ci IN ({marks})",
                sorted(names),
            )
        return frozenset(str(row[0]) for row in rows)

    def remove_tenant(self, tenant_id: int) -> None:
        """Drop the view schema `t<tenant_id>` and its user. No effect when they are gone."""
        installation.remove_tenant(self._connections, tenant_id)

    def close(self) -> None:
        """Close the connections. Further calls raise EngineError."""
        self._connections.close()
