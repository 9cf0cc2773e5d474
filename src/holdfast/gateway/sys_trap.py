"""What a client makes in the sys tenant for itself: it can never be backed up, and nobody told him.

OceanBase leads a user name without a tenant to sys, so whoever forgets `@tenant` lands there. The statement is the engine's and goes to
it byte for byte; its OK gets one warning more.

What makes: CREATE DATABASE, SCHEMA and TABLE, and seekdb's FORK of a database or table; alone, in a text of several, in the text
protocol's PREPARE (a literal, or a variable as it is then) and EXECUTE, and in the binary protocol's. Not seen: what a procedure makes
within, and a statement that begins behind more than `_HEAD_BYTES` of comment. COM_CREATE_DB is refused by the engine itself
(1235, measured on 1.4.0).
"""

import re
from dataclasses import dataclass
from itertools import islice

from holdfast.gateway.charsets import KEEP
from holdfast.gateway.reads import first_word
from holdfast.jobs.reply import Warn
from holdfast.mysql.fields import FieldReader
from holdfast.statement.lexer import Kind, Token, name_value, string_value, tokens
from holdfast.statement.split import split

_HEAD_BYTES = 4096
"""How much of a statement is read: its first words are at its beginning."""
_TOKENS_MAX = 8
_FIRST = frozenset({b"create", b"fork", b"prepare", b"execute"})
_MAY_CONCERN = re.compile(rb"\b(?:create|fork|prepare|execute)\b", re.IGNORECASE)
_MADE = frozenset({"DATABASE", "SCHEMA", "TABLE"})
_BETWEEN = frozenset({"IF", "NOT", "EXISTS", "EXTERNAL"})
"""What may stand before the kind of thing made; IF NOT EXISTS in a `/*! */` comment, as dumps have it."""

WARNING = Warn(
    number=1235,
    message="backup of what is made in tenant sys not supported: it is never backed up"
    " (CREATE TENANT app, log in as root@app and make it there; serve --default-tenant app leads logins without @tenant to it)",
)


@dataclass(frozen=True, slots=True)
class Making:
    """It makes something that is never backed up."""


@dataclass(frozen=True, slots=True)
class Preparing:
    """PREPARE `name` FROM a literal (`text`) or a variable (as written, latin-1)."""

    name: str
    text: bytes = b""
    variable: bytes = b""


@dataclass(frozen=True, slots=True)
class Executing:
    """EXECUTE `name`."""

    name: str


Trap = Making | Preparing | Executing


def read_trap(text: bytes) -> Trap | None:
    """Return what one statement has to do with the trap. Never raises, whatever the bytes."""
    if first_word(text[:_HEAD_BYTES]) not in _FIRST:
        return None
    found = tuple(islice(tokens(text[:_HEAD_BYTES].decode("latin-1")), _TOKENS_MAX))
    words = [token.word for token in found]
    match words:
        case ["CREATE" | "FORK", *rest]:
            kind = next((word for word in rest if word not in _BETWEEN), "")
            return Making() if kind in _MADE else None
        case ["PREPARE", _, "FROM", _, *_]:
            return _preparing(_name(found[1]), found[3])
        case ["EXECUTE", _, *_]:
            return Executing(_name(found[1]))
    return None


def _preparing(name: str, source: Token) -> Preparing | None:
    if source.kind is Kind.STRING:
        return Preparing(name, text=string_value(source).encode("latin-1"))
    if source.kind is Kind.BROKEN:  # a literal that is longer than what is read
        return Preparing(name, text=source.text[1:].encode("latin-1"))
    return Preparing(name, variable=source.text.encode("latin-1")) if source.kind is Kind.VARIABLE else None


def _name(token: Token) -> str:
    return name_value(token).lower()


def makes_user_data(text: bytes) -> bool:
    """Return whether one statement makes a database or table. TEMPORARY tables are not meant to stay."""
    return isinstance(read_trap(text), Making)


def is_several(text: bytes) -> bool:
    """Return whether there may be more than one statement: a `;` that is not the end."""
    return b";" in text.rstrip(b"; \t\r\n")


def concerns(text: bytes, codec: str, making: set[str]) -> bool:
    """Return whether a text, of one statement or several, is to be watched. `making`: names of prepared statements that make."""
    if not is_several(text):
        return _is_watched(text, making)
    if _MAY_CONCERN.search(text) is None:
        return False
    pieces = split(text.decode(codec, KEEP))
    return any(_is_watched(piece.text.encode(codec, KEEP), making) for piece in pieces)


def _is_watched(text: bytes, making: set[str]) -> bool:
    trap = read_trap(text)
    return trap.name in making if isinstance(trap, Executing) else trap is not None


def warning_count_of(payload: bytes) -> int:
    """Return the warning count in an OK payload."""
    offset = _count_offset(payload)
    return int.from_bytes(payload[offset : offset + 2], "little")


def with_one_more_warning(payload: bytes) -> bytes:
    """Return an OK payload with its warning count raised by one and everything else as it was."""
    offset = _count_offset(payload)
    count = min(warning_count_of(payload) + 1, 0xFFFF)
    return payload[:offset] + count.to_bytes(2, "little") + payload[offset + 2 :]


def _count_offset(payload: bytes) -> int:
    reader = FieldReader(payload, "ok")
    reader.take(1)
    reader.length()
    reader.length()
    reader.take(2)
    return len(payload) - reader.remaining
