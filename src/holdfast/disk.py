"""Folders, names and small files of our own that have to survive a power cut: the one place that knows how.

Bytes are durable after an fsync of their file, a name after an fsync of the folder it lies in; and that folder's own name only
after one of the folder above. Whoever keeps something below a new folder therefore makes the folder here. Destinations have
their own discipline, which trusts no link in them (`store/file.py`).

Each call is repeatable. All raise OSError.
"""

import os
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: those made, moved and removed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Have a folder, for us alone where it is new, and what is missing above it; their names are durable.

    The name of one that is there is made durable too: its maker may have died before he came to that.
    """
    if not folder.is_dir():
        if not folder.parent.is_dir():
            make_folder(folder.parent)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        sync_folder(folder.parent)
        return
    with suppress(PermissionError):  # the folder above is somebody else's, and so was the making
        sync_folder(folder.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write or replace a small file, for us alone from its first byte on: the old bytes or all new ones, durable on return."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)  # of a writer that died
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def read_file(path: Path, *, size_bytes_max: int) -> bytes:
    """Return a small file whole. Raises ValueError when it is larger: what took its place must not fill our memory."""
    with path.open("rb") as file:
        data = file.read(size_bytes_max + 1)
    if len(data) > size_bytes_max:
        raise ValueError(f"larger than the {size_bytes_max} bytes that such a file may have")
    return data


def move(source: Path, target: Path) -> None:
    """Give a file or folder another name, which replaces a file of that name; durable, with what was synced below it.

    File systems make a rename durable in one step: the old name goes with the new one's coming.
    """
    source.replace(target)
    sync_folder(target.parent)


def remove_file(path: Path) -> None:
    """Remove a file, which then does not come back. Absent is done."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)
