"""An engine in a network namespace of its own: who gets in from which address, and what it may and may not do in there."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest

from engine_rig import EngineRig, running_engine
from holdfast.engine import space_sockets
from holdfast.engine.fence import Fence, landlock_abi
from holdfast.engine.liveness import ProcessHandle
from holdfast.engine.process import EMBEDDED, EngineProcess
from holdfast.engine.session import SqlError
from holdfast.engine.space import refusal
from holdfast.engine.space_sockets import SpaceSockets
from holdfast.engine.unusable import Reach
from holdfast.errors import EngineError

pytestmark = pytest.mark.live

_ACCESS_DENIED = 1045
_NOT_INVITED = 1227
Connection = pymysql.Connection  # type: ignore[type-arg]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    place = tmp_path_factory.mktemp("space")
    if why := refusal(place, Path("/bin/sh")):
        pytest.skip(f"this machine gives no engine a network namespace: {why}")
    with running_engine(place, wants_space=True) as rig:
        yield rig


def log_in(found: socket.socket, address: tuple[str, int], user: str, password: str = "secret") -> Connection:
    """Return a session of a client that comes from `address`. Raises pymysql's error."""
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(address)
    found.connect(("127.0.0.1", SpaceSockets.port))
    connection = pymysql.Connection(user=user, password=password, defer_connect=True, ssl_disabled=True)
    connection.connect(sock=found)
    return connection


def sockets_of(process: EngineProcess) -> SpaceSockets:
    assert process.sockets is not None
    return process.sockets


def words_of(process: EngineProcess) -> list[str]:
    return Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")


def test_accounts_get_in_from_their_address_and_from_nowhere_else(rig: EngineRig) -> None:
    hosts = ("10.1.2.3", "203.0.113.0/24", "192.168.%", "127.0.0.1", "localhost")
    with rig.root() as root:
        before = Reach(is_addressed=True).count_unusable(root)
        for number, host in enumerate(hosts):
            root.execute(f"create user u{number}@'{host}' identified by 'secret'")
        assert Reach(is_addressed=True).count_unusable(root) == before + 1  # localhost
        assert Reach().count_unusable(root) == before + len(hosts)
    came_in, refused = set(), set()
    for address in ("10.1.2.3", "203.0.113.77", "192.168.5.6", "127.0.0.1", "10.1.2.4"):
        for number, host in enumerate(hosts):
            found, port = sockets_of(rig.process).take(), 4567 + number
            try:
                client = log_in(found, (address, port), f"u{number}")
            except pymysql.OperationalError as error:
                refused.add(error.args[0])
                continue
            with client, client.cursor() as cursor:
                cursor.execute("select user(), current_user()")
                assert cursor.fetchone() == (f"u{number}@{address}", f"u{number}@{host}")
                cursor.execute("show processlist")
                assert f"{address}:{port}" in {row[2] for row in cursor.fetchall()}
            came_in.add((address, host))
    assert refused == {_ACCESS_DENIED}
    assert came_in == {
        ("10.1.2.3", "10.1.2.3"),
        ("203.0.113.77", "203.0.113.0/24"),
        ("192.168.5.6", "192.168.%"),
        ("127.0.0.1", "127.0.0.1"),
    }


def test_engine_keeps_its_list_of_addresses_itself(rig: EngineRig) -> None:
    with rig.root() as root:
        root.execute("create user listed identified by 'secret'")
        root.execute("set global ob_tcp_invited_nodes = '10.1.2.0/24'")
    try:
        log_in(sockets_of(rig.process).take(), ("10.1.2.9", 0), "listed").close()
        with pytest.raises(pymysql.MySQLError) as refused:
            log_in(sockets_of(rig.process).take(), ("10.1.3.9", 0), "listed")
        assert refused.value.args[0] == _NOT_INVITED
    finally:
        with rig.root() as root:
            root.execute("set global ob_tcp_invited_nodes = '%'")


def test_engine_is_fenced_and_shut_in(rig: EngineRig) -> None:
    pid = rig.process.pid
    held = dict(line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert {held[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    links = {line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]}
    assert links >= {"lo", "hf0"}
    assert not links & {"eth0", "ens3"}
    assert os.stat(f"/proc/{pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino
    if landlock_abi() >= 1:
        assert rig.process.fence is Fence.LANDLOCK
        with rig.root() as root, pytest.raises(SqlError):
            root.execute(f"select 1 into outfile '{rig.directory.root.parent}/out'")


def test_sockets_are_made_by_a_process_where_no_thread_may_enter(rig: EngineRig) -> None:
    """What a server that is not root does."""
    user, net = (os.open(f"/proc/{rig.process.pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "net"))
    try:
        made = space_sockets._made_by_process(user, net)
    finally:
        os.close(user)
        os.close(net)
    assert not any(os.get_inheritable(each.fileno()) for each in made)
    rig.sql("create user if not exists passed identified by 'secret'")
    log_in(made[0], ("10.9.9.9", 0), "passed").close()
    for each in made:
        each.close()


def test_stock_refills_itself_and_ends_with_its_engine(rig: EngineRig) -> None:
    stock = SpaceSockets(ProcessHandle(rig.process.identity))
    assert stock.take_now() is None  # nothing is made before somebody comes
    taken = [stock.take() for _ in range(100)]
    assert len({each.fileno() for each in taken}) == 100
    for each in taken:
        each.close()
    stock.close()
    rig.kill()
    with pytest.raises(EngineError):
        stock.take()
    rig.restart()


def test_what_a_tenant_sets_of_ports_keeps_no_engine_from_its_space(rig: EngineRig) -> None:
    with rig.root() as root:
        root.execute("alter system set mysql_port = 2900")
        root.execute("alter system set enable_rpc_service = True")
    rig.kill()
    rig.restart()
    rig.sql("create user if not exists after identified by 'secret'")
    log_in(sockets_of(rig.process).take(), ("10.1.1.1", 0), "after").close()


def test_a_start_decides_and_an_adopter_sees_how_it_was_started(rig: EngineRig) -> None:
    rig.sql("create table if not exists test.kept(i int primary key)")
    rig.sql("replace into test.kept values (1)")
    wanted = rig.settings
    for settings, is_in_space in ((replace(wanted, wants_space=False), False), (wanted, True)):
        rig.stop()
        rig.settings = settings
        rig.restart()
        adopted = EngineProcess.adopt(rig.directory)
        assert adopted is not None
        assert adopted.fence is rig.process.fence
        assert (adopted.sockets is not None) == is_in_space
        assert (EMBEDDED in words_of(adopted)) != is_in_space
        assert rig.sql("select count(*) from test.kept") == [(1,)]
        if is_in_space:
            rig.sql("create user if not exists met identified by 'secret'")
            log_in(sockets_of(adopted).take(), ("10.1.1.2", 0), "met").close()
        adopted.close()
