"""`holdfast sql`: statements from the command line, a file or stdin."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from holdfast.cli import grid
from holdfast.cli.connection import ResultBatch
from holdfast.cli.document import encode, value_of
from holdfast.cli.options import Frame, client_command
from holdfast.cli.outcome import EPILOG, Exit, Failure
from holdfast.cli.output import Output
from holdfast.cli.units import printable
from holdfast.clock import SystemClock


@click.command(epilog=EPILOG)
@click.option("--execute", "-e", "texts", multiple=True, metavar="SQL", help="Statements; may be given several times.")
@click.option("--vertical", "-E", is_flag=True, help="One column per line.")
@click.option("--force", "-f", is_flag=True, help="Go on after a statement that was refused.")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@client_command
def sql(frame: Frame, *, texts: tuple[str, ...], vertical: bool, force: bool, file: Path | None) -> Exit:
    """Run statements from -e, FILE, or stdin, one after the other on one login. Stops at the first that is refused.

    With --json: a line per result and batch of 1000 rows, never an array over all of them. Passwords of SET ENCRYPTION
    belong into a file, not behind -e: a command line can be read by everyone on the machine.
    """
    from holdfast.statement.split import split

    if texts and file is not None:
        raise click.UsageError("-e and FILE exclude each other")
    if not texts and file is None and sys.stdin.isatty():
        raise click.UsageError("give statements by -e, FILE or stdin")
    text = ";\n".join(texts) if texts else _read(file)
    printer = _Printer(frame.output, vertical=vertical)
    outcome = Exit.DONE
    for number, piece in enumerate(split(text), 1):
        printer.begin(number)
        try:
            for batch in frame.connection.results(piece.text):
                printer.take(batch)
            if printer.is_warned:
                printer.warnings(frame.connection.warnings())
        except Failure as failure:
            printer.refused(failure)
            outcome = failure.outcome
            if not force or failure.outcome is not Exit.REFUSED:
                return outcome
    return outcome


def _read(file: Path | None) -> str:
    raw = sys.stdin.buffer.read() if file is None or str(file) == "-" else file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the statements are not UTF-8: {error.reason} at byte {error.start}") from None


class _Printer:
    """Prints results as they come. A table's columns are as wide as its first 1000 rows ask for."""

    def __init__(self, output: Output, *, vertical: bool) -> None:
        self._output = output
        self._vertical = vertical
        self._clock = SystemClock()
        self._number = 0
        self._began = 0.0
        self._count = 0
        self._widths: tuple[int, ...] = ()
        self.is_warned = False

    def begin(self, number: int) -> None:
        self._number, self._began = number, self._clock.monotonic()
        self.is_warned = False

    def take(self, batch: ResultBatch) -> None:
        if batch.is_first:
            self._count = 0
        self.is_warned = self.is_warned or batch.warning_count > 0
        if self._output.as_json:
            self._take_json(batch)
        elif batch.columns:
            self._take_rows(batch)
        else:
            self._output.line(f"OK, {batch.affected} rows affected ({self._seconds()})")
        self._count += len(batch.rows)

    def warnings(self, warnings: list[str]) -> None:
        if self._output.as_json:
            self._output.document(statement=self._number, warnings=warnings)
            return
        for warning in warnings:
            self._output.note(warning)

    def refused(self, failure: Failure) -> None:
        if self._output.as_json:
            self._output.document(exit_code=int(failure.outcome), statement=self._number, error=failure.document())
            return
        self._output.note(f"{failure.text()}\nin statement {self._number}")
        if failure.hint:
            self._output.note(f"hint: {failure.hint}")

    def _take_json(self, batch: ResultBatch) -> None:
        rows = [[value_of(value, name) for name, value in zip(batch.columns, row, strict=True)] for row in batch.rows]
        members: dict[str, Any] = {"statement": self._number, "columns": list(batch.columns), "rows": rows}
        if not batch.columns:
            members["affected"] = batch.affected
        click.echo(encode({"command": self._output.command, **members, "more": not batch.is_last}))

    def _take_rows(self, batch: ResultBatch) -> None:
        cells = [[_cell(value) for value in row] for row in batch.rows]
        if self._vertical:
            lines = list(grid.vertical(batch.columns, cells, self._count + 1))
        else:
            lines = []
            if batch.is_first and cells:
                self._widths = grid.widths_of(batch.columns, cells)
                lines += grid.grid_head(batch.columns, self._widths)
            lines += grid.grid_rows(cells, self._widths)
            if batch.is_last and (cells or self._count):
                lines.append(grid.grid_foot(self._widths))
        if lines:
            self._output.line("\n".join(lines))
        if batch.is_last:
            total = self._count + len(cells)
            self._output.line(f"{total} {'row' if total == 1 else 'rows'} ({self._seconds()})" if total else "no rows")

    def _seconds(self) -> str:
        return f"{self._clock.monotonic() - self._began:.2f} s"


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    text = value.isoformat(" ") if isinstance(value, datetime) else str(value_of(value))
    return printable(text)
