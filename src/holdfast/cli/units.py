"""Figures as people read them."""

from datetime import datetime

from holdfast.values.outside import escaped

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def printable(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` with what a terminal would obey as `\\n`, `\\x1b` and the like.

    Names, comments and descriptions come from tenants, and an administrator's terminal obeys what it is sent.
    """
    return escaped(text, keep_lines=keep_lines)


def size_text(size_bytes: float) -> str:
    """Return bytes in powers of 1024 with at most three digits: `0 B`, `1.5 KiB`, `310 MiB`."""
    value, unit = float(size_bytes), 0
    # 999.5 and more would print four digits.
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    if unit == 0 or value >= 99.95:
        return f"{value:.0f} {_UNITS[unit]}"
    return f"{value:.1f} {_UNITS[unit]}"


def duration_text(seconds: float) -> str:
    """Return a length of time as a clock shows it: `0:07`, `12:30`, `1:02:03`, `2d 01:02:03`. Rounded to seconds."""
    whole = round(seconds)
    days, rest = divmod(whole, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    if days:
        return f"{days}d {hours:02d}:{minutes:02d}:{left:02d}"
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def age_text(seconds: float) -> str:
    """Return how long ago something was, in its largest unit: `12 s`, `5 min`, `3 h`, `9 d`. Rounded down."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def lag_text(seconds: float) -> str:
    """Return a lag with a tenth of a second while it is short, as `age_text` beyond a minute."""
    return f"{seconds:.1f} s" if seconds < _MINUTE else age_text(seconds)


def moment_text(moment: object) -> str:
    """Return a timestamp without its fraction; empty for None."""
    if moment is None:
        return ""
    text = moment.isoformat(" ") if isinstance(moment, datetime) else str(moment)
    return text.partition(".")[0]
