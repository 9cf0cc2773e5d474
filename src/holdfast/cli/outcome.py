"""How a command ends: its exit code and, when it did not do what was asked, why and what to do."""

from collections.abc import Iterable, Mapping
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every client command; docs/cli.md promises them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    CANCELED = 5
    NOT_ALL = 6
    INTERRUPTED = 130


EXIT_MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.FAILED: "the job failed; RESULT, COMMENT and a hint are printed",
    Exit.USAGE: "wrong usage",
    Exit.REFUSED: "the server refused the statement or the login; nothing was changed",
    Exit.UNREACHABLE: "the server can not be reached, or was lost for longer than a minute",
    Exit.CANCELED: "the job was cancelled",
    Exit.NOT_ALL: "done for some tenants only; those left out are named",
    Exit.INTERRUPTED: "Ctrl-C; a job that was begun goes on",
}

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {int(code):3d}  {meaning}" for code, meaning in EXIT_MEANINGS.items())
"""What every --help ends with. `serve` has its own codes, in its own help."""


class Failure(Exception):
    """A command that can not go on. `code` and `sqlstate` are the server's, 0 and empty when it said nothing."""

    def __init__(self, outcome: Exit, message: str, *, hint: str = "", code: int = 0, sqlstate: str = "") -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        self.hint = hint
        self.code = code
        self.sqlstate = sqlstate

    def text(self) -> str:
        """Return what a person reads: `ERROR 9040 (HY000): ...` when the server spoke, as every MySQL client has it."""
        return f"ERROR {self.code} ({self.sqlstate}): {self.message}" if self.code else self.message

    def document(self) -> dict[str, object]:
        """Return the `error` member of a JSON document."""
        return {
            "code": self.code or None,
            "sqlstate": self.sqlstate or None,
            "message": self.message,
            "hint": self.hint or None,
        }


FULL = 1040
"""The server answers, and has no place for one more connection: of all, of the tenant's, or in the tenant's engine."""

_HINTS: Mapping[int, str] = {
    FULL: "try again, or close connections: SHOW PROCESSLIST shows them. Places are kept for tenant sys: --user root@sys gets in, and"
    " raises gateway_connections_max or gateway_connections_per_tenant_max (docs/cli.md, Places for connections)",
    1045: "check --user (user@tenant) and the password: --password-file, HOLDFAST_PASSWORD or --ask-password",
    1227: "log in as root of the sys tenant: --user root@sys",
    1235: "docs/compatibility.md says what this server does",
    4072: "begin it again when it suits",
    5160: "`holdfast tenants` lists the tenants",
    9027: "`holdfast archive status` says why; begin a new round (archive off, archive on), then a full backup",
    9029: "switch archiving on and wait for DOING: `holdfast archive on --wait`",
    9036: "`holdfast jobs --watch` follows the one that runs",
    9040: "`holdfast status` shows archiving and destinations; `holdfast archive on --tenant t --to file:///path --wait` sets"
    " where the log goes, once, and switches archiving on",
    9064: "bring the log object back from a copy; else `holdfast archive off --wait`, `holdfast archive on --wait`, then `holdfast backup`",
    9071: "let the server's user write there",
    9080: "name an empty directory",
    9081: "this directory belongs to another tenant or purpose: name another",
    9082: "make room at the destination",
    9091: "`holdfast archive status` shows the round; without one, `holdfast archive on --tenant t --to file:///path` begins it",
    9092: "`holdfast archive status` shows the round",
}


def hint_of(code: int) -> str:
    """Return what to do about a server's error number or a job's RESULT (either sign); empty when nothing is known."""
    return _HINTS.get(abs(code), "")


def refuse_unknown(asked: Iterable[str], known: Iterable[str]) -> None:
    """Raise Failure if a tenant that was asked for is none of `known`: nothing to show would look like nothing there."""
    unknown = sorted(set(asked) - set(known))
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        raise Failure(Exit.REFUSED, f"unknown tenant {names}", hint=hint_of(5160))
