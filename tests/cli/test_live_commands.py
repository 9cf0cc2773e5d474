"""Every command against one real server, by its exit code and what it printed."""

import json
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_rig import Ran, begin, on_terminal, run

from server_rig import WAIT_SECONDS_MAX, Client, Server, wait_for

LONG = bool(os.environ.get("HOLDFAST_LONG"))
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # A port of its own that a second start has too: one test restarts the server under a command that looks on.
    server = Server(tmp_path_factory.mktemp("cluster") / "base", "--port", str(port))
    try:
        yield server.start()
    finally:
        server.end()


@pytest.fixture(scope="module")
def port(server: Server) -> int:
    return server.port


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backup")


@pytest.fixture(scope="module")
def before_archiving(port: int) -> dict[str, Ran]:
    """What commands answer for the tenant `shop` while it has no destination. A tenant of its own would take seconds."""
    assert run(port, "sql", "-e", "CREATE TENANT shop").code == 0
    return {
        "wait": run(port, "archive", "on", "-t", "shop", "--wait", "--timeout", "0.2"),
        "backup": run(port, "backup", "-t", "shop"),
        "backup as JSON": run(port, "backup", "-t", "shop", "--json"),
        "again": run(port, "archive", "on", "-t", "shop"),
        "off": run(port, "archive", "off", "-t", "shop", "--wait"),
        "on": run(port, "archive", "on", "-t", "shop"),
    }


@pytest.fixture(scope="module")
def shop(port: int, place: Path, before_archiving: dict[str, Ran]) -> str:
    """A tenant with both destinations that archives, made by the command line itself: it is in ARCHIVELOG mode before `--to`."""
    ran = run(port, "archive", "on", "--tenant", "shop", "--to", f"file://{place}/log", "--wait", "--json")
    assert ran.code == 0, ran.out
    (one,) = ran.document["archiving"]
    assert (one["tenant"], one["status"], one["destination"]) == ("shop", "DOING", f"file://{place}/log")
    assert isinstance(one["round"]["checkpoint_scn"], str)
    made = run(
        port,
        *("sql", "-e", "ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = shop"),
        *("-e", f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/data' TENANT = shop"),
    )
    assert made.code == 0, made.err
    return "shop"


@pytest.fixture(scope="module")
def first_set(port: int, shop: str) -> dict[str, object]:
    """The set of a full backup that ended well, as `sets --json` has it."""
    ran = run(port, "backup", "--tenant", shop, "--json", "--description", "it's the first")
    assert ran.code == 0, ran.out
    assert ran.document["exit_code"] == 0
    of_sys, of_shop = ran.document["jobs"]
    assert of_sys["tenant"] == "sys"
    assert (of_shop["tenant"], of_shop["ending"], of_shop["percent"]) == ("shop", "succeeded", 100)
    assert (of_shop["type"], of_shop["done"], of_shop["description"]) == ("FULL", of_shop["total"], "it's the first")
    assert of_shop["bytes_read"] > of_shop["bytes_written"] > 0
    (only,) = run(port, "sets", "--json").document["sets"]
    assert (only["tenant"], only["backup_set_id"], only["file_status"]) == ("shop", 1, "AVAILABLE")
    return dict(only)


def test_archiving_without_a_destination_can_not_be_waited_for(before_archiving: dict[str, Ran]) -> None:
    """Exit 1, and the hint names the command that helps."""
    ran = before_archiving["wait"]
    assert (ran.code, ran.out) == (1, "")
    assert "--to file:///path" in ran.err
    assert before_archiving["off"].code == 0


def test_a_refusal_is_exit_3_with_the_servers_words_and_a_hint(before_archiving: dict[str, Ran]) -> None:
    refused = before_archiving["backup"]
    assert (refused.code, refused.out) == (3, "")
    first, hint = refused.err.splitlines()
    assert first.startswith("ERROR 9040 (HY000): backup can not start, because log archive status is not doing.")
    assert hint.startswith("hint: ")
    document = before_archiving["backup as JSON"].document
    assert (document["exit_code"], document["error"]["code"], document["error"]["sqlstate"]) == (3, 9040, "HY000")
    assert before_archiving["again"].code == 3
    assert before_archiving["again"].err.startswith("ERROR 9091 (HY000): Already in ARCHIVELOG mode")
    assert "LOG_ARCHIVE_DEST is not set" in before_archiving["again"].err
    assert "--to file:///path" in before_archiving["again"].err
    assert "LOG_ARCHIVE_DEST is not set" in first
    assert "LOG_ARCHIVE_DEST is not set" in before_archiving["on"].err, "a warning: no round begins"


def test_scns_in_json_have_every_digit(port: int, server: Server, first_set: dict[str, object]) -> None:
    with server.client() as client:
        scn = client.one("SELECT MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = 1")
    assert first_set["min_restore_scn"] == str(scn)
    # The view is told of the checkpoint a moment after the backup has seen it.
    wait_for(
        lambda: run(port, "pieces", "--tenant", "shop", "--json").document["pieces"],
        lambda pieces: len(pieces) == 1 and int(pieces[0]["checkpoint_scn"]) >= scn,
    )


def test_the_tables_show_the_same(port: int, first_set: dict[str, object]) -> None:
    (window,) = run(port, "windows", "--tenant", "shop", "--json").document["windows"]
    assert (window["status"], window["backup_set_ids"]) == ("REACHABLE", "1")
    for command in ("sets", "pieces", "windows", "tenants", "status"):
        ran = run(port, command)
        assert ran.code == 0
        assert "shop" in ran.out
        assert "\x1b" not in ran.out
    assert str(first_set["min_restore_scn"]) in run(port, "sets").out


@pytest.mark.parametrize("command", ["sets", "pieces", "windows", "archive status", "jobs"])
def test_a_tenant_nobody_has_is_named_and_not_shown_as_empty(port: int, command: str) -> None:
    ran = run(port, *command.split(), "--tenant", "tpyo")
    assert ran.code == 3
    assert "unknown tenant 'tpyo'" in ran.err


def test_status_says_how_far_archiving_and_backups_are(port: int, first_set: dict[str, object]) -> None:
    document = run(port, "status", "--json", "--time-zone", "+00:00").document
    assert document["server"]["time_zone"] == "+00:00"
    shop = next(tenant for tenant in document["tenants"] if tenant["tenant"] == "shop")
    assert 0 <= shop["archiving"]["lag_seconds"] < WAIT_SECONDS_MAX
    assert shop["newest_set_age_seconds"] >= 0
    assert shop["newest_set"]["backup_set_id"] >= 1


def test_a_tenant_sees_and_backs_up_itself_alone(port: int, first_set: dict[str, object]) -> None:
    """An increment from the tenant's own login, in a pipe: lines, the last one its result."""
    (own,) = run(port, "status", "--json", "-u", "root@shop").document["tenants"]
    assert own["tenant"] == "shop"
    ran = run(port, "backup", "--incremental", "-u", "root@shop")
    assert ran.code == 0, ran.err
    last = ran.out.splitlines()[-1]
    assert last.startswith("backup shop #")
    assert "INC  COMPLETED  set " in last
    assert not any("100%" in line for line in ran.out.splitlines())
    refused = run(port, "backup", "-t", "shop", "-u", "root@shop")
    assert (refused.code, refused.err[:17]) == (3, "ERROR 1235 (0A000"), refused.err
    assert run(port, "restore", "x", "--from", "file:///x", "-u", "root@shop").code == 2


def test_a_failed_job_is_exit_1_with_result_and_hint(port: int, place: Path, first_set: dict[str, object]) -> None:
    format_file = next(iter((place / "data").glob("format*")))
    kept = format_file.read_bytes()
    format_file.unlink()
    try:
        ran = run(port, "backup", "-t", "shop", "--json")
        assert ran.code == 1, ran.out
        job = ran.document["jobs"][1]
        assert (job["ending"], job["result"], job["hint"]) == ("failed", -9080, "name an empty directory")
        assert job["comment"]
        spoken = run(port, "backup", "-t", "shop")
        assert spoken.code == 1
        assert "FAILED  RESULT -9080  " in spoken.out
        assert "hint: name an empty directory" in spoken.err
    finally:
        format_file.write_bytes(kept)


def test_a_canceled_backup_is_exit_5(port: int, server: Server, first_set: dict[str, object]) -> None:
    """Cancelled by another login as soon as it is there; a backup of any size lasts longer than that."""
    over = threading.Event()

    def cancel() -> None:
        with server.client() as client:
            while not over.wait(0.02):
                client.run("ALTER SYSTEM CANCEL BACKUP TENANT = shop")

    canceler = threading.Thread(target=cancel)
    canceler.start()
    try:
        ran = run(port, "backup", "-t", "shop")
    finally:
        over.set()
        canceler.join()
    assert ran.code == 5, ran.out
    assert "CANCELED  RESULT -4072" in ran.out
    assert run(port, "cancel", "backup").code == 0  # nothing runs: no error


def test_an_encrypted_set_is_restored_to_a_time_of_the_logins_zone_and_opened(
    port: int, server: Server, place: Path, tmp_path: Path, first_set: dict[str, object]
) -> None:
    """With the password of the set, which is in no output and no log."""
    secret = tmp_path / "secret"
    secret.write_text("corr'ect \\horse\nsecond line\n")
    backup = run(port, "backup", "-t", "shop", "--encryption-password-file", str(secret), "--json")
    assert backup.code == 0, backup.out
    (newest,) = run(port, "sets", "--json").document["sets"][-1:]
    assert newest["encryption_mode"] == "PASSWORD"
    made = run(
        port,
        *("sql", "-u", "root@shop", "--time-zone", "+00:00", "--json"),
        *(
            "-e",
            "CREATE TABLE test.kept(i INT PRIMARY KEY); INSERT INTO test.kept VALUES (1); SELECT SLEEP(0.05), NOW(6)",
        ),
        *("-e", "SELECT SLEEP(0.05); INSERT INTO test.kept VALUES (2)"),
    )
    assert made.code == 0, made.out
    moment = json.loads(made.out.splitlines()[2])["rows"][0][1]
    with server.client("root@shop") as client:
        end = client.one("SELECT current_scn()")
    with server.client() as client:  # what is not archived yet can not be restored
        wait_for(lambda: client.one("SELECT CHECKPOINT_SCN FROM oceanbase.CDB_OB_ARCHIVELOG"), lambda scn: scn >= end)
    restore = (
        *("restore", "then", "--from", f"file://{place}/data,file://{place}/log"),
        *("--until-time", moment, "--time-zone", "+00:00", "--activate"),
    )
    without = run(port, *restore, "--json")
    assert (without.code, without.document["error"]["code"]) == (3, 9047)
    ran = run(port, *restore, "--encryption-password-file", str(secret))
    assert ran.code == 0, ran.err
    assert "horse" not in backup.out + backup.err + ran.out + ran.err + server.log.read_text()
    lines = ran.out.splitlines()
    assert lines[0].startswith("restore then #")
    assert any(line.startswith("tenant then stands at SCN ") for line in lines)
    assert lines[-1] == "it is open for writing: log in as root@then"
    sql = "SELECT i FROM test.kept; INSERT INTO test.kept VALUES (3)"
    asked = run(port, "sql", "-u", "root@then", "--json", "-e", sql)
    assert [json.loads(line).get("rows") for line in asked.out.splitlines()] == [[[1]], []]
    refused = run(port, "restore", "then", "--from", f"file://{place}/data")
    assert refused.code == 3
    assert refused.err.startswith("ERROR 4179 (HY000): restore tenant with existed tenant name is not allowed")
    secret.write_text("\n")
    assert run(port, "backup", "--encryption-password-file", str(secret)).code == 2
    _leaves_a_tenant_out(port)
    both = run(port, "restore", "x", "--from", "file:///x", "--until-scn", "1", "--until-time", "x")
    assert both.code == 2


def _leaves_a_tenant_out(port: int) -> None:
    """What was meant for every tenant ends with 6 and names `then`, which does not archive."""
    backup = run(port, "backup", "--json")
    of_sys, of_shop = backup.document["jobs"]
    assert (backup.code, of_sys["ending"], of_shop["tenant"]) == (6, "succeeded", "shop")
    (left_out,) = backup.document["left_out"]
    for told in (left_out, backup.err, of_sys["comment"]):
        assert "then" in told
        assert "log archive status is not doing" in told
    assert run(port, "backup", "--no-wait").code == 6
    assert run(port, "jobs", "--watch").code == 0
    switched = run(port, "archive", "on", "--json")
    assert (switched.code, [text.split(":")[1] for text in switched.document["left_out"]]) == (6, [" tenant then"])
    assert run(port, "archive", "off", "-t", "then").code == 0


def test_a_failed_restore_is_exit_1_with_its_comment(port: int, place: Path, first_set: dict[str, object]) -> None:
    """A block that rotted at the destination."""
    found = max((place / "data").glob("backup_set_1_full*/data/*"), key=lambda path: path.stat().st_size)
    kept = found.read_bytes()
    half = len(kept) // 2
    found.write_bytes(kept[:half] + bytes([kept[half] ^ 0xFF]) + kept[half + 1 :])
    try:
        scn = str(first_set["min_restore_scn"])
        ran = run(port, "restore", "rotten", "--from", f"file://{place}/data,file://{place}/log", "--until-scn", scn)
    finally:
        found.write_bytes(kept)
    assert ran.code == 1, ran.out
    last = ran.out.splitlines()[-1]
    assert last.startswith("restore rotten #")
    assert "  FAILED  " in last
    assert "the half-made tenant is removed" in ran.err
    assert "rotten" not in run(port, "tenants").out


def test_a_server_that_is_not_there_is_exit_4() -> None:
    ran = run(1, "status", "--host", "127.0.0.1")
    assert (ran.code, ran.out) == (4, "")
    assert "127.0.0.1:1" in ran.err
    assert "holdfast serve" in ran.err
    document = run(1, "jobs", "--json").document
    assert (document["exit_code"], document["error"]["code"]) == (4, None)


def test_cleanups_are_jobs_too(port: int, first_set: dict[str, object]) -> None:
    """Deleting the only full set is refused by its job."""
    assert run(port, "sql", "-e", "ALTER SYSTEM DELETE BACKUPSET 1 TENANT = shop").code == 0
    assert run(port, "jobs", "--watch").code == 0  # until it is over
    ended = run(port, "jobs", "--ended", "3", "--json").document["jobs"]
    cleanup = next(job for job in ended if job["kind"] == "cleanup")
    assert (cleanup["tenant"], cleanup["ending"], cleanup["result"]) == ("shop", "failed", -9045)
    assert run(port, "cancel", "cleanup").code == 0


def test_wrong_usage_is_exit_2(port: int) -> None:
    for arguments in (
        ("backup", "--no-such-option"),
        ("jobs", "--forever"),
        ("restore", "x", "--from", "file:///x", "--activate", "--no-wait"),
        ("sql", "-e", "select 1", __file__),
        ("archive", "on", "--to", "file:///x"),
    ):
        assert run(port, *arguments).code == 2, arguments


def test_the_password_comes_from_a_file_the_environment_or_a_question(
    port: int, server: Server, shop: str, tmp_path: Path
) -> None:
    with server.client("root@shop") as client:
        client.run("CREATE USER keeper IDENTIFIED BY 's3cret'")
    login = ("sql", "-u", "keeper@shop", "-e", "SELECT 41 + 1")
    refused = run(port, *login)
    assert (refused.code, refused.err[:18]) == (3, "ERROR 1045 (42000)")
    assert run(port, *login, env={"HOLDFAST_PASSWORD": "s3cret"}).code == 0
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    assert run(port, *login, "--password-file", str(file), env={"HOLDFAST_PASSWORD": "wrong"}).code == 0
    assert run(port, *login, "--ask-password", text="s3cret\n").code == 0

    asked = False

    def answer(seen: str, _: int, terminal: int) -> None:
        nonlocal asked
        if "Password" in seen and not asked:
            asked = True
            os.write(terminal, b"s3cret\n")

    spoken = on_terminal(port, *login, react=answer)
    assert spoken.code == 0
    assert "| 42 " in spoken.out
    assert "s3cret" not in spoken.out


def test_sql_runs_a_file_and_stops_at_the_first_refusal(port: int, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "some.sql"
    file.write_text(
        "-- a comment; with a semicolon\nSELECT 'a;b' AS text, NULL AS n;\nDROP TABLE IF EXISTS test.nope;\n"
        "SELECT * FROM test.nope;\nSELECT 9223372036854775807 AS big"
    )
    login = ("-u", "root@shop", str(file))
    ran = run(port, "sql", *login)
    assert ran.code == 3
    assert "| a;b  | NULL |" in ran.out
    assert "Note 1051" in ran.err  # a warning of the statement before the refusal
    assert "ERROR 1146 (42S02): Table 'test.nope' doesn't exist\nin statement 3" in ran.err
    assert "big" not in ran.out
    forced = run(port, "sql", "--force", "--vertical", *login)
    assert forced.code == 3
    assert "big: 9223372036854775807" in forced.out
    lines = [json.loads(line) for line in run(port, "sql", "-f", "--json", *login).out.splitlines()]
    assert [line["statement"] for line in lines] == [1, 2, 2, 3, 4]
    assert lines[0]["rows"] == [["a;b", None]]
    assert lines[2]["warnings"] == ["Note 1051: Unknown table 'test.nope'"]
    assert lines[3]["error"]["code"] == 1146
    assert lines[4]["rows"] == [["9223372036854775807"]]
    many = run(
        port,
        "sql",
        "-u",
        "root@shop",
        text="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<900) "
        "SELECT a.i FROM n a, n b WHERE b.i <= 3",
    )
    assert many.out.splitlines()[-1].startswith("2700 rows")
    assert len(many.out.splitlines()) == 2700 + 5


def test_a_backup_on_a_terminal_draws_a_bar_in_place(port: int, first_set: dict[str, object]) -> None:
    ran = on_terminal(port, "backup", "-t", "shop", columns=90)
    assert ran.code == 0
    assert "\x1b[?25l" in ran.out  # the cursor is hidden
    assert ran.out.rindex("\x1b[?25h") > ran.out.rindex("\x1b[?25l")  # and given back
    assert "━" in ran.out or "─" in ran.out  # a quick one is over before the bar has anything to show
    assert "─" in ran.out
    assert "COMPLETED" in ran.out
    assert "100%" not in ran.out.rpartition("COMPLETED")[0]


def test_no_color_means_no_colors(port: int, first_set: dict[str, object]) -> None:
    color = re.compile(r"\x1b\[(?:\d+;)*3\d(?:;\d+)*m")
    assert color.search(on_terminal(port, "jobs", "--ended", "1").out)
    assert not color.search(on_terminal(port, "jobs", "--ended", "1", env={"NO_COLOR": "1"}).out)


def test_ctrl_c_ends_the_look_and_not_the_backup(port: int, first_set: dict[str, object]) -> None:
    """On a dumb terminal, which gets lines and no control codes."""

    def interrupt(seen: str, pid: int, _: int) -> None:
        if seen.count("\n") == 1:
            os.kill(pid, signal.SIGINT)

    for _ in range(5):  # a backup that ended before the signal came proves nothing: then again
        ran = on_terminal(port, "backup", "-t", "shop", "--plus-archivelog", env={"TERM": "dumb"}, react=interrupt)
        assert "\x1b" not in ran.out
        if ran.code != 0:
            break
    assert ran.code == 130, ran.out
    assert "goes on; follow it with `holdfast jobs --watch`" in ran.out
    assert run(port, "jobs", "--watch").code == 0  # until nothing runs
    newest = run(port, "jobs", "--ended", "1", "--tenant", "shop", "--json").document["jobs"][0]
    assert (newest["type"], newest["ending"]) == ("FULL + log", "succeeded")


def test_ctrl_c_in_the_middle_of_a_result_does_not_read_the_rest(port: int, shop: str) -> None:
    """700 million rows: at the least minutes of them."""
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT a.i FROM n a, n b, n c"
    )
    process = begin(port, "sql", "-u", "root@shop", "-e", f"SET ob_query_timeout = 3600000000; {numbers}")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("OK")
    assert process.stdout.readline().startswith("+--")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == 130


def test_ctrl_c_is_the_end_of_a_look_that_has_none(port: int, shop: str) -> None:
    process = begin(port, "jobs", "--watch", "--forever", "--json", "--every", "0.1")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["command"] == "jobs"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == 130


@pytest.mark.skipif(not LONG, reason="a restart of a whole cluster; test_follow has the waiting by itself")
def test_a_look_outlives_a_restart_of_the_server(server: Server, port: int, shop: str) -> None:
    process = begin(port, "jobs", "--watch", "--forever", "--json", "--every", "0.1")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"command": "jobs", "jobs": []}
    server.kill()
    server.start()
    with Client(port, "root@sys") as client:
        wait_for(lambda: client.rows("SELECT COUNT(*) FROM oceanbase.CDB_OB_ARCHIVELOG WHERE STATUS = 'DOING'"), bool)
        backup = run(port, "backup", "-t", "shop", "--no-wait", "--json")
        assert backup.code == 0, backup.out
        job_id = backup.document["jobs"][0]["job_id"]
        ended = f"SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID = 1 AND JOB_ID = {job_id}"
        assert wait_for(lambda: client.rows(ended), bool) == [("COMPLETED",)]
    while True:
        jobs = json.loads(process.stdout.readline())["jobs"]
        if jobs and jobs[0]["ending"] == "succeeded":
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == 130
    assert "the server does not answer" in err
