"""What an engine answers to one command, told apart packet by packet.

Only used where the gateway must know where an answer ends: its own questions, texts with several statements, the views
connection, and clients that send the next command before the last answer. A plain relayed answer is never parsed.

Source: MySQL Internals Manual, "COM_QUERY Response", "COM_STMT_PREPARE Response", "COM_STMT_EXECUTE Response",
"COM_STMT_FETCH Response", "COM_FIELD_LIST Response".
"""

from dataclasses import dataclass
from enum import Enum

from holdfast.mysql.fields import FieldReader, MalformedPacketError
from holdfast.mysql.flags import CommandCode, Status
from holdfast.mysql.framing import HEADER_BYTES, PAYLOAD_BYTES_MAX
from holdfast.mysql.packets import (
    EOF_BYTES_MAX,
    EOF_MARK,
    ERROR_MARK,
    LOCAL_FILE_MARK,
    OK_MARK,
    decode_prepare_ok,
    status_of,
)


class Role(Enum):
    """What a packet of an answer is."""

    OK = "ok"
    ERROR = "error"
    COLUMN_COUNT = "column count"
    COLUMN = "column"
    COLUMNS_END = "end of columns"
    ROW = "row"
    ROWS_END = "end of rows"
    LOCAL_FILE = "asks for a file"
    PREPARE_OK = "prepare ok"
    TEXT = "text"
    CONTINUATION = "continuation"


@dataclass(frozen=True, slots=True)
class Received:
    """One packet. `ends`: the answer is complete with it. A payload of 16 MiB - 1 goes on in CONTINUATION packets."""

    role: Role
    sequence: int
    payload: bytes
    ends: bool = False


class _State(Enum):
    FIRST = "first packet of a result"
    COLUMNS = "column definitions"
    COLUMNS_END = "the end of the columns"
    ROWS = "rows"
    PREPARED = "first packet of a prepare answer"
    PREPARED_PARAMETERS = "parameters of a prepare answer"
    PREPARED_COLUMNS = "columns of a prepare answer"
    SIMPLE = "one packet"
    TEXT = "one text packet"
    FIELDS = "columns without a count"
    DONE = "nothing"


_BEGIN = {
    CommandCode.QUERY: _State.FIRST,
    CommandCode.STMT_EXECUTE: _State.FIRST,
    CommandCode.PROCESS_INFO: _State.FIRST,
    CommandCode.STMT_PREPARE: _State.PREPARED,
    CommandCode.STMT_FETCH: _State.ROWS,
    CommandCode.FIELD_LIST: _State.FIELDS,
    CommandCode.STATISTICS: _State.TEXT,
}


class ResponseParser:
    """Follows the answer to one command. Feed bytes, get whole packets; `is_done` after the last.

    Raises MalformedPacketError when a packet cannot come where it comes, or when the answer begins with another
    sequence than 1: then these are bytes of an earlier answer.
    """

    __slots__ = ("_buffer", "_column_count", "_columns_left", "_is_binary", "_is_continued", "_started", "_state")

    def __init__(self, command: int) -> None:
        try:
            self._state = _BEGIN.get(CommandCode(command), _State.SIMPLE)
        except ValueError:
            self._state = _State.SIMPLE
        self._is_binary = command in (CommandCode.STMT_EXECUTE, CommandCode.STMT_FETCH)
        self._buffer = b""
        self._columns_left = 0
        self._column_count = 0
        self._is_continued = False
        self._started = False

    @property
    def is_done(self) -> bool:
        return self._state is _State.DONE

    def rest(self) -> bytes:
        """Return bytes behind the answer's end and forget them: the next answer's."""
        rest, self._buffer = self._buffer, b""
        return rest

    def feed(self, data: bytes) -> list[Received]:
        """Return the packets that are whole now. Bytes behind the end are kept for `rest`."""
        buffer = self._buffer + data if self._buffer else data
        offset = 0
        received: list[Received] = []
        while self._state is not _State.DONE and len(buffer) - offset >= HEADER_BYTES:
            size_bytes = buffer[offset] | buffer[offset + 1] << 8 | buffer[offset + 2] << 16
            end = offset + HEADER_BYTES + size_bytes
            if end > len(buffer):
                break
            received.append(self._packet(buffer[offset + 3], buffer[offset + HEADER_BYTES : end]))
            offset = end
        self._buffer = buffer[offset:]
        return received

    def _packet(self, sequence: int, payload: bytes) -> Received:
        if not self._started:
            self._started = True
            if sequence != 1:
                raise MalformedPacketError(f"answer: expected its first packet to be number 1, found {sequence}")
        was_continued, self._is_continued = self._is_continued, len(payload) == PAYLOAD_BYTES_MAX
        if was_continued:
            # Only rows are this long, so the state of the answer is as it was.
            return Received(Role.CONTINUATION, sequence, payload)
        if not payload:
            raise MalformedPacketError(f"answer: expected {self._state.value}, found an empty packet")
        role = self._role(payload)
        return Received(role, sequence, payload, self._state is _State.DONE)

    def _role(self, payload: bytes) -> Role:
        """Return what `payload` is here, and go where it leads."""
        mark, state = payload[0], self._state
        if mark == ERROR_MARK and state is not _State.TEXT:
            self._state = _State.DONE
            return Role.ERROR
        is_eof = mark == EOF_MARK and len(payload) <= EOF_BYTES_MAX
        match state:
            case _State.FIRST:
                return self._first(payload)
            case _State.COLUMNS:
                return self._column(_State.COLUMNS_END)
            case _State.COLUMNS_END if is_eof:
                # With a cursor the rows stay on the server until they are fetched.
                has_rows = not (self._is_binary and status_of(payload) & Status.CURSOR_EXISTS)
                self._state = _State.ROWS if has_rows else _State.DONE
                return Role.COLUMNS_END
            case _State.ROWS if is_eof:
                self._end_result(payload)
                return Role.ROWS_END
            case _State.ROWS:
                return Role.ROW
            case _State.FIELDS if is_eof:
                self._state = _State.DONE
                return Role.ROWS_END
            case _State.FIELDS:
                return Role.COLUMN
            case _State.PREPARED if mark == OK_MARK:
                head = decode_prepare_ok(payload)
                self._columns_left, self._column_count = head.parameter_count, head.column_count
                self._begin_prepared(_State.PREPARED_PARAMETERS, head.parameter_count)
                return Role.PREPARE_OK
            case _State.PREPARED_PARAMETERS | _State.PREPARED_COLUMNS:
                return self._prepared(state, is_eof)
            case _State.SIMPLE if is_eof or mark == OK_MARK:
                self._state = _State.DONE
                return Role.OK if mark == OK_MARK else Role.ROWS_END
            case _State.TEXT:
                self._state = _State.DONE
                return Role.TEXT
        raise MalformedPacketError(f"answer: expected {state.value}, found a packet that begins with {mark:#04x}")

    def _first(self, payload: bytes) -> Role:
        mark = payload[0]
        if mark == OK_MARK:
            self._end_result(payload)
            return Role.OK
        if mark == LOCAL_FILE_MARK:
            # The client sends the file, then the server its OK or error: another first packet.
            return Role.LOCAL_FILE
        self._columns_left = FieldReader(payload, "column count").length() or 0
        self._state = _State.COLUMNS
        return Role.COLUMN_COUNT

    def _column(self, after: _State) -> Role:
        self._columns_left -= 1
        if not self._columns_left:
            self._state = after
        return Role.COLUMN

    def _prepared(self, state: _State, is_eof: bool) -> Role:
        if self._columns_left:
            self._columns_left -= 1
            return Role.COLUMN
        if not is_eof:
            raise MalformedPacketError("prepare answer: expected the end of its columns, found another packet")
        if state is _State.PREPARED_PARAMETERS:
            self._begin_prepared(_State.PREPARED_COLUMNS, self._column_count)
        else:
            self._state = _State.DONE
        return Role.COLUMNS_END

    def _begin_prepared(self, state: _State, count: int) -> None:
        """Go to a list of `count` definitions; an empty list has no closing packet, so it is skipped."""
        if count:
            self._state, self._columns_left = state, count
        elif state is _State.PREPARED_PARAMETERS:
            self._begin_prepared(_State.PREPARED_COLUMNS, self._column_count)
        else:
            self._state = _State.DONE

    def _end_result(self, payload: bytes) -> None:
        self._state = _State.FIRST if status_of(payload) & Status.MORE_RESULTS else _State.DONE
