"""A transaction that the end of an engine has cut in two keeps its locks for good, until its rollback is in the log."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine import control, facts
from holdfast.engine.facts import OrphanTransaction
from holdfast.engine.session import SqlError
from holdfast.engine_format.log_block import block_id_of, file_offset_of
from holdfast.errors import EngineError
from holdfast.restore import rollback
from holdfast.restore.log_tail import LogTail, read_tail
from holdfast.restore.rollback import Cut, find_on_primary, roll_back
from holdfast.values.lsn import Lsn

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_ROWS = 9000
_FLUSHED = "select trans_id from oceanbase.__all_virtual_trans_stat where session_id = %s and flushed_log_size > 0"
_LOCK_WAIT_TIMEOUT = 1205


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    with running_engine(tmp_path_factory.mktemp("rollback")) as running:
        yield running


def _cut(rig: EngineRig, table: str) -> Cut:
    """Kill the engine inside a transaction whose redo is in the log, and start it again; return what is left of it."""
    rig.sql(f"create table test.{table}(i bigint primary key, a varchar(4000))")
    rig.sql(f"insert into test.{table} values (-1, 'kept')")
    with rig.session() as session:
        session.connection.autocommit(False)
        session.execute(f"update test.{table} set a = 'lost' where i = -1")
        for first in range(0, _ROWS, 1000):
            rows = ",".join(f"({number},repeat('x',4000))" for number in range(first, first + 1000))
            session.execute(f"insert into test.{table} values {rows}")
        deadline = time.monotonic() + 20
        while not (ours := rig.sql(_FLUSHED, (session.connection.thread_id(),))):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        rig.kill()
    rig.restart()
    return _found(rig, ours[0][0])


def _found(rig: EngineRig, trans_id: int) -> Cut:
    """Return what is left of one transaction. What the same death has left of the engine's own is rolled back before."""
    with rig.session() as session:
        cut = find_on_primary(session)
    assert cut is not None
    assert not any(each.is_prepared for each in cut.transactions)
    others = tuple(each for each in cut.transactions if each.trans_id != trans_id)
    if not others:
        return cut
    rig.stop()
    roll_back(rig.directory, replace(cut, transactions=others))
    rig.restart()
    with rig.session() as session:
        left = find_on_primary(session)
    assert left is not None
    (orphan,) = left.transactions
    assert orphan.trans_id == trans_id
    return left


def _is_locked(rig: EngineRig, table: str) -> bool:
    with rig.session() as session:
        session.execute("set ob_trx_lock_timeout = 1000000")
        try:
            session.execute(f"update test.{table} set a = 'new' where i = -1")
        except SqlError as error:
            if error.errno != _LOCK_WAIT_TIMEOUT:
                raise
            return True
        return False


def _tail(rig: EngineRig) -> LogTail:
    tail = read_tail(rig.directory)
    assert tail is not None
    return tail


def test_a_rolled_back_transaction_has_left_nothing(rig: EngineRig) -> None:
    """Rows, locks and table are free, and stay so when the engine meets the rollback once more."""
    cut = _cut(rig, "plain")
    assert _is_locked(rig, "plain")
    rig.stop()
    roll_back(rig.directory, cut)
    rig.restart()
    with rig.session() as session:
        assert find_on_primary(session) is None
        assert session.query("select i, a from test.plain") == [(-1, "kept")]
    assert not _is_locked(rig, "plain")
    rig.sql("insert into test.plain values (1, 'again')")
    rig.sql("alter table test.plain drop primary key")
    assert rig.sql("select count(*) from test.plain") == [(2,)]
    rig.kill()
    rig.restart()
    with rig.session() as session:
        assert find_on_primary(session) is None
        assert session.query("select count(*) from test.plain") == [(2,)]
    rig.sql("drop table test.plain")


def test_one_whose_redo_lies_before_the_checkpoint_is_found_and_rolled_back(rig: EngineRig) -> None:
    """The engine's figures then say that it has written no log."""
    (orphan,) = _cut(rig, "flushed").transactions
    deadline = time.monotonic() + 60
    with rig.session() as session:
        while facts.checkpoint(session).scn <= orphan.start_scn:
            assert time.monotonic() < deadline
            control.minor_freeze(session)
            time.sleep(1)
    rig.kill()
    rig.restart()
    cut = _found(rig, orphan.trans_id)
    assert cut.transactions[0].flushed_log_size_bytes == 0
    assert _is_locked(rig, "flushed")
    rig.stop()
    roll_back(rig.directory, cut)
    rig.restart()
    with rig.session() as session:
        assert find_on_primary(session) is None
    assert not _is_locked(rig, "flushed")
    rig.sql("insert into test.flushed values (1, 'again')")
    assert rig.sql("select i, a from test.flushed order by i") == [(-1, "new"), (1, "again")]
    rig.sql("drop table test.flushed")


def test_what_this_engine_runs_is_never_found(rig: EngineRig) -> None:
    """With and without rows in the log, beside one that is a cut one."""
    (orphan,) = _cut(rig, "old").transactions
    rig.sql("create table test.living(i bigint primary key, a varchar(4000))")
    with rig.session() as session:
        session.connection.autocommit(False)
        for first in range(0, _ROWS, 1000):
            rows = ",".join(f"({number},repeat('x',4000))" for number in range(first, first + 1000))
            session.execute(f"insert into test.living values {rows}")
            with rig.session() as other:
                assert [each.trans_id for each in facts.orphan_transactions(other)] == [orphan.trans_id]
        session.connection.rollback()
    rig.stop()
    rig.restart()
    cut = _found(rig, orphan.trans_id)
    rig.stop()
    roll_back(rig.directory, cut)
    rig.restart()


def test_the_rest_of_a_torn_group_is_zero_before_anything_of_ours_comes_there(rig: EngineRig) -> None:
    """The engine passes it over, too."""
    cut = _cut(rig, "torn")
    rig.stop()
    end = _tail(rig).end
    path = rig.directory.log_dir / str(block_id_of(end.lsn))
    with path.open("r+b") as block:
        block.seek(file_offset_of(end.lsn))
        block.write(os.urandom(9000))
    roll_back(rig.directory, cut)
    behind = path.read_bytes()[file_offset_of(_tail(rig).end.lsn) :]
    assert behind == bytes(len(behind))
    rig.restart()
    assert not _is_locked(rig, "torn")


def test_nothing_is_written_where_the_log_ends_elsewhere_or_its_block_has_no_room(
    rig: EngineRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.sql("create table test.refused(i int)")
    rig.stop()
    end = _tail(rig).end
    path = rig.directory.log_dir / str(block_id_of(end.lsn))
    before = path.read_bytes()
    one = OrphanTransaction(trans_id=1, start_scn=end.scn, flushed_log_size_bytes=1, is_prepared=False)
    for is_writing, away in ((False, 120), (False, -120), (True, 120)):
        cut = Cut(transactions=(one,), end_lsn=Lsn(end.lsn + away), is_writing=is_writing)
        with pytest.raises(EngineError, match=f"expected {cut.end_lsn.text()}"):
            roll_back(rig.directory, cut)
    monkeypatch.setattr(rollback, "LOG_BLOCK_BYTES", file_offset_of(end.lsn) + 4096)
    with pytest.raises(EngineError, match="has no room"):
        roll_back(rig.directory, Cut(transactions=(one,), end_lsn=end.lsn, is_writing=False))
    assert path.read_bytes() == before
    rig.restart()
    assert rig.sql("select count(*) from test.refused") == [(0,)]
