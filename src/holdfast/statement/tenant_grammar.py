"""Rules for resource units, pools and tenants: `CREATE ...`, `DROP ...`, `SHOW TENANTS`."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from holdfast import codes
from holdfast.errors import refuse
from holdfast.statement.clauses import comma_list, name_list_in_parentheses
from holdfast.statement.commands import (
    CreateResourcePool,
    CreateResourceUnit,
    CreateTenant,
    DropMode,
    DropResourcePool,
    DropResourceUnit,
    DropTenant,
    ShowTenants,
)
from holdfast.statement.cursor import Cursor
from holdfast.statement.lexer import Kind
from holdfast.values.capacity import capacity_bytes_from_text

_T = TypeVar("_T")
_CORES = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)
_INTEGER = re.compile(r"[0-9]{1,18}", re.ASCII)
_CPU_WORDS = ("MAX_CPU", "MIN_CPU")
_SIZE_WORDS = ("MEMORY_SIZE", "LOG_DISK_SIZE", "DATA_DISK_SIZE")
_COUNT_WORDS = ("MAX_IOPS", "MIN_IOPS", "IOPS_WEIGHT")
_POOL_WORDS = ("UNIT", "UNIT_NUM", "ZONE_LIST", "REPLICA_TYPE")
# Clauses that mean nothing on one node, and how their value is written.
_OTHER_TENANT_WORDS = (
    "LOGONLY_REPLICA_NUM",
    "REPLICA_NUM",
    "ENABLE_ARBITRATION_SERVICE",
    "PROGRESSIVE_MERGE_NUM",
    "ENABLE_EXTENDED_ROWID",
)


def _if_not_exists(cursor: Cursor) -> bool:
    return cursor.accept_words("IF", "NOT", "EXISTS")


def _if_exists(cursor: Cursor) -> bool:
    return cursor.accept_words("IF", "EXISTS")


def _value(cursor: Cursor) -> str:
    """Return the text of a constant: a string, a number, or a bare word such as 5G, enable or mysql."""
    if cursor.at_string():
        return cursor.expect_string()
    if cursor.token().kind is Kind.NUMBER:
        return cursor.advance().text
    return cursor.expect_name()


# --- resource units and pools ---


def create_resource_unit(cursor: Cursor) -> CreateResourceUnit:
    """`[IF NOT EXISTS] u option [, option ...]`; each option once, commas required between them."""
    if_not_exists = _if_not_exists(cursor)
    name = cursor.expect_name_or_string()
    cores: dict[str, Decimal] = {}
    sizes: dict[str, int] = {}
    counts: dict[str, int] = {}

    def option() -> None:
        here = cursor.token()
        word = cursor.expect_one_of(*_CPU_WORDS, *_SIZE_WORDS, *_COUNT_WORDS)
        if word in cores or word in sizes or word in counts:
            cursor.fail(here)
        cursor.skip_equal()
        text = _value(cursor)
        if word in _CPU_WORDS:
            cores[word] = _checked(word, text, _cores)
        elif word in _SIZE_WORDS:
            sizes[word] = _checked(word, text, _size_bytes)
        else:
            counts[word] = _checked(word, text, _count)

    if not cursor.at_end():
        comma_list(cursor, option)
    return CreateResourceUnit(
        name=name,
        if_not_exists=if_not_exists,
        max_cpu=cores.get("MAX_CPU"),
        min_cpu=cores.get("MIN_CPU"),
        memory_size_bytes=sizes.get("MEMORY_SIZE"),
        log_disk_size_bytes=sizes.get("LOG_DISK_SIZE"),
        data_disk_size_bytes=sizes.get("DATA_DISK_SIZE"),
        max_iops=counts.get("MAX_IOPS"),
        min_iops=counts.get("MIN_IOPS"),
        iops_weight=counts.get("IOPS_WEIGHT"),
    )


def _cores(text: str) -> Decimal:
    if not _CORES.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _size_bytes(text: str) -> int:
    # A bare number is bytes here, though a parameter of this kind needs its unit.
    return int(text) if _INTEGER.fullmatch(text) else capacity_bytes_from_text(text)


def _count(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _checked(word: str, text: str, read: Callable[[str], _T]) -> _T:
    try:
        return read(text)
    except ValueError as error:
        raise refuse(
            codes.OB_RESOURCE_UNIT_VALUE_INVALID,
            hint=f"{word} is {text[:32]!r}; write a number, sizes with K, M, G or T",
        ) from error


def create_resource_pool(cursor: Cursor) -> CreateResourcePool:
    """`[IF NOT EXISTS] p UNIT [=] u, UNIT_NUM [=] n [, ZONE_LIST [=] ('z' ...)]` in any order, commas required."""
    if_not_exists = _if_not_exists(cursor)
    name = cursor.expect_name_or_string()
    unit: str | None = None
    unit_num: int | None = None
    zones: tuple[str, ...] = ()

    def option() -> None:
        nonlocal unit, unit_num, zones
        word = cursor.expect_one_of(*_POOL_WORDS)
        cursor.skip_equal()
        if word == "UNIT":
            unit = cursor.expect_name_or_string()
        elif word == "UNIT_NUM":
            unit_num = cursor.expect_integer()
        elif word == "ZONE_LIST":
            zones = name_list_in_parentheses(cursor)
        else:
            cursor.expect_string()  # REPLICA_TYPE: one node has full replicas only

    if not cursor.at_end():
        comma_list(cursor, option)
    return CreateResourcePool(name=name, if_not_exists=if_not_exists, unit=unit, unit_num=unit_num, zones=zones)


def drop_resource_unit(cursor: Cursor) -> DropResourceUnit:
    if_exists = _if_exists(cursor)
    return DropResourceUnit(name=cursor.expect_name_or_string(), if_exists=if_exists)


def drop_resource_pool(cursor: Cursor) -> DropResourcePool:
    if_exists = _if_exists(cursor)
    return DropResourcePool(name=cursor.expect_name_or_string(), if_exists=if_exists)


# --- tenants ---


def create_tenant(cursor: Cursor) -> CreateTenant:
    """`[IF NOT EXISTS] t`, then clauses in any order with or without commas, each once, `SET var = val, ...` last."""
    if_not_exists = _if_not_exists(cursor)
    name = cursor.expect_name_or_string()
    texts: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    while not cursor.at_end() and not cursor.at_words("SET") and not cursor.at_words("VARIABLES"):
        cursor.accept_mark(",")
        here = cursor.token()
        word = _tenant_clause_word(cursor)
        if word in texts or word in lists:
            cursor.fail(here)
        cursor.skip_equal()
        if word in {"RESOURCE_POOL_LIST", "ZONE_LIST"}:
            lists[word] = name_list_in_parentheses(cursor)
        elif word == "READ":
            texts[word] = cursor.expect_one_of("ONLY", "WRITE").lower()
        elif word in {"LOCALITY", "COMMENT"}:
            texts[word] = cursor.expect_string()
            if word == "LOCALITY":
                cursor.accept_words("FORCE")
        else:
            texts[word] = _value(cursor)
    return CreateTenant(
        name=name,
        if_not_exists=if_not_exists,
        charset=texts.pop("CHARSET", None),
        collation=texts.pop("COLLATE", None),
        locality=texts.pop("LOCALITY", None),
        primary_zone=texts.pop("PRIMARY_ZONE", None),
        unit=texts.pop("UNIT", None),
        pools=lists.get("RESOURCE_POOL_LIST", ()),
        zones=lists.get("ZONE_LIST", ()),
        comment=texts.pop("COMMENT", ""),
        other=tuple((word.lower(), text) for word, text in texts.items()),
        variables=_variables(cursor),
    )


def _tenant_clause_word(cursor: Cursor) -> str:
    """Return the keyword of a tenant clause; CHARACTER SET reads as CHARSET, and DEFAULT before it is passed over."""
    if cursor.at_words("DEFAULT") and cursor.token(ahead=1).word in {"CHARSET", "CHARACTER", "COLLATE"}:
        cursor.expect_words("DEFAULT")
    if cursor.accept_words("CHARACTER", "SET"):
        return "CHARSET"
    return cursor.expect_one_of(
        "CHARSET",
        "COLLATE",
        "LOCALITY",
        "PRIMARY_ZONE",
        "UNIT",
        "RESOURCE_POOL_LIST",
        "ZONE_LIST",
        "COMMENT",
        "READ",
        *_OTHER_TENANT_WORDS,
    )


def _variables(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    """Return the pairs of `[{SET | VARIABLES | SET VARIABLES} var = val [, ...]]`, or (). Names in lower case."""
    if not (cursor.accept_words("SET", "VARIABLES") or cursor.accept_one_of("SET", "VARIABLES")):
        return ()
    return comma_list(cursor, lambda: _variable(cursor))


def _variable(cursor: Cursor) -> tuple[str, str]:
    token = cursor.token()
    if token.kind is Kind.VARIABLE and token.text.startswith("@@"):
        name = cursor.advance().text[2:].lower().removeprefix("global.")
    else:
        if cursor.at_name(ahead=1):
            cursor.accept_words("GLOBAL")
        name = cursor.expect_name().lower()
    if not cursor.accept_mark(":="):
        cursor.expect_mark("=")
    sign = "-" if cursor.accept_mark("-") else ""
    return name, sign + _value(cursor)


def drop_tenant(cursor: Cursor) -> DropTenant:
    """`[IF EXISTS] t [PURGE | FORCE]`."""
    if_exists = _if_exists(cursor)
    name = cursor.expect_name_or_string()
    word = cursor.accept_one_of(*DropMode)
    return DropTenant(name=name, if_exists=if_exists, mode=DropMode(word) if word else None)


def show_tenants(_: Cursor) -> ShowTenants:
    return ShowTenants()
