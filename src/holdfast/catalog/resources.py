"""Resource units and pools: what a tenant's engine may use, and which tenant has it."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast import codes
from holdfast.catalog.connections import Connections, Transaction
from holdfast.catalog.records import Record, time_from_us
from holdfast.catalog.sequences import next_id
from holdfast.clock import Clock
from holdfast.errors import ConflictError, refuse
from holdfast.values.tenant import SYS_TENANT_ID, Unit

FIRST_ID = 1001
"""As in OceanBase, where smaller ids are the system's own."""
IOPS_UNLIMITED = 9223372036854775807


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUnit:
    """One CREATE RESOURCE UNIT. The IOPS figures are kept and shown; no engine is held to them."""

    unit_config_id: int
    name: str
    max_cpu: float
    min_cpu: float
    memory_size: int
    log_disk_size: int
    max_iops: int
    min_iops: int
    iops_weight: int
    create_time_us: int
    modify_time_us: int

    @property
    def unit(self) -> Unit:
        return Unit(max_cpu=self.max_cpu, memory_size_bytes=self.memory_size, log_disk_size_bytes=self.log_disk_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePool:
    """One CREATE RESOURCE POOL. `tenant_id` is None while it is free."""

    resource_pool_id: int
    name: str
    tenant_id: int | None
    unit_count: int
    unit_config_id: int
    zone_list: str
    create_time_us: int
    modify_time_us: int


_UNIT = Record("resource_unit", ResourceUnit, key=("unit_config_id",))
_POOL = Record("resource_pool", ResourcePool, key=("resource_pool_id",))


class Resources:
    """Every method is one transaction. Refusals carry OceanBase's codes."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def create_unit(
        self,
        name: str,
        unit: Unit,
        *,
        min_cpu: float | None = None,
        max_iops: int = IOPS_UNLIMITED,
        min_iops: int = IOPS_UNLIMITED,
        iops_weight: int = 0,
    ) -> ResourceUnit:
        """Record a unit; `min_cpu` None means as `max_cpu`. Refused with -4649 when the name is taken."""
        now_us = self._clock.now_ns() // 1000
        with self._connections.transaction() as transaction:
            created = ResourceUnit(
                unit_config_id=next_id(transaction, SYS_TENANT_ID, "resource_unit", first=FIRST_ID),
                name=name,
                max_cpu=unit.max_cpu,
                min_cpu=unit.max_cpu if min_cpu is None else min_cpu,
                memory_size=unit.memory_size_bytes,
                log_disk_size=unit.log_disk_size_bytes,
                max_iops=max_iops,
                min_iops=min_iops,
                iops_weight=iops_weight,
                create_time_us=now_us,
                modify_time_us=now_us,
            )
            try:
                _UNIT.insert(transaction, created)
            except ConflictError as error:
                raise refuse(codes.OB_RESOURCE_UNIT_EXIST, name) from error
            return created

    def drop_unit(self, name: str) -> None:
        """Forget a unit. Refused with -4648 when unknown, -4634 when a pool uses it."""
        with self._connections.transaction() as transaction:
            unit = _unit(transaction, name)
            if _POOL.one(transaction, "WHERE unit_config_id = %s", (unit.unit_config_id,)) is not None:
                raise refuse(codes.OB_RESOURCE_UNIT_IS_REFERENCED, name)
            transaction.execute(
                "DELETE FROM __holdfast.resource_unit WHERE unit_config_id = %s", (unit.unit_config_id,)
            )

    def unit(self, name: str) -> ResourceUnit:
        """Return the unit. Refused with -4648 when unknown."""
        with self._connections.transaction() as transaction:
            return _unit(transaction, name)

    def units(self) -> tuple[ResourceUnit, ...]:
        """Return all units, sorted by id."""
        with self._connections.transaction() as transaction:
            return _UNIT.select(transaction, "ORDER BY unit_config_id")

    def create_pool(self, name: str, unit_name: str, *, unit_count: int = 1, zone_list: str = "zone1") -> ResourcePool:
        """Record a free pool. Refused with -4651 when the name is taken, -4648 when the unit is unknown."""
        now_us = self._clock.now_ns() // 1000
        with self._connections.transaction() as transaction:
            unit = _unit(transaction, unit_name)
            created = ResourcePool(
                resource_pool_id=next_id(transaction, SYS_TENANT_ID, "resource_pool", first=FIRST_ID),
                name=name,
                tenant_id=None,
                unit_count=unit_count,
                unit_config_id=unit.unit_config_id,
                zone_list=zone_list,
                create_time_us=now_us,
                modify_time_us=now_us,
            )
            try:
                _POOL.insert(transaction, created)
            except ConflictError as error:
                raise refuse(codes.OB_RESOURCE_POOL_EXIST, name) from error
            return created

    def drop_pool(self, name: str) -> None:
        """Forget a pool. Refused with -4650 when unknown, -4626 when a tenant has it."""
        with self._connections.transaction() as transaction:
            pool = _pool(transaction, name)
            if pool.tenant_id is not None:
                raise refuse(codes.OB_RESOURCE_POOL_ALREADY_GRANTED, name)
            transaction.execute(
                "DELETE FROM __holdfast.resource_pool WHERE resource_pool_id = %s", (pool.resource_pool_id,)
            )

    def pool(self, name: str) -> ResourcePool:
        """Return the pool. Refused with -4650 when unknown."""
        with self._connections.transaction() as transaction:
            return _pool(transaction, name)

    def pools(self) -> tuple[ResourcePool, ...]:
        """Return all pools, sorted by id."""
        with self._connections.transaction() as transaction:
            return _POOL.select(transaction, "ORDER BY resource_pool_id")

    def pool_of(self, tenant_id: int) -> ResourcePool | None:
        """Return the first pool the tenant has, or None."""
        with self._connections.transaction() as transaction:
            return _POOL.one(transaction, "WHERE tenant_id = %s ORDER BY resource_pool_id", (tenant_id,))

    def free_unit_of(self, names: Sequence[str]) -> ResourceUnit:
        """Return the unit of the first named pool, provided that all are free.

        Refused with -4650 when a pool is unknown, -4626 when one is granted.
        """
        with self._connections.transaction() as transaction:
            pools = _free(transaction, names)
            unit = _UNIT.one(transaction, "WHERE unit_config_id = %s", (pools[0].unit_config_id,))
            assert unit is not None, "a unit is not dropped while a pool uses it"
            return unit

    def grant(self, names: Sequence[str], tenant_id: int) -> None:
        """Give all named pools to the tenant, or none. Refused with -4650 when one is unknown, -4626 when granted."""
        now = time_from_us(self._clock.now_ns() // 1000)
        with self._connections.transaction() as transaction:
            for pool in _free(transaction, names):
                transaction.execute(
                    "UPDATE __holdfast.resource_pool SET tenant_id = %s, modify_time = %s WHERE resource_pool_id = %s",
                    (tenant_id, now, pool.resource_pool_id),
                )

    def release(self, tenant_id: int) -> None:
        """Take all pools back from the tenant; no effect when it has none."""
        now = time_from_us(self._clock.now_ns() // 1000)
        with self._connections.transaction() as transaction:
            transaction.execute(
                "UPDATE __holdfast.resource_pool SET tenant_id = NULL, modify_time = %s WHERE tenant_id = %s",
                (now, tenant_id),
            )


def _unit(transaction: Transaction, name: str) -> ResourceUnit:
    unit = _UNIT.one(transaction, "WHERE name = %s FOR UPDATE", (name,))
    if unit is None:
        raise refuse(codes.OB_RESOURCE_UNIT_NOT_EXIST, name)
    return unit


def _pool(transaction: Transaction, name: str) -> ResourcePool:
    pool = _POOL.one(transaction, "WHERE name = %s FOR UPDATE", (name,))
    if pool is None:
        raise refuse(codes.OB_RESOURCE_POOL_NOT_EXIST, name)
    return pool


def _free(transaction: Transaction, names: Sequence[str]) -> tuple[ResourcePool, ...]:
    # Sorted, so that two statements naming the same pools in another order wait for each other instead of deadlocking.
    pools = {name: _pool(transaction, name) for name in sorted(set(names))}
    for name, pool in pools.items():
        if pool.tenant_id is not None:
            raise refuse(codes.OB_RESOURCE_POOL_ALREADY_GRANTED, name)
    return tuple(pools[name] for name in dict.fromkeys(names))
