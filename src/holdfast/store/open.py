"""Destinations by their URI."""

from contextlib import suppress

from holdfast import codes
from holdfast.clock import SystemClock
from holdfast.errors import NotFoundError, StoreUnavailableError, refuse
from holdfast.store.failure import unavailable
from holdfast.store.file import FileStore
from holdfast.store.folder import RootJudge, make_folder_at
from holdfast.store.retry import RetryStore
from holdfast.store.store import Store
from holdfast.values.destination import Uri


def open_store(uri: Uri, *, create: bool = False, judge: RootJudge | None = None) -> Store:
    """Return the destination, swept of what dead writers left, retrying what passes. `create`: make it when absent.

    `judge`: asked at each operation where the path leads, before anything there is read or changed; a directory to be made is
    then made where the path led when it was resolved, and nowhere else.

    Raises NotFoundError (-9120) when it is absent and not to be made, StoreUnavailableError when it can not be used,
    RefusedError (1235) for a scheme that is not there yet.
    """
    if uri.scheme != "file":
        raise refuse(codes.OB_NOT_SUPPORTED, f"destination scheme {uri.scheme}:// is", hint="use file:///absolute/path")
    if create and judge is not None:
        with suppress(NotFoundError):
            FileStore(uri.path, judge=judge)  # where it leads is said first
        try:
            make_folder_at(uri.resolved)
        except OSError as error:
            raise unavailable(error, "make", uri.path) from error
        create = False
    store = FileStore(uri.path, create=create, judge=judge)
    with suppress(StoreUnavailableError):  # a restore may read a destination it must not write
        store.sweep()
    return RetryStore(store, SystemClock())
