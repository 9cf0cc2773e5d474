"""What lies in the destinations of a restore, read from nothing but the destinations.

A listing shows folders; a set counts when its manifest is there, a piece when its record is there. Damage is named and
refused, never stepped over: a manifest or record that can not be trusted ends the reading with its object's name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import FrameScan, scan_frames
from holdfast.backup_format.manifest import EncryptionMode, decode_manifest
from holdfast.backup_format.piece_record import PieceRecord, decode_format_file, decode_piece_record
from holdfast.errors import CorruptionError, HoldfastError, NotFoundError, RefusedError, UnknownVersionError
from holdfast.restore.plan import LogObjectFact, PieceFact, SetFact
from holdfast.store.small import FORMAT_BYTES_MAX, MANIFEST_BYTES_MAX, RECORD_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.archive import PieceStatus
from holdfast.values.destination import DestinationKind, Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One path of a restore: a destination, or `folder` alone in it: one set's or one piece's.

    `place` says where it lies, for messages.
    """

    store: Store
    kind: DestinationKind
    folder: str = ""

    @property
    def is_archive(self) -> bool:
        """Return whether this is a whole archive, which may go on."""
        return self.kind is DestinationKind.ARCHIVE_LOG and not self.folder

    @property
    def place(self) -> str:
        return f"{self.store.location}/{self.folder}" if self.folder else self.store.location


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a plan is made from. `sources[fact.source]` is where a fact was found.

    `damaged`: what was left aside, in words (see `restore.damage`).
    """

    sources: tuple[Source, ...]
    sets: tuple[SetFact, ...]
    pieces: tuple[PieceFact, ...]
    damaged: tuple[str, ...] = ()


def open_sources(uris: Sequence[Uri], open_store: Callable[[Uri], Store]) -> tuple[Source, ...]:
    """Return what each path is, read from its format file; a path without one may be the folder of a set or a piece.

    Raises RefusedError (-9120) for a path that is neither, NotFoundError for one that is absent, CorruptionError.
    """
    return tuple(_open_source(uri, open_store) for uri in uris)


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


def read_facts(sources: tuple[Source, ...], *, first: int = 0) -> Facts:
    """Return all complete sets and all pieces of the sources, which facts number from `first` on.

    Raises CorruptionError or UnknownVersionError naming the object that can not be trusted, StoreUnavailableError.
    """
    sets: list[SetFact] = []
    pieces: list[PieceFact] = []
    for number, source in enumerate(sources, first):
        if source.kind is DestinationKind.BACKUP_DATA:
            sets += _sets_of(number, source.store, source.folder)
        else:
            pieces += _pieces_of(number, source.store, "", source.folder)
    for fact in sets:
        if fact.manifest.plus_archivelog:
            is_sealed = fact.manifest.encryption.mode is not EncryptionMode.NONE
            own = _pieces_of(fact.source, sources[fact.source - first].store, f"{names.set_log_root(fact.root)}/")
            pieces += (replace(piece, of_set_id=fact.manifest.backup_set_id) if is_sealed else piece for piece in own)
    return Facts(sources=sources, sets=tuple(sets), pieces=tuple(pieces))


def read_what_answers(
    uris: Iterable[Uri], open_store: Callable[[Uri], Store]
) -> tuple[Facts, dict[Uri, HoldfastError]]:
    """Return what lies at these paths, and of each that can not be read why. One bad path hides nothing of the others."""
    sources: list[Source] = []
    sets: list[SetFact] = []
    pieces: list[PieceFact] = []
    troubles: dict[Uri, HoldfastError] = {}
    for uri in uris:
        try:
            opened = open_sources([uri], open_store)
            found = read_facts(opened, first=len(sources))
        except HoldfastError as error:
            troubles[uri] = error
            continue
        sources += opened
        sets += found.sets
        pieces += found.pieces
    return Facts(sources=tuple(sources), sets=tuple(sets), pieces=tuple(pieces)), troubles


def archived_pieces(source: Source) -> tuple[PieceFact, ...]:
    """Return the pieces of one archive destination, sorted by name; each names source 0. Raises as `read_facts`."""
    return tuple(_pieces_of(0, source.store, ""))


def _sets_of(source: int, store: Store, folder: str = "") -> Iterator[SetFact]:
    roots = {folder} if folder else {info.name.partition("/")[0] for info in store.list("backup_set_")}
    for root in sorted(roots):
        if names.parse_set_root(root) is None:
            continue
        name = names.manifest_name(root)
        try:
            data = get_small(store, name, MANIFEST_BYTES_MAX)
        except NotFoundError:
            continue  # not complete: it does not exist
        where = f"{store.location}/{name}"
        try:
            manifest = decode_manifest(data, name=where)
        except (CorruptionError, UnknownVersionError) as error:
            # Not stepped over: it may be the very set that is wanted. A set without a manifest does not exist.
            raise type(error)(
                error.message, hint=f"repair it from a copy, or move {where} away to restore from the other sets"
            ) from error
        yield SetFact(source=source, root=root, manifest=manifest)


def _pieces_of(source: int, store: Store, prefix: str, folder: str = "") -> Iterator[PieceFact]:
    listed = {info.name.removeprefix(prefix).partition("/")[0] for info in store.list(f"{prefix}{folder or 'piece_d'}")}
    for found in sorted(listed if not folder else listed & {folder}):
        if names.parse_piece_root(found) is None:
            continue
        root = f"{prefix}{found}"
        record = _record_of(store, root)
        if record is not None:
            yield _piece_of(source, store, root, record)


def _record_of(store: Store, root: str) -> PieceRecord | None:
    """Return the frozen piece's record, else the active one's, None for a piece that has neither yet."""
    for name in (names.piece_info_name(root), names.checkpoint_name(root)):
        try:
            data = get_small(store, name, RECORD_BYTES_MAX)
        except NotFoundError:
            continue
        return decode_piece_record(data, name=f"{store.location}/{name}")
    return None


def _piece_of(source: int, store: Store, root: str, record: PieceRecord) -> PieceFact:
    objects = tuple(
        LogObjectFact(
            name=names.log_name(root, block.block_id),
            block_id=block.block_id,
            first_lsn=block.first_lsn,
            end_lsn=block.end_lsn,
            size_bytes=block.size_bytes,
        )
        for block in record.blocks
    )
    fact = PieceFact(
        source=source,
        root=root,
        cluster_id=record.cluster_id,
        tenant_id=record.tenant_id,
        timeline=record.timeline,
        round_id=record.round_id,
        piece_id=record.piece_id,
        start_scn=record.start_scn,
        begin=record.begin,
        end=record.end,
        objects=objects,
    )
    return fact if record.status is PieceStatus.FROZEN else _grown(fact, store)


def _grown(fact: PieceFact, store: Store) -> PieceFact:
    """Return an active piece with what was appended since its record was put: frames prove themselves."""
    last = fact.objects[-1].block_id if fact.objects else None
    known = {item.block_id: item for item in fact.objects}
    beyond = sorted(
        (parsed[1], info)
        for info in store.list(f"{names.log_folder(fact.root)}/")
        if (parsed := names.parse_log_name(info.name)) is not None and (last is None or parsed[1] >= last)
    )
    for block_id, info in beyond:
        item = known.get(block_id)
        scan = _scan(store, info.name, info.size_bytes, item.size_bytes if item else 0)
        if not scan.frames or (item is not None and scan.end_offset == item.size_bytes):
            continue
        first, final = scan.frames[0].header.frame, scan.frames[-1].header.frame
        if first.timeline != fact.timeline or (item is None and first.start_lsn != fact.end.lsn):
            break  # not the continuation of this piece: what the record says is all there is
        grown = LogObjectFact(
            name=info.name,
            block_id=block_id,
            first_lsn=first.start_lsn,
            end_lsn=final.end_lsn,
            size_bytes=scan.end_offset,
        )
        kept = tuple(one for one in fact.objects if one.block_id != block_id)
        fact = replace(fact, objects=(*kept, grown), end=final.end_position)
    return fact


def _scan(store: Store, name: str, size_bytes: int, durable_size_bytes: int) -> FrameScan:
    with store.reader(name) as reader:
        return scan_frames(
            reader.read, size_bytes, durable_size_bytes=durable_size_bytes, name=f"{store.location}/{name}"
        )
