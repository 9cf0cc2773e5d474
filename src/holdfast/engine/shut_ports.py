"""Keeps an engine that is not embedded from listening on TCP, without its noticing.

Why: only an engine that is not embedded pulls log from a source and goes on taking in the table definitions of its log, and such
an engine opens its SQL port on all addresses of the machine, with no setting to choose another; refused the port, it ends
(measured on 1.4.0). A tenant's one door is the gateway. So a system call filter answers the two calls that open a port with
"done" and does neither: `bind` to an internet address, told by the size of its argument, and `listen` with any backlog but -1,
which is what the engine gives for its Unix socket. The engine then waits, at no cost, for connections that can not come.

A filter holds for the process and all it starts, for good, and needs no privilege. Landlock is no substitute: it refuses, and it does not
know `listen`.
"""

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

# struct seccomp_data: i32 number, u32 architecture, u64 instruction pointer, six u64 arguments; the low half of each comes first.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_SECOND_ARGUMENT: Final = 24
_THIRD_ARGUMENT: Final = 32

_ALLOW: Final = 0x7FFF0000
_SAY_DONE: Final = 0x00050000  # "fail" with error 0, which the caller sees as success
_SOCKADDR_IN_BYTES: Final = 16
_SOCKADDR_IN6_BYTES: Final = 28
_BACKLOG_OF_UNIX_SOCKET: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """The numbers of the system calls. Source: the kernel's headers."""

    architecture: int
    bind: int
    listen: int


_MACHINES: Final = {
    "x86_64": _Machine(architecture=0xC000003E, bind=49, listen=50),
    "aarch64": _Machine(architecture=0xC00000B7, bind=200, listen=201),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def can_shut_ports() -> bool:
    """Return whether `shut_ports` works on this machine; changes nothing."""
    if platform.machine() not in _MACHINES:
        return False
    # A missing filter is what a kernel that has filters complains of first; one without says EINVAL.
    refused = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_SECCOMP, _MODE_FILTER, None, 0, 0) != 0
    return refused and ctypes.get_errno() == errno.EFAULT


def shut_ports() -> None:
    """Let this process and all it starts open no TCP port from now on. Raises OSError; then nothing has changed."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise OSError(0, f"TCP ports can not be shut on {platform.machine()}: its system calls are not known")
    code = encode_filter(machine.architecture, machine.bind, machine.listen)
    program = _Program(length=len(code) // 8, filter=code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"TCP ports can not be shut: {os.strerror(number)}")


def encode_filter(architecture: int, bind: int, listen: int) -> bytes:
    """Return the filter: 8 bytes an instruction (operation, steps if true, steps if not, operand)."""
    steps = (
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, 8, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_EQUAL, 3, 0, bind),
        (_IF_EQUAL, 0, 5, listen),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_IF_EQUAL, 3, 4, _BACKLOG_OF_UNIX_SOCKET),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_IF_EQUAL, 2, 0, _SOCKADDR_IN_BYTES),
        (_IF_EQUAL, 1, 0, _SOCKADDR_IN6_BYTES),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _SAY_DONE),
    )
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
