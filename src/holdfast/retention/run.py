"""Removing what a plan has condemned. Only effects, and only their order is decided here.

    set      manifest, index, data, small files, own log, what else lies in its folder, folder, placeholders
    piece    both records, log, what else lies in its folder, folder, placeholders
    path     what of ours is left when its sets or pieces are gone; the format file stays

What is named goes before what it names, so at every moment what can be found is whole: a set without its manifest and a
piece without a record do not exist for any reader. A crash leaves objects that nobody finds; the catalog says DELETING,
and the same call, repeated, removes the rest. Every step may be repeated.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from holdfast.backup_format import names
from holdfast.store.store import ObjectInfo, Store
from holdfast.values.backup_set import BackupType
from holdfast.values.destination import DestinationKind

_BATCH = 16
"""Objects between two looks at the journal: a deletion is 5 ms, on a busy disk 50, and a cancel must take less than two seconds."""
_OURS = (f"{names.CHECK_FOLDER}/", f"{names.SETS_FOLDER}/", f"{names.ROUNDS_FOLDER}/", f"{names.PIECES_FOLDER}/")


class RemovalJournal(Protocol):
    """How a removal reports. `check` raises to end it between two objects."""

    def check(self) -> None: ...

    def expect(self, *, count: int, size_bytes: int) -> None:
        """Say what is still there to be removed."""
        ...

    def removed(self, *, count: int, size_bytes: int) -> None:
        """Add to what was removed."""
        ...


@dataclass(frozen=True, slots=True)
class Remover:
    """Removes from one store with `thread_count` threads."""

    store: Store
    journal: RemovalJournal
    thread_count: int = 2

    def unname_set(self, set_id: int, backup_type: BackupType) -> None:
        """Remove the manifest: from here on the set does not exist for any reader."""
        self.journal.check()
        self.store.delete(names.manifest_name(names.set_root(set_id, backup_type)))

    def remove_set(self, set_id: int, backup_type: BackupType) -> None:
        """Remove all of a set but its own log (`remove_set_log`) and its folder (`remove_set_folder`)."""
        root = names.set_root(set_id, backup_type)
        found = [
            item for item in self.store.list(f"{root}/") if not item.name.startswith(f"{names.set_log_root(root)}/")
        ]
        data = f"{names.data_folder(root)}/"
        self._remove_in_order(
            found,
            [
                lambda name: name == names.manifest_name(root),
                lambda name: name == names.index_name(root),
                lambda name: name.startswith(data),
                lambda name: True,
            ],
        )

    def remove_set_log(self, set_id: int, backup_type: BackupType) -> None:
        """Remove the log that PLUS ARCHIVELOG put into the set, records first."""
        log_root = names.set_log_root(names.set_root(set_id, backup_type))
        self._remove_in_order(list(self.store.list(f"{log_root}/")), [_is_record, lambda name: True])

    def remove_set_folder(self, set_id: int, backup_type: BackupType) -> None:
        """Remove the empty folder and the set's placeholders."""
        root = names.set_root(set_id, backup_type)
        self.store.delete_tree(root)
        for item in list(self.store.list(f"{names.SETS_FOLDER}/{root}_")):
            placeholder = names.parse_set_placeholder(item.name)
            if placeholder is not None and placeholder.set.set_id == set_id:
                self.store.delete(item.name)

    def unname_piece(self, piece: names.PieceRef) -> None:
        """Remove both records, the older first: while one is there, so is all the log it promises."""
        self.journal.check()
        root = names.piece_root(piece.dest_id, piece.round_id, piece.piece_id)
        self.store.delete(names.checkpoint_name(root))
        self.store.delete(names.piece_info_name(root))

    def remove_piece(self, piece: names.PieceRef) -> None:
        """Remove all of a piece, its folder and its placeholders."""
        root = names.piece_root(piece.dest_id, piece.round_id, piece.piece_id)
        log = f"{names.log_folder(root)}/"
        self._remove_in_order(
            list(self.store.list(f"{root}/")),
            [
                lambda name: name == names.checkpoint_name(root),
                lambda name: name == names.piece_info_name(root),
                lambda name: name.startswith(log),
                lambda name: True,
            ],
        )
        self.store.delete_tree(root)
        for item in list(self.store.list(f"{names.PIECES_FOLDER}/{root}_")):
            placeholder = names.parse_piece_placeholder(item.name)
            if placeholder is not None and placeholder.piece == piece:
                self.store.delete(item.name)

    def remove_rest(self, kind: DestinationKind) -> None:
        """Remove what of ours is left on a path whose sets or pieces are gone. Others' files and the format file stay."""
        is_root = names.parse_set_root if kind is DestinationKind.BACKUP_DATA else names.parse_piece_root
        found = [
            item
            for item in self.store.list()
            if item.name.startswith(_OURS) or is_root(item.name.partition("/")[0]) is not None
        ]
        self._remove_in_order(found, [lambda name: name.endswith("/manifest.json"), _is_record, lambda name: True])
        # Folders that hold nothing any more are seen only where folders exist by themselves.
        for folder in sorted({item.name.partition("/")[0] for item in found} | {name[:-1] for name in _OURS}):
            self.store.delete_tree(folder)

    def _remove_in_order(self, found: Sequence[ObjectInfo], groups: Sequence[Callable[[str], bool]]) -> None:
        """Remove the objects of the first group, then those of the second, and so on; each is of the first that takes it."""
        self.journal.expect(count=len(found), size_bytes=sum(item.size_bytes for item in found))
        left = list(found)
        for takes in groups:
            self._remove([item for item in left if takes(item.name)])
            left = [item for item in left if not takes(item.name)]

    def _remove(self, found: Sequence[ObjectInfo]) -> None:
        if not found:
            return
        with ThreadPoolExecutor(self.thread_count, thread_name_prefix="cleanup") as pool:
            for batch in _batches(found):
                self.journal.check()
                list(pool.map(self.store.delete, [item.name for item in batch]))
                self.journal.removed(count=len(batch), size_bytes=sum(item.size_bytes for item in batch))
        self.journal.check()


def _is_record(name: str) -> bool:
    return name.endswith(("/checkpoint/checkpoint_info.0.obarc", "/single_piece_info.obarc"))


def _batches(found: Sequence[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    waiting = iter(found)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
