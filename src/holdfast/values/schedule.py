"""When scheduled backups and drills are due: cron words, a time zone, and what was done so far. Pure: the moment is given.

Words are five, as in Debian's cron, daylight saving included (cronsim): a run at an hour that is skipped is made right behind the
skip, one at an hour that comes twice is made once, and only words with `*` in the hour follow the hands of the clock.

A run that was missed, because the server was away or another backup went on, is made up for once, whatever the number of moments
that were missed. Moments before the words were first seen are not missed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

JITTER_SECONDS_MAX = 120
"""Tenants with the same words begin within this span, so that they do not all meet the destination at once."""
_JITTER_SHARE = 10
"""And within a tenth of the time between two moments: a run every minute is at most 6 s late."""
_SPREAD = 2_654_435_761
"""Knuth's multiplicative hash: neighbouring tenant ids get moments far apart."""
_WORDS = 5
_OFFSET = re.compile(r"([+-])(\d{1,2}):(\d{2})", re.ASCII)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class ScheduleType(StrEnum):
    FULL = "FULL"
    INC = "INC"
    DRILL = "DRILL"


def check_words(words: str) -> None:
    """Raise ValueError unless these are cron words that come to pass some day, or empty: no schedule."""
    if not words:
        return
    if len(words.split()) != _WORDS:
        raise ValueError(f"{_WORDS} words are needed: minute, hour, day of month, month, day of week")
    try:
        next(CronSim(words, _EPOCH))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"no cron words: {error or 'no day is ever like this'}") from error


def parse_zone(text: str) -> tzinfo:
    """Return the zone of an IANA name or of an offset like `+08:00`. Raises ValueError."""
    match = _OFFSET.fullmatch(text)
    if match:
        minutes = int(match[2]) * 60 + int(match[3])
        if int(match[3]) > 59 or minutes > 14 * 60:
            raise ValueError(f"no offset: {text!r}")
        return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {text!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One schedule of a tenant. `done_us`: the moment up to which its runs are made or were not wanted yet."""

    words: str
    done_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be begun now. `moments`: of each type that is due its latest moment; the run makes up for all of them."""

    type: ScheduleType
    moments: Mapping[ScheduleType, int]

    @property
    def moment_us(self) -> int:
        return self.moments[self.type]


def due(plans: Mapping[ScheduleType, Plan], zone: tzinfo, tenant_id: int, now_us: int) -> Due | None:
    """Return the one run to begin now, None when nothing is due. Of a full and an increment at once the full is made.

    `plans`: of backups, or of drills alone, which wait for no backup.
    An increment waits for a full whose moment has come and whose jitter has not passed yet.
    """
    moments: dict[ScheduleType, int] = {}
    coming: set[ScheduleType] = set()
    for kind, plan in plans.items():
        moment, begun = _latest(plan.words, zone, tenant_id, now_us)
        if begun is not None and begun > plan.done_us:
            moments[kind] = begun
        elif moment is not None and moment > plan.done_us:
            coming.add(kind)
    if ScheduleType.FULL in moments:
        return Due(type=ScheduleType.FULL, moments=moments)
    if not moments or ScheduleType.FULL in coming:
        return None
    return Due(type=next(iter(moments)), moments=moments)


def next_us(words: str, zone: tzinfo, tenant_id: int, now_us: int) -> int | None:
    """Return when the next run begins, jitter included; None when there is none."""
    at = _time(now_us, zone) - timedelta(seconds=JITTER_SECONDS_MAX)
    for moment in CronSim(words, at):
        begin = _us(moment) + _jitter_us(words, moment, tenant_id)
        if begin > now_us:
            return begin
    return None


def _latest(words: str, zone: tzinfo, tenant_id: int, now_us: int) -> tuple[int | None, int | None]:
    """Return the latest moment by now, and the latest whose run should have begun by now."""
    latest: int | None = None
    # A moment itself counts: the walk backwards begins behind it.
    for moment in CronSim(words, _time(now_us, zone) + timedelta(seconds=1), reverse=True):
        latest = latest or _us(moment)
        if _us(moment) + _jitter_us(words, moment, tenant_id) <= now_us:
            return latest, _us(moment)
    return latest, None


def _jitter_us(words: str, moment: datetime, tenant_id: int) -> int:
    """Return by how much a tenant's run is late: the same at each of its moments that are equally far apart."""
    following = next(CronSim(words, moment), None)
    bound = JITTER_SECONDS_MAX * 1_000_000
    if following is not None:
        bound = min(bound, (_us(following) - _us(moment)) // _JITTER_SHARE)
    return tenant_id * _SPREAD % 2**32 * bound >> 32


def _time(time_us: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(zone)


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
