"""An engine of an older release, installed once into a folder below the virtual environment.

    folder = old_engine()        # 126 MB to fetch and 390 MB on disk the first time, nothing afterwards
    os.environ["HOLDFAST_ENGINES"] = str(folder)

Only the wheel's files are wanted, never its Python module: so the folder is on nobody's path, and the wheel of one Python
serves all.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

OLD_DATA_VERSION = "1.3.0.0"
_REQUIREMENTS = Path(__file__).parent / "engines" / "requirements-1.3.0.txt"
_PYTHON_OF_WHEEL = "3.11"
_INSTALL_SECONDS_MAX = 500
_UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError", "NameResolutionError")
"""What pip says when nobody answers. Any other failure (a wrong hash, no such wheel) is a failure of the test."""


@cache
def old_engine() -> Path:
    """Return the folder to be named in HOLDFAST_ENGINES. Skips the test only if the package index can not be reached."""
    home = Path(sys.prefix) / "engines"
    folder = home / _REQUIREMENTS.stem.removeprefix("requirements-")
    home.mkdir(exist_ok=True)
    # Two test runs of one environment may come here at once; a run that was killed leaves a `.new` folder and no other.
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fresh = folder.with_name(folder.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            _install(fresh)
            os.replace(fresh, folder)
    return folder


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [
        "--no-compile",
        "--only-binary",
        ":all:",
        "--python-version",
        _PYTHON_OF_WHEEL,
        "--implementation",
        "cp",
    ]
    command += ["--require-hashes", "--target", str(folder), "--requirement", str(_REQUIREMENTS)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS_MAX, check=False)
    if ran.returncode and any(word in ran.stderr for word in _UNREACHABLE):
        pytest.skip(f"the package index can not be reached, so there is no engine {OLD_DATA_VERSION} to test with")
    assert ran.returncode == 0, ran.stderr
