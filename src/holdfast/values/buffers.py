"""Bytes in the forms that reach a hash, a compressor or a file without a copy."""

from collections.abc import Callable

Buffer = bytes | bytearray | memoryview
"""Anything that holds contiguous bytes. A memoryview has format 'B' and one dimension."""

ReadAt = Callable[[int, int], Buffer]
"""`read(offset, size_bytes)`: the bytes there, fewer only where the object ends."""
