"""The options every client command has, and the frame every one runs in: login, errors, exit code."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from holdfast.cli.connection import ACCESS_DENIED, Connection, Target
from holdfast.cli.outcome import Exit, Failure
from holdfast.cli.output import Output

_PASSWORD_BYTES_MAX = 4096


tenants_option = click.option(
    "--tenant", "-t", "tenants", multiple=True, metavar="NAME", help="A tenant; may be given several times."
)


class Frame:
    """What a command works with: the login, the printer, and the place of its answers."""

    def __init__(self, connection: Connection, output: Output) -> None:
        self.connection = connection
        self.output = output


def login_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a login and --json."""
    options = (
        click.option("--host", default="127.0.0.1", show_default=True, help="Where the server is."),
        click.option("--port", "-P", type=click.IntRange(1, 65535), default=2881, show_default=True, help="Its port."),
        click.option("--user", "-u", default="root@sys", show_default=True, help="user@tenant, as for any client."),
        click.option(
            "--password-file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="First line: the password. Else HOLDFAST_PASSWORD; else none, or a question on a terminal.",
        ),
        click.option("--ask-password", is_flag=True, help="Ask for the password."),
        click.option(
            "--tls-ca",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Use TLS and accept a server certified by this authority, PEM.",
        ),
        click.option(
            "--time-zone", default="", metavar="+HH:MM", help="Zone of times given and shown; else the server's."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/cli.md); SCNs are strings."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def client_command(function: Callable[..., int]) -> Callable[..., None]:
    """Give a command the options of a login and --json, call it with a Frame first, and end with the exit code it returns."""

    @login_options
    @functools.wraps(function)
    def run(
        *,
        host: str,
        port: int,
        user: str,
        password_file: Path | None,
        ask_password: bool,
        tls_ca: Path | None,
        time_zone: str,
        as_json: bool,
        **rest: Any,
    ) -> None:
        context = click.get_current_context()
        output = Output(_name(context), as_json=as_json)
        try:
            password = given_password(password_file, ask=ask_password)
            target = Target(
                host=host,
                port=port,
                user=user,
                password=password or "",
                tls_ca=tls_ca,
                time_zone=time_zone,
                is_patient=output.command == "sql",  # a person's own query takes as long as it takes
            )
            connection = _log_in(target, may_ask=password is None)
            try:
                outcome: int = function(Frame(connection, output), **rest)
            finally:
                connection.close()
        except Failure as failure:
            output.failure(failure)
            outcome = failure.outcome
        except KeyboardInterrupt:
            output.note("interrupted")
            outcome = Exit.INTERRUPTED
        context.exit(int(outcome))

    return run


def read_password(path: Path) -> str:
    """Return the first line of a file. Raises click.UsageError when it is no password."""
    with path.open("rb") as file:
        text = file.read(_PASSWORD_BYTES_MAX + 1)
    first = text.partition(b"\n")[0].removesuffix(b"\r")
    if not first or len(first) > _PASSWORD_BYTES_MAX:
        raise click.UsageError(f"{path} holds no password on its first line")
    try:
        return first.decode()
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is not UTF-8") from None


def needs_sys(frame: Frame, what: str) -> None:
    """Raise click.UsageError unless the login is the sys tenant's."""
    if not frame.connection.target.is_sys:
        raise click.UsageError(f"{what} is for the sys tenant: --user root@sys")


def _name(context: click.Context) -> str:
    """Return the words of the command after `holdfast`."""
    words: list[str] = []
    place: click.Context | None = context
    while place is not None and place.parent is not None:
        words.insert(0, place.info_name or "")
        place = place.parent
    return " ".join(words)


def given_password(path: Path | None, *, ask: bool) -> str | None:
    """Return the password given, None when none was."""
    from holdfast.config import client_password

    if path is not None:
        return read_password(path)
    if ask:
        return _prompt()
    return client_password()


def _prompt() -> str:
    try:
        return str(click.prompt("Password", hide_input=True, default="", show_default=False, err=True))
    except click.Abort:  # Ctrl-C, or the end of the input
        raise KeyboardInterrupt from None


def _log_in(target: Target, *, may_ask: bool) -> Connection:
    """Log in; ask for the password once if none was given, the server wants one and a person is there."""
    try:
        return Connection(target)
    except Failure as failure:
        if failure.code != ACCESS_DENIED or not (may_ask and sys.stdin.isatty() and sys.stderr.isatty()):
            raise
    from dataclasses import replace

    return Connection(replace(target, password=_prompt()))
