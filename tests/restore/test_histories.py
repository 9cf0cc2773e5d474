"""A standby goes on in the history that its own log belongs to, whatever else the archive holds, or says why it does not."""

import copy
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.log_maker import LogMaker
from backup_format.samples import PIECE
from holdfast.backup_format import names
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import installed
from holdfast.engine_format.log_block import LOG_BLOCK_BYTES, LOG_INFO_BYTES, file_offset_of
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import decode_entries, group_spans
from holdfast.engine_format.log_walk import Position, walk
from holdfast.restore.archived_log import ArchivedLog
from holdfast.restore.feed import Feed
from holdfast.restore.log_tail import ForeignLogError, LogGapError, TwoHistoriesError, join, mend_tail
from holdfast.store.memory import MemoryStore
from holdfast.values.lsn import Lsn
from holdfast.values.scn import SCN_MAX_VALUE, Scn
from restore.archive_maker import ArchiveMaker

UNLIMITED = Scn(SCN_MAX_VALUE)
START = Position(lsn=Lsn(0), accumulated=0, log_id=0)
MUCH = 1 << 30
SAMPLES = 15


class Ticking:
    """A clock that is a minute later at each look: no listing is put off."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 60
        return self.now


@dataclass(slots=True)
class History:
    """One log as some machine wrote it. `archive`: of the round that begins at `begin`; what is archived ends at a piece's end."""

    maker: LogMaker
    archive: ArchiveMaker
    begin: int

    @property
    def log(self) -> bytes:
        return self.archive.log(0, self.maker.lsn)

    def borders(self) -> list[int]:
        return [*(at for at, _, _ in group_spans(self.log)), self.maker.lsn]


@dataclass(slots=True)
class Estate:
    """Two histories that part at `parting`, in one archive."""

    store: MemoryStore
    parting: int
    histories: tuple[History, History]

    def archived(self) -> ArchivedLog:
        return ArchivedLog(self.histories[0].archive.source, Ticking(), engine_data_version="1.4.0.0")


def write(maker: LogMaker, count: int, chance: random.Random) -> None:
    for _ in range(count):
        maker.group(*(chance.randbytes(40) for _ in range(chance.randint(1, 4))))


def write_block(path: Path, head: bytes) -> None:
    """Write a log file that begins with this; what follows takes no room on the disk."""
    path.write_bytes(head)
    os.truncate(path, LOG_BLOCK_BYTES)


def estate_of(folder: Path, chance: random.Random) -> Estate:
    """Make log, put the machine back (its log so far is a copy) and let both write on; each is archived by a round of its own."""
    first = LogMaker(folder / "first")
    write(first, chance.randint(3, 8), chance)
    parting = first.lsn
    second = copy.copy(first)
    second.log_dir = folder / "second"
    second.log_dir.mkdir()
    write_block(second.path(0), first.path(0).read_bytes()[: file_offset_of(Lsn(parting))])
    store = MemoryStore()
    histories = []
    for number, maker in enumerate((first, second)):
        write(maker, chance.randint(1, 8), chance)
        archive = ArchiveMaker(folder, maker=maker, timeline=f"{chance.getrandbits(128):032x}", round_id=1 + number)
        archive.store = store
        archive.piece_id = 1 + 100 * number
        made = History(maker, archive, 0)
        borders = made.borders()
        shared = [border for border in borders if border < parting]
        made.begin = chance.choice(shared) if number else 0
        archive.archived = walk(archive.log(0, made.begin), START).end if made.begin else START
        inside = [border for border in borders if made.begin < border < maker.lsn]
        for border in (*sorted(chance.sample(inside, min(len(inside), chance.randint(0, 3)))), maker.lsn):
            archive.append(border)
            archive.next_piece()
        histories.append(made)
    return Estate(store, parting, (histories[0], histories[1]))


def standby(history: History, folder: Path, end: int, kept: int | None = None) -> EngineDirectory:
    """Return a standby whose log is the history's up to `end`, or up to the first `kept` entries of the group that begins there."""
    directory = EngineDirectory(folder / "engine", installed())
    directory.log_dir.mkdir(parents=True)
    part = history.log[:end]
    if kept is not None:
        position = walk(part, START).end if end else START
        whole = history.log[end:]
        _, size, last = next(group_spans(whole))
        part += cut(whole[:size], position, Scn(last - kept))
    write_block(directory.log_dir / "0", history.archive.info_block(0) + part)
    return directory


def given(feed: Feed, lsn: int) -> bytes:
    got = b""
    while part := b"".join(bytes(group) for group, _, _ in feed.fetch(Lsn(lsn + len(got)), MUCH)):
        got += part
    return got


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_of_two_histories_the_own_one_goes_on(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    estate = estate_of(tmp_path, chance)
    own, other = chance.sample(estate.histories, 2)
    end = chance.choice([border for border in own.borders() if border > own.begin])
    directory = standby(own, tmp_path, end)
    last = max(at for at, _, _ in group_spans(own.log[:end]))
    archive = estate.archived()
    if last < estate.parting and last >= other.begin:
        # Both hold it and part behind: which one is meant can not be told, and neither is taken.
        with pytest.raises(TwoHistoriesError) as told:
            join(directory, archive)
        assert all(f"(round {one.archive.round_id})" in told.value.message for one in estate.histories)
        return
    assert join(directory, archive) == end
    feed = Feed(None, UNLIMITED)
    feed.join(archive, Lsn(end))
    assert given(feed, end) == own.log[end:]
    # Log of the other that begins behind the own one's end may be either: what came later, or another history.
    assert not feed.state.trouble or "another history" in feed.state.trouble or feed.state.is_at_gap


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_a_cut_end_is_mended_from_the_own_history(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    estate = estate_of(tmp_path, chance)
    own = chance.choice(estate.histories)
    several = [
        (at, len_of)
        for at, len_of in _groups_of_several(own)
        if at >= estate.parting  # what both share is the case above
    ]
    if not several:
        return
    at, entries = chance.choice(several)
    directory = standby(own, tmp_path, at, chance.randint(1, entries - 1))
    before = (directory.log_dir / "0").read_bytes()
    archive = estate.archived()
    lsn = join(directory, archive)
    feed = Feed(None, UNLIMITED)
    feed.join(archive, lsn)
    assert given(feed, lsn) == b""
    assert feed.state.needs_mending
    assert mend_tail(directory, estate.archived(), UNLIMITED)
    after = (directory.log_dir / "0").read_bytes()
    whole = walk(after[LOG_INFO_BYTES:], START).size_bytes
    assert after[LOG_INFO_BYTES:][:whole] == own.log[:whole]
    assert before[: file_offset_of(Lsn(at))] == after[: file_offset_of(Lsn(at))]


def _groups_of_several(history: History) -> list[tuple[int, int]]:
    return [
        (at, count)
        for at, size, _ in group_spans(history.log)
        if (count := len(tuple(decode_entries(memoryview(history.log)[at : at + size])))) > 1
    ]


def fixed(tmp_path: Path) -> Estate:
    """The second history is the longer one: what would be read if length decided."""
    for seed in range(1000):
        place = tmp_path / str(seed)
        estate = estate_of(place, random.Random(seed))
        first, second = estate.histories
        if second.maker.lsn > first.maker.lsn + 200 and len(first.borders()) > 8:
            return estate
        shutil.rmtree(place)
    raise AssertionError("no such sample")


def test_log_that_is_in_neither_is_refused(tmp_path: Path) -> None:
    estate = fixed(tmp_path)
    other = estate_of(tmp_path / "other", random.Random(-1)).histories[0]
    with pytest.raises(ForeignLogError):
        join(standby(other, tmp_path / "x", other.borders()[2]), estate.archived())


def test_a_place_that_only_the_other_history_holds_is_looked_at_again(tmp_path: Path) -> None:
    """The own history's piece is deleted while the engine has lost what it was given of it: the other's log is not taken for it."""
    estate = fixed(tmp_path)
    first, second = estate.histories
    end = max(border for border in first.borders() if border < first.maker.lsn)
    archive = estate.archived()
    feed = Feed(None, UNLIMITED)
    feed.join(archive, join(standby(first, tmp_path / "x", end), archive))
    assert given(feed, end) == first.log[end:]
    roots = {first_root(first, number) for number in range(1, 8)}
    for info in list(estate.store.list("")):
        if any(info.name.startswith(f"{root}/") for root in roots):
            estate.store.delete(info.name)
    assert given(feed, first.maker.lsn) == b""
    back = max(border for border in first.borders() if border < end)
    assert back > second.begin
    assert given(feed, back) == b""
    assert feed.state.needs_joining
    with pytest.raises((ForeignLogError, LogGapError, TwoHistoriesError)):
        join(standby(first, tmp_path / "y", end), estate.archived())


def first_root(history: History, piece_id: int) -> str:
    return names.piece_root(PIECE.dest_id, history.archive.round_id, piece_id)


def test_an_engine_that_stands_elsewhere_than_its_log_on_the_disk_gets_nothing(tmp_path: Path) -> None:
    estate = fixed(tmp_path)
    _, second = estate.histories
    borders = [border for border in second.borders() if border > estate.parting]
    archive = estate.archived()
    feed = Feed(None, UNLIMITED)
    assert given(feed, borders[0]) == b""
    feed.join(archive, join(standby(second, tmp_path / "x", borders[0]), archive))
    assert given(feed, borders[1]) == b""
    assert feed.state.needs_joining
    again = estate.archived()
    feed.join(again, join(standby(second, tmp_path / "y", borders[1]), again))
    assert not feed.state.needs_joining
    assert given(feed, borders[1]) == second.log[borders[1] :]
    feed.leave()
    assert given(feed, borders[1]) == b""
