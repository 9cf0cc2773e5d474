"""Calls of the catalog, of the stores and of the engines fail under every kind of job: each job ends, and nothing stays in the way."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flaky_server import VALUE
from server_rig import Client, Server, archive, backup, restore, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

PROGRAM = Path(__file__).parents[1] / "flaky_server.py"
JOBS = (
    "BACKUP_JOBS",
    "BACKUP_DELETE_JOBS",
    "BACKUP_VALIDATE_JOBS",
    "RESTORE_PROGRESS",
    "RECOVER_TABLE_JOBS",
    "IMPORT_TABLE_JOBS",
)
HISTORIES = (
    "BACKUP_JOB_HISTORY",
    "BACKUP_TASK_HISTORY",
    "BACKUP_SET_FILES",
    "BACKUP_DELETE_JOB_HISTORY",
    "BACKUP_DELETE_TASK_HISTORY",
    "BACKUP_VALIDATE_JOB_HISTORY",
    "BACKUP_VALIDATE_TASK_HISTORY",
    "RESTORE_HISTORY",
    "RECOVER_TABLE_JOB_HISTORY",
    "IMPORT_TABLE_JOB_HISTORY",
    "IMPORT_TABLE_TASK_HISTORY",
)
TOGETHER = (
    (
        "ALTER SYSTEM BACKUP TENANT = t",
        "ALTER SYSTEM VALIDATE BACKUPSET TENANT = t",
        "ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = t",
        "ALTER SYSTEM RESTORE r_{what} FROM '{place}'",
    ),
    (
        "ALTER SYSTEM BACKUP INCREMENTAL TENANT = t PLUS ARCHIVELOG",
        "ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = t",
        "ALTER SYSTEM RECOVER TABLE test.a TO TENANT t FROM '{place}' REMAP TABLE test.a:{what}",
    ),
)
"""Every kind of job with a worker, a backup set of each kind."""
WORKERS = {"backup-job", "validation-job", "drill-job", "cleanup-job", "restore-job", "recover-table"}


@pytest.fixture(scope="module")
def fault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fault") / "fault"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, fault: Path, place: Path) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("flaky") / "base", program=(str(PROGRAM), str(fault)))
    try:
        running.start()
        with running.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", place)
            with running.client("root@t") as user:
                user.run("create table test.a (id int primary key)")
                user.run("insert into test.a values (1), (2)")
                user.run("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d'")
            assert backup(client, "t")[0] == "COMPLETED"
        yield running
    finally:
        fault.unlink(missing_ok=True)
        running.end()


def active(client: Client) -> list[tuple[object, ...]]:
    return [(table, *row) for table in JOBS for row in client.rows(f"select * from oceanbase.CDB_OB_{table}")]


@pytest.mark.parametrize("what", ["catalog", "store", "engine", "defect"])
def test_every_job_ends_whatever_its_calls_met(server: Server, fault: Path, place: Path, what: str) -> None:
    sources = f"file://{place}/data,file://{place}/archive"
    with server.client() as client:
        for number, statements in enumerate(TOGETHER):
            fault.write_text(f"{what} {number}")
            for statement in statements:
                client.run(statement.format(place=sources, what=what))
            wait_for(lambda: active(client), lambda rows: not rows)
        fault.unlink()
        met = set(re.findall(rf"fault: {what}, call \d+ of ([a-z-]+)", server.log.read_text()))
        print(sorted(met))
        # A validation asks no engine, and a drill's and a table recovery's are restored by a worker of theirs.
        assert met >= (WORKERS if what == "catalog" else {"backup-job"}), met
        client.run(f"DROP TENANT IF EXISTS r_{what} FORCE")
        assert backup(client, "t") == ("COMPLETED", 0, "")
        told = str([client.rows(f"select * from oceanbase.CDB_OB_{table}") for table in HISTORIES])
        assert VALUE not in told + server.log.read_text()
        if what == "defect":
            assert "a defect of Holdfast: RuntimeError" in told
            assert "RuntimeError" in server.log.read_text(), "with its traceback"
        auxiliary = "select TENANT_NAME from oceanbase.DBA_OB_TENANTS where TENANT_NAME like 'AUX%'"
        wait_for(lambda: client.rows(auxiliary), lambda rows: not rows)


def test_and_what_comes_after_is_done_as_ever(server: Server, place: Path) -> None:
    with server.client() as client:
        assert restore(client, "r", place)[0] == "SUCCESS"
        with server.client("root@r") as user:
            assert user.one("select count(*) from test.a") == 2
