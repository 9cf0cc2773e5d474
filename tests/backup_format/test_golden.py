"""Objects of every format version that ever was are read for ever."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from backup_format.samples import (
    BLOCK_BYTES,
    CLAIM,
    CLUSTER_PARAMETERS,
    FORMAT_FILE,
    MANIFEST,
    OWNER,
    PIECE,
    ROUND,
    SECRET,
    TEXT,
    TIMELINE,
    WRITER,
)
from golden.make_backup import FIRST_LSN, INFO, KEY_SOURCE, LOGS, PAYLOADS
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, open_file, walk_chunks
from holdfast.backup_format.cluster_parameters import decode_cluster_parameters, encode_cluster_parameters
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.document import decode_document
from holdfast.backup_format.index import decode_index, encode_index
from holdfast.backup_format.key_record import decode_key_record, encode_key_record
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, open_frame, scan_frames
from holdfast.backup_format.manifest import EncryptionMode, check_authentic, decode_manifest, encode_manifest
from holdfast.backup_format.owner_record import (
    decode_placeholder,
    decode_set_claim,
    encode_placeholder,
    encode_set_claim,
)
from holdfast.backup_format.piece_record import (
    decode_format_file,
    decode_piece_record,
    decode_piece_records,
    decode_round_record,
    encode_format_file,
    encode_piece_record,
    encode_round_record,
)
from holdfast.backup_format.writer_record import decode_writer_record, encode_writer_record
from holdfast.errors import UnknownVersionError
from holdfast.keys.masters import Masters
from holdfast.keys.vault import opened_by
from holdfast.values.buffers import ReadAt

V2 = Path(__file__).parents[1] / "golden" / "backup" / "v2"
V1 = Path(__file__).parents[1] / "golden" / "backup" / "v1"
V3 = Path(__file__).parents[1] / "golden" / "backup" / "v3"
KEYS = {"": None, "_encrypted": DataKey(SECRET)}


OWNED: tuple[tuple[str, Any, Callable[..., bytes], Callable[..., object]], ...] = (
    ("manifest.json", replace(MANIFEST, owner=OWNER), encode_manifest, decode_manifest),
    ("single_piece_info.obarc", replace(PIECE, owner=OWNER), encode_piece_record, decode_piece_record),
    ("round.obarc", replace(ROUND, owner=OWNER), encode_round_record, decode_round_record),
    ("format.obbak", replace(FORMAT_FILE, owner=OWNER), encode_format_file, decode_format_file),
    (
        "cluster_parameters.obbak",
        replace(CLUSTER_PARAMETERS, owner=OWNER),
        encode_cluster_parameters,
        decode_cluster_parameters,
    ),
    ("owner.json", CLAIM, encode_set_claim, decode_set_claim),
    ("writer.obbak", WRITER, encode_writer_record, decode_writer_record),
    ("placeholder.obbak", OWNER, encode_placeholder, decode_placeholder),
)


def golden(name: str) -> bytes:
    return (V1 / name).read_bytes()


def reader_of(stored: bytes) -> ReadAt:
    return lambda offset, size_bytes: stored[offset : offset + size_bytes]


@pytest.mark.parametrize(("kind", "key"), KEYS.items(), ids=["plain", "encrypted"])
def test_data_object_of_version_1_is_read(kind: str, key: DataKey | None) -> None:
    stored = golden("data" + kind)
    headers = list(walk_chunks(reader_of(stored), len(stored), set_id=2, object_number=1, name="data/000001"))
    opener = ChunkOpener(key=key)
    opened = [
        bytes(opener.open(item, stored[item.place.offset + CHUNK_HEADER_BYTES : item.end_offset], place=item.place))
        for item in headers
    ]
    assert opened == list(PAYLOADS)
    assert [(item.place.block_id, item.block_type) for item in headers] == [(2, 1), (3, 2), (4, 3)]


@pytest.mark.parametrize(("kind", "key"), KEYS.items(), ids=["plain", "encrypted"])
def test_log_object_of_version_1_is_read(kind: str, key: DataKey | None) -> None:
    stored = golden(f"log{kind}.obarc")
    scan = scan_frames(reader_of(stored), len(stored), key=key)
    assert not scan.torn
    opened = [
        bytes(open_frame(item.header, stored[item.offset + FRAME_HEADER_BYTES : item.end_offset], key=key))
        for item in scan.frames
    ]
    assert opened == [INFO + LOGS[0], *LOGS[1:]]
    assert scan.frames[0].header.frame.start_lsn == FIRST_LSN


def test_index_of_version_1_is_read_and_written_alike() -> None:
    stored = golden("index")
    index = decode_index([stored])
    assert [record.block_id for record in index.table] == [2, 3, 4]
    assert index.table.block_count == 16
    assert b"".join(encode_index(index.table, set_id=2, block_size_bytes=BLOCK_BYTES)) == stored


def test_records_of_version_1_are_read_and_written_alike() -> None:
    assert decode_manifest(golden("manifest.json")) == MANIFEST
    assert encode_manifest(MANIFEST) == golden("manifest.json")
    assert decode_piece_record(golden("single_piece_info.obarc")) == PIECE
    assert encode_piece_record(PIECE) == golden("single_piece_info.obarc")
    assert decode_piece_records(golden("tenant_archive_piece_infos.obarc")) == (PIECE,)
    assert decode_round_record(golden("round.obarc")) == ROUND
    assert decode_format_file(golden("format.obbak")) == FORMAT_FILE
    assert decode_cluster_parameters(golden("cluster_parameters.obbak")) == CLUSTER_PARAMETERS
    assert encode_cluster_parameters(CLUSTER_PARAMETERS) == golden("cluster_parameters.obbak")


def test_records_of_version_1_with_an_owner_are_read_and_written_alike() -> None:
    for name, value, encode, decode in OWNED:
        stored = (V1.with_name("v1_owned") / name).read_bytes()
        assert decode(stored) == value, name
        assert encode(value) == stored, name
    assert {name for name, *_ in OWNED} == {path.name for path in V1.with_name("v1_owned").iterdir()}


def test_small_file_of_version_1_is_read() -> None:
    assert open_file(golden("file"), set_id=2, file_number=3, opener=ChunkOpener(), name="file") == TEXT


def test_data_object_is_read_with_the_page_on_formats_alone() -> None:
    """What docs/format.md says of a chunk is enough to read it without Holdfast."""
    stored, offset, payloads = golden("data"), 0, []
    while offset < len(stored):
        header = stored[offset : offset + 96]
        assert header[:7] in (b"HFCK\x01\x00\x00", b"HFCK\x01\x01\x00")
        size, length = struct.unpack_from("<II", header, 32)
        assert struct.unpack_from("<IIQ", header, 8) == (2, 1, offset)
        assert struct.unpack_from("<Q", header, 88)[0] == xxh3_64_intdigest(header[:88])
        body = stored[offset + 96 : offset + 96 + length]
        payload = (zstandard.decompress(body) if header[5] else body).ljust(size, b"\0")
        assert header[40:56] == blake3(payload).digest()[:16]
        assert header[56:72] == xxh3_128_digest(payload[:512])
        payloads.append(payload)
        offset += 96 + length
    assert payloads == list(PAYLOADS)


def test_index_is_read_with_the_page_on_formats_alone() -> None:
    stored, data = golden("index"), golden("data")
    magic, version, record_bytes, set_id, block_bytes, count, blocks = struct.unpack_from("<4sHHIIQQ", stored)
    assert (magic, version, record_bytes, set_id, block_bytes, blocks) == (b"HFIX", 1, 64, 2, BLOCK_BYTES, 16)
    assert struct.unpack_from("<Q", stored, 56)[0] == xxh3_64_intdigest(stored[:56])
    assert stored[-32:] == blake3(stored[:-32]).digest()
    assert len(stored) == 64 + count * 64 + 32
    for start in range(64, 64 + count * 64, 64):
        block_id, holder, number, length, offset, size, _ = struct.unpack_from("<IIIIQIH", stored, start)
        header = data[offset : offset + 96]
        assert struct.unpack_from("<IIQQII", header, 8) == (holder, number, offset, block_id, size, length)
        assert stored[start + 32 : start + 64] == header[40:72]


def test_log_object_is_read_with_the_page_on_formats_alone() -> None:
    stored, offset, log = golden("log.obarc"), 0, b""
    while offset < len(stored):
        header = stored[offset : offset + 128]
        assert header[:5] == b"HFLF\x01"
        block_id, start, end = struct.unpack_from("<QQQ", header, 24)
        size, length = struct.unpack_from("<II", header, 80)
        assert (block_id, start, header[8:24].hex()) == (1, FIRST_LSN + len(log), TIMELINE)
        assert struct.unpack_from("<Q", header, 120)[0] == xxh3_64_intdigest(header[:120])
        body = stored[offset + 128 : offset + 128 + length]
        payload = (zstandard.decompress(body) if header[5] else body).ljust(size, b"\0")
        assert header[88:104] == blake3(payload).digest()[:16]
        log += payload[4096:] if header[7] & 1 else payload
        assert end == FIRST_LSN + len(log)
        offset += 128 + length
    assert log == b"".join(LOGS)


def test_what_a_master_key_seals_is_read_and_written_again_byte_for_byte() -> None:
    keys = (V2 / "keys.obbak").read_bytes()
    masters = Masters({one.key_id: one.secret for one in opened_by(decode_key_record(keys), KEY_SOURCE, name="keys")})
    assert len(masters.known()) == 2
    assert encode_key_record(decode_key_record(keys)) == keys
    manifest = decode_manifest((V2 / "manifest.json").read_bytes())
    assert encode_manifest(manifest) == (V2 / "manifest.json").read_bytes()
    assert manifest.encryption.mode is EncryptionMode.KEY
    secret = masters.secret_of(manifest, name="manifest")
    assert secret is not None
    check_authentic(manifest, DataKey(secret), name="manifest")
    piece = decode_piece_record((V2 / "single_piece_info.obarc").read_bytes())
    assert encode_piece_record(piece) == (V2 / "single_piece_info.obarc").read_bytes()
    log, root = (V2 / "log.obarc").read_bytes(), "piece_d1002r1p3"
    opener = masters.log_keys(piece.keys, cluster_id=1, tenant_id=1002, root=root, timeline=piece.timeline)
    found = scan_frames(lambda offset, size: log[offset : offset + size], len(log), key=opener)
    assert (len(found.frames), found.torn) == (3, "")


def test_what_needs_a_certificate_is_refused_by_name_by_what_knows_no_such_login() -> None:
    manifest, piece = (V3 / "manifest.json").read_bytes(), (V3 / "single_piece_info.obarc").read_bytes()
    assert decode_manifest(manifest) == replace(MANIFEST, owner=OWNER, needs_certificate=True)
    assert encode_manifest(decode_manifest(manifest)) == manifest
    assert decode_piece_record(piece) == replace(PIECE, owner=OWNER, needs_certificate=True)
    assert encode_piece_record(decode_piece_record(piece)) == piece
    # As every build before it asks.
    for text, kind in ((manifest, "holdfast backup set"), (piece, "holdfast archive piece")):
        with pytest.raises(UnknownVersionError) as refused:
            decode_document(text, kind=kind, name="it", version=2)
        assert "format version 3, this build reads 2" in str(refused.value)


def test_a_sealed_piece_is_read_with_the_page_on_formats_alone() -> None:
    """docs/format.md sections 4 and 7, and nothing of Holdfast."""

    def unwrapped(text: str, by: bytes, place: str) -> bytes:
        sealed = bytes.fromhex(text)
        return AESGCM(by).decrypt(sealed[:12], sealed[12:], place.encode())

    keys = json.loads((V2 / "keys.obbak").read_text())
    cost = {"n": keys["scrypt_n"], "r": keys["scrypt_r"], "p": keys["scrypt_p"], "maxmem": 1 << 27}
    wrapping = hashlib.scrypt(KEY_SOURCE, salt=bytes.fromhex(keys["scrypt_salt"]), dklen=32, **cost)
    masters = {
        one["key_id"]: unwrapped(one["wrapped_key"], wrapping, f"holdfast master key 1 1 1002 {one['key_id']}")
        for one in keys["keys"]
    }
    piece = json.loads((V2 / "single_piece_info.obarc").read_text())
    (entry,) = piece["keys"]
    place = f"holdfast piece key 1 1 1002 1002 1 3 {piece['timeline']} {entry['from_lsn']}"
    secret = unwrapped(entry["wrapped_key"], masters[entry["key_id"]], place)
    cipher = AESGCM(blake3(secret, derive_key_context="holdfast backup format 1 cipher").digest())
    stored, offset, logs = (V2 / "log.obarc").read_bytes(), 0, []
    while offset < len(stored):
        header = stored[offset : offset + 128]
        codec, sealed, flags = header[5], header[6], header[7]
        (start_lsn,), (size, body_size) = struct.unpack_from("<Q", header, 32), struct.unpack_from("<II", header, 80)
        assert bool(sealed) == (start_lsn >= int(entry["from_lsn"], 16))
        body = stored[offset + 128 : offset + 128 + body_size]
        if sealed:
            body = cipher.decrypt(header[104:116], body, header[:104])
        payload = zstandard.ZstdDecompressor().decompress(body) if codec else body
        logs.append(payload.ljust(size, b"\0")[4096 if flags else 0 :])
        offset += 128 + body_size
    assert logs == list(LOGS)
