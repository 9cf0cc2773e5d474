"""Destinations by their URI."""

from contextlib import suppress

from holdfast import codes
from holdfast.clock import SystemClock
from holdfast.errors import StoreUnavailableError, refuse
from holdfast.store.file import FileStore
from holdfast.store.retry import RetryStore
from holdfast.store.store import Store
from holdfast.values.destination import Uri


def open_store(uri: Uri, *, create: bool = False) -> Store:
    """Return the destination, swept of what dead writers left, retrying what passes. `create`: make it when absent.

    Raises NotFoundError (-9120) when it is absent and not to be made, StoreUnavailableError when it can not be used,
    RefusedError (1235) for a scheme that is not there yet.
    """
    if uri.scheme != "file":
        raise refuse(codes.OB_NOT_SUPPORTED, f"destination scheme {uri.scheme}:// is", hint="use file:///absolute/path")
    store = FileStore(uri.path, create=create)
    with suppress(StoreUnavailableError):  # a restore may read a destination it must not write
        store.sweep()
    return RetryStore(store, SystemClock())
