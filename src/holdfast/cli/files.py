"""`holdfast sets`, `pieces` and `windows`: what lies in the destinations, and which moments that makes restorable."""

from dataclasses import dataclass

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
    proofs = _proofs(frame)
    if frame.output.as_json:
        documents = [
            row_document(row, tenant=names[int(row["TENANT_ID"])], **proofs.get(_key(row), Proof()).document())
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
    frame.output.table(
        "", columns, [_set(row, names, proofs.get(_key(row), Proof())) for row in rows], styles=STATE_STYLES
    )
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
    columns = (
        *("tenant", "round", "piece", "status", "files", "from", "to", "CHECKPOINT_SCN", "read", "written"),
        *("encrypted", "path"),
    )
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
        # Of a dropped tenant the windows know the name, from its newest set; the others only its id.
        names.setdefault(int(row["TENANT_ID"]), str(row.get("TENANT_NAME") or row["TENANT_ID"]))
    refuse_unknown(tenants, names.values())
    chosen = [row for row in rows if not tenants or names[int(row["TENANT_ID"])] in tenants]
    return names, sorted(chosen, key=lambda row: int(row["TENANT_ID"]))


def _key(row: Row) -> tuple[int, int]:
    return int(row["TENANT_ID"]), int(row["BACKUP_SET_ID"])


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a set. `age_seconds`: since a physical validation or a drill found it good, None if nothing did or something
    spoke against it since."""

    age_seconds: int | None = None
    open_damage_count: int = 0

    def text(self) -> str:
        if self.open_damage_count:
            return "DAMAGED"
        return "" if self.age_seconds is None else f"{age_text(self.age_seconds)} ago"

    def document(self) -> dict[str, object]:
        return {"proof_age_seconds": self.age_seconds, "open_damage_count": self.open_damage_count}


def _proofs(frame: Frame) -> dict[tuple[int, int], Proof]:
    """Return what validations and drills say of each set that is there."""
    rows = frame.connection.view("BACKUP_SET_PROOFS", tail="ORDER BY BACKUP_SET_ID")
    return {
        _key(row): Proof(
            None if row["PROOF_AGE_SECONDS"] is None else int(row["PROOF_AGE_SECONDS"]), int(row["OPEN_DAMAGE_COUNT"])
        )
        for row in rows
    }


def _set(row: Row, names: dict[int, str], proof: Proof) -> tuple[str, ...]:
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
        proof.text(),
        moment_text(row["MIN_RESTORE_SCN_DISPLAY"]),
        str(row["MIN_RESTORE_SCN"] or ""),
        size_text(row["INPUT_BYTES"] or 0),
        size_text(row["OUTPUT_BYTES"] or 0),
        _protection(row),
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
        _protection(row),
        str(row["PATH"] or ""),
    )


def _protection(row: Row) -> str:
    """Return what protects a set or piece: nothing, a password of its own, the tenant's key, or that in part."""
    mode = str(row["ENCRYPTION_MODE"] or "NONE")
    words = {"NONE": "", "PASSWORD": "password", "TRANSPARENT_ENCRYPTION": "key", "PARTIAL": "key, in part"}
    return words.get(mode, mode)
