from pathlib import Path

import pytest

from holdfast.engine.version import Engines, EngineVersion, find_engines, installed, of_binary, release_of
from holdfast.errors import EngineError, UnknownVersionError


def _binary(folder: Path, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "seekdb"
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    path.chmod(0o755)
    return path


def _engine(folder: Path, version: str) -> Path:
    return _binary(folder, f"seekdb (OceanBase seekdb {version})")


def test_installed_engine_is_the_wheels_and_knows_its_layout() -> None:
    version = installed()
    assert version.program_name == "seekdb"
    assert version.data_version == "1.4.0.0"
    assert version.log_stream == "store/redo/sys/log_stream"


def test_environment_names_another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_ENGINE", str(_engine(tmp_path, "1.3.0.0")))
    assert installed() == EngineVersion(
        binary=tmp_path / "seekdb", data_version="1.3.0.0", release=release_of("1.3.0.0")
    )
    assert installed().log_stream == "store/redo/sys/1"


def test_unknown_layout_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownVersionError, match=r"2\.0\.0\.0"):
        of_binary(_engine(tmp_path, "2.0.0.0"))


def test_absent_binary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no engine binary"):
        of_binary(tmp_path / "nowhere")


def test_program_that_is_no_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="names no version"):
        of_binary(_binary(tmp_path, "hello"))


@pytest.mark.parametrize("below", ["", "pylibseekdb", "lib/python3.12/site-packages/pylibseekdb"])
def test_named_folder_is_a_package_a_target_or_an_environment(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = _engine(tmp_path / below, "1.3.0.0")
    monkeypatch.setenv("HOLDFAST_ENGINES", str(tmp_path))
    engines = find_engines()
    assert engines.faults == ()
    assert engines.data_versions == ("1.4.0.0", "1.3.0.0")
    assert engines.of("1.3.0.0").binary == binary


def test_named_place_without_a_usable_engine_is_told_and_the_others_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, future, empty = _engine(tmp_path / "good", "1.3.0.0"), _engine(tmp_path / "future", "2.0.0.0"), tmp_path / "e"
    empty.mkdir()
    monkeypatch.setenv("HOLDFAST_ENGINES", f"{future}:{good}::{empty}:{tmp_path}/absent")
    engines = find_engines()
    assert engines.data_versions == ("1.4.0.0", "1.3.0.0")
    assert len(engines.faults) == 3
    assert "2.0.0.0" in engines.faults[0]
    assert "no engine in" in engines.faults[1]
    assert "absent" in engines.faults[2]


def test_engine_that_replaces_the_wheels_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_ENGINE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("HOLDFAST_ENGINES", str(_engine(tmp_path, "1.3.0.0")))
    with pytest.raises(EngineError, match="no engine binary"):
        find_engines()


def _made(*versions: str) -> Engines:
    return Engines(
        tuple(
            EngineVersion(binary=Path(f"/{number}/seekdb"), data_version=version, release=release_of(version))
            for number, version in enumerate(versions)
        )
    )


def test_newest_engine_is_found_by_number_not_by_text_or_place() -> None:
    assert _made("1.4.2.0", "1.4.10.0", "1.3.0.0").data_versions == ("1.4.10.0", "1.4.2.0", "1.3.0.0")
    assert _made("1.3.0.0", "1.4.0.0").newest.data_version == "1.4.0.0"


def test_of_two_engines_of_one_version_the_first_counts() -> None:
    assert _made("1.4.0.0", "1.4.0.0").newest.binary == Path("/0/seekdb")


def test_no_engine_at_all_is_refused() -> None:
    with pytest.raises(EngineError, match="no engine is installed"):
        _made()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.3.0", "1.3.0.0"),
        ("1.3.0.0", "1.3.0.0"),
        ("1.4.0", "1.4.0.0"),
        ("1.3", None),
        ("1.3.1", None),
        ("1.3.0.", None),
        ("v1.3.0", None),
        ("", None),
        ("1.3.0.0.0", None),
        ("01.3.0", None),
    ],
)
def test_person_names_an_engine_by_three_or_four_numbers(text: str, found: str | None) -> None:
    version = _made("1.4.0.0", "1.3.0.0").named(text)
    assert (version.data_version if version else None) == found


def test_absent_engine_has_its_directories_and_no_program() -> None:
    absent = _made("1.4.0.0").of("1.3.0.0")
    assert (absent.binary, absent.log_stream, absent.program_name) == (None, "store/redo/sys/1", "seekdb")
    with pytest.raises(EngineError, match=r"engine 1\.3\.0\.0 is not installed") as caught:
        absent.installed_binary()
    assert caught.value.hint is not None
    assert "HOLDFAST_ENGINES" in caught.value.hint
    with pytest.raises(UnknownVersionError, match=r"1\.9\.0\.0"):
        _made("1.4.0.0").of("1.9.0.0")
