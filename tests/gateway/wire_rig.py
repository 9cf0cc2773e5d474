"""A client that says exactly the bytes a test wants, over a plain socket."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.mysql.flags import Capability, CommandCode
from holdfast.mysql.framing import Packet, PacketReader, frame
from holdfast.mysql.packets import (
    Greeting,
    HandshakeResponse,
    decode_error,
    decode_greeting,
    encode_handshake_response,
    native_password_answer,
)
from holdfast.mysql.response import Received, ResponseParser

CLIENT_CAPABILITIES = (
    Capability.LONG_PASSWORD
    | Capability.PROTOCOL_41
    | Capability.SECURE_CONNECTION
    | Capability.PLUGIN_AUTH
    | Capability.TRANSACTIONS
    | Capability.MULTI_RESULTS
    | Capability.MULTI_STATEMENTS
    | Capability.PS_MULTI_RESULTS
    | Capability.LOCAL_FILES
    | Capability.CONNECT_ATTRS
)
TIMEOUT_SECONDS = 20


@dataclass
class WireClient:
    """One connection. Every read is bounded by TIMEOUT_SECONDS."""

    socket: socket.socket
    reader: PacketReader = field(default_factory=lambda: PacketReader(payload_bytes_max=1 << 26))
    greeting: Greeting | None = None

    @classmethod
    def dial(cls, port: int) -> "WireClient":
        connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection)

    def packet(self) -> Packet:
        """Return the next packet. Raises EOFError when the peer hung up."""
        while (packet := self.reader.next_packet()) is None:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self.reader.feed(data)
        return packet

    def greet(self) -> Greeting:
        self.greeting = decode_greeting(self.packet().payload)
        return self.greeting

    @staticmethod
    def response(user: str, *, database: str = "", capabilities: Capability = CLIENT_CAPABILITIES) -> bytes:
        return encode_handshake_response(
            HandshakeResponse(
                capabilities=capabilities,
                max_packet_bytes=1 << 24,
                charset=45,
                user=user.encode(),
                auth=b"\x01" * 20,
                database=database.encode(),
                plugin=b"mysql_native_password",
                attributes=((b"_client_name", b"wire"), (b"__proxy_capability_flag", b"255")),
            )
        )

    def log_in(self, user: str = "root@t1", password: str = "", *, slowly: bool = False, **options: object) -> Packet:
        """Go through greeting, response and switch; return the verdict."""
        self.greet()
        self.send(frame(1, self.response(user, **options)), slowly=slowly)  # type: ignore[arg-type]
        return self.prove(password, slowly=slowly)

    def prove(self, password: str = "", *, slowly: bool = False) -> Packet:
        """Answer the AuthSwitchRequest; return the verdict (or what came instead of the request)."""
        switch = self.packet()
        if switch.payload[:1] != b"\xfe":
            return switch
        plugin, _, scramble = switch.payload[1:].partition(b"\0")
        assert plugin == b"mysql_native_password"
        self.send(frame(switch.sequence + 1, native_password_answer(password, scramble[:20])), slowly=slowly)
        return self.packet()

    def send(self, data: bytes, *, slowly: bool = False) -> None:
        """Send, byte by byte if `slowly`."""
        if not slowly:
            self.socket.sendall(data)
            return
        for at in range(len(data)):
            self.socket.sendall(data[at : at + 1])
            time.sleep(0.001)

    def begin(self, code: CommandCode, body: bytes = b"", *, slowly: bool = False) -> None:
        self.send(frame(0, bytes([code]) + body), slowly=slowly)

    def end(self, code: CommandCode) -> list[Received]:
        """Return the packets of one whole answer, asserting that they are numbered from 1 without a gap."""
        parser = ResponseParser(code)
        received: list[Received] = []
        while not parser.is_done:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            received += parser.feed(data)
        assert not parser.rest()
        assert [packet.sequence for packet in received] == [number & 0xFF for number in range(1, len(received) + 1)]
        return received

    def ask(self, code: CommandCode, body: bytes = b"", *, slowly: bool = False) -> list[Received]:
        self.begin(code, body, slowly=slowly)
        return self.end(code)

    def query(self, text: str, *, slowly: bool = False) -> list[Received]:
        return self.ask(CommandCode.QUERY, text.encode(), slowly=slowly)

    def is_hung_up(self, seconds: float = TIMEOUT_SECONDS) -> bool:
        """Return whether the peer closes within `seconds`."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    def close(self) -> None:
        self.socket.close()


def error_of(received: "list[Received] | Packet") -> tuple[int, str]:
    """Return number and message of an answer that must be an error."""
    last = received if isinstance(received, Packet) else received[-1]
    assert last.payload[0] == 0xFF, last.payload[:40]
    error = decode_error(last.payload)
    return error.number, error.message


@contextmanager
def wiretap(engine: Path, place: Path, heard: list[bytes]) -> Iterator[Path]:
    """Yield a socket that leads to the engine's; what is sent to the engine is heard."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen()
    links: list[socket.socket] = []

    def carry(source: socket.socket, sink: socket.socket, note: Callable[[bytes], None]) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                note(data)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(engine))
                links.extend((client, server))
                for one, other, note in ((client, server, heard.append), (server, client, lambda data: None)):
                    threading.Thread(target=carry, args=(one, other, note), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield place
    finally:
        for end in (listener, *links):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
