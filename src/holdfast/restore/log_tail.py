"""The end of a stopped standby's log: what it is of the source's log, and how a cut group becomes the whole one again.

A restore, and a standby that was to stop at an SCN, end with a group of which only the leading entries were kept (`engine_format.log_cut`).
The source's log does not go on behind that: its next group begins where the whole group ends, and its chain is another. So before such a
standby goes further, its last group is replaced by as much of the source's group as it may have now.

Why that is sound. The entries that were kept are the first ones of the new group, byte for byte; an engine that starts replays its log
from its checkpoint, entries it has seen before included, and takes each once (proven with a bank, tests/end_to_end). Order for the crash:
first the entries behind the old end, which an engine does not look at because no group reaches them; then, in one write of 48
bytes, the header that makes them part of the group.
"""

import os
from dataclasses import dataclass

from holdfast.engine.directory import EngineDirectory
from holdfast.engine_format.log_block import LOG_INFO_BYTES, block_id_of, file_offset_of, first_lsn_of
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import decode_group_header, group_spans
from holdfast.engine_format.log_walk import Position, walk
from holdfast.errors import CorruptionError, EngineError
from holdfast.restore.archived_log import ArchivedLog, InsideGroupError
from holdfast.store.whole_write import write_all
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_ANOTHER_HINT = "LOG_RESTORE_SOURCE must be the archive of the tenant this standby was restored from"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The last group of a log. `begin`: where it begins, with the chain before it if that is known; `end`: where the log goes on."""

    begin: Position
    end: Position
    group: bytes


class ForeignLogError(CorruptionError):
    """The archive's log is not the one this standby has: another tenant's, or another timeline."""


def read_tail(directory: EngineDirectory) -> LogTail | None:
    """Return the last group of a stopped engine's log, None if the log ends with a block: its padding is never cut.

    Raises EngineError if there is no log.
    """
    blocks = sorted((int(name) for name in os.listdir(directory.log_dir) if name.isdigit()), reverse=True)
    for block_id in blocks:
        data = (directory.log_dir / str(block_id)).read_bytes()
        log = memoryview(data)[LOG_INFO_BYTES:]
        found = walk(log, Position(lsn=first_lsn_of(block_id)))
        if not found.group_count:
            continue
        before = Position(lsn=first_lsn_of(block_id))
        at = max(at for at, _, _ in group_spans(log[: found.size_bytes]))
        if at:
            before = walk(log[:at], before).end
        return LogTail(begin=before, end=found.end, group=bytes(log[at : found.size_bytes]))
    if not blocks:
        raise EngineError(f"there is no log in {directory.log_dir}")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """The group at `lsn`, of which the log has `old`, is to be `new`."""

    lsn: Lsn
    old: bytes
    new: bytes


def plan_mending(directory: EngineDirectory, archive: ArchivedLog, until: Scn) -> Mending | None:
    """Return what has to be done for the log to end where the archive's log can go on, or at `until`; None if nothing.

    May be asked of a running engine, to know before it is stopped. Raises ForeignLogError if the archive holds other log at that
    place; EngineError if it does not reach it.
    """
    tail = read_tail(directory)
    if tail is None:
        return None
    begin, whole = _archived_group(archive, tail)
    if whole == tail.group:
        return None
    if not _is_beginning(tail, begin, whole):
        raise ForeignLogError(
            f"the log at LSN {tail.begin.lsn.text()} is not the one that was archived there", hint=_ANOTHER_HINT
        )
    wanted = cut(whole, begin, until)
    if len(wanted) <= len(tail.group):
        return None
    return Mending(lsn=begin.lsn, old=tail.group, new=wanted)


def mend_tail(directory: EngineDirectory, archive: ArchivedLog, until: Scn) -> bool:
    """Do what `plan_mending` says to the log of a stopped engine; return whether anything was changed. Raises as it does."""
    mending = plan_mending(directory, archive, until)
    if mending is not None:
        _replace(directory, mending.lsn, mending.old, mending.new)
    return mending is not None


def _archived_group(archive: ArchivedLog, tail: LogTail) -> tuple[Position, bytes]:
    """Return the archive's group at the tail's place, and that place with the chain before it."""
    try:
        run = archive.read(tail.begin.lsn)
    except InsideGroupError as error:
        raise ForeignLogError(error.message, hint=_ANOTHER_HINT) from error
    if run is None:
        raise EngineError(
            f"the archive does not reach LSN {tail.begin.lsn.text()}, where the standby's log ends", hint=_ANOTHER_HINT
        )
    archive.put_back(run)
    _, size_bytes, _ = next(group_spans(run.log))
    # The first group of a block file shows no chain before it; the archive knows it.
    begin = run.begin if tail.begin.accumulated is None else tail.begin
    return begin, bytes(run.log[:size_bytes])


def _is_beginning(tail: LogTail, begin: Position, whole: bytes) -> bool:
    """Return whether the standby's last group is the leading entries of the archive's."""
    try:
        return cut(whole, begin, tail.end.scn) == tail.group
    except CorruptionError:
        return False  # it does not follow what the standby has


def _replace(directory: EngineDirectory, lsn: Lsn, old: bytes, new: bytes) -> None:
    """Write the group `new` over `old`, of which all entries are its first ones."""
    header = decode_group_header(new)
    assert header is not None, "a whole group was made"
    assert new[header.header_size_bytes : len(old)] == old[header.header_size_bytes :], (
        "the entries that were kept stay"
    )
    offset = file_offset_of(lsn)
    path = directory.log_dir / str(block_id_of(lsn))
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        write_all(descriptor, offset + len(old), (new[len(old) :],))
        os.fdatasync(descriptor)
        write_all(descriptor, offset, (new[: header.header_size_bytes],))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
