"""Ids that are given once: per tenant and kind of thing, growing, never reused, not even after a crash or a drop."""

from holdfast.catalog.connections import Transaction


def next_id(transaction: Transaction, tenant_id: int, name: str, *, first: int = 1, step: int = 1) -> int:
    """Return the next id. The row stays locked until the transaction ends, so ids are given in commit order.

    An id taken by a transaction that rolls back is given again; one that was committed never is.
    """
    transaction.execute(
        "INSERT INTO __holdfast.id_sequence (tenant_id, name, last_id) VALUES (%s, %s, %s)"
        " ON DUPLICATE KEY UPDATE last_id = last_id + %s",
        (tenant_id, name, first, step),
    )
    row = transaction.one(
        "SELECT last_id FROM __holdfast.id_sequence WHERE tenant_id = %s AND name = %s", (tenant_id, name)
    )
    assert row is not None, "the row was written by this transaction"
    return int(str(row[0]))


def last_id(transaction: Transaction, tenant_id: int, name: str) -> int:
    """Return the last id that was given, 0 before the first."""
    row = transaction.one(
        "SELECT last_id FROM __holdfast.id_sequence WHERE tenant_id = %s AND name = %s", (tenant_id, name)
    )
    return 0 if row is None else int(str(row[0]))


def raise_last_id(transaction: Transaction, tenant_id: int, name: str, least: int) -> None:
    """Give only ids above `least` from now on."""
    transaction.execute(
        "INSERT INTO __holdfast.id_sequence (tenant_id, name, last_id) VALUES (%s, %s, %s)"
        " ON DUPLICATE KEY UPDATE last_id = GREATEST(last_id, %s)",
        (tenant_id, name, least, least),
    )
