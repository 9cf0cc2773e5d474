"""A lazily filled block file through FUSE, without an engine: bytes, errors, deaths, leftovers."""

import errno
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from lazy_rig import BLOCK_COUNT, PAYLOADS, Blocks, World, table

from holdfast.backup_format.index import encode_index
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import find_engines
from holdfast.errors import CorruptionError
from holdfast.restore import block_process, lazy_layout
from holdfast.restore.block_mount import Mount, find_obstacle, mount_over, mounts_below, serve, unmount
from holdfast.restore.block_process import UnservedError
from holdfast.restore.lazy_file import LazyBlockFile, create_lazy_files
from holdfast.restore.lazy_place import BlockOrder, Holder, HydrationPace, LazyPlace
from server_rig import wait_for

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(find_obstacle() is not None, reason=f"no FUSE on this machine: {find_obstacle()}"),
]
MIB = 1 << 20
_READS = {"17", "295", "327", "67", "69", "286"}
"""pread64, preadv and preadv2, on x86-64 and on aarch64."""


def _child(folder: str, path: str) -> None:
    """Serve the World of `folder` at `path`; block 5 is damaged, block 7 comes once there is a file `open`."""

    class Damaged(Blocks):
        def get_block(self, block_id: int) -> bytes | bytearray | memoryview:
            if block_id == 5:
                raise CorruptionError("object data/1 is damaged at block 5")
            if block_id == 7:
                wait_for(Path(folder, "open").exists, bool, seconds=30)
            return super().get_block(block_id)

    serve(LazyBlockFile(Path(folder, "block_file"), Path(folder, "arrived"), table(), Damaged()), Path(path))


@contextmanager
def _served(folder: Path, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    here = Path(__file__).parent
    program = f"import sys; sys.path[:0] = {[str(here), str(here.parent)]!r}; import test_live_mount as t; t._child(*sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", program, str(folder), str(path)])
    try:
        wait_for(lambda: mount_over(path), lambda mount: mount is Mount.LIVE)
        yield process
    finally:
        process.kill()
        process.wait()
        unmount(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    covered = tmp_path / "covered"
    covered.write_bytes(b"")
    return covered


def _read(descriptor: int, offset: int, size: int) -> bytes:
    return os.pread(descriptor, size, offset)


def _refused(call: Callable[[], object]) -> int:
    with pytest.raises(OSError) as caught:
        call()
    return int(caught.value.errno or 0)


def test_the_mounted_file_reads_writes_and_says_what_is_damaged(tmp_path: Path, path: Path) -> None:
    world = World(tmp_path)
    with _served(tmp_path, path) as process:
        opened = os.open(path, os.O_RDWR)
        assert os.fstat(opened).st_size == BLOCK_COUNT * 2 * MIB
        assert _read(opened, 2 * MIB + 7, 100) == PAYLOADS[1][7:107]
        assert _read(opened, 6 * MIB, 100) == bytes(100)
        os.chown(path, 12345, 12345)
        os.pwrite(opened, b"mine", 4 * MIB)
        os.fsync(opened)
        assert world.marked() == [1, 2]
        assert _refused(lambda: os.pread(opened, 10, 10 * MIB)) == errno.EIO
        assert _refused(lambda: os.ftruncate(opened, MIB)) == errno.EPERM
        os.posix_fallocate(opened, BLOCK_COUNT * 2 * MIB, 2 * MIB)
        assert os.fstat(opened).st_size == (BLOCK_COUNT + 1) * 2 * MIB
        os.close(opened)
        # The end in order: nothing stays mounted, and the covered file is what it was.
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (mount_over(path), path.read_bytes()) == (Mount.NONE, b"")
    assert world.overlay.read_bytes()[4 * MIB :][:5] == b"mine" + PAYLOADS[2][4:5]


def test_reads_that_wait_leave_room_for_those_that_need_not(tmp_path: Path, path: Path) -> None:
    World(tmp_path)
    with _served(tmp_path, path), ThreadPoolExecutor(40) as pool:
        opened = os.open(path, os.O_RDONLY | os.O_DIRECT)
        waiting = [pool.submit(lambda: os.preadv(opened, [mmap.mmap(-1, 4096)], 14 * MIB)) for _ in range(40)]
        wait_for(_threads_in_read, lambda count: count >= 40, seconds=20)
        buffer = mmap.mmap(-1, 4096)
        assert os.preadv(opened, [buffer], 2 * MIB) == 4096
        assert buffer[:] == PAYLOADS[1][:4096]
        assert not any(one.done() for one in waiting)
        (tmp_path / "open").touch()
        assert [one.result() for one in waiting] == [4096] * 40
        os.close(opened)


def _threads_in_read() -> int:
    """Return how many of our threads wait inside a read of a file."""
    count = 0
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            count += (task / "syscall").read_text().split()[0] in _READS
    return count


def test_a_killed_server_leaves_a_dead_mount_that_the_sweep_takes_away(tmp_path: Path, path: Path) -> None:
    World(tmp_path)
    with _served(tmp_path, path) as process:
        opened = os.open(path, os.O_RDONLY)
        assert mounts_below(tmp_path) == [str(path)]
        process.kill()
        process.wait()
        assert _refused(lambda: os.pread(opened, 10, 0)) == errno.ENOTCONN
        with suppress(OSError):  # ENOTCONN too; it is closed all the same
            os.close(opened)
        assert mount_over(path) is Mount.DEAD
        block_process.sweep(tmp_path, frozenset({path}))
        assert mounts_below(tmp_path) == []
    assert path.read_bytes() == b""


def test_a_block_server_is_begun_found_and_ended_and_says_when_it_can_not_serve(tmp_path: Path) -> None:
    directory = EngineDirectory(tmp_path / "engine", find_engines().newest)
    directory.block_file.parent.mkdir(parents=True)
    place = LazyPlace(tmp_path)
    place.folder.mkdir()
    place.index.write_bytes(b"".join(encode_index(table(), set_id=1, block_size_bytes=2 * MIB)))
    holder = Holder(set_id=1, source=f"file://{tmp_path}/away", root="backup_set_1_full")
    place.put_order(BlockOrder(size_bytes=BLOCK_COUNT * 2 * MIB, holders=(holder,)))
    create_lazy_files(place.overlay, place.marks, size_bytes=BLOCK_COUNT * 2 * MIB, block_count=BLOCK_COUNT)
    place.put_pace(HydrationPace(threads=1, rate=0))
    with pytest.raises(UnservedError, match="can not be mounted over"):
        block_process.make_ready(place, directory)  # the file to be covered is missing
    assert not place.is_served()

    directory.block_file.write_bytes(b"")
    block_process.make_ready(place, directory)
    try:
        first = place.server()
        block_process.make_ready(place, directory)
        assert first is not None
        assert place.server() == first  # nothing to do
        with directory.block_file.open("rb") as file:
            assert os.pread(file.fileno(), 10, 6 * MIB) == bytes(10)
        said = wait_for(lambda: place.state().trouble, bool)  # hydration is refused by a destination that is not there
        assert "blocks do not come" in said
        os.kill(first.pid, signal.SIGKILL)
        wait_for(lambda: block_process.is_sound(place, directory), lambda sound: not sound)
        block_process.make_ready(place, directory)
        assert place.server() != first
        assert block_process.is_sound(place, directory)
    finally:
        block_process.end(place, directory)
    assert (place.is_served(), mount_over(directory.block_file), directory.block_file.read_bytes()) == (
        False,
        Mount.NONE,
        b"",
    )


def test_a_complete_file_becomes_plain_whatever_line_the_first_try_died_at(tmp_path: Path) -> None:
    directory = EngineDirectory(tmp_path / "engine", find_engines().newest)
    directory.block_file.parent.mkdir(parents=True)
    directory.block_file.write_bytes(b"")
    place = LazyPlace(tmp_path)
    place.folder.mkdir()
    place.overlay.write_bytes(b"complete")
    lazy_layout.put_plain(place, directory)
    assert (directory.block_file.read_bytes(), place.exists(), block_process.is_sound(place, directory)) == (
        b"complete",
        False,
        True,
    )
    place.folder.mkdir()  # killed between the rename and the end
    assert not block_process.is_sound(place, directory)
    block_process.make_ready(place, directory)
    assert (directory.block_file.read_bytes(), place.exists()) == (b"complete", False)
