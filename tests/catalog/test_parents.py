"""A job of sys ends in the transaction that ends the last of its children, whatever kind of job it is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from catalog_samples import START_US, job, tenant_value

from holdfast.catalog.backups import BackupJob, Backups
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.cleanup import Cleanup, DeleteJob, DeleteType
from holdfast.catalog.validation import ValidateJob, ValidateType, Validation
from holdfast.values.backup_set import JobLevel, JobStatus
from holdfast.values.tenant import Tenant

pytestmark = pytest.mark.live

Rows = Backups | Cleanup | Validation
Job = BackupJob | DeleteJob | ValidateJob


def deletion(tenant_id: int, job_id: int) -> DeleteJob:
    return DeleteJob(
        tenant_id=tenant_id,
        job_id=job_id,
        initiator_tenant_id=tenant_id,
        initiator_job_id=0,
        executor_tenant_ids=(tenant_id,),
        type=DeleteType.OBSOLETE,
        job_level=JobLevel.USER_TENANT,
        start_timestamp_us=START_US,
    )


def validation(tenant_id: int, job_id: int) -> ValidateJob:
    return ValidateJob(
        tenant_id=tenant_id,
        job_id=job_id,
        initiator_tenant_id=tenant_id,
        initiator_job_id=0,
        executor_tenant_ids=(tenant_id,),
        type=ValidateType.DATABASE,
        validate_level="physical",
        start_timestamp_us=START_US,
    )


KINDS = {"backups": job, "cleanup": deletion, "validation": validation}


def family(catalog: Catalog, kind: str, tenants: tuple[Tenant, ...]) -> tuple[Rows, list[Job]]:
    """Record a job of sys and one below it for each tenant, as a statement of root@sys does."""
    rows, sample = getattr(catalog, kind), KINDS[kind]
    parent_id = rows.next_job_id(1)
    parent = replace(sample(1, parent_id), initiator_job_id=parent_id, status=JobStatus.DOING)
    children = [
        replace(
            sample(one.tenant_id, rows.next_job_id(one.tenant_id)), initiator_tenant_id=1, initiator_job_id=parent_id
        )
        for one in tenants
    ]
    rows.submit([parent, *children])
    return rows, [parent, *children]


def end(rows: Rows, one: Job, status: JobStatus = JobStatus.COMPLETED, result: int = 0) -> None:
    rows.finish(replace(one, status=status, result=result, end_timestamp_us=START_US + 1))  # type: ignore[arg-type]


@pytest.fixture
def second(catalog: Catalog) -> Tenant:
    tenant_id = catalog.tenants.next_tenant_id()
    made = tenant_value(tenant_id, f"tenant_{tenant_id}")
    catalog.tenants.add(made)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_sees_a_job_ended_may_begin_the_next(
    catalog: Catalog, tenant: Tenant, second: Tenant, kind: str
) -> None:
    rows, (parent, one, other) = family(catalog, kind, (tenant, second))
    end(rows, other, JobStatus.FAILED, -9047)
    assert rows.job(1, parent.job_id).is_active, "a tenant is at work still"
    end(rows, one)
    ended = rows.job(1, parent.job_id)
    assert (ended.status, ended.result, ended.end_timestamp_us) == (JobStatus.FAILED, -9047, START_US + 1)
    assert getattr(ended, "success_task_count", 1) == 1
    for row in family(catalog, kind, (tenant,))[1][1:]:
        end(rows, row)


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_that_end_at_once_one_ends_their_parent(
    catalog: Catalog, tenant: Tenant, second: Tenant, kind: str
) -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            rows, (parent, *children) = family(catalog, kind, (tenant, second))
            list(pool.map(lambda child, rows=rows: end(rows, child), children))
            assert rows.job(1, parent.job_id).status is JobStatus.COMPLETED
