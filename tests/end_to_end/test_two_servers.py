"""Two servers of one name: a copied base directory, and one that was put back. One of them stops, and nothing says SUCCESS that is not.

The scenes follow each other in one cluster; each leaves it stopped, archiving and well.
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast.store.file import FileStore
from owner_rig import unowned
from server_rig import Client, Server, archive, restore, wait_archived, wait_doing, wait_for

pytestmark = pytest.mark.live

SETS = (
    "select BACKUP_SET_ID, STATUS, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES where TENANT_ID = 1002 order by 1"
)
ROUND = "select STATUS, COMMENT, ROUND_ID from oceanbase.CDB_OB_ARCHIVELOG where TENANT_ID = 1002"
ENDS = "select MIN_RESTORE_SCN from oceanbase.CDB_OB_BACKUP_SET_FILES where TENANT_ID = 1002 and BACKUP_SET_ID = {}"
TAIL = (
    "select CAUSE, REMEDY from oceanbase.CDB_OB_RESTORABLE_WINDOWS where TENANT_ID = 1002 and STATUS = 'GAP'"
    " order by SPAN_ID desc limit 1"
)
INTERVALS = (
    "select STATUS, BACKUP_SET_IDS from oceanbase.CDB_OB_RESTORABLE_WINDOWS"
    " where TENANT_ID = 1002 and STATUS in ('REACHABLE', 'FOREIGN') order by SPAN_ID"
)
EVENTS = "select count(*) from oceanbase.DBA_OB_ROOTSERVICE_EVENT_HISTORY where EVENT = 'stop_writing'"
DELETIONS = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY where TENANT_ID = 1002 order by JOB_ID desc"
RENEW = "ALTER SYSTEM RENEW SERVER IDENTITY"


@dataclass
class Cluster:
    """One cluster and a copy of it; both write, or wish to, below `place`. `before`: a moment before they part."""

    server: Server
    place: Path
    before: int

    def copy(self, name: str) -> Path:
        """Copy the base directory as an administrator would; the server must be stopped."""
        copied = self.server.base.with_name(name)
        subprocess.run(["cp", "-a", str(self.server.base), str(copied)], check=True)
        return copied

    def objects(self) -> set[str]:
        return {str(path) for path in self.place.rglob("*") if path.is_file() and "check_file" not in str(path)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("two")
    server = Server(home / "base")
    try:
        server.start()
        with server.client() as sys_client:
            sys_client.run("CREATE TENANT t")
            archive(sys_client, "t", home / "backup")
            insert(server, "first")
            assert taken(sys_client) == "COMPLETED"
            insert(server, "second")
            before = moment(server, sys_client)
        assert server.stop() == 0
        yield Cluster(server, home / "backup", before)
    finally:
        server.end()


def insert(server: Server, value: str) -> None:
    with server.client("root@t") as user:
        user.run("create table if not exists test.said(word varchar(32) primary key)")
        user.run("insert into test.said values (%s)", (value,))


def moment(server: Server, client: Client) -> int:
    """Return the SCN that the tenant has come to, once its archive has."""
    with server.client("root@t") as user:
        scn = int(user.one("select current_scn()"))
    wait_archived(client, scn)
    return scn


def wait_past(server: Server, scn: int) -> None:
    """Return when the tenant's SCN is behind another engine's: each start puts it some seconds ahead of the clock."""
    with server.client("root@t") as user:
        wait_for(lambda: int(user.one("select current_scn()")), lambda now: now > scn)


def words(server: Server, tenant: str = "t") -> list[str]:
    with server.client(f"root@{tenant}") as user:
        return [str(row[0]) for row in user.rows("select word from test.said order by word")]


def taken(client: Client) -> str:
    """Take a set that restores alone and return the STATUS of its job."""
    ends = "select STATUS, JOB_ID from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID = 1002 order by JOB_ID desc limit 1"
    before = client.rows(ends)
    client.run("ALTER SYSTEM BACKUP TENANT = t PLUS ARCHIVELOG")
    return str(wait_for(lambda: client.rows(ends), lambda rows: bool(rows) and rows != before)[0][0])


def is_interrupted(rows: list[tuple[Any, ...]]) -> bool:
    return bool(rows) and rows[0][0] == "INTERRUPTED"


def begin_anew(client: Client) -> None:
    """What a person does at the server that is meant to live, by the words of the refusal."""
    client.run(RENEW)
    client.run("ALTER SYSTEM NOARCHIVELOG TENANT = t")
    wait_for(lambda: client.rows(ROUND), lambda rows: not rows or rows[0][0] == "STOP")
    client.run("ALTER SYSTEM ARCHIVELOG TENANT = t")
    wait_doing(client, "t")


def restored(cluster: Cluster, client: Client, scn: int) -> list[str]:
    """Return what a tenant holds that is restored to `scn` from both destinations, two histories and all; it is dropped again."""
    status, comment = restore(client, "back", cluster.place, f"UNTIL SCN = {scn}")
    assert status == "SUCCESS", comment
    found = words(cluster.server, "back")
    client.run("DROP TENANT back FORCE")
    return found


def standby_of_the_lost(cluster: Cluster, client: Client, parted: int, lost: int) -> None:
    """A standby whose own log is of the history that ended when the disk was put back: it takes that to its end, and stops there."""
    status, comment = restore(client, "old", cluster.place, f"UNTIL SCN = {parted}")
    assert status == "SUCCESS", comment
    assert "lost again" not in words(cluster.server, "old")
    client.run(f"ALTER SYSTEM RECOVER STANDBY TENANT = old UNTIL SCN = {lost}")
    sync = "select READABLE_SCN from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'old'"
    told = "select COMMENT from oceanbase.CDB_OB_LOG_RESTORE_SOURCE"
    wait_for(lambda: words(cluster.server, "old"), lambda found: "lost again" in found)
    client.run("ALTER SYSTEM RECOVER STANDBY TENANT = old UNTIL UNLIMITED")
    wait_for(lambda: client.one(told), lambda comment: "another history" in comment)
    assert "anew" not in words(cluster.server, "old")
    assert client.one(sync) <= lost + 60 * 10**9
    client.run("DROP TENANT old FORCE")


def test_copied_base_directory_is_noticed_and_no_set_of_the_copy_becomes_the_originals(cluster: Cluster) -> None:
    """Fault 1.1: the copy takes set 2, then the original is asked for a backup PLUS ARCHIVELOG."""
    clone = Server(cluster.copy("clone"))
    try:
        clone.start()
        with clone.client() as there:
            wait_doing(there, "t")  # the original ended in order, so nobody has to be waited for
            insert(clone, "clone")
            assert taken(there) == "COMPLETED"
            cluster.server.start()
            insert(cluster.server, "original")
            with cluster.server.client() as here:
                stopped = wait_for(lambda: here.rows(ROUND), is_interrupted)[0][1]
                assert "it was copied, or put back" in stopped
                assert "ALTER SYSTEM RENEW SERVER IDENTITY" in stopped
                told = here.one("select DESTINATION_COMMENT from oceanbase.CDB_OB_TENANT_HEALTH where TENANT_ID = 1002")
                assert "it was copied, or put back" in told  # what `holdfast check` calls destination-claimed
                (cause, remedy) = here.rows(TAIL)[0]
                assert "it was copied, or put back" in cause
                assert "ALTER SYSTEM RENEW SERVER IDENTITY" in remedy
                number, text = here.refused("ALTER SYSTEM BACKUP TENANT = t PLUS ARCHIVELOG")
                assert (number, "it was copied, or put back" in text) == (9040, True)
                assert here.rows(SETS) == [(1, "SUCCESS", "AVAILABLE")]
                assert here.one(EVENTS) >= 1

                insert(clone, "clone again")
                of_the_clone = moment(clone, there)
                assert there.rows(ROUND)[0][0] == "DOING"
                assert there.rows(SETS) == [(1, "SUCCESS", "AVAILABLE"), (2, "SUCCESS", "AVAILABLE")]

                begin_anew(here)
                stopped = wait_for(lambda: there.rows(ROUND), is_interrupted)[0][1]
                assert "has taken it over while this server ran" in stopped
                assert there.refused("ALTER SYSTEM BACKUP TENANT = t")[0] == 9040
                wait_past(cluster.server, of_the_clone)
                assert taken(here) == "COMPLETED"
                assert [row[0] for row in here.rows(SETS)] == [1, 2, 3]
                assert here.rows(ROUND)[0][2] == 2
                insert(cluster.server, "original again")
                anew = moment(cluster.server, here)
                assert here.rows(INTERVALS) == [("FOREIGN", "1,2"), ("REACHABLE", "3")]
                assert restored(cluster, here, anew) == ["first", "original", "original again", "second"]
                assert restored(cluster, here, here.one(ENDS.format(3))) == ["first", "original", "second"]
                assert restored(cluster, here, of_the_clone) == ["clone", "clone again", "first", "second"]
                assert restored(cluster, here, here.one(ENDS.format(2))) == ["clone", "first", "second"]
                assert restored(cluster, here, cluster.before) == ["first", "second"]
    finally:
        clone.end()
    assert cluster.server.stop() == 0


def test_base_directory_that_was_put_back_writes_and_deletes_nothing_until_told(cluster: Cluster) -> None:
    server = cluster.server
    saved = cluster.copy("saved")
    server.start()
    with server.client() as client:
        wait_doing(client, "t")
        insert(server, "lost")
        assert taken(client) == "COMPLETED"
        lost_set = client.rows(SETS)[-1][0]
        parted = moment(server, client)
        insert(server, "lost again")
        lost = moment(server, client)
    assert server.stop() == 0

    shutil.rmtree(server.base)
    saved.rename(server.base)
    before = cluster.objects()
    server.start()
    with server.client() as client:
        stopped = wait_for(lambda: client.rows(ROUND), is_interrupted)[0][1]
        assert "it was copied, or put back" in stopped
        assert client.refused("ALTER SYSTEM BACKUP TENANT = t")[0] == 9040
        assert lost_set not in [row[0] for row in client.rows(SETS)]
        assert "lost" not in words(server)
        client.run("ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '1s' TENANT t")
        assert client.refused("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = t")[0] == 9081
        assert client.refused("ALTER SYSTEM DELETE BACKUPSET 1 TENANT = t")[0] == 9081
        assert cluster.objects() == before, "nothing was written or removed"

        begin_anew(client)
        wait_past(server, lost)
        assert taken(client) == "COMPLETED"
        ids = [row[0] for row in client.rows(SETS)]
        assert ids[-2:] == [lost_set, lost_set + 1]
        insert(server, "anew")
        kept = ["first", "original", "original again", "second"]
        assert restored(cluster, client, moment(server, client)) == ["anew", *kept]
        assert restored(cluster, client, lost) == [kept[0], "lost", "lost again", *kept[1:]]
        assert restored(cluster, client, client.one(ENDS.format(1))) == ["first"]
        standby_of_the_lost(cluster, client, parted, lost)
        client.run(f"ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{cluster.place}/parameters'")
    assert server.stop() == 0
    for folder in ("data", "archive", "parameters"):
        assert unowned(FileStore(str(cluster.place / folder))) == []
