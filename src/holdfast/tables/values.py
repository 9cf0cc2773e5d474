"""How the values of a column travel from one engine to another as SQL text, exactly. Pure.

The source engine writes most literals itself (one expression for each column), so a row costs this process a join. What needs
care, measured on engine 1.4.0:

- FLOAT prints 6 significant digits, which is not enough for 24 bits of mantissa; as DOUBLE it prints what it is.
- BIT as text is bytes; as a number it is right. Binary types and geometries travel as hex literals.
- VECTOR prints 6 digits too, and nothing casts it. Arithmetic on vectors is done in 32 bits, element by element, so each element
  splits exactly into two halves of 12 bits (Dekker's split, factor 2^12 + 1); 6 digits identify 12 bits, and the sum of the halves
  is the element.
- ARRAY has no function that quotes it; its text is quoted here. Arrays of FLOAT and sparse vectors print 6 digits and have no
  arithmetic: they can not be read exactly, and a table that has them is refused rather than rounded.
- CONCAT_WS over QUOTE of a text of 7 MB is 4019, CRC32 of it is not. So a row's CRC is taken of the CRCs of its columns.

Source: T. J. Dekker, A floating-point technique for extending the available precision, 1971.
"""

import math
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from holdfast.errors import RefusedError
from holdfast.statement.lexer import quoted
from holdfast.tables.plan import quoted_name

Cell = str | bytes | int | float | None

_SPLIT_FACTOR = 4097
_HALF_BITS = 12
_NUMBERS = frozenset(
    {
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "bigint",
        "decimal",
        "number",
        "year",
        "bool",
        "boolean",
        "double",
        "integer",
    }
)
_TEXTS = frozenset(
    [
        "char",
        "varchar",
        "tinytext",
        "text",
        "mediumtext",
        "longtext",
        "string",
        "enum",
        "set",
        "json",
        "date",
        "datetime",
        "timestamp",
        "time",
        "mysql_date",
        "mysql_datetime",
    ]
)
_BYTES = frozenset(
    [
        "binary",
        "varbinary",
        "tinyblob",
        "blob",
        "mediumblob",
        "longblob",
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    ]
)
_TYPE = re.compile(r"([a-z_]+)")
_VECTOR = re.compile(r"vector\((\d+)\)")
_INEXACT_ARRAY = re.compile(r"array\(.*(float|double).*\)")


class Form(Enum):
    """What a column gives in the SELECT.

    LITERAL: one cell, SQL text already. VECTOR: two cells, the halves. ARRAY: two cells, its text and its elements joined, for only
    the latter can be part of an expression.
    """

    LITERAL = 1
    VECTOR = 2
    ARRAY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`type` as information_schema.columns.column_type prints it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class _Reading:
    form: Form
    expressions: tuple[str, ...]


def _reading(column: Column) -> _Reading:
    kind = column.type.lower()
    name = quoted_name(column.name)
    base = _TYPE.match(kind)
    word = base[1] if base else ""
    if vector := _VECTOR.fullmatch(kind):
        factors = f"'[{','.join([str(_SPLIT_FACTOR)] * int(vector[1]))}]'"
        high = f"(({name}*{factors})-(({name}*{factors})-{name}))"
        return _Reading(Form.VECTOR, (f"array_to_string({high},',')", f"array_to_string({name}-{high},',')"))
    if word == "array" and not _INEXACT_ARRAY.fullmatch(kind):
        return _Reading(Form.ARRAY, (name, f"array_to_string({name},',')"))
    if word == "float":
        return _Reading(Form.LITERAL, (f"IFNULL(CAST({name} AS DOUBLE),'NULL')",))
    if word in _NUMBERS:
        return _Reading(Form.LITERAL, (f"IFNULL({name},'NULL')",))
    if word == "bit":
        return _Reading(Form.LITERAL, (f"IFNULL({name}+0,'NULL')",))
    if word in _BYTES:
        return _Reading(Form.LITERAL, (f"IF({name} IS NULL,'NULL',CONCAT('x''',HEX({name}),''''))",))
    if word in _TEXTS:
        return _Reading(Form.LITERAL, (f"QUOTE({name})",))
    raise RefusedError(
        f"column {column.name} of type {column.type} can not be read exactly by SQL",
        hint="restore the whole tenant instead, and take what is needed from there",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowForm:
    """How the rows of one table are read and written again.

    `text_expression`: the row as text, to tell keys apart. `crc_expression`: its CRC-32, of values of any length.
    """

    columns: tuple[Column, ...]
    forms: tuple[Form, ...]
    select_list: str
    insert_list: str
    text_expression: str
    crc_expression: str

    @property
    def fingerprint(self) -> str:
        """Return the SQL aggregate over a table that `crc` gives row by row."""
        return f"BIT_XOR({self.crc_expression})"

    def literal(self, row: Sequence[Cell]) -> str:
        """Return one row of the SELECT as a parenthesised list of SQL literals."""
        parts: list[str] = []
        cells = iter(row)
        for form in self.forms:
            cell = next(cells)
            if form is Form.LITERAL:
                parts.append(_text(cell))
            elif form is Form.ARRAY:
                next(cells)
                parts.append("NULL" if cell is None else quoted(_text(cell)))
            else:
                low = next(cells)
                parts.append("NULL" if cell is None else f"'[{joined_vector(_text(cell), _text(low))}]'")
        return f"({','.join(parts)})"

    def crc(self, row: Sequence[Cell]) -> int:
        """Return the row's share of the fingerprint that the engine computes by `fingerprint`: the same texts, the same CRC-32."""
        cells = iter(row)
        parts: list[str] = []
        for form in self.forms:
            cell = next(cells)
            if form is Form.LITERAL:
                parts.append(_text(cell))
            else:
                second = next(cells)
                proof = (cell, second) if form is Form.VECTOR else (second,)
                parts += ("NULL" if one is None else _text(one) for one in proof)
        return zlib.crc32(",".join(str(zlib.crc32(part.encode())) for part in parts).encode())


def row_form(columns: Sequence[Column]) -> RowForm:
    """Return how rows of these columns travel; generated columns are not among them.

    Raises RefusedError naming a column that can not travel exactly.
    """
    readings = [_reading(column) for column in columns]
    proofs: list[str] = []
    for reading in readings:
        if reading.form is Form.LITERAL:
            proofs += reading.expressions
        else:
            shown = reading.expressions if reading.form is Form.VECTOR else reading.expressions[1:]
            proofs += (f"IFNULL({expression},'NULL')" for expression in shown)
    listed = ", ".join(proofs) or "''"
    crcs = ", ".join(f"CRC32({proof})" for proof in proofs) or "''"
    return RowForm(
        columns=tuple(columns),
        forms=tuple(reading.form for reading in readings),
        select_list=", ".join(expression for reading in readings for expression in reading.expressions),
        insert_list=", ".join(quoted_name(column.name) for column in columns),
        text_expression=f"CONCAT_WS(',', {listed})",
        crc_expression=f"CRC32(CONCAT_WS(',', {crcs}))",
    )


def joined_vector(high: str, low: str) -> str:
    """Return the elements whose halves these are, comma separated, with the 9 digits that identify 32 bits.

    Raises RefusedError when an element is too large to be split (above 8e34).
    """
    elements: list[str] = []
    for upper, lower in zip(high.split(","), low.split(","), strict=True):
        value = _half(float(upper)) + _half(float(lower))
        if not math.isfinite(value):
            raise RefusedError(
                "a vector has an element that can not be read exactly by SQL", hint="restore the whole tenant"
            )
        (value,) = struct.unpack("<f", struct.pack("<f", value))
        elements.append(f"{value:.9g}")
    return ",".join(elements)


def _half(printed: float) -> float:
    """Return the number of 12 bits that was printed with 6 digits."""
    if not printed or not math.isfinite(printed):
        return printed
    mantissa, exponent = math.frexp(printed)
    return math.ldexp(round(mantissa * (1 << _HALF_BITS)), exponent - _HALF_BITS)


def _text(cell: Cell) -> str:
    return cell.decode() if isinstance(cell, bytes) else str(cell)
