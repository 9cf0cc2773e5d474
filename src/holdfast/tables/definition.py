"""The text of SHOW CREATE TABLE, taken apart at its foreign keys. Pure.

A table is made without them: the tables they name may come later or not at all, and what is there already may break them. They
are added when all rows are there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.errors import CorruptionError
from holdfast.statement.lexer import Kind, Token, name_value, tokens
from holdfast.tables.plan import TableName

_NAMES = frozenset({Kind.NAME, Kind.QUOTED_NAME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """`create`: the statement without foreign keys, the table's name without its database. `foreign_keys`: each as it stood."""

    create: str
    foreign_keys: tuple[str, ...]


def split_definition(text: str) -> Definition:
    """Return the parts. Raises CorruptionError for a text that is no CREATE TABLE."""
    found = list(tokens(text))
    if [token.word for token in found[:2]] != ["CREATE", "TABLE"]:
        raise CorruptionError(f"no CREATE TABLE: {text[:80]}")
    kept: list[str] = []
    foreign_keys: list[str] = []
    begin, end, items = _items(found)
    for first, last in items:
        item = found[first:last]
        words = [token.word for token in item]
        is_named = words[:1] == ["CONSTRAINT"]
        is_foreign = words[2:4] == ["FOREIGN", "KEY"] if is_named else words[:2] == ["FOREIGN", "KEY"]
        part = text[item[0].start : item[-1].end]
        (foreign_keys if is_foreign else kept).append(part)
    body = ",\n  ".join(kept)
    create = f"{text[: found[begin].end]}\n  {body}\n{text[found[end].start :]}"
    return Definition(create=create, foreign_keys=tuple(foreign_keys))


def _items(found: list[Token]) -> tuple[int, int, list[tuple[int, int]]]:
    """Return where the list of columns and keys begins and ends, and each of its items as a range of tokens."""
    begin = next((number for number, token in enumerate(found) if token.text == "("), None)
    if begin is None:
        raise CorruptionError("a CREATE TABLE without columns")
    items: list[tuple[int, int]] = []
    depth, first = 0, begin + 1
    for number in range(begin, len(found)):
        mark = found[number].text if found[number].kind is Kind.PUNCTUATION else ""
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
            if depth == 0:
                items.append((first, number))
                return begin, number, items
        elif mark == "," and depth == 1:
            items.append((first, number))
            first = number + 1
    raise CorruptionError("a CREATE TABLE that does not end")


def without_name(item: str) -> str:
    """Return a foreign key without its CONSTRAINT name: what it does, and what of two spellings is compared."""
    begin = next(token.start for token in tokens(item) if token.word == "FOREIGN")
    return item[begin:]


def foreign_key_for(item: str, renamed: Callable[[TableName], TableName]) -> str:
    """Return a foreign key with the table it refers to under its new name."""
    found = list(tokens(item))
    place = next((number for number, token in enumerate(found) if token.word == "REFERENCES"), None)
    if place is None:
        raise CorruptionError(f"a foreign key without REFERENCES: {item[:80]}")
    database, dot, table = found[place + 1 : place + 4]
    if database.kind not in _NAMES or dot.text != "." or table.kind not in _NAMES:
        raise CorruptionError(f"a foreign key refers to no table: {item[:80]}")
    new = renamed(TableName(database=name_value(database), table=name_value(table)))
    return f"{item[: database.start]}{new.quoted}{item[table.end :]}"
