"""The statements of log archiving, over a real catalog and a real engine (one engine is both here)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_reader import read_archive
from follower_rig import wait_until

from engine_rig import Bank, EngineRig
from holdfast import codes
from holdfast.archive.pressure import SpoolLimits
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import ParameterDefinition
from holdfast.clock import SystemClock
from holdfast.codes import Code
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import installed
from holdfast.errors import HoldfastError
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.ground import Ground
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.parameters import DEFINITIONS
from holdfast.jobs.reply import Reply
from holdfast.jobs.session import Session
from holdfast.jobs.tenure import Tenures
from holdfast.store.open import open_store
from holdfast.values.archive import PieceStatus, Round, RoundStatus
from holdfast.values.destination import parse_uri
from holdfast.values.tenant import (
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantRole,
    TenantStatus,
    Unit,
)

pytestmark = pytest.mark.live

CLOCK = SystemClock()
UNIT = Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30)


def tenant_value(tenant_id: int, name: str, status: TenantStatus = TenantStatus.NORMAL) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=name,
        role=TenantRole.PRIMARY,
        status=status,
        log_mode=LogMode.NOARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=UNIT,
        create_time_us=1,
        modify_time_us=1,
        data_version="1.4.0.0",
    )


@pytest.fixture(scope="module")
def catalog(engine: EngineRig) -> Iterator[Catalog]:
    made = Catalog(lambda: engine.session().connection, engine.log_in)
    made.install()
    made.tenants.add(tenant_value(1, "sys"))
    made.tenants.add(tenant_value(1002, "mysql_tenant"))
    made.tenants.add(tenant_value(1004, "growing", TenantStatus.CREATING))
    made.parameters.define(
        [
            ParameterDefinition(name=each.name, data_type=each.kind.name, default_value=each.default, info=each.info)
            for each in DEFINITIONS
        ]
    )
    yield made
    made.close()


IDENTITY = ClusterIdentity(name="holdfast", cluster_id=7)


class Desk:
    """Archiving as a server has it; `restart` is the next server."""

    def __init__(self, catalog: Catalog, base: Path) -> None:
        self.catalog = catalog
        self.base = base
        self.session = Session(tenant=catalog.tenants.by_id(1), user="root", client_id=1)
        self.limits = SpoolLimits()
        self.archiving = self._made()

    def _made(self) -> Archiving:
        made = Archiving(
            self.catalog,
            ClusterDirectory(self.base),
            identity=IDENTITY,
            tenures=Tenures(self.catalog, IDENTITY, CLOCK),
            ground=Ground(self.base),
            clock=CLOCK,
            open_store=open_store,
            engine_directory=lambda tenant_id: EngineDirectory(
                ClusterDirectory(self.base).engine(tenant_id), installed()
            ),
            limits=self.limits,
        )
        made.resume_all()
        return made

    def restart(self) -> None:
        self.archiving.stop_all()
        self.archiving = self._made()

    def tenant(self) -> Tenant:
        return self.catalog.tenants.by_id(1002)

    def set_destination(self, text: str) -> None:
        self.archiving.set_destination(self.session, self.tenant(), text)

    def set_state(self, text: str) -> None:
        self.archiving.set_state(self.session, self.tenant(), text)

    def archivelog(self, *names: str) -> Reply:
        return self.archiving.archivelog(self.session, names, all_tenants=not names)

    def noarchivelog(self, *names: str) -> Reply:
        return self.archiving.noarchivelog(self.session, names, all_tenants=not names)

    def round(self) -> Round:
        found = self.catalog.rounds.latest(1002)
        assert found is not None
        return found

    def wait_for(self, status: RoundStatus, round_id: int | None = None) -> Round:
        def there() -> bool:
            latest = self.catalog.rounds.latest(1002)
            return latest is not None and latest.status is status and round_id in (None, latest.round_id)

        wait_until(there, seconds=20)
        return self.round()


@pytest.fixture
def desk(catalog: Catalog, cluster_base: Path) -> Iterator[Desk]:
    made = Desk(catalog, cluster_base)
    yield made
    if made.tenant().log_mode is LogMode.ARCHIVELOG:
        made.noarchivelog("mysql_tenant")
    wait_until(lambda: catalog.rounds.current(1002) is None, seconds=30)
    made.set_destination("")
    made.archiving.stop_all(drain=False)


def raised(call: object, *args: object) -> Code:
    with pytest.raises(HoldfastError) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


def test_a_round_runs_from_archivelog_to_stop_and_the_next_one_follows(desk: Desk, tmp_path: Path, bank: Bank) -> None:
    desk.set_destination(f"LOCATION=file://{tmp_path}/archive")
    desk.archivelog("mysql_tenant")
    assert desk.tenant().log_mode is LogMode.ARCHIVELOG
    first = desk.wait_for(RoundStatus.DOING)
    follower = desk.archiving.follower(1002)
    assert follower is not None
    desk.catalog.parameters.set(1002, "archive_lag_target", "0ms")
    bank.run(0.5)
    _, scn = follower.tail_after()
    follower.request_flush(scn)
    wait_until(lambda: desk.round().checkpoint_scn >= scn)
    assert desk.round().input_bytes > 0
    assert desk.round().output_bytes > 0
    desk.noarchivelog("mysql_tenant")
    desk.archivelog("mysql_tenant")  # at once: the first round still ends, and another one begins
    second = desk.wait_for(RoundStatus.DOING, first.round_id + 1)
    assert second.base_piece_id == first.used_piece_id + 1
    pieces = {piece.round_id: piece for piece in desk.catalog.rounds.pieces(1002)}
    assert pieces[first.round_id].status is PieceStatus.FROZEN
    assert [each.status for each in desk.catalog.rounds.summary(1002)][-2:] == [RoundStatus.STOP, RoundStatus.DOING]
    desk.catalog.parameters.reset(1002, "archive_lag_target")
    store = open_store(parse_uri(f"file://{tmp_path}/archive"))
    assert read_archive(store, first.dest_id, first.round_id).end.scn >= scn


def test_defer_enable_and_a_server_restart_keep_the_round(desk: Desk, tmp_path: Path) -> None:
    desk.archivelog("mysql_tenant")  # allowed before a destination is set: the round waits for it
    before = desk.catalog.rounds.latest(1002)
    desk.set_destination(f"LOCATION=file://{tmp_path}/archive BINDING=Mandatory PIECE_SWITCH_INTERVAL=2d")
    first = desk.wait_for(RoundStatus.DOING)
    assert before is None or first.round_id == before.round_id + 1
    assert first.piece_switch_interval_us == 2 * 86_400_000_000
    desk.set_state("defer")
    desk.wait_for(RoundStatus.SUSPEND)
    desk.restart()
    time.sleep(0.2)
    assert desk.round().status is RoundStatus.SUSPEND
    desk.set_state("ENABLE")
    again = desk.wait_for(RoundStatus.DOING)
    assert again.round_id == first.round_id
    checkpoint = again.checkpoint_scn
    desk.restart()
    follower = desk.archiving.follower(1002)
    assert follower is not None
    _, scn = follower.tail_after()
    follower.request_flush(scn)
    wait_until(lambda: desk.round().checkpoint_scn >= scn > checkpoint)
    assert desk.round().round_id == first.round_id
    assert desk.archiving.is_stalled(1002) is False
    assert raised(desk.set_destination, f"LOCATION=file://{tmp_path}/other") is codes.OB_NOT_SUPPORTED
    assert raised(desk.set_destination, "") is codes.OB_NOT_SUPPORTED


def test_an_interrupted_round_never_heals_and_a_new_one_follows_it(desk: Desk, tmp_path: Path) -> None:
    desk.set_destination(f"LOCATION=file://{tmp_path}/archive")
    desk.archivelog("mysql_tenant")
    first = desk.wait_for(RoundStatus.DOING)
    desk.archiving.stop_all()
    (log_object,) = (tmp_path / "archive").glob("piece_*/logstream_1/log/*.obarc")
    with log_object.open("r+b") as file:
        file.truncate(log_object.stat().st_size - 1)
    desk.restart()
    lost = desk.wait_for(RoundStatus.INTERRUPTED)
    assert lost.round_id == first.round_id
    assert log_object.name in lost.comment
    assert raised(desk.archivelog, "mysql_tenant") is codes.OB_ALREADY_IN_ARCHIVE_MODE
    desk.restart()
    time.sleep(0.2)
    assert desk.round().status is RoundStatus.INTERRUPTED, "it never heals by itself"
    desk.noarchivelog("mysql_tenant")
    assert desk.wait_for(RoundStatus.STOP).comment == lost.comment
    desk.archivelog("mysql_tenant")
    desk.wait_for(RoundStatus.DOING, first.round_id + 1)


def test_a_wrong_destination_is_refused_with_its_code(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "dirty").mkdir()
    (tmp_path / "dirty" / "letter.txt").write_text("mine")
    assert raised(desk.set_destination, f"LOCATION=file://{tmp_path}/dirty") is codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST
    assert raised(desk.set_destination, "LOCATION=ftp://x/y") is codes.OB_INVALID_BACKUP_DEST
    assert raised(desk.set_destination, "LOCATION=file://relative") is codes.OB_INVALID_BACKUP_DEST
    assert raised(desk.set_destination, "BINDING=Optional") is codes.OB_NOT_SUPPORTED
    good = f"LOCATION=file://{tmp_path}/archive"
    assert raised(desk.set_destination, f"{good} PIECE_SWITCH_INTERVAL=8d") is codes.OB_NOT_SUPPORTED
    assert raised(desk.set_destination, f"{good} BINDING=maybe") is codes.OB_INVALID_ARGUMENT
    assert raised(desk.set_state, "sleep") is codes.OB_INVALID_ARGUMENT
    assert desk.catalog.destinations.archive(1002) is None
    desk.set_destination(good)
    other = desk.catalog.tenants.by_id(1004)
    code = raised(desk.archiving.set_destination, desk.session, other, good)
    assert code is codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH
    archive = desk.catalog.destinations.archive(1002)
    assert archive is not None
    desk.set_destination(good)
    again = desk.catalog.destinations.archive(1002)
    assert again is not None
    assert again.destination.dest_id == archive.destination.dest_id, "the same path keeps its DEST_ID"


def test_a_destination_that_changed_hands_keeps_the_round_in_prepare(desk: Desk, tmp_path: Path) -> None:
    desk.set_destination(f"LOCATION=file://{tmp_path}/archive")
    owner = tmp_path / "archive" / "format.obbak"
    kept = owner.read_bytes()
    owner.unlink()
    desk.archivelog("mysql_tenant")
    wait_until(lambda: "format file does not exist" in desk.round().comment, seconds=10)
    assert desk.round().status is RoundStatus.PREPARE
    owner.write_bytes(kept)
    assert desk.wait_for(RoundStatus.DOING).comment == ""


def test_lists_of_tenants_follow_their_rules(desk: Desk, tmp_path: Path) -> None:
    assert raised(desk.noarchivelog, "mysql_tenant") is codes.OB_ALREADY_IN_NOARCHIVE_MODE
    assert raised(desk.archivelog, "nobody") is codes.OB_ERR_INVALID_TENANT_NAME
    assert raised(desk.archivelog, "mysql_tenant", "mysql_tenant") is codes.OB_NOT_SUPPORTED
    assert raised(desk.archivelog, "sys") is codes.OB_NOT_SUPPORTED
    assert desk.tenant().log_mode is LogMode.NOARCHIVELOG
    # One failing does not undo the others.
    assert raised(desk.archivelog, "growing", "mysql_tenant") is codes.OB_CANNOT_START_LOG_ARCHIVE_BACKUP
    assert desk.tenant().log_mode is LogMode.ARCHIVELOG
    # All: what keeps a single tenant from it is a warning. So is a destination that is missing, without which no round begins.
    without_round = "tenant mysql_tenant: no archive round: LOG_ARCHIVE_DEST is not set"
    warned = sorted((one.number, one.message) for one in desk.archivelog().warnings)
    assert [number for number, _ in warned] == [4179, 9023]
    assert (warned[0][1].startswith(without_round), "growing" in warned[1][1]) == (True, True)
    with pytest.raises(HoldfastError) as again:
        desk.archivelog("mysql_tenant")
    assert "LOG_ARCHIVE_DEST is not set" in again.value.hint
    assert [one.number for one in desk.noarchivelog().warnings] == [9023]
    assert [one.message[: len(without_round)] for one in desk.archivelog("mysql_tenant").warnings] == [without_round]
    desk.noarchivelog("mysql_tenant")
    assert desk.tenant().log_mode is LogMode.NOARCHIVELOG
    assert desk.catalog.tenants.by_id(1004).log_mode is LogMode.NOARCHIVELOG


def test_a_dropped_tenant_ends_its_round_in_the_destination(desk: Desk, tmp_path: Path) -> None:
    desk.set_destination(f"LOCATION=file://{tmp_path}/archive")
    desk.archivelog("mysql_tenant")
    current = desk.wait_for(RoundStatus.DOING)
    desk.archiving.drop_tenant(1002)
    assert desk.archiving.follower(1002) is None
    store = open_store(parse_uri(f"file://{tmp_path}/archive"))
    found = read_archive(store, current.dest_id, current.round_id)
    assert [piece.status for piece in found.pieces] == [PieceStatus.FROZEN]
