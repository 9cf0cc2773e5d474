"""Backup statements and their jobs on a real catalog and engine; only the archive is held by hand, so that it can be
made late, interrupted or replaced at the wrong moment."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from stand_ins import CLOCK, HeldLog

from engine_rig import EngineRig, running_engine
from holdfast.archive.journal import FollowerStatus
from holdfast.backup_format import names
from holdfast.backup_format.manifest import decode_manifest, encode_manifest
from holdfast.backup_format.piece_record import LogPosition, PieceRecord, encode_piece_record
from holdfast.catalog.backups import BackupJob, BackupSet, BackupTask
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import ParameterDefinition
from holdfast.errors import HoldfastError, NotFoundError
from holdfast.jobs import backup_worker
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.backups import WORKERS, Backups
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.ground import Ground
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.session import Session
from holdfast.jobs.supervisor import Supervisor
from holdfast.statement.commands import Backup, CancelBackup
from holdfast.store.file import FileStore
from holdfast.store.open import open_store
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round, RoundStatus
from holdfast.values.backup_set import BackupType, JobLevel, JobStatus, SetStatus, TaskStatus
from holdfast.values.destination import DestinationKind, Uri, parse_uri
from holdfast.values.grants import EVERYTHING
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from holdfast.values.tenant import (
    SYS_TENANT_ID,
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantRole,
    TenantStatus,
    Unit,
)
from owner_rig import Unarchived

pytestmark = pytest.mark.live

UNIT = Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30)
TIMELINE = "ab" * 16
WAIT_SECONDS = 60.0
CANCEL_SECONDS_MAX = 10.0
"""The promise is 2 s, held by a quiet machine; this is what a busy one gets."""


@dataclass
class HeldArchive:
    """A follower over held links, whose checkpoint and status a test sets."""

    log: HeldLog
    round_id: int
    status_now: RoundStatus = RoundStatus.DOING
    is_late: bool = False

    def status(self) -> FollowerStatus:
        return FollowerStatus(
            round_id=self.round_id,
            status=self.status_now,
            comment="by the test",
            checkpoint_scn=self.checkpoint_scn(),
            start_lsn=self.start_lsn(),
            durable_lsn=None,
            is_stalled=False,
        )

    def start_lsn(self) -> Lsn:
        return self.log.start_lsn()

    def tail_after(self) -> tuple[Lsn, Scn]:
        return self.log.tail_after()

    def request_flush(self, until_scn: Scn) -> None:
        pass

    def checkpoint_scn(self) -> Scn:
        return Scn(0) if self.is_late else self.log.checkpoint_scn()


def tenant_of(tenant_id: int, name: str) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=name,
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.ARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=UNIT,
        create_time_us=1,
        modify_time_us=1,
        data_version="1.4.0.0",
    )


IDENTITY = ClusterIdentity(name="test", cluster_id=7)


@dataclass
class World:
    """A catalog and any number of tenants, all of them the one engine."""

    rig: EngineRig
    home: Path
    catalog: Catalog
    log: HeldLog
    archives: dict[int, HeldArchive] = field(default_factory=dict)
    generation: int = 1

    def backups(self, open_store: Callable[..., Store] = open_store) -> Backups:
        """Return a new server's worth of workers."""
        archiving = SimpleNamespace(follower=self.archives.get)
        supervisor = SimpleNamespace(
            directory=lambda tenant_id: self.rig.directory,
            process=lambda tenant_id: self.rig.process,
            session=lambda tenant_id: self.rig.session(),
            account_file=lambda tenant_id: self.rig.account_file,
        )
        self.generation += 1
        return Backups(
            self.catalog,
            cast(Archiving, archiving),
            ClusterDirectory(self.home / "cluster"),
            CLOCK,
            identity=IDENTITY,
            tenures=Unarchived(self.catalog, IDENTITY, CLOCK),
            ground=Ground(self.home / "cluster", lambda: (str(self.home),)),
            open_store=open_store,
            supervisor=cast(Supervisor, supervisor),
            generation=self.generation,
        )

    def new_tenant(self, backups: Backups) -> Tenant:
        """Return a tenant with a data destination and a round that is DOING."""
        tenant_id = self.catalog.tenants.next_tenant_id()
        tenant = tenant_of(tenant_id, f"t{tenant_id}")
        self.catalog.tenants.add(tenant)
        place = self.home / str(tenant_id)
        backups.set_destination(session_of(tenant), tenant, f"file://{place}/data")
        self._archive(tenant, place)
        return tenant

    def _archive(self, tenant: Tenant, place: Path) -> None:
        uri = parse_uri(f"file://{place}/archive")
        destination = self.catalog.destinations.reserve(tenant.tenant_id, DestinationKind.ARCHIVE_LOG, uri)
        round_id = self.catalog.rounds.next_round_id(tenant.tenant_id)
        now = Scn(time.time_ns())
        common: dict[str, Any] = {
            "tenant_id": tenant.tenant_id,
            "dest_id": destination.dest_id,
            "round_id": round_id,
            "start_scn": now,
            "checkpoint_scn": now,
            "input_bytes": 0,
            "output_bytes": 0,
        }
        piece = Piece(
            **common,
            piece_id=1,
            status=PieceStatus.ACTIVE,
            end_scn=Scn(now + 86400 * 10**9),
            max_scn=now,
            file_status=FileStatus.AVAILABLE,
            path=uri.identity,
        )
        current = Round(
            **common,
            status=RoundStatus.DOING,
            base_piece_id=1,
            used_piece_id=1,
            piece_switch_interval_us=86400 * 10**6,
            comment="",
            path=uri.identity,
        )
        self.catalog.rounds.save(current, [piece])
        begin = LogPosition(lsn=Lsn(0), accumulated=0, log_id=0, scn=Scn(0))
        record = PieceRecord(
            cluster_name="test",
            cluster_id=7,
            tenant_id=tenant.tenant_id,
            tenant_name=tenant.name,
            dest_id=destination.dest_id,
            round_id=round_id,
            piece_id=1,
            timeline=TIMELINE,
            status=PieceStatus.ACTIVE,
            start_scn=now,
            end_scn=piece.end_scn,
            checkpoint_scn=now,
            max_scn=Scn(0),
            begin=begin,
            end=begin,
            input_bytes=0,
            output_bytes=0,
            engine_data_version="1.4.0.0",
            blocks=(),
        )
        root = names.piece_root(destination.dest_id, round_id, 1)
        FileStore(uri.path, create=True).put(names.checkpoint_name(root), encode_piece_record(record))
        self.archives[tenant.tenant_id] = HeldArchive(log=self.log, round_id=round_id)

    def job(self, tenant: Tenant) -> BackupJob:
        """Return the tenant's newest job."""
        last: BackupJob | None = None
        for job_id in itertools.count(1):
            try:
                last = self.catalog.backups.job(tenant.tenant_id, job_id)
            except NotFoundError:
                break
        assert last is not None
        return last

    def task(self, job: BackupJob) -> BackupTask | None:
        tasks = self.catalog.backups.tasks(job.tenant_id, job.job_id)
        return tasks[-1] if tasks else None

    def ended(self, tenant: Tenant) -> BackupJob:
        """Return the tenant's newest job when it has ended."""
        wait_until(lambda: not self.job(tenant).is_active)
        return self.job(tenant)

    def newest_set(self, tenant: Tenant) -> BackupSet:
        return self.catalog.backups.sets(tenant.tenant_id)[-1]


def session_of(tenant: Tenant) -> Session:
    return Session(tenant=tenant, user="root", client_id=1, grants=EVERYTHING)


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("jobs")
    (home / "cluster").mkdir()
    with running_engine(home) as rig, closing(HeldLog(rig.directory.log_dir, home / "spool")) as log:
        catalog = Catalog(lambda: rig.session().connection, rig.log_in)
        catalog.install()
        catalog.parameters.define(
            [ParameterDefinition(name="ha_low_thread_score", data_type="INT", default_value="0", info="threads")]
        )
        catalog.tenants.add(tenant_of(SYS_TENANT_ID, "sys"))
        yield World(rig=rig, home=home, catalog=catalog, log=log)
        catalog.close()


@pytest.fixture(autouse=True)
def log_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is held by hand and no log lies in its destination: a backup that looked for it there would end."""
    monkeypatch.setattr(backup_worker, "lack_of_log", lambda *_: None)


@pytest.fixture
def backups(world: World) -> Iterator[Backups]:
    made = world.backups()
    yield made
    made.stop_all()


SYS = session_of(tenant_of(SYS_TENANT_ID, "sys"))
WAITING = TaskStatus.BACKUP_LOG


def waits_for_archive(world: World, tenant: Tenant) -> bool:
    task = world.task(world.job(tenant))
    return task is not None and task.status is WAITING


def held_at_the_archive(world: World, backups: Backups, tenant: Tenant) -> None:
    """Begin a backup that has everything but the archive's word."""
    world.archives[tenant.tenant_id].is_late = True
    backups.backup(session_of(tenant), Backup(database=True))
    wait_until(lambda: waits_for_archive(world, tenant))


def refused(act: Callable[[], object]) -> HoldfastError:
    with pytest.raises(HoldfastError) as caught:
        act()
    return caught.value


def test_a_tenants_own_backup_completes_with_every_row_told(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    backups.backup(session_of(tenant), Backup(database=True, description="nightly"))
    job = world.ended(tenant)
    assert (job.status, job.result, job.job_level, job.description) == (
        JobStatus.COMPLETED,
        0,
        JobLevel.USER_TENANT,
        "nightly",
    )
    task, made = world.task(job), world.newest_set(tenant)
    assert task is not None
    assert task.status is TaskStatus.COMPLETED
    assert task.macro_block_count == task.finish_macro_block_count > 2
    assert task.tablet_count == task.finish_tablet_count > 0
    assert 0 < task.start_scn <= task.end_scn == made.min_restore_scn
    assert (made.status, made.file_status, made.backup_type) == (
        SetStatus.SUCCESS,
        FileStatus.AVAILABLE,
        BackupType.FULL,
    )
    assert made.start_replay_scn < made.min_restore_scn
    assert made.output_bytes > 0


def test_a_second_backup_and_a_new_destination_are_refused_while_one_runs(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    held_at_the_archive(world, backups, tenant)
    again = refused(lambda: backups.backup(session_of(tenant), Backup(database=True)))
    assert again.code.number == -9036
    by_sys = refused(lambda: backups.backup(SYS, Backup(tenants=(tenant.name,))))
    assert by_sys.code.number == -9036
    moved = refused(lambda: backups.set_destination(session_of(tenant), tenant, f"file://{world.home}/other"))
    assert moved.code.number == -9036
    task = world.task(world.job(tenant))
    assert task is not None
    assert task.finish_macro_block_count < task.macro_block_count
    world.archives[tenant.tenant_id].is_late = False
    assert world.ended(tenant).status is JobStatus.COMPLETED


def test_a_cancelled_backup_leaves_a_failed_set_that_is_no_base(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    held_at_the_archive(world, backups, tenant)
    backups.cancel(session_of(tenant), CancelBackup())
    job = world.ended(tenant)
    assert (job.status, job.result, job.comment) == (JobStatus.CANCELED, -4072, "")
    task, made = world.task(job), world.newest_set(tenant)
    assert task is not None
    assert task.status is TaskStatus.CANCELED
    assert (made.status, made.file_status) == (SetStatus.FAILED, FileStatus.INCOMPLETE)
    world.archives[tenant.tenant_id].is_late = False
    backups.backup(session_of(tenant), Backup(database=True, incremental=True))
    assert world.ended(tenant).backup_type is BackupType.FULL
    assert world.newest_set(tenant).backup_set_id == 2


@dataclass
class Obstacle:
    """A destination whose calls of one method hang, when their name ends so, until a test lets them go."""

    method: str
    ending: str = ""
    entered: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def open_store(self, uri: Uri, *, create: bool = False) -> Store:
        return cast(Store, _HangingStore(open_store(uri, create=create), self))


@dataclass
class _HangingStore:
    store: Store
    obstacle: Obstacle

    def __getattr__(self, attribute: str) -> Any:
        method = getattr(self.store, attribute)
        if attribute != self.obstacle.method:
            return method

        def hang(name: str, *args: Any) -> Any:
            if name.endswith(self.obstacle.ending):
                self.obstacle.entered.set()
                assert self.obstacle.let_go.wait(WAIT_SECONDS)
            return method(name, *args)

        return hang


@pytest.mark.parametrize(
    ("method", "ending"),
    [("get", names.FORMAT_FILE), ("put", "start.obbak"), ("writer", ""), ("writer", "index"), ("put", ".obbak")],
)
def test_a_cancelled_job_ends_although_its_destination_hangs_and_its_set_stays_invisible(
    world: World, method: str, ending: str
) -> None:
    obstacle = Obstacle(method, ending)
    quick, slow = world.backups(), world.backups(obstacle.open_store)
    tenant = world.new_tenant(quick)
    try:
        slow.backup(session_of(tenant), Backup(database=True))
        assert obstacle.entered.wait(WAIT_SECONDS)
        began = time.monotonic()
        slow.cancel(session_of(tenant), CancelBackup())
        job = world.ended(tenant)
        seconds = time.monotonic() - began
        print(f"cancelled inside {method}({ending}): ended after {seconds:.2f} s")
        assert seconds < CANCEL_SECONDS_MAX
        assert (job.status, job.result) == (JobStatus.CANCELED, -4072)
        task = world.task(job)
        assert task is None or task.status is TaskStatus.CANCELED
        made = world.catalog.backups.sets(tenant.tenant_id)
        assert [(one.status, one.file_status) for one in made] in ([], [(SetStatus.FAILED, FileStatus.INCOMPLETE)])
        # The next one waits for the step that hangs, and is none the worse for it.
        slow.backup(session_of(tenant), Backup(database=True))
        obstacle.let_go.set()
        assert world.ended(tenant).status is JobStatus.COMPLETED
    finally:
        obstacle.let_go.set()
        slow.stop_all()
        quick.stop_all()
    manifests = (world.home / str(tenant.tenant_id) / "data").glob("backup_set_*/manifest.json")
    assert [path.parent.name for path in manifests] == ["backup_set_2_full"]
    assert world.job(tenant).job_id == 2


def test_a_cancel_that_comes_when_the_manifest_is_on_its_way_is_too_late(world: World) -> None:
    obstacle = Obstacle("put_new", "manifest.json")
    quick, slow = world.backups(), world.backups(obstacle.open_store)
    tenant = world.new_tenant(quick)
    try:
        slow.backup(session_of(tenant), Backup(database=True))
        assert obstacle.entered.wait(WAIT_SECONDS)
        slow.cancel(session_of(tenant), CancelBackup())
        time.sleep(1.5)  # longer than a worker that was outside the gate would be waited for
        assert world.job(tenant).is_active
        obstacle.let_go.set()
        assert world.ended(tenant).status is JobStatus.COMPLETED
    finally:
        obstacle.let_go.set()
        slow.stop_all()
        quick.stop_all()
    assert world.newest_set(tenant).file_status is FileStatus.AVAILABLE


def test_a_job_behind_busy_workers_is_cancelled_at_once_and_the_others_go_on(world: World, backups: Backups) -> None:
    tenants = [world.new_tenant(backups) for _ in range(WORKERS + 1)]
    for tenant in tenants:
        world.archives[tenant.tenant_id].is_late = True
    backups.backup(SYS, Backup(tenants=tuple(tenant.name for tenant in tenants)))
    busy, queued = tenants[:-1], tenants[-1]
    wait_until(lambda: all(waits_for_archive(world, tenant) for tenant in busy))
    backups.cancel(session_of(queued), CancelBackup())
    job = world.job(queued)  # ended when CANCEL answers
    assert (job.status, job.result) == (JobStatus.CANCELED, -4072)
    assert world.catalog.backups.sets(queued.tenant_id) == ()
    assert all(world.job(tenant).is_active for tenant in busy)
    assert world.job(SYS.tenant).is_active
    for tenant in busy:
        world.archives[tenant.tenant_id].is_late = False
    for tenant in busy:
        assert world.ended(tenant).status is JobStatus.COMPLETED
    wait_until(lambda: not world.job(SYS.tenant).is_active)
    assert (world.job(SYS.tenant).status, world.job(SYS.tenant).result) == (JobStatus.FAILED, -4072)


def test_a_job_cancelled_while_no_server_lived_is_ended_by_the_next_with_all_its_rows(world: World) -> None:
    first = world.backups()
    tenant = world.new_tenant(first)
    held_at_the_archive(world, first, tenant)
    first.stop_all()
    left = world.job(tenant)
    assert world.catalog.backups.request_cancel(left.tenant_id, left.job_id)
    second = world.backups()
    second.resume_all()
    try:
        job = world.ended(tenant)
    finally:
        second.stop_all()
    task = world.task(job)
    assert task is not None
    assert (job.status, task.status) == (JobStatus.CANCELED, TaskStatus.CANCELED)
    assert world.newest_set(tenant).file_status is FileStatus.INCOMPLETE


def test_cancel_with_nothing_running_succeeds(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    backups.cancel(session_of(tenant), CancelBackup())
    backups.cancel(SYS, CancelBackup(tenants=(tenant.name,)))


@pytest.mark.parametrize(
    ("status", "result"),
    [(RoundStatus.INTERRUPTED, -9027), (RoundStatus.STOP, -9029), (RoundStatus.SUSPEND, -9029)],
)
def test_losing_the_archive_fails_the_backup(world: World, backups: Backups, status: RoundStatus, result: int) -> None:
    tenant = world.new_tenant(backups)
    held_at_the_archive(world, backups, tenant)
    world.archives[tenant.tenant_id].status_now = status
    job = world.ended(tenant)
    assert (job.status, job.result) == (JobStatus.FAILED, result)
    assert f"module:BACKUP_LOG,result: {result}(" in job.comment
    assert world.newest_set(tenant).file_status is FileStatus.INCOMPLETE


def test_a_newer_round_fails_the_backup_as_interrupted(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    held_at_the_archive(world, backups, tenant)
    world.archives[tenant.tenant_id].round_id += 1
    assert world.ended(tenant).result == -9027


def test_a_destination_without_its_format_file_fails_the_job(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    (world.home / str(tenant.tenant_id) / "data" / names.FORMAT_FILE).unlink()
    backups.backup(session_of(tenant), Backup(database=True))
    job = world.ended(tenant)
    assert (job.status, job.result) == (JobStatus.FAILED, -9080)
    assert world.catalog.backups.sets(tenant.tenant_id) == ()


def test_an_increment_needs_a_base_and_a_whole_chain_else_it_becomes_full(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    types = []
    for _ in range(3):
        backups.backup(session_of(tenant), Backup(database=True, incremental=True))
        assert world.ended(tenant).status is JobStatus.COMPLETED
        types.append(world.newest_set(tenant).backup_type)
    assert types == [BackupType.FULL, BackupType.INC, BackupType.INC]
    newest = world.newest_set(tenant)
    assert (newest.prev_full_backup_set_id, newest.prev_inc_backup_set_id) == (1, 2)
    first = world.catalog.backups.sets(tenant.tenant_id)[0]
    assert first.comment.startswith("full instead of incremental: no complete backup set on file://")
    assert newest.comment == ""
    data = world.home / str(tenant.tenant_id) / "data" / names.set_root(1, BackupType.FULL) / "data"
    next(data.iterdir()).unlink()
    backups.backup(session_of(tenant), Backup(database=True, incremental=True))
    job = world.ended(tenant)
    assert job.backup_type is BackupType.FULL
    task = world.task(job)
    assert task is not None
    assert task.comment.startswith(
        "full instead of incremental: backup set 3 can not be its base: backup_set_1_full/data"
    )
    assert world.newest_set(tenant).comment == task.comment


def test_an_increment_on_a_base_of_another_data_version_becomes_full_and_says_so(
    world: World, backups: Backups
) -> None:
    tenant = world.new_tenant(backups)
    backups.backup(session_of(tenant), Backup(database=True))
    assert world.ended(tenant).status is JobStatus.COMPLETED
    manifest_path = world.home / str(tenant.tenant_id) / "data" / names.manifest_name("backup_set_1_full")
    forged = replace(decode_manifest(manifest_path.read_bytes()), engine_data_version="1.3.0.0")
    manifest_path.write_bytes(encode_manifest(forged))
    backups.backup(session_of(tenant), Backup(database=True, incremental=True))
    job = world.ended(tenant)
    assert (job.status, job.backup_type) == (JobStatus.COMPLETED, BackupType.FULL)
    assert world.newest_set(tenant).comment == (
        "full instead of incremental: backup set 1 is of engine data version 1.3.0.0, the engine is of 1.4.0.0 now"
    )
    backups.backup(session_of(tenant), Backup(database=True, incremental=True))
    assert world.ended(tenant).backup_type is BackupType.INC
    assert world.newest_set(tenant).prev_full_backup_set_id == 2


def test_sys_backs_up_a_list_with_a_parent_row_that_ends_with_its_children(world: World, backups: Backups) -> None:
    good, bad = world.new_tenant(backups), world.new_tenant(backups)
    (world.home / str(bad.tenant_id) / "data" / names.FORMAT_FILE).unlink()
    backups.backup(SYS, Backup(tenants=(good.name, bad.name, good.name)))
    wait_until(lambda: not world.catalog.backups.active_jobs(tenant_id=SYS_TENANT_ID))
    parent, child = world.job(SYS.tenant), world.job(good)
    assert (parent.status, parent.result, parent.backup_set_id, parent.path) == (JobStatus.FAILED, -9080, 0, "")
    assert parent.executor_tenant_ids == (good.tenant_id, bad.tenant_id)
    assert (child.status, child.initiator_tenant_id, child.initiator_job_id) == (
        JobStatus.COMPLETED,
        SYS_TENANT_ID,
        parent.job_id,
    )
    assert {parent.job_level, child.job_level} == {JobLevel.SYS_TENANT}


def test_cancelling_from_sys_ends_parent_and_children_as_cancelled(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    world.archives[tenant.tenant_id].is_late = True
    backups.backup(SYS, Backup(tenants=(tenant.name,)))
    wait_until(lambda: waits_for_archive(world, tenant))
    backups.cancel(SYS, CancelBackup())
    wait_until(lambda: not world.catalog.backups.active_jobs(tenant_id=SYS_TENANT_ID))
    assert world.job(tenant).status is JobStatus.CANCELED
    assert (world.job(SYS.tenant).status, world.job(SYS.tenant).result) == (JobStatus.CANCELED, -4072)


def test_start_checks_say_what_oceanbase_says(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    own, mine = session_of(tenant), Backup(database=True)
    named = refused(lambda: backups.backup(own, Backup(tenants=(tenant.name,))))
    assert str(named).startswith("user tenant cannot specify tenant names not supported")
    nobody = refused(lambda: backups.backup(SYS, Backup()))
    assert nobody.message == "No tenant name specified not supported"
    backups.set_destination(own, tenant, "")
    homeless = refused(lambda: backups.backup(own, mine))
    assert homeless.message == "backup can not start, because backup dest is not set."
    backups.set_destination(own, tenant, f"file://{world.home}/{tenant.tenant_id}/data")
    current = world.catalog.rounds.current(tenant.tenant_id)
    assert current is not None
    world.catalog.rounds.save(replace(current, status=RoundStatus.SUSPEND))
    resting = refused(lambda: backups.backup(own, mine))
    assert resting.message == "backup can not start, because log archive status is not doing."
    by_sys = refused(lambda: backups.backup(SYS, Backup(tenants=(tenant.name,))))
    assert by_sys.message == resting.message


def test_a_destination_inside_the_clusters_own_directory_is_refused(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    inside = refused(lambda: backups.set_destination(SYS, tenant, f"file://{world.home}/cluster/tenants/x"))
    assert inside.code.number == -9026


def test_a_job_of_a_server_that_ended_is_taken_up_by_the_next_and_keeps_its_set(world: World) -> None:
    first = world.backups()
    tenant = world.new_tenant(first)
    held_at_the_archive(world, first, tenant)
    first.stop_all()
    left = world.job(tenant)
    assert left.status is JobStatus.DOING
    world.archives[tenant.tenant_id].is_late = False
    second = world.backups()
    second.resume_all()
    try:
        job = world.ended(tenant)
    finally:
        second.stop_all()
    assert (job.status, job.attempt, job.backup_set_id) == (JobStatus.COMPLETED, 2, left.backup_set_id)
    assert "took up 1 data objects of an earlier attempt" in world.newest_set(tenant).comment


def test_a_set_that_was_complete_when_its_server_died_is_found_complete_whatever_became_of_the_archive(
    world: World,
) -> None:
    first = world.backups()
    tenant = world.new_tenant(first)
    held_at_the_archive(world, first, tenant)
    archive = world.archives[tenant.tenant_id]
    finish = world.catalog.backups.finish
    died = threading.Event()

    def die(*args: object, **kwargs: object) -> None:
        died.set()
        raise HoldfastError("the server died here")

    world.catalog.backups.finish = die  # type: ignore[method-assign]
    archive.is_late = False
    assert died.wait(WAIT_SECONDS)
    first.stop_all()
    world.catalog.backups.finish = finish  # type: ignore[method-assign]
    archive.status_now = RoundStatus.INTERRUPTED
    second = world.backups()
    second.resume_all()
    try:
        assert world.ended(tenant).status is JobStatus.COMPLETED
    finally:
        second.stop_all()
    assert world.newest_set(tenant).file_status is FileStatus.AVAILABLE


def test_a_job_that_took_three_servers_with_it_is_given_up(world: World) -> None:
    first = world.backups()
    tenant = world.new_tenant(first)
    held_at_the_archive(world, first, tenant)
    first.stop_all()
    for _ in range(2):
        following = world.backups()
        following.resume_all()
        wait_until(lambda: waits_for_archive(world, tenant))
        time.sleep(0.1)
        following.stop_all()
    last = world.backups()
    last.resume_all()
    try:
        job = world.ended(tenant)
    finally:
        last.stop_all()
    assert job.status is JobStatus.FAILED
    assert "gave up after 3 attempts" in job.comment


def test_dropping_a_tenant_ends_its_backup_first(world: World, backups: Backups) -> None:
    tenant = world.new_tenant(backups)
    held_at_the_archive(world, backups, tenant)
    backups.drop_tenant(tenant.tenant_id)
    assert world.job(tenant).status is JobStatus.FAILED
