"""Installing the dictionary views, for sys and for each user tenant, and finding those that somebody has changed.

A digest of the statements is recorded after they were carried out, and one of the definitions as the engine then shows them: a start
with nothing to do costs two queries, a crash half way leaves no record and the next start carries them out again. The engine lets
root@sys drop and replace our views, so what it shows is compared at each start and while the server runs (`jobs.dictionary`).
"""

import hashlib
from collections.abc import Sequence

from holdfast.catalog import schema, views
from holdfast.catalog.connections import Connections
from holdfast.values.grants import Grant, parse_grants
from holdfast.values.tenant import SYS_TENANT_ID, CompatibilityMode

_VIEW_TYPE = 4
"""USER_VIEW in oceanbase/seekdb src/share/schema/ob_schema_struct.h. Asked there: information_schema shows nothing of `oceanbase`."""


def install(connections: Connections) -> tuple[str, ...]:
    """Create or replace the views of sys when this build's differ from those that are there; return those that had been changed.

    A view that only this build or an older one has made otherwise was not changed. Raises EngineError.
    """
    placed = views.sys_views()
    statements = [views.ALL_PARAMETERS, *(_create(view) for view in placed)]
    return _carry_out_once(connections, "views", statements, [(view.schema, view.name) for view in placed])


def install_tenant(
    connections: Connections, tenant_id: int, password: str, mode: CompatibilityMode = CompatibilityMode.MYSQL
) -> None:
    """Create a user tenant's view schema and its reader, and give the reader this password. Repeatable.

    Sessions of the reader end or fail when its password is replaced. Raises EngineError.
    """
    assert tenant_id != SYS_TENANT_ID, "sys reads the catalog itself"
    home = views.tenant_schema(tenant_id)
    install_tenant_views(connections, tenant_id, mode)
    user = f"'{views.tenant_user(tenant_id)}'@'%'"
    connections.carry_out(
        (
            f"DROP USER IF EXISTS {user}",
            f"CREATE USER {user} IDENTIFIED BY PASSWORD '{password_hash(password)}'",
            f"GRANT SELECT ON {home}.* TO {user}",
        )
    )


def install_tenant_views(
    connections: Connections, tenant_id: int, mode: CompatibilityMode = CompatibilityMode.MYSQL
) -> tuple[str, ...]:
    """Create or replace the views of a user tenant as `install` does those of sys."""
    home = views.tenant_schema(tenant_id)
    placed = views.tenant_views(tenant_id, mode)
    statements = [
        f"CREATE DATABASE IF NOT EXISTS {home} DEFAULT CHARACTER SET utf8mb4",
        *(_create(view) for view in placed),
    ]
    return _carry_out_once(connections, home, statements, [(home, view.name) for view in placed])


def put_tenant_right(
    connections: Connections, tenant_id: int, password: str, mode: CompatibilityMode = CompatibilityMode.MYSQL
) -> tuple[str, ...]:
    """Make a tenant's views and its reader again where they are not as `install_tenant` made them; return what was not.

    What counts of the reader is what keeps one tenant from another's rows: that it is there, with this password, and may read its own
    schema and nothing else. Raises EngineError.
    """
    changed = install_tenant_views(connections, tenant_id, mode)
    if _is_reader_sound(connections, tenant_id, password):
        return changed
    install_tenant(connections, tenant_id, password, mode)
    return (*changed, f"user {views.tenant_user(tenant_id)}")


def _is_reader_sound(connections: Connections, tenant_id: int, password: str) -> bool:
    user = views.tenant_user(tenant_id)
    with connections.transaction() as transaction:
        row = transaction.one("SELECT passwd FROM oceanbase.__all_user WHERE user_name = %s AND host = '%%'", (user,))
        if row is None or str(row[0]).upper().lstrip("*") != password_hash(password).upper().lstrip("*"):
            return False
        rows = [str(grant[0]) for grant in transaction.query(f"SHOW GRANTS FOR '{user}'@'%'")]
    opening = [grant for grant in parse_grants(rows).rows if grant.privileges != {"USAGE"}]
    own = Grant(privileges=frozenset({"SELECT"}), schema=views.tenant_schema(tenant_id))
    # A role opens what it will: no row of SHOW GRANTS may be of another kind.
    return opening == [own] and len(rows) == len(parse_grants(rows).rows)


def password_hash(password: str) -> str:
    """Return the form in which the engine keeps a password: `*` and 40 hex digits of SHA1(SHA1(password)).

    Statements carry this form, never the password: the engine shows every user the text of running statements, and
    quotes the text in its errors. The hash alone opens no session (measured on 1.4.0).
    """
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest()


def remove_tenant(connections: Connections, tenant_id: int) -> None:
    """Drop a user tenant's view schema and its reader. Repeatable. Raises EngineError."""
    assert tenant_id != SYS_TENANT_ID, "the sys tenant is never dropped"
    home = views.tenant_schema(tenant_id)
    # Forgotten first: a crash after a drop must not leave a record that says the views are there.
    schema.record_installed(connections, home, None)
    schema.record_installed(connections, f"{home}.shown", None)
    connections.carry_out(
        (f"DROP USER IF EXISTS '{views.tenant_user(tenant_id)}'@'%'", f"DROP DATABASE IF EXISTS {home}")
    )


def _carry_out_once(
    connections: Connections, name: str, statements: Sequence[str], placed: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """Carry out the statements unless they were and what they made is there as it was; return what was not, as `schema.view`."""
    digest, shown = _digest(statements), f"{name}.shown"
    before = _shown(connections, placed)
    is_known = schema.installed(connections, name) == digest
    if is_known and schema.installed(connections, shown) == _digest(_lines(before)):
        return ()
    connections.carry_out(statements)
    after = _shown(connections, placed)
    schema.record_installed(connections, name, digest)
    schema.record_installed(connections, shown, _digest(_lines(after)))
    return tuple(
        sorted(
            f"{place}.{view}" for (place, view), text in after.items() if before.get((place, view)) != text and is_known
        )
    )


def _shown(connections: Connections, placed: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the definitions, as the engine shows them, of those of the views that are there."""
    schemas = sorted({place for place, _ in placed})
    marks = ", ".join(["%s"] * len(schemas))
    with connections.transaction() as transaction:
        rows = transaction.query(
            "SELECT d.database_name, t.table_name, t.view_definition FROM oceanbase.__all_table t"
            " JOIN oceanbase.__all_database d ON d.database_id = t.database_id"
            f" WHERE d.database_name IN ({marks}) AND t.table_type = {_VIEW_TYPE}",
            schemas,
        )
    wanted = {(place, view.upper()): (place, view) for place, view in placed}
    found = {(str(place), str(view).upper()): str(text) for place, view, text in rows}
    return {key: found[upper] for upper, key in wanted.items() if upper in found}


def _lines(shown: dict[tuple[str, str], str]) -> list[str]:
    return [f"{place}.{view}={text}" for (place, view), text in sorted(shown.items())]


def _digest(texts: Sequence[str]) -> str:
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()


def _create(view: views.PlacedView) -> str:
    return f"CREATE OR REPLACE VIEW {view.schema}.`{view.name}` AS {view.select}"
