"""A job as the views tell it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.codes import OB_CANCELED
from holdfast.errors import CanceledError

PERCENT_UNFINISHED_MAX = 99
_CANCELED_COMMENT = CanceledError().message


class JobKind(StrEnum):
    BACKUP = "backup"
    RESTORE = "restore"
    CLEANUP = "cleanup"
    VALIDATION = "validation"
    DRILL = "drill"
    RECOVERY = "recovery"


class Ending(StrEnum):
    """How a job stands. RUNNING: it has not ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


_ENDINGS = {
    "COMPLETED": Ending.SUCCEEDED,
    "SUCCESS": Ending.SUCCEEDED,
    "FAILED": Ending.FAILED,
    "CANCELED": Ending.CANCELED,
}
"""End states of the views. A RESTORE_SUCCESS still in RESTORE_PROGRESS is about to move to the history: running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job of one tenant, figures as last told by the server.

    `state` is STATUS of the job, `phase` that of its task while there is one. `done` and `total` count `unit` (blocks, bytes,
    tasks); `total` 0: not known yet. `bytes_read` and `bytes_written` are 0 where the view has no such figure.
    `elapsed_seconds` is by the server's clock. `initiator_job_id` names the parent row in tenant 1, 0 when there is none.
    """

    kind: JobKind
    tenant_id: int
    tenant: str
    job_id: int
    what: str
    state: str
    phase: str
    unit: str
    done: int
    total: int
    bytes_read: int
    bytes_written: int
    elapsed_seconds: float
    started: datetime | str | None
    ended: datetime | str | None
    result: int
    comment: str
    description: str
    initiator_tenant_id: int
    initiator_job_id: int
    backup_set_id: int = 0
    path: str = ""

    @property
    def key(self) -> tuple[JobKind, int, int]:
        """Return what no other job has."""
        return (self.kind, self.tenant_id, self.job_id)

    @property
    def ending(self) -> Ending:
        """Return how the job stands. Two cancelled jobs do not say so in STATUS: the row of sys when one of its tenants'
        jobs was (RESULT does), and a restore, whose history knows SUCCESS and FAILED alone (COMMENT does)."""
        known = _ENDINGS.get(self.state, Ending.RUNNING)
        canceled = self.result == OB_CANCELED.number or self.comment == _CANCELED_COMMENT
        return Ending.CANCELED if known is Ending.FAILED and canceled else known

    @property
    def is_parent(self) -> bool:
        """Return whether this is the row of sys that stands for the jobs of several tenants."""
        return self.kind not in (JobKind.RESTORE, JobKind.RECOVERY) and self.tenant_id == 1

    @property
    def percent(self) -> int | None:
        """Return how much is done, rounded down; None while the total is unknown.

        100 is said of a job that succeeded and of no other: what follows the last block (index, manifest, the archive's
        checkpoint) is work too.
        """
        if self.ending is Ending.SUCCEEDED:
            return 100
        if self.total <= 0:
            return None
        return min(PERCENT_UNFINISHED_MAX, 100 * self.done // self.total)
