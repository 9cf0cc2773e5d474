"""The log of one archive destination as a stream that goes on while the archive grows.

Theory of operation. A cursor stands between two frames of one log object: it knows the object, the offset in it, and the position
in the log (LSN, chain) from which on nothing was given out; the frame may begin before it. Behind the object's last frame the log
goes on in one of three places, looked for in this order: the same object, grown; the next log block's object of the same piece;
another piece that begins at or before the position and reaches beyond it (a piece border may lie inside a block, and pieces may
overlap there). The first two cost one look at an object's size; the third is a listing, so it is made once a second at most while
nothing comes. Which piece goes on is `backup_format.reach`'s to say, as for a restore: one archive may hold two histories.

An LSN alone does not tell whose log is asked for. Whoever has log of its own begins with `keep_to` (see `log_tail.join`): from then on
every place lies in that history, and an LSN that only others hold is `LostPlaceError`, not the first piece that has it.

A frame at an active piece's end may be half written: what does not decode there is log that has not come yet, as for a restore. Every
group is verified before it is given out, and the chain holds from frame to frame, object to object and piece to piece.

Memory: one window of a few MiB and one opened frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from holdfast.backup_format import names
from holdfast.backup_format.log_frame import (
    FRAME_HEADER_BYTES,
    FrameHeader,
    FrameOpener,
    LogPosition,
    decode_frame_header,
    scan_frames,
)
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.backup_format.reach import PieceFact, goes_on, longest_timeline, next_piece
from holdfast.destination.documents import read_piece_record
from holdfast.destination.facts import Source, archived_pieces
from holdfast.destination.joints import with_marks
from holdfast.destination.pieces import log_keys
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.log_block import LOG_DATA_BYTES, LOG_INFO_BYTES, block_id_of
from holdfast.engine_format.log_walk import Position, groups, walk
from holdfast.errors import CorruptionError, NotFoundError, RefusedError, UnknownVersionError
from holdfast.store.store import ObjectReader
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_WINDOW_BYTES = 4 << 20
_LOOK_SECONDS = 1.0
"""How often pieces are listed while nothing comes: an archive begins a piece once a day at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRun:
    """Whole, verified groups that lie one behind the other in one log block. `begin`: where the first begins."""

    begin: Position
    log: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Between two frames. `offset`: of the next one's header in the object `name`; `position`: what comes before was given out."""

    piece: PieceFact
    name: str
    offset: int
    position: Position


class ArchivedLog:
    """Not safe from several threads at once."""

    def __init__(self, source: Source, monotonic: Callable[[], float], *, engine_data_version: str) -> None:
        """`engine_data_version`: of the engine that takes the log in; log of another is refused, with the piece's name."""
        self._source = source
        self._engine_data_version = engine_data_version
        self._store = source.store
        self._monotonic = monotonic
        self._openers: dict[tuple[PieceKey, ...], FrameOpener] = {}
        self._pieces: tuple[PieceFact, ...] = ()
        self._listed_at: float | None = None
        self._cursor: _Cursor | None = None
        self._timeline = ""
        self._is_kept_to = False
        self._reader: tuple[str, ObjectReader] | None = None
        self._window: tuple[str, int, bytes] = ("", 0, b"")
        self._kept: LogRun | None = None

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader[1].close()

    def read(self, lsn: Lsn) -> LogRun | None:
        """Return groups from `lsn` on, at least one; None if the archive does not go on there (yet).

        Cheap when `lsn` is where the last answer ended, or where it began. Raises CorruptionError for log that is damaged or is
        not contiguous; for an `lsn` inside a group it says which group that is (`InsideGroupError`). StoreUnavailableError.
        """
        if self._kept is None or self._kept.begin.lsn != lsn:
            self._kept = self._seek(lsn)
        kept, self._kept = self._kept, None
        if kept is not None:
            return kept
        run = self._next()
        if run is not None and run.begin.lsn != lsn:
            raise CorruptionError(
                f"{self._store.location}: log from LSN {run.begin.lsn.text()} on, expected {lsn.text()}"
            )
        return run

    def put_back(self, run: LogRun) -> None:
        """Give the run of the last answer back: the next `read` of its beginning returns it again."""
        self._kept = run

    def gap_behind(self, lsn: Lsn) -> PieceFact | None:
        """Return the nearest piece that begins behind `lsn`: log is missing in between if `lsn` is the end of what can be read."""
        later = [piece for piece in self._pieces if piece.begin.lsn > lsn and piece.objects]
        return min(later, key=lambda piece: piece.begin.lsn, default=None)

    # --- whose log

    def pieces_at(self, lsn: Lsn) -> tuple[PieceFact, ...]:
        """Return the archive's pieces that hold log at `lsn`, looked for anew. Raises StoreUnavailableError."""
        self._pieces, self._listed_at = archived_pieces(self._source), self._monotonic()
        return tuple(piece for piece in self._pieces if piece.begin.lsn <= lsn < piece.end.lsn)

    def keep_to(self, piece: PieceFact) -> None:
        """Read this piece's history and no other from now on. It is one of `pieces_at`."""
        self._refuse_other(piece)
        self._cursor, self._kept = None, None
        self._timeline, self._is_kept_to = piece.timeline, True

    def only_one(self, pieces: Sequence[PieceFact]) -> PieceFact | None:
        """Return the one of these to go on with, None if they are of histories that part: see `reach.longest_timeline`."""
        timelines = {piece.timeline for piece in pieces}
        if len(timelines) == 1:
            return pieces[0]
        theirs = tuple(piece for piece in self._pieces if piece.timeline in timelines)
        longest = longest_timeline(
            with_marks(theirs, {piece.source: self._store for piece in theirs}, self._source.masters)
        )
        return next((piece for piece in pieces if piece.timeline == longest), None)

    # --- finding a place

    def _seek(self, lsn: Lsn) -> LogRun | None:
        """Put the cursor at or before `lsn`; return what is left of the frame that `lsn` lies in, None at a frame's border."""
        cursor = self._cursor
        if cursor is None or cursor.position.lsn != lsn:
            cursor = self._cursor = self._place(lsn)
        while cursor is not None and cursor.position.lsn < lsn:
            run = self._next()
            if run is None:
                return None
            if run.begin.lsn + len(run.log) > lsn:
                return _behind(run, lsn)
            cursor = self._cursor
        return None

    def _place(self, lsn: Lsn) -> _Cursor | None:
        """Return a cursor at the object that holds `lsn`, at its first frame."""
        for is_fresh in (False, True):
            if is_fresh and not self._list():
                return None
            covering = [piece for piece in self._pieces if piece.begin.lsn <= lsn < piece.end.lsn]
            ending = [piece for piece in self._pieces if piece.end.lsn == lsn]
            # What was read before tells whose log is asked for: another timeline may hold another history there.
            known = [piece for piece in (*covering, *ending) if piece.timeline == self._timeline]
            if self._is_kept_to and not known and is_fresh and covering:
                named = " and ".join(sorted(piece.root for piece in covering))
                raise LostPlaceError(
                    f"LSN {lsn.text()} is asked for, and only {named} has it, maybe of another history"
                )
            piece = max(
                known or (() if self._is_kept_to else covering or ending),
                key=lambda piece: (piece.end.lsn > lsn, piece.begin.lsn == lsn, piece.end.lsn),
                default=None,
            )
            if piece is not None:
                self._timeline = piece.timeline
                self._refuse_other(piece)
                cursor = _cursor_in(piece, lsn)
                return replace(cursor, position=self._chained(cursor)) if cursor.position.lsn == lsn else cursor
        return None

    def _chained(self, cursor: _Cursor) -> Position:
        """Return the cursor's position with the chain before it: from the piece's record, or the frames of the object before."""
        piece, lsn = cursor.piece, cursor.position.lsn
        known = piece.begin if piece.begin.lsn == lsn else piece.end if piece.end.lsn == lsn else None
        if known is None:
            before = next((item for item in piece.objects if item.end_lsn == lsn), None)
            if before is None:
                return cursor.position
            with self._store.reader(before.name) as reader:
                scan = scan_frames(
                    reader.read,
                    before.size_bytes,
                    durable_size_bytes=before.size_bytes,
                    name=f"{self._store.location}/{before.name}",
                )
            known = scan.frames[-1].header.frame.end_position
        return Position(lsn=lsn, accumulated=known.accumulated, log_id=known.log_id, scn=known.scn)

    def _list(self) -> bool:
        """Read the pieces anew; return False if that was done a moment ago."""
        now = self._monotonic()
        if self._listed_at is not None and now - self._listed_at < _LOOK_SECONDS:
            return False
        self._listed_at = now
        self._pieces = archived_pieces(self._source)
        return True

    def _refuse_other(self, piece: PieceFact) -> None:
        """Raise UnknownVersionError before a piece's first byte is read unless it is of the engine that takes it in."""
        where = f"{self._store.location}/{piece.root}"
        layout_of(piece.engine_data_version, where)
        if piece.engine_data_version != self._engine_data_version:
            raise UnknownVersionError(
                f"{where} is log of engine {piece.engine_data_version}, not of {self._engine_data_version}",
                hint="an engine reads the log of its own version only",
            )

    # --- going on

    def _next(self) -> LogRun | None:
        """Return the next frame's groups and step over it; None if it is not there yet."""
        while (cursor := self._cursor) is not None:
            header = self._header(cursor)
            if header is not None:
                run = self._open(cursor, header)
                if run is None:
                    return None
                if run.log:
                    return run
                continue
            following = self._following(cursor)
            if following is None:
                return None
            self._cursor, self._timeline = following, following.piece.timeline
        return None

    def _header(self, cursor: _Cursor) -> FrameHeader | None:
        """Return the header of the next frame of the cursor's object if that frame is there, whole as far as sizes tell."""
        try:
            head = self._bytes(cursor.name, cursor.offset, FRAME_HEADER_BYTES)
            if len(head) < FRAME_HEADER_BYTES:
                return None
            return decode_frame_header(head, name=self._where(cursor))
        except CorruptionError:
            self._refuse_if_vouched_for(cursor)
            return None

    def _open(self, cursor: _Cursor, header: FrameHeader) -> LogRun | None:
        where = self._where(cursor)
        stored = self._bytes(cursor.name, cursor.offset + FRAME_HEADER_BYTES, header.stored_size_bytes)
        try:
            payload = memoryview(self._opener(cursor.piece).open(header, stored, name=where))
        except (CorruptionError, RefusedError) as error:
            fresh = self._with_new_keys(cursor)
            if fresh is not None:
                return self._open(fresh, header)
            if isinstance(error, RefusedError):
                self._openers.clear()  # the key may be known the next time
                raise
            self._refuse_if_vouched_for(cursor)
            return None
        frame = header.frame
        if frame.has_info_block:
            payload = payload[LOG_INFO_BYTES:]
        begin, position = int(frame.start_lsn), cursor.position
        if frame.end_lsn <= position.lsn:
            self._cursor = replace(cursor, offset=cursor.offset + header.size_bytes)
            return LogRun(begin=position, log=payload[:0])  # an earlier piece gave this log
        if position.accumulated is None and position.lsn != begin:
            position = Position(lsn=frame.start_lsn)
        if begin > position.lsn:
            raise CorruptionError(f"{where} begins at LSN {begin:016x}, expected LSN {position.lsn.text()} or before")
        log = payload[position.lsn - begin :]
        found = walk(log, position)
        if found.size_bytes != len(log):
            raise CorruptionError(
                f"{where}: the log does not go on: {found.reason or 'a group is not whole'}",
                hint="the archived log is damaged there",
            )
        self._cursor = replace(cursor, offset=cursor.offset + header.size_bytes, position=found.end)
        return LogRun(begin=position, log=log)

    def _opener(self, piece: PieceFact) -> FrameOpener:
        opener = self._openers.get(piece.keys)
        if opener is None:
            self._openers.clear()
            opener = self._openers[piece.keys] = FrameOpener(key=log_keys(piece, self._source.masters))
        return opener

    def _with_new_keys(self, cursor: _Cursor) -> _Cursor | None:
        """Return the cursor with what the piece's record says by now of its keys, None when it says nothing new.

        The log was sealed, opened or sealed with another key since the cursor came here; the record said so before the first frame.
        """
        try:
            record, _, _ = read_piece_record(self._store, cursor.piece.root)
        except NotFoundError:
            return None
        return (
            None if record.keys == cursor.piece.keys else replace(cursor, piece=replace(cursor.piece, keys=record.keys))
        )

    def _following(self, cursor: _Cursor) -> _Cursor | None:
        """Return where the log goes on behind the last frame of the cursor's object, None if nowhere yet."""
        position = cursor.position
        block_id = block_id_of(position.lsn)
        name = names.log_name(cursor.piece.root, block_id)
        if position.lsn % LOG_DATA_BYTES == 0 and name != cursor.name and self._store.stat(name):
            return replace(cursor, name=name, offset=0)
        if not self._list():
            return None
        holding = [piece for piece in self._pieces if piece.begin.lsn <= position.lsn < piece.end.lsn]
        if any(piece.root == cursor.piece.root for piece in holding):
            return None  # it has grown since the look at it
        piece = self._going_on(cursor, holding)
        if piece is not None:
            self._refuse_other(piece)
            return replace(_cursor_in(piece, position.lsn), position=position)
        damage = next((piece.damage for piece in self._pieces if piece.root == cursor.piece.root), "")
        if damage:
            raise CorruptionError(damage)  # its log will never come from here
        # A newer round means that the own one has ended. What an older one holds there is no answer: the own one may go on.
        newer = [piece for piece in holding if piece.round_id > cursor.piece.round_id]
        if newer:
            named = " and ".join(sorted(f"{piece.root} (round {piece.round_id})" for piece in newer))
            raise CorruptionError(
                f"the log does not go on at LSN {position.lsn.text()}: {named} may hold another history from there on",
                hint="the machine was put back or copied: make a standby of the history that is wanted, from its archive alone",
            )
        return None

    def _going_on(self, cursor: _Cursor, holding: list[PieceFact]) -> PieceFact | None:
        """Return the piece of these that goes on with the log the cursor has come from, None when none is known to."""
        at = cursor.position
        end = LogPosition(lsn=at.lsn, accumulated=at.accumulated, log_id=at.log_id, scn=at.scn)
        own = next((piece for piece in self._pieces if piece.root == cursor.piece.root), cursor.piece)
        _, *marked = with_marks(
            (replace(own, end=end), *holding),
            {piece.source: self._store for piece in (own, *holding)},
            self._source.masters,
        )
        candidates = [piece for piece in marked if goes_on(end, own.timeline, piece)]
        return next_piece(candidates, at.lsn, own.timeline, self._engine_data_version)

    def _refuse_if_vouched_for(self, cursor: _Cursor) -> None:
        """Take what can not be decoded for unfinished, unless a record vouches for it: raise the error under way then."""
        self._window = ("", 0, b"")
        if self._is_vouched_for(cursor):
            raise  # noqa: PLE0704

    def _is_vouched_for(self, cursor: _Cursor) -> bool:
        """Return whether a record says that a whole frame lies at the cursor."""
        return any(item.name == cursor.name and cursor.offset < item.size_bytes for item in cursor.piece.objects)

    # --- bytes

    def _bytes(self, name: str, offset: int, size_bytes: int) -> memoryview:
        """Return what there is of these bytes, through a window of the object."""
        kept_name, begin, window = self._window
        if kept_name != name or offset < begin or offset + size_bytes > begin + len(window):
            window = self._read(name, offset, max(size_bytes, _WINDOW_BYTES))
            begin = offset
            self._window = (name, begin, window)
        return memoryview(window)[offset - begin : offset - begin + size_bytes]

    def _read(self, name: str, offset: int, size_bytes: int) -> bytes:
        try:
            if self._reader is None or self._reader[0] != name or self._reader[1].size_bytes < offset + size_bytes:
                # A reader knows the size of its beginning.
                self.close()
                self._reader = (name, self._store.reader(name))
            reader = self._reader[1]
            return reader.read(offset, min(size_bytes, max(0, reader.size_bytes - offset)))
        except NotFoundError:
            return b""

    def _where(self, cursor: _Cursor) -> str:
        return f"{self._store.location}/{cursor.name} at offset {cursor.offset}"


class LostPlaceError(CorruptionError):
    """The history that is read does not hold the LSN that is asked for, and another piece does: whose that is must be looked at."""


class InsideGroupError(CorruptionError):
    """An LSN that was asked for lies inside a group. `group`: that group, whole; `begin`: where it begins."""

    def __init__(self, begin: Position, group: bytes) -> None:
        super().__init__(f"no log group begins there: the one around it begins at LSN {begin.lsn.text()}")
        self.begin = begin
        self.group = group


def _cursor_in(piece: PieceFact, lsn: Lsn) -> _Cursor:
    """Return a cursor at the first frame of the object of `piece` that holds `lsn`, or that will."""
    item = next((item for item in piece.objects if item.first_lsn <= lsn < item.end_lsn), None)
    if item is None:
        return _Cursor(
            piece=piece, name=names.log_name(piece.root, block_id_of(lsn)), offset=0, position=Position(lsn=lsn)
        )
    return _Cursor(piece=piece, name=item.name, offset=0, position=Position(lsn=item.first_lsn))


def _behind(run: LogRun, lsn: Lsn) -> LogRun:
    """Return what is left of the run from `lsn` on. Raises InsideGroupError if no group begins there."""
    position = run.begin
    for at, header in groups(run.log, run.begin):
        begin = run.begin.lsn + at
        size_bytes = header.header_size_bytes + header.size_bytes
        if begin == lsn:
            return LogRun(begin=position, log=run.log[at:])
        if begin + size_bytes > lsn:
            raise InsideGroupError(position, bytes(run.log[at : at + size_bytes]))
        position = Position(
            lsn=Lsn(begin + size_bytes), accumulated=header.accumulated, log_id=header.log_id, scn=Scn(header.max_scn)
        )
    raise AssertionError("the run ends behind the LSN")
