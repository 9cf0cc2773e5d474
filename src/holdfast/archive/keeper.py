"""The keeper: links every new log block at once, and judges what the held log costs.

A block behind the engine's checkpoint is recycled within seconds of its last byte, so its link can not wait for an
upload. The keeper is therefore a thread of its own that does nothing else: what it holds, the follower archives in its
own time and then lets go of with `release`.

Invariant: every block with an id at or above the floor that the engine had while the keeper ran is held. The floor only
rises, and only to the block of the durable position.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Final

from holdfast.archive.pressure import SpoolFacts, SpoolLimits, SpoolVerdict, judge_spool
from holdfast.clock import Clock
from holdfast.defects import DefectError
from holdfast.engine.hold import SpoolHold, block_ids
from holdfast.engine.watch import LogDirectoryWatch
from holdfast.errors import EngineError, HoldfastError
from holdfast.values.destination import Binding

_LOG = logging.getLogger(__name__)
LOOK_SECONDS: Final = 0.5
"""How long the keeper waits for an event before it looks itself; inotify normally wakes it within a millisecond."""


class Keeper:
    """Holds one tenant's log from `start` to `stop`. Links outlive it: only `release` and `give_up` drop any."""

    def __init__(self, log_dir: Path, spool_dir: Path, *, limits: SpoolLimits, binding: Binding, clock: Clock) -> None:
        self._log_dir = log_dir
        self._spool_dir = spool_dir
        self._limits = limits
        self._binding = binding
        self._clock = clock
        self._hold = SpoolHold(log_dir, spool_dir)
        self._lock = threading.Lock()
        self._floor = 0
        self._ended = threading.Event()
        self._watch: LogDirectoryWatch | None = None
        self._thread: threading.Thread | None = None
        self._verdict = (SpoolVerdict.KEEP, "")
        self._trouble = ""
        self._is_retired = False

    @property
    def verdict(self) -> tuple[SpoolVerdict, str]:
        """Return the last judgement of the spool and its reason. Never blocks."""
        return self._verdict

    @property
    def trouble(self) -> str:
        """Return why links can not be made at the moment, empty while they can. Never blocks."""
        return self._trouble

    @property
    def is_running(self) -> bool:
        """Return whether new blocks are being held."""
        return self._thread is not None

    def start(self) -> None:
        """Hold what is there now, then go on in a thread. Repeatable. Raises EngineError when the first links fail."""
        if self._thread is not None:
            return
        if self._is_retired:
            raise EngineError("another follower holds this log")
        self._hold.prepare()
        self._floor = max(self._floor, min(self._hold.block_ids(), default=0))
        self._watch = LogDirectoryWatch(self._log_dir)
        self._link(self._watch.new_blocks(0))
        self._link(self._unheld())
        self._ended.clear()
        self._thread = threading.Thread(target=self._run, name=f"keeper {self._spool_dir.parent.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, keep the links. Repeatable."""
        self._ended.set()
        if self._watch is not None:
            self._watch.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def release(self, *, below: int) -> None:
        """Let go of every block before `below`; they are not held again. The floor never falls."""
        with self._lock:
            if not self._is_retired and (below > self._floor or min(self._hold.block_ids(), default=below) < below):
                self._floor = max(self._floor, below)
                self._hold.release(below=self._floor)

    def retire(self, *, releases: bool) -> None:
        """Stop for good, from another thread than the follower's, which hangs: what lies in the spool may soon be another's.

        `releases`: the round is over. Otherwise the links stay for whom goes on with it.
        """
        if releases:
            self.give_up()
        else:
            self.stop()
        with self._lock:
            self._is_retired = True

    def give_up(self) -> None:
        """Stop, and let go of everything: the round is over or lost."""
        if self._is_retired:
            return
        self.stop()
        with self._lock:
            self._hold.release(below=max(self._hold.block_ids(), default=0) + 1)
            self._floor = 0
            self._verdict = (SpoolVerdict.KEEP, "")

    def held_bytes(self) -> int:
        """Return the bytes that live only by our links."""
        return self._hold.size_bytes()

    def _run(self) -> None:
        assert self._watch is not None
        judged = self._clock.monotonic()
        while not self._ended.is_set():
            try:
                self._link(self._watch.new_blocks(LOOK_SECONDS))
                if self._clock.monotonic() - judged >= LOOK_SECONDS:
                    # The engine's folder as it is, too: a link refused a moment ago is tried again here.
                    self._link(self._unheld())
                    self._verdict = judge_spool(self._facts(), self._limits, self._binding)
                    judged = self._clock.monotonic()
                self._trouble = ""
            except (HoldfastError, OSError) as error:
                if not self._trouble:
                    _LOG.warning("log blocks of %s can not be held: %s", self._log_dir, error)
                self._trouble = str(error)
                self._ended.wait(0.05)
            except Exception as error:  # noqa: BLE001 - logged
                # The thread must outlive it: without it the engine's log is recycled and the round has a hole.
                trouble = DefectError(error).message
                if self._trouble != trouble:
                    _LOG.exception("log blocks of %s can not be held", self._log_dir)
                self._trouble = trouble
                self._ended.wait(0.05)

    def _link(self, candidates: tuple[int, ...]) -> None:
        with self._lock:
            for block_id in candidates:
                if block_id >= self._floor:
                    self._hold.link(block_id)

    def _unheld(self) -> tuple[int, ...]:
        held = set(self._hold.block_ids())
        return tuple(block_id for block_id in block_ids(self._log_dir) if block_id not in held)

    def _facts(self) -> SpoolFacts:
        disk = os.statvfs(self._spool_dir)
        return SpoolFacts(
            held_bytes=self._hold.size_bytes(),
            free_bytes=disk.f_bavail * disk.f_frsize,
            total_bytes=disk.f_blocks * disk.f_frsize,
        )
