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

READ_ON_LOOP_BYTES_MAX = 1024
"""A longer text is read on a thread. To lex one takes up to 2.5 ms a KiB (`python -m bench.texts`), and all connections of a tenant may
send one at a time."""
_READER_TURNS = 1
READER_THREADS = 2
"""Each of them that works keeps the interpreter from the loop for up to a switch interval whenever the loop has something to do."""


class House:
    """The desk and how to reach it without blocking the loop.

    Logins have threads of their own: a desk busy with statements that take seconds must not keep people out.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        settings: GatewaySettings,
        statement_threads: Executor,
        login_threads: Executor,
        reader_threads: Executor,
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
        self._reader_threads = reader_threads
        self._desk_turns: Turns[int] = Turns()
        self._reader_turns: Turns[int] = Turns()

    async def on_desk(self, tenant: Tenant, work: Callable[[], T]) -> T:
        """Return what `work` returns, run on a thread for statements in its tenant's turn.

        Raises HoldfastError and nothing else, whatever `work` raises. The turn lasts as long as the thread works, also when nobody
        waits for its answer any more.
        """
        at_once = _DESK_TURNS_OF_SYS if tenant.is_sys else _DESK_TURNS
        return await self._in_turn(self._desk_turns, tenant, at_once, self._statement_threads, work)

    async def read(self, tenant: Tenant, text: bytes | str, work: Callable[[], T]) -> T:
        """Return what `work` says of `text`, a client's: at once if that is short, else from a thread for texts in its tenant's turn.

        `work` is pure. A tenant has one turn, so whatever its clients send, the others' texts are read beside it, and the loop is
        held by nobody's. Raises HoldfastError.
        """
        if len(text) <= READ_ON_LOOP_BYTES_MAX:
            return work()
        return await self._in_turn(self._reader_turns, tenant, _READER_TURNS, self._reader_threads, work)

    async def _in_turn(
        self, turns: Turns[int], tenant: Tenant, at_once: int, threads: Executor, work: Callable[[], T]
    ) -> T:
        key = tenant.tenant_id
        await turns.begin(key, at_once)
        loop = asyncio.get_running_loop()

        def end(_: object) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(turns.end, key)

        try:
            worked = threads.submit(_guarded, work)
        except RuntimeError:
            turns.end(key)  # the door is closing
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
        _LOG.exception("a question to the desk, or the reading of a text, failed unexpectedly")
        raise EngineError("Internal error", hint="the server's log has the cause") from error
