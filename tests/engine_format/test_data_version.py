import struct

import pytest

from holdfast.engine_format.data_version import FILE_BYTES_MAX, DataVersion, decode_data_version
from holdfast.errors import CorruptionError, UnknownVersionError

from .samples import crc, golden

FILE = golden("data_version.bin")


def sealed(
    text: bytes, *, magic: int = 0xBEDE, header_size: int = 32, version: int = 2, stored_size: int | None = None
) -> bytes:
    stored_size = len(text) if stored_size is None else stored_size
    words = struct.pack(">HhhHqiiq", magic, header_size, version, 0, 0, len(text), stored_size, crc(text))
    parity = 0xFFFF
    for (word,) in struct.iter_unpack(">H", words):
        parity ^= word
    return words[:6] + parity.to_bytes(2) + words[8:] + text


def test_golden_data_version_is_decoded() -> None:
    known = DataVersion(text="1.4.0.0", number=4295229440, record_version=2)
    assert decode_data_version(FILE) == known
    assert decode_data_version(memoryview(FILE)) == known


def test_crafted_record_is_what_the_engine_wrote() -> None:
    assert sealed(b"1.4.0.0 4295229440\n") == FILE


def test_later_version_is_decoded_for_the_caller_to_judge() -> None:
    later = DataVersion(text="1.12.0.3", number=4295999999, record_version=2)
    assert decode_data_version(sealed(b"1.12.0.3 4295999999\n")) == later


def test_every_prefix_and_any_trailing_byte_is_refused() -> None:
    for size in range(len(FILE)):
        with pytest.raises(CorruptionError):
            decode_data_version(FILE[:size])
    with pytest.raises(CorruptionError, match="found 20"):
        decode_data_version(FILE + b"\0")


def test_every_flipped_byte_is_found() -> None:
    for at in range(len(FILE)):
        flipped = bytearray(FILE)
        flipped[at] ^= 1
        with pytest.raises((CorruptionError, UnknownVersionError)):
            decode_data_version(flipped)


def test_record_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(CorruptionError, match="magic 0xbedf"):
        decode_data_version(sealed(b"1.4.0.0 4295229440\n", magic=0xBEDF))
    with pytest.raises(CorruptionError, match="text of 19 bytes"):
        decode_data_version(sealed(b"1.4.0.0 4295229440\n", stored_size=12))
    with pytest.raises(CorruptionError, match="text of 5010 bytes"):
        decode_data_version(sealed(b"1.4.0.0 1\n".rjust(5010, b"1")))


def test_the_bound_of_a_read_holds_the_longest_text_that_is_decoded() -> None:
    longest = sealed(b"x" * (FILE_BYTES_MAX - 32))
    assert len(longest) == FILE_BYTES_MAX
    with pytest.raises(UnknownVersionError, match="unknown text"):
        decode_data_version(longest)
    with pytest.raises(CorruptionError, match="text of 4097 bytes"):
        decode_data_version(sealed(b"x" * (FILE_BYTES_MAX - 31)))


def test_record_of_another_version_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="record version 3"):
        decode_data_version(sealed(b"1.4.0.0 4295229440\n", version=3))
    with pytest.raises(UnknownVersionError, match="header of 40 bytes"):
        decode_data_version(sealed(b"1.4.0.0 4295229440\n", header_size=40))


@pytest.mark.parametrize("text", [b"1: 1.3.0.0 4295163904 0 0\n", b"", b"1.4.0 1\n", b"1.4.0.0 4295229440"])
def test_text_of_another_form_is_refused(text: bytes) -> None:
    with pytest.raises(UnknownVersionError, match="unknown text"):
        decode_data_version(sealed(text))
