"""What an engine has granted a user, as SHOW GRANTS tells it.

Source of what a privilege includes: oceanbase/seekdb src/share/schema/ob_schema_getter_guard_priv.cpp (SUPER stands for ALTER
SYSTEM and its like), of the form: src/observer/virtual_table/ob_show_grants.cpp; both measured on 1.4.0, tests/surface/.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """A privilege of OceanBase's that a statement of ours may need. Each is one of the whole instance (`*.*`)."""

    ALTER_SYSTEM = "ALTER SYSTEM"
    SUPER = "SUPER"
    CREATE_RESOURCE_POOL = "CREATE RESOURCE POOL"
    CREATE_RESOURCE_UNIT = "CREATE RESOURCE UNIT"


_ALL = "ALL PRIVILEGES"
_SELECT = "SELECT"
_NAME = r"`(?:[^`]|``)*`"
# Privileges are plain words: a quote, backtick or bracket before the place is part of a name, and a database, user or column may be
# called whatever its maker wants to be granted. So a row with privileges on single columns is no grant here.
_GRANT = re.compile(
    rf"GRANT (?P<privileges>[A-Z_ ,]+?) ON (?:\*\.\*|(?P<schema>{_NAME})\.(?:\*|(?P<table>{_NAME}))) TO "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One row. `schema` is a pattern of LIKE, "" for the whole instance; `table` is "" for all of a schema."""

    privileges: frozenset[str]
    schema: str = ""
    table: str = ""

    def covers(self, schema: str, table: str) -> bool:
        """Return whether it is about this table. The engine compares schemas by LIKE and tables as they are, case apart."""
        if self.table:
            return self.schema.lower() == schema.lower() and self.table.lower() == table.lower()
        return not self.schema or _is_like(schema.lower(), self.schema.lower())


@dataclass(frozen=True, slots=True)
class Grants:
    """All that a user was granted, directly or by a role that is active."""

    rows: tuple[Grant, ...] = ()

    def allow(self, right: Right) -> bool:
        """Return whether they allow what needs `right`. SUPER includes the others, as in the engine."""
        enough = {right, Right.SUPER, _ALL}
        return any(not row.schema and row.privileges & enough for row in self.rows)

    def may_select(self, schema: str, table: str) -> bool:
        """Return whether they allow to read the whole of a table or view. A grant of single columns does not."""
        return any(row.covers(schema, table) and row.privileges & {_SELECT, _ALL} for row in self.rows)

    def may_select_all(self) -> bool:
        """Return whether they allow to read every table there is."""
        return any(not row.schema and row.privileges & {_SELECT, _ALL} for row in self.rows)


NOTHING = Grants()
EVERYTHING = Grants((Grant(privileges=frozenset({_ALL})),))


def parse_grants(rows: Iterable[str]) -> Grants:
    """Return what rows of SHOW GRANTS say. What is no grant of tables (of roles, of routines, of proxies) is left out."""
    found = (parse_grant(row) for row in rows)
    return Grants(tuple(grant for grant in found if grant is not None))


def parse_grant(row: str) -> Grant | None:
    """Return one row of SHOW GRANTS, None for a kind that opens no statement and no view of ours."""
    match = _GRANT.match(row.replace("\0", ""))
    if match is None:
        return None
    privileges = frozenset(word.strip() for word in match["privileges"].split(","))
    return Grant(privileges=privileges, schema=_bare(match["schema"]), table=_bare(match["table"]))


def is_of_role(row: str) -> bool:
    """Return whether a row of SHOW GRANTS grants roles: what they hold stands in no row."""
    return row.startswith("GRANT `")


def _bare(quoted: str | None) -> str:
    return "" if quoted is None else quoted[1:-1].replace("``", "`")


def _is_like(text: str, pattern: str) -> bool:
    """Return whether `text` is like `pattern`: `%` any run of letters, `_` one, a backslash takes the next as it is."""
    parts = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            parts.append(re.escape(next(letters, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(letter, re.escape(letter)))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None
