"""What a backup asks of its surroundings: a journal to report to, a log whose tail it may trust, an image to copy."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from holdfast.engine_format.macro_block import BlockKinds
from holdfast.values.backup_set import TaskStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How far a backup is; true when given. Units: bytes read from the engine, bytes written to the destination.

    `block_count` is what the image holds as far as it is known; `block_done_count` reaches it only with the manifest.
    `meta_bytes` is the part of `output_bytes` that is not table data.
    """

    block_count: int = 0
    block_done_count: int = 0
    input_bytes: int = 0
    output_bytes: int = 0
    meta_bytes: int = 0
    object_count: int = 0
    log_object_count: int = 0
    log_object_done_count: int = 0


class Journal(Protocol):
    """How a backup tells and asks. Called from the backup's own thread only, never from its workers."""

    def check(self) -> None:
        """Return at once when the work may go on.

        Raises CanceledError when the user cancelled, RefusedError -9027 or -9029 when the archive round is no longer
        the same and DOING, -4143 when the tenant's engine was replaced by another version.
        """
        ...

    def begin_commit(self) -> None:
        """Return when the manifest may be put: from here on the backup can not be cancelled any more. Raises as `check`."""
        ...

    def begin_phase(self, phase: TaskStatus) -> None:
        """Record the phase the task is in now."""
        ...

    def know_scns(self, *, start_scn: Scn, end_scn: Scn | None) -> None:
        """Record START_SCN when the work begins, and END_SCN when the image is accepted."""
        ...

    def note(self, figures: Figures) -> None:
        """Record how far the work is. Called at most twice a second."""
        ...


class LogTail(Protocol):
    """The archive's follower of this tenant, as a backup sees it."""

    def start_lsn(self) -> Lsn:
        """Return the first LSN the archive round holds."""
        ...

    def tail_after(self) -> tuple[Lsn, Scn]:
        """Return the verified end of the live log, found by a walk that began after this call."""
        ...

    def request_flush(self, until_scn: Scn) -> None:
        """Ask that the log up to `until_scn` be archived now, whatever the lag target."""
        ...

    def checkpoint_scn(self) -> Scn:
        """Return the SCN up to which everything is durable in the archive."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallFile:
    """One small file of an image. `name` is relative to the engine's directory; `size_bytes` counts the zeros left
    off at the end of `data` (the engine preallocates)."""

    name: str
    data: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseBlock:
    """The log's base block, where replay of an image begins. `min_scn`: nothing in the block lies below it."""

    lsn: Lsn
    min_scn: Scn


class Pause(Protocol):
    """A pause of the engine, going on or over."""

    @property
    def elapsed_ns(self) -> int:
        """Return how long the engine has been, or was, stopped, in nanoseconds."""
        ...


class Image(Protocol):
    """A tenant's engine as files. Reading never disturbs it. Safe to call from several threads."""

    def read_bytes(self) -> int:
        """Return how many bytes were read of the engine's files so far, every read counted, repeated ones too."""
        ...

    @property
    def block_kinds(self) -> BlockKinds:
        """Return what the types of this engine's macro blocks are."""
        ...

    def block_count(self) -> int:
        """Return how many macro blocks block_file has room for now."""
        ...

    def read_head(self, block_id: int) -> bytes:
        """Return the first 4 KiB of a block."""
        ...

    def read_block(self, block_id: int, buffer: memoryview) -> None:
        """Fill `buffer` (2 MiB) with a block. Raises EngineError when the file ends inside it."""
        ...

    def expect_block(self, block_id: int) -> None:
        """Hint that this block is read soon, so that the disk works while the processor does."""
        ...

    def expect_heads(self, run: range) -> None:
        """Hint that the heads of these blocks are read soon."""
        ...

    def forget_block(self, block_id: int) -> None:
        """Hint that of this block only the head is read again, so that the page cache stays the machine's."""
        ...

    def clog_meta(self) -> tuple[SmallFile, ...]:
        """Return the log's meta files, each read whole."""
        ...

    def base_block(self, clog_meta: Iterable[SmallFile]) -> BaseBlock | None:
        """Return the base block that `clog_meta` names, None when it is no longer in the log folder."""
        ...

    def small_files(self, *, patient: bool = True) -> tuple[SmallFile, ...]:
        """Return meta.db, etc and the slog, each verified and unmoved while it was read.

        `patient`: wait up to a second for them to come to rest; else a few milliseconds (the engine is paused).
        Raises EngineError when they do not come to rest, CorruptionError when they stay wrong.
        """
        ...

    def super_blocks(self) -> tuple[bytes, bytes]:
        """Return macro blocks 0 and 1 whole. Raises CorruptionError when one stays wrong."""
        ...

    def slog_names(self) -> tuple[str, ...]:
        """Return the names of the slog files, sorted."""
        ...

    def blocks_in_use(self) -> frozenset[int] | None:
        """Return the blocks the engine's own dictionary lists, None when it can not be asked."""
        ...

    def pause(self) -> AbstractContextManager[Pause]:
        """Stop the engine inside the context.

        A guard ends the pause after half a second, whatever we do; then leaving the context raises EngineError.
        """
        ...
