"""A directory as a destination: local disk, NFS, anything mounted.

Theory of operation. A new object is written to a file in `.holdfast-tmp/`, synced, renamed to its name, and the folder
it now lies in is synced. So a name never shows unfinished bytes, and a call that returned survives a power cut. A crash
leaves at most files in `.holdfast-tmp/`, which no listing shows and `sweep` removes.

Each temporary file is locked (flock) as long as its writer lives, so a sweep by another server, or by another store in
this one, never takes a living writer's file: a lock dies with its process, however that ends.

Invariants:
- nothing outside the root is opened or changed, whatever names or symbolic links lie in it (`folder.py`);
- a root that held its format file and holds it no more is another folder (that under a mount which is gone), and nothing is
  written, removed or believed there: an object that is not found was not deleted;
- what an append wrote lies under its name when it returns: an open file lives on where its folder was moved away or its name
  was given to another file, and nobody would find there what is appended;
- a failed sync is never tried again on the same file (the kernel may have dropped the pages that failed): the file is
  given up and the caller writes the object anew.
"""

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from holdfast import codes
from holdfast.backup_format.names import FORMAT_FILE
from holdfast.errors import (
    ConflictError,
    CorruptionError,
    HoldfastError,
    NotFoundError,
    ObjectReplacedError,
    StoreUnavailableError,
)
from holdfast.store.failure import object_error, unavailable
from holdfast.store.folder import (
    FILE_MODE,
    DurableFolders,
    RootJudge,
    holds_anything,
    inner_folder,
    make_root,
    remove_tree,
    root_folder,
    set_mode,
    walk_files,
)
from holdfast.store.page_cache import ReadAhead, WriteBehind, begin_writing, drop
from holdfast.store.store import TEMPORARY_FOLDER, Appender, ObjectInfo, ObjectReader, ObjectWriter, check_name, nothing
from holdfast.store.whole_write import write_all
from holdfast.values.buffers import Buffer
from holdfast.values.object_name import is_object_name

_OPEN_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: a FIFO put there must not hang us
_LARGE_BYTES = 1 << 20
"""What is at least so large is not kept in the page cache: small objects are read again soon, large ones are not."""
_TEMPORARY = (TEMPORARY_FOLDER,)
_REMOVED_IN_PLACE = frozenset({errno.EXDEV, errno.ENOSPC, errno.EDQUOT})
"""A folder that is a mount of its own can not be moved away, and on a full disk none can be made to move it to."""


class FileStore:
    """The directory `path`. The promises are those of `store.Store`."""

    def __init__(self, path: str, *, create: bool = False, judge: RootJudge | None = None) -> None:
        """Take an existing directory, or make it. `judge` is asked at each operation where the path leads.

        Raises NotFoundError (-9120) when it is absent and not to be made, StoreUnavailableError when it can not be used.
        """
        self._path = path
        self._judge = judge
        self._folders = DurableFolders()
        self._is_claimed = False
        try:
            if create:
                make_root(path)
            with root_folder(path, judge):
                pass
        except FileNotFoundError as error:
            if create or os.path.islink(path):  # a link to nowhere: a mount that is missing, not a wrong path
                raise unavailable(error, "open", path) from error
            raise object_error(error, "open", path) from error
        except OSError as error:
            raise unavailable(error, "open", path) from error

    @property
    def location(self) -> str:
        return f"file://{self._path}"

    def put(self, name: str, data: Buffer) -> None:
        with self.writer(name) as writer:
            writer.write(data)
            writer.commit()

    def put_new(self, name: str, data: Buffer) -> None:
        with self._writer(name) as writer:
            writer.write(data)
            writer.commit_new()

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        with self._reader(name) as reader:
            return reader.read(offset, max(reader.size_bytes - offset, 0) if size is None else size)

    def reader(self, name: str) -> ObjectReader:
        return self._reader(name)

    def _reader(self, name: str) -> "_FileReader":
        parts = check_name(name)
        with self._root("read", name, object_error) as root, inner_folder(root, parts[:-1]) as folder:
            descriptor = os.open(parts[-1], os.O_RDONLY | _OPEN_FILE, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise FileNotFoundError(errno.ENOENT, "not a plain file")
            except BaseException:
                os.close(descriptor)
                raise
            return _FileReader(descriptor, status.st_size, self._text(name))

    def stat(self, name: str) -> int | None:
        parts = check_name(name)
        try:
            with self._root("look at", name, object_error) as root, inner_folder(root, parts[:-1]) as folder:
                status = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        except NotFoundError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._root("list", prefix, unavailable) as root:
            for found in walk_files(root, start=prefix):
                # Others' files may have names that no object has: what reads, deletes or tells of one would fail on it.
                if is_object_name(found.name):
                    yield ObjectInfo(name=found.name, size_bytes=found.size_bytes)

    def delete(self, name: str) -> None:
        parts = check_name(name)
        with (
            suppress(NotFoundError),
            self._root("delete", name, object_error) as root,
            inner_folder(root, parts[:-1]) as folder,
        ):
            with suppress(IsADirectoryError):
                os.unlink(parts[-1], dir_fd=folder)
            os.fsync(folder)

    def delete_tree(self, folder: str) -> None:
        parts = check_name(folder)
        with (
            suppress(NotFoundError),
            self._root("delete", folder, object_error) as root,
            inner_folder(root, parts[:-1]) as above,
        ):
            if stat.S_ISDIR(os.stat(parts[-1], dir_fd=above, follow_symlinks=False).st_mode):
                self._folders.forget(parts)
                self._remove(root, above, parts[-1])

    def _remove(self, root: int, above: int, name: str) -> None:
        trash = secrets.token_hex(8)
        try:
            with inner_folder(root, _TEMPORARY, create=self._folders) as temporary:
                # One step makes all of it invisible; a crash behind it leaves rubbish for the next sweep.
                os.rename(name, trash, src_dir_fd=above, dst_dir_fd=temporary)
        except OSError as error:
            if error.errno not in _REMOVED_IN_PLACE:
                raise
            remove_tree(above, name)
            os.fsync(above)
            return
        os.fsync(above)
        with inner_folder(root, _TEMPORARY) as temporary:
            remove_tree(temporary, trash)

    def writer(self, name: str) -> ObjectWriter:
        return self._writer(name)

    def _writer(self, name: str) -> "_FileWriter":
        parts = check_name(name)
        with self._root("write", name, unavailable) as root:
            temporary = _Temporary(root, self._folders)
        return _FileWriter(self, parts, temporary)

    def publish(self, parts: tuple[str, ...], temporary: "_Temporary", *, replace: bool) -> None:
        """Give a synced temporary file its name (called by its writer). Raises ConflictError when it may not replace.

        Raises StoreUnavailableError when another file has the temporary name: the folder was moved away and copied back, and
        what lies there may be half of what was synced.
        """
        name = "/".join(parts)
        with (
            self._root("write", name, unavailable) as root,
            inner_folder(root, _TEMPORARY) as source,
            inner_folder(root, parts[:-1], create=self._folders) as folder,
        ):
            written, named = (
                os.fstat(temporary.descriptor),
                os.stat(temporary.name, dir_fd=source, follow_symlinks=False),
            )
            if (written.st_dev, written.st_ino) != (named.st_dev, named.st_ino):
                raise StoreUnavailableError(
                    f"{self._text(name)} can not be written: the destination was moved or copied meanwhile",
                    hint="leave the destination's folder in its place while Holdfast writes",
                )
            if replace:
                os.rename(temporary.name, parts[-1], src_dir_fd=source, dst_dir_fd=folder)
            else:
                try:
                    # A link, unlike a rename, fails where a name exists. A crash between the two calls leaves the
                    # object whole and the temporary name for the next sweep.
                    os.link(temporary.name, parts[-1], src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
                except FileExistsError as error:
                    raise ConflictError(f"{self._text(name)} exists already") from error
                os.unlink(temporary.name, dir_fd=source)
            os.fsync(folder)

    def discard(self, temporary: "_Temporary") -> None:
        """Remove a temporary file (called by its writer). What can not be removed now is swept later."""
        with (
            suppress(HoldfastError),
            self._root("write", temporary.name, unavailable) as root,
            inner_folder(root, _TEMPORARY) as folder,
        ):
            os.unlink(temporary.name, dir_fd=folder)

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        parts = check_name(name)
        with (
            self._root("append to", name, unavailable) as root,
            inner_folder(root, parts[:-1], create=self._folders) as folder,
        ):
            try:
                flags = os.O_RDWR | _OPEN_FILE | (0 if size_bytes else os.O_CREAT)
                descriptor = os.open(parts[-1], flags, FILE_MODE, dir_fd=folder)
            except FileNotFoundError as error:
                raise self._lost(name, size_bytes, 0) from error
            try:
                self._prepare(descriptor, name, size_bytes, check)
                os.fsync(folder)
                named = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
                # Some network file systems number a file anew at each look. There it is not judged by its number.
                has_number = _number(named) == _number(os.fstat(descriptor))
            except BaseException:
                os.close(descriptor)
                raise
        return _FileAppender(self, name, descriptor, size_bytes, has_number=has_number)

    def require_growing(self, name: str, descriptor: int, size_bytes: int, *, has_number: bool) -> None:
        """Raise unless `name` shows the open file, which has `size_bytes` (called by its appender before and after it writes)."""
        parts = check_name(name)
        status = os.fstat(descriptor)
        try:
            with self._root("append to", name, object_error) as root, inner_folder(root, parts[:-1]) as folder:
                named = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        except NotFoundError as error:
            raise self._gone(f"{self._text(name)} was removed while it grew", size_bytes) from error
        if has_number and _number(named) != _number(status):
            raise ObjectReplacedError(
                f"{self._text(name)} is another file than the one that grew",
                hint="the destination was copied or put back under a running server; what is there is read back",
            )
        if not status.st_nlink:
            raise self._gone(f"{self._text(name)} was removed while it grew", size_bytes)
        if status.st_size < size_bytes:
            raise self._gone(f"{self._text(name)} was cut to {status.st_size} bytes while it grew", size_bytes)
        if status.st_size > size_bytes:
            raise ObjectReplacedError(
                f"{self._text(name)} has {status.st_size} bytes, {size_bytes} were appended",
                hint="something else writes into the destination",
            )

    def _gone(self, what: str, size_bytes: int) -> CorruptionError:
        return CorruptionError(
            f"{what}, it had {size_bytes} durable bytes",
            hint="durable bytes are gone: the destination was changed or damaged",
            code=codes.OB_OBJECT_STORAGE_PWRITE_OFFSET_NOT_MATCH,
        )

    def _prepare(self, descriptor: int, name: str, size_bytes: int, check: Callable[[], None]) -> None:
        """Lock a growing object, cut it to `size_bytes` and make those durable."""
        if not _locked(descriptor):
            raise ConflictError(
                f"{self._text(name)} is being appended to by another process",
                hint="end the other server that archives into this destination",
            )
        check()
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EISDIR, "not a plain file")
        if status.st_size < size_bytes:
            raise self._lost(name, size_bytes, status.st_size)
        if status.st_size > size_bytes:
            os.ftruncate(descriptor, size_bytes)
        set_mode(descriptor, FILE_MODE)
        # Always: bytes below `size_bytes` may have been read from the page cache of a server that died before its sync.
        os.fsync(descriptor)

    def _lost(self, name: str, expected: int, found: int) -> CorruptionError:
        return CorruptionError(
            f"{self._text(name)} is too short to go on: expected at least {expected} bytes, found {found}",
            hint="durable bytes are gone: the destination was changed or damaged",
            code=codes.OB_OBJECT_STORAGE_PWRITE_OFFSET_NOT_MATCH,
        )

    def is_empty(self) -> bool:
        with self._root("list", "", unavailable) as root:
            return not holds_anything(root)

    def free_bytes(self) -> int | None:
        with self._root("look at", "", unavailable) as root:
            status = os.fstatvfs(root)
            return status.f_bavail * status.f_frsize

    def sweep(self) -> int:
        """Remove what writers that died left behind and return how many things that were. Repeatable, at any time."""
        removed = 0
        with (
            suppress(NotFoundError),
            self._root("sweep", "", object_error) as root,
            inner_folder(root, _TEMPORARY) as folder,
        ):
            for name in os.listdir(folder):
                removed += _sweep_one(folder, name)
        return removed

    @contextmanager
    def _root(self, what: str, name: str, meaning: Callable[[OSError, str, str], HoldfastError]) -> Iterator[int]:
        """Give the open root for one operation and turn errors of the OS into ours by `meaning`."""
        try:
            with root_folder(self._path, self._judge) as root:
                self._require_same(root)
                try:
                    yield root
                except OSError as error:
                    raise meaning(error, what, self._text(name)) from error
        except OSError as error:
            raise unavailable(error, "open", self._path) from error

    def _require_same(self, root: int) -> None:
        """Raise StoreUnavailableError (-9080) for a root that has lost its format file since this store saw it."""
        try:
            os.stat(FORMAT_FILE, dir_fd=root, follow_symlinks=False)
        except FileNotFoundError:
            if self._is_claimed:
                raise StoreUnavailableError(
                    f"{self._path} has no {FORMAT_FILE} any more",
                    hint="is it mounted?",
                    code=codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST,
                ) from None
        else:
            self._is_claimed = True

    def _text(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path


class _Temporary:
    """An open, locked file in `.holdfast-tmp/`."""

    __slots__ = ("descriptor", "name")

    def __init__(self, root: int, folders: DurableFolders) -> None:
        with inner_folder(root, _TEMPORARY, create=folders) as folder:
            while True:
                self.name = f"{os.getpid()}-{secrets.token_hex(8)}"
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN_FILE
                self.descriptor = os.open(self.name, flags, FILE_MODE, dir_fd=folder)
                # A sweep may come between open and lock, find the file unlocked and remove it: then take another one.
                if _locked(self.descriptor) and os.fstat(self.descriptor).st_nlink:
                    break
                os.close(self.descriptor)
        set_mode(self.descriptor, FILE_MODE)


def _locked(descriptor: int) -> bool:
    """Return whether we hold the file's lock now, or the file system knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _number(status: os.stat_result) -> tuple[int, int]:
    """Return what tells a file from every other that exists."""
    return status.st_dev, status.st_ino


def _sweep_one(folder: int, name: str) -> int:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        remove_tree(folder, name)
        return 1
    if stat.S_ISREG(status.st_mode):
        descriptor = os.open(name, os.O_RDONLY | _OPEN_FILE, dir_fd=folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
        except OSError:
            return 0  # its writer lives, or nobody can tell here: leave it
        finally:
            os.close(descriptor)
        return 1
    return 0


class _FileWriter:
    """`store.ObjectWriter` of a file destination."""

    def __init__(self, store: FileStore, parts: tuple[str, ...], temporary: _Temporary) -> None:
        self._store = store
        self._parts = parts
        self._temporary: _Temporary | None = temporary
        self._behind = WriteBehind(temporary.descriptor)
        self._offset = 0

    @property
    def offset(self) -> int:
        return self._offset

    def write(self, *buffers: Buffer) -> None:
        temporary = self._open()
        try:
            self._offset = write_all(temporary.descriptor, self._offset, buffers)
            self._behind.wrote(self._offset)
        except OSError as error:
            self.abort()  # at once: a full disk needs the room
            raise unavailable(error, "write", self._text()) from error

    def commit(self) -> None:
        self._commit(replace=True)

    def commit_new(self) -> None:
        """Commit, but raise ConflictError where the name exists."""
        self._commit(replace=False)

    def _commit(self, *, replace: bool) -> None:
        temporary = self._open()
        try:
            os.fsync(temporary.descriptor)
            self._store.publish(self._parts, temporary, replace=replace)
        except OSError as error:
            self.abort()
            raise unavailable(error, "write", self._text()) from error
        except BaseException:
            self.abort()
            raise
        if self._offset >= _LARGE_BYTES:
            drop(temporary.descriptor, 0, 0)
        self._temporary = None
        os.close(temporary.descriptor)

    def abort(self) -> None:
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            self._store.discard(temporary)
            os.close(temporary.descriptor)

    def _open(self) -> _Temporary:
        if self._temporary is None:
            raise ValueError(f"the writer of {self._text()} was committed or aborted before")
        return self._temporary

    def _text(self) -> str:
        return f"{self._store.location}/{'/'.join(self._parts)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class _FileAppender:
    """`store.Appender` of a file destination. `has_number`: whether its name and its descriptor have one file number."""

    def __init__(self, store: FileStore, name: str, descriptor: int, size_bytes: int, *, has_number: bool) -> None:
        self._store = store
        self._name = name
        self._descriptor: int | None = descriptor
        self._size_bytes = size_bytes
        self._has_number = has_number

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def append(self, *buffers: Buffer, behind: Iterable[Buffer] = ()) -> None:
        descriptor = self._descriptor
        if descriptor is None:
            raise ValueError(f"the appender of {self._text()} was closed before")
        try:
            # Before: behind a cut, a write would leave a hole of zeros. After: the folder may have moved away meanwhile.
            self._require_growing(descriptor, self._size_bytes)
            end = write_all(descriptor, self._size_bytes, buffers)
            for buffer in behind:
                at, end = end, write_all(descriptor, end, (buffer,))
                if end - at >= _LARGE_BYTES:
                    begin_writing(descriptor, at, end)
            os.fdatasync(descriptor)
            self._require_growing(descriptor, end)
        except OSError as error:
            # Best effort: a full disk gets its room back. If it fails, the next appender cuts the same bytes off.
            with suppress(OSError):
                os.ftruncate(descriptor, self._size_bytes)
            self.close()
            raise unavailable(error, "append to", self._text()) from error
        except BaseException:
            # The bytes went into a file that nobody will open under this name, if there are any.
            self.close()
            raise
        if end - self._size_bytes >= _LARGE_BYTES:
            drop(descriptor, self._size_bytes, end)
        self._size_bytes = end

    def _require_growing(self, descriptor: int, size_bytes: int) -> None:
        self._store.require_growing(self._name, descriptor, size_bytes, has_number=self._has_number)

    def _text(self) -> str:
        return f"{self._store.location}/{self._name}"

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _FileReader:
    """`store.ObjectReader` of a file destination. `text`: what messages call the object."""

    def __init__(self, descriptor: int, size_bytes: int, text: str) -> None:
        self._descriptor: int | None = descriptor
        self._size_bytes = size_bytes
        self._text = text
        self._ahead = ReadAhead(descriptor, size_bytes)

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def read(self, offset: int, size_bytes: int) -> bytes:
        size_bytes = max(min(size_bytes, self._size_bytes - offset), 0)
        descriptor = self._open()
        try:
            octets = os.pread(descriptor, size_bytes, offset)
            while len(octets) < size_bytes:  # rare: one call serves up to 2 GiB
                more = os.pread(descriptor, size_bytes - len(octets), offset + len(octets))
                if not more:
                    break
                octets += more
        except OSError as error:
            raise unavailable(error, "read", self._text) from error
        self._ahead.read(offset, offset + len(octets))
        return octets

    def read_into(self, offset: int, buffer: bytearray | memoryview) -> int:
        whole = memoryview(buffer)
        descriptor = self._open()
        done = 0
        try:
            while done < len(whole):
                count = os.preadv(descriptor, [whole[done:]], offset + done)
                if not count:
                    break
                done += count
        except OSError as error:
            raise unavailable(error, "read", self._text) from error
        self._ahead.read(offset, offset + done)
        return done

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"the reader of {self._text} was closed before")
        return self._descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
