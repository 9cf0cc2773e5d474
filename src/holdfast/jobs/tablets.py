"""Which tablet a damaged macro block belongs to, asked of the tenant's running engine.

The set does not say. The engine's map is of now, so it is believed only when the engine's block of that number still begins with the
very bytes that were backed up: a write-once block that was reused differs there (see `backup_format.digest`).
"""

import os

from holdfast.backup_format.digest import HEAD_HASHED_BYTES, DataKey, head_hash
from holdfast.engine.session import SqlError
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES
from holdfast.errors import HoldfastError
from holdfast.jobs.supervisor import Supervisor

UNKNOWN = 0
_OWNERS = "select distinct tablet_id from oceanbase.__all_virtual_tablet_sstable_macro_info where macro_block_idx = %s limit 2"


class TabletFinder:
    """Safe from any thread. Reads the engine's file, never writes it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def tablet_of(self, tenant_id: int, block_id: int, expected_head_hash: bytes, key: DataKey | None) -> int:
        """Return the one tablet whose data the block holds, UNKNOWN when it changed, is shared by several or nobody can tell."""
        try:
            path = self._supervisor.directory(tenant_id).block_file
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                head = os.pread(descriptor, HEAD_HASHED_BYTES, block_id * MACRO_BLOCK_BYTES)
            finally:
                os.close(descriptor)
            if head_hash(head, key) != expected_head_hash:
                return UNKNOWN
            with self._supervisor.session(tenant_id) as session:
                owners = session.query(_OWNERS, (block_id,))
        except (HoldfastError, SqlError, OSError):
            return UNKNOWN  # a convenience: without it the damage is told all the same
        return int(owners[0][0]) if len(owners) == 1 else UNKNOWN
