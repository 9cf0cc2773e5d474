"""The states of a table recovery, of its import and of each table."""

from enum import StrEnum


class RecoverStatus(StrEnum):
    """The sys row goes PREPARE, RECOVERING, end; the target's row through the phases."""

    PREPARE = "PREPARE"
    RECOVERING = "RECOVERING"
    RESTORE_AUX_TENANT = "RESTORE_AUX_TENANT"
    PRECHECK_IMPORT = "PRECHECK_IMPORT"
    GEN_IMPORT_JOB = "GEN_IMPORT_JOB"
    IMPORTING = "IMPORTING"
    CANCELING = "CANCELING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class ImportStatus(StrEnum):
    INIT = "INIT"
    IMPORT_TABLE = "IMPORT_TABLE"
    RECONSTRUCT_REF_CONSTRAINT = "RECONSTRUCT_REF_CONSTRAINT"
    IMPORT_FINISH = "IMPORT_FINISH"
    IMPORT_FAILED = "IMPORT_FAILED"


class TableStatus(StrEnum):
    """RENAMING is shown as DOING: its rows are there and compared, only its name is not."""

    INIT = "INIT"
    DOING = "DOING"
    RENAMING = "RENAMING"
    FINISH = "FINISH"


class RecoverResult(StrEnum):
    NONE = ""
    SUCCESS = "SUCCESS"
    PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
    FAILED = "FAILED"
