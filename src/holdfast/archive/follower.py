"""The follower: carries one tenant's log into its archive destination, and the round through its states.

Theory of operation. Two threads work for a round. The keeper (see `keeper`) links new log blocks and does nothing else.
The follower's own thread, here, turns this wheel:

    walk     read the live log behind `walked`, verify whole groups, keep their bytes in hand (bounded)
    append   seal what is in hand as one frame; durable when the append returns
    tell     put the piece's record, save to the journal, release links below the durable position

Durable first, then told: a crash between any two of these leaves a destination that is ahead of what was told, and
`resume` reads it back from there. Invariants:

- The log in hand is `[durable, walked)`, lies in one block and one piece, and chains to what is durable.
- Nothing is released that is not both durable and promised by a record.
- A round that lost log says so (INTERRUPTED, with the missing range) and never goes on. What only might be lost (the
  destination is away, the journal is away, a group is unfinished) is waited for.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from holdfast import codes
from holdfast.archive import pace
from holdfast.archive.blocks import BlockReader, LogMissingError, read_base_lsn
from holdfast.archive.book import PieceBook
from holdfast.archive.journal import Course, FollowerStatus, Journal, LagTarget
from holdfast.archive.keeper import Keeper
from holdfast.archive.pressure import SpoolVerdict
from holdfast.archive.resume import LastFrame, read_round
from holdfast.archive.round import RoundEvent, Wanted, follows_log, holds_log, is_over, next_status
from holdfast.archive.walker import Doubt, LogWalker, is_later_block_in_use, judge_doubt
from holdfast.archive.window import Slicing
from holdfast.archive.writer import RoundWriter
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import MissingRange
from holdfast.clock import Clock
from holdfast.engine_format.log_block import block_id_of, decode_info_block, first_lsn_of
from holdfast.engine_format.log_walk import Position, WalkStop
from holdfast.errors import CorruptionError, HoldfastError, RefusedError, StoreUnavailableError, refuse
from holdfast.store.store import Store
from holdfast.values.archive import Piece, PieceStatus, RoundStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_LOG = logging.getLogger("holdfast.archive")

TELL_SECONDS: Final = 1.0
"""How often a record is put and the journal saved while log flows; each costs a few synchronous writes."""

APPEND_REST_SECONDS: Final = 0.02
"""Least time between two appends, lag target 0 included: each makes the file system commit its journal, which the
engine's own synchronous writes wait for. Borders and full hands do not wait."""

STILL_SECONDS: Final = 1.0
"""How often a log that does not go on is asked whether it ended here or is broken."""

STOP_ATTEMPTS_MAX: Final = 8
"""How often the end of a round (or its rest) is told to a destination that does not answer, before it ends without."""


class _LogLostError(HoldfastError):
    """Log that the round needs will never come. `missing` names it as far as it is known."""

    default_code = codes.OB_CLOG_RECYCLE_BEFORE_ARCHIVE

    def __init__(self, message: str, missing: MissingRange | None) -> None:
        super().__init__(message)
        self.missing = missing


class Follower:
    """Follows one tenant's log. All public methods are safe from any thread.

    `check_destination` raises RefusedError (-9080, -9081, -9071) or StoreUnavailableError; the round then stays in
    PREPARE with the reason in COMMENT and tries again.
    """

    def __init__(
        self,
        course: Course,
        *,
        open_store: Callable[[], Store],
        check_destination: Callable[[Store], None],
        journal: Journal,
        lag_target_us: LagTarget,
        clock: Clock,
        wanted: Wanted = Wanted.RUN,
    ) -> None:
        self._course = course
        self._open_store = open_store
        self._check_destination = check_destination
        self._journal = journal
        self._lag_target_us = lag_target_us
        self._clock = clock
        self._wanted = wanted
        current = course.round
        self._slicing = Slicing(
            round_start_scn=current.start_scn,
            base_piece_id=current.base_piece_id,
            interval_us=current.piece_switch_interval_us,
        )
        self._keeper = Keeper(
            course.log_dir, course.spool_dir, limits=course.limits, binding=course.binding, clock=clock
        )
        self._reader = BlockReader(course.log_dir, course.spool_dir)
        self._walker = LogWalker(self._reader)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._drain = False
        self._thread: threading.Thread | None = None

        # The round, and its account of bytes: what earlier pieces took, by piece.
        self._round = current
        self._earlier: dict[int, Piece] = {piece.piece_id: piece for piece in course.pieces}
        self._untold: dict[int, Piece] = {}
        self._told_at = 0.0
        self._is_untold = False

        # The archive of the open piece, and the log in hand.
        self._store: Store | None = None
        self._writer: RoundWriter | None = None
        self._walked: Position | None = None
        self._hand = bytearray()
        self._hand_first_scn = Scn(0)
        self._hand_since = 0.0
        self._at_border = False
        self._switch_piece = False
        self._appended_at = 0.0
        self._still: Doubt | None = None
        self._still_at = 0.0
        self._flush_scn = Scn(0)
        self._rest_seconds = pace.POLL_SECONDS_LEAST
        self._failures = 0
        self._is_stalled = False

        # For those who ask for the live tail.
        self._tail_lock = threading.Lock()
        self._tail: Position | None = None
        self._snapshot = self._status()

    # --- what others ask

    def start(self) -> None:
        """Begin on a thread of its own; returns at once."""
        assert self._thread is None, "a follower is started once"
        name = f"archive {self._round.tenant_id}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self, wanted: Wanted) -> None:
        """Tell what the settings want now; acted upon within one poll."""
        self._wanted = wanted
        self._wake.set()

    def stop(self, *, drain: bool, timeout_seconds: float = 10.0) -> bool:
        """End the threads; the round stays as it is (server stop). Returns whether they ended in time.

        Drained: what the engine has written by then is archived first, if the destination takes it.
        """
        self._drain = drain
        self._ending.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def is_running(self) -> bool:
        """Return whether the follower's thread lives; it ends by itself when the round reaches STOP."""
        return self._thread is not None and self._thread.is_alive()

    def request_flush(self, until_scn: Scn) -> None:
        """Make everything up to `until_scn` durable without waiting for the lag target; returns at once."""
        self._flush_scn = max(self._flush_scn, until_scn)
        self._wake.set()

    def checkpoint_scn(self) -> Scn:
        """Return the SCN up to which everything is durable. Never blocks."""
        return self._snapshot.checkpoint_scn

    def status(self) -> FollowerStatus:
        """Return a snapshot. Never blocks."""
        return self._snapshot

    def start_lsn(self) -> Lsn:
        """Return the first LSN the round holds. Raises RefusedError (-9029) before the round has begun."""
        start = self._snapshot.start_lsn
        if start is None:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint=self._snapshot.comment)
        return start

    def tail_after(self, timeout_seconds: float = 30.0) -> tuple[Lsn, Scn]:
        """Return the verified end of the live log: the next group's LSN and the max SCN of the last group.

        Found by a walk of its own, begun after the call, so it never waits for the destination. A group still being
        written counts as not there. Raises EngineError when the walk does not come to the end in time,
        LogMissingError when the log has a hole.
        """
        deadline = self._clock.monotonic() + timeout_seconds
        with self._tail_lock:
            reader = BlockReader(self._course.log_dir, self._course.spool_dir)
            try:
                position = self._tail_start(reader)
                walker = LogWalker(reader)
                while True:
                    _, found = walker.step(position)
                    position = found.end
                    if found.stop in {WalkStop.ZERO, WalkStop.BROKEN}:
                        self._tail = position
                        return position.lsn, position.scn
                    if self._clock.monotonic() > deadline:
                        raise RefusedError(
                            f"the end of the log was not reached in {timeout_seconds} s, at LSN {position.lsn}",
                            code=codes.OB_TIMEOUT,
                        )
            finally:
                reader.close()

    def _tail_start(self, reader: BlockReader) -> Position:
        known = [position for position in (self._walked, self._tail) if position is not None]
        if known:
            return max(known, key=lambda position: position.lsn)
        blocks = reader.block_ids()
        if not blocks:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint="the engine has no log yet")
        return Position(lsn=first_lsn_of(blocks[0]))

    # --- the thread

    def _run(self) -> None:
        try:
            while not self._ending.is_set() and not is_over(self._round.status):
                self._wake.wait(self._turn())
                self._wake.clear()
            self._leave()
        finally:
            self._keeper.stop()
            self._close_archive()
            self._reader.close()
            self._publish()

    def _turn(self) -> float:
        """Do the next step of the round and return how long to rest before the one after."""
        try:
            rest = self._step()
        except (_LogLostError, LogMissingError, CorruptionError) as error:
            self._interrupt(error)
            return 0.0
        except HoldfastError as error:
            rest = self._wait_for(error)
        except OSError as error:
            rest = self._wait_for(StoreUnavailableError(f"the log can not be read: {error}"))
        except Exception as error:  # noqa: BLE001 - a defect must not end archiving silently: say it, begin anew from disk
            _LOG.exception("tenant %d: the follower failed, it begins anew", self._round.tenant_id)
            self._close_archive()
            rest = self._wait_for(HoldfastError(f"internal error of the archive: {error!r}"))
        else:
            if self._failures:
                self._failures = 0
                self._say("")
        self._publish()
        return rest

    def _step(self) -> float:
        match self._round.status:
            case RoundStatus.PREPARE:
                return self._prepare()
            case RoundStatus.BEGINNING | RoundStatus.DOING:
                return self._archive()
            case RoundStatus.SUSPENDING:
                return self._come_to_rest()
            case RoundStatus.SUSPEND:
                return self._rest()
            case RoundStatus.INTERRUPTED:
                return self._wait_for_stop()
            case RoundStatus.STOPPING:
                return self._end_round()
            case RoundStatus.STOP:
                return 0.0

    def _prepare(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        if self._wanted is Wanted.SUSPEND:
            return pace.POLL_SECONDS_MOST
        self._check_destination(self._open_store())
        return self._move(RoundEvent.DESTINATION_GOOD)

    def _archive(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        if self._wanted is Wanted.SUSPEND and self._round.status is RoundStatus.DOING:
            return self._move(RoundEvent.DEFERRED)
        self._judge_spool()
        writer = self._opened()
        found_log = self._walk(writer)
        if self._append_due():
            found_log = self._append(writer) or found_log
        if self._switch_piece and not self._hand:
            self._next_piece(writer)
            found_log = True
        self._tell()
        self._rest_seconds = pace.next_poll_seconds(self._rest_seconds, found_log=found_log)
        return 0.0 if found_log and (self._at_border or len(self._hand) == 0) else self._rest_seconds

    def _come_to_rest(self) -> float:
        """Make what is in hand durable, then rest; a destination that is away does not keep a round from resting."""
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        try:
            writer = self._opened()
            if self._hand:
                self._append(writer)
            self._tell(force=True)
        except StoreUnavailableError:
            if self._failures < STOP_ATTEMPTS_MAX:
                raise
        # Whatever is still in hand is in the spool, and is walked again when the round goes on.
        self._close_archive()
        return self._move(RoundEvent.RESTED)

    def _rest(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        if self._wanted is Wanted.RUN:
            self._check_destination(self._open_store())
            return self._move(RoundEvent.ENABLED)
        self._keeper.start()
        self._judge_spool()
        return pace.POLL_SECONDS_MOST

    def _wait_for_stop(self) -> float:
        self._is_stalled = False
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        self._tell()
        return pace.POLL_SECONDS_MOST * 4

    def _end_round(self) -> float:
        """Freeze the open piece and end the round; without its destination after a bounded number of attempts.

        The record then still says ACTIVE, which promises less than is there, never more.
        """
        comment = self._round.comment
        try:
            writer = self._found_archive()
            if writer is not None:
                if self._keeper.is_running and not comment:
                    self._drain_log(writer, seconds=5.0)
                self._enter(writer.freeze(at_border=writer.book.is_complete))
                self._round = replace(self._round, status=RoundStatus.STOP)
                writer.put_round(self._round, names.Edge.END)
                self._round = replace(self._round, status=RoundStatus.STOPPING)
        except StoreUnavailableError as error:
            self._round = replace(self._round, status=RoundStatus.STOPPING)
            if self._failures < STOP_ATTEMPTS_MAX:
                raise
            comment = comment or f"stopped, the destination could not be told: {error.message}"
        except (_LogLostError, CorruptionError, LogMissingError) as error:
            comment = comment or error.message
        for piece in self._earlier.values():
            if piece.status is PieceStatus.ACTIVE:
                self._enter_piece(replace(piece, status=PieceStatus.FROZEN))
        self._close_archive()
        self._keeper.give_up()
        self._failures = 0
        self._round = replace(self._round, comment=comment)
        return self._move(RoundEvent.ENDED)

    # --- opening the archive

    def _opened(self) -> RoundWriter:
        """Return the writer of the open piece, taken up from the destination or begun."""
        if self._writer is not None:
            return self._writer
        self._keeper.start()
        store = self._open_store()
        resumed = read_round(store, self._round)
        if resumed is None:
            return self._begin(store)
        for book in resumed.books:
            self._enter(book)
        writer = RoundWriter(store, self._course, self._slicing, resumed.timeline, resumed.begin, resumed.books[-1])
        self._adopt(store, writer)
        if resumed.last_frame is not None:
            self._compare(store, resumed.last_frame, writer.book)
        if writer.book.is_frozen:
            self._switch_piece = True
        return writer

    def _found_archive(self) -> RoundWriter | None:
        """Return the writer for ending the round, without looking at the live log; None: the round holds nothing."""
        if self._writer is None:
            store = self._open_store()
            resumed = read_round(store, self._round)
            if resumed is None:
                return None
            for book in resumed.books:
                self._enter(book)
            writer = RoundWriter(store, self._course, self._slicing, resumed.timeline, resumed.begin, resumed.books[-1])
            self._adopt(store, writer)
        return self._writer

    def _begin(self, store: Store) -> RoundWriter:
        """Begin the round at the engine's base block, so that whatever is backed up from now on is covered.

        The links come first, then the look at the base LSN: it only grows, and the engine keeps its base block, so the
        block it names is held by then or will be at the keeper's next look.
        """
        base_lsn = read_base_lsn(self._course.log_meta_dir)
        held = self._reader.block_ids()
        if not held:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint="the engine has no log yet")
        base_block = held[0] if base_lsn is None else block_id_of(base_lsn)
        if base_block not in held:
            raise LogMissingError(base_block, held)
        begin = Position(lsn=first_lsn_of(base_block))
        window = self._slicing.window(self._round.base_piece_id)
        book = PieceBook(window=window, begin=begin, end=begin)
        writer = RoundWriter(store, self._course, self._slicing, self._course.timeline, begin, book)
        writer.begin_round(self._round)
        self._keeper.release(below=base_block)
        self._enter(book)
        self._adopt(store, writer)
        return writer

    def _adopt(self, store: Store, writer: RoundWriter) -> None:
        self._store, self._writer = store, writer
        self._walked = writer.book.end
        self._drop_hand()

    def _compare(self, store: Store, last: LastFrame, book: PieceBook) -> None:
        """Refuse to go on when the live log is not the one that was archived: an engine lost log and wrote other."""
        archived = memoryview(last.log(store))
        frame = last.at.header.frame
        live = bytearray(len(archived))
        try:
            count = self._reader.read_into(frame.start_lsn, memoryview(live))
        except LogMissingError:
            if book.end.lsn == first_lsn_of(frame.block_id + 1):
                return  # the whole block is archived, the next group's chain decides
            raise
        if count != len(archived) or memoryview(live) != archived:
            raise _LogLostError(
                f"the live log differs from the archived one in [{frame.start_lsn}, {frame.end_lsn}): it is another timeline",
                MissingRange(start_lsn=book.end.lsn, end_lsn=None, start_scn=Scn(book.end.scn + 1), end_scn=None),
            )

    def _close_archive(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._store = self._writer = None
        self._walked = None
        self._drop_hand()

    def _drop_hand(self) -> None:
        self._hand.clear()
        self._at_border = self._switch_piece = False
        self._still = None

    # --- walk, append, tell

    def _walk(self, writer: RoundWriter) -> bool:
        """Take verified log into the hand and return whether there was any."""
        if self._at_border or self._switch_piece or len(self._hand) >= pace.PENDING_BYTES_MAX:
            return False
        assert self._walked is not None
        start = self._walked
        log, found = self._walker.step(start, before_scn=writer.book.window.end_scn)
        if found.first_scn is not None:
            if not self._hand:
                self._hand_first_scn = found.first_scn
                self._hand_since = self._clock.monotonic()
            self._hand += log
            self._walked = found.end
        match found.stop:
            case WalkStop.BLOCK_END:
                self._at_border = True
            case WalkStop.BORDER:
                self._at_border = self._switch_piece = True
            case WalkStop.ZERO | WalkStop.BROKEN:
                if not found.size_bytes:
                    self._look_at_still_log(found.stop, found.reason)
            case WalkStop.NEED_MORE:
                return True
        return found.size_bytes > 0

    def _look_at_still_log(self, stop: WalkStop, reason: str) -> None:
        """Interrupt the round when the log certainly does not go on where it should."""
        now = self._clock.monotonic()
        if now - self._still_at < STILL_SECONDS:
            return
        self._still_at = now
        assert self._walked is not None
        block_id = block_id_of(self._walked.lsn)
        self._still, is_broken = judge_doubt(
            self._still,
            position=self._walked,
            stop=stop,
            written_ns=self._reader.written_ns(block_id),
            later_block=is_later_block_in_use(self._reader, self._walked.lsn),
            now=now,
        )
        if is_broken:
            what = reason or "nothing is written, while later blocks are"
            raise _LogLostError(
                f"the log does not go on at LSN {self._walked.lsn}: {what}",
                MissingRange(
                    start_lsn=self._walked.lsn, end_lsn=None, start_scn=Scn(self._walked.scn + 1), end_scn=None
                ),
            )

    def _append_due(self) -> bool:
        now = self._clock.monotonic()
        durable = self._writer.book.end.scn if self._writer is not None else Scn(0)
        pending = pace.Pending(
            size_bytes=len(self._hand),
            age_seconds=now - self._hand_since,
            flush_asked=durable < self._flush_scn,
            at_border=self._at_border,
        )
        if not pace.is_append_due(pending, self._lag_target_us()):
            return False
        full = self._at_border or len(self._hand) >= pace.PENDING_BYTES_MAX
        return full or now - self._appended_at >= APPEND_REST_SECONDS

    def _append(self, writer: RoundWriter) -> bool:
        """Make the log in hand durable; False when the block's info block is not written yet."""
        assert self._walked is not None
        block_id = block_id_of(writer.book.end.lsn)
        is_new = writer.book.object_of(block_id) is None
        info = self._reader.info(block_id) if is_new else None
        if is_new and not _is_info_written(info):
            return False
        writer.append(memoryview(self._hand), end=self._walked, first_scn=self._hand_first_scn, info=info)
        self._hand.clear()
        self._at_border = self._switch_piece  # a block's end is passed; a piece's only by opening the next
        self._appended_at = self._clock.monotonic()
        self._enter(writer.book)
        first = next_status(self._round.status, RoundEvent.FIRST_DURABLE)
        if first is not None:
            self._round = replace(self._round, status=first)
            _LOG.info("tenant %d: round %d is archiving", self._round.tenant_id, self._round.round_id)
        self._publish()
        self._tell(force=is_new or first is not None)
        return True

    def _next_piece(self, writer: RoundWriter) -> None:
        """Freeze the open piece at its border and open the next."""
        if not writer.book.is_frozen:
            self._enter(writer.freeze(at_border=True))
        self._enter(writer.open_next())
        self._at_border = self._switch_piece = False
        self._tell(force=True)

    def _tell(self, *, force: bool = False) -> None:
        """Put the record, save to the journal, release the log: at most once in TELL_SECONDS unless forced."""
        now = self._clock.monotonic()
        if not (force or (self._is_untold and now - self._told_at >= TELL_SECONDS)):
            return
        writer = self._writer
        if writer is not None and not writer.book.is_frozen:
            writer.put_record()
        self._save()
        if writer is not None and holds_log(self._round.status):
            self._keeper.release(below=block_id_of(writer.book.end.lsn))

    def _save(self) -> None:
        self._told_at = self._clock.monotonic()
        pieces = tuple(self._untold[piece_id] for piece_id in sorted(self._untold))
        self._journal.save(self._round, pieces)
        self._untold.clear()
        self._is_untold = False

    def _enter(self, book: PieceBook) -> None:
        """Take a piece's book into the round's account."""
        piece = book.piece(self._round)
        if piece != self._earlier.get(piece.piece_id):
            self._enter_piece(piece)
            self._round = replace(
                self._round,
                checkpoint_scn=max(self._round.checkpoint_scn, book.end.scn),
                used_piece_id=max(self._round.used_piece_id, piece.piece_id),
                input_bytes=sum(each.input_bytes for each in self._earlier.values()),
                output_bytes=sum(each.output_bytes for each in self._earlier.values()),
            )

    def _enter_piece(self, piece: Piece) -> None:
        self._earlier[piece.piece_id] = piece
        self._untold[piece.piece_id] = piece
        self._is_untold = True

    # --- changes of state, troubles

    def _move(self, event: RoundEvent) -> float:
        """Take the round one status further, told at once; returns no rest."""
        status = next_status(self._round.status, event)
        assert status is not None, (self._round.status, event)
        _LOG.info(
            "tenant %d: round %d goes from %s to %s",
            self._round.tenant_id,
            self._round.round_id,
            self._round.status,
            status,
        )
        self._round = replace(self._round, status=status)
        self._is_untold = True
        self._publish()
        self._tell_status()
        return 0.0

    def _tell_status(self) -> None:
        """Save the round to the journal now, or as soon as it can be."""
        try:
            self._save()
        except HoldfastError as error:
            _LOG.warning("tenant %d: the archive round can not be recorded: %s", self._round.tenant_id, error)
            self._is_untold = True

    def _say(self, comment: str) -> None:
        if comment != self._round.comment and self._round.status is not RoundStatus.INTERRUPTED:
            self._round = replace(self._round, comment=comment)
            self._is_untold = True
            self._tell_status()

    def _wait_for(self, error: HoldfastError) -> float:
        """Keep the round as it is, say why it does not go on, and rest before the next attempt."""
        self._failures += 1
        if self._failures == 1:
            _LOG.warning("tenant %d: archiving waits: %s", self._round.tenant_id, error)
        if isinstance(error, StoreUnavailableError) and self._writer is not None:
            self._writer.close()
        try:
            self._judge_spool()
        except _LogLostError as lost:
            self._interrupt(lost)
            return 0.0
        self._say(f"waiting, the log is held meanwhile: {error.message}"[:1024])
        return pace.backoff_seconds(self._failures)

    def _judge_spool(self) -> None:
        """Raise _LogLostError when the spool is to be given up; keep `is_stalled` true to the keeper's verdict."""
        if not self._keeper.is_running:
            return
        verdict, reason = self._keeper.verdict
        self._is_stalled = verdict is SpoolVerdict.STALL
        if verdict is SpoolVerdict.GIVE_UP:
            raise _LogLostError(f"the held log was given up: {reason}", self._missing(None))

    def _missing(self, error: LogMissingError | None) -> MissingRange | None:
        """Return the range that will not be archived, from the last durable group on, with the bounds that are known."""
        if self._writer is None:
            return None
        durable = self._writer.book.end
        end_lsn: Lsn | None = None
        end_scn: Scn | None = None
        later = [] if error is None else [block_id for block_id in error.present if block_id > error.block_id]
        if later:
            end_lsn = first_lsn_of(later[0])
            try:
                info = self._reader.peek_info(later[0])
                decoded = decode_info_block(info) if info is not None else None
            except HoldfastError:
                decoded = None
            if decoded is not None:
                end_scn = decoded.min_scn
        return MissingRange(start_lsn=durable.lsn, end_lsn=end_lsn, start_scn=Scn(durable.scn + 1), end_scn=end_scn)

    def _interrupt(self, error: HoldfastError) -> None:
        """End archiving for good: say what is missing, keep what is durable, let the engine have its space back."""
        missing = error.missing if isinstance(error, _LogLostError) else None
        if missing is None:
            missing = self._missing(error if isinstance(error, LogMissingError) else None)
        comment = f"log stream 1 interrupted: {error.message}{_range_text(missing)}"
        _LOG.error("tenant %d: archive round %d: %s", self._round.tenant_id, self._round.round_id, comment)
        status = next_status(self._round.status, RoundEvent.LOG_LOST) or self._round.status
        self._round = replace(self._round, status=status, comment=comment[:4096])
        self._is_stalled = False
        self._is_untold = True
        self._drop_hand()
        self._publish()
        if self._writer is not None:
            # Best effort: the destination may be what was lost. The journal and the log say it in any case.
            try:
                if not self._writer.book.is_frozen:
                    self._writer.put_record()
                self._writer.put_round(self._round, names.Edge.START, missing)
            except HoldfastError as told:
                _LOG.warning("tenant %d: the destination could not be told: %s", self._round.tenant_id, told)
        self._tell_status()
        if status is RoundStatus.INTERRUPTED:
            self._keeper.give_up()
            self._reader.close()

    # --- leaving

    def _leave(self) -> None:
        """Archive what is there if asked to, and tell what was not told."""
        try:
            if self._drain and follows_log(self._round.status) and self._wanted is Wanted.RUN:
                self._drain_log(self._opened(), seconds=5.0)
            if self._is_untold and not is_over(self._round.status):
                self._tell(force=True)
        except (HoldfastError, OSError) as error:
            _LOG.warning("tenant %d: archiving ends undrained: %s", self._round.tenant_id, error)

    def _drain_log(self, writer: RoundWriter, *, seconds: float) -> None:
        """Archive up to the live tail, for at most `seconds`."""
        deadline = self._clock.monotonic() + seconds
        while self._clock.monotonic() < deadline:
            found_log = self._walk(writer)
            if self._hand and not self._append(writer):
                return
            if self._switch_piece:
                self._next_piece(writer)
                found_log = True
            if not found_log:
                return

    def _publish(self) -> None:
        self._snapshot = self._status()

    def _status(self) -> FollowerStatus:
        writer = self._writer
        last = self._snapshot if hasattr(self, "_snapshot") else None
        return FollowerStatus(
            round_id=self._round.round_id,
            status=self._round.status,
            comment=self._round.comment,
            checkpoint_scn=self._round.checkpoint_scn,
            start_lsn=writer.begin.lsn if writer is not None else last.start_lsn if last is not None else None,
            durable_lsn=writer.book.end.lsn if writer is not None else last.durable_lsn if last is not None else None,
            is_stalled=self._is_stalled,
        )


def _is_info_written(info: bytes | None) -> bool:
    """Return whether an info block is there; one that is being written at this moment is not yet."""
    if info is None:
        return False
    try:
        return decode_info_block(info) is not None
    except CorruptionError:
        return False


def _range_text(missing: MissingRange | None) -> str:
    if missing is None:
        return ""
    end_lsn = "unknown" if missing.end_lsn is None else int(missing.end_lsn)
    end_scn = "unknown" if missing.end_scn is None else int(missing.end_scn)
    return f"; missing LSN [{int(missing.start_lsn)}, {end_lsn}), SCN [{int(missing.start_scn)}, {end_scn})"
