"""One deletion job from its row to its end.

INIT: the world is read and a plan made of it; a refusal fails the job before anything was touched. Then the job is DOING and
its tasks, written in the same transaction, are the plan: a server that takes the job up goes on with the tasks that are left.

For one set, in order; what a crash after each step leaves:

    1  FILE_STATUS DELETING      it is no base and not pinned any more; restores still find it, whole
    2  manifest removed          it exists for no reader; its data are all there
    3  nobody reads it           a restore that began before 2 may still read: the job ends here, the next one goes on
    4  objects, folder removed   rubbish that nobody finds, less and less of it
    5  FILE_STATUS DELETED       the row stays

Increments go before what they rest on, sets before pieces, pieces oldest first.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.backup.plan import DEFAULT_THREADS
from holdfast.backup_format import names
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.cleanup import DeleteJob, DeletePolicy, DeleteTask, DeleteTaskType, DeleteType
from holdfast.clock import Clock
from holdfast.codes import Code
from holdfast.destination.facts import places_of
from holdfast.errors import (
    CanceledError,
    ConflictError,
    EngineError,
    HoldfastError,
    NotFoundError,
    RefusedError,
    StoreUnavailableError,
)
from holdfast.jobs.backup_keys import MastersOf, no_masters
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.endings import tell_end
from holdfast.jobs.estate import Survey, survey
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.stops import ServerStoppingError, Stops
from holdfast.jobs.tenure import Tenures
from holdfast.keys.keyring import Keyring
from holdfast.retention import by_hand
from holdfast.retention.plan import judge, pieces_of
from holdfast.retention.run import Remover
from holdfast.retention.verdict import PieceEntry, Plan, Policy, PolicyName, Refusal, SetEntry
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, RoundStatus
from holdfast.values.backup_set import JobStatus
from holdfast.values.capacity import time_us_from_text
from holdfast.values.destination import Destination, DestinationKind, parse_uri
from holdfast.values.pace import lanes_of
from holdfast.values.tenant import Tenant

log = logging.getLogger("holdfast.cleanup")

ATTEMPTS_MAX = 3
"""Attempts at one job, over servers' lives and failures that may pass. What was removed is not looked for again."""
_PLANS_MAX = 5
"""Plans made for one job when pins change under it; they change by a person's hand."""
_RETRY_SECONDS = 2.0
_ASK_SECONDS = 0.5
_TELL_SECONDS = 0.5
_COMMENT_CHARACTERS_MAX = 4000
_LEFT_NAMED_MAX = 20
_NOTHING_FOUND = "nothing was found"


@dataclass(frozen=True, slots=True)
class CleanupSurroundings:
    """What every deletion needs."""

    catalog: Catalog
    clock: Clock
    identity: ClusterIdentity
    open_store: OpenStore
    keyring: Callable[[int], Keyring]
    is_left_behind: Callable[[int], bool]
    tenures: Tenures
    masters: MastersOf = no_masters


def policy_of(stored: DeletePolicy) -> Policy:
    """Return the policy as retention takes it."""
    text = stored.recovery_window
    return Policy(name=PolicyName(stored.policy_name), recovery_window_us=time_us_from_text(text) if text else None)


def plan_obsolete(
    around: CleanupSurroundings, tenant_id: int, now_us: int, *, check: Callable[[], None] = lambda: None
) -> Plan:
    """Return what DELETE OBSOLETE BACKUP would do at `now_us`. Raises NotFoundError (-4018) without a policy."""
    stored = around.catalog.cleanup.policy(tenant_id)
    if stored is None:
        raise NotFoundError("there is no delete policy", hint="ALTER SYSTEM ADD DELETE BACKUP POLICY")
    found = survey(
        around.catalog,
        around.open_store,
        tenant_id,
        cluster_id=around.identity.cluster_id,
        check=check,
        is_left_behind=around.is_left_behind(tenant_id),
        masters=around.masters(tenant_id),
    )
    return judge(found.estate, policy_of(stored), now_us)


class _TaskJournal:
    """The journal of one task, kept in its row."""

    def __init__(self, around: CleanupSurroundings, task: DeleteTask, stops: Stops) -> None:
        self.task = task
        self._around = around
        self._stops = stops
        self._asked = self._told = around.clock.monotonic()

    def check(self) -> None:
        self._stops.check()
        now = self._around.clock.monotonic()
        if now - self._asked >= _ASK_SECONDS:
            self._asked = now
            if self._around.catalog.cleanup.cancel_requested(self.task.tenant_id, self.task.job_id):
                self._stops.cancel()
                raise CanceledError

    def expect(self, *, count: int, size_bytes: int) -> None:
        # After a crash the first total stands; what is not there any more was removed, told or not.
        total, total_bytes = max(self.task.total_files_count, count), max(self.task.total_bytes, size_bytes)
        self._save(
            replace(
                self.task,
                total_files_count=total,
                total_bytes=total_bytes,
                delete_files_count=total - count,
                delete_bytes=total_bytes - size_bytes,
            )
        )

    def removed(self, *, count: int, size_bytes: int) -> None:
        self.task = replace(
            self.task,
            delete_files_count=self.task.delete_files_count + count,
            delete_bytes=self.task.delete_bytes + size_bytes,
        )
        if self._around.clock.monotonic() - self._told >= _TELL_SECONDS:
            self._save(self.task)

    def _save(self, task: DeleteTask) -> None:
        self.task = task
        self._told = self._around.clock.monotonic()
        self._around.catalog.cleanup.note_task(task)


class CleanupRun:
    """One deletion job in the hands of a worker of this server."""

    def __init__(self, around: CleanupSurroundings, job: DeleteJob, stops: Stops) -> None:
        self._around = around
        self._cleanup = around.catalog.cleanup
        self._job = job
        self._stops = stops
        self._work: _Work | None = None

    def run(self) -> None:
        """Carry the job to its end, or leave it to the next server. Raises nothing but defects."""
        while True:
            try:
                self._attempt()
                return
            except ServerStoppingError:
                return
            except ConflictError as error:
                log.warning("tenant %d: deletion job %d: %s", self._job.tenant_id, self._job.job_id, error)
                return
            except HoldfastError as error:
                if not self._is_worth_another(error):
                    self._end_badly(error)
                    return
                log.warning("tenant %d: deletion job %d: %s", self._job.tenant_id, self._job.job_id, error)
                with suppress(RefusedError, CanceledError):  # a reason to end is met by the next attempt's own look
                    try:
                        self._stops.rest(_RETRY_SECONDS * self._job.attempt)
                    except ServerStoppingError:
                        return
                self._job = self._cleanup.update_job(replace(self._job, attempt=self._job.attempt + 1))

    def fail(self, error: HoldfastError) -> None:
        """End the job as FAILED for a reason from outside."""
        if self._work is not None:
            self._end_task(self._work, error)
        self._end_badly(error)

    def _attempt(self) -> None:
        self._check()
        if self._job.attempt > ATTEMPTS_MAX:
            raise EngineError(f"gave up after {ATTEMPTS_MAX} attempts, the last one ended with its server")
        tenant = self._around.catalog.tenants.by_id(self._job.tenant_id)
        self._around.tenures.await_archive(tenant.tenant_id, self._around.open_store, self._stops.rest, removes=True)
        if self._job.status is JobStatus.INIT:
            self._begin(tenant)
        tasks = self._cleanup.tasks(self._job)
        for task in tasks:
            if task.is_active:
                self._carry_out(task, tasks)
        if self._job.dest_id:
            self._empty_destination()
        self._finish(JobStatus.COMPLETED, 0, self._job.comment)

    def _check(self) -> None:
        self._stops.check()
        if self._job.status is JobStatus.CANCELING or self._job.cancel_requested:
            raise CanceledError

    # --- the plan

    def _begin(self, tenant: Tenant) -> None:
        """Make the plan and write it down as tasks."""
        for _ in range(_PLANS_MAX):
            pins = self._cleanup.pins(tenant.tenant_id)
            sets, pieces, comment = self._plan(tenant)
            tasks = self._tasks(sets, pieces)
            try:
                begun = replace(self._job, status=JobStatus.DOING, comment=comment)
                self._job = self._cleanup.begin(begun, tasks, pins)
            except RefusedError as error:
                if error.code is not codes.OB_EAGAIN:
                    raise
                continue
            self._check()
            return
        raise EngineError("the pins changed again and again while the deletion was planned")

    def _plan(self, tenant: Tenant) -> tuple[tuple[SetEntry, ...], tuple[PieceEntry, ...], str]:
        if self._job.type is DeleteType.OBSOLETE:
            return self._plan_obsolete()
        found = survey(
            self._around.catalog,
            self._around.open_store,
            tenant.tenant_id,
            cluster_id=self._around.identity.cluster_id,
            check=self._stops.check,
            is_left_behind=self._around.is_left_behind(tenant.tenant_id),
            masters=self._around.masters(tenant.tenant_id),
        )
        has_policy = self._cleanup.policy(tenant.tenant_id) is not None
        ids = tuple(int(text) for text in self._job.parameter.split(",") if text)
        estate = found.estate
        if self._job.type is DeleteType.BACKUPSET:
            sets = tuple(fact for fact in estate.sets if fact.backup_set_id in ids)
            unreachable = self._unreachable({fact.dest_id for fact in sets})
            _raise(by_hand.refuse_sets(estate, ids, has_policy=has_policy, unreachable=unreachable))
            for fact in sets:
                self._refuse_reader(fact.dest_id, by_hand.SET_CODE, f"id={fact.backup_set_id}(restore in progress)")
            return _newest_first(sets), (), ""
        if self._job.type is DeleteType.PIECE:
            pieces = tuple(fact for fact in estate.pieces if fact.piece_id in ids)
            unreachable = self._unreachable({fact.dest_id for fact in pieces})
            _raise(by_hand.refuse_pieces(estate, ids, has_policy=has_policy, unreachable=unreachable))
            for piece in pieces:
                self._refuse_reader(piece.dest_id, by_hand.PIECE_CODE, f"id={piece.piece_id}(restore in progress)")
            return (), pieces, ""
        return self._plan_all(tenant, found)

    def _plan_obsolete(self) -> tuple[tuple[SetEntry, ...], tuple[PieceEntry, ...], str]:
        began_us = self._job.start_timestamp_us
        plan = plan_obsolete(self._around, self._job.tenant_id, began_us, check=self._stops.check)
        _raise(plan.refusal)
        sets = tuple(fact for fact in plan.doomed_sets if not self._readers(fact.dest_id))
        pieces = tuple(fact for fact in plan.doomed_pieces if not self._readers(fact.dest_id))
        left = len(plan.doomed_sets) + len(plan.doomed_pieces) - len(sets) - len(pieces)
        return sets, pieces, f"{left} left to the next cleanup: a restore reads from their path" if left else ""

    def _plan_all(self, tenant: Tenant, found: Survey) -> tuple[tuple[SetEntry, ...], tuple[PieceEntry, ...], str]:
        dest_id, catalog = self._job.dest_id, self._around.catalog
        destination = catalog.destinations.by_id(tenant.tenant_id, dest_id)
        comment = _nothing_words(destination) if self._is_gone(destination) else ""
        for code in () if comment else self._unreachable({dest_id}).values():
            raise RefusedError(by_hand.NOT_CONNECTED, code=code)
        if destination.kind is DestinationKind.BACKUP_DATA:
            jobs = catalog.backups.active_jobs(tenant_id=tenant.tenant_id)
            is_written = any(job.dest_id == dest_id for job in jobs) or self._around.is_left_behind(tenant.tenant_id)
            _raise(by_hand.refuse_all_data(found.estate, dest_id, is_written=is_written))
            self._refuse_reader(dest_id, by_hand.SET_CODE, "restore in progress")
            sets = [
                fact
                for fact in found.estate.sets
                if fact.dest_id == dest_id and fact.file_status is not FileStatus.DELETED
            ]
            return _newest_first(sets), (), comment
        rounds = catalog.rounds.summary(tenant.tenant_id)
        is_written = any(one.dest_id == dest_id and one.status is not RoundStatus.STOP for one in rounds)
        _raise(by_hand.refuse_all_archive(found.estate, dest_id, is_written=is_written))
        self._refuse_reader(dest_id, by_hand.PIECE_CODE, "restore in progress")
        return (), pieces_of(found.estate, dest_id), comment

    def _tasks(self, sets: tuple[SetEntry, ...], pieces: tuple[PieceEntry, ...]) -> list[DeleteTask]:
        tasks: list[DeleteTask] = []
        for fact in sets:
            task = self._task(DeleteTaskType.BACKUP_SET, fact.backup_set_id, 0, fact.dest_id)
            tasks.append(task)
            if fact.has_log:
                tasks.append(replace(task, task_type=DeleteTaskType.COMPLEMENT_LOG))
        tasks += [
            self._task(DeleteTaskType.BACKUP_PIECE, piece.piece_id, piece.round_id, piece.dest_id) for piece in pieces
        ]
        return tasks

    def _task(self, kind: DeleteTaskType, object_id: int, round_id: int, dest_id: int) -> DeleteTask:
        return DeleteTask(
            tenant_id=self._job.tenant_id,
            task_id=0,  # given when the job begins
            job_id=self._job.job_id,
            task_type=kind,
            object_id=object_id,
            round_id=round_id,
            dest_id=dest_id,
            start_timestamp_us=self._now_us(),
            path=self._destination(dest_id).uri.identity,
        )

    # --- the tasks

    def _carry_out(self, task: DeleteTask, tasks: tuple[DeleteTask, ...]) -> None:
        self._stops.check()
        if self._cleanup.cancel_requested(task.tenant_id, task.job_id):
            raise CanceledError
        journal = _TaskJournal(self._around, task, self._stops)
        self._work = work = _Work(journal)
        try:
            is_gone = self._forget(work) if self._found_nothing() else self._remove(work, tasks)
        except ServerStoppingError:
            raise
        except HoldfastError as error:
            self._end_task_badly(work, error)
            raise
        done = replace(
            journal.task, status=JobStatus.COMPLETED, end_timestamp_us=self._now_us(), finish_ls_count=1, result=0
        )
        self._cleanup.finish_task(done, is_gone=is_gone)
        self._work = None

    def _remove(self, work: "_Work", tasks: tuple[DeleteTask, ...]) -> bool:
        """Remove what a task names; return whether nothing is left of its set or piece."""
        journal, task = work.journal, work.journal.task
        # Before the mark: what this server may not remove is not called DELETING.
        work.store = self._taken_store(task.dest_id)
        self._refuse_reader_of(task)
        journal.task = task = self._cleanup.begin_task(task)
        remover = Remover(work.store, journal, self._thread_count())
        if task.task_type is DeleteTaskType.BACKUP_PIECE:
            self._remove_piece(remover, task)
            return True
        return self._remove_set(remover, task, tasks)

    def _found_nothing(self) -> bool:
        """Return whether the path of a DELETE BACKUP ALL was not there when the plan was made. Raises RefusedError when it is now.

        A set's key is kept then: what is on a disk that comes back one day may still be wanted.
        """
        if not self._job.dest_id:
            return False
        destination = self._destination(self._job.dest_id)
        if self._job.comment != _nothing_words(destination):
            return False
        if not self._is_gone(destination):
            raise RefusedError(f"{destination.uri.identity} was not there and is again", code=codes.OB_EAGAIN)
        return True

    def _forget(self, work: "_Work") -> bool:
        """Take the row of a set or piece of a path that is gone for deleted."""
        self._refuse_reader_of(work.journal.task)
        work.journal.task = replace(self._cleanup.begin_task(work.journal.task), comment=_NOTHING_FOUND)
        return True

    def _remove_set(self, remover: Remover, task: DeleteTask, tasks: tuple[DeleteTask, ...]) -> bool:
        """Remove a set, or the log it has of its own; return whether nothing is left of it."""
        backup_set = self._around.catalog.backups.backup_set(task.tenant_id, task.object_id)
        set_id, backup_type = backup_set.backup_set_id, backup_set.backup_type
        self._refuse_reader_of(task)
        remover.unname_set(set_id, backup_type)
        # Who began to restore before the manifest went may have read it: leave the data until that restore is over.
        self._refuse_reader_of(task)
        has_log_task = any(
            other.task_type is DeleteTaskType.COMPLEMENT_LOG and other.object_id == set_id for other in tasks
        )
        if task.task_type is DeleteTaskType.BACKUP_SET:
            remover.remove_set(set_id, backup_type)
            if has_log_task:
                return False
        else:
            remover.remove_set_log(set_id, backup_type)
        remover.remove_set_folder(set_id, backup_type)
        # Last: killed before, a key is left that opens nothing.
        self._around.keyring(task.tenant_id).remove(set_id)
        return True

    def _remove_piece(self, remover: Remover, task: DeleteTask) -> None:
        piece = names.PieceRef(dest_id=task.dest_id, round_id=task.round_id, piece_id=task.object_id)
        self._refuse_reader_of(task)
        remover.unname_piece(piece)
        self._refuse_reader_of(task)
        remover.remove_piece(piece)

    def _empty_destination(self) -> None:
        """Remove what is left of ours on the path of DELETE BACKUP ALL."""
        if self._found_nothing():
            return
        destination = self._destination(self._job.dest_id)
        task = self._task(DeleteTaskType.BACKUP_SET, 0, 0, self._job.dest_id)
        journal = _RestJournal(self._around, task, self._stops)
        Remover(self._taken_store(self._job.dest_id), journal, self._thread_count()).remove_rest(destination.kind)

    # --- ends

    def _finish(self, status: JobStatus, result: int, comment: str) -> None:
        self._cleanup.finish(
            replace(self._job, status=status, result=result, comment=comment, end_timestamp_us=self._now_us())
        )
        tell_end(log, f"tenant {self._job.tenant_id}: deletion job {self._job.job_id}", status, comment)

    def _end_badly(self, error: HoldfastError) -> None:
        is_cancelled = isinstance(error, CanceledError)
        status = JobStatus.CANCELED if is_cancelled else JobStatus.FAILED
        comment = "" if is_cancelled else _comment_of(error)
        left = _left_words(self._cleanup.still_deleting(self._job))
        if left:
            comment = f"{comment[: _COMMENT_CHARACTERS_MAX - len(left) - 2]}{comment and '; '}{left}"
        self._finish(status, error.code.number, comment)

    def _end_task_badly(self, work: "_Work", error: HoldfastError) -> None:
        """End the task unless another attempt follows, which goes on with it."""
        if self._is_worth_another(error):
            self._cleanup.note_task(work.journal.task)
            return
        self._end_task(work, error)

    def _end_task(self, work: "_Work", error: HoldfastError) -> None:
        """End the task, and take DELETING back when nothing of its set or piece was removed."""
        task, self._work = work.journal.task, None
        is_cancelled = isinstance(error, CanceledError)
        ended = replace(
            task,
            status=JobStatus.CANCELED if is_cancelled else JobStatus.FAILED,
            end_timestamp_us=self._now_us(),
            result=error.code.number,
            comment="" if is_cancelled else _comment_of(error),
        )
        self._cleanup.finish_task(ended, is_gone=False, is_whole=self._is_whole(task, work.store))

    def _is_whole(self, task: DeleteTask, store: Store | None) -> bool:
        """Return whether a reader still finds the set or piece: what names it goes first. False when that can not be known."""
        if task.task_type is DeleteTaskType.BACKUP_PIECE:
            name = names.piece_info_name(names.piece_root(task.dest_id, task.round_id, task.object_id))
        else:
            found = self._around.catalog.backups.backup_set(task.tenant_id, task.object_id)
            name = names.manifest_name(names.set_root(found.backup_set_id, found.backup_type))
        try:
            if store is None:  # marked by an earlier attempt, and this one may not remove it
                store = self._around.tenures.checked_store(self._destination(task.dest_id), self._around.open_store)
            return store.stat(name) is not None
        except HoldfastError as error:
            log.warning("tenant %d: whether %s is there can not be told: %s", task.tenant_id, name, error)
            return False

    def _is_worth_another(self, error: HoldfastError) -> bool:
        """Return whether the same may succeed a moment later: the destination stumbled, or the catalog is restarted."""
        is_passing = isinstance(error, EngineError) or (
            isinstance(error, StoreUnavailableError) and error.code is codes.OB_OBJECT_STORAGE_IO_ERROR
        )
        return is_passing and self._job.attempt < ATTEMPTS_MAX

    # --- the world

    def _destination(self, dest_id: int) -> Destination:
        return self._around.catalog.destinations.by_id(self._job.tenant_id, dest_id)

    def _taken_store(self, dest_id: int) -> Store:
        """Return the destination when it is this tenant's, and this server its writer: elsewhere nothing is removed.

        One that is full is told from the record that lies there: to remove takes no free byte.
        """
        destination = self._destination(dest_id)
        store = self._around.tenures.checked_store(destination, self._around.open_store)
        self._around.tenures.take_patiently(destination, store, self._stops.rest, removes=True)
        return store

    def _unreachable(self, dest_ids: set[int]) -> dict[int, Code]:
        """Return which of the destinations fail their check, and with what code. Takes none: the deletion may yet be refused."""
        found: dict[int, Code] = {}
        for dest_id in dest_ids:
            try:
                self._around.tenures.checked_store(self._destination(dest_id), self._around.open_store)
            except HoldfastError as error:
                found[dest_id] = error.code
        return found

    def _is_gone(self, destination: Destination) -> bool:
        """Return whether it is certain that nothing lies at a path: it is absent, or an empty directory.

        A path that does not answer, or forbids, or holds what is not ours, may hold what is looked for.
        """
        try:
            return self._around.open_store(destination.uri).is_empty()
        except NotFoundError:
            return True
        except HoldfastError:
            return False

    def _readers(self, dest_id: int) -> bool:
        """Return whether a restore of this cluster reads from the destination. Those of other clusters are not known."""
        identity = self._destination(dest_id).uri.identity
        if identity in self._around.catalog.quick.sources():
            return True  # blocks of a tenant that is open already still come from there
        return any(
            identity in places_of(parse_uri(text) for text in job.backup_dest.split(","))
            for job in self._around.catalog.restores.active()
        )

    def _refuse_reader_of(self, task: DeleteTask) -> None:
        code = by_hand.PIECE_CODE if task.task_type is DeleteTaskType.BACKUP_PIECE else by_hand.SET_CODE
        self._refuse_reader(task.dest_id, code, f"id={task.object_id}(restore in progress)")

    def _refuse_reader(self, dest_id: int, code: Code, reason: str) -> None:
        if self._readers(dest_id):
            raise RefusedError(reason, code=code)

    def _thread_count(self) -> int:
        score = int(self._around.catalog.parameters.get(self._job.tenant_id, "ha_low_thread_score"))
        return lanes_of(score, DEFAULT_THREADS)

    def _now_us(self) -> int:
        return self._around.clock.now_ns() // 1000


@dataclass(slots=True)
class _Work:
    """The task in work. `store`: its destination, once this server may remove there."""

    journal: _TaskJournal
    store: Store | None = None


class _RestJournal(_TaskJournal):
    """For what is removed without a task: it can be cancelled, and nobody counts."""

    def expect(self, *, count: int, size_bytes: int) -> None:
        pass

    def removed(self, *, count: int, size_bytes: int) -> None:
        pass


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise RefusedError(refusal.comment, code=refusal.code)


def _comment_of(error: HoldfastError) -> str:
    """Return what COMMENT says: a refusal's own words, of anything else the code with what happened."""
    if isinstance(error, RefusedError):
        return str(error)[:_COMMENT_CHARACTERS_MAX]
    return f"result: {error.code.number}({error.code.default}): {error}"[:_COMMENT_CHARACTERS_MAX]


def _nothing_words(destination: Destination) -> str:
    """Return what COMMENT says of a DELETE BACKUP ALL that found its path gone; a job that is taken up is known by it."""
    return (
        f"{_NOTHING_FOUND} at {destination.uri.identity}: what the catalog listed there is DELETED, nothing was removed"
    )


def _left_words(tasks: tuple[DeleteTask, ...]) -> str:
    """Return what stays DELETING, and what to do about it; "" for nothing."""
    if not tasks:
        return ""
    named = [
        f"{'piece' if task.task_type is DeleteTaskType.BACKUP_PIECE else 'backup set'} {task.object_id}"
        for task in tasks[:_LEFT_NAMED_MAX]
    ]
    more = f" and {len(tasks) - len(named)} more" if len(tasks) > len(named) else ""
    return (
        f"{', '.join(named)}{more} may be removed in part and no more to be restored: DELETING until a cleanup by the policy, or"
        " DELETE by the id, goes on"
    )


def _newest_first(sets: tuple[SetEntry, ...] | list[SetEntry]) -> tuple[SetEntry, ...]:
    return tuple(sorted(sets, key=lambda fact: fact.backup_set_id, reverse=True))
