"""Whose statement is it? Asked for every text a client sends, so it must cost next to nothing."""

from dataclasses import dataclass
from enum import Enum


class Owner(Enum):
    """OURS: parse it and ask the desk. VIEW: names a dictionary view, try `substitute_views`. REFUSED: answer 1227 or
    1235 with the reason. SCRIPT: several statements, not all PASS: `split`, then ask for each. PASS: the engine's."""

    OURS = "ours"
    VIEW = "view"
    REFUSED = "refused"
    SCRIPT = "script"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Ownership:
    """`reason`: what is refused, a lower-case fact; empty for every other owner."""

    owner: Owner
    reason: str = ""


def ownership(text: bytes | str, view_names: frozenset[str] = frozenset()) -> Ownership:
    """Return who answers `text`. Never raises, whatever the bytes. `view_names`: in upper case.

    Bytes must be ASCII compatible (utf8, latin1, and with care gbk: pass str decoded by the client's charset for gbk,
    big5 and sjis, whose second bytes may look like a backslash).
    """
    raise NotImplementedError
