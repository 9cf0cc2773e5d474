import struct

import pytest

from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.errors import CorruptionError, UnknownVersionError

from .samples import crc, golden

BLOCK = golden("super_block.bin")
BODY = BLOCK[16 : 16 + 81]


def sealed(body: bytes, *, version: int = 1, magic: int = 1018) -> bytes:
    return struct.pack("<iiiI", version, magic, len(body), crc(body)) + body


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def body(*values: int, cursor: tuple[int, int, int] = (1, 4, 0)) -> bytes:
    rest = b"".join(varint(value) for value in values) + struct.pack(">qqq", *cursor)
    return b"\1" + varint(len(rest)) + rest


def test_golden_super_block_is_decoded() -> None:
    found = decode_super_block(BLOCK)
    assert found.macro_block_size_bytes == 2 << 20
    assert found.file_size_bytes == found.block_count * (2 << 20)
    assert 1_700_000_000_000_000 < found.create_time_us <= found.modify_time_us < 2_000_000_000_000_000


def test_slog_start_points_into_the_servers_slog() -> None:
    """It is where a batch begins, and its sequence is the next one."""
    start = decode_super_block(BLOCK).slog_start
    slog = golden("slog_server.bin")
    assert start.file_id == 1
    assert slog[start.offset : start.offset + 2] == b"\xaa\xbb"
    assert walk_slog(slog[: start.offset]).last_sequence == start.sequence - 1


def test_super_block_with_trailing_bytes_is_the_same() -> None:
    assert decode_super_block(BLOCK[:97]) == decode_super_block(BLOCK) == decode_super_block(BLOCK + b"more")


def test_super_block_cut_short_is_refused() -> None:
    for size in range(97):
        with pytest.raises(CorruptionError):
            decode_super_block(BLOCK[:size])


@pytest.mark.parametrize("size", [0, -1, 65521, 82])
def test_super_block_whose_body_can_not_be_is_refused(size: int) -> None:
    header = struct.pack("<iiiI", 1, 1018, size, 0)
    padded = header + BODY.ljust(max(size, 0), b"\0") if size > 82 else header + BODY
    with pytest.raises(CorruptionError, match=f"body of {size} bytes"):
        decode_super_block(padded)


def test_every_flipped_byte_of_a_super_block_is_found() -> None:
    for at in range(97):
        flipped = bytearray(BLOCK)
        flipped[at] ^= 1
        with pytest.raises((CorruptionError, UnknownVersionError)):
            decode_super_block(flipped)


def test_super_block_with_wrong_checksum_is_refused() -> None:
    with pytest.raises(CorruptionError, match="body checksum"):
        decode_super_block(BLOCK[:30] + b"\0" + BLOCK[31:])


def test_super_block_with_wrong_magic_is_refused() -> None:
    with pytest.raises(CorruptionError, match="magic 1017"):
        decode_super_block(sealed(BODY, magic=1017))


def test_super_block_of_another_version_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="version 2"):
        decode_super_block(sealed(BODY, version=2))
    with pytest.raises(UnknownVersionError, match="body version 2"):
        decode_super_block(sealed(b"\2" + BODY[1:]))


def test_crafted_super_block_is_read() -> None:
    found = decode_super_block(sealed(body(10, 20, 2 << 20, 16, 32 << 20, cursor=(2, 300, 4096))))
    assert (found.create_time_us, found.modify_time_us, found.block_count) == (10, 20, 16)
    assert (found.slog_start.file_id, found.slog_start.sequence, found.slog_start.offset) == (2, 300, 4096)


@pytest.mark.parametrize(
    "wrong",
    [
        body(10, 20, 2 << 20, 15, 32 << 20),
        body(10, 20, 0, 0, 0),
        body(10, 20, 2 << 20, 16, 32 << 20, cursor=(-1, 0, 0)),
        body(10, 20, 2 << 20, 16, 32 << 20)[:-1],
        body(10, 20, 2 << 20, 16, 32 << 20) + b"\0",
        b"\1\5" + b"\1\1\1\1\1",
        b"\1" + b"\x80" * 20,
        b"",
    ],
)
def test_super_block_that_contradicts_itself_is_refused(wrong: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_super_block(sealed(wrong))
