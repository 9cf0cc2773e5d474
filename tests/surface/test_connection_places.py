"""Places for connections on a real server: the parameters of sys, the options of serve, and what the process has room for."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pymysql
import pytest

from server_rig import Client, Server
from surface.surface_rig import SYS_ONLY, Answer, Cast, agrees, answer_of

pytestmark = pytest.mark.live

NAMES = (
    "gateway_connections_max",
    "gateway_connections_per_tenant_max",
    "gateway_connections_reserved_for_sys",
    "gateway_connections_reserved_per_tenant",
)
LIMITED = (
    "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000));"
    " from holdfast.__main__ import main; main()"
)


def fill(server: Server, user: str, stack: ExitStack) -> int:
    """Take every place the user's tenant can reach, until `stack` ends; return how many those were."""
    count = 0
    while True:
        try:
            stack.enter_context(server.client(user))
        except pymysql.MySQLError as error:
            if error.args[0] != 1040:
                raise
            return count
        count += 1


@pytest.fixture
def parameters(cast: Cast) -> Iterator[Client]:
    """sys, which puts them back afterwards."""
    yield cast.sys
    cast.sys.run(f"ALTER SYSTEM RESET {', '.join(NAMES)}")


def test_a_tenant_that_fills_its_share_leaves_sys_and_the_others_theirs(cast: Cast, parameters: Client) -> None:
    with ExitStack() as stack:
        parameters.run("ALTER SYSTEM SET gateway_connections_per_tenant_max = 12")
        assert 0 < fill(cast.server, "root@mysql_tenant", stack) < 12
        for user in ("root@sys", "sys@oracle_tenant"):
            cast.server.client(user).close()
        parameters.run("ALTER SYSTEM SET gateway_connections_per_tenant_max = 15")
        assert fill(cast.server, "root@mysql_tenant", stack) == 3, "at once"
        parameters.run("ALTER SYSTEM RESET gateway_connections_per_tenant_max")
        cast.server.client("root@mysql_tenant").close()


def test_whoever_fills_the_server_leaves_sys_and_the_others_theirs(cast: Cast, parameters: Client) -> None:
    with ExitStack() as stack:
        # Half is kept for sys: more than the users of the other tests hold there.
        parameters.run("ALTER SYSTEM SET gateway_connections_max = 120, gateway_connections_reserved_for_sys = 60")
        parameters.run("ALTER SYSTEM SET gateway_connections_reserved_per_tenant = 8")
        assert fill(cast.server, "root@mysql_tenant", stack) > 8
        assert fill(cast.server, "sys@oracle_tenant", stack) > 3
        assert fill(cast.server, "root@sys", stack) > 5


def test_the_parameters_are_those_of_sys(cast: Cast, parameters: Client) -> None:
    shown = {row[4]: (row[6], row[8]) for row in parameters.rows("SHOW PARAMETERS LIKE 'gateway_connections%'")}
    assert shown == {
        "gateway_connections_max": ("4096", "CLUSTER"),
        "gateway_connections_per_tenant_max": ("2048", "CLUSTER"),
        "gateway_connections_reserved_for_sys": ("32", "CLUSTER"),
        "gateway_connections_reserved_per_tenant": ("16", "CLUSTER"),
    }
    for name in NAMES:
        assert agrees(answer_of(cast.mysql, f"ALTER SYSTEM SET {name} = 8"), SYS_ONLY)


def test_a_process_holds_no_more_than_its_open_files_allow(tmp_path: Path) -> None:
    server = Server(tmp_path / "base", program=("-c", LIMITED))
    asked = [
        sys.executable,
        "-c",
        LIMITED,
        "serve",
        "--base-dir",
        str(server.base),
        "--port",
        "0",
        "--connections-max",
        "5000",
    ]
    try:
        refused = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
        assert refused.returncode == 1
        assert "gateway_connections_max can not be '5000' (the server may have 2000 open files" in refused.stderr
        server.options = ("--connections-per-tenant-max", "7")
        server.start()
        assert "gateway_connections_max is 4096, and there is room for 376" in server.log.read_text()
        with server.client() as root:
            too_many = answer_of(root, "ALTER SYSTEM SET gateway_connections_max = 377")
            assert agrees(too_many, Answer(4147, "HY000", "Invalid config"))
            assert "LimitNOFILE" in too_many.text
            root.run("ALTER SYSTEM SET gateway_connections_max = 376")
            assert root.rows("SHOW PARAMETERS LIKE 'gateway_connections_per_tenant_max'")[0][6] == "7"
    finally:
        server.end()
