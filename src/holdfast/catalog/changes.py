"""What a migration of the catalog may do: each change as a value that works on tables and on a running engine.

The engine commits every DDL by itself, so a server may die between any two statements, and after a statement before its
answer. Therefore a change looks at what is there (`Found`) and gives only what is missing: carried out twice, or on a table
that has it already, it does nothing or the same again.

There is no change that drops something: a column that is no longer read costs nothing, and dropping it would take the rows
of a server that is rolled back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast.catalog.columns import Columns, Tables, table_ddl

Found = frozenset[tuple[str, str]]
"""The columns of the catalog on the engine: (table, column)."""


class Change(Protocol):
    """One step of a migration."""

    def folded(self, tables: Tables) -> Tables:
        """Return the tables with the change made: what a fresh catalog gets at once."""
        ...

    def statements(self, found: Found) -> Sequence[str]:
        """Return what brings a catalog with these columns there. Repeatable after each of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """All tables of a first shape, in catalogs that have none, some or older ones of them, and their first rows.

    Older builds added tables and columns by themselves and kept no number. They never changed a type or a key, so a catalog
    of any of them holds a part of this shape (compared for all commits that changed it, decision 40).
    """

    tables: Tables
    rows: tuple[str, ...]

    def folded(self, tables: Tables) -> Tables:
        assert not tables, "the baseline comes first"
        return dict(self.tables)

    def statements(self, found: Found) -> Sequence[str]:
        there = {table for table, _ in found}
        return [
            *(table_ddl(name, *shape) for name, shape in self.tables.items() if name not in there),
            *(
                _added(table, column, kind)
                for table, (columns, _) in self.tables.items()
                if table in there
                for column, kind in columns
                if (table, column) not in found
            ),
            *self.rows,
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTable:
    """A new table."""

    table: str
    columns: Columns
    keys: tuple[str, ...]

    def folded(self, tables: Tables) -> Tables:
        assert self.table not in tables, f"there is a table {self.table} already"
        return {**tables, self.table: (self.columns, self.keys)}

    def statements(self, found: Found) -> Sequence[str]:
        return [table_ddl(self.table, self.columns, self.keys)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddColumn:
    """A new column at the end of a table. Its type carries the default that the rows there get."""

    table: str
    column: str
    type: str

    def folded(self, tables: Tables) -> Tables:
        columns, keys = tables[self.table]
        assert self.column not in dict(columns), f"{self.table} has a column {self.column} already"
        return {**tables, self.table: ((*columns, (self.column, self.type)), keys)}

    def statements(self, found: Found) -> Sequence[str]:
        return [] if (self.table, self.column) in found else [_added(self.table, self.column, self.type)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeType:
    """Another type, size, collation or default of a column. The engine converts the rows, or refuses what does not fit.

    Copying the table, the engine takes half a second and more for it (measured on 1.4.0); a wider VARCHAR is 0.1 s.
    """

    table: str
    column: str
    type: str

    def folded(self, tables: Tables) -> Tables:
        columns, keys = tables[self.table]
        assert self.column in dict(columns), f"{self.table} has no column {self.column}"
        changed = tuple((name, self.type if name == self.column else kind) for name, kind in columns)
        return {**tables, self.table: (changed, keys)}

    def statements(self, found: Found) -> Sequence[str]:
        return [f"ALTER TABLE __holdfast.`{self.table}` MODIFY COLUMN `{self.column}` {self.type}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRows:
    """Other contents of rows that are there. Each statement has to be repeatable; a fresh catalog, which has no rows, gets none."""

    sql: tuple[str, ...]

    def folded(self, tables: Tables) -> Tables:
        return tables

    def statements(self, found: Found) -> Sequence[str]:
        return self.sql


def _added(table: str, column: str, kind: str) -> str:
    return f"ALTER TABLE __holdfast.`{table}` ADD COLUMN `{column}` {kind}"
