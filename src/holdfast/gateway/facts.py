"""What the engine knows of a client's session, asked on that client's own connection.

The client never sees these questions; its transaction, its variables and its last insert id stay as they are. Asking
instead of tracking SET, USE and their like means that whatever changed them, the engine's word counts.
"""

import re
from dataclasses import dataclass
from datetime import timedelta, timezone

from holdfast.gateway.charsets import charset_named
from holdfast.gateway.link import EngineLink
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import CommandCode, Status
from holdfast.mysql.packets import ServerError, decode_error, status_of
from holdfast.mysql.response import Received, Role
from holdfast.mysql.resultset import ResultCharset, decode_text_row
from holdfast.values.grants import Grants, is_of_role, parse_grants

# The offset is taken as a difference of two clocks, so zones with names and SYSTEM need no table here.
_FACTS = (
    b"select @@session.time_zone, timestampdiff(second, utc_timestamp(), now()), database(),"
    b" @@session.character_set_client, @@session.character_set_results, @@session.collation_connection,"
    b" @@session.sql_mode"
    b" limit 1"  # or the session's sql_select_limit counts, which may be 0
)
_FACT_COUNT = 7
_GRANTS = b"show grants"
# As the engine writes them; one whose name holds a backtick is not asked for, and opens nothing.
_ROLES = re.compile(rb"`[^`]+`@`[^`]*`(?:, ?`[^`]+`@`[^`]*`)*")
# The hint: with a tenant's `ob_query_timeout` of a microsecond nobody could come in to mend it.
_INVITED = b"select /*+ query_timeout(10000000) */ @@global.ob_tcp_invited_nodes limit 1"
_OFFSET_SECONDS_MAX = 14 * 3600
# Answers of ours are a few rows; a user has one grant per database or table.
_ROWS_MAX = 10_000


class EngineRefusedError(Exception):
    """The engine answered a question of ours with an error. The client gets it as the answer to its own statement."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one session, now. `results_charset` is empty when the client wants results unconverted."""

    time_zone: str
    offset_seconds: int
    database: str
    client_charset: str
    results_charset: str
    collation: str
    sql_mode: str
    status: Status

    @property
    def fixed_zone(self) -> timezone:
        """Return the session's offset from UTC as it is now."""
        return timezone(timedelta(seconds=self.offset_seconds))

    @property
    def results(self) -> ResultCharset:
        """Return how this client reads texts."""
        return charset_named(self.results_charset or self.client_charset)


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: list[tuple[bytes | None, ...]]
    status: Status


async def _query(link: EngineLink, text: bytes, column_count: int) -> _Rows:
    """Return the rows of a question of ours. Raises EngineRefusedError, LinkLostError."""
    rows: list[tuple[bytes | None, ...]] = []
    refused: list[ServerError] = []
    status = Status.AUTOCOMMIT

    def take(received: list[Received]) -> None:
        nonlocal status
        for packet in received:
            if packet.role is Role.ERROR:
                refused.append(decode_error(packet.payload))
            elif packet.role is Role.ROW and len(rows) < _ROWS_MAX:
                rows.append(decode_text_row(packet.payload, column_count))
            elif packet.role is Role.ROWS_END:
                status = status_of(packet.payload)

    await link.ask(CommandCode.QUERY.to_bytes(1, "little") + text, take)
    if refused:
        raise EngineRefusedError(refused[0])
    return _Rows(rows, status)


async def ask_facts(link: EngineLink) -> Facts:
    """Return the session's facts. Raises EngineRefusedError, LinkLostError."""
    answer = await _query(link, _FACTS, _FACT_COUNT)
    if len(answer.rows) != 1:
        raise MalformedPacketError(f"session facts: expected 1 row, found {len(answer.rows)}")
    raw = answer.rows[0]
    # UTF-16 results double every ASCII letter with a NUL; then the name of the charset says how to read the rest.
    encoding = "utf-16-be" if b"\0" in (raw[0] or b"") else "ascii"
    results_charset = (raw[4] or b"").decode(encoding, "replace")
    encoding = charset_named(results_charset).encoding if results_charset else "utf-8"
    cells = [(cell or b"").decode(encoding, "replace") for cell in raw]
    offset_seconds = int(cells[1])
    if abs(offset_seconds) > _OFFSET_SECONDS_MAX:
        raise MalformedPacketError(f"session facts: expected an offset of at most 14 hours, found {offset_seconds} s")
    return Facts(
        time_zone=cells[0],
        # Both clocks are read in one statement, yet may differ by a second's edge; zones are whole minutes.
        offset_seconds=round(offset_seconds / 60) * 60,
        database=cells[2],
        client_charset=cells[3],
        results_charset=results_charset,
        collation=cells[5],
        sql_mode=cells[6],
        status=answer.status,
    )


async def ask_grants(link: EngineLink) -> Grants:
    """Return what the engine grants this session's user now. Raises EngineRefusedError, LinkLostError."""
    rows = await _grants(link, _GRANTS)
    if any(is_of_role(row) for row in rows):
        # A role counts where it is active, and only a question that names it tells what it holds.
        active = await _query(link, b"select current_role(), current_user() limit 1", 2)
        roles, account = ((cell or b"").replace(b"\0", b"") for cell in active.rows[0])
        user, _, host = account.rpartition(b"@")
        if _ROLES.fullmatch(roles) and b"`" not in account:
            rows = await _grants(link, b"%s for `%s`@`%s` using %s" % (_GRANTS, user, host, roles))
    return parse_grants(rows)


async def _grants(link: EngineLink, text: bytes) -> list[str]:
    answer = await _query(link, text, 1)
    return [row[0].replace(b"\0", b"").decode("utf-8", "replace") for row in answer.rows if row[0] is not None]


async def ask_warnings(link: EngineLink) -> list[tuple[str, int, str]]:
    """Return the engine's warnings of the statement before: level, code, message. Raises EngineRefusedError, LinkLostError."""
    answer = await _query(link, b"show warnings", 3)
    cells = [[(cell or b"").replace(b"\0", b"").decode("utf-8", "replace") for cell in row] for row in answer.rows]
    return [(level, int(code), message) for level, code, message in cells]


async def ask_invited_nodes(link: EngineLink) -> str:
    """Return the tenant's `ob_tcp_invited_nodes`. Raises EngineRefusedError, LinkLostError."""
    answer = await _query(link, _INVITED, 1)
    # A client whose results are UTF-16 gets a NUL beside each letter.
    return (answer.rows[0][0] or b"").replace(b"\0", b"").decode("latin-1") if answer.rows else ""


async def ask_variable(link: EngineLink, variable: bytes) -> bytes:
    """Return a user variable's text, `variable` as the client wrote it. Raises EngineRefusedError, LinkLostError."""
    answer = await _query(link, b"select %s limit 1" % variable, 1)
    return (answer.rows[0][0] or b"").replace(b"\0", b"") if answer.rows else b""
