"""One cluster for who may run what, what is refused, and what is kept apart, in this order (that of the file names).

test_callers wants a cluster in which nothing is set; test_connection_places puts back what it sets; test_refusals sets and
breaks; test_separation restarts the server at its end.
test_by_the_manual comes first and has a server of its own, so that never more than four engines run.
"""

from collections.abc import Iterator

import pytest

from server_rig import Server, running_server
from surface.surface_rig import Cast, cast_of


@pytest.fixture(scope="package")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """sys, mysql_tenant and oracle_tenant with everybody logged in."""
    with (
        running_server(tmp_path_factory.mktemp("cluster") / "base") as server,
        cast_of(server, tmp_path_factory.mktemp("backup")) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the test file's own."""
    with running_server(tmp_path_factory.mktemp("cluster") / "base") as running:
        yield running
