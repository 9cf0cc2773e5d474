"""One table recovery from its rows to its end; every step may be taken again after a crash.

    RESTORE_AUX_TENANT   the restore's own worker works; here its job's row is watched
    PRECHECK_IMPORT      what is there, what it will be called, whether that can be
    GEN_IMPORT_JOB       the import's row and a task for each table
    IMPORTING            tables, `recover_table_concurrency` at once; then foreign keys, then views of whole databases
    end                  scratch databases and the auxiliary tenant go, then the rows end

A table that can not be imported fails alone: its task says why, the others go on.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from holdfast import codes
from holdfast.backup_format.owner_record import decode_placeholder, encode_placeholder
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.table_recoveries import ImportJob, ImportTask, PreviewStatus, RecoverJob, TablePreview
from holdfast.clock import Clock
from holdfast.defects import DefectError
from holdfast.engine import control
from holdfast.engine.session import Session, SqlError
from holdfast.errors import (
    CanceledError,
    CorruptionError,
    EngineError,
    HoldfastError,
    RefusedError,
    UnknownVersionError,
)
from holdfast.jobs.auxiliary import find_restored, remove_auxiliary
from holdfast.jobs.endings import tell_end
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.parameters import BY_NAME
from holdfast.jobs.stops import ServerStoppingError, Stops
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenants import Tenants
from holdfast.statement.commands import RecoverTable
from holdfast.statement.parser import parse
from holdfast.tables.definition import foreign_key_for, without_name
from holdfast.tables.difference import difference, key_columns
from holdfast.tables.plan import TableCopy, TableName, check_targets, plan_tables, renamed
from holdfast.tables.run import (
    Copied,
    ScratchOwner,
    Shape,
    compare,
    copy_rows,
    databases_of,
    drop_scratch,
    into_place,
    make_empty,
    prepare,
    shape_of,
    tables_of,
)
from holdfast.tables.views import make_views
from holdfast.values.owner import JobKind
from holdfast.values.table_recovery import ImportStatus, RecoverResult, RecoverStatus, TableStatus

log = logging.getLogger("holdfast.tables")

_T = TypeVar("_T")

_WATCH_SECONDS = 0.2
_CATALOG_WAITS_SECONDS = (0.1, 0.5, 2.0, 5.0)
_TABLES_AT_ONCE_DEFAULT = 2
_TELL_ROWS = 50_000
_ERRORS_OF_BLOCKS = frozenset({codes.OB_IO_ERROR.client, codes.OB_TIMEOUT.client})
_TROUBLE_SECONDS = 1.5
"""A block server tells of its trouble every half second, and the row is brought up to date as often."""
_COMMENT_CHARACTERS_MAX = 4000
_ENGINE_SECONDS_MAX = 60.0
"""An engine that was killed is back within seconds: as long a task waits for it."""
_SHAPE_SECONDS_MAX = 20.0
_NAME_TAKEN = 1022
"""What the engine says of a constraint whose name another one of the database has (measured on 1.4.0)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every recovery needs."""

    catalog: Catalog
    supervisor: Supervisor
    tenants: Tenants
    clock: Clock
    identity: ClusterIdentity


class RecoveryRun:
    """One recovery in the hands of a worker of this server; `job` is the target's row."""

    def __init__(self, around: Surroundings, job: RecoverJob, stops: Stops) -> None:
        self._around = around
        self._rows = around.catalog.table_recoveries
        self._job = job
        self._stops = stops
        self._lock = threading.Lock()
        self._sessions: list[Session] = []
        command = parse(job.statement)
        assert isinstance(command, RecoverTable), "a recovery keeps its own statement"
        self._command = command

    def interrupt(self) -> None:
        """Break what the worker waits for in an engine: it has been told to stop."""
        with self._lock:
            for session in self._sessions:
                session.interrupt()

    def run(self) -> None:
        """Carry the recovery to its end, or leave it to the next server. Raises nothing but defects."""
        name = self._job.target_tenant_name
        try:
            self._decide()
            self._end()
        except ServerStoppingError:
            log.info("tenant %s: its table recovery is taken up by the next server", name)
        except HoldfastError as error:
            log.error("tenant %s: the end of its table recovery could not be recorded: %s", name, error)

    def _decide(self) -> None:
        """Find the recovery's result and record it, before what it was found from is removed: a crash then changes nothing."""
        if self._job.result is not RecoverResult.NONE:
            return
        try:
            result, comment = self._recover()
        except ServerStoppingError:
            raise
        except HoldfastError as error:
            result, comment = RecoverResult.FAILED, self._reason(error)
        except Exception as error:
            log.exception("tenant %s: its table recovery met a defect of Holdfast", self._job.target_tenant_name)
            result, comment = RecoverResult.FAILED, str(DefectError(error))
        self._job = replace(self._job, result=result, comment=comment[:_COMMENT_CHARACTERS_MAX])
        self._patiently(lambda: self._rows.update(self._job), is_ending=True)

    def _reason(self, error: HoldfastError) -> str:
        """Return why the work ended: that it was told to, if it was, and not what the interruption looked like."""
        try:
            self._stops.check()
        except ServerStoppingError:
            raise
        except HoldfastError as told:
            error = told
        return "canceled" if isinstance(error, CanceledError) else self._words(error)

    def _words(self, error: HoldfastError) -> str:
        """Return the error, and what keeps the auxiliary tenant's blocks from coming if it may be that.

        An engine tells of an IO error, or of time that is over, and not of which object.
        """
        if not (isinstance(error, SqlError) and error.errno in _ERRORS_OF_BLOCKS):
            return str(error)
        try:
            row = self._around.catalog.quick.find(self._job.aux_tenant_id)
            if row is not None and not row.comment:
                self._around.clock.sleep(_TROUBLE_SECONDS)
                row = self._around.catalog.quick.find(self._job.aux_tenant_id)
        except HoldfastError:
            row = None
        return f"{error}; {row.comment}" if row is not None and row.comment else str(error)

    def _stops_first(self, error: HoldfastError) -> None:
        """Raise why the work was interrupted instead of what the interruption looked like."""
        self._stops.check()
        if isinstance(error, CanceledError):
            raise error

    def _recover(self) -> tuple[RecoverResult, str]:
        self._stops.check()
        if any(row.cancel_requested for row in self._patiently(self._rows.active) if self._is_ours(row)):
            raise CanceledError  # between the record of the job and its worker
        self._wait_restored()
        self._tell(RecoverStatus.PRECHECK_IMPORT)
        if self._command.preview:
            return self._preview()
        found = self._patiently(lambda: self._rows.import_of(self._job))
        if found is None:
            copies = self._precheck()
            self._tell(RecoverStatus.GEN_IMPORT_JOB)
            found = self._begin_import(copies)
        self._tell(RecoverStatus.IMPORTING)
        return self._import(found)

    def _wait_restored(self) -> None:
        """Return when the auxiliary tenant can be read. Raises AuxiliaryLostError with the restore's own reason."""
        while self._patiently(lambda: find_restored(self._around.catalog, self._job.aux_tenant_id)) is None:
            self._stops.rest(_WATCH_SECONDS)

    # --- preview

    def _preview(self) -> tuple[RecoverResult, str]:
        """Compare every table with the live one of its name; nothing is copied."""
        with self._session(self._job.aux_tenant_id) as backup, self._session(self._job.tenant_id) as live:
            copies = plan_tables(self._command.items, self._command.remap_tables, tables_of(backup))
            present = frozenset(tables_of(live))
        found = []
        for copy in copies:
            self._stops.check()
            found.append(self._compared(copy.source, is_live=copy.source in present))
        differing = sum(preview.status is not PreviewStatus.SAME for preview in found)
        return RecoverResult.SUCCESS, f"preview: {differing} of {len(found)} tables differ"

    def _compared(self, name: TableName, *, is_live: bool) -> TablePreview:
        preview = TablePreview(
            tenant_id=self._job.tenant_id,
            job_id=self._job.job_id,
            database_name=name.database,
            table_name=name.table,
            status=PreviewStatus.MISSING,
        )
        # Sessions of its own: one that was left in the middle of a result can not be used again.
        with self._session(self._job.aux_tenant_id) as backup, self._session(self._job.tenant_id) as live:
            try:
                rows = self._shape(backup, name).rows
                if not is_live:
                    count = int(backup.query(f"SELECT COUNT(*) FROM {name.quoted}")[0][0])
                    preview = replace(preview, rows_only_in_backup=count)
                elif rows.columns != shape_of(live, name).rows.columns:
                    preview = replace(
                        preview, status=PreviewStatus.NOT_COMPARABLE, comment="its columns are others now"
                    )
                else:
                    found = difference(backup, live, name, rows, key_columns(backup, name), check=self._stops.check)
                    preview = replace(
                        preview,
                        status=PreviewStatus.SAME if found.is_none else PreviewStatus.DIFFERENT,
                        rows_only_in_backup=found.only_in_backup,
                        rows_only_live=found.only_live,
                        rows_changed=found.changed,
                    )
            except RefusedError as error:
                preview = replace(preview, status=PreviewStatus.NOT_COMPARABLE, comment=error.message)
        self._patiently(lambda: self._rows.save_preview(preview))
        return preview

    # --- import

    def _precheck(self) -> tuple[TableCopy, ...]:
        with self._session(self._job.aux_tenant_id) as source:
            copies = plan_tables(self._command.items, self._command.remap_tables, tables_of(source))
        with self._session(self._job.tenant_id) as target:
            check_targets((copy.target for copy in copies), databases_of(target), tables_of(target))
        return copies

    def _begin_import(self, copies: tuple[TableCopy, ...]) -> ImportJob:
        job = self._job
        job_id, task_ids = self._patiently(lambda: self._rows.next_import_ids(job.tenant_id, len(copies)))
        made = ImportJob(
            tenant_id=job.tenant_id,
            job_id=job_id,
            initiator_tenant_id=job.tenant_id,
            initiator_job_id=job.job_id,
            start_timestamp_us=self._now_us(),
            src_tenant_name=job.aux_tenant_name,
            src_tenant_id=job.aux_tenant_id,
            status=ImportStatus.IMPORT_TABLE,
            import_all=job.import_all,
            db_list=job.db_list,
            table_list=job.table_list,
            remap_db_list=job.remap_db_list,
            remap_table_list=job.remap_table_list,
            total_table_count=len(copies),
            description=job.description,
        )
        tasks = [
            ImportTask(
                tenant_id=job.tenant_id,
                task_id=task_id,
                job_id=job_id,
                src_tenant_id=job.aux_tenant_id,
                src_database=copy.source.database,
                src_table=copy.source.table,
                target_database=copy.target.database,
                target_table=copy.target.table,
            )
            for task_id, copy in zip(task_ids, copies, strict=True)
        ]
        self._patiently(lambda: self._rows.begin_import(made, tasks))
        return made

    def _import(self, job: ImportJob) -> tuple[RecoverResult, str]:
        tasks = self._patiently(lambda: self._rows.tasks(job))
        waiting = [task for task in tasks if task.status is not TableStatus.FINISH]
        with ThreadPoolExecutor(self._tables_at_once(), thread_name_prefix="recover-table") as pool:
            futures = [pool.submit(self._import_table, task) for task in waiting]
            try:
                for future in futures:
                    future.result()
                    self._count(job)
            except BaseException:
                for future in futures:
                    future.cancel()
                raise
        tasks = self._patiently(lambda: self._rows.tasks(job))
        job = self._count(job, status=ImportStatus.RECONSTRUCT_REF_CONSTRAINT)
        for task in tasks:
            if task.result is RecoverResult.SUCCESS:
                self._add_foreign_keys(task)
        notes = self._make_views()
        failed = [
            task for task in self._patiently(lambda: self._rows.tasks(job)) if task.result is RecoverResult.FAILED
        ]
        if not failed:
            result = RecoverResult.SUCCESS
        else:
            result = RecoverResult.FAILED if len(failed) == len(tasks) else RecoverResult.PARTIAL_SUCCESS
            first = f"{failed[0].src_database}.{failed[0].src_table}: {failed[0].comment}"
            notes.insert(0, f"{len(failed)} of {len(tasks)} tables failed: {first}")
        comment = "; ".join(notes)[:_COMMENT_CHARACTERS_MAX]
        status = ImportStatus.IMPORT_FAILED if result is RecoverResult.FAILED else ImportStatus.IMPORT_FINISH
        self._count(job, status=status, result=result, comment=comment)
        return result, comment

    def _import_table(self, task: ImportTask) -> None:
        """Bring one table over, and record how that went. Raises only what ends the whole recovery."""
        try:
            self._stops.check()
            self._bring_over(task)
        except ServerStoppingError:
            raise
        except HoldfastError as error:
            self._stops_first(error)
            log.warning("table %s.%s was not recovered: %s", task.src_database, task.src_table, error)
            latest = next((one for one in self._tasks_of(task) if one.task_id == task.task_id), task)
            self._save(
                replace(
                    latest,
                    status=TableStatus.FINISH,
                    completion_timestamp_us=self._now_us(),
                    result=RecoverResult.FAILED,
                    comment=self._words(error)[:_COMMENT_CHARACTERS_MAX],
                )
            )

    def _tasks_of(self, task: ImportTask) -> tuple[ImportTask, ...]:
        found = self._patiently(lambda: self._rows.import_of(self._job))
        return () if found is None else self._patiently(lambda: self._rows.tasks(found))

    def _bring_over(self, task: ImportTask) -> None:
        name = TableName(database=task.src_database, table=task.src_table)
        final = TableName(database=task.target_database, table=task.target_table)
        place = TableName(database=self._scratch(task), table=task.src_table)
        with self._session(task.src_tenant_id) as source, self._session(task.tenant_id) as target:
            shape = self._shape(source, name)
            if task.status is TableStatus.RENAMING and _is_renamed(target, place, final):
                self._finish(task, shape)  # killed after the rename, before its record
                drop_scratch(target, place.database, self._scratch_owner())
                return
            task = replace(
                task,
                status=TableStatus.DOING,
                start_timestamp_us=task.start_timestamp_us or self._now_us(),
                table_column=len(shape.rows.columns),
                total_index_count=shape.index_count,
                total_constraint_count=shape.constraint_count,
                total_ref_constraint_count=len(shape.definition.foreign_keys),
                row_count=0,
            )
            self._save(task)
            make_empty(target, place.database, shape, self._scratch_owner())
            written, told = 0, 0

            def tell(rows: int) -> None:
                nonlocal written, told
                written += rows
                if written - told >= _TELL_ROWS:
                    told = written
                    with suppress(EngineError):  # a figure for people
                        self._rows.update_task(replace(task, row_count=written))

            copied = copy_rows(source, target, name, place, shape, check=self._stops.check, told=tell)
            self._compare(task, name, place, shape, copied)
            task = replace(task, status=TableStatus.RENAMING, row_count=copied.row_count)
            self._save(task)
            into_place(target, place, final)
            self._finish(task, shape)
            drop_scratch(target, place.database, self._scratch_owner())

    def _compare(self, task: ImportTask, name: TableName, place: TableName, shape: Shape, copied: Copied) -> None:
        """Compare in sessions of their own: whatever state the copying ones are in is not what their work is judged by."""
        with self._session(task.src_tenant_id) as source, self._session(task.tenant_id) as target:
            compare(source, target, name, place, shape, copied)

    def _shape(self, source: Session, name: TableName) -> Shape:
        """Return the shape of a table that is known to be there.

        An engine that has just been started tells its tables in information_schema before its statements know them, and
        while it takes in definitions questions about them can fail in other ways (1146 and 4201 were met).
        """
        end = self._around.clock.monotonic() + _SHAPE_SECONDS_MAX
        while True:
            try:
                return shape_of(source, name)
            except SqlError as error:
                if error.is_lost or self._around.clock.monotonic() > end:
                    raise
            self._stops.rest(_WATCH_SECONDS)

    def _finish(self, task: ImportTask, shape: Shape) -> None:
        self._save(
            replace(
                task,
                status=TableStatus.FINISH,
                completion_timestamp_us=self._now_us(),
                imported_index_count=shape.index_count,
                imported_constraint_count=shape.constraint_count,
                result=RecoverResult.SUCCESS,
            )
        )

    def _add_foreign_keys(self, task: ImportTask) -> None:
        """Add a table's foreign keys; one that does not fit is counted and named, the rows stay."""
        self._stops.check()
        if not task.total_ref_constraint_count:
            return
        name = TableName(database=task.src_database, table=task.src_table)
        final = TableName(database=task.target_database, table=task.target_table)
        with self._session(task.src_tenant_id) as source:
            keys = self._shape(source, name).definition.foreign_keys
        recovered = {
            (one.src_database, one.src_table) for one in self._tasks_of(task) if one.result is RecoverResult.SUCCESS
        }

        def new_name(parent: TableName) -> TableName:
            is_recovered = (parent.database, parent.table) in recovered
            return renamed(parent, self._command.remap_tables) if is_recovered else parent

        added, reasons = 0, []
        with self._session(task.tenant_id) as target:
            target.execute("SET foreign_key_checks = 1")
            present = {without_name(key) for key in shape_of(target, final).definition.foreign_keys}
            for key in (foreign_key_for(key, new_name) for key in keys):
                try:
                    if without_name(key) not in present:  # else a run before this one added it
                        _add_foreign_key(target, final, key)
                    added += 1
                except SqlError as error:
                    self._stops_first(error)
                    reasons.append(error.text)
        comment = f"foreign keys not restored: {'; '.join(reasons)}"[:_COMMENT_CHARACTERS_MAX] if reasons else ""
        self._save(
            replace(
                task,
                imported_ref_constraint_count=added,
                failed_ref_constraint_count=len(reasons),
                comment=comment,
            )
        )

    def _make_views(self) -> list[str]:
        """Make the views of whole databases that keep their names; return what a person should know."""
        items = {item.database for item in self._command.items if item.table == "*"}
        moved = {rule.database for rule in self._command.remap_tables}
        if not items:
            return []
        with self._session(self._job.aux_tenant_id) as source, self._session(self._job.tenant_id) as target:
            failed = make_views(
                source, target, lambda database: ("*" in items or database in items) and database not in moved
            )
        return [f"views not restored: {', '.join(failed)}"] if failed else []

    # --- the end

    def _end(self) -> None:
        result, comment = self._job.result, self._job.comment
        status = RecoverStatus.FAILED if result is RecoverResult.FAILED else RecoverStatus.COMPLETED
        self._remove_scratches()
        around = self._around
        remove_auxiliary(around.catalog, around.tenants, around.clock, self._job.aux_tenant_name, self._stops)
        now_us = self._now_us()
        imported = self._patiently(lambda: self._rows.import_of(self._job), is_ending=True)
        if imported is not None and imported.finish_timestamp_us is None:
            self._end_import(imported, now_us)
        rows = [
            replace(row, status=status, result=result, comment=comment, finish_timestamp_us=now_us)
            for row in self._patiently(self._rows.active, is_ending=True)
            if self._is_ours(row)
        ]
        self._patiently(lambda: self._rows.update(*rows), is_ending=True)
        what = f"tenant {self._job.target_tenant_name}: table recovery {self._job.job_id}"
        tell_end(log, what, status, comment or "all tables are there")

    def _end_import(self, imported: ImportJob, now_us: int) -> None:
        """End the rows of an import that did not come to its own end."""
        result, comment = self._job.result, self._job.comment
        for task in self._patiently(lambda: self._rows.tasks(imported), is_ending=True):
            if task.completion_timestamp_us is None:
                ended = replace(task, completion_timestamp_us=now_us, result=RecoverResult.FAILED, comment=comment)
                self._patiently(partial(self._rows.update_task, ended), is_ending=True)
        over = replace(
            imported, status=ImportStatus.IMPORT_FAILED, result=result, comment=comment, finish_timestamp_us=now_us
        )
        self._patiently(lambda: self._rows.update_import(over), is_ending=True)

    def _remove_scratches(self) -> None:
        """Drop what is not in place. An engine that does not answer keeps it: names say whose it was."""
        prefix = self._scratch_prefix()
        try:
            with self._around.supervisor.session(self._job.tenant_id) as target:
                for database in databases_of(target):
                    if database.startswith(prefix):
                        with suppress(RefusedError):  # a user's, who had the idea to call it so
                            drop_scratch(target, database, self._scratch_owner())
        except HoldfastError as error:  # an engine that does not answer, or a target that was dropped
            log.warning("tenant %s: scratch databases %s* stay: %s", self._job.target_tenant_name, prefix, error)

    # --- small things

    def _is_ours(self, row: RecoverJob) -> bool:
        return row.target_tenant_id == self._job.target_tenant_id

    def _scratch_owner(self) -> ScratchOwner:
        server, job_id = self._around.identity.server, self._job.job_id
        record = encode_placeholder(server.owner(self._now_us(), JobKind.RECOVER_TABLE, job_id)).decode()

        def is_own(found: str) -> bool:
            try:
                return server.lineage.made_for(decode_placeholder(found.encode()), JobKind.RECOVER_TABLE, job_id)
            except (CorruptionError, UnknownVersionError):
                return False

        return ScratchOwner(record=record, is_own=is_own)

    def _scratch_prefix(self) -> str:
        return f"__recover_{self._job.job_id}_"

    def _scratch(self, task: ImportTask) -> str:
        return f"{self._scratch_prefix()}{task.task_id}"

    @contextmanager
    def _session(self, tenant_id: int) -> Iterator[Session]:
        """Yield a prepared session that `interrupt` can break; an engine that is being restarted is waited for."""
        end = self._around.clock.monotonic() + _ENGINE_SECONDS_MAX
        while True:
            self._stops.check()
            try:
                session = self._around.supervisor.session(tenant_id)
                break
            except SqlError:
                if self._around.clock.monotonic() > end:
                    raise
                self._stops.rest(_WATCH_SECONDS)
        with self._lock:
            self._sessions.append(session)
        try:
            self._stops.check()  # told between the look before and the entry in the list
            if tenant_id == self._job.aux_tenant_id:
                self._wait_replayed(session)
            prepare(session)
            yield session
        finally:
            with self._lock:
                self._sessions.remove(session)
            session.close()

    def _wait_replayed(self, session: Session) -> None:
        """Return when the auxiliary engine shows all of its log: one that was started again takes logins before it does.

        An engine whose standby goes on writing its own log has no end to wait for; it is ready when its restore has ended.
        """
        release = self._around.supervisor.directory(self._job.aux_tenant_id).version.release
        if not release.is_standby_writing:
            control.wait_replayed(session, _ENGINE_SECONDS_MAX, check=self._stops.check)

    def _tables_at_once(self) -> int:
        name = "recover_table_concurrency"
        values = self._patiently(lambda: self._around.catalog.parameters.values(self._job.tenant_id))
        return BY_NAME[name].value_of(values.get(name, BY_NAME[name].default)) or _TABLES_AT_ONCE_DEFAULT

    def _tell(self, status: RecoverStatus) -> None:
        self._job = replace(self._job, status=status)
        self._patiently(lambda: self._rows.update(self._job))

    def _count(self, job: ImportJob, **changes: object) -> ImportJob:
        tasks = self._patiently(lambda: self._rows.tasks(job))
        job = replace(
            job,
            finished_table_count=sum(task.result is RecoverResult.SUCCESS for task in tasks),
            failed_table_count=sum(task.result is RecoverResult.FAILED for task in tasks),
            **changes,  # type: ignore[arg-type]
        )
        if job.status in {ImportStatus.IMPORT_FINISH, ImportStatus.IMPORT_FAILED}:
            job = replace(job, finish_timestamp_us=self._now_us())
        self._patiently(lambda: self._rows.update_import(job))
        return job

    def _save(self, task: ImportTask) -> None:
        self._patiently(lambda: self._rows.update_task(task))

    def _now_us(self) -> int:
        return self._around.clock.now_ns() // 1000

    def _patiently(self, what: Callable[[], _T], *, is_ending: bool = False) -> _T:
        """Do something repeatable with the catalog; its engine may be down for a few seconds."""
        for seconds in _CATALOG_WAITS_SECONDS:
            try:
                return what()
            except EngineError as error:
                log.warning("tenant %s: the catalog does not answer: %s", self._job.target_tenant_name, error)
                if is_ending:
                    self._around.clock.sleep(seconds)
                else:
                    self._stops.rest(seconds)
        return what()


def _add_foreign_key(target: Session, table: TableName, key: str) -> None:
    """Add it under its own name, or under one the engine makes where that is taken: a table beside the live one has its keys."""
    try:
        target.execute(f"ALTER TABLE {table.quoted} ADD {key}")
    except SqlError as error:
        if error.errno != _NAME_TAKEN:
            raise
        target.execute(f"ALTER TABLE {table.quoted} ADD {without_name(key)}")


def _is_renamed(target: Session, place: TableName, final: TableName) -> bool:
    """Return whether the table has its name: it is there and the scratch one is not. An engine may fold the case of names."""
    there = {name.text.casefold() for name in _all_tables(target)}
    return place.text.casefold() not in there and final.text.casefold() in there


def _all_tables(session: Session) -> frozenset[TableName]:
    """Return every table, those in scratch databases too."""
    rows = session.query(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
    )
    return frozenset(TableName(database=str(row[0]), table=str(row[1])) for row in rows)
