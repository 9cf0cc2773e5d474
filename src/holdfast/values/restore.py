"""The states a restore passes through."""

from enum import StrEnum


class RestoreStatus(StrEnum):
    """Rows of sys take the first two, rows of the tenant the middle ones; both end in one of the last two."""

    CREATE_TENANT = "CREATE_TENANT"
    WAIT_TENANT_RESTORE_FINISH = "WAIT_TENANT_RESTORE_FINISH"
    RESTORE_PRE = "RESTORE_PRE"
    RESTORE_CREATE_INIT_LS = "RESTORE_CREATE_INIT_LS"
    PHYSICAL_RESTORE_WAIT_RESTORE_TO_CONSISTENT_SCN = "PHYSICAL_RESTORE_WAIT_RESTORE_TO_CONSISTENT_SCN"
    RESTORE_WAIT_LS = "RESTORE_WAIT_LS"
    POST_CHECK = "POST_CHECK"
    UPGRADE = "UPGRADE"
    RESTORE_SUCCESS = "RESTORE_SUCCESS"
    RESTORE_FAIL = "RESTORE_FAIL"

    @property
    def is_end(self) -> bool:
        return self in {RestoreStatus.RESTORE_SUCCESS, RestoreStatus.RESTORE_FAIL}
