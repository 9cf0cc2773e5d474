"""`serve --client-addresses=auto`: an account bound to an address through servers' lives, and on a machine that refuses namespaces."""

import os
from pathlib import Path

import pymysql
import pytest

from holdfast.engine.process import EngineProcess
from holdfast.engine.space import refusal
from server_rig import Client, Server, wait_for

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


def _user_of_bound(server: Server, address: str) -> str:
    """Return USER() of the account that is bound to 127.0.0.9, or the error's text."""
    try:
        with server.client("bound@mine", "secret", bind_address=address) as client:
            return str(client.one("select user()"))
    except pymysql.OperationalError as error:
        return str(error.args[1])


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
    server = Server(tmp_path / "base", _OPTION)
    plain = tuple(option for option in server.options if option != _OPTION)
    try:
        server.start()
        _make_tenant(server)
        assert _user_of_bound(server, "127.0.0.9") == "bound@127.0.0.9"
        assert "denied" in _user_of_bound(server, "127.0.0.1")
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

        assert server.stop() == 0
        server.start()
        assert _engine(server).sockets is None
        with server.client() as client:
            comment = wait_for(lambda: _comment(client), lambda text: "1 account is bound to a host" in text)
        assert _OPTION in comment
        assert "denied" in _user_of_bound(server, "127.0.0.9")
        assert _OPTION in _user_of_bound(server, "127.0.0.9")

        assert server.stop() == 0
        server.options, server.program = (*plain, _OPTION), ("-c", _REFUSING)
        server.start()
        assert _engine(server).space_refusal
        with server.client() as client:
            comment = wait_for(lambda: _comment(client), lambda text: "1 account is bound to a host" in text)
        assert "this machine lets no engine know its clients' addresses: unshare: " in comment
        assert "denied" in _user_of_bound(server, "127.0.0.9")
    finally:
        server.end()
