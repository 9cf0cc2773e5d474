"""A tenant's views are made when it first asks one: once, however many ask at once, and again after a failure."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast.errors import EngineError
from holdfast.jobs.tenants import Tenants
from holdfast.values.tenant import CompatibilityMode, Tenant


class Sys:
    """The catalog and the supervisor, as far as views ask them; `installed`: tenant and password of each installation."""

    def __init__(self) -> None:
        self.installed: list[tuple[int, str]] = []
        self.fails = False
        self.tenants = SimpleNamespace(by_id=lambda tenant_id: SimpleNamespace(mode=CompatibilityMode.MYSQL))

    def install_tenant(self, tenant_id: int, password: str, mode: CompatibilityMode) -> None:
        if self.fails:
            raise EngineError("the sys tenant's engine can not be reached")
        self.installed.append((tenant_id, password))
        threading.Event().wait(0.1)  # the others come meanwhile

    def directory(self, tenant_id: int) -> object:
        return SimpleNamespace(socket=Path(f"/sys/{tenant_id}.sock"))


def tenants_of(sys: Sys) -> Tenants:
    anything = cast(Any, sys)
    return Tenants(anything, anything, anything, anything, anything)


def tenant(tenant_id: int) -> Tenant:
    return cast(Tenant, SimpleNamespace(tenant_id=tenant_id))


def test_who_asks_at_once_gets_the_one_password_there_is() -> None:
    """The reader's password is replaced by each installation, which ends the sessions of the one before."""
    sys = Sys()
    tenants = tenants_of(sys)
    with ThreadPoolExecutor(8) as pool:
        logins = list(pool.map(lambda _: tenants.views_login(tenant(1002)), range(8)))
    ((installed, password),) = sys.installed
    assert installed == 1002
    assert {(login.user, login.password, login.schema) for login in logins} == {("hf_t1002", password, "t1002")}
    assert tenants.views_login(tenant(1004)).password != password
    assert [one for one, _ in sys.installed] == [1002, 1004]


def test_what_could_not_be_made_is_made_for_the_next_who_asks() -> None:
    sys = Sys()
    tenants, sys.fails = tenants_of(sys), True
    with pytest.raises(EngineError):
        tenants.views_login(tenant(1002))
    sys.fails = False
    assert tenants.views_login(tenant(1002)).password == sys.installed[0][1]
