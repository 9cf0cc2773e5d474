"""Others' files in a destination, with names that no object has, are nobody's: they hide nothing, stop nothing and are not told of."""

import os
import subprocess
from pathlib import Path

import pytest

from holdfast.errors import NotFoundError
from holdfast.store.file import FileStore

ODD = (
    b"new\nline",
    b"\x1b[2Jgone",
    b"no utf-8 \xff\xfe",
    "turned \u202e".encode(),
    b"x" * 255,
    b"tab\t",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    (folder / "backup_set_1_full").mkdir(parents=True)
    for at in (folder, folder / "backup_set_1_full"):
        for name in ODD:
            (at / os.fsdecode(name)).write_bytes(b"not ours")
    odd = folder / os.fsdecode(b"folder\n\xff")
    odd.mkdir()
    (odd / "inner").write_bytes(b"not ours")
    return folder


def test_a_listing_has_objects_alone(place: Path) -> None:
    store = FileStore(str(place))
    store.put("backup_set_1_full/manifest.json", b"{}")
    names = [item.name for item in store.list()]
    assert names == sorted(["x" * 255, "backup_set_1_full/manifest.json", "backup_set_1_full/" + "x" * 255])
    assert [item.name for item in store.list("backup_set_1_full/m")] == ["backup_set_1_full/manifest.json"]
    assert not store.is_empty()


def test_everything_listed_can_be_deleted_and_a_tree_goes_with_what_is_not(place: Path) -> None:
    store = FileStore(str(place))
    for item in list(store.list()):
        store.delete(item.name)
    assert list(store.list()) == []
    store.delete_tree("backup_set_1_full")
    assert not (place / "backup_set_1_full").exists()
    with pytest.raises(NotFoundError):
        store.get("backup_set_1_full/manifest.json")


def test_folders_without_end_use_up_nothing(tmp_path: Path) -> None:
    place = tmp_path / "backup"
    place.mkdir()
    below = os.open(place, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=below)
        deeper = os.open("d", os.O_RDONLY, dir_fd=below)
        os.close(below)
        below = deeper
    os.close(below)
    try:
        store = FileStore(str(place))
        assert list(store.list()) == []
        assert not store.is_empty(), "whoever made them is somebody"
    finally:
        # Python's own rmtree, pytest's among its users, ends in a RecursionError here.
        subprocess.run(["rm", "-rf", str(place)], check=True)
