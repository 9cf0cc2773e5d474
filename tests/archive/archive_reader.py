"""Reads an archived round back and checks every law of it, with no help from the room under test."""

from dataclasses import dataclass
from pathlib import Path

from holdfast.backup_format import names
from holdfast.backup_format.log_frame import open_frame, scan_frames
from holdfast.backup_format.piece_record import PieceRecord, RoundRecord, decode_piece_record, decode_round_record
from holdfast.engine_format.log_block import (
    LOG_BLOCK_BYTES,
    LOG_INFO_BYTES,
    block_id_of,
    decode_info_block,
    file_offset_of,
    first_lsn_of,
)
from holdfast.engine_format.log_walk import Position, WalkStop, walk
from holdfast.errors import NotFoundError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.store import Store
from holdfast.values.archive import PieceStatus


@dataclass(slots=True)
class ArchivedRound:
    """What the destination holds of one round. `log`: LSN and bytes of each frame, in order and without a gap."""

    record: RoundRecord
    pieces: list[PieceRecord]
    log: list[tuple[int, bytes]]
    infos: dict[int, bytes]
    end: Position
    group_count: int

    @property
    def begin_lsn(self) -> int:
        return int(self.record.begin.lsn)

    def differences_from(self, *folders: Path) -> list[str]:
        """Return where the archived bytes differ from block files in the first folder that has them; [] is equal."""
        wrong = []
        for lsn, octets in self.log:
            path = next(
                (folder / str(block_id_of(lsn)) for folder in folders if (folder / str(block_id_of(lsn))).exists()),
                None,
            )
            if path is None:
                wrong.append(f"block {block_id_of(lsn)} is nowhere")
                continue
            with path.open("rb") as file:
                file.seek(file_offset_of(lsn))
                if file.read(len(octets)) != octets:
                    wrong.append(f"LSN {lsn}..{lsn + len(octets)} differs")
        for block_id, info in self.infos.items():
            path = next((folder / str(block_id) for folder in folders if (folder / str(block_id)).exists()), None)
            if path is None:
                continue
            with path.open("rb") as file:
                if file.read(LOG_INFO_BYTES) != info:
                    wrong.append(f"info block {block_id} differs")
        return wrong

    def block_image(self, block_id: int) -> bytes:
        """Return a block's file as a restore would write it."""
        image = bytearray(LOG_BLOCK_BYTES)
        image[:LOG_INFO_BYTES] = self.infos[block_id]
        for lsn, octets in self.log:
            if block_id_of(lsn) == block_id:
                image[file_offset_of(lsn) : file_offset_of(lsn) + len(octets)] = octets
        return bytes(image)


def read_archive(store: Store, dest_id: int = 1001, round_id: int = 1, masters: Masters = NO_MASTERS) -> ArchivedRound:
    """Return the round, after checking: contiguous by LSN, log id, checksum and SCN, and every piece in its window."""
    placeholder = names.RoundPlaceholder(dest_id=dest_id, round_id=round_id, edge=names.Edge.START)
    record = decode_round_record(store.get(names.round_placeholder(placeholder)))
    position = Position(lsn=record.begin.lsn)
    pieces, log, infos, groups = [], [], {}, 0
    piece_id = record.base_piece_id
    while (piece := _piece_record(store, dest_id, round_id, piece_id)) is not None:
        if pieces:
            assert pieces[-1].status is PieceStatus.FROZEN, "only the last piece is open"
            assert pieces[-1].end_scn == piece.start_scn
            assert pieces[-1].end == piece.begin
        pieces.append(piece)
        root = names.piece_root(dest_id, round_id, piece_id)
        assert int(piece.begin.lsn) == int(position.lsn)
        block_id = block_id_of(position.lsn)
        keys = masters.log_keys(
            piece.keys, cluster_id=piece.cluster_id, tenant_id=piece.tenant_id, root=root, timeline=piece.timeline
        )
        while (size := store.stat(names.log_name(root, block_id))) is not None:
            name = names.log_name(root, block_id)
            scan = scan_frames(
                lambda offset, count, name=name: store.get(name, offset, count), size, key=keys, name=name
            )
            for number, found in enumerate(scan.frames):
                frame = found.header.frame
                stored = store.get(
                    name, found.end_offset - found.header.stored_size_bytes, found.header.stored_size_bytes
                )
                payload = bytes(open_frame(found.header, stored, key=keys))
                assert frame.timeline == record.timeline
                assert frame.has_info_block == (number == 0), "exactly the first frame carries the info block"
                if frame.has_info_block:
                    info, payload = payload[:LOG_INFO_BYTES], payload[LOG_INFO_BYTES:]
                    decoded = decode_info_block(info)
                    assert decoded is not None
                    assert decoded.block_id == block_id
                    assert infos.setdefault(block_id, info) == info
                assert int(frame.start_lsn) == int(position.lsn), "frames follow each other"
                walked = walk(payload, position, before_scn=piece.end_scn)
                assert walked.size_bytes == len(payload), (walked, "a frame is whole, verified groups of its piece")
                assert walked.first_scn == frame.first_scn
                if piece_id > record.base_piece_id:
                    assert frame.first_scn >= piece.start_scn
                assert (walked.end.scn, walked.end.lsn) == (frame.max_scn, frame.end_lsn)
                position, groups = walked.end, groups + walked.group_count
                log.append((int(frame.start_lsn), payload))
            assert walked_enough(piece, scan.end_offset, block_id)
            if int(position.lsn) != int(first_lsn_of(block_id + 1)):
                break
            block_id += 1
        if piece.status is PieceStatus.FROZEN:
            assert int(piece.end.lsn) == int(position.lsn), "a frozen record says everything"
        assert int(piece.end.lsn) <= int(position.lsn), "a record never promises more than is there"
        assert piece.checkpoint_scn <= max(position.scn, piece.end_scn if piece.status is PieceStatus.FROZEN else 0)
        piece_id += 1
    assert pieces
    return ArchivedRound(record=record, pieces=pieces, log=log, infos=infos, end=position, group_count=groups)


def walked_enough(piece: PieceRecord, end_offset: int, block_id: int) -> bool:
    """Return whether the frames of a block reach as far as the record promises."""
    return all(block.size_bytes <= end_offset for block in piece.blocks if block.block_id == block_id)


def _piece_record(store: Store, dest_id: int, round_id: int, piece_id: int) -> PieceRecord | None:
    root = names.piece_root(dest_id, round_id, piece_id)
    for name in (names.piece_info_name(root), names.checkpoint_name(root)):
        try:
            return decode_piece_record(store.get(name))
        except NotFoundError:
            continue
    return None


__all__ = ["ArchivedRound", "WalkStop", "read_archive"]
