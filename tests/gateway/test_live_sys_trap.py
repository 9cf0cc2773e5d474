"""What a client makes in the sys tenant: it is made as ever, and the client is told that it is never backed up."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door
from hypothesis import given
from hypothesis import strategies as st
from wire_rig import CLIENT_CAPABILITIES, WireClient, wiretap

from holdfast.gateway.sys_trap import (
    Executing,
    Making,
    Preparing,
    Trap,
    concerns,
    makes_user_data,
    read_trap,
    warning_count_of,
)
from holdfast.mysql.flags import Capability, CommandCode
from holdfast.mysql.framing import frame
from holdfast.mysql.packets import decode_prepare_ok
from holdfast.mysql.response import Received, Role

NAMES = ("trap_a", "trap_b", "trap_c")


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        (b"create database x", True),
        (b"CREATE SCHEMA IF NOT EXISTS x;", True),
        (b" /* why */ create -- so\n table test.t (i int)", True),
        (b"create\ttable t as select 1", True),
        (b"create temporary table t (i int)", False),
        (b"create user x", False),
        (b"create tenant x", False),
        (b"create tables", False),
        (b"createdatabase x", False),
        (b"select 'create database x'", False),
        (b"-- create database x\nselect 1", False),
        (b"insert into t values ('create table x')", False),
        (b"create table t (v varchar(9) default ';')", True),
        (b"/*!40000 create database x */", True),
        (b"CREATE /*!32312 IF NOT EXISTS*/ DATABASE x", True),
        (b"create external table t (i int)", True),
        (b"fork table a to b", True),
        (b"fork database a to b", True),
        (b"create view v as select * from table_a", False),
        (b"create procedure p() create table t (i int)", False),
        (b"create index i on t (table)", False),
        (b"prepare s from 'create table t (i int)'", False),
        (b"", False),
    ],
)
def test_statements_that_make_user_data_are_told_by_their_first_words(text: bytes, makes: bool) -> None:
    assert makes_user_data(text) is makes


@pytest.mark.parametrize(
    ("text", "trap"),
    [
        (b"create table t (i int)", Making()),
        (b"prepare s from 'create table t (v int default \\'1\\')'", Preparing("s", text=b"create table t (v int default '1')")),
        (b'/* a */ PREPARE `My S` FROM "select 1"', Preparing("my s", text=b"select 1")),
        (b"prepare s from @`a b`", Preparing("s", variable=b"@`a b`")),
        (b"prepare s from 'create table t (i int comment '" + b"x" * 9000 + b"')", Preparing("s", text=b"create table t (i int comment ")),
        (b"execute S using @a", Executing("s")),
        (b"prepare s from 7", None),
        (b"prepare", None),
        (b"execute", None),
        (b"deallocate prepare s", None),
        (b"select 1", None),
    ],
)  # fmt: skip
def test_what_a_statement_has_to_do_with_the_trap(text: bytes, trap: Trap | None) -> None:
    assert read_trap(text) == trap


@given(st.binary(max_size=80))
def test_any_bytes_are_a_trap_or_not(text: bytes) -> None:
    for candidate in (text, b"create " + text, b"prepare s from " + text, b"select 1; fork " + text):
        read_trap(candidate)
        concerns(candidate, "latin-1", set())
        concerns(candidate, "gbk", {"s"})


@pytest.mark.parametrize(
    ("text", "watched"),
    [
        (b"select 1; create database x", True),
        (b"select 'create database x'; select 1", False),
        (b"select ';create database x'", False),
        (b"prepare s from @v; execute s", True),
        (b"select 1; execute made", True),
        (b"select 1; execute other", False),
        (b"insert into t values ('a;b')", False),
    ],
)
def test_a_text_of_several_is_watched_for_each_of_its_statements(text: bytes, watched: bool) -> None:
    assert concerns(text, "latin-1", {"made"}) is watched


@pytest.fixture
def root(door: Door) -> Iterator["pymysql.Connection[pymysql.cursors.Cursor]"]:
    with door.connect("root@sys") as connection:
        yield connection
        with connection.cursor() as cursor:
            for name in NAMES:
                cursor.execute(f"drop database if exists {name}")
            cursor.execute("drop table if exists test.trapped")


def warned(connection: "pymysql.Connection[pymysql.cursors.Cursor]", text: str) -> list[tuple[object, ...]]:
    """Run `text` and return what SHOW WARNINGS says; the OK must have counted as many."""
    with connection.cursor() as cursor:
        cursor.execute(text)
        count = cursor.warning_count
        cursor.execute("show warnings")
        rows = list(cursor.fetchall())
        cursor.execute("show count(*) warnings")
        assert cursor.fetchone() == (count,)
    assert count == len(rows)
    return rows


@pytest.mark.live
@pytest.mark.parametrize(
    "text", ["create database trap_a", "/* a */ CREATE  SCHEMA trap_b ;", "create table test.trapped (i int)"]
)
def test_sys_warns_of_what_is_never_backed_up(root: "pymysql.Connection[pymysql.cursors.Cursor]", text: str) -> None:
    ((level, number, message),) = warned(root, text)
    assert (level, number) == ("Warning", 1235)
    assert "never backed up" in str(message)
    assert "log in as root@app" in str(message)


@pytest.mark.live
def test_the_engines_own_warnings_stay(root: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
    with root.cursor() as cursor:
        cursor.execute("create database trap_a")
    own, ours = warned(root, "create database if not exists trap_a")
    assert own[:2] == ("Note", 1007)
    assert ours[1] == 1235


@pytest.mark.live
def test_an_error_is_the_engines_alone(root: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
    with root.cursor() as cursor:
        cursor.execute("create database trap_a")
        with pytest.raises(pymysql.MySQLError) as refused:
            cursor.execute("create database trap_a")
        assert refused.value.args[0] == 1007
        cursor.execute("show warnings")
        assert [row[:2] for row in cursor.fetchall()] == [("Error", 1007)]


@pytest.mark.live
def test_the_warning_is_of_that_statement_alone(root: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
    with root.cursor() as cursor:
        cursor.execute("create database trap_a")
        cursor.execute("select 1")
        assert cursor.warning_count == 0
        cursor.execute("show warnings")
        assert cursor.fetchall() == ()


def counts_of(received: list[Received]) -> list[int]:
    return [warning_count_of(one.payload) for one in received if one.role is Role.OK]


@pytest.fixture
def wire(root: object, door: Door) -> Iterator[WireClient]:
    """A client in sys; `root` clears up what it makes."""
    client = WireClient.dial(door.port)
    client.log_in("root@sys")
    yield client
    client.close()


def told(client: WireClient) -> list[bytes]:
    """Return the rows of SHOW WARNINGS."""
    return [one.payload for one in client.query("show warnings") if one.role is Role.ROW]


@pytest.mark.live
def test_each_statement_of_a_text_of_several_is_warned_of(wire: WireClient) -> None:
    received = wire.query("create database trap_a; set @a = 1; create table test.trapped (v char(3) default ';')")
    assert counts_of(received) == [1, 0, 1]
    assert [b"never backed up" in row for row in told(wire)] == [True]
    assert counts_of(wire.query("create database trap_b; set @a = 1")) == [1, 0]
    assert told(wire) == []
    received = wire.query("create database trap_c; create database trap_c; set @a = 1")
    assert (counts_of(received), received[-1].role) == ([1], Role.ERROR)
    assert wire.query("select 1")[-1].ends


@pytest.mark.live
def test_a_client_that_announced_no_texts_of_several_is_warned_too(root: object, door: Door) -> None:
    """The engine carries them out all the same."""
    client = WireClient.dial(door.port)
    client.log_in("root@sys", capabilities=CLIENT_CAPABILITIES & ~Capability.MULTI_STATEMENTS)
    assert counts_of(client.query("set @a = 1; create database trap_a")) == [0, 1]
    client.close()


@pytest.mark.live
@pytest.mark.parametrize(
    "prepare",
    [
        "prepare `S 1` from 'create database if not exists trap_a'",
        "set @v = 'create database if not exists trap_a'; prepare `S 1` from @v; set @v = 'select 1'",
    ],
)
def test_what_was_prepared_in_the_text_protocol_is_warned_of_when_it_is_executed(
    wire: WireClient, prepare: str
) -> None:
    assert set(counts_of(wire.query(prepare))) == {0}
    assert counts_of(wire.query("execute `s 1`")) == [1]
    assert len(told(wire)) == 1
    assert counts_of(wire.query("select 1; execute `s 1`")) == [2], "the engine has a note of its own"
    assert len(told(wire)) == 2
    wire.query("prepare `s 1` from 'set @a = 1'")
    assert counts_of(wire.query("execute `s 1`")) == [0], "another statement of that name"
    assert told(wire) == []


@pytest.mark.live
def test_prepared_and_executed_within_one_text(wire: WireClient) -> None:
    assert counts_of(wire.query("prepare s from 'create database trap_a'; execute s")) == [0, 1]


@pytest.mark.live
def test_what_was_prepared_in_the_binary_protocol_is_warned_of_when_it_is_executed(wire: WireClient) -> None:
    made = wire.ask(CommandCode.STMT_PREPARE, b"create database if not exists trap_b")
    other = wire.ask(CommandCode.STMT_PREPARE, b"set @a = 1")
    body, plain = (decode_prepare_ok(one[0].payload).statement_id.to_bytes(4, "little") for one in (made, other))
    rest = b"\x00\x01\0\0\0"
    assert counts_of(wire.ask(CommandCode.STMT_EXECUTE, body + rest)) == [1]
    assert len(told(wire)) == 1
    assert counts_of(wire.ask(CommandCode.STMT_EXECUTE, plain + rest)) == [0]
    assert told(wire) == []
    wire.begin(CommandCode.STMT_CLOSE, body)
    assert wire.ask(CommandCode.STMT_EXECUTE, body + rest)[-1].role is Role.ERROR


@pytest.mark.live
def test_a_fork_is_warned_of(wire: WireClient) -> None:
    wire.query("create table test.trapped (i int primary key)")
    assert counts_of(wire.query("fork table test.trapped to test.trapped_fork")) == [1]
    wire.query("drop table test.trapped_fork")


@pytest.mark.live
def test_com_create_db_makes_nothing(wire: WireClient) -> None:
    """The engine refuses it; one that carries it out some day needs the warning."""
    assert wire.ask(CommandCode.CREATE_DB, b"trap_a")[-1].role is Role.ERROR


@pytest.mark.live
def test_a_user_tenant_is_not_warned(door: Door) -> None:
    with door.connect("root@t1") as connection, connection.cursor() as cursor:
        cursor.execute("create database trap_c")
        assert cursor.warning_count == 0
        cursor.execute("drop database trap_c")
        cursor.execute("prepare s from 'create database trap_c'")
        cursor.execute("execute s")
        assert cursor.warning_count == 0
        cursor.execute("drop database trap_c")


@pytest.mark.live
def test_the_statement_goes_to_the_engine_as_it_came_and_the_answer_differs_by_the_count(
    engine_socket: Path, tmp_path: Path
) -> None:
    text = "create   database\ttrap_b /* as it came */ ;"
    answers: list[Received] = []
    heard: list[bytes] = []
    with wiretap(engine_socket, tmp_path / "tap", heard) as tapped, open_door(tapped) as door:
        for user in ("root@t1", "root@sys"):  # one engine plays both
            client = WireClient.dial(door.port)
            client.log_in(user)
            answers += client.query(text)
            client.query("drop database trap_b")
            client.close()
    plain, told = answers
    assert (plain.role, told.role, plain.sequence, told.sequence) == (Role.OK, Role.OK, 1, 1)
    assert (warning_count_of(plain.payload), warning_count_of(told.payload)) == (0, 1)
    assert len(plain.payload) == len(told.payload)
    assert sum(a != b for a, b in zip(plain.payload, told.payload, strict=True)) == 1
    packet = frame(0, CommandCode.QUERY.to_bytes(1, "little") + text.encode())
    assert [data for data in heard if b"trap_b /*" in data] == [packet, packet]
