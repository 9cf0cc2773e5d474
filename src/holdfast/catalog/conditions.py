"""A user's own WHERE condition over rows of ours, judged by the engine without giving the user anything else to read.

The condition is SQL text from a client, so it must not run with the catalog's rights: a subquery in it could read what is
not the client's. It runs as a user that holds no grant at all, over a table made of the rows handed in. Grants do not count
within a common table expression, and the process list asks for none (both measured on 1.4.0), so subqueries are refused too.
"""

from __future__ import annotations  # PyMySQL's Connection takes its cursor type in the stubs only

import json
import secrets
from collections.abc import Mapping, Sequence
from threading import Lock

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from holdfast.catalog.connections import Connections, LogIn
from holdfast.catalog.installation import password_hash
from holdfast.errors import EngineError, StatementError
from holdfast.statement.lexer import tokens

_NOBODY = "hf_nobody"
_WAIT_SECONDS_MAX = 2
"""A condition over a few hundred short rows takes milliseconds; what takes longer was made to."""
_SUBQUERY_WORDS = {"SELECT", "WITH", "TABLE", "VALUES"}
_INTEGER, _TEXT = "BIGINT", "LONGTEXT"


class Conditions:
    """Judges conditions. Safe to call from any thread; each call opens a connection of its own and closes it."""

    def __init__(self, connections: Connections, log_in: LogIn) -> None:
        self._connections = connections
        self._log_in = log_in
        self._lock = Lock()
        self._password: str | None = None

    def matching(self, rows: Sequence[Mapping[str, str | int]], condition: str) -> tuple[int, ...]:
        """Return the indexes of the rows that meet `condition`, ascending. All rows have the same columns.

        Raises StatementError with the engine's words when the condition is wrong or names what it may not see, or takes too long.
        """
        if not rows:
            return ()
        if any(token.word in _SUBQUERY_WORDS for token in tokens(condition)):
            raise StatementError("a condition can not hold a subquery")
        columns = ", ".join(
            f"`{name}` {_INTEGER if isinstance(value, int) else _TEXT} PATH '$.{name}'"
            for name, value in rows[0].items()
        )
        # The line break ends a comment in the condition before our parenthesis.
        sql = (
            f"SELECT place FROM JSON_TABLE(?, '$[*]' COLUMNS(place FOR ORDINALITY, {columns})) parameters"
            f" WHERE ({condition}\n)"
        )
        document = json.dumps([dict(row) for row in rows])
        try:
            with self._as_nobody() as nobody, nobody.cursor() as cursor:
                # Strings end where `tokens` above saw them end.
                cursor.execute(f"SET sql_mode = '', ob_query_timeout = {_WAIT_SECONDS_MAX * 1_000_000}")
                cursor.execute("SET @document = %s, @judged = %s", (document, sql))
                # The engine takes `a; b` as two statements although the client did not offer them, and its KILL asks
                # for no privilege (both measured on 1.4.0). PREPARE takes one statement only.
                cursor.execute("PREPARE judge FROM @judged")
                cursor.execute("EXECUTE judge USING @document")
                found = {int(row[0]) - 1 for row in cursor.fetchall()}
        except pymysql.MySQLError as error:
            raise StatementError(str(error.args[-1] if error.args else error)) from error
        except (ValueError, TypeError) as error:
            raise StatementError("the condition is not one expression") from error
        return tuple(sorted(place for place in found if 0 <= place < len(rows)))

    def _as_nobody(self) -> Connection[Cursor]:
        with self._lock:
            password = self._password or self._create_nobody()
        connection = self._log_in(_NOBODY, password)
        if connection is None:
            # Another server took the catalog over since, and with it the user.
            with self._lock:
                password = self._create_nobody()
            connection = self._log_in(_NOBODY, password)
        if connection is None:
            raise EngineError(f"the sys tenant's engine does not let in {_NOBODY}, which was just made")
        # It is closed after one condition; an engine that hangs over it must not hold the client as long as a job.
        connection._read_timeout = 2 * _WAIT_SECONDS_MAX  # type: ignore[attr-defined]  # no public way after the login
        return connection

    def _create_nobody(self) -> str:
        password = secrets.token_urlsafe(24)
        self._connections.carry_out(
            (
                f"DROP USER IF EXISTS '{_NOBODY}'@'%'",
                f"CREATE USER '{_NOBODY}'@'%' IDENTIFIED BY PASSWORD '{password_hash(password)}'",
            )
        )
        self._password = password
        return password
