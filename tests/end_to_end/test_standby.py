"""A standby follows the archive of a tenant that writes: to an exact SCN, further, to the end, over kills, until it is promoted.

The truth is the source's `ora_rowscn`; what the standby shows is read AS OF SNAPSHOT its READABLE_SCN.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest

from engine_rig import Bank
from holdfast.backup_format.names import FORMAT_FILE
from holdfast.backup_format.piece_record import decode_format_file, encode_format_file
from holdfast.engine.account import load_account
from holdfast.engine.process import EngineProcess
from holdfast.engine_format.log_wire import FETCH_LOG, FetchRequest, encode_end, encode_request
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from server_rig import Client, Server, archive, backup, restore, running_server, wait_archived, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(4800)]


def write_owner(place: Path, *, tenant_id: int) -> None:
    """Make a destination another tenant's."""
    file = place / FORMAT_FILE
    file.write_bytes(encode_format_file(replace(decode_format_file(file.read_bytes()), tenant_id=tenant_id)))


UNLIMITED = 4611686018427387903
LOAD_SECONDS = 3600 if os.environ.get("HOLDFAST_LONG") else 12

_PATIENT = "set ob_query_timeout = 100000000"
"""The ledger of an hour is more than the engine's 10 s can group on a busy machine."""


@dataclass(slots=True)
class Scene:
    """A server with tenant `source`, which writes and archives, and `follower`, restored from it."""

    server: Server
    client: Client
    bank: Bank
    place: Path

    def point(self, name: str) -> tuple[int, int, int]:
        """Return (SYNC_SCN, READABLE_SCN, RECOVERY_UNTIL_SCN)."""
        sql = "select SYNC_SCN, READABLE_SCN, RECOVERY_UNTIL_SCN from oceanbase.DBA_OB_TENANTS where TENANT_NAME = %s"
        sync, readable, until = self.client.rows(sql, (name,))[0]
        return int(sync), int(readable), int(until)

    def tenant_id(self, name: str) -> int:
        return int(self.client.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = %s", (name,)))

    def commits(self) -> dict[tuple[int, int], int]:
        """Return the commit SCN of each of the source's transactions."""
        with self.server.client("root@source") as user:
            user.run(_PATIENT)
            rows = user.rows("select w, seq, max(ora_rowscn) from test.ledger group by w, seq")
        return {(int(w), int(seq)): int(scn) for w, seq, scn in rows}

    def wait_at(self, name: str, scn: int) -> None:
        wait_for(lambda: self.point(name), lambda point: point[0] == point[1] == scn)

    def check_exact(self, name: str, scn: int) -> int:
        """Assert that the tenant at rest shows the source's transactions up to `scn` and no other; return how many."""
        wanted = {key for key, commit in self.commits().items() if commit <= scn}
        with self.server.client(f"root@{name}") as user:
            user.run(_PATIENT)
            rows = user.rows("select w, seq, count(*), max(parts) from test.ledger group by w, seq")
            total = user.one("select sum(bal) from test.acct")
        found = {(int(w), int(seq)) for w, seq, _, _ in rows}
        assert (wanted - found, found - wanted) == (set(), set()), f"at {scn}"
        assert all(count == parts for _, _, count, parts in rows)
        assert total == 200_000
        return len(wanted)

    def check_consistent(self, name: str) -> None:
        """Assert that the tenant's readable moment is whole: no transfer is half there."""
        sync, readable, _ = self.point(name)
        assert readable <= sync
        with self.server.client(f"root@{name}") as user:
            user.run(_PATIENT)
            assert user.one(f"select sum(bal) from test.acct as of snapshot {readable}") == 200_000
            torn = f"select w, seq from test.ledger as of snapshot {readable} group by w, seq having count(*) <> max(parts)"
            assert user.rows(torn) == []

    def recover(self, name: str, point: str) -> None:
        self.client.run(f"ALTER SYSTEM RECOVER STANDBY TENANT = {name} {point}")

    def now(self) -> int:
        """Return an SCN of the source: the commit of some transaction just made."""
        with self.server.client("root@source") as user:
            return int(user.one("select current_scn()"))

    def wait_archived(self, scn: int) -> None:
        wait_archived(self.client, scn + 1)

    def engine_pid(self, name: str) -> int:
        engine = EngineProcess.adopt(self.server.directory(self.tenant_id(name)))
        assert engine is not None
        return engine.pid


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("standby")
    with running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT source")
        archive(client, "source", home / "backup")
        tenant_id = server.tenant_ids()[1]
        account = load_account(server.base / "tenants" / str(tenant_id) / "account.json")
        bank = Bank(server.directory(tenant_id).socket, account, log_dir=home / "acknowledged", writers=2)
        bank.setup()
        bank.begin()
        try:
            time.sleep(1.0)
            assert backup(client, "source") == ("COMPLETED", 0, "")
            scene = Scene(server=server, client=client, bank=bank, place=home / "backup")
            # Under load a transaction may be under way at the target, which its comment tells.
            assert restore(client, "follower", home / "backup")[0] == "SUCCESS"
            yield scene
        finally:
            bank.end()
    shutil.rmtree(home, ignore_errors=True)


def test_a_restored_tenant_knows_its_source_and_waits_at_its_target(scene: Scene) -> None:
    sync, readable, until = scene.point("follower")
    assert sync == readable == until
    row = ("LOCATION", f"file://{scene.place}/archive", until)
    assert scene.client.rows("select TYPE, VALUE, RECOVERY_UNTIL_SCN from oceanbase.CDB_OB_LOG_RESTORE_SOURCE") == [row]
    with scene.server.client("root@follower") as user:
        assert user.rows("select TYPE, VALUE, RECOVERY_UNTIL_SCN from oceanbase.DBA_OB_LOG_RESTORE_SOURCE") == [row]
        assert user.rows("show parameters like 'log_restore_source'")[0][6] == f"LOCATION=file://{scene.place}/archive"
        assert user.refused("update test.acct set bal = 0") == (4688, "standby tenant is read only")
        port = _port_of(scene, user)
    assert port, "its engine asks from its first start on"
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))  # nobody else can answer


def test_to_follow_breaks_no_session(scene: Scene) -> None:
    """Before, its engine was started again, and readers waited until it had replayed all that lay behind its checkpoint."""
    pid = scene.engine_pid("follower")
    bound = scene.now()
    scene.wait_archived(bound)
    with scene.server.client("root@follower") as reader:
        connection = reader.one("select connection_id()")
        scene.recover("follower", f"UNTIL SCN = {bound}")
        assert scene.client.rows("show warnings") == []
        waits = []

        def read() -> tuple[int, int, int]:
            begun = time.monotonic()
            assert reader.one("select count(*) from test.acct") == 200
            waits.append(time.monotonic() - begun)
            return scene.point("follower")

        wait_for(read, lambda point: point[0] == point[1] == bound)
        assert reader.one("select connection_id()") == connection
    assert scene.engine_pid("follower") == pid
    assert max(waits) < 1.0, "nobody is kept waiting"
    scene.check_exact("follower", bound)


def test_a_bound_is_reached_exactly_and_left_again(scene: Scene) -> None:
    """Bounds at commits, one in eight of which lies inside a log group: where the log must be cut, and then mended."""
    chance = random.Random(5)
    counts = []
    for _ in range(3):
        time.sleep(1.0)
        after = scene.point("follower")[0]
        bound = chance.choice([scn for scn in scene.commits().values() if scn > after])
        scene.wait_archived(bound)
        scene.recover("follower", f"UNTIL SCN = {bound}")
        scene.wait_at("follower", bound)
        counts.append(scene.check_exact("follower", bound))
        assert scene.point("follower")[2] == bound
    assert counts == sorted(set(counts))


def test_it_follows_a_source_that_writes(scene: Scene) -> None:
    """For LOAD_SECONDS, an hour when HOLDFAST_LONG is set."""
    scene.recover("follower", "UNTIL UNLIMITED")
    assert scene.point("follower")[2] == UNLIMITED
    begun = scene.now()
    wait_for(lambda: scene.point("follower"), lambda point: point[1] > begun)
    end = time.monotonic() + LOAD_SECONDS
    looks = 0
    while time.monotonic() < end:
        scene.check_consistent("follower")
        looks += 1
    assert looks > 5
    mark = scene.now()
    wait_for(lambda: scene.point("follower"), lambda point: point[1] > mark, seconds=20)


def test_its_engine_listens_nowhere_and_no_other_process_gets_log(scene: Scene) -> None:
    sockets = _sockets_of(scene.engine_pid("follower"))
    listening = [
        fields
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A"
    ]
    assert listening, "the server itself listens"
    assert [fields[1] for fields in listening if f"socket:[{fields[9]}]" in sockets] == []
    with scene.server.client("root@follower") as user:
        port = _port_of(scene, user)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = encode_request(FetchRequest(start_lsn=Lsn(0), max_bytes=1 << 20))
        assert list(channel.unary_stream(FETCH_LOG)(request, timeout=10)) == [encode_end(Scn(0))]


def _sockets_of(pid: int) -> set[str]:
    links = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.add(os.readlink(path))
    return links


def _port_of(scene: Scene, user: Client) -> int:
    """Return the port that the server gives the follower's log on, which SHOW PARAMETERS does not say."""
    port = int(scene.client.one("select port from __holdfast.log_restore_source"))
    assert str(port) not in str(user.rows("show parameters like 'log_restore_source'"))
    return port


def test_it_goes_on_after_its_engine_and_the_server_were_killed(scene: Scene) -> None:
    pid = scene.engine_pid("follower")
    os.kill(pid, signal.SIGKILL)
    mark = scene.now()
    wait_for(lambda: scene.point("follower"), lambda point: point[1] > mark)
    scene.check_consistent("follower")
    pid = scene.engine_pid("follower")
    scene.server.kill()
    time.sleep(1.0)
    scene.server.start()
    scene.client = scene.server.client()
    mark = scene.now()
    wait_for(lambda: scene.point("follower"), lambda point: point[1] > mark)
    scene.check_consistent("follower")
    assert scene.engine_pid("follower") == pid, "an engine that follows is adopted as it is"


def test_cancel_stops_it_where_it_is(scene: Scene) -> None:
    scene.recover("follower", "CANCEL")
    until = scene.point("follower")[2]
    scene.wait_archived(until)
    scene.wait_at("follower", until)
    scene.check_exact("follower", until)
    number, text = scene.client.refused(f"ALTER SYSTEM RECOVER STANDBY TENANT = follower UNTIL SCN = {until - 1}")
    assert number == 4179
    assert text.startswith("recover before tenant sync_scn sync_scn is not allowed")


def test_a_standby_that_asks_nowhere_is_started_again_to_follow(scene: Scene) -> None:
    """As one that an older build restored; also one whose source was taken away, and given back."""
    pid = scene.engine_pid("follower")
    scene.client.run("ALTER SYSTEM SET LOG_RESTORE_SOURCE = '' TENANT = follower")
    for until in ("UNLIMITED", f"SCN = {scene.now()}", "TIME = '2099-01-01 00:00:00'"):
        scene.recover("follower", f"UNTIL {until}")
        ((level, number, text),) = scene.client.rows("show warnings")
        assert (level, number, "SET LOG_RESTORE_SOURCE" in text) == ("Warning", 4179, True)
    scene.recover("follower", "CANCEL")
    assert scene.client.rows("show warnings") == []
    with scene.server.client("root@follower") as user:
        for path in ("/etc/x", "/dev/shm", "/proc/self/cwd", f"{scene.server.base}/tenants", "/var/spool/cron"):
            assert user.refused(f"ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'LOCATION=file://{path}'")[0] == 9026
        strange = scene.place / "strange"
        shutil.copytree(scene.place / "archive", strange)
        write_owner(strange, tenant_id=4242)
        assert user.refused(f"ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'LOCATION=file://{strange}'")[0] == 9081
        shutil.rmtree(strange)
        # It lies below the root, and is that of the tenant this one was restored from.
        user.run(f"ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'LOCATION=file://{scene.place}/archive'")
    bound = scene.now()
    scene.wait_archived(bound)
    scene.recover("follower", f"UNTIL SCN = {bound}")
    assert "break once" in str(scene.client.rows("show warnings"))
    scene.wait_at("follower", bound)
    scene.check_exact("follower", bound)
    assert scene.engine_pid("follower") != pid


def test_it_follows_to_the_archives_end_without_its_source_and_is_promoted(scene: Scene) -> None:
    scene.bank.end()
    truth = scene.commits()
    last = max(truth.values())
    scene.wait_archived(last)
    scene.client.run("DROP TENANT source FORCE")
    scene.recover("follower", "UNTIL UNLIMITED")
    wait_for(lambda: scene.point("follower"), lambda point: point[1] >= last)
    begun = time.monotonic()
    scene.client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = follower")
    taken = time.monotonic() - begun
    ((level, _, text),) = scene.client.rows("show warnings")
    match = re.search(r"goes on from SCN (\d+) ", text)
    assert match is not None
    assert (level, int(match[1]) >= last) == ("Note", True)
    with scene.server.client("root@follower") as user:
        rows = user.rows("select distinct w, seq from test.ledger")
        assert {(int(w), int(seq)) for w, seq in rows} == truth.keys()
        assert user.one("select sum(bal) from test.acct") == 200_000
        user.run("update test.acct set bal = bal where id = 1")
    assert taken < 5, "a promotion takes a tenth of a second"
    assert scene.client.rows("select * from oceanbase.CDB_OB_LOG_RESTORE_SOURCE") == []
    with scene.server.client("root@follower") as user:
        assert user.refused("ALTER SYSTEM RECOVER STANDBY CANCEL")[0] == 4179
    place = scene.place.with_name("second")
    archive(scene.client, "follower", place)
    assert backup(scene.client, "follower") == ("COMPLETED", 0, "")
