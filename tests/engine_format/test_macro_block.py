import struct

import pytest

from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.macro_block import (
    HEAD_BYTES,
    MACRO_BLOCK_BYTES,
    BlockKind,
    decode_block_head,
    is_block_whole,
)
from holdfast.errors import CorruptionError, UnknownVersionError

from .samples import ENGINE, NOTES_OF, OLD_ENGINE, golden

KINDS = layout_of("1.4.0.0", "sample").block_kinds
KINDS_OF = {ENGINE: KINDS, OLD_ENGINE: layout_of("1.3.0.0", "sample").block_kinds}
WRITE_ONCE = [(ENGINE, type_) for type_ in (1, 2, 5, 6)] + [(OLD_ENGINE, type_) for type_ in (1, 2, 6, 7)]
SHARED = [(ENGINE, 7), (ENGINE, 8), (OLD_ENGINE, 8), (OLD_ENGINE, 9)]
BLOCKS = {(engine, type_): golden(f"macro_block_type_{type_}.bin", engine) for engine, type_ in WRITE_ONCE + SHARED}
SUPER = golden("super_block.bin").ljust(MACRO_BLOCK_BYTES, b"\0")


def head(*, size: int = 24, version: int = 1, magic: int = 1001, type_: int = 1, payload: int = 10) -> bytes:
    return struct.pack("<iiiiiI", size, version, magic, type_, payload, 0).ljust(HEAD_BYTES, b"\0")


@pytest.mark.parametrize(("engine", "type_"), WRITE_ONCE)
def test_write_once_block_is_proved_by_its_payload_checksum(engine: str, type_: int) -> None:
    block = BLOCKS[engine, type_]
    block_id = NOTES_OF[engine][f"macro_block_type_{type_}.bin"]["block_id"]
    found = decode_block_head(block_id, block[:HEAD_BYTES], KINDS_OF[engine])
    assert (found.kind, found.type) == (BlockKind.WRITE_ONCE, type_)
    assert is_block_whole(found, block)
    assert is_block_whole(found, memoryview(block))
    for at in (24, 24 + found.payload_size_bytes // 2, 23 + found.payload_size_bytes):
        flipped = bytearray(block)
        flipped[at] ^= 1
        assert not is_block_whole(found, flipped)


@pytest.mark.parametrize(("engine", "type_"), WRITE_ONCE)
def test_half_written_block_is_not_whole(engine: str, type_: int) -> None:
    """The new head with what was there before behind it: what a reader of the live file may catch."""
    block = BLOCKS[engine, type_]
    found = decode_block_head(2, block, KINDS_OF[engine])
    cut = 24 + found.payload_size_bytes // 2
    assert not is_block_whole(found, (block[:cut] + b"\xa5" * MACRO_BLOCK_BYTES)[:MACRO_BLOCK_BYTES])


@pytest.mark.parametrize(("engine", "type_"), SHARED)
def test_shared_block_proves_nothing(engine: str, type_: int) -> None:
    block = BLOCKS[engine, type_]
    found = decode_block_head(2, block, KINDS_OF[engine])
    assert (found.kind, found.type, found.payload_size_bytes, found.payload_checksum) == (BlockKind.SHARED, type_, 0, 0)
    assert is_block_whole(found, block)


def test_block_of_another_size_is_not_whole() -> None:
    for (engine, type_), block in BLOCKS.items():
        found = decode_block_head(2, block, KINDS_OF[engine])
        assert not is_block_whole(found, block[:-1]), (engine, type_)
        assert not is_block_whole(found, block + b"\0"), (engine, type_)


def test_first_two_blocks_are_super_blocks_whatever_they_hold() -> None:
    for block_id in (0, 1):
        assert decode_block_head(block_id, SUPER[:HEAD_BYTES], KINDS).kind is BlockKind.SUPER
    with pytest.raises(CorruptionError, match="macro block 2: magic"):
        decode_block_head(2, SUPER, KINDS)


def test_super_block_is_proved_by_its_own_checksum() -> None:
    found = decode_block_head(0, SUPER, KINDS)
    assert is_block_whole(found, SUPER)
    flipped = bytearray(SUPER)
    flipped[20] ^= 1
    assert not is_block_whole(found, flipped)


def test_block_never_used_is_free() -> None:
    block = bytes(MACRO_BLOCK_BYTES)
    found = decode_block_head(9, block[:HEAD_BYTES], KINDS)
    assert found.kind is BlockKind.FREE
    assert is_block_whole(found, block)
    assert not is_block_whole(found, block[:-1] + b"\1")


def test_head_of_zeros_with_data_behind_is_not_free() -> None:
    with pytest.raises(CorruptionError, match="macro block 9: magic 0"):
        decode_block_head(9, bytes(HEAD_BYTES - 1) + b"\1", KINDS)


@pytest.mark.parametrize("size", [0, 1, 24, 4095])
def test_head_cut_short_is_refused(size: int) -> None:
    with pytest.raises(CorruptionError, match=f"head of {size} bytes"):
        decode_block_head(5, BLOCKS[ENGINE, 1][:size], KINDS)


@pytest.mark.parametrize("type_", [0, 9, 10, -1])
def test_unknown_block_type_is_refused(type_: int) -> None:
    """Copied in the wrong way a block is lost silently; so a new type needs a look first."""
    with pytest.raises(UnknownVersionError, match=f"type {type_}"):
        decode_block_head(5, head(type_=type_), KINDS)


def test_known_block_types_are_those_of_the_table() -> None:
    kinds = {type_: decode_block_head(5, head(type_=type_), KINDS).kind for type_ in range(1, 9)}
    assert [type_ for type_, kind in kinds.items() if kind is BlockKind.SHARED] == [7, 8]
    assert set(kinds.values()) == {BlockKind.WRITE_ONCE, BlockKind.SHARED}


def test_older_engine_numbers_its_blocks_differently() -> None:
    """Type 7 under one header version is written once there and shared here: only the engine's version tells."""
    old = KINDS_OF[OLD_ENGINE]
    assert [type_ for type_, kind in old.items() if kind is BlockKind.SHARED] == [8, 9]
    assert decode_block_head(5, head(type_=7), old).kind is BlockKind.WRITE_ONCE
    assert decode_block_head(5, head(type_=7), KINDS).kind is BlockKind.SHARED


def test_unknown_header_version_or_size_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="version 2"):
        decode_block_head(5, head(version=2), KINDS)
    with pytest.raises(UnknownVersionError, match="header of 32 bytes"):
        decode_block_head(5, head(size=32), KINDS)


@pytest.mark.parametrize("payload", [0, -1, MACRO_BLOCK_BYTES - 23])
def test_payload_that_can_not_be_is_refused(payload: int) -> None:
    with pytest.raises(CorruptionError, match=f"payload of {payload} bytes"):
        decode_block_head(5, head(payload=payload), KINDS)
