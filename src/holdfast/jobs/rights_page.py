"""docs/rights.md, written from the table of statements and the table of views. `make docs` writes it; a test holds it to `render`."""

from holdfast.catalog.views import VIEWS, Scope, sys_views
from holdfast.jobs.compatibility import render_table
from holdfast.jobs.surface import STATEMENTS, Callers, Statement
from holdfast.values.grants import Right

_INTRODUCTION = """\
# Rights: what each statement and each view needs

Written by `make docs` from the tables in the code (`jobs/surface.py`, `catalog/views.py`); a test holds this page to them, and
another asks every statement and every view as users who have exactly one right less.

The rights are OceanBase's, and the engine of the tenant keeps them: `GRANT` and `REVOKE` there, in sys for users of sys. They are
read anew for each statement, so a `REVOKE` counts at once. `ALL PRIVILEGES` holds all of them, and `SUPER` stands for `ALTER
SYSTEM`, `CREATE RESOURCE POOL` and `CREATE RESOURCE UNIT` too, as in the engine. seekdb's `GRANT` does not know the last two (1064):
who makes units and pools there is granted `SUPER`. A role's rights count where the role is granted
and active. Who lacks the right is told 1227; where a tenant may not run a statement at all, that is told after it.

What names things of the server's machine is root@sys's alone, whatever is granted (1227): `backup_encryption` with `file:`, `env:`
or `command:`, `WITH KEY FROM` of RESTORE, its PREVIEW and RECOVER TABLE, and `backup_destination_roots`."""

_VIEWS = """\
## Views

A dictionary view is seen by whoever may see the engine's own views beside it: `SELECT` on it by name, on `oceanbase.*` or on
`*.*`. Others are told 1142, in every form (`SELECT`, `SHOW`, `EXPLAIN`, prepared). In sys they are views of the engine, which
asks; in a tenant the gateway asks, by the same grants. There a single one is granted with `GRANT CREATE, SELECT ON
oceanbase.DBA_OB_... TO u`: the engine of a tenant knows no such table and asks for `CREATE` with a name it does not know. In an
Oracle tenant a grant on `SYS` does as well as one on `oceanbase`.

No right to change anything comes with them: the views, the schema `__holdfast` behind them, the schemas `t<tenant_id>` and the
accounts of the same purpose (`hf_t<tenant_id>`, `hf_nobody`) are Holdfast's, for everybody, root@sys included (decision 55)."""

_RIGHT_OF_NO_ONE = "none"


def render() -> str:
    """Return the page."""
    return "\n\n".join((_INTRODUCTION, f"## Statements\n\n{_statements()}", _VIEWS, _views()))


def _statements() -> str:
    return render_table(
        ("Command", "Statement", "Right", "Who"),
        [(row.command.__name__, row.text, right_text(row.right), _who(row)) for row in STATEMENTS],
    )


def right_text(right: Right | None) -> str:
    """Return a right as the page prints it."""
    return _RIGHT_OF_NO_ONE if right is None else f"`{right}`"


def _who(row: Statement) -> str:
    return {Callers.BOTH: "sys, tenants", Callers.SYS: "sys", Callers.USER: "tenants"}[row.callers]


def _views() -> str:
    rows = []
    for view in VIEWS:
        names = [placed.name for placed in sys_views() if placed.name in {view.name, f"CDB_OB_{view.name}"}]
        if view.scope is Scope.TENANTS:
            names.append(f"DBA_OB_{view.name}")
        rows += [
            (f"`{name}`", f"`SELECT` on `oceanbase.{name}`", _where(view.scope, name))
            for name in names
            if name != "SHOW_PARAMETERS"  # a source of SHOW PARAMETERS, which needs no right
        ]
    return render_table(("View", "Right", "Where"), rows)


def _where(scope: Scope, name: str) -> str:
    return "sys" if scope is Scope.SYS or name.startswith("CDB_") else "sys, tenants"
