"""Writing and reading large files without filling the page cache or letting gigabytes of dirty pages pile up.

A backup touches every byte once; cached, those bytes would push out what the engine needs. Dirty pages are pushed to the
disk while the next ones are made, so that the final fsync finds little to do and stalls nobody.
"""

import ctypes
import os

WINDOW_BYTES = 8 << 20
"""Dirty bytes of one writer: at most two windows. Large enough to keep a disk busy, small enough to forget."""

_LARGE_READ_BYTES = 256 << 10
_NEAR_BYTES = 4096
"""A reader that skips a header between two payloads still reads in sequence."""

_START = 0x2  # SYNC_FILE_RANGE_WRITE
_WAIT = 0x1 | 0x2 | 0x4  # WAIT_BEFORE | WRITE | WAIT_AFTER

_sync_file_range = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


class WriteBehind:
    """Keeps the dirty pages of one growing file bounded. Says nothing of durability: that is fsync's."""

    __slots__ = ("_descriptor", "_dropped", "_pushed")

    def __init__(self, descriptor: int, offset: int = 0) -> None:
        self._descriptor = descriptor
        self._pushed = offset
        self._dropped = offset

    def wrote(self, end_offset: int) -> None:
        """Push what was written up to `end_offset` to the disk, a window at a time, and forget the one before."""
        if end_offset - self._pushed < WINDOW_BYTES:
            return
        self._range(self._pushed, end_offset, _START)
        if self._pushed > self._dropped:
            self._range(self._dropped, self._pushed, _WAIT)
            drop(self._descriptor, self._dropped, self._pushed)
        self._dropped, self._pushed = self._pushed, end_offset

    def _range(self, start: int, end: int, flags: int) -> None:
        _range(self._descriptor, start, end, flags)


def begin_writing(descriptor: int, start: int, end: int) -> None:
    """Have the kernel write these dirty pages to the disk while more are made. Says nothing of durability."""
    _range(descriptor, start, end, _START)


def _range(descriptor: int, start: int, end: int, flags: int) -> None:
    # A file system without it returns an error we ignore on purpose: fsync still decides, and reports, everything.
    if _sync_file_range is not None:
        _sync_file_range(descriptor, start, end - start, flags)


def drop(descriptor: int, start: int, end: int) -> None:
    """Tell the kernel that these clean pages will not be read again. Advice only."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, start, end - start, os.POSIX_FADV_DONTNEED)


class ReadAhead:
    """Asks for what a sequential reader will want next and forgets what it has had."""

    __slots__ = ("_asked", "_descriptor", "_end", "_size_bytes")

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._descriptor = descriptor
        self._size_bytes = size_bytes
        self._asked = 0
        self._end = 0

    def read(self, start: int, end: int) -> None:
        """Note that `[start, end)` was read. Small or scattered reads are left to the kernel."""
        if end - start < _LARGE_READ_BYTES or not hasattr(os, "posix_fadvise"):
            return
        drop(self._descriptor, start, end)
        goal = min(end + WINDOW_BYTES, self._size_bytes)
        if 0 <= start - self._end <= _NEAR_BYTES and goal > max(self._asked, end):
            begin = max(self._asked, end)
            os.posix_fadvise(self._descriptor, begin, goal - begin, os.POSIX_FADV_WILLNEED)
            self._asked = goal
        self._end = end
