"""One client: its bytes in, its engine's bytes out.

After the login a command is either *forwarded* (written to the engine; the answer flows back by itself) or *worked on*
(a task answers it, and until that ends no further command is looked at). While a task works, what the client sends is
kept, and reading goes on so that its leaving is noticed; only more than `HELD_BYTES_MAX` stops the reading.

Backpressure goes both ways: whoever reads too slowly stops the reading from the one who sends.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

from holdfast.errors import HoldfastError
from holdfast.gateway import refusals, statements
from holdfast.gateway.answer import Answer
from holdfast.gateway.house import House
from holdfast.gateway.inbox import Inbox
from holdfast.gateway.link import WRITE_BUFFER_BYTES_MAX, EngineLink, LinkLostError, send
from holdfast.gateway.login import LoginEndedError, Visitor, lead_in
from holdfast.gateway.own_guard import FlowWatch, refusal_of_head, refusal_of_schema
from holdfast.gateway.patience import Patience, SentAwayError
from holdfast.gateway.prepared import OWN_STATEMENT_BIT
from holdfast.gateway.reads import carries_data, hides_beginning, may_write
from holdfast.gateway.seat import Seat, take_seat
from holdfast.gateway.way_in import TRY_SECONDS, let_in
from holdfast.mysql.conversation import WHOLE_BYTES_MAX, Command, Conversation, Flow, Opening
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.packets import ServerError, decode_change_user, decode_handshake_response
from holdfast.statement.gate import Owner
from holdfast.statement.kill import read_kill

_LOG = logging.getLogger(__name__)

HELD_BYTES_MAX = 2 * WHOLE_BYTES_MAX
_TURN_BYTES_MAX = 8192
_COMMAND_BYTES_MIN = 64
"""A client that sends many commands without waiting has so many bytes of them looked at, each counted as 64 or more, before it is the
others' turn: 20 ms at the most, of short texts that have to be lexed."""

# Commands without a text or an id that concerns us. All others are listed in `_on_command`; what is in neither place is
# unknown: private commands of OceanBase's answer in framings the gateway does not speak.
_RELAYED = frozenset(
    {
        CommandCode.QUIT,
        CommandCode.FIELD_LIST,
        CommandCode.REFRESH,
        CommandCode.STATISTICS,
        CommandCode.PROCESS_INFO,
        CommandCode.DEBUG,
        CommandCode.PING,
    }
)
_ABOUT_SCHEMAS = frozenset({CommandCode.INIT_DB, CommandCode.CREATE_DB, CommandCode.DROP_DB})
_ABOUT_STATEMENTS = frozenset(
    {
        CommandCode.STMT_EXECUTE,
        CommandCode.STMT_SEND_LONG_DATA,
        CommandCode.STMT_CLOSE,
        CommandCode.STMT_RESET,
        CommandCode.STMT_FETCH,
    }
)
# A replica would read the engine's log past every grant; a client shall not stop an engine that Holdfast runs.
_REFUSED = {
    CommandCode.BINLOG_DUMP: refusals.not_supported("COM_BINLOG_DUMP"),
    CommandCode.BINLOG_DUMP_GTID: refusals.not_supported("COM_BINLOG_DUMP_GTID"),
    CommandCode.REGISTER_SLAVE: refusals.not_supported("COM_REGISTER_SLAVE"),
    CommandCode.TABLE_DUMP: refusals.not_supported("COM_TABLE_DUMP"),
    CommandCode.SHUTDOWN: refusals.not_supported("COM_SHUTDOWN"),
}


class ClientConnection(asyncio.Protocol):
    """One client's side. Made before the client has said who it is."""

    def __init__(self, house: House, client_id: int, host: str, port: int) -> None:
        self._house = house
        self.client_id = client_id
        self._host = host
        self._port = port
        self._transport: asyncio.Transport
        self._inbox: Inbox | None = Inbox(self._hold_login)
        self._conversation = Conversation(self._wants_whole)
        self._work: asyncio.Task[None] | None = None
        self._flows_to: EngineLink | None = None
        self._flow_watch: FlowWatch | None = None
        self._seat: Seat | None = None
        self._is_closed = False
        self._lets_in_at = 0.0
        # Why nothing is read from the client now: an engine that reads too slowly, or too much is held.
        self._input_waits_for: set[str] = set()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)

    def data_received(self, data: bytes) -> None:
        if self._inbox is not None:
            self._inbox.feed(data)
            return
        self._conversation.feed(data)
        if self._work is None:
            self._pump()
        elif self._conversation.pending_bytes > HELD_BYTES_MAX:
            self._hold_input("work", True)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_closed = True
        if self._inbox is not None:
            self._inbox.fail(LinkLostError("the client closed the connection"))
        if self._work is not None:
            self._work.cancel()
        if self._seat is not None:
            self._seat.close()
            self._house.registry.remove(self.client_id)
        if not self.ended.done():
            self.ended.set_result(None)

    def pause_writing(self) -> None:
        for link in self._links():
            link.pause()

    def resume_writing(self) -> None:
        for link in self._links():
            link.resume()

    def _links(self) -> list[EngineLink]:
        if self._seat is None:
            return []
        views = self._seat.views
        return [self._seat.link] + ([views.link] if views is not None and views.link is not None else [])

    def _hold_input(self, reason: str, holds: bool) -> None:
        """Stop reading from the client for `reason`, or read again when no reason is left."""
        waits_for = self._input_waits_for
        was_held = bool(waits_for)
        if holds:
            waits_for.add(reason)
        else:
            waits_for.discard(reason)
        if self._is_closed or self._transport.is_closing() or was_held == bool(waits_for):
            return
        if waits_for:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._pump)

    def _hold_login(self, holds: bool) -> None:
        self._hold_input("login", holds)

    # --- what the registry and the server ask

    @property
    def tenant_id(self) -> int:
        return self._seat.tenant.tenant_id if self._seat is not None else 0

    @property
    def user(self) -> str:
        return self._seat.user if self._seat is not None else ""

    @property
    def engine_connection_id(self) -> int:
        return self._seat.link.connection_id if self._seat is not None else 0

    @property
    def is_idle(self) -> bool:
        """Return whether nobody waits for an answer."""
        return self._work is None and (self._seat is None or self._seat.link.is_settled)

    async def interrupt(self) -> None:
        """End what this client waits for outside its engine: a held back write, a question to the views."""
        seat = self._seat
        if seat is None:
            return
        seat.is_interrupted = True
        if seat.is_asking_views and seat.views is not None:
            await seat.views.kill_query()

    def _send(self, data: bytes) -> None:
        send(self._transport, data)

    def close(self) -> None:
        """Send what is written and hang up."""
        if not self._is_closed:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        if not self._is_closed:
            self._transport.abort()

    @property
    def _is_secured(self) -> bool:
        return self._transport.get_extra_info("sslcontext") is not None

    # --- login

    def expect_login(self, transport_data: bytes) -> None:
        """Give the login bytes that were read before the transport began."""
        assert self._inbox is not None
        self._inbox.feed(transport_data)

    async def log_in(self, patience: Patience) -> None:
        """Lead the client to its engine. Raises LoginEndedError after telling it why not."""
        visitor = self._visitor(patience, sequence=0 if self._is_secured else -1)
        try:
            packet = await visitor.next_packet()
            response = decode_handshake_response(packet.payload)
        except SentAwayError as error:
            raise visitor.refuse(error.error) from error
        except MalformedPacketError as error:
            raise visitor.refuse(refusals.BAD_HANDSHAKE) from error
        entry = await lead_in(self._house, visitor, response)
        self._sit_down(take_seat(self._house, self.client_id, entry))

    def _visitor(self, patience: Patience, *, sequence: int) -> Visitor:
        assert self._inbox is not None
        return Visitor(
            host=self._host,
            port=self._port,
            inbox=self._inbox,
            write=self._send,
            patience=patience,
            sequence=sequence,
            is_secured=self._is_secured,
        )

    def _sit_down(self, seat: Seat) -> None:
        """Begin to relay."""
        assert self._inbox is not None
        if self._is_closed:
            seat.close()
            raise LinkLostError("the client closed the connection")
        link = seat.link
        link.on_lost = self._engine_lost
        link.on_congested = partial(self._hold_input, "engine")
        if seat.views is not None:
            seat.views.on_congested = partial(self._hold_input, "views")
        self._hold_input("engine", False)
        self._hold_input("views", False)
        link.on_confused = self._confused
        self._seat = seat
        self._house.registry.add(self)
        rest = self._inbox.rest()
        self._inbox = None
        link.relay_to(self._send)
        if link.is_lost:
            self._engine_lost()
        elif rest:
            self.data_received(rest)

    def _engine_lost(self) -> None:
        self.close()

    def _confused(self, error: MalformedPacketError) -> None:
        _LOG.warning("connection %s closed: %s", self.client_id, error)
        self.abort()

    # --- commands

    def _pump(self) -> None:
        """Look at what the client sent, until something has to be waited for."""
        looked_at = 0
        while self._work is None and self._inbox is None and not self._input_waits_for and not self._is_closed:
            if looked_at > _TURN_BYTES_MAX and self._conversation.pending_bytes:
                self._hold_input("turn", True)
                asyncio.get_running_loop().call_soon(self._hold_input, "turn", False)
                return
            if self._is_asked_to_let_in():
                self._begin(self._let_in(cast(Seat, self._seat)))
                return
            event = self._conversation.next_event()
            if event is None:
                return
            if isinstance(event, Command):
                looked_at += max(len(event.raw), _COMMAND_BYTES_MIN)
                self._on_command(event)
            elif isinstance(event, Opening):
                self._on_opening(event)
            else:
                self._on_flow(event)

    def _wants_whole(self, head: bytes) -> bool:
        """Return whether a long command must be read whole before it is decided on."""
        code = head[0]
        if code in (CommandCode.QUERY, CommandCode.STMT_PREPARE):
            # In sys lies what is ours, and a second statement may stand behind the data.
            return not carries_data(head[1:]) or (self._seat is not None and self._seat.tenant.is_sys)
        if code in _ABOUT_STATEMENTS:
            return code != CommandCode.STMT_SEND_LONG_DATA and statements.is_ours(statements.statement_id_of(head))
        return True

    def _is_asked_to_let_in(self) -> bool:
        """Return whether Holdfast is shut out of this client's engine, and nothing of this client's is under way."""
        if self._seat is None or not self._house.desk.is_shut_out(self._seat.tenant.tenant_id):
            return False
        now = asyncio.get_running_loop().time()
        if now < self._lets_in_at or not self._conversation.is_between:
            return False
        self._lets_in_at = now + TRY_SECONDS
        return True

    async def _let_in(self, seat: Seat) -> None:
        try:
            await let_in(seat)
        except HoldfastError as error:
            _LOG.warning("connection %s: could not let holdfast in: %s", self.client_id, error)

    def _on_flow(self, flow: Flow) -> None:
        if self._flow_watch is not None and self._flow_watch.finds(flow.data):
            _LOG.warning("connection %s closed: a text of more than 1 MiB names what is holdfast's own", self.client_id)
            self.abort()  # the engine has not had all of it, and does nothing
        elif self._flows_to is not None:
            self._flows_to.write(flow.data)

    def _on_command(self, command: Command) -> None:
        seat = cast(Seat, self._seat)
        payload = command.payload
        code = payload[0] if payload else 0
        self._flows_to, self._flow_watch = seat.link, None
        if code == CommandCode.QUERY:
            self._on_query(seat, payload[1:], command.raw)
        elif code in _RELAYED:
            seat.link.forward(code, command.raw)
        elif code in _ABOUT_STATEMENTS:
            self._on_prepared(seat, code, payload, command.raw)
        elif code == CommandCode.STMT_PREPARE:
            self._on_prepare(seat, payload[1:], command.raw)
        elif code in _ABOUT_SCHEMAS:
            self._on_schema(seat, code, payload[1:], command.raw)
        elif code == CommandCode.PROCESS_KILL:
            answer = self._new_answer(seat)
            self._answer(seat, statements.process_kill(seat, payload, answer), answer)
        elif code == CommandCode.CHANGE_USER:
            self._on_change_user(seat, payload[1:])
        elif code == CommandCode.RESET_CONNECTION:
            seat.begin_session()
            seat.link.forward(code, command.raw)
        elif code == CommandCode.SET_OPTION:
            seat.takes_scripts = payload[1:3] == b"\0\0"
            seat.link.forward(code, command.raw)
        else:
            self._refuse(seat, _refusal_of(code))

    def _on_schema(self, seat: Seat, code: int, name: bytes, raw: bytes) -> None:
        refusal = refusal_of_schema(seat, name)
        if refusal is not None:
            self._refuse(seat, refusal)
        elif code == CommandCode.INIT_DB:
            seat.link.forward(code, raw)
        else:
            self._forward_write(seat, code, raw)

    def _on_query(self, seat: Seat, text: bytes, raw: bytes) -> None:
        if (
            seat.diagnostics is not None
            or not statements.is_read_at_once(seat, text)
            or statements.owner_of(seat, text) is not Owner.PASS
            or read_kill(text) is not None
            or statements.is_watched(seat, text)
        ):
            answer = self._new_answer(seat)
            self._answer(seat, statements.query(seat, text, raw, answer), answer)
        elif self._house.desk.writes_stalled(seat.tenant.tenant_id) and may_write(text):
            self._forward_write(seat, CommandCode.QUERY, raw)
        else:
            seat.link.forward(CommandCode.QUERY, raw)

    def _on_prepare(self, seat: Seat, text: bytes, raw: bytes) -> None:
        seat.diagnostics = None
        if (
            statements.is_read_at_once(seat, text)
            and statements.owner_of(seat, text) is Owner.PASS
            and read_kill(text) is None
            and not statements.is_watched(seat, text)
        ):
            seat.link.forward(CommandCode.STMT_PREPARE, raw)
        else:
            answer = self._new_answer(seat)
            self._answer(seat, statements.prepare(seat, text, raw, answer), answer)

    def _on_prepared(self, seat: Seat, code: int, payload: bytes, raw: bytes) -> None:
        statement_id = statements.statement_id_of(payload)
        if not statements.is_ours(statement_id):
            if code == CommandCode.STMT_CLOSE:
                seat.prepared.close(statement_id)
            if code == CommandCode.STMT_EXECUTE and statement_id in seat.prepared.making_ids:
                answer = self._new_answer(seat)
                self._answer(seat, statements.execute_making(seat, payload, answer), answer)
            elif code == CommandCode.STMT_EXECUTE:
                seat.diagnostics = None
                # What the engine's statement does is not known here, so while writes are held back all of them wait.
                self._forward_write(seat, code, raw)
            else:
                seat.link.forward(code, raw)
        elif code in (CommandCode.STMT_CLOSE, CommandCode.STMT_SEND_LONG_DATA):
            self._to_views_unanswered(seat, statement_id, raw)
            if code == CommandCode.STMT_CLOSE:
                seat.prepared.close(statement_id)
        else:
            answer = self._new_answer(seat, binary=True)
            self._answer(seat, statements.execute(seat, payload, answer), answer)

    def _to_views_unanswered(self, seat: Seat, statement_id: int, raw: bytes) -> EngineLink | None:
        """Pass on a command that has no answer, if it is about a statement on the views connection; return that link."""
        views = seat.views
        if statement_id & OWN_STATEMENT_BIT or views is None or views.link is None or views.link.is_lost:
            return None
        if statement_id not in seat.prepared.views:
            return None
        views.link.write(raw[:4] + statements.without_view_bit(raw[4:]))
        return views.link

    def _forward_write(self, seat: Seat, code: int, raw: bytes) -> None:
        """Forward what may change data, at once or when the tenant's writes are let through again."""
        if self._house.desk.writes_stalled(seat.tenant.tenant_id):
            answer = self._new_answer(seat)
            self._answer(seat, self._forward_later(seat, code, raw, answer), answer)
        else:
            seat.link.forward(code, raw)

    async def _forward_later(self, seat: Seat, code: int, raw: bytes, answer: Answer) -> None:
        if await statements.wait_while_stalled(seat, answer):
            seat.link.forward(code, raw)
        else:
            self._flows_to = None

    def _on_opening(self, opening: Opening) -> None:
        """A command too long to be read whole: data for the engine."""
        seat = cast(Seat, self._seat)
        head = opening.head
        code = head[0]
        is_text = code in (CommandCode.QUERY, CommandCode.STMT_PREPARE)
        self._flow_watch = FlowWatch(self._house.settings.own_view_names) if is_text and seat.tenant.is_sys else None
        statement_id = statements.statement_id_of(head) if code in _ABOUT_STATEMENTS else 0
        if statements.is_ours(statement_id):
            if code == CommandCode.STMT_SEND_LONG_DATA:
                self._flows_to = self._to_views_unanswered(seat, statement_id, opening.raw)
            else:
                self._flows_to = None
                self._refuse(seat, refusals.VIEW_TEXT_TOO_LONG)
            return
        if code not in (CommandCode.QUERY, CommandCode.STMT_PREPARE) and code not in _ABOUT_STATEMENTS:
            self._flows_to = None
            self._refuse(seat, _refusal_of(code))
            return
        if is_text and hides_beginning(head[1:]):
            self._flows_to = None
            self._refuse(seat, refusals.TEXT_TOO_LONG)
            return
        if is_text and (refusal := refusal_of_head(seat, head[1:])) is not None:
            self._flows_to = None
            self._refuse(seat, refusal)
            return
        self._flows_to = seat.link
        if code != CommandCode.STMT_SEND_LONG_DATA:
            seat.diagnostics = None
        if code == CommandCode.STMT_EXECUTE or (code == CommandCode.QUERY and may_write(head[1:])):
            self._forward_write(seat, code, opening.raw)
        else:
            seat.link.forward(code, opening.raw)

    def _new_answer(self, seat: Seat, *, binary: bool = False) -> Answer:
        answer = Answer(self._send, binary=binary)
        answer.status = seat.status
        return answer

    def _refuse(self, seat: Seat, error: ServerError) -> None:
        """Answer with an error, in its turn."""

        answer = self._new_answer(seat)

        async def refuse() -> None:
            await seat.link.settled()
            answer.error(error)

        self._answer(seat, refuse(), answer)

    # --- COM_CHANGE_USER

    def _on_change_user(self, seat: Seat, body: bytes) -> None:
        """Log in anew: another engine perhaps, and certainly another scramble."""
        self._inbox = Inbox(self._hold_login)
        self._inbox.feed(self._conversation.take_rest())
        self._begin(self._change_user(seat, body))

    async def _change_user(self, seat: Seat, body: bytes) -> None:
        await seat.link.settled()
        response = decode_change_user(body, seat.login_capabilities)
        patience = Patience(self._house.settings.login_seconds_max)
        try:
            entry = await lead_in(self._house, self._visitor(patience, sequence=0), response, instead=seat.place)
        except LoginEndedError:
            # As a MySQL server does: who fails to change user has lost the session.
            self.close()
            return
        self._house.registry.remove(self.client_id)
        seat.close()
        self._sit_down(take_seat(self._house, self.client_id, entry))

    # --- work

    def _answer(self, seat: Seat, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        """Answer a command in a task of its own; what the client sends meanwhile waits. What `work` raises is answered too."""
        self._begin(statements.answered(seat, work, answer), work)

    def _begin(self, work: Coroutine[Any, Any, None], *inner: Coroutine[Any, Any, None]) -> None:
        """Do what a command asks in a task of its own; what it raises ends the connection. `inner`: what `work` awaits."""
        self._work = asyncio.get_running_loop().create_task(self._run(work))
        # A task that is cancelled before its first step awaits nothing: what was made for it is closed here.
        for coroutine in (work, *inner):
            self._work.add_done_callback(partial(_closed, coroutine))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (LinkLostError, TimeoutError):
            self.close()
        except MalformedPacketError as error:
            self._confused(error)
        except Exception:  # noqa: BLE001 - whatever broke ends this connection, never the others
            _LOG.exception("connection %s closed", self.client_id)
            self.abort()
        finally:
            self._work = None
        if self._is_closed:
            return
        self._hold_input("work", False)
        self._pump()


def _refusal_of(code: int) -> ServerError:
    try:
        return _REFUSED.get(CommandCode(code), refusals.UNKNOWN_COMMAND)
    except ValueError:
        return refusals.UNKNOWN_COMMAND


def _closed(coroutine: Coroutine[Any, Any, None], _: "asyncio.Task[None]") -> None:
    """Close what a task that has ended never came to await."""
    coroutine.close()
