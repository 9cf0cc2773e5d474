"""The judgement: facts in, findings out, worst first. The only place that says what is well.

Invariants: nothing that could not be read is judged well; a tenant is well only if a moment younger than `max_age_us` can be
restored from what its destinations hold now. A tenant is judged if it is of a person, primary and NORMAL: a standby is a copy of
another tenant, and one that is being made or dropped is a job's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from holdfast.values.tenant import is_auxiliary_name
from holdfast.values.window import WindowStatus
from holdfast.verdict.facts import BackupSet, Estate, JobKind, Last, Span, Tenant
from holdfast.verdict.rules import BY_ID, WEIGHT, Severity

SYS_TENANT = "sys"
NEVER_IGNORED = frozenset({"facts-unread", "tenant-unknown", "server-unreachable"})
"""They say that something is not known, or that nobody was judged."""
EVERYBODY = "*"
_SCHEDULE_LATE_US = 15 * 60 * 1_000_000
"""A run that is refused is tried again for ten minutes, and what waits for another job may wait as long as that takes."""
_AHEAD_US_MAX = 5 * 60 * 1_000_000
"""An engine's SCN runs ahead of the clock by some seconds after a start (measured: 7 s each)."""
_NAMED_MAX = 3
_ARCHIVING = "DOING"
_ENDING = frozenset({"STOPPING", "STOP"})
_SUSPENDED = frozenset({"SUSPENDING", "SUSPEND"})
_BEGINNING = frozenset({"PREPARE", "BEGINNING"})
_CLEARED_BY: Mapping[JobKind, tuple[JobKind, ...]] = {
    JobKind.FULL: (JobKind.FULL,),
    JobKind.INCREMENTAL: (JobKind.INCREMENTAL, JobKind.FULL),
    JobKind.BASIC: (JobKind.BASIC, JobKind.PHYSICAL),
    JobKind.PHYSICAL: (JobKind.PHYSICAL,),
    JobKind.DRILL: (JobKind.DRILL,),
    JobKind.CLEANUP: (JobKind.CLEANUP,),
}
_FAILED_RULE: Mapping[JobKind, str] = {
    JobKind.FULL: "full-failed",
    JobKind.INCREMENTAL: "incremental-failed",
    JobKind.BASIC: "validation-failed",
    JobKind.PHYSICAL: "validation-failed",
    JobKind.DRILL: "drill-failed",
    JobKind.CLEANUP: "cleanup-failed",
}
SECTIONS = (
    *("archive", "sets", "backups", "validations", "cleanups", "schedules", "damages", "health"),
    *("windows", "sys_data"),
)
"""What an estate is read in, besides its tenants. A section that is in `Estate.unread` makes the verdict UNKNOWN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`tenant`: empty for what is of no tenant."""

    rule: str
    tenant: str
    message: str
    remedy: str

    @property
    def severity(self) -> Severity:
        return BY_ID[self.rule].severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is said of one tenant. `why_not`: why it is not judged. `newest_us`: the newest moment that can be restored."""

    tenant: Tenant
    severity: Severity
    newest_us: int | None
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`findings` worst first; `ignored` are those the caller wanted left aside."""

    severity: Severity
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    tenants: tuple[Judged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked. `tenants`: empty for all. `ignored`: (tenant or `*`, rule or empty for all of them)."""

    max_age_us: int
    tenants: tuple[str, ...] = ()
    ignored: frozenset[tuple[str, str]] = frozenset()

    def leaves_out(self, tenant: str) -> bool:
        """Return whether a tenant is unprotected on purpose."""
        return (tenant, "") in self.ignored

    def ignores(self, finding: Finding) -> bool:
        return finding.rule not in NEVER_IGNORED and any(
            (tenant, rule) in self.ignored for tenant in (finding.tenant, EVERYBODY) for rule in (finding.rule, "")
        )


def finding(rule: str, message: str, *, tenant: str = "", remedy: str = "") -> Finding:
    """Return a finding of a rule of the table; its own remedy, or the rule's."""
    return Finding(rule=rule, tenant=tenant, message=message, remedy=remedy or BY_ID[rule].remedy)


def worst(findings: Iterable[Finding]) -> Severity:
    return max((one.severity for one in findings), key=lambda severity: severity.weight, default=Severity.OK)


def judge(estate: Estate, wish: Wish) -> Verdict:
    """Return the verdict over all tenants of the estate that are meant."""
    wanted = [tenant for tenant in estate.tenants if not wish.tenants or tenant.name in wish.tenants]
    found: list[Finding] = list(_of_estate(estate, wish, wanted))
    for tenant in wanted:
        found += _of_tenant(tenant, estate, wish)
    kept = sorted((one for one in found if not wish.ignores(one)), key=_order)
    return Verdict(
        severity=worst(kept),
        findings=tuple(kept),
        ignored=tuple(sorted((one for one in found if wish.ignores(one)), key=_order)),
        tenants=tuple(
            Judged(
                tenant=tenant,
                severity=worst(one for one in kept if one.tenant == tenant.name),
                newest_us=newest_us(tenant),
                why_not=_why_not(tenant) or ("left aside by --ignore" if wish.leaves_out(tenant.name) else ""),
            )
            for tenant in wanted
        ),
    )


def newest_us(tenant: Tenant) -> int | None:
    """Return the newest moment of the tenant that can be restored from what its destinations hold, None when none is known."""
    ends = (span.last_us for span in tenant.spans or () if span.status is WindowStatus.REACHABLE)
    return max((end for end in ends if end is not None), default=None)


def _order(one: Finding) -> tuple[int, int, str, str]:
    return (-one.severity.weight, WEIGHT[one.rule], one.tenant, one.message)


def _why_not(tenant: Tenant) -> str:
    if is_auxiliary_name(tenant.name):
        return "it belongs to a job"
    if tenant.role != "PRIMARY":
        return f"its role is {tenant.role}"
    return "" if tenant.status == "NORMAL" else f"it is {tenant.status}"


# --- the estate


def _of_estate(estate: Estate, wish: Wish, wanted: list[Tenant]) -> Iterator[Finding]:
    for section, reason in estate.unread.items():
        yield finding("facts-unread", f"{section.replace('_', ' ')} can not be read: {reason}")
    if "tenants" not in estate.unread:
        there = {tenant.name: tenant for tenant in estate.tenants}
        for name in wish.tenants:
            if name == SYS_TENANT:
                yield finding(
                    "tenant-unknown",
                    "it is not judged: sys is never backed up",
                    tenant=name,
                    remedy="name a user tenant, or none for all of them",
                )
            elif name not in there:
                yield finding("tenant-unknown", f"there is no tenant {name}", tenant=name)
            elif _why_not(there[name]):
                yield finding("tenant-unknown", f"it is not judged: {_why_not(there[name])}", tenant=name)
        is_anybody_judged = any(not _why_not(one) and not wish.leaves_out(one.name) for one in wanted)
        if not is_anybody_judged and all(name in there and not _why_not(there[name]) for name in wish.tenants):
            yield finding("tenant-unknown", "there is no tenant to be judged")
    if estate.sys_health is not None and estate.sys_health.engine != "UP":
        yield finding("engine-down", f"the engine is {estate.sys_health.engine}", tenant=SYS_TENANT)
    if estate.sys_data:
        named = _named(estate.sys_data)
        yield finding("sys-data", f"users made {named} there, which is never backed up", tenant=SYS_TENANT)


# --- one tenant


def _of_tenant(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    if tenant.status == "NORMAL" and tenant.health is not None and tenant.health.engine != "UP":
        comment = f": {tenant.health.engine_comment}" if tenant.health.engine_comment else ""
        yield finding("engine-down", f"the engine is {tenant.health.engine}{comment}", tenant=tenant.name)
    if _why_not(tenant):
        return
    judges: tuple[Callable[[Tenant, Estate, Wish], Iterator[Finding]], ...] = (
        _moments,
        _archive,
        _sets,
        _jobs,
        _schedules,
        _places,
        _pressure,
        _logins,
    )
    for each in judges:
        yield from each(tenant, estate, wish)


def _moments(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    """Say whether the newest moment can be restored, and is new enough."""
    if tenant.sets == ():
        yield finding("backup-none", "there is no backup set", tenant=tenant.name)
        return
    if tenant.spans is None:
        if "windows" not in estate.unread:
            yield finding("moment-unknown", "what can be restored is not known", tenant=tenant.name)
        return
    newest = newest_us(tenant)
    is_doubtful = any(span.status is WindowStatus.UNKNOWN for span in tenant.spans)
    if newest is not None and newest - estate.now_us > _AHEAD_US_MAX:
        ahead = age_text(newest - estate.now_us)
        yield finding(
            "moment-unknown",
            f"the newest restorable moment is {ahead} ahead of the server's clock, so how old it is is not known",
            tenant=tenant.name,
            remedy="put the clock right; moments of a clock that was ahead are behind it when it has passed them",
        )
        return
    if newest is not None and estate.now_us - newest <= wish.max_age_us:
        return
    if is_doubtful:
        # What does not answer may hold newer moments: not known is neither well nor lost.
        message = "what can be restored is not known"
        if newest is not None:
            message = f"the newest moment known to be restorable is {age_text(estate.now_us - newest)} old"
        yield finding("moment-unknown", message, tenant=tenant.name)
    elif newest is None:
        yield finding("moment-none", "no moment can be restored", tenant=tenant.name)
    else:
        age = age_text(estate.now_us - newest)
        words = _archive_words(tenant, estate)
        # Where nothing keeps the archive from going on, what was asked for is less than it promises.
        remedy = "" if words else "the archive goes on: SET archive_lag_target to less, or ask with a larger --max-age"
        yield finding("moment-old", f"newest restorable moment is {age} old{words}", tenant=tenant.name, remedy=remedy)


def _archive_words(tenant: Tenant, estate: Estate) -> str:
    archive = tenant.archive
    if archive is None:
        return " (the log is not archived)" if tenant.has_round is False else ""
    if archive.status == _ARCHIVING:
        return f" (archive {archive.comment})" if archive.comment else ""
    ago = f", {age_text(estate.now_us - archive.checkpoint_us)} ago" if archive.checkpoint_us else ""
    return f" (archive {archive.status}{ago})"


def _archive(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    archive = tenant.archive
    is_claimed = tenant.health is not None and bool(tenant.health.claimed)

    def found(rule: str, words: str) -> Finding:
        # A round of a server that must not write can not be begun anew before that is decided.
        return finding(
            rule, words, tenant=tenant.name, remedy=BY_ID["destination-claimed"].remedy if is_claimed else ""
        )

    if tenant.has_round is None:
        return
    if tenant.log_mode != "ARCHIVELOG":
        ending = f", its round is {archive.status}" if archive is not None else ""
        yield found("archive-off", f"the log is not archived{ending}")
    elif archive is None:
        yield found("archive-off", "ARCHIVELOG is on and no round has begun: is LOG_ARCHIVE_DEST set?")
    elif archive.status == _ARCHIVING:
        # Its log is held and not lost, but nothing goes to the destination: a comment says what keeps it from there.
        if archive.comment:
            yield found("archive-waits", _with("archiving does not go on", archive.comment))
    elif archive.status in _SUSPENDED:
        yield found("archive-suspended", _with("archiving is suspended", archive.comment))
    elif archive.status in _BEGINNING:
        yield found("archive-beginning", _with("archiving has not begun", archive.comment))
    elif archive.status in _ENDING:
        yield found("archive-off", "archiving is ending")
    else:
        yield found("archive-interrupted", _with(f"archiving is {archive.status}", archive.comment))


def _sets(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    """Hold the sets of the catalog against what the destinations hold, and name the gaps."""
    if tenant.sets is None or tenant.spans is None:
        return
    reachable = [span for span in tenant.spans if span.status is WindowStatus.REACHABLE]
    foreign = [span for span in tenant.spans if span.status is WindowStatus.FOREIGN]
    usable = {set_id for span in (*reachable, *foreign) for set_id in span.set_ids}
    absent = [span for span in tenant.spans if span.status is WindowStatus.ABSENT]
    silent = tuple(span.place for span in tenant.spans if span.status is WindowStatus.UNKNOWN and span.place)
    is_silent = any(span.status is WindowStatus.UNKNOWN and not span.place for span in tenant.spans)
    former = [span for span in tenant.spans if span.status is WindowStatus.FORMER]
    away = tuple(span.place for span in (*absent, *former))
    damaged = [span for span in tenant.spans if span.status is WindowStatus.DAMAGED]
    gaps = [span for span in tenant.spans if span.status is WindowStatus.GAP]
    for one in tenant.sets:
        if one.set_id in usable or one.file_status not in ("AVAILABLE", "BROKEN", "INCOMPLETE"):
            continue
        if is_silent or _lies_at(one, silent) or _lies_at(one, away):
            continue  # told of the place
        lacks = next((span for span in damaged if one.set_id in span.set_ids), None)
        gap = next((span for span in gaps if span.first_us == one.min_restore_us), None)
        if lacks is not None:
            yield finding("set-gone", _with(f"backup set {one.set_id} is not whole", lacks.cause), tenant=tenant.name)
        elif gap is not None:
            words = _with(f"backup set {one.set_id} restores nothing", gap.cause)
            yield finding("set-unusable", words, tenant=tenant.name, remedy=gap.remedy)
        else:
            yield finding("set-gone", f"backup set {one.set_id} is not at {one.path}", tenant=tenant.name)
    yield from _gaps(tenant, reachable)
    yield from _lost_end(tenant, gaps)
    for span in absent:
        yield finding("destination-absent", _with(span.place, span.cause), tenant=tenant.name, remedy=span.remedy)
    for span in former:
        yield finding("former-absent", _with(span.place, span.cause), tenant=tenant.name, remedy=span.remedy)
    for span in damaged:
        if not span.set_ids:
            yield finding("damage-open", _with(span.place, span.cause), tenant=tenant.name, remedy=span.remedy)
    for span in tenant.spans:
        if span.status is WindowStatus.UNKNOWN:
            words = _with(span.place, span.cause)
            yield finding("destination-unreadable", words, tenant=tenant.name, remedy=span.remedy)


def _lies_at(one: BackupSet, places: tuple[str, ...]) -> bool:
    return any(one.path == place or one.path.startswith(f"{place}/") for place in places)


def _gaps(tenant: Tenant, reachable: list[Span]) -> Iterator[Finding]:
    ends = sorted((span.first_us or 0, span.last_us or 0) for span in reachable)
    for (_, last), (first, _) in pairwise(ends):
        if first > last:
            between = (span for span in tenant.spans or () if span.status is WindowStatus.GAP and span.first_us == last)
            cause = next((span.cause for span in between), "")
            words = _with(f"moments of {age_text(first - last)} can not be restored", cause)
            yield finding("gap", words, tenant=tenant.name)


def _lost_end(tenant: Tenant, gaps: list[Span]) -> Iterator[Finding]:
    """Say at once that what is written now can not be restored, though the log is archived: the newest moment is not old yet."""
    if tenant.archive is None or tenant.archive.status != _ARCHIVING:
        return  # told of the archive
    consistent = {one.min_restore_us for one in tenant.sets or ()}
    for gap in gaps:
        if gap.last_us is None and gap.first_us is not None and gap.first_us not in consistent:
            words = _with("what is written from now on can not be restored", gap.cause)
            yield finding("log-lost", words, tenant=tenant.name, remedy=gap.remedy)


def _jobs(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    for kind, last in tenant.jobs.items():
        if last.failure_us is None:
            continue
        # By number and not by time: a clock that was put back makes a later failure look older. Kinds that clear each other count together.
        if any(tenant.jobs.get(other, Last()).success_id > last.failure_id for other in _CLEARED_BY[kind]):
            continue
        age = age_text(estate.now_us - last.failure_us)
        words = _with(f"{kind} {last.failure_id} failed {age} ago, none succeeded since", last.comment)
        yield finding(_FAILED_RULE[kind], words, tenant=tenant.name)


def _schedules(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    for schedule in tenant.schedules:
        if schedule.next_us is not None and estate.now_us - schedule.next_us > _SCHEDULE_LATE_US:
            late = age_text(estate.now_us - schedule.next_us)
            yield finding("schedule-missed", f"scheduled {schedule.name} is due for {late}", tenant=tenant.name)
        if schedule.last_status == "REFUSED":
            words = _with(f"scheduled {schedule.name} was refused", schedule.last_comment)
            yield finding("schedule-refused", words, tenant=tenant.name)


def _places(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    if tenant.health is not None and tenant.health.claimed:
        yield finding("destination-claimed", tenant.health.claimed, tenant=tenant.name)
    if tenant.health is not None and tenant.health.key:
        yield finding("key-lost", tenant.health.key, tenant=tenant.name)
    if tenant.health is not None and tenant.health.outside:
        yield finding("destination-outside", tenant.health.outside, tenant=tenant.name)
    if tenant.damages:
        yield finding("damage-open", f"open damage in {_named(tenant.damages)}", tenant=tenant.name)


def _pressure(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    health = tenant.health
    if health is None:
        return
    if health.is_stalled:
        yield finding("writes-stalled", _with("writes are held back", health.spool), tenant=tenant.name)
    elif health.spool:
        yield finding("spool-pressure", health.spool, tenant=tenant.name)


def _logins(tenant: Tenant, estate: Estate, wish: Wish) -> Iterator[Finding]:
    health = tenant.health
    if health is not None and health.engine == "UP" and health.engine_comment:
        yield finding("accounts-unusable", health.engine_comment, tenant=tenant.name)


# --- words


def summary(verdict: Verdict, now_us: int) -> str:
    """Return the line that says it all: the worst finding, or what is well."""
    if verdict.findings:
        first = verdict.findings[0]
        more = len(verdict.findings) - 1
        who = f"{first.tenant}: " if first.tenant else ""
        return f"{verdict.severity.name}: {who}{first.message}{f' (and {more} more)' if more else ''}"
    judged = [one for one in verdict.tenants if not one.why_not]
    ages = [now_us - one.newest_us for one in judged if one.newest_us is not None]
    count = f"{len(judged)} tenant{'' if len(judged) == 1 else 's'}"
    if not ages:
        return f"OK: {count}"
    return f"OK: {count}, newest restorable moment {age_text(max(ages))} old{' at most' if len(ages) > 1 else ''}"


def age_text(age_us: int) -> str:
    """Return a length of time as people say it: `12 s`, `3 min`, `3 h`, `2 d`; never negative."""
    seconds = max(0, age_us) // 1_000_000
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (unit == "min" and seconds >= 120):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _with(words: str, reason: str) -> str:
    return f"{words}: {reason}" if reason else words


def _named(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return f"{', '.join(names[:_NAMED_MAX])}{more}"
