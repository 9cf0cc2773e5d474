"""`holdfast archive on|off|status`: log archiving."""

import click

from holdfast.cli.document import row_document
from holdfast.cli.options import Frame, client_command, tenants_option
from holdfast.cli.outcome import EPILOG, Exit, Failure, refuse_unknown
from holdfast.cli.output import STATE_STYLES
from holdfast.cli.state import Archiving, archiving
from holdfast.cli.units import lag_text, moment_text, size_text
from holdfast.clock import SystemClock

_PAUSE_SECONDS = 0.2
_ALREADY_ON = 9091


@click.group(epilog=EPILOG)
def archive() -> None:
    """Switch log archiving on or off, and show its state."""


_timeout_option = click.option(
    "--timeout", type=click.FloatRange(0.1, 86400), default=60.0, show_default=True, help="Seconds to wait."
)


@archive.command(epilog=EPILOG)
@tenants_option
@click.option("--to", metavar="URI", help="Set LOG_ARCHIVE_DEST to this first.")
@click.option("--wait/--no-wait", default=False, show_default=True, help="Wait until archiving is under way (DOING).")
@_timeout_option
@client_command
def on(frame: Frame, *, tenants: tuple[str, ...], to: str | None, wait: bool, timeout: float) -> Exit:
    """Switch archiving on, for every tenant or those named."""
    from holdfast.statement.commands import Archivelog, SetLogArchiveDest

    connection = frame.connection
    if to is not None:
        if connection.target.is_sys and len(tenants) != 1:
            raise click.UsageError("--to wants exactly one --tenant: every tenant has a destination of its own")
        connection.run(SetLogArchiveDest(text=f"LOCATION={to}", tenants=tenants))
    try:
        warnings = connection.run(Archivelog(tenants=tenants))
    except Failure as failure:
        # Switched on before it had a destination, the tenant got its round by --to just now.
        if to is None or failure.code != _ALREADY_ON:
            raise
        warnings = [failure.text()]
    return _settle(frame, tenants, ("DOING",), timeout if wait else 0.0, warnings)


@archive.command(epilog=EPILOG)
@tenants_option
@click.option("--wait/--no-wait", default=False, show_default=True, help="Wait until archiving has stopped.")
@_timeout_option
@client_command
def off(frame: Frame, *, tenants: tuple[str, ...], wait: bool, timeout: float) -> Exit:
    """Switch archiving off, for every tenant or those named. Nothing is deleted; the next `on` begins a new round."""
    from holdfast.statement.commands import Noarchivelog

    warnings = frame.connection.run(Noarchivelog(tenants=tenants))
    return _settle(frame, tenants, ("", "STOP"), timeout if wait else 0.0, warnings)


@archive.command(epilog=EPILOG)
@tenants_option
@client_command
def status(frame: Frame, *, tenants: tuple[str, ...]) -> Exit:
    """Show the archive round of every tenant, or of those named."""
    rounds = archiving(frame.connection)
    refuse_unknown(tenants, [one.tenant for one in rounds])
    _print(frame, _chosen(rounds, tenants))
    return Exit.DONE


def _chosen(rounds: list[Archiving], tenants: tuple[str, ...]) -> list[Archiving]:
    return [one for one in rounds if not tenants or one.tenant in tenants]


def _settle(
    frame: Frame, tenants: tuple[str, ...], wanted: tuple[str, ...], wait_seconds: float, warnings: list[str]
) -> Exit:
    """Wait until every round is in a wanted state, print them, and say what can never get there.

    `warnings`: of the statement; one that meant every tenant warns of each that it did not do it for.
    """
    for warning in warnings:
        frame.output.note(warning)
    is_everyone = frame.connection.target.is_sys and not tenants
    clock = SystemClock()
    end = clock.monotonic() + wait_seconds
    while True:
        rounds = _chosen(archiving(frame.connection), tenants)
        behind = [one for one in rounds if one.status not in wanted]
        if not behind or clock.monotonic() >= end:
            break
        clock.sleep(_PAUSE_SECONDS)
    if wait_seconds and behind:
        raise Failure(
            Exit.FAILED,
            "; ".join(
                f"tenant {one.tenant}: {one.status or 'no archive round'} {one.comment}".strip() for one in behind
            ),
            hint="a round wants LOG_ARCHIVE_DEST: `holdfast archive on --tenant t --to file:///path`"
            if any(not one.destination for one in behind)
            else "`holdfast archive status` shows it; --timeout waits longer",
        )
    outcome = Exit.NOT_ALL if is_everyone and warnings else Exit.DONE
    _print(frame, rounds, outcome, left_out=warnings if is_everyone else [])
    return outcome


def _print(frame: Frame, rounds: list[Archiving], outcome: Exit = Exit.DONE, **members: object) -> None:
    output = frame.output
    if output.as_json:
        output.document(exit_code=int(outcome), archiving=[archiving_document(one) for one in rounds], **members)
        return
    columns = ("tenant", "log mode", "status", "round", "lag", "since", "read", "written", "destination", "comment")
    output.table(
        "",
        columns,
        [
            (
                one.tenant,
                one.log_mode,
                one.status or "none",
                str(one.round_id or ""),
                "" if one.lag_seconds is None else lag_text(one.lag_seconds),
                moment_text(one.row.get("START_SCN_DISPLAY")),
                size_text(one.row["INPUT_BYTES"]) if one.row else "",
                size_text(one.row["OUTPUT_BYTES"]) if one.row else "",
                one.destination,
                one.comment,
            )
            for one in rounds
        ],
        styles=STATE_STYLES,
    )


def archiving_document(one: Archiving) -> dict[str, object]:
    """Return a tenant's archiving as JSON; `round` holds the columns of CDB_OB_ARCHIVELOG, null without a round."""
    return {
        "tenant_id": one.tenant_id,
        "tenant": one.tenant,
        "log_mode": one.log_mode,
        "status": one.status or None,
        "lag_seconds": None if one.lag_seconds is None else round(one.lag_seconds, 3),
        "destination": one.destination or None,
        "round": row_document(one.row) if one.row else None,
    }
