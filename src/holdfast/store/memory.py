"""A destination in memory, for tests of everything that uses one."""

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from types import TracebackType
from typing import Self

from holdfast import codes
from holdfast.errors import ConflictError, CorruptionError, NotFoundError
from holdfast.store.store import Appender, ObjectInfo, ObjectReader, ObjectWriter, check_name, nothing
from holdfast.values.buffers import Buffer


class MemoryStore:
    """Objects in a dictionary. The promises are those of `store.Store`, durability apart."""

    def __init__(self, location: str = "memory://") -> None:
        self._location = location
        self._objects: dict[str, bytes] = {}
        self._appending: set[str] = set()
        self._lock = Lock()

    @property
    def location(self) -> str:
        return self._location

    def put(self, name: str, data: Buffer) -> None:
        check_name(name)
        with self._lock:
            self._objects[name] = bytes(data)

    def put_new(self, name: str, data: Buffer) -> None:
        check_name(name)
        with self._lock:
            if name in self._objects:
                raise ConflictError(f"{self._location}/{name} exists already")
            self._objects[name] = bytes(data)

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        check_name(name)
        with self._lock:
            if name not in self._objects:
                raise NotFoundError(
                    f"{codes.OB_OBJECT_NOT_EXIST.default}: {self._location}/{name}", code=codes.OB_OBJECT_NOT_EXIST
                )
            return self._objects[name][offset : None if size is None else offset + size]

    def reader(self, name: str) -> ObjectReader:
        return _MemoryReader(self.get(name))

    def stat(self, name: str) -> int | None:
        check_name(name)
        with self._lock:
            return len(self._objects[name]) if name in self._objects else None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._lock:
            found = sorted((name, len(octets)) for name, octets in self._objects.items() if name.startswith(prefix))
        return (ObjectInfo(name=name, size_bytes=size_bytes) for name, size_bytes in found)

    def delete(self, name: str) -> None:
        check_name(name)
        with self._lock:
            self._objects.pop(name, None)

    def delete_tree(self, folder: str) -> None:
        check_name(folder)
        with self._lock:
            for name in [name for name in self._objects if name.startswith(folder + "/")]:
                del self._objects[name]

    def writer(self, name: str) -> ObjectWriter:
        check_name(name)
        return _MemoryWriter(self, name)

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        check_name(name)
        with self._lock:
            if name in self._appending:
                raise ConflictError(f"{self._location}/{name} is being appended to by another process")
            octets = self._objects.get(name)
            if (octets is None and size_bytes) or (octets is not None and len(octets) < size_bytes):
                raise CorruptionError(
                    f"{self._location}/{name} is too short to go on: expected at least {size_bytes} bytes, found "
                    f"{len(octets or b'')}",
                    code=codes.OB_OBJECT_STORAGE_PWRITE_OFFSET_NOT_MATCH,
                )
            check()
            self._objects[name] = (octets or b"")[:size_bytes]
            self._appending.add(name)
        return _MemoryAppender(self, name, size_bytes)

    def extend(self, name: str, octets: bytes) -> None:
        """Add to a growing object (called by its appender)."""
        with self._lock:
            self._objects[name] = self._objects.get(name, b"") + octets

    def release(self, name: str) -> None:
        """Let another appender have the object (called by its appender)."""
        with self._lock:
            self._appending.discard(name)

    def is_empty(self) -> bool:
        with self._lock:
            return not self._objects

    def free_bytes(self) -> int | None:
        return None


class _MemoryWriter:
    def __init__(self, store: MemoryStore, name: str) -> None:
        self._store = store
        self._name = name
        self._octets: bytearray | None = bytearray()

    @property
    def offset(self) -> int:
        return len(self._octets or b"")

    def write(self, *buffers: Buffer) -> None:
        octets = self._open()
        for buffer in buffers:
            octets += buffer

    def commit(self) -> None:
        self._store.put(self._name, self._open())
        self._octets = None

    def abort(self) -> None:
        self._octets = None

    def _open(self) -> bytearray:
        if self._octets is None:
            raise ValueError(f"the writer of {self._name} was committed or aborted before")
        return self._octets

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class _MemoryAppender:
    def __init__(self, store: MemoryStore, name: str, size_bytes: int) -> None:
        self._store = store
        self._name = name
        self._size_bytes = size_bytes
        self._is_open = True

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def append(self, *buffers: Buffer, behind: Iterable[Buffer] = ()) -> None:
        if not self._is_open:
            raise ValueError(f"the appender of {self._name} was closed before")
        octets = b"".join((*buffers, *map(bytes, behind)))
        self._store.extend(self._name, octets)
        self._size_bytes += len(octets)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._store.release(self._name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _MemoryReader:
    def __init__(self, octets: bytes) -> None:
        self._octets: bytes | None = octets
        self._size_bytes = len(octets)

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def read(self, offset: int, size_bytes: int) -> bytes:
        return self._open()[offset : offset + max(size_bytes, 0)]

    def read_into(self, offset: int, buffer: bytearray | memoryview) -> int:
        found = self.read(offset, len(buffer))
        memoryview(buffer)[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._octets = None

    def _open(self) -> bytes:
        if self._octets is None:
            raise ValueError("the reader was closed before")
        return self._octets

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
