"""The recovery window is held by what can be restored, not by which set is the newest before it."""

from worlds import ARCHIVE, DATA, lsn_of, piece_fact, scn_of, set_fact

from holdfast.backup_format.reach import PieceFact
from holdfast.retention.plan import judge
from holdfast.retention.reach import restorable
from holdfast.retention.verdict import Action, Estate, PieceEntry, Policy, SetEntry
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus

DAY_US = 86_400_000_000
NOW = scn_of("2026-01-10")


def full(number: int, day: str, round_id: int) -> SetEntry:
    end = scn_of(day)
    timeline = f"{round_id:032x}"
    return SetEntry(
        dest_id=DATA,
        backup_set_id=number,
        type=BackupType.FULL,
        status=SetStatus.SUCCESS,
        file_status=FileStatus.AVAILABLE,
        end_us=int(end) // 1000,
        start_replay_scn=end,
        min_restore_scn=end,
        fact=set_fact(
            number, chain=(number,), round_id=round_id, base_lsn=lsn_of(scn_of(day)), end=end, timeline=timeline
        ),
    )


def piece(number: int, round_id: int, begin: str, end: str, last: str, status: FileStatus) -> PieceEntry:
    fact: PieceFact = piece_fact(
        number,
        timeline=f"{round_id:032x}",
        begin=lsn_of(scn_of(begin)),
        end=scn_of(last),
        round_id=round_id,
        history=round_id,
    )
    return PieceEntry(
        dest_id=ARCHIVE,
        round_id=round_id,
        piece_id=number,
        status=PieceStatus.FROZEN,
        file_status=status,
        start_scn=scn_of(begin),
        end_scn=scn_of(end),
        checkpoint_scn=scn_of(end),
        fact=fact,
        is_damaged=status is FileStatus.BROKEN,
    )


def test_a_clean_point_whose_log_is_cut_before_the_window_gives_way_to_an_older_one() -> None:
    """Set 2 is the newest restorable full set before the window, and its log is cut there: set 1 alone reaches into it."""
    estate = Estate(
        sets=(full(1, "2026-01-02", 1), full(2, "2026-01-04", 2)),
        pieces=(
            piece(1, 1, "2026-01-01", "2026-01-08", "2026-01-08", FileStatus.AVAILABLE),
            piece(2, 2, "2026-01-03", "2026-01-09", "2026-01-05", FileStatus.BROKEN),
        ),
        data_dest_id=DATA,
        archive_dest_id=ARCHIVE,
    )
    plan = judge(estate, Policy(recovery_window_us=3 * DAY_US), int(NOW) // 1000)
    assert restorable(estate)[-1].last_scn == scn_of("2026-01-08")
    assert plan.lost == ()
    assert plan.clean_point == 1
    assert {verdict.action for verdict in plan.sets} == {Action.KEEP}
