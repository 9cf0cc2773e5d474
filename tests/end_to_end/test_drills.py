"""Restore drills: a backup is restored to a random moment in a scratch tenant, looked at, and the evidence kept."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from holdfast.engine.account import load_account
from holdfast.engine.process import EngineProcess
from server_rig import Server, archive, backup, running_server, wait_archived, wait_doing, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

JOBS = "select STATUS, RESULT, COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_JOB_HISTORY where TENANT_ID > 1 order by JOB_ID desc"
ACTIVE = "select STATUS from oceanbase.CDB_OB_BACKUP_VALIDATE_JOBS"
DRILLS = (
    "select BACKUP_SET_ID, RESTORE_SCN, RESULT, TABLE_COUNT, INDEX_COUNT, ASSERTION_COUNT, FAILED_COUNT, UNCHECKED_COUNT,"
    " RESULT_DIGEST, COMMENT, FIRST_SCN, LAST_SCN, STATUS, AUX_TENANT_NAME from oceanbase.CDB_OB_RESTORE_DRILLS order by DRILL_ID desc"
)
TENANTS = "select TENANT_NAME from oceanbase.DBA_OB_TENANTS where TENANT_NAME like 'AUX%'"
CHECKS = (
    "select CHECK_TYPE, TABLE_NAME, CHECK_NAME, RESULT, ROW_COUNT, COMMENT from oceanbase.CDB_OB_RESTORE_DRILL_CHECKS"
    " where DRILL_ID = (select max(DRILL_ID) from oceanbase.CDB_OB_RESTORE_DRILLS) order by CHECK_ID"
)
DRILL = "ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = shop"


class Shop:
    """A tenant whose every transfer is of its own: `ledger` has one row more at each commit, `account` the same sum always."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server, self.place = server, place
        self.sys = server.client()
        self.sys.run("CREATE TENANT shop")
        archive(self.sys, "shop", place)
        self.client = server.client("root@shop")
        run = self.client.run
        run(
            "create table test.account (id int primary key, balance int, name varchar(20), key by_balance (balance), unique key (name))"
        )
        run("insert into test.account values (1, 500, 'a'), (2, 500, 'b')")
        run(
            "create table test.ledger (id int primary key, moved int, note text, key prefixed (note(3)), fulltext index words (note))"
        )
        run(
            "create table test.vec (id int primary key, e vector(3), vector index near (e) with (distance=l2, type=hnsw))"
        )
        run("insert into test.vec values (1, '[1,2,3]'), (2, '[0,0,1]')")
        run("create table test.parts (a int, b int, key ka (a)) partition by hash (a) partitions 3")
        run("insert into test.parts values (1, 1), (2, 2), (2, 2), (null, 3)")
        self.count = 0
        self.move(5)
        assert backup(self.sys, "shop")[0] == "COMPLETED"
        self.move(20)
        last = self.commits()[-1]
        wait_archived(self.sys, last + 1)

    def move(self, times: int) -> None:
        for _ in range(times):
            self.count += 1
            self.client.run("begin")
            self.client.run("update test.account set balance = balance - 1 where id = 1")
            self.client.run("update test.account set balance = balance + 1 where id = 2")
            self.client.run(f"insert into test.ledger values ({self.count}, 1, 'word number {self.count}')")
            self.client.run("commit")

    def commits(self) -> list[int]:
        return sorted(int(scn) for (scn,) in self.client.rows("select ora_rowscn from test.ledger"))

    def outcome(self) -> tuple[Any, ...]:
        wait_for(lambda: self.sys.rows(ACTIVE), lambda rows: not rows, seconds=120)
        assert self.sys.rows(TENANTS) == []
        return self.sys.rows(JOBS)[0]

    def drill(self, sql: str = DRILL) -> tuple[Any, ...]:
        self.sys.run(sql)
        return self.outcome()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("drills")
    with running_server(root / "base") as server:
        found = Shop(server, root / "place")
        yield found
        found.sys.close()
        found.client.close()


def test_a_drill_proves_a_random_moment(shop: Shop) -> None:
    query = "select sum(balance) = 1000 from test.account; select count(*) = max(id), min(moved) from test.ledger"
    shop.client.run(f"ALTER SYSTEM SET backup_drill_assertions = '{query}'")
    found = shop.drill()
    assert found == ("COMPLETED", 0, ""), found
    drill = shop.sys.rows(DRILLS)[0]
    set_id, scn, result, tables, indexes, assertions, failed, unchecked, digest, comment, first, last, status, _ = drill
    assert (set_id, result, tables, indexes, assertions, failed, unchecked, comment) == (1, "PASSED", 4, 6, 2, 0, 0, "")
    assert status == "FINISHED"
    assert first <= scn <= last
    assert len(digest) == 64
    rows = shop.sys.rows(CHECKS)
    assert {row[3] for row in rows} == {"PASSED"}
    wanted = sum(commit <= scn for commit in shop.commits())
    sums = "select DATABASE_NAME, TABLE_NAME, ROW_COUNT, CHECKSUM from oceanbase.CDB_OB_RESTORE_DRILL_CHECKS where CHECK_TYPE = 'TABLE'"
    lines = sorted(
        f"{database}.{table} {count} {checksum}\n" for database, table, count, checksum in shop.sys.rows(sums)
    )
    assert digest == hashlib.sha256("".join(lines).encode()).hexdigest()
    counts = {(kind, table, name): count for kind, table, name, _, count, _ in rows}
    assert counts["TABLE", "ledger", ""] == counts["INDEX", "ledger", "prefixed"] == wanted
    assert counts["INDEX", "parts", "ka"] == 4
    task = shop.sys.rows("select VALIDATE_LEVEL, STATUS, COMMENT from oceanbase.CDB_OB_BACKUP_VALIDATE_TASK_HISTORY")[
        -1
    ]
    assert task == ("restore", "COMPLETED", f"restored to SCN {scn}: 4 tables, 6 indexes, 2 assertions hold")


def test_the_age_of_the_proof_stands_beside_the_set(shop: Shop) -> None:
    sql = "select LAST_RESTORE_TIMESTAMP is not null, LAST_PHYSICAL_TIMESTAMP, PROOF_AGE_SECONDS from oceanbase.DBA_OB_BACKUP_SET_PROOFS"
    ((is_there, physical, age),) = shop.client.rows(sql)
    assert (is_there, physical) == (1, None)
    assert 0 <= age < 120


def test_an_assertion_that_does_not_hold_fails_the_drill_and_is_named(shop: Shop) -> None:
    shop.client.run(
        "ALTER SYSTEM SET backup_drill_assertions = 'select sum(balance) = 7 from test.account; select nonsense'"
    )
    status, result, comment = shop.drill()
    assert (status, result) == ("FAILED", -4103)
    assert "assertion select sum(balance) = 7 from test.account: row 1, column 1: 0" in comment
    assert "assertion select nonsense: engine error 1054" in comment
    assert shop.sys.rows(DRILLS)[0][2] == "FAILED"
    shop.client.run("ALTER SYSTEM SET backup_drill_assertions = ''")


def test_what_is_no_query_is_refused_as_an_assertion(shop: Shop) -> None:
    number, text = shop.client.refused("ALTER SYSTEM SET backup_drill_assertions = 'select 1; drop table test.account'")
    assert number == 4147
    assert "backup_drill_assertions" in text


def test_log_alone_can_not_be_drilled(shop: Shop) -> None:
    assert shop.sys.refused("ALTER SYSTEM VALIDATE ARCHIVELOG_PIECE LEVEL = 'restore' TENANT = shop")[0] == 1210


def test_an_older_set_is_drilled_although_a_newer_one_is_there(shop: Shop) -> None:
    assert backup(shop.sys, "shop")[0] == "COMPLETED"
    assert shop.drill("ALTER SYSTEM VALIDATE BACKUPSET = '1' LEVEL = 'restore' TENANT = shop") == ("COMPLETED", 0, "")
    assert shop.sys.rows(DRILLS)[0][0] == 1
    assert shop.drill() == ("COMPLETED", 0, "")
    assert shop.sys.rows(DRILLS)[0][0] == 2


def test_a_set_that_a_path_names_is_drilled(shop: Shop) -> None:
    path = f"DATA_BACKUP_DEST = 'file://{shop.place}/data/backup_set_1_full'"
    assert shop.drill(f"ALTER SYSTEM VALIDATE BACKUPSET {path} LEVEL = 'restore' TENANT = shop") == ("COMPLETED", 0, "")
    assert shop.sys.rows(DRILLS)[0][0] == 1


def test_a_set_that_is_not_there_fails_the_job_alone(shop: Shop) -> None:
    status, _, comment = shop.drill("ALTER SYSTEM VALIDATE BACKUPSET = '77' LEVEL = 'restore' TENANT = shop")
    assert (status, "some specified backup set not found" in comment) == ("FAILED", True)


def test_a_cancelled_drill_leaves_no_tenant(shop: Shop) -> None:
    shop.sys.run(DRILL)
    wait_for(lambda: shop.sys.rows(TENANTS), bool)
    shop.sys.run("ALTER SYSTEM CANCEL VALIDATE BACKUP TENANT = shop")
    assert shop.sys.rows(TENANTS) == []
    assert shop.sys.rows(JOBS)[0][:2] == ("CANCELED", -4072)
    assert shop.sys.rows(DRILLS)[0][2] == "CANCELED"


@pytest.mark.parametrize("pause", [0.3, 1.5, 3.0])
def test_a_killed_server_goes_on_with_its_drill(shop: Shop, pause: float) -> None:
    shop.sys.run(DRILL)
    time.sleep(pause)
    shop.server.kill()
    shop.server.start()
    shop.sys, shop.client = shop.server.client(), shop.server.client("root@shop")
    assert shop.outcome() == ("COMPLETED", 0, "")
    assert shop.sys.rows(DRILLS)[0][2] == "PASSED"


def test_a_drill_that_was_cancelled_when_its_server_died_leaves_no_tenant(shop: Shop) -> None:
    shop.sys.run(DRILL)
    wait_for(lambda: shop.sys.rows(TENANTS), bool)
    shop.server.kill()
    account = load_account(shop.server.base / "sys" / "account.json")
    socket = str(shop.server.directory(1).socket)
    with pymysql.connect(unix_socket=socket, user=account.user, password=account.password, autocommit=True) as sys:
        sys.cursor().execute(
            "update __holdfast.validate_job set cancel_requested = 'ON', status = 'CANCELING' where end_timestamp is null"
        )
    shop.server.start()
    shop.sys, shop.client = shop.server.client(), shop.server.client("root@shop")
    assert shop.outcome()[0] == "CANCELED"  # it asserts that no scratch tenant is there
    assert shop.sys.rows(DRILLS)[0][2] == "CANCELED"
    assert {row[12] for row in shop.sys.rows(DRILLS)} == {"FINISHED"}


def test_a_killed_scratch_engine_ends_no_drill(shop: Shop) -> None:
    shop.client.run("ALTER SYSTEM SET backup_drill_assertions = 'select sleep(4) = 0'")
    shop.sys.run(DRILL)
    name = "select AUX_TENANT_NAME from oceanbase.CDB_OB_RESTORE_DRILLS where STATUS = 'CHECKING'"
    ((aux,),) = wait_for(lambda: shop.sys.rows(name), bool)
    tenant_id = int(shop.sys.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = %s", (aux,)))
    engine = EngineProcess.adopt(shop.server.directory(tenant_id))
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    assert shop.outcome() == ("COMPLETED", 0, "")
    shop.client.run("ALTER SYSTEM SET backup_drill_assertions = ''")


def test_a_flipped_byte_in_the_set_fails_the_drill_and_is_named(shop: Shop) -> None:
    folder = shop.place / "data" / "backup_set_2_full"
    data = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    with data.open("r+b") as file:
        file.seek(data.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    status, result, comment = shop.drill()
    assert (status, result) == ("FAILED", -4103)
    assert " restore failed, " in comment  # the text of -9099
    assert data.name in comment


def test_an_archive_of_before_that_can_not_be_read_is_in_nobodys_way(shop: Shop) -> None:
    shop.sys.run("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    running = "select STATUS from oceanbase.CDB_OB_ARCHIVELOG where STATUS <> 'STOP'"
    wait_for(lambda: shop.sys.rows(running), lambda rows: not rows)
    shop.sys.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{shop.place}/second' TENANT = shop")
    shop.sys.run("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    wait_doing(shop.sys, "shop")
    assert backup(shop.sys, "shop")[0] == "COMPLETED"
    owner = shop.place / "archive" / "format.obbak"
    owner.write_bytes(owner.read_bytes()[:-1])
    shop.sys.run("ALTER SYSTEM SET backup_drill_schedule = '0 4 1 1 *' TENANT = shop")
    query = "select sum(balance) = 1000 from test.account"
    shop.sys.run(f"ALTER SYSTEM SET backup_drill_assertions = '{query}' TENANT = shop")
    assert shop.drill() == ("COMPLETED", 0, "")
    row = shop.sys.rows(DRILLS)[0]
    assert (row[0], row[2], row[5]) == (3, "PASSED", 1)
    schedules = "select SCHEDULE_TYPE from oceanbase.CDB_OB_BACKUP_SCHEDULES"
    assert wait_for(lambda: shop.sys.rows(schedules), bool) == [("DRILL",)]
