"""What a hidden statement takes from the catalog: found while the server runs or at its start, said, and put right or refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from server_rig import Client, Server, archive, backup, running_server, wait_doing, wait_for

pytestmark = pytest.mark.live

HIDDEN_PROCEDURE = (
    "create procedure tricks.run(a varchar(1000), b varchar(1000))"
    " begin set @hidden = concat(a, b); prepare p from @hidden; execute p; deallocate prepare p; end"
)
TASKS = "select count(*) from oceanbase.CDB_OB_BACKUP_TASKS"
SETS = "select BACKUP_SET_ID, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES order by 1"


def hide(client: Client, text: str) -> None:
    """Run a statement in the one form that the gateway can not read."""
    half = len(text) // 2
    client.run("call tricks.run(%s, %s)", (text[:half], text[half:]))


def refused_start(server: Server, *options: str) -> str:
    """Return what a start says that is refused."""
    command = [sys.executable, "-m", "holdfast", "serve", "--base-dir", str(server.base), "--port", "0", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 1, ended.stderr[-3000:]
    assert "ready" not in ended.stdout
    return ended.stderr


def test_what_is_lost_is_said_and_put_right_or_the_start_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "base") as server:
        with server.client() as client:
            client.run("CREATE TENANT app")
            client.run("create database tricks")
            client.run(HIDDEN_PROCEDURE)
            hide(client, "drop view oceanbase.CDB_OB_BACKUP_TASKS")
            hide(client, "drop table __holdfast.event")
            archive(client, "app", tmp_path / "place")
            assert backup(client, "app")[0] == "COMPLETED"
            wait_for(lambda: _answers(client, TASKS), bool, seconds=60)  # put right while the server runs
            wait_for(lambda: _answers(client, "select 1 from __holdfast.event limit 1"), bool, seconds=60)
            wait_for(server.log.read_text, lambda said: "put right: oceanbase.CDB_OB_BACKUP_TASKS" in said)
            assert "__holdfast.event (the history of events)" in server.log.read_text()
            client.run("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d' TENANT = app")
        server.kill()
        server.start()
        with server.client() as client:
            wait_doing(client, "app")
            hide(client, "drop view oceanbase.DBA_OB_BACKUP_TASKS")
            for table in ("backup_set", "archive_round", "archive_piece", "backup_job", "delete_policy"):
                hide(client, f"drop table __holdfast.{table}")
        server.kill()
        said = refused_start(server)
        assert "__holdfast.delete_policy (the retention policies)" in said
        assert "--forget-table delete_policy" in said

        server.options = ("--forget-table", "delete_policy")
        server.start()
        with server.client() as client:
            assert client.rows(SETS) == [(1, "AVAILABLE")]  # entered from the destination
            assert client.one("select count(*) from oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES") >= 1
            assert _answers(client, "select 1 from oceanbase.DBA_OB_BACKUP_TASKS")
            assert "put right: oceanbase.DBA_OB_BACKUP_TASKS" in server.log.read_text()
            wait_doing(client, "app")  # a new round
            assert backup(client, "app")[0] == "COMPLETED"
            assert [row[0] for row in client.rows(SETS)] == [1, 2]
            assert "__holdfast.backup_set (the backup sets)" in server.log.read_text()
            hide(client, "drop table __holdfast.tenant")
        server.kill()
        server.options = ()
        said = refused_start(server)
        assert "__holdfast.tenant (which tenants there are)" in said
        assert "RESTORE each tenant" in said


def _answers(client: Client, sql: str) -> bool:
    try:
        client.rows(sql)
    except Exception:  # noqa: BLE001 - whatever the engine says of it
        return False
    return True
