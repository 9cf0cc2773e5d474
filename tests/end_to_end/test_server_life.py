"""Start, stop, adopt, refuse: the contract of `holdfast serve`, and what a hostile tenant can not reach.

One server for most of it, which the tests kill, stop and start again.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest

from holdfast.engine.fence import landlock_abi
from holdfast.engine.process import EngineProcess
from holdfast.engine.session import connect
from server_rig import Client, Server, archive, running_server, wait_for

pytestmark = pytest.mark.live


def test_two_servers_never_share_a_base_directory(server: Server) -> None:
    second = _serve(server.base)
    assert second.returncode == 1
    assert "another holdfast serve" in second.stderr
    with server.client() as client:
        assert client.one("select 1") == 1


def test_after_kill_9_the_engines_live_on_and_are_adopted(server: Server, mine: Client) -> None:
    before = {tenant_id: _pid(server, tenant_id) for tenant_id in server.tenant_ids()}
    assert len(before) == 2
    server.kill()
    assert before == {tenant_id: _pid(server, tenant_id) for tenant_id in server.tenant_ids()}
    server.start()
    assert before == {tenant_id: _pid(server, tenant_id) for tenant_id in server.tenant_ids()}
    with server.client("root@mine") as user:
        assert user.one("select 1") == 1


def test_sigterm_stops_engines_and_exits_zero_and_a_new_server_finds_everything(server: Server, mine: Client) -> None:
    with server.client("root@mine") as user:
        user.run("create table test.t(i int primary key)")
        user.run("insert into test.t values (42)")
        user.run("alter user root identified by 'secret'")
    assert server.stop() == 0
    assert all(EngineProcess.adopt(server.directory(tenant_id)) is None for tenant_id in server.tenant_ids())
    server.start()
    with server.client("root@mine", "secret") as user:
        assert user.rows("select i from test.t") == [(42,)]
    with pytest.raises(Exception, match="1045"):
        server.client("root@mine", "wrong")


def test_listening_beyond_loopback_needs_a_root_password_or_an_explicit_word(tmp_path: Path) -> None:
    base = tmp_path / "base"
    refused = _serve(base, "--host", "0.0.0.0")
    try:
        assert refused.returncode == 1
        assert "root@sys has no password" in refused.stderr
        assert "--allow-open-root" in refused.stderr
        with running_server(base) as server:
            with server.client() as client:
                client.run("alter user root identified by 'secret'")
            assert server.stop() == 0
            # On the loopback device all the same: only the check is under test.
            server.options = ("--host", "::")
            server.start()
            assert server.stop() == 0
    finally:
        Server(base).end()


def test_wrong_cluster_name_wrong_usage_and_bad_login_are_told_apart(tmp_path: Path) -> None:
    with running_server(tmp_path / "base", "--cluster", "mine") as server:
        with server.client("root@sys#mine") as client:
            assert client.one("select 1") == 1
        with server.client("root") as client:
            assert client.rows("SHOW TENANTS")[0][1] == "sys"
        for user in ("root@sys#other", "root@nobody"):
            with pytest.raises(Exception, match=r"1045|4669|5160|5157"):
                server.client(user)
        assert server.stop() == 0
        other = _serve(server.base, "--cluster", "other")
        assert other.returncode == 1
        assert "holds cluster 'mine'" in other.stderr
    assert _serve(tmp_path / "x", "--tls-cert", __file__).returncode == 2


@pytest.mark.skipif(
    landlock_abi() < 1, reason="this kernel has no Landlock: tenants are not fenced, and the server says so"
)
def test_a_hostile_tenant_reaches_nothing_but_its_own_files(server: Server, tmp_path: Path) -> None:
    """Files outside, other tenants' directories and sockets, backups, spool, the catalog, the server's secrets."""
    with server.client() as client:
        client.run("CREATE TENANT victim")
        client.run("CREATE TENANT hostile")
        victim_id = client.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'victim'")
        archive(client, "victim", tmp_path / "backup")
        (tmp_path / "readable.txt").write_text("1\n")
        outside = tmp_path / "outside.txt"
        places = [
            outside,
            server.base / "planted",
            server.base / "tenants" / str(victim_id) / "engine" / "files" / "planted",
            server.base / "tenants" / str(victim_id) / "spool" / "planted",
            server.base / "sys" / "engine" / "files" / "planted",
            tmp_path / "backup" / "data" / "planted",
            tmp_path / "backup" / "archive" / "planted",
        ]
        with server.client("root@hostile", database="test") as user:
            user.run("create table t(s varchar(1000))")
            user.run("insert into t values ('x')")
            for place in places:
                for setting in ("", "set global secure_file_priv = '/'"):
                    if setting:
                        _try(user, setting)
                        _try(user, f'prepare s from "{setting}"')
                        _try(user, "execute s")
                    with server.client("root@hostile", database="test") as fresh:
                        _try(fresh, f"select s from t into outfile '{place}'")
                assert not place.exists(), place
            secrets = [
                tmp_path / "readable.txt",
                server.base / "tenants" / str(victim_id) / "account.json",
                server.base / "sys" / "account.json",
                server.base / "cluster.json",
                Path("/etc/passwd"),
            ]
            for secret in secrets:
                _try(user, f"load data infile '{secret}' into table t")
                _try(user, f"load data infile '{secret}' into table t fields terminated by '\\0'")
            assert user.rows("select count(*) from t") == [(1,)], user.rows("select s from t")
            # Its own folder is its own.
            _try(user, "set global secure_file_priv = './files'")
        with server.client("root@hostile", database="test") as user:
            for sql in (
                "select * from t1002.DBA_OB_BACKUP_JOBS",
                "select * from __holdfast.tenant",
                "select * from oceanbase.CDB_OB_BACKUP_SET_FILES",
                f"select * from oceanbase.DBA_OB_TENANTS union select * from t{victim_id}.DBA_OB_TENANTS",
            ):
                assert user.refused(sql)[0] in {1146, 1142, 1049, 1044}, sql
        with server.client("root@victim") as user:
            assert user.one("select 1") == 1


def test_a_tenant_that_breaks_its_own_settings_is_put_right(server: Server) -> None:
    """What the gateway does not see, as if it had been hidden from it, the supervisor and the next start undo."""
    with server.client() as client:
        client.run("CREATE TENANT odd")
        with server.client("root@odd") as user:
            user.run("create user bound@'127.0.0.1' identified by 'secret'")
            user.run("create user free identified by 'secret'")
            user.run("set global ob_tcp_invited_nodes = '10.1.2.3'")
        tenant_id = server.tenant_ids()[-1]
        past_the_gate = connect(server.directory(tenant_id).socket, "root", "")
        for setting in ("mysql_port = 3999", "ssl_client_authentication = True"):
            past_the_gate.execute(f"alter system set {setting}")
        past_the_gate.close()
        # Without certificates an engine that was told so would never start again.
        _kill_engine(server, tenant_id)
        wait_for(lambda: _can_ask(server, "root@odd"), bool)
        server.kill()
        server.start()
        with server.client("root@odd") as user:
            wait_for(
                lambda: user.rows("select value from oceanbase.V$OB_PARAMETERS where name = 'mysql_port'"),
                lambda rows: rows == [("2881",)],
            )
            # Who can not come in is told, by sys too, and whom the tenant did not invite is kept out.
            told = wait_for(
                lambda: user.one("select ENGINE_COMMENT from oceanbase.DBA_OB_TENANT_HEALTH"), lambda words: words != ""
            )
            assert told.startswith("1 account is bound to a host")
            with pytest.raises(pymysql.MySQLError, match="RENAME USER") as bound:
                server.client("bound@odd", password="secret")
            assert bound.value.args[0] == 1045
            with pytest.raises(pymysql.MySQLError, match="ob_tcp_invited_nodes") as uninvited:
                server.client("free@odd", password="secret")
            assert uninvited.value.args[0] == 1227
            user.run("set global ob_tcp_invited_nodes = '127.0.0.1'")
            server.client("free@odd", password="secret").close()
        _kill_engine(server, tenant_id)
        wait_for(lambda: _can_ask(server, "root@odd"), bool)


def _kill_engine(server: Server, tenant_id: int) -> None:
    engine = EngineProcess.adopt(server.directory(tenant_id))
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    engine.close()


def _can_ask(server: Server, user: str) -> bool:
    try:
        with server.client(user) as client:
            return bool(client.one("select 1"))
    except Exception:  # noqa: BLE001 - any failure means: not yet
        return False


def _try(client: Client, sql: str) -> None:
    """Run what may be refused: the test looks at the effect, not at the answer."""
    import pymysql

    try:
        client.run(sql)
    except pymysql.MySQLError:
        return


def _pid(server: Server, tenant_id: int) -> int:
    engine = EngineProcess.adopt(server.directory(tenant_id))
    assert engine is not None, f"tenant {tenant_id} has no engine"
    return engine.pid


def _serve(base: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "holdfast", "serve", "--base-dir", str(base), "--port", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def test_a_directory_with_other_peoples_files_becomes_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "format.obbak").write_text("somebody's")
    command = [sys.executable, "-m", "holdfast", "serve", "--base-dir", str(tmp_path / "backups"), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "is not empty: format.obbak" in ended.stderr
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["format.obbak"]
