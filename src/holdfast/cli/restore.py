"""`holdfast restore`: restore into a new tenant, follow it, and open it for writing when asked to."""

from collections.abc import Callable
from pathlib import Path

import click

from holdfast.cli.connection import Row
from holdfast.cli.document import job_document
from holdfast.cli.job import Job
from holdfast.cli.options import Frame, client_command, needs_sys, read_password
from holdfast.cli.outcome import EPILOG, Exit, Failure
from holdfast.cli.reading import Reader
from holdfast.cli.watch import Display, follow, gone, outcome_of
from holdfast.clock import Clock, SystemClock

_SETTLE_SECONDS_MAX = 60.0
"""How long the tenant may take to open, or to vanish, after its restore ended; it takes a moment."""


@click.command(epilog=EPILOG)
@click.argument("name")
@click.option("--from", "source", required=True, metavar="URI[,URI]", help="Data and archive destination, or one.")
@click.option("--until-time", metavar="'Y-M-D H:M:S[.f]'", help="To this moment, in the login's time zone.")
@click.option("--until-scn", type=click.IntRange(min=1), help="To this SCN. Neither: as far as the log reaches.")
@click.option("--pool", "pools", multiple=True, metavar="NAME", help="Its resource pool; none: one is made.")
@click.option("--description", default="", help="Kept with the job.")
@click.option(
    "--encryption-password-file",
    "password_files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="First line: the password of a set; once for each, the full set's first.",
)
@click.option(
    "--key-from",
    "key_source",
    metavar="SOURCE",
    help="What opens backups sealed with backup_encryption: file:/path, env:NAME or command:/program of the server. "
    "A password: --encryption-password-file.",
)
@click.option("--activate", is_flag=True, help="Open it for writing in the end (ACTIVATE STANDBY).")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow it to its end.")
@client_command
def restore(
    frame: Frame,
    *,
    name: str,
    source: str,
    until_time: str | None,
    until_scn: int | None,
    pools: tuple[str, ...],
    description: str,
    password_files: tuple[Path, ...],
    key_source: str | None,
    activate: bool,
    wait: bool,
) -> Exit:
    """Restore what lies at URI into the new tenant NAME, which is readable at once and writable after --activate.

    Ctrl-C ends the following, not the restore.
    """
    from holdfast.statement.commands import Restore, SetDecryption, UntilScn, UntilTime

    needs_sys(frame, "restore")
    if until_time is not None and until_scn is not None:
        raise click.UsageError("--until-time and --until-scn exclude each other")
    if activate and not wait:
        raise click.UsageError("--activate comes after the restore's end: it needs --wait")
    connection, output = frame.connection, frame.output
    if password_files:
        connection.run(SetDecryption(passwords=tuple(read_password(path) for path in password_files)))
    reader = Reader(connection)
    before = reader.newest_restore(name)
    until = UntilTime(text=until_time) if until_time is not None else None
    command = Restore(
        tenant=name,
        sources=tuple(part.strip() for part in source.split(",") if part.strip()),
        until=UntilScn(scn=until_scn) if until_scn is not None else until,
        options=(("pool_list", ",".join(pools)),) if pools else (),
        description=description,
        key_source=key_source,
    )
    for warning in connection.run(command):
        output.note(warning)
    job_id = reader.newest_restore(name)
    if job_id == before:
        raise Failure(Exit.FAILED, "the server took the statement and shows no job", hint="look at `holdfast jobs`")
    if not wait:
        jobs, _ = reader.restore(job_id)
        _report(frame, jobs, None, Exit.DONE, activated=False)
        return Exit.DONE
    clock = SystemClock()
    try:
        jobs, row = _follow(frame, reader, job_id, clock)
        outcome = outcome_of(jobs)
        if outcome is Exit.DONE:
            _wait_open(frame, name, clock)
        else:
            _wait_gone(frame, name, clock)
        if activate and outcome is Exit.DONE:
            _activate(frame, name)
    except KeyboardInterrupt:
        output.note(
            f"\nrestore #{job_id} goes on; follow it with `holdfast jobs --watch`, end it with `holdfast cancel restore {name}`"
        )
        return Exit.INTERRUPTED
    _report(frame, jobs, row, outcome, activated=activate and outcome is Exit.DONE)
    return outcome


def _follow(frame: Frame, reader: Reader, job_id: int, clock: Clock) -> tuple[list[Job], Row | None]:
    rows: list[Row] = []

    def look() -> list[Job]:
        jobs, row = reader.restore(job_id)
        if row is not None:
            rows.append(row)
        return jobs

    with Display(frame.output, clock, silent=frame.output.as_json) as display:
        jobs = follow(display, clock, look, lambda jobs: bool(rows) or not jobs, frame.connection.reopen)
    if not rows:
        raise gone(f"restore #{job_id}")
    return jobs, rows[-1]


def _wait_open(frame: Frame, name: str, clock: Clock) -> None:
    """Wait until the tenant takes logins: its row changes a moment after the job's."""
    if not _settled(frame, name, clock, lambda states: states == ["NORMAL"]):
        raise Failure(Exit.FAILED, f"tenant {name} is restored and does not open", hint="look at the server's log")


def _wait_gone(frame: Frame, name: str, clock: Clock) -> None:
    """Wait until the name is free again, so that the next try is not refused because of this one."""
    if _settled(frame, name, clock, lambda states: not states):
        frame.output.note("the half-made tenant is removed; what lies at the destinations is as it was")
    else:
        frame.output.note(f"the half-made tenant {name} is still being removed")


def _settled(frame: Frame, name: str, clock: Clock, wanted: Callable[[list[str]], bool]) -> bool:
    """Return whether the tenant's STATUS (a list of one, or empty when there is no such tenant) became as wanted in time."""
    end = clock.monotonic() + _SETTLE_SECONDS_MAX
    while clock.monotonic() < end:
        rows = frame.connection.rows("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", (name,))
        if wanted([str(row["STATUS"]) for row in rows]):
            return True
        clock.sleep(0.1)
    return False


def _activate(frame: Frame, name: str) -> None:
    from holdfast.statement.commands import ActivateStandby

    for warning in frame.connection.run(ActivateStandby(tenants=(name,))):
        frame.output.note(warning)


def _report(frame: Frame, jobs: list[Job], row: Row | None, outcome: Exit, *, activated: bool) -> None:
    output = frame.output
    reached = str(row["RESTORE_SCN"]) if row is not None else None
    shown = row["RESTORE_SCN_DISPLAY"] if row is not None else None
    if output.as_json:
        output.document(
            exit_code=int(outcome),
            jobs=[job_document(job) for job in jobs],
            restore_scn=reached,
            restore_scn_display=str(shown) if shown is not None else None,
            activated=activated,
        )
        return
    for job in jobs:
        if row is None:
            output.line(f"{job.kind} {job.tenant} #{job.job_id} begun")
            continue
        if outcome is not Exit.DONE:
            continue
        output.line(f"tenant {job.tenant} stands at SCN {reached} ({shown})")
        if job.comment:
            output.line(f"note: {job.comment}")
        if activated:
            output.line(f"it is open for writing: log in as root@{job.tenant}")
        else:
            output.line(
                f"it can be read now as root@{job.tenant}; to write:"
                f' holdfast sql -e "ALTER SYSTEM ACTIVATE STANDBY TENANT {job.tenant}"'
            )
