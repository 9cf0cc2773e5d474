"""TCP sockets that were made in one engine's space, in stock: whoever leads a client in binds its address to one of them.

A socket stays in the namespace it was made in, wherever it is used. How they are made:

    by a thread      of its own, which enters the network namespace and ends there; needs CAP_SYS_ADMIN: 0.3 ms for 32
    by a process     that joins the user namespace first, which its owner may; 50 to 130 ms on a busy machine, so more at once

Nothing else lives in a space but its engine. What is in stock dies with the server, and is of no use once the engine has ended: the
stock belongs to one process and is closed with it.
"""

import errno
import logging
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path

from holdfast.defects import guarded
from holdfast.engine import space_maker
from holdfast.engine.liveness import ProcessHandle
from holdfast.engine.space import PORT
from holdfast.errors import EngineError

_LOG = logging.getLogger(__name__)

_WORK = "the making of sockets"
_BY_THREAD = 32
_BY_PROCESS = 64
"""Descriptors of the server for each tenant that somebody logs in to, so few where more cost nothing."""
_MAKER_WAIT_SECONDS = 10.0
_THREAD_WAIT_SECONDS = 10.0


class SpaceSockets:
    """The stock of one living engine. Safe from any thread.

    `port`: where the engine listens, seen from its sockets (at 127.0.0.1).
    """

    port = PORT

    def __init__(self, handle: ProcessHandle) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._stock: deque[socket.socket] = deque()
        self._is_closed = False
        self._is_refilling = False
        self._may_enter = True  # by a thread; until it was refused
        self._batch = _BY_THREAD

    def take_now(self) -> socket.socket | None:
        """Return a socket, unbound, blocking; None when there is none in stock. Never waits; more are made when few are left."""
        with self._lock:
            found = self._stock.popleft() if self._stock else None
            if len(self._stock) < self._batch // 4 and found is not None and not self._is_refilling:
                self._is_refilling = True
                threading.Thread(target=guarded(_LOG, _WORK, self._refill), name="engine-sockets", daemon=True).start()
        return found

    def take(self) -> socket.socket:
        """Return a socket as `take_now`; waits for some to be made when none is in stock. Raises EngineError."""
        with self._making:
            found = self.take_now()
            if found is not None:
                return found
            try:
                made = self._make()
            except (OSError, ValueError, subprocess.TimeoutExpired) as error:
                raise EngineError(f"no socket can be made in the engine's network namespace: {error}") from error
            first = made.popleft()
            self._keep(made)
            return first

    def close(self) -> None:
        """Close what is in stock; nothing is made any more. Repeatable."""
        with self._lock:
            self._is_closed = True
        self._keep(deque())

    def _refill(self) -> None:
        try:
            with self._making:
                made = self._make()
            self._keep(made)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return  # the engine has ended, or `take` will say why
        finally:
            with self._lock:
                self._is_refilling = False

    def _keep(self, made: deque[socket.socket]) -> None:
        with self._lock:
            self._stock.extend(made)
            if not self._is_closed:
                return
            dropped, self._stock = self._stock, deque()
        for each in dropped:
            each.close()

    def _make(self) -> deque[socket.socket]:
        """Return new sockets, at least one. Raises OSError."""
        folder = Path(f"/proc/{self._handle.identity.pid}/ns")
        with ExitStack() as stack:
            net = os.open(folder / "net", os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, net)
            user = os.open(folder / "user", os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, user)
            if not self._handle.is_alive():
                raise OSError(errno.ESRCH, "the engine has ended")  # the number may be another's by now
            if os.fstat(net).st_ino == os.stat("/proc/self/ns/net").st_ino:
                raise OSError(errno.ENXIO, "the engine is in no namespace of its own")
            if self._may_enter:
                try:
                    return deque(_made_by_thread(net))
                except PermissionError:
                    self._may_enter, self._batch = False, _BY_PROCESS
            return deque(_made_by_process(user, net))


def _made_by_thread(net: int) -> list[socket.socket]:
    made: list[socket.socket] = []
    failures: list[OSError] = []

    def make() -> None:
        try:
            space_maker.enter(net, space_maker.CLONE_NEWNET)
            made.extend(space_maker.make_sockets(_BY_THREAD))
        except OSError as error:
            failures.append(error)

    # The thread ends in there: to come back could fail, and nobody else is then in the wrong place.
    thread = threading.Thread(target=guarded(_LOG, _WORK, make), name="engine-sockets-inside", daemon=True)
    thread.start()
    thread.join(_THREAD_WAIT_SECONDS)
    if failures:
        raise failures[0]
    if not made:
        raise OSError(errno.ETIMEDOUT, "the thread that makes them does not answer")
    return made


def _made_by_process(user: int, net: int) -> list[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [str(number) for number in (user, net, theirs.fileno(), _BY_PROCESS)]
        ran = subprocess.run(
            [sys.executable, "-I", "-S", space_maker.__file__, *words],
            pass_fds=(user, net, theirs.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_MAKER_WAIT_SECONDS,
            check=False,
        )
        if ran.returncode != 0:
            last = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise OSError(errno.EPERM, last or f"the process that makes them ended with {ran.returncode}")
        ours.settimeout(_MAKER_WAIT_SECONDS)
        _, descriptors, _, _ = socket.recv_fds(ours, 1, _BY_PROCESS)
    if not descriptors:
        raise OSError(errno.EPROTO, "the process that makes them passed none")
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)  # Python's recv_fds takes flags and forgets them
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]
