"""A user tenant's dictionary views: a second connection, to the sys engine, as a user that can read them and nothing else.

The statement's text is kept but for the schema before a view's name; what must not be reached is kept out by that
user's grants, not by the rewriting.

The text is the tenant's own and its hints lift every limit of the engine's, so how many questions run, for how long each and for how
long all together is bounded here (`gateway.questions`). A question that takes too long is ended by KILL QUERY from a second connection of
the same user; one whose asker has left, by its connection's end. Either takes 0.03 to 0.3 s, whatever the engine is at (measured on 1.4.0).
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from holdfast import codes
from holdfast.errors import EngineError, refuse
from holdfast.gateway import refusals
from holdfast.gateway.charsets import KEEP, charset_named
from holdfast.gateway.facts import Facts
from holdfast.gateway.house import House
from holdfast.gateway.link import EngineLink, LinkLostError, open_link
from holdfast.gateway.questions import SpentError, TooManyLinksError, spent
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
from holdfast.mysql.session_state import INITIAL, PACKET_TOO_LARGE, SET_INITIAL, set_texts
from holdfast.statement.views import schemas_named, substitute_views, views_named
from holdfast.values.grants import Grants
from holdfast.values.tenant import ORACLE_ADMINISTRATOR, CompatibilityMode, Tenant

T = TypeVar("T")

# Set in the ids of statements prepared here, so that EXECUTE and its like find their way back.
VIEW_STATEMENT_BIT = 1 << 31

_LOGIN_SECONDS_MAX = 10.0
_ORDER_SECONDS_MAX = 10.0
"""Of a statement of ours that sets something: the engine takes a millisecond."""
_END_SECONDS_MAX = 5.0
"""From KILL QUERY to the end of the question. After that its connection is dropped, and with it the engine's session."""
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
_SYS_SILENT = ServerError(4012, "HY000", "the sys tenant's engine does not answer (try again)")
_JOIN_HINT = (
    " (a statement that reads dictionary views cannot read this tenant's own tables or temporary tables too;"
    " copy the view's rows into a table first)"
)
# Modes that move the ends of strings and names. The views connection never has them, so that it reads a text as our lexer does:
# what a text may name is decided by the lexer.
LEXICAL_MODES = {"ANSI_QUOTES": '"', "NO_BACKSLASH_ESCAPES": "\\", "ANSI": '"'}
_OPEN_SCHEMAS = frozenset({"information_schema"})
_RIGHT_HINT = " (GRANT SELECT ON oceanbase.* TO the user, as for the engine's own views; docs/rights.md)"
_WRITE_HINT = " (dictionary views are read-only)"


class ViewsUnavailableError(Exception):
    """The sys engine did not let us in."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewText:
    """A statement for the views connection, and the views it names, sorted."""

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
        self._queued: asyncio.Task[None] | None = None
        self._question: asyncio.Task[None] | None = None
        self._is_login_used = False
        self._has_prepared = False
        self._is_asking = False
        self._is_too_long = False
        self._is_killed = False
        self.link: EngineLink | None = None
        self.on_congested: Callable[[bool], None] = lambda congested: None

    @property
    def _home(self) -> str:
        """Return the schema this tenant's users name the views in."""
        return ORACLE_ADMINISTRATOR if self._tenant.mode is CompatibilityMode.ORACLE else "oceanbase"

    @property
    def schema(self) -> str:
        """Return the schema the tenant's views live in; known once a text has been substituted."""
        assert self._login is not None
        return self._login.schema

    @property
    def may_be_closed(self) -> bool:
        """Return whether nothing is lost when the connection is dropped now. The next question opens another."""
        return self._question is None and not self._is_asking and not self._has_prepared

    async def substitute(self, text: bytes, codec: str, facts: Facts) -> ViewText | None:
        """Return the statement that asks the same of this tenant's own schema, or None if it names no view."""
        read = text.decode(codec, KEEP)
        if self._login is None:
            await self._know_login()
        _refuse_lexical_modes(read, facts.sql_mode)
        names = self._house.settings.view_names
        # In Oracle mode the views are public: a bare name means them whatever the current schema is.
        current_schema = self._home if self._tenant.mode is CompatibilityMode.ORACLE else facts.database
        substituted = await self._read(text, lambda: substitute_views(read, names, self.schema, current_schema))
        if substituted is None:
            return None
        await self._refuse_other_schemas(substituted, codec, facts)
        named = await self._read(text, lambda: views_named(read, names))
        return ViewText(text=substituted.encode(codec, KEEP), names=named)

    async def _read(self, text: bytes | str, work: Callable[[], T]) -> T:
        return await self._house.read(self._tenant, text, work)

    def require_visible(self, names: tuple[str, ...], grants: Grants) -> None:
        """Raise ViewsUnavailableError (1142) when the session's user may not see one of these views.

        The views are seen by whoever may see the engine's own beside them: `SELECT` on `oceanbase`, or on the view by name.
        """
        homes = ("oceanbase", self._home)
        for name in names:
            if not any(grants.may_select(home, name) for home in homes):
                message = f"SELECT command denied to user '{self._user}'@'%' for table '{name.lower()}'{_RIGHT_HINT}"
                raise ViewsUnavailableError(ServerError(_TABLE_DENIED, "42000", message))

    async def _refuse_other_schemas(self, text: str, codec: str, facts: Facts) -> None:
        """Raise ViewsUnavailableError when the text reads a schema that is not this tenant's.

        Nearly everywhere the grants of the views' user say so; within a common table expression the engine does not ask
        them (measured on 1.4.0).
        """
        encoding = charset_named(facts.client_charset).encoding
        open_schemas = {*_OPEN_SCHEMAS, self.schema}

        def others() -> frozenset[str]:
            written = {name.encode(codec, KEEP).decode(encoding, "replace") for name in schemas_named(text)}
            return frozenset(name for name in written if name.lower() not in open_schemas)

        named = await self._read(text, others)
        if named and await self._house.on_desk(self._tenant, lambda: self._house.desk.schemas_among(named)):
            message = f"SELECT command denied to user '{self._user}' for a table of another schema{_JOIN_HINT}"
            raise ViewsUnavailableError(ServerError(_TABLE_DENIED, "42000", message))

    async def _know_login(self) -> ViewsLogin:
        """Return the login, asked for anew after it has been used: it may be another after the engine's restart."""
        if self._login is None or self._is_login_used:
            self._login = await self._house.on_desk(self._tenant, lambda: self._house.desk.views_login(self._tenant))
            self._is_login_used = False
        return self._login

    async def _open(self) -> EngineLink:
        """Return the link, logging in if there is none. Raises ViewsUnavailableError, HoldfastError."""
        try:
            self._house.questions.note_open(self._tenant.tenant_id, self)
        except TooManyLinksError as error:
            raise ViewsUnavailableError(refusals.TOO_MANY_VIEW_CONNECTIONS) from error
        if self.link is None or not self.link.is_in_step:
            login = await self._know_login()
            self._is_login_used = True
            self.link = await self._log_in(login)
            self.link.on_congested = self.on_congested
            self._applied = ()
            self._has_prepared = False
            try:
                # The sys tenant's globals are nothing that a view's rows or the bound on its questions may rest on.
                await self._settle(self.link)
                await self._order(self.link, "set session transaction read only")
            except BaseException:
                self.close()  # half settled, and the next question would take it for whole
                raise
        return self.link

    async def _settle(self, link: EngineLink) -> None:
        try:
            await self._order(link, SET_INITIAL)
        except ViewsUnavailableError as error:
            if error.error.number != PACKET_TOO_LARGE:
                raise
            for text in set_texts(INITIAL):
                await self._order(link, text)

    async def _ready(self, facts: Facts | None) -> EngineLink:
        """Return the link with the settings of the client's session, or as it is."""
        link = await self._open()
        if facts is None:
            return link
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
        return link

    async def _refresh(self, names: tuple[str, ...]) -> None:
        """Bring the rows of these views up to date."""

        def refresh() -> None:
            for name in names:
                self._house.desk.before_view(self._tenant, name)

        if names:
            await self._house.on_desk(self._tenant, refresh)

    async def _log_in(self, login: ViewsLogin) -> EngineLink:
        try:
            async with asyncio.timeout(_LOGIN_SECONDS_MAX):
                link = await open_link(login.socket)
                try:
                    await self._prove(link, login)
                except BaseException:
                    link.close()
                    raise
        except (OSError, TimeoutError, LinkLostError, MalformedPacketError) as error:
            raise ViewsUnavailableError(_SYS_SILENT) from error
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

        try:
            async with asyncio.timeout(_ORDER_SECONDS_MAX):
                await self._ask(link, CommandCode.QUERY.to_bytes(1, "little") + text.encode(), take)
        except TimeoutError as error:
            raise ViewsUnavailableError(_SYS_SILENT) from error
        if refused:
            raise ViewsUnavailableError(refused[0])

    async def ask(
        self, payload: bytes, names: tuple[str, ...], facts: Facts | None, take: Callable[[list[Received]], None]
    ) -> None:
        """Run a client's command here, in its tenant's turn and for as long as questions may take.

        `names`: the views whose rows are brought up to date before. `facts`: the client's session, whose settings count; None for
        those that count already. Errors of the engine are told in the client's words. Raises ViewsUnavailableError when the link is
        lost, when the tenant's questions have taken all that they may take for now, or when somebody has killed this one; HoldfastError.
        """
        self._is_killed = False
        await self._refresh(names)
        await self._take_turn()
        self._is_asking = True
        question: asyncio.Task[None] | None = None
        begun = asyncio.get_running_loop().time()
        try:
            link = await self._ready(facts)
            if self._is_killed:
                raise ViewsUnavailableError(refusals.INTERRUPTED)
            self._has_prepared = self._has_prepared or payload[0] == CommandCode.STMT_PREPARE
            question = self._put_question(link, payload, take)
            await self._wait_for(link, question)
        finally:
            self._is_asking = False
            if question is None:
                self._house.questions.end(self._tenant.tenant_id, asyncio.get_running_loop().time() - begun)

    def _put_question(
        self, link: EngineLink, payload: bytes, take: Callable[[list[Received]], None]
    ) -> "asyncio.Task[None]":
        """Ask in a task of its own, which the clock does not cut off: first the engine has to end it."""
        loop, tenant_id = asyncio.get_running_loop(), self._tenant.tenant_id
        begun = loop.time()

        def translate(received: list[Received]) -> None:
            if self._is_asking:
                take([self._translated(packet) if packet.role is Role.ERROR else packet for packet in received])

        def ended(question: "asyncio.Task[None]") -> None:
            self._house.questions.end(tenant_id, loop.time() - begun)
            self._question = None
            if not question.cancelled():
                question.exception()  # when the asker has left, nobody else looks at it

        self._is_too_long = False
        question = self._question = loop.create_task(self._ask(link, payload, translate))
        question.add_done_callback(ended)
        return question

    async def _wait_for(self, link: EngineLink, question: "asyncio.Task[None]") -> None:
        """Return at the end of the question, which the clock brings if nothing else does."""
        seconds_max = self._house.settings.view_seconds_max
        try:
            await asyncio.wait((question,), timeout=seconds_max)
            if not question.done():
                self._is_too_long = True
                await self._end(link, question)
        except asyncio.CancelledError:
            question.cancel()  # the client has left, and the link is dropped with it
            raise
        if question.cancelled():
            raise ViewsUnavailableError(refusals.view_took_too_long(seconds_max))
        await question

    async def _take_turn(self) -> None:
        """Wait for the tenant's turn. Raises ViewsUnavailableError."""
        questions, tenant_id = self._house.questions, self._tenant.tenant_id
        queued = self._queued = asyncio.get_running_loop().create_task(questions.begin(tenant_id))
        try:
            if self._is_killed:
                queued.cancel()
            await asyncio.wait((queued,))
            if queued.cancelled():
                raise ViewsUnavailableError(refusals.INTERRUPTED)
            await queued
        except asyncio.CancelledError:
            # The turn may have come at the same moment; then it is given back.
            if not queued.cancel() and not queued.cancelled() and queued.exception() is None:
                questions.end(tenant_id, 0.0)
            raise
        except SpentError as error:
            raise ViewsUnavailableError(spent(self._user, self._house.settings, error)) from error
        finally:
            self._queued = None

    async def _end(self, link: EngineLink, question: "asyncio.Task[None]") -> None:
        """Have a question ended by the engine, and return when it has, or when its connection has been dropped."""
        await self._kill(link)
        await asyncio.wait((question,), timeout=_END_SECONDS_MAX)
        if not question.done():
            question.cancel()
            await asyncio.wait((question,))

    async def _ask(self, link: EngineLink, payload: bytes, take: Callable[[list[Received]], None]) -> None:
        """Ask as `link` does. It is not the client's: lost or out of step, it ends the question and not the client's connection."""
        try:
            await link.ask(payload, take)
        except (LinkLostError, MalformedPacketError) as error:
            raise ViewsUnavailableError(_SYS_SILENT) from error
        finally:
            if not link.is_in_step:
                link.close()

    def _translated(self, packet: Received) -> Received:
        if self._is_too_long:
            told = refusals.view_took_too_long(self._house.settings.view_seconds_max)
            return Received(Role.ERROR, packet.sequence, encode_error(told), packet.ends)
        error = decode_error(packet.payload, encoding="latin-1")
        login = self._login
        assert login is not None
        message = re.sub(rf"\b{re.escape(login.schema)}\.", f"{self._home}.", error.message)
        message = re.sub(rf"'{re.escape(login.user)}'@'[^']*'", lambda match: f"'{self._user}'", message)
        if error.number == _TABLE_NOT_FOUND or (error.number == _TABLE_DENIED and message.startswith("SELECT")):
            message += _JOIN_HINT
        elif error.number == _TABLE_DENIED:
            message += _WRITE_HINT
        payload = encode_error(ServerError(error.number, error.sqlstate, message), encoding="latin-1")
        return Received(Role.ERROR, packet.sequence, payload, packet.ends)

    async def kill_query(self) -> None:
        """End what the client waits for here: its turn, or what runs on the link. A link that is gone has nothing to end."""
        self._is_killed = True
        if self._queued is not None:
            self._queued.cancel()
        elif self.link is not None and self._question is not None:
            await self._kill(self.link)

    async def _kill(self, link: EngineLink) -> None:
        """End what runs on a link of ours, from a connection of the same user."""
        if link.is_lost or self._login is None:
            return
        try:
            helper = await self._log_in(self._login)
        except ViewsUnavailableError:
            return
        try:
            await self._order(helper, f"kill query {link.connection_id}")
        except ViewsUnavailableError:
            # It ended by itself in between: that is what was asked for.
            return
        finally:
            helper.close()

    def close(self) -> None:
        """Drop the connection; statements prepared on it are gone, and the engine ends what still runs there."""
        self._house.questions.note_closed(self._tenant.tenant_id, self)
        if self.link is not None:
            self.link.close()
            self.link = None


def _refuse_lexical_modes(text: str, sql_mode: str) -> None:
    """Refuse a text that the client's session would read otherwise than the views connection does."""
    for mode in sql_mode.split(","):
        mark = LEXICAL_MODES.get(mode)
        if mark is not None and mark in text:
            raise refuse(
                codes.OB_NOT_SUPPORTED,
                f"a text with {mark} that reads dictionary views under sql_mode {mode} is",
                hint="quote names with backticks, or SET sql_mode = ''",
            )


def _without_lexical_modes(sql_mode: str) -> str:
    return ",".join(mode for mode in sql_mode.split(",") if mode not in LEXICAL_MODES)


def _settings_text(wanted: tuple[str, str, str, str, str]) -> str:
    """Return the SET that makes the views connection read and write texts and times as the client's session does."""
    time_zone, client_charset, results_charset, collation, sql_mode = wanted
    if not all(_PLAIN.fullmatch(value) for value in wanted):
        # Found in step, so the connection is sound: only this question has no answer.
        raise EngineError(f"session facts: expected plain names, found {wanted!r}")
    results = f"'{results_charset}'" if results_charset else "NULL"
    return (
        f"set time_zone='{time_zone}', character_set_client='{client_charset}',"
        f" character_set_results={results}, collation_connection='{collation}', sql_mode='{sql_mode}'"
    )
