"""One block server as a process: begin, look, end; and the plain file that follows it.

no folder                        an ordinary tenant
folder, served, mount live       sound: an engine may run
folder, anything else            not sound: an engine on it fails its reads; it must be ended, and `make_ready` called
"""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import holdfast
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.liveness import ProcessHandle, log_tail
from holdfast.errors import EngineError
from holdfast.restore import block_mount, lazy_layout
from holdfast.restore.block_mount import Mount
from holdfast.restore.lazy_place import LazyPlace

log = logging.getLogger("holdfast.blocks")

_BEGIN_SECONDS_MAX = 30.0
"""A mount is there after 0.3 s; the index of 10 TB takes some seconds to read."""
_END_SECONDS_MAX = 5.0
_KILL_SECONDS_MAX = 10.0
_POLL_SECONDS = 0.02
_LOG_TAIL_BYTES = 1500


class UnservedError(EngineError):
    """The block file can not be served through FUSE on this machine."""


def is_sound(place: LazyPlace, directory: EngineDirectory) -> bool:
    """Return whether an engine's block file can be used: it is an ordinary one, or served. A few system calls."""
    # The mount is not asked: it may be slow to answer, and it is not dead as long as its server lives.
    return not place.exists() or (place.is_served() and block_mount.is_mounted(directory.block_file))


def make_ready(place: LazyPlace, directory: EngineDirectory) -> None:
    """Make the block file usable by an engine about to be started. Repeatable.

    A complete one becomes plain. Raises EngineError with the end of the block server's log when it can not be served.
    """
    if not place.exists():
        return
    if lazy_layout.is_complete(place):
        end(place, directory)
        lazy_layout.put_plain(place, directory)
        log.info("%s is complete and a plain file from now on", directory.block_file)
    elif not is_sound(place, directory):
        end(place, directory)
        _begin(place, directory)


def end(place: LazyPlace, directory: EngineDirectory) -> None:
    """End the block server and take its mount away. Repeatable. What has arrived stays."""
    if place.exists():
        _end_server(place)
    if directory.block_file.parent.is_dir():
        try:
            block_mount.unmount(directory.block_file)
        except OSError as error:
            raise EngineError(str(error), hint="is something else using the mount?") from error


def sweep(base: Path, kept: frozenset[Path]) -> None:
    """Take away what crashes left: mounts below `base` that are not over the block files `kept`, and dead ones of these.

    Whoever serves such a mount ends with it.
    """
    for found in block_mount.mounts_below(base):
        path = Path(found)
        if path in kept and block_mount.mount_over(path) is Mount.LIVE:
            continue
        log.warning("a mount that nobody needs is taken away: %s", path)
        try:
            block_mount.unmount(path)
        except OSError as error:
            log.error("%s", error)


def _begin(place: LazyPlace, directory: EngineDirectory) -> None:
    # The package's folder is named: with -I neither PYTHONPATH nor the working directory can plant another program.
    source = str(Path(holdfast.__file__).parents[1])
    program = (
        f"import sys; sys.path.insert(0, {source!r}); from holdfast.restore.block_server import main;"
        " sys.exit(main(*sys.argv[1:]))"
    )
    words = [sys.executable, "-I", "-c", program, os.fspath(place.tenant_dir), os.fspath(directory.block_file)]
    # Appended to, but kept small: a server that is begun again and again must not fill the disk.
    with place.log.open("wb" if place.log.exists() and place.log.stat().st_size > 1 << 20 else "ab") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/", umask=0o077
        )
    deadline = time.monotonic() + _BEGIN_SECONDS_MAX
    while not is_sound(place, directory):
        status = process.poll()
        if status is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            tail = log_tail(place.log, _LOG_TAIL_BYTES).decode(errors="replace").strip()
            raise UnservedError(
                f"the block file of {directory.root} can not be served through FUSE: {tail}",
                hint="without FUSE restore with method=full",
            )
        time.sleep(_POLL_SECONDS)


def _end_server(place: LazyPlace) -> None:
    identity = place.server()
    deadline = time.monotonic() + _END_SECONDS_MAX
    while identity is None and place.is_served() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)  # it has the lock and has not yet said who it is
        identity = place.server()
    if identity is None:
        return
    try:
        handle = ProcessHandle(identity)
    except ProcessLookupError:
        return
    try:
        if handle.send(signal.SIGTERM) and handle.wait(_END_SECONDS_MAX):
            return
        handle.send(signal.SIGKILL)
        if not handle.wait(_KILL_SECONDS_MAX):
            raise EngineError(f"block server {identity.pid} of {place.tenant_dir} does not end, not even by SIGKILL")
    finally:
        handle.close()
