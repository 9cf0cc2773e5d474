"""Accounts of an engine that nobody can log in with, because its clients come by the Unix socket of the gateway, in plain.

The engine takes the text `unix:` for the address of whoever comes that way, so an account that is bound to an address, or to
`localhost`, is nobody's (measured on 1.4.0: `%`, `u%` and `_nix_` match). One that asks for TLS is refused as well. Names are not
told: they are their tenant's own.
"""

from holdfast.engine.session import Session
from holdfast.values.host_pattern import SOCKET_HOST

_ASKS_FOR_TLS = "ssl_type > 1"
"""0: nothing said, 1: NONE, 2: SSL, 3: X509, 4: a subject, an issuer or a cipher."""
_COUNT = (
    f"select count(*) from oceanbase.__all_user where (%s not like host or {_ASKS_FOR_TLS})"
    " and is_locked = 0 and type = 0"  # 1 is a role
)
WAY_OUT = (
    "RENAME USER to the host '%' and set ob_tcp_invited_nodes to say who may come; ALTER USER ... REQUIRE NONE, clients reach the"
    " gateway by TLS all the same"
)


def count_unusable(session: Session) -> int:
    """Return how many accounts, the locked ones left out, are bound to a host or ask for TLS. Raises SqlError."""
    return int(session.query(_COUNT, (SOCKET_HOST,))[0][0])


def unusable_words(count: int) -> str:
    """Return in words that `count` accounts are nobody's, empty for none."""
    if not count:
        return ""
    accounts = "1 account is" if count == 1 else f"{count} accounts are"
    return (
        f"{accounts} bound to a host or REQUIRE SSL, and nobody can log in with such a one through Holdfast: {WAY_OUT}"
    )
