"""The owner's record in every document, and the documents that hold nothing else."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from backup_format.samples import CLUSTER_PARAMETERS, FORMAT_FILE, MANIFEST, PIECE, ROUND
from holdfast.backup_format.cluster_parameters import decode_cluster_parameters, encode_cluster_parameters
from holdfast.backup_format.document import encode_document
from holdfast.backup_format.key_record import KeyRecord, Protection, WrappedMaster, decode_key_record, encode_key_record
from holdfast.backup_format.manifest import decode_manifest, encode_manifest
from holdfast.backup_format.owner_record import (
    PLACEHOLDER_KIND,
    SetClaim,
    decode_placeholder,
    decode_set_claim,
    encode_placeholder,
    encode_set_claim,
    owner_fields,
)
from holdfast.backup_format.piece_record import (
    decode_format_file,
    decode_piece_record,
    decode_round_record,
    encode_format_file,
    encode_piece_record,
    encode_round_record,
)
from holdfast.backup_format.writer_record import WriterRecord, decode_writer_record, encode_writer_record
from holdfast.errors import CorruptionError
from holdfast.values.backup_set import BackupType
from owner_rig import owner

CLAIM = SetClaim(cluster_id=1, tenant_id=1002, dest_id=1001, backup_set_id=2, type=BackupType.INC, owner=owner())
WRITER = WriterRecord(
    cluster_id=1,
    tenant_id=1002,
    dest_id=1001,
    owner=owner(),
    predecessor="",
    place="d" * 32,
    is_released=False,
    backup_set_id=2,
    round_id=1,
)
KEYS = KeyRecord(
    cluster_id=1,
    tenant_id=1002,
    protection=Protection.FILE,
    scrypt_salt=bytes(16),
    scrypt_n=2,
    scrypt_r=1,
    scrypt_p=1,
    keys=(WrappedMaster(key_id="e" * 32, created_us=1, wrapped_key=bytes(60)),),
)
DOCUMENTS: tuple[tuple[object, Callable[..., bytes], Callable[..., object]], ...] = (
    (MANIFEST, encode_manifest, decode_manifest),
    (FORMAT_FILE, encode_format_file, decode_format_file),
    (PIECE, encode_piece_record, decode_piece_record),
    (ROUND, encode_round_record, decode_round_record),
    (CLUSTER_PARAMETERS, encode_cluster_parameters, decode_cluster_parameters),
    (KEYS, encode_key_record, decode_key_record),
)


@pytest.mark.parametrize(("value", "encode", "decode"), DOCUMENTS, ids=lambda it: type(it).__name__)
def test_document_tells_its_owner_and_one_without_is_read_as_before(
    value: object, encode: Callable[..., bytes], decode: Callable[..., object]
) -> None:
    owned = replace(value, owner=owner())  # type: ignore[type-var]
    assert decode(encode(owned)) == owned
    bare = encode(value)
    assert b'"owner"' not in bare
    assert decode(bare) == value


def test_claim_writer_and_placeholder_come_back_as_they_were() -> None:
    assert decode_set_claim(encode_set_claim(CLAIM)) == CLAIM
    assert decode_writer_record(encode_writer_record(WRITER)) == WRITER
    assert decode_placeholder(encode_placeholder(owner())) == owner()
    assert decode_placeholder(b"holdfast\n") is None, "of before there were owners"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("server_id", '"short"'),
        ("server_id", "7"),
        ("generation", "0"),
        ("generation", "9223372036854775808"),
        ("generation", "1.5"),
        ("job_kind", '"LUNCH"'),
        ("job_id", "-1"),
        ("job_id", "true"),
        ("token", '"' + "b" * 10_000 + '"'),
        ("time_us", "null"),
    ],
)
def test_owner_with_a_wrong_field_is_no_owner(field: str, wrong: str) -> None:
    right = owner_fields(owner())["owner"]
    assert isinstance(right, dict)
    with pytest.raises(CorruptionError):
        decode_placeholder(encode_document(PLACEHOLDER_KIND, {"owner": {**right, field: json.loads(wrong)}}))


@pytest.mark.parametrize("octets", [b"", b"holdfast", encode_placeholder(owner())[:-5]])
def test_placeholder_that_is_not_whole_is_refused(octets: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_placeholder(octets)


def test_claim_and_writer_without_an_owner_are_refused() -> None:
    for text, decode in (
        (encode_set_claim(CLAIM), decode_set_claim),
        (encode_writer_record(WRITER), decode_writer_record),
    ):
        kind = re.search(rb'"kind": "([^"]*)"', text)
        assert kind is not None
        with pytest.raises(CorruptionError, match="names no owner"):
            decode(encode_document(kind[1].decode(), {"cluster_id": 1}))
