"""Lets the tests of every room import the rigs that lie beside this file and beside themselves (`from engine_rig import Bank`).

And spreads a run over processes (`pytest -n auto`), as `spread` says. Without -n the suite runs in the order of its files.
"""

import os
import re
import sys
from pathlib import Path

import pytest

from spread import UnitScheduling, longest_first, workers

_HERE = Path(__file__).parent
_ROOMS = [folder for folder in _HERE.iterdir() if folder.is_dir() and not (folder / "__init__.py").exists()]
for folder in (_HERE, _HERE.parent / "src", *sorted(_ROOMS)):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return workers(len(os.sched_getaffinity(0)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> UnitScheduling:
    return UnitScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # in a process of xdist
        items[:] = longest_first(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from holdfast.restore import block_mount  # with the path that was set above

    terminalreporter.write_line(f"quick restores were tried with {block_mount.library()}")


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of the test's own. pytest would take 30 characters of the test's name.

    A socket's path has 107, a process of xdist has a directory of its own, and a user's name is longer than `root`.
    """
    return tmp_path_factory.mktemp(re.sub(r"\W", "_", request.node.name)[:12], numbered=True)
