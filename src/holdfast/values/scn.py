"""System change number: nanoseconds since the epoch, a point in time."""

import re
from datetime import UTC, datetime, timedelta, timezone

SCN_MAX_VALUE = 4611686018427387903
"""OceanBase's "unlimited" (2^62 - 1)."""
SCN_BITS_MAX = 2**63 - 1
"""What columns, headers and records of an SCN hold."""
_DIGITS_MAX = 20
_MOMENT = re.compile(r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{1,2}):(\d{1,2})", re.ASCII)


class Scn(int):
    """A system change number.

    Units: nanoseconds since the Unix epoch, UTC. Text form: 20 decimal digits with leading zeros, so it sorts.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Scn":
        """Return the SCN written in decimal digits. Raises ValueError on anything else, and beyond 2^63 - 1."""
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and int(text) <= SCN_BITS_MAX):
            raise ValueError(f"not an SCN: {text!r:.40}")
        return cls(int(text))

    def text(self) -> str:
        """Return 20 decimal digits."""
        return f"{int(self):020d}"

    def display(self, zone: timezone = UTC) -> str:
        """Return `YYYY-MM-DD HH:MM:SS.ffffff` in `zone`, truncated to microseconds."""
        return self._moment(zone).strftime("%Y-%m-%d %H:%M:%S.%f")

    def tag(self, zone: timezone = UTC) -> str:
        """Return `YYYYMMDDThhmmss`, the form OceanBase puts into file names."""
        return self._moment(zone).strftime("%Y%m%dT%H%M%S")

    def _moment(self, zone: timezone) -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(self) // 1000)).astimezone(zone)


SCN_NONE = Scn(0)
"""What views and records hold while a point is not known."""


def scn_from_timestamp(text: str, zone: timezone) -> Scn:
    """Return the SCN of `YYYY-MM-DD HH:MM:SS[.f{1,9}]` read in `zone`.

    All nine fraction digits count: an SCN is finer than a datetime. Raises ValueError on any other form, and for
    a moment before 1970 or beyond 2262.
    """
    if _MOMENT.fullmatch(text.strip()) is None:
        raise ValueError(f"not a timestamp: {text!r:.40}")
    whole, _, fraction = text.strip().partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    if since.days < 0:
        raise ValueError(f"before 1970: {text!r}")
    value = (since.days * 86400 + since.seconds) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))
    if value > SCN_BITS_MAX:
        raise ValueError(f"beyond every SCN: {text!r:.40}")
    return Scn(value)


def zone_from_text(text: str) -> timezone:
    """Return the fixed offset `+hh:mm` or `-hh:mm` that a session's time_zone names. Raises ValueError."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time zone offset: {text!r:.40}")
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-away if found[1] == "-" else away)
