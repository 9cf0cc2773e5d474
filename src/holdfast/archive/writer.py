"""Putting a round into its destination: frames, records, placeholders. The order of effects is decided here.

Invariants:
- A log object only grows, by whole frames, each durable before `book` says so. After a failed append the object is
  opened again at the size the book knows, which cuts off whatever the failure left.
- A record never promises more than is durable: it is made from the book, after the append, while the object that grows is there.
- A piece is frozen when the frames of the object that grew last were read back whole: a frozen piece is believed by its sizes.
- Log is sealed as `Sealing` says at the moment of its append. A key is in the record, and its master key in the destination, before
  the first frame that it seals: whatever is found can be opened.
- A frozen piece has its record before the next piece has any object, so a reader sees at most one open piece, the last.
"""

from collections.abc import Callable

from holdfast import codes
from holdfast.archive.book import BlockObject, PieceBook
from holdfast.archive.journal import Course
from holdfast.archive.window import Slicing
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import FrameAt, FrameSealer, LogFrame, LogKeys, LogPosition, scan_frames
from holdfast.backup_format.owner_record import encode_placeholder
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.backup_format.piece_record import (
    MissingRange,
    PieceBlock,
    PieceRecord,
    RoundRecord,
    encode_piece_record,
    encode_round_record,
)
from holdfast.engine_format.log_block import block_id_of
from holdfast.engine_format.log_walk import Position
from holdfast.errors import CorruptionError, NotFoundError, ObjectReplacedError, refuse
from holdfast.store.store import Appender, Store
from holdfast.values.archive import PieceStatus, Round
from holdfast.values.buffers import Buffer
from holdfast.values.owner import JobKind, Owner
from holdfast.values.scn import Scn


class RoundWriter:
    """Writes the open piece of one round and opens the next. One thread only."""

    def __init__(
        self,
        store: Store,
        course: Course,
        slicing: Slicing,
        timeline: str,
        begin: Position,
        book: PieceBook,
        may_write: Callable[[], None],
    ) -> None:
        """`begin`: where the round's first group begins. `book`: the open piece, as it is durable now.

        `may_write` raises when the round is another follower's by now. Asked last before each change, and under the lock of an
        object that grows before it is cut to the size that this writer knows: a call may have hung for long.
        """
        self._store = store
        self._course = course
        self._slicing = slicing
        self.timeline = timeline
        self.begin = begin
        self._book = book
        self._may_write = may_write
        self._sealer = FrameSealer()
        self._seals_with: PieceKey | None = None
        self._appender: Appender | None = None
        self._appends_to = ""
        self._damage: CorruptionError | None = None

    @property
    def book(self) -> PieceBook:
        """Return what is durable in the open piece."""
        return self._book

    def begin_round(self, current: Round) -> None:
        """Put the round's record and its first piece's. Repeatable.

        A crash before the piece record leaves a round that holds nothing; the next start begins it again.
        """
        self.put_round(current, names.Edge.START)
        self.begin_piece()

    def begin_piece(self) -> None:
        """Put the open piece's record and start placeholder. Repeatable."""
        self.put_record()
        self._put_placeholder(names.Edge.START, self._book.window.start_scn)

    def append(self, log: Buffer, *, end: Position, first_scn: Scn, info: bytes | None) -> int:
        """Make `log`, the whole groups from the book's end to `end`, durable. Returns the bytes it took.

        `info`: the block's info block, given exactly when the piece has no object of this block yet.
        """
        if self._damage is not None:
            raise self._damage  # the log in hand is not what follows the last frame that holds
        self._take_key()
        block_id = block_id_of(self._book.end.lsn)
        assert (info is None) == (self._book.object_of(block_id) is not None)
        assert end.accumulated is not None, "a walk that took a group knows its chain"
        assert end.log_id is not None
        frame = LogFrame(
            timeline=self.timeline,
            block_id=block_id,
            start_lsn=self._book.end.lsn,
            end_lsn=end.lsn,
            first_scn=first_scn,
            max_scn=end.scn,
            accumulated=end.accumulated,
            log_id=end.log_id,
            has_info_block=info is not None,
        )
        sealed = self._sealer.seal(frame, *((log,) if info is None else (info, log)))
        appender = self._appender_of(block_id)
        try:
            appender.append(sealed.header_bytes, behind=sealed.pieces())
        except BaseException:
            self.close()
            raise
        self._book = self._book.appended(block_id=block_id, end=end, frame_bytes=sealed.size_bytes)
        return sealed.size_bytes

    def _take_key(self) -> None:
        """Have the sealer seal with the key that counts now. Raises RefusedError (-9047) when that is not to be had."""
        sealing, before = self._course.sealing, self._book
        key_id, last = sealing.key_id(), before.keys[-1] if before.keys else None
        if key_id != ("" if last is None else last.key_id):
            from_lsn = before.end.lsn
            if key_id:
                self._find_destination()  # the key object is another server's to change when this one was overtaken
                last, _ = sealing.new_key(self._store, root=self._root(), timeline=self.timeline, from_lsn=from_lsn)
            else:
                last = PieceKey(from_lsn=from_lsn)
            self._book = before.with_key(last)
            try:
                self.put_record()
            except BaseException:
                self._book = before
                raise
        if last is not self._seals_with:
            entry = None if last is None else self._log_keys().at(last.from_lsn)
            key = None if entry is None else entry.key
            assert key is not None or last is None or not last.is_sealed, "who takes up a round knows its keys"
            self._sealer, self._seals_with = FrameSealer(key=key), last

    def _log_keys(self) -> LogKeys:
        return self._course.sealing.log_keys(self._book.keys, root=self._root(), timeline=self.timeline)

    def put_record(self) -> None:
        """Put the open piece's record: everything the book says is durable and now promised.

        Raises ObjectReplacedError when the object that grows is not there any more, or shorter.
        """
        self._find_destination()
        self._find_last_object()
        self._store.put(names.checkpoint_name(self._root()), encode_piece_record(self._record()))

    def put_open_record(self) -> None:
        """Put the piece's record unless it is frozen, whose record is final."""
        if not self._book.is_frozen:
            self.put_record()

    def freeze(self, *, at_border: bool) -> PieceBook:
        """Freeze the open piece and return its book. Repeatable.

        Raises CorruptionError when what was archived last does not hold; the record then promises only what does.
        """
        self.close()
        self._find_destination()
        if self._damage is not None:
            raise self._damage
        if not self._book.is_frozen and self._book.blocks:
            self._read_back(self._book.blocks[-1])
        self._book = self._book.frozen(at_border=at_border)
        self._store.put(names.piece_info_name(self._root()), encode_piece_record(self._record()))
        self._put_placeholder(names.Edge.END, self._book.checkpoint_scn)
        return self._book

    def open_next(self) -> PieceBook:
        """Begin the piece after the frozen one, where that ends, and return its book.

        Named only when its record is there: a failure leaves the frozen piece open to the next attempt.
        """
        frozen = self._book
        assert frozen.is_frozen
        self._book = frozen.followed_by(self._slicing.window(frozen.window.piece_id + 1))
        try:
            self.begin_piece()
        except BaseException:
            self._book = frozen
            raise
        return self._book

    def put_round(self, current: Round, edge: names.Edge, missing: MissingRange | None = None) -> None:
        """Put the round's record at its start (replaced when it is interrupted) or at its end."""
        course = self._course
        record = RoundRecord(
            cluster_name=course.cluster_name,
            cluster_id=course.cluster_id,
            tenant_id=current.tenant_id,
            tenant_name=course.tenant_name,
            dest_id=current.dest_id,
            round_id=current.round_id,
            timeline=self.timeline,
            status=current.status,
            start_scn=current.start_scn,
            checkpoint_scn=self._book.end.scn,
            begin=_log_position(self.begin),
            base_piece_id=current.base_piece_id,
            used_piece_id=self._book.window.piece_id,
            piece_switch_interval_us=current.piece_switch_interval_us,
            comment=current.comment,
            missing=() if missing is None else (missing,),
            owner=self._owner(),
        )
        placeholder = names.RoundPlaceholder(dest_id=current.dest_id, round_id=current.round_id, edge=edge)
        self._find_destination()
        self._store.put(names.round_placeholder(placeholder), encode_round_record(record))

    def keep(self) -> None:
        """Find that the destination is there, this server still the one that writes it, and the key at hand.

        Raises RefusedError, ForeignOwnerError.
        """
        self._find_destination()
        self._course.sealing.keep(self._store)

    def close(self) -> None:
        """Let go of the object that grows. Repeatable; the next append opens it again."""
        appender, self._appender, self._appends_to = self._appender, None, ""
        if appender is not None:
            appender.close()

    def _appender_of(self, block_id: int) -> Appender:
        name = names.log_name(self._root(), block_id)
        if self._appender is None or self._appends_to != name:
            self.close()
            self._find_destination()
            known = self._book.object_of(block_id)
            self._appender = self._store.appender(name, known.size_bytes if known else 0, self._may_write)
            self._appends_to = name
        return self._appender

    def _find_destination(self) -> None:
        """Refuse (-9080) a place without our format file: a file system that was taken away leaves an empty folder, and
        log written there would be missing where it belongs. Refuse (-9081) one that another server writes."""
        if self._store.stat(names.FORMAT_FILE) is None:
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST,
                "",
                hint=f"{self._store.location} has no {names.FORMAT_FILE}; is it mounted?",
            )
        self._course.tenure.keep(self._store)
        self._may_write()

    def _owner(self) -> Owner:
        return self._course.tenure.owner(JobKind.ARCHIVE, self._course.round.round_id)

    def _find_last_object(self) -> None:
        """Raise ObjectReplacedError when the object that grew last has lost what is to be promised: the destination was put back."""
        if not self._book.blocks:
            return
        known = self._book.blocks[-1]
        name = names.log_name(self._root(), known.block_id)
        size = self._store.stat(name)
        if size is None or size < known.size_bytes:
            raise ObjectReplacedError(
                f"{self._store.location}/{name} has {size or 0} bytes, {known.size_bytes} were archived",
                hint="the destination was changed under a running server; what is there is read back",
            )

    def _read_back(self, known: BlockObject) -> None:
        """Open every frame of the object that grew last. What does not hold is cut from the book and its record, then raised."""
        name = names.log_name(self._root(), known.block_id)
        place = f"{self._store.location}/{name}"
        frames: tuple[FrameAt, ...] = ()
        reason = "it is not there"
        try:
            with self._store.reader(name) as reader:
                scan = scan_frames(
                    reader.read, min(reader.size_bytes, known.size_bytes), key=self._log_keys(), name=place
                )
            frames, reason = scan.frames, scan.torn or f"it ends at {scan.end_offset}"
        except NotFoundError:
            pass
        except CorruptionError as error:
            reason = error.message
        first_lsn = frames[0].header.frame.start_lsn if frames else known.start_lsn
        if first_lsn != known.start_lsn:
            frames, reason = (), f"it begins at LSN {first_lsn}, expected {known.start_lsn}"
        size_bytes = frames[-1].end_offset if frames else 0
        if frames and size_bytes == known.size_bytes and frames[-1].header.frame.end_lsn == known.end_lsn:
            return
        self._damage = CorruptionError(
            f"{place} holds {size_bytes} of the {known.size_bytes} bytes that were archived: {reason}",
            hint="the destination was changed or damaged",
        )
        end = _position(frames[-1].header.frame.end_position) if frames else self._end_before(known)
        if end is not None:
            self._book = self._book.cut(end=end, size_bytes=size_bytes)
            self._store.put(names.checkpoint_name(self._root()), encode_piece_record(self._record()))
        raise self._damage

    def _end_before(self, known: BlockObject) -> Position | None:
        """Return where the log before an object ends, None when that can not be read either."""
        if len(self._book.blocks) == 1:
            return self._book.begin
        before = self._book.blocks[-2]
        name = names.log_name(self._root(), before.block_id)
        try:
            with self._store.reader(name) as reader:
                scan = scan_frames(reader.read, before.size_bytes, durable_size_bytes=before.size_bytes, name=name)
        except (CorruptionError, NotFoundError):
            return None
        end = _position(scan.frames[-1].header.frame.end_position) if scan.frames else None
        return end if end is not None and end.lsn == known.start_lsn else None

    def _put_placeholder(self, edge: names.Edge, scn: Scn) -> None:
        current = self._course.round
        piece = names.PieceRef(dest_id=current.dest_id, round_id=current.round_id, piece_id=self._book.window.piece_id)
        placeholder = names.PiecePlaceholder(piece=piece, edge=edge, tag=scn.tag())
        self._store.put(names.piece_placeholder(placeholder), encode_placeholder(self._owner()))

    def _root(self) -> str:
        current = self._course.round
        return names.piece_root(current.dest_id, current.round_id, self._book.window.piece_id)

    def _record(self) -> PieceRecord:
        course, current, book = self._course, self._course.round, self._book
        return PieceRecord(
            cluster_name=course.cluster_name,
            cluster_id=course.cluster_id,
            tenant_id=current.tenant_id,
            tenant_name=course.tenant_name,
            dest_id=current.dest_id,
            round_id=current.round_id,
            piece_id=book.window.piece_id,
            timeline=self.timeline,
            status=PieceStatus.FROZEN if book.is_frozen else PieceStatus.ACTIVE,
            start_scn=book.window.start_scn,
            end_scn=book.window.end_scn,
            checkpoint_scn=book.checkpoint_scn,
            max_scn=book.max_scn,
            begin=_log_position(book.begin),
            end=_log_position(book.end),
            input_bytes=book.input_bytes,
            output_bytes=book.output_bytes,
            engine_data_version=course.engine_data_version,
            blocks=tuple(
                PieceBlock(
                    block_id=block.block_id,
                    size_bytes=block.size_bytes,
                    first_lsn=block.start_lsn,
                    end_lsn=block.end_lsn,
                )
                for block in book.blocks
            ),
            owner=self._owner(),
            keys=book.keys,
            needs_certificate=course.needs_certificate,
        )


def _log_position(position: Position) -> LogPosition:
    return LogPosition(lsn=position.lsn, accumulated=position.accumulated, log_id=position.log_id, scn=position.scn)


def _position(position: LogPosition) -> Position:
    return Position(lsn=position.lsn, accumulated=position.accumulated, log_id=position.log_id, scn=position.scn)
