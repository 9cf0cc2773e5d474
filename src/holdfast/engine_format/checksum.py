"""The two checksums the engine puts on its bytes.

What the engine's source calls crc64 is a CRC-32C register without the usual inversion at start and end, kept in the
low 32 bits of a 64-bit field. Header checksums are the low 16 bits of an XXH64 over the header laid out little-endian,
although the header itself lies big-endian on the disk.
"""

from typing import Final, TypeAlias

from crc32c import crc32c
from xxhash import xxh64_intdigest

Bytes: TypeAlias = bytes | bytearray | memoryview
"""What every decoder of this room reads. A memoryview is sliced without copying; its items must be bytes."""

_INVERT: Final = 0xFFFFFFFF


def raw_crc(data: Bytes, register: int = 0) -> int:
    """Return the CRC-32C register after `data`, begun at `register`, with no inversion at either end.

    Shape: an unsigned 32-bit value. The library releases the interpreter lock for 32 KiB and more, in hardware at
    several GB/s; shorter data is not worth the switch.
    """
    return crc32c(data, register ^ _INVERT) ^ _INVERT


def header_checksum(packed_little_endian: bytes) -> int:
    """Return the 16-bit checksum of a log header.

    Shape: the header's fields in their order, packed little-endian, the low 16 bits of its flag zero.
    """
    return xxh64_intdigest(packed_little_endian) & 0xFFFF
