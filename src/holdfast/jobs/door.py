"""What a door (the gateway) asks of the desk."""

import socket as sockets
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from holdfast.engine.unusable import Reach
from holdfast.jobs.reply import Reply
from holdfast.jobs.session import Session
from holdfast.statement.commands import Command
from holdfast.values.places import PlaceLimits
from holdfast.values.tenant import Tenant


class AddressedSockets(Protocol):
    """TCP sockets that may have any client's IPv4 address (`engine.space_sockets`). `port`: the engine's, at 127.0.0.1 for them."""

    port: int

    def take_now(self) -> sockets.socket | None:
        """Return a socket, None when there is none at once. Never blocks."""
        ...

    def take(self) -> sockets.socket:
        """Return a socket. May block; raises EngineError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a login goes: the tenant as it is now, and its engine's Unix socket.

    `addressed`: what reaches an engine that is to know its clients' addresses; None for one that knows none.
    `unusable`: how it is reached if some of its accounts let nobody in that way, as was seen lately.
    """

    tenant: Tenant
    socket: Path
    addressed: AddressedSockets | None = None
    unusable: Reach | None = None


@dataclass(frozen=True, slots=True)
class ViewsLogin:
    """How the gateway reaches a user tenant's dictionary views in the sys engine: a user that reads `schema` only."""

    socket: Path
    user: str
    password: str
    schema: str

    def __repr__(self) -> str:
        return f"ViewsLogin(schema={self.schema!r})"


class Desk(Protocol):
    """Every method may block (they run on worker threads), raises HoldfastError, and is safe to call at once."""

    cluster_name: str

    def route(self, tenant_name: str) -> Route:
        """Return where to log in. Raises NotFoundError (unknown tenant) or RefusedError (not ready)."""
        ...

    def tls_for(self, tenant: Tenant, user: str) -> ssl.SSLContext | None:
        """Return how to speak TLS with the tenant's engine for a client that came by TLS, None if that account may be served in plain."""
        ...

    def views_login(self, tenant: Tenant) -> ViewsLogin:
        """Return the login of a user tenant's own view schema."""
        ...

    def schemas_among(self, names: frozenset[str]) -> frozenset[str]:
        """Return the schemas of the sys engine that these names may mean there: what a text for the views may not name."""
        ...

    def before_view(self, tenant: Tenant, view_name: str) -> None:
        """Bring the rows of a view that mirrors something outside the catalog up to date (parameters)."""
        ...

    def execute(self, session: Session, command: Command) -> Reply:
        """Carry out one statement of Holdfast's."""
        ...

    def place_limits(self) -> PlaceLimits:
        """Return how many connections there may be now, and for whom they are kept (never blocks)."""
        ...

    def is_shut_out(self, tenant_id: int) -> bool:
        """Return whether no session of ours gets into a tenant's engine because its account is gone (never blocks)."""
        ...

    def way_in(self, tenant_id: int) -> tuple[str, ...]:
        """Return the statements that make the account again, for a session that may; they hold no password."""
        ...

    def look_at(self, tenant_id: int) -> None:
        """Look at once whether what a tenant may have changed is right, and put it right."""
        ...

    def writes_stalled(self, tenant_id: int) -> bool:
        """Return whether writes must wait because a Mandatory archive lost its place (never blocks)."""
        ...
