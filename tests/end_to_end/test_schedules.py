"""Scheduled backups on a real server. The catalog is told that days have passed; nobody waits for a minute to come."""

from collections.abc import Iterator

import pymysql
import pytest

from holdfast.engine.account import load_account
from server_rig import Client, Server, archive, running_server, wait_for

pytestmark = pytest.mark.live

_JOBS = (
    "select BACKUP_TYPE, STATUS, RESULT, DESCRIPTION from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID > 1"
    " order by JOB_ID"
)
_PLANS = (
    "select SCHEDULE_TYPE, SCHEDULE, TIME_ZONE, LAST_JOB_ID, LAST_STATUS, LAST_RESULT, LAST_COMMENT"
    " from oceanbase.CDB_OB_BACKUP_SCHEDULES order by SCHEDULE_TYPE"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("cluster") / "base") as server, server.client() as client:
        client.run("CREATE TENANT planned")
        archive(client, "planned", tmp_path_factory.mktemp("backup"))
        yield server


def days_pass(server: Server, days: int) -> None:
    """Tell the catalog that the schedules were last done so many days ago."""
    account = load_account(server.base / "sys" / "account.json")
    socket = str(server.directory(1).socket)
    with pymysql.connect(
        unix_socket=socket, user=account.user, password=account.password, autocommit=True
    ) as connection:
        connection.cursor().execute(
            "update __holdfast.backup_schedule set done_time = date_sub(done_time, interval %s day)", (days,)
        )


def planned(client: Client) -> list[tuple[object, ...]]:
    return client.rows(_PLANS)


def test_a_schedule_is_checked_when_it_is_set(server: Server) -> None:
    with server.client() as client:
        for name, value in (
            ("backup_full_schedule", "tomorrow"),
            ("backup_incremental_schedule", "* * * * * *"),
            ("backup_schedule_time_zone", "Mars/Olympus"),
        ):
            number, text = client.refused(f"ALTER SYSTEM SET {name} = '{value}' TENANT = planned")
            assert number == 4147
            assert "such as" in text
        assert planned(client) == []


def test_runs_missed_while_the_server_was_away_are_made_up_for_once_and_the_full_wins(server: Server) -> None:
    with server.client("root@planned") as own:  # a tenant sets its own
        own.run("ALTER SYSTEM SET backup_full_schedule = '0 2 * * *', backup_incremental_schedule = '30 * * * *'")
        own.run("ALTER SYSTEM SET backup_schedule_time_zone = 'Europe/Berlin'")
        seen = [
            ("FULL", "0 2 * * *", "Europe/Berlin", 0, "", 0, ""),
            ("INC", "30 * * * *", "Europe/Berlin", 0, "", 0, ""),
        ]
        view = _PLANS.replace("CDB_", "DBA_")
        wait_for(lambda: own.rows(view), lambda rows: rows == seen)
        assert own.one("select count(*) from oceanbase.DBA_OB_BACKUP_SCHEDULES where NEXT_TIMESTAMP > now()") == 2
    with server.client() as client:
        assert client.rows(_JOBS) == []  # what lies before the words is not missed
    server.kill()
    days_pass(server, 3)
    server.start()
    with server.client() as client:
        jobs = wait_for(lambda: client.rows(_JOBS), bool)
        assert [job[:3] for job in jobs] == [("FULL", "COMPLETED", 0)]
        assert jobs[0][3].startswith("scheduled: backup_full_schedule = '0 2 * * *', due 20")
        after = wait_for(lambda: planned(client), lambda rows: rows[0][4] == "COMPLETED")
        assert [row[3:6] for row in after] == [(1, "COMPLETED", 0), (0, "", 0)]
        assert str(after[0][6]).startswith("one run for all moments since 20")
        assert after[1][6] == ""


def test_a_refused_run_says_why_and_is_made_when_it_can_be(server: Server) -> None:
    with server.client() as client:
        client.run("ALTER SYSTEM NOARCHIVELOG TENANT = planned")
        wait_for(
            lambda: client.one("select LOG_MODE from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'planned'"),
            lambda mode: mode == "NOARCHIVELOG",
        )
        days_pass(server, 1)
        refused = wait_for(lambda: planned(client), lambda rows: rows[0][4] == "REFUSED")
        assert refused[0][5] == -9040
        assert "log archive status is not doing" in refused[0][6]
        client.run("ALTER SYSTEM ARCHIVELOG TENANT = planned")
        made = wait_for(lambda: planned(client), lambda rows: rows[0][4] == "COMPLETED")
        assert made[0][3] == 2
        assert [job[:3] for job in client.rows(_JOBS)] == [("FULL", "COMPLETED", 0)] * 2


def test_an_increment_alone_is_made_up_for_and_changed_words_count_from_now_on(server: Server) -> None:
    with server.client() as client:
        client.run("ALTER SYSTEM RESET backup_full_schedule TENANT = planned")
        wait_for(lambda: planned(client), lambda rows: len(rows) == 1)
        days_pass(server, 1)
        jobs = wait_for(lambda: client.rows(_JOBS), lambda rows: len(rows) == 3)
        assert jobs[2][:3] == ("INC", "COMPLETED", 0)
        # A changed schedule counts from now on: the day that passed for the old words is not missed by the new ones.
        client.run("ALTER SYSTEM SET backup_incremental_schedule = '45 * * * *' TENANT = planned")
        wait_for(lambda: planned(client), lambda rows: rows[0][1] == "45 * * * *")
        client.run("ALTER SYSTEM RESET backup_incremental_schedule TENANT = planned")
        wait_for(lambda: planned(client), lambda rows: not rows)
        assert len(client.rows(_JOBS)) == 3


def test_a_missed_drill_is_made_up_for_and_waits_for_no_backup(server: Server) -> None:
    with server.client() as client:
        drills = "select RESULT from oceanbase.CDB_OB_RESTORE_DRILLS where STATUS = 'FINISHED'"
        assert client.rows(drills) == []
        client.run("ALTER SYSTEM SET backup_drill_schedule = '0 4 * * SUN' TENANT = planned")
        wait_for(lambda: planned(client), lambda rows: any(row[0] == "DRILL" for row in rows))
        days_pass(server, 8)
        assert wait_for(lambda: client.rows(drills), bool, seconds=60) == [("PASSED",)]
        rows = wait_for(lambda: planned(client), lambda rows: rows[0][4] == "COMPLETED")
        assert rows[0][:2] == ("DRILL", "0 4 * * SUN")
        job = client.rows("select VALIDATE_LEVEL, DESCRIPTION from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY")[-1]
        assert job[0] == "restore"
        assert job[1].startswith("scheduled: backup_drill_schedule = '0 4 * * SUN', due 20")
