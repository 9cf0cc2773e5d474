"""`holdfast backup`: begin a backup and follow it to its end."""

from pathlib import Path

import click

from holdfast.cli.document import job_document
from holdfast.cli.job import Ending, Job
from holdfast.cli.options import Frame, client_command, read_password, tenants_option
from holdfast.cli.outcome import EPILOG, Exit, Failure, hint_of
from holdfast.cli.reading import Reader
from holdfast.cli.watch import Display, follow, gone, outcome_of
from holdfast.clock import SystemClock


@click.command(epilog=EPILOG)
@tenants_option
@click.option("--incremental", is_flag=True, help="Only what changed since the newest set; full when there is none.")
@click.option("--plus-archivelog", is_flag=True, help="Put the log into the set: it restores without the archive.")
@click.option("--to", metavar="URI", help="Another destination than DATA_BACKUP_DEST.")
@click.option("--description", default="", help="Kept with the job and the set.")
@click.option(
    "--encryption-password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="First line: the password the set is encrypted with, and wants at its restore.",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow it to its end.")
@client_command
def backup(
    frame: Frame,
    *,
    tenants: tuple[str, ...],
    incremental: bool,
    plus_archivelog: bool,
    to: str | None,
    description: str,
    encryption_password_file: Path | None,
    wait: bool,
) -> Exit:
    """Back up every tenant, or those named; from a tenant's own login, that tenant.

    Ctrl-C ends the following, not the backup.
    """
    from holdfast.statement.commands import Backup, SetEncryption

    connection, output = frame.connection, frame.output
    if encryption_password_file is not None:
        # Held by this login until it ends; the backup is begun on it right after.
        connection.run(SetEncryption(password=read_password(encryption_password_file)))
    reader = Reader(connection)
    before = reader.newest_backup()
    command = Backup(
        incremental=incremental,
        database=not tenants,
        tenants=tenants,
        to=to,
        plus_archivelog=plus_archivelog,
        description=description,
    )
    # Of everybody a tenant that can not be backed up is left out, which the server says in a warning for each.
    left_out = connection.run(command)
    for warning in left_out:
        output.note(warning)
    begun = reader.newest_backup()
    if begun == before:
        raise Failure(Exit.FAILED, "the server took the statement and shows no job", hint="look at `holdfast jobs`")
    if not wait:
        return _report(frame, reader.backup(*begun), left_out)
    return _follow(frame, reader, begun, left_out)


def _follow(frame: Frame, reader: Reader, begun: tuple[int, int], left_out: list[str]) -> Exit:
    clock = SystemClock()
    try:
        with Display(frame.output, clock, silent=frame.output.as_json) as display:
            last: list[Job] = []

            def look() -> list[Job]:
                last[:] = reader.backup(*begun)
                return [job for job in last if not job.is_parent or len(last) == 1]

            follow(display, clock, look, lambda _: _is_over(last), frame.connection.reopen)
        if not last:
            raise gone(f"backup #{begun[1]}")
    except KeyboardInterrupt:
        frame.output.note(
            f"\nbackup #{begun[1]} goes on; follow it with `holdfast jobs --watch`, end it with `holdfast cancel backup`"
        )
        return Exit.INTERRUPTED
    if frame.output.as_json:
        return _report(frame, last, left_out)
    for job in last:
        if job.ending is Ending.FAILED and hint_of(job.result):
            frame.output.note(f"hint: {hint_of(job.result)}")
            break
    return _outcome(last, left_out)


def _is_over(jobs: list[Job]) -> bool:
    """Return whether the job and all of its parts ended. The first row is the job itself."""
    return all(job.ending is not Ending.RUNNING for job in jobs)


def _own_or_all(jobs: list[Job]) -> list[Job]:
    """Return the jobs whose ends count: those of the tenants, or the row of sys when it never got that far."""
    return [job for job in jobs if not job.is_parent] or jobs


def _outcome(jobs: list[Job], left_out: list[str]) -> Exit:
    """Return how the command ends; of jobs that still run, how it would if they ended well."""
    outcome = outcome_of(_own_or_all(jobs)) if _is_over(jobs) else Exit.DONE
    return Exit.NOT_ALL if outcome is Exit.DONE and left_out else outcome


def _report(frame: Frame, jobs: list[Job], left_out: list[str]) -> Exit:
    outcome = _outcome(jobs, left_out)
    if frame.output.as_json:
        frame.output.document(
            exit_code=int(outcome),
            jobs=[{**job_document(job), "hint": hint_of(job.result) or None} for job in jobs],
            left_out=left_out,
        )
        return outcome
    for job in jobs:
        frame.output.line(f"{job.kind} {job.tenant} #{job.job_id} begun")
    return outcome
