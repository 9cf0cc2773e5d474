"""Who a server is, start by start, and what a copy of its base directory is not."""

import json
import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.daemon import check_base
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.version import installed
from holdfast.errors import CorruptionError, EngineError, RefusedError, UnknownVersionError
from holdfast.jobs import identity as identity_module
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.identity import ServerIdentity, open_identity, open_server, require_server_file, take_lock
from holdfast.values.owner import JobKind, Lineage


def started(base: Path) -> ServerIdentity:
    """Return the identity of one start, which has ended when this returns."""
    directories = ClusterDirectory(base)
    base.mkdir(exist_ok=True)
    lock = take_lock(directories)
    try:
        return open_server(directories, lock.generation)
    finally:
        lock.release()


def test_next_start_is_the_same_server_and_knows_what_the_one_before_made(tmp_path: Path) -> None:
    first, second = started(tmp_path / "base"), started(tmp_path / "base")
    made = first.owner(1, JobKind.BACKUP, 4)
    assert (made.generation, second.generation) == (1, 2)
    assert made.server_id == second.owner(1).server_id
    assert made.token != second.token
    assert second.lineage.made_for(made, JobKind.BACKUP, 4)
    assert first.place == second.place, "the lock proves that the one before is dead"
    assert (tmp_path / "base" / "server.json").stat().st_mode & 0o777 == 0o600


def test_copy_knows_what_came_before_it_and_nothing_since(tmp_path: Path) -> None:
    before = started(tmp_path / "base")
    shutil.copytree(tmp_path / "base", tmp_path / "copy")
    original, copy = started(tmp_path / "base"), started(tmp_path / "copy")
    assert original.owner(1).server_id == copy.owner(1).server_id
    assert original.generation == copy.generation
    assert original.place != copy.place
    assert original.lineage.made(before.owner(1))
    assert copy.lineage.made(before.owner(1))
    assert not original.lineage.made(copy.owner(1))
    assert not copy.lineage.made(original.owner(1))


def test_directory_that_was_put_back_counts_the_same_generation_and_is_told_apart(tmp_path: Path) -> None:
    started(tmp_path / "base")
    shutil.copytree(tmp_path / "base", tmp_path / "saved")
    lost = started(tmp_path / "base")
    shutil.rmtree(tmp_path / "base")
    (tmp_path / "saved").rename(tmp_path / "base")
    again = started(tmp_path / "base")
    assert again.generation == lost.generation
    assert not again.lineage.made_for(lost.owner(1, JobKind.BACKUP, 2), JobKind.BACKUP, 2)


def test_renewed_server_is_another_one_and_keeps_its_own_work(tmp_path: Path) -> None:
    server = started(tmp_path / "base")
    made = server.owner(1, JobKind.ARCHIVE, 1)
    server.renew()
    assert server.owner(1).server_id != made.server_id
    assert server.lineage.made(made)
    after = started(tmp_path / "base")
    assert after.owner(1).server_id == server.owner(1).server_id
    assert after.lineage.made(made)
    assert after.lineage.made(server.owner(1))


def test_starts_that_write_nothing_are_not_kept(tmp_path: Path) -> None:
    """A supervisor that starts a failing server every 5 s would use up all that are remembered."""
    first = started(tmp_path / "base")
    first.owner(1)
    before = (tmp_path / "base" / "server.json").read_bytes()
    for _ in range(5):
        started(tmp_path / "base")
    assert (tmp_path / "base" / "server.json").read_bytes() == before
    writes = started(tmp_path / "base")
    made = writes.owner(1)
    writes.owner(2)
    after = started(tmp_path / "base")
    assert [one.token for one in after.lineage.openings] == [first.token, made.token, after.token]


def test_start_that_can_not_be_kept_hands_out_no_owner(tmp_path: Path) -> None:
    started(tmp_path / "base")
    server = started(tmp_path / "base")
    file = tmp_path / "base" / "server.json"
    file.rename(tmp_path / "kept")
    file.mkdir()  # root may write everywhere, but not over a folder
    for _ in range(2):
        with pytest.raises(EngineError, match="can not be written"):
            server.owner(1)
    with pytest.raises(EngineError, match="can not be written"):
        server.renew()
    file.rmdir()
    (tmp_path / "kept").rename(file)
    assert started(tmp_path / "base").lineage.made(server.owner(1)) is False, "it was started before that was kept"
    assert started(tmp_path / "base").lineage.made(server.owner(1))


def test_two_renewals_at_once_lose_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = started(tmp_path / "base")
    write, both = identity_module._write_lineage, threading.Barrier(2)

    def write_together(path: Path, lineage: Lineage) -> None:
        with suppress(threading.BrokenBarrierError):  # under a lock nobody else comes: go on alone
            both.wait(0.2)
        write(path, lineage)

    monkeypatch.setattr(identity_module, "_write_lineage", write_together)
    threads = [threading.Thread(target=server.renew) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.lineage.openings) == 3
    assert started(tmp_path / "base").lineage.openings[:-1] == server.lineage.openings


def test_file_of_an_earlier_build_is_read(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    openings = [{"server_id": "a" * 32, "token": f"{number:032x}"} for number in range(512)]
    (tmp_path / "base" / "server.json").write_text(json.dumps({"format_version": 1, "openings": openings}))
    server = started(tmp_path / "base")
    assert server.owner(1).server_id == "a" * 32
    assert len(started(tmp_path / "base").lineage.openings) == 514


def test_server_that_does_not_know_who_it_was_does_not_start(tmp_path: Path) -> None:
    started(tmp_path / "base")
    file = tmp_path / "base" / "server.json"
    for content, error in (
        ("{", CorruptionError),
        ("[]", CorruptionError),
        ('{"format_version": 1, "openings": [{"server_id": "a"}]}', CorruptionError),
        ('{"format_version": 1, "openings": [{"server_id": null, "token": "b"}]}', CorruptionError),
        ('{"format_version": 1e400, "openings": []}', CorruptionError),
        ("[" * 100_000, CorruptionError),
        ('{"format_version": 2, "openings": []}', UnknownVersionError),
    ):
        file.write_text(content)
        with pytest.raises(error):
            started(tmp_path / "base")


def test_identities_of_a_cluster_are_equal_whoever_serves_it(tmp_path: Path) -> None:
    tmp_path.joinpath("base").mkdir()
    identity = open_identity(ClusterDirectory(tmp_path / "base"), "c")
    assert replace(identity, server=started(tmp_path / "base")) == identity


def test_server_that_lost_its_server_file_does_not_become_another_one(tmp_path: Path) -> None:
    directories = ClusterDirectory(tmp_path)
    lock = take_lock(directories)
    require_server_file(directories, lock)  # a first start, or of a base directory from before there was one
    open_server(directories, lock.generation)
    lock.note_server_file()
    lock.release()
    known = directories.server_file.read_bytes()
    directories.server_file.unlink()
    for generation in (2, 3):
        lock = take_lock(directories)
        assert lock.generation == generation
        with pytest.raises(RefusedError, match=r"server\.json is gone"):
            require_server_file(directories, lock)
        lock.release()
    directories.server_file.write_bytes(known)
    lock = take_lock(directories)
    require_server_file(directories, lock)
    lock.release()


def test_an_earlier_version_reads_the_generation_and_nothing_behind_it(tmp_path: Path) -> None:
    """It reads 32 bytes, and takes what is no number for a first start."""
    directories = ClusterDirectory(tmp_path)
    lock = take_lock(directories)
    lock.note_server_file()
    lock.release()
    assert directories.lock_file.read_bytes()[:32].decode().strip() == "1"


def test_a_lost_server_file_has_a_way_on(tmp_path: Path) -> None:
    """What the refusal says to put there is taken, as another server."""
    directories = ClusterDirectory(tmp_path)
    lock = take_lock(directories)
    before = open_server(directories, lock.generation)
    lock.note_server_file()
    lock.release()
    directories.server_file.unlink()
    lock = take_lock(directories)
    with pytest.raises(RefusedError) as refusal:
        require_server_file(directories, lock)
    text = refusal.value.hint
    directories.server_file.write_text(text[text.index("{") : text.index("}") + 1])
    require_server_file(directories, lock)
    assert open_server(directories, lock.generation).owner(1).server_id != before.owner(1).server_id
    lock.release()


def test_a_first_start_that_was_cut_off_is_told_from_a_cluster_that_lost_its_file(tmp_path: Path) -> None:
    directories = ClusterDirectory(tmp_path)
    for folder in (directories.tenants, directories.restores, directories.tenant(1)):
        folder.mkdir()
    directories.lock_file.touch()
    mark = EngineDirectory(directories.engine(1), installed()).founding_mark
    check_base(directories)
    mark.touch()
    check_base(directories)
    directories.engine(1).mkdir()
    with pytest.raises(RefusedError, match=r"cluster\.json is gone, and .* holds a cluster"):
        check_base(directories)
