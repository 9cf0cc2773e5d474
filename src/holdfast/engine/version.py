"""Which engine: binary, data version, and all that differs from release to release, as a value that flows.

An engine reads the data of its own version only (measured: 1.4.0 ends with exit 1 in a directory of 1.3.0), so a tenant, a
backup set and a running process each belong to one version for good. `Engines` says which ones this machine has.
"""

import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from holdfast.config import engine_binary_override, engine_places
from holdfast.engine_format.layout import Layout, known_text, layout_of, shown
from holdfast.errors import EngineError, HoldfastError, UnknownVersionError

WHEEL = "pylibseekdb>=1.4.0.post1,<1.4.1"
"""Which wheels bring an engine that is known: the requirement in pyproject.toml. What one really brings is asked of its program."""
_VERSION = re.compile(r"\bseekdb ([\w.+-]{1,60})\)", re.ASCII)
_VERSION_WAIT_SECONDS = 20
"""`seekdb --version` takes 0.04 s warm; a cold 139 MB binary on a busy disk takes seconds."""

_BINARY_NAME = "seekdb"
_BELOW = (_BINARY_NAME, f"pylibseekdb/{_BINARY_NAME}", f"lib/python3*/site-packages/pylibseekdb/{_BINARY_NAME}")
"""Where an engine lies in a folder that is named: the package's own, one that pip filled (`--target`), a virtual environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """How the engines of one release behave, unlike others. Source: measured on the wheels 1.4.0.post1 and 1.3.0.post5.

    What their bytes are is in `engine_format.layout`, the table that says which ones are known at all.
    `memory_parameter`: the parameter that bounds an engine's memory; the other release's is taken and without effect.
    `role_parameter`, `role_suffix`: the row of meta.db that holds the role, and what stands behind it in a settled one.
    `greets_early`: it greets on its socket, and answers logins with 8001, up to 2 s before it is ready.
    `is_activated_by_restart`: ALTER SYSTEM ACTIVATE STANDBY fails (4109, and the role then says FLASHBACK) on a standby that
    was made of a backup, because its log is that of a primary. Started as a primary it is one.
    `is_standby_writing`: a standby of such a log appends keep-alives of its own to it. They are no replay.
    `follows_source`: a standby can pull log while it runs. (1.3 writes log of its own on a standby.)
    `rolls_back_by_log`: how it logs the rollback of a transaction is known, so one can be written for it (`restore.rollback`).
    `knows_addresses`: what it does in a network namespace of its own is known (`space`).
    `holds_catalog`: the views of the sys tenant can be made in it; without that no server runs on it, but its tenants do.
    """

    memory_parameter: str
    role_parameter: str
    role_suffix: str
    greets_early: bool
    is_activated_by_restart: bool
    is_standby_writing: bool
    follows_source: bool
    rolls_back_by_log: bool
    knows_addresses: bool
    holds_catalog: bool


_RELEASES = {
    "1.4.0.0": Release(
        memory_parameter="memory_budget",
        role_parameter="server_role_info",
        role_suffix=":INVALID:NORMAL:0",
        greets_early=False,
        is_activated_by_restart=False,
        is_standby_writing=False,
        follows_source=True,
        rolls_back_by_log=True,
        knows_addresses=True,
        holds_catalog=True,
    ),
    "1.3.0.0": Release(
        memory_parameter="memory_limit",
        role_parameter="ha_info",
        role_suffix=":NORMAL",
        greets_early=True,
        is_activated_by_restart=True,
        is_standby_writing=True,
        follows_source=False,
        rolls_back_by_log=False,
        knows_addresses=False,
        holds_catalog=False,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVersion:
    """One engine: its program, its data version, and its release's habits.

    `data_version`: four numbers such as `1.4.0.0`, as `etc/seekdb.data_version.bin` begins. `binary` is None for an engine that
    is not installed: its directories are known, its living process can be adopted, and it can not be started.
    `mark`: which file the binary was when it was asked; None for one that was not.
    """

    binary: Path | None
    data_version: str
    release: Release
    mark: tuple[int, ...] | None = field(default=None, compare=False)

    @property
    def layout(self) -> Layout:
        """Return what its directories look like."""
        return layout_of(self.data_version, "a tenant")

    @property
    def log_stream(self) -> str:
        return self.layout.log_stream

    @property
    def program_name(self) -> str:
        """Return the name of the file that an engine's process runs."""
        return _BINARY_NAME if self.binary is None else self.binary.name

    @property
    def library_dirs(self) -> tuple[Path, ...]:
        """Return the folders the binary loads its own libraries from: beside it, and the wheel's `.libs`."""
        beside = self.installed_binary().parent
        return (beside, beside.with_name(beside.name + ".libs"))

    def installed_binary(self) -> Path:
        """Return the binary, which is still the one that was asked for its version.

        Raises EngineError that names the version if the engine is not installed, or if another has been put in its place since
        (a `pip install --upgrade` beside a running server); UnknownVersionError if that one is not known.
        """
        if self.binary is None:
            raise EngineError(
                f"engine {self.data_version} is not installed on this machine", hint=install_hint(self.data_version)
            )
        if self.mark is not None and _mark_of(self.binary) != self.mark:
            now = of_binary(self.binary)
            if now.data_version != self.data_version:
                raise EngineError(
                    f"{self.binary} is engine {now.data_version} now, it was {self.data_version} when the server began",
                    hint=install_hint(self.data_version),
                )
        return self.binary


def numbers_of(version: str) -> tuple[int, ...]:
    """Return a data version's numbers, which order as versions do."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def install_hint(data_version: str) -> str:
    """Return what to do to have the engine of `data_version`."""
    wheel = ".".join(data_version.split(".")[:3])
    return (
        f"pip install --no-deps --target FOLDER 'pylibseekdb=={wheel}.*', name that folder in HOLDFAST_ENGINES and start the "
        "server again"
    )


class Engines:
    """The engines of one machine, one for each data version. Immutable."""

    def __init__(self, versions: tuple[EngineVersion, ...], faults: tuple[str, ...] = ()) -> None:
        """Of two with one data version the first counts. `faults`: a sentence for each place that has no usable engine.

        Raises EngineError if there is no engine at all.
        """
        by_version: dict[str, EngineVersion] = {}
        for version in versions:
            by_version.setdefault(version.data_version, version)
        if not by_version:
            raise EngineError(
                "; ".join(("no engine that can be used is installed", *faults)),
                hint="run make setup, or name engines in HOLDFAST_ENGINES",
            )
        self._by_version = by_version
        self.faults = faults

    @property
    def installed(self) -> tuple[EngineVersion, ...]:
        """Return what can be started, newest first."""
        return tuple(sorted(self._by_version.values(), key=lambda each: numbers_of(each.data_version), reverse=True))

    @property
    def data_versions(self) -> tuple[str, ...]:
        """Return the versions of what can be started, newest first."""
        return tuple(version.data_version for version in self.installed)

    @property
    def newest(self) -> EngineVersion:
        """Return what new tenants get."""
        return self.installed[0]

    def of(self, data_version: str, of: str = "a tenant") -> EngineVersion:
        """Return the engine of exactly this version, without a binary if it is not installed. `of`: whose version it is.

        Raises UnknownVersionError for one that this build does not know.
        """
        found = self._by_version.get(data_version)
        if found is not None:
            return found
        return EngineVersion(binary=None, data_version=data_version, release=release_of(data_version, of))

    def named(self, text: str) -> EngineVersion | None:
        """Return the installed engine that a person names, as `1.3.0` or `1.3.0.0`; None if there is none."""
        wanted = numbers_of(text)
        if len(wanted) < 3 or text != ".".join(str(number) for number in wanted):
            return None
        return next((each for each in self.installed if numbers_of(each.data_version)[: len(wanted)] == wanted), None)


def find_engines() -> Engines:
    """Return the engines of this machine: HOLDFAST_ENGINE or else the wheel's, and those named by HOLDFAST_ENGINES.

    Raises EngineError if there is none, or if what HOLDFAST_ENGINE names is none. A place of HOLDFAST_ENGINES without a
    usable engine is a fault of the result: the other engines' tenants are no reason to stop.
    """
    found: list[EngineVersion] = []
    faults: list[str] = []
    try:
        found.append(installed())
    except HoldfastError as error:
        if engine_binary_override() is not None:
            raise
        faults.append(str(error))
    for place in engine_places():
        try:
            found.append(of_binary(_binary_in(place)))
        except HoldfastError as error:
            faults.append(str(error))
    return Engines(tuple(found), tuple(faults))


def installed() -> EngineVersion:
    """Return the engine named by HOLDFAST_ENGINE, or the one the wheel `pylibseekdb` brings.

    Raises EngineError if there is none, UnknownVersionError if its layout is not known.
    """
    return of_binary(engine_binary_override() or _binary_of_wheel())


def of_binary(binary: Path) -> EngineVersion:
    """Return the version of `binary` as it says itself. Same errors as `installed`."""
    if not os.access(binary, os.X_OK):
        raise EngineError(
            f"no engine binary at {binary}", hint="install pylibseekdb or set HOLDFAST_ENGINE to the file seekdb"
        )
    return _asked(binary.resolve(), _mark_of(binary))


def _mark_of(binary: Path) -> tuple[int, ...]:
    """Return what tells the file from another put in its place; nothing like a file that is there if it is gone."""
    try:
        found = binary.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@cache
def _asked(binary: Path, mark: tuple[int, ...]) -> EngineVersion:
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
    if match[1] not in _RELEASES:
        raise UnknownVersionError(
            f"engine {shown(match[1])} at {binary} is not known to this build of holdfast, which knows {known_text()}",
            hint=f"pip install '{WHEEL}' brings a known one; or upgrade holdfast",
        )
    return EngineVersion(binary=binary, data_version=match[1], release=release_of(match[1]), mark=mark)


def release_of(data_version: str, of: str = "a tenant") -> Release:
    """Return the habits of exactly this data version, whose engine may not be here.

    `of`: whose version it is. Raises UnknownVersionError (see `layout_of`).
    """
    layout_of(data_version, of)
    return _RELEASES[data_version]


def _binary_in(place: Path) -> Path:
    """Return the binary that `place` of HOLDFAST_ENGINES means: itself, or one in the folder it is."""
    if not place.is_dir():
        return place
    for pattern in _BELOW:
        for path in sorted(place.glob(pattern)):
            if path.is_file():
                return path
    raise EngineError(f"no engine in {place}", hint="name the folder that holds pylibseekdb, or the file seekdb in it")


def _binary_of_wheel() -> Path:
    """Return where the wheel put the binary, without importing the wheel (it loads a large library)."""
    spec = importlib.util.find_spec("pylibseekdb")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("no engine: the package pylibseekdb is not installed", hint="run make setup")
    return Path(spec.submodule_search_locations[0]) / _BINARY_NAME
