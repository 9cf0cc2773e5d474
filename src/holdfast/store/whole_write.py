"""Writing all of something: a file system that is nearly full may take a part and say so, and only the next write fails."""

import os

from holdfast.values.buffers import Buffer

_BUFFERS_MAX = 1024
"""What one system call takes (IOV_MAX)."""


def write_all(descriptor: int, offset: int, buffers: tuple[Buffer, ...]) -> int:
    """Write all buffers at `offset` and return the offset behind them. Raises OSError; a part may be written then."""
    pending = [memoryview(buffer) for buffer in buffers if len(buffer)]
    while pending:
        written = os.pwritev(descriptor, pending[:_BUFFERS_MAX], offset)
        offset += written
        while pending and written >= len(pending[0]):
            written -= len(pending.pop(0))
        if written:
            pending[0] = pending[0][written:]
    return offset
