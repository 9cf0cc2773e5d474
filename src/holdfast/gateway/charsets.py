"""Charsets by the names the engine's session variables give them.

seekdb 1.4.0 has utf8mb4 and binary only (measured); the others are those of OceanBase, for an engine that has them.
"""

from holdfast.mysql.resultset import UTF8MB4, ResultCharset

_BY_NAME = {
    "utf8mb4": UTF8MB4,
    "utf8": ResultCharset(collation_id=33, encoding="utf-8"),
    "utf8mb3": ResultCharset(collation_id=33, encoding="utf-8"),
    "binary": ResultCharset(collation_id=63, encoding="utf-8"),
    # MySQL's latin1 is Windows' code page.
    "latin1": ResultCharset(collation_id=8, encoding="cp1252"),
    "ascii": ResultCharset(collation_id=11, encoding="ascii"),
    "gbk": ResultCharset(collation_id=28, encoding="gbk"),
    "gb18030": ResultCharset(collation_id=248, encoding="gb18030"),
    "gb18030_2022": ResultCharset(collation_id=248, encoding="gb18030"),
    "utf16": ResultCharset(collation_id=54, encoding="utf-16-be"),
    "utf16le": ResultCharset(collation_id=56, encoding="utf-16-le"),
}
# The second byte of a character may be a quote's neighbour (`\`, a backtick): such texts are decoded before they are
# lexed. All others are lexed as latin-1, byte for byte.
_LEXED_DECODED = frozenset({"gbk", "gb18030", "gb18030_2022"})
_COLLATIONS_LEXED_DECODED = {28: "gbk", 87: "gbk", 248: "gb18030", 249: "gb18030", 250: "gb18030"}

BYTE_CODEC = "latin-1"
KEEP = "surrogateescape"
"""How bytes that are no character of a charset travel through a text and back, as they came. Decoded to U+FFFD instead they have no form
in gbk: such a script ended its connection with a traceback."""


def charset_named(name: str) -> ResultCharset:
    """Return the charset, UTF-8 for one we do not know."""
    return _BY_NAME.get(name.lower(), UTF8MB4)


def lexing_codec(charset_name: str) -> str:
    """Return the codec under which a text of this charset keeps its tokens: latin-1, byte for byte, where that is safe."""
    name = charset_name.lower()
    return charset_named(name).encoding if name in _LEXED_DECODED else BYTE_CODEC


def lexing_codec_of_collation(collation_id: int) -> str:
    """Return the same for the collation id of a login."""
    return lexing_codec(_COLLATIONS_LEXED_DECODED.get(collation_id, "utf8mb4"))
