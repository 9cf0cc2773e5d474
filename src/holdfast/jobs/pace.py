"""The pace of each tenant's jobs: what its parameters say, read again while the jobs run.

One tenant has one bucket, whatever runs for it: a limit of 50M a second is 50 MiB for its backup and its restore together.
"""

import threading
from collections.abc import Callable

from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.jobs.parameters import BY_NAME
from holdfast.values.pace import TokenBucket, depth_of, lanes_of, take

REFRESH_SECONDS = 0.5
"""How old the parameters may be: a change is felt within a second. One query of the catalog for each running job."""

BANDWIDTH = "backup_bandwidth_limit"


class Bucket:
    """One tenant's bandwidth. Safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._state = TokenBucket(at=clock.monotonic())

    def try_take(self, size_bytes: int, rate: int) -> float:
        """See `values.pace.take`."""
        with self._lock:
            self._state, wait = take(self._state, size_bytes, now=self._clock.monotonic(), rate=rate)
        return wait


class TenantPace:
    """The pace of one job (see `values.pace.Pace`); `refresh` brings it up to date."""

    def __init__(
        self, read: Callable[[], dict[str, str]], bucket: Bucket, clock: Clock, *, score_name: str, default_threads: int
    ) -> None:
        """`read`: the tenant's parameters now. `score_name`: the one that counts this job's threads."""
        self._read = read
        self._bucket = bucket
        self._clock = clock
        self._score_name = score_name
        self._default_threads = default_threads
        self._score = 0
        self._rate = 0
        self._read_at = 0.0
        self._lock = threading.Lock()
        self._read_now()

    def refresh(self) -> None:
        """Read the parameters when they were read some time ago. Raises EngineError when the catalog can not be asked."""
        if self._clock.monotonic() - self._read_at < REFRESH_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._read_now()
        finally:
            self._lock.release()

    def lanes(self) -> int:
        return lanes_of(self._score, self._default_threads)

    def depth(self) -> int:
        return depth_of(self._score)

    def rate(self) -> int:
        """Return the bandwidth limit in bytes a second, 0 for none: for work in another process."""
        return self._rate

    def try_take(self, size_bytes: int) -> float:
        return self._bucket.try_take(size_bytes, self._rate)

    def _read_now(self) -> None:
        self._read_at = self._clock.monotonic()
        values = self._read()
        self._score = _value(values, self._score_name)
        self._rate = _value(values, BANDWIDTH)


class Paces:
    """The buckets of all tenants, made when they are first asked for: some 100 bytes each."""

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, Bucket] = {}

    def backup(self, tenant_id: int, default_threads: int) -> TenantPace:
        """Return the pace of a backup of the tenant."""
        return self._pace(tenant_id, "ha_low_thread_score", default_threads)

    def restore(self, tenant_id: int, default_threads: int) -> TenantPace:
        """Return the pace of a restore into the tenant."""
        return self._pace(tenant_id, "ha_high_thread_score", default_threads)

    def _pace(self, tenant_id: int, score_name: str, default_threads: int) -> TenantPace:
        with self._lock:
            bucket = self._buckets.setdefault(tenant_id, Bucket(self._clock))
        return TenantPace(
            lambda: self._catalog.parameters.values(tenant_id),
            bucket,
            self._clock,
            score_name=score_name,
            default_threads=default_threads,
        )


def _value(values: dict[str, str], name: str) -> int:
    """Return a parameter's measured value, its default where the catalog has none (it was defined by an older server)."""
    definition = BY_NAME[name]
    return definition.value_of(values.get(name, definition.default))
