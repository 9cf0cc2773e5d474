"""One backup, its effects in the order that keeps a crash harmless.

    1. start placeholder              killed after: a name for people, nothing else
    2. data objects, each whole       killed after: the next attempt walks them and takes what still matches
    3. small files, super blocks      killed after: written again
    4. wait for the archive           the set is worth nothing before the log reaches its end
       PLUS ARCHIVELOG: the log          killed after: written again
    5. index                          killed after: written again
    6. manifest                       the commit: before it the set is invisible, after it complete
    7. end placeholder                killed after 6: the next attempt finds the manifest and only does this

Nothing is deleted, and nothing outside the set's folder but the two placeholders is written.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from holdfast import codes
from holdfast.backup.complement import copy_log, find_log
from holdfast.backup.copier import Copier
from holdfast.backup.journal import BaseBlock, Figures, Image, Journal, LogTail, SmallFile
from holdfast.backup.moment import Moment, Search
from holdfast.backup.plan import DEFAULT_THREADS, PassPolicy
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
    decode_manifest,
    encode_manifest,
)
from holdfast.clock import Clock
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import EngineError, NotFoundError, RefusedError, StoreUnavailableError
from holdfast.store.small import MANIFEST_BYTES_MAX, get_small
from holdfast.store.store import Store
from holdfast.values.backup_set import BackupType, TaskStatus
from holdfast.values.buffers import Buffer
from holdfast.values.lsn import Lsn
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
    login's file, a secret.
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
    started_us: int
    description: str = ""
    base: BaseSet | None = None
    note: str = ""
    encryption: Encryption = field(default_factory=Encryption)
    key: DataKey | None = field(default=None, repr=False)
    policy: PassPolicy = field(default_factory=PassPolicy)

    @property
    def type(self) -> BackupType:
        return BackupType.FULL if self.base is None else BackupType.INC

    @property
    def root(self) -> str:
        """Return the set's folder in the destination."""
        return names.set_root(self.backup_set_id, self.type)


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
) -> BackupResult:
    """Make the set and return what it is; when this returns, the manifest is durable.

    `archive`: the archive's destination, from which a set PLUS ARCHIVELOG takes its log; None makes one without. `pace`: how
    fast it may go, asked again and again; None means two threads and no limit. `is_quiet` tells whether the engine has no
    transaction under way that the log knows of: the end of the image is put where it had none, if that comes within 5 s.

    Repeatable: running it again with the same plan after a crash takes up what the crashed one put, or finds it done.
    Raises CanceledError, RefusedError (the archive), StoreUnavailableError, CorruptionError, EngineError; then no
    manifest exists, so nothing of the set is visible to a restore.
    """
    manifest = finished_manifest(plan.root, store)
    if manifest is not None:
        return complete(manifest, store)
    pace = pace or FixedPace(threads=DEFAULT_THREADS)
    with contextlib.closing(_Run(plan, image, store, tail, journal, clock, archive, pace, is_quiet)) as run:
        manifest, comment = run.run()
    return complete(manifest, store, comment)


def finished_manifest(root: str, store: Store) -> Manifest | None:
    """Return the manifest of the set at `root` if it is there: then the backup is complete, whatever else is said."""
    name = names.manifest_name(root)
    try:
        return decode_manifest(get_small(store, name, MANIFEST_BYTES_MAX), name=name)
    except NotFoundError:
        return None


def complete(manifest: Manifest, store: Store, comment: str = "") -> BackupResult:
    """Put the end placeholder of a set whose manifest is durable, and return what the set is. Repeatable."""
    end = names.SetPlaceholder(
        set=names.SetRef(set_id=manifest.backup_set_id, type=manifest.type),
        event=names.SetEvent.SUCCESS,
        tag=manifest.min_restore_scn.tag(UTC),
    )
    try:
        store.put(names.set_placeholder(end), names.PLACEHOLDER_CONTENT)
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
    ) -> None:
        self._plan = plan
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
        self._store.put(names.set_placeholder(start), names.PLACEHOLDER_CONTENT)
        journal.begin_phase(TaskStatus.BACKUP_META)
        _, start_scn = self._tail.tail_after()
        journal.know_scns(start_scn=start_scn, end_scn=None)
        self._check_archive_reaches(self._image.base_block(self._image.clog_meta()))
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
        manifest = self._put_manifest(
            moment, start_scn, min_restore_scn, end_lsn, (*self._copier.objects(), *files, *logs, index)
        )
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
            self._archive, dest_id=ref.dest_id, round_id=ref.round_id, base_lsn=base_lsn, end_lsn=end_lsn
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

    def _put_manifest(
        self,
        moment: Moment,
        start_scn: Scn,
        min_restore_scn: Scn,
        end_lsn: Lsn,
        objects: tuple[ObjectRecord, ...],
    ) -> Manifest:
        plan, table = self._plan, self._copier.table
        figures = self._copier.counters.figures()
        manifest = Manifest(
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
            start_replay_scn=min(moment.base.min_scn, min_restore_scn),
            min_restore_scn=min_restore_scn,
            base_lsn=moment.base.lsn,
            end_lsn=end_lsn,
            plus_archivelog=self._archive is not None,
            timeline=plan.archive.timeline,
            archive_dest_id=plan.archive.dest_id,
            round_id=plan.archive.round_id,
            block_size_bytes=MACRO_BLOCK_BYTES,
            block_file_size_bytes=moment.block_file_size_bytes,
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
        )
        if plan.key is not None:
            manifest = authenticated(manifest, plan.key)
        summary = names.set_summary_name(
            plan.root, manifest.start_replay_scn.tag(UTC), manifest.min_restore_scn.tag(UTC)
        )
        self._store.put(summary, names.PLACEHOLDER_CONTENT)
        self._journal.check()
        # The last line that a cancel can stop. A crash after it leaves a set that the next attempt finds complete, or not.
        self._journal.begin_commit()
        self._store.put(names.manifest_name(plan.root), encode_manifest(manifest))
        return manifest

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
