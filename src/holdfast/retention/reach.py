"""What of an estate rests on what, and which moments a deletion costs. Pure.

Which moments can be restored is `backup_format.reach`'s to say, for retention as for a restore; here an estate's facts are put
together for that question: what is gone, or going, does not count.
"""

from collections.abc import Iterable, Mapping

from holdfast.backup_format.reach import Moments, PieceFact, SetFact, moments_of, usable_sets
from holdfast.retention.verdict import Estate, SetEntry
from holdfast.values.archive import FileStatus
from holdfast.values.scn import Scn

_HERE = frozenset({FileStatus.AVAILABLE, FileStatus.BROKEN, FileStatus.INCOMPLETE})


def ancestors(entry: SetEntry, by_id: Mapping[int, SetEntry]) -> frozenset[int]:
    """Return the ids of all sets that `entry` rests on: by its rows, by its manifest, and by theirs in turn.

    An id without an entry is in the answer too: what a set rests on may be gone.
    """
    found: set[int] = set()
    waiting = [entry]
    while waiting:
        one = waiting.pop()
        named = {
            one.prev_full_backup_set_id,
            one.prev_inc_backup_set_id,
            *(one.fact.manifest.chain if one.fact else ()),
        }
        for set_id in named - found - {0, one.backup_set_id}:
            found.add(set_id)
            if set_id in by_id:
                waiting.append(by_id[set_id])
    return frozenset(found)


def sets_by_id(sets: Iterable[SetEntry]) -> dict[int, SetEntry]:
    return {entry.backup_set_id: entry for entry in sets}


def facts_of(estate: Estate) -> tuple[tuple[SetFact, ...], tuple[PieceFact, ...]]:
    """Return what a restore would be told of the estate: the sets that are there, all log that is."""
    here = [entry for entry in estate.sets if entry.file_status in _HERE]
    log = [entry.fact for entry in estate.pieces if entry.file_status in _HERE and entry.fact is not None]
    log += [piece for entry in here for piece in entry.log]
    return tuple(entry.fact for entry in here if entry.fact is not None), tuple(log)


def restorable_sets(estate: Estate) -> dict[int, Scn]:
    """Return by id the sets that can be restored, each with the last moment it reaches."""
    return {fact.manifest.backup_set_id: path.reach for fact, path in usable_sets(*facts_of(estate))}


def restorable(estate: Estate) -> tuple[Moments, ...]:
    """Return all moments that can be restored from the estate, ascending and apart."""
    return moments_of(usable_sets(*facts_of(estate)))


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
