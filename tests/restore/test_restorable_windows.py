"""Which moments can be restored, from facts alone."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from backup_format.samples import BEGIN, END, MANIFEST, PIECE
from holdfast import codes
from holdfast.backup_format.manifest import Encryption, EncryptionMode
from holdfast.backup_format.piece_keys import PieceKey
from holdfast.backup_format.reach import LogObjectFact, PieceFact, SetFact
from holdfast.errors import RefusedError
from holdfast.jobs.restore_worker import asked_for
from holdfast.restore.plan import left_aside_in_the_clear, left_aside_without_password, plan_restore
from holdfast.restore.refusal import Form, out_of_reach
from holdfast.restore.window import Gap, Interval, spans_of
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

BASE = int(BEGIN.lsn)
SECOND = 1_000_000_000
SEALS = PieceKey(from_lsn=Lsn(0), key_id="0" * 32, wrapped_key=bytes(60))
START = int(MANIFEST.min_restore_scn) // SECOND * SECOND


def at(seconds: int) -> Scn:
    return Scn(START + seconds * SECOND)


def backup_set(number: int, *, consistent_at: int, base: int, chain: tuple[int, ...] = ()) -> SetFact:
    manifest = replace(
        MANIFEST,
        backup_set_id=number,
        chain=chain or (number,),
        encryption=Encryption(mode=EncryptionMode.NONE),
        min_restore_scn=at(consistent_at),
        base_lsn=Lsn(base),
        timeline=PIECE.timeline,
        round_id=PIECE.round_id,
        cluster_id=PIECE.cluster_id,
        tenant_id=PIECE.tenant_id,
    )
    return SetFact(source=0, root=f"backup_set_{number}_{'inc' if len(chain) > 1 else 'full'}", manifest=manifest)


def piece(number: int, lsns: tuple[int, int], seconds: tuple[int, int]) -> PieceFact:
    return PieceFact(
        source=1,
        root=f"piece_d1002r1p{number}",
        cluster_id=PIECE.cluster_id,
        tenant_id=PIECE.tenant_id,
        timeline=PIECE.timeline,
        round_id=PIECE.round_id,
        piece_id=number,
        start_scn=at(seconds[0]),
        begin=replace(BEGIN, lsn=Lsn(lsns[0]), scn=at(seconds[0]), accumulated=None),
        end=replace(END, lsn=Lsn(lsns[1]), scn=at(seconds[1]), accumulated=None),
        objects=(
            LogObjectFact(name="log", block_id=1, first_lsn=Lsn(lsns[0]), end_lsn=Lsn(lsns[1]), size_bytes=1 << 20),
        ),
        engine_data_version=PIECE.engine_data_version,
    )


def test_a_set_reaches_from_its_consistent_moment_to_the_end_of_its_log() -> None:
    spans = spans_of((backup_set(1, consistent_at=10, base=100),), (piece(1, (0, 500), (0, 60)),))
    assert [(span.first_scn, span.last_scn, span.sources) for span in spans if isinstance(span, Interval)] == [
        (at(10), at(60), (0, 1))
    ]
    assert len(spans) == 1


def test_sets_on_one_log_are_one_interval() -> None:
    sets = (backup_set(1, consistent_at=10, base=100), backup_set(2, consistent_at=30, base=300, chain=(1, 2)))
    (span,) = spans_of(sets, (piece(1, (0, 500), (0, 60)), piece(2, (500, 900), (60, 90))))
    assert isinstance(span, Interval)
    assert (span.first_scn, span.last_scn) == (at(10), at(90))
    assert [fact.manifest.backup_set_id for fact in span.sets] == [1, 2]


def test_a_missing_piece_is_a_gap_up_to_the_next_set() -> None:
    sets = (backup_set(1, consistent_at=10, base=100), backup_set(2, consistent_at=80, base=800))
    first, gap, second = spans_of(sets, (piece(1, (0, 500), (0, 50)), piece(3, (700, 900), (70, 90))))
    assert isinstance(first, Interval)
    assert isinstance(second, Interval)
    assert isinstance(gap, Gap)
    assert (first.last_scn, gap.after_scn, gap.before_scn, second.first_scn) == (at(50), at(50), at(80), at(80))
    assert "up to LSN" in gap.cause
    assert "piece_d1002r1p3" in gap.cause


def test_log_behind_the_last_gap_asks_for_a_new_backup() -> None:
    spans = spans_of(
        (backup_set(1, consistent_at=10, base=100),), (piece(1, (0, 500), (0, 50)), piece(3, (700, 900), (70, 90)))
    )
    assert isinstance(spans[-1], Gap)
    assert spans[-1].before_scn is None
    assert "take a full backup" in spans[-1].remedy
    assert "NOARCHIVELOG" in spans[-1].remedy


def test_an_increment_without_its_base_is_named() -> None:
    (gap,) = spans_of((backup_set(2, consistent_at=30, base=300, chain=(1, 2)),), (piece(1, (0, 500), (0, 60)),))
    assert isinstance(gap, Gap)
    assert "rests on backup set 1, which is not there" in gap.cause


def test_a_set_whose_log_is_nowhere_is_named() -> None:
    (gap,) = spans_of((backup_set(1, consistent_at=30, base=300),), (piece(1, (0, 200), (0, 20)),))
    assert isinstance(gap, Gap)
    assert "no piece holds it" in gap.cause


def test_nothing_has_no_spans() -> None:
    assert spans_of((), (piece(1, (0, 200), (0, 20)),)) == ()


SETS = (backup_set(1, consistent_at=10, base=100), backup_set(2, consistent_at=80, base=800))
PIECES = (piece(1, (0, 500), (0, 50)), piece(3, (700, 900), (70, 90)))


@pytest.mark.parametrize(
    ("sets", "seconds", "text"),
    [
        ((), 20, "no backup set is available"),
        ((backup_set(2, consistent_at=30, base=300, chain=(1, 2)),), 40, "no full backup set exists"),
        ((backup_set(1, consistent_at=30, base=5000),), 40, "no enough log for restore"),
        (
            SETS,
            5,
            f"no full backup set can be used to restore to given time, minimum restorable time is {at(10).display()}",
        ),
        (SETS, 60, f"no enough log, maximum restorable time is {at(50).display()}"),
        (SETS, 99, f"no enough log, maximum restorable time is {at(90).display()}"),
    ],
)
def test_restore_sources_that_do_not_suffice_are_refused_with_9119(
    sets: tuple[SetFact, ...], seconds: int, text: str
) -> None:
    error = out_of_reach(sets, PIECES, at(seconds), Form.SOURCE)
    assert (error.code, error.message) == (codes.OB_RESTORE_SOURCE_NOT_ENOUGH, text)


@pytest.mark.parametrize("seconds", [5, 60, 99])
def test_a_refusal_lists_what_can_be_reached(seconds: int) -> None:
    error = out_of_reach(SETS, PIECES, at(seconds), Form.FROM)
    assert error.code is codes.OB_ENTRY_NOT_EXIST
    assert error.hint is not None
    for first, last in ((10, 50), (80, 90)):
        assert f"SCN {int(at(first))} ({at(first).display()} UTC) to {int(at(last))}" in error.hint


def test_restore_of_two_tenants_sets_is_refused_and_names_the_folders() -> None:
    own = tuple(backup_set(number, consistent_at=10, base=100) for number in range(1, 8))
    other = backup_set(9, consistent_at=10, base=100)
    other = replace(other, source=1, manifest=replace(other.manifest, tenant_id=1099))
    with pytest.raises(RefusedError) as caught:
        plan_restore((*own, other), (), None, installed_versions=("1.4.0.0",))
    assert caught.value.code is codes.OB_OP_NOT_ALLOW
    hint = caught.value.hint or ""
    assert hint.startswith(f"of tenant 1099 of cluster {PIECE.cluster_id}: backup_set_9_full (path 2); of tenant")
    assert "backup_set_5_full (path 1) and 2 more" in hint


def test_log_in_the_clear_behind_a_sealed_set_is_told() -> None:
    """Whoever writes a destination can exchange both a piece and its record: no sign in them would say so."""

    def told(
        mode: EncryptionMode, first: tuple[PieceKey, ...], second: tuple[PieceKey, ...], end: int = 300
    ) -> list[int]:
        made = backup_set(1, consistent_at=10, base=100)
        encryption = Encryption(mode=mode, key_id="0" * 32)
        made = replace(made, manifest=replace(made.manifest, end_lsn=Lsn(end), encryption=encryption))
        pieces = (
            replace(piece(1, (0, 500), (0, 50)), keys=first),
            replace(piece(2, (500, 900), (50, 90)), keys=second),
        )
        plan = plan_restore((made,), pieces, at(80), installed_versions=(PIECE.engine_data_version,))
        return [int(root[-1]) for root in plan.roots_in_the_clear]

    def sealed_from(lsn: int) -> PieceKey:
        return replace(SEALS, from_lsn=Lsn(lsn))

    whole, off = (sealed_from(500),), PieceKey(from_lsn=Lsn(700))
    assert told(EncryptionMode.KEY, (SEALS,), whole) == []
    assert told(EncryptionMode.KEY, (SEALS,), ()) == [2]
    assert told(EncryptionMode.KEY, (SEALS,), (*whole, off)) == [2]
    assert told(EncryptionMode.KEY, (), ()) == [1, 2]
    assert told(EncryptionMode.NONE, (), ()) == []
    # The key was set after replay begins, before the set: nobody has exchanged anything.
    assert told(EncryptionMode.KEY, (sealed_from(200),), whole) == []
    assert told(EncryptionMode.KEY, (sealed_from(300),), whole) == []
    assert told(EncryptionMode.KEY, (sealed_from(50), PieceKey(from_lsn=Lsn(150)), sealed_from(200)), whole) == []
    assert told(EncryptionMode.KEY, (), whole, end=500) == []
    assert told(EncryptionMode.KEY, (), (*whole, off), end=500) == [2]
    # From the head on until behind the image.
    assert told(EncryptionMode.KEY, (sealed_from(301),), whole) == [1]
    assert told(EncryptionMode.KEY, (sealed_from(50), PieceKey(from_lsn=Lsn(150)), sealed_from(400)), whole) == [1]
    assert told(EncryptionMode.KEY, (), whole) == [1]


def test_who_names_the_key_gets_no_set_in_the_clear_that_is_newer_than_a_sealed_one() -> None:
    """Somebody who may write to the destination, and has no key, put a set of higher number there: it was restored."""
    modes = (EncryptionMode.NONE, EncryptionMode.KEY, EncryptionMode.NONE, EncryptionMode.KEY)
    facts = tuple(
        replace(fact, manifest=replace(fact.manifest, encryption=Encryption(mode=mode, key_id="0" * 32)))
        for number, mode in enumerate(modes, 1)
        for fact in (backup_set(number, consistent_at=10 * number, base=100),)
    )
    log = piece(1, (0, 500), (0, 50))
    own = [replace(log, source=0, set_id=number) for number in (1, 3)]
    kept, pieces, aside = left_aside_in_the_clear(facts, (log, *own))
    assert [fact.manifest.backup_set_id for fact in kept] == [1, 2, 4]
    assert pieces == (log, own[0])
    assert [damage.root for damage in aside] == [facts[2].root]
    assert "WITH KEY FROM" in aside[0].words
    # Without a sealed set nothing is known of when sealing began.
    assert left_aside_in_the_clear(facts[:1], (log,)) == (facts[:1], (log,), ())


def test_who_names_the_key_and_no_password_is_restored_from_what_the_key_opens() -> None:
    """One set of somebody's session had every restore with the tenant's key refused, although an older set and the log hold the moment."""

    def made(number: int, mode: EncryptionMode, chain: tuple[int, ...] = ()) -> SetFact:
        fact = backup_set(number, consistent_at=10 * number, base=100, chain=chain)
        return replace(fact, manifest=replace(fact.manifest, encryption=Encryption(mode=mode, key_id="0" * 32)))

    facts = (
        made(1, EncryptionMode.NONE),
        made(2, EncryptionMode.KEY),
        made(3, EncryptionMode.PASSWORD),
        made(4, EncryptionMode.KEY, chain=(3, 4)),
    )
    log = piece(1, (0, 500), (0, 50))
    own = [replace(log, source=0, set_id=number, is_sealed=True) for number in (2, 3)]
    kept, pieces, aside = left_aside_without_password(facts, (log, *own))
    assert [fact.manifest.backup_set_id for fact in kept] == [1, 2]
    assert pieces == (log, own[0])
    assert [damage.root for damage in aside] == [facts[2].root, facts[3].root]
    assert "SET DECRYPTION IDENTIFIED BY" in aside[0].words
    # The archive holds what came since, so the newest moment is known.
    plan = plan_restore(kept, pieces, None, installed_versions=(PIECE.engine_data_version,), damaged=aside)
    assert (plan.set.manifest.backup_set_id, plan.target) == (2, at(50))
    # Where the key opens no set, the password is asked for.
    rest = (facts[0], facts[2], facts[3])
    assert left_aside_without_password(rest, (log,)) == (rest, (log,), ())
    assert left_aside_without_password(facts[:2], (log,)) == (facts[:2], (log,), ())


def test_a_worker_reads_the_sets_that_its_statement_chose() -> None:
    """It plans anew: what was left aside, or came since, must not be chosen then."""
    sets = tuple(backup_set(number, consistent_at=10 * number, base=100) for number in (1, 2))
    log = piece(1, (0, 500), (0, 50))
    store = SimpleNamespace(location="file:///there/data")
    found = _Facts(sets, (SimpleNamespace(store=store),))
    row = SimpleNamespace(backup_set_list=f"file:///there/data/{sets[0].root}")
    kept = asked_for(found, row)  # type: ignore[arg-type]
    assert [fact.manifest.backup_set_id for fact in kept.sets] == [1]
    chosen = plan_restore(tuple(kept.sets), (log,), at(40), installed_versions=(PIECE.engine_data_version,))
    assert chosen.set.manifest.backup_set_id == 1
    assert asked_for(found, SimpleNamespace(backup_set_list="")).sets == sets  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Facts:
    sets: tuple[SetFact, ...]
    sources: tuple[SimpleNamespace, ...]
