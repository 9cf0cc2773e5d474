import threading
import time
from pathlib import Path

import pytest

from holdfast.engine.watch import LogDirectoryWatch
from holdfast.errors import EngineError


def test_first_call_returns_all_blocks_at_once(tmp_path: Path) -> None:
    for name in ("7", "8", "9.tmp", "x"):
        (tmp_path / name).touch()
    with LogDirectoryWatch(tmp_path) as watch:
        assert watch.new_blocks(5) == (7, 8)


def test_a_block_renamed_into_place_is_seen_at_once(tmp_path: Path) -> None:
    with LogDirectoryWatch(tmp_path) as watch:
        assert watch.new_blocks(0) == ()
        (tmp_path / "12.tmp").touch()

        def appear() -> None:
            time.sleep(0.05)
            (tmp_path / "12.tmp").rename(tmp_path / "12")

        thread = threading.Thread(target=appear)
        thread.start()
        found: tuple[int, ...] = ()
        begun = time.monotonic()
        while not found and time.monotonic() - begun < 5:  # the temporary name wakes the watch too
            found = watch.new_blocks(5)
        thread.join()
        assert found == (12,)
        assert time.monotonic() - begun < 4


def test_no_block_is_reported_twice(tmp_path: Path) -> None:
    with LogDirectoryWatch(tmp_path) as watch:
        (tmp_path / "1").touch()
        assert watch.new_blocks(1) == (1,)
        (tmp_path / "2").touch()
        assert watch.new_blocks(1) == (2,)
        assert watch.new_blocks(0) == ()


def test_wake_ends_a_wait_of_another_thread(tmp_path: Path) -> None:
    with LogDirectoryWatch(tmp_path) as watch:
        timer = threading.Timer(0.05, watch.wake)
        timer.start()
        begun = time.monotonic()
        assert not watch.wait(10)
        assert time.monotonic() - begun < 5
        timer.join()


def test_appends_wake_a_watch_that_asked_for_them_and_no_other(tmp_path: Path) -> None:
    block = tmp_path / "1"
    block.write_bytes(b"a")
    with LogDirectoryWatch(tmp_path, appends=True) as eager, LogDirectoryWatch(tmp_path) as calm:
        with block.open("ab") as file:
            file.write(b"more")
        assert eager.wait(5)
        assert not calm.wait(0.05)


def test_an_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="can not be watched"):
        LogDirectoryWatch(tmp_path / "absent")
