"""One connection with an engine, on behalf of one client.

It is in one of three modes, told by where its bytes go: *login* (packets to a coroutine), *relay* (bytes straight to the
client) and *asking* (the answer to one command of ours, packet by packet, to whoever asked).

While relaying nothing is parsed. Whether the last command has been answered is known only as "some bytes came since";
that is enough for every client that waits for an answer before it sends the next command. One that does not is caught by
the command that comes while no byte has come: from then on answers are followed until none is outstanding.
"""

import asyncio
import errno
import socket as sockets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext
from typing import cast

from holdfast.gateway import refusals
from holdfast.gateway.inbox import Inbox
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import UNANSWERED_COMMANDS
from holdfast.mysql.framing import Packet, frame
from holdfast.mysql.packets import encode_error
from holdfast.mysql.response import Received, ResponseParser, Role

# Less would pause and resume an engine for every chunk of a large result; more is only memory.
WRITE_BUFFER_BYTES_MAX = 1 << 20
# Commands sent ahead of their answers before their sender has to wait; JDBC's batches send 100 at a time.
COMMANDS_AHEAD_MAX = 1000
TLS_RECORD_BYTES = 2000
"""An engine drops a TLS session (2013) when more than some 16 KiB of a statement lie unread in records of 3,000 bytes or more. Records of
this size it reads whatever lies there: 6,940 statements of up to 8 MB, the engine stopped in between, TCP and Unix socket (1.4.0)."""


def send(transport: asyncio.Transport, data: bytes) -> None:
    """Write to a peer that may be gone: then nothing is written, and whoever waits for it learns the reason.

    asyncio's own loop is silent too, uvloop raises RuntimeError: each client that left in the middle of its login was a traceback.
    """
    if not transport.is_closing():
        transport.write(data)


class LinkLostError(ConnectionError):
    """The engine closed its connection."""


class AddressTakenError(OSError):
    """Another connection has the client's port: an earlier one of this client, which is not over yet."""


def _nowhere(data: bytes) -> None:
    """Where bytes go that nobody waits for."""


class EngineLink(asyncio.Protocol):
    """A session with an engine. `on_lost` is called once; `on_congested` when no more should be sent, or again may be."""

    def __init__(self) -> None:
        self.connection_id = 0
        self.is_addressed = False  # whether the engine sees the client's address
        self.is_lost = False
        self._is_secured = False
        self.on_lost: Callable[[], None] = lambda: None
        self.on_congested: Callable[[bool], None] = lambda congested: None
        self.on_confused: Callable[[MalformedPacketError], None] = lambda error: None
        self._transport: asyncio.Transport
        self._inbox: Inbox | None = Inbox(self._hold_reading)
        self._sink: Callable[[bytes], None] = self._inbox.feed
        self._client_write: Callable[[bytes], None] = _nowhere
        self._asked: asyncio.Future[None] | None = None
        # Relay mode: has a byte come since the last command, and which was that?
        self._is_answered = True
        self._last_command = 0
        self._followed: deque[ResponseParser] = deque()
        self._settled: asyncio.Future[None] | None = None
        self._is_ahead = False
        self._is_write_paused = False

    # --- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)

    def data_received(self, data: bytes) -> None:
        self._sink(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        self._sink = _nowhere
        failure = LinkLostError("the engine closed the connection")
        if self._inbox is not None:
            self._inbox.fail(failure)
        for waiting in (self._asked, self._settled):
            if waiting is not None and not waiting.done():
                waiting.set_exception(failure)
        self.on_lost()

    def pause_writing(self) -> None:
        self._is_write_paused = True
        self.on_congested(True)

    def resume_writing(self) -> None:
        self._is_write_paused = False
        if not self._is_ahead:
            self.on_congested(False)

    # --- what the client's side does with it

    def write(self, data: bytes) -> None:
        """Send bytes that are no new command: a login, more of a long command, a file."""
        self._send(data)

    def _send(self, data: bytes) -> None:
        if not self._is_secured:
            send(self._transport, data)
            return
        for start in range(0, len(data), TLS_RECORD_BYTES):
            send(self._transport, data[start : start + TLS_RECORD_BYTES])

    async def secure(self, context: SSLContext) -> None:
        """Begin TLS within a login: the engine has been sent a request for it. Raises OSError, SSLError among them."""
        secured = await asyncio.get_running_loop().start_tls(self._transport, self, context)
        if secured is None:
            raise LinkLostError("the engine closed the connection")
        self._transport = secured
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        self._is_secured = True

    def close(self) -> None:
        """Drop the connection; the engine ends what still runs in its session."""
        self._sink = _nowhere
        self.on_lost = lambda: None
        self._transport.abort()

    def _hold_reading(self, holds: bool) -> None:
        if holds:
            self.pause()
        else:
            self.resume()

    def pause(self) -> None:
        """Let the engine wait: the client reads too slowly."""
        if not self.is_lost:
            self._transport.pause_reading()

    def resume(self) -> None:
        if not self.is_lost:
            self._transport.resume_reading()

    async def next_packet(self) -> Packet:
        """Return the next packet of the login. Raises LinkLostError."""
        assert self._inbox is not None
        return await self._inbox.next_packet()

    async def first_packet(self) -> None:
        """Return when the first packet of the login has come; `next_packet` returns it. Raises LinkLostError."""
        assert self._inbox is not None
        await self._inbox.wait()

    def relay_to(self, client_write: Callable[[bytes], None]) -> None:
        """End the login: from now on bytes go to the client."""
        assert self._inbox is not None
        rest = self._inbox.rest()
        self._inbox = None
        self._client_write = client_write
        self._sink = self._relay
        if rest:
            self._relay(rest)

    # --- relay mode

    def forward(self, command: int, raw: bytes) -> None:
        """Send a client's command, or its beginning, to be answered to the client directly."""
        if command not in UNANSWERED_COMMANDS:
            if not self._is_answered:
                self._follow()
                self._followed.append(ResponseParser(command))
                if len(self._followed) == COMMANDS_AHEAD_MAX:
                    self._is_ahead = True
                    self.on_congested(True)
            self._is_answered = False
            self._last_command = command
        self._send(raw)

    def _relay(self, data: bytes) -> None:
        self._is_answered = True
        self._client_write(data)

    @property
    def is_settled(self) -> bool:
        """Return whether the client has, as far as is known, got every answer."""
        return self._is_answered

    @property
    def is_in_step(self) -> bool:
        """Return whether the next answer can be told from the rest of an earlier one: no question was left in the middle."""
        return not self.is_lost and self._sink is not _nowhere

    async def settled(self) -> None:
        """Return when every forwarded command has been answered. Raises LinkLostError."""
        if self._is_answered:
            return
        self._follow()
        self._settled = asyncio.get_running_loop().create_future()
        try:
            await self._settled
        finally:
            self._settled = None

    def _follow(self) -> None:
        """Begin to follow answers. The last command's has not begun, so its parser stands at its start."""
        if not self._followed:
            self._followed.append(ResponseParser(self._last_command))
            self._sink = self._relay_followed

    def _relay_followed(self, data: bytes) -> None:
        self._client_write(data)
        try:
            while self._followed:
                parser = self._followed[0]
                parser.feed(data)
                if not parser.is_done:
                    return
                data = parser.rest()
                self._followed.popleft()
        except MalformedPacketError as error:
            self._followed.clear()
            self.on_confused(error)
            return
        self._is_answered = True
        self._sink = self._relay
        if self._is_ahead:
            self._is_ahead = False
            if not self._is_write_paused:
                self.on_congested(False)
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)

    # --- asking

    async def ask(self, payload: bytes, take: Callable[[list[Received]], None]) -> None:
        """Send a command of ours and hand its answer's packets to `take` as they come; return after the last.

        A request for a local file is declined here and ends as an error: the file would have to be renumbered between
        two counts of packets. Raises LinkLostError, MalformedPacketError.
        """
        if self.is_lost:
            raise LinkLostError("the engine closed the connection")
        await self.settled()
        parser = ResponseParser(payload[0])
        asked = asyncio.get_running_loop().create_future()
        declined = False

        def feed(data: bytes) -> None:
            nonlocal declined
            if asked.done():
                return
            try:
                received = parser.feed(data)
            except MalformedPacketError as error:
                asked.set_exception(error)
                return
            if any(packet.role is Role.LOCAL_FILE for packet in received):
                declined = True
                self._send(frame(received[-1].sequence + 1, b""))
                received = [packet for packet in received if packet.role is not Role.LOCAL_FILE]
            elif declined:
                refusal = encode_error(refusals.LOCAL_FILE_IN_SCRIPT)
                received = [Received(Role.ERROR, packet.sequence, refusal, packet.ends) for packet in received]
            if received:
                try:
                    take(received)
                except Exception as error:  # noqa: BLE001 - the asker's; raised here it would end the engine's connection
                    asked.set_exception(error)
                    return
            if parser.is_done:
                asked.set_result(None)

        back = self._sink
        self._asked, self._sink = asked, feed
        try:
            self._send(frame(0, payload))
            await asked
        finally:
            self._asked = None
            # A caller that gave up in the middle has lost its place in the stream: nothing more may be read here.
            self._sink = back if parser.is_done else _nowhere


async def open_link(socket: Path) -> EngineLink:
    """Return a link in login mode. Raises OSError when nobody listens."""
    _, link = await asyncio.get_running_loop().create_unix_connection(EngineLink, str(socket))
    return link


async def open_addressed_link(socket: sockets.socket, client: tuple[str, int], engine_port: int) -> EngineLink:
    """Return a link in login mode whose other end sees `client`, an IPv4 address and a port, as where it comes from.

    `socket`: one of the engine's space, unbound; it is the link's from here on. Raises AddressTakenError when the client's port
    can not be had, for another socket and port 0; OSError when nobody listens.
    """
    try:
        socket.setblocking(False)
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        try:
            socket.bind(client)
            await loop.sock_connect(socket, ("127.0.0.1", engine_port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                raise AddressTakenError(error.errno, error.strerror) from error
            raise
        _, link = await loop.create_connection(EngineLink, sock=socket)
    except BaseException:
        socket.close()
        raise
    return link
