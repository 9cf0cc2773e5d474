"""The walk over cron moments, against a look at every minute: every kind of change a clock has made."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from holdfast.values.cron_walk import moments_from, moments_until
from holdfast.values.schedule import Plan, ScheduleType, due, next_us

MINUTE_US = 60_000_000
CHANGES = [
    ("Europe/Berlin", "2026-10-25"),  # an hour twice
    ("Europe/Berlin", "2026-03-29"),  # an hour skipped
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour twice
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Antarctica/Troll", "2026-10-25"),  # two hours twice
    ("Antarctica/Vostok", "1994-02-01"),  # seven hours twice, over midnight
    ("Pacific/Apia", "2011-12-30"),  # a day skipped
    ("America/Havana", "2026-11-01"),  # at midnight
    ("Africa/Cairo", "2026-10-29"),  # from midnight back into the day before
    ("America/St_Johns", "2006-10-29"),  # at one minute past midnight, back into the day before
    ("America/St_Johns", "2006-04-02"),
    ("Asia/Kathmandu", "2026-01-01"),  # none; an offset of quarters
]
WORDS = [
    "* * * * *",
    "*/15 * * * *",
    "30 * * * *",
    "0 */2 * * *",
    "*/20 2 * * *",
    "*/7 1,23 * * *",
    "30 2 * * *",
    "0,59 0,1,2,3,23 * * *",
    "15 0-23 * * *",
    "0 0 * * *",
    "45 23 * * SUN",
]


def looked_up(words: str, zone: ZoneInfo, first: int, last: int) -> list[int]:
    """Return the moments within [first, last), in minutes since the epoch, found by a look at each minute."""
    cron = CronSim(words, datetime(2000, 1, 1, tzinfo=UTC))

    def is_named(local: datetime) -> bool:
        return (
            local.month in cron.months
            and cron.match_day(local.date())
            and local.hour in cron.hours
            and local.minute in cron.minutes
        )

    # From a day before: a skip that ends in the range may begin there.
    shown = [
        (minute, datetime.fromtimestamp(minute * 60, UTC).astimezone(zone)) for minute in range(first - 2880, last)
    ]
    fields = words.split()
    if fields[0].startswith("*") or fields[1].startswith("*"):
        return [minute for minute, local in shown if minute >= first and is_named(local)]
    found: set[int] = set()
    before: datetime | None = None
    seen: set[datetime] = set()
    for minute, local in shown:
        naive = local.replace(tzinfo=None, fold=0)
        # What the clock shows for the first time now, what it skipped included.
        at = naive if before is None or naive <= before else before + timedelta(minutes=1)
        while at <= naive:
            if at not in seen and is_named(at):
                found.add(minute)
            seen.add(at)
            at += timedelta(minutes=1)
        before = naive
    return sorted(minute for minute in found if minute >= first)


@pytest.mark.parametrize(("name", "day"), CHANGES)
@pytest.mark.parametrize("words", WORDS)
def test_the_walk_finds_what_a_look_at_each_minute_finds_both_ways(words: str, name: str, day: str) -> None:
    zone = ZoneInfo(name)
    noon = int(datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=UTC).timestamp()) // 60
    first, last = noon - 2160, noon + 2160
    expected = [minute * MINUTE_US for minute in looked_up(words, zone, first, last)]
    end_us = last * MINUTE_US
    assert list(takewhile(lambda moment: moment < end_us, moments_from(words, zone, first * MINUTE_US))) == expected
    back = takewhile(lambda moment: moment >= first * MINUTE_US, moments_until(words, zone, end_us - 1))
    assert list(back)[::-1] == expected


@pytest.mark.parametrize("words", ["* * * * *", "30 * * * *", "30 2 * * *", "15,45 1-3 * * *"])
@pytest.mark.parametrize("tenant_id", [0, 1002, 1006])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_night_in_which_the_clock_changes_has_each_run_once_and_next_is_ahead(
    words: str, tenant_id: int, day: str
) -> None:
    """The fault seen: between 01:00 and 02:00 UTC nothing ran, and what came next was in the past."""
    zone = ZoneInfo("Europe/Berlin")
    now = int(datetime.fromisoformat(f"{day} 00:00").replace(tzinfo=UTC).timestamp()) * 1_000_000 - 2 * 3_600_000_000
    end, done, runs = now + 6 * 3_600_000_000, now, []
    expected = list(takewhile(lambda moment: moment < end, moments_from(words, zone, now + 1)))
    while now < end + 150_000_000:
        now += 20_000_000
        plan = Plan(words=words, done_us=done)
        following = next_us(plan, zone, tenant_id)
        assert following is not None
        found = due({ScheduleType.INC: plan}, zone, tenant_id, now)
        assert (following <= now) is (found is not None), "the next run is in the past only while it is due"
        if found is not None:
            done = found.moment_us
            runs.append(done)
    assert [moment for moment in runs if moment < end] == expected
