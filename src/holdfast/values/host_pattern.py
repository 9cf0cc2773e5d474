"""Which client addresses an engine's pattern means: the Host of an account, an entry of `ob_tcp_invited_nodes`.

A pattern matches as a text with the wildcards `%` and `_`, which nothing escapes; as an address; or as a network, `10.0.0.0/8` or
`10.0.0.0/255.0.0.0`. It is the engine's own matching, not MySQL's.
Source: oceanbase/seekdb deps/oblib/src/lib/net/ob_net_util.cpp; each rule was tried on 1.4.0 (tests/values/test_host_pattern.py).
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

SOCKET_HOST = "unix:"
"""What an engine takes for the address of whoever comes by its Unix socket."""
_LOOPBACKS = frozenset({"127.0.0.1", "::1"})
_ADMINISTRATOR = "root"
_BITS = re.compile(r"\s*\+?0*(\d{1,3})", re.ASCII)


def is_invited(host: str, user: str, nodes: str) -> bool:
    """Return whether a client at address `host` may log in under `ob_tcp_invited_nodes` = `nodes`, a list with commas.

    An empty list invites nobody. The administrator of the machine itself always may, so that a wrong list can be mended.
    """
    if is_always_invited(host, user):
        return True
    address = _address(host.partition("%")[0])  # of an address on a link, its name goes
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address is not None and any(matches(str(address), node.strip()) for node in nodes.split(","))


def is_always_invited(host: str, user: str) -> bool:
    """Return whether the list does not matter for this login."""
    return user == _ADMINISTRATOR and host in _LOOPBACKS


def matches(host: str, pattern: str) -> bool:
    """Return whether an engine takes `host`, an address or `SOCKET_HOST`, for one that `pattern` means."""
    return _is_like(host, pattern) or _is_in(host, pattern)


def _is_like(host: str, pattern: str) -> bool:
    """Return whether the text is like the pattern. Time: the product of their lengths at most, whatever the pattern is."""
    at = place = 0
    wildcard = tried = -1
    while at < len(host):
        if place < len(pattern) and pattern[place] == "%":
            wildcard, tried = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("_", host[at]):
            at, place = at + 1, place + 1
        elif wildcard >= 0:
            tried += 1
            at, place = tried, wildcard + 1
        else:
            return False
    return not pattern[place:].strip("%")


def _is_in(host: str, pattern: str) -> bool:
    """Return whether the address is the pattern's, or in its network."""
    address = _address(host)
    place, slash, mask = pattern.partition("/")
    network = _address(place)
    if address is None or network is None or address.version != network.version:
        return False
    if not slash:
        return address == network
    bits = _mask(mask, network)
    return bits is not None and int(address) & bits == int(network) & bits


def _mask(text: str, network: IPv4Address | IPv6Address) -> int | None:
    """Return the mask's bits; None for what is none."""
    if "." in text or ":" in text:
        mask = _address(text)  # one of the other family, which the engine takes for one of no bits, fits nobody here
        return int(mask) if mask is not None and mask.version == network.version else None
    written = _BITS.fullmatch(text)
    if written is None or int(written[1]) > network.max_prefixlen:
        return None
    return ((1 << int(written[1])) - 1) << (network.max_prefixlen - int(written[1]))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
