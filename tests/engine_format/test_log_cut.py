from dataclasses import replace

import pytest

from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, LOG_DATA_BYTES, LOG_INFO_BYTES, file_offset_of
from holdfast.engine_format.log_cut import cut, cut_block, rebuild_block
from holdfast.engine_format.log_group import decode_entries
from holdfast.engine_format.log_walk import Position, WalkStop, groups, walk
from holdfast.errors import CorruptionError, RefusedError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

from .samples import entry, golden, golden_position, group

LOG = golden("log_groups.bin")
START = golden_position("log_groups.bin")
PLACES = list(groups(LOG, START))
SCNS = [entry.scn for offset, _ in PLACES for entry in decode_entries(LOG[offset:])]
BLOCK = golden("log_block_start.bin")
BLOCK_START = golden_position("log_block_start.bin")


def position_of(index: int) -> Position:
    return walk(LOG[: PLACES[index][0]], START).end


def entries_of(group: bytes) -> list[bytes]:
    return [group[one.offset : one.offset + one.size_bytes] for one in decode_entries(group)] if group else []


def test_golden_log_has_groups_of_several_entries() -> None:
    assert len(SCNS) > len(PLACES)


@pytest.mark.parametrize("index", range(7))
def test_cut_keeps_exactly_the_entries_up_to_the_target(index: int) -> None:
    offset, header = PLACES[index]
    whole = LOG[offset : offset + 48 + header.size_bytes]
    position = position_of(index)
    for target in [scn + change for scn in SCNS for change in (-1, 0, 1)]:
        rebuilt = cut(LOG[offset:], position, Scn(target))
        kept = [one.scn for one in decode_entries(whole) if one.scn <= target]
        assert entries_of(rebuilt) == entries_of(whole)[: len(kept)]
        result = walk(rebuilt + bytes(100), position)
        if kept:
            assert (result.group_count, result.end.scn, result.end.log_id) == (1, kept[-1], header.log_id)
        assert result.stop is WalkStop.ZERO


def test_cut_that_keeps_everything_gives_the_very_same_bytes() -> None:
    for index, (offset, header) in enumerate(PLACES):
        assert cut(LOG[offset:], position_of(index), header.max_scn) == LOG[offset : offset + 48 + header.size_bytes]


def test_cut_group_keeps_log_id_and_committed_end() -> None:
    index, (offset, header) = next((i, place) for i, place in enumerate(PLACES) if place[1].size_bytes == 1172)
    rebuilt = cut(LOG[offset:], position_of(index), Scn(header.max_scn - 1))
    [(_, after)] = groups(rebuilt, position_of(index))
    assert (after.log_id, after.committed_end_lsn) == (header.log_id, header.committed_end_lsn)
    assert after.max_scn == header.max_scn - 1
    assert after.size_bytes < header.size_bytes
    assert after.accumulated != header.accumulated


def test_cut_before_the_first_entry_keeps_nothing() -> None:
    assert cut(LOG, START, START.scn) == b""


def test_padding_group_is_kept_whole_or_not_at_all() -> None:
    log, start = golden("log_block_end.bin"), golden_position("log_block_end.bin")
    offset, header = list(groups(log, start))[-1]
    position = walk(log[:offset], start).end
    assert header.is_padding
    assert cut(log[offset:], position, header.max_scn) == log[offset:]
    assert cut(log[offset:], position, Scn(header.max_scn - 1)) == b""


def test_broken_group_is_not_cut() -> None:
    flipped = bytearray(LOG)
    flipped[200] ^= 1
    with pytest.raises(CorruptionError, match=f"at lsn {START.lsn}.*data checksum"):
        cut(flipped, START, SCNS[0])
    with pytest.raises(CorruptionError, match="the bytes end"):
        cut(LOG[:500], START, SCNS[0])


def test_group_is_not_cut_without_the_checksum_before_it() -> None:
    unknown = Position(lsn=START.lsn)
    with pytest.raises(RefusedError, match="accumulated checksum before it is unknown"):
        cut(LOG, unknown, SCNS[0])
    assert cut(LOG, unknown, SCNS[1]) == LOG[: PLACES[1][0]]


def test_group_whose_leading_entries_have_the_scn_of_the_group_before_is_not_cut_between_them() -> None:
    """Found by the fuzzer: what would be kept is no group, and an assertion said so."""
    before = Position(lsn=Lsn(1000), accumulated=5, log_id=7, scn=Scn(100))
    odd = group(before, entry(100, b"data"), entry(102, b"data"))
    assert cut(odd, before, Scn(102)) == odd
    assert cut(odd, before, Scn(99)) == b""
    with pytest.raises(CorruptionError, match="have SCN 100, that of the group before") as refused:
        cut(odd, before, Scn(101))
    assert "SCN 102 or later" in refused.value.hint


def test_block_is_cut_at_its_valid_tail() -> None:
    found = cut_block(BLOCK + bytes(5000), BLOCK_START)
    assert (found.keep_bytes, found.tail, found.stop) == (len(BLOCK), b"", WalkStop.ZERO)
    assert found.end == walk(BLOCK[LOG_INFO_BYTES:], BLOCK_START).end


def test_block_with_a_broken_tail_is_cut_before_it() -> None:
    torn = bytearray(BLOCK)
    torn[-1] ^= 1
    found = cut_block(torn, BLOCK_START)
    last = list(groups(BLOCK[LOG_INFO_BYTES:], BLOCK_START))[-1][0]
    assert (found.keep_bytes, found.stop) == (LOG_INFO_BYTES + last, WalkStop.BROKEN)
    assert "data checksum" in found.reason


def test_block_is_cut_inside_a_group_at_the_target() -> None:
    first = list(decode_entries(BLOCK[LOG_INFO_BYTES:]))
    assert len(first) == 3
    for kept in range(1, 3):
        found = cut_block(BLOCK, BLOCK_START, first[kept - 1].scn)
        assert (found.keep_bytes, found.stop) == (LOG_INFO_BYTES, WalkStop.BORDER)
        assert entries_of(found.tail) == entries_of(BLOCK[LOG_INFO_BYTES:])[:kept]
        assert found.end == walk(found.tail, BLOCK_START).end
        assert found.end.scn == first[kept - 1].scn


def test_block_cut_before_its_first_group_keeps_its_info_block_only() -> None:
    found = cut_block(BLOCK, BLOCK_START, BLOCK_START.scn)
    assert (found.keep_bytes, found.tail, found.end) == (LOG_INFO_BYTES, b"", BLOCK_START)


def test_block_is_cut_from_a_position_inside_it() -> None:
    """What lies before the position is kept unread: it was walked before."""
    places = list(groups(BLOCK[LOG_INFO_BYTES:], BLOCK_START))
    middle = walk(BLOCK[LOG_INFO_BYTES:][: places[1][0]], BLOCK_START).end
    assert file_offset_of(middle.lsn) == LOG_INFO_BYTES + places[1][0]
    assert cut_block(BLOCK, middle) == cut_block(BLOCK, BLOCK_START)


def test_full_block_is_kept_and_the_next_one_follows() -> None:
    log, start = golden("log_block_end.bin"), golden_position("log_block_end.bin")
    block = bytes(file_offset_of(start.lsn)) + log
    assert len(block) == LOG_BLOCK_BYTES
    found = cut_block(block, start, Scn(walk(log, start).end.scn + 10**9))
    assert (found.keep_bytes, found.stop) == (LOG_BLOCK_BYTES, WalkStop.BLOCK_END)
    assert found.end.lsn == LOG_DATA_BYTES
    assert rebuild_block(block, found) == block


def test_rebuilt_block_is_what_was_kept_then_zeros() -> None:
    dirty = BLOCK + b"\xa5" * 9000
    first = list(decode_entries(BLOCK[LOG_INFO_BYTES:]))
    for target in (None, first[0].scn):
        found = cut_block(dirty, BLOCK_START, target)
        rebuilt = rebuild_block(dirty, found)
        used = found.keep_bytes + len(found.tail)
        assert len(rebuilt) == LOG_BLOCK_BYTES
        assert rebuilt[:LOG_INFO_BYTES] == BLOCK[:LOG_INFO_BYTES]
        assert rebuilt[used:] == bytes(LOG_BLOCK_BYTES - used)
        again = cut_block(rebuilt, BLOCK_START)
        assert (again.keep_bytes, again.stop, again.end) == (used, WalkStop.ZERO, found.end)


def test_block_shorter_than_its_cut_is_not_rebuilt() -> None:
    with pytest.raises(CorruptionError, match="expected 6203 or more"):
        rebuild_block(BLOCK[:100], replace(cut_block(BLOCK, BLOCK_START), keep_bytes=6203))


def test_empty_log_is_cut_to_nothing() -> None:
    found = cut_block(BLOCK[:LOG_INFO_BYTES], Position(lsn=Lsn(BLOCK_START.lsn)))
    assert (found.keep_bytes, found.stop) == (LOG_INFO_BYTES, WalkStop.NEED_MORE)
