"""The files of a running engine, read as a backup needs them. Nothing here writes, and nothing here waits long.

The engine writes with O_DIRECT; buffered reads are coherent with it (measured), so plain preads do. What a reader must
expect is a file caught in the middle of a change: every kind of file has its own way to tell.

| file                | caught in a change                       | told by                                            |
| ------------------- | ---------------------------------------- | -------------------------------------------------- |
| slog                | a last batch half written                | every batch's checksum                             |
| meta.db, -wal       | a transaction half written               | two reads in a row are equal; SQLite's own check   |
| etc                 | a file half written                      | two reads in a row are equal                       |
| log meta            | a last page half written                 | its checksum; the page before it is as good        |
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from holdfast.backup.journal import BaseBlock, Pause, SmallFile
from holdfast.clock import Clock
from holdfast.engine.directory import EngineDirectory
from holdfast.engine_format.log_block import LOG_INFO_BYTES, block_id_of, decode_info_block
from holdfast.engine_format.log_meta import base_lsn
from holdfast.engine_format.log_walk import Position, groups
from holdfast.engine_format.macro_block import HEAD_BYTES, MACRO_BLOCK_BYTES
from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.errors import CorruptionError, EngineError, HoldfastError
from holdfast.values.lsn import Lsn

_READ_STEP_BYTES = 1 << 20
_NOTHING = bytes(_READ_STEP_BYTES)
_PAGE_BYTES = 4096
_FIRST_GROUPS_BYTES = 64 << 10
_FIRST_REAL_SCN = 10**18
"""Nanoseconds since the epoch, in 2001. A new engine gives its very first log group the SCN 2."""

_SMALL_FILES_BYTES_MAX = 256 << 20
"""All small files of an image are in memory at once. A slog is checkpointed at 100,000 records, some 50 MB; 4 MB is usual."""

_REST_TRIES = 40
_REST_SECONDS = 0.025
"""meta.db's transactions take milliseconds: in a second of tries one falls between two of them."""

_SUPER_BLOCK_READS = 5
_PAUSED_REST_TRIES = 4
_PAUSED_REST_SECONDS = 0.002
"""In a pause only a write that the kernel had already begun can still move; what is torn then stays torn."""


class EngineImage:
    """A tenant's engine as an image to copy (see `journal.Image`); holds two descriptors of block_file until closed.

    `pause` stops the engine (the engine room's), `blocks_in_use` asks its dictionary.
    """

    def __init__(
        self,
        directory: EngineDirectory,
        *,
        clock: Clock,
        pause: Callable[[], AbstractContextManager[Pause]],
        blocks_in_use: Callable[[], frozenset[int] | None],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._read_bytes = 0
        self._pause = pause
        self._blocks_in_use = blocks_in_use
        self.block_kinds = directory.version.layout.block_kinds
        self._whole = _open(directory.block_file)
        try:
            self._heads = _open(directory.block_file)
        except BaseException:
            os.close(self._whole)
            raise
        # Heads are 2 MiB apart: read-ahead behind each would read most of the file for nothing.
        os.posix_fadvise(self._heads, 0, 0, os.POSIX_FADV_RANDOM)

    def close(self) -> None:
        """Let go of block_file."""
        os.close(self._whole)
        os.close(self._heads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read_bytes(self) -> int:
        return self._read_bytes

    def _count(self, size_bytes: int) -> None:
        with self._lock:  # 0.1 us beside the 2 us of the shortest read
            self._read_bytes += size_bytes

    def block_count(self) -> int:
        return os.fstat(self._whole).st_size // MACRO_BLOCK_BYTES

    def read_head(self, block_id: int) -> bytes:
        head = os.pread(self._heads, HEAD_BYTES, block_id * MACRO_BLOCK_BYTES)
        self._count(len(head))
        if len(head) != HEAD_BYTES:
            raise self._too_short(block_id, len(head))
        return head

    def read_block(self, block_id: int, buffer: memoryview) -> None:
        read_bytes = 0
        while read_bytes < MACRO_BLOCK_BYTES:
            offset = block_id * MACRO_BLOCK_BYTES + read_bytes
            count = os.preadv(self._whole, [buffer[read_bytes:MACRO_BLOCK_BYTES]], offset)
            if not count:
                raise self._too_short(block_id, read_bytes)
            read_bytes += count
        self._count(read_bytes)

    def expect_block(self, block_id: int) -> None:
        self._advise(self._whole, block_id, 0, os.POSIX_FADV_WILLNEED)

    def expect_heads(self, run: range) -> None:
        for block_id in run:
            os.posix_fadvise(self._heads, block_id * MACRO_BLOCK_BYTES, HEAD_BYTES, os.POSIX_FADV_WILLNEED)

    def forget_block(self, block_id: int) -> None:
        self._advise(self._whole, block_id, HEAD_BYTES, os.POSIX_FADV_DONTNEED)

    def _advise(self, descriptor: int, block_id: int, skipped_bytes: int, advice: int) -> None:
        offset = block_id * MACRO_BLOCK_BYTES + skipped_bytes
        os.posix_fadvise(descriptor, offset, MACRO_BLOCK_BYTES - skipped_bytes, advice)

    def clog_meta(self) -> tuple[SmallFile, ...]:
        folder = self._directory.log_meta_dir
        names = sorted((name for name in os.listdir(folder) if name.isdecimal()), key=int)
        return tuple(self._read(folder / name) for name in names)

    def base_block(self, clog_meta: Iterable[SmallFile]) -> BaseBlock | None:
        """Return the base block. Its SCN is the info block's; in block 0 that is 2, and the first group that has a time
        counts."""
        lsn: Lsn | None = None
        for file in clog_meta:
            found = base_lsn(file.data)
            lsn = lsn if found is None else found
        if lsn is None:
            raise CorruptionError(
                f"log meta in {self._directory.log_meta_dir} holds no valid page, expected the base LSN"
            )
        path = self._directory.log_dir / str(block_id_of(lsn))
        try:
            with path.open("rb", buffering=0) as opened:
                head = opened.read(LOG_INFO_BYTES + _FIRST_GROUPS_BYTES)
            self._count(len(head))
        except FileNotFoundError:
            return None
        info = decode_info_block(head[:LOG_INFO_BYTES])
        if info is None:
            return None
        if info.min_scn >= _FIRST_REAL_SCN:
            return BaseBlock(lsn=lsn, min_scn=info.min_scn)
        for _, group in groups(memoryview(head)[LOG_INFO_BYTES:], Position(lsn=lsn)):
            if group.max_scn >= _FIRST_REAL_SCN:
                return BaseBlock(lsn=lsn, min_scn=group.max_scn)
        return None

    def small_files(self, *, patient: bool = True) -> tuple[SmallFile, ...]:
        """Read meta.db and etc before the slog: the slog is the moment, all else may be a little older."""
        tries, seconds = (_REST_TRIES, _REST_SECONDS) if patient else (_PAUSED_REST_TRIES, _PAUSED_REST_SECONDS)
        resting = self._at_rest(tries, seconds)
        slog = self._whole_slog(tries, seconds)
        files = (*resting, *slog)
        total_bytes = sum(len(file.data) for file in files)
        if total_bytes > _SMALL_FILES_BYTES_MAX:
            raise EngineError(
                f"small files of {self._directory.root} hold {total_bytes} bytes, expected at most"
                f" {_SMALL_FILES_BYTES_MAX}",
                hint="report the engine's version: its slog grows larger than any measured",
            )
        return files

    def slog_names(self) -> tuple[str, ...]:
        return tuple(path.relative_to(self._directory.root).as_posix() for path in self._slog_paths())

    def blocks_in_use(self) -> frozenset[int] | None:
        return self._blocks_in_use()

    def super_blocks(self) -> tuple[bytes, bytes]:
        """Return both super blocks. Raises CorruptionError when one stays wrong."""
        return self._super_block(0), self._super_block(1)

    def pause(self) -> AbstractContextManager[Pause]:
        return self._pause()

    def _super_block(self, block_id: int) -> bytes:
        buffer = bytearray(MACRO_BLOCK_BYTES)
        for remaining in reversed(range(_SUPER_BLOCK_READS)):
            self.read_block(block_id, memoryview(buffer))
            try:
                decode_super_block(buffer)
                break
            except CorruptionError:
                if not remaining:
                    raise
                self._clock.sleep(_PAUSED_REST_SECONDS)
        return bytes(buffer)

    def _read(self, path: Path) -> SmallFile:
        with path.open("rb", buffering=0) as opened:
            size_bytes = os.fstat(opened.fileno()).st_size
            data = bytearray()
            while len(data) < size_bytes:
                piece = opened.read(min(_READ_STEP_BYTES, size_bytes - len(data)))
                self._count(len(piece))
                if not piece or piece == _NOTHING[: len(piece)]:
                    # The engine preallocates 64 MiB and fills from the front: a MiB of zeros is the end.
                    break
                data += piece
        used_bytes = len(data.rstrip(b"\0"))
        # Whole pages: the last page of the log's meta ends in zeros that are part of it.
        del data[min(size_bytes, -(-used_bytes // _PAGE_BYTES) * _PAGE_BYTES) :]
        name = path.relative_to(self._directory.root).as_posix()
        return SmallFile(name=name, data=bytes(data), size_bytes=size_bytes)

    def _slog_paths(self) -> list[Path]:
        return sorted(self._directory.slog_dir.glob("*/*"))

    def _read_meta_and_etc(self) -> tuple[SmallFile, ...]:
        meta_db = self._directory.meta_db
        # -shm is left out: SQLite makes it anew from -wal, and a copy of it would only be a stale one.
        meta = [path for path in meta_db.parent.glob(meta_db.name + "*") if not path.name.endswith("-shm")]
        etc = [path for path in self._directory.etc_dir.rglob("*") if path.is_file()]
        return tuple(self._read(path) for path in sorted(meta) + sorted(etc))

    def _at_rest(self, tries: int, seconds: float) -> tuple[SmallFile, ...]:
        """Return the meta.db and etc that two reads in a row agree on."""
        before: tuple[SmallFile, ...] | None = None
        trouble = "they changed between every two reads"
        for _ in range(tries):
            try:
                now = self._read_meta_and_etc()
                if now == before:
                    _check_meta_db(now, self._directory.meta_db.name)
                    return now
                before = now
            except FileNotFoundError:
                before = None  # a -wal file was removed between listing and reading
            except sqlite3.Error as error:
                before, trouble = None, f"meta.db is not whole: {error}"
            self._clock.sleep(seconds if before is None else 0)
        raise EngineError(
            f"meta.db and etc of {self._directory.root} did not come to rest in {tries} reads: {trouble}",
            hint="repeat the backup when fewer schema changes run",
        )

    def _whole_slog(self, tries: int, seconds: float) -> tuple[SmallFile, ...]:
        """Return the slog files, every batch verified; the engine may be appending, so a torn end is read again."""
        trouble: HoldfastError | None = None
        for _ in range(tries):
            try:
                files = tuple(self._read(path) for path in self._slog_paths())
                for file in files:
                    _walk(file)
                return files
            except FileNotFoundError:
                trouble = None
            except CorruptionError as error:
                trouble = error
            self._clock.sleep(seconds)
        if trouble is not None:
            raise trouble
        raise EngineError(f"slog files of {self._directory.root} come and go faster than they are read")

    def _too_short(self, block_id: int, read_bytes: int) -> EngineError:
        return EngineError(
            f"{self._directory.block_file} ends in macro block {block_id}, expected {MACRO_BLOCK_BYTES} bytes,"
            f" found {read_bytes}"
        )


def _walk(file: SmallFile) -> None:
    try:
        walk_slog(file.data + bytes(file.size_bytes - len(file.data)))
    except CorruptionError as error:
        raise CorruptionError(f"{file.name}: {error.message}", hint=error.hint) from error


def _check_meta_db(files: Iterable[SmallFile], meta_db_name: str) -> None:
    """Raise sqlite3.Error unless meta.db is whole. With a -wal beside it the two are whole only together: SQLite sees to
    that when the engine opens them, and two equal reads are all that can be asked here."""
    named = {file.name.rpartition("/")[2]: file for file in files}
    if any(name != meta_db_name and name.startswith(meta_db_name) and file.data for name, file in named.items()):
        return
    meta = named.get(meta_db_name)
    if meta is None:
        raise sqlite3.DatabaseError("meta.db is absent")
    copy = bytearray(meta.data + bytes(meta.size_bytes - len(meta.data)))
    # Bytes 18 and 19 say "write-ahead log"; a database in memory has none, so the copy says "rollback journal".
    copy[18:20] = b"\x01\x01"
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(bytes(copy))
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()
    finally:
        connection.close()
    if verdict is None or verdict[0] != "ok":
        raise sqlite3.DatabaseError(str(verdict and verdict[0]))


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise EngineError(f"{path} can not be opened: {error.strerror}") from error
