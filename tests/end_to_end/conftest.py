"""One server for the tests that only ask and refuse; tests that kill or fill have their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server_rig import Client, Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("cluster") / "base") as running:
        yield running


@pytest.fixture(scope="module")
def sys_client(server: Server) -> Iterator[Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def mine(server: Server, sys_client: Client) -> Iterator[Client]:
    """A user tenant `mine`, logged in as its root."""
    sys_client.run("CREATE TENANT mine")
    with server.client("root@mine") as client:
        yield client


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty directory for destinations."""
    return tmp_path / "backup"
