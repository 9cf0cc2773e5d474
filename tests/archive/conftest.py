"""One engine for the live tests of a file of this folder. It lies where a cluster's tenant 1002 would."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_rig import Bank, EngineRig, running_engine


@pytest.fixture(scope="module")
def cluster_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def engine(cluster_base: Path) -> Iterator[EngineRig]:
    with running_engine(cluster_base / "tenants", "1002") as rig:
        yield rig


@pytest.fixture(scope="module")
def bank(engine: EngineRig, cluster_base: Path) -> Bank:
    made = Bank(engine.socket, engine.account, log_dir=cluster_base / "bank", writers=2)
    made.setup()
    return made
