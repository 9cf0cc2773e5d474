"""One engine for all live tests of a file of this room; each leaves it running and in its role."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_rig import EngineRig, running_engine


@pytest.fixture(scope="module")
def shared_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    with running_engine(tmp_path_factory.mktemp("engine-room")) as rig:
        yield rig


@pytest.fixture
def rig(shared_rig: EngineRig) -> EngineRig:
    shared_rig.heal()
    return shared_rig


@pytest.fixture
def source() -> str:
    """The folder that makes `import holdfast` work in a child process."""
    import holdfast

    return str(Path(holdfast.__file__).parents[1])
