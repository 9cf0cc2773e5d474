"""What the destinations say of sets and pieces that the catalog knows. Reads only.

Everything a verdict rests on is read anew each time: a manifest and the sizes of the objects it names for each set, a
record for each piece. What can not be read is never guessed: it becomes the fact's `trouble`.
"""

from dataclasses import replace

from holdfast.backup_format import names
from holdfast.backup_format.log_frame import LogPosition, scan_frames
from holdfast.backup_format.manifest import decode_manifest
from holdfast.backup_format.piece_record import PieceRecord, decode_piece_record
from holdfast.engine_format.log_block import block_id_of, first_lsn_of
from holdfast.errors import CorruptionError, HoldfastError, NotFoundError
from holdfast.retention.verdict import Extent, Image, PieceFact, SetFact
from holdfast.store.small import MANIFEST_BYTES_MAX, RECORD_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, PieceStatus


def read_set(fact: SetFact, store: Store) -> SetFact:
    """Return the fact with its manifest's image; with `trouble` when it is not whole. Only usable sets are looked at."""
    if not fact.is_usable:
        return fact
    root = names.set_root(fact.backup_set_id, fact.type)
    try:
        name = names.manifest_name(root)
        manifest = decode_manifest(get_small(store, name, MANIFEST_BYTES_MAX), name=f"{store.location}/{name}")
        sizes = {item.name: item.size_bytes for item in store.list(f"{root}/")}
        for item in manifest.objects:
            # All of them, log and small files too: a set whose restore would fail is no clean point.
            found = sizes.get(f"{root}/{item.name}")
            if found != item.size_bytes:
                raise CorruptionError(
                    f"{store.location}/{root}/{item.name} has {found} bytes, expected {item.size_bytes}"
                )
    except HoldfastError as error:
        return replace(fact, trouble=f"backup set {fact.backup_set_id}: {error}")
    image = Image(
        chain=manifest.chain,
        timeline=manifest.timeline,
        round_id=manifest.round_id,
        base_lsn=manifest.base_lsn,
        end_lsn=manifest.end_lsn,
    )
    return replace(fact, image=image)


def read_piece(fact: PieceFact, store: Store) -> PieceFact:
    """Return the fact with its record's extent; with `trouble` when there is no sound record or no log behind it.

    A piece that is INCOMPLETE or going is not looked at.
    """
    if fact.file_status is not FileStatus.AVAILABLE:
        return fact
    root = names.piece_root(fact.dest_id, fact.round_id, fact.piece_id)
    try:
        record = _record(store, root)
        sizes = {item.name: item.size_bytes for item in store.list(f"{names.log_folder(root)}/")}
        for block in record.blocks:
            name = names.log_name(root, block.block_id)
            found = sizes.get(name)
            if found is None or found < block.size_bytes:
                raise CorruptionError(
                    f"{store.location}/{name} has {found} bytes, its record promises {block.size_bytes}"
                )
        end = record.end if record.status is PieceStatus.FROZEN else _grown_end(record, root, store)
    except HoldfastError as error:
        return replace(fact, trouble=f"archive piece {fact.piece_id}: {error}")
    extent = Extent(timeline=record.timeline, begin_lsn=record.begin.lsn, end_lsn=end.lsn, end_scn=end.scn)
    return replace(fact, extent=extent)


def _grown_end(record: PieceRecord, root: str, store: Store) -> LogPosition:
    """Return where the log of an active piece ends: frames behind its record count too, they prove themselves.

    The record is told a second late. Without this a backup that has just ended would not be seen to be restorable yet.
    """
    end = record.end
    promised = {block.block_id: block.size_bytes for block in record.blocks}
    block_id = record.blocks[-1].block_id if record.blocks else block_id_of(record.begin.lsn)
    while True:
        name = names.log_name(root, block_id)
        size_bytes = store.stat(name)
        if size_bytes is None:
            return end
        with store.reader(name) as reader:
            scan = scan_frames(reader.read, size_bytes, durable_size_bytes=promised.get(block_id, 0), name=name)
        for found in scan.frames:
            frame = found.header.frame
            if frame.start_lsn == end.lsn and frame.timeline == record.timeline:
                end = frame.end_position
        if end.lsn != first_lsn_of(block_id + 1):
            return end
        block_id += 1


def _record(store: Store, root: str) -> PieceRecord:
    for name in (names.piece_info_name(root), names.checkpoint_name(root)):
        try:
            return decode_piece_record(get_small(store, name, RECORD_BYTES_MAX), name=f"{store.location}/{name}")
        except NotFoundError:
            continue
    raise NotFoundError(f"{store.location}/{root} has no record")
