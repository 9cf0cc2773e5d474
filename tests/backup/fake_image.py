"""A block file in memory that changes when a test says so, block by block and moment by moment."""

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from holdfast.backup.journal import BaseBlock, Pause, SmallFile
from holdfast.engine_format.checksum import raw_crc
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.macro_block import HEAD_BYTES, MACRO_BLOCK_BYTES, BlockKinds
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

BASE = BaseBlock(lsn=Lsn(0), min_scn=Scn(2 * 10**18))


def write_once(seed: int, payload_bytes: int = 5000) -> bytes:
    """Return a write-once block (type 1) whose payload no other seed has."""
    payload = seed.to_bytes(8, "little") * (payload_bytes // 8)
    header = struct.pack("<iiiiiI", 24, 1, 1001, 1, len(payload), raw_crc(payload))
    return (header + payload).ljust(MACRO_BLOCK_BYTES, b"\0")


def shared(seed: int, used: int = 1, *, type_: int = 8) -> bytes:
    """Return a shared block; `used` grows its content behind an unchanged head."""
    head = struct.pack("<iiiiiIq", 24, 1, 1001, type_, 0, 0, seed).ljust(HEAD_BYTES, b"\0")
    return (head + b"\7" * used).ljust(MACRO_BLOCK_BYTES, b"\0")


def torn(block: bytes) -> bytes:
    """Return the block with its head and without the end of its payload."""
    return block[:4096].ljust(MACRO_BLOCK_BYTES, b"\0")


FREE = bytes(MACRO_BLOCK_BYTES)


@dataclass
class FakePause:
    elapsed_ns: int = 5_000_000


@dataclass
class FakeImage:
    """Implements `journal.Image`. `on_slog` is called when a pass reads the slog, `on_read` before a block is read."""

    blocks: list[bytes]
    supers: tuple[bytes, bytes] = (b"\1" * MACRO_BLOCK_BYTES, b"\2" * MACRO_BLOCK_BYTES)
    slog: bytes = b"slog"
    names: tuple[str, ...] = ("store/slog/sys/1",)
    base: BaseBlock | None = BASE
    in_use: frozenset[int] | None = frozenset()
    on_slog: Callable[[int], None] = lambda count: None
    on_read: Callable[[int], None] = lambda block_id: None
    on_pause: Callable[[int], None] = lambda count: None
    on_pause_end: Callable[[int], None] = lambda count: None
    block_kinds: BlockKinds = field(default_factory=lambda: layout_of("1.4.0.0", "a fake").block_kinds)
    slog_reads: int = 0
    pauses: int = 0
    reads: list[int] = field(default_factory=list)
    head_reads: int = 0

    def read_bytes(self) -> int:
        return len(self.reads) * MACRO_BLOCK_BYTES + self.head_reads * HEAD_BYTES

    def block_count(self) -> int:
        return len(self.blocks)

    def read_head(self, block_id: int) -> bytes:
        self.head_reads += 1
        return self.blocks[block_id][:HEAD_BYTES]

    def read_block(self, block_id: int, buffer: memoryview) -> None:
        self.on_read(block_id)
        self.reads.append(block_id)
        buffer[:] = self.blocks[block_id]

    def expect_block(self, block_id: int) -> None:
        pass

    def expect_heads(self, run: range) -> None:
        pass

    def forget_block(self, block_id: int) -> None:
        pass

    def clog_meta(self) -> tuple[SmallFile, ...]:
        return (SmallFile(name="store/redo/sys/log_stream/meta/0", data=b"meta", size_bytes=8192),)

    def base_block(self, clog_meta: Iterable[SmallFile]) -> BaseBlock | None:
        return self.base

    def small_files(self, *, patient: bool = True) -> tuple[SmallFile, ...]:
        files = (
            SmallFile(name="store/sstable/meta.db", data=b"db", size_bytes=2),
            SmallFile(name="store/slog/sys/1", data=self.slog, size_bytes=len(self.slog)),
        )
        self.slog_reads += 1
        self.on_slog(self.slog_reads)
        return files

    def super_blocks(self) -> tuple[bytes, bytes]:
        return self.supers

    def slog_names(self) -> tuple[str, ...]:
        return self.names

    def blocks_in_use(self) -> frozenset[int] | None:
        return self.in_use

    @contextmanager
    def pause(self) -> Iterator[Pause]:
        self.pauses += 1
        self.on_pause(self.pauses)
        yield FakePause()
        self.on_pause_end(self.pauses)


@dataclass
class FakeTail:
    """A LogTail whose archive follows at once, or `behind` by some SCNs until it is asked often enough."""

    start: Lsn = field(default=Lsn(0))
    end: tuple[Lsn, Scn] = (Lsn(1000), Scn(3 * 10**18))
    behind: int = 0
    flushes: list[Scn] = field(default_factory=list)

    def start_lsn(self) -> Lsn:
        return self.start

    def tail_after(self) -> tuple[Lsn, Scn]:
        return self.end

    def request_flush(self, until_scn: Scn) -> None:
        self.flushes.append(until_scn)

    def checkpoint_scn(self) -> Scn:
        if self.behind:
            self.behind -= 1
            return Scn(self.end[1] - 1)
        return self.end[1]


class FakeClock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def now_ns(self) -> int:
        return 4 * 10**18 + int(self.now * 1e9)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
