"""Whose a round is: a server goes on with its own, and stops where another one of its name writes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from archive_reader import read_archive
from follower_rig import Rig, new_round, status_is, wait_until
from log_maker import LogMaker, write_meta

from holdfast.archive import follower as follower_module
from holdfast.archive.round import Wanted
from holdfast.backup_format import names
from holdfast.backup_format.owner_record import decode_placeholder
from holdfast.backup_format.piece_record import (
    decode_piece_record,
    decode_round_record,
    encode_piece_record,
    encode_round_record,
)
from holdfast.engine_format.log_block import first_lsn_of
from holdfast.errors import ForeignOwnerError, WriterMayLiveError
from holdfast.store.memory import MemoryStore
from holdfast.store.store import Appender, Store, nothing
from holdfast.values.archive import RoundStatus
from holdfast.values.owner import JobKind, Owner
from owner_rig import STRANGE_TOKEN, OnlyWriter, owner, unowned

START = 1_800_000_000_000_000_000
RECORD = names.checkpoint_name(names.piece_root(1001, 1, 1))
ROUND = names.round_placeholder(names.RoundPlaceholder(dest_id=1001, round_id=1, edge=names.Edge.START))


class Contested(OnlyWriter):
    """A tenure that ends when the test says so."""

    def __init__(self) -> None:
        self.is_lost = False
        self.meets: Callable[[], object] = lambda: None

    def keep(self, store: Store) -> None:
        if self.is_lost:
            self.meets()
            raise ForeignOwnerError("another server took it", hint="see decision 42")

    def take(self, store: Store, *, watches: bool = False) -> None:
        self.keep(store)


@pytest.fixture
def log(tmp_path: Path) -> LogMaker:
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
        store=MemoryStore(),
        round=new_round(START + 5000),
        tenure=Contested(),
    )
    yield made
    made.close()


def lose(rig: Rig) -> None:
    assert isinstance(rig.tenure, Contested)
    rig.tenure.is_lost = True


def archived_to(rig: Rig, log: LogMaker) -> None:
    wait_until(lambda: rig.followers[-1].checkpoint_scn() >= log.scn)


def contents(store: Store) -> dict[str, bytes]:
    return {item.name: store.get(item.name) for item in store.list()}


def disowned(store: Store, made_by: Owner | None) -> None:
    """Let the round's records say that somebody else wrote them, or nobody."""
    store.put(RECORD, encode_piece_record(replace(decode_piece_record(store.get(RECORD)), owner=made_by)))
    store.put(ROUND, encode_round_record(replace(decode_round_record(store.get(ROUND)), owner=made_by)))


def test_every_record_and_placeholder_of_a_round_says_who_wrote_it(rig: Rig, log: LogMaker) -> None:
    rig.follower()
    archived_to(rig, log)
    wait_until(lambda: decode_piece_record(rig.store.get(RECORD)).end.lsn == log.lsn)
    assert decode_piece_record(rig.store.get(RECORD)).owner == owner(kind=JobKind.ARCHIVE, job_id=1)
    assert decode_round_record(rig.store.get(ROUND)).owner == owner(kind=JobKind.ARCHIVE, job_id=1)
    assert unowned(rig.store) == [names.FORMAT_FILE], "which the rig made"
    marks = [item.name for item in rig.store.list(f"{names.PIECES_FOLDER}/")]
    assert marks
    assert {decode_placeholder(rig.store.get(name)) for name in marks} == {owner(kind=JobKind.ARCHIVE, job_id=1)}


def test_overtaken_round_is_interrupted_says_why_and_writes_nothing_more(rig: Rig, log: LogMaker) -> None:
    follower = rig.follower()
    archived_to(rig, log)
    wait_until(lambda: decode_piece_record(rig.store.get(RECORD)).end.lsn == log.lsn)
    lose(rig)
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    before = contents(rig.store)
    log.group(b"of the one that stops")
    follower.ask(Wanted.STOP)
    wait_until(
        status_is(follower, RoundStatus.STOP), seconds=8
    )  # at once: no attempts, as for a destination that is away
    assert contents(rig.store) == before, "not even the end of the round"
    assert rig.journal.round is not None
    assert rig.journal.round.comment.startswith("log stream 1 interrupted: another server took it")


def test_round_of_a_server_that_ends_is_not_interrupted_by_what_it_meets_then(rig: Rig, log: LogMaker) -> None:
    """A turn that outlasts the stop of its server finds a released record: the next start must find the round as it was."""
    follower = rig.follower()
    archived_to(rig, log)
    assert isinstance(rig.tenure, Contested)

    def end_meanwhile() -> None:
        with suppress(RuntimeError):  # it is called on the very thread that it would wait for
            follower.stop(drain=False, timeout_seconds=0)

    rig.tenure.meets = end_meanwhile
    lose(rig)
    wait_until(lambda: not follower.is_running(), seconds=20)
    assert RoundStatus.INTERRUPTED not in rig.journal.statuses
    assert rig.journal.round is not None
    assert (rig.journal.round.status, rig.journal.round.comment) == (RoundStatus.DOING, "")


def test_quiet_round_notices_too_that_it_was_overtaken(rig: Rig, log: LogMaker) -> None:
    """No log flows, so nothing is written and nothing but the second's look can tell."""
    follower = rig.follower()
    archived_to(rig, log)
    lose(rig)
    wait_until(status_is(follower, RoundStatus.INTERRUPTED), seconds=20)


def test_round_of_before_there_were_owners_goes_on_without_a_gap(rig: Rig, log: LogMaker) -> None:
    """An upgrade while the round runs: the catalog knows it, and the archived log is the live one."""
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    disowned(rig.store, None)
    for _ in range(5):
        log.group(b"after the upgrade")
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    found = read_archive(rig.store)
    assert int(found.end.lsn) == log.lsn
    assert not found.differences_from(log.log_dir)
    assert decode_piece_record(rig.store.get(RECORD)).owner == owner(kind=JobKind.ARCHIVE, job_id=1)
    assert RoundStatus.INTERRUPTED not in rig.journal.statuses


def test_round_that_began_more_starts_ago_than_are_remembered_goes_on(rig: Rig, log: LogMaker) -> None:
    """Its newest record is of a start that is known, and bears the timeline of its first."""
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    forgotten = owner(kind=JobKind.ARCHIVE, token=STRANGE_TOKEN)
    rig.store.put(ROUND, encode_round_record(replace(decode_round_record(rig.store.get(ROUND)), owner=forgotten)))
    log.group(b"of the next start")
    rig.follower()
    archived_to(rig, log)
    assert RoundStatus.INTERRUPTED not in rig.journal.statuses


def test_piece_of_another_timeline_than_the_rounds_is_left(rig: Rig, log: LogMaker) -> None:
    """Two servers gave the same round id: the start is of one, the newest piece of the other."""
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    other = owner(kind=JobKind.ARCHIVE, token=STRANGE_TOKEN)
    start = replace(decode_round_record(rig.store.get(ROUND)), owner=other, timeline="e" * 32)
    rig.store.put(ROUND, encode_round_record(start))
    before = contents(rig.store)
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert "two servers wrote it" in follower.status().comment
    assert contents(rig.store) == before


@pytest.mark.parametrize("other", ["cluster_id", "tenant_id", "dest_id", "round_id"])
@pytest.mark.parametrize("what", ["start", "piece"])
def test_round_that_was_copied_from_another_tenant_is_left_and_not_taken_for_ones_own(
    rig: Rig, log: LogMaker, other: str, what: str
) -> None:
    """Round ids are a tenant's own: round 1 of two tenants of one server has the same names and owners."""
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    if what == "start":
        start = decode_round_record(rig.store.get(ROUND))
        rig.store.put(ROUND, encode_round_record(replace(start, **{other: getattr(start, other) + 2})))  # type: ignore[arg-type]
    else:
        piece = decode_piece_record(rig.store.get(RECORD))
        rig.store.put(RECORD, encode_piece_record(replace(piece, **{other: getattr(piece, other) + 2})))  # type: ignore[arg-type]
    rig.journal.round = None  # the catalog has only just begun it
    rig.journal.pieces.clear()
    before = contents(rig.store)
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED), seconds=20)
    words = {"cluster_id": "cluster id", "tenant_id": "tenant id", "dest_id": "destination id", "round_id": "round"}[
        other
    ]
    assert f"is of {words} " in follower.status().comment
    assert contents(rig.store) == before


def test_lone_start_record_of_another_tenant_is_not_written_over(rig: Rig, log: LogMaker) -> None:
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    start = replace(decode_round_record(rig.store.get(ROUND)), tenant_id=1004)
    rig.journal.round = None
    rig.journal.pieces.clear()
    rig.store = MemoryStore()
    rig.store.put(names.FORMAT_FILE, b"whose")
    rig.store.put(ROUND, encode_round_record(start))
    before = contents(rig.store)
    wait_until(status_is(rig.follower(), RoundStatus.INTERRUPTED), seconds=20)
    assert contents(rig.store) == before


class Awaiting(OnlyWriter):
    """A tenure that waits for the silence of the last writer, at a destination that answers."""

    def __init__(self) -> None:
        self.until = 0.0

    def take(self, store: Store, *, watches: bool = False) -> None:
        if time.monotonic() < self.until:
            raise WriterMayLiveError("it may still live")


def test_round_that_is_ended_while_silence_is_waited_for_archives_its_tail_first(
    rig: Rig, log: LogMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOARCHIVELOG within 15 s of a reboot: the destination is well, so nothing is left behind."""
    monkeypatch.setattr(follower_module, "END_SECONDS_MAX", 0.3)
    rig.tenure = awaiting = Awaiting()
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    log.group(b"of before the reboot")
    awaiting.until = time.monotonic() + 2
    follower = rig.follower()
    wait_until(lambda: "may still live" in follower.status().comment)
    follower.ask(Wanted.STOP)
    wait_until(status_is(follower, RoundStatus.STOP))
    assert int(read_archive(rig.store).end.lsn) == log.lsn
    assert rig.journal.round is not None
    assert not rig.journal.round.comment


class LateStore(MemoryStore):
    """A destination where one opening for appending hangs until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs, self.reached, self.goes_on = False, threading.Event(), threading.Event()

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        if self.hangs:
            self.hangs = False
            self.reached.set()
            assert self.goes_on.wait(30)
        return super().appender(name, size_bytes, check)


def test_abandoned_follower_that_comes_back_cuts_nothing_of_what_its_successor_archived(
    rig: Rig, log: LogMaker
) -> None:
    late = LateStore()
    late.put(names.FORMAT_FILE, rig.store.get(names.FORMAT_FILE))
    rig.store = late
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    log.group(b"of the one that hangs")
    late.hangs = True
    abandoned = rig.follower()
    assert late.reached.wait(20)
    abandoned.ask(Wanted.SUSPEND)
    wait_until(lambda: abandoned.hanging_seconds() > 1)
    assert abandoned.abandon()
    log.group(b"of the one that goes on")
    successor = rig.follower()
    archived_to(rig, log)
    successor.stop(drain=True)
    before = contents(late)
    late.goes_on.set()
    wait_until(lambda: not abandoned.is_running())
    assert contents(late) == before
    found = read_archive(late)
    assert int(found.end.lsn) == log.lsn
    assert not found.differences_from(log.log_dir)


def test_round_that_another_server_went_on_with_is_left_to_it(rig: Rig, log: LogMaker) -> None:
    rig.follower()
    archived_to(rig, log)
    rig.followers[-1].stop(drain=True)
    disowned(rig.store, owner(kind=JobKind.ARCHIVE, token=STRANGE_TOKEN))
    before = contents(rig.store)
    log.group(b"of the one that stops")
    follower = rig.follower()
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert "was written by server aaaaaaaa" in follower.status().comment
    follower.ask(Wanted.STOP)
    wait_until(status_is(follower, RoundStatus.STOP))
    assert contents(rig.store) == before
