"""What the engine logs of a transaction: the one record of it that is written here, its rollback.

The content of a log entry that is a transaction's, engine 1.4, numbers big-endian:

| bytes | field                                                                                   |
| ----- | --------------------------------------------------------------------------------------- |
| i16   | 1, version                                                                              |
| i16   | 1, "of a transaction"                                                                   |
| i32   | flags: bit 30, replayed behind all entries before it, of whatever id                    |
| i64   | the transaction's id: entries of one id are replayed one after the other                |
| block | i64 number of this entry among the transaction's, block of the id, u8 flags             |
| i64   | kind of the record that follows, 0x200 is a rollback                                    |
| block | the record: of a rollback u8 0, no data of other modules, and a block of the first SCN  |

A block is a u8 version 1, its size as five bytes of 7 bits, low ones first, all but the last with bit 7, then its content. Ids and SCNs
in blocks are varints.

Source: entries of transactions that the engine rolled back, measured on 1.4.0 (tests/engine_format/test_transaction_log.py has one);
the names are those of oceanbase/seekdb src/storage/tx/ob_tx_log.h. Engine 1.3 writes more fields; it is not written here.
"""

from struct import Struct
from typing import Final

from holdfast.engine_format.varint import encode_varint
from holdfast.values.scn import Scn

_BASE: Final = Struct(">hhiq")
_NUMBER: Final = Struct(">q")
_VERSION: Final = 1
_OF_A_TRANSACTION: Final = 1
_ROLLBACK: Final = 0x200
_BEHIND_ALL: Final = 1 << 30
_BLOCK_SIZE_BYTES: Final = 5


def encode_rollback(trans_id: int, first_scn: Scn, number: int) -> bytes:
    """Return the content of the log entry that ends a transaction without effect.

    `first_scn`: of its first entry in the log. `number`: how many entries it has before this one; the engine reads it only of
    the first entry it meets of a transaction, where 0 says that nothing came before.
    """
    header = _NUMBER.pack(number) + _block(encode_varint(trans_id)) + b"\0"
    record = b"\0" + _block(encode_varint(first_scn))
    # The engine sets the flag only where a statement wrote with several threads, whose redo it replays as if of several ids; where
    # one did, the order is that already. Here nobody knows which, and an end that is replayed before its redo ends nothing.
    return (
        _BASE.pack(_VERSION, _OF_A_TRANSACTION, _BEHIND_ALL, trans_id)
        + _block(header)
        + _NUMBER.pack(_ROLLBACK)
        + _block(record)
    )


def _block(content: bytes) -> bytes:
    size = [len(content) >> 7 * place & 0x7F | 0x80 for place in range(_BLOCK_SIZE_BYTES)]
    size[-1] &= 0x7F
    return bytes((_VERSION, *size)) + content
