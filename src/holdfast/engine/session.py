"""SQL sessions with one engine, over its Unix socket: the one place that makes them, for every room.

A session inherits nothing from the engine's globals (`holdfast.mysql.session_state`). What a global still decides is whether there is
a session at all.
"""

import socket as sockets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from socket import SHUT_RDWR
from ssl import SSLContext, SSLError
from types import TracebackType
from typing import Any

import pymysql
import pymysql.connections
import pymysql.cursors

from holdfast.errors import EngineError
from holdfast.mysql import session_state
from holdfast.statement.mask import engine_words, mask_secrets, mask_values

ROOT = "root"
CONNECT_WAIT_SECONDS = 10
LOGIN_WAIT_SECONDS = 60
"""From an engine that listens to its answer: milliseconds, seconds on a machine that swaps."""
QUERY_WAIT_SECONDS = 300
"""A hung engine must not hang us; the slowest of our own statements, a minor freeze, takes seconds."""

_STATE = {**session_state.INITIAL, "ob_query_timeout": QUERY_WAIT_SECONDS * 1_000_000}
"""The engine's own query timeout (10 s) would end a minor freeze of a large tenant half way."""
_SET_STATE = session_state.set_text(_STATE)
_SET_EARLIER = session_state.set_texts(session_state.EARLIER)

NOBODY_THERE = 2003
"""The client's error for a server that does not answer."""
NO_TLS = 2026
"""The client's error for an engine that does not speak TLS, or for whom our certificate is none."""
_RECORD_BYTES = 2000
"""An engine drops a TLS session when more than some 16 KiB of one statement lie unread (2013, measured on 1.3.0 and 1.4.0). Records of this
size through the smallest send buffer never lose one, up to 4 MB."""
_LOST = (NOBODY_THERE, 2006, 2013, 2014)
_INITIALIZING = 8001
_NOBODY = "__holdfast_probe"
"""No engine has this user: the question is only whether it is refused for that."""


class SqlError(EngineError):
    """The engine answered a statement with an error, or the connection broke (`is_lost`).

    An engine quotes what it refuses: a value of a tenant's row, a password. Neither the message nor `text` shows one, nor what stands
    for one in the statement: they go into logs, into COMMENT, and before the eyes of sys.
    """

    def __init__(self, errno: int, text: str, statement: str) -> None:
        self.errno = errno
        self.text = text if self.is_lost else engine_words(text)
        self.unmasked = text
        """The engine's own words: for the client alone who wrote the statement's values."""
        super().__init__(f"engine error {errno}: {self.text}, statement: {mask_values(mask_secrets(statement))}")

    @property
    def is_lost(self) -> bool:
        """Return whether the connection broke, so that the statement may or may not have been carried out."""
        return self.errno in _LOST


class Session:
    """One connection: autocommit, UTC, utf8mb4, no variable inherited. Not for two threads at once."""

    def __init__(self, connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
        self.connection = connection

    def query(self, sql: str, args: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows. `args` fill `%s` in `sql`. Raises SqlError, which shows `sql` without strings and never `args`."""
        return list(self._run(sql, args).fetchall())

    def execute(self, sql: str, args: Sequence[object] | None = None, *, shown: str = "") -> int:
        """Return the number of rows affected. Raises SqlError, which shows `shown` in the place of a `sql` that is full of values."""
        return self._run(sql, args, shown).rowcount

    def columns(self, sql: str, args: Sequence[object] | None = None) -> list[dict[str, Any]]:
        """Return the rows with their column names in lower case (SHOW statements whose columns may grow)."""
        cursor = self._run(sql, args)
        names = [column[0].lower() for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stream(self, sql: str, batch_rows: int) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of one SELECT in batches, held nowhere: memory stays that of a batch. Raises SqlError.

        The session is of no use until all is read; whoever stops before closes it.
        """
        cursor = self.connection.cursor(pymysql.cursors.SSCursor)
        try:
            cursor.execute(sql)
            while batch := cursor.fetchmany(batch_rows):
                yield list(batch)
        except pymysql.Error as error:
            raise _sql_error(error, sql) from error
        except OSError as error:
            raise SqlError(2013, str(error), sql) from error

    def interrupt(self) -> None:
        """Break the session from another thread: whatever its own thread waits for fails as a lost connection."""
        socket = self.connection._sock  # type: ignore[attr-defined]  # no public way: close() waits for the other thread
        if socket is not None:
            with suppress(OSError):
                socket.shutdown(SHUT_RDWR)

    def packet_bytes_max(self) -> int:
        """Return the longest statement that is taken: `max_allowed_packet` as it was at the login, which no session can set."""
        return int(self.query("select @@session.max_allowed_packet limit 1")[0][0])

    def is_sound(self) -> bool:
        """Return whether the engine still answers in this session."""
        try:
            self.connection.ping(reconnect=False)
        except (pymysql.Error, OSError):
            return False
        return True

    def close(self) -> None:
        """End the session. Repeatable, never raises."""
        if self.connection.open:
            try:
                self.connection.close()
            except (pymysql.Error, OSError):
                return  # the engine was gone already: that is closed too

    def _run(self, sql: str, args: Sequence[object] | None, shown: str = "") -> pymysql.cursors.Cursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute(sql, args)
        except pymysql.Error as error:
            raise _sql_error(error, shown or sql) from error
        except OSError as error:
            raise SqlError(2013, str(error), shown or sql) from error
        return cursor

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def takes_logins(socket: Path, wait_seconds: float) -> bool:
    """Return whether an engine that greets early judges logins by now. Needs no account.

    Until it is ready it answers every login with 8001, before it looks at the user (measured on 1.3.0).
    """
    try:
        connect(socket, _NOBODY, "", wait_seconds=wait_seconds).close()
    except SqlError as error:
        return not error.is_lost and error.errno != _INITIALIZING
    return True


class _TlsConnection(pymysql.connections.Connection):
    """Sends statements in short records."""

    def connect(self, sock: sockets.socket | None = None) -> None:
        if sock is None:
            sock = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
            try:
                sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 1)  # the kernel makes it the least there is
                sock.settimeout(self.connect_timeout)
                sock.connect(str(self.unix_socket))
            except BaseException:
                sock.close()
                raise
        super().connect(sock)

    def _write_bytes(self, data: bytes) -> None:
        """Send as the library does, which has no public way to send less at once."""
        for start in range(0, len(data), _RECORD_BYTES):
            super()._write_bytes(data[start : start + _RECORD_BYTES])  # type: ignore[misc]


def connect(
    socket: Path,
    user: str,
    password: str,
    database: str | None = None,
    *,
    wait_seconds: float = CONNECT_WAIT_SECONDS,
    tls: SSLContext | None = None,
) -> Session:
    """Return a session at `socket`, with `tls` one that shows its certificate.

    Raises SqlError: 1045 wrong login, 2003 nobody listens (`is_lost`), 2026 no TLS with this engine.
    """
    arguments: dict[str, Any] = {
        "unix_socket": str(socket),
        "user": user,
        "password": password,
        "database": database,
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": max(1, int(wait_seconds)),
        "read_timeout": LOGIN_WAIT_SECONDS,  # of the login's own packets; raised below
        "write_timeout": QUERY_WAIT_SECONDS,
    }
    try:
        connection: pymysql.Connection[pymysql.cursors.Cursor] = (
            # A Unix socket; making a TLS context of the machine's authorities would take 35 ms of each connect.
            pymysql.connect(**arguments, ssl_disabled=True) if tls is None else _TlsConnection(**arguments, ssl=tls)
        )
        try:
            _settle(connection)
        except BaseException:
            with suppress(pymysql.Error, OSError):
                connection.close()
            raise
    except pymysql.Error as error:
        raise _sql_error(error, f"login of {user}") from error
    except OSError as error:
        raise SqlError(NOBODY_THERE, str(error), f"login of {user}") from error
    # An engine that listens and does not answer must not keep a login as long as a statement. PyMySQL has one bound for both
    # and no public way to change it.
    connection._read_timeout = QUERY_WAIT_SECONDS  # type: ignore[attr-defined]
    return Session(connection)


def _settle(connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
    """Give a new connection the state of ours."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(_SET_STATE)
        except pymysql.Error as error:
            if error.args[:1] != (session_state.PACKET_TOO_LARGE,):
                raise
            for text in session_state.set_texts(_STATE):
                cursor.execute(text)
        try:
            for text in _SET_EARLIER:
                cursor.execute(text)
        except pymysql.Error as error:
            if error.args[:1] != (session_state.UNKNOWN_VARIABLE,):
                raise


def _sql_error(error: pymysql.Error, statement: str) -> SqlError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 2013
    if isinstance(getattr(error, "original_exception", None), SSLError):
        number = NO_TLS
    return SqlError(number or 2013, str(error.args[1]) if len(error.args) > 1 else str(error), statement)
