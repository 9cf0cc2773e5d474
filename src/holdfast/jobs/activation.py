"""ACTIVATE STANDBY: a restored tenant becomes a primary.

The catalog changes first: a server killed in between finds PRIMARY and a standby engine, and finishes the activation. The
other order could start an activated engine as a standby again.
"""

import logging

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.engine import account, control, drift, facts
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.session import Session as EngineSession
from holdfast.engine.version import Engines
from holdfast.errors import EngineError, HoldfastError, refuse
from holdfast.jobs.quick import refuse_preview
from holdfast.jobs.reply import OK, Reply, Warn
from holdfast.jobs.rights import not_supported
from holdfast.jobs.session import Session
from holdfast.jobs.standbys import Standbys
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.restore.rollback import Cut, find_on_standby
from holdfast.statement.commands import ActivateStandby
from holdfast.values.scn import Scn
from holdfast.values.tenant import Tenant, TenantRole, TenantStatus

log = logging.getLogger("holdfast.activation")

_ACTIVATE_SECONDS_MAX = 30.0
"""An activation takes 0.05 s; one that takes this long has failed."""
_REPLAY_SECONDS_MAX = 60.0
"""How long a standby may take to replay what it has been handed and not yet taken in: what it was handed in a second, mostly."""

_NOTE_NUMBER = 1105
"""What MySQL-like servers give a note that has no number of its own."""


def _promoted(tenant: Tenant, end_scn: Scn) -> Warn:
    """Return the note that says what the tenant goes on from: the one question of whoever promotes a standby of a lost tenant."""
    message = f"tenant {tenant.name} is PRIMARY and goes on from SCN {int(end_scn)} ({end_scn.display()} UTC)"
    return Warn(number=_NOTE_NUMBER, message=message, level="Note")


class Activation:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        supervisor: Supervisor,
        tenants: Tenants,
        clock: Clock,
        *,
        engines: Engines,
        standbys: Standbys,
    ) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._clock = clock
        self._engines = engines
        self._standbys = standbys

    def activate(self, session: Session, command: ActivateStandby) -> Reply:
        """ACTIVATE STANDBY: the tenant is PRIMARY and takes writes when this returns. On a primary: nothing to do."""
        tenant = self._tenant_to_activate(session, command)
        if tenant.role is TenantRole.PRIMARY:
            return OK
        if tenant.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_OP_NOT_ALLOW, "tenant status is not normal, activate is")
        refuse_preview(self._catalog.quick.find(tenant.tenant_id))
        if command.verify:  # VERIFY only asks whether it would be done
            return OK
        return Reply(warnings=(_promoted(tenant, self.activate_tenant(tenant)),))

    def activate_tenant(self, tenant: Tenant) -> Scn:
        """Make a standby whose restore has ended a primary and return where its past ends. Raises EngineError; it is a standby still then.

        First it is fed no more: log that came between would be the source's, behind the tenant's own.
        """
        self._standbys.release(tenant.tenant_id)
        self._catalog.tenants.update(tenant.tenant_id, role=TenantRole.PRIMARY)
        self._standbys.release(
            tenant.tenant_id
        )  # a RECOVER STANDBY may have come between; from now on none feeds a primary
        end_scn = self._end_scn(tenant.tenant_id)
        try:
            self._activate_engine(tenant.tenant_id)
        except HoldfastError:
            # Back only what did not happen: an engine that takes writes must never be started as a standby again.
            if not self._is_writable(tenant.tenant_id):
                self._catalog.tenants.update(tenant.tenant_id, role=TenantRole.STANDBY)
                self._supervisor.change_settings(tenant.tenant_id, self._tenants.settings_of(tenant))
                self._standbys.follow(tenant)
            raise
        self._standbys.forget(tenant.tenant_id)
        self._supervisor.report_orphans(tenant.tenant_id)
        return end_scn

    def _end_scn(self, tenant_id: int) -> Scn:
        """Return where the standby's log ends: by its engine, and at least where it was known to be. Of log that was cut at a bound the
        last group ends before it."""
        known = self._catalog.tenants.scns(tenant_id).sync_scn
        try:
            with self._supervisor.session(tenant_id) as session:
                return max(known, facts.log_stat(session).end_scn)
        except HoldfastError as error:
            log.warning("tenant %d: the end of its log can not be asked for: %s", tenant_id, error)
            return known

    def _activate_engine(self, tenant_id: int) -> None:
        tenant = self._catalog.tenants.by_id(tenant_id)
        cut = self._cut(tenant)
        by_restart = cut is not None or self._engines.of(tenant.data_version).release.is_activated_by_restart
        # First: a look for drift in between must find the engine it expects, or it would make it a standby again.
        self._supervisor.change_settings(tenant_id, self._tenants.settings_of(tenant))

        def roll_back(directory: EngineDirectory) -> None:
            if cut is not None:
                self._supervisor.roll_back(tenant_id, directory, cut)

        if by_restart:
            self._supervisor.restart(tenant_id, self._tenants.settings_of(tenant), between=roll_back)
        with self._supervisor.session(tenant_id) as session:
            if not by_restart:
                control.activate_standby(session)
            end = self._clock.monotonic() + _ACTIVATE_SECONDS_MAX
            while not drift.is_writable(session):
                if self._clock.monotonic() > end:
                    raise EngineError(f"the engine did not become primary within {_ACTIVATE_SECONDS_MAX:.0f} s")
                self._clock.sleep(0.02)
            self._change_login(tenant_id, session)

    def _change_login(self, tenant_id: int, session: EngineSession) -> None:
        """Give us a login of the tenant's own: ours came out of the backup, which others may have read. Repeatable."""
        account.separate(session, self._supervisor.account_file(tenant_id))

    def _cut(self, tenant: Tenant) -> Cut | None:
        """Return what was under way where the standby's log ends: it has no end any more, and would keep its locks."""
        if not self._engines.of(tenant.data_version).release.rolls_back_by_log:
            return None
        with self._supervisor.session(tenant.tenant_id) as session:
            return find_on_standby(session, _REPLAY_SECONDS_MAX)

    def _is_writable(self, tenant_id: int) -> bool:
        """Return whether the engine takes writes; True when it can not be asked, for that must not be undone."""
        try:
            with self._supervisor.session(tenant_id) as session:
                return drift.is_writable(session)
        except HoldfastError:
            return True

    def finish(self, tenant: Tenant) -> None:
        """Do what is left of an activation that a server's death has interrupted; nothing if there is none."""
        try:
            with self._supervisor.session(tenant.tenant_id) as session:
                is_writable = drift.is_writable(session)
                if is_writable and self._standbys.is_forgotten(tenant.tenant_id):
                    return
                log.warning("tenant %s: its activation was interrupted; finishing it", tenant.name)
                if is_writable:
                    self._change_login(tenant.tenant_id, session)
            if not is_writable:
                self._activate_engine(tenant.tenant_id)
            self._standbys.forget(tenant.tenant_id)
        except HoldfastError as error:
            log.error("tenant %s: its role can not be settled: %s", tenant.name, error)

    def _tenant_to_activate(self, session: Session, command: ActivateStandby) -> Tenant:
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
