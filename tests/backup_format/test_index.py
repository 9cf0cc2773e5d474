"""The block index: complete, in order, and refused as a whole when one bit is wrong."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_format.samples import BLOCK_BYTES, TEXT, octets
from holdfast.backup_format.chunk import ChunkKind, ChunkPlace, seal_chunk
from holdfast.backup_format.digest import header_checksum
from holdfast.backup_format.index import (
    INDEX_HEADER_BYTES,
    INDEX_RECORD_BYTES,
    INDEX_TRAILER_BYTES,
    BlockTable,
    IndexRecord,
    decode_index,
    encode_index,
    record_of,
)
from holdfast.errors import CorruptionError, UnknownVersionError


def record(block_id: int, *, set_id: int = 2, object_number: int = 1, offset: int = 0) -> IndexRecord:
    return IndexRecord(
        block_id=block_id,
        set_id=set_id,
        object_number=object_number,
        offset=offset,
        stored_size_bytes=1000 + block_id,
        payload_size_bytes=BLOCK_BYTES,
        block_type=block_id % 9,
        digest=octets(16, block_id),
        head_hash=octets(16, block_id + 1000),
    )


def table_of(*records: IndexRecord, block_count: int = 16) -> BlockTable:
    table = BlockTable(block_count)
    for item in records:
        table.put(item)
    return table


def encoded(table: BlockTable, set_id: int = 2) -> bytes:
    return b"".join(encode_index(table, set_id=set_id, block_size_bytes=BLOCK_BYTES))


TABLE = table_of(record(2), record(3, set_id=1), record(9, offset=5000), record(15, object_number=4))

records = st.builds(
    IndexRecord,
    block_id=st.integers(0, 300),
    set_id=st.integers(1, 7),
    object_number=st.integers(0, 2**32 - 1),
    offset=st.integers(0, 2**64 - 1),
    stored_size_bytes=st.integers(0, 2**32 - 1),
    payload_size_bytes=st.integers(0, 2**32 - 1),
    block_type=st.integers(0, 2**16 - 1),
    digest=st.binary(min_size=16, max_size=16),
    head_hash=st.binary(min_size=16, max_size=16),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(records, max_size=40, unique_by=lambda item: item.block_id), st.integers(1, 200))
def test_index_decodes_to_what_was_encoded_in_slices_of_any_size(items: list[IndexRecord], slice_bytes: int) -> None:
    octets_ = encoded(table_of(*items, block_count=301), set_id=7)
    assert len(octets_) == INDEX_HEADER_BYTES + len(items) * INDEX_RECORD_BYTES + INDEX_TRAILER_BYTES
    index = decode_index(octets_[start : start + slice_bytes] for start in range(0, len(octets_), slice_bytes))
    assert list(index.table) == sorted(items, key=lambda item: item.block_id)
    assert (index.set_id, index.block_size_bytes, index.table.block_count) == (7, BLOCK_BYTES, 301)
    assert encoded(index.table, set_id=7) == octets_


def test_index_is_encoded_in_bounded_slices() -> None:
    table = BlockTable(40_000)
    for block_id in range(40_000):
        table.put(replace(record(2), block_id=block_id))
    slices = list(encode_index(table, set_id=2, block_size_bytes=BLOCK_BYTES))
    assert len(slices) == 3
    assert max(map(len, slices)) <= (1 << 20) + INDEX_RECORD_BYTES + INDEX_TRAILER_BYTES
    assert len(decode_index(slices).table) == 40_000


@pytest.mark.parametrize("position", range(INDEX_HEADER_BYTES + 4 * INDEX_RECORD_BYTES + INDEX_TRAILER_BYTES))
def test_flipped_bit_anywhere_in_an_index_is_refused_by_name(position: int) -> None:
    octets_ = bytearray(encoded(TABLE))
    octets_[position] ^= 1 << position % 8
    with pytest.raises(CorruptionError, match="backup_set_2_full/index"):
        decode_index([octets_], name="backup_set_2_full/index")


def test_index_cut_short_or_with_bytes_left_over_is_refused() -> None:
    octets_ = encoded(TABLE)
    for size in range(len(octets_)):
        with pytest.raises(CorruptionError):
            decode_index([octets_[:size]])
    with pytest.raises(CorruptionError, match="does not end"):
        decode_index([octets_, b"x"])


def test_index_of_another_version_is_named() -> None:
    octets_ = bytearray(encoded(TABLE))
    octets_[4] = 9
    octets_[INDEX_HEADER_BYTES - 8 : INDEX_HEADER_BYTES] = header_checksum(
        bytes(octets_[: INDEX_HEADER_BYTES - 8])
    ).to_bytes(8, "little")
    with pytest.raises(UnknownVersionError, match="version 9"):
        decode_index([octets_])


def test_forged_count_makes_no_room_before_records_come() -> None:
    """A header may promise 2^32 blocks; only records that are there take memory."""
    octets_ = bytearray(encoded(TABLE))
    octets_[16:24] = (1 << 31).to_bytes(8, "little")
    octets_[24:32] = (1 << 32).to_bytes(8, "little")
    octets_[INDEX_HEADER_BYTES - 8 : INDEX_HEADER_BYTES] = header_checksum(
        bytes(octets_[: INDEX_HEADER_BYTES - 8])
    ).to_bytes(8, "little")
    with pytest.raises(CorruptionError, match="record"):
        decode_index([octets_])


def test_index_never_refers_to_a_younger_set() -> None:
    with pytest.raises(ValueError, match="younger"):
        encoded(table_of(record(1, set_id=3)), set_id=2)


def test_record_of_a_sealed_chunk_names_its_place() -> None:
    place = ChunkPlace(set_id=2, object_number=5, offset=700, block_id=12)
    chunk = seal_chunk(place, TEXT, head_hash=octets(16), block_type=8)
    found = record_of(chunk.header)
    assert found.place == place
    assert found.end_offset == chunk.header.end_offset
    assert (found.digest, found.head_hash, found.block_type) == (chunk.header.digest, octets(16), 8)
    with pytest.raises(ValueError):
        record_of(seal_chunk(replace(place, kind=ChunkKind.FILE), b"", head_hash=octets(16)).header)


def test_table_gives_back_what_was_put_and_forgets_what_was_removed() -> None:
    table = table_of(record(2), record(5))
    assert table.get(2) == record(2)
    assert table.head_hash(5) == record(5).head_hash
    assert table.digest(5) == record(5).digest
    for absent in (0, 3, 15, 16, 10**9, -1):
        assert table.get(absent) is None
        assert table.head_hash(absent) is None
        assert table.digest(absent) is None
    table.put(replace(record(5), object_number=77))
    changed = table.get(5)
    assert changed is not None
    assert changed.object_number == 77
    table.remove(5)
    table.remove(5)
    assert [item.block_id for item in table] == [2]
    assert len(table) == 1


def test_table_grows_and_never_shrinks() -> None:
    table = table_of(record(3), block_count=4)
    with pytest.raises(IndexError):
        table.put(record(4))
    table.grow(5)
    table.grow(1)
    table.put(record(4))
    assert table.block_count == 5
    assert [item.block_id for item in table] == [3, 4]


def test_table_refuses_records_that_could_not_be_read_back() -> None:
    for wrong in ({"set_id": 0}, {"digest": b"short"}, {"offset": -1}, {"stored_size_bytes": 1 << 32}):
        with pytest.raises(ValueError, match="not an index record"):
            table_of(replace(record(1), **wrong))  # type: ignore[arg-type]


def test_restore_reads_objects_in_order() -> None:
    table = table_of(
        record(1, set_id=2, object_number=1, offset=900),
        record(2, set_id=1, object_number=2, offset=0),
        record(3, set_id=2, object_number=1, offset=0),
        record(4, set_id=1, object_number=1, offset=5 << 32),
    )
    assert [item.block_id for item in table.in_object_order()] == [4, 2, 3, 1]
    assert table.set_ids() == {1, 2}
