"""The fence around one engine: what its process may touch, whatever its SQL asks for.

A tenant's root can write files (`INTO OUTFILE`), read them (`LOAD DATA`), open ports (`mysql_port`) and hide all of it in
prepared text, so the gateway's reading of statements is no fence. The kernel is: Landlock rules, given to the process before
it becomes the engine and inherited by all it starts; nothing inside can lift them. Where the kernel has no Landlock and we
are root, the engine gets a user id of its own instead; else it is unfenced, and says so.

Order of the parts: `plan_rules` (what), `apply_landlock` (how), `own_uid` (instead).

Source of numbers and structs: linux/landlock.h; the rules were found with strace and by taking rights away until the engine of
1.4.0 no longer started.
"""

import ctypes
import os
import struct
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System call numbers, the same on every architecture since 5.13."""
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_RULE_NET_PORT = 2
_BIND_TCP = 1
_CONNECT_TCP = 2
_PR_SET_NO_NEW_PRIVS = 38


_OWN_PROC = Path("/proc/self")
"""Resolved when the rule is applied: the entry of the process that becomes the engine."""


class Right(IntFlag):
    """Landlock's file system rights (ABI that brought it in brackets, 1 where none)."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13  # [2]
    TRUNCATE = 1 << 14  # [3]
    IOCTL_DEV = 1 << 15  # [5]


READ = Right.READ_FILE
LIST = Right.READ_FILE | Right.READ_DIR
RUN = Right.READ_FILE | Right.EXECUTE
OWN = (
    LIST
    | Right.WRITE_FILE
    | Right.TRUNCATE
    | Right.REMOVE_DIR
    | Right.REMOVE_FILE
    | Right.MAKE_DIR
    | Right.MAKE_REG
    | Right.MAKE_SOCK
    | Right.MAKE_SYM
)
"""Inside its own directory: everything but running files, making devices and pipes, and moving files out of it."""
_OF_FILES = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.IOCTL_DEV
"""The kernel refuses rules that give a plain file more than these."""


class Fence(StrEnum):
    """What holds one running engine back."""

    LANDLOCK = "LANDLOCK"
    OWN_UID = "OWN_UID"
    UNFENCED = "UNFENCED"


class FencePolicy(StrEnum):
    """What the caller wants. AUTO: the best this machine can do. The others are for tests and for decided operators."""

    AUTO = "AUTO"
    OWN_UID = "OWN_UID"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What may be done to `path` and, if it is a folder, to all below it."""

    path: Path
    rights: Right


def plan_rules(root: Path, binary: Path, library_dirs: tuple[Path, ...]) -> tuple[Rule, ...]:
    """Return the rules for an engine in `root`. Paths that do not exist on this machine are left out when applied.

    Not allowed on purpose: /etc/machine-id, /etc/resolv.conf, /etc/hosts (telemetry names the machine and resolves its
    endpoint with them), /etc/passwd, /proc of other processes, /tmp, every other tenant, spool and backup.
    """
    system_libraries = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
    return (
        Rule(path=root, rights=OWN),
        Rule(path=binary, rights=RUN),
        *(Rule(path=folder, rights=LIST) for folder in library_dirs),
        # The dynamic loader is executed, the libraries it maps are only read; one folder holds both.
        *(Rule(path=Path(folder), rights=LIST | Right.EXECUTE) for folder in system_libraries),
        Rule(path=Path("/etc/ld.so.cache"), rights=READ),
        Rule(path=Path("/etc/localtime"), rights=READ),
        # The engine asks `sh -c "grep avx2 /proc/cpuinfo"` which instructions it may use; without an answer it starts, slower.
        Rule(path=Path("/bin/sh"), rights=RUN),
        Rule(path=Path("/usr/bin/grep"), rights=RUN),
        Rule(path=Path("/bin/grep"), rights=RUN),
        Rule(path=Path("/proc/cpuinfo"), rights=READ),
        # glibc asks /proc/self/maps where the main thread's stack ends; without it the engine ends at once, silently.
        Rule(path=_OWN_PROC, rights=LIST),
        Rule(path=Path("/sys/devices/system/cpu"), rights=LIST),
        Rule(path=Path("/dev/null"), rights=READ | Right.WRITE_FILE),
        Rule(path=Path("/dev/urandom"), rights=READ),
    )


def landlock_abi() -> int:
    """Return the version of Landlock the kernel offers; 0 where it has none or forbids it."""
    version = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION))
    return max(0, int(version))


def best_fence() -> Fence:
    """Return what AUTO will come to on this machine."""
    if landlock_abi() >= 1:
        return Fence.LANDLOCK
    return Fence.OWN_UID if os.geteuid() == 0 else Fence.UNFENCED


def apply_landlock(rules: tuple[Rule, ...], *, log_source_port: int | None = None, own_port: int | None = None) -> None:
    """Confine the calling process and all it will start, for good. Raises OSError; then nothing is confined.

    Also takes away TCP: no port can be opened but `own_port` and none be reached but `log_source_port` [4] (no engine needs
    another; it keeps `mysql_port`, `enable_rpc_service`, telemetry and requests to neighbours from working), and signals to and
    abstract sockets of other processes [6].
    """
    abi = landlock_abi()
    if abi < 1:
        raise OSError(0, "the kernel has no Landlock")
    handled = _rights_known(abi)
    network = 0b11 if abi >= 4 else 0
    scoped = 0b11 if abi >= 6 else 0
    attributes = struct.pack("<QQQ", int(handled), network, scoped)
    attributes = attributes[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _checked(
        _libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)), "ruleset"
    )
    try:
        for rule in rules:
            _add(ruleset, rule, handled)
        if network and log_source_port is not None:
            _add_port(ruleset, _CONNECT_TCP, log_source_port)
        if network and own_port is not None:
            _add_port(ruleset, _BIND_TCP, own_port)
        _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
        _checked(_libc().syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)), "restrict")
    finally:
        os.close(ruleset)


def own_uid(root: Path) -> int:
    """Return the user id for the engine in `root`: stable for the directory, far above those that people have.

    Two directories of one file system never share it, because it is made of the folder's inode number.
    """
    return 0x40000000 + root.stat().st_ino % 0x30000000


def _add(ruleset: int, rule: Rule, handled: Right) -> None:
    try:
        place = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # what is not there can not be touched
    try:
        rights = rule.rights & handled
        if not os.path.isdir(f"/proc/self/fd/{place}"):
            rights &= _OF_FILES
        packed = struct.pack("<Qi", int(rights), place)
        _checked(
            _libc().syscall(
                _ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), packed, ctypes.c_uint32(0)
            ),
            f"rule for {rule.path}",
        )
    finally:
        if rule.path == _OWN_PROC:
            # A rule clings to an inode, and procfs makes new inodes when memory pressure evicts old ones. This
            # descriptor, inherited by the engine, keeps the one the rule is for.
            os.set_inheritable(place, True)
        else:
            os.close(place)


def _add_port(ruleset: int, right: int, port: int) -> None:
    packed = struct.pack("<QQ", right, port)
    _checked(
        _libc().syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_NET_PORT), packed, ctypes.c_uint32(0)),
        f"rule for port {port}",
    )


def _rights_known(abi: int) -> Right:
    """Return all rights this kernel knows; every one is handled, so that what no rule allows is forbidden."""
    count = 16 if abi >= 5 else 15 if abi >= 3 else 14 if abi >= 2 else 13
    return Right((1 << count) - 1)


def _checked(result: int, step: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"landlock {step}: {os.strerror(number)}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
