"""Connections with the sys tenant's engine: bounded, shared by threads, replaced when the engine was restarted.

They are made by the engine room, which gives each the state of our sessions. What one user of the pool changed of it is not
inherited by the next: a connection that carried out anything but reading and writing rows is closed when it comes back.
"""

from __future__ import annotations  # PyMySQL's Connection takes its cursor type in the stubs only

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast import codes
from holdfast.errors import ConflictError, EngineError, HoldfastError, RefusedError
from holdfast.statement.mask import engine_words

Cell = int | float | str | Decimal | datetime | None
Row = tuple[Cell, ...]

CONNECTIONS_MAX = 8
"""Transactions at once. Each is a few milliseconds on a two-core engine: more would only queue inside it."""
WAIT_SECONDS_MAX = 30.0
"""How long a thread waits for a free connection before it is told that the catalog is busy."""
_DUPLICATE_KEY = 1062
_DUPLICATE_COLUMN = 1060
_LOST = (2003, 2006, 2013, 2014)
"""PyMySQL's own numbers, with words of its own and of the operating system."""
_NO_TRANSACTION_ID_YET = 4383
"""What an engine says of BEGIN that has just greeted and gives out no transaction ids yet (met on 1.4.0, on a busy machine)."""
READY_SECONDS_MAX = 10.0
"""How long such an engine is waited for. It was ready at the next look wherever this was met."""
_READY_POLL_SECONDS = 0.05
_HARMLESS_WORDS = frozenset({"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"})
"""Statements that leave a session as it was. Others may do so too; that a login costs 3 ms decides."""


class LogIn(Protocol):
    """Returns a new connection of a user with a password, or None if the engine does not know them. Raises EngineError."""

    def __call__(self, user: str, password: str, /) -> Connection[Cursor] | None: ...


class Transaction:
    """Statements that commit together. Values travel as parameters only; SQL text comes from constants of this room."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.leaves_session = True
        """Whether the session is after these statements what it was before them."""

    def query(self, sql: str, args: Sequence[Cell] = ()) -> list[Row]:
        """Return all rows. Raises EngineError."""
        self.execute(sql, args)
        return [tuple(row) for row in self._cursor.fetchall()]

    def one(self, sql: str, args: Sequence[Cell] = ()) -> Row | None:
        """Return the first row, or None."""
        rows = self.query(sql, args)
        return rows[0] if rows else None

    def execute(self, sql: str, args: Sequence[Cell] = ()) -> int:
        """Return the number of rows changed.

        Raises ConflictError on a duplicate key or column, RefusedError when another statement under way forbids it,
        EngineError on anything else.
        """
        self._note(sql)
        try:
            # Without arguments PyMySQL leaves '%' alone; with them '%' is the place of a value.
            return self._cursor.execute(sql, tuple(args) if args else None)
        except pymysql.MySQLError as error:
            raise self._refused(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[Cell]]) -> None:
        """Carry out one INSERT or REPLACE for all rows, sent in few packets. Raises as `execute`."""
        if not rows:
            return
        self._note(sql)
        try:
            self._cursor.executemany(sql, [tuple(row) for row in rows])
        except pymysql.MySQLError as error:
            raise self._refused(error) from error

    def _refused(self, error: pymysql.MySQLError) -> HoldfastError:
        """Return what is raised. Unless the rows were the reason the connection may be: its `max_allowed_packet` is that of its login."""
        found = _translated(error)
        if not isinstance(found, ConflictError):
            self.leaves_session = False
        return found

    def _note(self, sql: str) -> None:
        if sql.split(None, 1)[0].upper() not in _HARMLESS_WORDS:
            self.leaves_session = False


class Connections:
    """A bounded pool. Safe to call from any thread.

    A connection is proved by its BEGIN: one that the engine's restart has killed fails there, before anything was
    asked, and is replaced. A connection lost later is an error for the caller: what was asked may or may not have been
    done, and only the caller knows whether asking again is harmless.
    """

    def __init__(self, connect: Callable[[], Connection[Cursor]], *, limit: int = CONNECTIONS_MAX) -> None:
        self._connect = connect
        self._free = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._idle: list[Connection[Cursor]] = []
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield a transaction that commits when the block ends and rolls back when it raises.

        Raises EngineError when the engine can not be reached, when no connection came free in time, or when the
        connection is lost on the way.
        """
        with self._borrowed() as connection, connection.cursor() as cursor:
            transaction = Transaction(cursor)
            try:
                yield transaction
                try:
                    connection.commit()
                except (pymysql.MySQLError, OSError) as error:
                    raise EngineError(
                        f"the catalog did not confirm a commit: {_said(error)}",
                        hint="the change may or may not have been recorded: read before asking again",
                    ) from error
            except BaseException:
                # A connection that can not even roll back is dead; `_borrowed` drops it because it is closed.
                try:
                    connection.rollback()
                except (pymysql.MySQLError, OSError):
                    _drop(connection)
                raise
            finally:
                if not transaction.leaves_session:
                    _drop(connection)

    def carry_out(self, statements: Sequence[str]) -> None:
        """Execute statements one by one. For DDL, which the engine commits by itself. Raises EngineError."""
        with self.transaction() as transaction:
            for statement in statements:
                transaction.execute(statement)

    def close(self) -> None:
        """Close idle connections and refuse new transactions. Transactions under way end first and close their own."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            _drop(connection)

    @contextmanager
    def _borrowed(self) -> Iterator[Connection[Cursor]]:
        if not self._free.acquire(timeout=WAIT_SECONDS_MAX):
            raise EngineError(f"the catalog is busy: no connection came free in {WAIT_SECONDS_MAX:.0f} s")
        try:
            connection = self._begun()
            try:
                yield connection
            finally:
                with self._lock:
                    keep = connection.open and not self._closed
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    _drop(connection)
        finally:
            self._free.release()

    def _begun(self) -> Connection[Cursor]:
        while True:
            with self._lock:
                if self._closed:
                    raise EngineError("the catalog is closed")
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            try:
                connection.begin()
            except (pymysql.MySQLError, OSError):
                _drop(connection)  # the engine was restarted since; nothing was asked yet
                continue
            return connection
        try:
            connection = self._connect()
            try:
                connection.autocommit(False)
                _begin_first(connection)
            except BaseException:
                _drop(connection)
                raise
        except (pymysql.MySQLError, OSError) as error:
            raise _away(_said(error)) from error
        except EngineError as error:
            raise _away(error.message) from error
        return connection


def _begin_first(connection: Connection[Cursor]) -> None:
    """Begin the first transaction of a connection: its engine may have started just now."""
    end = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            connection.begin()
        except pymysql.MySQLError as error:
            if error.args[:1] != (_NO_TRANSACTION_ID_YET,) or time.monotonic() >= end:
                raise
        else:
            return
        time.sleep(_READY_POLL_SECONDS)


def _away(said: str) -> EngineError:
    """Return what is raised where the engine of sys takes nobody in: whoever logs in at any tenant asks here, and is told to try again."""
    return EngineError(
        f"the sys tenant's engine can not be reached: {said}",
        hint="it is started again within seconds: retry",
        code=codes.OB_SERVER_NOT_READY,
    )


def _drop(connection: Connection[Cursor]) -> None:
    with suppress(pymysql.MySQLError, OSError):
        connection.close()


def _translated(error: pymysql.MySQLError) -> HoldfastError:
    number = error.args[0] if error.args else 0
    if isinstance(error, pymysql.err.IntegrityError) and number == _DUPLICATE_KEY:
        return ConflictError("the catalog holds such a row already", code=codes.OB_ENTRY_EXIST)
    if number == _DUPLICATE_COLUMN:
        return ConflictError("the catalog has such a column already", code=codes.OB_ENTRY_EXIST)
    if number == codes.OB_OP_NOT_ALLOW.client:
        return RefusedError(f"the catalog refused a statement for now: {_said(error)}")
    return EngineError(f"the catalog refused a statement: {_said(error)}")


def _said(error: pymysql.MySQLError | OSError) -> str:
    """Return an error of the client or the engine in words that quote no value: rows here hold comments, statements, paths."""
    if isinstance(error, OSError):
        return str(error)
    number, text = (*error.args, "", "")[:2]
    if not isinstance(number, int):
        return f"{type(error).__name__}"
    return f"{number}: {text if number in _LOST else engine_words(str(text))}"
