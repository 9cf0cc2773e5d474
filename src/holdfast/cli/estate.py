"""Reads what a verdict is made from through one login: section by section, each from views any client can read.

A section that fails or does not answer in time says why and stands for itself; the others are read all the same. The one that
asks the destinations comes last: it alone can hang.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from holdfast.cli.connection import SYS_TENANT_ID, UNKNOWN_TABLE, Connection, Row
from holdfast.cli.outcome import Failure
from holdfast.values.window import WindowStatus
from holdfast.verdict.facts import (
    Archive,
    BackupSet,
    Estate,
    Health,
    JobKind,
    Last,
    Schedule,
    Span,
    Tenant,
)

OPTIONAL = frozenset({"health"})
"""Sections of views that an older server has not: their absence is no fact."""
_COMMENT_CHARACTERS_MAX = 300
ENGINE_COMMENT_CHARACTERS_MAX = 1000
"""What `Reach.words` says of accounts that nobody can log in with ends with the way out, so it is shown whole."""
_OWN_SCHEMAS = ("oceanbase", "information_schema", "mysql", "test", "__holdfast", "__recyclebin", "__public", "sys")
_SPAN_WORDS = frozenset(str(status) for status in WindowStatus)
_NOW_US = "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"
_DROPPED_SETS = "STATUS = 'SUCCESS' AND FILE_STATUS NOT IN ('DELETED', 'DELETING')"


def _us(column: str) -> str:
    return f"CAST(UNIX_TIMESTAMP({column}) * 1000000 AS SIGNED) AS {column}_US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One question to one view. `newest_of`: only the newest JOB_ID of each value of these columns is asked for."""

    name: str
    view: str
    columns: tuple[str, ...]
    moments: tuple[str, ...] = ()
    where: str = ""
    newest_of: tuple[str, ...] = ()

    def sql(self, *, of_sys: bool) -> str:
        """Return the question as sys asks it of all tenants, or a tenant of itself."""
        view = f"oceanbase.{'CDB' if of_sys else 'DBA'}_OB_{self.view}"
        owner = ("TENANT_ID",) if of_sys else ()
        listed = ", ".join((*(f"v.{column}" for column in (*owner, *self.columns)), *map(_us, self.moments)))
        where = f" WHERE {self.where}" if self.where else ""
        if not self.newest_of:
            return f"SELECT {listed} FROM {view} v{where}"
        keys = ", ".join((*owner, *self.newest_of))
        same = " AND ".join(f"m.{column} = v.{column}" for column in (*owner, "JOB_ID"))
        newest = f"SELECT {keys}, MAX(JOB_ID) AS JOB_ID FROM {view}{where} GROUP BY {keys}"
        return f"SELECT {listed} FROM {view} v JOIN ({newest}) m ON {same}"


_ENDED = "STATUS IN ('COMPLETED', 'FAILED')"
SECTIONS: tuple[Section, ...] = (
    Section(name="archive", view="ARCHIVELOG", columns=("STATUS", "CHECKPOINT_SCN", "COMMENT")),
    Section(
        name="sets",
        view="BACKUP_SET_FILES",
        columns=("BACKUP_SET_ID", "FILE_STATUS", "MIN_RESTORE_SCN", "PATH"),
        where=_DROPPED_SETS,
    ),
    Section(
        name="backups",
        view="BACKUP_JOB_HISTORY",
        columns=("JOB_ID", "BACKUP_TYPE", "STATUS", "COMMENT"),
        moments=("END_TIMESTAMP",),
        where=_ENDED,
        newest_of=("BACKUP_TYPE", "STATUS"),
    ),
    Section(
        name="validations",
        view="BACKUP_VALIDATE_JOB_HISTORY",
        columns=("JOB_ID", "VALIDATE_LEVEL", "STATUS", "COMMENT"),
        moments=("END_TIMESTAMP",),
        where=_ENDED,
        newest_of=("VALIDATE_LEVEL", "STATUS"),
    ),
    Section(
        name="cleanups",
        view="BACKUP_DELETE_JOB_HISTORY",
        columns=("JOB_ID", "STATUS", "COMMENT"),
        moments=("END_TIMESTAMP",),
        where=_ENDED,
        newest_of=("STATUS",),
    ),
    Section(
        name="schedules",
        view="BACKUP_SCHEDULES",
        columns=("SCHEDULE_TYPE", "LAST_STATUS", "LAST_COMMENT"),
        moments=("NEXT_TIMESTAMP", "LAST_DUE_TIMESTAMP"),
    ),
    Section(name="damages", view="BACKUP_DAMAGES", columns=("OBJECT_NAME",), where="STATUS = 'OPEN'"),
    Section(
        name="health",
        view="TENANT_HEALTH",
        columns=(
            "ENGINE_STATUS",
            "ENGINE_COMMENT",
            "SPOOL_COMMENT",
            "WRITES_STALLED",
            "DESTINATION_COMMENT",
            "KEY_COMMENT",
            "ROOTS_COMMENT",
        ),
    ),
    Section(
        name="windows",
        view="RESTORABLE_WINDOWS",
        columns=("STATUS", "START_SCN", "END_SCN", "BACKUP_SET_IDS", "RESTORE_FROM", "CAUSE", "REMEDY"),
    ),
)
"""In the order they are asked. `tenants` comes before them, `sys_data` before the last."""

_SYS_DATA = (
    "SELECT SCHEMA_NAME AS NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ({known})"
    " UNION SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA IN ({ours}) AND TABLE_TYPE = 'BASE TABLE'"
)


@dataclass(slots=True)
class Board:
    """What was read so far, by section. Written by one thread and read by another: whole values only, never changed in place."""

    now_us: int = 0
    of_sys: bool = False
    time_zone: str = ""
    version: str = ""
    rows: dict[str, list[Row]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def snapshot(self) -> "Board":
        """Return what is on the board now, whatever is put on it later."""
        return replace(self, rows=dict(self.rows), unread=dict(self.unread))


def read_board(connection: Connection, board: Board) -> None:
    """Read every section onto the board. Raises Failure where the login itself is lost."""
    of_sys = board.of_sys = connection.target.is_sys
    clock = connection.rows(f"SELECT {_NOW_US} AS NOW_US, @@session.time_zone AS ZONE, VERSION() AS VERSION")[0]
    board.now_us = int(clock["NOW_US"])
    board.time_zone, board.version = str(clock["ZONE"]), str(clock["VERSION"])
    _read(board, "tenants", lambda: connection.rows("SELECT * FROM oceanbase.DBA_OB_TENANTS ORDER BY TENANT_ID"))
    *early, last = SECTIONS
    for section in early:
        _read(board, section.name, lambda section=section: connection.rows(section.sql(of_sys=of_sys)))  # type: ignore[misc]
    if of_sys:
        _read(board, "sys_data", lambda: connection.rows(_sys_data_sql(board)))
    _read(board, last.name, lambda: connection.rows(last.sql(of_sys=of_sys)))


def _read(board: Board, name: str, ask: Callable[[], list[Row]]) -> None:
    try:
        board.rows[name] = ask()
    except Failure as failure:
        if not failure.code:
            raise
        if failure.code == UNKNOWN_TABLE and name in OPTIONAL:
            board.rows[name] = []
        else:
            board.unread[name] = failure.text()


def _sys_data_sql(board: Board) -> str:
    tenants = [f"t{int(row['TENANT_ID'])}" for row in board.rows.get("tenants", ())]
    known = ", ".join(f"'{name}'" for name in (*_OWN_SCHEMAS, *tenants))
    # There are views in a tenant's schema and nothing else of ours.
    return _SYS_DATA.format(known=known, ours=", ".join(f"'{name}'" for name in ("test", *tenants)))


def estate_of(board: Board, *, missing: str) -> Estate:
    """Return the facts of a board. What is not on it was not read: `missing` says why."""
    of_sys = board.of_sys
    wanted = ["tenants", *(section.name for section in SECTIONS), *(("sys_data",) if of_sys else ())]
    unread = {name: board.unread.get(name, missing) for name in wanted if name not in board.rows}
    tenants = board.rows.get("tenants", [])
    own_id = SYS_TENANT_ID if of_sys else next((int(row["TENANT_ID"]) for row in tenants), 0)
    grouped = {name: _by_tenant(rows, own_id) for name, rows in board.rows.items() if name != "tenants"}
    return Estate(
        now_us=board.now_us,
        tenants=tuple(_tenant(row, grouped) for row in tenants if int(row["TENANT_ID"]) != SYS_TENANT_ID),
        sys_data=tuple(sorted(str(row["NAME"]) for row in board.rows.get("sys_data", ()))),
        sys_health=_health(grouped.get("health", {}).get(SYS_TENANT_ID, [])),
        unread=unread,
    )


def _by_tenant(rows: Iterable[Row], own_id: int) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(int(row.get("TENANT_ID", own_id)), []).append(row)
    return found


def _tenant(row: Row, grouped: Mapping[str, Mapping[int, list[Row]]]) -> Tenant:
    tenant_id = int(row["TENANT_ID"])

    def of(section: str) -> list[Row]:
        return grouped.get(section, {}).get(tenant_id, [])

    def is_read(section: str) -> bool:
        return section in grouped

    rounds = of("archive")
    return Tenant(
        tenant_id=tenant_id,
        name=str(row["TENANT_NAME"]),
        role=str(row["TENANT_ROLE"]),
        status=str(row["STATUS"]),
        log_mode=str(row["LOG_MODE"]),
        archive=_archive(rounds[0]) if rounds else None,
        has_round=bool(rounds) if is_read("archive") else None,
        sets=tuple(map(_set, of("sets"))) if is_read("sets") else None,
        spans=tuple(map(_span, of("windows"))) if is_read("windows") else None,
        jobs=_jobs(of("backups"), of("validations"), of("cleanups")),
        schedules=tuple(map(_schedule, of("schedules"))),
        damages=tuple(_text(one, "OBJECT_NAME") for one in of("damages")),
        health=_health(of("health")),
    )


def _archive(row: Row) -> Archive:
    checkpoint = int(row["CHECKPOINT_SCN"] or 0) // 1000
    return Archive(status=_text(row, "STATUS"), comment=_text(row, "COMMENT"), checkpoint_us=checkpoint)


def _set(row: Row) -> BackupSet:
    return BackupSet(
        set_id=int(row["BACKUP_SET_ID"]),
        file_status=_text(row, "FILE_STATUS"),
        min_restore_us=int(row["MIN_RESTORE_SCN"] or 0) // 1000,
        path=_whole(row, "PATH"),
    )


def _span(row: Row) -> Span:
    status = _text(row, "STATUS")
    return Span(
        # A word this client does not know is a state it can not vouch for.
        status=WindowStatus(status) if status in _SPAN_WORDS else WindowStatus.UNKNOWN,
        first_us=_scn_us(row["START_SCN"]),
        last_us=_scn_us(row["END_SCN"]),
        set_ids=tuple(int(part) for part in _whole(row, "BACKUP_SET_IDS").split(",") if part.strip().isdecimal()),
        place=_whole(row, "RESTORE_FROM"),
        cause=_text(row, "CAUSE"),
        remedy=_text(row, "REMEDY"),
    )


def _scn_us(scn: Any) -> int | None:
    return int(scn) // 1000 if scn else None


def _jobs(backups: list[Row], validations: list[Row], cleanups: list[Row]) -> dict[JobKind, Last]:
    kinds = {"FULL": JobKind.FULL, "INC": JobKind.INCREMENTAL}
    levels = {"basic": JobKind.BASIC, "physical": JobKind.PHYSICAL, "restore": JobKind.DRILL}
    found: dict[JobKind, Last] = {}
    named = [(kinds.get(_text(row, "BACKUP_TYPE")), row) for row in backups]
    named += [(levels.get(_text(row, "VALIDATE_LEVEL").lower()), row) for row in validations]
    named += [(JobKind.CLEANUP, row) for row in cleanups]
    for kind, row in named:
        if kind is None:
            continue
        last, ended, job_id = found.get(kind, Last()), row["END_TIMESTAMP_US"], int(row["JOB_ID"])
        if _text(row, "STATUS") == "COMPLETED":
            last = replace(last, success_id=job_id)
        else:
            failed_us = int(ended) if ended is not None else 0
            last = replace(last, failure_id=job_id, failure_us=failed_us, comment=_text(row, "COMMENT"))
        found[kind] = last
    return found


def _schedule(row: Row) -> Schedule:
    names = {"FULL": str(JobKind.FULL), "INC": str(JobKind.INCREMENTAL), "DRILL": str(JobKind.DRILL)}
    kind = _text(row, "SCHEDULE_TYPE")
    next_us, due_us = row["NEXT_TIMESTAMP_US"], row["LAST_DUE_TIMESTAMP_US"]
    return Schedule(
        name=names.get(kind, kind),
        next_us=None if next_us is None else int(next_us),
        last_due_us=None if due_us is None else int(due_us),
        last_status=_text(row, "LAST_STATUS"),
        last_comment=_text(row, "LAST_COMMENT"),
    )


def _health(rows: list[Row]) -> Health | None:
    if not rows:
        return None
    (row, *_) = rows
    return Health(
        engine=_text(row, "ENGINE_STATUS"),
        engine_comment=_text(row, "ENGINE_COMMENT", ENGINE_COMMENT_CHARACTERS_MAX),
        spool=_text(row, "SPOOL_COMMENT"),
        is_stalled=_text(row, "WRITES_STALLED") == "YES",
        claimed=_text(row, "DESTINATION_COMMENT"),
        key=_text(row, "KEY_COMMENT"),
        outside=_text(row, "ROOTS_COMMENT"),
    )


def _whole(row: Row, name: str) -> str:
    """Return what is compared or taken apart: cut, a list would name other things."""
    value = row.get(name)
    return "" if value is None else str(value)


def _text(row: Row, name: str, characters_max: int = _COMMENT_CHARACTERS_MAX) -> str:
    """Return what is only shown."""
    value = row.get(name)
    return "" if value is None else str(value)[:characters_max]


def moment_of(us: int | None) -> datetime | None:
    """Return a moment of the server's clock as a UTC time, None for none."""
    return None if us is None else datetime.fromtimestamp(us / 1_000_000, UTC)
