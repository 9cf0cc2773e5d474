"""Reads `manual.sql`: the public manual's statements with the commands they stand for."""

from decimal import Decimal
from pathlib import Path

from holdfast.statement import commands
from holdfast.statement.commands import Command
from holdfast.values.destination import DestinationKind
from holdfast.values.tenant import TenantRole

_NAMES = vars(commands) | {"Decimal": Decimal, "DestinationKind": DestinationKind, "TenantRole": TenantRole}


def manual() -> list[tuple[str, Command]]:
    """Return every statement of the file with its expected command, in order."""
    cases: list[tuple[str, Command]] = []
    statement: list[str] = []
    waiting: list[str] = []
    for line in Path(__file__).with_name("manual.sql").read_text().splitlines():
        if line.startswith("--> "):
            expected = eval(line[4:], dict(_NAMES))  # our own file
            cases += [(text, expected) for text in waiting]
            waiting = []
        elif statement or (line.strip() and not line.startswith("--")):
            statement.append(line)
            if line.rstrip().endswith(";"):
                waiting.append("\n".join(statement))
                statement = []
    assert not statement, statement
    assert not waiting, waiting
    return cases


MANUAL = manual()
