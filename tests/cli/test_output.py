"""JSON values, tables of SQL, and what `--help` costs."""

import inspect
import json
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import click
import pytest

from holdfast.__main__ import main
from holdfast.catalog.views import VIEWS, sys_views
from holdfast.cli import grid, reading
from holdfast.cli.connection import Connection, Target
from holdfast.cli.document import encode, value_of
from holdfast.cli.estate import SECTIONS
from holdfast.cli.group import VERBS
from holdfast.cli.job import JobKind
from holdfast.cli.outcome import EXIT_MEANINGS
from holdfast.cli.reading import Reader
from holdfast.verdict.judge import SECTIONS as JUDGED_SECTIONS
from holdfast.verdict.rules import render_markdown

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


def test_the_page_has_the_rules_of_the_verdict() -> None:
    """`python -c 'from holdfast.verdict.rules import render_markdown; print(render_markdown())'` writes the table."""
    assert render_markdown() in PAGE
    for code, name in ((0, "OK"), (1, "WARNING"), (2, "CRITICAL"), (3, "UNKNOWN")):
        assert f"| {code} | {name}" in PAGE


def test_a_verdict_reads_columns_that_are_there() -> None:
    """Every input of the judgement, held against the views: a column that is renamed would make each verdict UNKNOWN."""
    columns = {view.name: {column.name for column in view.columns} for view in sys_views()}
    for section in SECTIONS:
        asked = {*section.columns, *section.moments, *section.newest_of}
        assert asked <= columns[f"CDB_OB_{section.view}"], section.name
    assert {section.name for section in SECTIONS} | {"sys_data"} == set(JUDGED_SECTIONS)


def test_no_option_takes_a_password() -> None:
    """Every user of a machine reads its process list."""
    for _, command in _commands(main, ""):
        for parameter in command.params:
            if "password" in (parameter.name or ""):
                assert isinstance(parameter.type, click.Path) or getattr(parameter, "is_flag", False)


def test_jobs_reads_every_view_of_jobs() -> None:
    """A kind of job that `holdfast jobs` does not read would run unseen, or be seen as the restore it makes."""
    source = inspect.getsource(reading)
    wanted = [view.name for view in VIEWS if view.name.endswith(("_JOBS", "_JOB_HISTORY"))]
    assert len(wanted) >= 10
    assert [name for name in (*wanted, "RESTORE_PROGRESS", "RESTORE_HISTORY") if f'"{name}"' not in source] == []


class OneRowEach:
    """A login whose every view of jobs has one row, with whatever columns are asked for."""

    target = Target(host="", port=1, user="root@sys")

    def tenants(self) -> dict[int, str]:
        return {1: "sys", 1002: "app"}

    def view(self, name: str, where: str = "", args: object = (), *, tail: str = "") -> list[dict[str, object]]:
        columns = next(view.columns for view in VIEWS if view.name == name)
        row: dict[str, object] = {column.name: None for column in columns}
        restores = name.startswith("RESTORE_") and name != "RESTORE_DRILLS"
        row |= {"TENANT_ID": 1 if restores else 1002, "JOB_ID": 7, "STATUS": name, "NOW": None, "BACKUP_SET_ID": 3}
        if "INITIATOR_JOB_ID" in row:
            row["INITIATOR_JOB_ID"] = 7
        if restores:
            row |= {"RESTORE_TENANT_ID": 1004, "RESTORE_TENANT_NAME": "back"}
        rows = [row]
        if "VALIDATE_LEVEL" in row:
            rows = [{**row, "VALIDATE_LEVEL": "physical"}, {**row, "JOB_ID": 8, "VALIDATE_LEVEL": "restore"}]
        return rows


@pytest.mark.parametrize("what", ["active", "ended"])
def test_every_kind_of_job_is_shown_active_and_ended(what: str) -> None:
    reader = Reader(cast(Connection, OneRowEach()))
    jobs = reader.active() if what == "active" else reader.ended(10)
    assert {job.kind for job in jobs} == set(JobKind)
