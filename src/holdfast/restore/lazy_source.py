"""Missing macro blocks, straight from the destinations: index, chunk, decryption, digest.

A destination that does not answer is asked again for some seconds, because the engine's thread that waits can not be told to
come back; then the failure is the engine's to bear (EIO). Damage is final at once: wrong bytes never become right by waiting.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, CHUNK_PAYLOAD_BYTES_MAX, ChunkOpener
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BlockTable, IndexRecord
from holdfast.clock import Clock
from holdfast.errors import CorruptionError, HoldfastError
from holdfast.restore.block_chunk import open_block
from holdfast.restore.lazy_file import BlockSource
from holdfast.restore.lazy_place import Holder
from holdfast.store.store import ObjectReader, Store
from holdfast.values.buffers import Buffer

DEMAND_SECONDS_MAX = 8.0
"""How long a touched block is asked for. A statement gives up after 10 s, and a process that is killed lives on until its reads
are answered, for which DROP TENANT waits 30 s."""
_AGAIN_SECONDS = 0.5
_SPARE_BYTES = 64 << 10


class DestinationBlocks:
    """The blocks of one image. Safe from any thread: each has readers and a decompressor of its own."""

    def __init__(
        self,
        table: BlockTable,
        holders: tuple[Holder, ...],
        open_source: Callable[[str], Store],
        keys: Mapping[int, DataKey],
    ) -> None:
        """`open_source`: opens a destination by its URI; called when it is first needed, and again after a failure."""
        self._table = table
        self._holders = {holder.set_id: holder for holder in holders}
        self._open_source = open_source
        self._keys = keys
        self._local = threading.local()

    def get_block(self, block_id: int) -> Buffer:
        """Return the block's checked bytes. Raises CorruptionError naming object, offset and block, or why it can not be read."""
        record = self._table.get(block_id)
        if record is None:
            return b""
        hands: _Hands | None = getattr(self._local, "hands", None)
        if hands is None:
            hands = self._local.hands = _Hands(self._holders, self._open_source, self._keys)
        try:
            return hands.get(record)
        except (HoldfastError, OSError):
            hands.let_go()  # the next try opens the destination anew
            raise


class _Hands:
    """One thread's open object and decompressors."""

    def __init__(
        self, holders: Mapping[int, Holder], open_source: Callable[[str], Store], keys: Mapping[int, DataKey]
    ) -> None:
        self._holders = holders
        self._open_source = open_source
        self._openers = {set_id: ChunkOpener(key=keys.get(set_id)) for set_id in holders}
        self._stores: dict[str, Store] = {}
        self._open: tuple[tuple[int, int], ObjectReader] | None = None
        self._buffer = bytearray(CHUNK_HEADER_BYTES + CHUNK_PAYLOAD_BYTES_MAX + _SPARE_BYTES)

    def get(self, record: IndexRecord) -> Buffer:
        holder = self._holders.get(record.set_id)
        if holder is None:
            raise CorruptionError(f"block {record.block_id} lies in set {record.set_id}, which is not of the chain")
        store = self._stores.get(holder.source)
        if store is None:
            store = self._stores[holder.source] = self._open_source(holder.source)
        object_name = names.data_name(holder.root, record.object_number)
        where = f"{store.location}/{object_name}"
        if self._open is None or self._open[0] != (record.set_id, record.object_number):
            self._close()
            self._open = ((record.set_id, record.object_number), store.reader(object_name))
        size_bytes = record.end_offset - record.offset
        if size_bytes > len(self._buffer):
            raise CorruptionError(f"{where}: the index names a chunk of {size_bytes} bytes")
        view = memoryview(self._buffer)[:size_bytes]
        came = self._open[1].read_into(record.offset, view)
        return open_block(view[:came], record, self._openers[record.set_id], name=where)

    def let_go(self) -> None:
        """Close everything."""
        self._close()
        self._stores.clear()

    def _close(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            with suppress(HoldfastError, OSError):
                opened[1].close()


class PatientBlocks:
    """The same blocks for the engine's touches: asks again while the destination is away, up to `seconds_max` each."""

    def __init__(
        self, source: BlockSource, clock: Clock, *, tell: Callable[[str], None], seconds_max: float = DEMAND_SECONDS_MAX
    ) -> None:
        """`tell`: gets the trouble at each failure, and "" whenever a block came."""
        self._source = source
        self._clock = clock
        self._tell = tell
        self._seconds_max = seconds_max
        self._lock = threading.Lock()
        self.waiting = 0
        self.asked = 0

    def get_block(self, block_id: int) -> Buffer:
        """Return the block. Raises CorruptionError at once, another HoldfastError or OSError when the bound is over."""
        with self._lock:
            self.waiting += 1
            self.asked += 1
        try:
            return self._patiently(block_id)
        finally:
            with self._lock:
                self.waiting -= 1

    def _patiently(self, block_id: int) -> Buffer:
        end = self._clock.monotonic() + self._seconds_max
        while True:
            try:
                payload = self._source.get_block(block_id)
            except CorruptionError:
                raise
            except (HoldfastError, OSError) as error:
                self._tell(str(error))
                if self._clock.monotonic() + _AGAIN_SECONDS > end:
                    raise
                self._clock.sleep(_AGAIN_SECONDS)
            else:
                self._tell("")
                return payload
