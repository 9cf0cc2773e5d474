"""A set is restored by its own engine or not at all; the refusal says which way it differs and what to install."""

from dataclasses import replace

import pytest

from backup_format.samples import BEGIN, END, MANIFEST, PIECE
from holdfast import codes
from holdfast.backup_format.manifest import Encryption, EncryptionMode
from holdfast.errors import RefusedError
from holdfast.restore.plan import LogObjectFact, PieceFact, RestorePlan, SetFact, plan_restore
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
)


def plan(made_by: str, *installed: str) -> RestorePlan:
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
    return plan_restore((fact,), (_PIECE,), None, installed_versions=installed)


@pytest.mark.parametrize("made_by", ["1.3.0.0", "1.4.0.0"])
def test_set_whose_engine_is_installed_is_planned(made_by: str) -> None:
    assert plan(made_by, "1.4.0.0", "1.3.0.0").set.manifest.engine_data_version == made_by


@pytest.mark.parametrize(
    ("made_by", "installed", "what"),
    [
        ("1.3.0.0", ("1.4.0.0",), "lower"),
        ("1.3.1.0", ("1.4.0.0", "1.3.0.0"), "lower"),
        ("1.5.0.0", ("1.4.0.0",), "higher"),
        ("1.10.0.0", ("1.9.0.0", "1.3.0.0"), "higher"),
        ("2.0.0.0", ("1.4.0.0", "1.3.0.0"), "higher"),
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
