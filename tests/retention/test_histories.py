"""Whatever happened before, a deletion never breaks what stays. Thousands of histories, made as a server makes them."""

import os
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import ARCHIVE, BEGIN, DATA, lsn_of, marked, piece_fact, set_fact

from holdfast.retention.by_hand import refuse_pieces, refuse_sets
from holdfast.retention.plan import judge
from holdfast.retention.reach import ancestors, lost_moments, restorable, restorable_sets, sets_by_id
from holdfast.retention.verdict import Estate, PieceEntry, Pin, Policy, SetEntry
from holdfast.values.archive import FileStatus, PieceStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.scn import Scn

HOUR = 3600 * 10**9
PIECE_HOURS = 24
EXAMPLES = 20_000 if os.environ.get("HOLDFAST_LONG") else 2_000


@dataclass
class World:
    """A tenant with one data and one archive destination. Time moves in hours; log flows whether it is archived or not."""

    now: int = int(BEGIN.timestamp()) * 10**9
    sets: list[SetEntry] = field(default_factory=list)
    pieces: list[PieceEntry] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    round_id: int = 0
    is_archiving: bool = False

    def estate(self) -> Estate:
        return Estate(
            sets=tuple(self.sets),
            pieces=marked(self.pieces),
            data_dest_id=DATA,
            archive_dest_id=ARCHIVE,
            pins=tuple(self.pins),
        )

    # --- what happens

    def begin_round(self) -> None:
        if self.is_archiving:
            return
        self.round_id, self.is_archiving = self.round_id + 1, True
        # A round begins at the engine's base block, which lies behind: what the last round archived may overlap.
        self._open_piece(begin=Scn(self.now - HOUR // 2))

    def end_round(self) -> None:
        if self.is_archiving:
            self.is_archiving = False
            self._last(status=PieceStatus.FROZEN, is_open=False)

    def advance(self, hours: int) -> None:
        self.now += hours * HOUR
        if not self.is_archiving:
            return
        while self.now >= (end := self.pieces[-1].end_scn):
            self._grow(end)
            self._last(status=PieceStatus.FROZEN, is_open=False)
            self._open_piece(begin=end)
        self._grow(Scn(self.now))

    def back_up(self, *, incremental: bool, has_log: bool, end: str, lag_minutes: int) -> None:
        if not self.is_archiving:
            return
        self.advance(1)
        base = next((one for one in reversed(self.sets) if one.is_usable), None) if incremental else None
        base_scn, end_scn = Scn(self.now - lag_minutes * 60 * 10**9), Scn(self.now)
        full_id = (base.prev_full_backup_set_id or base.backup_set_id) if base else 0
        set_id = len(self.sets) + 1
        is_good = end == "SUCCESS"
        chain = {set_id, *(base.fact.manifest.chain if base and base.fact else ())}
        timeline = f"{self.round_id:032x}"
        self.sets.append(
            SetEntry(
                dest_id=DATA,
                backup_set_id=set_id,
                type=BackupType.INC if base else BackupType.FULL,
                status=SetStatus.SUCCESS if is_good else SetStatus.FAILED,
                file_status=FileStatus.AVAILABLE if is_good else FileStatus.INCOMPLETE,
                end_us=self.now // 1000,
                prev_full_backup_set_id=full_id,
                prev_inc_backup_set_id=base.backup_set_id if base else 0,
                start_replay_scn=base_scn,
                min_restore_scn=end_scn,
                has_log=has_log,
                is_canceled=end == "CANCELED",
                fact=set_fact(
                    set_id,
                    chain=tuple(sorted(chain)),
                    timeline=timeline,
                    round_id=self.round_id,
                    base_lsn=lsn_of(base_scn),
                    end=end_scn,
                )
                if is_good
                else None,
                log=(
                    piece_fact(
                        len(self.pieces),
                        timeline=timeline,
                        begin=lsn_of(base_scn),
                        end=end_scn,
                        round_id=self.round_id,
                        set_id=set_id,
                    ),
                )
                if is_good and has_log
                else (),
            )
        )

    def lose(self, number: int) -> None:
        """A piece that never came to hold its log: what needs it can not be restored any more."""
        closed = [piece for piece in self.pieces if not piece.is_open and piece.file_status is FileStatus.AVAILABLE]
        if closed:
            at = self.pieces.index(closed[-1 - number % min(3, len(closed))])  # the young ones: sets still need them
            self.pieces[at] = replace(self.pieces[at], file_status=FileStatus.INCOMPLETE, fact=None)

    def pin(self, number: int) -> None:
        usable = [one for one in self.sets if one.is_usable and one.backup_set_id not in self._pinned()]
        if usable:
            self.pins.append(Pin(backup_set_id=usable[number % len(usable)].backup_set_id))

    def unpin(self, number: int) -> None:
        if self.pins:
            del self.pins[number % len(self.pins)]

    def clean(self, window_hours: int, dies_after: int) -> None:
        """A cleanup by policy that may die on its way: the last thing it touched is left DELETING."""
        before = self.estate()
        expired = self.now - window_hours * HOUR
        plan = judge(before, Policy(recovery_window_us=window_hours * HOUR // 1000), self.now // 1000)
        assert plan.refusal is None
        doomed: list[SetEntry | PieceEntry] = [*plan.doomed_sets, *plan.doomed_pieces]
        self._remove(doomed, dies_after)
        self.check(before)
        lost = lost_moments(restorable(before), restorable(self.estate()))
        assert all(span.last_scn < expired for span in lost), "the window stays restorable"

    def delete_sets(self, ids: list[int]) -> None:
        known = [1 + one % len(self.sets) for one in ids] if self.sets else []
        known = list(dict.fromkeys(known))
        before = self.estate()
        if known and refuse_sets(before, known, has_policy=False, unreachable={}) is None:
            doomed = sorted(
                (one for one in self.sets if one.backup_set_id in known), key=lambda one: -one.backup_set_id
            )
            self._remove([*doomed], len(doomed))
            self.check(before)

    def delete_pieces(self, ids: list[int]) -> None:
        known = list(dict.fromkeys(1 + one % len(self.pieces) for one in ids)) if self.pieces else []
        before = self.estate()
        if known and refuse_pieces(before, known, has_policy=False, unreachable={}) is None:
            self._remove([one for one in self.pieces if one.piece_id in known], len(known))
            self.check(before)

    # --- what must hold

    def check(self, before: Estate) -> None:
        """Nothing that stays is broken by what went."""
        after = self.estate()
        new = sets_by_id(after.sets)
        reached_before, reached_after = restorable_sets(before), restorable_sets(after)
        pinned = self._pinned() | {
            set_id for pin in self._pinned() if pin in new for set_id in ancestors(new[pin], new)
        }
        for set_id, fact in new.items():
            if not fact.is_usable:
                assert set_id not in pinned, f"pinned set {set_id} went"
                continue
            assert all(new[one].is_usable for one in ancestors(fact, new)), f"set {set_id} rests on one that went"
            reached, reaches = reached_before.get(set_id), reached_after.get(set_id)
            assert (reached is None) == (reaches is None), f"set {set_id} has lost its log"
            assert set_id in pinned or reached == reaches, f"set {set_id} reaches less far"
        assert bool(restorable(before)) == bool(restorable(after)), "the last restorable chain went"

    # --- the small steps

    def _pinned(self) -> set[int]:
        return {pin.backup_set_id for pin in self.pins}

    def _remove(self, doomed: list[SetEntry | PieceEntry], dies_after: int) -> None:
        for number, fact in enumerate(doomed):
            if number > dies_after:
                return
            status = FileStatus.DELETED if number < dies_after else FileStatus.DELETING
            if isinstance(fact, SetEntry):
                at = fact.backup_set_id - 1
                self.sets[at] = replace(fact, file_status=status, fact=None, log=())
            else:
                self.pieces[fact.piece_id - 1] = replace(fact, file_status=status, fact=None)

    def _open_piece(self, begin: Scn) -> None:
        start = Scn(self.now) if not self.pieces or self.pieces[-1].round_id != self.round_id else begin
        self.pieces.append(
            PieceEntry(
                dest_id=ARCHIVE,
                round_id=self.round_id,
                piece_id=len(self.pieces) + 1,
                status=PieceStatus.ACTIVE,
                file_status=FileStatus.AVAILABLE,
                start_scn=start,
                end_scn=Scn(start + PIECE_HOURS * HOUR),
                checkpoint_scn=Scn(max(begin, start)),
                is_open=True,
                fact=piece_fact(
                    len(self.pieces) + 1,
                    timeline=f"{self.round_id:032x}",
                    begin=lsn_of(begin),
                    end=start,
                    round_id=self.round_id,
                ),
            )
        )

    def _grow(self, scn: Scn) -> None:
        fact = self.pieces[-1].fact
        assert fact is not None
        grown = piece_fact(fact.piece_id, timeline=fact.timeline, begin=fact.begin.lsn, end=scn, round_id=fact.round_id)
        self._last(checkpoint_scn=scn, fact=grown)

    def _last(self, **changes: object) -> None:
        self.pieces[-1] = replace(self.pieces[-1], **changes)  # type: ignore[arg-type]


numbers = st.integers(0, 30)
events = st.one_of(
    st.tuples(st.just("advance"), st.sampled_from([1, 5, 20, 30, 60])),
    st.tuples(
        st.just("back_up"),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["SUCCESS", "SUCCESS", "SUCCESS", "FAILED", "CANCELED"]),
        st.integers(1, 90),
    ),
    st.tuples(st.just("back_up"), st.booleans(), st.just(False), st.just("SUCCESS"), st.integers(1, 90)),
    st.tuples(st.just("clean"), st.integers(1, 120), st.integers(0, 40)),
    st.tuples(st.just("begin_round")),
    st.tuples(st.just("end_round")),
    st.tuples(st.just("lose"), numbers),
    st.tuples(st.just("pin"), numbers),
    st.tuples(st.just("unpin"), numbers),
    st.tuples(st.just("delete_sets"), st.lists(numbers, min_size=1, max_size=4)),
    st.tuples(st.just("delete_pieces"), st.lists(numbers, min_size=1, max_size=4)),
)


@given(st.lists(events, min_size=4, max_size=24))
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.timeout(1800)
def test_no_deletion_breaks_what_stays(history: list[tuple[object, ...]]) -> None:
    world = World()
    world.begin_round()
    for _ in range(2):  # with something to lose from the first event on
        world.back_up(incremental=False, has_log=False, end="SUCCESS", lag_minutes=20)
        world.advance(30)
    for what, *rest in history:
        if what == "back_up":
            incremental, has_log, end, lag = rest
            world.back_up(incremental=incremental, has_log=has_log, end=end, lag_minutes=lag)  # type: ignore[arg-type]
        else:
            getattr(world, str(what))(*rest)
    world.advance(200)
    world.clean(24, 1000)
