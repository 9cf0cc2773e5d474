"""One macro block out of its chunk, proven against the index."""

from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, decode_chunk_header
from holdfast.backup_format.index import IndexRecord
from holdfast.errors import CorruptionError
from holdfast.values.buffers import Buffer


def open_block(stored: memoryview, record: IndexRecord, opener: ChunkOpener, *, name: str) -> Buffer:
    """Return the payload of the block of `record`. `stored` begins with its chunk's header and may go on behind the chunk.

    Raises CorruptionError naming the object, the offset and the block when the bytes are not those that the index names.
    """
    header = decode_chunk_header(stored, name=f"{name} at offset {record.offset}")
    if header is None:
        raise CorruptionError(f"{name} ends at {record.offset + len(stored)}, before block {record.block_id}")
    if header.digest != record.digest or header.payload_size_bytes != record.payload_size_bytes:
        raise CorruptionError(
            f"{name} at offset {record.offset} holds block {header.place.block_id} with another digest than the index "
            f"says of block {record.block_id}"
        )
    body = stored[CHUNK_HEADER_BYTES : CHUNK_HEADER_BYTES + header.stored_size_bytes]
    return opener.open(header, body, place=record.place, name=name)
