"""Rolls back, in a stopped engine's log, the transactions that the end of that log has cut in two.

Why: the engine never ends them. Redo of theirs is in the log and their end is not, because the log was cut at a restore's target, or
because the engine died. Their rows are seen by nobody, and their row locks stay for good, through restarts, freezes and DDL: with
them a table takes no ALTER and no DROP, and one of the engine's own transactions can hold up every DDL there is. (The engine's source
waits for an answer of the transaction's session over a network that a single node does not have.) A record of their rollback behind the
end of the log is what they wait for: the engine replays it when it starts and frees all they held. Measured on 1.4.0,
tests/restore/test_live_rollback.py.

Only what has no session and never can have one again may be given here: see `jobs.supervisor`.

Order for the crash: what lies behind the end (the rest of a torn group, which an engine passes over) is made zero first; then the group
is written. A group that is written in part is a torn tail, which the engine drops.
"""

import os
from collections.abc import Sequence

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.facts import OrphanTransaction
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


def roll_back(
    directory: EngineDirectory, transactions: Sequence[OrphanTransaction], end_lsn: Lsn | None = None
) -> None:
    """Write the rollback of `transactions` behind the log of the stopped engine of `directory`. Durable when this returns.

    `end_lsn`: where the log must end. Raises EngineError if it ends elsewhere, and if the last block of it has no room (a later
    one will have); nothing is written then. Raises OSError.
    """
    tail = read_tail(directory)
    if tail is None:
        raise EngineError(f"the log in {directory.log_dir} ends with a block: there is no group to go on behind")
    end = tail.end
    if end_lsn is not None and end.lsn != end_lsn:
        raise EngineError(f"the log in {directory.log_dir} ends at LSN {end.lsn.text()}, expected {end_lsn.text()}")
    contents = [encode_rollback(each.trans_id, each.start_scn, _LATER_ENTRY) for each in transactions]
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
