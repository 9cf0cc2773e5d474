"""The ports that standbys at rest ask for log: held, so that no other process gets them, and answered by nobody.

A standby is started with the port it will be given its log on, long before it follows: an engine asks from its start on or never (see
`engine.log_service`), and a start costs its readers seconds. Until it follows, a refusal by the kernel is the cheapest answer: 0.01 s
of the engine's time each second, none of ours (a service that answers "nothing" costs 0.1 s each second; both measured).
"""

import logging
import socket
import threading

from holdfast.engine.log_service import LOOPBACK

log = logging.getLogger("holdfast.standby")


class LogPorts:
    """Sockets that are bound and do not listen, one a tenant. Every method is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, socket.socket] = {}

    def take(self, tenant_id: int) -> int:
        """Hold a free port for the tenant in place of the one it may have; return it, 0 if there is none to be had."""
        return self._hold(tenant_id, 0)

    def hold(self, tenant_id: int, port: int) -> None:
        """Hold this port for the tenant. One that is taken is let be: `LogService` finds that, and the engine gets another."""
        if not self._hold(tenant_id, port):
            log.warning("tenant %d: port %d, which its engine asks for log, is not free", tenant_id, port)

    def let_go(self, tenant_id: int) -> None:
        """Hold nothing for the tenant. Repeatable."""
        with self._lock:
            held = self._held.pop(tenant_id, None)
        if held is not None:
            held.close()

    def let_all_go(self) -> None:
        for tenant_id in list(self._held):
            self.let_go(tenant_id)

    def _hold(self, tenant_id: int, port: int) -> int:
        self.let_go(tenant_id)
        # First so that nobody else can bind it. Where connections of a service of ours have ended a moment ago that is refused; then
        # so that it is not given to who wants any port.
        for is_reused in (False, True):
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(is_reused))
                held.bind((LOOPBACK, port))
            except OSError:
                held.close()
                continue
            with self._lock:
                self._held[tenant_id] = held
            return int(held.getsockname()[1])
        return 0
