"""What all connections of one gateway share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from holdfast.gateway.registry import Registry
from holdfast.gateway.settings import GatewaySettings
from holdfast.jobs.door import Desk, Route

T = TypeVar("T")


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
        self._statement_threads = statement_threads
        self._login_threads = login_threads

    async def on_desk(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, run on a thread for statements."""
        return await asyncio.get_running_loop().run_in_executor(self._statement_threads, work)

    async def route(self, tenant_name: str) -> Route:
        """Return where to log in. Raises what Desk.route raises."""
        return await asyncio.get_running_loop().run_in_executor(self._login_threads, self.desk.route, tenant_name)
