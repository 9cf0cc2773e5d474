"""The end of a server whose backup hangs in its destination: nobody is there any more to cancel it."""

import os
import stat
from pathlib import Path

import pytest

from server_rig import archive, running_server, wait_for

pytestmark = pytest.mark.live


def test_a_server_ends_although_a_backup_hangs_and_the_next_one_takes_it_up(tmp_path: Path) -> None:
    """A named pipe in the place of the format file: whoever opens it waits for ever, as on a dead network file system."""
    place = tmp_path / "place"
    with running_server(tmp_path / "base") as server:
        with server.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", place)
            format_file = place / "data" / "format.obbak"
            kept = format_file.read_bytes()
            format_file.unlink()
            os.mkfifo(format_file)
            client.run("ALTER SYSTEM BACKUP TENANT = t")
        try:
            assert server.stop() == 0  # within the bound of every wait
        finally:
            if stat.S_ISFIFO(format_file.stat().st_mode):
                format_file.unlink()
                format_file.write_bytes(kept)
        server.start()
        with server.client() as client:
            sql = "select STATUS from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID <> 1"
            assert wait_for(lambda: client.rows(sql), bool) == [("COMPLETED",)]
