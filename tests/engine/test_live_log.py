"""Watch, hold and facts against an engine that writes and recycles its log."""

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from engine_rig import EngineRig
from holdfast.engine import control, facts
from holdfast.engine.hold import SpoolHold, block_ids
from holdfast.engine.image import open_block_file, read_small_file, small_files
from holdfast.engine.watch import LogDirectoryWatch

pytestmark = pytest.mark.live

_LOAD_SECONDS_MAX = 60


def test_facts_fit_each_other(rig: EngineRig) -> None:
    with rig.session() as session:
        before = facts.current_scn(session)
        session.execute("create table if not exists test.facts(i int)")
        session.execute("insert into test.facts values (1)")
        commit = session.query("select max(ora_rowscn) from test.facts")[0][0]
        assert before <= commit <= facts.current_scn(session)
        stat = facts.log_stat(session)
        assert stat.access_mode == "APPEND"
        assert stat.base_lsn <= stat.end_lsn <= stat.max_lsn
        assert stat.begin_lsn <= stat.base_lsn
        assert facts.checkpoint(session).lsn == stat.base_lsn
        assert facts.data_version(session) == rig.directory.version.data_version
        assert facts.orphan_transactions(session) == ()
        counts = facts.macro_block_counts(session)
        assert counts.total >= counts.free
        parameters = {parameter.name: parameter for parameter in facts.engine_parameters(session)}
        assert list(parameters) == sorted(parameters)
        assert parameters["memory_budget"].value == "1024M"
        assert not parameters["memory_budget"].is_default
        session.execute("drop table test.facts")


def test_the_small_files_of_a_living_engine_are_all_there(rig: EngineRig) -> None:
    files = small_files(rig.directory)
    folders = [file.name.rpartition("/")[0] for file in files]
    assert set(folders) == {
        "store/redo/sys/log_stream/meta",
        "etc",
        "store/sstable",
        "store/slog/server",
        "store/slog/sys",
    }
    assert folders[0] == "store/redo/sys/log_stream/meta"
    # Empty ones are real: each start begins a new slog file, which stays empty until something is to be noted.
    unread = [file.name for file in files if read_small_file(file) is None]
    # SQLite's journal comes and goes with each of the engine's transactions; nothing else may vanish.
    assert [name for name in unread if name != "store/sstable/meta.db-journal"] == []
    descriptor = open_block_file(rig.directory)
    assert os.fstat(descriptor).st_size % (2 << 20) == 0
    os.close(descriptor)


def test_an_open_transaction_is_no_orphan_and_a_killed_one_is(rig: EngineRig) -> None:
    """Redo in the log without its end: after a kill the transaction has no session and keeps its locks."""
    rig.sql("create table if not exists test.big(i bigint primary key, a varchar(4000))")
    with rig.session() as session:
        session.connection.autocommit(False)
        for first in range(0, 9000, 1000):
            rows = ",".join(f"({number},repeat('x',4000))" for number in range(first, first + 1000))
            session.execute(f"insert into test.big values {rows}")
        with rig.session() as other:
            assert facts.orphan_transactions(other) == ()
            flushed = (
                "select trans_id from oceanbase.__all_virtual_trans_stat where session_id = %s and flushed_log_size > 0"
            )
            deadline = time.monotonic() + 20
            while not (ours := other.query(flushed, (session.connection.thread_id(),))):
                assert time.monotonic() < deadline
                time.sleep(0.2)
        time.sleep(0.5)
        rig.kill()
    rig.restart()
    with rig.session() as session:
        # The same death can leave one of the engine's own.
        (orphan,) = (each for each in facts.orphan_transactions(session) if each.trans_id == ours[0][0])
        assert 0 < orphan.start_scn < facts.current_scn(session)
        assert orphan.flushed_log_size_bytes > 0


def test_the_hold_keeps_every_block_that_the_engine_recycles(rig: EngineRig, tmp_path: Path) -> None:
    directory = rig.directory
    hold = SpoolHold(directory.log_dir, rig.directory.root.parent / "hold")
    hold.prepare()
    first_held = hold.link_all()
    assert first_held == block_ids(directory.log_dir)
    oldest = hold.block_ids()[0]
    seen: list[int] = []
    over = threading.Event()

    def follow() -> None:
        with LogDirectoryWatch(directory.log_dir) as watch:
            while not over.is_set():
                for block_id in watch.new_blocks(0.2):
                    if hold.link(block_id):
                        seen.append(block_id)

    follower = threading.Thread(target=follow)
    follower.start()
    digest = ""
    try:
        rig.sql("create table if not exists test.log(i bigint auto_increment primary key, a varchar(4000))")
        row = "(repeat('x', 4000))"
        deadline = time.monotonic() + _LOAD_SECONDS_MAX
        rounds = 0
        while oldest in block_ids(directory.log_dir) or len(seen) < len(first_held) + 2:
            assert time.monotonic() < deadline, (
                f"block {oldest} is not recycled, present: {block_ids(directory.log_dir)}"
            )
            for _ in range(10):
                rig.sql("insert into test.log(a) values " + ",".join([row] * 500))
            rounds += 1
            if not digest and len(block_ids(directory.log_dir)) > len(first_held):
                digest = hashlib.sha256((directory.log_dir / str(oldest)).read_bytes()).hexdigest()
            with rig.session() as session:
                control.minor_freeze(session)
    finally:
        over.set()
        follower.join()
    assert digest, "no block was ever complete before it was recycled"
    assert oldest not in block_ids(directory.log_dir)
    assert hashlib.sha256(hold.path(oldest).read_bytes()).hexdigest() == digest
    held = hold.block_ids()
    assert held == tuple(range(held[0], held[-1] + 1)), "a block slipped through between watch and hold"
    assert held[-1] >= block_ids(directory.log_dir)[-1] - 1
    assert hold.size_bytes() >= 64 << 20
    hold.release(below=held[-1] + 1)
    assert hold.block_ids() == ()
