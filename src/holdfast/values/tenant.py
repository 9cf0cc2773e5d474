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


def is_valid_tenant_name(name: str) -> bool:
    """Return whether a user tenant may have this name: 1 to 64 of A-Z a-z 0-9 _ $, no digit first, not reserved.

    A name becomes neither a path nor SQL text (directories and schemas are named by tenant id), so the rule only keeps
    `user@tenant#cluster` unambiguous.
    """
    return _NAME.fullmatch(name) is not None and name.lower() not in _RESERVED
