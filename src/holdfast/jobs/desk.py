"""The desk: one statement in, one reply out. What each statement means lies with its family; here is only who gets it."""

from collections.abc import Callable
from ssl import SSLContext

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.engine import account
from holdfast.errors import refuse
from holdfast.jobs.activation import Activation
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.backups import Backups
from holdfast.jobs.cleanup import Cleanup
from holdfast.jobs.cluster_parameters import ClusterParametersBackup
from holdfast.jobs.connection_places import ConnectionPlaces
from holdfast.jobs.destinations import check_attribute
from holdfast.jobs.door import Route, ViewsLogin
from holdfast.jobs.health import TenantHealth
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.restores import Restores
from holdfast.jobs.rights import not_supported, targets_of_setting
from holdfast.jobs.session import Session
from holdfast.jobs.settings import Settings
from holdfast.jobs.standbys import Standbys
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.surface import OF_COMMAND, State, admit
from holdfast.jobs.table_recovery import TableRecoveries
from holdfast.jobs.takeover import Takeover
from holdfast.jobs.tenants import Tenants
from holdfast.jobs.validation import Validations
from holdfast.jobs.windows import RestorableWindows
from holdfast.keys.password import BackupPassword, Passwords
from holdfast.statement import commands as c
from holdfast.values.destination import parse_uri
from holdfast.values.places import PlaceLimits
from holdfast.values.tenant import SYS_TENANT_ID, Tenant, TenantStatus

SYS_TENANT_NAME = "sys"


class HoldfastDesk:
    """Implements `jobs.door.Desk` over the families of statements."""

    def __init__(
        self,
        *,
        cluster_name: str,
        catalog: Catalog,
        supervisor: Supervisor,
        tenants: Tenants,
        archiving: Archiving,
        backups: Backups,
        restores: Restores,
        activation: Activation,
        standbys: Standbys,
        cluster_parameters: Callable[[Settings], ClusterParametersBackup],
        cleanup: Cleanup,
        validations: Validations,
        windows: RestorableWindows,
        health: TenantHealth,
        table_recoveries: TableRecoveries,
        takeover: Takeover,
        places: ConnectionPlaces,
        keys: BackupKeys,
    ) -> None:
        self.cluster_name = cluster_name
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._archiving = archiving
        self._backups = backups
        self._restores = restores
        self._activation = activation
        self._standbys = standbys
        self._cleanup = cleanup
        self._validations = validations
        self._windows = windows
        self._health = health
        self._table_recoveries = table_recoveries
        self._takeover = takeover
        self._places = places
        self.settings = Settings(catalog, supervisor, set_destination=self._set_destination, places=places, keys=keys)
        self._cluster_parameters = cluster_parameters(self.settings)

    def route(self, tenant_name: str) -> Route:
        """Return where to log in. Raises NotFoundError (unknown tenant) or RefusedError (not ready)."""
        tenant = self._catalog.tenants.get(tenant_name)
        if tenant.is_auxiliary:
            raise refuse(codes.OB_SERVER_NOT_READY, hint=f"tenant {tenant.name} belongs to a job, which removes it")
        if tenant.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_SERVER_NOT_READY, hint=f"tenant {tenant.name} is {tenant.status}")
        process = self._supervisor.process(tenant.tenant_id)
        return Route(
            tenant=tenant,
            addressed=process.sockets,
            socket=self._supervisor.directory(tenant.tenant_id).socket,
            unusable=self._supervisor.reach_of_unusable(tenant.tenant_id),
        )

    def tls_for(self, tenant: Tenant, user: str) -> SSLContext | None:
        return self._supervisor.tls_for(tenant.tenant_id, user)

    def views_login(self, tenant: Tenant) -> ViewsLogin:
        return self._tenants.views_login(tenant)

    def schemas_among(self, names: frozenset[str]) -> frozenset[str]:
        return self._catalog.schemas_among(names)

    def before_view(self, tenant: Tenant, view_name: str) -> None:
        name = view_name.lower()
        if name.endswith("ob_parameters"):
            self.settings.mirror(tenant)
        elif name.endswith("restorable_windows"):
            self._windows.mirror(tenant)
        elif name.endswith("tenant_health"):
            self._health.mirror()

    def place_limits(self) -> PlaceLimits:
        return self._places.limits()

    def is_shut_out(self, tenant_id: int) -> bool:
        return self._supervisor.is_shut_out(tenant_id)

    def way_in(self, tenant_id: int) -> tuple[str, ...]:
        return account.remaking(self._supervisor.account_file(tenant_id))

    def look_at(self, tenant_id: int) -> None:
        self._supervisor.look_at(tenant_id)

    def writes_stalled(self, tenant_id: int) -> bool:
        return tenant_id != SYS_TENANT_ID and self._archiving.is_stalled(tenant_id)

    def execute(self, session: Session, command: c.Command) -> Reply:
        """Carry out one statement. The tenant is read anew: it may have changed since the login."""
        session.tenant = self._catalog.tenants.by_id(session.tenant.tenant_id)
        admit(session, command)
        match command:
            case c.ShowTenants():
                return self._tenants.show(session)
            case c.ShowParameters():
                return self.settings.show(session, command)
            case c.CreateTenant():
                return self._tenants.create(session, command)
            case c.DropTenant():
                return self._tenants.drop(session, command)
            case c.CreateResourceUnit():
                return self._tenants.create_unit(session, command)
            case c.CreateResourcePool():
                return self._tenants.create_pool(session, command)
            case c.DropResourceUnit():
                return self._tenants.drop_unit(session, command)
            case c.DropResourcePool():
                return self._tenants.drop_pool(session, command)
            case c.ParameterAssignments():
                return self.settings.assign(session, command)
            case c.ResetParameters():
                return self.settings.reset(session, command)
            case c.SetLogArchiveDest() | c.SetLogArchiveDestState() | c.SetDataBackupDest() | c.SetLogRestoreSource():
                return self._set_destination(session, command)
            case c.Archivelog() | c.Noarchivelog():
                return self._switch_archiving(session, command)
            case c.Backup():
                return self._backups.backup(session, command)
            case c.CancelBackup():
                return self._backups.cancel(session, command)
            case c.SetEncryption():
                session.encryption = BackupPassword(command.password)
                return OK
            case c.SetDecryption():
                session.decryption = Passwords(command.passwords)
                return OK
            case c.RenewServerIdentity():
                return self._takeover.renew()
            case c.BackupClusterParameters():
                return self._cluster_parameters.backup(session, command)
            case c.ChangeExternalStorage():
                return self._change_storage(session, command)
            case c.Restore():
                return self._restores.restore(session, command)
            case c.AddRestoreSource():
                return self._restores.add_sources(session, command)
            case c.ClearRestoreSource():
                return self._restores.clear_sources(session)
            case c.RestorePreview():
                return self._restores.preview(session, command)
            case c.ShowRestorePreview():
                return self._restores.show_preview(session)
            case c.CancelRestore():
                return self._tenants.cancel_restore(session, command)
            case c.RecoverStandby():
                return self._standbys.recover(session, command)
            case c.ActivateStandby():
                return self._activation.activate(session, command)
            case c.Validate():
                return self._validations.validate(session, command)
            case c.CancelValidate():
                return self._validations.cancel(session, command)
            case c.RecoverTable():
                return self._table_recoveries.recover(session, command)
            case c.CancelRecoverTable():
                return self._table_recoveries.cancel(session, command)
            case c.NotOurs():
                raise not_supported(f"{command.feature} is")
            case _:
                return self._clean_up(session, command) or self._later(session, command)

    def _clean_up(self, session: Session, command: c.Command) -> Reply | None:
        """Carry out a statement of cleanup; None for any other."""
        cleanup = self._cleanup
        match command:
            case c.AddDeletePolicy():
                return cleanup.add_policy(session, command)
            case c.DropDeletePolicy():
                return cleanup.drop_policy(session, command)
            case c.DeleteObsolete():
                return cleanup.delete_obsolete(session, command)
            case c.PreviewObsolete():
                return cleanup.preview(session, command)
            case c.DeleteBackupset():
                return cleanup.delete_sets(session, command)
            case c.DeleteArchivelogPiece():
                return cleanup.delete_pieces(session, command)
            case c.DeleteBackupAll():
                return cleanup.delete_all(session, command)
            case c.CancelDelete():
                return cleanup.cancel(session, command)
            case c.PinBackupset():
                return cleanup.pin(session, command)
            case c.UnpinBackupset():
                return cleanup.unpin(session, command)
        return None

    def _set_destination(self, session: Session, command: c.DestinationCommand) -> Reply:
        for tenant in self._destination_targets(session, command):
            match command:
                case c.SetLogArchiveDest():
                    return self._archiving.set_destination(session, tenant, command.text)
                case c.SetLogArchiveDestState():
                    self._archiving.set_state(session, tenant, command.text)
                case c.SetDataBackupDest():
                    return self._backups.set_destination(session, tenant, command.text)
                case c.SetLogRestoreSource():
                    self._standbys.set_source(session, tenant, command.text)
        return OK

    def _destination_targets(self, session: Session, command: c.DestinationCommand) -> tuple[Tenant, ...]:
        slot = getattr(command, "slot", 0)
        if slot > 1:
            raise not_supported(f"log_archive_dest_{slot} is", hint="only the first archive destination works")
        tenants = self._catalog.tenants
        targets = targets_of_setting(session, command.tenants, find=tenants.find, users=tenants.user_tenants)
        if any(tenant.is_sys for tenant in targets):
            raise not_supported("a destination for tenant sys is", hint="name a user tenant: ... TENANT = t")
        if len(targets) > 1:
            # Each tenant needs a directory of its own, so one text can not serve two.
            raise not_supported("one destination for several tenants is", hint="set it tenant by tenant")
        return targets

    def _switch_archiving(self, session: Session, command: c.Archivelog | c.Noarchivelog) -> Reply:
        """Resolve who is meant: a user tenant itself; sys a list, or everybody."""
        names = command.tenants
        if not session.tenant.is_sys:
            if names:
                raise refuse(codes.OB_ERR_NO_PRIVILEGE, "SYS TENANT")
            names, everyone = (session.tenant.name,), False
        else:
            special = [name.lower() for name in names if name.lower() in c.ALL_TENANTS]
            if special and special[0] != "all":
                raise not_supported("use all_user/all_meta in 'ALTER SYSTEM ARCHIVELOG' syntax is")
            if special and len(names) > 1:
                raise not_supported("all/all_user/all_meta in combination with other names is")
            everyone = not names or bool(special)
            names = () if everyone else names
        switch = self._archiving.archivelog if isinstance(command, c.Archivelog) else self._archiving.noarchivelog
        return switch(session, names, all_tenants=everyone)

    def _change_storage(self, session: Session, command: c.ChangeExternalStorage) -> Reply:
        """CHANGE EXTERNAL_STORAGE_DEST: which zones read and write a path; keys are no part of file://."""
        path = parse_uri(command.path)
        used = [
            one
            for one in self._catalog.destinations.all_of(session.tenant.tenant_id)
            if one.uri.identity == path.identity
        ]
        if not used:
            raise refuse(codes.OB_ENTRY_NOT_EXIST, "the path does not exist")
        if command.access_info is not None:
            given = dict(item.partition("=")[::2] for item in command.access_info.split("&"))
            if not given.get("access_id") or not given.get("access_key"):
                raise refuse(codes.OB_INVALID_ARGUMENT, "reset ak/sk, access_id or access_key is null")
            raise not_supported("reset ak/sk of nfs path")
        attribute = check_attribute(command.attribute or "")
        for destination in used:
            self._catalog.destinations.set_attribute(destination, attribute)
        return OK

    def _later(self, session: Session, command: c.Command) -> Reply:
        """Refuse what this version does not do, under the statement's own name and with what the page says of it."""
        words = "".join(f" {letter}" if letter.isupper() else letter for letter in type(command).__name__)
        row = OF_COMMAND[type(command)]
        hint = row.note if row.state is State.NEVER else "it comes with a later version of Holdfast"
        raise not_supported(f"{words.strip().upper()} is", hint=hint)
