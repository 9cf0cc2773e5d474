"""The forms in which one statement reaches an engine without being the text that was sent. Pure.

- *Prepared*: PREPARE s FROM 'text'. From a variable: only the engine knows the text, and is asked for it.
- *Stored*: the body of a procedure, function, trigger or event.
- *Read otherwise*: an engine in ANSI_QUOTES or NO_BACKSLASH_ESCAPES, or with a client's charset of two bytes, sees the end of a string
  where the lexer sees none, so a statement may lie in what looks like data.

What a procedure puts together while it runs is in none of these: its effect is found and put right (`engine/drift`,
`engine/account_watch`).
"""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from holdfast.statement.lexer import Kind, Token, string_value, tokens

_STORED = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"})
_BEFORE_STORED_MAX = 12
"""CREATE OR REPLACE DEFINER = 'u'@'h' PROCEDURE: the kind of thing is among the first words."""
_BEGINNINGS = frozenset(
    {
        *("ALTER", "CREATE", "DROP", "GRANT", "KILL", "PREPARE", "RENAME", "REVOKE", "SET"),
        *("DELETE", "INSERT", "REPLACE", "TRUNCATE", "UPDATE"),
    }
)
_NAMES_TOO = frozenset({"KILL"})
"""A column may be called so: it begins a statement only where one can stand."""
_BEFORE_STATEMENT = frozenset(
    {*(";", ")", ":"), *("BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "ROW", "DETERMINISTIC", "SQL", "DATA")}
)
_TWO_BYTES = re.compile(rb"[\x81-\xfe][\x40-\x7e]")
"""A character of gbk, big5 or sjis whose second byte looks like a backslash, a backtick or a letter."""
_BODY_CHARACTERS_MAX = 1 << 17
_STATEMENTS_MAX = 512
_STATEMENT_CHARACTERS_MAX = 1024
"""Of one body: each is lexed again, so a text of a mebibyte made of SET must not take minutes."""


def prepared(found: Iterator[Token]) -> bytes | str | None:
    """Return what PREPARE s FROM ... prepares: bytes of a literal (latin-1), or a variable as written. None: neither."""
    head = tuple(islice(found, 4))
    if len(head) < 4 or head[2].word != "FROM":
        return None
    source = head[3]
    if source.kind is Kind.STRING:
        value = "".join(string_value(token) for token in (source, *found) if token.kind is Kind.STRING)
        return value.encode("latin-1", "replace")
    if source.kind is Kind.BROKEN:
        return source.text[1:].encode("latin-1", "replace")
    return source.text if source.kind is Kind.VARIABLE else None


def is_stored(found: list[Token]) -> bool:
    """Return whether a CREATE or ALTER makes stored code."""
    return any(token.word in _STORED for token in found[1:_BEFORE_STORED_MAX])


def is_view(found: list[Token]) -> bool:
    """Return whether a CREATE or ALTER makes a view."""
    return any(token.word == "VIEW" for token in found[1:_BEFORE_STORED_MAX])


def stored_statements(text: str) -> Iterator[str]:
    """Yield whatever in a body may be the beginning of a statement, to the next `;`. Of a very long body its beginning is read."""
    text = text[:_BODY_CHARACTERS_MAX]
    found = list(tokens(text))
    end = len(text)
    pieces = []
    for before, token in reversed(list(pairwise(found))):
        if token.text == ";":
            end = token.start
        elif token.word in _BEGINNINGS and (token.word not in _NAMES_TOO or before.text.upper() in _BEFORE_STATEMENT):
            pieces.append((token.start, min(end, token.start + _STATEMENT_CHARACTERS_MAX)))
    for start, stop in pieces[:_STATEMENTS_MAX]:
        yield text[start:stop]


def other_readings(data: bytes) -> Iterator[bytes]:
    """Yield `data` as other engines' lexers see it, where that may differ."""
    if b"\\" in data:
        yield data.replace(b"\\", b"x")
    if _TWO_BYTES.search(data):
        plain = _TWO_BYTES.sub(b"xx", data)
        yield plain
        if b"\\" in plain:
            yield plain.replace(b"\\", b"x")
