"""One engine and catalog for the tests of a file of this room; each forges tenants of its own."""

import itertools
from collections.abc import Iterator

import pytest
from cleanup_rig import SYS, World

from engine_rig import running_engine
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import ParameterDefinition
from holdfast.jobs.cleanup import Cleanup


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("cleanup")
    with running_engine(home) as rig:
        catalog = Catalog(lambda: rig.session().connection, rig.log_in)
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
