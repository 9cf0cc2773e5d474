"""One login at the server, and how what goes wrong there is told.

Statements are made by `holdfast.statement.render`, which quotes whatever a person typed; texts with a password in them
exist only on their way to the socket.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.cli.outcome import FULL, Exit, Failure, hint_of

if TYPE_CHECKING:
    import pymysql
    import pymysql.cursors

    from holdfast.statement.commands import Command

Row = dict[str, Any]
"""A row by column name, upper case for views. The values are PyMySQL's: int, str, bytes, Decimal, datetime, None."""

CONNECT_SECONDS_MAX = 10
READ_SECONDS_MAX = 660
"""A RESTORE may take ten minutes to answer (spec of the statement); nothing of ours takes longer."""
_ROWS_PER_BATCH = 1000
_LOST = frozenset({2003, 2006, 2013, 2014, 2055, 1053})
"""Client numbers of a broken connection, and the server's own word for going away."""
_CERTIFICATE_REFUSED = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's name for it, which PyMySQL puts into the text of a 2003."""
ACCESS_DENIED = 1045
SYS_TENANT_ID = 1
UNKNOWN_TABLE = 1146


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to log in, and as whom. `time_zone` empty: the server's.

    `is_patient`: the statements are a person's own (`holdfast sql`). They may take for ever, and their session begins with the
    server's globals as any client's does; the questions of our own commands rest on none of them.
    `landed`: where a user name without a tenant was led; empty before the login.
    """

    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)
    tls_ca: Path | None = None
    time_zone: str = ""
    is_patient: bool = False
    landed: str = ""

    @property
    def named_tenant(self) -> str:
        """Return the tenant that the user name names, as in `user@tenant#cluster`; empty when it names none."""
        return self.user.rpartition("@")[2].partition("#")[0] if "@" in self.user else ""

    @property
    def tenant(self) -> str:
        """Return the tenant of the login: the one named, else where the server led it."""
        return self.named_tenant or self.landed or "sys"

    @property
    def is_sys(self) -> bool:
        """Return whether the login is the sys tenant's, which sees every tenant and names them in statements."""
        return self.tenant == "sys"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultBatch:
    """Up to 1000 rows of one result. `columns` is empty for a statement that returns none; `is_last` ends the result."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    affected: int
    warning_count: int
    is_first: bool
    is_last: bool


class Connection:
    """A login. Every method raises Failure: REFUSED with the server's number, state and text, or UNREACHABLE."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._open()

    def _open(self) -> None:
        import pymysql

        target = self.target
        try:
            self._link: pymysql.Connection[pymysql.cursors.Cursor] = pymysql.connect(
                host=target.host,
                port=target.port,
                user=target.user,
                password=target.password.encode(),  # as bytes: PyMySQL would take a text for latin-1
                charset="utf8mb4",
                autocommit=True,
                ssl=None if target.tls_ca is None else {"ca": str(target.tls_ca)},
                ssl_disabled=target.tls_ca is None,
                connect_timeout=CONNECT_SECONDS_MAX,
                read_timeout=None if target.is_patient else READ_SECONDS_MAX,
                write_timeout=CONNECT_SECONDS_MAX,
            )
        except (pymysql.Error, OSError) as error:
            raise _failure(error, target) from None  # the cause holds the arguments, the password among them
        if not target.is_patient:
            from holdfast.mysql.session_state import INITIAL, set_text

            self.rows(set_text({name: value for name, value in INITIAL.items() if name != "time_zone"}))
        if target.time_zone:
            self.rows("SET time_zone = %s", (target.time_zone,))
        if not target.named_tenant and not target.is_patient:
            # The server decides (--default-tenant), and only sys sees sys.
            own = self.tenants()
            self.target = replace(target, landed=own.get(SYS_TENANT_ID) or next(iter(own.values()), ""))

    def reopen(self) -> None:
        """Log in again after the connection was lost. What the old one had set is gone."""
        self.close()
        self._open()

    def close(self) -> None:
        """End the login. Repeatable, never raises."""
        import pymysql

        try:
            self._link.close()
        except (pymysql.Error, OSError):
            return  # the server was gone already

    def rows(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query; `%s` in it are filled with `args`."""
        import pymysql

        try:
            with self._link.cursor() as cursor:
                cursor.execute(sql, tuple(args) or None)
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except (pymysql.Error, OSError) as error:
            raise _failure(error, self.target) from None

    def run(self, command: "Command") -> list[str]:
        """Run a statement of Holdfast's and return its warnings."""
        import pymysql

        from holdfast.statement.render import render

        try:
            with self._link.cursor() as cursor:
                cursor.execute(render(command, reveal=True))
                warned = bool(getattr(cursor, "warning_count", 0))
        except (pymysql.Error, OSError) as error:
            raise _failure(error, self.target) from None  # the cause knows the text, which may hold a password
        return self.warnings() if warned else []

    def warnings(self) -> list[str]:
        """Return what SHOW WARNINGS says about the statement before."""
        return [f"{row['Level']} {row['Code']}: {row['Message']}" for row in self.rows("SHOW WARNINGS")]

    def results(self, sql: str) -> Iterator[ResultBatch]:
        """Run any statement and yield its results in batches; a procedure may have several."""
        import pymysql
        import pymysql.cursors

        cursor = self._link.cursor(pymysql.cursors.SSCursor)
        whole = False
        try:
            cursor.execute(sql)
            while True:
                yield from _batches(cursor)
                if not cursor.nextset():
                    whole = True
                    return
        except (pymysql.Error, OSError) as error:
            whole = True  # an error ends a result as well as a last row does
            raise _failure(error, self.target) from None
        finally:
            if not whole:
                # Ctrl-C in the middle of a result: closing the cursor would read what is left, however much it is.
                cursor.connection = None  # type: ignore[assignment]
                self.close()
            _close(cursor)

    def view(self, name: str, where: str = "", args: Sequence[object] = (), *, tail: str = "") -> list[Row]:
        """Return rows of a dictionary view: of every tenant for sys (`CDB_OB_`), else of the login's own (`DBA_OB_`).

        Shape: upper-case column names; TENANT_ID is always there, and NOW is the server's clock in the same time zone
        as the row's timestamps. `where` and `tail` (ORDER BY, LIMIT) are SQL.
        """
        prefix = "CDB_OB" if self.target.is_sys else "DBA_OB"
        condition = f" WHERE {where}" if where else ""
        rows = self.rows(f"SELECT NOW(6) AS `NOW`, v.* FROM oceanbase.{prefix}_{name} v{condition} {tail}", args)
        if self.target.is_sys:
            return rows
        own = self.tenants()
        return [{"TENANT_ID": next(iter(own), 0), **row} for row in rows]

    def tenants(self) -> dict[int, str]:
        """Return the names of the tenants the login may see, by id, in order."""
        rows = self.rows("SELECT TENANT_ID, TENANT_NAME FROM oceanbase.DBA_OB_TENANTS ORDER BY TENANT_ID")
        return {int(row["TENANT_ID"]): str(row["TENANT_NAME"]) for row in rows}


def _batches(cursor: "pymysql.cursors.SSCursor") -> Iterator[ResultBatch]:
    columns = tuple(column[0] for column in cursor.description or ())
    warned = int(getattr(cursor, "warning_count", 0) or 0)
    if not columns:
        yield ResultBatch(
            columns=(), rows=(), affected=max(cursor.rowcount, 0), warning_count=warned, is_first=True, is_last=True
        )
        return
    first = True
    rows = tuple(cursor.fetchmany(_ROWS_PER_BATCH))
    while True:
        following = tuple(cursor.fetchmany(_ROWS_PER_BATCH)) if len(rows) == _ROWS_PER_BATCH else ()
        if not following:
            # The count stands in the packet that ends the rows.
            warned = int(getattr(cursor, "warning_count", 0) or 0)
        yield ResultBatch(
            columns=columns, rows=rows, affected=0, warning_count=warned, is_first=first, is_last=not following
        )
        if not following:
            return
        rows, first = following, False


def _close(cursor: "pymysql.cursors.SSCursor") -> None:
    import pymysql

    try:
        cursor.close()
    except (pymysql.Error, OSError):
        return  # what broke the connection has been told already


def _failure(error: Exception, target: Target) -> Failure:
    import ssl

    number = error.args[0] if error.args and isinstance(error.args[0], int) else 2013
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    if isinstance(error, ssl.SSLError):  # before anybody is called; of a connection PyMySQL makes errors of its own
        return Failure(
            Exit.UNREACHABLE,
            f"{target.tls_ca} holds no certificate: {text}",
            hint="name the file of the authority that certified the server, PEM, with --tls-ca",
        )
    if _CERTIFICATE_REFUSED in text:
        return Failure(
            Exit.UNREACHABLE,
            f"the server at {target.host}:{target.port} is not certified by {target.tls_ca}: {text}",
            hint="name the file of the authority that certified it, for the name or address of --host, with --tls-ca",
        )
    if number in _LOST or isinstance(error, OSError):
        return Failure(
            Exit.UNREACHABLE,
            f"no server answers at {target.host}:{target.port}: {text}",
            hint=f"begin one there with `holdfast serve --base-dir DIR --port {target.port}`,"
            " or name another with --host and --port",
        )
    if number == FULL:
        full = f"the server at {target.host}:{target.port} is full: {text}"
        return Failure(Exit.REFUSED, full, hint=hint_of(number), code=number, sqlstate="08004")
    state = getattr(error, "sqlstate", None) or "HY000"
    hint = hint_of(number)
    if number == ACCESS_DENIED and target.tls_ca is None:
        hint += "; an account that REQUIREs SSL needs --tls-ca"
    return Failure(Exit.REFUSED, text, hint=hint, code=number, sqlstate=state)
