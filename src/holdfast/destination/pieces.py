"""A piece as far as its log can be used: its record, the frames behind it, and where damage ends it.

Of a frozen piece the record tells how long each object is; an active one goes on behind its record as far as whole frames do, for
the record is told a second late. An object that is shorter than its record says, or not there, ends the piece: its whole frames
count, what lies behind them has no log to follow.
"""

from dataclasses import replace

from holdfast.backup_format import names
from holdfast.backup_format.log_frame import FrameScan, LogKeys, LogPosition, scan_frames
from holdfast.backup_format.piece_record import PieceRecord
from holdfast.backup_format.reach import Damage, LogObjectFact, PieceFact
from holdfast.destination.documents import read_active_record, read_piece_record
from holdfast.errors import CorruptionError, NotFoundError, UnknownVersionError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.store import Store
from holdfast.values.archive import PieceStatus


def piece_of(
    source: int,
    store: Store,
    root: str,
    damaged: list[Damage],
    *,
    is_sealed: bool = False,
    masters: Masters = NO_MASTERS,
) -> PieceFact | None:
    """Return the piece, None when it has no record yet, or nothing of it can be used. Damage is added to `damaged`.

    `is_sealed`: its frames need a key to be opened, so they count by their headers; so do those that no master key of `masters` opens.
    Raises StoreUnavailableError.
    """
    words = ""
    try:
        record, _, _ = read_piece_record(store, root)
    except NotFoundError:
        return None
    except (CorruptionError, UnknownVersionError) as error:
        words = error.message
        try:
            # What it promised a moment before it was frozen still holds, and frames behind that prove themselves.
            record = read_active_record(store, root)
        except (NotFoundError, CorruptionError, UnknownVersionError):
            is_unknown = isinstance(error, UnknownVersionError)
            damaged.append(Damage(source=source, root=root, words=words, is_unknown=is_unknown))
            return None
    promised = replace(_promised(source, root, record), is_sealed=is_sealed, damage=words)
    try:
        keys = log_keys(promised, masters)
    except CorruptionError as error:
        damaged.append(Damage(source=source, root=root, words=error.message))
        return None
    fact = _as_found(promised, store, keys)
    if fact is None:
        return None  # it is being deleted
    if record.status is PieceStatus.ACTIVE and fact.damage == words:
        fact = _grown(fact, store, keys)
    if fact.damage:
        damaged.append(Damage(source=source, root=root, words=fact.damage))
    return fact if fact.objects or not fact.damage else None


def log_keys(piece: PieceFact, masters: Masters) -> LogKeys:
    """Return what opens an archive's piece. Raises CorruptionError for a key that is not what its master key wrapped."""
    return masters.log_keys(
        piece.keys, cluster_id=piece.cluster_id, tenant_id=piece.tenant_id, root=piece.root, timeline=piece.timeline
    )


def cut_at(
    piece: PieceFact,
    place: int,
    size_bytes: int,
    store: Store,
    words: str,
    *,
    is_checked: bool = False,
    keys: LogKeys | None = None,
) -> PieceFact:
    """Return the piece up to byte `size_bytes` of its object number `place`: as many whole frames as lie before it.

    `is_checked`: those frames were opened before, by a validation; otherwise each is opened now, if `keys` open it. Without objects:
    nothing is left.
    """
    objects, item = piece.objects[:place], piece.objects[place]
    end = _end_of(piece, item, size_bytes, store, is_checked=is_checked, keys=keys)
    if end is not None:
        objects = (*objects, replace(item, end_lsn=end[0].lsn, size_bytes=end[1]))
    elif objects:
        end = _end_of(piece, objects[-1], objects[-1].size_bytes, store, is_checked=True)
        if end is None:
            return cut_at(piece, place - 1, objects[-1].size_bytes, store, words, keys=keys)
    return replace(piece, objects=objects, end=piece.begin if end is None else end[0], damage=words)


def _end_of(
    piece: PieceFact,
    item: LogObjectFact,
    size_bytes: int,
    store: Store,
    *,
    is_checked: bool,
    keys: LogKeys | None = None,
) -> tuple[LogPosition, int] | None:
    """Return where the log of an object's first bytes ends, and at which byte; None when they hold no whole frame."""
    if not size_bytes:
        return None
    name = f"{store.location}/{item.name}"
    try:
        with store.reader(item.name) as reader:
            size_bytes = min(size_bytes, reader.size_bytes)
            durable_size_bytes = size_bytes if is_checked else 0
            scan = scan_frames(
                reader.read,
                size_bytes,
                durable_size_bytes=durable_size_bytes,
                key=keys,
                name=name,
                opens=_opens(piece, keys),
            )
    except (CorruptionError, UnknownVersionError, NotFoundError):
        return None
    if not scan.frames or scan.frames[0].header.frame.start_lsn != item.first_lsn:
        return None
    return scan.frames[-1].header.frame.end_position, scan.end_offset


def _opens(piece: PieceFact, keys: LogKeys | None) -> bool:
    """Return whether frames can be opened: else they count by their headers."""
    return not piece.is_sealed and (keys.can_open if keys is not None else not any(key.is_sealed for key in piece.keys))


def _promised(source: int, root: str, record: PieceRecord) -> PieceFact:
    """Return the piece as its record has it."""
    return PieceFact(
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
        objects=tuple(
            LogObjectFact(
                name=names.log_name(root, block.block_id),
                block_id=block.block_id,
                first_lsn=block.first_lsn,
                end_lsn=block.end_lsn,
                size_bytes=block.size_bytes,
            )
            for block in record.blocks
        ),
        engine_data_version=record.engine_data_version,
        owner=record.owner,
        keys=record.keys,
    )


def _as_found(fact: PieceFact, store: Store, keys: LogKeys) -> PieceFact | None:
    """Return the piece up to its first object that is not as long as its record says; None when it is being deleted."""
    sizes = {item.name: item.size_bytes for item in store.list(f"{names.log_folder(fact.root)}/")}
    for place, item in enumerate(fact.objects):
        found = sizes.get(item.name)
        if found is not None and found >= item.size_bytes:
            continue
        try:
            read_piece_record(store, fact.root)  # a piece that is being deleted loses its records first
        except NotFoundError:
            return None
        except (CorruptionError, UnknownVersionError):
            pass
        what = "is not there" if found is None else f"has {found} bytes, its record promises {item.size_bytes}"
        return cut_at(fact, place, found or 0, store, f"{store.location}/{item.name} {what}", keys=keys)
    return fact


def _grown(fact: PieceFact, store: Store, keys: LogKeys) -> PieceFact:
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
        try:
            scan = _scan(store, info.name, info.size_bytes, item.size_bytes if item else 0, fact, keys)
        except CorruptionError as error:
            if item is None:
                return replace(fact, damage=error.message)
            return cut_at(fact, fact.objects.index(item), info.size_bytes, store, error.message, keys=keys)
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


def _scan(
    store: Store, name: str, size_bytes: int, durable_size_bytes: int, fact: PieceFact, keys: LogKeys
) -> FrameScan:
    with store.reader(name) as reader:
        return scan_frames(
            reader.read,
            size_bytes,
            durable_size_bytes=durable_size_bytes,
            key=keys,
            name=f"{store.location}/{name}",
            opens=_opens(fact, keys),
        )
