"""How a job of sys ends that others carried out for it, one for each tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast import codes
from holdfast.jobs.left_out import told_beside
from holdfast.values.backup_set import JobStatus


class Child(Protocol):
    """A tenant's job: of a backup, a cleanup or a validation."""

    @property
    def status(self) -> JobStatus: ...
    @property
    def result(self) -> int: ...
    @property
    def comment(self) -> str: ...
    @property
    def is_active(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    status: JobStatus
    result: int
    comment: str
    success_count: int


def outcome_of(children: Sequence[Child], *, is_cancelled: bool, left_out: str = "") -> Outcome | None:
    """Return how the job ends, None while one of its children is active. The first that did not complete speaks for all.

    `left_out`: what COMMENT says of tenants the job never reached (see `left_out`); it stays there, behind a failure's.
    """
    if any(child.is_active for child in children):
        return None
    failed = [child for child in children if child.status is not JobStatus.COMPLETED]
    count = len(children) - len(failed)
    if is_cancelled:
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
