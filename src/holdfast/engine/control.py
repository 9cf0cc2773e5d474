"""What Holdfast asks a running engine to do, by SQL."""

import logging
import time
from collections.abc import Callable

from holdfast.engine import facts
from holdfast.engine.facts import Checkpoint
from holdfast.engine.session import Session
from holdfast.errors import EngineError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

log = logging.getLogger("holdfast.engine")

_POLL_SECONDS = 0.05
_NEWEST_TABLE_SECONDS_MAX = 20.0
_FIRST_SCN = 1
"""The checkpoint SCN of an engine that has never had a checkpoint."""


def minor_freeze(session: Session) -> None:
    """Have the engine flush its memory tables; returns before that is done."""
    session.execute("alter system minor freeze")


def major_freeze(session: Session) -> None:
    """Have the engine merge its data; returns before that is done."""
    session.execute("alter system major freeze")


def activate_standby(session: Session) -> None:
    """Make a standby primary, for good. Returns at once; writes work some 0.05 s later.

    Not for a release that is activated by a restart (`Release.is_activated_by_restart`): there it fails and leaves a role
    that is none.
    """
    session.execute("alter system activate standby")


def take_first_checkpoint(
    session: Session, wait_seconds: float = 60.0, *, check: Callable[[], None] = lambda: None
) -> Checkpoint:
    """Return the engine's checkpoint, having one made if there never was one. Takes 4 s on a new engine (measured).

    Why: a standby from an image without a checkpoint starts by luck only. It dies with -4023 when its clock is asked before replay
    has begun (5 of 9 starts); with a checkpoint there is an SCN to answer with (14 of 14 starts good).
    Raises EngineError if none comes in time, and whatever `check` raises, which is called every 50 ms.
    """
    deadline = time.monotonic() + wait_seconds
    found = facts.checkpoint(session)
    if found.scn <= _FIRST_SCN:
        minor_freeze(session)
    while found.scn <= _FIRST_SCN:
        if time.monotonic() > deadline:
            raise EngineError(f"engine has had no checkpoint {wait_seconds:.0f} s after a minor freeze")
        check()
        time.sleep(_POLL_SECONDS)
        found = facts.checkpoint(session)
    return found


def wait_unfinished(session: Session, wait_seconds: float) -> bool:
    """Wait until no transaction has redo in the log without its end; return False when some are left after `wait_seconds`.

    Asked before an engine is ended. One that is cut there becomes an orphan that keeps its locks for good. The engine runs
    such transactions by itself, too: some 5 s after its first start one holds a lock that every DDL wants, and an engine
    ended just then answers no CREATE, no SET GLOBAL and no SWITCHOVER ever again (5 of 5 measured on 1.4.0).
    """
    deadline = time.monotonic() + wait_seconds
    while facts.unfinished_transactions(session):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def wait_replayed(
    session: Session, wait_seconds: float, *, until: Lsn | None = None, check: Callable[[], None] = lambda: None
) -> Scn:
    """Return the SCN a standby shows, once it shows all of its log.

    A standby takes logins before it shows its last transactions: its readable SCN follows up to 3.8 s later (measured). Its
    tables are known later still: on a busy machine a query right after that met 1146 for a table that was there a moment later.
    `until`: where the log ended before the start; to be given for an engine whose standby goes on writing
    (`Release.is_standby_writing`), for its log has no end that a replay could reach. `check` is called between looks and may
    raise.
    Raises EngineError if it is not there in time. A table that no query finds, though the engine says that it knows them all,
    is waited for a little, and then let be: it may be half made at the end of the log in a way we have not met.
    """
    deadline = time.monotonic() + wait_seconds
    refreshed_at: float | None = None
    while True:
        check()
        stat = facts.replay_stat(session)
        end_scn = facts.log_stat(session).end_scn
        readable_scn = facts.current_scn(session)
        if until is not None:
            is_complete = stat.submitted_lsn >= until and stat.pending_count == 0
        else:
            is_complete = stat.is_complete and readable_scn >= end_scn
        if is_complete and facts.is_schema_refreshed(session):
            refreshed_at = time.monotonic() if refreshed_at is None else refreshed_at
            if facts.knows_newest_table(session):
                return readable_scn
            if time.monotonic() > refreshed_at + _NEWEST_TABLE_SECONDS_MAX:
                log.warning(
                    "a query does not find the table that was defined last, %.0f s after the definitions were taken in",
                    _NEWEST_TABLE_SECONDS_MAX,
                )
                return readable_scn
        elif time.monotonic() > deadline:
            raise EngineError(
                f"standby shows its log up to SCN {readable_scn}, expected {end_scn} and all its tables within {wait_seconds:.0f} s"
            )
        time.sleep(_POLL_SECONDS)
