"""Folders of a file destination, opened step by step so that no symbolic link inside leads out of it.

Each function takes the open root or folder (a file descriptor) and gives back another one, which the caller closes.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from holdfast.store.store import TEMPORARY_FOLDER

FILE_MODE = 0o640
FOLDER_MODE = 0o750
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""A folder on the way to another one, which need not be readable. A symbolic link is ENOTDIR."""
FOREIGN = "lost+found"
"""A freshly made ext4 has this folder; a destination may be the root of a mount."""

RootJudge = Callable[[int], None]
"""Raises HoldfastError unless the open folder may be used."""

FOLDERS_MAX = 64
"""No object lies deeper: ours lie below 6 folders, an engine's small file below some more. Somebody's endless folders would use up our
descriptors and Python's stack."""


@contextmanager
def root_folder(path: str, judge: RootJudge | None = None) -> Iterator[int]:
    """Give the open root of a destination. The root itself may be a symbolic link: the administrator made it.

    Opened anew for each operation: a lasting descriptor would keep a file system from being unmounted and would go on
    writing below a mount point that something else was mounted over. `judge` sees what was opened, not what the path
    led to a moment ago, and all of the operation is done in just that folder.
    """
    descriptor = os.open(path, _OPEN_FOLDER)
    try:
        if judge is not None:
            judge(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def opened_at(descriptor: int) -> str:
    """Return where an open folder lies now, without symbolic links. Raises OSError.

    Source: proc(5), /proc/pid/fd. One that was removed has " (deleted)" behind its path, one outside our mounts begins with
    "(unreachable)": neither lies anywhere.
    """
    return os.readlink(f"/proc/self/fd/{descriptor}")


class DurableFolders:
    """Remembers which folders of a destination are known to survive a power cut.

    A folder's entry is durable only after an fsync of the folder above. Whoever finds a folder can not know whether its
    maker (another thread, a server killed a moment ago) came as far as that, so each store asks for it once.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[tuple[str, ...]] = set()

    def secure(self, parts: tuple[str, ...], above: int) -> None:
        """Make the folder's entry in the open folder `above` durable, unless that was done before."""
        if parts not in self._known:
            os.fsync(above)
            self._known.add(parts)

    def forget(self, parts: tuple[str, ...]) -> None:
        """Know nothing any more of a folder that is, or was, made anew or removed, and of what is below it."""
        self._known = {known for known in list(self._known) if known[: len(parts)] != parts}


@contextmanager
def inner_folder(root: int, parts: tuple[str, ...], *, create: DurableFolders | None = None) -> Iterator[int]:
    """Give the open folder below `root`, created and made durable with `create`.

    Raises OSError: ENOENT when it is absent and not to be created, ENOTDIR at a symbolic link or a file.
    """
    descriptor = os.dup(root)
    try:
        for depth, part in enumerate(parts, start=1):
            below = _step(descriptor, parts[:depth], part, create)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _step(folder: int, parts: tuple[str, ...], part: str, create: DurableFolders | None) -> int:
    try:
        below = os.open(part, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if create is None:
            raise
        create.forget(parts)
        with suppress(FileExistsError):  # another thread may make the same folder
            os.mkdir(part, FOLDER_MODE, dir_fd=folder)
        below = os.open(part, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
        set_mode(below, FOLDER_MODE)
    if create is not None:
        create.secure(parts, folder)
    return below


def make_root(path: str) -> None:
    """Make the directory `path` and what is missing above it, durably. Raises OSError."""
    above = os.path.dirname(path)
    if above != path and not os.path.isdir(above):
        make_root(above)
    try:
        os.mkdir(path, FOLDER_MODE)
    except FileExistsError:
        with suppress(PermissionError), root_folder(above) as descriptor:
            os.fsync(descriptor)  # its maker may have died before he came to that
        return
    with root_folder(path) as descriptor:
        set_mode(descriptor, FOLDER_MODE)
    with root_folder(above) as descriptor:
        os.fsync(descriptor)


def make_folder_at(path: str) -> None:
    """Make the directory `path`, in which no symbolic link may stand, and what is missing above it, durably.

    Each step is made in the folder that was opened before, so nobody who puts a link into the path leads us elsewhere: that is
    ENOTDIR. Raises OSError.
    """
    parts = path.strip("/").split("/")
    above = os.open("/", _STEP)
    try:
        for depth, part in enumerate(parts, start=1):
            try:
                below = os.open(part, _STEP, dir_fd=above)
                if depth == len(parts):
                    _make_entries_durable(above)  # its maker may have died before he came to that
            except FileNotFoundError:
                below = _make_step(above, part)
            os.close(above)
            above = below
    finally:
        os.close(above)


def _make_step(above: int, part: str) -> int:
    with suppress(FileExistsError):  # somebody else may make the same folder
        os.mkdir(part, FOLDER_MODE, dir_fd=above)
    made = os.open(part, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=above)
    try:
        set_mode(made, FOLDER_MODE)
        _make_entries_durable(above)
        return os.open(part, _STEP, dir_fd=above)
    finally:
        os.close(made)


def _make_entries_durable(folder: int) -> None:
    """Sync a folder that was opened as a step only. One that may not be read is left: what we made in it we can not sync."""
    with suppress(PermissionError):
        opened = os.open(".", _OPEN_FOLDER, dir_fd=folder)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def set_mode(descriptor: int, mode: int) -> None:
    """Set the mode whatever the process's umask is. Some network file systems have no modes: that is no failure."""
    with suppress(OSError):
        os.fchmod(descriptor, mode)


@dataclass(frozen=True, slots=True)
class Found:
    """A plain file below a folder. `name`: with the folders, from where the walk began."""

    name: str
    size_bytes: int


def walk_files(root: int, *, start: str = "", below: str = "") -> Iterator[Found]:
    """Yield every plain file whose name begins with `start`, sorted by name; folders that can not match are not read.

    A folder that vanishes during the walk is an empty one. Symbolic links, devices and sockets are not objects.
    Raises OSError when a folder can not be read: a listing that silently misses objects would let a sweep delete
    what they refer to.
    """
    try:
        with os.scandir(root) as entries:
            found = [(entry.name + ("/" if entry.is_dir(follow_symlinks=False) else ""), entry) for entry in entries]
    except FileNotFoundError:
        return
    # With the slash behind a folder's name the entries sort as the full names below them do.
    for key, entry in sorted(found, key=lambda item: item[0]):
        name = below + key
        if not below and entry.name in (TEMPORARY_FOLDER, FOREIGN):
            continue
        if key.endswith("/"):
            if name.count("/") > FOLDERS_MAX:
                continue
            if name.startswith(start) or start.startswith(name):
                yield from _walk_folder(root, entry.name, start, name)
        elif name.startswith(start):
            with suppress(FileNotFoundError):
                status = os.stat(entry.name, dir_fd=root, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield Found(name, status.st_size)


def _walk_folder(root: int, entry: str, start: str, name: str) -> Iterator[Found]:
    try:
        descriptor = os.open(entry, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=root)
    except FileNotFoundError:
        return
    try:
        yield from walk_files(descriptor, start=start, below=name)
    finally:
        os.close(descriptor)


def holds_anything(root: int, *, top: bool = True, depth: int = 0) -> bool:
    """Return whether there is anything but folders below `root`: links and devices of others count too, and endless folders."""
    if depth > FOLDERS_MAX:
        return True
    with os.scandir(root) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if top and name in (TEMPORARY_FOLDER, FOREIGN):
            continue
        if not is_folder:
            return True
        with inner_folder(root, (name,)) as below:
            if holds_anything(below, top=False, depth=depth + 1):
                return True
    return False


def remove_tree(folder: int, name: str) -> None:
    """Remove the folder `name` in `folder` with everything below it. Absent is done. Follows no link."""
    try:
        with inner_folder(folder, (name,)) as below:
            with os.scandir(below) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            for entry_name, is_folder in found:
                if is_folder:
                    remove_tree(below, entry_name)
                else:
                    with suppress(FileNotFoundError):
                        os.unlink(entry_name, dir_fd=below)
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        return
