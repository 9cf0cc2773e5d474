"""The statements of validation, and the workers that carry validations out.

A statement checks what can be refused at once, records its job and returns. A tenant has one validation at a time.
"""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from holdfast import codes
from holdfast.backup_format import names
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parents import outcome_of
from holdfast.catalog.validation import PathType, ValidateJob, ValidateType
from holdfast.clock import Clock
from holdfast.defects import DefectError, guarded
from holdfast.errors import (
    CanceledError,
    ConflictError,
    HoldfastError,
    NotFoundError,
    refuse,
)
from holdfast.jobs.backup_keys import MastersOf, no_masters
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.drill_worker import DrillGround, DrillRun, end_drill
from holdfast.jobs.ground import Ground, named_uri, owned_by
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.left_out import LeftOut, comment_of, warnings_of
from holdfast.jobs.leftovers import Leftovers
from holdfast.jobs.pace import Paces
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.rights import not_supported, unknown_tenant
from holdfast.jobs.session import Session
from holdfast.jobs.stops import Stops
from holdfast.jobs.tablets import TabletFinder
from holdfast.jobs.validation_worker import (
    ValidationRun,
    ValidationSurroundings,
    destination_at,
    place_of,
    registered_at,
)
from holdfast.keys.keyring import Keyring
from holdfast.keys.password import Passwords
from holdfast.statement.commands import CancelValidate, Validate, ValidateKind, names_everyone
from holdfast.store.store import Store
from holdfast.values.backup_set import JobStatus
from holdfast.values.destination import DestinationKind, Uri
from holdfast.values.drill import DrillResult
from holdfast.values.tenant import SYS_TENANT_ID, Tenant
from holdfast.verify.plan import Level, parse_ids

log = logging.getLogger("holdfast.validation")

WORKERS = 2
"""Tenants validated at once; each uses threads of its own (ha_low_thread_score). More would only share one destination."""
DRILLS = 1
"""Drills at once, beside validations: each is a restore with an engine of its own."""
_DRILL_PATIENCE_SECONDS = 150.0
"""A cancelled drill removes its scratch tenant first, which takes seconds."""
_CANCEL_PATIENCE_SECONDS = 0.75
"""How long a cancelled worker may take to leave by itself, mostly a few milliseconds; then its rows end without it. It only reads,
so whatever it still does harms nothing."""
_STOP_WAIT_SECONDS = 60.0
_SERVER_STOP_SECONDS = 15.0

_TYPES = {
    ValidateKind.DATABASE: ValidateType.DATABASE,
    ValidateKind.BACKUPSET: ValidateType.BACKUPSET,
    ValidateKind.ARCHIVELOG_PIECE: ValidateType.PIECE,
}
_ONE_TENANT = "validate data for a specified path: A unique user tenant must also be specified."
_NO_DESTINATION = "validate: tenant has not set backup dest or archive dest"
_WRONG_DEST = {
    DestinationKind.BACKUP_DATA: "only validate type backupset can set data_backup_dest",
    DestinationKind.ARCHIVE_LOG: "only validate type archivelog_piece can set log_archive_dest",
}
_EMPTY = "validate: empty directory"
_NOTHING_KNOWN = "validate: missing format file and metadata file to identify the path type."


@dataclass(slots=True)
class _Running:
    job: ValidateJob
    stops: Stops
    future: "Future[None] | None" = None
    drill: DrillRun | None = None
    passwords: Passwords | None = field(default=None, repr=False)

    def interrupt(self) -> None:
        """Break what a drill waits for in its scratch engine."""
        if self.drill is not None:
            self.drill.interrupt()

    def wait_over(self) -> bool:
        """Return whether the worker has left, in the time one like it may take."""
        return self.stops.wait_over(_CANCEL_PATIENCE_SECONDS if self.drill is None else _DRILL_PATIENCE_SECONDS)


class Validations:
    """Validations of all tenants: two at once, one per tenant. Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        clock: Clock,
        *,
        identity: ClusterIdentity,
        open_store: OpenStore,
        generation: int,
        keyring: Callable[[int], Keyring],
        masters: MastersOf = no_masters,
        paces: Paces,
        tablets: TabletFinder,
        ground: DrillGround,
        paths: Ground,
    ) -> None:
        """`keyring`: of a tenant, with the keys of its sealed sets. `paces`: shared with backups and restores."""
        self._catalog = catalog
        self._clock = clock
        self._generation = generation
        self._around = ValidationSurroundings(
            catalog, clock, identity, open_store, keyring, paces, tablets, paths, masters
        )
        self._lock = threading.Lock()
        self._running: dict[int, _Running] = {}
        self._ended = threading.Event()
        self._left = Leftovers()
        self._ground = ground
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="validation-job")
        self._sweep_stops = Stops()
        self._drill_pool = ThreadPoolExecutor(DRILLS, thread_name_prefix="drill-job")

    # --- statements

    def validate(self, session: Session, command: Validate) -> Reply:
        """VALIDATE BACKUP, BACKUPSET, ARCHIVELOG_PIECE: check, record the jobs, wake the workers, return."""
        level = _level_of(command)
        _check_words(command)
        tenants, is_everyone = self._targets(session, command)
        path_type, path = PathType.NONE, ""
        if command.path is not None:
            if session.tenant.is_sys and (is_everyone or len(tenants) != 1):
                raise refuse(codes.OB_INVALID_ARGUMENT, _ONE_TENANT)
            uri = self._readable(session, tenants[0], named_uri(command.path))
            assert command.dest_kind is not None, "a path comes with its keyword"
            path, path_type = uri.identity, self._path_type(uri, command.dest_kind)
        first = ValidateJob(
            tenant_id=SYS_TENANT_ID,
            job_id=0,
            initiator_tenant_id=session.tenant.tenant_id,
            initiator_job_id=0,
            executor_tenant_ids=(),
            type=_TYPES[command.kind],
            path=path,
            path_type=path_type,
            ids=",".join(str(one) for one in parse_ids(command.ids_text)) if command.ids_text else "",
            validate_level=level,
            start_timestamp_us=self._now_us(),
            description=command.description,
        )
        jobs: list[ValidateJob] = []
        left_out: list[LeftOut] = []
        for tenant in tenants:
            job = self._with_destinations(replace(first, tenant_id=tenant.tenant_id))
            if not (job.data_dest_id or job.archive_dest_id or job.path):
                if is_everyone:
                    left_out.append(LeftOut(tenant=tenant.name, code=codes.OB_INVALID_ARGUMENT, reason=_NO_DESTINATION))
                    continue
                raise refuse(codes.OB_INVALID_ARGUMENT, _NO_DESTINATION, hint=f"tenant {tenant.name}")
            jobs.append(job)
        if not jobs:
            raise refuse(codes.OB_INVALID_ARGUMENT, _NO_DESTINATION)
        self._submit(session, replace(first, comment=comment_of(left_out)), jobs)
        return Reply(warnings=warnings_of(left_out))

    def cancel(self, session: Session, command: CancelValidate) -> Reply:
        """CANCEL VALIDATE BACKUP: of the session's tenant; from sys of those named, or of all and the sys jobs with them.

        Succeeds without effect when nothing runs. The jobs have ended when this returns.
        """
        if session.tenant.is_sys:
            chosen = {one.tenant_id for one in self._listed(command.tenants)} if command.tenants else None
        else:
            chosen = {session.tenant.tenant_id}
        jobs = [job for job in self._catalog.validation.active_jobs() if chosen is None or job.tenant_id in chosen]
        for job in jobs:
            self._catalog.validation.request_cancel(job.tenant_id, job.job_id)
        with self._lock:
            running = [self._running.get(job.tenant_id) for job in jobs]
        for one in running:
            if one is not None:
                one.stops.cancel()
                one.interrupt()
        for job, one in zip(jobs, running, strict=True):
            if job.tenant_id == SYS_TENANT_ID:
                continue
            is_here = one is not None and one.job.job_id == job.job_id
            is_over = is_here and one is not None and one.wait_over()
            if not is_over:
                self._end_rows(job, CanceledError())
        for job in jobs:
            if job.tenant_id == SYS_TENANT_ID:
                self._settle(job.job_id)
        return OK

    # --- the server's life

    def resume_all(self) -> None:
        """Take up the jobs a dead server left, and remove scratch tenants of drills whose job has ended. When restores are resumed."""
        self._drill_pool.submit(guarded(log, "the look for scratch tenants of drills", self._sweep_drills))
        for job in self._catalog.validation.active_jobs():
            if job.tenant_id == SYS_TENANT_ID:
                self._settle(job.job_id)
            else:
                self._hand_over(job)

    def stop_all(self) -> None:
        """End the workers between two reads; their jobs stay as they are and are taken up by the next server."""
        self._ended.set()
        self._left.end()
        self._sweep_stops.stop_server()
        with self._lock:
            for running in self._running.values():
                running.stops.stop_server()
                running.interrupt()
            futures = [running.future for running in self._running.values() if running.future is not None]
        # One that hangs in its destination is left to the end of the process, its job to the next server.
        wait(futures, timeout=_SERVER_STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._drill_pool.shutdown(wait=False, cancel_futures=True)

    def drop_tenant(self, tenant_id: int) -> None:
        """End the tenant's validation as FAILED."""
        with self._lock:
            running = self._running.get(tenant_id)
        if running is not None:
            running.stops.drop_tenant()
            running.interrupt()
            running.wait_over()
        for job in self._catalog.validation.active_jobs():
            if job.tenant_id == tenant_id:
                self._end_rows(job, refuse(codes.OB_TENANT_HAS_BEEN_DROPPED))

    def _sweep_drills(self) -> None:
        """Remove scratch tenants whose job has ended without them. In the drills' own thread: no drill of this server runs beside."""
        try:
            active = {(job.tenant_id, job.job_id) for job in self._catalog.validation.active_jobs()}
            lost = [one for one in self._catalog.drills.unfinished() if (one.tenant_id, one.job_id) not in active]
            for drill in lost:
                if self._ended.is_set():
                    return
                log.warning(
                    "drill %d of tenant %d has no job: its scratch tenant goes", drill.drill_id, drill.tenant_id
                )
                end_drill(self._around, self._ground, drill, DrillResult.CANCELED, "", self._sweep_stops)
        except HoldfastError as error:
            log.error("scratch tenants of drills are looked for at the next start: %s", error)

    # --- whom a statement means

    def _targets(self, session: Session, command: Validate) -> tuple[list[Tenant], bool]:
        """Return the tenants, and whether that is everybody."""
        if not session.tenant.is_sys:
            return [session.tenant], False
        if command.tenants and not names_everyone(command.tenants):
            return self._listed(command.tenants), False
        if command.path is not None:
            raise refuse(codes.OB_INVALID_ARGUMENT, _ONE_TENANT)
        return self._listed(command.tenants or ("all_user",)), True

    def _listed(self, given: tuple[str, ...]) -> list[Tenant]:
        """Return the tenants of a list, each once. Raises -5160 for an unknown one, -4016 for sys, 1235 for a mixture."""
        if names_everyone(given):
            if len(given) > 1:
                raise not_supported("all/all_user/all_meta in combination with other names is")
            everyone = [] if given[0].lower() == "all_meta" else list(self._catalog.tenants.user_tenants())
            if not everyone:
                raise not_supported("No valid tenant name given")
            return everyone
        found: dict[int, Tenant] = {}
        for name in given:
            tenant = self._catalog.tenants.find(name)
            if tenant is None:
                raise unknown_tenant(name)
            if tenant.is_sys:
                raise refuse(codes.OB_ERR_UNEXPECTED, hint="tenant sys is not backed up; name user tenants")
            found.setdefault(tenant.tenant_id, tenant)
        return list(found.values())

    def _readable(self, session: Session, tenant: Tenant, uri: Uri) -> Uri:
        """Return the path as it is to be opened. Raises RefusedError (-9026, -9081) for one that this session may not have read.

        What the tenant uses or used is its own, wherever it lies: it is read without being named, too.
        """
        known = destination_at(self._catalog.destinations.all_of(tenant.tenant_id), uri)
        if known is not None:
            return replace(uri, resolved=known.uri.resolved)
        return self._around.paths.source(
            session, uri, is_own=owned_by(self._around.identity.cluster_id, tenant.tenant_id)
        )

    def _path_type(self, uri: Uri, kind: DestinationKind) -> PathType:
        """Return what a path is: a destination of this kind, or one set or piece in one. Raises 1210 for anything else."""
        is_data = kind is DestinationKind.BACKUP_DATA
        whole = PathType.BACKUP_DEST if is_data else PathType.ARCHIVELOG_DEST
        single = PathType.BACKUP_SET_DEST if is_data else PathType.ARCHIVELOG_PIECE_DEST
        try:
            store = self._around.open_store(uri)
        except NotFoundError as error:
            raise refuse(codes.OB_INVALID_ARGUMENT, _EMPTY, hint=error.message) from error
        if store.is_empty():
            raise refuse(codes.OB_INVALID_ARGUMENT, _EMPTY)
        if store.stat(names.FORMAT_FILE) is not None:
            return whole
        folder = os.path.basename(uri.path)
        known = names.parse_set_root(folder) if is_data else names.parse_piece_root(folder)
        if known is not None and self._holds_a_record(store, is_data) and self._is_in_a_destination(uri, single):
            return single
        raise refuse(codes.OB_INVALID_ARGUMENT, _NOTHING_KNOWN)

    def _holds_a_record(self, store: Store, is_data: bool) -> bool:
        wanted = (names.manifest_name(""),) if is_data else (names.piece_info_name(""), names.checkpoint_name(""))
        return any(store.stat(name.removeprefix("/")) is not None for name in wanted)

    def _is_in_a_destination(self, uri: Uri, single: PathType) -> bool:
        above = replace(place_of(uri.identity, single).uri, resolved=uri.resolved)
        return self._around.open_store(above).stat(names.FORMAT_FILE) is not None

    def _with_destinations(self, job: ValidateJob) -> ValidateJob:
        """Return the job with what it reads, as it is set now: a SET that comes later does not change what it means."""
        destinations = self._catalog.destinations
        if job.path:
            place = place_of(job.path, job.path_type)
            dest_id = registered_at(destinations.all_of(job.tenant_id), place)
            is_data = place.kind is DestinationKind.BACKUP_DATA
            return replace(job, data_dest_id=dest_id) if is_data else replace(job, archive_dest_id=dest_id)
        data, archive = destinations.data(job.tenant_id), destinations.archive(job.tenant_id)
        data_id = 0 if data is None or job.type is ValidateType.PIECE else data.dest_id
        archive_id = 0 if archive is None or job.type is ValidateType.BACKUPSET else archive.destination.dest_id
        return replace(job, data_dest_id=data_id, archive_dest_id=archive_id)

    # --- recording jobs

    def _submit(self, session: Session, first: ValidateJob, jobs: list[ValidateJob]) -> None:
        """Record a job for each tenant, from sys below a job of its own, and wake the workers."""
        validation, parents, parent_id = self._catalog.validation, [], 0
        if session.tenant.is_sys:
            parent_id = validation.next_job_id(SYS_TENANT_ID)
            parents = [
                replace(
                    first,
                    job_id=parent_id,
                    initiator_job_id=parent_id,
                    executor_tenant_ids=tuple(job.tenant_id for job in jobs),
                    status=JobStatus.DOING,
                    task_count=len(jobs),
                    owner_generation=self._generation,
                )
            ]
        jobs = [
            replace(
                job,
                job_id=validation.next_job_id(job.tenant_id),
                initiator_job_id=parent_id,
                executor_tenant_ids=(job.tenant_id,),
            )
            for job in jobs
        ]
        validation.submit([*parents, *jobs])
        for job in jobs:
            self._hand_over(job, session.decryption)

    # --- workers

    def _is_active(self, job: ValidateJob) -> bool:
        return self._catalog.validation.job(job.tenant_id, job.job_id).is_active

    def _hand_over_again(self, job: ValidateJob, passwords: Passwords | None) -> None:
        """Give a job that its worker left to another, unless it has ended. Raises HoldfastError when that can not be known."""
        job = self._catalog.validation.job(job.tenant_id, job.job_id)
        with self._lock:
            is_busy = job.tenant_id in self._running
        if job.is_active and not is_busy:
            log.warning("tenant %d: taking up validation job %d, which its worker left", job.tenant_id, job.job_id)
            self._hand_over(job, passwords)

    def _hand_over(self, job: ValidateJob, passwords: Passwords | None = None) -> None:
        with self._lock:
            if self._ended.is_set():
                return
            running = _Running(job=job, stops=Stops(), passwords=passwords)
            self._running[job.tenant_id] = running
            is_drill = job.validate_level == Level.RESTORE
            running.future = (self._drill_pool if is_drill else self._pool).submit(
                guarded(log, f"tenant {job.tenant_id}: validation job {job.job_id}", partial(self._work, running))
            )

    def _work(self, running: _Running) -> None:
        tenant_id, job_id = running.job.tenant_id, running.job.job_id
        try:
            job = self._catalog.validation.claim(tenant_id, job_id, self._generation)
            if job is not None:
                if job.validate_level == Level.RESTORE:
                    running.drill = DrillRun(self._around, self._ground, job, running.stops, running.passwords)
                self._run(running.drill or ValidationRun(self._around, job, running.stops, running.passwords))
            elif running.job.validate_level == Level.RESTORE:
                # Ended while it waited for its turn: an earlier server may have left its scratch tenant.
                for drill in self._catalog.drills.unfinished(running.job):
                    end_drill(self._around, self._ground, drill, DrillResult.CANCELED, "", running.stops)
        except HoldfastError as error:
            # The catalog itself failed: the row stays as it is, owned by us, and is taken up again when it answers.
            log.error("tenant %d: validation job %d could not be carried on: %s", tenant_id, job_id, error)
        except Exception:
            log.exception(
                "tenant %d: validation job %d met a defect of Holdfast and is taken up again", tenant_id, job_id
            )
        finally:
            with self._lock:
                if self._running.get(tenant_id) is running:
                    del self._running[tenant_id]
            job, passwords, is_stopping = running.job, running.passwords, running.stops.is_server_stopping
            running.stops.end()
            if not is_stopping:
                self._left.look_after(
                    tenant_id, job_id, lambda: self._is_active(job), lambda: self._hand_over_again(job, passwords)
                )

    def _run(self, run: ValidationRun) -> None:
        try:
            run.run()
        except HoldfastError:
            raise
        except Exception as error:
            log.exception("a validation job met a defect of Holdfast")
            run.fail(DefectError(error))

    def _end_rows(self, job: ValidateJob, error: HoldfastError) -> None:
        """End a job's rows without its worker: it is queued, or hangs, or belongs to nobody."""
        is_cancelled = isinstance(error, CanceledError)
        status = JobStatus.CANCELED if is_cancelled else JobStatus.FAILED
        comment = "" if is_cancelled else error.message
        ended = replace(
            self._catalog.validation.job(job.tenant_id, job.job_id),
            status=status,
            result=error.code.number,
            comment=comment,
            end_timestamp_us=self._now_us(),
        )
        with suppress(ConflictError):  # its worker ended it at the same moment
            self._catalog.validation.finish(ended)

    def _settle(self, parent_id: int) -> None:
        """End a sys job when none of its children is active, now or when the catalog answers.

        The last child ends it as it ends. This is for one whose children an earlier build has ended without it.
        """
        try:
            self._settle_now(parent_id)
        except HoldfastError as error:
            log.error("validation job %d of tenant sys could not be ended yet: %s", parent_id, error)
            self._left.add(SYS_TENANT_ID, parent_id, lambda: self._settle_now(parent_id))
        except Exception:
            log.exception("validation job %d of tenant sys could not be ended yet", parent_id)
            self._left.add(SYS_TENANT_ID, parent_id, lambda: self._settle_now(parent_id))

    def _settle_now(self, parent_id: int) -> None:
        """Repeatable: the first to come ends it. Raises HoldfastError when the catalog does not answer."""
        validation = self._catalog.validation
        try:
            parent = validation.job(SYS_TENANT_ID, parent_id)
            outcome = outcome_of(parent, validation.children(parent))
            if not parent.is_active or outcome is None:
                return
            validation.finish(
                replace(
                    parent,
                    status=outcome.status,
                    result=outcome.result,
                    comment=outcome.comment,
                    success_task_count=outcome.success_count,
                    end_timestamp_us=self._now_us(),
                )
            )
        except ConflictError:
            return  # another worker ended it at the same moment

    def _now_us(self) -> int:
        return self._clock.now_ns() // 1000


def _level_of(command: Validate) -> Level:
    try:
        level = Level.PHYSICAL if command.level is None else Level(command.level.lower())
    except ValueError as error:
        hint = "'basic', 'physical' or 'restore'"
        raise refuse(codes.OB_INVALID_ARGUMENT, "set validate level", hint=hint) from error
    if level is Level.RESTORE and command.kind is ValidateKind.ARCHIVELOG_PIECE:
        hint = "log alone is nothing a tenant can be restored from: validate BACKUP or BACKUPSET at this level"
        raise refuse(codes.OB_INVALID_ARGUMENT, "set validate level", hint=hint)
    return level


def _check_words(command: Validate) -> None:
    """Refuse (1210) what the clauses say that can not be meant together."""
    if command.ids_text is not None:
        try:
            parse_ids(command.ids_text)
        except ValueError as error:
            hint = "numbers from 1 up, separated by commas, at most 511 characters"
            raise refuse(codes.OB_INVALID_ARGUMENT, "check set/piece ids string", hint=hint) from error
        if command.kind is ValidateKind.DATABASE:
            raise refuse(codes.OB_INVALID_ARGUMENT, "validate database with set set or piece ids")
    takes = {
        ValidateKind.BACKUPSET: DestinationKind.BACKUP_DATA,
        ValidateKind.ARCHIVELOG_PIECE: DestinationKind.ARCHIVE_LOG,
    }
    if command.dest_kind is not None and takes.get(command.kind) is not command.dest_kind:
        raise refuse(codes.OB_INVALID_ARGUMENT, _WRONG_DEST[command.dest_kind])
