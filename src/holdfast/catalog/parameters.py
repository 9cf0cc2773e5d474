"""Parameters: Holdfast's own tenant parameters, and a mirror of each engine's for the views."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from holdfast import codes
from holdfast.catalog.conditions import Conditions
from holdfast.catalog.connections import Connections, Row, Transaction
from holdfast.catalog.records import Record
from holdfast.errors import NotFoundError

_OBSERVER_ZONE = "zone1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDefinition:
    """One tenant parameter of Holdfast's. `info` is the sentence SHOW PARAMETERS prints, its range included."""

    name: str
    data_type: str
    default_value: str
    info: str
    section: str = "OBSERVER"
    edit_level: str = "DYNAMIC_EFFECTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParameter:
    """One row of an engine's own SHOW PARAMETERS."""

    name: str
    data_type: str
    value: str
    info: str
    section: str
    scope: str
    source: str
    edit_level: str
    default_value: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownParameter:
    """One row of SHOW PARAMETERS, all 14 columns."""

    zone: str
    svr_type: str
    svr_ip: str
    svr_port: int
    name: str
    data_type: str
    value: str
    info: str
    section: str
    scope: str
    source: str
    edit_level: str
    default_value: str
    isdefault: int


_MIRRORED = "tenant_id, name, data_type, value, info, section, scope, source, edit_level, default_value, isdefault"
_SHOWN = Record("SHOW_PARAMETERS", ShownParameter, key=())
_SHOWN_TO_TENANT = Record("SHOW_PARAMETERS", ShownParameter, key=(), columns={"value": "own_value"})


class Parameters:
    """Every method is one transaction. Whether a value is allowed is decided by the caller."""

    def __init__(self, connections: Connections, conditions: Conditions) -> None:
        self._connections = connections
        self._conditions = conditions

    def define(self, definitions: Sequence[ParameterDefinition]) -> None:
        """Make these the tenant parameters there are; values of names that went are kept but not shown."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM __holdfast.parameter_definition")
            transaction.execute_many(
                "INSERT INTO __holdfast.parameter_definition"
                " (name, data_type, default_value, info, section, edit_level) VALUES (%s, %s, %s, %s, %s, %s)",
                [(d.name, d.data_type, d.default_value, d.info, d.section, d.edit_level) for d in definitions],
            )

    def set_server(self, svr_ip: str, svr_port: int, zone: str = _OBSERVER_ZONE) -> None:
        """Record what the views print as the one server of the cluster."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "REPLACE INTO __holdfast.server (id, zone, svr_ip, svr_port) VALUES (1, %s, %s, %s)",
                (zone, svr_ip, svr_port),
            )

    def get(self, tenant_id: int, name: str) -> str:
        """Return the tenant's value, or the default. Raises NotFoundError (-5099) on an unknown name."""
        with self._connections.transaction() as transaction:
            default = _default(transaction, name)
            row = transaction.one(
                "SELECT value FROM __holdfast.parameter WHERE tenant_id = %s AND name = %s", (tenant_id, name.lower())
            )
        return default if row is None else str(row[0])

    def values(self, tenant_id: int) -> dict[str, str]:
        """Return the tenant's value of every defined parameter."""
        with self._connections.transaction() as transaction:
            rows = transaction.query(
                "SELECT d.name, COALESCE(p.value, d.default_value) FROM __holdfast.parameter_definition d"
                " LEFT JOIN __holdfast.parameter p ON p.name = d.name AND p.tenant_id = %s ORDER BY d.name",
                (tenant_id,),
            )
        return {str(name): str(value) for name, value in rows}

    def set(self, tenant_id: int, name: str, value: str) -> None:
        """Record the tenant's value. Raises NotFoundError (-5099) on an unknown name."""
        with self._connections.transaction() as transaction:
            _default(transaction, name)
            transaction.execute(
                "REPLACE INTO __holdfast.parameter (tenant_id, name, value) VALUES (%s, %s, %s)",
                (tenant_id, name.lower(), value),
            )

    def reset(self, tenant_id: int, name: str) -> None:
        """Return the parameter to its default. Raises NotFoundError (-5099) on an unknown name."""
        with self._connections.transaction() as transaction:
            _default(transaction, name)
            transaction.execute(
                "DELETE FROM __holdfast.parameter WHERE tenant_id = %s AND name = %s", (tenant_id, name.lower())
            )

    def mirror_engine_parameters(self, tenant_id: int, rows: Sequence[EngineParameter]) -> None:
        """Make the views show these of the tenant's engine; only what differs is written. No effect on a tenant that is gone."""
        wanted = {row.name: _cells(tenant_id, row) for row in rows}
        with self._connections.transaction() as transaction:
            # The tenant's row is the lock: two mirrors at once would insert the same names.
            if not transaction.query(
                "SELECT tenant_id FROM __holdfast.tenant WHERE tenant_id = %s FOR UPDATE", (tenant_id,)
            ):
                return
            found = {
                str(row[1]): row
                for row in transaction.query(
                    f"SELECT {_MIRRORED} FROM __holdfast.engine_parameter WHERE tenant_id = %s", (tenant_id,)
                )
            }
            for name in found.keys() - wanted.keys():
                transaction.execute(
                    "DELETE FROM __holdfast.engine_parameter WHERE tenant_id = %s AND name = %s", (tenant_id, name)
                )
            transaction.execute_many(
                f"REPLACE INTO __holdfast.engine_parameter ({_MIRRORED})"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [cells for name, cells in wanted.items() if found.get(name) != cells],
            )

    def show(self, tenant_id: int, pattern: str = "%", *, is_asked_by_sys: bool = True) -> tuple[ShownParameter, ...]:
        """Return what SHOW PARAMETERS LIKE `pattern` prints for the tenant, sorted by name, as sys or the tenant itself is shown it."""
        with self._connections.transaction() as transaction:
            return (_SHOWN if is_asked_by_sys else _SHOWN_TO_TENANT).select(
                transaction, "WHERE tenant_id = %s AND name LIKE %s ORDER BY name", (tenant_id, pattern)
            )

    def show_where(self, tenant_id: int, condition: str, *, is_asked_by_sys: bool = True) -> tuple[ShownParameter, ...]:
        """Return what SHOW PARAMETERS WHERE `condition` prints for the tenant, sorted by name.

        `condition` is the client's own text over the 14 columns. Raises StatementError when it is wrong.
        """
        shown = self.show(tenant_id, is_asked_by_sys=is_asked_by_sys)
        rows = [{field.name: getattr(row, field.name) for field in fields(row)} for row in shown]
        return tuple(shown[place] for place in self._conditions.matching(rows, condition))


def _cells(tenant_id: int, row: EngineParameter) -> Row:
    return (
        tenant_id,
        row.name,
        row.data_type,
        row.value,
        row.info,
        row.section,
        row.scope,
        row.source,
        row.edit_level,
        row.default_value,
        int(row.is_default),
    )


def _default(transaction: Transaction, name: str) -> str:
    row = transaction.one("SELECT default_value FROM __holdfast.parameter_definition WHERE name = %s", (name.lower(),))
    if row is None:
        raise NotFoundError(
            codes.OB_ERR_SYS_CONFIG_UNKNOWN.text(),
            code=codes.OB_ERR_SYS_CONFIG_UNKNOWN,
            hint=f"{name!r} is no parameter of a tenant",
        )
    return str(row[0])
