"""Statements of Holdfast's that a client prepared. The engine has never heard of them; their ids say so."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

T = TypeVar("T", int, str)

# The engine counts its ids up from 1 and never gets here; bit 31 belongs to statements prepared on the views connection.
OWN_STATEMENT_BIT = 1 << 30
STATEMENT_COUNT_MAX = 1024


@dataclass(frozen=True, slots=True)
class OwnStatement:
    """The text as it came; it is parsed again at each execution, when it may mean another time or tenant."""

    text: bytes


class PreparedStatements:
    """Per connection; `views` holds which views each statement on the views connection names.

    `making_ids`, `making_names`: the engine's own statements that make something in sys, of the binary and of the text protocol.
    """

    def __init__(self) -> None:
        self._ids: Iterator[int] = count(1)
        self._own: dict[int, OwnStatement] = {}
        self.views: dict[int, tuple[str, ...]] = {}
        self.making_ids: set[int] = set()
        self.making_names: set[str] = set()

    @property
    def is_full(self) -> bool:
        return len(self._own) + len(self.views) >= STATEMENT_COUNT_MAX

    def add(self, statement: OwnStatement) -> int:
        """Return the statement's new id."""
        statement_id = OWN_STATEMENT_BIT | next(self._ids) & (OWN_STATEMENT_BIT - 1)
        self._own[statement_id] = statement
        return statement_id

    def find(self, statement_id: int) -> OwnStatement | None:
        return self._own.get(statement_id)

    def note_making(self, kept: set[T], statement: T, *, makes: bool) -> None:
        """Keep or forget whether a statement of the engine's makes something. Beyond the bound nothing is kept."""
        if not makes:
            kept.discard(statement)
        elif len(kept) < STATEMENT_COUNT_MAX:
            kept.add(statement)

    def close(self, statement_id: int) -> None:
        self._own.pop(statement_id, None)
        self.views.pop(statement_id, None)
        self.making_ids.discard(statement_id)

    def clear(self) -> None:
        self._own.clear()
        self.views.clear()
        self.making_ids.clear()
        self.making_names.clear()
