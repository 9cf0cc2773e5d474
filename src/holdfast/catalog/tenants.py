"""Tenants: who exists, in which state, and how far each has come."""

from dataclasses import dataclass

from holdfast import codes
from holdfast.catalog.connections import Cell, Connections, Transaction
from holdfast.catalog.records import Record, time_from_us
from holdfast.catalog.sequences import next_id
from holdfast.clock import Clock
from holdfast.errors import ConflictError, NotFoundError, refuse
from holdfast.values.scn import SCN_MAX_VALUE, SCN_NONE, Scn
from holdfast.values.tenant import (
    FIRST_USER_TENANT_ID,
    SYS_TENANT_ID,
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantPurpose,
    TenantRole,
    TenantStatus,
    Unit,
)

_SCN_UNLIMITED = Scn(SCN_MAX_VALUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantScns:
    """How far a tenant's log is synchronised, replayable and readable, and where its recovery stops."""

    tenant_id: int
    sync_scn: Scn = SCN_NONE
    replayable_scn: Scn = SCN_NONE
    readable_scn: Scn = SCN_NONE
    recovery_until_scn: Scn = _SCN_UNLIMITED


@dataclass(frozen=True, slots=True, kw_only=True)
class _TenantRow:
    """The columns of a tenant, flat: `Tenant` nests its unit."""

    tenant_id: int
    tenant_name: str
    tenant_role: TenantRole
    status: TenantStatus
    log_mode: LogMode
    compatibility_mode: CompatibilityMode
    max_cpu: float
    memory_size_bytes: int
    log_disk_size_bytes: int
    create_time_us: int
    modify_time_us: int
    compatible: str
    purpose: TenantPurpose


_RECORD = Record("tenant", _TenantRow, key=("tenant_id",))
_SCNS = Record("tenant", TenantScns, key=("tenant_id",))


class Tenants:
    """Every method is one transaction."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def next_tenant_id(self) -> int:
        """Return an id for a new tenant: 1002, 1004, ... as in OceanBase, never one that was given before."""
        with self._connections.transaction() as transaction:
            return next_id(transaction, SYS_TENANT_ID, "tenant", first=FIRST_USER_TENANT_ID, step=2)

    def add(self, tenant: Tenant) -> None:
        """Record a tenant, the sys tenant included. Refused with -5156 when its name is taken.

        Raises ConflictError when its id is taken.
        """
        with self._connections.transaction() as transaction:
            if _one(transaction, "WHERE tenant_name = %s FOR UPDATE", (tenant.name,)) is not None:
                raise refuse(codes.OB_TENANT_EXIST, tenant.name)
            try:
                _RECORD.insert(transaction, _row(tenant))
            except ConflictError as error:
                if _one(transaction, "WHERE tenant_name = %s", (tenant.name,)) is not None:
                    raise refuse(codes.OB_TENANT_EXIST, tenant.name) from error
                raise

    def find(self, name: str) -> Tenant | None:
        """Return the tenant of this name, matched as stored, or None."""
        with self._connections.transaction() as transaction:
            return _one(transaction, "WHERE tenant_name = %s", (name,))

    def get(self, name: str) -> Tenant:
        """Return the tenant of this name, matched as stored. Raises NotFoundError (-5157)."""
        tenant = self.find(name)
        if tenant is None:
            raise _unknown(name)
        return tenant

    def by_id(self, tenant_id: int) -> Tenant:
        """Return the tenant. Raises NotFoundError (-5157)."""
        with self._connections.transaction() as transaction:
            return _existing(transaction, tenant_id, "")

    def all(self) -> tuple[Tenant, ...]:
        """Return every tenant, sys included, sorted by id."""
        with self._connections.transaction() as transaction:
            return tuple(_tenant(row) for row in _RECORD.select(transaction, "ORDER BY tenant_id"))

    def hosted(self) -> tuple[Tenant, ...]:
        """Return every tenant but sys, auxiliary ones too, sorted by id: those that have an engine to care for."""
        return tuple(tenant for tenant in self.all() if not tenant.is_sys)

    def user_tenants(self) -> tuple[Tenant, ...]:
        """Return every tenant of a person, sorted by id: what statements call "all tenants"."""
        return tuple(tenant for tenant in self.hosted() if not tenant.is_auxiliary)

    def update(
        self,
        tenant_id: int,
        *,
        status: TenantStatus | None = None,
        role: TenantRole | None = None,
        log_mode: LogMode | None = None,
        unit: Unit | None = None,
        data_version: str | None = None,
        switchover_status: str | None = None,
    ) -> Tenant:
        """Change what is given and return the tenant as it is now. Raises NotFoundError (-5157)."""
        changes: dict[str, Cell] = {}
        if status is not None:
            changes["status"] = str(status)
        if role is not None:
            changes["tenant_role"] = str(role)
        if log_mode is not None:
            changes["log_mode"] = str(log_mode)
        if unit is not None:
            changes["max_cpu"] = unit.max_cpu
            changes["memory_size_bytes"] = unit.memory_size_bytes
            changes["log_disk_size_bytes"] = unit.log_disk_size_bytes
        if data_version is not None:
            changes["compatible"] = data_version
        if switchover_status is not None:
            changes["switchover_status"] = switchover_status
        changes["modify_time"] = time_from_us(self._clock.now_ns() // 1000)
        with self._connections.transaction() as transaction:
            _existing(transaction, tenant_id, "FOR UPDATE")
            assigned = ", ".join(f"{column} = %s" for column in changes)
            transaction.execute(
                f"UPDATE __holdfast.tenant SET {assigned} WHERE tenant_id = %s", [*changes.values(), tenant_id]
            )
            return _existing(transaction, tenant_id, "")

    def switch_log_mode(self, tenant_id: int, log_mode: LogMode) -> bool:
        """Set the log mode and return True, or False when it was so already: of two at once, one gets False.

        Raises NotFoundError (-5157).
        """
        with self._connections.transaction() as transaction:
            if _existing(transaction, tenant_id, "FOR UPDATE").log_mode is log_mode:
                return False
            transaction.execute(
                "UPDATE __holdfast.tenant SET log_mode = %s, modify_time = %s WHERE tenant_id = %s",
                (str(log_mode), time_from_us(self._clock.now_ns() // 1000), tenant_id),
            )
            return True

    def scns(self, tenant_id: int) -> TenantScns:
        """Return how far the tenant has come. Raises NotFoundError (-5157)."""
        with self._connections.transaction() as transaction:
            scns = _SCNS.one(transaction, "WHERE tenant_id = %s", (tenant_id,))
        if scns is None:
            raise _unknown(str(tenant_id))
        return scns

    def record_recovery_until(self, tenant_id: int, until: Scn) -> None:
        """Say where a standby's recovery stops; no effect on a tenant that is gone."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.tenant SET recovery_until_scn = %s WHERE tenant_id = %s", (int(until), tenant_id)
            )

    def record_progress(self, tenant_id: int, *, sync_scn: Scn, readable_scn: Scn) -> None:
        """Say how far a standby has come, whatever its bound; no effect on a tenant that is gone."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.tenant SET sync_scn = %s, replayable_scn = %s, readable_scn = %s WHERE tenant_id = %s",
                (int(sync_scn), int(sync_scn), int(readable_scn), tenant_id),
            )

    def update_scns(self, scns: TenantScns) -> None:
        """Record how far the tenant has come; no effect on one that is gone."""
        with self._connections.transaction() as transaction:
            _SCNS.update(transaction, scns)

    def remove(self, tenant_id: int) -> None:
        """Forget a dropped tenant; no effect on one that is gone.

        Settings go, its pools come free, what was under way ends. Rows that tell what lies in destinations (sets, rounds, pieces,
        destinations, history) stay and are visible to sys: they are what a mistaken DROP TENANT is repaired with.
        """
        assert tenant_id != SYS_TENANT_ID, "the sys tenant is never dropped"
        now = time_from_us(self._clock.now_ns() // 1000)
        with self._connections.transaction() as transaction:
            for table in (
                "parameter",
                "engine_parameter",
                "archive_dest",
                "log_restore_source",
                "backup_parameter",
                "tenant",
            ):
                transaction.execute(f"DELETE FROM __holdfast.{table} WHERE tenant_id = %s", (tenant_id,))
            transaction.execute(
                "UPDATE __holdfast.resource_pool SET tenant_id = NULL, modify_time = %s WHERE tenant_id = %s",
                (now, tenant_id),
            )
            transaction.execute(
                "UPDATE __holdfast.archive_round SET status = 'STOP', comment = 'tenant dropped'"
                " WHERE tenant_id = %s AND status <> 'STOP'",
                (tenant_id,),
            )
            transaction.execute(
                "UPDATE __holdfast.archive_piece SET status = 'FROZEN' WHERE tenant_id = %s", (tenant_id,)
            )
            ended = "end_timestamp = %s, result = %s, comment = 'tenant dropped'"
            for table in ("backup_job", "backup_task"):
                transaction.execute(
                    f"UPDATE __holdfast.{table} SET status = 'CANCELED', {ended}"
                    " WHERE tenant_id = %s AND end_timestamp IS NULL",
                    (now, codes.OB_CANCELED.number, tenant_id),
                )
            transaction.execute(
                f"UPDATE __holdfast.backup_set SET status = 'FAILED', file_status = 'INCOMPLETE', {ended}"
                " WHERE tenant_id = %s AND status = 'DOING'",
                (now, codes.OB_CANCELED.number, tenant_id),
            )


def _one(transaction: Transaction, where: str, args: tuple[Cell, ...]) -> Tenant | None:
    row = _RECORD.one(transaction, where, args)
    return None if row is None else _tenant(row)


def _existing(transaction: Transaction, tenant_id: int, lock: str) -> Tenant:
    tenant = _one(transaction, f"WHERE tenant_id = %s {lock}", (tenant_id,))
    if tenant is None:
        raise _unknown(str(tenant_id))
    return tenant


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(codes.OB_TENANT_NOT_EXIST.text(name), code=codes.OB_TENANT_NOT_EXIST)


def _tenant(row: _TenantRow) -> Tenant:
    return Tenant(
        tenant_id=row.tenant_id,
        name=row.tenant_name,
        role=row.tenant_role,
        status=row.status,
        log_mode=row.log_mode,
        mode=row.compatibility_mode,
        unit=Unit(
            max_cpu=row.max_cpu,
            memory_size_bytes=row.memory_size_bytes,
            log_disk_size_bytes=row.log_disk_size_bytes,
        ),
        create_time_us=row.create_time_us,
        modify_time_us=row.modify_time_us,
        data_version=row.compatible,
        purpose=row.purpose,
    )


def _row(tenant: Tenant) -> _TenantRow:
    return _TenantRow(
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        tenant_role=tenant.role,
        status=tenant.status,
        log_mode=tenant.log_mode,
        compatibility_mode=tenant.mode,
        max_cpu=tenant.unit.max_cpu,
        memory_size_bytes=tenant.unit.memory_size_bytes,
        log_disk_size_bytes=tenant.unit.log_disk_size_bytes,
        create_time_us=tenant.create_time_us,
        modify_time_us=tenant.modify_time_us,
        compatible=tenant.data_version,
        purpose=tenant.purpose,
    )
