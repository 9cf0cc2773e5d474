"""Piece arithmetic: which slice of time each piece of a round covers.

A round that began at S with pieces of length I and base piece B has piece B + n cover [S + n * I, S + (n + 1) * I).
Log older than S (a round starts at the first LSN of the engine's base block, so that every later backup is covered)
belongs to the base piece.

Source: OceanBase's manual and source, by way of the project's layout specification.
"""

from dataclasses import dataclass

from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One piece's slice of time, `[start_scn, end_scn)`."""

    piece_id: int
    start_scn: Scn
    end_scn: Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """How a round is cut into pieces; fixed when the round begins, since SET LOG_ARCHIVE_DEST needs it stopped."""

    round_start_scn: Scn
    base_piece_id: int
    interval_us: int

    def window(self, piece_id: int) -> Window:
        """Return the slice of one piece. Raises ValueError for a piece before the round's first."""
        ordinal = piece_id - self.base_piece_id
        if ordinal < 0:
            raise ValueError(f"piece {piece_id} lies before the round's first piece {self.base_piece_id}")
        interval_ns = self.interval_us * 1000
        start = int(self.round_start_scn) + ordinal * interval_ns
        return Window(piece_id=piece_id, start_scn=Scn(start), end_scn=Scn(start + interval_ns))

    def piece_at(self, scn: Scn) -> int:
        """Return the piece a group with this max SCN belongs to; what is older than the round is the first piece's."""
        if scn < self.round_start_scn:
            return self.base_piece_id
        return self.base_piece_id + (int(scn) - int(self.round_start_scn)) // (self.interval_us * 1000)
