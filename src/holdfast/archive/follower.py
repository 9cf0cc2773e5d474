"""The follower: one per archived tenant (skeleton; see the methods' contracts)."""

from collections.abc import Callable

from holdfast.archive.journal import Course, FollowerStatus, Journal, LagTarget
from holdfast.archive.round import Wanted
from holdfast.clock import Clock
from holdfast.store.store import Store
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


class Follower:
    """Follows one tenant's log. All methods are safe from any thread."""

    def __init__(
        self,
        course: Course,
        *,
        open_store: Callable[[], Store],
        check_destination: Callable[[Store], None],
        journal: Journal,
        lag_target_us: LagTarget,
        clock: Clock,
    ) -> None:
        """`check_destination` raises RefusedError (-9080, -9081, -9071) or StoreUnavailableError."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin on threads of its own; returns at once."""
        raise NotImplementedError

    def ask(self, wanted: Wanted) -> None:
        """Tell what the settings want now; acted upon within one poll."""
        raise NotImplementedError

    def stop(self, *, drain: bool, timeout_seconds: float = 10.0) -> bool:
        """End the threads, the round stays as it is (server stop). Drained: what is written is archived first, if the
        destination takes it in time. Returns whether the threads ended in time."""
        raise NotImplementedError

    def request_flush(self, until_scn: Scn) -> None:
        """Make everything up to `until_scn` durable without waiting for the lag target; returns at once."""
        raise NotImplementedError

    def tail_after(self, timeout_seconds: float = 30.0) -> tuple[Lsn, Scn]:
        """Return the verified end of the live log (the next group's LSN, the last one's max SCN), found by a walk begun
        after the call. Never waits for the destination."""
        raise NotImplementedError

    def start_lsn(self) -> Lsn:
        """Return the first LSN the round holds. Raises RefusedError (-9029) before the round has begun."""
        raise NotImplementedError

    def status(self) -> FollowerStatus:
        """Return a snapshot. Never blocks."""
        raise NotImplementedError

    def checkpoint_scn(self) -> Scn:
        """Return the SCN up to which everything is durable. Never blocks."""
        raise NotImplementedError
