"""What an engine says about itself in SQL, as values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from holdfast.engine.session import Session, SqlError
from holdfast.errors import EngineError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_VERSION = re.compile(r"\(r(\d+\.\d+\.\d+\.\d+)\)", re.ASCII)
"""Within `@@version_comment`, which nobody can set: `OceanBase 4.3.5.3 seekdb (r1.4.0.0) (Built ...)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStat:
    """The log stream's ends. `max_lsn` and `end_lsn` may run ahead of the file by some kB: never call them archived.

    `access_mode`: APPEND on a primary, RAW_WRITE on a standby. `begin_lsn`: first byte still there, `base_lsn`: where a replay
    would begin.
    """

    access_mode: str
    base_lsn: Lsn
    begin_lsn: Lsn
    begin_scn: Scn
    end_lsn: Lsn
    end_scn: Scn
    max_lsn: Lsn
    max_scn: Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanTransaction:
    """A transaction without a session: its redo is in the log and its end is not, and it keeps its row locks for good.

    Any cut below `start_scn`, or at or after its commit, avoids it. `is_prepared`: it is past writing: it commits,
    or waits for the word of whoever began it (XA).
    """

    trans_id: int
    start_scn: Scn
    flushed_log_size_bytes: int
    is_prepared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the engine has flushed: everything below can be recycled."""

    lsn: Lsn
    scn: Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStat:
    """How far a replay is: log handed to replay threads, and tasks they have not done yet."""

    end_lsn: Lsn
    submitted_lsn: Lsn
    pending_count: int

    @property
    def is_complete(self) -> bool:
        return self.submitted_lsn >= self.end_lsn and self.pending_count == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroBlockCounts:
    """The engine's last marking of its macro blocks; all 0 before the first one of a start."""

    total: int
    free: int
    pending_free: int
    held: int
    meta: int
    data: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParameter:
    """One row of the engine's own SHOW PARAMETERS."""

    name: str
    data_type: str
    value: str
    info: str
    section: str
    scope: str
    source: str
    edit_level: str
    default_value: str
    is_default: bool


def log_stat(session: Session) -> LogStat:
    """Return the log stream's ends now. Raises SqlError, EngineError if the engine shows no log stream."""
    row = _only(
        session.query(
            "select access_mode, base_lsn, begin_lsn, begin_scn, end_lsn, end_scn, max_lsn, max_scn"
            " from oceanbase.__all_virtual_log_stat"
        ),
        "log stream",
    )
    return LogStat(
        access_mode=str(row[0]),
        base_lsn=Lsn(row[1]),
        begin_lsn=Lsn(row[2]),
        begin_scn=Scn(row[3]),
        end_lsn=Lsn(row[4]),
        end_scn=Scn(row[5]),
        max_lsn=Lsn(row[6]),
        max_scn=Scn(row[7]),
    )


def checkpoint(session: Session) -> Checkpoint:
    """Return where a replay would begin now. Shape: the LSN is always a block border."""
    row = _only(
        session.query("select checkpoint_lsn, checkpoint_scn from oceanbase.__all_virtual_ls_info"), "log stream"
    )
    return Checkpoint(lsn=Lsn(row[0]), scn=Scn(row[1]))


def current_scn(session: Session) -> Scn:
    """Return the engine's SCN: at most the commit SCN of any transaction that commits after this returns.

    On a standby it is the SCN up to which reads see.
    """
    return Scn(_only(session.query("select current_scn()"), "SCN")[0])


def data_version(session: Session) -> str:
    """Return four numbers such as `1.4.0.0`."""
    # Not version(): SET GLOBAL version makes new sessions be told whatever a tenant likes (measured on 1.4.0).
    said = str(_only(session.query("select @@version_comment limit 1"), "version")[0])
    found = _VERSION.search(said)
    if found is None:
        raise EngineError(f"engine names itself {said!r}, expected (r<number>) in it")
    return found[1]


_STATE_RUNNING = 10


def orphan_transactions(session: Session) -> tuple[OrphanTransaction, ...]:
    """Return transactions that no session will ever end, by start SCN: those that the engine met in its log or in its checkpoint.

    Such a one has no session, no time at which it expires and not one operation of this process; whatever this process began has
    all three (measured on 1.4.0, on engines with load). Neither SCNs and the clock tell them apart, for every start puts the
    engine's SCN some 7 s further ahead of the clock, nor does the size of their log, which is 0 once they are in a checkpoint.
    """
    rows = session.query(
        "select trans_id, start_scn, flushed_log_size, state from oceanbase.__all_virtual_trans_stat"
        " where session_id = 0 and expired_time is null and last_op_sn = 0 and is_exiting = 0 order by start_scn"
    )
    return tuple(
        OrphanTransaction(
            trans_id=int(row[0]),
            start_scn=Scn(row[1]),
            flushed_log_size_bytes=int(row[2]),
            is_prepared=int(row[3]) != _STATE_RUNNING,
        )
        for row in rows
    )


def unfinished_transactions(session: Session) -> int:
    """Return how many living transactions have redo in the log and no end yet: a kill now would make orphans of them."""
    row = _only(
        session.query(
            "select count(*) from oceanbase.__all_virtual_trans_stat"
            " where session_id <> 0 and flushed_log_size > 0 and is_exiting = 0"
        ),
        "transactions",
    )
    return int(row[0])


def macro_block_counts(session: Session) -> MacroBlockCounts:
    """Return how many macro blocks there are, by use."""
    row = _only(
        session.query(
            "select total_count, free_count, pending_free_count, hold_count, meta_block_count, data_block_count"
            " from oceanbase.__all_virtual_macro_block_marker_status"
        ),
        "macro block status",
    )
    total, free, pending_free, held, meta, data = (int(value) for value in row)
    return MacroBlockCounts(total=total, free=free, pending_free=pending_free, held=held, meta=meta, data=data)


def replay_stat(session: Session) -> ReplayStat:
    """Return how far the replay of the log is (an engine that writes its own log has none left)."""
    row = _only(
        session.query("select end_lsn, unsubmitted_lsn, pending_cnt from oceanbase.__all_virtual_replay_stat"), "replay"
    )
    return ReplayStat(end_lsn=Lsn(row[0]), submitted_lsn=Lsn(row[1]), pending_count=int(row[2]))


_NEWEST_TABLE = (
    "select d.database_name, t.table_name from oceanbase.__all_table t"
    " join oceanbase.__all_database d on d.database_id = t.database_id"
    " where t.table_type = 3"  # a table of a user
    # Not those no query may name (measured on 1.4.0): the target of a CREATE TABLE AS under way has a session, the copy an
    # ALTER TABLE is making has state 3 in bits 12 to 15 of its mode; 0 is a table at rest, 1 one that is being altered.
    " and t.session_id = 0 and ((t.table_mode >> 12) & 15) < 2"
    " order by t.schema_version desc limit 1"
)


def is_schema_refreshed(session: Session) -> bool:
    """Return whether the engine says that it has taken in every table definition its log has brought it."""
    refreshed = _only(
        session.query("select refreshed_schema_version from oceanbase.__all_virtual_server_schema_info"), "schema"
    )[0]
    newest = _only(session.query("select max(schema_version) from oceanbase.__all_ddl_operation"), "last DDL")[0]
    return newest is None or int(refreshed) >= int(newest)


def knows_newest_table(session: Session) -> bool:
    """Return whether a query finds the table that was defined last, of those a query may name.

    The versions alone are no proof: on a busy machine they were equal, and SHOW CREATE TABLE still met 1146 (seen on 1.4.0).
    """
    newest = session.query(_NEWEST_TABLE)
    if not newest:
        return True
    database, table = (str(name).replace("`", "``") for name in newest[0])
    try:
        session.query(f"select 1 from `{database}`.`{table}` limit 0")
    except SqlError as error:
        if error.is_lost:
            raise
        return False  # 1146, 1049; an engine that is taking in definitions was met with 4201 too
    return True


def engine_parameters(session: Session) -> tuple[EngineParameter, ...]:
    """Return the engine's own parameters, sorted by name."""
    rows = session.columns("show parameters")
    return tuple(sorted((_parameter(row) for row in rows), key=lambda parameter: parameter.name))


def _parameter(row: dict[str, Any]) -> EngineParameter:
    def text(column: str) -> str:
        return str(row[column] if row.get(column) is not None else "")

    return EngineParameter(
        name=text("name"),
        data_type=text("data_type"),
        value=text("value"),
        info=text("info"),
        section=text("section"),
        scope=text("scope"),
        source=text("source"),
        edit_level=text("edit_level"),
        default_value=text("default_value"),
        is_default=text("isdefault") in ("1", "YES"),
    )


def _only(rows: Iterable[tuple[Any, ...]], what: str) -> tuple[Any, ...]:
    rows = list(rows)
    if len(rows) != 1:
        raise EngineError(f"engine shows {len(rows)} rows of its {what}, expected 1")
    return rows[0]
