"""The client commands by name: one table, from which the group lists them and brings them in when they are run."""

from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A command: where it is and what it does, in one line for `holdfast --help`."""

    name: str
    module: str
    attribute: str
    help: str


VERBS: tuple[Verb, ...] = (
    Verb(
        name="status", module="status", attribute="status", help="Tenants, archiving, backups and jobs on one screen."
    ),
    Verb(
        name="check", module="verdict", attribute="check", help="Is every tenant restorable now? For cron, monitoring."
    ),
    Verb(name="tenants", module="status", attribute="tenants", help="The tenants, their state and role."),
    Verb(name="backup", module="backup", attribute="backup", help="Back up and follow it to its end."),
    Verb(name="restore", module="restore", attribute="restore", help="Restore into a new tenant and follow it."),
    Verb(name="jobs", module="jobs", attribute="jobs", help="Jobs under way; --watch follows them with live bars."),
    Verb(name="cancel", module="jobs", attribute="cancel", help="Cancel backups, a restore, a cleanup."),
    Verb(name="archive", module="archive", attribute="archive", help="Switch log archiving on or off, and its state."),
    Verb(name="sets", module="files", attribute="sets", help="The backup sets."),
    Verb(name="pieces", module="files", attribute="pieces", help="The archived pieces of the log."),
    Verb(name="windows", module="files", attribute="windows", help="Which moments can be restored, and which can not."),
    Verb(name="sql", module="sql", attribute="sql", help="Run statements."),
)
_BY_NAME = {verb.name: verb for verb in VERBS}


class VerbGroup(click.Group):
    """A group that knows its client commands by the table and imports none of them to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_BY_NAME]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = _BY_NAME.get(cmd_name)
        if verb is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(f"holdfast.cli.{verb.module}"), verb.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, rows in (
            (
                "The server",
                [(name, command.get_short_help_str(100)) for name, command in sorted(self.commands.items())],
            ),
            ("Its clients, from any machine", [(verb.name, verb.help) for verb in VERBS]),
        ):
            with formatter.section(title):
                formatter.write_dl(rows)
