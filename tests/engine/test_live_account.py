import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine_rig import EngineRig
from holdfast.engine import account
from holdfast.engine.account import Account, create_account, load_account, open_session, rotate, store_account
from holdfast.engine.session import SqlError, connect
from holdfast.errors import CorruptionError, EngineError, NotFoundError

pytestmark = pytest.mark.live


def _pending(rig: EngineRig) -> Path:
    return rig.account_file.with_name(rig.account_file.name + ".pending")


def _works(rig: EngineRig) -> bool:
    with open_session(rig.socket, rig.account_file) as session:
        return session.query("select 1") == [(1,)]


def test_the_secret_is_a_private_file_and_in_no_text(rig: EngineRig) -> None:
    stored = load_account(rig.account_file)
    assert rig.account_file.stat().st_mode & 0o777 == 0o600
    assert stored.password not in repr(stored) + str(stored)
    with pytest.raises(SqlError) as refused:
        connect(rig.socket, stored.user, stored.password + "x")
    assert refused.value.errno == 1045
    assert stored.password not in str(refused.value)
    with open_session(rig.socket, rig.account_file) as session, pytest.raises(SqlError) as failed:
        session.query("select %s from nowhere.at_all", (stored.password,))
    assert stored.password not in str(failed.value)


def test_the_account_may_do_what_the_server_needs(rig: EngineRig) -> None:
    with open_session(rig.socket, rig.account_file) as session:
        session.execute("create user if not exists u1 identified by 'secret'")
        session.execute("grant all privileges on *.* to u1 with grant option")
        session.execute("drop user u1")
        session.query("select count(*) from oceanbase.__all_virtual_trans_stat")
        session.execute("alter system minor freeze")


def test_the_account_survives_a_restart(rig: EngineRig) -> None:
    rig.kill()
    rig.restart()
    assert _works(rig)


def test_rotation_gives_a_new_secret_and_ends_the_old_one(rig: EngineRig) -> None:
    old = load_account(rig.account_file)
    with open_session(rig.socket, rig.account_file) as session:
        new = rotate(session, rig.account_file)
    assert load_account(rig.account_file) == new != old
    assert _works(rig)
    with pytest.raises(SqlError):
        connect(rig.socket, old.user, old.password)


def test_killed_before_the_engine_was_told_the_old_secret_works(rig: EngineRig) -> None:
    account._write(_pending(rig), Account(user=account.ACCOUNT_USER, password="never told"))
    assert _works(rig)
    with open_session(rig.socket, rig.account_file) as session:
        rotate(session, rig.account_file)
    assert not _pending(rig).exists()
    assert _works(rig)


def test_killed_after_the_engine_was_told_the_new_secret_works_and_is_settled(rig: EngineRig) -> None:
    fresh = Account(user=account.ACCOUNT_USER, password="told")
    account._write(_pending(rig), fresh)
    with open_session(rig.socket, rig.account_file) as session:
        account._set_password(session, fresh, create=False)
    assert _works(rig)
    assert load_account(rig.account_file) == fresh
    assert not _pending(rig).exists()


@pytest.mark.crash
def test_killed_anywhere_in_a_rotation_one_secret_works(rig: EngineRig, source: str) -> None:
    program = f"""
import sys
sys.path.insert(0, {source!r})
from pathlib import Path
from holdfast.engine.account import open_session, rotate
print('go', flush=True)
while True:
    with open_session(Path({str(rig.socket)!r}), Path({str(rig.account_file)!r})) as session:
        rotate(session, Path({str(rig.account_file)!r}))
"""
    chance = random.Random(4)
    secrets = set()
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.3))
        child.kill()
        child.wait()
        assert _works(rig)
        secrets.add(load_account(rig.account_file).password)
    assert len(secrets) > 1, "no rotation was ever carried out: the kills come too early to prove anything"


def test_a_creation_killed_half_way_is_finished_by_doing_it_again(rig: EngineRig, tmp_path: Path) -> None:
    """The user is there already, its secret unknown: root, still without a password, makes it known."""
    path = tmp_path / "again.json"
    with rig.root() as root:
        create_account(root, path)
        made = create_account(root, path)
    with open_session(rig.socket, path) as session:
        assert session.query("select 1") == [(1,)]
    store_account(rig.account_file, made)
    assert _works(rig)


def test_a_damaged_account_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text('{"user": "__holdfast", "passwort": "s3cr3t"}')
    with pytest.raises(CorruptionError) as refused:
        load_account(path)
    assert "s3cr3t" not in str(refused.value)
    with pytest.raises(NotFoundError):
        load_account(tmp_path / "absent")


def test_a_store_that_was_killed_leaves_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    store_account(path, Account(user="a", password="one"))
    (tmp_path / "account.json.pending.new").write_text("half a fi")
    store_account(path, Account(user="a", password="two"))
    assert load_account(path).password == "two"
    assert sorted(os.listdir(tmp_path)) == ["account.json"]


def test_the_secret_meets_the_tenants_password_policy(rig: EngineRig) -> None:
    """1819 kept a restored tenant from being opened: its own policy asked for more than our secret had."""
    policy = {
        "validate_password_policy": "medium",
        "validate_password_mixed_case_count": 20,
        "validate_password_number_count": 30,
        "validate_password_special_char_count": 10,
        "validate_password_length": 200,
    }
    with open_session(rig.socket, rig.account_file) as session:
        try:
            for name, value in policy.items():
                session.execute(f"set global {name} = %s", (value,))
            # A session goes by the policy that it met at its login.
            with open_session(rig.socket, rig.account_file) as later, pytest.raises(SqlError) as refused:
                later.execute("alter user __holdfast identified by 'short'")
            assert refused.value.errno == 1819
            assert len(rotate(session, rig.account_file).password) >= 200
            assert _works(rig)
            for name in policy:
                if name.endswith("count"):
                    session.execute(f"set global {name} = 1024")
            with open_session(rig.socket, rig.account_file) as later:
                rotate(later, rig.account_file)
            assert _works(rig)
            session.execute("set global validate_password_length = 9000")
            with pytest.raises(EngineError, match="validate_password_length = 9000"):
                rotate(session, rig.account_file)
            assert _works(rig)
        finally:
            for name in policy:
                session.execute(f"set global {name} = %s", ("low" if name.endswith("policy") else 0,))
