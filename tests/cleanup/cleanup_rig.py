"""Tenants with forged sets and pieces, on a real catalog: everything cleanup looks at, nothing a backup would have to make.

The log of a forged tenant grows by 1000 bytes a second from 30 days ago on; piece n covers the n-th of those days.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine_rig import EngineRig
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import LogPosition
from holdfast.backup_format.manifest import Manifest, ObjectKind, ObjectRecord, encode_manifest
from holdfast.backup_format.piece_record import FormatFile, PieceBlock, PieceRecord, encode_piece_record
from holdfast.catalog.backups import BackupSet
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.cleanup import DeleteJob
from holdfast.clock import SystemClock
from holdfast.jobs.cleanup import Cleanup
from holdfast.jobs.destinations import OpenStore, claim_destination
from holdfast.jobs.identity import ClusterIdentity
from holdfast.jobs.session import Session
from holdfast.keys.host_key import HostKey
from holdfast.keys.keyring import Keyring
from holdfast.store.open import open_store
from holdfast.store.store import Store
from holdfast.values.archive import FileStatus, Piece, PieceStatus, Round, RoundStatus
from holdfast.values.backup_set import BackupType, SetStatus
from holdfast.values.destination import ArchiveDestination, Binding, Destination, DestinationKind, parse_uri
from holdfast.values.grants import EVERYTHING
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from holdfast.values.tenant import (
    SYS_TENANT_ID,
    CompatibilityMode,
    LogMode,
    Tenant,
    TenantRole,
    TenantStatus,
    Unit,
)
from owner_rig import Unarchived

UNIT = Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30)
IDENTITY = ClusterIdentity(name="test", cluster_id=7)
CLOCK = SystemClock()
TIMELINE = "ab" * 16
DAY_NS = 86400 * 10**9
DAYS = 30
WAIT_SECONDS = 60.0
_LSN_AT_BEGIN = 1 << 40
"""What lies before the world began has log, too."""
_DIGEST = "ab" * 32


def tenant_of(tenant_id: int, name: str) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=name,
        role=TenantRole.PRIMARY,
        status=TenantStatus.NORMAL,
        log_mode=LogMode.ARCHIVELOG,
        mode=CompatibilityMode.MYSQL,
        unit=UNIT,
        create_time_us=1,
        modify_time_us=1,
        data_version="1.4.0.0",
    )


def session_of(tenant: Tenant) -> Session:
    return Session(tenant=tenant, user="root", client_id=1, grants=EVERYTHING)


SYS = session_of(tenant_of(SYS_TENANT_ID, "sys"))


@dataclass
class Forged:
    """One tenant, its destinations, and what was forged for it."""

    world: "World"
    tenant: Tenant
    place: Path
    data: Destination
    archive: Destination
    began_ns: int

    @property
    def id(self) -> int:
        return self.tenant.tenant_id

    @property
    def session(self) -> Session:
        return session_of(self.tenant)

    def scn(self, days_ago: float) -> Scn:
        return Scn(self.began_ns + int((DAYS - days_ago) * DAY_NS))

    def lsn(self, scn: Scn) -> Lsn:
        return Lsn(_LSN_AT_BEGIN + (int(scn) - self.began_ns) // 1_000_000)

    def data_store(self, dest: Destination | None = None) -> Store:
        return open_store((dest or self.data).uri)

    def make_set(
        self,
        days_ago: float,
        *,
        base: int = 0,
        status: SetStatus = SetStatus.SUCCESS,
        result: int = 0,
        has_log: bool = False,
        dest: Destination | None = None,
        objects: int = 3,
    ) -> int:
        """Forge a set that ended `days_ago`, whose log begins an hour before, and return its id."""
        catalog, dest = self.world.catalog, dest or self.data
        set_id = catalog.backups.next_set_id(self.id)
        backup_type = BackupType.INC if base else BackupType.FULL
        end, start = self.scn(days_ago), Scn(self.scn(days_ago) - 3600 * 10**9)
        root = names.set_root(set_id, backup_type)
        is_good = status is SetStatus.SUCCESS
        store = self.data_store(dest)
        before = {one.backup_set_id: one for one in catalog.backups.sets(self.id)}
        full = (before[base].prev_full_backup_set_id or base) if base else 0
        chain: list[int] = [set_id]
        while base and chain[-1] != full:
            chain.append(before[chain[-1]].prev_inc_backup_set_id if len(chain) > 1 else base)
        contents = {names.index_name(root): b"index"}
        contents |= {names.data_name(root, number): b"data" * 10 for number in range(1, objects)}
        if has_log:
            log_root = f"{names.set_log_root(root)}/piece_d1r1p1"
            contents[names.log_name(log_root, 0)] = b"log" * 100
            record = self._record(self.archive, 1, 1, start, end, block_id=0, size_bytes=300)
            contents[names.piece_info_name(log_root)] = encode_piece_record(record)
        for name, content in contents.items():
            store.put(name, content)
        ref = names.SetRef(set_id=set_id, type=backup_type)
        for event in (names.SetEvent.START, names.SetEvent.SUCCESS)[: 2 if is_good else 1]:
            tag = end.tag() if event is names.SetEvent.SUCCESS else ""
            store.put(names.set_placeholder(names.SetPlaceholder(set=ref, event=event, tag=tag)), b"x")
        if is_good:
            records = tuple(
                ObjectRecord(
                    name=name.removeprefix(f"{root}/"),
                    kind=_kind_of(name),
                    number=0,
                    size_bytes=len(content),
                    content_size_bytes=len(content),
                    digest=_DIGEST,
                )
                for name, content in contents.items()
            )
            manifest = self._manifest(set_id, backup_type, full, base, tuple(sorted(chain)), start, end, records)
            store.put(names.manifest_name(root), encode_manifest(replace(manifest, plus_archivelog=has_log)))
        usual = {
            SetStatus.SUCCESS: FileStatus.AVAILABLE,
            SetStatus.FAILED: FileStatus.INCOMPLETE,
            SetStatus.DOING: FileStatus.COPYING,
        }[status]
        catalog.backups.insert_set(
            BackupSet(
                tenant_id=self.id,
                backup_set_id=set_id,
                dest_id=dest.dest_id,
                backup_type=backup_type,
                prev_full_backup_set_id=full,
                prev_inc_backup_set_id=base,
                start_timestamp_us=int(start) // 1000,
                end_timestamp_us=None if status is SetStatus.DOING else int(end) // 1000,
                status=status,
                file_status=usual,
                plus_archivelog=has_log,
                start_replay_scn=start if is_good else Scn(0),
                min_restore_scn=end if is_good else Scn(0),
                result=result,
                path=dest.uri.identity,
                tenant_compatible="1.4.0.0",
            )
        )
        return set_id

    def _manifest(
        self,
        set_id: int,
        backup_type: BackupType,
        full: int,
        base: int,
        chain: tuple[int, ...],
        start: Scn,
        end: Scn,
        objects: tuple[ObjectRecord, ...],
    ) -> Manifest:
        return Manifest(
            cluster_name=IDENTITY.name,
            cluster_id=IDENTITY.cluster_id,
            tenant_id=self.id,
            tenant_name=self.tenant.name,
            dest_id=self.data.dest_id,
            backup_set_id=set_id,
            type=backup_type,
            prev_full_backup_set_id=full,
            prev_inc_backup_set_id=base,
            chain=chain,
            engine_data_version="1.4.0.0",
            engine_binary_version="1.4.0.0",
            start_scn=start,
            start_replay_scn=start,
            min_restore_scn=end,
            base_lsn=self.lsn(start),
            end_lsn=self.lsn(end),
            timeline=TIMELINE,
            archive_dest_id=self.archive.dest_id,
            round_id=1,
            block_size_bytes=2 << 20,
            block_file_size_bytes=2 << 20,
            block_count=1,
            input_bytes=0,
            output_bytes=0,
            unit=UNIT,
            objects=objects,
            started_us=int(start) // 1000,
            ended_us=int(end) // 1000,
        )

    def make_round(self, status: RoundStatus = RoundStatus.DOING, dest: Destination | None = None) -> None:
        """Forge one round of 30 pieces; the last is ACTIVE unless the round has stopped."""
        dest = dest or self.archive
        is_going = status is not RoundStatus.STOP
        round_id = self.world.catalog.rounds.next_round_id(self.id)
        first = self.world.catalog.rounds.next_piece_id(self.id)
        pieces = [
            self._piece(dest, round_id, first + day, day, is_active=is_going and day == DAYS - 1) for day in range(DAYS)
        ]
        self.world.catalog.rounds.save(
            Round(
                tenant_id=self.id,
                dest_id=dest.dest_id,
                round_id=round_id,
                status=status,
                start_scn=Scn(self.began_ns),
                checkpoint_scn=pieces[-1].checkpoint_scn,
                base_piece_id=first,
                used_piece_id=first + DAYS - 1,
                piece_switch_interval_us=DAY_NS // 1000,
                input_bytes=DAYS * 10,
                output_bytes=DAYS * 5,
                comment="",
                path=dest.uri.identity,
            ),
            pieces,
        )

    def _record(
        self, dest: Destination, round_id: int, piece_id: int, start: Scn, end: Scn, *, block_id: int, size_bytes: int
    ) -> PieceRecord:
        """Return the record of a frozen piece with one object."""
        begin = LogPosition(lsn=self.lsn(start), accumulated=None, log_id=None, scn=start)
        finish = LogPosition(lsn=self.lsn(end), accumulated=1, log_id=1, scn=end)
        return PieceRecord(
            cluster_name=IDENTITY.name,
            cluster_id=IDENTITY.cluster_id,
            tenant_id=self.id,
            tenant_name=self.tenant.name,
            dest_id=dest.dest_id,
            round_id=round_id,
            piece_id=piece_id,
            timeline=TIMELINE,
            status=PieceStatus.FROZEN,
            start_scn=start,
            end_scn=end,
            checkpoint_scn=end,
            max_scn=end,
            begin=begin,
            end=finish,
            input_bytes=10,
            output_bytes=5,
            engine_data_version="1.4.0.0",
            blocks=(PieceBlock(block_id=block_id, size_bytes=size_bytes, first_lsn=begin.lsn, end_lsn=finish.lsn),),
        )

    def _piece(self, dest: Destination, round_id: int, piece_id: int, day: int, *, is_active: bool) -> Piece:
        start, end = Scn(self.began_ns + day * DAY_NS), Scn(self.began_ns + (day + 1) * DAY_NS)
        root = names.piece_root(dest.dest_id, round_id, piece_id)
        record = self._record(dest, round_id, piece_id, start, end, block_id=day, size_bytes=5)
        if is_active:  # and empty: its log would have to be real frames
            record = replace(
                record,
                status=PieceStatus.ACTIVE,
                checkpoint_scn=start,
                max_scn=start,
                end=replace(record.end, lsn=record.begin.lsn, scn=start),
                blocks=(),
            )
        # Plainly written: a fsync for each of these thousands of small files would be most of a test's time.
        folder = Path(dest.uri.path)
        files = {} if is_active else {names.log_name(root, day): b"x" * 5}
        files[names.checkpoint_name(root) if is_active else names.piece_info_name(root)] = encode_piece_record(record)
        ref = names.PieceRef(dest_id=dest.dest_id, round_id=round_id, piece_id=piece_id)
        files[names.piece_placeholder(names.PiecePlaceholder(piece=ref, edge=names.Edge.START, tag=start.tag()))] = b"x"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return Piece(
            tenant_id=self.id,
            dest_id=dest.dest_id,
            round_id=round_id,
            piece_id=piece_id,
            status=record.status,
            start_scn=start,
            end_scn=end,
            checkpoint_scn=record.checkpoint_scn,
            max_scn=record.max_scn,
            input_bytes=10,
            output_bytes=5,
            file_status=FileStatus.AVAILABLE,
            path=dest.uri.identity,
        )

    # --- what became of it

    def file_status(self) -> dict[int, FileStatus]:
        return {one.backup_set_id: one.file_status for one in self.world.catalog.backups.sets(self.id)}

    def pieces_with(self, status: FileStatus) -> list[int]:
        return [one.piece_id for one in self.world.catalog.rounds.pieces(self.id) if one.file_status is status]

    def folders(self, dest: Destination | None = None) -> set[str]:
        return {path.name for path in Path((dest or self.data).uri.path).iterdir() if path.name[0] != "."}

    def ended(self) -> DeleteJob:
        """Return the tenant's newest job, once none is active."""
        cleanup = self.world.catalog.cleanup
        wait_until(lambda: not [job for job in cleanup.active_jobs() if job.tenant_id == self.id])
        return self.last_job()

    def last_job(self) -> DeleteJob:
        rows = self.world.rig.sql("select max(job_id) from __holdfast.delete_job where tenant_id = %s", (self.id,))
        return self.world.catalog.cleanup.job(self.id, int(rows[0][0]))

    def view(self, name: str, columns: str) -> list[tuple[Any, ...]]:
        return self.world.rig.sql(f"select {columns} from oceanbase.CDB_OB_{name} where TENANT_ID = %s", (self.id,))


def _kind_of(name: str) -> ObjectKind:
    if name.endswith("/index"):
        return ObjectKind.INDEX
    return ObjectKind.LOG if "/log/" in name else ObjectKind.DATA


@dataclass
class World:
    """A catalog on a real engine and any number of forged tenants."""

    rig: EngineRig
    home: Path
    catalog: Catalog
    generations: "itertools.count[int]"

    def cleanup(self, *, open_store: OpenStore = open_store, interval_seconds: float = 3600.0) -> Cleanup:
        """Return a new server's worth of workers."""
        return Cleanup(
            self.catalog,
            CLOCK,
            identity=IDENTITY,
            open_store=open_store,
            generation=next(self.generations),
            keyring=lambda tenant_id: Keyring(
                self.home / str(tenant_id) / "keys", HostKey(self.home / "host.key"), str(tenant_id)
            ),
            tenures=Unarchived(self.catalog, IDENTITY, CLOCK),
            interval_seconds=interval_seconds,
        )

    def tenant(self) -> Forged:
        tenant_id = self.catalog.tenants.next_tenant_id()
        tenant = tenant_of(tenant_id, f"t{tenant_id}")
        self.catalog.tenants.add(tenant)
        place = self.home / str(tenant_id)
        data = self.destination(tenant, DestinationKind.BACKUP_DATA, place / "data")
        archive = self.destination(tenant, DestinationKind.ARCHIVE_LOG, place / "archive")
        return Forged(self, tenant, place, data, archive, time.time_ns() - DAYS * DAY_NS)

    def destination(self, tenant: Tenant, kind: DestinationKind, path: Path) -> Destination:
        """Make a path the tenant's current one of its kind."""
        uri = parse_uri(f"file://{path}")
        destination = self.catalog.destinations.reserve(tenant.tenant_id, kind, uri)
        owner = FormatFile(
            cluster_name=IDENTITY.name,
            cluster_id=IDENTITY.cluster_id,
            tenant_id=tenant.tenant_id,
            tenant_name=tenant.name,
            dest_id=destination.dest_id,
            kind=kind,
            path=uri.identity,
            created_us=1,
        )
        claim_destination(open_store(uri, create=True), owner, CLOCK)
        if kind is DestinationKind.BACKUP_DATA:
            self.catalog.destinations.set_data(destination)
        else:
            self.catalog.destinations.set_archive(
                ArchiveDestination(
                    destination=destination,
                    binding=Binding.OPTIONAL,
                    piece_switch_interval_us=DAY_NS // 1000,
                    piece_switch_interval_text="1d",
                    compression=None,
                    enabled=True,
                )
            )
        return destination


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
