"""Rules for restore, standby tenants and table recovery: `ALTER SYSTEM ...`, `SHOW RESTORE PREVIEW`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from holdfast import codes
from holdfast.errors import refuse
from holdfast.statement.clauses import (
    comma_list,
    description_clause,
    encrypted_by_clause,
    path_list,
    tenant_clause,
    until_clause,
)
from holdfast.statement.commands import (
    ActivateStandby,
    AddRestoreSource,
    CancelRecoverTable,
    CancelRestore,
    ClearRestoreSource,
    OptionPairs,
    RecoverPoint,
    RecoverStandby,
    RecoverTable,
    RemapTable,
    Restore,
    RestorePreview,
    RunUpgradeJob,
    ShowRestorePreview,
    Switchover,
    TableItem,
    Until,
)
from holdfast.statement.cursor import Cursor
from holdfast.statement.restore_options import option_pairs
from holdfast.values.tenant import TenantRole

_ALL = "*"
_AFTER_TARGET = frozenset({"FROM", "UNTIL", "WITH", "REMAP", "DESCRIPTION"})
_T = TypeVar("_T")

# --- restore ---


def restore(cursor: Cursor) -> Restore | RestorePreview:
    """`t [FROM 'uris'] [UNTIL ..] [WITH ..]` or `FROM 'uris' [UNTIL ..] [WITH KEY FROM 'source'] PREVIEW`; its WITH is ours.

    FROM with a string right after it begins a preview; FROM with anything else is a tenant of that name.
    """
    if cursor.at_words("FROM") and cursor.at_string(ahead=1):
        sources = _sources(cursor)
        until = until_clause(cursor)
        key_source = cursor.expect_string() if cursor.accept_words("WITH", "KEY", "FROM") else None
        cursor.expect_words("PREVIEW")
        return RestorePreview(sources=sources, until=until, key_source=key_source)
    tenant = cursor.expect_name_or_string()
    sources = _sources(cursor)
    until = until_clause(cursor)
    how = _with_clauses(cursor)
    return Restore(
        tenant=tenant,
        sources=sources,
        until=until,
        options=how.options,
        password=how.password,
        key_source=how.key_source,
        key_password=how.key_password,
        sts_credential=how.sts_credential,
        description=description_clause(cursor),
    )


def _sources(cursor: Cursor) -> tuple[str, ...]:
    """Return the paths of `[FROM 'uri[,uri]']`, or ()."""
    return path_list(cursor.expect_string()) if cursor.accept_words("FROM") else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """What the WITH clauses say."""

    options: OptionPairs = ()
    password: str | None = None
    key_source: str | None = None
    key_password: str | None = None
    sts_credential: str | None = None


def _with_clauses(cursor: Cursor) -> _How:
    """Return `[WITH 'options' [ENCRYPTED BY 'pw']] [WITH KEY FROM 'uri' [ENCRYPTED BY 'pw']] [WITH TENANT_STS_CREDENTIAL 's']`.

    OceanBase requires the options; here they may be left out. The last two come in either order.
    """
    options: OptionPairs = ()
    password: str | None = None
    if cursor.at_words("WITH") and cursor.at_string(ahead=1):
        cursor.expect_words("WITH")
        options = option_pairs(cursor.expect_string())
        password = encrypted_by_clause(cursor)
    key_source: str | None = None
    key_password: str | None = None
    sts_credential: str | None = None
    while cursor.accept_words("WITH"):
        if key_source is None and cursor.accept_words("KEY", "FROM"):
            key_source = cursor.expect_string()
            key_password = encrypted_by_clause(cursor)
        elif sts_credential is None and cursor.accept_words("TENANT_STS_CREDENTIAL"):
            sts_credential = cursor.expect_string()
        else:
            cursor.fail()
    return _How(
        options=options,
        password=password,
        key_source=key_source,
        key_password=key_password,
        sts_credential=sts_credential,
    )


def show_restore_preview(_: Cursor) -> ShowRestorePreview:
    return ShowRestorePreview()


def add_restore_source(cursor: Cursor) -> AddRestoreSource:
    return AddRestoreSource(sources=path_list(cursor.expect_string()))


def clear_restore_source(_: Cursor) -> ClearRestoreSource:
    return ClearRestoreSource()


def cancel_restore(cursor: Cursor) -> CancelRestore:
    return CancelRestore(tenant=cursor.expect_name_or_string())


# --- standby tenants ---


def recover_standby(cursor: Cursor) -> RecoverStandby:
    """`[TENANT [=] t] {UNTIL .. | CANCEL}`, in either order."""
    tenants = tenant_clause(cursor)
    point: Until | RecoverPoint | None
    if cursor.accept_words("UNTIL", "UNLIMITED"):
        point = RecoverPoint.UNLIMITED
    elif cursor.accept_words("CANCEL"):
        point = RecoverPoint.CANCEL
    else:
        point = until_clause(cursor)
    return RecoverStandby(point=point, tenants=tenants or tenant_clause(cursor))


def activate_standby(cursor: Cursor) -> ActivateStandby:
    return ActivateStandby(tenants=tenant_clause(cursor), verify=cursor.accept_words("VERIFY"))


def switchover(cursor: Cursor) -> Switchover:
    to = TenantRole(cursor.expect_one_of(TenantRole.PRIMARY, TenantRole.STANDBY))
    return Switchover(to=to, tenants=tenant_clause(cursor), verify=cursor.accept_words("VERIFY"))


def run_upgrade_job(cursor: Cursor) -> RunUpgradeJob:
    return RunUpgradeJob(job=cursor.expect_string(), tenants=tenant_clause(cursor))


# --- table recovery ---


def recover_table(cursor: Cursor) -> RecoverTable:
    """`items [TO [TENANT [=]] t] [FROM ..] [UNTIL ..] [WITH ..] [REMAP ..]* [DESCRIPTION ..] [PREVIEW]`; PREVIEW is ours."""
    items = comma_list(cursor, lambda: _table_item(cursor))
    target: str | None = None
    if cursor.accept_words("TO"):
        # TENANT is a keyword here unless it is the tenant's own name: `TO tenant FROM ...`.
        after = cursor.token(ahead=1)
        is_named = cursor.at_name(ahead=1) or cursor.at_string(ahead=1) or cursor.at_mark("=", ahead=1)
        if is_named and after.word not in _AFTER_TARGET and cursor.accept_words("TENANT"):
            cursor.skip_equal()
        target = cursor.expect_name_or_string()
    sources = _sources(cursor)
    until = until_clause(cursor)
    how = _with_clauses(cursor)
    tables: tuple[RemapTable, ...] = ()
    tablegroups: tuple[tuple[str, str], ...] = ()
    tablespaces: tuple[tuple[str, str], ...] = ()
    while cursor.accept_words("REMAP"):
        word = cursor.expect_one_of("TABLE", "TABLEGROUP", "TABLESPACE")
        if word == "TABLE":
            tables = _remap(cursor, word, tables, _remap_table)
        elif word == "TABLEGROUP":
            tablegroups = _remap(cursor, word, tablegroups, _remap_name)
        else:
            tablespaces = _remap(cursor, word, tablespaces, _remap_name)
    return RecoverTable(
        items=items,
        target=target,
        sources=sources,
        until=until,
        options=how.options,
        password=how.password,
        key_source=how.key_source,
        key_password=how.key_password,
        sts_credential=how.sts_credential,
        remap_tables=tables,
        remap_tablegroups=tablegroups,
        remap_tablespaces=tablespaces,
        description=description_clause(cursor),
        preview=cursor.accept_words("PREVIEW"),
    )


def cancel_recover_table(cursor: Cursor) -> CancelRecoverTable:
    return CancelRecoverTable(tenant=cursor.expect_name_or_string())


def _table_item(cursor: Cursor) -> TableItem:
    database = _name_or_all(cursor)
    cursor.expect_mark(".")
    # `*.tb` is no item; the error is near the table, as in MySQL.
    if database == _ALL and not cursor.at_mark(_ALL):
        cursor.fail()
    table = _name_or_all(cursor)
    partitions: tuple[str, ...] = ()
    if cursor.accept_words("PARTITION"):
        cursor.expect_mark("(")
        partitions = comma_list(cursor, cursor.expect_name)
        cursor.expect_mark(")")
    return TableItem(database=database, table=table, partitions=partitions)


def _name_or_all(cursor: Cursor) -> str:
    """Return a name, or `*`, which may stand in backticks too."""
    return _ALL if cursor.accept_mark(_ALL) else cursor.expect_name()


def _remap(cursor: Cursor, word: str, before: tuple[_T, ...], rule: Callable[[Cursor], _T]) -> tuple[_T, ...]:
    if before:
        raise refuse(codes.OB_OP_NOT_ALLOW, f"duplicate REMAP {word} is", hint="write one list, parted by commas")
    return comma_list(cursor, lambda: rule(cursor))


def _remap_table(cursor: Cursor) -> RemapTable:
    database = cursor.expect_name()
    cursor.expect_mark(".")
    table = _name_or_all(cursor)
    cursor.expect_mark(":")
    to_table = _name_or_all(cursor)
    to_database: str | None = None
    if cursor.accept_mark("."):
        to_database, to_table = to_table, _name_or_all(cursor)
    return RemapTable(database=database, table=table, to_database=to_database, to_table=to_table)


def _remap_name(cursor: Cursor) -> tuple[str, str]:
    name = cursor.expect_name_or_string()
    cursor.expect_mark(":")
    return name, cursor.expect_name_or_string()
