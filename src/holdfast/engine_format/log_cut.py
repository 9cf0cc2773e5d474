from dataclasses import dataclass

from holdfast.engine_format.checksum import Bytes
from holdfast.engine_format.log_walk import Position, WalkStop
from holdfast.values.scn import Scn


def cut(group_bytes: Bytes, position: Position, target: Scn) -> bytes:
    """Return the group at the start of `group_bytes` rebuilt with its leading entries up to and including `target`.

    Shape: a whole group, header included; the very same bytes if all entries are kept; b"" if none is.
    """
    raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCut:
    """How one block's file is to look: its first `keep_bytes`, then `tail` (maybe empty), then zeros to the end.

    `end` is where the engine's own log goes on. `stop`: BLOCK_END, the block is full, go on with the next; BORDER, the
    target is reached; ZERO or BROKEN (with `reason`) or NEED_MORE, the log ends here. Except after BLOCK_END, later
    blocks must not exist.
    """

    keep_bytes: int
    tail: bytes
    end: Position
    stop: WalkStop
    reason: str = ""


def cut_block(block: Bytes, position: Position, target: Scn | None = None) -> BlockCut:
    """Return how `block` (a log file's bytes from its info block on) is cut: at its valid end, or at `target`."""
    raise NotImplementedError


def rebuild_block(block: Bytes, cut: BlockCut) -> bytes:
    """Return the 64 MiB of the block's file as `cut` wants it."""
    raise NotImplementedError
