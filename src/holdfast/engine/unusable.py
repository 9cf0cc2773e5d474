"""Accounts of an engine that nobody can log in with, because of how the gateway reaches it.

Most engines are reached by a Unix socket. Such an engine takes the text `unix:` for the address of whoever comes that way, so an account
that is bound to an address, or to `localhost`, is nobody's (measured on 1.4.0: `%`, `u%` and `_nix_` match). One in a space (`space`)
sees its clients' addresses, and no names: `localhost` is nobody's there too. One that asks for TLS lets in who comes by TLS, where both
the port and the engine speak it; one that asks for a client's own certificate lets in nobody, since the gateway has not its key. Names of
accounts are not told: they are their tenant's own.
"""

from dataclasses import dataclass

from holdfast.engine.account import SET_USER
from holdfast.engine.session import Session
from holdfast.values.host_pattern import SOCKET_HOST
from holdfast.values.outside import one_line

SSL_TYPE = 2
"""What `ssl_type` of `__all_user` says of REQUIRE SSL. 0: nothing said, 1: NONE, 3: X509, 4: a subject, an issuer or a cipher."""
_NONE_TYPE = 1
_COUNT = (
    "select count(*) from oceanbase.__all_user where ({} or ssl_type > %s)"
    f" and is_locked = 0 and type = 0 and user_name <> '{SET_USER}'"  # 1 is a role
)
_NO_SOCKET = "%s not like host"
_NO_ADDRESS = "not host regexp %s"
_ADDRESS = "^[0-9.%_/]+$"
"""What may match an IPv4 address. A network has `/`, its mask as a number of bits or as an address."""
OPTION = "--client-addresses"
_REFUSAL_CHARACTERS_MAX = 300
"""What stands behind it is the way out, which is shown whole."""
_RENAME = "RENAME USER to the host '%' and set ob_tcp_invited_nodes to say who may come"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How an engine is reached.

    `is_addressed`: it knows its clients' addresses. `serves_tls`: who comes by TLS reaches it by TLS.
    `refusal`: why it does not know its clients' addresses although it was to.
    """

    is_addressed: bool = False
    serves_tls: bool = False
    refusal: str = ""

    def count_unusable(self, session: Session) -> int:
        """Return how many accounts, the locked ones left out, let nobody in. Raises SqlError."""
        condition, argument = (_NO_ADDRESS, _ADDRESS) if self.is_addressed else (_NO_SOCKET, SOCKET_HOST)
        served = SSL_TYPE if self.serves_tls else _NONE_TYPE
        return int(session.query(_COUNT.format(condition), (argument, served))[0][0])

    def words(self, count: int) -> str:
        """Return in words that `count` accounts are nobody's, empty for none."""
        if not count:
            return ""
        accounts = "1 account is" if count == 1 else f"{count} accounts are"
        refusal = one_line(self.refusal, _REFUSAL_CHARACTERS_MAX)
        why = f" (this machine lets no engine know its clients' addresses: {refusal})" if refusal else ""
        return f"{accounts} {self._what}, and nobody can log in with such a one through Holdfast{why}: {self._way_out}"

    @property
    def hint(self) -> str:
        """Return what is added to each 1045 of a tenant with such accounts."""
        return f" (or the account is {self._what}, which lets nobody in here: {self._way_out})"

    @property
    def _what(self) -> str:
        bound = "bound to a host that is no IPv4 address" if self.is_addressed else "bound to a host"
        return f"{bound} or REQUIREs {'X509' if self.serves_tls else 'SSL'}"

    @property
    def _way_out(self) -> str:
        if self.is_addressed:
            address = "RENAME USER to an address such as '127.0.0.1'"
        elif self.refusal:
            address = (
                f"{_RENAME}, or let the server make user and network namespaces (sysctl user.max_user_namespaces; in a container, its"
                " seccomp profile) and start it again"
            )
        else:
            address = f"{_RENAME}, or start the server with {OPTION}=auto"
        if self.serves_tls:
            return f"{address}; ALTER USER ... REQUIRE SSL asks for TLS alone"
        return f"{address}; start the server, its engines too, with --tls-cert and --tls-key, or ALTER USER ... REQUIRE NONE"
