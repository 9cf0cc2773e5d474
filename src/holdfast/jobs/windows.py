"""Restorable windows: found in the destinations whenever somebody looks at the view, and mirrored into the catalog.

Read from the destinations and not from the catalog's rows: this view answers what a restore would, so it asks what a restore
asks. A path that can not be read gives a row UNKNOWN with the reason; what the other paths hold is shown all the same.
"""

import threading
from dataclasses import replace

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.windows import WindowRow, WindowStatus
from holdfast.clock import Clock
from holdfast.errors import HoldfastError, NotFoundError
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.known_damage import leave_damage_aside
from holdfast.restore.facts import Facts, read_what_answers
from holdfast.restore.window import Interval, Span, spans_of
from holdfast.values.archive import RoundStatus
from holdfast.values.destination import Destination
from holdfast.values.scn import SCN_NONE
from holdfast.values.tenant import Tenant

_FRESH_SECONDS = 1.0
"""Views are often read several times in a row, by one screen or by a join with itself."""
_ARCHIVING = frozenset({RoundStatus.PREPARE, RoundStatus.BEGINNING, RoundStatus.DOING, RoundStatus.SUSPEND})


class RestorableWindows:
    """Every method is safe from any thread."""

    def __init__(self, catalog: Catalog, clock: Clock, *, open_store: OpenStore) -> None:
        self._catalog = catalog
        self._clock = clock
        self._open_store = open_store
        self._lock = threading.Lock()
        self._mirrored: dict[int, float] = {}

    def mirror(self, tenant: Tenant) -> None:
        """Bring the rows that this tenant sees up to date: its own, or for sys those of all tenants, dropped ones too."""
        if tenant.is_sys:
            hosted = {one.tenant_id for one in self._catalog.tenants.user_tenants()}
            tenant_ids = sorted(hosted.union(self._catalog.windows.tenant_ids()))
        else:
            tenant_ids = [tenant.tenant_id]
        with self._lock:  # one at a time: they would read the same destinations
            if tenant.is_sys:
                self._catalog.windows.forget_others(tenant_ids)
            for tenant_id in tenant_ids:
                now = self._clock.monotonic()
                if now - self._mirrored.get(tenant_id, -_FRESH_SECONDS) >= _FRESH_SECONDS:
                    self._catalog.windows.replace(tenant_id, self._rows(tenant_id))
                    self._mirrored[tenant_id] = self._clock.monotonic()

    def _rows(self, tenant_id: int) -> tuple[WindowRow, ...]:
        found, rows = self._look(tenant_id)
        spans = spans_of(found.sets, found.pieces)
        rows += [_row(tenant_id, span, found) for span in spans]
        last = max((span.last_scn for span in spans if isinstance(span, Interval)), default=None)
        tail = self._tail(tenant_id)
        if last is None and not rows:
            rows.append(
                WindowRow(
                    tenant_id=tenant_id,
                    span_id=0,
                    status=WindowStatus.GAP,
                    cause="there is no complete backup set",
                    remedy="set both destinations, run ALTER SYSTEM ARCHIVELOG, then take a full backup",
                )
            )
        elif last is not None and tail is not None:
            cause, remedy = tail
            rows.append(
                WindowRow(
                    tenant_id=tenant_id, span_id=0, status=WindowStatus.GAP, start_scn=last, cause=cause, remedy=remedy
                )
            )
        return tuple(replace(row, span_id=number) for number, row in enumerate(rows, 1))

    def _look(self, tenant_id: int) -> tuple[Facts, list[WindowRow]]:
        """Return what lies at all paths the tenant ever used, and a row for each that could not be read."""
        data, archive = self._catalog.destinations.data(tenant_id), self._catalog.destinations.archive(tenant_id)
        current = {one.dest_id for one in (data, archive.destination if archive else None) if one is not None}
        destinations: dict[str, Destination] = {}
        for destination in self._catalog.destinations.all_of(tenant_id):
            destinations.setdefault(destination.uri.identity, destination)
        found, troubles = read_what_answers((one.uri for one in destinations.values()), self._open_store)
        unknown = [
            _unknown(tenant_id, destination, trouble)
            for destination in destinations.values()
            if (trouble := troubles.get(destination.uri)) is not None
            # One that is not there and was given up was removed: nothing is there.
            and not (isinstance(trouble, NotFoundError) and destination.dest_id not in current)
        ]
        return leave_damage_aside(self._catalog, found), unknown

    def _tail(self, tenant_id: int) -> tuple[str, str] | None:
        """Return why moments from now on will not be restorable, and what to do; None while the archive runs."""
        if tenant_id not in {tenant.tenant_id for tenant in self._catalog.tenants.hosted()}:
            return None  # dropped: it has no moments any more
        current = self._catalog.rounds.current(tenant_id)
        if current is not None and current.status in _ARCHIVING:
            return None
        if current is not None and current.status is RoundStatus.INTERRUPTED:
            return (
                f"archiving is interrupted: {current.comment}",
                "run ALTER SYSTEM NOARCHIVELOG and ARCHIVELOG, then take a full backup",
            )
        return "the log is not archived", "run ALTER SYSTEM ARCHIVELOG, then take a full backup"


def _row(tenant_id: int, span: Span, found: Facts) -> WindowRow:
    if isinstance(span, Interval):
        return WindowRow(
            tenant_id=tenant_id,
            span_id=0,
            status=WindowStatus.REACHABLE,
            start_scn=span.first_scn,
            end_scn=span.last_scn,
            backup_set_ids=",".join(str(fact.manifest.backup_set_id) for fact in span.sets),
            restore_from=",".join(found.sources[number].store.location for number in span.sources),
        )
    return WindowRow(
        tenant_id=tenant_id,
        span_id=0,
        status=WindowStatus.GAP,
        start_scn=span.after_scn,
        end_scn=span.before_scn or SCN_NONE,
        cause=span.cause,
        remedy=span.remedy,
    )


def _unknown(tenant_id: int, destination: Destination, error: HoldfastError) -> WindowRow:
    return WindowRow(
        tenant_id=tenant_id,
        span_id=0,
        status=WindowStatus.UNKNOWN,
        restore_from=destination.uri.identity,
        cause=error.message,
        remedy=error.hint or "",
    )
