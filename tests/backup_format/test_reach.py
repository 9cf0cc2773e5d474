"""The laws of a path, one by one. Thousands of estates hold them together in tests/retention/test_one_answer.py."""

from dataclasses import replace

import pytest

from backup_format.samples import MANIFEST
from holdfast.backup_format import reach
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.reach import (
    LogObjectFact,
    OtherEngine,
    PieceFact,
    SetFact,
    chain_of,
    moments_of,
    other_engine_of,
    path_of,
    usable_sets,
)
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

FIRST, SECOND = "a" * 32, "b" * 32


def position(lsn: int, scn: int, checksum: int | None = 1) -> LogPosition:
    return LogPosition(lsn=Lsn(lsn), accumulated=checksum, log_id=None if checksum is None else lsn, scn=Scn(scn))


def piece(number: int, begin: LogPosition, end: LogPosition, timeline: str = FIRST, **changes: object) -> PieceFact:
    log = LogObjectFact(name="log", block_id=0, first_lsn=begin.lsn, end_lsn=end.lsn, size_bytes=1)
    fact = PieceFact(
        source=1,
        root=f"piece_d1r{1 if timeline == FIRST else 2}p{number}",
        cluster_id=MANIFEST.cluster_id,
        tenant_id=MANIFEST.tenant_id,
        timeline=timeline,
        round_id=1 if timeline == FIRST else 2,
        piece_id=number,
        start_scn=begin.scn,
        begin=begin,
        end=end,
        objects=(log,),
        engine_data_version=MANIFEST.engine_data_version,
    )
    return replace(fact, **changes)  # type: ignore[arg-type]


def backup_set(number: int = 1, *, consistent_at: int = 10, chain: tuple[int, ...] = (), source: int = 0) -> SetFact:
    manifest = replace(
        MANIFEST,
        backup_set_id=number,
        chain=chain or (number,),
        round_id=1,
        timeline=FIRST,
        base_lsn=Lsn(100),
        end_lsn=Lsn(200),
        min_restore_scn=Scn(consistent_at),
    )
    return SetFact(source=source, root=f"backup_set_{number}_full", manifest=manifest)


ONE = piece(1, position(0, 0), position(500, 60))


def reach_of(*pieces: PieceFact) -> int:
    path = path_of(backup_set(), pieces)
    assert path is not None
    return int(path.reach)


@pytest.mark.parametrize(("consistent_at", "expected"), [(10, [(10, 60)]), (70, [])])
def test_a_piece_whose_beginning_contradicts_the_end_before_is_another_history(
    consistent_at: int, expected: list[tuple[int, int]]
) -> None:
    """Before, retention took it: the set reached SCN 90, and with MIN_RESTORE_SCN 70 became the clean point of a cleanup."""
    pieces = (ONE, piece(2, position(500, 60, checksum=2), position(900, 90, checksum=2), SECOND))
    moments = moments_of(usable_sets([backup_set(consistent_at=consistent_at)], pieces))
    assert [(int(one.first_scn), int(one.last_scn)) for one in moments] == expected


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((position(500, 60),), 90),  # the chain there is ours
        ((position(500, 60, checksum=2),), 60),  # another history, put back to before LSN 500
        ((position(500, 60, checksum=None),), 60),  # no group of it ends there
        ((), 60),  # nobody looked: not taken
    ],
)
def test_an_overlapping_round_is_joined_only_where_its_chain_is_known(
    marks: tuple[LogPosition, ...], expected: int
) -> None:
    assert reach_of(ONE, piece(2, position(400, 0, checksum=None), position(900, 90), SECOND, marks=marks)) == expected


def test_within_one_timeline_an_unknown_chain_counts() -> None:
    assert reach_of(ONE, piece(2, position(400, 0, checksum=None), position(900, 90))) == 90


def test_a_path_stays_on_its_timeline_while_that_goes_on() -> None:
    """The machine was put back to before LSN 700: both go on at 500, and the set is of the first."""
    other = piece(3, position(400, 0, checksum=None), position(950, 99, checksum=2), SECOND, marks=(position(500, 60),))
    assert reach_of(ONE, piece(2, position(500, 60), position(900, 90)), other) == 90


def test_where_two_histories_go_on_the_path_ends_and_names_them() -> None:
    """Copies of one archive that went on apart: the chain tells, the timeline does not."""
    left = piece(2, position(500, 60), position(900, 90))
    right = piece(2, position(500, 60), position(950, 99, checksum=2), source=2, marks=(position(900, 91, checksum=2),))
    path = path_of(backup_set(), (ONE, left, right))
    assert path is not None
    assert path.reach == 60
    assert set(path.rivals) == {left, right}


def test_of_two_copies_the_one_that_was_not_cut_is_read() -> None:
    cut = replace(ONE, end=position(300, 40), damage="log has 1 bytes, its record promises 2")
    assert reach_of(cut, ONE) == 60
    path = path_of(backup_set(), (cut,))
    assert path is not None
    assert (path.reach, path.damage) == (40, cut.damage)


def test_a_sealed_log_serves_its_own_set_alone() -> None:
    own = replace(ONE, set_id=1, is_sealed=True)
    assert path_of(backup_set(1), (own,)) is not None
    assert path_of(backup_set(2), (own,)) is None
    assert path_of(backup_set(2), (replace(own, is_sealed=False),)) is not None


def test_another_cluster_s_log_of_the_same_numbers_is_not_ours() -> None:
    assert path_of(backup_set(), (replace(ONE, cluster_id=MANIFEST.cluster_id + 1),)) is None


def test_of_two_sets_of_one_number_the_one_beside_counts() -> None:
    """A clone's set 1 has the number of ours; an increment rests on the one in its own destination."""
    ours, other = backup_set(1), replace(backup_set(1, consistent_at=11), source=5)
    increment = backup_set(2, chain=(1, 2))
    assert chain_of(increment, (other, ours, increment)) == (ours, increment)
    far = replace(increment, source=7)
    assert chain_of(far, (other, ours, far)) is None
    assert chain_of(far, (replace(ours, source=5), ours, far)) is not None


def test_a_set_whose_own_round_does_not_hold_its_base_has_no_path() -> None:
    """Another round's log at that LSN may be another history's: nothing tells which the image belongs to."""
    assert path_of(backup_set(), (replace(ONE, timeline=SECOND, round_id=2),)) is None
    assert path_of(backup_set(), (replace(ONE, round_id=2),)) is None


def test_up_to_the_image_s_end_only_its_own_round_counts() -> None:
    """Cut before that, a piece shares its chain with the history the machine was put back from: the image is not of that."""
    cut = replace(ONE, end=position(150, 8), damage="cut")
    other = piece(2, position(0, 0, checksum=None), position(900, 90), SECOND, marks=(position(150, 8),))
    assert reach_of(cut, other) == 8


NEWER = "1.9.0.0"


def test_a_path_ends_before_log_of_another_engine_and_names_it() -> None:
    """An engine replays its own version's log only. Before, the set counted as restorable up to 90, and restore refused all of it."""
    behind = piece(2, position(500, 60), position(900, 90), engine_data_version=NEWER)
    path = path_of(backup_set(), (ONE, behind))
    assert path is not None
    assert (path.reach, path.other_engine) == (60, OtherEngine(root=behind.root, engine_data_version=NEWER))
    assert other_engine_of(backup_set(), (), (ONE, behind)) == path.other_engine
    assert other_engine_of(backup_set(), (), (ONE,)) is None


def test_a_path_does_not_leave_its_timeline_where_that_goes_on_in_another_engine() -> None:
    """What it would go over to may be another history, of a machine that was put back to before the upgrade."""
    behind = piece(2, position(500, 60), position(900, 90), engine_data_version=NEWER)
    other = piece(3, position(400, 0, checksum=None), position(950, 99, checksum=2), SECOND, marks=(position(500, 60),))
    assert (reach_of(ONE, behind, other), reach_of(ONE, other)) == (60, 99)


def test_of_equal_pieces_that_of_the_set_s_engine_is_read() -> None:
    """The round that begins after an upgrade reaches back into log of the engine before; a third one may hold that too."""
    after = piece(2, position(500, 60), position(900, 90), SECOND, engine_data_version=NEWER)
    third = piece(3, position(400, 0), position(700, 80), "c" * 32, marks=(position(500, 60),))
    after = replace(after, marks=(position(700, 80),))
    path = path_of(backup_set(), (ONE, after, third))
    assert path is not None
    assert (path.reach, path.other_engine) == (80, OtherEngine(root=after.root, engine_data_version=NEWER))


def test_a_set_whose_first_log_is_another_engine_s_has_no_path_and_says_why() -> None:
    other = replace(ONE, engine_data_version=NEWER)
    assert path_of(backup_set(), (other,)) is None
    assert other_engine_of(backup_set(), (), (other,)) == OtherEngine(root=other.root, engine_data_version=NEWER)


def test_a_chain_is_of_one_engine() -> None:
    """A set of another engine in it is refused by a restore, so nothing else counts on it."""
    full, increment = backup_set(1), backup_set(2, chain=(1, 2))
    older = replace(full, manifest=replace(full.manifest, engine_data_version=NEWER))
    assert usable_sets((full, increment), (ONE,))[0][0] is increment
    assert chain_of(increment, (older, increment)) is None
    assert other_engine_of(increment, (older, increment), (ONE,)) == OtherEngine(
        root=older.root, engine_data_version=NEWER
    )


def test_paths_that_meet_are_gone_once_whatever_the_number_of_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two years of daily sets and pieces: what is looked at grows with sets and pieces, not with their product."""
    count = 730
    pieces = [piece(day, position(100 * day, day), position(100 * day + 100, day + 1)) for day in range(count)]
    sets = [
        replace(
            found,
            manifest=replace(
                found.manifest, base_lsn=Lsn(100 * day), end_lsn=Lsn(100 * day + 50), min_restore_scn=Scn(day + 1)
            ),
        )
        for day, found in ((day, backup_set(day + 1)) for day in range(count))
    ]
    looks = 0
    look = reach.goes_on

    def counted(before: LogPosition, timeline: str, following: PieceFact) -> bool:
        nonlocal looks
        looks += 1
        return look(before, timeline, following)

    monkeypatch.setattr(reach, "goes_on", counted)
    usable = usable_sets(sets, pieces)
    assert len(usable) == count
    assert looks <= 4 * count
    by_number = {fact.manifest.backup_set_id: path for fact, path in usable}
    assert all(path == path_of(fact, pieces) for fact, path in usable[:: count // 7])
    assert [step.piece.piece_id for step in by_number[count - 2].steps] == [count - 3, count - 2, count - 1]
    assert by_number[1].steps[0].from_lsn == Lsn(0)
