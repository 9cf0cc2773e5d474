"""Values as JSON, the same for every command. docs/cli.md promises this.

A name that ends in `_scn` is a string: SCNs exceed 2^53, beyond which JSON readers lose digits. So is any other integer
that large. Decimals are strings, for they are exact; timestamps are text as the server shows them; bytes that are no
UTF-8 are `0x` and hexadecimal digits.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from holdfast.cli.job import Job
from holdfast.cli.pace import Speed

_EXACT_MAX = 2**53 - 1


def value_of(value: object, name: str = "") -> object:
    """Return a column's value as JSON has it."""
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return str(value) if abs(value) > _EXACT_MAX or name.lower().endswith("_scn") else value
    if isinstance(value, datetime):
        return value.isoformat(" ", timespec="microseconds")
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"0x{value.hex()}"
    if isinstance(value, Decimal | date | time | timedelta):
        return str(value)
    if isinstance(value, set | frozenset):  # the SET type
        return ",".join(sorted(str(member) for member in value))
    return str(value)


def row_document(row: Mapping[str, object], **more: object) -> dict[str, object]:
    """Return a row of a view: its columns in lower case, `more` before them."""
    return {**more, **{name.lower(): value_of(value, name) for name, value in row.items() if name != "NOW"}}


def job_document(job: Job, speed: Speed | None = None) -> dict[str, object]:
    """Return a job; `speed` only of one that runs."""
    known = speed or Speed()
    rate, left = known.bytes_per_second, known.remaining_seconds
    return {
        "kind": str(job.kind),
        "tenant_id": job.tenant_id,
        "tenant": job.tenant,
        "job_id": job.job_id,
        "type": job.what,
        "state": job.state,
        "phase": job.phase,
        "ending": str(job.ending),
        "percent": job.percent,
        "unit": job.unit,
        "done": job.done,
        "total": job.total,
        "bytes_read": job.bytes_read,
        "bytes_written": job.bytes_written,
        "bytes_per_second": None if rate is None else round(rate),
        "remaining_seconds": None if left is None else round(left, 1),
        "elapsed_seconds": round(job.elapsed_seconds, 3),
        "started": value_of(job.started),
        "ended": value_of(job.ended),
        "result": job.result,
        "comment": job.comment,
        "description": job.description,
        "backup_set_id": job.backup_set_id or None,
        "path": job.path,
        "initiator_tenant_id": job.initiator_tenant_id,
        "initiator_job_id": job.initiator_job_id,
    }


def encode(document: Mapping[str, object]) -> str:
    """Return the document on one line."""
    return json.dumps(document, ensure_ascii=False)
