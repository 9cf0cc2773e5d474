"""A set or a piece of an engine that is not known is refused by name, by whoever reads it, before a byte of the engine's is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from backup_format.samples import MANIFEST, PIECE, ROUND
from holdfast.archive.resume import read_round
from holdfast.backup.complement import find_log
from holdfast.backup_format import names
from holdfast.backup_format.manifest import encode_manifest
from holdfast.backup_format.piece_record import decode_piece_record, encode_piece_record, encode_round_record
from holdfast.destination.facts import Source, archived_pieces, read_facts
from holdfast.destination.joints import _chain_at
from holdfast.engine_format.log_walk import Position, walk
from holdfast.errors import UnknownVersionError
from holdfast.jobs.estate import _Look
from holdfast.keys.masters import NO_MASTERS
from holdfast.restore.archived_log import ArchivedLog
from holdfast.retention import verdict
from holdfast.store.memory import MemoryStore
from holdfast.values.archive import FileStatus, Round
from holdfast.values.backup_set import SetStatus
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.pace import FixedPace
from holdfast.verify.crew import Crew
from holdfast.verify.log import Memory, PieceTarget, validate_piece
from holdfast.verify.plan import Damage, Level, Proof
from holdfast.verify.run import SetTarget, validate_set
from restore.archive_maker import ArchiveMaker

WHY = "is of engine 1.4.1.0, which this build of holdfast does not know; it knows 1.4.0.0, 1.3.0.0"
SET_ROOT = names.set_root(MANIFEST.backup_set_id, MANIFEST.type)
PIECE_ROOT = names.piece_root(PIECE.dest_id, PIECE.round_id, PIECE.piece_id)


class Watched(MemoryStore):
    """Remembers what was opened: only documents may be, for a log object or a block would be the engine's bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def reader(self, name: str):  # type: ignore[no-untyped-def]
        self.opened.append(name)
        return super().reader(name)


class Silent:
    def expect(self, size_bytes: int) -> None: ...

    def read(self, size_bytes: int) -> None: ...

    def proven(self, name: str, size_bytes: int, digest: str) -> None: ...

    def known(self, proof: Proof) -> None: ...

    def found(self, damage: Damage) -> None:
        raise AssertionError(damage)


@pytest.fixture
def store() -> Watched:
    store = Watched()
    store.put(names.manifest_name(SET_ROOT), encode_manifest(replace(MANIFEST, engine_data_version="1.4.1.0")))
    for item in MANIFEST.objects:
        store.put(f"{SET_ROOT}/{item.name}", bytes(item.size_bytes))
    store.put(names.checkpoint_name(PIECE_ROOT), encode_piece_record(replace(PIECE, engine_data_version="1.4.1.0")))
    for block in PIECE.blocks:
        store.put(names.log_name(PIECE_ROOT, block.block_id), bytes(block.size_bytes))
    start = names.RoundPlaceholder(dest_id=ROUND.dest_id, round_id=ROUND.round_id, edge=names.Edge.START)
    store.put(names.round_placeholder(start), encode_round_record(ROUND))
    return store


def _read_round(store: Watched) -> None:
    current = Round(
        tenant_id=1002,
        dest_id=ROUND.dest_id,
        round_id=ROUND.round_id,
        status=ROUND.status,
        start_scn=ROUND.start_scn,
        checkpoint_scn=ROUND.checkpoint_scn,
        base_piece_id=PIECE.piece_id,
        used_piece_id=PIECE.piece_id,
        piece_switch_interval_us=1,
        input_bytes=0,
        output_bytes=0,
        comment="",
        path="",
    )
    read_round(store, current, lambda owner: True, cluster_id=PIECE.cluster_id)


def _validate(level: Level) -> Callable[[Watched], object]:
    target = SetTarget(
        set_id=MANIFEST.backup_set_id,
        roots={MANIFEST.backup_set_id: SET_ROOT},
        cluster_id=MANIFEST.cluster_id,
        tenant_id=MANIFEST.tenant_id,
    )
    return lambda store: validate_set(target, store, **_around(level))


def _around(level: Level) -> dict[str, object]:
    memory = Memory(proofs={}, now_us=0, reread_us=0)
    return {"level": level, "memory": memory, "journal": Silent(), "crew": Crew(FixedPace(threads=1), lambda: None)}


@pytest.mark.parametrize(
    "reader",
    [
        pytest.param(_validate(Level.BASIC), id="validation of a set, basic"),
        pytest.param(_validate(Level.PHYSICAL), id="validation of a set, physical"),
        pytest.param(
            lambda store: validate_piece(PieceTarget(root=PIECE_ROOT), store, **_around(Level.PHYSICAL)),
            id="validation of a piece",
        ),
        pytest.param(
            lambda store: find_log(
                store,
                dest_id=PIECE.dest_id,
                round_id=1,
                timeline=PIECE.timeline,
                base_lsn=PIECE.start_lsn,
                end_lsn=PIECE.end_lsn,
            ),
            id="log for a set of its own",
        ),
        pytest.param(_read_round, id="round that is taken up"),
    ],
)
def test_reader_refuses_it_by_name_and_opens_nothing_of_it(store: Watched, reader: Callable[[Watched], object]) -> None:
    with pytest.raises(UnknownVersionError) as caught:
        reader(store)
    assert WHY in caught.value.message
    assert (SET_ROOT in caught.value.message) or (PIECE_ROOT in caught.value.message)
    assert "upgrade holdfast" in caught.value.hint
    engines = {f"{SET_ROOT}/{item.name}" for item in MANIFEST.objects}
    engines |= {names.log_name(PIECE_ROOT, block.block_id) for block in PIECE.blocks}
    assert not engines & set(store.opened)


def test_retention_takes_it_for_what_it_can_not_read_so_nothing_is_removed(tmp_path: Path) -> None:
    store = MemoryStore()
    whole = replace(MANIFEST, engine_data_version="1.4.1.0", plus_archivelog=False)
    store.put(names.manifest_name(SET_ROOT), encode_manifest(whole))
    for item in MANIFEST.objects:
        store.put(f"{SET_ROOT}/{item.name}", bytes(item.size_bytes))
    archive = _archive_of(tmp_path, "1.4.1.0")
    sources = (Source(store=store, kind=DestinationKind.BACKUP_DATA), archive.source)
    look = _Look(unreachable={}, damaged=(), found=read_facts(sources), dest_ids=(1, PIECE.dest_id))
    made = verdict.SetEntry(
        dest_id=1,
        backup_set_id=MANIFEST.backup_set_id,
        type=MANIFEST.type,
        status=SetStatus.SUCCESS,
        file_status=FileStatus.AVAILABLE,
        end_us=1,
    )
    piece = verdict.PieceEntry(
        dest_id=PIECE.dest_id,
        round_id=PIECE.round_id,
        piece_id=archive.piece_id,
        status=PIECE.status,
        file_status=FileStatus.AVAILABLE,
        start_scn=PIECE.start_scn,
        end_scn=PIECE.end_scn,
        checkpoint_scn=PIECE.checkpoint_scn,
    )
    assert WHY in look.at_set(made).trouble
    assert WHY in look.at_piece(piece).trouble


def _archive_of(folder: Path, engine: str) -> ArchiveMaker:
    """Make an archive of a little log whose record says that it is of `engine`."""
    archive = ArchiveMaker(folder / "log")
    for number in range(4):
        archive.maker.group(b"%d" % number * 100)
    archive.append()
    name = names.checkpoint_name(archive.root)
    record = decode_piece_record(archive.store.get(name))
    archive.store.delete(name)
    archive.store.put(name, encode_piece_record(replace(record, engine_data_version=engine)))
    return archive


def test_pieces_of_an_unknown_engine_are_not_joined(tmp_path: Path) -> None:
    """Where one ends in another, groups of the engine would have to be walked to tell whether they hold the same log."""
    for engine, is_told in (("1.4.0.0", True), ("1.4.1.0", False)):
        archive = _archive_of(tmp_path / engine, engine)
        (whole,) = archived_pieces(archive.source)
        inside = walk(archive.log(0, int(whole.end.lsn))[:600], Position(lsn=Lsn(0), accumulated=0, log_id=0)).end
        end = replace(whole.end, lsn=inside.lsn, accumulated=inside.accumulated, log_id=inside.log_id, scn=inside.scn)
        assert 0 < end.lsn < whole.end.lsn
        assert (_chain_at(whole, end, archive.store, NO_MASTERS) is not None) is is_told


@pytest.mark.parametrize(("log_of", "why"), [("1.4.1.0", WHY), ("1.3.0.0", "is log of engine 1.3.0.0, not of 1.4.0.0")])
def test_a_standby_is_given_no_log_of_another_engine(tmp_path: Path, log_of: str, why: str) -> None:
    known = ArchivedLog(_archive_of(tmp_path, "1.4.0.0").source, lambda: 0.0, engine_data_version="1.4.0.0")
    assert known.read(Lsn(0)) is not None
    other = ArchivedLog(_archive_of(tmp_path / "o", log_of).source, lambda: 0.0, engine_data_version="1.4.0.0")
    with pytest.raises(UnknownVersionError, match=r"piece_d") as caught:
        other.read(Lsn(0))
    assert why in caught.value.message
