"""What an engine's directory shows of itself is what a known engine writes, or it is refused by name and left as it is."""

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from engine_format.samples import golden
from engine_format.test_data_version import sealed
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import EngineProcess, EngineSettings, begin_founding
from holdfast.engine.recognition import recognise, refuse_other
from holdfast.engine.version import EngineVersion, release_of
from holdfast.engine_format.layout import layout_of
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import CorruptionError, EngineError, HoldfastError, RefusedError, UnknownVersionError

_STREAMS = {"1.4.0.0": ("log_stream", "engine"), "1.3.0.0": ("1", "engine_1.3.0")}
_KNOWN = sorted(_STREAMS)


def _made(root: Path, version: str = "1.4.0.0") -> Path:
    """Make a directory with the signs of an engine of `version`: its own first bytes, in sparse files."""
    stream, samples = _STREAMS[version]
    for folder in ("etc", f"store/redo/sys/{stream}/log", f"store/redo/sys/{stream}/meta", "store/sstable"):
        (root / folder).mkdir(parents=True)
    (root / "etc/seekdb.data_version.bin").write_bytes(golden("data_version.bin", samples))
    (root / f"store/redo/sys/{stream}/log/7").write_bytes(golden("log_block_start.bin", samples)[:8192])
    (root / "store/sstable/meta.db").write_bytes(b"SQLite format 3\0" + bytes(84))
    with (root / "store/sstable/block_file").open("wb") as file:
        file.write(golden("super_block.bin", samples))
        file.seek(2 * MACRO_BLOCK_BYTES)
        file.write(struct.pack("<iii", 24, 1, 1001) + bytes(4096))
    return root


def _directory(root: Path, version: str = "1.4.0.0") -> EngineDirectory:
    return EngineDirectory(
        root, EngineVersion(binary=Path("/bin/true"), data_version=version, release=release_of(version))
    )


def _state(root: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in root.rglob("*"))


@pytest.mark.parametrize("version", _KNOWN)
def test_directory_of_a_known_engine_is_recognised(tmp_path: Path, version: str) -> None:
    root = _made(tmp_path / "engine", version)
    assert recognise(root) is layout_of(version, "a test")
    refuse_other(_directory(root, version))


def test_directory_where_no_engine_has_written_is_nobodys(tmp_path: Path) -> None:
    assert recognise(tmp_path / "absent") is None
    directory = _directory(tmp_path / "engine")
    directory.create()  # what is made before a first start
    (directory.root / "store").mkdir()
    assert recognise(directory.root) is None


def _put(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes(data)


def _write(name: str, data: bytes, offset: int = 0) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        with (root / name).open("r+b") as file:
            file.seek(offset)
            file.write(data)

    return change


def _key_value_store(root: Path) -> None:
    """As 1.4.1 is said to: in the place of the SQLite file a store of another kind."""
    (root / "store/sstable/meta.db").unlink()
    (root / "store/sstable/meta.db").mkdir()
    (root / "store/sstable/meta.db/CURRENT").write_bytes(b"MANIFEST-000001\n")


_VERSION = "etc/seekdb.data_version.bin"
_LOG = "store/redo/sys/log_stream/log/7"
_BLOCKS = "store/sstable/block_file"
_UNKNOWN: dict[str, tuple[Callable[[Path], object], str]] = {
    "1.4.1.0": (_put(_VERSION, sealed(b"1.4.1.0 4295229696\n")), "is of engine 1.4.1.0, which this build"),
    "last number": (_put(_VERSION, sealed(b"1.4.0.1 4295229441\n")), "is of engine 1.4.0.1, which this build"),
    "other integer": (
        _put(_VERSION, sealed(b"1.4.0.0 4295229441\n")),
        "has the number 4295229441 in a record of version 2",
    ),
    "older record": (_put(_VERSION, sealed(b"1: 1.4.0.0 4295229440 0 0\n", version=1)), "in a record of version 1"),
    "newer record": (_put(_VERSION, sealed(b"1.4.0.0 4295229440\n", version=3)), "record version 3"),
    "other text": (_put(_VERSION, sealed(b"seekdb 1.4.0.0\n")), "unknown text"),
    "meta.db no SQLite": (_put("store/sstable/meta.db", b"\x89KVS" + bytes(96)), "meta.db begins with 894b5653"),
    "meta.db a folder": (_key_value_store, "it has no meta.db"),
    "no meta.db": (lambda root: (root / "store/sstable/meta.db").unlink(), "it has no meta.db"),
    "no block file": (lambda root: (root / _BLOCKS).unlink(), "it has no block_file"),
    "super block": (_write(_BLOCKS, b"\x02"), "block_file begins with 02000000fa030000"),
    "macro block": (
        _write(_BLOCKS, b"\x02", 2 * MACRO_BLOCK_BYTES + 4),
        "the first macro block begins with 18000000020000",
    ),
    "info block": (_write(_LOG, b"\2", 3), "the first log block begins with 49420002"),
    "log group": (_write(_LOG, b"\4", 4099), "the first log group begins with 47520004, expected 47520003"),
    "log folder of 1.3": (
        lambda root: (root / "store/redo/sys/log_stream").rename(root / "store/redo/sys/1"),
        "its log is in store/redo/sys/ 1, expected log_stream",
    ),
    "another log folder": (
        lambda root: (root / "store/redo/sys/\x1b2/log").mkdir(parents=True),
        r"its log is in store/redo/sys/ '\x1b2', 'log_stream', expected log_stream",
    ),
    "no log": (lambda root: shutil.rmtree(root / "store/redo"), "its log is in store/redo/sys/ nowhere"),
    "no data version": (lambda root: (root / _VERSION).unlink(), "there is no etc/seekdb.data_version.bin"),
    "garbage": (_put(_VERSION, os.urandom(51)), "data version: "),
    "empty": (_put(_VERSION, b""), "data version: 0 bytes"),
    "too long": (_put(_VERSION, sealed(b"1.4.0.0 4295229440\n") + bytes(1 << 20)), "found 4097"),
    "a pipe": (lambda root: ((root / _VERSION).unlink(), os.mkfifo(root / _VERSION)), "there is no etc/"),
    "no folder": (
        lambda root: (shutil.rmtree(root / "store"), (root / "store").write_bytes(b"x")),
        "it has no meta.db",
    ),
}


@pytest.mark.parametrize("case", _UNKNOWN)
def test_directory_of_no_known_engine_is_refused_by_name_and_left_as_it_is(tmp_path: Path, case: str) -> None:
    root = _made(tmp_path / "engine")
    change, why = _UNKNOWN[case]
    change(root)
    before = _state(root)
    with pytest.raises((UnknownVersionError, CorruptionError)) as caught:
        recognise(root)
    assert why in caught.value.message
    assert str(root) in caught.value.message
    assert caught.value.hint
    with pytest.raises((UnknownVersionError, CorruptionError, EngineError)):
        EngineProcess.launch(_directory(root), EngineSettings())
    assert _state(root) == before


def test_what_is_not_there_yet_tells_nothing(tmp_path: Path) -> None:
    """A new log block is born zero, one may be renamed away, and under a mount lies an empty file."""
    root = _made(tmp_path / "engine")
    _put(_LOG, bytes(8192))(root)
    _put(_BLOCKS, b"")(root)
    assert recognise(root) is layout_of("1.4.0.0", "a test")
    (root / _LOG).unlink()
    (root / "store/redo/sys/log_stream/log/8.tmp").touch()
    assert recognise(root) is layout_of("1.4.0.0", "a test")


def test_the_lowest_log_block_is_the_one_that_is_looked_at(tmp_path: Path) -> None:
    root = _made(tmp_path / "engine")
    _put("store/redo/sys/log_stream/log/10", b"IB\0\x02")(root)
    assert recognise(root) is layout_of("1.4.0.0", "a test")


def test_data_that_was_changed_in_place_is_refused_at_the_next_start(tmp_path: Path) -> None:
    """Also between two known engines: none upgrades in place, so it is not the directory that was there."""
    root = _made(tmp_path / "engine", "1.3.0.0")
    before = _state(root)
    with pytest.raises(RefusedError, match=r"holds data of engine 1\.3\.0\.0, not of 1\.4\.0\.0"):
        EngineProcess.launch(_directory(root, "1.4.0.0"), EngineSettings())
    assert _state(root) == before


def test_disk_that_fails_is_no_unknown_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _made(tmp_path / "engine")

    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("holdfast.engine.recognition.os.pread", fail)
    with pytest.raises(EngineError, match=r"can not be looked at: .*Input/output error"):
        recognise(root)


def test_every_byte_of_a_sign_is_looked_at(tmp_path: Path) -> None:
    """No flipped byte of any sign is read as another release's, and none ends otherwise than in a refusal by name."""
    for version in _KNOWN:
        root = _made(tmp_path / version, version)
        stream = _STREAMS[version][0]
        signs = [(_VERSION, 0, (root / _VERSION).stat().st_size), ("store/sstable/meta.db", 0, 16), (_BLOCKS, 0, 8)]
        signs += [(_BLOCKS, 2 * MACRO_BLOCK_BYTES, 12)]
        signs += [(f"store/redo/sys/{stream}/log/7", 0, 4), (f"store/redo/sys/{stream}/log/7", 4096, 4)]
        for name, offset, size in signs:
            for at in range(offset, offset + size):
                with (root / name).open("r+b") as file:
                    file.seek(at)
                    octet = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([octet ^ 0x10]))
                    file.flush()
                    with pytest.raises(HoldfastError):
                        recognise(root)
                    file.seek(at)
                    file.write(bytes([octet]))
        assert recognise(root) is layout_of(version, "a test")


def _emptied(name: str) -> Callable[[Path], None]:
    def empty(root: Path) -> None:
        shutil.rmtree(root / name)
        (root / name).mkdir(parents=True)

    return empty


_GONE: dict[str, tuple[Callable[[Path], object], str]] = {
    "all": (shutil.rmtree, "is not there"),
    "all but a mount point": (_emptied("."), "nothing in etc and store"),
    "etc": (lambda root: shutil.rmtree(root / "etc"), "nothing in etc"),
    "store": (lambda root: shutil.rmtree(root / "store"), "nothing in store"),
    "store but a mount point": (_emptied("store"), "nothing in store"),
    "log but a mount point": (_emptied(str(Path(_LOG).parent)), f"nothing in {Path(_LOG).parent}"),
    "blocks that were served": (_put(_BLOCKS, b""), "is empty, and what served its blocks is gone"),
}


@pytest.mark.parametrize("case", _GONE)
def test_what_was_there_and_is_gone_is_never_made_anew(tmp_path: Path, case: str) -> None:
    root = _made(tmp_path / "engine")
    change, why = _GONE[case]
    change(root)
    before = _state(tmp_path)
    with pytest.raises(EngineError, match=why) as caught:
        EngineProcess.start(_directory(root), EngineSettings())
    assert str(root) in caught.value.message
    assert "mount its disk" in caught.value.hint
    assert _state(tmp_path) == before


def test_nothing_is_founded_where_an_engine_has_written(tmp_path: Path) -> None:
    root = _made(tmp_path / "engine")
    before = _state(tmp_path)
    with pytest.raises(RefusedError, match="holds an engine's data already"):
        begin_founding(_directory(root))
    assert _state(tmp_path) == before
