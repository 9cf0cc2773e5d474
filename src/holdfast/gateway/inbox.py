"""Whole packets for a coroutine, while one side is still logging in."""

import asyncio
from collections.abc import Callable

from holdfast.mysql.framing import Packet, PacketReader

# The longest login: names, a scramble answer and 64 KiB of connection attributes, MySQL's own bound.
LOGIN_PAYLOAD_BYTES_MAX = 1 << 17


class Inbox:
    """Packets as they arrive; one coroutine waits at a time."""

    __slots__ = ("_ahead", "_failure", "_hold", "_is_held", "_reader", "_waiter")

    def __init__(self, hold: Callable[[bool], None]) -> None:
        """`hold`: stops the reading from who sends, or has it go on. A login waits for others, an engine for hours: what comes
        meanwhile would fill the memory."""
        self._hold = hold
        self._is_held = False
        self._reader = PacketReader(payload_bytes_max=LOGIN_PAYLOAD_BYTES_MAX)
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._ahead: Packet | None = None

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._reader.feed(data)
        if self._reader.has_enough and not self._is_held:
            self._is_held = True
            self._hold(True)
        self._wake()

    def fail(self, failure: Exception) -> None:
        """End all waiting with `failure`."""
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def next_packet(self) -> Packet:
        """Return the next packet. Raises what `fail` was given, or MalformedPacketError for one that is too long."""
        packet, self._ahead = self._ahead, None
        while packet is None:
            packet = self._reader.next_packet()
            self._let_go_on()
            if packet is not None:
                break
            if self._failure is not None:
                raise self._failure
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return packet

    def _let_go_on(self) -> None:
        if self._is_held and not self._reader.has_enough:
            self._is_held = False
            self._hold(False)

    async def wait(self) -> None:
        """Return when the next packet has come, and leave it to be returned by `next_packet`. Raises as that does."""
        self._ahead = await self.next_packet()

    def rest(self) -> bytes:
        """Return the bytes behind the last packet, and let more come."""
        rest = self._reader.rest()
        self._let_go_on()
        return rest
