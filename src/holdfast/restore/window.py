"""Which moments can be restored, and why the others can not. Pure: facts in, spans of time out.

A set reaches every moment from its MIN_RESTORE_SCN to the end of its path. Where the reaches of sets of one history touch or overlap
they are one interval; what lies between two intervals, and between the last one and the end of the archived log, is a gap.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from holdfast.backup_format.reach import (
    FULL_WAY_OUT,
    LOG_WAY_OUT,
    OtherEngine,
    Path,
    PieceFact,
    SetFact,
    histories_of,
    missing_of,
    other_engine_of,
    path_of,
    usable_sets,
)
from holdfast.engine_format.layout import shown
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Every moment in `[first_scn, last_scn]`, both ends included, can be restored.

    `sets`: the sets that begin in it, oldest first; the newest one at or before a moment is the one restored. `sources`: where
    these sets, those they rest on and their log lie, sorted. `is_foreign`: there is another history, and this is not the server's own:
    a copy of it wrote it, or it did before it was put back.
    """

    first_scn: Scn
    last_scn: Scn
    sets: tuple[SetFact, ...]
    sources: tuple[int, ...]
    is_foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """No moment strictly between `after_scn` and `before_scn` can be restored, and why; `before_scn` None: none after it.

    `cause` and `remedy` are lower-case sentences: what is missing, and which backup or file closes it or keeps it from growing.
    """

    after_scn: Scn
    before_scn: Scn | None
    cause: str
    remedy: str


Span = Interval | Gap


ONE_OF_THEM = "name the archive of one of them alone, or its pieces by ADD RESTORE SOURCE"


OF_ITS_ENGINE = "an engine reads what its own version made: a full backup of the tenant as it is now needs none of it"


def _made_by(other: OtherEngine, own: str) -> str:
    return f"{other.root}, which engine {shown(other.engine_data_version)} made, not {shown(own)}"


def listed(pieces: Iterable[PieceFact]) -> str:
    """Return the pieces, each with its round."""
    return " and ".join(sorted(f"{piece.root} (round {piece.round_id})" for piece in pieces))


def spans_of(
    sets: tuple[SetFact, ...],
    pieces: tuple[PieceFact, ...],
    *,
    is_own: Callable[[Owner | None], bool] = lambda owner: True,
) -> tuple[Span, ...]:
    """Return intervals and gaps in the order of time, of one tenant. Empty when nothing was ever backed up.

    Intervals of two histories may overlap. `is_own`: whether this server wrote a piece; of one history everything counts as its own.
    """
    usable = usable_sets(sets, pieces)
    histories = histories_of(usable)
    intervals = _intervals(usable, histories, sets, is_own)
    path_of_set = {_key(fact): path for fact, path in usable}
    spans: list[Span] = []
    for interval in intervals:
        spans.append(interval)
        if any(one is not interval and _reaches_over(one, interval) for one in intervals):
            continue
        following = next((one for one in intervals if one.first_scn > interval.last_scn), None)
        path = max((path_of_set[_key(fact)] for fact in interval.sets), key=lambda path: path.reach)
        gap = _gap_after(interval, path, following)
        if gap is not None:
            spans.append(gap)
    for fact in sets:
        if _key(fact) in path_of_set:
            continue
        if not any(isinstance(span, Interval) and _holds(span, fact.manifest.min_restore_scn) for span in spans):
            spans.append(_gap_of_set(fact, sets, pieces))
    return tuple(sorted(spans, key=lambda span: span.first_scn if isinstance(span, Interval) else span.after_scn))


def _key(fact: SetFact) -> tuple[int, str]:
    return fact.source, fact.root


def _holds(interval: Interval, scn: Scn) -> bool:
    return interval.first_scn <= scn <= interval.last_scn


def _reaches_over(one: Interval, other: Interval) -> bool:
    """Return whether the moment behind `other` is in `one`: of two that end together the first counts."""
    return one.first_scn <= other.last_scn < one.last_scn


def _intervals(
    usable: tuple[tuple[SetFact, Path], ...],
    histories: tuple[tuple[tuple[SetFact, Path], ...], ...],
    sets: tuple[SetFact, ...],
    is_own: Callable[[Owner | None], bool],
) -> list[Interval]:
    """Return the intervals in the order of time. Those of two histories are apart where they overlap, and the foreign one is told."""
    anywhere = {fact.manifest.backup_set_id: fact.source for fact in sets}
    beside = {(fact.source, fact.manifest.backup_set_id) for fact in sets}
    history_of = {_key(fact): number for number, items in enumerate(histories) for fact, _ in items}
    found: list[tuple[int, Interval]] = []
    for fact, path in sorted(usable, key=lambda item: item[0].manifest.min_restore_scn):
        first, history = fact.manifest.min_restore_scn, history_of[_key(fact)]
        sources = {
            fact.source if (fact.source, number) in beside else anywhere[number] for number in fact.manifest.chain
        } | {step.piece.source for step in path.steps}
        place = next(
            (n for n, (of, one) in enumerate(found) if of == history and one.first_scn <= first <= one.last_scn + 1),
            None,
        )
        if place is None:
            is_foreign = len(histories) > 1 and not is_own(path.steps[-1].piece.owner)
            interval = Interval(
                first_scn=first,
                last_scn=path.reach,
                sets=(fact,),
                sources=tuple(sorted(sources)),
                is_foreign=is_foreign,
            )
            found.append((history, interval))
        else:
            last = found[place][1]
            interval = replace(
                last,
                last_scn=max(last.last_scn, path.reach),
                sets=(*last.sets, fact),
                sources=tuple(sorted(sources.union(last.sources))),
            )
            found[place] = (history, interval)
    return [interval for _, interval in found]


def _gap_after(interval: Interval, path: Path, following: Interval | None) -> Gap | None:
    behind = path.stopped_by
    other = path.other_engine
    if following is None and behind is None and other is None and not path.damage and not path.rivals:
        return None  # the archived log ends here, and so does what anybody could ask for
    before = following.first_scn if following is not None else None
    if path.rivals:
        cause = f"two histories go on at LSN {path.end.lsn.text()}: {listed(path.rivals)}"
        remedy = ONE_OF_THEM
    elif other is not None:
        cause, remedy = f"the log goes on in {_made_by(other, path.steps[-1].piece.engine_data_version)}", OF_ITS_ENGINE
    elif path.damage:
        cause = f"{path.steps[-1].piece.root} can not be used from LSN {path.end.lsn.text()} on: {path.damage}"
        remedy = LOG_WAY_OUT
        if before is not None:
            remedy = f"moments from SCN {int(before)} on need none of it; {remedy}"
    elif behind is None:
        cause = f"the archived log ends at LSN {path.end.lsn.text()}"
        remedy = "only the missing log itself closes it: put back what was deleted or moved"
    else:
        cause = f"log from LSN {path.end.lsn.text()} up to LSN {behind.begin.lsn.text()} is missing, where {behind.root} begins"
        remedy = "only the missing log itself closes it: put back what was deleted or moved"
        if following is None:
            remedy = f"for moments after it {FULL_WAY_OUT}"
    return Gap(after_scn=interval.last_scn, before_scn=before, cause=cause, remedy=remedy)


def _gap_of_set(fact: SetFact, sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...]) -> Gap:
    """Return why a complete set can not be used."""
    manifest = fact.manifest
    missing = missing_of(fact, sets)
    path = path_of(fact, pieces)
    other = other_engine_of(fact, sets, pieces)
    if missing:
        cause = f"{fact.root} rests on backup set {', '.join(str(number) for number in missing)}, which is not there"
        remedy = "put it back, or take a full backup"
    elif other is not None:
        cause, remedy = f"{fact.root} needs {_made_by(other, manifest.engine_data_version)}", OF_ITS_ENGINE
    elif path is None:
        cause = f"{fact.root} needs log from LSN {manifest.base_lsn.text()} on, and no piece holds it"
        remedy = f"put the piece back, or {FULL_WAY_OUT}. PLUS ARCHIVELOG keeps a set's log with it"
    else:
        cause = f"{fact.root} is consistent after its log ends, at LSN {path.end.lsn.text()}"
        remedy = f"let the archive go on, or {FULL_WAY_OUT}"
        if path.rivals:
            cause, remedy = f"{cause}: two histories go on there: {listed(path.rivals)}", ONE_OF_THEM
        elif path.damage:
            cause, remedy = f"{cause}: {path.steps[-1].piece.root} is damaged: {path.damage}", LOG_WAY_OUT
    return Gap(after_scn=manifest.min_restore_scn, before_scn=None, cause=cause, remedy=remedy)
