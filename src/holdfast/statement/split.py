"""Several statements in one text."""

from typing import NamedTuple

from holdfast.statement.lexer import Kind, Token, tokens

# Words that may stand between CREATE and the kind of thing created: OR REPLACE, DEFINER = u@h, AGGREGATE, a view's
# ALGORITHM and SQL SECURITY. The first of the words below decides.
_STORED_CODE = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"})
_OTHER_THINGS = frozenset({"TABLE", "VIEW", "DATABASE", "SCHEMA", "USER", "TENANT", "RESOURCE", "INDEX", "TEMPORARY"})


class Piece(NamedTuple):
    """One statement of a text, without its `;`. Shape: `text` is the whole text's `[start, end)`, characters."""

    start: int
    end: int
    text: str


def split(text: str) -> tuple[Piece, ...]:
    """Return the statements of `text` in order, parted at top-level `;`. Pieces of comments and blanks alone are dropped.

    Shape: a piece is all between two `;`, blanks around it dropped, comments kept: one of them may be a `/*! */` comment,
    which is code. A text that begins to create or alter stored code (PROCEDURE, FUNCTION, TRIGGER, EVENT) is one piece
    to its end: its body has `;` of its own.
    """
    pieces: list[Piece] = []
    begin = 0
    first: Token | None = None
    stored_code: bool | None = None  # None: not known yet
    for token in tokens(text):
        if token.text == ";" and not stored_code:
            if first is not None:
                pieces.append(_piece(text, begin, token.start))
            begin, first, stored_code = token.end, None, None
            continue
        if stored_code is None:
            stored_code = _makes_stored_code(first, token)
        if first is None:
            first = token
    if first is not None:
        pieces.append(_piece(text, begin, len(text)))
    return tuple(pieces)


def _piece(text: str, begin: int, end: int) -> Piece:
    body = text[begin:end].rstrip()
    stripped = body.lstrip()
    return Piece(begin + len(body) - len(stripped), begin + len(body), stripped)


def _makes_stored_code(first: Token | None, token: Token) -> bool | None:
    """Return whether the statement that begins with `first` and goes on with `token` makes or alters stored code, None if open."""
    if first is None:
        return None if token.word in {"CREATE", "ALTER"} else False
    word = token.word
    if word in _STORED_CODE:
        return first.word == "CREATE" or word == "EVENT"
    if word in _OTHER_THINGS or (token.kind is Kind.PUNCTUATION and token.text == "("):
        return False
    return None
