import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine import control, drift, facts
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.fence import Fence, FencePolicy, best_fence
from holdfast.engine.liveness import ProcessHandle, ProcessIdentity, find_engine, identify
from holdfast.engine.process import EngineProcess, EngineSettings, Watchdog, begin_founding
from holdfast.errors import ConflictError, EngineError, RefusedError
from holdfast.values.capacity import capacity_bytes_from_text
from hostile_parameters import PARAMETERS

pytestmark = pytest.mark.live


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _wait_for_state(pid: int, states: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _state(pid) not in states:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _server(source: str, rig: EngineRig, body: str) -> "subprocess.Popen[bytes]":
    """A server of ours in a process of its own that says a word and waits to be killed."""
    program = f"""
import sys, time
sys.path.insert(0, {source!r})
from pathlib import Path
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import EngineProcess, EngineSettings, begin_founding
from holdfast.engine.version import installed
directory = EngineDirectory(Path({str(rig.directory.root)!r}), installed())
{body}
"""
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


def _word(server: "subprocess.Popen[bytes]") -> bytes:
    assert server.stdout is not None
    return server.stdout.readline().strip()


# --- start


def test_a_started_engine_is_healthy_fenced_and_nobodys_child(rig: EngineRig) -> None:
    process = rig.process
    assert process.is_alive()
    assert process.is_healthy()
    assert process.fence is best_fence()
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    assert int(status["PPid"]) != os.getpid()
    assert os.getsid(process.pid) != os.getsid(0)


def test_memory_and_log_disk_are_what_was_asked_for(rig: EngineRig) -> None:
    rows = rig.sql("select name, value from oceanbase.V$OB_PARAMETERS where name in ('memory_budget', 'log_disk_size')")
    found = {name: capacity_bytes_from_text(value) for name, value in rows}
    assert found == {"memory_budget": 1 << 30, "log_disk_size": 2 << 30}


@pytest.mark.parametrize("wrong", [{"memory_budget_bytes": (1 << 30) - 1}, {"log_disk_size_bytes": (2 << 30) - 1}])
def test_settings_no_engine_starts_with_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(RefusedError, match="less than"):
        EngineSettings(**wrong)


def test_an_engine_listens_on_no_port(rig: EngineRig) -> None:
    rig.sql("alter system set enable_rpc_service = true")
    time.sleep(0.3)
    rig.sql("alter system set enable_rpc_service = false")
    sockets = set()
    for link in Path(f"/proc/{rig.process.pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    assert sockets, "the engine has no sockets at all: the test looks at the wrong process"
    for table in ("tcp", "tcp6", "udp", "udp6"):
        lines = Path(f"/proc/{rig.process.pid}/net/{table}").read_text().splitlines()[1:]
        assert not [line for line in lines if line.split()[9] in sockets], table


def test_the_engine_tells_its_vendor_nothing(rig: EngineRig) -> None:
    """It notes a report at its first start; switched off, and unable to read the resolver or the machine's id, it sends none."""
    environment = Path(f"/proc/{rig.process.pid}/environ").read_bytes().split(b"\0")
    assert b"TELEMETRY_ENABLED=false" in environment
    report = rig.directory.run_dir / "telemetry.json"
    assert not report.exists() or b'"sent": false' in report.read_bytes()


def test_the_environment_of_the_server_does_not_leak_into_the_engine(rig: EngineRig) -> None:
    environment = Path(f"/proc/{rig.process.pid}/environ").read_bytes().split(b"\0")
    names = {entry.split(b"=")[0] for entry in environment if entry}
    assert names == {b"LD_LIBRARY_PATH", b"PATH", b"TELEMETRY_ENABLED"}


def test_a_second_start_in_one_directory_is_refused(rig: EngineRig) -> None:
    with pytest.raises(ConflictError, match=f"process {rig.process.pid}"):
        EngineProcess.start(rig.directory, rig.settings)
    assert rig.process.is_healthy()


def test_a_start_that_fails_says_why_in_the_engines_words_and_leaves_no_process(rig: EngineRig) -> None:
    rig.stop()
    settings = EngineSettings(parameters=(("memory_budget", "512M"),))  # below what it can start with
    with pytest.raises(EngineError, match="ended while it started") as refused:
        EngineProcess.start(rig.directory, settings)
    assert "ends: " in refused.value.message
    assert str(rig.directory.root) in refused.value.message
    assert find_engine(rig.directory) is None
    rig.restart()


def test_a_start_without_progress_counts_as_hung(rig: EngineRig) -> None:
    rig.stop()
    process = EngineProcess.launch(rig.directory, rig.settings)
    os.kill(process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(EngineError, match="no progress for 1 s"):
        process.wait_ready(Watchdog(progress_seconds=1))
    assert time.monotonic() - begun < 8
    process.stop()  # also: a stopped process can be ended
    assert not process.is_alive()
    process.close()
    rig.restart()


# --- proof of life


def test_a_pid_file_is_no_proof_of_life_and_not_needed_for_one(rig: EngineRig) -> None:
    rig.directory.pid_file.write_text(str(os.getpid()))
    adopted = EngineProcess.adopt(rig.directory)
    assert adopted is not None
    assert adopted.pid == rig.process.pid
    adopted.close()
    rig.kill()
    rig.directory.pid_file.write_text(str(os.getpid()))
    assert EngineProcess.adopt(rig.directory) is None
    rig.restart()


def test_a_reused_pid_is_not_taken_for_the_engine(rig: EngineRig) -> None:
    """The same number with another start time is another process: no claim on it, so no signal to it."""
    identity = rig.process.identity
    assert identify(identity.pid) == identity
    with pytest.raises(ProcessLookupError):
        ProcessHandle(ProcessIdentity(pid=identity.pid, start_ticks=identity.start_ticks + 1))


def test_a_process_in_the_directory_that_is_no_engine_is_not_adopted(tmp_path: Path, rig: EngineRig) -> None:
    directory = EngineDirectory(tmp_path, rig.directory.version)
    sleeper = subprocess.Popen(["sleep", "30"], cwd=tmp_path)
    try:
        assert find_engine(directory) is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["sleep", "60"])
    identity = identify(child.pid)
    assert identity is not None
    handle = ProcessHandle(identity)
    child.kill()
    assert _wait_for_state(child.pid, "Z", 5)
    assert identify(child.pid) is None
    assert not handle.is_alive()
    child.wait()


# --- stop


def test_a_stopped_engine_is_gone_and_stopping_again_is_harmless(rig: EngineRig) -> None:
    begun = time.monotonic()
    rig.process.stop()
    assert time.monotonic() - begun < 3
    assert not rig.process.is_alive()
    assert not rig.process.is_healthy()
    assert EngineProcess.adopt(rig.directory) is None
    rig.process.stop()
    assert rig.directory.socket.exists(), "the stale socket this is about is no longer left: simplify launch"
    rig.restart()
    assert rig.process.is_healthy()


# --- server death


def test_the_engine_outlives_a_killed_server_and_is_adopted(rig: EngineRig, source: str) -> None:
    rig.stop()
    server = _server(
        source, rig, "EngineProcess.start(directory, EngineSettings()); print('up', flush=True); time.sleep(60)"
    )
    assert _word(server) == b"up"
    server.kill()
    server.wait()
    time.sleep(0.5)  # an embedded engine that lost its last client lock ends itself within this time
    adopted = EngineProcess.adopt(rig.directory)
    assert adopted is not None
    assert adopted.is_healthy()
    assert adopted.fence is best_fence()
    rig.process = adopted
    assert rig.sql("select 1") == [(1,)]


def test_an_engine_of_an_unknown_launch_is_called_unfenced(rig: EngineRig) -> None:
    record = rig.directory.launch_record
    kept = record.read_bytes()
    record.write_bytes(kept.replace(b'"pid": ', b'"pid": 1'))
    adopted = EngineProcess.adopt(rig.directory)
    record.write_bytes(kept)
    assert adopted is not None
    assert adopted.fence is Fence.UNFENCED
    adopted.close()


# --- pause


def test_a_pause_stops_every_thread_and_ends(rig: EngineRig) -> None:
    with rig.process.pause() as pause:
        tasks = list(Path(f"/proc/{rig.process.pid}/task").iterdir())
        states = {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks}
        assert len(tasks) > 20
        assert states == {"T"}
        time.sleep(0.02)
    assert 20e6 < pause.elapsed_ns < 400e6
    assert rig.process.is_healthy()
    assert pause.elapsed_ns == pause.elapsed_ns


def test_a_pause_over_its_bound_is_ended_by_the_guardian_and_refused(rig: EngineRig) -> None:
    told = "did not stop"
    while "did not stop" in told:  # within a quarter of a second, as it waits for a busy disk: that is refused, too
        with pytest.raises(EngineError) as refused, rig.process.pause(bound_seconds=0.1):
            assert _wait_for_state(rig.process.pid, "SRD", 0.6)
        told = str(refused.value)
    assert "over its bound of 100 ms" in told
    assert rig.process.is_healthy()


def test_a_failure_inside_a_pause_resumes_the_engine_and_is_told(rig: EngineRig) -> None:
    with pytest.raises(ValueError, match="mine"), rig.process.pause():
        raise ValueError("mine")
    assert rig.process.is_healthy()


def test_the_engine_goes_on_when_the_server_dies_in_a_pause(rig: EngineRig, source: str) -> None:
    body = """
process = EngineProcess.adopt(directory)
with process.pause(bound_seconds=60):
    print('paused', flush=True)
    time.sleep(60)
"""
    server = _server(source, rig, body)
    assert _word(server) == b"paused"
    assert _state(rig.process.pid) == "T"
    server.kill()
    server.wait()
    assert _wait_for_state(rig.process.pid, "SRD", 1)
    assert rig.process.is_healthy()


def test_adopting_resumes_an_engine_that_was_left_stopped(rig: EngineRig) -> None:
    """Should server and guardian both die, the next server still helps."""
    os.kill(rig.process.pid, signal.SIGSTOP)
    assert _wait_for_state(rig.process.pid, "T", 1)
    assert not rig.process.is_healthy(timeout=0.2)
    adopted = EngineProcess.adopt(rig.directory)
    assert adopted is not None
    assert adopted.is_healthy()
    adopted.close()


# --- the first start


def test_a_first_start_that_was_killed_is_begun_anew(tmp_path: Path, rig: EngineRig) -> None:
    """Such a directory never starts again by itself; nobody had logged in, so nothing is lost."""
    directory = EngineDirectory(tmp_path / "engine", rig.directory.version)
    begin_founding(directory)
    process = EngineProcess.launch(directory, EngineSettings(), FencePolicy.AUTO)
    while not directory.meta_db.exists():
        time.sleep(0.01)
    time.sleep(0.1)
    process.stop(gently=False)
    process.close()
    assert directory.founding_mark.exists()
    process = EngineProcess.start(directory, EngineSettings())
    assert not directory.founding_mark.exists()
    process.stop()
    process.close()


# --- other fences


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give an engine a user id of its own")
def test_without_landlock_root_gives_the_engine_a_user_id_of_its_own(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):  # pytest's folders are closed to others, a base directory need not be
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "secret").chmod(0o600)
    with running_engine(tmp_path, fence=FencePolicy.OWN_UID) as rig:
        if rig.process.fence is Fence.UNFENCED:
            pytest.skip("the wheel lies where another user can not read it")
        assert rig.process.fence is Fence.OWN_UID
        assert Path(f"/proc/{rig.process.pid}").stat().st_uid != 0
        rig.sql("set global secure_file_priv = '/'")
        root = rig.root()
        root.execute("create table test.t(a text)")
        with pytest.raises(EngineError):
            root.execute(f"load data infile '{tmp_path}/secret' into table test.t")
        with pytest.raises(EngineError):
            root.query(f"select 1 into outfile '{tmp_path}/out'")
        rig.kill()
        rig.restart()  # files made by the engine's own user are found again
        assert rig.process.is_healthy()


def test_an_unfenced_engine_says_so(tmp_path: Path) -> None:
    with running_engine(tmp_path, fence=FencePolicy.NONE) as rig:
        assert rig.process.fence is Fence.UNFENCED
        assert not rig.process.is_fenced
        adopted = EngineProcess.adopt(rig.directory)
        assert adopted is not None
        assert not adopted.is_fenced
        adopted.close()


def test_a_transaction_under_way_is_waited_for_before_an_engine_is_ended(rig: EngineRig) -> None:
    """Cut by the end it would be an orphan: its locks would stay for good, a DDL's would stop every later DDL."""
    rig.sql("create table if not exists test.wide(i int primary key auto_increment, pad varchar(4000))")
    with rig.session() as writer, rig.session() as watcher:
        writer.connection.autocommit(False)
        for _ in range(16):  # redo reaches the log before the commit once it is some 100 kB
            writer.execute(
                "insert into test.wide(pad) select repeat('x', 4000) from information_schema.columns limit 100"
            )
        assert not control.wait_unfinished(watcher, 0.2)
        ((ours,),) = watcher.query(
            "select trans_id from oceanbase.__all_virtual_trans_stat where session_id = %s",
            (writer.connection.thread_id(),),
        )
        writer.execute("commit")
        assert control.wait_unfinished(watcher, 30)
    rig.stop()
    rig.restart()
    with rig.session() as session:
        # The engine may have begun one of its own in the meantime.
        assert ours not in {each.trans_id for each in facts.orphan_transactions(session)}
    rig.heal()
    rig.sql("drop table if exists test.wide")


def test_an_engine_starts_whatever_its_tenant_had_set_when_it_was_killed(rig: EngineRig) -> None:
    """With some of them, and with some of them together, it would end with -4624 or -4016; nobody could put them right then."""
    with rig.root() as root:
        for name, value in PARAMETERS.items():
            root.execute(f"alter system set {name} = '{value}'")
    rig.kill()
    rig.restart()
    with rig.session() as session:
        assert drift.find(session, rig.settings) == ()
        assert drift.is_writable(session)
        session.execute("create table test.after_it(i int primary key)")
        session.execute("drop table test.after_it")
