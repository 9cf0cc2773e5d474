"""A transaction's rollback as we write it is the engine's, byte for byte, and goes on behind a log."""

import pytest

from holdfast.engine_format.log_append import group_behind
from holdfast.engine_format.log_group import ENTRY_HEADER_BYTES, decode_entries
from holdfast.engine_format.log_walk import Position, walk
from holdfast.engine_format.transaction_log import encode_rollback
from holdfast.errors import RefusedError
from holdfast.values.lsn import Lsn
from holdfast.values.scn import Scn

# Engine 1.4.0: `begin`, an insert of 10,000 rows, `rollback`. Its last entry, the seventeenth of transaction 52.
_OF_THE_ENGINE = bytes.fromhex(
    "00010001000000000000000000000034"
    "019080808000000000000000001001818080800034000000000000000200019080808000000189808080"
    "00e2bf9d95e1eaf7f518"
)
_FIRST_SCN = Scn(1795774437210415074)


def test_a_rollback_is_what_the_engine_writes_but_for_the_order_of_its_replay() -> None:
    written = encode_rollback(52, _FIRST_SCN, 16)
    assert written[4:8] == bytes.fromhex("40000000")
    assert written[:4] + bytes(4) + written[8:] == _OF_THE_ENGINE


@pytest.mark.parametrize("trans_id", [1, 127, 128, 16_384, 2**40 + 5, 2**62])
def test_an_id_of_any_length_keeps_the_sizes_right(trans_id: int) -> None:
    content = encode_rollback(trans_id, _FIRST_SCN, 1)
    size = content[17] & 0x7F
    assert content[16 + 6 + size :][:8] == (0x200).to_bytes(8)
    assert content.endswith(_OF_THE_ENGINE[-10:])


def test_a_group_continues_the_log_with_scns_of_its_own() -> None:
    position = Position(lsn=Lsn(4711), accumulated=99, log_id=7, scn=Scn(1000))
    contents = [encode_rollback(trans_id, Scn(500 + trans_id), 1) for trans_id in (3, 200, 70_000)]
    group = group_behind(position, contents)
    found = walk(group + bytes(4096), position)
    assert (found.size_bytes, found.group_count, found.end.scn, found.end.log_id) == (len(group), 1, 1003, 8)
    entries = list(decode_entries(group))
    assert [entry.scn for entry in entries] == [1001, 1002, 1003]
    for entry, content in zip(entries, contents, strict=True):
        assert group[entry.offset + ENTRY_HEADER_BYTES : entry.offset + entry.size_bytes] == content


def test_a_log_whose_chain_is_unknown_is_not_continued() -> None:
    with pytest.raises(RefusedError, match="chain before it is unknown"):
        group_behind(Position(lsn=Lsn(0)), [b"x"])
