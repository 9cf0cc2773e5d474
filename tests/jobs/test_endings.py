"""Every kind of job tells its end by one rule."""

import logging
from pathlib import Path

import pytest

import holdfast.jobs
from holdfast.jobs.endings import tell_end
from holdfast.values.backup_set import JobStatus
from holdfast.values.drill import DrillResult
from holdfast.values.restore import RestoreStatus
from holdfast.values.table_recovery import RecoverStatus

JOBS = Path(holdfast.jobs.__file__).parent


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (JobStatus.COMPLETED, logging.INFO),
        (JobStatus.CANCELED, logging.INFO),
        (JobStatus.FAILED, logging.ERROR),
        (DrillResult.PASSED, logging.INFO),
        (DrillResult.FAILED, logging.ERROR),
        (RecoverStatus.COMPLETED, logging.INFO),
        (RecoverStatus.FAILED, logging.ERROR),
        (RestoreStatus.RESTORE_FAIL, logging.ERROR),
    ],
)
def test_what_failed_is_an_error_of_the_log(status: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell_end(logging.getLogger("holdfast.test"), "tenant 1002: job 7", status, "why")
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [
        (level, f"tenant 1002: job 7 is {status}: why")
    ]


@pytest.mark.parametrize(
    "status", [one for one in [*JobStatus, *DrillResult, *RestoreStatus, *RecoverStatus] if "FAIL" in one]
)
def test_every_end_word_that_means_failure_is_known(status: str, caplog: pytest.LogCaptureFixture) -> None:
    """A state of a later kind of job that says FAIL must be an error, too."""
    tell_end(logging.getLogger("holdfast.test"), "a job", status)
    assert [one.levelno for one in caplog.records] == [logging.ERROR]


def test_every_worker_tells_its_end_by_the_rule() -> None:
    workers = sorted(JOBS.glob("*_worker.py"))
    assert len(workers) >= 6
    assert [one.name for one in workers if "tell_end(log, " not in one.read_text()] == []
