"""The page that says what works is complete, and true where it says "later"."""

import re
import typing
from pathlib import Path

from holdfast.catalog.views import render_markdown
from holdfast.statement import commands

DOCS = Path(__file__).parents[2] / "docs"


def _rows() -> dict[str, str]:
    text = (DOCS / "compatibility.md").read_text()
    return {match[1]: match[2] for match in re.finditer(r"^\| (\w+) \| .*? \| (\w+) \|", text, re.MULTILINE)}


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    names = {kind.__name__ for kind in typing.get_args(commands.Command)}
    assert set(_rows()) - {"Command"} == names


def test_every_state_is_one_of_the_five() -> None:
    assert set(_rows().values()) - {"State"} <= {"same", "beyond", "part", "later", "never"}


def test_the_page_of_views_is_what_the_table_says() -> None:
    assert (DOCS / "views.md").read_text().strip() == render_markdown().strip()
