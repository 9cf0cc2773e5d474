"""What a newcomer does first: an accident a moment ago in a quiet tenant, with every parameter at its default."""

import shutil
import time
from pathlib import Path

import pytest

from server_rig import backup, running_server, wait_doing, wait_for, wait_restored

pytestmark = pytest.mark.live


def test_a_moment_ago_is_restorable_at_once_and_a_removed_log_object_is_told(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with running_server(tmp_path / "base") as server, server.client() as client:
        client.run("CREATE TENANT quiet")
        client.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file://{place}/archive' TENANT = quiet")
        client.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/data' TENANT = quiet")
        client.run("ALTER SYSTEM ARCHIVELOG TENANT = quiet")
        wait_doing(client, "quiet")
        assert backup(client, "quiet")[0] == "COMPLETED"
        sources = f"FROM 'file://{place}/data,file://{place}/archive'"
        with server.client("root@quiet") as quiet:
            quiet.run("create table test.t(i int primary key)")
            quiet.run("insert into test.t values (1)")
            scn = quiet.one("select current_scn()")
            quiet.run("delete from test.t")
        client.run(f"ALTER SYSTEM RESTORE before {sources} UNTIL SCN = {scn}")
        client.run(f"ALTER SYSTEM RESTORE given_up {sources}")
        client.run("ALTER SYSTEM CANCEL RESTORE given_up")
        assert wait_restored(client, "given_up")[0] == "FAILED"
        assert client.rows("select 1 from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'given_up'") == []
        assert wait_restored(client, "before")[0] == "SUCCESS"
        with server.client("root@before") as before:
            assert before.rows("select i from test.t") == [(1,)]
        assert client.refused("ALTER SYSTEM CANCEL RESTORE before")[0] == 4179
        assert client.refused("ALTER SYSTEM CANCEL RESTORE nobody")[0] == 5157
        # Somebody tidies up in the archive: the round says so, and what follows is not called archived.
        client.run("ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = quiet")
        time.sleep(3)  # an object is open now, as in every archive that lives
        for folder in (place / "archive").glob("piece_*/logstream_1/log"):
            shutil.rmtree(folder)
        round_of = "select STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG"
        status, comment = wait_for(lambda: client.rows(round_of), lambda rows: rows[0][0] == "INTERRUPTED")[0]
        assert "durable bytes" in comment, (status, comment)
