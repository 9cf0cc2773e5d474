"""Restores straight from destinations, without a server: facts, plan, layout, engine."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine_rig import EngineRig, engine_in
from holdfast.backup_format.log_frame import open_frame, scan_frames
from holdfast.destination.facts import Facts, open_sources, read_facts
from holdfast.engine import account, control, role
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.role import EngineRole
from holdfast.engine.version import find_engines
from holdfast.engine_format.log_block import LOG_INFO_BYTES
from holdfast.engine_format.log_group import decode_entries
from holdfast.engine_format.log_walk import Position, groups
from holdfast.restore.plan import RestorePlan, plan_restore
from holdfast.restore.run import LaidOut, Progress, lay_out
from holdfast.store.open import open_store
from holdfast.values.destination import parse_uri
from holdfast.values.pace import FixedPace
from holdfast.values.scn import Scn


def facts_of(*places: Path) -> Facts:
    return read_facts(open_sources([parse_uri(f"file://{place}") for place in places], open_store))


def plan_of(facts: Facts, target: int | None) -> RestorePlan:
    wanted = None if target is None else Scn(target)
    versions = find_engines().data_versions
    return plan_restore(facts.sets, facts.pieces, wanted, installed_versions=versions, damaged=facts.damaged)


@dataclass(slots=True)
class Restored:
    rig: EngineRig
    laid_out: LaidOut
    plan: RestorePlan


def layout(facts: Facts, target: int | None, root: Path) -> tuple[EngineDirectory, LaidOut, RestorePlan]:
    """Lay out the engine directory of `target` below `root`, for the engine that made the set."""
    plan = plan_of(facts, target)
    version = find_engines().of(plan.set.manifest.engine_data_version)
    directory = EngineDirectory(root / "engine", version)
    laid_out = lay_out(
        plan,
        tuple(source.store for source in facts.sources),
        directory,
        pace=FixedPace(threads=2),
        progress=Progress(),
        check=lambda: None,
    )
    return directory, laid_out, plan


@contextlib.contextmanager
def restored(
    facts: Facts, target: int | None, root: Path, *, as_role: EngineRole = EngineRole.STANDBY
) -> Iterator[Restored]:
    """Run an engine restored to `target` (None: the newest moment) below `root`; remove it afterwards."""
    try:
        directory, laid_out, plan = layout(facts, target, root)
        role.set_role(directory, as_role)
        account_file = root / "account.json"
        account.store_account(account_file, account.decode_account(laid_out.account))
        with engine_in(directory, account_file, role=as_role) as rig:
            if as_role is EngineRole.STANDBY:
                is_writing = directory.version.release.is_standby_writing
                with rig.session() as session:
                    control.wait_replayed(session, 30, until=laid_out.end.lsn if is_writing else None)
            yield Restored(rig=rig, laid_out=laid_out, plan=plan)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def inner_entry_scns(facts: Facts) -> list[int]:
    """Return the SCN of every entry that is not the last of its group: where a cut at whole groups would be wrong."""
    found: list[int] = []
    for piece in facts.pieces:
        store = facts.sources[piece.source].store
        for item in piece.objects:
            stored = store.get(item.name)
            scan = scan_frames(lambda offset, size, stored=stored: stored[offset : offset + size], item.size_bytes)
            for frame in scan.frames:
                header = frame.header
                body = stored[frame.end_offset - header.stored_size_bytes : frame.end_offset]
                log = bytes(open_frame(header, body))[LOG_INFO_BYTES if header.frame.has_info_block else 0 :]
                position = Position(lsn=header.frame.start_lsn, accumulated=None, log_id=None, scn=Scn(0))
                for offset, _ in groups(log, position):
                    scns = [int(entry.scn) for entry in decode_entries(memoryview(log)[offset:])]
                    found += [scn for scn in scns[:-1] if scn < scns[-1]]
    return found
