"""The items of LOG_ARCHIVE_DEST."""

from dataclasses import dataclass, field
from typing import TypeVar

from holdfast import codes
from holdfast.errors import RefusedError, refuse
from holdfast.values.capacity import time_us_from_text
from holdfast.values.destination import Binding

_DAY_US = 86_400_000_000
PIECE_SWITCH_INTERVAL_US_MIN = _DAY_US
PIECE_SWITCH_INTERVAL_US_MAX = 7 * _DAY_US
_BINDINGS = {"optional": Binding.OPTIONAL, "mandatory": Binding.MANDATORY}
_COMPRESSIONS = {"enable": True, "disable": False}
_T = TypeVar("_T")
_D = TypeVar("_D")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDest:
    """`location` is the URI as written. `piece_switch_interval_us`: microseconds, 1 to 7 days.

    `compression` None: not written.
    """

    location: str = field(repr=False)
    binding: Binding = Binding.OPTIONAL
    piece_switch_interval_us: int = PIECE_SWITCH_INTERVAL_US_MIN
    piece_switch_interval_text: str = "1d"
    compression: bool | None = None


def parse_archive_dest(text: str) -> ArchiveDest:
    """Return the items of a LOG_ARCHIVE_DEST string (not the empty one, which clears the destination).

    Shape: `NAME=value` items parted by blanks, names in any case, no blank around `=`; an omitted item has its default.
    Raises RefusedError: 1235 without LOCATION, for an unknown item or an interval outside [1d,7d]; 1210 for a value of
    BINDING or COMPRESSION that is not one, an interval that is no time, or an item written twice. The URI itself is
    checked by `values.destination.parse_uri`.
    """
    items: dict[str, str] = {}
    for item in text.split():
        name, equal, value = item.partition("=")
        name = name.lower()
        if not equal or name not in {"location", "binding", "piece_switch_interval", "compression"}:
            # Only the name is quoted: what follows may be a URI with keys.
            raise refuse(
                codes.OB_NOT_SUPPORTED,
                f"log_archive_dest item {name.split('?')[0][:32]!r} is",
                hint="items are LOCATION, BINDING, PIECE_SWITCH_INTERVAL, COMPRESSION, with no blank around '='",
            )
        if name in items:
            raise _incorrect(name, hint=f"write {name.upper()} once")
        items[name] = value
    if not items.get("location"):
        raise refuse(codes.OB_NOT_SUPPORTED, "set archive dest without location is")
    interval_text = items.get("piece_switch_interval", "1d")
    return ArchiveDest(
        location=items["location"],
        binding=_choice(items, "binding", _BINDINGS, Binding.OPTIONAL),
        piece_switch_interval_us=_interval_us(interval_text),
        piece_switch_interval_text=interval_text,
        compression=_choice(items, "compression", _COMPRESSIONS, None),
    )


def _choice(items: dict[str, str], name: str, choices: dict[str, _T], default: _D) -> _T | _D:
    value = items.get(name)
    if value is None:
        return default
    if value.lower() not in choices:
        raise _incorrect(name, hint=f"write one of {', '.join(choices)}")
    return choices[value.lower()]


def _interval_us(text: str) -> int:
    try:
        interval_us = time_us_from_text(text)
    except ValueError as error:
        raise _incorrect("piece_switch_interval", hint="write a whole number with a unit, such as 1d or 36h") from error
    if not PIECE_SWITCH_INTERVAL_US_MIN <= interval_us <= PIECE_SWITCH_INTERVAL_US_MAX:
        raise refuse(codes.OB_NOT_SUPPORTED, "invalid piece_switch_interval out of range [1d,7d] is")
    return interval_us


def _incorrect(name: str, *, hint: str) -> RefusedError:
    return refuse(codes.OB_INVALID_ARGUMENT, name, hint=hint)
