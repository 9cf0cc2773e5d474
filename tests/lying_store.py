"""A store that lies on purpose, the same way for the same seed: what disks and networks do to people.

Each lie is told with the probability given, by a generator of its own, so a test that fails can be run again. What was
told is in `lies`, so a test can also ask for a lie and then demand that it was found out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from types import TracebackType
from typing import Self

from holdfast.store.store import Appender, ObjectInfo, ObjectReader, ObjectWriter, Store, nothing
from holdfast.values.buffers import Buffer


class Lie(StrEnum):
    """What a store may do and not say."""

    LOST_WRITE = "a put or commit that returned and did nothing"
    SHORT_READ = "a read that returned fewer bytes than there are"
    WRONG_BYTES = "a read with a flipped bit"
    STALE_READ = "a read of what the object held before it was replaced"


@dataclass(slots=True)
class LyingStore:
    """`store`, lying. `chances`: probability of each lie per call that could tell it."""

    store: Store
    seed: int
    chances: dict[Lie, float]
    lies: list[tuple[Lie, str]] = field(default_factory=list)
    _random: Random = field(init=False)
    _before: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def lies_now(self, lie: Lie, name: str) -> bool:
        """Return whether to tell this lie now, and note it."""
        if self._random.random() >= self.chances.get(lie, 0):
            return False
        self.lies.append((lie, name))
        return True

    def bent(self, name: str, offset: int, octets: bytes) -> bytes:
        """Return what a read of these bytes gives."""
        if name in self._before and self.lies_now(Lie.STALE_READ, name):
            octets = self._before[name][offset : offset + len(octets)]
        if octets and self.lies_now(Lie.SHORT_READ, name):
            octets = octets[: self._random.randrange(len(octets))]
        if octets and self.lies_now(Lie.WRONG_BYTES, name):
            position = self._random.randrange(len(octets))
            flipped = octets[position] ^ 1 << self._random.randrange(8)
            octets = octets[:position] + bytes([flipped]) + octets[position + 1 :]
        return octets

    def remember(self, name: str) -> None:
        """Keep what is about to be replaced, for a stale read."""
        if self.chances.get(Lie.STALE_READ) and self.store.stat(name) is not None:
            self._before[name] = self.store.get(name)

    @property
    def location(self) -> str:
        return self.store.location

    def put(self, name: str, data: Buffer) -> None:
        self.remember(name)
        if not self.lies_now(Lie.LOST_WRITE, name):
            self.store.put(name, data)

    def put_new(self, name: str, data: Buffer) -> None:
        if not self.lies_now(Lie.LOST_WRITE, name):
            self.store.put_new(name, data)

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        return self.bent(name, offset, self.store.get(name, offset, size))

    def reader(self, name: str) -> ObjectReader:
        return _LyingReader(self, name, self.store.reader(name))

    def stat(self, name: str) -> int | None:
        return self.store.stat(name)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self.store.list(prefix)

    def delete(self, name: str) -> None:
        self.store.delete(name)

    def delete_tree(self, folder: str) -> None:
        self.store.delete_tree(folder)

    def writer(self, name: str) -> ObjectWriter:
        return _LyingWriter(self, name, self.store.writer(name))

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        return self.store.appender(name, size_bytes, check)

    def is_empty(self) -> bool:
        return self.store.is_empty()

    def free_bytes(self) -> int | None:
        return self.store.free_bytes()


class _LyingReader:
    def __init__(self, store: LyingStore, name: str, reader: ObjectReader) -> None:
        self._store = store
        self._name = name
        self._reader = reader

    @property
    def size_bytes(self) -> int:
        return self._reader.size_bytes

    def read(self, offset: int, size_bytes: int) -> bytes:
        return self._store.bent(self._name, offset, self._reader.read(offset, size_bytes))

    def read_into(self, offset: int, buffer: bytearray | memoryview) -> int:
        octets = self.read(offset, len(buffer))
        memoryview(buffer)[: len(octets)] = octets
        return len(octets)

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _LyingWriter:
    def __init__(self, store: LyingStore, name: str, writer: ObjectWriter) -> None:
        self._store = store
        self._name = name
        self._writer = writer

    @property
    def offset(self) -> int:
        return self._writer.offset

    def write(self, *buffers: Buffer) -> None:
        self._writer.write(*buffers)

    def commit(self) -> None:
        self._store.remember(self._name)
        if self._store.lies_now(Lie.LOST_WRITE, self._name):
            self._writer.abort()
        else:
            self._writer.commit()

    def abort(self) -> None:
        self._writer.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
