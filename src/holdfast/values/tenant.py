"""Tenants: who is backed up and restored."""

import re
from dataclasses import dataclass
from enum import StrEnum

SYS_TENANT_ID = 1
FIRST_USER_TENANT_ID = 1002
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,63}", re.ASCII)
_RESERVED = {"sys", "all", "all_user", "all_meta", "gts", "seed"}


class TenantRole(StrEnum):
    PRIMARY = "PRIMARY"
    STANDBY = "STANDBY"
    RESTORE = "RESTORE"


class TenantStatus(StrEnum):
    CREATING = "CREATING"
    NORMAL = "NORMAL"
    RESTORE = "RESTORE"
    DROPPING = "DROPPING"


class TenantPurpose(StrEnum):
    """USER: a tenant of a person. AUXILIARY: another job's, which made it and removes it; nobody logs in to it and a statement
    on all tenants leaves it out."""

    USER = "USER"
    AUXILIARY = "AUXILIARY"


class LogMode(StrEnum):
    ARCHIVELOG = "ARCHIVELOG"
    NOARCHIVELOG = "NOARCHIVELOG"


class CompatibilityMode(StrEnum):
    MYSQL = "MYSQL"
    ORACLE = "ORACLE"


ORACLE_ADMINISTRATOR = "SYS"
"""The administrator of a tenant of Oracle mode, as its engine spells it; also the schema its dictionary views are named in."""


DRILL_PREFIX = "AUX_DRILL$"
RECOVER_PREFIX = "AUX_RECOVER$"
AUXILIARY_PREFIXES = (DRILL_PREFIX, RECOVER_PREFIX)
"""How auxiliary tenants are named, with the moment in microseconds behind it (OceanBase's is AUX_RECOVER$): by the name alone who only
sees the dictionary tells them from a person's, so a person's has none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What one engine may use. Units: bytes; `max_cpu` in cores."""

    max_cpu: float
    memory_size_bytes: int
    log_disk_size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant as the catalog knows it. `create_time_us` and `modify_time_us`: microseconds since the epoch."""

    tenant_id: int
    name: str
    role: TenantRole
    status: TenantStatus
    log_mode: LogMode
    mode: CompatibilityMode
    unit: Unit
    create_time_us: int
    modify_time_us: int
    data_version: str
    purpose: TenantPurpose = TenantPurpose.USER

    @property
    def is_auxiliary(self) -> bool:
        return self.purpose is TenantPurpose.AUXILIARY

    @property
    def is_sys(self) -> bool:
        return self.tenant_id == SYS_TENANT_ID


TENANT_NAME_HINT = (
    "1 to 64 letters, digits, _ or $, no digit first; none of sys, all, all_user, all_meta;"
    " names that begin with AUX_DRILL$ or AUX_RECOVER$ are for tenants of jobs"
)


def is_auxiliary_name(name: str) -> bool:
    """Return whether only a job's tenant may be called so."""
    return name.upper().startswith(AUXILIARY_PREFIXES)


def is_valid_tenant_name(name: str) -> bool:
    """Return whether a user tenant may have this name: 1 to 64 of A-Z a-z 0-9 _ $, no digit first, not reserved.

    A name becomes neither a path nor SQL text (directories and schemas are named by tenant id), so the rule only keeps
    `user@tenant#cluster` unambiguous.
    """
    return _NAME.fullmatch(name) is not None and name.lower() not in _RESERVED
