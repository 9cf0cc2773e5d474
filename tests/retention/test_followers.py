"""A standby of this cluster keeps the log it has not taken in, by name, until its lease ends."""

from dataclasses import replace

import pytest
from worlds import ARCHIVE, GOLDEN, Case, load, scn_of, told

from holdfast.retention.by_hand import refuse_all_archive, refuse_pieces
from holdfast.retention.plan import judge
from holdfast.retention.verdict import Action, Estate, Follower
from holdfast.values.scn import Scn

STANDBY = Follower(
    dest_id=ARCHIVE, tenant_id=1004, name="sb", sync_scn=scn_of("2026-01-03 10:00"), hold_end_timestamp_us=1
)
REASON = "standby sb has not taken in its log"
MOST = Scn(2**62)


def kept(case: Case, *followers: Follower) -> list[int]:
    """Return the pieces that stay in the case's cleanup beside these standbys."""
    plan = judge(replace(case.estate, followers=followers), case.policy, case.now_us)
    return [verdict.entry.piece_id for verdict in plan.pieces if verdict.action is Action.KEEP]


@pytest.mark.parametrize("name", ["january", "log_only"])
def test_pieces_stay_from_the_one_its_log_ends_in(name: str) -> None:
    case = load(GOLDEN / f"{name}.json")
    assert kept(case) == list(range(7, 16))
    assert kept(case, STANDBY) == list(range(3, 16))
    plan = judge(replace(case.estate, followers=(STANDBY,)), case.policy, case.now_us)
    assert {told(plan)[f"piece {number}"] for number in (3, 4, 5, 6)} == {f"KEEP: {REASON}"}
    assert told(plan)["piece 2"].startswith("DELETE")
    assert plan.lapsed == ()


def test_the_last_group_of_its_log_may_lie_a_little_before() -> None:
    case = load(GOLDEN / "january.json")
    border = scn_of("2026-01-05")
    assert kept(case, replace(STANDBY, sync_scn=Scn(border + 30 * 10**9))) == list(range(4, 16))
    assert kept(case, replace(STANDBY, sync_scn=Scn(border + 120 * 10**9))) == list(range(5, 16))


def test_one_that_lapsed_or_follows_another_archive_or_has_it_all_keeps_nothing() -> None:
    case = load(GOLDEN / "january.json")
    lapsed = replace(STANDBY, is_lapsed=True)
    for other in (lapsed, replace(STANDBY, dest_id=ARCHIVE + 1), replace(STANDBY, sync_scn=MOST)):
        assert kept(case, other) == kept(case)
    plan = judge(replace(case.estate, followers=(lapsed, STANDBY)), case.policy, case.now_us)
    assert plan.lapsed == (lapsed,)


def test_deletion_by_hand_names_it() -> None:
    case = load(GOLDEN / "january.json")
    # Of the sets only the last: what a piece is needed for is the standby alone.
    estate = replace(case.estate, sets=case.estate.sets[-1:], followers=(STANDBY,))
    everything = [piece.piece_id for piece in estate.pieces[:6]]

    def refused(estate: Estate, *ids: int) -> str:
        refusal = refuse_pieces(estate, ids, has_policy=False, unreachable={})
        return "" if refusal is None else refusal.comment

    assert refused(estate, 1, 2) == ""
    assert refused(estate, *everything) == "id=3(needed by standby sb)"
    assert refused(replace(estate, followers=(replace(STANDBY, is_lapsed=True),)), *everything) == ""
    former = replace(estate, archive_dest_id=None)
    refusal = refuse_all_archive(former, ARCHIVE, is_written=False)
    assert refusal is not None
    assert refusal.comment == "id=3(needed by standby sb)"
    assert refuse_all_archive(replace(former, followers=()), ARCHIVE, is_written=False) is None
