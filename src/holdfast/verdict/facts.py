"""What a verdict is made from: plain data, read by whoever asks, of one moment.

A fact that could not be read is None, and its section is named in `Estate.unread`: the judgement says UNKNOWN of it, never well. Times
are microseconds since the epoch by the server's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.values.window import WindowStatus


class JobKind(StrEnum):
    """Jobs whose last failure counts until a success takes it back."""

    FULL = "full backup"
    INCREMENTAL = "incremental backup"
    BASIC = "basic validation"
    PHYSICAL = "physical validation"
    DRILL = "restore drill"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The current round. `checkpoint_us`: 0 while there is none."""

    status: str
    comment: str = ""
    checkpoint_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSet:
    """A complete set that the catalog lists and that was not deleted. `path`: its folder at the destination."""

    set_id: int
    file_status: str
    min_restore_us: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A row of RESTORABLE_WINDOWS. `first_us`, `last_us`: None where the row names no such end. `place`: where it lies."""

    status: WindowStatus
    first_us: int | None = None
    last_us: int | None = None
    set_ids: tuple[int, ...] = ()
    place: str = ""
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The newest ended jobs of one kind: the last that succeeded, the last that failed, when, and why. Ids rise; 0 for none."""

    success_id: int = 0
    failure_id: int = 0
    failure_us: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Jobs that begin by themselves. `last_status`: REFUSED where the last one did not begin."""

    name: str
    next_us: int | None
    last_due_us: int | None = None
    last_status: str = ""
    last_comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What only the server's process knows. `engine`: UP, or why not. `spool`: empty, or why it is under pressure.

    `claimed`: empty, or why the server must not write a destination: another's, or a later twin of this server's.
    `key`: empty, or why the backup key is not at hand.
    `outside`: empty, or which destinations lie outside the destination roots.
    """

    engine: str = "UP"
    engine_comment: str = ""
    spool: str = ""
    is_stalled: bool = False
    claimed: str = ""
    key: str = ""
    outside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One user tenant. None: that section could not be read."""

    tenant_id: int
    name: str
    role: str
    status: str
    log_mode: str
    archive: Archive | None = None
    has_round: bool | None = None
    sets: tuple[BackupSet, ...] | None = None
    spans: tuple[Span, ...] | None = None
    jobs: Mapping[JobKind, Last] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    damages: tuple[str, ...] = ()
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything a login may see. `unread`: why, by section, what could not be read. `sys_data`: what users made in sys."""

    now_us: int
    tenants: tuple[Tenant, ...]
    sys_data: tuple[str, ...] = ()
    sys_health: Health | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
