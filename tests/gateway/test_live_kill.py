"""KILL by the id of the gateway's greeting, in every way a client can say it."""

import time
from pathlib import Path

import pymysql
import pytest
from door_rig import Door
from wire_rig import WireClient, error_of

from holdfast.engine.session import connect
from holdfast.mysql.flags import CommandCode
from holdfast.mysql.response import Role

pytestmark = pytest.mark.live


@pytest.fixture
def sleeper(door: Door) -> WireClient:
    """A client of t1 that sleeps in its engine."""
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.begin(CommandCode.QUERY, b"select sleep(15)")
    time.sleep(0.2)
    return client


def id_of(client: WireClient) -> int:
    assert client.greeting is not None
    return client.greeting.connection_id


def was_interrupted(client: WireClient) -> bool:
    """MySQL's sleep() answers 1 when it is interrupted; other queries end with 1317."""
    client.socket.settimeout(5)
    received = client.end(CommandCode.QUERY)
    return received[-1].role is Role.ERROR or received[-2].payload == b"\x011"


@pytest.mark.parametrize(
    "text", ["kill query {}", "KILL  QUERY {} ;", "/* by app */ kill query {}", "-- x\nkill query {}"]
)
def test_kill_query_by_the_gateways_id_ends_the_query_only(door: Door, sleeper: WireClient, text: str) -> None:
    with door.connect("root@t1") as killer, killer.cursor() as cursor:
        cursor.execute(text.format(id_of(sleeper)))
    assert was_interrupted(sleeper)
    assert sleeper.query("select 1")[-1].ends


@pytest.mark.parametrize("text", ["kill {}", "kill connection {}"])
def test_kill_by_the_gateways_id_ends_the_connection(door: Door, sleeper: WireClient, text: str) -> None:
    with door.connect("root@t1") as killer, killer.cursor() as cursor:
        cursor.execute(text.format(id_of(sleeper)))
    assert sleeper.is_hung_up(5)


def test_process_kill_by_the_gateways_id(door: Door, sleeper: WireClient) -> None:
    killer = WireClient.dial(door.port)
    killer.log_in("root@t1")
    assert killer.ask(CommandCode.PROCESS_KILL, id_of(sleeper).to_bytes(4, "little"))[0].role is Role.OK
    assert sleeper.is_hung_up(5)
    killer.close()


def test_kill_by_the_engines_own_id_is_passed_on(door: Door) -> None:
    victim = WireClient.dial(door.port)
    victim.log_in("root@t1")
    engine_id = int(victim.query("select connection_id()")[-2].payload[1:])
    with door.connect("root@t1") as killer, killer.cursor() as cursor:
        cursor.execute(f"kill {engine_id}")
    assert victim.is_hung_up(5)


def test_another_tenants_id_is_unknown(door: Door, sleeper: WireClient) -> None:
    """Even to its root: here both tenants share an engine, so only the gateway can know."""
    with door.connect("root@t2") as killer, killer.cursor() as cursor:
        for text in (f"kill {id_of(sleeper)}", f"kill query {id_of(sleeper)}", "kill 1879099999"):
            with pytest.raises(pymysql.MySQLError) as refused:
                cursor.execute(text)
            assert refused.value.args == (1094, f"Unknown thread id: {text.split()[-1]}")
    wire = WireClient.dial(door.port)
    wire.log_in("root@t2")
    assert error_of(wire.ask(CommandCode.PROCESS_KILL, id_of(sleeper).to_bytes(4, "little")))[0] == 1094
    wire.close()
    with door.connect("root@t1") as killer, killer.cursor() as cursor:
        cursor.execute(f"kill {id_of(sleeper)}")
    assert sleeper.is_hung_up(5)


def test_who_has_not_super_kills_his_own_sessions_alone(door: Door, sleeper: WireClient) -> None:
    """seekdb 1.4.0 lets any user of the instance kill."""
    with door.connect("root@t1") as root, root.cursor() as cursor:
        cursor.execute(f"kill query {id_of(sleeper)}")  # root's is root's
    assert was_interrupted(sleeper)
    engine_id = int(sleeper.query("select connection_id()")[-2].payload[1:])
    with door.connect("plain@t1", password="secret") as killer, killer.cursor() as cursor:
        for number in (id_of(sleeper), engine_id):
            for text in (f"kill {number}", f"kill query {number}"):
                with pytest.raises(pymysql.MySQLError) as refused:
                    cursor.execute(text)
                assert refused.value.args == (1095, f"You are not owner of thread {number}"), text
        with door.connect("plain@t1", password="secret") as own, own.cursor() as mine:
            mine.execute("select connection_id()")
            cursor.execute(f"kill {mine.fetchone()[0]}")
        with door.connect("root@t1") as root, root.cursor() as of_root:
            cursor.execute("select connection_id()")
            of_root.execute(f"kill {cursor.fetchone()[0]}")


def test_a_session_that_is_no_clients_is_nobodys_to_kill_in_sys_either(door: Door, engine_socket: Path) -> None:
    """Any user of sys could end Holdfast's own, and the server with them."""
    with connect(engine_socket, "root", "") as ours, door.connect("root@sys") as killer, killer.cursor() as cursor:
        number = int(ours.query("select connection_id()")[0][0])
        with pytest.raises(pymysql.MySQLError) as refused:
            cursor.execute(f"kill {number}")
        assert refused.value.args == (1094, f"Unknown thread id: {number}")
        assert ours.is_sound()


def test_kill_of_oneself_is_answered(door: Door) -> None:
    client = WireClient.dial(door.port)
    client.log_in("root@t1")
    client.begin(CommandCode.QUERY, f"kill {id_of(client)}".encode())
    assert client.is_hung_up(5)
