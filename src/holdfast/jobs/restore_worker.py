"""The threads that carry restores out.

Order of effects, for the crash (steps 1 to 3 lie in `restores`):

    4. directory below restore/                killed after: removed, made anew
    5. rename to tenants/                      killed after: as 4
    6. engine started, checked                 killed after: as 4; the engine is stopped first
    7. job rows end, tenant row NORMAL         killed between: the job has ended, so the next server finishes the row

Before 7 nobody can log in: a tenant that is not NORMAL has no route.
"""

import errno
import logging
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from holdfast import codes, disk
from holdfast.backup_format.manifest import EncryptionMode
from holdfast.backup_format.reach import Damage
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.log_sources import LogRestoreSource
from holdfast.catalog.restores import RestoreJob
from holdfast.catalog.tenants import TenantScns
from holdfast.clock import Clock
from holdfast.defects import DefectError, guarded
from holdfast.destination.facts import Facts, Source, open_sources, read_facts
from holdfast.destination.pieces import log_keys
from holdfast.engine import account, control, facts, role
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.facts import OrphanTransaction
from holdfast.engine.process import EngineEndedError, EngineSettings, Watchdog
from holdfast.engine.role import EngineRole
from holdfast.engine.shut_ports import can_shut_ports
from holdfast.engine.version import Engines
from holdfast.errors import CanceledError, EngineError, HoldfastError, RefusedError, refuse
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.endings import tell_end
from holdfast.jobs.known_damage import leave_damage_aside
from holdfast.jobs.log_ports import LogPorts
from holdfast.jobs.pace import Paces
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.keys.keyring import Keyring
from holdfast.keys.masters import Masters
from holdfast.keys.vault import Vault
from holdfast.restore.block_mount import find_obstacle
from holdfast.restore.block_process import UnservedError
from holdfast.restore.lazy_layout import lay_out_lazily
from holdfast.restore.lazy_place import LazyPlace
from holdfast.restore.plan import (
    RestorePlan,
    left_aside_in_the_clear,
    left_aside_without_password,
    plan_restore,
)
from holdfast.restore.refusal import Form
from holdfast.restore.run import LaidOut, Progress, lay_out
from holdfast.restore.unlock import data_keys
from holdfast.statement.restore_options import RestoreOptions, option_pairs, read_options
from holdfast.values.destination import Uri, parse_uri
from holdfast.values.owner import Owner
from holdfast.values.quick import QuickStatus, QuickTenant
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import SYS_TENANT_ID, Tenant, TenantPurpose, TenantRole, TenantStatus

log = logging.getLogger("holdfast.restores")

_AT_ONCE_MAX = 2
"""Restores at once: each keeps the destination and the disk busy by itself."""
_ATTEMPTS_MAX = 3
_THREADS_DEFAULT = 8
_TELL_SECONDS = 0.5
_HUNG_SECONDS_MIN = 60.0
_REPLAY_BYTES_PER_SECOND_MIN = 10 << 20
_ORPHANS_LISTED_MAX = 5
_STARTS_MAX = 3
_DROP_SECONDS_MAX = 60.0
_SERVER_STOP_SECONDS = 30.0
"""How long a worker may take to leave when the server ends; one in the middle of a batch takes less than a second."""
_CATALOG_SECONDS_MAX = 120.0
"""The sys engine is back some 2 s after its death; a machine that is out of memory or disk takes longer."""
_CATALOG_PAUSE_SECONDS = 0.5
_KEPT_LOG_BYTES_MAX = 4 << 20
_GIVE_UP_PAUSE_SECONDS = 2.0
RESTORED_FULLY = "method=quick needs FUSE, so every block is restored before the tenant opens: {}"


@dataclass(slots=True)
class _Run:
    """A restore under way in this server. `port`: where its engine asks for log, 0 for nowhere."""

    tenant: Tenant
    port: int = 0
    canceled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    progress: Progress = field(default_factory=Progress)
    future: "Future[None] | None" = None


class _Ended(Exception):
    """The server ends; the job stays as it is for the next one."""


class RestoreWorkers:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        supervisor: Supervisor,
        tenants: Tenants,
        directories: ClusterDirectory,
        clock: Clock,
        *,
        engines: Engines,
        open_store: OpenStore,
        generation: int,
        paces: Paces,
        ports: LogPorts,
        is_own: Callable[[Owner | None], bool],
        find_obstacle: Callable[[], str | None] = find_obstacle,
    ) -> None:
        """`find_obstacle`: says why no block file can be served on this machine, None when it can."""
        self.find_obstacle = find_obstacle
        self._is_own = is_own
        self._catalog = catalog
        self._supervisor = supervisor
        self._tenants = tenants
        self._directories = directories
        self._clock = clock
        self._engines = engines
        self._open_store = open_store
        self._generation = generation
        self._paces = paces
        self._ports = ports
        self._lock = threading.Lock()
        self._runs: dict[int, _Run] = {}
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE_MAX, thread_name_prefix="restore-job")

    # --- what the statements need

    def open(self, uris: tuple[Uri, ...]) -> tuple[Source, ...]:
        """Return what each of these paths is. Raises as `open_sources`."""
        return open_sources(uris, self._open_store)

    def read(self, sources: tuple[Source, ...], masters: Masters) -> Facts:
        """Return what lies at these paths, without what a validation of this cluster found damaged. `masters`: open what is sealed."""
        opened = tuple(replace(source, masters=masters) for source in sources)
        return leave_damage_aside(self._catalog, read_facts(opened))

    def plan(
        self,
        found: Facts,
        target: Scn | None,
        form: Form = Form.FROM,
        *,
        is_key_named: bool = False,
        has_passwords: bool = False,
    ) -> RestorePlan:
        """Return the plan, for the engines of this server. Raises as `plan_restore`.

        `is_key_named`: whoever restores has named the key that seals; then nothing is taken that somebody without it can have made
        newest, and RefusedError -9047 says so where nothing that would be read is sealed. `has_passwords`: of single sets too; without,
        what needs one is left aside.
        """
        sets, pieces, damaged = found.sets, found.pieces, found.damaged
        aside: tuple[Damage, ...] = ()
        if is_key_named:
            sets, pieces, aside = left_aside_in_the_clear(sets, pieces)
            if not has_passwords:
                sets, pieces, locked = left_aside_without_password(sets, pieces)
                aside = (*aside, *locked)
            damaged = (*damaged, *aside)
        plan = plan_restore(
            sets,
            pieces,
            target,
            installed_versions=self._engines.data_versions,
            damaged=damaged,
            form=form,
            is_own=self._is_own,
        )
        if is_key_named and not plan.reads_sealed:
            raise refuse(
                codes.OB_BACKUP_INVALID_PASSWORD,
                hint=f"nothing is sealed of what would be read ({', '.join(plan.set_roots)}): leave WITH KEY FROM out to restore what is"
                " in the clear, whoever has made it",
            )
        return replace(plan, left_aside=aside)

    def keyring(self, tenant_id: int) -> Keyring:
        """Return where the keys of the sets this tenant is restored from are kept while its restore is under way."""
        return self._directories.restore_keyring(tenant_id)

    def put_vault(self, tenant_id: int, vault: Vault) -> None:
        """Keep the master keys that open the log of this tenant's restore; a standby goes on with them."""
        self._directories.restore_vault(tenant_id).put(vault)

    def has_vault(self, tenant_id: int) -> bool:
        """Return whether this tenant's restore reads with master keys."""
        return bool(self._vault(tenant_id).others)

    def _vault(self, tenant_id: int) -> Vault:
        return self._directories.restore_vault(tenant_id).read() or Vault()

    def _masters(self, tenant_id: int) -> Masters:
        return Masters({master.key_id: master.secret for master in self._vault(tenant_id).others})

    def forget_keys(self, tenant_id: int) -> None:
        shutil.rmtree(self._directories.restore_keys(tenant_id), ignore_errors=True)

    def hand_over(self, tenant: Tenant) -> None:
        """Let a worker carry out the restore whose rows are there; this returns at once."""
        run = _Run(tenant)
        with self._lock:
            self._runs[tenant.tenant_id] = run
            run.future = self._pool.submit(
                guarded(log, f"tenant {tenant.name}: the end of its restore", partial(self._carry_out, run))
            )

    # --- life

    def take_up(self, tenant: Tenant) -> None:
        """Finish, begin again or remove a tenant whose restore a dead server left. Once, before the door opens."""
        rows = self._rows(tenant.tenant_id)
        if not rows:
            if self._has_succeeded(tenant):
                # Killed between the end of the job and the end of the tenant's row.
                self.forget_keys(tenant.tenant_id)
                self._catalog.tenants.update(tenant.tenant_id, status=TenantStatus.NORMAL, role=TenantRole.STANDBY)
                standby = replace(tenant, role=TenantRole.STANDBY)
                try:
                    self._supervisor.bring_up(tenant.tenant_id, self._tenants.settings_of(standby))
                except HoldfastError as error:
                    self._supervisor.watch(tenant.tenant_id)
                    log.error("tenant %s: its engine did not start and will be tried again: %s", tenant.name, error)
                return
            log.warning("tenant %s: its restore never began; removing it", tenant.name)
            self.forget_keys(tenant.tenant_id)
            self._tenants.remove(tenant)
            return
        if max(row.attempt for row in rows) >= _ATTEMPTS_MAX:
            self._fail_rows(tenant.tenant_id, f"interrupted {_ATTEMPTS_MAX} times")
            self.forget_keys(tenant.tenant_id)
            self._tenants.remove(tenant)
            return
        for row in rows:
            self._catalog.restores.update(replace(row, attempt=row.attempt + 1, owner_generation=self._generation))
        log.warning("tenant %s: its restore was interrupted; beginning again", tenant.name)
        self.hand_over(tenant)

    def sweep_keys(self) -> None:
        """Remove kept keys of restores that are over, whatever ended them."""
        active = {job.restore_tenant_id for job in self._catalog.restores.active()}
        for folder in self._directories.restores.glob("*.keys"):
            if not folder.stem.isdecimal() or int(folder.stem) not in active:
                shutil.rmtree(folder, ignore_errors=True)

    def _has_succeeded(self, tenant: Tenant) -> bool:
        return self._catalog.restores.has_succeeded(tenant.tenant_id)

    def stop_all(self) -> None:
        """End the workers between two batches; their jobs are taken up by the next server."""
        self._ending.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        end = self._clock.monotonic() + _SERVER_STOP_SECONDS
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            if run.future is not None and run.future.cancelled():
                run.done.set()  # never begun: a drop may be waiting for it
            elif not run.done.wait(max(0.0, end - self._clock.monotonic())):
                log.warning("tenant %s: its restore hangs; the next server takes it up", run.tenant.name)

    def drop_tenant(self, tenant_id: int) -> None:
        """End the tenant's restore as failed; returns when its worker is out of its files."""
        with self._lock:
            run = self._runs.get(tenant_id)
        if run is not None:
            run.canceled.set()
            if run.future is not None and run.future.cancel():
                self._carry_out(run)  # it waited for its turn, which may be hours away: end it here
            elif not run.done.wait(_DROP_SECONDS_MAX):
                raise RefusedError(
                    f"the restore of tenant {tenant_id} did not end in {_DROP_SECONDS_MAX:.0f} s",
                    hint="drop the tenant again",
                    code=codes.OB_TIMEOUT,
                )
            return
        self._fail_rows(tenant_id, "tenant dropped")
        self.forget_keys(tenant_id)

    # --- rows

    def _rows(self, tenant_id: int) -> tuple[RestoreJob, ...]:
        return tuple(job for job in self._catalog.restores.active() if job.restore_tenant_id == tenant_id)

    def _tell(self, tenant_id: int, status: RestoreStatus, progress: Progress) -> None:
        for row in self._rows(tenant_id):
            known = replace(row, total_bytes=progress.total_bytes, finish_bytes=progress.finish_bytes)
            if row.tenant_id != SYS_TENANT_ID:
                known = replace(known, status=status)
            self._catalog.restores.update(known)

    def _fail_rows(self, tenant_id: int, comment: str) -> None:
        now_us = self._clock.now_ns() // 1000
        self._catalog.restores.finish(
            *(
                replace(row, status=RestoreStatus.RESTORE_FAIL, finish_timestamp_us=now_us, comment=comment[:1024])
                for row in self._rows(tenant_id)
            )
        )

    # --- the worker

    def _carry_out(self, run: _Run) -> None:
        tenant = run.tenant
        try:
            self._run(run)
        except _Ended:
            log.info("tenant %s: its restore is taken up by the next server", tenant.name)
        except CanceledError as error:
            tell_end(log, f"tenant {tenant.name}: its restore", "CANCELED")
            self._give_up(run, str(error))
        except HoldfastError as error:
            tell_end(log, f"tenant {tenant.name}: its restore", RestoreStatus.RESTORE_FAIL, str(error))
            self._give_up(run, str(error))
        except OSError as error:
            tell_end(log, f"tenant {tenant.name}: its restore", RestoreStatus.RESTORE_FAIL, str(error))
            self._give_up(run, str(_disk_error(error, self._directories)))
        except Exception as error:
            log.exception("tenant %s: restore failed", tenant.name)
            self._give_up(run, str(DefectError(error)))
        finally:
            with self._lock:
                self._runs.pop(tenant.tenant_id, None)
            run.done.set()

    def _give_up(self, run: _Run, comment: str) -> None:
        """Remove the tenant, then end the rows: as long as they are under way, somebody comes back to finish this.

        What made the restore fail (a full disk) may make this fail too: tried until it holds or the server ends.
        """
        tenant_id = run.tenant.tenant_id
        while True:
            try:
                self._clear(tenant_id)
                self._fail_rows(tenant_id, comment)
                self.forget_keys(tenant_id)
                if not run.canceled.is_set():  # a DROP TENANT that canceled us removes the tenant itself
                    self._tenants.remove(run.tenant)
                return
            except (HoldfastError, OSError) as error:
                log.error("tenant %s: its failed restore can not be removed yet: %s", run.tenant.name, error)
            except Exception:
                log.exception("tenant %s: its failed restore can not be removed yet", run.tenant.name)
            if self._ending.wait(_GIVE_UP_PAUSE_SECONDS):
                return

    def _check(self, run: _Run) -> None:
        if run.canceled.is_set():
            raise CanceledError
        if self._ending.is_set():
            raise _Ended

    def _run(self, run: _Run) -> None:
        tenant_id = run.tenant.tenant_id
        row = next(job for job in self._rows(tenant_id) if job.tenant_id != SYS_TENANT_ID)
        self._clear(tenant_id)
        self._check(run)
        uris = tuple(parse_uri(text) for text in row.backup_dest.split(","))
        found = self.read(self.open(uris), self._masters(tenant_id))
        plan = self.plan(asked_for(self._openable(found, tenant_id), row), row.restore_scn)
        self._patiently(run, lambda: self._tell(tenant_id, RestoreStatus.RESTORE_CREATE_INIT_LS, run.progress))
        options = read_options(option_pairs(row.restore_option))
        obstacle = self.find_obstacle() if options.method == "quick" else None
        is_lazy = options.method == "quick" and obstacle is None
        try:
            laid_out = self._lay_out(run, found, plan, is_lazy=is_lazy)
            self._patiently(run, lambda: self._tell(tenant_id, RestoreStatus.RESTORE_WAIT_LS, run.progress))
            comment = self._start(run, laid_out, plan, found.sources)
        except UnservedError as error:
            log.warning("tenant %s: restored fully: %s", run.tenant.name, error)
            obstacle, is_lazy = "a mount failed, see the log", False
            self._clear(tenant_id)
            run.progress = Progress()
            laid_out = self._lay_out(run, found, plan, is_lazy=False)
            comment = self._start(run, laid_out, plan, found.sources)
        if obstacle is not None:
            comment = f"{RESTORED_FULLY.format(obstacle)}{'; ' + comment if comment else ''}"
        self._patiently(run, lambda: self._tell(tenant_id, RestoreStatus.POST_CHECK, run.progress))
        self._patiently(run, lambda: self._put_quick(run, laid_out, options, is_lazy=is_lazy))
        self._patiently(run, lambda: self._end(run, laid_out, plan, found.sources, comment))

    def _openable(self, found: Facts, tenant_id: int) -> Facts:
        """Return the facts without what has a key that was not kept: what came after the statement was never asked for."""
        keyring = self.keyring(tenant_id)
        sets = tuple(
            fact
            for fact in found.sets
            if fact.manifest.encryption.mode is EncryptionMode.NONE
            or keyring.get(fact.manifest.backup_set_id) is not None
        )
        masters = self._masters(tenant_id)
        pieces = tuple(piece for piece in found.pieces if log_keys(piece, masters).can_open)
        return replace(found, sets=sets, pieces=pieces)

    def _patiently(self, run: _Run, what: Callable[[], None]) -> None:
        """Do something repeatable with the catalog; its engine may be down for a few seconds, which must not end a restore."""
        end = self._clock.monotonic() + _CATALOG_SECONDS_MAX
        while True:
            self._check(run)
            try:
                what()
                return
            except EngineError as error:
                if self._clock.monotonic() > end:
                    raise
                log.warning("tenant %s: the catalog does not answer: %s", run.tenant.name, error)
                self._clock.sleep(_CATALOG_PAUSE_SECONDS)

    def _clear(self, tenant_id: int) -> None:
        """Remove what an earlier attempt left."""
        self._supervisor.take_down(tenant_id)
        self._ports.let_go(tenant_id)
        for place in (self._directories.restore(tenant_id), self._directories.tenant(tenant_id)):
            shutil.rmtree(place, ignore_errors=True)

    def _lay_out(self, run: _Run, found: Facts, plan: RestorePlan, *, is_lazy: bool) -> LaidOut:
        tenant_id = run.tenant.tenant_id
        place = self._directories.restore(tenant_id)
        directory = EngineDirectory(place / "engine", self._engines.of(run.tenant.data_version))
        pace = self._paces.restore(tenant_id, _THREADS_DEFAULT)
        told = 0.0

        def check() -> None:
            nonlocal told
            self._check(run)
            # Figures and limits are for people: a catalog that is down for a moment ends no restore.
            with suppress(EngineError):
                pace.refresh()
                now = self._clock.monotonic()
                if now - told >= _TELL_SECONDS and run.progress.total_bytes:
                    told = now  # several threads may tell at once: each tells the truth
                    status = RestoreStatus.PHYSICAL_RESTORE_WAIT_RESTORE_TO_CONSISTENT_SCN
                    self._tell(tenant_id, status, run.progress)

        stores = tuple(source.store for source in found.sources)

        def lay_out_blocks_lazily(index: bytes) -> None:
            keyring = self.keyring(tenant_id)
            numbers = (fact.manifest.backup_set_id for fact in plan.chain)
            secrets = {number: key for number in numbers if (key := keyring.get(number)) is not None}
            lay_out_lazily(LazyPlace(place), directory, plan, stores, index, secrets)

        laid_out = lay_out(
            plan,
            stores,
            directory,
            pace=pace,
            progress=run.progress,
            check=check,
            keys=data_keys(plan, self.keyring(tenant_id).get),
            masters=self._masters(tenant_id),
            lazily=lay_out_blocks_lazily if is_lazy else None,
        )
        role.set_role(directory, EngineRole.STANDBY)
        account.store_account(place / "account.json", account.decode_account(laid_out.account))
        vault = self._vault(tenant_id)
        if vault.others and run.tenant.purpose is TenantPurpose.USER:
            self._directories.vault_in_making(tenant_id).put(vault)  # a standby reads on
        self._check(run)
        disk.move(place, self._directories.tenant(tenant_id))
        return laid_out

    def _start(self, run: _Run, laid_out: LaidOut, plan: RestorePlan, sources: tuple[Source, ...]) -> str:
        """Start the engine on the restored files; return what a person should know, mostly nothing."""
        tenant = replace(run.tenant, role=TenantRole.STANDBY)
        patience = max(_HUNG_SECONDS_MIN, laid_out.size_bytes / _REPLAY_BYTES_PER_SECOND_MIN)
        settings = self._settings(run, tenant)  # of the catalog: what is wrong there is not the restored log's fault
        run.port = self._port(tenant, sources)
        if run.port:
            settings = replace(settings, log_source_port=run.port)
        try:
            self._bring_up(run, tenant, settings, Watchdog(progress_seconds=patience))
        except UnservedError:
            raise
        except EngineError as error:
            raise self._replay_error(run, plan, "the engine did not start on the restored files", error) from error
        try:
            orphans = self._wait_replayed(run, laid_out, patience)
        except EngineError as error:
            raise self._replay_error(run, plan, "the engine did not take in all of its log", error) from error
        if not orphans:
            return ""
        earliest = min(orphan.start_scn for orphan in orphans)
        ids = ", ".join(str(orphan.trans_id) for orphan in orphans[:_ORPHANS_LISTED_MAX])
        until = ""
        if self._engines.of(tenant.data_version).release.rolls_back_by_log:
            until = " until ACTIVATE STANDBY rolls them back"
        return (
            f"{len(orphans)} transactions were under way at the target and keep their row locks{until} (trans_id {ids}): "
            f"a target below SCN {int(earliest)}, or at or after their commit, avoids them"
        )

    def _port(self, tenant: Tenant, sources: tuple[Source, ...]) -> int:
        """Return the port that the engine will be given log on if it ever follows, 0 for one that can not or never will.

        From its first start on: an engine that is started without asks nobody, and following would cost its readers a restart.
        """
        follows = self._engines.of(tenant.data_version).release.follows_source and can_shut_ports()
        if not follows or _archive_of(sources) is None or tenant.purpose is not TenantPurpose.USER:
            return 0
        return self._ports.take(tenant.tenant_id)

    def _wait_replayed(self, run: _Run, laid_out: LaidOut, patience: float) -> tuple[OrphanTransaction, ...]:
        """Return when the engine shows all of its log; then: the transactions that have no end in it."""
        tenant = run.tenant
        is_writing = self._engines.of(tenant.data_version).release.is_standby_writing
        with self._supervisor.session(tenant.tenant_id) as session:
            control.wait_replayed(
                session,
                patience,
                until=laid_out.end.lsn if is_writing else None,
                check=lambda: self._check(run),
            )
            return facts.orphan_transactions(session)

    def _replay_error(self, run: _Run, plan: RestorePlan, what: str, error: EngineError) -> EngineError:
        """Return the failure of a restore whose files are good as far as they tell, and whose engine does not get there.

        A block that did not come names its object. What the engine said comes last: a COMMENT may have no room for all of it.
        """
        tenant_id = run.tenant.tenant_id
        if trouble := LazyPlace(self._directories.tenant(tenant_id)).state().trouble:
            what += f"; {trouble}"
        return EngineError(
            f"{codes.OB_LS_RESTORE_FAILED.text()}: {what}; {self._kept_log(tenant_id)}; try a moment before SCN"
            f" {int(plan.target)}, a log across FORK TABLE or FORK DATABASE can hang: {error.message}",
            code=codes.OB_LS_RESTORE_FAILED,
        )

    def _kept_log(self, tenant_id: int) -> str:
        """Put the engine's log aside before its directory goes; return where it is, as a sentence."""
        kept = self._directories.restore_log(tenant_id)
        try:
            with self._supervisor.directory(tenant_id).server_log.open("rb") as log_file:
                log_file.seek(max(0, log_file.seek(0, os.SEEK_END) - _KEPT_LOG_BYTES_MAX))
                kept.write_bytes(log_file.read())
        except OSError as error:
            return f"the engine's log could not be kept: {error}"
        return f"the engine's log is kept in {kept}"

    def _settings(self, run: _Run, tenant: Tenant) -> EngineSettings:
        found: list[EngineSettings] = []
        self._patiently(run, lambda: found.append(self._tenants.settings_of(tenant)))
        return found[0]

    def _bring_up(self, run: _Run, tenant: Tenant, settings: EngineSettings, watchdog: Watchdog) -> None:
        """Start the engine; one that ends at once is started again.

        On a busy machine a restored standby now and then ends with -4023 between two steps of its start, and the same files
        start the next time (measured on 1.4.0).
        """
        for left in reversed(range(_STARTS_MAX)):
            self._check(run)
            try:
                self._supervisor.bring_up(tenant.tenant_id, settings, watchdog=watchdog)
                return
            except EngineEndedError as error:
                if not left:
                    raise
                log.warning("tenant %s: its restored engine ended while it started, again: %s", tenant.name, error)

    def _put_quick(self, run: _Run, laid_out: LaidOut, options: RestoreOptions, *, is_lazy: bool) -> None:
        """Record that blocks still come, before the job ends: from here on the row keeps the sets from being deleted.

        A tenant with a time to live has it counted from here.
        """
        if not is_lazy and options.ttl_seconds is None:
            return
        tenant_id, now_us = run.tenant.tenant_id, self._clock.now_ns() // 1000
        ttl, sources = options.ttl_seconds, set[str]()
        if is_lazy:
            sources = {holder.source for holder in LazyPlace(self._directories.tenant(tenant_id)).order().holders}
        self._catalog.quick.put(
            QuickTenant(
                tenant_id=tenant_id,
                tenant_name=run.tenant.name,
                status=QuickStatus.HYDRATING if is_lazy else QuickStatus.LOCAL,
                total_bytes=laid_out.missing_bytes,
                finish_bytes=0,
                start_timestamp_us=now_us,
                finish_timestamp_us=None if is_lazy else now_us,
                drop_timestamp_us=None if ttl is None else now_us + ttl * 1_000_000,
                backup_dest=",".join(sorted(sources)),
            )
        )

    def _end(self, run: _Run, laid_out: LaidOut, plan: RestorePlan, sources: tuple[Source, ...], comment: str) -> None:
        tenant_id, target = run.tenant.tenant_id, plan.target
        now_us = self._clock.now_ns() // 1000
        archive = _archive_of(sources)
        if archive is not None:
            source = LogRestoreSource(tenant_id=tenant_id, value=archive.store.location, port=run.port)
            self._catalog.log_sources.put(source)
        self._catalog.tenants.update_scns(
            TenantScns(
                tenant_id=tenant_id,
                sync_scn=target,
                replayable_scn=target,
                readable_scn=target,
                recovery_until_scn=target,
            )
        )
        self._catalog.restores.finish(
            *(
                replace(
                    row,
                    status=RestoreStatus.RESTORE_SUCCESS,
                    finish_timestamp_us=now_us,
                    finish_ls_count=1,
                    recover_scn=target,
                    total_bytes=laid_out.size_bytes + laid_out.missing_bytes,
                    finish_bytes=laid_out.size_bytes,
                    comment=comment,
                )
                for row in self._rows(tenant_id)
            )
        )
        self.forget_keys(tenant_id)  # the rows have ended: nobody will need them
        self._catalog.tenants.update(tenant_id, status=TenantStatus.NORMAL, role=TenantRole.STANDBY)
        log.info("tenant %s: restored to SCN %d%s", run.tenant.name, int(target), f"; {comment}" if comment else "")


def _archive_of(sources: tuple[Source, ...]) -> Source | None:
    """Return what the restored tenant will follow, None if the restore reads no archive."""
    return next((source for source in reversed(sources) if source.is_archive), None)


def _disk_error(error: OSError, directories: ClusterDirectory) -> HoldfastError:
    """Return what a failed write below the base directory means to a person."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return EngineError(
        f"{codes.OB_SERVER_OUTOF_DISK_SPACE.text() if full else codes.OB_IO_ERROR.text()}: {error}",
        code=codes.OB_SERVER_OUTOF_DISK_SPACE if full else codes.OB_IO_ERROR,
        hint=f"make room on the file system of {directories.base} and restore again"
        if full
        else "look at the kernel's log",
    )


def asked_for(found: Facts, row: RestoreJob) -> Facts:
    """Return the facts with the sets alone that the statement chose, by BACKUP_SET_LIST: by its rules, which may have left others aside."""
    listed = set(row.backup_set_list.split(","))
    if listed == {""}:
        return found  # of an older build
    sets = (fact for fact in found.sets if f"{found.sources[fact.source].store.location}/{fact.root}" in listed)
    return replace(found, sets=tuple(sets))
