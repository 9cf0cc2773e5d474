"""`method=quick`: a tenant that answers before its blocks have arrived, whatever dies meanwhile; and previews that go by themselves."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest

from holdfast.engine.process import EngineProcess
from holdfast.restore.block_mount import find_obstacle, mounts_below, unmount
from holdfast.restore.lazy_place import LazyPlace
from server_rig import (
    Client,
    Server,
    archive,
    backup,
    freeze_until,
    running_server,
    wait_archived,
    wait_for,
    wait_restored,
)

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(find_obstacle() is not None, reason=f"no FUSE on this machine: {find_obstacle()}"),
]

ROWS = 640
ROW_BYTES = 64 << 10
"""40 MiB of noise: 20 blocks of data, beside those every tenant has."""
PASSWORDS = ("first of all", "then another")
DIGEST = "select count(*), sum(crc32(pad)) from test.big"
QUICK = (
    "select STATUS, TOTAL_BYTES, FINISH_BYTES, COMMENT, DROP_TIMESTAMP is null from oceanbase.CDB_OB_QUICK_TENANTS"
    " where TENANT_NAME = '{}'"
)


@dataclass(slots=True)
class World:
    server: Server
    place: Path
    scn: int = 0
    digest: list[tuple[Any, ...]] = field(default_factory=list)
    few: list[tuple[Any, ...]] = field(default_factory=list)

    def sys(self) -> Client:
        client = self.server.client()
        client.run(f"SET DECRYPTION IDENTIFIED BY '{PASSWORDS[0]}', '{PASSWORDS[1]}'")
        return client

    def send_restore(self, client: Client, name: str, options: str) -> None:
        sources = f"'file://{self.place}/data,file://{self.place}/archive'"
        client.run(f"ALTER SYSTEM RESTORE {name} FROM {sources} UNTIL SCN = {self.scn} WITH '{options}'")

    def tenant_id(self, client: Client, name: str) -> int:
        return int(client.one(f"select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = '{name}'"))

    def lazy_place(self, tenant_id: int) -> LazyPlace:
        return LazyPlace(self.server.base / "tenants" / str(tenant_id))

    def answer(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        """Return the tenant's rows; its engine may be on its way back."""

        def ask() -> list[tuple[Any, ...]] | None:
            try:
                with self.server.client(f"root@{name}") as client:
                    return client.rows(sql)
            except pymysql.MySQLError:
                return None

        return wait_for(ask, lambda rows: rows is not None)

    def quick(self, client: Client, name: str) -> tuple[Any, ...]:
        return client.rows(QUICK.format(name))[0]

    def mounts(self) -> list[str]:
        return mounts_below(self.server.base)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server, and the destinations of a tenant: an encrypted full set, an encrypted increment, the log behind it."""
    folder = tmp_path_factory.mktemp("quick")
    with running_server(folder / "base") as server:
        world = World(server, folder / "place")
        try:
            with server.client() as client:
                client.run("CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '1G', LOG_DISK_SIZE '2G'")
                client.run("CREATE TENANT source")
                archive(client, "source", world.place)
                with server.client("root@source") as source:
                    source.run("create table test.big(id int primary key, pad longblob)")
                    _fill(server, source, 0, ROWS)
                    _backup(client, "", PASSWORDS[0])
                    _fill(server, source, ROWS, ROWS + 64)
                    _backup(client, "INCREMENTAL", PASSWORDS[1])
                    source.run("insert into test.big values (-1, 'after the backups')")
                    world.digest, world.few = source.rows(DIGEST), source.rows(f"{DIGEST} where id < 20")
                    world.scn = int(source.one("select current_scn()"))
                    source.run("delete from test.big")
                wait_archived(client, world.scn)
            yield world
        finally:
            server.end()
            for mount in mounts_below(server.base):  # of a test that failed
                unmount(mount)


def _fill(server: Server, source: Client, begin: int, end: int) -> None:
    """Insert noise and wait until it lies in macro blocks."""
    block_file = server.directory(1002).block_file
    before = _used_blocks(block_file)
    for start in range(begin, end, 16):
        rows = [(number, os.urandom(ROW_BYTES)) for number in range(start, start + 16)]
        with source.connection.cursor() as cursor:
            cursor.executemany("insert into test.big values (%s, %s)", rows)
    wanted = before + (end - begin) * ROW_BYTES // (2 << 20)
    freeze_until(source, lambda: _used_blocks(block_file), lambda count: count >= wanted)


def _used_blocks(block_file: Path) -> int:
    with block_file.open("rb") as file:
        return sum(any(os.pread(file.fileno(), 64, offset)) for offset in range(0, block_file.stat().st_size, 2 << 20))


def _backup(client: Client, level: str, password: str) -> None:
    client.run(f"SET ENCRYPTION ON IDENTIFIED BY '{password}' ONLY")
    done = "select BACKUP_TYPE from oceanbase.CDB_OB_BACKUP_SET_FILES where STATUS = 'SUCCESS' order by BACKUP_SET_ID"
    before = client.rows(done)
    client.run(f"ALTER SYSTEM BACKUP {level} TENANT = source")
    rows = wait_for(lambda: client.rows(done), lambda rows: len(rows) > len(before))
    assert rows[-1][0] == ("INC" if level else "FULL")


def _begin_hydrating_slowly(world: World, client: Client, name: str, options: str) -> int:
    """Restore, and let nothing but what is touched arrive: 1 MiB a second takes minutes. Return the tenant's id."""
    world.send_restore(client, name, options)
    tenant_id = world.tenant_id(client, name)
    # The log is laid out at full speed; only hydration, which begins when the tenant is open, meets the limit.
    wait_for(world.lazy_place(tenant_id).exists, bool)
    client.run(f"ALTER SYSTEM SET backup_bandwidth_limit = '1M' TENANT = {name}")
    # One thread: each may be one block ahead of the limit, and each new block server begins anew.
    client.run(f"ALTER SYSTEM SET ha_high_thread_score = 1 TENANT = {name}")
    assert wait_restored(client, name)[0] == "SUCCESS"
    return tenant_id


def test_a_quick_tenant_survives_every_death_and_an_outage_and_becomes_ordinary(world: World) -> None:
    server = world.server
    with world.sys() as client:
        client.run("CREATE RESOURCE POOL p1 UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
        tenant_id = _begin_hydrating_slowly(world, client, "fast", "pool_list=p1&method=quick")
        place, directory = world.lazy_place(tenant_id), server.directory(tenant_id)

        # The first answer, right and from few blocks.
        assert world.answer("fast", f"{DIGEST} where id < 20") == world.few
        assert world.mounts() == [str(directory.block_file)]
        status, total, finished, comment, goes_never = world.quick(client, "fast")
        assert (status, comment, goes_never) == ("HYDRATING", "", 1)
        assert total > ROWS * ROW_BYTES
        assert finished < total / 2
        history = (
            "select TOTAL_BYTES > FINISH_BYTES from oceanbase.CDB_OB_RESTORE_HISTORY where RESTORE_TENANT_NAME = 'fast'"
        )
        assert client.rows(history) == [(1,), (1,)]

        # It takes writes and archives; a backup of it has to wait, and so have cleanups of what it reads.
        client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = fast")
        with server.client("root@fast") as fast:
            fast.run("insert into test.big values (-2, 'written while blocks come')")
        archive(client, "fast", world.place.with_name("place-of-fast"))
        number, text = client.refused("ALTER SYSTEM BACKUP TENANT = fast")
        assert (number, "have not all arrived" in text) == (9040, True)
        truth = world.answer("fast", f"{DIGEST} where id < 20")
        assert truth != world.few

        # The destination goes away: what has arrived answers, the rest is an error and never wrong, and says why.
        (world.place / "data").rename(world.place / "gone")
        assert world.answer("fast", f"{DIGEST} where id < 20") == truth
        with server.client("root@fast") as fast:
            fast.run("set ob_query_timeout = 2000000")
            # A few rows that come late: a scan would bring most blocks once they come again, and leave nothing to hydrate.
            fast.refused(f"{DIGEST} where id between {ROWS * 7 // 8} and {ROWS * 7 // 8 + 8}")
        wait_for(lambda: world.quick(client, "fast")[3], lambda said: "do not come" in said)
        (world.place / "gone").rename(world.place / "data")
        wait_for(lambda: world.quick(client, "fast")[3], lambda said: said == "")

        # The block server dies: the engine is started anew on a new one.
        engine = EngineProcess.adopt(directory)
        served_by = place.server()
        assert engine is not None
        assert served_by is not None
        os.kill(served_by.pid, signal.SIGKILL)
        wait_for(engine.is_alive, lambda alive: not alive)
        assert world.answer("fast", f"{DIGEST} where id < 20") == truth

        # The engine dies: the block server serves the next one.
        engine, served_by = EngineProcess.adopt(directory), place.server()
        assert engine is not None
        engine.stop(gently=False)
        wait_for(lambda: (again := EngineProcess.adopt(directory)) is not None and again.pid != engine.pid, bool)
        assert world.answer("fast", f"{DIGEST} where id < 20") == truth
        assert place.server() == served_by

    # The server dies: both live on and are adopted.
    living = EngineProcess.adopt(directory)
    server.kill()
    server.start()
    adopted = EngineProcess.adopt(directory)
    assert living is not None
    assert adopted is not None
    assert (adopted.pid, place.server()) == (living.pid, served_by)
    assert world.answer("fast", f"{DIGEST} where id < 20") == truth

    # All die at once, as when the machine does; nothing is lost, and no dead mount stays.
    server.kill()
    assert served_by is not None
    os.kill(served_by.pid, signal.SIGKILL)
    adopted.stop(gently=False)
    server.start()
    assert world.answer("fast", f"{DIGEST} where id < 20") == truth

    with world.sys() as client:
        assert world.quick(client, "fast")[0] == "HYDRATING"
        with server.client("root@fast") as fast:
            # Writes blocks while others come. Not before: what is merged then is read whole, and nothing is left to come.
            fast.run("alter system minor freeze")
        client.run("ALTER SYSTEM SET backup_bandwidth_limit = '0' TENANT = fast")
        wait_for(lambda: world.quick(client, "fast")[0], lambda status: status == "HYDRATED")
        assert not place.keys.exists()
        assert backup(client, "fast")[0] == "COMPLETED"  # read through the mount, which is still there
        whole = world.answer("fast", DIGEST)
        assert whole[0][0] == world.digest[0][0] + 1
        assert world.answer("fast", f"{DIGEST} where id <> -2") == world.digest

    # Ordinary from the next start of its engine on, with the destination gone.
    (world.place / "data").rename(world.place / "gone")
    try:
        assert server.stop() == 0
        assert world.mounts() == []
        server.start()
        assert world.answer("fast", DIGEST) == whole
        assert (world.mounts(), place.exists()) == ([], False)
        with server.client() as client:
            wait_for(lambda: world.quick(client, "fast")[0], lambda status: status == "LOCAL")
            client.run("DROP TENANT fast FORCE")
            assert client.rows(QUICK.format("fast")) == []
    finally:
        (world.place / "gone").rename(world.place / "data")


def test_a_preview_is_read_only_and_goes_by_itself_although_a_read_hangs_and_the_server_died(world: World) -> None:
    with world.sys() as client:
        client.run("CREATE RESOURCE POOL p3 UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
        number, text = client.refused(
            f"ALTER SYSTEM RESTORE look FROM 'file://{world.place}/data' WITH 'pool_list=p3&ttl=soon'"
        )
        assert (number, "ttl" in text) == (1210, True)
        tenant_id = _begin_hydrating_slowly(world, client, "look", "pool_list=p3&method=quick&ttl=25s")
        assert world.answer("look", f"{DIGEST} where id < 20") == world.few
        with world.server.client("root@look") as look:
            look.refused("delete from test.big where id < 20")
        number, text = client.refused("ALTER SYSTEM ACTIVATE STANDBY TENANT = look")
        assert (number, "activate a preview" in text) == (4179, True)
        assert world.quick(client, "look")[4] == 0
    world.server.kill()
    world.server.start()
    (world.place / "data").rename(world.place / "gone")
    try:
        with world.server.client() as client:
            with world.server.client("root@look") as look:
                look.run("set ob_query_timeout = 1000000")
                look.refused(f"{DIGEST} where id > 40")  # the engine goes on waiting for its blocks
            there = "select 1 from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'look'"
            wait_for(lambda: client.rows(there), lambda rows: rows == [])
            assert client.rows(QUICK.format("look")) == []
    finally:
        (world.place / "gone").rename(world.place / "data")
    assert world.mounts() == []
    assert not world.lazy_place(tenant_id).tenant_dir.exists()


def test_without_fuse_everything_is_restored_and_the_statement_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_FUSE_DEVICE", str(world.server.base / "no-such-device"))
    assert world.server.stop() == 0
    world.server.start()
    with world.sys() as client:
        client.run("CREATE RESOURCE POOL p4 UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
        world.send_restore(client, "full", "pool_list=p4&method=quick")
        warnings = client.rows("SHOW WARNINGS")
        tenant_id = world.tenant_id(client, "full")
        status, comment = wait_restored(client, "full")
        assert status == "SUCCESS"
        for said in (str(warnings[0][2]), comment):
            assert "no-such-device can not be opened" in said
        assert client.rows(QUICK.format("full")) == []
        assert (world.mounts(), world.lazy_place(tenant_id).exists()) == ([], False)
        assert world.answer("full", DIGEST) == world.digest
        client.run("DROP TENANT full FORCE")
