"""Statements that are not simply passed on: Holdfast's own, dictionary views, texts that mix them, and KILL.

Each runs while its connection reads no further command. Answers go through `Answer`, so the same code serves a single
statement, one of several in a text, and a prepared one.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.gateway import refusals
from holdfast.gateway.answer import Answer, columns_of
from holdfast.gateway.charsets import BYTE_CODEC, KEEP, charset_named, lexing_codec
from holdfast.gateway.diagnostics import Diagnostics
from holdfast.gateway.facts import (
    EngineRefusedError,
    Facts,
    ask_facts,
    ask_grants,
    ask_variable,
    ask_warnings,
)
from holdfast.gateway.house import READ_ON_LOOP_BYTES_MAX
from holdfast.gateway.kill import is_gateway_id
from holdfast.gateway.link import LinkLostError
from holdfast.gateway.own_guard import is_guarded, require_hands_off
from holdfast.gateway.prepared import OWN_STATEMENT_BIT, OwnStatement
from holdfast.gateway.reads import may_write
from holdfast.gateway.seat import Seat
from holdfast.gateway.sys_trap import (
    WARNING,
    Executing,
    Making,
    Preparing,
    concerns,
    is_several,
    makes_user_data,
    read_trap,
    warning_count_of,
    with_one_more_warning,
)
from holdfast.gateway.views import VIEW_STATEMENT_BIT, ViewsConnection, ViewsUnavailableError, names_mentioned
from holdfast.mysql.conversation import WHOLE_BYTES_MAX
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.packets import decode_prepare_ok
from holdfast.mysql.response import Received, Role
from holdfast.mysql.resultset import ResultColumn
from holdfast.statement.commands import Command, PreviewObsolete, ShowParameters, ShowRestorePreview, ShowTenants
from holdfast.statement.gate import Owner, Ownership, is_plain, ownership, refusal_of_prepared
from holdfast.statement.kill import Kill, read_kill
from holdfast.statement.parser import parse
from holdfast.statement.split import split
from holdfast.values.grants import Right

_LOG = logging.getLogger(__name__)

# How often a write that is held back looks again: far below what a person or a timeout notices.
STALL_POLL_SECONDS = 0.1
# Commands that only read, so that running them while preparing tells their columns and changes nothing.
_READING_COMMANDS = (ShowTenants, ShowParameters, ShowRestorePreview, PreviewObsolete)

_QUERY = CommandCode.QUERY.to_bytes(1, "little")
_PREPARE = CommandCode.STMT_PREPARE.to_bytes(1, "little")
_PLAIN_BYTES_MAX = 1 << 16
"""Up to here it is looked at on the loop whether a text is plain: 3 ms at the most."""


def is_read_at_once(seat: Seat, text: bytes) -> bool:
    """Return whether whose statement `text` is may be asked on the loop: of a short text, and of a longer one that is plainly data or
    a query of a user tenant's. All others are told on a thread (`Seat.read`)."""
    if len(text) <= READ_ON_LOOP_BYTES_MAX:
        return True
    is_bytes = seat.lexing_codec == BYTE_CODEC
    return is_bytes and not seat.tenant.is_sys and len(text) <= _PLAIN_BYTES_MAX and is_plain(text)


def owner_of(seat: Seat, text: bytes) -> Owner:
    """Return whose statement `text` is."""
    return _ownership(seat, text).owner


def _ownership(seat: Seat, text: bytes) -> Ownership:
    return ownership(_lexed(seat, text), seat.view_names)


def _lexed(seat: Seat, text: bytes) -> bytes | str:
    """Return the text as the lexer may read it: bytes where that is safe, else decoded."""
    return text if seat.lexing_codec == BYTE_CODEC else text.decode(seat.lexing_codec, "replace")


async def answered(seat: Seat, work: Coroutine[Any, Any, None], answer: Answer) -> None:
    """Carry out `work`. Whatever it raises is the answer, as an error packet, and the connection goes on.

    Raises LinkLostError and MalformedPacketError of the client's own engine, and any other error after which the next answer could
    not be told from this one: then nothing is left but to hang up.
    """
    seat.is_interrupted = False
    try:
        await work
        return
    except (LinkLostError, MalformedPacketError):
        raise
    except (EngineRefusedError, ViewsUnavailableError) as refused:
        error = refused.error
    except HoldfastError as refused:
        error = refusals.error_of(refused)
    except Exception:
        if not seat.link.is_in_step:
            raise
        _LOG.exception("connection %s: a command failed unexpectedly", seat.client_id)
        error = refusals.INTERNAL
    if answer.is_ended:
        _LOG.warning("connection %s: after its answer a command met error %d", seat.client_id, error.number)
        return
    await seat.link.settled()
    answer.error(error)


def is_watched(seat: Seat, text: bytes) -> bool:
    """Return whether `text` is looked at before the engine gets it, though it is the engine's."""
    return is_sys_trap(seat, text) or is_guarded(seat, text)


def is_sys_trap(seat: Seat, text: bytes) -> bool:
    """Return whether `text` has to do with making something in sys, where nothing is backed up."""
    return seat.tenant.is_sys and concerns(text, seat.lexing_codec, seat.prepared.making_names)


async def query(seat: Seat, text: bytes, raw: bytes, answer: Answer) -> None:
    """Answer one COM_QUERY. `raw` is its packet, for the case that it is the engine's after all."""
    owned = await seat.read(text, lambda: _ownership(seat, text))
    if owned.owner is Owner.SCRIPT:
        # The engine takes several statements whether the client announced them or not (measured on 1.4.0).
        is_taken = seat.takes_scripts or not await seat.read(text, lambda: _is_for_us(seat, text))
        await _script(seat, text, answer, is_taken=is_taken)
    elif is_several(text) and await seat.read(text, lambda: is_sys_trap(seat, text)):
        await _script(seat, text, answer, is_taken=True)
    else:
        await _statement(seat, text, answer, raw, owned)


def _is_for_us(seat: Seat, text: bytes) -> bool:
    """Return whether one of several statements is answered here."""
    pieces = split(text.decode(seat.lexing_codec, "replace"))
    return any(ownership(piece.text, seat.view_names).owner in (Owner.OURS, Owner.VIEW) for piece in pieces)


async def _script(seat: Seat, text: bytes, answer: Answer, *, is_taken: bool) -> None:
    """Run the statements of a text in order, one result each, until one fails."""
    codec = seat.lexing_codec

    def parted() -> list[bytes]:
        return [piece.text.encode(codec, KEEP) for piece in split(text.decode(codec, KEEP))]

    pieces = await seat.read(text, parted)
    if len(pieces) > 1 and not is_taken:
        answer.error(refusals.several_statements(pieces[1].decode("utf-8", "replace")))
        return
    for number, piece in enumerate(pieces, 1):
        answer.has_more = number < len(pieces)
        await asyncio.sleep(0)  # what is answered here, SHOW WARNINGS, waits for nobody
        if not await _statement(seat, piece, answer, None):
            return


async def _statement(
    seat: Seat, text: bytes, answer: Answer, raw: bytes | None, owned: Ownership | None = None
) -> bool:
    """Run one statement; return whether the next one of its text may run. `owned`: whose it is, where that has been told."""
    diagnostics, seat.diagnostics = seat.diagnostics, None
    if diagnostics is not None and diagnostics.answer(text, answer):
        seat.diagnostics = diagnostics
        return True
    await require_hands_off(seat, text)
    if owned is None:
        owned = await seat.read(text, lambda: _ownership(seat, text))
    match owned.owner:
        case Owner.OURS:
            return await _owned(seat, text, answer)
        case Owner.VIEW:
            return await _view(seat, text, answer, raw)
        case Owner.REFUSED:
            await seat.link.settled()
            answer.error(refusals.not_allowed(owned.reason))
            return False
        case Owner.PREPARE:
            refusal = await _refusal_of_variable(seat, owned)
            if refusal:
                answer.error(refusals.not_allowed(refusal))
                return False
    kill = read_kill(text)
    if kill is not None:
        return await _kill(seat, kill, text, answer)
    return await _pass(seat, text, answer, raw)


async def _refusal_of_variable(seat: Seat, owned: Ownership) -> str:
    """Return why the engine must not prepare what a variable of this session holds, empty if it may."""
    held = await ask_variable(seat.link, owned.reason.encode("latin-1"))
    if len(held) > WHOLE_BYTES_MAX:
        return "a text of more than 1 MiB in a variable"
    return await seat.read(held, lambda: refusal_of_prepared(held))


# --- the engine's


async def _pass(seat: Seat, text: bytes, answer: Answer, raw: bytes | None) -> bool:
    """Let the engine answer: as it is, or under this answer's numbers when it is one of several."""
    if await seat.read(text, lambda: may_write(text)) and not await wait_while_stalled(seat, answer):
        return False
    if seat.tenant.is_sys:
        match read_trap(text):
            case Making():
                return await _pass_warned(seat, _QUERY + text, answer)
            case Executing(name) if name in seat.prepared.making_names:
                return await _pass_warned(seat, _QUERY + text, answer)
            case Preparing() as preparing:
                return await _pass_preparing(seat, preparing, text, answer)
    if raw is not None:
        seat.link.forward(CommandCode.QUERY, raw)
        return True
    return await _ask(seat, _QUERY + text, answer)


async def _pass_preparing(seat: Seat, preparing: Preparing, text: bytes, answer: Answer) -> bool:
    """Let the engine answer a PREPARE in sys, and remember whether what it prepared makes something."""
    prepared = preparing.text or await ask_variable(seat.link, preparing.variable)
    await require_hands_off(seat, prepared)
    if not await _ask(seat, _QUERY + text, answer):
        return False
    names = seat.prepared.making_names
    seat.prepared.note_making(names, preparing.name, makes=makes_user_data(prepared))
    return True


async def _pass_warned(seat: Seat, payload: bytes, answer: Answer) -> bool:
    """Let the engine answer a command, and warn that it made something where nothing is backed up. SHOW WARNINGS then tells both."""
    failed = False
    counted = 0

    def take(received: list[Received]) -> None:
        nonlocal failed, counted
        failed = failed or any(packet.role is Role.ERROR for packet in received)
        counted += sum(warning_count_of(packet.payload) for packet in received if packet.role is Role.OK)
        answer.relay(
            [
                replace(packet, payload=with_one_more_warning(packet.payload)) if packet.role is Role.OK else packet
                for packet in received
            ]
        )

    await seat.link.ask(payload, take)
    if failed:
        return False
    told = await ask_warnings(seat.link) if counted else ()
    seat.diagnostics = Diagnostics((WARNING,), told=told)
    return True


async def _ask(seat: Seat, payload: bytes, answer: Answer) -> bool:
    """Relay the engine's answer to a command; return whether it was no error."""
    failed = False

    def take(received: list[Received]) -> None:
        nonlocal failed
        failed = failed or any(packet.role is Role.ERROR for packet in received)
        answer.relay(received)

    await seat.link.ask(payload, take)
    return not failed


async def wait_while_stalled(seat: Seat, answer: Answer) -> bool:
    """Hold a write back while its tenant's archive must catch up first. Return False when it was interrupted instead.

    A KILL QUERY ends the wait; so does the end of the connection, by ending this task.
    """
    seat.is_interrupted = False
    while seat.house.desk.writes_stalled(seat.tenant.tenant_id):
        await asyncio.sleep(STALL_POLL_SECONDS)
        if seat.is_interrupted:
            answer.error(refusals.INTERRUPTED)
            return False
    return True


# --- Holdfast's own


async def _facts(seat: Seat, answer: Answer) -> Facts:
    """Return the session's facts, and write this answer as that session wants it."""
    facts = await ask_facts(seat.link)
    answer.charset = facts.results
    answer.status = seat.status = facts.status
    seat.lexing_codec = lexing_codec(facts.client_charset)
    return facts


async def _meet_desk(seat: Seat, facts: Facts) -> None:
    """Tell the desk's session what the engine says of it now."""
    session = seat.session
    session.grants = await ask_grants(seat.link)
    session.time_zone = facts.fixed_zone
    session.database = facts.database


async def _owned(seat: Seat, text: bytes, answer: Answer) -> bool:
    facts = await _facts(seat, answer)
    await _meet_desk(seat, facts)
    session, desk = seat.session, seat.house.desk
    statement = text.decode(charset_named(facts.client_charset).encoding, "replace")
    try:
        command = await seat.read(statement, lambda: parse(statement))
        reply = await seat.house.on_desk(seat.tenant, lambda: desk.execute(session, command))
    except HoldfastError as refused:
        error = refusals.error_of(refused)
        answer.error(error)
        seat.diagnostics = Diagnostics(error=error)
        return False
    answer.reply(reply)
    seat.diagnostics = Diagnostics(reply.warnings)
    return True


# --- dictionary views


async def _view(seat: Seat, text: bytes, answer: Answer, raw: bytes | None) -> bool:
    """Ask the sys engine where the text names a view, else the client's own."""
    views = seat.views
    if views is None:
        codec = seat.lexing_codec
        named = await seat.read(text, lambda: names_mentioned(text.decode(codec, "replace"), seat.view_names))
        await _refresh(seat, named)
        return await _pass(seat, text, answer, raw)
    seat.is_interrupted = False
    facts = await _facts(seat, answer)
    substituted = await views.substitute(text, seat.lexing_codec, facts)
    if substituted is None:
        return await _pass(seat, text, answer, raw)
    views.require_visible(substituted.names, await ask_grants(seat.link))
    if seat.is_interrupted:
        answer.error(refusals.INTERRUPTED)
        return False
    return await _ask_views(seat, views, _QUERY + substituted.text, substituted.names, facts, answer)


async def _ask_views(
    seat: Seat, views: ViewsConnection, payload: bytes, names: tuple[str, ...], facts: Facts | None, answer: Answer
) -> bool:
    """Relay the views connection's answer to a command; return whether it was no error."""
    failed = False

    def take(received: list[Received]) -> None:
        nonlocal failed
        failed = failed or any(packet.role is Role.ERROR for packet in received)
        answer.relay(received)

    seat.is_asking_views = True
    try:
        await views.ask(payload, names, facts, take)
    finally:
        seat.is_asking_views = False
    return not failed


async def _refresh(seat: Seat, names: tuple[str, ...]) -> None:
    desk, tenant = seat.house.desk, seat.tenant

    def refresh() -> None:
        for name in names:
            desk.before_view(tenant, name)

    await seat.house.on_desk(tenant, refresh)


# --- KILL


async def _kill(seat: Seat, kill: Kill, text: bytes, answer: Answer) -> bool:
    if not is_gateway_id(kill.connection_id):
        return await _kill_by(seat, kill.connection_id, lambda _: _QUERY + text, answer)
    return await _kill_by(seat, kill.connection_id, lambda engine_id: _QUERY + kill.text_for(engine_id), answer)


async def process_kill(seat: Seat, payload: bytes, answer: Answer) -> None:
    """Answer a COM_PROCESS_KILL: the command byte and 4 bytes of id."""
    connection_id = int.from_bytes(payload[1:5], "little")
    await _kill_by(seat, connection_id, lambda engine_id: payload[:1] + engine_id.to_bytes(4, "little"), answer)


async def _kill_by(seat: Seat, connection_id: int, command: Callable[[int], bytes], answer: Answer) -> bool:
    """Let the engine kill, whom its user may kill: one of his own, with SUPER any client of his tenant. The engine would ask for no
    privilege (measured on 1.4.0). Then end what the victim waits for inside the gateway.

    The killer is answered last. It may hang up on the answer, and that would end this task before the victim's wait.
    """
    victim = seat.house.registry.find(connection_id, seat.tenant.tenant_id)
    if victim is None:
        # Every client's session is known here: an engine's id of nobody's is Holdfast's own, which nobody ends, root@sys neither.
        await seat.link.settled()
        answer.error(refusals.unknown_thread(connection_id))
        return False
    if victim.user != seat.user and not (await ask_grants(seat.link)).allow(Right.SUPER):
        answer.error(refusals.not_owner(connection_id))
        return False
    received: list[Received] = []
    await seat.link.ask(command(victim.engine_connection_id), received.extend)
    failed = any(packet.role is Role.ERROR for packet in received)
    if not failed:
        await victim.interrupt()
    answer.relay(received)
    return not failed


# --- prepared statements


async def prepare(seat: Seat, text: bytes, raw: bytes, answer: Answer) -> None:
    """Answer a COM_STMT_PREPARE of a text that is not simply the engine's."""
    seat.diagnostics = None
    await require_hands_off(seat, text)
    owned = await seat.read(text, lambda: _ownership(seat, text))
    if read_kill(text) is not None:
        await seat.link.settled()
        answer.error(refusals.NOT_PREPARABLE)
        return
    match owned.owner:
        case Owner.OURS:
            await _prepare_owned(seat, text, answer)
        case Owner.VIEW:
            await _prepare_view(seat, text, raw, answer)
        case Owner.PASS if seat.tenant.is_sys and isinstance(read_trap(text), Preparing):
            # Executed later, it would prepare what a variable holds then.
            await seat.link.settled()
            answer.error(refusals.NOT_PREPARABLE)
        case Owner.PASS if seat.tenant.is_sys and makes_user_data(text):
            await _prepare_making(seat, text, answer)
        case Owner.PASS:
            seat.link.forward(CommandCode.STMT_PREPARE, raw)
        case Owner.REFUSED:
            await seat.link.settled()
            answer.error(refusals.not_allowed(owned.reason))
        case Owner.SCRIPT | Owner.PREPARE:
            await seat.link.settled()
            answer.error(refusals.NOT_PREPARABLE)


async def _prepare_making(seat: Seat, text: bytes, answer: Answer) -> None:
    """Let the engine prepare what makes something in sys, and remember its id."""

    def take(received: list[Received]) -> None:
        for packet in received:
            if packet.role is Role.PREPARE_OK:
                statement_id = decode_prepare_ok(packet.payload).statement_id
                seat.prepared.note_making(seat.prepared.making_ids, statement_id, makes=True)
        answer.relay(received)

    await seat.link.ask(_PREPARE + text, take)


async def execute_making(seat: Seat, payload: bytes, answer: Answer) -> None:
    """Answer EXECUTE of a statement of the engine's that makes something in sys."""
    seat.diagnostics = None
    await _pass_warned(seat, payload, answer)


async def _prepare_owned(seat: Seat, text: bytes, answer: Answer) -> None:
    """Keep the text under an id of our own. Its columns are those a reading command has now; others have none."""
    facts = await _facts(seat, answer)
    if seat.prepared.is_full:
        answer.error(refusals.TOO_MANY_PREPARED)
        return
    await _meet_desk(seat, facts)
    statement = text.decode(charset_named(facts.client_charset).encoding, "replace")
    session, desk = seat.session, seat.house.desk

    command: Command = await seat.read(statement, lambda: parse(statement))

    def columns_now() -> tuple[ResultColumn, ...]:
        return columns_of(desk.execute(session, command)) if isinstance(command, _READING_COMMANDS) else ()

    columns = await seat.house.on_desk(seat.tenant, columns_now)
    answer.prepared(seat.prepared.add(OwnStatement(text)), columns)


async def _prepare_view(seat: Seat, text: bytes, raw: bytes, answer: Answer) -> None:
    """Prepare on the views connection; the id the client gets has a bit more, so that it comes back here."""
    views = seat.views
    if views is None:
        seat.link.forward(CommandCode.STMT_PREPARE, raw)
        return
    facts = await _facts(seat, answer)
    substituted = await views.substitute(text, seat.lexing_codec, facts)
    if substituted is None:
        seat.link.forward(CommandCode.STMT_PREPARE, raw)
        return
    if seat.prepared.is_full:
        answer.error(refusals.TOO_MANY_PREPARED)
        return
    names = substituted.names
    views.require_visible(names, await ask_grants(seat.link))

    def take(received: list[Received]) -> None:
        answer.relay([_with_view_bit(packet, seat, names) for packet in received])

    await views.ask(_PREPARE + substituted.text, (), facts, take)


def _with_view_bit(packet: Received, seat: Seat, names: tuple[str, ...]) -> Received:
    if packet.role is not Role.PREPARE_OK:
        return packet
    statement_id = decode_prepare_ok(packet.payload).statement_id | VIEW_STATEMENT_BIT
    seat.prepared.views[statement_id] = names
    payload = packet.payload[:1] + statement_id.to_bytes(4, "little") + packet.payload[5:]
    return Received(packet.role, packet.sequence, payload, packet.ends)


def statement_id_of(payload: bytes) -> int:
    """Return the id in a command about a prepared statement, 0 when it is too short to hold one."""
    return int.from_bytes(payload[1:5], "little") if len(payload) >= 5 else 0


def is_ours(statement_id: int) -> bool:
    """Return whether the engine never gave out this id."""
    return bool(statement_id & (VIEW_STATEMENT_BIT | OWN_STATEMENT_BIT))


def without_view_bit(payload: bytes) -> bytes:
    """Return a command about a prepared statement with the id the views connection knows."""
    statement_id = statement_id_of(payload) & ~VIEW_STATEMENT_BIT
    return payload[:1] + statement_id.to_bytes(4, "little") + payload[5:]


async def execute(seat: Seat, payload: bytes, answer: Answer) -> None:
    """Answer EXECUTE, RESET or FETCH of a statement the client's engine does not know."""
    await seat.link.settled()
    statement_id, code = statement_id_of(payload), CommandCode(payload[0])
    if statement_id & VIEW_STATEMENT_BIT:
        await _execute_view(seat, payload, statement_id, answer)
        return
    statement = seat.prepared.find(statement_id)
    if statement is None or code is CommandCode.STMT_FETCH:
        answer.error(refusals.unknown_statement(statement_id, _SPOKEN[code]))
    elif code is CommandCode.STMT_RESET:
        answer.status = seat.status
        answer.ok()
    else:
        seat.diagnostics = None
        await _owned(seat, statement.text, answer)


_SPOKEN = {
    CommandCode.STMT_EXECUTE: "mysqld_stmt_execute",
    CommandCode.STMT_FETCH: "mysqld_stmt_fetch",
    CommandCode.STMT_RESET: "mysqld_stmt_reset",
}


async def _execute_view(seat: Seat, payload: bytes, statement_id: int, answer: Answer) -> None:
    names = seat.prepared.views.get(statement_id)
    views = seat.views
    if names is None or views is None or views.link is None or not views.link.is_in_step:
        # The views connection was lost meanwhile, and with it what was prepared there.
        answer.error(refusals.unknown_statement(statement_id, _SPOKEN[CommandCode(payload[0])]))
        return
    facts: Facts | None = None
    if payload[0] == CommandCode.STMT_EXECUTE:
        seat.diagnostics = None
        facts = await _facts(seat, answer)
        views.require_visible(names, await ask_grants(seat.link))
    else:
        names = ()
    await _ask_views(seat, views, without_view_bit(payload), names, facts, answer)
