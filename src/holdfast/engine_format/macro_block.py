from dataclasses import dataclass
from enum import Enum
from typing import Final

from holdfast.engine_format.checksum import Bytes

MACRO_BLOCK_BYTES: Final = 2 << 20
HEAD_BYTES: Final = 4096


class BlockKind(Enum):
    """How a block lives, which decides how it is copied."""

    SUPER = "the first two blocks: rewritten in place, with a checksum of their own"
    FREE = "never used: the header is all zero"
    WRITE_ONCE = "written once, with a checksum of the payload (types 1 to 6)"
    SHARED = "appended in place, without a checksum (types 7 and 8)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHead:
    """`type` is 0 for SUPER and FREE; payload size and checksum are 0 unless `kind` is WRITE_ONCE."""

    kind: BlockKind
    type: int
    payload_size_bytes: int
    payload_checksum: int


def decode_block_head(block_id: int, head: Bytes) -> BlockHead:
    """Return the head of block `block_id`, whose first HEAD_BYTES (or more) are `head`."""
    raise NotImplementedError


def is_block_whole(head: BlockHead, block: Bytes) -> bool:
    """Return whether the payload of a WRITE_ONCE block matches the checksum in its head; True for any other kind."""
    raise NotImplementedError
