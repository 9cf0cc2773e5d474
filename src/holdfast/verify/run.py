"""Validating one set: manifest, index, small files, and every chunk it holds.

A set answers for the chunks it holds itself. An increment names chunks of earlier sets as well: that those are the ones the earlier
sets' own indexes name is checked here, their bytes when those sets are validated, once for the whole chain.

The engine's own checksums are looked at in blocks the index names. One that does not hold in a block whose content digest holds
is no damage of the set: free blocks that are wrong for good are backed up as they are. It is told in the note.

Memory: one window of 4 MiB and one block for each thread; two indexes, 64 bytes for each block.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, open_file
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, decode_index
from holdfast.backup_format.manifest import (
    EncryptionMode,
    Manifest,
    ObjectDigest,
    ObjectKind,
    ObjectRecord,
    check_authentic,
    check_object,
)
from holdfast.destination.documents import read_manifest
from holdfast.engine_format.layout import Layout, layout_of
from holdfast.errors import CorruptionError, NotFoundError
from holdfast.store.store import Store
from holdfast.verify.chunks import DataTarget, validate_data
from holdfast.verify.crew import Crew
from holdfast.verify.log import Memory
from holdfast.verify.plan import Damage, Level, check_index, check_references, check_set
from holdfast.verify.reading import Journal, Window

_INDEX_SLICE_BYTES = 4 << 20
_LISTED_MAX = 5
_WAY_IN = {
    EncryptionMode.PASSWORD: "run SET DECRYPTION IDENTIFIED BY '...', then VALIDATE in the same session",
    EncryptionMode.KEY: "SET backup_encryption to what sealed it, then VALIDATE again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTarget:
    """One set to be validated. `roots`: of every set on its destination that has a manifest, by id, its own included.

    `key`: of an encrypted set, None when this server does not keep it.
    """

    set_id: int
    roots: Mapping[int, str]
    cluster_id: int
    tenant_id: int
    key: DataKey | None = None

    @property
    def root(self) -> str:
        return self.roots[self.set_id]


@dataclass(slots=True)
class Findings:
    """What a validation leaves besides damage. `is_proven`: nothing it should have looked at was left out."""

    is_proven: bool = True
    notes: list[str] = field(default_factory=list)


def validate_set(
    target: SetTarget, store: Store, *, level: Level, memory: Memory, journal: Journal, crew: Crew
) -> Findings:
    """Tell the journal all that is wrong with a set; its own log apart, which is validated as pieces.

    Raises what is no damage: StoreUnavailableError, UnknownVersionError of bytes that are as written, what `crew` raises.
    """
    return _SetValidation(target, store, level, memory, journal, crew).run()


class _SetValidation:
    def __init__(
        self, target: SetTarget, store: Store, level: Level, memory: Memory, journal: Journal, crew: Crew
    ) -> None:
        self._target = target
        self._store = store
        self._level = level
        self._memory = memory
        self._journal = journal
        self._crew = crew
        self._findings = Findings()
        self._lock = Lock()
        self._unmatched: list[int] = []

    def run(self) -> Findings:
        root = self._target.root
        manifest = self._manifest()
        if manifest is None:
            return self._findings
        # At both levels: what nothing here can restore is not called well.
        layout = layout_of(manifest.engine_data_version, f"{self._store.location}/{root}")
        sizes = {item.name: item.size_bytes for item in self._store.list(f"{root}/")}
        lacking = check_set(manifest, root, sizes, self._target.roots)
        for damage in lacking:
            self._journal.found(damage)
        table = self._index(manifest, root)
        if table is None:
            return self._findings
        for damage in check_index(table, manifest, root):
            self._journal.found(damage)
        self._check_references(table, manifest)
        if self._level is Level.PHYSICAL:
            self._look_at_bytes(manifest, layout, table, {damage.name for damage in lacking})
        return self._findings

    # --- what basic looks at too

    def _manifest(self) -> Manifest | None:
        target, name = self._target, names.manifest_name(self._target.root)
        try:
            manifest, size_bytes = read_manifest(self._store, target.root)
            self._journal.expect(size_bytes)
            self._journal.read(size_bytes)
            whose = (manifest.backup_set_id, manifest.tenant_id, manifest.cluster_id)
            if whose != (target.set_id, target.tenant_id, target.cluster_id):
                raise CorruptionError(
                    f"it is the manifest of set {whose[0]} of tenant {whose[1]} of cluster {whose[2]}"
                )
            if manifest.encryption.mode is not EncryptionMode.NONE and target.key is not None:
                check_authentic(manifest, target.key, name=name)
        except (CorruptionError, NotFoundError) as error:
            self._journal.found(Damage(name=name, what=error.message))
            return None
        return manifest

    def _index(self, manifest: Manifest, root: str) -> BlockTable | None:
        """Return the index of a set of the chain, None when it is damaged: that of another set is told by that set's own task.

        Read each time: everything else rests on it.
        """
        record = next(item for item in manifest.objects if item.kind is ObjectKind.INDEX)
        name, digest = f"{root}/{record.name}", ObjectDigest()
        self._journal.expect(record.size_bytes)
        try:
            with self._store.reader(name) as reader:
                size_bytes = reader.size_bytes
                window = Window(reader, self._crew.spend, end=size_bytes)

                def slices() -> Iterator[bytes]:
                    for offset in range(0, size_bytes, _INDEX_SLICE_BYTES):
                        part = bytes(window.read(offset, min(_INDEX_SLICE_BYTES, size_bytes - offset)))
                        digest.update(part)
                        self._journal.read(len(part))
                        yield part

                index = decode_index(slices(), name=name)
            check_object(record, size_bytes=size_bytes, digest=digest.text())
            if index.set_id != manifest.backup_set_id or index.block_size_bytes != manifest.block_size_bytes:
                raise CorruptionError(f"it is the index of set {index.set_id}")
        except (CorruptionError, NotFoundError) as error:
            if root == self._target.root:
                self._journal.found(Damage(name=name, what=error.message))
            return None
        return index.table

    def _check_references(self, table: BlockTable, manifest: Manifest) -> None:
        """Hold what an increment refers to against the indexes of the sets that hold it, once for each index.

        Without the proof the increments of a long chain would read each other's indexes again and again.
        """
        record = next(item for item in manifest.objects if item.kind is ObjectKind.INDEX)
        name = f"{self._target.root}/{record.name}"
        proof = self._memory.fresh(name, record.digest)
        if proof is not None:
            self._journal.known(proof)
        elif self._are_references_right(table, manifest) and self._level is Level.PHYSICAL:
            self._journal.proven(name, record.size_bytes, record.digest)

    def _are_references_right(self, table: BlockTable, manifest: Manifest) -> bool:
        is_right = True
        for set_id in sorted(table.set_ids() - {manifest.backup_set_id}):
            root = self._target.roots.get(set_id)
            if root is None:
                is_right = False
                continue  # told by `check_set`
            try:
                holder, _ = read_manifest(self._store, root)
            except (CorruptionError, NotFoundError):
                is_right = False
                continue  # the holder's own damage
            held = self._index(holder, root)
            damage = None if held is None else check_references(table, held, set_id, self._target.root)
            if damage is not None:
                self._journal.found(damage)
            is_right = is_right and held is not None and damage is None
        return is_right

    # --- every byte

    def _look_at_bytes(self, manifest: Manifest, layout: Layout, table: BlockTable, lacking: set[str]) -> None:
        can_open = self._target.key is not None or manifest.encryption.mode is EncryptionMode.NONE
        named = Counter(one.object_number for one in table if one.set_id == manifest.backup_set_id)
        if not can_open:
            self._findings.is_proven = False
            self._findings.notes.append(
                "this server does not keep the set's key: of data objects only headers were looked at, not their content; "
                + _WAY_IN[manifest.encryption.mode]
            )
        works: list[Callable[[], None]] = []
        for record in manifest.objects:
            name = f"{self._target.root}/{record.name}"
            if record.kind not in (ObjectKind.DATA, ObjectKind.FILE) or name in lacking:
                continue
            proof = self._memory.fresh(name, record.digest)
            if proof is not None and proof.size_bytes == record.size_bytes:
                self._journal.known(proof)
            elif record.kind is ObjectKind.FILE:
                self._journal.expect(record.size_bytes)
                works.append(partial(self._look_at_file, record, can_open))
            else:
                chunk_bytes = CHUNK_HEADER_BYTES * named[record.number]
                self._journal.expect(record.size_bytes if can_open else chunk_bytes)
                data = DataTarget(
                    name=name,
                    record=record,
                    set_id=manifest.backup_set_id,
                    table=table,
                    named_count=named[record.number],
                    kinds=layout.block_kinds,
                    key=self._target.key,
                    can_open=can_open,
                )
                works.append(partial(self._look_at_data, data))
        self._crew.run(works)
        if self._unmatched:
            listed = ", ".join(str(block_id) for block_id in sorted(self._unmatched)[:_LISTED_MAX])
            self._findings.notes.append(
                f"{len(self._unmatched)} blocks ({listed}) do not match the engine's own checksum: the backup found them so,"
                " free and wrong for good"
            )

    def _look_at_data(self, data: DataTarget) -> None:
        unmatched = validate_data(data, self._store, journal=self._journal, crew=self._crew)
        with self._lock:
            self._unmatched += unmatched

    def _look_at_file(self, record: ObjectRecord, can_open: bool) -> None:
        name, digest = f"{self._target.root}/{record.name}", ObjectDigest()
        self._crew.spend(record.size_bytes)
        try:
            data = self._store.get(name, 0, record.size_bytes + 1)
            digest.update(data)
            check_object(record, size_bytes=len(data), digest=digest.text())
            if can_open:
                open_file(
                    data,
                    set_id=self._target.set_id,
                    file_number=record.number,
                    opener=ChunkOpener(key=self._target.key),
                    name=name,
                )
        except (CorruptionError, NotFoundError) as error:
            self._journal.found(Damage(name=name, what=error.message))
            return
        self._journal.read(len(data))
        # Its bytes are the ones the manifest vouches for, opened or not.
        self._journal.proven(name, record.size_bytes, record.digest)
