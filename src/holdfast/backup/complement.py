"""PLUS ARCHIVELOG: the log a set needs, copied from the archive into the set, so that it restores alone.

The copy has the archive's own layout, piece by piece and object by object, below the set's `log/`: whoever can read an
archive can read it. Without a key whole frames are copied as they are, never opened and sealed anew; their headers are
checked to chain, and the digests they carry are checked by whoever opens them. With a key each frame is opened, which
checks it, and sealed with the set's key; where the archive is sealed and the set is not, opened alone. Copied is from the beginning
of the base block to the frame that holds the end of the image.
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
    FrameScan,
    FrameSealer,
    LogKeys,
    LogPosition,
    scan_frames,
)
from holdfast.backup_format.manifest import ObjectDigest, ObjectKind, ObjectRecord
from holdfast.backup_format.piece_record import PieceBlock, PieceRecord, encode_piece_record
from holdfast.backup_format.reach import LOG_WAY_OUT
from holdfast.destination.documents import read_piece_record
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.log_block import block_id_of
from holdfast.errors import CorruptionError, NotFoundError, RefusedError
from holdfast.keys.masters import NO_MASTERS, Masters, key_missing
from holdfast.store.store import ObjectReader, Store
from holdfast.values.archive import PieceStatus
from holdfast.values.buffers import Buffer
from holdfast.values.lsn import Lsn
from holdfast.values.owner import Owner

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObject:
    """One log object of the archive, and which of its frames the set needs: all from the first on."""

    piece: PieceRecord
    root: str
    block_id: int
    frames: tuple[FrameAt, ...]
    keys: LogKeys

    @property
    def size_bytes(self) -> int:
        return self.frames[-1].end_offset

    @property
    def first_lsn(self) -> Lsn:
        return self.frames[0].header.frame.start_lsn

    @property
    def end(self) -> LogPosition:
        return self.frames[-1].header.frame.end_position


def find_log(
    archive: Store,
    *,
    dest_id: int,
    round_id: int,
    timeline: str,
    base_lsn: Lsn,
    end_lsn: Lsn,
    masters: Masters = NO_MASTERS,
) -> tuple[LogObject, ...]:
    """Return the log objects of the round's timeline that cover `[base_lsn, end_lsn)`, in order and without a gap.

    `masters`: open what of it is sealed. Raises CorruptionError (-9064) naming the LSN where they do not, and the pieces of another
    timeline: LSNs alone would fit; RefusedError (-9047) for a key that is not known.
    """
    found: list[LogObject] = []
    position = base_lsn
    strangers = ""
    for root, piece in _pieces(archive, dest_id, round_id):
        if piece.timeline != timeline:
            strangers += f"; {root}, of tenant {piece.tenant_id} of cluster {piece.cluster_id}, is of another timeline"
            continue
        for block_id in range(block_id_of(base_lsn), block_id_of(max(end_lsn - 1, base_lsn)) + 1):
            needed = _needed(archive, root, piece, block_id, position, end_lsn, masters)
            if needed is not None:
                found.append(needed)
                position = needed.end.lsn
            if position >= end_lsn:
                return tuple(found)
    raise CorruptionError(
        f"archive round {round_id} holds the log up to LSN {position}, the set needs [{base_lsn}, {end_lsn}){strangers}",
        hint=LOG_WAY_OUT,
        code=codes.OB_ARCHIVE_LOG_NOT_CONTINUES_WITH_DATA,
    )


def copy_log(
    archive: Store,
    store: Store,
    log_objects: tuple[LogObject, ...],
    *,
    set_root: str,
    copied: Callable[[int], None],
    owner: Owner,
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
        copied_bytes = [sizes[names.log_name(f"{log_root}/{root}", item.block_id)] for item in parts]
        text = encode_piece_record(replace(_record_of(parts, copied_bytes), owner=owner))
        store.put(name, text)
        digest = ObjectDigest()
        digest.update(text)
        yield _object_record(name, set_root, len(text), len(text), digest)


def _pieces(archive: Store, dest_id: int, round_id: int) -> Iterator[tuple[str, PieceRecord]]:
    """Yield the round's pieces by id, each with its folder and its newest record."""
    roots = {item.name.partition("/")[0] for item in archive.list(f"piece_d{dest_id}r{round_id}p")}
    refs = [(ref, root) for root in roots if (ref := names.parse_piece_root(root)) is not None]
    for _, root in sorted(refs, key=lambda pair: pair[0].piece_id):
        try:
            record, _, _ = read_piece_record(archive, root)
        except NotFoundError:
            continue
        layout_of(record.engine_data_version, f"{archive.location}/{root}")
        yield root, record


def _needed(
    archive: Store, root: str, piece: PieceRecord, block_id: int, position: Lsn, end_lsn: Lsn, masters: Masters
) -> LogObject | None:
    """Return the object if the log goes on in it at `position`, with the frames that begin below `end_lsn`."""
    name = names.log_name(root, block_id)
    try:
        keys, frames = _scanned(archive, root, piece, name, masters)
    except NotFoundError:
        return None
    needed = tuple(found for found in frames if found.header.frame.start_lsn < end_lsn)
    if not needed or needed[0].header.frame.start_lsn != position:
        return None
    if needed[0].header.frame.timeline != piece.timeline:
        raise CorruptionError(f"{name} is of timeline {needed[0].header.frame.timeline}, expected {piece.timeline}")
    return LogObject(piece=piece, root=root, block_id=block_id, frames=needed, keys=keys)


def _scanned(
    archive: Store, root: str, piece: PieceRecord, name: str, masters: Masters
) -> tuple[LogKeys, tuple[FrameAt, ...]]:
    """Return the whole frames of an object and what opens them, also when the key changed since the piece's record was read."""

    def scan(record: PieceRecord) -> tuple[LogKeys, FrameScan]:
        keys = masters.log_keys(
            record.keys,
            cluster_id=record.cluster_id,
            tenant_id=record.tenant_id,
            root=root,
            timeline=record.timeline,
        )
        if not keys.can_open:
            raise key_missing(f"{archive.location}/{root}")
        with archive.reader(name) as reader:
            return keys, scan_frames(reader.read, reader.size_bytes, key=keys, name=name)

    try:
        keys, found = scan(piece)
        if not found.torn:
            return keys, found.frames
    except RefusedError:
        found = None
    record, _, _ = read_piece_record(archive, root)
    if found is None or record.keys != piece.keys:
        keys, found = scan(record)
    return keys, found.frames


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
        is_copied = key is None and not item.keys.is_sealed
        if is_copied:
            parts: Iterator[Buffer] = _parts(reader, item.size_bytes, before)
        else:
            parts = _sealed_parts(reader, item, key, source, before)
        for part in parts:
            digest.update(part)
            writer.write(part)
        size_bytes = writer.offset
        if is_copied and size_bytes != item.size_bytes:
            raise CorruptionError(f"{name}: {size_bytes} bytes came from the archive, expected {item.size_bytes}")
        writer.commit()
    content_bytes = sum(found.header.frame.payload_size_bytes for found in item.frames)
    return _object_record(name, set_root, size_bytes, content_bytes, digest)


def _sealed_parts(
    reader: ObjectReader, item: LogObject, key: DataKey | None, name: str, before: Callable[[int], None]
) -> Iterator[Buffer]:
    """Yield the item's frames sealed with `key`, if any: a part counts until the next is asked for. Each is checked by being opened."""
    opener, sealer = FrameOpener(key=item.keys), FrameSealer(key=key)
    for found in item.frames:
        before(found.header.size_bytes)
        stored = reader.read(found.offset + FRAME_HEADER_BYTES, found.header.stored_size_bytes)
        sealed = sealer.seal(found.header.frame, opener.open(found.header, stored, name=name))
        yield sealed.header_bytes
        yield from sealed.pieces()


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
        keys=(),  # the copy is sealed with the set's own key, or lies in the clear
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
