"""What a gateway is told when it is opened."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where to listen and how much to bear.

    `view_names`: the dictionary views a user tenant has, upper case; questions to them are answered by the sys engine.
    `sys_view_names`: those of the sys tenant, where they are real; the gateway only has them brought up to date.
    `tls_cert` and `tls_key`: PEM files; both or none. `port` 0 lets the system choose.
    """

    host: str = "127.0.0.1"
    port: int = 2881
    view_names: frozenset[str] = frozenset()
    sys_view_names: frozenset[str] = frozenset()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    # Ten seconds is MySQL's own connect_timeout.
    login_seconds_max: float = 10.0
    # A login takes milliseconds; more than this many unfinished ones are not people waiting. The oldest gives way.
    half_open_max: int = 128
    connections_max: int = 2048
    # Blocking desk work runs on this many threads; a statement that waits on an engine's start takes seconds.
    desk_threads: int = 16
