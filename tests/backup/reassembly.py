"""A set put together again without the restore room: what a careful reader could do with docs/format.md alone."""

import os

from stand_ins import HeldLog

from holdfast.backup.run import ACCOUNT_FILE
from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, decode_chunk_header, open_file
from holdfast.backup_format.index import decode_index
from holdfast.backup_format.manifest import Manifest, ObjectKind, decode_manifest
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.image import prepare_restored_directory, write_restored_file
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, LOG_INFO_BYTES, block_id_of, file_offset_of, first_lsn_of
from holdfast.engine_format.log_walk import Position, WalkStop, walk
from holdfast.store.store import Store


def manifest_of(store: Store, root: str) -> Manifest:
    return decode_manifest(store.get(names.manifest_name(root)))


def reassemble(
    store: Store, root: str, directory: EngineDirectory, log: HeldLog, *, until_lsn: int | None = None
) -> Manifest:
    """Write the image of the set and all of the held log (or that below `until_lsn`) into an empty directory.

    Every chunk is opened, so every digest is checked. Sets of a chain are found by their ids.
    """
    manifest = manifest_of(store, root)
    prepare_restored_directory(directory)
    _write_blocks(store, root, manifest, directory)
    opener = ChunkOpener()
    for item in manifest.objects:
        if item.kind is ObjectKind.FILE:
            name = item.name.removeprefix("meta/")
            content = open_file(
                store.get(f"{root}/{item.name}"),
                set_id=manifest.backup_set_id,
                file_number=item.number,
                opener=opener,
                name=name,
            )
            assert len(content) == item.content_size_bytes
            if name != ACCOUNT_FILE:
                write_restored_file(directory, name, content)
    _write_log(manifest, directory, log, until_lsn)
    return manifest


def _write_blocks(store: Store, root: str, manifest: Manifest, directory: EngineDirectory) -> None:
    index = decode_index([store.get(names.index_name(root))])
    assert len(index.table) == manifest.block_count
    roots = {
        ref.set_id: names.set_root(ref.set_id, ref.type)
        for ref in (names.parse_set_root(item.name.split("/")[0]) for item in store.list("backup_set_"))
        if ref is not None
    }
    opener = ChunkOpener()
    with directory.block_file.open("wb") as file:
        os.ftruncate(file.fileno(), manifest.block_file_size_bytes)
        for record in index.table:
            name = names.data_name(roots[record.set_id], record.object_number)
            stored = store.get(name, record.offset, CHUNK_HEADER_BYTES + record.stored_size_bytes)
            header = decode_chunk_header(stored)
            assert header is not None
            block = opener.open(header, stored[CHUNK_HEADER_BYTES:], place=record.place)
            os.pwrite(file.fileno(), block, record.block_id * index.block_size_bytes)


def _write_log(manifest: Manifest, directory: EngineDirectory, log: HeldLog, until_lsn: int | None) -> None:
    """Copy blocks from the base block on; cut behind the last whole group, zeros behind it."""
    position = Position(lsn=first_lsn_of(block_id_of(manifest.base_lsn)))
    for block_id in [one for one in log.block_ids() if one >= block_id_of(manifest.base_lsn)]:
        data = log.path(block_id).read_bytes()
        end = (
            LOG_BLOCK_BYTES
            if until_lsn is None
            else min(LOG_BLOCK_BYTES, until_lsn - first_lsn_of(block_id) + LOG_INFO_BYTES)
        )
        if end <= LOG_INFO_BYTES:
            return
        found = walk(memoryview(data)[LOG_INFO_BYTES:end], position)
        position = found.end
        whole_bytes = LOG_BLOCK_BYTES if found.stop is WalkStop.BLOCK_END else file_offset_of(position.lsn)
        with (directory.log_dir / str(block_id)).open("wb") as file:
            file.write(data[:whole_bytes])
            os.ftruncate(file.fileno(), LOG_BLOCK_BYTES)
        if found.stop is not WalkStop.BLOCK_END:
            return
