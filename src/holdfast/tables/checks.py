"""What a drill asks a restored engine: is every table readable, does every index say what its table says, do assertions hold.

Measured on engine 1.4.0: `FULL(t)` reads the table itself, `INDEX(t i)` the index, and the plan that was kept of the statement shows
`t(i)` when it does (EXPLAIN would tell before, but a standby refuses it: 4688). A plan may be gone before it is looked at: the plan
cache is small, a tenant can make it smaller, and what else is asked fills it. With `is_index_back=false` nothing but the index was
read, so its contents are compared; else its entries lead to the rows, which are counted and compared. Full-text and vector indexes
have tables of their own that no hint reads: they answer a search. A hint on a spatial index is 1210, and an index over the elements
of an array has other rows than its table: these are not checked.
"""

import re
import secrets
from dataclasses import dataclass, replace

from holdfast.engine.session import Session, SqlError
from holdfast.errors import RefusedError
from holdfast.statement.lexer import Kind, name_value, quoted, tokens
from holdfast.tables.plan import TableName, quoted_name
from holdfast.tables.values import Column, RowForm, row_form
from holdfast.values.drill import CheckResult

_KEY = re.compile(r"^\s*(UNIQUE |FULLTEXT |VECTOR |SPATIAL )?(KEY|INDEX) (`(?:[^`]|``)*`) \((.*)$", re.MULTILINE)
"""A key of SHOW CREATE TABLE, where line ends within comments are printed as `\\n`. INDEX: over the elements of an array."""
_DISTANCES = {"l2": "l2_distance", "cosine": "cosine_distance", "inner_product": "negative_inner_product"}
_DISTANCE = re.compile(r"distance\s*=\s*(\w+)", re.IGNORECASE)
_PLAN_TRIES = 3
_WITHOUT_INDEX = "without the index"
_ANSWERS = "answers a search; its entries are not compared with the rows"
_BY_KEY = "its entries have the table's keys; what its expression says was not compared"
_LED_TO_ROWS = "its entries lead to the rows; what they repeat was not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`checksum`: XOR and sum of the CRC-32 of every row's text, which no two equal rows cancel out of both of."""

    result: CheckResult
    row_count: int = 0
    checksum: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index as SHOW CREATE TABLE names it. `kind`: UNIQUE, FULLTEXT, VECTOR, SPATIAL, ELEMENTS or empty. `text`: behind its `(`."""

    name: str
    kind: str
    text: str


def check_table(session: Session, name: TableName) -> Checked:
    """Read every row and every column of a table."""
    form, left_out = _form(_columns(session, name))
    row = session.query(f"SELECT /*+ FULL(t) */ {_summary(form)} FROM {name.quoted} t")[0]
    comment = f"SQL can not read exactly, so not in the checksum: {', '.join(left_out)}" if left_out else ""
    return Checked(result=CheckResult.PASSED, row_count=int(row[0]), checksum=_checksum(row), comment=comment)


def indexes_of(session: Session, name: TableName) -> tuple[Index, ...]:
    """Return the indexes of a table but its primary key."""
    text = str(session.query(f"SHOW CREATE TABLE {name.quoted}")[0][1])
    return tuple(
        Index(
            name=name_value(next(tokens(match[3]))),
            kind="ELEMENTS" if match[2] == "INDEX" else (match[1] or "").strip(),
            text=match[4],
        )
        for match in _KEY.finditer(text)
    )


def check_index(session: Session, name: TableName, index: Index) -> Checked:
    """Compare an index with its table, or make it answer a search."""
    if index.kind == "FULLTEXT":
        return _search(session, name, index)
    if index.kind == "VECTOR":
        return _nearest(session, name, index)
    if index.kind not in ("", "UNIQUE"):
        return Checked(
            result=CheckResult.UNCHECKED, comment=f"SQL does not read an index of kind {index.kind} by itself"
        )
    columns = _columns(session, name)
    wanted = _indexed(session, name, index)
    form, left_out = _form([column for column in columns if column.name in wanted])
    if not form.columns:
        return Checked(result=CheckResult.UNCHECKED, comment=f"its columns can not be compared: {', '.join(left_out)}")
    mine, plan = _read_by_index(session, name, index, _summary(form))
    if plan is None:
        share = session.query("select @@global.ob_plan_cache_percentage limit 1")[0][0]
        comment = f"the engine kept no plan, so what it read is not known (ob_plan_cache_percentage is {share})"
        return Checked(result=CheckResult.UNCHECKED, comment=comment)
    if plan == _WITHOUT_INDEX:
        return Checked(result=CheckResult.UNCHECKED, comment="the engine does not read it by itself")
    table = session.query(f"SELECT /*+ FULL(t) */ {_summary(form)} FROM {name.quoted} t")[0]
    found = Checked(
        result=CheckResult.PASSED,
        row_count=int(str(mine[0])),
        checksum=_checksum(mine),
        comment=_shortfall(is_back="is_index_back=false" not in plan, has_expression=len(form.columns) < len(wanted)),
    )
    if mine == table:
        return found
    comment = f"the table has {int(table[0])} rows with checksum {_checksum(table)}"
    return replace(found, result=CheckResult.FAILED, comment=comment)


def _read_by_index(
    session: Session, name: TableName, index: Index, summary: str
) -> tuple[tuple[object, ...], str | None]:
    """Return what the index gives, and how the plan says it was read: `_WITHOUT_INDEX`, or None if no plan was kept."""
    for number in range(_PLAN_TRIES):
        if number:
            # A full cache keeps no new plan until the engine has evicted old ones, half a minute later.
            _flush_plans(session)
        # An alias that was never used: the statement gets a plan of its own. One that is in the cache already may be listed no more.
        alias = f"i{secrets.token_hex(8)}"
        row = session.query(
            f"SELECT /*+ INDEX({alias} {quoted_name(index.name)}) */ {summary} FROM {name.quoted} {alias}"
        )[0]
        plans = session.query(
            "SELECT object_alias, special_predicates FROM oceanbase.__all_virtual_sql_plan"
            " WHERE object_owner = %s AND object_name = %s AND object_alias LIKE %s",
            (name.database, name.table, f"{alias}%"),
        )
        if plans:
            used = [str(predicates) for shown, predicates in plans if str(shown) == f"{alias}({index.name})"]
            return row, used[0] if used else _WITHOUT_INDEX
    return row, None


def _flush_plans(session: Session) -> None:
    """Make room in the plan cache. An engine that refuses says nothing about the index: it goes unchecked, with the reason."""
    try:
        session.execute("alter system flush plan cache")
    except SqlError as error:
        if error.is_lost:
            raise


def _shortfall(*, is_back: bool, has_expression: bool) -> str:
    """Return what of an index could not be compared, "" for nothing."""
    if is_back:
        return _LED_TO_ROWS
    return _BY_KEY if has_expression else ""


def check_assertion(session: Session, sql: str) -> Checked:
    """Run a query that should give at least one row, and nothing but true values."""
    count, wrong = 0, ""
    for batch in session.stream(sql, 1000):
        for row in batch:
            count += 1
            if not wrong:
                wrong = next(
                    (f"row {count}, column {at}: {word}" for at, cell in enumerate(row, 1) if (word := _untrue(cell))),
                    "",
                )
    if wrong:
        return Checked(result=CheckResult.FAILED, row_count=count, comment=wrong)
    if not count:
        return Checked(result=CheckResult.FAILED, comment="it gives no row")
    return Checked(result=CheckResult.PASSED, row_count=count)


def _plain(cell: object) -> object:
    return cell.decode(errors="replace") if isinstance(cell, bytes) else cell


def _untrue(cell: object) -> str:
    """Return why SQL does not take a value for true, "" if it does: a number other than zero. Never the value, which is the tenant's."""
    if cell is None:
        return "NULL"
    try:
        return "" if float(str(_plain(cell))) != 0 else "0"
    except ValueError:
        return "no number"


def _search(session: Session, name: TableName, index: Index) -> Checked:
    listed = ", ".join(quoted_name(column) for column in _names(index))
    first = quoted_name(_names(index)[0])
    rows = session.query(f"SELECT {first} FROM {name.quoted} WHERE {first} IS NOT NULL LIMIT 1")
    sought = quoted(str(_plain(rows[0][0]))) if rows else "'nothing'"
    found = session.query(f"SELECT COUNT(*) FROM {name.quoted} WHERE MATCH({listed}) AGAINST ({sought})")
    return Checked(result=CheckResult.PASSED, row_count=int(found[0][0]), comment=_ANSWERS)


def _nearest(session: Session, name: TableName, index: Index) -> Checked:
    distance = _DISTANCE.search(index.text)
    function = _DISTANCES.get(distance[1].lower()) if distance else None
    column = quoted_name(_names(index)[0])
    rows = session.query(f"SELECT {column} FROM {name.quoted} WHERE {column} IS NOT NULL LIMIT 1")
    if function is None or (rows and not str(_plain(rows[0][0])).startswith("[")):
        return Checked(result=CheckResult.UNCHECKED, comment="a kind of vector index this version does not ask")
    if not rows:
        return Checked(result=CheckResult.PASSED, comment=_ANSWERS)
    sought = quoted(str(_plain(rows[0][0])))
    found = session.query(
        f"SELECT {column} FROM {name.quoted} ORDER BY {function}({column}, {sought}) APPROXIMATE LIMIT 1"
    )
    if not found:
        return Checked(result=CheckResult.FAILED, comment="it finds nothing near a vector of the table")
    return Checked(result=CheckResult.PASSED, row_count=len(found), comment=_ANSWERS)


def _names(index: Index) -> list[str]:
    """Return the columns an index names, up to the `)` that ends them."""
    found: list[str] = []
    for token in tokens(index.text):
        if token.text == ")":
            break
        if token.kind in (Kind.NAME, Kind.QUOTED_NAME):
            found.append(name_value(token))
    return found


def _columns(session: Session, name: TableName) -> list[Column]:
    return [
        Column(name=str(row[0]), type=str(row[1]))
        for row in session.query(
            "SELECT column_name, column_type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (name.database, name.table),
        )
    ]


def _indexed(session: Session, name: TableName, index: Index) -> set[str]:
    """Return the columns of an index, with those of the primary key, which every entry repeats.

    Of an index over an expression the key alone: it tells the rows apart.
    """
    rows = session.query(
        "SELECT column_name FROM information_schema.statistics WHERE table_schema = %s AND table_name = %s"
        " AND index_name IN ('PRIMARY', %s)",
        (name.database, name.table, index.name),
    )
    return {str(row[0]) for row in rows}


def _form(columns: list[Column]) -> tuple[RowForm, list[str]]:
    """Return how the rows of these columns read as text, and the columns that have no exact one."""
    exact, left_out = [], []
    for column in columns:
        try:
            row_form([column])
        except RefusedError:
            left_out.append(column.name)
        else:
            exact.append(column)
    return row_form(exact), left_out


def _summary(form: RowForm) -> str:
    return f"COUNT(*), {form.fingerprint}, SUM({form.crc_expression})"


def _checksum(row: tuple[object, ...]) -> str:
    return f"{int(str(row[1] or 0)):08x}-{int(str(row[2] or 0)):x}"
