"""Standby tenants: SET LOG_RESTORE_SOURCE and RECOVER STANDBY, and who is fed.

A tenant follows if it is a standby in state NORMAL, has a source, and RECOVERY_UNTIL_SCN lies behind its SYNC_SCN. All of that is in
the catalog, so the next server goes on where a dead one stopped. A restore sets the source to the archive it read and the bound to its
own target: the tenant stays there until RECOVER STANDBY says otherwise.
"""

import logging
import threading
from dataclasses import replace

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import FormatFile, decode_format_file
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.log_sources import LogRestoreSource
from holdfast.clock import Clock
from holdfast.destination.facts import Source, open_sources
from holdfast.engine.version import Engines
from holdfast.errors import NotFoundError, refuse
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.ground import Ground, named_uri
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.log_ports import LogPorts
from holdfast.jobs.reply import OK, Reply, Warn
from holdfast.jobs.rights import not_supported
from holdfast.jobs.session import Session, target_of
from holdfast.jobs.standby_feed import StandbyFeed
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.statement.commands import RecoverPoint, RecoverStandby, Until
from holdfast.store.small import FORMAT_BYTES_MAX, get_small
from holdfast.values.destination import Uri, parse_uri
from holdfast.values.scn import SCN_MAX_VALUE, SCN_NONE, Scn
from holdfast.values.tenant import Tenant, TenantRole, TenantStatus

log = logging.getLogger("holdfast.standby")

_UNLIMITED = Scn(SCN_MAX_VALUE)
_SERVICE_HINT = (
    "name the archive of that tenant: LOCATION=file:///...; with archive_lag_target = '0ms' on the source a standby follows it"
    " within a second"
)


class Standbys:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        supervisor: Supervisor,
        tenants: Tenants,
        clock: Clock,
        *,
        engines: Engines,
        open_store: OpenStore,
        ports: LogPorts,
        keys: BackupKeys,
        ground: Ground,
        identity: ClusterIdentity,
    ) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._clock = clock
        self._engines = engines
        self._open_store = open_store
        self._keys = keys
        self._ports = ports
        self._ground = ground
        self._identity = identity
        self._lock = threading.Lock()
        """One statement of this family at a time: they are rare, and each leaves catalog and feed in agreement."""
        self._feeds: dict[int, StandbyFeed] = {}

    # --- statements

    def set_source(self, session: Session, tenant: Tenant, text: str) -> None:
        """SET LOG_RESTORE_SOURCE; an empty text takes the source away. A tenant that follows goes on with the new one.

        A user tenant names its own archive or that of the tenant it was restored from, where it may read (`Ground.source`); the source
        it has it may set again.
        """
        if not text.strip():
            with self._lock:
                row = self._catalog.log_sources.find(tenant.tenant_id)
                self._release(tenant.tenant_id)
                self._catalog.log_sources.clear(tenant.tenant_id)
                if row is not None and row.port:
                    self._ports.hold(tenant.tenant_id, row.port)  # its engine goes on asking until its next start
                self._supervisor.change_settings(tenant.tenant_id, self._tenants.settings_of(tenant))
            return
        uri = parse_log_source(text)
        if tenant.role is not TenantRole.STANDBY:
            raise refuse(codes.OB_OP_NOT_ALLOW, "tenant role is not STANDBY, set log_restore_source is")
        known = self._catalog.log_sources.find(tenant.tenant_id)
        if known is not None and known.value == uri.identity and not session.tenant.is_sys:
            uri = replace(uri, resolved=known.resolved)
        else:
            uri = self._ground.source(session, uri, is_own=lambda owner: self._is_fed_by(tenant, owner))
        self._check_source(session, tenant, self._open(uri, tenant.tenant_id))
        with self._lock:
            row = self._catalog.log_sources.find(tenant.tenant_id)
            self._release(tenant.tenant_id)
            self._catalog.log_sources.put(
                LogRestoreSource(
                    tenant_id=tenant.tenant_id,
                    value=uri.identity,
                    port=0 if row is None else row.port,
                    resolved=uri.resolved,
                )
            )
            self._follow(self._catalog.tenants.by_id(tenant.tenant_id))

    def recover(self, session: Session, command: RecoverStandby) -> Reply:
        """RECOVER STANDBY: the bound is in the catalog when this returns; the log comes later.

        Without a log source none does, and OceanBase takes the statement all the same: it is a warning.
        """
        tenant = self._tenant_to_recover(session, command)
        if command.point is None:
            raise refuse(codes.OB_INVALID_ARGUMENT, "restore until, should specify restore until point")
        until = _bound_of(command.point, session)
        with self._lock:
            tenant = self._catalog.tenants.by_id(tenant.tenant_id)  # an activation or a drop may have had the lock
            if tenant.role is not TenantRole.STANDBY:
                raise refuse(codes.OB_OP_NOT_ALLOW, "tenant role is not STANDBY, recover is")
            if tenant.status is not TenantStatus.NORMAL:
                raise refuse(codes.OB_OP_NOT_ALLOW, "tenant status is not normal, recover is")
            if until is None:
                self._halt(tenant)
                return OK
            row = self._catalog.log_sources.find(tenant.tenant_id)
            self._recover(tenant, until)
            if row is None and until > self._catalog.tenants.scns(tenant.tenant_id).sync_scn:
                return Reply(warnings=(_sourceless(tenant),))
            is_begun = row is not None and not row.port and tenant.tenant_id in self._feeds
            return Reply(warnings=(_away(tenant),)) if is_begun else OK

    # --- life

    def resume_all(self) -> None:
        """Feed every standby that a dead server fed, or that was to be fed. Called once, before the door opens."""
        with self._lock:
            for tenant in self._catalog.tenants.user_tenants():
                if tenant.role is TenantRole.STANDBY and tenant.status is TenantStatus.NORMAL:
                    self._catalog.log_sources.extend(tenant.tenant_id)
                    self._follow(tenant)

    def stop_all(self) -> None:
        with self._lock:
            for tenant_id in list(self._feeds):
                self._release(tenant_id)
            self._ports.let_all_go()

    def follow(self, tenant: Tenant) -> None:
        """Feed the tenant if it is to be fed. Repeatable."""
        with self._lock:
            self._follow(self._catalog.tenants.by_id(tenant.tenant_id))

    def release(self, tenant_id: int) -> None:
        """Feed the tenant no more; nothing is on its way to it once this has returned."""
        with self._lock:
            self._release(tenant_id)

    def drop_tenant(self, tenant_id: int) -> None:
        """Feed the tenant no more, and let its port go."""
        self.release(tenant_id)
        self._ports.let_go(tenant_id)

    def forget(self, tenant_id: int) -> None:
        """A tenant that has become a primary has no source."""
        self.drop_tenant(tenant_id)
        self._catalog.log_sources.clear(tenant_id)
        self._catalog.tenants.record_recovery_until(tenant_id, _UNLIMITED)

    def is_forgotten(self, tenant_id: int) -> bool:
        """Return whether nothing tells of a standby any more, which is the last step of a promotion, or ever has."""
        until = self._catalog.tenants.scns(tenant_id).recovery_until_scn
        return until in (SCN_NONE, _UNLIMITED) and self._catalog.log_sources.find(tenant_id) is None

    # --- effects, under the lock

    def _recover(self, tenant: Tenant, until: Scn) -> None:
        version = self._engines.of(tenant.data_version)
        if not version.release.follows_source:
            raise not_supported(
                f"recover standby on engine {version.data_version} is", hint="restore again to the moment you want"
            )
        feed = self._feeds.get(tenant.tenant_id)
        before = self._catalog.tenants.scns(tenant.tenant_id)
        # What is on its way counts: a bound behind the shown SYNC_SCN may lie before what the tenant has by now.
        sync_scn = max(before.sync_scn, feed.halt()) if feed is not None else before.sync_scn
        if until < sync_scn:
            if feed is not None:
                feed.set_until(before.recovery_until_scn)
            raise refuse(
                codes.OB_OP_NOT_ALLOW,
                "recover before tenant sync_scn sync_scn is",
                hint=f"SYNC_SCN is {int(sync_scn)} ({sync_scn.display()} UTC)",
            )
        self._catalog.tenants.record_recovery_until(tenant.tenant_id, until)
        if feed is not None:
            feed.set_until(until)
        else:
            self._follow(tenant)

    def _halt(self, tenant: Tenant) -> None:
        """RECOVER STANDBY CANCEL: what the tenant has got is its bound."""
        feed = self._feeds.get(tenant.tenant_id)
        sync_scn = self._catalog.tenants.scns(tenant.tenant_id).sync_scn
        if feed is not None:
            sync_scn = max(sync_scn, feed.halt())
            feed.set_until(sync_scn)
        self._catalog.tenants.record_recovery_until(tenant.tenant_id, sync_scn)

    def _follow(self, tenant: Tenant) -> None:
        if tenant.role is not TenantRole.STANDBY or tenant.status is not TenantStatus.NORMAL:
            return
        row = self._catalog.log_sources.find(tenant.tenant_id)
        scns = self._catalog.tenants.scns(tenant.tenant_id)
        if row is None or tenant.tenant_id in self._feeds:
            return
        if scns.recovery_until_scn <= scns.sync_scn:
            if row.port:
                self._ports.hold(tenant.tenant_id, row.port)
            return
        uri = replace(parse_uri(row.value), resolved=row.resolved)
        feed = StandbyFeed(
            tenant.tenant_id,
            lambda: self._open(uri, tenant.tenant_id),
            scns.recovery_until_scn,
            catalog=self._catalog,
            supervisor=self._supervisor,
            tenants=self._tenants,
            ports=self._ports,
            clock=self._clock,
        )
        self._feeds[tenant.tenant_id] = feed
        feed.begin()

    def _release(self, tenant_id: int) -> None:
        feed = self._feeds.pop(tenant_id, None)
        if feed is not None:
            feed.end()

    # --- checks

    def _open(self, uri: Uri, tenant_id: int) -> Source:
        (source,) = open_sources((uri,), self._open_store)
        source = replace(source, masters=self._keys.of_log_source(tenant_id, source.store))
        if not source.is_archive:
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
                ", try to set a new directory.",
                hint=f"{source.place} is no archive; name the path of LOG_ARCHIVE_DEST",
            )
        return source

    def _is_fed_by(self, tenant: Tenant, owner: FormatFile) -> bool:
        """Return whether an archive is the tenant's own, or that of the tenant it was restored from: root@sys gave it that one's log."""
        if (owner.cluster_id, owner.tenant_id) == (self._identity.cluster_id, tenant.tenant_id):
            return True
        try:
            made_by = self._catalog.restores.of_tenant(tenant.tenant_id)
        except NotFoundError:
            return False
        return (made_by.backup_tenant_id, made_by.backup_cluster_name) == (owner.tenant_id, owner.cluster_name)

    def _check_source(self, session: Session, tenant: Tenant, source: Source) -> None:
        """Refuse the archive of another tenant than the one this was restored from."""
        owner = decode_format_file(
            get_small(source.store, names.FORMAT_FILE, FORMAT_BYTES_MAX), name=f"{source.place}/{names.FORMAT_FILE}"
        )
        try:
            made_by = self._catalog.restores.of_tenant(tenant.tenant_id)
        except NotFoundError:
            if session.tenant.is_sys or self._is_fed_by(tenant, owner):
                return  # the end of its log is compared with the archive before it follows
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
                ", try to set a new directory.",
                hint=f"{source.store.location} is another tenant's; root@sys may set it for this one",
            ) from None
        if (made_by.backup_tenant_id, made_by.backup_cluster_name) != (owner.tenant_id, owner.cluster_name):
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
                ", try to set a new directory.",
                hint=f"{source.store.location} is the archive of tenant {owner.tenant_name}, and {tenant.name} was restored from"
                f" {made_by.backup_tenant_name}",
            )

    def _tenant_to_recover(self, session: Session, command: RecoverStandby) -> Tenant:
        if not session.tenant.is_sys:
            if command.tenants:
                raise refuse(codes.OB_INVALID_ARGUMENT, "tenant name, please don't specify tenant name")
            return session.tenant
        if len(command.tenants) != 1:
            raise not_supported("omitting tenant name is " if not command.tenants else "more than one tenant name is")
        tenant = self._catalog.tenants.get(command.tenants[0])
        if tenant.is_sys:
            raise refuse(codes.OB_INVALID_ARGUMENT, "tenant name, only support operating user tenant")
        return tenant


def _away(tenant: Tenant) -> Warn:
    return Warn(
        number=codes.OB_EAGAIN.client,
        message=f"sessions at tenant {tenant.name} break once: its engine is started again to follow, and first replays the log behind its"
        " checkpoint",
    )


def _sourceless(tenant: Tenant) -> Warn:
    return Warn(
        number=codes.OB_OP_NOT_ALLOW.client,
        message=f"tenant {tenant.name} has no log source and stays where it is: ALTER SYSTEM SET LOG_RESTORE_SOURCE ="
        " 'LOCATION=file:///path', the archive of the tenant it was restored from, makes it follow to this bound",
    )


def parse_log_source(text: str) -> Uri:
    """Return the path of `LOCATION=uri`. Raises RefusedError: 1235 for SERVICE and RAWPATH, 1210 for what is neither."""
    name, _, value = text.strip().partition("=")
    if name.strip().lower() in {"service", "rawpath"}:
        raise not_supported(f"log_restore_source {name.strip().upper()} is", hint=_SERVICE_HINT)
    if name.strip().lower() != "location" or not value.strip() or len(value.split()) != 1:
        raise refuse(codes.OB_INVALID_ARGUMENT, "log_restore_source", hint="write 'LOCATION=file:///path' or ''")
    return named_uri(value.strip())


def _bound_of(point: Until | RecoverPoint, session: Session) -> Scn | None:
    """Return the bound, None for CANCEL."""
    if isinstance(point, RecoverPoint):
        return None if point is RecoverPoint.CANCEL else _UNLIMITED
    until = target_of(point, session)
    assert until is not None, "a point was given"
    return min(until, _UNLIMITED)
