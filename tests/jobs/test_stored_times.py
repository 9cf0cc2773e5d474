"""Times that a clock wrote while it was ahead: once it is put right, none of them stops a job or makes anything last for ever."""

import logging
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast.catalog.cleanup import DeletePolicy
from holdfast.jobs.cleanup import Cleanup
from holdfast.jobs.quick import QuickTenants
from holdfast.values.quick import QuickStatus, QuickTenant
from holdfast.values.tenant import TenantStatus

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOW_US = 1_792_886_400_000_000
ID = 1002


@dataclass
class Hourly:
    """One tenant with a policy, and the cleanups that began by themselves."""

    created_us: int
    now_us: int = NOW_US
    begun: list[int] = field(default_factory=list)
    bounds: int = 0

    def __post_init__(self) -> None:
        policy = DeletePolicy(
            tenant_id=ID,
            policy_name="default",
            recovery_window="7d",
            redundancy=1,
            backup_copies=0,
            create_time_us=self.created_us,
        )
        cleanup = SimpleNamespace(
            active_jobs=lambda: (),
            policies=lambda: (policy,),
            policy=lambda _: policy,
            last_obsolete_us=lambda _: self.begun[-1] if self.begun else None,
            next_job_id=lambda _: len(self.begun) + 1,
            submit=lambda jobs: self.begun.extend(job.start_timestamp_us for job in jobs),
        )
        tenant = SimpleNamespace(tenant_id=ID, is_sys=False, status=TenantStatus.NORMAL)
        catalog = SimpleNamespace(
            cleanup=cleanup,
            tenants=SimpleNamespace(by_id=lambda _: tenant),
            log_sources=SimpleNamespace(bound=self.bound),
        )
        self.hour = Cleanup(
            cast(Any, catalog),
            cast(Any, SimpleNamespace(now_ns=lambda: self.now_us * 1000)),
            identity=cast(Any, None),
            open_store=cast(Any, None),
            generation=1,
            keyring=cast(Any, None),
            tenures=cast(Any, None),
        )

    def bound(self) -> None:
        self.bounds += 1

    def looks(self, hours: float) -> int:
        """Return how many cleanups begin within these hours, looked after every quarter of a minute."""
        before = len(self.begun)
        for _ in range(int(hours * 240)):
            self.now_us += 15_000_000
            self.hour._submit_due()
        return len(self.begun) - before


@pytest.mark.parametrize("created_us", [NOW_US - DAY_US, NOW_US + 400 * DAY_US])
def test_a_clock_that_was_a_year_ahead_costs_no_year_of_cleanups(created_us: int) -> None:
    world = Hourly(created_us)
    world.now_us += 400 * DAY_US
    assert world.looks(5) in (4, 5)
    world.now_us -= 400 * DAY_US
    assert world.looks(5) == 5, "the first at once, the others after their hour"
    assert world.bounds == len(world.begun), "leases are put right before"


@pytest.mark.parametrize("created_us", [NOW_US - DAY_US, NOW_US])
def test_a_clock_put_right_by_minutes_cleans_nothing_twice(created_us: int) -> None:
    world = Hourly(created_us)
    world.looks(1)
    world.now_us -= 20 * 60_000_000
    assert world.looks(3) >= 2
    assert all(later - earlier >= HOUR_US for earlier, later in pairwise(world.begun))


def test_a_clock_that_stands_still_cleans_once() -> None:
    world = Hourly(NOW_US - DAY_US)
    for _ in range(100):
        world.hour._submit_due()
    assert len(world.begun) == 1


@pytest.mark.parametrize(("ahead_us", "dropped_after_us"), [(0, HOUR_US), (400 * DAY_US, HOUR_US), (-DAY_US, 0)])
def test_a_time_to_live_of_an_hour_is_one_whatever_the_clock_said(
    ahead_us: int, dropped_after_us: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    start_us, now_us = NOW_US + ahead_us, NOW_US
    rows = [
        QuickTenant(
            tenant_id=ID,
            tenant_name="q",
            status=QuickStatus.LOCAL,
            total_bytes=1,
            finish_bytes=1,
            start_timestamp_us=start_us,
            drop_timestamp_us=start_us + HOUR_US,
        )
    ]
    dropped: list[int] = []
    tenant = SimpleNamespace(tenant_id=ID, name="q", status=TenantStatus.NORMAL)
    catalog = SimpleNamespace(
        tenants=SimpleNamespace(hosted=lambda: (tenant,)), quick=SimpleNamespace(update=rows.append)
    )
    tenants = SimpleNamespace(drop_expired=lambda _: dropped.append(now_us))
    clock = SimpleNamespace(now_ns=lambda: now_us * 1000)
    quick = QuickTenants(*cast(Any, (catalog, tenants, None, clock)), paces=cast(Any, None))
    while not dropped and now_us < NOW_US + 2 * HOUR_US:
        quick._look(rows[-1])
        now_us += 60_000_000
    assert dropped == [NOW_US + dropped_after_us]
