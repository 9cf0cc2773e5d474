"""The user name a client logs in with, which in OceanBase also names the tenant: `user@tenant#cluster`."""

from dataclasses import dataclass

SYS_TENANT_NAME = "sys"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginName:
    """`tenant` and `cluster` are empty when the client named none."""

    user: str
    tenant: str
    cluster: str


def split_login_name(text: str) -> LoginName:
    """Return the parts of `user`, `user@tenant` or `user@tenant#cluster`.

    The tenant begins behind the last `@`, so a user whose own name holds one stays reachable; without `@` none is named: where
    that leads is the server's to say (in OceanBase to sys). The cluster begins behind the first `#` after that.
    """
    user, at, place = text.rpartition("@")
    if not at:
        user, _, cluster = text.partition("#")
        return LoginName(user=user, tenant="", cluster=cluster)
    tenant, _, cluster = place.partition("#")
    return LoginName(user=user, tenant=tenant, cluster=cluster)
