"""Cleanup through the door, with sets a real engine made: what is gone is gone, what stays restores, whatever was killed."""

import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_rig import Client, Server, archive, restore, running_server, wait_for

pytestmark = [pytest.mark.live, pytest.mark.crash]

ROUNDS = 50 if os.environ.get("HOLDFAST_LONG") else 8
KILL_WITHIN_SECONDS = 0.35
"""A cleanup of two sets takes 0.1 to 0.3 s: kills before, in and behind it."""


class Story:
    """A cluster with two tenants and data in both."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server = server
        self.home = home
        self.random = random.Random(20261126)

    def place(self, tenant: str) -> Path:
        return self.home / tenant

    def back_up(self, client: Client, tenant: str, *, incremental: bool = False, plus: bool = False) -> int:
        """Take a backup, wait for its end and return the set's id."""
        kind = "INCREMENTAL " if incremental else ""
        client.run(f"ALTER SYSTEM BACKUP {kind}TENANT = {tenant}{' PLUS ARCHIVELOG' if plus else ''}")
        wait_for(lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows)
        rows = self.sets(client, tenant)
        assert rows[-1][1:] == ("SUCCESS", "AVAILABLE"), rows
        return int(rows[-1][0])

    def sets(self, client: Client, tenant: str) -> list[tuple[Any, ...]]:
        return client.rows(
            "select BACKUP_SET_ID, STATUS, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES"
            f" where TENANT_ID = {self.tenant_id(client, tenant)} order by BACKUP_SET_ID"
        )

    def tenant_id(self, client: Client, tenant: str) -> int:
        return int(client.one(f"select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = '{tenant}'"))

    def cleaned(self, client: Client) -> None:
        wait_for(lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_DELETE_JOBS"), lambda rows: not rows)

    def check_destination(self, client: Client, tenant: str) -> None:
        """Rows and files agree: AVAILABLE is whole, DELETED is gone."""
        data = self.place(tenant) / "data"
        marks = [path.name for path in (data / "backup_sets").iterdir()]
        for set_id, _, file_status in self.sets(client, tenant):
            (root,) = [*data.glob(f"backup_set_{set_id}_*")] or [None]
            if file_status == "DELETED":
                assert root is None, f"set {set_id} is DELETED and {root} is there"
                assert not [name for name in marks if name.startswith(f"backup_set_{set_id}_")]
                continue
            assert file_status == "AVAILABLE", (set_id, file_status)
            assert root is not None
            manifest = json.loads((root / "manifest.json").read_text())
            for item in manifest["objects"]:
                assert (root / item["name"]).stat().st_size == item["size_bytes"], (root, item)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("cleaned")
    with running_server(home / "base") as server:
        with server.client() as client:
            for tenant in ("mine", "yours"):
                client.run(f"CREATE TENANT {tenant}")
                archive(client, tenant, home / tenant)
        yield Story(server, home)
    shutil.rmtree(home, ignore_errors=True)


def test_a_tenant_cleans_up_for_itself_and_for_nobody_else(story: Story) -> None:
    with story.server.client() as sys_client, story.server.client("root@mine") as mine:
        mine.run("create database shop")
        mine.run("create table shop.bill (id int primary key, note varchar(20))")
        mine.run("insert into shop.bill values (1, 'old')")
        first = story.back_up(sys_client, "mine")
        second = story.back_up(sys_client, "mine", incremental=True)
        mine.run("insert into shop.bill values (2, 'new')")
        third = story.back_up(sys_client, "mine")
        fourth = story.back_up(sys_client, "mine", incremental=True)
        theirs = story.back_up(sys_client, "yours")

        assert mine.refused("ALTER SYSTEM DELETE OBSOLETE BACKUP")[0] == 4018
        assert sys_client.refused("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d'") == (
            1235,
            "Too little tenant names specified, only one tenant name can be specified not supported",
        )
        mine.run("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '1us'")
        assert mine.rows("select * from oceanbase.DBA_OB_BACKUP_DELETE_POLICY") == [("default", "1us")]
        assert mine.refused("ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d'")[0] == 4017
        mine.run(f"ALTER SYSTEM PIN BACKUPSET {second} NOTE = 'before the change'")
        assert mine.rows("select BACKUP_SET_ID, NOTE from oceanbase.DBA_OB_BACKUP_PINS") == [
            (second, "before the change")
        ]
        told = {
            row[2]: (row[4], row[5])
            for row in mine.rows("ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW")
            if row[1] == "BACKUP SET"
        }
        assert told[first] == ("KEEP", f"pinned set {second} rests on it")
        mine.run(f"ALTER SYSTEM UNPIN BACKUPSET {second}")
        told = {
            row[2]: row[4] for row in mine.rows("ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW") if row[1] == "BACKUP SET"
        }
        assert told == {first: "DELETE", second: "DELETE", third: "KEEP", fourth: "KEEP"}
        assert mine.refused("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = mine")[0] == 1235

        mine.run("ALTER SYSTEM DELETE OBSOLETE BACKUP DESCRIPTION = 'by hand'")
        story.cleaned(sys_client)
        assert mine.rows(
            "select TYPE, STATUS, RESULT, TASK_COUNT, SUCCESS_TASK_COUNT from oceanbase.DBA_OB_BACKUP_DELETE_JOB_HISTORY"
        ) == [("DELETE OBSOLETE BACKUP", "COMPLETED", 0, 2, 2)]
        assert [row[2] for row in story.sets(sys_client, "mine")] == ["DELETED", "DELETED", "AVAILABLE", "AVAILABLE"]
        assert story.sets(sys_client, "yours") == [(theirs, "SUCCESS", "AVAILABLE")]
        story.check_destination(sys_client, "mine")

        mine.run(f"ALTER SYSTEM DELETE BACKUPSET {fourth}")
        story.cleaned(sys_client)
        comment = sys_client.one(
            "select COMMENT from oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY order by START_TIMESTAMP desc limit 1"
        )
        assert comment == f"id={fourth}(cannot delete backup set in current path when delete policy is set)"

        sys_client.run("ALTER SYSTEM DELETE ARCHIVELOG_PIECE 1 TENANT = mine DESCRIPTION = 'too early'")
        story.cleaned(sys_client)
        ended = mine.rows(
            "select TYPE, PARAMETER, INITIATOR_TENANT_ID, STATUS, RESULT, COMMENT from oceanbase.DBA_OB_BACKUP_DELETE_JOB_HISTORY"
            " order by JOB_ID desc limit 1"
        )
        assert ended == [("DELETE ARCHIVELOG_PIECE", "1", 1, "FAILED", -9069, "id=1(is active piece)")]
        parent = (
            "select TYPE, STATUS, RESULT from oceanbase.DBA_OB_BACKUP_DELETE_JOB_HISTORY order by JOB_ID desc limit 1"
        )
        assert sys_client.rows(parent) == [("DELETE ARCHIVELOG_PIECE", "FAILED", -9069)]
        everything = "ALTER SYSTEM DELETE BACKUP ALL DATA_BACKUP_DEST = 'file://{}' TENANT = mine"
        assert sys_client.refused(everything.format(story.place("yours") / "data"))[0] == 4018
        assert sys_client.refused(everything.format(story.place("mine") / "archive"))[0] == 1210
        sys_client.run(everything.format(story.place("mine") / "data"))
        mine.run("ALTER SYSTEM CANCEL DELETE BACKUP")
        sys_client.run("ALTER SYSTEM CANCEL DELETE BACKUP DESCRIPTION = 'all of them'")
        story.cleaned(sys_client)
        story.check_destination(sys_client, "mine")


@pytest.mark.timeout(3600)
def test_killed_at_random_moments_of_a_cleanup_all_that_is_shown_is_true(story: Story) -> None:
    """A killed cleanup is taken up and completes; a set is whole or gone, and the last one restores."""
    with story.server.client() as client:
        client.run("DROP TENANT yours FORCE")  # one engine less to come back to
    for _ in range(ROUNDS):
        with story.server.client() as client:
            last = story.back_up(client, "mine", plus=True)
            client.run("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = mine")
        time.sleep(story.random.uniform(0, KILL_WITHIN_SECONDS))
        story.server.kill()
        story.server.start()
        with story.server.client() as client:
            story.cleaned(client)
            story.check_destination(client, "mine")
            assert [row[0] for row in story.sets(client, "mine") if row[2] == "AVAILABLE"] == [last]
    with story.server.client() as client:
        ended = client.rows(
            "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY where TYPE = 'DELETE OBSOLETE BACKUP'"
        )
        assert set(ended) == {("COMPLETED", 0, "")}
        tasks = client.rows(
            "select STATUS, TOTAL_FILES_COUNT = DELETE_FILES_COUNT from oceanbase.CDB_OB_BACKUP_DELETE_TASK_HISTORY"
        )
        assert set(tasks) == {("COMPLETED", 1)}
        with story.server.client("root@mine") as mine:
            mine.run("insert into shop.bill values (3, 'last')")
            scn = mine.one("select current_scn()")
        wait_for(lambda: client.one("select CHECKPOINT_SCN from oceanbase.CDB_OB_ARCHIVELOG"), lambda at: at >= scn)
        assert restore(client, "last", story.place("mine"), f"UNTIL SCN = {scn}")[0] == "SUCCESS"
        with story.server.client("root@last") as back:
            assert back.rows("select * from shop.bill order by id") == [
                (1, "old"),
                (2, "new"),
                (3, "last"),
            ]
