"""Restores to moments at which definitions change: behind much log, in the middle of an ALTER, in the middle of a CREATE TABLE AS.

One server, one source; every restored tenant is dropped before the next one comes.
"""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.facts import orphan_transactions
from holdfast.engine.process import EMBEDDED, EngineProcess, EngineSettings
from holdfast.engine.role import EngineRole
from holdfast.engine.session import connect
from server_rig import Client, Server, archive, backup, restore, running_server, wait_archived, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

ROWS = 100_000
_DIGITS = "(" + " union ".join(f"select {digit} n" for digit in range(10)) + ")"
_NUMBERS = (
    "select a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n x from "
    f"{_DIGITS} a, {_DIGITS} b, {_DIGITS} c, {_DIGITS} d, {_DIGITS} e"
)
_WITHOUT_SESSION = (
    "select count(*) from oceanbase.__all_virtual_trans_stat"
    " where session_id = 0 and expired_time is null and last_op_sn = 0 and is_exiting = 0"
)
_HALF_MADE = (
    "select count(*) from oceanbase.__all_table where table_type = 3 and table_id > 500000"
    " and (session_id <> 0 or table_name like '__hidden%')"
)


@dataclass(frozen=True)
class Moments:
    """SCNs of the source: behind 30 MB of log and a new table; while `big` was rebuilt; while `copy` was filled."""

    server: Server
    client: Client
    place: Path
    new_table: int
    rebuilding: int
    filling: int


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moments]:
    home = tmp_path_factory.mktemp("half_made")
    with running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT source")
        archive(client, "source", home / "backup")
        with server.client("root@source") as user, server.client("root@source") as other:
            user.run("create table test.big(id int primary key, v int, s varchar(400))")
            assert backup(client, "source") == ("COMPLETED", 0, "")
            for part in range(2):
                user.run(
                    f"insert into test.big select {part * ROWS} + x, x % 1000, repeat('x', 100) from ({_NUMBERS}) q"
                )
            user.run("create table test.behind(i int primary key)")
            user.run("insert into test.behind values (1)")
            new_table = int(user.one("select current_scn()"))
            rebuilding = _moment_within(user, other, "alter table test.big drop primary key")
            filling = _moment_within(user, other, "create table test.copy as select * from test.big")
            end_scn = int(user.one("select current_scn()"))
        wait_archived(client, end_scn)
        yield Moments(server, client, home / "backup", new_table, rebuilding, filling)
        assert "a query does not find the table" not in server.log.read_text()
    shutil.rmtree(home, ignore_errors=True)


def _moment_within(user: Client, other: Client, statement: str) -> int:
    """Run the statement; return an SCN at which the engine's dictionary held what it was making.

    In the middle of them: at the first the engine may not have written a row yet, at the last it may have committed.
    """
    found: list[int] = []
    thread = threading.Thread(target=lambda: other.run(statement))
    thread.start()
    while thread.is_alive():
        if user.one(_HALF_MADE):
            scn = int(user.one("select current_scn()"))
            found += [scn] if user.one(_HALF_MADE) else []
        time.sleep(0.005)
    thread.join()
    assert found, f"over before it was seen: {statement}"
    return found[len(found) // 2]


def _tables(server: Server, name: str) -> list[tuple[object, ...]]:
    """Return what the tenant shows; nothing while its engine is on its way."""
    with contextlib.suppress(pymysql.MySQLError), server.client(f"root@{name}") as user:
        return user.rows("show tables in test")
    return []


def test_a_table_made_behind_much_log_is_there_while_the_tenant_is_a_standby(moments: Moments) -> None:
    """An embedded engine takes in the definitions once, while it starts, and never learns of this one."""
    # The COMMENT may name a transaction of the engine's own: at a moment that nobody chose, one may be under way.
    status, comment = restore(moments.client, "back1", moments.place, f"UNTIL SCN = {moments.new_table}")
    assert status == "SUCCESS", comment
    with moments.server.client("root@back1") as back:
        assert back.rows("select i from test.behind") == [(1,)]
        assert back.one("select count(*) from test.big") == 2 * ROWS
    engine = EngineProcess.adopt(moments.server.directory(moments.server.tenant_ids()[-1]))
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    wait_for(lambda: _tables(moments.server, "back1"), lambda tables: tables == [("behind",), ("big",)])
    moments.client.run("DROP TENANT back1 FORCE")


def test_an_alter_under_way_at_the_target_is_ended_by_the_promoted_tenant(moments: Moments) -> None:
    status, comment = restore(moments.client, "back2", moments.place, f"UNTIL SCN = {moments.rebuilding}")
    assert status == "SUCCESS", comment
    with moments.server.client("root@back2") as back:
        assert back.one("select count(*) from test.big") == 2 * ROWS
        moments.client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = back2")
        wait_for(lambda: back.one(_HALF_MADE), lambda count: count == 0)
        # Carried out or undone, as far as the engine had got; in either case the table is whole and free again.
        key = "select count(*) from information_schema.statistics where table_name = 'big' and index_name = 'PRIMARY'"
        again = "insert into test.big values (1, 1, 'a second row with this id')"
        if back.one(key):
            assert back.refused(again)[0] == 1062
        else:
            back.run(again)
            assert back.one("select count(*) from test.big where id = 1") == 2
        back.run("create index iv on test.big(v)")
    moments.client.run("DROP TENANT back2 FORCE")


def test_a_create_table_as_under_way_at_the_target_is_told_and_rolled_back_by_the_promotion(moments: Moments) -> None:
    status, comment = restore(moments.client, "back3", moments.place, f"UNTIL SCN = {moments.filling}")
    assert status == "SUCCESS", comment
    assert "keep their row locks until ACTIVATE STANDBY rolls them back" in comment
    with moments.server.client("root@back3") as back:
        assert back.rows("show tables in test") == [("behind",), ("big",)]
        assert back.one("select count(*) from test.big") == 2 * ROWS
    moments.client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = back3")
    assert " transactions that the end of its log had cut" in moments.server.log.read_text()
    with moments.server.client("root@back3") as back:
        assert back.one(_WITHOUT_SESSION) == 0
        back.run("alter table test.big add column w int")
        back.run("update test.big set w = 1 where id = 5")
        back.run("create table test.copy as select * from test.behind")
        back.run("drop table test.big")
        assert back.rows("show tables in test") == [("behind",), ("copy",)]
    moments.client.run("DROP TENANT back3 FORCE")


def test_a_standby_that_a_server_of_before_embedded_is_started_anew(
    moments: Moments, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, comment = restore(moments.client, "back4", moments.place, f"UNTIL SCN = {moments.new_table}")
    assert status == "SUCCESS", comment
    directory = moments.server.directory(moments.server.tenant_ids()[-1])
    moments.server.kill()
    engine = EngineProcess.adopt(directory)
    assert engine is not None
    assert not engine.was_started_with(EMBEDDED)
    engine.stop()
    with monkeypatch.context() as old:
        old.setattr(EngineSettings, "is_embedded", lambda self, version: True)
        engine = EngineProcess.start(directory, EngineSettings(role=EngineRole.STANDBY))
    assert engine.was_started_with(EMBEDDED)
    moments.server.start()
    wait_for(lambda: _tables(moments.server, "back4"), lambda tables: tables == [("behind",), ("big",)])
    anew = EngineProcess.adopt(directory)
    assert anew is not None
    assert anew.pid != engine.pid
    assert not anew.was_started_with(EMBEDDED)


def _kill_inside_a_transaction(directory: EngineDirectory) -> None:
    """Kill the engine while redo of an open transaction is in its log."""
    with connect(directory.socket, "root", "") as user, connect(directory.socket, "root", "") as other:
        user.execute("drop table if exists test.cut")
        user.execute("create table test.cut(id int primary key, s varchar(400))")
        user.execute("insert into test.cut values (-1, 'kept')")
        user.execute("begin")
        user.execute("update test.cut set s = 'lost' where id = -1")
        user.execute(f"insert into test.cut select x, repeat('x', 300) from ({_NUMBERS}) q")
        flushed = "select max(flushed_log_size) from oceanbase.__all_virtual_trans_stat"
        wait_for(lambda: other.query(flushed)[0][0], bool)
        engine = EngineProcess.adopt(directory)
        assert engine is not None
        os.kill(engine.pid, signal.SIGKILL)
        wait_for(engine.is_alive, lambda is_alive: not is_alive)


def _is_whole(server: Server) -> None:
    wait_for(lambda: _tables(server, "source"), bool)
    with server.client("root@source") as user:
        assert user.one(_WITHOUT_SESSION) == 0
        assert user.rows("select id, s from test.cut") == [(-1, "kept")]
        user.run("update test.cut set s = 'new' where id = -1")
        user.run("alter table test.cut drop primary key")


def test_an_engine_killed_inside_a_transaction_comes_back_without_it(moments: Moments) -> None:
    """By itself a seekdb keeps its row locks for good, through every restart."""
    _kill_inside_a_transaction(moments.server.directory(moments.server.tenant_ids()[1]))
    _is_whole(moments.server)
    with moments.server.client("root@source") as user:
        scn = int(user.one("select current_scn()"))
    # The archive goes on over the rollback, and so does a restore behind it. (The server was killed since the first client's login.)
    with moments.server.client() as client:
        wait_archived(client, scn)
        status, comment = restore(client, "back5", moments.place, f"UNTIL SCN = {scn}")
        assert status == "SUCCESS", comment
    with moments.server.client("root@back5") as back:
        assert back.rows("select id, s from test.cut") == [(-1, "new")]


def test_a_server_killed_before_it_could_look_leaves_it_to_the_next_one(moments: Moments) -> None:
    """An engine that lives with a cut transaction is adopted, and started once more."""
    directory = moments.server.directory(moments.server.tenant_ids()[1])
    moments.server.kill()
    _kill_inside_a_transaction(directory)
    engine = EngineProcess.start(directory, EngineSettings())
    with connect(directory.socket, "root", "") as session:
        assert len(orphan_transactions(session)) == 1
    moments.server.start()
    _is_whole(moments.server)
    assert not engine.is_alive()
