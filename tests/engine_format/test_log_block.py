import struct
from dataclasses import replace

import pytest

from holdfast.engine_format.log_block import (
    LOG_DATA_BYTES,
    LOG_INFO_BYTES,
    InfoBlock,
    block_id_of,
    decode_info_block,
    encode_info_block,
    file_offset_of,
    first_lsn_of,
)
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

from .samples import NOTES, crc, golden

INFO = golden("log_block_start.bin")[:LOG_INFO_BYTES]


@pytest.mark.parametrize(
    ("lsn", "block_id", "offset"),
    [
        (0, 0, 4096),
        (LOG_DATA_BYTES - 1, 0, (64 << 20) - 1),
        (LOG_DATA_BYTES, 1, 4096),
        (10 * LOG_DATA_BYTES + 7, 10, 4103),
    ],
)
def test_lsn_names_its_block_and_its_place_in_the_file(lsn: int, block_id: int, offset: int) -> None:
    assert (block_id_of(lsn), file_offset_of(lsn)) == (block_id, offset)
    assert first_lsn_of(block_id) + offset - 4096 == lsn


def test_golden_info_block_is_decoded() -> None:
    note = NOTES["log_block_start.bin"]
    info = decode_info_block(INFO)
    assert info is not None
    assert info.block_id == block_id_of(note["lsn"])
    assert info.min_lsn == note["lsn"]
    assert info.min_scn == note["scn"] + 1
    assert info.max_scn is None


def test_encoded_info_block_is_what_the_engine_wrote() -> None:
    info = decode_info_block(INFO)
    assert info is not None
    assert encode_info_block(info) == INFO


def test_info_block_with_a_max_scn_comes_back() -> None:
    info = InfoBlock(block_id=3, min_lsn=first_lsn_of(3), min_scn=Scn(7), max_scn=Scn(9))
    assert decode_info_block(encode_info_block(info)) == info


def test_info_block_not_yet_written_is_none() -> None:
    assert decode_info_block(bytes(LOG_INFO_BYTES)) is None
    assert decode_info_block(bytes(LOG_INFO_BYTES) + b"trailing") is None


def test_info_block_with_trailing_bytes_is_the_same() -> None:
    assert decode_info_block(golden("log_block_start.bin")) == decode_info_block(INFO)


@pytest.mark.parametrize("size", [0, 1, 47, 48, 4095])
def test_info_block_cut_short_is_refused(size: int) -> None:
    with pytest.raises(CorruptionError, match=f"{size} bytes, expected 4096"):
        decode_info_block(INFO[:size])


def test_info_block_with_wrong_magic_is_refused() -> None:
    with pytest.raises(CorruptionError, match="magic 0x4941"):
        decode_info_block(b"\x49\x41" + INFO[2:])


def test_info_block_with_wrong_checksum_is_refused() -> None:
    with pytest.raises(CorruptionError, match="checksum"):
        decode_info_block(INFO[:23] + bytes([INFO[23] ^ 1]) + INFO[24:])


def test_info_block_of_unknown_version_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="version 2"):
        decode_info_block(INFO[:2] + b"\0\2" + INFO[4:])


def test_info_block_with_a_flag_is_refused() -> None:
    fields = [*struct.unpack_from(">hhiqqqq", INFO)]
    fields[2] = 1
    flagged = struct.pack(">hhiqqqqq", *fields, crc(struct.pack("<hhiqqqq", *fields)))
    with pytest.raises(UnknownVersionError, match="flag 0x1"):
        decode_info_block(flagged + INFO[48:])


def test_info_block_that_does_not_lie_where_its_id_says_is_refused() -> None:
    info = InfoBlock(block_id=3, min_lsn=first_lsn_of(3), min_scn=Scn(7))
    with pytest.raises(CorruptionError, match="expected 201314304"):
        decode_info_block(encode_info_block(replace(info, min_lsn=Lsn(first_lsn_of(4)))))


@pytest.mark.parametrize("scns", [{"min_scn": Scn(-1)}, {"max_scn": Scn(-2)}])
def test_info_block_with_an_scn_that_can_not_be_is_refused(scns: dict[str, Scn]) -> None:
    info = InfoBlock(block_id=3, min_lsn=first_lsn_of(3), min_scn=Scn(7))
    with pytest.raises(CorruptionError, match="not what the engine writes"):
        decode_info_block(encode_info_block(replace(info, **scns)))


def test_every_flipped_byte_of_an_info_block_is_found() -> None:
    for at in range(LOG_INFO_BYTES):
        flipped = bytearray(INFO)
        flipped[at] ^= 0x10
        with pytest.raises((CorruptionError, UnknownVersionError)):
            decode_info_block(flipped)
