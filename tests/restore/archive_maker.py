"""An archive destination in memory, made from made log: frames and piece records exactly where a test wants them."""

from dataclasses import replace
from pathlib import Path

from archive.log_maker import LogMaker
from backup_format.samples import PIECE, TIMELINE
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import LogFrame, LogPosition, seal_frame
from holdfast.backup_format.piece_record import PieceBlock, encode_piece_record
from holdfast.destination.facts import Source
from holdfast.engine_format.log_block import LOG_INFO_BYTES, block_id_of, file_offset_of, first_lsn_of
from holdfast.engine_format.log_walk import Position, walk
from holdfast.store.memory import MemoryStore
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


class ArchiveMaker:
    """One log and one archive of it. `piece_id`: of the piece that frames go into now."""

    def __init__(
        self, folder: Path, *, maker: LogMaker | None = None, timeline: str = TIMELINE, round_id: int = PIECE.round_id
    ) -> None:
        self.maker = maker or LogMaker(folder)
        self.store = MemoryStore()
        self.timeline = timeline
        self.round_id = round_id
        self.piece_id = 1
        self.archived = Position(lsn=Lsn(0), accumulated=0, log_id=0)
        self._begins: dict[int, Position] = {}

    @property
    def source(self) -> Source:
        return Source(store=self.store, kind=DestinationKind.ARCHIVE_LOG)

    @property
    def root(self) -> str:
        return names.piece_root(PIECE.dest_id, self.round_id, self.piece_id)

    def log(self, begin: int, end: int) -> bytes:
        """Return the log's bytes `[begin, end)` of one block."""
        with self.maker.path(block_id_of(Lsn(begin))).open("rb") as block:
            block.seek(file_offset_of(Lsn(begin)))
            return block.read(end - begin)

    def info_block(self, block_id: int) -> bytes:
        """Return what the block's file begins with."""
        with self.maker.path(block_id).open("rb") as block:
            return block.read(LOG_INFO_BYTES)

    def append(self, end: int | None = None, *, record: bool = True) -> bytes:
        """Archive what was made up to `end` as a frame for each block; return the last frame's bytes."""
        end = self.maker.lsn if end is None else end
        octets = b""
        while self.archived.lsn < end:
            block_id = block_id_of(self.archived.lsn)
            octets = self.frame(min(end, int(first_lsn_of(block_id + 1))))
            self.store.extend(names.log_name(self.root, block_id), octets) if self.store.stat(
                names.log_name(self.root, block_id)
            ) else self.store.put(names.log_name(self.root, block_id), octets)
        if record:
            self.put_record()
        return octets

    def frame(self, end: int) -> bytes:
        """Return the frame from where the archive ends to `end`, and count it as archived."""
        begin = self.archived
        self._begins.setdefault(self.piece_id, begin)
        block_id = block_id_of(begin.lsn)
        log = self.log(int(begin.lsn), end)
        step = walk(log, begin)
        assert step.size_bytes == len(log)
        assert step.first_scn is not None
        assert step.end.accumulated is not None
        assert step.end.log_id is not None
        is_first = not self.store.stat(names.log_name(self.root, block_id))
        sealed = seal_frame(
            LogFrame(
                timeline=self.timeline,
                block_id=block_id,
                start_lsn=begin.lsn,
                end_lsn=Lsn(end),
                first_scn=step.first_scn,
                max_scn=step.end.scn,
                accumulated=step.end.accumulated,
                log_id=step.end.log_id,
                has_info_block=is_first,
            ),
            *((self.info_block(block_id),) if is_first else ()),
            log,
        )
        self.archived = step.end
        return sealed.header_bytes + bytes(sealed.body)

    def put_record(self) -> None:
        """Vouch for all that is archived in the present piece."""
        begin, end = self._begins[self.piece_id], self.archived
        blocks = []
        for block_id in range(block_id_of(begin.lsn), block_id_of(Lsn(end.lsn - 1)) + 1):
            size = self.store.stat(names.log_name(self.root, block_id))
            assert size is not None
            blocks.append(
                PieceBlock(
                    block_id=block_id,
                    size_bytes=size,
                    first_lsn=max(begin.lsn, first_lsn_of(block_id)),
                    end_lsn=min(end.lsn, first_lsn_of(block_id + 1)),
                )
            )
        record = replace(
            PIECE,
            timeline=self.timeline,
            round_id=self.round_id,
            piece_id=self.piece_id,
            begin=_log_position(begin),
            end=_log_position(end),
            start_scn=Scn(self.maker.scn - 10**12),
            end_scn=Scn(self.maker.scn + 10**12),
            checkpoint_scn=end.scn,
            max_scn=end.scn,
            blocks=tuple(blocks),
        )
        self.store.put(names.checkpoint_name(self.root), encode_piece_record(record))

    def next_piece(self) -> None:
        self.piece_id += 1


def _log_position(position: Position) -> LogPosition:
    return LogPosition(lsn=position.lsn, accumulated=position.accumulated, log_id=position.log_id, scn=position.scn)
