import struct

import pytest

from holdfast.engine_format.log_block import LOG_DATA_BYTES
from holdfast.engine_format.log_meta import META_PAGE_BYTES, base_lsn
from holdfast.errors import CorruptionError, UnknownVersionError

from .samples import crc, golden

META = golden("log_meta.bin")
INFO = META[:META_PAGE_BYTES]
PAGES = [META[at : at + META_PAGE_BYTES] for at in range(META_PAGE_BYTES, len(META), META_PAGE_BYTES)]


def page(lsn: int, *, magic: int = 0x4C4D, version: int = 1, body_bytes: int = 4072) -> bytes:
    body = (4).to_bytes(8) + bytes(24) + lsn.to_bytes(8) + bytes(4072 - 40)
    fields = (magic, version, body_bytes, crc(body))
    return struct.pack(">hhiqq", *fields, crc(struct.pack("<hhiq", *fields))) + body


def test_last_valid_page_tells_the_base_lsn() -> None:
    assert PAGES[-1] == bytes(META_PAGE_BYTES)
    found = base_lsn(META)
    assert found is not None
    assert found > 0
    assert found % LOG_DATA_BYTES == 0
    assert found == int.from_bytes(PAGES[-2][56:64])


def test_each_page_moves_the_base_lsn_on() -> None:
    found = [base_lsn(INFO + b"".join(PAGES[:count])) for count in range(1, len(PAGES))]
    assert found == sorted(found)
    assert found[0] == 0
    assert len(set(found)) == len(found)


def test_file_without_a_page_has_no_base_lsn() -> None:
    assert base_lsn(INFO) is None
    assert base_lsn(INFO + bytes(META_PAGE_BYTES)) is None
    assert base_lsn(b"") is None


def test_meta_file_fed_by_prefixes_gives_the_last_whole_page() -> None:
    for size in range(META_PAGE_BYTES, len(META) + 1, 97):
        whole = META[: size // META_PAGE_BYTES * META_PAGE_BYTES]
        assert base_lsn(META[:size]) == base_lsn(whole)


def test_page_caught_while_it_was_written_is_passed_over() -> None:
    torn = PAGES[1][:30] + bytes(META_PAGE_BYTES - 30)
    assert base_lsn(INFO + PAGES[0] + torn + bytes(META_PAGE_BYTES)) == base_lsn(INFO + PAGES[0])


@pytest.mark.parametrize("at", [0, 8, 16, 24, 60, 4095])
def test_broken_page_with_valid_ones_behind_it_is_refused(at: int) -> None:
    flipped = bytearray(PAGES[0])
    flipped[at] ^= 1
    with pytest.raises(CorruptionError, match="offset 4096"):
        base_lsn(INFO + bytes(flipped) + PAGES[1])


def test_only_page_broken_is_refused() -> None:
    with pytest.raises(CorruptionError, match="no valid page"):
        base_lsn(INFO + PAGES[0][:-1] + b"\1")


def test_crafted_page_is_read() -> None:
    assert base_lsn(INFO + page(3 * LOG_DATA_BYTES)) == 3 * LOG_DATA_BYTES


def test_base_lsn_that_is_no_blocks_first_is_refused() -> None:
    with pytest.raises(CorruptionError, match="base lsn 5"):
        base_lsn(INFO + page(5))


def test_base_lsn_that_falls_is_refused() -> None:
    with pytest.raises(CorruptionError, match="base lsn 0"):
        base_lsn(INFO + page(LOG_DATA_BYTES) + page(0))


def test_page_with_wrong_magic_is_no_page() -> None:
    with pytest.raises(CorruptionError, match="no valid page"):
        base_lsn(INFO + page(LOG_DATA_BYTES, magic=0x4C4E))


def test_page_of_another_version_or_size_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="version 2"):
        base_lsn(INFO + page(0, version=2))
    with pytest.raises(UnknownVersionError, match="4000 bytes"):
        base_lsn(INFO + page(0, body_bytes=4000))
