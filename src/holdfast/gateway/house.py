"""What all connections of one gateway share."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from holdfast.errors import EngineError, HoldfastError
from holdfast.gateway.patience import HalfOpen
from holdfast.gateway.places import Attempts, Places
from holdfast.gateway.questions import Questions
from holdfast.gateway.registry import Registry
from holdfast.gateway.settings import GatewaySettings
from holdfast.gateway.turns import Turns
from holdfast.jobs.door import Desk, Route
from holdfast.values.tenant import Tenant

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


_DESK_TURNS = 4
_DESK_TURNS_OF_SYS = 16
"""Questions to the desk that one tenant may have under way at once; the others of that tenant wait. One may take seconds: a
destination that hangs, an engine that starts."""


class House:
    """The desk and how to reach it without blocking the loop.

    Logins have threads of their own: a desk busy with statements that take seconds must not keep people out.
    """

    def __init__(
        self, *, desk: Desk, settings: GatewaySettings, statement_threads: Executor, login_threads: Executor
    ) -> None:
        self.desk = desk
        self.settings = settings
        self.registry: Registry[Any] = Registry()
        self.places = Places(desk.place_limits)
        self.attempts = Attempts(settings.unfinished_max, self.places.free)
        self.half_open = HalfOpen(settings.unfinished_max)
        self.knocks: Turns[Path] = Turns()
        self.questions = Questions(settings)
        self._statement_threads = statement_threads
        self._login_threads = login_threads
        self._desk_turns: Turns[int] = Turns()

    async def on_desk(self, tenant: Tenant, work: Callable[[], T]) -> T:
        """Return what `work` returns, run on a thread for statements in its tenant's turn.

        Raises HoldfastError and nothing else, whatever `work` raises. The turn lasts as long as the thread works, also when nobody
        waits for its answer any more.
        """
        key = tenant.tenant_id
        await self._desk_turns.begin(key, _DESK_TURNS_OF_SYS if tenant.is_sys else _DESK_TURNS)
        loop = asyncio.get_running_loop()

        def end(_: object) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._desk_turns.end, key)

        try:
            worked = self._statement_threads.submit(_guarded, work)
        except RuntimeError:
            self._desk_turns.end(key)  # the door is closing
            raise
        worked.add_done_callback(end)
        return await asyncio.wrap_future(worked)

    async def route(self, tenant_name: str) -> Route:
        """Return where to log in. Raises HoldfastError: what Desk.route raises, or that it has a defect."""
        return await self.on_login_thread(lambda: self.desk.route(tenant_name))

    async def on_login_thread(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, run on a thread for logins. Raises HoldfastError and nothing else."""
        return await asyncio.get_running_loop().run_in_executor(self._login_threads, _guarded, work)


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except HoldfastError:
        raise
    except Exception as error:
        # Not the statement's text, which may hold a password, and not the error's own words: they may hold anything.
        _LOG.exception("a question to the desk failed unexpectedly")
        raise EngineError("Internal error", hint="the server's log has the cause") from error
