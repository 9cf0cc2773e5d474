"""Laying out an engine directory from a plan: blocks, small files and the log, cut at the target.

Everything is written below a directory that no engine and no catalog knows yet; the caller renames it into place when
`lay_out` has returned. Order does not matter before that rename, so blocks are written by several threads while another
writes the log. What is read is proven on the way: chunk headers against the index, payloads against digests, the log by a full
walk from the set's base to the cut.

Memory: a few batches of a few MiB for each thread, whatever the tenant's size, plus 64 bytes for each macro block.
"""

import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast import disk
from holdfast.backup_format import names
from holdfast.backup_format.chunk import ChunkOpener, open_file
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, IndexRecord, decode_index
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, FrameOpener, decode_frame_header
from holdfast.backup_format.manifest import Manifest, ObjectDigest, ObjectKind, ObjectRecord, check_object
from holdfast.backup_format.reach import LogObjectFact, LogStep, PieceFact, SetFact
from holdfast.destination.pieces import log_keys
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.image import prepare_restored_directory, write_restored_file
from holdfast.engine_format.log_block import (
    LOG_BLOCK_BYTES,
    LOG_INFO_BYTES,
    block_id_of,
    decode_info_block,
    file_offset_of,
)
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_walk import Position, WalkStop, walk
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import CorruptionError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.restore.block_chunk import open_block
from holdfast.restore.plan import RestorePlan
from holdfast.store.store import ObjectReader, Store
from holdfast.store.whole_write import write_all
from holdfast.values.pace import LANES_MAX, Pace
from holdfast.values.scn import Scn

ACCOUNT_FILE = "account"
"""The small file of a set that holds Holdfast's login; it is not the engine's."""

_BATCH_BYTES = 4 << 20
"""One read of neighbouring chunks: large enough for a spinning disk or an object store, small enough for many threads."""
_INDEX_SLICE_BYTES = 4 << 20
_FRAME_WINDOW_BYTES = 4 << 20
_CREW_SECONDS = 0.25
"""How often the pace is asked how many threads it wants."""
_PACE_WAIT_SECONDS = 0.1
"""A wait for bandwidth is cut into these: the limit may change meanwhile, or the restore be cancelled."""


@dataclass(slots=True)
class Progress:
    """How far a restore is, true at any moment. `finish_bytes` counts what is written; it reaches `total_bytes` at the end."""

    total_bytes: int = 0
    finish_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, size_bytes: int) -> None:
        with self._lock:
            self.finish_bytes += size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOut:
    """What was laid out. `account`: the bytes of the login's file. `end`: where the engine's own log goes on.

    `log_block_count`: log files in the directory; the engine's log disk must hold them. `missing_bytes`: of blocks that arrive
    later.
    """

    account: bytes = field(repr=False)
    end: Position
    log_block_count: int
    block_count: int
    size_bytes: int
    missing_bytes: int = 0


def lay_out(
    plan: RestorePlan,
    stores: tuple[Store, ...],
    directory: EngineDirectory,
    *,
    pace: Pace,
    progress: Progress,
    check: Callable[[], None],
    keys: Mapping[int, DataKey] | None = None,
    masters: Masters = NO_MASTERS,
    lazily: Callable[[bytes], None] | None = None,
) -> LaidOut:
    """Fill `directory`, which must be empty or absent, and return what it holds; durable when this returns.

    `stores[fact.source]` holds each fact. `pace`: how fast it may go, asked again and again. `keys`: of the encrypted sets of
    the chain, by set id. `lazily`: gets the index's checked bytes and makes a block file that fills itself later, in the place of
    copying the blocks now. `check` is called between batches and may raise CanceledError.
    Raises CorruptionError naming the object and the place, StoreUnavailableError, NotFoundError for a missing object.
    """
    prepare_restored_directory(directory)
    manifest, keys = plan.set.manifest, keys or {}
    index = _read_index_object(plan.set, stores[plan.set.source]) if lazily else b""
    table = _read_index(plan.set, stores[plan.set.source])
    _check_index(table, manifest, plan)
    objects = _up_to(plan.target, tuple(_log_objects(plan.steps)), stores)
    log_bytes = sum(item.end_lsn - max(item.first_lsn, from_lsn) for _, item, from_lsn in objects)
    block_bytes = sum(record.payload_size_bytes for record in table)
    progress.total_bytes = block_bytes + log_bytes
    stop = threading.Event()

    def go_on() -> None:
        check()
        if stop.is_set():
            raise _Abandoned

    def spend(size_bytes: int) -> None:
        """Return when so many bytes may move."""
        while (seconds := pace.try_take(size_bytes)) > 0:
            go_on()
            stop.wait(min(seconds, _PACE_WAIT_SECONDS))

    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="restore") as pool:
        blocks: Future[None]
        if lazily is None:
            blocks = pool.submit(_lay_out_blocks, plan, stores, table, directory, pace, spend, progress, go_on, keys)
        else:
            blocks = pool.submit(lazily, index)
        log = pool.submit(_lay_out_log, plan, stores, objects, directory, spend, progress, go_on, keys, masters)
        works: list[Future[Any]] = [blocks, log]
        done, _ = wait(works, return_when=FIRST_EXCEPTION)
        if any(work.exception() for work in done):
            stop.set()
    failures = [error for work in works if (error := work.exception()) and not isinstance(error, _Abandoned)]
    if failures:
        raise failures[0]
    end, log_block_count = log.result()
    account = _lay_out_files(plan.set, stores[plan.set.source], directory, keys.get(manifest.backup_set_id))
    _sync_tree(directory)
    # The last log object goes on behind the cut; what lies there was never to be written.
    progress.total_bytes = progress.finish_bytes + (block_bytes if lazily else 0)
    return LaidOut(
        account=account,
        end=end,
        log_block_count=log_block_count,
        block_count=manifest.block_count,
        size_bytes=progress.finish_bytes,
        missing_bytes=block_bytes if lazily else 0,
    )


class _Abandoned(Exception):
    """Another thread failed first; its error is the one to tell."""


# --- small files and index


def _read_object(fact: SetFact, store: Store, record: ObjectRecord) -> bytes:
    name = f"{fact.root}/{record.name}"
    data = store.get(name, 0, record.size_bytes + 1)
    digest = ObjectDigest()
    digest.update(data)
    try:
        check_object(record, size_bytes=len(data), digest=digest.text())
    except CorruptionError as error:
        raise CorruptionError(f"{store.location}/{fact.root}/{error.message}", hint=error.hint) from error
    return data


def _lay_out_files(fact: SetFact, store: Store, directory: EngineDirectory, key: DataKey | None) -> bytes:
    """Write the engine's small files and return the account's."""
    account = b""
    opener = ChunkOpener(key=key)
    for record in fact.manifest.objects:
        if record.kind is not ObjectKind.FILE:
            continue
        name = names.parse_meta_name(fact.root, f"{fact.root}/{record.name}")
        if name is None:
            raise CorruptionError(f"manifest of {fact.root} names a file {record.name!r} outside its meta folder")
        content = open_file(
            _read_object(fact, store, record),
            set_id=fact.manifest.backup_set_id,
            file_number=record.number,
            opener=opener,
            name=f"{store.location}/{fact.root}/{record.name}",
        )
        if name == ACCOUNT_FILE:
            account = content
        else:
            write_restored_file(directory, name, content)
    if not account:
        raise CorruptionError(f"{store.location}/{fact.root} holds no {ACCOUNT_FILE}: nobody could log in for Holdfast")
    return account


def _read_index_object(fact: SetFact, store: Store) -> bytes:
    return _read_object(
        fact, store, next(record for record in fact.manifest.objects if record.kind is ObjectKind.INDEX)
    )


def _read_index(fact: SetFact, store: Store) -> BlockTable:
    record = next(record for record in fact.manifest.objects if record.kind is ObjectKind.INDEX)
    name = f"{fact.root}/{record.name}"
    where = f"{store.location}/{name}"
    digest = ObjectDigest()

    def slices(reader: ObjectReader) -> Iterator[bytes]:
        offset = 0
        while part := reader.read(offset, _INDEX_SLICE_BYTES):
            digest.update(part)
            offset += len(part)
            yield part

    with store.reader(name) as reader:
        size_bytes = reader.size_bytes
        index = decode_index(slices(reader), name=where)
    try:
        check_object(record, size_bytes=size_bytes, digest=digest.text())
    except CorruptionError as error:
        raise CorruptionError(f"{store.location}/{fact.root}/{error.message}", hint=error.hint) from error
    if index.set_id != fact.manifest.backup_set_id or index.block_size_bytes != MACRO_BLOCK_BYTES:
        raise CorruptionError(f"{where} is the index of set {index.set_id}, expected {fact.manifest.backup_set_id}")
    return index.table


def _check_index(table: BlockTable, manifest: Manifest, plan: RestorePlan) -> None:
    """Assert the law of sets: every block promised is listed, in sets of the chain."""
    count = len(table)
    if count != manifest.block_count:
        raise CorruptionError(
            f"index of {plan.set.root} lists {count} blocks, its manifest says {manifest.block_count}"
        )
    strangers = table.set_ids() - set(manifest.chain)
    if strangers:
        raise CorruptionError(f"index of {plan.set.root} refers to sets {sorted(strangers)} outside its chain")


# --- macro blocks


def _batches(table: BlockTable) -> Generator[list[IndexRecord], None, None]:
    """Yield runs of chunks that lie near each other in one object, of up to _BATCH_BYTES."""
    batch: list[IndexRecord] = []
    for record in table.in_object_order():
        if batch and (
            (record.set_id, record.object_number) != (batch[0].set_id, batch[0].object_number)
            or record.end_offset - batch[0].offset > _BATCH_BYTES
        ):
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def _lay_out_blocks(
    plan: RestorePlan,
    stores: tuple[Store, ...],
    table: BlockTable,
    directory: EngineDirectory,
    pace: Pace,
    spend: Callable[[int], None],
    progress: Progress,
    check: Callable[[], None],
    keys: Mapping[int, DataKey],
) -> None:
    holders = {fact.manifest.backup_set_id: fact for fact in plan.chain}
    descriptor = os.open(directory.block_file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, plan.set.manifest.block_file_size_bytes)
        batches, turn = _batches(table), threading.Lock()

        def carry(number: int) -> bool:
            """Carry batches until there are none (True) or this thread is one too many (False)."""
            with _BlockCarrier(holders, stores, descriptor, progress, keys) as carrier:
                while number < min(pace.lanes(), LANES_MAX):
                    check()
                    with turn:
                        batch = next(batches, None)
                    if batch is None:
                        return True
                    # Read here, written there; a batch is read and written whole, so it is paid whole.
                    spend(2 * (batch[-1].end_offset - batch[0].offset))
                    carrier.carry(batch)
                return False

        _run_crew(pace, carry, lambda: _close(batches, turn))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _run_crew(pace: Pace, carry: Callable[[int], bool], give_up: Callable[[], None]) -> None:
    """Run `carry(number)` on as many threads as the pace wants, now and while they run; raise what the first of them raised.

    `give_up` is called at a failure, so that the others find nothing more to do; what they hold they finish.
    """
    running: dict[Future[bool], int] = {}
    errors: list[BaseException] = []
    is_exhausted = False
    with ThreadPoolExecutor(max_workers=LANES_MAX, thread_name_prefix="restore-block") as pool:
        while True:
            at_work = set(running.values())
            for number in range(min(pace.lanes(), LANES_MAX)):
                if number not in at_work and not is_exhausted:
                    running[pool.submit(carry, number)] = number
            if not running:
                break
            done, _ = wait(running, timeout=_CREW_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                error = future.exception()
                if error is not None:
                    errors.append(error)
                    give_up()
                is_exhausted = is_exhausted or error is not None or future.result()
    real = [error for error in errors if not isinstance(error, _Abandoned)]
    if errors:
        raise (real or errors)[0]


def _close(batches: Generator[list[IndexRecord], None, None], turn: threading.Lock) -> None:
    with turn:
        batches.close()


class _BlockCarrier:
    """One thread's hands: its open objects and its decompressor."""

    def __init__(
        self,
        holders: dict[int, SetFact],
        stores: tuple[Store, ...],
        descriptor: int,
        progress: Progress,
        keys: Mapping[int, DataKey],
    ) -> None:
        self._holders = holders
        self._stores = stores
        self._descriptor = descriptor
        self._progress = progress
        self._openers = {set_id: ChunkOpener(key=keys.get(set_id)) for set_id in holders}
        self._stack = ExitStack()
        self._open: tuple[str, ObjectReader] | None = None
        self._buffer = bytearray(_BATCH_BYTES + (4 << 20))

    def __enter__(self) -> "_BlockCarrier":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def carry(self, batch: list[IndexRecord]) -> None:
        """Write the blocks of one batch. Raises CorruptionError naming object, offset and block."""
        first, last = batch[0], batch[-1]
        fact, opener = self._holders[first.set_id], self._openers[first.set_id]
        store = self._stores[fact.source]
        name = names.data_name(fact.root, first.object_number)
        where = f"{store.location}/{name}"
        size_bytes = last.end_offset - first.offset
        if size_bytes > len(self._buffer):
            raise CorruptionError(f"{where}: index of {fact.root} names a chunk of {size_bytes} bytes")
        view = memoryview(self._buffer)[:size_bytes]
        came = self._reader(store, name).read_into(first.offset, view)
        for record in batch:
            start = record.offset - first.offset
            payload = open_block(view[start:came], record, opener, name=where)
            write_all(self._descriptor, record.block_id * MACRO_BLOCK_BYTES, (payload,))
            self._progress.add(len(payload))

    def _reader(self, store: Store, name: str) -> ObjectReader:
        if self._open is None or self._open[0] != f"{store.location}/{name}":
            self._stack.close()
            self._open = (f"{store.location}/{name}", self._stack.enter_context(store.reader(name)))
        return self._open[1]


# --- log

_LogWork = tuple[PieceFact, LogObjectFact, int]
"""A piece, one of its objects, and the LSN from which it is read."""


def _log_objects(steps: tuple[LogStep, ...]) -> Iterator[_LogWork]:
    """Yield the log objects in order; where two pieces share an LSN range, the later one begins where the earlier ends."""
    for step in steps:
        for item in step.piece.objects:
            if item.end_lsn > step.from_lsn:
                yield step.piece, item, step.from_lsn


def _up_to(target: Scn, objects: tuple[_LogWork, ...], stores: tuple[Store, ...]) -> tuple[_LogWork, ...]:
    """Return the objects that can hold an entry at or below `target`: up to the first that begins behind it.

    That one is needed too: its first group may have leading entries at or below the target.
    """

    def begins_behind(work: _LogWork) -> bool:
        piece, item, _ = work
        store = stores[piece.source]
        header = decode_frame_header(
            store.get(item.name, 0, FRAME_HEADER_BYTES), name=f"{store.location}/{item.name} at offset 0"
        )
        return header is not None and header.frame.first_scn > target

    return objects[: bisect_left(objects, True, key=begins_behind) + 1]


def _lay_out_log(
    plan: RestorePlan,
    stores: tuple[Store, ...],
    objects: tuple[_LogWork, ...],
    directory: EngineDirectory,
    spend: Callable[[int], None],
    progress: Progress,
    check: Callable[[], None],
    keys: Mapping[int, DataKey],
    masters: Masters,
) -> tuple[Position, int]:
    """Write the log files from the base block to the cut; return where the log ends and how many files there are."""
    base = plan.set.manifest.base_lsn
    log = _LogFiles(directory, Position(lsn=base, accumulated=None, log_id=None, scn=Scn(0)), plan.target)
    sealed = FrameOpener(key=keys.get(plan.set.manifest.backup_set_id))
    try:
        for piece, item, from_lsn in objects:
            opener = sealed if piece.is_sealed else FrameOpener(key=log_keys(piece, masters))
            for where, info, first_lsn, payload in _frames(stores[piece.source], item, opener):
                check()
                spend(2 * len(payload))
                if first_lsn + len(payload) <= log.position.lsn or first_lsn + len(payload) <= from_lsn:
                    continue  # an earlier piece already gave this log
                begin = log.position.lsn - first_lsn
                if begin < 0:
                    raise CorruptionError(
                        f"{where} begins at LSN {first_lsn:016x}, expected LSN {log.position.lsn.text()} or before"
                    )
                progress.add(log.add(payload[begin:], info, where))
                if log.is_cut:
                    return log.finish()
        if log.position.scn < plan.target:
            raise CorruptionError(
                f"the log ends at LSN {log.position.lsn.text()}, SCN {int(log.position.scn)}, below the target {int(plan.target)}",
                hint="an object changed between planning and reading; try again",
            )
        return log.finish()
    finally:
        log.close()


def _frames(store: Store, item: LogObjectFact, opener: FrameOpener) -> Iterator[tuple[str, bytes, int, memoryview]]:
    """Yield (name, info block or b"", first LSN, log bytes) of each frame of an object, in order."""
    where = f"{store.location}/{item.name}"
    info = b""
    with store.reader(item.name) as reader:
        window, window_start, offset = b"", 0, 0
        while offset < item.size_bytes:
            at = offset - window_start
            need = FRAME_HEADER_BYTES
            if len(window) - at < need:
                window, window_start, at = reader.read(offset, _FRAME_WINDOW_BYTES), offset, 0
            header = decode_frame_header(window[at : at + need], name=f"{where} at offset {offset}")
            if header is None:
                raise CorruptionError(f"{where} ends at {window_start + len(window)}, expected {item.size_bytes} bytes")
            need = header.size_bytes
            if len(window) - at < need:
                window, window_start, at = reader.read(offset, max(need, _FRAME_WINDOW_BYTES)), offset, 0
            stored = memoryview(window)[at + FRAME_HEADER_BYTES : at + need]
            payload = memoryview(opener.open(header, stored, name=f"{where} at offset {offset}"))
            frame = header.frame
            if frame.block_id != item.block_id:
                raise CorruptionError(
                    f"{where} at offset {offset} holds log block {frame.block_id}, not {item.block_id}"
                )
            if frame.has_info_block:
                info, payload = bytes(payload[:LOG_INFO_BYTES]), payload[LOG_INFO_BYTES:]
            yield f"{where} at offset {offset}", info, frame.start_lsn, payload
            offset += need


class _LogFiles:
    """Writes log blocks as the engine would have: info block, verified groups, zeros; ends at the cut."""

    def __init__(self, directory: EngineDirectory, position: Position, target: Scn) -> None:
        self._directory = directory
        self._target = target
        self._descriptor: int | None = None
        self._block_id = -1
        self._count = 0
        self.position = position
        self.is_cut = False

    def add(self, log: memoryview, info: bytes, where: str) -> int:
        """Take whole groups that go on at `position`; return the bytes written. Sets `is_cut` once the target is passed."""
        begin = file_offset_of(self.position.lsn)
        block_id = block_id_of(self.position.lsn)
        step = walk(log, self.position, before_scn=Scn(self._target + 1))
        taken, tail = step.size_bytes, b""
        if step.stop is WalkStop.BORDER:
            tail = cut(log[taken:], step.end, self._target)
            self.is_cut = True
        elif taken != len(log):
            raise CorruptionError(
                f"{where}: the log does not go on: {step.reason or 'a group is not whole'}",
                hint="the archived log is damaged there; a moment before it can be restored",
            )
        if taken or tail:
            descriptor = self._file(block_id, info, where)
            write_all(descriptor, begin, (log[:taken], tail))
        self.position = step.end if not tail else walk(tail, step.end).end
        return taken + len(tail)

    def finish(self) -> tuple[Position, int]:
        """Make the last file durable; return where the log ends and how many files there are.

        A log that ends with its block needs the next block's file: without it an engine may refuse to start (measured).
        Zeros are enough, as in a file the engine has just made.
        """
        self.close()
        if self._count and file_offset_of(self.position.lsn) == LOG_INFO_BYTES:
            path = self._directory.log_dir / str(block_id_of(self.position.lsn))
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._descriptor, LOG_BLOCK_BYTES)
            self._count += 1
            self.close()
        return self.position, self._count

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def _file(self, block_id: int, info: bytes, where: str) -> int:
        if self._descriptor is None or block_id != self._block_id:
            self.close()
            checked = decode_info_block(info) if info else None
            if checked is None or checked.block_id != block_id:
                raise CorruptionError(f"{where} has no info block of log block {block_id}")
            path = self._directory.log_dir / str(block_id)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._descriptor, LOG_BLOCK_BYTES)
            write_all(self._descriptor, 0, (info,))
            self._block_id = block_id
            self._count += 1
        return self._descriptor


def _sync_tree(directory: EngineDirectory) -> None:
    """Make every folder of the new directory durable: its files already are."""
    for folder, _, _ in os.walk(directory.root, topdown=False):
        disk.sync_folder(Path(folder))
