"""The only place that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one `holdfast serve`, from its command line and environment."""

    base_dir: Path
    host: str = "127.0.0.1"
    port: int = 2881
    cluster: str = "holdfast"
    default_tenant: str = "sys"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_open_root: bool = False
    # Values of parameters of sys that are recorded at the start, by name.
    places: Mapping[str, int] = field(default_factory=dict)
    knows_client_addresses: bool = False
    """Whether engines are started so that they know their clients' addresses, where the machine allows it."""
    destination_roots: tuple[str, ...] = ()
    forgotten_tables: tuple[str, ...] = ()
    """Tables of the catalog that are gone and may be made again, empty."""


def engine_binary_override() -> Path | None:
    """Return the engine binary named by HOLDFAST_ENGINE, or None for the one the wheel ships."""
    named = os.environ.get("HOLDFAST_ENGINE")
    return Path(named) if named else None


def fuse_device() -> Path:
    """Return the device through which block files are served: HOLDFAST_FUSE_DEVICE, or the system's."""
    return Path(os.environ.get("HOLDFAST_FUSE_DEVICE", "/dev/fuse"))


def client_password() -> str | None:
    """Return the password of HOLDFAST_PASSWORD for the client commands, or None. Never the place for it: a command line."""
    return os.environ.get("HOLDFAST_PASSWORD")


def engine_places() -> tuple[Path, ...]:
    """Return the further engines named by HOLDFAST_ENGINES: files `seekdb`, or folders that hold one, separated by `:`."""
    named = os.environ.get("HOLDFAST_ENGINES", "")
    return tuple(Path(place).absolute() for place in named.split(os.pathsep) if place)


def key_of_environment(name: str) -> bytes | None:
    """Return what `backup_encryption = 'env:<name>'` names, None when the server was started without it."""
    value = os.environb.get(os.fsencode(name))
    return value or None
