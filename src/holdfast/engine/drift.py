"""What a tenant's root may change and must not keep changed: found and put right.

The gateway refuses these statements where it sees them; they can hide in PREPARE and procedures. Nothing here is the fence (that
is the kernel's): this keeps a tenant reachable, bounded and in its role.
"""

import re
from dataclasses import dataclass

from holdfast.engine import facts
from holdfast.engine.directory import FILES_DIR, EngineDirectory
from holdfast.engine.process import EngineProcess, EngineSettings
from holdfast.engine.role import EngineRole
from holdfast.engine.session import Session, SqlError
from holdfast.engine.version import release_of
from holdfast.errors import EngineError
from holdfast.values.capacity import capacity_bytes_from_text

SECURE_FILE_PRIV = f"./{FILES_DIR}"
"""Relative to the engine's directory, so it holds wherever a backup of the engine is restored to (measured: accepted, resolved)."""

_READ_ONLY = 4688
_NOT_ALLOWED_NOW = 4179
_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+", re.ASCII)

_FIXED_PARAMETERS = {
    "mysql_port": "2881",
    "rpc_port": "2882",
    "enable_rpc_service": "False",
}
"""An engine listens nowhere; these must not become a way to listen (or reach out) at its next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One setting that is not what it must be."""

    name: str
    found: str
    expected: str


def secure(session: Session, directory: EngineDirectory) -> None:
    """Confine files of SQL to `files/`. Repeatable. A standby keeps what its backup had, which is the same."""
    directory.files_dir.mkdir(mode=0o700, exist_ok=True)
    try:
        set_global(session, "secure_file_priv", SECURE_FILE_PRIV)
    except SqlError as error:
        if error.errno != _READ_ONLY:
            raise


def set_global(session: Session, name: str, value: str) -> None:
    """Set one global variable. Raises EngineError for what is no variable's name, SqlError if the engine refuses."""
    if not _NAME.fullmatch(name):
        raise EngineError(f"not a variable: {name!r}")
    # A number in quotes is refused for a numeric variable, ON and OFF are not.
    argument = int(value) if _NUMBER.fullmatch(value) else value
    session.execute(f"set global {name} = %s", (argument,))


def find(session: Session, settings: EngineSettings) -> tuple[Drift, ...]:
    """Return what is not as it must be, the role apart (see `is_writable`). Raises SqlError."""
    found = [
        _different("secure_file_priv", str(session.query("select @@global.secure_file_priv")[0][0]), SECURE_FILE_PRIV)
    ]
    memory = release_of(facts.data_version(session)).memory_parameter
    fixed = {**_FIXED_PARAMETERS, "log_restore_source": settings.log_source}
    watched = (memory, "log_disk_size", *fixed)
    marks = ", ".join(["%s"] * len(watched))
    rows = session.query(f"select name, value from oceanbase.V$OB_PARAMETERS where name in ({marks})", watched)
    values = {str(name): str(value) for name, value in rows}
    found += [_different(name, values[name], expected) for name, expected in fixed.items() if name in values]
    for name, size_bytes in (
        (memory, settings.memory_budget_bytes),
        ("log_disk_size", settings.log_disk_size_bytes),
    ):
        expected = f"{size_bytes >> 20}M"
        is_same = name in values and _size_bytes(values[name]) == (size_bytes >> 20) << 20
        found.append(None if is_same else Drift(name=name, found=values.get(name, ""), expected=expected))
    return tuple(drift for drift in found if drift is not None)


def is_writable(session: Session) -> bool:
    """Return whether the engine takes writes now. A row lock that ends with the statement is asked for; nothing is written."""
    try:
        session.query("select user_id from oceanbase.__all_user limit 1 for update")
    except SqlError as error:
        if error.errno == _READ_ONLY:
            return False
        raise
    return True


def put_right(session: Session, settings: EngineSettings, process: EngineProcess | None = None) -> tuple[str, ...]:
    """Undo what has drifted; return one sentence for each thing, () if all was well.

    A role that only a restart can mend ends `process`, if given: whoever watches it starts it again with `settings`, and
    a start enforces the role. Without `process` the sentence says that a restart is needed. Raises SqlError when the engine can
    not be asked.
    """
    changes = []
    for drift in find(session, settings):
        what = f"{drift.name} was {drift.found!r}, must be {drift.expected!r}"
        try:
            _restore(session, drift)
        except SqlError as error:
            what += f", could not be changed: engine error {error.errno}"
        changes.append(what)
    change = _put_role_right(session, settings.role, process)
    return (*changes, change) if change else tuple(changes)


def _put_role_right(session: Session, role: EngineRole | None, process: EngineProcess | None) -> str:
    if role is None or is_writable(session) == (role is EngineRole.PRIMARY):
        return ""
    if role is EngineRole.PRIMARY and not release_of(facts.data_version(session)).is_activated_by_restart:
        # Also the end of an activation that a dead server had noted and not carried out.
        try:
            session.execute("alter system activate standby")
            return "engine was a standby, is activated"
        except SqlError as error:
            if error.errno != _NOT_ALLOWED_NOW:
                raise
    if process is None:
        return f"engine is not {role}, only a restart mends that"
    process.stop()
    return f"engine was not {role}, stopped so that it starts as one"


def _restore(session: Session, drift: Drift) -> None:
    if drift.name == "secure_file_priv":
        set_global(session, drift.name, drift.expected)
    else:
        session.execute(f"alter system set {drift.name} = %s", (drift.expected,))


def _different(name: str, found: str, expected: str) -> Drift | None:
    return None if found.lower() == expected.lower() else Drift(name=name, found=found, expected=expected)


def _size_bytes(text: str) -> int:
    try:
        return capacity_bytes_from_text(text)
    except ValueError:
        return -1
