"""What a client sends after its login, cut into commands.

Theory of operation. A command begins with a packet of sequence 0. It is handed over whole (`Command`) when it is small
or when someone wants to read it; otherwise its beginning is handed over (`Opening`) and the rest flows past (`Flow`),
counted but not kept. Which of the two never depends on how the bytes were cut on their way, or the same text would be
treated in two ways. Two things make a per-packet test of the sequence wrong, so both are states:

- a payload of 16 MiB - 1 is continued by the next packet, whatever its number;
- the data of LOAD DATA LOCAL INFILE begins with a packet of another sequence than 0, but its numbers wrap, so inside a
  long file packets numbered 0 occur. Files end with an empty packet, and only with that.

Invariants: every byte fed leaves exactly once and in order, as `raw` of a Command or Opening or as Flow; at most
`WHOLE_BYTES_MAX` are kept for one command, plus what was fed but not asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from holdfast.mysql.framing import HEADER_BYTES, PAYLOAD_BYTES_MAX

# Statements of Holdfast's are a few hundred bytes. A longer text is data, and belongs to the engine.
WHOLE_BYTES_MAX = 1 << 20
# Waiting for this much costs nothing one would notice, and asks no questions.
SMALL_BYTES = 1 << 16
# Enough to see a keyword behind a comment of ordinary length, or a statement id.
HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Command:
    """A whole command in one packet. `payload` begins with the command byte (empty: a packet without one)."""

    payload: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a command that is passed on as it arrives. `raw` is the packet header and `head`."""

    head: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Flow:
    """Bytes of the current command or file. `ends_file`: the client has sent all of a LOCAL INFILE."""

    data: bytes
    ends_file: bool = False


Event = Command | Opening | Flow


class _State(Enum):
    BOUNDARY = "a command comes next"
    COMMAND_PACKET = "inside a packet of a command"
    COMMAND_CONTINUATION = "the next packet continues a command"
    FILE_BOUNDARY = "a file packet comes next"
    FILE_PACKET = "inside a file packet"
    FILE_CONTINUATION = "the next packet continues a file packet"


_INSIDE = {
    _State.BOUNDARY: _State.COMMAND_PACKET,
    _State.COMMAND_CONTINUATION: _State.COMMAND_PACKET,
    _State.FILE_BOUNDARY: _State.FILE_PACKET,
    _State.FILE_CONTINUATION: _State.FILE_PACKET,
}
# Where the end of a packet leads: (when it was full, when it was not).
_AFTER = {
    _State.COMMAND_PACKET: (_State.COMMAND_CONTINUATION, _State.BOUNDARY),
    _State.FILE_PACKET: (_State.FILE_CONTINUATION, _State.FILE_BOUNDARY),
}


def _never(head: bytes) -> bool:
    return False


class Conversation:
    """One client's commands. Feed bytes, ask for events until there is none.

    `wants_whole(head)` says whether a command between `SMALL_BYTES` and `WHOLE_BYTES_MAX` should be waited for; `head` begins
    with the command byte.
    """

    __slots__ = ("_buffer", "_offset", "_packet_is_full", "_packet_left", "_state", "_wants_whole")

    def __init__(self, wants_whole: Callable[[bytes], bool] = _never) -> None:
        self._wants_whole = wants_whole
        self._buffer = b""
        self._offset = 0
        self._state = _State.BOUNDARY
        self._packet_left = 0
        self._packet_is_full = False

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        if self._offset == len(self._buffer):
            self._buffer = data
        else:
            self._buffer = self._buffer[self._offset :] + data
        self._offset = 0

    @property
    def pending_bytes(self) -> int:
        """Return how much was fed and not handed over yet."""
        return len(self._buffer) - self._offset

    @property
    def is_between(self) -> bool:
        """Return whether a command has not begun: nothing of one was handed over without its rest."""
        return self._state is _State.BOUNDARY

    def take_rest(self) -> bytes:
        """Return what was not handed over and forget it: a COM_CHANGE_USER is followed by a login, not by commands."""
        rest = self._buffer[self._offset :]
        self._buffer, self._offset = b"", 0
        return rest

    def next_event(self) -> Event | None:
        """Return the next event, or None if more bytes are needed."""
        buffer, offset = self._buffer, self._offset
        available = len(buffer) - offset
        if self._state is _State.BOUNDARY:
            if available < HEADER_BYTES:
                return None
            size_bytes = buffer[offset] | buffer[offset + 1] << 8 | buffer[offset + 2] << 16
            if buffer[offset + 3] == 0:
                return self._command(size_bytes, available - HEADER_BYTES)
            self._state = _State.FILE_BOUNDARY
        return self._flow()

    def _command(self, size_bytes: int, available: int) -> Event | None:
        start = self._offset + HEADER_BYTES
        if available < min(size_bytes, HEAD_BYTES):
            return None
        buffer = self._buffer
        if size_bytes > SMALL_BYTES and (
            size_bytes > WHOLE_BYTES_MAX or not self._wants_whole(buffer[start : start + HEAD_BYTES])
        ):
            return self._open(size_bytes)
        if available < size_bytes:
            return None
        end = start + size_bytes
        raw = buffer if end == len(buffer) and self._offset == 0 else buffer[self._offset : end]
        self._offset = end
        return Command(buffer[start:end], raw)

    def _open(self, size_bytes: int) -> Opening:
        start = self._offset + HEADER_BYTES
        end = start + min(size_bytes, HEAD_BYTES)
        opening = Opening(self._buffer[start:end], self._buffer[self._offset : end])
        self._offset = end
        self._packet_left = size_bytes - (end - start)
        self._packet_is_full = size_bytes == PAYLOAD_BYTES_MAX
        self._state = _State.COMMAND_PACKET
        self._end_packet_if_done()
        return opening

    def _flow(self) -> Flow | None:
        """Return as many bytes as belong to what is flowing, in one piece."""
        buffer = self._buffer
        start = offset = self._offset
        ends_file = False
        while not ends_file and self._state is not _State.BOUNDARY:
            inside = _INSIDE.get(self._state)
            if inside is not None:
                if len(buffer) - offset < HEADER_BYTES:
                    break
                size_bytes = buffer[offset] | buffer[offset + 1] << 8 | buffer[offset + 2] << 16
                offset += HEADER_BYTES
                ends_file = size_bytes == 0 and self._state is _State.FILE_BOUNDARY
                self._packet_left = size_bytes
                self._packet_is_full = size_bytes == PAYLOAD_BYTES_MAX
                self._state = _State.BOUNDARY if ends_file else inside
            if not ends_file:
                taken = min(self._packet_left, len(buffer) - offset)
                offset += taken
                self._packet_left -= taken
                if not self._end_packet_if_done():
                    break
        self._offset = offset
        if offset == start:
            return None
        return Flow(buffer if start == 0 and offset == len(buffer) else buffer[start:offset], ends_file)

    def _end_packet_if_done(self) -> bool:
        if self._packet_left:
            return False
        full, not_full = _AFTER[self._state]
        self._state = full if self._packet_is_full else not_full
        return True
