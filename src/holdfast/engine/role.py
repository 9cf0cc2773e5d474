"""What a stopped engine keeps in its meta.db: its parameters, and among them its role, primary or standby.

Which row, and what stands behind the role in it, depends on the release (`Release.role_parameter`, `role_suffix`).
What was measured on 1.4.0, and what follows:

- The row alone decides how an engine starts; `--role` counts only in a directory that has never been started. So a role is set
  here, in the stopped engine's meta.db, and the command line leaves it alone.
- `alter system activate standby` changes the row at once and for good: starts after it are PRIMARY, with or without `--role`.
- SHOW PARAMETERS shows `server_role_info` as it was when the engine started: never ask it. The row is the truth.
- `alter system switchover to standby`, which a tenant's root may run, leaves `PRIMARY:STANDBY:PREPARING:<scn>` and an engine that
  refuses writes, refuses to be activated (4179) and does not start again (-4023). Only setting the row helps.

On 1.3.0 the row decides as well, but a standby made of a backup can not be activated by SQL (`Release.is_activated_by_restart`).
"""

import sqlite3
import tempfile
from collections.abc import Collection, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.liveness import find_engine
from holdfast.errors import ConflictError, EngineError

_BUSY_WAIT_SECONDS = 5.0
_COPY_TRIES = 5
"""meta.db is 150 kB and changes rarely: one undisturbed double read is nearly certain."""


class EngineRole(StrEnum):
    PRIMARY = "PRIMARY"
    STANDBY = "STANDBY"


def stored_role(directory: EngineDirectory) -> EngineRole | None:
    """Return the role the engine has and will start with; None if it is between two, or could not be read.

    May be asked while the engine lives. Unknown is an answer.
    """
    try:
        text = stored_parameters(directory).get(directory.version.release.role_parameter, "")
    except EngineError:
        return None
    return next((role for role in EngineRole if text == _text(directory, role)), None)


def set_role(directory: EngineDirectory, role: EngineRole) -> None:
    """Make the stopped engine of `directory` start as `role`. Repeatable, durable, leaves no side files.

    Raises ConflictError if its engine lives, EngineError if meta.db has no such row.
    """
    name = directory.version.release.role_parameter
    changed = _change(
        directory, "update __all_sys_parameter set value = ? where name = ?", (_text(directory, role), name)
    )
    if changed != 1:
        raise EngineError(f"meta.db of {directory.root} has {changed} rows {name}, expected 1")


def forget_parameters(directory: EngineDirectory, names: Collection[str]) -> None:
    """Make the stopped engine of `directory` start with its defaults for these, the command line apart.

    Repeatable, durable, leaves no side files. Raises ConflictError if its engine lives, EngineError.
    """
    marks = ", ".join("?" * len(names))
    _change(directory, f"delete from __all_sys_parameter where name in ({marks})", tuple(names))


def _change(directory: EngineDirectory, text: str, arguments: Sequence[str]) -> int:
    """Change rows of the stopped engine's parameters; return how many."""
    living = find_engine(directory)
    if living is not None:
        raise ConflictError(f"meta.db of {directory.root} can not be changed: its engine runs, process {living.pid}")
    try:
        with closing(sqlite3.connect(directory.meta_db, timeout=_BUSY_WAIT_SECONDS)) as database, database:
            # A journal left by a kill is taken in by this very opening, as by the engine's; closing removes it.
            return database.execute(text, arguments).rowcount
    except sqlite3.Error as error:
        raise EngineError(f"meta.db of {directory.root} can not be changed: {error}") from error


def stored_parameters(directory: EngineDirectory) -> dict[str, str]:
    """Return the parameters saved in meta.db by name: what an engine starts with, the command line apart.

    May be asked while the engine lives: a copy is read, so nothing is locked and no side file is made. Raises EngineError if
    it can not be read, or changed while it was copied in each of several tries.
    """
    if not directory.meta_db.exists():
        raise EngineError(f"no meta.db in {directory.root}", hint="the engine was never started")
    for _ in range(_COPY_TRIES):
        with tempfile.TemporaryDirectory() as folder:
            if _copy_meta_db(directory.meta_db, Path(folder) / "meta.db"):
                try:
                    with closing(sqlite3.connect(Path(folder) / "meta.db")) as database:
                        rows = database.execute("select name, value from __all_sys_parameter").fetchall()
                except sqlite3.Error as error:
                    raise EngineError(f"meta.db of {directory.root} can not be read: {error}") from error
                return {str(name): str(value) for name, value in rows}
    raise EngineError(f"meta.db of {directory.root} changed during each of {_COPY_TRIES} reads")


def _copy_meta_db(source: Path, target: Path) -> bool:
    """Copy meta.db and its journals; return whether none of them changed meanwhile.

    The newest changes may be in `-wal` alone: a killed engine leaves one, and without it an older role would be read.
    """
    beside = [source.with_name(source.name + suffix) for suffix in ("-wal", "-journal", "")]
    before = [_read(path) for path in beside]
    if before != [_read(path) for path in beside]:
        return False
    for path, data in zip(beside, before, strict=True):
        if data is not None:
            target.with_name(target.name + path.name.removeprefix(source.name)).write_bytes(data)
    return before[-1] is not None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _text(directory: EngineDirectory, role: EngineRole) -> str:
    """Return the row of a settled role; in 1.4: active role, pending role, transition, cutover SCN."""
    return f"{role}{directory.version.release.role_suffix}"
