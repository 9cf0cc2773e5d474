"""`holdfast check` and `status` against one real estate, whose faults are made one after the other and put right again."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_rig import HOLDFAST, Ran, run

from holdfast.engine.process import EngineProcess
from server_rig import Client, Server, archive, backup, wait_archived, wait_doing, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

HANGING_SERVER = str(Path(__file__).parents[1] / "hanging_server.py")
MEMBERS = {
    *("command", "exit_code", "verdict", "summary", "server_time", "max_age_seconds", "findings", "ignored", "tenants")
}


class Estate:
    """A server with a tenant `app` that is well. `pipe`: while it is there, data destinations hang."""

    def __init__(self, root: Path) -> None:
        self.place, self.pipe = root / "place", root / "pipe"
        self.server = Server(root / "base", program=(HANGING_SERVER, str(self.pipe))).start()
        self.sys: Client = self.server.client()
        self.sys.run("CREATE TENANT app")
        archive(self.sys, "app", self.place)
        assert backup(self.sys, "app")[0] == "COMPLETED"

    def check(self, *arguments: str) -> Ran:
        return run(self.server.port, "check", *arguments)

    def rules(self, *arguments: str) -> tuple[int, list[str]]:
        """Return the exit code and the rules that found something, worst first."""
        ran = self.check("--json", *arguments)
        document = ran.document
        assert document["exit_code"] == ran.code
        assert set(document) - {"error"} == MEMBERS
        return ran.code, [one["rule"] for one in document["findings"]]

    def wait_rules(self, code: int, *rules: str) -> None:
        """Return when the verdict is this; windows are read again a second later, jobs settle a moment after their end."""
        wait_for(self.rules, lambda found: found == (code, list(rules)), seconds=30)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    found = Estate(tmp_path_factory.mktemp("verdict"))
    try:
        yield found
    finally:
        found.sys.close()
        found.server.end()


@contextmanager
def moved_away(place: Path) -> Iterator[None]:
    away = place.with_name(f"{place.name}.away")
    place.rename(away)
    try:
        yield
    finally:
        away.rename(place)


def test_a_well_estate_is_ok_and_says_how_old_its_newest_moment_is(estate: Estate) -> None:
    ran = estate.check()
    assert ran.code == 0, ran.out
    (line,) = ran.out.splitlines()
    assert line.startswith("OK: 1 tenant, newest restorable moment ")
    text, _, figures = line.partition(" | ")
    assert text.endswith(" old")
    label, _, value = figures.partition("=")
    assert label == "'app'"
    assert value.endswith("s;;600;0")
    (tenant,) = estate.check("--json").document["tenants"]
    assert (tenant["tenant"], tenant["judged"], tenant["verdict"]) == ("app", True, "OK")
    assert 0 <= tenant["newest_moment_age_seconds"] < 600


def test_a_tenants_own_login_judges_itself(estate: Estate) -> None:
    assert estate.rules("--user", "root@app") == (0, [])


def test_status_is_the_same_judgement(estate: Estate) -> None:
    # An engine's SCN is some seconds ahead of the clock after its start: until then no moment is old.
    ran = wait_for(lambda: run(estate.server.port, "status", "--json", "--max-age", "0s"), lambda ran: ran.code == 2)
    assert ran.document["verdict"] == "CRITICAL"
    assert [one["rule"] for one in ran.document["findings"]] == ["moment-old"]
    spoken = run(estate.server.port, "status", "--max-age", "0s")
    assert spoken.code == 2
    assert spoken.out.startswith("CRITICAL: app: newest restorable moment is ")
    assert run(estate.server.port, "status").code == 0


@pytest.mark.parametrize(
    ("folder", "rules"),
    [
        ("data", ["moment-none", "destination-absent"]),
        ("archive", ["moment-none", "destination-absent", "set-unusable"]),
        ("data/backup_set_1_full", ["moment-none", "set-gone"]),
    ],
)
def test_what_was_moved_away_is_critical_though_the_catalog_lists_it(
    estate: Estate, folder: str, rules: list[str]
) -> None:
    with moved_away(estate.place / folder):
        wait_for(estate.rules, lambda found: found[0] == 2)
        if folder == "archive":  # its follower sees it within seconds, though STATUS goes on to say DOING
            wait_for(estate.rules, lambda found: "archive-waits" in found[1])
        code, found = estate.rules()
        assert (code, [rule for rule in found if rule != "archive-waits"]) == (2, rules)
        with estate.server.client() as client:
            assert client.one("select FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES") == "AVAILABLE"
    estate.wait_rules(0)


def test_one_object_of_a_set_that_is_gone_is_named(estate: Estate) -> None:
    chunk = next((estate.place / "data" / "backup_set_1_full" / "data").iterdir())
    with moved_away(chunk):
        wait_for(estate.rules, lambda found: found == (2, ["moment-none", "set-gone"]))
        assert chunk.name in estate.check().out
        refused = estate.sys.refused(
            f"ALTER SYSTEM RESTORE never FROM 'file://{estate.place}/data,file://{estate.place}/archive'"
        )
        assert "left aside as damaged: backup_set_1_full" in refused[1]
    estate.wait_rules(0)


@pytest.mark.parametrize("command", ["check", "status"])
def test_what_can_not_be_printed_changes_no_exit_code(estate: Estate, command: str) -> None:
    with open("/dev/full", "w") as full:

        def code(age: str) -> int:
            words = [*HOLDFAST, command, "--max-age", age, "--port", str(estate.server.port)]
            return subprocess.run(words, stdout=full, stderr=subprocess.DEVNULL, check=False).returncode

        assert code("1d") == 0
        wait_for(lambda: code("0s"), lambda found: found == 2)


def test_a_password_that_hangs_is_waited_for_no_longer_than_a_server(estate: Estate, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "password")
    ran = estate.check("--timeout", "1", "--password-file", str(tmp_path / "password"))
    assert (ran.code, "no answer within 1 s" in ran.out) == (3, True)


def test_a_name_of_jobs_is_no_persons(estate: Estate) -> None:
    for name in ("AUX_DRILL$1", "aux_recover$1"):
        assert estate.sys.refused(f"CREATE TENANT {name}")[0] == 1210


def test_a_failed_backup_counts_until_the_next_success(estate: Estate) -> None:
    with moved_away(estate.place / "data" / next(iter((estate.place / "data").glob("format*"))).name):
        assert backup(estate.sys, "app")[0] == "FAILED"
    estate.wait_rules(1, "full-failed")
    assert estate.rules("--ignore", "app:full-failed") == (0, [])
    assert ": backup job " in estate.server.log.read_text()
    assert any(" ERROR " in line and " backup job " in line for line in estate.server.log.read_text().splitlines())
    assert backup(estate.sys, "app")[0] == "COMPLETED"
    estate.wait_rules(0)


def test_a_failed_drill_is_critical_an_error_and_no_proof(estate: Estate) -> None:
    """And it is a drill in `jobs`, not a restore of a tenant nobody knows."""
    drill = "ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = app"
    ended = "select STATUS from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID > 1"
    proven = "select count(PROOF_AGE_SECONDS) from oceanbase.CDB_OB_BACKUP_SET_PROOFS"

    def carry_out(count: int, assertion: str) -> None:
        with estate.server.client("root@app") as app:
            app.run(f"ALTER SYSTEM SET backup_drill_assertions = '{assertion}'")
        estate.sys.run(drill)
        (running,) = wait_for(lambda: run(estate.server.port, "jobs", "--json").document["jobs"], bool)
        assert (running["kind"], running["tenant"]) == ("drill", "app")
        wait_for(lambda: estate.sys.rows(ended), lambda rows: len(rows) == count)

    carry_out(1, "select 1")
    assert estate.sys.one(proven) == 1
    carry_out(2, "select 0")
    assert estate.sys.one(proven) == 0
    estate.wait_rules(2, "drill-failed")
    lines = estate.server.log.read_text().splitlines()
    assert any(" ERROR holdfast.drills: " in line and " is FAILED: assertion select 0" in line for line in lines)
    jobs = run(estate.server.port, "jobs", "--ended", "9", "--json").document["jobs"]
    assert [job["kind"] for job in jobs if "AUX" in job["tenant"]] == []
    assert [(job["kind"], job["ending"]) for job in jobs][:2] == [("drill", "failed"), ("drill", "succeeded")]
    carry_out(3, "select 1")
    estate.wait_rules(0)


def test_an_archive_that_is_off_or_never_was_on_is_critical(estate: Estate) -> None:
    estate.sys.run("CREATE TENANT bare")
    assert estate.rules() == (2, ["backup-none", "archive-off"])
    assert estate.rules("--ignore", "bare") == (0, [])
    assert estate.rules("--tenant", "app") == (0, [])
    estate.sys.run("DROP TENANT bare FORCE")
    estate.sys.run("ALTER SYSTEM NOARCHIVELOG TENANT = app")
    assert estate.rules()[0] == 2
    estate.wait_rules(2, "archive-off")
    estate.sys.run("ALTER SYSTEM ARCHIVELOG TENANT = app")
    wait_doing(estate.sys, "app")
    with estate.server.client("root@app") as app:
        end = app.one("select current_scn()")
    wait_archived(estate.sys, end)
    estate.wait_rules(0)


def test_what_users_made_in_sys_is_named(estate: Estate) -> None:
    estate.sys.run("CREATE DATABASE misplaced")
    estate.sys.run("CREATE TABLE test.stray (i INT)")
    assert estate.rules() == (1, ["sys-data"])
    assert "misplaced, test.stray" in estate.check().out
    estate.sys.run("DROP DATABASE misplaced")
    estate.sys.run("DROP TABLE test.stray")
    estate.wait_rules(0)


def test_a_destination_that_hangs_is_unknown_in_time(estate: Estate) -> None:
    """The command ends within its ten seconds, and the view itself says which tenant it could not read."""
    os.mkfifo(estate.pipe)
    try:
        begun = time.monotonic()
        code, found = wait_for(estate.rules, lambda seen: seen[0] != 0)
        assert time.monotonic() - begun < 12
        assert (code, found) == (3, ["moment-unknown", "destination-unreadable"])
        short = estate.check("--timeout", "0.5", "--json")
        assert short.code == 3
        assert {one["rule"] for one in short.document["findings"]} >= {"facts-unread"}
        assert any("windows" in one["message"] for one in short.document["findings"])
    finally:
        _let_go(estate.pipe)
    estate.wait_rules(0)


def _let_go(pipe: Path) -> None:
    """Give whoever waits in the pipe an end, and take the pipe away."""
    ended = threading.Event()

    def open_ends() -> None:
        while not ended.is_set():
            try:
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                return
            time.sleep(0.05)

    opener = threading.Thread(target=open_ends)
    opener.start()
    pipe.rename(pipe.with_suffix(".gone"))
    ended.set()
    opener.join()
    while True:
        try:
            os.close(os.open(pipe.with_suffix(".gone"), os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            break
        time.sleep(0.05)
    pipe.with_suffix(".gone").unlink()


def test_an_engine_that_does_not_answer_is_critical(estate: Estate) -> None:
    """Stopped, not ended: it is there and does not greet. Its login says nothing of it before a minute is over."""
    process = EngineProcess.adopt(estate.server.directory(1002))
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        wait_for(estate.rules, lambda found: "engine-down" in found[1])
        assert "app: the engine is UNHEALTHY: it does not greet within 1 s" in estate.check().out
    finally:
        os.kill(process.pid, signal.SIGCONT)
    wait_for(estate.rules, lambda found: found == (0, []))


def test_an_interrupted_archive_is_critical(estate: Estate) -> None:
    """The log object it appends to is cut while the server is away: the last of the scenes, it needs a new round."""
    estate.sys.close()
    assert estate.server.stop() == 0
    logs = sorted((estate.place / "archive").rglob("*.obarc"), key=lambda one: one.stat().st_mtime)
    newest = max((one for one in logs if "logstream" in str(one)), key=lambda one: one.stat().st_mtime)
    size = newest.stat().st_size
    os.truncate(newest, size // 2)
    estate.server.start()
    estate.sys = estate.server.client()
    wait_for(estate.rules, lambda found: "archive-interrupted" in found[1])
    ran = estate.check()
    assert (ran.code, ran.out[:9]) == (2, "CRITICAL:")


def test_windows_of_a_dropped_tenant_have_its_name(estate: Estate) -> None:
    estate.sys.run("DROP TENANT app FORCE")
    rows = wait_for(lambda: run(estate.server.port, "windows", "--json").document["windows"], bool)
    assert {row["tenant"] for row in rows} == {"app"}
    assert estate.rules() == (3, ["tenant-unknown"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--user", "nobody@app"), "UNKNOWN: ERROR 1045"),
        (("--tenant", "tpyo"), "tpyo: there is no tenant tpyo"),
    ],
)
def test_what_can_not_be_judged_is_unknown(estate: Estate, arguments: tuple[str, ...], words: str) -> None:
    ran = estate.check(*arguments)
    assert words in ran.out
    assert ran.code == 3


@pytest.mark.parametrize(
    "arguments",
    [("--nope",), ("--max-age", "soon"), ("--ignore", "*"), ("--ignore", "app:nope"), ("--ignore", "*:facts-unread")],
)
def test_wrong_usage_is_unknown_and_no_warning(arguments: tuple[str, ...]) -> None:
    ran = run(1, "check", *arguments)
    assert ran.code == 3
    assert "Usage: " in ran.err


def test_a_server_that_is_not_there_is_unknown() -> None:
    ran = run(1, "check")
    assert ran.code == 3
    assert ran.out.startswith("UNKNOWN: no server answers at 127.0.0.1:1")
    document = run(1, "check", "--json").document
    assert set(document) == {*MEMBERS, "error"}
    assert [one["rule"] for one in document["findings"]] == ["server-unreachable"]


def test_a_server_that_accepts_and_never_greets_is_unknown_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begun = time.monotonic()
        ran = run(silent.getsockname()[1], "check", "--timeout", "1")
        assert time.monotonic() - begun < 5
    assert (ran.code, ran.out.splitlines()[0]) == (3, "UNKNOWN: no answer within 1 s")


def test_it_runs_from_cron_without_a_terminal() -> None:
    """A process of its own: the exit code is the process's, and it asks nobody anything."""
    ran = subprocess.run(
        [*HOLDFAST, "check", "--port", "1", "--json"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert ran.returncode == 3
    assert json.loads(ran.stdout)["verdict"] == "UNKNOWN"
