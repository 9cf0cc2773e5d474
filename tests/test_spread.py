"""How a run is spread: what shares a cluster stays together, long units begin first; and what a mutant is."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

import mutants
import spread


@dataclass(frozen=True)
class Item:
    nodeid: str


def order(*nodeids: str) -> list[str]:
    items = [cast(pytest.Item, Item(nodeid)) for nodeid in nodeids]
    return [item.nodeid for item in spread.longest_first(items)]


def test_files_that_share_a_cluster_are_one_unit_and_are_there() -> None:
    assert len({spread.unit_of(f"{file}::test_a[x::y]") for file in spread.TOGETHER}) == 1
    assert all((spread.SECONDS_FILE.parent.parent / file).is_file() for file in (*spread.TOGETHER, *spread.APART))


def test_units_begin_longest_first_and_keep_their_own_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "seconds_known", lambda: {"tests/b.py": 90.0, "tests/c.py": 2.0})
    found = order("tests/a.py::z", "tests/b.py::y", "tests/c.py::x", "tests/b.py::a", "tests/x/test_live_new.py::n")
    assert found == ["tests/b.py::y", "tests/b.py::a", "tests/x/test_live_new.py::n", "tests/c.py::x", "tests/a.py::z"]


def test_a_report_gives_the_seconds_of_its_units(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    report, seconds = tmp_path / "run.xml", tmp_path / "seconds.txt"
    cases = (("tests.store.test_x", 4.0), ("tests.store.test_x.TestIt", 3.0), ("tests.store.test_y", 1.0))
    lines = [f'<testcase classname="{name}" name="test_a" time="{time}"/>' for name, time in cases]
    report.write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")
    monkeypatch.setattr(spread, "SECONDS_FILE", seconds)
    spread.write_seconds(report)
    assert spread.seconds_known() == {"tests/store/test_x.py": 7.0}


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
def test_there_are_never_more_processes_than_engines_that_fit(cores: int) -> None:
    assert 2 <= spread.workers(cores) <= spread.WORKERS_MAX


SOURCE = "def f(a: int) -> bool:\n    if a < limit:\n        log.info(a)\n        g(a)\n        raise ValueError\n    return True\n"


def test_each_mutant_is_one_change_and_leaves_annotations_alone() -> None:
    found = {mutant.change: mutants.apply(SOURCE, mutant) for mutant in mutants.mutants_of("m.py", SOURCE)}
    assert found == {
        "comparison flipped": SOURCE.replace("<", "<=").rstrip(),
        "value changed": SOURCE.replace("True", "False").rstrip(),
        "condition negated": SOURCE.replace("if a < limit", "if not a < limit").rstrip(),
        "statement dropped": SOURCE.replace("g(a)", "pass").rstrip(),
        "raise dropped": SOURCE.replace("raise ValueError", "pass").rstrip(),
    }


def test_no_two_rigs_have_one_name() -> None:
    """Files of tests may (pytest's import mode is importlib); rigs of rooms that are no packages lie in one path of Python."""
    files = [file for file in Path(__file__).parent.rglob("*.py") if not (file.parent / "__init__.py").exists()]
    rigs = [file.name for file in files if not file.name.startswith("test_") and file.name != "conftest.py"]
    assert sorted(rigs) == sorted(set(rigs))
