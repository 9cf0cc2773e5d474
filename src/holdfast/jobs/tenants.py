"""The statements of tenants and resources, and the life of a tenant from CREATE to DROP.

Order of effects, for the crash:

    create   row CREATING -> directory -> engine -> account -> view schema -> row NORMAL
             killed anywhere before the last step: the next server finds CREATING and removes what is there
    drop     row DROPPING -> archiving and jobs end -> engine stops -> directory moved to trash -> view schema -> row gone
             killed anywhere: the next server finds DROPPING, or an empty trash folder to sweep, and goes on
"""

import contextlib
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from holdfast import codes, disk
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.engine import account, administrator, control, drift
from holdfast.engine.process import LOG_DISK_BYTES_MIN, MEMORY_BUDGET_BYTES_MIN, EngineSettings, begin_founding
from holdfast.engine.role import EngineRole
from holdfast.engine.session import ROOT, connect
from holdfast.engine.version import Engines, EngineVersion
from holdfast.errors import HoldfastError, RefusedError, UnknownVersionError, refuse
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.door import ViewsLogin
from holdfast.jobs.reply import OK, Column, ColumnKind, Reply, Warn
from holdfast.jobs.rights import require_sys
from holdfast.jobs.session import Session
from holdfast.jobs.supervisor import Supervisor
from holdfast.statement.commands import (
    CancelRestore,
    CreateResourcePool,
    CreateResourceUnit,
    CreateTenant,
    DropResourcePool,
    DropResourceUnit,
    DropTenant,
)
from holdfast.values.capacity import capacity_text
from holdfast.values.tenant import (
    SYS_TENANT_ID,
    TENANT_NAME_HINT,
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantPurpose,
    TenantRole,
    TenantStatus,
    Unit,
    is_auxiliary_name,
    is_valid_tenant_name,
)

log = logging.getLogger("holdfast.tenants")

DEFAULT_UNIT = Unit(max_cpu=1.0, memory_size_bytes=MEMORY_BUDGET_BYTES_MIN, log_disk_size_bytes=LOG_DISK_BYTES_MIN)
"""What a tenant gets without a pool: the least an engine starts with."""
ENGINE_VERSION_VARIABLE = "holdfast_engine_version"
"""Ours, in CREATE TENANT ... SET: which installed engine the tenant runs on, `1.3.0` or `1.3.0.0`. No variable of the engine."""
ORACLE_WARNING = (
    "Oracle mode is the management surface only: administrator SYS, views SYS.DBA_OB_..., all backup, archive and restore"
    " statements; SQL on data stays the engine's MySQL mode"
)
"""What SHOW WARNINGS says after CREATE TENANT ... SET ob_compatibility_mode = 'oracle'."""
_DEFAULT_PREFIX = "_default_"
"""Units and pools made for a tenant that named none; they go with it. No user can create a name with this prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependents:
    """What must end before a tenant may go. Each call returns when its files are no longer touched."""

    archiving: Callable[[int], None]
    backups: Callable[[int], None]
    restores: Callable[[int], None]
    cleanup: Callable[[int], None]
    validations: Callable[[int], None]
    standbys: Callable[[int], None]
    table_recoveries: Callable[[int], None]


class Tenants:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        supervisor: Supervisor,
        directories: ClusterDirectory,
        engines: Engines,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._directories = directories
        self._engines = engines
        self._clock = clock
        self._lock = threading.Lock()
        self._view_passwords: dict[int, str] = {}
        self._busy: set[str] = set()
        self.dependents = Dependents(
            archiving=_nothing,
            backups=_nothing,
            restores=_nothing,
            cleanup=_nothing,
            validations=_nothing,
            standbys=_nothing,
            table_recoveries=_nothing,
        )

    # --- statements

    def create_unit(self, session: Session, command: CreateResourceUnit) -> Reply:
        """CREATE RESOURCE UNIT: its sizes become the engine's memory budget and log disk."""
        require_sys(session)
        _refuse_reserved(command.name)
        if command.max_cpu is None:
            raise refuse(codes.OB_MISS_ARGUMENT, "MAX_CPU")
        if command.memory_size_bytes is None:
            raise refuse(codes.OB_MISS_ARGUMENT, "MEMORY_SIZE")
        if command.max_cpu < 1:
            raise refuse(codes.OB_RESOURCE_UNIT_VALUE_BELOW_LIMIT, "MAX_CPU", "1")
        if command.min_cpu is not None and command.min_cpu > command.max_cpu:
            raise refuse(codes.OB_RESOURCE_UNIT_VALUE_INVALID, hint="MIN_CPU may not exceed MAX_CPU")
        for name, iops in (("MAX_IOPS", command.max_iops), ("MIN_IOPS", command.min_iops)):
            if iops is not None and iops < 1024:
                raise refuse(codes.OB_RESOURCE_UNIT_VALUE_BELOW_LIMIT, name, "1024")
        memory = command.memory_size_bytes
        if memory < MEMORY_BUDGET_BYTES_MIN:
            least = capacity_text(MEMORY_BUDGET_BYTES_MIN)
            raise refuse(codes.OB_RESOURCE_UNIT_VALUE_BELOW_LIMIT, "MEMORY_SIZE", least)
        log_disk = command.log_disk_size_bytes
        if log_disk is None:
            log_disk = max(3 * memory, LOG_DISK_BYTES_MIN)
        if log_disk < LOG_DISK_BYTES_MIN:
            least = capacity_text(LOG_DISK_BYTES_MIN)
            raise refuse(codes.OB_RESOURCE_UNIT_VALUE_BELOW_LIMIT, "LOG_DISK_SIZE", least)
        unit = Unit(max_cpu=float(command.max_cpu), memory_size_bytes=memory, log_disk_size_bytes=log_disk)
        with _if_not(command.if_not_exists, codes.OB_RESOURCE_UNIT_EXIST) as outcome:
            self._catalog.resources.create_unit(
                command.name,
                unit,
                min_cpu=None if command.min_cpu is None else float(command.min_cpu),
                **{
                    name: value
                    for name, value in (
                        ("max_iops", command.max_iops),
                        ("min_iops", command.min_iops),
                        ("iops_weight", command.iops_weight),
                    )
                    if value is not None
                },
            )
        return outcome.reply

    def drop_unit(self, session: Session, command: DropResourceUnit) -> Reply:
        require_sys(session)
        with _if_not(command.if_exists, codes.OB_RESOURCE_UNIT_NOT_EXIST) as outcome:
            self._catalog.resources.drop_unit(command.name)
        return outcome.reply

    def create_pool(self, session: Session, command: CreateResourcePool) -> Reply:
        """CREATE RESOURCE POOL. One machine: UNIT_NUM must be 1, zones are kept as written."""
        require_sys(session)
        _refuse_reserved(command.name)
        if command.unit is None:
            raise refuse(codes.OB_MISS_ARGUMENT, "UNIT")
        if command.unit_num is None:
            raise refuse(codes.OB_MISS_ARGUMENT, "UNIT_NUM")
        if command.unit_num != 1:
            raise refuse(
                codes.OB_MACHINE_RESOURCE_NOT_ENOUGH, "zone1", "127.0.0.1", "UNIT_NUM", hint="use UNIT_NUM = 1"
            )
        with _if_not(command.if_not_exists, codes.OB_RESOURCE_POOL_EXIST) as outcome:
            zones = ";".join(command.zones) or "zone1"
            self._catalog.resources.create_pool(command.name, command.unit, zone_list=zones)
        return outcome.reply

    def drop_pool(self, session: Session, command: DropResourcePool) -> Reply:
        require_sys(session)
        with _if_not(command.if_exists, codes.OB_RESOURCE_POOL_NOT_EXIST) as outcome:
            self._catalog.resources.drop_pool(command.name)
        return outcome.reply

    def create(self, session: Session, command: CreateTenant) -> Reply:
        """CREATE TENANT: returns when the tenant takes logins, about 2 s later."""
        require_sys(session)
        variables = dict(command.variables)
        version = self._engine_for(variables.pop(ENGINE_VERSION_VARIABLE, None))
        mode = _mode_of(variables.pop("ob_compatibility_mode", "mysql"))
        if self._catalog.tenants.find(command.name) is not None and command.if_not_exists:
            return Reply(warnings=(Warn(number=5156, message=codes.OB_TENANT_EXIST.text(command.name)),))
        state = (TenantStatus.CREATING, TenantRole.PRIMARY)
        with self._one_at_a_time(command.name):
            tenant = self.allocate(command.name, command.pools, *state, mode, version=version)
            try:
                self._found(tenant, variables)
            except BaseException:
                self._remove(tenant)
                raise
        if mode is CompatibilityMode.ORACLE:
            return Reply(warnings=(Warn(number=codes.OB_NOT_SUPPORTED.client, message=ORACLE_WARNING),))
        return OK

    def drop(self, session: Session, command: DropTenant) -> Reply:
        """DROP TENANT: its directory goes, its backups stay. PURGE and FORCE mean the same: there is no recycle bin."""
        require_sys(session)
        tenant = self._catalog.tenants.find(command.name)
        if tenant is None:
            unknown = codes.OB_TENANT_NOT_EXIST
            if command.if_exists:
                return Reply(warnings=(Warn(number=unknown.client, message=unknown.text(command.name)),))
            raise refuse(unknown, command.name)
        if tenant.is_sys:
            raise refuse(codes.OB_OP_NOT_ALLOW, "drop sys tenant is")
        self._supervisor.directory(
            tenant.tenant_id
        )  # a tenant of an unknown engine is refused before anything of it changes
        with self._one_at_a_time(command.name):
            self._drop(tenant)
        return OK

    def drop_expired(self, tenant: Tenant) -> None:
        """Drop a tenant whose time to live is over. Refused while a statement creates or drops it."""
        with self._one_at_a_time(tenant.name):
            self._drop(tenant)

    def cancel_restore(self, session: Session, command: CancelRestore) -> Reply:
        """CANCEL RESTORE t: the half-made tenant goes by force. -5157 for an unknown one, -4179 for one that is not restored."""
        tenant = self._catalog.tenants.find(command.tenant)
        if tenant is None:
            raise refuse(codes.OB_TENANT_NOT_EXIST, command.tenant)
        if tenant.status is not TenantStatus.RESTORE:
            raise refuse(
                codes.OB_OP_NOT_ALLOW,
                "cancel restore of a tenant that is not being restored is",
                hint=f"tenant {tenant.name} is {tenant.status}",
            )
        return self.drop(session, DropTenant(name=tenant.name))

    def show(self, session: Session) -> Reply:
        """SHOW TENANTS: all of them for sys, itself for a user tenant."""
        columns = (
            Column(name="tenant_id", kind=ColumnKind.INTEGER),
            *(Column(name=name) for name in ("tenant_name", "tenant_type", "compatibility_mode")),
            *(Column(name=name) for name in ("tenant_role", "status", "log_mode", "memory_size", "log_disk_size")),
        )
        shown = self._catalog.tenants.all() if session.tenant.is_sys else (session.tenant,)
        rows = tuple(
            (
                tenant.tenant_id,
                tenant.name,
                "SYS" if tenant.is_sys else "USER",
                str(tenant.mode),
                str(tenant.role),
                str(tenant.status),
                str(tenant.log_mode),
                capacity_text(tenant.unit.memory_size_bytes),
                capacity_text(tenant.unit.log_disk_size_bytes),
            )
            for tenant in shown
        )
        return Reply(columns=columns, rows=rows)

    # --- what restores and the daemon need

    def allocate(
        self,
        name: str,
        pools: tuple[str, ...],
        status: TenantStatus,
        role: TenantRole,
        mode: CompatibilityMode = CompatibilityMode.MYSQL,
        *,
        version: EngineVersion,
        purpose: TenantPurpose = TenantPurpose.USER,
    ) -> Tenant:
        """Return a new tenant's row, in the catalog from now on, with its pools granted. It runs on `version` for good.

        Raises RefusedError: bad name, name taken (-5156), pool unknown (-4650) or granted (-4626). Nothing is left then.
        """
        if not is_valid_tenant_name(name) or is_auxiliary_name(name) != (purpose is TenantPurpose.AUXILIARY):
            raise refuse(codes.OB_INVALID_ARGUMENT, "tenant name", hint=TENANT_NAME_HINT)
        if self._catalog.tenants.find(name) is not None:
            raise refuse(codes.OB_TENANT_EXIST, name)
        unit = self._catalog.resources.free_unit_of(pools).unit if pools else DEFAULT_UNIT
        tenant_id = self._catalog.tenants.next_tenant_id()
        self._refuse_taken_place(tenant_id)
        now_us = self._clock.now_ns() // 1000
        tenant = Tenant(
            tenant_id=tenant_id,
            name=name,
            role=role,
            status=status,
            log_mode=LogMode.NOARCHIVELOG,
            mode=mode,
            unit=unit,
            create_time_us=now_us,
            modify_time_us=now_us,
            data_version=version.data_version,
            purpose=purpose,
        )
        self._supervisor.set_version(tenant_id, version, is_oracle=mode is CompatibilityMode.ORACLE)
        self._catalog.tenants.add(tenant)
        try:
            if not pools:
                default = f"{_DEFAULT_PREFIX}{tenant_id}"
                self._catalog.resources.create_unit(default, unit)
                self._catalog.resources.create_pool(default, default)
            self._catalog.resources.grant(pools or (f"{_DEFAULT_PREFIX}{tenant_id}",), tenant_id)
        except BaseException:
            self._remove(tenant)
            raise
        return tenant

    def _refuse_taken_place(self, tenant_id: int) -> None:
        """Refuse before there is a row: what is found in the place of a tenant that fails is removed.

        An id that was never given has no directory; one that has was given by a catalog of which this is an older or another one.
        """
        if not self._directories.tenants.is_dir():
            raise RefusedError(f"{self._directories.tenants} is not there", hint="mount its disk, or put it back")
        for place in (self._directories.tenant(tenant_id), self._directories.restore(tenant_id)):
            if os.path.lexists(place):
                raise RefusedError(
                    f"{place} is there already, and is of no tenant in this catalog",
                    hint="move it away, or give the server the sys directory that it belongs to",
                )

    def views_login(self, tenant: Tenant) -> ViewsLogin:
        """Return the login of a user tenant's own view schema, which is made with its views when it is first asked for.

        45 statements take the engine of sys a second: CREATE TENANT and each restore would wait for what most tenants never ask,
        and a job's auxiliary tenant can not. Raises HoldfastError.
        """
        password = self._view_passwords.get(tenant.tenant_id) or self._install_views(tenant.tenant_id)
        return ViewsLogin(
            socket=self._supervisor.directory(SYS_TENANT_ID).socket,
            user=f"hf_t{tenant.tenant_id}",
            password=password,
            schema=f"t{tenant.tenant_id}",
        )

    def _install_views(self, tenant_id: int) -> str:
        """Make the tenant's view schema and its user; return the user's password, which lives in this process only. Repeatable."""
        with self._lock:
            if known := self._view_passwords.get(tenant_id):
                return known  # another asked at once, and has it
            password = secrets.token_urlsafe(24)
            self._catalog.install_tenant(tenant_id, password, self._catalog.tenants.by_id(tenant_id).mode)
            self._view_passwords[tenant_id] = password
            return password

    def put_views_right(self) -> tuple[str, ...]:
        """Make views of tenants, and the users that read them, again where somebody has changed them; return what was changed.

        Of tenants whose views were asked for since the server began: for the others they are made then. Raises HoldfastError.
        """
        changed: tuple[str, ...] = ()
        for tenant in self._catalog.tenants.user_tenants():
            with self._lock:
                password = self._view_passwords.get(tenant.tenant_id)
                if password is not None:
                    changed += self._catalog.put_tenant_right(tenant.tenant_id, password, tenant.mode)
        return changed

    def settings_of(self, tenant: Tenant) -> EngineSettings:
        """Return what the tenant's engine is started with, now.

        A restored log can be larger than the unit's log disk; until the engine has recycled it, its log disk is made to fit.
        """
        source = None if tenant.role is TenantRole.PRIMARY else self._catalog.log_sources.find(tenant.tenant_id)
        settings = EngineSettings(
            memory_budget_bytes=tenant.unit.memory_size_bytes,
            log_disk_size_bytes=tenant.unit.log_disk_size_bytes,
            role=EngineRole.PRIMARY if tenant.role is TenantRole.PRIMARY else EngineRole.STANDBY,
            log_source_port=source.port or None if source is not None else None,
        )
        return settings.fitting(self._supervisor.directory(tenant.tenant_id))

    def remove(self, tenant: Tenant) -> None:
        """Remove a tenant that never became NORMAL (a failed creation or restore), whatever of it is there."""
        self._remove(tenant)

    def drop_auxiliary(self, tenant: Tenant) -> None:
        """Remove a job's auxiliary tenant, whatever state it is in; no effect when it is gone."""
        with self._one_at_a_time(tenant.name):
            if self._catalog.tenants.find(tenant.name) is not None:
                self._drop(tenant)

    def settle(self) -> tuple[Tenant, ...]:
        """Finish or undo what a dead server left half done; return the tenants whose engines should run."""
        for tenant in self._catalog.tenants.hosted():
            try:
                self._settle(tenant)
            except UnknownVersionError as error:
                # Made by a newer Holdfast: what its files are is not known here, so they stay, and the others go on.
                log.error("tenant %s stays as it is: %s", tenant.name, error)
        self._sweep()
        return tuple(t for t in self._catalog.tenants.hosted() if t.status is TenantStatus.NORMAL)

    # --- steps

    def _settle(self, tenant: Tenant) -> None:
        if tenant.status is TenantStatus.CREATING:
            log.warning("tenant %s: its creation was interrupted; removing it", tenant.name)
            self._remove(tenant)
        elif tenant.status is TenantStatus.DROPPING:
            log.warning("tenant %s: its drop was interrupted; going on", tenant.name)
            self._drop(tenant)

    def _engine_for(self, text: str | None) -> EngineVersion:
        """Return the engine that a new tenant asks for by `holdfast_engine_version`, the newest if it asks for none."""
        if text is None:
            return self._engines.newest
        version = self._engines.named(text)
        if version is None:
            raise refuse(
                codes.OB_INVALID_ARGUMENT,
                ENGINE_VERSION_VARIABLE,
                hint=f"engines of this server: {', '.join(self._engines.data_versions)}; HOLDFAST_ENGINES names more",
            )
        return version

    def _found(self, tenant: Tenant, variables: dict[str, str]) -> None:
        directory = self._supervisor.directory(tenant.tenant_id)
        begin_founding(directory)
        self._supervisor.bring_up(tenant.tenant_id, self.settings_of(tenant))
        with connect(directory.socket, ROOT, "") as root:
            account.create_account(root, self._supervisor.account_file(tenant.tenant_id))
            account.separate(root, self._supervisor.account_file(tenant.tenant_id))
            drift.secure(root, directory)
            for name, value in variables.items():
                drift.set_global(root, name, value)
            if tenant.mode is CompatibilityMode.ORACLE:
                administrator.install_sys(root)
            # An image without any checkpoint restores to an engine that starts by luck; it takes seconds, so begin now.
            control.minor_freeze(root)
        self._catalog.tenants.update(tenant.tenant_id, status=TenantStatus.NORMAL)

    def _drop(self, tenant: Tenant) -> None:
        self._catalog.tenants.update(tenant.tenant_id, status=TenantStatus.DROPPING)
        for end in (
            self.dependents.standbys,
            self.dependents.table_recoveries,
            self.dependents.restores,
            self.dependents.cleanup,
            self.dependents.validations,
            self.dependents.backups,
            self.dependents.archiving,
        ):
            end(tenant.tenant_id)
        self._remove(tenant)

    def _remove(self, tenant: Tenant) -> None:
        self._supervisor.take_down(tenant.tenant_id)
        for place in (self._directories.tenant(tenant.tenant_id), self._directories.restore(tenant.tenant_id)):
            self._to_trash(place.parent.name, place.name)
        self._sweep()
        self._catalog.remove_tenant(tenant.tenant_id)
        with self._lock:
            self._view_passwords.pop(tenant.tenant_id, None)
        self._catalog.quick.remove(tenant.tenant_id)
        self._catalog.tenants.remove(tenant.tenant_id)
        default = f"{_DEFAULT_PREFIX}{tenant.tenant_id}"
        with contextlib.suppress(RefusedError):
            self._catalog.resources.drop_pool(default)
        with contextlib.suppress(RefusedError):
            self._catalog.resources.drop_unit(default)

    def _to_trash(self, room: str, name: str) -> None:
        """Move a folder away in one step: a tenant directory is whole or gone, never half removed.

        On a disk too full for another name it is removed where it is: its row says DROPPING, CREATING or RESTORE until that
        is done, so nobody takes what is left for a tenant.
        """
        place = self._directories.base / room / name
        try:
            disk.make_folder(self._directories.trash)
            disk.move(place, self._directories.trash / f"{room}-{name}-{secrets.token_hex(4)}")
        except FileNotFoundError:
            return
        except OSError:
            shutil.rmtree(place, ignore_errors=True)

    def _sweep(self) -> None:
        if self._directories.trash.is_dir():
            for place in self._directories.trash.iterdir():
                shutil.rmtree(place, ignore_errors=True)

    @contextlib.contextmanager
    def _one_at_a_time(self, name: str) -> Iterator[None]:
        with self._lock:
            if name in self._busy:
                raise refuse(codes.OB_OP_NOT_ALLOW, f"tenant {name} is being created or dropped, this statement is")
            self._busy.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(name)


class _Outcome:
    reply: Reply = OK


@contextlib.contextmanager
def _if_not(tolerated: bool, code: codes.Code) -> Iterator[_Outcome]:
    """Turn the one refusal that IF [NOT] EXISTS tolerates into a warning on the yielded outcome's reply."""
    outcome = _Outcome()
    try:
        yield outcome
    except HoldfastError as error:
        if not tolerated or error.code is not code:
            raise
        outcome.reply = Reply(warnings=(Warn(number=code.client, message=error.message),))


def _mode_of(text: str) -> CompatibilityMode:
    try:
        return CompatibilityMode(text.upper())
    except ValueError as error:
        raise refuse(codes.OB_INVALID_ARGUMENT, "ob_compatibility_mode", hint="write mysql or oracle") from error


def _refuse_reserved(name: str) -> None:
    if name.startswith(_DEFAULT_PREFIX):
        raise refuse(
            codes.OB_INVALID_ARGUMENT, "name", hint=f"names beginning with {_DEFAULT_PREFIX} are Holdfast's own"
        )


def _nothing(tenant_id: int) -> None:
    """Nothing depends on any tenant yet."""
