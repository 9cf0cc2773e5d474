"""The process that serves one tenant's lazily filled block file: `main(tenant_dir, path)`.

Detached like the engine, and for the same reason: the engine must survive a `kill -9` of the server, and its block file with it.
Three kinds of threads: libfuse's, which answer the engine; hydration's, which bring what nobody has touched, paced by
`pace.json` and out of the way while an engine waits; and a clerk, which marks, says how it goes and looks at the pace.

Secrets: data keys come from the keyring in the folder, never from the command line or the environment.
"""

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, decode_index
from holdfast.clock import Clock, SystemClock
from holdfast.defects import DefectError, begin_log
from holdfast.engine.liveness import identify
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import CorruptionError, HoldfastError
from holdfast.restore import block_mount
from holdfast.restore.lazy_file import BlockSource, LazyBlockFile
from holdfast.restore.lazy_place import HydrationPace, LazyPlace, ServerState
from holdfast.restore.lazy_source import DestinationBlocks, PatientBlocks
from holdfast.store.open import open_store
from holdfast.values.buffers import Buffer
from holdfast.values.destination import parse_uri
from holdfast.values.pace import LANES_MAX, TokenBucket, take

log = logging.getLogger("holdfast.blocks")

_LOCK_SECONDS_MAX = 5.0
"""Somebody who looks whether the lock is held holds it for a moment."""
_CLERK_SECONDS = 0.5
_YIELD_SECONDS_MAX = 1.0
"""How long hydration steps aside for the engine before it brings one block all the same: it must come to an end."""
_STEP_SECONDS = 0.005
_AWAY_SECONDS = 2.0
"""How long hydration waits after a failure, and between two rounds over what is left."""
_PR_SET_DUMPABLE = 4


class Troubles:
    """What keeps blocks from coming, in words. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = ""
        self._damage: dict[int, str] = {}

    def set_away(self, reason: str) -> None:
        """Note why no block comes (a destination that does not answer, a full disk here), "" when one did."""
        with self._lock:
            self._away = reason

    def add_damage(self, block_id: int, reason: str) -> None:
        """Note that a block's chunk is damaged. It is tried again in each round: somebody may repair it from a copy."""
        with self._lock:
            self._damage[block_id] = reason

    def forget_damage(self, block_id: int) -> None:
        with self._lock:
            self._damage.pop(block_id, None)

    def text(self) -> str:
        """Return a sentence, "" without trouble."""
        with self._lock:
            if self._damage:
                block_id, reason = next(iter(self._damage.items()))
                return f"{len(self._damage)} blocks are damaged at the destination, the first is {block_id}: {reason}"
            return f"blocks do not come: {self._away}" if self._away else ""


class ToldBlocks:
    """The same blocks, for whoever asks: what is damaged is noted, and forgotten when it came after all."""

    def __init__(self, source: BlockSource, troubles: Troubles) -> None:
        self._source = source
        self._troubles = troubles

    def get_block(self, block_id: int) -> Buffer:
        """Return and raise as the source does."""
        try:
            payload = self._source.get_block(block_id)
        except CorruptionError as error:
            self._troubles.add_damage(block_id, str(error))
            raise
        self._troubles.forget_damage(block_id)
        return payload


class Hydration:
    """Brings the blocks nobody has touched. `set_pace` lets it begin and says how fast it may go."""

    def __init__(
        self, file: LazyBlockFile, source: BlockSource, demand: PatientBlocks, troubles: Troubles, clock: Clock
    ) -> None:
        self._file = file
        self._source = source
        self._demand = demand
        self._troubles = troubles
        self._clock = clock
        self._turn = threading.Lock()
        self._round: Iterator[int] = iter(())
        self._round_at = 0.0
        self._resume_at = 0.0
        self._bucket = TokenBucket(at=clock.monotonic())
        self._pace = HydrationPace(threads=0, rate=0)
        self._threads: dict[int, threading.Thread] = {}

    def set_pace(self, pace: HydrationPace) -> None:
        """Take a new pace; threads that are missing begin, those too many end after their block."""
        self._pace = pace
        for number in range(min(pace.threads, LANES_MAX, self._file.missing_count)):
            thread = self._threads.get(number)
            if thread is None or not thread.is_alive():
                # Daemons: the process may end at any line of theirs.
                thread = threading.Thread(target=self._run, args=(number,), name=f"hydrate-{number}", daemon=True)
                self._threads[number] = thread
                thread.start()

    def _run(self, number: int) -> None:
        while number < self._pace.threads and self._file.missing_count:
            block_id = self._next()
            if block_id is None:
                self._clock.sleep(_CLERK_SECONDS)
                continue
            self._step_aside()
            try:
                self._file.ensure(block_id, self._source)
            except CorruptionError:
                pass  # told by the source; the next round tries again
            except (HoldfastError, OSError) as error:
                self._troubles.set_away(str(error))
                self._resume_at = self._clock.monotonic() + _AWAY_SECONDS
            except Exception as error:
                log.exception("block %d does not come", block_id)
                self._troubles.set_away(str(DefectError(error)))
                self._resume_at = self._clock.monotonic() + _AWAY_SECONDS
            else:
                self._troubles.forget_damage(block_id)  # the engine may have written the block itself
                self._troubles.set_away("")

    def _next(self) -> int | None:
        """Return the next block, None when it is not the time: nothing left in this round, or the destination is away."""
        with self._turn:
            now = self._clock.monotonic()
            if now < self._resume_at:
                return None
            block_id = next(self._round, None)
            if block_id is None and now >= self._round_at:
                # What failed, or came back because its round was cut short, is tried again.
                self._round, self._round_at = self._file.missing(), now + _AWAY_SECONDS
                block_id = next(self._round, None)
            return block_id

    def _step_aside(self) -> None:
        """Return when the engine waits for nothing (or has waited long enough) and the bandwidth is there."""
        end = self._clock.monotonic() + _YIELD_SECONDS_MAX
        while self._demand.waiting and self._clock.monotonic() < end:
            self._clock.sleep(_STEP_SECONDS)
        while True:
            with self._turn:
                # Read there, written here: as every restore pays.
                self._bucket, wait = take(
                    self._bucket, 2 * MACRO_BLOCK_BYTES, now=self._clock.monotonic(), rate=self._pace.rate
                )
            if wait <= 0:
                return
            self._clock.sleep(min(wait, _CLERK_SECONDS))


class _Clerk:
    """Marks what has come, says how it goes, looks at the pace: every half second, on a thread of its own."""

    def __init__(
        self, place: LazyPlace, file: LazyBlockFile, demand: PatientBlocks, hydration: Hydration, troubles: Troubles
    ) -> None:
        self._place = place
        self._file = file
        self._demand = demand
        self._hydration = hydration
        self._troubles = troubles
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Return when the last word is said."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        said: ServerState | None = None
        is_last = False
        while not is_last:
            is_last = self._ended.wait(_CLERK_SECONDS)
            try:
                self._file.sync()
                if not is_last:
                    self._hydration.set_pace(self._place.pace())
                state = ServerState(
                    is_complete=self._file.is_complete,
                    arrived_bytes=self._file.arrived_bytes,
                    trouble=self._troubles.text()[:1000],
                    demanded=self._demand.asked,
                )
                if state != said:
                    self._place.put_state(state)
                    said = state
            except OSError as error:
                log.error("blocks that came can not be marked: %s", error)  # a full disk; the next round tries again
            except Exception:
                log.exception("blocks that came can not be marked")


def main(tenant_dir: str, path: str) -> int:
    """Serve until unmounted or told to end; return the exit status. 3: another server lives."""
    begin_log(sys.stderr)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # data keys stay out of core files
    place, clock = LazyPlace(Path(tenant_dir)), SystemClock()
    if not _take_lock(place, clock):
        log.error("another block server of %s lives", tenant_dir)
        return 3
    table = read_table(place)
    order = place.order()
    keyring = place.keyring()
    keys = {
        holder.set_id: DataKey(key.secret)
        for holder in order.holders
        if (key := keyring.get(holder.set_id)) is not None
    }
    troubles = Troubles()
    plain = ToldBlocks(
        DestinationBlocks(table, order.holders, lambda source: open_store(parse_uri(source)), keys), troubles
    )
    demand = PatientBlocks(plain, clock, tell=troubles.set_away)
    file = LazyBlockFile(place.overlay, place.marks, table, demand)
    clerk = _Clerk(place, file, demand, Hydration(file, plain, demand, troubles, clock), troubles)
    clerk.begin()
    log.info("serving %s, %d blocks to come", path, file.missing_count)
    try:
        block_mount.serve(file, Path(path))
    except OSError as error:
        log.error("%s", error)
        return 1
    finally:
        clerk.end()
    log.info("ended, %d blocks to come", file.missing_count)
    return 0


def read_table(place: LazyPlace) -> BlockTable:
    """Return the image's index. Raises CorruptionError."""
    try:
        data = place.index.read_bytes()
    except OSError as error:
        raise CorruptionError(f"{place.index} can not be read: {error}") from error
    return decode_index([data], name=str(place.index)).table


def _take_lock(place: LazyPlace, clock: Clock) -> bool:
    identity = identify(os.getpid())
    assert identity is not None
    end = clock.monotonic() + _LOCK_SECONDS_MAX
    # The descriptor is never closed: the lock lives as long as this process.
    while place.take_lock(identity) is None:
        if clock.monotonic() > end:
            return False
        clock.sleep(_STEP_SECONDS)
    return True
