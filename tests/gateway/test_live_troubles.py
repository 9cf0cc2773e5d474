"""Whatever a question to the desk or to the sys engine raises is answered with an error packet, and the connection goes on."""

import ast
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, within
from wire_rig import WireClient, error_of, wiretap

import holdfast.gateway
from holdfast import codes
from holdfast.errors import EngineError, HoldfastError, StoreUnavailableError, refuse
from holdfast.gateway import statements
from holdfast.gateway.facts import EngineRefusedError
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.packets import ServerError, decode_prepare_ok
from holdfast.mysql.response import Received, Role

VIEW = "oceanbase.DBA_OB_BACKUP_JOBS"
SYS_VIEW = "oceanbase.CDB_OB_BACKUP_JOBS"
AWAY = EngineError("the sys tenant's engine can not be reached: a test")
BROKEN = StoreUnavailableError("file:///nowhere: Input/output error: a test")
REFUSED = refuse(codes.OB_BACKUP_CAN_NOT_START, "a test")
DEFECT = ZeroDivisionError("a row's value")
SLOW = TimeoutError("a defect that asyncio has a meaning for")
LOST = ConnectionResetError("a defect that looks like a client's end")
TROUBLES = (AWAY, BROKEN, REFUSED, DEFECT, SLOW, LOST)


def number_of(trouble: Exception) -> int:
    return trouble.code.client if isinstance(trouble, HoldfastError) else 4016


def execute_prepared(client: WireClient, text: str) -> list[Received]:
    prepared = client.ask(CommandCode.STMT_PREPARE, text.encode())
    if prepared[0].role is not Role.PREPARE_OK:
        return prepared
    statement_id = decode_prepare_ok(prepared[0].payload).statement_id.to_bytes(4, "little")
    return client.ask(CommandCode.STMT_EXECUTE, statement_id + b"\x00\x01\0\0\0")


ASKED: dict[str, tuple[str, str, Callable[[WireClient], list[Received]]]] = {
    "a view of sys": ("before_view", "root@sys", lambda client: client.query(f"select * from {SYS_VIEW}")),
    "a view of sys in a script": (
        "before_view",
        "root@sys",
        lambda client: client.query(f"select 1; select * from {SYS_VIEW}; show tenants"),
    ),
    "a view of a tenant": ("before_view", "root@t1", lambda client: client.query(f"select * from {VIEW}")),
    "a prepared view of a tenant": (
        "before_view",
        "root@t1",
        lambda client: execute_prepared(client, f"select * from {VIEW}"),
    ),
    "the login for views": ("views_login", "root@t1", lambda client: client.query(f"select * from {VIEW}")),
    "the login for a prepared view": (
        "views_login",
        "root@t1",
        lambda client: execute_prepared(client, f"select * from {VIEW}"),
    ),
    "the schemas of a text": ("schemas_among", "root@t1", lambda client: client.query(f"select * from {VIEW}, x.y")),
    "a statement": ("execute", "root@t1", lambda client: client.query("show tenants")),
    "a statement in a script": ("execute", "root@t1", lambda client: client.query("select 1; show tenants")),
    "a prepared statement": ("execute", "root@t1", lambda client: execute_prepared(client, "alter system archivelog")),
    "columns of a prepared statement": ("execute", "root@t1", lambda client: execute_prepared(client, "show tenants")),
}
"""By what is asked: the question to the desk, who asks, and how."""


@pytest.mark.live
@pytest.mark.parametrize("asked", ASKED)
def test_trouble_of_the_desk_is_an_error_packet_and_the_connection_goes_on(door: Door, asked: str) -> None:
    question, user, ask = ASKED[asked]
    for trouble in TROUBLES:
        door.desk.troubles[question] = trouble
        client = WireClient.dial(door.port)
        assert client.log_in(user).payload[0] == 0
        for _ in range(2):
            number, message = error_of(ask(client))
            assert number == number_of(trouble), (trouble, message)
            assert "value" not in message
            assert [one.payload for one in client.query("select 7") if one.role is Role.ROW] == [b"\x017"], trouble
        door.desk.troubles.clear()
        assert ask(client)[-1].role is not Role.ERROR or question == "schemas_among"
        client.close()


@pytest.mark.live
def test_a_login_that_meets_trouble_is_told_why(door: Door) -> None:
    for trouble in TROUBLES:
        door.desk.troubles["route"] = trouble
        with pytest.raises(pymysql.MySQLError) as refused:
            door.connect("root@t1")
        assert refused.value.args[0] == number_of(trouble), trouble


@pytest.mark.live
def test_a_views_connection_that_is_lost_in_an_answer_ends_the_question_only(
    door: Door, engine_socket: Path, tmp_path: Path
) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    heard: list[bytes] = []
    with wiretap(engine_socket, tmp_path / "tap", heard) as door.desk.views_socket:
        client.begin(CommandCode.QUERY, f"select sleep(20) from {VIEW}".encode())
        assert within(30, lambda: any(b"sleep(20)" in data for data in heard))
    assert error_of(client.end(CommandCode.QUERY))[0] == 4012
    assert error_of(client.query(f"select status from {VIEW}"))[0] == 4012, "nobody listens at the tap any more"
    door.desk.views_socket = None
    assert client.query("select 1")[-1].ends
    assert client.query(f"select status from {VIEW}")[-2].payload == b"\x09COMPLETED"
    client.close()


@pytest.mark.live
def test_a_sys_engine_that_hangs_up_on_the_views_login_ends_the_question_only(door: Door, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sys"))
        listener.listen()

        def hang_up() -> None:
            listener.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        door.desk.views_socket = tmp_path / "sys"
        client = WireClient.dial(door.port)
        client.log_in("root@t1")
        assert error_of(client.query(f"select status from {VIEW}"))[0] == 4012
        assert client.query("select 1")[-1].ends
        client.close()


@pytest.mark.live
def test_an_error_after_the_answer_is_not_sent_as_another_answer(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(link: object) -> None:
        raise EngineRefusedError(ServerError(1234, "HY000", "a test"))

    monkeypatch.setattr(statements, "ask_warnings", refused)
    client = WireClient.dial(door.port)
    client.log_in("root@sys")
    client.query("create database if not exists trap_late")
    assert (
        client.query("create database if not exists trap_late")[-1].role is Role.OK
    )  # with a note, so that it is asked
    assert client.query("select 1")[-2].payload == b"\x011"
    client.query("drop database trap_late")
    client.close()


GATEWAY = Path(holdfast.gateway.__file__).parent
TO_THE_DESK = {
    "house.py:__init__": "place_limits: a look at memory, which can not raise",
    "server.py:_clients_max": "place_limits: a look at memory, which can not raise",
    "house.py:route": "guarded on its thread; login.lead_in tells the client",
    "connection.py:_on_query": "writes_stalled: a look at memory, which can not raise",
    "connection.py:_is_asked_to_let_in": "is_shut_out: a look at memory, which can not raise",
    "way_in.py:let_in": "on_desk; what it raises is logged, and the client's command goes on",
    "connection.py:_forward_write": "writes_stalled: a look at memory, which can not raise",
    "login.py:_tls_for": "on_desk; told to the client",
    "login.py:lead_in": "cluster_name: an attribute; route: told to the client",
    "statements.py:wait_while_stalled": "writes_stalled: a look at memory, which can not raise",
    "statements.py:_owned": "on_desk; answered",
    "statements.py:_refresh": "on_desk; answered",
    "statements.py:_prepare_owned": "on_desk; answered",
    "views.py:_refuse_other_schemas": "on_desk; answered",
    "views.py:_know_login": "on_desk; answered",
    "views.py:_refresh": "on_desk; answered",
}
TASKS_WITHOUT_AN_ANSWER = {
    "connection.py:_pump": "no command: what it raises is logged, or ends the connection as the engine's end does",
    "connection.py:_answer": "answered",
    "connection.py:_on_change_user": "a login: lead_in tells why not, then the session is over, as a MySQL server has it",
}


def functions_that(holds: Callable[[ast.AST], bool]) -> set[str]:
    found = set()
    for path in GATEWAY.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if any(holds(node) for node in ast.walk(function)):
                found.add(f"{path.name}:{function.name}")
    return found - {"statements.py:refresh", "statements.py:columns_now", "views.py:refresh"}  # within others


def test_every_question_to_the_desk_is_in_the_table_with_who_answers_its_errors() -> None:
    def asks(node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute):
            return False
        of_desk = isinstance(node.value, ast.Attribute) and node.value.attr in {"desk", "_desk"}
        of_local = isinstance(node.value, ast.Name) and node.value.id == "desk"
        return of_desk or of_local or node.attr == "on_desk"

    assert functions_that(asks) == set(TO_THE_DESK)


def test_every_command_that_is_worked_on_is_answered_whatever_it_raises() -> None:
    def begins(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_begin"

    assert functions_that(begins) == set(TASKS_WITHOUT_AN_ANSWER)
