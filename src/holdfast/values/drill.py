"""The states of a restore drill and of its checks."""

from enum import StrEnum


class DrillStatus(StrEnum):
    RESTORING = "RESTORING"
    CHECKING = "CHECKING"
    REMOVING = "REMOVING"
    FINISHED = "FINISHED"


class DrillResult(StrEnum):
    """NONE: not decided yet."""

    NONE = ""
    PASSED = "PASSED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class CheckType(StrEnum):
    TABLE = "TABLE"
    INDEX = "INDEX"
    ASSERTION = "ASSERTION"


class CheckResult(StrEnum):
    """UNCHECKED: this can not be told by SQL, and the comment says why. It fails no drill."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNCHECKED = "UNCHECKED"
