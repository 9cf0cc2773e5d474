"""Block by block: looking for what changed, reading it, sealing it, writing it, on a few threads at once.

A pass looks first and copies then. Looking is one loop over the first 512 bytes of every block: 1.2 us a block when
they are cached, which they are from the second pass on because reading a block leaves its first page in the cache.
Copying is done by lanes: each has a thread, a buffer of one block, a compressor and a data object of its own, so lanes
share nothing but the table and the queue of blocks, and memory is bounded by their number.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

from blake3 import blake3
from holdfast.backup.journal import Figures, Image
from holdfast.backup.plan import BlockAction, BlockVerdict, is_broken_for_good, verdict_on
from holdfast.backup_format.chunk import ChunkPlace, ChunkSealer
from holdfast.backup_format.digest import HEAD_HASHED_BYTES, DataKey, content_digest, head_hash
from holdfast.backup_format.index import BlockTable, record_of
from holdfast.clock import Clock
from holdfast.engine_format.macro_block import (
    MACRO_BLOCK_BYTES,
    BlockHead,
    BlockKind,
    decode_block_head,
    is_block_whole,
)
from holdfast.errors import CanceledError, CorruptionError
from holdfast.store.store import ObjectWriter, Store
from holdfast.values.buffers import Buffer

FIRST_BLOCK = 2
"""Blocks 0 and 1 are the super blocks, which a pass reads by itself."""

DATA_OBJECT_BYTES = 128 << 20
"""A data object is committed at this size: large enough that a store sees few objects, small enough that a crashed
backup loses little and that lanes end a backup at about the same time."""

_QUEUE_RUN = 16
"""Blocks a lane takes from the queue at once: 32 MiB in a row keep a disk reading in order."""

_AHEAD_BLOCKS = 4
"""Blocks the disk is asked to read ahead of a lane: 8 MiB, some 10 ms of its work."""

_LOOK_SLICE = 16384
"""Blocks looked at between two questions whether to go on: some 20 ms."""

_READS_PER_SIGHTING = 3
"""A block caught half written is whole a few milliseconds later; more reads in a row never helped."""

_TELL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DataObject:
    """One data object that is durable."""

    number: int
    size_bytes: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What one pass of the copier did."""

    changed_count: int
    broken_count: int


class Counters:
    """The figures of a backup while its threads add to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._input_bytes = 0
        self._output_bytes = 0
        self._meta_bytes = 0
        self._objects = 0

    def add(self, *, input_bytes: int = 0, output_bytes: int = 0, meta_bytes: int = 0, objects: int = 0) -> None:
        with self._lock:
            self._input_bytes += input_bytes
            self._output_bytes += output_bytes + meta_bytes
            self._meta_bytes += meta_bytes
            self._objects += objects

    def figures(self, *, block_count: int, block_done_count: int) -> Figures:
        with self._lock:
            return Figures(
                block_count=block_count,
                block_done_count=block_done_count,
                input_bytes=self._input_bytes,
                output_bytes=self._output_bytes,
                meta_bytes=self._meta_bytes,
                object_count=self._objects,
            )


@dataclass(slots=True)
class _Sighting:
    digest: bytes
    count: int
    first_seen: float


class Brokenness:
    """What is known of write-once blocks whose payload does not match its checksum."""

    def __init__(self, clock: Clock, blocks_in_use: Callable[[], frozenset[int] | None]) -> None:
        self._clock = clock
        self._blocks_in_use = blocks_in_use
        self._lock = threading.Lock()
        self._sightings: dict[int, _Sighting] = {}
        self.verbatim: set[int] = set()

    def is_to_be_copied(self, block_id: int, digest: bytes) -> bool:
        """Return whether the block is wrong for good and free: then it is copied as it is, and reported.

        Raises CorruptionError when it is wrong for good and the engine uses it, or can not say.
        """
        with self._lock:
            now = self._clock.monotonic()
            seen = self._sightings.get(block_id)
            if seen is None or seen.digest != digest:
                self._sightings[block_id] = _Sighting(digest, 1, now)
                return False
            seen.count += 1
            if not is_broken_for_good(seen.count, now - seen.first_seen):
                return False
            used = self._blocks_in_use()
            if used is None or block_id in used:
                raise CorruptionError(
                    f"macro block {block_id} of the engine does not match its checksum, seen {seen.count} times",
                    hint="the tenant's data file is damaged: restore it from an earlier backup set",
                )
            self.verbatim.add(block_id)
            return True


class Lane:
    """One thread's share of the copying. Not safe to share."""

    def __init__(self, copier: "Copier") -> None:
        self._copier = copier
        self._sealer = ChunkSealer(key=copier.key)
        self._buffer = memoryview(bytearray(MACRO_BLOCK_BYTES))
        self._writer: ObjectWriter | None = None
        self._hasher = blake3()
        self._number = 0

    def visit(self, block_id: int) -> BlockVerdict:
        """Bring the copy of one block up to date and return what was met."""
        copier = self._copier
        known = copier.table.head_hash(block_id)
        if known is None:
            head = copier.image.read_head(block_id)
            copier.counters.add(input_bytes=len(head))
            if decode_block_head(block_id, head).kind is BlockKind.FREE:
                return verdict_on(BlockKind.FREE, b"", None)
        copier.image.read_block(block_id, self._buffer)
        copier.counters.add(input_bytes=MACRO_BLOCK_BYTES)
        return self.take(block_id, self._buffer)

    def take(self, block_id: int, block: memoryview) -> BlockVerdict:
        """Bring the copy of a block up to date with `block`, its content as just read."""
        copier = self._copier
        head = decode_block_head(block_id, block)
        hashed = head_hash(block, copier.key)
        verdict = verdict_on(head.kind, hashed, copier.table.head_hash(block_id))
        if verdict.action is BlockAction.FORGET:
            copier.table.remove(block_id)
        elif verdict.action is BlockAction.COMPARE:
            if content_digest(block, copier.key) != copier.table.digest(block_id):
                self.store(block_id, block, hashed, head.type)
        elif verdict.action is BlockAction.COPY:
            if is_block_whole(head, block) or self._becomes_whole(block_id, head, block):
                self.store(block_id, block, head_hash(block, copier.key), decode_block_head(block_id, block).type)
            else:
                copier.meet_broken(block_id)
        if head.kind is not BlockKind.SHARED:
            copier.image.forget_blocks(block_id, 1)
        return verdict

    def _becomes_whole(self, block_id: int, head: BlockHead, block: memoryview) -> bool:
        """Return whether reading again helps; `block` then holds what was read last."""
        copier = self._copier
        if block is not self._buffer:
            return copier.brokenness.is_to_be_copied(block_id, content_digest(block))
        for _ in range(_READS_PER_SIGHTING - 1):
            copier.image.read_block(block_id, block)
            copier.counters.add(input_bytes=MACRO_BLOCK_BYTES)
            head = decode_block_head(block_id, block)
            if head.kind is BlockKind.FREE:
                return False
            if is_block_whole(head, block):
                return True
        return copier.brokenness.is_to_be_copied(block_id, content_digest(block))

    def store(self, block_id: int, block: Buffer, hashed: bytes, block_type: int) -> None:
        """Write one block as a chunk and name it in the table."""
        copier = self._copier
        if self._writer is None:
            self._number = copier.new_object_number()
            self._writer = copier.store.writer(copier.object_name(self._number))
            self._hasher = blake3()
        place = ChunkPlace(
            set_id=copier.set_id, object_number=self._number, offset=self._writer.offset, block_id=block_id
        )
        chunk = self._sealer.seal(place, block, head_hash=hashed, block_type=block_type)
        self._writer.write(chunk.header_bytes, chunk.body)
        self._hasher.update(chunk.header_bytes)
        self._hasher.update(chunk.body)
        copier.counters.add(output_bytes=chunk.size_bytes)
        copier.table.put(record_of(chunk.header))
        if self._writer.offset >= DATA_OBJECT_BYTES:
            self.commit()

    def commit(self) -> None:
        """Make the object this lane is writing durable."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        size_bytes = writer.offset
        writer.commit()
        self._copier.add_object(
            DataObject(number=self._number, size_bytes=size_bytes, digest=self._hasher.digest())
        )

    def abort(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.abort()


class _Queue:
    """Blocks to visit, handed out in runs."""

    def __init__(self, block_ids: Sequence[int]) -> None:
        self._block_ids = block_ids
        self._next = 0
        self._lock = threading.Lock()

    def take(self) -> Sequence[int]:
        with self._lock:
            first = self._next
            self._next += _QUEUE_RUN
        return self._block_ids[first : first + _QUEUE_RUN]


class Copier:
    """The blocks of one backup: a table of what was copied, and the lanes that copy.

    `tell` is called on the caller's thread at most twice a second while lanes work, and ends the work by raising.
    """

    def __init__(
        self,
        image: Image,
        store: Store,
        table: BlockTable,
        *,
        set_id: int,
        object_name: Callable[[int], str],
        first_object_number: int,
        thread_count: int,
        key: DataKey | None,
        clock: Clock,
        tell: Callable[[Figures], None],
    ) -> None:
        self.image = image
        self.store = store
        self.table = table
        self.set_id = set_id
        self.object_name = object_name
        self.key = key
        self.counters = Counters()
        self.brokenness = Brokenness(clock, image.blocks_in_use)
        self._tell = tell
        self._lock = threading.Lock()
        self._next_object_number = first_object_number
        self._objects: list[DataObject] = []
        self._broken_ids: set[int] = set()
        self._free_head = head_hash(bytes(HEAD_HASHED_BYTES), key)
        self._free_count = 0
        self._stop = threading.Event()
        self._lanes = [Lane(self) for _ in range(thread_count)]
        self._pool = ThreadPoolExecutor(thread_count, thread_name_prefix="backup-lane")
        self._is_first_look = True

    def close(self) -> None:
        """End the threads; what is not committed is forgotten."""
        self._stop.set()
        self._pool.shutdown()
        for lane in self._lanes:
            lane.abort()

    def figures(self) -> Figures:
        """Return how far the copying is. The two super blocks count as not done: they come with the manifest."""
        done = len(self.table)
        room = max(self.image.block_count() - self._free_count, done + FIRST_BLOCK)
        return self.counters.figures(block_count=room, block_done_count=done)

    def new_object_number(self) -> int:
        with self._lock:
            self._next_object_number += 1
            return self._next_object_number - 1

    def add_object(self, data_object: DataObject) -> None:
        with self._lock:
            self._objects.append(data_object)
        self.counters.add(objects=1)

    def meet_broken(self, block_id: int) -> None:
        with self._lock:
            self._broken_ids.add(block_id)

    def objects(self) -> tuple[DataObject, ...]:
        """Return the durable data objects by number; all of them after `commit`."""
        with self._lock:
            return tuple(sorted(self._objects, key=lambda data_object: data_object.number))

    def copy_pass(self) -> Copied:
        """Look at every block and bring the copies up to date. The caller has read the slog before."""
        block_count = self.image.block_count()
        self.table.grow(block_count)
        if len(self.table):
            differing = self._differing(block_count)
            block_ids: Sequence[int] = sorted(set(differing) | set(self._shared_ids()))
        else:
            differing, block_ids = [], range(FIRST_BLOCK, block_count)
        met = self._visit(block_ids)
        changed = {block_id for block_id, verdict in met if verdict.is_change} | set(differing)
        self._free_count = block_count - FIRST_BLOCK - len(self.table)
        return Copied(changed_count=len(changed), broken_count=self._take_broken())

    def look_paused(self, expected: Sequence[bytes], blocks_max: int) -> dict[int, bytes] | None:
        """Return the content of every block that differs from its copy, read while the engine stands still.

        `expected` is from `expected_heads`, made before the pause. None: more than `blocks_max` differ. Nothing is
        stored and no thread but the lanes' is used: every millisecond here is one the tenant waits.
        """
        block_count = self.image.block_count()
        look = self._look(range(FIRST_BLOCK, min(block_count, len(expected))), expected)
        differing = [*look, *range(len(expected), block_count)]
        if len(differing) > blocks_max:
            return None
        shared = sorted(set(self._shared_ids()) - set(differing))
        buffers = [memoryview(bytearray(MACRO_BLOCK_BYTES)) for _ in self._lanes]
        found: dict[int, bytes] = {block_id: self._read(block_id, buffers[0]) for block_id in differing}

        def compare(lane: int) -> dict[int, bytes]:
            changed: dict[int, bytes] = {}
            for block_id in shared[lane :: len(buffers)]:
                self.image.read_block(block_id, buffers[lane])
                if content_digest(buffers[lane], self.key) != self.table.digest(block_id):
                    changed[block_id] = bytes(buffers[lane])
            return changed

        for changed in self._pool.map(compare, range(len(buffers))):
            found.update(changed)
        return found if len(found) <= blocks_max else None

    def expected_heads(self) -> list[bytes]:
        """Return the head hash every block has if nothing changed since it was copied, by block id."""
        head_hash_of, free = self.table.head_hash, self._free_head
        return [head_hash_of(block_id) or free for block_id in range(self.image.block_count())]

    def take_paused(self, found: dict[int, bytes]) -> int:
        """Store what `look_paused` found; return how many blocks were being written at that moment.

        Those are not part of the image: the engine names a block in its slog after it is on disk, never before.
        Raises CorruptionError for one that stays wrong and is in use.
        """
        self.table.grow(self.image.block_count())
        lane = self._lanes[0]
        for block_id, block in found.items():
            lane.take(block_id, memoryview(block))
        broken = sorted(self._broken_ids)
        self._take_broken()
        for block_id in broken:
            self.table.remove(block_id)
        return len(broken)

    def put_block(self, block_id: int, block: Buffer, block_type: int) -> None:
        """Store a block the caller read (a super block)."""
        self._lanes[0].store(block_id, block, head_hash(block, self.key), block_type)

    def commit(self) -> None:
        """Make every data object durable."""
        for future in [self._pool.submit(lane.commit) for lane in self._lanes]:
            future.result()

    def _read(self, block_id: int, buffer: memoryview) -> bytes:
        self.image.read_block(block_id, buffer)
        return bytes(buffer)

    def _shared_ids(self) -> Iterator[int]:
        return (record.block_id for record in self.table if record.block_type in _SHARED_TYPES)

    def _differing(self, block_count: int) -> list[int]:
        """Return the blocks whose head is not that of their copy, sorted."""
        expected = self.expected_heads()
        expected += [self._free_head] * (block_count - len(expected))
        differing: list[int] = []
        for first in range(FIRST_BLOCK, block_count, _LOOK_SLICE):
            run = range(first, min(first + _LOOK_SLICE, block_count))
            if self._is_first_look:
                self.image.expect_heads(run)
            differing += self._look(run, expected)
            self._tell(self.figures())
        self._is_first_look = False
        self.counters.add(input_bytes=(block_count - FIRST_BLOCK) * HEAD_HASHED_BYTES)
        return differing

    def _look(self, run: range, expected: Sequence[bytes]) -> list[int]:
        read, key = self.image.read_head, self.key
        return [block_id for block_id in run if head_hash(read(block_id), key) != expected[block_id]]

    def _visit(self, block_ids: Sequence[int]) -> list[tuple[int, BlockVerdict]]:
        """Visit these blocks with all lanes; return those where something was met that is not KEEP or SKIP."""
        queue = _Queue(block_ids)
        ahead = block_ids[-1] + 1 if block_ids else 0
        futures = [self._pool.submit(self._run_lane, lane, queue, ahead) for lane in self._lanes]
        try:
            while True:
                done, running = wait(futures, timeout=_TELL_SECONDS, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                self._tell(self.figures())
                if not running:
                    break
        except BaseException:
            self._stop.set()
            wait(futures)
            raise
        return [met for future in futures for met in future.result()]

    def _run_lane(self, lane: Lane, queue: _Queue, end: int) -> list[tuple[int, BlockVerdict]]:
        met: list[tuple[int, BlockVerdict]] = []
        while run := queue.take():
            self.image.expect_blocks(run[0], min(_AHEAD_BLOCKS, len(run)))
            for ordinal, block_id in enumerate(run):
                if self._stop.is_set():
                    raise CanceledError
                if ordinal + _AHEAD_BLOCKS < len(run):
                    self.image.expect_blocks(run[ordinal + _AHEAD_BLOCKS], 1)
                verdict = lane.visit(block_id)
                if verdict.is_change:
                    met.append((block_id, verdict))
        return met

    def _take_broken(self) -> int:
        with self._lock:
            count = len(self._broken_ids)
            self._broken_ids.clear()
        return count


_SHARED_TYPES = frozenset({7, 8})
