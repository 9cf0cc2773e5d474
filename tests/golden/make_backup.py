"""Writes `tests/golden/backup/v1/`: one object of each of our formats, of the values in tests/backup_format/samples.py.

Run once for each format version, and never again for a version that was released: the samples stand for the objects
that lie in people's destinations.
"""

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS.parent / "src")]

from backup_format.samples import (  # noqa: E402
    BLOCK_BYTES,
    CLUSTER_PARAMETERS,
    FORMAT_FILE,
    MANIFEST,
    PIECE,
    ROUND,
    SECRET,
    TEXT,
    frame,
    octets,
)
from holdfast.backup_format.chunk import ChunkPlace, ChunkSealer, seal_file  # noqa: E402
from holdfast.backup_format.cluster_parameters import encode_cluster_parameters  # noqa: E402
from holdfast.backup_format.digest import DataKey, head_hash  # noqa: E402
from holdfast.backup_format.index import BlockTable, encode_index, record_of  # noqa: E402
from holdfast.backup_format.log_frame import LOG_INFO_BYTES, FrameSealer  # noqa: E402
from holdfast.backup_format.manifest import encode_manifest  # noqa: E402
from holdfast.backup_format.piece_record import (  # noqa: E402
    encode_format_file,
    encode_piece_record,
    encode_piece_records,
    encode_round_record,
)

PAYLOADS = (TEXT, octets(3000) + bytes(9000), b"")
INFO = octets(56, 9) + bytes(LOG_INFO_BYTES - 56)
LOGS = (TEXT[:5000], octets(300, 10), bytes(2000))
FIRST_LSN = 70_000_000


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
    folder = Path(__file__).parent / "backup" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in samples.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
