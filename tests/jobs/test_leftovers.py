"""A job whose worker left it is handed over again until its rows have ended; nothing runs while nothing is left."""

import inspect
import re
import threading
import time
from pathlib import Path

import pytest

import holdfast.jobs
from holdfast.errors import EngineError, HoldfastError, NotFoundError
from holdfast.jobs.leftovers import Leftovers


def threads() -> int:
    return sum(thread.name == "leftovers" for thread in threading.enumerate())


def wait_for(what: "list[int]", count: int) -> None:
    end = time.monotonic() + 10
    while len(what) < count:
        assert time.monotonic() < end
        time.sleep(0.005)


def raises(error: Exception) -> bool:
    raise error


def test_a_job_that_has_ended_or_whose_tenant_is_gone_leaves_nothing() -> None:
    left = Leftovers(again_seconds=0.01)
    before, calls = threads(), list[int]()
    left.look_after(1002, 1, lambda: False, lambda: calls.append(1))
    left.look_after(1002, 2, lambda: raises(NotFoundError("dropped")), lambda: calls.append(2))
    time.sleep(0.1)
    assert threads() == before
    assert not calls


@pytest.mark.parametrize("error", [EngineError("the catalog is away"), HoldfastError("whatever")])
def test_what_can_not_be_known_is_asked_again_until_it_is_done_and_then_nothing_runs(error: HoldfastError) -> None:
    left = Leftovers(again_seconds=0.01)
    calls = list[int]()

    def again() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise error

    left.look_after(1002, 1, lambda: raises(error), again)
    wait_for(calls, 3)
    time.sleep(0.1)
    assert len(calls) == 3
    left.add(1002, 2, lambda: calls.append(2))  # and the thread comes back when it is needed
    wait_for(calls, 4)


def test_two_tenants_jobs_of_one_number_are_both_handed_over() -> None:
    left = Leftovers(again_seconds=0.01)
    calls = list[int]()
    for tenant_id in (1002, 1004):  # BACKUP DATABASE gives each tenant its own job 7
        left.look_after(tenant_id, 7, lambda: True, lambda tenant_id=tenant_id: calls.append(tenant_id))
    wait_for(calls, 2)
    assert sorted(calls) == [1002, 1004]


def test_a_server_that_ends_hands_nothing_over_any_more() -> None:
    left = Leftovers(again_seconds=0.05)
    calls = list[int]()
    left.add(1002, 1, lambda: calls.append(1))
    left.end()
    left.add(1002, 2, lambda: calls.append(2))
    time.sleep(0.2)
    assert not calls


ENDED_BY = {
    "backups.py": "look_after",
    "validation.py": "look_after",  # drills too
    "table_recovery.py": "look_after",
    "cleanup.py": "_submit_due",  # the hour's thread hands over every active job each time it looks
    "restore_worker.py": "_give_up",  # tried until it holds
}
"""How each kind of job comes to its end on a server that lives on, whatever its worker met."""


def test_every_kind_of_job_with_a_worker_says_how_it_ends_on_a_living_server() -> None:
    room = Path(inspect.getfile(holdfast.jobs)).parent
    kinds = {
        path.name for path in room.glob("*.py") if re.search(r"partial\(self\._(work|carry_out)\b", path.read_text())
    }
    assert kinds == set(ENDED_BY)
    for name, how in ENDED_BY.items():
        assert how in (room / name).read_text(), name


def test_no_failure_of_the_catalog_is_told_as_a_traceback() -> None:
    """The sys engine died under VALIDATE and under DELETE OBSOLETE: the log showed defects where there was none."""
    room = Path(inspect.getfile(holdfast.jobs)).parent
    wrong = [
        path.name
        for path in room.glob("*.py")
        if re.search(
            r"except \(?(HoldfastError|EngineError|SqlError)[^\n]*\n(?:\s+#[^\n]*\n|\s+running[^\n]*\n)*\s+log\.exception",
            path.read_text(),
        )
    ]
    assert not wrong
