"""What is read of destinations, from real log groups: where damage ends a piece, and where two rounds are one history."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from archive.log_maker import LogMaker
from backup_format.samples import MANIFEST, PIECE
from holdfast.backup_format import names
from holdfast.backup_format.manifest import ObjectKind, encode_manifest
from holdfast.backup_format.piece_record import decode_piece_record, encode_piece_record
from holdfast.backup_format.reach import Path as LogPath
from holdfast.backup_format.reach import SetFact, path_of
from holdfast.destination.facts import Facts, Source, of_tenant, read_facts
from holdfast.store.memory import MemoryStore
from holdfast.values.archive import PieceStatus
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import DestinationKind
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from restore.archive_maker import ArchiveMaker

OTHER = "c" * 32


def groups(maker: LogMaker, count: int, what: bytes = b"row") -> None:
    for number in range(count):
        maker.group(what + b" %d" % number, b"more")


def fork(maker: LogMaker, folder: Path) -> LogMaker:
    """Return the log as a machine has it that was put back to now: what comes is its own."""
    shutil.copytree(maker.log_dir, folder)
    twin = copy.copy(maker)
    twin.log_dir = folder
    return twin


def a_set(archive: ArchiveMaker) -> SetFact:
    manifest = replace(
        MANIFEST,
        cluster_id=PIECE.cluster_id,
        tenant_id=PIECE.tenant_id,
        timeline=archive.timeline,
        round_id=archive.round_id,
        base_lsn=Lsn(0),
        end_lsn=Lsn(1),
        min_restore_scn=Scn(1),
    )
    return SetFact(source=9, root="backup_set_1_full", manifest=manifest)


def path_over(first: ArchiveMaker, *others: ArchiveMaker) -> LogPath:
    found = read_facts((first.source, *(other.source for other in others)))
    path = path_of(a_set(first), found.pieces)
    assert path is not None
    return path


def a_round(maker: LogMaker, folder: Path, *, begins_at: int = 0) -> ArchiveMaker:
    """Return the archive of the next round, which begins behind the log's end and knows no chain there."""
    made = ArchiveMaker(folder, maker=maker, timeline=OTHER, round_id=PIECE.round_id + 1)
    made.piece_id = 7
    if begins_at:
        made.archived = replace(made.archived, lsn=Lsn(begins_at), accumulated=None, log_id=None)
    return made


def forget_begin(archive: ArchiveMaker) -> None:
    name = names.checkpoint_name(archive.root)
    record = decode_piece_record(archive.store.get(name))
    begin = replace(record.begin, accumulated=None, log_id=None, scn=Scn(0))
    archive.store.put(name, encode_piece_record(replace(record, begin=begin)))


@pytest.fixture
def first(tmp_path: Path) -> ArchiveMaker:
    made = ArchiveMaker(tmp_path / "log")
    groups(made.maker, 4)
    made.append()
    return made


@pytest.mark.parametrize("is_at_a_frame_s_end", [True, False])
def test_the_next_round_of_the_same_log_is_joined(
    first: ArchiveMaker, tmp_path: Path, is_at_a_frame_s_end: bool
) -> None:
    second = a_round(first.maker, tmp_path / "x")
    if is_at_a_frame_s_end:
        second.append()
    groups(first.maker, 3)
    second.append()
    forget_begin(second)
    path = path_over(first, second)
    assert [step.piece.timeline for step in path.steps] == [first.timeline, OTHER]
    assert path.end.lsn == first.maker.lsn


@pytest.mark.parametrize("kept", [1, 3])
def test_log_that_was_written_anew_behind_a_snapshot_is_not_joined(tmp_path: Path, kept: int) -> None:
    """Groups of the same sizes at the same LSNs: only the checksums differ."""
    first = ArchiveMaker(tmp_path / "log")
    groups(first.maker, kept)
    twin = fork(first.maker, tmp_path / "twin")
    groups(first.maker, 4 - kept, b"old")
    first.append()
    groups(twin, 6 - kept, b"new")
    second = a_round(twin, tmp_path / "x")
    second.append()
    forget_begin(second)
    path = path_over(first, second)
    assert len(path.steps) == 1
    assert path.end.lsn == first.maker.lsn


def test_a_round_that_begins_where_the_last_one_ends_is_held_against_it(first: ArchiveMaker, tmp_path: Path) -> None:
    """Its record knows no chain there: its first group does."""
    at = first.maker.lsn
    twin = fork(first.maker, tmp_path / "twin")
    groups(first.maker, 2)
    second = a_round(first.maker, tmp_path / "x", begins_at=at)
    second.append()
    assert path_over(first, second).end.lsn == first.maker.lsn
    twin.accumulated ^= 1  # another history came to this LSN
    groups(twin, 2)
    third = a_round(twin, tmp_path / "y", begins_at=at)
    third.append()
    assert path_over(first, third).end.lsn == at


def freeze(archive: ArchiveMaker) -> None:
    record = decode_piece_record(archive.store.get(names.checkpoint_name(archive.root)))
    archive.store.put(
        names.piece_info_name(archive.root), encode_piece_record(replace(record, status=PieceStatus.FROZEN))
    )


@pytest.fixture
def long(tmp_path: Path) -> ArchiveMaker:
    """Three frames in one object, frozen, and a piece behind it."""
    made = ArchiveMaker(tmp_path / "log")
    for _ in range(3):
        groups(made.maker, 3)
        made.append()
    freeze(made)
    made.next_piece()
    groups(made.maker, 2)
    made.append()
    made.piece_id = 1
    return made


def read(archive: ArchiveMaker) -> Facts:
    return read_facts((archive.source,))


@pytest.mark.parametrize(("share", "frames"), [(0.99, 2), (0.6, 1), (0.1, 0)])
def test_a_cut_object_ends_its_piece_at_the_last_whole_frame(long: ArchiveMaker, share: float, frames: int) -> None:
    name = names.log_name(long.root, 0)
    octets = long.store.get(name)
    whole = read(long).pieces[0]
    long.store.put(name, octets[: int(len(octets) * share)])
    found = read(long)
    (damage,) = found.damaged
    assert damage.root == long.root
    assert name in damage.words
    assert "its record promises" in damage.words
    kept = [piece for piece in found.pieces if piece.root == long.root]
    assert len(kept) == (1 if frames else 0)
    if kept:
        assert kept[0].begin == whole.begin
        assert Lsn(0) < kept[0].end.lsn < whole.end.lsn
        assert kept[0].end.accumulated is not None
        path = path_of(a_set(long), found.pieces)
        assert path is not None
        assert path.damage == damage.words
        assert path.stopped_by is not None


def test_a_missing_object_ends_its_piece_and_not_the_others(long: ArchiveMaker) -> None:
    long.store.delete(names.log_name(long.root, 0))
    found = read(long)
    assert [piece.piece_id for piece in found.pieces] == [2]
    assert "is not there" in found.damaged[0].words


def test_a_frozen_record_that_can_not_be_read_gives_way_to_the_active_one(long: ArchiveMaker) -> None:
    whole = read(long).pieces
    long.store.put(names.piece_info_name(long.root), b"{}")
    found = read(long)
    assert [piece.end for piece in found.pieces] == [piece.end for piece in whole]
    assert found.damaged[0].root == long.root
    long.store.put(names.checkpoint_name(long.root), b"{}")
    assert [piece.piece_id for piece in read(long).pieces] == [2]


def test_a_damaged_manifest_or_a_short_object_hides_no_other_set() -> None:
    store = MemoryStore()
    objects = tuple(replace(one, size_bytes=7) for one in MANIFEST.objects if one.kind is not ObjectKind.LOG)
    for number in (1, 2, 3):
        root = f"backup_set_{number}_full"
        manifest = replace(
            MANIFEST,
            backup_set_id=number,
            type=BackupType.FULL,
            prev_full_backup_set_id=0,
            prev_inc_backup_set_id=0,
            chain=(number,),
            objects=objects,
            plus_archivelog=False,
        )
        store.put(names.manifest_name(root), encode_manifest(manifest))
        for one in objects:
            store.put(f"{root}/{one.name}", bytes(7))
    source = Source(store=store, kind=DestinationKind.BACKUP_DATA)
    assert len(read_facts((source,)).sets) == 3
    store.put(names.manifest_name("backup_set_1_full"), b"{}")
    store.put(f"backup_set_2_full/{objects[-1].name}", bytes(6))
    found = read_facts((source,))
    assert [fact.manifest.backup_set_id for fact in found.sets] == [3]
    assert [damage.root for damage in found.damaged] == ["backup_set_1_full", "backup_set_2_full"]
    assert objects[-1].name in found.damaged[1].words


def test_set_and_piece_of_another_tenant_count_for_nothing_and_are_named() -> None:
    store, log = MemoryStore(), MemoryStore()
    objects = tuple(replace(one, size_bytes=7) for one in MANIFEST.objects if one.kind is not ObjectKind.LOG)
    own = replace(MANIFEST, objects=objects, plus_archivelog=False)
    others = {"own": own, "tenant": replace(own, tenant_id=own.tenant_id + 2), "cluster": replace(own, cluster_id=99)}
    for number, manifest in enumerate(others.values(), 1):
        root = f"backup_set_{number}_full"
        store.put(names.manifest_name(root), encode_manifest(manifest))
        for one in objects:
            store.put(f"{root}/{one.name}", bytes(7))
    for number, piece in ((1, PIECE), (2, replace(PIECE, tenant_id=PIECE.tenant_id + 2))):
        record = replace(piece, piece_id=number, blocks=(), end=replace(piece.begin, scn=piece.end.scn))
        log.put(names.piece_info_name(f"piece_d1002r1p{number}"), encode_piece_record(record))
    found = read_facts(
        (
            Source(store=store, kind=DestinationKind.BACKUP_DATA),
            Source(store=log, kind=DestinationKind.ARCHIVE_LOG),
        )
    )
    mine = of_tenant(found, cluster_id=own.cluster_id, tenant_id=own.tenant_id)
    assert [fact.root for fact in mine.sets] == ["backup_set_1_full"]
    assert [(one.root, one.words.partition(" is of ")[2], one.is_foreign) for one in mine.damaged] == [
        ("backup_set_2_full", f"tenant {own.tenant_id + 2} of cluster {own.cluster_id}", True),
        ("backup_set_3_full", f"tenant {own.tenant_id} of cluster 99", True),
        ("piece_d1002r1p2", f"tenant {PIECE.tenant_id + 2} of cluster {PIECE.cluster_id}", True),
    ]
    assert [piece.root for piece in mine.pieces] == ["piece_d1002r1p1"]
