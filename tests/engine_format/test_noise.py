"""Whatever bytes come, a decoder answers or raises one of the two errors its caller knows."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.engine_format.data_version import decode_data_version
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.log_block import decode_info_block
from holdfast.engine_format.log_cut import cut, cut_block
from holdfast.engine_format.log_group import decode_entries, decode_group_header
from holdfast.engine_format.log_meta import base_lsn
from holdfast.engine_format.log_walk import groups, walk
from holdfast.engine_format.macro_block import decode_block_head
from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.errors import CorruptionError, UnknownVersionError

from .samples import OLD_ENGINE, golden, golden_position

GROUPS = golden_position("log_groups.bin")
BLOCK = golden_position("log_block_start.bin")
PADDING = golden_position("log_block_end.bin")
OLD_GROUPS = golden_position("log_groups.bin", OLD_ENGINE)
OLD_PADDING = golden_position("log_block_end.bin", OLD_ENGINE)
KINDS = layout_of("1.4.0.0", "sample").block_kinds
OLD_KINDS = layout_of("1.3.0.0", "sample").block_kinds

DECODERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "group header": (decode_group_header, golden("log_groups.bin")[:48]),
    "entries": (lambda data: list(decode_entries(data)), golden("log_groups.bin")[2092:3312]),
    "walk": (lambda data: walk(data, GROUPS), golden("log_groups.bin")),
    "walk to a block's end": (lambda data: walk(data, PADDING), golden("log_block_end.bin")),
    "groups": (lambda data: list(groups(data, GROUPS)), golden("log_groups.bin")),
    "cut": (lambda data: cut(data, GROUPS, GROUPS.scn), golden("log_groups.bin")),
    "block cut": (lambda data: cut_block(data, BLOCK, BLOCK.scn), golden("log_block_start.bin")),
    "info block": (decode_info_block, golden("log_block_start.bin")[:4096]),
    "log meta": (base_lsn, golden("log_meta.bin")[:12288]),
    "block head": (lambda data: decode_block_head(2, data, KINDS), golden("macro_block_type_1.bin")[:4096]),
    "super block": (decode_super_block, golden("super_block.bin")[:97]),
    "slog": (walk_slog, golden("slog_server.bin")[:8192]),
    "data version": (decode_data_version, golden("data_version.bin")),
    "old group header": (decode_group_header, golden("log_groups.bin", OLD_ENGINE)[:56]),
    "old entries": (lambda data: list(decode_entries(data)), golden("log_groups.bin", OLD_ENGINE)[524:2611]),
    "old walk": (lambda data: walk(data, OLD_GROUPS), golden("log_groups.bin", OLD_ENGINE)),
    "old walk to a block's end": (lambda data: walk(data, OLD_PADDING), golden("log_block_end.bin", OLD_ENGINE)),
    "old cut": (lambda data: cut(data, OLD_GROUPS, OLD_GROUPS.scn), golden("log_groups.bin", OLD_ENGINE)),
    "old info block": (decode_info_block, golden("log_block_start.bin", OLD_ENGINE)[:4096]),
    "old log meta": (base_lsn, golden("log_meta.bin", OLD_ENGINE)[:12288]),
    "old block head": (
        lambda data: decode_block_head(2, data, OLD_KINDS),
        golden("macro_block_type_7.bin", OLD_ENGINE)[:4096],
    ),
    "old data version": (decode_data_version, golden("data_version.bin", OLD_ENGINE)),
}


def feed(decode: Callable[[bytes], object], data: bytes) -> None:
    with suppress(CorruptionError, UnknownVersionError):
        decode(data)


@pytest.mark.parametrize("name", DECODERS)
def test_golden_bytes_are_decoded(name: str) -> None:
    """The noise below is laid over bytes that are right."""
    decode, good = DECODERS[name]
    decode(good)


@pytest.mark.parametrize("name", DECODERS)
def test_random_bytes_never_crash_a_decoder(name: str) -> None:
    decode, good = DECODERS[name]

    @settings(max_examples=60)
    @given(st.binary(max_size=300), st.booleans())
    def check(noise: bytes, is_led: bool) -> None:
        feed(decode, good[:4] + noise if is_led else noise)

    check()


@pytest.mark.parametrize("name", DECODERS)
def test_changed_golden_bytes_never_crash_a_decoder(name: str) -> None:
    decode, good = DECODERS[name]

    @settings(max_examples=60)
    @given(
        st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(good))
    )
    def check(changes: list[tuple[int, int]], size: int) -> None:
        changed = bytearray(good)
        for at, byte in changes:
            changed[at] = byte
        feed(decode, bytes(changed))
        feed(decode, bytes(changed[:size]))
        feed(decode, bytes(changed) + b"\xa5" * 50)

    check()


@pytest.mark.parametrize("name", DECODERS)
def test_golden_bytes_fed_byte_by_byte_never_crash_a_decoder(name: str) -> None:
    decode, good = DECODERS[name]
    step = 1 if len(good) < 5000 else 13
    for size in range(0, len(good), step):
        feed(decode, good[:size])
