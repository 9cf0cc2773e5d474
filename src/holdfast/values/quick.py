"""Tenants that opened before their blocks had arrived, or that go by themselves."""

from dataclasses import dataclass
from enum import StrEnum


class QuickStatus(StrEnum):
    """HYDRATING: blocks still come from the destination. HYDRATED: all are here, served until the engine's next start.
    LOCAL: an ordinary tenant."""

    HYDRATING = "HYDRATING"
    HYDRATED = "HYDRATED"
    LOCAL = "LOCAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickTenant:
    """A tenant restored with `method=quick` or `ttl`. Times: microseconds since the epoch.

    `total_bytes`, `finish_bytes`: of its macro blocks. `drop_timestamp_us`: when the tenant goes, None for never.
    `backup_dest`: where the blocks come from, without keys, comma separated. `comment`: what keeps them from coming.
    """

    tenant_id: int
    tenant_name: str
    status: QuickStatus
    total_bytes: int
    finish_bytes: int
    start_timestamp_us: int
    finish_timestamp_us: int | None = None
    drop_timestamp_us: int | None = None
    backup_dest: str = ""
    comment: str = ""
