"""Small objects are read whole, and nothing else is."""

import pytest

from holdfast.errors import CorruptionError
from holdfast.store.memory import MemoryStore
from holdfast.store.small import get_small


def test_an_object_up_to_its_bound_is_read_and_no_larger_one() -> None:
    store = MemoryStore()
    store.put("a", b"12345")
    assert get_small(store, "a", 5) == b"12345"
    with pytest.raises(CorruptionError, match="larger than the 4 bytes"):
        get_small(store, "a", 4)
