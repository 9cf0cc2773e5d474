"""What Holdfast remembers of one connection. All of it dies with the connection."""

from dataclasses import dataclass, field
from datetime import UTC, timezone

from holdfast.keys.password import BackupPassword, Passwords
from holdfast.values.destination import Uri
from holdfast.values.scn import Scn
from holdfast.values.tenant import Tenant


@dataclass(slots=True, kw_only=True)
class Session:
    """One client connection, as the desk sees it; the gateway fills and keeps it.

    `may_alter_system` and `time_zone` are read from the engine on the client's own connection before each statement of
    ours, so the engine's grants decide and a SET time_zone counts. `encryption`: of the sets its backups make, until it ends;
    `decryption`: of the sets its restores read. `restore_sources`: what ADD RESTORE SOURCE gathered for its next restore;
    `preview`: paths and moment of its last RESTORE ... PREVIEW.
    """

    tenant: Tenant
    user: str
    client_id: int
    may_alter_system: bool = False
    time_zone: timezone = UTC
    database: str = ""
    encryption: BackupPassword | None = field(default=None, repr=False)
    decryption: Passwords | None = field(default=None, repr=False)
    restore_sources: tuple[Uri, ...] = field(default=(), repr=False)
    preview: tuple[tuple[Uri, ...], Scn] | None = field(default=None, repr=False)
