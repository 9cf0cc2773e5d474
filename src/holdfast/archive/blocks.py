"""Reading the engine's log blocks, through our links or, where a block is not linked yet, from the engine's folder."""

import contextlib
import os
from pathlib import Path
from typing import Final

from holdfast.engine.hold import block_ids
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, LOG_INFO_BYTES, block_id_of, file_offset_of
from holdfast.engine_format.log_meta import META_PAGE_BYTES, base_lsn
from holdfast.errors import HoldfastError
from holdfast.values.lsn import Lsn

READ_BYTES_LEAST: Final = 16 << 10
"""What an idle look reads: a keep-alive group is some 350 bytes, and unwritten space costs no disk access."""

_META_READ_BYTES: Final = 1 << 20


class LogMissingError(HoldfastError):
    """A block that must be archived is gone, while newer ones are there: the engine recycled it."""

    def __init__(self, block_id: int, present: tuple[int, ...]) -> None:
        super().__init__(
            f"log block {block_id} was recycled before it was archived, blocks present: {present[0]} to {present[-1]}"
        )
        self.block_id = block_id
        self.present = present


class BlockReader:
    """Reads one log by LSN. Keeps the file of the last block open, so a recycled block stays readable. One thread only."""

    def __init__(self, log_dir: Path, spool_dir: Path) -> None:
        self._folders = (spool_dir, log_dir)
        self._block_id = -1
        self._file = -1

    def block_ids(self) -> tuple[int, ...]:
        """Return every block that can be read now, sorted. A spool that can not be listed adds none."""
        spool_dir, log_dir = self._folders
        found = set(block_ids(log_dir))
        with contextlib.suppress(OSError):
            found.update(block_ids(spool_dir))
        return tuple(sorted(found))

    def read_into(self, lsn: Lsn, buffer: memoryview) -> int:
        """Fill `buffer` from `lsn` on and return how many bytes, never more than the block has; 0: not there yet.

        Raises LogMissingError if the block is gone while newer ones are there.
        """
        if not self._open(block_id_of(lsn)):
            return 0
        offset = file_offset_of(lsn)
        return os.preadv(self._file, [buffer[: LOG_BLOCK_BYTES - offset]], offset)

    def info(self, block_id: int) -> bytes | None:
        """Return the 4096 bytes of a block's info block as they are now; None if the block is not there yet."""
        return os.pread(self._file, LOG_INFO_BYTES, 0) if self._open(block_id) else None

    def peek_info(self, block_id: int) -> bytes | None:
        """Return like `info`, without leaving the block that is open; None if there is no such block now."""
        found = self._found(block_id)
        if found is None:
            return None
        try:
            return os.pread(found, LOG_INFO_BYTES, 0)
        finally:
            os.close(found)

    def written_ns(self, block_id: int) -> int:
        """Return when the block's file was last written, ns since the epoch; 0 if it is not there."""
        return os.fstat(self._file).st_mtime_ns if self._open(block_id) else 0

    def has(self, block_id: int) -> bool:
        """Return whether the block can be read now."""
        return block_id == self._block_id or any((folder / str(block_id)).exists() for folder in self._folders)

    def close(self) -> None:
        """Let go of the open file. Repeatable."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._block_id = -1, -1

    def _open(self, block_id: int) -> bool:
        if block_id == self._block_id:
            return True
        if self._opened(block_id):
            return True
        present = self.block_ids()
        if not present or block_id > present[-1]:
            return False
        if block_id in present and self._opened(block_id):  # it appeared between the two looks
            return True
        raise LogMissingError(block_id, present)

    def _opened(self, block_id: int) -> bool:
        found = self._found(block_id)
        if found is None:
            return False
        self.close()
        self._file, self._block_id = found, block_id
        return True

    def _found(self, block_id: int) -> int | None:
        """Return the block's file, opened; None if neither folder has it.

        A spool that can not be read keeps nobody from the engine's folder; only a block that is not there either is not
        known to be gone, and the spool's error is raised.
        """
        trouble: OSError | None = None
        for folder in self._folders:
            try:
                return os.open(folder / str(block_id), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                continue
            except OSError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return None


def read_base_lsn(log_meta_dir: Path) -> Lsn | None:
    """Return the LSN the engine's replay would begin at now, None when it has not recorded one yet.

    Source: the newest file of the log's meta folder; the file may be preallocated, what counts is its last valid page.
    """
    files = block_ids(log_meta_dir)
    if not files:
        return None
    pages = bytearray()
    with (log_meta_dir / str(files[-1])).open("rb") as file:
        while part := file.read(_META_READ_BYTES):
            pages += part
            if not any(part[-META_PAGE_BYTES:]):
                break
    return base_lsn(pages)
