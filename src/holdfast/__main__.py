"""The command line."""

import logging
import sys
from pathlib import Path

import click

from holdfast import __version__
from holdfast.cli.group import VerbGroup
from holdfast.cli.outcome import EPILOG
from holdfast.config import Config


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
    "--tls-cert", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Certificate chain, PEM."
)
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its private key, PEM.")
@click.option("--allow-open-root", is_flag=True, help="Listen beyond loopback although root@sys has no password.")
@click.option("--verbose", is_flag=True, help="Log every step.")
def serve(
    base_dir: Path,
    host: str,
    port: int,
    cluster: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    allow_open_root: bool,
    verbose: bool,
) -> None:
    """Host a cluster in the foreground until SIGTERM or Ctrl-C.

    Creates it on the first start, prints `holdfast ready port=PORT` once logins are accepted, logs to stderr. Exit
    codes: 0 ended in order, 1 could not start, 2 wrong usage.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    from holdfast import daemon  # not needed for --help, and the gateway's loop is slow to import

    config = Config(
        base_dir=base_dir,
        host=host,
        port=port,
        cluster=cluster,
        tls_cert=tls_cert,
        tls_key=tls_key,
        allow_open_root=allow_open_root,
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
