"""What a restore leaves aside because a validation found it damaged: whole sets, and pieces from the damage on.

The record of damage lies in the catalog of the cluster that validated. A restore elsewhere does not know it and need not: every
byte is verified while it is laid out, so it fails where the damage is; knowing it beforehand finds another way instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.backup_format import names
from holdfast.backup_format.log_frame import LogPosition, scan_frames
from holdfast.errors import HoldfastError
from holdfast.restore.facts import Facts
from holdfast.restore.plan import LogObjectFact, PieceFact
from holdfast.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDamage:
    """Open damage. `location`: of the destination; `offset` None: no place in the object is known. `words`: what, and found when."""

    location: str
    object_name: str
    offset: int | None
    words: str


def set_aside(found: Facts, damages: Sequence[KnownDamage]) -> Facts:
    """Return the facts without damaged sets, with damaged pieces cut where their damage begins, and why, in words.

    A set whose own log alone is damaged stays: its image restores with the archive's log. Raises StoreUnavailableError.
    """
    if not damages:
        return found
    words: list[str] = []

    def damage_of(source: int, root: str) -> list[KnownDamage]:
        location = found.sources[source].store.location
        return [
            damage
            for damage in damages
            if damage.location == location and f"{damage.object_name}/".startswith(f"{root}/")
        ]

    sets = []
    for fact in found.sets:
        log_root = f"{names.set_log_root(fact.root)}/"
        own = [one for one in damage_of(fact.source, fact.root) if not one.object_name.startswith(log_root)]
        words += [f"{fact.root} ({damage.words})" for damage in own[:1]]
        if not own:
            sets.append(fact)
    pieces: list[PieceFact] = []
    for piece in found.pieces:
        mine = damage_of(piece.source, piece.root)
        words += [f"{piece.root} ({damage.words})" for damage in mine[:1]]
        kept: PieceFact | None = piece
        for damage in mine:
            kept = None if kept is None else _cut(kept, damage, found.sources[piece.source].store)
        pieces += [] if kept is None else [kept]
    return replace(found, sets=tuple(sets), pieces=tuple(pieces), damaged=tuple(words))


def _cut(piece: PieceFact, damage: KnownDamage, store: Store) -> PieceFact | None:
    """Return the piece up to the damage, None when nothing of it is left."""
    place = next((n for n, item in enumerate(piece.objects) if item.name == damage.object_name), None)
    if place is None:
        return None if damage.object_name == piece.root or not _is_log(damage.object_name) else piece
    objects = piece.objects[:place]
    item = piece.objects[place]
    end = _end_at(store, item, damage.offset or 0)
    if end is not None:
        objects = (*objects, replace(item, end_lsn=end.lsn, size_bytes=damage.offset or 0))
    elif objects:
        end = _end_at(store, objects[-1], objects[-1].size_bytes)
    return None if end is None else replace(piece, objects=objects, end=end)


def _is_log(name: str) -> bool:
    return names.parse_log_name(name) is not None


def _end_at(store: Store, item: LogObjectFact, size_bytes: int) -> LogPosition | None:
    """Return where the log of an object's first `size_bytes` ends, None when they hold no whole frame."""
    if not size_bytes:
        return None
    try:
        with store.reader(item.name) as reader:
            scan = scan_frames(reader.read, size_bytes, durable_size_bytes=size_bytes, name=item.name)
    except HoldfastError:
        return None
    return scan.frames[-1].header.frame.end_position if scan.frames else None
