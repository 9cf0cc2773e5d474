"""How the end of a job is told in the log: one rule for every kind, so that whoever watches for ERROR sees each failure."""

import logging

_FAILED = frozenset({"FAILED", "RESTORE_FAIL", "REFUSED"})


def tell_end(log: logging.Logger, what: str, status: str, comment: str = "") -> None:
    """Log that a job ended: ERROR when it failed, INFO when it succeeded or somebody cancelled it.

    `what` names the tenant and the job; `status` is the job's last one, as the views have it.
    """
    level = logging.ERROR if status in _FAILED else logging.INFO
    log.log(level, "%s is %s%s", what, status, f": {comment}" if comment else "")
