"""What of Holdfast's own in the sys engine somebody has changed after all: found and put right within a minute, and said.

The gateway refuses statements that would change it (`statement.own_objects`), as far as a text shows what it does; a routine that
puts a text together and prepares it is not seen, and the engine keeps nothing from root@sys. Put right are the dictionary views of
sys and of the tenants, the users that read them, and tables of the catalog that are filled again by the server or hold history only.
Of any other table that is gone the log says what it held, and the next start what is to be done (`catalog.losses`): while workers
rest on its rows, making it anew would be making it up.
"""

import logging
import threading

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.losses import Loss
from holdfast.errors import EngineError, HoldfastError
from holdfast.jobs.takeover import Takeover
from holdfast.jobs.tenants import Tenants

log = logging.getLogger("holdfast.dictionary")

_LOOK_SECONDS = 20.0
"""A look costs a few queries for sys and three for each tenant whose views were asked for; a minute is what is promised."""


class DictionaryWatch:
    """A thread that looks again and again."""

    def __init__(self, catalog: Catalog, tenants: Tenants, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._catalog = catalog
        self._tenants = tenants
        self._look_seconds = look_seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._told: set[str] = set()

    def begin(self) -> None:
        """Begin looking."""
        self._thread = threading.Thread(target=self._run, name="dictionary", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._look_seconds):
            try:
                self.look()
            except Exception:
                log.exception("the dictionary could not be looked at")  # once a look: it is looked at again

    def look(self) -> None:
        """Look once, and put right. Raises nothing that is the engine's: it is asked again."""
        try:
            lost, changed = self._catalog.put_right()
            changed += self._tenants.put_views_right()
        except EngineError as error:
            log.debug("the dictionary can not be looked at: %s", error)  # sys is away, and everybody is told
            return
        except HoldfastError as error:
            self._tell_once(f"the catalog can not be used: {error}")
            return
        for one in lost:
            self._tell_once(_words_of(one))
        _tell_changed(changed)

    def _tell_once(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            log.error("%s", words)


def settle_losses(catalog: Catalog, takeover: Takeover, lost: tuple[Loss, ...], changed: tuple[str, ...]) -> None:
    """Say what was lost and changed when this server started, and enter what the destinations hold of it. Raises EngineError.

    What could not be entered is tried again by each start until it is.
    """
    for one in lost:
        log.error("%s", _words_of(one))
    _tell_changed(changed)
    tables = catalog.tables_to_enter()
    if tables and takeover.enter_lost(", ".join(sorted(tables))):
        catalog.note_entered()


def _tell_changed(changed: tuple[str, ...]) -> None:
    for name in changed:
        log.error("tenant sys: put right: %s was not as Holdfast made it: it is made again", name)


def _words_of(loss: Loss) -> str:
    return f"the catalog has lost {loss.words}: {loss.holding.remedy.value}"
