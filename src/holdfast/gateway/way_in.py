"""A client's session as the way back into an engine that knows Holdfast's own account no more.

Whoever drops the account and in the same breath ends the session of ours that could make it again (one procedure does both) has shut
the server out of its engine. He can not do it without a session of his own, and every session is the gateway's: the account is made
again there, before the next command of a client whose user may. What is sent holds the password's hash alone.

Nothing is sent within a transaction, which a CREATE USER would commit; a client in one is passed over until it is out. An error is no
matter: then this client may not, and another may.
"""

import logging

from holdfast.gateway.facts import EngineRefusedError, ask_facts
from holdfast.gateway.seat import Seat
from holdfast.mysql.flags import CommandCode, Status
from holdfast.mysql.response import Received, Role

_LOG = logging.getLogger(__name__)
TRY_SECONDS = 5.0
"""How long a client whose session did not help is left alone."""


async def let_in(seat: Seat) -> None:
    """Make Holdfast's account again through a client's session, if it may. Raises LinkLostError, and HoldfastError of the desk."""
    desk, tenant_id = seat.house.desk, seat.tenant.tenant_id
    try:
        facts = await ask_facts(seat.link)
    except EngineRefusedError:
        return
    if Status.IN_TRANSACTION in facts.status:
        return
    texts = await seat.house.on_desk(seat.tenant, lambda: desk.way_in(tenant_id))
    for text in texts:
        failed = False

        def take(received: list[Received]) -> None:
            nonlocal failed
            failed = failed or any(packet.role is Role.ERROR for packet in received)

        await seat.link.ask(CommandCode.QUERY.to_bytes(1, "little") + text.encode(), take)
        if failed:
            return
    await seat.house.on_desk(seat.tenant, lambda: desk.look_at(tenant_id))
    _LOG.warning("tenant %s: holdfast's account was made again through a client's session", seat.tenant.name)
