"""What the desk answers: rows, or a count, and warnings."""

from dataclasses import dataclass
from enum import Enum


class ColumnKind(Enum):
    """How a column travels to a MySQL client."""

    TEXT = "text"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    kind: ColumnKind = ColumnKind.TEXT


Cell = str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """One row of SHOW WARNINGS after this statement. `number` is the client's. A Note tells of something that went as it should."""

    number: int
    message: str
    level: str = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An OK (no columns) or a result set."""

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    affected: int = 0
    warnings: tuple[Warn, ...] = ()


OK = Reply()
