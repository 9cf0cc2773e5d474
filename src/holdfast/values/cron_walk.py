"""The moments that cron words name, in order of time, forwards and backwards. Pure.

Two kinds of words, as Debian's cron has them:

    fixed      neither minute nor hour begins with `*`: each local time once. One that is skipped is made up for at the end of the
               skip, one that comes twice counts in its first pass
    wildcard   all others follow the hands of the clock: each pass of an hour counts, what is skipped does not

All sums are made with microseconds since the epoch: a sum of Python's datetimes forgets in which pass of an hour it is, and for an
hour in each autumn nothing was due (by cronsim's own walk, which sums so). The results are tested against a look at every minute.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from cronsim import CronSim

_MINUTE_US: Final = 60_000_000
_DAYS_MAX: Final = 50 * 366
"""How far words are followed that name few days, such as a Monday that is the 29th of February: 28 or 40 years."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


def moments_from(words: str, zone: tzinfo, start_us: int) -> Iterator[int]:
    """Yield the moments at or behind `start_us`, earliest first. Units: microseconds since the epoch."""
    cron = _parsed(words)
    if _is_fixed(cron):
        yield from (moment for moment in _fixed(cron, zone, start_us, 1) if moment >= start_us)
    else:
        yield from _wildcard(cron, zone, -(-start_us // _MINUTE_US), 1)


def moments_until(words: str, zone: tzinfo, end_us: int) -> Iterator[int]:
    """Yield the moments at or before `end_us`, latest first. Units: microseconds since the epoch."""
    cron = _parsed(words)
    if _is_fixed(cron):
        yield from (moment for moment in _fixed(cron, zone, end_us, -1) if moment <= end_us)
    else:
        yield from _wildcard(cron, zone, end_us // _MINUTE_US, -1)


@lru_cache(maxsize=1024)
def _parsed(words: str) -> CronSim:
    """Return the words' sets of minutes, hours and days. What is kept is never walked with, so it never changes."""
    return CronSim(words, _EPOCH)


def _is_fixed(cron: CronSim) -> bool:
    return not (cron.parts[1].startswith("*") or cron.parts[2].startswith("*"))


def _fixed(cron: CronSim, zone: tzinfo, start_us: int, step: int) -> Iterator[int]:
    """Yield the moments of day after day: each local time once, in its first pass."""
    # From a day on the other side: a skip, or a pass, may reach over midnight.
    day = _local(start_us, zone).date() - timedelta(days=step)
    times = sorted((time(hour, minute) for hour in cron.hours for minute in cron.minutes), reverse=step < 0)
    last: int | None = None
    for _ in range(_DAYS_MAX):
        if day.month in cron.months and cron.match_day(day):
            for at in times:
                moment = _moment_of(day, at, zone)
                if moment != last:  # several that are skipped have one moment
                    yield moment
                last = moment
        day += timedelta(days=step)


def _moment_of(day: date, at: time, zone: tzinfo) -> int:
    """Return the first pass of a local time, or the end of the skip it lies in."""
    first = _seconds(datetime.combine(day, at, zone))
    if _local(first * 1_000_000, zone).replace(tzinfo=None, fold=0) == datetime.combine(day, at):
        return first * 1_000_000
    # Read with the offset from before the skip it lies behind its end, with the one from after it before its begin.
    before = _seconds(datetime.combine(day, at.replace(fold=1), zone))
    offset = _local(before * 1_000_000, zone).utcoffset()
    moments = range(before, first + 1)
    found = bisect_left(moments, True, key=lambda moment: _local(moment * 1_000_000, zone).utcoffset() != offset)
    return moments[found] * 1_000_000


def _wildcard(cron: CronSim, zone: tzinfo, minute: int, step: int) -> Iterator[int]:
    """Yield the minutes at which the local clock shows what the words name. `minute`: the first, since the epoch."""
    end = minute + step * _DAYS_MAX * 24 * 60
    while (end - minute) * step > 0:
        local = _local(minute * _MINUTE_US, zone)
        if local.month not in cron.months or not cron.match_day(local.date()):
            at = local.hour * 60 + local.minute
            jump = 24 * 60 - at if step > 0 else at + 1
        elif local.hour not in cron.hours:
            jump = 60 - local.minute if step > 0 else local.minute + 1
        else:
            jump, border = 1, 60 if step > 0 else -1
            while (following := local.minute + jump * step) != border and following not in cron.minutes:
                jump += 1
            if local.minute in cron.minutes:
                yield minute * _MINUTE_US
        jump *= step
        # Where the clock is put on or back within the jump each minute is looked at.
        is_steady = _local((minute + jump) * _MINUTE_US, zone).utcoffset() == local.utcoffset()
        minute += jump if is_steady else step


def _local(moment_us: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).astimezone(zone)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
