"""Restores that wait for their turn: at most two run at once."""

from pathlib import Path

import pytest

from server_rig import archive, backup, running_server, wait_restored

pytestmark = pytest.mark.live


def test_a_restore_that_waits_for_its_turn_is_dropped_without_waiting_for_the_others(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with running_server(tmp_path / "base") as server, server.client() as client:
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
