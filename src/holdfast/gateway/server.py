"""Listening: accepts clients, bounds how many, and takes the whole door up and down."""

from holdfast.gateway.settings import GatewaySettings
from holdfast.jobs.door import Desk


class Gateway:
    """The open door on an asyncio loop. One per process."""

    def __init__(self, desk: Desk, settings: GatewaySettings) -> None: ...

    async def start(self) -> int:
        """Listen and return the bound port. Raises RefusedError when the address cannot be bound or TLS files are bad."""
        ...

    async def stop(self, *, drain_seconds: float = 5.0) -> None:
        """Accept no more, close idle connections, let busy ones end for `drain_seconds`, then close them too."""
        ...


class GatewayThread:
    """A gateway on a uvloop of its own thread, for callers that block (the daemon)."""

    def __init__(self, desk: Desk, settings: GatewaySettings) -> None: ...

    def start(self) -> int:
        """Return the bound port once logins are accepted; raises what Gateway.start raises."""
        ...

    def stop(self, *, drain_seconds: float = 5.0) -> None:
        """As Gateway.stop, then the thread ends. Repeatable."""
        ...
