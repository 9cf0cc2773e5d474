"""Log sequence number: a byte offset in one log stream, a point in space."""


class Lsn(int):
    """A byte offset in one log stream. Never compared across streams or timelines. Text form: 16 hex digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Lsn":
        """Return the LSN written as 16 hex digits. Raises ValueError on anything else."""
        if len(text) != 16:
            raise ValueError(f"not an LSN: {text!r}")
        return cls(int(text, 16))

    def text(self) -> str:
        """Return 16 lower-case hex digits, so that texts sort like numbers."""
        return f"{int(self):016x}"
