import struct

import pytest

from holdfast.engine_format.slog import walk_slog
from holdfast.errors import CorruptionError, UnknownVersionError

from .samples import crc, golden

SERVER = golden("slog_server.bin")
SYS = golden("slog_sys.bin")


def entry(
    sequence: int,
    data: bytes = b"data",
    *,
    command: int = 0x20009,
    version: int = 1,
    header_size: int = 48,
    reserved: int = 0,
    size: int | None = None,
    checksum: int | None = None,
    header_checksum: int | None = None,
) -> bytes:
    size = len(data) if size is None else size
    fields = (
        *(0xAAAA, version, header_size, reserved, command, size, sequence, 1),
        crc(data) if checksum is None else checksum,
    )
    sealed = crc(struct.pack("<HhhhiiQqQ", *fields)) if header_checksum is None else header_checksum
    return struct.pack(">HhhhiiQqQQ", *fields, sealed) + data


def batch(*entries: bytes, count: int | None = None, version: int = 1, size: int | None = None) -> bytes:
    body = b"".join(entries)
    header = (0xAABB, version, 24, len(entries) if count is None else count, 0, len(body) if size is None else size)
    return struct.pack(">HhhhiiQ", *header, crc(body)) + body


def ends(slog: bytes) -> list[int]:
    found, at = [0], 0
    while at < len(slog):
        at += 24 + int.from_bytes(slog[at + 12 : at + 16])
        found.append(at)
    return found


@pytest.mark.parametrize("slog", [SERVER, SYS], ids=["server", "sys"])
def test_golden_slog_is_whole_to_its_end(slog: bytes) -> None:
    found = walk_slog(slog)
    assert found.end_offset == len(slog)
    assert len(slog) % 4096 == 0
    assert found.batch_count == len(ends(slog)) - 1
    assert found.last_sequence is not None
    assert walk_slog(memoryview(slog)) == found


def test_sequences_of_the_sys_slog_count_its_entries() -> None:
    """One entry a batch, sequences from 1, and the entry at the end that fills the page."""
    found = walk_slog(SYS)
    assert found.last_sequence == found.batch_count - 1


def test_zeros_behind_the_last_batch_are_no_part_of_the_slog() -> None:
    assert walk_slog(SERVER + bytes(4096)) == walk_slog(SERVER)
    assert walk_slog(SERVER + bytes(5)) == walk_slog(SERVER)


def test_empty_slog_holds_nothing() -> None:
    for slog in (b"", bytes(4096)):
        found = walk_slog(slog)
        assert (found.batch_count, found.last_sequence, found.end_offset) == (0, None, 0)


def test_slog_cut_inside_a_batch_is_refused() -> None:
    whole = set(ends(SERVER))
    for size in range(0, len(SERVER) + 1, 7):
        if size not in whole:
            with pytest.raises(CorruptionError):
                walk_slog(SERVER[:size])
    for size in whole:
        assert walk_slog(SERVER[:size]).end_offset == size


def test_every_flipped_byte_of_a_slog_is_found() -> None:
    for at in range(len(SERVER)):
        flipped = bytearray(SERVER)
        flipped[at] ^= 0x04
        with pytest.raises((CorruptionError, UnknownVersionError)):
            walk_slog(flipped)


def test_garbage_behind_the_last_batch_is_refused() -> None:
    for garbage in (b"\xa5" * 100, b"\xa5", bytes(2) + b"\1", bytes(4095) + b"\1"):
        with pytest.raises(CorruptionError):
            walk_slog(SERVER + garbage)


def test_crafted_slog_is_whole() -> None:
    found = walk_slog(batch(entry(7), entry(9)) + batch(entry(10)) + batch(entry(0, bytes(99), command=0x10001)))
    assert (found.batch_count, found.last_sequence) == (3, 10)


@pytest.mark.parametrize(
    ("slog", "why"),
    [
        (batch(entry(1, checksum=0)), "data checksum"),
        (batch(entry(1, header_checksum=7)), "header checksum .* expected 0x7"),
        (batch(entry(1, reserved=1)), "slog entry at offset 24: header"),
        (batch(entry(1, size=-4)), "-4 bytes of data"),
        (batch(entry(1, size=5)), "5 bytes of data"),
        (batch(entry(2)) + batch(entry(2)), "sequence 2 not above 2"),
        (batch(entry(2), entry(1)), "sequence 1 not above 2"),
        (batch(entry(1), count=2), "0 bytes left in its batch"),
        (batch(entry(1), entry(2), count=1), "its entries end"),
        (batch(entry(1), count=0), "0 entries"),
        (batch(entry(1), size=-5), "-5 bytes"),
        (batch(entry(1), size=1000), "1000 bytes"),
        (batch(b"x" * 60, count=1), "magic 0x7878"),
        (batch(entry(1) + b"x"), "its entries end"),
    ],
)
def test_slog_that_breaks_a_rule_is_refused(slog: bytes, why: str) -> None:
    with pytest.raises(CorruptionError, match=why):
        walk_slog(slog)


def test_slog_of_another_version_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="slog batch at offset 0: version 2"):
        walk_slog(batch(entry(1), version=2))
    with pytest.raises(UnknownVersionError, match="slog entry at offset 24: version 2"):
        walk_slog(batch(entry(1, version=2)))
    with pytest.raises(UnknownVersionError, match="header of 56 bytes"):
        walk_slog(batch(entry(1, header_size=56)))
