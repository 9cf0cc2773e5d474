"""Our claim on log blocks: hard links beside the engine's directory, kept until the log is archived.

The engine renames a recycled block to `N.tmp` and unlinks it 3 to 10 ms later; inode numbers are reused at once. A hard
link made under the name `N` therefore keeps exactly the bytes of block N, whatever the engine does afterwards, and costs
no copy. Invariants:

- a link, once there, is never replaced: `link` of a block that is held says True and touches nothing;
- a link is a name for the engine's own file as long as the engine writes to it, so what is read through it is as live as
  the block itself.
"""

import errno
import os
from pathlib import Path

from holdfast import codes, disk
from holdfast.errors import EngineError


class SpoolHold:
    """Hard links of log blocks in `spool_dir`, which must lie on the file system of `log_dir`. `prepare` it before the first link."""

    def __init__(self, log_dir: Path, spool_dir: Path) -> None:
        self._log_dir = log_dir
        self._spool_dir = spool_dir

    def prepare(self) -> None:
        """Have the folder of the links. Repeatable. Raises EngineError, and makes nothing, when the log itself is gone."""
        if not self._log_dir.is_dir():
            raise EngineError(
                f"{self._log_dir} is not there", hint="mount its disk, or put the directory back; it is tried again"
            )
        disk.make_folder(self._spool_dir)

    def link(self, block_id: int) -> bool:
        """Return whether the block is now held; False if the engine has recycled it (or not made it yet).

        Repeatable. Durable when it returns True. Raises EngineError if the file system refuses.
        """
        try:
            os.link(self._log_dir / str(block_id), self.path(block_id))
        except FileExistsError:
            return True
        except FileNotFoundError:
            if self._spool_dir.is_dir():
                return False
            # What it held is told by its absence, block by block; what the engine still has can be held again.
            self.prepare()
            return self.link(block_id) if self._spool_dir.is_dir() else False
        except OSError as error:
            raise _refused(error, f"log block {block_id} can not be linked into {self._spool_dir}") from error
        self._sync()
        return True

    def link_all(self) -> tuple[int, ...]:
        """Hold every block the engine has now; return those newly held, sorted."""
        held = set(self.block_ids())
        return tuple(block_id for block_id in block_ids(self._log_dir) if block_id not in held and self.link(block_id))

    def block_ids(self) -> tuple[int, ...]:
        """Return the held blocks, sorted."""
        return block_ids(self._spool_dir)

    def links(self) -> tuple[tuple[int, Path], ...]:
        """Return held blocks and their paths, sorted by block id."""
        return tuple((block_id, self.path(block_id)) for block_id in self.block_ids())

    def path(self, block_id: int) -> Path:
        """Return where the link of `block_id` is or would be."""
        return self._spool_dir / str(block_id)

    def release(self, *, below: int) -> tuple[int, ...]:
        """Let go of every block with an id smaller than `below`; return them, sorted. Repeatable.

        Oldest first: a crash in between leaves a contiguous run of links.
        """
        released = tuple(block_id for block_id in self.block_ids() if block_id < below)
        for block_id in released:
            self.path(block_id).unlink(missing_ok=True)
        if released:
            self._sync()
        return released

    def size_bytes(self) -> int:
        """Return what the links alone keep on disk: allocated bytes of blocks the engine itself has let go of."""
        total = 0
        for _, path in self.links():
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            if found.st_nlink == 1:
                total += found.st_blocks * 512
        return total

    def _sync(self) -> None:
        """Make names durable: after a power loss a block whose link we relied on must still be there."""
        disk.sync_folder(self._spool_dir)


def block_ids(folder: Path) -> tuple[int, ...]:
    """Return the ids of the log blocks in `folder`, sorted. `N.tmp`, a block being made or removed, is not one."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return ()
    return tuple(sorted(int(name) for name in names if name.isascii() and name.isdigit()))


def _refused(error: OSError, what: str) -> EngineError:
    code = codes.OB_SERVER_OUTOF_DISK_SPACE if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    hint = "the spool must lie on the engine's file system" if error.errno == errno.EXDEV else ""
    return EngineError(f"{what}: {error.strerror}", hint=hint, code=code)
