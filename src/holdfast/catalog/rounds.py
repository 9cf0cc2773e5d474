"""Archive rounds and their pieces."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.catalog.connections import Connections, Transaction
from holdfast.catalog.records import Record
from holdfast.catalog.sequences import last_id, next_id, raise_last_id
from holdfast.clock import Clock
from holdfast.values.archive import FileStatus, Piece, Round

_ROUND = Record(
    "archive_round",
    Round,
    key=("tenant_id", "round_id"),
    columns={"piece_switch_interval_us": "piece_switch_interval"},
)
_GOING = frozenset({FileStatus.DELETING, FileStatus.DELETED, FileStatus.BROKEN})
_PIECE = Record("archive_piece", Piece, key=("tenant_id", "round_id", "piece_id"))


class Rounds:
    """Every method is one transaction."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def current(self, tenant_id: int) -> Round | None:
        """Return the tenant's round that has not reached STOP, or None. There is at most one."""
        with self._connections.transaction() as transaction:
            return _ROUND.one(
                transaction, "WHERE tenant_id = %s AND status <> 'STOP' ORDER BY round_id DESC LIMIT 1", (tenant_id,)
            )

    def latest(self, tenant_id: int) -> Round | None:
        """Return the tenant's newest round in whatever state, or None when it never archived."""
        with self._connections.transaction() as transaction:
            return _latest(transaction, tenant_id)

    def unstopped(self) -> tuple[Round, ...]:
        """Return the current round of every tenant that has one, sorted by tenant."""
        with self._connections.transaction() as transaction:
            return _ROUND.select(transaction, "WHERE status <> 'STOP' ORDER BY tenant_id, round_id")

    def next_round_id(self, tenant_id: int) -> int:
        """Return the id for a new round, from 1 up; each call gives another one."""
        with self._connections.transaction() as transaction:
            return next_id(transaction, tenant_id, "archive_round")

    def next_piece_id(self, tenant_id: int) -> int:
        """Return the first piece id of a new round: one above all the tenant ever used. Taken by saving the round."""
        with self._connections.transaction() as transaction:
            given = last_id(transaction, tenant_id, "archive_piece")  # of other servers; our own are in the rows
            used = transaction.one(
                "SELECT GREATEST("
                "(SELECT COALESCE(MAX(used_piece_id), 0) FROM __holdfast.archive_round WHERE tenant_id = %s),"
                "(SELECT COALESCE(MAX(piece_id), 0) FROM __holdfast.archive_piece WHERE tenant_id = %s))",
                (tenant_id, tenant_id),
            )
        assert used is not None, "an aggregate has one row"
        return max(given, int(str(used[0]))) + 1

    def last_round_id(self, tenant_id: int) -> int:
        """Return the highest id that any round of the tenant has or had, 0 before the first."""
        with self._connections.transaction() as transaction:
            given = last_id(transaction, tenant_id, "archive_round")
            latest = _latest(transaction, tenant_id)
        return max(given, 0 if latest is None else latest.round_id)

    def raise_round_id(self, tenant_id: int, least: int) -> None:
        """Give the tenant's rounds only ids above `least` from now on."""
        with self._connections.transaction() as transaction:
            raise_last_id(transaction, tenant_id, "archive_round", least)

    def raise_piece_id(self, tenant_id: int, least: int) -> None:
        """Give the tenant's pieces only ids above `least` from the next round on."""
        with self._connections.transaction() as transaction:
            raise_last_id(transaction, tenant_id, "archive_piece", least)

    def save(self, archive_round: Round, pieces: Sequence[Piece] = ()) -> None:
        """Record the round and the given pieces of it in one transaction, new or changed alike."""
        interval_ns = archive_round.piece_switch_interval_us * 1000
        now_us = self._clock.now_ns() // 1000
        with self._connections.transaction() as transaction:
            _ROUND.upsert(transaction, archive_round)
            for piece in pieces:
                assert (piece.tenant_id, piece.round_id) == (archive_round.tenant_id, archive_round.round_id)
                # The theoretical lower bound: a first piece begins with its round, but ends where its interval does.
                base_scn = max(0, int(piece.end_scn) - interval_ns)
                # Neither a deletion nor damage is taken back, whatever the follower still tells of the piece.
                stored = _PIECE.locked(transaction, piece)
                if stored is not None and stored.file_status in _GOING:
                    piece = replace(piece, file_status=stored.file_status)
                _PIECE.upsert(transaction, piece, {"base_scn": base_scn})
                transaction.execute(
                    "UPDATE __holdfast.archive_piece SET create_timestamp = %s WHERE tenant_id = %s AND round_id = %s"
                    " AND piece_id = %s AND create_timestamp = 0",
                    (now_us, piece.tenant_id, piece.round_id, piece.piece_id),
                )

    def pieces(self, tenant_id: int, round_id: int | None = None) -> tuple[Piece, ...]:
        """Return the tenant's pieces, of one round or of all, sorted by round and piece."""
        with self._connections.transaction() as transaction:
            if round_id is None:
                return _PIECE.select(transaction, "WHERE tenant_id = %s ORDER BY round_id, piece_id", (tenant_id,))
            return _PIECE.select(
                transaction, "WHERE tenant_id = %s AND round_id = %s ORDER BY piece_id", (tenant_id, round_id)
            )

    def summary(self, tenant_id: int) -> tuple[Round, ...]:
        """Return all rounds of the tenant, stopped ones included, sorted by id."""
        with self._connections.transaction() as transaction:
            return _ROUND.select(transaction, "WHERE tenant_id = %s ORDER BY round_id", (tenant_id,))


def _latest(transaction: Transaction, tenant_id: int) -> Round | None:
    return _ROUND.one(transaction, "WHERE tenant_id = %s ORDER BY round_id DESC LIMIT 1", (tenant_id,))
