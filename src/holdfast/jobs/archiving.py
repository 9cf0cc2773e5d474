"""The statements of log archiving, and the followers that carry them out.

What the catalog says (LOG_MODE, LOG_ARCHIVE_DEST, its state, the current round) decides; `_settle` brings the tenant's
follower in line with it. A statement writes the catalog, then settles; a scheduler thread settles again whatever could not
be at that moment, and opens the next round when one has ended.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from holdfast import codes
from holdfast.archive.follower import COMMENT_CHARS_MAX, INTERRUPTED_TEXT, Follower
from holdfast.archive.journal import Course, InTheClear
from holdfast.archive.pressure import SpoolLimits
from holdfast.archive.round import Wanted, is_over
from holdfast.backup_format.piece_record import FormatFile
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.defects import DefectError
from holdfast.engine.directory import EngineDirectory
from holdfast.errors import HoldfastError, NotFoundError, UnknownVersionError, refuse
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.destinations import (
    OpenStore,
    check_destination,
    claim_destination,
    format_file_of,
    open_to_claim,
)
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.ground import Ground, named_uri, owned_by
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.left_out import LeftOut, warnings_of
from holdfast.jobs.parameters import BY_NAME
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.rights import not_supported, unknown_tenant
from holdfast.jobs.session import Session
from holdfast.jobs.tenure import Tenures
from holdfast.statement.archive_dest import parse_archive_dest
from holdfast.store.store import Store
from holdfast.values.archive import Piece, Round, RoundStatus
from holdfast.values.destination import ArchiveDestination, Binding, Destination, DestinationKind
from holdfast.values.scn import Scn
from holdfast.values.tenant import LogMode, Tenant, TenantStatus

log = logging.getLogger("holdfast.archive")

_SETTLE_SECONDS = 1.0
"""How often what could not be settled is tried again."""

_LAG_TARGET_SECONDS = 2.0
"""How long a changed archive_lag_target may take to count: one small query a tenant in this time."""

_CATCH_UP_SECONDS_MAX = 10.0
"""An idle engine writes a keep-alive into its log every second or two, and a flush takes a tenth of a second."""
_CATCH_UP_POLL_SECONDS = 0.05

_HANGING_SECONDS_MAX = 7.0
"""How long a round that is to rest or to end may be in one call of its destination. Then it does without: ten seconds are promised,
and a destination that answers takes less, as the follower itself gives up after six (`follower.END_SECONDS_MAX`)."""

_DROP_SECONDS = 5.0
"""How long a tenant that is dropped may take to end its round in the destination; without it the last piece stays ACTIVE
there, which promises less than is there, never more."""

_IN_THAT_MODE = frozenset({codes.OB_ALREADY_IN_ARCHIVE_MODE, codes.OB_ALREADY_IN_NOARCHIVE_MODE})
"""Of everybody, one that is in the mode asked for is as it was asked to be."""


class Archiving:
    """Every archived tenant's follower, and the statements that begin, rest and end rounds. Safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        directories: ClusterDirectory,
        *,
        identity: ClusterIdentity,
        clock: Clock,
        open_store: OpenStore,
        engine_directory: Callable[[int], EngineDirectory],
        tenures: Tenures,
        ground: Ground,
        limits: SpoolLimits | None = None,
        keys: BackupKeys | None = None,
    ) -> None:
        """`keys`: seal the archives of those tenants that want it; None: of none."""
        self._catalog = catalog
        self._directories = directories
        self._ground = ground
        self._identity = identity
        self._clock = clock
        self._open_store = open_store
        self._engine_directory = engine_directory
        self._tenures = tenures
        self._limits = limits or SpoolLimits()
        self._keys = keys
        self._lock = threading.Lock()
        self._tenant_locks: dict[int, threading.RLock] = {}
        self._followers: dict[int, Follower] = {}
        self._unsettled: set[int] = set()
        self._told_defects: set[tuple[int, str, type[Exception]]] = set()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._scheduler: threading.Thread | None = None

    # --- statements

    def set_destination(self, session: Session, tenant: Tenant, text: str) -> Reply:
        """LOG_ARCHIVE_DEST = `text` ('' clears it).

        Raises RefusedError with the manual's codes: 1235 while archiving has not stopped or for bad items, 1210, -9026,
        -9080, -9081; StoreUnavailableError -9071 when it can not be written.
        """
        with self._tenant_lock(tenant.tenant_id):
            if self._catalog.rounds.current(tenant.tenant_id) is not None:
                raise not_supported(
                    "change archive dest when archive is running is",
                    hint="ALTER SYSTEM NOARCHIVELOG, then wait until the round's STATUS is STOP",
                )
            if not text.strip():
                self._catalog.destinations.clear_archive(tenant.tenant_id)
                return OK
            items = parse_archive_dest(text)
            now = self._catalog.destinations.archive(tenant.tenant_id)
            uri = self._ground.destination(
                session,
                named_uri(items.location),
                is_own=owned_by(self._identity.cluster_id, tenant.tenant_id),
                current=None if now is None else now.destination,
            )
            destination = self._catalog.destinations.reserve(tenant.tenant_id, DestinationKind.ARCHIVE_LOG, uri)
            is_known = self._catalog.destinations.is_used(destination)
            store = open_to_claim(destination.uri, self._open_store, is_known=is_known)
            check_file = claim_destination(store, self._owner(tenant, destination), self._clock)
            self._catalog.destinations.set_archive(
                ArchiveDestination(
                    destination=destination,
                    binding=items.binding,
                    piece_switch_interval_us=items.piece_switch_interval_us,
                    piece_switch_interval_text=items.piece_switch_interval_text,
                    compression=items.compression,
                    enabled=True,
                )
            )
            self._catalog.destinations.record_check(destination, check_file)
        self._settle_soon(tenant.tenant_id)
        return Reply(warnings=self._ground.warnings(session, uri))

    def set_state(self, session: Session, tenant: Tenant, text: str) -> None:
        """LOG_ARCHIVE_DEST_STATE = 'ENABLE' or 'DEFER', in any case. Raises RefusedError 1210 for another text."""
        enabled = {"ENABLE": True, "DEFER": False}.get(text.strip().upper())
        if enabled is None:
            raise refuse(codes.OB_INVALID_ARGUMENT, "log_archive_dest_state", hint="write ENABLE or DEFER")
        with self._tenant_lock(tenant.tenant_id):
            self._catalog.destinations.set_archive_state(tenant.tenant_id, enabled=enabled)
        self._settle_soon(tenant.tenant_id)

    def archivelog(self, session: Session, tenant_names: tuple[str, ...], *, all_tenants: bool) -> Reply:
        """ARCHIVELOG: switches LOG_MODE at once; the round begins on the follower's own time.

        Raises for a tenant that is not NORMAL (-9023) or in that mode already (-9091); for `all_tenants` what keeps one from
        being switched is a warning. So is a missing destination, which OceanBase allows: no round begins before it is set.
        """
        return self._switch(session, tenant_names, LogMode.ARCHIVELOG, all_tenants=all_tenants)

    def noarchivelog(self, session: Session, tenant_names: tuple[str, ...], *, all_tenants: bool) -> Reply:
        """NOARCHIVELOG: switches LOG_MODE at once; the round ends on the follower's own time. -9092 when it is off."""
        return self._switch(session, tenant_names, LogMode.NOARCHIVELOG, all_tenants=all_tenants)

    def _switch(
        self, session: Session, tenant_names: tuple[str, ...], log_mode: LogMode, *, all_tenants: bool
    ) -> Reply:
        targets = self._catalog.tenants.user_tenants() if all_tenants else self._named(session, tenant_names)
        first_error: HoldfastError | None = None
        left_out: list[LeftOut] = []
        for tenant in targets:
            try:
                self._switch_one(tenant, log_mode)
            except HoldfastError as error:  # one tenant's failure does not undo the others
                first_error = first_error or error
                if error.code not in _IN_THAT_MODE:
                    left_out.append(LeftOut(tenant=tenant.name, code=error.code, reason=str(error)))
                    continue
            if log_mode is LogMode.ARCHIVELOG and (lacking := destination_lacking(self._catalog, tenant)):
                left_out.append(
                    LeftOut(tenant=tenant.name, code=codes.OB_OP_NOT_ALLOW, reason=f"no archive round: {lacking}")
                )
        if first_error is not None and not all_tenants:
            raise first_error
        return Reply(warnings=warnings_of(left_out))

    def _named(self, session: Session, tenant_names: tuple[str, ...]) -> tuple[Tenant, ...]:
        found: list[Tenant] = []
        for name in tenant_names:
            tenant = self._catalog.tenants.find(name)
            if tenant is None:
                raise unknown_tenant(name)
            if tenant.is_sys:
                raise not_supported("log archive of tenant sys is", hint="name user tenants")
            if any(other.tenant_id == tenant.tenant_id for other in found):
                raise not_supported(f"duplicate tenant {name} is")
            found.append(tenant)
        return tuple(found)

    def _switch_one(self, tenant: Tenant, log_mode: LogMode) -> None:
        if tenant.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_CANNOT_START_LOG_ARCHIVE_BACKUP, hint=f"tenant {tenant.name} is {tenant.status}")
        with self._tenant_lock(tenant.tenant_id):
            if not self._catalog.tenants.switch_log_mode(tenant.tenant_id, log_mode):
                if log_mode is LogMode.NOARCHIVELOG:
                    raise refuse(codes.OB_ALREADY_IN_NOARCHIVE_MODE)
                lacking = destination_lacking(self._catalog, tenant)
                raise refuse(
                    codes.OB_ALREADY_IN_ARCHIVE_MODE, hint=lacking and f"tenant {tenant.name} has no round: {lacking}"
                )
        self._settle_soon(tenant.tenant_id)

    # --- what others ask

    def follower(self, tenant_id: int) -> Follower | None:
        """Return the tenant's follower, None while it has no round under way."""
        found = self._followers.get(tenant_id)
        return found if found is not None and found.is_running() else None

    def catch_up(self, places: Collection[str], target: Scn | None) -> None:
        """Have the archives at `places` (identities of URIs) that are running here reach `target`, or the present when it is None.

        Best effort and bounded: without it a restore to a moment ago would be refused for as long as archive_lag_target
        says, although the log is at hand. A target in the future is nobody's to wait for.
        """
        if target is not None and target > self._clock.now_ns():
            return
        for tenant_id, follower in tuple(self._followers.items()):
            current = self._catalog.rounds.current(tenant_id)
            if current is None or current.path not in places or not follower.is_running():
                continue
            wanted = follower.tail_after()[1] if target is None else target
            end = self._clock.monotonic() + _CATCH_UP_SECONDS_MAX
            while follower.checkpoint_scn() < wanted and self._clock.monotonic() < end:
                if follower.status().status is not RoundStatus.DOING:
                    break
                follower.request_flush(wanted)
                self._clock.sleep(_CATCH_UP_POLL_SECONDS)

    def is_stalled(self, tenant_id: int) -> bool:
        """Return whether a Mandatory archive lost its place, so writes must wait. Never blocks."""
        found = self._followers.get(tenant_id)
        return found is not None and found.status().is_stalled

    def resume_all(self) -> None:
        """Start a follower for every tenant whose round is not over, and the scheduler (server start)."""
        tenants = {tenant.tenant_id for tenant in self._catalog.tenants.user_tenants()}
        with self._lock:
            self._unsettled |= tenants
        self._settle_all()
        self._scheduler = threading.Thread(target=self._schedule, name="archive scheduler", daemon=True)
        self._scheduler.start()

    def stop_all(self, *, drain: bool = True) -> None:
        """End every follower, rounds stay as they are (server stop). Statements settle nothing after this."""
        self._ended.set()
        self._wake.set()
        if self._scheduler is not None:
            self._scheduler.join()
        followers = list(self._followers.values())
        if followers:
            with ThreadPoolExecutor(max_workers=min(32, len(followers))) as pool:
                for tidy in pool.map(lambda follower: follower.stop(drain=drain), followers):
                    if not tidy:
                        log.warning("a follower did not end in time; its round goes on from the destination")

    def drop_tenant(self, tenant_id: int) -> None:
        """End the round of a tenant that is being dropped; the destination keeps what it has.

        Returns when nothing of the tenant's directory is touched any more.
        """
        with self._tenant_lock(tenant_id):
            found = self._followers.get(tenant_id)
            if found is not None:
                found.ask(Wanted.STOP)
                if not found.wait_over(_DROP_SECONDS) and not found.stop(drain=False):
                    log.warning("tenant %d: its follower hangs in the destination and is left behind", tenant_id)
                self._followers.pop(tenant_id, None)
            with self._lock:
                self._unsettled.discard(tenant_id)

    # --- settling

    def _settle_soon(self, tenant_id: int) -> None:
        """Settle now; what can not be settled at the moment is settled by the scheduler."""
        with self._lock:
            self._unsettled.add(tenant_id)
        self._try_to_settle(tenant_id)

    def _schedule(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(_SETTLE_SECONDS)
            self._wake.clear()
            for tenant_id, follower in tuple(self._followers.items()):
                if not follower.is_running() or self._is_abandoned(tenant_id, follower):
                    with self._lock:
                        self._unsettled.add(tenant_id)
            self._settle_all()

    def _is_abandoned(self, tenant_id: int, follower: Follower) -> bool:
        """Return whether a follower was left behind just now: it hangs in its destination and is to rest or to end."""
        if follower.hanging_seconds() < _HANGING_SECONDS_MAX:
            return False
        try:
            with self._tenant_lock(tenant_id):
                if not follower.abandon():
                    return False
                if self._followers.get(tenant_id) is follower:
                    del self._followers[tenant_id]
        except HoldfastError as error:
            log.warning("tenant %d: its hanging archive is looked at again soon: %s", tenant_id, error)
            return False
        except Exception as error:  # noqa: BLE001 - logged there
            self._tell_defect(tenant_id, "its hanging archive is looked at again soon", error)
            return False
        return True

    def _tell_defect(self, tenant_id: int, what: str, error: Exception) -> None:
        """Log a defect, once for each of its kind: it is met again every second."""
        key = (tenant_id, what, type(error))
        if key not in self._told_defects:
            self._told_defects.add(key)
            log.error("tenant %d: %s", tenant_id, what, exc_info=error)

    def _settle_all(self) -> None:
        with self._lock:
            waiting = sorted(self._unsettled)
        for tenant_id in waiting:
            self._try_to_settle(tenant_id)

    def _try_to_settle(self, tenant_id: int) -> None:
        try:
            with self._tenant_lock(tenant_id):
                if self._ended.is_set() or self._settle(tenant_id):
                    with self._lock:
                        self._unsettled.discard(tenant_id)
        except UnknownVersionError as error:
            log.error("tenant %d: not archived: %s", tenant_id, error)
            with self._lock:
                self._unsettled.discard(tenant_id)
            self._say_waiting(tenant_id, error)
        except HoldfastError as error:
            if not self._say_waiting(tenant_id, error):  # dropped meanwhile
                with self._lock:
                    self._unsettled.discard(tenant_id)
                return
            log.warning("tenant %d: archiving can not be settled yet: %s", tenant_id, error)
        except Exception as error:  # noqa: BLE001 - logged there
            self._tell_defect(tenant_id, "archiving can not be settled yet", error)
            self._say_waiting(tenant_id, DefectError(error))

    def _say_waiting(self, tenant_id: int, error: HoldfastError) -> bool:
        """Say in the round's COMMENT why nobody archives; return whether there is such a tenant.

        The status stays what it was, DOING most likely: without a word it would be said of a round that stands still. The
        follower that begins in the end takes the comment back.
        """
        try:
            with self._tenant_lock(tenant_id):
                self._catalog.tenants.by_id(tenant_id)
                current = self._catalog.rounds.current(tenant_id)
                if current is None or self.follower(tenant_id) is not None:
                    return True
                comment = f"waiting: {error}"[:COMMENT_CHARS_MAX]
                if current.comment != comment and not current.comment.startswith(INTERRUPTED_TEXT):
                    self._catalog.rounds.save(replace(current, comment=comment))
        except NotFoundError:
            return False
        except HoldfastError as told:
            log.debug("tenant %d: why archiving waits can not be recorded: %s", tenant_id, told)
        except Exception as told:  # noqa: BLE001 - logged there
            self._tell_defect(tenant_id, "why archiving waits can not be recorded", told)
        return True

    def _settle(self, tenant_id: int) -> bool:
        """Bring the tenant's follower in line with the catalog; False when it must be looked at again."""
        tenant = self._catalog.tenants.by_id(tenant_id)
        if tenant.status is not TenantStatus.NORMAL:
            return tenant.status is not TenantStatus.DROPPING
        archive = self._catalog.destinations.archive(tenant_id)
        wanted = _wanted(tenant, archive)
        running = self._followers.get(tenant_id)
        if running is not None and running.is_running():
            running.ask(wanted)
            # One that ends its round is followed by nothing, or by the next round once it is over.
            return not is_over(running.status().status)
        if running is not None:
            del self._followers[tenant_id]
        current = self._catalog.rounds.current(tenant_id)
        if current is None:
            if wanted is not Wanted.RUN or archive is None:
                return True
            self._engine_directory(tenant_id)  # one that is refused is so before there is a round of it
            current = self._open_round(tenant, archive)
        self._begin(tenant, current, archive, wanted)
        return True

    def _open_round(self, tenant: Tenant, archive: ArchiveDestination) -> Round:
        """Record the tenant's next round, in PREPARE, from now on."""
        tenant_id = tenant.tenant_id
        piece_id = self._catalog.rounds.next_piece_id(tenant_id)
        opened = Round(
            tenant_id=tenant_id,
            dest_id=archive.destination.dest_id,
            round_id=self._catalog.rounds.next_round_id(tenant_id),
            status=RoundStatus.PREPARE,
            start_scn=Scn(self._clock.now_ns()),
            checkpoint_scn=Scn(0),
            base_piece_id=piece_id,
            used_piece_id=piece_id,
            piece_switch_interval_us=archive.piece_switch_interval_us,
            input_bytes=0,
            output_bytes=0,
            comment="",
            path=archive.destination.uri.identity,
        )
        self._catalog.rounds.save(opened)
        return opened

    def _begin(self, tenant: Tenant, current: Round, archive: ArchiveDestination | None, wanted: Wanted) -> None:
        """Start the follower of a round that is not over."""
        tenant_id = tenant.tenant_id
        destination = self._catalog.destinations.by_id(tenant_id, current.dest_id)
        engine = self._engine_directory(tenant_id)
        course = Course(
            cluster_name=self._identity.name,
            cluster_id=self._identity.cluster_id,
            tenant_name=tenant.name,
            engine_data_version=tenant.data_version,
            timeline=secrets.token_hex(16),
            round=current,
            pieces=self._catalog.rounds.pieces(tenant_id, current.round_id),
            binding=archive.binding if archive is not None else Binding.OPTIONAL,
            tenure=self._tenures.of(destination),
            log_dir=engine.log_dir,
            log_meta_dir=engine.log_meta_dir,
            spool_dir=self._directories.spool(tenant_id),
            limits=self._limits,
            sealing=InTheClear() if self._keys is None else self._keys.sealing(tenant_id),
            # Of each: an engine that takes writes has such a login from its start on, a standby's log may come to one.
            needs_certificate=True,
        )
        follower = Follower(
            course,
            open_store=lambda: self._open_store(destination.uri, create=False),
            check_destination=self._checker(tenant, destination),
            journal=_CatalogJournal(self._catalog, self._wake),
            lag_target_us=_LagTarget(self._catalog, self._clock, tenant_id).us,
            clock=self._clock,
            wanted=wanted,
        )
        self._followers[tenant_id] = follower
        follower.start()

    def _checker(self, tenant: Tenant, destination: Destination) -> Callable[[Store], None]:
        owner = self._owner(tenant, destination)

        def check(store: Store) -> None:
            check_file = check_destination(store, owner, self._clock)
            self._catalog.destinations.record_check(destination, check_file)

        return check

    def _owner(self, tenant: Tenant, destination: Destination) -> FormatFile:
        return format_file_of(self._identity, tenant, destination, self._clock.now_ns() // 1000)

    def _tenant_lock(self, tenant_id: int) -> threading.RLock:
        with self._lock:
            return self._tenant_locks.setdefault(tenant_id, threading.RLock())


def destination_lacking(catalog: Catalog, tenant: Tenant) -> str:
    """Return why a tenant in ARCHIVELOG mode gets no round and which statement mends it, "" when its destination is there and on."""
    archive = catalog.destinations.archive(tenant.tenant_id)
    if archive is None:
        return "LOG_ARCHIVE_DEST is not set, ALTER SYSTEM SET LOG_ARCHIVE_DEST begins one"
    return "" if archive.enabled else "LOG_ARCHIVE_DEST_STATE is DEFER, ENABLE begins one"


def not_archiving(catalog: Catalog, tenant: Tenant) -> str:
    """Return why the tenant's archive is not DOING, as a hint: what is missing, and the statement that mends it."""
    who, lacking = f"tenant {tenant.name}", destination_lacking(catalog, tenant)
    current = catalog.rounds.current(tenant.tenant_id)
    if tenant.log_mode is not LogMode.ARCHIVELOG:
        return f"{who} is in NOARCHIVELOG mode, ALTER SYSTEM ARCHIVELOG switches it" + (
            f"; for a round {lacking}" if lacking else ""
        )
    if current is None:
        return f"{who} has no archive round: {lacking or 'it begins in a moment'}"
    is_lost = current.status is RoundStatus.INTERRUPTED
    way_on = lacking or ("ALTER SYSTEM NOARCHIVELOG, then ARCHIVELOG begins another" if is_lost else "")
    return f"archive round {current.round_id} of {who} is {current.status}{way_on and f': {way_on}'}"


def _wanted(tenant: Tenant, archive: ArchiveDestination | None) -> Wanted:
    if tenant.log_mode is not LogMode.ARCHIVELOG:
        return Wanted.STOP
    return Wanted.RUN if archive is not None and archive.enabled else Wanted.SUSPEND


class _CatalogJournal:
    """Tells the catalog; a round that is over wakes the scheduler, which may have the next one to open."""

    def __init__(self, catalog: Catalog, wake: threading.Event) -> None:
        self._catalog = catalog
        self._wake = wake

    def save(self, current: Round, pieces: tuple[Piece, ...]) -> None:
        self._catalog.rounds.save(current, pieces)
        if is_over(current.status):
            self._wake.set()


class _LagTarget:
    """archive_lag_target of one tenant, asked at most every _LAG_TARGET_SECONDS; the last value while it can not be."""

    def __init__(self, catalog: Catalog, clock: Clock, tenant_id: int) -> None:
        self._catalog = catalog
        self._clock = clock
        self._tenant_id = tenant_id
        self._definition = BY_NAME["archive_lag_target"]
        self._us = self._definition.value_of(self._definition.default)
        self._asked_at = float("-inf")

    def us(self) -> int:
        """Return the lag target in microseconds."""
        now = self._clock.monotonic()
        if now - self._asked_at >= _LAG_TARGET_SECONDS:
            self._asked_at = now
            try:
                text = self._catalog.parameters.get(self._tenant_id, "archive_lag_target")
                self._us = self._definition.value_of(text)
            except HoldfastError as error:
                log.debug("tenant %d: archive_lag_target can not be read: %s", self._tenant_id, error)
        return self._us
