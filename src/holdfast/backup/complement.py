"""PLUS ARCHIVELOG: the log a set needs, copied from the archive into the set, so that it restores alone.

The copy has the archive's own layout, piece by piece and object by object, below the set's `log/`: whoever can read an
archive can read it. Without a key whole frames are copied as they are, never opened and sealed anew; their headers are
checked to chain, and the digests they carry are checked by whoever opens them. With a key each frame is opened, which
checks it, and sealed with the set's key. Copied is from the beginning of the base block to the frame that holds the end of
the image.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.log_frame import (
    FRAME_HEADER_BYTES,
    FrameAt,
    FrameOpener,
    FrameSealer,
    LogPosition,
    scan_frames,
)
from holdfast.backup_format.manifest import ObjectDigest, ObjectKind, ObjectRecord
from holdfast.backup_format.piece_record import PieceBlock, PieceRecord, decode_piece_record, encode_piece_record
from holdfast.engine_format.log_block import block_id_of
from holdfast.errors import CorruptionError, NotFoundError
from holdfast.store.store import ObjectReader, Store
from holdfast.values.archive import PieceStatus
from holdfast.values.buffers import Buffer
from holdfast.values.lsn import Lsn

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObject:
    """One log object of the archive, and which of its frames the set needs: all from the first on."""

    piece: PieceRecord
    root: str
    block_id: int
    frames: tuple[FrameAt, ...]

    @property
    def size_bytes(self) -> int:
        return self.frames[-1].end_offset

    @property
    def first_lsn(self) -> Lsn:
        return self.frames[0].header.frame.start_lsn

    @property
    def end(self) -> LogPosition:
        return self.frames[-1].header.frame.end_position


def find_log(archive: Store, *, dest_id: int, round_id: int, base_lsn: Lsn, end_lsn: Lsn) -> tuple[LogObject, ...]:
    """Return the log objects that cover `[base_lsn, end_lsn)`, in order and without a gap.

    Raises CorruptionError (-9064) naming the LSN where they do not.
    """
    found: list[LogObject] = []
    position = base_lsn
    for root, piece in _pieces(archive, dest_id, round_id):
        for block_id in range(block_id_of(base_lsn), block_id_of(max(end_lsn - 1, base_lsn)) + 1):
            needed = _needed(archive, root, piece, block_id, position, end_lsn)
            if needed is not None:
                found.append(needed)
                position = needed.end.lsn
            if position >= end_lsn:
                return tuple(found)
    raise CorruptionError(
        f"archive round {round_id} holds the log up to LSN {position}, the set needs [{base_lsn}, {end_lsn})",
        hint="look at the archive destination: log objects were removed or damaged",
        code=codes.OB_ARCHIVE_LOG_NOT_CONTINUES_WITH_DATA,
    )


def copy_log(
    archive: Store,
    store: Store,
    log_objects: tuple[LogObject, ...],
    *,
    set_root: str,
    copied: Callable[[int], None],
    key: DataKey | None = None,
    before: Callable[[int], None] = lambda size_bytes: None,
) -> Iterator[ObjectRecord]:
    """Copy the objects and write a frozen record for each piece; yield what the manifest says of each new object.

    `before` is told the bytes of each part that is about to be copied (a MiB at most, or a frame that is sealed anew), and
    may wait; `copied` is told the bytes of each object that is done. Both may end the work by raising.
    """
    log_root = names.set_log_root(set_root)
    sizes: dict[str, int] = {}
    for item in log_objects:
        name = names.log_name(f"{log_root}/{item.root}", item.block_id)
        record = _copy_object(archive, store, item, name, set_root, key, before)
        sizes[name] = record.size_bytes
        yield record
        copied(record.size_bytes)
    for root in dict.fromkeys(item.root for item in log_objects):
        parts = tuple(item for item in log_objects if item.root == root)
        name = names.piece_info_name(f"{log_root}/{root}")
        text = encode_piece_record(
            _record_of(parts, [sizes[names.log_name(f"{log_root}/{root}", item.block_id)] for item in parts])
        )
        store.put(name, text)
        digest = ObjectDigest()
        digest.update(text)
        yield _object_record(name, set_root, len(text), len(text), digest)


def _pieces(archive: Store, dest_id: int, round_id: int) -> Iterator[tuple[str, PieceRecord]]:
    """Yield the round's pieces by id, each with its folder and its newest record."""
    roots = {item.name.partition("/")[0] for item in archive.list(f"piece_d{dest_id}r{round_id}p")}
    refs = [(ref, root) for root in roots if (ref := names.parse_piece_root(root)) is not None]
    for _, root in sorted(refs, key=lambda pair: pair[0].piece_id):
        for name in (names.piece_info_name(root), names.checkpoint_name(root)):
            try:
                yield root, decode_piece_record(archive.get(name), name=name)
                break
            except NotFoundError:
                continue


def _needed(
    archive: Store, root: str, piece: PieceRecord, block_id: int, position: Lsn, end_lsn: Lsn
) -> LogObject | None:
    """Return the object if the log goes on in it at `position`, with the frames that begin below `end_lsn`."""
    name = names.log_name(root, block_id)
    try:
        with archive.reader(name) as reader:
            frames = scan_frames(reader.read, reader.size_bytes, name=name).frames
    except NotFoundError:
        return None
    needed = tuple(found for found in frames if found.header.frame.start_lsn < end_lsn)
    if not needed or needed[0].header.frame.start_lsn != position:
        return None
    if needed[0].header.frame.timeline != piece.timeline:
        raise CorruptionError(f"{name} is of timeline {needed[0].header.frame.timeline}, expected {piece.timeline}")
    return LogObject(piece=piece, root=root, block_id=block_id, frames=needed)


def _copy_object(
    archive: Store,
    store: Store,
    item: LogObject,
    name: str,
    set_root: str,
    key: DataKey | None,
    before: Callable[[int], None],
) -> ObjectRecord:
    digest = ObjectDigest()
    source = names.log_name(item.root, item.block_id)
    with archive.reader(source) as reader, store.writer(name) as writer:
        if key is None:
            parts: Iterator[Buffer] = _parts(reader, item.size_bytes, before)
        else:
            parts = _sealed_parts(reader, item, key, source, before)
        for part in parts:
            digest.update(part)
            writer.write(part)
        size_bytes = writer.offset
        if key is None and size_bytes != item.size_bytes:
            raise CorruptionError(f"{name}: {size_bytes} bytes came from the archive, expected {item.size_bytes}")
        writer.commit()
    content_bytes = sum(found.header.frame.payload_size_bytes for found in item.frames)
    return _object_record(name, set_root, size_bytes, content_bytes, digest)


def _sealed_parts(
    reader: ObjectReader, item: LogObject, key: DataKey, name: str, before: Callable[[int], None]
) -> Iterator[Buffer]:
    """Yield the item's frames sealed with `key`: header and body by turns. Each is checked by being opened."""
    opener, sealer = FrameOpener(), FrameSealer(key=key)
    for found in item.frames:
        before(found.header.size_bytes)
        stored = reader.read(found.offset + FRAME_HEADER_BYTES, found.header.stored_size_bytes)
        sealed = sealer.seal(found.header.frame, opener.open(found.header, stored, name=name))
        yield sealed.header_bytes
        yield sealed.body


def _parts(reader: ObjectReader, size_bytes: int, before: Callable[[int], None]) -> Iterator[bytes]:
    for offset in range(0, size_bytes, _COPY_BYTES):
        part_bytes = min(_COPY_BYTES, size_bytes - offset)
        before(part_bytes)
        yield reader.read(offset, part_bytes)


def _record_of(parts: tuple[LogObject, ...], sizes: Sequence[int]) -> PieceRecord:
    """Return the record of a piece as far as it was copied, into objects of `sizes`; what lies before is not known to it."""
    piece, first, last = parts[0].piece, parts[0], parts[-1]
    begin = LogPosition(lsn=first.first_lsn, accumulated=None, log_id=None, scn=first.frames[0].header.frame.first_scn)
    if piece.begin.lsn == first.first_lsn:
        begin = piece.begin
    return replace(
        piece,
        status=PieceStatus.FROZEN,
        checkpoint_scn=last.end.scn,
        max_scn=last.end.scn,
        begin=begin,
        end=last.end,
        input_bytes=last.end.lsn - first.first_lsn,
        output_bytes=sum(sizes),
        blocks=tuple(
            PieceBlock(block_id=item.block_id, size_bytes=size_bytes, first_lsn=item.first_lsn, end_lsn=item.end.lsn)
            for item, size_bytes in zip(parts, sizes, strict=True)
        ),
    )


def _object_record(
    name: str, set_root: str, size_bytes: int, content_size_bytes: int, digest: ObjectDigest
) -> ObjectRecord:
    return ObjectRecord(
        name=name.removeprefix(set_root + "/"),
        kind=ObjectKind.LOG,
        number=0,
        size_bytes=size_bytes,
        content_size_bytes=content_size_bytes,
        digest=digest.text(),
    )
