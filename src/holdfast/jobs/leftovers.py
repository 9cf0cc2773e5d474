"""Jobs that their worker left although their rows have not ended: they are handed over again, on a server that lives on.

A worker leaves so when the catalog fails under it for longer than it has patience (the sys engine died, say), or by a defect. Its rows
then said DOING until the next start of the server, and refused every other job of the tenant. So whoever gave the job to a worker asks
here, when that has left, whether the rows have ended. What can not be answered at the moment is asked again.

One thread, which is there only while something is left over. The bound of a job's attempts is its own: each time it is handed over
counts as one.
"""

import logging
import threading
from collections.abc import Callable

from holdfast.errors import HoldfastError, NotFoundError

log = logging.getLogger("holdfast.leftovers")

_AGAIN_SECONDS = 5.0
"""An engine is back after 2 to 5 s. A defect that makes each attempt fail at once is met at most so often."""
_SOON = 4
_DOUBLED_MAX = 6
"""A defect in the handing over itself counts as no attempt, and may last: after `_SOON` looks in a row it is tried again after 10 s, 20 s,
and then up to 320 s."""


class Leftovers:
    """What is left over of one kind of job. Every method is safe from any thread."""

    def __init__(self, *, again_seconds: float = _AGAIN_SECONDS) -> None:
        self._again_seconds = again_seconds
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._left: dict[tuple[int, int], Callable[[], None]] = {}  # by tenant and job: jobs are numbered by tenant
        self._is_running = False
        self._has_defect = False
        self._defects = 0  # how many looks in a row met one; of the thread alone

    def add(self, tenant_id: int, job_id: int, again: Callable[[], None]) -> None:
        """Call `again` a moment later, until it raises nothing. NotFoundError: the tenant was dropped meanwhile."""
        with self._lock:
            if self._ended.is_set():
                return
            self._left[tenant_id, job_id] = again
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="leftovers", daemon=True).start()

    def look_after(self, tenant_id: int, job_id: int, is_active: Callable[[], bool], again: Callable[[], None]) -> None:
        """Have `again` called when the rows have not ended, now that their worker has left. Raises nothing."""
        try:
            if not is_active():
                return
        except NotFoundError:
            return
        except HoldfastError as error:
            log.warning("whether a job has ended can not be read, it is looked at again: %s", error)
        except Exception:
            log.exception("whether a job has ended can not be read, it is looked at again")
        self.add(tenant_id, job_id, again)

    def end(self) -> None:
        """Hand nothing over any more (server stop): the next server takes up what is left."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds()):
            with self._lock:
                waiting = tuple(self._left.items())
            before, self._has_defect = self._defects, False
            for key, again in waiting:
                if self._is_done(again):
                    with self._lock:
                        if self._left.get(key) is again:
                            del self._left[key]
            self._defects = before + 1 if self._has_defect else 0
            with self._lock:
                if not self._left:
                    self._is_running = False
                    return

    def _seconds(self) -> float:
        """Return how long the next look is waited for."""
        return self._again_seconds * (1 << min(max(0, self._defects - _SOON), _DOUBLED_MAX))

    def _is_done(self, again: Callable[[], None]) -> bool:
        try:
            again()
        except NotFoundError:
            return True
        except HoldfastError as error:
            log.warning("a job that was left over is handed over later: %s", error)
            return False
        except Exception:
            self._has_defect = True
            log.exception("a job that was left over is handed over later")
            return False
        return True
