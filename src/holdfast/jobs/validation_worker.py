"""One validation job from its row to its end.

INIT: the destinations are opened, their owner's record is read, and the tasks, one for each set and piece, are written in one
transaction; the job is DOING. Nothing is written into a destination, so a server that takes the job up goes on with the tasks
that are left, and in the task that was under way with what is not proven yet: proofs are recorded object by object.

Damage ends its own task only: the others say what else is damaged, or that it is not. (OceanBase cancels them.) A destination that
does not answer ends the job. A set or piece that is deleted meanwhile is no damage.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from holdfast import codes
from holdfast.backup.plan import DEFAULT_THREADS
from holdfast.backup_format import names
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.manifest import EncryptionMode, Manifest, ObjectKind
from holdfast.backup_format.piece_record import FormatFile, decode_format_file
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.validation import (
    JUDGED,
    DamageRow,
    PathType,
    ProofRow,
    ValidateJob,
    ValidateTask,
    ValidateType,
    damage_words,
)
from holdfast.clock import Clock
from holdfast.destination.documents import read_document, read_manifest
from holdfast.destination.facts import places_of
from holdfast.errors import (
    CanceledError,
    ConflictError,
    CorruptionError,
    EngineError,
    HoldfastError,
    NotFoundError,
    RefusedError,
    StoreUnavailableError,
    refuse,
)
from holdfast.jobs.backup_keys import MastersOf, no_masters
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.endings import tell_end
from holdfast.jobs.ground import Ground, owned_by
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.pace import Paces, TenantPace
from holdfast.jobs.parameters import BY_NAME
from holdfast.jobs.stops import ServerStoppingError, Stops
from holdfast.jobs.tablets import UNKNOWN, TabletFinder
from holdfast.keys.keyring import Keyring
from holdfast.keys.password import Passwords, SetKey
from holdfast.keys.password import place_of as place_of_set
from holdfast.store.store import Store
from holdfast.values.archive import Piece, PieceStatus
from holdfast.values.backup_set import JobStatus, SetStatus
from holdfast.values.destination import Destination, DestinationKind, Uri, parse_uri
from holdfast.values.scn import Scn
from holdfast.values.tenant import SYS_TENANT_ID
from holdfast.verify.crew import Crew
from holdfast.verify.log import Memory, PieceTarget, validate_piece
from holdfast.verify.plan import Damage, Level, Proof, chain_closure, own_pieces, parse_ids
from holdfast.verify.run import Findings, SetTarget, validate_set

log = logging.getLogger("holdfast.validation")

REREAD = "backup_validate_reread_interval"
RETRIES_MAX = 3
"""Of one job, over servers' lives and failures that may pass."""
_RETRY_SECONDS = 2.0
_TELL_SECONDS = 0.5
_COMMENT_CHARACTERS_MAX = 4000
_NAMED_MAX = 3


_CLOSED = (
    "this server does not know the piece's key: of its log only headers were looked at, not its content; SET DECRYPTION, or SET"
    " backup_encryption to what sealed it, then VALIDATE again"
)


@dataclass(frozen=True, slots=True)
class ValidationSurroundings:
    """What every validation needs."""

    catalog: Catalog
    clock: Clock
    identity: ClusterIdentity
    open_store: OpenStore
    keyring: Callable[[int], Keyring]
    paces: Paces
    tablets: TabletFinder
    paths: Ground
    masters: MastersOf = no_masters


@dataclass(frozen=True, slots=True)
class Place:
    """A destination a job reads. `dest_id` 0: a path that is no destination of the tenant, so nothing is recorded of it."""

    uri: Uri
    kind: DestinationKind
    dest_id: int
    root: str = ""
    """The one set or piece the path names, "" when it names all of the destination."""


class _SetGoneError(HoldfastError):
    """The set or piece is being deleted: it is not judged any more."""


class _TaskJournal:
    """The journal of one task: its row, what it proves, what it finds."""

    def __init__(
        self, around: ValidationSurroundings, task: ValidateTask, stops: Stops, pace: TenantPace, place: Place
    ) -> None:
        self.task = task
        self.damages: list[Damage] = []
        self.is_sealed = False
        self.known_count = 0
        self.oldest_us: int | None = None
        self._around = around
        self._stops = stops
        self._pace = pace
        self._place = place
        self._lock = threading.Lock()
        self._told = around.clock.monotonic()

    def check(self) -> None:
        """Raise when there is a reason to end. Tells the row from time to time how far the task is."""
        self._stops.check()
        if self._around.clock.monotonic() - self._told < _TELL_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._told = self._around.clock.monotonic()
            # Figures and limits are for people: a catalog that is down for a moment ends no validation.
            with suppress(EngineError):
                self._pace.refresh()
                self._around.catalog.validation.note_task(self.task)
        finally:
            self._lock.release()

    def expect(self, size_bytes: int) -> None:
        with self._lock:
            self.task = replace(self.task, total_bytes=self.task.total_bytes + size_bytes)

    def read(self, size_bytes: int) -> None:
        with self._lock:
            self.task = replace(self.task, validated_bytes=self.task.validated_bytes + size_bytes)

    def proven(self, name: str, size_bytes: int, digest: str) -> None:
        if not self._place.dest_id:
            return
        proof = ProofRow(
            tenant_id=self.task.tenant_id,
            dest_id=self._place.dest_id,
            name=name,
            size_bytes=size_bytes,
            digest=digest,
            validate_level=self.task.validate_level,
            proven_time_us=self._around.clock.now_ns() // 1000,
        )
        self._around.catalog.validation.add_proofs([proof])

    def known(self, proof: Proof) -> None:
        with self._lock:
            self.known_count += 1
            self.oldest_us = min(self.oldest_us or proof.proven_us, proof.proven_us)

    def found(self, damage: Damage) -> None:
        # The readers' messages name the object too.
        damage = replace(damage, what=damage.what.removeprefix(damage.name).lstrip(" :"))
        row = self.row_of(damage)
        log.error("tenant %d: damage in %s: %s", row.tenant_id, row.object_name, row.comment)
        if self._place.dest_id and not self._around.catalog.validation.add_damage(row):
            raise _SetGoneError("it is not AVAILABLE any more")
        with self._lock:
            self.damages.append(damage)

    def row_of(self, damage: Damage) -> DamageRow:
        task = self.task
        is_set = task.task_type is ValidateType.BACKUPSET or task.plus_archivelog
        # A set's own log is part of the set, whatever the numbers of the piece it was copied from.
        set_id = _set_id_of(damage.name) if task.plus_archivelog else task.object_id
        return DamageRow(
            tenant_id=task.tenant_id,
            damage_id=0,  # given by the catalog
            dest_id=self._place.dest_id,
            object_type=ValidateType.BACKUPSET if is_set else ValidateType.PIECE,
            object_id=set_id if is_set else task.object_id,
            round_id=0 if is_set else task.round_id,
            object_name=damage.name,
            object_offset=-1 if damage.offset is None else damage.offset,
            block_id=-1 if damage.block_id is None else damage.block_id,
            tablet_id=self._tablet_of(damage),
            validate_level=task.validate_level,
            found_timestamp_us=self._around.clock.now_ns() // 1000,
            job_id=task.job_id,
            task_id=task.task_id,
            comment=damage.what[:_COMMENT_CHARACTERS_MAX],
        )

    def _tablet_of(self, damage: Damage) -> int:
        if damage.block_id is None or not damage.head_hash:
            return UNKNOWN
        tenant_id = self.task.tenant_id
        kept = self._around.keyring(tenant_id).get(self.task.object_id) if self.is_sealed else None
        key = None if kept is None else DataKey(kept.secret)
        return self._around.tablets.tablet_of(tenant_id, damage.block_id, damage.head_hash, key)


class ValidationRun:
    """One validation job in the hands of a worker of this server."""

    def __init__(
        self, around: ValidationSurroundings, job: ValidateJob, stops: Stops, passwords: Passwords | None = None
    ) -> None:
        """`passwords`: SET DECRYPTION of the session that asked, for sets whose key this server does not keep. The next server has none."""
        self._around = around
        self._passwords = passwords
        self._validation = around.catalog.validation
        self._job = job
        self._stops = stops
        self._manifests: dict[int, Manifest] = {}
        self._roots: dict[int, str] = {}
        self._damaged: dict[int, str] = {}
        self._unsound: dict[int, str] = {}
        self._set_keys: dict[int, SetKey] = {}

    def run(self) -> None:
        """Carry the job to its end, or leave it to the next server. Raises nothing but defects."""
        while True:
            try:
                self._attempt()
                return
            except ServerStoppingError:
                return
            except ConflictError as error:
                # A cancel that could not wait ended the rows.
                log.info("tenant %d: validation job %d: %s", self._job.tenant_id, self._job.job_id, error)
                return
            except HoldfastError as error:
                if not self._is_worth_another(error):
                    self.fail(error)
                    return
                log.warning("tenant %d: validation job %d: %s", self._job.tenant_id, self._job.job_id, error)
                with suppress(RefusedError, CanceledError):  # a reason to end is met by the next attempt's own look
                    try:
                        self._stops.rest(_RETRY_SECONDS * (self._job.retry_count + 1))
                    except ServerStoppingError:
                        return
                self._job = self._validation.update_job(replace(self._job, retry_count=self._job.retry_count + 1))

    def fail(self, error: HoldfastError) -> None:
        """End the job for a reason that is no damage."""
        is_cancelled = isinstance(error, CanceledError)
        status = JobStatus.CANCELED if is_cancelled else JobStatus.FAILED
        with suppress(ConflictError):
            self._finish(status, error.code.number, "" if is_cancelled else comment_of(error))

    def _attempt(self) -> None:
        self._check()
        if self._job.retry_count > RETRIES_MAX:
            raise EngineError(f"gave up after {RETRIES_MAX} retries, the last one ended with its server")
        data, archive = self._places()
        stores = {place.kind: self._opened(place) for place in (data, archive) if place is not None}
        if data is not None:
            self._read_manifests(data, stores[DestinationKind.BACKUP_DATA])
        if self._job.status is JobStatus.INIT:
            tasks = self._tasks(data, archive, stores)
            self._job = self._validation.begin(replace(self._job, status=JobStatus.DOING), tasks)
        for task in self._validation.tasks(self._job):
            if task.is_active:
                self._check()
                is_data = task.task_type is ValidateType.BACKUPSET or task.plus_archivelog
                place = data if is_data else archive
                assert place is not None, "a task has the place it was planned for"
                self._carry_out(task, place, stores[place.kind])
        self._conclude()

    def _check(self) -> None:
        self._stops.check()
        if self._job.status is JobStatus.CANCELING or self._job.cancel_requested:
            raise CanceledError

    # --- the plan

    def _places(self) -> tuple[Place | None, Place | None]:
        """Return what the job reads: its data destination and its archive destination."""
        if self._job.path:
            place = place_of(self._job.path, self._job.path_type)
            is_data = place.kind is DestinationKind.BACKUP_DATA
            place = self._named(place, self._job.data_dest_id if is_data else self._job.archive_dest_id)
            return (place, None) if is_data else (None, place)
        data_id, archive_id = self._job.data_dest_id, self._job.archive_dest_id
        return (
            self._registered(data_id, DestinationKind.BACKUP_DATA) if data_id else None,
            self._registered(archive_id, DestinationKind.ARCHIVE_LOG) if archive_id else None,
        )

    def _named(self, place: Place, dest_id: int) -> Place:
        """Return the place of a path that the statement named. One that a user tenant named is judged again: time has passed."""
        if dest_id:
            return replace(self._registered(dest_id, place.kind), root=place.root)
        if self._job.initiator_tenant_id == SYS_TENANT_ID:
            return place
        own = owned_by(self._around.identity.cluster_id, self._job.tenant_id)
        return replace(place, uri=self._around.paths.source(None, place.uri, is_own=own))

    def _registered(self, dest_id: int, kind: DestinationKind) -> Place:
        destination = self._around.catalog.destinations.by_id(self._job.tenant_id, dest_id)
        return Place(uri=destination.uri, kind=kind, dest_id=dest_id)

    def _opened(self, place: Place) -> Store:
        """Return the destination, its owner's record read. Raises CorruptionError, RefusedError (-9080, -9081)."""
        store = self._around.open_store(place.uri)
        try:
            owner, _ = read_document(
                store,
                names.FORMAT_FILE,
                lambda data: decode_format_file(data, name=f"{store.location}/{names.FORMAT_FILE}"),
            )
        except NotFoundError as error:
            raise refuse(
                codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST, "", hint=f"{store.location} has no {names.FORMAT_FILE}"
            ) from error
        self._check_owner(owner, place, store)
        return store

    def _check_owner(self, owner: FormatFile, place: Place, store: Store) -> None:
        mine = (self._around.identity.cluster_id, self._job.tenant_id, place.kind)
        if (owner.cluster_id, owner.tenant_id, owner.kind) != mine:
            hint = f"{store.location} is the {owner.kind} of tenant {owner.tenant_id} of cluster {owner.cluster_id}"
            raise refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, "", hint=hint)

    def _read_manifests(self, place: Place, store: Store) -> None:
        """Read the manifest of every set that is there; one that can not be read is told by its own task."""
        folders = {item.name.partition("/")[0] for item in store.list("backup_set_")}
        for folder in sorted(folders):
            ref = names.parse_set_root(folder)
            if ref is None:
                continue
            self._stops.check()
            try:
                self._manifests[ref.set_id] = read_manifest(store, folder)[0]
            except NotFoundError:
                continue  # not complete, or its deletion has begun
            except CorruptionError:
                pass
            self._roots[ref.set_id] = folder

    def _tasks(
        self, data: Place | None, archive: Place | None, stores: Mapping[DestinationKind, Store]
    ) -> list[ValidateTask]:
        ids = parse_ids(self._job.ids) if self._job.ids else None
        tasks: list[ValidateTask] = []
        if data is not None:
            for set_id in self._chosen_sets(data, ids):
                tasks += self._set_tasks(data, set_id, len(tasks))
            if data.dest_id and ids is None and not data.root:
                self._validation.forget_proofs(self._job.tenant_id, data.dest_id, but=sorted(self._roots.values()))
        if archive is not None:
            pieces = self._chosen_pieces(archive, stores[DestinationKind.ARCHIVE_LOG], ids)
            tasks += [self._piece_task(archive, piece) for piece in pieces]
            if archive.dest_id and ids is None and not archive.root:
                roots = [names.piece_root(piece.dest_id, piece.round_id, piece.piece_id) for piece in pieces]
                self._validation.forget_proofs(self._job.tenant_id, archive.dest_id, but=roots)
        return tasks

    def _chosen_sets(self, place: Place, ids: tuple[int, ...] | None) -> tuple[int, ...]:
        if place.dest_id:
            rows = self._judged_sets(place.dest_id)
            for row in rows:  # a set whose manifest is gone is in no listing
                self._roots.setdefault(row.backup_set_id, names.set_root(row.backup_set_id, row.backup_type))
            there = {row.backup_set_id for row in rows}
        else:
            there = set(self._roots)
        wanted = _wanted(place.root, ids, there, _set_id_of, "some specified backup set not found")
        return tuple(set_id for set_id in chain_closure(wanted, self._manifests) if set_id in there)

    def _judged_sets(self, dest_id: int) -> list[BackupSet]:
        rows = self._around.catalog.backups.sets(self._job.tenant_id, dest_id)
        return [row for row in rows if row.status is SetStatus.SUCCESS and row.file_status in JUDGED]

    def _set_tasks(self, place: Place, set_id: int, planned: int) -> list[ValidateTask]:
        root, manifest = self._roots[set_id], self._manifests.get(set_id)
        task = self._task(ValidateType.BACKUPSET, set_id, place, root, PathType.BACKUP_SET_DEST)
        tasks = [task]
        for folder in own_pieces(manifest) if manifest is not None else ():
            ref = names.parse_piece_root(folder.rpartition("/")[2])
            if ref is not None:
                child = self._task(
                    ValidateType.PIECE, ref.piece_id, place, f"{root}/{folder}", PathType.ARCHIVELOG_PIECE_DEST
                )
                child = replace(child, round_id=ref.round_id, plus_archivelog=True, initiator_task_id=planned + 1)
                tasks.append(child)
        return tasks

    def _chosen_pieces(self, place: Place, store: Store, ids: tuple[int, ...] | None) -> list[names.PieceRef]:
        if place.dest_id:
            rows = self._around.catalog.rounds.pieces(self._job.tenant_id)
            there = [_ref(row) for row in rows if row.dest_id == place.dest_id and row.file_status in JUDGED]
        else:
            folders = sorted({item.name.partition("/")[0] for item in store.list("piece_d")})
            there = [ref for folder in folders if (ref := names.parse_piece_root(folder)) is not None]

        def piece_id_of(root: str) -> int:
            ref = names.parse_piece_root(root)
            return ref.piece_id if ref else 0

        chosen = _wanted(
            place.root, ids, {ref.piece_id for ref in there}, piece_id_of, "some specified archivelog piece not found"
        )
        return sorted((ref for ref in there if ref.piece_id in chosen), key=lambda ref: (ref.round_id, ref.piece_id))

    def _piece_task(self, place: Place, ref: names.PieceRef) -> ValidateTask:
        root = names.piece_root(ref.dest_id, ref.round_id, ref.piece_id)
        task = self._task(ValidateType.PIECE, ref.piece_id, place, root, PathType.ARCHIVELOG_PIECE_DEST)
        return replace(task, round_id=ref.round_id)

    def _task(self, kind: ValidateType, object_id: int, place: Place, root: str, path_type: PathType) -> ValidateTask:
        return ValidateTask(
            tenant_id=self._job.tenant_id,
            task_id=0,  # given when the job begins
            job_id=self._job.job_id,
            task_type=kind,
            object_id=object_id,
            path=f"{place.uri.identity}/{root}",
            path_type=path_type,
            dest_id=place.dest_id,
            validate_level=self._job.validate_level,
            start_timestamp_us=self._now_us(),
        )

    # --- the tasks

    def _carry_out(self, task: ValidateTask, place: Place, store: Store) -> None:
        begun = replace(
            task, status=JobStatus.DOING, start_timestamp_us=self._now_us(), total_bytes=0, validated_bytes=0
        )
        self._validation.note_task(begun)
        pace = self._around.paces.backup(task.tenant_id, DEFAULT_THREADS)
        journal = _TaskJournal(self._around, begun, self._stops, pace, place)
        crew, root = Crew(pace, journal.check), task.path.removeprefix(f"{place.uri.identity}/")
        findings = Findings()
        try:
            if task.task_type is ValidateType.BACKUPSET:
                findings = self._validate_set(task, place, store, root, journal, crew)
            else:
                target = self._piece_target(task, place, store, root)
                memory = self._memory(task, place, root)
                level = Level(task.validate_level)
                findings.is_proven = validate_piece(
                    target, store, level=level, memory=memory, journal=journal, crew=crew
                )
                if not findings.is_proven:
                    findings.notes.append(_CLOSED)
        except _SetGoneError as error:
            self._end_task(journal.task, JobStatus.COMPLETED, 0, error.message)
            return
        except (ServerStoppingError, CanceledError):
            raise
        except HoldfastError as error:
            if not self._is_worth_another(error):
                self._end_task(journal.task, JobStatus.FAILED, error.code.number, comment_of(error))
            raise
        if journal.damages:
            words = _damage_words(journal.damages)
            if task.task_type is ValidateType.BACKUPSET:
                self._damaged[task.object_id] = words
            self._end_task(journal.task, JobStatus.FAILED, codes.OB_CHECKSUM_ERROR.number, words)
            return
        notes = [*findings.notes, *_known_words(journal)]
        if findings.is_proven and place.dest_id:
            notes += self._clear(task, root)
        rests_on = self._damaged_below(task)
        if rests_on:
            self._end_task(journal.task, JobStatus.FAILED, codes.OB_CHECKSUM_ERROR.number, rests_on)
            return
        self._end_task(journal.task, JobStatus.COMPLETED, 0, "; ".join(notes))

    def _validate_set(
        self, task: ValidateTask, place: Place, store: Store, root: str, journal: _TaskJournal, crew: Crew
    ) -> Findings:
        manifest = self._manifests.get(task.object_id)
        is_sealed = manifest is not None and manifest.encryption.mode is not EncryptionMode.NONE
        target = SetTarget(
            set_id=task.object_id,
            roots={**self._roots, task.object_id: root},
            cluster_id=self._around.identity.cluster_id,
            tenant_id=task.tenant_id,
            key=self._key(task.object_id) if is_sealed else None,
        )
        journal.is_sealed = is_sealed
        if task.object_id in self._unsound:
            journal.found(Damage(name=names.manifest_name(root), what=self._unsound[task.object_id]))
        memory = self._memory(task, place, root)
        return validate_set(target, store, level=Level(task.validate_level), memory=memory, journal=journal, crew=crew)

    def _piece_target(self, task: ValidateTask, place: Place, store: Store, root: str) -> PieceTarget:
        if task.plus_archivelog:
            set_id = _set_id_of(root)
            manifest = self._manifests.get(set_id)
            if manifest is None:
                raise _SetGoneError("the manifest of its backup set can not be read any more")
            is_sealed = manifest.encryption.mode is not EncryptionMode.NONE
            set_root = self._roots[set_id]
            objects = {f"{set_root}/{item.name}": item for item in manifest.objects if item.kind is ObjectKind.LOG}
            key = self._key(set_id) if is_sealed else None
            return PieceTarget(root=root, objects=objects, is_sealed=is_sealed, key=key)
        ref = names.parse_piece_root(root)
        assert ref is not None, "a task of a piece has its folder for a path"
        masters = self._around.masters(self._job.tenant_id)
        return PieceTarget(root=root, before=self._piece_before(place, store, ref), masters=masters)

    def _piece_before(self, place: Place, store: Store, ref: names.PieceRef) -> str:
        """Return the folder of the piece this one goes on from, "" when it is its round's first that is there."""
        before = names.piece_root(ref.dest_id, ref.round_id, ref.piece_id - 1)
        if place.dest_id:
            rows = self._around.catalog.rounds.pieces(self._job.tenant_id, ref.round_id)
            is_there = any(
                row.piece_id == ref.piece_id - 1 and row.status is PieceStatus.FROZEN and row.file_status in JUDGED
                for row in rows
            )
            return before if is_there else ""
        return before if next(iter(store.list(f"{before}/")), None) is not None else ""

    def _key(self, set_id: int) -> DataKey | None:
        """Return what opens a sealed set, None when it is not at hand or the manifest names a key that nobody wrapped."""
        try:
            key = self._set_key(set_id)
        except CorruptionError as error:
            self._unsound[set_id] = error.message
            return None
        return None if key is None else DataKey(key.secret)

    def _set_key(self, set_id: int) -> SetKey | None:
        """Return the key of a sealed set: as it is kept, by the tenant's master keys, or by a password of the session that asked.

        Raises CorruptionError for an encryption that no backup wrote.
        """
        kept = self._around.keyring(self._job.tenant_id).get(set_id) or self._set_keys.get(set_id)
        manifest = self._manifests.get(set_id)
        if kept is not None or manifest is None:
            return kept
        encryption, name = manifest.encryption, f"backup set {set_id}"
        secret = None
        if encryption.mode is EncryptionMode.KEY:
            secret = self._around.masters(self._job.tenant_id).secret_of(manifest, name=name)
        elif encryption.mode is EncryptionMode.PASSWORD and self._passwords is not None:
            secret = self._passwords.secret_of(encryption, place_of_set(manifest), name=name)
        if secret is not None:
            self._set_keys[set_id] = SetKey(secret=secret, encryption=encryption)
        return self._set_keys.get(set_id)

    def _memory(self, task: ValidateTask, place: Place, root: str) -> Memory:
        """Return what counts of earlier proofs. Of what is BROKEN nothing does: it is read anew, as a whole."""
        tenant_id = task.tenant_id
        proofs: dict[str, Proof] = {}
        if place.dest_id and not self._open_damage(task, root):
            proofs = {
                row.name: Proof(
                    name=row.name, size_bytes=row.size_bytes, digest=row.digest, proven_us=row.proven_time_us
                )
                for row in self._validation.proofs(tenant_id, place.dest_id, root)
            }
        reread_us = BY_NAME[REREAD].value_of(self._around.catalog.parameters.get(tenant_id, REREAD))
        return Memory(proofs=proofs, now_us=self._now_us(), reread_us=reread_us)

    def _open_damage(self, task: ValidateTask, root: str) -> list[DamageRow]:
        """Return what is open in the objects the task looks at: of a set all but its own log, which has tasks of its own."""
        log_root = f"{names.set_log_root(root)}/"
        return [
            damage
            for damage in self._validation.open_damages(task.tenant_id)
            if damage.dest_id == task.dest_id
            and f"{damage.object_name}/".startswith(f"{root}/")
            and not damage.object_name.startswith(log_root)
        ]

    def _clear(self, task: ValidateTask, root: str) -> list[str]:
        """Take back open damage that this pass has proven good; return what to say of it."""
        covered = {str(level) for level in Level(task.validate_level).covered}
        mine = [damage for damage in self._open_damage(task, root) if damage.validate_level in covered]
        if not mine:
            return []
        self._validation.clear_damages(mine, self._now_us())
        return [f"{len(mine)} findings of earlier validations are cleared"]

    def _damaged_below(self, task: ValidateTask) -> str:
        """Return which damaged set this one rests on, in words, "" when there is none."""
        manifest = self._manifests.get(task.object_id)
        if task.task_type is not ValidateType.BACKUPSET or manifest is None:
            return ""
        for set_id in manifest.chain:
            if set_id != task.object_id and set_id in self._roots:
                below = replace(task, object_id=set_id)
                known = self._open_damage(below, self._roots[set_id]) if task.dest_id else []
                words = self._damaged.get(set_id) or (damage_words(known[0]) if known else "")
                if words:
                    return f"it rests on backup set {set_id}, which is damaged: {words}"
        return ""

    def _end_task(self, task: ValidateTask, status: JobStatus, result: int, comment: str) -> None:
        self._validation.finish_task(
            replace(
                task,
                status=status,
                end_timestamp_us=self._now_us(),
                finish_ls_count=1 if status is JobStatus.COMPLETED else 0,
                result=result,
                comment=comment[:_COMMENT_CHARACTERS_MAX],
            )
        )

    # --- ends

    def _conclude(self) -> None:
        failed = [task for task in self._validation.tasks(self._job) if task.status is JobStatus.FAILED]
        if not failed:
            self._finish(JobStatus.COMPLETED, 0, "")
            return
        named = "; ".join(f"{_named(task)}: {task.comment}" for task in failed[:_NAMED_MAX])
        more = f"; and {len(failed) - _NAMED_MAX} more" if len(failed) > _NAMED_MAX else ""
        self._finish(JobStatus.FAILED, failed[0].result, f"{named}{more}")

    def _finish(self, status: JobStatus, result: int, comment: str) -> None:
        self._validation.finish(
            replace(
                self._job,
                status=status,
                result=result,
                comment=comment[:_COMMENT_CHARACTERS_MAX],
                end_timestamp_us=self._now_us(),
            )
        )
        tell_end(log, f"tenant {self._job.tenant_id}: validation job {self._job.job_id}", status, comment)

    def _is_worth_another(self, error: HoldfastError) -> bool:
        """Return whether the same may succeed a moment later: the destination stumbled, or the catalog is restarted."""
        is_passing = isinstance(error, EngineError) or (
            isinstance(error, StoreUnavailableError) and error.code is codes.OB_OBJECT_STORAGE_IO_ERROR
        )
        return is_passing and self._job.retry_count < RETRIES_MAX

    def _now_us(self) -> int:
        return self._around.clock.now_ns() // 1000


def place_of(path: str, path_type: PathType) -> Place:
    """Return the destination a statement's path lies in, and which of its folders it names. DEST_ID is not known yet."""
    uri = parse_uri(path)
    is_data = path_type in (PathType.BACKUP_DEST, PathType.BACKUP_SET_DEST)
    kind = DestinationKind.BACKUP_DATA if is_data else DestinationKind.ARCHIVE_LOG
    if path_type in (PathType.BACKUP_DEST, PathType.ARCHIVELOG_DEST):
        return Place(uri=uri, kind=kind, dest_id=0)
    parent, _, root = uri.path.rpartition("/")
    return Place(uri=replace(uri, path=parent or "/"), kind=kind, dest_id=0, root=root)


def destination_at(destinations: Iterable[Destination], uri: Uri) -> Destination | None:
    """Return the tenant's destination that the path is, or is the folder of a set or a piece in."""
    places = places_of([uri])
    return next((one for one in destinations if one.uri.identity in places), None)


def registered_at(destinations: Iterable[Destination], place: Place) -> int:
    """Return the DEST_ID of the tenant's destination at this place, 0 when it is none."""
    return next(
        (one.dest_id for one in destinations if one.uri.identity == place.uri.identity and one.kind is place.kind), 0
    )


def comment_of(error: HoldfastError) -> str:
    """Return what COMMENT says: a refusal's own words, of anything else the code with what happened."""
    if isinstance(error, RefusedError | NotFoundError):
        return str(error)[:_COMMENT_CHARACTERS_MAX]
    return f"result: {error.code.number}({error.code.default}): {error}"[:_COMMENT_CHARACTERS_MAX]


def _wanted(
    root: str, ids: tuple[int, ...] | None, there: set[int], id_of: Callable[[str], int], not_found: str
) -> list[int]:
    wanted = ids if ids is not None else ((id_of(root),) if root else tuple(sorted(there)))
    if not set(wanted) <= there or (root and ids is not None and set(wanted) != {id_of(root)}):
        raise NotFoundError(not_found, code=codes.OB_ENTRY_NOT_EXIST)
    return list(wanted)


def _ref(piece: Piece) -> names.PieceRef:
    return names.PieceRef(dest_id=piece.dest_id, round_id=piece.round_id, piece_id=piece.piece_id)


def _set_id_of(name: str) -> int:
    """Return the set whose folder the name begins with, 0 for another."""
    ref = names.parse_set_root(name.partition("/")[0])
    return ref.set_id if ref else 0


def _named(task: ValidateTask) -> str:
    what = "backup set" if task.task_type is ValidateType.BACKUPSET else "archivelog piece"
    return f"{what} {task.object_id}"


def _damage_words(damages: list[Damage]) -> str:
    """Return the damage in words: where, and what."""
    named = []
    for damage in damages[:_NAMED_MAX]:
        place = f" at offset {damage.offset}" if damage.offset is not None else ""
        block = f", block {damage.block_id}" if damage.block_id is not None else ""
        named.append(f"{damage.name}{place}{block}: {damage.what}")
    more = f"; {len(damages) - _NAMED_MAX} more in BACKUP_DAMAGES" if len(damages) > _NAMED_MAX else ""
    return "; ".join(named) + more


def _known_words(journal: _TaskJournal) -> list[str]:
    if not journal.known_count or journal.oldest_us is None:
        return []
    return [
        f"{journal.known_count} objects were proven before, the first at {Scn(journal.oldest_us * 1000).display()} UTC"
    ]
