"""Tenants whose blocks arrive while they are used, and tenants that go by themselves.

`BlockFiles` is what the supervisor asks before an engine starts and after it has ended. `QuickTenants` is the thread that keeps
the rows true, hands the pace on, and drops what has outlived its time.
"""

import logging
import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import Engines
from holdfast.errors import HoldfastError, refuse
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.pace import Paces, TenantPace
from holdfast.jobs.tenants import Tenants
from holdfast.restore import block_process
from holdfast.restore.lazy_place import HydrationPace, LazyPlace
from holdfast.values.quick import QuickStatus, QuickTenant
from holdfast.values.tenant import Tenant, TenantStatus

log = logging.getLogger("holdfast.quick")

_LOOK_SECONDS = 0.5
_THREADS_DEFAULT = 2
"""Hydration is not in a hurry, and the engine's own reads come first."""
_END_SECONDS_MAX = 10.0


class BlockFiles:
    """The block files of a cluster's tenants (see `supervisor.BlockFiles`)."""

    def __init__(self, directories: ClusterDirectory) -> None:
        self._directories = directories

    def is_sound(self, tenant_id: int, directory: EngineDirectory) -> bool:
        return block_process.is_sound(self._place(tenant_id), directory)

    def make_ready(self, tenant_id: int, directory: EngineDirectory) -> None:
        block_process.make_ready(self._place(tenant_id), directory)

    def release(self, tenant_id: int, directory: EngineDirectory) -> None:
        block_process.end(self._place(tenant_id), directory)

    def sweep(self, engines: Engines) -> None:
        """Take away the mounts that a crash or a reboot left, before any engine starts."""
        kept = set()
        if self._directories.tenants.is_dir():
            for tenant_dir in self._directories.tenants.iterdir():
                if LazyPlace(tenant_dir).exists():
                    block_file = EngineDirectory(tenant_dir / "engine", engines.newest).block_file
                    kept.add(Path(block_file.parent.resolve() / block_file.name))
        block_process.sweep(self._directories.base, frozenset(kept))

    def _place(self, tenant_id: int) -> LazyPlace:
        return LazyPlace(self._directories.tenant(tenant_id))


def refuse_preview(row: QuickTenant | None) -> None:
    """Raise RefusedError (-4179) for a tenant that goes by itself: what is written into it would be lost."""
    if row is not None and row.drop_timestamp_us is not None:
        raise refuse(
            codes.OB_OP_NOT_ALLOW,
            "activate a preview is",
            hint=f"tenant {row.tenant_name} was restored with ttl and goes by itself; restore without ttl to write into it",
        )


class QuickTenants:
    """`begin` and `end` once each."""

    def __init__(
        self, catalog: Catalog, tenants: Tenants, directories: ClusterDirectory, clock: Clock, *, paces: Paces
    ) -> None:
        self._catalog = catalog
        self._tenants = tenants
        self._directories = directories
        self._clock = clock
        self._paces = paces
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._pace_of: dict[int, TenantPace] = {}
        self._told: dict[int, HydrationPace] = {}

    def begin(self) -> None:
        """Begin looking. A preview whose time came while no server ran goes at once."""
        self._thread = threading.Thread(target=self._run, name="quick", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Return when nothing is being dropped any more, or has hung for too long."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_END_SECONDS_MAX)

    def _run(self) -> None:
        is_away = False
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                rows = self._catalog.quick.all()
                is_away = False
            except HoldfastError as error:
                if not is_away:
                    log.warning("quick tenants can not be looked at: %s", error)
                is_away = True
                continue
            except Exception:
                log.exception("quick tenants can not be looked at")
                continue
            for row in rows:
                try:
                    self._look(row)
                except (HoldfastError, OSError) as error:
                    log.error("tenant %s: %s", row.tenant_name, error)
                except Exception:
                    log.exception("tenant %s can not be looked at", row.tenant_name)  # the others can

    def _look(self, row: QuickTenant) -> None:
        tenant = self._tenant(row)
        if tenant is None or tenant.status is not TenantStatus.NORMAL:
            return  # its restore has not ended, or it is being dropped
        now_us = self._clock.now_ns() // 1000
        if row.drop_timestamp_us is not None and row.start_timestamp_us > now_us:
            # It was given its time to live by a clock that was ahead: a year ahead would keep it for a year.
            ttl_us = row.drop_timestamp_us - row.start_timestamp_us
            row = replace(row, start_timestamp_us=now_us, drop_timestamp_us=now_us + ttl_us)
            self._catalog.quick.update(row)
        if row.drop_timestamp_us is not None and now_us >= row.drop_timestamp_us:
            log.info("tenant %s: its time to live is over", tenant.name)
            self._tenants.drop_expired(tenant)
            return
        if row.status is not QuickStatus.LOCAL:
            self._follow(row, is_kept=not tenant.is_auxiliary)

    def _tenant(self, row: QuickTenant) -> Tenant | None:
        return next((one for one in self._catalog.tenants.hosted() if one.tenant_id == row.tenant_id), None)

    def _follow(self, row: QuickTenant, *, is_kept: bool) -> None:
        """Bring the row up to date. One that is not kept gets no block it does not touch: hydration was laid out at rest."""
        place = LazyPlace(self._directories.tenant(row.tenant_id))
        now_us = self._clock.now_ns() // 1000
        if not place.exists():
            fresh = replace(row, status=QuickStatus.LOCAL, finish_bytes=row.total_bytes, comment="")
            fresh = replace(fresh, finish_timestamp_us=row.finish_timestamp_us or now_us)
        else:
            state = place.state()
            fresh = replace(row, finish_bytes=max(row.finish_bytes, state.arrived_bytes), comment=state.trouble)
            if state.is_complete:
                fresh = replace(fresh, status=QuickStatus.HYDRATED, finish_bytes=row.total_bytes)
                fresh = replace(fresh, finish_timestamp_us=row.finish_timestamp_us or now_us)
                shutil.rmtree(place.keys, ignore_errors=True)  # nobody will ask for a block again
            elif is_kept:
                self._hand_on_pace(row.tenant_id, place)
        if fresh != row:
            if fresh.comment and fresh.comment != row.comment:
                log.warning("tenant %s: its blocks do not come: %s", row.tenant_name, fresh.comment)
            if fresh.status is not row.status:
                log.info("tenant %s: %s", row.tenant_name, fresh.status)
            self._catalog.quick.update(fresh)

    def _hand_on_pace(self, tenant_id: int, place: LazyPlace) -> None:
        pace = self._pace_of.get(tenant_id)
        if pace is None:
            pace = self._pace_of[tenant_id] = self._paces.restore(tenant_id, _THREADS_DEFAULT)
        pace.refresh()
        wanted = HydrationPace(threads=pace.lanes(), rate=pace.rate())
        if self._told.get(tenant_id) != wanted:
            with suppress(FileNotFoundError):
                place.put_pace(wanted)
                self._told[tenant_id] = wanted
