"""Piece arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.archive.window import Slicing
from holdfast.values.scn import Scn

DAY_US = 86_400_000_000
START = Scn(1_800_000_000_123_456_789)


def test_first_piece_starts_at_the_rounds_start_and_lasts_one_interval() -> None:
    window = Slicing(round_start_scn=START, base_piece_id=4, interval_us=DAY_US).window(4)
    assert (window.start_scn, window.end_scn) == (START, START + DAY_US * 1000)


def test_a_piece_before_the_rounds_first_does_not_exist() -> None:
    with pytest.raises(ValueError, match="piece 3 lies before"):
        Slicing(round_start_scn=START, base_piece_id=4, interval_us=DAY_US).window(3)


def test_log_older_than_the_round_belongs_to_the_first_piece() -> None:
    slicing = Slicing(round_start_scn=START, base_piece_id=4, interval_us=DAY_US)
    assert [slicing.piece_at(Scn(scn)) for scn in (0, START - 1, START)] == [4, 4, 4]


def test_the_end_of_a_piece_is_exclusive() -> None:
    slicing = Slicing(round_start_scn=START, base_piece_id=1, interval_us=DAY_US)
    end = slicing.window(1).end_scn
    assert (slicing.piece_at(Scn(end - 1)), slicing.piece_at(end)) == (1, 2)


@given(
    base=st.integers(1, 10**6),
    ordinal=st.integers(0, 10**5),
    interval_us=st.integers(1, 7 * DAY_US),
    inside=st.floats(0, 1, exclude_max=True),
)
def test_pieces_meet_and_every_point_lies_in_exactly_the_piece_that_claims_it(
    base: int, ordinal: int, interval_us: int, inside: float
) -> None:
    slicing = Slicing(round_start_scn=START, base_piece_id=base, interval_us=interval_us)
    window = slicing.window(base + ordinal)
    assert slicing.window(base + ordinal + 1).start_scn == window.end_scn
    point = Scn(window.start_scn + int((window.end_scn - window.start_scn) * inside))
    assert window.start_scn <= point < window.end_scn
    assert slicing.piece_at(point) == window.piece_id
