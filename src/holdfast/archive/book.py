"""The book of the open piece: which log is durable in it, in which objects. Pure; the writer keeps it."""

from dataclasses import dataclass, replace

from holdfast.archive.window import Window
from holdfast.backup_format.piece_keys import PieceKey, encryption_mode
from holdfast.engine_format.log_walk import Position
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockObject:
    """One log object of a piece: the LSNs `[start_lsn, end_lsn)` of one block, in `size_bytes` of frames."""

    block_id: int
    start_lsn: Lsn
    end_lsn: Lsn
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceBook:
    """What is durable in one piece. `begin`: where its first group begins and what came before; `end`: the log goes on.

    `blocks` are contiguous by LSN and sorted. `input_bytes` counts log, `output_bytes` what the objects hold. `keys`: as in the
    record.
    """

    window: Window
    begin: Position
    end: Position
    blocks: tuple[BlockObject, ...] = ()
    input_bytes: int = 0
    output_bytes: int = 0
    is_frozen: bool = False
    is_complete: bool = False  # frozen at its border: nothing after `end` belongs to it
    keys: tuple[PieceKey, ...] = ()

    @property
    def checkpoint_scn(self) -> Scn:
        """Return the SCN up to which the piece's slice of time is durable: its end when it was frozen at its border."""
        return self.window.end_scn if self.is_complete else self.end.scn

    @property
    def max_scn(self) -> Scn:
        """Return the largest SCN in the piece, 0 while it holds nothing."""
        return self.end.scn if self.blocks else Scn(0)

    def object_of(self, block_id: int) -> BlockObject | None:
        """Return the piece's last object if it is that of `block_id`: only the last one still grows."""
        return self.blocks[-1] if self.blocks and self.blocks[-1].block_id == block_id else None

    def appended(self, *, block_id: int, end: Position, frame_bytes: int) -> "PieceBook":
        """Return the book after a frame that reaches from `end` of this book to `end` became durable."""
        log_bytes = int(end.lsn) - int(self.end.lsn)
        assert log_bytes > 0, (self.end, end)
        assert not self.is_frozen
        last = self.object_of(block_id)
        if last is None:
            assert not self.blocks or self.blocks[-1].block_id + 1 == block_id, (self.blocks[-1], block_id)
            last = BlockObject(block_id=block_id, start_lsn=self.end.lsn, end_lsn=self.end.lsn, size_bytes=0)
            earlier = self.blocks
        else:
            earlier = self.blocks[:-1]
        grown = replace(last, end_lsn=end.lsn, size_bytes=last.size_bytes + frame_bytes)
        return replace(
            self,
            end=end,
            blocks=(*earlier, grown),
            input_bytes=self.input_bytes + log_bytes,
            output_bytes=self.output_bytes + frame_bytes,
        )

    def with_key(self, key: PieceKey) -> "PieceBook":
        """Return the book whose log is sealed with this key from its end on. One under which nothing was written is replaced."""
        assert key.from_lsn == self.end.lsn
        return replace(self, keys=(*(one for one in self.keys if one.from_lsn < key.from_lsn), key))

    def cut(self, *, end: Position, size_bytes: int) -> "PieceBook":
        """Return the book whose last object holds only its first `size_bytes`, whole frames up to `end`; 0: without that object."""
        last = self.blocks[-1]
        assert not self.is_frozen
        assert last.start_lsn <= end.lsn <= last.end_lsn, (last, end)
        kept = (replace(last, end_lsn=end.lsn, size_bytes=size_bytes),) if size_bytes else ()
        return replace(
            self,
            end=end,
            blocks=(*self.blocks[:-1], *kept),
            input_bytes=self.input_bytes - (int(last.end_lsn) - int(end.lsn)),
            output_bytes=self.output_bytes - (last.size_bytes - size_bytes),
        )

    def frozen(self, *, at_border: bool) -> "PieceBook":
        """Return the book of the piece when nothing more will be added; `at_border`: because the next group is later."""
        return replace(self, is_frozen=True, is_complete=at_border)

    def followed_by(self, window: Window) -> "PieceBook":
        """Return the book of the next piece, which goes on where this one ends."""
        assert window.piece_id == self.window.piece_id + 1
        return PieceBook(window=window, begin=self.end, end=self.end)

    def piece(self, current: Round) -> Piece:
        """Return the piece as the views show it, within its round.

        FILE_STATUS is INCOMPLETE until the checkpoint is past the round's START_SCN and reaches the piece's.
        """
        reached = self.checkpoint_scn > current.start_scn and self.checkpoint_scn >= self.window.start_scn
        return Piece(
            tenant_id=current.tenant_id,
            dest_id=current.dest_id,
            round_id=current.round_id,
            piece_id=self.window.piece_id,
            status=PieceStatus.FROZEN if self.is_frozen else PieceStatus.ACTIVE,
            start_scn=self.window.start_scn,
            end_scn=self.window.end_scn,
            checkpoint_scn=self.checkpoint_scn,
            max_scn=self.max_scn,
            input_bytes=self.input_bytes,
            output_bytes=self.output_bytes,
            file_status=FileStatus.AVAILABLE if reached else FileStatus.INCOMPLETE,
            path=current.path,
            encryption_mode=encryption_mode(self.keys, self.begin.lsn, self.end.lsn),
        )
