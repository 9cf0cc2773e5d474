"""One lexer for everything that reads SQL text here: parser, splitter, gate and view substitution.

It follows the engine's own lexer where that differs from MySQL's, because what we pass on is read by the engine:
a line comment ends at a carriage return too, and the body of `/*! ... */` is code whatever version it names.

Text and bytes: the lexer works on `str`. Every character from U+0080 on may be part of a name, so a text decoded as
latin-1 gives the same tokens as its UTF-8 decoding, with byte offsets: decode latin-1 to find things and cut bytes,
decode by the client's charset to read names. Charsets whose later bytes may be ASCII (gbk, big5, sjis) must be decoded
by their own codec first.

Known limits, on purpose: the session's ANSI_QUOTES and NO_BACKSLASH_ESCAPES are not known here. Whatever slips through
for that reason reaches the engine as text and meets its fence.

Source: oceanbase/seekdb src/sql/parser/sql_parser_mysql_mode.l.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a token is. BROKEN: a string, quoted name or comment that never ends; it reaches to the end of the text."""

    NAME = "name"
    QUOTED_NAME = "quoted_name"
    STRING = "string"
    NUMBER = "number"
    VARIABLE = "variable"
    PUNCTUATION = "punctuation"
    BROKEN = "broken"


class Token(NamedTuple):
    """One token: `text` as written, with its quotes. Shape: characters `[start, end)` of the whole text.

    A named tuple, not a dataclass: thousands are made per second and it is five times cheaper to make.
    """

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return the upper-case word if this is an unquoted ASCII name, else the empty string: keywords are told by it.

        ASCII, because some other letters turn into A to Z when made upper case, and the engine does not do that.
        """
        return self.text.upper() if self.kind is Kind.NAME and self.text.isascii() else ""


# Possessive quantifiers: no text, however hostile, makes the expression go back over what it has read. Order counts:
# what cannot end (broken) comes after its whole form, a number only where no name goes on.
_LETTER = r"[\w$\x80-\U0010ffff]"
_STRING = r"""'(?:[^'\\]++|\\.|'')*+'|"(?:[^"\\]++|\\.|"")*+\""""
_BACKTICKED = r"`(?:[^`]++|``)*+`"
_TOKEN = re.compile(
    rf"""
      (?P<skip> \s++ | \#[^\n\r]*+ | --(?=[\s\x00]|\Z)[^\n\r]*+ | /\*(?!!)(?:[^*]++|\*(?!/))*+\*/ )
    | (?P<open> /\*!(?:[0-9]{{5}})? )
    | (?P<close> \*/ )
    | (?P<number> (?:0[xX][0-9a-fA-F]++ | (?:[0-9]++(?:\.[0-9]*+)? | \.[0-9]++)(?:[eE][-+]?[0-9]++)?)(?!{_LETTER}) )
    | (?P<name> {_LETTER}++ )
    | (?P<string> {_STRING} )
    | (?P<quoted_name> {_BACKTICKED} )
    | (?P<variable> @@?(?: [\w.$\x80-\U0010ffff]++(?:{_BACKTICKED})? | {_BACKTICKED} | {_STRING} ) )
    | (?P<broken> ['"`] | /\* )
    | (?P<punctuation> := | . )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_WHOLE_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.BROKEN}
# What a named tuple's own constructor does, in half the time.
_new = tuple.__new__


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of `text` in order, comments and blanks left out, the bodies of `/*! */` comments let in.

    Never raises: what cannot be read becomes PUNCTUATION (one character, or `:=`) or a last BROKEN token.
    """
    depth = 0
    matches = _TOKEN.finditer(text)
    while (match := next(matches, None)) is not None:
        group = match.lastgroup
        assert group is not None  # every alternative is named
        kind = _WHOLE_KINDS.get(group)
        if kind is not None:
            start, end = match.span()
            yield _new(Token, (kind, match[0], start, end))
            continue
        if group == "skip":
            continue
        start = match.start()
        if group == "open":
            depth += 1
        elif group == "close" and depth:
            depth -= 1
        elif group == "close":
            # No comment to close: a multiplication, and what follows may begin a comment, as in `2*/**/3`.
            yield Token(Kind.PUNCTUATION, "*", start, start + 1)
            matches = _TOKEN.finditer(text, start + 1)
        else:
            yield Token(Kind.BROKEN, text[start:], start, len(text))
            return


_ESCAPE = re.compile(r"\\(.)|''|\"\"", re.DOTALL)
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}


def string_value(token: Token) -> str:
    """Return what a STRING token stands for. `\\%` and `\\_` keep their backslash, as in MySQL, for LIKE."""
    body, quote = token.text[1:-1], token.text[0]
    if "\\" not in body and quote not in body:
        return body

    def plain(match: re.Match[str]) -> str:
        letter = match[1]
        if letter is not None:
            return _ESCAPED.get(letter, letter)
        return quote if match[0] == quote * 2 else match[0]

    return _ESCAPE.sub(plain, body)


def name_value(token: Token) -> str:
    """Return the name a NAME or QUOTED_NAME token stands for, in the case written."""
    if token.kind is Kind.QUOTED_NAME:
        return token.text[1:-1].replace("``", "`")
    return token.text


def quoted(value: str) -> str:
    """Return the string literal of `value`: the inverse of `string_value`, on one line."""
    escaped = (
        value.replace("\\", "\\\\")
        .replace("\\\\%", "\\%")
        .replace("\\\\_", "\\_")
        .replace("'", "''")
        .replace("\0", "\\0")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\x1a", "\\Z")
    )
    return f"'{escaped}'"
