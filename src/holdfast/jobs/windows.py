"""Restorable windows: found in the destinations whenever somebody looks at the view, and mirrored into the catalog.

Read from the destinations and not from the catalog's rows: this view answers what a restore would, so it asks what a restore
asks. A path that can not be read gives a row UNKNOWN with the reason, one that is not there a row ABSENT, or FORMER where the tenant
gave the path up, a set or piece that can not be used a row DAMAGED; what the other paths hold is shown all the same.

A tenant's destinations are read on a thread of their own, and the statement waits for it only so long: a destination that hangs makes
its tenant UNKNOWN, and neither the statement nor the other tenants wait for it. At most one such thread hangs for a tenant: whoever
asks next waits for the same one, and has its answer once it comes.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.reach import Damage
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.windows import WindowRow
from holdfast.clock import Clock
from holdfast.defects import DefectError
from holdfast.destination.facts import Facts, of_tenant, read_what_answers
from holdfast.errors import HoldfastError
from holdfast.jobs.backup_keys import MastersOf, no_masters
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.known_damage import leave_damage_aside
from holdfast.jobs.tenure import WAY_ON, Tenures, current_dest_ids
from holdfast.restore.window import ONE_OF_THEM, Interval, Span, spans_of
from holdfast.values.archive import FileStatus, RoundStatus
from holdfast.values.destination import Destination, DestinationKind
from holdfast.values.owner import Owner
from holdfast.values.scn import SCN_NONE
from holdfast.values.tenant import Tenant
from holdfast.values.window import WindowStatus

log = logging.getLogger("holdfast.windows")

_ANSWER_SECONDS_MAX = 5.0
"""How long the destinations of a tenant are waited for; some hundred manifests take milliseconds. `holdfast check` ends in 10 s."""
_WAITED_FOR_SECONDS_MAX = 30.0
"""How long the answer of a reading counts that came when nobody waited any more: a slow place can be asked twice."""
_ARCHIVING = frozenset({RoundStatus.DOING, RoundStatus.SUSPENDING, RoundStatus.SUSPEND})
"""What is written now is held for the destination, so it will be restorable."""
_BEGINNING = frozenset({RoundStatus.PREPARE, RoundStatus.BEGINNING})

_FOREIGN_CAUSE = "another history than this server's: a copy of it wrote this, or it did before it was put back"
_FOREIGN_REMEDY = (
    f"where this server's own history holds the moment too, RESTORE takes that; for this one {ONE_OF_THEM}"
)


class _Reading:
    """The destinations of one tenant being read. `rows` is set before `ended_at`, both by the reading thread."""

    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.over = threading.Event()
        self.ended_at = 0.0
        self.rows: tuple[WindowRow, ...] = ()


class RestorableWindows:
    """Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        clock: Clock,
        *,
        open_store: OpenStore,
        tenures: Tenures,
        cluster_id: int,
        is_own: Callable[[Owner | None], bool],
        answer_seconds_max: float = _ANSWER_SECONDS_MAX,
        masters: MastersOf = no_masters,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._open_store = open_store
        self._tenures = tenures
        self._cluster_id = cluster_id
        self._is_own = is_own
        self._answer_seconds_max = answer_seconds_max
        self._masters = masters
        self._lock = threading.Lock()
        self._mirrored: dict[int, float] = {}  # when the reading began whose rows the catalog holds
        self._readings: dict[int, _Reading] = {}

    def mirror(self, tenant: Tenant) -> None:
        """Bring the rows that this tenant sees up to date: its own, or for sys those of all tenants, dropped ones too."""
        if tenant.is_sys:
            hosted = {one.tenant_id for one in self._catalog.tenants.user_tenants()}
            tenant_ids = sorted(hosted.union(self._catalog.windows.tenant_ids()))
        else:
            tenant_ids = [tenant.tenant_id]
        asked_at = self._clock.monotonic()
        with self._lock:  # one at a time: they would read the same destinations
            if tenant.is_sys:
                self._catalog.windows.forget_others(tenant_ids)
            self._mirror([one for one in tenant_ids if self._mirrored.get(one, asked_at - 1) < asked_at])

    def _mirror(self, wanted: Iterable[int]) -> None:
        now = self._clock.monotonic()
        readings = {tenant_id: self._reading(tenant_id, now) for tenant_id in wanted}
        for tenant_id, reading in readings.items():
            left = self._answer_seconds_max - (self._clock.monotonic() - now)
            if reading.over.wait(max(0.0, left)):
                self._catalog.windows.replace(tenant_id, reading.rows)
                self._readings.pop(tenant_id, None)
                self._mirrored[tenant_id] = reading.began_at
            else:
                self._catalog.windows.replace(tenant_id, (_silent(tenant_id, self._answer_seconds_max),))

    def _reading(self, tenant_id: int, now: float) -> _Reading:
        """Return the tenant's reading: the one under way, one that ended lately, or one that begins."""
        found = self._readings.get(tenant_id)
        if found is not None and (not found.over.is_set() or now - found.ended_at < _WAITED_FOR_SECONDS_MAX):
            return found
        reading = self._readings[tenant_id] = _Reading(now)

        def read() -> None:
            try:
                reading.rows = self._rows(tenant_id)
            except HoldfastError as error:
                reading.rows = (_failed(tenant_id, error),)
            except Exception as error:
                log.exception("tenant %d: its restorable windows can not be read", tenant_id)
                reading.rows = (_failed(tenant_id, DefectError(error)),)
            reading.ended_at = self._clock.monotonic()
            reading.over.set()

        # A daemon: a destination that hangs keeps no server from ending.
        threading.Thread(target=read, name=f"windows-{tenant_id}", daemon=True).start()
        return reading

    def _rows(self, tenant_id: int) -> tuple[WindowRow, ...]:
        found, rows = self._look(tenant_id)
        spans = spans_of(found.sets, found.pieces, is_own=self._is_own)
        rows += [_row(tenant_id, span, found) for span in spans]
        # A gap names the damage that ends a path; what no path has met is told apart, with the way out.
        rows += [
            _damaged(tenant_id, one, found) for one in found.damaged if not any(one.words in row.cause for row in rows)
        ]
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
        name = self._name(tenant_id, found)
        return tuple(replace(row, span_id=number, tenant_name=name) for number, row in enumerate(rows, 1))

    def _name(self, tenant_id: int, found: Facts) -> str:
        """Return the tenant's name; of one that was dropped, the name in its newest set."""
        hosted = {tenant.tenant_id: tenant.name for tenant in self._catalog.tenants.hosted()}
        newest = max(found.sets, key=lambda fact: fact.manifest.backup_set_id, default=None)
        return hosted.get(tenant_id) or ("" if newest is None else newest.manifest.tenant_name)

    def _look(self, tenant_id: int) -> tuple[Facts, list[WindowRow]]:
        """Return what lies at all paths the tenant ever used, and a row for each that could not be read."""
        used = current_dest_ids(self._catalog, tenant_id)
        destinations: dict[str, Destination] = {}
        for destination in self._catalog.destinations.all_of(tenant_id):
            destinations.setdefault(destination.uri.identity, destination)
        found, troubles = read_what_answers(
            (one.uri for one in destinations.values()), self._open_store, masters=self._masters(tenant_id)
        )
        rows: list[WindowRow] = []
        for destination in destinations.values():
            trouble = troubles.get(destination.uri)
            if trouble is None:
                continue
            if destination.dest_id in used or not _is_absent(trouble):
                rows.append(_unknown(tenant_id, destination, trouble))
            elif self._is_listed(destination):
                rows.append(_former(destination, trouble))
            # Else it was given up and removed, and nothing says that anything should be there.
        own = of_tenant(found, cluster_id=self._cluster_id, tenant_id=tenant_id)
        return leave_damage_aside(self._catalog, own), rows

    def _is_listed(self, destination: Destination) -> bool:
        """Return whether the catalog lists a set or piece there that nobody has deleted."""
        tenant_id, dest_id = destination.tenant_id, destination.dest_id
        listed = [one.file_status for one in self._catalog.backups.sets(tenant_id, dest_id)]
        listed += [one.file_status for one in self._catalog.rounds.pieces(tenant_id) if one.dest_id == dest_id]
        return any(status is not FileStatus.DELETED for status in listed)

    def _tail(self, tenant_id: int) -> tuple[str, str] | None:
        """Return why moments from now on will not be restorable, and what to do; None while the archive runs."""
        if tenant_id not in {tenant.tenant_id for tenant in self._catalog.tenants.hosted()}:
            return None  # dropped: it has no moments any more
        current = self._catalog.rounds.current(tenant_id)
        if current is not None and current.status in _ARCHIVING:
            return None
        trouble = self._tenures.trouble_of(tenant_id)
        if trouble:
            return trouble, WAY_ON
        if current is not None and current.status in _BEGINNING:
            reason = f": {current.comment}" if current.comment else ""
            return f"archiving has not begun{reason}", "wait for STATUS DOING, then take a full backup"
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
            status=WindowStatus.FOREIGN if span.is_foreign else WindowStatus.REACHABLE,
            start_scn=span.first_scn,
            end_scn=span.last_scn,
            backup_set_ids=",".join(str(fact.manifest.backup_set_id) for fact in span.sets),
            restore_from=",".join(found.sources[number].store.location for number in span.sources),
            cause=_FOREIGN_CAUSE if span.is_foreign else "",
            remedy=_FOREIGN_REMEDY if span.is_foreign else "",
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


def _damaged(tenant_id: int, damage: Damage, found: Facts) -> WindowRow:
    ref = None if damage.is_foreign else names.parse_set_root(damage.root)  # its number is not one of this tenant's
    ends = "; validated and found BROKEN it holds no cleanup up, and may be deleted by its id"
    return WindowRow(
        tenant_id=tenant_id,
        span_id=0,
        status=WindowStatus.UNKNOWN if damage.is_unknown else WindowStatus.DAMAGED,
        backup_set_ids=str(ref.set_id) if ref is not None else "",
        restore_from=f"{found.sources[damage.source].store.location}/{damage.root}",
        cause=damage.words,
        remedy=damage.way_out if damage.is_foreign else damage.way_out + ends,
    )


def _unknown(tenant_id: int, destination: Destination, error: HoldfastError) -> WindowRow:
    """Return the row of a path that gave no facts: ABSENT where it is certain that what should lie there does not."""
    return WindowRow(
        tenant_id=tenant_id,
        span_id=0,
        status=WindowStatus.ABSENT if _is_absent(error) else WindowStatus.UNKNOWN,
        restore_from=destination.uri.identity,
        cause=error.message,
        remedy=error.hint or "",
    )


def _is_absent(error: HoldfastError) -> bool:
    """Return whether it is certain that no destination is there: no such path, or a directory without a format file."""
    return error.code is codes.OB_OBJECT_NOT_EXIST


def _former(destination: Destination, error: HoldfastError) -> WindowRow:
    """Return the row of a path that was given up and is not there: nothing is written there, and a person can end it."""
    identity = destination.uri.identity
    name = "DATA_BACKUP_DEST" if destination.kind is DestinationKind.BACKUP_DATA else "LOG_ARCHIVE_DEST"
    return WindowRow(
        tenant_id=destination.tenant_id,
        span_id=0,
        status=WindowStatus.FORMER,
        restore_from=identity,
        cause=f"it is not used any more, what the catalog lists there is not found: {error.message}",
        remedy=f"mount it or put it back; gone for good, ALTER SYSTEM DELETE BACKUP ALL {name} = '{identity}' ends its rows",
    )


def _failed(tenant_id: int, error: HoldfastError) -> WindowRow:
    return WindowRow(
        tenant_id=tenant_id, span_id=1, status=WindowStatus.UNKNOWN, cause=error.message, remedy=error.hint or ""
    )


def _silent(tenant_id: int, seconds: float) -> WindowRow:
    return WindowRow(
        tenant_id=tenant_id,
        span_id=1,
        status=WindowStatus.UNKNOWN,
        cause=f"a destination of the tenant did not answer within {seconds:g} s",
        remedy="look whether it hangs; it is waited for further, and asked again with the next look",
    )
