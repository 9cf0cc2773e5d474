"""Makes a lazily filled block file out of a set, and a plain one out of a complete one."""

import os
import shutil
from collections.abc import Mapping

from holdfast import disk
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.recognition import GONE_HINT
from holdfast.errors import CorruptionError
from holdfast.keys.password import SetKey
from holdfast.restore.block_server import read_table
from holdfast.restore.lazy_file import create_lazy_files, is_marked, marked_bytes, read_marks
from holdfast.restore.lazy_place import BlockOrder, Holder, HydrationPace, LazyPlace
from holdfast.restore.plan import RestorePlan
from holdfast.store.store import Store


def lay_out_lazily(
    place: LazyPlace,
    directory: EngineDirectory,
    plan: RestorePlan,
    stores: tuple[Store, ...],
    index: bytes,
    secrets: Mapping[int, SetKey],
) -> None:
    """Make the folder of a block file in which nothing has arrived, and the empty file it will be mounted over.

    `index`: the bytes of the set's index, checked; `secrets`: of the chain's encrypted sets. Durable when this returns.
    """
    place.folder.mkdir(mode=0o700)
    disk.sync_folder(place.folder.parent)
    size_bytes = plan.set.manifest.block_file_size_bytes
    holders = tuple(
        Holder(set_id=fact.manifest.backup_set_id, source=stores[fact.source].location, root=fact.root)
        for fact in plan.chain
    )
    _write(place.index, index)
    keyring = place.keyring()
    for set_id, key in secrets.items():
        keyring.put(set_id, key)
    place.put_pace(HydrationPace(threads=0, rate=0))
    place.put_order(BlockOrder(size_bytes=size_bytes, holders=holders))
    create_lazy_files(place.overlay, place.marks, size_bytes=size_bytes, block_count=read_table(place).block_count)
    _write(directory.block_file, b"")
    for folder in (place.folder, directory.block_file.parent):
        disk.sync_folder(folder)


def is_complete(place: LazyPlace) -> bool:
    """Return whether every block is marked. Raises CorruptionError."""
    if not place.overlay.exists():
        return True  # killed between the rename of `put_plain` and its end
    bits = read_marks(place.marks)
    return all(is_marked(bits, record.block_id) for record in read_table(place))


def figures(place: LazyPlace) -> tuple[int, int]:
    """Return the bytes of all blocks and of those that have arrived for good."""
    table = read_table(place)
    return sum(record.payload_size_bytes for record in table), marked_bytes(read_marks(place.marks), table)


def put_plain(place: LazyPlace, directory: EngineDirectory) -> None:
    """Put the complete overlay in the place of the engine's block file and remove the folder. Repeatable.

    Nothing may be mounted over the block file, and no engine may run. Killed after the rename: an overlay is missing, so the
    next call removes the folder.
    """
    if place.overlay.exists():
        descriptor = os.open(place.overlay, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        disk.move(place.overlay, directory.block_file)
    elif not directory.block_file.exists() or not directory.block_file.stat().st_size:
        raise CorruptionError(f"{place.overlay} is gone, and with it the blocks that had arrived", hint=GONE_HINT)
    shutil.rmtree(place.folder)


def _write(path: os.PathLike[str], data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
