"""Accounts bound to an address, and such that ask for TLS, through servers' lives, and on a machine that refuses namespaces."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pymysql
import pytest

from holdfast.engine.process import EngineProcess
from holdfast.engine.space import refusal
from server_rig import Client, Server, wait_for
from tls_rig import client_tls, make_certificate

pytestmark = pytest.mark.live

_OPTION = "--client-addresses=auto"
_REFUSING = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x10000000) == 0
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {os.stat('/proc/1').st_uid} 1"), ("gid_map", "0 0 1")):
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.executable, [sys.executable, "-m", "holdfast", *sys.argv[1:]])
"""
"""A server in a user namespace that may make no other: what a container's machine does."""


def _make_tenant(server: Server) -> None:
    with server.client() as client:
        client.run("create resource unit u max_cpu 1, memory_size '1G', log_disk_size '2G'")
        client.run("create resource pool p unit 'u', unit_num 1, zone_list ('zone1')")
        client.run("create tenant mine resource_pool_list=('p')")
    with server.client("root@mine") as root:
        root.run("create user bound@'127.0.0.9' identified by 'secret'")
        root.run("create user safe identified by 'secret' require ssl")


def _user_of_bound(server: Server, address: str) -> str:
    """Return USER() of the account that is bound to 127.0.0.9, or the error's text."""
    try:
        with server.client("bound@mine", "secret", bind_address=address) as client:
            return str(client.one("select user()"))
    except pymysql.OperationalError as error:
        return str(error.args[1])


def _is_safe_let_in(server: Server, **options: object) -> bool:
    try:
        with server.client("safe@mine", "secret", **options) as client:
            return client.one("select current_user()") == "safe@%"
    except pymysql.OperationalError as error:
        if error.args[0] == 1045:
            return False
        raise


def _assert_safe_is_served_over_tls_only(server: Server) -> None:
    assert _is_safe_let_in(server, ssl=client_tls())
    assert not _is_safe_let_in(server, ssl_disabled=True)


def _engine(server: Server) -> EngineProcess:
    found = EngineProcess.adopt(server.directory(server.tenant_ids()[1]))
    assert found is not None
    return found


def _comment(client: Client) -> str:
    return str(
        client.one(
            "select h.ENGINE_COMMENT from oceanbase.CDB_OB_TENANT_HEALTH h join oceanbase.DBA_OB_TENANTS t"
            " on t.TENANT_ID = h.TENANT_ID where t.TENANT_NAME = 'mine'"
        )
    )


def _in_space_of(pid: int) -> set[int]:
    """Return the processes in the network namespace of `pid`."""
    found = set()
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}/ns/net").st_ino == os.stat(f"/proc/{pid}/ns/net").st_ino:
                found.add(int(name))
        except OSError:
            continue
    return found


def test_account_bound_to_an_address_through_the_lives_of_servers(tmp_path: Path) -> None:
    if why := refusal(tmp_path, Path("/bin/sh")):
        pytest.skip(f"this machine gives no engine a network namespace: {why}")
    cert, key = make_certificate(tmp_path)
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    server = Server(tmp_path / "base", _OPTION, *tls)
    plain = tuple(option for option in server.options if option != _OPTION)
    try:
        server.start()
        _make_tenant(server)
        assert _user_of_bound(server, "127.0.0.9") == "bound@127.0.0.9"
        assert "denied" in _user_of_bound(server, "127.0.0.1")
        _assert_safe_is_served_over_tls_only(server)
        with server.client("root@mine", ssl=client_tls()) as root:  # what an account asks for counts at once
            root.run("create user late identified by 'secret'")
            root.run("alter user late require ssl")
        with server.client("late@mine", "secret", ssl=client_tls()) as late:
            assert late.one("select 1") == 1
        with server.client(bind_address="127.0.0.8") as client:  # sys is no exception
            assert client.one("select user()") == "root@127.0.0.8"
        pid = _engine(server).pid

        server.kill()
        assert _in_space_of(pid) == {pid}
        server.options = plain  # as a server of before would come
        server.start()
        assert _engine(server).pid == pid
        assert _user_of_bound(server, "127.0.0.9") == "bound@127.0.0.9"
        assert "denied" in _user_of_bound(server, "127.0.0.1")
        _assert_safe_is_served_over_tls_only(server)

        assert server.stop() == 0
        server.start()
        assert _engine(server).sockets is None
        with server.client() as client:
            comment = wait_for(lambda: _comment(client), lambda text: "1 account is bound to a host" in text)
        assert _OPTION in comment
        assert "denied" in _user_of_bound(server, "127.0.0.9")
        assert _OPTION in _user_of_bound(server, "127.0.0.9")
        _assert_safe_is_served_over_tls_only(server)
        with server.client("root@mine") as root:
            value = "select value from oceanbase.V$OB_PARAMETERS where name = 'ssl_client_authentication'"
            assert root.one(value) == "True"

        assert server.stop() == 0
        without_tls = tuple(option for option in plain if option not in tls)
        server.options, server.program = (*without_tls, _OPTION), ("-c", _REFUSING)
        server.start()
        assert _engine(server).space_refusal
        with server.client() as client:
            comment = wait_for(lambda: _comment(client), lambda text: "3 accounts are bound to a host" in text)
        assert "--tls-cert" in comment
        assert not _is_safe_let_in(server)
        assert "this machine lets no engine know its clients' addresses: unshare: " in comment
        assert "denied" in _user_of_bound(server, "127.0.0.9")
    finally:
        server.end()


_AS_ANOTHER = """
import os, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
os.execv(sys.executable, [sys.executable, "-m", "holdfast", *sys.argv[1:]])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests above run without root already")
def test_server_without_root(tmp_path: Path) -> None:
    """It may not enter its engines' namespaces: a short-lived process makes the sockets in there."""
    with tempfile.TemporaryDirectory(prefix="holdfast-without-root-") as place:
        home = Path(place, "home")
        home.mkdir()
        for folder in (place, home):
            os.chown(folder, 65534, 65534)
        try:
            subprocess.run(
                [sys.executable, "-c", "import holdfast"],
                cwd=home,
                user=65534,
                group=65534,
                extra_groups=[],
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no other account may read this Python: {error}")
        server = Server(home / "base", _OPTION, program=("-c", _AS_ANOTHER))
        try:
            server.start()
            _make_tenant(server)
            engine = _engine(server)
            assert os.stat(f"/proc/{engine.pid}").st_uid == 65534
            if engine.space_refusal:
                pytest.skip(f"this machine gives no other account a namespace: {engine.space_refusal}")
            assert _user_of_bound(server, "127.0.0.9") == "bound@127.0.0.9"
            assert "denied" in _user_of_bound(server, "127.0.0.1")
            pid = engine.pid
            server.kill()
            assert _in_space_of(pid) == {pid}
            server.start()
            assert _engine(server).pid == pid
            assert _user_of_bound(server, "127.0.0.9") == "bound@127.0.0.9"
            assert server.stop() == 0
        finally:
            server.end()
