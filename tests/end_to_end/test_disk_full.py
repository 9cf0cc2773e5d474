"""A full disk under the destination, the spool or the tenants: engine and user data survive, the message says what to do."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pymysql
import pytest

from server_rig import Client, archive, backup, restore, running_server, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]


@contextmanager
def small_disk(home: Path, name: str, size_mib: int) -> Iterator[Path]:
    """Yield a file system of its own and of this size."""
    image, mount = home / f"{name}.img", home / name
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(mount)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no loop mount here: {mounted.stderr.decode().strip()}")
    try:
        (mount / "lost+found").rmdir()
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)
        image.unlink()


def fill(folder: Path) -> Path:
    """Take every free byte with one file and return it."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        step = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        while step >= 4096:
            try:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, step)
            except OSError:
                step //= 2
    return filler


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root to be mounted")


@needs_root
def test_a_full_destination_stops_nobody_and_is_caught_up(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path, "dest", 64) as dest,
        running_server(tmp_path / "base") as server,
        server.client() as client,
    ):
        client.run("CREATE TENANT busy")
        archive(client, "busy", dest / "b")
        filler = fill(dest)
        with server.client("root@busy", database="test") as user:
            user.run("create table t(id int primary key auto_increment, pad varchar(60000))")
            for _ in range(40):
                user.run("insert into t(pad) values (%s)", (os.urandom(20000).hex(),))
            comment = "select STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG"
            status, text = wait_for(lambda: client.rows(comment)[0], lambda row: "space" in row[1])
            assert status == "DOING", text
            status, result, text = backup(client, "busy")
            assert (status, result) == ("FAILED", -9082), text
            sets = client.rows("select STATUS, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES")
            assert sets in ([], [("FAILED", "INCOMPLETE")])  # it may fail before the set begins
            user.run("insert into t(pad) values ('still here')")
            scn = user.one("select max(ora_rowscn) from t")
            filler.unlink()
            wait_for(
                lambda: client.one("select CHECKPOINT_SCN from oceanbase.CDB_OB_ARCHIVELOG"), lambda done: done >= scn
            )
            assert client.rows(comment) == [("DOING", "")]
            assert backup(client, "busy") == ("COMPLETED", 0, "")
            assert user.one("select count(*) from t") == 41


@needs_root
def test_a_full_disk_under_the_tenants_fails_the_restore_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path, "disk", 8192) as disk, running_server(disk / "b") as server, server.client() as client:
        client.run("CREATE TENANT first")
        archive(client, "first", tmp_path / "backup")
        with server.client("root@first", database="test") as user:
            user.run("create table t(id int primary key, pad varchar(1000))")
            user.run("insert into t values (1, 'kept')")
            assert backup(client, "first")[0] == "COMPLETED"
            filler = fill(disk)
            status, text = restore(client, "second", tmp_path / "backup")
            assert status == "FAILED"
            assert "space" in text.lower(), text
            wait_for(lambda: client.rows("SHOW TENANTS"), lambda rows: [row[1] for row in rows] == ["sys", "first"])
            assert list((disk / "b" / "restore").iterdir()) == []
            assert user.rows("select pad from t") == [("kept",)]
            filler.unlink()
            wait_for(lambda: _insert(user), bool)
        assert restore(client, "third", tmp_path / "backup")[0] == "SUCCESS"
        with server.client("root@third", database="test") as back:
            assert ("kept",) in back.rows("select pad from t where id = 1")


def _insert(user: Client) -> bool:
    with suppress(pymysql.MySQLError):
        user.run("insert ignore into t values (2, 'written after the disk had room again')")
        return True
    return False
