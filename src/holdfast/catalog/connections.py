"""Connections with the sys tenant's engine: bounded, shared by threads, replaced when the engine was restarted."""

from __future__ import annotations  # PyMySQL's Connection takes its cursor type in the stubs only

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast import codes
from holdfast.errors import ConflictError, EngineError, HoldfastError

Cell = int | float | str | Decimal | datetime | None
Row = tuple[Cell, ...]

CONNECTIONS_MAX = 8
"""Transactions at once. Each is a few milliseconds on a two-core engine: more would only queue inside it."""
WAIT_SECONDS_MAX = 30.0
"""How long a thread waits for a free connection before it is told that the catalog is busy."""
_DUPLICATE_KEY = 1062


class Transaction:
    """Statements that commit together. Values travel as parameters only; SQL text comes from constants of this room."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def query(self, sql: str, args: Sequence[Cell] = ()) -> list[Row]:
        """Return all rows. Raises EngineError."""
        self.execute(sql, args)
        return [tuple(row) for row in self._cursor.fetchall()]

    def one(self, sql: str, args: Sequence[Cell] = ()) -> Row | None:
        """Return the first row, or None."""
        rows = self.query(sql, args)
        return rows[0] if rows else None

    def execute(self, sql: str, args: Sequence[Cell] = ()) -> int:
        """Return the number of rows changed. Raises ConflictError on a duplicate key, EngineError on anything else."""
        try:
            # Without arguments PyMySQL leaves '%' alone; with them '%' is the place of a value.
            return self._cursor.execute(sql, tuple(args) if args else None)
        except pymysql.MySQLError as error:
            raise _translated(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[Cell]]) -> None:
        """Carry out one INSERT or REPLACE for all rows, sent in few packets. Raises as `execute`."""
        if not rows:
            return
        try:
            self._cursor.executemany(sql, [tuple(row) for row in rows])
        except pymysql.MySQLError as error:
            raise _translated(error) from error


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
        with self._borrowed() as connection:
            try:
                with connection.cursor() as cursor:
                    yield Transaction(cursor)
                try:
                    connection.commit()
                except (pymysql.MySQLError, OSError) as error:
                    raise EngineError(
                        f"the catalog did not confirm a commit: {error}",
                        hint="the change may or may not have been recorded: read before asking again",
                    ) from error
            except BaseException:
                # A connection that can not even roll back is dead; `_borrowed` drops it because it is closed.
                try:
                    connection.rollback()
                except (pymysql.MySQLError, OSError):
                    _drop(connection)
                raise

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
                with connection.cursor() as cursor:
                    cursor.execute("SET NAMES utf8mb4")
                    # The engine's default is +08:00. Everything stored is UTC; only readers choose another zone.
                    cursor.execute("SET time_zone = '+00:00'")
                connection.begin()
            except BaseException:
                _drop(connection)
                raise
        except (pymysql.MySQLError, OSError) as error:
            raise EngineError(f"the sys tenant's engine can not be reached: {error}") from error
        return connection


def _drop(connection: Connection[Cursor]) -> None:
    with suppress(pymysql.MySQLError, OSError):
        connection.close()


def _translated(error: pymysql.MySQLError) -> HoldfastError:
    number = error.args[0] if error.args else 0
    if isinstance(error, pymysql.err.IntegrityError) and number == _DUPLICATE_KEY:
        return ConflictError("the catalog holds such a row already", code=codes.OB_ENTRY_EXIST)
    return EngineError(f"the catalog refused a statement: {error}")
