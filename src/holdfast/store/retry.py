"""A store that tries again what failed for a reason that passes, such as a network file system that hiccups.

Only calls that may be repeated are: a writer and an appender are handed out as they are, because half of an append may
have happened; who uses them begins the object, or the append at the last durable size, again.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from holdfast.clock import Clock
from holdfast.errors import ConflictError, StoreUnavailableError
from holdfast.store.failure import is_transient
from holdfast.store.store import Appender, ObjectInfo, ObjectReader, ObjectWriter, Store, nothing
from holdfast.values.buffers import Buffer

_WAITS_SECONDS = (0.05, 0.2, 0.8)
"""Four attempts in about a second: longer outages are the caller's to wait out, who can tell the user of them."""
_T = TypeVar("_T")


class RetryStore:
    """`store`, with up to three more attempts at each call that reads, puts or deletes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def location(self) -> str:
        return self._store.location

    def put(self, name: str, data: Buffer) -> None:
        self._again(lambda: self._store.put(name, data))

    def put_new(self, name: str, data: Buffer) -> None:
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            try:
                self._store.put_new(name, data)
            except ConflictError:
                # The attempt that failed may have put the object before it failed: then these are our bytes.
                if attempts == 1 or self._store.get(name, 0, len(data) + 1) != bytes(data):
                    raise

        self._again(attempt)

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        return self._again(lambda: self._store.get(name, offset, size))

    def reader(self, name: str) -> ObjectReader:
        return self._again(lambda: self._store.reader(name))

    def stat(self, name: str) -> int | None:
        return self._again(lambda: self._store.stat(name))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """As the store's. A listing that fails half-way goes on behind the last name it gave."""
        last = ""
        waits = iter(_WAITS_SECONDS)
        while True:
            try:
                for found in self._store.list(prefix):
                    if found.name > last:
                        last = found.name
                        yield found
                return
            except StoreUnavailableError as error:
                self._wait(error, waits)

    def delete(self, name: str) -> None:
        self._again(lambda: self._store.delete(name))

    def delete_tree(self, folder: str) -> None:
        self._again(lambda: self._store.delete_tree(folder))

    def writer(self, name: str) -> ObjectWriter:
        return self._again(lambda: self._store.writer(name))

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        return self._again(lambda: self._store.appender(name, size_bytes, check))

    def is_empty(self) -> bool:
        return self._again(self._store.is_empty)

    def free_bytes(self) -> int | None:
        return self._again(self._store.free_bytes)

    def _again(self, call: Callable[[], _T]) -> _T:
        waits = iter(_WAITS_SECONDS)
        while True:
            try:
                return call()
            except StoreUnavailableError as error:
                self._wait(error, waits)

    def _wait(self, error: StoreUnavailableError, waits: Iterator[float]) -> None:
        """Wait before the next attempt, or raise `error` when there is none or it would not help."""
        seconds = next(waits, None)
        if seconds is None or not is_transient(error):
            raise error
        self._clock.sleep(seconds)
