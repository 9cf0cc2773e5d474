"""What can be restored has one answer: paths hold against the truth, and retention, restore and windows say the same."""

import os
from collections.abc import Callable
from itertools import pairwise

import pytest
from estates import MINUTE, VERSIONS, Node, World
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from holdfast import codes
from holdfast.backup_format.reach import PieceFact, SetFact, moments_of, path_of, usable_sets
from holdfast.errors import RefusedError
from holdfast.restore.plan import plan_restore
from holdfast.restore.window import Interval, spans_of
from holdfast.retention.by_hand import refuse_pieces, refuse_sets
from holdfast.retention.plan import judge
from holdfast.retention.reach import lost_moments, restorable
from holdfast.retention.verdict import Estate, PieceEntry, Pin, Policy, PolicyName, SetEntry
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.scn import Scn

EXAMPLES = 20_000 if os.environ.get("HOLDFAST_LONG") else 1_500
OWNER = 1002

numbers = st.integers(0, 9)
flags = st.booleans()
events = st.one_of(
    st.tuples(st.just("write"), numbers, st.integers(1, 6)),
    st.tuples(st.just("write"), numbers, st.integers(1, 6)),
    st.tuples(st.just("begin_round"), numbers, st.integers(0, 5), flags),
    st.tuples(st.just("next_piece"), numbers),
    st.tuples(st.just("next_piece"), numbers),
    st.tuples(st.just("end_round"), numbers),
    st.tuples(st.just("new_round"), numbers, st.integers(0, 5), flags),
    st.tuples(st.just("new_round"), numbers, st.integers(0, 5), flags),
    st.tuples(st.just("snapshot"), numbers),
    st.tuples(st.just("fork"), numbers, st.integers(1, 5)),
    st.tuples(st.just("roll_back"), numbers),
    st.tuples(st.just("clone"), numbers, flags),
    st.tuples(st.just("restore_tenant"), numbers),
    st.tuples(st.just("back_up"), numbers, st.integers(0, 4), flags, flags, flags),
    st.tuples(st.just("back_up"), numbers, st.integers(0, 4), st.just(False), st.just(False), st.just(False)),
    st.tuples(st.just("damage"), numbers, st.integers(0, 10)),
    st.tuples(st.just("lose_set"), numbers),
    st.tuples(st.just("upgrade"), numbers),
    st.tuples(st.just("upgrade_in_round"), numbers),
)
FORKS = {"fork", "roll_back", "clone", "restore_tenant"}
histories = st.lists(events, min_size=4, max_size=20)


def world_of(history: list[tuple[object, ...]]) -> World:
    world = World()
    world.write(0, 3)
    world.begin_round(0, 2, is_elsewhere=False)
    for _ in range(2):  # with something to lose from the first event on
        world.back_up(0, 1, is_increment=False, has_log=False, is_sealed=False)
        world.write(0, 4)
        world.next_piece(0)
        world.write(0, 2)
    for what, *rest in history:
        if what == "back_up":
            number, lag, is_increment, has_log, is_sealed = rest
            world.back_up(number, lag, is_increment=is_increment, has_log=has_log, is_sealed=is_sealed)  # type: ignore[arg-type]
        elif what in {"begin_round", "new_round"}:
            number, behind, is_elsewhere = rest
            if what == "new_round":
                world.end_round(number)  # type: ignore[arg-type]
            world.begin_round(number, behind, is_elsewhere=bool(is_elsewhere))  # type: ignore[arg-type]
        else:
            getattr(world, str(what))(*rest)
    return world


def nodes_of(world: World, fact: SetFact, pieces: tuple[PieceFact, ...]) -> list[Node] | None:
    """Return the groups that a restore of the set would replay, one piece after the other."""
    path = path_of(fact, pieces)
    if path is None:
        return None
    found: list[Node] = []
    for step in path.steps:
        found += [node for node in world.piece_at(step.piece).left if node.begin_lsn >= step.from_lsn]
    return found


PARTED_AT_A_BORDER: list[tuple[object, ...]] = [
    ("write", 0, 1),
    ("upgrade", 0),
    ("clone", 0, True),
    ("upgrade_in_round", 1),
    ("write", 0, 1),
    ("next_piece", 0),
    ("write", 1, 1),
    ("back_up", 1, 1, False, False, False),
]
"""A machine and its copy part where the copy's next piece begins: the longer of two pieces that agree is not the set's own log."""


@given(histories, flags)
@example(history=PARTED_AT_A_BORDER, are_joints_known=True)
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.timeout(1800)
def test_no_path_mixes_two_histories(history: list[tuple[object, ...]], are_joints_known: bool) -> None:
    """Each group of a path follows the one before, the first is where the set's log begins, and the image's last one is on it."""
    world = world_of(history)
    sets, pieces = world.facts(are_joints_known=are_joints_known)
    truth = {id(fact): one for fact, one in zip(sets, (one for one in world.sets if not one.is_gone), strict=True)}
    for fact in sets:
        nodes = nodes_of(world, fact, pieces)
        if not nodes:
            continue
        assert nodes[0].begin_lsn == fact.manifest.base_lsn
        for before, after in pairwise(nodes):
            assert after.parent is before, "the path goes over to another history"
        made = truth[id(fact)]
        path = path_of(fact, pieces)
        assert path is not None
        assert {step.piece.engine_data_version for step in path.steps} == {made.version}, "another engine's log"
        if nodes[-1].end_lsn >= made.last.end_lsn:
            assert made.last in nodes, "the path is not the set's own log"
            event("a set is usable")


@given(histories)
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.timeout(1800)
def test_of_one_history_every_group_that_can_be_reached_is(history: list[tuple[object, ...]]) -> None:
    """Without forks a path ends where, by brute force, no group that is anywhere in its engine's log goes on."""
    world = world_of([one for one in history if one[0] not in {*FORKS, "upgrade_in_round"}])
    sets, pieces = world.facts()
    for fact in sets:
        usable = [
            piece
            for piece in pieces
            if (not piece.is_sealed or piece.set_id == fact.manifest.backup_set_id)
            and piece.engine_data_version == fact.manifest.engine_data_version
        ]
        here = {node.begin_lsn: node for piece in usable for node in world.piece_at(piece).left}
        own = {
            node.begin_lsn
            for piece in usable
            if (piece.timeline, piece.round_id) == (fact.manifest.timeline, fact.manifest.round_id)
            for node in world.piece_at(piece).left
        }
        lsn = int(fact.manifest.base_lsn)
        path = path_of(fact, pieces)
        if lsn not in own:
            assert path is None
            continue
        while lsn in (own if lsn < fact.manifest.end_lsn else here):  # up to its end the image's own round must hold it
            lsn = here[lsn].end_lsn
        assert path is not None
        assert path.end.lsn == lsn
        event(f"{len({step.piece.timeline for step in path.steps})} rounds in one path")


def estate_of(world: World, pins: tuple[int, ...] = ()) -> Estate:
    """Return the first machine's tenant as its catalog has it, with what is told of its destinations, other tenants' too."""
    sets, pieces = world.facts()
    told = {(fact.source, fact.root): fact for fact in sets if fact.manifest.tenant_id == OWNER}
    logs = {(fact.source, fact.root): fact for fact in pieces if fact.tenant_id == OWNER}
    entries = [
        SetEntry(
            dest_id=one.source,
            backup_set_id=one.number,
            type=BackupType.INC if len(one.chain) > 1 else BackupType.FULL,
            status=SetStatus.SUCCESS,
            file_status=FileStatus.BROKEN if one.is_gone else FileStatus.AVAILABLE,
            end_us=one.ended // 1000,
            prev_full_backup_set_id=one.chain[0] if len(one.chain) > 1 else 0,
            prev_inc_backup_set_id=one.chain[-2] if len(one.chain) > 1 else 0,
            start_replay_scn=Scn(_scn_at(world, one.base_lsn, one.last)),
            min_restore_scn=Scn(one.last.scn),
            has_log=any(key == (one.source, f"backup_set_{one.number}_full") for key in told),
            fact=told.get((one.source, f"backup_set_{one.number}_full")),
            log=tuple(
                fact
                for fact in logs.values()
                if fact.set_id == one.number and fact.source == one.source and not one.is_gone
            ),
            is_damaged=one.is_gone,
        )
        for one in world.sets
        if one.owner == OWNER and one.source == 0
    ]
    machine = world.machines[0]
    rows = [
        PieceEntry(
            dest_id=one.source,
            round_id=one.round_id,
            piece_id=one.number,
            status=PieceStatus.ACTIVE if one is machine.open else PieceStatus.FROZEN,
            file_status=FileStatus.AVAILABLE if one.kept == -1 else FileStatus.BROKEN,
            start_scn=Scn(one.nodes[0].scn if one.nodes else world.now),
            end_scn=Scn((one.nodes[-1].scn if one.nodes else world.now) + 1),
            checkpoint_scn=Scn(one.nodes[-1].scn if one.nodes else world.now),
            is_open=one is machine.open,
            fact=logs.get((one.source, one.root)),
            is_damaged=one.kept != -1,
        )
        for one in world.pieces
        if one.owner == OWNER and not one.set_id and not one.is_foreign
    ]
    return Estate(
        sets=tuple(entries),
        pieces=tuple(rows),
        data_dest_id=0,
        archive_dest_id=machine.archive,
        pins=tuple(Pin(backup_set_id=entries[number % len(entries)].backup_set_id) for number in pins if entries),
    )


def _scn_at(world: World, lsn: int, last: Node) -> int:
    node: Node | None = last
    while node is not None and node.begin_lsn > lsn:
        node = node.parent
    return 0 if node is None else node.scn


def listing(estate: Estate, world: World) -> tuple[tuple[SetFact, ...], tuple[PieceFact, ...]]:
    """Return what a restore finds: the tenant's, and the log of other tenants and clusters in the same listing."""
    strangers = tuple(fact for fact in world.facts()[1] if fact.tenant_id != OWNER)
    sets = tuple(entry.fact for entry in estate.sets if entry.fact is not None)
    pieces = [entry.fact for entry in estate.pieces if entry.fact is not None]
    return sets, (*pieces, *(piece for entry in estate.sets for piece in entry.log), *strangers)


def is_planned(world: World, sets: tuple[SetFact, ...], pieces: tuple[PieceFact, ...], target: Scn) -> bool:
    """Return whether a restore has a plan for the moment, or finds two histories that hold it, which must then be so."""
    here = [fact for fact, path in usable_sets(sets, pieces) if fact.manifest.min_restore_scn <= target <= path.reach]
    last = {id(groups[-1]) for fact in here if (groups := groups_to(world, fact, pieces, target))}
    try:
        plan = plan_restore(sets, pieces, target, installed_versions=VERSIONS)
    except RefusedError as error:
        if error.code is not codes.OB_OP_NOT_ALLOW or "two histories" not in error.message:
            return False
        assert len(last) > 1, "the sets that reach the moment are of one history"
        event("a moment of two histories is refused")
        return True
    assert len(last) == 1 or any(piece.is_sealed for piece in pieces), "one of two histories was taken in silence"
    assert plan.target == target
    assert {fact.manifest.engine_data_version for fact in plan.chain} == {plan.set.manifest.engine_data_version}
    assert plan.set.manifest.min_restore_scn <= target <= plan.steps[-1].piece.end.scn
    return True


def groups_to(world: World, fact: SetFact, pieces: tuple[PieceFact, ...], target: Scn) -> list[Node]:
    return [node for node in nodes_of(world, fact, pieces) or () if node.scn <= target]


@given(histories, st.lists(numbers, max_size=1), st.integers(1, 30))
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.timeout(1800)
def test_what_retention_calls_restorable_is_what_restore_plans(
    history: list[tuple[object, ...]], pins: list[int], window: int
) -> None:
    """No more and no less; and no cleanup takes a moment of the window, nor the last chain, wherever it dies."""
    world = world_of(history)
    estate = estate_of(world, tuple(pins))
    sets, pieces = listing(estate, world)
    moments = restorable(estate)
    assert moments == moments_of(usable_sets(sets, pieces))
    spans = [one for one in spans_of(sets, pieces) if isinstance(one, Interval)]
    assert union_of(spans) == [(one.first_scn, one.last_scn) for one in moments]
    edges = {int(scn) + step for one in moments for scn in (one.first_scn, one.last_scn) for step in (-1, 0, 1)}
    for scn in sorted(edges)[:8]:
        assert is_planned(world, sets, pieces, Scn(scn)) == any(one.first_scn <= scn <= one.last_scn for one in moments)
    now_us = world.now // 1000
    plan = judge(estate, Policy(name=PolicyName.DEFAULT, recovery_window_us=window * MINUTE // 1000), now_us)
    begin = world.now - window * MINUTE
    doomed = [*plan.doomed_sets, *plan.doomed_pieces]
    for count in range(len(doomed) + 1):
        after = without(estate, doomed[:count])
        lost = lost_moments(moments, restorable(after))
        assert all(span.last_scn < begin for span in lost), "a moment inside the window went"
        assert not moments or restorable(after), "the last restorable chain went"
    if doomed:
        event("a cleanup removes something")
        assert plan.lost == lost


def union_of(spans: list[Interval]) -> list[tuple[Scn, Scn]]:
    """Return the moments of intervals that overlap where they are of two histories."""
    found: list[tuple[Scn, Scn]] = []
    for one in spans:
        if found and one.first_scn <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], one.last_scn))
        else:
            found.append((one.first_scn, one.last_scn))
    return found


def without(estate: Estate, gone: list[SetEntry | PieceEntry]) -> Estate:
    return estate.without(
        frozenset(one.backup_set_id for one in gone if isinstance(one, SetEntry)),
        frozenset((one.round_id, one.piece_id) for one in gone if isinstance(one, PieceEntry)),
    )


@given(histories, st.lists(numbers, min_size=1, max_size=3), flags)
@settings(max_examples=EXAMPLES // 2, deadline=None)
@pytest.mark.timeout(1800)
def test_what_is_deleted_by_hand_breaks_nothing_that_stays(
    history: list[tuple[object, ...]], ids: list[int], has_policy: bool
) -> None:
    """On the current paths: a piece that goes costs no moment at all, a set that goes never the last chain."""
    world = world_of(history)
    estate = estate_of(world)
    pieces = tuple(entry for entry in estate.pieces if entry.dest_id == estate.archive_dest_id)
    for entries, refuse in ((pieces, refuse_pieces), (estate.sets, refuse_sets)):
        chosen = [entries[number % len(entries)] for number in ids] if entries else []
        wanted = list(dict.fromkeys(_id_of(one) for one in chosen))
        asked: Callable[..., object] = refuse
        if not wanted or asked(estate, wanted, has_policy=has_policy, unreachable={}) is not None:
            continue
        event("something is deleted by hand")
        after = without(estate, [*chosen])
        if entries is pieces:
            # It may give some: of two histories that go on one is gone.
            assert not lost_moments(restorable(estate), restorable(after))
        else:
            assert not restorable(estate) or restorable(after), "the last restorable chain went"


def _id_of(entry: SetEntry | PieceEntry) -> int:
    return entry.backup_set_id if isinstance(entry, SetEntry) else entry.piece_id
