"""What every destination promises, whatever lies behind it.

An object is a name and bytes. Names are relative, `/` separates folders, folders exist only as parts of names.

- **Whole or absent.** `put`, `put_new` and `ObjectWriter.commit` make an object visible in one step, and only after
  its bytes are durable. After `kill -9` or a power cut a name shows its old bytes or its new ones, never a mixture.
- **Durable when it returns.** A change that returned survives a power cut; so does a deletion.
- **The one exception** is an `Appender`: its object is visible while it grows. A crash may leave bytes behind the last
  append that returned; the next appender cuts them off because it is told the size that counts.
- **Safe from several threads**, except that one writer, appender or reader belongs to one thread at a time.

Errors: StoreUnavailableError for a destination that is full (-9082), forbids (-9071) or fails (-9129): nothing visible
was changed, the call may be repeated. NotFoundError (-9120) for a missing object. Anything else is said at the method.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from holdfast.values.buffers import Buffer
from holdfast.values.object_name import TEMPORARY_FOLDER as TEMPORARY_FOLDER
from holdfast.values.object_name import check_name as check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """One object of a listing."""

    name: str
    size_bytes: int


class ObjectWriter(Protocol):
    """A new object on its way; invisible until `commit`. Leaving its `with` block without a commit aborts it."""

    @property
    def offset(self) -> int:
        """Return how many bytes were written so far: where the next `write` begins."""
        ...

    def write(self, *buffers: Buffer) -> None:
        """Write all the buffers, in order. They may be reused once this returns.

        After an error the writer is of no more use: abort it.
        """
        ...

    def commit(self) -> None:
        """Make the object durable, then visible under its name, replacing what was there."""
        ...

    def abort(self) -> None:
        """Forget the object. Does nothing after a commit or another abort."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Appender(Protocol):
    """A visible object that grows. At most one at a time per object, across processes where the store can tell."""

    @property
    def size_bytes(self) -> int:
        """Return the size that is durable: the sum of what every returned `append` wrote, and the size it began with."""
        ...

    def append(self, *buffers: Buffer, behind: Iterable[Buffer] = ()) -> None:
        """Write all the buffers behind the object's end. Durable, and found under the object's name, when it returns.

        `behind`: more of them, each asked for when the one before is written, so that it may be made in the same memory, and while
        the one before is on its way to the disk.

        Raises CorruptionError when the object was removed or cut while it grew, ObjectReplacedError when its name shows another
        one, or bytes that nobody appended here.
        After an error `size_bytes` is unchanged and the appender is of no more use: close it, open another.
        """
        ...

    def close(self) -> None:
        """Let go of the object. Repeatable."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ObjectReader(Protocol):
    """One object open for many reads (a restore reads a data object chunk by chunk)."""

    @property
    def size_bytes(self) -> int:
        """Return the object's size when it was opened."""
        ...

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Return the bytes at `offset`; fewer only where the object ends."""
        ...

    def read_into(self, offset: int, buffer: bytearray | memoryview) -> int:
        """Fill `buffer` from `offset` and return how many bytes came; fewer only where the object ends."""
        ...

    def close(self) -> None:
        """Let go of the object. Repeatable."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def nothing() -> None:
    """Check nothing."""


class Store(Protocol):
    """One destination. Every `name` is checked by `check_name`: ValueError on one that could leave the destination."""

    @property
    def location(self) -> str:
        """Return what messages call this destination, such as `file:///backup/data`. Holds no secret."""
        ...

    def put(self, name: str, data: Buffer) -> None:
        """Make `data` the object's bytes, replacing what was there."""
        ...

    def put_new(self, name: str, data: Buffer) -> None:
        """Make `data` a new object. Of several callers one wins; the others get ConflictError."""
        ...

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        """Return the object's bytes from `offset`, `size` bytes of them or all; fewer only where the object ends."""
        ...

    def reader(self, name: str) -> ObjectReader:
        """Return the object opened for reading."""
        ...

    def stat(self, name: str) -> int | None:
        """Return the object's size in bytes, None when there is none."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose name begins with `prefix`, whatever its folder, sorted by name.

        Objects put or deleted meanwhile may be seen or not; all others are seen exactly once.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""
        ...

    def delete_tree(self, folder: str) -> None:
        """Remove every object whose name begins with `folder` + `/`. A crash may leave some of them, all of them whole."""
        ...

    def writer(self, name: str) -> ObjectWriter:
        """Return a writer for an object too large to be put at once."""
        ...

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        """Return an appender at `size_bytes`, cutting off whatever lies behind. 0 creates the object when it is absent.

        `check` is called when the object is this caller's alone and nothing is cut yet: what it raises leaves the object as it is.
        Raises CorruptionError (-9130) when the object is shorter than `size_bytes` or absent (durable bytes were lost),
        ConflictError when someone else appends to it.
        """
        ...

    def is_empty(self) -> bool:
        """Return whether there is nothing at all: no object of ours, no file of anyone else's."""
        ...

    def free_bytes(self) -> int | None:
        """Return how many bytes the destination can still take, None when it can not tell."""
        ...
