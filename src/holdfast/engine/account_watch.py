"""What a tenant has done to Holdfast's own accounts, found and mended.

A tenant's root may drop, lock, rename or revoke any account but its own, in forms that no gateway sees (a procedure that puts its text
together), and may write `oceanbase.__all_user` itself. What makes it good again is a session that is in: in engine 1.4.0 a session
keeps the privileges of its login whatever becomes of its account, the DROP of it included (measured), so the one that `keeper` holds
can make the account anew. It gets the password it had: a standby that takes in these users goes on knowing it.

Each look asks two things: the engine's row, and what the engine remembers: a fresh login with its grants. The row does not tell what a
session meets, nor a session what the next start reads. Nobody logs in as the second account while its engine lives: of it the engine is
asked what it remembers.
"""

import time
from collections.abc import Callable
from pathlib import Path

from holdfast.engine.account import (
    ACCOUNT_USER,
    SET_USER,
    is_separate,
    password_hash,
    remake_account,
    restore_account,
)
from holdfast.engine.session import ROOT, Session, SqlError

ACCESS_DENIED = 1045
_FULL = (1040, 1226)
_WHOLE_GRANT = "GRANT ALL PRIVILEGES ON *.* TO '{}' WITH GRANT OPTION"
_SAYS_NOTHING = (0, 1)
_X509 = 3
"""Of `ssl_type`: see `unusable`."""
_ANYWHERE = "%"
_REFRESH_SECONDS = 0.3
"""An engine's memory of its accounts may lag behind another session's DROP: CREATE IF NOT EXISTS then does nothing (seen on 1.4.0)."""
_PRIVILEGES = frozenset(
    {
        *("priv_alter", "priv_create", "priv_delete", "priv_drop", "priv_grant_option", "priv_insert", "priv_update"),
        *("priv_select", "priv_index", "priv_create_view", "priv_show_view", "priv_show_db", "priv_create_user"),
        *("priv_super", "priv_process", "priv_file", "priv_alter_system"),
    }
)


def put_right(held: Session, log_in: Callable[[], Session], path: Path) -> tuple[str, ...]:
    """Mend the accounts through `held`; return a sentence for each thing that was mended.

    `log_in`: opens a session as the account, without help. `path`: the account's file. Raises SqlError when the engine can not be
    asked; what it refuses to mend is told in the sentence.
    """
    changes = (*_put_root_right(held), *_put_account_right(held, log_in, path, ACCOUNT_USER))
    if is_separate(path):
        changes += _put_account_right(held, log_in, path, SET_USER)
    return changes


def _put_account_right(held: Session, log_in: Callable[[], Session], path: Path, user: str) -> tuple[str, ...]:
    trouble = left = find(held, log_in, path, user)
    if not trouble:
        return ()
    refused = 0
    for pause_seconds, mend in ((0.0, _restore), (_REFRESH_SECONDS, _restore), (0.0, remake_account)):
        time.sleep(pause_seconds)
        try:
            mend(held, path, user)
        except SqlError as error:
            if error.is_lost:
                raise
            refused = error.errno
        left = find(held, log_in, path, user)
        if not left:
            return (f"account {user} {trouble}, has its password and rights again",)
    return (f"account {user} {trouble}, could not be mended (engine error {refused}): {left}",)


def find(held: Session, log_in: Callable[[], Session], path: Path, user: str = ACCOUNT_USER) -> str:
    """Return what is wrong with an account in a few words, empty if nothing is. Raises SqlError."""
    rows = held.columns("select * from oceanbase.__all_user where user_name = %s order by user_id", (user,))
    ours = next((row for row in rows if str(row["host"]) == _ANYWHERE), None)
    if ours is None:
        return "was gone"
    if int(ours["is_locked"]):
        return "was locked"
    if str(ours["passwd"]).lower() != password_hash(path, user):
        return "had another password"
    if int(ours["max_connections"]) or int(ours["max_user_connections"]):
        return "had limits"
    if not all(int(ours[name]) for name in _PRIVILEGES & ours.keys()):
        return "had lost privileges"
    if len(rows) > 1:
        return "had namesakes"
    if user == SET_USER:
        return _find_remembered(held, path) if int(ours["ssl_type"]) == _X509 else "asked for no certificate"
    if int(ours["ssl_type"]) not in _SAYS_NOTHING:
        return "was refused"
    try:
        with log_in() as fresh:
            grants = [str(row[0]) for row in fresh.query("show grants")]
    except SqlError as error:
        if error.errno in _FULL:
            return ""  # another matter, of `keeper`
        if error.errno != ACCESS_DENIED:
            raise
        return "was refused"
    return "" if _WHOLE_GRANT.format(user) in grants else "had lost privileges"


def _find_remembered(held: Session, path: Path) -> str:
    """Return what is wrong with what the engine remembers of the second account."""
    try:
        grants = [str(row[0]) for row in held.query(f"show grants for '{SET_USER}'")]
        made = str(held.query(f"show create user '{SET_USER}'")[0][0])
    except SqlError as error:
        if error.is_lost:
            raise
        return "was gone"
    if password_hash(path, SET_USER) not in made.lower():
        return "had another password"
    if "REQUIRE X509" not in made.upper():
        return "asked for no certificate"
    if "ACCOUNT LOCK" in made.upper():
        return "was locked"
    return "" if _WHOLE_GRANT.format(SET_USER) in grants else "had lost privileges"


def _restore(held: Session, path: Path, user: str) -> None:
    hosts = held.query("select host from oceanbase.__all_user where user_name = %s", (user,))
    for (host,) in hosts:
        if str(host) != _ANYWHERE:
            held.execute(f"drop user if exists '{user}'@%s", (str(host),))
    restore_account(held, path, user)


def _put_root_right(held: Session) -> tuple[str, ...]:
    """Unlock the tenant's root in the engine's row: no statement locks it, but an UPDATE does, from the next start on."""
    locked = held.query("select 1 from oceanbase.__all_user where user_name = %s and is_locked <> 0 limit 1", (ROOT,))
    if not locked:
        return ()
    what = f"account {ROOT} was locked in the engine's row"
    try:
        held.execute("update oceanbase.__all_user set is_locked = 0 where user_name = %s", (ROOT,))
    except SqlError as error:
        if error.is_lost:
            raise
        what += f", could not be changed: engine error {error.errno}"
    return (what,)
