"""A lazily filled block file without FUSE: what is touched, what survives a kill, what is asked again."""

import contextlib
import os
import random
import threading
import time
from pathlib import Path

import pytest
from lazy_rig import BLOCK_COUNT, INDEXED, PAYLOADS, Blocks, World

from holdfast.backup_format.index import BlockTable
from holdfast.clock import Clock
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import CorruptionError, HoldfastError, StoreUnavailableError
from holdfast.restore.block_mount import find_obstacle
from holdfast.restore.lazy_file import BlockState, LazyBlockFile
from holdfast.restore.lazy_source import PatientBlocks
from holdfast.values.buffers import Buffer


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_only_touched_blocks_are_asked_for_and_zero_blocks_never(world: World) -> None:
    file = world.open()
    assert file.size_bytes == BLOCK_COUNT * MACRO_BLOCK_BYTES
    assert file.read(2 * MACRO_BLOCK_BYTES - 10, 20) == PAYLOADS[1][-10:] + PAYLOADS[2][:10]
    assert file.read(3 * MACRO_BLOCK_BYTES, 4096) == bytes(4096)
    assert file.read(MACRO_BLOCK_BYTES, 10) == PAYLOADS[1][:10]
    assert world.blocks.asked == [1, 2]
    assert file.missing_count == len(INDEXED) - 2


def test_what_is_only_read_is_not_marked_before_it_is_durable(world: World) -> None:
    file = world.open()
    file.read(0, 1)
    assert file.state(0) is BlockState.HELD
    assert world.marked() == []
    file.sync()
    assert (file.state(0), world.marked(), file.arrived_bytes) == (BlockState.MARKED, [0], MACRO_BLOCK_BYTES)


def test_a_block_that_was_not_marked_comes_again_after_a_kill(world: World) -> None:
    world.open().read(0, 1)
    assert world.open().read(5, 5) == PAYLOADS[0][5:10]
    assert world.blocks.asked == [0, 0]


def test_a_write_is_safe_from_the_backup_when_it_is_acknowledged(world: World) -> None:
    world.open().write(4 * MACRO_BLOCK_BYTES + 7, b"mine")
    again = world.open()
    assert again.read(4 * MACRO_BLOCK_BYTES, 20) == PAYLOADS[4][:7] + b"mine" + PAYLOADS[4][11:20]
    assert again.read(5 * MACRO_BLOCK_BYTES - 9, 9) == PAYLOADS[4][-9:]
    assert world.blocks.asked == [4]


def test_a_write_into_a_block_held_before_is_safe_too(world: World) -> None:
    file = world.open()
    file.read(4 * MACRO_BLOCK_BYTES, 1)
    file.write(4 * MACRO_BLOCK_BYTES, b"mine")
    assert world.open().read(4 * MACRO_BLOCK_BYTES, 5) == b"mine" + PAYLOADS[4][4:5]


def test_no_bit_is_written_when_the_bytes_could_not_be_made_durable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.open()

    def full(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="no space"):
            file.write(0, b"mine")
    assert world.marked() == []
    file.sync()
    assert world.marked() == [0]


@pytest.mark.parametrize("error", [None, StoreUnavailableError("the destination is away")])
def test_of_several_that_touch_one_block_one_asks_and_all_have_its_answer(
    world: World, error: HoldfastError | None
) -> None:
    """A dead destination keeps an engine's threads for one bound, not for one each."""
    touched = threading.Barrier(4)

    class Slow(Blocks):
        def get_block(self, block_id: int) -> Buffer:
            touched.wait(10)
            time.sleep(
                0.2
            )  # long enough for them to be waiting for this call; if they are not, nothing is proven, nothing fails
            return super().get_block(block_id)

    slow = world.blocks = Slow()
    slow.error = error
    file = world.open()
    got: list[object] = []

    def touch(number: int) -> None:
        if number:
            touched.wait(10)  # the first one asks, and has them all come
        try:
            got.append(file.read(0, 4))
        except StoreUnavailableError as failure:
            got.append(failure)

    threads = [threading.Thread(target=touch, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [error or PAYLOADS[0][:4]] * 4
    assert slow.asked == [0]


def test_a_failure_gives_no_bytes_and_the_next_touch_asks_again(world: World) -> None:
    file = world.open()
    world.blocks.error = CorruptionError("object data/1 is damaged")
    with pytest.raises(CorruptionError):
        file.read(0, 1)
    with pytest.raises(CorruptionError):
        file.write(0, b"mine")
    assert file.state(0) is BlockState.MISSING
    world.blocks.error = None
    assert file.read(0, 4) == PAYLOADS[0][:4]


def test_another_source_may_be_asked_and_its_failure_is_its_own(world: World) -> None:
    file, hurried = world.open(), Blocks()
    hurried.error = StoreUnavailableError("the destination is away")
    with pytest.raises(StoreUnavailableError):
        file.ensure(0, hurried)
    assert file.ensure(0)
    assert not file.ensure(0, hurried)


def test_when_all_have_arrived_the_overlay_is_the_block_file(world: World) -> None:
    file = world.open()
    assert list(file.missing()) == list(reversed(INDEXED))  # as they lie in the object
    file.write(6 * MACRO_BLOCK_BYTES, b"new")
    for block_id in file.missing():
        file.ensure(block_id)
    assert not file.is_complete  # here, but not yet for good
    file.close()
    assert world.open().is_complete
    whole = world.overlay.read_bytes()
    for block_id in range(BLOCK_COUNT):
        expected = PAYLOADS.get(block_id, bytes(MACRO_BLOCK_BYTES))
        if block_id == 6:
            expected = b"new" + expected[3:]
        assert whole[block_id * MACRO_BLOCK_BYTES :][:MACRO_BLOCK_BYTES] == expected


@pytest.mark.parametrize("seed", range(8))
def test_any_sequence_of_reads_writes_and_kills_is_like_a_plain_file(world: World, seed: int) -> None:
    chance = random.Random(seed)
    plain = bytearray(b"".join(PAYLOADS.get(block_id, bytes(MACRO_BLOCK_BYTES)) for block_id in range(BLOCK_COUNT)))
    file = world.open()
    for _ in range(60):
        offset, size = chance.randrange(len(plain) - 70_000), chance.randint(1, 70_000)
        match chance.choice("rrwwskfh"):
            case "r":
                assert file.read(offset, size) == plain[offset : offset + size]
            case "w":
                data = chance.randbytes(size)
                file.write(offset, data)
                plain[offset : offset + size] = data
            case "s":
                file.sync()
            case "k":
                file = world.open()
            case "f":
                world.blocks.error = StoreUnavailableError("away")
                with contextlib.suppress(StoreUnavailableError):
                    assert file.read(offset, size) == plain[offset : offset + size]
                world.blocks.error = None
            case "h":
                file.ensure(next(file.missing(), 0))
    assert file.read(0, len(plain)) == plain


def test_the_file_grows_as_an_engine_makes_it_and_never_shrinks(world: World) -> None:
    file = world.open()
    end = BLOCK_COUNT * MACRO_BLOCK_BYTES
    file.allocate(end, MACRO_BLOCK_BYTES)
    file.grow(end + 3 * MACRO_BLOCK_BYTES)
    file.write(end + 2 * MACRO_BLOCK_BYTES, b"there")
    assert file.read(end + 2 * MACRO_BLOCK_BYTES, 6) == b"there\0"
    with pytest.raises(OSError, match="shrink"):
        file.grow(end)
    assert world.blocks.asked == []


def test_marks_of_another_image_are_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(CorruptionError):
        LazyBlockFile(world.overlay, world.marks, BlockTable(99), world.blocks)
    world.marks.write_bytes(b"HFARRIVX" + world.marks.read_bytes()[8:])
    with pytest.raises(CorruptionError):
        world.open()


class HandClock(Clock):
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def now_ns(self) -> int:
        return int(self.now * 1e9)


def test_a_destination_that_is_away_is_asked_again_up_to_a_bound() -> None:
    blocks, clock, told = Blocks(), HandClock(), []
    blocks.error = StoreUnavailableError("away")
    patient = PatientBlocks(blocks, clock, tell=told.append, seconds_max=3.0)
    with pytest.raises(StoreUnavailableError):
        patient.get_block(0)
    assert 2.0 <= clock.now <= 3.0
    assert set(told) == {"away"}
    assert len(blocks.asked) > 3
    blocks.error = None
    assert patient.get_block(0) == PAYLOADS[0]
    assert told[-1] == ""


def test_damage_is_not_waited_for() -> None:
    blocks, clock = Blocks(), HandClock()
    blocks.error = CorruptionError("damaged")
    with pytest.raises(CorruptionError):
        PatientBlocks(blocks, clock, tell=lambda _: None).get_block(0)
    assert (blocks.asked, clock.now) == ([0], 0.0)


def test_a_machine_without_the_device_says_so(tmp_path: Path) -> None:
    assert find_obstacle(tmp_path / "fuse") == f"{tmp_path}/fuse can not be opened: No such file or directory"
