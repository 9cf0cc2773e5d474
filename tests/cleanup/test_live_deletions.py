"""What is deleted, what stays, and what every row says of it, on a real catalog and real files."""

import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest
from cleanup_rig import DAY_NS, DAYS, SYS, WAIT_SECONDS, Forged, World, tenant_of, wait_until

from holdfast.catalog.log_sources import LogRestoreSource, LogRestoreSources
from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError
from holdfast.jobs.backup_worker import find_base
from holdfast.jobs.cleanup import Cleanup
from holdfast.jobs.windows import RestorableWindows
from holdfast.keys.host_key import HostKey
from holdfast.keys.keyring import Keyring
from holdfast.statement.commands import (
    AddDeletePolicy,
    DeleteArchivelogPiece,
    DeleteBackupAll,
    DeleteBackupset,
    DeleteObsolete,
    DropDeletePolicy,
    PinBackupset,
    PreviewObsolete,
    UnpinBackupset,
)
from holdfast.store.open import open_store
from holdfast.values.archive import FileStatus, RoundStatus
from holdfast.values.backup_set import JobLevel, JobStatus, SetStatus
from holdfast.values.destination import Destination, DestinationKind
from holdfast.values.tenant import TenantRole

pytestmark = pytest.mark.live

AVAILABLE, DELETED, INCOMPLETE = FileStatus.AVAILABLE, FileStatus.DELETED, FileStatus.INCOMPLETE
WEEK = AddDeletePolicy(name="default", recovery_window="7d")


def refused(act: Callable[[], object]) -> HoldfastError:
    with pytest.raises(HoldfastError) as caught:
        act()
    return caught.value


def manuals_example(world: World) -> Forged:
    """Full, inc, full, inc, full; 14, 11, 8, 4 and 1 days ago, with all the log."""
    tenant = world.tenant()
    tenant.make_round()
    first = tenant.make_set(14)
    tenant.make_set(11, base=first)
    third = tenant.make_set(8, has_log=True)
    tenant.make_set(4, base=third)
    tenant.make_set(1)
    return tenant


def test_the_manuals_example_is_cleaned_as_the_manual_says(world: World, cleanup: Cleanup) -> None:
    tenant = manuals_example(world)
    cleanup.add_policy(tenant.session, WEEK)
    before = cleanup.preview(tenant.session, PreviewObsolete())
    verdicts = {(row[1], row[2]): row[4] for row in before.rows if row[1] != "MOMENTS"}
    assert [verdicts["BACKUP SET", number] for number in (1, 2, 3, 4, 5)] == [
        "DELETE",
        "DELETE",
        "KEEP",
        "KEEP",
        "KEEP",
    ]
    lost = [row for row in before.rows if row[1] == "MOMENTS"]
    assert [(row[4], row[6]) for row in lost] == [("LOST", int(tenant.scn(14)))]

    cleanup.delete_obsolete(tenant.session, DeleteObsolete(description="by hand"))
    job = tenant.ended()
    assert (job.status, job.result, job.comment) == (JobStatus.COMPLETED, 0, "")
    # Piece 22 ends 8 days ago, where set 3's log has begun an hour before.
    gone = list(range(1, 22))
    assert (job.task_count, job.success_task_count) == (2 + len(gone), 2 + len(gone))
    assert tenant.file_status() == {1: DELETED, 2: DELETED, 3: AVAILABLE, 4: AVAILABLE, 5: AVAILABLE}
    assert tenant.pieces_with(DELETED) == gone
    assert {name for name in tenant.folders() if name.startswith("backup_set_")} == {
        "backup_set_3_full",
        "backup_set_4_inc",
        "backup_set_5_full",
    }
    assert not [name for name in tenant.folders(tenant.archive) if name.endswith(("p1", "p21"))]
    columns = "DELETED_INPUT_BYTES, DELETED_OUTPUT_BYTES"
    assert tenant.view("ARCHIVELOG_SUMMARY", columns) == [(len(gone) * 10, len(gone) * 5)]
    ((kind, parameter, level),) = tenant.view("BACKUP_DELETE_JOB_HISTORY", "TYPE, PARAMETER, JOB_LEVEL")
    assert (kind, level) == ("DELETE OBSOLETE BACKUP", "USER_TENANT")
    assert parameter.startswith("expired_time:20")
    tasks = tenant.view(
        "BACKUP_DELETE_TASK_HISTORY",
        "TASK_TYPE, ID, ROUND_ID, STATUS, TOTAL_FILES_COUNT = DELETE_FILES_COUNT, TOTAL_BYTES = DELETE_BYTES,"
        " FINISH_LS_COUNT, RESULT",
    )
    assert tasks[:3] == [
        ("BACKUP SET", 2, 0, "COMPLETED", 1, 1, 1, 0),
        ("BACKUP SET", 1, 0, "COMPLETED", 1, 1, 1, 0),
        ("BACKUP PIECE", 1, 1, "COMPLETED", 1, 1, 1, 0),
    ]
    assert tenant.view("BACKUP_DELETE_JOBS", "*") == tenant.view("BACKUP_DELETE_TASKS", "*") == []

    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    again = tenant.ended()
    assert (again.status, again.task_count) == (JobStatus.COMPLETED, 0)


def test_sys_cleans_all_tenants_with_a_policy_below_one_job(world: World, cleanup: Cleanup) -> None:
    tenants = [world.tenant(), world.tenant()]
    for tenant in tenants:
        tenant.make_set(20, has_log=True)
        tenant.make_set(9, has_log=True)
        cleanup.add_policy(
            SYS, AddDeletePolicy(name="default", redundancy=1, recovery_window="7d", tenants=(tenant.tenant.name,))
        )
    cleanup.delete_obsolete(SYS, DeleteObsolete(tenants=tuple(tenant.tenant.name for tenant in tenants)))
    for tenant in tenants:
        child = tenant.ended()
        assert (child.initiator_tenant_id, child.job_level, child.status) == (
            1,
            JobLevel.SYS_TENANT,
            JobStatus.COMPLETED,
        )
        assert tenant.file_status() == {1: DELETED, 2: AVAILABLE}
        kinds = tenant.view("BACKUP_DELETE_TASK_HISTORY", "TASK_TYPE, ID")
        assert kinds == [("BACKUP SET", 1), ("BACKUP COMPLEMENT LOG", 1)]
    parent = world.catalog.cleanup.job(1, child.initiator_job_id)
    assert (parent.executor_tenant_ids, parent.task_count) == (tuple(tenant.id for tenant in tenants), 2)
    _ended(world, parent.job_id)
    bare = world.tenant().tenant.name
    told = cleanup.delete_obsolete(SYS, DeleteObsolete())
    assert f"tenant {bare}: there is no delete policy" in [one.message for one in told.warnings]
    _ended(world, parent.job_id + 1)
    comment = world.catalog.cleanup.job(1, parent.job_id + 1).comment
    assert "not all tenants" in comment
    assert f"{bare} (there is no delete policy)" in comment
    for tenant in tenants:
        cleanup.drop_policy(SYS, DropDeletePolicy(name="default", tenants=(tenant.tenant.name,)))


def _ended(world: World, job_id: int) -> JobStatus:
    wait_until(lambda: not world.catalog.cleanup.job(1, job_id).is_active)
    return world.catalog.cleanup.job(1, job_id).status


def test_failed_sets_go_with_the_window_and_cancelled_ones_at_once(world: World, cleanup: Cleanup) -> None:
    tenant = world.tenant()
    for days_ago, result in ((20, -9027), (2, -9027), (1, -4072)):
        tenant.make_set(days_ago, status=SetStatus.FAILED, result=result)
    cleanup.add_policy(tenant.session, WEEK)
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    assert tenant.file_status() == {1: DELETED, 2: INCOMPLETE, 3: DELETED}
    assert not [name for name in tenant.folders() if name in {"backup_set_1_full", "backup_set_3_full"}]


def test_nothing_is_removed_while_one_set_can_not_be_read(world: World, cleanup: Cleanup) -> None:
    tenant = manuals_example(world)
    (tenant.place / "data" / "backup_set_5_full" / "data" / "000001").unlink()
    cleanup.add_policy(tenant.session, WEEK)
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    job = tenant.ended()
    assert (job.status, job.result, job.task_count) == (JobStatus.FAILED, -9045, 0)
    assert "backup set 5" in job.comment
    assert "000001 is not there" in job.comment
    assert set(tenant.file_status().values()) == {AVAILABLE}
    assert cleanup.preview(tenant.session, PreviewObsolete()).rows[0][4] == "REFUSED"


def test_nothing_is_removed_from_a_path_that_is_not_mounted(world: World, cleanup: Cleanup) -> None:
    tenant = manuals_example(world)
    cleanup.add_policy(tenant.session, WEEK)
    (tenant.place / "data").rename(tenant.place / "away")
    (tenant.place / "data").mkdir()
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.FAILED
    assert set(tenant.file_status().values()) == {AVAILABLE}
    assert tenant.pieces_with(AVAILABLE) == list(range(1, DAYS + 1))


def test_window_zero_warns_and_fails_the_job_and_no_policy_is_no_cleanup(world: World, cleanup: Cleanup) -> None:
    tenant = manuals_example(world)
    taken = cleanup.add_policy(tenant.session, AddDeletePolicy(name="default", recovery_window="0d"))
    assert [warn.number for warn in taken.warnings] == [1235]
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    job = tenant.ended()
    assert (job.status, job.result) == (JobStatus.FAILED, -4007)
    cleanup.drop_policy(tenant.session, DropDeletePolicy(name="default"))
    assert refused(lambda: cleanup.delete_obsolete(tenant.session, DeleteObsolete())).code.number == -4018
    assert set(tenant.file_status().values()) == {AVAILABLE}


def test_log_only_cleans_pieces_alone_and_is_refused_beside_a_data_destination(world: World, cleanup: Cleanup) -> None:
    tenant = world.tenant()
    tenant.make_round()
    log_only = AddDeletePolicy(name="log_only", recovery_window="7d")
    assert refused(lambda: cleanup.add_policy(tenant.session, log_only)).code.number == -4007
    data = world.catalog.destinations.data(tenant.id)
    assert data is not None
    world.catalog.destinations.clear_data(tenant.id)
    cleanup.add_policy(tenant.session, log_only)
    world.catalog.destinations.set_data(data)  # as two statements at once may leave it
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    job = tenant.ended()
    assert (job.status, job.result) == (JobStatus.FAILED, -9069)
    world.catalog.destinations.clear_data(tenant.id)
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    # 23 pieces end 7 days ago or before. Each begins in the log file in which the one before ended, so the last stays.
    assert tenant.pieces_with(DELETED)[-1] in {22, 23}


class AWeekAgo(SystemClock):
    def now_ns(self) -> int:
        return super().now_ns() - 8 * DAY_NS


class AYearAhead(SystemClock):
    def now_ns(self) -> int:
        return super().now_ns() + 400 * DAY_NS


def test_a_standby_of_this_cluster_keeps_what_it_has_not_taken_in_until_its_lease_ends(
    world: World, cleanup: Cleanup
) -> None:
    tenant = manuals_example(world)
    cleanup.add_policy(tenant.session, WEEK)
    standby = replace(tenant_of(world.catalog.tenants.next_tenant_id(), "sb"), role=TenantRole.STANDBY)
    world.catalog.tenants.add(standby)
    sources = world.catalog.log_sources
    sources.put(LogRestoreSource(tenant_id=standby.tenant_id, value=tenant.archive.uri.identity))
    taken_in = tenant.scn(12.5)  # in the middle of piece 18
    world.catalog.tenants.record_progress(standby.tenant_id, sync_scn=taken_in, readable_scn=taken_in)

    def preview() -> dict[tuple[object, object], tuple[object, ...]]:
        return {(row[1], row[2]): row for row in cleanup.preview(tenant.session, PreviewObsolete()).rows}

    assert preview()["BACKUP PIECE", 18][4:6] == ("KEEP", "standby sb has not taken in its log")
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    assert tenant.pieces_with(DELETED) == list(range(1, 18))
    cleanup.drop_policy(tenant.session, DropDeletePolicy(name="default"))
    cleanup.delete_pieces(tenant.session, DeleteArchivelogPiece(ids=(18,)))
    assert tenant.ended().comment == "id=18(needed by standby sb)"

    LogRestoreSources(world.catalog._connections, AWeekAgo()).renew(standby.tenant_id)
    cleanup.add_policy(tenant.session, WEEK)
    assert preview()["STANDBY", standby.tenant_id][4] == "LAPSED"
    sources.extend(standby.tenant_id)
    assert preview()["BACKUP PIECE", 18][4] == "KEEP", "a server that was away leaves it two hours"
    LogRestoreSources(world.catalog._connections, AYearAhead()).renew(standby.tenant_id)
    sources.bound()
    source = sources.find(standby.tenant_id)
    assert source is not None
    assert source.hold_end_timestamp_us is not None
    days = (source.hold_end_timestamp_us * 1000 - SystemClock().now_ns()) / DAY_NS
    assert 6.9 < days <= 7, "a clock that was a year ahead gives no lease of a year"
    LogRestoreSources(world.catalog._connections, AWeekAgo()).renew(standby.tenant_id)
    sources.bound()
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    assert tenant.ended().status is JobStatus.COMPLETED
    assert tenant.pieces_with(DELETED) == list(range(1, 22))


class TestPins:
    def test_a_pinned_set_its_base_and_their_log_outlive_the_policy(self, world: World, cleanup: Cleanup) -> None:
        tenant = manuals_example(world)
        cleanup.pin(tenant.session, PinBackupset(backup_set_id=2, note="audit 2026"))
        assert tenant.view("BACKUP_PINS", "BACKUP_SET_ID, NOTE") == [(2, "audit 2026")]
        cleanup.add_policy(tenant.session, WEEK)
        cleanup.delete_obsolete(tenant.session, DeleteObsolete())
        assert tenant.ended().status is JobStatus.COMPLETED
        assert set(tenant.file_status().values()) == {AVAILABLE}
        kept = [number for number in range(1, 22) if number not in tenant.pieces_with(DELETED)]
        # Each set needs the piece in which it ended, and the one before when its log began there.
        assert kept == [16, 17, 19, 20], kept
        cleanup.unpin(tenant.session, UnpinBackupset(backup_set_id=2))
        cleanup.delete_obsolete(tenant.session, DeleteObsolete())
        assert tenant.ended().status is JobStatus.COMPLETED
        assert tenant.file_status()[1] is tenant.file_status()[2] is DELETED
        assert tenant.pieces_with(DELETED) == list(range(1, 22))

    def test_no_statement_deletes_what_a_pin_keeps(self, world: World, cleanup: Cleanup) -> None:
        tenant = manuals_example(world)
        cleanup.pin(tenant.session, PinBackupset(backup_set_id=2))
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(1, 2)))
        job = tenant.ended()
        assert (job.result, job.comment) == (-9045, "id=1(pinned id=2)")
        former = tenant.data
        world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
        everything = DeleteBackupAll(kind=DestinationKind.BACKUP_DATA, path=former.uri.identity)
        cleanup.delete_all(tenant.session, everything)
        assert tenant.ended().comment == "id=1(pinned id=2)"
        assert set(tenant.file_status().values()) == {AVAILABLE}

    def test_pins_are_refused_with_their_codes(self, world: World, cleanup: Cleanup) -> None:
        tenant = world.tenant()
        good, bad = tenant.make_set(3), tenant.make_set(2, status=SetStatus.FAILED)
        pin = PinBackupset(backup_set_id=good)
        cleanup.pin(SYS, PinBackupset(backup_set_id=good, tenants=(tenant.tenant.name,)))
        assert refused(lambda: cleanup.pin(tenant.session, pin)).code.number == -4017
        assert refused(lambda: cleanup.pin(tenant.session, PinBackupset(backup_set_id=bad))).code.number == -4179
        assert refused(lambda: cleanup.pin(tenant.session, PinBackupset(backup_set_id=9))).code.number == -4018
        assert refused(lambda: cleanup.unpin(tenant.session, UnpinBackupset(backup_set_id=bad))).code.number == -4018
        assert refused(lambda: cleanup.pin(SYS, pin)).code.number == -4007


@pytest.fixture(scope="module")
def plain(world: World) -> Forged:
    """The manual's example and a set that is being made, for tests that leave it as it is."""
    tenant = manuals_example(world)
    tenant.make_set(0.5, status=SetStatus.DOING)
    return tenant


class TestByHand:
    """The reasons of the manual, each as COMMENT and RESULT of the job."""

    @pytest.mark.parametrize(
        ("ids", "result", "comment"),
        [
            ((99,), -9045, "id=99(get set failed)"),
            ((0,), -9045, "id=0(invalid)"),
            ((6,), -9045, "id=6(status=DOING)"),
            ((5,), -9045, "id=5(newer than latest full backupset)"),
            ((1,), -9045, "id=1(dependent by backup set id=2)"),
            ((2, 3), -9045, "id=3(dependent by backup set id=4)"),
        ],
    )
    def test_a_set_stays_for_a_reason(
        self, plain: Forged, cleanup: Cleanup, ids: tuple[int, ...], result: int, comment: str
    ) -> None:
        cleanup.delete_sets(plain.session, DeleteBackupset(ids=ids))
        job = plain.ended()
        assert (job.status, job.result, job.comment) == (JobStatus.FAILED, result, comment)
        assert plain.file_status()[1] is AVAILABLE

    @pytest.mark.parametrize(
        ("ids", "result", "comment"),
        [
            ((99,), -9069, "id=99(not exist)"),
            ((30,), -9069, "id=30(is active piece)"),
            ((29,), -9069, "id=29(needed for oldest full backup)"),
            ((16,), -9069, "id=16(needed for oldest full backup)"),
            ((2, 3), -9069, "id=2(smaller piece exists id=1)"),
        ],
    )
    def test_a_piece_stays_for_a_reason(
        self, plain: Forged, cleanup: Cleanup, ids: tuple[int, ...], result: int, comment: str
    ) -> None:
        cleanup.delete_pieces(plain.session, DeleteArchivelogPiece(ids=ids))
        job = plain.ended()
        assert (job.status, job.result, job.comment) == (JobStatus.FAILED, result, comment)
        assert plain.pieces_with(DELETED) == []

    def test_sets_and_pieces_are_deleted_and_then_already_deleted(self, world: World, cleanup: Cleanup) -> None:
        tenant = manuals_example(world)
        cleanup.delete_sets(SYS, DeleteBackupset(ids=(2, 1, 2), tenants=(tenant.tenant.name,)))
        job = tenant.ended()
        assert (job.status, job.type, job.parameter, job.job_level) == (
            JobStatus.COMPLETED,
            "DELETE BACKUPSET",
            "2,1",
            JobLevel.SYS_TENANT,
        )
        assert tenant.file_status()[1] is tenant.file_status()[2] is DELETED
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(1,)))
        assert tenant.ended().comment == "id=1(already deleted)"
        cleanup.delete_pieces(tenant.session, DeleteArchivelogPiece(ids=(2, 1)))
        job = tenant.ended()
        assert (job.status, job.type) == (JobStatus.COMPLETED, "DELETE ARCHIVELOG_PIECE")
        assert tenant.pieces_with(DELETED) == [1, 2]
        cleanup.delete_pieces(tenant.session, DeleteArchivelogPiece(ids=(1,)))
        assert tenant.ended().comment == "id=1(already deleted)"

    def test_on_the_current_path_a_policy_alone_deletes(self, world: World, cleanup: Cleanup) -> None:
        tenant = manuals_example(world)
        failed = tenant.make_set(0.5, status=SetStatus.FAILED)
        cleanup.add_policy(tenant.session, WEEK)
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(1, 2)))
        job = tenant.ended()
        assert job.result == -9045
        assert job.comment == "id=1(cannot delete backup set in current path when delete policy is set)"
        cleanup.delete_pieces(tenant.session, DeleteArchivelogPiece(ids=(1,)))
        job = tenant.ended()
        assert job.result == -9069
        assert job.comment == "id=1(cannot delete backup piece in current path when delete policy is set)"
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(failed,)))
        assert tenant.ended().status is JobStatus.COMPLETED, "a failed set may always go"

    def test_without_a_full_set_or_a_data_destination_nothing_goes(self, world: World, cleanup: Cleanup) -> None:
        tenant = world.tenant()
        tenant.make_round()
        lonely = tenant.make_set(40)  # its log is older than all pieces
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(lonely,)))
        assert tenant.ended().comment == f"id={lonely}(no full backup exists)"
        (tenant.place / "data").rename(tenant.place / "hidden")
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(lonely,)))
        job = tenant.ended()
        assert (job.result, job.comment) == (-9120, f"id={lonely}(dest connectivity check failed)")
        (tenant.place / "hidden").rename(tenant.place / "data")
        other = world.tenant()
        other.make_round()
        cleanup.delete_pieces(other.session, DeleteArchivelogPiece(ids=(1,)))
        assert other.ended().comment == "id=1(no full backup exists)"
        world.catalog.destinations.clear_data(other.id)
        cleanup.delete_pieces(other.session, DeleteArchivelogPiece(ids=(1,)))
        assert other.ended().comment == "id=1(no backup set dest)"

    def test_former_paths_are_free_but_never_two_at_once(self, world: World, cleanup: Cleanup) -> None:
        tenant = manuals_example(world)
        former = tenant.data
        tenant.data = world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
        here = tenant.make_set(0.2)
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(5, here)))
        job = tenant.ended()
        assert (job.result, job.comment) == (-4007, "id=5(delete from multiple dest is not supported)")
        cleanup.delete_sets(tenant.session, DeleteBackupset(ids=(5,)))
        assert tenant.ended().status is JobStatus.COMPLETED
        assert "backup_set_5_full" not in tenant.folders(former)


class TestDeleteAll:
    def test_a_former_path_is_emptied_vanishes_and_can_not_come_back(self, world: World, cleanup: Cleanup) -> None:
        tenant = manuals_example(world)
        former = tenant.data
        cleanup.delete_all(tenant.session, all_of(former))
        job = tenant.ended()
        assert (job.status, job.result, job.comment) == (
            JobStatus.FAILED,
            -9045,
            "cannot delete current writing backup dest",
        )
        tenant.data = world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
        (tenant.place / "data" / "someone_elses").write_text("not ours")
        cleanup.delete_all(SYS, all_of(former, tenant.tenant.name))
        job = tenant.ended()
        assert (job.status, job.type, job.parameter) == (
            JobStatus.COMPLETED,
            "DELETE BACKUP ALL",
            str(former.dest_id),
        )
        assert tenant.folders(former) == {"format.obbak", "writer.obbak", "someone_elses"}
        assert set(tenant.file_status().values()) == {DELETED}
        shown = tenant.view("BACKUP_STORAGE_INFO", "DEST_ID, STATUS")
        assert former.dest_id not in [row[0] for row in shown]
        assert {row[1] for row in shown} == {"NORMAL"}
        assert (former.dest_id, "DELETED") in tenant.view("BACKUP_STORAGE_INFO_HISTORY", "DEST_ID, STATUS")
        back = refused(lambda: world.catalog.destinations.reserve(tenant.id, DestinationKind.BACKUP_DATA, former.uri))
        assert back.code.number == -9081
        assert refused(lambda: cleanup.delete_all(tenant.session, all_of(former))).code.number == -4018

    def test_an_archive_path_goes_when_its_round_has_stopped(self, world: World, cleanup: Cleanup) -> None:
        tenant = world.tenant()
        tenant.make_round(RoundStatus.STOP)
        former = tenant.archive
        cleanup.delete_all(tenant.session, all_of(former))
        job = tenant.ended()
        assert (job.result, job.comment) == (-9069, "cannot delete current writing archive dest")
        world.destination(tenant.tenant, DestinationKind.ARCHIVE_LOG, tenant.place / "archive2")
        cleanup.delete_all(tenant.session, all_of(former))
        assert tenant.ended().status is JobStatus.COMPLETED
        assert tenant.folders(former) == {"format.obbak", "writer.obbak"}
        assert tenant.pieces_with(DELETED) == list(range(1, DAYS + 1))

    @pytest.mark.parametrize("left", ["nothing", "an empty directory"])
    def test_the_rows_of_a_former_path_that_is_gone_are_ended_and_nothing_warns_of_it(
        self, world: World, cleanup: Cleanup, left: str
    ) -> None:
        tenant = manuals_example(world)
        former, place = tenant.data, tenant.place / "data"
        assert spans_of(world, cleanup, tenant) == []
        shutil.rmtree(place)
        if left != "nothing":
            place.mkdir()
        assert spans_of(world, cleanup, tenant) == [("ABSENT", former.uri.identity)], "it is still the tenant's own"
        cleanup.delete_all(tenant.session, all_of(former))
        assert tenant.ended().result in {-9120, -9080, -9045}
        tenant.data = world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
        kept = tenant.make_set(0.5)
        assert spans_of(world, cleanup, tenant) == [("FORMER", former.uri.identity)]
        cleanup.delete_all(tenant.session, all_of(former))
        job = tenant.ended()
        nothing = f"nothing was found at {former.uri.identity}"
        assert (job.status, job.comment.startswith(nothing)) == (JobStatus.COMPLETED, True), job.comment
        assert {one for one, status in tenant.file_status().items() if status is not DELETED} == {kept}
        assert set(tenant.view("BACKUP_DELETE_TASK_HISTORY", "JOB_ID, STATUS, COMMENT")) == {
            (job.job_id, "COMPLETED", "nothing was found")
        }
        assert (former.dest_id, "DELETED") in tenant.view("BACKUP_STORAGE_INFO_HISTORY", "DEST_ID, STATUS")
        assert spans_of(world, cleanup, tenant) == []
        assert place.exists() == (left != "nothing")
        cleanup.add_policy(tenant.session, WEEK)
        cleanup.delete_obsolete(tenant.session, DeleteObsolete())
        assert tenant.ended().status is JobStatus.COMPLETED, "what is gone holds up no cleanup"

    def test_the_pieces_of_a_former_archive_that_is_gone_are_ended(self, world: World, cleanup: Cleanup) -> None:
        tenant = world.tenant()
        tenant.make_round(RoundStatus.STOP)
        former = tenant.archive
        world.destination(tenant.tenant, DestinationKind.ARCHIVE_LOG, tenant.place / "archive2")
        shutil.rmtree(tenant.place / "archive")
        assert ("FORMER", former.uri.identity) in spans_of(world, cleanup, tenant)
        cleanup.delete_all(tenant.session, all_of(former))
        assert tenant.ended().status is JobStatus.COMPLETED
        assert tenant.pieces_with(DELETED) == list(range(1, DAYS + 1))
        assert spans_of(world, cleanup, tenant) == []

    @pytest.mark.parametrize("what", ["a link to nowhere", "a file", "files of others"])
    def test_a_former_path_that_may_hold_something_is_not_taken_for_gone(
        self, world: World, cleanup: Cleanup, what: str
    ) -> None:
        tenant = manuals_example(world)
        former, place = tenant.data, tenant.place / "data"
        world.destination(tenant.tenant, DestinationKind.BACKUP_DATA, tenant.place / "data2")
        shutil.rmtree(place)
        if what == "a link to nowhere":
            place.symlink_to(tenant.place / "unmounted")
        elif what == "a file":
            place.write_text("")
        else:
            (place / "photos").mkdir(parents=True)
            (place / "photos" / "1.jpg").write_text("not ours")
        cleanup.delete_all(tenant.session, all_of(former))
        assert (tenant.ended().status, tenant.ended().comment) == (JobStatus.FAILED, "dest connectivity check failed")
        assert set(tenant.file_status().values()) == {AVAILABLE}

    def test_a_path_must_be_the_tenants_and_of_the_kind_named(self, world: World, cleanup: Cleanup) -> None:
        tenant, other = world.tenant(), world.tenant()
        never = refused(lambda: cleanup.delete_all(tenant.session, all_of(other.data)))
        assert never.code.number == -4018
        kind = DeleteBackupAll(kind=DestinationKind.ARCHIVE_LOG, path=tenant.data.uri.identity)
        wrong = refused(lambda: cleanup.delete_all(tenant.session, kind))
        assert (wrong.code.client, wrong.message) == (1210, "Incorrect arguments to mismatched dest type")


def test_set_of_another_tenant_in_the_place_of_ones_own_counts_for_nothing(world: World, cleanup: Cleanup) -> None:
    """Windows said REACHABLE over both, while every RESTORE from there was refused."""
    tenant, other = world.tenant(), world.tenant()
    tenant.make_round()
    other.make_round()
    for days_ago in (14, 8, 1):
        tenant.make_set(days_ago)
        other.make_set(days_ago)
    place = tenant.place / "data" / "backup_set_3_full"
    shutil.rmtree(place)
    shutil.copytree(other.place / "data" / "backup_set_3_full", place)
    whose = f"file://{place} is of tenant {other.id} of cluster 7"
    spans_of(world, cleanup, tenant)
    rows = tenant.view("RESTORABLE_WINDOWS", "STATUS, BACKUP_SET_IDS, CAUSE")
    assert [row for row in rows if row[0] == "DAMAGED"] == [("DAMAGED", "", whose)]
    assert {row[1] for row in rows if row[0] == "REACHABLE"} == {"1,2"}

    cleanup.add_policy(tenant.session, WEEK)
    cleanup.delete_obsolete(tenant.session, DeleteObsolete())
    job = tenant.ended()
    assert (job.status, whose in job.comment) == (JobStatus.FAILED, True), job.comment
    assert set(tenant.file_status().values()) == {AVAILABLE}

    keyring = Keyring(tenant.place / "keys", HostKey(tenant.place / "host.key"), "1")
    base = find_base(
        world.catalog,
        open_store(tenant.data.uri),
        tenant.data,
        tenant.tenant,
        cluster_id=7,
        below=4,
        keyring=keyring,
        encryption_mode="NONE",
    )
    assert base == f"backup_set_3_full is of tenant {other.id} of cluster 7"


def spans_of(world: World, cleanup: Cleanup, tenant: Forged) -> list[tuple[object, ...]]:
    """Return the status and place of what RESTORABLE_WINDOWS says of whole paths."""
    windows = RestorableWindows(
        world.catalog,
        SystemClock(),
        open_store=open_store,
        tenures=cleanup._around.tenures,
        cluster_id=cleanup._around.identity.cluster_id,
        is_own=lambda owner: True,
        answer_seconds_max=WAIT_SECONDS,
    )
    windows.mirror(tenant.tenant)
    rows = tenant.view("RESTORABLE_WINDOWS", "STATUS, RESTORE_FROM")
    return [row for row in rows if row[0] in {"ABSENT", "FORMER", "UNKNOWN"}]


def all_of(destination: Destination, *tenants: str) -> DeleteBackupAll:
    return DeleteBackupAll(kind=destination.kind, path=destination.uri.identity, tenants=tenants)
