"""Validation in the catalog on a real engine: one job at a time, damage that spoils and is taken back, proofs that are forgotten."""

from dataclasses import replace

import pytest
from catalog_samples import START_US, archive_round, backup_set, piece

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.validation import DamageRow, DamageStatus, ProofRow, ValidateJob, ValidateTask, ValidateType
from holdfast.catalog.validation import PathType as Kind
from holdfast.errors import ConflictError, RefusedError
from holdfast.values.archive import FileStatus
from holdfast.values.backup_set import JobStatus, SetStatus
from holdfast.values.tenant import Tenant

pytestmark = pytest.mark.live

SOUND = {"status": SetStatus.SUCCESS, "file_status": FileStatus.AVAILABLE}


def job(tenant: Tenant, job_id: int) -> ValidateJob:
    return ValidateJob(
        tenant_id=tenant.tenant_id,
        job_id=job_id,
        initiator_tenant_id=tenant.tenant_id,
        initiator_job_id=0,
        executor_tenant_ids=(tenant.tenant_id,),
        type=ValidateType.DATABASE,
        validate_level="physical",
        start_timestamp_us=START_US,
        data_dest_id=1001,
    )


def task(tenant: Tenant, job_id: int, initiator: int = 0) -> ValidateTask:
    return ValidateTask(
        tenant_id=tenant.tenant_id,
        task_id=0,
        job_id=job_id,
        task_type=ValidateType.BACKUPSET,
        object_id=1,
        path="file:///backup/data/backup_set_1_full",
        path_type=Kind.BACKUP_SET_DEST,
        dest_id=1001,
        initiator_task_id=initiator,
        validate_level="physical",
        start_timestamp_us=START_US,
    )


def damage(tenant: Tenant, name: str = "backup_set_1_full/index") -> DamageRow:
    return DamageRow(
        tenant_id=tenant.tenant_id,
        damage_id=0,
        dest_id=1001,
        object_type=ValidateType.BACKUPSET,
        object_id=1,
        round_id=0,
        object_name=name,
        object_offset=70,
        validate_level="physical",
        found_timestamp_us=START_US,
        job_id=1,
        task_id=1,
        comment="it is not what it was",
    )


def status_of(catalog: Catalog, tenant: Tenant) -> FileStatus:
    return catalog.backups.backup_set(tenant.tenant_id, 1).file_status


def test_a_tenant_has_one_validation_at_a_time(catalog: Catalog, tenant: Tenant) -> None:
    rows = catalog.validation
    rows.submit([job(tenant, 1)])
    with pytest.raises(RefusedError, match="creating new backup validate job when other validate jobs exist"):
        rows.submit([job(tenant, 2)])
    rows.finish(replace(job(tenant, 1), status=JobStatus.COMPLETED, end_timestamp_us=START_US + 1))
    rows.submit([job(tenant, 2)])
    with pytest.raises(ConflictError):
        rows.update_job(job(tenant, 1))


def test_a_job_taken_up_counts_a_retry_and_its_tasks_keep_their_parents(catalog: Catalog, tenant: Tenant) -> None:
    rows = catalog.validation
    rows.submit([job(tenant, 1)])
    first = rows.claim(tenant.tenant_id, 1, 5)
    assert first is not None
    assert first.retry_count == 0
    begun = rows.begin(replace(first, status=JobStatus.DOING), [task(tenant, 1), task(tenant, 1, 1)])
    parent, child = rows.tasks(begun)
    assert (parent.initiator_task_id, child.initiator_task_id) == (0, parent.task_id)
    rows.finish_task(replace(parent, status=JobStatus.COMPLETED, end_timestamp_us=START_US + 1))
    again = rows.claim(tenant.tenant_id, 1, 6)
    assert again is not None
    assert (again.retry_count, again.success_task_count, again.task_count) == (1, 1, 2)
    assert rows.request_cancel(tenant.tenant_id, 1)
    rows.finish(replace(again, status=JobStatus.CANCELED, end_timestamp_us=START_US + 2))
    assert [one.status for one in rows.tasks(again)] == [JobStatus.COMPLETED, JobStatus.CANCELED]
    with pytest.raises(ConflictError):
        rows.note_task(child)  # a worker that was left behind


def test_damage_spoils_its_set_until_all_of_it_is_taken_back(catalog: Catalog, tenant: Tenant) -> None:
    rows = catalog.validation
    catalog.backups.insert_set(replace(backup_set(tenant.tenant_id, 1), **SOUND))
    for found in (damage(tenant), damage(tenant, "backup_set_1_full/data/000001"), damage(tenant)):
        assert rows.add_damage(found)
    first, second = rows.open_damages(tenant.tenant_id)  # the third is the first once more
    assert status_of(catalog, tenant) is FileStatus.BROKEN
    rows.clear_damages([first], START_US + 5)
    assert status_of(catalog, tenant) is FileStatus.BROKEN
    rows.clear_damages([second], START_US + 6)
    assert status_of(catalog, tenant) is FileStatus.AVAILABLE
    assert rows.open_damages(tenant.tenant_id) == ()
    assert second.status is DamageStatus.OPEN


def test_a_set_that_is_being_deleted_is_not_judged_any_more(catalog: Catalog, tenant: Tenant) -> None:
    going = {**SOUND, "file_status": FileStatus.DELETING}
    catalog.backups.insert_set(replace(backup_set(tenant.tenant_id, 1), **going))
    assert not catalog.validation.add_damage(damage(tenant))
    assert catalog.validation.open_damages(tenant.tenant_id) == ()
    assert status_of(catalog, tenant) is FileStatus.DELETING


def test_a_follower_does_not_make_a_damaged_piece_whole(catalog: Catalog, tenant: Tenant) -> None:
    available = replace(piece(tenant.tenant_id, 1, 1), file_status=FileStatus.AVAILABLE)
    catalog.rounds.save(archive_round(tenant.tenant_id, 1), [available])
    found = replace(damage(tenant, "piece_d1001r1p1"), object_type=ValidateType.PIECE, round_id=1)
    assert catalog.validation.add_damage(found)
    catalog.rounds.save(archive_round(tenant.tenant_id, 1), [available])
    assert catalog.rounds.pieces(tenant.tenant_id)[0].file_status is FileStatus.BROKEN


def test_proofs_are_of_a_folder_and_go_with_it_and_with_damage(catalog: Catalog, tenant: Tenant) -> None:
    rows = catalog.validation
    catalog.backups.insert_set(replace(backup_set(tenant.tenant_id, 1), **SOUND))
    proofs = [
        ProofRow(
            tenant_id=tenant.tenant_id,
            dest_id=1001,
            name=name,
            size_bytes=5,
            digest="d",
            validate_level="physical",
            proven_time_us=START_US,
        )
        for name in ("backup_set_1_full/data/000001", "backup_set_1_full/index", "backup_set_11_full/index")
    ]
    rows.add_proofs(proofs)
    rows.add_proofs(proofs[:1])  # repeatable
    assert rows.proofs(tenant.tenant_id, 1001, "backup_set_1_full") == tuple(proofs[:2])
    assert rows.add_damage(damage(tenant))
    assert rows.proofs(tenant.tenant_id, 1001, "backup_set_1_full") == tuple(proofs[:1])
    rows.forget_proofs(tenant.tenant_id, 1001, but=["backup_set_11_full"])
    assert rows.proofs(tenant.tenant_id, 1001, "backup_set_1_full") == ()
    assert rows.proofs(tenant.tenant_id, 1001, "backup_set_11_full") == tuple(proofs[2:])
