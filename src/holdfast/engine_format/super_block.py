from dataclasses import dataclass

from holdfast.engine_format.checksum import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperBlock:
    """What block_file says of itself."""

    create_time_us: int
    modify_time_us: int
    macro_block_size_bytes: int
    block_count: int
    file_size_bytes: int


def decode_super_block(block: Bytes) -> SuperBlock:
    """Return the checked super block at the start of macro block 0 or 1."""
    raise NotImplementedError
