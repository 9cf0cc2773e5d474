"""A user and network namespace for one engine, in which every IPv4 address is local.

Why: an engine knows a client by the other end of its socket alone. In here the gateway can bind the address of any client
(`space_sockets`), so accounts that are bound to an address, USER() and the process list mean what they say. It also shuts the
engine in: its only links are a loopback and one that leads nowhere, and nobody outside reaches the port it listens on.

`enter_space` is for the process that becomes the engine; nothing has to be taken down, the last process or socket in a namespace
takes it along. `refusal` asks whether it would work, in a process of its own, because a namespace that was entered can not be left.

Source: linux/rtnetlink.h, linux/if_link.h, linux/capability.h; measured on 1.4.0 (docs/decisions/0059).
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

PORT: Final = 2881
"""Where each engine listens in its own space: the port it is built with."""

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_CAPBSET_DROP: Final = 24
_CAPABILITIES_MAX: Final = 64

_NLMSG_ERROR: Final = 2
_NEWLINK, _NEWADDR, _NEWROUTE = 16, 20, 24
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_IFF_UP: Final = 1
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_INFO_KIND = 3, 18, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF: Final = 4
_TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL = 255, 4, 254, 2
_ANSWER_BYTES_MAX: Final = 1 << 16

_LINK: Final = "hf0"
_LINK_KINDS: Final = ("dummy", "bridge", "veth")
"""An engine looks for a hardware address among the links that have an IPv4 address, and ends (-4016) without. Not every kernel
has each kind."""
_LINK_ADDRESS: Final = socket.inet_aton("169.254.7.7")


def enter_space() -> None:
    """Put this process, which must have one thread, and all it starts into a namespace of its own, for good.

    No capability outlives the exec that follows. Raises OSError with the step; then this process can only end.
    """
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    _write("setgroups", "deny")
    _write("uid_map", f"{uid} {uid} 1")
    _write("gid_map", f"{gid} {gid} 1")
    _make_links()
    # As user 0 it would get all of them again, within the namespace, when it executes the engine.
    for capability in range(_CAPABILITIES_MAX):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            if ctypes.get_errno() == errno.EINVAL:
                break  # behind the last one that the kernel knows
            raise OSError(ctypes.get_errno(), "a capability can not be dropped")


def refusal(root: Path, binary: Path) -> str:
    """Return in words why an engine in `root` can have no space on this machine; empty when it can. Call with one thread.

    Within a namespace user 0 is an ordinary user: files of others, which it could open outside, are looked for.
    """
    foreign = _foreign_file(root)
    if foreign is not None:
        return f"{foreign} belongs to another user"

    def look() -> str:
        enter_space()
        return "" if os.access(binary, os.R_OK | os.X_OK) else f"{binary} is not readable for an ordinary user"

    return _in_a_child(look)


def _in_a_child(look: Callable[[], str]) -> str:
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        try:
            said = look()
        except OSError as error:
            said = error.strerror or str(error)
        except BaseException:  # noqa: BLE001 - this process must end
            said = "a defect of Holdfast"
        os.write(write_end, (said or "\n").encode(errors="replace")[:4096])
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return said.strip() if said else "the process that tried it ended without a word"


def _foreign_file(root: Path) -> Path | None:
    uid = os.geteuid()
    for folder, _, files in os.walk(root):
        for name in (".", *files):
            path = Path(folder, name)
            try:
                if path.lstat().st_uid != uid:
                    return path
            except FileNotFoundError:
                continue  # removed meanwhile
    return None


def _write(name: str, text: str) -> None:
    try:
        Path("/proc/self", name).write_text(text)
    except OSError as error:
        raise OSError(error.errno, f"{name}: {error.strerror}") from error


def _make_links() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        _ask(kernel, "loopback up", _NEWLINK, 0, _link_up("lo"))
        _add_link(kernel)
        address = struct.pack("=BBBBi", socket.AF_INET, 32, 0, _SCOPE_HOST, socket.if_nametoindex(_LINK))
        address += _attribute(_IFA_LOCAL, _LINK_ADDRESS) + _attribute(_IFA_ADDRESS, _LINK_ADDRESS)
        _ask(kernel, f"address of {_LINK}", _NEWADDR, _CREATE | _EXCL, address)
        _ask(kernel, f"{_LINK} up", _NEWLINK, 0, _link_up(_LINK))
        route = struct.pack(
            "=BBBBBBBBI", socket.AF_INET, 0, 0, 0, _TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL, 0
        ) + _attribute(_RTA_OIF, struct.pack("=i", socket.if_nametoindex("lo")))
        _ask(kernel, "every address local", _NEWROUTE, _CREATE | _EXCL, route)


def _add_link(kernel: socket.socket) -> None:
    failure: OSError | None = None
    for kind in _LINK_KINDS:
        body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
        body += _attribute(_IFLA_IFNAME, _LINK.encode() + b"\0")
        body += _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, kind.encode()))
        try:
            _ask(kernel, f"a link of kind {kind}", _NEWLINK, _CREATE | _EXCL, body)
        except OSError as error:
            failure = error
        else:
            return
    assert failure is not None
    raise failure


def _link_up(name: str) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, socket.if_nametoindex(name), _IFF_UP, _IFF_UP)


def _attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute: its length without padding, its kind, its value, padded to 4 bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _ask(kernel: socket.socket, step: str, kind: int, flags: int, body: bytes) -> None:
    """Send one request and wait for its answer. Raises OSError with the step."""
    kernel.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACK | flags, 1, 0) + body)
    answer = kernel.recv(_ANSWER_BYTES_MAX)
    _, answered, _, _, _, code = struct.unpack_from("=IHHIIi", answer)
    if answered != _NLMSG_ERROR:
        raise OSError(errno.EPROTO, f"{step}: an unexpected answer of the kernel")
    if code != 0:
        raise OSError(-code, f"{step}: {os.strerror(-code)}")
