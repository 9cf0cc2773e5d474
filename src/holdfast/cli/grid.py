"""Results of SQL as text: nothing is cut, folded or coloured, whatever the width. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence

Cells = Sequence[Sequence[str]]


def grid_head(columns: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines above the rows."""
    yield _rule(widths)
    yield _row(columns, widths)
    yield _rule(widths)


def grid_rows(rows: Cells, widths: Sequence[int]) -> Iterator[str]:
    """Yield one line per row; a cell wider than its column pushes what follows."""
    for row in rows:
        yield _row(row, widths)


def grid_foot(widths: Sequence[int]) -> str:
    """Return the line below the rows."""
    return _rule(widths)


def widths_of(columns: Sequence[str], rows: Cells) -> tuple[int, ...]:
    """Return how wide each column must be, in columns of a terminal."""
    return tuple(
        max(_width(name), *(_width(row[place]) for row in rows)) if rows else _width(name)
        for place, name in enumerate(columns)
    )


def vertical(columns: Sequence[str], rows: Cells, first_number: int) -> Iterator[str]:
    """Yield each row as a block of `name: value` lines, as clients do for `\\G`."""
    longest = max((_width(name) for name in columns), default=0)
    for number, row in enumerate(rows, first_number):
        yield f"{'*' * 27} {number}. row {'*' * 27}"
        for name, value in zip(columns, row, strict=True):
            yield f"{' ' * (longest - _width(name))}{name}: {value}"


def _rule(widths: Sequence[int]) -> str:
    return f"+{'+'.join('-' * (width + 2) for width in widths)}+"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f" {cell}{' ' * (width - _width(cell))} " for cell, width in zip(cells, widths, strict=True))
    return f"|{'|'.join(padded)}|"


def _width(text: str) -> int:
    """Return the columns of a terminal the text takes: wide characters two, marks that join none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
