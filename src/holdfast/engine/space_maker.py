"""The short-lived process that makes sockets in an engine's space: `space_maker.py USER_NS NET_NS CHANNEL COUNT`, all numbers.

Only a process of one thread may enter a user namespace, so a server that is not root has this one do it. It passes the sockets over
CHANNEL and ends; nothing of it is left in the namespace. Imports nothing of Holdfast's: it starts in the blink of a login.
"""

import ctypes
import os
import socket
import sys

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def enter(descriptor: int, kind: int) -> None:
    """Enter the namespace behind `descriptor`: the calling thread, or for a user namespace the process. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def make_sockets(count: int) -> list[socket.socket]:
    """Return unbound TCP sockets of the namespace the calling thread is in."""
    return [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]


def main(user: int, net: int, channel: int, count: int) -> None:
    enter(user, CLONE_NEWUSER)
    enter(net, CLONE_NEWNET)
    made = make_sockets(count)  # kept until they are passed: a socket that nobody holds is closed
    with socket.socket(fileno=channel) as passing:
        socket.send_fds(passing, [b"s"], [each.fileno() for each in made])


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:5]))
