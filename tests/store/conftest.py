from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.clock import SystemClock
from holdfast.store.counted import CountedStore
from holdfast.store.file import FileStore
from holdfast.store.memory import MemoryStore
from holdfast.store.retry import RetryStore
from holdfast.store.store import Store
from lying_store import LyingStore

STORES: dict[str, Callable[[Path], Store]] = {
    "file": lambda path: FileStore(str(path), create=True),
    "memory": lambda path: MemoryStore(),
    "counted file": lambda path: CountedStore(FileStore(str(path), create=True)),
    "retried file": lambda path: RetryStore(FileStore(str(path), create=True), SystemClock()),
    "honest liar": lambda path: LyingStore(store=MemoryStore(), seed=1, chances={}),
}


@pytest.fixture(params=STORES.values(), ids=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Every store and wrapper there is, empty."""
    make: Callable[[Path], Store] = request.param
    return make(tmp_path / "destination")
