"""Accounts that REQUIRE SSL: served by TLS from one end to the other, and by nothing else."""

import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pymysql
import pytest
from door_rig import Door, open_door
from wire_rig import CLIENT_CAPABILITIES, WireClient

from engine_rig import EngineRig
from holdfast.engine import wallet
from holdfast.engine.account import authority_file
from holdfast.engine.unusable import Reach
from holdfast.errors import EngineError
from holdfast.mysql.flags import Capability, CommandCode
from holdfast.mysql.framing import frame
from holdfast.mysql.packets import OK_MARK
from holdfast.values.tenant import Tenant
from tls_rig import client_tls

pytestmark = pytest.mark.live

_SIZES = (100, 1_990, 2_010, 15_000, 17_000, 70_000, 1_000_000, 8_000_000)
_CHANGE_USER = b"%s@t1\0\x00\0\x2d\x00mysql_native_password\0\x00"


@pytest.fixture(scope="module")
def safe_door(engine: EngineRig, certificate: tuple[Path, Path]) -> Iterator[Door]:
    engine.sql("create user safe identified by 'secret' require ssl")
    engine.sql("grant all on test.* to safe")
    engine.sql("grant file on *.* to safe")
    engine.sql("set global max_allowed_packet = 67108864")
    with open_door(engine.socket, tls_cert=certificate[0], tls_key=certificate[1]) as door:
        context = wallet.server_context(authority_file(engine.account_file))
        assert context is not None
        door.desk.tls["safe"] = context
        yield door


def _refused(door: Door, user: str, **options: object) -> int:
    with pytest.raises(pymysql.MySQLError) as refused:
        door.connect(user, **options)
    return int(refused.value.args[0])


def _try(door: Door, user: str, options: dict[str, object]) -> None:
    with suppress(pymysql.MySQLError):
        door.connect(user, **options).close()


def _safe(door: Door) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    return door.connect("safe@t1", password="secret", ssl=client_tls(), database="test", local_infile=True)


def test_account_is_served_over_tls_and_only_over_it(safe_door: Door) -> None:
    with _safe(safe_door) as client, client.cursor() as cursor:
        cursor.execute("select current_user(), database()")
        assert cursor.fetchone() == ("safe@%", "test")
    assert _refused(safe_door, "safe@t1", password="secret", ssl_disabled=True) == 1045
    assert _refused(safe_door, "safe@t1", password="wrong", ssl=client_tls()) == 1045


def test_other_accounts_are_served_in_plain_behind_the_gateway(safe_door: Door) -> None:
    """And one that the desk takes for such is let in by TLS all the same."""
    for tls in ({}, {"plain": safe_door.desk.tls["safe"]}):
        safe_door.desk.tls.update(tls)
        with safe_door.connect("plain@t1", password="secret", ssl=client_tls()) as client, client.cursor() as cursor:
            cursor.execute("select current_user()")
            assert cursor.fetchone() == ("plain@%",)
    del safe_door.desk.tls["plain"]


def test_statements_of_every_size_reach_an_engine_that_reads_late(safe_door: Door, engine: EngineRig) -> None:
    """Longer records it drops the session for, as soon as some lie unread: `link.TLS_RECORD_BYTES`."""
    with _safe(safe_door) as client, client.cursor() as cursor:
        for size in _SIZES:
            os.kill(engine.process.pid, signal.SIGSTOP)
            timer = threading.Timer(0.1, os.kill, (engine.process.pid, signal.SIGCONT))
            timer.start()
            try:
                cursor.execute(f"select length('{'x' * size}')")
            finally:
                timer.join()
            assert cursor.fetchone() == (size,)
        cursor.execute("select repeat('y', 8000000)")
        assert len((cursor.fetchone() or ("",))[0]) == 8_000_000


def test_file_and_prepared_data_go_through(safe_door: Door, tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text("".join(f"{number}\t{'z' * 500}\n" for number in range(100, 4_100)))
    with _safe(safe_door) as client, client.cursor() as cursor:
        cursor.execute(f"load data local infile '{file}' into table own")
        cursor.execute("select count(*), max(length(v)) from own where i >= 100")
        found = cursor.fetchone() or (0, 0)
        cursor.execute("delete from own where i >= 100")
    assert found == (4_000, 100)


def test_change_of_user_goes_by_the_new_name(safe_door: Door) -> None:
    for comes_by_tls in (True, False):
        client = WireClient.dial(safe_door.port)
        client.greet()
        sequence = 1
        if comes_by_tls:
            flags = int(CLIENT_CAPABILITIES | Capability.SSL).to_bytes(4, "little")
            client.send(frame(1, flags + bytes(28)))
            client.socket = client_tls().wrap_socket(client.socket)
            sequence = 2
        client.send(frame(sequence, client.response("plain@t1")))
        assert client.prove("secret").payload[0] == OK_MARK
        client.begin(CommandCode.CHANGE_USER, _CHANGE_USER % b"safe")
        verdict = client.prove("secret").payload
        assert (verdict[0] == OK_MARK) is comes_by_tls, verdict
        if comes_by_tls:
            client.query("select 1")
            client.begin(CommandCode.CHANGE_USER, _CHANGE_USER % b"plain")
            assert client.prove("secret").payload[0] == OK_MARK
        client.close()


def test_whoever_can_not_be_asked_about_is_told_so(safe_door: Door) -> None:
    safe_door.desk.troubles["tls_for"] = EngineError("the desk is away")
    try:
        assert _refused(safe_door, "safe@t1", password="secret", ssl=client_tls()) not in (0, 2013)
        safe_door.connect("plain@t1", password="secret", ssl_disabled=True).close()  # asks nobody
    finally:
        safe_door.desk.troubles.clear()


def test_an_engine_that_hangs_keeps_nobody_elses_login(safe_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    asked = threading.Semaphore(0)

    def hang(tenant: Tenant, user: str) -> ssl.SSLContext | None:
        if tenant.name != "t1":
            return None
        asked.release()
        goes_on.wait(20)
        return None

    monkeypatch.setattr(safe_door.desk, "tls_for", hang)
    options = {"password": "secret", "ssl": client_tls()}
    waiting = [threading.Thread(target=_try, args=(safe_door, "plain@t1", options)) for _ in range(8)]
    for each in waiting:
        each.start()
    try:
        assert asked.acquire(timeout=10)
        begun = time.monotonic()
        safe_door.connect("plain@t2", **options).close()
        assert time.monotonic() - begun < 10
    finally:
        goes_on.set()
        for each in waiting:
            each.join()


def test_certificate_of_another_start_is_not_taken(safe_door: Door, tmp_path: Path) -> None:
    """A wallet changes with each start; an engine that is not the one it was made for is no engine."""
    (tmp_path / "root").mkdir()
    wallet.mint(tmp_path / "root", authority_file=tmp_path / "ca.pem", client_file=None)
    foreign = wallet.server_context(tmp_path / "ca.pem")
    assert foreign is not None
    before = safe_door.desk.tls["safe"]
    safe_door.desk.tls["safe"] = foreign
    try:
        assert _refused(safe_door, "safe@t1", password="secret", ssl=client_tls()) not in (0, 2013)
    finally:
        safe_door.desk.tls["safe"] = before


def test_accounts_of_others_certificates_stay_nobodys_and_are_counted(safe_door: Door, engine: EngineRig) -> None:
    served = Reach(serves_tls=True)
    with engine.root() as root:
        plain, tls = Reach().count_unusable(root), served.count_unusable(root)
        engine.sql("create user shown identified by 'secret' require x509")
        assert served.count_unusable(root) == tls + 1
        assert Reach().count_unusable(root) == plain + 1 == tls + 2  # with `safe`
        safe_door.desk.tls["shown"] = safe_door.desk.tls["safe"]
        assert _refused(safe_door, "shown@t1", password="secret", ssl=client_tls()) == 1045
        engine.sql("drop user shown")
    assert "X509" in served.words(1)
    assert "--tls-cert" in Reach().words(1)
