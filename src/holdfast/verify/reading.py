"""What a validation tells while it reads, and a window over one object."""

from collections.abc import Callable
from typing import Protocol

from holdfast.store.store import ObjectReader
from holdfast.verify.plan import Damage, Proof

_WINDOW_BYTES = 4 << 20
"""One read: large enough for a spinning disk or an object store, small enough for many threads."""


class Journal(Protocol):
    """What a validation tells while it runs. Safe from any thread; every method may end the work by raising."""

    def expect(self, size_bytes: int) -> None:
        """Be told of bytes that will be read."""
        ...

    def read(self, size_bytes: int) -> None:
        """Be told of bytes that were read and looked at."""
        ...

    def proven(self, name: str, size_bytes: int, digest: str) -> None:
        """Be told that an object is right, up to this size."""
        ...

    def known(self, proof: Proof) -> None:
        """Be told that an object was not read: it was proven before."""
        ...

    def found(self, damage: Damage) -> None:
        """Be told of damage. The validation goes on where it can."""
        ...


class Window:
    """Reads one object from front to back through a window, so that small reads are few calls. One thread's."""

    def __init__(
        self, reader: ObjectReader, spend: Callable[[int], None], *, end: int, window_bytes: int = _WINDOW_BYTES
    ) -> None:
        """`spend` is told the bytes of each read before it, and may wait. `end`: what lies behind is not read.

        `window_bytes`: what is read at least; less where most of the object is of no interest.
        """
        self._reader = reader
        self._spend = spend
        self._end = end
        self._window_bytes = window_bytes
        self._start = 0
        self._octets = b""

    def read(self, offset: int, size_bytes: int) -> memoryview:
        """Return the bytes at `offset`, fewer only where the object or `end` comes first. Good until the next call."""
        at = offset - self._start
        if at < 0 or at + size_bytes > len(self._octets):
            wanted = min(max(size_bytes, self._window_bytes), max(self._end - offset, 0))
            self._spend(wanted)
            self._octets, self._start, at = self._reader.read(offset, wanted), offset, 0
        return memoryview(self._octets)[at : at + size_bytes]
