"""ALTER SYSTEM SET, RESET and SHOW PARAMETERS: Holdfast's parameters beside the engine's.

An engine's own parameter is set on that tenant's engine, which checks it. What would break the fence or the way in is
refused here for everybody, the sys tenant's administrator included.
"""

from collections.abc import Callable

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import EngineParameter, ShownParameter
from holdfast.catalog.parameters import ParameterDefinition as ShownDefinition
from holdfast.engine.session import SqlError
from holdfast.errors import EngineError, RefusedError, refuse
from holdfast.jobs import connection_places, ground
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.connection_places import ConnectionPlaces
from holdfast.jobs.parameters import BY_NAME, DEFINITIONS, DEPRECATED
from holdfast.jobs.reply import OK, Column, ColumnKind, Reply, Warn
from holdfast.jobs.rights import not_supported, require_root_of_sys, require_sys, targets_of_setting
from holdfast.jobs.session import Session
from holdfast.jobs.supervisor import Supervisor
from holdfast.statement.commands import (
    Assignment,
    DestinationCommand,
    ParameterAssignments,
    ParameterReset,
    ResetParameters,
    ShowParameters,
    destination_command,
    names_everyone,
)
from holdfast.statement.gate import PARAMETERS_HELD
from holdfast.statement.parameter_grammar import BACKUP_ENCRYPTION
from holdfast.values.tenant import Tenant

_COLUMNS = tuple(
    Column(name=name, kind=ColumnKind.INTEGER if name in {"svr_port", "isdefault"} else ColumnKind.TEXT)
    for name in ShownParameter.__dataclass_fields__
)


class Settings:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        supervisor: Supervisor,
        *,
        set_destination: Callable[[Session, DestinationCommand], Reply],
        places: ConnectionPlaces,
        keys: BackupKeys,
    ) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._set_destination = set_destination
        self._places = places
        self._keys = keys

    def install(self) -> None:
        """Tell the catalog which parameters exist."""
        self._catalog.parameters.define(
            [
                ShownDefinition(
                    name=definition.name,
                    data_type=definition.kind.name,
                    default_value=definition.default,
                    info=definition.info,
                    section=definition.section,
                )
                for definition in DEFINITIONS
            ]
        )

    def value_of(self, tenant_id: int, name: str) -> int:
        """Return the measured value of one of our parameters: a number, microseconds, or bytes."""
        return BY_NAME[name].value_of(self._catalog.parameters.get(tenant_id, name))

    def assign(self, session: Session, command: ParameterAssignments) -> Reply:
        """ALTER SYSTEM [SET] p = v, ...: every one is checked before the first takes effect."""
        plans = [self._plan(session, assignment) for assignment in command.assignments]
        warnings = [warning for plan in plans for warning in _warnings_of(plan())]
        return Reply(warnings=tuple(warnings)) if warnings else OK

    def reset(self, session: Session, command: ResetParameters) -> Reply:
        """ALTER SYSTEM RESET p, ..."""
        for reset in command.resets:
            if reset.name in DEPRECATED:
                raise _deprecated(reset.name)
            definition = BY_NAME.get(reset.name)
            if definition is not None and definition.is_cluster_wide:
                targets = _cluster_target(session, reset.tenants, reset.name)
            else:
                targets = self._targets(session, reset.tenants)
            if reset.name == BACKUP_ENCRYPTION:
                self._keys.assign(session, targets, definition.default if definition else "", None)
                continue
            for tenant in targets:
                self._reset_one(tenant, reset)
        return OK

    def show(self, session: Session, command: ShowParameters) -> Reply:
        """SHOW PARAMETERS [LIKE | WHERE] [TENANT = t]."""
        tenant = session.tenant
        if command.tenant is not None and command.tenant != tenant.name:
            (tenant,) = self._targets(session, (command.tenant,))
        self.mirror(tenant)
        parameters, is_asked_by_sys = self._catalog.parameters, session.tenant.is_sys
        if command.where is not None:
            shown = parameters.show_where(tenant.tenant_id, command.where, is_asked_by_sys=is_asked_by_sys)
        else:
            pattern = "%" if command.like is None else command.like
            shown = parameters.show(tenant.tenant_id, pattern, is_asked_by_sys=is_asked_by_sys)
        rows = tuple(tuple(getattr(row, column.name) for column in _COLUMNS) for row in shown)
        return Reply(columns=_COLUMNS, rows=rows)

    def mirror(self, tenant: Tenant) -> None:
        """Bring what the views show of the tenant's engine up to date. A tenant whose engine is down shows its last."""
        try:
            with self._supervisor.session(tenant.tenant_id) as engine:
                rows = engine.columns("show parameters")
        except SqlError as error:
            if error.is_lost:
                return
            raise
        source = self._catalog.log_sources.find(tenant.tenant_id)
        shown = "" if source is None else f"{source.type}={source.value}"
        self._catalog.parameters.mirror_engine_parameters(
            tenant.tenant_id,
            # The engine's own says on which port this server feeds it.
            [_mirrored({**row, "value": shown} if row["name"] == "log_restore_source" else row) for row in rows],
        )

    def _plan(self, session: Session, assignment: Assignment) -> Callable[[], object]:
        """Return the effect of one assignment, checked as far as it can be."""
        destination = destination_command(assignment)
        if destination is not None:
            return lambda: self._set_destination(session, destination)
        if assignment.name in PARAMETERS_HELD:
            raise fenced(assignment.name)
        if assignment.name in DEPRECATED:
            raise _deprecated(assignment.name)
        definition = BY_NAME.get(assignment.name)
        if definition is not None and definition.is_cluster_wide:
            targets = _cluster_target(session, assignment.tenants, assignment.name)
        else:
            targets = self._targets(session, assignment.tenants)
        if definition is None:
            return lambda: self._set_on_engines(targets, assignment)
        if assignment.name == BACKUP_ENCRYPTION:
            return lambda: self._keys.assign(session, targets, assignment.value, assignment.password)
        value = definition.check(assignment.value)
        self._places.check(assignment.name, value)
        if assignment.name == "archive_lag_target":
            if assignment.tenants and names_everyone(assignment.tenants):
                raise refuse(codes.OB_OP_NOT_ALLOW, "use all/all_user/all_meta set archive_lag_target is")
            for tenant in targets:
                if self._catalog.destinations.archive(tenant.tenant_id) is None:
                    raise refuse(codes.OB_OP_NOT_ALLOW, "log_archive_dest has not been set, set archive_lag_target is")
        return lambda: self._record(targets, assignment.name, value)

    def _targets(self, session: Session, names: tuple[str, ...]) -> tuple[Tenant, ...]:
        tenants = self._catalog.tenants
        return targets_of_setting(session, names, find=tenants.find, users=tenants.user_tenants)

    def _record(self, targets: tuple[Tenant, ...], name: str, value: str) -> None:
        for tenant in targets:
            self._catalog.parameters.set(tenant.tenant_id, name, value)
        if name in connection_places.NAMES:
            self._places.reload()

    def _set_on_engines(self, targets: tuple[Tenant, ...], assignment: Assignment) -> None:
        scope = f" scope = {assignment.scope}" if assignment.scope else ""
        for tenant in targets:
            with self._supervisor.session(tenant.tenant_id) as engine:
                try:
                    engine.execute(f"alter system set `{_bare(assignment.name)}` = %s{scope}", (assignment.value,))
                except SqlError as error:
                    raise _as_the_engine_says(error, assignment.name) from error

    def _reset_one(self, tenant: Tenant, reset: ParameterReset) -> None:
        if reset.name in BY_NAME:
            self._catalog.parameters.reset(tenant.tenant_id, reset.name)
            if reset.name in connection_places.NAMES:
                self._places.reload()
            return
        if reset.name in PARAMETERS_HELD:
            raise fenced(reset.name)
        with self._supervisor.session(tenant.tenant_id) as engine:
            try:
                engine.execute(f"alter system reset `{_bare(reset.name)}`")
            except SqlError as error:
                raise _as_the_engine_says(error, reset.name) from error


def _warnings_of(result: object) -> tuple[Warn, ...]:
    return result.warnings if isinstance(result, Reply) else ()


def _cluster_target(session: Session, names: tuple[str, ...], parameter: str) -> tuple[Tenant, ...]:
    """Return the sys tenant, which keeps the one value of a cluster parameter.

    Raises 1227 for others, for all but root where directories of the host are named, and 1235 for a TENANT clause.
    """
    require_sys(session)
    if parameter == ground.PARAMETER:
        require_root_of_sys(session, "says which directories of the server's machine tenants may name")
    if names:
        raise not_supported("specify tenant for a cluster parameter is")
    return (session.tenant,)


def _deprecated(name: str) -> RefusedError:
    return refuse(codes.OB_ERR_SYS_CONFIG_UNKNOWN, hint=f"{name} is of V3; instead: {DEPRECATED[name]}")


def fenced(name: str) -> RefusedError:
    """Return the refusal of a setting that Holdfast owns."""
    hint = "change its resource unit" if name in {"memory_budget", "log_disk_size"} else "Holdfast owns it"
    return not_supported(f"setting {name} is", hint=hint)


def _bare(name: str) -> str:
    """Return a parameter name that needs no quoting: letters, digits and _ only."""
    if not all(letter.isalnum() or letter == "_" for letter in name):
        raise refuse(codes.OB_ERR_SYS_CONFIG_UNKNOWN)
    return name


def _as_the_engine_says(error: SqlError, name: str) -> EngineError:
    """Return the refusal in the engine's own words: the client who gets them wrote the value they may quote."""
    for code in (codes.OB_ERR_SYS_CONFIG_UNKNOWN, codes.OB_INVALID_CONFIG, codes.OB_INVALID_ARGUMENT):
        if error.errno == code.client:
            return EngineError(error.unmasked, code=code, hint=f"parameter {name}")
    return EngineError(error.unmasked, hint=f"parameter {name}, engine error {error.errno}")


def _mirrored(row: dict[str, object]) -> EngineParameter:
    return EngineParameter(
        name=str(row["name"]),
        data_type=str(row["data_type"]),
        value=str(row["value"]),
        info=str(row["info"]),
        section=str(row["section"]),
        scope=str(row["scope"]),
        source=str(row["source"]),
        edit_level=str(row["edit_level"]),
        default_value=str(row["default_value"]),
        is_default=str(row["isdefault"]) == "1",
    )
