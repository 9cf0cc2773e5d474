"""The estate of a tenant: what the catalog knows of its sets and pieces, with what their destinations say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from holdfast import codes
from holdfast.backup_format import names
from holdfast.backup_format.reach import Damage, PieceFact, SetFact
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.catalog import Catalog
from holdfast.destination.facts import Facts, of_tenant, read_what_answers
from holdfast.engine_format.layout import layout_of
from holdfast.errors import HoldfastError, UnknownVersionError
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.known_damage import leave_damage_aside
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.retention.verdict import Estate, Follower, PieceEntry, Pin, SetEntry
from holdfast.values.archive import FileStatus, Piece, Round, RoundStatus
from holdfast.values.backup_set import SetStatus
from holdfast.values.tenant import TenantRole


@dataclass(frozen=True, slots=True)
class Survey:
    """An estate, and by DEST_ID why a destination could not be opened."""

    estate: Estate
    unreachable: Mapping[int, HoldfastError]


def catalog_estate(catalog: Catalog, tenant_id: int) -> Estate:
    """Return what the catalog alone knows: enough to tell what rests on what."""
    data = catalog.destinations.data(tenant_id)
    archive = catalog.destinations.archive(tenant_id)
    rounds = {one.round_id: one for one in catalog.rounds.summary(tenant_id)}
    pieces = tuple(_piece_fact(one, rounds.get(one.round_id)) for one in catalog.rounds.pieces(tenant_id))
    return Estate(
        sets=tuple(set_fact(one) for one in catalog.backups.sets(tenant_id)),
        pieces=pieces,
        data_dest_id=None if data is None else data.dest_id,
        archive_dest_id=None if archive is None else archive.destination.dest_id,
        pins=tuple(Pin(backup_set_id=pin.backup_set_id, note=pin.note) for pin in catalog.cleanup.pins(tenant_id)),
        followers=_followers(catalog, tenant_id, pieces),
    )


def _followers(catalog: Catalog, tenant_id: int, pieces: Sequence[PieceEntry]) -> tuple[Follower, ...]:
    """Return the standbys of this cluster that follow an archive which these pieces lie in. Those of others are not known here."""
    dest_ids = {piece.dest_id for piece in pieces if piece.file_status is not FileStatus.DELETED}
    places = {catalog.destinations.by_id(tenant_id, dest_id).uri.identity: dest_id for dest_id in sorted(dest_ids)}
    standbys = {one.tenant_id: one for one in catalog.tenants.user_tenants() if one.role is TenantRole.STANDBY}
    return tuple(
        Follower(
            dest_id=places[source.value],
            tenant_id=source.tenant_id,
            name=standbys[source.tenant_id].name,
            sync_scn=catalog.tenants.scns(source.tenant_id).sync_scn,
            hold_end_timestamp_us=source.hold_end_timestamp_us or 0,
            is_lapsed=catalog.log_sources.is_lapsed(source),
        )
        for source in catalog.log_sources.all()
        if source.value in places and source.tenant_id in standbys
    )


def survey(
    catalog: Catalog,
    open_store: OpenStore,
    tenant_id: int,
    *,
    cluster_id: int,
    check: Callable[[], None] = lambda: None,
    is_left_behind: bool = False,
    masters: Masters = NO_MASTERS,
) -> Survey:
    """Return the estate with every manifest and record read, as a restore reads them.

    Raises what the catalog and `check` raise, StoreUnavailableError of a destination that stops answering.

    `is_left_behind`: a cancelled worker may still write into the folder of a failed set, so such sets count as DOING: removed
    now, a folder would come back with objects no row names.
    `check` is asked between two objects and may end it by raising.
    """
    known = catalog_estate(catalog, tenant_id)
    rows: list[SetEntry | PieceEntry] = [*known.sets, *known.pieces]
    dest_ids = sorted({row.dest_id for row in rows if row.file_status is not FileStatus.DELETED})
    uris = {catalog.destinations.by_id(tenant_id, dest_id).uri: dest_id for dest_id in dest_ids}
    read, troubles = read_what_answers(uris, open_store, check=check, masters=masters)
    read = of_tenant(read, cluster_id=cluster_id, tenant_id=tenant_id)
    sources = [dest_id for uri, dest_id in uris.items() if uri not in troubles]
    look = _Look(
        unreachable={uris[uri]: error for uri, error in troubles.items()},
        damaged=read.damaged,
        found=leave_damage_aside(catalog, read),
        dest_ids=sources,
    )
    sets = []
    for entry in known.sets:
        if is_left_behind and entry.status is SetStatus.FAILED:
            entry = replace(entry, status=SetStatus.DOING)
        sets.append(look.at_set(entry))
    pieces = tuple(look.at_piece(entry) for entry in known.pieces)
    return Survey(replace(known, sets=tuple(sets), pieces=pieces), look.unreachable)


@dataclass(frozen=True)
class _Look:
    """What was found at a tenant's destinations. `damaged`: what the reading itself met.

    `found.sources` are the destinations of `dest_ids`. A row that says AVAILABLE has trouble when its destination says otherwise;
    one that a validation has made BROKEN has not: its damage is known, and what is left counts.
    """

    unreachable: Mapping[int, HoldfastError]
    damaged: Sequence[Damage]
    found: Facts
    dest_ids: Sequence[int]

    @cached_property
    def _sets(self) -> dict[tuple[int, str], SetFact]:
        return {(self.dest_ids[one.source], one.root): one for one in reversed(self.found.sets)}

    @cached_property
    def _pieces(self) -> dict[tuple[int, str], PieceFact]:
        return {(self.dest_ids[one.source], one.root): one for one in reversed(self.found.pieces)}

    @cached_property
    def _logs(self) -> dict[tuple[int, str], list[PieceFact]]:
        """By destination and folder: a set's folder holds its own log, as pieces."""
        found: dict[tuple[int, str], list[PieceFact]] = {}
        for one in self.found.pieces:
            folder, _, _ = one.root.rpartition("/")
            found.setdefault((self.dest_ids[one.source], folder), []).append(one)
        return found

    def at_set(self, entry: SetEntry) -> SetEntry:
        """Return the entry with its fact, its own log and its trouble."""
        if entry.status is not SetStatus.SUCCESS or entry.file_status is FileStatus.DELETED:
            return entry
        root = names.set_root(entry.backup_set_id, entry.type)
        fact = self._sets.get((entry.dest_id, root))
        log = tuple(self._logs.get((entry.dest_id, names.set_log_root(root)), ()))
        words, is_damaged = self._met(entry.dest_id, root, f"{root} has no manifest" if fact is None else "")
        words = words or ("" if fact is None else _unknown_engine(fact.manifest.engine_data_version, root))
        return replace(
            entry,
            fact=fact,
            log=log,
            is_damaged=is_damaged or entry.file_status is FileStatus.BROKEN,
            trouble=f"backup set {entry.backup_set_id}: {words}" if words and entry.is_usable else "",
        )

    def at_piece(self, entry: PieceEntry) -> PieceEntry:
        """Return the entry with its fact and its trouble."""
        if entry.file_status is FileStatus.DELETED:
            return entry
        root = names.piece_root(entry.dest_id, entry.round_id, entry.piece_id)
        fact = self._pieces.get((entry.dest_id, root))
        is_available = entry.file_status is FileStatus.AVAILABLE
        words, is_damaged = self._met(entry.dest_id, root, f"{root} has no record" if fact is None else "")
        words = words or ("" if fact is None else _unknown_engine(fact.engine_data_version, root))
        return replace(
            entry,
            fact=fact,
            is_damaged=(is_damaged and is_available) or entry.file_status is FileStatus.BROKEN,
            trouble=f"archive piece {entry.piece_id}: {words}" if words and is_available else "",
        )

    def _met(self, dest_id: int, root: str, missing: str) -> tuple[str, bool]:
        """Return what is wrong with a folder or what lies below it, "" when nothing is; and whether that is damage.

        `missing`: what is wrong when nothing else is. What can not be read may be whole.
        """
        if dest_id in self.unreachable:
            return str(self.unreachable[dest_id]), False
        for one in self.damaged:
            if self.dest_ids[one.source] == dest_id and f"{one.root}/".startswith(f"{root}/"):
                return one.words, not one.is_unknown
        return missing, bool(missing)


def _unknown_engine(version: str, root: str) -> str:
    """Return why this build does not know the engine that wrote a folder, "" when it does."""
    try:
        layout_of(version, root)
    except UnknownVersionError as error:
        return str(error)
    return ""


def set_fact(backup_set: BackupSet) -> SetEntry:
    return SetEntry(
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


def _piece_fact(piece: Piece, archive_round: Round | None) -> PieceEntry:
    is_going_on = archive_round is not None and archive_round.status is not RoundStatus.STOP
    return PieceEntry(
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
