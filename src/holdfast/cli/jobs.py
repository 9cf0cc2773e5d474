"""`holdfast jobs` and `holdfast cancel`: what runs, what ran, and how to end it."""

import click

from holdfast.cli.document import job_document
from holdfast.cli.job import Ending, Job
from holdfast.cli.options import Frame, client_command, needs_sys, tenants_option
from holdfast.cli.outcome import EPILOG, Exit, refuse_unknown
from holdfast.cli.output import STATE_STYLES
from holdfast.cli.pace import Pace
from holdfast.cli.reading import Reader
from holdfast.cli.render import progress_text
from holdfast.cli.units import duration_text, moment_text, size_text
from holdfast.cli.watch import PLAIN_SECONDS, Display, Key, follow
from holdfast.clock import SystemClock


@click.command(epilog=EPILOG)
@tenants_option
@click.option("--watch", is_flag=True, help="Follow them until none runs: bars on a terminal, else lines.")
@click.option("--forever", is_flag=True, help="With --watch: wait for new ones too, until Ctrl-C.")
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), default=PLAIN_SECONDS, show_default=True, help="Seconds between lines."
)
@click.option("--ended", type=click.IntRange(0, 10_000), default=0, help="Show this many ended jobs of each kind too.")
@client_command
def jobs(frame: Frame, *, tenants: tuple[str, ...], watch: bool, forever: bool, every: float, ended: int) -> Exit:
    """Backups, restores and cleanups under way."""
    if forever and not watch:
        raise click.UsageError("--forever goes with --watch")
    if watch and ended:
        raise click.UsageError("--ended does not go with --watch")
    reader = Reader(frame.connection)
    if not (ended or forever):  # of jobs that are over the tenant may be gone, of those to come it may not be there yet
        refuse_unknown(tenants, frame.connection.tenants().values())
    if watch:
        return _watch(frame, reader, tenants, forever=forever, every=every)
    running = _chosen(reader.active(), tenants)
    over = _chosen(reader.ended(ended), tenants) if ended else []
    now = SystemClock().monotonic()
    looked = [(job, Pace().note(job, now)) for job in running]
    output = frame.output
    if output.as_json:
        documents = [job_document(job, speed) for job, speed in looked]
        output.document(exit_code=int(Exit.DONE), jobs=documents + [job_document(job) for job in over])
        return Exit.DONE
    if not running:
        output.line("no job is running")
    for job, speed in looked:
        output.line(progress_text(job, speed))
    if over:
        columns = ("kind", "tenant", "id", "type", "state", "begun", "took", "read", "written", "result", "comment")
        output.table("", columns, [_row(job) for job in over], styles=STATE_STYLES)
    return Exit.DONE


def _row(job: Job) -> tuple[str, ...]:
    return (
        str(job.kind),
        job.tenant,
        str(job.job_id),
        job.what,
        job.state,
        moment_text(job.started),
        duration_text(job.elapsed_seconds),
        size_text(job.bytes_read) if job.bytes_read else "",
        size_text(job.bytes_written) if job.bytes_written else "",
        str(job.result) if job.result else "",
        job.comment,
    )


def _chosen(found: list[Job], tenants: tuple[str, ...]) -> list[Job]:
    return [job for job in found if not tenants or job.tenant in tenants]


def _watch(frame: Frame, reader: Reader, tenants: tuple[str, ...], *, forever: bool, every: float) -> Exit:
    """Follow what runs. A job that left the active views is looked up once more, so its end is shown and not guessed."""
    clock = SystemClock()
    watched: dict[Key, Job] = {}

    def look() -> list[Job]:
        running = {job.key: job for job in _chosen(reader.active(), tenants)}
        gone = [key for key, job in watched.items() if key not in running and job.ending is Ending.RUNNING]
        if gone:
            over = {job.key: job for job in reader.ended(_ENDED_LOOKED_MAX)}
            for key in gone:
                if key in over:
                    watched[key] = over[key]
                else:
                    watched.pop(key)  # its tenant was dropped, and its rows with it
        watched.update(running)
        while len(watched) > max(_SHOWN_MAX, len(running)):
            watched.pop(next(iter(key for key in watched if key not in running)))
        return list(watched.values())

    def is_over(looked: list[Job]) -> bool:
        return not forever and all(job.ending is not Ending.RUNNING for job in looked)

    with Display(frame.output, clock, plain_seconds=every) as display:
        last = follow(display, clock, look, is_over, frame.connection.reopen)
    if not last and not frame.output.as_json:
        frame.output.line("no job is running")
    return Exit.DONE


_ENDED_LOOKED_MAX = 200
"""Of each kind; far more than can end between two looks."""
_SHOWN_MAX = 20
"""Jobs on the screen: with --forever the oldest ended ones go."""


@click.group(epilog=EPILOG)
def cancel() -> None:
    """Cancel what runs. Cancelling what does not run is no error."""


@cancel.command("backup", epilog=EPILOG)
@tenants_option
@client_command
def cancel_backup(frame: Frame, *, tenants: tuple[str, ...]) -> Exit:
    """Cancel the backups of every tenant, or of those named."""
    from holdfast.statement.commands import CancelBackup

    return _cancel(frame, frame.connection.run(CancelBackup(tenants=tenants)))


@cancel.command("restore", epilog=EPILOG)
@click.argument("name")
@client_command
def cancel_restore(frame: Frame, *, name: str) -> Exit:
    """Cancel the restore into tenant NAME; what it made is removed."""
    from holdfast.statement.commands import CancelRestore

    needs_sys(frame, "cancel restore")
    return _cancel(frame, frame.connection.run(CancelRestore(tenant=name)))


@cancel.command("cleanup", epilog=EPILOG)
@tenants_option
@client_command
def cancel_cleanup(frame: Frame, *, tenants: tuple[str, ...]) -> Exit:
    """Cancel the cleanups of every tenant, or of those named."""
    from holdfast.statement.commands import CancelDelete

    return _cancel(frame, frame.connection.run(CancelDelete(tenants=tenants)))


def _cancel(frame: Frame, warnings: list[str]) -> Exit:
    for warning in warnings:
        frame.output.note(warning)
    if frame.output.as_json:
        frame.output.document(exit_code=int(Exit.DONE))
    else:
        frame.output.line("asked for; `holdfast jobs --ended 5` shows how it ended")
    return Exit.DONE
