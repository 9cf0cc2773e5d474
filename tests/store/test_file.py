"""What is special about a directory as a destination: links, modes, mounts, full disks, dead writers."""

import errno
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest

from holdfast import codes
from holdfast.backup_format.names import FORMAT_FILE
from holdfast.codes import Code
from holdfast.errors import (
    ConflictError,
    CorruptionError,
    HoldfastError,
    NotFoundError,
    ObjectReplacedError,
    RefusedError,
    StoreUnavailableError,
)
from holdfast.store import file as file_module
from holdfast.store.failure import is_transient, object_error
from holdfast.store.file import FileStore
from holdfast.store.open import open_store
from holdfast.store.store import TEMPORARY_FOLDER, Store
from holdfast.values.destination import Uri, parse_uri


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mount" / "destination"


@pytest.fixture
def store(root: Path) -> FileStore:
    return FileStore(str(root), create=True)


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


# --- opening


def test_destination_is_made_only_when_asked(root: Path) -> None:
    with pytest.raises(NotFoundError) as error:
        FileStore(str(root))
    assert error.value.code == codes.OB_OBJECT_NOT_EXIST
    assert str(root) in error.value.message
    FileStore(str(root), create=True)
    assert FileStore(str(root)).location == f"file://{root}"


def test_link_to_nowhere_is_a_missing_mount_not_a_wrong_path(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "unmounted")
    for create in (False, True):
        with pytest.raises(StoreUnavailableError) as error:
            FileStore(str(tmp_path / "link"), create=create)
        assert error.value.code == codes.OB_OBJECT_STORAGE_IO_ERROR


def test_plain_file_is_no_destination(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreUnavailableError) as error:
            FileStore(str(path), create=True)
        assert error.value.code == codes.OB_OBJECT_STORAGE_IO_ERROR


def test_destination_that_vanishes_is_unavailable_not_empty(store: FileStore, root: Path) -> None:
    """An unmounted share must never look like objects that were deleted: a follower would begin anew."""
    store.put("f/a", b"1")
    root.rename(root.with_name("elsewhere"))
    calls = (
        lambda: store.get("f/a"),
        lambda: store.stat("f/a"),
        lambda: list(store.list()),
        lambda: store.put("f/b", b""),
        lambda: store.delete("f/a"),
        lambda: store.delete_tree("f"),
        lambda: store.appender("f/a", 1),
        store.is_empty,
        store.free_bytes,
        store.sweep,
    )
    for call in calls:
        with pytest.raises(StoreUnavailableError) as error:
            call()
        assert error.value.code == codes.OB_OBJECT_STORAGE_IO_ERROR
        assert str(root) in error.value.message
    root.with_name("elsewhere").rename(root)
    assert store.get("f/a") == b"1"


def test_empty_folder_in_the_place_of_a_claimed_destination_is_neither_written_nor_believed(
    store: FileStore, root: Path
) -> None:
    """Under a mount that is gone: what is written there is missing when it comes back, and what is not there was not deleted."""
    store.put(FORMAT_FILE, b"claimed")
    store.put("f/a", b"1")
    with store.writer("f/late") as late:
        late.write(b"2")
        root.rename(root.with_name("elsewhere"))
        root.mkdir()
        calls = (
            late.commit,
            lambda: store.get("f/a"),
            lambda: store.stat("f/a"),
            lambda: list(store.list()),
            lambda: store.put("f/b", b""),
            lambda: store.put_new("f/c", b""),
            lambda: store.delete("f/a"),
            lambda: store.delete_tree("f"),
            lambda: store.appender("f/d", 0),
            store.is_empty,
            store.sweep,
        )
        for call in calls:
            with pytest.raises(StoreUnavailableError) as error:
                call()
            assert error.value.code == codes.OB_BACKUP_FORMAT_FILE_NOT_EXIST
            assert error.value.hint == "is it mounted?"
    assert not list(root.iterdir())
    root.rmdir()
    root.with_name("elsewhere").rename(root)
    assert [item.name for item in store.list()] == ["f/a", FORMAT_FILE]


def test_destination_may_itself_be_a_link(store: FileStore, root: Path) -> None:
    root.with_name("link").symlink_to(root)
    linked = FileStore(str(root.with_name("link")))
    linked.put("a", b"1")
    assert store.get("a") == b"1"


def test_uri_opens_swept_destination(root: Path) -> None:
    uri = parse_uri(f"file://{root}?checksum=md5")
    with pytest.raises(NotFoundError):
        open_store(uri)
    opened: Store = open_store(uri, create=True)
    opened.put("a", b"1")
    (root / TEMPORARY_FOLDER / "left").write_bytes(b"")
    assert open_store(uri).get("a") == b"1"
    assert everything(root) == [TEMPORARY_FOLDER, "a"]
    with pytest.raises(RefusedError) as refusal:
        open_store(Uri(scheme="s3", path="/bucket"))
    assert refusal.value.code == codes.OB_NOT_SUPPORTED


# --- what lies in the directory


def test_link_inside_a_destination_leads_nowhere(store: FileStore, root: Path, tmp_path: Path) -> None:
    """Whoever may write into a destination must not make the server read or change files outside of it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    for name in ("folder/secret", "file"):
        for call in (store.get, store.reader):
            with pytest.raises(StoreUnavailableError):
                call(name)
    for name in ("folder/new", "folder/secret"):
        for put in (store.put, store.put_new):
            with pytest.raises(StoreUnavailableError):
                put(name, b"overwritten")
        with pytest.raises(StoreUnavailableError):
            store.appender(name, 0)
        with pytest.raises(StoreUnavailableError):
            store.delete(name)
    with pytest.raises(StoreUnavailableError):
        store.appender("file", 0)
    store.delete_tree("folder")
    assert list(store.list()) == []
    assert not store.is_empty()
    store.put("file", b"replaced")  # the link, not what it points to
    store.delete_tree("file")
    assert (outside / "secret").read_bytes() == b"secret"
    assert everything(outside) == ["secret"]


def test_link_below_a_tree_is_removed_not_followed(store: FileStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_bytes(b"1")
    store.put("tree/inner/a", b"1")
    (root / "tree" / "inner" / "link").symlink_to(outside)
    (root / "tree" / "link").symlink_to(outside / "keep")
    store.delete_tree("tree")
    assert everything(outside) == ["keep"]
    assert store.is_empty()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_folder_is_removed_where_there_is_no_room_for_a_temporary_one(
    store: FileStore, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (root / "tree" / "below").mkdir(parents=True)
    (root / "tree" / "below" / "object").write_bytes(b"x")

    def no_room(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.mkdir", no_room)
    store.delete_tree("tree")
    assert everything(root) == []


def test_pipe_and_socket_are_no_objects_and_hang_nobody(store: FileStore, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(NotFoundError):
        store.get("pipe")
    assert store.stat("pipe") is None
    assert list(store.list()) == []
    assert not store.is_empty()


def test_strange_things_make_a_destination_not_empty(store: FileStore, root: Path) -> None:
    (root / "lost+found").mkdir()
    (root / "folders" / "only").mkdir(parents=True)
    assert store.is_empty()
    (root / "folders" / "only" / "note.txt").write_bytes(b"")
    assert not store.is_empty()


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    for umask in (0, 0o777, 0o027):
        before = os.umask(umask)
        try:
            made = tmp_path / f"{umask}" / "deep"
            fresh = FileStore(str(made), create=True)
            fresh.put("folder/object", b"1")
            fresh.appender("folder/log", 0).close()
        finally:
            os.umask(before)
        for path in (made.parent, made, made / "folder", made / TEMPORARY_FOLDER):
            assert stat.S_IMODE(path.stat().st_mode) == 0o750, path
        for path in (made / "folder" / "object", made / "folder" / "log"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o640, path


# --- dead and living writers


def test_sweep_takes_what_dead_writers_left_and_nothing_of_the_living(store: FileStore, root: Path) -> None:
    living = store.writer("f/living")
    living.write(b"alive")
    temporary = root / TEMPORARY_FOLDER
    (temporary / "999-dead").write_bytes(b"left by a crash")
    (temporary / "trash" / "data").mkdir(parents=True)
    (temporary / "trash" / "data" / "1").write_bytes(b"half a tree")
    assert [found.name for found in store.list()] == []
    assert FileStore(str(root)).sweep() == 2
    assert len(everything(temporary)) == 1
    living.commit()
    assert store.get("f/living") == b"alive"
    assert store.sweep() == 0


@pytest.mark.parametrize("call", ["commit", "commit_new"])
def test_copy_of_a_file_that_is_being_written_never_gets_its_name(store: FileStore, root: Path, call: str) -> None:
    """The destination is moved away and copied back in the middle of a write: the copy holds half of it."""
    writer = store._writer("f/object")
    writer.write(b"first half, ")
    root.rename(root.with_name("away"))
    shutil.copytree(root.with_name("away"), root)
    writer.write(b"second half")
    with pytest.raises(StoreUnavailableError, match="f/object can not be written: the destination was moved or copied"):
        getattr(writer, call)()
    assert list(store.list()) == []
    store.put("f/object", b"whole")
    assert store.get("f/object") == b"whole"


def test_writers_race_with_sweeps_and_none_loses_its_file(store: FileStore, root: Path) -> None:
    """Sweeps by another process, as fast as they go, while objects are put here."""
    program = (
        "import sys\nfrom holdfast.store.file import FileStore\nstore = FileStore(sys.argv[1])\n"
        "print('ready', flush=True)\nwhile True: store.sweep()"
    )
    sweeper = subprocess.Popen([sys.executable, "-c", program, str(root)], env=environment(), stdout=subprocess.PIPE)
    try:
        assert sweeper.stdout is not None
        sweeper.stdout.readline()
        for number in range(150):
            store.put(f"f/{number}", b"x")
        assert sweeper.poll() is None
    finally:
        sweeper.kill()
        sweeper.communicate()
    assert len(list(store.list())) == 150


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def move_and_copy(root: Path) -> None:
    root.rename(root.with_name("away"))
    shutil.copytree(root.with_name("away"), root)


def remove_all_but_a_snapshot(root: Path) -> None:
    """The link count of what was removed stays what it was."""
    os.link(root / "f/log", root / "snapshot")
    (root / "f/log").unlink()


def remove_the_folder(root: Path) -> None:
    (root / "f").rename(root / "elsewhere")


def cut_in_half(root: Path) -> None:
    os.truncate(root / "f/log", 3)


def put_another(root: Path) -> None:
    (root / "f/log").rename(root / "other")
    (root / "f/log").write_bytes(b"durable")


def write_behind(root: Path) -> None:
    with (root / "f/log").open("ab") as file:
        file.write(b"foreign")


def move_the_root(root: Path) -> None:
    root.rename(root.with_name("away"))


CHANGES: list[tuple[Callable[[Path], None], type[HoldfastError], str]] = [
    (move_and_copy, ObjectReplacedError, "another file"),
    (put_another, ObjectReplacedError, "another file"),
    (write_behind, ObjectReplacedError, "14 bytes, 7 were appended"),
    (remove_all_but_a_snapshot, CorruptionError, "removed while it grew"),
    (remove_the_folder, CorruptionError, "removed while it grew"),
    (cut_in_half, CorruptionError, "cut to 3 bytes"),
    (move_the_root, StoreUnavailableError, "can not open"),
]


@pytest.mark.parametrize(("change", "kind", "words"), CHANGES, ids=[change.__name__ for change, _, _ in CHANGES])
def test_nothing_is_appended_that_its_name_does_not_show(
    root: Path, change: Callable[[Path], None], kind: type[HoldfastError], words: str
) -> None:
    store = FileStore(str(root), create=True)
    with store.appender("f/log", 0) as appender:
        appender.append(b"durable")
        change(root)
        before = {str(path.relative_to(root.parent)): path.read_bytes() for path in everything_in(root.parent)}
        with pytest.raises(kind, match=words):
            appender.append(b"into nowhere")
        assert appender.size_bytes == 7
    assert before == {str(path.relative_to(root.parent)): path.read_bytes() for path in everything_in(root.parent)}


def test_what_moves_away_while_it_is_written_did_not_become_durable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(str(root), create=True)
    sync = os.fdatasync

    def sync_and_move(descriptor: int) -> None:
        sync(descriptor)
        move_and_copy(root)
        os.truncate(root / "f/log", 7)  # the copy was made a moment before the write

    with store.appender("f/log", 0) as appender:
        appender.append(b"durable")
        monkeypatch.setattr(os, "fdatasync", sync_and_move)
        with pytest.raises(ObjectReplacedError):
            appender.append(b"into nowhere")
        assert appender.size_bytes == 7
    with store.appender("f/log", 7) as appender:  # whole as it was known: it goes on there
        monkeypatch.setattr(os, "fdatasync", sync)
        appender.append(b" and more")
    assert store.get("f/log") == b"durable and more"


def test_a_file_system_that_numbers_a_file_anew_at_each_look_is_not_judged_by_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(str(root), create=True)
    numbers = count()
    monkeypatch.setattr(file_module, "_number", lambda status: (0, next(numbers)))
    with store.appender("f/log", 0) as appender:
        appender.append(b"durable")
        appender.append(b" and more")
        os.truncate(root / "f/log", 3)
        with pytest.raises(CorruptionError, match="cut to 3 bytes"):
            appender.append(b"behind a hole")


def everything_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_second_process_can_not_append_to_a_growing_object(store: FileStore, root: Path) -> None:
    program = (
        "import sys\nfrom holdfast.store.file import FileStore\nstore = FileStore(sys.argv[1])\n"
        "appender = store.appender('log', 0)\nappender.append(b'theirs')\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(root)], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        with pytest.raises(ConflictError, match="another process"):
            store.appender("log", 0)
        assert store.get("log") == b"theirs"
    finally:
        other.kill()
        other.communicate()
    with store.appender("log", 6) as appender:  # a dead server's lock died with it
        appender.append(b", then ours")
    assert store.get("log") == b"theirs, then ours"


# --- failures


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, codes.OB_BACKUP_DEVICE_OUT_OF_SPACE),
        (errno.EDQUOT, codes.OB_BACKUP_DEVICE_OUT_OF_SPACE),
        (errno.EFBIG, codes.OB_BACKUP_DEVICE_OUT_OF_SPACE),
        (errno.EACCES, codes.OB_BACKUP_PERMISSION_DENIED),
        (errno.EPERM, codes.OB_BACKUP_PERMISSION_DENIED),
        (errno.EROFS, codes.OB_BACKUP_PERMISSION_DENIED),
        (errno.EIO, codes.OB_OBJECT_STORAGE_IO_ERROR),
        (errno.ESTALE, codes.OB_OBJECT_STORAGE_IO_ERROR),
        (errno.ELOOP, codes.OB_OBJECT_STORAGE_IO_ERROR),
        (errno.ENOTCONN, codes.OB_OBJECT_STORAGE_IO_ERROR),
    ],
)
def test_error_of_the_system_becomes_a_code_with_path_and_hint(number: int, code: Code) -> None:
    error: HoldfastError = object_error(OSError(number, os.strerror(number)), "write", "/backup/x")
    assert isinstance(error, StoreUnavailableError)
    assert error.code == code
    assert error.message == f"{code.default}: can not write /backup/x: {os.strerror(number)}"
    assert error.hint


def test_only_what_passes_is_transient() -> None:
    def raised(number: int) -> StoreUnavailableError:
        cause = OSError(number, os.strerror(number))
        error = object_error(cause, "read", "x")
        assert isinstance(error, StoreUnavailableError)
        error.__cause__ = cause
        return error

    assert all(is_transient(raised(number)) for number in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT))
    assert not any(is_transient(raised(number)) for number in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ELOOP))


@pytest.fixture
def small_mount(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 8 MiB. Needs root and loop devices."""
    image, mount = tmp_path / "image", tmp_path / "small"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no small file system: {made.stderr.decode()}")
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(mount)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small file system: {mounted.stderr.decode()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_full_disk_shows_nothing_half_and_gives_its_room_back(small_mount: Path) -> None:
    store = FileStore(str(small_mount))
    assert store.is_empty()  # lost+found is not ours, and nobody's data
    free = store.free_bytes()
    assert free is not None
    store.put("f/old", b"old")
    too_much = os.urandom(free)
    with store.appender("f/log", 0) as appender:
        appender.append(b"durable")
        for attempt in (
            lambda: store.put("f/old", too_much),
            lambda: store.put_new("f/new", too_much),
            lambda: write_in_parts(store, "f/large", too_much),
            lambda: appender.append(b"frame", too_much),
        ):
            with pytest.raises(StoreUnavailableError) as error:
                attempt()
            assert error.value.code == codes.OB_BACKUP_DEVICE_OUT_OF_SPACE
            assert str(small_mount) in error.value.message
            assert error.value.hint
            assert [(found.name, found.size_bytes) for found in store.list()] == [("f/log", 7), ("f/old", 3)]
            left = store.free_bytes()
            assert left is not None
            assert left > free - (1 << 20)
    assert store.get("f/old") == b"old"
    assert everything(small_mount / TEMPORARY_FOLDER) == []
    with store.appender("f/log", 7) as appender:
        appender.append(b" and more")
    assert store.get("f/log") == b"durable and more"


def write_in_parts(store: Store, name: str, data: bytes) -> None:
    with store.writer(name) as writer:
        for start in range(0, len(data), 100_000):
            writer.write(data[start : start + 100_000])
        writer.commit()


def test_read_only_destination_is_read_and_not_written(small_mount: Path) -> None:
    store = FileStore(str(small_mount))
    store.put("f/a", b"1")
    (small_mount / TEMPORARY_FOLDER / "left").write_bytes(b"")
    subprocess.run(["mount", "-o", "remount,ro", str(small_mount)], check=True)
    opened = open_store(parse_uri(f"file://{small_mount}"))
    assert opened.get("f/a") == b"1"
    assert [found.name for found in opened.list()] == ["f/a"]
    for attempt in (
        lambda: opened.put("f/a", b"2"),
        lambda: opened.delete("f/a"),
        lambda: opened.delete_tree("f"),
        lambda: opened.appender("f/a", 1),
        lambda: opened.writer("f/b"),
    ):
        with pytest.raises(StoreUnavailableError) as error:
            attempt()
        assert error.value.code == codes.OB_BACKUP_PERMISSION_DENIED


def test_file_size_limit_is_told_as_a_full_destination(root: Path) -> None:
    """The same without root: a limit on file size makes real writes fail half-way."""
    FileStore(str(root), create=True)
    program = (
        "import resource, sys\nfrom holdfast.errors import StoreUnavailableError\n"
        "from holdfast.store.file import FileStore\nstore = FileStore(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "appender = store.appender('log', 0)\nappender.append(b'x' * 60_000)\n"
        "for attempt in (lambda: store.put('a', bytes(100_001)), lambda: appender.append(b'y' * 60_000)):\n"
        "    try:\n        attempt()\n    except StoreUnavailableError as error:\n        print(error.code.number)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["-9082", "-9082"]
    store = FileStore(str(root))
    assert [(found.name, found.size_bytes) for found in store.list()] == [("log", 60_000)]
    assert everything(root / TEMPORARY_FOLDER) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_folder_of_another_user_is_told_as_forbidden(root: Path) -> None:
    store = FileStore(str(root), create=True)
    store.put("f/a", b"1")
    for folder in (root, *root.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)
    program = (
        "import os, sys\nfrom holdfast.errors import StoreUnavailableError\n"
        "from holdfast.store.file import FileStore\nos.setgid(65534)\nos.setuid(65534)\nstore = FileStore(sys.argv[1])\n"
        "for attempt in (lambda: store.put('b', b''), lambda: store.get('f/a'), lambda: list(store.list())):\n"
        "    try:\n        attempt()\n    except StoreUnavailableError as error:\n        print(error.code.number)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode and "Permission" in done.stderr:
        pytest.skip("the test directory itself is closed to other users")
    assert done.stdout.split() == ["-9071"] * 3


# --- crashes

CRASHER = """
import sys
from holdfast.store.file import FileStore
store = FileStore(sys.argv[1])
number = int(sys.argv[2])
def content(value, size): return b"%020d" % value * (size // 20)
print("ready", flush=True)
appender = store.appender("log", store.stat("log") or 0)
while True:
    number += 1
    store.put("f/replaced", content(number, 40_000))
    with store.writer(f"data/{number:09d}") as writer:
        for part in range(5):
            writer.write(content(number, 100_000))
        writer.commit()
    store.put_new(f"new/{number:09d}", content(number, 2_000))
    appender.append(content(number, 3_000))
    print(number, appender.size_bytes, flush=True)
    if number % 3 == 0:
        store.delete_tree("data")
"""


@pytest.mark.crash
def test_after_kill_at_any_moment_what_is_visible_is_whole(store: FileStore, root: Path) -> None:
    """A child puts, writes, appends and deletes until it is killed; then everything visible is looked at."""
    number, promised, chance = 0, 0, Random(7)
    for turn in range(25):
        child = subprocess.Popen(
            [sys.executable, "-c", CRASHER, str(root), str(number)], env=environment(), stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        try:
            # The moment is spread over the child's steps: behind one of its first rounds, then up to a round's length.
            lines = [child.stdout.readline() for _ in range(turn % 4)]
            time.sleep(chance.random() * 0.03)
        finally:
            child.send_signal(signal.SIGKILL)
            said = b"".join(lines) + child.communicate()[0]
        told = [line.split() for line in said.splitlines() if line.endswith(b"0")]
        if told:
            promised = max(promised, int(told[-1][1]))
        number += 100
        assert_whole(store)
        log = store.get("log") if store.stat("log") is not None else b""
        assert len(log) >= promised, "what an append returned for is gone"
        # What lies behind the last returned append may be torn: cut it off, as a follower does.
        durable = len(log) - len(log) % 3_000
        assert durable >= promised
        store.appender("log", durable).close()
        assert all(len(set(split(log[start : start + 3_000]))) == 1 for start in range(0, durable, 3_000))
        store.sweep()
        assert everything(root / TEMPORARY_FOLDER) == []


def split(octets: bytes) -> list[bytes]:
    return [octets[start : start + 20] for start in range(0, len(octets), 20)]


def assert_whole(store: FileStore) -> None:
    sizes = {"f": 40_000, "data": 500_000, "new": 2_000}
    for found in store.list():
        folder = found.name.partition("/")[0]
        if folder in sizes:
            octets = store.get(found.name)
            assert len(octets) == sizes[folder], found
            assert len(set(split(octets))) == 1, f"{found.name} holds parts of two objects"


@pytest.mark.crash
def test_tree_killed_while_it_goes_is_gone_at_once(store: FileStore, root: Path) -> None:
    """A set whose deletion began is never seen with some of its objects missing."""
    program = (
        "import sys\nfrom holdfast.store.file import FileStore\nstore = FileStore(sys.argv[1])\n"
        "print('ready', flush=True)\nstore.delete_tree('set')\nprint('done', flush=True)"
    )
    for turn in range(8):
        for number in range(200):
            path = root / "set" / "data" / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        child = subprocess.Popen([sys.executable, "-c", program, str(root)], env=environment(), stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(turn * 0.0005)
        child.kill()
        child.communicate()
        assert len(list(store.list("set/"))) in (0, 200)
        store.delete_tree("set")
        store.sweep()
        assert store.is_empty()
