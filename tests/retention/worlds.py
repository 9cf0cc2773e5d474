"""Worlds for the tests of retention: days and dates become sets, pieces, SCNs and LSNs.

The log of these worlds grows by 1000 bytes a second from 2026-01-01 on, so a moment and an LSN are the same thing.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backup_format.samples import MANIFEST
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.reach import LogObjectFact, PieceFact, SetFact
from holdfast.retention.plan import judge
from holdfast.retention.verdict import Estate, PieceEntry, Pin, Plan, Policy, PolicyName, SetEntry
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.capacity import time_us_from_text
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn, scn_from_timestamp

GOLDEN = Path(__file__).with_name("golden")
DATA, FORMER_DATA, ARCHIVE = 1001, 1003, 1002
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TIMELINE = "ab" * 16
BYTES_PER_SECOND = 1000


def scn_of(text: str) -> Scn:
    """Return the SCN of `2026-01-08` or `2026-01-08 10:00`, UTC."""
    padded = text if " " in text else f"{text} 00:00"
    return scn_from_timestamp(f"{padded}:00", UTC)


def lsn_of(scn: Scn) -> Lsn:
    return Lsn((int(scn) // 1000 - int(BEGIN.timestamp() * 1e6)) * BYTES_PER_SECOND // 1_000_000)


@dataclass(frozen=True)
class Case:
    """One golden file: a world, and what a cleanup must say of it."""

    name: str
    about: str
    estate: Estate
    policy: Policy
    now_us: int
    expected: dict[str, Any]

    def plan(self) -> Plan:
        return judge(self.estate, self.policy, self.now_us)


def load(path: Path) -> Case:
    case = json.loads(path.read_text())
    window = case["policy"].get("window")
    return Case(
        name=path.stem,
        about=case["about"],
        estate=Estate(
            sets=tuple(_set(one) for one in case.get("sets", [])),
            pieces=tuple(_piece(one) for one in case.get("pieces", [])),
            data_dest_id=DATA if case.get("data", True) else None,
            archive_dest_id=ARCHIVE,
            pins=tuple(Pin(backup_set_id=one["set"], note=one.get("note", "")) for one in case.get("pins", [])),
        ),
        policy=Policy(
            name=PolicyName(case["policy"].get("name", "default")),
            recovery_window_us=None if window is None else time_us_from_text(window),
        ),
        now_us=int(scn_of(case["now"])) // 1000,
        expected=case["expected"],
    )


def told(plan: Plan) -> dict[str, Any]:
    """Return the plan in the words of a golden file."""
    answer: dict[str, Any] = {}
    if plan.refusal is not None:
        answer["refused"] = f"{plan.refusal.code.number}: {plan.refusal.comment}"
    for verdict in plan.sets:
        answer[f"set {verdict.entry.backup_set_id}"] = f"{verdict.action}: {verdict.reason}"
    for piece in plan.pieces:
        answer[f"piece {piece.entry.piece_id}"] = f"{piece.action}: {piece.reason}"
    if plan.lost:
        answer["lost"] = [f"{span.first_scn.display()[:16]} to {span.last_scn.display()[:16]}" for span in plan.lost]
    return answer


def position(lsn: Lsn, scn: Scn, history: int = 0) -> LogPosition:
    """Return where a group of these worlds ends: its checksum tells the history, its log id the place."""
    return LogPosition(lsn=lsn, accumulated=history, log_id=int(lsn), scn=scn)


def set_fact(
    number: int, *, chain: tuple[int, ...], round_id: int, base_lsn: Lsn, end: Scn, timeline: str = TIMELINE
) -> SetFact:
    """Return what a restore is told of a set of these worlds that is consistent at `end`."""
    manifest = replace(
        MANIFEST,
        backup_set_id=number,
        chain=chain,
        round_id=round_id,
        timeline=timeline,
        base_lsn=base_lsn,
        end_lsn=lsn_of(end),
        min_restore_scn=end,
        objects=(),
    )
    return SetFact(source=0, root=f"backup_set_{number}", manifest=manifest)


def piece_fact(
    number: int, *, timeline: str, begin: Lsn, end: Scn, round_id: int = 1, set_id: int = 0, history: int = 0
) -> PieceFact:
    """Return what a restore is told of a piece of these worlds; its log is known at each of its ends."""
    last = position(max(lsn_of(end), begin), end, history)
    log = LogObjectFact(name=f"log {number}", block_id=0, first_lsn=begin, end_lsn=last.lsn, size_bytes=1)
    return PieceFact(
        source=1,
        root=f"piece_{round_id}_{number}",
        cluster_id=MANIFEST.cluster_id,
        tenant_id=MANIFEST.tenant_id,
        timeline=timeline,
        round_id=round_id,
        piece_id=number,
        start_scn=end,
        begin=position(begin, Scn(0), history),
        end=last,
        objects=(log,) if last.lsn > begin else (),
        engine_data_version=MANIFEST.engine_data_version,
        set_id=set_id,
    )


def marked(pieces: list[PieceEntry]) -> tuple[PieceEntry, ...]:
    """Return the entries with the chain known wherever one piece ends inside another, as a reading finds it."""
    facts = [entry.fact for entry in pieces if entry.fact is not None]

    def look(fact: PieceFact) -> PieceFact:
        ends = {one.end.lsn: one.end.scn for one in facts if fact.begin.lsn < one.end.lsn < fact.end.lsn}
        history = fact.end.accumulated or 0
        return replace(fact, marks=tuple(position(lsn, scn, history) for lsn, scn in ends.items()))

    return tuple(entry if entry.fact is None else replace(entry, fact=look(entry.fact)) for entry in pieces)


def _set(one: dict[str, Any]) -> SetEntry:
    end = one.get("end")
    status = SetStatus(one.get("status", "SUCCESS"))
    min_restore = scn_of(end) if end else Scn(0)
    # A set's log begins an hour before its end, at a checkpoint of the engine.
    start = scn_of(one["log_from"]) if "log_from" in one else Scn(max(0, int(min_restore) - 3600 * 10**9))
    usual = {"SUCCESS": "AVAILABLE", "FAILED": "INCOMPLETE", "DOING": "COPYING"}[status]
    trouble = one.get("trouble", "")
    is_whole = status is SetStatus.SUCCESS and not trouble
    chain = tuple(one.get("chain", sorted({one.get("full", 0), one.get("base", 0), one["id"]} - {0})))
    return SetEntry(
        dest_id=FORMER_DATA if one.get("former") else DATA,
        backup_set_id=one["id"],
        type=BackupType(one.get("type", "FULL")),
        status=status,
        file_status=FileStatus(one.get("file_status", usual)),
        end_us=None if status is SetStatus.DOING else int(min_restore) // 1000,
        prev_full_backup_set_id=one.get("full", 0),
        prev_inc_backup_set_id=one.get("base", one.get("full", 0)),
        start_replay_scn=start,
        min_restore_scn=min_restore,
        has_log=one.get("log", False),
        is_canceled=one.get("canceled", False),
        fact=set_fact(
            one["id"],
            chain=chain,
            round_id=one.get("round", 1),
            base_lsn=lsn_of(start),
            end=min_restore,
        )
        if is_whole and one.get("file_status") != "BROKEN"
        else None,
        log=(piece_fact(0, timeline=TIMELINE, begin=lsn_of(start), end=min_restore, set_id=one["id"]),)
        if is_whole and one.get("log")
        else (),
        trouble=trouble,
    )


def _piece(one: dict[str, Any]) -> PieceEntry:
    start, end = scn_of(one["from"]), scn_of(one["to"])
    checkpoint = scn_of(one["checkpoint"]) if "checkpoint" in one else end
    is_active = one.get("active", False)
    return PieceEntry(
        dest_id=ARCHIVE,
        round_id=one.get("round", 1),
        piece_id=one["id"],
        status=PieceStatus.ACTIVE if is_active else PieceStatus.FROZEN,
        file_status=FileStatus(one.get("file_status", "AVAILABLE")),
        start_scn=start,
        end_scn=end,
        checkpoint_scn=checkpoint,
        is_open=one.get("open", is_active),
        fact=None
        if one.get("trouble")
        else piece_fact(
            one["id"], timeline=TIMELINE, begin=lsn_of(start), end=checkpoint, round_id=one.get("round", 1)
        ),
        trouble=one.get("trouble", ""),
    )
