"""A restored tenant is a standby until it is activated; its role must hold over every restart."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_rig import Bank, EngineRig, engine_in
from holdfast.engine import control, drift, facts
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import EngineSettings
from holdfast.engine.role import EngineRole, set_role, stored_role
from holdfast.engine.session import SqlError
from holdfast.errors import ConflictError

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def copy(shared_rig: EngineRig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDirectory]:
    """The directory of a stopped engine with a checkpoint and a bank, copied."""
    rig = shared_rig
    rig.heal()
    with rig.session() as session:
        control.take_first_checkpoint(session)
    bank = Bank(rig.socket, rig.account, log_dir=tmp_path_factory.mktemp("bank"), threads=True)
    bank.setup()
    bank.run(1.0)
    rig.stop()
    root = tmp_path_factory.mktemp("standby") / "engine"
    subprocess.run(["cp", "-a", "--sparse=always", rig.directory.root, root], check=True)
    shutil.copy(rig.account_file, root.with_name("account.json"))
    rig.restart()
    yield EngineDirectory(root, rig.directory.version)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def bank_file(copy: EngineDirectory) -> Path:
    """The account as it was when the copy was made."""
    return copy.root.with_name("account.json")


def _refused(rig: EngineRig) -> int:
    with rig.session() as session, pytest.raises(SqlError) as refused:
        session.execute("update test.acct set bal = bal where id = 1")
    return refused.value.errno


def test_a_first_checkpoint_is_taken_once_and_kept(rig: EngineRig) -> None:
    with rig.session() as session:
        first = control.take_first_checkpoint(session)
        begun = time.monotonic()
        assert control.take_first_checkpoint(session).scn >= first.scn > 1
    assert time.monotonic() - begun < 5


def test_the_role_of_a_living_engine_can_be_read_and_not_set(rig: EngineRig) -> None:
    assert stored_role(rig.directory) is EngineRole.PRIMARY
    with pytest.raises(ConflictError, match="its engine runs"):
        set_role(rig.directory, EngineRole.STANDBY)


def test_setting_a_role_leaves_no_side_files(copy: EngineDirectory) -> None:
    for role in (EngineRole.STANDBY, EngineRole.PRIMARY):
        set_role(copy, role)
        assert stored_role(copy) is role
    assert sorted(path.name for path in copy.meta_db.parent.iterdir()) == ["block_file", "meta.db"]


def test_a_role_that_a_killed_engine_left_in_its_journal_is_read_and_overruled(rig: EngineRig) -> None:
    """Killed right after the change, meta.db itself may still hold the old word; the journal beside it has the new one."""
    with rig.root() as root:
        root.execute("alter system switchover to standby")
        rig.kill()
    assert stored_role(rig.directory) is None
    rig.restart()
    assert stored_role(rig.directory) is EngineRole.PRIMARY
    with rig.session() as session:
        assert drift.is_writable(session)


def test_a_standby_shows_all_refuses_writes_and_is_activated_for_good(
    copy: EngineDirectory, bank_file: Path, tmp_path: Path
) -> None:
    with engine_in(copy, bank_file, role=EngineRole.STANDBY) as rig:
        with rig.session() as session:
            readable = control.wait_replayed(session, 30)
            assert readable >= facts.log_stat(session).end_scn
            bank = Bank(rig.socket, rig.account, log_dir=tmp_path)
            balance = bank.check(session)
            assert balance.is_right
            assert len(balance.transactions) > 10
            assert not drift.is_writable(session)
            assert drift.put_right(session, rig.settings) == ()
        assert _refused(rig) == 4688
        rig.kill()
        rig.settings = EngineSettings(role=None)
        rig.restart()  # a standby that is not activated stays one
        assert _refused(rig) == 4688
        with rig.session() as session:
            control.activate_standby(session)
        deadline = time.monotonic() + 5
        with rig.session() as session:
            while not drift.is_writable(session):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        rig.sql("update test.acct set bal = bal where id = 1")
        assert stored_role(copy) is EngineRole.PRIMARY
        rig.kill()
        for role in (None, EngineRole.PRIMARY):
            rig.settings = EngineSettings(role=role)
            rig.restart()
            rig.sql("update test.acct set bal = bal where id = 1")
            rig.kill()


def test_a_noted_activation_is_carried_out_by_putting_right(copy: EngineDirectory, bank_file: Path) -> None:
    """A server that dies between its note and the statement: the next one expects a primary and finds a standby."""
    with engine_in(copy, bank_file, role=EngineRole.STANDBY) as rig, rig.session() as session:
        control.wait_replayed(session, 30)
        assert drift.put_right(session, EngineSettings(), rig.process) == ("engine was a standby, is activated",)
        assert rig.process.is_alive()
        deadline = time.monotonic() + 5
        while not drift.is_writable(session):
            assert time.monotonic() < deadline
            time.sleep(0.01)
