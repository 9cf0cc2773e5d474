"""What another start is for and with: which deaths are worth one, and the log disk that holds the log there is."""

from pathlib import Path

import pytest

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.process import LOG_DISK_BYTES_MIN, EngineSettings, _is_worth_another_start
from holdfast.engine.version import EngineVersion, release_of

_BEGUN = "INFO [server_start 3/18] begun\n"
_CRASH = "CRASH ERROR!!! IP=5636555164e5, sig=11, tid=26523, tname={thread}, trace_id=Y0-0, lbt=0x10e258f8\n"


@pytest.mark.parametrize(
    ("output", "log", "is_worth_it"),
    [
        ("", _BEGUN + "ERROR [errcode=-4023] [server_start 9/18] start fail\n", True),
        ("", "ERROR [errcode=-4023]\n" + _BEGUN + "ERROR [errcode=-4016] start fail\n", False),
        (_CRASH.format(thread="TsMgr"), _BEGUN, True),
        (_CRASH.format(thread="TsMgrWorker"), _BEGUN, False),
        (_CRASH.format(thread="T1_Occam") + "tname=TsMgr\n", _BEGUN, False),
        ("", "", False),
    ],
)
def test_start_is_tried_again_after_a_race_only(output: str, log: str, is_worth_it: bool, tmp_path: Path) -> None:
    version = EngineVersion(binary=None, data_version="1.3.0.0", release=release_of("1.3.0.0"))
    directory = EngineDirectory(tmp_path / "engine", version)
    directory.create()
    directory.output_file.write_text(output)
    directory.server_log.write_text(log)
    assert _is_worth_another_start(directory) is is_worth_it


def test_log_disk_holds_the_log_that_is_there_and_a_directory_that_is_gone_asks_for_none(tmp_path: Path) -> None:
    version = EngineVersion(binary=None, data_version="1.4.0.0", release=release_of("1.4.0.0"))
    directory = EngineDirectory(tmp_path / "engine", version)
    settings = EngineSettings()
    assert settings.fitting(directory) == settings
    directory.log_dir.mkdir(parents=True)
    for number in range(100):
        (directory.log_dir / str(number)).touch()
    (directory.log_dir / "100.tmp").touch()
    assert settings.fitting(directory).log_disk_size_bytes == 104 * (64 << 20) * 5 // 4
    assert LOG_DISK_BYTES_MIN < 104 * (64 << 20)
