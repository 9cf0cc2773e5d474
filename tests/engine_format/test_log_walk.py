from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.engine_format.log_block import LOG_DATA_BYTES, LOG_INFO_BYTES, first_lsn_of
from holdfast.engine_format.log_walk import Position, Walk, WalkStop, groups, walk
from holdfast.errors import UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

from .samples import PADDING, entry, golden, golden_position, group

LOG = golden("log_groups.bin")
START = golden_position("log_groups.bin")
PLACES = list(groups(LOG, START))
STARTS = [offset for offset, _ in PLACES]
BLOCK_END = golden("log_block_end.bin")
BLOCK_END_START = golden_position("log_block_end.bin")
AT = Position(lsn=Lsn(1000), accumulated=5, log_id=7, scn=Scn(100))
DATA = b"some data"


def broken(buffer: bytes, position: Position = AT) -> str:
    """Return why nothing of `buffer` is taken."""
    result = walk(buffer, position)
    assert (result.stop, result.size_bytes, result.end) == (WalkStop.BROKEN, 0, position)
    return result.reason


def pad(position: Position, size: int, scn: int = 200) -> bytes:
    """Return a padding group of `size` bytes."""
    return group(position, entry(scn, b"\0\1\0\x19".ljust(size - 80, b"\0"), flag=PADDING), flag=PADDING)


def before_border(size: int) -> Position:
    return replace(AT, lsn=Lsn(LOG_DATA_BYTES - size))


def test_golden_groups_are_taken_whole() -> None:
    last = PLACES[-1][1]
    assert walk(LOG, START) == Walk(
        end=Position(lsn=Lsn(START.lsn + len(LOG)), accumulated=last.accumulated, log_id=last.log_id, scn=last.max_scn),
        size_bytes=len(LOG),
        group_count=7,
        first_scn=PLACES[0][1].max_scn,
        stop=WalkStop.NEED_MORE,
    )


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_buffer_is_walked(kind: type) -> None:
    assert walk(kind(LOG), START) == walk(LOG, START)


def test_log_goes_on_across_a_block_border() -> None:
    """The chain, the log id and the SCN continue from a padding group into the next block."""
    first = walk(BLOCK_END, BLOCK_END_START)
    assert (first.stop, first.size_bytes, first.group_count) == (WalkStop.BLOCK_END, len(BLOCK_END), 4)
    assert first.end == golden_position("log_block_start.bin")
    second = walk(golden("log_block_start.bin")[LOG_INFO_BYTES:], first.end)
    assert (second.stop, second.group_count) == (WalkStop.NEED_MORE, 3)


def test_walk_ends_at_the_block_border_even_if_the_buffer_goes_on() -> None:
    both = BLOCK_END + golden("log_block_start.bin")[LOG_INFO_BYTES:]
    assert walk(both, BLOCK_END_START) == walk(BLOCK_END, BLOCK_END_START)
    assert [offset for offset, _ in groups(both, BLOCK_END_START)] == [0, 830, 1270, 1712]


def test_golden_log_fed_byte_by_byte_takes_whole_groups_only() -> None:
    for size in range(len(LOG) + 1):
        result = walk(LOG[:size], START)
        whole = [offset for offset in [*STARTS, len(LOG)] if offset <= size]
        assert (result.stop, result.size_bytes, result.group_count) == (WalkStop.NEED_MORE, whole[-1], len(whole) - 1)


@given(st.lists(st.integers(0, len(LOG)), max_size=8))
def test_walk_does_not_depend_on_how_the_bytes_are_split(cuts: list[int]) -> None:
    position, at, count = START, 0, 0
    for end in [*sorted(cuts), len(LOG)]:
        step = walk(LOG[at:end], position)
        position, at, count = step.end, at + step.size_bytes, count + step.group_count
    assert (position, at, count) == (walk(LOG, START).end, len(LOG), 7)


def test_unknown_chain_is_set_by_the_first_group() -> None:
    unknown = Position(lsn=START.lsn)
    assert walk(LOG, unknown) == walk(LOG, START)
    swapped = LOG[: STARTS[1]] + LOG[STARTS[2] :]
    assert walk(swapped, unknown).group_count == 1


def test_every_flipped_byte_is_found() -> None:
    """Whatever byte of a group changes, that group and all behind it are not taken."""
    for log, position in ((LOG, START), (BLOCK_END, BLOCK_END_START)):
        starts = [offset for offset, _ in groups(log, position)]
        for mask in (0x01, 0x80, 0xFF):
            for at in range(len(log)):
                flipped = bytearray(log)
                flipped[at] ^= mask
                try:
                    result = walk(flipped, position)
                except UnknownVersionError:
                    continue
                assert result.stop is WalkStop.BROKEN, (at, mask)
                assert result.size_bytes == max(start for start in starts if start <= at), (at, mask)


def test_nothing_written_yet_is_zero() -> None:
    assert walk(bytes(4096), AT).stop is WalkStop.ZERO
    result = walk(LOG + bytes(4096), START)
    assert (result.stop, result.size_bytes, result.reason) == (WalkStop.ZERO, len(LOG), "")


def test_empty_buffer_needs_more() -> None:
    assert walk(b"", AT) == Walk(end=AT, size_bytes=0, group_count=0, first_scn=None, stop=WalkStop.NEED_MORE)
    assert walk(bytes(47), AT).stop is WalkStop.NEED_MORE


@pytest.mark.parametrize("index", range(7))
def test_torn_last_group_is_not_taken(index: int) -> None:
    """The second half of the last group is still zero: what a power cut or a look at the live file leaves."""
    begin = STARTS[index]
    end = [*STARTS, len(LOG)][index + 1]
    middle = (begin + end) // 2
    result = walk(LOG[:middle] + bytes(end - middle + 4096), START)
    assert (result.stop, result.size_bytes) == (WalkStop.BROKEN, begin)
    assert f"at lsn {START.lsn + begin}: " in result.reason


def test_garbage_behind_the_tail_is_not_taken() -> None:
    result = walk(LOG + b"\xa5" * 9000, START)
    assert (result.stop, result.size_bytes) == (WalkStop.BROKEN, len(LOG))


def test_old_valid_group_behind_the_tail_is_not_taken() -> None:
    for begin, end in zip(STARTS, [*STARTS[1:], len(LOG)], strict=True):
        result = walk(LOG + LOG[begin:end] + bytes(100), START)
        assert (result.stop, result.size_bytes) == (WalkStop.BROKEN, len(LOG))


def test_hole_ends_the_log_whatever_lies_behind_it() -> None:
    hole = LOG[: STARTS[3]] + bytes(STARTS[4] - STARTS[3]) + LOG[STARTS[4] :]
    result = walk(hole, START)
    assert (result.stop, result.size_bytes) == (WalkStop.ZERO, STARTS[3])


def test_missing_group_is_found_by_its_log_id() -> None:
    assert "log id 9, expected 8" in broken(group(AT, entry(101, DATA), log_id=9))


def test_repeated_log_id_is_refused() -> None:
    assert "log id 7, expected 8" in broken(group(AT, entry(101, DATA), log_id=7))


def test_group_with_wrong_accumulated_checksum_is_refused() -> None:
    good = group(AT, entry(101, DATA))
    assert walk(good, AT).group_count == 1
    assert "accumulated checksum" in broken(good, replace(AT, accumulated=6))
    assert "accumulated checksum" in broken(group(AT, entry(101, DATA), accumulated=0))


def test_accumulated_checksum_covers_the_order_of_entries() -> None:
    """The group checksum chains over the entries, so two of the same SCN can not change places."""
    one, two = entry(101, b"one"), entry(101, b"two")
    assert walk(group(AT, one, two), AT).group_count == 1
    accumulated = walk(group(AT, one, two), AT).end.accumulated
    assert "accumulated checksum" in broken(group(AT, two, one, accumulated=accumulated))


def test_group_whose_max_scn_does_not_rise_is_refused() -> None:
    assert "max scn 100 not above 100" in broken(group(AT, entry(100, DATA)))
    assert "max scn 99 not above 100" in broken(group(AT, entry(99, DATA)))


def test_entry_below_the_max_scn_of_the_group_before_is_refused() -> None:
    """Its transaction would belong before a cut that was already made."""
    assert "scn 99 below 100" in broken(group(AT, entry(99, DATA), entry(101, DATA)))


def test_padding_below_the_max_scn_of_the_group_before_is_refused() -> None:
    position = before_border(200)
    filler = entry(99, b"\0\1\0\x19".ljust(120, b"\0"), flag=PADDING)
    assert "scn 99 below 100" in broken(group(position, filler, scn=101, flag=PADDING), position)


def test_group_whose_max_scn_is_not_its_last_entrys_is_refused() -> None:
    assert "its last entry has 101" in broken(group(AT, entry(101, DATA), scn=102))


def test_group_with_committed_end_beyond_itself_is_refused() -> None:
    assert walk(group(AT, entry(101, DATA), committed_end=1000), AT).group_count == 1
    assert "committed end lsn 1001" in broken(group(AT, entry(101, DATA), committed_end=1001))


@pytest.mark.parametrize("what", ["data checksum", "header checksum", "magic"])
def test_group_with_a_bad_entry_is_refused(what: str) -> None:
    good = entry(101, DATA)
    bad = {
        "data checksum": entry(101, DATA, checksum=0),
        "header checksum": good[:31] + bytes([good[31] ^ 1]) + good[32:],
        "magic": entry(101, DATA, magic=1),
    }[what]
    assert what in broken(group(AT, good, bad))


def test_group_that_crosses_the_block_border_is_refused() -> None:
    one = entry(101, DATA)
    size = 48 + len(one)
    exact = before_border(size)
    assert walk(group(exact, one), exact).stop is WalkStop.BLOCK_END
    over = before_border(size - 1)
    assert "ends 1 bytes from its block's end" in broken(group(over, one), over)


def test_impossible_size_does_not_make_a_reader_wait() -> None:
    """A header is checked before its size is believed, so no reader waits for bytes that can not come."""
    assert "block's end" in broken(group(AT, entry(101, DATA), size=65 << 20))
    assert "log id" in broken(group(AT, entry(101, DATA), size=4096, log_id=1))


def test_padding_group_fills_its_block() -> None:
    position = before_border(200)
    result = walk(pad(position, 200), position)
    assert (result.stop, result.end.lsn, result.end.log_id) == (WalkStop.BLOCK_END, LOG_DATA_BYTES, 8)


def test_padding_group_before_the_block_border_is_refused() -> None:
    position = before_border(300)
    assert "ends -100 bytes from its block's end" in broken(pad(position, 200) + bytes(100), position)


def test_padding_group_counts_as_zero_in_the_chain() -> None:
    position = before_border(200)
    one = pad(position, 200)
    data_checksum = int.from_bytes(one[64:72])
    assert data_checksum != 0
    counted = group(position, one[48:], flag=0)  # the same entry, counted as in any other group
    accumulated = int.from_bytes(counted[24:32])
    wrong = group(position, one[48:], flag=PADDING, accumulated=accumulated)
    assert "accumulated" in broken(wrong, position)


def test_unknown_group_version_stops_everything() -> None:
    """Not BROKEN: a reader must not take another engine's log for the end of the log."""
    with pytest.raises(UnknownVersionError, match="header version 4"):
        walk(LOG + group(AT, entry(101, DATA), version=4), START)


def test_walk_ends_before_the_first_group_that_reaches_the_border_scn() -> None:
    for index, (offset, header) in enumerate(PLACES):
        result = walk(LOG, START, before_scn=header.max_scn)
        assert (result.stop, result.size_bytes, result.group_count) == (WalkStop.BORDER, offset, index)
        after = walk(LOG, START, before_scn=Scn(header.max_scn + 1))
        assert after.group_count == index + 1


def test_border_scn_beyond_the_log_changes_nothing() -> None:
    assert walk(LOG, START, before_scn=Scn(PLACES[-1][1].max_scn + 1)) == walk(LOG, START)


def test_border_is_told_by_a_whole_group_only() -> None:
    border = PLACES[2][1].max_scn
    assert walk(LOG[: STARTS[3] - 1], START, before_scn=border).stop is WalkStop.NEED_MORE
    flipped = bytearray(LOG)
    flipped[STARTS[3] - 1] ^= 1
    assert walk(flipped, START, before_scn=border).stop is WalkStop.BROKEN


def test_groups_go_as_far_as_the_walk() -> None:
    for tail in (b"", bytes(100), b"\xa5" * 100, LOG[:300]):
        found = list(groups(LOG + tail, START))
        assert found == PLACES
    assert list(groups(b"", START)) == []


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, len(LOG)), st.integers(0, 60))
def test_bytes_written_over_the_log_never_crash_the_walk(noise: bytes, at: int, block_id: int) -> None:
    position = replace(START, lsn=first_lsn_of(block_id))
    try:
        result = walk(LOG[:at] + noise + LOG[at + len(noise) :], position)
    except UnknownVersionError:
        return
    assert result.size_bytes <= len(LOG) + len(noise)
