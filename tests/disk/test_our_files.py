"""A power cut at any step of what the server keeps on its own disk: each thing is there whole, as it was, or not yet."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast import disk
from holdfast.backup_format.manifest import Encryption
from holdfast.engine import process
from holdfast.engine.account import Account, load_account, store_account
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.hold import SpoolHold
from holdfast.engine.version import installed
from holdfast.engine_format.log_block import LOG_INFO_BYTES
from holdfast.errors import NotFoundError
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.identity import open_identity, open_server, take_lock
from holdfast.keys.host_key import HostKey, path_in
from holdfast.keys.keyring import Keyring
from holdfast.keys.password import SECRET_BYTES, SetKey
from holdfast.restore.lazy_file import LazyBlockFile, create_lazy_files, is_marked, read_marks
from holdfast.restore.lazy_layout import put_plain
from holdfast.restore.lazy_place import LazyPlace
from holdfast.restore.log_tail import mend_tail
from holdfast.values.scn import SCN_MAX_VALUE, Scn
from power_cut import Recording, State
from restore.archive_maker import ArchiveMaker
from restore.lazy_rig import BLOCK_COUNT, PAYLOADS, Blocks, table
from restore.test_log_tail import source, standby

BLOCK_BYTES = 2 << 20


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


def states(recording: Recording, tmp_path: Path) -> Iterator[State]:
    assert recording.count > 2
    return recording.states(tmp_path, seed=20261129, limit=150)


def test_a_file_of_ours_is_the_old_one_or_the_new_one_and_the_new_one_once_it_is_written(
    home: Path, tmp_path: Path
) -> None:
    (home / "f").mkdir()
    (home / "f" / "a").write_bytes(b"old")
    new = b"new" * 5000
    with Recording(home) as recording:
        disk.write_file(home / "f" / "a", new)
        recording.mark("new")
        disk.write_file(home / "f" / "b", b"b")
        recording.mark("b")
        disk.move(home / "f" / "b", home / "c")
        recording.mark("c")
        disk.remove_file(home / "f" / "a")
        recording.mark("gone")
    for state in states(recording, tmp_path):
        a, b, c = (state.root / name for name in ("f/a", "f/b", "c"))
        if "c" not in state.marks:
            assert a.read_bytes() in ({b"old", new} if "new" not in state.marks else {new}), state
        assert not (a.exists() and "gone" in state.marks), state
        assert all(path.read_bytes() == b"b" for path in (b, c) if path.exists()), state
        assert ("b" not in state.marks) or b.exists() != c.exists(), state
        assert c.exists() or "c" not in state.marks, state


def test_a_folder_is_there_once_it_is_made_however_many_are_new(home: Path, tmp_path: Path) -> None:
    with Recording(home) as recording:
        disk.make_folder(home / "a" / "b" / "c")
        recording.mark("made")
    for state in states(recording, tmp_path):
        assert (state.root / "a" / "b" / "c").is_dir() or not state.marks, state


def test_a_folder_whose_maker_died_is_made_durable_by_the_next(home: Path, tmp_path: Path) -> None:
    with Recording(home) as recording:
        (home / "a").mkdir()
        disk.make_folder(home / "a")
        recording.mark("made")
    for state in states(recording, tmp_path):
        assert (state.root / "a").is_dir() or not state.marks, state


def _keyring(base: Path) -> Keyring:
    return Keyring(base / "tenants" / "1002" / "keys", HostKey(path_in(base)), "1002")


def test_a_key_that_was_put_is_there(home: Path, tmp_path: Path) -> None:
    keys = {number: SetKey(secret=bytes([number]) * SECRET_BYTES, encryption=Encryption()) for number in (1, 2)}
    with Recording(home) as recording:
        for number, key in keys.items():
            _keyring(home).put(number, key)
            recording.mark(f"key {number}")
    for state in states(recording, tmp_path):
        for number, key in keys.items():
            found = _keyring(state.root).get(number)
            is_whole = found is not None and found.secret == key.secret
            assert is_whole or (found is None and f"key {number}" not in state.marks), state


def test_one_of_two_accounts_works_at_any_moment(home: Path, tmp_path: Path) -> None:
    """What the engine has been told lies between the two steps of `store_account`: the pending one or the current one is it."""
    file = home / "tenants" / "1002" / "account.json"
    old, new = (Account(user="__holdfast", password=word) for word in ("old", "new"))
    with Recording(home) as recording:
        store_account(file, old)
        recording.mark("old")
        store_account(file, new)
        recording.mark("new")
    for state in states(recording, tmp_path):
        with contextlib.suppress(NotFoundError):
            found = load_account(state.root / "tenants" / "1002" / "account.json")
            assert found in ({new} if "new" in state.marks else {old, new}), state
            continue
        assert not state.marks, state


def test_who_the_server_is_and_which_start_it_is_survives(home: Path, tmp_path: Path) -> None:
    base = home / "base"
    with Recording(home) as recording:
        for start in (1, 2):
            disk.make_folder(base)
            lock = take_lock(ClusterDirectory(base))
            made = open_identity(ClusterDirectory(base), "c")
            server = open_server(ClusterDirectory(base), lock.generation)
            recording.mark(f"{start} {made.cluster_id} {server.lineage.current.server_id}")
            lock.release()
    for state in states(recording, tmp_path):
        there = ClusterDirectory(state.root / "base")
        disk.make_folder(there.base)
        lock = take_lock(there)
        try:
            found, generation = open_identity(there, "c"), lock.generation
            server_id = open_server(there, generation).lineage.current.server_id
        finally:
            lock.release()
        if state.marks:
            start, cluster_id, known = state.marks[-1].split()
            assert (str(found.cluster_id), server_id) == (cluster_id, known), state
            assert generation > int(start), state


def test_an_engine_that_was_ready_is_never_cleared_as_unfinished(home: Path, tmp_path: Path) -> None:
    place = home / "tenants" / "1002"
    directory = EngineDirectory(place / "engine", installed())
    with Recording(home) as recording:
        process.begin_founding(directory)
        directory.create()
        disk.write_file(directory.root / "row", b"somebody's")  # the engine syncs its own files
        recording.mark("removing")
        disk.remove_file(directory.founding_mark)  # as `wait_ready` does
        recording.mark("ready")
    for state in states(recording, tmp_path):
        there = EngineDirectory(state.root / "tenants" / "1002" / "engine", installed())
        if there.root.parent.is_dir():
            process._clear_unfinished(there)
        if "ready" in state.marks:
            assert (there.root / "row").read_bytes() == b"somebody's", state
        elif "removing" not in state.marks:
            assert not (there.root / "row").exists(), state  # it never was ready: no engine starts in that again


def test_a_held_block_is_there(home: Path, tmp_path: Path) -> None:
    log = home / "log"
    log.mkdir()
    (home / "tenants" / "1002").mkdir(parents=True)
    for number in (3, 4):
        (log / str(number)).write_bytes(b"log" * number)
    with Recording(home) as recording:
        hold = SpoolHold(log, home / "tenants" / "1002" / "spool")
        hold.prepare()
        assert hold.link(3)
        recording.mark("3")
        assert hold.link(4)
        recording.mark("4")
        hold.release(below=4)
        recording.mark("3 released")
    for state in states(recording, tmp_path):
        spool = state.root / "tenants" / "1002" / "spool"
        for number in (3, 4):
            if str(number) in state.marks and (number == 4 or "4" not in state.marks):
                assert (spool / str(number)).read_bytes() == b"log" * number, state
        assert not ("3 released" in state.marks and (spool / "3").exists()), state


def test_a_block_that_is_marked_as_arrived_has_arrived(home: Path, tmp_path: Path) -> None:
    """Of a tenant that opened before its blocks came: a mark without its bytes would be a block of zeros for ever."""
    overlay, marks = home / "block_file", home / "arrived"
    with Recording(home) as recording:
        create_lazy_files(overlay, marks, size_bytes=BLOCK_COUNT * BLOCK_BYTES, block_count=BLOCK_COUNT)
        disk.sync_folder(home)
        recording.mark("laid out")
        with contextlib.closing(LazyBlockFile(overlay, marks, table(), Blocks())) as file:
            for block_id in (0, 4):
                file.ensure(block_id)
                file.sync()
                recording.mark(str(block_id))
            file.write(5 * BLOCK_BYTES, PAYLOADS[4])
            file.sync()
            recording.mark("5")
    wanted = {0: PAYLOADS[0], 4: PAYLOADS[4], 5: PAYLOADS[4]}
    for state in states(recording, tmp_path):
        if not state.marks:
            continue  # the restore that lays it out begins again
        bits = read_marks(state.root / "arrived")
        data = (state.root / "block_file").read_bytes()
        for block_id in range(BLOCK_COUNT):
            is_there = data[block_id * BLOCK_BYTES :][:BLOCK_BYTES] == wanted.get(block_id, b"")
            assert is_there or not is_marked(bits, block_id), (state, block_id)
        assert all(is_marked(bits, int(mark)) for mark in state.marks[1:]), state


def test_a_restored_tenant_is_in_its_place_with_everything_in_it(home: Path, tmp_path: Path) -> None:
    """The last steps of `RestoreWorkers._lay_out`; what is below the folder: test_destinations.py."""
    for room in ("restore", "tenants"):
        (home / room).mkdir()
    place = home / "restore" / "1004"
    with Recording(home) as recording:
        directory = EngineDirectory(place / "engine", installed())
        directory.create()
        store_account(place / "account.json", Account(user="u", password="p"))
        disk.move(place, home / "tenants" / "1004")
        recording.mark("restored")
    for state in states(recording, tmp_path):
        shutil.rmtree(state.root / "restore" / "1004", ignore_errors=True)  # the next attempt clears it
        there = state.root / "tenants" / "1004"
        assert not state.marks or load_account(there / "account.json").password == "p", state
        assert not there.exists() or (there / "engine").is_dir(), state


def test_an_overlay_that_is_complete_becomes_the_block_file(home: Path, tmp_path: Path) -> None:
    place = LazyPlace(home / "1004")
    directory = EngineDirectory(home / "1004" / "engine", installed())
    directory.block_file.parent.mkdir(parents=True)
    directory.block_file.write_bytes(b"")
    place.folder.mkdir()
    with Recording(home) as recording:
        place.overlay.write_bytes(PAYLOADS[0])
        disk.sync_folder(place.folder)
        recording.mark("made")
        put_plain(place, directory)
        recording.mark("plain")
    for state in states(recording, tmp_path):
        there = LazyPlace(state.root / "1004")
        if "made" in state.marks and "plain" not in state.marks and there.folder.exists():
            put_plain(there, EngineDirectory(state.root / "1004" / "engine", installed()))
        if "plain" in state.marks:
            data = state.root / directory.block_file.relative_to(home)
            assert data.read_bytes() == PAYLOADS[0], state


def test_a_log_that_is_mended_or_not_can_be_mended_and_is_the_archives_then(home: Path, tmp_path: Path) -> None:
    archive = ArchiveMaker(tmp_path / "log")
    for number in range(5):
        archive.maker.group(*(bytes([number + 1]) * 9000 for _ in range(number + 1)))
    archive.append()
    directory = standby(archive, home, 3)
    root = directory.root.relative_to(home)
    whole = _log_of(archive.maker.path(0))
    with Recording(home) as recording:
        assert mend_tail(directory, source(archive), Scn(SCN_MAX_VALUE))
        recording.mark("mended")
    for state in states(recording, tmp_path):
        there = EngineDirectory(state.root / root, installed())
        if not state.marks:
            mend_tail(there, source(archive), Scn(SCN_MAX_VALUE))
        assert _log_of(there.log_dir / "0") == whole, state


def _log_of(path: Path) -> bytes:
    """Return all that was made of a block, without the info block in front of it."""
    with path.open("rb") as file:
        return file.read(1 << 18)[LOG_INFO_BYTES:]
