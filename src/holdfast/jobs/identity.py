"""Who this cluster is, who its server is, and that only one server holds it."""

import fcntl
import hashlib
import json
import os
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

from holdfast import codes, disk
from holdfast.errors import ConflictError, CorruptionError, EngineError, RefusedError, UnknownVersionError
from holdfast.jobs.directories import ClusterDirectory
from holdfast.values.json_text import parse_json
from holdfast.values.owner import JobKind, Lineage, Opening, Owner

_FORMAT_VERSION = 1
_FILE_BYTES_MAX = 8 << 20
"""The starts that a server remembers are 1.9 MB."""
_GENERATION_BYTES = 21
_GENERATION_READ_BYTES = 32
_SERVER_FILE_NOTE = b"server.json\n".rjust(_GENERATION_READ_BYTES - _GENERATION_BYTES + 12)
"""Blank as far as a generation is read: what is not a number there would count as the first start."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ServerIdentity:
    """Who writes: an id for the base directory, and a token for each start, kept in `server.json` before anything is written.

    Kept with the first owner that is handed out, so a start that writes nothing uses up none of those that are remembered. A copy
    of the base directory has the same id; what the two write from then on bears tokens that the other does not know.
    Safe from any thread.
    """

    def __init__(self, lineage: Lineage, *, generation: int, place: str, path: Path | None = None) -> None:
        """`place`: this boot of this machine and this very directory. `path`: None keeps nothing (tests)."""
        self._lineage = lineage
        self._path = path
        self._is_kept = path is None
        self._lock = threading.Lock()
        self.generation = generation
        self.place = place

    @classmethod
    def unkept(cls) -> Self:
        """Return an identity that no other start will know."""
        opening = Opening(server_id=secrets.token_hex(16), token=secrets.token_hex(16))
        return cls(Lineage(openings=(opening,)), generation=1, place=secrets.token_hex(16))

    @property
    def lineage(self) -> Lineage:
        return self._lineage

    @property
    def token(self) -> str:
        return self._lineage.current.token

    def made(self, owner: Owner | None) -> bool:
        """Return whether this server, by any of its starts, made what has this owner."""
        return self._lineage.made(owner)

    def owner(self, now_us: int, kind: JobKind = JobKind.NONE, job_id: int = 0) -> Owner:
        """Return the record for an object made now. Raises EngineError when this start can not be kept: nothing may be written then."""
        current = self._kept().current
        return Owner(
            server_id=current.server_id,
            generation=self.generation,
            job_kind=kind,
            job_id=job_id,
            token=current.token,
            time_us=now_us,
        )

    def renew(self) -> None:
        """Become another server, durably: what the other holder of the old id writes is a stranger's from now on.

        What this directory's own starts made stays its own.
        """
        fresh = Opening(server_id=secrets.token_hex(16), token=secrets.token_hex(16))
        with self._lock:  # of two at once the later one must not forget the former's
            self._keep(self._lineage.opened(fresh))

    def _kept(self) -> Lineage:
        if not self._is_kept:
            with self._lock:
                if not self._is_kept:
                    self._keep(self._lineage)
        return self._lineage

    def _keep(self, lineage: Lineage) -> None:
        if self._path is not None:
            try:
                _write_lineage(self._path, lineage)
            except OSError as error:
                raise EngineError(f"{self._path} can not be written: {error}") from error
        self._lineage = lineage
        self._is_kept = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterIdentity:
    """The name clients may write behind `#`, the number that tells two clusters of one name apart, and who serves it."""

    name: str
    cluster_id: int
    server: ServerIdentity = field(default_factory=ServerIdentity.unkept, compare=False)


def open_server(directories: ClusterDirectory, generation: int) -> ServerIdentity:
    """Return this start's identity; the first start makes the server's id, and records it. Call it under the lock.

    Raises CorruptionError, UnknownVersionError: a server that does not know what it wrote must not write.
    """
    path = directories.server_file
    try:
        read = cast(dict[str, Any], parse_json(disk.read_file(path, size_bytes_max=_FILE_BYTES_MAX)))
        version = int(read["format_version"])
        openings = tuple(
            Opening(server_id=str(one["server_id"]), token=str(one["token"])) for one in list(read["openings"])
        )
        before = Lineage(openings=openings) if openings else None
    except FileNotFoundError:
        version, before = _FORMAT_VERSION, None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CorruptionError(f"{path} is not a server file: {error}") from error
    if version != _FORMAT_VERSION:
        raise UnknownVersionError(f"{path} has format version {version}, this build knows {_FORMAT_VERSION}")
    token = secrets.token_hex(16)
    if before is None:
        lineage = Lineage(openings=(Opening(server_id=secrets.token_hex(16), token=token),))
        _write_lineage(path, lineage)
    else:
        lineage = before.opened(Opening(server_id=before.current.server_id, token=token))
    return ServerIdentity(lineage, generation=generation, place=_place_of(directories.lock_file), path=path)


def require_server_file(directories: ClusterDirectory, lock: "ServeLock") -> None:
    """Raise RefusedError when the server file is gone: a new one would make this server a stranger to all it has written."""
    if lock.had_server_file and not directories.server_file.exists():
        raise RefusedError(
            f"{directories.server_file} is gone, by which this server knows what it wrote",
            hint='put it back, from a copy of the base directory; if it is lost, put the text {"format_version": 1, "openings": []} '
            "there, start the server and run ALTER SYSTEM RENEW SERVER IDENTITY",
        )


def _write_lineage(path: Path, lineage: Lineage) -> None:
    openings = [{"server_id": one.server_id, "token": one.token} for one in lineage.openings]
    _write(path, {"format_version": _FORMAT_VERSION, "openings": openings})


def _place_of(lock_file: Path) -> str:
    """Return 32 hex digits that are the same only in this boot of this machine and for this very file.

    Then the lock proves that whoever wrote them is dead. A copied directory has other files, a copied machine another boot.
    """
    known = lock_file.stat()
    boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else secrets.token_hex(16)
    return hashlib.sha256(f"{boot} {known.st_dev} {known.st_ino}".encode()).hexdigest()[:32]


def open_identity(directories: ClusterDirectory, name: str) -> ClusterIdentity:
    """Return the identity in the base directory, made with `name` on the first start.

    Raises ConflictError when the directory belongs to a cluster of another name, CorruptionError, UnknownVersionError.
    """
    path = directories.cluster_file
    try:
        read = cast(dict[str, Any], parse_json(disk.read_file(path, size_bytes_max=_FILE_BYTES_MAX)))
        version = int(read["format_version"])
        known = ClusterIdentity(name=str(read["name"]), cluster_id=int(read["cluster_id"]))
    except FileNotFoundError:
        made = ClusterIdentity(name=name, cluster_id=secrets.randbelow(2**31 - 2) + 1)
        _write(path, {"format_version": _FORMAT_VERSION, "name": made.name, "cluster_id": made.cluster_id})
        return made
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
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
    """Write durably, for this user alone; a crash leaves the whole file or none."""
    disk.write_file(path, json.dumps(content, sort_keys=True).encode())


class ServeLock:
    """The one server of a base directory: an flock that the kernel releases with the process, and its generation.

    The generation rises with every start; rows of the catalog owned by an older one belong to a dead server.
    """

    def __init__(self, descriptor: int, generation: int, *, had_server_file: bool = False) -> None:
        """`had_server_file`: a start before this one noted that there is a server file."""
        self._descriptor = descriptor
        self.generation = generation
        self.had_server_file = had_server_file

    def note_server_file(self) -> None:
        """Note, durably, that there is a server file from now on. Earlier versions, which made none, do not read so far."""
        if not self.had_server_file:
            os.pwrite(self._descriptor, _SERVER_FILE_NOTE, _GENERATION_BYTES)
            os.fsync(self._descriptor)
            self.had_server_file = True

    def release(self) -> None:
        os.close(self._descriptor)


def take_lock(directories: ClusterDirectory) -> ServeLock:
    """Return the lock. Raises ConflictError when another server holds it.

    The file's name is durable with that of the server file, which each start writes beside it.
    """
    descriptor = os.open(directories.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConflictError(
            f"another holdfast serve holds {directories.base}", hint="stop it first, or choose another --base-dir"
        ) from None
    text = os.pread(descriptor, _GENERATION_READ_BYTES, 0).decode(errors="replace").strip()
    note = os.pread(descriptor, len(_SERVER_FILE_NOTE), _GENERATION_BYTES)
    generation = int(text) + 1 if text.isdecimal() else 1
    os.pwrite(descriptor, f"{generation:<20}\n".encode(), 0)
    os.fsync(descriptor)
    return ServeLock(descriptor, generation, had_server_file=note == _SERVER_FILE_NOTE)
