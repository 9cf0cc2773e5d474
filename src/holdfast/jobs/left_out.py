"""Tenants that a statement about all of them did not reach: told as warnings and in the COMMENT of the job of sys."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.codes import Code
from holdfast.jobs.reply import Warn

_WARNINGS_MAX = 64
"""What a MySQL server keeps for SHOW WARNINGS when nobody set max_error_count; the last then counts the rest."""
_REASON_CHARACTERS_MAX = 512
_COMMENT_CHARACTERS_MAX = 2000
"""About half of what its column holds: a failure stands beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A tenant, and why: a lower-case sentence, with the code the statement would have had for this tenant alone."""

    tenant: str
    code: Code
    reason: str


def warnings_of(left_out: Sequence[LeftOut]) -> tuple[Warn, ...]:
    """Return a warning for each tenant, at most as many as SHOW WARNINGS keeps."""
    shown = left_out if len(left_out) <= _WARNINGS_MAX else left_out[: _WARNINGS_MAX - 1]
    warnings = [
        Warn(number=one.code.client, message=f"tenant {one.tenant}: {one.reason[:_REASON_CHARACTERS_MAX]}")
        for one in shown
    ]
    if len(shown) < len(left_out):
        rest = left_out[len(shown) :]
        warnings.append(Warn(number=rest[0].code.client, message=f"and {len(rest)} tenants more"))
    return tuple(warnings)


def comment_of(left_out: Sequence[LeftOut]) -> str:
    """Return what COMMENT says of them, "" when there are none."""
    if not left_out:
        return ""
    words, place = f"not all tenants, {len(left_out)} left out: ", 0
    for place, one in enumerate(left_out):
        part = f"{'; ' if place else ''}{one.tenant} ({one.reason[:_REASON_CHARACTERS_MAX]})"
        if len(words) + len(part) > _COMMENT_CHARACTERS_MAX:
            return f"{words} and {len(left_out) - place} more"
        words += part
    return words
