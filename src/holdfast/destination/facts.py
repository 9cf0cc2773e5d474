"""What lies in destinations, read from nothing but the destinations. Restores, windows, cleanups and drills judge by these facts.

A listing shows folders; a set counts when its manifest is there, a piece when its record is there. What is damaged is left out
and named: a set whose manifest can not be trusted or whose objects are not there, a piece from its first missing byte on. So
damage hides nothing but what needs it. What could not be read is no damage: it ends the reading.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.manifest import EncryptionMode, ObjectKind
from holdfast.backup_format.piece_record import decode_format_file
from holdfast.backup_format.reach import Damage, PieceFact, SetFact
from holdfast.destination.documents import read_manifest
from holdfast.destination.joints import with_marks
from holdfast.destination.pieces import piece_of
from holdfast.errors import (
    CorruptionError,
    HoldfastError,
    NotFoundError,
    RefusedError,
    UnknownVersionError,
)
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.small import FORMAT_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.destination import DestinationKind, Uri
from holdfast.values.lsn import Lsn


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One path of a restore: a destination, or `folder` alone in it: one set's or one piece's.

    `place` says where it lies, for messages. `masters`: the master keys with which it may be read.
    """

    store: Store
    kind: DestinationKind
    folder: str = ""
    masters: Masters = NO_MASTERS

    @property
    def is_archive(self) -> bool:
        """Return whether this is a whole archive, which may go on."""
        return self.kind is DestinationKind.ARCHIVE_LOG and not self.folder

    @property
    def place(self) -> str:
        return f"{self.store.location}/{self.folder}" if self.folder else self.store.location


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a plan is made from. `sources[fact.source]` is where a fact was found. `damaged`: what was left out, and why."""

    sources: tuple[Source, ...]
    sets: tuple[SetFact, ...]
    pieces: tuple[PieceFact, ...]
    damaged: tuple[Damage, ...] = ()


def open_sources(
    uris: Sequence[Uri], open_store: Callable[[Uri], Store], masters: Masters = NO_MASTERS
) -> tuple[Source, ...]:
    """Return what each path is, read from its format file; a path without one may be the folder of a set or a piece.

    Raises RefusedError (-9120) for a path that is neither, NotFoundError for one that is absent, CorruptionError.
    """
    return tuple(replace(_open_source(uri, open_store), masters=masters) for uri in uris)


def kind_of_folder(name: str) -> DestinationKind | None:
    """Return what lies in the folder of this name: one set, one piece; None for any other."""
    if names.parse_set_root(name) is not None:
        return DestinationKind.BACKUP_DATA
    return DestinationKind.ARCHIVE_LOG if names.parse_piece_root(name) is not None else None


def places_of(uris: Iterable[Uri]) -> set[str]:
    """Return the identities of the paths, and for the folder of a set or a piece that of the destination it lies in."""
    places: set[str] = set()
    for uri in uris:
        places.add(uri.identity)
        above, _, folder = uri.path.rpartition("/")
        if kind_of_folder(folder) is not None and above:
            places.add(replace(uri, path=above).identity)
    return places


def _open_source(uri: Uri, open_store: Callable[[Uri], Store]) -> Source:
    store = open_store(uri)
    try:
        stored = get_small(store, names.FORMAT_FILE, FORMAT_BYTES_MAX)
    except NotFoundError as error:
        above, _, folder = uri.path.rpartition("/")
        kind = kind_of_folder(folder)
        if kind is None or not above:
            raise RefusedError(
                codes.OB_OBJECT_NOT_EXIST.text(),
                code=codes.OB_OBJECT_NOT_EXIST,
                hint=f"{store.location} has no {names.FORMAT_FILE}: it is not a backup or archive destination,"
                " and not the folder of a set or a piece",
            ) from error
        return Source(store=open_store(replace(uri, path=above)), kind=kind, folder=folder)
    return Source(store=store, kind=decode_format_file(stored, name=f"{store.location}/{names.FORMAT_FILE}").kind)


def read_facts(sources: tuple[Source, ...]) -> Facts:
    """Return all complete sets and all pieces of the sources. Raises StoreUnavailableError."""
    return _joined(sources, [_read(number, source, lambda: None) for number, source in enumerate(sources)])


def read_what_answers(
    uris: Iterable[Uri],
    open_store: Callable[[Uri], Store],
    *,
    check: Callable[[], None] = lambda: None,
    masters: Masters = NO_MASTERS,
) -> tuple[Facts, dict[Uri, HoldfastError]]:
    """Return what lies at these paths, and of each that can not be read why. One bad path hides nothing of the others.

    Each path that can be read is one source, in their order. `check` is called before each set and piece and may end the
    reading by raising CanceledError or RefusedError. Raises StoreUnavailableError of a path that stops answering.
    """
    sources: list[Source] = []
    found: list[Facts] = []
    troubles: dict[Uri, HoldfastError] = {}
    for uri in uris:
        try:
            (opened,) = open_sources([uri], open_store, masters)
            found.append(_read(len(sources), opened, check))
        except _Stopped as stopped:
            raise stopped.reason from None
        except HoldfastError as error:
            troubles[uri] = error
            continue
        sources.append(opened)
    return _joined(tuple(sources), found), troubles


def of_tenant(found: Facts, *, cluster_id: int, tenant_id: int) -> Facts:
    """Return the facts of a tenant's own destinations without the sets and pieces of others, which are named as foreign.

    A folder that was copied there from a neighbour is no backup of this tenant, whatever its name says.
    """
    mine = (cluster_id, tenant_id)
    strangers = {
        (fact.source, fact.root): (fact.manifest.cluster_id, fact.manifest.tenant_id)
        for fact in found.sets
        if (fact.manifest.cluster_id, fact.manifest.tenant_id) != mine
    } | {
        (piece.source, piece.root): (piece.cluster_id, piece.tenant_id)
        for piece in found.pieces
        if (piece.cluster_id, piece.tenant_id) != mine
    }
    if not strangers:
        return found
    foreign = (
        Damage(
            source=source,
            root=root,
            words=f"{found.sources[source].store.location}/{root} is of tenant {tenant} of cluster {cluster}",
            is_foreign=True,
        )
        for (source, root), (cluster, tenant) in strangers.items()
    )
    return replace(
        found,
        sets=tuple(fact for fact in found.sets if (fact.source, fact.root) not in strangers),
        pieces=tuple(piece for piece in found.pieces if (piece.source, piece.root) not in strangers),
        damaged=(*found.damaged, *foreign),
    )


def _joined(sources: tuple[Source, ...], found: Sequence[Facts]) -> Facts:
    pieces = tuple(piece for one in found for piece in one.pieces)
    return Facts(
        sources=sources,
        sets=tuple(fact for one in found for fact in one.sets),
        pieces=with_marks(pieces, {number: source.store for number, source in enumerate(sources)}, masters_of(sources)),
        damaged=tuple(damage for one in found for damage in one.damaged),
    )


def masters_of(sources: Sequence[Source]) -> Masters:
    """Return the master keys with which sources that were opened together may be read."""
    return sources[0].masters if sources else NO_MASTERS


class _Stopped(Exception):
    """`check` raised: that is no trouble of the path that was being read."""

    def __init__(self, reason: HoldfastError) -> None:
        super().__init__(reason)
        self.reason = reason


def _read(number: int, source: Source, check: Callable[[], None]) -> Facts:
    """Return what lies at one source, pieces without marks."""
    store = source.store
    sets: list[SetFact] = []
    pieces: list[PieceFact] = []
    damaged: list[Damage] = []

    def go_on() -> None:
        try:
            check()
        except HoldfastError as error:
            raise _Stopped(error) from error

    if source.kind is DestinationKind.ARCHIVE_LOG:
        for root in _roots(store, "piece_d", source.folder):
            go_on()
            piece = piece_of(number, store, root, damaged, masters=source.masters)
            pieces += [] if piece is None else [piece]
        return Facts(sources=(), sets=(), pieces=tuple(pieces), damaged=tuple(damaged))
    for root in _roots(store, "backup_set_", source.folder):
        go_on()
        fact = _set_of(number, store, root, damaged)
        sets += [] if fact is None else [fact]
        if fact is None or not fact.manifest.plus_archivelog:
            continue
        is_sealed = fact.manifest.encryption.mode is not EncryptionMode.NONE
        for log_root in _roots(store, f"{names.set_log_root(root)}/piece_d"):
            piece = piece_of(number, store, log_root, damaged, is_sealed=is_sealed)
            pieces += [] if piece is None else [replace(piece, set_id=fact.manifest.backup_set_id)]
    return Facts(sources=(), sets=tuple(sets), pieces=tuple(pieces), damaged=tuple(damaged))


def archived_pieces(source: Source) -> tuple[PieceFact, ...]:
    """Return the pieces of one archive destination, sorted by name; each names source 0. Raises as `read_facts`."""
    found = (piece_of(0, source.store, root, [], masters=source.masters) for root in _roots(source.store, "piece_d"))
    return tuple(piece for piece in found if piece is not None)


def newest_pieces(
    store: Store, roots: Iterable[str], lsn: Lsn, masters: Masters = NO_MASTERS
) -> tuple[tuple[PieceFact, ...], tuple[Damage, ...]]:
    """Return the pieces of these folders, newest first, down to one that begins at `lsn` or before, and what is damaged in them.

    Older ones are not looked at: the cost is that of the log from `lsn` on. Raises StoreUnavailableError.
    """
    pieces: list[PieceFact] = []
    damaged: list[Damage] = []
    for root in roots:
        piece = piece_of(0, store, root, damaged, masters=masters)
        if piece is None:
            continue
        pieces.append(piece)
        if piece.begin.lsn <= lsn:
            break
    return tuple(pieces), tuple(damaged)


def _roots(store: Store, prefix: str, folder: str = "") -> list[str]:
    """Return the folders of sets or pieces whose names begin with `prefix`, sorted; `folder` alone if it is one of them."""
    depth = prefix.count("/") + 1
    listed = {"/".join(info.name.split("/")[:depth]) for info in store.list(folder or prefix)}
    roots = sorted(listed if not folder else listed & {folder})
    return [root for root in roots if kind_of_folder(root.rpartition("/")[2]) is not None]


def _set_of(source: int, store: Store, root: str, damaged: list[Damage]) -> SetFact | None:
    """Return the set, None when it is not complete, or damaged: then that is noted. Its own log is another question."""
    try:
        manifest, _ = read_manifest(store, root)
        sizes = {item.name: item.size_bytes for item in store.list(f"{root}/")}
        for item in manifest.objects:
            found = sizes.get(f"{root}/{item.name}")
            if item.kind is not ObjectKind.LOG and found != item.size_bytes:
                read_manifest(store, root)  # one that is being deleted has lost its manifest first
                what = "is not there" if found is None else f"has {found} bytes, expected {item.size_bytes}"
                raise CorruptionError(f"{store.location}/{root}/{item.name} {what}")
    except NotFoundError:
        return None
    except (CorruptionError, UnknownVersionError) as error:
        is_unknown = isinstance(error, UnknownVersionError)
        damaged.append(Damage(source=source, root=root, words=error.message, is_unknown=is_unknown))
        return None
    return SetFact(source=source, root=root, manifest=manifest)
