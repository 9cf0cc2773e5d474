"""From one statement's text to a command."""

from holdfast.statement.commands import Command


def parse(text: str) -> Command:
    """Return the command that `text` (one statement, a trailing `;` allowed) stands for.

    Raises StatementError (1064) with MySQL's own sentence: near which text, in which line.
    """
    raise NotImplementedError
