"""The life of a deletion job: refused at once, begun by the hour, cancelled, queued, taken up after a death at any step."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cleanup_rig import SYS, Forged, World, wait_until

from holdfast.catalog.backups import BackupJob, BackupTask
from holdfast.catalog.restores import RestoreJob
from holdfast.catalog.validation import DamageRow, ValidateType
from holdfast.errors import EngineError, ForeignOwnerError, HoldfastError, StoreUnavailableError
from holdfast.jobs.backup_worker import ServerStoppingError
from holdfast.jobs.cleanup import Cleanup
from holdfast.jobs.leftovers import Leftovers
from holdfast.statement.commands import (
    AddDeletePolicy,
    CancelDelete,
    DeleteArchivelogPiece,
    DeleteBackupAll,
    DeleteBackupset,
    DeleteObsolete,
    DropDeletePolicy,
    PinBackupset,
)
from holdfast.store.open import open_store
from holdfast.store.store import ObjectInfo, Store
from holdfast.values.archive import FileStatus, RoundStatus
from holdfast.values.backup_set import BackupType, JobLevel, JobStatus, SetStatus
from holdfast.values.destination import DestinationKind, Uri
from holdfast.values.quick import QuickStatus, QuickTenant
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import Scn

pytestmark = pytest.mark.live

WEEK = AddDeletePolicy(name="default", recovery_window="7d")
DELETED, DELETING, AVAILABLE = FileStatus.DELETED, FileStatus.DELETING, FileStatus.AVAILABLE


def refused(act: Callable[[], object]) -> HoldfastError:
    with pytest.raises(HoldfastError) as caught:
        act()
    return caught.value


@dataclass
class HeldStore:
    """`store`, whose removals wait for a test, or end as a killed server's would."""

    store: Store
    held: "Hold"

    @property
    def location(self) -> str:
        return self.store.location

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self.store.list(prefix)

    def delete(self, name: str) -> None:
        if name.startswith("check_file/"):
            return self.store.delete(name)  # of the connectivity check, not of a cleanup
        self.held.step(lambda: self.store.delete(name))
        return None

    def delete_tree(self, folder: str) -> None:
        self.held.step(lambda: self.store.delete_tree(folder))

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


@dataclass
class Hold:
    """What happens at each removal: nothing, a refusal, a wait until the test lets go, or the death of the server."""

    dies_at: int = 0
    fails_at: int = 0
    waits_at: int = 0
    count: int = 0
    victim: Cleanup | None = None
    met: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self, act: Callable[[], None]) -> None:
        with self.lock:
            self.count += 1
            number = self.count
        if self.dies_at and number >= self.dies_at:
            assert self.victim is not None
            self.victim._ended.set()
            for running in self.victim._running.values():
                running.stops.stop_server()
            raise ServerStoppingError("killed here")
        if self.fails_at and number >= self.fails_at:
            raise StoreUnavailableError("read-only")
        if number == self.waits_at:
            self.met.set()
            assert self.go.wait(60)
        act()

    def open(self, uri: Uri, *, create: bool = False) -> Store:
        return HeldStore(open_store(uri, create=create), self)  # type: ignore[return-value]


def small(world: World) -> Forged:
    """Two full sets with log of their own, one of them obsolete, and a policy."""
    tenant = world.tenant()
    tenant.make_set(20, has_log=True)
    tenant.make_set(9, has_log=True)
    world.cleanup().add_policy(tenant.session, WEEK)
    return tenant


# --- refused at once


def test_every_statement_is_refused_with_the_manuals_code_and_text(world: World, cleanup: Cleanup) -> None:
    one, two = world.tenant(), world.tenant()
    a, b = one.tenant.name, two.tenant.name
    user = one.session
    policy = {"name": "default", "recovery_window": "7d"}
    only = "only one tenant name can be specified"
    cleanup.add_policy(user, WEEK)
    all_here = {"kind": DestinationKind.BACKUP_DATA, "path": one.data.uri.identity}
    ids = tuple(range(1, 34))
    supported = " not supported"
    many = f"Too many tenant names specified, {only}{supported}"
    mine = f"user tenant cannot specify tenant names{supported}"
    unknown = "invalid tenant name specified in connection string"
    cases: list[tuple[Callable[[], object], int, str]] = [
        # 9.1 policies
        (
            lambda: cleanup.add_policy(SYS, AddDeletePolicy(**policy)),
            1235,
            f"Too little tenant names specified, {only}{supported}",
        ),
        (lambda: cleanup.add_policy(SYS, AddDeletePolicy(**policy, tenants=(a, b))), 1235, many),
        (
            lambda: cleanup.add_policy(user, replace(WEEK, name="mine")),
            1235,
            f"The policy name is not 'default', it is{supported}",
        ),
        (
            lambda: cleanup.add_policy(two.session, AddDeletePolicy(name="default")),
            1235,
            f"Neither recovery_window nor redundancy is set{supported}",
        ),
        (
            lambda: cleanup.add_policy(two.session, replace(WEEK, recovery_window="7 days")),
            1235,
            f"recovery window is not be time string{supported}",
        ),
        (
            lambda: cleanup.add_policy(two.session, replace(WEEK, redundancy=2)),
            1235,
            f"Redundancy not equal to 1 is{supported}",
        ),
        (lambda: cleanup.add_policy(user, WEEK), 4017, "the tenant has a delete policy already"),
        (lambda: cleanup.drop_policy(two.session, DropDeletePolicy(name="default")), 4018, ""),
        (lambda: cleanup.drop_policy(user, DropDeletePolicy(name="log_only")), 4018, ""),
        (lambda: cleanup.add_policy(user, replace(WEEK, tenants=(a,))), 1235, mine),
        (lambda: cleanup.drop_policy(user, DropDeletePolicy(name="default", tenants=(a,))), 1235, mine),
        # 9.2 deletions
        (
            lambda: cleanup.delete_sets(SYS, DeleteBackupset(ids=(1,))),
            1235,
            f"need to specify a tenant name{supported}",
        ),
        (
            lambda: cleanup.delete_pieces(SYS, DeleteArchivelogPiece(ids=(1,))),
            1235,
            f"need to specify a tenant name{supported}",
        ),
        (
            lambda: cleanup.delete_all(SYS, DeleteBackupAll(**all_here)),
            1235,
            f"need to specify a tenant name{supported}",
        ),
        (lambda: cleanup.delete_sets(SYS, DeleteBackupset(ids=(1,), tenants=(a, b))), 1235, many),
        (lambda: cleanup.delete_pieces(SYS, DeleteArchivelogPiece(ids=(1,), tenants=(a, b))), 1235, many),
        (
            lambda: cleanup.delete_sets(user, DeleteBackupset(ids=ids)),
            1235,
            f"the number of ids to be deleted more than 32{supported}",
        ),
        (
            lambda: cleanup.delete_pieces(user, DeleteArchivelogPiece(ids=ids)),
            1235,
            f"the number of ids to be deleted more than 32{supported}",
        ),
        (
            lambda: cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=(a, b))),
            4018,
            "no delete policy for some user tenant",
        ),
        (lambda: cleanup.delete_obsolete(two.session, DeleteObsolete()), 4018, "there is no delete policy"),
        # 1.2 tenant lists
        (lambda: cleanup.delete_obsolete(user, DeleteObsolete(tenants=(a,))), 1235, mine),
        (lambda: cleanup.delete_sets(user, DeleteBackupset(ids=(1,), tenants=(a,))), 1235, mine),
        (lambda: cleanup.cancel(user, CancelDelete(tenants=(a,))), 1235, mine),
        (lambda: cleanup.pin(user, PinBackupset(backup_set_id=1, tenants=(a,))), 1235, mine),
        (lambda: cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=("nobody",))), 5160, unknown),
        (lambda: cleanup.cancel(SYS, CancelDelete(tenants=("nobody",))), 5160, unknown),
        (lambda: cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=("sys",))), 4016, "Internal error"),
        (lambda: cleanup.add_policy(SYS, replace(WEEK, tenants=("sys",))), 4016, "Internal error"),
        (
            lambda: cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=("all", a))),
            1235,
            f"all/all_user/all_meta in combination with other names is{supported}",
        ),
        (
            lambda: cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=("all_meta",))),
            1235,
            f"No valid tenant name given{supported}",
        ),
    ]
    for act, client, text in cases:
        error = refused(act)
        assert error.code.client == client, (error, client, text)
        assert not text or error.message == text
    assert world.catalog.cleanup.active_jobs() == ()
    # The same tenant twice is that tenant once.
    cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=(a, a)))
    assert one.ended().status is JobStatus.COMPLETED
    cleanup.drop_policy(SYS, DropDeletePolicy(name="default", tenants=(a, a)))


# --- the hour


def test_a_tenant_with_a_policy_is_cleaned_by_itself_and_only_once_an_interval(world: World) -> None:
    tenant = small(world)
    hourly = world.cleanup(interval_seconds=0.2)
    hourly.resume_all()
    try:
        wait_until(lambda: tenant.file_status() == {1: DELETED, 2: AVAILABLE})
        wait_until(lambda: len(tenant.view("BACKUP_DELETE_JOB_HISTORY", "JOB_ID")) >= 2)
    finally:
        hourly.stop_all()
    jobs = tenant.view("BACKUP_DELETE_JOB_HISTORY", "INITIATOR_TENANT_ID, INITIATOR_JOB_ID, JOB_LEVEL, STATUS")
    assert set(jobs) == {(tenant.id, 0, "USER_TENANT", "COMPLETED")}
    starts = [row[0].timestamp() for row in tenant.view("BACKUP_DELETE_JOB_HISTORY", "START_TIMESTAMP")]
    assert all(later - earlier >= 0.19 for earlier, later in zip(sorted(starts), sorted(starts)[1:], strict=False))
    world.cleanup().drop_policy(tenant.session, DropDeletePolicy(name="default"))


def test_a_server_that_was_away_does_not_clean_before_the_hour_is_over(world: World) -> None:
    tenant = small(world)
    slow = world.cleanup(interval_seconds=3600)
    slow.resume_all()
    slow._submit_due()
    slow.stop_all()
    assert tenant.view("BACKUP_DELETE_JOBS", "JOB_ID") == []
    world.cleanup().drop_policy(tenant.session, DropDeletePolicy(name="default"))


@pytest.mark.parametrize("call", ["claim", "active_jobs"])
@pytest.mark.parametrize(
    "error", [EngineError("the catalog is away"), RuntimeError("a defect")], ids=["away", "defect"]
)
def test_what_the_catalog_kept_from_a_worker_is_taken_up_a_moment_later(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str, error: Exception
) -> None:
    """The thread of the hour, which looks every 15 s, does not run here. Two jobs: the end of one begins the other."""
    tenant = small(world)
    catalog = type(world.catalog.cleanup)
    right, left = getattr(catalog, call), [error, error]

    def failing(*arguments: object) -> object:
        if left and threading.current_thread().name.startswith(("cleanup-job", "leftovers")):
            raise left.pop()
        return right(*arguments)

    monkeypatch.setattr(catalog, call, failing)
    cleanup = world.cleanup()
    cleanup._left = Leftovers(again_seconds=0.1)
    for _ in range(2):
        cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    wait_until(lambda: len(tenant.view("BACKUP_DELETE_JOB_HISTORY", "JOB_ID")) == 2)
    assert left == []
    assert set(tenant.view("BACKUP_DELETE_JOB_HISTORY", "STATUS, RESULT")) == {("COMPLETED", 0)}
    cleanup.stop_all()
    cleanup.drop_policy(tenant.session, DropDeletePolicy(name="default"))


# --- cancel, queue


def test_a_cancelled_deletion_leaves_deleting_and_the_next_one_ends_it(world: World) -> None:
    tenant = small(world)
    hold = Hold(waits_at=3)
    held = world.cleanup(open_store=hold.open)
    try:
        held.delete_obsolete(tenant.session, DeleteObsolete())
        assert hold.met.wait(60)
        held.delete_obsolete(tenant.session, DeleteObsolete())
        wait_until(lambda: "DOING" in dict(tenant.view("BACKUP_DELETE_JOBS", "STATUS, JOB_ID")))
        ((first, status), (second, waiting)) = tenant.view("BACKUP_DELETE_JOBS", "JOB_ID, STATUS")
        assert (status, waiting) == ("DOING", "INIT"), "a tenant's jobs queue"
        pin = PinBackupset(backup_set_id=2)
        assert refused(lambda: held.pin(tenant.session, pin)).code.number == -9044
        held.cancel(tenant.session, CancelDelete())
        assert tenant.view("BACKUP_DELETE_JOBS", "STATUS") == [("CANCELING",), ("CANCELING",)]
        hold.go.set()
        wait_until(lambda: not tenant.view("BACKUP_DELETE_JOBS", "JOB_ID"))
    finally:
        hold.go.set()
        held.stop_all()
    ended = tenant.view("BACKUP_DELETE_JOB_HISTORY", "JOB_ID, STATUS, RESULT")
    assert ended == [(first, "CANCELED", -4072), (second, "CANCELED", -4072)]
    assert {row[0] for row in tenant.view("BACKUP_DELETE_TASK_HISTORY", "STATUS")} == {"CANCELED"}
    assert tenant.file_status() == {1: DELETING, 2: AVAILABLE}
    again = world.cleanup()
    again.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    again.stop_all()
    assert tenant.file_status() == {1: DELETED, 2: AVAILABLE}


def test_a_path_that_is_emptied_shows_deleting_and_can_not_be_used(world: World) -> None:
    tenant = small(world)
    former = tenant.data
    world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
    hold = Hold(waits_at=2)
    held = world.cleanup(open_store=hold.open)
    try:
        held.delete_all(tenant.session, DeleteBackupAll(kind=former.kind, path=former.uri.identity))
        assert hold.met.wait(60)
        wait_until(lambda: (former.dest_id, "DELETING") in tenant.view("BACKUP_STORAGE_INFO", "DEST_ID, STATUS"))
        destinations = world.catalog.destinations
        for use in (
            lambda: destinations.reserve(tenant.id, former.kind, former.uri),
            lambda: destinations.set_data(former),
            lambda: destinations.use(former),
        ):
            assert refused(use).code.number == -9081
        hold.go.set()
        assert tenant.ended().status is JobStatus.COMPLETED
    finally:
        hold.go.set()
        held.stop_all()
    assert former.dest_id not in [row[0] for row in tenant.view("BACKUP_STORAGE_INFO", "DEST_ID")]


def test_cancel_from_sys_ends_the_sys_job_and_with_nothing_running_it_succeeds(world: World) -> None:
    tenant = small(world)
    hold = Hold(waits_at=2)
    held = world.cleanup(open_store=hold.open)
    try:
        held.cancel(SYS, CancelDelete())
        held.delete_obsolete(SYS, DeleteObsolete(tenants=(tenant.tenant.name,)))
        assert hold.met.wait(60)
        held.cancel(SYS, CancelDelete())
        hold.go.set()
        child = tenant.ended()
        wait_until(lambda: not world.catalog.cleanup.job(1, child.initiator_job_id).is_active)
    finally:
        hold.go.set()
        held.stop_all()
    parent = world.catalog.cleanup.job(1, child.initiator_job_id)
    assert (child.status, parent.status, parent.result) == (JobStatus.CANCELED, JobStatus.CANCELED, -4072)


# --- death and life


def test_killed_before_every_removal_the_next_server_ends_the_job(world: World) -> None:
    """Each round dies one removal later, until none is left to die at."""
    for dies_at in range(1, 60):
        tenant = small(world)
        hold = Hold(dies_at=dies_at)
        hold.victim = dying = world.cleanup(open_store=hold.open)
        dying.delete_obsolete(tenant.session, DeleteObsolete())
        wait_until(lambda: not dying._running)  # noqa: B023
        job = tenant.last_job()
        dying.stop_all()
        manifest = tenant.place / "data" / "backup_set_1_full" / "manifest.json"
        if job.is_active:
            assert tenant.file_status()[1] is DELETING
            assert manifest.exists() == (dies_at == 1)
            taken_up = world.cleanup()
            taken_up.resume_all()
            assert tenant.ended().status is JobStatus.COMPLETED
            taken_up.stop_all()
            assert tenant.ended().attempt == 2
        assert (tenant.last_job().status, tenant.last_job().success_task_count) == (JobStatus.COMPLETED, 2), (
            tenant.last_job()
        )
        assert tenant.file_status() == {1: DELETED, 2: AVAILABLE}
        assert [name for name in tenant.folders() if name.startswith("backup_set_")] == ["backup_set_2_full"]
        totals = tenant.view("BACKUP_DELETE_TASK_HISTORY", "TOTAL_FILES_COUNT - DELETE_FILES_COUNT, STATUS")
        assert set(totals) == {(0, "COMPLETED")}
        world.catalog.cleanup.drop_policy(tenant.id, "default")
        if not job.is_active:
            break
    assert dies_at > 8


def test_a_dropped_tenants_jobs_end_and_its_policy_is_forgotten(world: World) -> None:
    tenant = small(world)
    hold = Hold(waits_at=2)
    held = world.cleanup(open_store=hold.open)
    try:
        held.delete_obsolete(tenant.session, DeleteObsolete())
        held.delete_obsolete(tenant.session, DeleteObsolete())
        assert hold.met.wait(60)
        dropping = threading.Thread(target=held.drop_tenant, args=(tenant.id,))
        dropping.start()
        hold.go.set()
        dropping.join(60)
        assert not dropping.is_alive()
    finally:
        hold.go.set()
        held.stop_all()
    assert [row[0] for row in tenant.view("BACKUP_DELETE_JOB_HISTORY", "STATUS")] == ["FAILED", "FAILED"]
    assert tenant.view("BACKUP_DELETE_POLICY", "*") == []


# --- those who use what is deleted


def restore_of(tenant: Forged, status: RestoreStatus = RestoreStatus.RESTORE_PRE) -> RestoreJob:
    return RestoreJob(
        tenant_id=1,
        job_id=tenant.world.catalog.restores.next_job_id(1),
        restore_tenant_name=f"back_{tenant.id}",
        restore_tenant_id=tenant.id + 1000,
        backup_tenant_name=tenant.tenant.name,
        backup_tenant_id=tenant.id,
        backup_cluster_name="test",
        backup_dest=f"{tenant.data.uri.identity},{tenant.archive.uri.identity}",
        restore_option="",
        restore_scn=Scn(1),
        status=status,
        start_timestamp_us=1,
    )


def test_a_restore_that_reads_a_path_holds_deletions_there_up(world: World, cleanup: Cleanup) -> None:
    tenant = small(world)
    failed = tenant.make_set(2, status=SetStatus.FAILED)
    restore = restore_of(tenant)
    world.catalog.restores.insert([restore])
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    job = tenant.ended()
    assert (job.status, job.task_count) == (JobStatus.COMPLETED, 0)
    assert job.comment == "1 left to the next cleanup: a restore reads from their path"
    cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(failed,)))
    job = tenant.ended()
    assert (job.result, job.comment) == (-9045, f"id={failed}(restore in progress)")
    world.catalog.restores.finish(replace(restore, status=RestoreStatus.RESTORE_FAIL, finish_timestamp_us=2))
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    assert tenant.file_status() == {1: DELETED, 2: AVAILABLE, failed: FileStatus.INCOMPLETE}


def test_a_tenant_whose_blocks_still_come_from_a_path_holds_deletions_there_up(world: World, cleanup: Cleanup) -> None:
    tenant = small(world)
    failed = tenant.make_set(2, status=SetStatus.FAILED)
    quick = QuickTenant(
        tenant_id=tenant.id + 1000,
        tenant_name="quick",
        status=QuickStatus.HYDRATING,
        total_bytes=1,
        finish_bytes=0,
        start_timestamp_us=1,
        backup_dest=tenant.data.uri.identity,
    )
    world.catalog.quick.put(quick)
    cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(failed,)))
    job = tenant.ended()
    assert (job.result, job.comment) == (-9045, f"id={failed}(restore in progress)")
    world.catalog.quick.update(replace(quick, status=QuickStatus.HYDRATED))
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    assert tenant.file_status()[1] is DELETED


def test_a_restore_that_came_before_the_manifest_went_keeps_the_data(world: World) -> None:
    """It may have read the manifest: the deletion ends there, DELETING, and the next one goes on when it is over."""
    tenant = small(world)
    hold = Hold(waits_at=1)
    held = world.cleanup(open_store=hold.open)
    restore = restore_of(tenant)
    try:
        held.delete_obsolete(tenant.session, DeleteObsolete())
        assert hold.met.wait(60), "at the manifest"
        world.catalog.restores.insert([restore])
        hold.go.set()
        job = tenant.ended()
    finally:
        hold.go.set()
        held.stop_all()
    assert (job.status, job.result) == (JobStatus.FAILED, -9045)
    assert job.comment.startswith("id=1(restore in progress); backup set 1 may be removed in part")
    assert tenant.file_status()[1] is DELETING
    folder = tenant.place / "data" / "backup_set_1_full"
    assert not (folder / "manifest.json").exists()
    assert (folder / "data" / "000001").exists()
    world.catalog.restores.finish(replace(restore, status=RestoreStatus.RESTORE_FAIL, finish_timestamp_us=2))
    again = world.cleanup()
    again.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    again.stop_all()
    assert not folder.exists()


# --- what a deletion that fails leaves


def _forbidden(tenant: Forged, kind: str) -> tuple[Callable[[Cleanup], object], Callable[[], list[FileStatus]]]:
    """Return the deletion of a set or piece of a former path, and how its FILE_STATUS is asked."""
    if kind == "set":
        return (
            lambda cleanup: cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(1,))),
            lambda: [tenant.file_status()[1]],
        )
    return (
        lambda cleanup: cleanup.delete_pieces(tenant.session, DeleteArchivelogPiece(ids=(1,))),
        lambda: [one.file_status for one in tenant.world.catalog.rounds.pieces(tenant.id) if one.piece_id == 1],
    )


def two_sets(world: World) -> Forged:
    """Two full sets and a stopped round, all of them on paths that are not the tenant's any more."""
    tenant = world.tenant()
    tenant.make_set(20)
    tenant.make_set(9)
    tenant.make_round(RoundStatus.STOP)
    world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
    world.destination(tenant.tenant, DestinationKind.ARCHIVE_LOG, tenant.place / "archive2")
    return tenant


@pytest.mark.parametrize("kind", ["set", "piece"])
def test_what_another_server_writes_is_never_called_deleting(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    tenant = two_sets(world)
    delete, status = _forbidden(tenant, kind)
    marked: list[object] = []
    monkeypatch.setattr(world.catalog.cleanup, "begin_task", marked.append)
    cleanup = world.cleanup()

    def taken(*_: object, **__: object) -> None:
        raise ForeignOwnerError("another server writes here")

    monkeypatch.setattr(cleanup._around.tenures, "take_patiently", taken)
    delete(cleanup)
    job = tenant.ended()
    cleanup.stop_all()
    assert (job.status, job.result, marked, status()) == (JobStatus.FAILED, -9081, [], [AVAILABLE])
    assert "DELETING" not in job.comment


@pytest.mark.parametrize("fails_at", [1, 3])
def test_a_path_that_could_not_be_emptied_is_deleting_only_where_something_went(
    world: World, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    tenant = two_sets(world)
    monkeypatch.setattr("holdfast.jobs.cleanup_worker.ATTEMPTS_MAX", 1)
    cleanup = world.cleanup(open_store=Hold(fails_at=fails_at).open)
    cleanup.delete_all(tenant.session, DeleteBackupAll(kind=tenant.data.kind, path=tenant.data.uri.identity))
    assert tenant.ended().status is JobStatus.FAILED
    cleanup.stop_all()
    is_whole = fails_at == 1
    states = dict(tenant.view("BACKUP_STORAGE_INFO", "DEST_ID, STATUS"))
    assert (states[tenant.data.dest_id] == "DELETING") != is_whole
    assert set(tenant.file_status().values()) == ({AVAILABLE} if is_whole else {AVAILABLE, DELETING})


@pytest.mark.parametrize("kind", ["set", "piece"])
@pytest.mark.parametrize("is_broken", [False, True])
def test_what_a_failed_deletion_removed_nothing_of_is_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, *, is_broken: bool
) -> None:
    """The destination became read-only: the first removal fails, behind the mark."""
    tenant = two_sets(world)
    delete, status = _forbidden(tenant, kind)
    if is_broken:
        world.catalog.validation.add_damage(_damage_of(tenant, kind))
        assert status() == [FileStatus.BROKEN]
    monkeypatch.setattr("holdfast.jobs.cleanup_worker.ATTEMPTS_MAX", 1)
    hold = Hold(fails_at=1)
    cleanup = world.cleanup(open_store=hold.open)
    delete(cleanup)
    job = tenant.ended()
    cleanup.stop_all()
    assert (job.status, hold.count > 0) == (JobStatus.FAILED, True)
    assert status() == [FileStatus.BROKEN if is_broken else AVAILABLE]
    again = world.cleanup()
    delete(again)
    assert tenant.ended().status is JobStatus.COMPLETED
    again.stop_all()
    assert status() == [DELETED]
    # Nobody can prove good what is deleted: left open, its damage would be told of for ever.
    assert tenant.view("BACKUP_DAMAGES", "STATUS, CLEARED_TIMESTAMP IS NULL") == ([("CLEARED", 0)] if is_broken else [])


@pytest.mark.parametrize("kind", ["set", "piece"])
def test_what_a_failed_deletion_removed_a_part_of_is_told_and_taken_up_again(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    tenant = two_sets(world)
    delete, status = _forbidden(tenant, kind)
    monkeypatch.setattr("holdfast.jobs.cleanup_worker.ATTEMPTS_MAX", 1)
    cleanup = world.cleanup(open_store=Hold(fails_at=3).open)
    delete(cleanup)
    job = tenant.ended()
    cleanup.stop_all()
    assert (job.status, status()) == (JobStatus.FAILED, [DELETING])
    assert f"{'backup set' if kind == 'set' else 'piece'} 1 may be removed in part" in job.comment
    again = world.cleanup()
    delete(again)
    assert tenant.ended().status is JobStatus.COMPLETED
    again.stop_all()
    assert status() == [DELETED]


def _damage_of(tenant: Forged, kind: str) -> DamageRow:
    is_set = kind == "set"
    return DamageRow(
        tenant_id=tenant.id,
        damage_id=0,
        dest_id=(tenant.data if is_set else tenant.archive).dest_id,
        object_type=ValidateType.BACKUPSET if is_set else ValidateType.PIECE,
        object_id=1,
        round_id=0 if is_set else 1,
        object_name="x",
        validate_level="physical",
        found_timestamp_us=1,
        job_id=1,
        task_id=1,
        comment="",
    )


def test_an_increment_whose_base_is_being_deleted_does_not_begin(world: World) -> None:
    tenant = small(world)
    backups = world.catalog.backups
    base = backups.backup_set(tenant.id, 1)
    job = BackupJob(
        tenant_id=tenant.id,
        job_id=backups.next_job_id(tenant.id),
        backup_set_id=backups.next_set_id(tenant.id),
        initiator_tenant_id=tenant.id,
        initiator_job_id=0,
        executor_tenant_ids=(tenant.id,),
        plus_archivelog=False,
        backup_type=BackupType.INC,
        job_level=JobLevel.USER_TENANT,
        start_timestamp_us=1,
    )
    backups.submit([job])
    made = replace(
        base,
        backup_set_id=job.backup_set_id,
        backup_type=BackupType.INC,
        prev_full_backup_set_id=1,
        prev_inc_backup_set_id=1,
        status=SetStatus.DOING,
        file_status=FileStatus.COPYING,
        end_timestamp_us=None,
    )
    task = BackupTask(
        tenant_id=tenant.id,
        task_id=backups.next_task_id(tenant.id),
        job_id=job.job_id,
        backup_set_id=job.backup_set_id,
        start_timestamp_us=1,
    )
    backups.update_set(replace(base, file_status=DELETING))
    assert "is DELETING" in str(refused(lambda: backups.begin(job, task, made)))
    backups.update_set(base)
    backups.begin(job, task, made)
    # Now the other way round: the base stays because the increment has begun.
    cleaning = world.cleanup()
    cleaning.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().task_count == 0
    cleaning.stop_all()
    assert tenant.file_status()[1] is AVAILABLE


def test_the_follower_never_takes_a_deletion_back(world: World) -> None:
    """What it still tells of a piece that was deleted changes nothing about FILE_STATUS."""
    tenant = world.tenant()
    tenant.make_round()
    rounds = world.catalog.rounds
    current, pieces = rounds.current(tenant.id), rounds.pieces(tenant.id)
    assert current is not None
    rounds.save(current, [replace(pieces[0], file_status=DELETED)])
    rounds.save(current, [pieces[0]])
    assert rounds.pieces(tenant.id)[0].file_status is DELETED


# --- a destination without a free byte


@contextmanager
def small_place(home: Path) -> Iterator[Path]:
    """Yield a file system of its own that one file fills to the last byte."""
    mount = home / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root to be mounted")
def test_a_destination_without_a_free_byte_is_cleaned_all_the_same(world: World, tmp_path: Path) -> None:
    with small_place(tmp_path) as place:
        tenant = world.tenant()
        tenant.data = world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, place / "data")
        tenant.archive = world.destination(tenant.tenant, DestinationKind.ARCHIVE_LOG, place / "archive")
        tenant.make_round()
        for days_ago in (29, 20, 14, 8, 1):
            tenant.make_set(days_ago)
        first = world.cleanup()
        first._around.tenures.of(tenant.archive).take(tenant.data_store(tenant.archive))  # as its round has done
        first.delete_sets(tenant.session, DeleteBackupset(ids=(1,)))
        assert tenant.ended().status is JobStatus.COMPLETED
        fill(place)
        with pytest.raises(HoldfastError, match="No space left"):
            tenant.data_store().put("x", bytes(1))
        first.delete_sets(tenant.session, DeleteBackupset(ids=(2,)))
        job = tenant.ended()
        assert (job.status, job.comment, tenant.file_status()[2]) == (JobStatus.COMPLETED, "", DELETED)
        fill(place)
        first.delete_pieces(tenant.session, DeleteArchivelogPiece(ids=(1,)))
        job = tenant.ended()
        assert (job.status, job.comment, tenant.pieces_with(DELETED)) == (JobStatus.COMPLETED, "", [1])
        first.stop_all()
        fill(place)
        again = world.cleanup()  # the next start, which has written nothing there yet
        again.add_policy(tenant.session, AddDeletePolicy(name="default", recovery_window="7d"))
        again.delete_obsolete(tenant.session, DeleteObsolete())
        job = tenant.ended()
        again.stop_all()
        assert (job.status, job.comment) == (JobStatus.COMPLETED, "")
        assert [one for one, status in tenant.file_status().items() if status is DELETED] == [1, 2, 3]
        assert not {f"backup_set_{one}_full" for one in (1, 2, 3)} & tenant.folders()
        assert len(tenant.pieces_with(DELETED)) > 10
