"""The folder of a tenant whose blocks have not all arrived: what its block server needs, and what it says.

    order.json    which sets, at which paths; size of the block file. Written once, before anything is served
    index         the set's block index, the very bytes of the destination: needed when the destination is away
    block_file    the overlay (see `lazy_file`); in the end renamed to the engine's own block file
    arrived       the marks
    keys/         the data keys of encrypted sets (0600, sealed with the host's key), until every block has arrived
    pace.json     threads and bandwidth of hydration, written by the server, read by the block server
    state.json    what the block server has to say: trouble it has, or that it is done
    lock          held by the living block server; its content is the process
    server.log    its output

The folder is there if and only if the engine's block file is served; it goes when the plain file is in place.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from holdfast import disk
from holdfast.engine.liveness import ProcessIdentity
from holdfast.errors import CorruptionError
from holdfast.keys.host_key import HostKey, path_in
from holdfast.keys.keyring import Keyring
from holdfast.values.json_text import parse_json

_VERSION = 1
_FILE_BYTES_MAX = 1 << 20
DIRECTORY_NAME = "quick"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A set that holds chunks of the image. `source`: the destination's URI without keys."""

    set_id: int
    source: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOrder:
    """What a block server serves."""

    size_bytes: int
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HydrationPace:
    """How fast blocks may come that nobody waits for. `rate`: bytes a second, 0 for no limit."""

    threads: int
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """What a block server says. `trouble`: empty, or why blocks do not come now. `demanded`: blocks an engine waited for."""

    is_complete: bool = False
    arrived_bytes: int = 0
    trouble: str = ""
    demanded: int = 0


@dataclass(frozen=True, slots=True)
class LazyPlace:
    """Paths below one tenant's directory, and the small files among them."""

    tenant_dir: Path

    @property
    def folder(self) -> Path:
        return self.tenant_dir / DIRECTORY_NAME

    @property
    def index(self) -> Path:
        return self.folder / "index"

    @property
    def overlay(self) -> Path:
        return self.folder / "block_file"

    @property
    def marks(self) -> Path:
        return self.folder / "arrived"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def keyring(self) -> Keyring:
        """Return the data keys. A tenant's directory lies in a room of the base directory, before and after it is moved."""
        return Keyring(self.keys, HostKey(path_in(self.tenant_dir.parents[1])), self.tenant_dir.name)

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def exists(self) -> bool:
        return self.folder.is_dir()

    def put_order(self, order: BlockOrder) -> None:
        """Write the order, durable."""
        holders = [{"set_id": one.set_id, "source": one.source, "root": one.root} for one in order.holders]
        values = {"version": _VERSION, "size_bytes": order.size_bytes, "sets": holders}
        disk.write_file(self.folder / "order.json", json.dumps(values).encode())

    def order(self) -> BlockOrder:
        """Return the order. Raises CorruptionError."""
        read = _get(self.folder / "order.json")
        try:
            if read["version"] != _VERSION:
                raise ValueError
            holders = tuple(
                Holder(set_id=int(one["set_id"]), source=str(one["source"]), root=str(one["root"]))
                for one in read["sets"]
            )
            return BlockOrder(size_bytes=int(read["size_bytes"]), holders=holders)
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptionError(f"{self.folder}/order.json is not valid") from error

    def put_pace(self, pace: HydrationPace) -> None:
        _put(self.folder / "pace.json", {"threads": pace.threads, "rate": pace.rate})

    def pace(self) -> HydrationPace:
        """Return the pace now; one thread and no limit before anybody said."""
        try:
            read = _get(self.folder / "pace.json")
            return HydrationPace(threads=max(0, int(read["threads"])), rate=int(read["rate"]))
        except (CorruptionError, KeyError, TypeError, ValueError):
            return HydrationPace(threads=1, rate=0)

    def put_state(self, state: ServerState) -> None:
        values = {
            "is_complete": state.is_complete,
            "arrived_bytes": state.arrived_bytes,
            "trouble": state.trouble,
            "demanded": state.demanded,
        }
        # Whoever reads "complete" renames the overlay; the marks say so too, and are what counts.
        _put(self.folder / "state.json", values)

    def state(self) -> ServerState:
        """Return what the block server said last; the first state before it said anything."""
        try:
            read = _get(self.folder / "state.json")
            return ServerState(
                is_complete=bool(read["is_complete"]),
                arrived_bytes=int(read["arrived_bytes"]),
                trouble=str(read["trouble"]),
                demanded=int(read["demanded"]),
            )
        except (CorruptionError, KeyError, TypeError, ValueError):
            return ServerState()

    def take_lock(self, identity: ProcessIdentity) -> int | None:
        """Take the block server's lock for this process; return the descriptor that holds it, None when another lives."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": identity.pid, "start_ticks": identity.start_ticks}).encode(), 0)
        return descriptor

    def is_served(self) -> bool:
        """Return whether a block server lives. The kernel's word: the lock ends with its holder."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def server(self) -> ProcessIdentity | None:
        """Return the process that holds the lock, None when there is none or it has not said yet."""
        if not self.is_served():
            return None
        try:
            read = cast(dict[str, Any], parse_json(disk.read_file(self.lock, size_bytes_max=_FILE_BYTES_MAX)))
            return ProcessIdentity(pid=int(read["pid"]), start_ticks=int(read["start_ticks"]))
        except (OSError, KeyError, TypeError, ValueError):
            return None


def _put(path: Path, values: dict[str, object]) -> None:
    """Write or replace a file for other processes to read, which need not survive a power cut."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with fresh.open("wb") as file:
        file.write(json.dumps(values).encode())
    fresh.replace(path)


def _get(path: Path) -> dict[str, Any]:
    try:
        read = parse_json(disk.read_file(path, size_bytes_max=_FILE_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise CorruptionError(f"{path} can not be read: {error}") from error
    if not isinstance(read, dict):
        raise CorruptionError(f"{path} is not valid")
    return read
