"""The bytes of engine 1.3.0, in what they differ from those of 1.4.0: the same promises, on its own golden samples."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine_format.data_version import DataVersion, decode_data_version
from holdfast.engine_format.log_block import (
    LOG_DATA_BYTES,
    LOG_INFO_BYTES,
    InfoBlock,
    decode_info_block,
    encode_info_block,
    first_lsn_of,
)
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import (
    GROUP_HEADER_V2_BYTES,
    decode_entries,
    decode_group_header,
    encode_group_header,
)
from holdfast.engine_format.log_meta import META_PAGE_BYTES, base_lsn
from holdfast.engine_format.log_walk import Position, WalkStop, groups, walk
from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

from .samples import NOTES_OF, OLD_ENGINE, crc, entry, golden, golden_position, group

LOG = golden("log_groups.bin", OLD_ENGINE)
START = golden_position("log_groups.bin", OLD_ENGINE)
PLACES = list(groups(LOG, START))
STARTS = [offset for offset, _ in PLACES]
BLOCK_END = golden("log_block_end.bin", OLD_ENGINE)
BLOCK_END_START = golden_position("log_block_end.bin", OLD_ENGINE)
BLOCK = golden("log_block_start.bin", OLD_ENGINE)
INFO = BLOCK[:LOG_INFO_BYTES]
META = golden("log_meta.bin", OLD_ENGINE)
META_INFO = META[:META_PAGE_BYTES]
PAGES = [META[at : at + META_PAGE_BYTES] for at in range(META_PAGE_BYTES, len(META), META_PAGE_BYTES)]
VERSION_FILE = golden("data_version.bin", OLD_ENGINE)
SCNS = [entry.scn for offset, _ in PLACES for entry in decode_entries(LOG[offset:])]
AT = Position(lsn=Lsn(1000), accumulated=5, log_id=7, scn=Scn(100))


def position_of(index: int) -> Position:
    return walk(LOG[: PLACES[index][0]], START).end


# --- log groups


def test_golden_headers_and_entries_fill_the_log_exactly() -> None:
    end = 0
    for offset, header in PLACES:
        assert (offset, header.version, header.header_size_bytes) == (end, 2, GROUP_HEADER_V2_BYTES)
        end = offset + header.header_size_bytes + header.size_bytes
        entries = list(decode_entries(LOG[offset:end]))
        assert entries[-1].scn == header.max_scn
        assert entries[0].offset == GROUP_HEADER_V2_BYTES
        assert sum(one.size_bytes for one in entries) == header.size_bytes
    assert end == len(LOG)
    assert [len(list(decode_entries(LOG[offset:]))) for offset in STARTS] == [1, 4, 1, 3]


def test_encoded_header_is_what_the_engine_wrote() -> None:
    for offset, header in PLACES:
        assert encode_group_header(header) == LOG[offset : offset + GROUP_HEADER_V2_BYTES]


def test_crafted_groups_are_what_the_engine_wrote() -> None:
    position = START
    for offset, header in PLACES:
        whole = LOG[offset : offset + GROUP_HEADER_V2_BYTES + header.size_bytes]
        entries = [
            entry(one.scn, whole[one.offset + 32 : one.offset + one.size_bytes]) for one in decode_entries(whole)
        ]
        made = group(
            position, *entries, version=2, proposal_id=header.proposal_id, committed_end=header.committed_end_lsn
        )
        assert made == whole
        position = Position(lsn=Lsn(0), accumulated=header.accumulated, log_id=header.log_id, scn=header.max_scn)


def test_header_needs_all_its_bytes() -> None:
    for size in range(GROUP_HEADER_V2_BYTES):
        assert decode_group_header(LOG[:size]) is None
    assert decode_group_header(LOG[:GROUP_HEADER_V2_BYTES]) == PLACES[0][1]


def test_every_flipped_byte_of_a_header_is_found() -> None:
    for at in range(GROUP_HEADER_V2_BYTES):
        flipped = bytearray(LOG[:GROUP_HEADER_V2_BYTES])
        flipped[at] ^= 1
        with pytest.raises((CorruptionError, UnknownVersionError)):
            decode_group_header(flipped)


def test_header_with_a_flag_or_without_a_size_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="flag"):
        decode_group_header(group(AT, entry(101, b"x"), version=2, proposal_id=1, flag=1 << 60))
    with pytest.raises(CorruptionError, match="size 0"):
        decode_group_header(group(AT, entry(101, b"x"), version=2, proposal_id=1, size=0))


# --- the walk


def test_golden_groups_are_taken_whole_however_they_are_split() -> None:
    whole = walk(LOG, START)
    assert (whole.size_bytes, whole.group_count, whole.stop) == (len(LOG), 4, WalkStop.NEED_MORE)
    for size in range(len(LOG) + 1):
        found = walk(LOG[:size], START)
        taken = [offset for offset in [*STARTS, len(LOG)] if offset <= size]
        assert (found.stop, found.size_bytes, found.group_count) == (WalkStop.NEED_MORE, taken[-1], len(taken) - 1)


@given(st.lists(st.integers(0, len(LOG)), max_size=8))
def test_walk_does_not_depend_on_how_the_bytes_are_split(cuts: list[int]) -> None:
    position, at, count = START, 0, 0
    for end in [*sorted(cuts), len(LOG)]:
        step = walk(LOG[at:end], position)
        position, at, count = step.end, at + step.size_bytes, count + step.group_count
    assert (position, at, count) == (walk(LOG, START).end, len(LOG), 4)


def test_log_goes_on_across_a_block_border() -> None:
    first = walk(BLOCK_END, BLOCK_END_START)
    assert (first.stop, first.size_bytes, first.group_count) == (WalkStop.BLOCK_END, len(BLOCK_END), 4)
    assert first.end == golden_position("log_block_start.bin", OLD_ENGINE)
    second = walk(BLOCK[LOG_INFO_BYTES:], first.end)
    assert (second.stop, second.group_count) == (WalkStop.NEED_MORE, 3)


def test_every_flipped_byte_is_found() -> None:
    for log, position in ((LOG, START), (BLOCK_END, BLOCK_END_START)):
        starts = [offset for offset, _ in groups(log, position)]
        for at in range(len(log)):
            flipped = bytearray(log)
            flipped[at] ^= 0x41
            try:
                result = walk(flipped, position)
            except UnknownVersionError:
                continue
            assert result.stop is WalkStop.BROKEN, at
            assert result.size_bytes == max(start for start in starts if start <= at), at


@pytest.mark.parametrize("index", range(4))
def test_torn_last_group_is_not_taken(index: int) -> None:
    begin, end = STARTS[index], [*STARTS, len(LOG)][index + 1]
    middle = (begin + end) // 2
    result = walk(LOG[:middle] + bytes(end - middle + 4096), START)
    assert (result.stop, result.size_bytes) == (WalkStop.BROKEN, begin)


def test_zeros_garbage_and_old_groups_behind_the_tail_end_the_log() -> None:
    assert walk(LOG + bytes(4096), START).stop is WalkStop.ZERO
    for tail in (b"\xa5" * 9000, LOG[: STARTS[1]] + bytes(100)):
        result = walk(LOG + tail, START)
        assert (result.stop, result.size_bytes) == (WalkStop.BROKEN, len(LOG))


def test_group_that_crosses_the_block_border_is_refused() -> None:
    one = entry(101, b"some data")
    size = GROUP_HEADER_V2_BYTES + len(one)
    exact = replace(AT, lsn=Lsn(LOG_DATA_BYTES - size))
    assert walk(group(exact, one, version=2, proposal_id=1), exact).stop is WalkStop.BLOCK_END
    over = replace(AT, lsn=Lsn(LOG_DATA_BYTES - size + 1))
    assert "ends 1 bytes from its block's end" in walk(group(over, one, version=2, proposal_id=1), over).reason


# --- the cut


@pytest.mark.parametrize("index", range(4))
def test_cut_keeps_exactly_the_entries_up_to_the_target_in_a_group_of_the_same_version(index: int) -> None:
    offset, header = PLACES[index]
    whole = LOG[offset : offset + GROUP_HEADER_V2_BYTES + header.size_bytes]
    position = position_of(index)
    for target in [scn + change for scn in SCNS for change in (-1, 0, 1)]:
        rebuilt = cut(LOG[offset:], position, Scn(target))
        entries = list(decode_entries(whole))
        kept = [one for one in entries if one.scn <= target]
        assert rebuilt[GROUP_HEADER_V2_BYTES:] == (whole[GROUP_HEADER_V2_BYTES:][: sum(o.size_bytes for o in kept)])
        result = walk(rebuilt + bytes(100), position)
        assert result.stop is WalkStop.ZERO
        if kept:
            after = decode_group_header(rebuilt)
            assert after is not None
            assert (after.version, after.proposal_id) == (2, header.proposal_id)
            assert (after.log_id, after.committed_end_lsn) == (header.log_id, header.committed_end_lsn)
            assert (result.group_count, result.end.scn) == (1, kept[-1].scn)
        if len(kept) == len(entries):
            assert rebuilt == whole


# --- info block, log meta, data version, slog, super block


def test_info_block_names_its_log_stream_and_comes_back() -> None:
    info = decode_info_block(BLOCK)
    note = NOTES_OF[OLD_ENGINE]["log_block_start.bin"]
    assert info is not None
    assert (info.min_lsn, info.min_scn, info.max_scn, info.log_stream_id) == (note["lsn"], note["scn"] + 1, None, 1)
    assert encode_info_block(info) == INFO


def test_every_flipped_byte_of_an_info_block_is_found() -> None:
    for at in range(LOG_INFO_BYTES):
        flipped = bytearray(INFO)
        flipped[at] ^= 0x10
        with pytest.raises((CorruptionError, UnknownVersionError)):
            decode_info_block(flipped)


def test_info_block_of_another_log_stream_is_refused_by_name() -> None:
    info = InfoBlock(block_id=3, min_lsn=first_lsn_of(3), min_scn=Scn(7), log_stream_id=1001)
    with pytest.raises(UnknownVersionError, match="log stream 1001"):
        decode_info_block(encode_info_block(info))


def test_last_page_of_the_log_meta_tells_the_base_lsn() -> None:
    assert PAGES[-1] == bytes(META_PAGE_BYTES)
    found = [base_lsn(META_INFO + b"".join(PAGES[:count])) for count in range(1, len(PAGES))]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 6 * LOG_DATA_BYTES)
    assert base_lsn(META) == found[-1]


def sealed_page(body: bytes) -> bytes:
    fields = (0x4C4D, 1, len(body), crc(body))
    return struct.pack(">hhiqq", *fields, crc(struct.pack("<hhiq", *fields))) + body


@pytest.mark.parametrize(
    ("at", "named"),
    [
        (7, "body version 3"),
        (15, "version 3 at byte 32"),
        (55, "version 1 at byte 72"),
        (71, "version 3 at byte 88"),
        (72, "no list"),
        (316, "learners"),
        (737, "version 0 at byte 754"),
    ],
)
def test_log_meta_of_another_form_is_refused_by_name(at: int, named: str) -> None:
    """A body whose checksum is right and whose parts are not those that are known: never guess where the base LSN lies."""
    body = bytearray(PAGES[-2][24:])
    body[at] ^= 2
    with pytest.raises(UnknownVersionError, match=named):
        base_lsn(META_INFO + sealed_page(bytes(body)))


def test_log_meta_whose_lists_fill_the_page_is_refused() -> None:
    body = bytearray(PAGES[-2][24:])
    body[73:78] = b"\xff\xff\xff\xff\x7f"
    with pytest.raises(UnknownVersionError, match=r"learners|lists fill the page|no list"):
        base_lsn(META_INFO + sealed_page(bytes(body)))


def test_data_version_is_decoded_and_every_flipped_byte_found() -> None:
    assert decode_data_version(VERSION_FILE) == DataVersion(text="1.3.0.0", number=4295163904, record_version=1)
    for at in range(len(VERSION_FILE)):
        flipped = bytearray(VERSION_FILE)
        flipped[at] ^= 1
        with pytest.raises((CorruptionError, UnknownVersionError)):
            decode_data_version(flipped)


def test_slog_and_super_block_are_those_of_the_newer_engine() -> None:
    assert walk_slog(golden("slog_server.bin", OLD_ENGINE)).batch_count > 0
    assert walk_slog(golden("slog_sys.bin", OLD_ENGINE)).batch_count > 100
    assert decode_super_block(golden("super_block.bin", OLD_ENGINE)).macro_block_size_bytes == 2 << 20
