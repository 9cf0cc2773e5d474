"""What may be deleted by hand where an object is damaged: the laws that generated histories meet only now and then."""

from dataclasses import replace

from worlds import ARCHIVE, DATA

from holdfast.retention.by_hand import refuse_pieces, refuse_sets
from holdfast.retention.verdict import Estate, PieceEntry, SetEntry
from holdfast.values.archive import FileStatus
from retention.test_window import full, piece

AVAILABLE, BROKEN = FileStatus.AVAILABLE, FileStatus.BROKEN


def estate(sets: tuple[SetEntry, ...], pieces: tuple[PieceEntry, ...]) -> Estate:
    return Estate(sets=sets, pieces=pieces, data_dest_id=DATA, archive_dest_id=ARCHIVE)


def refused_piece(number: int, of: Estate, *, has_policy: bool = True) -> str:
    refusal = refuse_pieces(of, [number], has_policy=has_policy, unreachable={})
    return "" if refusal is None else refusal.comment


def test_a_damaged_piece_goes_only_when_no_moment_needs_what_is_left_of_it() -> None:
    cut = piece(1, 1, "2026-01-01", "2026-01-08", "2026-01-05", BROKEN)
    whole = piece(2, 2, "2026-01-05", "2026-01-09", "2026-01-09", AVAILABLE)
    needed = estate((full(1, "2026-01-02", 1), full(2, "2026-01-06", 2)), (cut, whole))
    assert refused_piece(1, needed) == "id=1(cannot delete backup piece in current path when delete policy is set)"
    assert refused_piece(1, needed, has_policy=False) == "id=1(needed for oldest full backup)"
    assert refused_piece(1, replace(needed, sets=needed.sets[1:])) == ""
    assert refused_piece(2, replace(needed, sets=needed.sets[1:])) != ""


def test_a_set_goes_only_while_a_newer_full_one_can_be_restored() -> None:
    """Set 2's log was cut before its image was consistent: it is there, and can not be restored."""
    sets = (full(1, "2026-01-02", 1), full(2, "2026-01-06", 2), full(3, "2026-01-07", 2))
    log = piece(1, 1, "2026-01-01", "2026-01-08", "2026-01-05", AVAILABLE)

    def refused(last: str, number: int) -> str:
        of = estate(sets, (log, piece(2, 2, "2026-01-05", "2026-01-09", last, BROKEN)))
        refusal = refuse_sets(of, [number], has_policy=False, unreachable={})
        return "" if refusal is None else refusal.comment

    assert refused("2026-01-05 12:00", 1) == "id=1(newer than latest full backupset)"
    assert refused("2026-01-06 12:00", 1) == ""
    assert refused("2026-01-06 12:00", 2) == "id=2(newer than latest full backupset)"
    assert refused("2026-01-07 12:00", 2) == ""


def test_a_set_is_not_restored_with_the_log_of_another_round_that_holds_its_lsns() -> None:
    """Round 2 is another history's at these LSNs: it does not make set 1 the full set that lets an older one go."""
    of = estate(
        (full(1, "2026-01-02", 1), full(2, "2026-01-08 12:00", 3)),
        (
            piece(1, 1, "2026-01-01", "2026-01-08", "2026-01-08", AVAILABLE),
            piece(2, 2, "2026-01-01", "2026-01-09", "2026-01-09", AVAILABLE),
        ),
    )
    refusal = refuse_sets(of, [1], has_policy=False, unreachable={})
    assert refusal is not None
    assert refusal.comment == "id=1(newer than latest full backupset)"
