"""One engine and one gateway for all live tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door, prepare_views

from engine_rig import running_engine


@pytest.fixture(scope="session")
def engine_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of an engine whose root has no password."""
    with running_engine(tmp_path_factory.mktemp("gateway")) as rig:
        with pymysql.connect(unix_socket=str(rig.socket), user="root", autocommit=True) as root:
            prepare_views(root)
        yield rig.socket


@pytest.fixture(scope="session")
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
    desk.gate.set()
    return shared_door
