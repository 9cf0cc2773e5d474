"""BACKUP CLUSTER PARAMETERS: the parameters of Holdfast and of every engine, as one readable object at a path of its own."""

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.cluster_parameters import (
    ClusterParameters,
    ParameterValue,
    TenantParameters,
    encode_cluster_parameters,
)
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.errors import refuse
from holdfast.jobs.destinations import TRY_ANOTHER, OpenStore
from holdfast.jobs.ground import Ground, named_uri, nobody
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.reply import Reply
from holdfast.jobs.rights import not_supported
from holdfast.jobs.session import Session
from holdfast.jobs.settings import Settings
from holdfast.statement.commands import BackupClusterParameters
from holdfast.store.store import Store
from holdfast.values.scn import Scn
from holdfast.values.tenant import Tenant, TenantStatus

_SECRET_WORDS = ("kms", "password", "secret", "access_key", "token")
"""A parameter whose name holds one of these may hold a key: it is left out of the object."""


class ClusterParametersBackup:
    """Writes one object per statement; those written before stay. Safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        clock: Clock,
        *,
        identity: ClusterIdentity,
        ground: Ground,
        open_store: OpenStore,
    ) -> None:
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._identity = identity
        self._ground = ground
        self._open_store = open_store

    def backup(self, session: Session, command: BackupClusterParameters) -> Reply:
        """Write the object; it is durable when this returns.

        Raises RefusedError: 1235 with a password, -9026, -9080 when others' files lie at the path, -9081 when it is a
        destination of backups; StoreUnavailableError when it can not be written.
        """
        if command.password is not None:
            raise not_supported("backup cluster parameters encrypted by a password is", hint="leave ENCRYPTED BY out")
        uri = self._ground.destination(session, named_uri(command.to), is_own=nobody)
        store = self._open_store(uri, create=True)
        _require_own(store)
        scn = Scn(self._clock.now_ns())
        tenants = [tenant for tenant in self._catalog.tenants.all() if tenant.status is TenantStatus.NORMAL]
        taken = ClusterParameters(
            cluster_name=self._identity.name,
            cluster_id=self._identity.cluster_id,
            scn=scn,
            tenants=tuple(self._taken(tenant) for tenant in tenants),
            owner=self._identity.server.owner(int(scn) // 1000),
        )
        store.put_new(names.cluster_parameters_name(scn), encode_cluster_parameters(taken))
        return Reply(warnings=self._ground.warnings(session, uri))

    def _taken(self, tenant: Tenant) -> TenantParameters:
        self._settings.mirror(tenant)
        shown = self._catalog.parameters.show(tenant.tenant_id)
        return TenantParameters(
            tenant_id=tenant.tenant_id,
            tenant_name=tenant.name,
            compatibility_mode=tenant.mode,
            parameters=tuple(
                ParameterValue(name=row.name, value=row.value, default_value=row.default_value)
                for row in shown
                if not any(word in row.name for word in _SECRET_WORDS)
            ),
        )


def _require_own(store: Store) -> None:
    """Refuse a path that holds anything but objects of this kind."""
    if store.stat(names.FORMAT_FILE) is not None:
        raise refuse(
            codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, TRY_ANOTHER, hint=f"{store.location} is a destination of backups"
        )
    if any(not names.is_cluster_parameters_name(item.name) for item in store.list()):
        raise refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST, TRY_ANOTHER, hint=f"{store.location} holds other files")
