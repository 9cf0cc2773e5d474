"""Which tables a recovery copies, and what they are called in the target. Pure: words and names in, pairs of names out.

Names are compared as they are stored. `*` stands for all, in items and in rules alike.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast import codes
from holdfast.errors import RefusedError, refuse
from holdfast.statement.commands import RemapTable, TableItem

_ALL = "*"
SYSTEM_DATABASES = frozenset(
    {"oceanbase", "information_schema", "mysql", "__recyclebin", "__public", "lbacsys", "oraauditor"}
)
"""Never copied: they are the engine's own. Schemas of Holdfast begin with two underscores, see `is_system`."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TableName:
    database: str
    table: str

    @property
    def text(self) -> str:
        """Return `db.t`, for messages and views."""
        return f"{self.database}.{self.table}"

    @property
    def quoted(self) -> str:
        """Return it as SQL takes it."""
        return f"{quoted_name(self.database)}.{quoted_name(self.table)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCopy:
    source: TableName
    target: TableName


def quoted_name(name: str) -> str:
    """Return the name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def is_system(database: str) -> bool:
    """Return whether the database belongs to the engine or to Holdfast."""
    return database.lower() in SYSTEM_DATABASES or database.startswith("__")


def check_items(items: Sequence[TableItem], remaps: Sequence[RemapTable]) -> None:
    """Refuse items and rules that contradict each other (1235), before anything is looked at."""
    for item in items:
        if item.partitions:
            raise _not_supported(
                "recover partition", hint=f"recover the whole table {_text(item.database, item.table)}"
            )
    for (database, table), count in Counter((item.database, item.table) for item in items).items():
        if count > 1:
            raise _not_supported(f"recover {_text(database, table)} twice is")
    wide = {item.database for item in items if item.table == _ALL}
    for item in items:
        covering = [name for name in wide if name == _ALL or name == item.database]
        if item.table == _ALL:
            covering = [name for name in covering if name != item.database]
        if covering:
            raise _not_supported(
                f"recover {_text(item.database, item.table)} together with {_text(covering[0], _ALL)} is",
                hint="name it once",
            )
    for rule in remaps:
        _check_rule(rule, items)
    for source, count in Counter((rule.database, rule.table) for rule in remaps).items():
        if count > 1:
            raise _not_supported(f"remap {_text(*source)} twice is")


def _check_rule(rule: RemapTable, items: Sequence[TableItem]) -> None:
    if (rule.table == _ALL) != (rule.to_table == _ALL) or (rule.table == _ALL and rule.to_database in (None, _ALL)):
        raise _not_supported(
            f"remap {_text(rule.database, rule.table)} to {_text(rule.to_database or rule.database, rule.to_table)} is",
            hint="write db.t:t2, db.t:db2.t2 or db.`*`:db2.`*`",
        )
    databases = {item.database for item in items if item.table == _ALL}
    covered = bool({_ALL, rule.database} & databases)
    if rule.table == _ALL:
        if not covered:
            raise _not_supported(f"remap not exist recover database {rule.database}", hint=f"list {rule.database}.*")
    elif not covered and not any((item.database, item.table) == (rule.database, rule.table) for item in items):
        raise _not_supported(
            f"remap not exist recover table {_text(rule.database, rule.table)}", hint="list the table, or its database"
        )


def fixed_targets(items: Sequence[TableItem], remaps: Sequence[RemapTable]) -> tuple[TableName, ...]:
    """Return the target names that are known before the source is: those of tables listed by name."""
    names = (TableName(database=item.database, table=item.table) for item in items if item.table != _ALL)
    return tuple(renamed(name, remaps) for name in names)


def check_targets(targets: Iterable[TableName], databases: frozenset[str], tables: Iterable[TableName]) -> None:
    """Refuse a target whose database is missing (1049) or whose name is taken (1050)."""
    taken = set(tables)
    for target in targets:
        if target.database not in databases or is_system(target.database):
            raise refuse(codes.OB_ERR_BAD_DATABASE, target.database, hint="create it in the target tenant first")
        if target in taken:
            raise refuse(
                codes.OB_ERR_TABLE_EXIST,
                target.text,
                hint=f"drop or rename it, or write REMAP TABLE {target.text}:another_name",
            )


def plan_tables(
    items: Sequence[TableItem], remaps: Sequence[RemapTable], found: Iterable[TableName]
) -> tuple[TableCopy, ...]:
    """Return what is copied, sorted by source. `found`: every table there is in the source, at the target moment.

    Refused: 1146 for a listed table that is not there, 1049 for a listed database without any table, 1235 when two tables would
    get one name.
    """
    there = sorted(name for name in found if not is_system(name.database))
    chosen: list[TableName] = []
    for item in items:
        matching = [
            name
            for name in there
            if item.database in (_ALL, name.database) and (item.table == _ALL or item.table == name.table)
        ]
        if not matching and item.table != _ALL:
            raise refuse(codes.OB_TABLE_NOT_EXIST, item.database, item.table, hint="at the moment that was asked for")
        if not matching and item.database != _ALL:
            raise refuse(
                codes.OB_ERR_BAD_DATABASE, item.database, hint="it has no table at the moment that was asked for"
            )
        chosen += matching
    copies = tuple(TableCopy(source=name, target=renamed(name, remaps)) for name in sorted(set(chosen)))
    for target, count in Counter(copy.target for copy in copies).items():
        if count > 1:
            raise _not_supported(
                f"recover two tables as {target.text} is", hint="give them different names by REMAP TABLE"
            )
    return copies


def renamed(name: TableName, remaps: Sequence[RemapTable]) -> TableName:
    """Return what a table is called in the target: its own rule counts before its database's."""
    for rule in remaps:
        if (rule.database, rule.table) == (name.database, name.table):
            return TableName(database=rule.to_database or name.database, table=_or(rule.to_table, name.table))
    for rule in remaps:
        if (rule.database, rule.table) == (name.database, _ALL):
            return TableName(database=rule.to_database or name.database, table=name.table)
    return name


def _or(new: str, old: str) -> str:
    return old if new == _ALL else new


def _text(database: str, table: str) -> str:
    return f"{database}.{table}"


def _not_supported(what: str, hint: str = "") -> RefusedError:
    return refuse(codes.OB_NOT_SUPPORTED, what, hint=hint)
