"""What a gateway is told when it is opened."""

from dataclasses import dataclass
from pathlib import Path

from holdfast.mysql.login import SYS_TENANT_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where to listen and how much to bear.

    `view_names`: the dictionary views a user tenant has, upper case; questions to them are answered by the sys engine.
    `sys_view_names`: those of the sys tenant that are brought up to date before they are read; there they are real.
    `own_view_names`: all of the sys tenant's that are Holdfast's, which nobody else changes.
    `tls_cert` and `tls_key`: PEM files; both or none. `port` 0 lets the system choose.
    """

    host: str = "127.0.0.1"
    port: int = 2881
    view_names: frozenset[str] = frozenset()
    sys_view_names: frozenset[str] = frozenset()
    own_view_names: frozenset[str] = frozenset()
    # Where a user name leads that names no tenant. OceanBase says sys.
    default_tenant: str = SYS_TENANT_NAME
    tls_cert: Path | None = None
    tls_key: Path | None = None
    # How long the client may keep a login waiting, all in all. Ten seconds is MySQL's own connect_timeout.
    login_seconds_max: float = 10.0
    # How long each step of ours may take then: the desk, the engine. The catalog waits as long for a connection of its own.
    login_step_seconds_max: float = 30.0
    # Logins that wait for their client: beyond this the oldest gives way. As many again may wait for us.
    unfinished_max: int = 1536
    # Blocking desk work runs on this many threads, each tenant having a few at once (`House.on_desk`): enough for some thirty tenants
    # of which each has filled its own. A thread is made when it is first needed.
    desk_threads: int = 128
    # Questions of one tenant to the sys engine that run at once, and for how long each: the engine's own ob_query_timeout, which a
    # hint in the text lifts. This clock none does.
    view_questions_at_once: int = 2
    view_seconds_max: float = 10.0
    # What all of one tenant's take together: a third of a core for whoever makes the most of it.
    view_seconds_per_minute: float = 20.0
