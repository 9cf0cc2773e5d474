"""Writes `tests/golden/backup/v1/`, one object of each of our formats, of the values in tests/backup_format/samples.py; and
`v1_owned/`, the records as they are since they say who made them; and `v2/`, what is sealed with a master key; and `v3/`,
what needs a certificate.

A folder is written once, and never again: the samples stand for the objects that lie in people's destinations.
"""

import sys
from dataclasses import replace
from pathlib import Path

_TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS.parent / "src")]

from backup_format.samples import (  # noqa: E402
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
    WRITER,
    frame,
    octets,
)
from holdfast.backup_format.chunk import ChunkPlace, ChunkSealer, seal_file  # noqa: E402
from holdfast.backup_format.cluster_parameters import encode_cluster_parameters  # noqa: E402
from holdfast.backup_format.digest import DataKey, head_hash  # noqa: E402
from holdfast.backup_format.index import BlockTable, encode_index, record_of  # noqa: E402
from holdfast.backup_format.key_record import Protection, encode_key_record  # noqa: E402
from holdfast.backup_format.log_frame import LOG_INFO_BYTES, FrameSealer  # noqa: E402
from holdfast.backup_format.manifest import authenticated, encode_manifest  # noqa: E402
from holdfast.backup_format.names import piece_root  # noqa: E402
from holdfast.backup_format.owner_record import encode_placeholder, encode_set_claim  # noqa: E402
from holdfast.backup_format.piece_record import (  # noqa: E402
    PieceBlock,
    encode_format_file,
    encode_piece_record,
    encode_piece_records,
    encode_round_record,
)
from holdfast.backup_format.writer_record import encode_writer_record  # noqa: E402
from holdfast.keys.masters import new_piece_key, new_set_key  # noqa: E402
from holdfast.keys.password import SetPlace  # noqa: E402
from holdfast.keys.vault import Vault  # noqa: E402
from holdfast.values.lsn import Lsn  # noqa: E402
from holdfast.values.owner import JobKind  # noqa: E402

PAYLOADS = (TEXT, octets(3000) + bytes(9000), b"")
INFO = octets(56, 9) + bytes(LOG_INFO_BYTES - 56)
LOGS = (TEXT[:5000], octets(300, 10), bytes(2000))
FIRST_LSN = 70_000_000
KEY_SOURCE = b"what a key source gives"


def data_object(key: DataKey | None, table: BlockTable) -> bytes:
    """Return data object 1 of set 2: blocks 2, 3, 4 with the payloads above."""
    sealer, stored = ChunkSealer(key=key), b""
    for block_id, payload in enumerate(PAYLOADS, start=2):
        place = ChunkPlace(set_id=2, object_number=1, offset=len(stored), block_id=block_id)
        chunk = sealer.seal(place, payload, head_hash=head_hash(payload, key), block_type=block_id - 1)
        stored += chunk.header_bytes + bytes(chunk.body)
        table.put(record_of(chunk.header))
    return stored


def log_object(key: DataKey | None) -> bytes:
    """Return the frames of log block 1: the logs above, one frame each, from FIRST_LSN."""
    sealer, stored, lsn = FrameSealer(key=key), b"", FIRST_LSN
    for ordinal, log in enumerate(LOGS):
        said = frame(lsn, len(log), log_id=ordinal + 1, has_info_block=not ordinal)
        sealed = sealer.seal(said, *([log] if ordinal else [INFO, log]))
        stored += sealed.header_bytes + bytes(sealed.body)
        lsn += len(log)
    return stored


def sealed_by_master() -> dict[str, bytes]:
    """Return a key object of two master keys, a set's manifest, and a piece: its first frame in the clear, the others sealed."""
    vault = Vault()
    for time_us in (1, 2):
        vault = vault.protected_by("file:/nowhere", Protection.FILE, KEY_SOURCE, time_us)
    place = SetPlace(cluster_id=1, tenant_id=1002, backup_set_id=2)
    master, root = vault.masters[-1], piece_root(PIECE.dest_id, PIECE.round_id, PIECE.piece_id)
    sealed_lsn = Lsn(FIRST_LSN + len(LOGS[0]))
    entry, key = new_piece_key(
        master, cluster_id=1, tenant_id=1002, root=root, timeline=PIECE.timeline, from_lsn=sealed_lsn
    )
    stored, lsn = b"", FIRST_LSN
    for ordinal, log in enumerate(LOGS):
        said = frame(lsn, len(log), log_id=ordinal + 1, has_info_block=not ordinal)
        sealed = FrameSealer(key=key if ordinal else None).seal(said, *([log] if ordinal else [INFO, log]))
        stored += sealed.header_bytes + bytes(sealed.body)
        lsn += len(log)
    block = PieceBlock(block_id=1, size_bytes=len(stored), first_lsn=Lsn(FIRST_LSN), end_lsn=Lsn(lsn))
    piece = replace(
        PIECE,
        begin=replace(PIECE.begin, lsn=Lsn(FIRST_LSN)),
        end=replace(PIECE.end, lsn=Lsn(lsn)),
        blocks=(block,),
        keys=(entry,),
        owner=OWNER,
    )
    set_key = new_set_key(master, place)
    manifest = replace(MANIFEST, encryption=set_key.encryption, owner=OWNER)
    return {
        "keys.obbak": encode_key_record(vault.record(1, 1002, replace(OWNER, job_kind=JobKind.NONE, job_id=0))),
        "manifest.json": encode_manifest(authenticated(manifest, DataKey(set_key.secret))),
        "single_piece_info.obarc": encode_piece_record(piece),
        "log.obarc": stored,
    }


def main() -> None:
    key = DataKey(SECRET)
    table = BlockTable(16)
    samples = {
        "data": data_object(None, table),
        "data_encrypted": data_object(key, BlockTable(16)),
        "file": b"".join(seal_file(2, 3, TEXT, sealer=ChunkSealer())),
        "index": b"".join(encode_index(table, set_id=2, block_size_bytes=BLOCK_BYTES)),
        "log.obarc": log_object(None),
        "log_encrypted.obarc": log_object(key),
        "manifest.json": encode_manifest(MANIFEST),
        "single_piece_info.obarc": encode_piece_record(PIECE),
        "tenant_archive_piece_infos.obarc": encode_piece_records([PIECE]),
        "round.obarc": encode_round_record(ROUND),
        "format.obbak": encode_format_file(FORMAT_FILE),
        "cluster_parameters.obbak": encode_cluster_parameters(CLUSTER_PARAMETERS),
    }
    owned = {
        "manifest.json": encode_manifest(replace(MANIFEST, owner=OWNER)),
        "single_piece_info.obarc": encode_piece_record(replace(PIECE, owner=OWNER)),
        "round.obarc": encode_round_record(replace(ROUND, owner=OWNER)),
        "format.obbak": encode_format_file(replace(FORMAT_FILE, owner=OWNER)),
        "cluster_parameters.obbak": encode_cluster_parameters(replace(CLUSTER_PARAMETERS, owner=OWNER)),
        "owner.json": encode_set_claim(CLAIM),
        "writer.obbak": encode_writer_record(WRITER),
        "placeholder.obbak": encode_placeholder(OWNER),
    }
    certified = {
        "manifest.json": encode_manifest(replace(MANIFEST, owner=OWNER, needs_certificate=True)),
        "single_piece_info.obarc": encode_piece_record(replace(PIECE, owner=OWNER, needs_certificate=True)),
    }
    of_versions = {"v1": samples, "v1_owned": owned, "v2": sealed_by_master(), "v3": certified}
    for version, objects in of_versions.items():
        folder = Path(__file__).parent / "backup" / version
        if folder.exists():
            continue  # it stands for what lies in people's destinations
        folder.mkdir(parents=True)
        for name, content in objects.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
