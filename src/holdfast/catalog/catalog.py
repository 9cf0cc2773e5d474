"""The catalog as one object: the concepts, and the installation of tables and views."""

from __future__ import annotations  # PyMySQL's Connection takes its cursor type in the stubs only

from collections.abc import Callable

from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast.catalog import installation, schema
from holdfast.catalog.backups import Backups
from holdfast.catalog.cleanup import Cleanup
from holdfast.catalog.conditions import Conditions
from holdfast.catalog.connections import CONNECTIONS_MAX, Connections, LogIn
from holdfast.catalog.destinations import Destinations
from holdfast.catalog.drills import Drills
from holdfast.catalog.events import Events
from holdfast.catalog.health import Health
from holdfast.catalog.log_sources import LogRestoreSources
from holdfast.catalog.losses import Loss
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

    `connect` returns a new connection as the engine's administrator; it is called again after the engine restarted. `log_in` returns
    one of another user. Both give it the state of our sessions: nothing here sets it.
    """

    def __init__(
        self,
        connect: Callable[[], Connection[Cursor]],
        log_in: LogIn,
        *,
        clock: Clock | None = None,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        moment = clock or SystemClock()
        self._clock, self._connections = moment, Connections(connect, limit=connections_max)
        self.tenants = Tenants(self._connections, moment)
        self.resources = Resources(self._connections, moment)
        self.destinations = Destinations(self._connections, moment)
        self.log_sources = LogRestoreSources(self._connections, moment)
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
        self.health = Health(self._connections)
        self.parameters = Parameters(self._connections, Conditions(self._connections, log_in))
        self.events = Events(self._connections, moment)

    def install(
        self, *, forgotten: frozenset[str] = frozenset(), was_there: bool = False
    ) -> tuple[tuple[Loss, ...], tuple[str, ...]]:
        """Create tables and views that are missing or of an older build. Repeatable.

        Return the tables that were lost, and the views that were gone or not as they were made.

        Raises UnknownVersionError when a newer build has written the catalog, RefusedError when something is lost that nothing else
        knows and that is not among `forgotten`; `schema.install` says more.
        """
        lost = schema.install(self._connections, clock=self._clock, forgotten=forgotten, was_there=was_there)
        return lost, installation.install(self._connections)

    def has_dictionary(self) -> bool:
        """Return whether sys has dictionary views, so that it has had a catalog. Raises EngineError."""
        return schema.has_views(self._connections)

    def put_right(self) -> tuple[tuple[Loss, ...], tuple[str, ...]]:
        """Make again what is gone of the catalog's tables and of sys's views, where no person is needed for it.

        Return the tables that were lost, also those that a person is needed for, and the views that were gone or not as they were made.
        Raises EngineError, RefusedError when the whole catalog is gone.
        """
        lost = schema.make_again(self._connections)
        return lost, installation.install(self._connections)

    def put_tenant_right(
        self, tenant_id: int, password: str, mode: CompatibilityMode = CompatibilityMode.MYSQL
    ) -> tuple[str, ...]:
        """Make again what is gone or changed of a tenant's views and of the user that reads them; return it. Raises EngineError."""
        return installation.put_tenant_right(self._connections, tenant_id, password, mode)

    def tables_to_enter(self) -> frozenset[str]:
        """Return the tables that were lost, and hold what the destinations do once `note_entered` was called."""
        return schema.tables_to_enter(self._connections)

    def note_entered(self) -> None:
        """Note that what the destinations hold of `tables_to_enter` has been entered."""
        schema.note_entered(self._connections)

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
