"""Sealed chunks: what is opened is what was sealed, at its place, or it is refused by name."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_format.samples import BLOCK_BYTES, SECRET, TEXT, octets
from holdfast import codes
from holdfast.backup_format.chunk import (
    CHUNK_HEADER_BYTES,
    CHUNK_PAYLOAD_BYTES_MAX,
    NO_HEAD_HASH,
    ChunkHeader,
    ChunkKind,
    ChunkOpener,
    ChunkPlace,
    ChunkSealer,
    SealedChunk,
    decode_chunk_header,
    open_chunk,
    open_file,
    seal_chunk,
    seal_file,
    walk_chunks,
)
from holdfast.backup_format.digest import DataKey, content_digest, head_hash, header_checksum
from holdfast.backup_format.payload import TAG_BYTES, Cipher, Codec
from holdfast.errors import CorruptionError, RefusedError, UnknownVersionError

PLACE = ChunkPlace(set_id=3, object_number=7, offset=4096, block_id=99)
KEYS = [None, DataKey(SECRET)]
HALF_FULL = TEXT[:100_000] + bytes(BLOCK_BYTES - 100_000)
PAYLOADS = {
    "random": octets(BLOCK_BYTES),
    "random with a tail of zeros": octets(BLOCK_BYTES - 24_001) + bytes(24_001),
    "text": (TEXT * 20)[:BLOCK_BYTES],
    "half full": HALF_FULL,
    "all zero": bytes(BLOCK_BYTES),
    "empty": b"",
    "one byte": b"x",
    "one zero": b"\0",
    "largest": octets(1 << 20) * 4,
}


def whole(chunk: SealedChunk) -> bytes:
    return chunk.header_bytes + bytes(chunk.body)


def refreshed(header: bytes) -> bytes:
    """Return a header with its checksum made right again: what a forger or a newer version would write."""
    return header[:-8] + header_checksum(header[:-8]).to_bytes(8, "little")


@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_chunk_opens_to_what_was_sealed(payload: bytes, key: DataKey | None, form: type) -> None:
    chunk = seal_chunk(PLACE, form(payload), head_hash=head_hash(payload, key), block_type=1, key=key)
    stored = whole(chunk)
    header = decode_chunk_header(stored)
    assert header == chunk.header
    assert header is not None
    assert (header.place, header.block_type, header.payload_size_bytes) == (PLACE, 1, len(payload))
    assert header.head_hash == head_hash(payload, key)
    assert header.digest == content_digest(payload, key)
    assert header.end_offset == PLACE.offset + len(stored) == PLACE.offset + chunk.size_bytes
    assert open_chunk(header, stored[CHUNK_HEADER_BYTES:], place=PLACE, key=key) == payload


@settings(max_examples=150, deadline=None)
@given(
    start=st.binary(max_size=300),
    repeat=st.integers(1, 900),
    zeros=st.integers(0, 70_000),
    set_id=st.integers(1, 2**32 - 1),
    object_number=st.integers(0, 2**32 - 1),
    offset=st.integers(0, 2**64 - 1 - (8 << 20)),
    block_id=st.integers(0, 2**64 - 1),
    kind=st.sampled_from(ChunkKind),
    key=st.sampled_from(KEYS),
)
def test_chunk_of_any_payload_and_place_opens(
    start: bytes,
    repeat: int,
    zeros: int,
    set_id: int,
    object_number: int,
    offset: int,
    block_id: int,
    kind: ChunkKind,
    key: DataKey | None,
) -> None:
    payload = start * repeat + bytes(zeros)
    place = ChunkPlace(set_id=set_id, object_number=object_number, offset=offset, block_id=block_id, kind=kind)
    chunk = seal_chunk(place, payload, head_hash=head_hash(payload), key=key)
    opener = ChunkOpener(key=key)
    assert opener.open(chunk.header, chunk.body, place=place) == payload
    used = bytes(opener.open_used(chunk.header, chunk.body, place=place))
    assert payload == used + bytes(len(payload) - len(used))


def test_chunk_is_compressed_where_it_pays_and_only_there() -> None:
    sealer = ChunkSealer()
    random, text = sealer.pack(PAYLOADS["random"]), sealer.pack(PAYLOADS["text"])
    assert random.codec is Codec.RAW
    assert text.codec is Codec.ZSTD
    assert len(text.body) < BLOCK_BYTES // 10


def test_chunk_costs_what_its_used_part_costs() -> None:
    assert len(ChunkSealer().pack(bytes(BLOCK_BYTES)).body) == 0
    almost = octets(10_000) + bytes(BLOCK_BYTES - 10_000)
    assert len(ChunkSealer().pack(almost).body) <= 12 << 10


def test_raw_chunk_is_sealed_and_opened_without_a_copy() -> None:
    payload = bytearray(PAYLOADS["random"])
    chunk = seal_chunk(PLACE, payload, head_hash=NO_HEAD_HASH)
    assert isinstance(chunk.body, memoryview)
    assert chunk.body.obj is payload
    assert open_chunk(chunk.header, chunk.body, place=PLACE) is chunk.body


def test_chunk_packed_before_its_place_is_known_is_the_same_chunk() -> None:
    for key in KEYS:
        sealer = ChunkSealer(key=key)
        packed = sealer.pack(HALF_FULL)
        late = ChunkSealer(key=key).seal_packed(PLACE, packed, head_hash=NO_HEAD_HASH)
        assert whole(late) == whole(sealer.seal(PLACE, HALF_FULL, head_hash=NO_HEAD_HASH))


def test_payload_beyond_the_largest_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        ChunkSealer().pack(bytes(CHUNK_PAYLOAD_BYTES_MAX + 1))


def test_chunk_header_needs_all_its_bytes_and_ignores_what_follows() -> None:
    chunk = seal_chunk(PLACE, b"payload", head_hash=NO_HEAD_HASH)
    for size in range(CHUNK_HEADER_BYTES):
        assert decode_chunk_header(chunk.header_bytes[:size]) is None
    for behind in (b"", b"x", bytes(5000), whole(chunk)):
        assert decode_chunk_header(chunk.header_bytes + behind) == chunk.header


def read_back(stored: bytes, key: DataKey | None) -> bytes:
    header = decode_chunk_header(stored, name="object 7 of the store")
    assert header is not None
    return bytes(open_chunk(header, stored[CHUNK_HEADER_BYTES:], place=PLACE, key=key, name="object 7 of the store"))


def flipped_everywhere(stored: bytes) -> Iterator[bytes]:
    for position in range(len(stored)):
        broken = bytearray(stored)
        broken[position] ^= 1 << position % 8
        yield bytes(broken)


@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
@pytest.mark.parametrize("payload", [octets(900), octets(1112) + bytes(16_384)], ids=["random", "tail of zeros"])
def test_flipped_bit_anywhere_in_a_chunk_is_refused_by_name(payload: bytes, key: DataKey | None) -> None:
    stored = whole(seal_chunk(PLACE, payload, head_hash=NO_HEAD_HASH, key=key))
    assert read_back(stored, key) == payload
    for broken in flipped_everywhere(stored):
        with pytest.raises(CorruptionError, match="object 7 of the store"):
            read_back(broken, key)


def test_flipped_bit_in_a_compressed_chunk_never_changes_what_it_opens_to() -> None:
    """zstd's framing has a few bits without meaning; any other flip is refused, and none passes other content."""
    payload = TEXT[:3000]
    stored = whole(seal_chunk(PLACE, payload, head_hash=NO_HEAD_HASH))
    unnoticed = 0
    for broken in flipped_everywhere(stored):
        try:
            assert read_back(broken, None) == payload
            unnoticed += 1
        except CorruptionError:
            continue
    assert unnoticed <= 8


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=CHUNK_HEADER_BYTES, max_size=200))
def test_noise_is_never_a_chunk(noise: bytes) -> None:
    for octets_ in (noise, b"HFCK" + noise[4:]):
        with pytest.raises(CorruptionError):
            decode_chunk_header(octets_)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=CHUNK_HEADER_BYTES - 12, max_size=CHUNK_HEADER_BYTES - 12), st.binary(max_size=64))
def test_header_of_noise_with_a_right_checksum_is_refused_or_bounded(noise: bytes, stored: bytes) -> None:
    """A forged header may lie, but never makes a reader hold more than the largest payload."""
    raw = b"HFCK" + noise[:84]
    try:
        header = decode_chunk_header(refreshed(raw + bytes(8)))
    except (CorruptionError, UnknownVersionError):
        return
    assert header is not None
    assert header.stored_size_bytes <= CHUNK_PAYLOAD_BYTES_MAX + TAG_BYTES
    with pytest.raises((CorruptionError, RefusedError)):
        open_chunk(header, stored, place=header.place)


@pytest.mark.parametrize(("offset", "value"), [(4, 2), (5, 2), (6, 2), (7, 0), (7, 3)])
def test_unknown_version_codec_cipher_or_kind_is_named(offset: int, value: int) -> None:
    raw = bytearray(seal_chunk(PLACE, b"payload", head_hash=NO_HEAD_HASH).header_bytes)
    raw[offset] = value
    with pytest.raises(UnknownVersionError, match=str(value)):
        decode_chunk_header(refreshed(bytes(raw)))


def test_chunk_of_another_place_is_refused_with_both_places() -> None:
    chunk = seal_chunk(PLACE, b"payload", head_hash=NO_HEAD_HASH)
    for other in (
        replace(PLACE, set_id=4),
        replace(PLACE, object_number=8),
        replace(PLACE, offset=0),
        replace(PLACE, block_id=98),
        replace(PLACE, kind=ChunkKind.FILE),
    ):
        with pytest.raises(CorruptionError, match=r"holds another chunk: expected .*, found block 99 at offset 4096"):
            open_chunk(chunk.header, chunk.body, place=other)


def test_encrypted_chunk_moved_to_another_place_does_not_open() -> None:
    """The place is bound by the cipher: a forger who makes header and checksum right again gets no further."""
    key = DataKey(SECRET)
    chunk = seal_chunk(PLACE, TEXT, head_hash=NO_HEAD_HASH, key=key)
    moved: ChunkHeader = replace(chunk.header, place=replace(PLACE, set_id=4))
    with pytest.raises(CorruptionError, match="does not open"):
        open_chunk(moved, chunk.body, place=moved.place, key=key)


def test_encrypted_chunk_without_its_key_is_refused() -> None:
    chunk = seal_chunk(PLACE, TEXT, head_hash=NO_HEAD_HASH, key=DataKey(SECRET))
    with pytest.raises(RefusedError) as refusal:
        open_chunk(chunk.header, chunk.body, place=PLACE)
    assert refusal.value.code == codes.OB_BACKUP_INVALID_PASSWORD
    with pytest.raises(CorruptionError):
        open_chunk(chunk.header, chunk.body, place=PLACE, key=DataKey(bytes(32)))


def test_encrypted_chunk_tells_nothing_of_its_content() -> None:
    key = DataKey(SECRET)
    chunk = seal_chunk(PLACE, TEXT, head_hash=head_hash(TEXT, key), key=key)
    assert chunk.header.cipher is Cipher.AES_256_GCM
    assert TEXT[:16] not in whole(chunk)
    assert content_digest(TEXT) not in whole(chunk)
    assert head_hash(TEXT) not in whole(chunk)


def test_nonce_serves_one_content_only() -> None:
    """A backup resumed after a crash seals other content for the same place: with a repeated nonce both would leak."""
    key = DataKey(SECRET)
    sealed = [
        seal_chunk(place, payload, head_hash=NO_HEAD_HASH, key=key)
        for place in (PLACE, replace(PLACE, offset=0))
        for payload in (b"one", b"two", bytes(5))
    ]
    assert len({chunk.header.nonce for chunk in sealed}) == len(sealed)


def test_nonce_differs_where_only_the_stored_bytes_do() -> None:
    """Another version of zstd may store the same content in other bytes of the same size."""
    key = DataKey(SECRET)
    packed = ChunkSealer(key=key).pack(TEXT)
    other = replace(packed, body=octets(len(packed.body)))
    nonces = {
        ChunkSealer(key=key).seal_packed(PLACE, item, head_hash=NO_HEAD_HASH).header.nonce for item in (packed, other)
    }
    assert len(nonces) == 2


def test_data_key_is_never_printed() -> None:
    key = DataKey(SECRET)
    for secret in (SECRET, key.cipher_key, key.digest_key, key.nonce_key):
        assert repr(secret)[2:-1] not in repr(key)
    with pytest.raises(ValueError):
        DataKey(b"short")


@pytest.mark.parametrize("cut", [0, 1, 50])
def test_chunk_cut_short_is_refused(cut: int) -> None:
    chunk = seal_chunk(PLACE, octets(100), head_hash=NO_HEAD_HASH)
    with pytest.raises(CorruptionError, match="cut short: expected 100 bytes"):
        open_chunk(chunk.header, bytes(chunk.body)[:cut], place=PLACE)


def test_zstd_frame_that_claims_more_than_the_payload_is_not_decompressed() -> None:
    chunk = seal_chunk(PLACE, TEXT, head_hash=NO_HEAD_HASH)
    small = replace(chunk.header, payload_size_bytes=1000)
    with pytest.raises(CorruptionError, match="at most 1000"):
        open_chunk(small, chunk.body, place=PLACE)


def object_of(payloads: list[bytes], key: DataKey | None = None) -> bytes:
    """Return a data object of set 3, number 7."""
    sealer, octets_ = ChunkSealer(key=key), b""
    for block_id, payload in enumerate(payloads):
        place = ChunkPlace(set_id=3, object_number=7, offset=len(octets_), block_id=block_id)
        octets_ += whole(sealer.seal(place, payload, head_hash=head_hash(payload)))
    return octets_


def walk(data: bytes) -> list[ChunkHeader]:
    def read(offset: int, size_bytes: int) -> bytes:
        assert size_bytes <= CHUNK_HEADER_BYTES, "only headers are read"
        return data[offset : offset + size_bytes]

    return list(walk_chunks(read, len(data), set_id=3, object_number=7, name="data/000007"))


def test_walk_finds_every_chunk_of_an_object() -> None:
    payloads = [TEXT, b"", octets(5000), bytes(100)]
    headers = walk(object_of(payloads))
    assert [header.place.block_id for header in headers] == [0, 1, 2, 3]
    assert [header.payload_size_bytes for header in headers] == [len(payload) for payload in payloads]
    assert walk(b"") == []


def test_walk_refuses_an_object_that_ends_inside_a_chunk() -> None:
    data = object_of([octets(300), octets(200)])
    borders = {0, CHUNK_HEADER_BYTES + 300, len(data)}
    for size in range(len(data) + 1):
        if size in borders:
            walk(data[:size])
        else:
            with pytest.raises(CorruptionError, match=r"data/000007 ends inside"):
                walk(data[:size])


def test_walk_refuses_a_chunk_of_another_object() -> None:
    data = object_of([octets(300), octets(300)])
    half = len(data) // 2
    for wrong in (data[half:], data[:half] * 2):
        with pytest.raises(CorruptionError, match="another place"):
            walk(wrong)


@pytest.mark.parametrize("key", KEYS, ids=["plain", "encrypted"])
@pytest.mark.parametrize("size", [0, 1, 45_056, CHUNK_PAYLOAD_BYTES_MAX, CHUNK_PAYLOAD_BYTES_MAX * 2 + 17])
def test_small_file_opens_to_its_content(size: int, key: DataKey | None) -> None:
    content = octets(size)
    stored = b"".join(seal_file(5, 2, content, sealer=ChunkSealer(key=key)))
    assert open_file(stored, set_id=5, file_number=2, opener=ChunkOpener(key=key), name="meta/x") == content


def test_small_file_of_another_number_is_refused() -> None:
    stored = b"".join(seal_file(5, 2, TEXT, sealer=ChunkSealer()))
    opener = ChunkOpener()
    for set_id, number in ((5, 3), (6, 2)):
        with pytest.raises(CorruptionError, match="another place"):
            open_file(stored, set_id=set_id, file_number=number, opener=opener, name="meta/x")
    with pytest.raises(CorruptionError, match="empty"):
        open_file(b"", set_id=5, file_number=2, opener=opener, name="meta/x")
    with pytest.raises(CorruptionError, match="another chunk"):
        open_file(object_of([TEXT]), set_id=3, file_number=7, opener=opener, name="meta/x")
