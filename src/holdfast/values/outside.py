"""Text from outside, be it a client's, a tenant's, an object's, a file's or an engine's, on its way to a log, a COMMENT, a message or
a terminal: printable, on one line, and no longer than its bound.

What obeys a control character is not only a terminal: a new line makes a second line of a log, which then says what a client wrote; a
mark that turns the direction of writing shows a name as another one.
"""

import re

MESSAGE_CHARACTERS_MAX = 4000
"""Of one message or hint. The catalog's COMMENT columns take 4096."""
SHOWN_CHARACTERS_MAX = 80
"""Of one foreign value inside a message: enough to know it again."""
_CUT = " ... "
_WIDE_BITS = 128

# Controls (C0, DEL, C1), the separators of lines and paragraphs, marks that turn the direction of writing, the byte order mark, and
# halves of characters, which no encoding can write.
_RANGES = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_OBEYED = re.compile(f"[{_RANGES}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escaped(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` with what is not shown but obeyed as `\\n`, `\\x1b`, `\\u202e` and the like; `keep_lines`: except new lines."""
    if text.isprintable():
        return text
    if keep_lines:
        return "\n".join(escaped(line) for line in text.split("\n"))
    return _OBEYED.sub(_escape, text)


def _escape(match: "re.Match[str]") -> str:
    code = ord(match[0])
    return _SHORT.get(match[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def one_line(text: str, characters_max: int = MESSAGE_CHARACTERS_MAX) -> str:
    """Return `text` escaped, and cut in the middle to `characters_max`: its beginning names the thing, its end says what is wrong."""
    if len(text) <= characters_max and text.isprintable():
        return text
    return _cut(escaped(_cut(text, characters_max)), characters_max)


def _cut(text: str, characters_max: int) -> str:
    if len(text) <= characters_max:
        return text
    tail = max(0, (characters_max - len(_CUT)) // 3)
    head = max(0, characters_max - len(_CUT) - tail)
    return f"{text[:head]}{_CUT}{text[len(text) - tail :]}"[:characters_max]


def is_one_line(text: str) -> bool:
    """Return whether a text shows as what it is: nothing in it needs an escape."""
    return text.isprintable() or _OBEYED.search(text) is None


def shown(value: object, characters_max: int = SHOWN_CHARACTERS_MAX) -> str:
    """Return a foreign value as a message may show it: texts quoted and cut, of lists and objects the kind alone.

    Cheap for a value of any size: nothing is printed that is not shown.
    """
    if isinstance(value, str | bytes):
        part = repr(value[:characters_max])
        return escaped(part if len(value) <= characters_max else f"{part}...")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > _WIDE_BITS:
        return f"a number of {value.bit_length()} bits"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple | dict):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return type(value).__name__
