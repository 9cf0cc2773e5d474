"""What this cluster's validations found damaged, left out of what a restore may use."""

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.validation import damage_words
from holdfast.destination.damage import KnownDamage, set_aside
from holdfast.destination.facts import Facts


def leave_damage_aside(catalog: Catalog, found: Facts) -> Facts:
    """Return the facts without damaged sets and with damaged pieces cut. Raises StoreUnavailableError."""
    places = [source.store.location for source in found.sources]
    known = [
        KnownDamage(
            location=place,
            object_name=damage.object_name,
            offset=None if damage.object_offset < 0 else damage.object_offset,
            words=damage_words(damage),
        )
        for place, damage in catalog.validation.open_damages_at(places)
    ]
    return set_aside(found, known)
