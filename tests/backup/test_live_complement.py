"""PLUS ARCHIVELOG through the whole server: a set that restores when its archive is gone."""

import shutil
from pathlib import Path

import pytest

from server_rig import Client, archive, running_server, wait_for, wait_restored

pytestmark = pytest.mark.live

_JOBS = "select STATUS, PLUS_ARCHIVELOG, COMMENT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY where TENANT_ID <> 1 order by JOB_ID"


def backed_up(client: Client, statement: str) -> tuple[str, str, str]:
    before = len(client.rows(_JOBS))
    client.run(statement)
    rows = wait_for(lambda: client.rows(_JOBS), lambda found: len(found) > before)
    return str(rows[-1][0]), str(rows[-1][1]), str(rows[-1][2] or "")


def test_a_full_set_and_its_increment_restore_alone_when_the_archive_is_lost(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with running_server(tmp_path / "base") as server, server.client() as client:
        client.run("CREATE TENANT source")
        archive(client, "source", place)
        with server.client("root@source") as source:
            source.run("create table test.t(i int primary key)")
            source.run("insert into test.t values (1), (2)")
            full = backed_up(client, "ALTER SYSTEM BACKUP TENANT = source PLUS ARCHIVELOG")
            assert full == ("COMPLETED", "ON", "")
            source.run("insert into test.t values (3)")
            inc = backed_up(client, "ALTER SYSTEM BACKUP INCREMENTAL TENANT = source PLUS ARCHIVELOG")
            assert inc == ("COMPLETED", "ON", "")
            source.run("insert into test.t values (4)")
        sets = client.rows(
            "select BACKUP_TYPE, PLUS_ARCHIVELOG, MIN_RESTORE_SCN from oceanbase.CDB_OB_BACKUP_SET_FILES"
            " order by BACKUP_SET_ID"
        )
        assert [row[:2] for row in sets] == [("FULL", "ON"), ("INC", "ON")]
        client.run("ALTER SYSTEM NOARCHIVELOG TENANT = source")
        shutil.rmtree(place / "archive")
        for name, until, wanted in (
            ("at_full", f"UNTIL SCN = {sets[0][2]}", [(1,), (2,)]),
            ("at_inc", f"UNTIL SCN = {sets[1][2]}", [(1,), (2,), (3,)]),
        ):
            client.run(f"ALTER SYSTEM RESTORE {name} FROM 'file://{place}/data' {until}")
            assert wait_restored(client, name)[0] == "SUCCESS"
            with server.client(f"root@{name}") as restored:
                assert restored.rows("select i from test.t order by i") == wanted
