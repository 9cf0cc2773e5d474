"""The answer to one command, as the client sees it: packets numbered from 1, results chained where there are several."""

from collections.abc import Callable, Sequence

from holdfast.jobs.reply import ColumnKind, Reply
from holdfast.mysql.flags import Status
from holdfast.mysql.framing import PAYLOAD_BYTES_MAX, frame, frame_all
from holdfast.mysql.packets import ServerError, encode_error, encode_ok, with_status
from holdfast.mysql.response import Received, Role
from holdfast.mysql.resultset import (
    UTF8MB4,
    Cell,
    ResultCharset,
    ResultColumn,
    columns_for,
    encode_prepare_answer,
    encode_result_set,
)

# The engine itself marks the end of the columns too.
_WITH_STATUS = frozenset({Role.OK, Role.COLUMNS_END, Role.ROWS_END})


class Answer:
    """Writes to one client. `has_more`: another result follows the one being written.

    `status` and `charset` are the client's session's, as far as they are known. `is_ended`: the client waits for nothing more of it,
    so whatever else were written would be taken for the answer to its next command.
    """

    __slots__ = ("_write", "binary", "charset", "has_more", "is_ended", "sequence", "status")

    def __init__(self, write: Callable[[bytes], None], *, binary: bool = False) -> None:
        self._write = write
        self.sequence = 1
        self.binary = binary
        self.charset: ResultCharset = UTF8MB4
        self.status = Status.AUTOCOMMIT
        self.has_more = False
        self.is_ended = False

    @property
    def _status(self) -> Status:
        return self.status | Status.MORE_RESULTS if self.has_more else self.status & ~Status.MORE_RESULTS

    def _send(self, payloads: list[bytes]) -> None:
        self._write(frame_all(self.sequence, payloads))
        self.sequence += sum(len(payload) // PAYLOAD_BYTES_MAX + 1 for payload in payloads)
        self.is_ended = not self.has_more

    def ok(self, *, affected: int = 0, warning_count: int = 0) -> None:
        self._send([encode_ok(affected=affected, status=self._status, warning_count=warning_count)])

    def error(self, error: ServerError) -> None:
        """End the answer: nothing follows an error."""
        self.has_more = False
        self._send([encode_error(error, encoding=self.charset.encoding)])

    def rows(self, columns: Sequence[ResultColumn], rows: Sequence[Sequence[Cell]], *, warning_count: int = 0) -> None:
        self._send(
            encode_result_set(
                columns,
                rows,
                charset=self.charset,
                binary=self.binary,
                status=self._status,
                warning_count=warning_count,
            )
        )

    def reply(self, reply: Reply) -> None:
        """Write what the desk answered."""
        if not reply.columns:
            self.ok(affected=reply.affected, warning_count=len(reply.warnings))
            return
        self.rows(columns_of(reply), reply.rows, warning_count=len(reply.warnings))

    def prepared(self, statement_id: int, columns: Sequence[ResultColumn]) -> None:
        """Write the answer to a COM_STMT_PREPARE."""
        self._send(encode_prepare_answer(statement_id, columns, charset=self.charset, status=self.status))

    def relay(self, received: list[Received]) -> None:
        """Pass on an engine's packets under this answer's numbers; results are chained if another follows."""
        parts: list[bytes] = []
        for packet in received:
            payload = packet.payload
            if self.has_more and packet.role in _WITH_STATUS:
                payload = with_status(payload, Status.MORE_RESULTS)
            if len(payload) == PAYLOAD_BYTES_MAX:
                # Continued by the next packet; `frame` would end it.
                parts += (b"\xff\xff\xff", (self.sequence & 0xFF).to_bytes(1, "little"), payload)
            else:
                parts.append(frame(self.sequence, payload))
            self.sequence += 1
            self.is_ended = packet.ends and (packet.role is Role.ERROR or not self.has_more)
        self._write(b"".join(parts))


def columns_of(reply: Reply) -> tuple[ResultColumn, ...]:
    """Return the headings of a reply."""
    return columns_for([(column.name, column.kind is ColumnKind.INTEGER) for column in reply.columns], reply.rows)
