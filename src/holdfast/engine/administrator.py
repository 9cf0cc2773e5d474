"""The administrator of a tenant inside its engine: `root`, which every engine has, or `SYS` for a tenant of Oracle mode."""

import secrets

from holdfast.engine.session import ROOT, Session
from holdfast.values.tenant import ORACLE_ADMINISTRATOR


def install_sys(session: Session) -> None:
    """Make SYS the administrator of an engine, through `session` (root). Repeatable on that session.

    SYS begins as root does, without a password. The engine refuses to lock, rename or drop root, and lets nobody but root
    itself change its password (measured on 1.4.0), so root gets one that is told to nobody: a second way in, open to all, is
    not what the administrator of an Oracle tenant expects. The empty schema SYS lets clients name it as their database.
    """
    session.execute(f"create user if not exists '{ORACLE_ADMINISTRATOR}'")
    session.execute(f"grant all privileges on *.* to '{ORACLE_ADMINISTRATOR}' with grant option")
    session.execute(f"create database if not exists {ORACLE_ADMINISTRATOR}")
    session.execute(f"alter user '{ROOT}' identified by %s", (secrets.token_urlsafe(32),))
