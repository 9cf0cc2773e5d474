"""Whoever a statement about all did not reach is named, in bounds."""

from holdfast import codes
from holdfast.jobs.left_out import LeftOut, comment_of, warnings_of


def _left_out(count: int, reason: str = "log archive status is not doing.") -> list[LeftOut]:
    return [LeftOut(tenant=f"t{n}", code=codes.OB_BACKUP_CAN_NOT_START, reason=reason) for n in range(count)]


def test_each_tenant_has_a_warning_with_its_code() -> None:
    assert [(one.number, one.message) for one in warnings_of(_left_out(2))] == [
        (9040, "tenant t0: log archive status is not doing."),
        (9040, "tenant t1: log archive status is not doing."),
    ]
    assert warnings_of([]) == ()


def test_what_show_warnings_does_not_hold_is_counted() -> None:
    assert len(warnings_of(_left_out(64))) == 64
    many = warnings_of(_left_out(100))
    assert (len(many), many[-1].message) == (64, "and 37 tenants more")


def test_a_comment_names_them_and_stays_half_of_its_column() -> None:
    assert comment_of([]) == ""
    assert comment_of(_left_out(2, "no")) == "not all tenants, 2 left out: t0 (no); t1 (no)"
    long = comment_of(_left_out(100, "x" * 1000))
    assert len(long) < 2100
    assert long.endswith(" and 97 more")
