"""What an engine's start takes from the machine: each limit is named with its remedy, before anything is made."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast import codes
from holdfast.engine import needs
from holdfast.engine.directory import EngineDirectory
from holdfast.engine.needs import AIO_EVENTS, Host, NeedsError, find_shortages, look_at_host
from holdfast.engine.process import EngineProcess, EngineSettings, begin_founding
from holdfast.engine.version import find_engines

ENOUGH = Host(
    aio_events=AIO_EVENTS,
    aio_events_max=65_536,
    memory_bytes=needs.MEMORY_BYTES,
    disk_bytes=1 << 30,
    open_files=needs.OPEN_FILES,
    threads=needs.THREADS,
)
SHORT = [
    (replace(ENOUGH, aio_events=AIO_EVENTS - 1), "fs.aio-max-nr=162304", codes.OB_MACHINE_RESOURCE_NOT_ENOUGH),
    (replace(ENOUGH, memory_bytes=1), "memory", codes.OB_MACHINE_RESOURCE_NOT_ENOUGH),
    (replace(ENOUGH, disk_bytes=1), "--base-dir", codes.OB_SERVER_OUTOF_DISK_SPACE),
    (replace(ENOUGH, open_files=1), "LimitNOFILE", codes.OB_MACHINE_RESOURCE_NOT_ENOUGH),
    (replace(ENOUGH, threads=1), "TasksMax", codes.OB_MACHINE_RESOURCE_NOT_ENOUGH),
]


def test_a_machine_with_just_enough_and_one_that_says_nothing_are_no_obstacle() -> None:
    assert not find_shortages(ENOUGH, disk_bytes=1 << 30)
    nothing = Host(
        aio_events=None, aio_events_max=None, memory_bytes=None, disk_bytes=None, open_files=None, threads=None
    )
    assert not find_shortages(nothing, disk_bytes=1 << 40)


def test_every_limit_of_a_host_has_a_case_here() -> None:
    short = {name for host, _, _ in SHORT for name in Host.__slots__ if getattr(host, name) != getattr(ENOUGH, name)}
    assert short == set(Host.__slots__) - {"aio_events_max"}


@pytest.mark.parametrize(("host", "remedy", "code"), SHORT)
def test_each_limit_refuses_a_start_by_name_and_nothing_is_made(
    host: Host, remedy: str, code: codes.Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = replace(host, disk_bytes=4 << 30) if host.disk_bytes == ENOUGH.disk_bytes else host
    monkeypatch.setattr(needs, "look_at_host", lambda folder: host)
    directory = EngineDirectory(tmp_path / "engine", find_engines().newest)
    begin_founding(directory)
    with pytest.raises(NeedsError) as caught:
        EngineProcess.start(directory, EngineSettings())
    assert caught.value.code is code
    assert remedy in caught.value.hint
    assert not directory.root.exists()


def test_the_machine_is_asked_for_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    host = look_at_host(tmp_path / "not" / "there")
    assert host.disk_bytes
    assert host.memory_bytes
    assert host.threads
