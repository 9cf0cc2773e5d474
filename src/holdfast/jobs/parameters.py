"""Holdfast's own tenant parameters: one table says what exists; SET, SHOW and the views derive from it.

Source: names, types, defaults and ranges of the OceanBase V4.2 manual.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from holdfast import codes
from holdfast.errors import RefusedError
from holdfast.statement.lexer import tokens
from holdfast.statement.split import split
from holdfast.values.capacity import capacity_bytes_from_text, time_us_from_text
from holdfast.values.outside import shown
from holdfast.values.places import PlaceLimits
from holdfast.values.roots import parse_roots
from holdfast.values.schedule import check_words, parse_zone

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_TEXT_CHARACTERS_MAX = 1 << 16
"""What the column of a value holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterKind:
    """How a parameter's text is read and compared. `measure` returns the value in its unit, or raises ValueError.

    `hint`: what to write, where bounds say nothing.
    """

    name: str
    measure: Callable[[str], int]
    hint: str = ""


def _boolean(text: str) -> int:
    value = {"true": 1, "on": 1, "1": 1, "false": 0, "off": 0, "0": 0}.get(text.lower())
    if value is None:
        raise ValueError(f"not a boolean: {text!r}")
    return value


def _integer(text: str) -> int:
    # Not int() alone: it takes 1_000 and the digits of every script.
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"not a whole number: {text!r:.40}")
    return int(text)


INT = ParameterKind(name="INT", measure=_integer)
TIME = ParameterKind(name="TIME", measure=time_us_from_text)
CAPACITY = ParameterKind(name="CAPACITY", measure=capacity_bytes_from_text)
RATE = ParameterKind(name="CAPACITY", measure=lambda text: 0 if text == "0" else capacity_bytes_from_text(text))
"""A capacity a second. Zero needs no unit: it is no rate but the absence of a limit."""
BOOL = ParameterKind(name="BOOL", measure=_boolean)


def _nothing_but(*allowed: str) -> ParameterKind:
    def measure(text: str) -> int:
        return allowed.index(text.lower())  # ValueError for any other text

    return ParameterKind(name="STRING", measure=measure)


def _kept(check: Callable[[str], object]) -> Callable[[str], int]:
    """Return the measure of a text that is only checked: it has no order."""

    def measure(text: str) -> int:
        check(text)
        return 0

    return measure


CRON = ParameterKind(
    name="STRING",
    measure=_kept(check_words),
    hint="five cron words: minute, hour, day of month, month, day of week, such as '0 2 * * SUN'; '' for no schedule",
)
ZONE = ParameterKind(
    name="STRING",
    measure=_kept(lambda text: text and parse_zone(text)),
    hint="an offset such as '+08:00', an IANA name such as 'Europe/Berlin' that this machine knows, or '' for the tenant's time_zone",
)


def _check_assertions(text: str) -> None:
    for piece in split(text):
        if next(tokens(piece.text)).word not in {"SELECT", "WITH"}:
            raise ValueError(f"no query: {piece.text[:40]}")


ASSERTIONS = ParameterKind(
    name="STRING",
    measure=_kept(_check_assertions),
    hint="queries parted by ;, such as 'select sum(balance) = 200000 from bank.account; select count(*) > 0 from bank.ledger'",
)

ROOTS = ParameterKind(
    name="STRING",
    measure=_kept(parse_roots),
    hint="absolute paths of directories parted by commas, none in /dev, /proc or /sys, such as '/backup,/mnt/archive'; '' for none",
)

CLUSTER_SECTION = "CLUSTER"
"""The section of a parameter that exists once, for the cluster. The catalog's view of all parameters knows the word too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDefinition:
    """One parameter of ours. `least` and `most` are texts of its kind, both included; `most` may be open."""

    name: str
    kind: ParameterKind
    default: str
    least: str | None
    most: str | None
    info: str
    section: str = "TENANT"

    @property
    def is_cluster_wide(self) -> bool:
        """Return whether there is one value, which sys sets and sees, instead of one for each tenant."""
        return self.section == CLUSTER_SECTION

    def check(self, text: str) -> str:
        """Return `text` trimmed, or raise RefusedError -4147 when it is no value of this parameter."""
        value = text.strip()
        try:
            measured = self.kind.measure(value)
            good = (self.least is None or measured >= self.kind.measure(self.least)) and (
                self.most is None or measured <= self.kind.measure(self.most)
            )
        except ValueError:
            good = False
        good = good and len(value) <= _TEXT_CHARACTERS_MAX
        if not good and self.kind.hint:
            raise RefusedError(
                f"Invalid config, {self.name} can not be {shown(value)}",
                hint=self.kind.hint,
                code=codes.OB_INVALID_CONFIG,
            )
        if not good:
            bounds = f"[{self.least or '-inf'},{self.most or 'no limit'}]"
            raise RefusedError(
                f"Invalid config, {self.name} can not be {shown(value)}",
                hint=f"{self.kind.name} in {bounds}, default {self.default}",
                code=codes.OB_INVALID_CONFIG,
            )
        return value

    def value_of(self, text: str) -> int:
        """Return the measured value of a checked text: a number, microseconds, bytes, or 0 and 1."""
        return self.kind.measure(text)


def _score(name: str, info: str) -> ParameterDefinition:
    return ParameterDefinition(name=name, kind=INT, default="0", least="0", most="100", info=info)


def _hidden(
    name: str, kind: ParameterKind, default: str, least: str | None, most: str | None, info: str
) -> ParameterDefinition:
    """Return a cluster parameter that OceanBase hides. Kept, checked and shown, so that scripts which set it go on working."""
    return ParameterDefinition(
        name=name, kind=kind, default=default, least=least, most=most, info=info, section=CLUSTER_SECTION
    )


CONNECTIONS_MAX = "gateway_connections_max"
RESERVED_FOR_SYS = "gateway_connections_reserved_for_sys"
RESERVED_PER_TENANT = "gateway_connections_reserved_per_tenant"
PER_TENANT_MAX = "gateway_connections_per_tenant_max"
_CONNECTIONS_MOST = 65535


def _places(name: str, default: int, least: int, info: str) -> ParameterDefinition:
    return ParameterDefinition(
        name=name,
        kind=INT,
        default=str(default),
        least=str(least),
        most=str(_CONNECTIONS_MOST),
        info=f"Holdfast's own: {info}. Range: [{least},{_CONNECTIONS_MOST}]",
        section=CLUSTER_SECTION,
    )


_PLACES = PlaceLimits()
KEY_SOURCE = ParameterKind(name="STRING", measure=_kept(lambda text: text))
"""Checked and set by `backup_keys`."""

DEFINITIONS: tuple[ParameterDefinition, ...] = (
    _score(
        "ha_low_thread_score",
        "weight of backup, cleanup and validation: threads, up to 16, then reads ahead. 0 means 2 threads. Range: [0,100]",
    ),
    _score("ha_mid_thread_score", "weight of the medium-priority threads. Range: [0,100]"),
    _score("ha_high_thread_score", "weight of restore: its threads, up to 16. 0 means 8 threads. Range: [0,100]"),
    _score("log_archive_concurrency", "accepted; one thread archives a tenant's one log. Range: [0,100]"),
    _score("log_restore_concurrency", "accepted; one thread restores a tenant's one log. Range: [0,100]"),
    ParameterDefinition(
        name="archive_lag_target",
        kind=TIME,
        default="120s",
        least="0ms",
        most="7200s",
        info="how far log archiving may lag behind, 0ms = as soon as possible. Range: [0ms,7200s]",
    ),
    ParameterDefinition(
        name="backup_data_file_size",
        kind=CAPACITY,
        default="4G",
        least="512M",
        most="4G",
        info="largest data file of a backup set; Holdfast's have 128M whatever it says. Range: [512M,4G]",
    ),
    ParameterDefinition(
        name="backup_bandwidth_limit",
        kind=RATE,
        default="0",
        least="0",
        most=None,
        info="Holdfast's own: bytes a second of the tenant's backup, restore and validation together, 0 = no limit. Range: [0,)",
    ),
    ParameterDefinition(
        name="backup_full_schedule",
        kind=CRON,
        default="",
        least=None,
        most=None,
        info="Holdfast's own: when full backups begin by themselves, five cron words such as '0 2 * * SUN'; empty = never",
    ),
    ParameterDefinition(
        name="backup_incremental_schedule",
        kind=CRON,
        default="",
        least=None,
        most=None,
        info="Holdfast's own: when incremental backups begin by themselves, five cron words; empty = never",
    ),
    ParameterDefinition(
        name="backup_drill_schedule",
        kind=CRON,
        default="",
        least=None,
        most=None,
        info="Holdfast's own: when restore drills (VALIDATE BACKUP LEVEL = 'restore') begin by themselves, five cron words; empty = never",
    ),
    ParameterDefinition(
        name="backup_drill_assertions",
        kind=ASSERTIONS,
        default="",
        least=None,
        most=None,
        info="Holdfast's own: queries a restore drill asks the restored tenant, parted by ;. Each holds when it gives rows and every "
        "value in them is true",
    ),
    ParameterDefinition(
        name="backup_encryption",
        kind=KEY_SOURCE,
        default="NONE",
        least=None,
        most=None,
        info="Holdfast's own: what seals the tenant's backups and archive. NONE, 'file:/path', 'env:NAME' or 'command:/program ...' (set "
        "by root@sys alone), or 'password' IDENTIFIED BY '...'",
    ),
    ParameterDefinition(
        name="backup_schedule_time_zone",
        kind=ZONE,
        default="",
        least=None,
        most=None,
        info="Holdfast's own: the time zone of the schedules, an offset or an IANA name; empty = the tenant's global time_zone",
    ),
    ParameterDefinition(
        name="backup_validate_reread_interval",
        kind=TIME,
        default="30d",
        least="0",
        most=None,
        info="Holdfast's own: how long what a validation has proven of an object is trusted before the object is read again, "
        "0 = every validation reads everything. Range: [0,)",
    ),
    _places(
        CONNECTIONS_MAX,
        _PLACES.connections_max,
        8,
        "connections that the server's port holds at once, of all tenants; whoever finds none is told 1040",
    ),
    _places(
        RESERVED_FOR_SYS,
        _PLACES.reserved_for_sys,
        1,
        "of them, those that are kept for tenant sys, at most the half",
    ),
    _places(
        RESERVED_PER_TENANT,
        _PLACES.reserved_per_tenant,
        0,
        "of them, those that are kept for each user tenant, as far as there are enough",
    ),
    _places(
        PER_TENANT_MAX,
        _PLACES.per_tenant_max,
        1,
        "connections that one user tenant has at most",
    ),
    ParameterDefinition(
        name="recover_table_concurrency",
        kind=INT,
        default="0",
        least="0",
        most="16",
        info="tables imported at once by table recovery, 0 = 1. Range: [0,16]",
    ),
    ParameterDefinition(
        name="recover_table_dop",
        kind=INT,
        default="0",
        least="0",
        most=None,
        info="parallelism of one table's import, 0 = 1. Range: [0,)",
    ),
    ParameterDefinition(
        name="standby_db_fetch_log_rpc_timeout",
        kind=TIME,
        default="15s",
        least="2s",
        most=None,
        info="how long a standby waits for its log source. Range: [2s,)",
    ),
    ParameterDefinition(
        name="tde_method",
        kind=_nothing_but("none"),
        default="none",
        least=None,
        most=None,
        info="transparent encryption; seekdb has none",
    ),
    ParameterDefinition(
        name="external_kms_info",
        kind=_nothing_but(""),
        default="",
        least=None,
        most=None,
        info="key service of transparent encryption; seekdb has none",
    ),
    ParameterDefinition(
        name="backup_destination_roots",
        kind=ROOTS,
        default="",
        least=None,
        most=None,
        info="Holdfast's own: directories, parted by commas, below which user tenants may set destinations and read, beside those of "
        "`serve --destination-root`; what sys sets for a tenant is not bound. Set by root@sys alone",
        section=CLUSTER_SECTION,
    ),
    _hidden("_backup_idle_time", TIME, "5m", "10s", None, "longest sleep of the backup scheduler; jobs begin at once"),
    _hidden(
        "_restore_idle_time", TIME, "1m", "10s", None, "longest sleep of the restore scheduler; jobs begin at once"
    ),
    _hidden(
        "_backup_task_keep_alive_interval",
        TIME,
        "10s",
        "1s",
        None,
        "heartbeat check of tasks; a task lives in the server, which notices its end at once",
    ),
    _hidden(
        "_backup_task_keep_alive_timeout",
        TIME,
        "10m",
        "1s",
        None,
        "how long a task may be silent; a task lives in the server, which notices its end at once",
    ),
    _hidden(
        "_auto_drop_recovering_auxiliary_tenant",
        BOOL,
        "True",
        None,
        None,
        "drop the auxiliary tenant also after a failed table recovery",
    ),
    _hidden("_object_storage_io_timeout", TIME, "20s", "1s", "1200s", "one request to object storage"),
    _hidden("_restore_io_max_retry_count", INT, "3", "0", "64", "how often a failed read of a restore is repeated"),
)
"""`sys_bkgd_net_percentage` and `ddl_thread_score` are missing: the engine has them itself."""

DEPRECATED: dict[str, str] = {
    "backup_dest": "DATA_BACKUP_DEST and LOG_ARCHIVE_DEST",
    "backup_dest_option": "DATA_BACKUP_DEST and LOG_ARCHIVE_DEST",
    "backup_backup_dest": "one path: there is no second copy",
    "backup_backup_dest_option": "one path: there is no second copy",
    "backup_log_archive_option": "BINDING in LOG_ARCHIVE_DEST",
    "backup_concurrency": "ha_low_thread_score",
    "restore_concurrency": "ha_high_thread_score",
    "backup_net_limit": "max_bandwidth of a destination",
    "backup_recovery_window": "ADD DELETE BACKUP POLICY",
    "backup_region": "CHANGE EXTERNAL_STORAGE_DEST",
    "backup_zone": "CHANGE EXTERNAL_STORAGE_DEST",
    "enable_log_archive": "ARCHIVELOG and NOARCHIVELOG",
    "log_archive_checkpoint_interval": "archive_lag_target",
    "log_archive_batch_buffer_limit": "archive_lag_target",
    "gc_wait_archive": "archive_lag_target",
}
"""Parameters of V3 that V4 does not have, with what takes their place. Setting one is -5099, as of any unknown name: accepting a
destination or a window that then does nothing would leave its owner without a backup."""

BY_NAME: dict[str, ParameterDefinition] = {definition.name: definition for definition in DEFINITIONS}
