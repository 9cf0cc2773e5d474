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

# The offset is taken as a difference of two clocks, so zones with names and SYSTEM need no table here.
_FACTS = (
    "select @@session.time_zone, timestampdiff(second, utc_timestamp(), now()), database(),"
    " @@session.character_set_client, @@session.character_set_results, @@session.collation_connection,"
    " @@session.sql_mode"
    " limit 1"  # or the session's sql_select_limit counts, which may be 0
)
_FACT_COUNT = 7
_GRANTS = "show grants"
# A grant of the whole instance. Privileges are plain words: a quote or backtick before the place is part of a name, and
# a database or user may be called whatever its maker wants to be granted.
_INSTANCE_GRANT = re.compile(r"GRANT (?P<privileges>[A-Z ,]+?) ON \*\.\* TO ")
_MAY_ALTER_SYSTEM = re.compile(r"(?:^|, )(?:ALL PRIVILEGES|ALTER SYSTEM|SUPER)(?:,|$)")
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


async def _query(link: EngineLink, text: str, column_count: int) -> _Rows:
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

    await link.ask(CommandCode.QUERY.to_bytes(1, "little") + text.encode("ascii"), take)
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


async def ask_may_alter_system(link: EngineLink) -> bool:
    """Return whether the engine grants this session's user ALTER SYSTEM, by that name or within a larger one."""
    answer = await _query(link, _GRANTS, 1)
    return any(row[0] is not None and grants_alter_system(row[0].decode("utf-8", "replace")) for row in answer.rows)


def grants_alter_system(grant: str) -> bool:
    """Return whether a row of SHOW GRANTS allows ALTER SYSTEM."""
    match = _INSTANCE_GRANT.match(grant.replace("\0", ""))
    return match is not None and _MAY_ALTER_SYSTEM.search(match["privileges"]) is not None
