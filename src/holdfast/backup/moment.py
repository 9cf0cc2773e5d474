"""Finding the moment: passes over a running engine until one meets no change, or a pause that makes one.

Every pass reads in the order that `plan` proves: the log's meta, meta.db and etc and slog, super blocks, block heads.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast import codes
from holdfast.backup.copier import Copier
from holdfast.backup.journal import BaseBlock, Image, Pause, SmallFile
from holdfast.backup.plan import PassOutcome, PassPolicy, Step, next_step
from holdfast.clock import Clock
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import CorruptionError, EngineError

_REST_SECONDS = 0.05
_RESTS_MAX = 20
"""Rest after the n-th pass: n times 0.05 s, at most 20 times. What hinders is mostly a merge, which lasts seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An image that is whole: everything that belongs to its blocks, which are in the copier's table.

    `pause_ns`: how long the engine was stopped, in all; None if never. `left_out_count`: blocks that were being written
    at that moment, which no slog names yet.
    """

    files: tuple[SmallFile, ...]
    super_blocks: tuple[bytes, bytes]
    base: BaseBlock
    block_file_size_bytes: int
    pass_count: int
    pause_ns: int | None = None
    left_out_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Everything of an image but its blocks, read in the order that counts."""

    files: tuple[SmallFile, ...]
    slog_names: tuple[str, ...]
    super_blocks: tuple[bytes, bytes]
    base: BaseBlock | None


class Search:
    """One backup's search for its moment. `check` raises to end it."""

    def __init__(
        self, image: Image, copier: Copier, policy: PassPolicy, clock: Clock, check: Callable[[], None]
    ) -> None:
        self._image = image
        self._copier = copier
        self._policy = policy
        self._clock = clock
        self._check = check
        self._outcomes: list[PassOutcome] = []
        self._paused_ns = 0

    def run(self) -> Moment:
        """Return the moment; the copier's table then holds exactly its blocks (the super blocks apart).

        Raises EngineError -4012 when neither passes nor pauses found one, CorruptionError when the engine's files are
        damaged, and whatever `check` raises.
        """
        first_end = 0.0
        while True:
            moment = self._pass()
            if moment is not None:
                return moment
            if len(self._outcomes) == 1:
                first_end = self._clock.monotonic()
            step = next_step(self._outcomes, self._clock.monotonic() - first_end, self._policy)
            if step is Step.PAUSE:
                return self._pause()
            for _ in range(min(len(self._outcomes), _RESTS_MAX)):
                self._check()
                self._clock.sleep(_REST_SECONDS)

    def _pass(self, *, always_shared: bool = False) -> Moment | None:
        """Take one pass; return the moment if it was one."""
        self._check()
        begin = self._clock.monotonic()
        frame = self._read_frame(patient=True)
        copied = self._copier.copy_pass(always_shared=always_shared)
        outcome = PassOutcome(
            changed_count=copied.changed_count,
            broken_count=copied.broken_count,
            are_super_blocks_same=self._image.super_blocks() == frame.super_blocks,
            are_slog_names_same=self._image.slog_names() == frame.slog_names,
            is_base_block_present=frame.base is not None,
            seconds=self._clock.monotonic() - begin,
        )
        self._outcomes.append(outcome)
        if outcome.obstacle or frame.base is None:
            return None
        return self._moment(frame, frame.base, self._copier.block_count)

    def _pause(self) -> Moment:
        """Stop the engine for a look. A pass just before it leaves little to read in the pause."""
        trouble = self._outcomes[-1].obstacle
        for _ in range(self._policy.pauses_max):
            moment = self._pass(always_shared=True)
            if moment is not None:
                return moment
            expected, shared = self._copier.expected_heads(), self._copier.shared_ids()
            pause: Pause | None = None
            try:
                with self._image.pause() as pause:
                    frame = self._read_frame(patient=False)
                    block_count = self._image.block_count()
                    found = self._copier.look_paused(expected, shared, self._policy.paused_blocks_max)
            except (EngineError, CorruptionError) as error:
                # The guard ended the pause, or a write already begun was caught half done: nothing was kept of it.
                trouble = error.message
                continue
            finally:
                self._paused_ns += pause.elapsed_ns if pause is not None else 0
            if found is None or frame.base is None:
                trouble = "more blocks changed at once than a pause has time to read"
                continue
            left_out_count = self._copier.take_paused(found)
            return self._moment(frame, frame.base, block_count, pause_ns=self._paused_ns, left_out_count=left_out_count)
        raise EngineError(
            f"no moment of the engine's files found in {len(self._outcomes)} passes and {self._policy.pauses_max} pauses:"
            f" {trouble}",
            hint="repeat the backup when the tenant is merging less",
            code=codes.OB_TIMEOUT,
        )

    def _read_frame(self, *, patient: bool) -> _Frame:
        clog_meta = self._image.clog_meta()
        base = self._image.base_block(clog_meta)
        names = self._image.slog_names()
        files = self._image.small_files(patient=patient)
        super_blocks = self._image.super_blocks()
        return _Frame(files=(*clog_meta, *files), slog_names=names, super_blocks=super_blocks, base=base)

    def _moment(
        self,
        frame: _Frame,
        base: BaseBlock,
        block_count: int,
        *,
        pause_ns: int | None = None,
        left_out_count: int = 0,
    ) -> Moment:
        return Moment(
            files=frame.files,
            super_blocks=frame.super_blocks,
            base=base,
            block_file_size_bytes=block_count * MACRO_BLOCK_BYTES,
            pass_count=len(self._outcomes),
            pause_ns=pause_ns,
            left_out_count=left_out_count,
        )
