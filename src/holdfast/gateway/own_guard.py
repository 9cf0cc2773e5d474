"""Nobody changes through the gateway what is Holdfast's own in the sys engine: here `statement.own_objects` is asked for each text; and
nobody reads there behind WITH what he may not read (`statement.common_table`).

A text is read as the engine will read it: by the charset and the SQL mode that the client's session has at that moment.
"""

from holdfast.gateway import refusals
from holdfast.gateway.charsets import charset_named
from holdfast.gateway.facts import EngineRefusedError, ask_facts, ask_grants
from holdfast.gateway.seat import Seat
from holdfast.gateway.views import LEXICAL_MODES
from holdfast.mysql.packets import ServerError
from holdfast.statement.common_table import has_common_table, may_have_common_table
from holdfast.statement.own_objects import hides_its_target, is_own_schema, may_touch, mentions, touched

_NAME_BYTES_MAX = 64
"""No name of ours is longer."""


def is_guarded(seat: Seat, text: bytes) -> bool:
    """Return whether `text` may be about something of Holdfast's own, so that it is not simply passed on."""
    return seat.tenant.is_sys and (may_touch(text) or may_have_common_table(text))


async def require_hands_off(seat: Seat, text: bytes) -> None:
    """Raise EngineRefusedError: 1227 when `text` would change, lock or give away what is Holdfast's, 1142 when it reads behind WITH and
    its user may not read everything. LinkLostError."""
    if not seat.tenant.is_sys or not await seat.read(text, lambda: is_guarded(seat, text)):
        return
    facts = await ask_facts(seat.link)
    encoding = charset_named(facts.client_charset).encoding
    read = await seat.read(text, lambda: text.decode(encoding, "replace"))
    if await seat.read(text, lambda: has_common_table(read)) and not (await ask_grants(seat.link)).may_select_all():
        raise EngineRefusedError(refusals.with_denied(seat.user))
    if not await seat.read(text, lambda: may_touch(text)):
        return
    for mode in facts.sql_mode.split(","):
        mark = LEXICAL_MODES.get(mode)
        if mark is not None and mark in read:
            what = f"a text with {mark} that names something of holdfast's under sql_mode {mode} is"
            raise EngineRefusedError(
                refusals.not_supported(f"{what} (quote names with backticks, or SET sql_mode = '')")
            )
    words = await seat.read(text, lambda: touched(read, seat.house.settings.own_view_names))
    if words:
        raise EngineRefusedError(refusals.own_and_read_only(words))


def refusal_of_schema(seat: Seat, name: bytes) -> ServerError | None:
    """Return why a client may not make this schema its session's, None where it may."""
    if not seat.tenant.is_sys:
        return None
    schema = name.rstrip(b"\0").decode("utf-8", "replace")
    return refusals.own_and_read_only(f"schema {schema}") if is_own_schema(schema) else None


def refusal_of_head(seat: Seat, head: bytes) -> ServerError | None:
    """Return why a text of data that is too long to be read whole may not pass, by its beginning; None where it may."""
    if not seat.tenant.is_sys:
        return None
    read = head.decode(seat.lexing_codec, "replace")
    if hides_its_target(read):
        return refusals.not_supported(
            "a text of more than 1 MiB that does not say at its beginning what it writes to is"
        )
    if has_common_table(read):
        return refusals.not_supported("a text of more than 1 MiB with a WITH clause is")
    words = touched(read, seat.house.settings.own_view_names)
    return refusals.own_and_read_only(words) if words else None


class FlowWatch:
    """Reads along with a text of data that is passed on unread, which may hold further statements."""

    def __init__(self, view_names: frozenset[str]) -> None:
        self._view_names = view_names
        self._tail = b""

    def finds(self, data: bytes) -> bool:
        """Return whether something of Holdfast's is named in what has come so far."""
        seen = self._tail + data
        self._tail = seen[-_NAME_BYTES_MAX:]
        return mentions(seen, self._view_names)
