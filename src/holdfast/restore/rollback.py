"""Rolls back, in a stopped engine's log, the transactions that the end of that log has cut in two.

Why: the engine never ends them. Redo of theirs is in the log and their end is not, because the log was cut at a restore's target, or
because the engine died. Their rows are seen by nobody, and their row locks stay for good, through restarts, freezes and DDL: with
them a table takes no ALTER and no DROP, and one of the engine's own transactions can hold up every DDL there is. (The engine's source
waits for an answer of the transaction's session over a network that a single node does not have.) A record of their rollback behind the
end of the log is what they wait for: the engine replays it when it starts and frees all they held. Measured on 1.4.0,
tests/restore/test_live_rollback.py.

Only what has no session and never can have one again may be rolled back: `find_on_primary` and `find_on_standby` say what that is.

Order for the crash: what lies behind the end (the rest of a torn group, which an engine passes over) is made zero first; then the group
is written. A group that is written in part is a torn tail, which the engine drops.
"""

import os
import time
from dataclasses import dataclass

from holdfast.engine import control, drift, facts
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.facts import OrphanTransaction
from holdfast.engine.session import Session, SqlError
from holdfast.engine_format.log_append import group_behind
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, block_id_of, file_offset_of
from holdfast.engine_format.log_group import ENTRY_HEADER_BYTES, GROUP_HEADER_BYTES
from holdfast.engine_format.transaction_log import encode_rollback
from holdfast.errors import EngineError
from holdfast.restore.log_tail import read_tail
from holdfast.store.whole_write import write_all
from holdfast.values.lsn import Lsn

_LATER_ENTRY = 1 << 20
"""Its number among a transaction's entries: not the first one, which is all the engine makes of it."""
_ROOM_LEFT_BYTES = 4096
"""What the engine must still find in the block, to fill it up with a group of its own."""


_FINISH_SECONDS_MAX = 10.0
"""How long an engine that is to be ended for this may take to finish transactions of its own: a tenth of a second, mostly."""
_LOCK_WAIT_TIMEOUT = 1205
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Transactions that can be rolled back, and where the log ended when they were found.

    `is_writing`: the engine has written on until its end, what comes behind `end_lsn` is its own. Otherwise nobody may have:
    the ends of the transactions could be in it.
    """

    transactions: tuple[OrphanTransaction, ...]
    end_lsn: Lsn
    is_writing: bool


def find_on_primary(session: Session) -> Cut | None:
    """Return what an engine just started has left of its last end; None if nothing. It is ready to be ended when this returns.

    Raises SqlError, and EngineError if there is something and the engine is no primary that has replayed all of its log.
    """
    if not _running(session):
        return None
    if not _is_writing(session):
        raise EngineError("transactions are cut, and its log is not replayed yet")
    control.wait_unfinished(session, _FINISH_SECONDS_MAX)
    end_lsn = facts.log_stat(session).end_lsn
    # Asked again: now that all is replayed, whatever has an end in the log has met it.
    found = _running(session)
    return Cut(transactions=found, end_lsn=end_lsn, is_writing=True) if found else None


def find_on_standby(session: Session, wait_seconds: float) -> Cut | None:
    """Return what a standby that is fed no more has under way once all of its log is replayed; None if nothing.

    Raises SqlError, and EngineError if the replay does not end in time.
    """
    deadline = time.monotonic() + wait_seconds
    while not facts.replay_stat(session).is_complete:
        if time.monotonic() > deadline:
            raise EngineError(f"the standby did not replay the rest of its log within {wait_seconds:.0f} s")
        time.sleep(_POLL_SECONDS)
    end_lsn = facts.log_stat(session).end_lsn
    found = _running(session)
    return Cut(transactions=found, end_lsn=end_lsn, is_writing=False) if found else None


def roll_back(directory: EngineDirectory, cut: Cut) -> None:
    """Write the rollback of `cut` behind the log of the stopped engine of `directory`. Durable when this returns.

    Raises EngineError if that log does not end where it should, or if the last block of it has no room (a later one will have);
    nothing is written then. Raises OSError.
    """
    tail = read_tail(directory)
    if tail is None:
        raise EngineError(f"the log in {directory.log_dir} ends with a block: there is no group to go on behind")
    end = tail.end
    # Before it: a block that was whole when the engine started no longer is, and what follows would be made zero here.
    if end.lsn < cut.end_lsn or (end.lsn > cut.end_lsn and not cut.is_writing):
        raise EngineError(f"the log in {directory.log_dir} ends at LSN {end.lsn.text()}, expected {cut.end_lsn.text()}")
    contents = [encode_rollback(each.trans_id, each.start_scn, _LATER_ENTRY) for each in cut.transactions]
    size_bytes = GROUP_HEADER_BYTES + sum(ENTRY_HEADER_BYTES + len(content) for content in contents)
    offset = file_offset_of(end.lsn)
    if block_id_of(end.lsn) != block_id_of(tail.begin.lsn) or offset + size_bytes + _ROOM_LEFT_BYTES > LOG_BLOCK_BYTES:
        raise EngineError(f"the last block of the log in {directory.log_dir} has no room for {size_bytes} bytes")
    group = group_behind(end, contents)
    descriptor = os.open(directory.log_dir / str(block_id_of(end.lsn)), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        behind = os.pread(descriptor, LOG_BLOCK_BYTES - offset, offset).rstrip(b"\0")
        if behind:
            write_all(descriptor, offset, (bytes(len(behind)),))
            os.fdatasync(descriptor)
        write_all(descriptor, offset, (group,))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _running(session: Session) -> tuple[OrphanTransaction, ...]:
    """Return the transactions without an owner that were still writing."""
    return tuple(each for each in facts.orphan_transactions(session) if not each.is_prepared)


def _is_writing(session: Session) -> bool:
    """Return whether an engine writes its own log, which it does not before it has replayed all of what was there."""
    if facts.replay_stat(session).pending_count or facts.log_stat(session).access_mode != "APPEND":
        return False
    try:
        return drift.is_writable(session)
    except SqlError as error:
        if error.errno != _LOCK_WAIT_TIMEOUT:
            raise
        return True  # it waited for a row that one of those we ask for has locked
