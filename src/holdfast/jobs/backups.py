"""Statements and workers of backups (skeleton; see the methods' contracts)."""

from collections.abc import Callable

from holdfast.catalog.catalog import Catalog
from holdfast.clock import Clock
from holdfast.jobs.archiving import Archiving
from holdfast.jobs.directories import ClusterDirectory
from holdfast.jobs.reply import Reply
from holdfast.jobs.session import Session
from holdfast.statement.commands import Backup, CancelBackup
from holdfast.store.store import Store
from holdfast.values.destination import Uri
from holdfast.values.tenant import Tenant


class Backups:
    """Backups of all tenants: two at once, one per tenant. Every method is safe from any thread."""

    def __init__(
        self,
        catalog: Catalog,
        archiving: Archiving,
        directories: ClusterDirectory,
        clock: Clock,
        *,
        cluster_name: str,
        open_store: Callable[[Uri], Store],
    ) -> None: ...

    def backup(self, session: Session, command: Backup) -> Reply:
        """BACKUP DATABASE and BACKUP TENANT: check, record the jobs, wake the workers, return."""
        raise NotImplementedError

    def cancel(self, session: Session, command: CancelBackup) -> Reply:
        """CANCEL BACKUP."""
        raise NotImplementedError

    def set_destination(self, session: Session, tenant: Tenant, text: str) -> Reply:
        """SET DATA_BACKUP_DEST; an empty text clears it."""
        raise NotImplementedError

    def resume_all(self) -> None:
        """Take up the jobs a dead server left. Called once, when tenants' engines and archiving run again."""
        raise NotImplementedError

    def stop_all(self) -> None:
        """End the workers between two blocks; their jobs stay as they are and are taken up by the next server."""
        raise NotImplementedError

    def drop_tenant(self, tenant_id: int) -> None:
        """End the tenant's jobs as FAILED; returns when its worker is out of its files."""
        raise NotImplementedError
