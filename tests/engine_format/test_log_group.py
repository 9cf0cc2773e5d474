import pytest

from holdfast.engine_format.log_group import (
    GROUP_HEADER_BYTES,
    decode_entries,
    decode_group_header,
    encode_group_header,
)
from holdfast.engine_format.log_walk import Position, groups
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

from .samples import PADDING, RAW_WRITE, crc, entry, golden, golden_position, group

LOG = golden("log_groups.bin")
START = golden_position("log_groups.bin")
PLACES = list(groups(LOG, START))
AT = Position(lsn=Lsn(1000), accumulated=5, log_id=7, scn=Scn(100))


def body(*entries: bytes, **changes: int) -> bytes:
    return group(AT, *entries, **changes)


def padding(size: int = 64) -> bytes:
    return body(entry(101, b"\0\1\0\x19".ljust(size, b"\0"), flag=PADDING), flag=PADDING)


def test_golden_headers_and_entries_fill_the_log_exactly() -> None:
    assert len(PLACES) == 7
    end = 0
    for offset, header in PLACES:
        assert offset == end
        end = offset + GROUP_HEADER_BYTES + header.size_bytes
        entries = list(decode_entries(LOG[offset:end]))
        assert entries[-1].scn == header.max_scn
        assert entries[0].offset == GROUP_HEADER_BYTES
        assert sum(one.size_bytes for one in entries) == header.size_bytes
    assert end == len(LOG)
    assert max(len(list(decode_entries(LOG[offset:]))) for offset, _ in PLACES) == 3


def test_encoded_header_is_what_the_engine_wrote() -> None:
    for offset, header in PLACES:
        assert encode_group_header(header) == LOG[offset : offset + GROUP_HEADER_BYTES]


def test_crafted_groups_are_what_the_engine_wrote() -> None:
    """The crafted groups of these tests obey the engine's own rules, so what breaks one rule breaks only that."""
    position = START
    for offset, header in PLACES:
        whole = LOG[offset : offset + GROUP_HEADER_BYTES + header.size_bytes]
        entries = [
            entry(one.scn, whole[one.offset + 32 : one.offset + one.size_bytes]) for one in decode_entries(whole)
        ]
        assert group(position, *entries, committed_end=header.committed_end_lsn) == whole
        position = Position(lsn=Lsn(0), accumulated=header.accumulated, log_id=header.log_id, scn=header.max_scn)


def test_header_needs_all_its_bytes_and_ignores_what_follows() -> None:
    header = decode_group_header(LOG[:GROUP_HEADER_BYTES])
    assert header == PLACES[0][1] == decode_group_header(LOG) == decode_group_header(memoryview(bytearray(LOG)))
    for size in range(GROUP_HEADER_BYTES):
        assert decode_group_header(LOG[:size]) is None


def test_group_header_with_wrong_checksum_is_refused() -> None:
    for at in range(4, GROUP_HEADER_BYTES):
        flipped = bytearray(LOG[:GROUP_HEADER_BYTES])
        flipped[at] ^= 1
        with pytest.raises(CorruptionError, match="header checksum"):
            decode_group_header(flipped)


def test_group_header_with_wrong_magic_is_refused() -> None:
    with pytest.raises(CorruptionError, match="magic 0x4753, expected 0x4752"):
        decode_group_header(b"GS" + LOG[2:])


@pytest.mark.parametrize(("version", "named"), [(1, "old engines"), (4, "version 4"), (-1, "-1")])
def test_group_header_of_another_version_is_refused_by_name(version: int, named: str) -> None:
    with pytest.raises(UnknownVersionError, match=named):
        decode_group_header(body(entry(101, b"x"), version=version))


def test_group_header_whose_version_is_not_written_yet_is_broken_not_unknown() -> None:
    with pytest.raises(CorruptionError, match="not written whole"):
        decode_group_header(b"GR".ljust(48, b"\0"))


@pytest.mark.parametrize("size", [0, -1])
def test_group_of_no_size_is_refused(size: int) -> None:
    with pytest.raises(CorruptionError, match="size"):
        decode_group_header(body(entry(101, b"x"), size=size))


@pytest.mark.parametrize("bit", [16, 60, 63])
def test_group_header_with_an_unknown_flag_is_refused(bit: int) -> None:
    with pytest.raises(UnknownVersionError, match="flag"):
        decode_group_header(body(entry(101, b"x"), flag=1 << bit if bit < 63 else -(1 << 63)))


def test_raw_write_and_padding_are_told() -> None:
    raw = decode_group_header(body(entry(101, b"x"), flag=RAW_WRITE))
    pad = decode_group_header(padding())
    assert raw is not None
    assert pad is not None
    assert (raw.is_raw_write, raw.is_padding) == (True, False)
    assert (pad.is_raw_write, pad.is_padding) == (False, True)
    assert encode_group_header(raw) == body(entry(101, b"x"), flag=RAW_WRITE)[:48]
    assert encode_group_header(pad) == padding()[:48]


def test_group_cut_short_has_no_entries() -> None:
    for size in (0, 47, 48, 825):
        with pytest.raises(CorruptionError, match=f"{size} bytes"):
            decode_entries(LOG[:size])


def test_entry_with_wrong_data_checksum_is_refused() -> None:
    with pytest.raises(CorruptionError, match="data checksum"):
        decode_entries(body(entry(101, b"data", checksum=crc(b"date"))))


def test_entry_with_wrong_header_checksum_is_refused() -> None:
    one = bytearray(entry(101, b"data"))
    one[15] ^= 1
    with pytest.raises(CorruptionError, match="header checksum"):
        decode_entries(body(bytes(one)))


def test_entry_with_wrong_magic_is_refused() -> None:
    with pytest.raises(CorruptionError, match="magic"):
        decode_entries(body(entry(101, b"data", magic=0x4C49)))


@pytest.mark.parametrize("version", [1, 3])
def test_entry_of_another_version_is_refused(version: int) -> None:
    with pytest.raises(UnknownVersionError, match=f"version {version}"):
        decode_entries(body(entry(101, b"data", version=version)))


def test_entry_header_whose_version_is_not_written_yet_is_broken_not_unknown() -> None:
    with pytest.raises(CorruptionError, match="not written whole"):
        decode_entries(body(entry(101, b"data", version=0)))


def test_entry_with_an_unknown_flag_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="flag"):
        decode_entries(body(entry(101, b"data", flag=1 << 61)))


@pytest.mark.parametrize("size", [5, 0, -1, 1 << 30])
def test_entry_that_overruns_its_group_is_refused(size: int) -> None:
    with pytest.raises(CorruptionError, match="must fill"):
        decode_entries(body(entry(101, b"data", size=size)))


def test_entries_that_leave_bytes_in_their_group_are_refused() -> None:
    with pytest.raises(CorruptionError, match="3 bytes left"):
        decode_entries(body(entry(101, b"data") + b"xyz"))


def test_entries_with_falling_scn_are_refused() -> None:
    with pytest.raises(CorruptionError, match="scn 101 below 102"):
        decode_entries(body(entry(102, b"a"), entry(101, b"b")))


def test_padding_entry_is_summed_over_its_first_16_bytes_only() -> None:
    [only] = decode_entries(padding(64))
    assert only.is_padding
    assert only.data_checksum == crc(b"\0\1\0\x19".ljust(16, b"\0"))
    assert only.data_checksum != crc(b"\0\1\0\x19".ljust(64, b"\0"))


@pytest.mark.parametrize("at", [-1, -30, -48])
def test_padding_filler_that_is_not_zero_is_refused(at: int) -> None:
    pad = bytearray(padding(64))
    pad[at] ^= 1
    with pytest.raises(CorruptionError, match="filler"):
        decode_entries(pad)


def test_padding_with_wrong_data_checksum_is_refused() -> None:
    pad = bytearray(padding(64))
    pad[48 + 32 + 3] ^= 1
    with pytest.raises(CorruptionError, match="data checksum"):
        decode_entries(pad)


def test_padding_with_wrong_header_checksum_is_refused() -> None:
    pad = bytearray(padding(64))
    pad[48 + 15] ^= 1
    with pytest.raises(CorruptionError, match="checksum of the entry header"):
        decode_entries(pad)


def test_padding_entry_and_padding_group_come_together() -> None:
    filler = b"\0\1\0\x19".ljust(64, b"\0")
    with pytest.raises(CorruptionError, match="padding entry"):
        decode_entries(body(entry(101, filler, flag=PADDING)))
    with pytest.raises(CorruptionError, match="padding entry"):
        decode_entries(body(entry(101, filler), flag=PADDING))


def test_padding_group_of_two_entries_is_refused() -> None:
    one = entry(101, bytes(64), flag=PADDING)
    with pytest.raises(CorruptionError, match="must fill"):
        decode_entries(body(one, one, flag=PADDING))


def test_padding_too_small_for_its_entry_is_refused() -> None:
    with pytest.raises(CorruptionError, match="expected 48 or more"):
        decode_entries(body(entry(101, bytes(15), flag=PADDING), flag=PADDING))


def test_padding_entry_of_wrong_magic_or_version_is_refused() -> None:
    with pytest.raises(CorruptionError, match="magic"):
        decode_entries(body(entry(101, bytes(16), flag=PADDING, magic=1), flag=PADDING))
    with pytest.raises(UnknownVersionError):
        decode_entries(body(entry(101, bytes(16), flag=PADDING, version=3), flag=PADDING))
