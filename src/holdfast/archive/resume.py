"""Reading a round back from its destination: what a follower needs to go on after any death.

The destination decides. The catalog may be behind it (it is told last), never ahead. Records say what must be there;
whole frames behind a record count too; a torn last frame does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from holdfast.archive.book import BlockObject, PieceBook
from holdfast.archive.journal import InTheClear, Sealing
from holdfast.archive.window import Window
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import FrameAt, LogKeys, LogPosition, open_frame, scan_frames
from holdfast.backup_format.owner_record import first_difference
from holdfast.backup_format.piece_record import (
    PieceRecord,
    RoundRecord,
    decode_round_record,
)
from holdfast.destination.documents import read_document, read_piece_record
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.log_block import LOG_INFO_BYTES, block_id_of, first_lsn_of
from holdfast.engine_format.log_walk import Position
from holdfast.errors import CorruptionError, ForeignOwnerError, NotFoundError
from holdfast.keys.masters import key_missing
from holdfast.store.store import Store
from holdfast.values.archive import PieceStatus, Round
from holdfast.values.buffers import Buffer
from holdfast.values.owner import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFrame:
    """The last whole frame of the open piece: what the live log is compared with."""

    name: str
    at: FrameAt
    keys: LogKeys

    def log(self, store: Store) -> Buffer:
        """Return the log bytes of the frame, digest checked, without the info block."""
        header = self.at.header
        stored = store.get(self.name, self.at.end_offset - header.stored_size_bytes, header.stored_size_bytes)
        payload = open_frame(header, stored, key=self.keys, name=self.name)
        return memoryview(payload)[LOG_INFO_BYTES if header.frame.has_info_block else 0 :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A round as its destination has it. `books`: pieces from the one asked for on; only the last may be open.

    `last_frame` None: the last piece holds no log.
    """

    timeline: str
    begin: Position
    books: tuple[PieceBook, ...]
    last_frame: LastFrame | None


def read_round(
    store: Store,
    current: Round,
    is_own: Callable[[Owner | None], bool],
    *,
    cluster_id: int,
    sealing: Sealing | None = None,
) -> Resumed | None:
    """Return the round from piece `used_piece_id` on, None when nothing of it was begun (and nothing ever told).

    A record is this round's only if it says so: rounds and pieces of two tenants of one server bear the same names and owners.

    `is_own`: whether this server made the newest record, which says whose the round is now. The older ones must be of its timeline,
    which is random; the start that wrote them may be forgotten by now. A record without an owner, made before there were any, is
    taken for the round that the catalog knows: what proves it is the log in it, which is compared with the live one, byte for byte,
    before it goes on.
    Raises ForeignOwnerError when another server wrote it, CorruptionError when something the records vouch for is missing or
    wrong, UnknownVersionError; RefusedError (-9047) when the open piece is sealed and its key is not known here.
    """
    start = _round_record(store, current, cluster_id)
    record = _piece_record(store, current, cluster_id, current.used_piece_id)
    if record is None or start is None:
        if current.used_piece_id == current.base_piece_id and record is None and not current.checkpoint_scn:
            return None
        lost = "its start record" if start is None else f"the record of piece {current.used_piece_id}"
        raise CorruptionError(f"round {current.round_id} in {store.location} has lost {lost}")
    records = [record]
    while (following := _piece_record(store, current, cluster_id, records[-1].piece_id + 1)) is not None:
        if records[-1].status is not PieceStatus.FROZEN or following.begin != records[-1].end:
            raise CorruptionError(
                f"piece {following.piece_id} in {store.location} does not go on where piece {records[-1].piece_id} ends"
            )
        records.append(following)
    _require_own(store, records[-1].owner, f"archive piece {records[-1].piece_id}", is_own)
    for what, timeline in ((f"piece {found.piece_id}", found.timeline) for found in records):
        if timeline != start.timeline:
            raise ForeignOwnerError(
                f"archive {what} in {store.location} is of timeline {timeline}, the round's start of {start.timeline}:"
                " two servers wrote it",
                hint="see docs/decisions/0042",
            )
    books = [_book(found) for found in records]
    last_frame: LastFrame | None = None
    if not books[-1].is_frozen:
        root = names.piece_root(current.dest_id, current.round_id, books[-1].window.piece_id)
        keys = (sealing or InTheClear()).log_keys(books[-1].keys, root=root, timeline=start.timeline)
        if not keys.can_open:
            raise key_missing(f"{root} in {store.location}")
        books[-1], last_frame = _extended(store, root, books[-1], start.timeline, keys)
    return Resumed(timeline=start.timeline, begin=_position(start.begin), books=tuple(books), last_frame=last_frame)


def _require_own(store: Store, owner: Owner | None, what: str, is_own: Callable[[Owner | None], bool]) -> None:
    if owner is not None and not is_own(owner):
        raise ForeignOwnerError(
            f"{what} in {store.location} was written by {owner.words}", hint="see docs/decisions/0042"
        )


def _extended(
    store: Store, root: str, book: PieceBook, timeline: str, keys: LogKeys
) -> tuple[PieceBook, LastFrame | None]:
    """Return the book with every whole frame behind its record, and the last frame."""
    block_id = book.blocks[-1].block_id if book.blocks else block_id_of(book.begin.lsn)
    last: LastFrame | None = None
    while True:
        name = names.log_name(root, block_id)
        known = book.object_of(block_id)
        promised_bytes = known.size_bytes if known else 0
        size_bytes = store.stat(name)
        if (size_bytes or 0) < promised_bytes:
            raise CorruptionError(
                f"{name} in {store.location} has {size_bytes or 0} bytes, its record promises {promised_bytes}",
                hint="the round can not go on; stop it with NOARCHIVELOG and begin a new one",
            )
        if size_bytes is None:
            return book, last
        with store.reader(name) as reader:
            scan = scan_frames(reader.read, size_bytes, durable_size_bytes=promised_bytes, key=keys, name=name)
        _check_promise(name, scan.frames, promised_bytes, known, timeline)
        for found in scan.frames:
            if found.offset < promised_bytes:
                continue
            frame = found.header.frame
            if frame.start_lsn != book.end.lsn or frame.timeline != timeline:
                raise CorruptionError(
                    f"{name} in {store.location}: frame at offset {found.offset} begins at LSN {frame.start_lsn} of"
                    f" timeline {frame.timeline}, expected {book.end.lsn} of {timeline}"
                )
            book = book.appended(
                block_id=block_id, end=_position(frame.end_position), frame_bytes=found.header.size_bytes
            )
        if scan.frames:
            last = LastFrame(name=name, at=scan.frames[-1], keys=keys)
        if book.end.lsn != first_lsn_of(block_id + 1):
            return book, last
        block_id += 1


def _check_promise(
    name: str, frames: tuple[FrameAt, ...], promised_bytes: int, known: BlockObject | None, timeline: str
) -> None:
    """Refuse an object whose frames are not what the record says of it."""
    promised = [found for found in frames if found.end_offset <= promised_bytes]
    if known is None or not promised:
        if promised_bytes:
            raise CorruptionError(f"{name} has no whole frame in the {promised_bytes} bytes its record promises")
        return
    first, last = promised[0].header.frame, promised[-1].header.frame
    found_range = (first.start_lsn, last.end_lsn, promised[-1].end_offset, first.timeline)
    if found_range != (known.start_lsn, known.end_lsn, promised_bytes, timeline):
        raise CorruptionError(
            f"{name} holds LSN {first.start_lsn} to {last.end_lsn} in {promised[-1].end_offset} bytes, its record promises"
            f" {known.start_lsn} to {known.end_lsn} in {promised_bytes}"
        )


def _require_of(found: RoundRecord | PieceRecord, current: Round, cluster_id: int, place: str) -> None:
    """Raise ForeignOwnerError for a record of another round: it was copied here."""
    difference = first_difference(
        ("cluster id", found.cluster_id, cluster_id),
        ("tenant id", found.tenant_id, current.tenant_id),
        ("destination id", found.dest_id, current.dest_id),
        ("round", found.round_id, current.round_id),
    )
    if difference:
        raise ForeignOwnerError(
            f"{place} is of {difference}",
            hint="it was copied here: move it out of the destination, and begin a new round",
        )


def _round_record(store: Store, current: Round, cluster_id: int) -> RoundRecord | None:
    placeholder = names.RoundPlaceholder(dest_id=current.dest_id, round_id=current.round_id, edge=names.Edge.START)
    name = names.round_placeholder(placeholder)
    try:
        record = read_document(store, name, partial(decode_round_record, name=name))[0]
    except NotFoundError:
        return None
    _require_of(record, current, cluster_id, f"{store.location}/{name}")
    return record


def _piece_record(store: Store, current: Round, cluster_id: int, piece_id: int) -> PieceRecord | None:
    """Return the record of a frozen piece, else of an active one, else None."""
    root = names.piece_root(current.dest_id, current.round_id, piece_id)
    try:
        record = read_piece_record(store, root)[0]
    except NotFoundError:
        return None
    _require_of(record, current, cluster_id, f"{store.location}/{root}")
    layout_of(record.engine_data_version, f"{store.location}/{root}")
    return record


def _book(record: PieceRecord) -> PieceBook:
    frozen = record.status is PieceStatus.FROZEN
    return PieceBook(
        window=Window(piece_id=record.piece_id, start_scn=record.start_scn, end_scn=record.end_scn),
        begin=_position(record.begin),
        end=_position(record.end),
        blocks=tuple(
            BlockObject(
                block_id=block.block_id,
                start_lsn=block.first_lsn,
                end_lsn=block.end_lsn,
                size_bytes=block.size_bytes,
            )
            for block in record.blocks
        ),
        input_bytes=record.input_bytes,
        output_bytes=record.output_bytes,
        is_frozen=frozen,
        is_complete=frozen and record.checkpoint_scn == record.end_scn,
        keys=record.keys,
    )


def _position(position: LogPosition) -> Position:
    return Position(lsn=position.lsn, accumulated=position.accumulated, log_id=position.log_id, scn=position.scn)
