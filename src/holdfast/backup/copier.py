"""Block by block: looking for what changed, reading it, sealing it, writing it, on a few threads at once.

A pass looks first and copies then. Looking is one loop over the head of every block: some 2 us a block when they are
cached, which they are from the second pass on because a block that was read leaves its first page in the cache.
Copying is done by lanes: each has a thread, a buffer of one block, a compressor and a data object of its own, so lanes
share nothing but the table and the queue of blocks, and memory is bounded by their number.

How many lanes there are, how far each asks the disk ahead and how many bytes may move a second is the pace's word, which
may change while they run. A lane that is one too many makes its object durable, gives the rest of its run back and ends.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from holdfast.backup.journal import Figures, Image
from holdfast.backup.plan import BlockAction, BlockVerdict, is_broken_for_good, verdict_on
from holdfast.backup_format import names
from holdfast.backup_format.chunk import ChunkPlace, ChunkSealer
from holdfast.backup_format.digest import HEAD_HASHED_BYTES, DataKey, content_digest, head_hash
from holdfast.backup_format.index import BlockTable, record_of
from holdfast.backup_format.manifest import ObjectDigest, ObjectKind, ObjectRecord
from holdfast.clock import Clock
from holdfast.engine_format.macro_block import (
    HEAD_BYTES,
    MACRO_BLOCK_BYTES,
    BlockHead,
    BlockKind,
    BlockKinds,
    decode_block_head,
    is_block_whole,
)
from holdfast.errors import CanceledError, CorruptionError
from holdfast.store.store import ObjectWriter, Store
from holdfast.values.buffers import Buffer
from holdfast.values.pace import LANES_MAX, Pace

log = logging.getLogger("holdfast.backups")

FIRST_BLOCK = 2
"""Blocks 0 and 1 are the super blocks, which a pass reads by itself."""

DATA_OBJECT_BYTES = 128 << 20
"""A data object is committed at this size: large enough that a store sees few objects, small enough that a crashed
backup loses little and that lanes end a backup at about the same time."""

_QUEUE_RUN = 16
"""Blocks a lane takes from the queue at once, and the most it asks the disk for ahead: 32 MiB in a row keep a disk reading
in order."""

_LOOK_RUN = 2048
"""Blocks looked at between two questions whether to go on: some 5 ms from the cache, and seconds from a disk that seeks."""

_READS_PER_SIGHTING = 3
"""A block caught half written is whole a few milliseconds later; more reads in a row never helped."""

_TELL_SECONDS = 0.25
"""How often the caller's thread looks at the lanes, the pace and whether to go on."""
_PACE_WAIT_SECONDS = 0.1
"""A wait for bandwidth is cut into these: the limit, or the job's mind, may change meanwhile."""
_SETTLE_SECONDS = 2.0
_SETTLE_REST_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What one pass of the copier met."""

    changed_count: int
    broken_count: int


class Counters:
    """The figures of a backup while its threads add to them."""

    def __init__(self, read_bytes: Callable[[], int]) -> None:
        """`read_bytes` returns what was read of the engine's files so far, all of it."""
        self._lock = threading.Lock()
        self._read_bytes = read_bytes
        self._log_bytes = 0
        self._output_bytes = 0
        self._meta_bytes = 0
        self._objects = 0
        self._block_count = 0
        self._block_done_count = 0
        self._log_count = 0
        self._log_done_count = 0

    def add(self, *, output_bytes: int = 0, meta_bytes: int = 0, objects: int = 0) -> None:
        with self._lock:
            self._output_bytes += output_bytes + meta_bytes
            self._meta_bytes += meta_bytes
            self._objects += objects

    def expect(self, *, block_count: int, done_count: int) -> None:
        """Say how many blocks the image holds as far as it is known, and how many of them are done."""
        with self._lock:
            self._block_count, self._block_done_count = block_count, done_count

    def visited(self, *, is_free: bool) -> None:
        with self._lock:
            if is_free:
                self._block_count -= 1
            else:
                self._block_done_count += 1

    def expect_log(self, count: int) -> None:
        """Say how many log objects the set will hold."""
        with self._lock:
            self._log_count = count

    def log_copied(self, size_bytes: int) -> None:
        with self._lock:
            self._log_done_count += 1
            self._log_bytes += size_bytes
            self._output_bytes += size_bytes
            self._objects += 1

    def figures(self) -> Figures:
        """Return how far the copying is. The two super blocks count as not done: they come with the manifest."""
        with self._lock:
            return Figures(
                block_count=self._block_count + FIRST_BLOCK,
                block_done_count=self._block_done_count,
                input_bytes=self._read_bytes() + self._log_bytes,
                output_bytes=self._output_bytes,
                meta_bytes=self._meta_bytes,
                object_count=self._objects,
                log_object_count=self._log_count,
                log_object_done_count=self._log_done_count,
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
        self.judge(block_id)
        return True

    def judge(self, block_id: int) -> None:
        """Note that a block is wrong for good. Raises CorruptionError unless the engine says that it is free."""
        used = self._blocks_in_use()
        if used is None or block_id in used:
            raise CorruptionError(
                f"macro block {block_id} of the engine does not match its checksum, again and again",
                hint="the tenant's data file is damaged: restore the tenant from an earlier backup set",
            )
        with self._lock:
            self.verbatim.add(block_id)


class Lane:
    """One thread's share of the copying. Not safe to share."""

    def __init__(self, copier: "Copier", number: int) -> None:
        """`number`: from 0; a lane whose number is not below the count that is wanted leaves."""
        self.number = number
        self._copier = copier
        self._sealer = ChunkSealer(key=copier.key)
        self._buffer = memoryview(bytearray(MACRO_BLOCK_BYTES))
        self._writer: ObjectWriter | None = None
        self._digest = ObjectDigest()
        self._number = 0

    def visit(self, block_id: int) -> bool:
        """Bring the copy of one block up to date and return whether it had changed."""
        copier = self._copier
        if copier.table.head_hash(block_id) is None:
            copier.spend(HEAD_BYTES)
            head = copier.image.read_head(block_id)
            if _is_free(block_id, head, copier.image.block_kinds):
                copier.counters.visited(is_free=True)
                return False
        for _ in range(_READS_PER_SIGHTING):
            copier.spend(MACRO_BLOCK_BYTES)
            copier.image.read_block(block_id, self._buffer)
            verdict = self.take(block_id, self._buffer)
            if verdict is not None:
                copier.counters.visited(is_free=verdict.action is BlockAction.FORGET)
                return verdict.is_change
        if copier.brokenness.is_to_be_copied(block_id, content_digest(self._buffer)):
            self.store_verbatim(block_id, self._buffer)
            copier.counters.visited(is_free=False)
        else:
            copier.meet_broken(block_id)
        return True

    def take(self, block_id: int, block: memoryview) -> BlockVerdict | None:
        """Bring the copy of a block up to date with `block`, its content as just read; None when that is not whole."""
        copier = self._copier
        head = _decode_head(block_id, block, copier.image.block_kinds)
        if head is None:
            return None
        key = copier.key_of(block_id)
        hashed = head_hash(block, key)
        verdict = verdict_on(head.kind, hashed, copier.table.head_hash(block_id))
        if verdict.action is BlockAction.FORGET:
            copier.table.remove(block_id)
        elif verdict.action is BlockAction.COMPARE:
            if content_digest(block, key) != copier.table.digest(block_id):
                self.store(block_id, block, head.type)
        elif verdict.action is BlockAction.COPY:
            if not is_block_whole(head, block):
                return None
            self.store(block_id, block, head.type)
        if head.kind is BlockKind.WRITE_ONCE:
            # Shared blocks are read in every pass and stay cached; a write-once block leaves only its head.
            copier.image.forget_block(block_id)
        return verdict

    def store_verbatim(self, block_id: int, block: Buffer) -> None:
        """Write a block that is wrong for good as it is."""
        head = _decode_head(block_id, block, self._copier.image.block_kinds)
        self.store(block_id, block, head.type if head else 0)

    def store(self, block_id: int, block: Buffer, block_type: int) -> None:
        """Write one block as a chunk and name it in the table."""
        copier = self._copier
        if self._writer is None:
            self._number = copier.new_object_number()
            self._writer = copier.store.writer(names.data_name(copier.root, self._number))
            self._digest = ObjectDigest()
        place = ChunkPlace(
            set_id=copier.set_id, object_number=self._number, offset=self._writer.offset, block_id=block_id
        )
        chunk = self._sealer.seal(place, block, head_hash=head_hash(block, copier.key), block_type=block_type)
        copier.spend(chunk.size_bytes)
        self._writer.write(chunk.header_bytes, chunk.body)
        self._digest.update(chunk.header_bytes)
        copier.counters.add(output_bytes=chunk.size_bytes)
        copier.table.put(record_of(chunk.header))
        if self._writer.offset >= copier.data_object_bytes:
            self.commit()

    def commit(self) -> None:
        """Make the object this lane is writing durable."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        size_bytes = writer.offset
        try:
            writer.commit()
        except BaseException:
            writer.abort()
            raise
        self._copier.add_object(data_record(self._copier.root, self._number, size_bytes, self._digest))

    def abort(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.abort()


def data_record(root: str, number: int, size_bytes: int, digest: ObjectDigest) -> ObjectRecord:
    """Return what the manifest says of a data object."""
    return ObjectRecord(
        name=names.data_name(root, number).removeprefix(root + "/"),
        kind=ObjectKind.DATA,
        number=number,
        size_bytes=size_bytes,
        content_size_bytes=size_bytes,
        digest=digest.text(),
    )


def _decode_head(block_id: int, block: Buffer, kinds: BlockKinds) -> BlockHead | None:
    """Return the block's head, None when it is none: half written, or rotten."""
    try:
        return decode_block_head(block_id, block, kinds)
    except CorruptionError:
        return None


def _is_free(block_id: int, block: Buffer, kinds: BlockKinds) -> bool:
    head = _decode_head(block_id, block, kinds)
    return head is not None and head.kind is BlockKind.FREE


@dataclass(frozen=True, slots=True)
class ExpectedHeads:
    """By block id: the hash of the head, and the key it is hashed with (None: no key for any of them)."""

    hashes: list[bytes]
    keys: list[DataKey | None] | None

    def __len__(self) -> int:
        return len(self.hashes)


class _Queue:
    """Blocks to visit, handed out in runs."""

    def __init__(self, block_ids: Sequence[int]) -> None:
        self._block_ids = block_ids
        self._given_back: list[Sequence[int]] = []
        self._next = 0
        self._lock = threading.Lock()

    def take(self) -> Sequence[int]:
        with self._lock:
            if self._given_back:
                return self._given_back.pop()
            first = self._next
            self._next += _QUEUE_RUN
        return self._block_ids[first : first + _QUEUE_RUN]

    def give_back(self, run: Sequence[int]) -> None:
        """Take the rest of a run from a lane that leaves."""
        if run:
            with self._lock:
                self._given_back.append(run)

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return self._next >= len(self._block_ids) and not self._given_back


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
        root: str,
        set_id: int,
        objects: Sequence[ObjectRecord],
        pace: Pace,
        key: DataKey | None,
        clock: Clock,
        tell: Callable[[Figures], None],
        data_object_bytes: int = DATA_OBJECT_BYTES,
        base_keys: Mapping[int, DataKey] | None = None,
    ) -> None:
        """`objects`: data objects that are durable already, from an earlier attempt.

        `key`: this set's; `base_keys`: of the encrypted sets of its base, by set id. A record's hashes are keyed with the key
        of the set that holds its chunk.
        """
        self.image = image
        self.store = store
        self.table = table
        self.root = root
        self.set_id = set_id
        self.key = key
        self._keys: dict[int, DataKey | None] = {**(base_keys or {}), set_id: key}
        self._has_one_key = key is None and not base_keys
        self.data_object_bytes = data_object_bytes
        self.block_count = 0
        self.counters = Counters(image.read_bytes)
        self.counters.add(output_bytes=sum(record.size_bytes for record in objects), objects=len(objects))
        self.brokenness = Brokenness(clock, image.blocks_in_use)
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._objects = list(objects)
        self._last_number = max((record.number for record in objects), default=0)
        self._broken_ids: set[int] = set()
        self._free_head = head_hash(bytes(HEAD_HASHED_BYTES), key)
        self._is_first_look = True
        self._stop = threading.Event()
        self._pace = pace
        self._lanes_wanted = min(pace.lanes(), LANES_MAX)
        self._lanes = [Lane(self, number) for number in range(self._lanes_wanted)]
        self._pool = ThreadPoolExecutor(LANES_MAX, thread_name_prefix="backup-lane")

    def close(self) -> None:
        """End the threads; what is not committed is forgotten."""
        self._stop.set()
        self._pool.shutdown()
        for lane in self._lanes:
            lane.abort()

    def key_of(self, block_id: int) -> DataKey | None:
        """Return the key with which the block's record is hashed, this set's own without a record."""
        return self._keys.get(self.table.set_id(block_id) or self.set_id)

    def new_object_number(self) -> int:
        with self._lock:
            self._last_number += 1
            return self._last_number

    def add_object(self, record: ObjectRecord) -> None:
        with self._lock:
            self._objects.append(record)
        self.counters.add(objects=1)

    def meet_broken(self, block_id: int) -> None:
        with self._lock:
            self._broken_ids.add(block_id)

    def objects(self) -> tuple[ObjectRecord, ...]:
        """Return the durable data objects by number; all of them after `commit`."""
        with self._lock:
            return tuple(sorted(self._objects, key=lambda record: record.number))

    def copy_pass(self, *, always_shared: bool = False) -> Copied:
        """Look at every block and bring the copies up to date. The caller has read the slog before.

        Shared blocks are read when no head differed: then this pass may be the last, else another one follows anyway.
        `always_shared` reads them in any case, so that a pause that follows finds little to do.
        """
        block_count = self.block_count = self.image.block_count()
        self.table.grow(block_count)
        for block_id in range(block_count, self.table.block_count):
            self.table.remove(block_id)  # of a base set whose block file was larger: never seen
        if not len(self.table):
            changed_count = self._visit(range(FIRST_BLOCK, block_count), frozenset())
            return Copied(changed_count=changed_count, broken_count=len(self._take_broken()))
        differing = frozenset(self._differing(block_count))
        shared = self.shared_ids() if always_shared or not differing else []
        changed_count = len(differing) + self._visit(sorted(differing.union(shared)), differing)
        return Copied(changed_count=changed_count, broken_count=len(self._take_broken()))

    def expected_heads(self) -> "ExpectedHeads":
        """Return the head every block has if nothing changed since it was copied."""
        head_hash_of, free = self.table.head_hash, self._free_head
        block_ids = range(self.table.block_count)
        return ExpectedHeads(
            hashes=[head_hash_of(block_id) or free for block_id in block_ids],
            keys=None if self._has_one_key else [self.key_of(block_id) for block_id in block_ids],
        )

    def look_paused(self, expected: "ExpectedHeads", shared: Sequence[int], blocks_max: int) -> dict[int, bytes] | None:
        """Return the content of every block that differs from its copy, read while the engine stands still.

        `expected` and `shared` are from `expected_heads` and `shared_ids`, made before the pause. None: more than
        `blocks_max` differ. Nothing is stored here: every millisecond is one the tenant waits.
        """
        block_count = self.image.block_count()
        # Neither bandwidth nor pace counts here: every millisecond is one the tenant waits.
        differing = self._look(range(FIRST_BLOCK, min(block_count, len(expected))), expected)
        differing += range(len(expected), block_count)
        if len(differing) > blocks_max:
            return None
        buffers = [memoryview(bytearray(MACRO_BLOCK_BYTES)) for _ in self._lanes]

        def read(ordinal: int) -> dict[int, bytes]:
            buffer, found = buffers[ordinal], {}
            for block_id in differing[ordinal :: len(buffers)]:
                self.image.read_block(block_id, buffer)
                found[block_id] = bytes(buffer)
            for block_id in shared[ordinal :: len(buffers)]:
                if block_id in found:
                    continue
                self.image.read_block(block_id, buffer)
                if content_digest(buffer, self.key_of(block_id)) != self.table.digest(block_id):
                    found[block_id] = bytes(buffer)
            return found

        found: dict[int, bytes] = {}
        for part in self._pool.map(read, range(len(buffers))):
            found.update(part)
        return found if len(found) <= blocks_max else None

    def take_paused(self, found: dict[int, bytes]) -> int:
        """Store what `look_paused` found, when the engine runs again; return how many blocks were left out.

        Those were being written at that moment, and are not part of the image: the engine names a block in its slog
        after it is on disk, never before. Raises CorruptionError for one that stays wrong and is in use.
        """
        self.table.grow(self.image.block_count())
        lane = self._lanes[0]
        broken = [block_id for block_id, block in found.items() if lane.take(block_id, memoryview(block)) is None]
        for block_id in broken:
            if self._comes_to_rest(block_id, found[block_id]):
                self.table.remove(block_id)
            else:
                self.brokenness.judge(block_id)
                lane.store_verbatim(block_id, found[block_id])
        return len(broken)

    def put_super_block(self, block_id: int, block: Buffer) -> None:
        """Store a super block, unless the copy (of a base set) is the same."""
        if content_digest(block, self.key_of(block_id)) != self.table.digest(block_id):
            self._lanes[0].store(block_id, block, 0)

    def commit(self) -> None:
        """Make every data object durable."""
        for future in [self._pool.submit(lane.commit) for lane in self._lanes]:
            future.result()

    def _comes_to_rest(self, block_id: int, block: bytes) -> bool:
        """Return whether a block that was not whole in a pause has changed since: it was being written."""
        buffer = memoryview(bytearray(MACRO_BLOCK_BYTES))
        end = self._clock.monotonic() + _SETTLE_SECONDS
        while self._clock.monotonic() < end:
            self.image.read_block(block_id, buffer)
            if buffer != block:
                return True
            self._clock.sleep(_SETTLE_REST_SECONDS)
        return False

    def shared_ids(self) -> list[int]:
        """Return the blocks that gain data in place, sorted."""
        kinds = self.image.block_kinds
        return [record.block_id for record in self.table if kinds.get(record.block_type) is BlockKind.SHARED]

    def _differing(self, block_count: int) -> list[int]:
        """Return the blocks whose head is not that of their copy, sorted."""
        expected = self.expected_heads()
        differing: list[int] = []
        for first in range(FIRST_BLOCK, block_count, _LOOK_RUN):
            run = range(first, min(first + _LOOK_RUN, block_count))
            if self._is_first_look:
                self.image.expect_heads(run)
            differing += self._look(run, expected)
            self._spend_here(len(run) * HEAD_BYTES)
        self._is_first_look = False
        return differing

    def _look(self, run: range, expected: "ExpectedHeads") -> list[int]:
        read, hashes, keys = self.image.read_head, expected.hashes, expected.keys
        if keys is None:
            return [block_id for block_id in run if head_hash(read(block_id)) != hashes[block_id]]
        return [block_id for block_id in run if head_hash(read(block_id), keys[block_id]) != hashes[block_id]]

    def _visit(self, block_ids: Sequence[int], differing: frozenset[int]) -> int:
        """Visit these blocks with all lanes; return how many changed besides those known to differ."""
        known = sum(self.table.head_hash(block_id) is not None for block_id in block_ids) if len(self.table) else 0
        kept = len(self.table) - known
        self.counters.expect(block_count=kept + len(block_ids), done_count=kept)
        queue = _Queue(block_ids)
        running: dict[Future[int], Lane] = {}
        changed_count = 0
        try:
            while True:
                self._fit_crew(running, queue, differing)
                if not running:
                    return changed_count
                done, _ = wait(running, timeout=_TELL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    changed_count += future.result()
                self._tell(self.counters.figures())
        except BaseException:
            self._stop.set()
            wait(running)
            raise

    def _fit_crew(self, running: dict["Future[int]", Lane], queue: _Queue, differing: frozenset[int]) -> None:
        """Let as many lanes run as the pace wants now; those that are too many find out by their number."""
        wanted = min(self._pace.lanes(), LANES_MAX)
        if wanted != self._lanes_wanted:
            log.info("%s: %d threads copy from now on, %d before", self.root, wanted, self._lanes_wanted)
        self._lanes_wanted = wanted
        at_work = {lane.number for lane in running.values()}
        for number in range(wanted):
            if number in at_work or queue.is_empty:
                continue
            if number == len(self._lanes):
                self._lanes.append(Lane(self, number))
            lane = self._lanes[number]
            running[self._pool.submit(self._run_lane, lane, queue, differing)] = lane

    def _run_lane(self, lane: Lane, queue: _Queue, differing: frozenset[int]) -> int:
        changed_count = 0
        while run := queue.take():
            ahead = min(self._pace.depth(), len(run))
            for block_id in run[:ahead]:
                self.image.expect_block(block_id)
            for ordinal, block_id in enumerate(run):
                if self._stop.is_set():
                    raise CanceledError
                if lane.number >= self._lanes_wanted:
                    queue.give_back(run[ordinal:])
                    lane.commit()
                    return changed_count
                if ordinal + ahead < len(run):
                    self.image.expect_block(run[ordinal + ahead])
                changed_count += lane.visit(block_id) and block_id not in differing
        return changed_count

    def spend(self, size_bytes: int) -> None:
        """Return when a lane may move so many bytes. Raises CanceledError when the work ends."""
        while (seconds := self._pace.try_take(size_bytes)) > 0:
            if self._stop.wait(min(seconds, _PACE_WAIT_SECONDS)):
                raise CanceledError

    def _spend_here(self, size_bytes: int) -> None:
        """As `spend`, on the caller's thread: it goes on telling and asking. Raises what `tell` raises."""
        while True:
            self._tell(self.counters.figures())
            seconds = self._pace.try_take(size_bytes)
            if seconds <= 0:
                return
            self._clock.sleep(min(seconds, _PACE_WAIT_SECONDS))

    def _take_broken(self) -> set[int]:
        with self._lock:
            broken, self._broken_ids = self._broken_ids, set()
        return broken
