"""Which of two servers of one name stops: what a server knows of itself against what a destination last saw of it. Pure.

Two lives of one name come of a copied base directory (both may run) and of one that was put back (the other is over). Whoever
finds that the destination knows something of this server that it does not know itself stops: it is the older one, or the one
that was overtaken. So the life that wrote last goes on, and there is never a third answer for a clock or a message to decide.
"""

from dataclasses import dataclass

from holdfast.values.owner import Lineage, Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What this server knows: its starts, and the highest ids it ever gave to the tenant's sets and rounds."""

    lineage: Lineage
    backup_set_id: int
    round_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the destination last saw: the last writer (None: no record of one), and the highest ids that lie there or were given."""

    owner: Owner | None
    backup_set_id: int
    round_id: int


def find_other(knowledge: Knowledge, sight: Sight) -> str | None:
    """Return by what another life of this server is known, in words; None when there is no sign of one."""
    owner = sight.owner
    if owner is not None and not knowledge.lineage.made(owner):
        if owner.server_id == knowledge.lineage.current.server_id:
            return (
                f"{owner.words} wrote it, a start that this base directory knows nothing of: it was copied, or put back"
            )
        return f"{owner.words} has taken it over"
    for what, seen, known in (
        ("backup set", sight.backup_set_id, knowledge.backup_set_id),
        ("archive round", sight.round_id, knowledge.round_id),
    ):
        if seen > known:
            last = f"the last this server gave was {known}" if known else "this server never gave one"
            return f"{what} {seen} is known there, {last}: its base directory was copied, or put back"
    return None
