"""The follower: carries one tenant's log into its archive destination, and the round through its states.

Theory of operation. Two threads work for a round. The keeper (see `keeper`) links new log blocks and does nothing else.
The follower's own thread, here, turns this wheel:

    walk     read the live log, verify whole groups, take their bytes into the hand (bounded)
    append   seal what is in hand as one frame; durable when the append returns
    tell     put the piece's record, save to the journal, release links below the durable position

Durable first, then told: a crash between any two of these leaves a destination that is ahead of what was told, and
`resume` reads it back from there. Invariants:

- Nothing is released that is not both durable and promised by a record.
- A round that lost log says so (INTERRUPTED, with the missing range) and never goes on. What only might be lost (the
  destination is away, the journal is away, a group is unfinished) is waited for.
- Only this thread changes the round; others read `status`, a snapshot, and leave wishes in `ask` and `request_flush`.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from holdfast import codes
from holdfast.archive import pace
from holdfast.archive.blocks import BlockReader, LogMissingError, read_base_lsn
from holdfast.archive.book import PieceBook
from holdfast.archive.carrier import Carrier, LogLostError
from holdfast.archive.journal import Course, FollowerStatus, Journal, LagTarget
from holdfast.archive.keeper import Keeper
from holdfast.archive.pressure import SpoolVerdict
from holdfast.archive.resume import LastFrame, Resumed, read_round
from holdfast.archive.round import RoundEvent, Wanted, follows_log, holds_log, is_over, next_status
from holdfast.archive.tail import LiveTail
from holdfast.archive.window import Slicing
from holdfast.archive.writer import RoundWriter
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import MissingRange
from holdfast.clock import Clock
from holdfast.defects import DefectError
from holdfast.engine.hold import block_ids
from holdfast.engine_format.log_block import block_id_of, first_lsn_of
from holdfast.engine_format.log_walk import Position
from holdfast.errors import (
    ConflictError,
    CorruptionError,
    EngineError,
    ForeignOwnerError,
    HoldfastError,
    ObjectReplacedError,
    WriterMayLiveError,
    refuse,
)
from holdfast.store.store import Store
from holdfast.values.archive import Piece, PieceStatus, RoundStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_LOG = logging.getLogger("holdfast.archive")

TELL_SECONDS: Final = 1.0
"""How often a record is put and the journal saved while log flows; each costs a few synchronous writes."""

KEEP_SECONDS: Final = 1.0
"""How soon another server that has taken the destination is noticed; costs one read of a small object."""

DRAIN_SECONDS: Final = 5.0
"""How long the end of a round, or of the server, may archive what the engine has written by then."""

END_SECONDS_MAX: Final = 6.0
"""How long the end of a round, or its rest, is tried with a destination that can not take it, from the moment it was asked for: a
lost destination must not keep a tenant in ARCHIVELOG mode. The attempt under way then may take some seconds more; ten are promised."""

_END_REST_SECONDS_MAX: Final = 1.0
"""Between two of these attempts."""

_SAVING_SECONDS_MAX: Final = 0.5
"""How long a round that is abandoned waits for its own thread to be done with the journal; it is tried again."""

COMMENT_CHARS_MAX: Final = 4096

INTERRUPTED_TEXT: Final = "log stream 1 interrupted"
"""How the COMMENT of an INTERRUPTED round begins, in OceanBase's words."""


class Follower:
    """Follows one tenant's log. All public methods are safe from any thread.

    `check_destination` raises RefusedError (-9080, -9081, -9071) or StoreUnavailableError; the round then stays as it is
    with the reason in COMMENT and tries again.
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
        current = course.round
        self._course = course
        self._open_store = open_store
        self._check_destination = check_destination
        self._journal = journal
        self._lag_target_us = lag_target_us
        self._clock = clock
        self._wanted = wanted
        self._flush_scn = Scn(0)
        self._slicing = Slicing(
            round_start_scn=current.start_scn,
            base_piece_id=current.base_piece_id,
            interval_us=current.piece_switch_interval_us,
        )
        self._keeper = Keeper(
            course.log_dir, course.spool_dir, limits=course.limits, binding=course.binding, clock=clock
        )
        self._reader = BlockReader(course.log_dir, course.spool_dir)
        self._carrier: Carrier | None = None
        self._tail = LiveTail(course.log_dir, course.spool_dir, clock, self._walked)

        self._wake = threading.Event()
        self._ending = threading.Event()
        self._drains = False
        self._thread: threading.Thread | None = None

        # The round and its pieces as they are, and which of them the journal does not know yet.
        self._round = current
        self._pieces: dict[int, Piece] = {piece.piece_id: piece for piece in course.pieces}
        self._untold: dict[int, Piece] = {}
        self._is_untold = False
        self._told_at = float("-inf")
        self._kept_at = float("-inf")
        self._journal_is_away = False

        self._rest_seconds = pace.POLL_SECONDS_LEAST
        self._failures = 0
        self._ending_since: float | None = None
        self._alive_at = float("inf")  # when the turn under way last did something; infinite between two turns
        self._is_abandoned = False
        self._saving = threading.Lock()
        self._is_stalled = False
        self._snapshot = FollowerStatus(
            round_id=current.round_id,
            status=current.status,
            comment=current.comment,
            checkpoint_scn=current.checkpoint_scn,
            start_lsn=None,
            durable_lsn=None,
            is_stalled=False,
        )

    # --- what others ask

    def start(self) -> None:
        """Begin on a thread of its own; returns at once."""
        assert self._thread is None, "a follower is started once"
        self._thread = threading.Thread(target=self._run, name=f"archive {self._round.tenant_id}", daemon=True)
        self._thread.start()

    def ask(self, wanted: Wanted) -> None:
        """Tell what the settings want now; acted upon within one poll. A round that was asked to stop stops."""
        if self._wanted is not Wanted.STOP:
            self._wanted = wanted
        self._wake.set()

    def stop(self, *, drain: bool, timeout_seconds: float = 10.0) -> bool:
        """End the threads; the round stays as it is (server stop). Returns whether they ended in time.

        Drained: what the engine has written by then is archived first, if the destination takes it.
        """
        self._drains = drain
        self._ending.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def is_running(self) -> bool:
        """Return whether the follower's thread lives; it ends by itself when the round reaches STOP."""
        return self._thread is not None and self._thread.is_alive()

    def hanging_seconds(self) -> float:
        """Return for how long the thread has been in one call, of the destination most likely; 0 when it is not. Never blocks."""
        return max(0.0, self._clock.monotonic() - self._alive_at)

    def abandon(self) -> bool:
        """Let the round rest or end, as asked, without its thread, which hangs; return whether that is so and recorded.

        The thread ends when its call returns. What that call still does is harmless: an append is of the same log and under the
        object's lock, which a follower that goes on with the round waits for, and an object is cut only by a follower that is not
        abandoned, asked under that lock; a record that it puts promises less than is there.
        It records nothing any more and holds no log any more, which by then may be another round's.
        """
        ends, current = self._wanted is Wanted.STOP, self._round
        event = RoundEvent.STOP_ASKED if ends else RoundEvent.DEFERRED
        status = next_status(current.status, event)
        is_on_its_way = current.status in {RoundStatus.STOPPING if ends else RoundStatus.SUSPENDING}
        if self._wanted is Wanted.RUN or (status is None and not is_on_its_way):
            return False
        seconds = int(self.hanging_seconds())
        comment = f"the destination has not answered for {seconds} s"
        if ends:
            comment = f"stopped, {comment}; archived to SCN {int(current.checkpoint_scn)}, what was written behind it is not archived"
        if self._is_marked_lost():
            comment = current.comment
        over = replace(current, status=RoundStatus.STOP if ends else RoundStatus.SUSPEND, comment=comment)
        pieces = {**self._pieces} if ends else {**self._untold}
        told = tuple(replace(piece, status=PieceStatus.FROZEN) if ends else piece for piece in pieces.values())
        if not self._saving.acquire(timeout=_SAVING_SECONDS_MAX):
            return False
        try:
            if self.hanging_seconds() < seconds:
                return False  # it goes on at this moment
            self._journal.save(over, told)
            self._is_abandoned = True
            self._ending.set()
        finally:
            self._saving.release()
        _LOG.warning("tenant %d: round %d: %s, %s", current.tenant_id, current.round_id, over.status, comment)
        self._keeper.retire(releases=ends)
        self._snapshot = replace(self._snapshot, status=over.status, comment=comment)
        return True

    def wait_over(self, timeout_seconds: float) -> bool:
        """Return whether the thread ended by itself within `timeout_seconds`: the round reached STOP."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        return not self.is_running()

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

    def spool(self) -> tuple[int, str]:
        """Return the bytes of log that live only by our links, and what is against them in words, empty while nothing is."""
        return self._keeper.held_bytes(), self._keeper.verdict[1] or self._keeper.trouble

    def start_lsn(self) -> Lsn:
        """Return the first LSN the round holds. Raises RefusedError (-9029) while it is not known."""
        start = self._snapshot.start_lsn
        if start is None:
            raise refuse(codes.OB_LOG_ARCHIVE_NOT_RUNNING, hint=self._snapshot.comment)
        return start

    def tail_after(self, timeout_seconds: float = 30.0) -> tuple[Lsn, Scn]:
        """Return the verified end of the live log: the LSN behind the last whole group, and its max SCN.

        Found by a walk begun after the call, on the caller's thread: it never waits for the destination. Raises
        RefusedError -4012 when the end is not reached in time, LogMissingError when the log has a hole.
        """
        return self._tail.after_now(timeout_seconds)

    def _walked(self) -> Position | None:
        carrier = self._carrier
        return None if carrier is None else carrier.walked

    # --- the wheel

    def _run(self) -> None:
        try:
            self._note_ending()  # of a server that was killed on the way
            while not self._ending.is_set() and not is_over(self._round.status):
                self._wake.wait(self._turn())
                self._wake.clear()
            self._leave()
        except Exception:  # noqa: BLE001 - logged; the finally below must be reached in order
            # The scheduler finds the thread gone and begins another one; the round goes on from disk.
            _LOG.exception("tenant %d: the follower ended by a defect of Holdfast", self._round.tenant_id)
        finally:
            self._keeper.stop()
            self._close()
            self._reader.close()

    def _turn(self) -> float:
        """Do the next step of the round and return how long to rest before the one after."""
        self._alive_at = self._clock.monotonic()
        try:
            return self._judged_step()
        finally:
            self._alive_at = float("inf")

    def _judged_step(self) -> float:
        try:
            rest = self._step()
        except (LogLostError, LogMissingError) as error:
            gone = self._why_log_is_gone()
            rest = self._interrupt(error) if gone is None else self._wait_for(gone)
        except ForeignOwnerError as error:
            rest = self._stand_down(error)
        except CorruptionError as error:
            away = self._why_destination_is_away()
            if away is not None:
                self._close()  # what was found of another place says nothing of this one
            rest = self._interrupt(error) if away is None else self._wait_for(away)
        except HoldfastError as error:
            rest = self._wait_for(error)
        except OSError as error:
            rest = self._wait_for(EngineError(f"the log can not be read: {error}"))
        except Exception as error:  # noqa: BLE001 - a defect must not end archiving silently: say it, begin anew from disk
            _LOG.exception("tenant %d: the follower failed, it begins anew", self._round.tenant_id)
            self._close()
            rest = self._wait_for(DefectError(error))
        else:
            # A step that had nothing to write says nothing of the destination: what made the last one fail may still hold.
            away = self._why_destination_is_away() if self._failures else None
            if away is not None:
                rest = self._wait_for(away)
            elif self._failures or holds_log(self._round.status):
                self._failures = 0
                trouble = self._keeper.trouble
                self._say(f"log blocks can not be held: {trouble}" if trouble else self._what_is_archived_again())
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
                return self._stay_at_rest()
            case RoundStatus.INTERRUPTED:
                return self._wait_for_stop()
            case RoundStatus.STOPPING:
                return self._end_round()
            case RoundStatus.STOP:
                return 0.0

    # --- one step in each state

    def _prepare(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        if self._wanted is Wanted.SUSPEND:
            return pace.POLL_SECONDS_MOST
        store = self._open_store()
        self._check_destination(store)
        self._course.tenure.take(store, watches=True)
        return self._move(RoundEvent.DESTINATION_GOOD)

    def _archive(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        # DEFER acts on DOING; a round that can not come that far, as its destination is away, does not wait for it either.
        if self._wanted is Wanted.SUSPEND and (self._round.status is RoundStatus.DOING or self._failures):
            return self._move(RoundEvent.DEFERRED)
        carrier = self._opened()
        self._keep(carrier)
        self._judge_spool()
        found_log = carrier.walk()
        # A round that begins is waited for (backups need DOING): its first log is not held back.
        lag_target_us = 0 if self._round.status is RoundStatus.BEGINNING else self._lag_target_us()
        if carrier.is_append_due(lag_target_us=lag_target_us, flush_scn=self._flush_scn):
            found_log = self._append(carrier) or found_log
        if carrier.ends_piece and not carrier.has_log:
            carrier.next_piece(self._enter)
            self._tell(force=True)
            found_log = True
        self._tell()
        self._rest_seconds = pace.next_poll_seconds(self._rest_seconds, found_log=found_log)
        return 0.0 if found_log and (carrier.has_more or not carrier.has_log) else self._rest_seconds

    def _come_to_rest(self) -> float:
        """Make what is in hand durable, then rest; a destination that is away does not keep a round from resting.

        Nothing does: whatever was met, the round rests after END_SECONDS_MAX and the log in hand stays in the spool.
        """
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        try:
            carrier = self._opened()
            if carrier.has_log:
                self._append(carrier)
            self._tell(force=True)
        except (LogLostError, LogMissingError, ForeignOwnerError):
            raise
        except CorruptionError:
            # Final, unless the destination is only away: then its loss is no reason not to rest.
            if not self._may_end() or self._why_destination_is_away() is None:
                raise
        except Exception as error:
            if not self._may_end():
                raise
            _LOG.warning(
                "tenant %d: the round rests without its destination: %s", self._round.tenant_id, _words_of(error)
            )
        # Whatever is still in hand is in the spool, and is walked again when the round goes on.
        self._close()
        return self._move(RoundEvent.RESTED)

    def _stay_at_rest(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        self._keeper.start()
        self._judge_spool()
        if self._wanted is Wanted.RUN:
            return self._move(RoundEvent.ENABLED)
        return pace.POLL_SECONDS_MOST

    def _wait_for_stop(self) -> float:
        if self._wanted is Wanted.STOP:
            return self._move(RoundEvent.STOP_ASKED)
        if self._is_untold:
            self._tell()
        return pace.POLL_SECONDS_MOST * 4

    def _end_round(self) -> float:
        """Freeze the open piece and end the round; without its destination after END_SECONDS_MAX, whatever was met.

        The silence of a last writer that may live does not count as that, and is over within seconds.
        The record then still says ACTIVE, which promises less than is there, never more.
        """
        comment = self._round.comment if self._is_marked_lost() else ""
        try:
            carrier = self._opened_to_end() if self._pieces else None
            if carrier is not None:
                if self._keeper.is_running:
                    comment = comment or self._drained_to_end(carrier)
                self._enter(carrier.writer.freeze(at_border=carrier.writer.book.is_complete))
                carrier.writer.put_round(replace(self._round, status=RoundStatus.STOP), names.Edge.END)
        except ForeignOwnerError as error:
            comment = comment or f"stopped, {error.message}"
        except CorruptionError as error:
            if self._carrier is not None:
                self._enter(self._carrier.writer.book)  # without what was found not to hold
            comment = comment or f"stopped, what was archived is not there: {error.message}"
        except WriterMayLiveError:
            self._note_ending()  # the destination answers: what is not archived yet can be, as soon as it may be taken
            raise
        except Exception as error:
            if not self._may_end():
                raise
            told = _words_of(error)
            comment = comment or (
                f"stopped, the destination could not be told: {told}; archived to SCN {int(self._round.checkpoint_scn)},"
                " what was written behind it is not archived"
            )
        for piece in tuple(self._pieces.values()):
            if piece.status is PieceStatus.ACTIVE:
                self._enter_piece(replace(piece, status=PieceStatus.FROZEN))
        self._close()
        self._keeper.give_up()
        self._failures = 0
        self._round = replace(self._round, comment=comment)
        return self._move(RoundEvent.ENDED)

    def _drained_to_end(self, carrier: Carrier) -> str:
        """Archive what the engine has written until now; return why not all of it, if so. The round ends in any case."""
        try:
            carrier.drain(seconds=DRAIN_SECONDS, told=self._enter)
        except (LogLostError, LogMissingError) as error:
            return f"stopped before the end of the log: {error.message}"
        return ""

    # --- opening the archive

    def _opened(self) -> Carrier:
        """Return the carrier of the open piece: taken up from the destination, or begun."""
        if self._carrier is not None:
            return self._carrier
        self._keeper.start()
        store = self._open_store()
        self._check_destination(store)
        self._course.tenure.take(store, watches=True)
        resumed = self._read_round(store)
        if resumed is None:
            self._carrier = self._begun(store)
            return self._carrier
        # What the comparison may find is final, and is told with what the carrier knows: so it comes first.
        self._carrier = self._taken_up(store, resumed)
        if resumed.last_frame is not None:
            self._compare(self._carrier, store, resumed.last_frame)
        _LOG.info(
            "tenant %d: round %d goes on at LSN %d",
            self._round.tenant_id,
            self._round.round_id,
            self._carrier.walked.lsn,
        )
        return self._carrier

    def _read_round(self, store: Store) -> Resumed | None:
        return read_round(
            store,
            self._round,
            self._course.tenure.made,
            cluster_id=self._course.cluster_id,
            sealing=self._course.sealing,
        )

    def _compare(self, carrier: Carrier, store: Store, last: LastFrame) -> None:
        """Compare what was archived last with the live log; not done is not compared: then it is done again."""
        try:
            carrier.compare(store, last)
        except (LogLostError, LogMissingError, CorruptionError):
            raise
        except BaseException:
            self._close()
            raise

    def _opened_to_end(self) -> Carrier | None:
        """Return the carrier with which to end the round, the live log need not be at hand; None: it holds nothing."""
        if self._carrier is None:
            store = self._open_store()
            self._check_destination(store)
            self._course.tenure.take(store, watches=True)
            resumed = self._read_round(store)
            if resumed is not None:
                self._carrier = self._taken_up(store, resumed)
        return self._carrier

    def _taken_up(self, store: Store, resumed: Resumed) -> Carrier:
        for book in resumed.books:
            self._enter(book)
        writer = RoundWriter(
            store,
            self._course,
            self._slicing,
            resumed.timeline,
            resumed.begin,
            resumed.books[-1],
            self._require_not_abandoned,
        )
        return Carrier(self._reader, writer, self._clock)

    def _begun(self, store: Store) -> Carrier:
        """Begin the round at the engine's base block, so that whatever is backed up from now on is covered.

        The links come first, then the look at the base LSN: it only grows, and the engine keeps its base block, so the
        block it names is held by then, or will be at the keeper's next look.
        """
        try:
            base_lsn = read_base_lsn(self._course.log_meta_dir)
        except CorruptionError as error:  # read while it was written: the next attempt will tell
            raise EngineError(f"the log's base can not be read: {error.message}") from error
        held = self._reader.block_ids()
        if not held:
            raise EngineError("the engine has no log yet")
        base_block = held[0] if base_lsn is None else block_id_of(base_lsn)
        if base_block not in held:
            raise EngineError(f"the log's base block {base_block} is not held, blocks {held[0]} to {held[-1]} are")
        begin = Position(lsn=first_lsn_of(base_block))
        book = PieceBook(window=self._slicing.window(self._round.base_piece_id), begin=begin, end=begin)
        writer = RoundWriter(
            store, self._course, self._slicing, self._course.timeline, begin, book, self._require_not_abandoned
        )
        writer.begin_round(self._round)
        self._keeper.release(below=base_block)
        self._enter(book)
        return Carrier(self._reader, writer, self._clock)

    def _require_not_abandoned(self) -> None:
        if self._is_abandoned:
            raise ConflictError(f"round {self._round.round_id} goes on without this follower, which hung")

    def _keep(self, carrier: Carrier) -> None:
        """Find, about once a second, that this server is still the one that writes here and has its key, log or no log."""
        now = self._clock.monotonic()
        if now - self._kept_at >= KEEP_SECONDS:
            carrier.writer.keep()
            self._kept_at = now

    def _close(self) -> None:
        if self._carrier is not None:
            self._carrier.close()
            self._carrier = None

    # --- append and tell

    def _append(self, carrier: Carrier) -> bool:
        """Make the log in hand durable and take it into account; False when it had to wait."""
        is_first_of_block = carrier.writer.book.object_of(block_id_of(carrier.writer.book.end.lsn)) is None
        if not carrier.append():
            return False
        self._enter(carrier.writer.book)
        begins = next_status(self._round.status, RoundEvent.FIRST_DURABLE)
        if begins is not None:
            self._move(RoundEvent.FIRST_DURABLE)
        self._publish()
        self._tell(force=is_first_of_block)
        return True

    def _enter(self, book: PieceBook) -> None:
        """Take a piece's book into the round's account."""
        if self._alive_at != float("inf"):
            self._alive_at = self._clock.monotonic()  # something became durable: the turn is long, it does not hang
        piece = book.piece(self._round)
        if piece == self._pieces.get(piece.piece_id):
            return
        self._enter_piece(piece)
        self._round = replace(
            self._round,
            checkpoint_scn=max(self._round.checkpoint_scn, book.end.scn),
            used_piece_id=max(self._round.used_piece_id, piece.piece_id),
            input_bytes=sum(each.input_bytes for each in self._pieces.values()),
            output_bytes=sum(each.output_bytes for each in self._pieces.values()),
        )

    def _enter_piece(self, piece: Piece) -> None:
        self._pieces[piece.piece_id] = piece
        self._untold[piece.piece_id] = piece
        self._is_untold = True

    def _tell(self, *, force: bool = False) -> None:
        """Put the record, save to the journal, release the log: at most once in TELL_SECONDS unless forced.

        What is released is durable and promised by the record, which is where a resume reads from; a journal that is away
        (the catalog's engine restarts) therefore holds nothing up, it is told later.
        """
        now = self._clock.monotonic()
        if not (force or (self._is_untold and now - self._told_at >= TELL_SECONDS)):
            return
        carrier = self._carrier
        if carrier is not None and not carrier.writer.book.is_frozen:
            carrier.writer.put_record()
        self._save()
        if carrier is not None and holds_log(self._round.status):
            self._keeper.release(below=block_id_of(carrier.writer.book.end.lsn))

    def _save(self) -> None:
        """Save the round to the journal now, or at a later turn when it can not take it."""
        self._told_at = self._clock.monotonic()
        pieces = tuple(self._untold[piece_id] for piece_id in sorted(self._untold))
        try:
            with self._saving:
                if not self._is_abandoned:
                    self._journal.save(self._round, pieces)
        except HoldfastError as error:
            if not self._journal_is_away:
                _LOG.warning("tenant %d: the archive round can not be recorded: %s", self._round.tenant_id, error)
            self._journal_is_away = self._is_untold = True
            return
        self._journal_is_away = self._is_untold = False
        self._untold.clear()

    # --- changes of state, troubles

    def _may_end(self) -> bool:
        """Return whether the rest or the end of the round was tried long enough to go without its destination."""
        return self._ending_since is not None and self._clock.monotonic() - self._ending_since >= END_SECONDS_MAX

    def _note_ending(self) -> None:
        """Begin to count when the round is on its way to its rest or its end."""
        is_ending = self._round.status in {RoundStatus.SUSPENDING, RoundStatus.STOPPING}
        self._ending_since = self._clock.monotonic() if is_ending else None

    def _move(self, event: RoundEvent) -> float:
        """Take the round one status further, told at once; returns no rest."""
        before, status = self._round.status, next_status(self._round.status, event)
        assert status is not None, (before, event)
        _LOG.info("tenant %d: round %d: %s -> %s", self._round.tenant_id, self._round.round_id, before, status)
        self._round = replace(self._round, status=status)
        self._note_ending()
        if not holds_log(status):
            self._is_stalled = False
        self._publish()
        self._save()
        if self._is_untold and is_over(status):
            # The thread ends with this status, so nobody would tell later.
            self._insist_on_saving()
        return 0.0

    def _insist_on_saving(self) -> None:
        while self._is_untold and not self._ending.wait(TELL_SECONDS):
            self._save()

    def _is_marked_lost(self) -> bool:
        """Return whether the comment tells which log was lost; nothing may replace it, through STOP and ever after."""
        return self._round.comment.startswith(INTERRUPTED_TEXT)

    def _say(self, comment: str) -> None:
        comment = comment[:COMMENT_CHARS_MAX]
        if comment != self._round.comment and not self._is_marked_lost():
            self._round = replace(self._round, comment=comment)
            self._save()

    def _wait_for(self, error: HoldfastError) -> float:
        """Keep the round as it is, say why it does not go on, and rest before the next attempt."""
        self._failures += 1
        if self._failures == 1:
            _LOG.warning("tenant %d: archiving waits: %s", self._round.tenant_id, error)
        if isinstance(error, ObjectReplacedError):
            self._close()  # begin anew from what the destination holds now: its record decides whether that is a loss
        elif self._carrier is not None:
            self._carrier.close()
        try:
            self._judge_spool()
        except LogLostError as lost:
            return self._interrupt(lost)
        if not self._ending.is_set():
            self._say(f"waiting: {error}")
        rest = pace.backoff_seconds(self._failures)
        return rest if self._ending_since is None else min(rest, _END_REST_SECONDS_MAX)

    def _why_log_is_gone(self) -> EngineError | None:
        """Return why what looks lost may only be elsewhere: an engine's folder without any block, as no engine leaves it."""
        if block_ids(self._course.log_dir):
            return None
        return EngineError(f"{self._course.log_dir} holds no log", hint="mount its disk, or put the directory back")

    def _what_is_archived_again(self) -> str:
        """Return that the destination holds less than was told of it, as one that was put back, "" when it holds all of that."""
        if self._carrier is None or self._carrier.writer.book.end.scn >= self._round.checkpoint_scn:
            return ""
        return f"waiting: the destination was put back, the log up to SCN {int(self._round.checkpoint_scn)} is archived again"

    def _why_destination_is_away(self) -> HoldfastError | None:
        """Return why what looks damaged may only be somewhere else: a file system that is not mounted now."""
        try:
            self._check_destination(self._open_store())
        except HoldfastError as error:
            return error
        return None

    def _judge_spool(self) -> None:
        """Raise LogLostError when the spool is to be given up; keep `is_stalled` true to the keeper's verdict."""
        if not (self._keeper.is_running and holds_log(self._round.status)):
            return
        verdict, reason = self._keeper.verdict
        self._is_stalled = verdict is SpoolVerdict.STALL
        if verdict is SpoolVerdict.GIVE_UP:
            raise LogLostError(f"the held log was given up: {reason}")

    def _interrupt(self, error: HoldfastError) -> float:
        """End archiving for good: say what is missing, keep what is durable, let the engine have its space back."""
        if next_status(self._round.status, RoundEvent.LOG_LOST) is None:
            return self._wait_for(error)  # no log is owed in this state: what is wrong may be put right
        carrier, missing = self._carrier, None
        if carrier is not None:
            try:
                if carrier.has_log:  # it is whole and verified: it need not be missing
                    carrier.append()
                    self._enter(carrier.writer.book)
            except (HoldfastError, OSError) as told:
                _LOG.warning("tenant %d: the log in hand is lost too: %s", self._round.tenant_id, told)
            self._enter(carrier.writer.book)  # without what was found not to hold
            missing = carrier.missing(error if isinstance(error, LogMissingError) else None)
        elif self._snapshot.durable_lsn is not None:
            missing = MissingRange(
                start_lsn=self._snapshot.durable_lsn,
                end_lsn=None,
                start_scn=Scn(self._round.checkpoint_scn + 1),
                end_scn=None,
            )
        comment = f"{INTERRUPTED_TEXT}: {error.message}{_range_text(missing)}"
        _LOG.error("tenant %d: round %d: %s", self._round.tenant_id, self._round.round_id, comment)
        self._round = replace(self._round, comment=comment[:COMMENT_CHARS_MAX])
        self._failures = 0
        self._is_stalled = False
        if carrier is not None:
            interrupted = replace(self._round, status=RoundStatus.INTERRUPTED)
            # Best effort: the destination may be what was lost. The journal and the log say it in any case.
            for tell in (
                carrier.writer.put_open_record,
                partial(carrier.writer.put_round, interrupted, names.Edge.START, missing),
            ):
                try:
                    tell()
                except HoldfastError as told:
                    _LOG.warning("tenant %d: the destination could not be told: %s", self._round.tenant_id, told)
        self._move(RoundEvent.LOG_LOST)
        self._close()
        self._keeper.give_up()
        self._reader.close()
        return 0.0

    def _stand_down(self, error: ForeignOwnerError) -> float:
        """End archiving because another server writes the destination: nothing more is written there, least of all this."""
        if self._ending.is_set() or next_status(self._round.status, RoundEvent.LOG_LOST) is None:
            return self._wait_for(error)  # of a server that ends: the next start finds it, if it is so
        comment = f"{INTERRUPTED_TEXT}: {error}"
        _LOG.error("tenant %d: round %d: %s", self._round.tenant_id, self._round.round_id, comment)
        self._round = replace(self._round, comment=comment[:COMMENT_CHARS_MAX])
        self._failures = 0
        self._is_stalled = False
        self._move(RoundEvent.LOG_LOST)
        self._close()
        self._keeper.give_up()
        self._reader.close()
        return 0.0

    def _leave(self) -> None:
        """Archive what is there if asked to, and tell what was not told."""
        try:
            if self._drains and follows_log(self._round.status) and self._wanted is Wanted.RUN:
                carrier = self._opened()
                carrier.drain(seconds=DRAIN_SECONDS, told=self._enter)
            if self._is_untold:
                self._tell(force=True)
        except (HoldfastError, OSError) as error:
            _LOG.warning("tenant %d: archiving ends undrained: %s", self._round.tenant_id, error)
        self._publish()

    def _publish(self) -> None:
        if self._is_abandoned:
            return
        writer = self._carrier.writer if self._carrier is not None else None
        self._snapshot = FollowerStatus(
            round_id=self._round.round_id,
            status=self._round.status,
            comment=self._round.comment,
            checkpoint_scn=self._round.checkpoint_scn,
            start_lsn=writer.begin.lsn if writer is not None else self._snapshot.start_lsn,
            durable_lsn=writer.book.end.lsn if writer is not None else self._snapshot.durable_lsn,
            is_stalled=self._is_stalled,
        )


def _range_text(missing: MissingRange | None) -> str:
    if missing is None:
        return ""
    end_lsn = "unknown" if missing.end_lsn is None else int(missing.end_lsn)
    end_scn = "unknown" if missing.end_scn is None else int(missing.end_scn)
    return f"; missing LSN [{int(missing.start_lsn)}, {end_lsn}), SCN [{int(missing.start_scn)}, {end_scn})"


def _words_of(error: Exception) -> str:
    """Return an error's own words if it is one of ours or the operating system's; of a defect they may hold anything."""
    if isinstance(error, HoldfastError):
        return error.message
    return error.strerror if isinstance(error, OSError) and error.strerror else DefectError(error).message
