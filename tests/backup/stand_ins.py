"""What surrounds a backup in the tests of its room: an archive that is only held links, a journal that is only a list."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from engine_rig import EngineRig
from holdfast.backup.image import EngineImage
from holdfast.backup.journal import Figures
from holdfast.backup.plan import PassPolicy
from holdfast.backup.run import ArchiveRef, BackupPlan
from holdfast.clock import SystemClock
from holdfast.engine.hold import SpoolHold
from holdfast.engine_format.log_block import LOG_INFO_BYTES, file_offset_of, first_lsn_of
from holdfast.engine_format.log_walk import Position, WalkStop, walk
from holdfast.values.backup_set import TaskStatus
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn
from holdfast.values.tenant import Unit
from owner_rig import lineage, owner

CLOCK = SystemClock()
UNIT = Unit(max_cpu=1.0, memory_size_bytes=1 << 30, log_disk_size_bytes=2 << 30)


class HeldLog:
    """A LogTail over hard links of every log block: an archive without lag, good enough to restore from by hand."""

    def __init__(self, log_dir: Path, spool_dir: Path) -> None:
        self._hold = SpoolHold(log_dir, spool_dir)
        self._over = threading.Event()
        self._hold.prepare()
        self._hold.link_all()
        self.first_block = self._hold.block_ids()[0]
        self._position = Position(lsn=first_lsn_of(self.first_block))
        self._thread = threading.Thread(target=self._link, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _link(self) -> None:
        while not self._over.wait(0.01):
            self._hold.link_all()

    def block_ids(self) -> tuple[int, ...]:
        return self._hold.block_ids()

    def path(self, block_id: int) -> Path:
        return self._hold.path(block_id)

    def start_lsn(self) -> Lsn:
        return first_lsn_of(self.first_block)

    def tail_after(self) -> tuple[Lsn, Scn]:
        while True:
            block_id = self._position.lsn // ((64 << 20) - LOG_INFO_BYTES)
            try:
                with self._hold.path(block_id).open("rb") as file:
                    file.seek(file_offset_of(self._position.lsn))
                    found = walk(file.read(), self._position)
            except FileNotFoundError:
                return self._position.lsn, self._position.scn
            self._position = found.end
            if found.stop is not WalkStop.BLOCK_END:
                return self._position.lsn, self._position.scn

    def request_flush(self, until_scn: Scn) -> None:
        pass

    def checkpoint_scn(self) -> Scn:
        return self.tail_after()[1]


@dataclass
class ListJournal:
    """Remembers everything; `check_hook` may raise to end the work."""

    phases: list[TaskStatus] = field(default_factory=list)
    notes: list[Figures] = field(default_factory=list)
    scns: list[tuple[Scn, Scn | None]] = field(default_factory=list)

    def check(self) -> None:
        pass

    def begin_commit(self) -> None:
        pass

    def begin_phase(self, phase: TaskStatus) -> None:
        self.phases.append(phase)

    def know_scns(self, *, start_scn: Scn, end_scn: Scn | None) -> None:
        self.scns.append((start_scn, end_scn))

    def note(self, figures: Figures) -> None:
        self.notes.append(figures)


def plan_of(
    *, set_id: int = 1, account: bytes = b"{}", policy: PassPolicy | None = None, job_id: int | None = None
) -> BackupPlan:
    """Return a plan of job `job_id`, else of the job numbered like its set, of the one server of `owner_rig`."""
    return BackupPlan(
        cluster_name="test",
        cluster_id=7,
        tenant_id=1002,
        tenant_name="t",
        dest_id=1001,
        backup_set_id=set_id,
        archive=ArchiveRef(dest_id=1002, round_id=1, timeline="0" * 32),
        engine_data_version="1.4.0.0",
        engine_binary_version="1.4.0.0",
        unit=UNIT,
        account=account,
        started_us=time.time_ns() // 1000,
        owner=owner(job_id=job_id or set_id),
        lineage=lineage(),
        policy=policy or PassPolicy(),
    )


def image_of(rig: EngineRig) -> EngineImage:
    def in_use() -> frozenset[int]:
        rows = rig.sql("select distinct macro_block_idx from oceanbase.__all_virtual_tablet_sstable_macro_info")
        return frozenset(int(row[0]) for row in rows)

    return EngineImage(rig.directory, clock=CLOCK, pause=rig.process.pause, blocks_in_use=in_use)
