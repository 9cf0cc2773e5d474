"""Where a cluster keeps its things below its base directory."""

from dataclasses import dataclass
from pathlib import Path

from holdfast.keys import host_key
from holdfast.keys.host_key import HostKey
from holdfast.keys.keyring import Keyring
from holdfast.keys.vault import VaultFile
from holdfast.values.tenant import SYS_TENANT_ID


@dataclass(frozen=True, slots=True)
class ClusterDirectory:
    """Paths of one base directory. A tenant's directory is named by its id, so no name a user chose becomes a path.

    `engine` is all that a tenant's own process may write (the fence); spool and account lie beside it, out of its
    reach, on the same file system because the spool holds hard links of the engine's log blocks.
    """

    base: Path

    @property
    def cluster_file(self) -> Path:
        return self.base / "cluster.json"

    @property
    def server_file(self) -> Path:
        """Who the servers of this directory were, start by start."""
        return self.base / "server.json"

    @property
    def lock_file(self) -> Path:
        return self.base / "serve.lock"

    @property
    def tenants(self) -> Path:
        return self.base / "tenants"

    @property
    def restores(self) -> Path:
        return self.base / "restore"

    @property
    def trash(self) -> Path:
        """Dropped tenants are renamed into here first, so that a crash while removing leaves no half tenant."""
        return self.base / "trash"

    def tenant(self, tenant_id: int) -> Path:
        return self.base / "sys" if tenant_id == SYS_TENANT_ID else self.tenants / str(tenant_id)

    def engine(self, tenant_id: int) -> Path:
        return self.tenant(tenant_id) / "engine"

    def spool(self, tenant_id: int) -> Path:
        return self.tenant(tenant_id) / "spool"

    def account(self, tenant_id: int) -> Path:
        return self.tenant(tenant_id) / "account.json"

    def keys(self, tenant_id: int) -> Path:
        """The data keys of the tenant's encrypted sets; they go with the tenant."""
        return self.tenant(tenant_id) / "keys"

    def restore_keys(self, tenant_id: int) -> Path:
        """The data keys a restore needs, for the server that takes it up after a crash."""
        return self.restores / f"{tenant_id}.keys"

    def keyring(self, tenant_id: int) -> Keyring:
        return Keyring(self.keys(tenant_id), self._host_key(), str(tenant_id))

    def restore_keyring(self, tenant_id: int) -> Keyring:
        return Keyring(self.restore_keys(tenant_id), self._host_key(), str(tenant_id))

    def vault(self, tenant_id: int) -> VaultFile:
        return VaultFile(self.keys(tenant_id), self._host_key(), str(tenant_id))

    def restore_vault(self, tenant_id: int) -> VaultFile:
        return VaultFile(self.restore_keys(tenant_id), self._host_key(), str(tenant_id))

    def vault_in_making(self, tenant_id: int) -> VaultFile:
        """Return the vault of a tenant whose directory is still that of its restore."""
        return VaultFile(self.restore(tenant_id) / "keys", self._host_key(), str(tenant_id))

    def _host_key(self) -> HostKey:
        return HostKey(host_key.path_in(self.base))

    def restore_log(self, tenant_id: int) -> Path:
        """The log of an engine that did not start on restored files, kept when those are removed."""
        return self.restores / f"{tenant_id}.seekdb.log"

    def restore(self, tenant_id: int) -> Path:
        return self.restores / str(tenant_id)
