"""Destinations that do not answer: a validation is cancelled at once, and a server ends although its backup hangs.

One server and one tenant for both; the second test ends the server.
"""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server_rig import Server, archive, wait_for

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parents[1] / "hanging_server.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """A server whose reads of the data destination hang while the named pipe is there, and its tenant `t`."""

    server: Server
    pipe: Path


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hanging]:
    home = tmp_path_factory.mktemp("hanging")
    pipe = home / "pipe"
    server = Server(home / "base", program=(str(PROGRAM), str(pipe)))
    try:
        server.start()
        with server.client() as client:
            client.run("CREATE TENANT t")
            archive(client, "t", home / "place")
        yield Hanging(server=server, pipe=pipe)
    finally:
        server.end()


def reader_of(pipe: Path) -> int | None:
    """Return the writing end of the pipe, which keeps its reader waiting, or None while there is no reader."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None


def test_a_validation_that_hangs_is_cancelled_and_another_one_begins(hanging: Hanging) -> None:
    """And the tenant is not held up by what hangs."""
    pipe = hanging.pipe
    history = (
        "select STATUS, RESULT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID = 1 order by JOB_ID"
    )
    with hanging.server.client() as client:
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


def test_a_server_ends_although_a_backup_hangs_and_the_next_one_takes_it_up(hanging: Hanging) -> None:
    """Nobody is there any more to cancel it."""
    server, pipe = hanging.server, hanging.pipe
    with server.client() as client:
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
