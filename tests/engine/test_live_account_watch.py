"""What a tenant's root does to Holdfast's own account in its engine, and what is left of it after a look."""

from pathlib import Path

import pytest

from engine_rig import EngineRig
from holdfast.engine import account_watch, administrator
from holdfast.engine.account import open_session
from holdfast.engine.session import Session, connect
from holdfast.values.tenant import ORACLE_ADMINISTRATOR

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

DONE = {
    "drop user __holdfast": "was gone",
    "rename user __holdfast to other": "was gone",
    "alter user __holdfast account lock": "was locked",
    "alter user __holdfast identified by 'known'": "had another password",
    "revoke all privileges, grant option from __holdfast": "had lost privileges",
    "revoke super on *.* from __holdfast": "had lost privileges",
    "alter user __holdfast require ssl": "was refused",
    "alter user __holdfast with max_user_connections 1": "had limits",
    "create user __holdfast@'unix_' identified by 'known'": "had namesakes",
    "delete from oceanbase.__all_user where user_name = '__holdfast'": "was gone",
    "update oceanbase.__all_user set is_locked = 1": "was locked",
    "update oceanbase.__all_user set passwd = '' where user_name = '__holdfast'": "had another password",
    "update oceanbase.__all_user set priv_super = 0 where user_name = '__holdfast'": "had lost privileges",
}


def _look(held: Session, rig: EngineRig) -> tuple[str, ...]:
    return account_watch.put_right(held, lambda: open_session(rig.socket, rig.account_file), rig.account_file)


def test_whatever_root_does_to_the_account_is_mended_by_a_session_that_is_in(rig: EngineRig) -> None:
    with rig.session() as held, rig.root() as root:
        assert _look(held, rig) == ()
        for text, trouble in DONE.items():
            root.execute(text)
            told = _look(held, rig)
            assert trouble in told[-1], (text, told)
            assert "rights again" in told[-1], (text, told)
            assert _look(held, rig) == (), text
    # What the next start reads is right too.
    rig.kill()
    rig.restart()
    with rig.session() as again, connect(rig.socket, "root", "") as root:
        assert _look(again, rig) == ()
        assert root.query("select count(*) from oceanbase.__all_user where user_name = 'root' and is_locked <> 0") == [
            (0,)
        ]


def test_a_policy_that_the_password_does_not_meet_keeps_the_account_from_nothing(rig: EngineRig) -> None:
    with rig.session() as setter:
        setter.execute("set global validate_password_length = 200")
        try:
            with rig.session() as held, rig.root() as root:  # both meet the policy at their login
                for text in ("drop user __holdfast", f"alter user __holdfast identified by '{'x' * 200}'"):
                    root.execute(text)
                    assert "rights again" in _look(held, rig)[-1], text
                    assert _look(held, rig) == ()
        finally:
            setter.execute("set global validate_password_length = 0")


def test_no_look_shows_the_password(rig: EngineRig, tmp_path: Path) -> None:
    with rig.session() as held, rig.root() as root:
        root.execute("drop user __holdfast")
        assert rig.account.password not in "".join(_look(held, rig))
        logged = root.query("select ddl_stmt_str from oceanbase.__all_ddl_operation")
        assert rig.account.password not in repr(logged)


def test_sys_of_an_oracle_tenant_is_made_again_with_the_password_it_had(rig: EngineRig) -> None:
    """The last in the file: root's password is told to nobody from here on."""
    with rig.root() as root:
        administrator.install_sys(root)
    with rig.session() as held:
        held.execute("alter user 'SYS' identified by 'first'")
        held.execute("alter user 'SYS' identified by 'its own'")
        for text, trouble in (
            ("drop user 'SYS'", "was gone"),
            ("rename user 'SYS' to 'another'", "was gone"),
            ("alter user 'SYS' account lock", "was locked"),
        ):
            assert administrator.put_sys_right(held) == (), text
            with connect(rig.socket, ORACLE_ADMINISTRATOR, "its own") as sys:
                sys.execute(text)
            (told,) = administrator.put_sys_right(held)
            assert trouble in told, (text, told)
            assert "with the password it had" in told, (text, told)
            with connect(rig.socket, ORACLE_ADMINISTRATOR, "its own") as sys:
                sys.execute("create user made")
                sys.execute("drop user made")
        assert administrator.put_sys_right(held) == ()
