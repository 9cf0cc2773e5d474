"""Copying one table: made in a scratch database of the target, filled, compared, renamed into place.

Order of effects, for the crash: a table is visible under its own name when all its rows are there and were compared, and not
before; what a dead run left lies in its scratch database, which the next run drops.

Memory: one batch of rows, whatever the table's size.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from holdfast.engine.session import Session, SqlError
from holdfast.errors import CorruptionError, RefusedError
from holdfast.tables.definition import Definition, split_definition
from holdfast.tables.plan import TableName, is_system, quoted_name
from holdfast.tables.values import Column, RowForm, row_form

OWNER_TABLE = "__holdfast_owner"
"""The table in a scratch database that says whose it is."""
_BATCH_ROWS = 1000
_INSERT_CHARACTERS_MAX = 1 << 20
"""An INSERT may have 16 MB; a megabyte is as fast."""
_STATEMENT_SECONDS = 7 * 86400
"""Reading a large table takes as long as writing it; whoever wants it to end cancels."""
# Zeros in keys and impossible dates are values like others; anything that would not fit is an error and never cut.
_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One table of the source: how it is made, how its rows travel."""

    definition: Definition
    rows: RowForm
    index_count: int
    constraint_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    row_count: int
    fingerprint: int


def prepare(session: Session) -> None:
    """Set up a session for reading or writing copies: exact values, no foreign keys in the way, no time limit."""
    micros = _STATEMENT_SECONDS * 1_000_000
    session.execute(
        f"SET sql_mode = '{_MODE}', foreign_key_checks = 0, ob_query_timeout = {micros}, ob_trx_timeout = {micros}"
    )


def tables_of(session: Session) -> tuple[TableName, ...]:
    """Return every table of users, sorted."""
    rows = session.query(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
    )
    names = (TableName(database=str(database), table=str(table)) for database, table in rows)
    return tuple(sorted(name for name in names if not is_system(name.database)))


def tables_listed(session: Session) -> tuple[TableName, ...]:
    """Return the same as `tables_of` from the engine's own dictionary: what a check holds it against, in a session of its own."""
    rows = session.query(
        "SELECT d.database_name, t.table_name FROM oceanbase.__all_table t"
        " JOIN oceanbase.__all_database d ON d.database_id = t.database_id"
        # Tables of users at rest: no temporary one has session 0, no copy that an ALTER TABLE is making a state below 2.
        " WHERE t.table_type = 3 AND t.session_id = 0 AND ((t.table_mode >> 12) & 15) < 2"
    )
    names = (TableName(database=str(database), table=str(table)) for database, table in rows)
    return tuple(sorted(name for name in names if not is_system(name.database)))


def databases_of(session: Session) -> frozenset[str]:
    """Return the names of all databases."""
    return frozenset(str(row[0]) for row in session.query("SELECT schema_name FROM information_schema.schemata"))


def shape_of(session: Session, name: TableName) -> Shape:
    """Return how a table is made and read. Raises RefusedError for a column that can not travel exactly."""
    columns = [
        Column(name=str(row[0]), type=str(row[1]))
        for row in session.query(
            "SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " AND generation_expression = '' ORDER BY ordinal_position",
            (name.database, name.table),
        )
    ]
    created = session.query(f"SHOW CREATE TABLE {name.quoted}")[0][1]
    indexes = session.query(
        "SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics"
        " WHERE table_schema = %s AND table_name = %s AND index_name <> 'PRIMARY'",
        (name.database, name.table),
    )
    checks = session.query(
        "SELECT COUNT(*) FROM information_schema.table_constraints"
        " WHERE table_schema = %s AND table_name = %s AND constraint_type = 'CHECK'",
        (name.database, name.table),
    )
    return Shape(
        definition=split_definition(str(created)),
        rows=row_form(columns),
        index_count=int(indexes[0][0]),
        constraint_count=int(checks[0][0]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchOwner:
    """Whose scratch databases a job makes. `record`: what it writes into them; `is_own`: whether it wrote what was read from one."""

    record: str
    is_own: Callable[[str], bool]


def make_empty(target: Session, scratch: str, shape: Shape, owner: ScratchOwner) -> None:
    """Make the table in a scratch database of its own, which is made anew. Raises as `drop_scratch`."""
    drop_scratch(target, scratch, owner)
    target.execute(f"CREATE DATABASE {quoted_name(scratch)}")
    # Killed before the next line: an empty database, which is nobody's loss. Before the one after: a mark of nobody, and nothing else.
    target.execute(f"CREATE TABLE {quoted_name(scratch)}.{quoted_name(OWNER_TABLE)} (record TEXT NOT NULL)")
    target.execute(f"INSERT INTO {quoted_name(scratch)}.{quoted_name(OWNER_TABLE)} VALUES (%s)", (owner.record,))
    target.execute(f"USE {quoted_name(scratch)}")
    target.execute(shape.definition.create)


def copy_rows(
    source: Session,
    target: Session,
    name: TableName,
    place: TableName,
    shape: Shape,
    *,
    check: Callable[[], None],
    told: Callable[[int], None],
) -> Copied:
    """Copy every row and return what was read. `check` is called between batches and may raise; `told` hears of rows written."""
    form = shape.rows
    insert = f"INSERT INTO {place.quoted} ({form.insert_list}) VALUES "
    count = fingerprint = 0
    for batch in source.stream(f"SELECT {form.select_list} FROM {name.quoted}", _BATCH_ROWS):
        check()
        for row in batch:
            fingerprint ^= form.crc(row)
        for statement in _inserts(insert, (form.literal(row) for row in batch)):
            target.execute(statement, shown=insert)  # rows are nobody's business but their tenant's
        count += len(batch)
        told(len(batch))
    return Copied(row_count=count, fingerprint=fingerprint)


def _inserts(head: str, literals: Iterator[str]) -> Iterator[str]:
    """Yield statements of about a megabyte."""
    parts: list[str] = []
    size = 0
    for literal in literals:
        if parts and size + len(literal) > _INSERT_CHARACTERS_MAX:
            yield head + ",".join(parts)
            parts, size = [], 0
        parts.append(literal)
        size += len(literal)
    if parts:
        yield head + ",".join(parts)


def compare(source: Session, target: Session, name: TableName, place: TableName, shape: Shape, copied: Copied) -> None:
    """Raise CorruptionError unless source and target both hold what was read, row for row and value for value.

    `source`, `target`: sessions that took no part in the copying. Both engines count by themselves, nothing is read row by row:
    what cut the reading short would cut a second reading short as well.
    """
    for session, table in ((source, name), (target, place)):
        row = session.query(f"SELECT COUNT(*), {shape.rows.fingerprint} FROM {table.quoted}")[0]
        found = Copied(row_count=int(row[0]), fingerprint=int(row[1] or 0))
        if found != copied:
            raise CorruptionError(
                f"{table.text} has {found.row_count} rows with fingerprint {found.fingerprint:08x}, "
                f"read were {copied.row_count} with {copied.fingerprint:08x}"
            )


def into_place(target: Session, place: TableName, final: TableName) -> None:
    """Give the table its name: from now on it is visible, whole. Raises SqlError 1050 when there is one of that name."""
    target.execute(f"RENAME TABLE {place.quoted} TO {final.quoted}")


def drop_scratch(target: Session, scratch: str, owner: ScratchOwner) -> None:
    """Drop a scratch database with what is in it. Repeatable.

    Raises RefusedError for a database of this name that holds tables and was not made by this job: a user's.
    """
    tables = {
        str(row[0])
        for row in target.query("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (scratch,))
    }
    if tables - {OWNER_TABLE}:
        records = (
            target.query(f"SELECT record FROM {quoted_name(scratch)}.{quoted_name(OWNER_TABLE)}")
            if OWNER_TABLE in tables
            else ()
        )
        if not any(owner.is_own(str(row[0])) for row in records):
            raise RefusedError(
                f"database {scratch} holds tables that this job did not make",
                hint=f"if nobody needs them: DROP DATABASE {scratch}, then begin again",
            )
    with suppress(SqlError):
        target.execute("USE oceanbase")  # not from inside
    target.execute(f"DROP DATABASE IF EXISTS {quoted_name(scratch)}")
