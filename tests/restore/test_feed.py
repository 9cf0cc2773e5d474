"""What a standby is given of an archive: everything in order up to the bound, nothing twice, nothing beyond, nothing unproven."""

import copy
import shutil
from pathlib import Path

import pytest

from archive.log_maker import LogMaker
from holdfast.backup_format import names
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_walk import Position, walk
from holdfast.restore.archived_log import ArchivedLog, LogRun
from holdfast.restore.feed import Feed
from holdfast.values.lsn import Lsn
from holdfast.values.scn import SCN_MAX_VALUE, Scn
from restore.archive_maker import ArchiveMaker

UNLIMITED = Scn(SCN_MAX_VALUE)
MUCH = 1 << 30


class Ticking:
    """A clock that is a minute later at each look: no listing is put off."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 60
        return self.now


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveMaker:
    return ArchiveMaker(tmp_path / "log")


def feed_of(archive: ArchiveMaker, until: int = UNLIMITED) -> Feed:
    return Feed(ArchivedLog(archive.source, Ticking(), engine_data_version="1.4.0.0"), Scn(until))


def given(feed: Feed, lsn: int, max_bytes: int = MUCH) -> bytes:
    """Return what one call is answered, which must be groups that lie one behind the other."""
    got = b""
    for group, at, _ in feed.fetch(Lsn(lsn), max_bytes):
        assert at == lsn + len(got)
        got += bytes(group)
    return got


def groups(maker: LogMaker, count: int) -> None:
    for number in range(count):
        maker.group(*(bytes([number % 250 + 1]) * 40 for _ in range(number % 3 + 1)))


def test_all_of_the_log_is_given_and_more_when_there_is_more(archive: ArchiveMaker) -> None:
    groups(archive.maker, 20)
    archive.append()
    feed = feed_of(archive)
    end = archive.maker.lsn
    assert given(feed, 0) == archive.log(0, end)
    assert given(feed, end) == b""
    groups(archive.maker, 5)
    archive.append(record=False)
    assert given(feed, end) == archive.log(end, archive.maker.lsn)
    assert feed.state.trouble == ""


@pytest.mark.parametrize("max_bytes", [1, 300, 5000])
def test_a_call_ends_with_a_whole_group_and_the_next_goes_on(archive: ArchiveMaker, max_bytes: int) -> None:
    for _ in range(4):
        groups(archive.maker, 10)
        archive.append()
    feed, got = feed_of(archive), b""
    while part := given(feed, len(got), max_bytes):
        got += part
    assert got == archive.log(0, archive.maker.lsn)


def test_a_call_may_be_asked_again(archive: ArchiveMaker) -> None:
    """An engine that could not take what it was given asks again for it."""
    for _ in range(3):
        groups(archive.maker, 10)
        archive.append()
    feed = feed_of(archive)
    whole = given(feed, 0)
    first = len(given(feed_of(archive), 0, 1))
    for lsn in (first, 0, len(whole), first):
        assert given(feed, lsn) == whole[lsn:]


def test_it_goes_on_over_blocks_and_pieces(archive: ArchiveMaker) -> None:
    groups(archive.maker, 3)
    archive.append()
    archive.next_piece()
    border = archive.maker.lsn
    groups(archive.maker, 3)
    archive.append()
    feed = feed_of(archive)
    assert given(feed, 0) == archive.log(0, archive.maker.lsn)
    archive.maker.fill_block()
    end_of_block = archive.maker.lsn
    groups(archive.maker, 3)
    archive.append()
    got = given(feed, border)
    assert len(got) == archive.maker.lsn - border
    assert got[end_of_block - border :] == archive.log(end_of_block, archive.maker.lsn)


def test_a_bound_inside_a_group_gives_its_leading_entries(archive: ArchiveMaker) -> None:
    groups(archive.maker, 4)
    last = archive.maker.group(b"first", b"second", b"third")
    groups(archive.maker, 2)
    archive.append()
    position = walk(archive.log(0, last), Position(lsn=Lsn(0), accumulated=0, log_id=0)).end
    whole = archive.log(last, archive.maker.lsn)
    for kept, bound in ((1, 2), (2, 1)):
        until = Scn(SCN_OF(archive, last) - bound)
        feed = feed_of(archive, until)
        part = cut(whole, position, until)
        assert 0 < len(part) < len(whole), kept
        got = given(feed, 0)
        assert got == archive.log(0, last) + part
        assert feed.state.arrived_scn is None, "the engine may not have it yet"
        assert given(feed, len(got)) == b""
        assert feed.state.arrived_scn == until


def SCN_OF(archive: ArchiveMaker, lsn: int) -> int:
    from holdfast.engine_format.log_group import decode_group_header

    header = decode_group_header(archive.log(lsn, lsn + 48))
    assert header is not None
    return header.max_scn


def test_behind_a_cut_only_mending_helps(archive: ArchiveMaker) -> None:
    groups(archive.maker, 2)
    last = archive.maker.group(b"first", b"second")
    archive.append()
    until = SCN_OF(archive, last) - 1
    feed = feed_of(archive, until)
    end = len(given(feed, 0))
    again = feed_of(archive, until)
    assert given(again, end) == b""
    assert again.state.arrived_scn == until
    assert not again.state.needs_mending
    again.set_until(UNLIMITED)
    assert given(again, end) == b""
    assert again.state.needs_mending


def test_a_half_written_frame_has_not_come_yet(archive: ArchiveMaker) -> None:
    groups(archive.maker, 3)
    archive.append()
    feed = feed_of(archive)
    end = len(given(feed, 0))
    groups(archive.maker, 3)
    octets = archive.frame(archive.maker.lsn)
    name = names.log_name(archive.root, 0)
    for begin, stop in ((0, 50), (50, 128), (128, len(octets) - 1)):
        archive.store.extend(name, octets[begin:stop])
        assert given(feed, end) == b""
    archive.store.extend(name, octets[-1:])
    assert given(feed, end) == archive.log(end, archive.maker.lsn)


def test_damage_is_told_and_not_given(archive: ArchiveMaker) -> None:
    groups(archive.maker, 3)
    archive.append()
    name = names.log_name(archive.root, 0)
    octets = bytearray(archive.store.get(name))
    octets[-1] ^= 1
    archive.store.put(name, bytes(octets))
    feed = feed_of(archive)
    assert given(feed, 0) == b""
    assert name in feed.state.trouble


def test_a_gap_is_told_and_not_stepped_over(archive: ArchiveMaker) -> None:
    groups(archive.maker, 3)
    archive.append()
    end = archive.maker.lsn
    groups(archive.maker, 3)
    archive.frame(archive.maker.lsn)  # never put
    archive.next_piece()
    groups(archive.maker, 3)
    archive.append()
    feed = feed_of(archive)
    assert given(feed, 0) == archive.log(0, end)
    assert given(feed, end) == b""
    assert "log is missing" in feed.state.trouble
    assert archive.root in feed.state.trouble


@pytest.fixture
def parted(archive: ArchiveMaker, tmp_path: Path) -> tuple[ArchiveMaker, ArchiveMaker]:
    """A round, and the next one, of what the machine wrote anew after it was put back: that begins before and reaches further."""
    groups(archive.maker, 3)
    shutil.copytree(archive.maker.log_dir, tmp_path / "twin")
    twin = copy.copy(archive.maker)
    twin.log_dir = tmp_path / "twin"
    groups(archive.maker, 3)
    archive.append()
    for number in range(9):
        twin.group(bytes([number + 101]) * 40)
    anew = ArchiveMaker(tmp_path / "x", maker=twin, timeline="c" * 32, round_id=archive.round_id + 1)
    anew.piece_id = 7
    anew.append()
    assert anew.maker.lsn > archive.maker.lsn
    return archive, anew


def test_another_history_is_not_gone_over_to_and_is_named(parted: tuple[ArchiveMaker, ArchiveMaker]) -> None:
    """Before, the feed went over and called that damage, and stayed there when its own log came."""
    archive, anew = parted
    end = archive.maker.lsn
    feed = feed_of(archive)
    assert given(feed, 0) == archive.log(0, end)
    for info in list(anew.store.list("")):
        archive.store.put(info.name, anew.store.get(info.name))
    assert given(feed, end) == b""
    assert "another history" in feed.state.trouble
    assert anew.root in feed.state.trouble
    assert given(feed, 0) == archive.log(0, end), "asked again, it stays with its own"
    archive.piece_id += 1
    groups(archive.maker, 2)
    archive.append()
    assert given(feed, end) == archive.log(end, archive.maker.lsn)


def test_an_older_round_s_other_history_is_no_trouble(archive: ArchiveMaker) -> None:
    """It may reach further than the round that is read, which goes on."""
    groups(archive.maker, 2)
    old = copy.copy(archive)
    old.timeline, old._begins = "c" * 32, {}
    archive.round_id += 1
    old.maker = copy.copy(archive.maker)
    shutil.copytree(old.maker.log_dir, old.maker.log_dir.with_name("old"))
    old.maker.log_dir = old.maker.log_dir.with_name("old")
    for number in range(9):
        old.maker.group(bytes([number + 101]) * 40)
    groups(archive.maker, 2)
    archive.append()
    feed = feed_of(archive)
    end = archive.maker.lsn
    assert given(feed, 0) == archive.log(0, end)
    old.append()
    assert old.maker.lsn > end
    assert given(feed, end) == b""
    assert feed.state.trouble == ""


def test_the_next_round_of_the_same_log_is_gone_over_to(archive: ArchiveMaker, tmp_path: Path) -> None:
    """It begins behind the end of the round before; a third one holds both. Before, that was trouble, and no chain was looked at."""
    groups(archive.maker, 3)
    archive.append()
    end = archive.maker.lsn
    feed = feed_of(archive)
    assert given(feed, 0) == archive.log(0, end)
    groups(archive.maker, 3)
    for number in (1, 2):
        following = ArchiveMaker(
            tmp_path / "x", maker=archive.maker, timeline=f"{number:032x}", round_id=archive.round_id + number
        )
        following.store, following.piece_id = archive.store, 6 + number
        following.append()
        groups(archive.maker, 3)
    following.append()
    assert given(feed, end) == archive.log(end, archive.maker.lsn)
    assert feed.state.trouble == ""


def test_a_closed_feed_gives_nothing(archive: ArchiveMaker) -> None:
    groups(archive.maker, 3)
    archive.append()
    feed = feed_of(archive)
    feed.close()
    assert given(feed, 0) == b""


def with_gap(archive: ArchiveMaker) -> tuple[int, dict[str, bytes]]:
    """Make three pieces and take the one in the middle away; return where it began, and its objects."""
    roots, borders = [], []
    for _ in range(3):
        borders.append(archive.maker.lsn)
        groups(archive.maker, 3)
        archive.append()
        roots.append(archive.root)
        archive.next_piece()
    taken = {item.name: archive.store.get(item.name) for item in list(archive.store.list(f"{roots[1]}/"))}
    for name in taken:
        archive.store.delete(name)
    return borders[1], taken


def put_back(archive: ArchiveMaker, taken: dict[str, bytes]) -> None:
    for name, octets in taken.items():
        archive.store.put(name, octets)


class Counting(ArchivedLog):
    """`count`: how often it was asked for log."""

    count = 0

    def read(self, lsn: Lsn) -> LogRun | None:
        self.count += 1
        return super().read(lsn)


def test_at_a_gap_it_says_so_and_looks_once_a_minute(archive: ArchiveMaker) -> None:
    """A piece that was deleted before the standby had it comes back by a person's hand only."""
    border, taken = with_gap(archive)
    now = [0.0]
    log = Counting(archive.source, Ticking(), engine_data_version="1.4.0.0")
    feed = Feed(log, UNLIMITED, monotonic=lambda: now[0])
    assert given(feed, 0) == archive.log(0, border)
    for _ in range(600):  # ten minutes of an engine that asks once a second
        now[0] += 1.0
        assert given(feed, border) == b""
    assert feed.state.is_at_gap
    assert feed.state.trouble.startswith(f"log is missing from LSN {Lsn(border).text()} to ")
    assert log.count < 30
    put_back(archive, taken)
    now[0] += 61.0
    assert given(feed, border) == archive.log(border, archive.maker.lsn)
    assert not feed.state.is_at_gap


def test_a_new_bound_looks_at_a_gap_at_once(archive: ArchiveMaker) -> None:
    border, taken = with_gap(archive)
    now = [0.0]
    log = ArchivedLog(archive.source, Ticking(), engine_data_version="1.4.0.0")
    feed = Feed(log, UNLIMITED, monotonic=lambda: now[0])
    for _ in range(20):
        now[0] += 1.0
        given(feed, border)
    put_back(archive, taken)
    assert given(feed, border) == b""
    feed.set_until(UNLIMITED)
    assert given(feed, border) != b""
