"""The types that the catalog's columns have, and the shape of its tables as values.

- Times are TIMESTAMP(6), written by sessions of time zone +00:00; a reader's session decides how they look. SCNs are
  unsigned nanoseconds, 0 while unknown.
- A column has the type its view column has (`views.py`): a view passes it on unchanged, and so types come out exact.
  Columns that are constant today (INCARNATION, DEST_NO) exist for that reason: the engine types a literal by its value.
- Paths and names are compared byte for byte (utf8mb4_bin), all other texts as the engine does by default.
"""

from collections.abc import Mapping, Sequence

Columns = tuple[tuple[str, str], ...]
"""(name, type with its default), in the order in which a fresh table has them."""
Tables = Mapping[str, tuple[Columns, tuple[str, ...]]]
"""Name of the table -> its columns, its keys."""

ID = "BIGINT(20) NOT NULL"
COUNT = "BIGINT(20) NOT NULL DEFAULT 0"
ONE = "BIGINT(20) NOT NULL DEFAULT 1"
SCN = "BIGINT(20) UNSIGNED NOT NULL DEFAULT 0"
TIME = "TIMESTAMP(6) NULL DEFAULT NULL"
SWITCH = "VARCHAR(4096) NOT NULL DEFAULT 'OFF'"
TEXT = "LONGTEXT"


def varchar(size: int, default: str = "") -> str:
    """Return the type of a text of at most `size` characters, compared as the engine does by default."""
    return f"VARCHAR({size}) NOT NULL DEFAULT '{default}'"


def exact(size: int) -> str:
    """Return the type of a text of at most `size` characters, compared byte for byte."""
    return f"VARCHAR({size}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT ''"


def table_ddl(name: str, columns: Columns, keys: Sequence[str]) -> str:
    """Return the statement that creates a table of the catalog unless it is there."""
    lines = ",\n  ".join([*(f"`{column}` {kind}" for column, kind in columns), *keys])
    return f"CREATE TABLE IF NOT EXISTS __holdfast.`{name}` (\n  {lines}\n) DEFAULT CHARSET utf8mb4"
