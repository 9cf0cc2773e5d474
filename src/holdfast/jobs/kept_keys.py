"""The keys of sealed sets that lie below the base directory, looked through once by each server before it does anything."""

import logging
from collections.abc import Iterator

from holdfast.jobs.directories import ClusterDirectory
from holdfast.keys import host_key
from holdfast.keys.keyring import Keyring
from holdfast.restore.lazy_place import LazyPlace

log = logging.getLogger("holdfast.keys")


def seal_kept_keys(directories: ClusterDirectory) -> dict[int, tuple[int, ...]]:
    """Seal what servers before the host's key left in the clear; return by tenant the sets whose keys are lost with another host key.

    They are told of. What needs them says so too, when it comes to it, and goes on where it can. Raises CorruptionError for a damaged
    host key, OSError.
    """
    lost: dict[int, tuple[int, ...]] = {}
    for tenant_id, keyring in _keyrings(directories):
        if sets := keyring.seal_all():
            lost[tenant_id] = tuple(sorted({*lost.get(tenant_id, ()), *sets}))
    for tenant_id, sets in lost.items():
        log.error(
            "tenant %d: the keys of its sealed sets %s were kept with a host key that is gone: put back %s; until then they open with"
            " a password or the tenant's key alone, and a backup on top of them may have to be full",
            tenant_id,
            ", ".join(map(str, sets)),
            host_key.path_in(directories.base),
        )
    return lost


def _keyrings(directories: ClusterDirectory) -> Iterator[tuple[int, Keyring]]:
    for folder in directories.tenants.glob("*"):
        if folder.name.isdecimal():
            yield int(folder.name), directories.keyring(int(folder.name))
            yield int(folder.name), LazyPlace(folder).keyring()
    for folder in directories.restores.glob("*.keys"):
        if folder.stem.isdecimal():
            yield int(folder.stem), directories.restore_keyring(int(folder.stem))
