"""One data object from front to back: each chunk's header, content and place in the index, and the block's own checksum."""

from dataclasses import dataclass

from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkHeader, ChunkOpener, ChunkPlace, decode_chunk_header
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, record_of
from holdfast.backup_format.manifest import ObjectDigest, ObjectRecord
from holdfast.engine_format.macro_block import BlockKinds, decode_block_head, is_block_whole
from holdfast.errors import CorruptionError, NotFoundError, UnknownVersionError
from holdfast.store.store import Store
from holdfast.values.buffers import Buffer
from holdfast.verify.crew import Crew
from holdfast.verify.plan import Damage
from holdfast.verify.reading import Journal, Window

_DAMAGES_MAX = 20
"""Of one object; one that has more is rubbish, and a person reads the first few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTarget:
    """One data object of a set. `name`: below the destination; `named_count`: how many of its chunks the set's index names.

    `can_open` False: encrypted, and the key is not known; only headers are looked at.
    """

    name: str
    record: ObjectRecord
    set_id: int
    table: BlockTable
    named_count: int
    kinds: BlockKinds
    key: DataKey | None
    can_open: bool


def validate_data(target: DataTarget, store: Store, *, journal: Journal, crew: Crew) -> tuple[int, ...]:
    """Tell the journal all that is wrong with an object; return blocks that are as backed up, against the engine's own checksum."""
    try:
        with store.reader(target.name) as reader:
            size_bytes = target.record.size_bytes
            if target.can_open:
                window = Window(reader, crew.spend, end=size_bytes)
            else:
                window = Window(reader, crew.spend, end=size_bytes, window_bytes=CHUNK_HEADER_BYTES)
            walk = _Walk(target, window, journal)
            if walk.run():
                journal.proven(target.name, target.record.size_bytes, target.record.digest)
            return tuple(walk.unmatched)
    except NotFoundError as error:
        journal.found(Damage(name=target.name, what=error.message))
        return ()


class _Walk:
    def __init__(self, target: DataTarget, window: Window, journal: Journal) -> None:
        self._target = target
        self._window = window
        self._journal = journal
        self._opener = ChunkOpener(key=target.key)
        self._named = 0
        self._damages = 0
        self.unmatched: list[int] = []

    def run(self) -> bool:
        """Return whether all of the object was looked at and is right."""
        target, digest, offset = self._target, ObjectDigest(), 0
        while offset < target.record.size_bytes and self._damages < _DAMAGES_MAX:
            try:
                head = bytes(self._window.read(offset, CHUNK_HEADER_BYTES))
                header = decode_chunk_header(head, name=f"{target.name} at offset {offset}")
                if header is None or header.end_offset - header.place.offset + offset > target.record.size_bytes:
                    raise CorruptionError(f"{target.name} ends inside the chunk at offset {offset}")
            except CorruptionError as error:
                # Where the next chunk begins is not known any more.
                self._tell(error.message, offset)
                return False
            digest.update(head)
            self._look_at(header, offset)
            size_bytes = CHUNK_HEADER_BYTES + header.stored_size_bytes
            self._journal.read(size_bytes if target.can_open else CHUNK_HEADER_BYTES)
            offset += size_bytes
        if not self._damages and digest.text() != target.record.digest:
            self._tell("its chunk headers are not the ones its manifest vouches for", None)
        if not self._damages and self._named != target.named_count:
            self._tell(f"it holds {self._named} of the {target.named_count} chunks the index names in it", None)
        return target.can_open and not self._damages

    def _look_at(self, header: ChunkHeader, offset: int) -> None:
        target, block_id = self._target, header.place.block_id
        place = ChunkPlace(set_id=target.set_id, object_number=target.record.number, offset=offset, block_id=block_id)
        try:
            if header.place != place:
                raise CorruptionError(f"it holds {header.place.text()}, expected {place.text()}")
            indexed = target.table.get(block_id)
            is_named = indexed is not None and indexed.place == place
            if is_named and indexed != record_of(header):
                raise CorruptionError(f"its header is not what the index says of block {block_id}")
            self._named += is_named
            if not target.can_open:
                return
            stored = self._window.read(offset + CHUNK_HEADER_BYTES, header.stored_size_bytes)
            block = self._opener.open(header, stored, place=place, name=target.name)
            if is_named and not self._matches(block_id, block):
                self.unmatched.append(block_id)
        except CorruptionError as error:
            self._tell(error.message, offset, block_id)

    def _matches(self, block_id: int, block: Buffer) -> bool:
        """Return whether the engine's own checksum of the block holds, or there is none."""
        try:
            return is_block_whole(decode_block_head(block_id, block, self._target.kinds), block)
        except (CorruptionError, UnknownVersionError):
            return False

    def _tell(self, what: str, offset: int | None, block_id: int | None = None) -> None:
        self._damages += 1
        indexed = None if block_id is None else self._target.table.get(block_id)
        head = indexed.head_hash if indexed is not None and indexed.set_id == self._target.set_id else b""
        self._journal.found(Damage(name=self._target.name, what=what, offset=offset, block_id=block_id, head_hash=head))
