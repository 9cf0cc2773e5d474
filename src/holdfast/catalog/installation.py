"""Installing the dictionary views, for sys and for each user tenant.

A digest of the statements is recorded after they were carried out: a start with nothing to do costs one query, a crash half
way leaves no record and the next start carries them out again.
"""

import hashlib
from collections.abc import Sequence

from pymysql import MySQLError

from holdfast.catalog import schema, views
from holdfast.catalog.connections import Connections
from holdfast.errors import EngineError
from holdfast.values.tenant import SYS_TENANT_ID


def install(connections: Connections) -> None:
    """Create or replace the views of sys when this build's differ from those installed. Raises EngineError."""
    statements = [views.ALL_PARAMETERS, *(_create(view) for view in views.sys_views())]
    _carry_out_once(connections, "views", statements)


def install_tenant(connections: Connections, tenant_id: int, password: str) -> None:
    """Create a user tenant's view schema and its reader, and give the reader this password. Repeatable.

    Raises EngineError; its message never holds the password.
    """
    assert tenant_id != SYS_TENANT_ID, "sys reads the catalog itself"
    home = views.tenant_schema(tenant_id)
    statements = [
        f"CREATE DATABASE IF NOT EXISTS {home} DEFAULT CHARACTER SET utf8mb4",
        *(_create(view) for view in views.tenant_views(tenant_id)),
    ]
    _carry_out_once(connections, home, statements)
    user = f"'{views.tenant_user(tenant_id)}'@'%%'"
    try:
        with connections.transaction() as transaction:
            transaction.execute(f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY %s", (password,))
            transaction.execute(f"ALTER USER {user} IDENTIFIED BY %s", (password,))
    except EngineError as error:
        number = error.__cause__.args[0] if isinstance(error.__cause__, MySQLError) and error.__cause__.args else "?"
        # The engine quotes the statement it refuses, and with it the password: neither message nor cause goes on.
        raise EngineError(f"the view user of tenant {tenant_id} was refused by the engine, error {number}") from None
    connections.carry_out((f"GRANT SELECT ON {home}.* TO '{views.tenant_user(tenant_id)}'@'%'",))


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
