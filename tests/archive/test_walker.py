"""Telling an unfinished group from a broken log."""

from pathlib import Path

import pytest
from log_maker import LogMaker

from holdfast.archive.blocks import BlockReader, LogMissingError
from holdfast.archive.walker import LATER_BLOCK_SECONDS, WRITTEN_ON_NS, LogWalker, is_later_block_in_use, judge_doubt
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, first_lsn_of
from holdfast.engine_format.log_walk import Position, WalkStop
from holdfast.values.lsn import Lsn

HERE = Position(lsn=Lsn(1000))
WROTE = 1_000_000_000_000


@pytest.mark.parametrize(
    ("stop", "written_ns", "later_block", "seconds", "broken"),
    [
        (WalkStop.ZERO, WROTE, False, 3600.0, False),  # an engine that rests, or is dead
        (WalkStop.BROKEN, WROTE, False, 3600.0, False),  # a torn tail of a dead engine: it drops it when it starts
        (WalkStop.BROKEN, WROTE + WRITTEN_ON_NS - 1, False, 9.0, False),
        (WalkStop.BROKEN, WROTE + WRITTEN_ON_NS, False, 10.0, True),  # the engine goes on, but not with this group
        (WalkStop.ZERO, WROTE + WRITTEN_ON_NS, False, 10.0, False),  # written before us, nothing to see yet
        (WalkStop.ZERO, WROTE, True, LATER_BLOCK_SECONDS / 2, False),  # read before the block was finished
        (WalkStop.ZERO, WROTE, True, LATER_BLOCK_SECONDS, True),
        (WalkStop.BROKEN, WROTE, True, LATER_BLOCK_SECONDS, True),
    ],
)
def test_a_log_is_broken_only_when_the_engine_has_certainly_gone_on_without_it(
    stop: WalkStop, written_ns: int, later_block: bool, seconds: float, broken: bool
) -> None:
    first, _ = judge_doubt(None, position=HERE, stop=stop, written_ns=WROTE, later_block=later_block, now=0.0)
    _, is_broken = judge_doubt(
        first, position=HERE, stop=stop, written_ns=written_ns, later_block=later_block, now=seconds
    )
    assert is_broken is broken


def test_a_doubt_begins_anew_where_the_log_went_on() -> None:
    first, _ = judge_doubt(None, position=HERE, stop=WalkStop.ZERO, written_ns=WROTE, later_block=True, now=0.0)
    there = Position(lsn=Lsn(2000))
    moved, is_broken = judge_doubt(
        first, position=there, stop=WalkStop.ZERO, written_ns=WROTE, later_block=True, now=60.0
    )
    assert (moved.position, is_broken) == (there, False)


def test_a_later_block_counts_only_once_its_info_block_is_written(tmp_path: Path) -> None:
    log = LogMaker(tmp_path / "log")
    log.group(b"x")
    with log.path(1).open("wb") as file:
        file.truncate(LOG_BLOCK_BYTES)
    reader = BlockReader(tmp_path / "log", tmp_path / "spool")
    assert not is_later_block_in_use(reader, log.lsn)
    log.path(1).unlink()
    log.pad_block()
    log.group(b"y")
    assert is_later_block_in_use(reader, 0)
    reader.close()


def test_groups_larger_than_the_buffer_are_walked(tmp_path: Path) -> None:
    log = LogMaker(tmp_path / "log")
    log.group(b"s" * 100)
    log.group(b"L" * 9_000_000)
    log.pad_block()
    reader = BlockReader(tmp_path / "log", tmp_path / "spool")
    walker, position = LogWalker(reader), Position(lsn=Lsn(0))
    for _ in range(20):
        _, found = walker.step(position)
        position = found.end
        if found.stop is WalkStop.BLOCK_END:
            break
    assert position.lsn == first_lsn_of(1)
    reader.close()


def test_a_block_not_made_yet_is_no_loss_and_a_recycled_one_is(tmp_path: Path) -> None:
    log = LogMaker(tmp_path / "log", first_block=5)
    log.group(b"x")
    reader = BlockReader(tmp_path / "log", tmp_path / "spool")
    assert reader.read_into(first_lsn_of(6), memoryview(bytearray(100))) == 0
    with pytest.raises(LogMissingError) as caught:
        reader.read_into(first_lsn_of(4), memoryview(bytearray(100)))
    assert (caught.value.block_id, caught.value.present) == (4, (5,))


def test_an_open_block_stays_readable_when_it_is_recycled(tmp_path: Path) -> None:
    log = LogMaker(tmp_path / "log", first_block=5)
    log.group(b"x")
    reader = BlockReader(tmp_path / "log", tmp_path / "spool")
    walker = LogWalker(reader)
    _, before = walker.step(Position(lsn=first_lsn_of(5)))
    log.recycle(below=6)
    _, after = walker.step(Position(lsn=first_lsn_of(5)))
    assert (before.end, after.group_count) == (after.end, 1)
    reader.close()


def test_a_spool_that_can_not_be_read_keeps_nobody_from_the_engines_folder(tmp_path: Path) -> None:
    log = LogMaker(tmp_path / "log", first_block=5)
    log.group(b"x")
    (tmp_path / "spool").write_text("in the way")
    reader = BlockReader(tmp_path / "log", tmp_path / "spool")
    assert reader.block_ids() == (5,)
    assert reader.peek_info(5) is not None
    assert reader.read_into(first_lsn_of(5), memoryview(bytearray(100))) == 100
    with pytest.raises(NotADirectoryError):  # it may be in the spool: not known to be lost
        reader.read_into(first_lsn_of(4), memoryview(bytearray(100)))
    reader.close()
