"""What was there and is gone is refused by name, never made anew: directories of tenants and of sys, files of the server, destinations.

One server; each test puts back what it took away.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from holdfast.engine.process import EngineProcess
from server_rig import Client, Server, archive, backup, running_server, wait_for

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vanished")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with running_server(home / "base") as server:
        with server.client() as client:
            client.run("CREATE TENANT t")
            with server.client("root@t") as user:
                user.run("create table test.t(i int primary key)")
                user.run("insert into test.t values (1)")
            archive(client, "t", home)
            assert backup(client, "t")[0] == "COMPLETED"
        yield server


def _rows(server: Server) -> list[tuple[Any, ...]]:
    """Return what the tenant shows; nothing while its engine is on its way."""
    with contextlib.suppress(pymysql.MySQLError), server.client("root@t") as user:
        return user.rows("select i from test.t")
    return []


def _health(client: Client) -> tuple[str, str]:
    sql = (
        "select ENGINE_STATUS, ENGINE_COMMENT from oceanbase.CDB_OB_TENANT_HEALTH h join oceanbase.DBA_OB_TENANTS t"
        " on t.TENANT_ID = h.TENANT_ID where t.TENANT_NAME = 't'"
    )
    status, comment = client.rows(sql)[0]
    return str(status), str(comment)


def _archived(client: Client) -> tuple[str, str]:
    status, comment = client.rows("select STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG")[0]
    return str(status), str(comment)


def _refused_start(server: Server) -> str:
    command = [sys.executable, "-m", "holdfast", "serve", "--base-dir", str(server.base), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 1
    return ended.stderr


@contextlib.contextmanager
def _away(place: Path, *, leaves_mount_point: bool = False) -> Iterator[None]:
    """Have a file or folder elsewhere inside the block, as a disk that is not mounted; nothing may be made in its place."""
    elsewhere = place.with_name(f"{place.name}.elsewhere")
    place.rename(elsewhere)
    if leaves_mount_point:
        place.mkdir()
    try:
        yield
    finally:
        if leaves_mount_point:
            place.rmdir()  # fails on one that is not empty
        assert not place.exists()
        elsewhere.rename(place)


def test_a_tenants_directory_that_is_not_mounted_when_the_server_starts_is_waited_for(server: Server) -> None:
    place = server.base / "tenants" / "1002"
    assert server.stop() == 0
    with _away(place, leaves_mount_point=True):
        server.start()
        with server.client() as client:
            status, comment = _health(client)
            assert (status, str(place / "engine") in comment, "mount its disk" in comment) == ("DOWN", True, True)
            with pytest.raises(pymysql.MySQLError, match="the data of an engine is gone") as refusal:
                server.client("root@t")
            assert refusal.value.args[0] == 4012
            wait_for(lambda: _archived(client), lambda row: row[0] == "DOING" and "is not there" in row[1])
    wait_for(lambda: _rows(server), lambda rows: rows == [(1,)])
    with server.client() as client:
        wait_for(lambda: _archived(client), lambda row: row == ("DOING", ""))
        assert backup(client, "t")[0] == "COMPLETED"


def test_a_tenants_directory_that_goes_while_its_engine_runs_is_waited_for(server: Server) -> None:
    engine = EngineProcess.adopt(server.directory(1002))
    assert engine is not None
    with _away(server.base / "tenants" / "1002"), server.client() as client:
        wait_for(lambda: _health(client), lambda row: row[0] == "UNHEALTHY" and "is not there" in row[1])
        os.kill(engine.pid, signal.SIGKILL)
        wait_for(lambda: _health(client), lambda row: row[0] == "DOWN" and "is not there" in row[1])
        wait_for(lambda: _archived(client), lambda row: row[0] == "DOING" and "1002" in row[1])
    wait_for(lambda: _rows(server), lambda rows: rows == [(1,)])
    with server.client() as client:
        wait_for(lambda: _archived(client), lambda row: row == ("DOING", ""))
        assert backup(client, "t")[0] == "COMPLETED"


def test_a_tenants_login_that_is_gone_is_told(server: Server) -> None:
    with _away(server.base / "tenants" / "1002" / "account.json"), server.client() as client:
        status, comment = _health(client)
        assert (status, "account.json is gone" in comment) == ("UNHEALTHY", True)
    with server.client() as client:
        wait_for(lambda: _health(client), lambda row: row == ("UP", ""))


def test_a_destination_that_was_used_is_not_claimed_anew(server: Server, home: Path) -> None:
    """Neither by a backup nor by the statement that set it: under a mount that is gone lies an empty folder."""
    with _away(home / "data", leaves_mount_point=True), server.client() as client:
        for statement in (
            f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{home}/data' TENANT = t",
            f"ALTER SYSTEM BACKUP TENANT = t TO 'file://{home}/data'",
        ):
            code, text = client.refused(statement)
            assert (code, "is it mounted?" in text) == (9080, True), text
        status, _, comment = backup(client, "t")
        assert (status, "is it mounted?" in comment) == ("FAILED", True)
    with server.client() as client:
        client.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{home}/data' TENANT = t")
        assert backup(client, "t")[0] == "COMPLETED"


def test_what_a_new_tenant_would_be_made_over_is_left(server: Server) -> None:
    """A catalog that is older than the directory beside it gives an id once more."""
    with server.client() as client:
        last = server.tenant_ids()[-1]
        taken = server.base / "tenants" / str(last + 2)
        taken.mkdir()
        (taken / "engine").mkdir()
        assert "is there already" in client.refused("CREATE TENANT other")[1]
        assert list(taken.iterdir()) == [taken / "engine"]
        (taken / "engine").rmdir()
        taken.rmdir()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sys", "the catalog of this cluster is gone"),
        ("sys/engine", "the catalog of this cluster is gone"),
        ("cluster.json", "cluster.json is gone"),
        ("server.json", "server.json is gone"),
    ],
)
def test_a_cluster_without_its_catalog_or_a_file_of_its_own_is_not_made_anew(
    server: Server, name: str, told: str
) -> None:
    server.stop()
    with _away(server.base / name):
        assert told in _refused_start(server)


def test_the_server_is_as_it_was(server: Server) -> None:
    server.start()
    assert _rows(server) == [(1,)]


def test_a_tenant_whose_directory_is_lost_can_be_dropped(server: Server, home: Path) -> None:
    """So that it can be restored under its name."""
    (server.base / "tenants" / "1002").rename(home / "lost")
    with server.client() as client:
        wait_for(lambda: _health(client), lambda row: row[0] == "UNHEALTHY")
        client.run("DROP TENANT t FORCE")
        assert client.one("select count(*) from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 't'") == 0
    engine = EngineProcess.adopt(replace(server.directory(1002), root=home / "lost" / "engine"))
    assert engine is None  # it lived on in the directory that was moved
