"""A transaction that the end of an engine has cut in two keeps its locks for good, until its rollback is in the log."""

import os
import time
from pathlib import Path

import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine import control, facts
from holdfast.engine.facts import OrphanTransaction
from holdfast.engine.session import SqlError
from holdfast.engine_format.log_block import block_id_of, file_offset_of
from holdfast.errors import EngineError
from holdfast.restore import rollback
from holdfast.restore.log_tail import LogTail, read_tail
from holdfast.restore.rollback import roll_back
from holdfast.values.lsn import Lsn

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_ROWS = 9000
_LOCK_WAIT_TIMEOUT = 1205


def _cut(rig: EngineRig, table: str) -> OrphanTransaction:
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
        while not rig.sql("select max(flushed_log_size) from oceanbase.__all_virtual_trans_stat")[0][0]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        rig.kill()
    rig.restart()
    with rig.session() as session:
        (orphan,) = facts.orphan_transactions(session)
        return orphan


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


def test_a_rolled_back_transaction_has_left_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redo in two blocks of the log and some of its rows in the engine's tables: rows, locks and table are free afterwards."""
    with running_engine(tmp_path) as rig:
        orphan = _cut(rig, "first")
        assert not orphan.is_prepared
        assert _is_locked(rig, "first")
        with rig.session() as session:
            control.minor_freeze(session)
            time.sleep(2)
        rig.stop()
        roll_back(rig.directory, [orphan])
        rig.restart()
        with rig.session() as session:
            assert facts.orphan_transactions(session) == ()
            assert session.query("select i, a from test.first") == [(-1, "kept")]
        assert not _is_locked(rig, "first")
        rig.sql("insert into test.first values (1, 'again')")
        rig.sql("alter table test.first drop primary key")
        assert rig.sql("select count(*) from test.first") == [(2,)]
        rig.kill()
        rig.restart()
        with rig.session() as session:
            assert facts.orphan_transactions(session) == ()
            assert session.query("select count(*) from test.first") == [(2,)]
        rig.sql("drop table test.first")

        # The rest of a torn group behind the end is passed over by the engine, and made zero before anything of ours comes there.
        orphan = _cut(rig, "second")
        rig.stop()
        end = _tail(rig).end
        path = rig.directory.log_dir / str(block_id_of(end.lsn))
        with path.open("r+b") as block:
            block.seek(file_offset_of(end.lsn))
            block.write(os.urandom(9000))
        roll_back(rig.directory, [orphan])
        behind = path.read_bytes()[file_offset_of(_tail(rig).end.lsn) :]
        assert behind == bytes(len(behind))
        rig.restart()
        assert not _is_locked(rig, "second")

        # Another end than the one at which they were found, or no room: nothing is written.
        rig.stop()
        end = _tail(rig).end
        before = path.read_bytes()
        with pytest.raises(EngineError, match="expected 0000000000000005"):
            roll_back(rig.directory, [orphan], Lsn(5))
        with monkeypatch.context() as small:
            small.setattr(rollback, "LOG_BLOCK_BYTES", file_offset_of(end.lsn) + 4096)
            with pytest.raises(EngineError, match="has no room"):
                roll_back(rig.directory, [orphan], end.lsn)
        assert path.read_bytes() == before
        rig.restart()
        assert rig.sql("select i, a from test.second") == [(-1, "new")]
