"""Statements of Holdfast's: who may, in which words and zones, one or many, text or binary, and what is said after."""

from datetime import timedelta, timezone

import pymysql
import pytest
from door_rig import Door
from pymysql.constants import CLIENT
from wire_rig import CLIENT_CAPABILITIES, WireClient, error_of

from holdfast.mysql.flags import Capability, CommandCode, Status
from holdfast.mysql.packets import decode_prepare_ok, status_of
from holdfast.mysql.response import Role
from holdfast.statement import commands
from holdfast.values.grants import Right

pytestmark = pytest.mark.live


@pytest.fixture
def wire(door: Door) -> WireClient:
    client = WireClient.dial(door.port)
    assert client.log_in("root@t1", database="test").payload[0] == 0
    return client


def run(connection: "pymysql.Connection[pymysql.cursors.Cursor]", text: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def refusal(connection: "pymysql.Connection[pymysql.cursors.Cursor]", text: str) -> tuple[int, str]:
    with pytest.raises(pymysql.MySQLError) as refused:
        run(connection, text)
    number, message = refused.value.args
    return number, message


# --- what the desk is told


def test_session_tells_tenant_user_zone_database_and_rights(door: Door) -> None:
    with door.connect("root@t1", database="test") as connection:
        run(connection, "set time_zone = '-03:30'")
        run(connection, "show tenants")
    session = door.desk.sessions[-1]
    assert (session.tenant.name, session.user, session.database) == ("t1", "root", "test")
    assert session.time_zone == timezone(timedelta(hours=-3, minutes=-30))
    assert session.grants.allow(Right.ALTER_SYSTEM)
    assert session.client_id >= 0x70000001


def test_session_lives_as_long_as_the_connection(door: Door) -> None:
    with door.connect() as first, door.connect() as second:
        for connection in (first, second, first):
            run(connection, "show tenants")
    one, other, again = door.desk.sessions
    assert one is again
    assert one is not other


def test_user_without_the_privilege_may_not_alter_the_system(door: Door) -> None:
    with door.connect("plain@t1", password="secret") as connection:
        number, message = refusal(connection, "alter system backup database")
    assert (number, message) == (
        1227,
        "Access denied; you need (at least one of) the ALTER SYSTEM privilege(s) for this operation",
    )


def test_grant_of_alter_system_counts_from_the_next_statement_on(door: Door) -> None:
    with door.connect() as root, door.connect("plain@t1", password="secret") as plain:
        run(root, "grant alter system on *.* to plain")
        try:
            run(plain, "alter system backup database")
        finally:
            run(root, "revoke alter system on *.* from plain")
        assert refusal(plain, "alter system backup database")[0] == 1227


def test_transaction_and_last_insert_id_survive_the_hidden_questions(door: Door) -> None:
    with door.connect(database="test", autocommit=False) as connection:
        run(connection, "create table if not exists counted(i int primary key auto_increment, v int)")
        run(connection, "insert into counted(v) values (7)")
        last = run(connection, "select last_insert_id()")
        run(connection, "alter system archivelog")
        assert run(connection, "select last_insert_id()") == last
        connection.rollback()
        assert run(connection, "select count(*) from counted where v = 7") == [(0,)]


def test_names_beyond_ascii_are_read_and_answered(door: Door) -> None:
    with door.connect(charset="utf8mb4") as connection:
        run(connection, "alter system backup database description '备份 größe'")
        assert door.desk.executed[-1][0] == commands.Backup(database=True, description="备份 größe")
        assert run(connection, "show parameters")[0][0] == "größe 北京"


@pytest.mark.parametrize("text", ["set names binary", "set character_set_results = NULL"])
def test_client_that_wants_results_unconverted_gets_utf8(wire: WireClient, text: str) -> None:
    wire.query(text)
    assert "größe 北京".encode() in wire.query("show parameters")[4].payload


# --- what the client is told


def test_rows_text_integers_and_null_arrive(door: Door) -> None:
    with door.connect() as connection:
        assert run(connection, "show tenants")[:2] == [(1, "sys", None), (1002, "t1", None)]
        assert run(connection, "show parameters")[0] == ("größe 北京", (1 << 64) - 1)


def test_ok_tells_affected_rows_and_warnings(wire: WireClient) -> None:
    payload = wire.query("alter system archivelog")[0].payload
    assert payload == b"\x00\x03\x00" + b"\x02\x00" + b"\x02\x00"


def test_status_is_the_sessions_own(wire: WireClient) -> None:
    """Clients learn from it whether they are in autocommit and in a transaction."""
    wire.query("set autocommit = 0")
    wire.query("replace into test.own values (5, 'five')")
    expected = status_of(wire.query("select 1")[-1].payload) & (Status.AUTOCOMMIT | Status.IN_TRANSACTION)
    status = status_of(wire.query("alter system archivelog")[0].payload)
    assert status & (Status.AUTOCOMMIT | Status.IN_TRANSACTION) == expected == Status.IN_TRANSACTION
    wire.query("rollback")


def test_refusal_has_oceanbases_number_and_text_and_the_hint(door: Door) -> None:
    with door.connect() as connection:
        assert refusal(connection, "alter system set data_backup_dest = 'x'") == (
            9040,
            "backup can not start, because the reason (do this)",
        )


def test_syntax_error_names_the_place(door: Door) -> None:
    with door.connect() as connection:
        number, message = refusal(connection, "alter system\n backup databse")
    assert number == 1064
    assert message.endswith("near 'databse' at line 2")


def test_defect_in_the_desk_is_told_as_internal_and_ends_nothing(door: Door) -> None:
    with door.connect() as connection:
        assert refusal(connection, "alter system set data_backup_dest = 'break'")[0] == 4016
        assert len(run(connection, "show tenants")) == 4


def test_statement_that_would_break_the_tenant_is_refused(door: Door) -> None:
    with door.connect() as connection:
        number, message = refusal(connection, "alter system set mysql_port = 1")
        assert number == 1227
        assert "mysql_port" in message
        assert not door.desk.executed


def test_comments_and_semicolon_do_not_hide_a_statement(door: Door) -> None:
    with door.connect() as connection:
        for text in (
            "/* ApplicationName=DBeaver */ alter system archivelog ;",
            "-- first\n# second\nALTER /* x */ SYSTEM ARCHIVELOG;  ",
        ):
            run(connection, text)
    assert [command for command, *_ in door.desk.executed] == [commands.Archivelog(), commands.Archivelog()]


# --- SHOW WARNINGS


def test_show_warnings_after_an_owned_statement(door: Door) -> None:
    with door.connect() as connection:
        run(connection, "alter system archivelog")
        both = [("Warning", 9040, "first"), ("Warning", 9041, "second")]
        assert run(connection, "show warnings") == both
        assert run(connection, " SHOW  WARNINGS limit 1 ;") == both[:1]
        assert run(connection, "show warnings limit 1, 5") == both[1:]
        assert run(connection, "show warnings limit 1 offset 1") == both[1:]
        assert run(connection, "show count(*) warnings") == [(2,)]
        assert run(connection, "show errors") == []


def test_show_warnings_after_a_refusal_shows_the_error(door: Door) -> None:
    with door.connect() as connection:
        refusal(connection, "alter system set data_backup_dest = 'x'")
        message = "backup can not start, because the reason (do this)"
        assert run(connection, "show warnings") == run(connection, "show errors") == [("Error", 9040, message)]
        assert run(connection, "show count(*) errors") == [(1,)]


def test_next_statement_clears_the_warnings(door: Door) -> None:
    with door.connect() as connection:
        run(connection, "alter system archivelog")
        run(connection, "select 1")
        assert run(connection, "show warnings") == []
        run(connection, "alter system archivelog")
        refusal(connection, "select * from nowhere.t")
        assert run(connection, "show warnings")[0][1] == 1146


# --- texts with several statements


def test_script_runs_in_order_with_one_result_each(wire: WireClient) -> None:
    """Ours and the engine's mixed; numbered through, every result but the last announces another."""
    received = wire.query("set @a = 6 * 7; /* note; */ show tenants; select @a, ';'; alter system archivelog;")
    results = [packet for packet in received if packet.role in (Role.OK, Role.ROWS_END)]
    assert [bool(status_of(packet.payload) & Status.MORE_RESULTS) for packet in results] == [True, True, True, False]
    assert [packet.payload for packet in received if packet.role is Role.ROW][-1] == b"\x0242\x01;"
    assert received[-1].payload[:3] == b"\x00\x03\x00"


def test_script_stops_at_its_first_error(door: Door, wire: WireClient) -> None:
    received = wire.query("show tenants; select * from nowhere.t; alter system archivelog")
    assert error_of(received)[0] == 1146
    assert [command for command, *_ in door.desk.executed] == [commands.ShowTenants()]
    received = wire.query("alter system set data_backup_dest = 'x'; select 1")
    assert [packet.role for packet in received] == [Role.ERROR]
    assert wire.query("select 3")[-2].payload == b"\x013"


def test_script_through_a_real_client(door: Door) -> None:
    with door.connect(client_flag=CLIENT.MULTI_STATEMENTS) as connection, connection.cursor() as cursor:
        cursor.execute("alter system archivelog; show warnings; use test; select database(); show tenants;")
        found = []
        while True:
            found.append(cursor.fetchall())
            if not cursor.nextset():
                break
        assert found[1:4] == [(("Warning", 9040, "first"), ("Warning", 9041, "second")), [], (("test",),)]
        assert len(found) == 5


def test_large_result_in_a_script_is_renumbered(wire: WireClient) -> None:
    received = wire.query("select table_name, column_name from information_schema.columns; show tenants")
    assert sum(packet.role is Role.ROW for packet in received) > 300


def test_script_of_a_client_that_takes_none_is_a_syntax_error(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1", capabilities=CLIENT_CAPABILITIES & ~Capability.MULTI_STATEMENTS)
    number, message = error_of(client.query("select 1; alter system archivelog"))
    assert number == 1064
    assert "near 'alter system archivelog'" in message
    client.ask(CommandCode.SET_OPTION, b"\0\0")
    assert client.query("select 1; alter system archivelog")[-1].role is Role.OK
    client.ask(CommandCode.SET_OPTION, b"\1\0")
    assert error_of(client.query("select 1; alter system archivelog"))[0] == 1064
    client.close()


def test_local_infile_inside_a_script_is_declined(wire: WireClient) -> None:
    wire.query("create table if not exists test.loaded(i int primary key, v varchar(200))")
    received = wire.query("load data local infile 'f' into table test.loaded; alter system archivelog")
    assert error_of(received)[0] == 1235
    assert wire.query("select 3")[-2].payload == b"\x013"


def test_stored_procedure_with_several_results_in_a_script(wire: WireClient) -> None:
    wire.query("drop procedure if exists test.two")
    assert wire.query("create procedure test.two() begin select 1; select 2; end")[-1].role is Role.OK
    received = wire.query("call test.two(); alter system archivelog")
    assert [packet.payload for packet in received if packet.role is Role.ROW] == [b"\x011", b"\x012"]
    assert received[-1].role is Role.OK
    assert not status_of(received[-1].payload) & Status.MORE_RESULTS


def test_writes_of_a_script_are_held_back_too(door: Door, wire: WireClient) -> None:
    door.desk.stalled.add(1002)
    wire.begin(CommandCode.QUERY, b"alter system archivelog; replace into test.own values (8, 'eight')")
    assert wire.packet().payload[0] == 0
    wire.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        wire.socket.recv(1)
    wire.socket.settimeout(10)
    door.desk.stalled.clear()
    assert wire.packet().payload[0] == 0


# --- prepared


def test_prepared_owned_statement_has_the_prepare_shape(door: Door, wire: WireClient) -> None:
    received = wire.ask(CommandCode.STMT_PREPARE, b"alter system archivelog")
    assert [packet.role for packet in received] == [Role.PREPARE_OK]
    head = decode_prepare_ok(received[0].payload)
    assert (head.parameter_count, head.column_count, head.statement_id >> 30) == (0, 0, 1)
    assert not door.desk.executed
    body = head.statement_id.to_bytes(4, "little")
    executed = wire.ask(CommandCode.STMT_EXECUTE, body + b"\x00\x01\0\0\0")
    assert executed[0].payload[:3] == b"\x00\x03\x00"
    assert wire.query("show count(*) warnings")[-2].payload == b"\x012"
    assert wire.ask(CommandCode.STMT_RESET, body)[-1].role is Role.OK
    wire.begin(CommandCode.STMT_CLOSE, body)
    assert error_of(wire.ask(CommandCode.STMT_EXECUTE, body + b"\x00\x01\0\0\0"))[0] == 1243


def test_prepared_rows_come_in_the_binary_protocol(wire: WireClient) -> None:
    received = wire.ask(CommandCode.STMT_PREPARE, b"show tenants")
    head = decode_prepare_ok(received[0].payload)
    assert head.column_count == 3
    assert [packet.role for packet in received[1:]] == [Role.COLUMN] * 3 + [Role.COLUMNS_END]
    rows = wire.ask(CommandCode.STMT_EXECUTE, head.statement_id.to_bytes(4, "little") + b"\x00\x01\0\0\0")
    # 0x00, the bitmap with the third column NULL, 8 bytes of id, the name behind its length.
    assert rows[5].payload == b"\x00\x10" + (1).to_bytes(8, "little") + b"\x03sys"


def test_prepare_of_a_wrong_statement_is_refused_at_once(wire: WireClient) -> None:
    assert error_of(wire.ask(CommandCode.STMT_PREPARE, b"alter system backup databse"))[0] == 1064
    assert error_of(wire.ask(CommandCode.STMT_PREPARE, b"alter system archivelog; show tenants"))[0] == 1295
    assert error_of(wire.ask(CommandCode.STMT_PREPARE, b"alter system set mysql_port = 1"))[0] == 1227


def test_fetch_of_an_owned_statement_is_an_error_not_a_crash(wire: WireClient) -> None:
    head = decode_prepare_ok(wire.ask(CommandCode.STMT_PREPARE, b"show tenants")[0].payload)
    body = head.statement_id.to_bytes(4, "little") + (10).to_bytes(4, "little")
    assert error_of(wire.ask(CommandCode.STMT_FETCH, body))[0] == 1243


def test_too_many_prepared_statements_are_refused(wire: WireClient) -> None:
    from holdfast.gateway import prepared

    for _ in range(prepared.STATEMENT_COUNT_MAX):
        assert wire.ask(CommandCode.STMT_PREPARE, b"alter system archivelog")[0].role is Role.PREPARE_OK
    assert error_of(wire.ask(CommandCode.STMT_PREPARE, b"alter system archivelog"))[0] == 1461


# --- time


def test_engine_is_not_blocked_by_a_desk_that_works(door: Door) -> None:
    """One client's statement takes long at the desk; others are served meanwhile, and so is a login."""
    door.desk.gate.clear()
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.begin(CommandCode.QUERY, b"alter system noarchivelog")
    with door.connect() as other:
        assert run(other, "select 1") == [(1,)]
        assert len(run(other, "show tenants")) == 4
    door.desk.gate.set()
    assert client.packet().payload[0] == 0
    client.close()


def test_client_that_leaves_while_the_desk_works_harms_nobody(door: Door) -> None:
    door.desk.gate.clear()
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.begin(CommandCode.QUERY, b"alter system noarchivelog")
    client.close()
    door.desk.gate.set()
    with door.connect() as other:
        assert len(run(other, "show tenants")) == 4
