"""A user tenant's dictionary views: a second connection, to the sys engine, as a user that can read them and nothing else.

The statement's text is kept but for the schema before a view's name; what must not be reached is kept out by that
user's grants, not by the rewriting.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.errors import refuse
from holdfast.gateway.charsets import charset_named
from holdfast.gateway.facts import Facts
from holdfast.gateway.house import House
from holdfast.gateway.link import EngineLink, LinkLostError, open_link
from holdfast.jobs.door import ViewsLogin
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import OFFERED_CAPABILITIES, Capability, CommandCode
from holdfast.mysql.framing import frame
from holdfast.mysql.packets import (
    EOF_MARK,
    ERROR_MARK,
    OK_MARK,
    HandshakeResponse,
    ServerError,
    decode_error,
    decode_greeting,
    encode_error,
    encode_handshake_response,
    native_password_answer,
)
from holdfast.mysql.response import Received, Role
from holdfast.statement.views import schemas_named, substitute_views
from holdfast.values.tenant import ORACLE_ADMINISTRATOR, CompatibilityMode, Tenant

# Set in the ids of statements prepared here, so that EXECUTE and its like find their way back.
VIEW_STATEMENT_BIT = 1 << 31

_LOGIN_SECONDS_MAX = 10.0
# What may stand between quotes in the SET below. The values come from the engine, but it is cheap to be sure.
_PLAIN = re.compile(r"[\w:+\-/,. ]*", re.ASCII)
_MASKED = (
    Capability.LOCAL_FILES
    | Capability.MULTI_STATEMENTS
    | Capability.CONNECT_ATTRS
    | Capability.SSL
    | Capability.COMPRESS
    | Capability.CONNECT_WITH_DB
)
_TABLE_NOT_FOUND = 1146
_TABLE_DENIED = 1142
_JOIN_HINT = (
    " (a statement that reads dictionary views cannot read this tenant's own tables or temporary tables too;"
    " copy the view's rows into a table first)"
)
# Modes that move the ends of strings and names. The views connection never has them, so that it reads a text as our lexer does:
# what a text may name is decided by the lexer.
_LEXICAL_MODES = {"ANSI_QUOTES": '"', "NO_BACKSLASH_ESCAPES": "\\", "ANSI": '"'}
_OPEN_SCHEMAS = frozenset({"information_schema"})
_WRITE_HINT = " (dictionary views are read-only)"


class ViewsUnavailableError(Exception):
    """The sys engine did not let us in."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewText:
    """A statement for the views connection, and the views it may mean."""

    text: bytes
    names: tuple[str, ...]


def names_mentioned(text: str, view_names: frozenset[str]) -> tuple[str, ...]:
    """Return the views whose names occur in `text`, sorted. One too many costs a refresh, nothing else."""
    upper = text.upper()
    return tuple(sorted(name for name in view_names if name in upper))


class ViewsConnection:
    """Opened when the first view is asked for, and again after it was lost. `link` is None while it is not open."""

    def __init__(self, house: House, tenant: Tenant, user: str, response: HandshakeResponse) -> None:
        self._house = house
        self._tenant = tenant
        self._user = user
        self._response = response
        self._login: ViewsLogin | None = None
        self._applied: tuple[str, ...] = ()
        self.link: EngineLink | None = None
        self.on_congested: Callable[[bool], None] = lambda congested: None

    @property
    def _home(self) -> str:
        """Return the schema this tenant's users name the views in."""
        return ORACLE_ADMINISTRATOR if self._tenant.mode is CompatibilityMode.ORACLE else "oceanbase"

    @property
    def schema(self) -> str:
        """Return the schema the tenant's views live in; known once the connection has been opened."""
        assert self._login is not None
        return self._login.schema

    async def substitute(self, text: str, codec: str, facts: Facts) -> ViewText | None:
        """Return the statement that asks the same of this tenant's own schema, or None if it names no view."""
        await self.open()
        _refuse_lexical_modes(text, facts.sql_mode)
        names = self._house.settings.view_names
        # In Oracle mode the views are public: a bare name means them whatever the current schema is.
        current_schema = self._home if self._tenant.mode is CompatibilityMode.ORACLE else facts.database
        substituted = substitute_views(text, names, self.schema, current_schema)
        if substituted is None:
            return None
        await self._refuse_other_schemas(substituted, codec, facts)
        return ViewText(text=substituted.encode(codec), names=names_mentioned(text, names))

    async def _refuse_other_schemas(self, text: str, codec: str, facts: Facts) -> None:
        """Raise ViewsUnavailableError when the text reads a schema that is not this tenant's.

        Nearly everywhere the grants of the views' user say so; within a common table expression the engine does not ask
        them (measured on 1.4.0).
        """
        encoding = charset_named(facts.client_charset).encoding
        written = frozenset(name.encode(codec).decode(encoding, "replace") for name in schemas_named(text))
        named = frozenset(name for name in written if name.lower() not in {*_OPEN_SCHEMAS, self.schema})
        if named and await self._house.on_desk(lambda: self._house.desk.schemas_among(named)):
            message = f"SELECT command denied to user '{self._user}' for a table of another schema{_JOIN_HINT}"
            raise ViewsUnavailableError(ServerError(_TABLE_DENIED, "42000", message))

    async def open(self) -> EngineLink:
        """Return the link, logging in if there is none. Raises ViewsUnavailableError, HoldfastError."""
        if self.link is None or self.link.is_lost:
            self._login = await self._house.on_desk(lambda: self._house.desk.views_login(self._tenant))
            self.link = await self._log_in(self._login)
            self.link.on_congested = self.on_congested
            self._applied = ()
            await self._order(self.link, "set session transaction read only")
        return self.link

    async def ready(self, names: tuple[str, ...], facts: Facts) -> EngineLink:
        """Return the link with this session's settings, and with the rows of `names` up to date."""
        link = await self.open()
        wanted = (
            facts.time_zone,
            facts.client_charset,
            facts.results_charset,
            facts.collation,
            _without_lexical_modes(facts.sql_mode),
        )
        if wanted != self._applied:
            await self._order(link, _settings_text(wanted))
            self._applied = wanted

        def refresh() -> None:
            for name in names:
                self._house.desk.before_view(self._tenant, name)

        await self._house.on_desk(refresh)
        return link

    async def _log_in(self, login: ViewsLogin) -> EngineLink:
        try:
            async with asyncio.timeout(_LOGIN_SECONDS_MAX):
                link = await open_link(login.socket)
                try:
                    await self._prove(link, login)
                except BaseException:
                    link.close()
                    raise
        except (OSError, TimeoutError) as error:
            raise ViewsUnavailableError(
                ServerError(4012, "HY000", "the sys tenant's engine does not answer (try again)")
            ) from error
        link.relay_to(lambda data: None)
        return link

    async def _prove(self, link: EngineLink, login: ViewsLogin) -> None:
        first = await link.next_packet()
        if first.payload[:1] == ERROR_MARK.to_bytes(1, "little"):
            raise ViewsUnavailableError(decode_error(first.payload))
        greeting = decode_greeting(first.payload)
        link.connection_id = greeting.connection_id
        # The client's own flags, so that answers have the shape it expects.
        response = replace(
            self._response,
            capabilities=self._response.capabilities & OFFERED_CAPABILITIES & greeting.capabilities & ~_MASKED,
            user=login.user.encode(),
            auth=native_password_answer(login.password, greeting.scramble),
            plugin=greeting.plugin,
            database=login.schema.encode(),
            attributes=(),
        )
        link.write(frame(first.sequence + 1, encode_handshake_response(response)))
        verdict = await link.next_packet()
        if verdict.payload[:1] == EOF_MARK.to_bytes(1, "little"):
            scramble = verdict.payload[1:].partition(b"\0")[2][:20]
            link.write(frame(verdict.sequence + 1, native_password_answer(login.password, scramble)))
            verdict = await link.next_packet()
        if verdict.payload[:1] != OK_MARK.to_bytes(1, "little"):
            raise ViewsUnavailableError(decode_error(verdict.payload))

    async def _order(self, link: EngineLink, text: str) -> None:
        """Run a statement of ours here. Raises ViewsUnavailableError when the engine refuses it."""
        refused: list[ServerError] = []

        def take(received: list[Received]) -> None:
            refused.extend(decode_error(packet.payload) for packet in received if packet.role is Role.ERROR)

        await link.ask(CommandCode.QUERY.to_bytes(1, "little") + text.encode(), take)
        if refused:
            raise ViewsUnavailableError(refused[0])

    async def ask(self, link: EngineLink, payload: bytes, take: Callable[[list[Received]], None]) -> None:
        """Run a client's command here; errors are told in the client's words."""

        def translate(received: list[Received]) -> None:
            take([self._translated(packet) if packet.role is Role.ERROR else packet for packet in received])

        await link.ask(payload, translate)

    def _translated(self, packet: Received) -> Received:
        error = decode_error(packet.payload, encoding="latin-1")
        login = self._login
        assert login is not None
        message = re.sub(rf"\b{re.escape(login.schema)}\.", f"{self._home}.", error.message)
        message = re.sub(rf"'{re.escape(login.user)}'@'[^']*'", lambda match: f"'{self._user}'", message)
        if error.number == _TABLE_NOT_FOUND or (error.number == _TABLE_DENIED and message.startswith("SELECT")):
            message += _JOIN_HINT
        elif error.number == _TABLE_DENIED:
            message += _WRITE_HINT
        told = encode_error(ServerError(error.number, error.sqlstate, message), encoding="latin-1")
        return Received(Role.ERROR, packet.sequence, told, packet.ends)

    async def kill_query(self) -> None:
        """End what runs on the link, from a connection of the same user. A link that is gone has nothing to end."""
        if self.link is None or self.link.is_lost or self._login is None:
            return
        try:
            helper = await self._log_in(self._login)
        except ViewsUnavailableError:
            return
        try:
            await self._order(helper, f"kill query {self.link.connection_id}")
        except (ViewsUnavailableError, LinkLostError, MalformedPacketError):
            # It ended by itself in between: that is what was asked for.
            return
        finally:
            helper.close()

    def close(self) -> None:
        """Drop the connection; statements prepared on it are gone."""
        if self.link is not None:
            self.link.close()
            self.link = None


def _refuse_lexical_modes(text: str, sql_mode: str) -> None:
    """Refuse a text that the client's session would read otherwise than the views connection does."""
    for mode in sql_mode.split(","):
        mark = _LEXICAL_MODES.get(mode)
        if mark is not None and mark in text:
            raise refuse(
                codes.OB_NOT_SUPPORTED,
                f"a text with {mark} that reads dictionary views under sql_mode {mode} is",
                hint="quote names with backticks, or SET sql_mode = ''",
            )


def _without_lexical_modes(sql_mode: str) -> str:
    return ",".join(mode for mode in sql_mode.split(",") if mode not in _LEXICAL_MODES)


def _settings_text(wanted: tuple[str, str, str, str, str]) -> str:
    """Return the SET that makes the views connection read and write texts and times as the client's session does."""
    time_zone, client_charset, results_charset, collation, sql_mode = wanted
    if not all(_PLAIN.fullmatch(value) for value in wanted):
        raise MalformedPacketError(f"session facts: expected plain names, found {wanted!r}")
    results = f"'{results_charset}'" if results_charset else "NULL"
    return (
        f"set time_zone='{time_zone}', character_set_client='{client_charset}',"
        f" character_set_results={results}, collation_connection='{collation}', sql_mode='{sql_mode}'"
    )
