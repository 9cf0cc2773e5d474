"""Several statements in one text."""

from typing import NamedTuple


class Piece(NamedTuple):
    """One statement of a text, without its `;`. Shape: `text` is the whole text's `[start, end)`, characters."""

    start: int
    end: int
    text: str


def split(text: str) -> tuple[Piece, ...]:
    """Return the statements of `text` in order, parted at top-level `;`. Pieces of comments and blanks alone are dropped."""
    raise NotImplementedError
