"""Log sequence number: a byte offset in one log stream, a point in space."""

import re

_DIGITS = re.compile(r"[0-7][0-9a-fA-F]{15}", re.ASCII)


class Lsn(int):
    """A byte offset in one log stream. Never compared across streams or timelines. Text form: 16 hex digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Lsn":
        """Return the LSN written as 16 hex digits. Raises ValueError on anything else, and beyond 2^63 - 1."""
        if _DIGITS.fullmatch(text) is None:
            raise ValueError(f"not an LSN: {text!r:.40}")
        return cls(int(text, 16))

    def text(self) -> str:
        """Return 16 lower-case hex digits, so that texts sort like numbers."""
        return f"{int(self):016x}"
