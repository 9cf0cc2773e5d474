"""Keeps the engines alive: one per tenant, adopted or started, watched, restarted with back-off, put right when drifted.

Invariants:
- An engine is watched from the moment `bring_up` returned until `take_down` is called; in between its death is reported
  and answered by a start, never silently.
- Starting and stopping one tenant's engine happens under that tenant's lock, so a restart never meets a drop.
- Nothing here writes into a live engine's directory.
- Nothing is made anew: an engine whose directory is gone is told as down, with the reason, and tried again until it is back.
  Only where a first start was begun (`begin_founding`) is one made.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Protocol

from holdfast import codes
from holdfast.clock import Clock
from holdfast.defects import guarded
from holdfast.engine import account, account_watch, administrator, control, drift, facts, wallet
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.keeper import Keeper
from holdfast.engine.process import EMBEDDED, EngineProcess, EngineSettings, Watchdog
from holdfast.engine.recognition import DirectoryGoneError, refuse_other, require_present
from holdfast.engine.role import EngineRole
from holdfast.engine.session import NOBODY_THERE, SqlError
from holdfast.engine.session import Session as EngineSession
from holdfast.engine.unusable import SSL_TYPE, Reach
from holdfast.engine.version import EngineVersion, install_hint
from holdfast.errors import EngineError, HoldfastError, UnknownVersionError, refuse
from holdfast.jobs.directories import ClusterDirectory
from holdfast.restore.rollback import Cut, find_on_primary, roll_back
from holdfast.values.tenant import SYS_TENANT_ID

log = logging.getLogger("holdfast.engines")

_LOOK_SECONDS = 0.5
"""How often every engine's pid is looked at: two stat calls each, and a dead engine is back in about 2 s."""
_DRIFT_SECONDS = 30.0
"""How often an engine is asked whether a tenant has changed what keeps it fenced and reachable."""
_BACK_OFF_SECONDS_MAX = 60.0
"""An engine that dies at once is retried 0.5, 1, 2, ... 60 s apart: it may wait for disk space to come back."""
_GONE_SECONDS = 2.0
"""How often a directory that is gone is looked for: some system calls, and its disk may be mounted at any time."""
_UNFINISHED_SECONDS_MAX = 10.0
"""How long an engine that is to end may take to finish its transactions: its own take a tenth of a second, and the door is
closed by then."""
_ORPHANS_LISTED_MAX = 5
_AGAIN_EACH_TIME = ("could not be", "only a restart")
"""In what is said of a change that could not be made."""
_ASKING_SECONDS_MAX = 1
_ASKS_FOR_TLS = (
    f"select /*+ query_timeout({_ASKING_SECONDS_MAX}000000) */ 1"
    " from oceanbase.__all_user where user_name = %s and ssl_type = %s limit 1"
)
_SHUT_OUT = (
    "its engine knows Holdfast's account no more, and no session of ours is in: it is made again before the next command of a client"
    " that may create users"
)


class BlockFiles(Protocol):
    """What lies under the engines: a block file may be served by a process of its own."""

    def is_sound(self, tenant_id: int, directory: EngineDirectory) -> bool:
        """Return whether the block file can be used as it is. Cheap: asked twice a second for each tenant."""
        ...

    def make_ready(self, tenant_id: int, directory: EngineDirectory) -> None:
        """Make it usable, before an engine starts. Raises EngineError."""
        ...

    def release(self, tenant_id: int, directory: EngineDirectory) -> None:
        """End what serves it, after an engine has ended for good. Repeatable. Raises EngineError."""
        ...


class PlainBlockFiles:
    """Nothing but ordinary files."""

    def is_sound(self, tenant_id: int, directory: EngineDirectory) -> bool:
        return True

    def make_ready(self, tenant_id: int, directory: EngineDirectory) -> None:
        return

    def release(self, tenant_id: int, directory: EngineDirectory) -> None:
        return


@dataclass(slots=True)
class _Charge:
    """One engine in our care."""

    directory: EngineDirectory
    settings: EngineSettings
    process: EngineProcess | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    watched: bool = False
    retired: bool = False
    is_starting: bool = False
    keeper: Keeper | None = None
    trouble: str = ""  # why the last start failed, empty when it did not
    is_gone: bool = False  # that its directory is gone has been said
    told: dict[str, frozenset[str]] = field(default_factory=dict)
    is_shut_out: bool = False  # the engine knows our account no more, and no session of ours is open
    unusable: int = 0  # accounts that nobody can log in with, when last looked
    deaths: int = 0
    next_start: float = 0.0
    next_drift: float = 0.0


class Supervisor:
    """Every method is safe from any thread."""

    def __init__(
        self,
        directories: ClusterDirectory,
        sys_version: EngineVersion,
        clock: Clock,
        *,
        on_restart: Callable[[int], None] = lambda tenant_id: None,
        block_files: BlockFiles | None = None,
        wants_spaces: bool = False,
        serves_tls: bool = False,
    ) -> None:
        """`wants_spaces`: whether engines that are started shall know their clients' addresses, where that can be.

        `serves_tls`: whether clients come to the port by TLS.
        """
        self._directories = directories
        self._versions = {SYS_TENANT_ID: sys_version}
        self._refused: dict[int, HoldfastError] = {}
        self._of_oracle_mode: set[int] = set()
        self._clock = clock
        self._wants_spaces = wants_spaces
        self._serves_tls = serves_tls
        self._block_files: BlockFiles = block_files or PlainBlockFiles()
        self._on_restart = on_restart
        self.on_put_right: Callable[[int, str], None] = lambda tenant_id, change: None
        """Told each thing that a tenant had changed, once, in a sentence; set by who keeps the catalog. Must not raise."""
        self._lock = threading.Lock()
        self._charges: dict[int, _Charge] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._starters = ThreadPoolExecutor(max_workers=2, thread_name_prefix="engine-start")

    def set_version(self, tenant_id: int, version: EngineVersion, *, is_oracle: bool = False) -> None:
        """Say which engine a tenant runs on, before anything else is asked of it. The catalog's row decides.

        `is_oracle`: of Oracle mode, whose administrator is SYS.
        """
        with self._lock:
            self._versions[tenant_id] = version
            if is_oracle:
                self._of_oracle_mode.add(tenant_id)
            else:
                self._of_oracle_mode.discard(tenant_id)

    def refuse(self, tenant_id: int, error: HoldfastError) -> None:
        """Say why a tenant's directory must be left alone: whoever asks for it is told this."""
        with self._lock:
            self._refused[tenant_id] = error

    def directory(self, tenant_id: int) -> EngineDirectory:
        """Return the places of a tenant's engine, whether it runs or not. The one way to them.

        Raises UnknownVersionError for a tenant whose engine or directory this build does not know, in the words of `refuse`.
        """
        refused = self._refused.get(tenant_id)
        if refused is not None:
            raise UnknownVersionError(refused.message, hint=refused.hint) from refused
        version = self._versions.get(tenant_id)
        if version is None:
            raise UnknownVersionError(
                f"tenant {tenant_id} runs on an engine that this build does not know", hint="upgrade holdfast"
            )
        return EngineDirectory(self._directories.engine(tenant_id), version)

    def user_tenant_ids(self) -> frozenset[int]:
        """Return whose engines are in our care, sys apart, whether they run or not. Never blocks."""
        return frozenset(tuple(self._charges)) - {SYS_TENANT_ID}

    def account_file(self, tenant_id: int) -> Path:
        return self._directories.account(tenant_id)

    def lost_login(self, tenant_id: int) -> str:
        """Return in words that Holdfast's own login of a tenant is gone, empty while it is there. For tenants that are NORMAL."""
        path = self.account_file(tenant_id)
        if account.is_stored(path):
            return _SHUT_OUT if self.is_shut_out(tenant_id) else ""
        return f"{path} is gone, without which the tenant can not be backed up: put it back, or restore the tenant"

    def reach_of_unusable(self, tenant_id: int) -> Reach | None:
        """Return how the engine is reached if that way nobody can log in with some account, as it was half a minute ago. Never blocks."""
        charge = self._charges.get(tenant_id)
        return self._reach(charge) if charge is not None and charge.unusable else None

    def unusable_words(self, tenant_id: int) -> str:
        """Return in words that there are such accounts, why, and the way out; empty for none. Never blocks."""
        charge = self._charges.get(tenant_id)
        return "" if charge is None else self._reach(charge).words(charge.unusable)

    def _reach(self, charge: _Charge) -> Reach:
        process = charge.process
        if process is None:
            return Reach()
        return Reach(
            is_addressed=process.sockets is not None,
            serves_tls=self._serves_tls and process.was_started_with(wallet.argument()),
            refusal=process.space_refusal,
        )

    def tls_for(self, tenant_id: int, user: str) -> SSLContext | None:
        """Return how to speak TLS with the tenant's engine if it serves an account of this name over nothing else, None otherwise.

        Asked at each login by TLS, so that what an account asks for counts from the moment it does. An engine that can not be asked
        is spoken to by TLS, which every account takes.
        """
        charge = self._charge(tenant_id)
        if charge.process is None or not charge.process.was_started_with(wallet.argument()):
            return None
        is_asked = True  # an engine that is too busy to answer is spoken to so

        def ask(held: EngineSession) -> None:
            nonlocal is_asked
            is_asked = bool(held.query(_ASKS_FOR_TLS, (user, SSL_TYPE)))

        with contextlib.suppress(SqlError):
            self._keeper(tenant_id, charge).use_now(ask, wait_seconds=_ASKING_SECONDS_MAX)
        return wallet.server_context(account.authority_file(self.account_file(tenant_id))) if is_asked else None

    def bring_up(self, tenant_id: int, settings: EngineSettings, *, watchdog: Watchdog | None = None) -> EngineProcess:
        """Return the tenant's engine, ready for logins: adopted if it lives, else started. It is watched from now on.

        `watchdog`: how long a start may make no progress; a restored log takes its time to replay.

        Raises EngineError with the tail of the engine's log when it does not become ready.
        """
        with self._lock:
            charge = self._charges.setdefault(tenant_id, _Charge(self.directory(tenant_id), settings))
        with charge.lock:
            _refuse_retired(charge)
            charge.settings = settings
            if charge.process is None or not charge.process.is_alive():
                charge.process = self._adopted_or_started(tenant_id, charge, settings, watchdog)
            charge.watched = True
            return charge.process

    def take_down(self, tenant_id: int) -> None:
        """Stop the tenant's engine and watch it no more. Repeatable."""
        with self._lock:
            charge = self._charges.pop(tenant_id, None)
        process: EngineProcess | None
        if charge is None:
            process = EngineProcess.adopt(self.directory(tenant_id))
        else:
            with charge.lock:
                # Whoever waits for this lock to start the engine must not: its tenant may be on its way out.
                charge.watched, charge.retired = False, True
                process = charge.process
                _let_go(charge)
        if process is not None:
            process.stop()
        self._block_files.release(tenant_id, self.directory(tenant_id))

    def watch(self, tenant_id: int) -> None:
        """Have an engine that did not start be tried again, with back-off, until it does or is taken down."""
        with self._lock:
            charge = self._charges.get(tenant_id)
        if charge is not None:
            with charge.lock:
                charge.watched = not charge.retired

    def forget(self, tenant_id: int) -> None:
        """Watch the tenant's engine no more and leave it running."""
        with self._lock:
            charge = self._charges.pop(tenant_id, None)
        if charge is not None:
            with charge.lock:
                charge.watched = False
                _let_go(charge)

    def restart(
        self,
        tenant_id: int,
        settings: EngineSettings,
        *,
        between: Callable[[EngineDirectory], None] = lambda directory: None,
    ) -> None:
        """Stop the tenant's engine and start it with `settings`; it is ready when this returns. `between`: done while it is down.

        Raises EngineError if it does not become ready, and what `between` raises: it is then started again as it was, by whoever
        watches.
        """
        charge = self._charge(tenant_id)
        self._wait_unfinished(tenant_id)
        with charge.lock:
            _refuse_retired(charge)
            if charge.process is not None:
                charge.process.stop()
            between(charge.directory)
            self._block_files.make_ready(tenant_id, charge.directory)
            with _starting(charge):
                charge.process = self._start(tenant_id, charge.directory, settings)
            charge.settings = settings

    def change_settings(self, tenant_id: int, settings: EngineSettings) -> None:
        """Let the tenant's next start use other settings."""
        charge = self._charge(tenant_id)
        with charge.lock:
            charge.settings = settings

    def process(self, tenant_id: int) -> EngineProcess:
        """Return the running engine. Raises RefusedError (4012, not ready) when it is down."""
        process = self._charge(tenant_id).process
        if process is None or not process.is_alive():
            version = self.directory(tenant_id).version
            hint = "its engine is being started again; retry in a few seconds"
            if trouble := self._charge(tenant_id).trouble:
                hint = f"its engine does not start, and is tried again: {trouble}"
            if version.binary is None:
                hint = f"engine {version.data_version} is not installed: {install_hint(version.data_version)}"
            raise refuse(codes.OB_SERVER_NOT_READY, hint=hint)
        return process

    def session(self, tenant_id: int, database: str | None = None) -> EngineSession:
        """Return a session of Holdfast's own account. Raises SqlError, also while the engine is being started."""
        charge = self._charges.get(tenant_id)
        if charge is not None and charge.is_starting:
            raise SqlError(NOBODY_THERE, "the engine is being started", "login")
        return self._open_session(tenant_id, database)

    def _open_session(self, tenant_id: int, database: str | None = None) -> EngineSession:
        def log_in() -> EngineSession:
            return account.open_session(self.directory(tenant_id).socket, self.account_file(tenant_id), database)

        charge = self._charges.get(tenant_id)
        if charge is None:
            return log_in()
        keeper = self._keeper(tenant_id, charge)
        try:
            session = keeper.let_in(log_in)
        except SqlError as error:
            if error.errno != account_watch.ACCESS_DENIED:
                raise
            # Whoever needs a session now does not wait for the next look.
            self._put_account_right(tenant_id, charge)
            session = keeper.let_in(log_in)
        if session.packet_bytes_max() >= drift.PACKET_BYTES_MIN or charge.settings.role is EngineRole.STANDBY:
            return session
        # It would refuse our statements as long as it lives; what it is told at its login is put right first.
        session.close()
        self._put_right(tenant_id, charge)
        return keeper.let_in(log_in)

    def _keeper(self, tenant_id: int, charge: _Charge) -> Keeper:
        with self._lock:
            if charge.keeper is None:
                directory, account_file = charge.directory, self.account_file(tenant_id)
                charge.keeper = Keeper(lambda: account.open_session(directory.socket, account_file))
            return charge.keeper

    def is_shut_out(self, tenant_id: int) -> bool:
        """Return whether a tenant's engine knows our account no more while no session of ours is in. Never blocks."""
        charge = self._charges.get(tenant_id)
        return charge is not None and charge.is_shut_out

    def look_at(self, tenant_id: int) -> None:
        """Look at once, as is done every half minute, whether the tenant has changed what keeps it fenced and reachable."""
        charge = self._charges.get(tenant_id)
        if charge is not None:
            self._put_right(tenant_id, charge)

    def begin(self) -> None:
        """Begin watching."""
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def end(self, *, stop_engines: bool) -> None:
        """Stop watching; with `stop_engines`, then stop every engine in our care."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._starters.shutdown(wait=True)
        with self._lock:
            tenants, charges = list(self._charges), list(self._charges.values())
        for charge in charges:
            _let_go(charge)
        if stop_engines:
            with ThreadPoolExecutor(max_workers=8) as pool:
                list(pool.map(self._end_engine, tenants))

    def _end_engine(self, tenant_id: int) -> None:
        try:
            self._wait_unfinished(tenant_id)
            self.take_down(tenant_id)
        except Exception:
            log.exception("tenant %d: its engine could not be ended", tenant_id)  # the others can

    def _wait_unfinished(self, tenant_id: int) -> None:
        """Let the engine finish what it is writing: a transaction cut by its end would keep its locks for good."""
        try:
            if not self.process(tenant_id).is_healthy():
                return  # one that does not greet would keep us for as long as a query may take
            with self.session(tenant_id) as session:
                if not control.wait_unfinished(session, _UNFINISHED_SECONDS_MAX):
                    log.warning("tenant %d: its engine is ended with transactions under way", tenant_id)
        except HoldfastError as error:
            log.warning("tenant %d: its engine is ended without a look at its transactions: %s", tenant_id, error)

    def report_orphans(self, tenant_id: int) -> None:
        """Say which transactions an engine's sudden end has left behind: what hangs on their locks hangs for good."""
        charge = self._charges.get(tenant_id)
        if not self.account_file(tenant_id).exists() or (charge is not None and charge.settings.log_source_port):
            return  # what is under way on a standby that follows goes on with the log
        try:
            with self.session(tenant_id) as session:
                orphans = facts.orphan_transactions(session)
        except HoldfastError as error:
            log.warning("tenant %d: can not be asked for orphan transactions: %s", tenant_id, error)
            return
        if orphans:
            log.error(
                "tenant %d: %d transactions were cut by the end of its engine and keep their locks (trans_id %s); if statements"
                " hang, restore the tenant to a moment before SCN %d",
                tenant_id,
                len(orphans),
                ", ".join(str(orphan.trans_id) for orphan in orphans[:_ORPHANS_LISTED_MAX]),
                int(orphans[0].start_scn),
            )

    def _charge(self, tenant_id: int) -> _Charge:
        with self._lock:
            charge, refused = self._charges.get(tenant_id), self._refused.get(tenant_id)
        if charge is None:
            raise refuse(codes.OB_SERVER_NOT_READY, hint="" if refused is None else str(refused))
        return charge

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            with self._lock:
                charges = list(self._charges.items())
            for tenant_id, charge in charges:
                try:
                    self._look_at(tenant_id, charge)
                except Exception:
                    # Out of file descriptors, say: the watch must outlive it, for all the others' sake.
                    log.exception("tenant %d: its engine could not be looked at", tenant_id)

    def _look_at(self, tenant_id: int, charge: _Charge) -> None:
        now = self._clock.monotonic()
        if not charge.watched or charge.lock.locked():
            return
        if charge.process is None or not charge.process.is_alive():
            if now >= charge.next_start:
                # Claimed before it is handed over, so that the next look does not hand it over again.
                charge.next_start = now + _BACK_OFF_SECONDS_MAX
                self._begin("the start of its engine", self._revive, tenant_id, charge)
        elif not self._block_files.is_sound(tenant_id, charge.directory):
            log.error("tenant %d: its block file is no longer served; its engine is ended", tenant_id)
            # Alive it is of no use: every read of a block fails. The next look starts both.
            self._begin("the end of its engine", self._end_unsound, tenant_id, charge)
        elif now >= charge.next_drift:
            charge.next_drift = now + _DRIFT_SECONDS
            self._begin("what is put right in its engine", self._put_right, tenant_id, charge)

    def _begin(self, what: str, work: Callable[[int, _Charge], None], tenant_id: int, charge: _Charge) -> None:
        self._starters.submit(guarded(log, f"tenant {tenant_id}: {what}", partial(work, tenant_id, charge)))

    def _end_unsound(self, tenant_id: int, charge: _Charge) -> None:
        with charge.lock:
            process = charge.process
            if not charge.watched or process is None or self._block_files.is_sound(tenant_id, charge.directory):
                return
            try:
                process.stop(gently=False)
            except HoldfastError as error:
                log.error("tenant %d: %s", tenant_id, error)

    def _revive(self, tenant_id: int, charge: _Charge) -> None:
        with charge.lock:
            if not charge.watched or self._ended.is_set():
                return
            if not charge.is_gone:
                charge.deaths += 1
                log.error(
                    "tenant %d: its engine died (death %d since the server began); starting it",
                    tenant_id,
                    charge.deaths,
                )
            if charge.is_gone:
                charge.settings = charge.settings.fitting(charge.directory)  # made when no log could be seen
            try:
                charge.process = self._adopted_or_started(tenant_id, charge, charge.settings)
            except DirectoryGoneError as error:
                charge.next_start = self._clock.monotonic() + _GONE_SECONDS
                if not charge.is_gone:
                    log.error("tenant %d: its engine is not started until its directory is back: %s", tenant_id, error)
                charge.is_gone = True
                return
            except HoldfastError as error:
                charge.is_gone = False
                wait = min(_BACK_OFF_SECONDS_MAX, 0.5 * 2 ** min(charge.deaths, 10))
                charge.next_start = self._clock.monotonic() + wait
                log.error("tenant %d: its engine did not start, next try in %.1f s: %s", tenant_id, wait, error)
                return
            charge.next_start = 0.0
            charge.next_drift = 0.0
            charge.is_gone = False
        log.warning("tenant %d: its engine is back, pid %d", tenant_id, charge.process.pid)
        self.report_orphans(tenant_id)
        self._on_restart(tenant_id)

    def _adopted_or_started(
        self, tenant_id: int, charge: _Charge, settings: EngineSettings, watchdog: Watchdog | None = None
    ) -> EngineProcess:
        with _starting(charge):
            directory = charge.directory
            if not directory.founding_mark.exists():
                require_present(directory)
                refuse_other(directory)  # before anything, a living engine included, is touched
            adopted = EngineProcess.adopt(directory)
            if adopted is not None and not (
                self._block_files.is_sound(tenant_id, directory)
                # A standby that servers of before embedded takes in no definitions (decision 38).
                and (settings.role is not EngineRole.STANDBY or _is_embedded_as(adopted, settings))
                # One without a wallet lets nobody in once its log knows a login that no set holds.
                and (not self._needs_wallet(tenant_id, settings) or self._has_wallet(tenant_id, adopted))
            ):
                adopted.stop(gently=False)
                adopted = None
            if adopted is None:
                self._block_files.make_ready(tenant_id, directory)
                return self._start(tenant_id, directory, settings, watchdog)
            try:
                adopted.wait_ready(watchdog or Watchdog())
            except HoldfastError:
                adopted.stop(gently=False)  # the next look starts it again
                raise
            # A server that started it may have been killed before it could look.
            return self._settled(tenant_id, self._without_cut(tenant_id, adopted, settings, watchdog), settings)

    def _start(
        self, tenant_id: int, directory: EngineDirectory, settings: EngineSettings, watchdog: Watchdog | None = None
    ) -> EngineProcess:
        process = self._start_process(tenant_id, directory, settings, watchdog)
        return self._settled(tenant_id, self._without_cut(tenant_id, process, settings, watchdog), settings)

    def _needs_wallet(self, tenant_id: int, settings: EngineSettings) -> bool:
        """Return whether a start must let us in by a certificate: the engine's log is another's, up to its promotion at least."""
        path = self.account_file(tenant_id)
        return account.is_stored(path) and (settings.role is EngineRole.STANDBY or account.is_of_set(path))

    def _has_wallet(self, tenant_id: int, process: EngineProcess) -> bool:
        is_ours_there = account.client_file(self.account_file(tenant_id)).exists()
        return is_ours_there and process.was_started_with(wallet.argument())

    def _with_wallet(self, tenant_id: int, settings: EngineSettings) -> EngineSettings:
        """Return the settings of a stopped engine's next start; a certificate of ours that it will not need is removed."""
        path = self.account_file(tenant_id)
        client_file, authority_file = account.client_file(path), account.authority_file(path)
        if self._needs_wallet(tenant_id, settings):
            return replace(settings, authority_file=authority_file, client_file=client_file)
        client_file.unlink(missing_ok=True)
        return replace(settings, authority_file=authority_file, client_file=None)

    def _as_started(self, tenant_id: int, charge: _Charge) -> EngineSettings:
        """Return the settings with what the running engine's last start had of a wallet."""
        path = self.account_file(tenant_id)
        client_file = account.client_file(path)
        speaks_tls = charge.process is not None and charge.process.was_started_with(wallet.argument())
        return replace(
            charge.settings,
            authority_file=account.authority_file(path) if speaks_tls else None,
            client_file=client_file if client_file.exists() else None,
        )

    def _settled(self, tenant_id: int, process: EngineProcess, settings: EngineSettings) -> EngineProcess:
        """Return the engine; one that takes writes has a login that no set holds.

        As it is handed out: what is backed up from then on is what `account.set_account` says. What fails is done by a later look.
        """
        if not self._is_to_separate(tenant_id, settings):
            return process
        try:
            with self._open_session(tenant_id) as session:
                self._separate(tenant_id, session)
        except HoldfastError as error:
            log.warning("tenant %d: its login stays what its sets hold for now: %s", tenant_id, error)
        return process

    def _is_to_separate(self, tenant_id: int, settings: EngineSettings) -> bool:
        path = self.account_file(tenant_id)
        is_ours = tenant_id != SYS_TENANT_ID and settings.role is EngineRole.PRIMARY and path.exists()
        return is_ours and not account.is_separate(path)

    def _separate(self, tenant_id: int, session: EngineSession) -> None:
        if drift.is_writable(session):
            account.separate(session, self.account_file(tenant_id))
            log.info("tenant %d: Holdfast's login is one that no set holds", tenant_id)

    def _start_process(
        self, tenant_id: int, directory: EngineDirectory, settings: EngineSettings, watchdog: Watchdog | None
    ) -> EngineProcess:
        wanted = replace(self._with_wallet(tenant_id, settings), wants_space=self._wants_spaces)
        process = EngineProcess.start(directory, wanted, watchdog=watchdog)
        if process.space_refusal:
            log.warning("tenant %d: its engine knows no client's address: %s", tenant_id, process.space_refusal)
        return process

    def _without_cut(
        self,
        tenant_id: int,
        process: EngineProcess,
        settings: EngineSettings,
        watchdog: Watchdog | None,
    ) -> EngineProcess:
        """Return the engine; one that takes writes is started once more if its last end has cut transactions in two.

        Nobody's session is in it yet, neither a user's (the charge has no process) nor one of ours (`session` refuses).
        """
        tried: set[int] = set()
        while cut := self._cut(tenant_id, settings):
            ids = {transaction.trans_id for transaction in cut.transactions}
            if ids & tried or self._ended.is_set():
                break  # it could not be written, or it had no effect: told by `report_orphans`
            tried |= ids
            process.stop()
            process.close()
            self.roll_back(tenant_id, process.directory, cut)
            process = self._start_process(tenant_id, process.directory, settings, watchdog)
        return process

    def _cut(self, tenant_id: int, settings: EngineSettings) -> Cut | None:
        is_known = self.directory(tenant_id).version.release.rolls_back_by_log
        if settings.role is not EngineRole.PRIMARY or not is_known or not self.account_file(tenant_id).exists():
            return None
        try:
            with self._open_session(tenant_id) as session:
                return find_on_primary(session)
        except HoldfastError as error:
            log.warning("tenant %d: can not be asked for cut transactions: %s", tenant_id, error)
            return None

    def roll_back(self, tenant_id: int, directory: EngineDirectory, cut: Cut) -> None:
        """Roll these back in the stopped engine's log and say so, or why it can not be done."""
        ids = ", ".join(str(each.trans_id) for each in cut.transactions[:_ORPHANS_LISTED_MAX])
        try:
            roll_back(directory, cut)
        except (HoldfastError, OSError) as error:
            log.error("tenant %d: cut transactions (trans_id %s) can not be rolled back: %s", tenant_id, ids, error)
            return
        log.warning(
            "tenant %d: rolled back %d transactions that the end of its log had cut (trans_id %s)",
            tenant_id,
            len(cut.transactions),
            ids,
        )

    def _put_account_right(self, tenant_id: int, charge: _Charge) -> None:
        """Mend our account in the engine through the session that is held. Raises SqlError, 1045 too: then nobody of ours is in."""
        path, socket = self.account_file(tenant_id), charge.directory.socket

        changes: tuple[str, ...] = ()
        settings: tuple[str, ...] = ()

        def put_right(held: EngineSession) -> None:
            nonlocal changes, settings
            # First: under a hostile rpc_timeout a CREATE USER is tried for ever, whatever ob_query_timeout says (measured on 1.4.0).
            running = self._as_started(tenant_id, charge)
            settings = drift.put_settings_right(held, running, is_sys=tenant_id == SYS_TENANT_ID)
            if self._is_to_separate(tenant_id, charge.settings):
                try:
                    self._separate(tenant_id, held)
                except EngineError as error:
                    if isinstance(error, SqlError) and error.is_lost:
                        raise
                    changes = (f"Holdfast's login is what its sets hold, could not be changed: {error}",)
            if account.is_of_set(path):
                return  # its rows are its source's, and what is wrong with them is the source's to mend
            changes += account_watch.put_right(held, lambda: account.open_session(socket, path), path)

        try:
            self._keeper(tenant_id, charge).use(put_right)
        except SqlError as error:
            if error.errno == account_watch.ACCESS_DENIED and not charge.is_shut_out:
                log.error("tenant %d: %s", tenant_id, _SHUT_OUT)
            charge.is_shut_out = error.errno == account_watch.ACCESS_DENIED
            raise
        charge.is_shut_out = False
        self._tell(tenant_id, charge, "settings", settings)
        self._tell(tenant_id, charge, "account", changes)

    def _tell(self, tenant_id: int, charge: _Charge, what: str, changes: tuple[str, ...]) -> None:
        """Say what was put right; what can not be changed, as on a standby, is found again each time and told once.

        Never while the keeper works: an event of the sys tenant is written through a session with the same engine.
        """
        told = charge.told.get(what, frozenset())
        news = [
            change for change in changes if change not in told or not any(word in change for word in _AGAIN_EACH_TIME)
        ]
        charge.told[what] = frozenset(changes)
        for change in news:
            log.error("tenant %d: put right: %s", tenant_id, change)
        for change in news:
            self.on_put_right(tenant_id, change)

    def _put_right(self, tenant_id: int, charge: _Charge) -> None:
        if not self.account_file(tenant_id).exists():
            return  # its account is being made

        changes: tuple[str, ...] = ()

        def put_right(session: EngineSession) -> None:
            nonlocal changes
            running = self._as_started(tenant_id, charge)
            changes = drift.put_right(session, running, charge.process, is_sys=tenant_id == SYS_TENANT_ID)
            if tenant_id in self._of_oracle_mode:
                changes = (*administrator.put_sys_right(session), *changes)
            charge.unusable = self._reach(charge).count_unusable(session)

        if charge.is_starting:
            return
        was_shut_out = charge.is_shut_out
        try:
            self._put_account_right(tenant_id, charge)
            self._keeper(tenant_id, charge).use(put_right)
            self._tell(tenant_id, charge, "settings", changes)
        except SqlError as error:
            if not error.is_lost and not (was_shut_out and charge.is_shut_out):
                log.error("tenant %d: can not be checked: %s", tenant_id, error)
        except HoldfastError as error:
            log.error("tenant %d: can not be checked: %s", tenant_id, error)


@contextlib.contextmanager
def _starting(charge: _Charge) -> Iterator[None]:
    charge.is_starting = True
    try:
        yield
        charge.trouble = ""
    except HoldfastError as error:
        charge.trouble = str(error)
        raise
    finally:
        charge.is_starting = False


def _let_go(charge: _Charge) -> None:
    """Close the session that is held with an engine."""
    if charge.keeper is not None:
        charge.keeper.close()


def _refuse_retired(charge: _Charge) -> None:
    if charge.retired:
        raise refuse(codes.OB_SERVER_NOT_READY, hint="its tenant is being dropped")


def _is_embedded_as(process: EngineProcess, settings: EngineSettings) -> bool:
    return process.was_started_with(EMBEDDED) == settings.is_embedded(process.directory.version)
