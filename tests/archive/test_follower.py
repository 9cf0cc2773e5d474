"""The follower over made log: what it archives, and what it does when something goes wrong."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from archive_reader import read_archive
from follower_rig import FlakyStore, Rig, new_round, status_is, wait_until
from log_maker import LogMaker, write_meta

from holdfast import codes
from holdfast.archive import follower as follower_module
from holdfast.archive.pressure import SpoolLimits
from holdfast.archive.round import Wanted
from holdfast.archive.writer import RoundWriter
from holdfast.backup_format import names
from holdfast.backup_format.piece_record import decode_piece_record
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, file_offset_of, first_lsn_of
from holdfast.errors import RefusedError, refuse
from holdfast.store.memory import MemoryStore
from holdfast.values.archive import FileStatus, PieceStatus, RoundStatus
from holdfast.values.destination import Binding
from holdfast.values.scn import Scn

START = 1_800_000_000_000_000_000
PIECE_1_LOG = names.log_name(names.piece_root(1001, 1, 1), 3)


@pytest.fixture
def log(tmp_path: Path) -> LogMaker:
    """A log whose base block is 3."""
    made = LogMaker(tmp_path / "engine" / "log", first_block=3, scn=START)
    for _ in range(20):
        made.group(b"first" * 20, b"second")
    write_meta(tmp_path / "engine" / "meta", int(first_lsn_of(3)))
    return made


@pytest.fixture
def rig(log: LogMaker, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(
        log_dir=log.log_dir,
        log_meta_dir=tmp_path / "engine" / "meta",
        spool_dir=tmp_path / "spool",
        store=FlakyStore(MemoryStore()),  # type: ignore[arg-type]
        round=new_round(START + 5000),
    )
    yield made
    made.close()


def flaky(rig: Rig) -> FlakyStore:
    assert isinstance(rig.store, FlakyStore)
    return rig.store


def archived_to(rig: Rig, log: LogMaker) -> None:
    """Wait until everything written is durable."""
    wait_until(lambda: rig.followers[-1].checkpoint_scn() >= log.scn)


def test_a_round_begins_at_the_base_block_and_archives_every_byte(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    log.group(b"more")
    archived_to(rig, log)
    assert follower.stop(drain=True)
    found = read_archive(rig.store)
    assert found.begin_lsn == first_lsn_of(3) == follower.start_lsn()
    assert int(found.end.lsn) == log.lsn
    assert found.group_count == 21
    assert not found.differences_from(log.log_dir)
    assert rig.journal.statuses == [RoundStatus.BEGINNING, RoundStatus.DOING]


def test_a_follower_that_goes_on_takes_back_why_nobody_did(rig: Rig, log: LogMaker) -> None:
    rig.round = replace(new_round(START + 5000), comment="waiting: the engine is not known")
    follower = rig.follower()
    archived_to(rig, log)
    wait_until(lambda: follower.status().comment == "")


def test_the_journal_and_the_record_say_what_is_durable(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    piece = rig.journal.pieces[1]
    assert rig.journal.round is not None
    assert rig.journal.round.checkpoint_scn == piece.checkpoint_scn == piece.max_scn == log.scn
    assert piece.input_bytes == log.lsn - first_lsn_of(3) == rig.journal.round.input_bytes
    assert piece.output_bytes == rig.store.stat(PIECE_1_LOG) == rig.journal.round.output_bytes
    assert (piece.status, piece.file_status) == (PieceStatus.ACTIVE, FileStatus.AVAILABLE)
    assert read_archive(rig.store).pieces[0].end.lsn == log.lsn


def test_older_blocks_than_the_base_are_not_held(rig: Rig, log: LogMaker) -> None:
    (log.log_dir / "2").write_bytes(bytes(4096))
    rig.follower()
    archived_to(rig, log)
    wait_until(lambda: rig.spooled() == [3])
    time.sleep(0.6)  # one look of the keeper: what was released is not held again
    assert rig.spooled() == [3]


def test_log_goes_on_over_block_ends_and_links_are_released_behind(rig: Rig, log: LogMaker) -> None:
    rig.follower()
    log.fill_block()
    log.group(b"in block 4")
    log.fill_block()
    log.group(b"in block 5")
    archived_to(rig, log)
    wait_until(lambda: rig.spooled() == [5])
    found = read_archive(rig.store)
    assert sorted(found.infos) == [3, 4, 5]
    assert not found.differences_from(log.log_dir)
    assert found.block_image(3) == log.path(3).read_bytes()


def test_pieces_switch_inside_a_block_at_the_group_that_reaches_the_border(rig: Rig, log: LogMaker) -> None:
    rig.round = new_round(START, interval_us=10)  # one group every microsecond
    for number in range(1, 36):
        log.group(b"x" * number)
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    found = read_archive(rig.store)
    assert [piece.piece_id for piece in found.pieces] == [1, 2, 3, 4, 5, 6]
    assert [piece.status for piece in found.pieces] == [PieceStatus.FROZEN] * 5 + [PieceStatus.ACTIVE]
    assert all(piece.checkpoint_scn == piece.end_scn for piece in found.pieces[:5])
    assert not found.differences_from(log.log_dir)
    told = rig.journal.pieces
    assert [told[number].checkpoint_scn for number in range(1, 6)] == [told[number].end_scn for number in range(1, 6)]
    assert rig.journal.round is not None
    assert rig.journal.round.used_piece_id == 6
    assert rig.journal.round.input_bytes == log.lsn - first_lsn_of(3)
    ends = [item.name for item in rig.store.list("pieces/") if "_end_" in item.name]
    assert len(ends) == 5


def test_a_quiet_time_of_several_pieces_leaves_empty_ones_that_meet(rig: Rig, log: LogMaker) -> None:
    rig.round = new_round(START, interval_us=100)
    log.group(b"much later", scn=START + 430_000)
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    found = read_archive(rig.store)
    assert [len(piece.blocks) for piece in found.pieces] == [1, 0, 0, 0, 1]
    assert found.pieces[2].checkpoint_scn == found.pieces[2].end_scn


def test_a_border_at_a_block_end_begins_the_next_piece_in_the_next_block(rig: Rig, log: LogMaker) -> None:
    rig.round = new_round(START, interval_us=1000)
    log.fill_block()
    log.group(b"next piece", scn=START + 1_500_000)
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    found = read_archive(rig.store)
    assert [[block.block_id for block in piece.blocks] for piece in found.pieces] == [[3], [4]]


def test_an_unfinished_group_is_waited_for(rig: Rig, log: LogMaker) -> None:
    before = log.lsn
    log.group(b"whole" * 100)
    path, end = log.path(3), file_offset_of(log.lsn)
    whole = path.read_bytes()[file_offset_of(before) : end]
    with path.open("r+b") as file:  # as a live reader sees it: the header and a part of the body
        file.seek(end - 200)
        file.write(bytes(200))
    rig.follower()
    wait_until(lambda: rig.followers[0].checkpoint_scn() > 0)
    time.sleep(0.2)
    assert rig.followers[0].status().durable_lsn == before
    with path.open("r+b") as file:
        file.seek(file_offset_of(before))
        file.write(whole)
    archived_to(rig, log)


def test_a_follower_goes_on_where_the_one_before_ended(rig: Rig, log: LogMaker) -> None:
    for _ in range(4):
        follower = rig.follower()
        for number in range(30):
            log.group(os.urandom(number + 1))
        archived_to(rig, log)
        follower.stop(drain=False)
    found = read_archive(rig.store)
    assert int(found.end.lsn) == log.lsn
    assert not found.differences_from(log.log_dir)
    assert rig.journal.round is not None
    assert rig.journal.round.input_bytes <= log.lsn - first_lsn_of(3)


def test_a_round_that_is_taken_up_only_begins_until_its_destination_was_read(rig: Rig, log: LogMaker) -> None:
    """Its status is DOING all the time. A backup that was taken up as quickly failed with -9029."""
    follower = rig.follower()
    assert follower.status().is_beginning
    archived_to(rig, log)
    wait_until(lambda: not follower.status().is_beginning)
    follower.stop(drain=True)
    rig.refusal = refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, "")
    follower = rig.follower()
    wait_until(lambda: "format file does not match" in follower.status().comment)
    assert (follower.status().status, follower.status().is_beginning) == (RoundStatus.DOING, True)
    rig.refusal = None
    wait_until(lambda: not follower.status().is_beginning)
    assert follower.start_lsn() == first_lsn_of(3)


def test_frames_behind_the_last_record_count_and_a_torn_one_does_not(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=False)
    root = names.piece_root(1001, 1, 1)
    old_record = rig.store.get(names.checkpoint_name(root))
    known = (rig.journal.round, dict(rig.journal.pieces))
    follower = rig.follower()
    log.group(b"behind the record")
    archived_to(rig, log)
    follower.stop(drain=True)
    # As if it had died before it told anything, in the middle of one more append.
    rig.store.put(names.checkpoint_name(root), old_record)
    rig.journal.round, rig.journal.pieces = known
    size = rig.store.stat(PIECE_1_LOG)
    assert size is not None
    rig.store.appender(PIECE_1_LOG, size).append(b"HFLF torn")
    flaky(rig).store._appending.clear()
    durable_before = log.lsn
    log.group(b"after the crash")
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    found = read_archive(rig.store)
    assert int(found.end.lsn) == log.lsn > durable_before
    assert not found.differences_from(log.log_dir)


def test_a_lost_block_interrupts_the_round_with_the_missing_range(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    durable = log.lsn
    checkpoint = log.scn
    for path in rig.spool_dir.iterdir():
        path.unlink()
    log.fill_block()
    log.fill_block()
    log.group(b"in block 5")
    log.recycle(below=5)
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    comment = follower.status().comment
    assert comment.startswith("log stream 1 interrupted")
    assert f"LSN [{durable}, {first_lsn_of(5)})" in comment
    assert f"SCN [{checkpoint + 1}, {log.scn})" in comment
    wait_until(lambda: not rig.spooled())
    assert read_archive(rig.store).record.missing[0].start_lsn == durable
    time.sleep(0.3)
    assert follower.status().status is RoundStatus.INTERRUPTED
    follower.ask(Wanted.STOP)
    wait_until(status_is(follower, RoundStatus.STOP))
    assert rig.journal.statuses[-3:] == [RoundStatus.INTERRUPTED, RoundStatus.STOPPING, RoundStatus.STOP]
    assert rig.journal.pieces[1].status is PieceStatus.FROZEN
    assert rig.journal.pieces[1].checkpoint_scn == checkpoint


def test_log_that_lives_only_in_the_spool_is_archived(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).is_down = True
    log.fill_block()
    log.fill_block()
    log.group(b"in block 5")
    wait_until(lambda: rig.spooled() == [3, 4, 5])
    log.recycle(below=5)
    wait_until(lambda: "down" in follower.status().comment)
    assert follower.status().status is RoundStatus.DOING
    flaky(rig).is_down = False
    archived_to(rig, log)
    wait_until(lambda: not follower.status().comment)
    wait_until(lambda: rig.spooled() == [5])
    assert int(read_archive(rig.store).end.lsn) == log.lsn


def test_a_quiet_log_does_not_take_back_why_archiving_waits(rig: Rig, log: LogMaker) -> None:
    """Seen: the reason stood in the view for a moment only, because the next look at a quiet log was no failure."""
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).refuses_puts = True  # what is open still grows: the folder was moved away
    rig.refusal = refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST, "")
    log.group(b"one")
    wait_until(lambda: "waiting" in follower.status().comment)
    told = time.monotonic() + 1.0
    while time.monotonic() < told:
        assert "waiting" in rig.journal.round.comment  # type: ignore[union-attr]
        time.sleep(0.01)
    flaky(rig).refuses_puts, rig.refusal = False, None
    archived_to(rig, log)
    wait_until(lambda: not follower.status().comment)


def test_an_append_that_failed_half_way_leaves_no_trace(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).tears = True
    log.group(b"torn" * 100)
    wait_until(lambda: follower.status().comment)
    flaky(rig).tears = False
    archived_to(rig, log)
    follower.stop(drain=True)
    found = read_archive(rig.store)
    assert int(found.end.lsn) == log.lsn
    assert not found.differences_from(log.log_dir)


def test_the_tail_is_found_while_the_destination_is_down(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).is_down = True
    for _ in range(3):
        log.group(b"not archived" * 100_000)
    assert follower.tail_after() == (log.lsn, log.scn)
    log.group(b"one more")
    assert follower.tail_after() == (log.lsn, log.scn)
    assert follower.checkpoint_scn() < log.scn


def test_a_long_lag_target_holds_log_back_until_a_flush_is_asked(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    rig.lag_target_us = 120_000_000
    log.group(b"held back")
    time.sleep(0.4)
    assert follower.checkpoint_scn() < log.scn
    follower.request_flush(Scn(log.scn))
    archived_to(rig, log)
    appends = flaky(rig).appends
    log.group(b"held back again")
    time.sleep(0.3)
    assert flaky(rig).appends == appends, "a flush is over when its SCN is durable"


def test_a_round_that_begins_does_not_wait_for_the_lag_target(rig: Rig, log: LogMaker) -> None:
    rig.lag_target_us = 7200_000_000
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.DOING), seconds=3)
    assert follower.checkpoint_scn() == log.scn


def test_another_timeline_is_refused(rig: Rig, log: LogMaker, tmp_path: Path) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    other = LogMaker(tmp_path / "other", first_block=3, scn=START)
    for _ in range(25):
        other.group(b"other history" * 10)
    other.path(3).replace(log.path(3))
    (rig.spool_dir / "3").unlink()
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert "another timeline" in follower.status().comment


def test_a_hole_before_a_later_block_interrupts_the_round(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    hole = log.lsn
    log.fill_block()
    log.group(b"in block 4")
    with log.path(3).open("r+b") as file:
        file.seek(file_offset_of(hole))
        file.write(bytes(48))
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert f"does not go on at LSN {hole}" in follower.status().comment
    assert int(read_archive(rig.store).end.lsn) == hole


def test_log_in_hand_is_not_part_of_what_is_missing(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    rig.lag_target_us = 7200_000_000
    log.group(b"whole, and held back by the lag target")
    hole = log.lsn
    log.fill_block()
    log.group(b"in block 4")
    with log.path(3).open("r+b") as file:
        file.seek(file_offset_of(hole))
        file.write(bytes(48))
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert f"missing LSN [{hole}, " in follower.status().comment
    assert int(read_archive(rig.store).end.lsn) == hole


def test_own_damaged_object_interrupts_the_round(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    damaged = bytearray(rig.store.get(PIECE_1_LOG))
    rig.store.put(PIECE_1_LOG, damaged[:-5])
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert PIECE_1_LOG in follower.status().comment


def test_a_refused_destination_keeps_the_round_in_prepare_and_says_why(rig: Rig, log: LogMaker) -> None:
    rig.refusal = refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_MATCH, "")
    follower = rig.follower()
    wait_until(lambda: "format file does not match" in follower.status().comment)
    assert follower.status().status is RoundStatus.PREPARE
    assert [item.name for item in rig.store.list()] == [names.FORMAT_FILE]
    with pytest.raises(RefusedError) as caught:
        follower.start_lsn()
    assert caught.value.code is codes.OB_LOG_ARCHIVE_NOT_RUNNING
    rig.refusal = None
    archived_to(rig, log)
    assert follower.status().comment == ""


def test_defer_suspends_and_enable_goes_on_with_the_same_round(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.ask(Wanted.SUSPEND)
    wait_until(status_is(follower, RoundStatus.SUSPEND))
    durable = log.scn
    log.fill_block()
    log.group(b"while suspended")
    wait_until(lambda: rig.spooled() == [3, 4])
    log.recycle(below=4)
    assert follower.checkpoint_scn() == durable
    follower.ask(Wanted.RUN)
    archived_to(rig, log)
    assert rig.journal.statuses == [
        RoundStatus.BEGINNING,
        RoundStatus.DOING,
        RoundStatus.SUSPENDING,
        RoundStatus.SUSPEND,
        RoundStatus.BEGINNING,
        RoundStatus.DOING,
    ]
    found = read_archive(rig.store)
    assert len(found.pieces) == 1
    assert int(found.end.lsn) == log.lsn


def test_a_suspended_round_survives_a_server_stop(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.ask(Wanted.SUSPEND)
    wait_until(status_is(follower, RoundStatus.SUSPEND))
    follower.stop(drain=True)
    follower = rig.follower(Wanted.SUSPEND)
    log.fill_block()
    log.group(b"while suspended")
    wait_until(lambda: rig.spooled() == [3, 4])
    assert follower.status().status is RoundStatus.SUSPEND
    follower.ask(Wanted.RUN)
    archived_to(rig, log)


def test_stop_archives_the_rest_freezes_the_piece_and_ends_the_thread(rig: Rig, log: LogMaker) -> None:
    rig.lag_target_us = 120_000_000
    follower = rig.follower()
    wait_until(lambda: follower.status().status in {RoundStatus.BEGINNING, RoundStatus.DOING})
    log.group(b"the last")
    follower.ask(Wanted.STOP)
    wait_until(lambda: not follower.is_running())
    assert follower.status().status is RoundStatus.STOP
    piece = rig.journal.pieces[1]
    assert (piece.status, piece.checkpoint_scn) == (PieceStatus.FROZEN, log.scn)
    assert piece.end_scn == rig.round.start_scn + 86_400_000_000_000
    assert int(read_archive(rig.store).pieces[0].end.lsn) == log.lsn
    assert "rounds/round_d1001r1_end.obarc" in [item.name for item in rig.store.list("rounds/")]
    assert not rig.spooled()


def test_a_new_round_after_stop_begins_anew_at_the_base_block(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.ask(Wanted.STOP)
    wait_until(lambda: not follower.is_running())
    log.group(b"between the rounds")
    rig.journal.round = new_round(log.scn, round_id=2, base_piece_id=2)
    rig.journal.pieces.clear()
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    found = read_archive(rig.store, round_id=2)
    assert found.begin_lsn == first_lsn_of(3)
    assert [piece.piece_id for piece in found.pieces] == [2]


def test_a_round_that_never_found_its_destination_can_be_stopped(rig: Rig) -> None:
    rig.refusal = refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST, "")
    follower = rig.follower()
    wait_until(lambda: follower.status().comment)
    follower.ask(Wanted.STOP)
    wait_until(status_is(follower, RoundStatus.STOP))
    assert [item.name for item in rig.store.list()] == [names.FORMAT_FILE]


def test_stop_does_not_wait_for_ever_for_a_lost_destination(
    rig: Rig, log: LogMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "END_SECONDS_MAX", 0.3)
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).is_down = True
    follower.ask(Wanted.STOP)
    wait_until(status_is(follower, RoundStatus.STOP))
    assert "could not be told" in follower.status().comment
    assert rig.journal.pieces[1].status is PieceStatus.FROZEN


def test_log_goes_on_growing_in_hand_while_the_error_of_an_append_is_still_known(
    rig: Rig, log: LogMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback keeps views of the log in hand; a stop met that between two of its attempts (BufferError)."""
    kept: list[BaseException] = []
    append = RoundWriter.append

    def keeping(self: RoundWriter, *args: object, **kwargs: object) -> object:
        try:
            return append(self, *args, **kwargs)  # type: ignore[arg-type]
        except BaseException as error:
            kept.append(error)
            raise

    monkeypatch.setattr(RoundWriter, "append", keeping)
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).is_down = True
    log.group(b"one")
    wait_until(lambda: bool(kept))
    log.group(b"two")
    wait_until(lambda: len(kept) > 2)
    flaky(rig).is_down = False
    archived_to(rig, log)
    follower.stop(drain=True)
    assert not [error for error in kept if isinstance(error, BufferError)]
    assert int(read_archive(rig.store).end.lsn) == log.lsn


def test_a_destination_that_is_not_mounted_is_waited_for_and_nothing_is_written_beneath(
    rig: Rig, log: LogMaker
) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    mounted, beneath = flaky(rig).store, MemoryStore()
    rig.refusal = refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST, "")
    flaky(rig).store = beneath
    log.fill_block()
    log.group(b"in block 4")
    wait_until(lambda: "format file does not exist" in follower.status().comment)
    time.sleep(0.3)
    assert follower.status().status is RoundStatus.DOING
    assert not list(beneath.list())
    flaky(rig).store = mounted
    rig.refusal = None
    archived_to(rig, log)
    assert int(read_archive(rig.store).end.lsn) == log.lsn


def test_a_server_start_without_the_mount_does_not_begin_the_round_anew(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    mounted, beneath = flaky(rig).store, MemoryStore()
    rig.refusal = refuse(codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST, "")
    flaky(rig).store = beneath
    follower = rig.follower()
    wait_until(lambda: "format file does not exist" in follower.status().comment)
    assert not list(beneath.list())
    log.group(b"meanwhile")
    flaky(rig).store = mounted
    rig.refusal = None
    archived_to(rig, log)
    assert follower.start_lsn() == first_lsn_of(3)


def test_the_reason_of_an_interruption_outlives_a_stop_without_the_destination(
    rig: Rig, log: LogMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "END_SECONDS_MAX", 0.1)
    follower = rig.follower()
    archived_to(rig, log)
    follower.stop(drain=True)
    damaged = rig.store.get(PIECE_1_LOG)
    rig.store.put(PIECE_1_LOG, damaged[:-5])
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    reason = follower.status().comment
    flaky(rig).is_down = True
    follower.ask(Wanted.STOP)
    wait_until(status_is(follower, RoundStatus.STOP))
    assert follower.status().comment == reason
    assert rig.journal.round is not None
    assert rig.journal.round.comment == reason


def test_links_that_can_not_be_made_are_told_in_the_comment(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    moved = rig.spool_dir.with_name("spool.away")
    rig.spool_dir.rename(moved)
    rig.spool_dir.write_text("in the way")
    log.fill_block()
    log.group(b"in block 4")
    wait_until(lambda: "can not be held" in follower.status().comment)
    assert follower.status().status is RoundStatus.DOING
    rig.spool_dir.unlink()
    moved.rename(rig.spool_dir)
    archived_to(rig, log)
    wait_until(lambda: not follower.status().comment)


@pytest.mark.parametrize("binding", [Binding.OPTIONAL, Binding.MANDATORY])
def test_held_log_over_the_limit_interrupts_optional_and_stalls_mandatory(
    rig: Rig, log: LogMaker, binding: Binding
) -> None:
    rig.binding = binding
    rig.limits = SpoolLimits(free_bytes_least=0, free_ratio_least=0, held_bytes_max=LOG_BLOCK_BYTES // 2)
    follower = rig.follower()
    archived_to(rig, log)
    flaky(rig).is_down = True
    log.fill_block()
    log.group(b"in block 4")
    wait_until(lambda: rig.spooled() == [3, 4])
    log.recycle(below=4)
    if binding is Binding.OPTIONAL:
        wait_until(status_is(follower, RoundStatus.INTERRUPTED))
        assert "given up" in follower.status().comment
        wait_until(lambda: not rig.spooled())
        return
    wait_until(lambda: follower.status().is_stalled)
    assert follower.status().status is RoundStatus.DOING
    assert rig.spooled() == [3, 4]
    flaky(rig).is_down = False
    archived_to(rig, log)
    wait_until(lambda: not follower.status().is_stalled)


def test_a_journal_that_is_away_holds_nothing_up_and_is_told_later(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    rig.journal.is_away = True
    log.fill_block()
    log.group(b"in block 4")
    archived_to(rig, log)
    wait_until(lambda: rig.spooled() == [4])
    rig.journal.is_away = False
    wait_until(lambda: rig.journal.round is not None and rig.journal.round.checkpoint_scn == log.scn)
    assert follower.status().status is RoundStatus.DOING


def test_an_engine_without_log_yet_is_waited_for(rig: Rig, log: LogMaker, tmp_path: Path) -> None:
    away = tmp_path / "away"
    log.log_dir.rename(away)
    follower = rig.follower()
    wait_until(lambda: follower.status().comment)
    away.rename(log.log_dir)
    archived_to(rig, log)


def test_a_follower_goes_on_although_cleanup_removed_all_frozen_pieces(rig: Rig, log: LogMaker) -> None:
    rig.round = new_round(START, interval_us=10)
    for number in range(1, 36):
        log.group(b"x" * number)
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    for piece_id in range(1, 6):
        rig.store.delete_tree(names.piece_root(1001, 1, piece_id))
    rig.follower()
    log.group(b"y")
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    assert rig.journal.round is not None
    assert (rig.journal.round.status, rig.journal.round.comment) == (RoundStatus.DOING, "")
    last = max(item.name for item in rig.store.list("piece_d") if item.name.endswith("/checkpoint_info.0.obarc"))
    assert decode_piece_record(rig.store.get(last)).end.lsn == log.lsn
