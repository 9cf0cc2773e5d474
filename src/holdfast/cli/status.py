"""`holdfast status` and `holdfast tenants`: how everything stands, on one screen."""

from datetime import datetime

import click

from holdfast.cli.archive import archiving_document
from holdfast.cli.connection import Row
from holdfast.cli.document import job_document, row_document
from holdfast.cli.options import Frame, client_command
from holdfast.cli.outcome import EPILOG, Exit
from holdfast.cli.output import STATE_STYLES
from holdfast.cli.pace import Pace
from holdfast.cli.reading import SYS_TENANT_ID, Reader
from holdfast.cli.render import progress_text
from holdfast.cli.state import Archiving, archiving, data_destinations, newest_sets, tenant_rows, time_zone
from holdfast.cli.units import age_text, lag_text, moment_text
from holdfast.clock import SystemClock


@click.command(epilog=EPILOG)
@client_command
def status(frame: Frame) -> Exit:
    """Tenants, archiving and its lag, the newest usable set, what runs, and the destinations."""
    connection, output = frame.connection, frame.output
    rows = tenant_rows(connection)
    rounds = {one.tenant_id: one for one in archiving(connection, rows)}
    newest = newest_sets(connection)
    places = data_destinations(connection)
    now = SystemClock().monotonic()
    looked = [(job, Pace().note(job, now)) for job in Reader(connection).active()]
    version = str(connection.rows("SELECT VERSION() AS V")[0]["V"])
    zone = time_zone(connection)
    target = connection.target
    if output.as_json:
        output.document(
            exit_code=int(Exit.DONE),
            server={
                "host": target.host,
                "port": target.port,
                "version": version,
                "tenant": target.tenant,
                "time_zone": zone,
            },
            tenants=[_document(row, rounds, newest, places) for row in rows],
            jobs=[job_document(job, speed) for job, speed in looked],
        )
        return Exit.DONE
    output.line(f"{target.host}:{target.port}  {version}  as {target.user}, times at {zone}")
    columns = ("tenant", "id", "role", "status", "archiving", "lag", "newest set", "age")
    output.table("", columns, [_line(row, rounds, newest) for row in rows], styles=STATE_STYLES)
    destinations = [(one.tenant, places.get(one.tenant_id, ""), one.destination) for one in rounds.values()]
    destinations = [place for place in destinations if place[1] or place[2]]
    if destinations:
        output.line()
        output.table("", ("tenant", "data destination", "archive destination"), destinations)
    for one in rounds.values():
        if one.comment:
            output.line(f"archiving of {one.tenant}: {one.comment}")
    output.line()
    output.line("running:" if looked else "no job is running")
    for job, speed in looked:
        output.line(f"  {progress_text(job, speed)}")
    return Exit.DONE


@click.command(epilog=EPILOG)
@client_command
def tenants(frame: Frame) -> Exit:
    """The tenants the login may see."""
    rows = tenant_rows(frame.connection)
    if frame.output.as_json:
        frame.output.document(exit_code=int(Exit.DONE), tenants=[row_document(row) for row in rows])
        return Exit.DONE
    columns = ("tenant", "id", "type", "mode", "role", "status", "log mode", "readable to", "made")
    frame.output.table("", columns, [_tenant(row) for row in rows], styles=STATE_STYLES)
    return Exit.DONE


def _tenant(row: Row) -> tuple[str, ...]:
    return (
        str(row["TENANT_NAME"]),
        str(row["TENANT_ID"]),
        str(row["TENANT_TYPE"]),
        str(row["COMPATIBILITY_MODE"]),
        str(row["TENANT_ROLE"]),
        str(row["STATUS"]),
        str(row["LOG_MODE"]),
        str(row["READABLE_SCN"] or ""),
        moment_text(row["CREATE_TIME"]),
    )


def set_age_seconds(row: Row | None) -> float | None:
    """Return how old the data of a set is: from its MIN_RESTORE_SCN, not from when it was done, to the server's now."""
    if not row or not row["MIN_RESTORE_SCN_DISPLAY"]:
        return None
    age = row["NOW"] - datetime.fromisoformat(str(row["MIN_RESTORE_SCN_DISPLAY"]))
    return max(0.0, float(age.total_seconds()))


def _line(row: Row, rounds: dict[int, Archiving], newest: dict[int, Row]) -> tuple[str, ...]:
    tenant_id = int(row["TENANT_ID"])
    one, latest = rounds.get(tenant_id), newest.get(tenant_id)
    age = set_age_seconds(latest)
    return (
        str(row["TENANT_NAME"]),
        str(tenant_id),
        str(row["TENANT_ROLE"]),
        str(row["STATUS"]),
        "" if one is None else one.status or ("waiting" if one.log_mode == "ARCHIVELOG" else "off"),
        "" if one is None or one.lag_seconds is None else lag_text(one.lag_seconds),
        f"{latest['BACKUP_TYPE']} #{latest['BACKUP_SET_ID']}" if latest else ("" if one is None else "none"),
        "" if age is None else age_text(age),
    )


def _document(
    row: Row, rounds: dict[int, Archiving], newest: dict[int, Row], places: dict[int, str]
) -> dict[str, object]:
    tenant_id = int(row["TENANT_ID"])
    latest = newest.get(tenant_id)
    age = set_age_seconds(latest)
    return {
        "tenant_id": tenant_id,
        "tenant": str(row["TENANT_NAME"]),
        "type": str(row["TENANT_TYPE"]),
        "role": str(row["TENANT_ROLE"]),
        "status": str(row["STATUS"]),
        "archiving": None if tenant_id == SYS_TENANT_ID else archiving_document(rounds[tenant_id]),
        "data_destination": places.get(tenant_id),
        "newest_set": row_document(latest) if latest else None,
        "newest_set_age_seconds": None if age is None else round(age, 3),
    }
