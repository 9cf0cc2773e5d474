"""The ids this gateway gives out.

A client knows itself by the id of the gateway's greeting, its engine session by another. Ids here begin so high that
they cannot meet an engine's, so the text of a KILL says which is meant.
"""

FIRST_CONNECTION_ID = 0x70000001
LAST_CONNECTION_ID = 0x7FFFFFFF


def is_gateway_id(connection_id: int) -> bool:
    return FIRST_CONNECTION_ID <= connection_id <= LAST_CONNECTION_ID
