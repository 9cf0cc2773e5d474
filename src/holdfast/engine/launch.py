"""Starts one engine so that it outlives us: `python -I -m holdfast.engine.launch < order.json > answer.json`.

A process of its own because fencing and changing a user id can not be undone, and because an engine that is our grandchild
becomes init's child: it is never our zombie, and our death is no news to it. Steps, each in the process that must do it:

    server      spawns this launcher, writes the order, reads the answer
    launcher    opens and locks run/seekdb.clients (shared), forks twice, answers {"pid": ..., "fence": ..., "space": ...}, ends
    grandchild  own session, output to a file, limits, a network namespace of its own if one is wanted, fence, exec

The engine inherits the locked descriptor: an embedded engine ends itself once nobody holds that lock, and it must not end with
the server. A pipe that closes on exec tells the launcher that the engine's code runs, or the error why not.
Killed between fork and answer: the engine runs; `EngineProcess.adopt` finds it by its working directory.
"""

import fcntl
import json
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from holdfast.engine.fence import Fence, FencePolicy, apply_landlock, landlock_abi, own_uid, plan_rules
from holdfast.engine.shut_ports import shut_ports
from holdfast.engine.space import PORT, enter_space, refusal
from holdfast.values.json_text import parse_json
from holdfast.values.outside import one_line

_OPEN_FILES_MAX = 20_000
_ORDER_BYTES_MAX = 1 << 20
_ANSWER_BYTES_MAX = 1 << 16
"""What the engine itself asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to start. `arguments` without the program name; `environment` is the whole environment.

    `is_port_shut`: whether it may open none (see `shut_ports`). `log_source_port`: the one port of this machine that it may
    reach. `arguments_in_space`: what it is started with, in the place of `arguments`, where it can have a network namespace of
    its own (see `space`); it then listens in there. None: none is wanted.
    """

    root: Path
    binary: Path
    library_dirs: tuple[Path, ...]
    arguments: tuple[str, ...]
    environment: dict[str, str]
    policy: FencePolicy
    is_port_shut: bool = False
    log_source_port: int | None = None
    arguments_in_space: tuple[str, ...] | None = None

    def encode(self) -> bytes:
        return json.dumps(
            {
                "root": str(self.root),
                "binary": str(self.binary),
                "library_dirs": [str(folder) for folder in self.library_dirs],
                "arguments": list(self.arguments),
                "environment": self.environment,
                "policy": str(self.policy),
                "is_port_shut": self.is_port_shut,
                "log_source_port": self.log_source_port,
                "arguments_in_space": None if self.arguments_in_space is None else list(self.arguments_in_space),
            }
        ).encode()


def decode_order(data: bytes) -> Order:
    """Return the order `encode` wrote."""
    read = cast(dict[str, Any], parse_json(data))
    return Order(
        root=Path(read["root"]),
        binary=Path(read["binary"]),
        library_dirs=tuple(Path(folder) for folder in read["library_dirs"]),
        arguments=tuple(read["arguments"]),
        environment=dict(read["environment"]),
        policy=FencePolicy(read["policy"]),
        # Absent when the server that orders is of before this package was replaced.
        is_port_shut=read.get("is_port_shut", read["log_source_port"] is not None),
        log_source_port=read["log_source_port"],
        arguments_in_space=None if read.get("arguments_in_space") is None else tuple(read["arguments_in_space"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """What runs. `is_in_space`: in a network namespace of its own. `space_refusal`: why not, where one was wanted."""

    pid: int
    fence: Fence
    is_in_space: bool = False
    space_refusal: str = ""

    def encode(self) -> str:
        return json.dumps(
            {
                "pid": self.pid,
                "fence": str(self.fence),
                "is_in_space": self.is_in_space,
                "space_refusal": self.space_refusal,
            }
        )


def decode_launched(read: dict[str, Any]) -> Launched:
    """Return what `encode` wrote, here or in a launcher of before this package was replaced."""
    return Launched(
        pid=int(read["pid"]),
        fence=Fence(read["fence"]),
        is_in_space=bool(read.get("is_in_space", False)),
        space_refusal=str(read.get("space_refusal", "")),
    )


def launch(order: Order) -> Launched:
    """Start the engine. Raises OSError with the step that failed."""
    # Tried before: a process that failed half way in can not come back, and the engine needs other words outside.
    is_in_space, space_refusal = False, ""
    if order.arguments_in_space is not None:
        space_refusal = _space_refusal(order)
        is_in_space = not space_refusal
    arguments = order.arguments_in_space if is_in_space and order.arguments_in_space else order.arguments
    lock = os.open(order.root / "run" / "seekdb.clients", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os.setsid()
        # The second fork: the engine's parent ends at once, so init (or a subreaper) takes it and reaps it.
        engine = os.fork()
        if engine != 0:
            os._exit(0)
        try:
            fence = _confine(order, is_in_space=is_in_space)
            os.write(write_end, f"{os.getpid()} {fence}\n".encode())
            os.set_inheritable(lock, True)
            os.execve(order.binary, [str(order.binary), *arguments], order.environment)
        except BaseException as error:  # noqa: BLE001 - whatever it is must reach the launcher, and this process must end
            os.write(write_end, f"! {error}".encode(errors="replace"))
            os._exit(1)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read(_ANSWER_BYTES_MAX).decode(errors="replace")
    first, _, failure = said.partition("\n")
    if failure or not first or first.startswith("!"):
        raise OSError(0, (failure or first).lstrip("! ") or "the launched process ended without a word")
    pid, fence_name = first.split()
    return Launched(
        pid=int(pid), fence=Fence(fence_name), is_in_space=is_in_space, space_refusal=one_line(space_refusal, 300)
    )


def _space_refusal(order: Order) -> str:
    """Return why the engine can have no space, empty if it can."""
    is_unfenced = order.policy is FencePolicy.NONE or os.geteuid() != 0
    if not is_unfenced and not _is_for_landlock(order):
        return "without Landlock an engine has a user id of its own instead"  # in a space there is one user only
    return refusal(order.root, order.binary)


def _confine(order: Order, *, is_in_space: bool) -> Fence:
    """Turn this process into one that only has to become the engine; return what fences it."""
    os.chdir(order.root)
    os.umask(0o077)
    _redirect(order.root)
    _limit()
    if is_in_space:
        enter_space()
    elif order.is_port_shut:
        shut_ports()
    if order.policy is FencePolicy.NONE:
        return Fence.UNFENCED
    if _is_for_landlock(order):
        rules = plan_rules(order.root, order.binary, order.library_dirs)
        apply_landlock(rules, log_source_port=order.log_source_port, own_port=PORT if is_in_space else None)
        return Fence.LANDLOCK
    return Fence.UNFENCED if is_in_space else _change_uid(order)


def _is_for_landlock(order: Order) -> bool:
    return order.policy is FencePolicy.AUTO and landlock_abi() >= 1


def _redirect(root: Path) -> None:
    """Take stdin from nowhere and send output to a file of this start; close all else we may have inherited."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    output = os.open(root / "log" / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _limit() -> None:
    """Raise the open file limit to what the engine wants; no core files, which would hold tenant data."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(_OPEN_FILES_MAX, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _change_uid(order: Order) -> Fence:
    """Give the process and its directory a user id of their own, if we are root and that user can reach both."""
    if os.geteuid() != 0:
        return Fence.UNFENCED
    uid = own_uid(order.root)
    if not (_may_pass(order.root.parent, uid) and _may_pass(order.binary.parent, uid)):
        return Fence.UNFENCED
    for folder, folders, files in os.walk(order.root):
        for name in (".", *folders, *files):
            os.chown(os.path.join(folder, name), uid, uid, follow_symlinks=False)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    return Fence.OWN_UID


def _may_pass(folder: Path, uid: int) -> bool:
    """Return whether a user that owns nothing may walk down to `folder`."""
    return all(
        place.stat().st_mode & 0o001 or (place.stat().st_uid == uid and place.stat().st_mode & 0o100)
        for place in (folder, *folder.parents)
    )


def main() -> int:
    """Read an order from stdin, write the answer to stdout. Exit status 0 if the engine's code runs."""
    try:
        launched = launch(decode_order(sys.stdin.buffer.read(_ORDER_BYTES_MAX)))
    except (OSError, ValueError, KeyError) as error:
        json.dump({"error": str(error)}, sys.stdout)
        return 1
    sys.stdout.write(launched.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
