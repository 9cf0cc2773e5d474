"""Leading a client to its tenant's engine without ever knowing a password.

The client's first packet names the tenant; only then is there an engine, and with it the scramble that a password is
proved against. So every client, whatever it sent at first, is asked once more: AuthSwitchRequest with the engine's own
scramble. Its answer goes into a login rebuilt for the engine, and the engine's verdict goes back unchanged.
COM_CHANGE_USER is the same with a command in front.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.errors import HoldfastError, NotFoundError
from holdfast.gateway import refusals
from holdfast.gateway.house import House
from holdfast.gateway.inbox import Inbox
from holdfast.gateway.link import EngineLink, LinkLostError, open_link
from holdfast.mysql.flags import NEEDED_CAPABILITIES
from holdfast.mysql.framing import frame
from holdfast.mysql.login import split_login_name
from holdfast.mysql.packets import (
    ERROR_MARK,
    OK_MARK,
    HandshakeResponse,
    ServerError,
    decode_greeting,
    encode_auth_switch,
    encode_error,
    encode_handshake_response,
    response_for_engine,
)
from holdfast.values.tenant import ORACLE_ADMINISTRATOR, CompatibilityMode, Tenant

# Round trips between client and engine once the client answered: any plugin known needs at most three.
_ROUNDS_MAX = 8


class LoginEndedError(Exception):
    """The login failed and the client has been told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A login that succeeded. `sequence` is that of the packet that told the client; `ok` its payload."""

    tenant: Tenant
    user: str
    link: EngineLink
    response: HandshakeResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The client's side of a login."""

    host: str
    inbox: Inbox
    write: Callable[[bytes], None]


async def lead_in(house: House, visitor: Visitor, response: HandshakeResponse, sequence: int) -> Entry:
    """Return the client's session with its engine. `sequence` is that of the client's last packet.

    Raises LoginEndedError after telling the client why not, LinkLostError when the client went away.
    """

    def refuse(error: ServerError) -> LoginEndedError:
        visitor.write(frame(sequence + 1, encode_error(error)))
        return LoginEndedError(error.message)

    if response.capabilities & NEEDED_CAPABILITIES != NEEDED_CAPABILITIES:
        raise refuse(refusals.CLIENT_TOO_OLD)
    # Latin-1 keeps every byte: the user's name goes to the engine as it came, whatever its charset.
    name = split_login_name(response.user.decode("latin-1"))
    if name.cluster and name.cluster.lower() != house.desk.cluster_name.lower():
        raise refuse(refusals.CLUSTER_NOT_FOUND)
    try:
        route = await house.route(name.tenant)
    except NotFoundError:
        shown = response.user.decode("utf-8", "replace")
        raise refuse(refusals.access_denied(shown, visitor.host, with_password=bool(response.auth))) from None
    except HoldfastError as error:
        raise refuse(refusals.error_of(error)) from error
    try:
        link = await open_link(route.socket)
    except OSError as error:
        raise refuse(refusals.TENANT_NOT_REACHABLE) from error
    try:
        known_as = engine_user(route.tenant.mode, name.user)
        await _authenticate(visitor, link, response, known_as.encode("latin-1"), sequence)
    except BaseException:
        link.close()
        raise
    user = known_as.encode("latin-1").decode("utf-8", "replace")
    return Entry(tenant=route.tenant, user=user, link=link, response=response)


def engine_user(mode: CompatibilityMode, user: str) -> str:
    """Return the user as the engine spells it: an Oracle tenant knows SYS in any case, the engine in one."""
    is_sys = mode is CompatibilityMode.ORACLE and user.upper() == ORACLE_ADMINISTRATOR
    return ORACLE_ADMINISTRATOR if is_sys else user


async def _authenticate(
    visitor: Visitor, link: EngineLink, response: HandshakeResponse, user: bytes, sequence: int
) -> None:
    """Carry the proof from client to engine and the verdict back."""
    try:
        first = await link.next_packet()
        if first.payload[:1] == ERROR_MARK.to_bytes(1, "little"):
            # Full, or shutting down: the engine says so instead of greeting.
            visitor.write(frame(sequence + 1, first.payload))
            raise LoginEndedError("the engine refused the connection")
        greeting = decode_greeting(first.payload)
        link.connection_id = greeting.connection_id
        visitor.write(frame(sequence + 1, encode_auth_switch(greeting.plugin, greeting.scramble)))
        proof = await visitor.inbox.next_packet()
        rebuilt = response_for_engine(
            response,
            engine_capabilities=greeting.capabilities,
            user=user,
            auth=proof.payload[:255],
            plugin=greeting.plugin,
        )
        link.write(frame(first.sequence + 1, encode_handshake_response(rebuilt)))
        for _ in range(_ROUNDS_MAX):
            verdict = await link.next_packet()
            visitor.write(frame(proof.sequence + 1, verdict.payload))
            mark = verdict.payload[:1]
            if mark == OK_MARK.to_bytes(1, "little"):
                return
            if mark in (ERROR_MARK.to_bytes(1, "little"), b""):
                raise LoginEndedError("the engine refused the login")
            proof = await visitor.inbox.next_packet()
            link.write(frame(verdict.sequence + 1, proof.payload))
    except LinkLostError as error:
        if not link.is_lost:
            raise
        visitor.write(frame(sequence + 1, encode_error(refusals.TENANT_NOT_REACHABLE)))
        raise LoginEndedError("the engine went away") from error
    visitor.write(frame(proof.sequence + 1, encode_error(refusals.BAD_HANDSHAKE)))
    raise LoginEndedError("the engine's login did not come to an end")
