"""The login that sets hold: let in by a certificate of this start alone, never changed, and no other than that in any state of a kill."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine_rig import EngineRig
from holdfast import disk
from holdfast.engine import account, account_watch, drift, wallet
from holdfast.engine.account import (
    ACCOUNT_USER,
    SET_USER,
    Account,
    client_file,
    is_of_set,
    is_separate,
    load_account,
    open_session,
    separate,
    set_account,
    store_account,
)
from holdfast.engine.session import NO_TLS, Session, SqlError, connect
from holdfast.engine.unusable import Reach

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

OF_SETS = "what sets hold"
DONE = {
    "drop user __holdfast_restore": "was gone",
    "alter user __holdfast_restore account lock": "was locked",
    "alter user __holdfast_restore identified by 'known'": "had another password",
    "alter user __holdfast_restore require none": "asked for no certificate",
    "revoke super on *.* from __holdfast_restore": "had lost privileges",
    "create user __holdfast_restore@'unix_' identified by 'known'": "had namesakes",
    "delete from oceanbase.__all_user where user_name = '__holdfast_restore'": "was gone",
    "update oceanbase.__all_user set ssl_type = 0 where user_name = '__holdfast_restore'": "asked for no certificate",
}


class _Killed(BaseException):
    pass


class _Steps:
    """Ends with `_Killed` in the place of the step of this number: a statement, a file written, a file moved."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **options: Any) -> Any:
            if self.left == 0:
                raise _Killed
            self.left -= 1
            return work(*args, **options)

        return done


def _refused(rig: EngineRig, user: str, password: str, certificate: Path | None = None) -> int:
    tls = None if certificate is None else wallet.client_context(certificate)
    with pytest.raises(SqlError) as refused:
        connect(rig.socket, user, password, tls=tls).close()
    return refused.value.errno


def _is_before(root: Session, path: Path, state: str) -> None:
    """Make engine and disk what an older server left, or what a restore of a moment before the second account was."""
    root.execute(f"drop user if exists {SET_USER}")
    time.sleep(account_watch._REFRESH_SECONDS)
    root.execute(f"alter user {ACCOUNT_USER} identified by %s", (OF_SETS,))
    for suffix in (".set", ".pending"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    store_account(path, Account(user=ACCOUNT_USER if state == "older" else SET_USER, password=OF_SETS))


@pytest.fixture
def with_wallet(rig: EngineRig) -> Iterator[EngineRig]:
    before = rig.settings
    rig.stop()
    rig.settings = replace(before, client_file=client_file(rig.account_file))
    rig.restart()
    yield rig
    rig.stop()
    rig.settings = before
    rig.restart()


@pytest.mark.parametrize("state", ["older", "restored"])
def test_killed_at_each_step_sets_hold_what_they_held_and_somebody_is_let_in(
    rig: EngineRig, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    path, last, is_whole = rig.account_file, 0, False
    root = rig.root()
    while not is_whole:
        _is_before(root, path, state)
        steps = _Steps(last)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "write_file", steps.step(disk.write_file))
            patch.setattr(disk, "move", steps.step(disk.move))
            patch.setattr(root, "execute", steps.step(root.execute))
            try:
                separate(root, path)
                is_whole = True
            except _Killed:
                last += 1
        assert set_account(path).password == OF_SETS, last
        open_session(rig.socket, path).close()
        separate(root, path)
        assert is_separate(path), last
        assert set_account(path) == Account(user=SET_USER, password=OF_SETS)
        assert _refused(rig, ACCOUNT_USER, OF_SETS) == _refused(rig, SET_USER, OF_SETS) == 1045
        with open_session(rig.socket, path) as session:
            assert session.query("select current_user()") == [(f"{ACCOUNT_USER}@%",)]
    root.close()
    assert last >= 8  # files written, one moved, and what the engine is told


def test_a_certificate_of_this_start_alone_opens_what_sets_hold(with_wallet: EngineRig, tmp_path: Path) -> None:
    rig, path = with_wallet, with_wallet.account_file
    with rig.root() as root:
        _is_before(root, path, "older")
        separate(root, path)
    ours = client_file(path)
    assert (
        ours.stat().st_mode & 0o777
        == (rig.directory.root / "wallet" / "server-key.pem").stat().st_mode & 0o777
        == 0o600
    )
    (tmp_path / "another").mkdir()
    wallet.mint(tmp_path / "another", authority_file=None, client_file=tmp_path / "another.pem")
    assert _refused(rig, SET_USER, OF_SETS) == 1045
    assert _refused(rig, SET_USER, "another", ours) == 1045
    assert _refused(rig, SET_USER, OF_SETS, tmp_path / "another.pem") in (NO_TLS, 2003, 2013)
    with rig.session() as session:  # looked at, and left as it is
        assert drift.put_right(session, rig.settings, rig.process) == ()

    # What a set of today and one of an older server hold, at this moment.
    for user in (SET_USER, ACCOUNT_USER):
        restored = tmp_path / f"{user}.json"
        store_account(restored, Account(user=user, password=OF_SETS))
        client_file(restored).write_bytes(ours.read_bytes())
        with open_session(rig.socket, restored) as session:
            assert session.query("select current_user()") == [(f"{SET_USER}@%",)]
            # Measured: longer than some 16 KiB it is lost, sent as TLS sends it.
            assert session.query("select length(%s)", ("x" * 300_000,)) == [(300_000,)]
        assert is_of_set(restored)

    rig.stop()
    rig.settings = replace(rig.settings, client_file=None)
    rig.restart()
    assert not (rig.directory.root / "wallet").exists()
    assert _refused(rig, SET_USER, OF_SETS) == 1045
    assert _refused(rig, SET_USER, OF_SETS, ours) == NO_TLS


def test_whatever_root_does_to_the_second_account_is_mended(rig: EngineRig) -> None:
    path = rig.account_file

    def look(held: Session) -> tuple[str, ...]:
        return account_watch.put_right(held, lambda: open_session(rig.socket, path), path)

    with rig.session() as held, rig.root() as root:
        separate(held, path)
        assert look(held) == ()
        assert Reach().count_unusable(held) == 0
        for text, trouble in DONE.items():
            root.execute(text)
            (told,) = look(held)
            assert f"account {SET_USER} {trouble}" in told, (text, told)
            assert "rights again" in told, (text, told)
            assert look(held) == (), text
        held_password = set_account(path).password
        assert _refused(rig, SET_USER, held_password) == 1045
        assert account.password_hash(path, SET_USER) == str(
            root.query("select passwd from oceanbase.__all_user where user_name = %s", (SET_USER,))[0][0]
        )
        assert load_account(path).password != held_password
