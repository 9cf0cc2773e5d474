"""What is left aside because a validation found it damaged: whole sets, and pieces from the damage on.

The record of damage lies in the catalog of the cluster that validated. A restore elsewhere does not know it and need not: every
byte is verified while it is laid out, so it fails where the damage is; knowing it beforehand finds another way instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.backup_format import names
from holdfast.backup_format.reach import Damage, PieceFact
from holdfast.destination.facts import Facts, masters_of
from holdfast.destination.joints import with_marks
from holdfast.destination.pieces import cut_at
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
    damaged = list(found.damaged)
    told = {(one.source, one.root) for one in damaged}

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
        damaged += [_told(fact.source, fact.root, damage) for damage in own[:1]]
        if not own:
            sets.append(fact)
    pieces: list[PieceFact] = []
    for piece in found.pieces:
        mine = damage_of(piece.source, piece.root)
        damaged += [_told(piece.source, piece.root, damage) for damage in mine[:1]]
        kept: PieceFact | None = piece
        for damage in mine:
            kept = None if kept is None else _cut(kept, damage, found.sources[piece.source].store)
        pieces += [] if kept is None else [kept]
    if tuple(pieces) != found.pieces:  # a piece that ends elsewhere meets others elsewhere
        stores = {number: source.store for number, source in enumerate(found.sources)}
        pieces = list(with_marks(tuple(pieces), stores, masters_of(found.sources)))
    # What the reading met itself is not told a second time in a validation's words.
    fresh = [one for one in damaged[len(found.damaged) :] if (one.source, one.root) not in told]
    return replace(found, sets=tuple(sets), pieces=tuple(pieces), damaged=(*found.damaged, *fresh))


def _told(source: int, root: str, damage: KnownDamage) -> Damage:
    return Damage(source=source, root=root, words=damage.words)


def _cut(piece: PieceFact, damage: KnownDamage, store: Store) -> PieceFact | None:
    """Return the piece up to the damage, None when nothing of it is left."""
    place = next((n for n, item in enumerate(piece.objects) if item.name == damage.object_name), None)
    if place is None:
        # Of a record that can not be read the reading knows itself what is left.
        is_whole = (damage.object_name == piece.root and not piece.damage) or not _is_log(damage.object_name)
        return None if is_whole else piece
    cut = cut_at(piece, place, damage.offset or 0, store, damage.words, is_checked=True)
    return cut if cut.objects else None


def _is_log(name: str) -> bool:
    return names.parse_log_name(name) is not None
