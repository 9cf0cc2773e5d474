"""A restored tenant that is backed up before it is activated, and what its backups are worth afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.engine.account import load_account, open_session
from holdfast.engine.control import activate_standby
from holdfast.engine.session import connect
from holdfast.values.scn import SCN_MAX_VALUE
from server_rig import Server, archive, backup, restore, running_server, wait_archived, wait_for

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("promoted") / "base") as running:
        yield running


def test_moments_after_an_activation_restore_from_a_set_made_before_it(server: Server, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with server.client() as client:
        client.run("CREATE TENANT src")
        archive(client, "src", first)
        with server.client("root@src") as src:
            src.run("create table test.t (i int primary key)")
            src.run("insert into test.t values (1)")
        assert backup(client, "src")[0] == "COMPLETED"
        assert restore(client, "mid", first)[0] == "SUCCESS"
        archive(client, "mid", second)
        assert backup(client, "mid")[0] == "COMPLETED"
        role = "select TENANT_ROLE from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'mid'"
        client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = mid VERIFY")
        assert client.one(role) == "STANDBY"  # VERIFY only asks
        client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = mid")
        assert client.one(role) == "PRIMARY"
        with server.client("root@mid") as mid:
            mid.run("insert into test.t values (2)")
            scn = int(mid.one("select max(ora_rowscn) from test.t"))
        wait_archived(client, scn)
        assert restore(client, "late", second, f"UNTIL SCN = {scn}")[0] == "SUCCESS"
        with server.client("root@late") as late:
            assert late.rows("select i from test.t order by i") == [(1,), (2,)]


def test_a_tenant_whose_login_of_ours_was_changed_is_not_backed_up_in_vain(server: Server, tmp_path: Path) -> None:
    """Past the gateway, which refuses it: the backup fails by name, or has the login that is good again."""
    with server.client() as client:
        client.run("CREATE TENANT taken")
        archive(client, "taken", tmp_path)
        with connect(server.directory(server.tenant_ids()[-1]).socket, "root", "") as root:
            root.execute("alter user __holdfast identified by 'mine'")

        def tried() -> tuple[str, int, str]:
            with server.client("root@taken") as user:  # where no session of ours is in, a client's lets it in again
                user.run("do 1")
            ended = backup(client, "taken")
            assert ended[0] == "COMPLETED" or (ended[:2] == ("FAILED", -9040) and "Holdfast's own login" in ended[2]), (
                ended
            )
            return ended

        wait_for(tried, lambda ended: ended[0] == "COMPLETED")
        client.run("DROP TENANT taken FORCE")
        assert restore(client, "given_back", tmp_path)[0] == "SUCCESS"
        client.run("DROP TENANT given_back FORCE")


def test_a_promotion_that_a_kill_left_before_its_last_steps_is_finished_by_the_next_server(
    server: Server, tmp_path: Path
) -> None:
    """The engine takes writes, and our login still is the one that the set holds."""
    with server.client() as client:
        client.run("CREATE TENANT before")
        archive(client, "before", tmp_path)
        assert backup(client, "before")[0] == "COMPLETED"
        assert restore(client, "after", tmp_path)[0] == "SUCCESS"
    tenant_id = server.tenant_ids()[-1]
    of_the_set = load_account(_account_file(server, tenant_id)).password
    with open_session(server.directory(tenant_id).socket, _account_file(server, tenant_id)) as engine:
        activate_standby(engine)
    server.kill()
    with open_session(server.directory(1).socket, _account_file(server, 1)) as catalog:
        catalog.execute("update __holdfast.tenant set tenant_role = 'PRIMARY' where tenant_id = %s", (tenant_id,))
    server.start()
    assert load_account(_account_file(server, tenant_id)).password != of_the_set
    with server.client() as client:
        assert client.rows(
            "select TENANT_ROLE, RECOVERY_UNTIL_SCN from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'after'"
        ) == [("PRIMARY", SCN_MAX_VALUE)]
        with server.client("root@after") as after:
            after.run("create table test.t(i int)")
    server.kill()
    server.start()
    told = [line for line in server.log.read_text().splitlines() if "activation was interrupted" in line]
    assert len(told) == 1
    assert "tenant after: " in told[0]


def _account_file(server: Server, tenant_id: int) -> Path:
    place = "sys" if tenant_id == 1 else f"tenants/{tenant_id}"
    return server.base / place / "account.json"
