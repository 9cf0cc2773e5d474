"""Manifest, piece, round and owner records: readable, exact, and refused when they are not what was written."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_format.samples import CLUSTER_PARAMETERS, FORMAT_FILE, MANIFEST, PIECE, ROUND, octets
from holdfast.backup_format.cluster_parameters import decode_cluster_parameters, encode_cluster_parameters
from holdfast.backup_format.document import decode_document, encode_document
from holdfast.backup_format.manifest import (
    Encryption,
    EncryptionMode,
    ObjectDigest,
    ObjectRecord,
    check_object,
    decode_manifest,
    encode_manifest,
)
from holdfast.backup_format.piece_record import (
    decode_format_file,
    decode_piece_record,
    decode_piece_records,
    decode_round_record,
    encode_format_file,
    encode_piece_record,
    encode_piece_records,
    encode_round_record,
)
from holdfast.errors import CorruptionError, UnknownVersionError
from holdfast.values.archive import PieceStatus
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

Decode = Callable[..., Any]
KINDS: dict[str, tuple[bytes, Any, Decode]] = {
    "manifest": (encode_manifest(MANIFEST), MANIFEST, decode_manifest),
    "piece": (encode_piece_record(PIECE), PIECE, decode_piece_record),
    "pieces": (encode_piece_records([PIECE, PIECE]), (PIECE, PIECE), decode_piece_records),
    "round": (encode_round_record(ROUND), ROUND, decode_round_record),
    "owner": (encode_format_file(FORMAT_FILE), FORMAT_FILE, decode_format_file),
    "parameters": (encode_cluster_parameters(CLUSTER_PARAMETERS), CLUSTER_PARAMETERS, decode_cluster_parameters),
}
every_kind = pytest.mark.parametrize(("text", "value", "decode"), KINDS.values(), ids=KINDS)


def resealed(text: bytes) -> bytes:
    """Return a changed document with its digest made right again."""
    blank = re.sub(rb'"blake3:[0-9a-f]{64}"', b'"blake3:' + b"0" * 64 + b'"', text)
    return blank.replace(b"0" * 64, blake3(blank).hexdigest().encode())


@every_kind
def test_record_decodes_to_what_was_encoded(text: bytes, value: Any, decode: Decode) -> None:
    assert decode(text) == value
    assert decode(memoryview(text)) == value


@every_kind
def test_record_is_json_that_a_person_can_check(text: bytes, value: Any, decode: Decode) -> None:
    """The digest is BLAKE3 of the text with the digest's own digits zero: sed and b3sum are enough."""
    fields = json.loads(text)
    assert list(fields) == sorted(fields)
    blank = text.replace(fields["digest"].encode(), b"blake3:" + b"0" * 64)
    assert fields["digest"] == "blake3:" + blake3(blank).hexdigest()
    assert text.endswith(b"}\n")


@every_kind
def test_changed_byte_anywhere_in_a_record_is_refused_by_name(text: bytes, value: Any, decode: Decode) -> None:
    for position in range(len(text)):
        for change in (1 << position % 8, 0x2A, 0xFF):
            broken = bytearray(text)
            broken[position] ^= change
            with pytest.raises((CorruptionError, UnknownVersionError), match="an object of the store"):
                decode(broken, name="an object of the store")


@every_kind
def test_record_cut_short_or_with_bytes_left_over_is_refused(text: bytes, value: Any, decode: Decode) -> None:
    for size in range(0, len(text), 7):
        with pytest.raises(CorruptionError):
            decode(text[:size])
    for behind in (b" ", b"\n", b"{}", b"\0"):
        with pytest.raises(CorruptionError):
            decode(text + behind)


@every_kind
def test_record_of_an_unknown_version_is_named(text: bytes, value: Any, decode: Decode) -> None:
    newer = resealed(text.replace(b'"format_version": 1', b'"format_version": 4'))
    with pytest.raises(UnknownVersionError, match="format version 4, this build reads "):
        decode(newer)


@every_kind
def test_record_of_another_kind_is_refused(text: bytes, value: Any, decode: Decode) -> None:
    for other, _, _ in KINDS.values():
        if other != text:
            with pytest.raises(CorruptionError, match="is not a holdfast"):
                decode(other)


@every_kind
def test_record_without_one_of_its_fields_is_refused(text: bytes, value: Any, decode: Decode) -> None:
    fields = json.loads(text)
    for missing in fields.keys() - {"kind", "format_version", "digest"}:
        rest = {key: item for key, item in fields.items() if key != missing}
        for wrong in (rest, {**rest, missing: {"not": ["it"]}}):
            with pytest.raises(CorruptionError, match=missing):
                decode(encode_document(fields["kind"], wrong))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=10).map(lambda key: "x" + key),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
            max_leaves=8,
        ),
    )
)
def test_document_of_any_fields_decodes(fields: dict[str, Any]) -> None:
    decode_document(encode_document("holdfast test", fields), kind="holdfast test", name="test")


def test_text_that_looks_like_the_digest_line_does_not_confuse() -> None:
    trap = replace(MANIFEST, description='\n"digest": "blake3:' + "0" * 64 + '"')
    assert decode_manifest(encode_manifest(trap)) == trap


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_never_a_record(noise: bytes) -> None:
    for _, _, decode in KINDS.values():
        with pytest.raises(CorruptionError):
            decode(noise)


def objects_without(name: str) -> tuple[ObjectRecord, ...]:
    return tuple(item for item in MANIFEST.objects if item.name != name)


MANIFEST_LAWS = {
    "chain must rise and end": {"chain": (1,)},
    "the chain must rise": {"chain": (2, 1, 2)},
    "a full set refers to no other": {"type": BackupType.FULL},
    "an increment names its full set": {"prev_full_backup_set_id": 0},
    "START_REPLAY_SCN is at most": {"start_replay_scn": Scn(MANIFEST.min_restore_scn + 1)},
    "base LSN is at most": {"base_lsn": Lsn(MANIFEST.end_lsn + 1)},
    "the blocks fit": {"block_count": 17},
    "each object is named once": {"objects": MANIFEST.objects + MANIFEST.objects[:1]},
    "there is one index": {"objects": objects_without("index")},
    "an encrypted set has a wrapped key": {"encryption": Encryption(mode=EncryptionMode.PASSWORD)},
}


@pytest.mark.parametrize(("law", "change"), MANIFEST_LAWS.items(), ids=MANIFEST_LAWS)
def test_manifest_that_breaks_a_law_is_neither_written_nor_read(law: str, change: dict[str, Any]) -> None:
    with pytest.raises(CorruptionError, match=law):
        encode_manifest(replace(MANIFEST, **change))


PIECE_LAWS = {
    "START_SCN is below END_SCN": {"end_scn": PIECE.start_scn},
    "does not end before it begins": {"end": PIECE.begin, "begin": PIECE.end},
    "begin and end with the piece": {"end": replace(PIECE.end, lsn=Lsn(PIECE.end.lsn + 1))},
    "a piece with log has blocks": {"blocks": ()},
    "each block follows": {
        "blocks": (PIECE.blocks[0], replace(PIECE.blocks[1], block_id=3)),
    },
    "each block holds log": {
        "blocks": (
            replace(PIECE.blocks[0], end_lsn=PIECE.blocks[1].end_lsn),
            replace(PIECE.blocks[1], first_lsn=PIECE.blocks[1].end_lsn),
        )
    },
}


@pytest.mark.parametrize(("law", "change"), PIECE_LAWS.items(), ids=PIECE_LAWS)
def test_piece_record_that_breaks_a_law_is_neither_written_nor_read(law: str, change: dict[str, Any]) -> None:
    with pytest.raises(CorruptionError, match=law):
        encode_piece_record(replace(PIECE, **change))


def test_piece_with_a_gap_between_blocks_is_refused() -> None:
    later = replace(PIECE.blocks[1], first_lsn=Lsn(PIECE.blocks[1].first_lsn + 8))
    with pytest.raises(CorruptionError, match="each block follows"):
        encode_piece_record(replace(PIECE, blocks=(PIECE.blocks[0], later)))


def test_empty_piece_is_a_piece() -> None:
    empty = replace(PIECE, end=PIECE.begin, blocks=(), status=PieceStatus.FROZEN, max_scn=Scn(0))
    assert decode_piece_record(encode_piece_record(empty)) == empty
    assert decode_piece_records(encode_piece_records([])) == ()


def test_owners_are_equal_whatever_their_names_and_times() -> None:
    """spec/layout.md 4: path, cluster id, tenant id, incarnation, DEST_ID and type count."""
    assert not FORMAT_FILE.difference(replace(FORMAT_FILE, cluster_name="renamed", tenant_name="renamed", created_us=1))
    for field, other, words in (
        ("path", "file:///elsewhere", "path file:///backup/data, not file:///elsewhere"),
        ("cluster_id", 2, "cluster id 1, not 2"),
        ("tenant_id", 1004, "tenant id 1002, not 1004"),
        ("incarnation", 2, "incarnation 1, not 2"),
        ("dest_id", 1002, "destination id 1001, not 1002"),
        ("kind", DestinationKind.ARCHIVE_LOG, "kind backup_data, not archive_log"),
    ):
        assert FORMAT_FILE.difference(replace(FORMAT_FILE, **{field: other})) == words


def test_object_that_changed_after_the_backup_is_refused() -> None:
    digest = ObjectDigest()
    digest.update(b"abc")
    digest.update(memoryview(b"def"))
    record = replace(MANIFEST.objects[0], size_bytes=6, digest=digest.text())
    again = ObjectDigest()
    again.update(b"abcdef")
    check_object(record, size_bytes=6, digest=again.text())
    for size_bytes, text in ((5, digest.text()), (6, octets(32).hex())):
        with pytest.raises(CorruptionError, match="data/000001 is not what its manifest says"):
            check_object(record, size_bytes=size_bytes, digest=text)


def test_secrets_of_a_set_are_not_printed() -> None:
    for secret in (MANIFEST.encryption.password_hash, repr(MANIFEST.encryption.wrapped_key)):
        assert secret not in repr(MANIFEST)
