"""Why a running job may have to end, told from other threads, and the gate that lets a cancel be prompt.

A worker looks at its stops between two steps, and most steps take milliseconds. Some do not: a destination that hangs, an
engine that does not answer, the sync of a large object. A cancel must not wait for those (the bound is two seconds), so a
worker that does not leave in time is abandoned: its rows end without it, and it finds that out at its next look.

The gate keeps that safe. A set is complete once its manifest is put, so a worker passes the gate just before; then it can
no longer be abandoned. One that was abandoned never passes.

    open -> committing      the manifest may be durable from here on: whoever cancels waits for the worker's own end
    open -> abandoned       no manifest will ever be put
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast import codes
from holdfast.errors import CanceledError, HoldfastError, refuse


class ServerStoppingError(HoldfastError):
    """The server is ending: the job stays as it is, the next server takes it up."""


class Stops:
    """One running job's reasons to end. Every method is safe from any thread."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._is_server_stopping = False
        self._is_tenant_dropped = False
        self._is_cancelled = False
        self._is_committing = False
        self._is_abandoned = False
        self._is_over = False

    def stop_server(self) -> None:
        with self._news:
            self._is_server_stopping = True
            self._news.notify_all()

    def drop_tenant(self) -> None:
        with self._news:
            self._is_tenant_dropped = True
            self._news.notify_all()

    def cancel(self) -> None:
        with self._news:
            self._is_cancelled = True
            self._news.notify_all()

    def end(self) -> None:
        """Say that the worker has left: it touches nothing any more."""
        with self._news:
            self._is_over = True
            self._news.notify_all()

    @property
    def is_server_stopping(self) -> bool:
        return self._is_server_stopping

    @property
    def is_over(self) -> bool:
        return self._is_over

    def check(self) -> None:
        """Return when the work may go on. Raises ServerStoppingError, RefusedError of a dropped tenant, CanceledError."""
        if self._is_abandoned:
            raise CanceledError
        if self._is_server_stopping:
            raise ServerStoppingError("the server is stopping")
        if self._is_tenant_dropped:
            raise refuse(codes.OB_TENANT_HAS_BEEN_DROPPED)
        if self._is_cancelled:
            raise CanceledError

    def rest(self, seconds: float) -> None:
        """Wait `seconds`, or until there is a reason to end. Raises as `check`."""
        with self._news:
            self._news.wait_for(self._has_reason, seconds)
        self.check()

    def close_gate(self) -> None:
        """Go through the gate: a manifest may be durable from now on. Raises as `check`, and is then still outside."""
        with self._news:
            self.check()
            self._is_committing = True

    @contextmanager
    def gate_closed(self) -> Iterator[None]:
        """Keep the gate closed while a set that an earlier attempt made visible gets its rows. Raises CanceledError when
        the worker was abandoned before: its rows have ended."""
        with self._news:
            if self._is_abandoned:
                raise CanceledError
            self._is_committing = True
        try:
            yield
        finally:
            with self._news:
                self._is_committing = False
                self._news.notify_all()

    def wait_over(self, seconds: float | None = None) -> bool:
        """Return whether the worker has left, waiting for it as long as given."""
        with self._news:
            return self._news.wait_for(lambda: self._is_over, seconds)

    def wait_reason_or_over(self) -> None:
        """Return when the worker has left, the user has cancelled or the server ends."""
        with self._news:
            self._news.wait_for(lambda: self._is_over or self._is_cancelled or self._is_server_stopping)

    def abandon(self) -> bool:
        """Return True when the worker has not left and can not make its set visible any more, False when it has left.

        Waits while it is inside the gate.
        """
        with self._news:
            self._news.wait_for(lambda: self._is_over or not self._is_committing)
            if self._is_over:
                return False
            self._is_abandoned = True
            self._news.notify_all()
            return True

    def _has_reason(self) -> bool:
        return self._is_server_stopping or self._is_tenant_dropped or self._is_cancelled or self._is_abandoned
