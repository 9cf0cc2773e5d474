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
from holdfast.values.held_parameters import BUILT_IN

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
    "max_syslog_file_count": "4",
}
"""An engine listens nowhere; these must not become a way to listen (or reach out) at its next start. Its own log has its bound."""
_OTHER_MEMORY = ("memory_limit", "memory_limit_percentage")
"""The one by which a release is told its memory is the server's to set; the other stays as it was built."""

PACKET_BYTES_MIN = 4 << 20
"""An INSERT of a table recovery has 1 MiB, the catalog's less; MySQL itself comes with 4 MiB."""
_SYS_CONNECTIONS_MIN = 1024
"""Each client of a tenant that asks its views has a connection with sys."""
_UNLIMITED = 0

_LEAST = {"max_allowed_packet": PACKET_BYTES_MIN}
_LEAST_IN_SYS = {
    **_LEAST,
    "max_connections": _SYS_CONNECTIONS_MIN,
    "max_user_connections": _SYS_CONNECTIONS_MIN,
}
"""Globals below which sessions of ours can not do their work. What they say of connections matters in sys only: there our users
without privileges log in, too; into the others `keeper` gets whatever they say."""
_FIXED_IN_SYS = {"init_connect": "", "read_only": "0"}
_GLOBALS = frozenset({"secure_file_priv", *_LEAST_IN_SYS, *_FIXED_IN_SYS})
"""Both are for users without SUPER. A text that fails at the login would keep every tenant's views from it; read only, even the
PREPARE of a condition is refused (1290)."""


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


def find(session: Session, settings: EngineSettings, *, is_sys: bool = False) -> tuple[Drift, ...]:
    """Return what is not as it must be, the role apart (see `is_writable`). Raises SqlError."""
    found = _drifted_globals(session, is_sys=is_sys)
    memory = release_of(facts.data_version(session)).memory_parameter
    fixed = {**_FIXED_PARAMETERS, "log_restore_source": settings.log_source}
    built_in = {*BUILT_IN, *_OTHER_MEMORY} - {memory}
    watched = (memory, "log_disk_size", *fixed, *built_in)
    marks = ", ".join(["%s"] * len(watched))
    rows = session.query(
        f"select name, value, default_value from oceanbase.V$OB_PARAMETERS where name in ({marks})", watched
    )
    values = {str(name): str(value) for name, value, _ in rows}
    fixed = {**{str(name): str(default) for name, _, default in rows if str(name) in built_in}, **fixed}
    fixed.update(settings.wallet_parameters)
    found += [_different(name, values[name], expected) for name, expected in fixed.items() if name in values]
    for name, size_bytes in (
        (memory, settings.memory_budget_bytes),
        ("log_disk_size", settings.log_disk_size_bytes),
    ):
        expected = f"{size_bytes >> 20}M"
        is_same = name in values and _size_bytes(values[name]) == (size_bytes >> 20) << 20
        found.append(None if is_same else Drift(name=name, found=values.get(name, ""), expected=expected))
    return tuple(drift for drift in found if drift is not None)


def _drifted_globals(session: Session, *, is_sys: bool) -> list[Drift | None]:
    fixed = {"secure_file_priv": SECURE_FILE_PRIV, **(_FIXED_IN_SYS if is_sys else {})}
    least = _LEAST_IN_SYS if is_sys else _LEAST
    names = (*fixed, *least)
    row = session.query(f"select {', '.join(f'@@global.{name}' for name in names)} limit 1")[0]
    values = dict(zip(names, row, strict=True))
    found = [_different(name, str(values[name]), expected) for name, expected in fixed.items()]
    for name, size in least.items():
        value = int(values[name])
        is_enough = value >= size or (name == "max_user_connections" and value == _UNLIMITED)
        found.append(None if is_enough else Drift(name=name, found=str(value), expected=str(size)))
    return found


def is_writable(session: Session) -> bool:
    """Return whether the engine takes writes now. A row lock that ends with the statement is asked for; nothing is written."""
    try:
        session.query("select user_id from oceanbase.__all_user limit 1 for update")
    except SqlError as error:
        if error.errno == _READ_ONLY:
            return False
        raise
    return True


def put_right(
    session: Session, settings: EngineSettings, process: EngineProcess | None = None, *, is_sys: bool = False
) -> tuple[str, ...]:
    """Undo what has drifted; return one sentence for each thing, () if all was well.

    A role that only a restart can mend ends `process`, if given: whoever watches it starts it again with `settings`, and
    a start enforces the role. Without `process` the sentence says that a restart is needed. Raises SqlError when the engine can
    not be asked.
    """
    changes = put_settings_right(session, settings, is_sys=is_sys)
    change = _put_role_right(session, settings.role, process)
    return (*changes, change) if change else changes


def put_settings_right(session: Session, settings: EngineSettings, *, is_sys: bool = False) -> tuple[str, ...]:
    """Undo what has drifted of parameters and globals; return one sentence for each. Raises SqlError when the engine can not be asked."""
    changes = []
    for drift in find(session, settings, is_sys=is_sys):
        what = f"{drift.name} was {drift.found!r}, must be {drift.expected!r}"
        try:
            _restore(session, drift)
        except SqlError as error:
            what += f", could not be changed: engine error {error.errno}"
        changes.append(what)
    return tuple(changes)


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
    if drift.name in _GLOBALS:
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
