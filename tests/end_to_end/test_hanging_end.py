"""The end of a server whose backup hangs in its destination: nobody is there any more to cancel it."""

import errno
import os
from pathlib import Path

import pytest

from server_rig import Server, archive, wait_for

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parents[1] / "hanging_server.py"


def reader_of(pipe: Path) -> int | None:
    """Return the writing end of the pipe, which keeps its reader waiting, or None while there is no reader."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None


def test_a_server_ends_although_a_backup_hangs_and_the_next_one_takes_it_up(tmp_path: Path) -> None:
    place, pipe = tmp_path / "place", tmp_path / "pipe"
    server = Server(tmp_path / "base", program=(str(PROGRAM), str(pipe)))
    try:
        server.start()
        with server.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", place)
            os.mkfifo(pipe)
            client.run("ALTER SYSTEM BACKUP TENANT = t")
        end = wait_for(lambda: reader_of(pipe), lambda found: found is not None)
        assert server.stop() == 0  # within the bound of every wait
        assert "backup job 1 hangs; the next server takes it up" in server.log.read_text()
        pipe.unlink()
        os.close(end)
        server.start()
        with server.client() as client:
            sql = "select STATUS, COMMENT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID <> 1"
            assert wait_for(lambda: client.rows(sql), bool) == [("COMPLETED", "")]
    finally:
        server.end()
