"""Fault 6.5: a record whose digest is right and whose fields are not is refused by name of object and field."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from backup_format.samples import CLAIM, CLUSTER_PARAMETERS, FORMAT_FILE, MANIFEST, PIECE, ROUND, WRITER
from holdfast.backup_format import names
from holdfast.backup_format.cluster_parameters import decode_cluster_parameters, encode_cluster_parameters
from holdfast.backup_format.document import encode_document
from holdfast.backup_format.index import BLOCK_COUNT_MAX, BlockTable, decode_index, encode_index
from holdfast.backup_format.manifest import decode_manifest, encode_manifest
from holdfast.backup_format.owner_record import decode_set_claim, encode_set_claim
from holdfast.backup_format.piece_record import (
    decode_format_file,
    decode_piece_record,
    decode_round_record,
    encode_format_file,
    encode_piece_record,
    encode_round_record,
)
from holdfast.backup_format.writer_record import decode_writer_record, encode_writer_record
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.outside import is_one_line

Decode = Callable[..., object]
RECORDS: Mapping[str, tuple[bytes, Decode]] = {
    "manifest": (encode_manifest(MANIFEST), decode_manifest),
    "piece": (encode_piece_record(PIECE), decode_piece_record),
    "round": (encode_round_record(ROUND), decode_round_record),
    "format": (encode_format_file(FORMAT_FILE), decode_format_file),
    "parameters": (encode_cluster_parameters(CLUSTER_PARAMETERS), decode_cluster_parameters),
    "claim": (encode_set_claim(CLAIM), decode_set_claim),
    "writer": (encode_writer_record(WRITER), decode_writer_record),
}


def changed(record: str, path: str, value: object) -> tuple[bytes, Decode]:
    """Return a record of the same kind with one field changed and a right digest; `path` is parted by dots."""
    text, decode = RECORDS[record]
    whole = json.loads(text)
    kind = whole.pop("kind")
    del whole["digest"], whole["format_version"]
    inner = whole
    *way, last = path.split(".")
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    assert last in inner, path
    inner[last] = value
    return encode_document(kind, whole), decode


@pytest.mark.parametrize(
    ("record", "path", "value"),
    [
        ("manifest", "tenant_name", "t" * 5000),
        ("manifest", "tenant_name", "a\nb"),
        ("manifest", "cluster_name", "\x1b[2J"),
        ("manifest", "unit.max_cpu", -5),
        ("manifest", "unit.max_cpu", 0),
        ("manifest", "unit.max_cpu", 1e300),
        ("manifest", "unit.memory_size_bytes", 2**63),
        ("manifest", "unit.memory_size_bytes", -1),
        ("manifest", "unit.log_disk_size_bytes", 2**63),
        ("manifest", "backup_set_id", 2**32),
        ("manifest", "dest_id", 2**63),
        ("manifest", "chain", [1, 2**63]),
        ("manifest", "start_scn", "9" * 20),
        ("manifest", "base_lsn", "-00000000000000f"),
        ("manifest", "description", "d" * 5000),
        ("manifest", "started_us", 2**63),
        ("manifest", "objects.0.name", "../../etc/passwd"),
        ("manifest", "objects.0.name", "/etc/passwd"),
        ("manifest", "objects.0.name", "data/" + "x" * 300),
        ("manifest", "objects.0.name", "data/\n"),
        ("manifest", "encryption.wrapped_key", "no hex but secret"),
        ("piece", "tenant_name", "t" * 129),
        ("piece", "piece_id", 2**63),
        ("piece", "begin.accumulated", 2**64 - 1 + 0.5),
        ("piece", "blocks.0.block_id", 2**63),
        ("piece", "input_bytes", 2**63),
        ("round", "comment", "c" * (1 << 18) + "c"),
        ("round", "round_id", 2**63),
        ("round", "piece_switch_interval_us", 2**63),
        ("format", "path", "p" * 2049),
        ("format", "cluster_name", "c" * 129),
        ("format", "cluster_id", 2**63),
        ("parameters", "tenants.0.parameters.0.name", "n" * 129),
        ("parameters", "tenants.0.parameters.0.value", "v" * 65537),
        ("claim", "tenant_id", 2**63),
        ("writer", "backup_set_id", 2**63),
        ("writer", "place", "x" * 5000),
    ],
)
def test_a_field_beyond_its_bound_is_refused_by_object_and_field(record: str, path: str, value: object) -> None:
    text, decode = changed(record, path, value)
    with pytest.raises(CorruptionError, match=re.escape(repr(path.rpartition(".")[2]))) as refused:
        decode(text, name="file:///backup/this object")
    message = refused.value.message
    assert message.startswith("file:///backup/this object")
    assert len(message) < 400
    assert is_one_line(message)
    assert "secret" not in message


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", str(2**64), "9" * 5000])
def test_a_number_that_json_does_not_have_is_refused_by_object(constant: str) -> None:
    text, decode = RECORDS["manifest"]
    hostile = re.sub(rb'"max_cpu": [\d.]+', f'"max_cpu": {constant}'.encode(), text)
    assert hostile != text
    with pytest.raises(CorruptionError, match=r"^file:///backup/manifest is not readable"):
        decode(hostile, name="file:///backup/manifest")


@pytest.mark.parametrize("version", [True, 1.0, "1", [1], None])
def test_a_version_is_a_whole_number(version: object) -> None:
    text = RECORDS["format"][0].replace(b'"format_version": 1', f'"format_version": {json.dumps(version)}'.encode())
    with pytest.raises(UnknownVersionError, match="has format version"):
        decode_format_file(text)


def test_a_kind_of_any_length_is_shown_cut() -> None:
    with pytest.raises(CorruptionError) as refused:
        decode_manifest(encode_document("k\n" * 50_000, {}))
    assert len(refused.value.message) < 300
    assert is_one_line(refused.value.message)


def test_fields_at_their_bounds_are_read() -> None:
    unit = replace(MANIFEST.unit, max_cpu=1e9, memory_size_bytes=2**63 - 1)
    wide = replace(MANIFEST, tenant_name="t" * 128, unit=unit, description="d\n" * 2048)
    assert decode_manifest(encode_manifest(wide)) == wide


def test_an_index_of_more_blocks_than_any_memory_holds_is_refused() -> None:
    stored = bytearray(b"".join(encode_index(BlockTable(1), set_id=1, block_size_bytes=2 << 20)))
    assert decode_index([bytes(stored)]).table.block_count == 1
    from holdfast.backup_format.digest import header_checksum

    stored[24:32] = (BLOCK_COUNT_MAX + 1).to_bytes(8, "little")
    stored[56:64] = header_checksum(bytes(stored[:56])).to_bytes(8, "little")
    with pytest.raises(CorruptionError, match="impossible header"):
        decode_index([bytes(stored)])


@pytest.mark.parametrize("digits", [19, 60, 240])
def test_a_name_with_a_number_beyond_its_column_is_nobodys(digits: int) -> None:
    number = "9" * digits
    assert names.parse_set_root(f"backup_set_{number}_full") is None
    assert names.parse_set_root(f"backup_set_{2**32}_full") is None
    assert names.parse_set_placeholder(f"backup_sets/backup_set_{number}_full_start.obbak") is None
    assert names.parse_data_name(f"data/{number}") is None
    assert names.parse_piece_root(f"piece_d1r1p{number}") is None
    assert names.parse_piece_root(f"piece_d{number}r1p1") is None
    assert names.parse_piece_placeholder(f"pieces/piece_d1r{number}p1_start_20260101T000000.obarc") is None
    assert names.parse_round_placeholder(f"rounds/round_d1r{number}_start.obarc") is None
    assert names.parse_log_name(f"piece_d1r1p1/logstream_1/log/{number}.obarc") is None
