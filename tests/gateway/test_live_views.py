"""A user tenant reads its dictionary views from the sys engine, and nothing else there."""

from pathlib import Path

import pymysql
import pytest
from door_rig import Door, within
from wire_rig import WireClient, error_of

from holdfast.engine.session import connect
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.packets import decode_prepare_ok
from holdfast.mysql.response import Role

pytestmark = pytest.mark.live

VIEW = "oceanbase.DBA_OB_BACKUP_JOBS"


def run(connection: "pymysql.Connection[pymysql.cursors.Cursor]", text: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def refusal(connection: "pymysql.Connection[pymysql.cursors.Cursor]", text: str) -> tuple[int, str]:
    with pytest.raises(pymysql.MySQLError) as refused:
        run(connection, text)
    number, message = refused.value.args
    return number, message


def test_view_shows_only_the_tenants_rows(door: Door) -> None:
    with door.connect("root@t1") as connection:
        assert run(connection, f"select job_id, status from {VIEW}") == [(1, "COMPLETED")]


def test_view_is_brought_up_to_date_before_it_is_read(door: Door) -> None:
    with door.connect("root@t1") as connection:
        run(connection, f"select count(*) from {VIEW}")
    assert door.desk.refreshed == [(1002, "DBA_OB_BACKUP_JOBS")]


def test_sys_reads_its_real_views_on_its_own_connection(door: Door) -> None:
    with door.connect("root@sys") as connection:
        assert len(run(connection, "select * from oceanbase.CDB_OB_BACKUP_JOBS")) == 2
    assert door.desk.refreshed == [(1, "CDB_OB_BACKUP_JOBS")]


def test_headings_stay_as_typed(door: Door) -> None:
    with door.connect("root@t1") as connection, connection.cursor() as cursor:
        cursor.execute(f"select Job_ID, if(1, 'a', 'b') , date_format(at, '%H:%i:%s') from {VIEW}")
        assert [column[0] for column in cursor.description or ()] == [
            "Job_ID", "if(1, 'a', 'b')", "date_format(at, '%H:%i:%s')",
        ]  # fmt: skip


@pytest.mark.parametrize("how", ["login", "init_db", "use"])
def test_bare_name_is_found_when_the_current_schema_is_oceanbase(door: Door, how: str) -> None:
    """However it became the current schema: the engine is asked, so a USE inside a text counts too."""
    with door.connect("root@t1", database="oceanbase" if how == "login" else None) as connection:
        if how == "init_db":
            connection.select_db("oceanbase")
        elif how == "use":
            run(connection, "use oceanbase")
        assert run(connection, "select count(*) from dba_ob_backup_jobs") == [(1,)]


def test_show_columns_from_oceanbase_is_answered(door: Door) -> None:
    with door.connect("root@t1") as connection:
        assert [row[0] for row in run(connection, "show columns from DBA_OB_BACKUP_JOBS from oceanbase")] == [
            "job_id", "status", "at",
        ]  # fmt: skip
        assert [row[0] for row in run(connection, f"desc {VIEW}")] == ["job_id", "status", "at"]


def test_time_zone_of_the_session_counts_in_views(door: Door) -> None:
    with door.connect("root@t1") as connection:
        hours = []
        for zone in ("+08:00", "+00:00", "-05:30"):
            run(connection, f"set time_zone = '{zone}'")
            hours += run(connection, f"select date_format(at, '%H:%i') from {VIEW}")
        assert hours == [("10:00",), ("02:00",), ("20:30",)]


def test_charset_of_the_session_counts_in_views(door: Door) -> None:
    with door.connect("root@t1", charset="utf8mb4") as connection:
        run(connection, "set collation_connection = 'utf8mb4_bin'")
        assert run(connection, f"select collation('x'), count(*) from {VIEW}") == [("utf8mb4_bin", 1)]
        assert run(connection, f"select concat(status, '成功') from {VIEW}") == [("COMPLETED成功",)]


def test_join_with_a_table_of_the_tenant_is_refused_clearly(door: Door) -> None:
    with door.connect("root@t1") as connection:
        number, message = refusal(connection, f"select * from {VIEW} j join test.own o on o.i = j.job_id")
        assert number == 1142
        assert "cannot read this tenant's own tables" in message
        assert "hf_t1002" not in message
        number, message = refusal(connection, f"select * from {VIEW} j join oceanbase.nowhere o")
        assert "cannot read this tenant's own tables" in message


def test_hostile_queries_are_stopped_by_grants(door: Door) -> None:
    """The rewriting is no fence; the views user is."""
    with door.connect("root@t1") as connection:
        for text in (
            f"select job_id from {VIEW} union select job_id from hfcat.jobs",
            f"select job_id from {VIEW} union select job_id from oceanbase.CDB_OB_BACKUP_JOBS",
            f"select * from {VIEW} into outfile '/tmp/stolen'",
            f"explain select * from {VIEW} join hfcat.jobs",
        ):
            assert refusal(connection, text)[0] in (1142, 1227), text


def test_schema_of_the_views_is_not_told(door: Door) -> None:
    with door.connect("root@t1") as connection:
        _, message = refusal(connection, f"select * from {VIEW}, t1002.nowhere")
        assert "t1002" not in message


def test_views_connection_is_read_only(door: Door) -> None:
    with door.connect("root@t1") as connection:
        assert run(connection, f"select @@session.transaction_read_only from {VIEW}") == [(1,)]


def test_view_name_in_a_string_is_the_engines_statement(door: Door) -> None:
    with door.connect("root@t1", database="test") as connection:
        assert run(connection, "select v from own where i = 1 and v <> 'oceanbase.DBA_OB_BACKUP_JOBS'") == [("one",)]
        assert door.desk.refreshed == []


def test_view_in_a_script(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    received = client.query("use oceanbase; select status from DBA_OB_BACKUP_JOBS; select 9")
    assert [packet.payload for packet in received if packet.role is Role.ROW] == [b"\x09COMPLETED", b"\x019"]
    client.close()


# --- prepared


def test_prepared_view_is_kept_apart_by_its_high_bit(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    text = f"select status from {VIEW} where job_id = ?".encode()
    view = decode_prepare_ok(client.ask(CommandCode.STMT_PREPARE, text)[0].payload)
    own = decode_prepare_ok(client.ask(CommandCode.STMT_PREPARE, b"select ? + 1")[0].payload)
    assert (view.statement_id >> 31, own.statement_id >> 31, view.parameter_count) == (1, 0, 1)
    one = b"\x00\x01\0\0\0" + b"\x00\x01\x08\x00" + (1).to_bytes(8, "little")
    body = view.statement_id.to_bytes(4, "little")
    for _ in range(2):
        assert client.ask(CommandCode.STMT_EXECUTE, body + one)[-2].payload.endswith(b"COMPLETED")
        assert client.ask(CommandCode.STMT_EXECUTE, own.statement_id.to_bytes(4, "little") + one)[-1].ends
    assert door.desk.refreshed == [(1002, "DBA_OB_BACKUP_JOBS")] * 2
    assert client.ask(CommandCode.STMT_RESET, body)[-1].role is Role.OK
    client.begin(CommandCode.STMT_CLOSE, body)
    assert error_of(client.ask(CommandCode.STMT_EXECUTE, body + one))[0] == 1243
    assert client.query("select 1")[-1].ends
    client.close()


def test_prepared_view_with_a_cursor_is_fetched(door: Door) -> None:
    """The cursor lives on the views connection, so FETCH must find its way there."""
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    view = decode_prepare_ok(client.ask(CommandCode.STMT_PREPARE, f"select status from {VIEW}".encode())[0].payload)
    body = view.statement_id.to_bytes(4, "little")
    opened = client.ask(CommandCode.STMT_EXECUTE, body + b"\x01\x01\0\0\0")
    if opened[-1].role is Role.COLUMNS_END:
        opened = client.ask(CommandCode.STMT_FETCH, body + (10).to_bytes(4, "little"))
    assert any(packet.payload.endswith(b"COMPLETED") for packet in opened)
    client.close()


def test_long_data_of_a_prepared_view_reaches_the_views_connection(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    text = f"select length(?) from {VIEW}".encode()
    view = decode_prepare_ok(client.ask(CommandCode.STMT_PREPARE, text)[0].payload)
    body = view.statement_id.to_bytes(4, "little")
    client.begin(CommandCode.STMT_SEND_LONG_DATA, body + b"\0\0" + b"x" * 100)
    client.begin(CommandCode.STMT_SEND_LONG_DATA, body + b"\0\0" + b"x" * 2_000_000)
    executed = client.ask(CommandCode.STMT_EXECUTE, body + b"\x00\x01\0\0\0" + b"\x00\x01\xfc\x00")
    assert int.from_bytes(executed[-2].payload[2:10], "little") == 2_000_100
    client.close()


# --- trouble


def test_lost_views_connection_is_opened_again(door: Door, engine_socket: Path) -> None:
    with door.connect("root@t1") as connection, connect(engine_socket, "root", "") as root:
        run(connection, f"select count(*) from {VIEW}")
        ids = [row[0] for row in root.query("show full processlist") if row[1] == "hf_t1002"]
        assert ids
        for views_id in ids:
            root.execute(f"kill {views_id}")
        assert within(30, lambda: run(connection, f"select count(*) from {VIEW}") == [(1,)])


def test_query_of_a_view_is_ended_by_kill_query(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    assert client.greeting is not None
    client.begin(CommandCode.QUERY, f"select sleep(10) from {VIEW}".encode())
    with door.connect("root@t1") as other:
        assert within(30, lambda: any("sleep(10)" in str(row[7]) for row in run(other, "show full processlist")))
        run(other, f"kill query {client.greeting.connection_id}")
    client.socket.settimeout(5)
    received = client.end(CommandCode.QUERY)
    assert received[-1].role is Role.ERROR or received[-2].payload == b"\x011"
    client.close()


def test_nobody_reads_in_sys_behind_with_what_he_may_not_read(door: Door) -> None:
    """The engine asks for no right of a table that a common table expression reads."""
    hashes = "with x as (select passwd from oceanbase.__all_user) select * from x"
    with door.connect("plain@sys", password="secret") as plain, plain.cursor() as cursor:
        for text in (
            hashes,
            f"select * from ({hashes}) y",
            f"create view test.v1 as {hashes}",
            f"prepare s from '{hashes}'",
            f"/*! {hashes} */",
            f"explain {hashes}",
        ):
            with pytest.raises(pymysql.MySQLError) as refused:
                cursor.execute(text)
            assert refused.value.args[0] == 1142, text
        cursor.execute(f"set @s = '{hashes}'")
        with pytest.raises(pymysql.MySQLError) as refused:
            cursor.execute("prepare s from @s")
        assert refused.value.args[0] == 1142
    with door.connect("root@sys") as root, root.cursor() as cursor:
        assert cursor.execute(hashes)
