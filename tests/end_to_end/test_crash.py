"""kill -9 of the server at random moments: nothing is lost, nothing invented, nothing half-visible.

One cluster lives through all rounds. A bank writes to the tenant's engine directly, because the engine outlives the server; its
client-side log is what must be found again.
"""

import contextlib
import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from engine_rig import Bank
from holdfast.engine.account import load_account
from holdfast.engine.process import EngineProcess
from server_rig import Client, Server, archive, backup, restore, running_server, wait_doing, wait_for, wait_restored

pytestmark = [
    pytest.mark.live,
    pytest.mark.crash,
    pytest.mark.timeout(3600 if os.environ.get("HOLDFAST_LONG") else 900),
]

_IS_LONG = bool(os.environ.get("HOLDFAST_LONG"))
ARCHIVE_ROUNDS = 100 if _IS_LONG else 4
"""Kills of the server: 20 in every run, 350 behind HOLDFAST_LONG. Few with nothing but archiving: it goes on in all others too."""
BACKUP_ROUNDS = 100 if _IS_LONG else 6
INC_ROUNDS = 50 if _IS_LONG else 6
"""In increments and in backups PLUS ARCHIVELOG, in turns: each rests on what the one before left."""
RESTORE_ROUNDS = 100 if _IS_LONG else 4
ENGINE_ROUNDS = 50 if _IS_LONG else 4
_IN_TENANT = "TENANT_ID = (select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'bank')"


class Story:
    """A cluster with one busy tenant."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server = server
        self.place = place
        self.random = random.Random(20261123)

    @property
    def bank_engine(self) -> int:
        return min(tenant_id for tenant_id in self.server.tenant_ids() if tenant_id != 1)

    def bank(self, name: str) -> Bank:
        tenant_id = self.bank_engine
        account = load_account(self.server.base / "tenants" / str(tenant_id) / "account.json")
        return Bank(
            self.server.directory(tenant_id).socket, account, log_dir=self.place / name, writers=2, threads=True
        )

    def kill_somewhere(self, *, within_seconds: float) -> None:
        time.sleep(self.random.uniform(0, within_seconds))
        self.server.kill()

    def restart(self) -> None:
        self.server.start()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("crash")
    with running_server(home / "base") as server:
        with server.client() as client:
            client.run("CREATE TENANT bank")
            archive(client, "bank", home / "backup")
        story = Story(server, home / "backup")
        with server.client("root@bank") as client:
            client.run("create database if not exists test")
        story.bank("setup").setup()
        yield story
    shutil.rmtree(home, ignore_errors=True)


def test_killed_while_archiving_the_archive_stays_contiguous(story: Story) -> None:
    """After every kill the same round goes on; in the end it holds every acknowledged transaction."""
    for number in range(ARCHIVE_ROUNDS):
        bank = story.bank(f"archive{number}")
        bank.begin()
        story.kill_somewhere(within_seconds=0.6)
        story.restart()
        bank.end()
    with story.server.client() as client:
        wait_doing(client, "bank")
        rounds = client.rows(
            f"select ROUND_ID, STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG_SUMMARY where {_IN_TENANT}"
        )
        assert rounds == [(1, "DOING", "")]


def test_killed_during_backups_each_set_is_whole_or_not_there(story: Story) -> None:
    """A killed backup is resumed and completes, or has failed; a manifest exists exactly for the sets that say SUCCESS."""
    for number in range(BACKUP_ROUNDS):
        bank = story.bank(f"backup{number}")
        bank.begin()
        with story.server.client() as client:
            client.run("ALTER SYSTEM BACKUP TENANT = bank")
        story.kill_somewhere(within_seconds=0.8)
        story.restart()
        with story.server.client() as client:
            wait_for(lambda c=client: c.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows)
        bank.end()
    with story.server.client() as client:
        sets = client.rows(
            f"select BACKUP_SET_ID, STATUS, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES where {_IN_TENANT}"
        )
        tasks = client.rows("select 1 from oceanbase.CDB_OB_BACKUP_TASKS")
    assert len(sets) == BACKUP_ROUNDS
    assert tasks == []
    for set_id, status, file_status in sets:
        manifest = story.place / "data" / f"backup_set_{set_id}_full" / "manifest.json"
        assert (status, file_status) in {("SUCCESS", "AVAILABLE"), ("FAILED", "INCOMPLETE")}
        assert manifest.exists() == (status == "SUCCESS"), (set_id, status)
    assert sum(status == "SUCCESS" for _, status, _ in sets) >= BACKUP_ROUNDS - 1, sets


def test_killed_during_increments_and_plus_archivelog_each_set_is_whole_or_not_there(story: Story) -> None:
    """A killed increment keeps its base and is resumed, or has failed; the last set restores alone, with its own log."""
    client_sets = (
        "select BACKUP_SET_ID, BACKUP_TYPE, STATUS, FILE_STATUS, PREV_INC_BACKUP_SET_ID, PLUS_ARCHIVELOG, MIN_RESTORE_SCN "
        f"from oceanbase.CDB_OB_BACKUP_SET_FILES where {_IN_TENANT} order by BACKUP_SET_ID"
    )
    with story.server.client() as client:
        known = len(client.rows(client_sets))
    for number in range(INC_ROUNDS):
        words = ("INCREMENTAL", "INCREMENTAL PLUS ARCHIVELOG", "PLUS ARCHIVELOG")[number % 3]
        bank = story.bank(f"inc{number}")
        bank.begin()
        with story.server.client() as client:
            client.run(f"ALTER SYSTEM BACKUP {words} TENANT = bank")
        story.kill_somewhere(within_seconds=0.8)
        story.restart()
        with story.server.client() as client:
            wait_for(lambda c=client: c.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows)
        bank.end()
    with story.server.client() as client:
        sets = client.rows(client_sets)
        assert client.rows("select 1 from oceanbase.CDB_OB_BACKUP_TASKS") == []
    assert len(sets) == known + INC_ROUNDS
    usable = 0
    for set_id, type_, status, file_status, base, _, _ in sets:
        manifest = story.place / "data" / f"backup_set_{set_id}_{type_.lower()}" / "manifest.json"
        assert (status, file_status) in {("SUCCESS", "AVAILABLE"), ("FAILED", "INCOMPLETE")}
        assert manifest.exists() == (status == "SUCCESS"), (set_id, status)
        if type_ == "INC":
            assert base == usable, (set_id, base, usable)  # the newest usable set before it
        usable = set_id if status == "SUCCESS" else usable
    assert sum(row[2] == "SUCCESS" for row in sets[known:]) >= INC_ROUNDS - 1, sets
    scn = [row[6] for row in sets if row[2] == "SUCCESS" and row[5] == "ON"][-1]
    with story.server.client() as client:
        client.run(f"ALTER SYSTEM RESTORE alone FROM 'file://{story.place}/data' UNTIL SCN = {scn}")
        status, comment = wait_restored(client, "alone")
        assert status == "SUCCESS", comment
        assert _ledger(story.server, "alone")[0] == _ledger(story.server, "bank", f"where ora_rowscn <= {scn}")[0]
        client.run("DROP TENANT alone FORCE")


def test_killed_during_restores_a_tenant_is_whole_or_not_there(story: Story) -> None:
    """A killed restore begins again; what can be logged in to is complete, and a failed one leaves nothing."""
    with story.server.client() as client:
        scn = client.one(f"select CHECKPOINT_SCN from oceanbase.CDB_OB_ARCHIVELOG where {_IN_TENANT}")
    truth = _ledger(story.server, "bank", f"where ora_rowscn <= {scn}")
    for number in range(RESTORE_ROUNDS):
        name = f"back{number}"
        with story.server.client() as client:
            client.run(
                f"ALTER SYSTEM RESTORE {name} FROM 'file://{story.place}/data,file://{story.place}/archive' UNTIL SCN = {scn}"
            )
        story.kill_somewhere(within_seconds=4.0)
        story.restart()
        with story.server.client() as client:
            status, comment = wait_restored(client, name)
            assert status == "SUCCESS", comment
            assert _ledger(story.server, name) == truth
            client.run(f"DROP TENANT {name} FORCE")
            assert client.rows("select 1 from oceanbase.CDB_OB_RESTORE_PROGRESS") == []
        assert list((story.server.base / "restore").iterdir()) == []
        assert list((story.server.base / "trash").iterdir()) == []
    assert story.server.tenant_ids() == [1, story.bank_engine]


def test_an_engine_killed_under_load_comes_back_and_loses_nothing(story: Story) -> None:
    """The supervisor starts it again, the same round goes on, every acknowledged transaction is there."""
    acknowledged = 0
    for number in range(ENGINE_ROUNDS):
        bank = story.bank(f"engine{number}")
        bank.begin()
        time.sleep(story.random.uniform(0.2, 0.8))
        engine = EngineProcess.adopt(story.server.directory(story.bank_engine))
        assert engine is not None
        engine.stop(gently=False)
        acknowledged += len(bank.end())
        wait_for(lambda: _can_log_in(story.server, "bank"), bool)
    assert acknowledged
    with story.server.client() as client:
        rounds = client.rows(
            f"select ROUND_ID, STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG_SUMMARY where {_IN_TENANT}"
        )
        assert rounds == [(1, "DOING", "")]
        with story.server.client("root@bank") as user:
            user.run("insert into test.ledger(w, seq, part, a, b, amt, pad) values (99, 1, 0, 0, 0, 0, '')")
            scn = user.one("select max(ora_rowscn) from test.ledger where w = 99")
        wait_for(
            lambda: client.one(f"select CHECKPOINT_SCN from oceanbase.CDB_OB_ARCHIVELOG where {_IN_TENANT}"),
            lambda checkpoint: checkpoint >= scn,
        )
        assert restore(client, "after_kills", story.place, f"UNTIL SCN = {scn}")[0] == "SUCCESS"
        assert _ledger(story.server, "after_kills") == _ledger(story.server, "bank", f"where ora_rowscn <= {scn}")
        client.run("DROP TENANT after_kills FORCE")


def test_a_backup_after_all_that_is_sound(story: Story) -> None:
    with story.server.client() as client:
        assert backup(client, "bank")[0] == "COMPLETED"
        with story.server.client("root@bank") as user:
            scn = user.one("select current_scn()")
        wait_for(
            lambda: client.one(f"select CHECKPOINT_SCN from oceanbase.CDB_OB_ARCHIVELOG where {_IN_TENANT}"),
            lambda checkpoint: checkpoint >= scn,
        )
        assert restore(client, "sound", story.place, f"UNTIL SCN = {scn}")[0] == "SUCCESS"
        assert _ledger(story.server, "sound") == _ledger(story.server, "bank", f"where ora_rowscn <= {scn}")


def _ledger(server: Server, tenant: str, where: str = "") -> tuple[object, ...]:
    """Return what any two copies of the bank must agree on."""
    with server.client(f"root@{tenant}") as client:
        ledger = client.rows(
            f"select count(*), sum(crc32(concat_ws('/', w, seq, part, a, b, amt))) from test.ledger {where}"
        )
        total = client.rows("select count(*), sum(bal) from test.acct")
    return (*ledger, *total)


def _can_log_in(server: Server, tenant: str) -> bool:
    with contextlib.suppress(pymysql.MySQLError), server.client(f"root@{tenant}") as client:
        return bool(Client.one(client, "select 1"))
    return False
