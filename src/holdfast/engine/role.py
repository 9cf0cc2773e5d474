"""Primary or standby, as an engine keeps it: one row of its meta.db.

What was measured on 1.4.0, and what follows:

- The row alone decides how an engine starts; `--role` counts only in a directory that has never been started. So a role is set
  here, in the stopped engine's meta.db, and the command line leaves it alone.
- `alter system activate standby` changes the row at once and for good: starts after it are PRIMARY, with or without `--role`.
- SHOW PARAMETERS shows `server_role_info` as it was when the engine started: never ask it. The row is the truth.
- `alter system switchover to standby`, which a tenant's root may run, leaves `PRIMARY:STANDBY:PREPARING:<scn>` and an engine that
  refuses writes, refuses to be activated (4179) and does not start again (-4023). Only setting the row helps.
"""

import sqlite3
from contextlib import closing
from enum import StrEnum

from holdfast.engine.directory import EngineDirectory
from holdfast.engine.liveness import find_engine
from holdfast.errors import ConflictError, EngineError

_SETTLED = "INVALID:NORMAL:0"
_BUSY_WAIT_SECONDS = 5.0


class EngineRole(StrEnum):
    PRIMARY = "PRIMARY"
    STANDBY = "STANDBY"


def stored_role(directory: EngineDirectory) -> EngineRole | None:
    """Return the role the engine has and will start with; None if it is between two, or could not be read.

    May be asked while the engine lives: the file is read without a lock and without making side files, so a read in the middle
    of a change can fail and says None. Unknown is an answer.
    """
    try:
        with closing(
            sqlite3.connect(f"{directory.meta_db.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as database:
            row = database.execute("select value from __all_sys_parameter where name = 'server_role_info'").fetchone()
    except (sqlite3.Error, ValueError):
        return None
    text = str(row[0]) if row else ""
    return next((role for role in EngineRole if text == _text(role)), None)


def set_role(directory: EngineDirectory, role: EngineRole) -> None:
    """Make the stopped engine of `directory` start as `role`. Repeatable, durable, leaves no side files.

    Raises ConflictError if its engine lives, EngineError if meta.db has no such row.
    """
    living = find_engine(directory)
    if living is not None:
        raise ConflictError(f"role of {directory.root} can not be set: its engine runs, process {living.pid}")
    try:
        with closing(sqlite3.connect(directory.meta_db, timeout=_BUSY_WAIT_SECONDS)) as database, database:
            # A journal left by a kill is rolled back by this very opening, as the engine itself would do.
            changed = database.execute(
                "update __all_sys_parameter set value = ? where name = 'server_role_info'", (_text(role),)
            ).rowcount
    except sqlite3.Error as error:
        raise EngineError(f"role of {directory.root} can not be set in meta.db: {error}") from error
    if changed != 1:
        raise EngineError(f"meta.db of {directory.root} has {changed} rows server_role_info, expected 1")


def stored_parameters(directory: EngineDirectory) -> dict[str, str]:
    """Return the parameters saved in meta.db by name: what an engine starts with, the command line apart.

    Same care as `stored_role`; raises EngineError if it can not be read.
    """
    try:
        with closing(
            sqlite3.connect(f"{directory.meta_db.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as database:
            return {
                str(name): str(value) for name, value in database.execute("select name, value from __all_sys_parameter")
            }
    except (sqlite3.Error, ValueError) as error:
        raise EngineError(f"meta.db of {directory.root} can not be read: {error}") from error


def _text(role: EngineRole) -> str:
    """Return active role, pending role, transition, cutover SCN: a settled one."""
    return f"{role}:{_SETTLED}"
