"""The FUSE operations of one lazily filled block file, and whether this machine can have them.

The mount covers a plain, empty file: the mounted thing is the block file itself, at the very path where the engine looks.
Nothing is decided here; see `lazy_file`. `mfusepy` loads libfuse when it is imported, so it is imported where it is needed, and only
by `_mfusepy`: by itself it takes libfuse 2 where both are (borg, sshfs and AppImages bring it), which knows other options.

Whether a mount works here only a mount tells: `find_obstacle` makes one, of a tiny file, in a process of its own.
"""

import contextlib
import ctypes
import errno
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from ctypes.util import find_library
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import holdfast
from holdfast.errors import HoldfastError

log = logging.getLogger("holdfast.blocks")

FUSE_DEVICE = Path("/dev/fuse")
_SUBTYPE = "holdfast"
_MOUNT_TYPE = f"fuse.{_SUBTYPE}"
_FALLOC_FL_KEEP_SIZE = 1
_MNT_DETACH = 2
_THREADS_MAX = 100
"""Answers at once. Those that wait for a dead destination must leave room for those that need nothing from it."""
_BACKGROUND_MAX = 512
"""Asynchronous requests in the kernel's hands, and the engine's are: with the default of 12 a dozen that wait would stop all others."""
_NOT_BEGUN_MAX = 6
"""What libfuse answers for arguments, the mount, its session and its signal handlers; above it served, and a signal ended it."""
_T = TypeVar("_T")
_TRIAL_SECONDS_MAX: Final = 10.0
"""A mount is there after 0.3 s on an idle machine."""
_TRIAL_BYTES: Final = b"a file system of one file\n" * 200
_POLL_SECONDS: Final = 0.01


class ServedFile(Protocol):
    """What is mounted: a `LazyBlockFile`, or the trial's file."""

    @property
    def overlay_descriptor(self) -> int: ...
    def read(self, offset: int, size_bytes: int) -> bytes: ...
    def write(self, offset: int, data: bytes) -> int: ...
    def sync(self) -> None: ...
    def grow(self, size_bytes: int) -> None: ...
    def allocate(self, offset: int, size_bytes: int) -> None: ...


class Mount(StrEnum):
    """What lies over an engine's block file."""

    NONE = "none"
    LIVE = "live"
    DEAD = "dead"


def find_obstacle(device: Path = FUSE_DEVICE) -> str | None:
    """Return why no block file can be served through FUSE here, None when it can: found by mounting one (half a second).

    What was found good is not tried again by this process; an obstacle may be taken away meanwhile.
    """
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"{device} can not be opened: {error.strerror}"
    with _TRIAL_LOCK:
        if not _TRIED_GOOD:
            obstacle = _try_mount()
            if obstacle is not None:
                return obstacle
            _TRIED_GOOD.add(device)
    return None


def library() -> str:
    """Return which libfuse serves here, for people: its name and version, or why there is none."""
    try:
        mfusepy = _mfusepy()
    except (ImportError, AttributeError, OSError) as error:
        return f"no libfuse: {error}"
    return f"libfuse {mfusepy.fuse_version_major}.{mfusepy.fuse_version_minor}"


_TRIAL_LOCK = threading.Lock()
_TRIED_GOOD: set[Path] = set()


def _mfusepy() -> Any:
    """Return the binding with libfuse 3 loaded where it is, else libfuse 2. Raises ImportError, OSError, AttributeError.

    FUSE_LIBRARY_NAME and FUSE_LIBRARY_PATH, which the binding knows, decide where they are set.
    """
    if find_library("fuse3"):
        os.environ.setdefault("FUSE_LIBRARY_NAME", "fuse3")
    import mfusepy

    return mfusepy


def _try_mount() -> str | None:
    """Mount a tiny file and read it; return why that did not work."""
    found = library()
    if found.startswith("no libfuse"):
        return found
    folder = Path(tempfile.mkdtemp(prefix="holdfast-fuse-"))
    path, log_file = folder / "block_file", folder / "log"
    path.touch()
    (folder / "content").write_bytes(_TRIAL_BYTES)
    source = str(Path(holdfast.__file__).parents[1])
    program = (
        f"import sys; sys.path.insert(0, {source!r}); from holdfast.restore.block_mount import serve_trial;"
        " serve_trial(sys.argv[1])"
    )
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", program, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _TRIAL_SECONDS_MAX
        while not is_mounted(path):
            if process.poll() is not None or time.monotonic() > deadline:
                told = log_file.read_text(errors="replace").strip().splitlines()
                return f"a mount was tried and failed ({found}): {told[-1] if told else 'no word'}"
            time.sleep(_POLL_SECONDS)
        return (
            None
            if _read_in_time(path) == _TRIAL_BYTES
            else f"a mount was tried and does not give back its bytes ({found})"
        )
    finally:
        with contextlib.suppress(OSError):
            unmount(path)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _read_in_time(path: Path) -> bytes:
    """Return what the file holds, nothing when it is not read in time or fails: a broken server may never answer."""
    found: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(_TRIAL_SECONDS_MAX)
    return found[0] if found else b""


class _TrialFile:
    """A small file that is read only."""

    def __init__(self, path: Path) -> None:
        self.overlay_descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, offset: int, size_bytes: int) -> bytes:
        return os.pread(self.overlay_descriptor, size_bytes, offset)

    def write(self, offset: int, data: bytes) -> int:
        raise OSError(errno.EROFS, "read only")

    def sync(self) -> None:
        return

    def grow(self, size_bytes: int) -> None:
        raise OSError(errno.EROFS, "read only")

    def allocate(self, offset: int, size_bytes: int) -> None:
        raise OSError(errno.EROFS, "read only")


def serve_trial(folder: str) -> None:
    """Serve the trial's file until it is unmounted (called in the trial's process)."""
    serve(_TrialFile(Path(folder, "content")), Path(folder, "block_file"))


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


def serve(file: ServedFile, path: Path) -> None:
    """Mount `file` over the plain file `path` and serve it until it is unmounted or this process gets SIGTERM.

    Raises OSError when it can not be mounted; libfuse has said why on stderr.
    """
    mfusepy = _mfusepy()
    options: dict[str, Any] = {}
    if mfusepy.fuse_version_major >= 3:  # libfuse 2 refuses words that it does not know
        options["max_idle_threads"] = 10
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


def _operations(mfusepy: Any, file: ServedFile) -> Any:
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
