"""A restored tenant that is backed up before it is activated, and what its backups are worth afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymysql import MySQLError

from holdfast.backup_format.chunk import ChunkOpener, open_file
from holdfast.backup_format.manifest import decode_manifest
from holdfast.engine.account import (
    ACCOUNT_USER,
    SET_USER,
    Account,
    client_file,
    decode_account,
    is_of_set,
    is_separate,
    load_account,
    open_session,
    set_account,
    store_account,
)
from holdfast.engine.control import activate_standby
from holdfast.engine.process import EngineProcess
from holdfast.engine.session import SqlError, connect
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
        client.run("DROP TENANT late FORCE")


def test_a_tenant_of_an_older_server_gets_a_login_that_no_set_holds(server: Server, tmp_path: Path) -> None:
    """Its sets go on opening each moment: before there was a second account, and after the first one's secret was changed."""
    with server.client() as client:
        client.run("CREATE TENANT older")
        archive(client, "older", tmp_path)
        with server.client("root@older") as older:
            older.run("create table test.t (i int primary key)")
            older.run("insert into test.t values (1)")
        assert backup(client, "older")[0] == "COMPLETED"
    tenant_id = server.tenant_ids()[-1]
    socket, path = server.directory(tenant_id).socket, _account_file(server, tenant_id)
    held = _account_of_set(tmp_path / "data" / "backup_set_1_full")
    assert held == set_account(path)
    assert load_account(path).user == ACCOUNT_USER
    _is_nobody(socket, held.password)
    server.kill()
    with open_session(socket, path) as engine:
        engine.execute(f"drop user {SET_USER}")
        engine.execute(f"alter user {ACCOUNT_USER} identified by %s", (held.password,))
        engine.execute("insert into test.t values (2)")
        ((scn,),) = engine.query("select max(ora_rowscn) from test.t")
    store_account(path, Account(user=ACCOUNT_USER, password=held.password))
    path.with_name(path.name + ".set").unlink()
    server.start()
    assert is_separate(path)
    assert set_account(path) == held
    _is_nobody(socket, held.password)
    with server.client() as client:
        with server.client("root@older") as older:
            older.run("insert into test.t values (3)")
            newest = int(older.one("select max(ora_rowscn) from test.t"))
        wait_archived(client, newest)
        for name, until, rows in (("then", scn, [(1,), (2,)]), ("newest", newest, [(1,), (2,), (3,)])):
            assert restore(client, name, tmp_path, f"UNTIL SCN = {until}")[0] == "SUCCESS"
            with server.client(f"root@{name}") as restored:
                assert restored.rows("select i from test.t order by i") == rows
            restored_id = server.tenant_ids()[-1]
            restored_path = _account_file(server, restored_id)
            assert is_of_set(restored_path)
            client.run(f"ALTER SYSTEM ACTIVATE STANDBY TENANT = {name}")
            assert is_separate(restored_path)
            assert set_account(restored_path) == held
            with server.client(f"root@{name}") as restored:
                restored.run("insert into test.t values (4)")
            _is_nobody(server.directory(restored_id).socket, held.password)
            client.run(f"DROP TENANT {name} FORCE")
        client.run("DROP TENANT older FORCE")


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
    # Its certificates go with the engine that was its set's.
    engine = EngineProcess.adopt(server.directory(tenant_id))
    assert engine is not None
    assert client_file(_account_file(server, tenant_id)).exists()
    engine.stop()
    with server.client() as client:
        wait_for(lambda: _can_log_in(server, "root@after"), bool)
    assert not client_file(_account_file(server, tenant_id)).exists()
    # It speaks TLS all the same; nobody has a certificate of this start.
    assert (server.directory(tenant_id).root / "wallet").exists()


def _account_of_set(root: Path) -> Account:
    """Return what lies in a set that is not sealed."""
    manifest = decode_manifest((root / "manifest.json").read_bytes())
    assert manifest.needs_certificate
    (record,) = (item for item in manifest.objects if item.name == "meta/account")
    stored = (root / record.name).read_bytes()
    number, set_id = record.number, manifest.backup_set_id
    return decode_account(open_file(stored, set_id=set_id, file_number=number, opener=ChunkOpener(), name="account"))


def _is_nobody(socket: Path, password: str) -> None:
    """Assert that a set's password opens a living engine for neither account."""
    for user in (ACCOUNT_USER, SET_USER):
        with pytest.raises(SqlError) as refused:
            connect(socket, user, password).close()
        assert refused.value.errno == 1045


def _can_log_in(server: Server, user: str) -> bool:
    try:
        server.client(user).close()
    except MySQLError:
        return False
    return True


def _account_file(server: Server, tenant_id: int) -> Path:
    place = "sys" if tenant_id == 1 else f"tenants/{tenant_id}"
    return server.base / place / "account.json"
