"""Installing the dictionary views, for sys and for each user tenant.

A digest of the statements is recorded after they were carried out: a start with nothing to do costs one query, a crash half
way leaves no record and the next start carries them out again.
"""

import hashlib
from collections.abc import Sequence

from holdfast.catalog import schema, views
from holdfast.catalog.connections import Connections
from holdfast.values.tenant import SYS_TENANT_ID, CompatibilityMode


def install(connections: Connections) -> None:
    """Create or replace the views of sys when this build's differ from those installed. Raises EngineError."""
    statements = [views.ALL_PARAMETERS, *(_create(view) for view in views.sys_views())]
    _carry_out_once(connections, "views", statements)


def install_tenant(
    connections: Connections, tenant_id: int, password: str, mode: CompatibilityMode = CompatibilityMode.MYSQL
) -> None:
    """Create a user tenant's view schema and its reader, and give the reader this password. Repeatable.

    Sessions of the reader end or fail when its password is replaced. Raises EngineError.
    """
    assert tenant_id != SYS_TENANT_ID, "sys reads the catalog itself"
    home = views.tenant_schema(tenant_id)
    statements = [
        f"CREATE DATABASE IF NOT EXISTS {home} DEFAULT CHARACTER SET utf8mb4",
        *(_create(view) for view in views.tenant_views(tenant_id, mode)),
    ]
    _carry_out_once(connections, home, statements)
    user = f"'{views.tenant_user(tenant_id)}'@'%'"
    connections.carry_out(
        (
            f"DROP USER IF EXISTS {user}",
            f"CREATE USER {user} IDENTIFIED BY PASSWORD '{password_hash(password)}'",
            f"GRANT SELECT ON {home}.* TO {user}",
        )
    )


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
    connections.carry_out(
        (f"DROP USER IF EXISTS '{views.tenant_user(tenant_id)}'@'%'", f"DROP DATABASE IF EXISTS {home}")
    )


def _carry_out_once(connections: Connections, name: str, statements: Sequence[str]) -> None:
    digest = hashlib.blake2b("\0".join(statements).encode(), digest_size=16).hexdigest()
    if schema.installed(connections, name) != digest:
        connections.carry_out(statements)
        schema.record_installed(connections, name, digest)


def _create(view: views.PlacedView) -> str:
    return f"CREATE OR REPLACE VIEW {view.schema}.`{view.name}` AS {view.select}"
