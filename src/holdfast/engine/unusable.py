"""Accounts of an engine that nobody can log in with, because of how the gateway reaches it.

Most engines are reached by a Unix socket, in plain. Such an engine takes the text `unix:` for the address of whoever comes that way, so
an account that is bound to an address, or to `localhost`, is nobody's (measured on 1.4.0: `%`, `u%` and `_nix_` match). One in a space
(`space`) sees its clients' addresses, and no names: `localhost` is nobody's there too. One that asks for TLS is refused by both. Names
of accounts are not told: they are their tenant's own.
"""

from holdfast.engine.account import SET_USER
from holdfast.engine.session import Session
from holdfast.values.host_pattern import SOCKET_HOST

_ASKS_FOR_TLS = "ssl_type > 1"
"""0: nothing said, 1: NONE, 2: SSL, 3: X509, 4: a subject, an issuer or a cipher."""
_COUNT = (
    f"select count(*) from oceanbase.__all_user where (%s or {_ASKS_FOR_TLS})"
    f" and is_locked = 0 and type = 0 and user_name <> '{SET_USER}'"  # 1 is a role
)
_NO_SOCKET = "%s not like host"
_NO_ADDRESS = "not host regexp %s"
_ADDRESS = "^[0-9.%_/]+$"
"""What may match an IPv4 address. A network has `/`, its mask as a number of bits or as an address."""
OPTION = "--client-addresses"
_WAY_OUT_OF_TLS = "ALTER USER ... REQUIRE NONE, clients reach the gateway by TLS all the same"
_RENAME = "RENAME USER to the host '%' and set ob_tcp_invited_nodes to say who may come"
WAY_OUT = f"{_RENAME}, or start the server with {OPTION}=auto; {_WAY_OUT_OF_TLS}"
_WAY_OUT_OF_REFUSAL = (
    f"{_RENAME}, or let the server make user and network namespaces (sysctl user.max_user_namespaces; in a container, its seccomp"
    f" profile) and start it again; {_WAY_OUT_OF_TLS}"
)
WAY_OUT_ADDRESSED = f"RENAME USER to an address such as '127.0.0.1'; {_WAY_OUT_OF_TLS}"


def count_unusable(session: Session, *, is_addressed: bool = False) -> int:
    """Return how many accounts, the locked ones left out, are bound to what no client has, or ask for TLS. Raises SqlError.

    `is_addressed`: of an engine that knows its clients' addresses.
    """
    condition, argument = (_NO_ADDRESS, _ADDRESS) if is_addressed else (_NO_SOCKET, SOCKET_HOST)
    return int(session.query(_COUNT.replace("%s", condition), (argument,))[0][0])


def unusable_words(count: int, *, is_addressed: bool = False, refusal: str = "") -> str:
    """Return in words that `count` accounts are nobody's, empty for none.

    `refusal`: why the engine does not know its clients' addresses although it was to.
    """
    if not count:
        return ""
    accounts = "1 account is" if count == 1 else f"{count} accounts are"
    what = "bound to a host that is no IPv4 address" if is_addressed else "bound to a host"
    way_out = WAY_OUT_ADDRESSED if is_addressed else _WAY_OUT_OF_REFUSAL if refusal else WAY_OUT
    why = f" (this machine lets no engine know its clients' addresses: {refusal})" if refusal else ""
    return f"{accounts} {what} or REQUIRE SSL, and nobody can log in with such a one through Holdfast{why}: {way_out}"
