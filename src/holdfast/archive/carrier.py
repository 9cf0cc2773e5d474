"""The carrier: takes verified log into its hand and makes it durable, one frame at a time.

Invariant: the log in hand is `[durable, walked)`, whole groups that chain to what is durable, in one block and one piece.
A block's end and a piece's border therefore empty the hand before the walk goes on. Nothing here waits or tells.
"""

from collections.abc import Callable
from typing import Final

from holdfast import codes
from holdfast.archive import pace
from holdfast.archive.blocks import BlockReader, LogMissingError
from holdfast.archive.book import PieceBook
from holdfast.archive.resume import LastFrame
from holdfast.archive.walker import Doubt, LogWalker, is_later_block_in_use, judge_doubt
from holdfast.archive.writer import RoundWriter
from holdfast.backup_format.piece_record import MissingRange
from holdfast.clock import Clock
from holdfast.engine_format.log_block import block_id_of, decode_info_block, first_lsn_of
from holdfast.engine_format.log_walk import WalkStop
from holdfast.errors import CorruptionError, HoldfastError
from holdfast.store.store import Store
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

APPEND_REST_SECONDS: Final = 0.1
"""Least time between two appends, lag target 0 included: each makes the file system commit its journal (1 to 3 ms), and
the engine's own synchronous writes wait for that. Ten a second cost them about 2 %, and a tenth of a second of lag is far
from the second that lag may reach. Borders and full hands do not wait."""

STILL_SECONDS: Final = 1.0
"""How often a log that does not go on is asked whether it ended here or is broken."""


class LogLostError(HoldfastError):
    """Log that the round needs will never come."""

    default_code = codes.OB_CLOG_RECYCLE_BEFORE_ARCHIVE


class Carrier:
    """Carries log from the reader to the writer. One thread only."""

    def __init__(self, reader: BlockReader, writer: RoundWriter, clock: Clock) -> None:
        self.writer = writer
        self._reader = reader
        self._walker = LogWalker(reader)
        self._clock = clock
        self.walked = writer.book.end
        self._hand = bytearray()
        self._hand_first_scn = Scn(0)
        self._hand_since = 0.0
        self.has_more = False  # the last walk ended with its buffer: there is more to read at once
        self._ends_block = False
        self._ends_piece = writer.book.is_frozen
        self._appended_at = float("-inf")
        self._doubt: Doubt | None = None
        self._doubted_at = float("-inf")

    @property
    def has_log(self) -> bool:
        """Return whether log is in hand."""
        return bool(self._hand)

    @property
    def ends_piece(self) -> bool:
        """Return whether the next group belongs to the next piece."""
        return self._ends_piece

    def walk(self) -> bool:
        """Take log into the hand, as much as it may hold; return whether there was any, or more to read.

        Raises LogMissingError, LogLostError when the log certainly does not go on.
        """
        if self._ends_block or self._ends_piece or len(self._hand) >= pace.PENDING_BYTES_MAX:
            return False
        log, found = self._walker.step(self.walked, before_scn=self.writer.book.window.end_scn)
        if found.first_scn is not None:
            if not self._hand:
                self._hand_first_scn = found.first_scn
                self._hand_since = self._clock.monotonic()
            self._hand += log
            self.walked = found.end
        self.has_more = found.stop is WalkStop.NEED_MORE
        match found.stop:
            case WalkStop.BLOCK_END:
                self._ends_block = True
            case WalkStop.BORDER:
                self._ends_piece = True
            case WalkStop.NEED_MORE:
                return True
            case WalkStop.ZERO | WalkStop.BROKEN:
                if not found.size_bytes:
                    self._look_at_still_log(found.stop, found.reason)
        return found.size_bytes > 0

    def is_append_due(self, *, lag_target_us: int, flush_scn: Scn) -> bool:
        """Return whether what is in hand should be made durable now; `flush_scn`: somebody waits for it."""
        now = self._clock.monotonic()
        at_border = self._ends_block or self._ends_piece
        pending = pace.Pending(
            size_bytes=len(self._hand),
            age_seconds=now - self._hand_since,
            flush_asked=self.writer.book.end.scn < flush_scn,
            at_border=at_border,
        )
        if not pace.is_append_due(pending, lag_target_us):
            return False
        is_urgent = at_border or len(self._hand) >= pace.PENDING_BYTES_MAX
        return is_urgent or now - self._appended_at >= APPEND_REST_SECONDS

    def append(self) -> bool:
        """Make the log in hand durable; False when the block's info block is not written yet (some 40 ms)."""
        assert self._hand
        block_id = block_id_of(self.writer.book.end.lsn)
        is_new = self.writer.book.object_of(block_id) is None
        info = self._reader.info(block_id) if is_new else None
        if is_new and not _is_info_written(info):
            return False
        try:
            self.writer.append(memoryview(self._hand), end=self.walked, first_scn=self._hand_first_scn, info=info)
        except BaseException:
            # The error's traceback keeps views of the hand alive, and a bytearray with views can not grow.
            self._hand = bytearray(self._hand)
            raise
        self._hand = bytearray()
        self._ends_block = False
        self._appended_at = self._clock.monotonic()
        return True

    def next_piece(self, told: Callable[[PieceBook], None]) -> None:
        """Freeze the open piece at its border and open the next; `told` gets both books. Repeated whole until done."""
        assert self._ends_piece
        assert not self._hand
        told(self.writer.freeze(at_border=True))
        told(self.writer.open_next())
        self._ends_piece = False

    def drain(self, *, seconds: float, told: Callable[[PieceBook], None]) -> None:
        """Carry everything up to the live tail, for at most `seconds`."""
        deadline = self._clock.monotonic() + seconds
        while self._clock.monotonic() < deadline:
            found_log = self.walk()
            if self._hand:
                if not self.append():
                    return
                told(self.writer.book)
                found_log = True
            if self._ends_piece:
                self.next_piece(told)
                found_log = True
            if not found_log:
                return

    def compare(self, store: Store, last: LastFrame) -> None:
        """Refuse to go on when the live log is not the one that was archived: an engine lost log and wrote other.

        Raises LogLostError, LogMissingError, CorruptionError.
        """
        archived = memoryview(last.log(store))
        frame = last.at.header.frame
        live = bytearray(len(archived))
        try:
            count = self._reader.read_into(frame.start_lsn, memoryview(live))
        except LogMissingError:
            if self.writer.book.end.lsn == first_lsn_of(frame.block_id + 1):
                return  # the whole block is archived: the chain of the next group decides
            raise
        if count != len(archived) or memoryview(live) != archived:
            raise LogLostError(
                f"the live log differs from the archived one in LSN [{frame.start_lsn}, {frame.end_lsn}):"
                " it is another timeline"
            )

    def missing(self, error: LogMissingError | None) -> MissingRange:
        """Return the range that will not be archived, from the last durable group on, with the bounds that are known."""
        durable = self.writer.book.end
        end_lsn: Lsn | None = None
        end_scn: Scn | None = None
        later = [] if error is None else [block_id for block_id in error.present if block_id > error.block_id]
        if later:
            end_lsn = first_lsn_of(later[0])
            try:
                info = self._reader.peek_info(later[0])
                decoded = decode_info_block(info) if info is not None else None
                end_scn = decoded.min_scn if decoded is not None else None
            except HoldfastError:
                end_scn = None
        return MissingRange(start_lsn=durable.lsn, end_lsn=end_lsn, start_scn=Scn(durable.scn + 1), end_scn=end_scn)

    def close(self) -> None:
        """Let go of the object that grows. Repeatable; the next append opens it again."""
        self.writer.close()

    def _look_at_still_log(self, stop: WalkStop, reason: str) -> None:
        """Raise LogLostError when the log certainly does not go on where it should."""
        now = self._clock.monotonic()
        if now - self._doubted_at < STILL_SECONDS:
            return
        self._doubted_at = now
        self._doubt, is_broken = judge_doubt(
            self._doubt,
            position=self.walked,
            stop=stop,
            written_ns=self._reader.written_ns(block_id_of(self.walked.lsn)),
            later_block=is_later_block_in_use(self._reader, self.walked.lsn),
            now=now,
        )
        if is_broken:
            what = reason or "nothing is written, while later blocks are"
            raise LogLostError(f"the log does not go on at LSN {self.walked.lsn}: {what}")


def _is_info_written(info: bytes | None) -> bool:
    """Return whether an info block is there; one that is being written at this moment is not yet."""
    if info is None:
        return False
    try:
        return decode_info_block(info) is not None
    except CorruptionError:
        return False
