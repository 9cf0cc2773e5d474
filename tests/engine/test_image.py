from pathlib import Path

import pytest

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.image import (
    prepare_restored_directory,
    read_small_file,
    restored_path,
    small_files,
    write_restored_file,
)
from holdfast.engine.version import EngineVersion, release_of
from holdfast.errors import ConflictError, CorruptionError


@pytest.fixture
def directory(tmp_path: Path) -> EngineDirectory:
    version = EngineVersion(binary=Path("/nowhere"), data_version="1.4.0.0", release=release_of("1.4.0.0"))
    return EngineDirectory(tmp_path / "engine", version)


@pytest.mark.parametrize(
    "name", ["../other", "store/../../x", "/etc/passwd", "run/sql.sock", "files/x", "log/x", "", "store/a\0b"]
)
def test_a_name_that_leaves_the_image_is_refused(directory: EngineDirectory, name: str) -> None:
    with pytest.raises(CorruptionError, match="image names a file"):
        restored_path(directory, name)


def test_small_files_come_in_the_order_of_the_protocol_and_by_number(directory: EngineDirectory) -> None:
    prepare_restored_directory(directory)
    log_meta = "store/redo/sys/log_stream/meta"
    names = [f"{log_meta}/2", f"{log_meta}/10", "etc/seekdb.data_version.bin", "store/sstable/meta.db"]
    names += ["store/slog/server/1", "store/slog/sys/9", "store/slog/sys/10"]
    for name in reversed(names):
        write_restored_file(directory, name, name.encode())
    write_restored_file(directory, f"{log_meta}/11.tmp", b"no file of an image")
    write_restored_file(directory, "store/sstable/block_file", b"nor is this one small")
    found = small_files(directory)
    assert [file.name for file in found] == names
    assert [read_small_file(file) for file in found] == [name.encode() for name in names]


def test_a_small_file_that_vanished_reads_as_none(directory: EngineDirectory) -> None:
    prepare_restored_directory(directory)
    write_restored_file(directory, "store/slog/sys/1", b"x")
    (file,) = small_files(directory)
    file.path.unlink()
    assert read_small_file(file) is None


def test_a_restore_never_writes_into_what_is_there(directory: EngineDirectory) -> None:
    prepare_restored_directory(directory)
    with pytest.raises(ConflictError, match="not empty"):
        prepare_restored_directory(directory)
