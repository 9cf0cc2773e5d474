"""Which moments can be restored, and why the others can not. Pure: facts in, spans of time out.

A set reaches every moment from its MIN_RESTORE_SCN to the end of its path. Where the reaches of sets touch or overlap they are
one interval; what lies between two intervals, and between the last one and the end of the archived log, is a gap.
"""

from dataclasses import dataclass, replace

from holdfast.restore.plan import Path, PieceFact, SetFact, path_of, usable_sets
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Every moment in `[first_scn, last_scn]`, both ends included, can be restored.

    `sets`: the sets that begin in it, oldest first; the newest one at or before a moment is the one restored. `sources`: where
    these sets, those they rest on and their log lie, sorted.
    """

    first_scn: Scn
    last_scn: Scn
    sets: tuple[SetFact, ...]
    sources: tuple[int, ...]


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


def spans_of(sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...]) -> tuple[Span, ...]:
    """Return intervals and gaps in the order of time, of one tenant. Empty when nothing was ever backed up."""
    usable = usable_sets(sets, pieces)
    intervals = _intervals(usable, {fact.manifest.backup_set_id: fact.source for fact in sets})
    spans: list[Span] = []
    for number, interval in enumerate(intervals):
        following = intervals[number + 1] if number + 1 < len(intervals) else None
        ids = {fact.manifest.backup_set_id for fact in interval.sets}
        paths = (path for fact, path in usable if fact.manifest.backup_set_id in ids)
        path = max(paths, key=lambda path: path.reach)
        spans.append(interval)
        gap = _gap_after(interval, path, following)
        if gap is not None:
            spans.append(gap)
    usable_ids = {fact.manifest.backup_set_id for fact, _ in usable}
    unusable = [fact for fact in sets if fact.manifest.backup_set_id not in usable_ids]
    for fact in unusable:
        if not any(isinstance(span, Interval) and _holds(span, fact.manifest.min_restore_scn) for span in spans):
            spans.append(_gap_of_set(fact, sets, pieces))
    return tuple(sorted(spans, key=lambda span: span.first_scn if isinstance(span, Interval) else span.after_scn))


def _holds(interval: Interval, scn: Scn) -> bool:
    return interval.first_scn <= scn <= interval.last_scn


def _intervals(usable: tuple[tuple[SetFact, Path], ...], source_of: dict[int, int]) -> list[Interval]:
    found: list[Interval] = []
    for fact, path in sorted(usable, key=lambda item: item[0].manifest.min_restore_scn):
        first = fact.manifest.min_restore_scn
        sources = {source_of[number] for number in fact.manifest.chain} | {step.piece.source for step in path.steps}
        last = found[-1] if found and first <= found[-1].last_scn + 1 else None
        if last is None:
            found.append(Interval(first_scn=first, last_scn=path.reach, sets=(fact,), sources=tuple(sorted(sources))))
        else:
            found[-1] = replace(
                last,
                last_scn=max(last.last_scn, path.reach),
                sets=(*last.sets, fact),
                sources=tuple(sorted(sources.union(last.sources))),
            )
    return found


def _gap_after(interval: Interval, path: Path, following: Interval | None) -> Gap | None:
    behind = path.stopped_by
    if following is None and behind is None:
        return None  # the archived log ends here, and so does what anybody could ask for
    before = following.first_scn if following is not None else None
    if behind is None:
        cause = f"the archived log ends at LSN {path.end.lsn.text()}"
        remedy = "only the missing log itself closes it: put back what was deleted or moved"
    else:
        cause = f"log from LSN {path.end.lsn.text()} up to LSN {behind.begin.lsn.text()} is missing, where {behind.root} begins"
        remedy = "only the missing log itself closes it: put back what was deleted or moved"
        if following is None:
            remedy = "a full backup taken now makes the moments after it restorable"
    return Gap(after_scn=interval.last_scn, before_scn=before, cause=cause, remedy=remedy)


def _gap_of_set(fact: SetFact, sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...]) -> Gap:
    """Return why a complete set can not be used."""
    manifest = fact.manifest
    ids = {one.manifest.backup_set_id for one in sets}
    missing = [number for number in manifest.chain if number not in ids]
    path = path_of(fact, pieces)
    if missing:
        cause = f"{fact.root} rests on backup set {', '.join(str(number) for number in missing)}, which is not there"
        remedy = "put it back, or take a full backup"
    elif path is None:
        cause = f"{fact.root} needs log from LSN {manifest.base_lsn.text()} on, and no piece holds it"
        remedy = "put the piece back, or take a full backup; PLUS ARCHIVELOG keeps a set's log with it"
    else:
        cause = f"{fact.root} is consistent after its log ends, at LSN {path.end.lsn.text()}"
        remedy = "let the archive go on, or take a full backup"
    return Gap(after_scn=manifest.min_restore_scn, before_scn=None, cause=cause, remedy=remedy)
