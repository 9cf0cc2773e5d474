"""docs/compatibility.md, written from the tables that make what it tells of.

Statements come from `jobs.surface`, views from `catalog.views`, parameters from `jobs.parameters`. What is kept here is only what
those tables can not know: which names OceanBase has beside them, and a word on each. `make docs` writes the page; a test
holds it to `render`.
"""

from collections.abc import Iterable

from holdfast.catalog.views import VIEWS, Scope
from holdfast.jobs.parameters import BY_NAME, DEFINITIONS, DEPRECATED
from holdfast.jobs.surface import STATEMENTS, State, Statement

_INTRODUCTION = """\
# Statements, views and parameters: what works, what does not yet

Written by `make docs` from the tables in the code (`jobs/surface.py`, `catalog/views.py`, `jobs/parameters.py`); a test holds
this page to them.

State: **same** (as in OceanBase V4.x), **beyond** (more than OceanBase, or not in it), **part** (the note says what is missing),
**later** (refused with 1235 and this page's word for it), **never** (no meaning on seekdb; refused with its code, the note says
why). Error codes, SQLSTATE and texts are OceanBase's in MySQL mode, for Oracle tenants too; a hint in brackets may follow the
text.

## Statements

The name in the first column is the command in `holdfast/statement/commands.py`. sys, tenant: who may run it; which privilege it
needs, which the engine's own grants give: [rights.md](rights.md)."""

_ABOUT_VIEWS = """\
## Views

Columns and types: [views.md](views.md). `x` stands for `CDB_OB_x` (sys) and `DBA_OB_x` (sys and tenants)."""

_ORACLE = """\
## Oracle mode

`CREATE TENANT t SET ob_compatibility_mode = 'oracle'` gives the management surface of an Oracle tenant, and says in SHOW WARNINGS
that it does no more:

- the administrator is `SYS` (in any case: `sys@t`), without a password at first; `root` has one that was told to nobody, as
  seekdb lets nobody lock or drop it;
- views are `SYS.DBA_OB_...`, and bare names mean them whatever the current schema is; `oceanbase.DBA_OB_...` reaches them too,
  because the engine's own views of that name would tell another truth. DBA_OB_BACKUP_STORAGE_INFO and its _HISTORY keep
  TENANT_ID;
- backup, archive, restore and parameter statements are those of any tenant; the mode and SYS come back with a restore;
- SQL on data is the engine's MySQL mode: no PL/SQL, no Oracle types, users other than SYS spelled as they were created. Column
  types are those of MySQL mode (`bigint`, `varchar`, `longtext`, `timestamp(6)` where OceanBase has NUMBER, VARCHAR2, CLOB,
  VARCHAR2(256)); errors have MySQL numbers, not ORA."""

_REMARKS = """\
## Remarks

The engine does not let its own `oceanbase.V$OB_PARAMETERS` be replaced in the sys tenant; `GV$OB_PARAMETERS` there shows
Holdfast's parameters beside the engine's, and in user tenants both names do.

A statement of a user tenant that reads dictionary views can read nothing else: no table of the tenant's own, and no other schema
of the sys engine (1142). Under sql_mode ANSI_QUOTES it may hold no `"`, under NO_BACKSLASH_ESCAPES no backslash (1235): decision
20 says why.

What a user tenant may not do to its own engine (refused at the gateway, found and undone within half a minute where a procedure hides it,
decision 57): change its ports, directories, role, memory, data file, log disk, threads or TLS, `secure_file_priv`, the accounts
`__holdfast` and `__holdfast_restore`, or rows of `oceanbase.__all_...`; end a session that is no client's (1094). KILL takes a
number, alone, and can not be prepared. A text of more than 1 MiB begins with data, a query or a definition of a table (1235)."""

_OTHER_VIEWS: dict[str, tuple[State, str]] = {
    "LS_LOG_ARCHIVE_PROGRESS": (State.LATER, ""),
    "BACKUP_DELETE_POLICY": (State.LATER, ""),
    "BACKUP_DELETE_JOBS": (State.LATER, ""),
    "BACKUP_DELETE_JOB_HISTORY": (State.LATER, ""),
    "BACKUP_DELETE_TASKS": (State.LATER, ""),
    "BACKUP_DELETE_TASK_HISTORY": (State.LATER, ""),
    "BACKUP_VALIDATE_JOBS": (State.LATER, ""),
    "BACKUP_VALIDATE_JOB_HISTORY": (State.LATER, ""),
    "BACKUP_VALIDATE_TASKS": (State.LATER, ""),
    "BACKUP_VALIDATE_TASK_HISTORY": (State.LATER, ""),
}
"""OceanBase's views that may not be there. One that is in the table of views is told of from there, whatever this says."""

_VIEW_NOTES: dict[str, tuple[State, str]] = {
    "BACKUP_STORAGE_INFO": (State.PART, "MAX_IOPS, MAX_BANDWIDTH and STATUS of V4.3.5 are missing"),
    "BACKUP_STORAGE_INFO_HISTORY": (State.PART, "shows the same rows as BACKUP_STORAGE_INFO"),
}
"""States and words for views that are there; one that is not listed is `same`, one OceanBase does not have `beyond`."""

_OCEANBASE_VIEWS = frozenset(
    {
        "BACKUP_JOBS",
        "BACKUP_JOB_HISTORY",
        "BACKUP_TASKS",
        "BACKUP_TASK_HISTORY",
        "BACKUP_SET_FILES",
        "BACKUP_PARAMETER",
        "BACKUP_STORAGE_INFO",
        "BACKUP_STORAGE_INFO_HISTORY",
        "ARCHIVE_DEST",
        "ARCHIVELOG",
        "ARCHIVELOG_SUMMARY",
        "ARCHIVELOG_PIECE_FILES",
        "RESTORE_PROGRESS",
        "RESTORE_HISTORY",
        "DBA_OB_TENANTS",
        "DBA_OB_RESOURCE_POOLS",
        "DBA_OB_UNIT_CONFIGS",
        "DBA_OB_ROOTSERVICE_EVENT_HISTORY",
        "GV$OB_PARAMETERS",
        "V$OB_PARAMETERS",
        *_OTHER_VIEWS,
    }
)

_KEPT = "kept, checked and shown"
PARAMETER_NOTES: dict[str, tuple[State, str]] = {
    "ha_low_thread_score": (State.SAME, "worker threads of backup and cleanup; 0 means 2"),
    "ha_high_thread_score": (State.SAME, "worker threads of restore; 0 means 8"),
    "ha_mid_thread_score": (State.PART, f"{_KEPT}; there are no replicas to migrate"),
    "log_archive_concurrency": (State.PART, f"{_KEPT}; one follower per tenant keeps up with its engine"),
    "log_restore_concurrency": (State.PART, _KEPT),
    "archive_lag_target": (State.SAME, ""),
    "backup_data_file_size": (State.PART, f"{_KEPT}; data objects have 128 MiB whatever it says"),
    "recover_table_concurrency": (State.SAME, "tables imported at once; 0 means 2"),
    "recover_table_dop": (State.PART, f"{_KEPT}; a table's rows travel through one session"),
    "standby_db_fetch_log_rpc_timeout": (State.PART, f"{_KEPT}; a source is a path, which needs no time limit"),
    "tde_method": (State.NEVER, "`none` only: seekdb has no transparent encryption"),
    "external_kms_info": (State.NEVER, "empty only: seekdb has no transparent encryption"),
    "_backup_idle_time": (State.PART, f"{_KEPT} (sys); no scheduler sleeps, jobs begin at once"),
    "_restore_idle_time": (State.PART, f"{_KEPT} (sys); no scheduler sleeps, jobs begin at once"),
    "_backup_task_keep_alive_interval": (State.PART, f"{_KEPT} (sys); a task's end is noticed at once"),
    "_backup_task_keep_alive_timeout": (State.PART, f"{_KEPT} (sys); a task's end is noticed at once"),
    "_auto_drop_recovering_auxiliary_tenant": (State.PART, f"{_KEPT} (sys); the auxiliary tenant always goes"),
    "_object_storage_io_timeout": (State.PART, f"{_KEPT} (sys); comes with object stores"),
    "_restore_io_max_retry_count": (State.PART, f"{_KEPT} (sys); reads are repeated a bounded number of times"),
}
"""State and word for every parameter of OceanBase's that is ours. One of ours that is not listed is `beyond`."""

_ENGINES_PARAMETERS: dict[str, str] = {
    "ddl_thread_score": "the engine's own",
    "sys_bkgd_net_percentage": "the engine's own",
}

_VALUES_IN_VIEWS: tuple[tuple[str, State, str], ...] = (
    ("data_backup_dest", State.SAME, "in BACKUP_PARAMETER"),
    ("log_archive_dest, log_archive_dest_1", State.SAME, "in ARCHIVE_DEST; `_2` to `_8` refused with 1235"),
    ("log_archive_dest_state", State.SAME, "in ARCHIVE_DEST"),
    ("log_restore_source", State.LATER, ""),
)


def render() -> str:
    """Return the page."""
    return "\n\n".join(
        (
            f"{_INTRODUCTION}\n\n{_statements()}",
            f"{_ABOUT_VIEWS}\n\n{_views()}",
            f"## Parameters\n\nUnknown names answer -5099, values out of range -4147.\n\n{_parameters()}",
            _ORACLE,
            _REMARKS,
        )
    )


def render_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _statements() -> str:
    return render_table(
        ("Command", "Statement", "sys", "tenant", "State", "Note"),
        [
            (row.command.__name__, row.text, row.callers.value[0], _tenant_word(row), str(row.state), row.note)
            for row in STATEMENTS
        ],
    )


def _tenant_word(row: Statement) -> str:
    word = row.callers.value[1]
    return f"no: {row.outsiders.code.client}" if word == "no" else word


def view_states() -> dict[str, tuple[State, str]]:
    """Return state and word for every view, OceanBase's and ours, by its name without CDB_OB_ or DBA_OB_."""
    found: dict[str, tuple[State, str]] = {}
    for view in VIEWS:
        if view.name != "SHOW_PARAMETERS":
            otherwise = State.SAME if view.name in _OCEANBASE_VIEWS else State.BEYOND
            state, note = _VIEW_NOTES.get(view.name, (otherwise, ""))
            found[view.name] = (state, note or ("sys only" if view.scope is Scope.SYS else ""))
    return found | {name: told for name, told in _OTHER_VIEWS.items() if name not in found}


def _views() -> str:
    return render_table(
        ("View", "State", "Note"), [(f"`{name}`", str(s), note) for name, (s, note) in view_states().items()]
    )


def _parameters() -> str:
    rows: list[tuple[str, str, str, str]] = []
    for definition in DEFINITIONS:
        state, note = PARAMETER_NOTES.get(definition.name, (State.BEYOND, definition.info))
        bounds = f"[{definition.least or ''},{definition.most or ''}]" if definition.least or definition.most else ""
        rows.append((f"`{definition.name}`", f"{definition.default} {bounds}".strip(), str(state), note))
    rows += [
        (f"`{name}`", "", str(State.SAME), note) for name, note in _ENGINES_PARAMETERS.items() if name not in BY_NAME
    ]
    rows += [(f"`{name}`", "", str(state), note) for name, state, note in _VALUES_IN_VIEWS]
    rows += [
        (f"`{name}`", "", str(State.NEVER), f"of V3, answers -5099; instead: {instead}")
        for name, instead in DEPRECATED.items()
    ]
    return render_table(("Parameter", "Default, range", "State", "Note"), rows)
