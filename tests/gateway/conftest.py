"""One engine and one gateway for the live tests of a file of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door, prepare_views

from engine_rig import running_engine
from holdfast.values.places import PlaceLimits


@pytest.fixture(scope="module")
def engine_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of an engine whose root has no password."""
    with running_engine(tmp_path_factory.mktemp("gateway")) as rig:
        with pymysql.connect(unix_socket=str(rig.socket), user="root", autocommit=True) as root:
            prepare_views(root)
        yield rig.socket


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
    desk.has_unusable = False
    desk.limits = PlaceLimits()
    desk.gate.set()
    return shared_door
