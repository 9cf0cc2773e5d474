"""The judgement, rule by rule: facts in, findings out. No server, no clock."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from holdfast.values.window import WindowStatus
from holdfast.verdict.facts import (
    Archive,
    BackupSet,
    Estate,
    Health,
    JobKind,
    Last,
    Schedule,
    Span,
    Tenant,
)
from holdfast.verdict.judge import SECTIONS, Wish, age_text, judge, summary
from holdfast.verdict.rules import BY_ID, RULES, Severity

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
NOW = 1_795_966_205 * SECOND
TEN_MINUTES = Wish(max_age_us=10 * MINUTE)


def reachable(*set_ids: int, first: int = NOW - HOUR, last: int = NOW - 5 * SECOND) -> Span:
    return Span(
        status=WindowStatus.REACHABLE, first_us=first, last_us=last, set_ids=set_ids, place="file:///a,file:///d"
    )


def a_set(set_id: int, *, path: str = "file:///d", file_status: str = "AVAILABLE") -> BackupSet:
    return BackupSet(set_id=set_id, file_status=file_status, min_restore_us=NOW - HOUR + set_id, path=path)


def failed(ago: int, *, success_ago: int | None = None, comment: str = "disk full") -> Last:
    success_id = 0 if success_ago is None else 6 if success_ago > ago else 8
    return Last(success_id=success_id, failure_id=7, failure_us=NOW - ago, comment=comment)


WELL = Tenant(
    tenant_id=1002,
    name="app",
    role="PRIMARY",
    status="NORMAL",
    log_mode="ARCHIVELOG",
    archive=Archive(status="DOING", checkpoint_us=NOW - 5 * SECOND),
    has_round=True,
    sets=(a_set(1),),
    spans=(reachable(1),),
    jobs={JobKind.FULL: Last(success_id=1)},
    schedules=(Schedule(name="full backup", next_us=NOW + HOUR, last_due_us=NOW - HOUR, last_status="COMPLETED"),),
    health=Health(),
)


def estate(*tenants: Tenant, **more: object) -> Estate:
    return Estate(now_us=NOW, tenants=tenants, **more)  # type: ignore[arg-type]


GAP = Span(status=WindowStatus.GAP, first_us=NOW - 2 * HOUR, last_us=NOW - HOUR, cause="log is missing")
UNREADABLE = Span(status=WindowStatus.UNKNOWN, place="file:///d", cause="it hangs")
DAMAGED = Span(status=WindowStatus.DAMAGED, place="file:///a/piece_d1r1p1", cause="an object is cut")
ABSENT = Span(status=WindowStatus.ABSENT, place="file:///d", cause="there is no such path")
FORMER = Span(
    status=WindowStatus.FORMER, place="file:///usb", cause="there is no such path", remedy="DELETE BACKUP ALL"
)
OLD = replace(WELL, spans=(reachable(1, last=NOW - 3 * HOUR),))
MEMBERS: dict[str, list[Estate]] = {
    "moment-none": [estate(replace(WELL, spans=())), estate(replace(WELL, spans=(ABSENT,)))],
    "backup-none": [estate(replace(WELL, sets=(), spans=()))],
    "moment-old": [
        estate(OLD),
        estate(replace(OLD, archive=None, has_round=False, log_mode="NOARCHIVELOG")),
        estate(replace(WELL, spans=(reachable(1, last=NOW - 10 * MINUTE - 1),))),
    ],
    "destination-absent": [estate(replace(WELL, spans=(ABSENT,)))],
    "destination-claimed": [estate(replace(WELL, health=Health(claimed="a later twin writes file:///d")))],
    "key-lost": [estate(replace(WELL, health=Health(key="no backup key: file:/k is gone")))],
    "set-gone": [
        estate(replace(WELL, sets=(a_set(1), a_set(2)))),
        estate(
            replace(
                WELL,
                sets=(a_set(1), a_set(2)),
                spans=(reachable(1), replace(DAMAGED, set_ids=(2,), cause="2 objects are missing")),
            )
        ),
        estate(replace(WELL, sets=(a_set(1), a_set(2, file_status="BROKEN")))),
    ],
    "archive-interrupted": [
        estate(replace(WELL, archive=Archive(status="INTERRUPTED", comment="log was lost"))),
        estate(replace(WELL, archive=Archive(status="A WORD OF LATER"))),
    ],
    "archive-off": [
        estate(replace(WELL, log_mode="NOARCHIVELOG", archive=None, has_round=False)),
        estate(replace(WELL, log_mode="NOARCHIVELOG", archive=Archive(status="STOPPING"))),
        estate(replace(WELL, archive=Archive(status="STOPPING"))),
        estate(replace(WELL, archive=None, has_round=False)),
    ],
    "archive-suspended": [
        estate(replace(WELL, archive=Archive(status=status))) for status in ("SUSPEND", "SUSPENDING")
    ],
    "archive-waits": [
        estate(replace(WELL, archive=Archive(status="DOING", comment="waiting: No space left on device")))
    ],
    "archive-beginning": [estate(replace(WELL, archive=Archive(status=status))) for status in ("PREPARE", "BEGINNING")],
    "destination-outside": [
        estate(replace(WELL, health=Health(outside="file:///d lies outside the destination roots")))
    ],
    "writes-stalled": [estate(replace(WELL, health=Health(is_stalled=True, spool="the disk is full")))],
    "accounts-unusable": [estate(replace(WELL, health=Health(engine_comment="2 accounts are bound to a host")))],
    "spool-pressure": [estate(replace(WELL, health=Health(spool="the disk is full")))],
    "engine-down": [
        estate(replace(WELL, health=Health(engine="DOWN"))),
        estate(WELL, replace(WELL, name="sb", role="STANDBY", health=Health(engine="STARTING"))),
        estate(WELL, sys_health=Health(engine="UNHEALTHY")),
    ],
    "drill-failed": [estate(replace(WELL, jobs={JobKind.DRILL: failed(HOUR, success_ago=2 * HOUR)}))],
    "damage-open": [
        estate(replace(WELL, damages=("backup_set_1_full/data/1",))),
        estate(replace(WELL, spans=(reachable(1), DAMAGED))),
    ],
    "log-lost": [estate(replace(WELL, spans=(reachable(1), replace(GAP, first_us=NOW - 5 * SECOND, last_us=None))))],
    "moment-unknown": [
        estate(replace(WELL, spans=(reachable(1, last=NOW + HOUR),))),
        estate(replace(WELL, spans=(UNREADABLE,))),
        estate(replace(WELL, spans=(reachable(1, last=NOW - HOUR), UNREADABLE))),
        estate(replace(WELL, spans=None)),
    ],
    "destination-unreadable": [estate(replace(WELL, spans=(reachable(1), UNREADABLE)))],
    "facts-unread": [estate(WELL, unread={section: "1142"}) for section in ("tenants", *SECTIONS)],
    "tenant-unknown": [estate(), estate(replace(WELL, role="STANDBY")), estate(replace(WELL, status="RESTORE"))],
    "full-failed": [
        estate(replace(WELL, jobs={JobKind.FULL: failed(HOUR, success_ago=2 * HOUR)})),
        estate(replace(WELL, jobs={JobKind.FULL: failed(HOUR), JobKind.INCREMENTAL: Last(success_id=8)})),
    ],
    "incremental-failed": [estate(replace(WELL, jobs={JobKind.INCREMENTAL: failed(HOUR)}))],
    "validation-failed": [
        estate(replace(WELL, jobs={JobKind.BASIC: failed(HOUR)})),
        estate(replace(WELL, jobs={JobKind.PHYSICAL: failed(HOUR), JobKind.BASIC: Last(success_id=8)})),
    ],
    "cleanup-failed": [estate(replace(WELL, jobs={JobKind.CLEANUP: failed(HOUR)}))],
    "schedule-missed": [estate(replace(WELL, schedules=(Schedule(name="drill", next_us=NOW - HOUR),)))],
    "schedule-refused": [
        estate(replace(WELL, schedules=(Schedule(name="drill", next_us=NOW + HOUR, last_status="REFUSED"),)))
    ],
    "former-absent": [
        estate(replace(WELL, sets=(a_set(1), a_set(2, path="file:///usb")), spans=(reachable(1), FORMER)))
    ],
    "set-unusable": [
        estate(
            replace(
                WELL,
                sets=(a_set(1), a_set(2)),
                spans=(
                    reachable(1),
                    replace(GAP, first_us=a_set(2).min_restore_us, last_us=None, remedy="put it back"),
                ),
            )
        )
    ],
    "gap": [
        estate(
            replace(
                WELL,
                sets=(a_set(1), a_set(2)),
                spans=(reachable(1, first=NOW - 3 * HOUR, last=NOW - 2 * HOUR), GAP, reachable(2)),
            )
        )
    ],
    "sys-data": [estate(WELL, sys_data=("foo", "test.x"))],
}
OUTSIDE = {"server-unreachable"}
"""Found by whoever asks, before there are facts."""


def test_a_well_estate_is_ok() -> None:
    verdict = judge(estate(WELL, replace(WELL, name="other", tenant_id=1004)), TEN_MINUTES)
    assert (verdict.severity, verdict.findings) == (Severity.OK, ())
    assert summary(verdict, NOW) == "OK: 2 tenants, newest restorable moment 5 s old at most"


def test_every_rule_of_the_table_has_its_cases() -> None:
    assert set(MEMBERS) | OUTSIDE == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(("rule", "facts"), [(rule, facts) for rule, estates in MEMBERS.items() for facts in estates])
def test_a_rule_finds_what_it_is_for(rule: str, facts: Estate) -> None:
    verdict = judge(facts, TEN_MINUTES)
    assert rule in [one.rule for one in verdict.findings]
    assert verdict.severity is not Severity.OK
    assert all(one.message and one.remedy for one in verdict.findings)
    assert summary(verdict, NOW).startswith(f"{verdict.severity.name}: ")


@pytest.mark.parametrize(
    "jobs",
    [
        {JobKind.FULL: failed(2 * HOUR, success_ago=HOUR)},
        {JobKind.INCREMENTAL: failed(HOUR), JobKind.FULL: Last(success_id=8)},
        {JobKind.BASIC: failed(HOUR), JobKind.PHYSICAL: Last(success_id=8)},
        {JobKind.DRILL: failed(2 * HOUR, success_ago=HOUR)},
    ],
)
def test_a_later_success_takes_a_failure_back(jobs: Mapping[JobKind, Last]) -> None:
    assert judge(estate(replace(WELL, jobs=jobs)), TEN_MINUTES).severity is Severity.OK


@pytest.mark.parametrize(
    "facts",
    [
        estate(WELL, replace(WELL, name="sb", role="STANDBY", sets=(), spans=())),
        estate(WELL, replace(WELL, name="new", status="CREATING", sets=(), spans=())),
        estate(WELL, replace(WELL, name="AUX_DRILL$1", status="NORMAL", sets=(), spans=())),
        estate(replace(WELL, spans=(reachable(1, last=NOW - 10 * MINUTE),))),
        estate(replace(WELL, schedules=(Schedule(name="drill", next_us=NOW - 14 * MINUTE),))),
        # Windows that touch have nothing between them.
        estate(
            replace(
                WELL,
                sets=(a_set(1), a_set(2)),
                spans=(reachable(1, last=NOW - MINUTE), reachable(2, first=NOW - MINUTE)),
            )
        ),
    ],
)
def test_what_is_no_fault_is_not_found(facts: Estate) -> None:
    assert judge(facts, TEN_MINUTES).findings == ()


def test_worst_is_first_and_unknown_counts_for_more_than_a_warning() -> None:
    facts = estate(
        replace(WELL, name="warned", schedules=(Schedule(name="drill", next_us=NOW - HOUR),)),
        replace(WELL, name="unread", spans=(reachable(1), UNREADABLE)),
        replace(OLD, name="old"),
        replace(WELL, name="none", sets=()),
    )
    verdict = judge(facts, TEN_MINUTES)
    assert [(one.tenant, one.rule) for one in verdict.findings] == [
        ("none", "backup-none"),
        ("old", "moment-old"),
        ("unread", "destination-unreadable"),
        ("warned", "schedule-missed"),
    ]
    assert verdict.severity is Severity.CRITICAL
    assert [one.severity for one in verdict.tenants] == [
        *(Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL, Severity.CRITICAL)
    ]
    assert summary(verdict, NOW) == "CRITICAL: none: there is no backup set (and 3 more)"
    without = judge(facts, replace(TEN_MINUTES, tenants=("warned", "unread")))
    assert without.severity is Severity.UNKNOWN


def test_the_first_line_says_how_old_and_why() -> None:
    interrupted = Archive(status="INTERRUPTED", checkpoint_us=NOW - 3 * HOUR, comment="log was lost")
    verdict = judge(estate(replace(OLD, archive=interrupted)), TEN_MINUTES)
    assert summary(verdict, NOW) == (
        "CRITICAL: app: newest restorable moment is 3 h old (archive INTERRUPTED, 3 h ago) (and 1 more)"
    )


@pytest.mark.parametrize("status", ["INTERRUPTED", "PREPARE", "STOPPING"])
def test_a_round_at_anothers_destination_is_not_begun_anew_before_that_is_decided(status: str) -> None:
    claimed = replace(WELL, archive=Archive(status=status), health=Health(claimed="a later twin writes file:///d"))
    found = judge(estate(claimed), TEN_MINUTES).findings
    assert len(found) == 2
    assert all(one.remedy == BY_ID["destination-claimed"].remedy for one in found)


def test_an_old_moment_of_an_archive_that_goes_on_is_a_matter_of_the_bound() -> None:
    (found,) = judge(estate(OLD), TEN_MINUTES).findings
    assert "archive_lag_target" in found.remedy
    waits = replace(OLD, archive=Archive(status="DOING", comment="waiting: disk full"))
    old, _ = judge(estate(waits), TEN_MINUTES).findings
    assert (old.rule, old.remedy) == ("moment-old", BY_ID["moment-old"].remedy)
    assert old.message.endswith("(archive waiting: disk full)")


def test_a_clock_that_was_put_back_takes_no_failure_back() -> None:
    """The last success is of a clock that was ahead."""
    jobs = {JobKind.FULL: Last(success_id=6, failure_id=7, failure_us=NOW - HOUR)}
    (found,) = judge(estate(replace(WELL, jobs=jobs)), TEN_MINUTES).findings
    assert found.rule == "full-failed"


def test_a_persons_tenant_is_judged_whatever_its_name_begins_with() -> None:
    shop = replace(WELL, name="AUX_SHOP", sets=(), spans=())
    assert [one.rule for one in judge(estate(shop), TEN_MINUTES).findings] == ["backup-none"]
    scratch = replace(shop, name="AUX_DRILL$1795966205000000")
    assert judge(estate(WELL, scratch), TEN_MINUTES).severity is Severity.OK


def test_sys_is_not_judged_and_that_is_said() -> None:
    (found,) = judge(estate(WELL), Wish(max_age_us=HOUR, tenants=("sys",))).findings
    assert (found.rule, found.message) == ("tenant-unknown", "it is not judged: sys is never backed up")


def test_a_tenant_left_aside_is_not_judged_and_its_findings_are_told_apart() -> None:
    facts = estate(WELL, replace(WELL, name="scratch", sets=(), spans=()))
    assert judge(facts, TEN_MINUTES).severity is Severity.CRITICAL
    verdict = judge(facts, replace(TEN_MINUTES, ignored=frozenset({("scratch", "")})))
    assert (verdict.severity, [one.rule for one in verdict.ignored]) == (Severity.OK, ["backup-none"])
    assert [one.why_not for one in verdict.tenants] == ["", "left aside by --ignore"]


def test_one_rule_can_be_left_aside_for_one_tenant_or_for_all() -> None:
    (facts,) = MEMBERS["gap"]
    for ignored in (("app", "gap"), ("*", "gap")):
        assert judge(facts, replace(TEN_MINUTES, ignored=frozenset({ignored}))).severity is Severity.OK
    assert judge(facts, replace(TEN_MINUTES, ignored=frozenset({("other", "gap")}))).severity is Severity.WARNING


def test_leaving_everybody_aside_is_not_well() -> None:
    verdict = judge(estate(WELL), replace(TEN_MINUTES, ignored=frozenset({("app", "")})))
    assert verdict.severity is Severity.UNKNOWN


@pytest.mark.parametrize(("tenant", "ignored"), [("ghost", "ghost"), ("app", "app"), ("sys", "sys")])
def test_who_is_asked_for_and_left_aside_is_not_well(tenant: str, ignored: str) -> None:
    wish = replace(TEN_MINUTES, tenants=(tenant,), ignored=frozenset({(ignored, "")}))
    (found,) = judge(estate(WELL), wish).findings
    assert found.rule == "tenant-unknown"


def test_a_set_that_has_no_log_is_no_lost_end_nor_is_that_there_is_no_set() -> None:
    (facts,) = MEMBERS["set-unusable"]
    assert "log-lost" not in [one.rule for one in judge(facts, TEN_MINUTES).findings]
    nothing = replace(WELL, spans=(replace(GAP, first_us=None, last_us=None),))
    assert "log-lost" not in [one.rule for one in judge(estate(nothing), TEN_MINUTES).findings]


@pytest.mark.parametrize("name", ["gone", "sb"])
def test_a_tenant_that_was_asked_for_must_be_there_and_judged(name: str) -> None:
    facts = estate(WELL, replace(WELL, name="sb", role="STANDBY"))
    verdict = judge(facts, replace(TEN_MINUTES, tenants=("app", name)))
    assert [(one.rule, one.tenant) for one in verdict.findings] == [("tenant-unknown", name)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172799, "47 h"), (172800, "2 d")],
)
def test_ages_are_rounded_down(seconds: int, text: str) -> None:
    assert age_text(seconds * SECOND) == text


def test_every_kind_of_job_has_a_rule_and_what_takes_its_failure_back() -> None:
    for kind in JobKind:
        assert judge(estate(replace(WELL, jobs={kind: failed(HOUR)})), TEN_MINUTES).findings, kind
        assert judge(estate(replace(WELL, jobs={kind: failed(HOUR, success_ago=MINUTE)})), TEN_MINUTES).findings == ()


def test_what_lay_on_a_path_that_was_given_up_is_no_more_than_a_warning() -> None:
    """Set 2 lies there with it: the place is told of once, with what ends the warning."""
    (facts,) = MEMBERS["former-absent"]
    verdict = judge(facts, TEN_MINUTES)
    assert [(one.rule, one.severity, one.remedy) for one in verdict.findings] == [
        ("former-absent", Severity.WARNING, "DELETE BACKUP ALL")
    ]
