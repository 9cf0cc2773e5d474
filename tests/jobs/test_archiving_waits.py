"""A round that nobody archives says so: DOING without a word is said only of one that goes on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from holdfast.clock import SystemClock
from holdfast.engine.directory import EngineDirectory
from holdfast.errors import EngineError, NotFoundError, UnknownVersionError
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.ground import Ground
from holdfast.values.archive import Piece, Round, RoundStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import LogMode, TenantStatus

DOING = Round(
    tenant_id=1002,
    dest_id=1001,
    round_id=1,
    status=RoundStatus.DOING,
    start_scn=Scn(1),
    checkpoint_scn=Scn(2),
    base_piece_id=1,
    used_piece_id=1,
    piece_switch_interval_us=86_400_000_000,
    input_bytes=0,
    output_bytes=0,
    comment="",
    path="file:///place",
)


class Rounds:
    def __init__(self, current: Round | None) -> None:
        self.kept = current
        self.saves = 0

    def current(self, tenant_id: int) -> Round | None:
        return self.kept

    def save(self, current: Round, pieces: tuple[Piece, ...] = ()) -> None:
        self.kept, self.saves = current, self.saves + 1

    def pieces(self, tenant_id: int, round_id: int) -> tuple[Piece, ...]:
        return ()


def settled(tmp_path: Path, rounds: Rounds, raises: Callable[[], Exception], *, is_dropped: bool = False) -> None:
    """Start a server whose tenant's engine directory is refused, and stop it."""

    def engine_directory(tenant_id: int) -> EngineDirectory:
        raise raises()

    tenant = SimpleNamespace(
        tenant_id=1002, name="t", status=TenantStatus.NORMAL, log_mode=LogMode.ARCHIVELOG, data_version="1"
    )

    def by_id(tenant_id: int) -> SimpleNamespace:
        if is_dropped:
            raise NotFoundError("no such tenant")
        return tenant

    catalog = SimpleNamespace(
        tenants=SimpleNamespace(user_tenants=lambda: [tenant], by_id=by_id),
        destinations=SimpleNamespace(archive=lambda tenant_id: None, by_id=lambda tenant_id, dest_id: None),
        rounds=rounds,
    )
    archiving = Archiving(
        catalog,  # type: ignore[arg-type]
        ClusterDirectory(tmp_path),
        identity=None,  # type: ignore[arg-type]
        clock=SystemClock(),
        open_store=None,  # type: ignore[arg-type]
        engine_directory=engine_directory,
        tenures=None,  # type: ignore[arg-type]
        ground=Ground(tmp_path),
    )
    archiving.resume_all()
    archiving._settle_soon(1002)  # as a statement does: it is said once, however often it is met
    archiving.stop_all()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnknownVersionError("engine 9.9 is not known", hint="upgrade Holdfast"), "engine 9.9 is not known (upgrade"),
        (EngineError("the engine's directory can not be read"), "the engine's directory can not be read"),
        (NotFoundError("tenant 1002 has no destination 1001"), "tenant 1002 has no destination 1001"),
        (ValueError("the secret of row 7"), "a defect of Holdfast: ValueError"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_round_that_can_not_be_taken_up_says_why(tmp_path: Path, error: Exception, words: str) -> None:
    rounds = Rounds(DOING)
    settled(tmp_path, rounds, lambda: error)
    assert rounds.kept is not None
    assert rounds.kept.comment.startswith(f"waiting: {words}")
    assert replace(rounds.kept, comment="") == DOING
    assert rounds.saves == 1


def test_what_was_lost_stays_said_and_a_dropped_tenant_is_left_alone(tmp_path: Path) -> None:
    lost = replace(DOING, status=RoundStatus.INTERRUPTED, comment="log stream 1 interrupted: gone")
    for rounds, is_dropped in ((Rounds(lost), False), (Rounds(DOING), True), (Rounds(None), False)):
        settled(tmp_path, rounds, lambda: EngineError("away"), is_dropped=is_dropped)
        assert rounds.saves == 0
