"""One engine and catalog for all tests of cleanup; each forges tenants of its own."""

import itertools
from collections.abc import Iterator

import pymysql
import pytest
from cleanup_rig import SYS, World

from engine_rig import running_engine
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import ParameterDefinition
from holdfast.jobs.cleanup import Cleanup


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("cleanup")
    with running_engine(home) as rig:

        def connect() -> "pymysql.Connection[pymysql.cursors.Cursor]":
            account = rig.account
            return pymysql.connect(
                unix_socket=str(rig.socket), user=account.user, password=account.password, charset="utf8mb4"
            )

        catalog = Catalog(connect)
        catalog.install()
        catalog.parameters.define(
            [ParameterDefinition(name="ha_low_thread_score", data_type="INT", default_value="0", info="threads")]
        )
        catalog.tenants.add(SYS.tenant)
        yield World(rig=rig, home=home, catalog=catalog, generations=itertools.count(2))
        catalog.close()


@pytest.fixture
def cleanup(world: World) -> Iterator[Cleanup]:
    made = world.cleanup()
    yield made
    made.stop_all()
