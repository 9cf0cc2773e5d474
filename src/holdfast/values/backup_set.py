"""Backup sets, jobs and tasks as the views show them."""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.values.archive import FileStatus
from holdfast.values.scn import Scn


class BackupType(StrEnum):
    FULL = "FULL"
    INC = "INC"


class JobLevel(StrEnum):
    CLUSTER = "CLUSTER"
    SYS_TENANT = "SYS_TENANT"
    USER_TENANT = "USER_TENANT"


class JobStatus(StrEnum):
    INIT = "INIT"
    DOING = "DOING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


class TaskStatus(StrEnum):
    INIT = "INIT"
    BACKUP_META = "BACKUP_META"
    BACKUP_DATA = "BACKUP_DATA"
    BACKUP_LOG = "BACKUP_LOG"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


class SetStatus(StrEnum):
    DOING = "DOING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSetRef:
    """Enough of a set to name and choose it."""

    tenant_id: int
    backup_set_id: int
    dest_id: int
    type: BackupType
    status: SetStatus
    file_status: FileStatus
    start_replay_scn: Scn
    min_restore_scn: Scn
    path: str
