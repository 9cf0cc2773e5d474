"""The pool of connections with the sys tenant's engine, with an engine that is not ready in ways no real one can be made to be."""

import pymysql
import pytest

from holdfast.catalog import connections
from holdfast.catalog.connections import Connections
from holdfast.errors import EngineError


class Starting:
    """A connection of PyMySQL as far as the pool uses it, whose engine refuses the first `refusals` BEGINs with `number`."""

    def __init__(self, number: int, refusals: int) -> None:
        self.number, self.refusals, self.open = number, refusals, True

    def begin(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise pymysql.err.OperationalError(self.number, "transaction id is not ready")

    def autocommit(self, value: bool) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None:
        self.open = False

    def cursor(self) -> "Starting":
        return self

    def __enter__(self) -> "Starting":
        return self

    def __exit__(self, *_: object) -> None: ...


def test_an_engine_that_gives_no_transaction_ids_yet_is_waited_for() -> None:
    """A server's start met it on a busy machine and ended."""
    engine = Starting(4383, refusals=3)
    with Connections(lambda: engine).transaction():  # type: ignore[arg-type, return-value]
        assert engine.refusals == 0


def test_it_is_not_waited_for_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READY_SECONDS_MAX", 0.1)
    engine = Starting(4383, refusals=1_000_000)
    with pytest.raises(EngineError, match="4383"), Connections(lambda: engine).transaction():  # type: ignore[arg-type, return-value]
        raise AssertionError("not begun")
    assert not engine.open


def test_any_other_refusal_of_a_begin_is_told_at_once() -> None:
    engine = Starting(4012, refusals=2)
    with pytest.raises(EngineError, match="4012"), Connections(lambda: engine).transaction():  # type: ignore[arg-type, return-value]
        raise AssertionError("not begun")
    assert engine.refusals == 1
