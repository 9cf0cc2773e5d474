"""When scheduled backups and drills are due: cron words, a time zone, and what was done so far. Pure: the moment is given.

Words are five, as in Debian's cron, daylight saving included: a run at an hour that is skipped is made right behind the skip, one at
an hour that comes twice is made once, in its first pass, and only words whose minute or hour begins with `*` follow the hands of the
clock: they run in both passes. Which words there are and which days they name cronsim knows; the walk is in `cron_walk`.

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

from holdfast.values.cron_walk import moments_from, moments_until

JITTER_SECONDS_MAX = 120
"""Tenants with the same words begin within this span, so that they do not all meet the destination at once."""
_JITTER_SHARE = 10
"""And within a tenth of the time between two moments: a run every minute is at most 6 s late."""
_SPREAD = 2_654_435_761
"""Knuth's multiplicative hash: neighbouring tenant ids get moments far apart."""
_WORDS = 5
_WORDS_CHARACTERS_MAX = 512
"""All sixty minutes one by one are 170."""
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
    if len(words) > _WORDS_CHARACTERS_MAX or len(words.split()) != _WORDS:
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
            raise ValueError(f"no offset: {text!r:.40}")
        return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {text!r:.40}") from error


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


def next_moment(plan: Plan, zone: tzinfo) -> int | None:
    """Return the first moment whose run is not made, whether it is past or to come; None when there is none."""
    return next(moments_from(plan.words, zone, plan.done_us + 1), None)


def next_us(plan: Plan, zone: tzinfo, tenant_id: int) -> int | None:
    """Return when the run of the first moment that is not made begins or should have begun, jitter included; None for none."""
    moment = next_moment(plan, zone)
    return None if moment is None else moment + _jitter_us(plan.words, zone, moment, tenant_id)


def armed_us(plan: Plan, zone: tzinfo, now_us: int) -> int:
    """Return the plan's `done_us`, or `now_us` where a clock that went back would keep its runs from being made for long.

    A clock that goes back by less than the time between two moments makes no run twice. Of one that goes back by more, two moments
    that were done already are to come: they count again, or a clock that was a year ahead would cost a year of backups.
    """
    if plan.done_us <= now_us:
        return plan.done_us
    coming = [moment for moment, _ in zip(moments_from(plan.words, zone, now_us + 1), range(2), strict=False)]
    return now_us if len(coming) == 2 and coming[-1] <= plan.done_us else plan.done_us


def _latest(words: str, zone: tzinfo, tenant_id: int, now_us: int) -> tuple[int | None, int | None]:
    """Return the latest moment by now, and the latest whose run should have begun by now."""
    latest: int | None = None
    for moment in moments_until(words, zone, now_us):
        latest = latest or moment
        if moment + _jitter_us(words, zone, moment, tenant_id) <= now_us:
            return latest, moment
    return latest, None


def _jitter_us(words: str, zone: tzinfo, moment: int, tenant_id: int) -> int:
    """Return by how much a tenant's run is late: the same at each of its moments that are equally far apart."""
    following = next(moments_from(words, zone, moment + 1), None)
    bound = JITTER_SECONDS_MAX * 1_000_000
    if following is not None:
        bound = min(bound, (following - moment) // _JITTER_SHARE)
    return tenant_id * _SPREAD % 2**32 * bound >> 32
