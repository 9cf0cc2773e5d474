"""What lies in an engine's directory, looked at before anything else of it is read or written. Reads some hundred bytes."""

import os
import stat
from pathlib import Path
from typing import Final

from holdfast.engine.directory import EngineDirectory
from holdfast.engine_format.data_version import FILE_BYTES_MAX, decode_data_version
from holdfast.engine_format.layout import SIGN_BYTES, Layout, Signs, judge
from holdfast.engine_format.log_block import LOG_INFO_BYTES
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.engine_format.super_block import SUPER_BLOCK_COUNT
from holdfast.errors import CorruptionError, EngineError, RefusedError, UnknownVersionError

_ENGINE_FOLDERS: Final = ("etc", "store")
"""An engine makes both; the rest of its directory is made by us."""
_GROUP_BYTES: Final = 4
_LOG_STREAMS_MAX: Final = 8
"""Every known engine has one; of a folder with more, as many are told."""
GONE_HINT: Final = "mount its disk, or put the directory back; if it is lost, DROP TENANT, and restore it from a backup"
_HINT: Final = "it can not be known which engine wrote it: restore it from a backup"


class DirectoryGoneError(EngineError):
    """What an engine has written is not there. It may come back: asking again costs a few system calls."""


def recognise(root: Path) -> Layout | None:
    """Return the layout of the engine directory `root`; None when no engine has written there yet.

    The engine may live. Raises UnknownVersionError for a version or a layout that is not known, CorruptionError for a version
    that is no text of one, EngineError when the disk does not let itself be read. Nothing is changed.
    """
    try:
        if not any(_has_entry(root / name) for name in _ENGINE_FOLDERS):
            return None
        signs = _signs(root)
    except (CorruptionError, UnknownVersionError) as error:
        raise type(error)(f"{root}: {error.message}", hint=error.hint or _HINT) from error
    except OSError as error:
        raise EngineError(f"{root} can not be looked at: {error}", hint="look at the disk and the rights") from error
    return judge(signs, str(root))


def refuse_other(directory: EngineDirectory) -> None:
    """Raise unless the directory is empty or holds what its engine writes.

    Raises as `recognise`, RefusedError for data of another known version: an engine that has changed it, or another directory in
    this one's place.
    """
    found = recognise(directory.root)
    if found is not None and found is not directory.version.layout:
        raise RefusedError(
            f"{directory.root} holds data of engine {found.data_version.text}, not of {directory.version.data_version}",
            hint="an engine reads the data of its own version only, and none is changed in place: restore it from a backup",
        )


def require_present(directory: EngineDirectory) -> None:
    """Raise DirectoryGoneError unless what an engine has written is there; EngineError when that can not be seen. Changes nothing.

    Under a disk that is not mounted lies an empty folder, and a first start in it would succeed: the tenant would be NORMAL,
    without a row, and its archive would go on with another history. Not final: each start looks again.
    """
    gone = _what_is_gone(directory)
    if gone:
        raise DirectoryGoneError(f"the data of an engine is gone: {gone}", hint=GONE_HINT)


def require_blocks(directory: EngineDirectory) -> None:
    """Raise EngineError when the block file is there without a byte, just before an engine is started on it.

    Such a file lies under the mount of a tenant whose blocks are still served from elsewhere; no engine has another.
    """
    try:
        size_bytes = directory.block_file.stat().st_size
    except OSError as error:
        raise EngineError(f"{directory.block_file} can not be looked at: {error}", hint=GONE_HINT) from error
    if not size_bytes:
        raise EngineError(f"{directory.block_file} is empty, and what served its blocks is gone", hint=GONE_HINT)


def refuse_present(directory: EngineDirectory) -> None:
    """Raise unless no engine has written here: RefusedError, or as `recognise`."""
    if recognise(directory.root) is not None:
        raise RefusedError(
            f"{directory.root} holds an engine's data already, and none is made anew over it", hint="move it away first"
        )


def _what_is_gone(directory: EngineDirectory) -> str:
    """Return in words what of an engine's directory is not there; empty when it can be looked at further."""
    root = directory.root
    try:
        if not root.is_dir():
            return f"{root} is not there"
        gone = [name for name in _ENGINE_FOLDERS if not _has_entry(root / name)]
        if not gone and directory.log_dir.is_dir() and _lowest_block(directory.log_dir) is None:
            gone = [str(directory.log_dir.relative_to(root))]
    except OSError as error:
        raise EngineError(f"{root} can not be looked at: {error}", hint="look at the disk and the rights") from error
    return f"{root} has nothing in {' and '.join(gone)}" if gone else ""


def _signs(root: Path) -> Signs:
    written = _head(root / "etc" / "seekdb.data_version.bin", FILE_BYTES_MAX + 1)
    if written is None:
        raise CorruptionError("there is no etc/seekdb.data_version.bin")
    streams = _log_streams(root / "store" / "redo" / "sys")
    log_block = _lowest_block(root / "store" / "redo" / "sys" / streams[0] / "log") if len(streams) == 1 else None
    block_file = root / "store" / "sstable" / "block_file"
    is_served = _is_mount(block_file)
    return Signs(
        data_version=decode_data_version(written),
        log_streams=streams,
        meta_db=_head(root / "store" / "sstable" / "meta.db", SIGN_BYTES),
        # A served one is ours, of a set that was judged; reading it might wait for a destination.
        block_file=b"" if is_served else _head(block_file, SIGN_BYTES),
        macro_block=b"" if is_served else _head(block_file, SIGN_BYTES, SUPER_BLOCK_COUNT * MACRO_BLOCK_BYTES) or b"",
        log_block=(_head(log_block, SIGN_BYTES) or b"") if log_block is not None else b"",
        group=(_head(log_block, _GROUP_BYTES, LOG_INFO_BYTES) or b"") if log_block is not None else b"",
    )


def _has_entry(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True  # no known engine makes such a thing: `recognise` goes on and names what it lacks


def _head(path: Path, size_bytes: int, offset: int = 0) -> bytes | None:
    """Return up to `size_bytes` of a file, b"" where it ends before `offset`; None for no file, or no ordinary one."""
    try:
        # Without waiting: a pipe in a file's place would keep us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.pread(descriptor, size_bytes, offset)
    finally:
        os.close(descriptor)


def _log_streams(folder: Path) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return tuple(name for name in names if (folder / name / "log").is_dir())[:_LOG_STREAMS_MAX]


def _lowest_block(folder: Path) -> Path | None:
    numbers = [int(name) for name in os.listdir(folder) if name.isascii() and name.isdigit()]
    return folder / str(min(numbers)) if numbers else None


def _is_mount(path: Path) -> bool:
    """Return whether a file is served over the one that lies there, also by somebody who no longer answers."""
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except FileNotFoundError:
        return False
    except OSError:
        return True
