"""What a physical image of an engine consists of, besides log blocks: which files, in which order they are copied.

An image is: the macro blocks of `block_file` with a non-zero header, the small files, and the log from the base block on.
`run/`, `log/` (text) and `files/` (the tenant's own exports) are no part of it. Order matters (spec: protocol 6B): clog meta
first, because it must not be newer than the slog; then meta.db, etc and slog; then super blocks and blocks.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from holdfast.engine.directory import EngineDirectory
from holdfast.errors import ConflictError, CorruptionError, EngineError

_SMALL_FILE_BYTES_MAX = 1 << 30
"""slog grows 4 MB in 13 minutes of heavy DDL and is cut at 100,000 records; more than this is not a small file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallFile:
    """A file of an image. `name`: relative to the engine directory, with slashes; it is safe to join to another root."""

    name: str
    path: Path


def clog_meta_files(directory: EngineDirectory) -> tuple[SmallFile, ...]:
    """Return the files of the log stream's own meta data, oldest first. Copy them before anything else."""
    return _numbered(directory, directory.log_meta_dir)


def store_meta_files(directory: EngineDirectory) -> tuple[SmallFile, ...]:
    """Return meta.db (with side files, if the engine has some at the moment) and etc, sorted by name."""
    found = [path for path in directory.meta_db.parent.glob("meta.db*") if path.is_file()]
    found += [path for path in directory.etc_dir.iterdir() if path.is_file()]
    return tuple(sorted((_small(directory, path) for path in found), key=lambda file: file.name))


def slog_files(directory: EngineDirectory) -> tuple[SmallFile, ...]:
    """Return the files of slog, each folder's oldest first. Their names are part of what makes a pass acceptable."""
    folders = sorted(path for path in directory.slog_dir.iterdir() if path.is_dir())
    return tuple(file for folder in folders for file in _numbered(directory, folder))


def small_files(directory: EngineDirectory) -> tuple[SmallFile, ...]:
    """Return all small files in the order they must be copied: clog meta, then meta.db and etc, then slog."""
    return clog_meta_files(directory) + store_meta_files(directory) + slog_files(directory)


def read_small_file(file: SmallFile) -> bytes | None:
    """Return the whole file as it is now, None if it vanished since it was listed.

    Buffered reading is coherent although the engine writes past the page cache (measured). Raises EngineError if it is no small file.
    """
    try:
        with file.path.open("rb") as opened:
            data = opened.read(_SMALL_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    if len(data) > _SMALL_FILE_BYTES_MAX:
        raise EngineError(f"{file.name} is larger than {_SMALL_FILE_BYTES_MAX} bytes, expected a small file")
    return data


def open_block_file(directory: EngineDirectory) -> int:
    """Return a descriptor for reading `block_file`; the caller closes it."""
    try:
        return os.open(directory.block_file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise EngineError(f"no block file at {directory.block_file}", hint="the engine was never started") from error


def block_file_size_bytes(descriptor: int) -> int:
    """Return the size now; it only grows."""
    return os.fstat(descriptor).st_size


def prepare_restored_directory(directory: EngineDirectory) -> None:
    """Make the empty folders that a restore fills.

    Raises ConflictError if something is there already: a restore never writes into what it did not make itself.
    """
    if directory.root.exists() and any(directory.root.iterdir()):
        raise ConflictError(f"{directory.root} is not empty", hint="remove what an earlier restore left")
    directory.create()
    for folder in (
        directory.log_dir,
        directory.log_meta_dir,
        directory.block_file.parent,
        directory.slog_dir / "server",
        directory.slog_dir / "sys",
        directory.etc_dir,
    ):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def restored_path(directory: EngineDirectory, name: str) -> Path:
    """Return where the small file `name` of an image belongs. Raises CorruptionError if the name leaves the directory.

    Names come out of a destination, which others can write: `../` in one would be a way into other tenants.
    """
    pure = PurePosixPath(name)
    first = pure.parts[0] if pure.parts else ""
    if pure.is_absolute() or ".." in pure.parts or first not in ("store", "etc") or "\0" in name:
        raise CorruptionError(f"image names a file {name!r}, expected one below store/ or etc/")
    return directory.root.joinpath(*pure.parts)


def write_restored_file(directory: EngineDirectory, name: str, data: bytes) -> None:
    """Write one small file of an image, durable. Same errors as `restored_path`."""
    path = restored_path(directory, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def remove_directory(directory: EngineDirectory) -> None:
    """Remove an engine's directory and our note beside it. The engine must not live. Repeatable."""
    if directory.root.exists():
        shutil.rmtree(directory.root)
    for beside in (directory.launch_record, directory.founding_mark):
        beside.unlink(missing_ok=True)


def _numbered(directory: EngineDirectory, folder: Path) -> tuple[SmallFile, ...]:
    try:
        names = [name for name in os.listdir(folder) if name.isascii() and name.isdigit()]
    except FileNotFoundError:
        return ()
    return tuple(_small(directory, folder / name) for name in sorted(names, key=int))


def _small(directory: EngineDirectory, path: Path) -> SmallFile:
    return SmallFile(name=path.relative_to(directory.root).as_posix(), path=path)
