"""Which engine: binary, data version and directory layout, as a value that flows."""

import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from holdfast.config import engine_binary_override
from holdfast.errors import EngineError, UnknownVersionError

_VERSION = re.compile(r"\bseekdb (\d+\.\d+\.\d+\.\d+)\)")
_VERSION_WAIT_SECONDS = 20
"""`seekdb --version` takes 0.04 s warm; a cold 139 MB binary on a busy disk takes seconds."""

_LOG_STREAM_OF = {"1.4": "store/redo/sys/log_stream", "1.3": "store/redo/sys/1"}
"""Where the log stream lies below the base directory. Source: measured on both wheels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVersion:
    """One engine binary and how it lays out a directory.

    `data_version`: four numbers such as `1.4.0.0`, as `etc/seekdb.data_version.bin` begins. `log_stream`: path of the log
    stream relative to an engine directory.
    """

    binary: Path
    data_version: str
    log_stream: str

    @property
    def library_dirs(self) -> tuple[Path, ...]:
        """Return the folders the binary loads its own libraries from: beside it, and the wheel's `.libs`."""
        beside = self.binary.parent
        return (beside, beside.with_name(beside.name + ".libs"))


def installed() -> EngineVersion:
    """Return the engine named by HOLDFAST_ENGINE, or the one the wheel `pylibseekdb` brings.

    Raises EngineError if there is none, UnknownVersionError if its layout is not known.
    """
    return of_binary(engine_binary_override() or _binary_of_wheel())


@cache
def of_binary(binary: Path) -> EngineVersion:
    """Return the version of `binary` as it says itself. Same errors as `installed`."""
    if not os.access(binary, os.X_OK):
        raise EngineError(
            f"no engine binary at {binary}", hint="install pylibseekdb or set HOLDFAST_ENGINE to the file seekdb"
        )
    binary = binary.resolve()
    try:
        said = subprocess.run(
            [binary, "--version"],
            env={"LD_LIBRARY_PATH": str(binary.parent)},
            capture_output=True,
            timeout=_VERSION_WAIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"engine binary {binary} does not run: {error}") from error
    # The binary prints its version to stderr in 1.4.0.post1; both are read so that a move does not break us.
    match = _VERSION.search((said.stdout + said.stderr).decode(errors="replace"))
    if match is None:
        raise EngineError(f"engine binary {binary} names no version, exit status {said.returncode}")
    release = ".".join(match[1].split(".")[:2])
    if release not in _LOG_STREAM_OF:
        raise UnknownVersionError(
            f"engine {match[1]} at {binary} has a directory layout this build does not know, known: "
            + ", ".join(sorted(_LOG_STREAM_OF)),
            hint="upgrade holdfast or install a known pylibseekdb",
        )
    return EngineVersion(binary=binary, data_version=match[1], log_stream=_LOG_STREAM_OF[release])


def _binary_of_wheel() -> Path:
    """Return where the wheel put the binary, without importing the wheel (it loads a large library)."""
    spec = importlib.util.find_spec("pylibseekdb")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("no engine: the package pylibseekdb is not installed", hint="run make setup")
    return Path(spec.submodule_search_locations[0]) / "seekdb"
