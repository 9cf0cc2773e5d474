"""Which log of an archive goes into a set PLUS ARCHIVELOG, over sealed frames in memory."""

import itertools
from dataclasses import replace

import pytest

from holdfast.backup.complement import copy_log, find_log
from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.log_frame import FrameSealer, LogFrame, LogPosition, scan_frames
from holdfast.backup_format.manifest import ObjectKind
from holdfast.backup_format.piece_record import PieceRecord, decode_piece_record, encode_piece_record
from holdfast.engine_format.log_block import LOG_DATA_BYTES, LOG_INFO_BYTES
from holdfast.errors import CorruptionError, RefusedError
from holdfast.store.memory import MemoryStore
from holdfast.values.archive import PieceStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from owner_rig import owner

TIMELINE = "cd" * 16
START = 2 * 10**18


def piece_of(piece_id: int) -> PieceRecord:
    begin = LogPosition(lsn=Lsn(0), accumulated=0, log_id=0, scn=Scn(0))
    return PieceRecord(
        cluster_name="test",
        cluster_id=7,
        tenant_id=1002,
        tenant_name="t",
        dest_id=1,
        round_id=1,
        piece_id=piece_id,
        timeline=TIMELINE,
        status=PieceStatus.ACTIVE,
        start_scn=Scn(START),
        end_scn=Scn(START + 86400 * 10**9),
        checkpoint_scn=Scn(START),
        max_scn=Scn(0),
        begin=begin,
        end=begin,
        input_bytes=0,
        output_bytes=0,
        engine_data_version="1.4.0.0",
        blocks=(),
    )


class Archive:
    """An archive of two pieces; LSN borders say where each frame ends."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        for piece_id in (1, 2):
            record = encode_piece_record(piece_of(piece_id))
            self.store.put(names.checkpoint_name(names.piece_root(1, 1, piece_id)), record)
        # Block 3 lies in both pieces: the switch fell inside it.
        block_2, block_3 = 2 * LOG_DATA_BYTES, 3 * LOG_DATA_BYTES
        self.put(1, 2, block_2, block_2 + 1000, block_3)
        self.put(1, 3, block_3, block_3 + 500)
        self.put(2, 3, block_3 + 500, block_3 + 900, block_3 + 2000)

    def put(self, piece_id: int, block_id: int, *borders: int, timeline: str = TIMELINE) -> None:
        sealer, octets = FrameSealer(), b""
        for start, end in itertools.pairwise(borders):
            frame = LogFrame(
                timeline=timeline,
                block_id=block_id,
                start_lsn=Lsn(start),
                end_lsn=Lsn(end),
                first_scn=Scn(START + start),
                max_scn=Scn(START + end - 1),
                accumulated=end % 997,
                log_id=end,
                has_info_block=not octets,
            )
            info = bytes(LOG_INFO_BYTES) if frame.has_info_block else b""
            sealed = sealer.seal(frame, info + bytes(end - start))
            octets += bytes(sealed.header_bytes) + bytes(sealed.body)
        self.store.put(names.log_name(names.piece_root(1, 1, piece_id), block_id), octets)


BASE = Lsn(2 * LOG_DATA_BYTES)
INSIDE = Lsn(3 * LOG_DATA_BYTES + 700)


def found(archive: Archive, end_lsn: int = INSIDE) -> list[tuple[int, int, int, int]]:
    parts = find_log(archive.store, dest_id=1, round_id=1, timeline=TIMELINE, base_lsn=BASE, end_lsn=Lsn(end_lsn))
    return [(part.piece.piece_id, part.block_id, part.first_lsn - BASE, part.end.lsn - BASE) for part in parts]


def test_the_log_is_taken_to_the_frame_that_holds_the_end_across_pieces() -> None:
    block = LOG_DATA_BYTES
    assert found(Archive()) == [(1, 2, 0, block), (1, 3, block, block + 500), (2, 3, block + 500, block + 900)]


@pytest.mark.parametrize(("end", "last"), [(500, 500), (501, 900), (900, 900), (901, 2000)])
def test_the_last_frame_is_the_first_that_reaches_the_end(end: int, last: int) -> None:
    assert found(Archive(), 3 * LOG_DATA_BYTES + end)[-1][3] == LOG_DATA_BYTES + last


@pytest.mark.parametrize(("piece_id", "block_id"), [(1, 2), (1, 3), (2, 3)])
def test_a_missing_log_object_is_refused_by_its_lsn(piece_id: int, block_id: int) -> None:
    archive = Archive()
    archive.store.delete(names.log_name(names.piece_root(1, 1, piece_id), block_id))
    with pytest.raises(CorruptionError, match="up to LSN") as refused:
        found(archive)
    assert refused.value.code.number == -9064


def test_log_that_does_not_reach_the_end_yet_is_refused() -> None:
    with pytest.raises(CorruptionError, match="up to LSN"):
        found(Archive(), 3 * LOG_DATA_BYTES + 2001)


def test_log_of_another_timeline_is_not_taken_for_the_rounds_and_its_piece_is_named() -> None:
    """The neighbour's piece of the same name was copied there: its LSNs fit, its rows are not this tenant's."""
    archive = Archive()
    root = names.piece_root(1, 1, 1)
    stranger = replace(piece_of(1), tenant_id=1004, timeline="e" * 32)
    archive.store.put(names.checkpoint_name(root), encode_piece_record(stranger))
    archive.put(1, 2, 2 * LOG_DATA_BYTES, 3 * LOG_DATA_BYTES, timeline=stranger.timeline)
    archive.put(1, 3, 3 * LOG_DATA_BYTES, 3 * LOG_DATA_BYTES + 500, timeline=stranger.timeline)
    with pytest.raises(
        CorruptionError, match=f"{root}, of tenant 1004 of cluster .*, is of another timeline"
    ) as refused:
        found(archive)
    assert refused.value.code.number == -9064


def test_the_copy_is_an_archive_of_its_own_with_frozen_records() -> None:
    archive, store, told = Archive(), MemoryStore(), []
    parts = find_log(archive.store, dest_id=1, round_id=1, timeline=TIMELINE, base_lsn=BASE, end_lsn=INSIDE)
    records = list(
        copy_log(archive.store, store, parts, set_root="backup_set_1_full", copied=told.append, owner=owner())
    )
    assert {record.kind for record in records} == {ObjectKind.LOG}
    assert {f"backup_set_1_full/{record.name}": record.size_bytes for record in records} == {
        item.name: item.size_bytes for item in store.list()
    }
    assert told == [part.size_bytes for part in parts]
    root = "backup_set_1_full/log/piece_d1r1p2"
    piece = decode_piece_record(store.get(names.piece_info_name(root)))
    assert (piece.status, piece.begin.lsn, piece.end.lsn) == (
        PieceStatus.FROZEN,
        BASE + LOG_DATA_BYTES + 500,
        BASE + LOG_DATA_BYTES + 900,
    )
    assert piece.begin.accumulated is None
    data = store.get(names.log_name(root, 3))
    scan = scan_frames(lambda offset, size_bytes: data[offset : offset + size_bytes], len(data))
    assert (scan.torn, scan.frames[-1].header.frame.end_position) == ("", piece.end)


def test_the_copy_of_a_sealed_set_opens_with_its_key_only() -> None:
    archive, store, key = Archive(), MemoryStore(), DataKey(b"k" * 32)
    parts = find_log(archive.store, dest_id=1, round_id=1, timeline=TIMELINE, base_lsn=BASE, end_lsn=INSIDE)
    records = list(
        copy_log(
            archive.store, store, parts, set_root="backup_set_1_full", copied=lambda size: None, key=key, owner=owner()
        )
    )
    assert {f"backup_set_1_full/{record.name}": record.size_bytes for record in records} == {
        item.name: item.size_bytes for item in store.list()
    }
    root = "backup_set_1_full/log/piece_d1r1p1"
    piece = decode_piece_record(store.get(names.piece_info_name(root)))
    for block in piece.blocks:
        data = store.get(names.log_name(root, block.block_id))
        assert block.size_bytes == len(data)

        def read(offset: int, size_bytes: int, data: bytes = data) -> bytes:
            return data[offset : offset + size_bytes]

        assert scan_frames(read, len(data), key=key).frames[-1].header.frame.end_lsn == block.end_lsn
        with pytest.raises(RefusedError):
            scan_frames(read, len(data))
        assert scan_frames(read, len(data), key=DataKey(b"o" * 32)).frames == ()
