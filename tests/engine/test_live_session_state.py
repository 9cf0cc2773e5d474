"""Whatever a tenant's globals say, a session of ours begins with the same state; which variables there are is asked of the engine."""

import os
from collections.abc import Iterator

import pytest
from hostile_globals import Oracle, Variable, furnish, halved, put, take_values, variables

from engine_rig import EngineRig, running_engine
from holdfast.engine.session import QUERY_WAIT_SECONDS, Session, SqlError
from holdfast.mysql.session_state import INITIAL

pytestmark = pytest.mark.live

LEFT_OUT = {
    "default_storage_engine": "takes no value but the one it has (InnoDB in 1.4, OceanBase in 1.3)",
}
"""Session variables that are not set, and why a global of that name does not matter."""
_LONG = bool(os.environ.get("HOLDFAST_LONG"))
ROUNDS = 60 if _LONG else 3


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    with running_engine(tmp_path_factory.mktemp("globals")) as made:
        yield made


@pytest.fixture(scope="module")
def keeper(rig: EngineRig) -> Iterator[Session]:
    """A session that sets globals and stays in, whatever they are."""
    with rig.session() as session:
        yield session


@pytest.fixture(scope="module")
def found(keeper: Session) -> list[Variable]:
    return variables(keeper)


def _takes(session: Session, name: str) -> bool:
    try:
        session.execute(f"set @@session.{name} = @@session.{name}")
    except SqlError:
        return False
    return True


def test_every_variable_a_session_can_set_is_set(keeper: Session, found: list[Variable]) -> None:
    assert len(found) > 600, "the engine's variables were not all found"
    settable = {variable.name.lower() for variable in found if _takes(keeper, variable.name)}
    assert settable == set(INITIAL) | set(LEFT_OUT)


def test_a_variable_that_is_left_out_takes_no_other_value(keeper: Session, found: list[Variable]) -> None:
    left_out = [variable for variable in found if variable.name in LEFT_OUT]
    assert len(left_out) == len(LEFT_OUT)
    for variable in left_out:
        for value in variable.candidates:
            with pytest.raises(SqlError):
                keeper.execute(f"set global {variable.name} = %s", (value,))


@pytest.fixture(scope="module")
def oracle(rig: EngineRig, keeper: Session) -> Oracle:
    furnish(keeper)
    made = Oracle(rig)
    assert made.trial({}).found == "", "an answer changes by itself"
    return made


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_state_and_answers_are_the_same_under_hostile_globals(
    rig: EngineRig, keeper: Session, found: list[Variable], oracle: Oracle, seed: int
) -> None:
    """All at once: each variable has some value that the engine took. What keeps us out is put right as the server does it.

    By hand: `HOLDFAST_LONG=1 pytest tests/engine/test_live_session_state.py` takes ROUNDS such draws.
    """
    taken = take_values(keeper, found, seed)
    assert len(taken) > 400
    oracle.put_right(keeper)
    names = ", ".join(f"@@session.{name}" for name in INITIAL)
    with rig.session() as session:
        row = session.query(f"select {names} limit 1")[0]
    has = {name: value if isinstance(value, str) else int(value) for name, value in zip(INITIAL, row, strict=True)}
    assert has == {**INITIAL, "ob_query_timeout": QUERY_WAIT_SECONDS * 1_000_000}
    trial = oracle.trial(taken)
    if not _LONG:
        assert trial.found == "", "HOLDFAST_LONG=1 says which variable does it"
    elif trial.found:
        before = {variable.name: variable.value for variable in found}
        put(keeper, before)
        parts = halved(keeper, oracle, taken, before)
        pytest.fail(f"{trial.found}; by " + "; ".join(f"{dict(part.values)}: {part.found}" for part in parts[:5]))
