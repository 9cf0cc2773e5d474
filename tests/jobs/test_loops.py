"""The census of loops that wait: each has an end and a clock that is written here, and a new one is not overlooked.

`thread`: lives as long as its server or its file, each turn waits for a period or an event. `deadline`: ends at a moment of the
monotonic clock. `attempts`: counted. `another`: ends when somebody else has ended, who is in this table too. `tokens`: ends when
the bucket of a speed limit has filled, each wait bounded.
"""

import ast
from collections import Counter
from pathlib import Path

from source_rig import trees

WAITS = {"sleep", "wait", "rest"}
LOOPS = {
    "archive/follower.py:_insist_on_saving": "thread, 1 s, until the catalog answers or the server ends",
    "archive/follower.py:_run": "thread, 0 to 5 s",
    "archive/keeper.py:_run": "thread, 0.5 s or an event of the kernel; 0.05 s while links fail",
    "backup/copier.py:_comes_to_rest": "deadline",
    "backup/copier.py:_spend_here": "tokens",
    "backup/copier.py:_visit": "another, the crew's own threads",
    "backup/copier.py:spend": "tokens",
    "backup/image.py:_at_rest": "attempts",
    "backup/image.py:_super_block": "attempts",
    "backup/image.py:_whole_slog": "attempts",
    "backup/moment.py:run": "attempts, and a deadline",
    "backup/run.py:_find_end": "deadline",
    "backup/run.py:_put_log": "tokens",
    "backup/run.py:_require_log": "deadline",
    "backup/run.py:_wait_for_archive": "deadline",
    "backup/run.py:before": "tokens",
    "catalog/connections.py:_begin_first": "deadline",
    "catalog/schema.py:_carry_out": "attempts",
    "cli/archive.py:_settle": "deadline",
    "cli/restore.py:_settled": "deadline",
    "cli/watch.py:follow": "another, the job; by the user's interrupt",
    "daemon.py:serve": "thread, 0.5 s",
    "demo.py:_wait_for": "deadline",
    "engine/control.py:take_first_checkpoint": "deadline",
    "engine/control.py:wait_replayed": "deadline",
    "engine/control.py:wait_unfinished": "deadline",
    "engine/account_watch.py:_put_account_right": "attempts",
    "engine/keeper.py:_when_gone": "attempts",
    "engine/process.py:_wait_stopped": "deadline",
    "engine/process.py:wait_ready": "deadline, renewed by progress",
    "gateway/server.py:_accept": "thread, until the door closes",
    "gateway/server.py:stop": "deadline",
    "gateway/statements.py:_script": "the statements of a text",
    "gateway/statements.py:wait_while_stalled": "another, the archive's verdict; KILL and the client's end",
    "jobs/activation.py:_activate_engine": "deadline",
    "jobs/archiving.py:_schedule": "thread, 1 s",
    "jobs/archiving.py:catch_up": "deadline",
    "jobs/auxiliary.py:remove_auxiliary": "deadline",
    "jobs/backup_keys.py:_watch": "threads, 5 s and 20 s",
    "jobs/backup_worker.py:_attempt": "another, the abandoned worker; a reason to end",
    "jobs/backup_worker.py:_finish": "attempts",
    "jobs/backup_worker.py:_let_archiving_begin": "deadline",
    "jobs/cleanup.py:_schedule": "thread, its poll",
    "jobs/cleanup_worker.py:run": "attempts",
    "jobs/dictionary.py:_run": "thread, its look",
    "jobs/drill_worker.py:_restored": "another, the restore; a reason to end",
    "jobs/leftovers.py:_run": "thread, 5 s, while something is left",
    "jobs/quick.py:_run": "thread, its look",
    "jobs/restore_worker.py:_give_up": "thread, until the failed restore is removed or the server ends",
    "jobs/restore_worker.py:_patiently": "deadline",
    "jobs/restore_worker.py:stop_all": "deadline",
    "jobs/schedules.py:_loop": "thread, 0.25 to 5 s",
    "jobs/standby_feed.py:_run": "thread, 0.25 s",
    "jobs/supervisor.py:_watch": "thread, its look",
    "jobs/table_recovery_worker.py:_patiently": "attempts",
    "jobs/table_recovery_worker.py:_session": "deadline",
    "jobs/table_recovery_worker.py:_shape": "deadline",
    "jobs/table_recovery_worker.py:_wait_restored": "another, the restore; a reason to end",
    "jobs/tenure.py:await_archive": "deadline",
    "jobs/tenure.py:take_patiently": "deadline",
    "jobs/validation_worker.py:run": "attempts",
    "jobs/windows.py:_mirror": "deadline, one for all tenants asked of",
    "restore/block_mount.py:_try_mount": "deadline",
    "restore/block_process.py:_begin": "deadline",
    "restore/block_process.py:_end_server": "deadline",
    "restore/block_server.py:_run": "thread, its step",
    "restore/block_server.py:_step_aside": "deadline, and tokens",
    "restore/block_server.py:_take_lock": "deadline",
    "restore/lazy_file.py:ensure": "another, the arrival of the block, bounded by its source",
    "restore/lazy_source.py:_patiently": "deadline",
    "restore/rollback.py:find_on_standby": "deadline",
    "restore/run.py:_run_crew": "another, the crew's own threads",
    "restore/run.py:lay_out": "tokens",
    "restore/run.py:spend": "tokens",
    "verify/crew.py:run": "another, the crew's own threads",
    "verify/crew.py:spend": "tokens",
}


def called(node: ast.AST) -> Counter[str]:
    """Return the names of what is called within."""
    found: Counter[str] = Counter()
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            found[call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")] += 1
    return found


def functions_that_wait_in_loops() -> dict[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for name, tree in trees().items():
        room = Path(name)
        if room.parts[0] in {"statement", "mysql"} or room.name == "link.py":
            continue  # they have a `rest` of their own, of bytes and words
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            loops = [node for node in ast.walk(function) if isinstance(node, ast.While | ast.For)]
            if any(WAITS & called(loop).keys() for loop in loops):
                found[f"{room}:{function.name}"] = function
    return found


def test_every_loop_that_waits_is_in_the_table_with_its_end() -> None:
    assert set(functions_that_wait_in_loops()) == set(LOOPS)


ASK_ANOTHER_CLOCK = {
    "jobs/archiving.py:catch_up": "whether the target, an SCN, lies in the future; its wait is bounded by the monotonic clock",
    "gateway/server.py:stop": "the event loop's clock, which is monotonic",
}


def test_no_wait_is_bounded_by_a_clock_that_can_be_put_back() -> None:
    wrong = [
        name
        for name, function in functions_that_wait_in_loops().items()
        if name not in ASK_ANOTHER_CLOCK and {"now_ns", "time", "time_ns", "now"} & called(function).keys()
    ]
    assert not wrong


def test_every_deadline_is_of_the_monotonic_clock() -> None:
    """Where the loop itself asks no clock it is bounded by a wait that is given its time."""
    asks_none = {"jobs/restore_worker.py:stop_all", "gateway/server.py:stop"}
    without = {
        name
        for name, function in functions_that_wait_in_loops().items()
        if LOOPS[name].startswith("deadline") and not called(function)["monotonic"]
    }
    assert without <= asks_none
