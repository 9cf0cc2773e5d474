from holdfast.engine_format.checksum import header_checksum, raw_crc


def test_raw_crc_of_nothing_is_its_register() -> None:
    assert raw_crc(b"") == 0
    assert raw_crc(b"", 0x1234) == 0x1234


def test_raw_crc_is_crc32c_without_inversion() -> None:
    """The check value of CRC-32C over "123456789" is 0xE3069283, with inversion at both ends."""
    assert raw_crc(b"123456789", 0xFFFFFFFF) ^ 0xFFFFFFFF == 0xE3069283


def test_raw_crc_continues_from_its_register() -> None:
    assert raw_crc(b"56789", raw_crc(b"1234")) == raw_crc(b"123456789")


def test_raw_crc_reads_a_memoryview_and_a_bytearray() -> None:
    assert raw_crc(memoryview(b"x1234y")[1:5]) == raw_crc(bytearray(b"1234")) == raw_crc(b"1234")


def test_header_checksum_is_the_low_half_word_of_xxh64() -> None:
    """XXH64 of no bytes is 0xEF46DB3751D8E999."""
    assert header_checksum(b"") == 0xE999
