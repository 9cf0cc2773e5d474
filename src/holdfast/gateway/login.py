"""Leading a client to its tenant's engine without ever knowing a password.

The client's first packet names the tenant; only then is there an engine, and with it the scramble that a password is
proved against. So every client, whatever it sent at first, is asked once more: AuthSwitchRequest with the engine's own
scramble. Its answer goes into a login rebuilt for the engine, and the engine's verdict goes back unchanged.
COM_CHANGE_USER is the same with a command in front.

A place is taken (`gateway.places`) when the engine has accepted the proof, before the client is told so. Whoever finds none is told
1040, in the place of whatever answer would come next.
"""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address
from ssl import SSLContext
from typing import Any, TypeVar

from holdfast.errors import HoldfastError, NotFoundError
from holdfast.gateway import refusals
from holdfast.gateway.facts import EngineRefusedError, ask_invited_nodes
from holdfast.gateway.house import House
from holdfast.gateway.inbox import Inbox
from holdfast.gateway.link import AddressTakenError, EngineLink, LinkLostError, open_addressed_link, open_link
from holdfast.gateway.own_users import is_own_user
from holdfast.gateway.patience import Patience, SentAwayError
from holdfast.gateway.places import NoPlaceError, Place, TooManyAttemptsError
from holdfast.jobs.door import Route
from holdfast.mysql.flags import COMPRESSION, NEEDED_CAPABILITIES, Capability
from holdfast.mysql.framing import Packet, frame
from holdfast.mysql.login import split_login_name
from holdfast.mysql.packets import (
    ERROR_MARK,
    OK_MARK,
    Greeting,
    HandshakeResponse,
    ServerError,
    decode_error,
    decode_greeting,
    encode_auth_switch,
    encode_error,
    encode_handshake_response,
    encode_ssl_request,
    response_for_engine,
)
from holdfast.statement.own_objects import is_own_schema
from holdfast.values.host_pattern import is_always_invited, is_invited
from holdfast.values.tenant import ORACLE_ADMINISTRATOR, CompatibilityMode, Tenant

T = TypeVar("T")

# Round trips between client and engine once the client answered: any plugin known needs at most three.
_ROUNDS_MAX = 8
_ACCESS_DENIED = 1045
_KNOCKS_AT_ONCE = 64
"""Connections with one engine that wait for its greeting: it takes them in one by one, and its queue is bounded (a full one refuses)."""


class LoginEndedError(Exception):
    """The login failed and the client has been told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A login that succeeded, with the place it took."""

    tenant: Tenant
    user: str
    link: EngineLink
    response: HandshakeResponse
    place: Place


class Visitor:
    """The client's side of a login. `sequence` is that of the client's last packet, or of the one it owes us."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        inbox: Inbox,
        write: Callable[[bytes], None],
        patience: Patience,
        sequence: int,
        is_secured: bool = False,
    ) -> None:
        """`is_secured`: came by TLS."""
        self.host = host
        self.is_secured = is_secured
        self._port = port
        self.sequence = sequence
        self._inbox = inbox
        self._write = write
        self._patience = patience

    @property
    def address(self) -> tuple[str, int] | None:
        """Return where the client comes from by IPv4, None for another family: an engine listens for one."""
        try:
            found = ip_address(self.host)
        except ValueError:
            return None  # with a scope
        if isinstance(found, IPv6Address):
            if found.ipv4_mapped is None:
                return None
            found = found.ipv4_mapped
        return str(found), self._port

    def tell(self, payload: bytes) -> None:
        """Answer the client's last packet."""
        self._write(frame(self.sequence + 1, payload))

    def refuse(self, error: ServerError) -> LoginEndedError:
        """Tell the client why not; return what is to be raised then."""
        self.tell(encode_error(error))
        return LoginEndedError(error.message)

    async def next_packet(self) -> Packet:
        """Return the client's next packet. Raises LinkLostError, SentAwayError."""
        self.sequence += 2  # one of ours is between them
        packet = await self._patience.with_client(self._inbox.next_packet())
        self.sequence = packet.sequence
        return packet


async def lead_in(house: House, visitor: Visitor, response: HandshakeResponse, instead: Place | None = None) -> Entry:
    """Return the client's session with its engine. `instead`: the place that is given back for the new one.

    Raises LoginEndedError after telling the client why not, LinkLostError when the client went away.
    """
    if response.capabilities & NEEDED_CAPABILITIES != NEEDED_CAPABILITIES:
        raise visitor.refuse(refusals.CLIENT_TOO_OLD)
    if response.capabilities & COMPRESSION:
        # Some clients compress whatever the greeting offers: neither side would understand the other, and both wait for ever.
        raise visitor.refuse(refusals.COMPRESSION_NOT_OFFERED)
    # Latin-1 keeps every byte: the user's name goes to the engine as it came, whatever its charset.
    name = split_login_name(response.user.decode("latin-1"))
    if name.cluster and name.cluster.lower() != house.desk.cluster_name.lower():
        raise visitor.refuse(refusals.CLUSTER_NOT_FOUND)
    tenant_name = name.tenant or house.settings.default_tenant
    login = _Login(house, visitor, tenant_name)
    try:
        with house.attempts.under_way(tenant_name):
            route = await login.step(house.route(tenant_name))
            if is_own_user(name.user.encode("latin-1"), is_sys=route.tenant.is_sys):
                raise visitor.refuse(_nobody(response))
            house.places.require(route.tenant.tenant_id, instead)
            link = await login.step(_knock(house, route, visitor.address))
    except NotFoundError as error:
        if not name.tenant:
            # Never sys in its place: what is made there is never backed up.
            raise visitor.refuse(refusals.no_default_tenant(house.settings.default_tenant)) from error
        raise visitor.refuse(_nobody(response)) from None
    except HoldfastError as error:
        raise visitor.refuse(refusals.error_of(error)) from error
    except TooManyAttemptsError as error:
        raise visitor.refuse(refusals.TOO_MANY_LOGINS) from error
    except NoPlaceError as error:
        raise visitor.refuse(refusals.no_place(error.want, error.limits)) from error
    except (OSError, TimeoutError) as error:
        raise visitor.refuse(refusals.TENANT_NOT_REACHABLE) from error
    known_as = engine_user(route.tenant.mode, name.user)
    schema = response.database.decode("utf-8", "replace")
    if route.tenant.is_sys and is_own_schema(schema):
        link.close()
        raise visitor.refuse(refusals.own_and_read_only(f"schema {schema}"))
    try:
        place = await login.authenticate(link, response, known_as.encode("latin-1"), route, instead)
    except SentAwayError as error:
        link.close()
        raise visitor.refuse(error.error) from error
    except BaseException:
        link.close()
        raise
    user = known_as.encode("latin-1").decode("utf-8", "replace")
    return Entry(tenant=route.tenant, user=user, link=link, response=response, place=place)


def _nobody(response: HandshakeResponse) -> ServerError:
    """Return what an engine says of a wrong password, word for word: which tenants there are is nobody's to try out."""
    shown = split_login_name(response.user.decode("utf-8", "replace")).user
    return refusals.access_denied(shown, with_password=bool(response.auth))


def engine_user(mode: CompatibilityMode, user: str) -> str:
    """Return the user as the engine spells it: an Oracle tenant knows SYS in any case, the engine in one."""
    is_sys = mode is CompatibilityMode.ORACLE and user.upper() == ORACLE_ADMINISTRATOR
    return ORACLE_ADMINISTRATOR if is_sys else user


async def _knock(house: House, route: Route, address: tuple[str, int] | None) -> EngineLink:
    """Return a link with the tenant's engine whose greeting has come. Raises OSError, LinkLostError among them; EngineError.

    `address`: what the engine is to see, if it sees any.
    """
    await house.knocks.begin(route.socket, _KNOCKS_AT_ONCE)
    try:
        link = await _open(house, route, address)
        try:
            await link.first_packet()
        except BaseException:
            link.close()
            raise
        return link
    finally:
        house.knocks.end(route.socket)


async def _open(house: House, route: Route, address: tuple[str, int] | None) -> EngineLink:
    if route.addressed is None or address is None:
        return await open_link(route.socket)
    for tried in (address, (address[0], 0)):
        socket = route.addressed.take_now()
        if socket is None:
            socket = await house.on_login_thread(route.addressed.take)
        try:
            link = await open_addressed_link(socket, tried, route.addressed.port)
        except AddressTakenError:
            continue
        link.is_addressed = True
        return link
    raise OSError(errno.EADDRNOTAVAIL, "no port is left for the client's address")


def _with_hint(verdict: bytes, route: Route, link: EngineLink) -> bytes:
    """Return the engine's verdict, with a way out where it may be that its account lets nobody in, or its list of addresses."""
    if verdict[:1] != ERROR_MARK.to_bytes(1, "little"):
        return verdict
    error = decode_error(verdict)
    if link.is_addressed and error.number == refusals.NOT_INVITED.number:
        return encode_error(refusals.NOT_INVITED)
    if route.unusable is None or error.number != _ACCESS_DENIED:
        return verdict
    # A client by IPv6 takes the Unix socket, whatever others do.
    return encode_error(refusals.perhaps_unusable(error, replace(route.unusable, is_addressed=link.is_addressed)))


class _Login:
    """One login under way."""

    def __init__(self, house: House, visitor: Visitor, tenant_name: str) -> None:
        self._house = house
        self._visitor = visitor
        self._tenant_name = tenant_name

    async def step(self, ours: Coroutine[Any, Any, T]) -> T:
        """Return what the desk or the engine answers. Raises TimeoutError when it does not."""
        async with asyncio.timeout(self._house.settings.login_step_seconds_max):
            return await ours

    def _attempt(self) -> AbstractContextManager[None]:
        return self._house.attempts.under_way(self._tenant_name)

    async def authenticate(
        self, link: EngineLink, response: HandshakeResponse, user: bytes, route: Route, instead: Place | None
    ) -> Place:
        """Carry the proof from client to engine and the verdict back; return the place that was taken with it."""
        visitor = self._visitor
        try:
            return await self._carry(link, response, user, route, instead)
        except LinkLostError as error:
            if not link.is_lost:
                raise
            raise visitor.refuse(refusals.TENANT_NOT_REACHABLE) from error
        except (OSError, TimeoutError) as error:
            raise visitor.refuse(refusals.TENANT_NOT_REACHABLE) from error
        except TooManyAttemptsError as error:
            raise visitor.refuse(refusals.TOO_MANY_LOGINS) from error
        except NoPlaceError as error:
            raise visitor.refuse(refusals.no_place(error.want, error.limits)) from error

    async def _carry(
        self, link: EngineLink, response: HandshakeResponse, user: bytes, route: Route, instead: Place | None
    ) -> Place:
        visitor = self._visitor
        first = await self.step(link.next_packet())
        if first.payload[:1] == ERROR_MARK.to_bytes(1, "little"):
            # Full, or shutting down: the engine says so instead of greeting.
            visitor.tell(first.payload)
            raise LoginEndedError("the engine refused the connection")
        greeting = decode_greeting(first.payload)
        link.connection_id = greeting.connection_id
        tls = await self._tls_for(route, user, greeting)
        visitor.tell(encode_auth_switch(greeting.plugin, greeting.scramble))
        proof = await visitor.next_packet()
        rebuilt = response_for_engine(
            response,
            engine_capabilities=greeting.capabilities,
            user=user,
            auth=proof.payload[:255],
            plugin=greeting.plugin,
        )
        sequence = first.sequence + 1
        if tls is not None:
            with self._attempt():
                link.write(frame(sequence, encode_ssl_request(rebuilt)))
                await self.step(link.secure(tls))
            sequence += 1
        answer = frame(sequence, encode_handshake_response(rebuilt))
        for _ in range(_ROUNDS_MAX):
            with self._attempt():
                link.write(answer)
                verdict = await self.step(link.next_packet())
            mark = verdict.payload[:1]
            if mark == OK_MARK.to_bytes(1, "little"):
                if not link.is_addressed:  # an engine that knows the address has looked itself
                    await self._require_invited(link, user)
                place = self._house.places.take(route.tenant.tenant_id, instead)
                visitor.tell(verdict.payload)
                return place
            visitor.tell(_with_hint(verdict.payload, route, link))
            if mark in (ERROR_MARK.to_bytes(1, "little"), b""):
                raise LoginEndedError("the engine refused the login")
            proof = await visitor.next_packet()
            answer = frame(verdict.sequence + 1, proof.payload)
        raise visitor.refuse(refusals.BAD_HANDSHAKE)

    async def _tls_for(self, route: Route, user: bytes, greeting: Greeting) -> SSLContext | None:
        """Return how to speak TLS with the engine, None to speak in plain.

        Only accounts that ask for it are served so: what is on its way between two processes of one machine is ciphered twice then.
        """
        if not self._visitor.is_secured or Capability.SSL not in greeting.capabilities:
            return None
        name, desk = user.decode("utf-8", "replace"), self._house.desk
        try:
            # Not on a thread for logins: an engine that hangs would keep all of them from the others.
            return await self.step(self._house.on_desk(route.tenant, lambda: desk.tls_for(route.tenant, name)))
        except HoldfastError as error:
            raise self._visitor.refuse(refusals.error_of(error)) from error

    async def _require_invited(self, link: EngineLink, user: bytes) -> None:
        """Refuse whom the tenant's `ob_tcp_invited_nodes` does not name: the engine waves its Unix socket through.

        Asked for each login, in its own session: nobody else's has to be there, and a list counts from the moment it is set.
        """
        visitor, name = self._visitor, user.decode("latin-1")
        if is_always_invited(visitor.host, name):
            return
        try:
            with self._attempt():
                nodes = await self.step(ask_invited_nodes(link))
        except EngineRefusedError as error:
            raise visitor.refuse(error.error) from error
        if not is_invited(visitor.host, name, nodes):
            raise visitor.refuse(refusals.NOT_INVITED)
