"""Where a standby engine pulls its log from: a gRPC server of ours that answers `fetch_log` and nothing else.

What was measured on 1.4.0, and what follows:

- The engine asks every 0.1 s when it has caught up, each time by a new connection, for 16 MiB from its log's end on, and waits 10 s.
- While nobody listens it goes on asking; the first answer comes 0.1 s after we are back, also after half a minute.
- An answer that is an error ends its asking for good: only a restart of the engine begins it again. So does any change of its
  `log_restore_source`. Whatever happens here is therefore answered with a stream that holds no group.
- The service knows no passwords. It is bound to the loopback address, and a connection counts only if its other end belongs to the
  one process it is for.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NewType, Protocol

import grpc

from holdfast.engine.connection import is_connection_of
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.liveness import find_engine
from holdfast.engine_format.log_wire import FETCH_LOG, decode_request, encode_end, encode_group
from holdfast.errors import ConflictError, CorruptionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

log = logging.getLogger("holdfast.log_service")

LOOPBACK = "127.0.0.1"
FETCH_BYTES_MAX = 16 << 20
"""What an engine asks for at once; more is never given, whatever is asked."""
_CALLS_MAX = 2
"""An engine makes one call at a time; a second one while the first runs into its end."""
_CLOSE_SECONDS = 5.0

LogGroup = NewType("LogGroup", tuple[memoryview, Lsn, Scn])
"""One whole group as on disk, its LSN, its max SCN."""


class LogSource(Protocol):
    def fetch(self, start_lsn: Lsn, max_bytes: int) -> Iterator[LogGroup]:
        """Yield the groups from `start_lsn` on, in order and without a gap, about `max_bytes` of them; none if there are none yet.

        Never raises: see above what an error does to the engine.
        """
        ...


class LogService:
    """One source on one port for one engine. Its threads are those of gRPC."""

    def __init__(self, source: LogSource, directory: EngineDirectory, *, port: int = 0) -> None:
        """Listen on `port`, or on any free one, for the engine that works in `directory`.

        Raises ConflictError if the port is taken.
        """
        self._source = source
        self._directory = directory
        self._engine_pid = 0
        self._has_refused = False
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=_CALLS_MAX, thread_name_prefix="log-service"),
            handlers=(_Calls(self._fetch),),
            # Without SO_REUSEPORT: a second listener on the port would take every other call.
            options=(("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 4096)),
            maximum_concurrent_rpcs=_CALLS_MAX,
        )
        try:
            self.port = int(self._server.add_insecure_port(f"{LOOPBACK}:{port}"))
        except RuntimeError as error:
            raise ConflictError(f"port {port} can not be opened: {error}") from error
        if not self.port:
            raise ConflictError(f"port {port} can not be opened")
        self._server.start()

    def close(self) -> None:
        """Answer no more; returns when no call is under way."""
        self._server.stop(0).wait(_CLOSE_SECONDS)

    def _fetch(self, message: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        end_scn = Scn(0)
        try:
            if self._is_allowed(context.peer()):
                request = decode_request(message)
                for group, lsn, scn in self._source.fetch(request.start_lsn, min(request.max_bytes, FETCH_BYTES_MAX)):
                    end_scn = scn
                    yield encode_group(group, lsn, scn)
        except CorruptionError as error:
            log.error("port %d: %s", self.port, error)
        except Exception:
            log.exception(
                "port %d: a call of the engine met a defect of Holdfast", self.port
            )  # it ends, without an error
        yield encode_end(end_scn)

    def _is_allowed(self, peer: str) -> bool:
        """Return whether the other end is the standby's engine, which may have been started again since the last call."""
        kind, _, rest = peer.partition(":")
        port = rest.rpartition(":")[2]
        if kind == "ipv4" and port.isdecimal():
            if self._engine_pid and is_connection_of(self._engine_pid, int(port), self.port):
                return True
            living = find_engine(self._directory)
            if living is not None and is_connection_of(living.pid, int(port), self.port):
                self._engine_pid = living.pid
                return True
        if not self._has_refused:
            self._has_refused = True  # a stranger may come as often as it likes; it is told of once
            log.error("port %d: %s is not the standby's engine and gets no log", self.port, peer)
        return False


class _Calls(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Knows one method; gRPC answers any other with "unimplemented"."""

    def __init__(self, fetch: Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]) -> None:
        self._fetch = grpc.unary_stream_rpc_method_handler(fetch)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self._fetch if details.method == FETCH_LOG else None
