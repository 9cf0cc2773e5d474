"""Removing, stopped before and after every step: what can be found is whole, and the same call ends it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.backup_format import names
from holdfast.retention.run import Remover
from holdfast.store.file import FileStore
from holdfast.store.memory import MemoryStore
from holdfast.store.store import ObjectInfo, Store
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import DestinationKind

PIECE = names.PieceRef(dest_id=1002, round_id=1, piece_id=3)
NEXT = names.PieceRef(dest_id=1002, round_id=1, piece_id=31)


class Killed(Exception):
    """The process died here."""


@dataclass
class DyingStore:
    """`store`, dying at its n-th removal: before it has an effect, or right behind it."""

    store: Store
    dies_at: int
    is_after: bool
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self.store.list(prefix)

    def delete(self, name: str) -> None:
        self._remove(lambda: self.store.delete(name))

    def delete_tree(self, folder: str) -> None:
        self._remove(lambda: self.store.delete_tree(folder))

    def _remove(self, act: Callable[[], None]) -> None:
        with self.lock:  # several threads remove, and each step must be met
            self.count += 1
            number = self.count
        if number == self.dies_at and not self.is_after:
            raise Killed
        act()
        if number == self.dies_at:
            raise Killed


@dataclass
class ListJournal:
    told: list[tuple[str, int, int]] = field(default_factory=list)
    checks: int = 0

    def check(self) -> None:
        self.checks += 1

    def expect(self, *, count: int, size_bytes: int) -> None:
        self.told.append(("expect", count, size_bytes))

    def removed(self, *, count: int, size_bytes: int) -> None:
        self.told.append(("removed", count, size_bytes))


def set_objects(set_id: int, backup_type: BackupType) -> list[str]:
    root = names.set_root(set_id, backup_type)
    return [
        names.manifest_name(root),
        names.index_name(root),
        *(names.data_name(root, number) for number in (1, 2, 3)),
        names.meta_name(root, "etc/seekdb.conf"),
        names.set_summary_name(root, "20260101T000000", "20260101T010000"),
    ]


def set_log(set_id: int, backup_type: BackupType) -> list[str]:
    root = f"{names.set_log_root(names.set_root(set_id, backup_type))}/{names.piece_root(1002, 1, 1)}"
    return [names.piece_info_name(root), names.log_name(root, 0), names.log_name(root, 1)]


def placeholders(set_id: int, backup_type: BackupType) -> list[str]:
    ref = names.SetRef(set_id=set_id, type=backup_type)
    return [
        names.set_placeholder(names.SetPlaceholder(set=ref, event=names.SetEvent.START)),
        names.set_placeholder(names.SetPlaceholder(set=ref, event=names.SetEvent.SUCCESS, tag="20260101T010000")),
    ]


def piece_objects(piece: names.PieceRef) -> list[str]:
    root = names.piece_root(piece.dest_id, piece.round_id, piece.piece_id)
    return [
        names.checkpoint_name(root),
        names.piece_info_name(root),
        *(names.log_name(root, block_id) for block_id in (7, 8)),
        names.piece_placeholder(names.PiecePlaceholder(piece=piece, edge=names.Edge.START, tag="20260101T000000")),
        names.piece_placeholder(names.PiecePlaceholder(piece=piece, edge=names.Edge.END, tag="20260102T000000")),
    ]


STAYS = [
    names.FORMAT_FILE,
    names.check_file(1002, "20260101T000000"),
    *set_objects(11, BackupType.FULL),
    *placeholders(11, BackupType.FULL),
    *piece_objects(NEXT),
    "someone/elses.txt",
]
"""Beside set 1 and piece 3 lie set 11 and piece 31, whose names begin alike."""


def filled(store: Store, goes: list[str]) -> Store:
    for name in [*STAYS, *goes]:
        store.put(name, name.encode())
    return store


@pytest.fixture(params=["memory", "file"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Store]:
    def make(name: str) -> Store:
        return MemoryStore() if request.param == "memory" else FileStore(str(tmp_path / name), create=True)

    return make


def listed(store: Store) -> list[str]:
    return [item.name for item in store.list()]


def remove_set(remover: Remover) -> None:
    remover.unname_set(1, BackupType.FULL)
    remover.remove_set(1, BackupType.FULL)
    remover.remove_set_log(1, BackupType.FULL)
    remover.remove_set_folder(1, BackupType.FULL)


def remove_piece(remover: Remover) -> None:
    remover.unname_piece(PIECE)
    remover.remove_piece(PIECE)


SET = [*set_objects(1, BackupType.FULL), *set_log(1, BackupType.FULL), *placeholders(1, BackupType.FULL)]
CASES = {"set": (remove_set, SET), "piece": (remove_piece, piece_objects(PIECE))}


def is_whole_or_invisible(there: set[str]) -> bool:
    """Return whether every set with a manifest, and every piece with a record, has all its objects."""
    root = names.set_root(1, BackupType.FULL)
    is_set_whole = names.manifest_name(root) not in there or there >= {
        *set_objects(1, BackupType.FULL),
        *set_log(1, BackupType.FULL),
    }
    records, log = piece_objects(PIECE)[:2], piece_objects(PIECE)[2:4]
    is_piece_whole = not there & set(records) or there >= set(log)
    own = set_log(1, BackupType.FULL)
    return is_set_whole and is_piece_whole and (own[0] not in there or there >= set(own))


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_stopped_at_any_step_all_that_is_found_is_whole_and_the_next_call_ends_it(
    make_store: Callable[[str], Store], kind: str, is_after: bool
) -> None:
    act, goes = CASES[kind]
    steps = 0
    for dies_at in range(1, 100):
        store = filled(make_store(f"at{dies_at}"), goes)
        dying = DyingStore(store=store, dies_at=dies_at, is_after=is_after)
        try:
            act(Remover(dying, ListJournal(), 2))  # type: ignore[arg-type]
        except Killed:
            steps += 1
            assert is_whole_or_invisible(set(listed(store))), (dies_at, listed(store))
            act(Remover(store, ListJournal(), 2))
            assert listed(store) == sorted(STAYS)
            continue
        assert listed(store) == sorted(STAYS)
        break
    assert steps >= len(goes), "every object is a step"


def test_what_is_removed_is_told(make_store: Callable[[str], Store]) -> None:
    store = filled(make_store("told"), SET)
    journal = ListJournal()
    remove_set(Remover(store, journal, 2))
    objects = [name for name in set_objects(1, BackupType.FULL) if not name.endswith("manifest.json")]
    expected = [one for one in journal.told if one[0] == "expect"]
    assert expected[0] == ("expect", len(objects), sum(map(len, objects)))
    for index in (1, 2):
        told = [sum(one[index] for one in journal.told if one[0] == what) for what in ("expect", "removed")]
        assert told[0] == told[1]


def test_a_journal_that_refuses_ends_the_removal_between_two_objects(make_store: Callable[[str], Store]) -> None:
    class Refusing(ListJournal):
        def check(self) -> None:
            super().check()
            if self.checks > 2:
                raise Killed

    store = filled(make_store("cancelled"), SET)
    with pytest.raises(Killed):
        remove_set(Remover(store, Refusing(), 1))
    assert is_whole_or_invisible(set(listed(store)))
    assert names.manifest_name("backup_set_1_full") not in listed(store)


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_an_emptied_path_keeps_its_format_file_and_others_files(
    make_store: Callable[[str], Store], is_after: bool
) -> None:
    for dies_at in range(1, 100):
        store = filled(make_store(f"all{dies_at}"), SET)
        dying = DyingStore(store=store, dies_at=dies_at, is_after=is_after)
        try:
            Remover(dying, ListJournal(), 1).remove_rest(DestinationKind.BACKUP_DATA)  # type: ignore[arg-type]
        except Killed:
            assert is_whole_or_invisible(set(listed(store)))
            Remover(store, ListJournal(), 1).remove_rest(DestinationKind.BACKUP_DATA)
        else:
            break
        left = [name for name in listed(store) if not name.startswith("piece_d")]
        assert left == sorted([names.FORMAT_FILE, "someone/elses.txt"])
    assert dies_at > 10
