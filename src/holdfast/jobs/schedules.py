"""Backups and restore drills that begin by themselves: one thread that asks `values.schedule` what is due and runs the statement a
person would.

What happened is kept in the catalog: the words as last seen, and up to which moment their runs are made. So a server that comes back
makes up for what was missed, once. A run is noted before its statement: of a server killed between the two it is lost, not made
twice.

A run that is refused because a backup of the tenant goes on waits for its end. One that is refused for another reason is tried
again for ten minutes (after a start archiving needs a moment to go on), then it is over: the view says why, the next moment is the
next try.

NEXT_TIMESTAMP lies in the past only while a run that is due has not begun: then it is when the first one that waits should have, so
whoever looks sees for how long. The clock of the machine may jump: NEXT_TIMESTAMP is looked at again each time, what is done already
and lies ahead of a clock that went back counts as `values.schedule.armed_us` says, and no clock makes the thread look more often
than _POLL_SECONDS_LEAST lets it.
"""

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.schedules import ScheduleRow
from holdfast.clock import Clock
from holdfast.engine.session import SqlError
from holdfast.errors import EngineError, HoldfastError, NotFoundError
from holdfast.jobs.backups import Backups
from holdfast.jobs.session import Session
from holdfast.jobs.supervisor import Supervisor
from holdfast.jobs.validation import Validations
from holdfast.statement.commands import Backup, Validate, ValidateKind
from holdfast.values.schedule import Due, Plan, ScheduleType, armed_us, due, next_moment, next_us, parse_zone
from holdfast.values.tenant import Tenant, TenantStatus
from holdfast.verify.plan import Level

log = logging.getLogger("holdfast.schedules")

PARAMETERS = {
    ScheduleType.FULL: "backup_full_schedule",
    ScheduleType.INC: "backup_incremental_schedule",
    ScheduleType.DRILL: "backup_drill_schedule",
}
_GROUPS = ((ScheduleType.FULL, ScheduleType.INC), (ScheduleType.DRILL,))
"""Within a group one run waits for the other; a drill reads what backups write and waits for none."""
ZONE = "backup_schedule_time_zone"
_POLL_SECONDS_MAX = 5.0
"""How late a changed schedule is seen: one small query. The sleep ends sooner when a run is due sooner."""
_POLL_SECONDS_LEAST = 0.25
"""How often it is looked at most: a run that is due and waits (for a backup that goes on, for a full) is no reason to spin."""
_PATIENCE_SECONDS = 600.0
_COMMENT_CHARACTERS_MAX = 4000
_WAITS = "waits for the "
_NO_ZONE = f"{ZONE}: "
"""What LAST_COMMENT begins with while a run that is due waits, and while the machine does not know the tenant's time zone."""


class ScheduledJobs:
    """The schedules of all tenants."""

    def __init__(
        self, catalog: Catalog, backups: Backups, validations: Validations, supervisor: Supervisor, clock: Clock
    ) -> None:
        self._catalog = catalog
        self._backups = backups
        self._validations = validations
        self._supervisor = supervisor
        self._clock = clock
        self._ended = threading.Event()
        self._refused_at: dict[tuple[int, ScheduleType], float] = {}
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin to look. Called once, when backups and drills can be made."""
        self._thread = threading.Thread(target=self._loop, name="schedules", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Return when nothing more begins by itself."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        wait_seconds = 0.0
        while not self._ended.wait(wait_seconds):
            wait_seconds = _POLL_SECONDS_MAX
            try:
                wait_seconds = self.look()
            except HoldfastError as error:
                log.warning("schedules are looked at again soon: %s", error)
            except Exception:
                log.exception("the schedules met a defect of Holdfast")

    def look(self) -> float:
        """Begin everything that is due; return the seconds until there may be another."""
        known = {(row.tenant_id, row.schedule_type): row for row in self._catalog.schedules.all()}
        wanted = self._catalog.schedules.wanted([*PARAMETERS.values(), ZONE])
        for row in known.values():
            if PARAMETERS[row.schedule_type] not in wanted.get(row.tenant_id, {}):
                self._catalog.schedules.remove(row)
        nexts: list[int] = []
        for tenant_id, values in wanted.items():
            if not any(name in values for name in PARAMETERS.values()):
                continue
            try:
                tenant = self._catalog.tenants.by_id(tenant_id)
                rows = {kind: row for (owner, kind), row in known.items() if owner == tenant_id}
                nexts += self._look_at(tenant, values, rows)
            except NotFoundError:
                continue  # dropped at this moment
            except HoldfastError as error:
                log.warning("tenant %d: its schedules are looked at again soon: %s", tenant_id, error)
            except Exception:
                log.exception("tenant %d: its schedules met a defect of Holdfast", tenant_id)  # the others' go on
        soonest = min(nexts, default=None)
        if soonest is None:
            return _POLL_SECONDS_MAX
        return min(max(_POLL_SECONDS_LEAST, (soonest - self._now_us()) / 1_000_000), _POLL_SECONDS_MAX)

    def _look_at(self, tenant: Tenant, values: dict[str, str], known: dict[ScheduleType, ScheduleRow]) -> list[int]:
        """Begin what is due of one tenant; return when its next runs are."""
        if tenant.is_sys or tenant.status is not TenantStatus.NORMAL:
            return []
        zone_text = values.get(ZONE) or self._engine_zone(tenant, known)
        now_us = self._now_us()
        try:
            zone = parse_zone(zone_text)
        except ValueError as error:
            self._refuse(tenant, values, known, zone_text, str(error))
            return []
        rows: dict[ScheduleType, ScheduleRow] = {}
        for kind, name in PARAMETERS.items():
            words, row = values.get(name), known.get(kind)
            if not words:
                continue
            if row is None or (row.schedule, row.time_zone) != (words, zone_text):
                blank = row or ScheduleRow(
                    tenant_id=tenant.tenant_id, schedule_type=kind, schedule="", time_zone="", done_time_us=0
                )
                row = replace(blank, schedule=words, time_zone=zone_text, done_time_us=now_us)
                row = _with_next(_with_zone(_without_wait(row)), zone)
                self._catalog.schedules.put(row)
            else:
                row = self._on_time(row, zone, now_us)
            rows[kind] = row
        for group in _GROUPS:
            plans = {kind: _plan(row) for kind, row in rows.items() if kind in group}
            found = due(plans, zone, tenant.tenant_id, now_us)
            if found is not None:
                rows = self._begin(tenant, found, rows, zone)
        nexts = [row.next_timestamp_us for row in rows.values() if row.next_timestamp_us is not None]
        return [moment_us for moment_us in nexts if moment_us > now_us]  # what waits is no reason to look sooner

    def _refuse(
        self, tenant: Tenant, values: dict[str, str], known: dict[ScheduleType, ScheduleRow], zone: str, why: str
    ) -> None:
        """Record that no run of the tenant can begin. Moments that pass meanwhile are made up for."""
        for kind, name in PARAMETERS.items():
            words, row = values.get(name), known.get(kind)
            if not words:
                continue
            blank = row or ScheduleRow(
                tenant_id=tenant.tenant_id, schedule_type=kind, schedule="", time_zone="", done_time_us=0
            )
            is_same = (blank.schedule, blank.time_zone) == (words, zone)
            refused = replace(
                blank,
                schedule=words,
                time_zone=zone,
                done_time_us=blank.done_time_us if is_same else self._now_us(),
                next_timestamp_us=None,
                last_due_timestamp_us=blank.last_due_timestamp_us or self._now_us(),  # what is REFUSED was due
                last_job_id=0,
                last_result=codes.OB_INVALID_CONFIG.number,
                last_comment=f"{_NO_ZONE}{why}"[:_COMMENT_CHARACTERS_MAX],
            )
            if refused != row:
                log.error("tenant %d: its %s can not begin: %s: %s", tenant.tenant_id, name, ZONE, why)
                self._catalog.schedules.put(refused)

    def _on_time(self, row: ScheduleRow, zone: tzinfo, now_us: int) -> ScheduleRow:
        """Return the row as it is by now, recorded when that is news: a moment passed, or the clock jumped."""
        done_us = armed_us(_plan(row), zone, now_us)
        if done_us != row.done_time_us:
            log.warning(
                "tenant %d: the clock went back behind the last moments of %s; they count again",
                row.tenant_id,
                PARAMETERS[row.schedule_type],
            )
        current = _with_zone(replace(row, done_time_us=done_us))
        current = _with_next(current, zone)
        if current.next_timestamp_us is None or current.next_timestamp_us > now_us:
            current = _without_wait(current)
        if current != row:
            self._catalog.schedules.put(current)
        return current

    def _begin(
        self, tenant: Tenant, found: Due, rows: dict[ScheduleType, ScheduleRow], zone: tzinfo
    ) -> dict[ScheduleType, ScheduleRow]:
        """Run the statement; return the rows as they are then."""
        if self._is_busy(tenant, found.type):
            return self._waiting(found, rows, zone)
        row = rows[found.type]
        description = f"scheduled: {PARAMETERS[found.type]} = '{row.schedule}', due {_text(found.moment_us, zone)}"
        # Noted first: killed behind the statement, the next server would run it again.
        done = self._done(rows, found, zone)
        for one in done.values():
            self._catalog.schedules.put(one)
        try:
            job_id = self._run(tenant, found.type, description)
        except HoldfastError as error:
            if error.code is codes.OB_BACKUP_IN_PROGRESS:  # one that began since it was looked for
                for one in rows.values():
                    self._catalog.schedules.put(one)
                return self._waiting(found, rows, zone)
            refused = replace(
                done[found.type],
                last_job_id=0,
                last_result=error.code.number,
                last_comment=str(error)[:_COMMENT_CHARACTERS_MAX],
            )
            if self._is_worth_another(tenant, found.type, error):
                refused = replace(refused, done_time_us=row.done_time_us, next_timestamp_us=row.next_timestamp_us)
                again = {**rows, found.type: refused}
                for one in again.values():
                    self._catalog.schedules.put(one)
                return again
            log.error("tenant %d: its scheduled %s did not begin: %s", tenant.tenant_id, found.type, error)
            told = refused
        else:
            told = replace(done[found.type], last_job_id=job_id)
            log.info("tenant %d: %s begins, %s", tenant.tenant_id, found.type, description)
        self._refused_at.pop((tenant.tenant_id, found.type), None)
        self._catalog.schedules.put(told)
        return {**done, found.type: told}

    def _waiting(
        self, found: Due, rows: dict[ScheduleType, ScheduleRow], zone: tzinfo
    ) -> dict[ScheduleType, ScheduleRow]:
        """Return the rows with what the run waits for. Of one that was refused before that stays the last word."""
        row = rows[found.type]
        first_us = next_moment(_plan(row), zone)
        if row.last_result or first_us is None:
            return rows
        what = "validation" if found.type is ScheduleType.DRILL else "backup"
        told = replace(row, last_comment=f"{_WAITS}{what} under way, due since {_text(first_us, zone)}")
        if told != row:
            self._catalog.schedules.put(told)
            log.info("tenant %d: scheduled %s %s", row.tenant_id, found.type, told.last_comment)
        return {**rows, found.type: told}

    def _done(self, rows: dict[ScheduleType, ScheduleRow], found: Due, zone: tzinfo) -> dict[ScheduleType, ScheduleRow]:
        """Return the rows with the runs of all moments that are due made: a full is what its tenant's increment would be too."""
        now_us, done = self._now_us(), dict(rows)
        for kind, moment_us in found.moments.items():
            row = replace(rows[kind], done_time_us=moment_us)
            if kind is found.type:
                first_us = next_moment(_plan(rows[kind]), zone)
                row = replace(
                    row,
                    last_due_timestamp_us=moment_us,
                    last_begin_timestamp_us=now_us,
                    last_result=0,
                    last_comment=(
                        f"one run for all moments since {_text(first_us, zone)}"
                        if first_us is not None and first_us < moment_us
                        else ""
                    ),
                )
            done[kind] = _with_next(row, zone)
        return done

    def _is_busy(self, tenant: Tenant, kind: ScheduleType) -> bool:
        if kind is ScheduleType.DRILL:
            return any(job.tenant_id == tenant.tenant_id for job in self._catalog.validation.active_jobs())
        return bool(self._catalog.backups.active_jobs(tenant_id=tenant.tenant_id))

    def _run(self, tenant: Tenant, kind: ScheduleType, description: str) -> int:
        """Run the statement as the tenant would; return the job it made."""
        session = Session(tenant=tenant, user="", client_id=0, time_zone=UTC)
        if kind is ScheduleType.DRILL:
            command = Validate(kind=ValidateKind.DATABASE, level=Level.RESTORE, description=description)
            self._validations.validate(session, command)
            return self._catalog.validation.newest_job_id(tenant.tenant_id)
        self._backups.backup(session, Backup(incremental=kind is ScheduleType.INC, description=description))
        return self._catalog.backups.newest_job_id(tenant.tenant_id)

    def _is_worth_another(self, tenant: Tenant, kind: ScheduleType, error: HoldfastError) -> bool:
        """Return whether the same may be taken a moment later."""
        since = self._refused_at.setdefault((tenant.tenant_id, kind), self._clock.monotonic())
        if self._clock.monotonic() - since < _PATIENCE_SECONDS:
            log.warning("tenant %d: its scheduled %s is tried again: %s", tenant.tenant_id, kind, error)
            return True
        return False

    def _engine_zone(self, tenant: Tenant, known: dict[ScheduleType, ScheduleRow]) -> str:
        """Return the tenant's global time_zone: an offset, the engine knows no names. Of an engine that is down, the last known."""
        try:
            with self._supervisor.session(tenant.tenant_id) as session:
                return str(session.query("select @@global.time_zone")[0][0])
        except (EngineError, SqlError):
            for row in known.values():
                return row.time_zone
            raise

    def _now_us(self) -> int:
        return self._clock.now_ns() // 1000


def _plan(row: ScheduleRow) -> Plan:
    return Plan(words=row.schedule, done_us=row.done_time_us)


def _with_next(row: ScheduleRow, zone: tzinfo) -> ScheduleRow:
    return replace(row, next_timestamp_us=next_us(_plan(row), zone, row.tenant_id))


def _without_wait(row: ScheduleRow) -> ScheduleRow:
    return replace(row, last_comment="") if row.last_comment.startswith(_WAITS) else row


def _with_zone(row: ScheduleRow) -> ScheduleRow:
    """Return the row of a tenant whose zone is known; where it was not, as one that never ran: its last job is forgotten."""
    if not row.last_comment.startswith(_NO_ZONE):
        return row
    return replace(row, last_due_timestamp_us=None, last_begin_timestamp_us=None, last_result=0, last_comment="")


def _text(moment_us: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment_us / 1_000_000, zone).isoformat(" ")
