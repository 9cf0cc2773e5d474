"""What the first word of a text tells: enough to hold back writes and to let data pass without keeping it."""

import re

# Blanks, comments and opening brackets before the first word; a `/*!` comment is code, so its word counts. Possessive
# throughout: no text, however hostile, makes the expression go back over what it has read.
_FIRST_WORD = re.compile(
    rb"(?:[\s(]++|/\*!\d{0,6}+|/\*(?!!)(?:[^*]++|\*(?!/))*+\*/|--[ \t][^\n]*+\n|#[^\n]*+\n)*+([A-Za-z]++)"
)

_READING = frozenset(b"select show set explain use commit rollback kill desc describe begin start help".split())
# Texts that carry data. None of them can be Holdfast's, so a long one need not be kept to be read.
_CARRYING = frozenset(b"insert replace update delete load call merge".split())
# What a text too long to be read may begin with: nothing that the gate refuses begins so.
_LONG = _CARRYING | frozenset(b"select with values table explain do".split())
_LONG_DEFINITION = re.compile(
    rb"(?:create|alter|drop)\s++(?:or\s++replace\s++)?(?:temporary\s++)?(?:table|view|index)\b|set\s++@[^@]",
    re.IGNORECASE,
)


def first_word(text: bytes) -> bytes:
    """Return the first word in lower case, empty when there is none in sight."""
    match = _FIRST_WORD.match(text)
    return match[1].lower() if match else b""


def may_write(text: bytes) -> bool:
    """Return whether a text could change a tenant's data. A `;` inside makes it several statements: then it could."""
    return first_word(text) not in _READING or b";" in text.rstrip(b"; \t\r\n")


def carries_data(head: bytes) -> bool:
    """Return whether a long text, of which `head` is the beginning, is data for the engine."""
    return first_word(head) in _CARRYING


def hides_beginning(head: bytes) -> bool:
    """Return whether a text too long to be read, of which `head` is the beginning, may be what the gate would refuse.

    What stands behind its first statement is not seen either: its effect is put right.
    """
    match = _FIRST_WORD.match(head)
    if match is None or b"/*!" in match[0]:
        return True
    return match[1].lower() not in _LONG and _LONG_DEFINITION.match(head, match.start(1)) is None
