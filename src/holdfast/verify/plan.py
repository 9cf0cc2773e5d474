"""What a validation has to look at, and what manifests, records and listings alone say. Pure.

A proof is bound to bytes: to the digest a manifest gives of an object, or to the position a log object was walked to. It holds
until the object is another one or the proof is older than the tenant's `backup_validate_reread_interval`: a disk that rots does
not tell.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from holdfast.backup_format import names
from holdfast.backup_format.index import BlockTable
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.manifest import Manifest, ObjectKind
from holdfast.backup_format.piece_record import PieceRecord
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

IDS_CHARACTERS_MAX = 511
_IDS = re.compile(r"\s*\d+\s*(,\s*\d+\s*)*", re.ASCII)


class Level(StrEnum):
    """How deep: `basic` reads manifests, indexes and records, `physical` every byte, `restore` makes a tenant of it and looks."""

    BASIC = "basic"
    PHYSICAL = "physical"
    RESTORE = "restore"

    @property
    def covered(self) -> tuple["Level", ...]:
        """Return the levels whose findings a pass of this one can take back."""
        return {
            Level.BASIC: (Level.BASIC,),
            Level.PHYSICAL: (Level.BASIC, Level.PHYSICAL),
            Level.RESTORE: (),  # it reads what one moment needs, not every byte
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An object found right, up to `size_bytes`. `digest`: of the manifest, and of log where it ends (see `log_digest`)."""

    name: str
    size_bytes: int
    digest: str
    proven_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something that is not as it was written. `name`: of the object below the destination; None: no place in it is known.

    `head_hash`: of the macro block, as the index has it (keyed in an encrypted set); b"" when it is not known.
    """

    name: str
    what: str
    offset: int | None = None
    block_id: int | None = None
    head_hash: bytes = b""


def parse_ids(text: str) -> tuple[int, ...]:
    """Return the ids of a list like `1,3`, each once, ascending. Raises ValueError for anything else, 0 included."""
    if len(text) > IDS_CHARACTERS_MAX or not _IDS.fullmatch(text):
        raise ValueError("not a list of ids")
    ids = {int(part) for part in text.split(",")}
    if 0 in ids:
        raise ValueError("ids begin at 1")
    return tuple(sorted(ids))


def is_fresh(proof: Proof | None, digest: str, *, now_us: int, reread_us: int) -> bool:
    """Return whether the proof is of this digest and young enough. `reread_us` 0: none ever is.

    One that lies ahead is of a clock that was put right since: how old it is nobody knows, so it does not count.
    """
    if proof is None or not reread_us:
        return False
    return proof.digest.split(" ", 1)[0] == digest and 0 <= now_us - proof.proven_us < reread_us


def chain_closure(wanted: Iterable[int], manifests: Mapping[int, Manifest]) -> tuple[int, ...]:
    """Return the sets to be validated for the sake of these, ascending: their chains' chunks are their content too.

    `manifests`: those that could be read. A member that is none of them is left out: its increment's own check names it.
    """
    found: set[int] = set()
    for set_id in wanted:
        found.add(set_id)
        if set_id in manifests:
            found.update(member for member in manifests[set_id].chain if member in manifests)
    return tuple(sorted(found))


def check_set(manifest: Manifest, root: str, sizes: Mapping[str, int], known: Iterable[int]) -> tuple[Damage, ...]:
    """Return what is missing of a set. `sizes`: of the objects below its root; `known`: ids of sets that have a manifest."""
    found = [
        Damage(name=f"{root}/{item.name}", what=_size_words(sizes.get(f"{root}/{item.name}"), item.size_bytes))
        for item in manifest.objects
        if sizes.get(f"{root}/{item.name}") != item.size_bytes
    ]
    missing = sorted(set(manifest.chain) - {manifest.backup_set_id} - set(known))
    if missing:
        listed = ", ".join(str(set_id) for set_id in missing)
        found.append(Damage(name=names.manifest_name(root), what=f"it needs backup set {listed}, which is not there"))
    return tuple(found)


def _size_words(found: int | None, expected: int) -> str:
    return (
        f"it is not there, expected {expected} bytes" if found is None else f"it has {found} bytes, expected {expected}"
    )


def check_index(table: BlockTable, manifest: Manifest, root: str) -> tuple[Damage, ...]:
    """Return where an index that is sound in itself does not fit its manifest."""
    name = names.index_name(root)
    strangers = sorted(table.set_ids() - set(manifest.chain))
    damages = []
    if len(table) != manifest.block_count:
        damages.append(
            Damage(name=name, what=f"it lists {len(table)} blocks, the manifest says {manifest.block_count}")
        )
    if strangers:
        damages.append(Damage(name=name, what=f"it refers to sets {strangers} outside the chain"))
    return tuple(damages)


def check_references(table: BlockTable, holder: BlockTable, holder_id: int, root: str) -> Damage | None:
    """Return the first block whose chunk in an earlier set is not the one that set's own index names, None when all are."""
    for record in table:
        if record.set_id == holder_id and holder.get(record.block_id) != record:
            what = f"block {record.block_id} refers to a chunk of backup set {holder_id} that the set's index does not name"
            return Damage(name=names.index_name(root), what=what, block_id=record.block_id)
    return None


def check_piece(
    record: PieceRecord, root: str, sizes: Mapping[str, int], before: PieceRecord | None
) -> tuple[Damage, ...]:
    """Return what is missing of a piece, and whether it goes on where `before`, the piece before it, ends."""
    found = []
    for block in record.blocks:
        name = names.log_name(root, block.block_id)
        size_bytes = sizes.get(name)
        if size_bytes is None or size_bytes < block.size_bytes:
            found.append(Damage(name=name, what=_size_words(size_bytes, block.size_bytes)))
    if before is not None and not _goes_on(before.end, record.begin):
        what = (
            f"the piece begins at LSN {record.begin.lsn.text()}, the one before it ends at LSN {before.end.lsn.text()}"
            " or with another checksum"
        )
        found.append(Damage(name=root, what=what))
    return tuple(found)


def _goes_on(end: LogPosition, begin: LogPosition) -> bool:
    if end.lsn != begin.lsn:
        return False
    if None in (end.accumulated, begin.accumulated, end.log_id, begin.log_id):
        return True
    return (end.accumulated, end.log_id) == (begin.accumulated, begin.log_id)


def log_digest(digest: str, end: LogPosition) -> str:
    """Return what a proof of a log object holds: the manifest's digest (`-` in an archive) and where its log goes on."""
    return f"{digest} {end.lsn.text()} {end.accumulated} {end.log_id} {int(end.scn)}"


def log_end(digest: str) -> LogPosition:
    """Return where the log goes on behind a proven object, of its proof's digest."""
    _, lsn, accumulated, log_id, scn = digest.split(" ")
    return LogPosition(lsn=Lsn(int(lsn, 16)), accumulated=int(accumulated), log_id=int(log_id), scn=Scn(int(scn)))


def own_pieces(manifest: Manifest) -> tuple[str, ...]:
    """Return the folders, below the set's root, of the pieces a PLUS ARCHIVELOG set holds, sorted."""
    logs = (item.name for item in manifest.objects if item.kind is ObjectKind.LOG)
    return tuple(sorted({"/".join(name.split("/")[:2]) for name in logs}))
