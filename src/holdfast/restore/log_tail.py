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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.reach import PieceFact, goes_on
from holdfast.engine.directory import EngineDirectory
from holdfast.engine_format.log_block import LOG_INFO_BYTES, block_id_of, file_offset_of, first_lsn_of
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import decode_group_header, group_spans
from holdfast.engine_format.log_walk import Position, WalkStop, walk
from holdfast.errors import CorruptionError, EngineError, HoldfastError, StoreUnavailableError
from holdfast.restore.archived_log import ArchivedLog, InsideGroupError
from holdfast.store.whole_write import write_all
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_ANOTHER_HINT = "LOG_RESTORE_SOURCE must be the archive of the tenant this standby was restored from"
_READ_BYTES = 4 << 20
_TWO_HINT = "the machine was put back or copied: SET LOG_RESTORE_SOURCE to an archive of one history alone, or restore the standby anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The last group of a log. `begin`: where it begins, with the chain before it if that is known; `end`: where the log goes on."""

    begin: Position
    end: Position
    group: bytes


class ForeignLogError(CorruptionError):
    """The archive's log is not the one this standby has: another tenant's, or another timeline."""


class TwoHistoriesError(CorruptionError):
    """The archive holds this standby's log twice, and which of the two goes on with it can not be told."""


class LogGapError(EngineError):
    """The archive has later log than the standby, and what lies between is gone."""


def read_tail(directory: EngineDirectory) -> LogTail | None:
    """Return the last group of a stopped engine's log, None if the log ends with a block: its padding is never cut.

    Raises EngineError if there is no log.
    """
    blocks = sorted((int(name) for name in os.listdir(directory.log_dir) if name.isdecimal()), reverse=True)
    for block_id in blocks:
        log, end = _read_block(directory.log_dir / str(block_id), first_lsn_of(block_id))
        if not log:
            continue
        before = Position(lsn=first_lsn_of(block_id))
        at = max(at for at, _, _ in group_spans(log))
        if at:
            before = walk(log[:at], before).end
        return LogTail(begin=before, end=end, group=bytes(log[at:]))
    if not blocks:
        raise EngineError(f"there is no log in {directory.log_dir}")
    return None


def _read_block(path: Path, lsn: Lsn) -> tuple[memoryview, Position]:
    """Return the whole and verified groups of a log file that begins at `lsn`, and where they end; no more of it is read."""
    data, taken, position = b"", 0, Position(lsn=lsn)
    with path.open("rb") as block:
        block.seek(LOG_INFO_BYTES)
        while part := block.read(_READ_BYTES):
            data += part
            step = walk(memoryview(data)[taken:], position)
            taken, position = taken + step.size_bytes, step.end
            if step.stop is not WalkStop.NEED_MORE:
                break
    return memoryview(data)[:taken], position


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """The group at `lsn`, of which the log has `old`, is to be `new`."""

    lsn: Lsn
    old: bytes
    new: bytes


def plan_mending(directory: EngineDirectory, archive: ArchivedLog, until: Scn) -> Mending | None:
    """Return what has to be done for the log to end where the archive's log can go on, or at `until`; None if nothing.

    May be asked of a running engine, to know before it is stopped. Raises as `join` does.
    """
    tail = read_tail(directory)
    found = None if tail is None else _own_group(archive, tail)
    if tail is None or found is None:
        return None
    begin, whole = found
    if whole == tail.group:
        return None
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


def join(directory: EngineDirectory, archive: ArchivedLog) -> Lsn:
    """Have the archive read on in the history that the directory's log belongs to; return the LSN at which that log ends.

    One archive may hold several histories of one log: a machine was put back to a snapshot, or cloned. The group that a log ends
    with tells which is its own, because a group's accumulated checksum is of all log before it.
    The engine may run, as long as nothing reaches it: then what is on the disk is what it will ask to go on from.
    Raises ForeignLogError if none is; TwoHistoriesError if more than one is and they part further on; LogGapError; EngineError if
    the archive does not reach the log's end; what reading the archive raises.
    """
    tail = read_tail(directory)
    if tail is not None:
        _own_group(archive, tail)
        return tail.end.lsn
    lsn = first_lsn_of(max(int(name) for name in os.listdir(directory.log_dir) if name.isdecimal()))
    holding = archive.pieces_at(lsn)
    if holding:
        archive.keep_to(_only(archive, holding, lsn))
    return lsn


def _own_group(archive: ArchivedLog, tail: LogTail) -> tuple[Position, bytes] | None:
    """Return the archive's group at the tail's place, with where it begins and the chain before it; the archive keeps to its history.

    None if the piece that had it is gone, and one that begins where the log ends is known to go on with it.
    """
    lsn = tail.begin.lsn
    found: dict[str, tuple[PieceFact, tuple[Position, bytes]]] = {}
    trouble: HoldfastError | None = None
    holding = archive.pieces_at(lsn)
    for piece in holding:
        try:
            archive.keep_to(piece)
            begin, whole = _group_of(archive, tail)
        except StoreUnavailableError:
            raise
        except HoldfastError as error:
            if trouble is None or isinstance(trouble, ForeignLogError):
                trouble = error  # what could not be read may be this log's own
            continue
        found[piece.root] = (piece, (begin, whole))
    if found:
        own = _only(archive, [piece for piece, _ in found.values()], lsn)
        archive.keep_to(own)
        return found[own.root][1]
    end = LogPosition(lsn=tail.end.lsn, accumulated=tail.end.accumulated, log_id=tail.end.log_id, scn=tail.end.scn)
    following = [
        piece
        for piece in archive.pieces_at(tail.end.lsn)
        if piece.begin.lsn == end.lsn and piece.begin.accumulated is not None and goes_on(end, "", piece)
    ]
    if following:
        archive.keep_to(_only(archive, following, end.lsn))
        return None
    if trouble is not None:
        raise trouble
    gap = archive.gap_behind(lsn)
    if gap is not None:
        raise LogGapError(f"log is missing from LSN {lsn.text()} to {gap.begin.lsn.text()}, where {gap.root} begins")
    raise EngineError(f"the archive does not reach LSN {lsn.text()}, where the standby's log ends", hint=_ANOTHER_HINT)


def _group_of(archive: ArchivedLog, tail: LogTail) -> tuple[Position, bytes]:
    """Return the group at the tail's place of the history that the archive keeps to. Raises ForeignLogError if it is another."""
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
    whole = bytes(run.log[:size_bytes])
    # The first group of a block file shows no chain before it; the archive knows it.
    begin = run.begin if tail.begin.accumulated is None else tail.begin
    if whole != tail.group and not _is_beginning(tail, begin, whole):
        raise ForeignLogError(
            f"the log at LSN {tail.begin.lsn.text()} is not the one that was archived there", hint=_ANOTHER_HINT
        )
    return begin, whole


def _only(archive: ArchivedLog, pieces: Sequence[PieceFact], lsn: Lsn) -> PieceFact:
    """Return the piece of these to go on with. Raises TwoHistoriesError if they hold different log behind `lsn`."""
    own = archive.only_one(pieces)
    if own is None:
        named = " and ".join(sorted(f"{piece.root} (round {piece.round_id})" for piece in pieces))
        raise TwoHistoriesError(
            f"the standby's log ends at LSN {lsn.text()} in log that {named} share, and they part behind it",
            hint=_TWO_HINT,
        )
    return own


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
