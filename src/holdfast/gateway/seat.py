"""A client that has logged in: everything that dies with its login."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from holdfast.gateway import refusals
from holdfast.gateway.charsets import lexing_codec_of_collation
from holdfast.gateway.diagnostics import Diagnostics
from holdfast.gateway.facts import EngineRefusedError
from holdfast.gateway.house import House
from holdfast.gateway.link import EngineLink
from holdfast.gateway.login import Entry
from holdfast.gateway.places import Place
from holdfast.gateway.prepared import PreparedStatements
from holdfast.gateway.views import ViewsConnection
from holdfast.jobs.session import Session
from holdfast.mysql.flags import Capability, Status
from holdfast.values.tenant import Tenant

T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class Seat:
    """`views` is None in the sys tenant, where dictionary views are real. `diagnostics` is None unless the last statement
    was Holdfast's; then SHOW WARNINGS is the gateway's to answer."""

    house: House
    client_id: int
    tenant: Tenant
    user: str
    link: EngineLink
    place: Place
    views: ViewsConnection | None
    session: Session
    login_capabilities: Capability
    view_names: frozenset[str]
    lexing_codec: str
    takes_scripts: bool
    prepared: PreparedStatements = field(default_factory=PreparedStatements)
    diagnostics: Diagnostics | None = None
    status: Status = Status.AUTOCOMMIT
    is_asking_views: bool = False
    is_interrupted: bool = False

    async def read(self, text: bytes | str, work: Callable[[], T]) -> T:
        """Return what `work` says of `text`: `House.read`. Raises EngineRefusedError (1317) when a KILL QUERY came meanwhile."""
        told = await self.house.read(self.tenant, text, work)
        if self.is_interrupted:
            raise EngineRefusedError(refusals.INTERRUPTED)
        return told

    def begin_session(self) -> None:
        """Forget what the statements of Holdfast's have set so far: COM_RESET_CONNECTION."""
        self.session = new_session(self.tenant, self.user, self.client_id)
        self.prepared.clear()
        self.diagnostics = None
        if self.views is not None:
            self.views.close()

    def close(self) -> None:
        """Leave the engines, and the place to others."""
        self.place.release()
        self.link.close()
        if self.views is not None:
            self.views.close()


def new_session(tenant: Tenant, user: str, client_id: int) -> Session:
    return Session(tenant=tenant, user=user, client_id=client_id)


def take_seat(house: House, client_id: int, entry: Entry) -> Seat:
    """Return the place of a client whose login succeeded."""
    tenant = entry.tenant
    return Seat(
        house=house,
        client_id=client_id,
        tenant=tenant,
        user=entry.user,
        link=entry.link,
        place=entry.place,
        views=None if tenant.is_sys else ViewsConnection(house, tenant, entry.user, entry.response),
        session=new_session(tenant, entry.user, client_id),
        view_names=house.settings.sys_view_names if tenant.is_sys else house.settings.view_names,
        login_capabilities=entry.response.capabilities,
        lexing_codec=lexing_codec_of_collation(entry.response.charset),
        takes_scripts=Capability.MULTI_STATEMENTS in entry.response.capabilities,
    )
