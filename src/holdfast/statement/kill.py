"""KILL as a statement of its own. Pure."""

import re
from dataclasses import dataclass

# Possessive throughout: no text, however hostile, makes the expression go back over what it has read.
_BLANK = rb"(?:\s++|/\*(?!!)(?:[^*]++|\*(?!/))*+\*/|--[ \t][^\n]*+\n|#[^\n]*+\n)"
_KILL = re.compile(
    rb"%(b)s*+kill%(b)s++(?:(?P<kind>connection|query)%(b)s++)?(?P<id>\d{1,10}+)%(b)s*+;?%(b)s*+" % {b"b": _BLANK},
    re.IGNORECASE,
)
# A KILL is short; the bound keeps the expression off data.
_TEXT_BYTES_MAX = 1024
_HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Kill:
    """`before` and `after` are the text around the id."""

    connection_id: int
    query_only: bool
    before: bytes
    after: bytes

    def text_for(self, connection_id: int) -> bytes:
        """Return the text with another id."""
        return self.before + str(connection_id).encode("ascii") + self.after


def read_kill(text: bytes) -> Kill | None:
    """Return the KILL that `text` is, or None. Costs well under a microsecond on any other text."""
    if len(text) > _TEXT_BYTES_MAX:
        return None
    head = text[:_HEAD_BYTES].lstrip()
    if head[:1] not in b"kK/-#" or (head[:4].lower() != b"kill" and b"kill" not in text.lower()):
        return None
    match = _KILL.fullmatch(text)
    if match is None:
        return None
    start, end = match.span("id")
    query_only = (match["kind"] or b"").lower() == b"query"
    return Kill(int(match["id"]), query_only, text[:start], text[end:])
