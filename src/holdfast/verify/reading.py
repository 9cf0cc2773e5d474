"""Reading objects for a validation: a window over one object, and documents whose damage is told from their age."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from holdfast.backup_format import names
from holdfast.backup_format.document import is_as_written
from holdfast.backup_format.piece_record import PieceRecord, decode_piece_record
from holdfast.errors import CorruptionError, NotFoundError, UnknownVersionError
from holdfast.store.small import RECORD_BYTES_MAX, get_small
from holdfast.store.store import ObjectReader, Store
from holdfast.verify.plan import Damage, Proof

_T = TypeVar("_T")
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


def read_document(
    store: Store, name: str, decode: Callable[[bytes], _T], *, size_bytes_max: int = RECORD_BYTES_MAX
) -> tuple[_T, int]:
    """Return a document and its size. Raises NotFoundError, CorruptionError; UnknownVersionError only when the bytes are right."""
    data = get_small(store, name, size_bytes_max)
    try:
        return decode(data), len(data)
    except UnknownVersionError as error:
        if not is_as_written(data):
            raise CorruptionError(f"{name} has a wrong digest and another version", hint=error.hint) from error
        raise


def read_piece_record(store: Store, root: str) -> tuple[PieceRecord, str, int]:
    """Return a piece's record, its object's name and size: the frozen piece's, else the active one's.

    Raises NotFoundError when there is neither. A piece that freezes between the two looks is looked for again.
    """
    for name in (names.piece_info_name(root), names.checkpoint_name(root), names.piece_info_name(root)):
        try:
            record, size_bytes = read_document(store, name, partial(decode_piece_record, name=name))
        except NotFoundError:
            continue
        return record, name, size_bytes
    raise NotFoundError(f"{store.location}/{root} has no record", hint="the piece's log can not be used without one")
