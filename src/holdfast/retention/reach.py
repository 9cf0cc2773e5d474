"""Which moments can be restored, from which sets, with which log. Pure.

The same question a restore asks (`restore.plan`), answered for all sets at once: a set reaches as far as log can be
replayed on top of it without a gap, and it is restorable when that is at least its MIN_RESTORE_SCN.
"""

from collections.abc import Iterable, Mapping

from holdfast.retention.verdict import Estate, Moments, PieceFact, SetFact
from holdfast.values.archive import FileStatus
from holdfast.values.scn import Scn


def ancestors(fact: SetFact, by_id: Mapping[int, SetFact]) -> frozenset[int]:
    """Return the ids of all sets that `fact` rests on: by its rows, by its manifest, and by theirs in turn.

    An id without a fact is in the answer too: what a set rests on may be gone.
    """
    found: set[int] = set()
    waiting = [fact]
    while waiting:
        one = waiting.pop()
        named = {one.prev_full_backup_set_id, one.prev_inc_backup_set_id, *(one.image.chain if one.image else ())}
        for set_id in named - found - {0, one.backup_set_id}:
            found.add(set_id)
            if set_id in by_id:
                waiting.append(by_id[set_id])
    return frozenset(found)


def sets_by_id(sets: Iterable[SetFact]) -> dict[int, SetFact]:
    return {fact.backup_set_id: fact for fact in sets}


def reach(fact: SetFact, sets: Mapping[int, SetFact], pieces: Iterable[PieceFact]) -> Scn | None:
    """Return the last moment the set can be restored to, None when it can not be restored at all.

    Its own log (PLUS ARCHIVELOG) comes first, then the archive's. `pieces` may hold those of any destination.
    """
    image = fact.image
    if image is None or not fact.is_usable:
        return None
    if not all(set_id in sets and sets[set_id].is_usable for set_id in ancestors(fact, sets)):
        return None
    extents = sorted(
        (
            (piece.extent, piece.round_id)
            for piece in pieces
            if piece.extent is not None and piece.file_status is FileStatus.AVAILABLE
        ),
        key=lambda found: (found[0].begin_lsn, found[0].end_lsn),
    )
    position, last = image.base_lsn, Scn(0)
    if fact.has_log:
        position, last = image.end_lsn, fact.min_restore_scn
    else:
        # The first piece must be of the set's own round; what follows is told by LSN alone.
        first = [
            extent
            for extent, round_id in extents
            if extent.timeline == image.timeline
            and round_id == image.round_id
            and extent.begin_lsn <= position < extent.end_lsn
        ]
        if not first:
            return None
        furthest = max(first, key=lambda extent: extent.end_lsn)
        position, last = furthest.end_lsn, furthest.end_scn
    for extent, _ in extents:
        if extent.begin_lsn > position:
            break
        if extent.end_lsn > position:
            position, last = extent.end_lsn, extent.end_scn
    return last if last >= fact.min_restore_scn else None


def restorable(estate: Estate) -> tuple[Moments, ...]:
    """Return all moments that can be restored from the estate, ascending and apart."""
    by_id = sets_by_id(estate.sets)
    found = [
        Moments(first_scn=fact.min_restore_scn, last_scn=end)
        for fact in estate.sets
        if (end := reach(fact, by_id, estate.pieces)) is not None
    ]
    return _merged(found)


def lost_moments(before: tuple[Moments, ...], after: tuple[Moments, ...]) -> tuple[Moments, ...]:
    """Return what `before` has and `after` has not, ascending and apart."""
    lost: list[Moments] = []
    for span in before:
        first = int(span.first_scn)
        for kept in after:
            if kept.last_scn < first or kept.first_scn > span.last_scn:
                continue
            if kept.first_scn > first:
                lost.append(Moments(first_scn=Scn(first), last_scn=Scn(kept.first_scn - 1)))
            first = kept.last_scn + 1
        if first <= span.last_scn:
            lost.append(Moments(first_scn=Scn(first), last_scn=span.last_scn))
    return tuple(lost)


def _merged(spans: list[Moments]) -> tuple[Moments, ...]:
    merged: list[Moments] = []
    for span in sorted(spans, key=lambda one: (one.first_scn, one.last_scn)):
        if merged and span.first_scn <= merged[-1].last_scn + 1:
            last = max(merged[-1].last_scn, span.last_scn)
            merged[-1] = Moments(first_scn=merged[-1].first_scn, last_scn=last)
        else:
            merged.append(span)
    return tuple(merged)
