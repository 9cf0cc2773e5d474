"""One session held with an engine, by which the others get in whatever its tenant has set.

An engine refuses logins by two globals that are its tenant's to set: `max_connections` (1040; with 1 it lets two sessions in) and
`max_user_connections` (1226). They are judged at the login alone: a session that is open stays, and it may still set globals
(measured on 1.4.0). So one session is held with every engine, opened before clients come to it. A login of ours that is refused is made
again with both limits lifted, which are put back at once: the tenant's limit goes on holding for the tenant.

    1. lift the limits        killed here: the tenant's limit is gone; nothing of the tenant's hangs on it but its own restraint
    2. log in
    3. put the limits back

A standby lets nobody set globals. There the held session itself makes room: it is closed, waited for, and opened again when it is next
needed.
"""

import threading
import time
from collections.abc import Callable

from holdfast.engine.drift import set_global
from holdfast.engine.session import NOBODY_THERE, Session, SqlError

_REFUSALS = (1040, 1226)
_LIFTED = {"max_connections": 2**31 - 1, "max_user_connections": 0}
"""What these refusals rest on, and the values that refuse nobody. Both are lifted: behind the one that refuses stands the other."""
_READ_ONLY = 4688
_GONE_TRIES = 100
_GONE_SECONDS = 0.05
"""An engine that is busy counts a session that was closed for a while yet: a restore under load failed with 1226."""


class Keeper:
    """Holds a session. Safe from any thread; whoever works with the held session has it alone."""

    def __init__(self, log_in: Callable[[], Session]) -> None:
        self._log_in = log_in
        self._lock = threading.Lock()
        self._held: Session | None = None

    def hold(self) -> None:
        """Open the session that is held. Repeatable. Raises SqlError."""
        with self._lock:
            self._session()

    def use(self, work: Callable[[Session], None]) -> None:
        """Do `work` with the held session; one that was lost is replaced first. Raises SqlError."""
        with self._lock:
            work(self._session())

    def use_now(self, work: Callable[[Session], None], *, wait_seconds: float) -> None:
        """Do `work` with the session that is held, if it is to be had in time. Raises SqlError (2003) else; opens none."""
        if not self._lock.acquire(timeout=wait_seconds):
            raise SqlError(NOBODY_THERE, "the session that is held is at work", "question")
        try:
            if self._held is None:
                raise SqlError(NOBODY_THERE, "no session is held", "question")
            work(self._held)
        finally:
            self._lock.release()

    def let_in(self, log_in: Callable[[], Session]) -> Session:
        """Return what `log_in` does, with the limits lifted that refuse it. Raises SqlError."""
        try:
            if self._held is None:
                self.hold()
            return log_in()
        except SqlError as error:
            if error.errno not in _REFUSALS:
                raise
            with self._lock:
                return self._in_spite_of(error, log_in)

    def close(self) -> None:
        """Let the held session go. Repeatable; it is opened again when it is needed."""
        with self._lock:
            self._release()

    def _in_spite_of(self, refused: SqlError, log_in: Callable[[], Session]) -> Session:
        if self._held is None:
            raise refused  # nobody of ours is in: whoever fills the engine leaves first
        held = self._session()
        row = held.query(f"select {', '.join(f'@@global.{name}' for name in _LIFTED)} limit 1")[0]
        limits = {name: int(value) for name, value in zip(_LIFTED, row, strict=True) if int(value) != _LIFTED[name]}
        try:
            try:
                for name in limits:
                    set_global(held, name, str(_LIFTED[name]))
            except SqlError as error:
                if error.errno != _READ_ONLY:
                    raise
                self._release()
                return _when_gone(log_in)
            return log_in()
        finally:
            if self._held is not None:
                for name, limit in limits.items():
                    set_global(held, name, str(limit))

    def _session(self) -> Session:
        if self._held is None or not self._held.is_sound():
            self._release()
            self._held = self._log_in()
        return self._held

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()


def _when_gone(log_in: Callable[[], Session]) -> Session:
    """Return what `log_in` does once the engine counts the session no more that was closed for it. Raises SqlError."""
    for _ in range(_GONE_TRIES):
        try:
            return log_in()
        except SqlError as error:
            if error.errno not in _REFUSALS:
                raise
        time.sleep(_GONE_SECONDS)
    return log_in()
