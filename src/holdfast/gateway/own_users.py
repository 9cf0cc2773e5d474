"""The users of engines that are Holdfast's own: they have secrets of ours and sessions of ours, and come in at no port.

Whoever holds such a secret (one lies in every backup set) shall find no door for it. So the name alone decides, before any engine is
asked, and it is read as generously as no engine reads it: in any case, with marks and blanks in it, in whatever charset.
"""

import re
import unicodedata
from collections.abc import Iterator

from holdfast.statement.gate import OWN_ACCOUNT

_CODECS = ("latin-1", "utf-8", "gb18030", "cp1252", "utf-16-le", "utf-16-be")
"""A login says which charset its names are in; the engine has been seen to believe it, and not to. So each is tried."""
_IN_SYS = re.compile(r"hf_(?:t[0-9]+|nobody)", re.ASCII)
"""Who reads a tenant's views and who judges conditions, users of the sys engine. Elsewhere such a name is a tenant's to give."""


def is_own_user(user: bytes, *, is_sys: bool) -> bool:
    """Return whether an engine might take this user's name, as a client sent it, for one of ours."""
    return any(
        name.startswith(OWN_ACCOUNT) or (is_sys and _IN_SYS.fullmatch(name) is not None) for name in _readings(user)
    )


def _readings(user: bytes) -> Iterator[str]:
    for codec in _CODECS:
        text = unicodedata.normalize("NFKD", user.decode(codec, "ignore")).casefold()
        yield "".join(letter for letter in text if letter.isascii() and (letter.isalnum() or letter == "_"))
