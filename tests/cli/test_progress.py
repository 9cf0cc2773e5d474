"""Figures in, text out: how far, how fast, how long, at any width. No clock, no terminal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.job import Ending, Job, JobKind
from holdfast.cli.outcome import Exit
from holdfast.cli.pace import WINDOW_SECONDS, Pace, Speed
from holdfast.cli.render import job_line, plain, progress_text
from holdfast.cli.units import age_text, duration_text, lag_text, size_text
from holdfast.cli.watch import outcome_of

MIB = 1 << 20
RUNNING = Job(
    kind=JobKind.BACKUP,
    tenant_id=1002,
    tenant="shop",
    job_id=3,
    what="FULL",
    state="DOING",
    phase="BACKUP_DATA",
    unit="blocks",
    done=250,
    total=1000,
    bytes_read=500 * MIB,
    bytes_written=90 * MIB,
    elapsed_seconds=5.0,
    started="2026-11-26 10:00:00.000000",
    ended=None,
    result=0,
    comment="",
    description="",
    initiator_tenant_id=1,
    initiator_job_id=7,
    backup_set_id=4,
)
_COUNTS = "250/1000 blocks, 500 MiB read"
SPEED = Speed(bytes_per_second=100 * MIB, remaining_seconds=15)
OVER = replace(RUNNING, state="COMPLETED", phase="COMPLETED", done=1000, elapsed_seconds=20.0)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (99.9 * 1024, "99.9 KiB"),
        (99.96 * 1024, "100 KiB"),
        (310 * MIB, "310 MiB"),
        (999.5 * MIB, "1.0 GiB"),
        (5000 * (1 << 50), "5000 PiB"),
    ],
)
def test_sizes_have_three_digits(size_bytes: float, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "duration", "age", "lag"),
    [
        (0, "0:00", "0 s", "0.0 s"),
        (7.4, "0:07", "7 s", "7.4 s"),
        (59.6, "1:00", "59 s", "59.6 s"),
        (750, "12:30", "12 min", "12 min"),
        (3723, "1:02:03", "1 h", "1 h"),
        (176523, "2d 01:02:03", "2 d", "2 d"),
    ],
)
def test_times_read_as_a_clock_an_age_or_a_lag(seconds: float, duration: str, age: str, lag: str) -> None:
    assert (duration_text(seconds), age_text(seconds), lag_text(seconds)) == (duration, age, lag)


@pytest.mark.parametrize(
    ("job", "percent"),
    [
        (replace(RUNNING, total=0, done=0), None),
        (replace(RUNNING, done=0), 0),
        (replace(RUNNING, done=999), 99),
        (replace(RUNNING, done=1000), 99),  # index, manifest and checkpoint are still to come
        (replace(RUNNING, done=1200), 99),  # the image grew
        (replace(OVER, state="FAILED"), 99),
        (replace(OVER, state="CANCELED", done=10), 1),
        (OVER, 100),
        (replace(OVER, total=0, done=0), 100),
    ],
)
def test_only_what_succeeded_is_at_100_percent(job: Job, percent: int | None) -> None:
    assert job.percent == percent


def test_the_first_look_gives_the_average_since_the_beginning() -> None:
    assert Pace().note(RUNNING, now=1000.0) == Speed(bytes_per_second=100 * MIB, remaining_seconds=15.0)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A job that slowed down is told by its new rate once the window has passed."""
    pace, job, now = Pace(), RUNNING, 0.0
    pace.note(job, now)
    for _ in range(int(WINDOW_SECONDS) + 5):
        now += 1.0
        job = replace(job, done=job.done + 10, bytes_read=job.bytes_read + 20 * MIB, elapsed_seconds=5.0 + now)
        speed = pace.note(job, now)
    assert speed.bytes_per_second == pytest.approx(20 * MIB)
    assert speed.remaining_seconds == pytest.approx((1000 - job.done) / 10)


@pytest.mark.parametrize(
    "job",
    [
        replace(RUNNING, done=0, bytes_read=0),
        replace(RUNNING, elapsed_seconds=0.0),
        replace(RUNNING, done=1000),
        replace(RUNNING, total=0),
        OVER,
    ],
)
def test_no_remaining_time_is_told_that_the_figures_do_not_give(job: Job) -> None:
    assert Pace().note(job, now=50.0).remaining_seconds is None


def test_a_job_begun_again_has_no_speed_until_it_moves() -> None:
    pace = Pace()
    pace.note(RUNNING, 0.0)
    again = replace(RUNNING, done=10, bytes_read=20 * MIB)
    assert pace.note(again, 1.0) == Speed()
    moved = replace(RUNNING, done=20, bytes_read=40 * MIB)
    assert pace.note(moved, 2.0) == Speed(bytes_per_second=20 * MIB, remaining_seconds=98.0)


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (120, f"backup shop #3 FULL  BACKUP_DATA  {'━' * 7}{'─' * 21}  25%  {_COUNTS}  100 MiB/s  0:15 left"),
        (100, f"backup shop #3 FULL  BACKUP_DATA  {'━' * 2}{'─' * 6}  25%  {_COUNTS}  100 MiB/s  0:15 left"),
        (80, f"backup shop #3 FULL  BACKUP_DATA  {'━' * 4}{'─' * 15}  25%  100 MiB/s  0:15 left"),
        (60, "backup shop #3 FULL  BACKUP_DATA  ━━────────  25%  0:15 left"),
        (50, "backup shop #3 FULL  ━━━──────────  25%  0:15 left"),
        (40, "backup shop #3 FULL  ━━━───────────  25%"),
        (25, "backup shop #3 FULL 25%"),
        (12, "backup sh..."),
    ],
)
def test_a_narrow_terminal_gets_the_figures_that_matter_most(width: int, text: str) -> None:
    assert plain(job_line(RUNNING, SPEED, width=width)) == text


@given(width=st.integers(0, 200), done=st.integers(0, 1500), left=st.none() | st.floats(0, 1e7))
def test_no_line_is_wider_than_the_terminal(width: int, done: int, left: float | None) -> None:
    job = replace(RUNNING, done=done)
    line = job_line(job, Speed(bytes_per_second=1e9, remaining_seconds=left), width=width)
    assert len(plain(line)) <= width


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (OVER, "backup shop #3 FULL  COMPLETED  set 4, 1000 blocks, 500 MiB read, 90.0 MiB written, in 0:20"),
        (
            replace(OVER, state="FAILED", result=-9027, comment="ob log archive interrupted"),
            "backup shop #3 FULL  FAILED  RESULT -9027  ob log archive interrupted",
        ),
        (replace(OVER, state="CANCELED", result=-4072), "backup shop #3 FULL  CANCELED  RESULT -4072"),
    ],
)
def test_an_ended_job_says_how(job: Job, text: str) -> None:
    assert plain(job_line(job, Speed(), width=200)) == text


def test_a_tenants_text_gives_no_orders_to_a_terminal() -> None:
    """A comment that clears the screen is shown, not obeyed."""
    hostile = replace(OVER, tenant="a\x1b[1m", state="FAILED", result=-1, comment="\x1b]0;x\x07\x1b[2J\r\nok\x9b")
    assert plain(job_line(hostile, Speed(), width=200)) == (
        r"backup a\x1b[1m #3 FULL  FAILED  RESULT -1  \x1b]0;x\x07\x1b[2J\r\nok\x9b"
    )


def test_a_terminal_without_unicode_gets_an_ascii_bar() -> None:
    assert plain(job_line(RUNNING, Speed(), width=60, ascii_only=True)).isascii()


def test_a_pipe_gets_every_figure() -> None:
    expected = "backup shop #3 FULL  BACKUP_DATA  25%  250/1000 blocks, 500 MiB read  100 MiB/s  0:15 left"
    assert progress_text(RUNNING, SPEED) == expected


@pytest.mark.parametrize(
    ("jobs", "outcome"),
    [
        ([OVER], Exit.DONE),
        ([OVER, replace(OVER, state="FAILED", result=-9027)], Exit.FAILED),
        ([OVER, replace(OVER, state="CANCELED", result=-4072)], Exit.CANCELED),
        # The row of sys, when one of its tenants' jobs was cancelled.
        ([replace(OVER, state="FAILED", result=-4072)], Exit.CANCELED),
        ([replace(OVER, state="CANCELED", result=-4072), replace(OVER, state="FAILED", result=-9082)], Exit.FAILED),
        # RESTORE_HISTORY has no RESULT and no third state.
        ([replace(OVER, kind=JobKind.RESTORE, state="FAILED", comment="canceled by the user")], Exit.CANCELED),
        ([replace(OVER, kind=JobKind.RESTORE, state="FAILED", comment="disk full")], Exit.FAILED),
    ],
)
def test_the_exit_code_is_the_worst_end(jobs: list[Job], outcome: Exit) -> None:
    assert outcome_of(jobs) is outcome
    assert all(job.ending is not Ending.RUNNING for job in jobs)
