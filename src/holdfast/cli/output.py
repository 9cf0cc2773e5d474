"""What a command prints, and where: results on stdout, words about them on stderr.

With --json stdout carries JSON and nothing else. Colours and control codes go to a terminal only, and none when NO_COLOR
is set or TERM is dumb (rich sees to the colours).
"""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from holdfast.cli.document import encode
from holdfast.cli.outcome import Failure
from holdfast.cli.units import printable

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 10_000
"""Nobody reads a pipe by its width: a table in a log is never folded."""


class Output:
    """Prints for one command. `command` is its name, the first member of every JSON document."""

    def __init__(self, command: str, *, as_json: bool) -> None:
        self.command = command
        self.as_json = as_json
        self._console: Console | None = None

    @property
    def console(self) -> "Console":
        """Return rich's console on stdout."""
        if self._console is None:
            from rich.console import Console

            terminal = sys.stdout.isatty()
            self._console = Console(
                file=sys.stdout,
                force_terminal=terminal,
                width=None if terminal else _PIPE_WIDTH,
                highlight=False,
                markup=False,
                emoji=False,
                soft_wrap=not terminal,
            )
        return self._console

    @property
    def is_live(self) -> bool:
        """Return whether lines may be drawn again in place."""
        return not self.as_json and sys.stdout.isatty() and not self.console.is_dumb_terminal

    @property
    def is_ascii(self) -> bool:
        """Return whether stdout can not show the characters of a bar."""
        return "utf" not in (sys.stdout.encoding or "").lower()

    def document(self, **members: object) -> None:
        """Print one JSON document on a line of its own."""
        click.echo(encode({"command": self.command, **members}))

    def line(self, text: str = "") -> None:
        """Print a line on stdout. Not with --json."""
        click.echo(printable(text, keep_lines=True))

    def note(self, text: str) -> None:
        """Print a line on stderr."""
        click.echo(printable(text, keep_lines=True), err=True)

    def failure(self, failure: Failure) -> None:
        """Print why the command ends."""
        if self.as_json:
            self.document(exit_code=int(failure.outcome), error=failure.document())
            return
        self.note(failure.text())
        if failure.hint:
            self.note(f"hint: {failure.hint}")

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        styles: Mapping[str, str] | None = None,
    ) -> None:
        """Print a table; a column whose cells are all empty is left out. `styles`: rich's, by the text of a cell."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        kept = [place for place in range(len(columns)) if any(row[place] for row in rows)]
        table = Table(
            title=title or None,
            title_justify="left",
            box=SIMPLE_HEAD,
            pad_edge=False,
            show_edge=False,
            safe_box=self.is_ascii,
        )
        for place in kept:
            right = all(_is_figure(row[place]) for row in rows)
            table.add_column(columns[place], justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(row[place]), style=(styles or {}).get(row[place], "")) for place in kept))
        self.console.print(table)


STATE_STYLES: Mapping[str, str] = {
    **dict.fromkeys(("DOING", "NORMAL", "AVAILABLE", "SUCCESS", "COMPLETED", "ARCHIVELOG", "ACTIVE", "OK"), "green"),
    **dict.fromkeys(("INTERRUPTED", "FAILED", "BROKEN", "INCOMPLETE", "none", "CRITICAL", "DAMAGED"), "red"),
    **dict.fromkeys(("WARNING", "UNKNOWN"), "yellow"),
    **dict.fromkeys(("STOP", "SUSPEND", "STOPPING", "SUSPENDING", "CANCELED", "CANCELING", "NOARCHIVELOG"), "yellow"),
}


def _is_figure(text: str) -> bool:
    return not text or (text[0].isdigit() and text[4:5] != "-")
