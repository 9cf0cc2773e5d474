"""Standby tenants: SET LOG_RESTORE_SOURCE and RECOVER STANDBY, and who is fed.

A tenant follows if it is a standby in state NORMAL, has a source, and RECOVERY_UNTIL_SCN lies behind its SYNC_SCN. All of that is in
the catalog, so the next server goes on where a dead one stopped. A restore sets the source to the archive it read and the bound to its
own target: the tenant stays there until RECOVER STANDBY says otherwise.
"""

import logging
import threading

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import decode_format_file
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.log_sources import LogRestoreSource
from holdfast.clock import Clock
from holdfast.engine.version import Engines
from holdfast.errors import NotFoundError, refuse
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.rights import not_supported
from holdfast.jobs.session import Session, target_of
from holdfast.jobs.standby_feed import StandbyFeed
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.restore.facts import Source, open_sources
from holdfast.statement.commands import RecoverPoint, RecoverStandby, Until
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
    ) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._clock = clock
        self._engines = engines
        self._open_store = open_store
        self._lock = threading.Lock()
        """One statement of this family at a time: they are rare, and each leaves catalog and feed in agreement."""
        self._feeds: dict[int, StandbyFeed] = {}

    # --- statements

    def set_source(self, tenant: Tenant, text: str) -> None:
        """SET LOG_RESTORE_SOURCE; an empty text takes the source away. A tenant that follows goes on with the new one."""
        if not text.strip():
            with self._lock:
                self._release(tenant.tenant_id)
                self._catalog.log_sources.clear(tenant.tenant_id)
                # Its engine asks a port where nobody answers until its next start.
                self._supervisor.change_settings(tenant.tenant_id, self._tenants.settings_of(tenant))
            return
        uri = parse_log_source(text)
        if tenant.role is not TenantRole.STANDBY:
            raise refuse(codes.OB_OP_NOT_ALLOW, "tenant role is not STANDBY, set log_restore_source is")
        self._check_source(tenant, self._open(uri))
        with self._lock:
            self._release(tenant.tenant_id)
            # Port 0: the engine is started anew, for the end of its log is compared with the new source's first.
            self._catalog.log_sources.put(LogRestoreSource(tenant_id=tenant.tenant_id, value=uri.identity))
            self._follow(self._catalog.tenants.by_id(tenant.tenant_id))

    def recover(self, session: Session, command: RecoverStandby) -> Reply:
        """RECOVER STANDBY: the bound is in the catalog when this returns; the log comes later."""
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
            else:
                self._recover(tenant, until)
        return OK

    # --- life

    def resume_all(self) -> None:
        """Feed every standby that a dead server fed, or that was to be fed. Called once, before the door opens."""
        with self._lock:
            for tenant in self._catalog.tenants.user_tenants():
                if tenant.role is TenantRole.STANDBY and tenant.status is TenantStatus.NORMAL:
                    self._follow(tenant)

    def stop_all(self) -> None:
        with self._lock:
            for tenant_id in list(self._feeds):
                self._release(tenant_id)

    def follow(self, tenant: Tenant) -> None:
        """Feed the tenant if it is to be fed. Repeatable."""
        with self._lock:
            self._follow(self._catalog.tenants.by_id(tenant.tenant_id))

    def release(self, tenant_id: int) -> None:
        """Feed the tenant no more; nothing is on its way to it once this has returned."""
        with self._lock:
            self._release(tenant_id)

    def forget(self, tenant_id: int) -> None:
        """A tenant that has become a primary has no source."""
        self.release(tenant_id)
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
        if row is None or tenant.tenant_id in self._feeds or scns.recovery_until_scn <= scns.sync_scn:
            return
        uri = parse_uri(row.value)
        feed = StandbyFeed(
            tenant.tenant_id,
            lambda: self._open(uri),
            scns.recovery_until_scn,
            catalog=self._catalog,
            supervisor=self._supervisor,
            tenants=self._tenants,
            clock=self._clock,
        )
        self._feeds[tenant.tenant_id] = feed
        feed.begin()

    def _release(self, tenant_id: int) -> None:
        feed = self._feeds.pop(tenant_id, None)
        if feed is not None:
            feed.end()

    # --- checks

    def _open(self, uri: Uri) -> Source:
        (source,) = open_sources((uri,), self._open_store)
        if not source.is_archive:
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH,
                ", try to set a new directory.",
                hint=f"{source.place} is no archive; name the path of LOG_ARCHIVE_DEST",
            )
        return source

    def _check_source(self, tenant: Tenant, source: Source) -> None:
        """Refuse the archive of another tenant than the one this was restored from."""
        owner = decode_format_file(source.store.get(names.FORMAT_FILE), name=f"{source.place}/{names.FORMAT_FILE}")
        try:
            made_by = self._catalog.restores.of_tenant(tenant.tenant_id)
        except NotFoundError:
            return  # the end of its log is compared with the archive before it follows
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


def parse_log_source(text: str) -> Uri:
    """Return the path of `LOCATION=uri`. Raises RefusedError: 1235 for SERVICE and RAWPATH, 1210 for what is neither."""
    name, _, value = text.strip().partition("=")
    if name.strip().lower() in {"service", "rawpath"}:
        raise not_supported(f"log_restore_source {name.strip().upper()} is", hint=_SERVICE_HINT)
    if name.strip().lower() != "location" or not value.strip() or len(value.split()) != 1:
        raise refuse(codes.OB_INVALID_ARGUMENT, "log_restore_source", hint="write 'LOCATION=file:///path' or ''")
    return parse_uri(value.strip())


def _bound_of(point: Until | RecoverPoint, session: Session) -> Scn | None:
    """Return the bound, None for CANCEL."""
    if isinstance(point, RecoverPoint):
        return None if point is RecoverPoint.CANCEL else _UNLIMITED
    until = target_of(point, session)
    assert until is not None, "a point was given"
    return min(until, _UNLIMITED)
