"""A store that counts what goes through it: bytes for progress and views, calls for tests of what a thing costs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Self

from holdfast.store.store import Appender, ObjectInfo, ObjectReader, ObjectWriter, Store, nothing
from holdfast.values.buffers import Buffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What went through a store so far. `calls`: by method name, such as `put` or `append`."""

    written_bytes: int
    read_bytes: int
    calls: dict[str, int]


class CountedStore:
    """`store`, counted. Bytes count when the call that moved them returned."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._written_bytes = 0
        self._read_bytes = 0
        self._calls: Counter[str] = Counter()

    def counts(self) -> Counts:
        """Return a consistent copy of the counts."""
        with self._lock:
            return Counts(written_bytes=self._written_bytes, read_bytes=self._read_bytes, calls=dict(self._calls))

    def count(self, call: str, *, written_bytes: int = 0, read_bytes: int = 0) -> None:
        """Add one call (used by the writers, appenders and readers given out)."""
        with self._lock:
            self._calls[call] += 1
            self._written_bytes += written_bytes
            self._read_bytes += read_bytes

    @property
    def location(self) -> str:
        return self._store.location

    def put(self, name: str, data: Buffer) -> None:
        self._store.put(name, data)
        self.count("put", written_bytes=len(data))

    def put_new(self, name: str, data: Buffer) -> None:
        self._store.put_new(name, data)
        self.count("put_new", written_bytes=len(data))

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        octets = self._store.get(name, offset, size)
        self.count("get", read_bytes=len(octets))
        return octets

    def reader(self, name: str) -> ObjectReader:
        reader = self._store.reader(name)
        self.count("reader")
        return _CountedReader(self, reader)

    def stat(self, name: str) -> int | None:
        self.count("stat")
        return self._store.stat(name)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self.count("list")
        return self._store.list(prefix)

    def delete(self, name: str) -> None:
        self._store.delete(name)
        self.count("delete")

    def delete_tree(self, folder: str) -> None:
        self._store.delete_tree(folder)
        self.count("delete_tree")

    def writer(self, name: str) -> ObjectWriter:
        writer = self._store.writer(name)
        self.count("writer")
        return _CountedWriter(self, writer)

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        appender = self._store.appender(name, size_bytes, check)
        self.count("appender")
        return _CountedAppender(self, appender)

    def is_empty(self) -> bool:
        self.count("is_empty")
        return self._store.is_empty()

    def free_bytes(self) -> int | None:
        return self._store.free_bytes()


class _CountedWriter:
    def __init__(self, store: CountedStore, writer: ObjectWriter) -> None:
        self._store = store
        self._writer = writer

    @property
    def offset(self) -> int:
        return self._writer.offset

    def write(self, *buffers: Buffer) -> None:
        self._writer.write(*buffers)
        self._store.count("write", written_bytes=sum(map(len, buffers)))

    def commit(self) -> None:
        self._writer.commit()
        self._store.count("commit")

    def abort(self) -> None:
        self._writer.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class _CountedAppender:
    def __init__(self, store: CountedStore, appender: Appender) -> None:
        self._store = store
        self._appender = appender

    @property
    def size_bytes(self) -> int:
        return self._appender.size_bytes

    def append(self, *buffers: Buffer, behind: Iterable[Buffer] = ()) -> None:
        before = self.size_bytes
        self._appender.append(*buffers, behind=behind)
        self._store.count("append", written_bytes=self.size_bytes - before)

    def close(self) -> None:
        self._appender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _CountedReader:
    def __init__(self, store: CountedStore, reader: ObjectReader) -> None:
        self._store = store
        self._reader = reader

    @property
    def size_bytes(self) -> int:
        return self._reader.size_bytes

    def read(self, offset: int, size_bytes: int) -> bytes:
        octets = self._reader.read(offset, size_bytes)
        self._store.count("read", read_bytes=len(octets))
        return octets

    def read_into(self, offset: int, buffer: bytearray | memoryview) -> int:
        count = self._reader.read_into(offset, buffer)
        self._store.count("read", read_bytes=count)
        return count

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
