"""One backup, its effects in the order that keeps a crash harmless.

    1. start placeholder              killed after: a name for people, nothing else
       owner's claim of the folder       killed after: the next attempt finds its own claim, another server somebody else's
    2. data objects, each whole       killed after: the next attempt walks them and takes what still matches
    3. small files, super blocks      killed after: written again
    4. wait for the archive           the set is worth nothing before the log reaches its end
       PLUS ARCHIVELOG: the log          killed after: written again
       the log looked for                as a restore looks for it; nothing is written
    5. index                          killed after: written again
       the objects looked for         nothing is written
    6. manifest                       the commit: before it the set is invisible, after it complete
    7. end placeholder                killed after 6: the next attempt finds the manifest and only does this

Nothing is deleted, and nothing outside the set's folder but the two placeholders is written.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from holdfast import codes
from holdfast.backup.claim import claim_set, finished_manifest
from holdfast.backup.complement import copy_log, find_log
from holdfast.backup.copier import Copier
from holdfast.backup.journal import BaseBlock, Figures, Image, Journal, LogTail, SmallFile
from holdfast.backup.moment import Moment, Search
from holdfast.backup.plan import DEFAULT_THREADS, PassPolicy
from holdfast.backup.required_log import LogLack
from holdfast.backup.resume import seed_table
from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkSealer, seal_file
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, encode_index
from holdfast.backup_format.manifest import (
    Encryption,
    Manifest,
    ObjectDigest,
    ObjectKind,
    ObjectRecord,
    authenticated,
    encode_manifest,
)
from holdfast.backup_format.owner_record import SetClaim, encode_placeholder
from holdfast.clock import Clock
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import ConflictError, CorruptionError, EngineError, RefusedError, StoreUnavailableError
from holdfast.keys.masters import NO_MASTERS, Masters
from holdfast.store.store import Store
from holdfast.values.backup_set import BackupType, TaskStatus
from holdfast.values.buffers import Buffer
from holdfast.values.lsn import Lsn
from holdfast.values.owner import Lineage, Owner
from holdfast.values.pace import FixedPace, Pace
from holdfast.values.scn import Scn
from holdfast.values.tenant import CompatibilityMode, Unit

ACCOUNT_FILE = "account"
"""The small file that holds Holdfast's own login in the tenant. Not one of the engine's: a restore keeps it apart."""

ARCHIVE_WAIT_SECONDS_MAX = 3600.0
_ARCHIVE_POLL_SECONDS = 0.02
_TELL_SECONDS = 0.5
_PACE_WAIT_SECONDS = 0.1
_QUIET_SECONDS_MAX = 5.0
_QUIET_POLL_SECONDS = 0.05
_BROKEN_LISTED_MAX = 20
_LOG_WAIT_SECONDS_MAX = 30.0
"""The archive has said that the log is durable, and frames prove themselves: what is not there by then is lost, or never came."""
_LOG_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRef:
    """The archive round whose log goes on from the image."""

    dest_id: int
    round_id: int
    timeline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSet:
    """The set an increment rests on: its image, and the full set its chain begins with.

    `keys`: of the encrypted sets that hold its chunks, by set id.
    """

    backup_set_id: int
    full_backup_set_id: int
    table: BlockTable
    keys: Mapping[int, DataKey] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """What one backup is to make. Nothing in it changes while the backup runs, so that a crashed one can resume.

    `base`: None makes a full set. `note`: what a person should know of it before it begins. `account`: the bytes of the
    login's file, a secret; `needs_certificate`: it is let in by one alone. `masters`: open the archive's log. `owner`: this
    attempt; `lineage`: whose earlier attempts at the same job are taken up.
    """

    cluster_name: str
    cluster_id: int
    tenant_id: int
    tenant_name: str
    compatibility_mode: CompatibilityMode = CompatibilityMode.MYSQL
    dest_id: int
    backup_set_id: int
    archive: ArchiveRef
    engine_data_version: str
    engine_binary_version: str
    unit: Unit
    account: bytes = field(repr=False)
    needs_certificate: bool = False
    started_us: int
    owner: Owner
    lineage: Lineage
    description: str = ""
    base: BaseSet | None = None
    note: str = ""
    encryption: Encryption = field(default_factory=Encryption)
    key: DataKey | None = field(default=None, repr=False)
    masters: Masters = NO_MASTERS
    policy: PassPolicy = field(default_factory=PassPolicy)

    @property
    def type(self) -> BackupType:
        return BackupType.FULL if self.base is None else BackupType.INC

    @property
    def root(self) -> str:
        """Return the set's folder in the destination."""
        return names.set_root(self.backup_set_id, self.type)

    @property
    def claim(self) -> SetClaim:
        """Return what says in the set's folder whose it is."""
        return SetClaim(
            cluster_id=self.cluster_id,
            tenant_id=self.tenant_id,
            dest_id=self.dest_id,
            backup_set_id=self.backup_set_id,
            type=self.type,
            owner=self.owner,
        )

    def made(self, owner: Owner | None) -> bool:
        """Return whether an attempt at a job of this number made it; of whose, the claim tells (job ids are a tenant's own)."""
        return self.lineage.made_for(owner, self.owner.job_kind, self.owner.job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """What a completed backup is. `comment`: what a person should know of how it went, mostly nothing."""

    manifest: Manifest
    figures: Figures
    comment: str


def run_backup(
    plan: BackupPlan,
    image: Image,
    store: Store,
    tail: LogTail,
    journal: Journal,
    clock: Clock,
    *,
    archive: Store | None = None,
    pace: Pace | None = None,
    is_quiet: Callable[[], bool] = lambda: True,
    lack: Callable[[Manifest], LogLack | None] = lambda manifest: None,
) -> BackupResult:
    """Make the set and return what it is; when this returns, the manifest is durable.

    `archive`: the archive's destination, from which a set PLUS ARCHIVELOG takes its log; None makes one without. `pace`: how
    fast it may go, asked again and again; None means two threads and no limit. `is_quiet` tells whether the engine has no
    transaction under way that the log knows of: the end of the image is put where it had none, if that comes within 5 s.
    `lack` tells what of its log the archive does not hold: such a set is not made, unless it holds its own.

    Repeatable: running it again with the same plan after a crash takes up what the crashed one put, or finds it done.
    Raises CanceledError, ForeignOwnerError (the folder is another's), RefusedError (the archive), StoreUnavailableError,
    CorruptionError, EngineError; then no manifest of ours exists, so nothing of the set is visible to a restore.
    """
    manifest = finished_manifest(store, plan.claim, plan.made)
    if manifest is not None:
        return complete(manifest, store, plan.owner)
    pace = pace or FixedPace(threads=DEFAULT_THREADS)
    with contextlib.closing(_Run(plan, image, store, tail, journal, clock, archive, pace, is_quiet, lack)) as run:
        manifest, comment = run.run()
    return complete(manifest, store, plan.owner, comment)


def complete(manifest: Manifest, store: Store, owner: Owner, comment: str = "") -> BackupResult:
    """Put the end placeholder of a set whose manifest is durable, and return what the set is. Repeatable."""
    end = names.SetPlaceholder(
        set=names.SetRef(set_id=manifest.backup_set_id, type=manifest.type),
        event=names.SetEvent.SUCCESS,
        tag=manifest.min_restore_scn.tag(UTC),
    )
    try:
        store.put(names.set_placeholder(end), encode_placeholder(owner))
    except StoreUnavailableError as error:
        # The set is complete and durable; a name for people is no reason to call it failed.
        comment = "; ".join(filter(None, (comment, f"no end placeholder: {error.message}")))
    return BackupResult(manifest=manifest, figures=figures_of(manifest), comment=comment)


def figures_of(manifest: Manifest) -> Figures:
    """Return the figures of a complete backup."""
    meta_kinds = {ObjectKind.FILE, ObjectKind.INDEX}
    meta_bytes = sum(item.size_bytes for item in manifest.objects if item.kind in meta_kinds)
    log_count = sum(item.kind is ObjectKind.LOG for item in manifest.objects)
    return Figures(
        block_count=manifest.block_count,
        block_done_count=manifest.block_count,
        input_bytes=manifest.input_bytes,
        output_bytes=manifest.output_bytes,
        meta_bytes=meta_bytes,
        object_count=len(manifest.objects),
        log_object_count=log_count,
        log_object_done_count=log_count,
    )


class _Run:
    """One attempt at one backup."""

    def __init__(
        self,
        plan: BackupPlan,
        image: Image,
        store: Store,
        tail: LogTail,
        journal: Journal,
        clock: Clock,
        archive: Store | None,
        pace: Pace,
        is_quiet: Callable[[], bool],
        lack: Callable[[Manifest], LogLack | None],
    ) -> None:
        self._plan = plan
        self._lack = lack
        self._is_quiet = is_quiet
        self._pace = pace
        self._archive = archive
        self._image = image
        self._store = store
        self._tail = tail
        self._journal = journal
        self._clock = clock
        self._told = clock.monotonic() - _TELL_SECONDS
        self._notes = [plan.note] if plan.note else []
        claim_set(store, plan.claim, plan.made)
        table = BlockTable(image.block_count())
        if plan.base is not None:
            _refer_to(plan.base, table)
        leftover = seed_table(store, plan.root, plan.backup_set_id, table, key=plan.key, check=journal.check)
        if leftover.objects or leftover.damaged_count:
            self._notes.append(
                f"took up {len(leftover.objects)} data objects of an earlier attempt"
                + (f", removed {leftover.damaged_count} damaged ones" if leftover.damaged_count else "")
            )
        self._copier = Copier(
            image,
            store,
            table,
            root=plan.root,
            set_id=plan.backup_set_id,
            objects=leftover.objects,
            pace=pace,
            key=plan.key,
            clock=clock,
            tell=self._note,
            base_keys=plan.base.keys if plan.base else None,
        )

    def close(self) -> None:
        self._copier.close()

    def run(self) -> tuple[Manifest, str]:
        """Do everything but the end placeholder. The order of the lines is the order of the effects."""
        plan, journal = self._plan, self._journal
        journal.check()
        start = names.SetPlaceholder(
            set=names.SetRef(set_id=plan.backup_set_id, type=plan.type), event=names.SetEvent.START
        )
        self._store.put(names.set_placeholder(start), encode_placeholder(plan.owner))
        journal.begin_phase(TaskStatus.BACKUP_META)
        _, start_scn = self._tail.tail_after()
        journal.know_scns(start_scn=start_scn, end_scn=None)
        base = self._image.base_block(self._image.clog_meta())
        self._check_archive_reaches(base)
        if base is not None:
            # It can only be worse with the set's own base and end: what is late is there by then, what is lost is not.
            self._require_log(self._manifest(base, start_scn, start_scn, base.lsn), seconds=0)
        journal.begin_phase(TaskStatus.BACKUP_DATA)
        moment = Search(self._image, self._copier, plan.policy, self._clock, journal.check).run()
        end_lsn, min_restore_scn = self._find_end()
        self._check_archive_reaches(moment.base)
        journal.know_scns(start_scn=start_scn, end_scn=min_restore_scn)
        for block_id, block in enumerate(moment.super_blocks):
            self._copier.put_super_block(block_id, block)
        self._copier.commit()
        files = self._put_files(moment)
        journal.begin_phase(TaskStatus.BACKUP_LOG)
        self._wait_for_archive(min_restore_scn)
        logs = self._put_log(moment.base.lsn, end_lsn)
        index = self._put_index()
        objects = (*self._copier.objects(), *files, *logs, index)
        manifest = self._manifest(
            moment.base, start_scn, min_restore_scn, end_lsn, objects, moment.block_file_size_bytes
        )
        self._require_log(manifest, seconds=_LOG_WAIT_SECONDS_MAX)
        manifest = self._put_manifest(manifest)
        self._take_notes(moment)
        return manifest, "; ".join(self._notes)

    def _find_end(self) -> tuple[Lsn, Scn]:
        """Return where the set ends. Taken after the moment: every change the image holds is in the log below it.

        What a restore to this end would cut in two keeps its row locks for good. The engine's own transactions take a tenth of a
        second, so an end without any is found soon; the longer ones are the tenant's, and a restore tells of them.
        """
        end = self._clock.monotonic() + _QUIET_SECONDS_MAX
        was_quiet = self._is_quiet()
        while True:
            found = self._tail.tail_after()
            is_quiet = self._is_quiet()
            if (was_quiet and is_quiet) or self._clock.monotonic() > end:
                return found
            was_quiet = is_quiet
            self._journal.check()
            self._clock.sleep(_QUIET_POLL_SECONDS)

    def _note(self, figures: Figures) -> None:
        """Ask whether to go on, and tell how far the work is, at most twice a second."""
        self._journal.check()
        now = self._clock.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            self._journal.note(figures)

    def _check_archive_reaches(self, base: BaseBlock | None) -> None:
        """Refuse when the round begins behind the base block: a restore could not replay what lies between."""
        start_lsn = self._tail.start_lsn()
        if base is not None and base.lsn < start_lsn:
            raise RefusedError(
                f"archive round {self._plan.archive.round_id} begins at LSN {start_lsn}, behind LSN {base.lsn} where replay"
                " of this image begins",
                hint="have the tenant checkpoint (ALTER SYSTEM MINOR FREEZE), then repeat the backup",
                code=codes.OB_ARCHIVE_LOG_NOT_CONTINUES_WITH_DATA,
            )

    def _wait_for_archive(self, min_restore_scn: Scn) -> None:
        """Return when the log up to `min_restore_scn` is durable in the archive."""
        self._tail.request_flush(min_restore_scn)
        end = self._clock.monotonic() + ARCHIVE_WAIT_SECONDS_MAX
        while self._tail.checkpoint_scn() < min_restore_scn:
            self._note(self._copier.counters.figures())
            if self._clock.monotonic() > end:
                raise EngineError(
                    f"the archive's checkpoint {self._tail.checkpoint_scn()} did not reach {min_restore_scn} in"
                    f" {ARCHIVE_WAIT_SECONDS_MAX:.0f} s",
                    hint="look at the COMMENT of the archive round",
                    code=codes.OB_TIMEOUT,
                )
            self._clock.sleep(_ARCHIVE_POLL_SECONDS)

    def _put_log(self, base_lsn: Lsn, end_lsn: Lsn) -> tuple[ObjectRecord, ...]:
        """Copy the log from the base block to the end of the image into the set, if it is to hold its own."""
        if self._archive is None:
            return ()
        ref = self._plan.archive
        log_objects = find_log(
            self._archive,
            dest_id=ref.dest_id,
            round_id=ref.round_id,
            timeline=ref.timeline,
            base_lsn=base_lsn,
            end_lsn=end_lsn,
            masters=self._plan.masters,
        )
        counters = self._copier.counters
        counters.expect_log(len(log_objects))

        def copied(size_bytes: int) -> None:
            counters.log_copied(size_bytes)
            self._note(counters.figures())

        def before(size_bytes: int) -> None:
            self._note(counters.figures())
            while (seconds := self._pace.try_take(2 * size_bytes)) > 0:  # read here, written there
                self._clock.sleep(min(seconds, _PACE_WAIT_SECONDS))
                self._note(counters.figures())

        return tuple(
            copy_log(
                self._archive,
                self._store,
                log_objects,
                set_root=self._plan.root,
                before=before,
                copied=copied,
                key=self._plan.key,
                owner=self._plan.owner,
            )
        )

    def _put_files(self, moment: Moment) -> tuple[ObjectRecord, ...]:
        account = SmallFile(name=ACCOUNT_FILE, data=self._plan.account, size_bytes=len(self._plan.account))
        sealer = ChunkSealer(key=self._plan.key)
        return tuple(self._put_file(number, file, sealer) for number, file in enumerate((*moment.files, account), 1))

    def _put_file(self, number: int, file: SmallFile, sealer: ChunkSealer) -> ObjectRecord:
        content = file.data + bytes(file.size_bytes - len(file.data))
        buffers = seal_file(self._plan.backup_set_id, number, content, sealer=sealer)
        return self._put_object(
            names.meta_name(self._plan.root, file.name), ObjectKind.FILE, buffers, number, len(content)
        )

    def _put_index(self) -> ObjectRecord:
        slices = encode_index(self._copier.table, set_id=self._plan.backup_set_id, block_size_bytes=MACRO_BLOCK_BYTES)
        return self._put_object(names.index_name(self._plan.root), ObjectKind.INDEX, slices)

    def _put_object(
        self,
        name: str,
        kind: ObjectKind,
        buffers: Iterable[Buffer],
        number: int = 0,
        content_size_bytes: int | None = None,
    ) -> ObjectRecord:
        digest = ObjectDigest()
        with self._store.writer(name) as writer:
            for buffer in buffers:
                digest.update(buffer)
                writer.write(buffer)
            size_bytes = writer.offset
            writer.commit()
        self._copier.counters.add(meta_bytes=size_bytes, objects=1)
        return ObjectRecord(
            name=name.removeprefix(self._plan.root + "/"),
            kind=kind,
            number=number,
            size_bytes=size_bytes,
            content_size_bytes=size_bytes if content_size_bytes is None else content_size_bytes,
            digest=digest.text(),
        )

    def _require_log(self, manifest: Manifest, *, seconds: float) -> None:
        """Raise CorruptionError (-9064) when the archive lacks log of the set. What may only be late is waited for this long."""
        if self._archive is not None:
            return  # its log is copied into the set, which finds what is missing
        end = self._clock.monotonic() + seconds
        while (lack := self._lack(manifest)) is not None:
            if lack.is_damage or (seconds and self._clock.monotonic() > end):
                raise lack.error()
            if not seconds:
                return
            self._note(self._copier.counters.figures())
            self._clock.sleep(_LOG_POLL_SECONDS)

    def _manifest(
        self,
        base: BaseBlock,
        start_scn: Scn,
        min_restore_scn: Scn,
        end_lsn: Lsn,
        objects: tuple[ObjectRecord, ...] = (),
        block_file_size_bytes: int = 0,
    ) -> Manifest:
        plan, table = self._plan, self._copier.table
        figures = self._copier.counters.figures()
        return Manifest(
            cluster_name=plan.cluster_name,
            cluster_id=plan.cluster_id,
            tenant_id=plan.tenant_id,
            tenant_name=plan.tenant_name,
            compatibility_mode=plan.compatibility_mode,
            dest_id=plan.dest_id,
            backup_set_id=plan.backup_set_id,
            type=plan.type,
            prev_full_backup_set_id=plan.base.full_backup_set_id if plan.base else 0,
            prev_inc_backup_set_id=plan.base.backup_set_id if plan.base else 0,
            chain=tuple(sorted({*table.set_ids(), plan.backup_set_id})),
            engine_data_version=plan.engine_data_version,
            engine_binary_version=plan.engine_binary_version,
            start_scn=start_scn,
            # Block 0 of a young engine has its first group's SCN here, which an idle engine may not have passed.
            start_replay_scn=min(base.min_scn, min_restore_scn),
            min_restore_scn=min_restore_scn,
            base_lsn=base.lsn,
            end_lsn=end_lsn,
            plus_archivelog=self._archive is not None,
            timeline=plan.archive.timeline,
            archive_dest_id=plan.archive.dest_id,
            round_id=plan.archive.round_id,
            block_size_bytes=MACRO_BLOCK_BYTES,
            block_file_size_bytes=block_file_size_bytes,
            block_count=len(table),
            input_bytes=figures.input_bytes,
            output_bytes=sum(item.size_bytes for item in objects),
            dead_bytes=_dead_bytes(objects, table, plan.backup_set_id),
            unit=plan.unit,
            encryption=plan.encryption,
            objects=objects,
            description=plan.description,
            started_us=plan.started_us,
            ended_us=self._clock.now_ns() // 1000,
            owner=plan.owner,
            needs_certificate=plan.needs_certificate,
        )

    def _put_manifest(self, manifest: Manifest) -> Manifest:
        plan = self._plan
        if plan.key is not None:
            manifest = authenticated(manifest, plan.key)
        summary = names.set_summary_name(
            plan.root, manifest.start_replay_scn.tag(UTC), manifest.min_restore_scn.tag(UTC)
        )
        self._store.put(summary, encode_placeholder(plan.owner))
        self._require_objects(manifest)
        self._journal.check()
        # The last line that a cancel can stop. A crash after it leaves a set that the next attempt finds complete, or not.
        self._journal.begin_commit()
        text, name = encode_manifest(manifest), names.manifest_name(plan.root)
        try:
            self._store.put_new(name, text)
        except ConflictError:
            # Put again after an answer that was lost, or another writer's: then the claim was taken away under us.
            if finished_manifest(self._store, plan.claim, plan.made) != manifest:
                raise
        return manifest

    def _require_objects(self, manifest: Manifest) -> None:
        """Raise CorruptionError unless every object the manifest promises is there with its size, a crashed attempt's too.

        The writers said so of each when it was committed, an hour ago perhaps: somebody else may have removed or replaced it since.
        """
        root = self._plan.root
        sizes = {item.name: item.size_bytes for item in self._store.list(f"{root}/")}
        for item in manifest.objects:
            found = sizes.get(f"{root}/{item.name}")
            if found != item.size_bytes:
                what = (
                    "is not there any more"
                    if found is None
                    else f"has {found} bytes now, {item.size_bytes} were written"
                )
                raise CorruptionError(
                    f"{self._store.location}/{root}/{item.name} {what}",
                    hint="something else removes or changes files of the destination: end that, then repeat the backup",
                )

    def _take_notes(self, moment: Moment) -> None:
        if moment.pause_ns is not None:
            self._notes.append(f"engine paused {moment.pause_ns / 1e6:.1f} ms after {moment.pass_count} passes")
        if moment.left_out_count:
            self._notes.append(f"{moment.left_out_count} blocks were being written and are not part of the image")
        broken = sorted(self._copier.brokenness.verbatim)
        if broken:
            listed = ", ".join(str(block_id) for block_id in broken[:_BROKEN_LISTED_MAX])
            self._notes.append(f"{len(broken)} unused blocks fail their checksum and were copied as they are: {listed}")


def _refer_to(base: BaseSet, table: BlockTable) -> None:
    """Let the new image begin as the base's: what did not change is referred to, never copied."""
    table.grow(base.table.block_count)
    for record in base.table:
        table.put(record)


def _dead_bytes(objects: Iterable[ObjectRecord], table: BlockTable, set_id: int) -> int:
    """Return how many stored bytes of this set's data objects no record names."""
    stored = sum(item.size_bytes for item in objects if item.kind is ObjectKind.DATA)
    named = sum(record.stored_size_bytes + CHUNK_HEADER_BYTES for record in table if record.set_id == set_id)
    return stored - named
