"""The rules of a verdict: one table says which there are, how bad each is, what feeds it and what to do.

The order is the order of weight: of findings of one severity the one whose rule stands first is told first.
"""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """The exit codes of monitoring plugins. Ordered by `weight`, not by value: what is known to be bad counts for more than what
    can not be read, and that for more than a warning."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def weight(self) -> int:
        return (Severity.OK, Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`finds`: a lower-case sentence for the documentation. `feeds`: the views and columns it is judged by."""

    id: str
    severity: Severity
    finds: str
    feeds: str
    remedy: str


_WINDOWS = "RESTORABLE_WINDOWS"
RULES: tuple[Rule, ...] = (
    Rule(
        id="moment-none",
        severity=Severity.CRITICAL,
        finds="no moment of the tenant can be restored, though it has backup sets",
        feeds=f"{_WINDOWS}.STATUS, BACKUP_SET_FILES",
        remedy="`holdfast windows` says what each set lacks, and what helps",
    ),
    Rule(
        id="backup-none",
        severity=Severity.CRITICAL,
        finds="the tenant has no backup set",
        feeds="BACKUP_SET_FILES.STATUS, FILE_STATUS",
        remedy="set both destinations, `holdfast archive on --wait`, then `holdfast backup`",
    ),
    Rule(
        id="moment-old",
        severity=Severity.CRITICAL,
        finds="the newest moment that can be restored now is older than --max-age",
        feeds=f"{_WINDOWS}.END_SCN of REACHABLE rows",
        remedy="`holdfast archive status` says why the archive does not go on",
    ),
    Rule(
        id="destination-absent",
        severity=Severity.CRITICAL,
        finds="a destination of the tenant is not there, or is none any more",
        feeds=f"{_WINDOWS} rows ABSENT",
        remedy="mount it or put it back; else name another destination and take a full backup",
    ),
    Rule(
        id="destination-claimed",
        severity=Severity.CRITICAL,
        finds="a destination is another's, or a later twin of this server has written there",
        feeds="TENANT_HEALTH.DESTINATION_COMMENT",
        remedy="decide which server goes on: RENEW SERVER IDENTITY there, a new round, a full backup; give the other its own place",
    ),
    Rule(
        id="key-lost",
        severity=Severity.CRITICAL,
        finds="the key that backup_encryption names is not to be had: nothing is backed up or archived, what is sealed opens nowhere else;"
        " or a destination lacks the `keys.obbak` that what is sealed there needs, or has an older one",
        feeds="TENANT_HEALTH.KEY_COMMENT",
        remedy="put the key back; or SET backup_encryption to another source, which needs no old key while this server lives; a"
        " destination's keys.obbak is put again as soon as it can be written",
    ),
    Rule(
        id="set-gone",
        severity=Severity.CRITICAL,
        finds="the catalog lists a set whose manifest or objects are not at the destination",
        feeds=f"BACKUP_SET_FILES, {_WINDOWS}.BACKUP_SET_IDS of rows REACHABLE and DAMAGED",
        remedy="put the objects back; else take a full backup and delete the set",
    ),
    Rule(
        id="archive-interrupted",
        severity=Severity.CRITICAL,
        finds="archiving is INTERRUPTED: log was lost, and nothing after it is archived",
        feeds="ARCHIVELOG.STATUS, COMMENT",
        remedy="`holdfast archive off`, `holdfast archive on --wait`, then `holdfast backup`",
    ),
    Rule(
        id="archive-off",
        severity=Severity.CRITICAL,
        finds="the log is not archived, or archiving is ending",
        feeds="DBA_OB_TENANTS.LOG_MODE, ARCHIVELOG.STATUS",
        remedy="`holdfast archive on --wait`, then `holdfast backup`",
    ),
    Rule(
        id="writes-stalled",
        severity=Severity.CRITICAL,
        finds="the tenant's writes are held back until its archive has room again (BINDING=Mandatory)",
        feeds="TENANT_HEALTH.WRITES_STALLED",
        remedy="make room at the destination",
    ),
    Rule(
        id="engine-down",
        severity=Severity.CRITICAL,
        finds="the tenant's engine does not run, or does not answer",
        feeds="TENANT_HEALTH.ENGINE_STATUS",
        remedy="the server starts it again by itself; its log says why it does not come",
    ),
    Rule(
        id="drill-failed",
        severity=Severity.CRITICAL,
        finds="the newest restore drill failed, and none has passed since",
        feeds="BACKUP_VALIDATE_JOB_HISTORY of VALIDATE_LEVEL restore",
        remedy="CDB_OB_RESTORE_DRILLS and _CHECKS say what did not hold",
    ),
    Rule(
        id="damage-open",
        severity=Severity.CRITICAL,
        finds="damage that a validation found is open, archived log is damaged, or a set or piece of another tenant lies there",
        feeds=f"BACKUP_DAMAGES.STATUS, {_WINDOWS} rows DAMAGED without BACKUP_SET_IDS",
        remedy="put the object back from a copy and validate it; else of a set take a full backup and delete it, of log"
        " `holdfast archive off --wait`, `holdfast archive on --wait`, then `holdfast backup`",
    ),
    Rule(
        id="log-lost",
        severity=Severity.CRITICAL,
        finds="archived log is gone or damaged, and nothing that is archived behind it can be restored",
        feeds=f"{_WINDOWS} rows GAP without an end",
        remedy="`holdfast windows` names what is lost and the way out",
    ),
    Rule(
        id="moment-unknown",
        severity=Severity.UNKNOWN,
        finds="the destinations did not answer, so it is not known what can be restored",
        feeds=_WINDOWS,
        remedy="look whether the destination hangs; `holdfast windows` waits longer",
    ),
    Rule(
        id="destination-unreadable",
        severity=Severity.UNKNOWN,
        finds="a destination of the tenant can not be read",
        feeds=f"{_WINDOWS} rows UNKNOWN",
        remedy="`holdfast windows` shows the reason",
    ),
    Rule(
        id="facts-unread",
        severity=Severity.UNKNOWN,
        finds="a view could not be read in time, so what it tells is not known",
        feeds="every view named here",
        remedy="ask again with a longer --timeout; as a user that may read the view",
    ),
    Rule(
        id="tenant-unknown",
        severity=Severity.UNKNOWN,
        finds="a tenant that was asked for is not there, or there is none to be judged",
        feeds="DBA_OB_TENANTS",
        remedy="`holdfast tenants` lists the tenants",
    ),
    Rule(
        id="server-unreachable",
        severity=Severity.UNKNOWN,
        finds="no server answers, or it lets the login not in",
        feeds="the login",
        remedy="`holdfast serve` runs one; --host, --port, --user and --password-file name it",
    ),
    Rule(
        id="archive-suspended",
        severity=Severity.WARNING,
        finds="archiving is suspended, by DEFER",
        feeds="ARCHIVELOG.STATUS, COMMENT",
        remedy="SET LOG_ARCHIVE_DEST_STATE='ENABLE' lets it go on",
    ),
    Rule(
        id="archive-waits",
        severity=Severity.WARNING,
        finds="archiving is DOING and does not go on: the destination does not take the log, the log can not be held, or nobody archives",
        feeds="ARCHIVELOG.STATUS, COMMENT",
        remedy="put right what the comment names; archiving then goes on by itself",
    ),
    Rule(
        id="archive-beginning",
        severity=Severity.WARNING,
        finds="archiving was switched on and has not begun",
        feeds="ARCHIVELOG.STATUS",
        remedy="wait a minute; `holdfast archive status` says what it waits for",
    ),
    Rule(
        id="spool-pressure",
        severity=Severity.WARNING,
        finds="log that the destination has not taken fills the server's disk: more than 1 GiB of it, or too little is free",
        feeds="TENANT_HEALTH.SPOOL_COMMENT",
        remedy="make the destination take the log, or make room on the server",
    ),
    Rule(
        id="accounts-unusable",
        severity=Severity.WARNING,
        finds="accounts of the tenant are bound to a host, REQUIRE X509, or REQUIRE SSL at a port without TLS: nobody can log in with them",
        feeds="TENANT_HEALTH.ENGINE_COMMENT of an engine that is UP",
        remedy="what the message says behind its last colon: it depends on how the server reaches that engine",
    ),
    Rule(
        id="full-failed",
        severity=Severity.WARNING,
        finds="the last full backup failed, and none has succeeded since",
        feeds="BACKUP_JOB_HISTORY",
        remedy="`holdfast jobs --ended 5` says why",
    ),
    Rule(
        id="incremental-failed",
        severity=Severity.WARNING,
        finds="the last incremental backup failed, and no backup has succeeded since",
        feeds="BACKUP_JOB_HISTORY",
        remedy="`holdfast jobs --ended 5` says why",
    ),
    Rule(
        id="validation-failed",
        severity=Severity.WARNING,
        finds="the last validation failed, and none of its level or a higher one has succeeded since",
        feeds="BACKUP_VALIDATE_JOB_HISTORY",
        remedy="`holdfast jobs --ended 5` says why",
    ),
    Rule(
        id="cleanup-failed",
        severity=Severity.WARNING,
        finds="the last cleanup failed, and none has succeeded since",
        feeds="BACKUP_DELETE_JOB_HISTORY",
        remedy="`holdfast jobs --ended 5` says why",
    ),
    Rule(
        id="schedule-missed",
        severity=Severity.WARNING,
        finds="a job of a schedule is due for more than fifteen minutes and has not begun",
        feeds="BACKUP_SCHEDULES.NEXT_TIMESTAMP: in the past only while a run waits",
        remedy="CDB_OB_BACKUP_SCHEDULES and the server's log say what it waits for",
    ),
    Rule(
        id="schedule-refused",
        severity=Severity.WARNING,
        finds="the last job of a schedule was refused and did not begin",
        feeds="BACKUP_SCHEDULES.LAST_STATUS, LAST_COMMENT",
        remedy="do what LAST_COMMENT says",
    ),
    Rule(
        id="set-unusable",
        severity=Severity.WARNING,
        finds="a set is whole, but what it needs (its base, its log) is not there, so it restores nothing",
        feeds=f"{_WINDOWS} rows GAP that begin at a set's MIN_RESTORE_SCN",
        remedy="put back what is missing, or delete the set",
    ),
    Rule(
        id="former-absent",
        severity=Severity.WARNING,
        finds="a destination that the tenant gave up is not there, and the catalog still lists what lay there",
        feeds=f"{_WINDOWS} rows FORMER",
        remedy="mount it or put it back; gone for good, DELETE BACKUP ALL of its path ends its rows",
    ),
    Rule(
        id="destination-outside",
        severity=Severity.WARNING,
        finds="a destination in use lies outside the destination roots: root@sys set it, or it was set before they were named",
        feeds="TENANT_HEALTH.ROOTS_COMMENT",
        remedy="name a root above it (serve --destination-root, parameter backup_destination_roots), or set another destination;"
        " one that is to lie there is left aside by --ignore TENANT:destination-outside",
    ),
    Rule(
        id="gap",
        severity=Severity.WARNING,
        finds="between two restorable windows lie moments that can not be restored",
        feeds=f"{_WINDOWS} rows GAP between two REACHABLE",
        remedy="put back the missing log; a gap that stays is left aside by --ignore TENANT:gap",
    ),
    Rule(
        id="sys-data",
        severity=Severity.WARNING,
        finds="somebody made databases or tables in the sys tenant, which is never backed up",
        feeds="information_schema.SCHEMATA, TABLES of sys",
        remedy="CREATE TENANT, and move them there: log in as root@TENANT",
    ),
)
BY_ID = {rule.id: rule for rule in RULES}
WEIGHT = {rule.id: place for place, rule in enumerate(RULES)}


def render_markdown() -> str:
    """Return the table of the documentation."""
    lines = ["| Rule | Severity | Finds | Judged by |", "| --- | --- | --- | --- |"]
    lines += [f"| `{rule.id}` | {rule.severity.name} | {rule.finds} | {rule.feeds} |" for rule in RULES]
    return "\n".join(lines)
