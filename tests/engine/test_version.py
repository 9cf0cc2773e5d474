from pathlib import Path

import pytest

from holdfast.engine.version import EngineVersion, installed, of_binary
from holdfast.errors import EngineError, UnknownVersionError


def _binary(folder: Path, says: str) -> Path:
    path = folder / "seekdb"
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    path.chmod(0o755)
    return path


def test_installed_engine_is_the_wheels_and_knows_its_layout() -> None:
    version = installed()
    assert version.binary.name == "seekdb"
    assert version.data_version == "1.4.0.0"
    assert version.log_stream == "store/redo/sys/log_stream"


def test_environment_names_another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_ENGINE", str(_binary(tmp_path, "seekdb (OceanBase seekdb 1.3.0.0)")))
    assert installed() == EngineVersion(
        binary=tmp_path / "seekdb", data_version="1.3.0.0", log_stream="store/redo/sys/1"
    )


def test_unknown_layout_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownVersionError, match=r"2\.0\.0\.0"):
        of_binary(_binary(tmp_path, "seekdb (OceanBase seekdb 2.0.0.0)"))


def test_absent_binary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no engine binary"):
        of_binary(tmp_path / "nowhere")


def test_program_that_is_no_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="names no version"):
        of_binary(_binary(tmp_path, "hello"))
