"""Jobs out of the dictionary views.

Active rows are read before ended ones, so that a row that moves between the two reads is seen in one of them at least;
the ended row wins.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from holdfast.cli.connection import SYS_TENANT_ID, UNKNOWN_TABLE, Connection, Row
from holdfast.cli.job import Job, JobKind
from holdfast.cli.outcome import Failure
from holdfast.values.tenant import AUXILIARY_PREFIXES


class Reader:
    """Reads jobs through one login. A server without cleanup views is asked for them once."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._has_cleanup = True

    def active(self) -> list[Job]:
        """Return every job under way, oldest first within its kind; the rows of sys that only stand for others left out."""
        names = self.connection.tenants()
        jobs = self._backups(names, ended=False)
        jobs += self._restores(names)
        jobs += self._cleanups(names, ended=False)
        jobs += self._validations(names, ended=False)
        jobs += self._recoveries(names, ended=False)
        return [job for job in jobs if not job.is_parent or not _has_children(job, jobs)]

    def ended(self, limit: int) -> list[Job]:
        """Return the `limit` newest ended jobs of each kind, newest first."""
        names = self.connection.tenants()
        tail = f"ORDER BY START_TIMESTAMP DESC, JOB_ID DESC LIMIT {int(limit)}"
        jobs = self._backups(names, ended=True, tail=tail)
        jobs += self._restore_history(names, tail=tail)
        jobs += self._cleanups(names, ended=True, tail=tail)
        jobs += self._validations(names, ended=True, tail=tail)
        jobs += self._recoveries(names, ended=True, tail=tail)
        shown = [job for job in jobs if not job.is_parent or not _has_children(job, jobs)]
        return sorted(shown, key=lambda job: str(job.started), reverse=True)

    def backup(self, tenant_id: int, job_id: int) -> list[Job]:
        """Return one backup as it stands: its own row first, then the rows of the tenants it backs up."""
        where = "(JOB_ID = %s AND TENANT_ID = %s) OR (INITIATOR_TENANT_ID = %s AND INITIATOR_JOB_ID = %s)"
        args: tuple[object, ...] = (job_id, tenant_id, tenant_id, job_id)
        if not self.connection.target.is_sys:
            where, args = "JOB_ID = %s", (job_id,)
        names = self.connection.tenants()
        found = {job.key: job for job in self._backups(names, ended=False, where=where, args=args)}
        found |= {job.key: job for job in self._backups(names, ended=True, where=where, args=args)}
        return sorted(
            found.values(), key=lambda job: (not (job.tenant_id == tenant_id and job.job_id == job_id), job.key)
        )

    def newest_backup(self) -> tuple[int, int]:
        """Return (tenant_id, job_id) of the newest backup the login's own tenant began; job_id 0 when there is none."""
        own = self._own_tenant_id()
        where = f"TENANT_ID = {own}" if self.connection.target.is_sys else ""
        ids = [
            int(row["JOB_ID"])
            for view in ("BACKUP_JOBS", "BACKUP_JOB_HISTORY")
            for row in self.connection.view(view, where, tail="ORDER BY JOB_ID DESC LIMIT 1")
        ]
        return own, max(ids, default=0)

    def newest_restore(self, name: str) -> int:
        """Return the JOB_ID of the newest restore into a tenant of that name, 0 when there is none."""
        where = f"TENANT_ID = {SYS_TENANT_ID} AND RESTORE_TENANT_NAME = %s"
        ids = [
            int(row["JOB_ID"])
            for view in ("RESTORE_PROGRESS", "RESTORE_HISTORY")
            for row in self.connection.view(view, where, (name,), tail="ORDER BY JOB_ID DESC LIMIT 1")
        ]
        return max(ids, default=0)

    def restore(self, job_id: int) -> tuple[list[Job], Row | None]:
        """Return one restore as it stands, and its row of RESTORE_HISTORY once it ended."""
        names = self.connection.tenants()
        active = [job for job in self._restores(names) if job.job_id == job_id]
        where = f"TENANT_ID = {SYS_TENANT_ID} AND JOB_ID = %s"
        history = self.connection.view("RESTORE_HISTORY", where, (job_id,))
        if history:
            return [_restored(row, names) for row in history], history[0]
        return active, None

    def _own_tenant_id(self) -> int:
        return SYS_TENANT_ID if self.connection.target.is_sys else next(iter(self.connection.tenants()), 0)

    def _backups(
        self, names: dict[int, str], *, ended: bool, where: str = "", args: Iterable[object] = (), tail: str = ""
    ) -> list[Job]:
        rows = self.connection.view("BACKUP_JOB_HISTORY" if ended else "BACKUP_JOBS", where, tuple(args), tail=tail)
        if not rows:
            return []
        tasks = {} if ended else {_key(task): task for task in self.connection.view("BACKUP_TASKS")}
        # A task ends before its job: without its figures the job would seem to fall back to nothing.
        if any(_key(row) not in tasks and row["TENANT_ID"] != SYS_TENANT_ID for row in rows):
            ids = ", ".join(sorted({str(int(row["JOB_ID"])) for row in rows}))
            for task in self.connection.view("BACKUP_TASK_HISTORY", f"JOB_ID IN ({ids})"):
                tasks.setdefault(_key(task), task)
        return [_backup(row, tasks.get(_key(row)), names) for row in rows]

    def _restores(self, names: dict[int, str]) -> list[Job]:
        """Return the restores under way: the row of sys carries the ids, the tenant's own row the phase."""
        rows = self.connection.view("RESTORE_PROGRESS") if self.connection.target.is_sys else []
        phases = {
            int(row["RESTORE_TENANT_ID"]): str(row["STATUS"]) for row in rows if row["TENANT_ID"] != SYS_TENANT_ID
        }
        return [
            _restoring(row, phases, names)
            for row in rows
            if row["TENANT_ID"] == SYS_TENANT_ID and not _is_auxiliary(row)
        ]

    def _restore_history(self, names: dict[int, str], *, tail: str) -> list[Job]:
        if not self.connection.target.is_sys:
            return []
        where = " AND ".join(
            (
                f"TENANT_ID = {SYS_TENANT_ID}",
                *(f"RESTORE_TENANT_NAME NOT LIKE '{prefix}%%'" for prefix in AUXILIARY_PREFIXES),
            )
        )
        rows = self.connection.view("RESTORE_HISTORY", where, tail=tail)
        return [_restored(row, names) for row in rows]

    def _validations(self, names: dict[int, str], *, ended: bool, tail: str = "") -> list[Job]:
        """Return validations and drills: a drill's figures are those of the restore into its scratch tenant, while there is one."""
        rows = self.connection.view("BACKUP_VALIDATE_JOB_HISTORY" if ended else "BACKUP_VALIDATE_JOBS", tail=tail)
        if not rows:
            return []
        drills: dict[tuple[int, int], Row] = {}
        if any(_is_drill(row) for row in rows):
            ids = ", ".join(sorted({str(int(row["JOB_ID"])) for row in rows}))
            for drill in self.connection.view("RESTORE_DRILLS", f"JOB_ID IN ({ids})", tail="ORDER BY DRILL_ID"):
                drills[_key(drill)] = drill
        return [_validation(row, drills.get(_key(row)), names) for row in rows]

    def _recoveries(self, names: dict[int, str], *, ended: bool, tail: str = "") -> list[Job]:
        """Return table recoveries, of each the row that the tenant itself has, and the tables its import has brought."""
        where = f"TENANT_ID <> {SYS_TENANT_ID}" if self.connection.target.is_sys else ""
        rows = self.connection.view("RECOVER_TABLE_JOB_HISTORY" if ended else "RECOVER_TABLE_JOBS", where, tail=tail)
        if not rows:
            return []
        imports = {
            (int(one["TENANT_ID"]), int(one["INITIATOR_JOB_ID"])): one
            for view in ("IMPORT_TABLE_JOB_HISTORY", "IMPORT_TABLE_JOBS")
            for one in self.connection.view(view)
        }
        return [_recovery(row, imports.get(_key(row)), names) for row in rows]

    def _cleanups(self, names: dict[int, str], *, ended: bool, tail: str = "") -> list[Job]:
        if not self._has_cleanup:
            return []
        try:
            rows = self.connection.view("BACKUP_DELETE_JOB_HISTORY" if ended else "BACKUP_DELETE_JOBS", tail=tail)
        except Failure as failure:
            if failure.code != UNKNOWN_TABLE:
                raise
            self._has_cleanup = False
            return []
        return [_cleanup(row, names) for row in rows]


def _has_children(parent: Job, jobs: list[Job]) -> bool:
    return any(
        job.kind is parent.kind
        and job.tenant_id != parent.tenant_id
        and job.initiator_job_id == parent.job_id
        and job.initiator_tenant_id == parent.tenant_id
        for job in jobs
    )


def _key(row: Row) -> tuple[int, int]:
    return int(row["TENANT_ID"]), int(row["JOB_ID"])


def _number(row: Row | None, name: str) -> int:
    return int((row or {}).get(name) or 0)


def _text(row: Row | None, name: str) -> str:
    return str((row or {}).get(name) or "")


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) else None


def elapsed_seconds(row: Row, ended: str) -> float:
    """Return how long a row's job took, or has taken by the server's clock; 0 when its times are not known."""
    begin, end = _moment(row.get("START_TIMESTAMP")), _moment(row.get(ended)) or _moment(row.get("NOW"))
    return 0.0 if begin is None or end is None else max(0.0, (end - begin).total_seconds())


def _backup(row: Row, task: Row | None, names: dict[int, str]) -> Job:
    tenant_id, job_id = _key(row)
    what = _text(row, "BACKUP_TYPE") + (" + log" if row.get("PLUS_ARCHIVELOG") == "ON" else "")
    return Job(
        kind=JobKind.BACKUP,
        tenant_id=tenant_id,
        tenant=names.get(tenant_id, str(tenant_id)),
        job_id=job_id,
        what=what,
        state=_text(row, "STATUS"),
        phase=_text(task, "STATUS") or _text(row, "STATUS"),
        unit="blocks",
        done=_number(task, "FINISH_MACRO_BLOCK_COUNT"),
        total=_number(task, "MACRO_BLOCK_COUNT"),
        bytes_read=_number(task, "INPUT_BYTES"),
        bytes_written=_number(task, "OUTPUT_BYTES"),
        elapsed_seconds=elapsed_seconds(row, "END_TIMESTAMP"),
        started=row.get("START_TIMESTAMP"),
        ended=row.get("END_TIMESTAMP"),
        result=_number(row, "RESULT"),
        comment=_text(row, "COMMENT"),
        description=_text(row, "DESCRIPTION"),
        initiator_tenant_id=_number(row, "INITIATOR_TENANT_ID"),
        initiator_job_id=_number(row, "INITIATOR_JOB_ID"),
        backup_set_id=_number(row, "BACKUP_SET_ID"),
        path=_text(row, "PATH"),
    )


def _restoring(row: Row, phases: dict[int, str], names: dict[int, str]) -> Job:
    state = phases.get(_number(row, "RESTORE_TENANT_ID")) or _text(row, "STATUS")
    return _restore(row, names, state=_text(row, "STATUS"), phase=state, ended_name="FINISH_TIMESTAMP")


def _restored(row: Row, names: dict[int, str]) -> Job:
    state = _text(row, "STATUS")
    return _restore(row, names, state=state, phase=state, ended_name="FINISH_TIMESTAMP")


def _restore(row: Row, names: dict[int, str], *, state: str, phase: str, ended_name: str) -> Job:
    return Job(
        kind=JobKind.RESTORE,
        tenant_id=_number(row, "RESTORE_TENANT_ID"),
        tenant=_text(row, "RESTORE_TENANT_NAME"),
        job_id=_number(row, "JOB_ID"),
        what=f"of {_text(row, 'BACKUP_TENANT_NAME')}",
        state=state,
        phase=phase,
        unit="bytes",
        done=_number(row, "FINISH_BYTES"),
        total=_number(row, "TOTAL_BYTES"),
        bytes_read=_number(row, "FINISH_BYTES"),
        bytes_written=0,
        elapsed_seconds=elapsed_seconds(row, ended_name),
        started=row.get("START_TIMESTAMP"),
        ended=row.get(ended_name),
        result=0,  # RESTORE_HISTORY has no RESULT; COMMENT says why
        comment=_text(row, "COMMENT"),
        description=_text(row, "DESCRIPTION"),
        initiator_tenant_id=SYS_TENANT_ID,
        initiator_job_id=0,
        path=_text(row, "BACKUP_DEST"),
    )


def _cleanup(row: Row, names: dict[int, str]) -> Job:
    tenant_id, job_id = _key(row)
    return Job(
        kind=JobKind.CLEANUP,
        tenant_id=tenant_id,
        tenant=names.get(tenant_id, str(tenant_id)),
        job_id=job_id,
        what=_text(row, "TYPE"),
        state=_text(row, "STATUS"),
        phase=_text(row, "STATUS"),
        unit="tasks",
        done=_number(row, "SUCCESS_TASK_COUNT"),
        total=_number(row, "TASK_COUNT"),
        bytes_read=0,
        bytes_written=0,
        elapsed_seconds=elapsed_seconds(row, "END_TIMESTAMP"),
        started=row.get("START_TIMESTAMP"),
        ended=row.get("END_TIMESTAMP"),
        result=_number(row, "RESULT"),
        comment=_text(row, "COMMENT"),
        description="",
        initiator_tenant_id=_number(row, "INITIATOR_TENANT_ID"),
        initiator_job_id=_number(row, "INITIATOR_JOB_ID"),
    )


def _is_auxiliary(row: Row) -> bool:
    return _text(row, "RESTORE_TENANT_NAME").startswith(AUXILIARY_PREFIXES)


def _is_drill(row: Row) -> bool:
    return _text(row, "VALIDATE_LEVEL").lower() == "restore"


def _validation(row: Row, drill: Row | None, names: dict[int, str]) -> Job:
    tenant_id, job_id = _key(row)
    is_drill = _is_drill(row)
    what = "" if is_drill else _text(row, "VALIDATE_LEVEL")
    ids = _text(row, "ID")
    return Job(
        kind=JobKind.DRILL if is_drill else JobKind.VALIDATION,
        tenant_id=tenant_id,
        tenant=names.get(tenant_id, str(tenant_id)),
        job_id=job_id,
        what=" ".join(part for part in (what, f"of {ids}" if ids else "") if part),
        state=_text(row, "STATUS"),
        phase=_text(drill, "STATUS") or _text(row, "STATUS"),
        unit="tasks",
        done=_number(row, "SUCCESS_TASK_COUNT"),
        total=_number(row, "TASK_COUNT"),
        bytes_read=_number(drill, "RESTORED_BYTES"),
        bytes_written=0,
        elapsed_seconds=elapsed_seconds(row, "END_TIMESTAMP"),
        started=row.get("START_TIMESTAMP"),
        ended=row.get("END_TIMESTAMP"),
        result=_number(row, "RESULT"),
        comment=_text(row, "COMMENT"),
        description=_text(row, "DESCRIPTION"),
        initiator_tenant_id=_number(row, "INITIATOR_TENANT_ID"),
        initiator_job_id=_number(row, "INITIATOR_JOB_ID"),
        backup_set_id=_number(drill, "BACKUP_SET_ID"),
        path=_text(row, "PATH"),
    )


def _recovery(row: Row, imported: Row | None, names: dict[int, str]) -> Job:
    tenant_id, job_id = _key(row)
    what = ", ".join(part for part in (_text(row, "TABLE_LIST"), _text(row, "DB_LIST")) if part)
    return Job(
        kind=JobKind.RECOVERY,
        tenant_id=tenant_id,
        tenant=names.get(tenant_id, _text(row, "TARGET_TENANT_NAME")),
        job_id=job_id,
        what=f"of {what}" if what else "",
        state=_text(row, "STATUS"),
        phase=_text(imported, "STATUS") if imported and not imported["FINISH_TIMESTAMP"] else _text(row, "STATUS"),
        unit="tables",
        done=_number(imported, "FINISHED_TABLE_COUNT"),
        total=_number(imported, "TOTAL_TABLE_COUNT"),
        bytes_read=0,
        bytes_written=0,
        elapsed_seconds=elapsed_seconds(row, "FINISH_TIMESTAMP"),
        started=row.get("START_TIMESTAMP"),
        ended=row.get("FINISH_TIMESTAMP"),
        result=0,  # RESULT is a word here, the same as STATUS says; COMMENT says why
        comment=_text(row, "COMMENT"),
        description=_text(row, "DESCRIPTION"),
        initiator_tenant_id=_number(row, "INITIATOR_TENANT_ID"),
        initiator_job_id=_number(row, "INITIATOR_JOB_ID"),
        path=_text(row, "BACKUP_DEST"),
    )
