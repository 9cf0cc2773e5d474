"""The follower on a real engine under load: every byte, over kills and outages."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from archive_reader import ArchivedRound, read_archive
from follower_child import file_rig
from follower_rig import CLOCK, Rig, new_round, wait_until

from engine_rig import Bank, EngineRig
from holdfast.archive.follower import Follower
from holdfast.archive.keeper import Keeper
from holdfast.archive.pressure import SpoolLimits
from holdfast.archive.round import Wanted
from holdfast.engine_format.log_block import LOG_DATA_BYTES
from holdfast.values.archive import PieceStatus, RoundStatus
from holdfast.values.destination import Binding

pytestmark = pytest.mark.live

INTERVAL_US = 500_000
DAY_US = 86_400_000_000


@pytest.fixture
def rig(engine: EngineRig, tmp_path: Path) -> Iterator[Rig]:
    directory = engine.directory
    made = file_rig(
        directory.log_dir, directory.log_meta_dir, tmp_path / "spool", tmp_path / "dest", tmp_path / "journal", DAY_US
    )
    yield made
    made.close()


@contextmanager
def witness(engine: EngineRig, tmp_path: Path) -> Iterator[Path]:
    """Hold every log block apart from the follower, and let nothing go: the truth to compare with."""
    folder = tmp_path / "witness"
    keeper = Keeper(engine.directory.log_dir, folder, limits=SpoolLimits(), binding=Binding.MANDATORY, clock=CLOCK)
    keeper.start()
    try:
        yield folder
    finally:
        keeper.give_up()


def drained(rig: Rig, follower: Follower) -> ArchivedRound:
    """Return the archive after the follower took everything up to the live tail (the load has ended by now)."""
    _, scn = follower.tail_after()
    follower.request_flush(scn)
    wait_until(lambda: follower.checkpoint_scn() >= scn, seconds=30)
    assert follower.stop(drain=False)
    found = read_archive(rig.store)
    assert found.end.scn >= scn
    return found


def bulk(engine: EngineRig, megabytes: int, table: str) -> None:
    """Write this much log in large rows."""
    with engine.session() as session:
        session.execute(f"create table test.{table} (i int primary key, pad longtext)")
        for number in range(megabytes):
            session.execute(f"insert into test.{table} values (%s, repeat('x', 1000000))", (number,))
        session.execute(f"drop table test.{table}")


def test_every_byte_of_a_mixed_load_is_archived_over_blocks_and_pieces(
    engine: EngineRig, bank: Bank, rig: Rig, tmp_path: Path
) -> None:
    rig.round = new_round(time.time_ns(), interval_us=INTERVAL_US)
    with witness(engine, tmp_path) as truth:
        follower = rig.follower()
        wait_until(lambda: follower.status().status is RoundStatus.DOING)
        bank.begin()
        bulk(engine, 140, "bulk1")
        bank.end()
        tail_lsn, tail_scn = follower.tail_after()
        found = drained(rig, follower)
        assert (found.end.lsn, found.end.scn) >= (tail_lsn, tail_scn)
        assert found.end.lsn - found.begin_lsn > LOG_DATA_BYTES
        assert len(found.pieces) >= 2  # a quick load crosses one border, a slow one more
        assert [piece.status for piece in found.pieces[:-1]] == [PieceStatus.FROZEN] * (len(found.pieces) - 1)
        assert not found.differences_from(truth, engine.directory.log_dir)
        assert len(rig.spooled()) <= 2, "what is archived is let go"


@pytest.mark.crash
def test_kill_9_of_the_follower_at_random_moments_loses_and_invents_nothing(
    engine: EngineRig, bank: Bank, tmp_path: Path
) -> None:
    directory = engine.directory
    places = [directory.log_dir, directory.log_meta_dir, tmp_path / "spool", tmp_path / "dest", tmp_path / "journal"]
    child = Path(__file__).with_name("follower_child.py")
    chance = random.Random(7)
    with witness(engine, tmp_path) as truth:
        bank.begin()
        for _ in range(10):
            command = [sys.executable, str(child), *map(str, places), str(INTERVAL_US)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.5))
            process.kill()
            process.communicate()
        bank.end()
        rig = file_rig(*places, INTERVAL_US)
        follower = rig.follower()
        wait_until(lambda: follower.status().status is RoundStatus.DOING)
        found = drained(rig, follower)
        assert not found.differences_from(truth, directory.log_dir)
        assert found.end.lsn - found.begin_lsn > 500_000
    assert rig.journal.round is not None
    assert rig.journal.round.input_bytes == found.end.lsn - found.begin_lsn
    assert sum(piece.input_bytes for piece in rig.journal.pieces.values()) == rig.journal.round.input_bytes


@pytest.mark.crash
def test_kill_9_of_the_engine_under_load_leaves_one_unbroken_log(
    engine: EngineRig, bank: Bank, rig: Rig, tmp_path: Path
) -> None:
    with witness(engine, tmp_path) as truth:
        follower = rig.follower()
        for seconds in (0.7, 0.3, 1.0):
            bank.begin()
            time.sleep(seconds)
            engine.kill()
            bank.end()
            engine.restart()
        bank.run(0.5)
        assert follower.status().status is RoundStatus.DOING, follower.status().comment
        found = drained(rig, follower)
        assert not found.differences_from(truth, engine.directory.log_dir)
    assert bank.check(engine.session()).is_right


def test_a_destination_that_goes_away_under_load_is_caught_up_with(
    engine: EngineRig, bank: Bank, rig: Rig, tmp_path: Path
) -> None:
    with witness(engine, tmp_path) as truth:
        follower = rig.follower()
        bank.begin()
        wait_until(lambda: follower.status().status is RoundStatus.DOING)
        (tmp_path / "dest").rename(tmp_path / "away")
        wait_until(lambda: follower.status().comment)
        before = follower.checkpoint_scn()
        bulk(engine, 70, "bulk2")
        bank.end()
        lsn, scn = follower.tail_after()
        assert scn > before == follower.checkpoint_scn()
        (tmp_path / "away").rename(tmp_path / "dest")
        found = drained(rig, follower)
        assert found.end.lsn >= lsn
        assert not found.differences_from(truth, engine.directory.log_dir)
        assert not follower.status().comment


def test_suspend_goes_on_with_the_same_round_and_stop_ends_it(
    engine: EngineRig, bank: Bank, rig: Rig, tmp_path: Path
) -> None:
    with witness(engine, tmp_path) as truth:
        follower = rig.follower()
        wait_until(lambda: follower.status().status is RoundStatus.DOING)
        follower.ask(Wanted.SUSPEND)
        wait_until(lambda: follower.status().status is RoundStatus.SUSPEND)
        bank.run(0.5)
        follower.ask(Wanted.RUN)
        wait_until(lambda: follower.status().status is RoundStatus.DOING)
        _, scn = follower.tail_after()
        follower.ask(Wanted.STOP)
        assert follower.wait_over(10.0)
        found = read_archive(rig.store)
        assert found.end.scn >= scn, "what was written before NOARCHIVELOG is in the round"
        assert [piece.status for piece in found.pieces] == [PieceStatus.FROZEN]
        assert not found.differences_from(truth, engine.directory.log_dir)


def test_an_idle_follower_takes_little_of_a_core(engine: EngineRig, rig: Rig) -> None:
    follower = rig.follower()
    wait_until(lambda: follower.status().status is RoundStatus.DOING)
    checkpoint = follower.checkpoint_scn()
    time.sleep(0.5)
    used, began = time.process_time(), time.monotonic()
    wait_until(lambda: follower.checkpoint_scn() > checkpoint and time.monotonic() - began > 4, seconds=15)
    share = (time.process_time() - used) / (time.monotonic() - began)
    assert threading.active_count() < 50
    assert share < 0.05, share
