"""A sys engine for each file of tests of the catalog. Tests keep apart by using tenants of their own."""

from collections.abc import Iterator

import pytest
from catalog_rig import FixedClock, SysEngine
from catalog_samples import tenant_value

from holdfast.catalog.catalog import Catalog
from holdfast.values.tenant import Tenant


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SysEngine]:
    sys_engine = SysEngine(tmp_path_factory.mktemp("sys"))
    yield sys_engine
    sys_engine.end()


@pytest.fixture(scope="module")
def catalog(engine: SysEngine) -> Iterator[Catalog]:
    made = Catalog(engine.connect, engine.log_in, clock=FixedClock())
    made.install()
    made.tenants.add(tenant_value(1, "sys"))
    yield made
    made.close()


@pytest.fixture
def tenant(catalog: Catalog) -> Tenant:
    """A user tenant of the test's own, recorded in the catalog."""
    tenant_id = catalog.tenants.next_tenant_id()
    made = tenant_value(tenant_id, f"tenant_{tenant_id}")
    catalog.tenants.add(made)
    return made
