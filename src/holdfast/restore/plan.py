"""Which set and which log reach a moment. Pure: facts in, a plan or a refusal out.

Words: a set's *path* is the log that can be replayed on top of it without a gap, from its base LSN on; the path's *reach*
is the SCN of the path's last group. A moment T is reachable from a set when MIN_RESTORE_SCN <= T <= reach: the image holds
nothing later than MIN_RESTORE_SCN, and no entry at or below the reach lies outside the path, because SCNs rise along the log.

Pieces join when the next one begins at or before the LSN where the last ended and reaches further. Where they meet, the
accumulated checksums are compared if both are known; the restore's own walk proves the chain once more, byte by byte.
"""

from dataclasses import dataclass

from holdfast import codes
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.manifest import Manifest
from holdfast.errors import RefusedError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFact:
    """A complete set: its manifest was read and is sound. `source`: which destination of the restore holds it."""

    source: int
    root: str
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObjectFact:
    """One log object: LSNs `[first_lsn, end_lsn)` of one block in `size_bytes` of whole frames."""

    name: str
    block_id: int
    first_lsn: Lsn
    end_lsn: Lsn
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceFact:
    """A piece as far as whole frames go, which may be further than its record promises.

    `begin`, `end`: as in PieceRecord. `start_scn`: START_SCN, for messages. `objects` rise without a gap from begin to end.
    `of_set_id`: the encrypted set whose own log this is, sealed with its key; 0 for log that needs no key.
    """

    source: int
    root: str
    cluster_id: int
    tenant_id: int
    timeline: str
    round_id: int
    piece_id: int
    start_scn: Scn
    begin: LogPosition
    end: LogPosition
    objects: tuple[LogObjectFact, ...]
    of_set_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStep:
    """Read `piece`'s log from `from_lsn` on."""

    piece: PieceFact
    from_lsn: Lsn


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The log on top of a set: steps in order, and where it ends. `stopped_by`: the piece behind the gap, if there is one."""

    steps: tuple[LogStep, ...]
    end: LogPosition
    stopped_by: PieceFact | None

    @property
    def reach(self) -> Scn:
        return self.end.scn


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """What to restore: one set's complete index, then its log up to and including `target`."""

    set: SetFact
    chain: tuple[SetFact, ...]
    steps: tuple[LogStep, ...]
    target: Scn

    @property
    def set_roots(self) -> tuple[str, ...]:
        return tuple(fact.root for fact in self.chain)

    @property
    def piece_roots(self) -> tuple[str, ...]:
        return tuple(step.piece.root for step in self.steps)


class OutOfReachError(Exception):
    """No set reaches the target; None when no set is usable at all."""

    def __init__(self, target: Scn | None) -> None:
        super().__init__(target)
        self.target = target


def path_of(chosen: SetFact, pieces: tuple[PieceFact, ...]) -> Path | None:
    """Return the log that can be replayed on top of the set, None when its base LSN is in no piece of its round."""
    manifest = chosen.manifest
    own = [
        piece
        for piece in pieces
        if (piece.cluster_id, piece.tenant_id) == (manifest.cluster_id, manifest.tenant_id)
        # Another set's sealed log would ask for another password.
        and piece.of_set_id in (0, manifest.backup_set_id)
    ]
    same_log = [piece for piece in own if piece.timeline == manifest.timeline and piece.round_id == manifest.round_id]
    first = _covering(same_log, manifest.base_lsn, None)
    if first is None:
        return None
    steps = [LogStep(piece=first, from_lsn=manifest.base_lsn)]
    end = first.end
    while (following := _covering(own, end.lsn, end)) is not None:
        steps.append(LogStep(piece=following, from_lsn=end.lsn))
        end = following.end
    return Path(steps=tuple(steps), end=end, stopped_by=_behind(own, end))


def _covering(pieces: list[PieceFact], lsn: Lsn, before: LogPosition | None) -> PieceFact | None:
    """Return the piece that goes on at `lsn`: one that begins exactly there if any, else the one that reaches furthest."""
    found = [piece for piece in pieces if piece.begin.lsn <= lsn < piece.end.lsn and _chains(before, piece)]
    return max(found, key=lambda piece: (piece.begin.lsn == lsn, piece.end.lsn), default=None)


def _chains(before: LogPosition | None, piece: PieceFact) -> bool:
    """Return whether the piece's beginning does not contradict what came before it."""
    begin = piece.begin
    if before is None or begin.lsn != before.lsn or begin.accumulated is None or before.accumulated is None:
        return True
    return (begin.accumulated, begin.log_id) == (before.accumulated, before.log_id)


def _behind(pieces: list[PieceFact], end: LogPosition) -> PieceFact | None:
    later = [piece for piece in pieces if piece.begin.lsn > end.lsn and piece.objects]
    return min(later, key=lambda piece: piece.begin.lsn, default=None)


def usable_sets(sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...]) -> tuple[tuple[SetFact, Path], ...]:
    """Return the sets whose chain is there and whose log reaches their consistent moment, each with its path, newest first."""
    ids = {fact.manifest.backup_set_id for fact in sets}
    return tuple(
        (fact, path)
        for fact in sorted(sets, key=lambda fact: fact.manifest.backup_set_id, reverse=True)
        if all(number in ids for number in fact.manifest.chain)
        and (path := path_of(fact, pieces)) is not None
        and path.reach >= fact.manifest.min_restore_scn
    )


def plan_restore(
    sets: tuple[SetFact, ...],
    pieces: tuple[PieceFact, ...],
    target: Scn | None,
    *,
    installed_versions: tuple[str, ...],
) -> RestorePlan:
    """Return the plan for `target`, or for the newest reachable moment when it is None.

    The newest set that can reach the target is taken: least log to replay. `installed_versions`: the engines' data versions
    that can be started here; a set needs its own. Raises OutOfReachError when nothing reaches the target (`refusal` finds the
    words), RefusedError -4179 for sets of two tenants or of an engine that is not installed.
    """
    _refuse_mixture(sets)
    usable = usable_sets(sets, pieces)
    if target is None and usable:
        target = max(path.reach for _, path in usable)
    for fact, path in usable:
        if target is not None and fact.manifest.min_restore_scn <= target <= path.reach:
            _refuse_version(fact, installed_versions)
            by_id = {one.manifest.backup_set_id: one for one in sets}
            chain = tuple(by_id[number] for number in fact.manifest.chain)
            return RestorePlan(set=fact, chain=chain, steps=_needed(path, target), target=target)
    raise OutOfReachError(target)


def _needed(path: Path, target: Scn) -> tuple[LogStep, ...]:
    """Return the steps up to the first piece that holds a group at or above the target."""
    for number, step in enumerate(path.steps):
        if step.piece.end.scn >= target:
            # A group that straddles the border of time lies, whole, in the next piece: only equality needs no more.
            return path.steps[: number + 1]
    return path.steps


def _refuse_mixture(sets: tuple[SetFact, ...]) -> None:
    owners = {(fact.manifest.cluster_id, fact.manifest.tenant_id) for fact in sets}
    if len(owners) > 1:
        raise RefusedError(codes.OB_OP_NOT_ALLOW.text("restoring backupsets of different tenants"))


def _refuse_version(fact: SetFact, installed_versions: tuple[str, ...]) -> None:
    """Refuse a set whose own engine is not here: no other one reads its bytes, neither a newer nor an older one."""
    made_by = fact.manifest.engine_data_version
    if made_by in installed_versions:
        return
    newest = max(installed_versions, key=_numbers)
    what = "higher" if _numbers(made_by) > _numbers(newest) else "lower"
    raise RefusedError(
        codes.OB_OP_NOT_ALLOW.text(f"restore from {what} data version is"),
        hint=f"{fact.root} was made by engine {made_by}, this server has {', '.join(installed_versions)}: "
        f"install engine {made_by} beside them and name its folder in HOLDFAST_ENGINES",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
