"""Views of whole databases, made again after their tables."""

from collections.abc import Callable
from contextlib import suppress

from holdfast.engine.session import Session, SqlError
from holdfast.tables.plan import TableName, is_system, quoted_name


def make_views(source: Session, target: Session, is_wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """Make the views of the wanted databases that the target does not have; return those that could not be made, as `db.v`.

    Views may rest on each other, so they are tried until nothing more succeeds. A view that is there already stays as it is.
    """
    waiting = [name for name in _views_of(source) if is_wanted(name.database)]
    present = set(_views_of(target))
    waiting = [name for name in waiting if name not in present]
    while waiting:
        left = [name for name in waiting if not _make(source, target, name)]
        if len(left) == len(waiting):
            break
        waiting = left
    return tuple(name.text for name in waiting)


def _views_of(session: Session) -> list[TableName]:
    rows = session.query("SELECT table_schema, table_name FROM information_schema.views ORDER BY 1, 2")
    names = (TableName(database=str(database), table=str(view)) for database, view in rows)
    return [name for name in names if not is_system(name.database)]


def _make(source: Session, target: Session, name: TableName) -> bool:
    with suppress(SqlError):
        text = str(source.query(f"SHOW CREATE VIEW {name.quoted}")[0][1])
        target.execute(f"USE {quoted_name(name.database)}")
        target.execute(text)
        return True
    return False
