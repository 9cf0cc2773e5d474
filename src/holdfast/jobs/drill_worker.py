"""One drill job from its row to its end: a validation whose tasks are restores.

    1. the task's set and a random moment it reaches are drawn, the drill's row is written with the scratch tenant's name
                                     killed after: the next server restores under the same name, or goes on with what is there
    2. the scratch tenant is restored by the ordinary restore, in its own worker
    3. every table is read, every index is held against its table, assertions are asked
    4. the result is recorded, then the scratch tenant goes, then the rows end: as long as they are active somebody comes back

A drill restores what a person would: blocks, log, a real engine. It says that this set gave back this moment; of log behind the
moment and of objects that no row of it needs, only `LEVEL = 'physical'` knows.
"""

import hashlib
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.reach import Path, SetFact, usable_sets
from holdfast.catalog.drills import Drill, DrillCheck
from holdfast.catalog.validation import PathType, ValidateJob, ValidateTask, ValidateType
from holdfast.destination.facts import Facts, of_tenant, read_what_answers
from holdfast.engine import control
from holdfast.engine.session import Session, SqlError
from holdfast.errors import CanceledError, HoldfastError, NotFoundError, RefusedError, refuse
from holdfast.jobs.auxiliary import find_restored, remove_auxiliary
from holdfast.jobs.endings import tell_end
from holdfast.jobs.known_damage import leave_damage_aside
from holdfast.jobs.restores import RestoreOrder, Restores
from holdfast.jobs.stops import ServerStoppingError, Stops
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.jobs.validation_worker import Place, ValidationRun, ValidationSurroundings
from holdfast.keys.password import Passwords
from holdfast.statement.split import split
from holdfast.store.store import Store
from holdfast.tables.checks import Checked, check_assertion, check_index, check_table, indexes_of
from holdfast.tables.plan import TableName
from holdfast.tables.run import prepare, tables_listed, tables_of
from holdfast.values.backup_set import JobStatus
from holdfast.values.destination import DestinationKind, Uri, parse_uri
from holdfast.values.drill import CheckResult, CheckType, DrillResult, DrillStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import DRILL_PREFIX, TenantPurpose
from holdfast.verify.plan import parse_ids

log = logging.getLogger("holdfast.drills")

ASSERTIONS = "backup_drill_assertions"
_WATCH_SECONDS = 0.2
_REPLAY_SECONDS_MAX = 600.0
_COMMENT_CHARACTERS_MAX = 4000
_NAMED_MAX = 3
_CHANCE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class DrillGround:
    """What a drill needs besides what every validation needs."""

    supervisor: Supervisor
    tenants: Tenants
    restores: Restores


class DrillRun(ValidationRun):
    """One drill job in the hands of a worker of this server."""

    def __init__(
        self,
        around: ValidationSurroundings,
        ground: DrillGround,
        job: ValidateJob,
        stops: Stops,
        passwords: Passwords | None = None,
    ) -> None:
        super().__init__(around, job, stops, passwords)
        self._closed: set[int] = set()
        self._ground = ground
        self._drills = around.catalog.drills
        self._session: Session | None = None

    def interrupt(self) -> None:
        """Break what the worker waits for in the scratch engine: it has been told to stop."""
        session = self._session
        if session is not None:
            session.interrupt()

    def fail(self, error: HoldfastError) -> None:
        """End the job, after its scratch tenant: where that can not be removed the rows stay, and the next server comes back."""
        result = DrillResult.CANCELED if isinstance(error, CanceledError) else DrillResult.FAILED
        try:
            for drill in self._drills.unfinished(self._job):
                end_drill(self._around, self._ground, drill, result, str(error), self._stops)
        except HoldfastError as trouble:
            log.error("tenant %d: drill job %d is not over yet: %s", self._job.tenant_id, self._job.job_id, trouble)
            return
        super().fail(error)

    # --- the plan

    def _tasks(
        self, data: Place | None, archive: Place | None, stores: Mapping[DestinationKind, Store]
    ) -> list[ValidateTask]:
        if data is None:
            raise refuse(codes.OB_INVALID_ARGUMENT, "set validate level", hint="a drill needs a data destination")
        found = self._facts(data)
        there = {fact.manifest.backup_set_id for fact in found.sets}
        usable = {fact.manifest.backup_set_id: fact for fact, _ in usable_sets(found.sets, found.pieces)}
        ref = names.parse_set_root(data.root)
        if self._job.ids or ref is not None:
            wanted = parse_ids(self._job.ids) if self._job.ids else (ref.set_id,) if ref is not None else ()
            if not set(wanted) <= there:
                hint = f"left aside as damaged: {', '.join(one.text for one in found.damaged)}" if found.damaged else ""
                raise NotFoundError("some specified backup set not found", code=codes.OB_ENTRY_NOT_EXIST, hint=hint)
        else:
            wanted = tuple(sorted(usable))[-1:]
        unusable = [set_id for set_id in wanted if set_id not in usable]
        if unusable or not wanted:
            what = f"backup set {unusable[0]} reaches no moment" if unusable else "no backup set can be restored"
            raise RefusedError(what, hint="DBA_OB_RESTORABLE_WINDOWS says why", code=codes.OB_OP_NOT_ALLOW)
        return [
            self._task(ValidateType.BACKUPSET, set_id, data, usable[set_id].root, PathType.BACKUP_SET_DEST)
            for set_id in wanted
        ]

    def _facts(self, data: Place) -> Facts:
        """Return what a restore finds at the data destination and at every archive destination the tenant ever had.

        An archive that can not be read gives no log: what then still can be restored decides. Raises what the data destination says.
        """
        destinations = self._around.catalog.destinations.all_of(self._job.tenant_id)
        archives = (one.uri for one in destinations if one.kind is DestinationKind.ARCHIVE_LOG)
        found, troubles = read_what_answers(
            dict.fromkeys((data.uri, *archives)),
            self._around.open_store,
            masters=self._around.masters(self._job.tenant_id),
        )
        if data.uri in troubles:
            raise troubles.pop(data.uri)
        for uri, trouble in troubles.items():
            log.warning("tenant %d: log at %s is left out of a drill: %s", self._job.tenant_id, uri.identity, trouble)
        cluster_id = self._around.identity.cluster_id
        return leave_damage_aside(
            self._around.catalog, of_tenant(found, cluster_id=cluster_id, tenant_id=self._job.tenant_id)
        )

    # --- the tasks

    def _carry_out(self, task: ValidateTask, place: Place, store: Store) -> None:
        task = replace(task, status=JobStatus.DOING, start_timestamp_us=self._now_us())
        self._validation.note_task(task)
        drill = self._drills.of_task(task.tenant_id, task.task_id)
        if drill is None:
            try:
                drill = self._draw(task, place)
            except NotFoundError as error:  # deleted meanwhile; the other sets can still be drilled
                self._end_task(task, JobStatus.FAILED, error.code.number, str(error))
                return
        if drill.result is DrillResult.NONE:
            drill = self._decided(drill)
        drill = end_drill(self._around, self._ground, drill, drill.result, drill.comment, self._stops)
        what = f"tenant {task.tenant_id}: drill {drill.drill_id} of backup set {task.object_id}"
        tell_end(log, what, drill.result, drill.comment)
        if drill.result is DrillResult.CANCELED:
            raise CanceledError
        is_good = drill.result is DrillResult.PASSED
        task = replace(task, total_bytes=drill.restored_bytes, validated_bytes=drill.restored_bytes)
        status = JobStatus.COMPLETED if is_good else JobStatus.FAILED
        failed = codes.OB_BACKUP_INVALID_PASSWORD if drill.drill_id in self._closed else codes.OB_CHECKSUM_ERROR
        self._end_task(task, status, 0 if is_good else failed.number, self._words(drill))

    def _words(self, drill: Drill) -> str:
        moment = f"restored to SCN {int(drill.restore_scn)}"
        if drill.result is DrillResult.PASSED:
            return f"{moment}: {drill.table_count} tables, {drill.index_count} indexes, {drill.assertion_count} assertions hold"
        return f"drill {drill.drill_id}, {moment}: {drill.comment}"

    def _draw(self, task: ValidateTask, place: Place) -> Drill:
        """Draw the moment and record the drill, before anything is made."""
        found = self._facts(place)
        usable = {fact.manifest.backup_set_id: (fact, path) for fact, path in usable_sets(found.sets, found.pieces)}
        if task.object_id not in usable:
            raise NotFoundError(f"backup set {task.object_id} can not be restored any more")
        fact, path = usable[task.object_id]
        first, last = fact.manifest.min_restore_scn, path.reach
        drill = Drill(
            tenant_id=task.tenant_id,
            drill_id=self._drills.next_id(task.tenant_id),
            job_id=task.job_id,
            task_id=task.task_id,
            backup_set_id=task.object_id,
            backup_set_list=",".join(str(set_id) for set_id in fact.manifest.chain),
            first_scn=first,
            last_scn=last,
            restore_scn=Scn(_CHANCE.randint(int(first), int(last))),
            restore_from=",".join(uri.identity for uri in self._sources(found, fact, path, place)),
            aux_tenant_name=f"{DRILL_PREFIX}{self._now_us()}",
            start_timestamp_us=self._now_us(),
        )
        self._drills.put(drill)
        return drill

    def _sources(self, found: Facts, fact: SetFact, path: Path, place: Place) -> list[Uri]:
        """Return the folders of the chain and of the log, each alone: a newer set at the same place must not be taken instead."""
        chain = set(fact.manifest.chain)
        folders = [f"{place.uri.path}/{one.root}" for one in found.sets if one.manifest.backup_set_id in chain]
        uris = [replace(place.uri, path=folder) for folder in folders]
        for step in path.steps:
            piece = step.piece
            source = found.sources[piece.source]
            if source.kind is DestinationKind.ARCHIVE_LOG:  # else a set's own, which comes with its set
                uri = parse_uri(source.store.location)
                uris.append(replace(uri, path=f"{uri.path}/{piece.root}"))
        return list(dict.fromkeys(uris))

    # --- one drill

    def _decided(self, drill: Drill) -> Drill:
        """Return the drill with its result, recorded. Raises ServerStoppingError, and EngineError for what may pass."""
        try:
            tenant_id = self._restored(drill)
            row = self._around.catalog.restores.of_tenant(tenant_id)
            if (row.backup_tenant_id, row.backup_cluster_name) != (drill.tenant_id, self._around.identity.name):
                # Judged above, and restored behind that: the folders are another's by now. Nothing of it is shown to this tenant.
                raise RefusedError(
                    "what lies in the set's folder is another tenant's", code=codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH
                )
            drill = self._put(
                drill,
                status=DrillStatus.CHECKING,
                restored_timestamp_us=drill.restored_timestamp_us or self._now_us(),
                restored_bytes=row.finish_bytes,
            )
            return self._checked(drill, tenant_id)
        except ServerStoppingError:
            raise
        except HoldfastError as error:
            reason: HoldfastError = error
            try:
                self._check()  # that it was told to end, if it was, and not what the interruption looked like
            except ServerStoppingError:
                raise
            except HoldfastError as told:
                reason = told
            if self._is_worth_another(reason):
                raise
            result = DrillResult.CANCELED if isinstance(reason, CanceledError) else DrillResult.FAILED
            if reason.code is codes.OB_BACKUP_INVALID_PASSWORD:
                self._closed.add(drill.drill_id)  # nothing is known to be damaged
            return self._put(drill, result=result, comment=str(reason)[:_COMMENT_CHARACTERS_MAX])

    def _restored(self, drill: Drill) -> int:
        """Return the scratch tenant, readable; it is restored unless an earlier attempt did."""
        self._check()
        tenant = self._around.catalog.tenants.find(drill.aux_tenant_name)
        if tenant is not None and self._goes_on_writing(tenant.tenant_id):
            # Its engine may have been started again since, and nothing tells when that one shows all of its log.
            remove_auxiliary(self._around.catalog, self._ground.tenants, self._around.clock, tenant.name, self._stops)
            tenant = None
        if tenant is None:
            tenant = self._ground.restores.begin(
                RestoreOrder(
                    name=drill.aux_tenant_name,
                    sources=tuple(parse_uri(text) for text in drill.restore_from.split(",")),
                    target=drill.restore_scn,
                    kept=self._set_key,
                    masters=self._around.masters(drill.tenant_id),
                    description=f"restore drill {drill.drill_id} of tenant {drill.tenant_id}",
                    purpose=TenantPurpose.AUXILIARY,
                )
            )
        while find_restored(self._around.catalog, tenant.tenant_id) is None:
            self._stops.rest(_WATCH_SECONDS)
        return tenant.tenant_id

    def _goes_on_writing(self, tenant_id: int) -> bool:
        return self._ground.supervisor.directory(tenant_id).version.release.is_standby_writing

    def _checked(self, drill: Drill, tenant_id: int) -> Drill:
        """Run all checks and record what they found."""
        self._drills.begin_checks(drill)
        made: list[DrillCheck] = []
        session = self._ground.supervisor.session(tenant_id)
        self._session = session
        try:
            self._check()
            if not self._goes_on_writing(tenant_id):
                control.wait_replayed(session, _REPLAY_SECONDS_MAX, check=self._check)
            prepare(session)
            for name in tables_of(session):
                table = self._one(made, drill, CheckType.TABLE, partial(check_table, session, name), name)
                if table.result is CheckResult.FAILED:
                    continue  # it has said so
                # What a lost connection leaves unread must end the attempt: a drill that skips it would pass.
                for index in indexes_of(session, name):
                    check = partial(check_index, session, name, index)
                    self._one(made, drill, CheckType.INDEX, check, name, index.name)
            for text in self._assertions(drill.tenant_id):
                self._one(made, drill, CheckType.ASSERTION, partial(check_assertion, session, text), text=text)
        finally:
            self._session = None
            session.close()
        missed = self._missed(tenant_id, made)
        self._drills.add_checks(made)
        tables = [check for check in made if check.check_type is CheckType.TABLE]
        failed = [check for check in made if check.result is CheckResult.FAILED]
        words = [_named(check) for check in failed[:_NAMED_MAX]]
        return self._put(
            drill,
            result=DrillResult.FAILED if failed or missed else DrillResult.PASSED,
            table_count=len(tables),
            index_count=sum(check.check_type is CheckType.INDEX for check in made),
            assertion_count=sum(check.check_type is CheckType.ASSERTION for check in made),
            row_count=sum(check.row_count for check in tables),
            failed_count=len(failed),
            unchecked_count=sum(check.result is CheckResult.UNCHECKED for check in made),
            result_digest=_digest(tables),
            comment="; ".join([missed, *words] if missed else words)[:_COMMENT_CHARACTERS_MAX],
        )

    def _missed(self, tenant_id: int, made: list[DrillCheck]) -> str:
        """Return what is wrong with the list of tables that was gone through, "" if nothing: asked elsewhere, in another session."""
        with self._ground.supervisor.session(tenant_id) as session:
            listed = tables_listed(session)
        read = {(one.database_name, one.table_name) for one in made if one.check_type is CheckType.TABLE}
        missed = [name.text for name in listed if (name.database, name.table) not in read]
        if not missed:
            return ""
        return f"{len(missed)} of {len(listed)} tables were not read: {', '.join(missed[:_NAMED_MAX])}"

    def _one(
        self,
        made: list[DrillCheck],
        drill: Drill,
        kind: CheckType,
        check: Callable[[], Checked],
        name: TableName | None = None,
        text: str = "",
    ) -> DrillCheck:
        """Make one check and put it to the others. What the engine says against it fails it; a lost connection ends the attempt."""
        self._check()
        clock = self._around.clock
        begun = clock.monotonic()
        try:
            found = check()
        except SqlError as error:
            if error.is_lost:
                raise
            found = Checked(result=CheckResult.FAILED, comment=f"engine error {error.errno}: {error.text}")
        made.append(
            DrillCheck(
                tenant_id=drill.tenant_id,
                drill_id=drill.drill_id,
                check_id=len(made) + 1,
                check_type=kind,
                database_name=name.database if name else "",
                table_name=name.table if name else "",
                check_name=text,
                result=found.result,
                row_count=found.row_count,
                checksum=found.checksum,
                elapsed_us=int((clock.monotonic() - begun) * 1_000_000),
                comment=found.comment[:_COMMENT_CHARACTERS_MAX],
            )
        )
        return made[-1]

    def _assertions(self, tenant_id: int) -> tuple[str, ...]:
        return tuple(piece.text for piece in split(self._around.catalog.parameters.get(tenant_id, ASSERTIONS) or ""))

    def _put(self, drill: Drill, **changes: object) -> Drill:
        drill = replace(drill, **changes)  # type: ignore[arg-type]
        self._drills.put(drill)
        return drill


def end_drill(
    around: ValidationSurroundings,
    ground: DrillGround,
    drill: Drill,
    result: DrillResult,
    comment: str,
    stops: Stops,
) -> Drill:
    """Remove a drill's scratch tenant, then end its row; a result that was recorded before stays. Raises EngineError."""
    if drill.result is DrillResult.NONE:
        drill = replace(drill, result=result, comment=comment[:_COMMENT_CHARACTERS_MAX])
    around.catalog.drills.put(replace(drill, status=DrillStatus.REMOVING))
    remove_auxiliary(around.catalog, ground.tenants, around.clock, drill.aux_tenant_name, stops)
    drill = replace(drill, status=DrillStatus.FINISHED, finish_timestamp_us=around.clock.now_ns() // 1000)
    around.catalog.drills.put(drill)
    return drill


def _digest(tables: list[DrillCheck]) -> str:
    """Return the evidence: the SHA-256 over a line for each table, sorted."""
    lines = sorted(f"{one.database_name}.{one.table_name} {one.row_count} {one.checksum}\n" for one in tables)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _named(check: DrillCheck) -> str:
    what = f"{check.database_name}.{check.table_name}" if check.table_name else "assertion"
    return f"{what} {check.check_name}: {check.comment}" if check.check_name else f"{what}: {check.comment}"
