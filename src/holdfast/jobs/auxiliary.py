"""What a job does with the auxiliary tenant it ordered (decision 33): it waits until it can be read, and removes it."""

import logging

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.errors import EngineError, HoldfastError, NotFoundError
from holdfast.jobs.stops import Stops
from holdfast.jobs.tenants import Tenants
from holdfast.values.restore import RestoreStatus
from holdfast.values.tenant import Tenant, TenantStatus

log = logging.getLogger("holdfast.auxiliary")

_DROP_SECONDS_MAX = 120.0
_DROP_PAUSE_SECONDS = 1.0


class AuxiliaryLostError(HoldfastError):
    """The tenant will never be readable: looking again changes nothing."""

    default_code = codes.OB_RESTORE_TENANT_FAILED


def find_restored(catalog: Catalog, tenant_id: int) -> Tenant | None:
    """Return the tenant once it can be read, None while its restore goes on. Raises AuxiliaryLostError."""
    row = catalog.restores.of_tenant(tenant_id)
    if row.status is RestoreStatus.RESTORE_FAIL:
        raise AuxiliaryLostError(codes.OB_RESTORE_TENANT_FAILED.text(row.restore_tenant_name, row.comment))
    if row.is_active:
        return None
    try:
        tenant = catalog.tenants.by_id(tenant_id)
    except NotFoundError as error:
        raise AuxiliaryLostError("the auxiliary tenant was dropped", hint="begin again") from error
    return tenant if tenant.status is TenantStatus.NORMAL else None


def remove_auxiliary(catalog: Catalog, tenants: Tenants, clock: Clock, name: str, stops: Stops) -> None:
    """Remove the tenant of this name, whatever state it is in; without effect when it is gone.

    Somebody else may be at it, a full disk may have to be cleared first, the catalog may be down: tried for two minutes, or until
    the server stops. Raises EngineError.
    """
    end = clock.monotonic() + _DROP_SECONDS_MAX
    while True:
        try:
            tenant = catalog.tenants.find(name)
            if tenant is not None:
                tenants.drop_auxiliary(tenant)
            return
        except (HoldfastError, OSError) as error:
            if clock.monotonic() > end or stops.is_server_stopping:
                raise EngineError(f"auxiliary tenant {name} can not be removed: {error}") from error
            log.warning("tenant %s can not be removed yet: %s", name, error)
            clock.sleep(_DROP_PAUSE_SECONDS)
