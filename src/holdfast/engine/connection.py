"""Whose a connection on this machine is: the kernel says, no password is needed."""

import os
from pathlib import Path

_LOOPBACK = "0100007F"  # 127.0.0.1 as the kernel prints it on a little-endian machine
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def is_connection_of(pid: int, own_port: int, other_port: int) -> bool:
    """Return whether process `pid` holds the end `own_port` of the loopback connection from it to `other_port`.

    False when it can not be told: the process has ended, or its files may not be looked at.
    """
    inodes = {inode for table in _TABLES for inode in _inodes(table, own_port, other_port)}
    return bool(inodes) and any(link in inodes for link in _links(pid))


def _inodes(table: Path, own_port: int, other_port: int) -> list[str]:
    """Return the sockets of the table that connect these ports, as `/proc/*/fd` names them."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    own, other = f"{_LOOPBACK}:{own_port:04X}", f"{_LOOPBACK}:{other_port:04X}"
    return [
        f"socket:[{fields[9]}]"
        for line in lines
        if own in line and (fields := line.split())[1].endswith(own) and fields[2].endswith(other)
    ]


def _links(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    links = []
    try:
        for name in os.listdir(folder):
            try:
                links.append(os.readlink(f"{folder}/{name}"))
            except OSError:
                continue  # closed meanwhile
    except OSError:
        return []
    return links
