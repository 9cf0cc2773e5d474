"""The statements of log archiving, and the followers that carry them out (skeleton)."""

from holdfast.archive.follower import Follower
from holdfast.jobs.session import Session
from holdfast.values.tenant import Tenant


class Archiving:
    """Every archived tenant's follower, and the statements that begin, rest and end rounds. Safe from any thread.

    Made with (catalog, directories, cluster_name=..., clock=..., open_store=..., parameters=...).
    """

    def set_destination(self, session: Session, tenant: Tenant, text: str) -> None:
        """LOG_ARCHIVE_DEST = `text` ('' clears it). Raises RefusedError with the codes of the manual."""
        raise NotImplementedError

    def set_state(self, session: Session, tenant: Tenant, text: str) -> None:
        """LOG_ARCHIVE_DEST_STATE = 'ENABLE' or 'DEFER'."""
        raise NotImplementedError

    def archivelog(self, session: Session, tenant_names: tuple[str, ...], *, all_tenants: bool) -> None:
        """ARCHIVELOG: switches LOG_MODE at once; the round begins on the follower's own time."""
        raise NotImplementedError

    def noarchivelog(self, session: Session, tenant_names: tuple[str, ...], *, all_tenants: bool) -> None:
        """NOARCHIVELOG: switches LOG_MODE at once; the round ends on the follower's own time."""
        raise NotImplementedError

    def resume_all(self) -> None:
        """Start a follower for every tenant whose round is not over (server start)."""
        raise NotImplementedError

    def stop_all(self, *, drain: bool = True) -> None:
        """End every follower, rounds stay as they are (server stop)."""
        raise NotImplementedError

    def follower(self, tenant_id: int) -> Follower | None:
        """Return the tenant's follower, None while its log is not being followed."""
        raise NotImplementedError

    def is_stalled(self, tenant_id: int) -> bool:
        """Return whether a Mandatory archive lost its place, so writes must wait. Never blocks."""
        raise NotImplementedError

    def drop_tenant(self, tenant_id: int) -> None:
        """Forget a tenant that is being dropped: its follower ends, the destination keeps what it has."""
        raise NotImplementedError
