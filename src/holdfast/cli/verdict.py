"""`holdfast check`: one verdict over all tenants, for cron and for monitoring.

It ends in time whatever hangs: login and reading are done on a thread that is left behind when the time is over, and what was not
read by then is UNKNOWN.
"""

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from holdfast.cli.connection import Connection, Target
from holdfast.cli.document import encode, value_of
from holdfast.cli.estate import Board, estate_of, moment_of, read_board
from holdfast.cli.options import given_password, login_options, tenants_option
from holdfast.cli.outcome import Exit, Failure
from holdfast.cli.units import printable
from holdfast.verdict.judge import EVERYBODY, NEVER_IGNORED, Finding, Verdict, Wish, finding, judge, summary
from holdfast.verdict.rules import BY_ID, Severity

TIMEOUT_SECONDS = 10.0
MAX_AGE = "10m"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd])?", re.ASCII)
_EPILOG = """\b
Exit codes, as monitoring plugins have them:
    0  OK: of every tenant a moment younger than --max-age can be restored now, and nothing else is found
    1  WARNING
    2  CRITICAL
    3  UNKNOWN: what decides could not be read, the server does not answer, or wrong usage"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen: the board as far as it came, and why no further."""

    board: Board
    failure: Failure | None
    missing: str


def look(target: Target, timeout_seconds: float, password: Callable[[], str] | None = None) -> Look:
    """Read the estate through a login of its own, for at most so long. `password` is asked for first: it may hang, too.

    Raises click.UsageError when there is no password.
    """
    board = Board()
    failures: list[Failure] = []
    wrong: list[click.UsageError] = []

    def read() -> None:
        try:
            connection = Connection(target if password is None else replace(target, password=password()))
            try:
                read_board(connection, board)
            finally:
                connection.close()
        except Failure as failure:
            failures.append(failure)
        except click.UsageError as error:
            wrong.append(error)
        except Exception as error:  # noqa: BLE001 - a verdict that fails is UNKNOWN, whatever broke it
            failures.append(Failure(Exit.UNREACHABLE, f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=read, name="look", daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    if wrong:
        raise wrong[0]
    seen = board.snapshot()
    if failures:
        return Look(board=seen, failure=failures[0], missing=failures[0].message)
    missing = f"no answer within {timeout_seconds:g} s"
    if thread.is_alive() and not seen.now_us:
        return Look(board=seen, failure=Failure(Exit.UNREACHABLE, missing), missing=missing)
    return Look(board=seen, failure=None, missing=missing)


def verdict_of(seen: Look, wish: Wish) -> Verdict:
    """Return the verdict over what was seen. A server that was lost on the way leaves UNKNOWN what was not read."""
    if not seen.board.now_us:
        assert seen.failure is not None
        text = seen.failure.text()
        is_refused = seen.failure.outcome is not Exit.UNREACHABLE
        remedy = seen.failure.hint or ("the server answers: do what it says, then ask again" if is_refused else "")
        found = finding("server-unreachable", text, remedy=remedy)
        return Verdict(severity=found.severity, findings=(found,), ignored=(), tenants=())
    return judge(estate_of(seen.board, missing=seen.missing), wish)


class UnknownUsageError(click.UsageError):
    """Wrong usage of a plugin: it says nothing of the tenants."""

    exit_code = int(Severity.UNKNOWN)


class PluginCommand(click.Command):
    """A command whose wrong usage and whose defects are UNKNOWN: 1 and 2 would say something of the tenants."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as error:
            raise UnknownUsageError(error.format_message(), ctx=error.ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise UnknownUsageError(error.format_message(), ctx=ctx) from error
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(int(Exit.INTERRUPTED))
        except Exception as error:  # noqa: BLE001 - a traceback ends with 1, and 1 is a warning
            try:
                click.echo(printable(f"UNKNOWN: check failed: {type(error).__name__}: {error}"))
            except OSError:
                abandon_output()
            ctx.exit(int(Severity.UNKNOWN))


def abandon_output() -> None:
    """Let what can not be printed go: Python would end with a code of its own for it."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _duration(context: click.Context, parameter: click.Parameter, text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter("write a number and s, m, h or d, as in 10m")
    return int(match[1]) * _UNITS[match[2] or "s"] * 1_000_000


def _ignored(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for text in texts:
        tenant, colon, rule = text.partition(":")
        if not tenant or (tenant == EVERYBODY and not colon):
            raise click.BadParameter(f"{text!r}: write TENANT, TENANT:RULE or *:RULE")
        if colon and rule not in BY_ID:
            raise click.BadParameter(f"there is no rule {rule!r}; there are {', '.join(BY_ID)}")
        if rule in NEVER_IGNORED:
            raise click.BadParameter(f"{rule} says that something is not known, and can not be left aside")
        found.add((tenant, rule))
    return frozenset(found)


def judging_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a verdict."""
    options = (
        click.option(
            "--max-age",
            "max_age_us",
            default=MAX_AGE,
            show_default=True,
            callback=_duration,
            metavar="AGE",
            help="How old the newest restorable moment may be: 90s, 10m, 2h, 1d.",
        ),
        click.option(
            "--ignore",
            "ignored",
            multiple=True,
            callback=_ignored,
            metavar="TENANT[:RULE]",
            help="Leave a tenant aside that is unprotected on purpose, or one rule of it; *:RULE for all tenants.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(0.1, 3600),
            default=TIMEOUT_SECONDS,
            show_default=True,
            metavar="SECONDS",
            help="What is not read by then is UNKNOWN.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command(cls=PluginCommand, epilog=_EPILOG)
@tenants_option
@judging_options
@login_options
def check(
    *,
    host: str,
    port: int,
    user: str,
    password_file: Path | None,
    ask_password: bool,
    tls_ca: Path | None,
    time_zone: str,
    as_json: bool,
    tenants: tuple[str, ...],
    max_age_us: int,
    ignored: frozenset[tuple[str, str]],
    timeout: float,
) -> None:
    """Whether each tenant's newest moment can be restored now, from what the destinations hold. For cron and monitoring.

    One line says it, then a line for each finding. It asks for no password unless told to, and ends in time whatever hangs.
    """
    asked = given_password(None, ask=True) if ask_password and password_file is None else None  # a person has time
    target = Target(host=host, port=port, user=user, password="", tls_ca=tls_ca, time_zone=time_zone)
    wish = Wish(max_age_us=max_age_us, tenants=tenants, ignored=ignored)
    seen = look(target, timeout, lambda: asked or given_password(password_file, ask=False) or "")
    verdict = verdict_of(seen, wish)
    if as_json:
        texts = [encode({"command": "check", **document(verdict, seen, wish)})]
    else:
        texts = [printable(line) for line in lines(verdict, seen.board.now_us, wish)]
    try:
        for text in texts:
            click.echo(text)
    except OSError:  # whoever reads has gone, or has no room: the code says it all the same
        abandon_output()
    click.get_current_context().exit(int(verdict.severity))


def lines(verdict: Verdict, now_us: int, wish: Wish) -> list[str]:
    """Return what a plugin prints: the summary with its figures, then every finding."""
    figures = " ".join(_figure(verdict, now_us, wish))
    first = _plain(summary(verdict, now_us))
    found = [finding_line(one) for one in verdict.findings]
    return [f"{first} | {figures}" if figures else first, *found]


def finding_line(one: Finding) -> str:
    """Return a finding as one line: how bad, whose, what, by which rule, and what to do."""
    who = f"{one.tenant}: " if one.tenant else ""
    return _plain(f"{one.severity.name} {who}{one.message} [{one.rule}] hint: {one.remedy}")


def _figure(verdict: Verdict, now_us: int, wish: Wish) -> list[str]:
    """Return the performance data: the age of each judged tenant's newest restorable moment, U where it is not known."""
    limit = wish.max_age_us // 1_000_000
    return [
        f"'{one.tenant.name}'="
        + ("U" if one.newest_us is None else f"{max(0, now_us - one.newest_us) / 1_000_000:.1f}s;;{limit};0")
        for one in verdict.tenants
        if not one.why_not
    ]


def _plain(text: str) -> str:
    return text.replace("|", "/")  # behind it stand the figures


def document(verdict: Verdict, seen: Look, wish: Wish) -> dict[str, object]:
    """Return the members of the JSON document; docs/cli.md promises them."""
    now_us = seen.board.now_us
    error = {"error": seen.failure.document()} if seen.failure is not None else {}
    return {
        "exit_code": int(verdict.severity),
        "verdict": verdict.severity.name,
        "summary": summary(verdict, now_us),
        "server_time": value_of(moment_of(now_us or None)),
        "max_age_seconds": wish.max_age_us // 1_000_000,
        "findings": [_finding(one) for one in verdict.findings],
        "ignored": [_finding(one) for one in verdict.ignored],
        "tenants": [
            {
                "tenant_id": one.tenant.tenant_id,
                "tenant": one.tenant.name,
                "judged": not one.why_not,
                "why_not": one.why_not or None,
                "verdict": one.severity.name,
                "newest_moment": value_of(moment_of(one.newest_us)),
                "newest_moment_age_seconds": None
                if one.newest_us is None
                else round(max(0, now_us - one.newest_us) / 1_000_000, 3),
            }
            for one in verdict.tenants
        ],
        **error,
    }


def _finding(one: Finding) -> dict[str, object]:
    return {
        "rule": one.rule,
        "severity": one.severity.name,
        "tenant": one.tenant or None,
        "message": one.message,
        "hint": one.remedy,
    }
