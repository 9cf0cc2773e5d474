"""`holdfast` in which calls fail: `python tests/flaky_server.py FILE serve ...`.

While FILE is there its first word names what fails: `catalog`, `store`, `engine`, or `defect`: calls of all three raise what
nothing expects, with words that nobody may see. Of those calls of each kind of worker the 1st fails, the 3rd, 6th, 10th, ...,
counted anew when FILE changes: near each other at first, so that a job's own second try fails too, and further apart later, so
that each job gets some way; a `defect` comes a third as often. Half of the catalog's failures come after the commit: done, and not
known to be done.

Only calls of a job fail. The threads that answer clients go on, so that a test can see what is told.

Jobs pause for a tenth of the time before they try again. What is tried, and how often, is as ever.
"""

import functools
import itertools
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.__main__ import main
from holdfast.catalog.connections import Connections
from holdfast.engine.session import Session, SqlError
from holdfast.errors import EngineError, StoreUnavailableError
from holdfast.jobs import (
    auxiliary,
    backup_worker,
    cleanup_worker,
    restore_worker,
    table_recovery_worker,
    validation_worker,
)
from holdfast.jobs.leftovers import Leftovers
from holdfast.store.file import FileStore

WORKERS = ("backup", "validat", "drill", "restore", "recover", "cleanup", "copy", "leftovers", "Thread", "import")
"""How the names of threads begin that carry jobs out."""
VALUE = "the secret of row 7"
"""What a defect says: an error of a decoder quotes what it could not decode."""
PAUSES = (
    (auxiliary, "_DROP_PAUSE_SECONDS"),
    (backup_worker, "_RETRY_SECONDS"),
    (cleanup_worker, "_RETRY_SECONDS"),
    (restore_worker, "_CATALOG_PAUSE_SECONDS"),
    (restore_worker, "_GIVE_UP_PAUSE_SECONDS"),
    (table_recovery_worker, "_TROUBLE_SECONDS"),
    (validation_worker, "_RETRY_SECONDS"),
)
STORE_CALLS = ("put", "put_new", "get", "reader", "stat", "delete", "delete_tree", "writer", "appender")


@dataclass(slots=True)
class _Count:
    calls: int = 0
    step: int = 1
    next: int = 1


class Faults:
    """Counts the calls of each kind of worker, from when FILE became what it is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._text = ""
        self._workers: dict[str, _Count] = {}

    def hits(self, *kinds: str) -> str:
        """Return the kind of fault that this call meets, "" for none."""
        worker = re.sub(r"[-_ ]?[0-9].*$", "", threading.current_thread().name)
        if not worker.startswith(WORKERS):
            return ""
        try:
            text = self._file.read_text()
        except OSError:
            text = ""
        with self._lock:
            if text != self._text:
                self._text, self._workers = text, {}
            what = text.partition(" ")[0]
            if what not in kinds:
                return ""
            count = self._workers.setdefault(worker, _Count())
            count.calls += 1
            if count.calls < count.next:
                return ""
            count.step += 3 if what == "defect" else 1  # what nothing expects is waited out longer
            count.next += count.step
            print(f"fault: {what}, call {count.calls} of {worker}", file=sys.stderr, flush=True)
            return what


def make_flaky(file: Path) -> None:
    faults = Faults(file)
    transaction, run = Connections.transaction, Session._run
    turns = itertools.count()

    @contextmanager
    def flaky_transaction(self: Connections) -> Iterator[Any]:
        hit = faults.hits("catalog", "defect")
        if hit == "defect":
            raise RuntimeError(VALUE)
        is_hit = bool(hit)
        is_early = is_hit and next(turns) % 2 == 0
        if is_early:
            raise EngineError("the sys tenant's engine can not be reached: a test")
        with transaction(self) as found:
            yield found
        if is_hit:
            raise EngineError("the catalog did not confirm a commit: a test")

    def flaky_run(self: Session, sql: str, *args: Any, **options: Any) -> Any:
        hit = faults.hits("engine", "defect")
        if hit == "defect":
            raise RuntimeError(VALUE)
        if hit:
            raise SqlError(2013, "Lost connection: a test", sql)
        return run(self, sql, *args, **options)

    def flaky(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def flaky_call(self: FileStore, *args: Any, **options: Any) -> Any:
            hit = faults.hits("store", "defect")
            if hit == "store":
                raise StoreUnavailableError(f"{self.location}: Input/output error: a test")
            if hit:
                raise RuntimeError(VALUE)
            return call(self, *args, **options)

        return flaky_call

    Connections.transaction = flaky_transaction  # type: ignore[method-assign]
    Session._run = flaky_run  # type: ignore[method-assign]
    for name in STORE_CALLS:
        setattr(FileStore, name, flaky(getattr(FileStore, name)))


def hurry() -> None:
    """Have jobs wait a tenth as long between two tries: most of the time of these scenes was theirs."""
    for module, name in PAUSES:
        setattr(module, name, getattr(module, name) / 10)
    Leftovers.__init__.__kwdefaults__["again_seconds"] /= 10


if __name__ == "__main__":
    hurry()
    make_flaky(Path(sys.argv.pop(1)))
    main()
