"""A set is restored by its own engine or not at all; the refusal says which way it differs and what to install."""

from dataclasses import replace

import pytest

from backup_format.samples import BEGIN, END, MANIFEST, PIECE
from holdfast import codes
from holdfast.backup_format.manifest import Encryption, EncryptionMode
from holdfast.backup_format.reach import LogObjectFact, PieceFact, SetFact
from holdfast.errors import RefusedError
from holdfast.restore.plan import RestorePlan, plan_restore
from holdfast.restore.window import Gap, Interval, spans_of
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

_PIECE = PieceFact(
    source=0,
    root="piece_d1002r1p3",
    cluster_id=PIECE.cluster_id,
    tenant_id=PIECE.tenant_id,
    timeline=PIECE.timeline,
    round_id=PIECE.round_id,
    piece_id=PIECE.piece_id,
    start_scn=PIECE.start_scn,
    begin=BEGIN,
    end=replace(END, scn=Scn(MANIFEST.min_restore_scn + 10)),
    objects=(
        LogObjectFact(name="log", block_id=1, first_lsn=Lsn(67104768), end_lsn=Lsn(134300000), size_bytes=1 << 20),
    ),
    engine_data_version="1.4.0.0",
)


def plan(made_by: str, *installed: str, piece: PieceFact | None = None) -> RestorePlan:
    manifest = replace(
        MANIFEST,
        backup_set_id=1,
        chain=(1,),
        prev_full_backup_set_id=0,
        prev_inc_backup_set_id=0,
        encryption=Encryption(mode=EncryptionMode.NONE),
        engine_data_version=made_by,
    )
    fact = SetFact(source=0, root="backup_set_1_full", manifest=manifest)
    log = piece or replace(_PIECE, engine_data_version=made_by)
    return plan_restore((fact,), (log,), None, installed_versions=installed)


@pytest.mark.parametrize("made_by", ["1.3.0.0", "1.4.0.0"])
def test_set_whose_engine_is_installed_is_planned(made_by: str) -> None:
    assert plan(made_by, "1.4.0.0", "1.3.0.0").set.manifest.engine_data_version == made_by


@pytest.mark.parametrize(
    ("made_by", "installed", "what"),
    [
        ("1.3.0.0", ("1.4.0.0",), "lower"),
        ("1.4.0.0", ("1.3.0.0",), "higher"),
    ],
)
def test_set_of_an_engine_that_is_not_here_is_refused_by_name(
    made_by: str, installed: tuple[str, ...], what: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        plan(made_by, *installed)
    assert caught.value.code is codes.OB_OP_NOT_ALLOW
    assert caught.value.message == f"restore from {what} data version is not allowed"
    assert caught.value.hint is not None
    assert f"was made by engine {made_by}, this server has {', '.join(installed)}" in caught.value.hint
    assert "HOLDFAST_ENGINES" in caught.value.hint


@pytest.mark.parametrize(
    ("made_by", "installed", "what"),
    [
        ("1.3.1.0", ("1.4.0.0", "1.3.0.0"), "lower"),
        ("1.4.1.0", ("1.4.0.0",), "higher"),
        ("1.10.0.0", ("1.4.0.0", "1.3.0.0"), "higher"),
        ("2.0.0.0", ("1.4.0.0", "1.3.0.0"), "higher"),
    ],
)
def test_set_of_an_engine_that_is_not_known_is_refused_by_name(
    made_by: str, installed: tuple[str, ...], what: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        plan(made_by, *installed)
    assert caught.value.code is codes.OB_OP_NOT_ALLOW
    assert caught.value.message == f"restore from {what} data version is not allowed"
    assert caught.value.hint == (
        f"backup_set_1_full is of engine {made_by}, which this build of holdfast does not know; it knows 1.4.0.0, 1.3.0.0: "
        "upgrade holdfast to a build that knows it; until then nothing of it is read or changed"
    )


def test_version_that_is_no_version_is_shown_escaped_and_bounded() -> None:
    with pytest.raises(RefusedError) as caught:
        plan("1.4.0.0\n\x1b[2J" + "9" * 400, "1.4.0.0")
    assert r"is of engine '1.4.0.0\n\x1b[2J9999" in caught.value.hint
    assert len(caught.value.hint) < 300


@pytest.mark.parametrize(
    ("log_of", "why"),
    [
        ("1.4.1.0", "piece_d1002r1p3 is of engine 1.4.1.0, which this build of holdfast does not know"),
        ("1.3.0.0", "piece_d1002r1p3 was made by engine 1.3.0.0, what it is to be restored with by engine 1.4.0.0"),
    ],
)
def test_log_of_another_engine_than_the_sets_is_refused_by_name(log_of: str, why: str) -> None:
    with pytest.raises(RefusedError) as caught:
        plan("1.4.0.0", "1.4.0.0", "1.3.0.0", piece=replace(_PIECE, engine_data_version=log_of))
    assert caught.value.code is codes.OB_OP_NOT_ALLOW
    assert why in caught.value.hint


def test_up_to_where_another_engine_s_log_begins_a_set_is_restored_and_behind_it_is_refused_by_name() -> None:
    """Before, every moment of that log counted as restorable for retention and views, and a restore refused each."""
    manifest = replace(MANIFEST, backup_set_id=1, chain=(1,), prev_full_backup_set_id=0, prev_inc_backup_set_id=0)
    manifest = replace(manifest, encryption=Encryption(mode=EncryptionMode.NONE), engine_data_version="1.3.0.0")
    fact = SetFact(source=0, root="backup_set_1_full", manifest=manifest)
    before = replace(_PIECE, engine_data_version="1.3.0.0")
    behind = replace(
        _PIECE,
        root="piece_d1002r1p4",
        piece_id=4,
        begin=before.end,
        end=replace(END, lsn=Lsn(before.end.lsn + 1000), scn=Scn(before.end.scn + 100)),
    )
    pieces, border = (before, behind), before.end.scn

    def plan_to(target: Scn | None) -> RestorePlan:
        return plan_restore((fact,), pieces, target, installed_versions=("1.4.0.0", "1.3.0.0"))

    assert plan_to(border).piece_roots == (before.root,)
    for target in (Scn(border + 1), Scn(border + 1000), None):
        with pytest.raises(RefusedError) as caught:
            plan_to(target)
        assert caught.value.code is codes.OB_OP_NOT_ALLOW
        assert caught.value.message == "restore from higher data version is not allowed"
        assert (
            "piece_d1002r1p4 was made by engine 1.4.0.0, what it is to be restored with by engine 1.3.0.0"
            in caught.value.hint
        )
        assert f"reachable: SCN {int(manifest.min_restore_scn)}" in caught.value.hint
    interval, gap = spans_of((fact,), pieces)
    assert isinstance(interval, Interval)
    assert isinstance(gap, Gap)
    assert (interval.last_scn, gap.after_scn, gap.before_scn) == (border, border, None)
    assert gap.cause == "the log goes on in piece_d1002r1p4, which engine 1.4.0.0 made, not 1.3.0.0"
    assert "a full backup" in gap.remedy


def test_every_set_of_a_chain_says_for_itself_whose_bytes_it_holds() -> None:
    full = replace(MANIFEST, backup_set_id=1, chain=(1,), prev_full_backup_set_id=0, prev_inc_backup_set_id=0)
    full = replace(full, encryption=Encryption(mode=EncryptionMode.NONE), engine_data_version="1.4.1.0")
    increment = replace(full, backup_set_id=2, chain=(1, 2), engine_data_version="1.4.0.0")
    facts = tuple(SetFact(source=0, root=f"set_{one.backup_set_id}", manifest=one) for one in (full, increment))
    with pytest.raises(RefusedError) as caught:
        plan_restore(facts, (_PIECE,), None, installed_versions=("1.4.0.0",))
    assert "set_1 is of engine 1.4.1.0" in caught.value.hint
    spans = spans_of(facts, (_PIECE,))
    assert [span.cause for span in spans if isinstance(span, Gap)][-1] == (
        "set_2 needs set_1, which engine 1.4.1.0 made, not 1.4.0.0"
    )
