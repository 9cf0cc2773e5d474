"""Whose a set's folder is: claimed before the first object, looked at before anything in it is taken up.

A job takes up what an earlier attempt of its own left, and nothing else. A job id is unique for a tenant only, so the folder's own
words count too: of which cluster, tenant, destination and set it is. A folder that holds objects of anybody else, or of nobody
who is known (a set made before there were owners, whatever a row says), is refused by name. It is not gone round by taking the next
number: two writers under one name would go on side by side, and their sets would end up in one chain.
"""

from collections.abc import Callable
from contextlib import suppress

from holdfast.backup_format import names
from holdfast.backup_format.manifest import Manifest, decode_manifest
from holdfast.backup_format.owner_record import SetClaim, decode_set_claim, encode_set_claim, first_difference
from holdfast.errors import ConflictError, ForeignOwnerError, NotFoundError
from holdfast.store.small import FORMAT_BYTES_MAX, MANIFEST_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.owner import Owner

_COPIED = "it was copied here: move its folder out of the destination"
_HINT = "another server writes here under this one's name, or did; see docs/decisions/0042"

IsOwn = Callable[[Owner | None], bool]
"""Whether an earlier attempt at the same job made it."""


def finished_manifest(store: Store, claim: SetClaim, is_own: IsOwn) -> Manifest | None:
    """Return the manifest of the claim's set if this job made it: then the backup is complete, whatever else is said.

    Raises ForeignOwnerError when the set there is another's.
    """
    root = names.set_root(claim.backup_set_id, claim.type)
    name = names.manifest_name(root)
    try:
        manifest = decode_manifest(get_small(store, name, MANIFEST_BYTES_MAX), name=name)
    except NotFoundError:
        return None
    difference = _difference(manifest, claim)
    if difference or not is_own(manifest.owner):
        raise _taken(
            f"{store.location}/{root} is a complete backup set{difference}",
            manifest.owner,
            _COPIED if difference else _HINT,
        )
    return manifest


def claim_set(store: Store, claim: SetClaim, is_own: IsOwn) -> None:
    """Make the folder this job's, or find that it is. Repeatable; of two writers at once one wins.

    Raises ForeignOwnerError when it is another's, or holds objects of nobody who is known.
    """
    root = names.set_root(claim.backup_set_id, claim.type)
    found = _claim_at(store, root)
    if found is None:
        first = next(iter(store.list(f"{root}/")), None)
        if first is not None and (found := _claim_at(store, root)) is None:
            raise _taken(f"{store.location}/{first.name} is there already", None)
    if found is None:
        with suppress(ConflictError):  # the look below says whose it is
            store.put_new(names.set_claim_name(root), encode_set_claim(claim))
        found = _claim_at(store, root)
    difference = "" if found is None else _difference(found, claim)
    if found is None or difference or not is_own(found.owner):
        raise _taken(
            f"{store.location}/{root} is claimed{difference}",
            None if found is None else found.owner,
            _COPIED if difference else _HINT,
        )


def _difference(found: Manifest | SetClaim, claim: SetClaim) -> str:
    """Return of what other set it is than the claim's, such as ` of tenant id 1002, not 1004`; "" when of the same."""
    difference = first_difference(
        ("cluster id", found.cluster_id, claim.cluster_id),
        ("tenant id", found.tenant_id, claim.tenant_id),
        ("destination id", found.dest_id, claim.dest_id),
        ("set id", found.backup_set_id, claim.backup_set_id),
        ("type", found.type, claim.type),
    )
    return difference and f" of {difference}"


def _claim_at(store: Store, root: str) -> SetClaim | None:
    name = names.set_claim_name(root)
    try:
        return decode_set_claim(get_small(store, name, FORMAT_BYTES_MAX), name=name)
    except NotFoundError:
        return None


def _taken(what: str, owner: Owner | None, hint: str = _HINT) -> ForeignOwnerError:
    return ForeignOwnerError(f"{what}, made by {owner.words if owner else 'a writer that left no name'}", hint=hint)
