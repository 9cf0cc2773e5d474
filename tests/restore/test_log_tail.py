"""A log that ends with a cut group becomes the source's log again, and only that."""

from pathlib import Path

import pytest

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import installed
from holdfast.engine_format.log_block import LOG_INFO_BYTES, file_offset_of
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import decode_group_header
from holdfast.engine_format.log_walk import Position, walk
from holdfast.restore import log_tail
from holdfast.restore.archived_log import ArchivedLog
from holdfast.restore.log_tail import ForeignLogError, mend_tail, read_tail
from holdfast.values.lsn import Lsn
from holdfast.values.scn import SCN_MAX_VALUE, Scn
from restore.archive_maker import ArchiveMaker

UNLIMITED = Scn(SCN_MAX_VALUE)
START = Position(lsn=Lsn(0), accumulated=0, log_id=0)


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveMaker:
    made = ArchiveMaker(tmp_path / "log")
    for number in range(5):
        made.maker.group(*(bytes([number + 1]) * 40 for _ in range(number + 1)))
    made.append()
    return made


def standby(archive: ArchiveMaker, folder: Path, kept: int) -> EngineDirectory:
    """Return a stopped standby whose log ends within the last group, behind `kept` of its five entries."""
    directory = EngineDirectory(folder / "engine", installed())
    directory.log_dir.mkdir(parents=True)
    whole = archive.maker.path(0).read_bytes()
    begin = _last(archive)
    part = _part(archive, begin, kept)
    at = file_offset_of(Lsn(begin))
    (directory.log_dir / "0").write_bytes((whole[:at] + part).ljust(len(whole), b"\0"))
    return directory


def _last(archive: ArchiveMaker) -> int:
    at, begin = 0, 0
    while at < archive.maker.lsn:
        header = decode_group_header(archive.log(at, at + 48))
        assert header is not None
        begin, at = at, at + 48 + header.size_bytes
    return begin


def _part(archive: ArchiveMaker, begin: int, kept: int) -> bytes:
    position = walk(archive.log(0, begin), START).end
    return cut(archive.log(begin, archive.maker.lsn), position, Scn(archive.maker.scn - 5 + kept))


def log_of(directory: EngineDirectory) -> bytes:
    data = (directory.log_dir / "0").read_bytes()[LOG_INFO_BYTES:]
    return data[: walk(data, START).size_bytes]


def source(archive: ArchiveMaker) -> ArchivedLog:
    return ArchivedLog(archive.source, lambda: 0.0, engine_data_version="1.4.0.0")


@pytest.mark.parametrize("kept", [1, 3, 4])
def test_a_cut_group_becomes_whole(archive: ArchiveMaker, tmp_path: Path, kept: int) -> None:
    directory = standby(archive, tmp_path, kept)
    assert mend_tail(directory, source(archive), UNLIMITED)
    assert log_of(directory) == archive.log(0, archive.maker.lsn)
    assert not mend_tail(directory, source(archive), UNLIMITED)


@pytest.mark.parametrize(("kept", "bound"), [(1, 2), (2, 2), (3, 1)])
def test_it_grows_to_the_bound_and_never_shrinks(archive: ArchiveMaker, tmp_path: Path, kept: int, bound: int) -> None:
    directory = standby(archive, tmp_path, kept)
    until = Scn(archive.maker.scn - 5 + bound)
    assert mend_tail(directory, source(archive), until) == (bound > kept)
    tail = read_tail(directory)
    assert tail is not None
    assert tail.group == _part(archive, _last(archive), max(kept, bound))


def test_a_kill_between_the_two_writes_leaves_the_log_as_it_was(
    archive: ArchiveMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = standby(archive, tmp_path, 2)
    before = log_of(directory)

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(log_tail.os, "fdatasync", killed)
    with pytest.raises(KeyboardInterrupt):
        mend_tail(directory, source(archive), UNLIMITED)
    monkeypatch.undo()
    assert log_of(directory) == before
    assert mend_tail(directory, source(archive), UNLIMITED)
    assert log_of(directory) == archive.log(0, archive.maker.lsn)


def test_another_log_is_refused(archive: ArchiveMaker, tmp_path: Path) -> None:
    directory = standby(archive, tmp_path, 2)
    other = ArchiveMaker(tmp_path / "other")
    for number in range(5):
        other.maker.group(*(bytes([number + 100]) * 40 for _ in range(number + 1)))
    other.append()
    with pytest.raises(ForeignLogError):
        mend_tail(directory, source(other), UNLIMITED)
    assert log_of(directory) == archive.log(0, _last(archive)) + _part(archive, _last(archive), 2)
