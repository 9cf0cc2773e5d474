"""The statements of cleanup, the hourly cleanup, and the workers that carry deletions out.

A statement checks what can be refused at once, records its job and returns. A tenant's deletions are carried out one by one, in
the order in which they came; what a statement asks is judged when its job begins, so a job in the queue sees what the one
before it left.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, timezone
from functools import partial

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.cleanup import DeleteJob, DeletePolicy, DeleteType, PinnedSet
from holdfast.catalog.parents import outcome_of
from holdfast.clock import Clock
from holdfast.defects import DefectError, guarded
from holdfast.errors import ConflictError, HoldfastError, NotFoundError, RefusedError, refuse
from holdfast.jobs.backup_keys import MastersOf, no_masters
from holdfast.jobs.cleanup_worker import CleanupRun, CleanupSurroundings, plan_obsolete, policy_of
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.estate import catalog_estate
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.left_out import LeftOut, comment_of, warnings_of
from holdfast.jobs.leftovers import Leftovers
from holdfast.jobs.reply import OK, Cell, Column, ColumnKind, Reply, Warn
from holdfast.jobs.rights import not_supported, unknown_tenant
from holdfast.jobs.session import Session
from holdfast.jobs.stops import Stops
from holdfast.jobs.tenure import Tenures
from holdfast.keys.keyring import Keyring
from holdfast.retention.reach import ancestors, sets_by_id
from holdfast.retention.verdict import Plan, PolicyName
from holdfast.statement.commands import (
    AddDeletePolicy,
    CancelDelete,
    DeleteArchivelogPiece,
    DeleteBackupAll,
    DeleteBackupset,
    DeleteObsolete,
    DropDeletePolicy,
    PinBackupset,
    PreviewObsolete,
    UnpinBackupset,
    names_everyone,
)
from holdfast.values.backup_set import JobLevel, JobStatus
from holdfast.values.capacity import time_us_from_text
from holdfast.values.destination import parse_uri
from holdfast.values.scn import Scn
from holdfast.values.tenant import SYS_TENANT_ID, Tenant, TenantStatus

log = logging.getLogger("holdfast.cleanup")

INTERVAL_SECONDS = 3600.0
"""Every tenant with a policy is cleaned once an hour."""
WORKERS = 2
"""Tenants cleaned at once; each uses threads of its own (ha_low_thread_score). More would only share one destination."""
_IDS_MAX = 32
_WINDOW_CHARACTERS_MAX = 64
_NOTE_CHARACTERS_MAX = 4096
"""What the columns of the views hold."""
_COPIES_MAX = 8
"""OceanBase reads BACKUP_COPIES and does nothing with it; so do we, within reason."""
_POLL_SECONDS = 15.0
"""How late an hourly cleanup may be."""
_STOP_WAIT_SECONDS = 60.0
_SERVER_STOP_SECONDS = 15.0

_ONE_ONLY = "only one tenant name can be specified"
_NO_POLICY = "no delete policy for some user tenant"
_NOTHING_GOES = Warn(
    number=codes.OB_NOT_SUPPORTED.client,
    message=f"{codes.OB_NOT_SUPPORTED.text('recovery window 0')}: every cleanup by this policy fails and removes nothing; drop it"
    " and add one with a window such as '7d'",
)
_PREVIEW = (
    Column(name="TENANT_NAME"),
    Column(name="OBJECT_TYPE"),
    Column(name="ID", kind=ColumnKind.INTEGER),
    Column(name="ROUND_ID", kind=ColumnKind.INTEGER),
    Column(name="ACTION"),
    Column(name="REASON"),
    Column(name="FIRST_SCN", kind=ColumnKind.INTEGER),
    Column(name="LAST_SCN", kind=ColumnKind.INTEGER),
)


@dataclass(slots=True)
class _Running:
    job: DeleteJob
    stops: Stops
    future: "Future[None] | None" = None


class Cleanup:
    """Cleanup of all tenants: two at once, one job per tenant at a time. Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        clock: Clock,
        *,
        identity: ClusterIdentity,
        open_store: OpenStore,
        generation: int,
        keyring: Callable[[int], Keyring],
        tenures: Tenures,
        is_left_behind: Callable[[int], bool] = lambda tenant_id: False,
        interval_seconds: float = INTERVAL_SECONDS,
        masters: MastersOf = no_masters,
    ) -> None:
        """`keyring`: of a tenant, for the keys of its sealed sets. `is_left_behind`: whether a cancelled backup of
        the tenant may still write. `interval_seconds`: between two cleanups by policy of one tenant."""
        self._catalog = catalog
        self._clock = clock
        self._generation = generation
        self._interval_us = int(interval_seconds * 1_000_000)
        self._poll_seconds = min(_POLL_SECONDS, interval_seconds)
        self._around = CleanupSurroundings(
            catalog, clock, identity, open_store, keyring, is_left_behind, tenures, masters
        )
        self._lock = threading.Lock()
        self._running: dict[int, _Running] = {}
        self._ended = threading.Event()
        self._left = Leftovers()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="cleanup-job")
        self._scheduler: threading.Thread | None = None

    # --- policies and pins

    def add_policy(self, session: Session, command: AddDeletePolicy) -> Reply:
        """ADD DELETE BACKUP POLICY. The first cleanup follows within the hour."""
        _check_policy_name(command.name)
        tenant = self._policy_tenant(session, command.tenants)
        if command.recovery_window is None and command.redundancy is None:
            raise not_supported("Neither recovery_window nor redundancy is set")
        window, window_us = command.recovery_window or "", None
        if command.recovery_window is not None:
            try:
                window_us = time_us_from_text(window)
            except ValueError as error:
                raise not_supported("recovery window is not be time string", hint="write '7d'") from error
            if len(window) > _WINDOW_CHARACTERS_MAX:
                raise not_supported("recovery window is not be time string", hint="write '7d'")
        if command.redundancy not in (None, 1):
            raise not_supported("Redundancy not equal to 1 is")
        if command.backup_copies is not None and command.backup_copies > _COPIES_MAX:
            raise refuse(codes.OB_INVALID_ARGUMENT, "backup_copies")
        if (
            command.name.lower() == PolicyName.LOG_ONLY
            and self._catalog.destinations.data(tenant.tenant_id) is not None
        ):
            raise not_supported(
                "delete policy log_only while data_backup_dest is set is",
                hint="use 'default', or clear DATA_BACKUP_DEST",
            )
        try:
            self._catalog.cleanup.add_policy(
                DeletePolicy(
                    tenant_id=tenant.tenant_id,
                    policy_name=command.name.lower(),
                    recovery_window=window.strip(),
                    redundancy=1,
                    backup_copies=command.backup_copies or 0,
                    create_time_us=self._now_us(),
                )
            )
        except ConflictError as error:
            raise refuse(
                codes.OB_ENTRY_EXIST, "the tenant has a delete policy already", hint="drop it first, there is no alter"
            ) from error
        # OceanBase takes it and fails each cleanup, so a script that adds it goes on; a person hears it here.
        return Reply(warnings=(_NOTHING_GOES,)) if window_us == 0 else OK

    def drop_policy(self, session: Session, command: DropDeletePolicy) -> Reply:
        """DROP DELETE BACKUP POLICY: nothing is obsolete any more. A cleanup under way goes on."""
        _check_policy_name(command.name)
        tenant = self._policy_tenant(session, command.tenants)
        self._catalog.cleanup.drop_policy(tenant.tenant_id, command.name.lower())
        return OK

    def pin(self, session: Session, command: PinBackupset) -> Reply:
        """PIN BACKUPSET: no policy and no statement removes the set, what it rests on, or the log it needs, until UNPIN.

        Raises -4018 for an unknown set, -4017 for a pinned one, -4179 for one that can not be restored, -9044 while a
        deletion of the tenant is carried out.
        """
        tenant = self._one_tenant(session, command.tenants)
        if len(command.note) > _NOTE_CHARACTERS_MAX:
            raise refuse(codes.OB_INVALID_ARGUMENT, "note", hint=f"at most {_NOTE_CHARACTERS_MAX} characters")
        by_id = sets_by_id(catalog_estate(self._catalog, tenant.tenant_id).sets)
        fact = by_id.get(command.backup_set_id)
        if fact is None:
            raise _no_such_set(command.backup_set_id)
        pin = PinnedSet(
            tenant_id=tenant.tenant_id,
            backup_set_id=command.backup_set_id,
            note=command.note,
            pin_timestamp_us=self._now_us(),
        )
        try:
            self._catalog.cleanup.pin(pin, sorted(ancestors(fact, by_id)))
        except ConflictError as error:
            raise refuse(
                codes.OB_ENTRY_EXIST, f"backup set {pin.backup_set_id} is pinned already", hint="UNPIN it first"
            ) from error
        return OK

    def unpin(self, session: Session, command: UnpinBackupset) -> Reply:
        """UNPIN BACKUPSET. Raises -4018 when the set is not pinned."""
        tenant = self._one_tenant(session, command.tenants)
        self._catalog.cleanup.unpin(tenant.tenant_id, command.backup_set_id)
        return OK

    # --- deletions

    def delete_obsolete(self, session: Session, command: DeleteObsolete) -> Reply:
        """DELETE OBSOLETE BACKUP: of the session's tenant; from sys of those named, or of all that have a policy."""
        tenants = self._tenants_with_policy(session, command.tenants)
        for tenant in tenants:
            self._around.tenures.refuse_deletion(tenant.tenant_id)
        is_everyone = not command.tenants or names_everyone(command.tenants)
        left_out: list[LeftOut] = []
        if session.tenant.is_sys and is_everyone:
            chosen = {tenant.tenant_id for tenant in tenants}
            left_out = [
                LeftOut(tenant=tenant.name, code=codes.OB_ENTRY_NOT_EXIST, reason="there is no delete policy")
                for tenant in self._everyone(command.tenants)
                if tenant.tenant_id not in chosen
            ]
        return self._submit(
            session,
            tenants,
            DeleteType.OBSOLETE,
            description=command.description,
            is_everyone=is_everyone,
            left_out=left_out,
        )

    def preview(self, session: Session, command: PreviewObsolete) -> Reply:
        """DELETE OBSOLETE BACKUP PREVIEW: a row for every verdict, and for every range of moments that would be lost."""
        rows: list[tuple[Cell, ...]] = []
        for tenant in self._tenants_with_policy(session, command.tenants):
            plan = plan_obsolete(self._around, tenant.tenant_id, self._now_us())
            rows += _preview_rows(tenant, plan, session.time_zone)
        return Reply(columns=_PREVIEW, rows=tuple(rows))

    def delete_sets(self, session: Session, command: DeleteBackupset) -> Reply:
        """DELETE BACKUPSET."""
        return self._delete_ids(session, command.tenants, DeleteType.BACKUPSET, command.ids, command.description)

    def delete_pieces(self, session: Session, command: DeleteArchivelogPiece) -> Reply:
        """DELETE ARCHIVELOG_PIECE."""
        return self._delete_ids(session, command.tenants, DeleteType.PIECE, command.ids, command.description)

    def delete_all(self, session: Session, command: DeleteBackupAll) -> Reply:
        """DELETE BACKUP ALL: everything on a former path of the tenant; the path can not be set again.

        Raises -4018 for a path the tenant never used, 1210 for one of the other kind.
        """
        tenant = self._one_tenant(session, command.tenants)
        self._around.tenures.refuse_deletion(tenant.tenant_id)
        identity = parse_uri(command.path).identity
        cleanup, destinations = self._catalog.cleanup, self._catalog.destinations
        known = [
            one
            for one in destinations.all_of(tenant.tenant_id)
            if one.uri.identity == identity and not cleanup.destination_state(tenant.tenant_id, one.dest_id).is_final
        ]
        if not known:
            raise refuse(codes.OB_ENTRY_NOT_EXIST, f"tenant {tenant.name} has no destination {identity}")
        chosen = next((one for one in known if one.kind is command.kind), None)
        if chosen is None:
            raise refuse(codes.OB_INVALID_ARGUMENT, "mismatched dest type")
        return self._submit(
            session,
            [tenant],
            DeleteType.ALL,
            parameter=str(chosen.dest_id),
            dest_id=chosen.dest_id,
            description=command.description,
        )

    def cancel(self, session: Session, command: CancelDelete) -> Reply:
        """CANCEL DELETE BACKUP: of the session's tenant; from sys of those named, or of all and the sys jobs with them.

        Succeeds without effect when nothing runs. What was begun stays DELETING; the next cleanup goes on with it.
        """
        if session.tenant.is_sys:
            chosen = {tenant.tenant_id for tenant in self._listed(command.tenants)} if command.tenants else None
        else:
            _refuse_names(command.tenants)
            chosen = {session.tenant.tenant_id}
        for job in self._catalog.cleanup.active_jobs():
            if chosen is None or job.tenant_id in chosen:
                self._catalog.cleanup.request_cancel(job.tenant_id, job.job_id)
                with self._lock:
                    running = self._running.get(job.tenant_id)
                if running is not None and running.job.job_id == job.job_id:
                    running.stops.cancel()
        self._dispatch()
        return OK

    # --- the server's life

    def resume_all(self) -> None:
        """Take up the jobs a dead server left, and begin the hourly cleanup."""
        for job in self._catalog.cleanup.active_jobs():
            if job.tenant_id == SYS_TENANT_ID:
                self._catalog.cleanup.claim(job.tenant_id, job.job_id, self._generation)
                self._settle(job.job_id)
        self._dispatch()
        self._scheduler = threading.Thread(target=self._schedule, name="cleanup scheduler", daemon=True)
        self._scheduler.start()

    def stop_all(self) -> None:
        """End the workers between two objects; their jobs stay as they are and are taken up by the next server."""
        self._ended.set()
        self._left.end()
        if self._scheduler is not None:
            self._scheduler.join()
        with self._lock:
            for running in self._running.values():
                running.stops.stop_server()
            futures = [running.future for running in self._running.values() if running.future is not None]
        # One that hangs in its destination is left to the end of the process, its job to the next server.
        wait(futures, timeout=_SERVER_STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def drop_tenant(self, tenant_id: int) -> None:
        """End the tenant's deletions as FAILED and forget its policy and pins. What it backed up stays."""
        self._catalog.cleanup.forget_tenant(tenant_id)
        with self._lock:
            running = self._running.get(tenant_id)
        if running is not None and running.future is not None:
            running.stops.drop_tenant()
            _, late = wait([running.future], timeout=_STOP_WAIT_SECONDS)
            if late:
                raise RefusedError(
                    f"the deletion of tenant {tenant_id} did not end in {_STOP_WAIT_SECONDS:.0f} s",
                    hint="drop the tenant again",
                    code=codes.OB_TIMEOUT,
                )
        for job in self._catalog.cleanup.active_jobs():
            if job.tenant_id == tenant_id:
                self._end_dropped(job)

    def _end_dropped(self, job: DeleteJob) -> None:
        code = codes.OB_TENANT_HAS_BEEN_DROPPED
        ended = replace(
            job, status=JobStatus.FAILED, result=code.number, comment=code.text(), end_timestamp_us=self._now_us()
        )
        with suppress(ConflictError):  # its worker ended it at the same moment
            self._catalog.cleanup.finish(ended)

    # --- whom a statement means

    def _policy_tenant(self, session: Session, names: tuple[str, ...]) -> Tenant:
        if session.tenant.is_sys and not names:
            raise not_supported(f"Too little tenant names specified, {_ONE_ONLY}")
        return self._one_tenant(session, names)

    def _one_tenant(self, session: Session, names: tuple[str, ...]) -> Tenant:
        if not session.tenant.is_sys:
            _refuse_names(names)
            return session.tenant
        if not names:
            raise not_supported("need to specify a tenant name")
        tenants = self._listed(names)
        if len(tenants) > 1:
            raise not_supported(f"Too many tenant names specified, {_ONE_ONLY}")
        return tenants[0]

    def _tenants_with_policy(self, session: Session, names: tuple[str, ...]) -> list[Tenant]:
        if not session.tenant.is_sys:
            _refuse_names(names)
            if self._catalog.cleanup.policy(session.tenant.tenant_id) is None:
                raise NotFoundError("there is no delete policy", hint="ALTER SYSTEM ADD DELETE BACKUP POLICY")
            return [session.tenant]
        having = {policy.tenant_id for policy in self._catalog.cleanup.policies()}
        if names and not names_everyone(names):
            tenants = self._listed(names)
            lacking = [tenant.name for tenant in tenants if tenant.tenant_id not in having]
        else:
            tenants = [tenant for tenant in self._everyone(names) if tenant.tenant_id in having]
            lacking = [] if tenants else ["all"]
        if lacking:
            # OceanBase's newer source has a code of its own for this, whose number is not published.
            raise refuse(codes.OB_ENTRY_NOT_EXIST, _NO_POLICY, hint=", ".join(lacking))
        return tenants

    def _listed(self, names: tuple[str, ...]) -> list[Tenant]:
        """Return the tenants of a list, each once. Raises -5160 for an unknown one, -4016 for sys, 1235 for a mixture."""
        if names_everyone(names):
            return self._everyone(names)
        found: dict[int, Tenant] = {}
        for name in names:
            tenant = self._catalog.tenants.find(name)
            if tenant is None:
                raise unknown_tenant(name)
            if tenant.is_sys:
                raise refuse(codes.OB_ERR_UNEXPECTED, hint="tenant sys is not backed up; name user tenants")
            found.setdefault(tenant.tenant_id, tenant)
        return list(found.values())

    def _everyone(self, names: tuple[str, ...]) -> list[Tenant]:
        if len(names) > 1:
            raise not_supported("all/all_user/all_meta in combination with other names is")
        tenants = [] if names and names[0].lower() == "all_meta" else list(self._catalog.tenants.user_tenants())
        if not tenants:
            raise not_supported("No valid tenant name given")
        return tenants

    # --- recording jobs

    def _delete_ids(
        self, session: Session, names: tuple[str, ...], kind: DeleteType, ids: tuple[int, ...], description: str
    ) -> Reply:
        tenant = self._one_tenant(session, names)
        self._around.tenures.refuse_deletion(tenant.tenant_id)
        if len(ids) > _IDS_MAX:
            raise not_supported(f"the number of ids to be deleted more than {_IDS_MAX}")
        parameter = ",".join(str(one) for one in dict.fromkeys(ids))
        return self._submit(session, [tenant], kind, parameter=parameter, description=description)

    def _submit(
        self,
        session: Session,
        tenants: list[Tenant],
        kind: DeleteType,
        *,
        parameter: str = "",
        dest_id: int = 0,
        description: str = "",
        is_everyone: bool = False,
        left_out: Sequence[LeftOut] = (),
    ) -> Reply:
        """Record a job for each tenant, from sys below a job of its own, and wake the workers."""
        level = JobLevel.USER_TENANT
        if session.tenant.is_sys:
            level = JobLevel.CLUSTER if is_everyone else JobLevel.SYS_TENANT
        first = DeleteJob(
            tenant_id=SYS_TENANT_ID,
            job_id=0,
            initiator_tenant_id=session.tenant.tenant_id,
            initiator_job_id=0,
            executor_tenant_ids=tuple(tenant.tenant_id for tenant in tenants),
            type=kind,
            parameter=parameter,
            job_level=level,
            start_timestamp_us=self._now_us(),
            description=description,
        )
        jobs: list[DeleteJob] = []
        parent_id = 0
        if session.tenant.is_sys:
            parent_id = self._catalog.cleanup.next_job_id(SYS_TENANT_ID)
            jobs.append(
                replace(
                    first,
                    job_id=parent_id,
                    initiator_job_id=parent_id,
                    status=JobStatus.DOING,
                    task_count=len(tenants),
                    owner_generation=self._generation,
                    comment=comment_of(left_out),
                )
            )
        jobs += [
            replace(
                first,
                tenant_id=tenant.tenant_id,
                job_id=self._catalog.cleanup.next_job_id(tenant.tenant_id),
                initiator_job_id=parent_id,
                executor_tenant_ids=(tenant.tenant_id,),
                expired_time_us=self._expired_us(tenant.tenant_id, first) if kind is DeleteType.OBSOLETE else None,
                dest_id=dest_id,
            )
            for tenant in tenants
        ]
        self._catalog.cleanup.submit(jobs)
        self._dispatch()
        return Reply(warnings=warnings_of(left_out))

    def _expired_us(self, tenant_id: int, job: DeleteJob) -> int | None:
        policy = self._catalog.cleanup.policy(tenant_id)
        window_us = None if policy is None else policy_of(policy).recovery_window_us
        return None if window_us is None else max(1_000_000, job.start_timestamp_us - window_us)

    # --- the hour

    def _schedule(self) -> None:
        while not self._ended.wait(self._poll_seconds):
            try:
                self._submit_due()
                self._dispatch()
            except HoldfastError as error:
                log.warning("the hourly cleanup can not be begun yet: %s", error)
            except Exception:
                log.exception("the hourly cleanup met a defect of Holdfast")

    def _submit_due(self) -> None:
        """Record a job for every tenant whose last cleanup, or policy when there was none, is an hour old.

        One that lies more than an hour ahead is of a clock that was put right since: it is no reason to wait, or a clock that
        was a year ahead would cost a year of cleanups.
        """
        busy = {job.tenant_id for job in self._catalog.cleanup.active_jobs() if job.type is DeleteType.OBSOLETE}
        for policy in self._catalog.cleanup.policies():
            last_us = self._catalog.cleanup.last_obsolete_us(policy.tenant_id) or 0
            now_us = self._now_us()
            is_due = all(abs(now_us - time_us) >= self._interval_us for time_us in (last_us, policy.create_time_us))
            if not is_due or policy.tenant_id in busy:
                continue
            try:
                tenant = self._catalog.tenants.by_id(policy.tenant_id)
            except NotFoundError:
                continue  # dropped at this moment
            if tenant.status is TenantStatus.NORMAL:
                self._catalog.log_sources.bound()
                own = Session(tenant=tenant, user="", client_id=0, time_zone=UTC)
                self._submit(own, [tenant], DeleteType.OBSOLETE)

    # --- workers

    def _dispatch(self) -> None:
        """Give every tenant's oldest active job to a worker, unless one of the tenant's is in work."""
        for job in self._catalog.cleanup.active_jobs():
            if job.tenant_id == SYS_TENANT_ID:
                continue
            with self._lock:
                if self._ended.is_set() or job.tenant_id in self._running:
                    continue
                running = _Running(job=job, stops=Stops())
                self._running[job.tenant_id] = running
                running.future = self._pool.submit(
                    guarded(log, f"tenant {job.tenant_id}: deletion job {job.job_id}", partial(self._work, running))
                )

    def _work(self, running: _Running) -> None:
        tenant_id, job_id = running.job.tenant_id, running.job.job_id
        is_carried_on = True
        try:
            job = self._catalog.cleanup.claim(tenant_id, job_id, self._generation)
            if job is not None:
                self._run(CleanupRun(self._around, job, running.stops))
        except HoldfastError as error:
            # The catalog itself failed: the row stays as it is, owned by us, and is taken up a moment later.
            log.error("tenant %d: deletion job %d could not be carried on: %s", tenant_id, job_id, error)
            is_carried_on = False
        except Exception:
            log.exception(
                "tenant %d: deletion job %d met a defect of Holdfast and is taken up again", tenant_id, job_id
            )
            is_carried_on = False
            is_carried_on = False
        finally:
            with self._lock:
                if self._running.get(tenant_id) is running:
                    del self._running[tenant_id]
            if not running.stops.is_server_stopping:
                self._begin_next(tenant_id, job_id, at_once=is_carried_on)

    def _begin_next(self, tenant_id: int, job_id: int, *, at_once: bool) -> None:
        """Give what waits to workers now that this job's has left; a moment later if the catalog does not answer.

        Not by the hour's thread alone: that looks every 15 s, and a look of its own that fails costs 15 s more.
        """
        if at_once:
            try:
                self._dispatch()
                return
            except HoldfastError as error:
                log.warning("the next deletion is begun later: %s", error)
            except Exception:
                log.exception("the next deletion is begun later")
        self._left.add(tenant_id, job_id, self._dispatch)

    def _run(self, run: CleanupRun) -> None:
        try:
            run.run()
        except HoldfastError:
            raise
        except Exception as error:
            log.exception("a deletion job met a defect of Holdfast")
            run.fail(DefectError(error))

    def _settle(self, parent_id: int) -> None:
        """End a sys job when none of its children is active, now or when the catalog answers.

        The last child ends it as it ends. This is for one whose children an earlier build has ended without it.
        """
        try:
            self._settle_now(parent_id)
        except HoldfastError as error:
            log.error("deletion job %d of tenant sys could not be ended yet: %s", parent_id, error)
            self._left.add(SYS_TENANT_ID, parent_id, lambda: self._settle_now(parent_id))
        except Exception:
            log.exception("deletion job %d of tenant sys could not be ended yet", parent_id)
            self._left.add(SYS_TENANT_ID, parent_id, lambda: self._settle_now(parent_id))

    def _settle_now(self, parent_id: int) -> None:
        """Repeatable: the first to come ends it. Raises HoldfastError when the catalog does not answer."""
        cleanup = self._catalog.cleanup
        try:
            parent = cleanup.job(SYS_TENANT_ID, parent_id)
            outcome = outcome_of(parent, cleanup.children(parent))
            if not parent.is_active or outcome is None:
                return
            cleanup.finish(
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


def _preview_rows(tenant: Tenant, plan: Plan, zone: timezone) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    if plan.refusal is not None:
        rows.append((tenant.name, "CLEANUP", None, None, "REFUSED", plan.refusal.comment, None, None))
    for verdict in plan.sets:
        fact = verdict.entry
        scns = (int(fact.start_replay_scn), int(fact.min_restore_scn))
        rows.append((tenant.name, "BACKUP SET", fact.backup_set_id, 0, verdict.action, verdict.reason, *scns))
    for piece in plan.pieces:
        part = piece.entry
        scns = (int(part.start_scn), int(part.checkpoint_scn))
        rows.append((tenant.name, "BACKUP PIECE", part.piece_id, part.round_id, piece.action, piece.reason, *scns))
    for one in plan.lapsed:
        until = Scn(one.hold_end_timestamp_us * 1000).display(zone)
        reason = f"standby {one.name} has taken in no log for a week, until {until}: no piece is kept for it"
        rows.append((tenant.name, "STANDBY", one.tenant_id, None, "LAPSED", reason, int(one.sync_scn), None))
    for lost in plan.lost:
        reason = f"{lost.first_scn.display(zone)} to {lost.last_scn.display(zone)} can not be restored afterwards"
        rows.append((tenant.name, "MOMENTS", None, None, "LOST", reason, int(lost.first_scn), int(lost.last_scn)))
    return rows


def _check_policy_name(name: str) -> None:
    if name.lower() not in set(PolicyName):
        raise not_supported("The policy name is not 'default', it is")


def _refuse_names(names: tuple[str, ...]) -> None:
    if names:
        raise not_supported("user tenant cannot specify tenant names")


def _no_such_set(set_id: int) -> RefusedError:
    return refuse(codes.OB_ENTRY_NOT_EXIST, f"there is no backup set {set_id}")
