"""A tenant whose root does all it can: what it reaches is its own folder, what it changes is put right."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_rig import EngineRig
from holdfast.engine import drift
from holdfast.engine.fence import Fence
from holdfast.engine.keeper import Keeper
from holdfast.engine.session import Session, SqlError

pytestmark = pytest.mark.live


@pytest.fixture
def hostile(rig: EngineRig) -> Iterator[Session]:
    """A session of root that has taken down the only bar inside the engine; the kernel's remains."""
    if rig.process.fence is not Fence.LANDLOCK:
        pytest.skip("this kernel has no Landlock")
    with rig.root() as root:
        root.execute("set global secure_file_priv = '/'")
    with rig.root() as root:  # LOAD DATA looks at the value its session began with
        root.execute("create table if not exists test.stolen(line text)")
        yield root
    with rig.session() as session:
        drift.secure(session, rig.directory)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/etc/machine-id",
        "/etc/hosts",
        "/proc/{tester}/environ",
        "/proc/{tester}/cmdline",
        "{account}",
        "{neighbour}",
        "{spool}",
        "{package}",
    ],
)
def test_no_file_of_others_can_be_read(rig: EngineRig, hostile: Session, path: str) -> None:
    home = rig.directory.root.parent
    for name in ("neighbour", "spool"):
        (home / name).mkdir(exist_ok=True)
        (home / name / "file").write_text("secret\n")
    named = path.format(
        tester=os.getpid(),
        account=rig.account_file,
        neighbour=home / "neighbour/file",
        spool=home / "spool/file",
        package=drift.__file__,
    )
    if not Path(named).exists():
        pytest.skip(f"this machine has no {named}")
    with pytest.raises(SqlError):
        hostile.execute(f"load data infile '{named}' into table test.stolen")
    assert hostile.query("select count(*) from test.stolen") == [(0,)]


def test_no_file_can_be_written_outside_its_own_folder(rig: EngineRig, hostile: Session, tmp_path: Path) -> None:
    for target in (tmp_path / "out", rig.directory.root.parent / "out", Path("/tmp") / f"hostile-{os.getpid()}"):
        with pytest.raises(SqlError):
            hostile.query(f"select 1 into outfile '{target}'")
        assert not target.exists()


def test_without_the_kernels_bar_the_same_file_would_be_read(rig: EngineRig, hostile: Session) -> None:
    """Shows that the refusals above are the fence's and not the statement's: inside the folder the same LOAD DATA works."""
    inside = rig.directory.root / "log" / "output.txt"
    assert hostile.execute(f"load data infile '{inside}' into table test.stolen") > 0
    hostile.execute("truncate table test.stolen")


def test_its_own_files_folder_works_both_ways(rig: EngineRig) -> None:
    with rig.session() as session:
        drift.secure(session, rig.directory)
    with rig.root() as root:
        root.execute("create table if not exists test.copy(i int)")
        root.execute("truncate table test.copy")
        root.execute("insert into test.copy values (41), (42)")
        root.query("select i from test.copy order by i into outfile 'files/numbers'")
        assert (rig.directory.files_dir / "numbers").read_text() == "41\n42\n"
        assert root.execute("load data infile './files/numbers' into table test.copy") == 2
        root.execute("drop table test.copy")
        with pytest.raises(SqlError) as refused:
            root.query("select 1 into outfile 'files/../log/escaped'")
        assert refused.value.errno == 9731


def test_what_a_tenant_changed_is_found_and_put_right_once(rig: EngineRig) -> None:
    with rig.root() as root:
        for change in (
            "set global secure_file_priv = '/'",
            "alter system set mysql_port = 23456",
            "alter system set rpc_port = 23457",
            "alter system set enable_rpc_service = true",
            "alter system set memory_budget = '3G'",
            "alter system set log_disk_size = '4G'",
        ):
            root.execute(change)
    with rig.session() as session:
        changes = drift.put_right(session, rig.settings)
        assert {change.split()[0] for change in changes} == {
            "secure_file_priv",
            "mysql_port",
            "rpc_port",
            "enable_rpc_service",
            "memory_budget",
            "log_disk_size",
        }
        assert not [change for change in changes if "could not" in change]
        assert drift.put_right(session, rig.settings) == ()


def test_a_value_that_blocks_every_alter_system_is_put_right(rig: EngineRig) -> None:
    """log_disk_size below its minimum is refused with 4736, stays in memory and makes each later ALTER SYSTEM fail."""
    with rig.root() as root:
        for _ in range(2):
            with pytest.raises(SqlError) as refused:
                root.execute("alter system set log_disk_size = '1G'")
            assert refused.value.errno == 4736
        with rig.session() as session:
            (change,) = drift.put_right(session, rig.settings)
        assert "log_disk_size" in change
        assert "could not" not in change
        root.execute("alter system set mysql_port = 2881")


def test_a_tenant_that_made_itself_standby_is_primary_after_a_restart(rig: EngineRig) -> None:
    rig.sql("create table if not exists test.kept(i int primary key)")
    rig.sql("replace into test.kept values (1)")
    with rig.root() as root:
        root.execute("alter system switchover to standby")
    with rig.session() as session:
        assert not drift.is_writable(session)
        assert drift.put_right(session, rig.settings) == ("engine is not PRIMARY, only a restart mends that",)
        (change,) = drift.put_right(session, rig.settings, rig.process)
    assert "stopped so that it starts" in change
    assert not rig.process.is_alive()
    rig.restart()
    with rig.session() as session:
        assert drift.is_writable(session)
        assert drift.put_right(session, rig.settings) == ()
    rig.sql("insert into test.kept values (2)")
    assert rig.sql("select count(*) from test.kept") == [(2,)]
    rig.sql("drop table test.kept")


@pytest.mark.parametrize(
    ("name", "value"), [("max_allowed_packet", "33554432"), ("sql_mode", "ANSI_QUOTES"), ("read_only", "OFF")]
)
def test_global_variables_take_numbers_texts_and_switches(rig: EngineRig, name: str, value: str) -> None:
    with rig.session() as session:
        before = session.query(f"select @@global.{name}")[0][0]
        drift.set_global(session, name, value)
        found = str(session.query(f"select @@global.{name}")[0][0])
        assert found == value or (value == "OFF" and found == "0") or value in found
        drift.set_global(session, name, str(before))


def test_what_is_no_variables_name_reaches_no_statement(rig: EngineRig) -> None:
    from holdfast.errors import EngineError

    with rig.session() as session, pytest.raises(EngineError, match="not a variable"):
        drift.set_global(session, "a = 1, global secure_file_priv", "/")


def _refusal(rig: EngineRig) -> int:
    """Return how a login is refused that is one too many; a user's sessions are counted from when the limit is set (measured)."""
    with contextlib.ExitStack() as opened:
        for _ in range(5):
            try:
                opened.enter_context(rig.session())
            except SqlError as error:
                return error.errno
    return 0


def test_logins_of_ours_get_in_past_a_tenants_limits(rig: EngineRig) -> None:
    keeper = Keeper(rig.session)
    with contextlib.closing(keeper), rig.root() as root, rig.session(), rig.session():
        keeper.hold()
        for name, limit, free in (("max_connections", 1, 2**31 - 1), ("max_user_connections", 1, 0)):
            drift.set_global(root, name, str(limit))
            assert _refusal(rig) in (1040, 1226)
            sessions = [keeper.let_in(rig.session) for _ in range(5)]
            assert root.query(f"select @@global.{name} limit 1") == [(limit,)], (
                "the tenant's limit holds for the tenant"
            )
            for session in sessions:
                session.close()
            drift.set_global(root, name, str(free))


def test_a_held_session_that_was_killed_is_opened_again(rig: EngineRig) -> None:
    keeper = Keeper(rig.session)
    with contextlib.closing(keeper):
        ids: list[int] = []
        keeper.use(lambda held: ids.append(held.query("select connection_id()")[0][0]))
        with rig.root() as root:
            root.execute(f"kill {ids[0]}")
        keeper.use(lambda held: ids.append(held.query("select connection_id()")[0][0]))
        assert ids[0] != ids[1]


def test_a_packet_too_small_for_our_statements_is_put_right_and_met_until_then(rig: EngineRig) -> None:
    with rig.root() as root:
        for name in ("max_allowed_packet", "net_buffer_length"):
            drift.set_global(root, name, "1024")
    with rig.session() as session:
        assert session.query("select @@session.sql_select_limit, @@session.time_zone limit 1") == [
            (2**63 - 1, "+00:00")
        ]
        (change,) = drift.put_right(session, rig.settings)
        assert change == "max_allowed_packet was '1024', must be '4194304'"
        drift.set_global(session, "net_buffer_length", "16384")
        drift.set_global(session, "max_allowed_packet", "16777216")


def test_in_sys_our_users_without_privileges_are_let_in(rig: EngineRig) -> None:
    with rig.session() as session:
        for name, value in (
            ("max_connections", "1"),
            ("max_user_connections", "3"),
            ("init_connect", "nonsense"),
            ("read_only", "1"),
        ):
            drift.set_global(session, name, value)
        assert drift.find(session, rig.settings) == ()
        changes = drift.put_right(session, rig.settings, is_sys=True)
        assert {change.split()[0] for change in changes} == {
            "max_connections",
            "max_user_connections",
            "init_connect",
            "read_only",
        }
        assert drift.find(session, rig.settings, is_sys=True) == ()
        drift.set_global(session, "max_user_connections", "0")
        assert drift.find(session, rig.settings, is_sys=True) == ()
        drift.set_global(session, "max_connections", str(2**31 - 1))
