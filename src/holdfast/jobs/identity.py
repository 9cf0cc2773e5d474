"""Who this cluster is, and that only one server holds it."""

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from holdfast import codes
from holdfast.errors import ConflictError, CorruptionError, UnknownVersionError
from holdfast.jobs.directories import ClusterDirectory

_FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterIdentity:
    """The name clients may write behind `#`, and the number that tells two clusters of one name apart."""

    name: str
    cluster_id: int


def open_identity(directories: ClusterDirectory, name: str) -> ClusterIdentity:
    """Return the identity in the base directory, made with `name` on the first start.

    Raises ConflictError when the directory belongs to a cluster of another name, CorruptionError, UnknownVersionError.
    """
    path = directories.cluster_file
    try:
        read = json.loads(path.read_bytes())
        version = int(read["format_version"])
        known = ClusterIdentity(name=str(read["name"]), cluster_id=int(read["cluster_id"]))
    except FileNotFoundError:
        made = ClusterIdentity(name=name, cluster_id=secrets.randbelow(2**31 - 2) + 1)
        _write(path, {"format_version": _FORMAT_VERSION, "name": made.name, "cluster_id": made.cluster_id})
        return made
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptionError(f"{path} is not a cluster file: {error}") from error
    if version != _FORMAT_VERSION:
        raise UnknownVersionError(f"{path} has format version {version}, this build knows {_FORMAT_VERSION}")
    if known.name.lower() != name.lower():
        raise ConflictError(
            f"{directories.base} holds cluster {known.name!r}, not {name!r}",
            hint="start with --cluster set to its name, or choose another --base-dir",
            code=codes.OB_ENTRY_EXIST,
        )
    return known


def _write(path: Path, content: dict[str, object]) -> None:
    """Write durably; a crash leaves the whole file or none."""
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        json.dump(content, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class ServeLock:
    """The one server of a base directory: an flock that the kernel releases with the process, and its generation.

    The generation rises with every start; rows of the catalog owned by an older one belong to a dead server.
    """

    def __init__(self, descriptor: int, generation: int) -> None:
        self._descriptor = descriptor
        self.generation = generation

    def release(self) -> None:
        os.close(self._descriptor)


def take_lock(directories: ClusterDirectory) -> ServeLock:
    """Return the lock. Raises ConflictError when another server holds it."""
    descriptor = os.open(directories.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConflictError(
            f"another holdfast serve holds {directories.base}", hint="stop it first, or choose another --base-dir"
        ) from None
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    generation = int(text) + 1 if text.isdigit() else 1
    os.pwrite(descriptor, f"{generation:<20}\n".encode(), 0)
    os.fsync(descriptor)
    return ServeLock(descriptor, generation)
