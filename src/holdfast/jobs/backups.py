"""The statements of data backup, and the two workers that carry them out."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from holdfast import codes
from holdfast.catalog.backups import ENCRYPTION_KEY, ENCRYPTION_NONE, ENCRYPTION_PASSWORD, PASSWD_SHOWN, BackupJob
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parents import outcome_of
from holdfast.clock import Clock
from holdfast.defects import DefectError, guarded
from holdfast.errors import ConflictError, HoldfastError, RefusedError, refuse
from holdfast.jobs.archiving import Archiving, not_archiving
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.backup_worker import JobRun, Surroundings, newest_set, owner_of, plain_on_sealed
from holdfast.jobs.destinations import OpenStore, claim_destination, open_to_claim
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.ground import Ground, named_uri, owned_by
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.left_out import LeftOut, warnings_of
from holdfast.jobs.left_out import comment_of as left_out_comment
from holdfast.jobs.leftovers import Leftovers
from holdfast.jobs.pace import Paces
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.rights import not_supported, unknown_tenant
from holdfast.jobs.session import Session
from holdfast.jobs.stops import Stops
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenure import Tenures
from holdfast.keys.password import BackupPassword, SetPlace
from holdfast.retention.verdict import PolicyName
from holdfast.statement.commands import Backup, CancelBackup, names_everyone
from holdfast.values.archive import RoundStatus
from holdfast.values.backup_set import BackupType, JobLevel, JobStatus
from holdfast.values.destination import Destination, DestinationKind, parse_uri
from holdfast.values.quick import QuickStatus
from holdfast.values.tenant import SYS_TENANT_ID, Tenant, TenantStatus

log = logging.getLogger("holdfast.backups")

WORKERS = 2
"""Tenants backed up at once; each uses threads of its own (ha_low_thread_score). More would only share one disk."""

_STOP_WAIT_SECONDS = 60.0
_CANCEL_PATIENCE_SECONDS = 0.75
"""How long a cancelled worker may take to leave by itself, mostly a few milliseconds. A CANCEL ends its job within two
seconds, so after this the job's rows end without it (see `stops`)."""

_SERVER_STOP_SECONDS = 15.0
"""How long a worker may take to leave when the server ends; between two blocks it takes milliseconds."""

_HYDRATING = "its blocks have not all arrived."
_NOT_NORMAL = "tenant status is not normal."
_NOT_ARCHIVING = "log archive status is not doing."
_NO_DESTINATION = "backup dest is not set."
_NOBODY = (
    "no tenant meets the backup condition, please check the tenant status, log archive status, backup data dest, and"
    " backup status for each tenant"
)


@dataclass(slots=True)
class _Running:
    job: BackupJob
    stops: Stops
    future: "Future[None] | None" = None
    is_again: bool = False
    """It was in the hands of a worker of this server before, which left it."""


class Backups:
    """Backups of all tenants: two at once, one per tenant. Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        archiving: Archiving,
        directories: ClusterDirectory,
        clock: Clock,
        *,
        identity: ClusterIdentity,
        open_store: OpenStore,
        supervisor: Supervisor,
        generation: int,
        tenures: Tenures,
        ground: Ground,
        paces: Paces | None = None,
        keys: BackupKeys | None = None,
    ) -> None:
        """`paces`: shared with the restores, whose bytes count for the same limit. `keys`: seal what `backup_encryption` wants."""
        self._catalog = catalog
        self._ground = ground
        self._generation = generation
        self._around = Surroundings(
            catalog,
            archiving,
            supervisor,
            clock,
            identity,
            open_store,
            keyring=directories.keyring,
            paces=paces or Paces(catalog, clock),
            tenures=tenures,
            keys=keys,
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[int, _Running] = {}
        self._abandoned: dict[int, tuple[Stops, ...]] = {}
        self._is_stopping = False
        self._left = Leftovers()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="backup")

    # --- statements

    def backup(self, session: Session, command: Backup) -> Reply:
        """BACKUP DATABASE and BACKUP TENANT: check, record the jobs, wake the workers, return."""
        left_out: list[LeftOut] = []
        is_sealed = session.encryption is not None
        if not session.tenant.is_sys:
            jobs = self._own_job(session, command, is_sealed=is_sealed)
        else:
            jobs = self._sys_jobs(session, command, left_out, is_sealed=is_sealed)
        kept: list[BackupJob] = []
        try:
            for place, job in enumerate(jobs):
                jobs[place] = self._with_key(job, session.encryption)
                kept.append(job)
            self._catalog.backups.submit(jobs)
        except HoldfastError:
            self._forget_keys(kept)
            raise
        for job in jobs:
            if job.tenant_id != SYS_TENANT_ID:
                self._hand_over(job)
        told = () if command.to is None else self._ground.warnings(session, parse_uri(command.to))
        return Reply(warnings=(*warnings_of(left_out), *told))

    def cancel(self, session: Session, command: CancelBackup) -> Reply:
        """CANCEL BACKUP: of the session's tenant; from sys of those named, or of all and the sys job with them.

        Succeeds without effect when nothing runs.
        """
        if session.tenant.is_sys:
            chosen = {tenant.tenant_id for tenant in self._listed(command.tenants)} if command.tenants else None
        else:
            _refuse_names(command.tenants)
            chosen = {session.tenant.tenant_id}
        jobs = [job for job in self._catalog.backups.active_jobs() if chosen is None or job.tenant_id in chosen]
        for job in jobs:
            self._catalog.backups.request_cancel(job.tenant_id, job.job_id)
        for job in jobs:
            with self._lock:
                running = self._running.get(job.tenant_id)
            if running is not None and running.job.job_id == job.job_id:
                running.stops.cancel()
                self._end_queued(running)
            elif job.tenant_id == SYS_TENANT_ID:
                self._settle(job.job_id)
        return OK

    def set_destination(self, session: Session, tenant: Tenant, text: str) -> Reply:
        """SET DATA_BACKUP_DEST; an empty text clears it.

        Raises -9036 while a backup of the tenant runs, -9026 for a bad URI, -9080, -9081, -9071 for a directory that is not ours.
        """
        if self._catalog.backups.active_jobs(tenant_id=tenant.tenant_id):
            raise refuse(codes.OB_BACKUP_IN_PROGRESS, hint="wait for the backup to end, or cancel it")
        if not text.strip():
            self._catalog.destinations.clear_data(tenant.tenant_id)
            return OK
        policy = self._catalog.cleanup.policy(tenant.tenant_id)
        if policy is not None and policy.policy_name == PolicyName.LOG_ONLY:
            raise not_supported(
                "set data_backup_dest while a log_only delete policy exists is", hint="drop the policy first"
            )
        destination, check = self._claimed(session, tenant, text)
        self._catalog.destinations.set_data(destination)
        self._catalog.destinations.record_check(destination, check)
        return Reply(warnings=self._ground.warnings(session, destination.uri))

    def _claimed(self, session: Session, tenant: Tenant, text: str) -> tuple[Destination, str]:
        """Return the tenant's data destination at this path, its own from now on, and the name of the check file."""
        uri = self._ground.destination(
            session,
            named_uri(text),
            is_own=owned_by(self._around.identity.cluster_id, tenant.tenant_id),
            current=self._catalog.destinations.data(tenant.tenant_id),
        )
        destination = self._catalog.destinations.reserve(tenant.tenant_id, DestinationKind.BACKUP_DATA, uri)
        is_known = self._catalog.destinations.is_used(destination)
        store = open_to_claim(destination.uri, self._around.open_store, is_known=is_known)
        return destination, claim_destination(store, owner_of(self._around, tenant, destination), self._clock)

    def _named_path(self, session: Session, tenant: Tenant, to: str) -> Destination:
        """Return the destination of BACKUP ... TO, visible from now on in BACKUP_STORAGE_INFO but nobody's current one.

        The last of the start checks, because it writes: of a backup that is refused after all (two statements at once)
        a claimed, empty path is left, which the next attempt takes.
        """
        destination, check = self._claimed(session, tenant, to)
        self._catalog.destinations.use(destination)
        self._catalog.destinations.record_check(destination, check)
        return destination

    # --- the server's life

    def resume_all(self) -> None:
        """Take up the jobs a dead server left. Called once, when tenants' engines and archiving run again."""
        parents: list[BackupJob] = []
        for job in self._catalog.backups.orphans(self._generation):
            if job.tenant_id == SYS_TENANT_ID:
                self._catalog.backups.claim(job.tenant_id, job.job_id, self._generation)
                parents.append(job)
            else:
                log.info("tenant %d: taking up backup job %d", job.tenant_id, job.job_id)
                self._hand_over(job)
        for parent in parents:
            self._settle(parent.job_id)

    def stop_all(self) -> None:
        """End the workers between two blocks; their jobs stay as they are and are taken up by the next server."""
        with self._lock:
            self._is_stopping = True
            for running in self._running.values():
                running.stops.stop_server()
        self._left.end()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def drop_tenant(self, tenant_id: int) -> None:
        """End the tenant's jobs as FAILED; returns when its worker is out of its files."""
        with self._lock:
            running, abandoned = self._running.get(tenant_id), self._abandoned.get(tenant_id, ())
        if running is not None:
            running.stops.drop_tenant()
            self._end_queued(running)
        for stops in (*((running.stops,) if running else ()), *abandoned):
            if not stops.wait_over(_STOP_WAIT_SECONDS):
                raise RefusedError(
                    f"the backup of tenant {tenant_id} did not end in {_STOP_WAIT_SECONDS:.0f} s",
                    hint="drop the tenant again",
                    code=codes.OB_TIMEOUT,
                )

    # --- start checks, in OceanBase's order

    def _own_job(self, session: Session, command: Backup, *, is_sealed: bool) -> list[BackupJob]:
        tenant = session.tenant
        _refuse_names(command.tenants)
        destination = self._catalog.destinations.data(tenant.tenant_id)
        if destination is None and command.to is None:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NO_DESTINATION)
        if tenant.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NOT_NORMAL)
        self._refuse_hydrating(tenant)
        self._around.tenures.refuse_backup(tenant.tenant_id)
        if self._catalog.backups.active_jobs(tenant_id=tenant.tenant_id):
            raise refuse(codes.OB_BACKUP_IN_PROGRESS)
        if not self._is_archiving(tenant):
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NOT_ARCHIVING, hint=not_archiving(self._catalog, tenant))
        if command.to is not None:
            destination = self._named_path(session, tenant, command.to)
        assert destination is not None, "set, or named by TO"
        self._refuse_plain(tenant, destination, command, is_sealed=is_sealed)
        return [self._tenant_job(tenant, destination, command, JobLevel.USER_TENANT, tenant.tenant_id, 0)]

    def _refuse_plain(self, tenant: Tenant, destination: Destination, command: Backup, *, is_sealed: bool) -> None:
        """Raise for what would be in the clear and may not be, whoever asks: session, command line or schedule.

        That is what `backup_encryption` wants sealed while its key is not to be had, and an increment on a sealed base.
        """
        keys = self._around.keys
        if keys is not None and not is_sealed:
            keys.require(tenant.tenant_id)
        if command.incremental and not is_sealed and not (keys is not None and keys.seals(tenant.tenant_id)):
            base = newest_set(self._catalog, tenant.tenant_id, destination.dest_id)
            if base is not None and base.encryption_mode != ENCRYPTION_NONE:
                raise plain_on_sealed(tenant.name, base.backup_set_id)

    def _refuse_hydrating(self, tenant: Tenant) -> None:
        """Raise while blocks of a quick restore still come: a backup of another backup's blocks would be as slow as they are."""
        quick = self._catalog.quick.find(tenant.tenant_id)
        if quick is not None and quick.status is QuickStatus.HYDRATING:
            raise refuse(
                codes.OB_BACKUP_CAN_NOT_START,
                _HYDRATING,
                hint=f"tenant {tenant.name}: wait until oceanbase.CDB_OB_QUICK_TENANTS shows HYDRATED",
            )

    def _sys_jobs(
        self, session: Session, command: Backup, left_out: list[LeftOut], *, is_sealed: bool
    ) -> list[BackupJob]:
        """Return the job of sys and those of the tenants below it. Who is left out of everybody is added to `left_out`."""
        if not command.database and not command.tenants:
            raise not_supported("No tenant name specified")
        is_everyone = command.database or names_everyone(command.tenants)
        if is_everyone and len(command.tenants) > 1:
            raise not_supported("all/all_user/all_meta in combination with other names is")
        if is_everyone and [name.lower() for name in command.tenants] == ["all_meta"]:
            raise not_supported("No valid tenant name given")
        listed = [] if is_everyone else self._listed(command.tenants)
        if command.to is not None and len(listed) != 1:
            raise not_supported("backup to a specified path for other than exactly one tenant is")
        if is_everyone:
            chosen = self._eligible(session, command, left_out, is_sealed=is_sealed)
        else:
            chosen = [(tenant, self._checked(session, tenant, command, is_sealed=is_sealed)) for tenant in listed]
        level = JobLevel.CLUSTER if is_everyone else JobLevel.SYS_TENANT
        parent_id = self._catalog.backups.next_job_id(SYS_TENANT_ID)
        parent = BackupJob(
            tenant_id=SYS_TENANT_ID,
            job_id=parent_id,
            backup_set_id=0,
            initiator_tenant_id=SYS_TENANT_ID,
            initiator_job_id=parent_id,
            executor_tenant_ids=tuple(tenant.tenant_id for tenant, _ in chosen),
            plus_archivelog=command.plus_archivelog,
            backup_type=BackupType.INC if command.incremental else BackupType.FULL,
            job_level=level,
            start_timestamp_us=self._now_us(),
            status=JobStatus.DOING,
            description=command.description,
            owner_generation=self._generation,
            comment=left_out_comment(left_out),
        )
        children = [
            self._tenant_job(tenant, destination, command, level, SYS_TENANT_ID, parent_id)
            for tenant, destination in chosen
        ]
        return [parent, *children]

    def _checked(self, session: Session, tenant: Tenant, command: Backup, *, is_sealed: bool) -> Destination:
        """Return where the tenant's backup goes. Raises what `BACKUP TENANT = list` by sys raises, first failure first."""
        if tenant.status is not TenantStatus.NORMAL:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NOT_NORMAL, hint=f"tenant {tenant.name} is {tenant.status}")
        self._refuse_hydrating(tenant)
        self._around.tenures.refuse_backup(tenant.tenant_id)
        if not self._is_archiving(tenant):
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NOT_ARCHIVING, hint=not_archiving(self._catalog, tenant))
        backups = self._catalog.backups
        if backups.active_jobs(tenant_id=tenant.tenant_id) or backups.active_jobs(tenant_id=SYS_TENANT_ID):
            raise refuse(codes.OB_BACKUP_IN_PROGRESS)
        if command.to is not None:
            destination: Destination | None = self._named_path(session, tenant, command.to)
        else:
            destination = self._catalog.destinations.data(tenant.tenant_id)
        if destination is None:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NO_DESTINATION, hint=f"tenant {tenant.name}")
        self._refuse_plain(tenant, destination, command, is_sealed=is_sealed)
        return destination

    def _eligible(
        self, session: Session, command: Backup, left_out: list[LeftOut], *, is_sealed: bool
    ) -> list[tuple[Tenant, Destination]]:
        """Return every tenant that meets the conditions; add the others to `left_out`. Raises when none is left.

        OceanBase leaves them out silently, and COMPLETED then reads as if everybody were backed up.
        """
        if self._catalog.backups.active_jobs(tenant_id=SYS_TENANT_ID):
            raise refuse(codes.OB_BACKUP_IN_PROGRESS)
        chosen: list[tuple[Tenant, Destination]] = []
        for tenant in self._catalog.tenants.user_tenants():
            try:
                chosen.append((tenant, self._checked(session, tenant, command, is_sealed=is_sealed)))
            except RefusedError as error:
                log.warning("tenant %d is not backed up: %s", tenant.tenant_id, error)
                left_out.append(LeftOut(tenant=tenant.name, code=error.code, reason=str(error)))
        if not chosen:
            raise refuse(codes.OB_BACKUP_CAN_NOT_START, _NOBODY)
        return chosen

    def _listed(self, names: tuple[str, ...]) -> list[Tenant]:
        """Return the tenants of a list, each once. Raises -5160 for an unknown one, -4016 for sys."""
        found: dict[int, Tenant] = {}
        for name in names:
            tenant = self._catalog.tenants.find(name)
            if tenant is None:
                raise unknown_tenant(name)
            if tenant.is_sys:
                raise refuse(codes.OB_ERR_UNEXPECTED, hint="tenant sys is not backed up; name user tenants")
            found.setdefault(tenant.tenant_id, tenant)
        return list(found.values())

    def _is_archiving(self, tenant: Tenant) -> bool:
        current = self._catalog.rounds.current(tenant.tenant_id)
        return current is not None and current.status is RoundStatus.DOING

    def _tenant_job(
        self,
        tenant: Tenant,
        destination: Destination,
        command: Backup,
        level: JobLevel,
        initiator_tenant_id: int,
        initiator_job_id: int,
    ) -> BackupJob:
        backups = self._catalog.backups
        return BackupJob(
            tenant_id=tenant.tenant_id,
            job_id=backups.next_job_id(tenant.tenant_id),
            backup_set_id=backups.next_set_id(tenant.tenant_id),
            initiator_tenant_id=initiator_tenant_id,
            initiator_job_id=initiator_job_id,
            executor_tenant_ids=(tenant.tenant_id,),
            plus_archivelog=command.plus_archivelog,
            backup_type=BackupType.INC if command.incremental else BackupType.FULL,
            job_level=level,
            start_timestamp_us=self._now_us(),
            description=command.description,
            path=destination.uri.identity,
            dest_id=destination.dest_id,
        )

    def _with_key(self, job: BackupJob, password: BackupPassword | None) -> BackupJob:
        """Return the job; that of an encrypted set when its key is kept already: a job that a killed server left can go on.

        The session's password counts before the tenant's `backup_encryption`, as ONLY says. Raises RefusedError -9047 while the key
        that this names is not to be had.

        Killed before the job is recorded: a key of a set that never is, under an id that is never given again.
        """
        if password is None:
            return self._with_own_key(job)
        if job.tenant_id != SYS_TENANT_ID:
            place = SetPlace(
                cluster_id=self._around.identity.cluster_id, tenant_id=job.tenant_id, backup_set_id=job.backup_set_id
            )
            self._around.keyring(job.tenant_id).put(job.backup_set_id, password.new_key(place))
        return replace(job, encryption_mode=ENCRYPTION_PASSWORD, passwd=PASSWD_SHOWN)

    def _with_own_key(self, job: BackupJob) -> BackupJob:
        keys = self._around.keys
        if keys is None or job.tenant_id == SYS_TENANT_ID:
            return job
        key = keys.new_set_key(job.tenant_id, job.backup_set_id)
        if key is None:
            return job
        self._around.keyring(job.tenant_id).put(job.backup_set_id, key)
        return replace(job, encryption_mode=ENCRYPTION_KEY)

    def _forget_keys(self, jobs: list[BackupJob]) -> None:
        """Remove the keys of jobs that were refused after all."""
        for job in jobs:
            if job.tenant_id != SYS_TENANT_ID:
                self._around.keyring(job.tenant_id).remove(job.backup_set_id)

    def is_left_behind(self, tenant_id: int) -> bool:
        """Return whether a cancelled worker of the tenant may still write into the folder of its failed set."""
        with self._lock:
            return tenant_id in self._abandoned

    # --- workers

    def _hand_over_again(self, job: BackupJob) -> None:
        """Give a job that its worker left to another, unless it has ended. Raises HoldfastError when that can not be known."""
        job = self._catalog.backups.job(job.tenant_id, job.job_id)
        with self._lock:
            is_busy = job.tenant_id in self._running
        if job.is_active and not is_busy:
            log.warning("tenant %d: taking up backup job %d, which its worker left", job.tenant_id, job.job_id)
            self._hand_over(job, is_again=True)

    def _is_active(self, job: BackupJob) -> bool:
        return self._catalog.backups.job(job.tenant_id, job.job_id).is_active

    def _hand_over(self, job: BackupJob, *, is_again: bool = False) -> None:
        """Give a job to the workers. One that comes while the server stops is left for the next."""
        running = _Running(job=job, stops=Stops(), is_again=is_again)
        with self._lock:
            if self._is_stopping:
                return
            self._running[job.tenant_id] = running
            running.future = self._pool.submit(
                guarded(log, f"tenant {job.tenant_id}: backup job {job.job_id}", partial(self._work, running))
            )
        # A CANCEL that came before the line above found no worker to tell: it left its word in the row.
        if self._catalog.backups.cancel_requested(job.tenant_id, job.job_id):
            running.stops.cancel()
            self._end_queued(running)

    def _end_queued(self, running: _Running) -> None:
        """Let a job that waits for a worker, and has a reason to end, do so now; no effect on one that has a worker."""
        if running.future is not None and running.future.cancel():
            self._work(running)

    def _work(self, running: _Running) -> None:
        tenant_id, job_id = running.job.tenant_id, running.job.job_id
        try:
            job = self._catalog.backups.claim(tenant_id, job_id, self._generation, is_again=running.is_again)
            if job is None:
                running.stops.end()
            else:
                self._carry(job, running.stops)
        except HoldfastError as error:
            # The catalog itself failed: the row stays as it is, owned by us, and is taken up again when it answers.
            running.stops.end()
            log.error("tenant %d: backup job %d could not be carried on: %s", tenant_id, job_id, error)
        except Exception:
            running.stops.end()
            log.exception("tenant %d: backup job %d met a defect of Holdfast and is taken up again", tenant_id, job_id)
        finally:
            with self._lock:
                if self._running.get(tenant_id) is running:
                    del self._running[tenant_id]
            if not running.stops.is_server_stopping:
                job = running.job
                self._left.look_after(
                    tenant_id, job_id, lambda: self._is_active(job), lambda: self._hand_over_again(job)
                )

    def _carry(self, job: BackupJob, stops: Stops) -> None:
        """Return when the job has ended, or is left to the next server. Its thread may then still be in a slow step: one
        that was cancelled there is left behind, and the tenant's next backup waits for it."""
        with self._lock:
            predecessors = self._abandoned.get(job.tenant_id, ())
        run = JobRun(self._around, job, stops, predecessors=predecessors)
        # A daemon: a destination that hangs for good must not keep the server from ending, and whatever line it is killed
        # at is as safe as a kill of the server.
        threading.Thread(
            target=guarded(
                log,
                f"tenant {job.tenant_id}: the end of backup job {job.job_id}",
                partial(self._run, run, job, stops),
            ),
            name=f"backup-job-{job.tenant_id}",
            daemon=True,
        ).start()
        stops.wait_reason_or_over()
        if stops.is_server_stopping:
            # Its rows stay as they are. A worker that hangs in its destination ends with the process.
            if not stops.wait_over(_SERVER_STOP_SECONDS):
                log.warning("tenant %d: backup job %d hangs; the next server takes it up", job.tenant_id, job.job_id)
            return
        if stops.wait_over(_CANCEL_PATIENCE_SECONDS) or not stops.abandon():
            return
        with self._lock:
            if not stops.is_over:
                self._abandoned[job.tenant_id] = (*self._abandoned.get(job.tenant_id, ()), stops)
        log.warning(
            "tenant %d: backup job %d is cancelled inside a slow step, which is left behind", job.tenant_id, job.job_id
        )
        run.end_abandoned()

    def _run(self, run: JobRun, job: BackupJob, stops: Stops) -> None:
        try:
            run.run()
        except HoldfastError as error:
            log.error("tenant %d: backup job %d could not be carried on: %s", job.tenant_id, job.job_id, error)
        except Exception as error:
            log.exception("a backup job met a defect of Holdfast")
            with suppress(HoldfastError):
                run.fail(DefectError(error))
        finally:
            stops.end()
            with self._lock:
                left = tuple(one for one in self._abandoned.pop(job.tenant_id, ()) if one is not stops)
                if left:
                    self._abandoned[job.tenant_id] = left

    def _settle(self, parent_id: int) -> None:
        """End a sys job when none of its children is active, now or when the catalog answers.

        The last child ends it as it ends. This is for one whose children an earlier build has ended without it.
        """
        try:
            self._settle_now(parent_id)
        except HoldfastError as error:
            log.error("backup job %d of tenant sys could not be ended yet: %s", parent_id, error)
            self._left.add(SYS_TENANT_ID, parent_id, lambda: self._settle_now(parent_id))
        except Exception:
            log.exception("backup job %d of tenant sys could not be ended yet", parent_id)
            self._left.add(SYS_TENANT_ID, parent_id, lambda: self._settle_now(parent_id))

    def _settle_now(self, parent_id: int) -> None:
        """Repeatable: the first to come ends it. Raises HoldfastError when the catalog does not answer."""
        backups = self._catalog.backups
        try:
            parent = backups.job(SYS_TENANT_ID, parent_id)
            outcome = outcome_of(parent, backups.children(parent))
            if not parent.is_active or outcome is None:
                return
            backups.finish(
                replace(
                    parent,
                    status=outcome.status,
                    result=outcome.result,
                    comment=outcome.comment,
                    end_timestamp_us=self._now_us(),
                )
            )
        except ConflictError:
            return  # another worker ended it at the same moment

    def _now_us(self) -> int:
        return self._clock.now_ns() // 1000


def _refuse_names(names: tuple[str, ...]) -> None:
    if names:
        raise not_supported("user tenant cannot specify tenant names")
