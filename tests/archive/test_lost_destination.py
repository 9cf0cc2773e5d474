"""A destination that is lost in any way keeps no round from resting (DEFER) or ending (NOARCHIVELOG): each is over in 10 s.

The ways are those of `LOSSES`, and every error the operating system may give at every call of a store (`errors_of_calls`).
"""

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from archive_reader import read_archive
from follower_rig import CLOCK, DAY_US, Rig, new_round, status_is, wait_until
from log_maker import LogMaker, write_meta

from holdfast.archive import follower as follower_module
from holdfast.archive.follower import Follower
from holdfast.archive.round import Wanted
from holdfast.backup_format import names
from holdfast.backup_format.log_frame import scan_frames
from holdfast.backup_format.piece_record import FormatFile, decode_piece_record
from holdfast.destination.pieces import piece_of
from holdfast.engine_format.log_block import first_lsn_of
from holdfast.errors import ConflictError
from holdfast.jobs.destinations import check_destination, claim_destination
from holdfast.store.failure import object_error, unavailable
from holdfast.store.file import FileStore
from holdfast.store.memory import MemoryStore
from holdfast.store.retry import RetryStore
from holdfast.store.store import Appender, Store, nothing
from holdfast.values.archive import PieceStatus, RoundStatus
from holdfast.values.destination import DestinationKind

START = 1_800_000_000_000_000_000
SECONDS_MAX = 10.0
"""What is promised. The tests try for SHORT_SECONDS instead of six, and many rounds at once."""
SHORT_SECONDS = 0.5
OWNER = FormatFile(
    cluster_name="holdfast",
    cluster_id=1,
    tenant_id=1002,
    tenant_name="mysql_tenant",
    dest_id=1001,
    kind=DestinationKind.ARCHIVE_LOG,
    path="file:///place",
    created_us=1,
)


def removed(place: Path) -> None:
    place.rename(place.with_name("elsewhere"))


def emptied(place: Path) -> None:
    """What a lazy unmount leaves: a folder without our files. Descriptors that are open go on."""
    removed(place)
    place.mkdir()


def replaced_by_a_file(place: Path) -> None:
    removed(place)
    place.write_text("a file")


def a_link_to_nowhere(place: Path) -> None:
    removed(place)
    place.symlink_to("/nowhere")


def without_its_log(place: Path) -> None:
    """As a rolled back disk: the destination is there and what was archived is not."""
    for folder in list(place.glob("piece_*")):
        folder.rename(place.parent / folder.name)


LOSSES: list[Callable[[Path], None]] = [removed, emptied, replaced_by_a_file, a_link_to_nowhere, without_its_log]
ERRORS: list[Exception] = [
    *(
        unavailable(OSError(number, "so it is"), "reach", "/place")
        for number in (
            errno.ENOENT,
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EIO,
            errno.ESTALE,
            errno.EROFS,
            errno.EACCES,
            errno.ENOTCONN,
            errno.ETIMEDOUT,
            errno.EMFILE,
            errno.ELOOP,
            errno.ENOTDIR,
        )
    ),
    object_error(FileNotFoundError(errno.ENOENT, "gone"), "read", "/place"),
    ConflictError("another process appends to it"),
    OSError(errno.EIO, "one that no driver turned into a word of ours"),
    ValueError("a defect of a driver"),
]
CALLS = ("put", "stat", "get", "appender", "append", "")
"""Which call of a store fails, "" for each of them."""


class FailingStore:
    """A store whose calls fail from a moment on."""

    def __init__(self, call: str, error: Exception) -> None:
        self._store = MemoryStore()
        self._call, self._error = call, error
        self.fails = False

    def __getattr__(self, name: str) -> object:
        if self.fails and self._call in (name, ""):
            raise self._error
        return getattr(self._store, name)

    def appender(self, name: str, size_bytes: int, check: Callable[[], None] = nothing) -> Appender:
        if self.fails and self._call in ("appender", ""):
            raise self._error
        return _FailingAppender(self, self._store.appender(name, size_bytes, check))  # type: ignore[return-value]

    def check(self, call: str) -> None:
        if self.fails and self._call in (call, ""):
            raise self._error


class _FailingAppender:
    def __init__(self, store: FailingStore, appender: Appender) -> None:
        self._store, self._appender = store, appender

    def append(self, *buffers: bytes, behind: Iterable[bytes] = ()) -> None:
        self._store.check("append")
        self._appender.append(*buffers, behind=behind)

    def close(self) -> None:
        self._appender.close()


class PlaceRig(Rig):
    """A rig whose destination is a folder, opened anew for each attempt and checked as the server does."""

    place: Path
    log: LogMaker

    def opened(self) -> Store:
        return RetryStore(FileStore(str(self.place)), CLOCK)

    def _check(self, store: Store) -> None:
        check_destination(store, OWNER, CLOCK)


@pytest.fixture
def rigs() -> Iterator[list[Rig]]:
    made: list[Rig] = []
    yield made
    for rig in made:
        rig.close()


def log_in(folder: Path) -> LogMaker:
    made = LogMaker(folder / "engine" / "log", first_block=3, scn=START)
    for _ in range(5):
        made.group(b"first" * 20, b"second")
    write_meta(folder / "engine" / "meta", int(first_lsn_of(3)))
    return made


def rig_in(folder: Path, kind: type[Rig], store: Store, log: LogMaker) -> Rig:
    return kind(
        log_dir=log.log_dir,
        log_meta_dir=folder / "engine" / "meta",
        spool_dir=folder / "spool",
        store=store,
        round=new_round(START + 5000),
        owns_destination=kind is Rig,
    )


def assert_all_over(followers: dict[str, tuple[Follower, Wanted]]) -> None:
    """Each rests or has ended, as it was asked to."""

    def late() -> list[tuple[str, object]]:
        over = {
            Wanted.SUSPEND: {RoundStatus.SUSPEND, RoundStatus.INTERRUPTED},
            Wanted.STOP: {RoundStatus.STOP},
        }
        return [
            (name, one.status()) for name, (one, wanted) in followers.items() if one.status().status not in over[wanted]
        ]

    try:
        wait_until(lambda: not late(), 30.0)
    except AssertionError:
        assert not late()


def test_a_lost_folder_lets_a_round_rest_and_end_and_the_loss_is_named(
    rigs: list[Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "END_SECONDS_MAX", SHORT_SECONDS)
    followers: dict[str, tuple[Follower, Wanted]] = {}
    for lose in LOSSES:
        for wanted in (Wanted.SUSPEND, Wanted.STOP):
            for has_more in (False, True):
                folder = tmp_path / str(len(rigs))
                log = log_in(folder)
                place = folder / "place"
                store = FileStore(str(place), create=True)
                claim_destination(store, OWNER, CLOCK)
                rig = rig_in(folder, PlaceRig, store, log)
                assert isinstance(rig, PlaceRig)
                rig.place, rig.log = place, log
                rigs.append(rig)
                follower = rig.follower()
                wait_until(lambda one=follower, log=log: one.checkpoint_scn() >= log.scn)
                lose(place)
                if has_more:
                    log.group(b"never archived")
                follower.ask(wanted)
                followers[f"{lose.__name__}, {wanted}, more log: {has_more}"] = (follower, wanted)
    assert len(followers) == 4 * len(LOSSES)
    assert_all_over(followers)
    unnamed = [
        name
        for name, (one, wanted) in followers.items()
        if wanted is Wanted.STOP and not one.status().comment.startswith("stopped")
    ]
    assert not unnamed
    for rig in rigs:
        if rig.followers[0].status().status is RoundStatus.STOP:
            assert {piece.status for piece in rig.journal.pieces.values()} == {PieceStatus.FROZEN}


@pytest.mark.parametrize("call", CALLS)
def test_every_error_at_every_call_ends_an_attempt(
    rigs: list[Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(follower_module, "END_SECONDS_MAX", SHORT_SECONDS)
    followers: dict[str, tuple[Follower, Wanted]] = {}
    for error in ERRORS:
        for wanted in (Wanted.SUSPEND, Wanted.STOP):
            folder = tmp_path / str(len(rigs))
            log = log_in(folder)
            store = FailingStore(call, error)
            rig = rig_in(folder, Rig, store, log)  # type: ignore[arg-type]
            rigs.append(rig)
            follower = rig.follower()
            wait_until(lambda one=follower, log=log: one.checkpoint_scn() >= log.scn)
            store.fails = True
            log.group(b"more")
            follower.ask(wanted)
            followers[f"{error!r}, {wanted}"] = (follower, wanted)
    assert_all_over(followers)


def test_a_round_that_begins_again_without_its_destination_can_be_deferred(
    rigs: list[Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DEFER, the destination goes, ENABLE, DEFER: it stayed BEGINNING for ever."""
    monkeypatch.setattr(follower_module, "END_SECONDS_MAX", SHORT_SECONDS)
    log = log_in(tmp_path)
    store = FailingStore("", ERRORS[0])
    rig = rig_in(tmp_path, Rig, store, log)  # type: ignore[arg-type]
    rigs.append(rig)
    follower = rig.follower()
    wait_until(lambda: follower.checkpoint_scn() >= log.scn)
    follower.ask(Wanted.SUSPEND)
    wait_until(lambda: follower.status().status is RoundStatus.SUSPEND)
    store.fails = True
    follower.ask(Wanted.RUN)
    wait_until(lambda: follower.status().status is RoundStatus.BEGINNING and follower.status().comment)
    follower.ask(Wanted.SUSPEND)
    wait_until(lambda: follower.status().status is RoundStatus.SUSPEND, SECONDS_MAX)


class HangingStore(FailingStore):
    """A store whose appends do not return until they are let go."""

    def __init__(self) -> None:
        super().__init__("append", ValueError())
        self.hangs, self.goes_on = threading.Event(), threading.Event()

    def check(self, call: str) -> None:
        if self.fails:
            self.hangs.set()
            assert self.goes_on.wait(60)


@pytest.mark.parametrize("wanted", [Wanted.SUSPEND, Wanted.STOP])
def test_a_round_whose_thread_hangs_is_abandoned_and_its_thread_touches_nothing_any_more(
    rigs: list[Rig], tmp_path: Path, wanted: Wanted
) -> None:
    log, store = log_in(tmp_path), HangingStore()
    rig = rig_in(tmp_path, Rig, store, log)  # type: ignore[arg-type]
    rigs.append(rig)
    follower = rig.follower()
    wait_until(lambda: follower.checkpoint_scn() >= log.scn)
    durable = log.scn
    store.fails = True
    log.group(b"hangs")
    assert store.hangs.wait(10)
    assert not follower.abandon(), "nobody asked it to rest or to end"
    follower.ask(wanted)
    wait_until(lambda: follower.hanging_seconds() > 0.2)
    assert follower.abandon()
    assert rig.journal.round is not None
    status = RoundStatus.SUSPEND if wanted is Wanted.SUSPEND else RoundStatus.STOP
    assert rig.journal.round.status is follower.status().status is status
    assert "has not answered" in rig.journal.round.comment
    store.fails = False
    # The next follower holds the log in the same spool, and goes on with the round or with the next one.
    if wanted is Wanted.STOP:
        assert not rig.spooled()
        rig.journal.round = new_round(log.scn, round_id=2, base_piece_id=2)
        rig.journal.pieces.clear()
    following = rig.follower(Wanted.SUSPEND if wanted is Wanted.SUSPEND else Wanted.RUN)
    if wanted is Wanted.SUSPEND:
        wait_until(lambda: rig.spooled() == [3])
        following.ask(Wanted.RUN)
    store.goes_on.set()
    wait_until(lambda: not follower.is_running())
    log.group(b"and more")
    wait_until(lambda: following.checkpoint_scn() >= log.scn > durable)
    assert rig.spooled() == [3]
    assert rig.journal.round.status is RoundStatus.DOING


# --- a destination that changes under a round that goes on

PIECE = names.piece_root(1001, 1, 1)
PIECE_LOG = names.log_name(PIECE, 3)


@pytest.fixture
def placed(rigs: list[Rig], tmp_path: Path) -> PlaceRig:
    """A round that is DOING in a folder, with all log durable in several frames and told."""
    log, place = log_in(tmp_path), tmp_path / "place"
    store = FileStore(str(place), create=True)
    claim_destination(store, OWNER, CLOCK)
    rig = rig_in(tmp_path, PlaceRig, store, log)
    assert isinstance(rig, PlaceRig)
    rig.place, rig.log = place, log
    rigs.append(rig)
    follower = rig.follower()
    for _ in range(4):
        wait_until(lambda: follower.checkpoint_scn() >= log.scn)
        log.group(os.urandom(2000))
    wait_until(lambda: promised_bytes(rig) == store.stat(PIECE_LOG) and follower.checkpoint_scn() >= log.scn)
    return rig


def promised_bytes(rig: PlaceRig) -> int:
    name = names.checkpoint_name(PIECE)
    record = decode_piece_record(FileStore(str(rig.place)).get(name), name=name)
    return sum(block.size_bytes for block in record.blocks)


def test_a_round_goes_on_in_a_copy_that_took_its_folder_s_place_and_misses_nothing(placed: PlaceRig) -> None:
    away = placed.place.with_name("away")
    copy = placed.place.with_name("copy")
    shutil.copytree(placed.place, copy)
    placed.place.rename(away)
    copy.rename(placed.place)
    size = (away / PIECE_LOG).stat().st_size
    placed.log.group(b"after the change")
    wait_until(lambda: placed.followers[0].checkpoint_scn() >= placed.log.scn)
    assert (away / PIECE_LOG).stat().st_size == size
    wait_until(lambda: placed.followers[0].status().comment == "")
    assert placed.followers[0].stop(drain=True)
    found = read_archive(FileStore(str(placed.place)))
    assert int(found.end.lsn) == placed.log.lsn
    assert not found.differences_from(placed.log.log_dir)


def put_back_without_its_end(rig: PlaceRig) -> None:
    copy = rig.place.with_name("copy")
    shutil.copytree(rig.place, copy)
    os.truncate(copy / PIECE_LOG, promised_bytes(rig) // 2)
    rig.place.rename(rig.place.with_name("away"))
    copy.rename(rig.place)


def removed_behind_a_snapshot(rig: PlaceRig) -> None:
    os.link(rig.place / PIECE_LOG, rig.place.with_name("snapshot"))
    (rig.place / PIECE_LOG).unlink()


def cut_in_half(rig: PlaceRig) -> None:
    os.truncate(rig.place / PIECE_LOG, promised_bytes(rig) // 2)


@pytest.mark.parametrize("change", [put_back_without_its_end, removed_behind_a_snapshot, cut_in_half])
def test_log_that_is_lost_under_a_round_interrupts_it_by_name_and_its_checkpoint_rests(
    placed: PlaceRig, change: Callable[[PlaceRig], None]
) -> None:
    follower, durable = placed.followers[0], placed.followers[0].checkpoint_scn()
    change(placed)
    size = (placed.place / PIECE_LOG).stat().st_size if (placed.place / PIECE_LOG).exists() else None
    placed.log.group(b"after the change")
    wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    assert PIECE_LOG in follower.status().comment
    assert follower.checkpoint_scn() == durable
    assert FileStore(str(placed.place)).stat(PIECE_LOG) == size, "nothing went behind a hole"


def damage(rig: PlaceRig) -> int:
    """Spoil the body of the last frame but one, whose header stays; return how many bytes before it hold."""
    octets = bytearray((rig.place / PIECE_LOG).read_bytes())
    frames = scan_frames(lambda offset, size: bytes(octets[offset : offset + size]), len(octets)).frames
    spoiled = frames[-2]
    octets[spoiled.end_offset - 8 : spoiled.end_offset] = bytes(8)
    (rig.place / PIECE_LOG).write_bytes(octets)
    return spoiled.offset


@pytest.mark.parametrize("at_border", [False, True])
def test_a_piece_is_not_frozen_over_log_that_can_not_be_opened(placed: PlaceRig, at_border: bool) -> None:
    follower = placed.followers[0]
    whole_bytes = damage(placed)
    if at_border:
        placed.log.group(b"of the next piece", scn=START + 2 * DAY_US * 1000)
        wait_until(status_is(follower, RoundStatus.INTERRUPTED))
    else:
        follower.ask(Wanted.STOP)
        wait_until(status_is(follower, RoundStatus.STOP))
    assert PIECE_LOG in follower.status().comment
    store = FileStore(str(placed.place))
    assert store.stat(names.piece_info_name(PIECE)) is None
    assert promised_bytes(placed) == whole_bytes, "the record promises what holds, and nothing more"
    fact = piece_of(1, store, PIECE, [])
    assert fact is not None
    assert fact.end.scn < follower.checkpoint_scn()
    if at_border:
        follower.ask(Wanted.STOP)
        wait_until(status_is(follower, RoundStatus.STOP))
        assert PIECE_LOG in follower.status().comment
    assert placed.journal.pieces[1].checkpoint_scn == fact.end.scn, "the views say no more than the destination"


def test_a_piece_whose_first_frame_is_spoiled_promises_nothing(placed: PlaceRig) -> None:
    octets = bytearray((placed.place / PIECE_LOG).read_bytes())
    frames = scan_frames(lambda offset, size: bytes(octets[offset : offset + size]), len(octets)).frames
    octets[frames[0].end_offset - 8 : frames[0].end_offset] = bytes(8)
    (placed.place / PIECE_LOG).write_bytes(octets)
    placed.followers[0].ask(Wanted.STOP)
    wait_until(status_is(placed.followers[0], RoundStatus.STOP))
    assert PIECE_LOG in placed.followers[0].status().comment
    assert promised_bytes(placed) == 0
