"""`holdfast status` and `holdfast tenants`: how everything stands, on one screen, by the judgement of `holdfast check`."""

from datetime import datetime

import click

from holdfast.cli.archive import archiving_document
from holdfast.cli.connection import SYS_TENANT_ID, Row
from holdfast.cli.document import job_document, row_document
from holdfast.cli.options import Frame, client_command
from holdfast.cli.outcome import EPILOG, EXIT_MEANINGS, Exit
from holdfast.cli.output import STATE_STYLES
from holdfast.cli.pace import Pace
from holdfast.cli.reading import Reader
from holdfast.cli.render import progress_text
from holdfast.cli.state import Archiving, archiving, data_destinations, newest_sets, tenant_rows, time_zone
from holdfast.cli.units import age_text, lag_text, moment_text
from holdfast.cli.verdict import abandon_output, document, finding_line, judging_options, look, verdict_of
from holdfast.clock import SystemClock
from holdfast.verdict.judge import Judged, Wish, summary
from holdfast.verdict.rules import Severity

STATUS_EPILOG = "\b\nExit codes: 0 to 3 as `holdfast check` has them;\n" + "\n".join(
    f"  {int(code):3d}  {EXIT_MEANINGS[code]}" for code in (Exit.UNREACHABLE, Exit.INTERRUPTED)
)


@click.command(epilog=STATUS_EPILOG)
@judging_options
@client_command
def status(frame: Frame, *, max_age_us: int, ignored: frozenset[tuple[str, str]], timeout: float) -> Severity:
    """The verdict of `holdfast check`, tenants worst first, archiving and its lag, the newest set, what runs, the destinations."""
    connection, output = frame.connection, frame.output
    wish = Wish(max_age_us=max_age_us, ignored=ignored)
    seen = look(connection.target, timeout)
    verdict = verdict_of(seen, wish)
    rank = {one.tenant.tenant_id: one.severity.weight for one in verdict.tenants}
    severities = {one.tenant.tenant_id: one for one in verdict.tenants}
    rows = sorted(tenant_rows(connection), key=lambda row: (-rank.get(int(row["TENANT_ID"]), 0), int(row["TENANT_ID"])))
    rounds = {one.tenant_id: one for one in archiving(connection, rows)}
    newest = newest_sets(connection)
    places = data_destinations(connection)
    now = SystemClock().monotonic()
    looked = [(job, Pace().note(job, now)) for job in Reader(connection).active()]
    version = str(connection.rows("SELECT VERSION() AS V")[0]["V"])
    zone = time_zone(connection)
    target = connection.target

    def show() -> None:
        if output.as_json:
            output.document(
                **{name: value for name, value in document(verdict, seen, wish).items() if name != "tenants"},
                server={
                    "host": target.host,
                    "port": target.port,
                    "version": version,
                    "tenant": target.tenant,
                    "time_zone": zone,
                },
                tenants=[_document(row, rounds, newest, places) | _judged(severities, row) for row in rows],
                jobs=[job_document(job, speed) for job, speed in looked],
            )
            return
        output.line(summary(verdict, seen.board.now_us))
        for found in verdict.findings:
            output.line(f"  {finding_line(found)}")
        output.line()
        output.line(f"{target.host}:{target.port}  {version}  as {target.user}, times at {zone}")
        columns = ("tenant", "id", "verdict", "role", "status", "archiving", "lag", "newest set", "age")
        lines = [_line(row, rounds, newest, severities) for row in rows]
        output.table("", columns, lines, styles=STATE_STYLES)
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

    try:
        show()
    except OSError:  # whoever reads has gone, or has no room: the code says it all the same
        abandon_output()
    return verdict.severity


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


def _judged(severities: dict[int, Judged], row: Row) -> dict[str, object]:
    """Return what the verdict says of a tenant: null of sys, and of one that came or went meanwhile."""
    one = severities.get(int(row["TENANT_ID"]))
    if one is None:
        return {"judged": False, "why_not": None, "verdict": None}
    return {"judged": not one.why_not, "why_not": one.why_not or None, "verdict": one.severity.name}


def _verdict_word(one: Judged | None) -> str:
    if one is None:
        return ""
    return one.severity.name if not one.why_not or one.severity is not Severity.OK else "-"


def _line(
    row: Row, rounds: dict[int, Archiving], newest: dict[int, Row], severities: dict[int, Judged]
) -> tuple[str, ...]:
    tenant_id = int(row["TENANT_ID"])
    one, latest = rounds.get(tenant_id), newest.get(tenant_id)
    age = set_age_seconds(latest)
    return (
        str(row["TENANT_NAME"]),
        str(tenant_id),
        _verdict_word(severities.get(tenant_id)),
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
