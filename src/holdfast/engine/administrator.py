"""The administrator of a tenant inside its engine: `root`, which every engine has, or `SYS` for a tenant of Oracle mode."""

from holdfast.engine.account import new_secret
from holdfast.engine.session import ROOT, Session, SqlError
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
    session.execute(f"alter user '{ROOT}' identified by %s", (new_secret(session),))


def put_sys_right(session: Session) -> tuple[str, ...]:
    """Make SYS again where it was dropped, renamed or locked; return a sentence if it was, () otherwise. Raises SqlError.

    Nobody else can: root's password is told to nobody. It gets the password it had last, as the engine's history of accounts knows it.
    """
    rows = session.query(
        "select is_locked from oceanbase.__all_user where user_name = %s and host = '%%'", (ORACLE_ADMINISTRATOR,)
    )
    if rows and not int(rows[0][0]):
        return ()
    known = session.query(
        "select passwd from oceanbase.__all_user_history where user_name = %s and host = '%%' and is_deleted = 0"
        " order by schema_version desc limit 1",
        (ORACLE_ADMINISTRATOR,),
    )
    if not rows and not known:
        return ()  # it is being made
    what = f"user {ORACLE_ADMINISTRATOR} was {'locked' if rows else 'gone'}"
    try:
        if not rows and str(known[0][0]):
            session.execute(f"create user '{ORACLE_ADMINISTRATOR}' identified by password %s", (str(known[0][0]),))
        elif not rows:
            session.execute(f"create user '{ORACLE_ADMINISTRATOR}'")
        session.execute(f"alter user '{ORACLE_ADMINISTRATOR}' account unlock")
        session.execute(f"grant all privileges on *.* to '{ORACLE_ADMINISTRATOR}' with grant option")
    except SqlError as error:
        if error.is_lost:
            raise
        return (f"{what}, could not be changed: engine error {error.errno}",)
    return (f"{what}, is there again with the password it had",)
