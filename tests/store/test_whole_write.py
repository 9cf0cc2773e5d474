"""A write that the file system takes in parts is finished, or fails."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast.store.whole_write import write_all


def test_what_is_taken_in_parts_is_all_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwritev

    def few(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        return whole(descriptor, [buffers[0][:3]], offset)

    monkeypatch.setattr(os, "pwritev", few)
    with (tmp_path / "f").open("w+b") as file:
        assert write_all(file.fileno(), 2, (b"abcdefgh", b"", memoryview(b"12345"))) == 15
        assert os.pread(file.fileno(), 100, 0) == b"\0\0abcdefgh12345"


def test_a_full_disk_is_an_error_and_no_short_write(tmp_path: Path) -> None:
    with Path("/dev/full").open("r+b", buffering=0) as full, pytest.raises(OSError) as caught:
        write_all(full.fileno(), 0, (b"x",))
    assert caught.value.errno == errno.ENOSPC
