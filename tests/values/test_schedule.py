"""When scheduled backups are due: golden cases. No clock, no server."""

from datetime import UTC, datetime, tzinfo

import pytest

from holdfast.values.schedule import JITTER_SECONDS_MAX, Plan, ScheduleType, check_words, due, next_us, parse_zone

FULL, INC = ScheduleType.FULL, ScheduleType.INC
BERLIN = parse_zone("Europe/Berlin")
DAY_US = 86_400_000_000
NOBODY = 0
"""A tenant id without jitter."""


def us(text: str, zone: tzinfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000


def words_at(zone: tzinfo, words: str, first: str, count: int) -> list[str]:
    """Return the next `count` moments after `first` as the zone's clock shows them, with their offset."""
    found, at = [], us(first, zone)
    for _ in range(count):
        following = next_us(Plan(words=words, done_us=at), zone, NOBODY)
        assert following is not None
        at = following
        found.append(datetime.fromtimestamp(at / 1_000_000, zone).strftime("%m-%d %H:%M %z"))
    return found


@pytest.mark.parametrize(
    "words", ["", "0 2 * * *", "*/15 * * * MON-FRI", "0 0 29 2 *", "30 4 1,15 * 5", "0 2 * * MON#1"]
)
def test_cron_words_are_taken(words: str) -> None:
    check_words(words)


@pytest.mark.parametrize("words", ["x", "* * * *", "0 0 2 * * *", "60 2 * * *", "0 25 * * *", "0 0 30 2 *", "@daily"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(ValueError):
        check_words(words)


@pytest.mark.parametrize("text", ["+8", "+15:00", "+08:60", "Nowhere/Land", "../etc/passwd", "/etc/localtime"])
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_zone(text)


def test_nothing_is_due_before_its_moment_and_it_is_due_once_then() -> None:
    zone = parse_zone("+08:00")
    plan = Plan(words="0 2 * * *", done_us=us("2026-11-26 12:00", zone))
    before, at, after = (us(text, zone) for text in ("2026-11-27 01:59", "2026-11-27 02:00", "2026-11-27 02:07"))
    assert due({FULL: plan}, zone, NOBODY, before) is None
    for now in (at, after):
        found = due({FULL: plan}, zone, NOBODY, now)
        assert found is not None
        assert (found.type, found.moment_us) == (FULL, at)
    assert due({FULL: Plan(words=plan.words, done_us=at)}, zone, NOBODY, after) is None


def test_runs_missed_in_a_week_away_are_made_up_for_by_one() -> None:
    plan = Plan(words="0 2 * * *", done_us=us("2026-11-19 02:00"))
    found = due({INC: plan}, UTC, NOBODY, us("2026-11-26 09:30"))
    assert found is not None
    assert found.moments == {INC: us("2026-11-26 02:00")}
    assert due({INC: Plan(words=plan.words, done_us=found.moment_us)}, UTC, NOBODY, us("2026-11-26 09:31")) is None


def test_moments_before_the_words_were_set_are_not_missed() -> None:
    armed = us("2026-11-26 09:00")
    assert due({FULL: Plan(words="0 2 * * *", done_us=armed)}, UTC, NOBODY, us("2026-11-26 23:00")) is None
    # Words that changed: the new ones count from when they were set.
    assert due({FULL: Plan(words="0 8 * * *", done_us=armed)}, UTC, NOBODY, us("2026-11-26 09:01")) is None


def test_of_both_the_full_is_made_and_the_increment_with_it() -> None:
    done = us("2026-11-25 12:00")
    plans = {FULL: Plan(words="0 2 * * *", done_us=done), INC: Plan(words="0 * * * *", done_us=done)}
    found = due(plans, UTC, NOBODY, us("2026-11-26 02:00"))
    assert found is not None
    assert found.type is FULL
    assert found.moments == {FULL: us("2026-11-26 02:00"), INC: us("2026-11-26 02:00")}


def test_an_increment_waits_for_a_full_of_the_same_moment() -> None:
    """Their jitters differ: minutes for the daily full, seconds for an increment each minute."""
    tenant_id, done = 1002, us("2026-11-26 01:59")
    plans = {FULL: Plan(words="0 2 * * *", done_us=done), INC: Plan(words="* * * * *", done_us=done)}
    begins = next_us(plans[FULL], UTC, tenant_id)
    assert begins is not None
    assert us("2026-11-26 02:00") + 8_000_000 < begins
    assert due(plans, UTC, tenant_id, us("2026-11-26 02:00") + 7_000_000) is None
    found = due(plans, UTC, tenant_id, begins)
    assert found is not None
    assert found.type is FULL


def test_in_spring_an_hour_that_is_skipped_costs_no_run() -> None:
    assert words_at(BERLIN, "30 2 * * *", "2026-03-28 00:00", 3) == [
        "03-28 02:30 +0100",
        "03-29 03:00 +0200",
        "03-30 02:30 +0200",
    ]


def test_in_autumn_an_hour_that_comes_twice_is_one_run_of_a_daily_schedule_and_two_of_an_hourly_one() -> None:
    assert words_at(BERLIN, "30 2 * * *", "2026-10-24 12:00", 2) == ["10-25 02:30 +0200", "10-26 02:30 +0100"]
    assert words_at(BERLIN, "30 * * * *", "2026-10-25 00:00", 5) == [
        "10-25 00:30 +0200",
        "10-25 01:30 +0200",
        "10-25 02:30 +0200",
        "10-25 02:30 +0100",
        "10-25 03:30 +0100",
    ]


def test_a_run_that_was_due_in_the_skipped_hour_is_due_once() -> None:
    plan = Plan(words="30 2 * * *", done_us=us("2026-03-28 02:30", BERLIN))
    found = due({FULL: plan}, BERLIN, NOBODY, us("2026-03-29 12:00", BERLIN))
    assert found is not None
    again = Plan(words=plan.words, done_us=found.moment_us)
    assert due({FULL: again}, BERLIN, NOBODY, us("2026-03-29 12:01", BERLIN)) is None


def test_jitter_spreads_tenants_within_its_bound_and_is_the_same_each_day() -> None:
    base = us("2026-11-26 02:00")
    delays = set()
    for tenant_id in range(1002, 1202, 2):
        first, second = (
            (next_us(Plan(words="0 2 * * *", done_us=base - 1 + day * DAY_US), UTC, tenant_id) or 0)
            - base
            - day * DAY_US
            for day in (0, 1)
        )
        assert first == second
        assert 0 <= first < JITTER_SECONDS_MAX * 1_000_000
        delays.add(first // 1_000_000)
    assert len(delays) > 50
    for tenant_id in (1002, 1004, 1100):
        late = (next_us(Plan(words="* * * * *", done_us=base), UTC, tenant_id) or 0) - base
        assert 0 <= late % 60_000_000 < 6_000_000  # a tenth of a minute


def test_a_run_begins_at_the_moment_next_says() -> None:
    for tenant_id in (1002, 1004, 1006):
        plan = Plan(words="*/10 * * * *", done_us=us("2026-11-26 02:05"))
        begins = next_us(plan, UTC, tenant_id)
        assert begins is not None
        assert due({INC: plan}, UTC, tenant_id, begins - 1_000_000) is None
        assert due({INC: plan}, UTC, tenant_id, begins) is not None
