"""Objects of every format version that ever was are read for ever."""

import struct
from pathlib import Path

import pytest
import zstandard
from blake3 import blake3
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from backup_format.samples import (
    BLOCK_BYTES,
    CLUSTER_PARAMETERS,
    FORMAT_FILE,
    MANIFEST,
    PIECE,
    ROUND,
    SECRET,
    TEXT,
    TIMELINE,
)
from golden.make_backup import FIRST_LSN, INFO, LOGS, PAYLOADS
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, open_file, walk_chunks
from holdfast.backup_format.cluster_parameters import decode_cluster_parameters, encode_cluster_parameters
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import decode_index, encode_index
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, open_frame, scan_frames
from holdfast.backup_format.manifest import decode_manifest, encode_manifest
from holdfast.backup_format.piece_record import (
    decode_format_file,
    decode_piece_record,
    decode_piece_records,
    decode_round_record,
    encode_piece_record,
)
from holdfast.values.buffers import ReadAt

V1 = Path(__file__).parents[1] / "golden" / "backup" / "v1"
KEYS = {"": None, "_encrypted": DataKey(SECRET)}


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
