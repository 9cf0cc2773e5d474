"""Places of clients that are logged in, and of logins under way. Used on the loop's thread only.

A place is taken when the engine has let the client in and before the client is told so. A login that names a tenant and has not proved
a password takes none: whoever names root@sys with wrong passwords keeps nobody out. What such logins take is counted apart (`Attempts`).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from holdfast.mysql.login import SYS_TENANT_NAME
from holdfast.values.places import PlaceLimits, Want, find_want


class NoPlaceError(Exception):
    """There is none, and why."""

    def __init__(self, want: Want, limits: PlaceLimits) -> None:
        super().__init__(want.value)
        self.want = want
        self.limits = limits


class Place:
    """One client's. `release` is repeatable."""

    __slots__ = ("_is_held", "_taken", "tenant_id")

    def __init__(self, taken: Counter[int], tenant_id: int) -> None:
        self._taken = taken
        self._is_held = True
        self.tenant_id = tenant_id
        taken[tenant_id] += 1

    def release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._taken[self.tenant_id] -= 1
            if not self._taken[self.tenant_id]:
                del self._taken[self.tenant_id]


class Places:
    """Who has how many. `limits` is asked at each look, so a changed parameter counts at once; it never blocks."""

    def __init__(self, limits: Callable[[], PlaceLimits]) -> None:
        self._limits = limits
        self._taken: Counter[int] = Counter()

    def free(self) -> int:
        """Return how many places nobody has taken, whoever they are kept for."""
        return max(0, self._limits().connections_max - self._taken.total())

    def require(self, tenant_id: int, instead: Place | None = None) -> None:
        """Raise NoPlaceError when the tenant has no place left. `instead`: one that is given back for it."""
        limits, taken = self._limits(), self._taken
        if instead is not None:
            taken = taken - Counter({instead.tenant_id: 1})
        want = find_want(limits, taken, tenant_id)
        if want is not None:
            raise NoPlaceError(want, limits)

    def take(self, tenant_id: int, instead: Place | None = None) -> Place:
        """Return a place of the tenant's. Raises as `require`."""
        self.require(tenant_id, instead)
        return Place(self._taken, tenant_id)


class TooManyAttemptsError(Exception):
    """Too many logins wait for us already."""


class Attempts:
    """Logins that have named a tenant and wait for us: the desk and the engine. An engine that hangs must not fill the door.

    Beside the places that are free there may always be `unfinished` of them, three quarters of one name. Those that name sys are
    counted apart and never refused: whoever tries passwords for root@sys has the next ones wait at the door (`is_full`), in their order.
    """

    def __init__(self, unfinished: int, free: Callable[[], int]) -> None:
        self._unfinished = unfinished
        self._free = free
        self._by_name: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Return whether newcomers have to wait: so many logins of sys are under way."""
        return self._by_name[SYS_TENANT_NAME] >= self._unfinished

    @contextmanager
    def under_way(self, tenant_name: str) -> Iterator[None]:
        """Count a login as one of this name's while it waits for us. Raises TooManyAttemptsError."""
        if tenant_name != SYS_TENANT_NAME:
            most = max(self._unfinished, self._free())
            others = self._by_name.total() - self._by_name[SYS_TENANT_NAME]
            if others >= most or self._by_name[tenant_name] >= most - most // 4:
                raise TooManyAttemptsError
        self._by_name[tenant_name] += 1
        try:
            yield
        finally:
            self._by_name[tenant_name] -= 1
            if not self._by_name[tenant_name]:
                del self._by_name[tenant_name]
