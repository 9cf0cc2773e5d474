"""The disk that loses power (`power_cut.py`) itself: each thing that was not made durable is lost in some state, nothing else is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from power_cut import Recording


def outcomes(tmp_path: Path, work: Callable[[Path], None], *, before: Callable[[Path], None] | None = None) -> set[str]:
    """Return the folders that a cut at the end of `work` may leave, as text."""
    home = tmp_path / "home"
    home.mkdir()
    if before is not None:
        before(home)
    with Recording(home) as disk:
        work(home)
        disk.mark("end")
    return {
        ", ".join(f"{path.relative_to(state.root)}={_text(path)}" for path in sorted(state.root.rglob("*")))
        for state in disk.states(tmp_path, seed=1, limit=0)
        if state.marks
    }


def _text(path: Path) -> str:
    return (
        "folder"
        if path.is_dir()
        else path.read_bytes().rstrip(b"\0").decode() + ("~" if path.read_bytes().endswith(b"\0") else "")
    )


def _write(path: Path, text: str, *, sync: bool = False) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def test_a_file_whose_folder_was_not_synced_may_have_no_name(tmp_path: Path) -> None:
    assert outcomes(tmp_path, lambda home: _write(home / "a", "new", sync=True)) == {"", "a=new"}


def test_a_file_that_was_not_synced_may_be_empty(tmp_path: Path) -> None:
    def work(home: Path) -> None:
        _write(home / "a", "new")
        _sync(home)

    assert outcomes(tmp_path, work) == {"a=", "a=new"}


def test_a_rename_may_be_there_without_the_bytes(tmp_path: Path) -> None:
    def work(home: Path) -> None:
        _write(home / "a.new", "new")
        (home / "a.new").rename(home / "a")
        _sync(home)

    found = outcomes(tmp_path, work, before=lambda home: _write(home / "a", "old"))
    assert found >= {"a=", "a=new"}
    assert "a=old" not in found


def test_a_rename_whose_folder_was_not_synced_may_not_have_been(tmp_path: Path) -> None:
    def work(home: Path) -> None:
        _write(home / "a.new", "new", sync=True)
        (home / "a.new").rename(home / "a")

    assert outcomes(tmp_path, work, before=lambda home: _write(home / "a", "old")) >= {"a=old", "a=new"}


def test_a_removed_file_may_come_back_until_its_folder_is_synced(tmp_path: Path) -> None:
    assert outcomes(tmp_path, lambda home: (home / "a").unlink(), before=lambda home: _write(home / "a", "old")) == {
        "",
        "a=old",
    }


def test_a_removed_file_does_not_come_back_from_a_synced_folder(tmp_path: Path) -> None:
    def work(home: Path) -> None:
        (home / "a").unlink()
        _sync(home)

    assert outcomes(tmp_path, work, before=lambda home: _write(home / "a", "old")) == {""}


def test_what_is_synced_below_a_folder_without_a_name_is_lost_with_it(tmp_path: Path) -> None:
    def work(home: Path) -> None:
        (home / "f").mkdir()
        _write(home / "f" / "a", "new", sync=True)
        _sync(home / "f")

    assert outcomes(tmp_path, work) == {"", "f=folder, f/a=new"}


@pytest.mark.parametrize("synced", [False, True])
def test_appended_bytes_are_lost_until_they_are_synced(tmp_path: Path, synced: bool) -> None:
    def work(home: Path) -> None:
        descriptor = os.open(home / "a", os.O_RDWR)
        os.pwrite(descriptor, b"new", 3)
        if synced:
            os.fdatasync(descriptor)
        os.close(descriptor)
        os.mkdir(home / "other")  # something that looks at nothing but the folder

    found = {text.split(",")[0] for text in outcomes(tmp_path, work, before=lambda home: _write(home / "a", "old"))}
    assert found == ({"a=oldnew"} if synced else {"a=old", "a=old~", "a=oldnew"})


def test_the_number_of_a_removed_file_is_not_taken_for_the_next_ones(tmp_path: Path) -> None:
    def work(home: Path) -> None:
        (home / "a").unlink()
        _write(home / "b", "new")
        _sync(home)

    assert outcomes(tmp_path, work, before=lambda home: _write(home / "a", "old")) == {"b=", "b=new"}
