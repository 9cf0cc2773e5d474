"""The FUSE operations of one lazily filled block file, and whether this machine can have them.

The mount covers a plain, empty file: the mounted thing is the block file itself, at the very path where the engine looks.
Nothing is decided here; see `lazy_file`. `mfusepy` loads libfuse when it is imported, so it is imported where it is needed.
"""

import ctypes
import errno
import logging
import os
import shutil
import stat
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from holdfast.errors import HoldfastError
from holdfast.restore.lazy_file import LazyBlockFile

log = logging.getLogger("holdfast.blocks")

FUSE_DEVICE = Path("/dev/fuse")
_SUBTYPE = "holdfast"
_MOUNT_TYPE = f"fuse.{_SUBTYPE}"
_FALLOC_FL_KEEP_SIZE = 1
_CAP_SYS_ADMIN = 21
_MNT_DETACH = 2
_THREADS_MAX = 100
"""Answers at once. Those that wait for a dead destination must leave room for those that need nothing from it."""
_BACKGROUND_MAX = 512
"""Asynchronous requests in the kernel's hands, and the engine's are: with the default of 12 a dozen that wait would stop all others."""
_NOT_BEGUN_MAX = 6
"""What libfuse answers for arguments, the mount, its session and its signal handlers; above it served, and a signal ended it."""
_T = TypeVar("_T")


class Mount(StrEnum):
    """What lies over an engine's block file."""

    NONE = "none"
    LIVE = "live"
    DEAD = "dead"


def find_obstacle(device: Path = FUSE_DEVICE) -> str | None:
    """Return why no block file can be served through FUSE here, None when it can. What only a mount can tell is not known."""
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"{device} can not be opened: {error.strerror}"
    try:
        import mfusepy  # noqa: F401
    except (ImportError, OSError) as error:
        return f"libfuse can not be loaded: {error}"
    if not _may_mount():
        helper = shutil.which("fusermount3") or shutil.which("fusermount")
        if helper is None:
            return "this user may not mount, and there is no fusermount3"
        found = os.stat(helper)
        if not (found.st_mode & stat.S_ISUID and found.st_uid == 0):
            return f"this user may not mount, and {helper} is not setuid root"
    return None


def is_mounted(path: Path) -> bool:
    """Return whether a block file is mounted over the file `path`, dead or alive. Never waits."""
    wanted = os.path.realpath(path.parent) + "/" + path.name
    return any(place == wanted for place in mounts_below(path.parent))


def mount_over(path: Path) -> Mount:
    """Return what lies over the file `path`."""
    if not is_mounted(path):
        return Mount.NONE
    try:
        os.stat(path)
    except OSError:
        return Mount.DEAD
    return Mount.LIVE


def mounts_below(folder: Path) -> list[str]:
    """Return the paths of this program's mounts below `folder`, whoever serves them or not."""
    root = os.path.realpath(folder)
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            left, _, right = line.partition(" - ")
            place = left.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
            place = place.encode("latin-1", "surrogateescape").decode("utf-8", "surrogateescape")
            if right.startswith(_MOUNT_TYPE + " ") and place.startswith(root + "/"):
                found.append(place)
    return found


def unmount(path: str | Path) -> None:
    """Take every mount away from `path`, at once, even when files in it are open. Raises OSError when one stays.

    Repeatable. Who has a file open in it keeps a file that answers ENOTCONN, unless its server lives.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for _ in range(8):  # mounts may lie upon each other; more than one is already odd
        if libc.umount2(os.fsencode(path), _MNT_DETACH) == 0:
            continue
        number = ctypes.get_errno()
        if number in (errno.EINVAL, errno.ENOENT):
            return  # not a mount
        helper = shutil.which("fusermount3") or shutil.which("fusermount")
        if (
            number == errno.EPERM
            and helper is not None
            and os.spawnv(os.P_WAIT, helper, [helper, "-u", "-z", "-q", "--", os.fspath(path)]) == 0
        ):
            continue
        if os.fspath(path) not in mounts_below(Path(path).parent):
            return
        raise OSError(number, f"{path} can not be unmounted: {os.strerror(number)}")


def serve(file: LazyBlockFile, path: Path) -> None:
    """Mount `file` over the plain file `path` and serve it until it is unmounted or this process gets SIGTERM.

    Raises OSError when it can not be mounted; libfuse has said why on stderr.
    """
    import mfusepy

    options: dict[str, Any] = {"max_idle_threads": 10}
    if (mfusepy.fuse_version_major, mfusepy.fuse_version_minor) >= (3, 12):
        options["max_threads"] = _THREADS_MAX  # 10 otherwise; libraries before had no bound
    if os.geteuid() == 0:
        options["allow_other"] = True  # an engine fenced by a user id of its own; folders above keep others out
    try:
        mfusepy.FUSE(
            _operations(mfusepy, file),
            os.fspath(path),
            foreground=True,
            nothreads=False,
            fsname="holdfast-blocks",
            subtype=_SUBTYPE,
            **options,
        )
    except RuntimeError as error:
        if error.args[0] <= _NOT_BEGUN_MAX:
            raise OSError(errno.EIO, f"{path} can not be mounted over: libfuse answers {error}") from error


def _operations(mfusepy: Any, file: LazyBlockFile) -> Any:
    def answer(call: Callable[[], _T]) -> _T:
        """Return what `call` returns; turn its failure into an error number, never into bytes."""
        try:
            return call()
        except OSError as error:
            raise mfusepy.FuseOSError(error.errno or errno.EIO) from error
        except HoldfastError as error:
            log.error("a read or write of the engine fails: %s", error)
            raise mfusepy.FuseOSError(errno.EIO) from error
        except Exception as error:
            log.exception("a read or write of the engine fails")
            raise mfusepy.FuseOSError(errno.EIO) from error

    class Operations(mfusepy.Operations):  # type: ignore[misc]
        use_ns = True

        def init_with_config(self, connection: Any, config: Any) -> None:
            if connection is not None:
                connection.max_background = _BACKGROUND_MAX
                connection.congestion_threshold = _BACKGROUND_MAX

        def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
            found = os.fstat(file.overlay_descriptor)
            return {
                "st_mode": stat.S_IFREG | 0o600,
                "st_nlink": 1,
                "st_uid": os.geteuid(),
                "st_gid": os.getegid(),
                "st_size": found.st_size,
                "st_blocks": found.st_blocks,
                "st_mtime": found.st_mtime_ns,
                "st_ctime": found.st_ctime_ns,
                "st_atime": found.st_atime_ns,
            }

        def open(self, path: str, flags: int) -> int:
            return 0

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            return answer(lambda: file.read(offset, size))

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            return answer(lambda: file.write(offset, data))

        def chown(self, path: str, uid: int, gid: int) -> int:
            return 0  # a fence by user ids gives the whole directory away; what this file needs is `allow_other`

        def fsync(self, path: str, datasync: int, fh: int) -> int:
            answer(file.sync)
            return 0

        def flush(self, path: str, fh: int) -> int:
            return 0

        def truncate(self, path: str, length: int, fh: int | None = None) -> int:
            answer(lambda: file.grow(length))
            return 0

        def fallocate(self, path: str, mode: int, offset: int, length: int, fh: int) -> int:
            if mode & ~_FALLOC_FL_KEEP_SIZE:
                raise mfusepy.FuseOSError(errno.EOPNOTSUPP)
            answer(lambda: file.allocate(offset, length))
            return 0

        def statfs(self, path: str) -> dict[str, int]:
            found = os.fstatvfs(file.overlay_descriptor)
            names = (
                "f_bavail",
                "f_bfree",
                "f_blocks",
                "f_bsize",
                "f_favail",
                "f_ffree",
                "f_files",
                "f_flag",
                "f_frsize",
            )
            return {name: getattr(found, name) for name in (*names, "f_namemax")}

    return Operations()


def _may_mount() -> bool:
    """Return whether this process has the right to mount, without a helper."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> _CAP_SYS_ADMIN & 1)
    except OSError:
        return False
    return False
