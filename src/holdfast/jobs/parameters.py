"""Holdfast's own tenant parameters: one table says what exists; SET, SHOW and the views derive from it.

Source: names, types, defaults and ranges of the OceanBase V4.2 manual.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast import codes
from holdfast.errors import RefusedError
from holdfast.values.capacity import capacity_bytes_from_text, time_us_from_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterKind:
    """How a parameter's text is read and compared. `measure` returns the value in its unit, or raises ValueError."""

    name: str
    measure: Callable[[str], int]


def _boolean(text: str) -> int:
    value = {"true": 1, "on": 1, "1": 1, "false": 0, "off": 0, "0": 0}.get(text.lower())
    if value is None:
        raise ValueError(f"not a boolean: {text!r}")
    return value


INT = ParameterKind(name="INT", measure=int)
TIME = ParameterKind(name="TIME", measure=time_us_from_text)
CAPACITY = ParameterKind(name="CAPACITY", measure=capacity_bytes_from_text)
RATE = ParameterKind(name="CAPACITY", measure=lambda text: 0 if text == "0" else capacity_bytes_from_text(text))
"""A capacity a second. Zero needs no unit: it is no rate but the absence of a limit."""
BOOL = ParameterKind(name="BOOL", measure=_boolean)


def _nothing_but(*allowed: str) -> ParameterKind:
    def measure(text: str) -> int:
        return allowed.index(text.lower())  # ValueError for any other text

    return ParameterKind(name="STRING", measure=measure)


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
        if not good:
            bounds = f"[{self.least or '-inf'},{self.most or 'no limit'}]"
            raise RefusedError(
                f"Invalid config, {self.name} can not be {value!r}",
                hint=f"{self.kind.name} in {bounds}, default {self.default}",
                code=codes.OB_INVALID_CONFIG,
            )
        return value

    def value_of(self, text: str) -> int:
        """Return the measured value of a checked text: a number, microseconds, bytes, or 0 and 1."""
        return self.kind.measure(text)


def _score(name: str, info: str) -> ParameterDefinition:
    return ParameterDefinition(name=name, kind=INT, default="0", least="0", most="100", info=info)


DEFINITIONS: tuple[ParameterDefinition, ...] = (
    _score(
        "ha_low_thread_score",
        "weight of backup and cleanup: threads, up to 16, then reads ahead. 0 means 2 threads. Range: [0,100]",
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
        info="Holdfast's own: bytes a second that the tenant's backup and restore may read and write, 0 = no limit. Range: [0,)",
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
)

BY_NAME: dict[str, ParameterDefinition] = {definition.name: definition for definition in DEFINITIONS}
