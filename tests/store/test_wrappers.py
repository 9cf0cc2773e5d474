"""Stores around stores: counting is true, retrying is bounded and never doubles, lying is found out."""

import errno
import os
from collections.abc import Iterator

import pytest

from holdfast import codes
from holdfast.errors import ConflictError, NotFoundError, StoreUnavailableError
from holdfast.store.counted import CountedStore
from holdfast.store.failure import unavailable
from holdfast.store.memory import MemoryStore
from holdfast.store.retry import RetryStore
from holdfast.store.store import ObjectInfo
from holdfast.values.buffers import Buffer
from lying_store import Lie, LyingStore


class StillClock:
    """A clock that only notes how long it was asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_ns(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class FailingStore(MemoryStore):
    """Fails as often as told, with an error of the OS, before or after the call was done."""

    def __init__(self, failures: int, number: int = errno.ESTALE, *, after: bool = False) -> None:
        super().__init__()
        self.failures = failures
        self._number = number
        self._after = after
        self.calls = 0

    def fail(self) -> None:
        if self.failures:
            self.failures -= 1
            cause = OSError(self._number, os.strerror(self._number))
            raise unavailable(cause, "use", "memory://x") from cause

    def put(self, name: str, data: Buffer) -> None:
        self.calls += 1
        if not self._after:
            self.fail()
        super().put(name, data)
        self.fail()

    def put_new(self, name: str, data: Buffer) -> None:
        self.calls += 1
        if not self._after:
            self.fail()
        super().put_new(name, data)
        self.fail()

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        self.calls += 1
        octets = super().get(name, offset, size)
        self.fail()
        return octets

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for ordinal, found in enumerate(super().list(prefix)):
            if ordinal == 2:
                self.fail()
            yield found


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT])
def test_what_passes_is_tried_again(number: int) -> None:
    store, clock = FailingStore(3, number), StillClock()
    RetryStore(store, clock).put("a", b"1")
    assert store.get("a") == b"1"
    assert len(clock.slept) == 3
    assert sum(clock.slept) < 2


def test_attempts_are_bounded() -> None:
    store, clock = FailingStore(99), StillClock()
    with pytest.raises(StoreUnavailableError):
        RetryStore(store, clock).put("a", b"1")
    assert store.calls == 4


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_does_not_pass_is_told_at_once(number: int) -> None:
    store, clock = FailingStore(1, number), StillClock()
    with pytest.raises(StoreUnavailableError):
        RetryStore(store, clock).put("a", b"1")
    assert (store.calls, clock.slept) == (1, [])


def test_answers_are_not_tried_again() -> None:
    store = FailingStore(0)
    with pytest.raises(NotFoundError):
        RetryStore(store, StillClock()).get("absent")
    assert store.calls == 1


def test_put_new_that_failed_after_it_was_done_is_a_success() -> None:
    store = FailingStore(1, after=True)
    RetryStore(store, StillClock()).put_new("a", b"1")
    assert store.get("a") == b"1"


def test_put_new_over_another_writers_object_is_a_conflict_however_often_it_failed() -> None:
    store = FailingStore(0)
    store.put("a", b"theirs")
    store.failures = 1
    with pytest.raises(ConflictError):
        RetryStore(store, StillClock()).put_new("a", b"mine")
    store.failures = 0
    assert store.get("a") == b"theirs"
    with pytest.raises(ConflictError):
        RetryStore(store, StillClock()).put_new("a", b"theirs")


def test_listing_that_fails_half_way_goes_on_without_gap_or_double() -> None:
    store = FailingStore(0)
    for name in "abcde":
        store.put(name, b"")
    store.failures = 2
    assert [found.name for found in RetryStore(store, StillClock()).list()] == list("abcde")


def test_counts_are_of_what_went_through() -> None:
    store = CountedStore(MemoryStore())
    store.put("a", b"12345")
    store.put_new("b", b"123")
    with pytest.raises(ConflictError):
        store.put_new("b", b"4567")
    with store.writer("c") as writer:
        writer.write(b"12", b"3")
        writer.commit()
    with store.appender("d", 0) as appender:
        appender.append(b"1234")
    store.get("a", 1, 2)
    with store.reader("a") as reader:
        reader.read(0, 99)
        reader.read_into(4, bytearray(9))
    counts = store.counts()
    assert counts.written_bytes == 5 + 3 + 3 + 4
    assert counts.read_bytes == 2 + 5 + 1
    assert counts.calls["append"] == counts.calls["commit"] == counts.calls["put_new"] == 1
    store.get("a")
    assert counts.read_bytes == 8, "counts once given do not change"


def test_liar_tells_each_lie_and_the_same_ones_for_the_same_seed() -> None:
    def told(seed: int) -> tuple[list[tuple[Lie, str]], list[bytes | None]]:
        store = LyingStore(store=MemoryStore(), seed=seed, chances=dict.fromkeys(Lie, 0.3))
        seen: list[bytes | None] = []
        for turn in range(60):
            store.put("a", b"%03d" % turn * 10)
            seen.append(store.get("a") if store.stat("a") is not None else None)
        return store.lies, seen

    assert told(1) == told(1)
    assert told(1) != told(2)
    assert {lie for lie, _ in told(1)[0]} == set(Lie)


def test_liar_without_chances_is_honest() -> None:
    store = LyingStore(store=MemoryStore(), seed=1, chances={})
    store.put("a", b"1")
    assert store.get("a") == b"1"
    assert store.lies == []


def test_codes_of_wrapped_errors_stay() -> None:
    with pytest.raises(NotFoundError) as error:
        CountedStore(RetryStore(MemoryStore(), StillClock())).get("absent")
    assert error.value.code == codes.OB_OBJECT_NOT_EXIST
