"""An error that nobody expected vanishes nowhere: it is logged with its traceback, ends its row by its type, and shows no value."""

import ast
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.defects import DefectError, DefectFormatter, frames_of, guarded
from holdfast.errors import EngineError
from holdfast.jobs.leftovers import Leftovers
from source_rig import trees

SECRET = "the secret of row 7"


def raise_secret() -> None:
    raise ValueError(SECRET)


# --- what is told


def logged(what: Callable[[logging.Logger], None]) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DefectFormatter("%(levelname)s %(message)s"))
    log = logging.Logger("a test")
    log.addHandler(handler)
    what(log)
    return stream.getvalue()


def test_what_a_row_says_of_a_defect_is_its_type() -> None:
    error = DefectError(ValueError(SECRET))
    assert str(error) == "a defect of Holdfast: ValueError (see the server's log)"
    assert error.code.number == -4016


def test_a_traceback_has_types_and_lines_and_no_words_of_others() -> None:
    def work() -> None:
        try:
            try:
                raise_secret()
            except ValueError as error:
                raise KeyError(SECRET) from error
        except KeyError:
            raise EngineError("the words of ours") from None

    def work_without_ours() -> None:
        try:
            raise_secret()
        except ValueError:
            raise KeyError(SECRET)  # noqa: B904 - that is the case

    text = logged(lambda log: guarded(log, "a job", work_without_ours)())
    assert text.startswith("ERROR a job met a defect of Holdfast\nTraceback")
    assert "in raise_secret" in text
    assert text.index("ValueError\n") < text.index("KeyError\n")
    assert SECRET not in text
    with pytest.raises(EngineError) as ours:
        work()
    assert "EngineError: the words of ours" in frames_of(ours.value)
    with pytest.raises(OSError, match="No such file") as of_the_system:
        Path("/nowhere/at/all").read_bytes()
    assert frames_of(of_the_system.value).endswith("FileNotFoundError: No such file or directory")


def test_a_traceback_that_another_handler_wrote_is_not_taken_over() -> None:
    record = logging.LogRecord("a test", logging.ERROR, "", 0, "a job", (), None)
    try:
        raise_secret()
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    assert SECRET in logging.Formatter().format(record)
    assert SECRET not in DefectFormatter().format(record)


# --- a job that is left over


def test_a_defect_of_the_handing_over_loses_no_job() -> None:
    left = Leftovers(again_seconds=0.01)
    calls: list[int] = []

    def is_active() -> bool:
        raise_secret()
        return False

    def again() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise_secret()

    left.look_after(1002, 1, is_active, again)
    end = time.monotonic() + 10
    while len(calls) < 3:
        assert time.monotonic() < end
        time.sleep(0.005)
    assert not any(thread.name == "leftovers" and not thread.daemon for thread in threading.enumerate())


# --- the census of threads and executors

_ASKED = "its future is asked, and what it raised is raised by who waits"
HANDED = {
    "archive/follower.py:start": "_run catches and logs all; the scheduler begins another thread",
    "archive/keeper.py:start": "_run catches and logs all, and goes on",
    "backup/copier.py:__init__": "the pool of the three below",
    "backup/copier.py:look_paused": _ASKED,
    "backup/copier.py:commit": _ASKED,
    "backup/copier.py:_fit_crew": _ASKED,
    "cli/verdict.py:look": "_read catches all: the verdict is UNKNOWN",
    "jobs/dictionary.py:begin": "_run catches and logs all, and looks again",
    "daemon.py:_bring_up_tenants": "_bring_up_tenant catches and logs all; the other tenants come up",
    "engine/log_service.py:__init__": "gRPC's: _fetch catches and logs all",
    "engine/space_sockets.py:take_now": "guarded; whoever finds none makes them itself",
    "engine/space_sockets.py:_made_by_thread": "guarded; who waits is told that there are none",
    "gateway/connection.py:_begin": "_run catches and logs all; tests/gateway/test_live_troubles.py",
    "gateway/house.py:_in_turn": "asked; _guarded logs",
    "gateway/house.py:on_login_thread": "asked; _guarded logs",
    "gateway/views.py:_take_turn": _ASKED,
    "gateway/views.py:_put_question": f"{_ASKED}; of one who has left nobody's",
    "gateway/server.py:start": "pools of the two above, of texts too, and the tasks of _accept",
    "gateway/server.py:_accept": "_serve catches and logs all; so does _accept itself",
    "gateway/server.py:__init__": "the loop's, which logs what its callbacks let out",
    "gateway/server.py:stop": _ASKED,
    "jobs/archiving.py:resume_all": "_schedule: what it does for a tenant is caught and logged",
    "jobs/archiving.py:stop_all": _ASKED,
    "jobs/backups.py:__init__": "the pool of the one below",
    "jobs/backups.py:_hand_over": "guarded; _work catches and logs all, and the job is taken up again",
    "jobs/backups.py:_carry": "guarded; _run ends the rows as FAILED",
    "jobs/cleanup.py:__init__": "the pool of the one below",
    "jobs/cleanup.py:resume_all": "_schedule catches and logs all",
    "jobs/cleanup.py:_dispatch": "guarded; _work catches and logs all, _run ends the rows as FAILED",
    "jobs/health.py:mirror": _ASKED,
    "jobs/leftovers.py:add": "_is_done catches and logs all, and the job stays left over",
    "jobs/quick.py:begin": "_run catches and logs all",
    "jobs/restore_worker.py:__init__": "the pool of the one below",
    "jobs/restore_worker.py:hand_over": "guarded; _carry_out ends the rows as FAILED, tried until it holds",
    "jobs/schedules.py:begin": "_loop catches and logs all, for each tenant",
    "jobs/standby_feed.py:__init__": "_run catches and logs all",
    "jobs/supervisor.py:__init__": "the pool of `_begin`",
    "jobs/supervisor.py:begin": "_watch catches and logs all",
    "jobs/supervisor.py:end": "_end_engine catches and logs all",
    "jobs/supervisor.py:_begin": "guarded; the next look tries again",
    "jobs/table_recovery.py:_hand_over": "guarded; the run ends the rows as FAILED, else it is taken up again",
    "jobs/table_recovery_worker.py:_import": _ASKED,
    "jobs/tenure.py:leave_all": "leave catches and logs all",
    "jobs/backup_keys.py:begin": "_watch catches and logs all",
    "jobs/backup_keys.py:_watch": "_look_at catches and logs all, and is begun again",
    "jobs/validation.py:__init__": "the pools of the two below",
    "jobs/validation.py:resume_all": "guarded; looked for at the next start",
    "jobs/validation.py:_hand_over": "guarded; _work catches and logs all, _run ends the rows as FAILED",
    "jobs/windows.py:_reading": "read catches and logs all: the tenant is UNKNOWN",
    "restore/block_mount.py:_read_in_time": "reads a file, and nothing is what it then has read",
    "restore/block_server.py:set_pace": "_run catches and logs all",
    "restore/block_server.py:__init__": "_run catches and logs all",
    "restore/run.py:lay_out": _ASKED,
    "restore/run.py:_run_crew": _ASKED,
    "retention/run.py:_remove": _ASKED,
    "verify/crew.py:run": _ASKED,
}
"""Each place where work is handed to a thread, an executor or a task, and who meets what it raises."""
_ALWAYS = {
    "Thread",
    "ThreadPoolExecutor",
    "create_task",
    "ensure_future",
    "run_coroutine_threadsafe",
    "run_in_executor",
    "to_thread",
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    yield from trees().items()


def calls_within(node: ast.AST, where: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with the name of the innermost function it stands in."""
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and is_function else where
        if isinstance(child, ast.Call):
            yield where, child
        yield from calls_within(child, inner)


def hands_over(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return isinstance(call.func, ast.Name) and call.func.id in _ALWAYS
    to = ast.unparse(call.func.value).lower()
    is_pool = any(word in to for word in ("pool", "starters", "executor", "threads"))
    return call.func.attr in _ALWAYS or (call.func.attr in {"submit", "map"} and is_pool)


def test_every_hand_over_to_a_thread_says_who_meets_what_it_raises() -> None:
    found = {f"{room}:{where}" for room, tree in sources() for where, call in calls_within(tree) if hands_over(call)}
    assert found == set(HANDED)


def test_what_is_called_guarded_is() -> None:
    for room, tree in sources():
        for where, call in calls_within(tree):
            if hands_over(call) and HANDED[f"{room}:{where}"].startswith("guarded") and call.args + call.keywords:
                assert "guarded(" in ast.unparse(call), f"{room}:{where}"


# --- the census of handlers

MAY_HAVE_IT = {"DefectError", "exit", "isinstance", "set_exception", "_words_of", "_tell_defect", "frames_of"}
TELLS_ITS_OWN_USER = {"cli/verdict.py", "engine/launch.py", "engine/process.py"}
"""The command's user has asked; the launched process has no rows, and `start` tells what it raised."""


def test_no_handler_of_whatever_error_shows_its_words() -> None:
    wrong = []
    for room, tree in sources():
        for handler in ast.walk(tree):
            if not isinstance(handler, ast.ExceptHandler) or handler.name is None or handler.type is None:
                continue
            if ast.unparse(handler.type) not in {"Exception", "BaseException"} or room in TELLS_ITS_OWN_USER:
                continue
            allowed: set[ast.AST] = set()
            for node in ast.walk(handler):
                if isinstance(node, ast.Raise):
                    allowed |= set(ast.walk(node.cause)) if node.cause is not None else set()
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
                    allowed |= set(ast.walk(node)) if name in MAY_HAVE_IT else set()
            for node in ast.walk(handler):
                if isinstance(node, ast.Name) and node.id == handler.name and node not in allowed:
                    wrong.append(f"{room}:{node.lineno}")
    assert not wrong


def test_every_process_of_ours_logs_by_the_formatter_that_shows_no_words() -> None:
    wrong = [
        room
        for room, tree in sources()
        for _, call in calls_within(tree)
        if ast.unparse(call.func).endswith("basicConfig")
    ]
    assert wrong == ["defects.py"]
    begun = {
        room for room, tree in sources() for _, call in calls_within(tree) if ast.unparse(call.func) == "begin_log"
    }
    assert begun == {"__main__.py", "restore/block_server.py"}
