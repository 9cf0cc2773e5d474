"""A validation whose destination does not answer: cancelled at once, and the tenant is not held up by what hangs."""

import errno
import os
import time
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


def test_a_validation_that_hangs_is_cancelled_and_another_one_begins(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    server = Server(tmp_path / "base", program=(str(PROGRAM), str(pipe)))
    history = (
        "select STATUS, RESULT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID = 1 order by JOB_ID"
    )
    try:
        server.start()
        with server.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", tmp_path / "place")
            os.mkfifo(pipe)
            client.run("ALTER SYSTEM VALIDATE BACKUPSET TENANT = t")
            end = wait_for(lambda: reader_of(pipe), lambda found: found is not None)
            began = time.monotonic()
            client.run("ALTER SYSTEM CANCEL VALIDATE BACKUP")
            assert time.monotonic() - began < 10  # 2 s are promised, on a machine without other work
            assert client.rows(history) == [("CANCELED", -4072)]
            client.run("ALTER SYSTEM VALIDATE ARCHIVELOG_PIECE TENANT = t")
            both = [("CANCELED", -4072), ("COMPLETED", 0)]
            wait_for(lambda: client.rows(history), lambda rows: rows == both)
            pipe.unlink()
            os.close(end)  # the one that hung finds that its rows have ended
            client.run("ALTER SYSTEM VALIDATE BACKUP TENANT = t")
            wait_for(lambda: client.rows(history), lambda rows: rows == [*both, ("COMPLETED", 0)])
    finally:
        server.end()
