"""Reading objects that are small by their nature."""

from holdfast.errors import CorruptionError
from holdfast.store.store import Store

FORMAT_BYTES_MAX = 1 << 16
RECORD_BYTES_MAX = 16 << 20
"""A piece has a line of 100 bytes for each 64 MiB of log."""
MANIFEST_BYTES_MAX = 64 << 20
"""A manifest has a line of some 200 bytes for each data object of 64 to 256 MiB."""


def get_small(store: Store, name: str, size_bytes_max: int) -> bytes:
    """Return the whole object.

    Raises CorruptionError when it is larger than any such object: somebody else's file in its place must not fill our memory.
    NotFoundError, StoreUnavailableError as `get`.
    """
    data = store.get(name, 0, size_bytes_max + 1)
    if len(data) > size_bytes_max:
        raise CorruptionError(
            f"{store.location}/{name} is larger than the {size_bytes_max} bytes that such an object may have"
        )
    return data
