"""How a job of sys ends that others carried out for it, one for each tenant: in the transaction that ends the last of them.

In a transaction of its own it came a moment later. Whoever had seen the tenant's job in its HISTORY and began the next one was then
refused, by a job of sys that had nothing left to wait for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from holdfast import codes
from holdfast.catalog.connections import Transaction
from holdfast.catalog.records import Record
from holdfast.values.backup_set import JobStatus
from holdfast.values.tenant import SYS_TENANT_ID

_COLUMN_CHARACTERS = 4096
"""What COMMENT of a job holds."""


class Job(Protocol):
    """A tenant's job or one of sys: of a backup, a cleanup or a validation."""

    @property
    def tenant_id(self) -> int: ...
    @property
    def job_id(self) -> int: ...
    @property
    def initiator_tenant_id(self) -> int: ...
    @property
    def initiator_job_id(self) -> int: ...
    @property
    def status(self) -> JobStatus: ...
    @property
    def result(self) -> int: ...
    @property
    def comment(self) -> str: ...
    @property
    def cancel_requested(self) -> bool: ...
    @property
    def is_active(self) -> bool: ...


J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    status: JobStatus
    result: int
    comment: str
    success_count: int


def locked_parent(transaction: Transaction, record: Record[J], child: J) -> J | None:
    """Return the active job of sys that a tenant's job belongs to, locked until the transaction ends, or None.

    Before the child's own row is touched: of two children that end at once, the later then sees that the other has ended.
    """
    if child.initiator_tenant_id != SYS_TENANT_ID or child.tenant_id == SYS_TENANT_ID:
        return None
    args = (SYS_TENANT_ID, child.initiator_job_id)
    parent = record.one(transaction, "WHERE tenant_id = %s AND job_id = %s FOR UPDATE", args)
    return parent if parent is not None and parent.is_active else None


def children_of(transaction: Transaction, record: Record[J], parent: J) -> tuple[J, ...]:
    """Return the tenants' jobs of a sys job, sorted by tenant."""
    return record.select(
        transaction,
        "WHERE initiator_tenant_id = %s AND initiator_job_id = %s AND tenant_id <> %s ORDER BY tenant_id",
        (parent.tenant_id, parent.job_id, parent.tenant_id),
    )


def outcome_of(parent: Job, children: Sequence[Job]) -> Outcome | None:
    """Return how the job ends, None while one of its children is active. The first that did not complete speaks for all.

    What COMMENT says of tenants the job never reached stays there, behind a failure's.
    """
    if any(child.is_active for child in children):
        return None
    left_out = parent.comment
    failed = [child for child in children if child.status is not JobStatus.COMPLETED]
    count = len(children) - len(failed)
    if parent.cancel_requested:
        return Outcome(
            status=JobStatus.CANCELED, result=codes.OB_CANCELED.number, comment=left_out, success_count=count
        )
    if failed:
        first = failed[0]
        return Outcome(
            status=JobStatus.FAILED,
            result=first.result,
            comment=told_beside(first.comment, left_out),
            success_count=count,
        )
    return Outcome(status=JobStatus.COMPLETED, result=0, comment=left_out, success_count=count)


def told_beside(ending: str, left_out: str) -> str:
    """Return the COMMENT of a job of sys that ends: how, and behind that whom it never reached. Within its column."""
    if not left_out:
        return ending
    return f"{ending[: _COLUMN_CHARACTERS - len(left_out) - 2]}; {left_out}" if ending else left_out
