"""The command line."""

import logging
import os
import sys
from pathlib import Path

import click

from holdfast import __version__
from holdfast.cli.group import VerbGroup
from holdfast.cli.outcome import EPILOG
from holdfast.config import Config
from holdfast.defects import begin_log
from holdfast.values.roots import root_from_text
from holdfast.values.tenant import is_valid_tenant_name


@click.group(
    cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=EPILOG
)
@click.version_option(__version__, prog_name="holdfast")
def main() -> None:
    """Physical backup, log archiving and point-in-time restore for seekdb, in OceanBase's own SQL.

    `holdfast serve` hosts a cluster. The other commands log in at one, here or on another machine (--host, --port, --user),
    and send the SQL any client would; the password comes from --password-file, HOLDFAST_PASSWORD or a question.
    """


@main.command()
@click.option(
    "--base-dir", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where the cluster lives."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=2881, show_default=True, help="Port; 0 picks a free one."
)
@click.option("--cluster", default="holdfast", show_default=True, help="Cluster name, as in user@tenant#cluster.")
@click.option(
    "--default-tenant",
    default="sys",
    show_default=True,
    metavar="TENANT",
    help="Where a login without @tenant leads. What is made in sys is never backed up.",
)
@click.option(
    "--tls-cert", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Certificate chain, PEM."
)
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its private key, PEM.")
@click.option(
    "--connections-max",
    type=click.IntRange(8, 65535),
    help="Connections at once, of all tenants: sets gateway_connections_max. [4096]",
)
@click.option(
    "--connections-reserved-for-sys",
    type=click.IntRange(1, 65535),
    help="Of them, kept for tenant sys: sets gateway_connections_reserved_for_sys. [32]",
)
@click.option(
    "--connections-reserved-per-tenant",
    type=click.IntRange(0, 65535),
    help="Of them, kept for each user tenant: sets gateway_connections_reserved_per_tenant. [16]",
)
@click.option(
    "--connections-per-tenant-max",
    type=click.IntRange(1, 65535),
    help="What one user tenant has at most: sets gateway_connections_per_tenant_max. [2048]",
)
@click.option(
    "--client-addresses",
    type=click.Choice(["off", "auto"]),
    default="off",
    show_default=True,
    help="auto: engines that start from now on know their clients' addresses, where this machine allows it.",
)
@click.option("--allow-open-root", is_flag=True, help="Listen beyond loopback although root@sys has no password.")
@click.option(
    "--destination-root",
    "destination_roots",
    multiple=True,
    metavar="DIR",
    help="Where user tenants may set backup and archive destinations: below DIR. May be repeated.",
)
@click.option(
    "--forget-table",
    multiple=True,
    metavar="TABLE",
    help="Start although this table of the catalog is gone: it is made again, empty. The refusal without it says what it held.",
)
@click.option("--verbose", is_flag=True, help="Log every step.")
def serve(
    base_dir: Path,
    host: str,
    port: int,
    cluster: str,
    default_tenant: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    connections_max: int | None,
    connections_reserved_for_sys: int | None,
    connections_reserved_per_tenant: int | None,
    connections_per_tenant_max: int | None,
    client_addresses: str,
    allow_open_root: bool,
    destination_roots: tuple[str, ...],
    forget_table: tuple[str, ...],
    verbose: bool,
) -> None:
    """Host a cluster in the foreground until SIGTERM or Ctrl-C.

    Creates it on the first start, prints `holdfast ready port=PORT` once logins are accepted, logs to stderr. Exit
    codes: 0 ended in order, 1 could not start, 2 wrong usage.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if default_tenant != "sys" and not is_valid_tenant_name(default_tenant):
        raise click.UsageError(f"--default-tenant: no tenant can be called {default_tenant!r}")
    try:
        roots = tuple(dict.fromkeys(root_from_text(os.path.abspath(root)) for root in destination_roots))
    except ValueError as error:
        raise click.UsageError(f"--destination-root: {error}") from None
    begin_log(sys.stderr, logging.DEBUG if verbose else logging.INFO)
    from holdfast import daemon  # not needed for --help, and the gateway's loop is slow to import

    places = {
        "gateway_connections_max": connections_max,
        "gateway_connections_reserved_for_sys": connections_reserved_for_sys,
        "gateway_connections_reserved_per_tenant": connections_reserved_per_tenant,
        "gateway_connections_per_tenant_max": connections_per_tenant_max,
    }
    config = Config(
        base_dir=base_dir,
        host=host,
        port=port,
        cluster=cluster,
        default_tenant=default_tenant,
        tls_cert=tls_cert,
        tls_key=tls_key,
        allow_open_root=allow_open_root,
        knows_client_addresses=client_addresses == "auto",
        places={name: value for name, value in places.items() if value is not None},
        destination_roots=roots,
        forgotten_tables=forget_table,
    )
    sys.exit(daemon.serve(config))


@main.command()
@click.option("--keep", is_flag=True, help="Leave the cluster and its backups on disk and say where.")
def demo(keep: bool) -> None:
    """Play the main job on a real engine in a temporary directory, and check every claim."""
    from holdfast import demo as story

    sys.exit(story.run(keep=keep))


if __name__ == "__main__":
    main()
