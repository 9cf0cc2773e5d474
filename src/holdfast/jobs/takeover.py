"""ALTER SYSTEM RENEW SERVER IDENTITY: of two servers of one name, a person says that this is the one that goes on.

The server becomes another one, then the writer of its tenants' destinations, whoever wrote there last; the other one finds that
and stops. What lies there and this catalog does not know, because it is older, is entered: sets are listed, kept by the
policy like others and never written over, and new ids come behind the highest that was given.

Killed at any line: the identity is renewed or not, each destination is taken or not; the statement may be repeated.
"""

import logging

from holdfast.backup_format import names
from holdfast.backup_format.manifest import EncryptionMode, Manifest, decode_manifest
from holdfast.backup_format.piece_keys import encryption_mode
from holdfast.backup_format.piece_record import PieceRecord, RoundRecord, decode_piece_record, decode_round_record
from holdfast.catalog.backups import ENCRYPTION_KEY, ENCRYPTION_NONE, ENCRYPTION_PASSWORD, PASSWD_SHOWN, BackupSet
from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.errors import (
    ConflictError,
    CorruptionError,
    ForeignOwnerError,
    HoldfastError,
    NotFoundError,
    StoreUnavailableError,
    UnknownVersionError,
)
from holdfast.jobs.destinations import OpenStore, check_destination, format_file_of
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.reply import OK, Reply
from holdfast.jobs.tenure import Tenures, current_dest_ids
from holdfast.store.small import MANIFEST_BYTES_MAX, RECORD_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round, RoundStatus
from holdfast.values.backup_set import SetStatus
from holdfast.values.destination import Destination, DestinationKind
from holdfast.values.owner import Owner
from holdfast.values.tenant import Tenant

log = logging.getLogger("holdfast.tenure")


class Takeover:
    """Carries the statement out. Safe from any thread."""

    def __init__(
        self, catalog: Catalog, identity: ClusterIdentity, clock: Clock, *, open_store: OpenStore, tenures: Tenures
    ) -> None:
        self._catalog = catalog
        self._identity = identity
        self._clock = clock
        self._open_store = open_store
        self._tenures = tenures

    def renew(self) -> Reply:
        """Renew the identity and take every destination of every tenant.

        Raises StoreUnavailableError naming a current destination that did not answer; the others are taken, and the statement
        repeated takes it too. Former ones that do not answer are only told of in the log.
        """
        self._identity.server.renew()
        log.warning("the identity of this server was renewed: it takes its destinations over")
        missed: list[str] = []
        for tenant in self._catalog.tenants.user_tenants():
            current = current_dest_ids(self._catalog, tenant.tenant_id)
            for destination in self._catalog.destinations.all_of(tenant.tenant_id):
                try:
                    self._take(tenant, destination)
                except HoldfastError as error:
                    log.error("tenant %d: %s is not taken over: %s", tenant.tenant_id, destination.uri.identity, error)
                    if destination.dest_id in current:
                        missed.append(f"{destination.uri.identity}: {error.message}")
        if missed:
            raise StoreUnavailableError(
                f"{len(missed)} destinations are not taken over, the first is {missed[0]}",
                hint="repeat the statement when they answer",
            )
        return OK

    def enter_lost(self, tables: str) -> bool:
        """Enter what the destinations of every tenant hold and the catalog does not; return whether all of them answered.

        For a catalog that has lost `tables`, which the log names. Nothing is taken over: what lies there is this server's.
        """
        is_whole = True
        for tenant in self._catalog.tenants.user_tenants():
            for destination in self._catalog.destinations.all_of(tenant.tenant_id):
                try:
                    self._enter(destination, self._open_store(destination.uri))
                except HoldfastError as error:
                    is_whole = False
                    log.error(
                        "tenant %d: %s is not entered into %s until a start finds it: %s",
                        tenant.tenant_id,
                        destination.uri.identity,
                        tables,
                        error,
                    )
        return is_whole

    def _enter(self, destination: Destination, store: Store) -> None:
        if destination.kind is DestinationKind.BACKUP_DATA:
            self._enter_sets(destination, store)
        else:
            self._enter_rounds(destination, store)

    def _take(self, tenant: Tenant, destination: Destination) -> None:
        store = self._open_store(destination.uri)
        now_us = self._clock.now_ns() // 1000
        check_destination(store, format_file_of(self._identity, tenant, destination, now_us), self._clock)
        self._tenures.of(destination).take_over(store)
        # Behind the record: what another writer still puts after it is its last within a second.
        self._enter(destination, store)

    def _enter_sets(self, destination: Destination, store: Store) -> None:
        known = {one.backup_set_id for one in self._catalog.backups.sets(destination.tenant_id)}
        marks = [names.parse_set_placeholder(item.name) for item in store.list(f"{names.SETS_FOLDER}/")]
        for ref in sorted({mark.set for mark in marks if mark is not None}, key=lambda ref: ref.set_id):
            if ref.set_id in known:
                continue
            name = names.manifest_name(names.set_root(ref.set_id, ref.type))
            try:
                manifest = decode_manifest(get_small(store, name, MANIFEST_BYTES_MAX), name=name)
                self._require_own(manifest, destination)
                self._catalog.backups.insert_set(_set_of(manifest, destination))
            except (
                NotFoundError,
                CorruptionError,
                UnknownVersionError,
                ConflictError,
                ForeignOwnerError,
            ) as error:
                log.warning("tenant %d: %s is not entered: %s", destination.tenant_id, name, error)
                continue
            log.warning("tenant %d: backup set %d was not known here, entered", destination.tenant_id, ref.set_id)

    def _require_own(self, found: Manifest | PieceRecord, destination: Destination) -> None:
        """Raise ForeignOwnerError of another tenant's, which was copied there: to be entered it must be this one's."""
        if (found.cluster_id, found.tenant_id) != (self._identity.cluster_id, destination.tenant_id):
            raise ForeignOwnerError(f"it is of tenant {found.tenant_id} of cluster {found.cluster_id}")

    def _enter_rounds(self, destination: Destination, store: Store) -> None:
        """Enter rounds that are not known, and pieces that are not; one that another server left open counts as far as it goes."""
        rounds = {one.round_id: one for one in self._catalog.rounds.summary(destination.tenant_id)}
        known = {(one.round_id, one.piece_id) for one in self._catalog.rounds.pieces(destination.tenant_id)}
        for ref in sorted(_pieces_at(store, destination), key=lambda ref: (ref.round_id, ref.piece_id)):
            if (ref.round_id, ref.piece_id) in known:
                continue
            try:
                record = _piece_record(store, ref)
                self._require_own(record, destination)
                if ref.round_id not in rounds:
                    rounds[ref.round_id] = _round_of(_round_record(store, ref), record, destination)
            except (NotFoundError, CorruptionError, UnknownVersionError, ForeignOwnerError) as error:
                log.warning(
                    "tenant %d: archive piece %d is not entered: %s", destination.tenant_id, ref.piece_id, error
                )
                continue
            self._catalog.rounds.save(rounds[ref.round_id], (_piece_of(record, destination),))
            log.warning("tenant %d: archive piece %d was not known here, entered", destination.tenant_id, ref.piece_id)


def _words(owner: Owner | None) -> str:
    return f"made by {owner.words}" if owner is not None else "made by an unknown server"


_MODES = {
    EncryptionMode.NONE: ENCRYPTION_NONE,
    EncryptionMode.PASSWORD: ENCRYPTION_PASSWORD,
    EncryptionMode.KEY: ENCRYPTION_KEY,
}


def _set_of(manifest: Manifest, destination: Destination) -> BackupSet:
    return BackupSet(
        tenant_id=destination.tenant_id,
        backup_set_id=manifest.backup_set_id,
        dest_id=destination.dest_id,
        backup_type=manifest.type,
        prev_full_backup_set_id=manifest.prev_full_backup_set_id,
        prev_inc_backup_set_id=manifest.prev_inc_backup_set_id,
        start_timestamp_us=manifest.started_us,
        end_timestamp_us=manifest.ended_us,
        status=SetStatus.SUCCESS,
        file_status=FileStatus.AVAILABLE,
        plus_archivelog=manifest.plus_archivelog,
        start_replay_scn=manifest.start_replay_scn,
        min_restore_scn=manifest.min_restore_scn,
        consistent_scn=manifest.min_restore_scn,
        input_bytes=manifest.input_bytes,
        output_bytes=manifest.output_bytes,
        macro_block_count=manifest.block_count,
        finish_macro_block_count=manifest.block_count,
        file_count=len(manifest.objects),
        comment=_words(manifest.owner),
        encryption_mode=_MODES[manifest.encryption.mode],
        passwd=PASSWD_SHOWN if manifest.encryption.mode is EncryptionMode.PASSWORD else "",
        tenant_compatible=manifest.engine_data_version,
        cluster_version=manifest.engine_binary_version,
        path=destination.uri.identity,
    )


def _pieces_at(store: Store, destination: Destination) -> set[names.PieceRef]:
    marks = (names.parse_piece_placeholder(item.name) for item in store.list(f"{names.PIECES_FOLDER}/"))
    return {mark.piece for mark in marks if mark is not None and mark.piece.dest_id == destination.dest_id}


def _piece_record(store: Store, ref: names.PieceRef) -> PieceRecord:
    root = names.piece_root(ref.dest_id, ref.round_id, ref.piece_id)
    name = names.piece_info_name(root)
    try:
        return decode_piece_record(get_small(store, name, RECORD_BYTES_MAX), name=name)
    except NotFoundError:
        name = names.checkpoint_name(root)
        return decode_piece_record(get_small(store, name, RECORD_BYTES_MAX), name=name)


def _round_record(store: Store, ref: names.PieceRef) -> RoundRecord:
    mark = names.RoundPlaceholder(dest_id=ref.dest_id, round_id=ref.round_id, edge=names.Edge.START)
    name = names.round_placeholder(mark)
    return decode_round_record(get_small(store, name, RECORD_BYTES_MAX), name=name)


def _round_of(record: RoundRecord, piece: PieceRecord, destination: Destination) -> Round:
    """Return an ended round: whatever its record says, nobody goes on with it."""
    return Round(
        tenant_id=destination.tenant_id,
        dest_id=destination.dest_id,
        round_id=record.round_id,
        status=RoundStatus.STOP,
        start_scn=record.start_scn,
        checkpoint_scn=piece.checkpoint_scn,
        base_piece_id=record.base_piece_id,
        used_piece_id=max(record.used_piece_id, piece.piece_id),
        piece_switch_interval_us=record.piece_switch_interval_us,
        input_bytes=piece.input_bytes,
        output_bytes=piece.output_bytes,
        comment=_words(record.owner),
        path=destination.uri.identity,
    )


def _piece_of(record: PieceRecord, destination: Destination) -> Piece:
    return Piece(
        tenant_id=destination.tenant_id,
        dest_id=destination.dest_id,
        round_id=record.round_id,
        piece_id=record.piece_id,
        status=PieceStatus.FROZEN,
        start_scn=record.start_scn,
        end_scn=record.end_scn,
        checkpoint_scn=record.checkpoint_scn,
        max_scn=record.max_scn,
        input_bytes=record.input_bytes,
        output_bytes=record.output_bytes,
        file_status=FileStatus.AVAILABLE,
        path=destination.uri.identity,
        encryption_mode=encryption_mode(record.keys, record.begin.lsn, record.end.lsn),
    )
