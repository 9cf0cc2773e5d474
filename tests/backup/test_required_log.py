"""A backup looks for the log of its set in the archive as a restore would, and ends where it is not there."""

from dataclasses import replace

import pytest
from fake_image import FakeClock, FakeImage, FakeTail, write_once
from stand_ins import ListJournal, plan_of

from backup_format.samples import MANIFEST
from holdfast.backup.required_log import LogLack, lack_of_log
from holdfast.backup.run import run_backup
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import FrameSealer, LogFrame, LogPosition
from holdfast.backup_format.manifest import Manifest
from holdfast.backup_format.piece_record import PieceBlock, PieceRecord, encode_piece_record
from holdfast.engine_format.log_block import LOG_DATA_BYTES, LOG_INFO_BYTES
from holdfast.errors import CorruptionError
from holdfast.store.counted import CountedStore
from holdfast.store.memory import MemoryStore
from holdfast.values.archive import PieceStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

START = 2 * 10**18
TIMELINE = "cd" * 16
BLOCKS = 3
"""Of the newest piece, each of 64 MiB of zeros, which a frame holds in some KiB."""


class Archive:
    """A round: `older` frozen pieces of a block each, whose log nobody opens, and an active one behind them."""

    def __init__(self, older: int = 0) -> None:
        self.store = MemoryStore()
        self.older = older
        for number in range(older):
            self._put(number + 1, number, [bytes(5)], PieceStatus.FROZEN)
        blocks = [_object(older + place) for place in range(BLOCKS)]
        self._put(older + 1, older, blocks, PieceStatus.ACTIVE)

    @property
    def roots(self) -> list[str]:
        return [_root(number) for number in range(self.older + 1, 0, -1)]

    @property
    def begin_lsn(self) -> Lsn:
        """Return where the active piece begins."""
        return Lsn(self.older * LOG_DATA_BYTES)

    def object_name(self, place: int) -> str:
        return names.log_name(self.roots[0], self.older + place)

    def lack(self, *, base: int = 0, reach: int = BLOCKS, store: CountedStore | None = None) -> LogLack | None:
        """Return what a set lacks whose base is block `base` of the active piece and whose end is that of block `reach`."""
        return lack_of_log(store or self.store, self.roots, "backup_set_1_full", self.manifest(base, reach))

    def manifest(self, base: int, reach: int) -> Manifest:
        base_lsn, end_lsn = (self.begin_lsn + place * LOG_DATA_BYTES for place in (base, reach))
        return replace(
            MANIFEST,
            cluster_id=7,
            tenant_id=1002,
            engine_data_version="1.4.0.0",
            timeline=TIMELINE,
            archive_dest_id=1,
            round_id=1,
            base_lsn=Lsn(base_lsn),
            end_lsn=Lsn(end_lsn),
            min_restore_scn=Scn(START + end_lsn - 1),
        )

    def _put(self, piece_id: int, first_block: int, octets: list[bytes], status: PieceStatus) -> None:
        root, begin = _root(piece_id), _position(first_block)
        blocks = range(first_block, first_block + len(octets))
        record = PieceRecord(
            cluster_name="test",
            cluster_id=7,
            tenant_id=1002,
            tenant_name="t",
            dest_id=1,
            round_id=1,
            piece_id=piece_id,
            timeline=TIMELINE,
            status=status,
            start_scn=Scn(START),
            end_scn=Scn(START + 10**18),
            checkpoint_scn=_position(blocks.stop).scn,
            max_scn=_position(blocks.stop).scn,
            begin=begin,
            end=_position(blocks.stop),
            input_bytes=0,
            output_bytes=0,
            engine_data_version="1.4.0.0",
            blocks=tuple(
                PieceBlock(
                    block_id=block_id,
                    size_bytes=len(part),
                    first_lsn=Lsn(block_id * LOG_DATA_BYTES),
                    end_lsn=Lsn((block_id + 1) * LOG_DATA_BYTES),
                )
                for block_id, part in zip(blocks, octets, strict=True)
            ),
        )
        is_active = status is PieceStatus.ACTIVE
        name = names.checkpoint_name(root) if is_active else names.piece_info_name(root)
        self.store.put(name, encode_piece_record(record))
        for block_id, part in zip(blocks, octets, strict=True):
            self.store.put(names.log_name(root, block_id), part)


def _root(piece_id: int) -> str:
    return names.piece_root(1, 1, piece_id)


def _position(block_id: int) -> LogPosition:
    lsn = block_id * LOG_DATA_BYTES
    return LogPosition(lsn=Lsn(lsn), accumulated=lsn % 997, log_id=lsn, scn=Scn(START + lsn - 1 if lsn else 0))


def _object(block_id: int) -> bytes:
    end = _position(block_id + 1)
    assert end.accumulated is not None
    assert end.log_id is not None
    frame = LogFrame(
        timeline=TIMELINE,
        block_id=block_id,
        start_lsn=Lsn(block_id * LOG_DATA_BYTES),
        end_lsn=end.lsn,
        first_scn=Scn(START + block_id * LOG_DATA_BYTES),
        max_scn=end.scn,
        accumulated=end.accumulated,
        log_id=end.log_id,
        has_info_block=True,
    )
    sealed = FrameSealer().seal(frame, bytes(LOG_INFO_BYTES + LOG_DATA_BYTES))
    return bytes(sealed.header_bytes) + bytes(sealed.body)


def test_log_from_the_base_to_the_end_is_all_that_is_needed() -> None:
    archive = Archive(older=2)
    archive.store.delete(names.log_name(archive.roots[-1], 0))
    assert archive.lack() is None
    assert archive.lack(base=2) is None


@pytest.mark.parametrize("place", range(BLOCKS))
def test_a_missing_object_is_named_with_the_way_out(place: int) -> None:
    archive = Archive()
    archive.store.delete(archive.object_name(place))
    lack = archive.lack()
    assert lack is not None
    assert lack.is_damage
    error = lack.error()
    assert error.code.number == -9064
    assert f"{archive.object_name(place)} is not there" in error.message
    assert "NOARCHIVELOG" in error.hint
    assert "full backup" in error.hint


def test_a_hole_before_the_base_in_the_bases_own_piece_is_one_too() -> None:
    """A restore uses a piece up to its damage, so what lies behind is not there for it: the engine's checkpoint alone is no way out."""
    archive = Archive()
    archive.store.delete(archive.object_name(0))
    lack = archive.lack(base=2)
    assert lack is not None
    assert lack.is_damage


def test_log_that_did_not_come_yet_is_late_and_not_lost() -> None:
    lack = Archive().lack(reach=BLOCKS + 1)
    assert lack is not None
    assert not lack.is_damage


def test_the_look_costs_the_same_however_long_the_archive_is() -> None:
    counts = []
    for older in (2, 40):
        archive = Archive(older=older)
        store = CountedStore(archive.store)
        assert archive.lack(store=store) is None
        counts.append(store.counts())
    assert counts[0].calls == counts[1].calls
    assert sum(counts[0].calls.values()) < 10


def test_a_backup_whose_log_is_lost_ends_before_it_copies_a_block() -> None:
    archive, store, journal = Archive(), MemoryStore(), ListJournal()
    archive.store.delete(archive.object_name(1))
    with pytest.raises(CorruptionError, match="is not there"):
        _run(archive, store, journal)
    assert not [item.name for item in store.list() if "/data/" in item.name]


def test_a_backup_whose_log_is_lost_while_it_runs_puts_no_manifest() -> None:
    archive, store = Archive(), MemoryStore()
    image = FakeImage(blocks=[write_once(1)] * 3)
    image.on_pause_end = lambda count: archive.store.delete(archive.object_name(1))
    image.on_slog = lambda count: archive.store.put(archive.object_name(1), b"")
    with pytest.raises(CorruptionError, match="its record promises"):
        _run(archive, store, ListJournal(), image)
    assert store.stat(names.manifest_name("backup_set_1_full")) is None


def test_a_backup_whose_log_is_late_waits_for_it() -> None:
    lacks = [None, LogLack(words="late", is_damage=False), None]
    clock = FakeClock()
    run_backup(
        plan_of(),
        FakeImage(blocks=[write_once(1)] * 3),
        MemoryStore(),
        FakeTail(),
        ListJournal(),
        clock,
        lack=lambda manifest: lacks.pop(0),
    )
    assert not lacks


def test_log_that_never_comes_ends_the_backup() -> None:
    clock = FakeClock()
    with pytest.raises(CorruptionError, match="never came") as ended:
        run_backup(
            plan_of(),
            FakeImage(blocks=[write_once(1)] * 3),
            MemoryStore(),
            FakeTail(),
            ListJournal(),
            clock,
            lack=lambda manifest: LogLack(words="never came", is_damage=False),
        )
    assert ended.value.code.number == -9064
    assert clock.monotonic() < 60


def _run(archive: Archive, store: MemoryStore, journal: ListJournal, image: FakeImage | None = None) -> None:
    end = archive.manifest(0, BLOCKS)
    run_backup(
        replace(plan_of(), archive=replace(plan_of().archive, dest_id=1, round_id=1, timeline=TIMELINE)),
        image or FakeImage(blocks=[write_once(1)] * 3),
        store,
        FakeTail(end=(end.end_lsn, end.min_restore_scn)),
        journal,
        FakeClock(),
        lack=lambda manifest: lack_of_log(archive.store, archive.roots, "backup_set_1_full", manifest),
    )
