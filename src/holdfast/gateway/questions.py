"""What tenants may ask of the sys engine: how much at once, and how much all in all. Used on the loop's thread only.

A tenant's dictionary views are read by an engine that all tenants share. The text of a question is the tenant's own, hints included,
so nothing in the engine bounds it for good; this does. The pace is that of one tenant: others are not held up by it.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from holdfast.gateway import refusals
from holdfast.gateway.settings import GatewaySettings
from holdfast.gateway.turns import Turns
from holdfast.mysql.packets import ServerError

_MINUTE = 60.0
_LINKS_AT_REST_MAX = 16
"""Connections with the sys engine that one tenant's clients keep between their questions; opening one takes some milliseconds."""
_LINKS_MAX = 256
"""With those on which statements are prepared, which only their client may close."""


class SpentError(Exception):
    """The tenant's questions took all that they may take for now."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"spent for {wait_seconds:.0f} s")
        self.wait_seconds = wait_seconds


class TooManyLinksError(Exception):
    """The tenant's clients keep too many connections with the sys engine."""


class AtRest(Protocol):
    """A client's connection with the sys engine, between two questions."""

    @property
    def may_be_closed(self) -> bool:
        """Return whether nothing is lost with it: no question under way, nothing prepared."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Purse:
    """Seconds of questions a tenant may still spend at the moment `at`; below zero is a debt."""

    seconds: float
    at: float


class Questions:
    """The questions of all tenants. Whoever has begun one says `end`."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._turns: Turns[int] = Turns()
        self._purses: dict[int, _Purse] = {}
        self._links: dict[int, OrderedDict[AtRest, None]] = {}

    async def begin(self, tenant_id: int) -> None:
        """Return when one more question of the tenant may be asked. Raises SpentError."""
        await self._turns.begin(tenant_id, self._settings.view_questions_at_once)
        wait_seconds = self._debt(tenant_id)
        if wait_seconds > 0:
            self._turns.end(tenant_id)
            raise SpentError(wait_seconds)

    def end(self, tenant_id: int, seconds: float) -> None:
        """A question has ended that took so long."""
        purse = self._purse(tenant_id)
        purse.seconds -= seconds
        self._turns.end(tenant_id)

    def _debt(self, tenant_id: int) -> float:
        """Return the seconds until something may be spent again: 0 when it may be now."""
        purse = self._purse(tenant_id)
        if purse.seconds > 0:
            return 0.0
        return (1 - purse.seconds) * _MINUTE / self._settings.view_seconds_per_minute

    def _purse(self, tenant_id: int) -> _Purse:
        """Return the tenant's purse as it is now. It fills up within a minute, and then holds what a minute gives."""
        now, full = asyncio.get_running_loop().time(), self._settings.view_seconds_per_minute
        purse = self._purses.setdefault(tenant_id, _Purse(full, now))
        purse.seconds = min(full, purse.seconds + (now - purse.at) * full / _MINUTE)
        purse.at = now
        return purse

    # --- connections

    def note_open(self, tenant_id: int, link: AtRest) -> None:
        """Count a connection that is about to be opened or used; one that rests longest gives way. Raises TooManyLinksError."""
        links = self._links.setdefault(tenant_id, OrderedDict())
        if link in links:
            links.move_to_end(link)
            return
        if len(links) >= _LINKS_AT_REST_MAX:
            idle = next((other for other in links if other.may_be_closed), None)
            if idle is not None:
                idle.close()
            elif len(links) >= _LINKS_MAX:
                raise TooManyLinksError
        self._links.setdefault(tenant_id, links)[link] = None

    def note_closed(self, tenant_id: int, link: AtRest) -> None:
        links = self._links.get(tenant_id)
        if links is not None:
            links.pop(link, None)
            if not links:
                del self._links[tenant_id]


def spent(user: str, settings: GatewaySettings, error: SpentError) -> ServerError:
    """Return how a client is told that its tenant has to wait."""
    return refusals.views_spent(user, settings.view_seconds_per_minute, error.wait_seconds)
