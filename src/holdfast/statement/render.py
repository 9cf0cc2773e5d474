"""Commands back to text."""

from holdfast.statement.commands import Command


def render(command: Command, *, reveal: bool = False) -> str:
    """Return the canonical text. Without `reveal`, passwords and keys read `***`; with it, parse() gives `command` back."""
    raise NotImplementedError
