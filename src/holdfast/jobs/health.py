"""The health of tenants: asked of engines, followers and tenures whenever somebody looks at the view, and mirrored into the catalog.

It needs no login at an engine: whether one greets on its socket says whether it takes clients.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.health import EngineState, HealthRow
from holdfast.clock import Clock
from holdfast.engine.recognition import require_present
from holdfast.errors import EngineError, HoldfastError
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.backup_keys import BackupKeys
from holdfast.jobs.ground import Ground
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.tenure import Tenures, current_dest_ids
from holdfast.values.tenant import Tenant, TenantStatus

_GREETING_SECONDS = 1.0
"""An engine greets in a millisecond; one that does not in a second is what people call down."""
_ASKED_AT_ONCE = 8
SPOOL_BYTES_WARNED = 1 << 30
"""Blocks that live only by our links while the destination takes log: a few of 64 MiB. Sixteen are a destination that does not."""
_COMMENT_CHARACTERS_MAX = 4000


class TenantHealth:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        clock: Clock,
        *,
        supervisor: Supervisor,
        archiving: Archiving,
        tenures: Tenures,
        keys: BackupKeys,
        ground: Ground,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._supervisor = supervisor
        self._archiving = archiving
        self._tenures = tenures
        self._keys = keys
        self._ground = ground
        self._lock = threading.Lock()
        self._mirrored: float | None = None  # when the asking began whose rows the catalog holds

    def mirror(self) -> None:
        """Bring the rows of all tenants up to date. Statements that wait for each other share what was asked after they came."""
        asked_at = self._clock.monotonic()
        with self._lock:
            if self._mirrored is not None and self._mirrored >= asked_at:
                return
            began_at = self._clock.monotonic()
            tenants = self._catalog.tenants.all()
            with ThreadPoolExecutor(max_workers=_ASKED_AT_ONCE) as pool:
                rows = list(pool.map(self._row, tenants))
            self._catalog.health.replace_all(rows)
            self._mirrored = began_at

    def _row(self, tenant: Tenant) -> HealthRow:
        state, comment = self._engine(tenant.tenant_id)
        if state is EngineState.UP and tenant.status is TenantStatus.NORMAL:
            comment = self._supervisor.lost_login(tenant.tenant_id)
            state = EngineState.UNHEALTHY if comment else state
            comment = comment or self._supervisor.unusable_words(tenant.tenant_id)
        follower = None if tenant.is_sys else self._archiving.follower(tenant.tenant_id)
        held, why = follower.spool() if follower is not None else (0, "")
        if not why and held >= SPOOL_BYTES_WARNED:
            why = f"{held} bytes of log are held for the destination"
        stalled = follower is not None and follower.status().is_stalled
        return HealthRow(
            tenant_id=tenant.tenant_id,
            engine_status=state,
            engine_comment=comment[:_COMMENT_CHARACTERS_MAX],
            spool_bytes=held,
            spool_comment=why[:_COMMENT_CHARACTERS_MAX],
            writes_stalled="YES" if stalled else "NO",
            destination_comment="" if tenant.is_sys else self._tenures.trouble_of(tenant.tenant_id),
            key_comment="" if tenant.is_sys else self._keys.trouble(tenant.tenant_id)[:_COMMENT_CHARACTERS_MAX],
            roots_comment="" if tenant.is_sys else self.outside_roots(tenant)[:_COMMENT_CHARACTERS_MAX],
        )

    def outside_roots(self, tenant: Tenant) -> str:
        """Return which destinations in use of the tenant lie outside the destination roots, "" for none."""
        used = current_dest_ids(self._catalog, tenant.tenant_id)
        found = self._catalog.destinations.all_of(tenant.tenant_id) if used else ()
        return self._ground.outside([one.uri for one in found if one.dest_id in used])

    def _engine(self, tenant_id: int) -> tuple[EngineState, str]:
        try:
            process = self._supervisor.process(tenant_id)
        except HoldfastError as error:
            return EngineState.DOWN, error.hint or error.message
        if process.is_healthy(_GREETING_SECONDS):
            return EngineState.UP, ""
        try:
            require_present(process.directory)
        except EngineError as error:
            return EngineState.UNHEALTHY, str(error)  # it lives on in a directory that was moved
        return EngineState.UNHEALTHY, f"it does not greet within {_GREETING_SECONDS:g} s"
