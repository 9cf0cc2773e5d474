"""One engine and one gateway for the live tests of a file of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door, prepare_views

from engine_rig import EngineRig, running_engine
from holdfast.values.places import PlaceLimits
from tls_rig import make_certificate


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    """An engine whose root has no password, with a wallet as a server starts it."""
    with running_engine(tmp_path_factory.mktemp("gateway"), speaks_tls=True) as rig:
        with pymysql.connect(unix_socket=str(rig.socket), user="root", autocommit=True) as root:
            prepare_views(root)
        yield rig


@pytest.fixture(scope="module")
def engine_socket(engine: EngineRig) -> Path:
    return engine.socket


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def shared_door(engine_socket: Path) -> Iterator[Door]:
    with open_door(engine_socket) as door:
        yield door


@pytest.fixture
def door(shared_door: Door) -> Door:
    """The shared gateway with its desk's memory cleared."""
    desk = shared_door.desk
    desk.executed.clear()
    desk.refreshed.clear()
    desk.sessions.clear()
    desk.stalled.clear()
    desk.troubles.clear()
    desk.views_socket = None
    desk.unusable = None
    desk.tls = {}
    desk.limits = PlaceLimits()
    desk.gate.set()
    return shared_door
