"""The estate of a tenant: what the catalog knows of its sets and pieces, with what their destinations say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from holdfast import codes
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.catalog import Catalog
from holdfast.errors import HoldfastError
from holdfast.jobs.destinations import OpenStore
from holdfast.retention.facts import read_piece, read_set
from holdfast.retention.verdict import Estate, PieceFact, Pin, SetFact
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, Piece, Round, RoundStatus
from holdfast.values.backup_set import SetStatus


@dataclass(frozen=True, slots=True)
class Survey:
    """An estate, and by DEST_ID why a destination could not be opened."""

    estate: Estate
    unreachable: Mapping[int, HoldfastError]


@dataclass(slots=True)
class _Stores:
    """Opens each destination once. One that can not be opened makes trouble for every fact that lies there."""

    catalog: Catalog
    open_store: OpenStore
    tenant_id: int
    opened: dict[int, Store] = field(default_factory=dict)
    failed: dict[int, HoldfastError] = field(default_factory=dict)

    def get(self, dest_id: int) -> Store | None:
        if dest_id not in self.opened and dest_id not in self.failed:
            try:
                self.opened[dest_id] = self.open_store(self.catalog.destinations.by_id(self.tenant_id, dest_id).uri)
            except HoldfastError as error:
                self.failed[dest_id] = error
        return self.opened.get(dest_id)


def catalog_estate(catalog: Catalog, tenant_id: int) -> Estate:
    """Return what the catalog alone knows: enough to tell what rests on what."""
    data = catalog.destinations.data(tenant_id)
    archive = catalog.destinations.archive(tenant_id)
    rounds = {one.round_id: one for one in catalog.rounds.summary(tenant_id)}
    return Estate(
        sets=tuple(set_fact(one) for one in catalog.backups.sets(tenant_id)),
        pieces=tuple(_piece_fact(one, rounds.get(one.round_id)) for one in catalog.rounds.pieces(tenant_id)),
        data_dest_id=None if data is None else data.dest_id,
        archive_dest_id=None if archive is None else archive.destination.dest_id,
        pins=tuple(Pin(backup_set_id=pin.backup_set_id, note=pin.note) for pin in catalog.cleanup.pins(tenant_id)),
    )


def survey(
    catalog: Catalog,
    open_store: OpenStore,
    tenant_id: int,
    *,
    check: Callable[[], None] = lambda: None,
    is_left_behind: bool = False,
) -> Survey:
    """Return the estate with every manifest and record read. Raises only what the catalog raises.

    `is_left_behind`: a cancelled worker may still write into the folder of a failed set, so such sets count as DOING: removed
    now, a folder would come back with objects no row names.
    `check` is asked between two objects and may end it by raising.
    """
    known = catalog_estate(catalog, tenant_id)
    stores = _Stores(catalog, open_store, tenant_id)
    sets, pieces = [], []
    for fact in known.sets:
        check()
        if is_left_behind and fact.status is SetStatus.FAILED:
            fact = replace(fact, status=SetStatus.DOING)
        store = stores.get(fact.dest_id) if fact.file_status is not FileStatus.DELETED else None
        if store is not None:
            fact = read_set(fact, store)
        elif fact.is_usable:
            fact = replace(fact, trouble=f"backup set {fact.backup_set_id}: {stores.failed[fact.dest_id]}")
        sets.append(fact)
    for piece in known.pieces:
        check()
        store = stores.get(piece.dest_id) if piece.file_status is not FileStatus.DELETED else None
        if store is not None:
            piece = read_piece(piece, store)
        elif piece.file_status is FileStatus.AVAILABLE:
            piece = replace(piece, trouble=f"archive piece {piece.piece_id}: {stores.failed[piece.dest_id]}")
        pieces.append(piece)
    estate = replace(known, sets=tuple(sets), pieces=tuple(pieces))
    return Survey(estate, stores.failed)


def set_fact(backup_set: BackupSet) -> SetFact:
    return SetFact(
        dest_id=backup_set.dest_id,
        backup_set_id=backup_set.backup_set_id,
        type=backup_set.backup_type,
        status=backup_set.status,
        file_status=backup_set.file_status,
        end_us=backup_set.end_timestamp_us,
        prev_full_backup_set_id=backup_set.prev_full_backup_set_id,
        prev_inc_backup_set_id=backup_set.prev_inc_backup_set_id,
        start_replay_scn=backup_set.start_replay_scn,
        min_restore_scn=backup_set.min_restore_scn,
        has_log=backup_set.plus_archivelog,
        is_canceled=backup_set.result == codes.OB_CANCELED.number,
    )


def _piece_fact(piece: Piece, archive_round: Round | None) -> PieceFact:
    is_going_on = archive_round is not None and archive_round.status is not RoundStatus.STOP
    return PieceFact(
        dest_id=piece.dest_id,
        round_id=piece.round_id,
        piece_id=piece.piece_id,
        status=piece.status,
        file_status=piece.file_status,
        start_scn=piece.start_scn,
        end_scn=piece.end_scn,
        checkpoint_scn=piece.checkpoint_scn,
        is_open=is_going_on and archive_round is not None and piece.piece_id >= archive_round.used_piece_id,
    )
