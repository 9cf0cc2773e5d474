"""`holdfast sets`, `pieces` and `windows`: what lies in the destinations, and which moments that makes restorable."""

import click

from holdfast.cli.connection import Row
from holdfast.cli.document import row_document
from holdfast.cli.options import Frame, client_command, tenants_option
from holdfast.cli.outcome import EPILOG, Exit, refuse_unknown
from holdfast.cli.output import STATE_STYLES
from holdfast.cli.units import age_text, duration_text, moment_text, size_text

_KEPT = "FILE_STATUS <> 'DELETED'"
_all_option = click.option("--all", "everything", is_flag=True, help="Deleted ones too.")


@click.command(epilog=EPILOG)
@tenants_option
@_all_option
@client_command
def sets(frame: Frame, *, tenants: tuple[str, ...], everything: bool) -> Exit:
    """The backup sets, oldest first within a tenant. A set restores to any moment from `restorable from` on."""
    names, rows = _read(frame, "BACKUP_SET_FILES", tenants, "" if everything else _KEPT, "BACKUP_SET_ID")
    ages = _proof_ages(frame)
    if frame.output.as_json:
        documents = [
            row_document(row, tenant=names[int(row["TENANT_ID"])], proof_age_seconds=ages.get(_key(row)))
            for row in rows
        ]
        frame.output.document(exit_code=int(Exit.DONE), sets=documents)
        return Exit.DONE
    columns = (
        *(
            "tenant",
            "set",
            "type",
            "base",
            "log",
            "status",
            "files",
            "begun",
            "took",
            "proven",
            "restorable from",
            "MIN_RESTORE_SCN",
        ),
        *("read", "written", "encrypted", "path", "comment"),
    )
    frame.output.table("", columns, [_set(row, names, ages.get(_key(row))) for row in rows], styles=STATE_STYLES)
    return Exit.DONE


@click.command(epilog=EPILOG)
@tenants_option
@_all_option
@client_command
def pieces(frame: Frame, *, tenants: tuple[str, ...], everything: bool) -> Exit:
    """The pieces of the archived log, oldest first within a tenant."""
    names, rows = _read(frame, "ARCHIVELOG_PIECE_FILES", tenants, "" if everything else _KEPT, "PIECE_ID")
    if frame.output.as_json:
        documents = [row_document(row, tenant=names[int(row["TENANT_ID"])]) for row in rows]
        frame.output.document(exit_code=int(Exit.DONE), pieces=documents)
        return Exit.DONE
    columns = ("tenant", "round", "piece", "status", "files", "from", "to", "CHECKPOINT_SCN", "read", "written", "path")
    frame.output.table("", columns, [_piece(row, names) for row in rows], styles=STATE_STYLES)
    return Exit.DONE


@click.command(epilog=EPILOG)
@tenants_option
@client_command
def windows(frame: Frame, *, tenants: tuple[str, ...]) -> Exit:
    """Which moments can be restored, which can not and why. Read from the destinations themselves."""
    names, rows = _read(frame, "RESTORABLE_WINDOWS", tenants, "", "SPAN_ID")
    if frame.output.as_json:
        documents = [row_document(row, tenant=names[int(row["TENANT_ID"])]) for row in rows]
        frame.output.document(exit_code=int(Exit.DONE), windows=documents)
        return Exit.DONE
    columns = ("tenant", "status", "from", "to", "sets", "why", "what to do", "START_SCN", "END_SCN", "restore from")
    frame.output.table("", columns, [_window(row, names) for row in rows], styles=STATE_STYLES)
    return Exit.DONE


def _read(
    frame: Frame, view: str, tenants: tuple[str, ...], where: str, order: str
) -> tuple[dict[int, str], list[Row]]:
    rows = frame.connection.view(view, where, tail=f"ORDER BY {order}")
    names = frame.connection.tenants()
    for row in rows:
        names.setdefault(int(row["TENANT_ID"]), str(row["TENANT_ID"]))  # a dropped tenant has only its id
    refuse_unknown(tenants, names.values())
    chosen = [row for row in rows if not tenants or names[int(row["TENANT_ID"])] in tenants]
    return names, sorted(chosen, key=lambda row: int(row["TENANT_ID"]))


def _key(row: Row) -> tuple[int, int]:
    return int(row["TENANT_ID"]), int(row["BACKUP_SET_ID"])


def _proof_ages(frame: Frame) -> dict[tuple[int, int], int]:
    """Return, of each set that was ever proven, the seconds since its last physical validation or restore drill."""
    rows = frame.connection.view("BACKUP_SET_PROOFS", "PROOF_AGE_SECONDS IS NOT NULL", tail="ORDER BY BACKUP_SET_ID")
    return {_key(row): int(row["PROOF_AGE_SECONDS"]) for row in rows}


def _set(row: Row, names: dict[int, str], proof_age_seconds: int | None) -> tuple[str, ...]:
    base = row["PREV_INC_BACKUP_SET_ID"] or row["PREV_FULL_BACKUP_SET_ID"]
    return (
        names[int(row["TENANT_ID"])],
        str(row["BACKUP_SET_ID"]),
        str(row["BACKUP_TYPE"]),
        str(base) if base else "",
        "yes" if row["PLUS_ARCHIVELOG"] == "ON" else "",
        str(row["STATUS"]),
        str(row["FILE_STATUS"]),
        moment_text(row["START_TIMESTAMP"]),
        duration_text(float(row["ELAPSED_SECONDES"] or 0)) if row["END_TIMESTAMP"] else "",
        "" if proof_age_seconds is None else f"{age_text(proof_age_seconds)} ago",
        moment_text(row["MIN_RESTORE_SCN_DISPLAY"]),
        str(row["MIN_RESTORE_SCN"] or ""),
        size_text(row["INPUT_BYTES"] or 0),
        size_text(row["OUTPUT_BYTES"] or 0),
        "yes" if row["ENCRYPTION_MODE"] not in (None, "", "NONE") else "",
        str(row["PATH"] or ""),
        str(row["COMMENT"] or ""),
    )


def _window(row: Row, names: dict[int, str]) -> tuple[str, ...]:
    return (
        names[int(row["TENANT_ID"])],
        str(row["STATUS"]),
        moment_text(row["START_SCN_DISPLAY"]),
        moment_text(row["END_SCN_DISPLAY"]),
        str(row["BACKUP_SET_IDS"] or ""),
        str(row["CAUSE"] or ""),
        str(row["REMEDY"] or ""),
        str(row["START_SCN"] or ""),
        str(row["END_SCN"] or ""),
        str(row["RESTORE_FROM"] or ""),
    )


def _piece(row: Row, names: dict[int, str]) -> tuple[str, ...]:
    return (
        names[int(row["TENANT_ID"])],
        str(row["ROUND_ID"]),
        str(row["PIECE_ID"]),
        str(row["STATUS"]),
        str(row["FILE_STATUS"]),
        moment_text(row["START_SCN_DISPLAY"]),
        moment_text(row["CHECKPOINT_SCN_DISPLAY"]),
        str(row["CHECKPOINT_SCN"] or ""),
        size_text(row["INPUT_BYTES"] or 0),
        size_text(row["OUTPUT_BYTES"] or 0),
        str(row["PATH"] or ""),
    )
