"""One cluster with engines of two versions: a tenant of the older one lives, is backed up and restored by its own engine.

Engine 1.3.0 is installed beside the wheel's (`old_engine`). One server and one older tenant are shared by all tests, which are in
order: the last ones take the older engine away from the server and give it back.
"""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from engine_format.test_data_version import sealed
from engine_rig import Bank
from holdfast import codes
from holdfast.engine.account import load_account, open_session
from holdfast.engine.process import EngineProcess
from old_engine import OLD_DATA_VERSION, old_engine
from server_rig import WAIT_SECONDS_MAX, Client, Server, archive, backup, restore, wait_archived, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

_ENGINES = "HOLDFAST_ENGINES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A server with a tenant `old` of the older engine, its backups below `place`, and the bank in it."""

    server: Server
    tenant_id: int
    place: Path
    bank: Bank


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A moment, and which transactions of the bank were committed by it."""

    scn: int
    transactions: frozenset[tuple[int, int]]


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_ENGINES, str(old_engine()))
        yield patch


@pytest.fixture(scope="module")
def cluster(environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("versions")
    server = Server(home / "base")
    try:
        server.start()
        with server.client() as client:
            client.run("CREATE TENANT old SET holdfast_engine_version = '1.3.0'")
            archive(client, "old", home / "backup")
        tenant_id = server.tenant_ids()[1]
        account = load_account(server.base / "tenants" / str(tenant_id) / "account.json")
        bank = Bank(server.directory(tenant_id).socket, account, log_dir=home / "acknowledged", writers=2)
        bank.setup()
        yield Cluster(server=server, tenant_id=tenant_id, place=home / "backup", bank=bank)
    finally:
        environment.setenv(_ENGINES, str(old_engine()))
        server.end()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def target(cluster: Cluster) -> Target:
    """A full backup and an increment under load; the moment lies behind both, in the middle of what the archive has on top."""
    with cluster.server.client() as client:
        cluster.bank.begin()
        assert backup(client, "old") == ("COMPLETED", 0, "")
        assert _increment(client, cluster.tenant_id) == ("COMPLETED", 0)
        first_scn = client.one("select max(MIN_RESTORE_SCN) from oceanbase.CDB_OB_BACKUP_SET_FILES")
        time.sleep(1)
        acknowledged = cluster.bank.end()
        with cluster.server.client("root@old") as user:
            commits = user.rows("select w, seq, max(ora_rowscn) from test.ledger group by w, seq")
            end_scn = user.one("select current_scn()")
        wait_archived(client, end_scn)
    later = sorted(int(scn) for _, _, scn in commits if scn > first_scn)
    assert len(later) > 20, "the load made too few transactions behind the backup"
    assert {(one.writer, one.seq) for one in acknowledged} <= {(int(w), int(seq)) for w, seq, _ in commits}
    scn = later[len(later) // 2]
    return Target(scn=scn, transactions=frozenset((int(w), int(seq)) for w, seq, at in commits if at <= scn))


def test_tenants_of_two_engines_live_in_one_cluster(cluster: Cluster) -> None:
    with cluster.server.client() as client, cluster.server.client("root@old") as user:
        assert "1.4.0.0" in client.one("select version()")
        assert OLD_DATA_VERSION in user.one("select version()")
        rows = client.rows("select TENANT_NAME, COMPATIBLE, STATUS from oceanbase.DBA_OB_TENANTS order by TENANT_ID")
        assert rows == [("sys", "1.4.0.0", "NORMAL"), ("old", OLD_DATA_VERSION, "NORMAL")]
        # The account of its memory is kept under the older engine's own name.
        assert user.one("select value from oceanbase.V$OB_PARAMETERS where name = 'memory_limit'") in ("1G", "1024M")


def test_engine_that_is_not_there_can_not_be_asked_for(cluster: Cluster) -> None:
    with cluster.server.client() as client:
        number, text = client.refused("CREATE TENANT t SET holdfast_engine_version = '1.2.0'")
        assert number == 1210
        assert "1.4.0.0, 1.3.0.0" in text
        assert _tenants(client) == ["sys", "old"]


def test_set_of_the_older_engine_is_restored_by_it_to_the_scn(cluster: Cluster, target: Target) -> None:
    with cluster.server.client() as client:
        assert restore(client, "back", cluster.place, f"UNTIL SCN={target.scn}")[0] == "SUCCESS"
        manifest_version = client.one("select max(TENANT_COMPATIBLE) from oceanbase.CDB_OB_BACKUP_SET_FILES")
        assert manifest_version == OLD_DATA_VERSION
        tenant_id = cluster.server.tenant_ids()[-1]
        account = cluster.server.base / "tenants" / str(tenant_id) / "account.json"
        socket = cluster.server.directory(tenant_id).socket
        back = Bank(socket, load_account(account), log_dir=cluster.place.parent / "none")
        with cluster.server.client("root@back") as user:
            assert OLD_DATA_VERSION in user.one("select version()")
            assert user.refused("update test.acct set bal = bal + 1")[0] == 4688
        with open_session(socket, account) as session:
            found = back.check(session)
        assert found.is_right
        assert found.transactions == target.transactions


def test_drill_of_the_older_engine_passes_though_its_scratch_engine_dies(cluster: Cluster, target: Target) -> None:
    with cluster.server.client() as client:
        client.run("ALTER SYSTEM SET backup_drill_assertions = 'select sleep(3) = 0' TENANT = old")
        client.run("ALTER SYSTEM VALIDATE BACKUP LEVEL = 'restore' TENANT = old")
        checking = "select AUX_TENANT_NAME from oceanbase.CDB_OB_RESTORE_DRILLS where STATUS = 'CHECKING'"
        ((name,),) = wait_for(lambda: client.rows(checking), bool)
        tenant_id = int(client.one("select TENANT_ID from oceanbase.DBA_OB_TENANTS where TENANT_NAME = %s", (name,)))
        scratch = EngineProcess.adopt(cluster.server.directory(tenant_id))
        assert scratch is not None
        scratch.stop(gently=False)
        drill = (
            "select RESULT, RESTORE_SCN, FAILED_COUNT, UNCHECKED_COUNT, COMMENT from oceanbase.CDB_OB_RESTORE_DRILLS"
        )
        rows = wait_for(lambda: client.rows(f"{drill} where STATUS = 'FINISHED'"), bool, seconds=120)
        ((result, scn, failed, unchecked, comment),) = rows
        assert (result, failed, unchecked, comment) == ("PASSED", 0, 0, "")
        counted = "select ROW_COUNT from oceanbase.CDB_OB_RESTORE_DRILL_CHECKS where TABLE_NAME = 'ledger' and CHECK_TYPE = 'TABLE'"
        with cluster.server.client("root@old") as user:
            wanted = user.one("select count(*) from test.ledger where ora_rowscn <= %s", (scn,))
        assert client.rows(counted) == [(wanted,)]
        client.run("ALTER SYSTEM SET backup_drill_assertions = '' TENANT = old")
        assert "old" in _tenants(client)
        assert name not in _tenants(client)


def test_restored_tenant_of_the_older_engine_is_activated(cluster: Cluster, target: Target) -> None:
    with cluster.server.client() as client:
        client.run("ALTER SYSTEM ACTIVATE STANDBY TENANT = back")
        role = "select TENANT_ROLE from oceanbase.DBA_OB_TENANTS where TENANT_NAME = 'back'"
        assert client.one(role) == "PRIMARY"
        with cluster.server.client("root@back") as user:
            assert user.run("update test.acct set bal = bal + 1 where id = 1") == 1
            assert user.one("select count(distinct w, seq) from test.ledger") == len(target.transactions)
        client.run("DROP TENANT back")


def test_living_engine_is_adopted_though_it_is_not_installed_any_more(
    cluster: Cluster, environment: pytest.MonkeyPatch
) -> None:
    before = _engine(cluster).pid
    cluster.server.kill()
    environment.delenv(_ENGINES)
    cluster.server.start()
    assert _engine(cluster).pid == before
    with cluster.server.client("root@old") as user:
        assert OLD_DATA_VERSION in user.one("select version()")


def test_tenant_whose_engine_is_gone_is_named_and_the_others_go_on(cluster: Cluster) -> None:
    assert cluster.server.stop() == 0
    cluster.server.log.write_text("")
    cluster.server.start()
    assert EngineProcess.adopt(cluster.server.directory(cluster.tenant_id)) is None
    assert f"tenant old runs on engine {OLD_DATA_VERSION}, which is not installed" in cluster.server.log.read_text()
    with cluster.server.client() as client:
        assert _tenants(client) == ["sys", "old"]
    with pytest.raises(pymysql.MySQLError, match=r"engine 1\.3\.0\.0 is not installed.*HOLDFAST_ENGINES") as caught:
        cluster.server.client("root@old")
    assert caught.value.args[0] == 4012


def test_set_of_an_engine_that_is_not_installed_is_refused_by_name(cluster: Cluster, target: Target) -> None:
    """Before anything is created: no tenant row, no directory, no job."""
    with cluster.server.client() as client:
        jobs = "select count(*) from oceanbase.CDB_OB_RESTORE_PROGRESS"
        before = (_tenants(client), client.one(jobs), sorted(cluster.server.base.glob("*/*")))
        number, text = client.refused(
            f"ALTER SYSTEM RESTORE again FROM 'file://{cluster.place}/data,file://{cluster.place}/archive' "
            f"UNTIL SCN={target.scn}"
        )
        assert number == 4179
        assert text.startswith("restore from lower data version is not allowed")
        assert f"was made by engine {OLD_DATA_VERSION}, this server has 1.4.0.0" in text
        assert _ENGINES in text
        assert (_tenants(client), client.one(jobs), sorted(cluster.server.base.glob("*/*"))) == before


def test_engine_that_comes_back_brings_its_tenant_back(
    cluster: Cluster, environment: pytest.MonkeyPatch, target: Target
) -> None:
    assert cluster.server.stop() == 0
    environment.setenv(_ENGINES, str(old_engine()))
    cluster.server.start()
    with cluster.server.client("root@old") as user:
        assert user.one("select count(distinct w, seq) from test.ledger") >= len(target.transactions)
    process = _engine(cluster)
    process.stop(gently=False)
    with cluster.server.client() as client:
        archived = "select max(CHECKPOINT_SCN) from oceanbase.CDB_OB_ARCHIVELOG"
        before = client.one(archived)
        # The engine died and is started again with its own binary; its archive goes on.
        wait_for(lambda: client.one(archived), lambda scn: scn > before, seconds=WAIT_SECONDS_MAX)


def _engine(cluster: Cluster) -> EngineProcess:
    process = EngineProcess.adopt(cluster.server.directory(cluster.tenant_id))
    assert process is not None
    return process


def _tenants(client: Client) -> list[str]:
    return [str(row[0]) for row in client.rows("select TENANT_NAME from oceanbase.DBA_OB_TENANTS order by TENANT_ID")]


def _increment(client: Client, tenant_id: int) -> tuple[str, int]:
    sql = (
        "select JOB_ID, STATUS, RESULT from oceanbase.CDB_OB_BACKUP_JOB_HISTORY "
        f"where TENANT_ID = {tenant_id} order by JOB_ID desc limit 1"
    )
    before = client.rows(sql)
    # The tenant's job ends a moment before that of sys, and until then the next one is refused (-9036).
    wait_for(lambda: client.one("select count(*) from oceanbase.CDB_OB_BACKUP_JOBS"), lambda count: count == 0)
    client.run("ALTER SYSTEM BACKUP INCREMENTAL TENANT = old")
    row = wait_for(lambda: client.rows(sql), lambda rows: rows != before)[0]
    return str(row[1]), int(row[2])


def test_tenant_whose_directory_is_not_known_is_left_as_it_is_and_the_others_go_on(cluster: Cluster) -> None:
    """As after a server of a newer Holdfast, whose engine has changed the tenant's data in place."""
    assert cluster.server.stop() == 0
    directory = cluster.server.directory(cluster.tenant_id)
    known = directory.data_version_file.read_bytes()
    directory.data_version_file.write_bytes(sealed(b"1.4.1.0 4295229696\n"))
    before = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(directory.root.rglob("*"))}
    archived = {path: path.stat().st_size for path in sorted((cluster.place / "archive").rglob("*")) if path.is_file()}
    why = (
        f"{directory.root} is of engine 1.4.1.0, which this build of holdfast does not know; it knows 1.4.0.0, 1.3.0.0"
    )
    cluster.server.log.write_text("")
    try:
        cluster.server.start()
        assert f"tenant old is not started, and left as it is: {why}" in cluster.server.log.read_text()
        with cluster.server.client() as client:
            client.run("CREATE TENANT good")
            with cluster.server.client("root@good") as user:
                assert "1.4.0.0" in user.one("select version()")
            with pytest.raises(pymysql.MySQLError, match=r"of engine 1\.4\.1\.0, which this build") as caught:
                cluster.server.client("root@old")
            assert caught.value.args[0] == 4012
            number, text = client.refused("DROP TENANT old")
            assert number == codes.OB_VERSION_NOT_MATCH.client
            assert why in text
            status, result, comment = backup(client, "old")
            assert status == "FAILED"
            assert result
            assert "1.4.1.0" in comment
            client.run("DROP TENANT good")
            assert _tenants(client) == ["sys", "old"]
        assert EngineProcess.adopt(directory) is None
        assert cluster.server.stop() == 0
        assert "archiving can not be settled yet" not in cluster.server.log.read_text()
        after = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(directory.root.rglob("*"))}
        assert after == before
        now = {path: path.stat().st_size for path in sorted((cluster.place / "archive").rglob("*")) if path.is_file()}
        assert now == archived
    finally:
        directory.data_version_file.write_bytes(known)
    cluster.server.start()
    with cluster.server.client("root@old") as user:
        assert user.one("select count(*) from test.acct") > 0
