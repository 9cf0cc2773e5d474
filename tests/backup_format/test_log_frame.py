"""Log frames: what was appended is read back; what a crash left at the end is known for what it is."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_format.samples import SECRET, TEXT, TIMELINE, frame, octets
from holdfast import codes
from holdfast.backup_format.digest import DataKey, header_checksum
from holdfast.backup_format.log_frame import (
    FRAME_HEADER_BYTES,
    FRAME_PAYLOAD_BYTES_MAX,
    LOG_INFO_BYTES,
    FrameSealer,
    LogFrame,
    SealedFrame,
    decode_frame_header,
    open_frame,
    scan_frames,
    seal_frame,
    timeline_of,
)
from holdfast.backup_format.payload import PIECE_BYTES, TAG_BYTES, Codec, Packer, seal_body
from holdfast.errors import CorruptionError, RefusedError, UnknownVersionError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

KEYS = [None, DataKey(SECRET)]
INFO = octets(56) + bytes(LOG_INFO_BYTES - 56)


def whole(sealed: SealedFrame) -> bytes:
    return sealed.header_bytes + bytes(sealed.body)


@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
@pytest.mark.parametrize("log", [TEXT, octets(5000), b"x", bytes(300)], ids=["text", "random", "tiny", "zero"])
def test_frame_opens_to_what_was_sealed(log: bytes, key: DataKey | None) -> None:
    for info in (b"", INFO):
        said = frame(1000, len(log), log_id=5, has_info_block=bool(info))
        sealed = seal_frame(said, *filter(None, (info, log)), key=key)
        header = decode_frame_header(whole(sealed))
        assert header == sealed.header
        assert header is not None
        assert header.frame == said
        assert header.size_bytes == len(whole(sealed)) == sealed.size_bytes
        assert open_frame(header, sealed.body, key=key) == info + log


@settings(max_examples=150, deadline=None)
@given(
    log=st.binary(min_size=1, max_size=3000),
    start=st.integers(0, 2**63),
    block_id=st.integers(0, 2**64 - 1),
    scns=st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)),
    accumulated=st.integers(0, 2**64 - 1),
    log_id=st.integers(0, 2**64 - 1),
    timeline=st.text(max_size=20),
    key=st.sampled_from(KEYS),
)
def test_frame_of_any_log_opens(
    log: bytes,
    start: int,
    block_id: int,
    scns: tuple[int, int],
    accumulated: int,
    log_id: int,
    timeline: str,
    key: DataKey | None,
) -> None:
    said = LogFrame(
        timeline=timeline_of(timeline),
        block_id=block_id,
        start_lsn=Lsn(start),
        end_lsn=Lsn(start + len(log)),
        first_scn=Scn(min(scns)),
        max_scn=Scn(max(scns)),
        accumulated=accumulated,
        log_id=log_id,
        has_info_block=False,
    )
    sealed = seal_frame(said, log, key=key)
    assert decode_frame_header(sealed.header_bytes) == sealed.header
    assert sealed.header.frame == said
    assert bytes(open_frame(sealed.header, sealed.body, key=key)) == log
    assert said.end_position.lsn == start + len(log)


@pytest.mark.parametrize("size", [1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17])
@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
def test_pieces_are_the_body_and_give_it_again(size: int, key: DataKey | None) -> None:
    log = octets(size)
    sealed = FrameSealer(key=key, compress=False).seal(frame(0, size, log_id=1), log)
    largest = max(map(len, sealed.pieces()))
    assert largest <= PIECE_BYTES + TAG_BYTES
    nonce, body = seal_body(Packer(key, compress=False).pack(log), sealed.header_bytes[:104], key)
    assert sealed.header.nonce == nonce
    assert sealed.body == bytes(body)
    assert open_frame(sealed.header, sealed.body, key=key) == log


def test_frame_is_refused_unless_its_payload_is_what_it_says() -> None:
    for wrong, log in (
        (frame(0, 10, log_id=1), b"x" * 9),
        (frame(0, 10, log_id=1, has_info_block=True), b"x" * 10),
        (frame(0, 0, log_id=1), b""),
        (replace(frame(0, 1, log_id=1), max_scn=Scn(1)), b"x"),
        (replace(frame(0, 1, log_id=1), timeline="00"), b"x"),
        (frame(0, FRAME_PAYLOAD_BYTES_MAX + 1, log_id=1), bytes(FRAME_PAYLOAD_BYTES_MAX + 1)),
    ):
        with pytest.raises(ValueError, match="not the payload"):
            seal_frame(wrong, log)


def test_frames_of_an_archive_that_asks_for_no_compression_are_raw() -> None:
    sealer = FrameSealer(compress=False)
    assert sealer.seal(frame(0, len(TEXT), log_id=1), TEXT).header.codec is Codec.RAW
    assert FrameSealer().seal(frame(0, len(TEXT), log_id=1), TEXT).header.codec is Codec.ZSTD


def test_frame_header_needs_all_its_bytes_and_ignores_what_follows() -> None:
    sealed = seal_frame(frame(0, 3, log_id=1), b"log")
    for size in range(FRAME_HEADER_BYTES):
        assert decode_frame_header(sealed.header_bytes[:size]) is None
    assert decode_frame_header(whole(sealed) + b"more") == sealed.header


@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
def test_flipped_bit_anywhere_in_a_frame_is_refused(key: DataKey | None) -> None:
    log = octets(700)
    stored = whole(seal_frame(frame(0, 700, log_id=1), log, key=key))
    for position in range(len(stored)):
        broken = bytearray(stored)
        broken[position] ^= 1 << position % 8
        with pytest.raises(CorruptionError, match="logstream_1/log/1"):
            read_back(bytes(broken), key)
    assert read_back(stored, key) == log


def read_back(stored: bytes, key: DataKey | None) -> bytes:
    header = decode_frame_header(stored, name="logstream_1/log/1.obarc")
    assert header is not None
    return bytes(open_frame(header, stored[FRAME_HEADER_BYTES:], key=key, name="logstream_1/log/1.obarc"))


@pytest.mark.parametrize(("offset", "value"), [(4, 2), (5, 2), (6, 2), (7, 2)])
def test_unknown_version_codec_cipher_or_flag_is_named(offset: int, value: int) -> None:
    raw = bytearray(seal_frame(frame(0, 3, log_id=1), b"log").header_bytes)
    raw[offset] = value
    raw[-8:] = header_checksum(bytes(raw[:-8])).to_bytes(8, "little")
    with pytest.raises(UnknownVersionError, match=str(value)):
        decode_frame_header(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=FRAME_HEADER_BYTES - 12, max_size=FRAME_HEADER_BYTES - 12))
def test_header_of_noise_with_a_right_checksum_is_refused_or_bounded(noise: bytes) -> None:
    raw = b"HFLF" + noise
    try:
        header = decode_frame_header(raw + header_checksum(raw).to_bytes(8, "little"))
    except (CorruptionError, UnknownVersionError):
        return
    assert header is not None
    assert header.frame.payload_size_bytes <= FRAME_PAYLOAD_BYTES_MAX


def test_encrypted_frame_is_bound_to_its_range_and_key() -> None:
    key = DataKey(SECRET)
    sealed = seal_frame(frame(0, 100, log_id=1), octets(100), key=key)
    moved = replace(sealed.header, frame=replace(sealed.header.frame, start_lsn=Lsn(100), end_lsn=Lsn(200)))
    with pytest.raises(CorruptionError, match="does not open"):
        open_frame(moved, sealed.body, key=key)
    with pytest.raises(RefusedError) as refusal:
        open_frame(sealed.header, sealed.body)
    assert refusal.value.code == codes.OB_BACKUP_INVALID_PASSWORD


# --- scanning an object


def log_object(sizes: list[int], key: DataKey | None = None) -> tuple[bytes, list[int]]:
    """Return an object of frames of these sizes, the first with the info block, and the offset behind each frame."""
    stored, borders, lsn = b"", [], 5000
    for ordinal, size in enumerate(sizes):
        said = frame(lsn, size, log_id=ordinal + 1, has_info_block=not ordinal)
        payload = [INFO, octets(size, ordinal)] if not ordinal else [octets(size, ordinal)]
        stored += whole(seal_frame(said, *payload, key=key))
        borders.append(len(stored))
        lsn += size
    return stored, borders


def reader_of(stored: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, size_bytes: stored[offset : offset + size_bytes]


@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
def test_scan_finds_all_frames(key: DataKey | None) -> None:
    stored, borders = log_object([100, 1, 3 << 20, 2 << 20, 50], key)
    for durable in (0, borders[1], borders[-1]):
        scan = scan_frames(reader_of(stored), len(stored), durable_size_bytes=durable, key=key)
        assert [found.end_offset for found in scan.frames] == borders
        assert (scan.end_offset, scan.torn) == (len(stored), "")
    assert scan_frames(reader_of(b""), 0).frames == ()


def test_scan_reads_many_small_frames_with_few_calls() -> None:
    stored, borders = log_object([40] * 2000)
    calls: list[int] = []

    def read(offset: int, size_bytes: int) -> bytes:
        calls.append(offset)
        return stored[offset : offset + size_bytes]

    scan = scan_frames(read, len(stored), durable_size_bytes=len(stored))
    assert len(scan.frames) == len(borders)
    assert len(calls) <= len(stored) // (1 << 20) + 2


def test_object_cut_anywhere_scans_to_its_last_whole_frame() -> None:
    stored, borders = log_object([100, 200, 300])
    for size in range(len(stored) + 1):
        scan = scan_frames(reader_of(stored[:size]), size, name="log/1.obarc")
        whole_frames = [border for border in borders if border <= size]
        assert [found.end_offset for found in scan.frames] == whole_frames
        assert scan.end_offset == (whole_frames or [0])[-1]
        assert bool(scan.torn) == (scan.end_offset != size)
        assert not scan.torn or "log/1.obarc" in scan.torn


@pytest.mark.parametrize("tail", ["zeros", "noise", "frame of zeros"])
def test_what_a_power_cut_leaves_behind_the_last_frame_does_not_count(tail: str) -> None:
    stored, borders = log_object([100, 200, 300])
    last = stored[borders[1] :]
    left = {
        "zeros": bytes(5000),
        "noise": octets(5000),
        "frame of zeros": last[:FRAME_HEADER_BYTES] + bytes(len(last) - FRAME_HEADER_BYTES),
    }[tail]
    torn = stored[: borders[1]] + left
    scan = scan_frames(reader_of(torn), len(torn), durable_size_bytes=borders[0])
    assert scan.end_offset == borders[1]
    assert scan.torn


def test_damage_below_the_durable_size_is_corruption_not_a_torn_tail() -> None:
    stored, borders = log_object([100, 200, 300])
    broken = bytearray(stored)
    broken[borders[0] + 10] ^= 1
    with pytest.raises(CorruptionError):
        scan_frames(reader_of(bytes(broken)), len(broken), durable_size_bytes=borders[1])
    assert scan_frames(reader_of(bytes(broken)), len(broken), durable_size_bytes=borders[0]).end_offset == borders[0]


def test_object_shorter_than_its_durable_size_is_corruption() -> None:
    stored, borders = log_object([100, 200, 300])
    with pytest.raises(CorruptionError, match="were durable"):
        scan_frames(reader_of(stored[: borders[1]]), borders[1], durable_size_bytes=borders[2])
    with pytest.raises(CorruptionError, match="where its record says one does"):
        scan_frames(reader_of(stored), len(stored), durable_size_bytes=borders[1] + 7)


def test_frames_that_do_not_follow_each_other_are_corruption_wherever_they_are() -> None:
    first = frame(1000, 100, log_id=5, has_info_block=True)
    follower = frame(1100, 50, log_id=6)
    good = whole(seal_frame(first, INFO, octets(100)))
    assert len(scan_frames(reader_of(both := good + whole(seal_frame(follower, octets(50)))), len(both)).frames) == 2
    for wrong in (
        frame(1101, 50, log_id=6),
        frame(1100, 50, log_id=5),
        replace(follower, block_id=2),
        replace(follower, first_scn=Scn(first.max_scn - 1)),
        replace(follower, timeline=timeline_of("another")),
        replace(follower, has_info_block=True),
    ):
        payload = [INFO, octets(50)] if wrong.has_info_block else [octets(50)]
        stored = good + whole(seal_frame(wrong, *payload))
        with pytest.raises(CorruptionError, match="does not follow"):
            scan_frames(reader_of(stored), len(stored))


def test_timeline_is_the_same_for_the_same_text_only() -> None:
    assert timeline_of("1002 from birth") == TIMELINE
    assert timeline_of("1002 from birth ") != TIMELINE
    assert len(TIMELINE) == 32
