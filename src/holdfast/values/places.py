"""Places for connections: who may still come in, and how many a process has room for.

Each tenant, sys included, has places that nobody else can take. Whoever has taken all of his own takes from the common ones, as far
as they are not kept for somebody else. So what is taken, and what is kept and not yet taken, is together at most `connections_max`:
however many tenants fill what they can reach, the next one finds its own places, and root@sys finds his.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from holdfast.values.tenant import SYS_TENANT_ID

DESCRIPTORS_OWN_MAX = 1024
"""Open files of the server itself: the catalog, a session held with each engine, archives and jobs, and the connections by which
tenants ask their views (`gateway.questions`)."""
_DESCRIPTORS_EACH = 2
"""Of a client: its socket, and the one to its engine."""
_UNFINISHED_MAX = 1536
"""A thousand logins come at once from any pool behind a restart; half as many again is the margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLimits:
    """`reserved_…`: places kept for sys, and for each tenant. `per_tenant_max`: what one user tenant has at most.

    `tenant_ids`: the user tenants there are. What is kept never takes more than the half (sys) or the rest (tenants) of all places.
    """

    connections_max: int = 4096
    reserved_for_sys: int = 32
    reserved_per_tenant: int = 16
    per_tenant_max: int = 2048
    tenant_ids: frozenset[int] = frozenset()

    @property
    def _kept_for_sys(self) -> int:
        return min(self.reserved_for_sys, self.connections_max // 2)

    def kept_for(self, tenant_id: int) -> int:
        """Return how many places are this tenant's alone."""
        if tenant_id == SYS_TENANT_ID:
            return self._kept_for_sys
        share = (self.connections_max - self._kept_for_sys) // max(1, len(self.tenant_ids))
        return min(self.reserved_per_tenant, share)


class Want(Enum):
    """What there is none of. FULL: a place in the server. SHARE: a place of this tenant's."""

    FULL = "full"
    SHARE = "share"


def find_want(limits: PlaceLimits, taken: Mapping[int, int], tenant_id: int) -> Want | None:
    """Return why one more connection of this tenant finds no place, or None when it does. `taken`: places by tenant."""
    own, total = taken.get(tenant_id, 0), sum(taken.values())
    if tenant_id != SYS_TENANT_ID and own >= limits.per_tenant_max:
        return Want.SHARE
    if total >= limits.connections_max:
        return Want.FULL
    if own < limits.kept_for(tenant_id):
        return None
    return None if total + _kept_for_others(limits, taken, tenant_id) < limits.connections_max else Want.FULL


def _kept_for_others(limits: PlaceLimits, taken: Mapping[int, int], tenant_id: int) -> int:
    others: Collection[int] = (limits.tenant_ids | {SYS_TENANT_ID}) - {tenant_id}
    return sum(max(0, limits.kept_for(other) - taken.get(other, 0)) for other in others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a process that may open so many files has room for.

    `connections`: clients that are logged in. `unfinished`: logins that wait for their client, and as many again that wait for us.
    """

    descriptors: int
    connections: int
    unfinished: int


def room_of(descriptors: int) -> Room:
    """Return the room of a process that may have `descriptors` open files."""
    clients = (descriptors - min(DESCRIPTORS_OWN_MAX, descriptors // 4)) // _DESCRIPTORS_EACH
    unfinished = min(_UNFINISHED_MAX, clients // 4)
    return Room(descriptors=descriptors, connections=clients - 2 * unfinished, unfinished=unfinished)
