"""How a frozen dataclass becomes a row and a row becomes a dataclass: one table per record, derived from its fields.

A field's type decides how its value travels. The column is named like the field, with two exceptions: `x_us` (microseconds
since the epoch) is the TIMESTAMP(6) column `x`, and names given in `columns`. No field, no column: what the table has
besides keeps its default. A text of a field named `comment` is escaped on its way in: every COMMENT comes through here.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from holdfast.catalog.connections import Cell, Row, Transaction
from holdfast.values.outside import one_line
from holdfast.values.scn import Scn

T = TypeVar("T")
_COMMENT_CHARACTERS = 512
"""Half of the narrowest COMMENT column."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_from_us(time_us: int) -> datetime:
    """Return the moment, in UTC but without a zone, as a TIMESTAMP column takes it in a session of time zone +00:00."""
    return (_EPOCH + timedelta(microseconds=time_us)).replace(tzinfo=None)


def us_from_time(time: datetime) -> int:
    """Return microseconds since the epoch of what a TIMESTAMP column gave in a session of time zone +00:00."""
    since = time.replace(tzinfo=UTC) - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    field: str
    column: str
    encode: Callable[[object], Cell]
    decode: Callable[[Cell], object]


class Record(Generic[T]):
    """The row form of one dataclass. All methods act inside the caller's transaction."""

    def __init__(
        self, table: str, kind: type[T], *, key: Sequence[str], columns: Mapping[str, str] | None = None
    ) -> None:
        self._table = table
        self._make = cast(Callable[..., T], kind)
        hints = get_type_hints(kind)
        names = columns or {}
        self._columns = tuple(_column(f.name, hints[f.name], names) for f in fields(kind))  # type: ignore[arg-type]
        self._key = tuple(column for name in key for column in self._columns if column.field == name)
        assert len(self._key) == len(key), f"{kind.__name__} lacks a key field of {key}"
        self._select = ", ".join(f"`{column.column}`" for column in self._columns)

    def select(self, transaction: Transaction, where: str = "", args: Sequence[Cell] = ()) -> tuple[T, ...]:
        """Return the rows that `where` (SQL from WHERE on, a constant) leaves, in its order."""
        rows = transaction.query(f"SELECT {self._select} FROM __holdfast.{self._table} {where}", args)
        return tuple(self._decode(row) for row in rows)

    def one(self, transaction: Transaction, where: str, args: Sequence[Cell] = ()) -> T | None:
        """Return the first row that `where` leaves, or None."""
        rows = self.select(transaction, where, args)
        return rows[0] if rows else None

    def insert(self, transaction: Transaction, value: T) -> None:
        """Add the row. Raises ConflictError when its key is there."""
        places = ", ".join(["%s"] * len(self._columns))
        sql = f"INSERT INTO __holdfast.{self._table} ({self._select}) VALUES ({places})"
        transaction.execute(sql, self._cells(value, self._columns))

    def upsert(self, transaction: Transaction, value: T, extra: Mapping[str, Cell] | None = None) -> None:
        """Add the row or replace its columns. `extra` are columns that the dataclass does not carry."""
        more = extra or {}
        names = [*(column.column for column in self._columns), *more]
        listed = ", ".join(f"`{name}`" for name in names)
        places = ", ".join(["%s"] * len(names))
        changed = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in names)
        sql = f"INSERT INTO __holdfast.{self._table} ({listed}) VALUES ({places}) ON DUPLICATE KEY UPDATE {changed}"
        transaction.execute(sql, [*self._cells(value, self._columns), *more.values()])

    def update(self, transaction: Transaction, value: T) -> None:
        """Replace the columns of the row with this key; no row, no effect."""
        changed = ", ".join(f"`{column.column}` = %s" for column in self._columns)
        keyed = " AND ".join(f"`{column.column}` = %s" for column in self._key)
        sql = f"UPDATE __holdfast.{self._table} SET {changed} WHERE {keyed}"
        transaction.execute(sql, [*self._cells(value, self._columns), *self._cells(value, self._key)])

    def locked(self, transaction: Transaction, value: T) -> T | None:
        """Return the stored row with the key of `value`, locked until the transaction ends, or None."""
        keyed = " AND ".join(f"`{column.column}` = %s" for column in self._key)
        return self.one(transaction, f"WHERE {keyed} FOR UPDATE", self._cells(value, self._key))

    def _cells(self, value: T, columns: Sequence[_Column]) -> list[Cell]:
        return [column.encode(getattr(value, column.field)) for column in columns]

    def _decode(self, row: Row) -> T:
        return self._make(**{c.field: c.decode(cell) for c, cell in zip(self._columns, row, strict=True)})


def _column(field: str, hint: object, names: Mapping[str, str]) -> _Column:
    column = names.get(field, field.removesuffix("_us") if _is_time(field) else field)
    optional = get_origin(hint) in {Union, types.UnionType}
    if optional:
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    encode, decode = _conversion(field, hint)
    if optional:
        return _Column(
            field=field,
            column=column,
            encode=lambda value: None if value is None else encode(value),
            decode=lambda cell: None if cell is None else decode(cell),
        )
    return _Column(field=field, column=column, encode=encode, decode=decode)


def _is_time(field: str) -> bool:
    return field.endswith(("_timestamp_us", "_time_us"))


def _conversion(field: str, hint: object) -> tuple[Callable[[object], Cell], Callable[[Cell], object]]:
    if _is_time(field):
        return (lambda value: time_from_us(cast(int, value))), (lambda cell: us_from_time(cast(datetime, cell)))
    if hint == tuple[int, ...]:
        return _joined, (lambda cell: tuple(int(part) for part in cast(str, cell).split(",") if part))
    if hint == tuple[str, ...]:
        return _joined, (lambda cell: tuple(part for part in cast(str, cell).split(",") if part))
    if hint is bool:
        return (lambda value: "ON" if value else "OFF"), (lambda cell: cell == "ON")
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        kind = hint
        return str, (lambda cell: kind(cast(str, cell)))
    if hint is Scn:
        return (lambda value: int(cast(Scn, value))), (lambda cell: Scn(cast(int, cell)))
    if hint is int:
        return (lambda value: int(cast(int, value))), (lambda cell: int(cast(int, cell)))
    if hint is float:
        return (lambda value: cast(float, value)), (lambda cell: float(cast(float | Decimal, cell)))
    if hint is str and field.endswith("comment"):
        return _comment, (lambda cell: cast(str, cell))
    if hint is str:
        return (lambda value: cast(str, value)), (lambda cell: cast(str, cell))
    raise AssertionError(f"no row form for a field of type {hint}")


def _comment(value: object) -> str:
    # Escaped it may be longer, and it was cut for its column.
    text = cast(str, value)
    return one_line(text, max(len(text), _COMMENT_CHARACTERS))


def _joined(value: object) -> str:
    return ",".join(str(part) for part in cast(tuple[object, ...], value))
