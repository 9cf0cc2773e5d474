"""What never may spin or hang, on one real server: idle wake-ups, the sys engine killed under jobs, an archive unmounted."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from holdfast.engine.liveness import find_engine
from server_rig import Client, Server, archive, backup, running_server, wait_doing, wait_for

pytestmark = pytest.mark.live

WAKE_UPS_MAX = 150.0
"""A second, of all threads of an idle server with one archived tenant (49 measured, on a machine with others on it)."""
IDLE_SECONDS = 5.0
END_SECONDS_MAX = 12.0
"""Ten are promised; the rest is for a busy machine."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("life") / "base") as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def archived(server: Server, place: Path) -> Client:
    client = server.client()
    client.run("CREATE TENANT t")
    archive(client, "t", place)
    assert backup(client, "t")[0] == "COMPLETED"
    return client


def wake_ups(pid: int) -> int:
    """Return how often threads of the process went to sleep so far."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def test_an_idle_server_wakes_up_seldom(server: Server, archived: Client) -> None:
    before, began = wake_ups(server.pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    rate = (wake_ups(server.pid) - before) / (time.monotonic() - began)
    print(f"{rate:.0f} wake-ups a second")
    assert rate < WAKE_UPS_MAX


def test_a_sys_engine_that_dies_under_jobs_is_told_in_sentences_and_the_jobs_end(
    server: Server, archived: Client
) -> None:
    with server.client("root@t") as client:
        client.run("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d'")
    archived.run("ALTER SYSTEM BACKUP TENANT = t")
    archived.run("ALTER SYSTEM VALIDATE BACKUPSET TENANT = t")
    archived.run("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = t")
    engine = find_engine(server.directory(1))
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(pymysql.Error) as refused:  # a tenant's own engine lives, who may log in is asked of sys
        server.client("root@t")
    assert refused.value.args[0] == 4012
    assert "it is started again within seconds: retry" in refused.value.args[1]

    def unfinished() -> list[object]:
        tables = ("CDB_OB_BACKUP_JOBS", "CDB_OB_BACKUP_VALIDATE_JOBS", "CDB_OB_BACKUP_DELETE_JOBS")
        try:
            with server.client() as client:
                return [row for table in tables for row in client.rows(f"select * from oceanbase.{table}")]
        except pymysql.Error as error:
            return [str(error)]

    wait_for(unfinished, lambda rows: not rows)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a tmpfs")
@pytest.mark.parametrize("state", ["SUSPEND", "STOP"])
def test_an_archive_that_is_unmounted_keeps_no_round(server: Server, archived: Client, place: Path, state: str) -> None:
    name = f"m_{state.lower()}"
    folder = place / name
    (folder / "archive").mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder / "archive")], check=False).returncode:
        pytest.skip("a tmpfs can not be mounted here")
    try:
        with server.client() as client:
            client.run(f"CREATE TENANT {name}")
            archive(client, name, folder)
            wait_doing(client, name)
            subprocess.run(["umount", "-l", str(folder / "archive")], check=True)
            began = time.monotonic()
            if state == "SUSPEND":
                client.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE = 'DEFER' TENANT = {name}")
            else:
                client.run(f"ALTER SYSTEM NOARCHIVELOG TENANT = {name}")
            sql = (
                "select a.STATUS, a.COMMENT from oceanbase.CDB_OB_ARCHIVELOG_SUMMARY a join oceanbase.DBA_OB_TENANTS t"
                f" on t.TENANT_ID = a.TENANT_ID where t.TENANT_NAME = '{name}'"
            )
            rows = wait_for(lambda: client.rows(sql), lambda rows: bool(rows) and rows[0][0] == state)
            assert time.monotonic() - began < END_SECONDS_MAX
            if state == "STOP":
                assert "stopped" in rows[0][1]
            client.run(f"DROP TENANT {name} FORCE")
    finally:
        subprocess.run(["umount", "-l", str(folder / "archive")], check=False, capture_output=True)
