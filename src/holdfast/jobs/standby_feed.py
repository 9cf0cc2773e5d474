"""Keeps one standby fed: the thread that begins to follow, mends the log's tail where that is needed, and records how far it is.

A restored standby's engine asks our port from its first start on (see `log_ports`), so to follow is to answer: nobody's session breaks.
A standby needs attention in three cases, and each ends with a restart of its engine. Sessions break, and reads go on when it has
replayed again what lies behind its checkpoint: 2 to 8 s, 26 s for 176 MB (measured on a busy machine; a standby refuses MINOR FREEZE):

    its engine pulls from nowhere, or from another port          it is started to follow: one that an older build restored
    its log ends with a cut group and the bound lies behind      the tail is mended, then it goes on
    it has not asked for half a minute                           only a restart makes an engine ask again (`engine.log_service`)

Order of effects of a beginning, for the crash:

    1. the archive stands in the history that the standby's own log belongs to (`log_tail.join`), or nothing is begun
    2. our port is open                        killed after: the next server opens it again, or another one
    3. the row says which port                 killed after: an engine started in between asks a port where nobody answers
    4. engine stopped, tail mended             killed after: the next server starts it, as a follower
    5. engine started

A server that finds the engine of the one before still following, or at rest, opens the same port and restarts nothing.
"""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.log_sources import LogRestoreSource, SyncStatus
from holdfast.clock import Clock
from holdfast.defects import DefectError
from holdfast.destination.facts import Source
from holdfast.engine import facts
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.log_service import LogService
from holdfast.engine.process import EngineSettings
from holdfast.errors import ConflictError, EngineError, HoldfastError
from holdfast.jobs.log_ports import LogPorts
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.restore.archived_log import ArchivedLog
from holdfast.restore.feed import Feed, FeedState
from holdfast.restore.log_tail import LogGapError, join, mend_tail, plan_mending
from holdfast.values.scn import SCN_NONE, Scn

log = logging.getLogger("holdfast.standby")

T = TypeVar("T")

_LOOK_SECONDS = 0.25
_RECORD_SECONDS = 1.0
_SILENT_SECONDS_MAX = 30.0
"""An engine asks ten times a second; one call can wait 10 s for its answer."""
_RETRY_SECONDS = 5.0
_RETRY_SECONDS_MAX = 60.0
"""After a beginning that failed, twice as long each time: an archive may be away, an engine may be on its way back."""
_RENEW_SECONDS = 60.0
"""How often a standby that takes in log renews its lease on what it has not taken in."""
_GAP_REMEDY = "bring the missing pieces back, or restore the standby anew"
_REPLAY_LOOKS_MAX = 5
_JOINS_MAX = 4
"""Looks at a log that its engine asks to go on from elsewhere, a quarter of a second apart, before that is told."""
_END_SECONDS_MAX = 20.0
"""A thread that is starting an engine is waited for: seconds. One that hangs in an archive is not."""


class StandbyFeed:
    """One standby tenant's thread. Every method is safe from any thread."""

    def __init__(
        self,
        tenant_id: int,
        open_source: Callable[[], Source],
        until: Scn,
        *,
        catalog: Catalog,
        supervisor: Supervisor,
        tenants: Tenants,
        ports: LogPorts,
        clock: Clock,
    ) -> None:
        self._tenant_id = tenant_id
        self._open_source = open_source
        self._until = until
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._ports = ports
        self._clock = clock
        self._feed: Feed | None = None
        self._service: LogService | None = None
        self._source: Source | None = None
        self._sync_scn = self._readable_scn = SCN_NONE
        self._recorded: tuple[Scn, Scn] | None = None
        self._next_record = self._next_try = self._next_renewal = 0.0
        self._retry_seconds = _RETRY_SECONDS
        self._calls, self._called_at = -1, 0.0
        self._is_joined, self._joins = False, 0
        self._told: str | None = None
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._looking = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"standby-{tenant_id}", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Feed no more; nothing of the archive is given out once this has returned. The engine stays as it is."""
        self._ending.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS_MAX)
        is_free = self._looking.acquire(timeout=_LOOK_SECONDS)
        try:
            if not is_free:
                log.warning("tenant %d: its feed hangs in the archive and is left behind", self._tenant_id)
            self._close()  # what gives log out is ours and local: it ends whatever the thread waits for
        finally:
            if is_free:
                self._looking.release()

    def set_until(self, until: Scn) -> None:
        """Move the bound; what the tenant has got already it keeps."""
        self._until = until
        feed = self._feed
        if feed is not None:
            feed.set_until(until)
        self._next_try, self._retry_seconds = 0.0, _RETRY_SECONDS
        self._woken.set()

    def halt(self) -> Scn:
        """Let the tenant get nothing more and return how far it has come, with what is on its way to it."""
        feed = self._feed
        if feed is not None:
            feed.set_until(SCN_NONE)
        with self._looking:
            self._measure()
        return self._sync_scn if feed is None else max(self._sync_scn, feed.state.end_scn)

    # --- the thread

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._turn()
            except Exception:
                log.exception("tenant %d: what keeps it from following can not be told", self._tenant_id)
            self._woken.wait(_LOOK_SECONDS)
            self._woken.clear()

    def _turn(self) -> None:
        try:
            if self._clock.monotonic() >= self._next_try:
                with self._looking:
                    self._look()
                self._retry_seconds = _RETRY_SECONDS
                state = self._feed.state if self._feed is not None else FeedState()
                self._tell(state.trouble, is_gap=state.is_at_gap)
        except HoldfastError as error:
            self._put_off()
            self._tell(str(error), is_gap=isinstance(error, LogGapError))
        except Exception as error:
            self._put_off()
            log.exception("tenant %d: its log source", self._tenant_id)
            self._tell(str(DefectError(error)))

    def _put_off(self) -> None:
        self._next_try = self._clock.monotonic() + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, _RETRY_SECONDS_MAX)

    def _look(self) -> None:
        if self._ending.is_set():
            return
        if not self._sync_scn:
            known = self._catalog.tenants.scns(self._tenant_id)
            self._sync_scn, self._readable_scn = known.sync_scn, known.readable_scn
        if self._feed is None:
            if self._until > self._sync_scn:
                self._begin_feed()
            return
        state = self._feed.state
        if state.needs_mending:
            self._restart_engine()
        elif state.needs_joining or not self._is_joined:
            self._join_again(self._feed, is_asked=state.needs_joining)
        elif state.calls != self._calls:
            self._joins = 0
            self._calls, self._called_at = state.calls, self._clock.monotonic()
        elif self._clock.monotonic() - self._called_at > _SILENT_SECONDS_MAX and self._is_engine_ready():
            log.warning("tenant %d: its engine does not ask for log; it is started again", self._tenant_id)
            self._restart_engine()
        if self._clock.monotonic() >= self._next_record:
            self._next_record = self._clock.monotonic() + _RECORD_SECONDS
            self._measure()
            self._record()

    def _begin_feed(self) -> None:
        """Open the service on the port the engine knows, or on a new one and start the engine with it."""
        row = self._catalog.log_sources.find(self._tenant_id)
        if row is None:
            return
        self._source = self._open_source()
        feed = Feed(None, self._until)
        pulls = bool(row.port) and self._pulls_from(row.port)
        if pulls:
            self._join(feed)
        try:
            service = self._open_service(feed, row)
        except BaseException:
            feed.close()
            raise
        self._feed, self._service = feed, service
        self._called_at = self._clock.monotonic()
        if row.port != service.port or not pulls:
            self._catalog.log_sources.set_port(self._tenant_id, service.port)
            try:
                self._restart_engine()
            except BaseException:
                self._close()
                self._catalog.log_sources.set_port(self._tenant_id, 0)  # so that the next try starts the engine again
                raise
        log.info("tenant %d: follows %s, port %d", self._tenant_id, self._source.place, service.port)

    def _join(self, feed: Feed) -> None:
        """Have the feed give the history that the standby's own log belongs to. Raises as `log_tail.join`; it gives nothing then."""
        assert self._source is not None, "it was opened when the feed began"
        self._is_joined = False
        feed.leave()
        archive = self._archived_log(self._source)
        try:
            lsn = join(self._supervisor.directory(self._tenant_id), archive)
        except BaseException:
            archive.close()
            raise
        feed.join(archive, lsn)
        self._is_joined = True

    def _join_again(self, feed: Feed, *, is_asked: bool) -> None:
        """Join once more. `is_asked`: since the engine asks from elsewhere, which is so for a moment only: it writes what it gets."""
        self._join(feed)
        self._joins = self._joins + 1 if is_asked else 0
        if self._joins > _JOINS_MAX:
            raise EngineError(
                "its engine asks to go on from another LSN than the one at which its log on the disk ends"
            )

    def _open_service(self, feed: Feed, row: LogRestoreSource) -> LogService:
        directory = self._supervisor.directory(self._tenant_id)
        self._ports.let_go(self._tenant_id)
        if row.port:
            try:
                return LogService(feed, directory, port=row.port)
            except ConflictError as error:
                log.warning("tenant %d: %s; its engine is started with another one", self._tenant_id, error)
        return LogService(feed, directory)

    def _restart_engine(self) -> None:
        settings = self._tenants.settings_of(self._catalog.tenants.by_id(self._tenant_id))
        # Looked at first: an engine that would have to stay as it is is not stopped for it.
        self._with_archive(
            lambda archive: plan_mending(self._supervisor.directory(self._tenant_id), archive, self._until)
        )
        if self._ending.is_set():
            return  # the look may have taken long
        self._is_joined = False
        if self._feed is not None:
            self._feed.leave()  # once it is up it may ask from another place
        self._supervisor.restart(self._tenant_id, settings, between=self._mend)
        self._called_at = self._clock.monotonic()
        if self._feed is not None:
            self._feed.set_until(self._until)

    def _mend(self, directory: EngineDirectory) -> None:
        if self._with_archive(lambda archive: mend_tail(directory, archive, self._until)):
            log.info("tenant %d: the cut end of its log was mended", self._tenant_id)

    def _with_archive(self, do: Callable[[ArchivedLog], T]) -> T:
        """Return what `do` makes of a reader of its own: the feed's stands where the engine reads."""
        assert self._source is not None, "it was opened when the feed began"
        archive = self._archived_log(self._source)
        try:
            return do(archive)
        finally:
            archive.close()

    def _archived_log(self, source: Source) -> ArchivedLog:
        version = self._supervisor.directory(self._tenant_id).version
        return ArchivedLog(source, self._clock.monotonic, engine_data_version=version.data_version)

    def _pulls_from(self, port: int) -> bool:
        """Return whether the engine was started to: a server may have been killed between the row and the start.

        One that is down now is started with the row's port, and asks by itself.
        """
        try:
            process = self._supervisor.process(self._tenant_id)
        except HoldfastError:
            return True
        return process.was_started_with(EngineSettings(log_source_port=port).source_argument)

    def _is_engine_ready(self) -> bool:
        try:
            return self._supervisor.process(self._tenant_id).is_healthy()
        except HoldfastError:
            return False

    def _close(self) -> None:
        feed, service, self._feed, self._service = self._feed, self._service, None, None
        if feed is not None:
            feed.close()
        if service is not None:
            service.close()

    # --- how far it is

    def _measure(self) -> None:
        """Ask the engine how far its log and its replay are.

        READABLE_SCN is an SCN up to which the replay was seen to have done everything and which the engine gives out itself: its
        own readable SCN runs ahead of its replay by some milliseconds under load, and a read in between sees half a transaction;
        at times it lags behind, and a read AS OF a later one is 4344 (both measured).
        """
        arrived = self._feed.state.arrived_scn if self._feed is not None else None
        try:
            with self._supervisor.session(self._tenant_id) as session:
                for _ in range(_REPLAY_LOOKS_MAX):
                    end = facts.log_stat(session)
                    replay = facts.replay_stat(session)
                    self._sync_scn = max(self._sync_scn, end.end_scn)
                    if replay.pending_count == 0 and replay.submitted_lsn >= end.end_lsn:
                        shown = min(end.end_scn, facts.current_scn(session))
                        self._readable_scn = max(self._readable_scn, shown)
                        if arrived is not None and arrived >= end.end_scn:
                            # Everything up to the bound is there, though the last transaction may be older.
                            self._sync_scn = self._readable_scn = arrived
                        break
        except EngineError as error:
            log.debug("tenant %d: %s", self._tenant_id, error)

    def _record(self) -> None:
        now = (self._sync_scn, self._readable_scn)
        if now != self._recorded and self._sync_scn:
            self._catalog.tenants.record_progress(
                self._tenant_id, sync_scn=self._sync_scn, readable_scn=self._readable_scn
            )
            has_taken_in = self._recorded is not None
            self._recorded = now
            if has_taken_in and self._clock.monotonic() >= self._next_renewal:
                self._catalog.log_sources.renew(self._tenant_id)
                self._next_renewal = self._clock.monotonic() + _RENEW_SECONDS

    def _tell(self, trouble: str, *, is_gap: bool = False) -> None:
        """Say what keeps the tenant from following, once for each thing: in the log, to sys, and in the tenant's own view."""
        if trouble == self._told:
            return
        status = SyncStatus.GAP if is_gap else SyncStatus.INTERRUPTED if trouble else SyncStatus.NORMAL
        comment = f"{trouble}; {_GAP_REMEDY}" if is_gap else trouble
        try:
            self._catalog.log_sources.tell(self._tenant_id, status, comment)
        except HoldfastError as error:
            log.debug("tenant %d: what keeps it from following was not recorded: %s", self._tenant_id, error)
            return  # told at the next look
        was_well, self._told = not self._told, trouble
        if not trouble and was_well:
            return
        if not trouble:
            log.info("tenant %d: its log source gives log again", self._tenant_id)
            return
        log.error("tenant %d: its log source: %s", self._tenant_id, trouble)
        pairs = (("tenant_id", self._tenant_id), ("why", trouble))
        try:
            self._catalog.events.add("standby", "log_source_trouble", pairs)
        except HoldfastError as error:
            log.warning("tenant %d: the event was not recorded: %s", self._tenant_id, error)
