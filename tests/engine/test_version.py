import re
import tomllib
from pathlib import Path

import pytest

from holdfast.engine.version import (
    _RELEASES,
    WHEEL,
    Engines,
    EngineVersion,
    find_engines,
    installed,
    numbers_of,
    of_binary,
    release_of,
)
from holdfast.engine_format.layout import KNOWN_VERSIONS
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


@pytest.mark.parametrize("says", ["1.4.1.0", "1.4.0.1", "1.4.0", "1.3.0.1", "1.4.0.0-rc1", "1.4.0.0.0", "14.0.0.0"])
def test_engine_of_no_known_version_is_refused_with_what_is_known_and_how_to_get_it(tmp_path: Path, says: str) -> None:
    with pytest.raises(UnknownVersionError) as caught:
        of_binary(_engine(tmp_path, says))
    assert caught.value.message == (
        f"engine {says if says.replace('.', '').isdigit() else ascii(says)} at {tmp_path}/seekdb is not known to this build of "
        "holdfast, which knows 1.4.0.0, 1.3.0.0"
    )
    assert caught.value.hint == "pip install 'pylibseekdb>=1.4.0.post1,<1.4.1' brings a known one; or upgrade holdfast"


def test_a_known_engine_is_known_by_what_it_says_not_by_its_wheel(tmp_path: Path) -> None:
    (tmp_path / "pylibseekdb-1.4.0.post2.dist-info").mkdir()
    assert of_binary(_engine(tmp_path / "pylibseekdb", "1.4.0.0")).data_version == "1.4.0.0"


def test_the_wheels_that_are_asked_for_are_the_ones_pyproject_requires() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert [one for one in project["project"]["dependencies"] if one.startswith("pylibseekdb")] == [WHEEL]


def test_every_known_layout_has_its_habits_and_no_other_has() -> None:
    assert tuple(_RELEASES) == KNOWN_VERSIONS
    for version in KNOWN_VERSIONS:
        assert release_of(version) is _RELEASES[version]


def test_an_unknown_wheel_is_named_when_there_is_no_other_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOLDFAST_ENGINE", raising=False)
    monkeypatch.setattr("holdfast.engine.version._binary_of_wheel", lambda: _engine(tmp_path, "1.4.1.0"))
    with pytest.raises(EngineError, match=r"engine 1\.4\.1\.0 at .* is not known to this build"):
        find_engines()
    monkeypatch.setenv("HOLDFAST_ENGINES", str(_engine(tmp_path / "known", "1.4.0.0")))
    engines = find_engines()
    assert engines.data_versions == ("1.4.0.0",)
    assert "1.4.1.0" in engines.faults[0]


def test_binary_that_is_replaced_beside_a_running_server_is_asked_again(tmp_path: Path) -> None:
    version = of_binary(_engine(tmp_path, "1.4.0.0"))
    assert version.installed_binary() == tmp_path / "seekdb"
    for says, error in (("1.4.1.0", UnknownVersionError), ("1.3.0.0", EngineError)):
        (tmp_path / "seekdb").unlink()
        _engine(tmp_path, says)
        with pytest.raises(error, match=re.escape(says)):
            version.installed_binary()
    (tmp_path / "seekdb").unlink()
    with pytest.raises(EngineError, match="no engine binary"):
        version.installed_binary()
    _engine(tmp_path, "1.4.0.0")
    assert version.installed_binary() == tmp_path / "seekdb"


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
    assert [numbers_of(one) for one in ("1.4.2.0", "1.4.10.0")] == [(1, 4, 2, 0), (1, 4, 10, 0)]
    assert _made("1.3.0.0", "1.4.0.0").data_versions == ("1.4.0.0", "1.3.0.0")
    assert _made("1.3.0.0", "1.4.0.0").newest.data_version == "1.4.0.0"


def test_of_two_engines_of_one_version_the_first_counts() -> None:
    assert _made("1.4.0.0", "1.4.0.0").newest.binary == Path("/0/seekdb")


def test_no_engine_at_all_is_refused() -> None:
    with pytest.raises(EngineError, match="no engine that can be used is installed"):
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
