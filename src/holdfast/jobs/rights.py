"""Who may run what, and what a TENANT clause may name.

Source: the tables of rights and of tenant list errors in the project's statements specification (1.1, 1.2).
"""

from collections.abc import Callable

from holdfast import codes
from holdfast.engine.session import ROOT
from holdfast.errors import RefusedError, refuse
from holdfast.jobs.session import Session
from holdfast.statement.commands import ALL_TENANTS
from holdfast.values.grants import Right
from holdfast.values.tenant import Tenant


def require(session: Session, right: Right) -> None:
    """Raise 1227, in the engine's own words, when it has not granted `right`, or SUPER, to the session's user."""
    if not session.grants.allow(right):
        raise refuse(codes.OB_ERR_NO_PRIVILEGE, right.value if right is Right.SUPER else f"SUPER or {right}")


def require_sys(session: Session, privilege: str = "SYS TENANT") -> None:
    """Raise 1227 when the session is not in the sys tenant."""
    if not session.tenant.is_sys:
        raise refuse(codes.OB_ERR_NO_PRIVILEGE, privilege)


def require_root_of_sys(session: Session, what: str) -> None:
    """Raise 1227 when the session is not root's of the sys tenant, whatever is granted: `what` names things of the host.

    The engine has no privilege for it, and ALTER SYSTEM does not make an operator of the cluster master of the server's account.
    """
    if not session.tenant.is_sys or session.user != ROOT:
        raise refuse(codes.OB_ERR_NO_PRIVILEGE, "SYS TENANT", hint=f"root@sys alone: {what}")


def targets_of_setting(
    session: Session,
    names: tuple[str, ...],
    *,
    find: Callable[[str], Tenant | None],
    users: Callable[[], tuple[Tenant, ...]],
) -> tuple[Tenant, ...]:
    """Return the tenants a SET with this TENANT clause is for. Without a clause: the session's own.

    Raises 1227 when a user tenant names any, -5160 for an unknown one, 1235 for a duplicate or a mix with ALL.
    """
    if not names:
        return (session.tenant,)
    if not session.tenant.is_sys:
        raise refuse(codes.OB_ERR_NO_PRIVILEGE, "SYS TENANT")
    special = [name.lower() for name in names if name.lower() in ALL_TENANTS]
    if special:
        if len(names) > 1:
            raise not_supported("all/all_user/all_meta in combination with other names is")
        return () if special[0] == "all_meta" else users()
    found: list[Tenant] = []
    for name in names:
        tenant = session.tenant if name == session.tenant.name else find(name)
        if tenant is None:
            raise unknown_tenant(name)
        if tenant in found:
            raise not_supported(f"duplicate tenant {name} is")
        found.append(tenant)
    return tuple(found)


def unknown_tenant(name: str) -> RefusedError:
    """Return -5160, with the name in the hint."""
    return refuse(codes.OB_ERR_INVALID_TENANT_NAME, hint=f"no tenant {name!r}; SHOW TENANTS lists them")


def not_supported(what: str, hint: str = "") -> RefusedError:
    """Return 1235 with `what` as the subject of "... not supported"."""
    return refuse(codes.OB_NOT_SUPPORTED, what, hint=hint)
