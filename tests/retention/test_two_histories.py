"""A moment that two histories of one tenant hold: the server's own is taken, else none is taken in silence."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from estates import VERSIONS, World

from holdfast import codes
from holdfast.backup_format.reach import PieceFact, SetFact
from holdfast.errors import RefusedError
from holdfast.restore.plan import RestorePlan, plan_restore
from holdfast.restore.window import Interval, spans_of
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn

ORIGINAL = Owner(server_id="a" * 32, generation=1, token="1" * 32, time_us=1)
COPY = replace(ORIGINAL, token="2" * 32)


class Estate:
    """`sets`, `pieces`: what a restore finds."""

    def __init__(self, world: World, archives: dict[int, Owner]) -> None:
        """`archives`: by source who writes there."""
        self.sets, pieces = world.facts()
        self.pieces: tuple[PieceFact, ...] = tuple(
            replace(one, owner=archives.get(one.source, ORIGINAL)) for one in pieces
        )

    def plan(self, scn: int | None, who: Owner | None = None) -> RestorePlan:
        target = None if scn is None else Scn(scn)
        return plan_restore(self.sets, self.pieces, target, installed_versions=VERSIONS, is_own=is_made_by(who))

    def refusal(self, scn: int | None, who: Owner | None = None) -> str:
        with pytest.raises(RefusedError) as caught:
            self.plan(scn, who)
        assert caught.value.code is codes.OB_OP_NOT_ALLOW
        assert caught.value.message == "restoring a moment of two histories is not allowed"
        assert caught.value.hint is not None
        return caught.value.hint

    def intervals(self, who: Owner) -> list[Interval]:
        return [one for one in spans_of(self.sets, self.pieces, is_own=is_made_by(who)) if isinstance(one, Interval)]


def is_made_by(who: Owner | None) -> Callable[[Owner | None], bool]:
    return lambda owner: owner is not None and owner == who


def back_up(world: World, machine: int) -> SetFact:
    world.back_up(machine, 0, is_increment=False, has_log=False, is_sealed=False)
    return world.sets[-1].fact()


@pytest.fixture
def world() -> World:
    made = World()
    made.write(0, 3)
    made.begin_round(0, 0, is_elsewhere=False)
    made.write(0, 2)
    back_up(made, 0)
    made.write(0, 3)
    return made


def test_of_a_moment_that_a_copy_holds_too_each_server_takes_its_own(world: World) -> None:
    before = world.now
    world.clone(0, is_archive_copied=False)
    world.begin_round(1, 2, is_elsewhere=True)
    archives = {world.machines[1].archive: COPY}
    world.write(1, 2)
    of_the_copy = back_up(world, 1)
    world.write(0, 2)
    of_the_original = back_up(world, 0)
    world.write(1, 2)
    world.write(0, 2)
    world.write(1, 1)
    found = Estate(world, archives)
    both = world.now - 2 * 60 * 10**9  # the copy's set, and both logs, reach it
    assert found.plan(both, COPY).set == of_the_copy
    assert found.plan(both, ORIGINAL).set == of_the_original
    hint = found.refusal(both)
    assert of_the_copy.root in hint
    assert of_the_original.root in hint
    assert found.plan(None, COPY).set == of_the_copy
    assert found.plan(None, ORIGINAL).set == of_the_original
    assert found.plan(None, ORIGINAL).target < found.plan(None, COPY).target
    found.refusal(None)
    assert found.plan(before).set.manifest.backup_set_id == 1, "they part behind it"

    first, second = found.intervals(ORIGINAL)
    assert [one.is_foreign for one in (first, second)] == [False, True]
    assert first.last_scn >= second.first_scn, "they overlap, and are two all the same"
    assert [one.is_foreign for one in found.intervals(COPY)] == [True, False]
    assert not any(one.is_foreign for one in spans_of(found.sets, found.pieces) if isinstance(one, Interval))


def test_a_server_that_was_put_back_has_one_newest_moment(world: World) -> None:
    """The history of before has ended when the one of after begins: nothing has to be chosen."""
    lost = back_up(world, 0)
    world.write(0, 2)
    end = world.now
    world.fork(0, 4)
    world.write(0, 1)
    anew = back_up(world, 0)
    world.write(0, 2)
    found = Estate(world, {})
    assert found.plan(None).set == anew
    assert found.plan(end).set == lost
    assert len(found.intervals(ORIGINAL)) == 2


def test_copies_of_one_history_are_one(world: World) -> None:
    """An archive that was copied and goes on in one of its places holds no second history."""
    world.clone(0, is_archive_copied=True)
    world.write(0, 3)
    back_up(world, 0)
    world.write(0, 1)
    found = Estate(world, {world.machines[1].archive: COPY})
    assert found.plan(None).target == world.now
    assert len(found.intervals(ORIGINAL)) == 1
