"""Listening: accepts clients, bounds how many, and takes the whole door up and down.

The first packet of a client is read from the bare socket, exactly to its end. It may be a request for TLS, and the client
may have sent its TLS ClientHello in the same segment: whoever reads both has lost the ClientHello for the TLS layer.
"""

import asyncio
import logging
import secrets
import socket
import ssl
import sys
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress

import uvloop

from holdfast import codes
from holdfast.errors import RefusedError
from holdfast.gateway import refusals
from holdfast.gateway.connection import ClientConnection
from holdfast.gateway.house import READER_THREADS, House
from holdfast.gateway.inbox import LOGIN_PAYLOAD_BYTES_MAX
from holdfast.gateway.link import LinkLostError
from holdfast.gateway.login import LoginEndedError
from holdfast.gateway.patience import Patience, SentAwayError
from holdfast.gateway.settings import GatewaySettings
from holdfast.jobs.door import Desk
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import (
    ENGINE_CHARSET_GREETED,
    ENGINE_VERSION_GREETED,
    OFFERED_CAPABILITIES,
    Capability,
    Status,
)
from holdfast.mysql.framing import HEADER_BYTES, frame
from holdfast.mysql.packets import SCRAMBLE_BYTES, Greeting, ServerError, encode_error, encode_greeting, is_ssl_request

_LOG = logging.getLogger(__name__)

# Whoever comes while no more are taken in waits in here; the kernel cuts it to net.core.somaxconn.
_BACKLOG = 4096
# How often it is looked whether a newcomer may be taken in while a burst is.
_BURST_PAUSE_SECONDS = 0.02
_LOGIN_THREADS = 4
# Of the whole process: how long a thread that computes keeps the interpreter from the loop, each time the loop has something to do.
# A SELECT 1 beside two texts of 1 MiB that are read took 31 ms with Python's own 5 ms, and takes 3 ms with this.
_SWITCH_SECONDS = 0.001
# Clients beyond the places and the unfinished logins: root@sys among them, whose logins are counted apart.
_MARGIN = 256
# How long a client that is sent away has to read why: a socket closed over unread bytes takes the reason with it.
_FAREWELL_SECONDS = 1.0
_FAREWELLS_MAX = 128
# When the system is out of descriptors, accepting again at once would only spin.
_ACCEPT_PAUSE_SECONDS = 0.1


class Gateway:
    """The open door on an asyncio loop. One per process."""

    def __init__(self, desk: Desk, settings: GatewaySettings) -> None:
        self._desk = desk
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._listeners: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._unfinished: set[asyncio.Task[None]] = set()
        self._farewells = 0
        self._executors: list[Executor] = []
        self._house: House

    async def start(self) -> int:
        """Listen and return the bound port. Raises RefusedError when the address cannot be bound or TLS files are bad."""
        settings = self._settings
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._tls = _tls_context(settings)
        statement_threads = ThreadPoolExecutor(settings.desk_threads, thread_name_prefix="desk")
        login_threads = ThreadPoolExecutor(_LOGIN_THREADS, thread_name_prefix="login")
        reader_threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="reader")
        self._executors = [statement_threads, login_threads, reader_threads]
        self._house = House(
            desk=self._desk,
            settings=settings,
            statement_threads=statement_threads,
            login_threads=login_threads,
            reader_threads=reader_threads,
        )
        self._listeners = _listen(settings.host, settings.port)
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(listener)) for listener in self._listeners]
        return int(self._listeners[0].getsockname()[1])

    async def stop(self, *, drain_seconds: float = 5.0) -> None:
        """Accept no more, close idle connections, let busy ones end for `drain_seconds`, then close them too."""
        for task in (*self._accepting, *self._unfinished):
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        self._accepting, self._listeners = [], []
        ends = asyncio.get_running_loop().time() + drain_seconds
        while self._serving:
            is_late = asyncio.get_running_loop().time() >= ends
            for connection in self._house.registry:
                if is_late:
                    connection.abort()
                elif connection.is_idle:
                    connection.close()
            await asyncio.wait(self._serving, timeout=0.05)
            if is_late:
                for task in self._serving:
                    task.cancel()
        for executor in self._executors:
            # A statement still at the desk ends by itself; nobody waits for its answer any more.
            executor.shutdown(wait=False, cancel_futures=True)

    # --- one client

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # Let the one before begin: whoever is accepted is greeted at once, and has his answer read when it comes.
            await asyncio.sleep(0)
            while self._house.half_open.is_full or self._house.attempts.is_full:
                await asyncio.sleep(_BURST_PAUSE_SECONDS)
            try:
                client, address = await loop.sock_accept(listener)
            except OSError as error:
                _LOG.warning("cannot accept a client: %s", error)
                await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            except Exception:  # noqa: BLE001 - logged
                _LOG.exception("cannot accept a client")  # the door stays open for the next
                await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            task = loop.create_task(self._serve(client, str(address[0]), int(address[1])))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)

    async def _serve(self, client: socket.socket, host: str, port: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        client.setblocking(False)
        connection: ClientConnection | None = None
        patience = Patience(self._settings.login_seconds_max, self._house.half_open)
        try:
            if len(self._serving) > self._clients_max:
                await self._send_away(client, 0, refusals.TOO_MANY_LOGINS)
                return
            connection = await self._welcome(client, host, port, patience)
            if connection is not None:
                await connection.log_in(patience)
        except (LoginEndedError, LinkLostError, MalformedPacketError, TimeoutError, OSError, asyncio.CancelledError):
            # Whoever could be told has been told; the rest left, or sent no MySQL.
            if connection is not None:
                connection.close()
            return
        except Exception:  # noqa: BLE001 - whatever broke ends this login, never the door
            _LOG.exception("a login from %s failed unexpectedly", host)
            if connection is not None:
                connection.abort()
            return
        finally:
            self._unfinished.discard(task)
            if connection is None:
                client.close()
        if connection is not None:
            await asyncio.shield(connection.ended)

    @property
    def _clients_max(self) -> int:
        return self._desk.place_limits().connections_max + 2 * self._settings.unfinished_max + _MARGIN

    async def _welcome(
        self, client: socket.socket, host: str, port: int, patience: Patience
    ) -> ClientConnection | None:
        """Greet, and return the connection with its first login packet, or None when the client was sent away."""
        loop = asyncio.get_running_loop()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client_id = self._house.registry.new_id()
        await loop.sock_sendall(client, frame(0, encode_greeting(self._greeting(client_id))))
        try:
            first = await patience.with_client(_read_packet(client))
        except SentAwayError as error:
            await self._send_away(client, 2, error.error)
            return None
        wants_tls = is_ssl_request(first[HEADER_BYTES:])
        if wants_tls and self._tls is None:
            await self._send_away(client, first[3] + 1, refusals.BAD_HANDSHAKE)
            return None
        connection = ClientConnection(self._house, client_id, host, port)
        # The protocol the call returns is not used: with TLS uvloop hands out its own object there.
        accepted = loop.connect_accepted_socket(
            lambda: connection,
            client,
            ssl=self._tls if wants_tls else None,
            ssl_handshake_timeout=self._settings.login_seconds_max if wants_tls else None,
        )
        if not wants_tls:
            await accepted
            connection.expect_login(first)
            return connection
        try:
            await patience.with_client(accepted)
        except SentAwayError:
            return None  # within a handshake of TLS there are no words for it
        return connection

    async def _send_away(self, client: socket.socket, sequence: int, error: ServerError) -> None:
        """Tell a client that has not come further than a socket why it has to go, and give it a moment to read that."""
        await _tell(client, sequence, error)
        if self._farewells >= _FAREWELLS_MAX:
            return
        self._farewells += 1
        try:
            client.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(_FAREWELL_SECONDS):
                while await asyncio.get_running_loop().sock_recv(client, 1 << 16):
                    pass
        finally:
            self._farewells -= 1

    def _greeting(self, client_id: int) -> Greeting:
        return Greeting(
            version=ENGINE_VERSION_GREETED,
            connection_id=client_id,
            # Nobody proves anything against this one. It must not hold a NUL: clients read it as a string.
            scramble=bytes(1 + secrets.randbelow(127) for _ in range(SCRAMBLE_BYTES)),
            capabilities=OFFERED_CAPABILITIES | Capability.SSL if self._tls else OFFERED_CAPABILITIES & ~Capability.SSL,
            charset=ENGINE_CHARSET_GREETED,
            status=Status.AUTOCOMMIT,
        )


def _listen(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address `host` stands for, all on one port."""
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            chosen = listeners[0].getsockname()[1] if len(listeners) > 1 else port
            listener.bind((address[0], chosen, *address[2:]))
            listener.listen(_BACKLOG)
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise RefusedError(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint="choose another --host or --port, or end what listens there",
        ) from error
    return listeners


def _tls_context(settings: GatewaySettings) -> ssl.SSLContext | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise RefusedError(
            "TLS needs a certificate and its key, found one of them",
            code=codes.OB_INVALID_ARGUMENT,
            hint="give both files or none",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise RefusedError(
            f"cannot use the certificate {settings.tls_cert}: {error}",
            code=codes.OB_INVALID_ARGUMENT,
            hint="give PEM files of a certificate and of its unencrypted private key",
        ) from error
    return context


async def _read_packet(client: socket.socket) -> bytes:
    """Return the first packet, header included, and not a byte more. Raises LinkLostError, MalformedPacketError."""
    header = await _read_exactly(client, HEADER_BYTES)
    size_bytes = int.from_bytes(header[:3], "little")
    if size_bytes > LOGIN_PAYLOAD_BYTES_MAX:
        raise MalformedPacketError(f"login: expected at most {LOGIN_PAYLOAD_BYTES_MAX} bytes, found {size_bytes}")
    return header + await _read_exactly(client, size_bytes)


async def _read_exactly(client: socket.socket, size_bytes: int) -> bytes:
    loop = asyncio.get_running_loop()
    found = b""
    while len(found) < size_bytes:
        part = await loop.sock_recv(client, size_bytes - len(found))
        if not part:
            raise LinkLostError("the client closed the connection")
        found += part
    return found


async def _tell(client: socket.socket, sequence: int, error: ServerError) -> None:
    await asyncio.get_running_loop().sock_sendall(client, frame(sequence, encode_error(error)))


class GatewayThread:
    """A gateway on a uvloop of its own thread, for callers that block (the daemon)."""

    def __init__(self, desk: Desk, settings: GatewaySettings) -> None:
        self._gateway = Gateway(desk, settings)
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._is_stopped = False

    def start(self) -> int:
        """Return the bound port once logins are accepted; raises what Gateway.start raises."""
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(self._gateway.start(), self._loop).result()
        except BaseException:
            self._end()
            raise

    def stop(self, *, drain_seconds: float = 5.0) -> None:
        """As Gateway.stop, then the thread ends. Repeatable."""
        if self._is_stopped:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._gateway.stop(drain_seconds=drain_seconds), self._loop).result()
        finally:
            self._end()

    def _end(self) -> None:
        self._is_stopped = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with suppress(RuntimeError):
            self._loop.close()
