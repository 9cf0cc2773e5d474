"""Where pieces of different rounds, or copies of one, meet: the chain at the end of one inside another.

A round begins at a log block's start, mostly behind the end of the round before. Whether both hold the same log can be told at
the earlier one's end: the later one's log has a group border there, and the same accumulated checksum and log id before it, or
it is another history. Records know the chain at a piece's ends only; frames know it at theirs, and the groups in a frame at every
border. So for such a meeting the headers of one object are read, and one frame is opened unless the ends of two frames fall together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from holdfast.backup_format.log_frame import FrameAt, FrameOpener, LogPosition, scan_frames
from holdfast.backup_format.payload import Cipher
from holdfast.backup_format.reach import PieceFact, PiecesByLsn
from holdfast.destination.pieces import log_keys
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.log_block import LOG_INFO_BYTES
from holdfast.engine_format.log_walk import Position, walk
from holdfast.errors import CorruptionError, NotFoundError, UnknownVersionError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.store import Store

MARKS_MAX = 256
"""Meetings looked at in one reading, those of the newest log first: each costs the headers of one object and one frame, some 10 ms.
There is one for each round and each set with log of its own; what is not looked at is not joined across rounds."""


def with_marks(
    pieces: tuple[PieceFact, ...], stores: Mapping[int, Store], masters: Masters = NO_MASTERS
) -> tuple[PieceFact, ...]:
    """Return the pieces with the chain known wherever one of them ends inside another, as far as `masters` open it.

    Raises StoreUnavailableError.
    """
    marked = dict(enumerate(pieces))
    wanted = sorted(_meetings(pieces), key=lambda pair: -pair[0].end.lsn)
    for ending, number in wanted[:MARKS_MAX]:
        piece = marked[number]
        known = next((mark for mark in piece.marks if mark.lsn == ending.end.lsn), None)
        if known is not None and known.accumulated is not None:
            continue
        mark = _chain_at(piece, ending.end, stores[piece.source], masters)
        if mark is not None:
            others = tuple(one for one in piece.marks if one.lsn != mark.lsn)
            marked[number] = replace(piece, marks=(*others, mark))
    return tuple(marked.values())


def _meetings(pieces: tuple[PieceFact, ...]) -> Iterator[tuple[PieceFact, int]]:
    """Yield each piece with the number of one that its end lies in, if a path may go from the one to the other."""
    by_owner: dict[tuple[int, int], list[tuple[int, PieceFact]]] = {}
    for numbered in enumerate(pieces):
        by_owner.setdefault((numbered[1].cluster_id, numbered[1].tenant_id), []).append(numbered)
    found = {owner: PiecesByLsn(numbered) for owner, numbered in by_owner.items()}
    for ending in pieces:
        end = ending.end
        if end.accumulated is None or not ending.objects:
            continue
        holding = found[ending.cluster_id, ending.tenant_id].holding(end.lsn)
        holders = [(number, piece) for number, piece in holding if piece is not ending]
        goes_on = any(piece.timeline == ending.timeline for _, piece in holders)
        for number, piece in holders:
            is_told = piece.begin.lsn == end.lsn and piece.begin.accumulated is not None
            # A path stays on its timeline while that goes on.
            if not is_told and (piece.timeline == ending.timeline or not goes_on):
                yield ending, number


def _chain_at(piece: PieceFact, end: LogPosition, store: Store, masters: Masters) -> LogPosition | None:
    """Return the chain of the piece's log at `end.lsn`, None when it can not be told.

    Without a checksum: the log that ends there does not go on in the piece.
    """
    item = next((item for item in piece.objects if item.first_lsn <= end.lsn < item.end_lsn), None)
    if item is None:
        return None
    name = f"{store.location}/{item.name}"
    try:
        layout_of(piece.engine_data_version, name)
        with store.reader(item.name) as reader:
            scan = scan_frames(reader.read, item.size_bytes, durable_size_bytes=item.size_bytes, name=name)
            before: FrameAt | None = None
            for found in scan.frames:
                frame = found.header.frame
                if frame.start_lsn == end.lsn and before is not None:
                    return before.header.frame.end_position
                if frame.start_lsn <= end.lsn < frame.end_lsn:
                    break
                before = found
            else:
                return None
            keys = log_keys(piece, masters)
            entry = keys.at(frame.start_lsn)
            if found.header.cipher is not Cipher.NONE and (entry is None or entry.key is None):
                return None
            stored = reader.read(found.end_offset - found.header.stored_size_bytes, found.header.stored_size_bytes)
        payload = memoryview(FrameOpener(key=keys).open(found.header, stored, name=name))
        log = payload[LOG_INFO_BYTES if frame.has_info_block else 0 :]
        return _chain_in(log, Position(lsn=frame.start_lsn), end)
    except (CorruptionError, UnknownVersionError, NotFoundError):
        return None


def _chain_in(log: memoryview, begin: Position, end: LogPosition) -> LogPosition:
    """Return the chain at `end.lsn` in log that begins at `begin` with no chain known."""
    other = LogPosition(lsn=end.lsn, accumulated=None, log_id=None, scn=end.scn)
    if begin.lsn < end.lsn:
        found = walk(log[: end.lsn - begin.lsn], begin).end
        if found.lsn != end.lsn:
            return other  # no group of this log ends there
        return LogPosition(lsn=end.lsn, accumulated=found.accumulated, log_id=found.log_id, scn=found.scn)
    following = Position(lsn=end.lsn, accumulated=end.accumulated, log_id=end.log_id, scn=end.scn)
    return end if walk(log, following).group_count else other
