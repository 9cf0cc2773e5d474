"""Increments through SQL: their base, what they read, and that every set of a chain restores to what the source was."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_rig import Client, Server, archive, restore, running_server, wait_for, wait_restored

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

INCREMENTS = 2
_SETS = (
    "select BACKUP_SET_ID, BACKUP_TYPE, STATUS, PREV_FULL_BACKUP_SET_ID, PREV_INC_BACKUP_SET_ID, MIN_RESTORE_SCN, INPUT_BYTES "
    "from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Client, Path]]:
    home = tmp_path_factory.mktemp("chain")
    with running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT chain")
        yield server, client, home / "backup"
    shutil.rmtree(home, ignore_errors=True)


def _run(client: Client, sql: str) -> str:
    client.run(sql)
    wait_for(lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows)
    return str(
        client.one(
            "select STATUS from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID <> 1 order by JOB_ID desc limit 1"
        )
    )


def _facts(client: Client, where: str = "") -> list[tuple[object, ...]]:
    return client.rows(f"select count(*), sum(crc32(concat_ws('/', id, v, pad))) from test.t {where}")


def test_each_set_of_a_chain_restores_to_its_own_moment(cluster: tuple[Server, Client, Path]) -> None:
    server, client, place = cluster
    chance = random.Random(3)
    archive(client, "chain", place)
    truths: list[tuple[int, list[tuple[object, ...]]]] = []
    with server.client("root@chain") as user:
        user.run("create table test.t(id int primary key, v int, pad varchar(2000))")
        for number in range(INCREMENTS + 1):
            for start in range(0, 2000, 200):
                rows = ",".join(
                    f"({number * 2000 + start + i}, {chance.randint(0, 9)}, repeat('{chance.choice('abcdef')}', {chance.randint(1, 1500)}))"
                    for i in range(200)
                )
                user.run(f"insert into test.t values {rows}")
            user.run(f"delete from test.t where id % 7 = {number}")
            user.run(f"update test.t set v = v + 1 where id % 5 = {number}")
            if number % 2:
                user.run("alter system minor freeze")
            # The first asks for an increment too, with nothing to rest on: it becomes full and says so.
            assert _run(client, "ALTER SYSTEM BACKUP INCREMENTAL TENANT = chain") == "COMPLETED"
            scn = client.one("select max(MIN_RESTORE_SCN) from oceanbase.CDB_OB_BACKUP_SET_FILES")
            truths.append((scn, _facts(user)))
    sets = client.rows(_SETS)
    assert [row[1] for row in sets] == ["FULL", *["INC"] * INCREMENTS]
    assert [(row[3], row[4]) for row in sets] == [(0, 0), *((1, number) for number in range(1, INCREMENTS + 1))]
    for number, (scn, truth) in enumerate(truths):
        assert restore(client, f"set{number}", place, f"UNTIL SCN = {scn}")[0] == "SUCCESS"
        chosen = client.one(
            f"select BACKUP_SET_LIST from oceanbase.CDB_OB_RESTORE_HISTORY where TENANT_ID = 1 and RESTORE_TENANT_NAME = 'set{number}'"
        )
        assert f"backup_set_{number + 1}_" in chosen
        with server.client(f"root@set{number}") as user:
            assert _facts(user) == truth
        client.run(f"DROP TENANT set{number}")


def test_a_cancelled_backup_ends_at_once_and_is_no_base(cluster: tuple[Server, Client, Path]) -> None:
    _, client, place = cluster
    client.run("ALTER SYSTEM CANCEL BACKUP")  # nothing runs: success, no effect
    client.run("ALTER SYSTEM BACKUP TENANT = chain")
    client.run("ALTER SYSTEM CANCEL BACKUP TENANT = chain")
    wait_for(lambda: client.rows("select 1 from oceanbase.CDB_OB_BACKUP_JOBS"), lambda rows: not rows, seconds=5)
    status, result = client.rows(
        "select STATUS, RESULT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID <> 1 order by JOB_ID desc limit 1"
    )[0]
    assert (status, result) in {("CANCELED", -4072), ("COMPLETED", 0)}
    if status == "CANCELED":
        last = client.rows(
            "select BACKUP_SET_ID, STATUS, FILE_STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES order by 1"
        )[-1]
        assert last[1:] in {("FAILED", "INCOMPLETE"), ("SUCCESS", "AVAILABLE")}
        assert not (place / "data" / f"backup_set_{last[0]}_full" / "manifest.json").exists() or last[1] == "SUCCESS"
    assert _run(client, "ALTER SYSTEM BACKUP INCREMENTAL TENANT = chain") == "COMPLETED"
    newest = client.rows(_SETS)[-1]
    base = newest[4] or newest[0]
    assert client.rows(f"select STATUS from oceanbase.CDB_OB_BACKUP_SET_FILES where BACKUP_SET_ID = {base}") == [
        ("SUCCESS",)
    ]


def test_a_set_plus_archivelog_restores_alone(cluster: tuple[Server, Client, Path], tmp_path: Path) -> None:
    """Full and increment, both word orders; then nothing but the data path is left."""
    server, client, place = cluster
    truths = []
    for sql in (
        "ALTER SYSTEM BACKUP TENANT = chain PLUS ARCHIVELOG",
        "ALTER SYSTEM BACKUP INCREMENTAL PLUS ARCHIVELOG TENANT = chain",
    ):
        with server.client("root@chain") as user:
            user.run(f"insert into test.t values ({10**6 + len(truths)}, 1, 'x')")
            truths.append(_facts(user))
        assert _run(client, sql) == "COMPLETED"
    rows = client.rows(
        "select PLUS_ARCHIVELOG, MIN_RESTORE_SCN from oceanbase.CDB_OB_BACKUP_SET_FILES order by BACKUP_SET_ID"
    )[-2:]
    assert [row[0] for row in rows] == ["ON", "ON"]
    alone = tmp_path / "alone"
    shutil.copytree(place / "data", alone)
    for number, (scn, truth) in enumerate(zip((row[1] for row in rows), truths, strict=True)):
        client.run(f"ALTER SYSTEM RESTORE alone{number} FROM 'file://{alone}' UNTIL SCN = {scn}")
        assert wait_restored(client, f"alone{number}")[0] == "SUCCESS"
        with server.client(f"root@alone{number}") as user:
            assert _facts(user) == truth
        client.run(f"DROP TENANT alone{number}")
