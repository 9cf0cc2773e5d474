"""Restores of every day in one server: what a newcomer does first, whose turn it is, and sets that need no archive.

Each test makes tenants of its own; they are dropped behind it, so that few engines run.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_rig import Client, Server, archive, backup, wait_asked_again, wait_doing, wait_for, wait_restored

pytestmark = pytest.mark.live

_OF_TENANT = "TENANT_ID = (select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = '{name}')"
_JOBS = (
    "select STATUS, PLUS_ARCHIVELOG, COMMENT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where "
    f"{_OF_TENANT.format(name='alone')} order by JOB_ID"
)


@pytest.fixture
def client(sys_client: Client) -> Iterator[Client]:
    """A login in sys; the test's tenants are gone afterwards."""
    yield sys_client
    for (name,) in sys_client.rows("select TENANT_NAME from oceanbase.DBA_OB_TENANTS where TENANT_ID <> 1"):
        sys_client.run(f"DROP TENANT {name} FORCE")


def backed_up(client: Client, statement: str) -> tuple[str, str, str]:
    before = len(client.rows(_JOBS))
    client.run(statement)
    rows = wait_for(lambda: client.rows(_JOBS), lambda found: len(found) > before)
    wait_asked_again(client)
    return str(rows[-1][0]), str(rows[-1][1]), str(rows[-1][2] or "")


def test_a_moment_ago_is_restorable_at_once_and_a_removed_log_object_is_told(
    server: Server, client: Client, place: Path
) -> None:
    """An accident a moment ago in a quiet tenant, with every parameter at its default."""
    client.run("CREATE TENANT quiet")
    client.run(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file://{place}/archive' TENANT = quiet")
    client.run(f"ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/data' TENANT = quiet")
    client.run("ALTER SYSTEM ARCHIVELOG TENANT = quiet")
    wait_doing(client, "quiet")
    assert backup(client, "quiet")[0] == "COMPLETED"
    sources = f"FROM 'file://{place}/data,file://{place}/archive'"
    with server.client("root@quiet") as quiet:
        quiet.run("create table test.t(i int primary key)")
        quiet.run("insert into test.t values (1)")
        quiet.run("create user bound@'10.1.2.3' identified by 'secret'")
        scn = quiet.one("select current_scn()")
        quiet.run("delete from test.t")
    client.run(f"ALTER SYSTEM RESTORE before {sources} UNTIL SCN = {scn}")
    client.run(f"ALTER SYSTEM RESTORE given_up {sources}")
    client.run("ALTER SYSTEM CANCEL RESTORE given_up")
    assert wait_restored(client, "given_up")[0] == "FAILED"
    assert client.rows("select 1 from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'given_up'") == []
    assert wait_restored(client, "before")[0] == "SUCCESS"
    with server.client("root@before") as before:
        assert before.rows("select i from test.t") == [(1,)]
    assert client.refused("ALTER SYSTEM CANCEL RESTORE before")[0] == 4179
    assert client.refused("ALTER SYSTEM CANCEL RESTORE nobody")[0] == 5157
    # Somebody tidies up in the archive: the round says so, and what follows is not called archived.
    client.run("ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = quiet")
    time.sleep(3)  # an object is open now, as in every archive that lives
    for folder in (place / "archive").glob("piece_*/logstream_1/log"):
        shutil.rmtree(folder)
    round_of = f"select STATUS, COMMENT from oceanbase.CDB_OB_ARCHIVELOG where {_OF_TENANT.format(name='quiet')}"
    status, comment = wait_for(lambda: client.rows(round_of), lambda rows: rows[0][0] == "INTERRUPTED")[0]
    assert "durable bytes" in comment, (status, comment)
    # Whom the restored tenant shuts out is told, as of the tenant it came from.
    health = (
        "select ENGINE_COMMENT from oceanbase.CDB_OB_TENANT_HEALTH h join oceanbase.DBA_OB_TENANTS t"
        " on t.TENANT_ID = h.TENANT_ID where TENANT_NAME = 'before'"
    )
    told = wait_for(lambda: client.one(health), lambda words: words != "")
    assert told.startswith("1 account is bound to a host")


def test_a_restore_that_waits_for_its_turn_is_dropped_without_waiting_for_the_others(
    client: Client, place: Path
) -> None:
    """At most two run at once."""
    client.run("CREATE TENANT source")
    archive(client, "source", place)
    assert backup(client, "source")[0] == "COMPLETED"
    sources = f"FROM 'file://{place}/data,file://{place}/archive'"
    for name in ("first", "second", "third"):
        client.run(f"ALTER SYSTEM RESTORE {name} {sources}")
    client.run("DROP TENANT third FORCE")
    under_way = client.rows(
        "select RESTORE_TENANT_NAME from oceanbase.CDB_OB_RESTORE_PROGRESS where TENANT_ID = 1 order by JOB_ID"
    )
    assert under_way == [("first",), ("second",)]
    assert wait_restored(client, "third")[0] == "FAILED"
    assert client.rows("select 1 from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'third'") == []
    assert [wait_restored(client, name)[0] for name in ("first", "second")] == ["SUCCESS", "SUCCESS"]


def test_a_full_set_and_its_increment_restore_alone_when_the_archive_is_lost(
    server: Server, client: Client, place: Path
) -> None:
    """Both were taken PLUS ARCHIVELOG."""
    client.run("CREATE TENANT alone")
    archive(client, "alone", place)
    with server.client("root@alone") as source:
        source.run("create table test.t(i int primary key)")
        source.run("insert into test.t values (1), (2)")
        full = backed_up(client, "ALTER SYSTEM BACKUP TENANT = alone PLUS ARCHIVELOG")
        assert full == ("COMPLETED", "ON", "")
        source.run("insert into test.t values (3)")
        inc = backed_up(client, "ALTER SYSTEM BACKUP INCREMENTAL TENANT = alone PLUS ARCHIVELOG")
        assert inc == ("COMPLETED", "ON", "")
        source.run("insert into test.t values (4)")
    sets = client.rows(
        "select BACKUP_TYPE, PLUS_ARCHIVELOG, MIN_RESTORE_SCN from oceanbase.CDB_OB_BACKUP_SET_FILES"
        f" where {_OF_TENANT.format(name='alone')} order by BACKUP_SET_ID"
    )
    assert [row[:2] for row in sets] == [("FULL", "ON"), ("INC", "ON")]
    client.run("ALTER SYSTEM NOARCHIVELOG TENANT = alone")
    shutil.rmtree(place / "archive")
    for name, until, wanted in (
        ("at_full", f"UNTIL SCN = {sets[0][2]}", [(1,), (2,)]),
        ("at_inc", f"UNTIL SCN = {sets[1][2]}", [(1,), (2,), (3,)]),
    ):
        client.run(f"ALTER SYSTEM RESTORE {name} FROM 'file://{place}/data' {until}")
        assert wait_restored(client, name)[0] == "SUCCESS"
        with server.client(f"root@{name}") as restored:
            assert restored.rows("select i from test.t order by i") == wanted
