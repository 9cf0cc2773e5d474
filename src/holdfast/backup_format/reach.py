"""Which moments can be restored, from which sets, with which log. Pure: facts in, paths and moments out. The one answer to it.

Words: a set's *path* is the log that can be replayed on top of it without a gap, from its base LSN on; the path's *reach*
is the SCN of the path's last group. A moment T is reachable from a set when MIN_RESTORE_SCN <= T <= reach: the image holds
nothing later than MIN_RESTORE_SCN, and no entry at or below the reach lies outside the path, because SCNs rise along the log.

One log may have several histories: a machine that is put back to a snapshot, or cloned, writes other log at LSNs that were
archived before. Every round has a timeline of its own, so timelines alone do not tell: two rounds mostly hold one history, and
two copies of one round may hold two. What tells is the chain: the accumulated checksum and the log id of the group before an
LSN, which two histories do not share. Hence the laws of a path, whatever the facts are:

    1  up to the image's end it lies on the timeline that the set's manifest names: two histories may share log below that
    2  it goes on in a piece only where that piece's chain at the LSN is known to be the path's; an unknown chain counts only
       within one timeline, which a round makes for itself
    3  it stays on its timeline while that goes on
    4  where two pieces go on that hold different log, it takes the log they share and ends
    5  it ends before log of another engine than the set's, which can not replay it; nor does a set of another count in a chain

So no path mixes two histories. Of two sets each may have the path of another history, and both may reach one moment: `histories_of`
tells them apart, and who restores chooses one, or asks.

A path that ends too early is a moment not offered; a path that mixes would be a wrong one. Damage is no different: a piece ends where
its damage begins, and what needs no more than is left of it is not touched by it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import itemgetter

from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.manifest import Manifest
from holdfast.backup_format.names import parse_piece_root
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.values.lsn import Lsn
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn

FULL_WAY_OUT = (
    "take a full backup; where the log is of the round that runs, begin another first (ALTER SYSTEM NOARCHIVELOG, and once STATUS is"
    " STOP, ARCHIVELOG): the engine's checkpoint may be older than the loss"
)
"""What helps where log is lost. A round begins where the engine's replay would, so what a backup needs is in it whatever came before."""
LOG_WAY_OUT = f"bring the object back from a copy, or {FULL_WAY_OUT}"
FOREIGN_WAY_OUT = (
    "it counts for nothing here: move its folder out of the destination, whose restores it may keep from being planned"
)
SET_WAY_OUT = "bring the object back from a copy, or take a full backup: it needs none of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFact:
    """A complete set: its manifest was read and is sound. `source`: which destination of the reading holds it."""

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
    """A piece as far as whole frames go: further than its record promises, or less far where it is damaged.

    `begin`, `end`: as in PieceRecord. `start_scn`: START_SCN, for messages. `objects` rise without a gap from begin to end.
    `marks`: the chain at further LSNs inside, where others may join; without a checksum: the log compared there is another.
    `engine_data_version`: of the engine whose log it is.
    `set_id`: the set whose own log this is, 0 for an archive's; `is_sealed`: with that set's key, so it serves that set alone.
    `damage`: why the piece ends before its record does, in words that name the object; "" when it does not.
    `owner`: who wrote its record last; None of one made before there were owners. `keys`: how an archive's piece is sealed, as its
    record says.
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
    engine_data_version: str
    marks: tuple[LogPosition, ...] = ()
    set_id: int = 0
    is_sealed: bool = False
    damage: str = ""
    owner: Owner | None = None
    keys: tuple[PieceKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What of a destination can not be used. `root`: its set's or piece's folder; `words`: which object, what is wrong with it.

    `is_unknown`: its bytes are as they were written, by a version that this build does not know. `is_foreign`: it may be whole, but
    is another tenant's.
    """

    source: int
    root: str
    words: str
    is_unknown: bool = False
    is_foreign: bool = False

    @property
    def text(self) -> str:
        return f"{self.root} ({self.words})"

    @property
    def way_out(self) -> str:
        """Return what to do about it. The log that a set has of its own goes with the set."""
        if self.is_foreign:
            return FOREIGN_WAY_OUT
        return LOG_WAY_OUT if parse_piece_root(self.root) is not None else SET_WAY_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStep:
    """Read `piece`'s log from `from_lsn` on."""

    piece: PieceFact
    from_lsn: Lsn


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEngine:
    """What was made by another engine than a set, and stands in its way. `root`: of the piece, or the set of its chain."""

    root: str
    engine_data_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The log on top of a set: steps in order, and where it ends.

    Why it ends there: `stopped_by`, the piece behind the gap, if there is one; `rivals`, pieces that go on with different log;
    `other_engine`, the piece that goes on with log of another engine.
    """

    steps: tuple[LogStep, ...]
    end: LogPosition
    stopped_by: PieceFact | None
    rivals: tuple[PieceFact, ...] = ()
    other_engine: OtherEngine | None = None

    @property
    def reach(self) -> Scn:
        return self.end.scn

    @property
    def damage(self) -> str:
        """Return the damage the path ends at, in words, "" when it ends for another reason."""
        return self.steps[-1].piece.damage

    def step_to(self, target: Scn) -> int:
        """Return the number of the step that holds the last group at or below `target`, which the path reaches."""
        # A group that straddles the border of time lies, whole, in the next piece: only equality needs no more.
        return next(number for number, step in enumerate(self.steps) if step.piece.end.scn >= target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The points from `first_scn` to `last_scn`, both included."""

    first_scn: Scn
    last_scn: Scn


def path_of(chosen: SetFact, pieces: Iterable[PieceFact]) -> Path | None:
    """Return the log that can be replayed on top of the set, None when its base LSN is in no piece of its round that it can read."""
    return _Logs(pieces).path_of(chosen)


def other_engine_of(chosen: SetFact, sets: Iterable[SetFact], pieces: Iterable[PieceFact]) -> OtherEngine | None:
    """Return what of another engine keeps the set from reaching anything, or further: of its chain, else of its log."""
    manifest = chosen.manifest
    owner = (manifest.cluster_id, manifest.tenant_id)
    of_chain = [one for one in sets if one.manifest.backup_set_id in manifest.chain]
    for one in of_chain:
        version = one.manifest.engine_data_version
        if (one.manifest.cluster_id, one.manifest.tenant_id) == owner and version != manifest.engine_data_version:
            return OtherEngine(root=one.root, engine_data_version=version)
    logs = _Logs(pieces)
    path = logs.path_of(chosen)
    if path is not None:
        return path.other_engine
    beginning = logs.beginning(chosen)
    return _of_piece(next_piece(beginning, manifest.base_lsn, manifest.timeline, manifest.engine_data_version))


def _of_piece(piece: PieceFact | None) -> OtherEngine | None:
    return None if piece is None else OtherEngine(root=piece.root, engine_data_version=piece.engine_data_version)


def goes_on(before: LogPosition, timeline: str, piece: PieceFact) -> bool:
    """Return whether the piece, which holds the LSN, goes on with the log that has come to `before` on this timeline."""
    known = _known_at(piece, before.lsn)
    if known is None or before.accumulated is None:
        return piece.timeline == timeline
    return (known.accumulated, known.log_id) == (before.accumulated, before.log_id)


def _known_at(piece: PieceFact, lsn: Lsn) -> LogPosition | None:
    """Return the piece's chain at an LSN inside it, None when it is not known."""
    if piece.begin.lsn == lsn and piece.begin.accumulated is not None:
        return piece.begin
    return next((mark for mark in piece.marks if mark.lsn == lsn), None)


def next_piece(candidates: Sequence[PieceFact], lsn: Lsn, timeline: str, engine_data_version: str) -> PieceFact | None:
    """Return the piece to go on with at `lsn`, None when there is none, or they hold different log from here on.

    `candidates` hold the LSN and go on there. Those of this engine come first; the answer may be of another. Of several the one that
    ends first: where it ends, others may begin that hold other log than those that reach further, and they are asked again there.
    """
    found = [piece for piece in candidates if piece.timeline == timeline] or list(candidates)
    own = [piece for piece in found if piece.engine_data_version == engine_data_version] or found
    nearest = min(own, key=lambda piece: (piece.end.lsn, piece.begin.lsn != lsn), default=None)
    return nearest if nearest is not None and all(_agree(nearest, other) for other in found) else None


def _agree(one: PieceFact, other: PieceFact) -> bool:
    """Return whether two pieces hold the same log as far as the shorter one goes."""
    short, long = (one, other) if one.end.lsn <= other.end.lsn else (other, one)
    if short.end.lsn < long.end.lsn:
        return goes_on(short.end, short.timeline, long)
    chains = [(piece.end.accumulated, piece.end.log_id) for piece in (short, long)]
    return short.timeline == long.timeline if None in (chains[0][0], chains[1][0]) else chains[0] == chains[1]


def longest_timeline(pieces: Iterable[PieceFact]) -> str | None:
    """Return the timeline that reaches furthest of all that these pieces are of, None where two timelines hold different log.

    They are all pieces of timelines that share the log at some LSN, with marks. Two hold the same log if the one that ends first is
    known to end inside the other: a chain is of all log before it.
    """
    ends: dict[str, PieceFact] = {}
    of: dict[str, list[PieceFact]] = {}
    for piece in pieces:
        of.setdefault(piece.timeline, []).append(piece)
        if piece.timeline not in ends or piece.end.lsn > ends[piece.timeline].end.lsn:
            ends[piece.timeline] = piece
    ascending = sorted(ends.values(), key=lambda piece: piece.end.lsn)
    for place, short in enumerate(ascending):
        for long in ascending[place + 1 :]:
            lsn = short.end.lsn
            holding = [piece for piece in of[long.timeline] if piece.begin.lsn <= lsn < piece.end.lsn]
            if lsn == long.end.lsn:
                holding = [long]
            if not any(_agree(short, piece) for piece in holding):
                return None
    return ascending[-1].timeline if ascending else None


def do_differ(one: PieceFact, other: PieceFact) -> bool:
    """Return whether two pieces are known to hold different log at some LSN that both hold. What is not known does not count."""
    if one is other or max(one.begin.lsn, other.begin.lsn) >= min(one.end.lsn, other.end.lsn):
        return False
    short, long = (one, other) if one.end.lsn <= other.end.lsn else (other, one)
    known = long.end if long.end.lsn == short.end.lsn else _known_at(long, short.end.lsn)
    if known is None or short.end.accumulated is None:
        return False
    return (known.accumulated, known.log_id) != (short.end.accumulated, short.end.log_id)


def _do_part(one: Path, other: Path) -> bool:
    """Return whether two paths hold different log at some LSN. Two that end with one piece have the same way to it."""
    if one.steps[-1].piece is other.steps[-1].piece:
        return False
    places, ends = [0, 0], [len(one.steps), len(other.steps)]
    while places[0] < ends[0] and places[1] < ends[1]:
        pieces = one.steps[places[0]].piece, other.steps[places[1]].piece
        if do_differ(*pieces):
            return True
        places[0 if pieces[0].end.lsn <= pieces[1].end.lsn else 1] += 1
    return False


def histories_of(usable: Sequence[tuple[SetFact, Path]]) -> tuple[tuple[tuple[SetFact, Path], ...], ...]:
    """Return the sets by history, in the order of the first of each. One is all that is known not to part.

    A path that ends before two histories part is in the one that comes first.
    """
    found: list[list[tuple[SetFact, Path]]] = []
    known: list[dict[int, Path]] = []  # of each history the paths that end differently
    for fact, path in usable:
        end = id(path.steps[-1].piece)
        place = next((n for n, paths in enumerate(known) if end in paths), None)
        if place is None:
            place = next(
                (n for n, paths in enumerate(known) if not any(_do_part(path, one) for one in paths.values())),
                len(found),
            )
        if place == len(found):
            found.append([])
            known.append({})
        found[place].append((fact, path))
        known[place].setdefault(end, path)
    return tuple(tuple(one) for one in found)


class PiecesByLsn:
    """Pieces found by LSN: holders in the order they were given in, without looking at all of them."""

    def __init__(self, pieces: Iterable[tuple[int, PieceFact]]) -> None:
        self._pieces = sorted(pieces, key=lambda numbered: numbered[1].begin.lsn)
        self._begins = [piece.begin.lsn for _, piece in self._pieces]
        self._ends = list(accumulate((piece.end.lsn for _, piece in self._pieces), max))  # of all up to each
        self._with_log = [piece for _, piece in self._pieces if piece.objects]
        self._begins_with_log = [piece.begin.lsn for piece in self._with_log]
        self.end_lsn = self._ends[-1] if self._ends else Lsn(0)

    def holding(self, lsn: Lsn) -> list[tuple[int, PieceFact]]:
        """Return the pieces that hold the LSN, numbered."""
        found: list[tuple[int, PieceFact]] = []
        place = bisect_right(self._begins, lsn) - 1
        while place >= 0 and self._ends[place] > lsn:
            if self._pieces[place][1].end.lsn > lsn:
                found.append(self._pieces[place])
            place -= 1
        return sorted(found, key=itemgetter(0))

    def behind(self, lsn: Lsn) -> PieceFact | None:
        """Return the first piece that begins behind the LSN and holds log."""
        place = bisect_right(self._begins_with_log, lsn)
        return self._with_log[place] if place < len(self._with_log) else None


@dataclass(slots=True)
class _Way:
    """One path that was gone, for those that come upon it: they end as it does."""

    steps: list[LogStep]
    end: LogPosition
    candidates: list[PieceFact]
    following: PieceFact | None


class _Logs:
    """The log of every tenant in a listing. Paths that meet are gone once: a path of n pieces costs n for all sets together."""

    def __init__(self, pieces: Iterable[PieceFact]) -> None:
        parts: dict[tuple[int, int, int], list[tuple[int, PieceFact]]] = {}
        for number, piece in enumerate(pieces):
            # Another set's sealed log would ask for another password.
            part = (piece.cluster_id, piece.tenant_id, piece.set_id if piece.is_sealed else 0)
            parts.setdefault(part, []).append((number, piece))
        self._parts = {part: PiecesByLsn(numbered) for part, numbered in parts.items()}
        self._nothing = PiecesByLsn(())
        self._ways: dict[tuple[int, str], tuple[_Way, int]] = {}

    def _of(self, manifest: Manifest) -> tuple[PiecesByLsn, PiecesByLsn]:
        """Return the tenant's log that needs no key, and the set's own that is sealed."""
        owner = (manifest.cluster_id, manifest.tenant_id)
        open_log = self._parts.get((*owner, 0), self._nothing)
        return open_log, self._parts.get((*owner, manifest.backup_set_id), self._nothing)

    def _holding(self, manifest: Manifest, lsn: Lsn) -> list[PieceFact]:
        open_log, sealed = self._of(manifest)
        return [piece for _, piece in sorted([*open_log.holding(lsn), *sealed.holding(lsn)], key=itemgetter(0))]

    def beginning(self, chosen: SetFact) -> list[PieceFact]:
        """Return the pieces of the set's round that hold its base LSN."""
        manifest = chosen.manifest
        wanted = (manifest.timeline, manifest.round_id)
        holding = self._holding(manifest, manifest.base_lsn)
        return [piece for piece in holding if (piece.timeline, piece.round_id) == wanted]

    def path_of(self, chosen: SetFact) -> Path | None:
        """Return the log that can be replayed on top of the set, as `path_of` does."""
        way = self._way(chosen)
        if way is None:
            return None
        behind = [log.behind(way.end.lsn) for log in self._of(chosen.manifest)]
        return Path(
            steps=tuple(way.steps),
            end=way.end,
            stopped_by=min((one for one in behind if one is not None), key=lambda one: one.begin.lsn, default=None),
            rivals=() if way.following is not None else tuple(way.candidates),
            other_engine=_of_piece(way.following),
        )

    def _way(self, chosen: SetFact) -> _Way | None:
        manifest = chosen.manifest
        version = manifest.engine_data_version
        _, sealed = self._of(manifest)
        lsn, timeline = manifest.base_lsn, manifest.timeline
        steps: list[LogStep] = []
        passed: list[tuple[int, int]] = []
        end: LogPosition | None = None
        known: tuple[_Way, int] | None = None
        candidates = self.beginning(chosen)
        while (following := next_piece(candidates, lsn, timeline, version)) is not None:
            if following.engine_data_version != version:
                break
            steps.append(LogStep(piece=following, from_lsn=lsn))
            end, timeline = following.end, following.timeline
            lsn = end.lsn
            is_image_whole = lsn >= manifest.end_lsn  # from there on the path is known to hold the image's own end
            if is_image_whole and lsn >= sealed.end_lsn:
                # Nothing of the set itself decides any more: whoever leaves this piece goes the same way.
                known = self._ways.get((id(following), version))
                passed.append((id(following), len(steps)))
                if known is not None:
                    break
            candidates = [
                piece
                for piece in self._holding(manifest, lsn)
                if goes_on(end, timeline, piece) and (is_image_whole or piece.timeline == manifest.timeline)
            ]
        if end is None:
            return None
        if known is None:
            way = _Way(steps=steps, end=end, candidates=candidates, following=following)
        else:
            before, place = known
            way = replace(before, steps=[*steps, *before.steps[place:]])
        for piece_id, place in passed:
            self._ways.setdefault((piece_id, version), (way, place))
        return way


class _Sets:
    """The sets of a listing, found by tenant and number."""

    def __init__(self, sets: Iterable[SetFact]) -> None:
        self._found: dict[tuple[int, int, int], list[SetFact]] = {}
        for one in sets:
            manifest = one.manifest
            key = (manifest.cluster_id, manifest.tenant_id, manifest.backup_set_id)
            self._found.setdefault(key, []).append(one)

    def of(self, manifest: Manifest, number: int) -> list[SetFact]:
        """Return the sets of the manifest's tenant that have this number."""
        return self._found.get((manifest.cluster_id, manifest.tenant_id, number), [])

    def chain_of(self, fact: SetFact) -> tuple[SetFact, ...] | None:
        manifest = fact.manifest
        chain: list[SetFact] = []
        for number in manifest.chain:
            if number == manifest.backup_set_id:
                chain.append(fact)
                continue
            found = self.of(manifest, number)
            found = [one for one in found if one.source == fact.source] or found
            if not found or any(one.manifest != found[0].manifest for one in found[1:]):
                return None
            chain.append(found[0])
        is_of_one_engine = len({one.manifest.engine_data_version for one in chain}) == 1
        return tuple(chain) if is_of_one_engine else None


def chain_of(fact: SetFact, sets: Iterable[SetFact]) -> tuple[SetFact, ...] | None:
    """Return the sets that hold the image's chunks, ascending, `fact` last.

    None when one is not there, not known which, or of another engine.

    Sets of one number on several destinations: the one beside `fact` counts, else any of several equal ones.
    """
    return _Sets(sets).chain_of(fact)


def missing_of(fact: SetFact, sets: Iterable[SetFact]) -> tuple[int, ...]:
    """Return the numbers of the sets that `fact` rests on and that are not there, ascending."""
    found = _Sets(sets)
    return tuple(number for number in fact.manifest.chain if not found.of(fact.manifest, number))


def usable_sets(sets: Sequence[SetFact], pieces: Iterable[PieceFact]) -> tuple[tuple[SetFact, Path], ...]:
    """Return the sets whose chain is there and whose log reaches their consistent moment, each with its path, newest first."""
    found, logs = _Sets(sets), _Logs(pieces)
    return tuple(
        (fact, path)
        for fact in sorted(
            sets, key=lambda fact: (fact.manifest.backup_set_id, fact.manifest.min_restore_scn), reverse=True
        )
        if found.chain_of(fact) is not None
        and (path := logs.path_of(fact)) is not None
        and path.reach >= fact.manifest.min_restore_scn
    )


def moments_of(usable: Iterable[tuple[SetFact, Path]]) -> tuple[Moments, ...]:
    """Return all moments that these sets reach, ascending and apart."""
    spans = [Moments(first_scn=fact.manifest.min_restore_scn, last_scn=path.reach) for fact, path in usable]
    merged: list[Moments] = []
    for span in sorted(spans, key=lambda one: (one.first_scn, one.last_scn)):
        if merged and span.first_scn <= merged[-1].last_scn + 1:
            last = max(merged[-1].last_scn, span.last_scn)
            merged[-1] = Moments(first_scn=merged[-1].first_scn, last_scn=last)
        else:
            merged.append(span)
    return tuple(merged)
