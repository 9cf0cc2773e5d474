"""One backup job from its row to its end: what the catalog says becomes a plan, what the plan meets becomes rows.

A job is taken up by the server of a newer generation when its own died: the set keeps its id and its folder, and what
was sealed is used again. Rows tell the truth at every moment: DOING only while a worker of a living server has the job or
the next server will take it up; SUCCESS only after the manifest is durable.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.backup.claim import finished_manifest
from holdfast.backup.image import EngineImage
from holdfast.backup.journal import Figures
from holdfast.backup.plan import DEFAULT_THREADS
from holdfast.backup.required_log import LogLack, lack_of_log
from holdfast.backup.run import ArchiveRef, BackupPlan, BackupResult, BaseSet, complete, run_backup
from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import Index, decode_index
from holdfast.backup_format.manifest import (
    Encryption,
    EncryptionMode,
    Manifest,
    ObjectDigest,
    ObjectKind,
    check_authentic,
    check_object,
)
from holdfast.backup_format.owner_record import SetClaim
from holdfast.backup_format.piece_record import FormatFile
from holdfast.catalog.backups import ENCRYPTION_KEY, ENCRYPTION_NONE, BackupJob, BackupSet, BackupTask
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.validation import ValidateType, damage_words
from holdfast.clock import Clock
from holdfast.destination.documents import read_manifest, read_piece_record
from holdfast.engine import control, facts
from holdfast.engine.account import SET_USER, set_account
from holdfast.engine.session import SqlError
from holdfast.engine_format.layout import shown
from holdfast.errors import (
    CanceledError,
    ConflictError,
    CorruptionError,
    EngineError,
    HoldfastError,
    NotFoundError,
    RefusedError,
    StoreUnavailableError,
    UnknownVersionError,
    refuse,
)
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.destinations import OpenStore, check_destination, format_file_of
from holdfast.jobs.endings import tell_end
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.pace import Paces, TenantPace
from holdfast.jobs.stops import ServerStoppingError, Stops
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenure import Tenures
from holdfast.keys.keyring import Keyring
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.keys.password import SetKey
from holdfast.store.store import ObjectReader, Store
from holdfast.values.archive import FileStatus, Round, RoundStatus
from holdfast.values.backup_set import BackupType, JobStatus, SetStatus, TaskStatus
from holdfast.values.destination import Destination
from holdfast.values.owner import JobKind, Owner
from holdfast.values.scn import Scn
from holdfast.values.tenant import Tenant, TenantStatus

log = logging.getLogger("holdfast.backups")

_ARCHIVE_BEGINS_SECONDS_MAX = 30.0
"""A follower verifies the tail of its last object first: a second or two on a slow destination."""
_ARCHIVE_POLL_SECONDS = 0.05

ATTEMPTS_MAX = 3
"""Attempts at one job, over servers' lives and failures that may pass. What was sealed is not read again."""

_RETRY_SECONDS = 2.0
_FINISH_WAITS_SECONDS = (0.1, 0.5, 2.0, 5.0)
"""A catalog whose engine died is back in some 2 s."""
_ASK_SECONDS = 1.0
_COMMENT_CHARACTERS_MAX = 4000
_INDEX_SLICE_BYTES = 1 << 20
_BLOCKS_IN_USE = "select distinct macro_block_idx from oceanbase.__all_virtual_tablet_sstable_macro_info"
_TABLET_COUNT = "select count(*) from oceanbase.__all_virtual_tablet_pointer_status"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every job needs."""

    catalog: Catalog
    archiving: Archiving
    supervisor: Supervisor
    clock: Clock
    identity: ClusterIdentity
    open_store: OpenStore
    keyring: Callable[[int], Keyring]
    paces: Paces
    tenures: Tenures
    keys: BackupKeys | None = None

    def masters(self, tenant_id: int) -> Masters:
        """Return what opens the tenant's archive."""
        return NO_MASTERS if self.keys is None else self.keys.masters(tenant_id)

    def owner(self, job: BackupJob) -> Owner:
        """Return the record for what this attempt at the job makes."""
        return self.identity.server.owner(self.clock.now_ns() // 1000, JobKind.BACKUP, job.job_id)

    def made(self, owner: Owner | None, job: BackupJob) -> bool:
        """Return whether an attempt at this job, or at another tenant's of its number, made it."""
        return self.identity.server.lineage.made_for(owner, JobKind.BACKUP, job.job_id)


class JobJournal:
    """The journal of one running job, kept in its task's row."""

    def __init__(
        self,
        around: Surroundings,
        job: BackupJob,
        task: BackupTask,
        archive_round: Round,
        stops: Stops,
        pace: TenantPace,
        keep: Callable[[], None],
    ) -> None:
        """`keep` raises when this server is not the one that writes the destination any more."""
        self.task = task
        self._keep = keep
        self._around = around
        self._job = job
        self._round = archive_round
        self._stops = stops
        self._pace = pace
        self._asked = around.clock.monotonic()

    def check(self) -> None:
        self._stops.check()
        require_same_round(self._around, self._job.tenant_id, self._round)
        self._pace.refresh()
        now = self._around.clock.monotonic()
        if now - self._asked >= _ASK_SECONDS:
            self._asked = now
            if self._around.catalog.backups.cancel_requested(self._job.tenant_id, self._job.job_id):
                self._stops.cancel()
                raise CanceledError

    def begin_commit(self) -> None:
        self._keep()
        self._stops.close_gate()

    def begin_phase(self, phase: TaskStatus) -> None:
        self._save(replace(self.task, status=phase))

    def know_scns(self, *, start_scn: Scn, end_scn: Scn | None) -> None:
        end = self.task.end_scn if end_scn is None else end_scn
        self._save(replace(self.task, start_scn=start_scn, user_ls_start_scn=start_scn, end_scn=end))

    def note(self, figures: Figures) -> None:
        self._save(with_figures(self.task, figures))

    def _save(self, task: BackupTask) -> None:
        stored = self._around.catalog.backups.update_task(task)
        if stored.status is TaskStatus.CANCELING:
            self._stops.cancel()
        self.task = task


def with_figures(task: BackupTask, figures: Figures) -> BackupTask:
    """Return the task with these figures. Tablets count as done with the last block: their blocks lie anywhere."""
    is_done = 0 < figures.block_count <= figures.block_done_count
    return replace(
        task,
        input_bytes=figures.input_bytes,
        output_bytes=figures.output_bytes,
        extra_meta_bytes=figures.meta_bytes,
        macro_block_count=figures.block_count,
        finish_macro_block_count=figures.block_done_count,
        finish_tablet_count=task.tablet_count if is_done else 0,
        file_count=figures.object_count,
        log_file_count=figures.log_object_count,
        finish_log_file_count=figures.log_object_done_count,
    )


def require_same_round(around: Surroundings, tenant_id: int, archive_round: Round) -> None:
    """Raise -9027 when the round was interrupted or replaced, -9029 when it is in any other state but DOING."""
    follower = around.archiving.follower(tenant_id)
    if follower is None:
        raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING)
    status = follower.status()
    if status.round_id != archive_round.round_id or status.status is RoundStatus.INTERRUPTED:
        raise refuse(codes.OB_LOG_ARCHIVE_INTERRUPTED, hint=status.comment)
    if status.status is not RoundStatus.DOING:
        raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint=f"archive round {status.round_id} is {status.status}")


class JobRun:
    """One job in the hands of a worker of this server."""

    def __init__(
        self, around: Surroundings, job: BackupJob, stops: Stops, *, predecessors: tuple[Stops, ...] = ()
    ) -> None:
        """`predecessors`: the tenant's abandoned workers that may still be in its files; they leave first."""
        self._around = around
        self._job = job
        self._stops = stops
        self._predecessors = predecessors
        self._rows = threading.Lock()
        self._task: BackupTask | None = None
        self._set: BackupSet | None = None
        self._phase = TaskStatus.INIT

    def run(self) -> None:
        """Carry the job to its end, or leave it to the next server. Raises nothing but defects."""
        trouble: HoldfastError | None = None
        while True:
            try:
                if trouble is not None:
                    self._rest_after(trouble)
                self._attempt()
                return
            except ServerStoppingError:
                return
            except ConflictError as error:
                log.warning("tenant %d: backup job %d: %s", self._job.tenant_id, self._job.job_id, error)
                return
            except HoldfastError as error:
                if not self._is_worth_another(error):
                    self._end_badly(error)
                    return
                log.warning(
                    "tenant %d: backup job %d, attempt %d: %s",
                    self._job.tenant_id,
                    self._job.job_id,
                    self._job.attempt,
                    error,
                )
                trouble = error

    def fail(self, error: HoldfastError) -> None:
        """End the job as FAILED for a reason from outside."""
        self._end_badly(error)

    def end_abandoned(self) -> None:
        """End the rows as CANCELED while the worker is still somewhere: it finds them ended (see `stops`)."""
        with self._rows:
            self._adopt_rows()  # what the catalog holds, not what a thread is about to write
        self._end_badly(CanceledError())

    def _rest_after(self, trouble: HoldfastError) -> None:
        self._stops.rest(_RETRY_SECONDS * self._job.attempt)
        self._job = self._around.catalog.backups.update_job(
            replace(self._job, attempt=self._job.attempt + 1, comment=comment_of(self._phase, trouble))
        )

    def _attempt(self) -> None:
        around, job = self._around, self._job
        self._adopt_rows()
        if self._set is None:
            self._check(job)
        while not all(stops.is_over for stops in self._predecessors):
            self._stops.rest(_ARCHIVE_POLL_SECONDS)
        destination = around.catalog.destinations.by_id(job.tenant_id, job.dest_id)
        store = around.open_store(destination.uri)
        if self._set is not None:
            # An earlier attempt may have put the manifest and died before its rows: then the set is complete, also when
            # the user has cancelled since. Looked for outside the gate: a destination that hangs must not hold up a cancel.
            finished = self._finished(self._set, store)
            if finished is not None:
                with self._stops.gate_closed():
                    self._end_well(finished)
                return
            self._check(job)
        tenant = around.catalog.tenants.by_id(job.tenant_id)
        if tenant.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, "tenant status is not normal.")
        # One whose engine is not known is refused in those words, before its destination is touched.
        around.supervisor.directory(tenant.tenant_id)
        check = check_destination(store, owner_of(around, tenant, destination), around.clock)
        around.catalog.destinations.record_check(destination, check)
        archive_round = around.catalog.rounds.current(job.tenant_id)
        if archive_round is None:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING)
        self._let_archiving_begin()
        require_same_round(around, job.tenant_id, archive_round)
        around.tenures.await_archive(job.tenant_id, around.open_store, self._stops.rest)
        around.tenures.of(destination).take(store)
        if job.encryption_mode == ENCRYPTION_KEY and around.keys is not None:
            around.keys.require(job.tenant_id)
            around.keys.secure(job.tenant_id, store)
        plan = self._plan(tenant, destination, archive_round, store)
        self._begin(plan)
        self._end_well(self._copy(plan, archive_round, store))

    def _let_archiving_begin(self) -> None:
        """Wait while the archive only begins: a job that a new server takes up is often quicker than its follower."""
        end = self._around.clock.monotonic() + _ARCHIVE_BEGINS_SECONDS_MAX
        while self._around.clock.monotonic() < end:
            follower = self._around.archiving.follower(self._job.tenant_id)
            if follower is not None and not follower.status().is_beginning:
                return
            self._stops.rest(_ARCHIVE_POLL_SECONDS)

    def _check(self, job: BackupJob) -> None:
        """Raise when the job is not to be begun (again)."""
        if job.status is JobStatus.CANCELING:
            raise CanceledError
        if job.attempt > ATTEMPTS_MAX:
            raise EngineError(f"gave up after {ATTEMPTS_MAX} attempts, the last one ended with its server")
        self._stops.check()

    def _finished(self, backup_set: BackupSet, store: Store) -> BackupResult | None:
        """Return the result when an earlier attempt died between its manifest and its rows: the set is complete,
        whatever became of the archive since."""
        around, job = self._around, self._job
        claim = SetClaim(
            cluster_id=around.identity.cluster_id,
            tenant_id=backup_set.tenant_id,
            dest_id=backup_set.dest_id,
            backup_set_id=backup_set.backup_set_id,
            type=backup_set.backup_type,
            owner=around.owner(job),
        )
        manifest = finished_manifest(store, claim, lambda owner: around.made(owner, job))
        return None if manifest is None else complete(manifest, store, claim.owner)

    def _adopt_rows(self) -> None:
        """Find the rows an earlier attempt made."""
        backups, job = self._around.catalog.backups, self._job
        tasks = backups.tasks(job.tenant_id, job.job_id)
        self._task = tasks[-1] if tasks else None
        try:
            self._set = backups.backup_set(job.tenant_id, job.backup_set_id)
        except NotFoundError:
            self._set = None

    def _plan(self, tenant: Tenant, destination: Destination, archive_round: Round, store: Store) -> BackupPlan:
        around, job = self._around, self._job
        follower = around.archiving.follower(tenant.tenant_id)
        assert follower is not None, "checked a moment ago"
        wants_base = (self._set.backup_type if self._set else job.backup_type) is BackupType.INC
        keyring = around.keyring(tenant.tenant_id)
        base: BaseSet | None = None
        note = self._task.comment if self._task else ""
        if wants_base:
            found = find_base(
                around.catalog,
                store,
                destination,
                tenant,
                cluster_id=around.identity.cluster_id,
                below=job.backup_set_id,
                keyring=keyring,
                encryption_mode=job.encryption_mode,
                masters=around.masters(tenant.tenant_id),
                check=self._stops.check,
            )
            if isinstance(found, BaseSet):
                base = found
            elif self._set is not None:
                raise CorruptionError(
                    f"the base of backup set {job.backup_set_id} can not be used any more: {found}",
                    hint="take a full backup",
                )
            else:
                note = f"full instead of incremental: {found}"
                log.warning("tenant %d: backup set %d is %s", tenant.tenant_id, job.backup_set_id, note)
        if self._set is not None and base is not None and base.backup_set_id != self._set.prev_inc_backup_set_id:
            raise CorruptionError(f"the base of backup set {job.backup_set_id} changed while it was made")
        key = self._key(keyring)
        login = set_account(around.supervisor.account_file(tenant.tenant_id))
        return BackupPlan(
            encryption=key.encryption if key else Encryption(),
            key=DataKey(key.secret) if key else None,
            cluster_name=around.identity.name,
            cluster_id=around.identity.cluster_id,
            tenant_id=tenant.tenant_id,
            tenant_name=tenant.name,
            compatibility_mode=tenant.mode,
            dest_id=destination.dest_id,
            backup_set_id=job.backup_set_id,
            archive=archive_ref(around, archive_round),
            engine_data_version=tenant.data_version,
            engine_binary_version=around.supervisor.directory(tenant.tenant_id).version.data_version,
            unit=tenant.unit,
            account=login.encode(),
            needs_certificate=login.user == SET_USER,
            started_us=self._set.start_timestamp_us if self._set else around.clock.now_ns() // 1000,
            owner=around.owner(job),
            lineage=around.identity.server.lineage,
            description=job.description,
            base=base,
            note=note,
            masters=around.masters(tenant.tenant_id),
        )

    def _key(self, keyring: Keyring) -> SetKey | None:
        """Return the key this set is sealed with, None for one without a password."""
        if self._job.encryption_mode == ENCRYPTION_NONE:
            return None
        key = keyring.get(self._job.backup_set_id)
        if key is None:
            raise CorruptionError(
                f"the key of backup set {self._job.backup_set_id} is gone from the server's base directory",
                hint="take the backup again, after SET ENCRYPTION if it was one of a password",
            )
        return key

    def _begin(self, plan: BackupPlan) -> None:
        """INIT is over: the job is DOING, its task and set have rows."""
        backups, job = self._around.catalog.backups, self._job
        task, backup_set = self._task, self._set
        if task is None:
            task = BackupTask(
                tenant_id=job.tenant_id,
                task_id=backups.next_task_id(job.tenant_id),
                job_id=job.job_id,
                backup_set_id=job.backup_set_id,
                start_timestamp_us=plan.started_us,
                path=job.path,
                comment=plan.note,
                tablet_count=self._tablet_count(),
                encryption_mode=job.encryption_mode,
                passwd=job.passwd,
            )
        if backup_set is None:
            backup_set = BackupSet(
                tenant_id=job.tenant_id,
                backup_set_id=job.backup_set_id,
                dest_id=job.dest_id,
                backup_type=plan.type,
                prev_full_backup_set_id=plan.base.full_backup_set_id if plan.base else 0,
                prev_inc_backup_set_id=plan.base.backup_set_id if plan.base else 0,
                start_timestamp_us=plan.started_us,
                plus_archivelog=job.plus_archivelog,
                tablet_count=task.tablet_count,
                tenant_compatible=plan.engine_data_version,
                cluster_version=plan.engine_binary_version,
                path=job.path,
                encryption_mode=job.encryption_mode,
                passwd=job.passwd,
            )
        with self._rows:
            self._stops.check()  # an abandoned job's rows have ended: none is added
            doing = replace(job, status=JobStatus.DOING, backup_type=plan.type)
            self._job = backups.begin(doing, task, backup_set)
            # Known only now: rows that are not there can not be ended.
            self._task, self._set = task, backup_set
        if self._job.status is JobStatus.CANCELING:
            raise CanceledError

    def _wait_for_checkpoint(self) -> None:
        """Let a tenant made seconds ago have its first checkpoint.

        Without one in the image the restored engine starts as a standby by luck only (measured: 5 of 9). An engine that can
        not be asked is backed up all the same: a backup needs its files, not its SQL.
        """
        try:
            with self._around.supervisor.session(self._job.tenant_id) as session:
                control.take_first_checkpoint(session, check=self._stops.check)
        except SqlError as error:
            if error.errno == codes.OB_PASSWORD_WRONG.client:
                # What is backed up now could be restored and never be used: this login travels with the set.
                raise refuse(
                    codes.OB_BACKUP_CAN_NOT_START,
                    "the engine refuses Holdfast's own login.",
                    hint="somebody in the tenant changed user __holdfast: take its password back, or restore the tenant",
                ) from error
            log.warning("tenant %d: its first checkpoint could not be waited for: %s", self._job.tenant_id, error)
        except EngineError as error:
            log.warning("tenant %d: its first checkpoint could not be waited for: %s", self._job.tenant_id, error)

    def _copy(self, plan: BackupPlan, archive_round: Round, store: Store) -> BackupResult:
        around, tenant_id = self._around, self._job.tenant_id
        follower = around.archiving.follower(tenant_id)
        if follower is None or self._task is None:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING)
        self._wait_for_checkpoint()
        pace = around.paces.backup(tenant_id, DEFAULT_THREADS)
        tenure = around.tenures.of(around.catalog.destinations.by_id(tenant_id, self._job.dest_id))
        journal = JobJournal(
            around, self._job, self._task, archive_round, self._stops, pace, keep=lambda: tenure.keep(store)
        )
        try:
            with EngineImage(
                around.supervisor.directory(tenant_id),
                clock=around.clock,
                pause=lambda: around.supervisor.process(tenant_id).pause(),
                blocks_in_use=self._blocks_in_use,
            ) as image:
                archive = self._archive_store(archive_round) if self._job.plus_archivelog else None
                return run_backup(
                    plan,
                    image,
                    store,
                    follower,
                    journal,
                    around.clock,
                    archive=archive,
                    pace=pace,
                    is_quiet=self._is_quiet,
                    lack=lambda manifest: self._lack(plan, archive_round, manifest),
                )
        finally:
            self._task, self._phase = journal.task, journal.task.status

    def _is_quiet(self) -> bool:
        """Return whether no transaction is under way that the log knows of; True when the engine can not be asked."""
        try:
            with self._around.supervisor.session(self._job.tenant_id) as session:
                return facts.unfinished_transactions(session) == 0
        except EngineError as error:
            log.warning("tenant %d: its open transactions can not be asked for: %s", self._job.tenant_id, error)
            return True

    def _lack(self, plan: BackupPlan, archive_round: Round, manifest: Manifest) -> LogLack | None:
        """Return what of the set's log is not in the archive."""
        pieces = self._around.catalog.rounds.pieces(archive_round.tenant_id, archive_round.round_id)
        roots = [names.piece_root(one.dest_id, one.round_id, one.piece_id) for one in reversed(pieces)]
        return lack_of_log(self._archive_store(archive_round), roots, plan.root, manifest, plan.masters)

    def _archive_store(self, archive_round: Round) -> Store:
        destinations = self._around.catalog.destinations
        return self._around.open_store(destinations.by_id(archive_round.tenant_id, archive_round.dest_id).uri)

    def _blocks_in_use(self) -> frozenset[int] | None:
        try:
            with self._around.supervisor.session(self._job.tenant_id) as session:
                return frozenset(int(row[0]) for row in session.query(_BLOCKS_IN_USE))
        except SqlError as error:
            log.warning("tenant %d: its blocks in use can not be asked for: %s", self._job.tenant_id, error)
            return None

    def _tablet_count(self) -> int:
        try:
            with self._around.supervisor.session(self._job.tenant_id) as session:
                return int(session.query(_TABLET_COUNT)[0][0])
        except SqlError:
            return 0  # a figure for people only: no reason to fail a backup

    def _end_well(self, result: BackupResult) -> None:
        assert self._task is not None
        assert self._set is not None
        now_us = self._around.clock.now_ns() // 1000
        manifest = result.manifest
        task = replace(
            with_figures(self._task, result.figures),
            status=TaskStatus.COMPLETED,
            start_scn=manifest.start_scn,
            user_ls_start_scn=manifest.start_scn,
            end_scn=manifest.min_restore_scn,
            end_timestamp_us=now_us,
            comment=result.comment,
        )
        backup_set = replace(
            _set_with_figures(self._set, task),
            status=SetStatus.SUCCESS,
            file_status=FileStatus.AVAILABLE,
            end_timestamp_us=now_us,
            start_replay_scn=manifest.start_replay_scn,
            min_restore_scn=manifest.min_restore_scn,
            consistent_scn=manifest.min_restore_scn,
            comment=result.comment,
        )
        job = replace(self._job, status=JobStatus.COMPLETED, end_timestamp_us=now_us, result=0, comment="")
        self._finish(job, task, backup_set)
        tell_end(log, f"tenant {job.tenant_id}: backup job {job.job_id}, set {job.backup_set_id}", job.status)

    def _finish(self, job: BackupJob, task: BackupTask | None, backup_set: BackupSet | None) -> None:
        """End the rows, also when the catalog stumbles: a job that nobody works on any more must not stay active.

        Harmless to repeat: a second end is a ConflictError. One that can not be recorded is taken up by the next server.
        """
        for seconds in _FINISH_WAITS_SECONDS:
            try:
                self._around.catalog.backups.finish(job, task=task, backup_set=backup_set)
                return
            except EngineError as error:
                log.warning(
                    "tenant %d: the end of backup job %d is not recorded yet: %s", job.tenant_id, job.job_id, error
                )
                self._around.clock.sleep(seconds)
        self._around.catalog.backups.finish(job, task=task, backup_set=backup_set)

    def _end_badly(self, error: HoldfastError) -> None:
        now_us = self._around.clock.now_ns() // 1000
        is_cancelled = isinstance(error, CanceledError)
        comment = "" if is_cancelled else comment_of(self._phase, error)
        number = error.code.number
        task, backup_set = self._task, self._set
        if task is not None and task.is_active:
            status = TaskStatus.CANCELED if is_cancelled else TaskStatus.FAILED
            task = replace(task, status=status, end_timestamp_us=now_us, result=number, comment=comment)
        if backup_set is not None:
            base = _set_with_figures(backup_set, task) if task is not None else backup_set
            backup_set = replace(
                base,
                status=SetStatus.FAILED,
                file_status=FileStatus.INCOMPLETE,
                end_timestamp_us=now_us,
                result=number,
                comment=comment,
            )
        job = replace(
            self._job,
            status=JobStatus.CANCELED if is_cancelled else JobStatus.FAILED,
            end_timestamp_us=now_us,
            result=number,
            comment=comment,
        )
        try:
            self._finish(job, task, backup_set)
        except ConflictError as ended:
            log.info("tenant %d: backup job %d: %s", job.tenant_id, job.job_id, ended)
            return
        tell_end(log, f"tenant {job.tenant_id}: backup job {job.job_id}", job.status, str(error))

    def _is_worth_another(self, error: HoldfastError) -> bool:
        """Return whether the same may succeed a moment later: the destination stumbled, or the engine is being restarted."""
        is_passing = isinstance(error, SqlError | EngineError) or (
            isinstance(error, StoreUnavailableError) and error.code is codes.OB_OBJECT_STORAGE_IO_ERROR
        )
        return is_passing and self._job.attempt < ATTEMPTS_MAX


def comment_of(phase: TaskStatus, error: HoldfastError) -> str:
    """Return what COMMENT says of a failure, in OceanBase's form, with what happened behind it."""
    head = f"(server)ls_id: 1,module:{phase},result: {error.code.number}({error.code.default})"
    return f"{head}: {error}"[:_COMMENT_CHARACTERS_MAX]


def _set_with_figures(backup_set: BackupSet, task: BackupTask) -> BackupSet:
    return replace(
        backup_set,
        input_bytes=task.input_bytes,
        output_bytes=task.output_bytes,
        extra_meta_bytes=task.extra_meta_bytes,
        tablet_count=task.tablet_count,
        finish_tablet_count=task.finish_tablet_count,
        macro_block_count=task.macro_block_count,
        finish_macro_block_count=task.finish_macro_block_count,
        file_count=task.file_count,
    )


def owner_of(around: Surroundings, tenant: Tenant, destination: Destination) -> FormatFile:
    """Return what the format file of the tenant's destination says."""
    return format_file_of(around.identity, tenant, destination, around.clock.now_ns() // 1000)


def archive_ref(around: Surroundings, archive_round: Round) -> ArchiveRef:
    """Return the round as a manifest names it; its timeline is what the pieces in the destination say."""
    destination = around.catalog.destinations.by_id(archive_round.tenant_id, archive_round.dest_id)
    store = around.open_store(destination.uri)
    pieces = around.catalog.rounds.pieces(archive_round.tenant_id, archive_round.round_id)
    for piece in reversed(pieces):
        root = names.piece_root(piece.dest_id, piece.round_id, piece.piece_id)
        try:
            record, _, _ = read_piece_record(store, root)
        except NotFoundError:
            continue
        return ArchiveRef(dest_id=piece.dest_id, round_id=piece.round_id, timeline=record.timeline)
    raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint="the archive has no piece yet; repeat in a few seconds")


def find_base(
    catalog: Catalog,
    store: Store,
    destination: Destination,
    tenant: Tenant,
    *,
    cluster_id: int,
    below: int,
    keyring: Keyring,
    encryption_mode: str,
    masters: Masters = NO_MASTERS,
    check: Callable[[], None] = lambda: None,
) -> BaseSet | str:
    """Return the newest usable set on this destination, or why an increment has nothing to rest on: a lower-case fact.

    Usable: SUCCESS and AVAILABLE (no validation found it BROKEN), of the tenant by its manifest, of the tenant's engine data version
    by its row and by its manifest, its whole chain there, every object with its size, and the keys of its encrypted sets in our
    keyring, or wrapped by one of `masters`. An older one is not taken instead of a damaged one: its log may be gone. `check` is called
    between reads and may raise.
    `encryption_mode`: of the increment. Raises RefusedError for one in the clear where the newest set is sealed, usable or not: a full
    set in its place would be in the clear as well. One that is sealed because `backup_encryption` says so rests on no set in the clear, and
    on none of a session's password: the tenant's key alone is to open it.
    """
    candidates = _candidates(catalog, tenant.tenant_id, destination.dest_id, below)
    if not candidates:
        return f"no complete backup set on {destination.uri.identity}"
    newest = candidates[-1]
    is_sealed = encryption_mode != ENCRYPTION_NONE
    if not is_sealed and newest.encryption_mode != ENCRYPTION_NONE:
        raise plain_on_sealed(tenant.name, newest.backup_set_id)
    broken = {one.backup_set_id for one in candidates if one.file_status is FileStatus.BROKEN}
    if newest.tenant_compatible != tenant.data_version:
        return _other_version(newest, newest.tenant_compatible, tenant)
    if newest.backup_set_id in broken:
        return _damage_of(catalog, tenant, newest.backup_set_id)
    roots = {one.backup_set_id: names.set_root(one.backup_set_id, one.backup_type) for one in candidates}
    keys: dict[int, DataKey] = {}
    try:
        manifest = read_manifest(store, roots[newest.backup_set_id])[0]
        if not is_sealed and manifest.encryption.mode is not EncryptionMode.NONE:
            raise plain_on_sealed(tenant.name, newest.backup_set_id)
        if manifest.engine_data_version != tenant.data_version:
            return _other_version(newest, manifest.engine_data_version, tenant)
        damaged = broken & set(manifest.chain)
        if damaged:
            return _damage_of(catalog, tenant, min(damaged))
        for set_id in manifest.chain:
            check()
            member = _require_objects(store, roots[set_id])
            if (member.cluster_id, member.tenant_id) != (cluster_id, tenant.tenant_id):
                return f"{roots[set_id]} is of tenant {member.tenant_id} of cluster {member.cluster_id}"
            if member.engine_data_version != tenant.data_version:
                return f"backup set {set_id} of its chain is of engine data version {shown(member.engine_data_version)}"
            if member.encryption.mode is EncryptionMode.NONE and encryption_mode == ENCRYPTION_KEY:
                return f"backup set {set_id} of its chain is not encrypted"
            if member.encryption.mode is EncryptionMode.PASSWORD and encryption_mode == ENCRYPTION_KEY:
                return f"backup set {set_id} of its chain is sealed with a session's password, which the tenant's key does not open"
            if member.encryption.mode is not EncryptionMode.NONE:
                keys[set_id] = _kept_key(keyring, masters, member, roots[set_id])
        index = _index(store, roots[newest.backup_set_id], manifest, check)
    except KeyError as error:
        return f"backup set {error} of the chain of set {newest.backup_set_id} is not complete or was removed"
    except (NotFoundError, CorruptionError, UnknownVersionError) as error:
        return f"backup set {newest.backup_set_id} can not be its base: {error.message}"
    full_id = newest.prev_full_backup_set_id or newest.backup_set_id
    return BaseSet(backup_set_id=newest.backup_set_id, full_backup_set_id=full_id, table=index.table, keys=keys)


def _candidates(catalog: Catalog, tenant_id: int, dest_id: int, below: int | None = None) -> list[BackupSet]:
    """Return the complete sets of a destination that are there, oldest first."""
    return [
        candidate
        for candidate in catalog.backups.sets(tenant_id, dest_id)
        if (below is None or candidate.backup_set_id < below)
        and candidate.status is SetStatus.SUCCESS
        and candidate.file_status in (FileStatus.AVAILABLE, FileStatus.BROKEN)
    ]


def newest_set(catalog: Catalog, tenant_id: int, dest_id: int) -> BackupSet | None:
    """Return the set an increment on this destination would rest on, None without one."""
    return next(reversed(_candidates(catalog, tenant_id, dest_id)), None)


def plain_on_sealed(tenant_name: str, set_id: int) -> RefusedError:
    """Return the refusal of an increment in the clear on a sealed base: what was sealed once would lie open from then on."""
    return refuse(
        codes.OB_BACKUP_CAN_NOT_START,
        f"backup set {set_id} is encrypted, and this increment would not be.",
        hint=f"tenant {tenant_name}: SET ENCRYPTION ON IDENTIFIED BY '...' ONLY in the same session, ALTER SYSTEM SET backup_encryption for"
        " all its backups, or take a full backup",
    )


def _damage_of(catalog: Catalog, tenant: Tenant, set_id: int) -> str:
    """Return which damage of a set is known, and since when."""
    damages = catalog.validation.open_damages(tenant.tenant_id)
    known = next(
        (one for one in damages if one.object_id == set_id and one.object_type is ValidateType.BACKUPSET), None
    )
    return f"backup set {set_id} is damaged{f': {damage_words(known)}' if known else ''}"


def _other_version(base: BackupSet, version: str, tenant: Tenant) -> str:
    return f"backup set {base.backup_set_id} is of engine data version {shown(version)}, the engine is of {tenant.data_version} now"


def _index(store: Store, root: str, manifest: Manifest, check: Callable[[], None]) -> Index:
    """Return the index of a set. Raises CorruptionError unless it is the one its manifest names."""
    record = next(item for item in manifest.objects if item.kind is ObjectKind.INDEX)
    digest = ObjectDigest()
    with store.reader(f"{root}/{record.name}") as reader:
        index = decode_index(_slices(reader, digest, check))
        check_object(record, size_bytes=reader.size_bytes, digest=digest.text())
    if index.set_id != manifest.backup_set_id:
        raise CorruptionError(f"{root}/{record.name} is the index of set {index.set_id}")
    return index


def _slices(reader: ObjectReader, digest: ObjectDigest, check: Callable[[], None]) -> Iterator[bytes]:
    for offset in range(0, reader.size_bytes, _INDEX_SLICE_BYTES):
        check()
        part = reader.read(offset, _INDEX_SLICE_BYTES)
        digest.update(part)
        yield part


def _kept_key(keyring: Keyring, masters: Masters, manifest: Manifest, root: str) -> DataKey:
    """Return the key of an encrypted set. Raises NotFoundError when this server has none, CorruptionError for a forged set."""
    kept = keyring.get(manifest.backup_set_id)
    secret = None if kept is None else kept.secret
    if secret is None and manifest.encryption.mode is EncryptionMode.KEY:
        secret = masters.secret_of(manifest, name=root)
    if secret is None:
        raise NotFoundError(f"the key of {root} is not kept by this server")
    key = DataKey(secret)
    check_authentic(manifest, key, name=names.manifest_name(root))
    return key


def _require_objects(store: Store, root: str) -> Manifest:
    """Return the manifest of a set. Raises CorruptionError unless every data object is there with its size."""
    sizes = {item.name: item.size_bytes for item in store.list(root + "/")}
    manifest = read_manifest(store, root)[0]
    for item in manifest.objects:
        found = sizes.get(f"{root}/{item.name}")
        if item.kind is ObjectKind.DATA and found != item.size_bytes:
            raise CorruptionError(f"{root}/{item.name} has {found} bytes, expected {item.size_bytes}")
    return manifest
