"""How the suite is spread over processes: what stays together, what begins first, how many processes there are.

A unit is what one process runs in one go, in its own order: a file, or a folder or a single test where the tables below say so.
Units begin longest first, so that at the end only short ones are left. `seconds.txt` holds how long each takes:

    .venv/bin/python -m pytest -n auto --junitxml=run.xml && .venv/bin/python tests/spread.py run.xml
"""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from xdist.scheduler import LoadScopeScheduling

SECONDS_FILE = Path(__file__).with_name("seconds.txt")

TOGETHER = (
    "tests/surface/test_callers.py",
    "tests/surface/test_connection_places.py",
    "tests/surface/test_refusals.py",
    "tests/surface/test_separation.py",
)
"""One cluster, in this order (tests/surface/conftest.py)."""

APART: tuple[str, ...] = ()
"""Files whose tests share nothing and take long: each test is a unit."""

_LIVE = ("live", "end_to_end", "surface", "gateway", "engines")
_SECONDS_OF_NEW_LIVE = 60.0
"""A file that is not in the list yet begins early: late it would be the last one running, alone."""
_SECONDS_OF_NEW = 1.0
_SECONDS_LISTED_MIN = 2.0

WORKERS_MAX = 6
"""An engine takes 1,510 of the machine's 65,536 asynchronous requests, so 43 may run; a test runs up to six, most three."""


def workers(cores: int) -> int:
    """Return how many processes keep the cores busy: a live test waits for its engines half of the time.

    One more than cores: with two a core a test that outruns a slow transfer lost its race (test_quick, November 2026).
    """
    return min(cores + 1, WORKERS_MAX)


def unit_of(nodeid: str) -> str:
    """Return the name of the unit a test belongs to."""
    file = nodeid.partition("::")[0]
    if file in TOGETHER:
        return TOGETHER[0]
    return nodeid if file in APART else file


def seconds_known() -> dict[str, float]:
    """Return unit -> seconds as measured when the list was written."""
    lines = SECONDS_FILE.read_text().splitlines() if SECONDS_FILE.exists() else []
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {name: float(seconds) for seconds, name in pairs}


def seconds_of(unit: str, known: Mapping[str, float]) -> float:
    if unit in known:
        return known[unit]
    return _SECONDS_OF_NEW_LIVE if any(word in unit for word in _LIVE) else _SECONDS_OF_NEW


def longest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with their units in the order in which they begin; inside a unit nothing changes its place."""
    known = seconds_known()
    units: dict[str, list[pytest.Item]] = {}
    for item in items:
        units.setdefault(unit_of(item.nodeid), []).append(item)
    ordered = sorted(units, key=lambda unit: -seconds_of(unit, known))
    return [item for unit in ordered for item in units[unit]]


class UnitScheduling(LoadScopeScheduling):
    """Gives a process that runs out of work the next unit, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]
        config.option.loadscopereorder = False  # by number of tests, as xdist would

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def write_seconds(report: Path) -> None:
    """Write the list anew from a JUnit report: seconds and unit, longest first."""
    found: dict[str, float] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        module, _, _ = case.get("classname", "").partition(".Test")
        nodeid = f"{module.replace('.', os.sep)}.py::{case.get('name')}"
        found[unit_of(nodeid)] = found.get(unit_of(nodeid), 0.0) + float(case.get("time", 0))
    lines = [f"{seconds:.0f} {unit}" for unit, seconds in found.items() if seconds >= _SECONDS_LISTED_MIN]
    lines.sort(key=lambda line: (-float(line.split()[0]), line))
    head = "# Seconds of each unit of the suite, longest first; only the order is used. Written by tests/spread.py."
    SECONDS_FILE.write_text("\n".join([head, *lines]) + "\n")


if __name__ == "__main__":
    write_seconds(Path(sys.argv[1]))
