"""What Holdfast remembers of one connection. All of it dies with the connection."""

from dataclasses import dataclass, field
from datetime import UTC, timezone

from holdfast import codes
from holdfast.errors import refuse
from holdfast.keys.password import BackupPassword, Passwords
from holdfast.statement.commands import Until, UntilScn
from holdfast.values.destination import Uri
from holdfast.values.grants import NOTHING, Grants
from holdfast.values.scn import Scn, scn_from_timestamp
from holdfast.values.tenant import Tenant


@dataclass(slots=True, kw_only=True)
class Session:
    """One client connection, as the desk sees it; the gateway fills and keeps it.

    `grants` and `time_zone` are read from the engine on the client's own connection before each statement of
    ours, so the engine's grants decide and a SET time_zone counts. `encryption`: of the sets its backups make, until it ends;
    `decryption`: of the sets its restores read. `restore_sources`: what ADD RESTORE SOURCE gathered for its next restore;
    `preview`: paths, moment and key source of its last RESTORE ... PREVIEW.
    """

    tenant: Tenant
    user: str
    client_id: int
    grants: Grants = NOTHING
    time_zone: timezone = UTC
    database: str = ""
    encryption: BackupPassword | None = field(default=None, repr=False)
    decryption: Passwords | None = field(default=None, repr=False)
    restore_sources: tuple[Uri, ...] = field(default=(), repr=False)
    preview: tuple[tuple[Uri, ...], Scn, str | None] | None = field(default=None, repr=False)


def target_of(until: Until | None, session: Session) -> Scn | None:
    """Return the moment UNTIL means in this session, None without UNTIL. Refused: 1210 a bad SCN, 1525 a bad timestamp."""
    if until is None:
        return None
    if isinstance(until, UntilScn):
        if until.scn <= 0:
            raise refuse(codes.OB_INVALID_ARGUMENT, "until scn, it should be positive integer")
        return Scn(until.scn)
    try:
        return scn_from_timestamp(until.text, session.time_zone)
    except ValueError as error:
        raise refuse(codes.OB_ERR_WRONG_VALUE, "TIMESTAMP", until.text, hint="write YYYY-MM-DD HH:MM:SS[.f]") from error
