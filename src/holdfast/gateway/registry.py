"""Who is connected: ids for greetings, and whom a KILL means."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from holdfast.gateway.kill import FIRST_CONNECTION_ID, LAST_CONNECTION_ID


class Connected(Protocol):
    """What the registry knows of a connection."""

    @property
    def client_id(self) -> int: ...

    @property
    def tenant_id(self) -> int: ...

    @property
    def user(self) -> str: ...

    @property
    def engine_connection_id(self) -> int: ...


C = TypeVar("C", bound=Connected)


class Registry(Generic[C]):
    """Connections that have logged in, by the id their greeting carried. Used on the loop's thread only."""

    def __init__(self) -> None:
        self._by_id: dict[int, C] = {}
        self._last_id = FIRST_CONNECTION_ID - 1

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[C]:
        return iter(list(self._by_id.values()))

    def new_id(self) -> int:
        """Return an id no connection has. Wraps far below what an engine or a signed 32-bit client would misread."""
        while True:
            self._last_id = self._last_id + 1 if self._last_id < LAST_CONNECTION_ID else FIRST_CONNECTION_ID
            if self._last_id not in self._by_id:
                return self._last_id

    def add(self, connection: C) -> None:
        self._by_id[connection.client_id] = connection

    def remove(self, client_id: int) -> None:
        self._by_id.pop(client_id, None)

    def find(self, connection_id: int, tenant_id: int) -> C | None:
        """Return the tenant's connection with this id, the gateway's or its engine's, or None."""
        found = self._by_id.get(connection_id)
        if found is not None:
            return found if found.tenant_id == tenant_id else None
        for connection in self._by_id.values():
            if connection.tenant_id == tenant_id and connection.engine_connection_id == connection_id:
                return connection
        return None
