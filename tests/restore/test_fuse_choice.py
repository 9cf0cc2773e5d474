"""Which libfuse is taken, and that an obstacle is found by trying: each library of this machine in a process of its own."""

import os
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import pytest

from holdfast.restore import block_mount

SAY = "from holdfast.restore.block_mount import *; import sys; print(library(), '|', find_obstacle())"


def said(**environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FUSE_LIBRARY")}
    return subprocess.run(
        [sys.executable, "-c", SAY], env={**kept, **environment}, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@pytest.mark.parametrize("name", ["fuse", "fuse3"])
def test_each_libfuse_of_this_machine_serves_with_the_options_it_knows(name: str) -> None:
    if find_library(name) is None or not Path("/dev/fuse").exists():
        pytest.skip(f"lib{name} or /dev/fuse is not on this machine")
    version = "2." if name == "fuse" else "3."
    told = said(FUSE_LIBRARY_NAME=name)
    assert told.startswith(f"libfuse {version}")
    assert told.endswith("| None")


def test_libfuse_3_is_taken_where_both_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_mount, "find_library", lambda name: f"lib{name}.so")
    monkeypatch.delenv("FUSE_LIBRARY_NAME", raising=False)
    try:
        block_mount.library()
        assert os.environ["FUSE_LIBRARY_NAME"] == "fuse3"
    finally:
        os.environ.pop("FUSE_LIBRARY_NAME", None)


def test_without_any_libfuse_the_obstacle_says_so() -> None:
    if not Path("/dev/fuse").exists():
        pytest.skip("no /dev/fuse on this machine")
    assert "no libfuse" in said(FUSE_LIBRARY_NAME="nonesuch").partition("|")[2]


def test_a_mount_that_fails_is_an_obstacle_though_all_looks_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The fault seen: the library loads, the mount fails on an option, nothing was found in the way."""
    device = tmp_path / "fuse"
    device.touch()
    monkeypatch.setattr(block_mount, "_TRIED_GOOD", set())
    monkeypatch.setattr(block_mount, "serve_trial", None)
    monkeypatch.setattr(block_mount, "library", lambda: "libfuse 9.9")
    monkeypatch.setattr(block_mount.sys, "executable", "/bin/false")
    found = block_mount.find_obstacle(device)
    assert found is not None
    assert found.startswith("a mount was tried and failed (libfuse 9.9)")
