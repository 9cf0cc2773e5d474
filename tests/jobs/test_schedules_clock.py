"""The thread of the schedules over clocks that jump, repeat and stand still: what begins, what it says is next, how often it looks."""

from collections.abc import Collection
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast import codes
from holdfast.catalog.schedules import ScheduleRow
from holdfast.codes import Code
from holdfast.errors import refuse
from holdfast.jobs.schedules import PARAMETERS, ZONE, ScheduledJobs
from holdfast.jobs.session import Session
from holdfast.values.schedule import ScheduleType
from holdfast.values.tenant import TenantStatus
from holdfast.verdict.facts import Estate, Schedule, Tenant
from holdfast.verdict.judge import Wish, judge

FULL, INC = PARAMETERS[ScheduleType.FULL], PARAMETERS[ScheduleType.INC]
HOUR_US = 3_600_000_000
AUTUMN_US = 1_792_886_400_000_000
"""2026-10-25 00:00 UTC: an hour later Berlin's clocks go back."""


@dataclass
class World:
    """One tenant with these words, a clock, and what is asked of the catalog."""

    values: dict[str, str]
    now_us: int = AUTUMN_US
    rows: dict[ScheduleType, ScheduleRow] = field(default_factory=dict)
    runs: list[int] = field(default_factory=list)
    looks: int = 0
    is_busy: bool = False
    is_hidden: bool = False
    refusal: Code | None = None
    puts: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        tenant = SimpleNamespace(tenant_id=1002, is_sys=False, status=TenantStatus.NORMAL)
        schedules = SimpleNamespace(all=lambda: tuple(self.rows.values()), wanted=self.wanted, put=self.put)
        jobs = SimpleNamespace(
            active_jobs=lambda tenant_id: (1,) if self.is_busy and not self.is_hidden else (),
            newest_job_id=lambda tenant_id: len(self.runs),
        )
        catalog = SimpleNamespace(schedules=schedules, tenants=SimpleNamespace(by_id=lambda _: tenant), backups=jobs)
        backups = SimpleNamespace(backup=self.backup)
        clock = SimpleNamespace(now_ns=lambda: self.now_us * 1000, monotonic=lambda: self.seconds)
        self.jobs = ScheduledJobs(*cast(Any, (catalog, backups, None, None, clock)))

    def wanted(self, names: Collection[str]) -> dict[int, dict[str, str]]:
        self.looks += 1
        return {1002: self.values}

    def put(self, row: ScheduleRow) -> None:
        self.rows[row.schedule_type] = row
        self.puts += 1

    def backup(self, session: Session, command: object) -> None:
        if self.is_busy:
            raise refuse(codes.OB_BACKUP_IN_PROGRESS)
        if self.refusal is not None:
            raise refuse(self.refusal)
        self.runs.append(self.now_us)

    def look(self) -> float:
        wait = self.jobs.look()
        for row in self.rows.values():
            assert row.next_timestamp_us is not None
            is_past = row.next_timestamp_us <= self.now_us
            assert not is_past or self.is_waiting, "only of a run that waits is the next one in the past"
        return wait

    @property
    def is_waiting(self) -> bool:
        return self.is_busy or self.refusal is not None

    def rules(self) -> dict[str, str]:
        """Return what the verdict says of the schedules: messages by rule."""
        told = tuple(
            Schedule(
                name=str(row.schedule_type),
                next_us=row.next_timestamp_us,
                last_status="REFUSED" if row.last_result and not row.last_job_id else "",
                last_comment=row.last_comment,
            )
            for row in self.rows.values()
        )
        tenant = Tenant(
            tenant_id=1002, name="app", role="PRIMARY", status="NORMAL", log_mode="ARCHIVELOG", schedules=told
        )
        found = judge(Estate(now_us=self.now_us, tenants=(tenant,)), Wish(max_age_us=1)).findings
        return {one.rule: one.message for one in found if one.rule.startswith("schedule-")}

    def pass_time(self, seconds: float, *, is_standing: bool = False) -> None:
        """Let time pass, turn by turn as the thread sleeps; a clock that stands shows none of it."""
        end = self.seconds + seconds
        while self.seconds < end:
            wait = self.look()
            assert 0.25 <= wait <= 5.0
            self.seconds += wait
            self.now_us += 0 if is_standing else int(wait * 1_000_000)


def every_minute(name: str = INC) -> World:
    return World({name: "* * * * *", ZONE: "Europe/Berlin"})


def test_the_night_the_clocks_go_back_has_a_run_each_minute_and_no_spin() -> None:
    world = every_minute()
    world.look()
    world.pass_time(3 * 3600)
    assert len(world.runs) in (179, 180)  # of the last the delay may not have passed
    assert all(0 < after - before < 2 * 60_000_000 for before, after in zip(world.runs, world.runs[1:], strict=False))
    assert world.looks < 3 * 3600 / 5 + 3 * len(world.runs)


@pytest.mark.parametrize("words", [{INC: "* * * * *"}, {INC: "* * * * *", FULL: "0 * * * *"}, {FULL: "*/2 * * * *"}])
def test_a_run_that_waits_for_a_backup_under_way_does_not_spin(words: dict[str, str]) -> None:
    world = World({**words, ZONE: "UTC"})
    world.look()
    world.is_busy = True
    world.pass_time(1800)
    assert not world.runs
    assert world.looks < 1800 / 5 + 2 * 60
    world.is_busy = False
    world.pass_time(6)
    assert len(world.runs) == 1


def test_a_clock_that_jumps_ahead_makes_up_once() -> None:
    world = every_minute()
    world.look()
    world.now_us += 30 * 24 * HOUR_US
    world.pass_time(1)
    assert len(world.runs) == 1


def test_a_clock_put_right_by_seconds_makes_no_run_twice() -> None:
    world = World({FULL: "0 * * * *", ZONE: "UTC"})
    world.look()
    world.pass_time(3600 + 150)
    assert len(world.runs) == 1
    world.now_us -= 600_000_000
    world.pass_time(1200)
    assert len(world.runs) == 1


def test_a_clock_that_was_a_year_ahead_costs_no_year_of_backups() -> None:
    world = World({FULL: "0 * * * *", ZONE: "UTC"})
    world.now_us += 365 * 24 * HOUR_US
    world.look()
    world.pass_time(3600 + 150)
    assert len(world.runs) == 1
    world.now_us -= 365 * 24 * HOUR_US
    world.pass_time(3600 + 150)
    assert len(world.runs) == 2


@pytest.mark.parametrize("offset_us", [0, 59_999_000, 60_000_000, 61_000_000])
def test_a_clock_that_stands_still_begins_nothing_twice_and_does_not_spin(offset_us: int) -> None:
    world = every_minute()
    world.look()
    world.now_us += offset_us
    world.pass_time(600, is_standing=True)
    assert len(world.runs) <= 1
    assert world.looks <= 600 / 0.25 + 2


@pytest.mark.parametrize(
    ("words", "others"), [("* * * * *", {}), ("0 * * * *", {}), ("*/5 * * * *", {INC: "* * * * *"})]
)
def test_a_run_that_waits_is_told_after_fifteen_minutes_and_says_what_for(words: str, others: dict[str, str]) -> None:
    world = World({FULL: words, ZONE: "UTC", **others})
    world.look()
    first_us = world.rows[ScheduleType.FULL].next_timestamp_us
    assert first_us is not None
    world.pass_time((first_us - world.now_us) / 1_000_000 - 10)
    runs = len(world.runs)
    world.is_busy = True
    world.pass_time(14 * 60)
    assert world.rules() == {}
    puts = world.puts
    world.pass_time(4 * 60)
    row = world.rows[ScheduleType.FULL]
    assert row.next_timestamp_us == first_us, "the first that waits, not the next that comes"
    assert "is due for 1" in world.rules()["schedule-missed"]
    assert row.last_comment.startswith("waits for the backup under way, due since 2026-10-25 0")
    assert world.puts == puts, "a wait is written down once"
    world.is_busy = False
    world.look()
    row = world.rows[ScheduleType.FULL]
    assert len(world.runs) == runs + 1
    assert world.rules() == {}
    assert row.next_timestamp_us is not None
    assert row.next_timestamp_us > world.now_us
    is_more_than_one = words != "0 * * * *"
    assert row.last_comment.startswith("one run for all moments since 2026-10-25 00:0") is is_more_than_one
    assert is_more_than_one or row.last_comment == ""


def test_a_run_that_is_refused_stays_due_while_it_is_tried_again() -> None:
    world = World({FULL: "0 * * * *", ZONE: "UTC"})
    world.look()
    first_us = world.rows[ScheduleType.FULL].next_timestamp_us
    world.refusal = codes.OB_BACKUP_CAN_NOT_START
    world.pass_time(3600 + 300)
    assert world.rows[ScheduleType.FULL].next_timestamp_us == first_us
    world.pass_time(600)
    row = world.rows[ScheduleType.FULL]
    assert row.next_timestamp_us is not None
    assert row.next_timestamp_us > world.now_us, "it was given up: the next moment is the next try"
    assert set(world.rules()) == {"schedule-refused"}


@pytest.mark.parametrize("is_first_seen", [True, False])
def test_a_time_zone_the_machine_no_longer_knows_is_told_and_missed_moments_are_made_up_for(
    is_first_seen: bool,
) -> None:
    world = World({FULL: "0 * * * *", ZONE: "Europe/Berlin"})
    if not is_first_seen:
        world.look()
        world.pass_time(3600 + 150)
    runs, puts = len(world.runs), world.puts
    for zone, is_known in (("Atlantis/Capital", False), ("Europe/Berlin", True)):
        world.values[ZONE] = zone
        for _ in range(3):
            world.jobs.look()
        row = world.rows[ScheduleType.FULL]
        assert (row.last_result != 0) is not is_known
        if is_known:
            assert world.rules() == {}
            assert row.next_timestamp_us is not None
        else:
            message = world.rules()["schedule-refused"]
            assert "backup_schedule_time_zone: unknown time zone 'Atlantis/Capital'" in message
            assert row.next_timestamp_us is None
            assert world.puts == puts + 1, "told once"
    assert len(world.runs) == runs


def test_moments_of_a_time_zone_that_comes_back_are_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({FULL: "0 * * * *", ZONE: "Europe/Berlin"})
    world.look()
    with monkeypatch.context() as patch:

        def forgotten(text: str) -> None:
            raise ValueError(f"unknown time zone {text!r}")

        patch.setattr("holdfast.jobs.schedules.parse_zone", forgotten)
        world.jobs.look()
        world.now_us += 5 * HOUR_US
        world.jobs.look()
        assert set(world.rules()) == {"schedule-refused"}
    world.pass_time(6)
    assert len(world.runs) == 1
    assert world.rules() == {}


def test_a_backup_that_begins_at_the_same_moment_is_waited_for_and_refuses_nothing() -> None:
    world = World({FULL: "0 * * * *", ZONE: "UTC"})
    world.look()
    world.is_busy = world.is_hidden = True
    world.pass_time(3600 + 150)
    assert world.rules() == {}
    assert world.rows[ScheduleType.FULL].last_comment.startswith("waits for the backup under way, due since ")
    world.is_busy = False
    world.look()
    assert len(world.runs) == 1
    assert world.rows[ScheduleType.FULL].last_comment == ""
