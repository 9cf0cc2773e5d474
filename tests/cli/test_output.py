"""JSON values, tables of SQL, and what `--help` costs."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import click
import pytest

from holdfast.__main__ import main
from holdfast.cli import grid
from holdfast.cli.document import encode, value_of
from holdfast.cli.group import VERBS
from holdfast.cli.outcome import EXIT_MEANINGS

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MIN_RESTORE_SCN", 5, "5"),
        ("MIN_RESTORE_SCN", None, None),
        ("JOB_ID", 5, 5),
        ("c", 2**53 - 1, 2**53 - 1),
        ("c", 2**53, str(2**53)),
        ("c", -(2**63), str(-(2**63))),
        ("c", Decimal("1.50"), "1.50"),
        ("c", datetime(2026, 11, 26, 10, 0, 0), "2026-11-26 10:00:00.000000"),
        ("c", timedelta(seconds=5), "0:00:05"),
        ("c", b"text", "text"),
        ("c", b"\xff\x00", "0xff00"),
        ("c", 2.5, 2.5),
        ("c", "ä", "ä"),
    ],
)
def test_values_keep_every_digit_in_json(name: str, value: object, expected: object) -> None:
    assert json.loads(encode({"v": value_of(value, name)}))["v"] == expected


def test_a_grid_aligns_wide_and_joining_letters() -> None:
    columns, cells = ["a", "name"], [["1", "日本"], ["22", "e\u0301"]]
    widths = grid.widths_of(columns, cells)
    lines = [*grid.grid_head(columns, widths), *grid.grid_rows(cells, widths), grid.grid_foot(widths)]
    assert lines == [
        "+----+------+",
        "| a  | name |",
        "+----+------+",
        "| 1  | 日本 |",
        "| 22 | e\u0301    |",
        "+----+------+",
    ]


def test_vertical_blocks_are_numbered_on() -> None:
    assert list(grid.vertical(["id", "name"], [["1", "x"]], 1001)) == [
        f"{'*' * 27} 1001. row {'*' * 27}",
        "  id: 1",
        "name: x",
    ]


def test_help_brings_in_neither_driver_nor_renderer() -> None:
    """They take 100 ms, and completion and help need none of them."""
    code = (
        "import sys\nfrom holdfast.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'pymysql', 'rich', 'holdfast.statement', 'holdfast.daemon'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
    assert all(verb.help in " ".join(ran.stdout.split()) for verb in VERBS)


def _commands(group: click.Group, path: str) -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found: list[tuple[str, click.Command]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        whole = f"{path} {name}".strip()
        found += _commands(command, whole) if isinstance(command, click.Group) else [(whole, command)]
    return found


def test_the_page_names_every_command_option_and_exit_code() -> None:
    for path, command in _commands(main, ""):
        if path in ("serve", "demo"):
            continue
        assert f"holdfast {path}" in PAGE
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert f"`{option}" in PAGE or f" {option}" in PAGE, f"{path} {option}"
    for code, meaning in EXIT_MEANINGS.items():
        assert f"| {int(code)} | {meaning}" in PAGE


def test_no_option_takes_a_password() -> None:
    """Every user of a machine reads its process list."""
    for _, command in _commands(main, ""):
        for parameter in command.params:
            if "password" in (parameter.name or ""):
                assert isinstance(parameter.type, click.Path) or getattr(parameter, "is_flag", False)
