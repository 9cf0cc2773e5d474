"""The user name a client logs in with, which in OceanBase also names the tenant: `user@tenant#cluster`."""

from dataclasses import dataclass

SYS_TENANT_NAME = "sys"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginName:
    """`cluster` is empty when the client named none."""

    user: str
    tenant: str
    cluster: str


def split_login_name(text: str) -> LoginName:
    """Return the parts of `user`, `user@tenant` or `user@tenant#cluster`.

    The tenant begins behind the last `@`, so a user whose own name holds one stays reachable; no `@` means the sys
    tenant, as in OceanBase. The cluster begins behind the first `#` after that.
    """
    user, at, place = text.rpartition("@")
    if not at:
        user, _, cluster = text.partition("#")
        return LoginName(user=user, tenant=SYS_TENANT_NAME, cluster=cluster)
    tenant, _, cluster = place.partition("#")
    return LoginName(user=user, tenant=tenant or SYS_TENANT_NAME, cluster=cluster)
