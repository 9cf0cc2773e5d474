"""Result sets the gateway answers itself, in the text and in the binary protocol; and rows of the engine it reads.

Source: MySQL Internals Manual, "Text Resultset", "Binary Protocol Resultset".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.mysql.fields import FieldReader, encode_length, encode_string
from holdfast.mysql.flags import ColumnType, Status
from holdfast.mysql.packets import PrepareOk, encode_eof, encode_prepare_ok

Cell = str | int | None

BINARY_CHARSET = 63
_UNSIGNED = 0x20
_SIGNED_MAX = (1 << 63) - 1
_NOT_FIXED_DECIMALS = 0x1F


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """A heading. Integers travel as LONGLONG, everything else as text."""

    name: str
    is_integer: bool = False
    is_unsigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultCharset:
    """How texts are written for this client: its collation id and the Python codec of the same charset."""

    collation_id: int
    encoding: str


UTF8MB4 = ResultCharset(collation_id=45, encoding="utf-8")


def columns_for(names: Sequence[tuple[str, bool]], rows: Sequence[Sequence[Cell]]) -> tuple[ResultColumn, ...]:
    """Return headings for (name, is_integer) pairs; a column with a value beyond a signed 64-bit one is unsigned."""
    return tuple(
        ResultColumn(
            name=name,
            is_integer=is_integer,
            is_unsigned=is_integer and any(isinstance(row[at], int) and row[at] > _SIGNED_MAX for row in rows),  # type: ignore[operator]
        )
        for at, (name, is_integer) in enumerate(names)
    )


def encode_column(column: ResultColumn, charset: ResultCharset) -> bytes:
    """Return a column definition payload."""
    name = encode_string(column.name.encode(charset.encoding, "replace"))
    if column.is_integer:
        collation, length, kind, decimals = BINARY_CHARSET, 20, ColumnType.LONGLONG, 0
    else:
        # The display length only has to hold any text a view column may have; clients allocate by value, not by it.
        collation, length, kind, decimals = charset.collation_id, 0xFFFF, ColumnType.VAR_STRING, _NOT_FIXED_DECIMALS
    flags = _UNSIGNED if column.is_unsigned else 0
    return b"".join(
        (
            encode_string(b"def"),
            encode_string(b""),
            encode_string(b""),
            encode_string(b""),
            name,
            name,
            b"\x0c",
            collation.to_bytes(2, "little"),
            length.to_bytes(4, "little"),
            kind.to_bytes(1, "little"),
            flags.to_bytes(2, "little"),
            decimals.to_bytes(1, "little"),
            b"\0\0",
        )
    )


def encode_text_row(row: Sequence[Cell], charset: ResultCharset) -> bytes:
    """Return a row of the text protocol."""
    return b"".join(
        b"\xfb" if cell is None else encode_string(str(cell).encode(charset.encoding, "replace")) for cell in row
    )


def encode_binary_row(columns: Sequence[ResultColumn], row: Sequence[Cell], charset: ResultCharset) -> bytes:
    """Return a row of the binary protocol: 0x00, a NULL bitmap whose first two bits are unused, the values."""
    bitmap = bytearray((len(columns) + 9) // 8)
    values: list[bytes] = []
    for at, (column, cell) in enumerate(zip(columns, row, strict=True)):
        if cell is None:
            bitmap[(at + 2) // 8] |= 1 << (at + 2) % 8
        elif column.is_integer:
            values.append(int(cell).to_bytes(8, "little", signed=not column.is_unsigned))
        else:
            values.append(encode_string(str(cell).encode(charset.encoding, "replace")))
    return b"\x00" + bytes(bitmap) + b"".join(values)


def encode_result_set(
    columns: Sequence[ResultColumn],
    rows: Sequence[Sequence[Cell]],
    *,
    charset: ResultCharset = UTF8MB4,
    binary: bool = False,
    status: Status = Status.AUTOCOMMIT,
    warning_count: int = 0,
) -> list[bytes]:
    """Return the payloads of a result set, in order, the closing EOF included."""
    payloads = [encode_length(len(columns))]
    payloads += (encode_column(column, charset) for column in columns)
    payloads.append(encode_eof(status=status, warning_count=warning_count))
    if binary:
        payloads += (encode_binary_row(columns, row, charset) for row in rows)
    else:
        payloads += (encode_text_row(row, charset) for row in rows)
    payloads.append(encode_eof(status=status, warning_count=warning_count))
    return payloads


def encode_prepare_answer(
    statement_id: int, columns: Sequence[ResultColumn], *, charset: ResultCharset = UTF8MB4, status: Status
) -> list[bytes]:
    """Return the payloads that answer a COM_STMT_PREPARE of a statement without parameters.

    A text result set here crashes JDBC: a prepare has a shape of its own.
    """
    head = PrepareOk(statement_id=statement_id, column_count=len(columns), parameter_count=0)
    payloads = [encode_prepare_ok(head)]
    if columns:
        payloads += (encode_column(column, charset) for column in columns)
        payloads.append(encode_eof(status=status))
    return payloads


def decode_text_row(payload: bytes, column_count: int) -> tuple[bytes | None, ...]:
    """Return the cells of a text row."""
    reader = FieldReader(payload, "row")
    return tuple(reader.cell() for _ in range(column_count))
