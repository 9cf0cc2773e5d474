"""What an earlier attempt at the same set left in the destination: sealed blocks, found by walking their objects."""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.backup.copier import data_record
from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkHeader, ChunkOpener, walk_chunks
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, record_of
from holdfast.backup_format.manifest import ObjectDigest, ObjectRecord
from holdfast.errors import CorruptionError
from holdfast.store.store import ObjectReader, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Data objects that are whole. Their blocks are in the table that was seeded."""

    objects: tuple[ObjectRecord, ...]
    damaged_count: int


def seed_table(
    store: Store, root: str, set_id: int, table: BlockTable, *, key: DataKey | None, check: Callable[[], None]
) -> Leftover:
    """Put every block sealed by an earlier attempt into `table`, each read back and verified.

    A seed is only a guess at what the engine holds now: the next pass compares every head, and every shared block's
    content, as it does with its own copies. An object that does not verify is removed. Of two copies of a block any
    will do, for the same reason.
    """
    objects: list[ObjectRecord] = []
    damaged_count = 0
    opener = ChunkOpener(key=key)
    for item in list(store.list(names.data_folder(root) + "/")):
        check()
        number = names.parse_data_name(item.name)
        if number is None:
            continue
        digest = ObjectDigest()
        try:
            with store.reader(item.name) as reader:
                headers = _verified(reader, item.name, set_id, number, opener, digest, check)
        except CorruptionError:
            # Nothing refers to it yet: the set has no manifest.
            store.delete(item.name)
            damaged_count += 1
            continue
        for header in headers:
            if header.place.block_id >= table.block_count:
                table.grow(header.place.block_id + 1)
            table.put(record_of(header))
        objects.append(data_record(root, number, item.size_bytes, digest))
    return Leftover(objects=tuple(objects), damaged_count=damaged_count)


def _verified(
    reader: ObjectReader,
    name: str,
    set_id: int,
    number: int,
    opener: ChunkOpener,
    digest: ObjectDigest,
    check: Callable[[], None],
) -> list[ChunkHeader]:
    headers: list[ChunkHeader] = []
    for header in walk_chunks(reader.read, reader.size_bytes, set_id=set_id, object_number=number, name=name):
        check()  # per block: an object of 128 MiB takes a second on a slow destination
        digest.update(reader.read(header.place.offset, CHUNK_HEADER_BYTES))
        stored = reader.read(header.place.offset + CHUNK_HEADER_BYTES, header.stored_size_bytes)
        opener.open(header, stored, place=header.place, name=name)
        headers.append(header)
    return headers
